/* A hash that is cheap inside a circuit: a permutation of three scalars made of x^5 and a small
 * matrix, as in Poseidon (Grassi et al., USENIX Security 2021), in a sponge of capacity 1.
 *
 *     (domain, left, right) -> 4 full rounds -> 56 partial rounds -> 4 full rounds -> lane 1
 *     full round:    add constants, x^5 on every lane, multiply by the matrix
 *     partial round: add constants, x^5 on lane 0,     multiply by the matrix
 *
 * x^5 permutes the scalars because gcd(5, l - 1) = 1 (l - 1 = 4 * 3 * 11 * ...).  Rounds: what the
 * paper's script asks for at 128 bits, 252-bit field, width 3, exponent 5 (6 full, 52 partial),
 * with its margin of two full rounds and 7.5 % of the partial ones.  The matrix is MDS, and the
 * characteristic polynomials of its first twelve powers are irreducible, so that no subspace stays
 * invariant through partial rounds (Grassi, Rechberger, Schofnegger 2020).
 *
 * One hash is 237 multiplication gates in a circuit (3 for each x^5 of something that is not
 * constant) and about 50 us outside.  Whoever can use BLAKE2b should. */
#ifndef MODELS_CRYPTO_PERMUTATION_H
#define MODELS_CRYPTO_PERMUTATION_H

#include "models/crypto/group.h"

#define DC_PERMUTATION_WIDTH 3
#define DC_PERMUTATION_FULL 8
#define DC_PERMUTATION_PARTIAL 56
#define DC_PERMUTATION_ROUNDS (DC_PERMUTATION_FULL + DC_PERMUTATION_PARTIAL)

/* What is hashed: the first lane, so that a leaf is never an inner node. */
enum dc_permutation_use {
    DC_PERMUTATION_LEAF = 1, /* (secret, 0): a member's public leaf */
    DC_PERMUTATION_NODE,     /* (left, right) */
    DC_PERMUTATION_MARK      /* (secret, context): what a member shows once in a context */
};

/* The constants, and the matrix as scalars. */
struct dc_permutation {
    struct dc_scalar constant[DC_PERMUTATION_ROUNDS][DC_PERMUTATION_WIDTH];
    struct dc_scalar matrix[DC_PERMUTATION_WIDTH][DC_PERMUTATION_WIDTH];
};

/* The one permutation; its constants are dc_scalar_wide of two BLAKE2b-256 hashes over (round, lane,
 * half).  100 us at the first call; thread-safe. */
const struct dc_permutation *dc_permutation(void);
void dc_permutation_apply(const struct dc_permutation *p,
                          struct dc_scalar lane[DC_PERMUTATION_WIDTH]);
struct dc_scalar dc_permutation_hash(const struct dc_permutation *p, enum dc_permutation_use use,
                                     const struct dc_scalar *left, const struct dc_scalar *right);

/* --- trees --------------------------------------------------------------------------------- */

#define DC_PERMUTATION_DEPTH_MAX 6
#define DC_PERMUTATION_LEAVES_MAX (1u << DC_PERMUTATION_DEPTH_MAX)

/* The least depth of a tree with room for count leaves, at least 1. */
uint32_t dc_permutation_depth(uint32_t count);
/* Root over leaf[count], filled up with zeros to 2^depth.  2^depth - 1 hashes. */
struct dc_scalar dc_permutation_root(const struct dc_permutation *p, const struct dc_scalar *leaf,
                                     uint32_t count, uint32_t depth);
/* The siblings of leaf `index`, from the bottom up. */
void dc_permutation_path(const struct dc_permutation *p, const struct dc_scalar *leaf,
                         uint32_t count, uint32_t depth, uint32_t index,
                         struct dc_scalar path[DC_PERMUTATION_DEPTH_MAX]);

#endif
