/* Building circuits.  Terms are merged in order of the variable, so that a sum of a thousand sums
 * over forty variables has forty terms: the partial rounds of the permutation need that. */
#include "models/crypto/circuit.h"

static uint32_t variable_of(enum dc_wire wire, uint32_t index)
{
    return index * 8 + (uint32_t)wire;
}

static void *circuit_room(struct dc_circuit *c, size_t size)
{
    void *p = dc_arena_alloc(&c->arena, size);
    DC_CHECK(p != NULL);
    return p;
}

/* Room for one more of a growing array. */
static void circuit_grow(void *array, uint32_t max, size_t size)
{
    void *old, *p;
    memcpy(&old, array, sizeof old);
    p = dc_mem_grow(old, max, size);
    DC_CHECK(p != NULL);
    memcpy(array, &p, sizeof p);
}

void dc_circuit_init(struct dc_circuit *c, struct dc_transcript *transcript, bool proving)
{
    memset(c, 0, sizeof *c);
    c->transcript = transcript;
    c->proving = proving;
    static const char name[] = "destra/privacy/v1/circuit";
    dc_transcript_append(transcript, "dom-sep", name, sizeof name - 1);
}

void dc_circuit_free(struct dc_circuit *c)
{
    dc_arena_free(&c->arena);
    dc_mem_free(c->commitment);
    dc_mem_free(c->value);
    dc_mem_free(c->blinding);
    dc_mem_free(c->left);
    dc_mem_free(c->right);
    dc_mem_free(c->out);
    dc_mem_free(c->constraint);
    memset(c, 0, sizeof *c);
}

/* --- sums ----------------------------------------------------------------------------------- */

static struct dc_sum sum_variable(struct dc_circuit *c, enum dc_wire wire, uint32_t index,
                                  const struct dc_scalar *value)
{
    struct dc_term *t = circuit_room(c, sizeof *t);
    t->variable = variable_of(wire, index);
    t->coefficient = dc_scalar_one();
    return (struct dc_sum){.term = t, .count = 1, .value = *value};
}

struct dc_sum dc_sum_constant(struct dc_circuit *c, const struct dc_scalar *value)
{
    struct dc_sum s = {.value = dc_scalar_zero()};
    if (dc_scalar_is_zero(value))
        return s;
    struct dc_term *t = circuit_room(c, sizeof *t);
    t->variable = variable_of(DC_WIRE_ONE, 0);
    t->coefficient = *value;
    s.term = t;
    s.count = 1;
    if (c->proving)
        s.value = *value;
    return s;
}

struct dc_sum dc_sum_u64(struct dc_circuit *c, uint64_t value)
{
    struct dc_scalar v = dc_scalar_u64(value);
    return dc_sum_constant(c, &v);
}

struct dc_sum dc_sum_add_scaled(struct dc_circuit *c, const struct dc_sum *a,
                                const struct dc_sum *b, const struct dc_scalar *k)
{
    struct dc_sum s = {.value = a->value};
    struct dc_scalar one = dc_scalar_one();
    bool plain = dc_scalar_equal(k, &one); /* most are: no products then */
    if (c->proving) {
        struct dc_scalar add = dc_scalar_mul(&b->value, k);
        s.value = dc_scalar_add(&a->value, &add);
    }
    struct dc_term *t = circuit_room(c, ((size_t)a->count + b->count + 1) * sizeof *t);
    uint32_t i = 0, j = 0;
    while (i < a->count || j < b->count) {
        struct dc_term *out = &t[s.count];
        bool left = j == b->count || (i < a->count && a->term[i].variable <= b->term[j].variable);
        bool right = i == a->count || (j < b->count && b->term[j].variable <= a->term[i].variable);
        *out = left ? a->term[i] : b->term[j];
        if (right) {
            struct dc_scalar add = b->term[j].coefficient;
            if (!plain)
                add = dc_scalar_mul(&add, k);
            out->coefficient = left ? dc_scalar_add(&out->coefficient, &add) : add;
        }
        i += left;
        j += right;
        s.count += !right || !dc_scalar_is_zero(&out->coefficient);
    }
    s.term = t;
    return s;
}

struct dc_sum dc_sum_add(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b)
{
    struct dc_scalar one = dc_scalar_one();
    return dc_sum_add_scaled(c, a, b, &one);
}

struct dc_sum dc_sum_sub(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b)
{
    struct dc_scalar one = dc_scalar_one(), minus = dc_scalar_neg(&one);
    return dc_sum_add_scaled(c, a, b, &minus);
}

struct dc_sum dc_sum_scale(struct dc_circuit *c, const struct dc_sum *a, const struct dc_scalar *k)
{
    struct dc_sum zero = {.value = dc_scalar_zero()};
    return dc_sum_add_scaled(c, &zero, a, k);
}

bool dc_sum_is_constant(const struct dc_sum *a, struct dc_scalar *value)
{
    if (a->count > 1 || (a->count == 1 && a->term[0].variable != variable_of(DC_WIRE_ONE, 0)))
        return false;
    *value = a->count == 0 ? dc_scalar_zero() : a->term[0].coefficient;
    return true;
}

/* --- commitments ---------------------------------------------------------------------------- */

static uint32_t circuit_commitment(struct dc_circuit *c, const uint8_t commitment[32])
{
    DC_CHECK(c->gates == 0 && !c->second);
    if (c->commitments == c->commitments_max) {
        c->commitments_max = c->commitments_max == 0 ? 8 : 2 * c->commitments_max;
        circuit_grow(&c->commitment, c->commitments_max, sizeof *c->commitment);
        circuit_grow(&c->value, c->commitments_max, sizeof *c->value);
        circuit_grow(&c->blinding, c->commitments_max, sizeof *c->blinding);
    }
    memcpy(c->commitment[c->commitments], commitment, 32);
    dc_transcript_append_point(c->transcript, "V", commitment);
    return c->commitments++;
}

struct dc_sum dc_circuit_commit(struct dc_circuit *c, const struct dc_scalar *value,
                                const struct dc_scalar *blinding, uint8_t commitment[32])
{
    DC_CHECK(c->proving);
    struct dc_point v = dc_pedersen(value, blinding);
    dc_point_encode(&v, commitment);
    uint32_t i = circuit_commitment(c, commitment);
    c->value[i] = *value;
    c->blinding[i] = *blinding;
    return sum_variable(c, DC_WIRE_COMMITTED, i, value);
}

struct dc_sum dc_circuit_committed(struct dc_circuit *c, const uint8_t commitment[32])
{
    DC_CHECK(!c->proving);
    struct dc_scalar zero = dc_scalar_zero();
    return sum_variable(c, DC_WIRE_COMMITTED, circuit_commitment(c, commitment), &zero);
}

/* --- gates and constraints ------------------------------------------------------------------ */

static void circuit_gate(struct dc_circuit *c, const struct dc_scalar *left,
                         const struct dc_scalar *right, struct dc_sum wire[3])
{
    if (c->gates == c->gates_max) {
        c->gates_max = c->gates_max == 0 ? 256 : 2 * c->gates_max;
        if (c->proving) {
            circuit_grow(&c->left, c->gates_max, sizeof *c->left);
            circuit_grow(&c->right, c->gates_max, sizeof *c->right);
            circuit_grow(&c->out, c->gates_max, sizeof *c->out);
        }
    }
    uint32_t i = c->gates++;
    struct dc_scalar out = dc_scalar_zero();
    if (c->proving) {
        out = dc_scalar_mul(left, right);
        c->left[i] = *left;
        c->right[i] = *right;
        c->out[i] = out;
    }
    wire[0] = sum_variable(c, DC_WIRE_LEFT, i, left);
    wire[1] = sum_variable(c, DC_WIRE_RIGHT, i, right);
    wire[2] = sum_variable(c, DC_WIRE_OUT, i, &out);
}

struct dc_sum dc_circuit_multiply(struct dc_circuit *c, const struct dc_sum *a,
                                  const struct dc_sum *b, struct dc_sum *left, struct dc_sum *right)
{
    struct dc_sum wire[3];
    circuit_gate(c, &a->value, &b->value, wire);
    dc_circuit_equal(c, a, &wire[0]);
    dc_circuit_equal(c, b, &wire[1]);
    if (left != NULL)
        *left = wire[0];
    if (right != NULL)
        *right = wire[1];
    return wire[2];
}

void dc_circuit_allocate(struct dc_circuit *c, const struct dc_scalar *left,
                         const struct dc_scalar *right, struct dc_sum wire[3])
{
    struct dc_scalar zero = dc_scalar_zero();
    circuit_gate(c, c->proving ? left : &zero, c->proving ? right : &zero, wire);
}

void dc_circuit_constrain(struct dc_circuit *c, const struct dc_sum *a)
{
    if (c->constraints == c->constraints_max) {
        c->constraints_max = c->constraints_max == 0 ? 512 : 2 * c->constraints_max;
        circuit_grow(&c->constraint, c->constraints_max, sizeof *c->constraint);
    }
    c->constraint[c->constraints++] = *a;
}

void dc_circuit_equal(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b)
{
    struct dc_sum d = dc_sum_sub(c, a, b);
    dc_circuit_constrain(c, &d);
}

void dc_circuit_defer(struct dc_circuit *c, dc_circuit_deferred *build, void *context)
{
    DC_CHECK(!c->second && c->deferred_count < DC_CIRCUIT_DEFERRED_MAX);
    c->deferred[c->deferred_count].build = build;
    c->deferred[c->deferred_count++].context = context;
}

struct dc_scalar dc_circuit_challenge(struct dc_circuit *c, const char *label)
{
    DC_CHECK(c->second);
    return dc_transcript_challenge_scalar(c->transcript, label);
}

bool dc_circuit_holds(const struct dc_circuit *c)
{
    DC_CHECK(c->proving);
    bool holds = true;
    for (uint32_t i = 0; i < c->gates; i++) {
        struct dc_scalar out = dc_scalar_mul(&c->left[i], &c->right[i]);
        holds = holds && dc_scalar_equal(&out, &c->out[i]);
    }
    for (uint32_t i = 0; i < c->constraints; i++)
        holds = holds && dc_scalar_is_zero(&c->constraint[i].value);
    return holds;
}

uint32_t dc_circuit_padded(uint32_t gates)
{
    uint32_t n = 1;
    while (n < gates)
        n *= 2;
    return n;
}
