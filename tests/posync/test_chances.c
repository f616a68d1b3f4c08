/* Proof of Sync, what is left to chance, against closed forms (models/README.md 15).
 *
 * Levels: each comparison is made at 0.0001; there are about a hundred in this file, so a right
 * program fails with a probability of about one in a hundred over all choices of beacons, and these
 * are 1, 2, 3 ... */
#include "models/base/rng.h"
#include "models/service/storage.h"
#include "tests/posync/plain.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <stdlib.h>

static const double level = 0.0001;

static struct dc_hash beacon_of(uint64_t n)
{
    uint8_t text[8];
    dc_put64(text, n);
    return dc_hash_bytes(DC_DOMAIN_TEST, text, sizeof text);
}

/* Q1.31 chances as the exact fractions that they are. */
static double real(dc_q31 q)
{
    return dc_q31_to_double(q);
}

static void test_audit_coin(void)
{
    static const uint32_t rho_ppm[] = {0, 5000, 100000, 500000, 1000000};
    struct dc_posync r = {.u = DC_ONE, .u_defined = 1};
    for (size_t k = 0; k < sizeof rho_ppm / sizeof rho_ppm[0]; k++) {
        struct dc_params p = {.theta = DC_ONE / 2, .audit = dc_q31_from_ppm(rho_ppm[k])};
        uint64_t n = 0, repeated = 0, both = 0;
        for (uint64_t e = 1; e <= 50; e++) {
            struct dc_hash beacon = beacon_of(e);
            for (uint32_t id = 0; id < 2000; id++) {
                bool now = plain_causes(&p, &r, id, e, &beacon) == DC_CAUSE_AUDIT;
                n += now;
                repeated += now && id > 0;
                both += now && id > 0 && plain_causes(&p, &r, id - 1, e, &beacon) != 0;
            }
        }
        CU_ASSERT(test_binomial_fits(n, 100000, real(p.audit), level));
        if (repeated != 0) /* neighbours are independent */
            CU_ASSERT(test_binomial_fits(both, repeated, real(p.audit), level));
    }
}

/* A node below theta is challenged with probability rho + (1 - rho) pi, by either coin alone. */
static void test_soft_theta(void)
{
    static const uint32_t pi_ppm[] = {0, 100000, 500000, 900000};
    struct dc_posync r = {.u = DC_ONE / 2 - 1, .u_defined = 1};
    for (size_t k = 0; k < 4; k++) {
        struct dc_params p = {.theta = DC_ONE / 2,
                              .audit = dc_q31_from_ppm(100000),
                              .soft = dc_q31_from_ppm(pi_ppm[k])};
        uint64_t any = 0, theta = 0, audit = 0;
        for (uint64_t e = 1; e <= 20; e++) {
            struct dc_hash beacon = beacon_of(e);
            for (uint32_t id = 0; id < 2000; id++) {
                uint8_t c = plain_causes(&p, &r, id, e, &beacon);
                any += c != 0;
                theta += (c & DC_CAUSE_THETA) != 0;
                audit += (c & DC_CAUSE_AUDIT) != 0;
            }
        }
        double pi = real(p.soft), rho = real(p.audit);
        CU_ASSERT(test_binomial_fits(any, 40000, rho + (1 - rho) * pi, level));
        CU_ASSERT(test_binomial_fits(theta, 40000, pi, level));
        CU_ASSERT(test_binomial_fits(audit, 40000, rho, level));
    }
}

/* N [1 - (1 - pi F_u(theta-)) (1 - rho)] challenges an epoch, over a grid of theta, pi and rho,
 * with utilisations in steps of 1/50 so that theta falls on some of them: what equals it is not
 * below. */
static void test_challenges_per_epoch(void)
{
    enum { N = 1000, EPOCHS = 40 };
    static const uint32_t pi_ppm[] = {1000000, 400000}, rho_ppm[] = {5000, 100000};
    for (uint32_t t = 0; t <= 10; t++)
        for (int v = 0; v < 4; v++) {
            struct dc_params p = {.theta = dc_q31_from_ppm(t * 100000),
                                  .soft = dc_q31_from_ppm(pi_ppm[v % 2]),
                                  .audit = dc_q31_from_ppm(rho_ppm[v / 2])};
            uint64_t challenges = 0, below = 0;
            for (uint64_t e = 1; e <= EPOCHS; e++) {
                struct dc_hash beacon = beacon_of(1000 * t + e);
                for (uint32_t id = 0; id < N; id++) {
                    struct dc_posync r = {.u = dc_q31_from_ppm(id % 50 * 20000), .u_defined = 1};
                    challenges += plain_causes(&p, &r, id, e, &beacon) != 0;
                }
            }
            for (uint32_t id = 0; id < N; id++)
                below += id % 50 * 20000 < t * 100000;
            double f = (double)below / N, pi = real(p.soft), rho = real(p.audit);
            double mean = (double)N * EPOCHS * (1 - (1 - pi * f) * (1 - rho));
            double one = 1 - (1 - pi) * (1 - rho); /* of a node below theta */
            double variance =
                (double)N * EPOCHS * (f * one * (1 - one) + (1 - f) * rho * (1 - rho));
            CU_ASSERT(fabs((double)challenges - mean) <= 3.89 * sqrt(variance) + 0.5);
        }
}

/* Each member of T(e) is drawn exactly once in the window and all heights are equally likely,
 * though a new R_f comes only every third height; two nodes fall on one height by chance alone. */
static void test_drawn_once(void)
{
    struct dc_params p = {.epoch_blocks = 60};
    uint32_t first, last;
    uint64_t count[64] = {0}, second[64] = {0}, together = 0, epochs = 400, nodes = 50;
    dc_posync_draw_window(&p, false, &first, &last);
    CU_ASSERT_EQUAL(last, 39);
    for (uint64_t e = 1; e <= epochs; e++) {
        uint64_t before = UINT64_MAX;
        for (uint32_t id = 0; id < nodes; id++) {
            uint32_t at = UINT32_MAX, draws = 0;
            for (uint32_t h = first; h <= last && draws == 0; h++) {
                struct dc_hash beacon = beacon_of((60 * e + h) / 3);
                if (plain_drawn(&beacon, id, 60 * e + h, last - h + 1)) {
                    at = h;
                    draws++;
                }
            }
            CU_ASSERT_EQUAL_FATAL(draws, 1);
            count[at]++;
            second[e % 2 == 0 ? at : 63] += 1;
            together += at == before;
            before = at;
        }
    }
    CU_ASSERT(test_chi_square_uniform(count, 40, level));
    CU_ASSERT(test_chi_square_uniform(second, 40, level));
    CU_ASSERT(test_binomial_fits(together, epochs * (nodes - 1), 1.0 / 40, level));
}

static void test_verifiers(void)
{
    struct dc_params p = {.verifiers = 3};
    static const uint32_t member[10] = {2, 3, 5, 7, 11, 13, 17, 19, 23, 29};
    uint64_t seat[10] = {0}, pair[100] = {0}, ordered[72];
    for (uint64_t e = 1; e <= 30000; e++) {
        struct dc_hash nonce = beacon_of(e);
        uint32_t out[DC_VERIFIERS_MAX], place[3] = {0};
        CU_ASSERT_EQUAL_FATAL(dc_posync_verifiers_draw(p.verifiers, &nonce, 7, member, 10, out), 3);
        for (int i = 0; i < 3; i++) {
            CU_ASSERT_FATAL(out[i] != 7);
            while (place[i] < 10 && member[place[i]] != out[i])
                place[i]++;
            CU_ASSERT_FATAL(place[i] < 10);
            seat[place[i]]++;
        }
        CU_ASSERT_FATAL(out[0] != out[1] && out[0] != out[2] && out[1] != out[2]);
        pair[10 * place[0] + place[2]]++;
    }
    CU_ASSERT_EQUAL(seat[3], 0);
    seat[3] = seat[9];
    CU_ASSERT(test_chi_square_uniform(seat, 9, level));
    size_t n = 0;
    for (uint32_t i = 0; i < 100; i++)
        if (i / 10 != i % 10 && i / 10 != 3 && i % 10 != 3)
            ordered[n++] = pair[i];
    CU_ASSERT_EQUAL(n, 72);
    CU_ASSERT(test_chi_square_uniform(ordered, 72, level)); /* every ordered pair of places */
}

/* Fewer candidates than verifiers: all of them, once each; none at all: none. */
static void test_verifiers_few(void)
{
    static const uint32_t member[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
    struct dc_params p = {.verifiers = DC_VERIFIERS_MAX};
    for (uint32_t count = 0; count <= 9; count++)
        for (uint32_t id = 0; id < 10; id++)
            for (uint64_t e = 1; e <= 20; e++) {
                struct dc_hash nonce = beacon_of(e);
                uint32_t out[DC_VERIFIERS_MAX], others = count - (id < count), seen = 0;
                uint8_t n = dc_posync_verifiers_draw(p.verifiers, &nonce, id, member, count, out);
                CU_ASSERT_EQUAL(n, others < DC_VERIFIERS_MAX ? others : DC_VERIFIERS_MAX);
                for (uint8_t i = 0; i < n; i++) {
                    CU_ASSERT(out[i] < count && out[i] != id && (seen & 1u << out[i]) == 0);
                    seen |= 1u << out[i];
                }
            }
}

static void test_samples(void)
{
    uint64_t count[100] = {0}, pair[100] = {0}, sample[255];
    for (uint64_t e = 1; e <= 4000; e++) {
        struct dc_hash nonce = beacon_of(e);
        dc_posync_samples(&nonce, 100, 25, sample);
        for (int i = 0; i < 25; i++) {
            CU_ASSERT_FATAL(sample[i] < 100);
            count[sample[i]]++;
        }
        pair[sample[0] % 10 * 10 + sample[24] % 10]++; /* with replacement: independent */
    }
    CU_ASSERT(test_chi_square_uniform(count, 100, level));
    CU_ASSERT(test_chi_square_uniform(pair, 100, level));
    /* a limit that does not divide 2^64 by far: multiplication alone would favour one in two */
    const uint64_t wide = (uint64_t)3 << 62;
    uint64_t third[3] = {0};
    for (uint64_t e = 1; e <= 200; e++) {
        struct dc_hash nonce = beacon_of(e);
        dc_posync_samples(&nonce, wide, 255, sample);
        for (int i = 0; i < 255; i++) {
            CU_ASSERT_FATAL(sample[i] < wide);
            third[sample[i] % 3]++;
        }
        uint64_t again[255];
        dc_posync_samples(&nonce, wide, 10, again); /* a part of the longer challenge */
        CU_ASSERT_EQUAL(memcmp(again, sample, 10 * sizeof sample[0]), 0);
    }
    CU_ASSERT(test_chi_square_uniform(third, 3, level));
}

static void test_k_max_chance(void)
{
    struct dc_params p = {
        .k = 8, .k_min = 4, .k_max = 32, .rigor = 2, .k_max_chance = dc_q31_from_ppm(100000)};
    struct dc_posync r = {0};
    uint64_t hard = 0, plain = 0;
    for (uint64_t e = 1; e <= 50000; e++) {
        struct dc_hash nonce = beacon_of(e);
        uint8_t k = plain_difficulty(&p, &r, DC_CAUSE_AUDIT, &nonce);
        hard += k == 32;
        plain += k == 8;
    }
    CU_ASSERT_EQUAL(hard + plain, 50000);
    CU_ASSERT(test_binomial_fits(hard, 50000, real(p.k_max_chance), level));
}

/* Nonces of nodes and heights do not repeat. */
static int compare_hash(const void *a, const void *b)
{
    return dc_hash_compare(a, b);
}
static void test_nonces(void)
{
    enum { N = 20000 };
    struct dc_hash *h = malloc(N * sizeof *h);
    uint32_t n = 0;
    for (uint64_t e = 1; e <= 2; e++) {
        struct dc_hash beacon = beacon_of(e);
        for (uint32_t id = 0; id < 100; id++)
            for (uint64_t height = 0; height < 100; height++)
                h[n++] = dc_posync_nonce(&beacon, id, height);
    }
    qsort(h, N, sizeof *h, compare_hash);
    for (uint32_t i = 1; i < N; i++)
        CU_ASSERT_FATAL(!dc_hash_equal(&h[i - 1], &h[i]));
    free(h);
}

/* --- possession ------------------------------------------------------------------------------- */

static const uint64_t terabyte_chunks = (uint64_t)1 << 28;

static bool passes(uint64_t seed, dc_q31 missing, uint32_t k)
{
    struct dc_disk disk = {.key = dc_mix64(seed), .missing = missing};
    struct dc_hash beacon = beacon_of(seed), nonce = dc_posync_nonce(&beacon, 5, seed);
    uint64_t sample[255];
    bool ok = true;
    dc_posync_samples(&nonce, terabyte_chunks, k, sample);
    for (uint32_t i = 0; i < k; i++)
        ok = ok && dc_disk_has(&disk, sample[i]);
    return ok;
}

/* Pass probability at missing fraction f: (1 - f)^k. */
static void test_pass_probability(void)
{
    static const uint32_t f_ppm[] = {0, 10000, 100000, 300000, 500000, 1000000};
    static const uint32_t ks[] = {1, 4, 8, 32};
    for (size_t i = 0; i < sizeof f_ppm / sizeof f_ppm[0]; i++)
        for (size_t j = 0; j < 4; j++) {
            dc_q31 f = dc_q31_from_ppm(f_ppm[i]);
            uint64_t passed = 0;
            for (uint64_t seed = 1; seed <= 5000; seed++)
                passed += passes(seed + 100000 * (i * 4 + j), f, ks[j]);
            CU_ASSERT(test_binomial_fits(passed, 5000, pow(1 - real(f), ks[j]), level));
        }
}

/* Challenges until one that lacks f is caught: geometric, success 1 - (1-f)^k.  f = 0.1, k = 8. */
static void test_until_caught(void)
{
    enum { CELLS = 7, RUNS = 6000 };
    dc_q31 f = dc_q31_from_ppm(100000);
    double caught = 1 - pow(1 - real(f), 8), left = RUNS, expected[CELLS];
    uint64_t count[CELLS] = {0};
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        uint32_t n = 0;
        while (n < CELLS - 1 && passes(1000 * seed + n, f, 8))
            n++;
        count[n]++;
    }
    for (int i = 0; i < CELLS; i++) {
        expected[i] = i == CELLS - 1 ? left : left * caught;
        left -= expected[i];
    }
    CU_ASSERT(test_chi_square_fits(count, expected, CELLS, level));
}

/* --- ejection --------------------------------------------------------------------------------- */

/* One of Wald's tests to its end; true: ejects. */
static bool sprt_run(const struct dc_params *p, struct dc_stream *s, dc_q31 rate)
{
    struct dc_posync r = {0};
    for (;;) {
        if (dc_posync_sprt(p, &r, dc_next64(s) >> 33 < rate))
            return true;
        if (r.sprt_q16 == 0)
            return false;
    }
}

/* Error rates at p0 and p1 are at most alpha / (1 - beta) and beta / (1 - alpha) (Wald 1947, 3:31),
 * and nearer to the truth than to nothing: overshoot at these rates costs less than a factor 8. */
static void test_sprt_error_rates(void)
{
    enum { RUNS = 40000 };
    struct dc_params p = {.sprt_p0 = dc_q31_from_ppm(30000),
                          .sprt_p1 = DC_ONE / 2,
                          .sprt_alpha = dc_q31_from_ppm(10000),
                          .sprt_beta = dc_q31_from_ppm(20000)};
    struct dc_stream s = dc_stream(1, dc_name("chances"), dc_name("sprt"));
    uint64_t wrong = 0, missed = 0;
    for (int i = 0; i < RUNS; i++)
        wrong += sprt_run(&p, &s, p.sprt_p0);
    for (int i = 0; i < RUNS; i++)
        missed += !sprt_run(&p, &s, p.sprt_p1);
    double alpha = real(p.sprt_alpha) / (1 - real(p.sprt_beta));
    double beta = real(p.sprt_beta) / (1 - real(p.sprt_alpha));
    CU_ASSERT(test_binomial_at_least(wrong, RUNS, alpha) > level);
    CU_ASSERT(test_binomial_at_least(missed, RUNS, beta) > level);
    CU_ASSERT(test_binomial_at_most(wrong, RUNS, alpha / 8) > level);
    CU_ASSERT(test_binomial_at_most(missed, RUNS, beta / 8) > level);
    CU_ASSERT(wrong > 0 && missed > 0);
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {
        {"audit coin", test_audit_coin},
        {"soft theta", test_soft_theta},
        {"challenges per epoch", test_challenges_per_epoch},
        {"drawn once", test_drawn_once},
        {"verifiers", test_verifiers},
        {"few verifiers", test_verifiers_few},
        {"samples", test_samples},
        {"k_max chance", test_k_max_chance},
        {"nonces", test_nonces},
        {"pass probability", test_pass_probability},
        {"until caught", test_until_caught},
        {"sprt error rates", test_sprt_error_rates},
    };
    return TEST_MAIN("chances", cases);
}
