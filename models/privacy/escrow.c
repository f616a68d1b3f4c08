#include "models/privacy/escrow.h"

#include "models/crypto/r1cs.h"

static bool escrow_possible(const struct dc_escrow_terms *t)
{
    struct dc_scalar root;
    return t->amount != 0 && t->members >= 1 && t->members <= DC_PERMUTATION_LEAVES_MAX &&
           t->threshold >= 1 && t->threshold <= t->members && t->end >= 1 &&
           dc_scalar_decode(t->root, &root);
}

void dc_escrow_terms_encode(const struct dc_escrow_terms *t, uint8_t out[64])
{
    struct dc_writer w = dc_writer(out, DC_ESCROW_CREATE_BYTES);
    dc_write64(&w, t->tag);
    dc_write32(&w, t->payee);
    dc_write64(&w, t->amount);
    dc_write32(&w, t->members);
    dc_write32(&w, t->threshold);
    dc_write32(&w, t->end);
    dc_write(&w, t->root, 32);
    DC_CHECK(!w.failed && w.size == DC_ESCROW_CREATE_BYTES);
}

bool dc_escrow_terms_decode(const uint8_t *bytes, size_t size, struct dc_escrow_terms *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    out->tag = dc_read64(&r);
    out->payee = dc_read32(&r);
    out->amount = dc_read64(&r);
    out->members = dc_read32(&r);
    out->threshold = dc_read32(&r);
    out->end = dc_read32(&r);
    dc_read(&r, out->root, 32);
    return !r.failed && r.offset == size && escrow_possible(out);
}

void dc_escrow_statement(const struct dc_hash *context, const uint8_t root[32], uint32_t members,
                         const uint8_t mark[32], uint8_t out[100])
{
    memcpy(out, context->b, 32);
    memcpy(out + 32, root, 32);
    dc_put32(out + 64, dc_permutation_depth(members));
    memcpy(out + 68, mark, 32);
}

static void escrow_begin(struct dc_transcript *t, const struct dc_member_statement *s)
{
    dc_transcript_init(t, "destra/privacy/v1/escrow");
    dc_transcript_append(t, "contract", s->context.b, 32);
}

size_t dc_escrow_approve(const struct dc_hash *context, const uint8_t (*leaf)[32], uint32_t members,
                         const uint8_t secret[32], uint8_t *out, size_t out_max)
{
    struct dc_member_witness w;
    struct dc_member_statement s = {.depth = dc_permutation_depth(members), .context = *context};
    if (out_max < 32 || !dc_member_root(leaf, members, s.root) ||
        !dc_member_find(leaf, members, secret, &w))
        return 0;
    dc_member_mark(secret, context, s.mark);
    memcpy(out, s.mark, 32);
    struct dc_transcript t;
    struct dc_circuit c;
    const struct dc_permutation *p = dc_permutation();
    escrow_begin(&t, &s);
    dc_circuit_init(&c, &t, true);
    size_t size = 0;
    if (dc_member_circuit(&c, p, &s, &w))
        size = dc_r1cs_prove(&c, secret, out + 32, out_max - 32);
    dc_circuit_free(&c);
    return size == 0 ? 0 : 32 + size;
}

bool dc_escrow_check(const uint8_t *bytes, size_t size)
{
    if (size < DC_ESCROW_STATEMENT_BYTES)
        return false;
    struct dc_member_statement s;
    memcpy(s.context.b, bytes, 32);
    memcpy(s.root, bytes + 32, 32);
    s.depth = dc_get32(bytes + 64); /* bound by the transcript, and its bounds by the circuit */
    memcpy(s.mark, bytes + 68, 32);
    struct dc_transcript t;
    struct dc_circuit c;
    const struct dc_permutation *p = dc_permutation();
    escrow_begin(&t, &s);
    dc_circuit_init(&c, &t, false);
    bool ok =
        dc_member_circuit(&c, p, &s, NULL) &&
        dc_r1cs_verify(&c, bytes + DC_ESCROW_STATEMENT_BYTES, size - DC_ESCROW_STATEMENT_BYTES);
    dc_circuit_free(&c);
    return ok;
}

uint32_t dc_escrow_gates(uint32_t members)
{
    return dc_circuit_padded(dc_member_gates(dc_permutation_depth(members)));
}
