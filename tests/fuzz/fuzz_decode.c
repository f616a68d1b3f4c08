/* Every decoder of models/wire and models/crypto, and the readers of files that sim/ has.
 *
 *   input = which (1 byte; 255: a proof about a sparse Merkle tree) | bytes
 *
 * Bytes are taken or refused; what is taken and has a plain encoder must encode to the same bytes, so
 * that no two byte strings mean one object.  Built for libFuzzer, or with replay.c as a test. */
#include "models/base/mem.h"
#include "models/client/app.h"
#include "models/consensus/env.h"
#include "models/crypto/cert.h"
#include "models/crypto/smt.h"
#include "models/wire/epoch_msg.h"
#include "models/wire/service_msg.h"
#include "models/wire/tx.h"
#include "sim/workload/outages.h"
#include "sim/workload/trace.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

typedef void decode_one(const uint8_t *bytes, size_t size);

static void same(const uint8_t *bytes, size_t size, const uint8_t *again, size_t again_size)
{
    FUZZ_NEED(size == again_size && memcmp(bytes, again, size) == 0);
}

static void one_block(const uint8_t *bytes, size_t size)
{
    struct dc_block *b = dc_block_decode(bytes, size);
    if (b == NULL)
        return;
    struct dc_block_parts parts = {.header = b->header,
                                   .qc = b->qc,
                                   .tc = b->tc,
                                   .handover = b->handover,
                                   .tx_count = b->tx_count,
                                   .tx = b->tx};
    size_t again_size = dc_block_encoded_size(&parts);
    FUZZ_NEED(again_size == b->size && b->size <= size);
    uint8_t *again = dc_mem_need(again_size, 1, "a block");
    (void)dc_block_encode(&parts, again);
    same(bytes, b->size, again, again_size);
    dc_mem_free(again);
    dc_block_drop(b);
}

static void one_qc(const uint8_t *bytes, size_t size)
{
    struct dc_qc *qc = dc_qc_decode(bytes, size);
    if (qc != NULL)
        dc_qc_drop(qc);
}

static void one_tc(const uint8_t *bytes, size_t size)
{
    struct dc_tc *tc = dc_tc_decode(bytes, size);
    if (tc != NULL)
        dc_tc_drop(tc);
}

static void one_handover(const uint8_t *bytes, size_t size)
{
    struct dc_handover *h = dc_handover_decode(bytes, size);
    if (h == NULL)
        return;
    same(bytes, size, h->bytes, h->size);
    dc_handover_drop(h);
}

static void one_vote(const uint8_t *bytes, size_t size)
{
    struct dc_vote v;
    uint8_t again[DC_VOTE_MSG_BYTES];
    if (!dc_vote_decode(bytes, size, &v))
        return;
    dc_vote_encode(&v, again);
    same(bytes, size, again, sizeof again);
}

static void one_timeout(const uint8_t *bytes, size_t size)
{
    struct dc_timeout t;
    (void)dc_timeout_decode(bytes, size, &t);
}

static void one_sync(const uint8_t *bytes, size_t size)
{
    struct dc_sync_msg s;
    (void)dc_sync_decode(bytes, size, &s);
}

static void one_request(const uint8_t *bytes, size_t size)
{
    struct dc_block_request r;
    (void)dc_block_request_decode(bytes, size, &r);
}

static void one_tx(const uint8_t *bytes, size_t size)
{
    struct dc_tx tx;
    if (!dc_tx_decode(bytes, size, &tx))
        return;
    size_t head = dc_tx_signed(&tx) ? size - DC_SIGNATURE_BYTES : size;
    uint8_t *again = dc_mem_need(size, 1, "a transaction");
    same(bytes, head, again, dc_tx_encode_unsigned(&tx, again, size));
    dc_mem_free(again);
}

/* A root and a leaf, then the proof: with a hash that nobody inverts, it must be refused. */
static void one_sparse(const uint8_t *bytes, size_t size)
{
    struct dc_merkle m = dc_merkle(DC_DOMAIN_IMAGES);
    struct dc_smt_leaf leaf = {.value = dc_smt_one};
    struct dc_hash root;
    if (size < 64)
        return;
    memcpy(root.b, bytes, 32);
    memcpy(leaf.key, bytes + 32, 32);
    FUZZ_NEED(!dc_smt_check(&m, &root, &leaf, 1, bytes + 64, size - 64));
}

static void one_evidence(const uint8_t *bytes, size_t size)
{
    static const uint8_t key[32] = {1};
    struct dc_crypto crypto;
    struct dc_error error;
    uint64_t epoch, round;
    if (size == 0 || dc_crypto_open(&crypto, DC_SUITE_REAL, 0, 0, &error) != DC_OK)
        return;
    FUZZ_NEED(!dc_evidence_check(7, &crypto, key, bytes[0], bytes + 1, size - 1));
    (void)dc_evidence_when(bytes[0], bytes + 1, size - 1, &epoch, &round);
    dc_crypto_close(&crypto);
}

static void one_cert(const uint8_t *bytes, size_t size)
{
    struct dc_cert cert;
    (void)dc_cert_decode(bytes, size, &cert);
}

static void one_service(const uint8_t *bytes, size_t size)
{
    uint64_t a, b;
    uint32_t deal;
    uint8_t status, depth, again[DC_PUT_BYTES];
    const uint8_t *p, *q;
    struct dc_hash seed;
    struct dc_put_terms put;
    struct dc_report_terms report;
    struct dc_answer_msg answer;
    (void)dc_answer_decode(7, bytes, size, &answer);
    (void)dc_put_reply_decode(bytes, size, &a, &status, &p);
    (void)dc_get_reply_decode(bytes, size, &a, &status, &p, &q, &depth);
    (void)dc_receipt_reply_decode(bytes, size, &report, &p);
    struct dc_app_message app;
    if (dc_app_message_decode(bytes, size, &app))
        FUZZ_NEED(app.kind < DC_APP_KINDS && app.body + app.size == bytes + size);
    if (dc_challenge_decode(bytes, size, &a, &status))
        same(bytes, size, again, dc_challenge_encode(a, status, again));
    if (dc_put_decode(bytes, size, &a, &seed, &put))
        same(bytes, size, again, dc_put_encode(a, &seed, &put, again));
    if (dc_get_decode(bytes, size, &a, &deal, &b))
        same(bytes, size, again, dc_get_encode(a, deal, b, again));
    if (dc_receipt_decode(bytes, size, &report))
        same(bytes, size, again, dc_receipt_encode(&report, again));
}

static void one_trace(const uint8_t *bytes, size_t size)
{
    struct ds_trace trace;
    struct ds_trace_place place;
    struct dc_error error = {0};
    char *text = dc_mem_need(size + 1, 1, "a trace");
    memcpy(text, bytes, size);
    if (ds_trace_parse(text, size, &trace, &place, &error) == DC_OK)
        ds_trace_free(&trace);
    else
        FUZZ_NEED(error.text[0] != '\0');
    dc_mem_free(text);
}

static void one_epochs(const uint8_t *bytes, size_t size)
{
    uint64_t first;
    uint8_t again[DC_STATE_REQUEST_BYTES];
    struct dc_epoch_reply reply;
    struct dc_state_request request;
    struct dc_state_reply state;
    if (dc_epoch_request_decode(bytes, size, &first)) {
        dc_epoch_request_encode(first, again);
        same(bytes, size, again, DC_EPOCH_REQUEST_BYTES);
    }
    if (dc_state_request_decode(bytes, size, &request)) {
        dc_state_request_encode(&request, again);
        same(bytes, size, again, sizeof again);
    }
    if (dc_epoch_reply_decode(bytes, size, &reply)) {
        uint8_t *whole = dc_mem_need(size, 1, "a reply");
        FUZZ_NEED(dc_epoch_reply_size(&reply) == size);
        dc_epoch_reply_encode(&reply, whole);
        same(bytes, size, whole, size);
        dc_mem_free(whole);
    }
    if (dc_state_reply_decode(bytes, size, &state)) {
        uint8_t *whole = dc_mem_need(size, 1, "a reply");
        FUZZ_NEED(dc_state_reply_head_of(bytes, size) + state.block_size == size);
        dc_state_reply_encode(&state, whole);
        same(bytes, size, whole, size);
        dc_mem_free(whole);
    }
}

static void one_outages(const uint8_t *bytes, size_t size)
{
    struct ds_outages outages;
    struct ds_trace_place place;
    struct dc_error error = {0};
    char *text = dc_mem_need(size + 1, 1, "outages");
    memcpy(text, bytes, size);
    if (ds_outages_parse(text, size, &outages, &place, &error) == DC_OK)
        ds_outages_free(&outages);
    else
        FUZZ_NEED(error.text[0] != '\0');
    dc_mem_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static decode_one *const decoders[] = {one_block, one_qc,       one_tc,     one_handover,
                                           one_vote,  one_timeout,  one_sync,   one_request,
                                           one_tx,    one_evidence, one_cert,   one_service,
                                           one_trace, one_epochs,   one_outages};
    dc_crypto_init();
    if (size > 0 && data[0] == 255)
        one_sparse(data + 1, size - 1);
    else if (size > 0)
        decoders[data[0] % (sizeof decoders / sizeof decoders[0])](data + 1, size - 1);
    return 0;
}
