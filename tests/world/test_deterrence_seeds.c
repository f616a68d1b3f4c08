/* Where the share of rational cheats flips, over many seeds.  Slow.  models/README.md 15. */
#include "tests/world/deterrence.h"

#define SEEDS 16
#define PAID_SEEDS 8

/* The closed form of payoffs, over seeds: the sum of independent z is normal of variance
 * PAID_SEEDS.  Two-sided, level 0.01. */
static void test_payoffs(void)
{
    double sum = 0, off = 0;
    for (unsigned seed = 1; seed <= PAID_SEEDS; seed++) {
        struct town_payoffs p = town_payoffs(seed);
        sum += (p.measured - p.closed) / p.error;
        off += (p.measured - p.closed) / PAID_SEEDS;
    }
    double z = sum / sqrt(PAID_SEEDS);
    printf("payoffs: off by %+.5f DSYNC per epoch, z %+.2f\n", off, z);
    CU_ASSERT_TRUE(fabs(z) < 2.576);
}

/* A fifth of the nodes revise per epoch, weakly (an epoch's slash is about one mean reward), so
 * that means decide.  At half the bound the share must grow and at one and a half it must fall:
 * t-tests over seeds, one-sided, level 0.01 each.  As growth is close to a straight line between
 * the two, it is 0 at the bound exactly when they cancel: t-test, two-sided, level 0.05. */
static void test_flip(void)
{
    const char *const more[] = {"nodes.sto.rational.revise=0.2", "nodes.sto.rational.selection=1",
                                "duration=64 epochs", NULL};
    double bound = town_bound(0.2 / 4), sum[3] = {0}, square[3] = {0}, t[3];
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        double g[3] = {town_growth(0.5 * bound, seed, more), town_growth(1.5 * bound, seed, more),
                       0};
        g[2] = (g[0] + g[1]) / 2;
        for (int i = 0; i < 3; i++) {
            sum[i] += g[i];
            square[i] += g[i] * g[i];
        }
    }
    for (int i = 0; i < 3; i++) {
        double mean = sum[i] / SEEDS;
        double error = sqrt((square[i] - SEEDS * mean * mean) / (SEEDS - 1) / SEEDS);
        t[i] = mean / error;
        printf("growth %+.4f, t %+.2f\n", mean, t[i]);
    }
    double slope = (sum[1] - sum[0]) / SEEDS / bound;
    double flip = bound - sum[2] / SEEDS / slope;
    printf("the share flips at %.3f DSYNC, the bound is %.3f\n", flip, bound);
    CU_ASSERT_TRUE(t[0] > 2.602); /* Student, 15 degrees of freedom */
    CU_ASSERT_TRUE(t[1] < -2.602);
    CU_ASSERT_TRUE(fabs(t[2]) < 2.131);
}

/* Ghosts are not slashed here, only ejected, and an honest node pays more for its disk than it is
 * paid for its work, deals apart.  Who is ejected loses its deals, which is worse; so when all
 * first ghosts are out, honest nodes stay honest.  Were ejected ones seen as earning nothing,
 * everybody would follow them. */
static void test_ejected(void)
{
    struct run r = town_run(
        0, 1,
        (const char *const[]){"nodes.sto.rational.revise=0.05", "nodes.sto.rational.selection=20",
                              "protocol.sprt_p0=0.03", "protocol.sprt_p1=0.5",
                              "protocol.sprt_alpha=0.0001", "duration=60 epochs", NULL},
        true);
    uint64_t n = r.scenario->nodes_count, epochs = ds_results_size(r.results, "epoch");
    uint64_t *strategy = run_column(&r, "/node_epoch/strategy", epochs, n, DS_U64);
    double *score = run_column(&r, "/node_epoch/score", epochs, n, DS_F64);
    uint64_t honest[2] = {0, 0}, cheats[2] = {0, 0}; /* still in: at the middle, at the end */
    for (uint64_t i = TOWN_VALIDATORS; i < TOWN_VALIDATORS + TOWN_SERVICES; i++)
        for (int k = 0; k < 2; k++) {
            uint64_t at = (k == 0 ? epochs / 2 : epochs - 1) * n + i;
            honest[k] += !isnan(score[at]) && strategy[at] == 0;
            cheats[k] += !isnan(score[at]) && strategy[at] != 0;
        }
    printf("in: %u honest, %u cheats, later %u, %u\n", (unsigned)honest[0], (unsigned)cheats[0],
           (unsigned)honest[1], (unsigned)cheats[1]);
    CU_ASSERT_TRUE(honest[0] > 60 && honest[1] * 10 > honest[0] * 9);
    CU_ASSERT_TRUE(cheats[1] * 20 < honest[1]);
    free(strategy);
    free(score);
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"payoffs", test_payoffs},
        {"flip", test_flip},
        {"ejected", test_ejected},
    };
    return TEST_MAIN("deterrence_seeds", cases);
}
