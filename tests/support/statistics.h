/* Tests of hypotheses for statistical tests: exact binomial, Pearson's chi-square.  All say whether
 * the data fit at a stated level; a test fails a right program with at most that probability over
 * choices of seeds, and seeds are 1..n, so a run either always passes or never does. */
#ifndef TESTS_SUPPORT_STATISTICS_H
#define TESTS_SUPPORT_STATISTICS_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline double test_binomial_log(uint64_t k, uint64_t n, double p)
{
    return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1) +
           (double)k * log(p) + (double)(n - k) * log1p(-p);
}
/* P(X <= k) of a binomial, 0 < p < 1.  Terms are added from k downwards until they vanish. */
static inline double test_binomial_at_most(uint64_t k, uint64_t n, double p)
{
    if (k >= n)
        return 1.0;
    if ((double)k > (double)n * p) { /* the short side */
        double sum = 0;
        for (uint64_t i = k + 1; i <= n; i++) {
            double term = exp(test_binomial_log(i, n, p));
            sum += term;
            if (term < 1e-18)
                break;
        }
        return 1.0 - sum;
    }
    double sum = 0;
    for (uint64_t i = k + 1; i-- > 0;) {
        double term = exp(test_binomial_log(i, n, p));
        sum += term;
        if (term < 1e-18)
            break;
    }
    return sum;
}
static inline double test_binomial_at_least(uint64_t k, uint64_t n, double p)
{
    return k == 0 ? 1.0 : test_binomial_at_most(n - k, n, 1.0 - p);
}
/* k successes of n fit probability p: two-sided, half the level on each side. */
static inline bool test_binomial_fits(uint64_t k, uint64_t n, double p, double level)
{
    if (p <= 0.0 || p >= 1.0)
        return k == (p <= 0.0 ? 0 : n);
    return test_binomial_at_most(k, n, p) > level / 2 &&
           test_binomial_at_least(k, n, p) > level / 2;
}

/* P(chi-square with df degrees >= x): the regularised upper incomplete gamma function, by its
 * series below the mean and Lentz's continued fraction above (Abramowitz and Stegun 6.5.29,
 * 6.5.31). */
static inline double test_chi_square_tail(double x, double df)
{
    double a = df / 2, y = x / 2;
    if (y <= 0)
        return 1.0;
    double head = exp(a * log(y) - y - lgamma(a));
    if (y < a + 1) {
        double term = 1 / a, sum = term;
        for (int i = 1; i < 100000 && term > sum * 1e-16; i++) {
            term *= y / (a + i);
            sum += term;
        }
        return 1.0 - head * sum;
    }
    double b = y + 1 - a, c = 1e300, d = 1 / b, h = d;
    for (int i = 1; i < 100000; i++) {
        double an = -i * (i - a);
        b += 2;
        d = 1 / (an * d + b);
        c = b + an / c;
        double step = c * d;
        h *= step;
        if (fabs(step - 1) < 1e-15)
            break;
    }
    return head * h;
}
/* Counts fit expected numbers (both add up to the same): Pearson with cells - 1 degrees. */
static inline bool test_chi_square_fits(const uint64_t *count, const double *expected, size_t cells,
                                        double level)
{
    double x = 0;
    for (size_t i = 0; i < cells; i++)
        x += ((double)count[i] - expected[i]) * ((double)count[i] - expected[i]) / expected[i];
    return test_chi_square_tail(x, (double)cells - 1) > level;
}
/* Likewise with all cells equally likely. */
static inline bool test_chi_square_uniform(const uint64_t *count, size_t cells, double level)
{
    double total = 0, x = 0;
    for (size_t i = 0; i < cells; i++)
        total += (double)count[i];
    double expected = total / (double)cells;
    for (size_t i = 0; i < cells; i++)
        x += ((double)count[i] - expected) * ((double)count[i] - expected) / expected;
    return test_chi_square_tail(x, (double)cells - 1) > level;
}

#endif
