/* Every verifier of proofs, with the statement in its input.
 *
 *   input = which (1 byte) | 0 | edits: place 2, xor 1 ...     a valid statement and proof, changed
 *           which (1 byte) | other | bytes                    anything at all
 *
 * A valid one is accepted, and no other bytes are: one that differs from it in any place is refused,
 * whatever the place.  Samples are made once, from fixed seeds.  Built for libFuzzer, or with
 * replay.c as a test. */
#include "models/base/mem.h"
#include "models/crypto/bfv.h"
#include "models/crypto/clsag.h"
#include "models/crypto/noise.h"
#include "models/crypto/rangeproof.h"
#include "models/crypto/sigma.h"
#include "models/crypto/smt.h"
#include "models/privacy/transfer.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

#define SAMPLE_MAX ((size_t)1 << 18)

static const struct dc_hash context = {{1, 2, 3}};
static uint8_t secret[32] = {42};
static struct dc_scalar some(uint64_t n)
{
    struct dc_nonces nonces;
    dc_nonces_init(&nonces, secret, DC_DOMAIN_TEST);
    dc_nonces_feed(&nonces, &n, sizeof n);
    return dc_nonces_next(&nonces);
}

#include "tests/fuzz/proof_contracts.h"
#include "tests/fuzz/proof_keys.h"

/* ---- range proofs: commitments | proof ------------------------------------------------------- */

static size_t range_make(uint32_t bits, uint32_t m, uint8_t *out)
{
    uint64_t value[8] = {200, 3, 250, 1, 9, 77, 0, 255};
    struct dc_scalar blinding[8];
    uint8_t commitment[8][32];
    for (uint32_t i = 0; i < m; i++)
        blinding[i] = some(i);
    struct dc_transcript t;
    dc_transcript_init(&t, "fuzz");
    FUZZ_NEED(dc_range_prove(&t, bits, value, blinding, m, secret, commitment, out + 32 * m));
    memcpy(out, commitment, (size_t)32 * m);
    return 32 * m + dc_range_bytes(bits, m);
}

static bool range_check(uint32_t bits, uint32_t m, const uint8_t *bytes, size_t size)
{
    struct dc_transcript t;
    uint8_t commitment[8][32];
    if (size < 32 * m)
        return false;
    memcpy(commitment, bytes, (size_t)32 * m);
    dc_transcript_init(&t, "fuzz");
    return dc_range_verify(&t, bits, commitment, m, bytes + 32 * m, size - 32 * m);
}

static size_t range8_make(uint8_t *out)
{
    return range_make(8, 1, out);
}
static bool range8_check(const uint8_t *bytes, size_t size)
{
    return range_check(8, 1, bytes, size);
}
static size_t range32x2_make(uint8_t *out)
{
    return range_make(32, 2, out);
}
static bool range32x2_check(const uint8_t *bytes, size_t size)
{
    return range_check(32, 2, bytes, size);
}

/* ---- sigma proofs: keys, ciphertexts | proof ------------------------------------------------- */

static size_t equal_make(uint8_t *out) /* key 32 | ciphertext 64 | commitment 32 | proof 192 */
{
    struct dc_scalar s = some(1), amount = dc_scalar_u64(1234), r = some(2), blinding = some(3);
    struct dc_point key = dc_twisted_key(&s), c = dc_pedersen(&amount, &blinding);
    struct dc_elgamal e = dc_twisted_encrypt(&key, &amount, &r);
    struct dc_transcript t;
    dc_point_encode(&key, out);
    dc_elgamal_encode(&e, out + 32);
    dc_point_encode(&c, out + 96);
    dc_sigma_transcript(&t, "fuzz");
    dc_sigma_equal_commitment_prove(&t, &s, out + 32, &amount, &blinding, out + 128);
    return 128 + DC_SIGMA_EQUAL_COMMITMENT_BYTES;
}
static bool equal_check(const uint8_t *b, size_t size)
{
    struct dc_transcript t;
    dc_sigma_transcript(&t, "fuzz");
    return size == 128 + DC_SIGMA_EQUAL_COMMITMENT_BYTES &&
           dc_sigma_equal_commitment_verify(&t, b, b + 32, b + 96, b + 128);
}

static size_t group_make(uint8_t *out) /* keys 96 | group 128 | proof */
{
    struct dc_scalar amount = dc_scalar_u64(77), r = some(5);
    struct dc_transcript t;
    uint8_t key[3][32];
    for (uint32_t i = 0; i < 3; i++) {
        struct dc_scalar s = some(10 + i);
        struct dc_point k = dc_twisted_key(&s);
        dc_point_encode(&k, key[i]);
    }
    memcpy(out, key, 96);
    dc_sigma_transcript(&t, "fuzz");
    struct dc_point k[3];
    for (uint32_t i = 0; i < 3; i++)
        FUZZ_NEED(dc_point_decode_proper(key[i], &k[i]));
    dc_twisted_group(k, 3, &amount, &r, out + 96);
    dc_sigma_group_prove(&t, 3, (const uint8_t(*)[32])key, &amount, &r, out + 224);
    return 224 + DC_SIGMA_GROUP_BYTES(3);
}
static bool group_check(const uint8_t *b, size_t size)
{
    struct dc_transcript t;
    uint8_t key[3][32];
    if (size != 224 + DC_SIGMA_GROUP_BYTES(3))
        return false;
    memcpy(key, b, 96);
    dc_sigma_transcript(&t, "fuzz");
    return dc_sigma_group_verify(&t, 3, (const uint8_t(*)[32])key, b + 96, b + 224);
}

static size_t widths_make(uint8_t *out) /* commitments 64 | proof: 32 + 32 bits */
{
    static const uint8_t width[2] = {32, 32};
    uint64_t amount[2] = {5, 4000000000u};
    struct dc_scalar blinding[2] = {some(20), some(21)};
    struct dc_transcript t;
    for (uint32_t i = 0; i < 2; i++) {
        struct dc_scalar v = dc_scalar_u64(amount[i]);
        struct dc_point c = dc_pedersen(&v, &blinding[i]);
        dc_point_encode(&c, out + 32 * i);
    }
    dc_sigma_transcript(&t, "fuzz");
    dc_sigma_range_prove(&t, 2, width, amount, blinding, out + 64);
    return 64 + DC_SIGMA_RANGE_BYTES(6);
}
static bool widths_check(const uint8_t *b, size_t size)
{
    static const uint8_t width[2] = {32, 32};
    struct dc_transcript t;
    uint8_t commitment[2][32];
    if (size < 64)
        return false;
    memcpy(commitment, b, 64);
    dc_sigma_transcript(&t, "fuzz");
    return dc_sigma_range_verify(&t, 2, width, (const uint8_t(*)[32])commitment, b + 64, size - 64);
}

/* ---- confidential transfers ------------------------------------------------------------------ */

static size_t transfer_make(uint8_t *out)
{
    struct dc_ring_member member[4];
    uint32_t id[4] = {3, 5, 8, 9};
    struct dc_transfer_plan plan = {
        .chain = 7, .inputs = 1, .outputs = 2, .ring = 4, .fee = 10, .to = UINT32_MAX};
    struct dc_stealth_keys own, other;
    struct dc_scalar zero = dc_scalar_zero();
    dc_stealth_keys_from_seed(secret, &own);
    uint8_t seed[32] = {9};
    dc_stealth_keys_from_seed(seed, &other);
    for (uint32_t i = 0; i < 4; i++) {
        struct dc_scalar x = some(40 + i), b = some(50 + i), v = dc_scalar_u64(1000);
        struct dc_point p = dc_pedersen(&zero, &x), c = dc_pedersen(&v, &b);
        dc_point_encode(&p, member[i].key);
        dc_point_encode(&c, member[i].commitment);
        if (i == 2) {
            dc_scalar_encode(&x, plan.source[0].key);
            dc_scalar_encode(&b, plan.source[0].blinding);
        }
    }
    plan.source[0].amount = 1000;
    plan.source[0].index = 2;
    plan.source[0].id = id;
    plan.source[0].member = member;
    plan.target[0] = (struct dc_transfer_target){&other.address, 600};
    plan.target[1] = (struct dc_transfer_target){&own.address, 390};
    uint8_t *body = dc_mem_need(1, DC_TRANSFER_BYTES_MAX, "a body");
    size_t size = dc_transfer_prove(&plan, body);
    FUZZ_NEED(size != 0);
    size = dc_transfer_statement(7, body, size, member, 4, out);
    dc_mem_free(body);
    return size;
}

/* ---- the others ------------------------------------------------------------------------------ */

static size_t handshake_begin(struct dc_noise *reader, uint8_t *out)
{
    struct dc_exchange a, b, ea, eb;
    uint8_t seed[32] = {1};
    dc_exchange_from_seed(seed, &a);
    seed[0] = 2;
    dc_exchange_from_seed(seed, &b);
    seed[0] = 3;
    dc_exchange_from_seed(seed, &ea);
    seed[0] = 4;
    dc_exchange_from_seed(seed, &eb);
    struct dc_noise_config from = {
        .pattern = "IK", .initiator = true, .own = &a, .ephemeral = &ea, .remote = b.public};
    struct dc_noise_config to = {.pattern = "IK", .own = &b, .ephemeral = &eb};
    size_t size = 0;
    FUZZ_NEED(dc_noise_begin(reader, &to));
    if (out != NULL) {
        struct dc_noise writer;
        FUZZ_NEED(dc_noise_begin(&writer, &from) &&
                  dc_noise_write(&writer, "hello", 5, out, 1024, &size));
    }
    return size;
}
static size_t handshake_make(uint8_t *out)
{
    struct dc_noise reader;
    return handshake_begin(&reader, out);
}
static bool handshake_check(const uint8_t *b, size_t size)
{
    struct dc_noise reader;
    uint8_t plain[4096];
    size_t plain_size;
    (void)handshake_begin(&reader, NULL);
    return size <= sizeof plain &&
           dc_noise_read(&reader, b, size, plain, sizeof plain, &plain_size);
}

static size_t absence_make(uint8_t *out) /* root 32 | key 32 | proof that it is not there */
{
    struct dc_smt_forest forest = {0};
    struct dc_merkle hash = dc_merkle(DC_DOMAIN_IMAGES);
    struct dc_smt tree = {0};
    uint8_t key[1][32];
    dc_smt_forest_init(&forest, &hash, false);
    for (uint64_t i = 0; i < 20; i++) {
        struct dc_hash k = dc_hash_bytes(DC_DOMAIN_TEST, &i, sizeof i);
        FUZZ_NEED(dc_smt_add(&forest, &tree, k.b, NULL));
    }
    dc_smt_commit(&forest, &tree);
    memset(key, 0x5a, 32);
    memcpy(out, tree.hash.b, 32);
    memcpy(out + 32, key, 32);
    size_t size = dc_smt_prove(&forest, &tree, (const uint8_t(*)[32])key, 1, out + 64, 32768);
    dc_smt_drop(&forest, &tree);
    dc_smt_forest_free(&forest);
    return 64 + size;
}
/* What is true has other proofs too (levels in two steps, an edge by its hash), of which nothing is
 * asked; what is not has none. */
static bool absence_check(const uint8_t *b, size_t size)
{
    static uint8_t first[64 + 32768];
    static size_t first_size; /* the sample comes first */
    struct dc_merkle hash = dc_merkle(DC_DOMAIN_IMAGES);
    struct dc_smt_leaf at = {.value = dc_smt_one};
    struct dc_hash root;
    memset(at.key, 0x5a, 32);
    if (size < 64)
        return false;
    if (first_size == 0)
        memcpy(first, b, first_size = size);
    memcpy(root.b, first, 32);
    FUZZ_NEED(!dc_smt_check(&hash, &root, &at, 1, b + 64, size - 64)); /* is there */
    struct dc_hash there = dc_hash_bytes(DC_DOMAIN_TEST, &(uint64_t){3}, sizeof(uint64_t));
    struct dc_smt_leaf none = {.value = {{0}}};
    memcpy(none.key, there.b, 32);
    FUZZ_NEED(!dc_smt_check(&hash, &root, &none, 1, b + 64, size - 64)); /* is not */
    at.value = none.value;
    bool right = dc_smt_check(&hash, &root, &at, 1, b + 64, size - 64);
    return size == first_size && memcmp(b, first, size) == 0 && right;
}

/* What decodes must encode to the same bytes: a ciphertext is no proof. */
static size_t lattice_make(uint8_t *out)
{
    struct dc_bfv_poly *p = dc_mem_need(1, sizeof *p, "a polynomial");
    dc_bfv_poly_encode(p, out);
    dc_mem_free(p);
    return DC_BFV_POLY_BYTES;
}
static bool lattice_check(const uint8_t *b, size_t size)
{
    struct dc_bfv_poly *p = dc_mem_need(1, sizeof *p, "a polynomial");
    uint8_t *again = dc_mem_need(1, DC_BFV_POLY_BYTES, "its bytes");
    if (dc_bfv_poly_decode(b, size, p)) {
        dc_bfv_poly_encode(p, again);
        FUZZ_NEED(size == DC_BFV_POLY_BYTES && memcmp(b, again, size) == 0);
    }
    dc_mem_free(again);
    dc_mem_free(p);
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum |= b[i];
    return size == DC_BFV_POLY_BYTES && sum == 0;
}

static const struct target {
    const char *name;
    size_t (*make)(uint8_t *out);
    bool (*check)(const uint8_t *bytes, size_t size);
} targets[] = {{"range proof, 8 bits", range8_make, range8_check},
               {"range proof, 2 x 32 bits", range32x2_make, range32x2_check},
               {"ciphertext-commitment equality", equal_make, equal_check},
               {"grouped ciphertext validity", group_make, group_check},
               {"range proof of several widths", widths_make, widths_check},
               {"beacon share", beacon_make, beacon_check},
               {"partial decryption", partial_make, partial_check},
               {"FROST, Ed25519", frost_ed_make, frost_ed_check},
               {"FROST, ristretto255", frost_rist_make, frost_rist_check},
               {"confidential transfer", transfer_make, dc_transfer_check},
               {"escrow approval", escrow_make, dc_escrow_check},
               {"rating", rating_make, dc_rating_check},
               {"usage report", usage_make, dc_usage_statement_check},
               {"handshake", handshake_make, handshake_check},
               {"absence from a set", absence_make, absence_check},
               {"lattice polynomial", lattice_make, lattice_check},
               {"auction's bid", auction_bid_make, dc_auction_bid_check},
               {"auction's settlement", settle_make, dc_auction_settle_check},
               {"auction's exposure", expose_make, expose_check},
               {"key generation: deal and share", deal_make, deal_check},
               {"FROST, a share", frost_share_make, frost_share_check},
               {"certificates", chain_make, chain_check},
               {"sealed letter", letter_make, letter_check},
               {"terms", terms_make, terms_check}};
#define TARGETS (sizeof targets / sizeof targets[0])

static uint8_t *sample[TARGETS];
static size_t sample_size[TARGETS];

static void set_up(void)
{
    dc_crypto_init();
    uint8_t *room = dc_mem_need(1, SAMPLE_MAX, "samples");
    for (size_t i = 0; i < TARGETS; i++) {
        sample_size[i] = targets[i].make(room);
        sample[i] = dc_mem_need(1, sample_size[i], "a sample");
        memcpy(sample[i], room, sample_size[i]);
        if (!targets[i].check(sample[i], sample_size[i])) {
            fprintf(stderr, "%s: its own sample is refused\n", targets[i].name);
            abort();
        }
    }
    dc_mem_free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (sample[0] == NULL)
        set_up();
    if (size < 2)
        return 0;
    size_t which = data[0] % TARGETS;
    const struct target *t = &targets[which];
    if (data[1] != 0) {
        bool same = size - 2 == sample_size[which] &&
                    memcmp(data + 2, sample[which], sample_size[which]) == 0;
        FUZZ_NEED(t->check(data + 2, size - 2) == same);
        return 0;
    }
    uint8_t *edited = malloc(sample_size[which]); /* its own block: sanitizers see its end */
    FUZZ_NEED(edited != NULL);
    memcpy(edited, sample[which], sample_size[which]);
    for (size_t i = 2; i + 3 <= size; i += 3)
        edited[(size_t)(data[i] | data[i + 1] << 8) % sample_size[which]] ^= data[i + 2];
    bool same = memcmp(edited, sample[which], sample_size[which]) == 0;
    FUZZ_NEED(t->check(edited, sample_size[which]) == same);
    free(edited);
    return 0;
}
