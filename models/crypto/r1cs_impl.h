/* What proving and verifying R1CS share: for r1cs*.c alone. */
#ifndef MODELS_CRYPTO_R1CS_IMPL_H
#define MODELS_CRYPTO_R1CS_IMPL_H

#include "models/crypto/generators.h"
#include "models/crypto/innerproduct.h"
#include "models/crypto/r1cs.h"

#define DC_R1CS_POINTS_PHASE 3
#define DC_R1CS_POINTS_SUMS 5

extern const char *const dc_r1cs_label_phase[2][DC_R1CS_POINTS_PHASE];
extern const char *const dc_r1cs_label_sums[DC_R1CS_POINTS_SUMS];

struct dc_r1cs_weights { /* of the flattened constraints */
    struct dc_scalar *left, *right, *out, *committed, constant;
};

uint32_t dc_r1cs_log2(uint32_t padded);
/* count zeros in the circuit's arena. */
struct dc_scalar *dc_r1cs_scalars(struct dc_circuit *c, uint32_t count);
/* *sum += a b */
void dc_r1cs_accumulate(struct dc_scalar *sum, const struct dc_scalar *a,
                        const struct dc_scalar *b);
void dc_r1cs_powers(const struct dc_scalar *x, struct dc_scalar *out, uint32_t count);
void dc_r1cs_flatten(struct dc_circuit *c, const struct dc_scalar *z, struct dc_r1cs_weights *w);
/* Says how many gates the first phase has; builds the second. */
void dc_r1cs_begin(struct dc_circuit *c);
void dc_r1cs_second_phase(struct dc_circuit *c);

#endif
