/* Conformal p-values: small cases by hand, random windows against a model that keeps everything in
 * one list, the length of the window, and the rates that are promised for exchangeable scores. */
#include "models/anomaly/conformal.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#define NONE DC_SCORE_NONE

static struct dc_params params_of(uint32_t detectors, uint32_t fdr_ppm, uint32_t window)
{
    return (struct dc_params){
        .detectors = detectors, .fdr = dc_q31_from_ppm(fdr_ppm), .anomaly_window = window};
}

static void add(struct dc_window *w, const uint32_t *score, uint32_t nodes, uint64_t least)
{
    struct dc_window next = dc_window_next(w, score, nodes, least);
    dc_window_drop(w);
    *w = next;
}

static void expect(struct dc_pvalue p, uint32_t rank, uint32_t of)
{
    CU_ASSERT_EQUAL(p.rank, rank);
    CU_ASSERT_EQUAL(p.of, of);
}

/* Past scores: node 0: 5, 9; node 1: 7, 7; node 2: 1, none (it failed). */
static void test_by_hand(void)
{
    struct dc_window w = {0};
    struct dc_pvalue p[4];
    const uint32_t first[3] = {5, 7, 1}, second[3] = {9, 7, NONE};
    const uint32_t now[4] = {7, 7, 0, NONE};
    dc_window_pvalues(&w, now, 4, 1, p);
    for (int i = 0; i < 4; i++)
        expect(p[i], 0, 0); /* nothing to compare with */
    add(&w, first, 3, 100);
    add(&w, second, 3, 100);
    CU_ASSERT_EQUAL(w.total, 5);
    dc_window_pvalues(&w, now, 4, 1, p);
    expect(p[0], 3, 4); /* of 7, 7, 1: two reach 7 */
    expect(p[1], 2, 4); /* of 5, 1, 9: one */
    expect(p[2], 5, 5); /* of 5, 7, 9, 7: all */
    expect(p[3], 0, 0);
    const uint32_t high[4] = {DC_SCORE_MAX, 6, 8, 9};
    dc_window_pvalues(&w, high, 4, 1, p);
    expect(p[0], 1, 4);
    expect(p[1], 2, 4);
    expect(p[2], 2, 5);
    expect(p[3], 2, 6); /* a newcomer: all five are others' */
    dc_window_pvalues(&w, high, 4, 5, p);
    expect(p[2], 0, 0); /* four are not enough */
    expect(p[3], 2, 6);
    dc_window_drop(&w);
    CU_ASSERT_EQUAL(w.count, 0);
}

enum { NODES = 23, EPOCHS = 60 };

/* rank and of by walking every score of the epochs [from, to). */
static struct dc_pvalue naive(uint32_t past[EPOCHS][NODES], uint32_t from, uint32_t to,
                              uint32_t node, uint32_t score, uint64_t least)
{
    uint32_t m = 0, reach = 0;
    for (uint32_t e = from; e < to; e++)
        for (uint32_t i = 0; i < NODES; i++)
            if (i != node && past[e][i] != NONE) {
                m++;
                reach += past[e][i] >= score;
            }
    return score == NONE || m == 0 || m < least ? (struct dc_pvalue){0, 0}
                                                : (struct dc_pvalue){reach + 1, m + 1};
}

static void test_against_model(void)
{
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("conformal"), dc_name("model"));
        uint64_t least = 1 + dc_next_below(&s, 300), range = 1 + dc_next_below(&s, 1000);
        uint32_t past[EPOCHS][NODES], from = 0;
        struct dc_window w = {0};
        for (uint32_t e = 0; e < EPOCHS; e++) {
            uint32_t nodes = e < EPOCHS / 2 ? NODES - 3 : NODES; /* some come later */
            for (uint32_t i = 0; i < NODES; i++)
                past[e][i] = i >= nodes || dc_next_below(&s, 6) == 0
                                 ? NONE
                                 : (uint32_t)dc_next_below(&s, range);
            struct dc_pvalue p[NODES];
            dc_window_pvalues(&w, past[e], nodes, least, p);
            for (uint32_t i = 0; i < nodes; i++) {
                struct dc_pvalue q = naive(past, from, e, i, past[e][i], least);
                CU_ASSERT(p[i].rank == q.rank && p[i].of == q.of);
            }
            add(&w, past[e], nodes, least);
            while (e + 1 - from > w.count)
                from++; /* how much is kept is the business of test_length */
        }
        CU_ASSERT(from > 0);
        dc_window_drop(&w);
    }
}

/* m fdr i_min >= D N, and not for m - 1. */
static void test_least(void)
{
    static const uint32_t ppm[] = {1000000, 50000, 10000, 333333};
    for (uint32_t n = 1; n <= 20000; n += 37)
        for (size_t f = 0; f < sizeof ppm / sizeof ppm[0]; f++)
            for (uint32_t d = 1; d <= 2; d++) {
                struct dc_params p = params_of(d == 2 ? 3 : 1, ppm[f], 0);
                unsigned __int128 m = dc_window_least(&p, n), need = (unsigned __int128)d * n << 31;
                uint64_t each = (uint64_t)p.fdr * (n / 200 > 1 ? n / 200 : 1);
                CU_ASSERT(m * each >= need && (m - 1) * each < need);
            }
    struct dc_params p = params_of(3, 50000, 777);
    CU_ASSERT_EQUAL(dc_window_least(&p, 100000), 777);
    p.anomaly_window = 0;
    p.fdr = 1;
    CU_ASSERT_EQUAL(dc_window_least(&p, 100000), DC_WINDOW_LEAST_MAX);
    p.fdr = 0;
    CU_ASSERT_EQUAL(dc_window_least(&p, 100), 1);
}

/* Once full it stays full for every node, and it does not grow: at most 2 least and an epoch. */
static void test_length(void)
{
    for (uint32_t nodes = 1; nodes <= NODES; nodes++) {
        const uint64_t least = 50;
        struct dc_window w = {0};
        bool full = false;
        for (uint32_t e = 0; e < 300; e++) {
            uint32_t score[NODES];
            struct dc_pvalue p[NODES];
            for (uint32_t i = 0; i < nodes; i++)
                score[i] = e * 100 + i;
            dc_window_pvalues(&w, score, nodes, least, p);
            for (uint32_t i = 0; i < nodes; i++)
                CU_ASSERT((p[i].of != 0) == (w.total - w.count >= least));
            CU_ASSERT(!full || w.total - w.count >= least);
            full = full || w.total - w.count >= least;
            add(&w, score, nodes, least);
            CU_ASSERT(w.total <= 2 * least + nodes);
            if (nodes > 2) /* and no epoch more than it takes */
                CU_ASSERT(w.total - nodes < least + w.count - 1);
        }
        CU_ASSERT_EQUAL(full, nodes > 1); /* alone there is no one to compare with */
        dc_window_drop(&w);
    }
}

/* Two windows made from one share their epochs and die in any order (under ASan: without a
 * leak). */
static void test_forks(void)
{
    const uint32_t a[3] = {1, 2, 3}, b[3] = {4, 5, 6}, none[3] = {NONE, NONE, NONE};
    struct dc_window root = {0};
    add(&root, a, 3, 100);
    struct dc_window left = dc_window_next(&root, b, 3, 100);
    struct dc_window right = dc_window_next(&root, none, 3, 100);
    dc_window_drop(&root);
    CU_ASSERT_EQUAL(left.count, 2);
    CU_ASSERT_EQUAL(right.count, 1); /* an epoch without scores takes no room */
    CU_ASSERT_PTR_EQUAL(left.batch[0], right.batch[0]);
    struct dc_pvalue p[3];
    dc_window_drop(&left);
    dc_window_pvalues(&right, b, 3, 1, p);
    expect(p[0], 1, 3);
    dc_window_drop(&right);
}

/* Exchangeable scores without ties: a node's rank is uniform on 1 .. m + 1.  Level 0.001. */
static void test_rank_uniform(void)
{
    enum { N = 6, M = 15 }; /* three epochs of five others */
    uint64_t count[M + 1] = {0};
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("conformal"), dc_name("rank"));
        struct dc_window w = {0};
        uint32_t score[N];
        struct dc_pvalue p[N];
        for (int e = 0; e < 4; e++) {
            for (int i = 0; i < N; i++)
                score[i] = (uint32_t)(dc_next64(&s) >> 33);
            if (e < 3)
                add(&w, score, N, M);
        }
        dc_window_pvalues(&w, score, N, M, p);
        CU_ASSERT_EQUAL_FATAL(p[2].of, M + 1);
        count[p[2].rank - 1]++;
        dc_window_drop(&w);
    }
    CU_ASSERT(test_chi_square_uniform(count, M + 1, 0.001));
}

/* Forty nodes with exchangeable scores against a window of the least length, level fdr = 0.1:
 * all honest, P(any flag) <= fdr (one-sided binomial test at 0.001); with four planted outliers,
 * the mean share of false flags <= pi_0 fdr (one-sided z-test at 0.001), and the outliers are
 * found. */
static void test_promised_rates(void)
{
    enum { N = 40, PLANTED = 4, RUNS = 3000 };
    struct dc_params params = params_of(1, 100000, 0);
    uint64_t least = dc_window_least(&params, N), any = 0, found = 0;
    double sum = 0, square = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("conformal"), dc_name("rates"));
        struct dc_window w = {0};
        uint32_t score[N];
        uint8_t flag[N];
        struct dc_pvalue p[N];
        for (;;) {
            for (int i = 0; i < N; i++)
                score[i] = (uint32_t)(dc_next64(&s) >> 33);
            if (w.total - w.count >= least)
                break;
            add(&w, score, N, least);
        }
        dc_window_pvalues(&w, score, N, least, p);
        any += dc_fdr_flag(p, N, params.fdr, flag) > 0;
        for (int i = 0; i < PLANTED; i++)
            score[i] = UINT32_MAX - 9 - (uint32_t)i;
        dc_window_pvalues(&w, score, N, least, p);
        uint32_t flags = dc_fdr_flag(p, N, params.fdr, flag), right = 0;
        for (int i = 0; i < PLANTED; i++)
            right += flag[i];
        found += right;
        double share = flags == 0 ? 0 : (double)(flags - right) / flags;
        sum += share;
        square += share * share;
        dc_window_drop(&w);
    }
    double mean = sum / RUNS, deviation = sqrt((square / RUNS - mean * mean) / RUNS);
    CU_ASSERT(test_binomial_at_least(any, RUNS, 0.1) > 0.001);
    CU_ASSERT(any > 0);
    CU_ASSERT(mean - 0.1 * (N - PLANTED) / N < 3.09 * deviation);
    CU_ASSERT(mean > 0);
    CU_ASSERT_EQUAL(found, RUNS * PLANTED);
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {
        {"by hand", test_by_hand},
        {"against a model", test_against_model},
        {"least length", test_least},
        {"length", test_length},
        {"forks", test_forks},
        {"rank is uniform", test_rank_uniform},
        {"promised rates", test_promised_rates},
    };
    return TEST_MAIN("conformal", cases);
}
