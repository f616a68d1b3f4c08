/* The fault script as steps in time: order, ends, and faults that never end. */
#include "sim/fault/schedule.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

static struct ds_schedule schedule_of(struct ds_fault *faults, size_t count)
{
    struct ds_scenario scenario = {.faults = faults, .faults_count = count};
    struct ds_schedule s;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_schedule_create(&scenario, &s, &error), DC_OK);
    return s;
}

static void test_order(void)
{
    struct ds_fault f[] = {
        {.kind = DS_FAULT_PARTITION, .at_ns = 50, .for_ns = 50},              /* ends at 100 */
        {.kind = DS_FAULT_CRASH, .at_ns = 10, .restart_ns = 40, .for_ns = 7}, /* back at 50 */
        {.kind = DS_FAULT_SLOW_CPU, .at_ns = 100, .for_ns = 0},               /* for good */
        {.kind = DS_FAULT_LINK, .at_ns = 50, .for_ns = 1},
        {.kind = DS_FAULT_CRASH, .at_ns = 0, .restart_ns = 0}, /* never back */
    };
    static const struct ds_fault_step expected[] = {{0, 4, true},    {10, 1, true}, {50, 1, false},
                                                    {50, 0, true},   {50, 3, true}, {51, 3, false},
                                                    {100, 0, false}, {100, 2, true}};
    struct ds_schedule s = schedule_of(f, 5);
    CU_ASSERT_EQUAL_FATAL(s.count, 8);
    CU_ASSERT_EQUAL(s.next, 0);
    for (uint32_t i = 0; i < 8; i++) {
        CU_ASSERT_EQUAL(s.step[i].at_ns, expected[i].at_ns);
        CU_ASSERT_EQUAL(s.step[i].fault, expected[i].fault);
        CU_ASSERT_EQUAL(s.step[i].begin, expected[i].begin);
    }
    ds_schedule_free(&s);
    CU_ASSERT_PTR_NULL(s.step);
}

/* Whatever the order in the script: sorted by (time, end before begin, place), each fault once
 * begun and at most once ended, later. */
static void test_random(void)
{
    srand(1);
    for (int round = 0; round < 200; round++) {
        struct ds_fault f[20];
        memset(f, 0, sizeof f);
        uint32_t ends = 0;
        for (uint32_t i = 0; i < 20; i++) {
            f[i].kind = (uint32_t)rand() % 4;
            f[i].at_ns = rand() % 8;
            f[i].for_ns = f[i].restart_ns = rand() % 4;
            ends += f[i].for_ns > 0;
        }
        struct ds_schedule s = schedule_of(f, 20);
        CU_ASSERT_EQUAL(s.count, 20 + ends);
        uint32_t begun[20] = {0}, ended[20] = {0};
        for (uint32_t i = 0; i < s.count; i++) {
            const struct ds_fault_step *b = &s.step[i];
            if (i > 0) {
                const struct ds_fault_step *a = b - 1;
                CU_ASSERT_TRUE(
                    a->at_ns < b->at_ns ||
                    (a->at_ns == b->at_ns &&
                     (a->begin < b->begin || (a->begin == b->begin && a->fault < b->fault))));
            }
            int64_t at = b->begin ? f[b->fault].at_ns : f[b->fault].at_ns + f[b->fault].for_ns;
            CU_ASSERT_EQUAL(b->at_ns, at);
            (b->begin ? begun : ended)[b->fault]++;
            CU_ASSERT_TRUE(ended[b->fault] <= begun[b->fault]);
        }
        for (uint32_t i = 0; i < 20; i++) {
            CU_ASSERT_EQUAL(begun[i], 1);
            CU_ASSERT_EQUAL(ended[i], f[i].for_ns > 0);
        }
        ds_schedule_free(&s);
    }
}

static void test_none(void)
{
    struct ds_schedule s = schedule_of(NULL, 0);
    CU_ASSERT_EQUAL(s.count, 0);
    ds_schedule_free(&s);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"order", test_order}, {"random scripts", test_random}, {"no fault", test_none}};
    return TEST_MAIN("fault schedule", cases);
}
