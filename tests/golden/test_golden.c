/* What runs came to, written down: a change of any of it must be deliberate.
 *
 * Each <name>.txt holds the trace digest of one run and a dozen of its numbers, one `name value`
 * a line. After a deliberate change:
 *
 *     DESTRA_GOLDEN_UPDATE=1 BUILD/tests/test_golden_golden     and read the difference in git */
#include "tests/world/run.h"

static const char *const numbers[] = {"blocks_final",
                                      "epochs",
                                      "transactions_final",
                                      "rounds_timed_out",
                                      "virtual_time",
                                      "finality_latency.p50",
                                      "finality_latency.p99",
                                      "requests_total",
                                      "requests_failed",
                                      "challenges_total",
                                      "challenges_theta",
                                      "challenges_audit",
                                      "demands",
                                      "false_fail_rate",
                                      "loss",
                                      "messages",
                                      "bytes",
                                      "invalid_messages"};
#define NUMBERS (sizeof numbers / sizeof numbers[0])

static void describe(const struct run *r, char *out, size_t max)
{
    size_t n = (size_t)snprintf(out, max, "trace_digest %s\n", r->summary.trace_digest);
    for (size_t i = 0; i < NUMBERS; i++)
        n += (size_t)snprintf(out + n, max - n, "%s %.17g\n", numbers[i], run_value(r, numbers[i]));
    CU_ASSERT_TRUE_FATAL(n < max);
}

/* Lines that differ, side by side. */
static void show(const char *name, const char *was, const char *is)
{
    fprintf(stderr, "%s is not what tests/golden/%s.txt says:\n", name, name);
    while (*was != '\0' || *is != '\0') {
        size_t a = strcspn(was, "\n"), b = strcspn(is, "\n");
        if (a != b || memcmp(was, is, a) != 0)
            fprintf(stderr, "  was %-50.*s is %.*s\n", (int)a, was, (int)b, is);
        was += a + (was[a] == '\n');
        is += b + (is[b] == '\n');
    }
    fprintf(stderr, "If that was intended: DESTRA_GOLDEN_UPDATE=1 .../tests/test_golden_golden\n");
}

static void golden(const char *name, const char *scenario, const struct run_how *how)
{
    char is[4096], was[4096] = "", path[4096];
    struct run r = run_file(scenario, how);
    run_invariants(&r);
    describe(&r, is, sizeof is);
    run_end(&r);
    snprintf(path, sizeof path, "%s/tests/golden/%s.txt", DESTRA_SOURCE, name);
    if (getenv("DESTRA_GOLDEN_UPDATE") != NULL) {
        FILE *f = fopen(path, "w");
        CU_ASSERT_PTR_NOT_NULL_FATAL(f);
        CU_ASSERT_TRUE(fputs(is, f) >= 0);
        CU_ASSERT_EQUAL(fclose(f), 0);
        return;
    }
    FILE *f = fopen(path, "r");
    if (f != NULL) {
        was[fread(was, 1, sizeof was - 1, f)] = '\0';
        fclose(f);
    }
    CU_ASSERT_STRING_EQUAL(is, was);
    if (strcmp(is, was) != 0)
        show(name, was, is);
}

static void test_smoke(void)
{
    golden("smoke", "smoke.yaml", &(struct run_how){.threads = 2});
}

static void test_exact(void)
{
    golden("exact-10ms", "exact-10ms.yaml", &(struct run_how){.threads = 1});
}

/* partition.yaml in short: cut off from 20 s to 40 s. */
static void test_partition(void)
{
    golden("partition-short", "partition.yaml",
           &(struct run_how){.set = {"duration=80 s", "faults.cut.at=20 s", "faults.cut.for=20 s"},
                             .threads = 1});
}

/* private-payments.yaml in short: confidential transfers among 6 clients and 10 validators. */
static void test_private(void)
{
    golden("private-short", "private-payments.yaml",
           &(struct run_how){.set = {"nodes.val.count=10", "nodes.cli.count=6", "duration=1 epochs",
                                     "nodes.cli.payments.arrivals=poisson(1 /s)"},
                             .threads = 2});
}

int main(void)
{
    static const struct test_case cases[] = {{"smoke", test_smoke},
                                             {"exact-10ms", test_exact},
                                             {"partition, short", test_partition},
                                             {"private, short", test_private}};
    return TEST_MAIN("golden", cases);
}
