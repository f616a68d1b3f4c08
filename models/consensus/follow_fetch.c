/* Asking for blocks and serving them; what a follower does with a message; leaders to come.
 *
 * One request is open at a time: for the chain that ends in `want`, lowest first from the asker's
 * final height, at most DC_FOLLOW_BATCH blocks an answer, so that each block that comes can be
 * checked, executed and committed at once and nothing waits in memory.  An answer says whether the
 * chain goes on, and then the next request follows at once; a timer asks again, of others. */
#include "models/consensus/follow.h"

#include "models/consensus/certificate.h"
#include "models/consensus/statesync.h"

#define REPLY_BYTES_MAX ((size_t)4 << 20)
#define TRIES_MAX 24

/* --- asking ---------------------------------------------------------------------------------- */

static int64_t retry_ns(const struct dc_consensus_env *env)
{
    return 2 * env->params->delay_max_ns + 4 * env->params->delay_typical_ns + 1000000;
}

static void send_request(const struct dc_hash *tip, uint64_t height, uint8_t flags, uint32_t to,
                         struct dc_effects *out)
{
    struct dc_block_request q = {.tip = *tip, .height = height, .flags = flags};
    uint8_t bytes[DC_BLOCK_REQUEST_BYTES];
    dc_block_request_encode(&q, bytes);
    dc_effect_send(out, to, bytes, sizeof bytes);
}

void dc_follow_ask(struct dc_follow *f, uint32_t to, uint8_t flags, struct dc_effects *out)
{
    static const struct dc_hash own_tip;
    send_request(&own_tip, f->final->header.height, flags, to, out);
}

static void arm(struct dc_follow *f, struct dc_effects *out)
{
    if (f->timer_set)
        return;
    f->timer_set = true;
    dc_effect_timer(out, f->want_due_ns, dc_consensus_timer_value(DC_TIMER_REQUEST));
}

/* Whom to ask this time: the one who spoke of the block, or by turns a member of the committee. */
static uint32_t whom(const struct dc_follow *f, const struct dc_consensus_env *env)
{
    const struct dc_committee *c = f->committee;
    uint32_t to = f->want_from;
    if (c->count != 0 && (f->want_tries % 2 == 1 || to == env->self))
        to = c->member[(env->self * 31 + f->want_tries * 7919u) % c->count];
    return to;
}

static void request_now(struct dc_follow *f, const struct dc_consensus_env *env, int64_t now_ns,
                        struct dc_effects *out)
{
    uint32_t to = whom(f, env);
    if (to != env->self)
        send_request(&f->want, f->final->header.height, DC_REQUEST_BLOCKS, to, out);
    f->want_tries++;
    f->want_due_ns = now_ns + retry_ns(env);
    arm(f, out);
}

void dc_follow_want(struct dc_follow *f, const struct dc_consensus_env *env,
                    const struct dc_input *in, const struct dc_hash *tip, uint64_t height,
                    bool sure, struct dc_effects *out)
{
    bool open = f->want_due_ns != 0;
    if (in->kind == DC_INPUT_MESSAGE)
        f->want_from = in->from;
    else if (!open)
        f->want_from = env->self;
    if (open && (height <= f->want_height || (f->want_sure && !sure)))
        return;
    f->want = *tip;
    f->want_height = height;
    f->want_sure = sure;
    if (open)
        return; /* the next time it asks for this tip */
    f->want_tries = 0;
    if (height > f->final->header.height + 3) {
        request_now(f, env, in->now_ns, out);
    } else { /* just out of order, most likely: it may be on its way */
        int64_t wait = env->params->delay_typical_ns;
        f->want_due_ns = in->now_ns + (wait > 0 ? wait : 1);
        arm(f, out);
    }
}

static bool want_fulfilled(const struct dc_follow *f)
{
    return dc_hash_equal(&f->want, &f->final->id) || dc_follow_find(f, &f->want) != NULL ||
           f->final->header.height > f->want_height;
}

void dc_follow_timer(struct dc_follow *f, const struct dc_consensus_env *env,
                     const struct dc_input *in, struct dc_effects *out)
{
    if (in->timer == dc_consensus_timer_value(DC_TIMER_SYNC))
        dc_statesync_timer(f, env, in, out);
    if (in->timer != dc_consensus_timer_value(DC_TIMER_REQUEST))
        return;
    f->timer_set = false;
    if (f->want_due_ns == 0)
        return;
    if (in->now_ns < f->want_due_ns) {
        arm(f, out);
        return;
    }
    if (want_fulfilled(f) || f->want_tries >= TRIES_MAX) {
        f->want_due_ns = 0;
        if (f->pending != NULL)
            (void)dc_follow_handover(f, env, in, f->pending, out);
        return;
    }
    request_now(f, env, in->now_ns, out);
}

void dc_follow_replied(struct dc_follow *f, const struct dc_consensus_env *env,
                       const struct dc_input *in, struct dc_effects *out)
{
    static const struct dc_hash own_tip;
    uint8_t left = in->payload->bytes[1];
    if (f->want_due_ns != 0)
        f->want_due_ns = in->now_ns + retry_ns(env); /* it is coming */
    if (left != DC_REPLY_MORE)
        return;
    const struct dc_block *b = dc_follow_decode(env, in->payload);
    bool here = dc_follow_find(f, &b->id) != NULL;
    uint64_t height = here ? b->header.height - (b->header.seal != 0) : f->final->header.height;
    bool open = f->want_due_ns != 0 && !want_fulfilled(f);
    send_request(open ? &f->want : &own_tip, height, DC_REQUEST_BLOCKS, in->from, out);
}

/* --- serving --------------------------------------------------------------------------------- */

/* The blocks of a chain from its tip down, those of the lowest heights kept. */
struct window {
    struct dc_block *block[DC_FOLLOW_BATCH]; /* a ring; references held */
    uint32_t count;                          /* pushed so far */
};

static void window_push(struct window *w, struct dc_block *b)
{
    struct dc_block **at = &w->block[w->count++ % DC_FOLLOW_BATCH];
    if (w->count > DC_FOLLOW_BATCH)
        dc_block_drop(*at);
    dc_block_hold(b);
    *at = b;
}

/* Walks down from what this node has of the tip's chain; false when the store has forgotten part
 * of it. */
static bool collect(const struct dc_follow *f, const struct dc_consensus_env *env,
                    const struct dc_block_request *q, struct window *w)
{
    struct dc_follow_entry *e = dc_follow_find(f, &q->tip);
    if (e == NULL && f->high_qc != NULL && !dc_hash_equal(&q->tip, &f->final->id))
        e = dc_follow_find(f, &f->high_qc->block);
    while (e != NULL && e->block->header.height > q->height) {
        window_push(w, e->block);
        if (e->parent == f->final)
            break;
        e = dc_follow_find(f, &e->parent->id);
    }
    if (e != NULL && e->parent != f->final)
        return true;
    struct dc_block *b = f->final;
    dc_block_hold(b);
    while (b != NULL && b->header.height > q->height) {
        window_push(w, b);
        struct dc_block *parent = dc_store_find(env->store, &b->header.parent);
        dc_block_drop(b);
        b = parent;
    }
    dc_block_drop(b);
    return b != NULL;
}

static void send_reply(const struct dc_block *b, uint8_t left, uint32_t to, struct dc_effects *out)
{
    size_t size = 2 + (size_t)b->size + DC_SIGNATURE_BYTES;
    uint8_t *bytes = dc_effects_bytes(out, size);
    bytes[0] = DC_MSG_BLOCK_REPLY;
    bytes[1] = left;
    memcpy(bytes + 2, b->bytes, b->size);
    memcpy(bytes + 2 + b->size, b->signature, DC_SIGNATURE_BYTES);
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND);
    e->to = to;
    e->bytes = bytes;
    e->size = (uint32_t)size;
    e->object = b; /* what these bytes decode to */
}

static void send_blocks(struct dc_follow *f, const struct dc_consensus_env *env,
                        const struct dc_block_request *q, uint32_t to, struct dc_effects *out)
{
    struct window w = {.count = 0};
    bool whole = collect(f, env, q, &w);
    if (!whole)
        dc_statesync_offer(f, env, to, q->height, out);
    uint32_t held = w.count < DC_FOLLOW_BATCH ? w.count : DC_FOLLOW_BATCH;
    uint32_t send = 0;
    size_t size = 0;
    for (; send < held; send++) {
        size += w.block[(w.count - 1 - send) % DC_FOLLOW_BATCH]->size;
        if (send != 0 && size > REPLY_BYTES_MAX)
            break;
    }
    for (uint32_t i = 0; whole && i < send; i++) {
        uint32_t more = w.count > send ? DC_REPLY_MORE : 0;
        send_reply(w.block[(w.count - 1 - i) % DC_FOLLOW_BATCH], (uint8_t)((send - 1 - i) | more),
                   to, out);
    }
    for (uint32_t i = 0; i < held; i++)
        dc_block_drop(w.block[(w.count - 1 - i) % DC_FOLLOW_BATCH]);
}

void dc_follow_send_certificates(struct dc_follow *f, uint32_t to, uint64_t epoch,
                                 const struct dc_tc *tc, struct dc_effects *out)
{
    if (epoch < f->epoch) {
        size_t size = 1 + (size_t)f->handover->size;
        uint8_t *bytes = dc_effects_bytes(out, size);
        bytes[0] = DC_MSG_HANDOVER;
        memcpy(bytes + 1, f->handover->bytes, f->handover->size);
        struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND);
        e->to = to;
        e->bytes = bytes;
        e->size = (uint32_t)size;
        return;
    }
    const struct dc_qc *qc = f->high_qc;
    if (qc == NULL && tc == NULL)
        return;
    struct dc_sync_msg s = {.epoch = f->epoch,
                            .qc = qc != NULL ? qc->bytes : NULL,
                            .qc_size = qc != NULL ? qc->size : 0,
                            .tc = tc != NULL ? tc->bytes : NULL,
                            .tc_size = tc != NULL ? tc->size : 0};
    size_t size = dc_sync_size(&s);
    uint8_t *bytes = dc_effects_bytes(out, size);
    dc_sync_encode(&s, bytes);
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND);
    e->to = to;
    e->bytes = bytes;
    e->size = (uint32_t)size;
}

void dc_follow_serve(struct dc_follow *f, const struct dc_consensus_env *env,
                     const struct dc_input *in, const struct dc_tc *tc, struct dc_effects *out)
{
    struct dc_block_request q;
    if (!dc_block_request_decode(in->payload->bytes, in->payload->size, &q)) {
        dc_follow_reject(f, in, DC_REJECT_FORM, out);
        return;
    }
    if ((q.flags & DC_REQUEST_BLOCKS) != 0)
        send_blocks(f, env, &q, in->from, out);
    if ((q.flags & DC_REQUEST_CERTIFICATES) != 0) {
        uint64_t epoch = dc_height_epoch(q.height, env->params->epoch_blocks);
        if (epoch < f->epoch)
            dc_follow_send_certificates(f, in->from, epoch, NULL, out);
        dc_follow_send_certificates(f, in->from, f->epoch, tc, out);
    }
}

/* --- messages of a follower ------------------------------------------------------------------ */

static void follow_sync(struct dc_follow *f, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out)
{
    struct dc_sync_msg s;
    if (!dc_sync_decode(in->payload->bytes, in->payload->size, &s)) {
        dc_follow_reject(f, in, DC_REJECT_FORM, out);
        return;
    }
    if (s.qc == NULL || s.epoch != f->epoch)
        return;
    struct dc_qc *qc = dc_qc_decode(s.qc, s.qc_size);
    if (qc == NULL)
        dc_follow_reject(f, in, DC_REJECT_FORM, out);
    else if (dc_follow_qc_known(f, qc) || dc_qc_verify(env, qc, f->committee, out))
        dc_follow_certificate(f, env, in, qc, out);
    else
        dc_follow_reject(f, in, DC_REJECT_CERTIFICATE, out);
    dc_qc_drop(qc);
}

bool dc_follow_message(struct dc_follow *f, const struct dc_consensus_env *env,
                       const struct dc_input *in, struct dc_effects *out)
{
    switch (in->payload->kind) {
    case DC_MSG_PROPOSAL:
    case DC_MSG_BLOCK_REPLY: {
        struct dc_block *b;
        (void)dc_follow_receive(f, env, in, &b, out);
        return true;
    }
    case DC_MSG_SYNC: follow_sync(f, env, in, out); return true;
    case DC_MSG_HANDOVER: {
        struct dc_handover *h = dc_follow_decode_handover(in->payload);
        if (h == NULL)
            dc_follow_reject(f, in, DC_REJECT_FORM, out);
        else if (dc_follow_handover(f, env, in, h, out) == DC_FOLLOW_INVALID)
            dc_follow_reject(f, in, DC_REJECT_CERTIFICATE, out);
        return true;
    }
    case DC_MSG_BLOCK_REQUEST: dc_follow_serve(f, env, in, NULL, out); return true;
    default: return dc_statesync_message(f, env, in, out);
    }
}

/* --- leaders to come ------------------------------------------------------------------------- */

uint32_t dc_follow_leader(const struct dc_committee *c, uint64_t round)
{
    return c->count == 0 ? UINT32_MAX : c->member[dc_committee_leader(c, round)];
}

static uint32_t add_distinct(uint32_t *out, uint32_t count, uint32_t id)
{
    if (id == UINT32_MAX)
        return count;
    for (uint32_t i = 0; i < count; i++)
        if (out[i] == id)
            return count;
    out[count] = id;
    return count + 1;
}

uint32_t dc_follow_leaders(const struct dc_follow *f, const struct dc_consensus_env *env,
                           uint32_t count_max, uint32_t *out)
{
    uint64_t tip = f->final->header.height;
    for (uint32_t i = 0; i < f->known_count; i++)
        if (f->known[i].block->header.height > tip)
            tip = f->known[i].block->header.height;
    uint64_t left = dc_epoch_last_height(f->epoch, env->params->epoch_blocks) - tip;
    uint32_t here = left < count_max ? (uint32_t)left : count_max, count = 0;
    for (uint32_t i = 1; i <= here; i++)
        count = add_distinct(out, count, dc_follow_leader(f->committee, f->round_seen + i));
    const struct dc_committee *next =
        here < count_max ? dc_store_committee(env->store, f->final, f->epoch + 1) : NULL;
    for (uint32_t i = 1; next != NULL && i <= count_max - here; i++)
        count = add_distinct(out, count, dc_follow_leader(next, i));
    return count;
}
