/* Storage: content, possession and the proof of retrievability.
 *
 * A node declares C chunks of 4 KiB.  Deals occupy the chunks from 0 up, sealed filler that the
 * node committed to when it declared the capacity stands for the rest, so that an idle node has
 * something to prove too.  To prove possession of the chunks that a nonce chooses is to show
 * each chunk and its Merkle path under the root of the deal, or of the filler.
 *
 * Content repeats with a period of 8 chunks, expanded from a seed by ChaCha20, so that the root of
 * a terabyte takes 8 leaves and one hash per doubling:
 *
 *      leaf 0..7 --> 3 real levels --> H(x,x) --> H(x,x) ... one per further level
 *
 * Chunks, hashes and paths are real bytes; what is modelled is the disk: whether a node has chunk i
 * is asked of `struct dc_disk`, and no gigabyte is kept.  models/README.md 6 and 10. */
#ifndef MODELS_SERVICE_STORAGE_H
#define MODELS_SERVICE_STORAGE_H

#include "models/base/fixed.h"
#include "models/crypto/hash.h"
#include "models/ledger/store.h"

#define DC_CHUNK_BYTES ((size_t)4096)
#define DC_CONTENT_PERIOD 8
#define DC_CONTENT_LEVELS 3 /* log2 of the period */

/* Periodic content: seed and the leaf hashes of one period.  288 bytes. */
struct dc_content {
    struct dc_hash seed;
    struct dc_hash leaf[DC_CONTENT_PERIOD];
};

/* Levels of a tree over so many chunks: at least DC_CONTENT_LEVELS. */
uint32_t dc_content_depth(uint64_t chunks);
/* Expands the period and hashes it.  About 30 us. */
void dc_content_init(struct dc_content *c, const struct dc_hash *seed);
struct dc_hash dc_content_root(const struct dc_content *c, uint64_t chunks);
/* Chunk `index` as bytes. */
void dc_content_chunk(const struct dc_content *c, uint64_t index, uint8_t out[DC_CHUNK_BYTES]);
/* Its Merkle path, leaf upwards: dc_content_depth(chunks) hashes. */
void dc_content_path(const struct dc_content *c, uint64_t chunks, uint64_t index,
                     struct dc_hash *out);
/* Whether chunk bytes and path lead to the root. */
bool dc_content_check(const struct dc_hash *root, uint64_t chunks, uint64_t index,
                      const uint8_t *chunk, const uint8_t *path);
static inline uint64_t dc_chunks_of(uint64_t size_bytes)
{
    return size_bytes / DC_CHUNK_BYTES + (size_bytes % DC_CHUNK_BYTES != 0);
}
/* The seeds of a node's filler and of an object. */
struct dc_hash dc_filler_seed(const uint8_t node_key[32]);
struct dc_hash dc_object_seed(const uint8_t client_key[32], uint64_t object);

/* The disk: chunk i is there unless the draw of (key, i) falls below `missing`.  The one place
 * where an adversary's lack of data shows. */
struct dc_disk {
    uint64_t key;
    dc_q31 missing;   /* 0: all there; DC_ONE: nothing */
    bool filler_only; /* what is under deals is there all the same: only filler is missing */
};
bool dc_disk_has(const struct dc_disk *disk, uint64_t chunk);
/* Whether it can be shown: as a chunk of a deal, or as filler. */
static inline bool dc_disk_shows(const struct dc_disk *disk, uint64_t chunk, bool as_deal)
{
    return (as_deal && disk->filler_only) || dc_disk_has(disk, chunk);
}

/* What a storage node keeps of one deal. */
struct dc_held {
    uint32_t deal;  /* id on chain, or DC_DEAL_NONE while not yet final: then it stands last, */
    uint64_t since; /* and was taken at this final height */
    uint64_t offset_chunk, chunks;
    struct dc_content content; /* its seed, and the hashes of one period */
    struct dc_hash root;
};

struct dc_storage {
    struct dc_disk disk;
    uint64_t chunks; /* declared */
    struct dc_content filler;
    struct dc_held *held; /* by offset, ascending */
    uint32_t held_count, held_max;
    uint64_t writes; /* changes of what is held, ever */
};
/* filler may be NULL when nothing is declared; it is copied. */
void dc_storage_init(struct dc_storage *s, const struct dc_content *filler,
                     uint64_t capacity_bytes);
void dc_storage_free(struct dc_storage *s);
/* Remembers a deal's content; keeps the order. */
void dc_storage_hold(struct dc_storage *s, const struct dc_held *held);
/* The deal that covers a chunk, or NULL: filler. */
const struct dc_held *dc_storage_find(const struct dc_storage *s, uint64_t chunk);

/* --- the proof: for each sample, u32 deal id (DC_DEAL_NONE: filler) || chunk || path ---------- */

/* Writes the proof of k samples as `state` wants them shown for account `node` (the state under
 * which it will be checked; deals that it does not know yet stay filler).  Returns its size, or 0
 * when the disk lacks one of them (*proved then counts those that are there).  out_max: at least
 * dc_storage_proof_max. */
size_t dc_storage_prove_at(const struct dc_storage *s, const struct dc_state *state, uint32_t node,
                           const uint64_t *sample, uint32_t k, uint8_t *out, size_t out_max,
                           uint32_t *proved);
size_t dc_storage_proof_max(const struct dc_storage *s, uint32_t k);
/* Judges it by the node's account and deals in a state: a chunk that a deal covers must be shown
 * under that deal; once the deal has expired, filler is as good.  INVALID only when a chunk shown
 * does not belong where the proof itself places it; a proof that was made for other deals than
 * those of this state, or has another form, is UNJUDGED. */
enum dc_answer_verdict dc_storage_judge(const struct dc_state *state, uint32_t node,
                                        const uint64_t *sample, uint32_t k, const uint8_t *proof,
                                        size_t size);
/* Whether it is VALID. */
bool dc_storage_check(const struct dc_state *state, uint32_t node, const uint64_t *sample,
                      uint32_t k, const uint8_t *proof, size_t size);

#endif
