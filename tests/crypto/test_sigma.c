/* The published zk-ElGamal proofs, all of them; each kind proved and refused here: every bit of
 * proof and statement, other transcripts, swapped statements, identities, numbers above l. */
#include "models/crypto/crypto.h"
#include "models/crypto/sigma.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <stdio.h>
#include <stdlib.h>

static size_t from_base64(const char *text, uint8_t *out, size_t max)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t held = 0, bits = 0;
    size_t n = 0;
    for (; *text != '\0' && *text != '='; text++) {
        const char *at = strchr(digits, *text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(at);
        held = held << 6 | (uint32_t)(at - digits);
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        CU_ASSERT_TRUE_FATAL(n < max);
        out[n++] = (uint8_t)(held >> bits);
    }
    return n;
}

/* A statement and its proof as one string of bytes, so that every bit of it can be turned. */
#define PARTS_MAX 8
struct shown {
    const char *kind;
    uint32_t parts;
    size_t size[PARTS_MAX], total;
    uint8_t bytes[2048];
    uint64_t cap;
};

static void show(struct shown *s, const void *bytes, size_t size)
{
    memcpy(s->bytes + s->total, bytes, size);
    s->size[s->parts++] = size;
    s->total += size;
}

static bool verify_group(const struct shown *s, struct dc_transcript *t, const uint8_t *at)
{
    uint32_t handles = s->kind[strlen(s->kind) - 1] == '3' ? 3 : 2;
    uint8_t key[3][32];
    for (uint32_t i = 0; i < handles; i++)
        memcpy(key[i], at + 32 * i, 32);
    at += 32 * handles;
    size_t group = 32 * (handles + 1);
    const uint8_t(*keys)[32] = (const uint8_t(*)[32])key;
    if (s->kind[0] == 'b')
        return dc_sigma_groups_verify(t, handles, keys, at, at + group, at + 2 * group);
    return dc_sigma_group_verify(t, handles, keys, at, at + group);
}

static bool verify_range(const struct shown *s, struct dc_transcript *t, const uint8_t *at)
{
    static const uint8_t width[3] = {64, 32, 32};
    uint8_t commitment[3][32];
    memcpy(commitment, at, sizeof commitment);
    return dc_sigma_range_verify(t, 3, width, (const uint8_t(*)[32])commitment, at + 96,
                                 s->total - 96);
}

static bool verify(const struct shown *s, const char *label)
{
    struct dc_transcript t;
    const uint8_t *at = s->bytes;
    dc_sigma_transcript(&t, label);
    if (strcmp(s->kind, "key") == 0)
        return dc_sigma_key_verify(&t, at, at + 32);
    if (strcmp(s->kind, "zero") == 0)
        return dc_sigma_zero_verify(&t, at, at + 32, at + 96);
    if (strcmp(s->kind, "equal commitment") == 0)
        return dc_sigma_equal_commitment_verify(&t, at, at + 32, at + 96, at + 128);
    if (strcmp(s->kind, "equal ciphertext") == 0) {
        uint8_t key[2][32], ciphertext[2][64];
        memcpy(key, at, 64);
        memcpy(ciphertext, at + 64, 128);
        return dc_sigma_equal_ciphertext_verify(&t, (const uint8_t(*)[32])key,
                                                (const uint8_t(*)[64])ciphertext, at + 192);
    }
    if (strcmp(s->kind, "cap") == 0) {
        struct dc_sigma_cap cap = {.cap = s->cap};
        memcpy(cap.percentage, at, 32);
        memcpy(cap.delta, at + 32, 32);
        memcpy(cap.claimed, at + 64, 32);
        return dc_sigma_cap_verify(&t, &cap, at + 96);
    }
    if (strcmp(s->kind, "range") == 0)
        return verify_range(s, &t, at);
    return verify_group(s, &t, at);
}

/* Every bit; one in `step` of them for what is slow. */
static void refuse_all(struct shown *s, const char *label, size_t step)
{
    size_t taken = 0;
    CU_ASSERT_TRUE_FATAL(verify(s, label));
    CU_ASSERT_FALSE(verify(s, "another label"));
    for (size_t bit = 0; bit < 8 * s->total; bit += step) {
        s->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (verify(s, label)) {
            taken++;
            printf("%s: bit %zu of %zu taken\n", s->kind, bit, 8 * s->total);
        }
        s->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_EQUAL(taken, 0);
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,
                                      0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
                                      0,    0,    0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0x10};
    for (size_t at = 0; at < s->total; at += 32) { /* each line: nothing, and plus l */
        uint8_t kept[32];
        uint32_t carry = 0;
        memcpy(kept, s->bytes + at, 32);
        memset(s->bytes + at, 0, 32);
        CU_ASSERT_FALSE(verify(s, label));
        for (uint32_t i = 0; i < 32; i++) {
            carry += (uint32_t)kept[i] + order[i];
            s->bytes[at + i] = (uint8_t)carry;
            carry >>= 8;
        }
        CU_ASSERT_FALSE(verify(s, label));
        memcpy(s->bytes + at, kept, 32);
    }
}

/* --- published ------------------------------------------------------------------------------- */

static const struct published {
    const char *test, *kind;
    size_t mutate; /* every so many bits */
    const char *field[PARTS_MAX];
} published[] = {
    {"test_pubkey_proof_str", "key", 1, {"pubkey"}},
    {"test_zero_ciphertext_proof_string", "zero", 1, {"pubkey", "ciphertext"}},
    {"test_ciphertext_commitment_equality_proof_string",
     "equal commitment",
     1,
     {"pubkey", "ciphertext", "commitment"}},
    {"test_ciphertext_ciphertext_equality_proof_string",
     "equal ciphertext",
     1,
     {"first_pubkey", "second_pubkey", "first_ciphertext", "second_ciphertext"}},
    {"test_grouped_ciphertext_validity_proof_string",
     "group 2",
     1,
     {"first_pubkey", "second_pubkey", "grouped_ciphertext"}},
    {"test_grouped_ciphertext_3_handles_validity_proof_string",
     "group 3",
     1,
     {"first_pubkey", "second_pubkey", "third_pubkey", "grouped_ciphertext"}},
    {"test_batched_grouped_ciphertext_2_handles_validity_proof_string",
     "both 2",
     1,
     {"first_pubkey", "second_pubkey", "grouped_ciphertext_lo", "grouped_ciphertext_hi"}},
    {"test_batched_grouped_ciphertext_3_handles_validity_proof_string",
     "both 3",
     1,
     {"first_pubkey", "second_pubkey", "third_pubkey", "grouped_ciphertext_lo",
      "grouped_ciphertext_hi"}},
    {"test_percentage_with_cap_proof_string",
     "cap",
     1,
     {"percentage_commitment", "delta_commitment", "claimed_commitment"}},
    {"test_range_proof_string", "range", 41, {"commitment_1", "commitment_2", "commitment_3"}}};
#define PUBLISHED (sizeof published / sizeof published[0])

static void test_published(void)
{
    size_t size, right = 0, seen = 0;
    char *text = test_shared_file("vectors/sigma/solana_zk_elgamal.json", &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    for (const struct json *v = json_first(json_get(root, "vectors")); v != NULL; v = v->next) {
        seen++;
        for (size_t i = 0; i < PUBLISHED; i++) {
            const struct published *p = &published[i];
            if (strcmp(json_text(v, "test"), p->test) != 0)
                continue;
            struct shown s = {.kind = p->kind, .cap = 3}; /* the cap of the published test */
            uint8_t bytes[1024];
            for (uint32_t f = 0; p->field[f] != NULL; f++)
                show(&s, bytes, from_base64(json_text(v, p->field[f]), bytes, sizeof bytes));
            show(&s, bytes, from_base64(json_text(v, "proof"), bytes, sizeof bytes));
            right += verify(&s, json_text(v, "label"));
            refuse_all(&s, json_text(v, "label"), p->mutate);
        }
    }
    printf("  zk-ElGamal proofs: %zu of %zu\n", right, seen);
    CU_ASSERT_EQUAL(seen, PUBLISHED);
    CU_ASSERT_EQUAL(right, PUBLISHED);
    json_free(root);
    free(text);
}

/* --- proved here ------------------------------------------------------------------------------ */

static struct dc_scalar some(uint64_t seed, uint64_t number)
{
    uint8_t text[16], wide[64];
    dc_put64(text, seed);
    dc_put64(text + 8, number);
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, text, 16),
                   g = dc_hash_pair(DC_DOMAIN_TEST, &h, &h);
    memcpy(wide, h.b, 32);
    memcpy(wide + 32, g.b, 32);
    return dc_scalar_wide(wide);
}

/* Statement s of a kind by seed: complete and valid. */
static void prove(const char *kind, uint64_t seed, const char *label, struct shown *s)
{
    struct dc_scalar secret = some(seed, 0), r = some(seed, 1), blinding = some(seed, 2),
                     amount = dc_scalar_u64(1000 + seed), zero = dc_scalar_zero();
    struct dc_scalar other = some(seed, 3), third = some(seed, 4);
    struct dc_point key[3] = {dc_twisted_key(&secret), dc_twisted_key(&other),
                              dc_twisted_key(&third)};
    uint8_t keys[3][32], bytes[256], proof[256];
    struct dc_transcript t;
    dc_sigma_transcript(&t, label);
    *s = (struct shown){.kind = kind};
    for (int i = 0; i < 3; i++)
        dc_point_encode(&key[i], keys[i]);
    if (strcmp(kind, "key") == 0) {
        show(s, keys[0], 32);
        dc_sigma_key_prove(&t, &secret, proof);
        show(s, proof, DC_SIGMA_KEY_BYTES);
    } else if (strcmp(kind, "zero") == 0) {
        struct dc_elgamal c = dc_twisted_encrypt(&key[0], &zero, &r);
        dc_elgamal_encode(&c, bytes);
        show(s, keys[0], 32);
        show(s, bytes, 64);
        dc_sigma_zero_prove(&t, &secret, bytes, proof);
        show(s, proof, DC_SIGMA_ZERO_BYTES);
    } else if (strcmp(kind, "equal commitment") == 0) {
        struct dc_elgamal c = dc_twisted_encrypt(&key[0], &amount, &r);
        struct dc_point p = dc_pedersen(&amount, &blinding);
        dc_elgamal_encode(&c, bytes);
        dc_point_encode(&p, bytes + 64);
        show(s, keys[0], 32);
        show(s, bytes, 96);
        dc_sigma_equal_commitment_prove(&t, &secret, bytes, &amount, &blinding, proof);
        show(s, proof, DC_SIGMA_EQUAL_COMMITMENT_BYTES);
    } else if (strcmp(kind, "equal ciphertext") == 0) {
        struct dc_elgamal a = dc_twisted_encrypt(&key[0], &amount, &r),
                          b = dc_twisted_encrypt(&key[1], &amount, &blinding);
        dc_elgamal_encode(&a, bytes);
        dc_elgamal_encode(&b, bytes + 64);
        show(s, keys, 64);
        show(s, bytes, 128);
        dc_sigma_equal_ciphertext_prove(&t, &secret, keys[1], bytes, &amount, &blinding, proof);
        show(s, proof, DC_SIGMA_EQUAL_CIPHERTEXT_BYTES);
    } else {
        uint32_t handles = kind[strlen(kind) - 1] == '3' ? 3 : 2;
        const struct dc_scalar two[2] = {amount, dc_scalar_u64(7)}, blind[2] = {r, blinding};
        show(s, keys, 32 * handles);
        dc_twisted_group(key, handles, &two[0], &blind[0], bytes);
        show(s, bytes, 32 * (handles + 1));
        if (kind[0] == 'b') {
            dc_twisted_group(key, handles, &two[1], &blind[1], bytes);
            show(s, bytes, 32 * (handles + 1));
            dc_sigma_groups_prove(&t, handles, (const uint8_t(*)[32])keys, two, blind, proof);
        } else {
            dc_sigma_group_prove(&t, handles, (const uint8_t(*)[32])keys, &amount, &r, proof);
        }
        show(s, proof, DC_SIGMA_GROUP_BYTES(handles));
    }
}

static void test_proved(void)
{
    static const char *const kinds[] = {
        "key",     "zero",    "equal commitment", "equal ciphertext",
        "group 2", "group 3", "both 2",           "both 3"};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        struct shown a, b, again;
        for (uint64_t seed = 1; seed <= 20; seed++) {
            prove(kinds[k], seed, "here", &a);
            CU_ASSERT_TRUE(verify(&a, "here"));
        }
        prove(kinds[k], 1, "here", &a);
        prove(kinds[k], 1, "here", &again);
        CU_ASSERT_EQUAL(memcmp(a.bytes, again.bytes, a.total), 0); /* no entropy */
        refuse_all(&a, "here", 5);
        prove(kinds[k], 2, "here", &b);
        size_t proof = a.total - a.size[a.parts - 1];
        for (uint32_t p = 0, at = 0; p + 1 < a.parts; at += (uint32_t)a.size[p++]) {
            struct shown mixed = a; /* another's statement, or part of it */
            memcpy(mixed.bytes + at, b.bytes + at, a.size[p]);
            CU_ASSERT_FALSE(verify(&mixed, "here"));
        }
        memcpy(b.bytes + proof, a.bytes + proof, a.total - proof);
        CU_ASSERT_FALSE(verify(&b, "here"));
    }
}

/* What is not so cannot be shown with the prover that would show it. */
static void test_untrue(void)
{
    struct dc_scalar secret = some(9, 0), r = some(9, 1), one = dc_scalar_one(),
                     two = dc_scalar_u64(2);
    struct dc_point key = dc_twisted_key(&secret), wrong = dc_pedersen(&two, &r);
    struct dc_elgamal c = dc_twisted_encrypt(&key, &one, &r);
    uint8_t keys[32], bytes[64], commitment[32], proof[192];
    struct dc_transcript t;
    dc_point_encode(&key, keys);
    dc_elgamal_encode(&c, bytes);
    dc_point_encode(&wrong, commitment);
    dc_sigma_transcript(&t, "here");
    dc_sigma_zero_prove(&t, &secret, bytes, proof);
    dc_sigma_transcript(&t, "here");
    CU_ASSERT_FALSE(dc_sigma_zero_verify(&t, keys, bytes, proof));
    dc_sigma_transcript(&t, "here");
    dc_sigma_equal_commitment_prove(&t, &secret, bytes, &two, &r, proof);
    dc_sigma_transcript(&t, "here");
    CU_ASSERT_FALSE(dc_sigma_equal_commitment_verify(&t, keys, bytes, commitment, proof));
}

/* percentage: capped at `cap`, or delta and claimed the same. */
static void cap_proof(uint64_t percentage, uint64_t delta, uint64_t claimed, uint64_t cap,
                      struct shown *s)
{
    struct dc_sigma_cap_secret secret = {.percentage = percentage,
                                         .delta = delta,
                                         .percentage_blinding = some(11, 0),
                                         .delta_blinding = some(11, 1),
                                         .claimed_blinding = some(11, 2)};
    struct dc_sigma_cap statement = {.cap = cap};
    struct dc_scalar a = dc_scalar_u64(percentage), b = dc_scalar_u64(delta),
                     c = dc_scalar_u64(claimed);
    struct dc_point p = dc_pedersen(&a, &secret.percentage_blinding);
    dc_point_encode(&p, statement.percentage);
    p = dc_pedersen(&b, &secret.delta_blinding);
    dc_point_encode(&p, statement.delta);
    p = dc_pedersen(&c, &secret.claimed_blinding);
    dc_point_encode(&p, statement.claimed);
    struct dc_transcript t;
    uint8_t proof[256];
    dc_sigma_transcript(&t, "here");
    dc_sigma_cap_prove(&t, &statement, &secret, proof);
    *s = (struct shown){.kind = "cap", .cap = cap};
    show(s, statement.percentage, 32);
    show(s, statement.delta, 32);
    show(s, statement.claimed, 32);
    show(s, proof, 256);
}

static void test_cap(void)
{
    struct shown s;
    cap_proof(3, 9475, 0, 3, &s);
    refuse_all(&s, "here", 7);
    cap_proof(1, 9600, 9600, 3, &s);
    refuse_all(&s, "here", 7);
    s.cap = 4;
    CU_ASSERT_FALSE(verify(&s, "here"));
    cap_proof(1, 9600, 9601, 3, &s); /* neither */
    CU_ASSERT_FALSE(verify(&s, "here"));
    cap_proof(4, 1, 2, 3, &s); /* above */
    CU_ASSERT_FALSE(verify(&s, "here"));
}

static void test_range(void)
{
    static const uint8_t width[3] = {64, 32, 32};
    const uint64_t amount[3] = {UINT64_MAX, 0, 0xffffffff};
    struct dc_scalar blinding[3] = {some(12, 0), some(12, 1), some(12, 2)};
    struct dc_transcript t;
    struct shown s = {.kind = "range"};
    uint8_t proof[DC_SIGMA_RANGE_BYTES(7)], commitment[32];
    for (int i = 0; i < 3; i++) {
        struct dc_scalar a = dc_scalar_u64(amount[i]);
        struct dc_point p = dc_pedersen(&a, &blinding[i]);
        dc_point_encode(&p, commitment);
        show(&s, commitment, 32);
    }
    dc_sigma_transcript(&t, "here");
    dc_sigma_range_prove(&t, 3, width, amount, blinding, proof);
    show(&s, proof, sizeof proof);
    refuse_all(&s, "here", 61);
    const uint8_t other[3] = {32, 64, 32}, odd[3] = {64, 32, 31};
    dc_sigma_transcript(&t, "here");
    CU_ASSERT_FALSE(dc_sigma_range_verify(&t, 3, other, (const uint8_t(*)[32])(void *)s.bytes,
                                          proof, sizeof proof));
    dc_sigma_transcript(&t, "here");
    CU_ASSERT_FALSE(dc_sigma_range_verify(&t, 3, odd, (const uint8_t(*)[32])(void *)s.bytes, proof,
                                          sizeof proof));
    const uint64_t large[3] = {1, (uint64_t)1 << 32, 0}; /* above its width */
    dc_sigma_transcript(&t, "here");
    dc_sigma_range_prove(&t, 3, width, large, blinding, proof);
    for (int i = 0; i < 3; i++) {
        struct dc_scalar a = dc_scalar_u64(large[i]);
        struct dc_point p = dc_pedersen(&a, &blinding[i]);
        dc_point_encode(&p, s.bytes + 32 * i);
    }
    memcpy(s.bytes + 96, proof, sizeof proof);
    CU_ASSERT_FALSE(verify(&s, "here"));
}

/* --- Schnorr and Chaum-Pedersen --------------------------------------------------------------- */

static bool dleq_check(const uint8_t b[160], const char *label)
{
    struct dc_transcript t;
    dc_transcript_init(&t, label);
    return dc_dleq_verify(&t, b, b + 32, b + 64, b + 96);
}

static bool schnorr_check(const uint8_t b[96], const char *label)
{
    struct dc_transcript t;
    dc_transcript_init(&t, label);
    return dc_schnorr_verify(&t, b, b + 32);
}

static void test_dleq(void)
{
    struct dc_scalar x = some(5, 0), q = some(5, 1);
    struct dc_point key = dc_point_mul_base(&x), second = dc_point_mul_base(&q);
    struct dc_transcript t;
    uint8_t b[160], s[96];
    dc_point_encode(&key, b);
    dc_point_encode(&second, b + 32);
    dc_transcript_init(&t, "a");
    dc_dleq_prove(&t, &x, b + 32, b + 64, b + 96);
    memcpy(s, b, 32);
    dc_transcript_init(&t, "a");
    dc_schnorr_prove(&t, &x, s + 32);
    CU_ASSERT_TRUE(dleq_check(b, "a") && schnorr_check(s, "a"));
    CU_ASSERT_FALSE(dleq_check(b, "b") || schnorr_check(s, "b"));
    for (size_t bit = 0; bit < 8 * sizeof b; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(dleq_check(b, "a"));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t bit = 0; bit < 8 * sizeof s; bit++) {
        s[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(schnorr_check(s, "a"));
        s[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t line = 0; line < 5; line++) {
        uint8_t zero[160];
        memcpy(zero, b, sizeof zero);
        memset(zero + 32 * line, 0, 32);
        CU_ASSERT_FALSE(dleq_check(zero, "a"));
    }
    memset(s, 0, sizeof s);
    CU_ASSERT_FALSE(schnorr_check(s, "a"));
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"published proofs", test_published},    {"proved and refused", test_proved},
        {"what is not so", test_untrue},         {"percentage with cap", test_cap},
        {"range of several widths", test_range}, {"Schnorr and DLEQ", test_dleq}};
    return TEST_MAIN("sigma", cases);
}
