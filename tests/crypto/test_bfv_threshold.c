/* Threshold BFV: a key made by its members, opened by any `threshold` of them and by no fewer, and
 * cheats seen and named. */
#include "models/base/rng.h"
#include "models/crypto/bfv_impl.h"
#include "models/crypto/bfv_threshold.h"
#include "models/crypto/crypto.h"
#include "tests/support/harness.h"

#include <string.h>

enum { N = DC_BFV_MEMBERS_MAX, SHARES = DC_BFV_SHARES_MAX };

static struct dc_bfv *bfv;
static struct dc_stream draws;
static const struct dc_hash about = {"a key"}, common = {"what nobody chose"};
static const uint8_t seed[32] = "one who encrypts";

/* One key, its members, and what they say of an opening. */
static struct dc_bfv_sharing sharing;
static struct dc_bfv_member member[N];
static struct dc_hash marks[SHARES];
static struct dc_bfv_public key;
static struct dc_bfv_plan plan;
static struct dc_bfv_poly part[SHARES];
static const struct dc_bfv_poly *parts[SHARES];
static struct dc_hash digest[SHARES][DC_BFV_COPIES_MAX];

static void secret_of(uint32_t m, uint8_t out[32])
{
    memset(out, 0, 32);
    out[0] = (uint8_t)(m + 1);
}

/* Contributions to a seed, in order of its holders. */
static void contribute(uint32_t share, struct dc_hash *out)
{
    for (uint32_t m = 0; m < sharing.members; m++)
        if (dc_bfv_holds(&sharing, m, share)) {
            uint8_t secret[32];
            secret_of(m, secret);
            *out++ = dc_bfv_contribution(secret, &about, share);
        }
}

static void make_key(uint32_t members, uint32_t threshold, uint32_t copies)
{
    CU_ASSERT_FATAL(dc_bfv_sharing_make(members, threshold, &sharing));
    memset(member, 0, sizeof member);
    for (uint32_t m = 0; m < members; m++) {
        member[m].sharing = &sharing;
        member[m].index = m;
    }
    for (uint32_t share = 0; share < sharing.shares; share++) {
        struct dc_hash given[N], k;
        contribute(share, given);
        k = dc_bfv_seed(&sharing, &about, share, given);
        marks[share] = dc_bfv_mark(&k, share);
        for (uint32_t m = 0; m < members; m++)
            if (dc_bfv_holds(&sharing, m, share))
                member[m].seed[share] = k;
    }
    CU_ASSERT_FATAL(dc_bfv_plan_make(&sharing, (uint16_t)((1u << members) - 1), copies, &plan));
    for (uint32_t g = 0; g < plan.groups; g++) {
        parts[g] = &part[g];
        dc_bfv_key_part(bfv, &member[plan.holder[g][0]], &plan, g, &common, &part[g]);
    }
    dc_bfv_key_combine(bfv, parts, plan.groups, &common, &key);
}

static void random_plain(struct dc_bfv_plain *out)
{
    for (uint32_t i = 0; i < BFV_N; i++)
        out->v[i] = (uint32_t)dc_next_below(&draws, DC_BFV_PLAIN);
}

/* Everyone present makes its parts of c; false when too few are. */
static bool make_parts(const struct dc_bfv_ciphertext *c, uint16_t present, uint32_t copies)
{
    static struct dc_bfv_poly mine;
    if (!dc_bfv_plan_make(&sharing, present, copies, &plan))
        return false;
    struct dc_hash name = dc_bfv_poly_digest(&c->c[1]);
    memset(digest, 0, sizeof digest);
    for (uint32_t g = 0; g < plan.groups; g++)
        for (uint32_t i = 0; i < plan.holders[g]; i++) {
            dc_bfv_part(bfv, &member[plan.holder[g][i]], &plan, g, &c->c[1], &name, &mine);
            digest[g][i] = dc_bfv_poly_digest(&mine);
            if (i == 0)
                part[g] = mine;
            parts[g] = &part[g];
        }
    return true;
}

static bool plain_equal(const struct dc_bfv_plain *a, const struct dc_bfv_plain *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

static void test_sharing(void)
{
    for (uint32_t n = 1; n <= N; n++)
        for (uint32_t t = 1; t <= n; t++) {
            CU_ASSERT(dc_bfv_sharing_make(n, t, &sharing));
            uint32_t want = 1; /* n over t - 1 */
            for (uint32_t i = 0; i + 1 < t; i++)
                want = want * (n - i) / (i + 1);
            CU_ASSERT_EQUAL(sharing.shares, want);
            CU_ASSERT(want <= SHARES);
            for (uint32_t set = 0; set < 1u << n; set++) {
                uint32_t lacks = 0, size = (uint32_t)__builtin_popcount(set);
                for (uint32_t share = 0; share < want; share++)
                    lacks += (set & ~(uint32_t)sharing.without[share]) == 0;
                if (size >= t)
                    CU_ASSERT_EQUAL(lacks, 0);
                if (size == t - 1)
                    CU_ASSERT_EQUAL(lacks, 1);
                CU_ASSERT_EQUAL(dc_bfv_plan_make(&sharing, (uint16_t)set, 3, &plan), size >= t);
            }
            CU_ASSERT_FALSE(dc_bfv_plan_make(&sharing, (uint16_t)(1u << n), 1, &plan));
        }
    CU_ASSERT_FALSE(dc_bfv_sharing_make(3, 4, &sharing));
    CU_ASSERT_FALSE(dc_bfv_sharing_make(3, 0, &sharing));
    CU_ASSERT_FALSE(dc_bfv_sharing_make(N + 1, 3, &sharing));
}

static void open_by(const struct dc_bfv_ciphertext *c, const struct dc_bfv_plain *want,
                    uint16_t present, uint32_t copies)
{
    static struct dc_bfv_plain got;
    struct dc_bfv_verdict verdict;
    CU_ASSERT_FATAL(make_parts(c, present, copies));
    dc_bfv_judge(&plan, digest, &verdict);
    CU_ASSERT(verdict.agreed && verdict.cheats == 0 && verdict.disputed == UINT32_MAX);
    uint32_t bits = dc_bfv_combine(bfv, c, parts, plan.groups, &got);
    CU_ASSERT(plain_equal(want, &got));
    CU_ASSERT(bits <= DC_BFV_COMBINE_BITS_MAX && bits >= DC_BFV_SMUDGE_BITS - 1);
}

/* Every set of members that is large enough, or some of them. */
static void test_open(void)
{
    static const uint32_t shape[][2] = {{1, 1}, {2, 2}, {3, 2}, {4, 2}, {5, 3}, {7, 4}, {10, 6}};
    static struct dc_bfv_plain m;
    static struct dc_bfv_ciphertext c;
    for (int k = 0; k < 7; k++) {
        const uint32_t n = shape[k][0], t = shape[k][1];
        make_key(n, t, 1 + (uint32_t)k % 3);
        random_plain(&m);
        dc_bfv_encrypt(bfv, &key, &m, seed, &c);
        for (uint32_t set = 1; set < 1u << n; set++) {
            uint32_t size = (uint32_t)__builtin_popcount(set);
            bool chosen = n <= 4 || (n < N && set % 23 == 0) || set == 0x3f || set == 0x3ff;
            if (size >= t && chosen)
                open_by(&c, &m, (uint16_t)set, 1 + set % 3);
        }
    }
}

/* As many encryptions as training ever adds up, each as large as can be. */
static void test_open_sum(void)
{
    static struct dc_bfv_plain m, sum;
    static struct dc_bfv_ciphertext c, total;
    make_key(5, 3, 2);
    memset(&total, 0, sizeof total);
    memset(&sum, 0, sizeof sum);
    for (int i = 0; i < 63; i++) {
        random_plain(&m);
        dc_bfv_encrypt(bfv, &key, &m, seed, &c);
        dc_bfv_add(&total, &c);
        for (uint32_t j = 0; j < BFV_N; j++)
            sum.v[j] = (sum.v[j] + m.v[j]) % DC_BFV_PLAIN;
    }
    open_by(&total, &sum, 0x15, 3);
    open_by(&total, &sum, 0x1f, 3);
}

/* A part does not depend on who makes it, nor on who is there besides. */
static void test_parts(void)
{
    static struct dc_bfv_plain m;
    static struct dc_bfv_ciphertext c;
    static struct dc_bfv_poly kept, sum;
    make_key(3, 2, 1);
    random_plain(&m);
    dc_bfv_encrypt(bfv, &key, &m, seed, &c);
    for (uint16_t present = 3; present <= 7; present++) {
        if (!make_parts(&c, present, 2))
            continue;
        memset(&sum, 0, sizeof sum);
        for (uint32_t g = 0; g < plan.groups; g++)
            dc_bfv_poly_add(&sum, &part[g]);
        if (present == 3)
            kept = sum;
        CU_ASSERT_EQUAL(memcmp(&kept, &sum, sizeof sum), 0);
    }
    CU_ASSERT(make_parts(&c, 7, 2));
    struct dc_hash before = digest[0][0];
    c.c[1].v[0][0] ^= 1; /* another ciphertext: other noise, and other everything */
    CU_ASSERT(make_parts(&c, 7, 2));
    CU_ASSERT_FALSE(dc_hash_equal(&before, &digest[0][0]));
}

/* threshold - 1 members, who guess the seed that they lack. */
static void test_too_few(void)
{
    static struct dc_bfv_plain m, got, wish;
    static struct dc_bfv_ciphertext c;
    static struct dc_bfv_poly target;
    make_key(5, 3, 1);
    random_plain(&m);
    dc_bfv_encrypt(bfv, &key, &m, seed, &c);
    const uint16_t coalition = 0x0a;
    uint32_t lacking = 0;
    while (sharing.without[lacking] != coalition)
        lacking++;
    CU_ASSERT_FALSE(make_parts(&c, coalition, 1));
    for (uint32_t guess = 0; guess < 20; guess++) {
        memset(&member[0].seed[lacking], (int)guess, sizeof member[0].seed[lacking]);
        CU_ASSERT(make_parts(&c, coalition | 1, 1)); /* a guess is all that member 0 gives */
        uint32_t bits = dc_bfv_combine(bfv, &c, parts, plan.groups, &got), same = 0;
        for (uint32_t j = 0; j < BFV_N; j++)
            same += got.v[j] == m.v[j];
        CU_ASSERT(same <= 4);
        CU_ASSERT(bits > DC_BFV_COMBINE_BITS_MAX);
    }
    /* For any message there is a missing part that gives it, with as little noise as wanted: what
     * the coalition holds leaves all of them open. */
    random_plain(&wish);
    uint32_t g = plan.group[lacking];
    dc_bfv_from_plain(bfv, &wish, &target);
    dc_bfv_poly_sub(&target, &c.c[0]);
    for (uint32_t i = 0; i < plan.groups; i++)
        if (i != g)
            dc_bfv_poly_sub(&target, &part[i]);
    parts[g] = &target;
    CU_ASSERT(dc_bfv_combine(bfv, &c, parts, plan.groups, &got) <= DC_BFV_COMBINE_BITS_MAX);
    CU_ASSERT(plain_equal(&wish, &got));
}

/* A cheat moves its part by delta: the result is another message, with no more noise. */
static void cheat(uint32_t who, uint32_t group)
{
    static struct dc_bfv_plain one;
    static struct dc_bfv_poly wrong;
    one.v[3] = 1;
    dc_bfv_from_plain(bfv, &one, &wrong);
    for (uint32_t i = 0; i < plan.holders[group]; i++)
        if (plan.holder[group][i] == who) {
            if (i == 0)
                dc_bfv_poly_add(&part[group], &wrong);
            digest[group][i].b[5] ^= 1;
            if (i == 0)
                digest[group][i] = dc_bfv_poly_digest(&part[group]);
        }
}

static void test_named(void)
{
    static struct dc_bfv_plain m, got;
    static struct dc_bfv_ciphertext c;
    struct dc_bfv_verdict verdict;
    make_key(5, 3, 1);
    random_plain(&m);
    dc_bfv_encrypt(bfv, &key, &m, seed, &c);
    /* three: nobody can tell, and the message is another */
    CU_ASSERT(make_parts(&c, 0x07, 3));
    uint32_t alone = 0;
    while (plan.holders[alone] != 1 || plan.holder[alone][0] != 0)
        alone++;
    cheat(0, alone);
    dc_bfv_judge(&plan, digest, &verdict);
    CU_ASSERT(verdict.agreed);
    CU_ASSERT(dc_bfv_combine(bfv, &c, parts, plan.groups, &got) <= DC_BFV_COMBINE_BITS_MAX);
    CU_ASSERT_FALSE(plain_equal(&m, &got));
    /* all five: whoever cheats in any group is named, and nobody else */
    for (uint32_t who = 0; who < 5; who++) {
        CU_ASSERT(make_parts(&c, 0x1f, 3));
        uint32_t in = 0;
        for (uint32_t g = 0; g < plan.groups; g++)
            if (dc_bfv_plan_role(&plan, g, who) != 0) {
                cheat(who, g);
                in++;
            }
        CU_ASSERT(in >= 1);
        dc_bfv_judge(&plan, digest, &verdict);
        CU_ASSERT(!verdict.agreed && verdict.disputed == UINT32_MAX);
        CU_ASSERT_EQUAL(verdict.cheats, 1u << who);
        /* without it the rest open the right message */
        open_by(&c, &m, (uint16_t)(0x1f & ~(1u << who)), 3);
    }
    CU_ASSERT(make_parts(&c, 0x1f, 3)); /* silence is no lie */
    memset(&digest[0][1], 0, sizeof digest[0][1]);
    dc_bfv_judge(&plan, digest, &verdict);
    CU_ASSERT(verdict.agreed && verdict.cheats == 0);
}

/* Four of five with threshold three: a lie is seen, and opened seeds say whose it is. */
static void test_opened(void)
{
    static struct dc_bfv_plain m, got;
    static struct dc_bfv_ciphertext c;
    static struct dc_bfv_poly right;
    static struct dc_bfv_member opened;
    struct dc_bfv_verdict verdict;
    uint16_t cheats;
    make_key(5, 3, 1);
    random_plain(&m);
    dc_bfv_encrypt(bfv, &key, &m, seed, &c);
    for (uint32_t liar = 0; liar < 2; liar++) {
        CU_ASSERT(make_parts(&c, 0x1b, 2));
        uint32_t g = 0; /* in which both first members are */
        while (plan.holder[g][0] != 0 || plan.holder[g][1] != 1)
            g++;
        cheat(liar, g);
        dc_bfv_judge(&plan, digest, &verdict);
        CU_ASSERT(!verdict.agreed && verdict.cheats == 0);
        CU_ASSERT_EQUAL(verdict.disputed, g);
        memset(&opened, 0, sizeof opened);
        opened.sharing = &sharing;
        for (uint32_t share = 0; share < sharing.shares; share++)
            if (plan.group[share] == g)
                opened.seed[share] = member[plan.holder[g][0]].seed[share];
        CU_ASSERT(
            dc_bfv_part_open(bfv, &opened, marks, &plan, g, &c.c[1], digest[g], &right, &cheats));
        CU_ASSERT_EQUAL(cheats, 1u << liar);
        parts[g] = &right;
        CU_ASSERT(dc_bfv_combine(bfv, &c, parts, plan.groups, &got) <= DC_BFV_COMBINE_BITS_MAX);
        CU_ASSERT(plain_equal(&m, &got));
        for (uint32_t share = 0; share < sharing.shares; share++)
            if (plan.group[share] == g) { /* a seed that is not the key's convicts who opened it */
                opened.seed[share].b[31] ^= 0x80;
                CU_ASSERT_FALSE(dc_bfv_part_open(bfv, &opened, marks, &plan, g, &c.c[1], digest[g],
                                                 &right, &cheats));
                opened.seed[share].b[31] ^= 0x80;
            }
    }
}

/* One who gives its fellows different contributions: their marks differ, and what it gave one of
 * them is not what it is committed to. */
static void test_ceremony(void)
{
    CU_ASSERT(dc_bfv_sharing_make(4, 3, &sharing));
    uint8_t secret[32];
    secret_of(1, secret);
    for (uint32_t share = 0; share < sharing.shares; share++) {
        if (!dc_bfv_holds(&sharing, 1, share))
            continue;
        struct dc_hash honest = dc_bfv_contribution(secret, &about, share);
        struct dc_hash commitment = dc_bfv_commitment(&honest, &about, 1, share), given = honest;
        given.b[0] ^= 1;
        struct dc_hash to_one[N], to_other[N];
        contribute(share, to_one);
        contribute(share, to_other);
        uint32_t at = dc_bfv_holds(&sharing, 0, share) ? 1 : 0;
        CU_ASSERT(dc_hash_equal(&to_one[at], &honest));
        to_other[at] = given;
        struct dc_hash a = dc_bfv_seed(&sharing, &about, share, to_one);
        struct dc_hash b = dc_bfv_seed(&sharing, &about, share, to_other);
        struct dc_hash mark_a = dc_bfv_mark(&a, share), mark_b = dc_bfv_mark(&b, share);
        CU_ASSERT_FALSE(dc_hash_equal(&mark_a, &mark_b));
        struct dc_hash opened = dc_bfv_commitment(&given, &about, 1, share);
        CU_ASSERT_FALSE(dc_hash_equal(&opened, &commitment));
        opened = dc_bfv_commitment(&honest, &about, 2, share); /* nobody passes it off as its own */
        CU_ASSERT_FALSE(dc_hash_equal(&opened, &commitment));
    }
    struct dc_hash other = {"another key"};
    struct dc_hash a = dc_bfv_contribution(secret, &about, 0);
    struct dc_hash b = dc_bfv_contribution(secret, &other, 0);
    CU_ASSERT_FALSE(dc_hash_equal(&a, &b));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"who knows what", test_sharing},
        {"opened by enough", test_open},
        {"a long sum", test_open_sum},
        {"parts", test_parts},
        {"not opened by fewer", test_too_few},
        {"cheats named by most", test_named},
        {"cheats named by opening", test_opened},
        {"making the key", test_ceremony},
    };
    dc_crypto_init();
    draws = dc_stream(7, dc_name("test"), dc_name("bfv-threshold"));
    bfv = dc_bfv_open();
    DC_CHECK(bfv != NULL);
    int result = TEST_MAIN("bfv_threshold", cases);
    dc_bfv_close(bfv);
    return result;
}
