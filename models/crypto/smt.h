/* Sparse Merkle trees: sets (or maps) of 32-byte keys under one hash, with proofs that a key is
 * there and that it is not.
 *
 * The tree is that of nervosnetwork/sparse-merkle-tree: 2^256 places, nearly all empty, a hash for
 * each place that is not.  What is hashed (|| joins bytes, level 0 is a leaf's, path(k, h) is k
 * without its bits 0 .. h):
 *
 *     a leaf                                              its value, not zero
 *     both halves full, above bit h                       H(1 || h || path(k, h) || left || right)
 *     n halves that are empty beside one full, from bit h H(2 || base || sides || n)
 *                               base = H(h || path(k, h) || the full one); sides: bit i set where
 *                               the full half above bit i is the right one; n modulo 256
 *
 * so that an edge on which nothing forks costs two hashes, however long.  In memory only leaves and
 * forks are kept:
 *
 *     fork (bit h)           64 bytes       n keys: n leaves and n - 1 forks, 112 bytes a key in a
 *      /      \              set.  A new key copies the path that leads to it, about log2 n forks,
 *   fork     leaf (key)      and shares everything else with the trees from which it came.
 *
 * As with ledger/tree.h a tree is a value, trees share what they have in common, counted by
 * references, and what is not yet committed belongs to one tree alone and is changed in place.
 * Whatever changes counts (all but get, prove and check) needs the forest to itself. */
#ifndef MODELS_CRYPTO_SMT_H
#define MODELS_CRYPTO_SMT_H

#include "models/base/mem.h"
#include "models/crypto/merkle.h"

struct dc_smt_forest { /* the memory of all trees of one hash */
    struct dc_merkle hash;
    bool map; /* leaves have values; in a set each has the value dc_smt_one */
    struct dc_pool forks, leaves;
    uint64_t added; /* keys, ever */
};
void dc_smt_forest_init(struct dc_smt_forest *forest, const struct dc_merkle *hash, bool map);
void dc_smt_forest_free(struct dc_smt_forest *forest);
size_t dc_smt_forest_bytes(const struct dc_smt_forest *forest); /* alive */

struct dc_smt {
    void *root;          /* NULL when empty */
    uint64_t count;      /* keys */
    struct dc_hash hash; /* as of the last commit; zero when empty */
};

extern const struct dc_hash dc_smt_one;            /* 1, little-endian */
extern const struct dc_merkle_class dc_smt_nervos; /* BLAKE2b-256, "sparsemerkletree": published */

struct dc_smt dc_smt_hold(const struct dc_smt *tree);
void dc_smt_drop(struct dc_smt_forest *forest, struct dc_smt *tree);

bool dc_smt_has(const struct dc_smt *tree, const uint8_t key[32]);
/* The value of a key in a map, borrowed; NULL: it is not there. */
const struct dc_hash *dc_smt_get(const struct dc_smt *tree, const uint8_t key[32]);
/* A new key; value is NULL in a set, and not zero in a map.  False when the key was there already:
 * nothing has changed. */
bool dc_smt_add(struct dc_smt_forest *forest, struct dc_smt *tree, const uint8_t key[32],
                const struct dc_hash *value);
/* Hashes what is new since the last commit; tree->hash is then valid.  Returns the number of
 * hashes made. */
uint32_t dc_smt_commit(struct dc_smt_forest *forest, struct dc_smt *tree);

struct dc_smt_leaf {
    uint8_t key[32];
    struct dc_hash value; /* zero: the key is not there */
};
/* Orders leaves as proofs want them: by the key as a little-endian number. */
int dc_smt_compare(const uint8_t a[32], const uint8_t b[32]);
/* One proof for count >= 1 keys in ascending order, whether they are there or not, as the published
 * library compiles it; dc_smt_prove_size_max(count) is always enough.  Returns its size, 0 when out
 * is too small. */
size_t dc_smt_prove(const struct dc_smt_forest *forest, const struct dc_smt *tree,
                    const uint8_t (*key)[32], uint32_t count, uint8_t *out, size_t out_max);
/* True when the proof shows that in the tree with this root every leaf has its value, or, where the
 * value is zero, is not there.  Leaves in strictly ascending order.  Refuses more than the published
 * library does: siblings whose sides are not theirs, with which one could prove absence of a key
 * that is there.  What is true has more than one proof: nothing may be told apart by its proof. */
bool dc_smt_check(const struct dc_merkle *hash, const struct dc_hash *root,
                  const struct dc_smt_leaf *leaf, uint32_t count, const uint8_t *proof,
                  size_t size);
/* 256 siblings of 66 bytes and as many counts for each key. */
static inline size_t dc_smt_prove_size_max(uint32_t count)
{
    return (size_t)count * (1 + 256 * 68);
}

#endif
