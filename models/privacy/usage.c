#include "models/privacy/usage.h"

#include "models/crypto/rangeproof.h"

/* --- terms ------------------------------------------------------------------------------------ */

size_t dc_usage_terms_encode(const struct dc_usage_terms *t, uint8_t out[DC_USAGE_NEW_BYTES_MAX])
{
    struct dc_writer w = dc_writer(out, DC_USAGE_NEW_BYTES_MAX);
    dc_write32(&w, t->payee);
    dc_write8(&w, t->bits);
    dc_write8(&w, t->count);
    dc_write64(&w, t->bound);
    dc_write64(&w, t->amount);
    dc_write64(&w, t->close);
    dc_write64(&w, t->end);
    dc_write64(&w, t->tag);
    for (uint32_t i = 0; i < t->count; i++)
        dc_write32(&w, t->reporter[i]);
    return w.size;
}

bool dc_usage_terms_decode(const uint8_t *bytes, size_t size, struct dc_usage_terms *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    memset(out, 0, sizeof *out);
    out->payee = dc_read32(&r);
    out->bits = dc_read8(&r);
    out->count = dc_read8(&r);
    out->bound = dc_read64(&r);
    out->amount = dc_read64(&r);
    out->close = dc_read64(&r);
    out->end = dc_read64(&r);
    out->tag = dc_read64(&r);
    if (out->count == 0 || out->count > DC_USAGE_REPORTERS_MAX ||
        dc_usage_report_bytes(out->bits) == 0 || out->close == 0 || out->close >= out->end)
        return false;
    for (uint32_t i = 0; i < out->count; i++) {
        out->reporter[i] = dc_read32(&r);
        if (i > 0 && out->reporter[i] <= out->reporter[i - 1])
            return false;
    }
    return dc_read_done(&r);
}

/* --- reports ---------------------------------------------------------------------------------- */

size_t dc_usage_report_bytes(uint8_t bits)
{
    return bits == 8    ? DC_USAGE_REPORT_BYTES(3)
           : bits == 16 ? DC_USAGE_REPORT_BYTES(4)
           : bits == 32 ? DC_USAGE_REPORT_BYTES(5)
                        : 0;
}

/* Says who reports what where; head: ciphertext and commitment, 96 bytes. */
static void usage_transcript(struct dc_transcript *t, const struct dc_usage_context *c,
                             const uint8_t head[96])
{
    dc_transcript_init(t, dc_domain_name(DC_DOMAIN_USAGE));
    dc_transcript_append_u64(t, "chain", c->chain);
    dc_transcript_append_u64(t, "contract", c->contract);
    dc_transcript_append_u64(t, "reporter", c->reporter);
    dc_transcript_append_u64(t, "bits", c->bits);
    dc_transcript_append_point(t, "key", c->group_key);
    dc_transcript_append(t, "ciphertext", head, 64);
    dc_transcript_append_point(t, "commitment", head + 64);
}

/* Secrets r, v, b:  r B = c1,  r X + v B = c2,  v B + b B~ = C. */
static struct dc_sigma usage_rows(const struct dc_point *key)
{
    struct dc_sigma s = {.rows = 3,
                         .columns = 3,
                         .row_label = {"Y_0", "Y_1", "Y_2"},
                         .column_label = {"z_r", "z_v", "z_b"},
                         .used = {1, 3, 6}};
    s.point[0][0] = s.point[1][1] = s.point[2][1] = dc_point_base();
    s.point[1][0] = *key;
    s.point[2][2] = dc_point_blinding();
    return s;
}

size_t dc_usage_report_make(const struct dc_usage_context *c, const uint8_t seed[32], uint64_t v,
                            uint8_t out[DC_USAGE_REPORT_BYTES_MAX])
{
    size_t size = dc_usage_report_bytes(c->bits);
    struct dc_point key;
    uint8_t place[25];
    struct dc_nonces n;
    if (size == 0 || v >> c->bits != 0 || !dc_point_decode_proper(c->group_key, &key))
        return 0;
    dc_put64(place, c->chain);
    dc_put32(place + 8, c->contract);
    dc_put32(place + 12, c->reporter);
    place[16] = c->bits;
    dc_put64(place + 17, v);
    dc_nonces_init(&n, seed, DC_DOMAIN_USAGE);
    dc_nonces_feed(&n, place, sizeof place);
    dc_nonces_feed(&n, c->group_key, 32);
    struct dc_scalar r = dc_nonces_next(&n), b = dc_nonces_next(&n), value = dc_scalar_u64(v);
    struct dc_elgamal sealed = dc_lifted_encrypt(&key, &value, &r);
    struct dc_point commitment = dc_pedersen(&value, &b);
    dc_elgamal_encode(&sealed, out);
    dc_point_encode(&commitment, out + 64);
    struct dc_transcript t;
    struct dc_sigma s = usage_rows(&key);
    usage_transcript(&t, c, out);
    dc_sigma_prove(&t, &s, (const struct dc_scalar[3]){r, value, b}, out + 96);
    uint8_t again[1][32];
    bool proved = dc_range_prove(&t, c->bits, &v, &b, 1, seed, again, out + 288);
    DC_CHECK(proved && memcmp(again[0], out + 64, 32) == 0);
    return size;
}

bool dc_usage_report_check(const struct dc_usage_context *c, const uint8_t *report, size_t size)
{
    struct dc_point key;
    if (size == 0 || size != dc_usage_report_bytes(c->bits) ||
        !dc_point_decode_proper(c->group_key, &key))
        return false;
    struct dc_sigma s = usage_rows(&key);
    for (uint32_t i = 0; i < 3; i++)
        if (!dc_point_decode_proper(report + 32 * i, &s.target[i]))
            return false;
    struct dc_transcript t;
    uint8_t commitment[1][32];
    memcpy(commitment[0], report + 64, 32);
    usage_transcript(&t, c, report);
    return dc_sigma_verify(&t, &s, report + 96) &&
           dc_range_verify(&t, c->bits, (const uint8_t(*)[32])commitment, 1, report + 288,
                           size - 288);
}

size_t dc_usage_statement(const struct dc_usage_context *c, const uint8_t *report, size_t size,
                          uint8_t out[DC_USAGE_STATEMENT_BYTES_MAX])
{
    DC_CHECK(size <= DC_USAGE_REPORT_BYTES_MAX);
    dc_put64(out, c->chain);
    dc_put32(out + 8, c->contract);
    dc_put32(out + 12, c->reporter);
    out[16] = c->bits;
    memcpy(out + 17, c->group_key, 32);
    memcpy(out + DC_USAGE_STATEMENT_BYTES, report, size);
    return DC_USAGE_STATEMENT_BYTES + size;
}

bool dc_usage_statement_check(const uint8_t *b, size_t size)
{
    if (size < DC_USAGE_STATEMENT_BYTES)
        return false;
    struct dc_usage_context c = {.chain = dc_get64(b),
                                 .contract = dc_get32(b + 8),
                                 .reporter = dc_get32(b + 12),
                                 .bits = b[16]};
    memcpy(c.group_key, b + 17, 32);
    return dc_usage_report_check(&c, b + DC_USAGE_STATEMENT_BYTES, size - DC_USAGE_STATEMENT_BYTES);
}
