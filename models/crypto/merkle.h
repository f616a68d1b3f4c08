/* Merkle trees over a list of leaves: the shape of RFC 9162 (section 2.1), the hash a parameter.
 *
 *            root            n leaves split at the largest power of two below n, so that a tree of
 *           /    \           n + 1 leaves keeps the full subtrees of n: what makes consistency
 *         k        z         proofs short, and a list that only grows cheap to extend.
 *       /   \      |
 *      g     h     j         A leaf is hashed with 0x00 in front, a node with 0x01, so that
 *     / \   / \   / \        neither can stand for the other.
 *    a   b c   d e   f
 *
 * Proofs carry struct dc_hash, so a hash of another length cannot get in: the decoder refuses it.
 * Everything here is pure and may be called from any thread. */
#ifndef MODELS_CRYPTO_MERKLE_H
#define MODELS_CRYPTO_MERKLE_H

#include "models/crypto/hash.h"

#define DC_MERKLE_PATH_MAX 64 /* hashes of an inclusion proof; a consistency proof has one more */

struct dc_merkle_class {
    const char *name;
    /* out = hash of size bytes under the domain (classes without domains ignore it). */
    void (*hash)(enum dc_domain domain, const void *data, size_t size, struct dc_hash *out);
    /* The same of prefix || data. */
    void (*hash_prefixed)(enum dc_domain domain, uint8_t prefix, const void *data, size_t size,
                          struct dc_hash *out);
};
extern const struct dc_merkle_class dc_merkle_blake2b; /* the protocol's */
extern const struct dc_merkle_class dc_merkle_sha256;  /* RFC 9162's, for the published vectors */

struct dc_merkle {
    const struct dc_merkle_class *class;
    enum dc_domain domain;
};
/* The protocol's tree under a domain. */
static inline struct dc_merkle dc_merkle(enum dc_domain domain)
{
    return (struct dc_merkle){&dc_merkle_blake2b, domain};
}

struct dc_hash dc_merkle_leaf(const struct dc_merkle *m, const void *data, size_t size);
struct dc_hash dc_merkle_node(const struct dc_merkle *m, const struct dc_hash *l,
                              const struct dc_hash *r);

/* Root of count leaf hashes (made by dc_merkle_leaf); of none: the hash of nothing. */
struct dc_hash dc_merkle_root(const struct dc_merkle *m, const struct dc_hash *leaves,
                              uint64_t count);

/* A tree that grows leaf by leaf and keeps only its full subtrees' roots.  Zero-initialise. */
struct dc_merkle_frontier {
    uint64_t count;
    struct dc_hash
        full[64]; /* full[k]: root of a full subtree of 2^k leaves, where bit k of count */
};
void dc_merkle_append(const struct dc_merkle *m, struct dc_merkle_frontier *f,
                      const struct dc_hash *leaf);
struct dc_hash dc_merkle_frontier_root(const struct dc_merkle *m,
                                       const struct dc_merkle_frontier *f);

/* The path of leaf `index` (below count) in path[DC_MERKLE_PATH_MAX], from the leaf upwards;
 * returns its length.  Hashes O(count). */
uint32_t dc_merkle_prove(const struct dc_merkle *m, const struct dc_hash *leaves, uint64_t count,
                         uint64_t index, struct dc_hash *path);
/* The length of that path: a decoder knows it beforehand. */
uint32_t dc_merkle_path_length(uint64_t index, uint64_t count);
/* True when the leaf hash stands at index of the tree of count leaves with this root. */
bool dc_merkle_verify(const struct dc_merkle *m, const struct dc_hash *leaf, uint64_t index,
                      uint64_t count, const struct dc_hash *path, uint32_t path_count,
                      const struct dc_hash *root);

/* Proof that the tree of the first old_count leaves (1..count) is a prefix of the tree of count:
 * returns its length, at most DC_MERKLE_PATH_MAX + 1. */
uint32_t dc_merkle_prove_consistency(const struct dc_merkle *m, const struct dc_hash *leaves,
                                     uint64_t old_count, uint64_t count, struct dc_hash *proof);
/* Always false for old_count == 0: an empty tree says nothing about a larger one. */
bool dc_merkle_verify_consistency(const struct dc_merkle *m, uint64_t old_count, uint64_t count,
                                  const struct dc_hash *old_root, const struct dc_hash *root,
                                  const struct dc_hash *proof, uint32_t proof_count);

#endif
