/* The deterrence bound: what a cheat earns is what the closed form says, and the share of rational
 * cheats grows below the bound and falls above it.  models/README.md 15. */
#include "tests/world/deterrence.h"

/* Two-sided z-test at level 0.001. */
static void test_payoffs(void)
{
    struct town_payoffs p = town_payoffs(3);
    double z = (p.measured - p.closed) / p.error;
    printf("payoffs: cheats %+.4f more than honest nodes, closed form %+.4f, z %+.2f\n", p.measured,
           p.closed, z);
    CU_ASSERT_TRUE(p.error < 0.01);
    CU_ASSERT_TRUE(fabs(z) < 3.29);
}

/* Were imitation blind to payoffs, the share would make a walk of variance revise / (4 N) per epoch
 * at most: one in two has the other strategy, and one in two of these turns.  Two one-sided tests
 * against that at level 0.01 each.  Above, selection is weaker:
 * large losses of few epochs count for less than their mean where it is strong. */
static void test_direction(void)
{
    const double revise = 0.3, epochs = 40;
    const char *const low[] = {"nodes.sto.rational.revise=0.3", "nodes.sto.rational.selection=2",
                               "duration=40 epochs", NULL};
    const char *const high[] = {"nodes.sto.rational.revise=0.3", "nodes.sto.rational.selection=1",
                                "duration=40 epochs", NULL};
    double walk = sqrt((epochs - 1 - TOWN_FIRST) * revise / (4 * TOWN_SERVICES));
    double bound = town_bound(revise / 4);
    double below = town_growth(0.3 * bound, 1, low), above = town_growth(4 * bound, 1, high);
    printf("share of cheats: %+.3f below, %+.3f above the bound of %.3f, blind walk %.3f\n", below,
           above, bound, walk);
    CU_ASSERT_TRUE(below > 2.326 * walk);
    CU_ASSERT_TRUE(above < -2.326 * walk);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"payoffs", test_payoffs},
        {"direction", test_direction},
    };
    return TEST_MAIN("deterrence", cases);
}
