/* Gadgets: pieces of circuits (circuit.h).  Gates that each one takes are given in brackets.
 *
 * Widths are at most 64 bits: what is compared has to be in range already, by a commitment that was
 * checked before or by dc_gadget_range, or a negative number is as good as a huge one. */
#ifndef MODELS_CRYPTO_GADGETS_H
#define MODELS_CRYPTO_GADGETS_H

#include "models/crypto/circuit.h"
#include "models/crypto/permutation.h"

/* a is 0 or 1.  [1] */
void dc_gadget_boolean(struct dc_circuit *c, const struct dc_sum *a);
/* a variable that is 0 or 1; the prover's choice.  [1] */
struct dc_sum dc_gadget_bit(struct dc_circuit *c, bool value);
/* a is below 2^bits, bits 1 to 64.  bit[bits], least first, or NULL.  [bits] */
void dc_gadget_range(struct dc_circuit *c, const struct dc_sum *a, uint32_t bits,
                     struct dc_sum *bit);
/* a <= b, for a, b below 2^bits, bits at most 64.  [bits] */
void dc_gadget_at_most(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b,
                       uint32_t bits);
/* 1 when a <= b, else 0; likewise, bits at most 63.  [bits + 1] */
struct dc_sum dc_gadget_less_equal(struct dc_circuit *c, const struct dc_sum *a,
                                   const struct dc_sum *b, uint32_t bits);
/* bit ? yes : no, for a bit that is one already.  [1] */
struct dc_sum dc_gadget_select(struct dc_circuit *c, const struct dc_sum *bit,
                               const struct dc_sum *yes, const struct dc_sum *no);
/* a is not zero.  [1] */
void dc_gadget_nonzero(struct dc_circuit *c, const struct dc_sum *a);
/* 1 when a is zero, else 0.  [2] */
struct dc_sum dc_gadget_is_zero(struct dc_circuit *c, const struct dc_sum *a);
/* a is one of 0 .. most, most at least 1.  [most] */
void dc_gadget_up_to(struct dc_circuit *c, const struct dc_sum *a, uint32_t most);

/* dc_permutation_hash.  [237; 234 when one input is a constant] */
struct dc_sum dc_gadget_hash(struct dc_circuit *c, const struct dc_permutation *p,
                             enum dc_permutation_use use, const struct dc_sum *left,
                             const struct dc_sum *right);
/* The root of a tree of this depth in which leaf stands at `index` beside path[depth], which are
 * the prover's.  [239 depth] */
struct dc_sum dc_gadget_root(struct dc_circuit *c, const struct dc_permutation *p,
                             const struct dc_sum *leaf, uint32_t depth, uint32_t index,
                             const struct dc_scalar *path);

/* b[count] are the values of a[count] in some order (Neff 2001: both have the same roots at a
 * challenge).  Deferred: a and b are copied.  [2 (count - 1), in the second phase] */
void dc_gadget_shuffle(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b,
                       uint32_t count);

#endif
