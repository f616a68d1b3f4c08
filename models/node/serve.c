/* The storage service: put, get, receipts, and answers to challenges.
 *
 * A challenge names the height whose block drew it; nonce, difficulty and root follow from the
 * node's own chain.  Where that block is not here yet the question waits for it. */
#include "models/base/mem.h"
#include "models/node/node.h"
#include "models/wire/service_msg.h"

/* A demand that stands unanswered is answered again after so many heights: the first answer was
 * lost, or deals changed while it was under way. */
#define DEMAND_RETRY_HEIGHTS 8

/* An object that was accepted waits so many heights for its deal to be final, and no more than so
 * many wait at once. */
#define UNPLACED_HEIGHTS 32
#define UNPLACED_MAX 64

/* An answer is kept for so many heights, for the other verifiers of the same challenge. */
#define ANSWER_HEIGHTS 3

static uint32_t serve_unplaced(const struct dc_storage *s)
{
    uint32_t n = 0;
    while (n < s->held_count && s->held[s->held_count - 1 - n].deal == DC_DEAL_NONE)
        n++;
    return n;
}

/* Drops the objects whose deals never came. */
static void serve_forget_unplaced(struct dc_storage *s, uint64_t height)
{
    uint32_t first = s->held_count - serve_unplaced(s), kept = first;
    for (uint32_t i = first; i < s->held_count; i++)
        if (s->held[i].since + UNPLACED_HEIGHTS >= height)
            s->held[kept++] = s->held[i];
    s->writes += kept != s->held_count;
    s->held_count = kept;
}

static void serve_put(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    struct dc_storage *s = &node->service->storage;
    uint64_t request;
    struct dc_hash seed;
    struct dc_put_terms t;
    if (!dc_put_decode(in->payload->bytes, in->payload->size, &request, &seed, &t)) {
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_PUT, 0);
        return;
    }
    uint8_t bytes[DC_PUT_REPLY_BYTES], signature[64];
    struct dc_content content;
    dc_content_init(&content, &seed);
    uint64_t chunks = dc_chunks_of(t.size_bytes);
    struct dc_hash root = dc_content_root(&content, chunks);
    out->charge[DC_COST_HASH] += (uint32_t)(chunks < 4096 ? chunks : 4096) * 32;
    const struct dc_account *own = dc_state_account(node->chain->final->state, node->id);
    bool room = own != NULL && own->used_chunks + chunks <= s->chunks;
    /* A disk that lacks data lacks it for new objects too: its owner declines what it cannot hold. */
    bool have =
        (s->disk.missing < DC_ONE || s->disk.filler_only) && serve_unplaced(s) < UNPLACED_MAX;
    if (t.node != node->id || chunks == 0 || !room || !have || !dc_hash_equal(&root, &t.root)) {
        dc_effect_send(out, in->from, bytes,
                       dc_put_reply_encode(request, DC_REPLY_REFUSED, NULL, bytes));
        return;
    }
    /* Kept now; the chain says in which chunks when the deal is final (dc_serve_commit). */
    struct dc_held held = {.deal = DC_DEAL_NONE,
                           .offset_chunk = UINT64_MAX,
                           .chunks = chunks,
                           .content = content,
                           .root = root,
                           .since = node->chain->final->header.height};
    dc_storage_hold(s, &held);
    struct dc_hash digest = dc_deal_digest(node->env.chain, in->from, &t);
    dc_sign(node->env.crypto, &node->key, digest.b, sizeof digest.b, signature);
    out->charge[DC_COST_SIGN]++;
    dc_effect_send(out, in->from, bytes,
                   dc_put_reply_encode(request, DC_REPLY_OK, signature, bytes));
}

static void serve_get(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    struct dc_storage *s = &node->service->storage;
    uint64_t request, chunk;
    uint32_t deal;
    if (!dc_get_decode(in->payload->bytes, in->payload->size, &request, &deal, &chunk)) {
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_GET, 0);
        return;
    }
    const struct dc_held *held = NULL;
    for (uint32_t i = 0; i < s->held_count && held == NULL; i++)
        if (s->held[i].deal == deal)
            held = &s->held[i];
    uint8_t bytes[11 + 4096 + 32 * 64];
    if (held == NULL || chunk >= held->chunks ||
        !dc_disk_shows(&s->disk, held->offset_chunk + chunk, true)) {
        dc_effect_send(out, in->from, bytes,
                       dc_get_reply_encode(request, DC_REPLY_MISSING, NULL, NULL, 0, bytes));
        return;
    }
    uint8_t data[DC_CHUNK_BYTES];
    struct dc_hash path[64];
    dc_content_chunk(&held->content, chunk, data);
    dc_content_path(&held->content, held->chunks, chunk, path);
    out->charge[DC_COST_CHUNK]++;
    uint8_t depth = (uint8_t)dc_content_depth(held->chunks);
    dc_effect_send(out, in->from, bytes,
                   dc_get_reply_encode(request, DC_REPLY_OK, data, path, depth, bytes));
}

static void serve_receipt(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    struct dc_report_terms t;
    if (!dc_receipt_decode(in->payload->bytes, in->payload->size, &t) || t.client != in->from ||
        t.node != node->id) {
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_RECEIPT, 0);
        return;
    }
    uint8_t bytes[DC_RECEIPT_REPLY_BYTES], signature[64];
    struct dc_hash digest = dc_report_digest(node->env.chain, &t);
    dc_sign(node->env.crypto, &node->key, digest.b, sizeof digest.b, signature);
    out->charge[DC_COST_SIGN]++;
    dc_effect_send(out, in->from, bytes, dc_receipt_reply_encode(&t, signature, bytes));
}

/* --- answers -------------------------------------------------------------------------------- */

void dc_serve_forget_answer(struct dc_service_state *service)
{
    dc_mem_free(service->answer);
    service->answer = NULL;
    service->answer_size = 0;
}

/* Proofs for the challenge in block `at`, as one signed answer; false when the disk lacks a chunk. */
static bool serve_prove(struct dc_node *node, const struct dc_challenge *c,
                        const struct dc_block *f, struct dc_effects *out)
{
    struct dc_service_state *service = node->service;
    const struct dc_state *state = f->state;
    uint64_t sample[256];
    uint32_t proved;
    size_t storage_max = dc_storage_proof_max(&service->storage, c->k), sync_max = 8192;
    uint8_t *scratch = dc_mem_need(1, storage_max + sync_max, "an answer's proofs");
    uint32_t k = service->storage.chunks != 0 ? c->k : 0; /* a validator declares no chunks */
    if (k != 0)
        dc_posync_samples(&c->nonce, service->storage.chunks, k, sample);
    out->charge[DC_COST_CHUNK] += k;
    size_t storage = dc_storage_prove_at(&service->storage, state, node->id, sample, k, scratch,
                                         storage_max, &proved);
    size_t sync = dc_state_prove(state, dc_state_sync_account(state, &c->nonce),
                                 scratch + storage_max, sync_max);
    bool ok = (storage != 0 || k == 0) && sync != 0;
    if (ok) {
        struct dc_answer_msg m = {.height = c->height,
                                  .asking = c->asking,
                                  .node = node->id,
                                  .sync = scratch + storage_max,
                                  .sync_size = (uint32_t)sync,
                                  .storage = scratch,
                                  .storage_size = (uint32_t)storage};
        dc_serve_forget_answer(service);
        service->answer = dc_mem_need(1, DC_ANSWER_HEAD_BYTES + storage + sync, "an answer");
        struct dc_hash digest;
        size_t size = dc_answer_encode(node->env.chain, &m, service->answer, &digest);
        dc_sign(node->env.crypto, &node->key, digest.b, sizeof digest.b, service->answer + size);
        out->charge[DC_COST_SIGN]++;
        out->charge[DC_COST_HASH] += (uint32_t)(size / 128);
        service->answer_size = (uint32_t)size + 64;
        service->answer_height = c->height;
    }
    dc_effect_note(out, DC_NOTE_ANSWERED, c->k, ok);
    dc_mem_free(scratch);
    return ok;
}

void dc_serve_challenge(struct dc_node *node, uint32_t verifier, uint64_t height, uint8_t asking,
                        struct dc_effects *out)
{
    struct dc_service_state *service = node->service;
    if (service == NULL)
        return;
    const struct dc_block *at = dc_node_block_at(node, height);
    if (at == NULL) {
        if (service->pendings < DC_PENDING_MAX) {
            service->pending[service->pendings].height = height;
            service->pending[service->pendings].verifier = verifier;
            service->pending[service->pendings++].asking = asking;
        }
        return;
    }
    const struct dc_account *own = dc_state_account(at->state, node->id);
    const struct dc_challenge *c = own != NULL ? &own->posync.challenge : NULL;
    bool drawn = false;
    for (uint32_t i = 0; c != NULL && i < c->verifiers; i++)
        drawn = drawn || c->verifier[i] == verifier;
    if (!drawn || c->height != height || c->asking != asking)
        return;
    if (service->answer == NULL || service->answer_height != height) {
        const struct dc_block *f = dc_node_block_at(node, c->f_height);
        if (f == NULL || !serve_prove(node, c, f, out))
            return;
    }
    dc_effect_send(out, verifier, service->answer, service->answer_size);
}

/* A demand on chain: the proof goes there, if there is one. */
static void serve_demand(struct dc_node *node, const struct dc_block *block, struct dc_effects *out)
{
    struct dc_service_state *service = node->service;
    const struct dc_account *own = dc_state_account(block->state, node->id);
    uint64_t sample[256];
    uint32_t proved;
    uint8_t k = own->demand.k;
    if (service->storage.chunks == 0)
        return; /* nothing was declared, nothing can be demanded */
    dc_posync_samples(&own->demand.nonce, service->storage.chunks, k, sample);
    size_t size_max = dc_storage_proof_max(&service->storage, k);
    uint8_t *proof = dc_mem_need(1, size_max, "a demand's proof");
    size_t size = dc_storage_prove_at(&service->storage, block->state, node->id, sample, k, proof,
                                      size_max, &proved);
    out->charge[DC_COST_CHUNK] += k;
    if (size != 0) {
        struct dc_tx tx = {.kind = DC_TX_ANSWER, .from = node->id};
        tx.answer.height = own->demand.height;
        tx.answer.proof = proof;
        tx.answer.proof_size = (uint32_t)size;
        dc_node_submit_tx(node, &tx, out);
    }
    dc_mem_free(proof);
}

/* Deals of this node that became final: the chain says where their chunks lie. */
static void serve_place(struct dc_node *node, const struct dc_state *state,
                        const struct dc_account *own)
{
    struct dc_storage *s = &node->service->storage;
    for (uint32_t id = own->deal_last; id != DC_DEAL_NONE;) {
        const struct dc_deal *d = dc_state_deal(state, id);
        bool known = false;
        for (uint32_t i = 0; i < s->held_count && !known; i++)
            known = s->held[i].deal == id;
        if (known)
            break; /* older ones are known too */
        for (uint32_t i = 0; i < s->held_count; i++) {
            struct dc_held h = s->held[i];
            if (h.deal != DC_DEAL_NONE || !dc_hash_equal(&h.root, &d->root))
                continue;
            memmove(&s->held[i], &s->held[i + 1], (s->held_count - i - 1) * sizeof h);
            s->held_count--;
            s->writes++;
            h.deal = id;
            h.offset_chunk = d->offset_chunk;
            dc_storage_hold(s, &h);
            break;
        }
        id = d->prev;
    }
}

void dc_serve_commit(struct dc_node *node, const struct dc_block *block, const struct dc_input *in,
                     struct dc_effects *out)
{
    struct dc_service_state *service = node->service;
    const struct dc_outcome *o = block->outcome;
    for (uint32_t i = 0; o != NULL && i < o->demand_count; i++)
        service->demanded = service->demanded || o->demand[i] == node->id;
    bool unplaced = serve_unplaced(&service->storage) != 0;
    const struct dc_account *own =
        unplaced || service->demanded ? dc_state_account(block->state, node->id) : NULL;
    if (unplaced) {
        serve_place(node, block->state, own);
        serve_forget_unplaced(&service->storage, block->header.height);
    }
    uint32_t waiting = service->pendings;
    service->pendings = 0;
    for (uint32_t i = 0; i < waiting; i++) {
        uint64_t height = service->pending[i].height;
        if (height + 16 > block->header.height)
            dc_serve_challenge(node, service->pending[i].verifier, height,
                               service->pending[i].asking, out);
    }
    if (service->demanded) {
        uint64_t opened = own->demand.height;
        service->demanded = opened != 0;
        if (opened != 0 && (block->header.height - opened) % DEMAND_RETRY_HEIGHTS == 0)
            serve_demand(node, block, out);
    }
    if (service->answer != NULL && service->answer_height + ANSWER_HEIGHTS < block->header.height)
        dc_serve_forget_answer(service);
    (void)in;
}

void dc_serve_message(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    uint64_t height;
    uint8_t asking;
    switch (in->payload->kind) {
    case DC_MSG_CHALLENGE:
        if (dc_challenge_decode(in->payload->bytes, in->payload->size, &height, &asking))
            dc_serve_challenge(node, in->from, height, asking, out);
        else
            dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_CHALLENGE, 0);
        break;
    case DC_MSG_PUT: serve_put(node, in, out); break;
    case DC_MSG_GET: serve_get(node, in, out); break;
    case DC_MSG_RECEIPT: serve_receipt(node, in, out); break;
    default: break;
    }
}
