#include "models/crypto/dkg.h"

#include "models/crypto/sigma.h"

/* --- dealing -------------------------------------------------------------------------------- */

/* n p for the small n of members' places: 7 doublings at most.  Public. */
static struct dc_point dkg_small(const struct dc_point *p, uint32_t n)
{
    struct dc_point r = dc_point_identity();
    for (uint32_t bit = 1u << 7; bit != 0; bit >>= 1) {
        r = dc_point_add(&r, &r);
        if ((n & bit) != 0)
            r = dc_point_add(&r, p);
    }
    return r;
}

/* sum of n^k f[k], Horner. */
static struct dc_point dkg_at(const struct dc_point *f, uint32_t count, uint32_t n)
{
    struct dc_point r = f[count - 1];
    for (uint32_t k = count - 1; k-- > 0;) {
        r = dkg_small(&r, n);
        r = dc_point_add(&r, &f[k]);
    }
    return r;
}

static bool dkg_decode(const struct dc_dkg_deal *deal, struct dc_point f[DC_DKG_MEMBERS_MAX])
{
    if (deal->threshold == 0 || deal->threshold > DC_DKG_MEMBERS_MAX)
        return false;
    for (uint32_t k = 0; k < deal->threshold; k++)
        if (!dc_point_decode_proper(deal->commitment[k], &f[k]))
            return false;
    return true;
}

/* What the proof of possession is bound to: all that the dealer publishes. */
static void dkg_transcript(struct dc_transcript *t, const struct dc_dkg_deal *deal,
                           const uint8_t context[32], uint32_t count)
{
    dc_transcript_init(t, dc_domain_name(DC_DOMAIN_KEYGEN));
    dc_transcript_append(t, "context", context, 32);
    dc_transcript_append_u64(t, "dealer", deal->dealer);
    dc_transcript_append_u64(t, "members", count);
    dc_transcript_append_u64(t, "threshold", deal->threshold);
    dc_transcript_append(t, "commitments", deal->commitment, 32 * (size_t)deal->threshold);
}

void dc_dkg_make(const uint8_t seed[32], const uint8_t context[32], uint32_t dealer, uint32_t count,
                 uint32_t threshold, struct dc_dkg_deal *out, uint8_t (*share)[32])
{
    DC_CHECK(threshold != 0 && threshold <= count && count <= DC_DKG_MEMBERS_MAX && dealer < count);
    struct dc_scalar f[DC_DKG_MEMBERS_MAX];
    struct dc_nonces n;
    uint8_t numbers[12];
    dc_put32(numbers, dealer);
    dc_put32(numbers + 4, count);
    dc_put32(numbers + 8, threshold);
    dc_nonces_init(&n, seed, DC_DOMAIN_KEYGEN);
    dc_nonces_feed(&n, context, 32);
    dc_nonces_feed(&n, numbers, sizeof numbers);
    memset(out, 0, sizeof *out);
    out->dealer = dealer;
    out->threshold = threshold;
    for (uint32_t k = 0; k < threshold; k++) {
        f[k] = dc_nonces_next(&n);
        struct dc_point p = dc_point_mul_base(&f[k]);
        dc_point_encode(&p, out->commitment[k]);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct dc_scalar at = dc_scalar_u64(i + 1), value = f[threshold - 1];
        for (uint32_t k = threshold - 1; k-- > 0;) {
            value = dc_scalar_mul(&value, &at);
            value = dc_scalar_add(&value, &f[k]);
        }
        dc_scalar_encode(&value, share[i]);
    }
    struct dc_transcript t;
    dkg_transcript(&t, out, context, count);
    dc_schnorr_prove(&t, &f[0], out->possession);
}

bool dc_dkg_check(const struct dc_dkg_deal *deal, const uint8_t context[32], uint32_t count,
                  uint32_t threshold)
{
    struct dc_point f[DC_DKG_MEMBERS_MAX];
    struct dc_transcript t;
    if (deal->threshold != threshold || deal->dealer >= count || !dkg_decode(deal, f))
        return false;
    dkg_transcript(&t, deal, context, count);
    return dc_schnorr_verify(&t, deal->commitment[0], deal->possession);
}

bool dc_dkg_share_fits(const struct dc_dkg_deal *deal, uint32_t member, const uint8_t share[32])
{
    struct dc_point f[DC_DKG_MEMBERS_MAX];
    struct dc_scalar value;
    if (member >= DC_DKG_MEMBERS_MAX || !dkg_decode(deal, f) || !dc_scalar_decode(share, &value))
        return false;
    struct dc_point left = dc_point_mul_base(&value),
                    right = dkg_at(f, deal->threshold, member + 1);
    return dc_point_equal(&left, &right);
}

bool dc_dkg_dealer_cheats(const struct dc_dkg_deal *deal, uint32_t member,
                          const uint8_t revealed[32])
{
    return revealed == NULL || !dc_dkg_share_fits(deal, member, revealed);
}

/* --- what comes of it ----------------------------------------------------------------------- */

bool dc_dkg_keys(const struct dc_dkg_deal *const *deal, uint32_t count_deals, uint32_t count,
                 uint8_t group_key[32], uint8_t (*share_key)[32])
{
    struct dc_point sum[DC_DKG_MEMBERS_MAX], f[DC_DKG_MEMBERS_MAX];
    bool there[DC_DKG_MEMBERS_MAX] = {false};
    if (count_deals == 0 || count > DC_DKG_MEMBERS_MAX)
        return false;
    uint32_t threshold = deal[0]->threshold;
    for (uint32_t d = 0; d < count_deals; d++) {
        if (deal[d]->threshold != threshold || deal[d]->dealer >= count || there[deal[d]->dealer] ||
            !dkg_decode(deal[d], f))
            return false;
        there[deal[d]->dealer] = true;
        for (uint32_t k = 0; k < threshold; k++)
            sum[k] = d == 0 ? f[k] : dc_point_add(&sum[k], &f[k]);
    }
    if (dc_point_is_identity(&sum[0]))
        return false;
    dc_point_encode(&sum[0], group_key);
    for (uint32_t i = 0; i < count; i++) {
        struct dc_point key = dkg_at(sum, threshold, i + 1);
        dc_point_encode(&key, share_key[i]);
    }
    return true;
}

bool dc_dkg_secret(const uint8_t (*share)[32], uint32_t count_deals, uint8_t out[32])
{
    struct dc_scalar sum = dc_scalar_zero(), one;
    for (uint32_t d = 0; d < count_deals; d++) {
        if (!dc_scalar_decode(share[d], &one))
            return false;
        sum = dc_scalar_add(&sum, &one);
    }
    dc_scalar_encode(&sum, out);
    return count_deals != 0;
}

struct dc_scalar dc_lagrange_at(const uint32_t *member, uint32_t count, uint32_t i,
                                const struct dc_scalar *place)
{
    struct dc_scalar top = dc_scalar_one(), below = top,
                     own = dc_scalar_u64((uint64_t)member[i] + 1);
    for (uint32_t j = 0; j < count; j++) {
        if (j == i)
            continue;
        struct dc_scalar other = dc_scalar_u64((uint64_t)member[j] + 1),
                         apart = dc_scalar_sub(place, &other);
        top = dc_scalar_mul(&top, &apart);
        apart = dc_scalar_sub(&own, &other);
        below = dc_scalar_mul(&below, &apart);
    }
    below = dc_scalar_invert(&below);
    return dc_scalar_mul(&top, &below);
}

struct dc_scalar dc_lagrange(const uint32_t *member, uint32_t count, uint32_t i)
{
    struct dc_scalar zero = dc_scalar_zero();
    return dc_lagrange_at(member, count, i, &zero);
}

bool dc_dkg_combine(const uint32_t *member, const uint8_t (*point)[32], uint32_t count,
                    uint8_t out[32])
{
    struct dc_point p[DC_DKG_MEMBERS_MAX];
    struct dc_scalar weight[DC_DKG_MEMBERS_MAX];
    bool there[DC_DKG_MEMBERS_MAX] = {false};
    if (count == 0 || count > DC_DKG_MEMBERS_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (member[i] >= DC_DKG_MEMBERS_MAX || there[member[i]] ||
            !dc_point_decode_proper(point[i], &p[i]))
            return false;
        there[member[i]] = true;
    }
    for (uint32_t i = 0; i < count; i++)
        weight[i] = dc_lagrange(member, count, i);
    struct dc_point sum = dc_msm_vartime(weight, p, count);
    dc_point_encode(&sum, out);
    return true;
}

/* --- threshold decryption -------------------------------------------------------------------- */

static void partial_transcript(struct dc_transcript *t, const void *context, size_t size)
{
    dc_transcript_init(t, dc_domain_name(DC_DOMAIN_DECRYPTION));
    dc_transcript_append(t, "context", context, size);
}

bool dc_partial_make(const uint8_t secret[32], const uint8_t c1[32], const void *context,
                     size_t size, uint8_t out[DC_PARTIAL_BYTES])
{
    struct dc_scalar x;
    struct dc_point p;
    struct dc_transcript t;
    if (!dc_point_decode_proper(c1, &p) || !dc_scalar_decode(secret, &x))
        return false;
    partial_transcript(&t, context, size);
    dc_dleq_prove(&t, &x, c1, out, out + 32);
    return true;
}

bool dc_partial_check(const uint8_t share_key[32], const uint8_t c1[32], const void *context,
                      size_t size, const uint8_t partial[DC_PARTIAL_BYTES])
{
    struct dc_transcript t;
    partial_transcript(&t, context, size);
    return dc_dleq_verify(&t, share_key, c1, partial, partial + 32);
}

bool dc_partial_combine(const uint32_t *member, const uint8_t (*point)[32], uint32_t count,
                        const uint8_t c2[32], uint8_t out[32])
{
    struct dc_point a, b;
    uint8_t sum[32];
    if (!dc_point_decode(c2, &a) || !dc_dkg_combine(member, point, count, sum) ||
        !dc_point_decode(sum, &b))
        return false;
    a = dc_point_sub(&a, &b);
    dc_point_encode(&a, out);
    return true;
}

bool dc_amount_is(const uint8_t point[32], uint64_t amount)
{
    struct dc_scalar s = dc_scalar_u64(amount);
    struct dc_point p = dc_point_mul_base(&s);
    uint8_t encoded[32];
    dc_point_encode(&p, encoded);
    return memcmp(encoded, point, 32) == 0;
}
