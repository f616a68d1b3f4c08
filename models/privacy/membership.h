/* Members without names: a tree of leaves, one for each member's secret; who knows the secret of
 * some leaf shows a mark that is the same each time in one context and tells nothing else.
 *
 *     leaf = H(LEAF, secret, 0)      root over all leaves, public
 *     mark = H(MARK, secret, context)
 *     proof: "I know a secret, a place and a path such that the leaf stands under the root, and
 *     this is the mark of that secret in this context"
 *
 * Escrow and rating build on it; the context is the contract, so that marks of two contracts have
 * nothing to do with each other.  Secrets come from a node's key and the contract's tag, because a
 * leaf that was used twice would tell that it was the same node. */
#ifndef MODELS_PRIVACY_MEMBERSHIP_H
#define MODELS_PRIVACY_MEMBERSHIP_H

#include "models/crypto/gadgets.h"

/* What a contract's proofs are bound to: H(CONTRACT, chain, id, digest). */
struct dc_hash dc_privacy_context(uint64_t chain, uint32_t id, const uint8_t digest[32]);
/* A contract's digest: its tag, 8 bytes little-endian, and 24 of the hash of what made it. */
void dc_privacy_digest(enum dc_domain domain, uint64_t tag, const uint8_t *body, size_t size,
                       uint8_t digest[32]);

/* All 32 bytes are canonical scalars. */
void dc_member_secret(const uint8_t seed[32], uint64_t tag, uint8_t secret[32]);
void dc_member_leaf(const uint8_t secret[32], uint8_t leaf[32]);
void dc_member_mark(const uint8_t secret[32], const struct dc_hash *context, uint8_t mark[32]);
/* False: no members or more than DC_PERMUTATION_LEAVES_MAX, a leaf that is no scalar or zero, or
 * one twice. */
bool dc_member_root(const uint8_t (*leaf)[32], uint32_t count, uint8_t root[32]) DC_MUST_USE;

/* What everybody sees, and what the member knows beside it. */
struct dc_member_statement {
    uint8_t root[32], mark[32];
    uint32_t depth;
    struct dc_hash context;
};
struct dc_member_witness {
    struct dc_scalar secret, path[DC_PERMUTATION_DEPTH_MAX];
    uint32_t index;
};
/* False: the secret's leaf is not among them. */
bool dc_member_find(const uint8_t (*leaf)[32], uint32_t count, const uint8_t secret[32],
                    struct dc_member_witness *out) DC_MUST_USE;
/* Says the statement to the transcript, and builds the circuit: witness for who proves, else NULL.
 * False: root or mark are no scalars, or the depth is none. */
bool dc_member_circuit(struct dc_circuit *c, const struct dc_permutation *p,
                       const struct dc_member_statement *s, const struct dc_member_witness *w);

/* Gates that it takes. */
uint32_t dc_member_gates(uint32_t depth);

#endif
