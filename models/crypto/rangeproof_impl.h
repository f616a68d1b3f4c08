/* What proving and verifying a range share: for rangeproof*.c alone. */
#ifndef MODELS_CRYPTO_RANGEPROOF_IMPL_H
#define MODELS_CRYPTO_RANGEPROOF_IMPL_H

#include "models/crypto/rangeproof.h"

#define DC_RANGE_HEAD_BYTES ((size_t)7 * 32) /* of a proof, before the inner product */

/* The statement. */
static inline void dc_range_begin(struct dc_transcript *t, uint32_t bits,
                                  const uint8_t commitment[][32], uint32_t m)
{
    dc_transcript_append(t, "dom-sep", "rangeproof v1", 13);
    dc_transcript_append_u64(t, "n", bits);
    dc_transcript_append_u64(t, "m", m);
    for (uint32_t j = 0; j < m; j++)
        dc_transcript_append_point(t, "V", commitment[j]);
}

#endif
