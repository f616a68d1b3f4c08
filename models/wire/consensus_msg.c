/* Codec of consensus messages; layouts in consensus_msg.h. */
#include "models/wire/consensus_msg.h"

enum sync_part { SYNC_QC = 1, SYNC_TC = 2 };

static void write_hash(struct dc_writer *w, const struct dc_hash *h)
{
    dc_write(w, h->b, DC_HASH_BYTES);
}

void dc_vote_encode(const struct dc_vote *vote, uint8_t out[DC_VOTE_MSG_BYTES])
{
    struct dc_writer w = dc_writer(out, DC_VOTE_MSG_BYTES);
    dc_write8(&w, DC_MSG_VOTE);
    dc_write64(&w, vote->epoch);
    dc_write64(&w, vote->round);
    write_hash(&w, &vote->block);
    write_hash(&w, &vote->commits);
    dc_write32(&w, vote->signer);
    dc_write(&w, vote->signature, DC_SIGNATURE_BYTES);
    DC_CHECK(!w.failed && w.size == DC_VOTE_MSG_BYTES);
}

bool dc_vote_decode(const uint8_t *bytes, size_t size, struct dc_vote *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    bool kind = dc_read8(&r) == DC_MSG_VOTE;
    out->epoch = dc_read64(&r);
    out->round = dc_read64(&r);
    dc_read(&r, out->block.b, DC_HASH_BYTES);
    dc_read(&r, out->commits.b, DC_HASH_BYTES);
    out->signer = dc_read32(&r);
    dc_read(&r, out->signature, DC_SIGNATURE_BYTES);
    return kind && dc_read_done(&r) && out->round != 0;
}

size_t dc_timeout_encode(const struct dc_timeout *t, uint8_t out[DC_TIMEOUT_MSG_BYTES_MAX])
{
    struct dc_writer w = dc_writer(out, DC_TIMEOUT_MSG_BYTES_MAX);
    dc_write8(&w, DC_MSG_TIMEOUT);
    dc_write64(&w, t->epoch);
    dc_write64(&w, t->round);
    dc_write64(&w, t->qc_round);
    write_hash(&w, &t->qc_digest);
    dc_write32(&w, t->signer);
    dc_write(&w, t->signature, DC_SIGNATURE_BYTES);
    dc_write8(&w, t->voted ? 1 : 0);
    if (t->voted) {
        write_hash(&w, &t->vote.block);
        write_hash(&w, &t->vote.commits);
        dc_write(&w, t->vote.signature, DC_SIGNATURE_BYTES);
    }
    DC_CHECK(!w.failed);
    return w.size;
}

bool dc_timeout_decode(const uint8_t *bytes, size_t size, struct dc_timeout *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    bool kind = dc_read8(&r) == DC_MSG_TIMEOUT;
    out->epoch = dc_read64(&r);
    out->round = dc_read64(&r);
    out->qc_round = dc_read64(&r);
    dc_read(&r, out->qc_digest.b, DC_HASH_BYTES);
    out->signer = dc_read32(&r);
    dc_read(&r, out->signature, DC_SIGNATURE_BYTES);
    uint8_t voted = dc_read8(&r);
    out->voted = voted == 1;
    if (out->voted) {
        struct dc_vote *v = &out->vote;
        v->epoch = out->epoch;
        v->round = out->round;
        v->signer = out->signer;
        dc_read(&r, v->block.b, DC_HASH_BYTES);
        dc_read(&r, v->commits.b, DC_HASH_BYTES);
        dc_read(&r, v->signature, DC_SIGNATURE_BYTES);
    }
    return kind && dc_read_done(&r) && voted <= 1 && out->qc_round < out->round &&
           (out->qc_round == 0) == dc_hash_is_zero(&out->qc_digest);
}

size_t dc_sync_size(const struct dc_sync_msg *s)
{
    return 10 + (s->qc != NULL ? 4 + (size_t)s->qc_size : 0) +
           (s->tc != NULL ? 4 + (size_t)s->tc_size : 0);
}

void dc_sync_encode(const struct dc_sync_msg *s, uint8_t *out)
{
    struct dc_writer w = dc_writer(out, dc_sync_size(s));
    dc_write8(&w, DC_MSG_SYNC);
    dc_write64(&w, s->epoch);
    dc_write8(&w, (uint8_t)((s->qc != NULL ? SYNC_QC : 0) | (s->tc != NULL ? SYNC_TC : 0)));
    if (s->qc != NULL) {
        dc_write32(&w, s->qc_size);
        dc_write(&w, s->qc, s->qc_size);
    }
    if (s->tc != NULL) {
        dc_write32(&w, s->tc_size);
        dc_write(&w, s->tc, s->tc_size);
    }
    DC_CHECK(!w.failed && w.size == w.size_max);
}

bool dc_sync_decode(const uint8_t *bytes, size_t size, struct dc_sync_msg *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    bool kind = dc_read8(&r) == DC_MSG_SYNC;
    *out = (struct dc_sync_msg){.epoch = dc_read64(&r)};
    uint8_t parts = dc_read8(&r);
    if ((parts & SYNC_QC) != 0) {
        out->qc_size = dc_read32(&r);
        out->qc = dc_read_in_place(&r, out->qc_size);
    }
    if ((parts & SYNC_TC) != 0) {
        out->tc_size = dc_read32(&r);
        out->tc = dc_read_in_place(&r, out->tc_size);
    }
    return kind && dc_read_done(&r) && parts != 0 && parts <= (SYNC_QC | SYNC_TC);
}

void dc_block_request_encode(const struct dc_block_request *q, uint8_t out[DC_BLOCK_REQUEST_BYTES])
{
    struct dc_writer w = dc_writer(out, DC_BLOCK_REQUEST_BYTES);
    dc_write8(&w, DC_MSG_BLOCK_REQUEST);
    write_hash(&w, &q->tip);
    dc_write64(&w, q->height);
    dc_write8(&w, q->flags);
    DC_CHECK(!w.failed && w.size == DC_BLOCK_REQUEST_BYTES);
}

bool dc_block_request_decode(const uint8_t *bytes, size_t size, struct dc_block_request *out)
{
    struct dc_reader r = dc_reader(bytes, size);
    bool kind = dc_read8(&r) == DC_MSG_BLOCK_REQUEST;
    dc_read(&r, out->tip.b, DC_HASH_BYTES);
    out->height = dc_read64(&r);
    out->flags = dc_read8(&r);
    return kind && dc_read_done(&r) && out->flags != 0 &&
           out->flags <= (DC_REQUEST_BLOCKS | DC_REQUEST_CERTIFICATES);
}
