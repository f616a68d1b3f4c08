/* What set-up needs of the population beside the world's own arrays. */
#ifndef SIM_WORLD_POPULATION_H
#define SIM_WORLD_POPULATION_H

#include "models/ledger/store.h"
#include "models/service/storage.h"
#include "sim/scenario/scenario.h"

struct ds_world;

/* Accounts and deals as of genesis with their contents, and the clients' ids: for set-up alone. */
struct world_genesis {
    struct dc_account *account;
    struct dc_deal *deal;
    struct dc_content *content;
    struct dc_content *filler; /* of each node; zeros where nothing is declared */
    uint32_t *client;
    uint32_t deals, clients;
};

/* A scenario's distribution as a table of integers, values times scale. */
enum dc_status world_tabulate(const struct ds_dist_spec *spec, double scale, struct dc_dist *out,
                              struct dc_error *error) DC_MUST_USE;
/* Fills the world's arrays (group, mix, region, identity, capacity, used, bond) and *genesis. */
enum dc_status world_population(struct ds_world *w, struct world_genesis *genesis,
                                struct dc_error *error) DC_MUST_USE;
void world_genesis_free(struct world_genesis *g);

#endif
