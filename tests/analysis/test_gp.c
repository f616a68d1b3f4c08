/* Gaussian processes against formulas done another way: numbers of a three-point example (by numpy,
 * from the definition), a Gauss-Jordan inverse, points really left out, finite differences, and the
 * share of truths inside prediction intervals. */
#include <math.h>
#include <string.h>

#include "analysis/gp.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

enum { N = 12, D = 3 };

static double uniform(struct dc_stream *s)
{
    return ((double)(dc_next64(s) >> 11) + 0.5) * 0x1p-53;
}

static double normal(struct dc_stream *s)
{
    double u = uniform(s);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * uniform(s));
}

static struct da_gp fit(const struct da_gp_data *data)
{
    struct da_gp gp;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(da_gp_fit(data, NULL, &gp, &error), DC_OK);
    return gp;
}

static struct da_gp condition(const struct da_gp_data *data, const struct da_gp_hyper *hyper)
{
    struct da_gp gp;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(da_gp_condition(data, hyper, &gp, &error), DC_OK);
    return gp;
}

static void test_three_points(void)
{
    static const double x[] = {0, 0.4, 1}, y[] = {1, 3, -2}, noise[] = {0.1, 0.2, 0.3};
    static const struct {
        double x, mean, variance;
    } want[] = {
        {0.2, 2.262195031777013, 0.4095197334768638},
        {0.4, 2.7895901542077652, 0.21289961313823766},
        {0.7, 0.75724205782629, 1.1122459513642058},
        {2.0, -0.5729368742358862, 9.090227736165867},
    };
    struct da_gp_data data = {.count = 3, .inputs = 1, .x = x, .y = y, .noise = noise};
    struct da_gp_hyper hyper = {{log(0.5)}, log(1.5), -5};
    struct da_gp gp = condition(&data, &hyper);
    double work[3];
    CU_ASSERT_DOUBLE_EQUAL(gp.mean, -0.15205149628381745, 1e-9);
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        struct da_gp_guess guess = da_gp_predict(&gp, &want[i].x, work);
        CU_ASSERT_DOUBLE_EQUAL(guess.mean, want[i].mean, 1e-9);
        CU_ASSERT_DOUBLE_EQUAL(guess.variance, want[i].variance, 1e-9);
    }
    da_gp_free(&gp);
}

/* ---- another way ----------------------------------------------------------------------------- */

/* Inverse and log determinant by Gauss and Jordan, without pivoting (positive definite). */
static double invert(double *a, double *inverse, size_t n)
{
    double log_det = 0;
    for (size_t i = 0; i < n * n; i++)
        inverse[i] = i % (n + 1) == 0;
    for (size_t p = 0; p < n; p++) {
        double pivot = a[p * n + p];
        log_det += log(pivot);
        for (size_t c = 0; c < n; c++) {
            a[p * n + c] /= pivot;
            inverse[p * n + c] /= pivot;
        }
        for (size_t r = 0; r < n; r++) {
            double f = a[r * n + p];
            for (size_t c = 0; r != p && c < n; c++) {
                a[r * n + c] -= f * a[p * n + c];
                inverse[r * n + c] -= f * inverse[p * n + c];
            }
        }
    }
    return log_det;
}

struct example {
    double x[N * D], y[N], noise[N], shared[N * N], inverse[N * N], log_det, mean, scale, ones;
    bool words[D];
    struct da_gp_data data;
    struct da_gp_hyper hyper;
};

static double covariance(const struct example *e, const double *a, const double *b)
{
    double square = 0, differ = 0;
    for (size_t j = 0; j < D; j++) {
        if (e->words[j])
            differ += a[j] == b[j] ? 0 : 1 / exp(e->hyper.log_length[j]);
        else
            square += pow((a[j] - b[j]) / exp(e->hyper.log_length[j]), 2);
    }
    double r = sqrt(5 * square);
    return e->scale * e->scale * exp(e->hyper.log_signal) * (1 + r + r * r / 3) * exp(-r - differ);
}

static void make_example(struct example *e)
{
    struct dc_stream s = dc_stream(1, dc_name("test_gp"), 0);
    double common[N], square = 0, mean = 0;
    memset(e, 0, sizeof *e);
    e->words[2] = true;
    e->hyper = (struct da_gp_hyper){{log(0.4), log(1.1), log(0.7)}, log(1.3), log(0.01)};
    for (size_t i = 0; i < N; i++) {
        for (size_t j = 0; j < D; j++)
            e->x[i * D + j] = j == 2 ? (double)dc_next_below(&s, 3) : uniform(&s);
        e->y[i] = 5 + 3 * sin(6 * e->x[i * D]) + e->x[i * D + 1] + e->x[i * D + 2];
        e->noise[i] = 0.1 * uniform(&s);
        common[i] = uniform(&s);
        mean += e->y[i] / N;
    }
    for (size_t i = 0; i < N; i++)
        square += (e->y[i] - mean) * (e->y[i] - mean) / N;
    e->scale = sqrt(square);
    for (size_t i = 0; i < N * N; i++)
        e->shared[i] = 0.2 * common[i / N] * common[i % N];
    e->data = (struct da_gp_data){N, D, e->words, e->x, e->y, e->noise, e->shared};
    double k[N * N];
    for (size_t i = 0; i < N * N; i++)
        k[i] = covariance(e, &e->x[i / N * D], &e->x[i % N * D]) + e->shared[i] +
               (i % (N + 1) == 0 ? e->noise[i / N] + square * (0.01 + 1e-9) : 0);
    e->log_det = invert(k, e->inverse, N);
    double top = 0;
    for (size_t i = 0; i < N * N; i++) {
        top += e->inverse[i] * e->y[i % N];
        e->ones += e->inverse[i];
    }
    e->mean = top / e->ones;
}

/* Covariance of f at two places, given the data. */
static double posterior(const struct example *e, const double *a, const double *b)
{
    double c = covariance(e, a, b), ra = 1, rb = 1;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double ka = covariance(e, a, &e->x[i * D]), q = e->inverse[i * N + j];
            c -= ka * q * covariance(e, b, &e->x[j * D]);
            ra -= ka * q;
            rb -= covariance(e, b, &e->x[i * D]) * q;
        }
    return c + ra * rb / e->ones;
}

static void test_inverse(void)
{
    struct example e;
    make_example(&e);
    struct da_gp gp = condition(&e.data, &e.hyper);
    double work[N], at[D] = {0.3, 0.8, 1}, fit_term = 0;
    CU_ASSERT_DOUBLE_EQUAL(gp.mean, e.mean, 1e-9);
    double mean = e.mean;
    for (size_t i = 0; i < N; i++)
        for (size_t j = 0; j < N; j++) {
            double ki = covariance(&e, at, &e.x[i * D]), q = e.inverse[i * N + j];
            mean += ki * q * (e.y[j] - e.mean);
            fit_term += (e.y[i] - e.mean) * q * (e.y[j] - e.mean);
        }
    struct da_gp_guess guess = da_gp_predict(&gp, at, work);
    CU_ASSERT_DOUBLE_EQUAL(guess.mean, mean, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(guess.variance, posterior(&e, at, at), 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(gp.log_likelihood,
                           -0.5 * (fit_term + e.log_det - 2 * N * log(e.scale) + N * log(2 * M_PI)),
                           1e-8);
    da_gp_free(&gp);
}

static void test_gradient(void)
{
    struct example e;
    make_example(&e);
    double gradient[D + 2];
    double *at[D + 2] = {&e.hyper.log_length[0], &e.hyper.log_length[1], &e.hyper.log_length[2],
                         &e.hyper.log_signal, &e.hyper.log_nugget};
    (void)da_gp_likelihood(&e.data, &e.hyper, gradient);
    for (size_t i = 0; i < D + 2; i++) {
        double h = 1e-5, was = *at[i];
        *at[i] = was + h;
        double up = da_gp_likelihood(&e.data, &e.hyper, NULL);
        *at[i] = was - h;
        double down = da_gp_likelihood(&e.data, &e.hyper, NULL);
        *at[i] = was;
        CU_ASSERT_DOUBLE_EQUAL(gradient[i], (up - down) / (2 * h), 1e-5);
    }
}

/* A fit is no worse than the truth, and a longer search from it gains nothing to speak of. */
static void test_fit(void)
{
    struct example e;
    make_example(&e);
    struct da_gp gp = fit(&e.data), again;
    struct dc_error error = {0};
    CU_ASSERT(gp.log_likelihood > -0.5 * N * (1 + log(2 * M_PI))); /* better than one normal */
    CU_ASSERT_EQUAL(da_gp_fit(&e.data, &gp.hyper, &again, &error), DC_OK);
    CU_ASSERT_DOUBLE_EQUAL(again.log_likelihood, gp.log_likelihood, 0.05);
    da_gp_free(&again);
    CU_ASSERT_EQUAL(da_gp_fit(&e.data, NULL, &again, &error), DC_OK);
    CU_ASSERT_EQUAL(memcmp(&again.hyper, &gp.hyper, sizeof gp.hyper), 0);
    da_gp_free(&again);
    da_gp_free(&gp);
}

/* ---- is it as sure as it says? ---------------------------------------------------------------- */

enum { SEEN = 25, UNSEEN = 40, WORLDS = 40 };

/* Functions drawn from a process with lengths 0.3 and 0.6; known noise of different sizes. */
static int inside(uint64_t seed, bool known)
{
    enum { ALL = SEEN + UNSEEN };
    struct dc_stream s = dc_stream(seed, dc_name("calibration"), 0);
    struct da_gp_hyper hyper = {{log(0.3), log(0.6)}, 0, 0};
    static double x[ALL * 2], c[ALL * ALL], z[ALL], f[ALL];
    double y[SEEN], noise[SEEN], work[SEEN];
    for (size_t i = 0; i < ALL * 2; i++)
        x[i] = uniform(&s);
    for (size_t i = 0; i < ALL; i++) {
        z[i] = normal(&s);
        for (size_t j = 0; j <= i; j++) {
            double sum =
                da_gp_kernel(&hyper, 2, NULL, &x[2 * i], &x[2 * j], NULL) + (i == j ? 1e-8 : 0);
            for (size_t k = 0; k < j; k++)
                sum -= c[i * ALL + k] * c[j * ALL + k];
            c[i * ALL + j] = i == j ? sqrt(sum) : sum / c[j * ALL + j];
        }
        f[i] = 7;
        for (size_t k = 0; k <= i; k++)
            f[i] += 2 * c[i * ALL + k] * z[k];
    }
    for (size_t i = 0; i < SEEN; i++) {
        noise[i] = 0.1 * uniform(&s);
        y[i] = f[i] + sqrt(noise[i]) * normal(&s);
    }
    struct da_gp_data data = {SEEN, 2, NULL, x, y, noise, NULL};
    struct da_gp gp = fit(&data);
    int in = 0;
    if (known) {
        hyper.log_signal = log(4 / (gp.scale * gp.scale));
        hyper.log_nugget = -25;
        da_gp_free(&gp);
        gp = condition(&data, &hyper);
    }
    for (size_t i = SEEN; i < ALL; i++) {
        struct da_gp_guess guess = da_gp_predict(&gp, &x[2 * i], work);
        in += fabs(f[i] - guess.mean) < 1.6448536269514722 * sqrt(guess.variance);
    }
    da_gp_free(&gp);
    return in;
}

static void test_calibration(void)
{
    int fitted = 0, known = 0, all = WORLDS * UNSEEN;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        fitted += inside(seed, false);
        known += inside(seed, true);
    }
    /* What the data fill in is taken for granted: 25 points leave some percent of doubt about it. */
    printf("inside 90 %% intervals: %.1f %% (%.1f %% with known hyperparameters) ",
           100.0 * fitted / all, 100.0 * known / all);
    CU_ASSERT(known > 0.88 * all && known < 0.92 * all);
    CU_ASSERT(fitted > 0.80 * all && fitted < 0.93 * all);
}

static void test_paths(void)
{
    enum { PLACES = 4, PATHS = 20000 };
    struct example e;
    make_example(&e);
    struct da_gp gp = condition(&e.data, &e.hyper);
    static double out[PATHS * PLACES];
    double places[PLACES * D] = {0.1, 0.2, 0, 0.15, 0.2, 0, 0.9, 0.9, 2, 0.1, 0.2, 0};
    double work[N], together = 0;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(da_gp_paths(&gp, places, PLACES, PATHS, 1, 2, out, &error), DC_OK);
    for (size_t i = 0; i < PLACES; i++) {
        struct da_gp_guess guess = da_gp_predict(&gp, &places[i * D], work);
        double mean = 0, square = 0, sd = sqrt(guess.variance);
        for (size_t p = 0; p < PATHS; p++)
            mean += out[p * PLACES + i] / PATHS;
        for (size_t p = 0; p < PATHS; p++)
            square += pow(out[p * PLACES + i] - guess.mean, 2) / PATHS;
        CU_ASSERT_DOUBLE_EQUAL(mean, guess.mean, 5 * sd / sqrt(PATHS));
        CU_ASSERT_DOUBLE_EQUAL(square, guess.variance, 5 * guess.variance * sqrt(2.0 / PATHS));
    }
    for (size_t p = 0; p < PATHS; p++) {
        const double *row = &out[p * PLACES];
        together += (row[0] - row[1]) * (row[0] - row[1]) / PATHS;
        CU_ASSERT(fabs(row[0] - row[3]) < 1e-3); /* the same place twice */
    }
    double a = da_gp_predict(&gp, &places[0], work).variance;
    double b = da_gp_predict(&gp, &places[D], work).variance;
    double want =
        a + b - 2 * posterior(&e, &places[0], &places[D]) +
        pow(da_gp_predict(&gp, places, work).mean - da_gp_predict(&gp, &places[D], work).mean, 2);
    CU_ASSERT_DOUBLE_EQUAL(together, want, 0.1 * want);
    da_gp_free(&gp);
}

/* ---- little to go by ------------------------------------------------------------------------- */

static void test_one_point(void)
{
    double x = 0.5, y = 3, noise = 0.25, work[1], far = 0.9;
    struct da_gp gp = fit(&(struct da_gp_data){1, 1, NULL, &x, &y, &noise, NULL});
    struct da_gp_guess guess = da_gp_predict(&gp, &far, work);
    CU_ASSERT_DOUBLE_EQUAL(guess.mean, 3, 1e-9);
    CU_ASSERT(isfinite(guess.variance) && guess.variance > 0);
    da_gp_free(&gp);
}

static void test_duplicates(void)
{
    double x[] = {0.2, 0.2, 0.2, 0.8, 0.8}, y[] = {1, 1.2, 0.8, 4, 4}, work[5], at = 0.2;
    struct da_gp gp = fit(&(struct da_gp_data){5, 1, NULL, x, y, NULL, NULL});
    CU_ASSERT_DOUBLE_EQUAL(da_gp_predict(&gp, &at, work).mean, 1, 0.2);
    da_gp_free(&gp);
    double z[] = {1, 1, 1, 4, 4}; /* singular without a nugget */
    gp = condition(&(struct da_gp_data){5, 1, NULL, x, z, NULL, NULL},
                   &(struct da_gp_hyper){{-1}, 3, -25});
    CU_ASSERT_DOUBLE_EQUAL(da_gp_predict(&gp, &at, work).mean, 1, 1e-3);
    da_gp_free(&gp);
}

static void test_constant(void)
{
    double x[] = {0.1, 0.4, 0.9}, y[] = {1e6, 1e6, 1e6}, work[3], at = 0.6;
    struct da_gp gp = fit(&(struct da_gp_data){3, 1, NULL, x, y, NULL, NULL});
    struct da_gp_guess guess = da_gp_predict(&gp, &at, work);
    CU_ASSERT_DOUBLE_EQUAL(guess.mean, 1e6, 1e-3);
    CU_ASSERT(isfinite(guess.variance) && guess.variance >= 0);
    da_gp_free(&gp);
}

static void test_refused(void)
{
    double x[] = {0.1, 0.4}, y[] = {1, NAN};
    struct da_gp gp;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(
        da_gp_fit(&(struct da_gp_data){2, 1, NULL, x, y, NULL, NULL}, NULL, &gp, &error),
        DC_ERR_USAGE);
    CU_ASSERT(strstr(error.text, "finite") != NULL);
    da_gp_free(&gp);
}

static void test_memory(void)
{
    struct example e;
    make_example(&e);
    bool good = false;
    for (uint64_t budget = 0; budget < 20 && !good; budget++) {
        struct da_gp gp;
        struct dc_error error = {0};
        dc_mem_budget(budget);
        good = da_gp_fit(&e.data, NULL, &gp, &error) == DC_OK;
        CU_ASSERT(good || error.status == DC_ERR_IO);
        da_gp_free(&gp);
    }
    dc_mem_budget(UINT64_MAX);
    CU_ASSERT(good);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"three points", test_three_points},
        {"against an inverse", test_inverse},
        {"gradient", test_gradient},
        {"fit", test_fit},
        {"calibration", test_calibration},
        {"paths", test_paths},
        {"one point", test_one_point},
        {"duplicates", test_duplicates},
        {"constant", test_constant},
        {"refused", test_refused},
        {"memory", test_memory},
    };
    return TEST_MAIN("analysis/gp", cases);
}
