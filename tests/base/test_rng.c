/* Randomness: the generator against its authors' known answers, names and streams against values
 * computed independently (a dozen lines of Python), bounded draws against a model that counts
 * preimages instead of comparing remainders, tabulated distributions at their edges. */
#include "models/base/dist.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Random123 1.14, tests/kat_vectors, the three lines "philox4x32 10". */
static void test_philox_known_answers(void)
{
    static const struct {
        uint32_t ctr[4], key[2], out[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint32_t out[4];
        dc_philox(rows[i].ctr, rows[i].key, out);
        CU_ASSERT_EQUAL(memcmp(out, rows[i].out, sizeof out), 0);
    }
}

/* The first outputs of splitmix64 (Vigna, splitmix64.c) from the state 1234567. */
static void test_mix_known_answers(void)
{
    static const uint64_t expected[] = {6457827717110365317u, 3203168211198807973u,
                                        9817491932198370423u, 4593380528125082431u,
                                        16408922859458223821u};
    for (uint64_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        CU_ASSERT_EQUAL(dc_mix64(1234567 + i * 0x9e3779b97f4a7c15u), expected[i]);
}

/* A change here changes every result of every scenario. */
static void test_names_and_streams_pinned(void)
{
    CU_ASSERT_EQUAL(dc_name(""), 0xc3817c016ba4ff30u);
    CU_ASSERT_EQUAL(dc_name("sto"), 0xef206450881af632u);
    CU_ASSERT_EQUAL(dc_name_indexed("sto", 17), 0xcd0e0f645ab0c2dbu);
    static const struct {
        uint64_t n, draw;
    } rows[] = {{0, 0x76f616697c52e3e0u},
                {1, 0x0d56e0185a4699fau},
                {2, 0xf3aa8e16aa724961u},
                {(uint64_t)1 << 32, 0x7affef7ad443f118u},
                {(uint64_t)1 << 63, 0xef59c19a3c3d7d00u}};
    struct dc_stream s = dc_stream(1, dc_name_indexed("sto", 17), dc_name("jitter"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(dc_stream_at(&s, rows[i].n), rows[i].draw);
}

static void test_next_is_at_in_order(void)
{
    struct dc_stream s = dc_stream(7, dc_name("a"), dc_name("b"));
    const struct dc_stream start = s;
    for (uint64_t n = 0; n < 1000; n++)
        CU_ASSERT_EQUAL(dc_next64(&s), dc_stream_at(&start, n));
    CU_ASSERT_EQUAL(s.counter, 1000);
    CU_ASSERT_EQUAL(start.counter, 0);
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* 40 seeds x 50 nodes x 50 purposes, small neighbouring values: all first draws differ (by chance
 * two of 10^5 agree once in 4 * 10^9 tries). */
static void test_streams_are_apart(void)
{
    const size_t count = 40 * 50 * 50;
    uint64_t *draws = dc_mem_alloc(count, sizeof *draws);
    CU_ASSERT_PTR_NOT_NULL_FATAL(draws);
    size_t n = 0;
    for (uint64_t seed = 0; seed < 40; seed++)
        for (uint64_t node = 0; node < 50; node++)
            for (uint64_t purpose = 0; purpose < 50; purpose++) {
                struct dc_stream s = dc_stream(seed, node, purpose);
                draws[n++] = dc_next64(&s);
            }
    qsort(draws, count, sizeof *draws, compare_u64);
    size_t equal = 0;
    for (size_t i = 1; i < count; i++)
        equal += draws[i] == draws[i - 1];
    CU_ASSERT_EQUAL(equal, 0);
    dc_mem_free(draws);
}

static void test_names_are_apart(void)
{
    enum { GROUPS = 26, NODES = 4000 };
    uint64_t *names = dc_mem_alloc(GROUPS * NODES, sizeof *names);
    CU_ASSERT_PTR_NOT_NULL_FATAL(names);
    for (size_t g = 0; g < GROUPS; g++) {
        char name[] = {(char)('a' + g), '\0'};
        for (size_t i = 0; i < NODES; i++)
            names[g * NODES + i] = dc_name_indexed(name, i);
    }
    qsort(names, GROUPS * NODES, sizeof *names, compare_u64);
    size_t equal = 0;
    for (size_t i = 1; i < GROUPS * NODES; i++)
        equal += names[i] == names[i - 1];
    CU_ASSERT_EQUAL(equal, 0);
    dc_mem_free(names);
}

/* What a draw u becomes: bucket r holds the u with floor(u * n / 2^64) == r; a bucket with one
 * element more than the smallest loses its first.  Returns false when u is refused. */
static bool bounded_model(uint64_t u, uint64_t n, uint64_t *value)
{
    const unsigned __int128 all = (unsigned __int128)1 << 64;
    uint64_t r = (uint64_t)((unsigned __int128)u * n >> 64);
    unsigned __int128 first = (r * all + n - 1) / n;
    unsigned __int128 next = (((unsigned __int128)r + 1) * all + n - 1) / n;
    *value = r;
    return !(next - first > all / n && u == (uint64_t)first);
}

static void test_below_is_the_model(void)
{
    static const uint64_t bounds[] = {1, 2, 3, 6, 10, 1000003, (uint64_t)1 << 32, UINT64_MAX};
    for (size_t b = 0; b < sizeof bounds / sizeof bounds[0]; b++) {
        struct dc_stream s = dc_stream(1, b, dc_name("below"));
        struct dc_stream model = s;
        for (int i = 0; i < 2000; i++) {
            uint64_t value;
            while (!bounded_model(dc_next64(&model), bounds[b], &value))
                ;
            CU_ASSERT_EQUAL(dc_next_below(&s, bounds[b]), value);
            CU_ASSERT_EQUAL(s.counter, model.counter);
        }
    }
}

/* Bounds just above 2^63 refuse nearly every second draw: the loop runs, and only there does the
 * one-element rule of the model not hold (buckets have 1 or 2 elements, so it does exactly). */
static void test_below_refuses_half(void)
{
    const uint64_t n = ((uint64_t)1 << 63) + 1;
    struct dc_stream s = dc_stream(1, 0, dc_name("below half"));
    struct dc_stream model = s;
    for (int i = 0; i < 4000; i++) {
        uint64_t value;
        while (!bounded_model(dc_next64(&model), n, &value))
            ;
        CU_ASSERT_EQUAL(dc_next_below(&s, n), value);
    }
    CU_ASSERT_EQUAL(s.counter, model.counter);
    /* 4000 accepted of 8000 +- 6 standard deviations of a negative binomial (sqrt(8000)) */
    CU_ASSERT(s.counter > 7460 && s.counter < 8540);
}

/* chi-squared with 6 cells, summed over seeds 1..20: 100 degrees of freedom; the two limits are
 * its quantiles 1e-6 and 1 - 1e-6 (46.50 and 182.13, scipy.stats.chi2(100)). */
static void test_below_is_uniform(void)
{
    double chi2 = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("die"), dc_name("throw"));
        double cell[6] = {0};
        for (int i = 0; i < 6000; i++)
            cell[dc_next_below(&s, 6)]++;
        for (int i = 0; i < 6; i++)
            chi2 += (cell[i] - 1000) * (cell[i] - 1000) / 1000;
    }
    CU_ASSERT(chi2 > 46.50 && chi2 < 182.13);
}

/* Each output bit of consecutive draws, and of the same draw of neighbouring nodes, is a fair coin:
 * 64 bits x 2 kinds, 16384 throws each, 6 standard deviations (64 each). */
static void test_bits_are_fair(void)
{
    int along[64] = {0}, across[64] = {0};
    struct dc_stream s = dc_stream(1, 0, 0);
    for (uint64_t i = 0; i < 16384; i++) {
        uint64_t a = dc_next64(&s);
        struct dc_stream other = dc_stream(1, i, 0);
        struct dc_stream neighbour = dc_stream(1, i + 1, 0);
        uint64_t b = dc_next64(&other) ^ dc_next64(&neighbour);
        for (int bit = 0; bit < 64; bit++) {
            along[bit] += (int)(a >> bit & 1);
            across[bit] += (int)(b >> bit & 1);
        }
    }
    for (int bit = 0; bit < 64; bit++) {
        CU_ASSERT(abs(along[bit] - 8192) < 384);
        CU_ASSERT(abs(across[bit] - 8192) < 384);
    }
}

/* The identity tabulated: cell c starts at c * 2^20, so that a draw is its top 30 bits. */
static void test_distribution_edges(void)
{
    static struct dc_dist d;
    for (int i = 0; i <= DC_DIST_CELLS; i++) {
        d.cell[i] = (int64_t)i << 20;
        d.tail[i] = ((int64_t)(DC_DIST_CELLS - 1) << 20) + ((int64_t)i << 10);
    }
    CU_ASSERT_EQUAL(dc_dist_at(&d, 0), 0);
    CU_ASSERT_EQUAL(dc_dist_at(&d, UINT64_MAX), ((int64_t)1 << 30) - 1);
    struct dc_stream s = dc_stream(1, 0, dc_name("dist"));
    for (int i = 0; i < 10000; i++) {
        uint64_t u = dc_next64(&s) | (i % 2 ? (uint64_t)1023 << 54 : 0);
        CU_ASSERT_EQUAL(dc_dist_at(&d, u), (int64_t)(u >> 34));
    }
    uint64_t tail = (uint64_t)(DC_DIST_CELLS - 1) << 54;
    CU_ASSERT_EQUAL(dc_dist_at(&d, tail), d.tail[0]);
    CU_ASSERT(dc_dist_at(&d, tail - 1) <= d.tail[0]);
}

/* Convex, as delays are: 0, 1, 4, 9 ... in the body and a tail 1000 times steeper. */
static void test_distribution_is_monotone(void)
{
    static struct dc_dist d;
    for (int64_t i = 0; i <= DC_DIST_CELLS; i++) {
        d.cell[i] = i * i;
        d.tail[i] = (int64_t)(DC_DIST_CELLS - 1) * (DC_DIST_CELLS - 1) + 1000 * i * i;
    }
    int64_t before = dc_dist_at(&d, 0);
    for (uint64_t u = 0; u < 1 << 16; u++) {
        int64_t now = dc_dist_at(&d, u << 48 | (u & 1 ? 0xffffffffffff : 0));
        CU_ASSERT(now >= before);
        before = now;
    }
    CU_ASSERT(before <= d.tail[DC_DIST_CELLS]);
    CU_ASSERT(before > d.tail[DC_DIST_CELLS - 2]);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"Philox4x32-10: published known answers", test_philox_known_answers},
        {"splitmix64: published known answers", test_mix_known_answers},
        {"names and streams are pinned", test_names_and_streams_pinned},
        {"next64 is stream_at in order", test_next_is_at_in_order},
        {"streams of neighbouring keys are apart", test_streams_are_apart},
        {"names of neighbouring nodes are apart", test_names_are_apart},
        {"bounded draws: against a counting model", test_below_is_the_model},
        {"bounded draws: refusal", test_below_refuses_half},
        {"bounded draws: uniform", test_below_is_uniform},
        {"bits are fair", test_bits_are_fair},
        {"tabulated distribution: edges", test_distribution_edges},
        {"tabulated distribution: monotone", test_distribution_is_monotone},
    };
    return TEST_MAIN("rng", cases);
}
