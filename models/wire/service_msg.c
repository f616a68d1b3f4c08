/* Straight-line codecs: layouts in the header, offsets written out, one size check at the top of
 * each decoder.  Only ANSWER has parts of its own lengths and reads through dc_reader. */
#include "models/wire/service_msg.h"

size_t dc_challenge_encode(uint64_t height, uint8_t asking, uint8_t *out)
{
    out[0] = DC_MSG_CHALLENGE;
    dc_put64(out + 1, height);
    out[9] = asking;
    return DC_CHALLENGE_BYTES;
}

bool dc_challenge_decode(const uint8_t *bytes, size_t size, uint64_t *height, uint8_t *asking)
{
    if (size != DC_CHALLENGE_BYTES || bytes[0] != DC_MSG_CHALLENGE)
        return false;
    *height = dc_get64(bytes + 1);
    *asking = bytes[9];
    return *asking == 1 || *asking == 2;
}

static struct dc_hash answer_digest(uint64_t chain, const uint8_t *bytes, size_t size)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_ANSWER);
    dc_hasher_update64(&h, chain);
    dc_hasher_update(&h, bytes, size);
    return dc_hasher_final(&h);
}

size_t dc_answer_encode(uint64_t chain, const struct dc_answer_msg *a, uint8_t *out,
                        struct dc_hash *digest)
{
    size_t size = DC_ANSWER_HEAD_BYTES - 64 + a->sync_size + a->storage_size;
    struct dc_writer w = dc_writer(out, size);
    dc_write8(&w, DC_MSG_ANSWER);
    dc_write64(&w, a->height);
    dc_write8(&w, a->asking);
    dc_write32(&w, a->node);
    dc_write32(&w, a->sync_size);
    dc_write(&w, a->sync, a->sync_size);
    dc_write32(&w, a->storage_size);
    dc_write(&w, a->storage, a->storage_size);
    *digest = answer_digest(chain, out, w.size);
    return w.size;
}

bool dc_answer_decode(uint64_t chain, const uint8_t *bytes, size_t size, struct dc_answer_msg *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    bool kind = dc_read8(&r) == DC_MSG_ANSWER;
    out->height = dc_read64(&r);
    out->asking = dc_read8(&r);
    out->node = dc_read32(&r);
    out->sync_size = dc_read32(&r);
    out->sync = dc_read_in_place(&r, out->sync_size);
    out->storage_size = dc_read32(&r);
    out->storage = dc_read_in_place(&r, out->storage_size);
    size_t signed_size = r.offset;
    out->signature = dc_read_in_place(&r, 64);
    if (!kind || !dc_read_done(&r) || (out->asking != 1 && out->asking != 2))
        return false;
    out->digest = answer_digest(chain, bytes, signed_size);
    return true;
}

void dc_put_terms_encode(const struct dc_put_terms *t, uint8_t out[DC_TERMS_BYTES])
{
    dc_put64(out, t->nonce);
    dc_put64(out + 8, t->size_bytes);
    dc_put64(out + 16, t->price);
    dc_put32(out + 24, t->node);
    dc_put32(out + 28, t->epochs);
    memcpy(out + 32, t->root.b, 32);
}

struct dc_hash dc_deal_digest(uint64_t chain, uint32_t client, const struct dc_put_terms *t)
{
    uint8_t text[12 + DC_TERMS_BYTES];
    dc_put64(text, chain);
    dc_put32(text + 8, client);
    dc_put_terms_encode(t, text + 12);
    return dc_hash_bytes(DC_DOMAIN_DEAL, text, sizeof text);
}

size_t dc_put_encode(uint64_t request, const struct dc_hash *seed, const struct dc_put_terms *t,
                     uint8_t *out)
{
    out[0] = DC_MSG_PUT;
    dc_put64(out + 1, request);
    memcpy(out + 9, seed->b, 32);
    dc_put_terms_encode(t, out + 41);
    return DC_PUT_BYTES;
}

bool dc_put_decode(const uint8_t *bytes, size_t size, uint64_t *request, struct dc_hash *seed,
                   struct dc_put_terms *t)
{
    if (size != DC_PUT_BYTES || bytes[0] != DC_MSG_PUT)
        return false;
    *request = dc_get64(bytes + 1);
    memcpy(seed->b, bytes + 9, 32);
    t->nonce = dc_get64(bytes + 41);
    t->size_bytes = dc_get64(bytes + 49);
    t->price = dc_get64(bytes + 57);
    t->node = dc_get32(bytes + 65);
    t->epochs = dc_get32(bytes + 69);
    memcpy(t->root.b, bytes + 73, 32);
    return true;
}

size_t dc_put_reply_encode(uint64_t request, uint8_t status, const uint8_t *signature, uint8_t *out)
{
    out[0] = DC_MSG_PUT_REPLY;
    dc_put64(out + 1, request);
    out[9] = status;
    if (signature != NULL)
        memcpy(out + 10, signature, 64);
    else
        memset(out + 10, 0, 64);
    return DC_PUT_REPLY_BYTES;
}

bool dc_put_reply_decode(const uint8_t *bytes, size_t size, uint64_t *request, uint8_t *status,
                         const uint8_t **signature)
{
    if (size != DC_PUT_REPLY_BYTES || bytes[0] != DC_MSG_PUT_REPLY || bytes[9] > DC_REPLY_MISSING)
        return false;
    *request = dc_get64(bytes + 1);
    *status = bytes[9];
    *signature = bytes + 10;
    return true;
}

size_t dc_get_encode(uint64_t request, uint32_t deal, uint64_t chunk, uint8_t *out)
{
    out[0] = DC_MSG_GET;
    dc_put64(out + 1, request);
    dc_put32(out + 9, deal);
    dc_put64(out + 13, chunk);
    return DC_GET_BYTES;
}

bool dc_get_decode(const uint8_t *bytes, size_t size, uint64_t *request, uint32_t *deal,
                   uint64_t *chunk)
{
    if (size != DC_GET_BYTES || bytes[0] != DC_MSG_GET)
        return false;
    *request = dc_get64(bytes + 1);
    *deal = dc_get32(bytes + 9);
    *chunk = dc_get64(bytes + 13);
    return true;
}

size_t dc_get_reply_encode(uint64_t request, uint8_t status, const uint8_t *chunk,
                           const struct dc_hash *path, uint8_t depth, uint8_t *out)
{
    out[0] = DC_MSG_GET_REPLY;
    dc_put64(out + 1, request);
    out[9] = status;
    out[10] = status == DC_REPLY_OK ? depth : 0;
    if (status != DC_REPLY_OK)
        return 11;
    memcpy(out + 11, chunk, 4096);
    memcpy(out + 11 + 4096, path, 32 * (size_t)depth);
    return 11 + 4096 + 32 * (size_t)depth;
}

bool dc_get_reply_decode(const uint8_t *bytes, size_t size, uint64_t *request, uint8_t *status,
                         const uint8_t **chunk, const uint8_t **path, uint8_t *depth)
{
    if (size < 11 || bytes[0] != DC_MSG_GET_REPLY || bytes[9] > DC_REPLY_MISSING || bytes[10] > 63)
        return false;
    *request = dc_get64(bytes + 1);
    *status = bytes[9];
    *depth = bytes[10];
    *chunk = *path = NULL;
    if (*status != DC_REPLY_OK)
        return size == 11 && *depth == 0;
    if (size != 11 + 4096 + 32 * (size_t)*depth)
        return false;
    *chunk = bytes + 11;
    *path = bytes + 11 + 4096;
    return true;
}

static void report_encode(const struct dc_report_terms *t, uint8_t out[DC_REPORT_BYTES])
{
    dc_put64(out, t->epoch);
    dc_put64(out + 8, t->paid);
    dc_put32(out + 16, t->client);
    dc_put32(out + 20, t->node);
    dc_put32(out + 24, t->sent);
    dc_put32(out + 28, t->ok);
    dc_put32(out + 32, t->timely);
}

static void report_decode(const uint8_t *bytes, struct dc_report_terms *t)
{
    t->epoch = dc_get64(bytes);
    t->paid = dc_get64(bytes + 8);
    t->client = dc_get32(bytes + 16);
    t->node = dc_get32(bytes + 20);
    t->sent = dc_get32(bytes + 24);
    t->ok = dc_get32(bytes + 28);
    t->timely = dc_get32(bytes + 32);
}

struct dc_hash dc_report_digest(uint64_t chain, const struct dc_report_terms *t)
{
    uint8_t text[8 + DC_REPORT_BYTES];
    dc_put64(text, chain);
    report_encode(t, text + 8);
    return dc_hash_bytes(DC_DOMAIN_REPORT, text, sizeof text);
}

size_t dc_receipt_encode(const struct dc_report_terms *t, uint8_t *out)
{
    out[0] = DC_MSG_RECEIPT;
    report_encode(t, out + 1);
    return DC_RECEIPT_BYTES;
}

bool dc_receipt_decode(const uint8_t *bytes, size_t size, struct dc_report_terms *t)
{
    if (size != DC_RECEIPT_BYTES || bytes[0] != DC_MSG_RECEIPT)
        return false;
    report_decode(bytes + 1, t);
    return true;
}

size_t dc_receipt_reply_encode(const struct dc_report_terms *t, const uint8_t *signature,
                               uint8_t *out)
{
    out[0] = DC_MSG_RECEIPT_REPLY;
    report_encode(t, out + 1);
    memcpy(out + 1 + DC_REPORT_BYTES, signature, 64);
    return DC_RECEIPT_REPLY_BYTES;
}

bool dc_receipt_reply_decode(const uint8_t *bytes, size_t size, struct dc_report_terms *t,
                             const uint8_t **signature)
{
    if (size != DC_RECEIPT_REPLY_BYTES || bytes[0] != DC_MSG_RECEIPT_REPLY)
        return false;
    report_decode(bytes + 1, t);
    *signature = bytes + 1 + DC_REPORT_BYTES;
    return true;
}
