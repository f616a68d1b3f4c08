/* Hand-overs and states asked for, served and verified; the drawing is in statesync.h. */
#include "models/consensus/statesync.h"

#include <stdatomic.h>

#include "models/base/mem.h"
#include "models/consensus/certificate.h"
#include "models/ledger/epochs.h"

#define REPLY_BYTES_MAX ((size_t)1 << 20)
#define TRIES_MAX 24
#define STATE_PATIENCE 8 /* a state takes so much longer than a message, at least */

/* --- serving --------------------------------------------------------------------------------- */

/* The hand-overs H(first) ... that this node has, lowest first, as many as fit. */
static void send_epochs(const struct dc_follow *f, uint32_t to, uint64_t first,
                        struct dc_effects *out)
{
    const struct dc_epoch *have = f->epochs, *batch[DC_EPOCH_BATCH] = {NULL};
    if (have == NULL || have->epoch <= first)
        return;
    struct dc_epoch_reply reply = {.first = first, .more = have->epoch > first + DC_EPOCH_BATCH};
    for (; have != NULL && have->epoch > first; have = have->before)
        if (have->epoch <= first + DC_EPOCH_BATCH)
            batch[have->epoch - first - 1] = have;
    uint64_t held = f->epochs->epoch - first;
    size_t size = 0;
    for (uint32_t i = 0; i < DC_EPOCH_BATCH && i < held && batch[i] != NULL; i++) {
        size += 8 + (size_t)batch[i]->handover->size + batch[i]->committee_size;
        if (i != 0 && size > REPLY_BYTES_MAX) {
            reply.more = true;
            break;
        }
        reply.item[reply.count++] =
            (struct dc_epoch_item){batch[i]->handover->bytes, batch[i]->committee,
                                   batch[i]->handover->size, batch[i]->committee_size};
    }
    size_t whole = dc_epoch_reply_size(&reply);
    uint8_t *bytes = dc_effects_bytes(out, whole);
    dc_epoch_reply_encode(&reply, bytes);
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND);
    e->to = to;
    e->bytes = bytes;
    e->size = (uint32_t)whole;
}

void dc_statesync_offer(struct dc_follow *f, const struct dc_consensus_env *env, uint32_t to,
                        uint64_t height, struct dc_effects *out)
{
    send_epochs(f, to, dc_height_epoch(height, env->params->epoch_blocks), out);
}

static void send_state(const struct dc_follow *f, const struct dc_block *b,
                       const struct dc_state_summary *summary, uint32_t to, struct dc_effects *out)
{
    size_t block_size = b->size + DC_SIGNATURE_BYTES;
    bool vault = !dc_hash_is_zero(&summary->part[DC_STATE_PARTS - 1]);
    size_t size = dc_state_reply_head(vault) + block_size;
    uint8_t *block = dc_effects_bytes(out, block_size), *bytes = dc_effects_bytes(out, size);
    memcpy(block, b->bytes, b->size);
    memcpy(block + b->size, b->signature, DC_SIGNATURE_BYTES);
    struct dc_state_reply reply = {
        .state_bytes = summary->bytes, .block = block, .block_size = block_size};
    memcpy(reply.part, summary->part, sizeof reply.part);
    dc_state_reply_encode(&reply, bytes);
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND);
    e->to = to;
    e->bytes = bytes;
    e->size = (uint32_t)size;
    e->bulk = summary->bytes;
    e->object = b;
}

/* The state that was asked for; when it is gone, the hand-overs that came since. */
static void serve_state(struct dc_follow *f, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out)
{
    struct dc_state_request q;
    if (!dc_state_request_decode(in->payload->bytes, in->payload->size, &q)) {
        dc_follow_reject(f, in, DC_REJECT_FORM, out);
        return;
    }
    const struct dc_epoch *e = f->epochs;
    while (e != NULL && e->epoch > q.epoch)
        e = e->before;
    struct dc_block *b = e != NULL && dc_hash_equal(&e->handover->last, &q.last)
                             ? dc_store_find(env->store, &q.last)
                             : NULL;
    struct dc_state_summary summary;
    if (b != NULL && dc_store_summary(env->store, b, &summary))
        send_state(f, b, &summary, in->from, out);
    else
        send_epochs(f, in->from, q.epoch, out);
    dc_block_drop(b); /* held by the chain or, until it leaves, by nobody: collected at barriers */
}

/* --- asking ---------------------------------------------------------------------------------- */

void dc_statesync_free(struct dc_follow *f)
{
    if (f->sync == NULL)
        return;
    dc_mem_free(f->sync->own);
    dc_mem_free(f->sync);
    f->sync = NULL;
}

/* Sends the next question, and again later to somebody else. */
static void ask(struct dc_follow *f, const struct dc_consensus_env *env, int64_t now_ns,
                struct dc_effects *out)
{
    struct dc_statesync *s = f->sync;
    const struct dc_params *p = env->params;
    int64_t wait = 2 * p->delay_max_ns + 4 * p->delay_typical_ns + 1000000;
    if (s->state) {
        struct dc_state_request q = {.epoch = s->epoch, .last = s->newest->handover->last};
        uint8_t bytes[DC_STATE_REQUEST_BYTES];
        dc_state_request_encode(&q, bytes);
        dc_effect_send(out, s->peer, bytes, sizeof bytes);
        wait *= STATE_PATIENCE;
    } else {
        uint8_t bytes[DC_EPOCH_REQUEST_BYTES];
        dc_epoch_request_encode(s->epoch, bytes);
        dc_effect_send(out, s->peer, bytes, sizeof bytes);
    }
    s->due_ns = now_ns + (wait << (s->tries < 4 ? s->tries : 4));
    dc_effect_timer(out, s->due_ns, dc_consensus_timer_value(DC_TIMER_SYNC));
}

/* A member of the newest committee that is known, by turns; UINT32_MAX when there is none. */
static uint32_t peer_of(const struct dc_statesync *s, const struct dc_consensus_env *env)
{
    const struct dc_committee *c = s->committee;
    for (uint32_t i = 0; i < c->count && i < 2; i++) {
        uint32_t to = c->member[(env->self * 31 + (s->tries + i) * 7919u) % c->count];
        if (to != env->self)
            return to;
    }
    return UINT32_MAX;
}

/* From the epoch of the final height: its hand-over is in the chain. */
static struct dc_statesync *start(struct dc_follow *f, const struct dc_consensus_env *env)
{
    struct dc_statesync *s = dc_mem_need(1, sizeof *s, "catching up");
    s->epoch = dc_height_epoch(f->final->header.height, env->params->epoch_blocks);
    s->committee = s->epoch == f->epoch ? f->committee : f->before;
    s->newest = f->epochs;
    f->sync = s;
    return s;
}

void dc_statesync_begin(struct dc_follow *f, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out)
{
    if (f->sync != NULL)
        return;
    struct dc_statesync *s = start(f, env);
    s->peer = in->kind == DC_INPUT_MESSAGE ? in->from : peer_of(s, env);
    if (s->peer == UINT32_MAX)
        dc_statesync_free(f);
    else
        ask(f, env, in->now_ns, out);
}

void dc_statesync_timer(struct dc_follow *f, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out)
{
    struct dc_statesync *s = f->sync;
    if (s == NULL || in->now_ns < s->due_ns)
        return; /* done, or answered since: a later timer is set */
    s->tries++;
    s->peer = peer_of(s, env);
    if (s->tries > TRIES_MAX || s->peer == UINT32_MAX)
        dc_statesync_free(f); /* who hears of blocks ahead begins anew */
    else
        ask(f, env, in->now_ns, out);
}

/* --- what comes ------------------------------------------------------------------------------ */

/* H(e) with the committee of e + 1, under the committee of e. */
static bool take_epoch(struct dc_statesync *s, const struct dc_consensus_env *env,
                       const struct dc_epoch_item *item, struct dc_effects *out)
{
    struct dc_handover *h = dc_handover_decode(item->handover, item->handover_size);
    if (h == NULL)
        return false;
    out->charge[DC_COST_HASH] += item->committee_size / 128 + 1;
    struct dc_committee *next = NULL;
    bool ok = h->epoch == s->epoch && dc_handover_verify(env, h, s->committee, out) &&
              (next = dc_committee_decode(item->committee, item->committee_size)) != NULL &&
              next->epoch == s->epoch + 1 && dc_hash_equal(&next->root, &h->committee_root);
    if (ok) {
        s->newest = dc_epochs_add(dc_store_epochs(env->store), s->newest, h, next);
        dc_mem_free(s->own);
        s->committee = s->own = next;
        s->epoch++;
    } else {
        dc_mem_free(next);
    }
    dc_handover_drop(h);
    return ok;
}

static void on_epochs(struct dc_follow *f, const struct dc_consensus_env *env,
                      const struct dc_input *in, struct dc_effects *out)
{
    struct dc_epoch_reply reply;
    if (!dc_epoch_reply_decode(in->payload->bytes, in->payload->size, &reply)) {
        dc_follow_reject(f, in, DC_REJECT_FORM, out);
        return;
    }
    struct dc_statesync *s = f->sync;
    if (s == NULL) {
        s = start(f, env);
        s->peer = in->from;
    }
    if (reply.first != s->epoch || in->from != s->peer) {
        if (s->due_ns == 0)
            dc_statesync_free(f); /* not what this node could use */
        return;
    }
    for (uint32_t i = 0; i < reply.count; i++) {
        if (take_epoch(s, env, &reply.item[i], out))
            continue;
        dc_follow_reject(f, in, DC_REJECT_CERTIFICATE, out);
        if (s->due_ns == 0)
            dc_statesync_free(f);
        return; /* what held is kept, and somebody else is asked in time */
    }
    s->tries = 0;
    s->state = !reply.more;
    if (s->state && s->newest->handover->height <= f->final->header.height)
        dc_statesync_free(f);
    else
        ask(f, env, in->now_ns, out);
}

static void on_state(struct dc_follow *f, const struct dc_consensus_env *env,
                     const struct dc_input *in, struct dc_effects *out)
{
    struct dc_state_reply reply;
    struct dc_statesync *s = f->sync;
    if (!dc_state_reply_decode(in->payload->bytes, in->payload->size, &reply)) {
        dc_follow_reject(f, in, DC_REJECT_FORM, out);
        return;
    }
    if (s == NULL || !s->state)
        return;
    const struct dc_epoch *newest = s->newest;
    struct dc_hash root = dc_state_parts_root(reply.part);
    struct dc_block *b = dc_follow_decode(env, in->payload);
    out->charge[DC_COST_HASH] += (uint32_t)((b != NULL ? b->size : 0) / 128 + 2);
    if (b == NULL || !dc_hash_equal(&b->id, &newest->handover->last) ||
        !dc_hash_equal(&b->header.state_root, &root)) {
        dc_follow_reject(f, in, b == NULL ? DC_REJECT_FORM : DC_REJECT_CERTIFICATE, out);
        return;
    }
    if (memcmp(b->signature, reply.block + b->size, DC_SIGNATURE_BYTES) != 0) {
        dc_follow_reject(f, in, DC_REJECT_SIGNATURE,
                         out); /* its other bytes are the certified ones */
        return;
    }
    if (atomic_load(&b->executed) != 1 || !dc_store_stands(env->store, b))
        return; /* the bytes came, and the process has the state no more: ask again */
    uint64_t hashes = reply.state_bytes / 128 + 1;
    out->charge[DC_COST_HASH] += hashes > UINT32_MAX / 2 ? UINT32_MAX / 2 : (uint32_t)hashes;
    dc_statesync_free(f);
    if (newest->handover->height <= f->final->header.height)
        return; /* this node got there by itself meanwhile */
    dc_follow_adopt(f, env, in, b, newest, out);
    dc_follow_ask(f, in->from, DC_REQUEST_BLOCKS | DC_REQUEST_CERTIFICATES, out);
}

bool dc_statesync_message(struct dc_follow *f, const struct dc_consensus_env *env,
                          const struct dc_input *in, struct dc_effects *out)
{
    uint64_t first;
    switch (in->payload->kind) {
    case DC_MSG_EPOCH_REQUEST:
        if (dc_epoch_request_decode(in->payload->bytes, in->payload->size, &first))
            send_epochs(f, in->from, first, out);
        else
            dc_follow_reject(f, in, DC_REJECT_FORM, out);
        return true;
    case DC_MSG_EPOCH_REPLY: on_epochs(f, env, in, out); return true;
    case DC_MSG_STATE_REQUEST: serve_state(f, env, in, out); return true;
    case DC_MSG_STATE_REPLY: on_state(f, env, in, out); return true;
    default: return false;
    }
}
