/* Multilevel splitting on gambler's ruin, whose answers are known: the mean is right, and the interval
 * covers it as often as it says. */
#include "analysis/split.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From 1, up with probability p, down otherwise, to `top` or to 0. */
struct ruin {
    double p;
    const int *level;
};
struct gambler {
    int x;
    struct dc_stream luck;
};

static void ruin_turn(void *ctx, void *state, uint64_t key)
{
    struct gambler *g = state;
    g->luck = dc_stream(key, dc_name("gambler"), dc_name("toss"));
}

static void ruin_begin(void *ctx, void *state, uint64_t key)
{
    struct gambler *g = state;
    g->x = 1;
    ruin_turn(ctx, state, key);
}

static bool ruin_reach(void *ctx, void *state, size_t level)
{
    const struct ruin *r = ctx;
    struct gambler *g = state;
    while (g->x > 0 && g->x < r->level[level])
        g->x += (double)(dc_next64(&g->luck) >> 11) * 0x1p-53 < r->p ? 1 : -1;
    return g->x > 0;
}

static double ruin_p(double p, int top)
{
    double odds = (1 - p) / p;
    return (odds - 1) / (pow(odds, top) - 1);
}

static struct da_split_result ruin(double p, const int *level, size_t levels, uint32_t split,
                                   size_t roots, uint64_t seed)
{
    struct ruin ctx = {p, level};
    struct da_split_process process = {sizeof(struct gambler), ruin_begin, ruin_turn, ruin_reach,
                                       &ctx};
    struct da_split s;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(da_split_run(&process, levels, split, roots, seed, &s, &error), DC_OK);
    struct da_split_result r = da_split_estimate(&s, 0.95);
    for (size_t i = 1; i < levels; i++)
        CU_ASSERT(s.reached[i] <= s.reached[i - 1] * split);
    CU_ASSERT_EQUAL(r.hits, s.reached[levels - 1]);
    da_split_free(&s);
    return r;
}

static const int far[] = {4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 34, 37, 40};
#define FAR (sizeof far / sizeof far[0])

/* p = .4, 40 before 0 from 1: 4.5219e-8, by 4,000 roots; plain Monte Carlo would see one hit in 22
 * million runs. */
static void test_known(void)
{
    double p = ruin_p(0.4, 40);
    CU_ASSERT_DOUBLE_EQUAL(p, 4.5219e-8, 5e-13);
    struct da_split_result r = ruin(0.4, far, FAR, 3, 4000, 1);
    fprintf(stderr, "%.4g [%.4g, %.4g], worth %.3g plain runs\n", r.p.value, r.p.lo, r.p.hi,
            r.plain_runs);
    CU_ASSERT(r.p.lo < p && p < r.p.hi);
    CU_ASSERT(r.p.value > p / 2 && r.p.value < 2 * p);
    CU_ASSERT(r.plain_runs > 1e8);
}

/* 400 estimates from consecutive seeds: their mean is the probability (a wrong one is found, a right
 * one fails with probability 1e-3 over seeds), and the 95 % intervals cover it at least 95 % of the
 * times less what chance takes at level 1e-3 (0.914). */
static void many(double p, const int *level, size_t levels, uint32_t split, size_t roots,
                 double least)
{
    enum { SEEDS = 400 };
    double truth = ruin_p(p, level[levels - 1]), sum = 0, square = 0;
    uint64_t covered = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct da_split_result r = ruin(p, level, levels, split, roots, seed);
        sum += r.p.value;
        square += r.p.value * r.p.value;
        covered += r.p.lo <= truth && truth <= r.p.hi;
        CU_ASSERT(r.p.lo <= r.p.value && r.p.value <= r.p.hi);
    }
    double mean = sum / SEEDS, error = sqrt((square / SEEDS - mean * mean) / (SEEDS - 1));
    fprintf(stderr, "p %.4g, mean %.4g (z %.2f), covered %llu of %d\n", truth, mean,
            (mean - truth) / error, (unsigned long long)covered, SEEDS);
    CU_ASSERT(fabs(mean - truth) < 3.29 * error);
    CU_ASSERT(error < truth / 5);
    CU_ASSERT((double)covered >= least * SEEDS);
}

static void test_coverage(void)
{
    static const int near[] = {3, 5, 7, 9}, middle[] = {3, 5, 7, 9, 11, 13, 15}, one[] = {6};
    many(0.4, near, 4, 2, 200, 0.914);   /* many hits */
    many(0.4, middle, 7, 3, 100, 0.914); /* more copies than there should be: they depend */
    many(0.4, far, FAR, 3, 300, 0.914);  /* a handful of roots with hits */
    many(0.4, far, FAR, 4, 100, 0.914);  /* likewise, with a great many hits each */
    many(0.4, one, 1, 1, 100, 0.914);    /* plain Monte Carlo */
    many(0.7, one, 1, 1, 100, 0.914);    /* and nothing rare at all */
}

static void test_ends(void)
{
    uint64_t none[100] = {0}, all[4] = {9, 9, 9, 9}, reached[3] = {0};
    struct da_split s = {.levels = 3, .split = 3, .roots = 100, .hits = none, .reached = reached};
    struct da_split_result r = da_split_estimate(&s, 0.95);
    CU_ASSERT_EQUAL(r.p.value, 0);
    CU_ASSERT_EQUAL(r.p.lo, 0);
    CU_ASSERT_DOUBLE_EQUAL(r.p.hi, da_binomial_interval(0, 100, 0.95).hi, 1e-12);
    CU_ASSERT(isnan(r.plain_runs));
    s = (struct da_split){.levels = 3, .split = 3, .roots = 4, .hits = all, .reached = reached};
    r = da_split_estimate(&s, 0.95);
    CU_ASSERT_EQUAL(r.p.value, 1);
    CU_ASSERT_EQUAL(r.p.hi, 1);
    CU_ASSERT_DOUBLE_EQUAL(r.p.lo, da_binomial_interval(4, 4, 0.95).lo, 1e-12);
    /* a count: Garwood's interval, 10 of very many */
    uint64_t *few = calloc(1000000, sizeof *few);
    for (size_t i = 0; i < 10; i++)
        few[i * 1000] = 1;
    s = (struct da_split){
        .levels = 1, .split = 1, .roots = 1000000, .hits = few, .reached = reached};
    r = da_split_estimate(&s, 0.95);
    CU_ASSERT_DOUBLE_EQUAL(r.p.lo * 1e6, 4.795, 2e-3);
    CU_ASSERT_DOUBLE_EQUAL(r.p.hi * 1e6, 18.390, 2e-3);
    free(few);
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_split_open(0, 2, 3, &s, &error), DC_ERR_USAGE);
    CU_ASSERT_EQUAL(da_split_open(3, 2, 0, &s, &error), DC_ERR_USAGE);
    error = (struct dc_error){0};
    CU_ASSERT_EQUAL(da_split_open(64, 2, 10, &s, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "63"));
}

int main(void)
{
    static const struct test_case cases[] = {{"a known answer", test_known},
                                             {"mean and coverage", test_coverage},
                                             {"the ends", test_ends}};
    return TEST_MAIN("split", cases);
}
