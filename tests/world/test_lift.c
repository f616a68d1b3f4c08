/* theta_lift: two more worlds of the same population, and what they are compared by. */
#include "tests/world/run.h"

static const char *const world =
    "name: lifted\n"
    "duration: 10 epochs\n"
    "network: {latency: 20 ms, jitter: none, loss: 0, overlay: {kind: k_regular, degree: 4}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 7, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, service: storage, count: 60, bond: 1000 DSYNC,\n"
    "     utilisation: 0.5, strategy: {honest: 0.85, partial(0.7): 0.15}}\n"
    "  - {name: cli, role: client, count: 4, demand: {arrivals: none}}\n"
    "protocol: {epoch_blocks: 12, answer_heights: 24, audit: 0.01, theta: 0.3, detectors: none}\n";

/* Those who lack seven tenths sell 0.15 of their capacity, and they alone are below theta: it beats as many random audits, and the run itself is what it is
 * without the comparison. */
static void test_beats(void)
{
    struct run with =
        run_text(world, &(struct run_how){.set = {"record.lift=on"}, .results = true});
    struct run without = run_text(world, &(struct run_how){.set = {"record.lift=off"}});
    run_invariants(&with);
    CU_ASSERT_STRING_EQUAL(with.summary.trace_digest, without.summary.trace_digest);
    CU_ASSERT_EQUAL(run_value(&with, "loss"), run_value(&without, "loss"));
    CU_ASSERT_TRUE(isnan(ds_summary_value(&without.summary, "theta_lift")));
    double loss = run_value(&with, "loss"), none = run_value(&with, "lift_loss_none");
    double audits = run_value(&with, "lift_loss_audits"), lift = run_value(&with, "theta_lift");
    CU_ASSERT_TRUE(loss < none);
    CU_ASSERT_TRUE(isnan(lift) ? audits >= none : lift == (none - loss) / (none - audits));
    CU_ASSERT_TRUE(run_value(&with, "lift_detections") > 1);
    run_end(&without);
    run_end(&with);
}

/* The other worlds are those that one would write down by hand. */
static void test_by_hand(void)
{
    struct run main_run = run_text(
        world, &(struct run_how){.set = {"record.lift=on", "nodes.sto.strategy={honest: 0.9, "
                                                           "ghost: 0.1}"}});
    struct run none = run_text(
        world, &(struct run_how){.set = {"protocol.theta=0", "nodes.sto.strategy={honest: 0.9, "
                                                             "ghost: 0.1}"}});
    char budget[64];
    double each = run_value(&main_run, "challenges_total") / run_value(&main_run, "epochs");
    snprintf(budget, sizeof budget, "protocol.budget=%.0f", floor(each + 0.5));
    struct run audits =
        run_text(world, &(struct run_how){.set = {"protocol.theta=0", "protocol.audit=1", budget,
                                                  "nodes.sto.strategy={honest: 0.9, ghost: 0.1}"}});
    CU_ASSERT_EQUAL(run_value(&main_run, "lift_loss_none"), run_value(&none, "loss"));
    CU_ASSERT_EQUAL(run_value(&main_run, "lift_loss_audits"), run_value(&audits, "loss"));
    double spent = run_value(&audits, "challenges_total");
    CU_ASSERT_TRUE(fabs(spent - run_value(&main_run, "challenges_total")) <=
                   10); /* an epoch's rounding */
    run_end(&audits);
    run_end(&none);
    run_end(&main_run);
}

/* Washers buy in the other worlds what they buy in this one. */
static void test_washers(void)
{
    struct run r =
        run_text(world, &(struct run_how){.set = {"record.lift=on", "nodes.sto.strategy=washer",
                                                  "protocol.audit=0"}});
    run_invariants(&r);
    CU_ASSERT_TRUE(run_value(&r, "loss") > 0);
    CU_ASSERT_EQUAL(run_value(&r, "lift_loss_none"),
                    run_value(&r, "loss")); /* nobody is below theta */
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"beats audits", test_beats},
        {"by hand", test_by_hand},
        {"washers", test_washers},
    };
    return TEST_MAIN("lift", cases);
}
