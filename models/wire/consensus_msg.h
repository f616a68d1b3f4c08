/* Messages of consensus.  First byte enum dc_message; little-endian, exact sizes; a decoder gives
 * false on anything else, and its pointers refer into the bytes.
 *
 *   PROPOSAL       block bytes, proposer's signature 64
 *   BLOCK_REPLY    left 1 (low 7 bits: blocks of this answer still to come; high bit: the chain
 *                  goes on above them), block bytes, proposer's signature 64
 *   VOTE           epoch 8, round 8, block 32, commits 32, signer 4, signature 64
 *   TIMEOUT        epoch 8, round 8, qc round 8, digest of that QC 32 (zeros in round 0), signer 4,
 *                  signature 64, voted 1 [block 32, commits 32, signature of the vote 64]
 *   SYNC           epoch 8, parts 1 (bits: QC, TC), [size 4, QC], [size 4, TC]
 *   HANDOVER       the hand-over's bytes
 *   BLOCK_REQUEST  tip 32 (zeros: the receiver's own), final height 8, flags 1
 *
 * A signer is an account id; the committee record of the epoch says which key is meant. */
#ifndef MODELS_WIRE_CONSENSUS_MSG_H
#define MODELS_WIRE_CONSENSUS_MSG_H

#include "models/wire/block.h"

#define DC_VOTE_MSG_BYTES ((size_t)149)
#define DC_TIMEOUT_MSG_BYTES ((size_t)126)     /* without a vote */
#define DC_TIMEOUT_MSG_BYTES_MAX ((size_t)254) /* with one */
#define DC_REPLY_MORE 0x80u
#define DC_BLOCK_REQUEST_BYTES ((size_t)42)

struct dc_vote {
    uint64_t epoch, round;
    struct dc_hash block;
    struct dc_hash commits; /* id that a QC of such votes makes final, or zero */
    uint32_t signer;
    uint8_t signature[DC_SIGNATURE_BYTES];
};

struct dc_timeout {
    uint64_t epoch, round, qc_round;
    struct dc_hash qc_digest;
    uint32_t signer;
    uint8_t signature[DC_SIGNATURE_BYTES];
    bool voted; /* `vote` is the signer's vote of this round */
    struct dc_vote vote;
};

struct dc_sync_msg {
    uint64_t epoch;
    const uint8_t *qc, *tc; /* or NULL */
    uint32_t qc_size, tc_size;
};

enum dc_request_flag {
    DC_REQUEST_BLOCKS = 1,      /* ancestors of the tip, lowest first, above the final height */
    DC_REQUEST_CERTIFICATES = 2 /* the highest QC, TC and hand-over */
};
struct dc_block_request {
    struct dc_hash tip;
    uint64_t height; /* of the asker's final block */
    uint8_t flags;
};

void dc_vote_encode(const struct dc_vote *vote, uint8_t out[DC_VOTE_MSG_BYTES]);
bool dc_vote_decode(const uint8_t *bytes, size_t size, struct dc_vote *out);
/* Returns the size. */
size_t dc_timeout_encode(const struct dc_timeout *timeout, uint8_t out[DC_TIMEOUT_MSG_BYTES_MAX]);
bool dc_timeout_decode(const uint8_t *bytes, size_t size, struct dc_timeout *out);
size_t dc_sync_size(const struct dc_sync_msg *sync);
void dc_sync_encode(const struct dc_sync_msg *sync, uint8_t *out); /* dc_sync_size bytes */
bool dc_sync_decode(const uint8_t *bytes, size_t size, struct dc_sync_msg *out);
void dc_block_request_encode(const struct dc_block_request *q, uint8_t out[DC_BLOCK_REQUEST_BYTES]);
bool dc_block_request_decode(const uint8_t *bytes, size_t size, struct dc_block_request *out);

#endif
