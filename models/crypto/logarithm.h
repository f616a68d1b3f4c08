/* Discrete logarithms of small numbers: from v B to v, for v below 2^32 (baby step, giant step).
 *
 *     4P - 2^31 4B  =  (v - 2^31) 4B  =  +-i 4B  +  j (2m + 1) 4B        0 <= i <= m
 *
 *   table     y-coordinates of i 4B for i in 1..m: a point and its negative share y, so one entry
 *             serves two numbers; eight bytes each: 32 of y, and i; open addressing
 *   giants    (x, y, d x y) of j (2m + 1) 4B for j in 1..256: a block of steps to both sides of a
 *             centre; centres are walked from the middle outwards
 *
 * Times four because encodings of ristretto255 stand for four points of the curve; multiples by
 * four have one.  Everything is affine with the inversions of 256 additions done as one
 * (Montgomery): 0.1 us for the two candidates of a giant step, on an own field arithmetic
 * (field.h).
 *
 * Variable time: what is looked for becomes public.  The table is constant once made: threads share
 * it. */
#ifndef MODELS_CRYPTO_LOGARITHM_H
#define MODELS_CRYPTO_LOGARITHM_H

#include "models/base/status.h"

struct dc_logarithm;

/* What brings one logarithm to 0.5 ms at most; with 3 MiB it is 2 ms, with 80 KiB 100 ms. */
#define DC_LOGARITHM_BYTES ((size_t)25 << 20)

/* Makes a table of at most bytes_max (at least 128 KiB).  Errors: DC_ERR_LIMIT (bytes_max is too
 * small), DC_ERR_IO (out of memory).  0.2 us for each entry: 0.5 s for 25 MiB. */
enum dc_status dc_logarithm_create(size_t bytes_max, struct dc_logarithm **out,
                                   struct dc_error *error) DC_MUST_USE;
void dc_logarithm_destroy(struct dc_logarithm *table); /* NULL allowed */
size_t dc_logarithm_bytes(const struct dc_logarithm *table);
/* v with v B == point (an encoding), below 2^32.  False, *v 0: there is none, or no encoding. */
bool dc_logarithm_find(const struct dc_logarithm *table, const uint8_t point[32],
                       uint64_t *v) DC_MUST_USE;

#endif
