/* Private payments and applications, as the world has them: who is called when and with what; the
 * key holders' ceremony; and what came of it. */
#ifndef SIM_WORLD_PRIVATE_H
#define SIM_WORLD_PRIVATE_H

#include "sim/world/inside.h"

/* The payload of an EV_CALL that is private:  1 at bit 62 | kind 2 | 28 | 32
 *   APP     number of the application, 28 bits | member, 32 bits: 0 owner, then the participants,
 *           last `node`
 *   SHIELD  note's number      PAY  ordinal of the client's payment */
#define WORLD_CALL_PRIVATE ((uint64_t)1 << 62)

struct dc_stealth_address;

/* private.c */
/* Holders' keys and addresses: before the chain and its nodes are made. */
enum dc_status world_private_keys(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
/* Calls: once nodes stand where they stand. */
enum dc_status world_private_create(struct ds_world *w, struct dc_error *error) DC_MUST_USE;
void world_private_start(struct ds_world *w); /* posts every first call */
void world_private_free(struct ds_world *w);
int64_t world_private_next(const struct ds_world *w, uint32_t client, uint64_t payload,
                           int64_t after_ns);
struct dc_call world_private_call(const struct ds_world *w, uint32_t client, uint64_t payload);
/* For genesis: NULL, where nobody holds keys. */
const struct dc_holders *world_private_holders(const struct ds_world *w);
/* For a node's config. */
void world_private_config(const struct ds_world *w, uint32_t node, struct dc_node_config *config);

/* observe_private.c */
void world_private_note(struct ds_world *w, const struct note *n);
/* A node made a block final; fresh: the first that did. */
void world_private_commit(struct ds_world *w, const struct commit *c, bool fresh);
/* A height's row is closed; an epoch's is written, where b begins the next. */
void world_private_block(struct ds_world *w, const struct dc_block *b);
void world_private_row(struct ds_world *w, const struct dc_block *b);
/* The numbers of the summary, where the scenario has privacy. */
void world_private_summary(struct ds_world *w);

#endif
