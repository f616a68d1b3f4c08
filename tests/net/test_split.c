/* Partitions: every shape of split that a matrix of groups can say, alone and together. */
#include "tests/net/links.h"

#define NODES 12

static void split_expect(const uint8_t *group, uint32_t groups, const bool *reach)
{
    struct world w;
    struct dc_error error = {0};
    uint32_t handle;
    world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, NODES);
    CU_ASSERT_EQUAL(ds_net_partition_begin(w.net, group, groups, reach, &handle, &error), DC_OK);
    for (uint32_t i = 0; i < NODES; i++)
        for (uint32_t j = 0; j < NODES; j++) {
            bool passes = i == j || (reach == NULL ? group[i] == group[j]
                                                   : reach[group[i] * groups + group[j]]);
            CU_ASSERT_EQUAL(send(&w, i, j, 0, 1, 0) != -DS_NET_CUT, passes);
        }
    ds_net_partition_end(w.net, handle);
    for (uint32_t i = 0; i < NODES; i++)
        CU_ASSERT_TRUE(send(&w, i, 5, 0, 1, 0) > 0);
    world_close(&w);
}

static void test_shapes(void)
{
    static const uint8_t halves[NODES] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1};
    split_expect(halves, 2, NULL);
    static const bool one_way[4] = {true, true, false, true}; /* 0 is heard, and hears nothing */
    split_expect(halves, 2, one_way);
    static const bool alone[4] = {true, false, false, false}; /* those of 1 not even among them */
    split_expect(halves, 2, alone);
    static const uint8_t three[NODES] = {0, 0, 0, 0, 0, 1, 1, 2, 2, 2, 2, 2};
    static const bool bridge[9] = {true, true, false, true, true, true, false, true, true};
    split_expect(three, 3, bridge);
    /* An eclipse: 1 hears and reaches 2 alone, which everybody reaches. */
    static const bool eclipse[9] = {true, false, true, false, true, true, true, true, true};
    split_expect(three, 3, eclipse);
    /* Majorities in a ring: each of 12 groups reaches those at most three to either side. */
    uint8_t ring[NODES];
    bool near[NODES * NODES];
    for (uint32_t i = 0; i < NODES; i++) {
        ring[i] = (uint8_t)i;
        for (uint32_t j = 0; j < NODES; j++)
            near[i * NODES + j] = (i + NODES - j) % NODES <= 3 || (j + NODES - i) % NODES <= 3;
    }
    split_expect(ring, NODES, near);
    /* The most groups, and matrices without a pattern. */
    struct dc_stream s = dc_stream(1, 2, 3);
    for (int round = 0; round < 20; round++) {
        uint32_t groups = round == 0 ? DS_NET_GROUPS_MAX : 1 + (uint32_t)dc_next_below(&s, 256);
        static bool reach[DS_NET_GROUPS_MAX * DS_NET_GROUPS_MAX];
        uint8_t group[NODES];
        for (uint32_t i = 0; i < groups * groups; i++)
            reach[i] = dc_next_below(&s, 2) == 0;
        for (uint32_t i = 0; i < NODES; i++)
            group[i] = (uint8_t)dc_next_below(&s, groups);
        split_expect(group, groups, reach);
    }
}

/* Many at once, begun and ended in any order: a message must pass all of them. */
static void test_splits_together(void)
{
    struct world w;
    struct dc_error error = {0};
    struct dc_stream s = dc_stream(2, 2, 3);
    struct {
        bool on, reach[9];
        uint8_t group[NODES];
        uint32_t handle;
    } split[DS_NET_PARTITIONS_MAX] = {{.on = false}};
    world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, NODES);
    for (int step = 0; step < 400; step++) {
        uint32_t p = (uint32_t)dc_next_below(&s, step < 200 ? 4 : DS_NET_PARTITIONS_MAX);
        if (split[p].on) {
            ds_net_partition_end(w.net, split[p].handle);
        } else {
            for (int i = 0; i < 9; i++)
                split[p].reach[i] = dc_next_below(&s, 4) != 0;
            for (int i = 0; i < NODES; i++)
                split[p].group[i] = (uint8_t)dc_next_below(&s, 3);
            CU_ASSERT_EQUAL(ds_net_partition_begin(w.net, split[p].group, 3, split[p].reach,
                                                   &split[p].handle, &error),
                            DC_OK);
        }
        split[p].on = !split[p].on;
        for (uint32_t i = 0; i < NODES; i++)
            for (uint32_t j = 0; j < NODES; j++) {
                bool passes = true;
                for (int q = 0; q < DS_NET_PARTITIONS_MAX && i != j; q++)
                    passes &=
                        !split[q].on || split[q].reach[split[q].group[i] * 3 + split[q].group[j]];
                CU_ASSERT_EQUAL(send(&w, i, j, 0, 1, 0) != -DS_NET_CUT, passes);
            }
    }
    world_close(&w);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"splits of every shape", test_shapes},
        {"splits together", test_splits_together},
    };
    return TEST_MAIN("split", cases);
}
