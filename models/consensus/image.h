/* What consensus has on disk, as bytes (models/README.md 4.9): part of a node's image
 * (models/node/durable.h, which has the checksum).
 *
 *   chain      epoch 8, final block's id 32, round seen 8, digest of the hand-overs 32 (ledger/epochs.h),
 *              known blocks: count 4 x (id 32, executed 1),
 *              highest QC: size 4, bytes, id of the block that bears it 32 (zeros: none),
 *              hand-over: size 4, bytes
 *   validator  chain, then epoch 8, round 8, last voted round 8, voted 1 [VOTE message],
 *              own proposal: size 4, bytes; TC: size 4, bytes; kept QC: size 4, bytes
 *
 * Blocks are looked up in the store by id, and so is the state after the final one.  When the store
 * has it no more, this node's files of blocks are gone: its chain begins at genesis.  A validator then
 * *waits*: it follows and signs nothing until its chain is in the epoch of its safety record, whose
 * highest QC is kept meanwhile. */
#ifndef MODELS_CONSENSUS_IMAGE_H
#define MODELS_CONSENSUS_IMAGE_H

#include "models/consensus/jolteon.h"

/* At least the size of what is written. */
size_t dc_image_follow_max(const struct dc_follow *f);
size_t dc_image_jolteon_max(const struct dc_jolteon *j);
void dc_image_write_follow(struct dc_writer *w, const struct dc_follow *f);
void dc_image_write_jolteon(struct dc_writer *w, const struct dc_jolteon *j);
/* Into one just made by init, which stays as it is on nonsense (false). */
bool dc_image_read_follow(struct dc_reader *r, struct dc_follow *f,
                          const struct dc_consensus_env *env);
bool dc_image_read_jolteon(struct dc_reader *r, struct dc_jolteon *j,
                           const struct dc_consensus_env *env);

/* Numbers that change when the bytes do; returns how many, at most DC_IMAGE_WORDS and two for each
 * known block. */
#define DC_IMAGE_WORDS 32
uint32_t dc_image_words_follow(const struct dc_follow *f, uint64_t *out);
uint32_t dc_image_words_jolteon(const struct dc_jolteon *j, uint64_t *out);

/* References to the blocks that the bytes name, as far as the store has them, lowest first; returns
 * how many (at most count_max), or 0 for nonsense. */
uint32_t dc_image_blocks(struct dc_reader *r, struct dc_store *store, struct dc_block **out,
                         uint32_t count_max);

#endif
