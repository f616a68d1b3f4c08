/* What survives a crash: a node's disk as bytes, and a node made from them again
 * (models/README.md 4.9).
 *
 *   image = "DCND" 4, version 2, size 4 | body | checksum 32 (BLAKE2b of all before it)
 *   body  = who         id, role, incarnation of its keys, forsworn
 *           safety      epoch, round, last_voted_round, exact vote, own proposal, TC
 *           chain       epoch, final block, known blocks, highest QC, hand-over
 *           disk        deals held and their content, writes so far     (service nodes)
 *           customer    deals, nonce                                    (clients)
 *           wallet      notes, payments under way                       (clients that have one)
 *           parts       in private applications: calls, records, CALLs under way
 *
 * Executed: every number, vote, certificate and the own proposal stand in the image as the bytes
 * that a process would read back, and a torn or mangled image is found by its checksum or its
 * decoder.  Modelled: other blocks, and the state after the final one, stand in it by id; their
 * bytes are the process-wide store's, which forgets what nobody holds.  Whoever keeps an image for
 * later holds them with dc_node_image_hold; the world does so for a node that is down.  A block that is gone all the same is gone from this
 * disk: without the final one the node begins at genesis, with its safety record, and catches up
 * (4.10).  So are the chunks of deals modelled, by dc_disk. */
#ifndef MODELS_NODE_DURABLE_H
#define MODELS_NODE_DURABLE_H

#include "models/node/node.h"

/* The bytes that the node has on disk at this moment.  Returns their size; *out is dc_mem's, the
 * caller frees it.  Memory out is fatal. */
size_t dc_node_save(const struct dc_node *node, uint8_t **out);

/* A new node from such bytes, as a process that starts again on that disk: what is volatile is
 * gone.  config: as for dc_node_create, of the same node.  An image that is NULL, torn, mangled or
 * of another node is a store lost (amnesia, 4.9): *lost, and the node begins at genesis, signs no
 * consensus object with the key it has, and renews.  Hand it DC_INPUT_RESTART next.  NULL with
 * `error` when out of memory. */
struct dc_node *dc_node_recover(const struct dc_node_config *config, const uint8_t *image,
                                size_t size, bool *lost, struct dc_error *error);

/* Equal iff a save would write the same bytes (to within a collision of 64 bits).  Costs about as
 * much as hashing 300 bytes, and some 10 ns for each block above the final one. */
uint64_t dc_node_durable_mark(const struct dc_node *node);

/* Takes (hold) or gives back (drop) a reference to each block that an image names, so that they, and
 * the state after its final block, outlive the node that wrote it.  Hold when the image is written,
 * or from one that is held; a bad image names none.  All are dropped before the store goes. */
void dc_node_image_hold(struct dc_store *store, const uint8_t *image, size_t size);
void dc_node_image_drop(struct dc_store *store, const uint8_t *image, size_t size);

#endif
