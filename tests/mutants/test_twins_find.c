/* Bugs that are compiled in, found by systematic Twins: which, by what, and after how many
 * scenarios of one sample.  With none of them the same scenarios are good. */
#include "models/base/mutant.h"
#include "sim/world/twins.h"
#include "tests/support/harness.h"

#define SEED 1
#define ROUNDS 3

/* The first failing place in the sample, of at most `most`; most when there is none. */
static uint64_t search(uint32_t mutant, uint32_t most, struct ds_twins_result *r, uint64_t *number)
{
    struct ds_twins_config config = {.validators = 4, .rounds = ROUNDS, .mutant = mutant};
    struct ds_twins *t = NULL;
    struct dc_error error = {0};
    uint64_t count = 0, k = 0;
    CU_ASSERT_EQUAL_FATAL(ds_twins_count(&config, &count, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(ds_twins_create(&config, &t, &error), DC_OK);
    for (; k < most; k++) {
        *number = ds_twins_sample(SEED, count, k);
        ds_twins_run(t, *number, r, NULL);
        if (r->fault != DS_TWINS_GOOD)
            break;
    }
    ds_twins_destroy(t);
    return k;
}

static const struct {
    uint32_t mutant, most;
    enum ds_twins_fault fault;
} found[] = {
    {DC_MUTANT_QUORUM_SMALL, 100, DS_TWINS_AGREEMENT},
    {DC_MUTANT_NO_LOCK, 20, DS_TWINS_VOTE_RULE},
    {DC_MUTANT_TC_UNCHECKED, 20, DS_TWINS_VOTE_RULE},
    {DC_MUTANT_COMMIT_GAP, 20, DS_TWINS_VOTE_RULE},
    {DC_MUTANT_SEAT_TWICE, 20, DS_TWINS_REFUSED},
    {DC_MUTANT_TIMEOUT_VOTES, 200, DS_TWINS_LATE_VOTE},
    {DC_MUTANT_STALE_QC, 500, DS_TWINS_NOT_LIVE},
    {DC_MUTANT_NO_EVIDENCE, 20, DS_TWINS_NO_EVIDENCE},
};

static void test_found(void)
{
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        struct ds_twins_result r = {0};
        uint64_t number = 0, k = search(found[i].mutant, found[i].most, &r, &number);
        if (r.fault != found[i].fault)
            fprintf(stderr, "mutant %u: fault %u at place %llu\n", found[i].mutant, r.fault,
                    (unsigned long long)k);
        CU_ASSERT(k < found[i].most);
        CU_ASSERT_EQUAL(r.fault, found[i].fault);
    }
}

/* Also those that no scenario of Twins can reach: nobody restarts, forges or is paid here. */
static void test_good(void)
{
    static const uint32_t unreached[] = {DC_MUTANT_NONE, DC_MUTANT_FORGET_VOTE,
                                         DC_MUTANT_QC_SIGNATURES, DC_MUTANT_REWARD_TWICE};
    for (size_t i = 0; i < sizeof unreached / sizeof unreached[0]; i++) {
        struct ds_twins_result r;
        uint64_t number;
        CU_ASSERT_EQUAL(search(unreached[i], i == 0 ? 500 : 100, &r, &number), i == 0 ? 500 : 100);
    }
}

int main(void)
{
    static const struct test_case cases[] = {{"bugs found", test_found},
                                             {"none without a bug", test_good}};
    return TEST_MAIN("mutants/twins_find", cases);
}
