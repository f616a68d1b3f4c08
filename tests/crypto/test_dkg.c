/* Key generation, and decryption by t of n: all subsets of small groups. */
#include "models/base/mem.h"
#include "models/crypto/crypto.h"
#include "models/crypto/elgamal.h"
#include "tests/crypto/dealt.h"

static struct dc_scalar scalar_of(const uint8_t bytes[32])
{
    struct dc_scalar s;
    CU_ASSERT_TRUE_FATAL(dc_scalar_decode(bytes, &s));
    return s;
}

/* x at 0 from these members' shares. */
static struct dc_scalar interpolate(const struct dealt *d, const uint32_t *member, uint32_t count)
{
    struct dc_scalar sum = dc_scalar_zero();
    for (uint32_t i = 0; i < count; i++) {
        struct dc_scalar weight = dc_lagrange(member, count, i),
                         share = scalar_of(d->secret[member[i]]);
        share = dc_scalar_mul(&share, &weight);
        sum = dc_scalar_add(&sum, &share);
    }
    return sum;
}

static bool is_key(const struct dc_scalar *x, const uint8_t key[32])
{
    struct dc_point p = dc_point_mul_base(x);
    uint8_t encoded[32];
    dc_point_encode(&p, encoded);
    return memcmp(encoded, key, 32) == 0;
}

static void test_key(void)
{
    for (uint32_t count = 1; count <= 6; count++)
        for (uint32_t threshold = 1; threshold <= count; threshold++) {
            struct dealt d;
            dealt_make(count, threshold, 100 * count + threshold, &d);
            for (uint32_t i = 0; i < count; i++) {
                struct dc_scalar own = scalar_of(d.secret[i]);
                CU_ASSERT_TRUE(is_key(&own, d.share_key[i]));
                CU_ASSERT_TRUE(dc_dkg_check(&d.deal[i], d.context, count, threshold));
                for (uint32_t k = 0; k < count; k++)
                    CU_ASSERT_TRUE(dc_dkg_share_fits(&d.deal[i], k, d.share[i][k]));
            }
            uint32_t member[6];
            for (uint32_t which = 0; dealt_subset(count, threshold, which, member); which++) {
                struct dc_scalar x = interpolate(&d, member, threshold);
                CU_ASSERT_TRUE(is_key(&x, d.group_key));
            }
            for (uint32_t which = 0;
                 threshold > 1 && dealt_subset(count, threshold - 1, which, member); which++) {
                struct dc_scalar x = interpolate(&d, member, threshold - 1);
                CU_ASSERT_FALSE(is_key(&x, d.group_key)); /* one too few */
            }
        }
}

/* Any t-1 shares are those of some polynomial with every value at 0: for a secret of one's choice
 * there is a share of one more member that gives it, so they tell nothing about x. */
static void test_too_few_fit_all(void)
{
    struct dealt d;
    dealt_make(5, 3, 1, &d);
    const uint32_t member[3] = {0, 3, 4};
    for (uint64_t chosen = 0; chosen < 20; chosen++) {
        struct dc_scalar want = dc_scalar_u64(chosen * 1000003), sum = dc_scalar_zero();
        for (uint32_t i = 0; i < 2; i++) { /* two real shares ... */
            struct dc_scalar weight = dc_lagrange(member, 3, i),
                             share = scalar_of(d.secret[member[i]]);
            share = dc_scalar_mul(&share, &weight);
            sum = dc_scalar_add(&sum, &share);
        }
        struct dc_scalar weight = dc_lagrange(member, 3, 2), inverse = dc_scalar_invert(&weight),
                         third = dc_scalar_sub(&want, &sum); /* ... and the one that makes it */
        third = dc_scalar_mul(&third, &inverse);
        struct dealt other = d;
        dc_scalar_encode(&third, other.secret[4]);
        struct dc_scalar x = interpolate(&other, member, 3);
        CU_ASSERT_TRUE(dc_scalar_equal(&x, &want));
    }
}

static void test_cheating_dealer(void)
{
    struct dealt d;
    dealt_make(5, 3, 2, &d);
    uint8_t honest[32];
    memcpy(honest, d.share[2][4], 32);
    for (uint32_t bit = 0; bit < 256; bit++) { /* dealer 2 sends member 4 something else */
        uint8_t share[32];
        memcpy(share, honest, 32);
        share[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_dkg_share_fits(&d.deal[2], 4, share));
        CU_ASSERT_TRUE(dc_dkg_dealer_cheats(&d.deal[2], 4, share)); /* and publishes it */
    }
    CU_ASSERT_FALSE(dc_dkg_share_fits(&d.deal[2], 3, honest));    /* another's */
    CU_ASSERT_FALSE(dc_dkg_share_fits(&d.deal[1], 4, honest));    /* another dealer's */
    CU_ASSERT_TRUE(dc_dkg_dealer_cheats(&d.deal[2], 4, NULL));    /* does not answer */
    CU_ASSERT_FALSE(dc_dkg_dealer_cheats(&d.deal[2], 4, honest)); /* the complaint was wrong */
    /* Without dealer 2 the others have a key all the same, and it is another one. */
    const struct dc_dkg_deal *left[4] = {&d.deal[0], &d.deal[1], &d.deal[3], &d.deal[4]};
    uint8_t key[32], share_key[5][32];
    CU_ASSERT_TRUE_FATAL(dc_dkg_keys(left, 4, 5, key, share_key));
    CU_ASSERT_NOT_EQUAL(memcmp(key, d.group_key, 32), 0);
    struct dealt without = d;
    for (uint32_t i = 0; i < 5; i++) {
        const uint32_t dealer[4] = {0, 1, 3, 4};
        uint8_t own[4][32];
        for (uint32_t k = 0; k < 4; k++)
            memcpy(own[k], d.share[dealer[k]][i], 32);
        CU_ASSERT_TRUE(dc_dkg_secret((const uint8_t(*)[32])own, 4, without.secret[i]));
        struct dc_scalar x = scalar_of(without.secret[i]);
        CU_ASSERT_TRUE(is_key(&x, share_key[i]));
    }
    const uint32_t member[3] = {0, 2, 4};
    struct dc_scalar x = interpolate(&without, member, 3);
    CU_ASSERT_TRUE(is_key(&x, key));
}

/* Every bit of what a dealer publishes, other ceremonies, rogue keys. */
static void test_deals_refused(void)
{
    struct dealt d;
    dealt_make(4, 3, 3, &d);
    struct dc_dkg_deal *deal = &d.deal[1];
    uint8_t context[32];
    memset(context, 8, 32);
    CU_ASSERT_FALSE(dc_dkg_check(deal, context, 4, 3));
    CU_ASSERT_FALSE(dc_dkg_check(deal, d.context, 5, 3));
    CU_ASSERT_FALSE(dc_dkg_check(deal, d.context, 4, 2));
    uint8_t *at = deal->commitment[0];
    for (size_t bit = 0; bit < (size_t)8 * 96; bit++) {
        at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_dkg_check(deal, d.context, 4, 3));
        at[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < (size_t)8 * 64; bit++) {
        deal->possession[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_dkg_check(deal, d.context, 4, 3));
        deal->possession[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    deal->dealer = 2; /* another's name on it */
    CU_ASSERT_FALSE(dc_dkg_check(deal, d.context, 4, 3));
    deal->dealer = 1;
    CU_ASSERT_TRUE(dc_dkg_check(deal, d.context, 4, 3));
    /* A rogue part: its constant is chosen to cancel the others', and it cannot be possessed. */
    struct dc_point mine, other;
    CU_ASSERT_TRUE(dc_point_decode(deal->commitment[0], &mine));
    CU_ASSERT_TRUE(dc_point_decode(d.deal[0].commitment[0], &other));
    mine = dc_point_sub(&mine, &other);
    dc_point_encode(&mine, deal->commitment[0]);
    CU_ASSERT_FALSE(dc_dkg_check(deal, d.context, 4, 3));
    memset(deal->commitment[0], 0, 32);
    CU_ASSERT_FALSE(dc_dkg_check(deal, d.context, 4, 3));
}

/* --- decryption ------------------------------------------------------------------------------- */

static void test_decrypt(void)
{
    struct dealt d;
    dealt_make(5, 3, 4, &d);
    struct dc_scalar amount = dc_scalar_u64(123456), r = dc_scalar_u64(999);
    struct dc_point key;
    CU_ASSERT_TRUE_FATAL(dc_point_decode(d.group_key, &key));
    struct dc_elgamal c = dc_lifted_encrypt(&key, &amount, &r);
    uint8_t bytes[64], partial[5][DC_PARTIAL_BYTES], point[5][32], open[32];
    dc_elgamal_encode(&c, bytes);
    for (uint32_t i = 0; i < 5; i++) {
        CU_ASSERT_TRUE(dc_partial_make(d.secret[i], bytes, "here", 4, partial[i]));
        CU_ASSERT_TRUE(dc_partial_check(d.share_key[i], bytes, "here", 4, partial[i]));
        CU_ASSERT_FALSE(dc_partial_check(d.share_key[i], bytes, "else", 4, partial[i]));
        CU_ASSERT_FALSE(dc_partial_check(d.share_key[(i + 1) % 5], bytes, "here", 4, partial[i]));
        CU_ASSERT_FALSE(dc_partial_check(d.share_key[i], bytes + 32, "here", 4, partial[i]));
    }
    for (uint32_t size = 1; size <= 5; size++) {
        uint32_t member[5];
        for (uint32_t which = 0; dealt_subset(5, size, which, member); which++) {
            for (uint32_t i = 0; i < size; i++)
                memcpy(point[i], partial[member[i]], 32);
            CU_ASSERT_TRUE(
                dc_partial_combine(member, (const uint8_t(*)[32])point, size, bytes + 32, open));
            CU_ASSERT_EQUAL(dc_amount_is(open, 123456), size >= 3); /* t, and not t-1 */
        }
    }
    const uint32_t twice[3] = {1, 2, 1};
    for (uint32_t i = 0; i < 3; i++)
        memcpy(point[i], partial[twice[i]], 32);
    CU_ASSERT_FALSE(dc_partial_combine(twice, (const uint8_t(*)[32])point, 3, bytes + 32, open));
}

/* Two partial decryptions of three: every amount is as possible as the true one.  For each there is
 * a third that opens the ciphertext to it; without the key nobody can tell which one is the
 * holder's. */
static void test_too_few_decrypt(void)
{
    struct dealt d;
    dealt_make(5, 3, 5, &d);
    struct dc_scalar amount = dc_scalar_u64(42), r = dc_scalar_u64(31337);
    struct dc_point key, p;
    CU_ASSERT_TRUE_FATAL(dc_point_decode(d.group_key, &key));
    struct dc_elgamal c = dc_lifted_encrypt(&key, &amount, &r);
    uint8_t bytes[64], partial[DC_PARTIAL_BYTES], point[3][32], open[32];
    dc_elgamal_encode(&c, bytes);
    const uint32_t member[3] = {0, 2, 4};
    struct dc_point sum = dc_point_identity();
    for (uint32_t i = 0; i < 2; i++) {
        CU_ASSERT_TRUE(dc_partial_make(d.secret[member[i]], bytes, "", 0, partial));
        memcpy(point[i], partial, 32);
        struct dc_scalar weight = dc_lagrange(member, 3, i);
        CU_ASSERT_TRUE(dc_point_decode(partial, &p));
        p = dc_point_mul(&weight, &p);
        sum = dc_point_add(&sum, &p);
    }
    struct dc_scalar weight = dc_lagrange(member, 3, 2), inverse = dc_scalar_invert(&weight);
    for (uint64_t other = 0; other < 30; other++) {
        struct dc_scalar a = dc_scalar_u64(other);
        p = dc_point_mul_base(&a);
        p = dc_point_sub(&c.second, &p);
        p = dc_point_sub(&p, &sum);
        p = dc_point_mul(&inverse, &p);
        dc_point_encode(&p, point[2]);
        CU_ASSERT_TRUE(
            dc_partial_combine(member, (const uint8_t(*)[32])point, 3, bytes + 32, open));
        CU_ASSERT_TRUE(dc_amount_is(open, other));
    }
}

static void test_cheat_named(void)
{
    struct dealt d;
    dealt_make(4, 2, 6, &d);
    struct dc_scalar amount = dc_scalar_u64(5), r = dc_scalar_u64(8);
    struct dc_point key;
    CU_ASSERT_TRUE_FATAL(dc_point_decode(d.group_key, &key));
    struct dc_elgamal c = dc_lifted_encrypt(&key, &amount, &r);
    uint8_t bytes[64], partial[DC_PARTIAL_BYTES], other[DC_PARTIAL_BYTES];
    dc_elgamal_encode(&c, bytes);
    CU_ASSERT_TRUE(dc_partial_make(d.secret[1], bytes, "here", 4, partial));
    for (size_t bit = 0; bit < 8 * DC_PARTIAL_BYTES; bit++) {
        partial[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dc_partial_check(d.share_key[1], bytes, "here", 4, partial));
        partial[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 512; bit++) { /* of the statement */
        uint8_t changed[64];
        memcpy(changed, bytes, 64);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (bit < 256)
            CU_ASSERT_FALSE(dc_partial_check(d.share_key[1], changed, "here", 4, partial));
    }
    for (size_t line = 0; line < 3; line++) {
        memcpy(other, partial, sizeof other);
        memset(other + 32 * line, 0, 32);
        CU_ASSERT_FALSE(dc_partial_check(d.share_key[1], bytes, "here", 4, other));
    }
    const uint8_t nothing[32] = {0};
    CU_ASSERT_FALSE(dc_partial_make(d.secret[1], nothing, "here", 4, other));
    CU_ASSERT_FALSE(dc_partial_check(d.share_key[1], nothing, "here", 4, partial));
}

/* The largest group there may be. */
static void test_large(void)
{
    static const uint32_t count = DC_DKG_MEMBERS_MAX, threshold = 86;
    struct dc_dkg_deal *deal = dc_mem_alloc(2, sizeof *deal);
    uint8_t(*share)[32] = dc_mem_alloc(2 * (size_t)count, 32);
    uint8_t seed[32] = {1}, context[32] = {2}, group[32], keys[DC_DKG_MEMBERS_MAX][32];
    CU_ASSERT_PTR_NOT_NULL_FATAL(deal);
    CU_ASSERT_PTR_NOT_NULL_FATAL(share);
    dc_dkg_make(seed, context, 0, count, threshold, &deal[0], share);
    dc_dkg_make(seed, context, 127, count, threshold, &deal[1], share + count);
    for (uint32_t i = 0; i < count; i += 9)
        CU_ASSERT_TRUE(dc_dkg_share_fits(&deal[1], i, share[count + i]));
    CU_ASSERT_TRUE(dc_dkg_check(&deal[0], context, count, threshold));
    const struct dc_dkg_deal *both[2] = {&deal[0], &deal[1]};
    CU_ASSERT_TRUE(dc_dkg_keys(both, 2, count, group, keys));
    CU_ASSERT_FALSE(dc_dkg_keys(both, 2, count - 1, group, keys)); /* one is no member */
    deal[0].dealer = 127;                                          /* two deals of one dealer */
    CU_ASSERT_FALSE(dc_dkg_keys(both, 2, count, group, keys));
    deal[0].dealer = 0;
    CU_ASSERT_TRUE(dc_dkg_keys(both, 2, count, group, keys));
    uint32_t member[86];
    struct dc_scalar x = dc_scalar_zero();
    for (uint32_t i = 0; i < threshold; i++)
        member[i] = 127 - i;
    for (uint32_t i = 0; i < threshold; i++) {
        struct dc_scalar a = scalar_of(share[member[i]]), b = scalar_of(share[count + member[i]]),
                         weight = dc_lagrange(member, threshold, i);
        a = dc_scalar_add(&a, &b);
        a = dc_scalar_mul(&a, &weight);
        x = dc_scalar_add(&x, &a);
    }
    CU_ASSERT_TRUE(is_key(&x, group));
    dc_mem_free(deal);
    dc_mem_free(share);
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {{"keys", test_key},
                                             {"t-1 shares fit every secret", test_too_few_fit_all},
                                             {"a cheating dealer is named", test_cheating_dealer},
                                             {"deals refused", test_deals_refused},
                                             {"decryption", test_decrypt},
                                             {"t-1 fit every amount", test_too_few_decrypt},
                                             {"a cheating holder is named", test_cheat_named},
                                             {"128 members", test_large}};
    return TEST_MAIN("dkg", cases);
}
