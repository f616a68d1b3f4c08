/* Confidential transfers as bytes: all shapes; what a recipient sees; one bit of every byte; what
 * cheats try who own notes and sign again; swapped rings, chains and parts; frozen. */
#include "models/crypto/group.h"
#include "models/crypto/rangeproof.h"
#include "tests/privacy/notes.h"

#include <stdio.h>

enum { HEAD = 23 };
static struct notes notes; /* made by the first case */

static void test_shapes(void)
{
    notes_make(&notes, 3);
    static const uint32_t outputs[] = {1, 2, 4};
    uint8_t body[DC_TRANSFER_BYTES_MAX];
    for (uint32_t inputs = 1; inputs <= 2; inputs++)
        for (size_t k = 0; k < 3; k++)
            for (uint64_t unshield = 0; unshield <= 300; unshield += 300) {
                struct dc_transfer_plan p = notes_plan(&notes, inputs, outputs[k], unshield);
                size_t size = dc_transfer_prove(&p, body);
                CU_ASSERT_EQUAL(size, dc_transfer_bytes(inputs, outputs[k], notes.ring));
                CU_ASSERT_TRUE(notes_check(&notes, &p, body, size));
                struct dc_transfer t;
                CU_ASSERT_TRUE_FATAL(dc_transfer_decode(body, size, &t));
                CU_ASSERT_TRUE(t.fee == 10 && t.unshield == unshield && t.inputs == inputs);
                for (uint32_t i = 0; i < inputs; i++) {
                    uint8_t image[32];
                    CU_ASSERT_TRUE(dc_clsag_key_image(notes.key[i], image));
                    CU_ASSERT_EQUAL(memcmp(image, t.input[i].image, 32), 0);
                }
            }
}

/* Who it is for finds amount and blinding, and can spend it; the other finds nothing. */
static void test_received(void)
{
    uint8_t body[DC_TRANSFER_BYTES_MAX], shared[32], blinding[32], amount[8], commitment[32];
    struct dc_transfer_plan p = notes_plan(&notes, 2, 4, 0);
    struct dc_transfer t;
    size_t size = dc_transfer_prove(&p, body);
    CU_ASSERT_TRUE_FATAL(dc_transfer_decode(body, size, &t));
    for (uint32_t i = 0; i < 4; i++) {
        const struct dc_stealth_keys *to = i % 2 == 0 ? &notes.bob : &notes.alice;
        const struct dc_stealth_keys *other = i % 2 == 0 ? &notes.alice : &notes.bob;
        CU_ASSERT_FALSE(dc_stealth_recognise(other->view_secret, other->address.spend,
                                             &t.output[i].to, 0, shared, NULL));
        CU_ASSERT_TRUE(dc_stealth_recognise(to->view_secret, to->address.spend, &t.output[i].to, 0,
                                            shared, NULL));
        dc_stealth_mask(shared, t.output[i].amount, amount);
        CU_ASSERT_EQUAL(dc_get64(amount), p.target[i].amount);
        dc_stealth_blinding(shared, blinding);
        CU_ASSERT_TRUE(dc_transfer_commit(dc_get64(amount), blinding, commitment));
        CU_ASSERT_EQUAL(memcmp(commitment, t.output[i].commitment, 32), 0);
    }
}

static void test_extremes(void)
{
    struct notes n;
    uint8_t body[DC_TRANSFER_BYTES_MAX];
    notes_make(&n, 3);
    notes_amount(&n, 0, UINT64_MAX);
    struct dc_transfer_plan p = notes_plan(&n, 1, 2, 0);
    p.target[0].amount = 0;
    p.target[1].amount = UINT64_MAX - 10;
    size_t size = dc_transfer_prove(&p, body);
    CU_ASSERT_TRUE(size != 0 && notes_check(&n, &p, body, size));
    p.fee = UINT64_MAX; /* all of it is fee */
    p.target[1].amount = 0;
    size = dc_transfer_prove(&p, body);
    CU_ASSERT_TRUE(size != 0 && notes_check(&n, &p, body, size));
    p.unshield = 1; /* fee and what leaves do not fit */
    p.to = 5;
    CU_ASSERT_EQUAL(dc_transfer_prove(&p, body), 0);
    notes_amount(&n, 1, UINT64_MAX); /* two inputs of all there can be */
    p = notes_plan(&n, 2, 2, 0);
    p.target[0].amount = UINT64_MAX;
    p.target[1].amount = UINT64_MAX - 10;
    size = dc_transfer_prove(&p, body);
    CU_ASSERT_TRUE(size != 0 && notes_check(&n, &p, body, size));
}

/* Plans that cannot be. */
static void test_no_plan(void)
{
    uint8_t body[DC_TRANSFER_BYTES_MAX];
    struct dc_transfer_plan p = notes_plan(&notes, 1, 2, 0), q = p;
    q.target[0].amount++;
    CU_ASSERT_EQUAL(dc_transfer_prove(&q, body), 0);
    q = p;
    q.fee--;
    CU_ASSERT_EQUAL(dc_transfer_prove(&q, body), 0);
    q = p;
    q.outputs = 3;
    CU_ASSERT_EQUAL(dc_transfer_prove(&q, body), 0);
    q = p;
    q.source[0].index = 1;
    CU_ASSERT_EQUAL(dc_transfer_prove(&q, body), 0);
    q = p;
    q.source[0].key[0] ^= 1;
    CU_ASSERT_EQUAL(dc_transfer_prove(&q, body), 0);
    q = p;
    q.to = 5;
    CU_ASSERT_EQUAL(dc_transfer_prove(&q, body), 0);
    q = notes_plan(&notes, 2, 2, 0); /* one note twice: one image */
    q.source[1] = q.source[0];
    q.target[1].amount -= 1000;
    CU_ASSERT_EQUAL(dc_transfer_prove(&q, body), 0);
}

/* One bit of each byte of the statement; all bits: test_transfer_bits. */
static void test_every_byte(void)
{
    struct notes n;
    uint8_t body[DC_TRANSFER_BYTES_MAX], statement[DC_TRANSFER_STATEMENT_BYTES_MAX];
    notes_make(&n, 2);
    struct dc_transfer_plan p = notes_plan(&n, 1, 2, 0);
    size_t size = dc_transfer_prove(&p, body);
    size = notes_statement(&n, p.chain, 1, body, size, statement);
    CU_ASSERT_TRUE_FATAL(dc_transfer_check(statement, size));
    for (size_t i = 0; i < size; i++) {
        uint8_t bit = (uint8_t)(1u << (i * 5 + i / 8) % 8);
        statement[i] ^= bit;
        if (dc_transfer_check(statement, size))
            CU_FAIL("a changed statement passes");
        statement[i] ^= bit;
    }
    for (size_t less = 1; less < 200; less++)
        CU_ASSERT_FALSE(dc_transfer_check(statement, less < 150 ? size - less : less - 150));
    CU_ASSERT_FALSE(dc_transfer_check(statement, size + 1));
}

/* --- cheats ---------------------------------------------------------------------------------- */

/* Where output i's commitment stands in a body of one input. */
static size_t at_commitment(uint32_t inputs, uint32_t i)
{
    return HEAD + inputs * (32 + (size_t)4 * notes.ring) + 105 * (size_t)i + 32;
}

/* Adds k B to an encoded commitment. */
static void shift(uint8_t encoded[32], const struct dc_scalar *k)
{
    struct dc_point p, by = dc_point_mul_base(k);
    CU_ASSERT_TRUE_FATAL(dc_point_decode(encoded, &p));
    p = dc_point_add(&p, &by);
    dc_point_encode(&p, encoded);
}

/* Output 0 gains what output 1 loses, below zero: the sums hold, both signatures are right, only
 * the range proof knows. */
static void test_negative(void)
{
    static const uint64_t gains[] = {901, 5000, (uint64_t)1 << 63, UINT64_MAX};
    uint8_t body[DC_TRANSFER_BYTES_MAX];
    for (size_t i = 0; i < sizeof gains / sizeof gains[0]; i++) {
        struct dc_transfer_plan p = notes_plan(&notes, 1, 2, 0);
        size_t size = dc_transfer_prove(&p, body);
        struct dc_scalar gain = dc_scalar_u64(gains[i]), loss = dc_scalar_neg(&gain);
        CU_ASSERT_TRUE(dc_transfer_resign(&p, body, size));
        CU_ASSERT_TRUE(notes_check(&notes, &p, body, size));
        shift(body + at_commitment(1, 0), &gain);
        shift(body + at_commitment(1, 1), &loss);
        CU_ASSERT_FALSE(notes_check(&notes, &p, body, size));
        CU_ASSERT_TRUE(dc_transfer_resign(&p, body, size));
        CU_ASSERT_FALSE(notes_check(&notes, &p, body, size));
        shift(body + at_commitment(1, 0), &loss); /* back again: it was nothing else */
        shift(body + at_commitment(1, 1), &gain);
        CU_ASSERT_TRUE(dc_transfer_resign(&p, body, size));
        CU_ASSERT_TRUE(notes_check(&notes, &p, body, size));
    }
}

/* Puts other amounts into a body's two outputs, under their blindings, with a range proof that is
 * right, and signs: all that its maker can do.  Whether that passes. */
static bool with_amounts(const uint64_t amount[2])
{
    uint8_t body[DC_TRANSFER_BYTES_MAX], commitment[2][32], shared[32], bytes[32];
    struct dc_scalar blinding[2];
    struct dc_transfer_plan p = notes_plan(&notes, 1, 2, 0);
    struct dc_transfer t;
    struct dc_transcript transcript;
    size_t size = dc_transfer_prove(&p, body);
    CU_ASSERT_TRUE_FATAL(dc_transfer_decode(body, size, &t));
    for (uint32_t i = 0; i < 2; i++) {
        const struct dc_stealth_keys *to = i == 0 ? &notes.bob : &notes.alice;
        CU_ASSERT_TRUE_FATAL(dc_stealth_recognise(to->view_secret, to->address.spend,
                                                  &t.output[i].to, 0, shared, NULL));
        dc_stealth_blinding(shared, bytes);
        CU_ASSERT_TRUE_FATAL(dc_scalar_decode(bytes, &blinding[i]));
    }
    dc_transcript_init(&transcript, dc_domain_name(DC_DOMAIN_SHIELDED));
    CU_ASSERT_TRUE_FATAL(dc_range_prove(&transcript, 64, amount, blinding, 2, p.seed, commitment,
                                        body + (t.range - body)));
    memcpy(body + at_commitment(1, 0), commitment[0], 32);
    memcpy(body + at_commitment(1, 1), commitment[1], 32);
    CU_ASSERT_TRUE_FATAL(dc_transfer_resign(&p, body, size));
    return notes_check(&notes, &p, body, size);
}

/* 990 goes in.  What comes out is in range and adds up to more, to less, or to 2^64 more. */
static void test_sums(void)
{
    static const struct {
        uint64_t amount[2];
        bool valid;
    } cases[] = {
        {{100, 890}, true},         {{990, 0}, true},
        {{100, 891}, false},        {{100, 889}, false},
        {{1000100, 890}, false},    {{(uint64_t)1 << 63, ((uint64_t)1 << 63) + 990}, false},
        {{UINT64_MAX, 991}, false}, {{UINT64_MAX, UINT64_MAX}, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        CU_ASSERT_EQUAL(with_amounts(cases[i].amount), cases[i].valid);
}

/* More comes out than went in: the pseudo-commitment is raised with an output, and the old
 * signature does not open it, nor does any that the cheat can make. */
static void test_inflate(void)
{
    uint8_t body[DC_TRANSFER_BYTES_MAX];
    struct dc_transfer_plan p = notes_plan(&notes, 1, 2, 0);
    struct dc_scalar million = dc_scalar_u64(1000000);
    size_t size = dc_transfer_prove(&p, body);
    shift(body + at_commitment(1, 0), &million);
    CU_ASSERT_TRUE(dc_transfer_resign(&p, body, size));
    CU_ASSERT_FALSE(notes_check(&notes, &p, body, size));
    shift(body + HEAD, &million);
    CU_ASSERT_TRUE(dc_transfer_resign(&p, body, size)); /* over the right one: it knows no other */
    CU_ASSERT_FALSE(notes_check(&notes, &p, body, size));
}

/* The numbers in the open are changed and signed for. */
static void test_public(void)
{
    uint8_t body[DC_TRANSFER_BYTES_MAX];
    struct dc_transfer_plan p = notes_plan(&notes, 1, 2, 300);
    size_t size = dc_transfer_prove(&p, body);
    struct {
        uint64_t fee, unshield;
        uint32_t to;
        bool valid;
    } cases[] = {{9, 300, 5, false},  {11, 300, 5, false},
                 {10, 301, 5, false}, {0, 310, 5, true},
                 {310, 0, 5, false},  {310, 0, UINT32_MAX, true},
                 {10, 300, 6, true},  {10, 300, UINT32_MAX, false},
                 {11, 299, 5, true},  {UINT64_MAX, 311, 5, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        dc_put64(body + 3, cases[i].fee);
        dc_put64(body + 11, cases[i].unshield);
        dc_put32(body + 19, cases[i].to);
        CU_ASSERT_FALSE(notes_check(&notes, &p, body, size)); /* by somebody else */
        CU_ASSERT_TRUE(dc_transfer_resign(&p, body, size));   /* by the owner */
        CU_ASSERT_EQUAL(notes_check(&notes, &p, body, size), cases[i].valid);
        size = dc_transfer_prove(&p, body);
    }
}

static void test_swapped(void)
{
    struct notes changed;
    uint8_t body[DC_TRANSFER_BYTES_MAX], other[DC_TRANSFER_BYTES_MAX], part[105];
    struct dc_transfer_plan p = notes_plan(&notes, 2, 2, 0), q;
    size_t size = dc_transfer_prove(&p, body);
    q = p;
    q.chain++; /* on another chain */
    CU_ASSERT_FALSE(notes_check(&notes, &q, body, size));
    changed = notes; /* the state has other notes */
    changed.member[2] = notes.member[1];
    CU_ASSERT_FALSE(notes_check(&changed, &p, body, size));
    changed = notes;
    notes_amount(&changed, 0, 5000);
    CU_ASSERT_FALSE(notes_check(&changed, &p, body, size));
    size_t first = at_commitment(2, 0) - 32; /* outputs change places */
    memcpy(other, body, size);
    memcpy(part, other + first, 105);
    memcpy(other + first, other + first + 105, 105);
    memcpy(other + first + 105, part, 105);
    CU_ASSERT_FALSE(notes_check(&notes, &p, other, size));
    size_t clsag = dc_clsag_bytes(notes.ring); /* signatures do */
    memcpy(other, body, size);
    memcpy(other + size - clsag, body + size - 2 * clsag, clsag);
    memcpy(other + size - 2 * clsag, body + size - clsag, clsag);
    CU_ASSERT_FALSE(notes_check(&notes, &p, other, size));
    memcpy(other + size - clsag, other + size - 2 * clsag, clsag); /* one stands twice */
    CU_ASSERT_FALSE(notes_check(&notes, &p, other, size));
    q = p; /* another transfer's proofs */
    q.target[0].amount++;
    q.target[1].amount--;
    CU_ASSERT_EQUAL(dc_transfer_prove(&q, other), size);
    memcpy(other + size - 2 * clsag, body + size - 2 * clsag, 2 * clsag);
    CU_ASSERT_FALSE(notes_check(&notes, &p, other, size));
}

/* Forms that are none. */
static void test_forms(void)
{
    uint8_t body[DC_TRANSFER_BYTES_MAX];
    struct dc_transfer_plan p = notes_plan(&notes, 1, 2, 0);
    struct dc_transfer t;
    size_t size = dc_transfer_prove(&p, body);
    CU_ASSERT_TRUE(dc_transfer_decode(body, size, &t));
    for (uint32_t what = 0; what < 3; what++) {
        uint8_t old = body[what];
        for (uint32_t v = 0; v < 256; v++) {
            body[what] = (uint8_t)v;
            CU_ASSERT_EQUAL(dc_transfer_decode(body, size, &t), v == old);
        }
        body[what] = old;
    }
    size_t ring = HEAD + 32; /* members out of order, and one twice */
    for (uint32_t v = 0; v <= 30; v++) {
        dc_put32(body + ring + 4, v);
        CU_ASSERT_EQUAL(dc_transfer_decode(body, size, &t), v > 3 && v < 23);
    }
}

static void test_points(void)
{
    uint8_t body[DC_TRANSFER_BYTES_MAX];
    struct dc_transfer_plan p = notes_plan(&notes, 1, 2, 0);
    size_t size = dc_transfer_prove(&p, body);
    size_t at[] = {HEAD, at_commitment(1, 0) - 32, at_commitment(1, 0), at_commitment(1, 0) + 32};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++)
        for (int fill = 0; fill <= 0xff; fill += 0xff) { /* the identity, and no point */
            memset(body + at[i], fill, 32);
            CU_ASSERT_TRUE(dc_transfer_resign(&p, body, size));
            CU_ASSERT_FALSE(notes_check(&notes, &p, body, size));
            size = dc_transfer_prove(&p, body);
        }
}

static void test_frozen(void)
{
    uint8_t body[DC_TRANSFER_BYTES_MAX], again[DC_TRANSFER_BYTES_MAX], expect[32];
    struct dc_transfer_plan p = notes_plan(&notes, 2, 2, 300);
    size_t size = dc_transfer_prove(&p, body);
    CU_ASSERT_EQUAL(dc_transfer_prove(&p, again), size);
    CU_ASSERT_EQUAL(memcmp(body, again, size), 0);
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TEST, body, size);
    CU_ASSERT_EQUAL(test_hex("22cc64c172c38590c45f9d9b13248214aa7d5e0e5590d5a52ce85f2403c46f6b",
                             expect, sizeof expect),
                    32);
    CU_ASSERT_EQUAL(memcmp(h.b, expect, 32), 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"all shapes", test_shapes},
        {"what recipients find", test_received},
        {"amounts from 0 to 2^64 - 1", test_extremes},
        {"plans that cannot be", test_no_plan},
        {"one bit of every byte", test_every_byte},
        {"an output below zero", test_negative},
        {"outputs that do not add up", test_sums},
        {"money from nothing", test_inflate},
        {"fee, amount and account in the open", test_public},
        {"chains, rings, outputs and signatures swapped", test_swapped},
        {"forms that are none", test_forms},
        {"points that are none", test_points},
        {"frozen", test_frozen},
    };
    dc_crypto_init();
    return TEST_MAIN("transfer", cases);
}
