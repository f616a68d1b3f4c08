/* KN: its probability of correct selection, its rules against a plain rewriting of them; and the
 * probability of being best against known ones. */
#include "analysis/select.h"

#include "analysis/stats.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <math.h>
#include <string.h>

enum { SYSTEMS_MAX = 12 };

/* Normal systems; observation r of system i: mean[i] + deviation[i] (share of a common part). */
struct systems {
    uint64_t seed;
    double mean[SYSTEMS_MAX], deviation[SYSTEMS_MAX];
    double common;                /* correlation between any two */
    size_t no_data, no_data_from; /* that system's observations from there on are NaN */
    size_t calls, fail_at;
    uint32_t seen[SYSTEMS_MAX][4096]; /* every observation is asked for once */
};

static double normal_at(uint64_t seed, uint64_t identity, uint64_t at)
{
    struct dc_stream s = dc_stream(seed, identity, dc_name("observation"));
    return da_normal_quantile(((double)(dc_stream_at(&s, at) >> 11) + 0.5) * 0x1p-53);
}
static double observation(const struct systems *y, size_t system, size_t r)
{
    if (system == y->no_data && r >= y->no_data_from)
        return NAN;
    double own = normal_at(y->seed, dc_name_indexed("system", system), r);
    double all = normal_at(y->seed, dc_name("all"), r);
    return y->mean[system] +
           y->deviation[system] * (sqrt(y->common) * all + sqrt(1 - y->common) * own);
}
static enum dc_status observe(void *ctx, const struct da_select_ask *ask, size_t count,
                              double *value, struct dc_error *error)
{
    struct systems *y = ctx;
    if (++y->calls == y->fail_at)
        return dc_error_set(error, DC_ERR_LIMIT, "the runs broke down");
    for (size_t i = count; i-- > 0;) { /* in any order */
        value[i] = observation(y, ask[i].system, ask[i].replication);
        CU_ASSERT_EQUAL(y->seen[ask[i].system][ask[i].replication]++, 0);
    }
    return DC_OK;
}

static void reset(struct systems *y, uint64_t seed, size_t k, double first, double deviation)
{
    memset(y, 0, sizeof *y);
    y->seed = seed;
    y->no_data = SIZE_MAX;
    for (size_t i = 0; i < k; i++)
        y->deviation[i] = deviation;
    y->mean[0] = first;
}

/* ---- correct selection ----------------------------------------------------------------------- */

enum spread { EQUAL, UNEQUAL, COMMON };
struct outcome {
    uint64_t right;
    double used;
};
/* The slippage configuration, the hardest: one system is better by just delta, all others equal. */
static struct outcome slippage(size_t k, enum spread spread, bool maximise, size_t seeds)
{
    struct outcome out = {0};
    static struct systems y;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        reset(&y, seed, k, maximise ? 0.5 : -0.5, 1);
        y.common = spread == COMMON ? 0.8 : 0;
        for (size_t i = 0; i < k && spread == UNEQUAL; i++)
            y.deviation[i] = 0.5 + 1.5 * (double)((i * 7) % k) / (double)k;
        struct da_select_options o = {
            .systems = k, .delta = 0.5, .alpha = 0.1, .first = 10, .maximise = maximise};
        struct da_select s;
        struct dc_error error = {0};
        CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_OK);
        CU_ASSERT(s.decided);
        out.right += s.winner == 0;
        out.used += (double)s.used / (double)seeds;
        da_select_free(&s);
    }
    return out;
}

static void test_correct_selection(void)
{
    enum { SEEDS = 400 };
    struct outcome equal = slippage(2, EQUAL, true, SEEDS);
    CU_ASSERT(test_binomial_at_most(equal.right, SEEDS, 0.9) > 1e-3);
    CU_ASSERT(equal.right < SEEDS); /* the hardest case is not trivial */
    equal = slippage(8, EQUAL, true, SEEDS);
    CU_ASSERT(test_binomial_at_most(equal.right, SEEDS, 0.9) > 1e-3);
    struct outcome unequal = slippage(8, UNEQUAL, false, SEEDS);
    CU_ASSERT(test_binomial_at_most(unequal.right, SEEDS, 0.9) > 1e-3);
    struct outcome common = slippage(8, COMMON, true, SEEDS);
    CU_ASSERT(test_binomial_at_most(common.right, SEEDS, 0.9) > 1e-3);
    CU_ASSERT(common.used < equal.used / 2); /* what common random numbers are for */
}

/* With the best far ahead hardly more than the first stage is used. */
static void test_easy(void)
{
    static struct systems y;
    reset(&y, 1, 6, 20, 1);
    struct da_select_options o = {
        .systems = 6, .delta = 1, .alpha = 0.05, .first = 10, .maximise = true};
    struct da_select s;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_OK);
    CU_ASSERT(s.winner == 0 && s.decided && s.used == 60);
    for (size_t i = 1; i < 6; i++)
        CU_ASSERT(s.system[i].fate == DA_SELECT_OUT && s.system[i].by == 0 &&
                  s.system[i].used == 10);
    da_select_free(&s);
}

/* ---- the rules ------------------------------------------------------------------------------- */

/* When system i goes, written down once more from the paper: all sums anew at every r. */
static void plain_kn(const struct systems *y, size_t k, double delta, double alpha, size_t n0,
                     bool maximise, size_t *used, size_t *winner)
{
    bool in[SYSTEMS_MAX], before[SYSTEMS_MAX];
    double eta = 0.5 * (pow(2 * alpha / (double)(k - 1), -2 / ((double)n0 - 1)) - 1);
    double h2 = 2 * eta * ((double)n0 - 1);
    for (size_t i = 0; i < k; i++)
        in[i] = true;
    for (size_t r = n0, left = k; left > 1; r++) {
        memcpy(before, in, sizeof in);
        for (size_t i = 0; i < k; i++) {
            for (size_t l = 0; l < k && before[i]; l++) {
                double d[10], sum = 0;
                if (!before[l] || l == i)
                    continue;
                for (size_t j = 0; j < r; j++)
                    sum += observation(y, i, j) - observation(y, l, j);
                for (size_t j = 0; j < n0; j++)
                    d[j] = observation(y, i, j) - observation(y, l, j);
                double w = delta / 2 * (h2 * da_variance(d, n0) / (delta * delta) - (double)r);
                if ((maximise ? sum : -sum) < -fmax(w, 0))
                    in[i] = false;
            }
        }
        left = 0;
        for (size_t i = 0; i < k; i++) {
            left += in[i];
            if (before[i])
                used[i] = r;
            if (in[i])
                *winner = i;
        }
    }
}

static void test_rules(void)
{
    static struct systems y;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        size_t k = 2 + seed % 5, used[SYSTEMS_MAX], winner = SIZE_MAX;
        bool maximise = seed % 2 == 0;
        reset(&y, seed, k, 0.3, 1);
        y.common = (double)(seed % 3) * 0.3;
        struct da_select_options o = {
            .systems = k, .delta = 0.7, .alpha = 0.2, .first = 10, .maximise = maximise};
        struct da_select s;
        struct dc_error error = {0};
        plain_kn(&y, k, 0.7, 0.2, 10, maximise, used, &winner);
        CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_OK);
        CU_ASSERT_EQUAL(s.winner, winner);
        size_t all = 0;
        for (size_t i = 0; i < k; i++) {
            double sum = 0;
            CU_ASSERT_EQUAL(s.system[i].used, used[i]);
            CU_ASSERT_EQUAL(s.system[i].fate == DA_SELECT_LEFT, i == winner);
            for (size_t r = 0; r < used[i]; r++) {
                CU_ASSERT(s.system[i].value[r] == observation(&y, i, r));
                sum += s.system[i].value[r];
            }
            CU_ASSERT_DOUBLE_EQUAL(s.system[i].mean, sum / (double)used[i], 1e-12);
            all += used[i];
        }
        CU_ASSERT_EQUAL(s.used, all);
        da_select_free(&s);
    }
}

static void test_edges(void)
{
    static struct systems y;
    struct da_select s;
    struct dc_error error = {0};
    struct da_select_options o = {.systems = 4, .delta = 1, .alpha = 0.05, .first = 5};

    reset(&y, 1, 4, 0, 0); /* all equal, and always: ends, with the first */
    CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_OK);
    CU_ASSERT(s.decided && s.winner == 0 && s.used == 20);
    da_select_free(&s);

    reset(&y, 1, 4, 5, 1); /* one fails at once, one later */
    y.no_data = 2;
    CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_OK);
    CU_ASSERT(s.system[2].fate == DA_SELECT_NO_DATA && s.system[2].used == 0);
    CU_ASSERT(s.winner != 2 && s.winner != 0 && s.winner != SIZE_MAX);
    da_select_free(&s);
    reset(&y, 1, 4, -0.01, 3);
    o.delta = 0.1; /* nothing is struck out so soon */
    y.no_data = 0;
    y.no_data_from = 7;
    CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_OK);
    CU_ASSERT(s.system[0].fate == DA_SELECT_NO_DATA && s.system[0].used == 7);
    da_select_free(&s);

    reset(&y, 1, 4, 0, 3); /* undecided */
    o.delta = 1;
    o.most = 9;
    CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_OK);
    CU_ASSERT(!s.decided && s.winner != SIZE_MAX && s.used <= 36);
    for (size_t i = 0; i < 4; i++)
        if (s.system[i].fate == DA_SELECT_LEFT)
            CU_ASSERT(s.system[i].mean >= s.system[s.winner].mean && s.system[i].used == 9);
    da_select_free(&s);

    reset(&y, 1, 4, 0, 3); /* an error from below */
    y.fail_at = 3;
    CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_ERR_LIMIT);
    CU_ASSERT_STRING_EQUAL(error.text, "the runs broke down");
    da_select_free(&s);

    o.systems = 1; /* nothing to choose */
    reset(&y, 1, 1, 0, 1);
    CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_OK);
    CU_ASSERT(s.decided && s.winner == 0 && s.used == 5);
    da_select_free(&s);

    static const struct da_select_options bad[] = {
        {.systems = 0, .delta = 1, .alpha = 0.05, .first = 5},
        {.systems = 3, .delta = 0, .alpha = 0.05, .first = 5},
        {.systems = 3, .delta = 1, .alpha = 0, .first = 5},
        {.systems = 3, .delta = 1, .alpha = 0.7, .first = 5},
        {.systems = 3, .delta = 1, .alpha = NAN, .first = 5},
        {.systems = 3, .delta = 1, .alpha = 0.05, .first = 1}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        error = (struct dc_error){0};
        CU_ASSERT_EQUAL(da_select_best(&bad[i], observe, &y, &s, &error), DC_ERR_USAGE);
        CU_ASSERT(error.text[0] != '\0');
        da_select_free(&s);
    }
    o.systems = 3;
    for (uint64_t n = 0; n < 6; n++) { /* memory runs out at each request in turn */
        reset(&y, 1, 3, 9, 1);
        error = (struct dc_error){0};
        dc_mem_budget(n);
        CU_ASSERT_EQUAL(da_select_best(&o, observe, &y, &s, &error), DC_ERR_IO);
        dc_mem_budget(UINT64_MAX);
        da_select_free(&s);
    }
}

/* ---- the probability of being best ----------------------------------------------------------- */

static void test_best_probability(void)
{
    enum { N = 60, DRAWS = 4000 };
    static struct systems y;
    double value[4 * N], work[N + 4], p[4];
    /* two systems: the normal law of their difference says it */
    for (uint64_t seed = 1; seed <= 10; seed++) {
        double d[N];
        reset(&y, seed, 2, 0.15, 1);
        y.common = seed % 2 == 0 ? 0.7 : 0;
        for (size_t r = 0; r < N; r++) {
            value[r] = observation(&y, 0, r);
            value[N + r] = observation(&y, 1, r);
            d[r] = value[r] - value[N + r];
        }
        da_best_probability(value, N, 2, true, DRAWS, seed, work, p);
        double want = da_normal_below(da_mean(d, N) / sqrt(da_variance(d, N) / N));
        CU_ASSERT_DOUBLE_EQUAL(p[0], want, 0.03);
        CU_ASSERT_DOUBLE_EQUAL(p[0] + p[1], 1, 1e-12);
        double q[2];
        da_best_probability(value, N, 2, false, DRAWS, seed, work, q);
        CU_ASSERT_DOUBLE_EQUAL(q[1], p[0], 1e-12);
    }
    /* four equal ones: over many data sets each is best as often as the others */
    double mean[4] = {0};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        reset(&y, seed, 4, 0, 1);
        for (size_t i = 0; i < 4; i++)
            for (size_t r = 0; r < N; r++)
                value[i * N + r] = observation(&y, i, r);
        da_best_probability(value, N, 4, true, 200, seed, work, p);
        for (size_t i = 0; i < 4; i++)
            mean[i] += p[i] / 200;
    }
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_DOUBLE_EQUAL(mean[i], 0.25, 0.08); /* 3.8 deviations of 0.3 / sqrt(200) */
    /* exact equals share; a system without data has none; gaps are allowed */
    memcpy(value + N, value, N * sizeof *value);
    for (size_t r = 0; r < N; r++) {
        value[2 * N + r] = NAN;
        value[3 * N + r] = r % 2 == 0 ? NAN : -100;
    }
    da_best_probability(value, N, 4, true, 100, 1, work, p);
    CU_ASSERT(p[0] == 0.5 && p[1] == 0.5 && p[2] == 0 && p[3] == 0);
    da_best_probability(value, N, 4, false, 100, 1, work, p);
    CU_ASSERT(p[0] == 0 && p[3] == 1);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"correct selection", test_correct_selection},
        {"easy", test_easy},
        {"rules", test_rules},
        {"edges", test_edges},
        {"probability of being best", test_best_probability},
    };
    return TEST_MAIN("select", cases);
}
