/* `destrasim bench crypto`: what one call of each operation costs, one thread, nothing remembered
 * unless it says so.  Operations stand in tables, one file for each family; each runs for a while
 * over different inputs, and its outputs are hashed into the checksum, so that nothing can be left
 * out.
 *
 * Machines differ and are shared: beside its time each line has `ratio`, the processor time of one
 * call in Ed25519 verifications of the same run, and where the virtual machine is charged for it
 * `table_ratio`, what the table of costs has in their place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/crypto/crypto.h"
#include "models/crypto/hash.h"
#include "sim/cmd_bench.h"
#include "sim/cmd_bench_crypto.h"
#include "sim/world/world.h"

#define SUMS 64

static const struct ds_bench_family *const families[] = {
    &ds_bench_signatures, &ds_bench_group,   &ds_bench_proofs, &ds_bench_threshold,
    &ds_bench_lattice,    &ds_bench_channel, &ds_bench_sets};
#define FAMILIES (sizeof families / sizeof families[0])

struct bench {
    double budget_s, verify_ns; /* of processor time; 0: not measured yet */
    const char *only;           /* what names begin with; NULL: all */
};

/* Calls for about the budget. */
static uint64_t repeat(const struct ds_bench_op *op, void *state, double budget_s,
                       struct ds_stopwatch *took)
{
    uint8_t out[DS_BENCH_OUT];
    uint64_t count = 0, batch = 1;
    struct ds_stopwatch start = ds_stopwatch_start();
    do {
        for (uint64_t i = 0; i < batch; i++)
            op->run(state, count + i, out);
        count += batch;
        *took = ds_stopwatch_read(&start);
        batch = took->wall_s < budget_s / 16 ? batch * 2 : batch;
    } while (took->wall_s < budget_s);
    return count;
}

/* The checksum is of the first outputs, which every machine computes. */
static void measure(const struct bench *b, const struct ds_bench_op *op, void *state)
{
    struct dc_hasher hasher;
    struct ds_stopwatch took;
    uint8_t out[DS_BENCH_OUT] = {0};
    dc_hasher_init(&hasher, DC_DOMAIN_TEST);
    for (uint64_t i = 0; i < (op->sums != 0 ? op->sums : SUMS); i++) {
        op->run(state, i, out);
        dc_hasher_update(&hasher, out, sizeof out);
    }
    struct dc_hash hash = dc_hasher_final(&hasher);
    uint64_t count = repeat(op, state, b->budget_s, &took);
    char checksum[24], more[96];
    snprintf(checksum, sizeof checksum, "%016llx", (unsigned long long)dc_hash_u64(&hash));
    int used =
        snprintf(more, sizeof more, " ratio=%.3f", took.cpu_s * 1e9 / (double)count / b->verify_ns);
    if (op->units != 0)
        snprintf(more + used, sizeof more - (size_t)used, " table_ratio=%.3f table=%d",
                 (double)ds_costs[op->cost].ns * op->units / ds_costs[DC_COST_VERIFY].ns,
                 DS_COST_VERSION);
    ds_bench_print(op->name, count, &took, checksum, more);
}

static bool is_wanted(const struct bench *b, const char *name)
{
    return b->only == NULL || strncmp(name, b->only, strlen(b->only)) == 0;
}

/* What all others are divided by. */
static void measure_verify(struct bench *b, const struct ds_bench_family *f, void *state)
{
    struct ds_stopwatch took;
    for (size_t i = 0; i < f->count; i++)
        if (strcmp(f->op[i].name, "crypto.verify") == 0)
            b->verify_ns = 1e9 / (double)repeat(&f->op[i], state, b->budget_s, &took) * took.cpu_s;
}

static enum dc_status run_family(struct bench *b, const struct ds_bench_family *f,
                                 struct dc_error *error)
{
    bool wanted = f == families[0];
    for (size_t i = 0; i < f->count; i++)
        wanted = wanted || is_wanted(b, f->op[i].name);
    if (!wanted)
        return DC_OK;
    void *state = dc_mem_pages(f->bytes);
    if (state == NULL)
        return dc_error_set(error, DC_ERR_IO, "bench crypto: out of memory");
    memset(state, 0, f->bytes);
    enum dc_status status = f->open(state, error);
    if (status == DC_OK && f == families[0])
        measure_verify(b, f, state);
    for (size_t i = 0; status == DC_OK && i < f->count; i++)
        if (is_wanted(b, f->op[i].name))
            measure(b, &f->op[i], state);
    if (f->close != NULL)
        f->close(state);
    dc_mem_free(state);
    return status;
}

static bool seconds(const struct ds_args *args, double *out)
{
    const char *text = ds_args_value(args, "--seconds");
    if (text == NULL)
        return true;
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0) || value > 3600) {
        ds_cmd_usage("%s: --seconds wants a number above 0 and at most 3600, not `%s`",
                     args->command->name, text);
        return false;
    }
    *out = value;
    return true;
}

/* An operation whose name begins so must be there. */
static bool is_there(const struct bench *b)
{
    for (size_t f = 0; f < FAMILIES; f++)
        for (size_t i = 0; i < families[f]->count; i++)
            if (is_wanted(b, families[f]->op[i].name))
                return true;
    return false;
}

static int run(const struct ds_args *args)
{
    struct bench b = {.budget_s = 0.5, .only = ds_args_value(args, "--only")};
    struct dc_error error = {0};
    if (!seconds(args, &b.budget_s))
        return DS_EXIT_USAGE;
    if (!is_there(&b))
        return ds_cmd_usage("%s: --only: no operation's name begins with `%s`", args->command->name,
                            b.only);
    enum dc_status status = DC_OK;
    dc_crypto_init();
    for (size_t f = 0; status == DC_OK && f < FAMILIES; f++)
        status = run_family(&b, families[f], &error);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

static const struct ds_option options[] = {
    {"--seconds", "S", "how long each operation runs; default 0.5"},
    {"--only", "NAME", "operations whose name begins so, as `crypto.range`; default all"},
    {0},
};

const struct ds_command ds_bench_crypto = {
    .name = "bench crypto",
    .operands = "",
    .line = "every cryptographic operation, half a second each",
    .details = "ns_per_event is the cost of one call, ratio its processor time in Ed25519 "
               "verifications of\n"
               "the same run, table_ratio what the virtual machine is charged (`destrasim list "
               "costs`). The\n"
               "checksum is of the operation's outputs and is the same on every machine.",
    .options = options,
    .run = run,
};
