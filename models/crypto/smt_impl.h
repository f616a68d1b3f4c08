/* What the two files of sparse Merkle trees share: smt.c (trees), smt_proof.c.
 *
 *   fork   refs | fresh | bit | child[2] | hash               64 bytes of the pool
 *   leaf   refs | fresh | key | (value, in a map)             48, or 80
 *
 * `fresh` marks what an uncommitted tree owns alone.  Forks are ordered by their bit, the highest
 * first; a fork's hash is that of its place just above its bit, and is not valid while it is fresh.
 * No recursion is deeper than 256: a key has so many bits. */
#ifndef MODELS_CRYPTO_SMT_IMPL_H
#define MODELS_CRYPTO_SMT_IMPL_H

#include "models/crypto/smt.h"

#define SMT_LEVELS 256u

struct smt_head {
    uint32_t refs;
    uint8_t fresh, leaf, bit;
};
struct smt_fork {
    struct smt_head head;
    struct smt_head *child[2];
    struct dc_hash hash;
};
struct smt_leaf {
    struct smt_head head;
    uint8_t key[32];
    struct dc_hash value[]; /* one, in a map */
};

/* What a place holds: n = 0: a hash (zero: the place is empty); else the end of an edge over n
 * levels, whose hash is made only where it is needed. */
struct smt_place {
    uint32_t n;
    struct dc_hash hash, sides; /* the hash or the base */
};

static inline bool smt_bit(const uint8_t key[32], uint32_t bit)
{
    return key[bit / 8] >> bit % 8 & 1;
}
static inline struct smt_fork *smt_fork(struct smt_head *node)
{
    return (struct smt_fork *)(void *)node;
}
static inline struct smt_leaf *smt_leaf(struct smt_head *node)
{
    return (struct smt_leaf *)(void *)node;
}
static inline uint32_t smt_level(const struct smt_head *node)
{
    return node->leaf ? 0 : node->bit + 1u;
}

/* key without its bits 0 .. bit. */
void dc_smt_path(const uint8_t key[32], uint32_t bit, uint8_t out[32]);
struct dc_hash dc_smt_place_hash(const struct dc_merkle *m, const struct smt_place *p);
/* One level up: bit `bit` of key tells own half from the sibling. */
struct smt_place dc_smt_up(const struct dc_merkle *m, const uint8_t key[32], uint32_t bit,
                           const struct smt_place *own, const struct smt_place *sibling);
/* A committed node as it stands at a level above it. */
struct smt_place dc_smt_place(const struct dc_smt_forest *forest, struct smt_head *node,
                              uint32_t level);
const uint8_t *dc_smt_key(struct smt_head *node); /* of any leaf below */

#endif
