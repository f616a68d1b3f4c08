/* The table of virtual costs: version 1's lines are as results of it were made, and no line is
 * empty or cut off by the width of what nodes are charged with. */
#include "sim/world/world.h"
#include "tests/support/harness.h"

#include <string.h>

static void test_version_1(void)
{
    static const struct {
        enum dc_cost cost;
        uint32_t ns;
    } old[] = {{DC_COST_SIGN, 13000},        {DC_COST_VERIFY, 38000}, {DC_COST_VRF_PROVE, 201000},
               {DC_COST_VRF_VERIFY, 315000}, {DC_COST_HASH, 250},     {DC_COST_LEAF, 5000},
               {DC_COST_TX, 1000},           {DC_COST_MESSAGE, 2000}, {DC_COST_KIB, 500},
               {DC_COST_CHUNK, 100000}};
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        CU_ASSERT_EQUAL(ds_costs[old[i].cost].ns, old[i].ns);
    CU_ASSERT_EQUAL(DS_COST_VERSION, 2);
}

static void test_every_line(void)
{
    for (int i = 0; i < DC_COST_COUNT; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(ds_costs[i].name);
        CU_ASSERT_TRUE(ds_costs[i].ns > 0);
        CU_ASSERT_TRUE(ds_costs[i].ns * 256.0 < 4e9); /* at one core of speed 1 */
        CU_ASSERT_PTR_NOT_NULL(ds_costs[i].meaning);
        for (int k = 0; k < i; k++)
            CU_ASSERT_NOT_EQUAL(strcmp(ds_costs[i].name, ds_costs[k].name), 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {{"version_1", test_version_1},
                                             {"every_line", test_every_line}};
    return TEST_MAIN("cost", cases);
}
