/* BFV: the transform against the schoolbook, rounding at its edges, homomorphisms on random values,
 * noise against its worst case, bytes changed everywhere, and frozen digests. */
#include "models/base/rng.h"
#include "models/crypto/bfv_impl.h"
#include "models/crypto/crypto.h"
#include "tests/support/harness.h"

#include <string.h>

static struct dc_bfv *bfv;
static struct dc_bfv_secret secret;
static struct dc_bfv_public key;
static const uint8_t seed[32] = "a client's own";
static const struct dc_hash common = {"what nobody chose"};

static struct dc_stream draws;

static void random_plain(struct dc_bfv_plain *out)
{
    for (uint32_t i = 0; i < BFV_N; i++)
        out->v[i] = (uint32_t)dc_next_below(&draws, DC_BFV_PLAIN);
}

static bool plain_equal(const struct dc_bfv_plain *a, const struct dc_bfv_plain *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Coefficients modulo t of a * b in the ring, the slow way. */
static void plain_product(const struct dc_bfv_plain *a, const struct dc_bfv_plain *b,
                          struct dc_bfv_plain *out)
{
    static int64_t sum[BFV_N];
    memset(sum, 0, sizeof sum);
    for (uint32_t i = 0; i < BFV_N; i++)
        for (uint32_t j = 0; j < BFV_N; j++)
            if (a->v[i] != 0 && b->v[j] != 0) {
                int64_t p = (int64_t)((uint64_t)a->v[i] * b->v[j] % DC_BFV_PLAIN);
                sum[(i + j) % BFV_N] += i + j < BFV_N ? p : -p;
            }
    for (uint32_t i = 0; i < BFV_N; i++)
        out->v[i] = dc_bfv_residue(sum[i]);
}

static void test_transform(void)
{
    static uint64_t a[BFV_N], b[BFV_N], fa[BFV_N], fb[BFV_N];
    const struct bfv_field *fields[3] = {&bfv->field[0], &bfv->field[1], &bfv->plain};
    for (int k = 0; k < 3; k++) {
        const uint64_t p = fields[k]->p;
        for (uint32_t i = 0; i < BFV_N; i++) {
            a[i] = dc_next_below(&draws, p);
            b[i] = i % 5 == 0 ? p - 1 : dc_next_below(&draws, p); /* the largest too */
        }
        memcpy(fa, a, sizeof a);
        memcpy(fb, b, sizeof b);
        dc_bfv_field_forward(fields[k], fa);
        dc_bfv_field_forward(fields[k], fb);
        for (uint32_t i = 0; i < BFV_N; i++)
            fa[i] = (uint64_t)((bfv_u128)fa[i] * fb[i] % p);
        dc_bfv_field_back(fields[k], fa);
        for (uint32_t at = 0; at < BFV_N; at += 61) { /* one coefficient of the convolution */
            bfv_u128 plus = 0, minus = 0;
            for (uint32_t i = 0; i < BFV_N; i++)
                if (i <= at)
                    plus = (plus + (bfv_u128)a[i] * b[at - i]) % p;
                else
                    minus = (minus + (bfv_u128)a[i] * b[BFV_N + at - i]) % p;
            CU_ASSERT_EQUAL(fa[at], (uint64_t)((plus + p - minus) % p));
        }
        dc_bfv_field_back(fields[k], fb);
        CU_ASSERT_EQUAL(memcmp(b, fb, sizeof b), 0);
    }
}

static void test_reductions(void)
{
    const uint64_t edge[] = {0, 1, 2, BFV_Q1 / 2, BFV_Q1 - 2, BFV_Q1 - 1};
    for (uint32_t k = 0; k < DC_BFV_PRIMES; k++) {
        const uint64_t p = bfv_prime[k], mu = bfv_mu(p);
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++)
                CU_ASSERT_EQUAL(bfv_mul(p - 1 - edge[i], edge[j], p, mu),
                                (uint64_t)((bfv_u128)(p - 1 - edge[i]) * edge[j] % p));
        for (int i = 0; i < 100000; i++) {
            uint64_t a = dc_next_below(&draws, p), b = dc_next_below(&draws, p),
                     x = dc_next64(&draws);
            CU_ASSERT_EQUAL(bfv_mul(a, b, p, mu), (uint64_t)((bfv_u128)a * b % p));
            uint64_t lazy = bfv_mul_lazy(x, b, bfv_shoup(b, p), p);
            CU_ASSERT(lazy < 2 * p && lazy % p == (uint64_t)((bfv_u128)x * b % p));
        }
        CU_ASSERT_EQUAL(p % (2 * BFV_N), 1);
        CU_ASSERT_EQUAL(p % DC_BFV_PLAIN, 1);
    }
}

/* x = delta m + e for chosen m and e, with e as far from 0 as rounding allows. */
static void test_rounding(void)
{
    const bfv_u128 q = (bfv_u128)BFV_Q0 * BFV_Q1, delta = (q - 1) / DC_BFV_PLAIN;
    static struct dc_bfv_poly x;
    static struct dc_bfv_plain want, got;
    const __int128 most = (__int128)(delta / 2) - 1;
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < BFV_N; i++) {
            __int128 e = round == 0   ? (i % 2 ? most : -most)
                         : round == 1 ? (__int128)(i % 3) - 1
                                      : (__int128)(dc_next64(&draws) >> (i % 40)) - 1000;
            want.v[i] = i < 8    ? 0
                        : i < 16 ? DC_BFV_PLAIN - 1
                                 : (uint32_t)dc_next_below(&draws, DC_BFV_PLAIN);
            __int128 whole = (__int128)(want.v[i] * delta) + e;
            bfv_u128 v = (bfv_u128)(whole < 0 ? whole + (__int128)q : whole) % q;
            x.v[0][i] = (uint64_t)(v % BFV_Q0);
            x.v[1][i] = (uint64_t)(v % BFV_Q1);
        }
        dc_bfv_forward(bfv, &x);
        uint32_t bits = dc_bfv_round(bfv, &x, &got);
        CU_ASSERT(plain_equal(&want, &got));
        CU_ASSERT_EQUAL(bits, round == 0 ? 91u : round == 1 ? 1u : 64u);
    }
}

static void test_round_trip(void)
{
    static struct dc_bfv_plain m, got;
    static struct dc_bfv_ciphertext c, again;
    for (int i = 0; i < 50; i++) {
        random_plain(&m);
        if (i == 0)
            memset(&m, 0, sizeof m);
        for (uint32_t j = 0; i == 1 && j < BFV_N; j++)
            m.v[j] = DC_BFV_PLAIN - 1;
        dc_bfv_encrypt(bfv, &key, &m, seed, &c);
        dc_bfv_decrypt(bfv, &secret, &c, &got);
        CU_ASSERT(plain_equal(&m, &got));
        CU_ASSERT(dc_bfv_budget(bfv, &secret, &c) >= DC_BFV_DELTA_BITS - 1 - 18); /* worst case */
    }
    dc_bfv_encrypt(bfv, &key, &m, seed, &again);
    CU_ASSERT_EQUAL(memcmp(&c, &again, sizeof c), 0); /* a function of its arguments */
    m.v[7] ^= 1;
    dc_bfv_encrypt(bfv, &key, &m, seed, &again);
    uint32_t same = 0; /* another message has other draws in all of it */
    for (uint32_t j = 0; j < BFV_N; j++)
        same += c.c[1].v[0][j] == again.c[1].v[0][j];
    CU_ASSERT_EQUAL(same, 0);
}

static void test_wrong_key(void)
{
    static struct dc_bfv_plain m, got;
    static struct dc_bfv_ciphertext c;
    static struct dc_bfv_secret other;
    static const uint8_t other_seed[32] = "a client's own ";
    dc_bfv_secret_make(bfv, other_seed, &other);
    random_plain(&m);
    dc_bfv_encrypt(bfv, &key, &m, seed, &c);
    dc_bfv_decrypt(bfv, &other, &c, &got);
    uint32_t same = 0;
    for (uint32_t j = 0; j < BFV_N; j++)
        same += m.v[j] == got.v[j];
    CU_ASSERT(same <= 3); /* 4096 / 65537 are expected */
    CU_ASSERT_EQUAL(dc_bfv_budget(bfv, &other, &c), 0);
}

static void test_sums(void)
{
    static struct dc_bfv_plain m, got, sum;
    static struct dc_bfv_ciphertext c, total;
    random_plain(&sum);
    dc_bfv_encrypt(bfv, &key, &sum, seed, &total);
    for (int i = 1; i < 64; i++) {
        random_plain(&m);
        dc_bfv_encrypt(bfv, &key, &m, seed, &c);
        if (i % 3 == 0)
            dc_bfv_sub(&total, &c);
        else if (i % 3 == 1)
            dc_bfv_add(&total, &c);
        else
            dc_bfv_add_plain(bfv, &total, &m);
        for (uint32_t j = 0; j < BFV_N; j++)
            sum.v[j] = dc_bfv_residue((int64_t)sum.v[j] + (i % 3 == 0 ? -1 : 1) * (int64_t)m.v[j]);
    }
    dc_bfv_decrypt(bfv, &secret, &total, &got);
    CU_ASSERT(plain_equal(&sum, &got));
    CU_ASSERT(dc_bfv_budget(bfv, &secret, &total) >= DC_BFV_DELTA_BITS - 1 - 18 - 6);
    const int32_t factors[] = {1, -1, 2, 77, -4096, 32768, -32768};
    for (int i = 0; i < 7; i++) {
        c = total;
        dc_bfv_scale(&c, factors[i]);
        dc_bfv_decrypt(bfv, &secret, &c, &got);
        for (uint32_t j = 0; j < BFV_N; j++)
            CU_ASSERT_EQUAL(got.v[j], dc_bfv_residue((int64_t)sum.v[j] * factors[i]));
    }
    dc_bfv_scale(&total, 0);
    dc_bfv_decrypt(bfv, &secret, &total, &got);
    memset(&sum, 0, sizeof sum);
    CU_ASSERT(plain_equal(&sum, &got));
}

static void test_products(void)
{
    static struct dc_bfv_plain m, w, got, want;
    static struct dc_bfv_ciphertext c;
    static struct dc_bfv_poly factor;
    for (int i = 0; i < 3; i++) {
        random_plain(&m);
        random_plain(&w);
        for (uint32_t j = 0; i == 1 && j < BFV_N; j++) /* the worst: all as large as can be */
            w.v[j] = j % 2 ? DC_BFV_PLAIN / 2 : DC_BFV_PLAIN / 2 + 1;
        dc_bfv_encrypt(bfv, &key, &m, seed, &c);
        dc_bfv_factor(bfv, &w, &factor);
        dc_bfv_multiply(&c, &factor);
        dc_bfv_decrypt(bfv, &secret, &c, &got);
        plain_product(&m, &w, &want);
        CU_ASSERT(plain_equal(&want, &got));
        /* 17.4 bits of a fresh one, times 4096 coefficients of 15 bits: at most 45 */
        CU_ASSERT(dc_bfv_budget(bfv, &secret, &c) >= DC_BFV_DELTA_BITS - 1 - 45);
    }
    dc_bfv_drown(bfv, &key, 82, seed, &c);
    dc_bfv_decrypt(bfv, &secret, &c, &got);
    CU_ASSERT(plain_equal(&want, &got));
    uint32_t budget = dc_bfv_budget(bfv, &secret, &c);
    CU_ASSERT(budget >= 8 && budget <= 10);
}

static void test_slots(void)
{
    static struct dc_bfv_plain m, w;
    static struct dc_bfv_ciphertext c;
    static struct dc_bfv_poly factor;
    static uint32_t a[BFV_N], b[BFV_N], got[BFV_N];
    for (uint32_t j = 0; j < BFV_N; j++) {
        a[j] = (uint32_t)dc_next_below(&draws, DC_BFV_PLAIN);
        b[j] = (uint32_t)dc_next_below(&draws, DC_BFV_PLAIN);
    }
    dc_bfv_slots_encode(bfv, a, &m);
    dc_bfv_slots_decode(bfv, &m, got);
    CU_ASSERT_EQUAL(memcmp(a, got, sizeof a), 0);
    dc_bfv_encrypt(bfv, &key, &m, seed, &c);
    dc_bfv_slots_encode(bfv, b, &w);
    dc_bfv_factor(bfv, &w, &factor);
    dc_bfv_multiply(&c, &factor);
    dc_bfv_add_plain(bfv, &c, &m);
    dc_bfv_decrypt(bfv, &secret, &c, &m);
    dc_bfv_slots_decode(bfv, &m, got);
    for (uint32_t j = 0; j < BFV_N; j++)
        CU_ASSERT_EQUAL(got[j], ((uint64_t)a[j] * b[j] + a[j]) % DC_BFV_PLAIN);
}

static void test_draws(void)
{
    static int32_t small[BFV_N];
    static __int128 wide[BFV_N];
    uint64_t squares = 0, count[3] = {0};
    int32_t sum = 0, most = 0;
    for (uint64_t k = 0; k < 50; k++) {
        uint8_t text[8];
        dc_put64(text, k);
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, text, 8);
        memset(small, 0, sizeof small);
        dc_bfv_draw_errors(&h, BFV_USE_ERRORS, small);
        for (uint32_t j = 0; j < BFV_N; j++) {
            squares += (uint64_t)(small[j] * small[j]);
            sum += small[j];
            most = small[j] > most ? small[j] : most;
        }
        dc_bfv_draw_ternary(&h, BFV_USE_SECRET, small);
        for (uint32_t j = 0; j < BFV_N; j++)
            count[small[j] + 1]++;
        memset(wide, 0, sizeof wide);
        dc_bfv_draw_wide(&h, BFV_USE_SMUDGE, 80, wide);
        const __int128 half = (__int128)1 << 79;
        bool upper = false, lower = false;
        for (uint32_t j = 0; j < BFV_N; j++) {
            CU_ASSERT(wide[j] >= -half && wide[j] < half);
            upper |= wide[j] > half / 8 * 7;
            lower |= wide[j] < -half / 8 * 7;
        }
        CU_ASSERT(upper && lower);
    }
    double variance = (double)squares / (50.0 * BFV_N), mean = sum / (50.0 * BFV_N);
    CU_ASSERT(variance > 10.5 * 0.98 && variance < 10.5 * 1.02); /* 42 coins: 10.5 */
    CU_ASSERT(mean > -0.05 && mean < 0.05);
    CU_ASSERT(most <= DC_BFV_ERROR_MAX && most >= 12);
    for (int k = 0; k < 3; k++)
        CU_ASSERT(count[k] > 50 * BFV_N / 3 - 1000 && count[k] < 50 * BFV_N / 3 + 1000);
}

static void test_bytes(void)
{
    static struct dc_bfv_plain m;
    static struct dc_bfv_ciphertext c, d;
    static struct dc_bfv_public other;
    static uint8_t bytes[DC_BFV_CIPHERTEXT_BYTES + 1], out[DC_BFV_CIPHERTEXT_BYTES];
    const size_t size = DC_BFV_CIPHERTEXT_BYTES;
    random_plain(&m);
    dc_bfv_encrypt(bfv, &key, &m, seed, &c);
    dc_bfv_ciphertext_encode(&c, bytes);
    CU_ASSERT(dc_bfv_ciphertext_decode(bytes, size, &d));
    CU_ASSERT_EQUAL(memcmp(&c, &d, sizeof c), 0);
    CU_ASSERT_FALSE(dc_bfv_ciphertext_decode(bytes, size - 1, &d));
    CU_ASSERT_FALSE(dc_bfv_ciphertext_decode(bytes, size + 1, &d));
    CU_ASSERT_FALSE(dc_bfv_ciphertext_decode(bytes, 0, &d));
    uint32_t refused = 0; /* a changed bit is refused, or read back as it was changed */
    for (uint32_t i = 0; i < 4000; i++) {
        uint64_t bit = dc_next_below(&draws, size * 8);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (dc_bfv_ciphertext_decode(bytes, size, &d)) {
            dc_bfv_ciphertext_encode(&d, out);
            CU_ASSERT_EQUAL(memcmp(out, bytes, size), 0);
            CU_ASSERT_NOT_EQUAL(memcmp(&c, &d, sizeof c), 0);
        } else {
            refused++;
        }
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT(refused < 20); /* the primes leave 2^-19 of 54 bits out */
    /* the prime itself, and all ones, at every place */
    for (uint32_t at = 0; at < 2 * DC_BFV_PRIMES * BFV_N; at += 173) {
        uint64_t *v = &c.c[at / (2 * BFV_N)].v[at / BFV_N % 2][at % BFV_N], kept = *v;
        const uint64_t p = bfv_prime[at / BFV_N % 2], bad[2] = {p, (UINT64_C(1) << 54) - 1};
        for (int k = 0; k < 2; k++) {
            *v = bad[k];
            dc_bfv_ciphertext_encode(&c, bytes);
            CU_ASSERT_FALSE(dc_bfv_ciphertext_decode(bytes, size, &d));
        }
        *v = p - 1;
        dc_bfv_ciphertext_encode(&c, bytes);
        CU_ASSERT(dc_bfv_ciphertext_decode(bytes, size, &d));
        *v = kept;
    }
    dc_bfv_public_encode(&key, bytes);
    CU_ASSERT(dc_bfv_public_decode(bfv, bytes, DC_BFV_PUBLIC_BYTES, &other));
    CU_ASSERT_EQUAL(memcmp(&key, &other, sizeof key), 0);
    memset(bytes + 32, 0xff, 7);
    CU_ASSERT_FALSE(dc_bfv_public_decode(bfv, bytes, DC_BFV_PUBLIC_BYTES, &other));
    CU_ASSERT_FALSE(dc_bfv_public_decode(bfv, bytes, DC_BFV_PUBLIC_BYTES - 1, &other));
}

static void check_digest(const struct dc_hash *h, const char *want)
{
    char text[65];
    for (int i = 0; i < 32; i++) {
        static const char digits[] = "0123456789abcdef";
        text[2 * i] = digits[h->b[i] >> 4];
        text[2 * i + 1] = digits[h->b[i] & 15];
    }
    text[64] = 0;
    CU_ASSERT_STRING_EQUAL(text, want);
    if (strcmp(text, want) != 0)
        CU_FAIL(text);
}

/* Our own vectors: what these bytes were when they were frozen. */
static void test_frozen(void)
{
    static struct dc_bfv_plain m;
    static struct dc_bfv_ciphertext c;
    static struct dc_bfv_poly factor;
    static uint8_t bytes[DC_BFV_CIPHERTEXT_BYTES];
    for (uint32_t i = 0; i < BFV_N; i++)
        m.v[i] = i * i % DC_BFV_PLAIN;
    check_digest(&key.digest, "6c63fdc1c8ea4c86e980e7719d3a73faa1257a0ceefc4d40a393050f50d15110");
    dc_bfv_encrypt(bfv, &key, &m, seed, &c);
    dc_bfv_ciphertext_encode(&c, bytes);
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, bytes, sizeof bytes);
    check_digest(&h, "cb45f98a1bb091987be1275d6d0d4432a60c73f3a43a197f95eaabbb9c21610a");
    dc_bfv_factor(bfv, &m, &factor);
    dc_bfv_multiply(&c, &factor);
    dc_bfv_drown(bfv, &key, 80, seed, &c);
    dc_bfv_ciphertext_encode(&c, bytes);
    h = dc_hash_bytes(DC_DOMAIN_TEST, bytes, sizeof bytes);
    check_digest(&h, "123d20032e8a9c96e4783be2f05599756f20a57b5c4e7e4d766376c80204216d");
}

int main(void)
{
    static const struct test_case cases[] = {
        {"transform against the schoolbook", test_transform},
        {"reductions", test_reductions},
        {"rounding at its edges", test_rounding},
        {"round trip", test_round_trip},
        {"wrong key", test_wrong_key},
        {"sums and scalars", test_sums},
        {"products", test_products},
        {"slots", test_slots},
        {"draws", test_draws},
        {"bytes", test_bytes},
        {"frozen", test_frozen},
    };
    dc_crypto_init();
    draws = dc_stream(6, dc_name("test"), dc_name("bfv"));
    bfv = dc_bfv_open();
    DC_CHECK(bfv != NULL);
    dc_bfv_secret_make(bfv, seed, &secret);
    dc_bfv_public_make(bfv, &secret, seed, &common, &key);
    int result = TEST_MAIN("bfv", cases);
    dc_bfv_close(bfv);
    return result;
}
