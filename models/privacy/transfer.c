#include "models/privacy/transfer.h"

#include "models/crypto/crypto.h"
#include "models/crypto/rangeproof.h"

#define TRANSFER_NOBODY UINT32_MAX
#define TRANSFER_HEAD_BYTES ((size_t)23)
#define TRANSFER_RANGE_BITS 64u

/* --- form ------------------------------------------------------------------------------------ */

/* Where the signatures begin. */
static size_t transfer_signed_bytes(uint32_t inputs, uint32_t outputs, uint32_t ring)
{
    return TRANSFER_HEAD_BYTES + inputs * (32 + (size_t)4 * ring) +
           outputs * DC_TRANSFER_OUTPUT_BYTES + dc_range_bytes(TRANSFER_RANGE_BITS, outputs);
}

size_t dc_transfer_bytes(uint32_t inputs, uint32_t outputs, uint32_t ring)
{
    return transfer_signed_bytes(inputs, outputs, ring) + inputs * dc_clsag_bytes(ring);
}

static bool transfer_counts(uint32_t inputs, uint32_t outputs, uint32_t ring)
{
    return inputs >= 1 && inputs <= DC_TRANSFER_INPUTS_MAX &&
           (outputs == 1 || outputs == 2 || outputs == 4) && ring >= DC_RING_MIN &&
           ring <= DC_RING_MAX;
}

static void transfer_read_output(struct dc_reader *r, struct dc_transfer_output *o)
{
    dc_read(r, o->to.key, 32);
    dc_read(r, o->commitment, 32);
    dc_read(r, o->to.ephemeral, 32);
    dc_read(r, o->amount, 8);
    o->to.view_tag = dc_read8(r);
}

static void transfer_write_output(struct dc_writer *w, const struct dc_transfer_output *o)
{
    dc_write(w, o->to.key, 32);
    dc_write(w, o->commitment, 32);
    dc_write(w, o->to.ephemeral, 32);
    dc_write(w, o->amount, 8);
    dc_write8(w, o->to.view_tag);
}

static bool transfer_ring_ascends(const struct dc_transfer *t, uint32_t input)
{
    for (uint32_t i = 1; i < t->ring; i++)
        if (dc_transfer_member(t, input, i - 1) >= dc_transfer_member(t, input, i))
            return false;
    return true;
}

bool dc_transfer_decode(const uint8_t *bytes, size_t size, struct dc_transfer *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    uint64_t public;
    *out = (struct dc_transfer){.inputs = dc_read8(&r)};
    out->outputs = dc_read8(&r);
    out->ring = dc_read8(&r);
    out->fee = dc_read64(&r);
    out->unshield = dc_read64(&r);
    out->to = dc_read32(&r);
    if (r.failed || !transfer_counts(out->inputs, out->outputs, out->ring) ||
        size != dc_transfer_bytes(out->inputs, out->outputs, out->ring) ||
        (out->unshield == 0) != (out->to == TRANSFER_NOBODY) ||
        __builtin_add_overflow(out->fee, out->unshield, &public))
        return false;
    for (uint32_t i = 0; i < out->inputs; i++) {
        out->input[i].pseudo = dc_read_in_place(&r, 32);
        out->input[i].members = dc_read_in_place(&r, (size_t)4 * out->ring);
        if (!transfer_ring_ascends(out, i))
            return false;
    }
    for (uint32_t i = 0; i < out->outputs; i++)
        transfer_read_output(&r, &out->output[i]);
    out->range_size = dc_range_bytes(TRANSFER_RANGE_BITS, out->outputs);
    out->range = dc_read_in_place(&r, out->range_size);
    out->signed_size = r.offset;
    for (uint32_t i = 0; i < out->inputs; i++) {
        out->input[i].signature = dc_read_in_place(&r, dc_clsag_bytes(out->ring));
        out->input[i].image = dc_clsag_image(out->input[i].signature, out->ring);
    }
    return dc_read_done(&r) &&
           (out->inputs == 1 || memcmp(out->input[0].image, out->input[1].image, 32) != 0);
}

size_t dc_transfer_statement(uint64_t chain, const uint8_t *body, size_t size,
                             const struct dc_ring_member *member, uint32_t members, uint8_t *out)
{
    struct dc_writer w = dc_writer(out, DC_TRANSFER_STATEMENT_BYTES_MAX);
    dc_write64(&w, chain);
    dc_write(&w, body, size);
    dc_write(&w, member, members * sizeof *member);
    DC_CHECK(!w.failed);
    return w.size;
}

/* --- checking -------------------------------------------------------------------------------- */

/* What a ring signature is over. */
static struct dc_hash transfer_digest(uint64_t chain, const uint8_t *body, size_t signed_size)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_SHIELDED);
    dc_hasher_update64(&h, chain);
    dc_hasher_update64(&h, signed_size);
    dc_hasher_update(&h, body, signed_size);
    return dc_hasher_final(&h);
}

bool dc_transfer_address_valid(const struct dc_stealth_output *output)
{
    struct dc_point p;
    return dc_point_decode_proper(output->key, &p) && dc_point_decode_proper(output->ephemeral, &p);
}

/* sum C' - sum C_out - (fee + unshield) B is the identity; and all of them are points. */
static bool transfer_balances(const struct dc_transfer *t)
{
    struct dc_scalar paid = dc_scalar_u64(t->fee + t->unshield);
    struct dc_point sum = dc_point_mul_base(&paid), p;
    for (uint32_t i = 0; i < t->outputs; i++) {
        if (!dc_transfer_address_valid(&t->output[i].to) ||
            !dc_point_decode_proper(t->output[i].commitment, &p))
            return false;
        sum = dc_point_add(&sum, &p);
    }
    for (uint32_t i = 0; i < t->inputs; i++) {
        if (!dc_point_decode_proper(t->input[i].pseudo, &p))
            return false;
        sum = dc_point_sub(&sum, &p);
    }
    return dc_point_is_identity(&sum);
}

static bool transfer_in_range(const struct dc_transfer *t)
{
    uint8_t commitment[DC_TRANSFER_OUTPUTS_MAX][32];
    struct dc_transcript transcript;
    for (uint32_t i = 0; i < t->outputs; i++)
        memcpy(commitment[i], t->output[i].commitment, 32);
    dc_transcript_init(&transcript, dc_domain_name(DC_DOMAIN_SHIELDED));
    return dc_range_verify(&transcript, TRANSFER_RANGE_BITS, commitment, t->outputs, t->range,
                           t->range_size);
}

bool dc_transfer_check(const uint8_t *statement, size_t size)
{
    struct dc_transfer t;
    struct dc_ring_member ring[DC_RING_MAX];
    if (size < 8 + TRANSFER_HEAD_BYTES ||
        !transfer_counts(statement[8], statement[9], statement[10]))
        return false;
    const uint8_t *body = statement + 8;
    size_t body_size = dc_transfer_bytes(body[0], body[1], body[2]);
    size_t members_size = (size_t)body[0] * body[2] * sizeof *ring;
    if (size != 8 + body_size + members_size || !dc_transfer_decode(body, body_size, &t) ||
        !transfer_balances(&t))
        return false;
    struct dc_hash digest = transfer_digest(dc_get64(statement), body, t.signed_size);
    for (uint32_t i = 0; i < t.inputs; i++) {
        memcpy(ring, body + body_size + i * t.ring * sizeof *ring, t.ring * sizeof *ring);
        if (!dc_clsag_verify(digest.b, ring, t.ring, t.input[i].pseudo, t.input[i].signature,
                             dc_clsag_bytes(t.ring)))
            return false;
    }
    return transfer_in_range(&t);
}

/* --- making ---------------------------------------------------------------------------------- */

/* All that a transfer depends on goes into its secrets. */
static struct dc_nonces transfer_nonces(const struct dc_transfer_plan *p)
{
    struct dc_nonces n;
    uint64_t number[] = {p->chain, p->inputs, p->outputs, p->ring, p->fee, p->unshield, p->to};
    uint8_t text[8];
    dc_nonces_init(&n, p->seed, DC_DOMAIN_SHIELDED);
    for (size_t i = 0; i < sizeof number / sizeof number[0]; i++) {
        dc_put64(text, number[i]);
        dc_nonces_feed(&n, text, sizeof text);
    }
    for (uint32_t i = 0; i < p->inputs; i++) {
        const struct dc_transfer_source *s = &p->source[i];
        dc_put64(text, s->amount);
        dc_nonces_feed(&n, text, sizeof text);
        dc_nonces_feed(&n, s->key, 32);
        dc_nonces_feed(&n, s->blinding, 32);
        dc_put64(text, s->index);
        dc_nonces_feed(&n, text, sizeof text);
        for (uint32_t k = 0; k < p->ring; k++) {
            dc_put64(text, s->id[k]);
            dc_nonces_feed(&n, text, sizeof text);
            dc_nonces_feed(&n, &s->member[k], sizeof s->member[k]);
        }
    }
    for (uint32_t i = 0; i < p->outputs; i++) {
        dc_put64(text, p->target[i].amount);
        dc_nonces_feed(&n, text, sizeof text);
        dc_nonces_feed(&n, p->target[i].to, sizeof *p->target[i].to);
    }
    return n;
}

static void transfer_commit(uint64_t amount, const struct dc_scalar *blinding, uint8_t out[32])
{
    struct dc_scalar v = dc_scalar_u64(amount);
    struct dc_point p = dc_pedersen(&v, blinding);
    dc_point_encode(&p, out);
}

bool dc_transfer_commit(uint64_t amount, const uint8_t blinding[32], uint8_t out[32])
{
    struct dc_scalar s;
    memset(out, 0, 32);
    if (!dc_scalar_decode(blinding, &s))
        return false;
    transfer_commit(amount, &s, out);
    return true;
}

void dc_transfer_mint(uint64_t amount, uint8_t commitment[32])
{
    struct dc_scalar one = dc_scalar_one();
    transfer_commit(amount, &one, commitment);
}

/* What is worked out for a plan before anything is written. */
struct transfer_draft {
    struct dc_transfer_output output[DC_TRANSFER_OUTPUTS_MAX];
    struct dc_scalar out_blinding[DC_TRANSFER_OUTPUTS_MAX];
    uint8_t pseudo[DC_TRANSFER_INPUTS_MAX][32];
    uint8_t offset[DC_TRANSFER_INPUTS_MAX][32]; /* z: of the note's blinding and pseudo's */
    uint8_t seed[32];                           /* of the proofs' nonces */
};

static bool transfer_draft_outputs(const struct dc_transfer_plan *p, struct dc_nonces *n,
                                   struct transfer_draft *d, struct dc_scalar *sum)
{
    *sum = dc_scalar_zero();
    for (uint32_t i = 0; i < p->outputs; i++) {
        uint8_t seed[32], shared[32], blinding[32], amount[8];
        struct dc_scalar s = dc_nonces_next(n);
        dc_scalar_encode(&s, seed);
        if (!dc_stealth_send(p->target[i].to, seed, 0, &d->output[i].to, shared))
            return false;
        dc_stealth_blinding(shared, blinding);
        DC_CHECK(dc_scalar_decode(blinding, &d->out_blinding[i]));
        transfer_commit(p->target[i].amount, &d->out_blinding[i], d->output[i].commitment);
        dc_put64(amount, p->target[i].amount);
        dc_stealth_mask(shared, amount, d->output[i].amount);
        *sum = dc_scalar_add(sum, &d->out_blinding[i]);
    }
    return true;
}

/* Pseudo-commitments to the notes' amounts, the last one blinded so that all cancel out. */
static bool transfer_draft_inputs(const struct dc_transfer_plan *p, struct dc_nonces *n,
                                  struct transfer_draft *d, struct dc_scalar left)
{
    for (uint32_t i = 0; i < p->inputs; i++) {
        struct dc_scalar own, fresh = i + 1 < p->inputs ? dc_nonces_next(n) : left;
        if (!dc_scalar_decode(p->source[i].blinding, &own))
            return false;
        left = dc_scalar_sub(&left, &fresh);
        transfer_commit(p->source[i].amount, &fresh, d->pseudo[i]);
        own = dc_scalar_sub(&own, &fresh);
        dc_scalar_encode(&own, d->offset[i]);
    }
    return true;
}

static bool transfer_draft(const struct dc_transfer_plan *p, struct transfer_draft *d)
{
    unsigned __int128 in = 0, paid = (unsigned __int128)p->fee + p->unshield;
    struct dc_scalar sum, seed;
    if (!transfer_counts(p->inputs, p->outputs, p->ring) ||
        (p->unshield == 0) != (p->to == TRANSFER_NOBODY) || paid > UINT64_MAX)
        return false;
    for (uint32_t i = 0; i < p->inputs; i++)
        in += p->source[i].amount;
    for (uint32_t i = 0; i < p->outputs; i++)
        paid += p->target[i].amount;
    struct dc_nonces n = transfer_nonces(p);
    seed = dc_nonces_next(&n);
    dc_scalar_encode(&seed, d->seed);
    return in == paid && transfer_draft_outputs(p, &n, d, &sum) &&
           transfer_draft_inputs(p, &n, d, sum);
}

static bool transfer_write_range(const struct dc_transfer_plan *p, const struct transfer_draft *d,
                                 struct dc_writer *w)
{
    uint64_t value[DC_TRANSFER_OUTPUTS_MAX];
    uint8_t commitment[DC_TRANSFER_OUTPUTS_MAX][32];
    struct dc_transcript transcript;
    size_t size = dc_range_bytes(TRANSFER_RANGE_BITS, p->outputs);
    if (w->failed || w->size_max - w->size < size)
        return false;
    for (uint32_t i = 0; i < p->outputs; i++)
        value[i] = p->target[i].amount;
    dc_transcript_init(&transcript, dc_domain_name(DC_DOMAIN_SHIELDED));
    if (!dc_range_prove(&transcript, TRANSFER_RANGE_BITS, value, d->out_blinding, p->outputs,
                        d->seed, commitment, w->data + w->size))
        return false;
    w->size += size;
    return true;
}

static bool transfer_write_signatures(const struct dc_transfer_plan *p,
                                      const struct transfer_draft *d, struct dc_writer *w)
{
    struct dc_hash digest = transfer_digest(p->chain, w->data, w->size);
    for (uint32_t i = 0; i < p->inputs; i++) {
        uint8_t bytes[DC_CLSAG_BYTES_MAX];
        struct dc_clsag_secret secret = {.index = p->source[i].index};
        memcpy(secret.key, p->source[i].key, 32);
        memcpy(secret.blind, d->offset[i], 32);
        memcpy(secret.seed, d->seed, 32);
        if (!dc_clsag_sign(digest.b, p->source[i].member, p->ring, d->pseudo[i], &secret, bytes))
            return false;
        dc_write(w, bytes, dc_clsag_bytes(p->ring));
    }
    return !w->failed;
}

size_t dc_transfer_prove(const struct dc_transfer_plan *p, uint8_t *out)
{
    struct transfer_draft d;
    struct dc_transfer made;
    struct dc_writer w = dc_writer(out, DC_TRANSFER_BYTES_MAX);
    if (!transfer_draft(p, &d))
        return 0;
    dc_write8(&w, (uint8_t)p->inputs);
    dc_write8(&w, (uint8_t)p->outputs);
    dc_write8(&w, (uint8_t)p->ring);
    dc_write64(&w, p->fee);
    dc_write64(&w, p->unshield);
    dc_write32(&w, p->to);
    for (uint32_t i = 0; i < p->inputs; i++) {
        dc_write(&w, d.pseudo[i], 32);
        for (uint32_t k = 0; k < p->ring; k++)
            dc_write32(&w, p->source[i].id[k]);
    }
    for (uint32_t i = 0; i < p->outputs; i++)
        transfer_write_output(&w, &d.output[i]);
    return transfer_write_range(p, &d, &w) && transfer_write_signatures(p, &d, &w) &&
                   dc_transfer_decode(out, w.size, &made)
               ? w.size
               : 0;
}

bool dc_transfer_resign(const struct dc_transfer_plan *p, uint8_t *body, size_t size)
{
    struct transfer_draft d;
    if (!transfer_draft(p, &d) || size != dc_transfer_bytes(p->inputs, p->outputs, p->ring))
        return false;
    struct dc_writer w = dc_writer(body, size);
    w.size = transfer_signed_bytes(p->inputs, p->outputs, p->ring);
    return transfer_write_signatures(p, &d, &w);
}
