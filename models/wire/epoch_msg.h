/* Messages of catching up over epochs (models/consensus/statesync.h).  First byte enum dc_message;
 * little-endian, exact sizes; a decoder gives false on anything else, and its pointers refer into the
 * bytes.
 *
 *   EPOCH_REQUEST  first 8: the hand-over asked for is H(first), and those after it
 *   EPOCH_REPLY    first 8, flags 1 (1: there are more), count 1 (1..16), for each e = first ...:
 *                  size 4, H(e), size 4, committee record of e + 1
 *   STATE_REQUEST  epoch 8, last block 32: the state after L, by which the epoch before ended
 *   STATE_REPLY    state's size 8, its six parts' hashes 192 (seven, 224, where the size's highest bit
 *                  is set: there is a vault), L's block bytes, proposer's signature 64
 *
 * The state itself follows a STATE_REPLY as `bulk` of its effect: charged, not copied. */
#ifndef MODELS_WIRE_EPOCH_MSG_H
#define MODELS_WIRE_EPOCH_MSG_H

#include "models/wire/block.h"

#define DC_EPOCH_BATCH 16
#define DC_EPOCH_REQUEST_BYTES ((size_t)9)
#define DC_EPOCH_REPLY_HEAD_BYTES ((size_t)11)
#define DC_STATE_REQUEST_BYTES ((size_t)41)
#define DC_STATE_REPLY_HEAD_BYTES ((size_t)(9 + 32 * (DC_STATE_PARTS - 1))) /* without a vault */

struct dc_epoch_reply {
    uint64_t first;
    bool more;
    uint32_t count;
    struct dc_epoch_item {
        const uint8_t *handover, *committee;
        uint32_t handover_size, committee_size;
    } item[DC_EPOCH_BATCH];
};

struct dc_state_request {
    uint64_t epoch; /* that begins on the state */
    struct dc_hash last;
};

struct dc_state_reply {
    uint64_t state_bytes;
    struct dc_hash part[DC_STATE_PARTS]; /* the last zero: no vault */
    const uint8_t *block; /* block bytes || signature */
    size_t block_size;
};

void dc_epoch_request_encode(uint64_t first, uint8_t out[DC_EPOCH_REQUEST_BYTES]);
bool dc_epoch_request_decode(const uint8_t *bytes, size_t size, uint64_t *first);
size_t dc_epoch_reply_size(const struct dc_epoch_reply *e);
void dc_epoch_reply_encode(const struct dc_epoch_reply *e, uint8_t *out);
bool dc_epoch_reply_decode(const uint8_t *bytes, size_t size, struct dc_epoch_reply *out);
void dc_state_request_encode(const struct dc_state_request *q, uint8_t out[DC_STATE_REQUEST_BYTES]);
bool dc_state_request_decode(const uint8_t *bytes, size_t size, struct dc_state_request *out);
/* Bytes before the block: of a reply that is to be sent, and of one that came (0: too short). */
static inline size_t dc_state_reply_head(bool vault)
{
    return DC_STATE_REPLY_HEAD_BYTES + (vault ? 32 : 0);
}
size_t dc_state_reply_head_of(const uint8_t *bytes, size_t size);
/* out: dc_state_reply_head + block_size. */
void dc_state_reply_encode(const struct dc_state_reply *s, uint8_t *out);
bool dc_state_reply_decode(const uint8_t *bytes, size_t size, struct dc_state_reply *out);

#endif
