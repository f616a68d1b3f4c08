/* A clique in a whole world: with 40 % of the power, a bridge between two halves that hear each other
 * through nobody else, it makes two chains final, and what it signed convicts it, all of it and
 * nobody else; with 30 % it does not.  Without a cut it is found out and pays. */
#include "tests/world/run.h"

static const char *const base = "name: clique\n"
                                "duration: 2 min\n"
                                "crypto: modelled\n"
                                "network: {latency: 20 ms, jitter: none, loss: 0}\n"
                                "nodes:\n"
                                "  - {name: a, role: validator, count: 3, bond: 2000 DSYNC}\n"
                                "  - {name: b, role: validator, count: 3, bond: 2000 DSYNC}\n"
                                "  - {name: bad, role: validator, count: 4, bond: 2000 DSYNC}\n";

static char text[2048];

static struct run with(const char *behaviour, const char *victims, const char *cut,
                       const struct run_how *how)
{
    snprintf(text, sizeof text,
             "%sfaults:\n  - {id: clique, kind: byzantine, behaviour: %s, nodes: bad, victims: %s, "
             "at: 10 s, for: 60 s}\n%s",
             base, behaviour, victims, cut);
    return run_text(text, how);
}

static const char *const bridge =
    "  - {id: cut, kind: bridge, nodes: bad, groups: [a, b], at: 10 s, for: 60 s}\n";

static void test_fork(void)
{
    for (uint32_t threads = 1; threads <= 3; threads += 2) {
        struct run r = with("collude", "b", bridge, &(struct run_how){.threads = threads});
        CU_ASSERT_FALSE(r.summary.invariants_held);
        CU_ASSERT_EQUAL(run_value(&r, "safety"), 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(r.summary.violation);
        CU_ASSERT_PTR_NOT_NULL(strstr(r.summary.violation, "agreement"));
        CU_ASSERT_PTR_NOT_NULL(strstr(r.summary.violation, "convict 4 of 10 members"));
        run_end(&r);
    }
}

static void test_no_fork(void)
{
    struct run_how three = {.set = {"nodes.a.count=4", "nodes.bad.count=3"}};
    struct run r = with("collude", "b", bridge, &three);
    run_invariants(&r);
    CU_ASSERT_TRUE(run_value(&r, "rounds_timed_out") > 5);
    CU_ASSERT_TRUE(run_value(&r, "blocks_final") > 40); /* after the end, if not before */
    run_end(&r);
    r = with("twins", "b", bridge, &three);
    run_invariants(&r);
    run_end(&r);
}

static void test_pays(void)
{
    struct run r = with("collude", "b", "",
                        &(struct run_how){.set = {"nodes.a.count=6", "nodes.b.count=2",
                                                  "nodes.bad.count=2", "protocol.epoch_blocks=20"},
                                          .results = true});
    run_invariants(&r);
    uint64_t epochs = ds_results_size(r.results, "epoch");
    uint64_t *bond = run_column(&r, "/node_epoch/bond", epochs, 10, DS_U64);
    uint32_t bare = 0;
    for (uint32_t n = 0; n < 10; n++) {
        CU_ASSERT_TRUE(n >= 8 || bond[(epochs - 1) * 10 + n] > 0);
        bare += bond[(epochs - 1) * 10 + n] == 0;
    }
    CU_ASSERT_TRUE(bare > 0);
    free(bond);
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"40 % fork, and are convicted", test_fork},
        {"30 % do not", test_no_fork},
        {"and pay", test_pays},
    };
    return TEST_MAIN("clique", cases);
}
