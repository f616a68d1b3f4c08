/* Designs: layout, strata, the net property of scrambled points, prefixes, refusals. */
#include "analysis/design.h"

#include "tests/support/harness.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double *made(const struct da_design_plan *plan, size_t *rows)
{
    struct dc_error error = {0};
    *rows = da_design_rows(plan, &error);
    CU_ASSERT_FATAL(*rows > 0 && error.status == DC_OK);
    double *u = dc_mem_alloc(*rows * plan->factors, sizeof *u);
    CU_ASSERT_EQUAL_FATAL(da_design_make(plan, u, &error), DC_OK);
    for (size_t i = 0; i < *rows * plan->factors; i++)
        CU_ASSERT(u[i] >= 0 && (u[i] < 1 || (plan->kind == DA_MORRIS && u[i] == 1)));
    return u;
}

/* Whether the n numbers u[0], u[step] .. lie one in each of n equal intervals. */
static bool stratified(const double *u, size_t step, size_t n)
{
    uint8_t *seen = dc_mem_alloc(n, 1);
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        size_t cell = (size_t)(u[i * step] * (double)n);
        ok = ok && !seen[cell];
        seen[cell] = 1;
    }
    dc_mem_free(seen);
    return ok;
}

static void test_grid(void)
{
    static const uint32_t levels[] = {2, 1, 3};
    struct da_design_plan plan = {.kind = DA_GRID, .factors = 3, .level = levels};
    size_t rows;
    double *u = made(&plan, &rows);
    CU_ASSERT_EQUAL(rows, 6);
    for (uint32_t i = 0; i < 6; i++) {
        CU_ASSERT_EQUAL(da_design_level(u[i * 3], 2), i / 3);
        CU_ASSERT_EQUAL(da_design_level(u[i * 3 + 1], 1), 0);
        CU_ASSERT_EQUAL(da_design_level(u[i * 3 + 2], 3), i % 3);
    }
    dc_mem_free(u);
    /* Every level of every size comes back from the middle of its cell, and 1 is the last. */
    for (uint32_t n = 1; n < 3000; n++)
        for (uint32_t l = n > 40 ? n - 40 : 0; l < n; l++)
            CU_ASSERT_EQUAL_FATAL(da_design_level((l + 0.5) / n, n), l);
    CU_ASSERT_EQUAL(da_design_level(1, 7), 6);
}

static void test_lhs(void)
{
    static const size_t sizes[] = {1, 2, 7, 100, 1009};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        struct da_design_plan plan = {
            .kind = DA_LHS, .factors = 5, .points = sizes[s], .seed = s + 1};
        size_t rows;
        double *u = made(&plan, &rows);
        CU_ASSERT_EQUAL(rows, sizes[s]);
        for (size_t j = 0; j < 5; j++)
            CU_ASSERT(stratified(u + j, 5, rows));
        /* A factor more leaves the others alone; another seed moves them. */
        size_t again;
        plan.factors = 6;
        double *more = made(&plan, &again);
        for (size_t i = 0; i < rows; i++)
            CU_ASSERT(memcmp(u + i * 5, more + i * 6, 5 * sizeof *u) == 0);
        plan.factors = 5;
        plan.seed += 77;
        double *other = made(&plan, &again);
        CU_ASSERT(memcmp(u, other, rows * 5 * sizeof *u) != 0);
        dc_mem_free(u);
        dc_mem_free(more);
        dc_mem_free(other);
    }
}

/* Any 2^m points from a multiple of 2^m on are one in each interval of 1/2^m in every dimension,
 * and one in each elementary rectangle of the first two dimensions, a (0, m, 2)-net. */
static void test_sobol_net(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct da_design_plan plan = {
            .kind = DA_SOBOL, .factors = 40, .points = 1024, .seed = seed};
        size_t rows;
        double *u = made(&plan, &rows);
        for (size_t n = 2; n <= 1024; n *= 4)
            for (size_t from = 0; from < 1024; from += n)
                for (size_t j = 0; j < 40; j++)
                    CU_ASSERT_FATAL(stratified(u + from * 40 + j, 40, n));
        for (uint32_t wide = 1; wide <= 256; wide *= 2) {
            uint8_t seen[256] = {0};
            for (size_t i = 0; i < 256; i++) {
                uint32_t high = 256 / wide, cell = da_design_level(u[i * 40], wide) * high +
                                                   da_design_level(u[i * 40 + 1], high);
                CU_ASSERT_FATAL(!seen[cell]);
                seen[cell] = 1;
            }
        }
        dc_mem_free(u);
    }
}

/* Scrambles are uniform: over seeds, where the first point falls has the moments of U(0, 1), in each
 * of two dimensions and in their product. */
static void test_sobol_uniform(void)
{
    double sum = 0, square = 0, product = 0;
    enum { SEEDS = 4000 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double u[6];
        struct da_design_plan plan = {.kind = DA_SOBOL, .factors = 2, .points = 3, .seed = seed};
        CU_ASSERT_EQUAL_FATAL(da_design_make(&plan, u, NULL), DC_OK);
        sum += u[4];
        square += u[4] * u[4];
        product += u[4] * u[5];
    }
    /* Five standard deviations: sqrt(1/12), sqrt(4/45), sqrt(7/144) over sqrt(4000). */
    CU_ASSERT(fabs(sum / SEEDS - 1.0 / 2) < 0.0229);
    CU_ASSERT(fabs(square / SEEDS - 1.0 / 3) < 0.0236);
    CU_ASSERT(fabs(product / SEEDS - 1.0 / 4) < 0.0175);
}

/* And more than a shift: what parts the first two points, 1000... before, ends in random bits. */
static void test_sobol_matrix(void)
{
    uint32_t ones[31] = {0};
    enum { SEEDS = 1000 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double u[2];
        struct da_design_plan plan = {.kind = DA_SOBOL, .factors = 1, .points = 2, .seed = seed};
        CU_ASSERT_EQUAL_FATAL(da_design_make(&plan, u, NULL), DC_OK);
        uint32_t parts = (uint32_t)(u[0] * 4294967296.0) ^ (uint32_t)(u[1] * 4294967296.0);
        CU_ASSERT(parts >> 31 == 1);
        for (int bit = 0; bit < 31; bit++)
            ones[bit] += parts >> bit & 1;
    }
    for (int bit = 0; bit < 31; bit++)
        CU_ASSERT(ones[bit] > 500 - 80 && ones[bit] < 500 + 80); /* five standard deviations */
}

/* What scrambled points are for: the error of an integral falls faster than with random points.
 * f = prod(1 + (u_j - 1/2)) has integral 1 and variance (13/12)^5 - 1 = 0.49. */
static void test_sobol_integrates(void)
{
    double worst = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct da_design_plan plan = {.kind = DA_SOBOL, .factors = 5, .points = 4096, .seed = seed};
        size_t rows;
        double *u = made(&plan, &rows), sum = 0;
        for (size_t i = 0; i < rows; i++) {
            double f = 1;
            for (size_t j = 0; j < 5; j++)
                f *= 0.5 + u[i * 5 + j];
            sum += f;
        }
        double error = fabs(sum / (double)rows - 1);
        worst = error > worst ? error : worst;
        dc_mem_free(u);
    }
    CU_ASSERT(worst < 0.0011); /* a tenth of the standard error of 4096 random points, 0.011 */
}

static void test_prefixes(void)
{
    static const enum da_design kinds[] = {DA_SOBOL, DA_SALTELLI, DA_MORRIS};
    for (size_t i = 0; i < 3; i++) {
        struct da_design_plan plan = {
            .kind = kinds[i], .factors = 3, .points = 21, .base = 21, .levels = 4, .seed = 5};
        size_t few, many;
        double *u = made(&plan, &few);
        plan.points = plan.base = 55;
        double *v = made(&plan, &many);
        CU_ASSERT(many > few && memcmp(u, v, few * 3 * sizeof *u) == 0);
        dc_mem_free(u);
        dc_mem_free(v);
    }
}

static void test_saltelli(void)
{
    enum { K = 3, N = 32 };
    struct da_design_plan plan = {.kind = DA_SALTELLI, .factors = K, .base = N, .seed = 9};
    size_t rows, same;
    double *u = made(&plan, &rows);
    plan = (struct da_design_plan){.kind = DA_SOBOL, .factors = 2 * K, .points = N, .seed = 9};
    double *sobol = made(&plan, &same);
    CU_ASSERT_EQUAL_FATAL(rows, N * (K + 2));
    for (size_t i = 0; i < N; i++) {
        const double *a = u + i * (K + 2) * K, *b = a + (K + 1) * K;
        CU_ASSERT(memcmp(a, sobol + i * 2 * K, K * sizeof *a) == 0);
        CU_ASSERT(memcmp(b, sobol + i * 2 * K + K, K * sizeof *a) == 0);
        for (size_t j = 0; j < K; j++)
            for (size_t c = 0; c < K; c++)
                CU_ASSERT_EQUAL(a[(1 + j) * K + c], c == j ? b[c] : a[c]);
    }
    dc_mem_free(u);
    dc_mem_free(sobol);
}

static void test_morris(void)
{
    for (uint32_t levels = 2; levels <= 10; levels += 2) {
        enum { K = 6, R = 50 };
        struct da_design_plan plan = {
            .kind = DA_MORRIS, .factors = K, .base = R, .levels = levels, .seed = levels};
        size_t rows;
        double *u = made(&plan, &rows), delta = levels / (2.0 * (levels - 1));
        unsigned up = 0, first = 0;
        CU_ASSERT_EQUAL_FATAL(rows, R * (K + 1));
        for (size_t t = 0; t < R; t++) {
            unsigned moved = 0;
            for (size_t i = 0; i < K; i++) {
                const double *row = u + (t * (K + 1) + i) * K, *next = row + K;
                unsigned changes = 0;
                for (size_t j = 0; j < K; j++) {
                    double level = row[j] * (levels - 1);
                    CU_ASSERT(fabs(level - round(level)) < 1e-12);
                    if (row[j] == next[j])
                        continue;
                    CU_ASSERT(fabs(fabs(next[j] - row[j]) - delta) < 1e-12);
                    changes++;
                    moved |= 1u << j;
                    up += next[j] > row[j];
                    first += i == 0 && j == 0;
                }
                CU_ASSERT_EQUAL(changes, 1);
            }
            CU_ASSERT_EQUAL(moved, (1u << K) - 1);
        }
        /* Both directions and every order: 150 +- 5 x 8.7, and 50/6 +- 5 x 2.6. */
        CU_ASSERT(up > 106 && up < 194 && first > 0 && first < 22);
        dc_mem_free(u);
    }
}

static void refused(struct da_design_plan plan, const char *words)
{
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_design_rows(&plan, &error), 0);
    CU_ASSERT_EQUAL(error.status, DC_ERR_USAGE);
    if (strstr(error.text, words) == NULL)
        printf("\n  wanted: %s\n  got: %s\n", words, error.text);
    CU_ASSERT(strstr(error.text, words) != NULL);
    double u;
    CU_ASSERT_EQUAL(da_design_make(&plan, &u, NULL), DC_ERR_USAGE);
}

static void test_refusals(void)
{
    static const uint32_t many[] = {1000, 1001}, none[] = {3, 0};
    static const uint32_t huge[] = {UINT32_MAX, UINT32_MAX, UINT32_MAX};
    refused((struct da_design_plan){.kind = DA_SOBOL, .factors = 41, .points = 4}, "40 dimensions");
    refused((struct da_design_plan){.kind = DA_SALTELLI, .factors = 21, .base = 4},
            "at most 20 parameters");
    refused((struct da_design_plan){.kind = DA_MORRIS, .factors = 2, .base = 4, .levels = 3},
            "even number");
    refused((struct da_design_plan){.kind = DA_MORRIS, .factors = 2, .base = 4}, "even number");
    refused((struct da_design_plan){.kind = DA_GRID, .factors = 2, .level = many},
            "more than 1000000 points");
    refused((struct da_design_plan){.kind = DA_GRID, .factors = 3, .level = huge},
            "more than 1000000 points");
    refused((struct da_design_plan){.kind = DA_GRID, .factors = 2, .level = none}, "no points");
    refused((struct da_design_plan){.kind = DA_LHS, .factors = 2}, "no points");
    refused((struct da_design_plan){.kind = DA_LHS, .points = 2}, "at least one parameter");
    refused((struct da_design_plan){.kind = DA_LHS, .factors = 1, .points = SIZE_MAX}, "more than");
    refused((struct da_design_plan){.kind = DA_LIST, .factors = 1, .points = 1}, "no design");
}

static void test_memory(void)
{
    static const enum da_design kinds[] = {DA_LHS, DA_MORRIS};
    for (size_t i = 0; i < 2; i++) {
        double u[64];
        struct dc_error error = {0};
        struct da_design_plan plan = {
            .kind = kinds[i], .factors = 2, .points = 8, .base = 4, .levels = 4};
        dc_mem_budget(0);
        CU_ASSERT_EQUAL(da_design_make(&plan, u, &error), DC_ERR_IO);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT(strstr(error.text, "out of memory") != NULL);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"grid", test_grid},
        {"latin hypercube", test_lhs},
        {"scrambled sobol is a net", test_sobol_net},
        {"scrambles are uniform", test_sobol_uniform},
        {"scrambles are matrices", test_sobol_matrix},
        {"sobol integrates", test_sobol_integrates},
        {"longer designs begin with shorter ones", test_prefixes},
        {"saltelli", test_saltelli},
        {"morris", test_morris},
        {"refusals", test_refusals},
        {"out of memory", test_memory},
    };
    return TEST_MAIN("designs", cases);
}
