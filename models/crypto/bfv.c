/* BFV itself: keys, encryption, decryption, sums and products.
 *
 * Encryption of m under (b, a):  u ternary, e0 and e1 errors
 *     c0 = b u + e0 + delta m,  c1 = a u + e1
 *     c0 + c1 s = delta m + (e0 + e1 s - e u)         |noise| <= 21 (1 + 2 * 4096) < 2^17.4
 * and what remains between noise and delta / 2 is the budget.  Sums add noise; a plain factor
 * multiplies it by at most the sum of its absolute coefficients. */
#include "models/crypto/bfv_impl.h"

#define Q ((bfv_u128)BFV_Q0 * BFV_Q1)
#define DELTA ((Q - 1) / DC_BFV_PLAIN)
#define INVERSE UINT64_C(0x355552ef72f05a) /* of q0 modulo q1 */

/* What a seed is asked for: parts of the names of streams. */
enum { NAME_SECRET = 1, NAME_PUBLIC, NAME_ENCRYPT, NAME_DROWN, NAME_DIGEST, NAME_KEY_DIGEST };

static struct dc_hash name_key(uint64_t name, const uint8_t seed[32], const struct dc_hash *about,
                               const void *bytes, size_t size)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_LATTICE);
    dc_hasher_update64(&h, name);
    dc_hasher_update(&h, seed, 32);
    if (about != NULL)
        dc_hasher_update(&h, about->b, sizeof about->b);
    dc_hasher_update(&h, bytes, size);
    return dc_hasher_final(&h);
}

/* --- keys ---------------------------------------------------------------------------------- */

void dc_bfv_secret_make(const struct dc_bfv *bfv, const uint8_t seed[32], struct dc_bfv_secret *out)
{
    struct dc_hash key = name_key(NAME_SECRET, seed, NULL, NULL, 0);
    int32_t small[BFV_N];
    dc_bfv_draw_ternary(&key, BFV_USE_SECRET, small);
    dc_bfv_from_small(bfv, small, &out->s);
}

void dc_bfv_public_make(const struct dc_bfv *bfv, const struct dc_bfv_secret *secret,
                        const uint8_t seed[32], const struct dc_hash *common,
                        struct dc_bfv_public *out)
{
    struct dc_hash key = name_key(NAME_PUBLIC, seed, common, NULL, 0);
    int32_t small[BFV_N] = {0};
    dc_bfv_draw_errors(&key, BFV_USE_KEY_ERROR, small);
    dc_bfv_draw_uniform(common, &out->a);
    dc_bfv_from_small(bfv, small, &out->b);
    struct dc_bfv_poly product;
    dc_bfv_poly_mul(&out->a, &secret->s, &product);
    dc_bfv_poly_add(&out->b, &product);
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        for (uint32_t j = 0; j < BFV_N; j++)
            out->b.v[i][j] = bfv_sub(0, out->b.v[i][j], bfv_prime[i]);
    out->common = *common;
    dc_bfv_public_complete(bfv, out);
}

void dc_bfv_public_complete(const struct dc_bfv *bfv, struct dc_bfv_public *key)
{
    dc_bfv_draw_uniform(&key->common, &key->a);
    struct dc_hash b = dc_bfv_poly_digest(&key->b);
    key->digest = name_key(NAME_KEY_DIGEST, key->common.b, &b, NULL, 0);
}

struct dc_hash dc_bfv_poly_digest(const struct dc_bfv_poly *p)
{
    uint8_t bytes[DC_BFV_POLY_BYTES];
    dc_bfv_poly_encode(p, bytes);
    static const uint8_t no_seed[32];
    return name_key(NAME_DIGEST, no_seed, NULL, bytes, sizeof bytes);
}

/* --- encryption ---------------------------------------------------------------------------- */

/* delta m + errors; m or errors may be NULL. */
static void from_message(const struct dc_bfv *bfv, const struct dc_bfv_plain *m,
                         const int32_t *errors, struct dc_bfv_poly *out)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++) {
        const uint64_t p = bfv_prime[i], delta = (uint64_t)(DELTA % p), shoup = bfv_shoup(delta, p);
        for (uint32_t j = 0; j < BFV_N; j++) {
            uint64_t v = m == NULL ? 0 : bfv_less(bfv_mul_lazy(m->v[j], delta, shoup, p), p);
            int64_t e = errors == NULL ? 0 : errors[j];
            out->v[i][j] = bfv_add(v, e < 0 ? p - (uint64_t)-e : (uint64_t)e, p);
        }
    }
    dc_bfv_forward(bfv, out);
}

void dc_bfv_from_plain(const struct dc_bfv *bfv, const struct dc_bfv_plain *m,
                       struct dc_bfv_poly *out)
{
    from_message(bfv, m, NULL, out);
}

static void encrypt_under(const struct dc_bfv *bfv, const struct dc_bfv_public *key,
                          const struct dc_bfv_plain *m, const struct dc_hash *draws,
                          struct dc_bfv_ciphertext *out)
{
    int32_t small[BFV_N];
    struct dc_bfv_poly mask, product;
    dc_bfv_draw_ternary(draws, BFV_USE_MASK, small);
    dc_bfv_from_small(bfv, small, &mask);
    for (uint32_t half = 0; half < 2; half++) {
        memset(small, 0, sizeof small);
        dc_bfv_draw_errors(draws, half == 0 ? BFV_USE_ERRORS : BFV_USE_ERRORS_2, small);
        from_message(bfv, half == 0 ? m : NULL, small, &out->c[half]);
        dc_bfv_poly_mul(half == 0 ? &key->b : &key->a, &mask, &product);
        dc_bfv_poly_add(&out->c[half], &product);
    }
}

struct dc_hash dc_bfv_encrypt_draws(const struct dc_bfv_public *key,
                                    const struct dc_bfv_plain *plain, const uint8_t seed[32])
{
    return name_key(NAME_ENCRYPT, seed, &key->digest, plain->v, sizeof plain->v);
}

void dc_bfv_encrypt(const struct dc_bfv *bfv, const struct dc_bfv_public *key,
                    const struct dc_bfv_plain *plain, const uint8_t seed[32],
                    struct dc_bfv_ciphertext *out)
{
    struct dc_hash draws = dc_bfv_encrypt_draws(key, plain, seed);
    encrypt_under(bfv, key, plain, &draws, out);
}

static uint32_t bits_of(bfv_u128 v)
{
    uint64_t high = (uint64_t)(v >> 64), low = (uint64_t)v;
    return high != 0  ? 128 - (uint32_t)__builtin_clzll(high)
           : low != 0 ? 64 - (uint32_t)__builtin_clzll(low)
                      : 0;
}

/* Both residues to the number below q, then to the nearest multiple of delta.  The quotient of the
 * upper 54 bits is off by less than 2^-20 from that of the whole numbers. */
uint32_t dc_bfv_round(const struct dc_bfv *bfv, struct dc_bfv_poly *x, struct dc_bfv_plain *out)
{
    dc_bfv_back(bfv, x);
    const uint64_t inverse = INVERSE;
    const uint64_t shoup = bfv_shoup(inverse, BFV_Q1), coarse = (uint64_t)(DELTA >> 54);
    bfv_u128 largest = 0;
    for (uint32_t j = 0; j < BFV_N; j++) {
        uint64_t x0 = x->v[0][j], gap = bfv_sub(x->v[1][j], bfv_less(x0, BFV_Q1), BFV_Q1);
        uint64_t k = bfv_less(bfv_mul_lazy(gap, inverse, shoup, BFV_Q1), BFV_Q1);
        bfv_u128 whole = x0 + (bfv_u128)k * BFV_Q0;
        uint64_t m = (uint64_t)((whole + DELTA / 2) >> 54) / coarse;
        __int128 noise = (__int128)whole - (__int128)(m * DELTA);
        if (noise < -(__int128)(DELTA / 2)) { /* the quotient was one too large */
            m--;
            noise += (__int128)DELTA;
        }
        if (m == DC_BFV_PLAIN) { /* just below q, which is one above t delta */
            m = 0;
            noise--;
        }
        out->v[j] = (uint32_t)m;
        bfv_u128 size = (bfv_u128)(noise < 0 ? -noise : noise);
        largest = size > largest ? size : largest;
    }
    return bits_of(largest);
}

static uint32_t decrypt_bits(const struct dc_bfv *bfv, const struct dc_bfv_secret *secret,
                             const struct dc_bfv_ciphertext *c, struct dc_bfv_plain *out)
{
    struct dc_bfv_poly x;
    dc_bfv_poly_mul(&c->c[1], &secret->s, &x);
    dc_bfv_poly_add(&x, &c->c[0]);
    return dc_bfv_round(bfv, &x, out);
}

void dc_bfv_decrypt(const struct dc_bfv *bfv, const struct dc_bfv_secret *secret,
                    const struct dc_bfv_ciphertext *c, struct dc_bfv_plain *out)
{
    (void)decrypt_bits(bfv, secret, c, out);
}

uint32_t dc_bfv_budget(const struct dc_bfv *bfv, const struct dc_bfv_secret *secret,
                       const struct dc_bfv_ciphertext *c)
{
    struct dc_bfv_plain plain;
    uint32_t bits = decrypt_bits(bfv, secret, c, &plain);
    return bits >= DC_BFV_DELTA_BITS - 1 ? 0 : DC_BFV_DELTA_BITS - 1 - bits;
}

/* --- computing ----------------------------------------------------------------------------- */

void dc_bfv_add(struct dc_bfv_ciphertext *a, const struct dc_bfv_ciphertext *b)
{
    dc_bfv_poly_add(&a->c[0], &b->c[0]);
    dc_bfv_poly_add(&a->c[1], &b->c[1]);
}

void dc_bfv_sub(struct dc_bfv_ciphertext *a, const struct dc_bfv_ciphertext *b)
{
    dc_bfv_poly_sub(&a->c[0], &b->c[0]);
    dc_bfv_poly_sub(&a->c[1], &b->c[1]);
}

void dc_bfv_add_plain(const struct dc_bfv *bfv, struct dc_bfv_ciphertext *a,
                      const struct dc_bfv_plain *b)
{
    struct dc_bfv_poly message;
    from_message(bfv, b, NULL, &message);
    dc_bfv_poly_add(&a->c[0], &message);
}

void dc_bfv_scale(struct dc_bfv_ciphertext *a, int32_t factor)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++) {
        const uint64_t p = bfv_prime[i], w = bfv_signed(factor, p), shoup = bfv_shoup(w, p);
        for (uint32_t half = 0; half < 2; half++)
            for (uint32_t j = 0; j < BFV_N; j++) {
                uint64_t *v = &a->c[half].v[i][j];
                *v = bfv_less(bfv_mul_lazy(*v, w, shoup, p), p);
            }
    }
}

void dc_bfv_factor(const struct dc_bfv *bfv, const struct dc_bfv_plain *plain,
                   struct dc_bfv_poly *out)
{
    int32_t small[BFV_N];
    for (uint32_t j = 0; j < BFV_N; j++)
        small[j] = dc_bfv_centred(plain->v[j]);
    dc_bfv_from_small(bfv, small, out);
}

void dc_bfv_multiply(struct dc_bfv_ciphertext *a, const struct dc_bfv_poly *factor)
{
    dc_bfv_poly_mul(&a->c[0], factor, &a->c[0]);
    dc_bfv_poly_mul(&a->c[1], factor, &a->c[1]);
}

void dc_bfv_drown(const struct dc_bfv *bfv, const struct dc_bfv_public *key, uint32_t bits,
                  const uint8_t seed[32], struct dc_bfv_ciphertext *a)
{
    struct dc_hash at[2] = {dc_bfv_poly_digest(&a->c[0]), dc_bfv_poly_digest(&a->c[1])};
    struct dc_hash draws = name_key(NAME_DROWN, seed, &key->digest, at, sizeof at);
    struct dc_bfv_ciphertext zero;
    encrypt_under(bfv, key, NULL, &draws, &zero);
    dc_bfv_add(a, &zero);
    __int128 wide[BFV_N] = {0};
    dc_bfv_draw_wide(&draws, BFV_USE_DROWN, bits, wide);
    dc_bfv_from_wide(bfv, wide, &zero.c[0]);
    dc_bfv_poly_add(&a->c[0], &zero.c[0]);
}

/* --- slots --------------------------------------------------------------------------------- */

/* Slot i is the value at the i-th root in the transform's own order: nobody rotates slots here, so
 * that order need not mean anything. */
void dc_bfv_slots_encode(const struct dc_bfv *bfv, const uint32_t values[DC_BFV_DEGREE],
                         struct dc_bfv_plain *out)
{
    uint64_t a[BFV_N];
    for (uint32_t j = 0; j < BFV_N; j++)
        a[j] = values[j] % DC_BFV_PLAIN;
    dc_bfv_field_back(&bfv->plain, a);
    for (uint32_t j = 0; j < BFV_N; j++)
        out->v[j] = (uint32_t)a[j];
}

void dc_bfv_slots_decode(const struct dc_bfv *bfv, const struct dc_bfv_plain *plain,
                         uint32_t values[DC_BFV_DEGREE])
{
    uint64_t a[BFV_N];
    for (uint32_t j = 0; j < BFV_N; j++)
        a[j] = plain->v[j];
    dc_bfv_field_forward(&bfv->plain, a);
    for (uint32_t j = 0; j < BFV_N; j++)
        values[j] = (uint32_t)a[j];
}
