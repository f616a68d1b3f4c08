/* A persistent Merkle tree over dense indices.
 *
 * Each node has four children, because the four hashes fill BLAKE2b's block of 128 bytes exactly:
 * a node costs what a binary one costs and there is a third as many of them.
 *
 *              node                   hash of a node = H(STATE_NODE, hash[0..3])
 *       hash[0] .. hash[3]            hash of a leaf = H(STATE_LEAF, tag || index || encoding)
 *      /    |      |     \            an absent child's hash is zero
 *   node   node   leaf? ...           depth levels for up to 4^depth leaves; always at least one
 *
 * Path copying: a tree is a value (root pointer, count), and trees share what they have in common,
 * counted by references.  An edit copies the path that it touches once; until dc_tree_commit these
 * copies are `dirty` and belong to one tree alone, so later edits of the same batch change them in
 * place, and the commit hashes each of them once however many leaves changed below.
 *
 * A forest holds the memory of all trees of one kind.  Whatever changes reference counts (all but
 * get, prove and check) needs the forest to itself; reading a committed tree needs nothing. */
#ifndef MODELS_LEDGER_TREE_H
#define MODELS_LEDGER_TREE_H

#include "models/base/mem.h"
#include "models/crypto/hash.h"

#define DC_TREE_FAN 4u
#define DC_TREE_DEPTH_MAX 16 /* 4^16 = 2^32 leaves */

struct dc_tree_class {
    const char *name;
    uint8_t tag;        /* tells the leaves of one kind of tree from another's */
    size_t leaf_bytes;  /* of a leaf in memory */
    size_t encoded_max; /* of its encoding, at most DC_TREE_ENCODED_MAX */
    size_t (*encode)(const void *leaf, uint8_t *out); /* canonical bytes; returns their size */
};
#define DC_TREE_ENCODED_MAX ((size_t)1024)

struct dc_forest {
    const struct dc_tree_class *class;
    struct dc_pool nodes, leaves;
    uint64_t copied; /* leaves copied or appended, ever: what a batch changed is the difference */
};
void dc_forest_init(struct dc_forest *forest, const struct dc_tree_class *class);
void dc_forest_free(struct dc_forest *forest);

struct dc_tree {
    struct dc_tree_node *root; /* NULL when empty */
    uint32_t count, depth;
    struct dc_hash hash; /* as of the last commit; zero when empty */
};

/* One more holder of the same contents; drop gives it up (an uncommitted tree may be dropped). */
struct dc_tree dc_tree_hold(const struct dc_tree *tree);
void dc_tree_drop(struct dc_forest *forest, struct dc_tree *tree);

/* The leaf, borrowed, or NULL when index >= count. */
const void *dc_tree_get(const struct dc_tree *tree, uint32_t index);
/* The leaf to be changed; index < count.  Other trees keep the old contents. */
void *dc_tree_edit(struct dc_forest *forest, struct dc_tree *tree, uint32_t index);
/* A new zeroed leaf at index count. */
void *dc_tree_append(struct dc_forest *forest, struct dc_tree *tree);
/* Hashes what changed since the last commit; tree->hash is then valid.  Returns the number of
 * hashes made. */
uint32_t dc_tree_commit(struct dc_forest *forest, struct dc_tree *tree);

struct dc_hash dc_tree_leaf_hash(const struct dc_tree_class *class, uint32_t index,
                                 const uint8_t *encoded, size_t size);
/* The path of leaf `index` in a committed tree: for each level from the leaf upwards the three
 * other children's hashes in order.  Writes tree->depth * 3 hashes. */
void dc_tree_prove(const struct dc_tree *tree, uint32_t index, struct dc_hash *path);
/* The root that a leaf hash and its path lead to; false when index does not fit depth. */
bool dc_tree_fold(const struct dc_hash *leaf, uint32_t index, uint32_t depth, const uint8_t *path,
                  struct dc_hash *root);

#endif
