/* Thieves in a simulated world: every validator refuses what they make, so that the pool is what was
 * shielded less the fees of honest payments, whatever they try; and one result for any number of
 * threads and without the memory of proofs. */
#include "tests/world/run.h"

static const char town[] = "name: thieves\n"
                           "duration: 2 epochs\n"
                           "network: {latency: 10 ms, jitter: lognormal(0.05)}\n"
                           "protocol: {epoch_blocks: 12}\n"
                           "nodes:\n"
                           "  - {name: val, role: validator, count: 5}\n"
                           "  - name: good\n"
                           "    role: client\n"
                           "    count: 2\n"
                           "    payments: {arrivals: poisson(0.25 /s), amount: 3 DSYNC,\n"
                           "               shield: 60 DSYNC, notes: 3, from: 6 s}\n"
                           "  - name: bad\n"
                           "    role: client\n"
                           "    count: 2\n"
                           "    payments: {arrivals: poisson(0.25 /s), amount: 3 DSYNC,\n"
                           "               shield: 60 DSYNC, notes: 3, from: 6 s}\n"
                           "privacy: {ring: 4, decoys: 9, note_age: 1, fee: 0.25 DSYNC}\n";

/* What is final adds up. */
static void adds_up(const struct run *r, bool refused)
{
    run_invariants(r);
    double paid = run_value(r, "payments_private"), images = run_value(r, "key_images");
    CU_ASSERT(paid >= 5 && images >= paid && images <= 2 * paid);
    CU_ASSERT_DOUBLE_EQUAL(run_value(r, "shielded_pool"), 4 * 60 - 0.25 * paid, 1e-9);
    CU_ASSERT_EQUAL(run_value(r, "notes"), 9 + 4 * 3 + 2 * paid);
    CU_ASSERT_EQUAL(run_value(r, "invalid_messages") > 0, refused);
}

static double paid_with(const char *strategy, bool refused)
{
    char set[80];
    snprintf(set, sizeof set, "nodes.bad.payments.strategy=%s", strategy);
    struct run r = run_text(town, &(struct run_how){.set = {set}});
    adds_up(&r, refused);
    double paid = run_value(&r, "payments_private");
    run_end(&r);
    return paid;
}

static void test_each(void)
{
    struct run r = run_text(town, &(struct run_how){.set = {NULL}});
    run_invariants(&r);
    double honest = run_value(&r, "payments_private");
    run_end(&r);
    CU_ASSERT(paid_with("inflator", true) < honest); /* nothing of theirs is in a block */
    CU_ASSERT(paid_with("forger", true) < honest);
    /* Either of two payments is good until the other is in a block: none is refused before. */
    CU_ASSERT(paid_with("double_spender", false) <= honest);
    CU_ASSERT_EQUAL(paid_with("replayer", true), honest);
}

static void test_threads(void)
{
    static const char mix[] = "nodes.bad.payments.strategy="
                              "{inflator: 1, forger: 1, double_spender: 1, replayer: 1}";
    static const struct run_how how[] = {
        {.threads = 1, .set = {"nodes.bad.count=4", mix}},
        {.threads = 2, .parallel_events = 1, .set = {"nodes.bad.count=4", mix}},
        {.threads = 2, .set = {"nodes.bad.count=4", mix, "memo=off"}}};
    char digest[3][80];
    for (size_t i = 0; i < 3; i++) {
        struct run r = run_text(town, &how[i]);
        run_invariants(&r);
        snprintf(digest[i], sizeof digest[i], "%s", r.summary.trace_digest);
        run_end(&r);
    }
    CU_ASSERT_STRING_EQUAL(digest[0], digest[1]);
    CU_ASSERT_STRING_EQUAL(digest[0], digest[2]);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"each of them", test_each},
        {"threads and memory", test_threads},
    };
    return TEST_MAIN("thieves in a world", cases);
}
