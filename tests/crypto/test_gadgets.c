/* Gadgets: each on every input of a small width, against what it is to say; and each as a proof
 * that holds and one that does not. */
#include "models/crypto/crypto.h"
#include "models/crypto/gadgets.h"
#include "models/crypto/r1cs.h"
#include "tests/support/harness.h"

#include <string.h>

#define INPUTS_MAX 8

/* A circuit over some inputs, with the parameters that its builder wants. */
struct job {
    void (*build)(struct dc_circuit *c, const struct dc_sum *in, const struct job *job);
    uint64_t in[INPUTS_MAX];
    uint32_t inputs, bits;
    bool negative; /* the first input is -in[0] */
    const struct dc_permutation *p;
    const struct dc_scalar *path;
};

/* The prover's circuit of a job. */
static void job_build(const struct job *job, struct dc_transcript *t, struct dc_circuit *c,
                      uint8_t (*commitment)[32])
{
    struct dc_sum in[INPUTS_MAX];
    dc_transcript_init(t, "test");
    dc_circuit_init(c, t, true);
    for (uint32_t i = 0; i < job->inputs; i++) {
        struct dc_scalar v = dc_scalar_u64(job->in[i]), blinding = dc_scalar_u64(1000 + i);
        if (i == 0 && job->negative)
            v = dc_scalar_neg(&v);
        in[i] = dc_circuit_commit(c, &v, &blinding, commitment[i]);
    }
    job->build(c, in, job);
}

/* Whether the prover's assignment satisfies the circuit. */
static bool job_holds(const struct job *job)
{
    struct dc_transcript t;
    struct dc_circuit c;
    uint8_t commitment[INPUTS_MAX][32];
    job_build(job, &t, &c, commitment);
    bool holds = dc_circuit_holds(&c);
    dc_circuit_free(&c);
    return holds;
}

/* Proves, valid or not, and verifies. */
static bool job_proves(const struct job *job)
{
    static const uint8_t secret[32] = {7};
    uint8_t proof[DC_R1CS_PROOF_BYTES_MAX], commitment[INPUTS_MAX][32];
    struct dc_transcript t;
    struct dc_circuit c;
    struct dc_sum in[INPUTS_MAX];
    job_build(job, &t, &c, commitment);
    size_t size = dc_r1cs_prove(&c, secret, proof, sizeof proof);
    CU_ASSERT_NOT_EQUAL_FATAL(size, 0);
    dc_circuit_free(&c);
    dc_transcript_init(&t, "test");
    dc_circuit_init(&c, &t, false);
    for (uint32_t i = 0; i < job->inputs; i++)
        in[i] = dc_circuit_committed(&c, commitment[i]);
    job->build(&c, in, job);
    bool ok = dc_r1cs_verify(&c, proof, size);
    dc_circuit_free(&c);
    return ok;
}

/* --- builders ------------------------------------------------------------------------------- */

static void build_boolean(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    dc_gadget_boolean(c, &in[0]);
}
static void build_range(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    dc_gadget_range(c, &in[0], job->bits, NULL);
}
static void build_at_most(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    dc_gadget_at_most(c, &in[0], &in[1], job->bits);
}
static void build_less_equal(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    struct dc_sum bit = dc_gadget_less_equal(c, &in[0], &in[1], job->bits);
    dc_circuit_equal(c, &bit, &in[2]);
}
static void build_select(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    struct dc_sum chosen = dc_gadget_select(c, &in[0], &in[1], &in[2]);
    dc_circuit_equal(c, &chosen, &in[3]);
}
static void build_nonzero(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    dc_gadget_nonzero(c, &in[0]);
}
static void build_is_zero(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    struct dc_sum zero = dc_gadget_is_zero(c, &in[0]);
    dc_circuit_equal(c, &zero, &in[1]);
}
static void build_up_to(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    dc_gadget_up_to(c, &in[0], job->bits);
}
static void build_shuffle(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    dc_gadget_shuffle(c, in, in + job->inputs / 2, job->inputs / 2);
}

/* --- cases ---------------------------------------------------------------------------------- */

static void test_small(void)
{
    for (uint64_t a = 0; a < 10; a++) {
        struct job j = {.build = build_boolean, .in = {a}, .inputs = 1};
        CU_ASSERT_EQUAL(job_holds(&j), a < 2);
        j.build = build_nonzero;
        CU_ASSERT_EQUAL(job_holds(&j), a != 0);
        j.build = build_range;
        for (j.bits = 1; j.bits < 5; j.bits++) {
            CU_ASSERT_EQUAL(job_holds(&j), a < 1u << j.bits);
            j.negative = true;
            CU_ASSERT_EQUAL(job_holds(&j), a == 0);
            j.negative = false;
        }
        j.build = build_up_to;
        for (j.bits = 1; j.bits < 8; j.bits++)
            CU_ASSERT_EQUAL(job_holds(&j), a <= j.bits);
        for (uint64_t said = 0; said < 3; said++) {
            struct job z = {.build = build_is_zero, .in = {a, said}, .inputs = 2};
            CU_ASSERT_EQUAL(job_holds(&z), said == (a == 0));
        }
    }
}

static void test_pairs(void)
{
    for (uint64_t a = 0; a < 8; a++)
        for (uint64_t b = 0; b < 8; b++) {
            struct job j = {.build = build_at_most, .in = {a, b}, .inputs = 2, .bits = 3};
            CU_ASSERT_EQUAL(job_holds(&j), a <= b);
            for (uint64_t said = 0; said < 2; said++) {
                struct job l = {
                    .build = build_less_equal, .in = {a, b, said}, .inputs = 3, .bits = 3};
                CU_ASSERT_EQUAL(job_holds(&l), said == (a <= b));
                struct job s = {.build = build_select, .in = {said, a, b, a}, .inputs = 4};
                CU_ASSERT_EQUAL(job_holds(&s), said == 1 || a == b);
            }
        }
}

/* The ends of the widest range. */
static void test_wide(void)
{
    struct job j = {.build = build_range, .in = {UINT64_MAX}, .inputs = 1, .bits = 64};
    CU_ASSERT_TRUE(job_holds(&j));
    j.bits = 63;
    CU_ASSERT_FALSE(job_holds(&j));
    j = (struct job){.build = build_range, .in = {1}, .inputs = 1, .bits = 64, .negative = true};
    CU_ASSERT_FALSE(job_holds(&j));
    j = (struct job){.build = build_less_equal,
                     .in = {UINT64_MAX >> 1, (UINT64_MAX >> 1) - 1, 0},
                     .inputs = 3,
                     .bits = 63};
    CU_ASSERT_TRUE(job_holds(&j));
    j.in[2] = 1;
    CU_ASSERT_FALSE(job_holds(&j));
}

/* Every gadget as a proof, with inputs that hold and inputs that do not. */
static void test_proofs(void)
{
    static const struct {
        void (*build)(struct dc_circuit *c, const struct dc_sum *in, const struct job *job);
        uint32_t inputs, bits;
        uint64_t yes[INPUTS_MAX], no[INPUTS_MAX];
    } table[] = {
        {build_boolean, 1, 0, {1}, {2}},
        {build_range, 1, 8, {255}, {256}},
        {build_at_most, 2, 8, {7, 7}, {8, 7}},
        {build_less_equal, 3, 8, {8, 7, 0}, {8, 7, 1}},
        {build_select, 4, 0, {0, 4, 5, 5}, {0, 4, 5, 4}},
        {build_nonzero, 1, 0, {9}, {0}},
        {build_is_zero, 2, 0, {0, 1}, {3, 1}},
        {build_up_to, 1, 5, {5}, {6}},
        {build_shuffle, 6, 0, {4, 2, 9, 9, 4, 2}, {4, 2, 9, 9, 4, 4}},
        {build_shuffle, 2, 0, {4, 4}, {4, 5}},
        {build_shuffle, 8, 0, {1, 2, 3, 4, 4, 3, 2, 1}, {1, 1, 3, 3, 1, 1, 1, 3}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct job j = {.build = table[i].build, .inputs = table[i].inputs, .bits = table[i].bits};
        memcpy(j.in, table[i].yes, sizeof j.in);
        CU_ASSERT_TRUE(job_proves(&j));
        memcpy(j.in, table[i].no, sizeof j.in);
        CU_ASSERT_FALSE(job_proves(&j));
    }
    struct job j = {.build = build_range, .in = {1}, .inputs = 1, .bits = 8, .negative = true};
    CU_ASSERT_FALSE(job_proves(&j));
}

/* --- provers that do not do as they are told --------------------------------------------------- */

static struct dc_scalar wire_value(const struct dc_circuit *c, uint32_t variable)
{
    switch (variable & 7) {
    case DC_WIRE_COMMITTED: return c->value[variable >> 3];
    case DC_WIRE_LEFT: return c->left[variable >> 3];
    case DC_WIRE_RIGHT: return c->right[variable >> 3];
    case DC_WIRE_OUT: return c->out[variable >> 3];
    default: return dc_scalar_one();
    }
}

/* Whether all constraints hold for what stands on the wires now. */
static bool wires_hold(const struct dc_circuit *c)
{
    for (uint32_t i = 0; i < c->constraints; i++) {
        struct dc_scalar sum = dc_scalar_zero();
        for (uint32_t k = 0; k < c->constraint[i].count; k++) {
            struct dc_scalar v = wire_value(c, c->constraint[i].term[k].variable);
            v = dc_scalar_mul(&v, &c->constraint[i].term[k].coefficient);
            sum = dc_scalar_add(&sum, &v);
        }
        if (!dc_scalar_is_zero(&sum))
            return false;
    }
    return true;
}

#define CHOICES 8 /* 0 .. 4, 1/2, -1, -2 */
/* Whether any assignment of the gates' inputs from CHOICES values satisfies the circuit. */
static bool job_any(const struct job *job)
{
    struct dc_scalar choice[CHOICES];
    for (uint32_t i = 0; i < 5; i++)
        choice[i] = dc_scalar_u64(i);
    choice[5] = dc_scalar_invert(&choice[2]);
    choice[6] = dc_scalar_neg(&choice[1]);
    choice[7] = dc_scalar_neg(&choice[2]);
    struct dc_transcript t;
    struct dc_circuit c;
    uint8_t commitment[INPUTS_MAX][32];
    job_build(job, &t, &c, commitment);
    uint32_t all = 1;
    for (uint32_t i = 0; i < 2 * c.gates; i++)
        all *= CHOICES;
    bool any = false;
    for (uint32_t code = 0; code < all && !any; code++) {
        for (uint32_t i = 0, rest = code; i < c.gates; i++, rest /= CHOICES * CHOICES) {
            c.left[i] = choice[rest % CHOICES];
            c.right[i] = choice[rest / CHOICES % CHOICES];
            c.out[i] = dc_scalar_mul(&c.left[i], &c.right[i]);
        }
        any = wires_hold(&c);
    }
    dc_circuit_free(&c);
    return any;
}

/* No assignment of the wires makes true what is not; some makes what is. */
static void test_dishonest(void)
{
    for (uint64_t a = 0; a < 5; a++) {
        struct job j = {.build = build_boolean, .in = {a}, .inputs = 1};
        CU_ASSERT_EQUAL(job_any(&j), a < 2);
        j = (struct job){.build = build_range, .in = {a}, .inputs = 1, .bits = 2};
        CU_ASSERT_EQUAL(job_any(&j), a < 4);
        j.build = build_up_to;
        CU_ASSERT_EQUAL(job_any(&j), a < 3);
        j.build = build_nonzero;
        CU_ASSERT_EQUAL(job_any(&j), a == 1 || a == 2); /* others' inverses are not */
        for (uint64_t b = 0; b < 4; b++) {
            struct job z = {.build = build_is_zero, .in = {a % 3, b}, .inputs = 2};
            CU_ASSERT_EQUAL(job_any(&z), b == (a % 3 == 0));
            struct job m = {.build = build_at_most, .in = {a % 4, b}, .inputs = 2, .bits = 2};
            CU_ASSERT_EQUAL(job_any(&m), a % 4 <= b);
            struct job l = {
                .build = build_less_equal, .in = {a % 2, b % 2, b / 2}, .inputs = 3, .bits = 1};
            CU_ASSERT_EQUAL(job_any(&l), b / 2 == (a % 2 <= b % 2));
            struct job s = {.build = build_select, .in = {a % 2, b, 1, 2}, .inputs = 4};
            CU_ASSERT_EQUAL(job_any(&s), a % 2 == 1 && b == 2);
        }
    }
}

/* --- the permutation ------------------------------------------------------------------------ */

static void build_hash(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    uint32_t before = c->gates;
    struct dc_sum h = dc_gadget_hash(c, job->p, DC_PERMUTATION_NODE, &in[0], &in[1]);
    CU_ASSERT_EQUAL(c->gates - before, 237);
    struct dc_scalar l = dc_scalar_u64(job->in[0]), r = dc_scalar_u64(job->in[2]);
    struct dc_scalar native = dc_permutation_hash(job->p, DC_PERMUTATION_NODE, &l, &r);
    struct dc_sum expected = dc_sum_constant(c, &native);
    dc_circuit_equal(c, &h, &expected);
}

static void test_hash(void)
{
    const struct dc_permutation *p = dc_permutation();
    for (uint64_t a = 0; a < 3; a++)
        for (uint64_t b = 0; b < 3; b++)
            for (uint64_t k = 0; k < 3; k++) {
                struct job j = {.build = build_hash, .in = {a, b, k}, .inputs = 3, .p = p};
                CU_ASSERT_EQUAL(job_holds(&j), b == k);
            }
    struct job j = {.build = build_hash, .in = {5, 6, 6}, .inputs = 3, .p = p};
    CU_ASSERT_TRUE(job_proves(&j));
    j.in[1] = 7;
    CU_ASSERT_FALSE(job_proves(&j));
}

/* Constants are what the header says; the permutation's own vector is frozen; lanes, sides and uses
 * are told apart. */
static void test_permutation(void)
{
    const struct dc_permutation *p = dc_permutation();
    uint8_t wide[64], hex[32], text[24] = {0};
    dc_put64(text, 63);
    dc_put64(text + 8, 2);
    for (uint32_t half = 0; half < 2; half++) {
        dc_put64(text + 16, half);
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_PERMUTATION, text, sizeof text);
        memcpy(wide + 32 * half, h.b, 32);
    }
    struct dc_scalar last = dc_scalar_wide(wide);
    CU_ASSERT_TRUE(dc_scalar_equal(&last, &p->constant[63][2]));
    struct dc_scalar one = dc_scalar_one(), two = dc_scalar_u64(2);
    struct dc_scalar a = dc_permutation_hash(p, DC_PERMUTATION_NODE, &one, &two);
    struct dc_scalar b = dc_permutation_hash(p, DC_PERMUTATION_NODE, &two, &one);
    struct dc_scalar c = dc_permutation_hash(p, DC_PERMUTATION_LEAF, &one, &two);
    CU_ASSERT_FALSE(dc_scalar_equal(&a, &b));
    CU_ASSERT_FALSE(dc_scalar_equal(&a, &c));
    dc_scalar_encode(&a, wide);
    CU_ASSERT_EQUAL(
        test_hex("f6c724dbc0b12442673acd84332f4543f5c963cbbb851efc9d555de9fa340200", hex, 32), 32);
    CU_ASSERT_EQUAL(memcmp(wide, hex, 32), 0);
}

/* Leaf in[0] under the root over 1, 2, 3, 4, 5; bits: the place. */
static void build_member(struct dc_circuit *c, const struct dc_sum *in, const struct job *job)
{
    struct dc_scalar leaf[5];
    for (uint32_t i = 0; i < 5; i++)
        leaf[i] = dc_scalar_u64(i + 1);
    struct dc_scalar root = dc_permutation_root(job->p, leaf, 5, 3);
    uint32_t before = c->gates;
    struct dc_sum top = dc_gadget_root(c, job->p, &in[0], 3, job->bits, job->path);
    CU_ASSERT_EQUAL(c->gates - before, 3 * 239);
    struct dc_sum expected = dc_sum_constant(c, &root);
    dc_circuit_equal(c, &top, &expected);
}

static void test_members(void)
{
    const struct dc_permutation *p = dc_permutation();
    struct dc_scalar leaf[5], path[DC_PERMUTATION_DEPTH_MAX];
    for (uint32_t i = 0; i < 5; i++)
        leaf[i] = dc_scalar_u64(i + 1);
    for (uint32_t place = 0; place < 8; place++) {
        dc_permutation_path(p, leaf, 5, 3, place, path);
        for (uint64_t value = 0; value < 7; value++) {
            struct job j = {.build = build_member,
                            .in = {value},
                            .inputs = 1,
                            .bits = place,
                            .p = p,
                            .path = path};
            CU_ASSERT_EQUAL(job_holds(&j), value == (place < 5 ? place + 1 : 0));
        }
    }
    CU_ASSERT_EQUAL(dc_permutation_depth(1), 1);
    CU_ASSERT_EQUAL(dc_permutation_depth(2), 1);
    CU_ASSERT_EQUAL(dc_permutation_depth(3), 2);
    CU_ASSERT_EQUAL(dc_permutation_depth(32), 5);
    CU_ASSERT_EQUAL(dc_permutation_depth(33), 6);
    CU_ASSERT_EQUAL(dc_permutation_depth(64), 6);
}

/* How many wires of gates, every step-th of them, may be another value than they are: none is free,
 * neither in the hash nor on the path (a bit that is none, a sibling). */
static uint32_t wires_free(const struct job *job, uint32_t step)
{
    struct dc_transcript t;
    struct dc_circuit c;
    uint8_t commitment[INPUTS_MAX][32];
    struct dc_scalar one = dc_scalar_one();
    uint32_t freed = 0;
    job_build(job, &t, &c, commitment);
    CU_ASSERT_TRUE(wires_hold(&c));
    for (uint32_t k = 0; k < 2 * c.gates; k += step) {
        uint32_t i = k / 2;
        struct dc_scalar *wire = k % 2 == 0 ? &c.left[i] : &c.right[i], was = *wire;
        *wire = dc_scalar_add(wire, &one);
        c.out[i] = dc_scalar_mul(&c.left[i], &c.right[i]);
        freed += wires_hold(&c);
        *wire = was;
        c.out[i] = dc_scalar_mul(&c.left[i], &c.right[i]);
    }
    dc_circuit_free(&c);
    return freed;
}

static void test_every_wire(void)
{
    const struct dc_permutation *p = dc_permutation();
    struct job hash = {.build = build_hash, .in = {5, 6, 6}, .inputs = 3, .p = p};
    CU_ASSERT_EQUAL(wires_free(&hash, 1), 0);
    struct dc_scalar leaf[5], path[DC_PERMUTATION_DEPTH_MAX];
    for (uint32_t i = 0; i < 5; i++)
        leaf[i] = dc_scalar_u64(i + 1);
    dc_permutation_path(p, leaf, 5, 3, 4, path);
    struct job member = {
        .build = build_member, .in = {5}, .inputs = 1, .bits = 4, .p = p, .path = path};
    CU_ASSERT_EQUAL(wires_free(&member, 239), 0); /* each level's bit and its gate */
    CU_ASSERT_EQUAL(wires_free(&member, 37), 0);
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"small values, exhaustively", test_small}, {"pairs, exhaustively", test_pairs},
        {"ends of wide ranges", test_wide},         {"as proofs", test_proofs},
        {"no other wires either", test_dishonest},  {"hash in and out of circuits", test_hash},
        {"permutation", test_permutation},          {"membership", test_members},
        {"no wire is free", test_every_wire},
    };
    return TEST_MAIN("crypto/gadgets", cases);
}
