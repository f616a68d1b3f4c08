/* Messages between verifiers, service nodes and clients.  First byte enum dc_message; fixed
 * layouts, little-endian, exact sizes.  A decoder gives false on anything else, and its pointers
 * refer into the bytes.
 *
 *   CHALLENGE     height 8, asking 1                          the rest follows from the chain
 *   ANSWER        height 8, asking 1, node 4, sync size 4, sync proof, storage size 4, storage
 *                 proof, signature 64 over H(ANSWER, chain || all before)
 *   PUT           request 8, object seed 32, terms 64         (bulk: the object, see below)
 *   PUT_REPLY     request 8, status 1, node signature 64 over the terms
 *   GET           request 8, deal 4, chunk 8
 *   GET_REPLY     request 8, status 1, depth 1, chunk 4096, path 32 * depth   (bulk: the rest)
 *   RECEIPT       terms 36
 *   RECEIPT_REPLY terms 36, node signature 64 over H(REPORT, chain || terms)
 *
 * Bulk: of an object of many chunks the seed and one chunk are real bytes; the others, which repeat
 * them, are charged to the links as DC_EFFECT_SEND's `bulk` and not copied. */
#ifndef MODELS_WIRE_SERVICE_MSG_H
#define MODELS_WIRE_SERVICE_MSG_H

#include "models/wire/block.h"

#define DC_CHALLENGE_BYTES ((size_t)10)

struct dc_answer_msg {
    uint64_t height;
    uint8_t asking;
    uint32_t node;
    const uint8_t *sync, *storage, *signature;
    uint32_t sync_size, storage_size;
    struct dc_hash digest; /* what is signed */
};

struct dc_put_terms { /* what both sign: 64 bytes */
    uint64_t nonce, size_bytes, price;
    uint32_t node, epochs;
    struct dc_hash root;
};

struct dc_report_terms { /* 36 bytes */
    uint64_t epoch, paid;
    uint32_t client, node, sent, ok, timely;
};

enum dc_reply_status { DC_REPLY_OK = 0, DC_REPLY_REFUSED = 1, DC_REPLY_MISSING = 2 };

size_t dc_challenge_encode(uint64_t height, uint8_t asking, uint8_t *out);
bool dc_challenge_decode(const uint8_t *bytes, size_t size, uint64_t *height, uint8_t *asking);

/* Room for the answer's head and signature beside its proofs. */
#define DC_ANSWER_HEAD_BYTES ((size_t)(1 + 8 + 1 + 4 + 4 + 4 + 64))
/* Writes everything but the signature; returns the size so far and the digest to sign. */
size_t dc_answer_encode(uint64_t chain, const struct dc_answer_msg *a, uint8_t *out,
                        struct dc_hash *digest);
bool dc_answer_decode(uint64_t chain, const uint8_t *bytes, size_t size, struct dc_answer_msg *out);

#define DC_TERMS_BYTES ((size_t)64)
#define DC_PUT_BYTES (1 + 8 + 32 + DC_TERMS_BYTES)
#define DC_PUT_REPLY_BYTES ((size_t)(1 + 8 + 1 + 64))
#define DC_GET_BYTES ((size_t)(1 + 8 + 4 + 8))
#define DC_REPORT_BYTES ((size_t)36)
#define DC_RECEIPT_BYTES (1 + DC_REPORT_BYTES)
#define DC_RECEIPT_REPLY_BYTES (1 + DC_REPORT_BYTES + 64)

void dc_put_terms_encode(const struct dc_put_terms *t, uint8_t out[DC_TERMS_BYTES]);
/* What the node signs of a deal: H(DEAL, chain || client || terms). */
struct dc_hash dc_deal_digest(uint64_t chain, uint32_t client, const struct dc_put_terms *t);
size_t dc_put_encode(uint64_t request, const struct dc_hash *seed, const struct dc_put_terms *t,
                     uint8_t *out);
bool dc_put_decode(const uint8_t *bytes, size_t size, uint64_t *request, struct dc_hash *seed,
                   struct dc_put_terms *t);
size_t dc_put_reply_encode(uint64_t request, uint8_t status, const uint8_t *signature,
                           uint8_t *out);
bool dc_put_reply_decode(const uint8_t *bytes, size_t size, uint64_t *request, uint8_t *status,
                         const uint8_t **signature);
size_t dc_get_encode(uint64_t request, uint32_t deal, uint64_t chunk, uint8_t *out);
bool dc_get_decode(const uint8_t *bytes, size_t size, uint64_t *request, uint32_t *deal,
                   uint64_t *chunk);
/* When status is not OK chunk and path may be NULL, no chunk follows and depth counts as 0; the
 * decoder then gives NULLs. */
size_t dc_get_reply_encode(uint64_t request, uint8_t status, const uint8_t *chunk,
                           const struct dc_hash *path, uint8_t depth, uint8_t *out);
bool dc_get_reply_decode(const uint8_t *bytes, size_t size, uint64_t *request, uint8_t *status,
                         const uint8_t **chunk, const uint8_t **path, uint8_t *depth);

/* What the node signs of a report: H(REPORT, chain || terms). */
struct dc_hash dc_report_digest(uint64_t chain, const struct dc_report_terms *t);
size_t dc_receipt_encode(const struct dc_report_terms *t, uint8_t *out);
bool dc_receipt_decode(const uint8_t *bytes, size_t size, struct dc_report_terms *t);
size_t dc_receipt_reply_encode(const struct dc_report_terms *t, const uint8_t *signature,
                               uint8_t *out);
bool dc_receipt_reply_decode(const uint8_t *bytes, size_t size, struct dc_report_terms *t,
                             const uint8_t **signature);

#endif
