#include "models/privacy/membership.h"

struct dc_hash dc_privacy_context(uint64_t chain, uint32_t id, const uint8_t digest[32])
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_CONTRACT);
    dc_hasher_update64(&h, chain);
    dc_hasher_update64(&h, id);
    dc_hasher_update(&h, digest, 32);
    return dc_hasher_final(&h);
}

void dc_privacy_digest(enum dc_domain domain, uint64_t tag, const uint8_t *body, size_t size,
                       uint8_t digest[32])
{
    struct dc_hash h = dc_hash_bytes(domain, body, size);
    dc_put64(digest, tag);
    memcpy(digest + 8, h.b, 24);
}

static struct dc_scalar member_context(const struct dc_hash *context)
{
    uint8_t wide[64] = {0};
    memcpy(wide, context->b, 32);
    return dc_scalar_wide(wide);
}

void dc_member_secret(const uint8_t seed[32], uint64_t tag, uint8_t secret[32])
{
    struct dc_nonces n;
    uint8_t text[8];
    dc_put64(text, tag);
    dc_nonces_init(&n, seed, DC_DOMAIN_KEY);
    dc_nonces_feed(&n, "destra/privacy/v1/member", 24);
    dc_nonces_feed(&n, text, sizeof text);
    struct dc_scalar s = dc_nonces_next(&n);
    dc_scalar_encode(&s, secret);
}

static struct dc_scalar member_leaf(const struct dc_permutation *p, const struct dc_scalar *secret)
{
    struct dc_scalar zero = dc_scalar_zero();
    return dc_permutation_hash(p, DC_PERMUTATION_LEAF, secret, &zero);
}

void dc_member_leaf(const uint8_t secret[32], uint8_t leaf[32])
{
    struct dc_scalar s;
    DC_CHECK(dc_scalar_decode(secret, &s));
    const struct dc_permutation *p = dc_permutation();
    s = member_leaf(p, &s);
    dc_scalar_encode(&s, leaf);
}

void dc_member_mark(const uint8_t secret[32], const struct dc_hash *context, uint8_t mark[32])
{
    struct dc_scalar s, k = member_context(context);
    DC_CHECK(dc_scalar_decode(secret, &s));
    const struct dc_permutation *p = dc_permutation();
    s = dc_permutation_hash(p, DC_PERMUTATION_MARK, &s, &k);
    dc_scalar_encode(&s, mark);
}

static bool member_leaves(const uint8_t (*leaf)[32], uint32_t count, struct dc_scalar *out)
{
    if (count == 0 || count > DC_PERMUTATION_LEAVES_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!dc_scalar_decode(leaf[i], &out[i]) || dc_scalar_is_zero(&out[i]))
            return false;
        for (uint32_t k = 0; k < i; k++)
            if (memcmp(leaf[i], leaf[k], 32) == 0)
                return false;
    }
    return true;
}

bool dc_member_root(const uint8_t (*leaf)[32], uint32_t count, uint8_t root[32])
{
    struct dc_scalar scalar[DC_PERMUTATION_LEAVES_MAX];
    memset(root, 0, 32);
    if (!member_leaves(leaf, count, scalar))
        return false;
    const struct dc_permutation *p = dc_permutation();
    struct dc_scalar r = dc_permutation_root(p, scalar, count, dc_permutation_depth(count));
    dc_scalar_encode(&r, root);
    return true;
}

bool dc_member_find(const uint8_t (*leaf)[32], uint32_t count, const uint8_t secret[32],
                    struct dc_member_witness *out)
{
    struct dc_scalar scalar[DC_PERMUTATION_LEAVES_MAX];
    if (!member_leaves(leaf, count, scalar) || !dc_scalar_decode(secret, &out->secret))
        return false;
    const struct dc_permutation *p = dc_permutation();
    struct dc_scalar own = member_leaf(p, &out->secret);
    for (out->index = 0; out->index < count; out->index++)
        if (dc_scalar_equal(&own, &scalar[out->index]))
            break;
    if (out->index == count)
        return false;
    dc_permutation_path(p, scalar, count, dc_permutation_depth(count), out->index, out->path);
    return true;
}

bool dc_member_circuit(struct dc_circuit *c, const struct dc_permutation *p,
                       const struct dc_member_statement *s, const struct dc_member_witness *w)
{
    struct dc_scalar root, mark, zero = dc_scalar_zero(), context = member_context(&s->context);
    bool fits = dc_scalar_decode(s->root, &root) && dc_scalar_decode(s->mark, &mark) &&
                s->depth >= 1 && s->depth <= DC_PERMUTATION_DEPTH_MAX;
    if (!fits)
        return false;
    dc_transcript_append(c->transcript, "root", s->root, 32);
    dc_transcript_append_u64(c->transcript, "depth", s->depth);
    dc_transcript_append(c->transcript, "mark", s->mark, 32);
    dc_transcript_append(c->transcript, "context", s->context.b, 32);
    struct dc_sum wire[3], none = dc_sum_u64(c, 0), at = dc_sum_constant(c, &context);
    struct dc_sum shown_root = dc_sum_constant(c, &root), shown = dc_sum_constant(c, &mark);
    dc_circuit_allocate(c, w != NULL ? &w->secret : &zero, &zero, wire);
    struct dc_sum leaf = dc_gadget_hash(c, p, DC_PERMUTATION_LEAF, &wire[0], &none);
    struct dc_sum top =
        dc_gadget_root(c, p, &leaf, s->depth, w != NULL ? w->index : 0, w != NULL ? w->path : NULL);
    dc_circuit_equal(c, &top, &shown_root);
    struct dc_sum own = dc_gadget_hash(c, p, DC_PERMUTATION_MARK, &wire[0], &at);
    dc_circuit_equal(c, &own, &shown);
    return true;
}

/* The secret's wire, two hashes of which one input is constant, the path. */
uint32_t dc_member_gates(uint32_t depth)
{
    return 1 + 2 * 234 + 239 * depth;
}
