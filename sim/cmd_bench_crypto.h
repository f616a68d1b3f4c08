/* Inside `bench crypto`: a table of operations for each family. */
#ifndef SIM_CMD_BENCH_CRYPTO_H
#define SIM_CMD_BENCH_CRYPTO_H

#include "models/base/mem.h"
#include "models/base/step.h"

#define DS_BENCH_OUT ((size_t)96)

struct ds_bench_op {
    const char *name;
    /* The i-th call; bytes of out that it sets, from the front, are part of the checksum. */
    void (*run)(void *state, uint64_t i, uint8_t *out);
    uint32_t sums; /* calls that the checksum is over; 0: 64 */
    enum dc_cost
        cost;       /* what the virtual machine is charged; 0 (DC_COST_SIGN) with units 0: none */
    uint32_t units; /* of it that one call is */
};

struct ds_bench_family {
    size_t bytes; /* of the state: zeroed, 64-byte aligned */
    enum dc_status (*open)(void *state, struct dc_error *error); /* after dc_crypto_init */
    void (*close)(void *state); /* or NULL; also after a failed open */
    const struct ds_bench_op *op;
    size_t count;
};

extern const struct ds_bench_family ds_bench_signatures, ds_bench_group, ds_bench_proofs,
    ds_bench_threshold, ds_bench_lattice, ds_bench_channel, ds_bench_sets;

#endif
