/* The fault script as steps in time: their order, when occurrences come, and the draws. */
#include "sim/fault/schedule.h"

#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

static struct ds_schedule schedule_of(struct ds_fault *faults, size_t count, int64_t heal_ns)
{
    struct ds_scenario scenario = {.faults = faults, .faults_count = count};
    scenario.heal.given = heal_ns != 0;
    scenario.heal.at_ns = heal_ns;
    struct ds_schedule s;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_schedule_create(&scenario, &s, &error), DC_OK);
    return s;
}

/* By time; at one time the heal, ends, single nodes, looks, begins; then by place, occurrence,
 * node. */
static bool schedule_follows(const struct ds_fault_step *a, const struct ds_fault_step *b)
{
    const int64_t x[] = {a->at_ns, a->kind, a->fault, (int64_t)a->occurrence, a->node};
    const int64_t y[] = {b->at_ns, b->kind, b->fault, (int64_t)b->occurrence, b->node};
    for (int i = 0; i < 5; i++)
        if (x[i] != y[i])
            return x[i] < y[i];
    return true;
}

static void test_first(void)
{
    struct ds_fault f[] = {{.kind = DS_FAULT_PARTITION, .at_ns = 50, .for_ns = 50},
                           {.kind = DS_FAULT_JOIN, .at_ns = 70},
                           {.kind = DS_FAULT_CRASH, .at_ns = 10, .restart_ns = 40}};
    static const struct ds_fault_step expected[] = {{0, DS_STEP_BEGIN, 1, 0, 0},
                                                    {10, DS_STEP_BEGIN, 2, 0, 0},
                                                    {50, DS_STEP_HEAL, 0, 0, 0},
                                                    {50, DS_STEP_BEGIN, 0, 0, 0}};
    struct ds_schedule s = schedule_of(f, 3, 50);
    struct ds_fault_step step;
    CU_ASSERT_EQUAL(ds_schedule_next(&s), 0);
    CU_ASSERT(!ds_schedule_take(&s, -1, &step));
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_FATAL(ds_schedule_take(&s, 60, &step));
        CU_ASSERT(step.at_ns == expected[i].at_ns && step.kind == expected[i].kind &&
                  step.fault == expected[i].fault);
    }
    CU_ASSERT(!ds_schedule_take(&s, INT64_MAX, &step));
    CU_ASSERT_EQUAL(ds_schedule_next(&s), INT64_MAX);
    ds_schedule_free(&s);
    CU_ASSERT_PTR_NULL(s.step);
}

/* Whatever is added in whatever order comes out sorted, each step once. */
static void test_random(void)
{
    struct dc_stream draw = dc_stream(1, 0, dc_name("steps"));
    for (int round = 0; round < 100; round++) {
        struct ds_schedule s = schedule_of(NULL, 0, 0);
        uint32_t added = 0, taken = 0;
        struct ds_fault_step last = {.at_ns = -1}, step;
        for (int64_t now = 0; now < 20; now++) {
            for (uint64_t i = dc_next_below(&draw, 20); i > 0; i--, added++)
                ds_schedule_add(
                    &s, &(struct ds_fault_step){now + (int64_t)dc_next_below(&draw, 6),
                                                (enum ds_fault_step_kind)dc_next_below(&draw, 6),
                                                (uint32_t)dc_next_below(&draw, 3),
                                                (uint32_t)dc_next_below(&draw, 3),
                                                dc_next_below(&draw, 3)});
            last.at_ns = last.at_ns < now ? -1 : last.at_ns;
            for (; ds_schedule_take(&s, now, &step); taken++) {
                CU_ASSERT(step.at_ns <= now && schedule_follows(&last, &step));
                last = step;
            }
            CU_ASSERT(ds_schedule_next(&s) > now);
        }
        while (ds_schedule_take(&s, INT64_MAX, &step))
            taken++;
        CU_ASSERT_EQUAL(taken, added);
        ds_schedule_add(&s, &step);
        ds_schedule_clear(&s);
        CU_ASSERT_EQUAL(ds_schedule_next(&s), INT64_MAX);
        ds_schedule_free(&s);
    }
}

static void test_ends(void)
{
    struct ds_fault f = {.kind = DS_FAULT_LINK, .at_ns = 5, .for_ns = 7, .restart_ns = 100};
    CU_ASSERT_EQUAL(ds_fault_end(&f, 20), 27);
    CU_ASSERT(!ds_fault_gives_way(&f));
    f.for_ns = 0;
    CU_ASSERT_EQUAL(ds_fault_end(&f, 20), INT64_MAX);
    CU_ASSERT(ds_fault_gives_way(&f));
    f.kind = DS_FAULT_CRASH;
    CU_ASSERT_EQUAL(ds_fault_end(&f, 20), 120);
    CU_ASSERT(!ds_fault_gives_way(&f));
    f.restart_ns = 0;
    CU_ASSERT_EQUAL(ds_fault_end(&f, 20), INT64_MAX);
    CU_ASSERT(!ds_fault_gives_way(&f)); /* who crashed for good stays down */
    f.kind = DS_FAULT_JOIN;
    CU_ASSERT_EQUAL(ds_fault_end(&f, 0), 5);
    f.kind = DS_FAULT_EXIT;
    CU_ASSERT_EQUAL(ds_fault_end(&f, 20), 21);
    f.notice_ns = 30;
    CU_ASSERT_EQUAL(ds_fault_end(&f, 20), 50);
}

static struct dc_dist table_of(int64_t from, int64_t to)
{
    struct dc_dist d = {.min = from, .max = to};
    for (int i = 0; i <= DC_DIST_CELLS; i++) {
        d.cell[i] = from + (to - from) * i / DC_DIST_CELLS;
        d.tail[i] = d.cell[DC_DIST_CELLS - 1];
    }
    return d;
}

/* Draws depend on the id, the seed, the node and the ordinal, and on nothing else. */
static void test_draws(void)
{
    struct ds_fault a = {.id = "a", .kind = DS_FAULT_CHURN}, b = {.id = "b", .kind = DS_FAULT_LINK};
    struct dc_dist d = table_of(1000, 2000000), none = {.min = 0};
    int64_t gap = ds_fault_gap(&a, &d, 1, 0);
    CU_ASSERT(gap >= 1000 && gap <= 2000000);
    CU_ASSERT_EQUAL(gap, ds_fault_gap(&a, &d, 1, 0));
    CU_ASSERT_NOT_EQUAL(gap, ds_fault_gap(&a, &d, 1, 1));
    CU_ASSERT_NOT_EQUAL(gap, ds_fault_gap(&a, &d, 2, 0));
    CU_ASSERT_NOT_EQUAL(gap, ds_fault_gap(&b, &d, 1, 0));
    CU_ASSERT_EQUAL(ds_fault_gap(&a, &none, 1, 0), 1); /* time goes on */
    int64_t up = ds_churn_time(&a, &d, 1, 7, 0, false);
    CU_ASSERT_EQUAL(up, ds_churn_time(&a, &d, 1, 7, 0, false));
    CU_ASSERT_NOT_EQUAL(up, ds_churn_time(&a, &d, 1, 7, 0, true));
    CU_ASSERT_NOT_EQUAL(up, ds_churn_time(&a, &d, 1, 8, 0, false));
    CU_ASSERT_NOT_EQUAL(up, ds_churn_time(&a, &d, 1, 7, 1, false));
    CU_ASSERT_EQUAL(ds_fault_identity(&a, 0, 0), dc_name("a"));
    CU_ASSERT_NOT_EQUAL(ds_fault_identity(&a, 1, 0), ds_fault_identity(&a, 0, 1));
    CU_ASSERT_NOT_EQUAL(ds_fault_identity(&a, 1, 0), ds_fault_identity(&b, 1, 0));
}

int main(void)
{
    static const struct test_case cases[] = {{"the first steps", test_first},
                                             {"random steps", test_random},
                                             {"ends", test_ends},
                                             {"draws", test_draws}};
    return TEST_MAIN("fault schedule", cases);
}
