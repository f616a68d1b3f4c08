#include "models/client/client.h"

#include "models/base/rng.h"
#include "models/service/storage.h"
#include "models/wire/tx.h"

/* Free space, covered by the bond, of a storage node that may take deals; 0 for any other account. */
static uint64_t client_free_bytes(const struct dc_params *p, const struct dc_account *a)
{
    if (a->capacity_bytes == 0 || a->posync.ejected || a->revoked)
        return 0;
    uint64_t covered = dc_state_capacity(p, a), used = a->used_chunks * DC_CHUNK_BYTES;
    return covered > used ? covered - used : 0;
}

/* Weighted rendezvous hashing (Schindelhauer and Schomaker 2005): the rank of a node of weight w
 * at the uniform draw u is -log(u) / w, the smallest first; log2 in 2^-16 and cross-multiplication
 * keep it in integers.  It runs over the candidates that the object's key draws, not over all
 * nodes, so that a placement costs the same in any network. */
uint32_t dc_client_place(const struct dc_state *state, uint64_t object_key, uint64_t size_bytes,
                         uint32_t rank)
{
    const struct dc_meta *meta = dc_state_meta(state);
    struct {
        uint64_t cost, weight;
        uint32_t id;
    } best[8];
    /* All eight, whatever the rank: two ranks of one object are never the same node. */
    uint32_t kept = 0, wanted = 8, found = 0;
    for (uint32_t draw = 0; draw < 4 * DC_PLACE_CANDIDATES && found < DC_PLACE_CANDIDATES; draw++) {
        uint64_t u = dc_mix64(object_key ^ dc_mix64(draw));
        uint32_t id = (uint32_t)((unsigned __int128)u * meta->accounts >> 64);
        const struct dc_account *a = dc_state_account(state, id);
        uint64_t free_bytes = client_free_bytes(dc_state_params(state), a);
        bool again = false;
        for (uint32_t i = 0; i < kept; i++)
            again = again || best[i].id == id;
        if (again || free_bytes < size_bytes || free_bytes == 0)
            continue;
        found++;
        uint64_t weight = ((free_bytes >> 20) + 1) * (a->posync.score >> 15) + 1;
        uint64_t own = dc_mix64(object_key + dc_mix64(id));
        uint64_t cost = ((uint64_t)64 << 16) - dc_log2_q16(own | 1);
        uint32_t i = kept < wanted ? kept++ : wanted;
        while (i > 0 && (unsigned __int128)cost * best[i - 1].weight <
                            (unsigned __int128)best[i - 1].cost * weight) {
            if (i < wanted)
                best[i] = best[i - 1];
            i--;
        }
        if (i < wanted) {
            best[i].cost = cost;
            best[i].weight = weight;
            best[i].id = id;
        }
    }
    return kept > rank ? best[rank].id : UINT32_MAX;
}

static struct dc_client_report *client_report(struct dc_client_reports *open, uint32_t node)
{
    for (uint32_t i = 0; i < open->count; i++)
        if (open->node[i].node == node)
            return &open->node[i];
    if (open->count == DC_CLIENT_REPORTS_MAX)
        return NULL;
    struct dc_client_report *r = &open->node[open->count++];
    *r = (struct dc_client_report){.node = node};
    return r;
}

static void client_close(struct dc_client *c, const struct dc_client_env *env,
                         struct dc_client_request *q, bool ok, int64_t now_ns,
                         struct dc_effects *out)
{
    struct dc_client_report *r = q->put ? NULL : client_report(&c->open, q->node);
    if (r != NULL) {
        r->sent++;
        r->ok += ok;
        r->timely += ok && now_ns - q->sent_ns <= env->config->timeout_ns / 2;
        r->paid += ok ? env->config->price_get : 0;
    }
    dc_effect_note(out, q->put ? DC_NOTE_PUT : DC_NOTE_GET, (uint64_t)(now_ns - q->first_ns), ok);
    q->id = 0;
}

static void client_send(struct dc_client *c, const struct dc_client_env *env,
                        struct dc_client_request *q, int64_t now_ns, struct dc_effects *out)
{
    const struct dc_client_config *f = env->config;
    uint8_t bytes[DC_PUT_BYTES];
    q->sent_ns = now_ns;
    if (q->put) {
        struct dc_hash seed = dc_object_seed(f->key->public, q->object);
        struct dc_put_terms t = {q->nonce, q->size_bytes,  q->price,
                                 q->node,  f->deal_epochs, q->root};
        size_t size = dc_put_encode(q->id, &seed, &t, bytes);
        dc_effect_send(out, q->node, bytes, size);
        out->list[out->count - 1].bulk = q->size_bytes;
    } else {
        size_t size = dc_get_encode(q->id, q->deal, q->chunk, bytes);
        dc_effect_send(out, q->node, bytes, size);
    }
    dc_effect_timer(out, now_ns + f->timeout_ns, q->id);
    (void)c;
}

/* Those of deals that no node countersigned are left out; the ledger takes nonces out of order. */
uint64_t dc_client_nonce(struct dc_client *c, const struct dc_client_env *env)
{
    const struct dc_account *own = dc_state_account(env->state, env->config->id);
    if (c->nonce_next < own->nonce)
        c->nonce_next = own->nonce;
    return c->nonce_next++;
}

static bool client_prepare_put(struct dc_client *c, const struct dc_client_env *env,
                               struct dc_client_request *q, const struct dc_call *call,
                               uint32_t rank)
{
    const struct dc_params *p = env->config->params;
    q->put = true;
    q->size_bytes = call->size_bytes;
    uint64_t key = dc_mix64(call->object ^ dc_mix64(env->config->id));
    q->node = dc_client_place(env->state, key, call->size_bytes, rank);
    if (q->node == UINT32_MAX)
        return false;
    q->nonce = dc_client_nonce(c, env);
    q->price = dc_muldiv(p->price_gib_epoch, call->size_bytes, (uint64_t)1 << 30);
    return true;
}

static bool client_prepare_get(const struct dc_client_env *env, struct dc_client_request *q,
                               const struct dc_call *call)
{
    uint32_t deals = dc_state_meta(env->state)->deals;
    if (deals == 0)
        return false;
    q->deal = (uint32_t)(call->object % deals);
    const struct dc_deal *d = dc_state_deal(env->state, q->deal);
    q->node = d->node;
    uint64_t chunks = dc_chunks_of(d->size_bytes);
    q->chunk = (uint64_t)((unsigned __int128)dc_mix64(q->id ^ call->object) * chunks >> 64);
    return chunks != 0 && d->end_epoch > dc_state_meta(env->state)->epoch;
}

/* One request to one holder: of rank `rank` for a put. */
static void client_begin(struct dc_client *c, const struct dc_client_env *env,
                         const struct dc_input *in, uint32_t rank, const struct dc_hash *root,
                         struct dc_effects *out)
{
    struct dc_client_request *q = NULL;
    for (uint32_t i = 0; i < DC_CLIENT_REQUESTS_MAX && q == NULL; i++)
        if (c->request[i].id == 0)
            q = &c->request[i];
    if (q == NULL) {
        dc_effect_note(out, in->call->kind == DC_CALL_PUT ? DC_NOTE_PUT : DC_NOTE_GET, 0, 0);
        return;
    }
    *q = (struct dc_client_request){
        .id = ++c->request_next, .object = in->call->object, .first_ns = in->now_ns, .root = *root};
    bool ready = in->call->kind == DC_CALL_PUT ? client_prepare_put(c, env, q, in->call, rank)
                                               : client_prepare_get(env, q, in->call);
    if (ready) {
        client_send(c, env, q, in->now_ns, out);
        return;
    }
    q->id = 0; /* nowhere to put it, or its deal has ended */
    dc_effect_note(out, in->call->kind == DC_CALL_PUT ? DC_NOTE_PUT : DC_NOTE_GET, 0, 0);
}

static void client_submit(const struct dc_client_env *env, const struct dc_tx *tx,
                          struct dc_effects *out)
{
    const struct dc_client_config *f = env->config;
    uint8_t bytes[512];
    size_t size = dc_tx_sign(f->crypto, f->chain, f->key, tx, bytes, sizeof bytes);
    DC_CHECK(size != 0);
    out->charge[DC_COST_SIGN]++;
    env->submit(env->submit_ctx, bytes, size, out);
}

/* Pays for so many bytes of one of its deals from now on; nothing when it does so already, or may
 * not. */
static void client_meter(struct dc_client *c, const struct dc_client_env *env,
                         const struct dc_call *call, struct dc_effects *out)
{
    const struct dc_meta *meta = dc_state_meta(env->state);
    const struct dc_deal *d =
        call->object < meta->deals ? dc_state_deal(env->state, (uint32_t)call->object) : NULL;
    if (d == NULL || d->client != env->config->id || d->end_epoch <= meta->epoch ||
        call->size_bytes > d->size_bytes || call->size_bytes == d->paid_bytes)
        return;
    struct dc_tx tx = {.kind = DC_TX_METER, .from = env->config->id};
    tx.meter.nonce = dc_client_nonce(c, env);
    tx.meter.deal = (uint32_t)call->object;
    tx.meter.paid_bytes = call->size_bytes;
    client_submit(env, &tx, out);
}

void dc_client_call(struct dc_client *c, const struct dc_client_env *env, const struct dc_input *in,
                    struct dc_effects *out)
{
    if (in->call->kind == DC_CALL_METER) {
        client_meter(c, env, in->call, out);
        return;
    }
    uint32_t copies =
        in->call->kind == DC_CALL_PUT && env->config->replicas > 1 ? env->config->replicas : 1;
    struct dc_hash root = {{0}};
    if (in->call->kind == DC_CALL_PUT) {
        struct dc_hash seed = dc_object_seed(env->config->key->public, in->call->object);
        struct dc_content content;
        dc_content_init(&content, &seed);
        root = dc_content_root(&content, dc_chunks_of(in->call->size_bytes));
        out->charge[DC_COST_CHUNK] += DC_CONTENT_PERIOD;
    }
    for (uint32_t rank = 0; rank < copies && rank < 8; rank++)
        client_begin(c, env, in, rank, &root, out);
}

static struct dc_client_request *client_find(struct dc_client *c, uint64_t id)
{
    for (uint32_t i = 0; i < DC_CLIENT_REQUESTS_MAX; i++)
        if (id != 0 && c->request[i].id == id)
            return &c->request[i];
    return NULL;
}

/* The node took the object and countersigned: the deal goes on chain. */
static void client_put_done(struct dc_client *c, const struct dc_client_env *env,
                            struct dc_client_request *q, const uint8_t *signature, int64_t now_ns,
                            struct dc_effects *out)
{
    const struct dc_client_config *f = env->config;
    struct dc_tx tx = {.kind = DC_TX_DEAL, .from = f->id};
    tx.deal.nonce = q->nonce;
    tx.deal.size_bytes = q->size_bytes;
    tx.deal.price = q->price;
    tx.deal.node = q->node;
    tx.deal.epochs = f->deal_epochs;
    tx.deal.root = q->root;
    tx.deal.node_signature = signature;
    client_submit(env, &tx, out);
    client_close(c, env, q, true, now_ns, out);
}

static void client_on_put_reply(struct dc_client *c, const struct dc_client_env *env,
                                const struct dc_input *in, struct dc_effects *out)
{
    uint64_t id;
    uint8_t status;
    const uint8_t *signature;
    if (!dc_put_reply_decode(in->payload->bytes, in->payload->size, &id, &status, &signature)) {
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_PUT_REPLY, 0);
        return;
    }
    struct dc_client_request *q = client_find(c, id);
    if (q == NULL || !q->put || q->node != in->from)
        return;
    struct dc_put_terms t = {q->nonce, q->size_bytes, q->price, q->node, env->config->deal_epochs,
                             q->root};
    struct dc_hash digest = dc_deal_digest(env->config->chain, env->config->id, &t);
    const struct dc_account *node = dc_state_account(env->state, q->node);
    out->charge[DC_COST_VERIFY]++;
    bool ok = status == DC_REPLY_OK &&
              dc_verify(env->config->crypto, node->sign_key, digest.b, sizeof digest.b, signature);
    if (ok)
        client_put_done(c, env, q, signature, in->now_ns, out);
    else
        client_close(c, env, q, false, in->now_ns, out);
}

static void client_on_get_reply(struct dc_client *c, const struct dc_client_env *env,
                                const struct dc_input *in, struct dc_effects *out)
{
    uint64_t id;
    uint8_t status, depth;
    const uint8_t *chunk, *path;
    if (!dc_get_reply_decode(in->payload->bytes, in->payload->size, &id, &status, &chunk, &path,
                             &depth)) {
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_GET_REPLY, 0);
        return;
    }
    struct dc_client_request *q = client_find(c, id);
    if (q == NULL || q->put || q->node != in->from)
        return;
    const struct dc_deal *d = dc_state_deal(env->state, q->deal);
    uint64_t chunks = dc_chunks_of(d->size_bytes);
    bool ok = status == DC_REPLY_OK && depth == dc_content_depth(chunks) &&
              dc_content_check(&d->root, chunks, q->chunk, chunk, path);
    out->charge[DC_COST_HASH] += DC_CHUNK_BYTES / 128 + depth;
    client_close(c, env, q, ok, in->now_ns, out);
}

/* Whether these are the terms that this client sent and nobody has countersigned yet; if so they are
 * not waited for any more.  A node that signs other numbers signs for nothing. */
static bool client_reported(struct dc_client *c, const struct dc_report_terms *t)
{
    struct dc_client_reports *closed = &c->closed;
    for (uint32_t i = 0; c->closed_sent && i < closed->count; i++) {
        const struct dc_client_report *r = &closed->node[i];
        if (r->node != t->node || r->paid != t->paid || r->sent != t->sent || r->ok != t->ok ||
            r->timely != t->timely || closed->epoch != t->epoch)
            continue;
        closed->node[i] = closed->node[--closed->count];
        return true;
    }
    return false;
}

static void client_on_receipt_reply(struct dc_client *c, const struct dc_client_env *env,
                                    const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_client_config *f = env->config;
    struct dc_report_terms t;
    const uint8_t *signature;
    if (!dc_receipt_reply_decode(in->payload->bytes, in->payload->size, &t, &signature) ||
        t.client != f->id || t.node != in->from || !client_reported(c, &t)) {
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_RECEIPT_REPLY, 0);
        return;
    }
    struct dc_tx tx = {.kind = DC_TX_RECEIPT, .from = f->id};
    tx.receipt.epoch = t.epoch;
    tx.receipt.paid = t.paid;
    tx.receipt.node = t.node;
    tx.receipt.sent = t.sent;
    tx.receipt.ok = t.ok;
    tx.receipt.timely = t.timely;
    tx.receipt.node_signature = signature;
    client_submit(env, &tx, out);
}

void dc_client_message(struct dc_client *c, const struct dc_client_env *env,
                       const struct dc_input *in, struct dc_effects *out)
{
    if (in->payload->kind == DC_MSG_PUT_REPLY)
        client_on_put_reply(c, env, in, out);
    else if (in->payload->kind == DC_MSG_GET_REPLY)
        client_on_get_reply(c, env, in, out);
    else
        client_on_receipt_reply(c, env, in, out);
}

void dc_client_timer(struct dc_client *c, const struct dc_client_env *env,
                     const struct dc_input *in, struct dc_effects *out)
{
    struct dc_client_request *q = client_find(c, in->timer);
    if (q == NULL || in->now_ns - q->sent_ns < env->config->timeout_ns)
        return; /* answered, or a later try is under way */
    if (q->tries >= env->config->retries || q->put) {
        client_close(c, env, q, false, in->now_ns, out);
        return;
    }
    q->tries++;
    client_send(c, env, q, in->now_ns, out);
}

void dc_client_commit(struct dc_client *c, const struct dc_client_env *env, int64_t now_ns,
                      struct dc_effects *out)
{
    const struct dc_meta *meta = dc_state_meta(env->state);
    uint32_t blocks = env->config->params->epoch_blocks, spread = blocks * 2 / 3;
    if (meta->epoch != c->open.epoch) {
        c->closed = c->open;
        c->closed_sent = false;
        c->open.epoch = meta->epoch;
        c->open.count = 0;
    }
    uint64_t first = meta->epoch * blocks + 1;
    if (c->closed_sent || meta->height < first + env->config->id % (spread != 0 ? spread : 1))
        return;
    for (uint32_t i = 0; i < c->closed.count; i++) {
        const struct dc_client_report *r = &c->closed.node[i];
        struct dc_report_terms t = {c->closed.epoch, r->paid, env->config->id, r->node,
                                    r->sent,         r->ok,   r->timely};
        uint8_t bytes[DC_RECEIPT_BYTES];
        size_t size = dc_receipt_encode(&t, bytes);
        dc_effect_send(out, r->node, bytes, size);
    }
    c->closed_sent = true;
    (void)now_ns;
}
