/* The negacyclic number-theoretic transform, and arithmetic on transformed polynomials.
 *
 * root[i] = psi^bitreverse(i): the order in which Cooley and Tukey's butterflies ask for them when
 * X^4096 + 1 is split into X^2048 - psi^2048 and X^2048 + psi^2048, and so on (Longa,
 * Naehrig 2016).  Going back, Gentleman and Sande's butterflies use the inverses in the same order.
 * About 40 us for one prime. */
#include "models/crypto/bfv_impl.h"

#include "models/base/mem.h"

static uint64_t power(uint64_t base, uint64_t exponent, uint64_t p)
{
    uint64_t r = 1;
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1)
            r = (uint64_t)((bfv_u128)r * base % p);
        base = (uint64_t)((bfv_u128)base * base % p);
    }
    return r;
}

static uint32_t reversed(uint32_t i)
{
    uint32_t r = 0;
    for (uint32_t bit = 1; bit < BFV_N; bit <<= 1)
        r = r << 1 | ((i & bit) != 0);
    return r;
}

static void field_make(struct bfv_field *f, uint64_t p)
{
    f->p = p;
    uint64_t psi = 0;
    for (uint64_t g = 2; psi == 0; g++) { /* half of all g serve */
        uint64_t r = power(g, (p - 1) / (2 * BFV_N), p);
        if (power(r, BFV_N, p) == p - 1)
            psi = r;
    }
    uint64_t inverse = power(psi, p - 2, p), a = 1, b = 1;
    for (uint32_t i = 0; i < BFV_N; i++) {
        uint32_t at = reversed(i);
        f->root[at] = a;
        f->root_shoup[at] = bfv_shoup(a, p);
        f->back[at] = b;
        f->back_shoup[at] = bfv_shoup(b, p);
        a = (uint64_t)((bfv_u128)a * psi % p);
        b = (uint64_t)((bfv_u128)b * inverse % p);
    }
    f->inverse = power(BFV_N, p - 2, p);
    f->inverse_shoup = bfv_shoup(f->inverse, p);
}

struct dc_bfv *dc_bfv_open(void)
{
    struct dc_bfv *bfv = dc_mem_alloc(1, sizeof *bfv);
    if (bfv == NULL)
        return NULL;
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        field_make(&bfv->field[i], bfv_prime[i]);
    field_make(&bfv->plain, DC_BFV_PLAIN);
    return bfv;
}

void dc_bfv_close(struct dc_bfv *bfv)
{
    dc_mem_free(bfv);
}

void dc_bfv_field_forward(const struct bfv_field *f, uint64_t a[BFV_N])
{
    const uint64_t p = f->p, twice = 2 * p;
    for (uint32_t m = 1, half = BFV_N / 2; m < BFV_N; m *= 2, half /= 2)
        for (uint32_t i = 0; i < m; i++) {
            const uint64_t w = f->root[m + i], shoup = f->root_shoup[m + i];
            uint64_t *x = a + (size_t)2 * i * half, *y = x + half;
            for (uint32_t j = 0; j < half; j++) { /* everything below 4 p */
                uint64_t u = bfv_less(x[j], twice), v = bfv_mul_lazy(y[j], w, shoup, p);
                x[j] = u + v;
                y[j] = u - v + twice;
            }
        }
    for (uint32_t i = 0; i < BFV_N; i++)
        a[i] = bfv_less(bfv_less(a[i], twice), p);
}

void dc_bfv_field_back(const struct bfv_field *f, uint64_t a[BFV_N])
{
    const uint64_t p = f->p, twice = 2 * p;
    for (uint32_t m = BFV_N / 2, half = 1; m >= 1; m /= 2, half *= 2)
        for (uint32_t i = 0; i < m; i++) {
            const uint64_t w = f->back[m + i], shoup = f->back_shoup[m + i];
            uint64_t *x = a + (size_t)2 * i * half, *y = x + half;
            for (uint32_t j = 0; j < half; j++) { /* everything below 2 p */
                uint64_t u = x[j], v = y[j];
                x[j] = bfv_less(u + v, twice);
                y[j] = bfv_mul_lazy(u - v + twice, w, shoup, p);
            }
        }
    for (uint32_t i = 0; i < BFV_N; i++)
        a[i] = bfv_less(bfv_mul_lazy(a[i], f->inverse, f->inverse_shoup, p), p);
}

void dc_bfv_forward(const struct dc_bfv *bfv, struct dc_bfv_poly *a)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        dc_bfv_field_forward(&bfv->field[i], a->v[i]);
}

void dc_bfv_back(const struct dc_bfv *bfv, struct dc_bfv_poly *a)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        dc_bfv_field_back(&bfv->field[i], a->v[i]);
}

void dc_bfv_poly_mul(const struct dc_bfv_poly *a, const struct dc_bfv_poly *b,
                     struct dc_bfv_poly *out)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++) {
        const uint64_t p = bfv_prime[i], mu = bfv_mu(p);
        for (uint32_t j = 0; j < BFV_N; j++)
            out->v[i][j] = bfv_mul(a->v[i][j], b->v[i][j], p, mu);
    }
}

void dc_bfv_poly_add(struct dc_bfv_poly *a, const struct dc_bfv_poly *b)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        for (uint32_t j = 0; j < BFV_N; j++)
            a->v[i][j] = bfv_add(a->v[i][j], b->v[i][j], bfv_prime[i]);
}

void dc_bfv_poly_sub(struct dc_bfv_poly *a, const struct dc_bfv_poly *b)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        for (uint32_t j = 0; j < BFV_N; j++)
            a->v[i][j] = bfv_sub(a->v[i][j], b->v[i][j], bfv_prime[i]);
}

void dc_bfv_from_small(const struct dc_bfv *bfv, const int32_t a[BFV_N], struct dc_bfv_poly *out)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        for (uint32_t j = 0; j < BFV_N; j++)
            out->v[i][j] = a[j] < 0 ? bfv_prime[i] - (uint64_t) - (int64_t)a[j] : (uint64_t)a[j];
    dc_bfv_forward(bfv, out);
}
