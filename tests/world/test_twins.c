/* Systematic Twins: numbers against closed forms, slices without a fault, purity of a scenario. */
#include "sim/world/twins.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

static struct ds_twins *make(uint32_t validators, uint32_t rounds, uint32_t epoch_blocks)
{
    struct ds_twins_config config = {
        .validators = validators, .rounds = rounds, .epoch_blocks = epoch_blocks};
    struct ds_twins *t = NULL;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_twins_create(&config, &t, &error), DC_OK);
    return t;
}

static void test_counts(void)
{
    struct dc_error error = {0};
    for (uint32_t n = 4; n <= 7; n++) {
        uint64_t expected = 1, count;
        for (uint32_t r = 1; r <= 5; r++) {
            struct ds_twins_config c = {.validators = n, .rounds = r};
            expected *= (uint64_t)n << (n + (n - 1) / 3 - 1); /* n 2^(n + f - 1) */
            CU_ASSERT_EQUAL(ds_twins_count(&c, &count, &error), DC_OK);
            CU_ASSERT_EQUAL(count, expected);
        }
    }
    uint64_t count = 0;
    struct ds_twins_config four = {.validators = 4, .rounds = 3};
    CU_ASSERT_EQUAL(ds_twins_count(&four, &count, &error), DC_OK);
    CU_ASSERT_EQUAL(count, 262144);
    static const struct ds_twins_config bad[] = {
        {.validators = 3, .rounds = 3},  {.validators = 8, .rounds = 3},
        {.validators = 4, .rounds = 0},  {.validators = 7, .rounds = 6}, /* (7 x 256)^6 > 2^64 */
        {.validators = 4, .rounds = 11}, {.validators = 4, .rounds = 3, .epoch_blocks = 2}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CU_ASSERT_EQUAL(ds_twins_count(&bad[i], &count, &error), DC_ERR_USAGE);
}

static int order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Every choice of one round is there once: all texts differ, and each leader has 2^(n + f - 1). */
static void test_choices(void)
{
    struct ds_twins *t = make(4, 1, 0);
    struct dc_text text[64] = {{0}};
    char *line[64];
    uint32_t led[4] = {0}, whole = 0;
    for (uint64_t i = 0; i < 64; i++) {
        ds_twins_describe(t, i, &text[i]);
        line[i] = text[i].data;
        led[line[i][strlen("round 1: ")] - '0']++;
        whole += strchr(line[i], '|') == NULL;
    }
    qsort(line, 64, sizeof line[0], order);
    for (uint32_t i = 1; i < 64; i++)
        CU_ASSERT_NOT_EQUAL(strcmp(line[i - 1], line[i]), 0);
    for (uint32_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(led[i], 16);
    CU_ASSERT_EQUAL(whole, 4);
    for (uint32_t i = 0; i < 64; i++)
        dc_text_free(&text[i]);
    ds_twins_destroy(t);

    t = make(4, 3, 0); /* the first round's digit is the first */
    struct dc_text three = {0};
    ds_twins_describe(t, (uint64_t)(1 + 4 * 5) * 64 * 64 + 2, &three);
    CU_ASSERT_STRING_EQUAL(three.data, "round 1: 1 leads, 0 2 0' | 1 3\n"
                                       "round 2: 0 leads, 0 1 2 3 0'\n"
                                       "round 3: 2 leads, 0 1 2 3 0'\n");
    dc_text_free(&three);
    ds_twins_destroy(t);
}

/* Runs places of a sample; none fails, and the runs are worth something. */
static void slice(uint32_t validators, uint32_t rounds, uint32_t epoch_blocks, uint32_t runs)
{
    struct ds_twins_config config = {.validators = validators, .rounds = rounds};
    struct dc_error error = {0};
    uint64_t count = 0, evidence = 0, final_before = 0;
    CU_ASSERT_EQUAL_FATAL(ds_twins_count(&config, &count, &error), DC_OK);
    struct ds_twins *t = make(validators, rounds, epoch_blocks);
    for (uint32_t k = 0; k < runs; k++) {
        struct ds_twins_result r;
        uint64_t number = ds_twins_sample(7, count, k);
        CU_ASSERT_FATAL(number < count);
        ds_twins_run(t, number, &r, NULL);
        if (r.fault != DS_TWINS_GOOD) {
            struct dc_text text = {0};
            ds_twins_verdict(t, &r, &text);
            fprintf(stderr, "%u validators, %u rounds, scenario %llu: %s\n", validators, rounds,
                    (unsigned long long)number, text.data);
            dc_text_free(&text);
        }
        CU_ASSERT_EQUAL(r.fault, DS_TWINS_GOOD);
        evidence += r.evidence;
        final_before += r.final_before;
    }
    CU_ASSERT(evidence > runs / 2); /* twins do equivocate */
    CU_ASSERT(final_before > 0);    /* and the chain moves under the partitions too */
    ds_twins_destroy(t);
}

static void test_slices(void)
{
    slice(4, 3, 0, 600);
    slice(4, 6, 0, 150);
    slice(5, 4, 0, 100);
    slice(7, 3, 0, 60);
}

static void test_epochs(void)
{
    slice(4, 5, 3, 200);
}

/* What a scenario does is a function of its number: not of what ran before it, nor of the log. */
static void test_purity(void)
{
    struct ds_twins *a = make(4, 3, 0), *b = make(4, 3, 0);
    struct ds_twins_result x, y;
    struct dc_text first = {0}, second = {0};
    for (uint64_t k = 0; k < 70; k++) /* past a collection of the store */
        ds_twins_run(a, 1000 + 37 * k, &x, NULL);
    for (uint64_t i = 0; i < 5; i++) {
        uint64_t number = 226722 + 4099 * i;
        ds_twins_run(a, number, &x, &first);
        ds_twins_run(b, number, &y, NULL);
        CU_ASSERT_EQUAL(x.steps, y.steps);
        CU_ASSERT_EQUAL(x.end_ns, y.end_ns);
        CU_ASSERT_EQUAL(x.evidence, y.evidence);
        CU_ASSERT_EQUAL(x.final_before, y.final_before);
        ds_twins_run(b, number, &y, &second);
        CU_ASSERT_STRING_EQUAL(first.data, second.data);
    }
    CU_ASSERT(first.size > 1000);
    dc_text_free(&first);
    dc_text_free(&second);
    ds_twins_destroy(a);
    ds_twins_destroy(b);
}

int main(void)
{
    static const struct test_case cases[] = {{"counts are the closed forms", test_counts},
                                             {"every choice of a round, once", test_choices},
                                             {"slices without a fault", test_slices},
                                             {"slices over ends of epochs", test_epochs},
                                             {"a function of the number", test_purity}};
    return TEST_MAIN("world/twins", cases);
}
