/* CLSAG: rings of many sizes and every place in them, linkability, every bit of small signatures and
 * of what they are about, encodings that are none, identities, and bytes that stay as they are. */
#include "models/crypto/clsag.h"
#include "models/crypto/crypto.h"
#include "models/crypto/group.h"
#include "tests/support/harness.h"

#include <string.h>

/* l, little-endian. */
static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                  0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                  0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

static uint8_t one[32], other[32]; /* two messages */

static struct dc_scalar scalar_of(uint64_t name, uint8_t use)
{
    uint8_t seed[32] = {use};
    struct dc_nonces n;
    dc_put64(seed + 1, name);
    dc_nonces_init(&n, seed, DC_DOMAIN_TEST);
    return dc_nonces_next(&n);
}

/* A ring whose every member has known secrets: key 2 i, blinding 2 i + 1 under `name`. */
struct party {
    struct dc_ring_member ring[DC_RING_MAX];
    uint8_t pseudo[32];
    struct dc_clsag_secret secret;
    uint32_t n;
};

static void make_party(struct party *p, uint32_t n, uint32_t index, uint64_t name)
{
    struct dc_scalar zero = dc_scalar_zero(), value = dc_scalar_u64(1000 + index);
    *p = (struct party){.n = n};
    for (uint32_t i = 0; i < n; i++) {
        struct dc_scalar x = scalar_of(name + i, 'x'), a = scalar_of(name + i, 'a');
        struct dc_scalar v = dc_scalar_u64(1000 + i);
        struct dc_point key = dc_pedersen(&zero, &x), commitment = dc_pedersen(&v, &a);
        dc_point_encode(&key, p->ring[i].key);
        dc_point_encode(&commitment, p->ring[i].commitment);
        if (i != index)
            continue;
        struct dc_scalar fresh = scalar_of(name, 'f'), z = dc_scalar_sub(&a, &fresh);
        struct dc_point pseudo = dc_pedersen(&value, &fresh);
        dc_point_encode(&pseudo, p->pseudo);
        dc_scalar_encode(&x, p->secret.key);
        dc_scalar_encode(&z, p->secret.blind);
    }
    p->secret.index = index;
    memset(p->secret.seed, 7, sizeof p->secret.seed);
}

static bool verify(const struct party *p, const uint8_t message[32], const uint8_t *signature)
{
    return dc_clsag_verify(message, p->ring, p->n, p->pseudo, signature, dc_clsag_bytes(p->n));
}

static void test_rings(void)
{
    static const uint32_t sizes[] = {2, 3, 5, 11, 64};
    struct party p;
    uint8_t signature[DC_CLSAG_BYTES_MAX], image[32];
    CU_ASSERT_EQUAL(dc_clsag_bytes(11), 448);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++)
        for (uint32_t index = 0; index<sizes[k]; index += sizes[k]> 11 ? 21 : 1) {
            make_party(&p, sizes[k], index, 100);
            CU_ASSERT_TRUE(dc_clsag_sign(one, p.ring, p.n, p.pseudo, &p.secret, signature));
            CU_ASSERT_TRUE(verify(&p, one, signature));
            CU_ASSERT_FALSE(verify(&p, other, signature));
            CU_ASSERT_TRUE(dc_clsag_key_image(p.secret.key, image));
            CU_ASSERT_EQUAL(memcmp(image, dc_clsag_image(signature, p.n), 32), 0);
        }
}

/* One key in two rings, at two places, about two amounts: one image; two keys: two. */
static void test_linked(void)
{
    struct party a, b;
    uint8_t first[DC_CLSAG_BYTES_MAX], second[DC_CLSAG_BYTES_MAX];
    make_party(&a, 4, 1, 100);
    make_party(&b, 7, 5, 200);
    b.ring[5] = a.ring[1];
    memcpy(b.pseudo, a.pseudo, 32);
    memcpy(b.secret.key, a.secret.key, 32);
    memcpy(b.secret.blind, a.secret.blind, 32);
    CU_ASSERT_TRUE(dc_clsag_sign(one, a.ring, a.n, a.pseudo, &a.secret, first));
    CU_ASSERT_TRUE(dc_clsag_sign(other, b.ring, b.n, b.pseudo, &b.secret, second));
    CU_ASSERT_TRUE(verify(&a, one, first) && verify(&b, other, second));
    CU_ASSERT_EQUAL(memcmp(dc_clsag_image(first, 4), dc_clsag_image(second, 7), 32), 0);
    make_party(&b, 4, 2, 100);
    CU_ASSERT_TRUE(dc_clsag_sign(one, b.ring, b.n, b.pseudo, &b.secret, second));
    CU_ASSERT_NOT_EQUAL(memcmp(dc_clsag_image(first, 4), dc_clsag_image(second, 4), 32), 0);
}

static uint32_t passing_flips(const struct party *p, uint8_t *bytes, size_t size,
                              const uint8_t *message, const uint8_t *signature)
{
    uint32_t passed = 0;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        passed += verify(p, message, signature);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    return passed;
}

static void test_every_bit(void)
{
    struct party p;
    uint8_t signature[DC_CLSAG_BYTES_MAX], message[32] = {5};
    make_party(&p, 2, 1, 300);
    CU_ASSERT_TRUE(dc_clsag_sign(message, p.ring, p.n, p.pseudo, &p.secret, signature));
    CU_ASSERT_EQUAL(passing_flips(&p, signature, dc_clsag_bytes(2), message, signature), 0);
    CU_ASSERT_EQUAL(passing_flips(&p, message, 32, message, signature), 0);
    CU_ASSERT_EQUAL(passing_flips(&p, p.pseudo, 32, message, signature), 0);
    CU_ASSERT_EQUAL(passing_flips(&p, p.ring[0].key, sizeof p.ring[0] * 2, message, signature), 0);
    CU_ASSERT_TRUE(verify(&p, message, signature));
}

static void test_swapped(void)
{
    struct party p, q;
    uint8_t signature[DC_CLSAG_BYTES_MAX], changed[DC_CLSAG_BYTES_MAX];
    make_party(&p, 5, 2, 400);
    CU_ASSERT_TRUE(dc_clsag_sign(one, p.ring, p.n, p.pseudo, &p.secret, signature));
    for (uint32_t i = 1; i < p.n; i++) { /* members change places, with and without responses */
        q = p;
        q.ring[0] = p.ring[i];
        q.ring[i] = p.ring[0];
        CU_ASSERT_FALSE(verify(&q, one, signature));
        memcpy(changed, signature, sizeof changed);
        memcpy(changed + 32, signature + 32 + 32 * i, 32);
        memcpy(changed + 32 + 32 * i, signature + 32, 32);
        CU_ASSERT_FALSE(verify(&q, one, changed));
        CU_ASSERT_FALSE(verify(&p, one, changed));
    }
    memcpy(changed, signature, sizeof changed); /* the images change places */
    memcpy(changed + 192, signature + 224, 32);
    memcpy(changed + 224, signature + 192, 32);
    CU_ASSERT_FALSE(verify(&p, one, changed));
    for (uint32_t n = 0; n < 2 * DC_RING_MAX; n++) {
        CU_ASSERT_EQUAL(dc_clsag_verify(one, p.ring, n < 5 ? n : 5, p.pseudo, signature,
                                        n < 5 ? dc_clsag_bytes(n) : 256 + n - 5),
                        n == 5);
    }
}

/* Adds l to a scalar's bytes: the same number, another encoding. */
static void add_order(uint8_t scalar[32])
{
    uint32_t carry = 0;
    for (int i = 0; i < 32; i++) {
        carry += (uint32_t)scalar[i] + order[i];
        scalar[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void test_encodings(void)
{
    struct party p, q;
    uint8_t signature[DC_CLSAG_BYTES_MAX], changed[DC_CLSAG_BYTES_MAX];
    make_party(&p, 3, 0, 500);
    CU_ASSERT_TRUE(dc_clsag_sign(one, p.ring, p.n, p.pseudo, &p.secret, signature));
    for (uint32_t i = 0; i < 4; i++) {
        memcpy(changed, signature, sizeof changed);
        add_order(changed + 32 * i);
        CU_ASSERT_FALSE(verify(&p, one, changed));
    }
    for (uint32_t i = 4; i < 6; i++) { /* I, then D: the identity, then a negative point */
        memcpy(changed, signature, sizeof changed);
        memset(changed + 32 * i, 0, 32);
        CU_ASSERT_FALSE(verify(&p, one, changed));
        memcpy(changed, signature, sizeof changed);
        memset(changed + 32 * i, 0xff, 32);
        CU_ASSERT_FALSE(verify(&p, one, changed));
    }
    q = p;
    memset(q.ring[1].key, 0, 32);
    CU_ASSERT_FALSE(verify(&q, one, signature));
    CU_ASSERT_FALSE(dc_clsag_sign(one, q.ring, q.n, q.pseudo, &q.secret, changed));
    CU_ASSERT_FALSE(verify(&p, one, changed));
}

/* Who does not know the secrets signs nothing: another's index, another amount, no secret at all. */
static void test_secrets(void)
{
    struct party p, q;
    uint8_t signature[DC_CLSAG_BYTES_MAX];
    make_party(&p, 4, 1, 600);
    for (uint32_t i = 0; i < 6; i++) {
        q = p;
        q.secret.index = i;
        CU_ASSERT_EQUAL(dc_clsag_sign(one, q.ring, q.n, q.pseudo, &q.secret, signature), i == 1);
    }
    q = p;
    struct dc_scalar more = dc_scalar_u64(2000), fresh = scalar_of(600, 'f');
    struct dc_point pseudo = dc_pedersen(&more, &fresh);
    dc_point_encode(&pseudo, q.pseudo);
    CU_ASSERT_FALSE(dc_clsag_sign(one, q.ring, q.n, q.pseudo, &q.secret, signature));
    q = p;
    memset(q.secret.key, 0, 32);
    CU_ASSERT_FALSE(dc_clsag_sign(one, q.ring, q.n, q.pseudo, &q.secret, signature));
    q = p;
    add_order(q.secret.blind);
    CU_ASSERT_FALSE(dc_clsag_sign(one, q.ring, q.n, q.pseudo, &q.secret, signature));
    q = p; /* the pseudo-commitment is the note's own: z is 0 */
    memcpy(q.pseudo, q.ring[1].commitment, 32);
    memset(q.secret.blind, 0, 32);
    CU_ASSERT_FALSE(dc_clsag_sign(one, q.ring, q.n, q.pseudo, &q.secret, signature));
    memset(q.secret.key, 0, 32);
    CU_ASSERT_FALSE(dc_clsag_key_image(q.secret.key, signature));
    CU_ASSERT_FALSE(dc_clsag_sign(one, p.ring, 1, p.pseudo, &p.secret, signature));
    CU_ASSERT_FALSE(dc_clsag_sign(one, p.ring, 65, p.pseudo, &p.secret, signature));
}

/* Made here, so that a change shows: no published vectors of CLSAG on this group are known. */
static void test_frozen(void)
{
    static const struct {
        uint32_t n, index;
        const char *digest;
    } cases[] = {{2, 0, "80627efff24f4b22bb5018a7d315c92bdfb83709b6d2486667cb0701ecfded19"},
                 {11, 4, "5ae26ae5b45e785b086e54e7a08c44aac72ee50e4d149417db2fa7d4e37a0d48"},
                 {64, 63, "b46bbbe3017fc25bf4ceb1297067f4c5b0cf40b910b08dd0bd3c96ecd5b29eec"}};
    struct party p;
    uint8_t signature[DC_CLSAG_BYTES_MAX], expect[32];
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        make_party(&p, cases[k].n, cases[k].index, 700);
        CU_ASSERT_TRUE(dc_clsag_sign(one, p.ring, p.n, p.pseudo, &p.secret, signature));
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, signature, dc_clsag_bytes(p.n));
        CU_ASSERT_EQUAL(test_hex(cases[k].digest, expect, sizeof expect), 32);
        CU_ASSERT_EQUAL(memcmp(h.b, expect, 32), 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"rings of 2 to 64, every place", test_rings},
        {"one key, one image", test_linked},
        {"every bit of signature, message, ring and pseudo-commitment", test_every_bit},
        {"members, responses, images and sizes swapped", test_swapped},
        {"encodings that are none, and identities", test_encodings},
        {"secrets that open nothing", test_secrets},
        {"frozen", test_frozen},
    };
    dc_crypto_init();
    one[0] = 1;
    other[0] = 2;
    return TEST_MAIN("clsag", cases);
}
