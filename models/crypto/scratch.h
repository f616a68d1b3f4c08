/* Working memory for points: aligned as they want it, and there or the process ends, because proofs
 * are made and checked where virtual time already runs. */
#ifndef MODELS_CRYPTO_SCRATCH_H
#define MODELS_CRYPTO_SCRATCH_H

#include "models/base/mem.h"

struct dc_scratch {
    void *block;
    uint8_t *at;
};

static inline struct dc_scratch dc_scratch_take(size_t bytes)
{
    struct dc_scratch s = {.block = dc_mem_need(1, bytes + 64, "a sum over points")};
    s.at = (uint8_t *)(((uintptr_t)s.block + 63) & ~(uintptr_t)63);
    return s;
}
/* The next part, 64-byte aligned; the sum of parts, each rounded up to 64, must have been taken. */
static inline void *dc_scratch_part(struct dc_scratch *s, size_t bytes)
{
    void *part = s->at;
    s->at += (bytes + 63) & ~(size_t)63;
    return part;
}
static inline void dc_scratch_give(struct dc_scratch *s)
{
    dc_mem_free(s->block);
}

#endif
