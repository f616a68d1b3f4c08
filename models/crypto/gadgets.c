/* Gadgets.  Each computes the prover's wires from the values of its inputs; where an input is out
 * of range, the wires are what the bits of its lowest part say, and a constraint is broken. */
#include "models/crypto/gadgets.h"

/* Bit i of a value's encoding. */
static bool value_bit(const struct dc_scalar *value, uint32_t i)
{
    uint8_t b[32];
    dc_scalar_encode(value, b);
    return b[i / 8] >> i % 8 & 1;
}

static struct dc_sum sum_plus(struct dc_circuit *c, const struct dc_sum *a, uint64_t k)
{
    struct dc_sum constant = dc_sum_u64(c, k);
    return dc_sum_add(c, a, &constant);
}

static struct dc_sum sum_minus(struct dc_circuit *c, const struct dc_sum *a, uint64_t k)
{
    struct dc_sum constant = dc_sum_u64(c, k);
    return dc_sum_sub(c, a, &constant);
}

/* --- bits and ranges ------------------------------------------------------------------------ */

void dc_gadget_boolean(struct dc_circuit *c, const struct dc_sum *a)
{
    struct dc_sum below = sum_minus(c, a, 1);
    struct dc_sum product = dc_circuit_multiply(c, a, &below, NULL, NULL);
    dc_circuit_constrain(c, &product);
}

/* Wires (b, 1 - b, 0). */
struct dc_sum dc_gadget_bit(struct dc_circuit *c, bool value)
{
    struct dc_scalar bit = dc_scalar_u64(value), rest = dc_scalar_u64(!value);
    struct dc_sum wire[3];
    dc_circuit_allocate(c, &bit, &rest, wire);
    struct dc_sum both = dc_sum_add(c, &wire[0], &wire[1]);
    both = sum_minus(c, &both, 1);
    dc_circuit_constrain(c, &both);
    dc_circuit_constrain(c, &wire[2]);
    return wire[0];
}

void dc_gadget_range(struct dc_circuit *c, const struct dc_sum *a, uint32_t bits,
                     struct dc_sum *bit)
{
    DC_CHECK(bits >= 1 && bits <= 64);
    struct dc_sum rest = *a;
    for (uint32_t i = 0; i < bits; i++) {
        struct dc_sum b = dc_gadget_bit(c, c->proving && value_bit(&a->value, i));
        struct dc_scalar weight = dc_scalar_u64((uint64_t)1 << i);
        weight = dc_scalar_neg(&weight);
        rest = dc_sum_add_scaled(c, &rest, &b, &weight);
        if (bit != NULL)
            bit[i] = b;
    }
    dc_circuit_constrain(c, &rest);
}

void dc_gadget_at_most(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b,
                       uint32_t bits)
{
    struct dc_sum room = dc_sum_sub(c, b, a);
    dc_gadget_range(c, &room, bits, NULL);
}

/* b - a + 2^bits has its highest bit set when a <= b. */
struct dc_sum dc_gadget_less_equal(struct dc_circuit *c, const struct dc_sum *a,
                                   const struct dc_sum *b, uint32_t bits)
{
    DC_CHECK(bits <= 63);
    struct dc_sum room = dc_sum_sub(c, b, a), bit[64];
    room = sum_plus(c, &room, (uint64_t)1 << bits);
    dc_gadget_range(c, &room, bits + 1, bit);
    return bit[bits];
}

struct dc_sum dc_gadget_select(struct dc_circuit *c, const struct dc_sum *bit,
                               const struct dc_sum *yes, const struct dc_sum *no)
{
    struct dc_sum apart = dc_sum_sub(c, yes, no);
    struct dc_sum step = dc_circuit_multiply(c, bit, &apart, NULL, NULL);
    return dc_sum_add(c, no, &step);
}

void dc_gadget_nonzero(struct dc_circuit *c, const struct dc_sum *a)
{
    struct dc_scalar inverse = dc_scalar_zero();
    if (c->proving)
        inverse = dc_scalar_invert(&a->value);
    struct dc_sum wire[3];
    dc_circuit_allocate(c, &a->value, &inverse, wire);
    dc_circuit_equal(c, a, &wire[0]);
    struct dc_sum rest = sum_minus(c, &wire[2], 1);
    dc_circuit_constrain(c, &rest);
}

/* z = 1 - a k and a z = 0: where a is not zero, z has to be; where it is, z is 1 whatever k. */
struct dc_sum dc_gadget_is_zero(struct dc_circuit *c, const struct dc_sum *a)
{
    struct dc_scalar inverse = dc_scalar_zero(), one = dc_scalar_one(), minus = dc_scalar_neg(&one);
    if (c->proving)
        inverse = dc_scalar_invert(&a->value);
    struct dc_sum wire[3];
    dc_circuit_allocate(c, &a->value, &inverse, wire);
    dc_circuit_equal(c, a, &wire[0]);
    struct dc_sum z = dc_sum_scale(c, &wire[2], &minus);
    z = sum_plus(c, &z, 1);
    struct dc_sum product = dc_circuit_multiply(c, a, &z, NULL, NULL);
    dc_circuit_constrain(c, &product);
    return z;
}

void dc_gadget_up_to(struct dc_circuit *c, const struct dc_sum *a, uint32_t most)
{
    DC_CHECK(most >= 1);
    struct dc_sum product = *a;
    for (uint32_t k = 1; k <= most; k++) {
        struct dc_sum factor = sum_minus(c, a, k);
        product = dc_circuit_multiply(c, &product, &factor, NULL, NULL);
    }
    dc_circuit_constrain(c, &product);
}

/* --- the permutation ------------------------------------------------------------------------ */

static struct dc_sum fifth_power(struct dc_circuit *c, const struct dc_sum *a)
{
    struct dc_scalar k;
    if (dc_sum_is_constant(a, &k)) {
        struct dc_scalar k2 = dc_scalar_mul(&k, &k), k4 = dc_scalar_mul(&k2, &k2);
        k = dc_scalar_mul(&k4, &k);
        return dc_sum_constant(c, &k);
    }
    struct dc_sum wire[3], x2, x4;
    dc_circuit_allocate(c, &a->value, &a->value, wire);
    dc_circuit_equal(c, a, &wire[0]);
    dc_circuit_equal(c, &wire[0], &wire[1]);
    x2 = wire[2];
    x4 = dc_circuit_multiply(c, &x2, &x2, NULL, NULL);
    return dc_circuit_multiply(c, &x4, &wire[0], NULL, NULL);
}

struct dc_sum dc_gadget_hash(struct dc_circuit *c, const struct dc_permutation *p,
                             enum dc_permutation_use use, const struct dc_sum *left,
                             const struct dc_sum *right)
{
    const uint32_t before = DC_PERMUTATION_FULL / 2, after = before + DC_PERMUTATION_PARTIAL;
    struct dc_sum lane[DC_PERMUTATION_WIDTH] = {dc_sum_u64(c, use), *left, *right};
    for (uint32_t r = 0; r < DC_PERMUTATION_ROUNDS; r++) {
        struct dc_sum next[DC_PERMUTATION_WIDTH];
        for (uint32_t i = 0; i < DC_PERMUTATION_WIDTH; i++) {
            struct dc_sum k = dc_sum_constant(c, &p->constant[r][i]);
            lane[i] = dc_sum_add(c, &lane[i], &k);
            if (i == 0 || r < before || r >= after)
                lane[i] = fifth_power(c, &lane[i]);
        }
        for (uint32_t i = 0; i < DC_PERMUTATION_WIDTH; i++) {
            next[i] = dc_sum_scale(c, &lane[0], &p->matrix[i][0]);
            for (uint32_t j = 1; j < DC_PERMUTATION_WIDTH; j++)
                next[i] = dc_sum_add_scaled(c, &next[i], &lane[j], &p->matrix[i][j]);
        }
        memcpy(lane, next, sizeof next);
    }
    return lane[1];
}

/* Each level is a bit b and a gate (b, d) with sibling = node + d: the sibling needs no wire of its
 * own.  b = 1: the node is the right child. */
struct dc_sum dc_gadget_root(struct dc_circuit *c, const struct dc_permutation *p,
                             const struct dc_sum *leaf, uint32_t depth, uint32_t index,
                             const struct dc_scalar *path)
{
    struct dc_sum node = *leaf;
    for (uint32_t d = 0; d < depth; d++) {
        struct dc_sum bit = dc_gadget_bit(c, index >> d & 1), wire[3];
        struct dc_scalar apart = dc_scalar_zero();
        if (c->proving)
            apart = dc_scalar_sub(&path[d], &node.value);
        dc_circuit_allocate(c, &bit.value, &apart, wire);
        dc_circuit_equal(c, &bit, &wire[0]);
        struct dc_sum left = dc_sum_add(c, &node, &wire[2]);
        struct dc_sum right = dc_sum_add(c, &node, &wire[1]);
        right = dc_sum_sub(c, &right, &wire[2]);
        node = dc_gadget_hash(c, p, DC_PERMUTATION_NODE, &left, &right);
    }
    return node;
}

/* --- shuffles ------------------------------------------------------------------------------- */

struct shuffle {
    uint32_t count;
    struct dc_sum *a, *b;
};

/* (x[0] - z) (x[1] - z) ... */
static struct dc_sum shuffle_product(struct dc_circuit *c, const struct dc_sum *x, uint32_t count,
                                     const struct dc_sum *z)
{
    struct dc_sum product = dc_sum_sub(c, &x[0], z);
    for (uint32_t i = 1; i < count; i++) {
        struct dc_sum factor = dc_sum_sub(c, &x[i], z);
        product = dc_circuit_multiply(c, &product, &factor, NULL, NULL);
    }
    return product;
}

static void shuffle_build(struct dc_circuit *c, void *context)
{
    const struct shuffle *s = context;
    struct dc_scalar challenge = dc_circuit_challenge(c, "shuffle");
    struct dc_sum z = dc_sum_constant(c, &challenge);
    struct dc_sum left = shuffle_product(c, s->a, s->count, &z);
    struct dc_sum right = shuffle_product(c, s->b, s->count, &z);
    dc_circuit_equal(c, &left, &right);
}

void dc_gadget_shuffle(struct dc_circuit *c, const struct dc_sum *a, const struct dc_sum *b,
                       uint32_t count)
{
    DC_CHECK(count >= 1);
    struct shuffle *s = dc_arena_alloc(&c->arena, sizeof *s);
    struct dc_sum *copy = dc_arena_alloc(&c->arena, 2 * (size_t)count * sizeof *copy);
    DC_CHECK(s != NULL && copy != NULL);
    memcpy(copy, a, count * sizeof *copy);
    memcpy(copy + count, b, count * sizeof *copy);
    *s = (struct shuffle){.count = count, .a = copy, .b = copy + count};
    dc_circuit_defer(c, shuffle_build, s);
}
