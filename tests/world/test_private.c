/* Private payments in a small world: one result for any number of threads and without the memory of
 * proofs; what the numbers of the summary say of one another; and demand that is not moved. */
#include "tests/world/run.h"

static const char small[] = "name: small\n"
                            "duration: 2 epochs\n"
                            "network: {latency: 10 ms, jitter: lognormal(0.05)}\n"
                            "protocol: {epoch_blocks: 12}\n"
                            "nodes:\n"
                            "  - {name: val, role: validator, count: 5}\n"
                            "  - {name: sto, role: service, count: 3}\n"
                            "  - name: cli\n"
                            "    role: client\n"
                            "    count: 4\n"
                            "    payments: {arrivals: poisson(0.4 /s), amount: 3 DSYNC,\n"
                            "               shield: 60 DSYNC, notes: 3, from: 6 s}\n"
                            "  - {name: shy, role: client, count: 2, demand: {arrivals: none}}\n"
                            "privacy: {ring: 4, decoys: 9, note_age: 1, fee: 0.25 DSYNC}\n";

/* The numbers of two runs are the same, to the bit. */
static void same_numbers(const struct run *a, const struct run *b)
{
    CU_ASSERT_EQUAL_FATAL(a->summary.scalar_count, b->summary.scalar_count);
    for (size_t i = 0; i < a->summary.scalar_count; i++) {
        const struct ds_scalar *x = &a->summary.scalars[i], *y = &b->summary.scalars[i];
        bool same = strcmp(x->name, y->name) == 0 && x->type == y->type &&
                    memcmp(&x->value, &y->value, sizeof x->value) == 0;
        if (!same)
            fprintf(stderr, "%s differs\n", x->name);
        CU_ASSERT_TRUE(same);
    }
}

static void test_threads(void)
{
    static const struct run_how how[] = {{.threads = 1, .results = true},
                                         {.threads = 2, .parallel_events = 1, .results = true},
                                         {.threads = 3, .parallel_events = 1, .results = true},
                                         {.threads = 2, .set = {"memo=off"}, .results = true}};
    struct run first = run_text(small, &how[0]);
    run_invariants(&first);
    CU_ASSERT(run_value(&first, "payments_private") >= 10);
    for (size_t i = 1; i < sizeof how / sizeof how[0]; i++) {
        struct run r = run_text(small, &how[i]);
        CU_ASSERT_STRING_EQUAL(r.summary.trace_digest, first.summary.trace_digest);
        same_numbers(&r, &first);
        if (how[i].set[0] == NULL) /* else the scenario inside is another one */
            CU_ASSERT_STRING_EQUAL(r.summary.content_digest, first.summary.content_digest);
        run_end(&r);
    }
    run_end(&first);
}

/* What was shielded is in the pool, less the fees of what was paid; each payment spends one note or
 * two and makes two; rows add up. */
static void test_numbers(void)
{
    struct run r = run_text(small, &(struct run_how){.results = true});
    run_invariants(&r);
    double paid = run_value(&r, "payments_private"), images = run_value(&r, "key_images");
    CU_ASSERT(images >= paid && images <= 2 * paid);
    CU_ASSERT(run_value(&r, "payments_failed") <= run_value(&r, "payments_called"));
    CU_ASSERT(run_value(&r, "payment_latency.p50") > 0.5);
    double notes = run_value(&r, "notes"), pool = run_value(&r, "shielded_pool");
    CU_ASSERT_DOUBLE_EQUAL(pool, 4 * 60 - 0.25 * paid, 1e-9);
    CU_ASSERT_EQUAL(notes, 9 + 4 * 3 + 2 * paid);
    CU_ASSERT(run_value(&r, "proofs_checked") >= 5 * paid);
    uint64_t rows = ds_results_size(r.results, "epoch"), sum = 0;
    CU_ASSERT_EQUAL_FATAL(rows, 2);
    uint64_t *payments = run_counts(&r, "/private/payments", rows);
    uint64_t *spent = run_counts(&r, "/private/key_images", rows);
    uint64_t *pools = run_counts(&r, "/private/pool", rows);
    for (uint64_t i = 0; i < rows; i++)
        sum += payments[i];
    CU_ASSERT(sum > 0 && (double)sum <= paid && spent[0] <= spent[1] &&
              (double)spent[1] <= images && pools[1] > 200 * DC_DSYNC);
    free(payments);
    free(spent);
    free(pools);
    run_end(&r);
}

/* Where nobody pays, nothing of it is in the file; and users ask for the same as if they did. */
static void test_without(void)
{
    struct run with = run_text(small, &(struct run_how){.results = true});
    struct run off = run_text(
        small, &(struct run_how){.set = {"nodes.cli.payments=", "privacy="}, .results = true});
    for (size_t i = 0; i < off.summary.scalar_count; i++)
        CU_ASSERT(strncmp(off.summary.scalars[i].name, "payment", 7) != 0);
    struct dc_error error = {0};
    uint64_t value;
    CU_ASSERT_NOT_EQUAL(
        ds_results_read(off.results, "/private/payments", 0, 1, DS_U64, &value, &error), DC_OK);
    CU_ASSERT_EQUAL(run_value(&with, "requests_total"), run_value(&off, "requests_total"));
    CU_ASSERT(run_value(&off, "requests_total") > 3);
    run_end(&off);
    run_end(&with);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"threads and memory", test_threads},
        {"numbers", test_numbers},
        {"without", test_without},
    };
    return TEST_MAIN("world private", cases);
}
