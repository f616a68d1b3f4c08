/* ristretto255 over libdecaf's decaf_255, which has the same encodings and the same one-way map.
 *
 * libdecaf returns failures beside an output that is set all the same (a scalar above l comes back
 * reduced, a bad encoding comes back as rubbish): here a failure leaves zero or the identity, so
 * that who forgets to look has nothing to work with.
 *
 * B~ and the comb of its multiples are made once by dc_group_init, before any thread, and constant
 * from then on. */
#include "models/crypto/group.h"
#include "models/crypto/edwards.h"

#include <decaf/shake.h>

/* libdecaf leaves the size of its tables to run time; dc_group_init compares. */
#define COMB_BYTES ((size_t)16384)

static _Alignas(64) uint8_t blinding_comb[COMB_BYTES];
static struct dc_point blinding_point;
static bool group_set;

static decaf_255_precomputed_s *comb(void)
{
    DC_CHECK(group_set);
    return (decaf_255_precomputed_s *)(void *)blinding_comb;
}

/* Whether libdecaf's points look as edwards.h reads them: 3 B both ways. */
static void group_check_layout(void)
{
    struct dc_scalar three = dc_scalar_u64(3);
    struct dc_point base = dc_point_base(), want = dc_point_mul_base(&three), got, again;
    struct dc_extended e = dc_edwards_load(&base), twice = dc_edwards_double(&e);
    struct dc_cached c = dc_edwards_cache(&e);
    twice = dc_edwards_add(&twice, &c, false);
    got = dc_edwards_store(&twice);
    again = dc_point_add(&got, &base); /* T is right as well */
    want = dc_point_add(&want, &base);
    DC_CHECK(dc_point_equal(&want, &again));
}

void dc_group_init(void)
{
    if (group_set)
        return;
    group_check_layout();
    uint8_t base[DC_POINT_BYTES], uniform[64];
    decaf_255_point_encode(base, decaf_255_point_base);
    DC_CHECK(decaf_sha3_512_hash(uniform, sizeof uniform, base, sizeof base) == DECAF_SUCCESS);
    decaf_255_point_from_hash_uniform(blinding_point.p, uniform);
    DC_CHECK(decaf_255_sizeof_precomputed_s <= COMB_BYTES && decaf_255_alignof_precomputed_s <= 64);
    decaf_255_precompute((decaf_255_precomputed_s *)(void *)blinding_comb, blinding_point.p);
    group_set = true;
}

/* --- scalars -------------------------------------------------------------------------------- */

bool dc_scalar_decode(const uint8_t bytes[32], struct dc_scalar *out)
{
    if (decaf_255_scalar_decode(out->s, bytes) == DECAF_SUCCESS)
        return true;
    *out = dc_scalar_zero();
    return false;
}

void dc_scalar_encode(const struct dc_scalar *a, uint8_t out[32])
{
    decaf_255_scalar_encode(out, a->s);
}

struct dc_scalar dc_scalar_wide(const uint8_t bytes[64])
{
    struct dc_scalar r;
    decaf_255_scalar_decode_long(r.s, bytes, 64);
    return r;
}

struct dc_scalar dc_scalar_u64(uint64_t v)
{
    struct dc_scalar r;
    decaf_255_scalar_set_unsigned(r.s, v);
    return r;
}

struct dc_scalar dc_scalar_zero(void)
{
    return (struct dc_scalar){.s = {{{0}}}};
}

struct dc_scalar dc_scalar_one(void)
{
    return dc_scalar_u64(1);
}

struct dc_scalar dc_scalar_add(const struct dc_scalar *a, const struct dc_scalar *b)
{
    struct dc_scalar r;
    decaf_255_scalar_add(r.s, a->s, b->s);
    return r;
}

struct dc_scalar dc_scalar_sub(const struct dc_scalar *a, const struct dc_scalar *b)
{
    struct dc_scalar r;
    decaf_255_scalar_sub(r.s, a->s, b->s);
    return r;
}

struct dc_scalar dc_scalar_mul(const struct dc_scalar *a, const struct dc_scalar *b)
{
    struct dc_scalar r;
    decaf_255_scalar_mul(r.s, a->s, b->s);
    return r;
}

struct dc_scalar dc_scalar_neg(const struct dc_scalar *a)
{
    struct dc_scalar zero = dc_scalar_zero();
    return dc_scalar_sub(&zero, a);
}

struct dc_scalar dc_scalar_invert(const struct dc_scalar *a)
{
    struct dc_scalar r;
    if (decaf_255_scalar_invert(r.s, a->s) != DECAF_SUCCESS)
        r = dc_scalar_zero();
    return r;
}

bool dc_scalar_equal(const struct dc_scalar *a, const struct dc_scalar *b)
{
    return decaf_255_scalar_eq(a->s, b->s) == DECAF_TRUE;
}

bool dc_scalar_is_zero(const struct dc_scalar *a)
{
    return decaf_255_scalar_eq(a->s, decaf_255_scalar_zero) == DECAF_TRUE;
}

/* --- points --------------------------------------------------------------------------------- */

bool dc_point_decode(const uint8_t bytes[32], struct dc_point *out)
{
    if (decaf_255_point_decode(out->p, bytes, DECAF_TRUE) == DECAF_SUCCESS)
        return true;
    *out = dc_point_identity();
    return false;
}

bool dc_point_decode_proper(const uint8_t bytes[32], struct dc_point *out)
{
    if (decaf_255_point_decode(out->p, bytes, DECAF_FALSE) == DECAF_SUCCESS)
        return true;
    *out = dc_point_identity();
    return false;
}

void dc_point_encode(const struct dc_point *a, uint8_t out[32])
{
    decaf_255_point_encode(out, a->p);
}

struct dc_point dc_point_identity(void)
{
    struct dc_point r;
    decaf_255_point_copy(r.p, decaf_255_point_identity);
    return r;
}

struct dc_point dc_point_base(void)
{
    struct dc_point r;
    decaf_255_point_copy(r.p, decaf_255_point_base);
    return r;
}

struct dc_point dc_point_blinding(void)
{
    DC_CHECK(group_set);
    return blinding_point;
}

struct dc_point dc_point_add(const struct dc_point *a, const struct dc_point *b)
{
    struct dc_point r;
    decaf_255_point_add(r.p, a->p, b->p);
    return r;
}

struct dc_point dc_point_sub(const struct dc_point *a, const struct dc_point *b)
{
    struct dc_point r;
    decaf_255_point_sub(r.p, a->p, b->p);
    return r;
}

struct dc_point dc_point_neg(const struct dc_point *a)
{
    struct dc_point r;
    decaf_255_point_negate(r.p, a->p);
    return r;
}

bool dc_point_equal(const struct dc_point *a, const struct dc_point *b)
{
    return decaf_255_point_eq(a->p, b->p) == DECAF_TRUE;
}

bool dc_point_is_identity(const struct dc_point *a)
{
    return decaf_255_point_eq(a->p, decaf_255_point_identity) == DECAF_TRUE;
}

struct dc_point dc_point_from_hash(const uint8_t bytes[64])
{
    struct dc_point r;
    decaf_255_point_from_hash_uniform(r.p, bytes);
    return r;
}

struct dc_point dc_point_mul(const struct dc_scalar *a, const struct dc_point *p)
{
    struct dc_point r;
    decaf_255_point_scalarmul(r.p, p->p, a->s);
    return r;
}

struct dc_point dc_point_mul_base(const struct dc_scalar *a)
{
    struct dc_point r;
    decaf_255_precomputed_scalarmul(r.p, decaf_255_precomputed_base, a->s);
    return r;
}

struct dc_point dc_pedersen(const struct dc_scalar *value, const struct dc_scalar *blinding)
{
    struct dc_point v, b;
    decaf_255_precomputed_scalarmul(v.p, decaf_255_precomputed_base, value->s);
    decaf_255_precomputed_scalarmul(b.p, comb(), blinding->s);
    return dc_point_add(&v, &b);
}

/* --- nonces --------------------------------------------------------------------------------- */

void dc_nonces_init(struct dc_nonces *n, const uint8_t secret[32], enum dc_domain domain)
{
    n->next = 0;
    DC_CHECK(crypto_generichash_blake2b_init(&n->state, secret, 32, 64) == 0);
    const char *name = dc_domain_name(domain);
    dc_nonces_feed(n, name, strlen(name));
}

void dc_nonces_feed(struct dc_nonces *n, const void *bytes, size_t size)
{
    uint8_t length[8];
    dc_put64(length, size);
    DC_CHECK(crypto_generichash_blake2b_update(&n->state, length, sizeof length) == 0);
    if (size != 0)
        DC_CHECK(crypto_generichash_blake2b_update(&n->state, bytes, size) == 0);
}

struct dc_scalar dc_nonces_next(struct dc_nonces *n)
{
    crypto_generichash_blake2b_state last = n->state;
    uint8_t counter[8], wide[64];
    dc_put64(counter, n->next++);
    DC_CHECK(crypto_generichash_blake2b_update(&last, counter, sizeof counter) == 0);
    DC_CHECK(crypto_generichash_blake2b_final(&last, wide, sizeof wide) == 0);
    return dc_scalar_wide(wide);
}
