/* What set-up needs of the population beside the world's own arrays. */
#ifndef SIM_WORLD_POPULATION_H
#define SIM_WORLD_POPULATION_H

#include "models/base/dist.h"
#include "models/ledger/store.h"
#include "models/service/storage.h"
#include "sim/scenario/scenario.h"

struct ds_world;

/* Customers of one node, at most. */
#define CUSTOMERS_MAX 1024

/* What a group's nodes are drawn from. */
struct world_tables {
    struct dc_dist bond, capacity, utilisation;
    bool has_bond, has_capacity, has_utilisation;
};

/* Accounts and deals as of genesis with their contents, and the clients' ids: for set-up alone. */
struct world_genesis {
    struct dc_account *account;
    struct dc_deal *deal; /* with `content`, room for deals_max */
    struct dc_content *content;
    struct dc_content *filler; /* of each node; zeros where nothing is declared */
    uint32_t *client;
    uint32_t deals, deals_max, clients;
    uint32_t *outsourcer; /* of each group: its accomplice, or UINT32_MAX */
};
/* The draw of a node for a purpose: 64 uniform bits, of the machine where it has one in common. */
uint64_t world_draw(const struct ds_world *w, uint32_t node, const char *purpose);

/* A scenario's distribution as a table of integers, values times scale. */
enum dc_status world_tabulate(const struct ds_dist_spec *spec, double scale, struct dc_dist *out,
                              struct dc_error *error) DC_MUST_USE;
/* Fills the world's arrays (group, mix, machine, region, link_class, identity, capacity, used, bond,
 * access_ns), the truths, and *genesis; a node's deals follow one another. */
enum dc_status world_population(struct ds_world *w, struct world_genesis *genesis,
                                struct dc_error *error) DC_MUST_USE;
/* deals.c: price_gib_epoch 0 becomes a number, and everyone gets deals.  used[] is what is paid for
 * at genesis by others. */
enum dc_status world_deals(struct ds_world *w, struct world_genesis *genesis,
                           const struct world_tables *t, struct dc_error *error) DC_MUST_USE;
/* Whether the node's entry of its group's mix is of that strategy. */
bool world_mixed(const struct ds_world *w, uint32_t node, enum ds_strategy strategy);
/* Entries of one kind, in order, in bands of its number: first[n] is the first of n's band. */
void world_bands(const struct ds_world *w, const struct ds_group *g, enum ds_strategy strategy,
                 uint32_t *first);
void world_genesis_free(struct world_genesis *g);

#endif
