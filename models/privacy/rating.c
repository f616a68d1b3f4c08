#include "models/privacy/rating.h"

#include "models/crypto/r1cs.h"
#include "models/crypto/sigma.h"

/* Places in a rating's body. */
#define RATING_MARK_AT 0
#define RATING_C1_AT 32
#define RATING_C2_AT 64
#define RATING_VALUE_AT 96
#define RATING_LINK_AT 128
#define RATING_LINK_BYTES 192
#define RATING_PROOF_AT (RATING_LINK_AT + RATING_LINK_BYTES)

void dc_rating_terms_encode(const struct dc_rating_terms *t, uint8_t out[DC_RATING_CREATE_BYTES])
{
    struct dc_writer w = dc_writer(out, DC_RATING_CREATE_BYTES);
    dc_write64(&w, t->tag);
    dc_write32(&w, t->node);
    dc_write32(&w, t->members);
    dc_write32(&w, t->close);
    dc_write32(&w, t->end);
    dc_write(&w, t->root, 32);
    DC_CHECK(!w.failed && w.size == DC_RATING_CREATE_BYTES);
}

bool dc_rating_terms_decode(const uint8_t *bytes, size_t size, struct dc_rating_terms *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    struct dc_scalar root;
    out->tag = dc_read64(&r);
    out->node = dc_read32(&r);
    out->members = dc_read32(&r);
    out->close = dc_read32(&r);
    out->end = dc_read32(&r);
    dc_read(&r, out->root, 32);
    return !r.failed && r.offset == size && out->members >= 1 &&
           out->members <= DC_PERMUTATION_LEAVES_MAX && out->close >= 1 && out->end > out->close &&
           dc_scalar_decode(out->root, &root);
}

void dc_rating_statement(const struct dc_hash *context, const uint8_t group_key[32],
                         const uint8_t root[32], uint32_t members, uint8_t out[100])
{
    memcpy(out, context->b, 32);
    memcpy(out + 32, group_key, 32);
    memcpy(out + 64, root, 32);
    dc_put32(out + 96, dc_permutation_depth(members));
}

/* --- both sides ------------------------------------------------------------------------------ */

/* The statement, with all that stands before the link in the body. */
static void rating_begin(struct dc_transcript *t, const struct dc_hash *context,
                         const uint8_t group_key[32], const uint8_t *body)
{
    dc_transcript_init(t, "destra/privacy/v1/rating");
    dc_transcript_append(t, "contract", context->b, 32);
    dc_transcript_append_point(t, "group key", group_key);
    dc_transcript_append(t, "mark of", body + RATING_MARK_AT, 32);
    dc_transcript_append_point(t, "c1", body + RATING_C1_AT);
    dc_transcript_append_point(t, "c2", body + RATING_C2_AT);
    dc_transcript_append_point(t, "value", body + RATING_VALUE_AT);
}

/* v, r and s with c1 = r B, c2 = v B + r X, V = v B + s B~. */
static void rating_link(struct dc_sigma *s, const struct dc_point *group_key)
{
    memset(s, 0, sizeof *s);
    s->rows = 3;
    s->columns = 3;
    static const char *const row[3] = {"Y_c1", "Y_c2", "Y_value"};
    static const char *const column[3] = {"z_v", "z_r", "z_s"};
    for (uint32_t i = 0; i < 3; i++) {
        s->row_label[i] = row[i];
        s->column_label[i] = column[i];
    }
    s->used[0] = 2;
    s->used[1] = 1 | 2;
    s->used[2] = 1 | 4;
    s->point[0][1] = dc_point_base();
    s->point[1][0] = dc_point_base();
    s->point[1][1] = *group_key;
    s->point[2][0] = dc_point_base();
    s->point[2][2] = dc_point_blinding();
    DC_CHECK(dc_sigma_bytes(s) == RATING_LINK_BYTES);
}

static bool rating_circuit(struct dc_circuit *c, const struct dc_sum *value,
                           const struct dc_member_statement *s, const struct dc_member_witness *w)
{
    const struct dc_permutation *p = dc_permutation();
    dc_gadget_up_to(c, value, DC_RATING_MOST);
    return dc_member_circuit(c, p, s, w);
}

uint32_t dc_rating_gates(uint32_t members)
{
    return dc_circuit_padded(DC_RATING_MOST + dc_member_gates(dc_permutation_depth(members)));
}

/* --- making ---------------------------------------------------------------------------------- */

struct rating_secrets {
    struct dc_scalar v[3]; /* v, r, s */
};

static void rating_secrets(const struct dc_hash *context, const uint8_t group_key[32],
                           const uint8_t secret[32], uint32_t rating, struct rating_secrets *out)
{
    struct dc_nonces n;
    uint8_t text[4];
    dc_put32(text, rating);
    dc_nonces_init(&n, secret, DC_DOMAIN_PROOF_NONCE);
    dc_nonces_feed(&n, "destra/privacy/v1/rating", 24);
    dc_nonces_feed(&n, context->b, 32);
    dc_nonces_feed(&n, group_key, 32);
    dc_nonces_feed(&n, text, sizeof text);
    out->v[0] = dc_scalar_u64(rating);
    out->v[1] = dc_nonces_next(&n);
    out->v[2] = dc_nonces_next(&n);
}

static void rating_points(const struct rating_secrets *secrets, const struct dc_point *group_key,
                          uint8_t *body)
{
    struct dc_point p = dc_point_mul_base(&secrets->v[1]);
    dc_point_encode(&p, body + RATING_C1_AT);
    struct dc_point vb = dc_point_mul_base(&secrets->v[0]);
    p = dc_point_mul(&secrets->v[1], group_key);
    p = dc_point_add(&p, &vb);
    dc_point_encode(&p, body + RATING_C2_AT);
    p = dc_pedersen(&secrets->v[0], &secrets->v[2]);
    dc_point_encode(&p, body + RATING_VALUE_AT);
}

size_t dc_rating_rate(const struct dc_hash *context, const uint8_t group_key[32],
                      const uint8_t (*leaf)[32], uint32_t members, const uint8_t secret[32],
                      uint32_t rating, uint8_t *out, size_t out_max)
{
    struct dc_member_witness w;
    struct dc_member_statement s = {.depth = dc_permutation_depth(members), .context = *context};
    struct dc_point key;
    if (rating > DC_RATING_MOST || out_max < RATING_PROOF_AT ||
        !dc_point_decode_proper(group_key, &key) || !dc_member_root(leaf, members, s.root) ||
        !dc_member_find(leaf, members, secret, &w))
        return 0;
    dc_member_mark(secret, context, s.mark);
    memcpy(out + RATING_MARK_AT, s.mark, 32);
    struct rating_secrets secrets;
    rating_secrets(context, group_key, secret, rating, &secrets);
    rating_points(&secrets, &key, out);
    struct dc_transcript t;
    struct dc_circuit c;
    struct dc_sigma link;
    rating_begin(&t, context, group_key, out);
    rating_link(&link, &key);
    dc_sigma_prove(&t, &link, secrets.v, out + RATING_LINK_AT);
    dc_circuit_init(&c, &t, true);
    uint8_t commitment[32];
    struct dc_sum value = dc_circuit_commit(&c, &secrets.v[0], &secrets.v[2], commitment);
    size_t size = 0;
    if (rating_circuit(&c, &value, &s, &w))
        size = dc_r1cs_prove(&c, secret, out + RATING_PROOF_AT, out_max - RATING_PROOF_AT);
    dc_circuit_free(&c);
    return size == 0 ? 0 : RATING_PROOF_AT + size;
}

/* --- checking -------------------------------------------------------------------------------- */

bool dc_rating_check(const uint8_t *bytes, size_t size)
{
    const size_t proof_at = DC_RATING_STATEMENT_BYTES + RATING_PROOF_AT;
    if (size < proof_at)
        return false;
    const uint8_t *group_key = bytes + 32, *body = bytes + DC_RATING_STATEMENT_BYTES;
    struct dc_member_statement s;
    memcpy(s.context.b, bytes, 32);
    memcpy(s.root, bytes + 64, 32);
    s.depth = dc_get32(bytes + 96); /* bound by the transcript, and its bounds by the circuit */
    memcpy(s.mark, body + RATING_MARK_AT, 32);
    struct dc_point key;
    if (!dc_point_decode_proper(group_key, &key))
        return false;
    struct dc_transcript t;
    struct dc_sigma link;
    rating_begin(&t, &s.context, group_key, body);
    rating_link(&link, &key);
    for (uint32_t i = 0; i < 3; i++)
        if (!dc_point_decode_proper(body + RATING_C1_AT + 32 * (size_t)i, &link.target[i]))
            return false;
    if (!dc_sigma_verify(&t, &link, body + RATING_LINK_AT))
        return false;
    struct dc_circuit c;
    dc_circuit_init(&c, &t, false);
    struct dc_sum value = dc_circuit_committed(&c, body + RATING_VALUE_AT);
    bool ok = rating_circuit(&c, &value, &s, NULL) &&
              dc_r1cs_verify(&c, bytes + proof_at, size - proof_at);
    dc_circuit_free(&c);
    return ok;
}
