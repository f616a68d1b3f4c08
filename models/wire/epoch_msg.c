/* Codec of the messages of catching up over epochs; layouts in epoch_msg.h. */
#include "models/wire/epoch_msg.h"

#include "models/base/status.h"

void dc_epoch_request_encode(uint64_t first, uint8_t out[DC_EPOCH_REQUEST_BYTES])
{
    out[0] = DC_MSG_EPOCH_REQUEST;
    dc_put64(out + 1, first);
}

bool dc_epoch_request_decode(const uint8_t *bytes, size_t size, uint64_t *first)
{
    struct dc_reader r = dc_reader(bytes, size);
    bool kind = dc_read8(&r) == DC_MSG_EPOCH_REQUEST;
    *first = dc_read64(&r);
    return kind && dc_read_done(&r);
}

size_t dc_epoch_reply_size(const struct dc_epoch_reply *e)
{
    size_t size = DC_EPOCH_REPLY_HEAD_BYTES;
    for (uint32_t i = 0; i < e->count; i++)
        size += 8 + (size_t)e->item[i].handover_size + e->item[i].committee_size;
    return size;
}

void dc_epoch_reply_encode(const struct dc_epoch_reply *e, uint8_t *out)
{
    struct dc_writer w = dc_writer(out, dc_epoch_reply_size(e));
    dc_write8(&w, DC_MSG_EPOCH_REPLY);
    dc_write64(&w, e->first);
    dc_write8(&w, e->more ? 1 : 0);
    dc_write8(&w, (uint8_t)e->count);
    for (uint32_t i = 0; i < e->count; i++) {
        const struct dc_epoch_item *x = &e->item[i];
        dc_write32(&w, x->handover_size);
        dc_write(&w, x->handover, x->handover_size);
        dc_write32(&w, x->committee_size);
        dc_write(&w, x->committee, x->committee_size);
    }
    DC_CHECK(!w.failed && w.size == w.size_max);
}

bool dc_epoch_reply_decode(const uint8_t *bytes, size_t size, struct dc_epoch_reply *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    bool kind = dc_read8(&r) == DC_MSG_EPOCH_REPLY;
    out->first = dc_read64(&r);
    uint8_t flags = dc_read8(&r);
    out->more = flags == 1;
    out->count = dc_read8(&r);
    if (!kind || flags > 1 || out->count == 0 || out->count > DC_EPOCH_BATCH)
        return false;
    for (uint32_t i = 0; i < out->count; i++) {
        struct dc_epoch_item *x = &out->item[i];
        x->handover_size = dc_read32(&r);
        x->handover = dc_read_in_place(&r, x->handover_size);
        x->committee_size = dc_read32(&r);
        x->committee = dc_read_in_place(&r, x->committee_size);
    }
    return dc_read_done(&r);
}

void dc_state_request_encode(const struct dc_state_request *q, uint8_t out[DC_STATE_REQUEST_BYTES])
{
    out[0] = DC_MSG_STATE_REQUEST;
    dc_put64(out + 1, q->epoch);
    memcpy(out + 9, q->last.b, DC_HASH_BYTES);
}

bool dc_state_request_decode(const uint8_t *bytes, size_t size, struct dc_state_request *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    bool kind = dc_read8(&r) == DC_MSG_STATE_REQUEST;
    out->epoch = dc_read64(&r);
    dc_read(&r, out->last.b, DC_HASH_BYTES);
    return kind && dc_read_done(&r);
}

#define STATE_REPLY_VAULT ((uint64_t)1 << 63) /* of a state's size: a seventh part follows */

size_t dc_state_reply_head_of(const uint8_t *bytes, size_t size)
{
    return size < 9 ? 0 : dc_state_reply_head((dc_get64(bytes + 1) & STATE_REPLY_VAULT) != 0);
}

void dc_state_reply_encode(const struct dc_state_reply *s, uint8_t *out)
{
    bool vault = !dc_hash_is_zero(&s->part[DC_STATE_PARTS - 1]);
    struct dc_writer w = dc_writer(out, dc_state_reply_head(vault) + s->block_size);
    dc_write8(&w, DC_MSG_STATE_REPLY);
    dc_write64(&w, s->state_bytes | (vault ? STATE_REPLY_VAULT : 0));
    dc_write(&w, s->part, 32 * (DC_STATE_PARTS - 1 + (size_t)vault));
    dc_write(&w, s->block, s->block_size);
    DC_CHECK(!w.failed);
}

bool dc_state_reply_decode(const uint8_t *bytes, size_t size, struct dc_state_reply *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    bool kind = dc_read8(&r) == DC_MSG_STATE_REPLY;
    out->state_bytes = dc_read64(&r);
    bool vault = (out->state_bytes & STATE_REPLY_VAULT) != 0;
    out->state_bytes &= ~STATE_REPLY_VAULT;
    memset(out->part, 0, sizeof out->part);
    dc_read(&r, out->part, 32 * (DC_STATE_PARTS - 1 + (size_t)vault));
    if (vault && dc_hash_is_zero(&out->part[DC_STATE_PARTS - 1]))
        return false;
    if (!kind || r.failed || size - r.offset < DC_HEADER_BYTES + DC_SIGNATURE_BYTES)
        return false;
    out->block = bytes + r.offset;
    out->block_size = size - r.offset;
    return true;
}
