/* Channels: the table, what waits, and frames.  Handshakes are channel_hello.c's.
 *
 * A session's window, after counter 9 (top is 10), with 7 not here yet:
 *
 *     seen   ... 1 1 1 0 1 1       bit c % DC_CHANNEL_WINDOW is counter c's
 *                4 5 6 7 8 9  */
#include "models/node/channel_impl.h"

#include "models/base/mem.h"
#include "models/wire/block.h"

static const char *const outcome_names[DC_CHANNEL_OUTCOMES] = {
    "opened",   "bad_handshake", "foreign", "other_subject", "other_key", "expired", "revoked",
    "replaced", "timeout",       "unknown", "replayed",      "forged",    "full",
};

const char *dc_channel_outcome_name(enum dc_channel_outcome outcome)
{
    DC_CHECK((unsigned)outcome < DC_CHANNEL_OUTCOMES);
    return outcome_names[outcome];
}

struct dc_channels *dc_channels_create(const struct dc_channels_config *config)
{
    DC_CHECK(config->peers_max > 0 && config->queue_max > 0 && config->rekey > 0 &&
             config->tries > 0 && config->timeout_ns > 0);
    struct dc_channels *c = dc_mem_need(1, sizeof *c, "channels");
    c->config = *config;
    return c;
}

static void channel_free(struct channel *ch)
{
    dc_channel_forget(&ch->begun);
    dc_channel_forget(&ch->answered);
    dc_mem_free(ch->out.token);
    dc_mem_free(ch->early.token);
    dc_mem_free(ch);
}

void dc_channels_destroy(struct dc_channels *c, void (*drop)(void *ctx, uint64_t token), void *ctx)
{
    if (c == NULL)
        return;
    for (uint32_t i = 0; i < c->count; i++) {
        dc_channel_drop_out(c, c->list[i]);
        dc_channel_drop_early(c, c->list[i]);
        channel_free(c->list[i]);
    }
    for (uint32_t i = 0; i < c->drops; i++)
        drop(ctx, c->dropped[i]);
    dc_mem_free(c->dropped);
    dc_mem_free(c->list);
    dc_mem_free(c);
}

/* --- the table -------------------------------------------------------------------------------- */

static uint32_t channel_place(const struct dc_channels *c, uint32_t peer)
{
    uint32_t low = 0, high = c->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (c->list[middle]->peer < peer)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct channel *dc_channel_find(struct dc_channels *c, uint32_t peer)
{
    uint32_t at = channel_place(c, peer);
    return at < c->count && c->list[at]->peer == peer ? c->list[at] : NULL;
}

/* Takes the idle channel that was used longest ago out. */
static bool channel_evict(struct dc_channels *c)
{
    uint32_t at = c->count;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct channel *ch = c->list[i];
        bool idle =
            ch->begun == NULL && ch->answered == NULL && ch->out.count == 0 && ch->early.count == 0;
        if (idle && (at == c->count || ch->used < c->list[at]->used))
            at = i;
    }
    if (at == c->count)
        return false;
    channel_free(c->list[at]);
    c->count--;
    memmove(&c->list[at], &c->list[at + 1], (c->count - at) * sizeof *c->list);
    c->counts.evicted++;
    return true;
}

struct channel *dc_channel_need(struct dc_channels *c, uint32_t peer)
{
    uint32_t at = channel_place(c, peer);
    if (at < c->count && c->list[at]->peer == peer)
        return c->list[at];
    if (c->count == c->config.peers_max && !channel_evict(c))
        return NULL;
    if (c->count == c->count_max) {
        c->count_max = c->count_max == 0 ? 8 : 2 * c->count_max;
        c->list = dc_mem_grow(c->list, c->count_max, sizeof *c->list);
        DC_CHECK(c->list != NULL);
    }
    at = channel_place(c, peer); /* the one that went may have stood before it */
    struct channel *ch = dc_mem_need(1, sizeof *ch, "a channel");
    ch->peer = peer;
    memmove(&c->list[at + 1], &c->list[at], (c->count - at) * sizeof *c->list);
    c->list[at] = ch;
    c->count++;
    return ch;
}

bool dc_channel_open(const struct channel *ch)
{
    return ch->now.live && !ch->renewing;
}

void dc_channel_refuse(struct dc_channels *c, enum dc_channel_outcome outcome,
                       struct dc_effects *out)
{
    c->counts.refused[outcome]++;
    dc_effect_note(out, DC_NOTE_CHANNEL, 0, outcome);
}

/* --- what waits ------------------------------------------------------------------------------- */

static void channel_drop(struct dc_channels *c, uint64_t token)
{
    if (c->drops == c->drops_max) {
        c->drops_max = c->drops_max == 0 ? 16 : 2 * c->drops_max;
        c->dropped = dc_mem_grow(c->dropped, c->drops_max, sizeof *c->dropped);
        DC_CHECK(c->dropped != NULL);
    }
    c->dropped[c->drops++] = token;
}

static bool queue_put(const struct dc_channels *c, struct channel_queue *q, uint64_t token)
{
    uint32_t max = c->config.queue_max;
    if (q->count == max)
        return false;
    if (q->token == NULL)
        q->token = dc_mem_need(max, sizeof *q->token, "messages that wait for a channel");
    q->token[(q->first + q->count++) % max] = token;
    return true;
}

static uint64_t queue_take(const struct dc_channels *c, struct channel_queue *q)
{
    uint64_t token = q->token[q->first];
    q->first = (q->first + 1) % c->config.queue_max;
    if (--q->count == 0) {
        dc_mem_free(q->token);
        *q = (struct channel_queue){0};
    }
    return token;
}

void dc_channel_drop_out(struct dc_channels *c, struct channel *ch)
{
    while (ch->out.count > 0)
        channel_drop(c, queue_take(c, &ch->out));
}

void dc_channel_drop_early(struct dc_channels *c, struct channel *ch)
{
    while (ch->early.count > 0)
        channel_drop(c, queue_take(c, &ch->early));
    ch->early_due = 0;
}

enum dc_channel_item dc_channels_take(struct dc_channels *c, uint32_t peer, uint64_t *token)
{
    if (c->drops > 0) {
        *token = c->dropped[--c->drops];
        return DC_CHANNEL_DROP;
    }
    struct channel *ch = dc_channel_find(c, peer);
    if (ch != NULL && ch->early_due > 0) {
        ch->early_due--;
        *token = queue_take(c, &ch->early);
        return DC_CHANNEL_FRAME;
    }
    if (ch == NULL || ch->out.count == 0 || !dc_channel_open(ch))
        return DC_CHANNEL_NOTHING;
    *token = queue_take(c, &ch->out);
    return DC_CHANNEL_SEAL;
}

bool dc_channels_send(struct dc_channels *c, uint32_t peer, uint64_t token, int64_t now_ns,
                      struct dc_effects *out)
{
    struct channel *ch = dc_channel_need(c, peer);
    if (ch != NULL)
        ch->used = ++c->clock;
    if (ch != NULL && dc_channel_open(ch))
        return true;
    if (ch == NULL || !queue_put(c, &ch->out, token)) {
        channel_drop(c, token);
        dc_channel_refuse(c, DC_CHANNEL_FULL, out);
        return false;
    }
    if (ch->begun == NULL && ch->answered == NULL)
        dc_channel_begin(c, ch, false, now_ns, now_ns, out);
    return false;
}

/* --- frames ----------------------------------------------------------------------------------- */

struct channel_session *dc_channel_session(struct channel *ch, uint64_t id)
{
    struct channel_session *all[3] = {&ch->now, &ch->old, &ch->next};
    for (int i = 0; i < 3; i++)
        if (all[i]->live && all[i]->id == id)
            return all[i];
    return NULL;
}

uint64_t dc_channel_counter(struct dc_channels *c, struct channel_session *s,
                            struct dc_effects *out)
{
    uint64_t counter = s->sent++;
    DC_CHECK(counter < DC_NOISE_NONCE_MAX);
    for (; s->sent_by < counter / c->config.rekey; s->sent_by++) {
        dc_noise_rekey(&s->send);
        c->counts.rekeyed++;
        out->charge[DC_COST_FRAME]++;
    }
    s->send.nonce = counter;
    return counter;
}

static void channel_charge(uint64_t size, struct dc_effects *out)
{
    out->charge[DC_COST_FRAME]++;
    out->charge[DC_COST_FRAME_KIB] += (uint32_t)(size / 1024);
}

void dc_channels_seal(struct dc_channels *c, uint32_t peer, const void *bytes, size_t size,
                      uint64_t bulk, uint8_t *frame, struct dc_effects *out)
{
    struct channel *ch = dc_channel_find(c, peer);
    DC_CHECK(ch != NULL && dc_channel_open(ch));
    struct channel_session *s = &ch->now;
    ch->used = ++c->clock;
    frame[0] = DC_MSG_FRAME;
    dc_put64(frame + 1, s->id);
    dc_put64(frame + 9, dc_channel_counter(c, s, out));
    channel_charge(size + bulk, out);
    c->counts.sealed++;
    if (!c->config.charged)
        DC_CHECK(dc_noise_seal(&s->send, frame, DC_CHANNEL_HEADER_BYTES, bytes, size,
                               frame + DC_CHANNEL_HEADER_BYTES));
}

enum dc_channel_outcome dc_channel_receive_key(struct dc_channels *c,
                                               const struct channel_session *s, uint64_t counter,
                                               struct dc_noise_cipher key[2],
                                               struct dc_effects *out)
{
    uint64_t by = counter / c->config.rekey;
    if (counter == DC_NOISE_NONCE_MAX || by > s->taken_by + DC_CHANNEL_AHEAD_MAX)
        return DC_CHANNEL_FORGED;
    if (counter < s->top && (s->top - counter > DC_CHANNEL_WINDOW || by + 1 < s->taken_by ||
                             s->seen[counter % DC_CHANNEL_WINDOW / 64] >> counter % 64 & 1))
        return DC_CHANNEL_REPLAYED;
    key[0] = s->receive[0];
    key[1] = s->receive[1];
    if (by < s->taken_by) /* late, of the generation before */
        key[1] = key[0];
    for (uint64_t g = s->taken_by; g < by; g++) {
        key[0] = key[1];
        dc_noise_rekey(&key[1]);
        out->charge[DC_COST_FRAME]++;
    }
    key[1].nonce = counter;
    return DC_CHANNEL_OPENED;
}

void dc_channel_received(struct dc_channels *c, struct channel *ch, struct channel_session *s,
                         uint64_t counter, const struct dc_noise_cipher key[2])
{
    uint64_t by = counter / c->config.rekey;
    if (by > s->taken_by) {
        s->receive[0] = key[0];
        s->receive[1] = key[1];
        s->taken_by = by;
    }
    if (counter >= s->top + DC_CHANNEL_WINDOW) {
        memset(s->seen, 0, sizeof s->seen);
        s->top = counter + 1;
    }
    for (; s->top <= counter; s->top++)
        s->seen[s->top % DC_CHANNEL_WINDOW / 64] &= ~((uint64_t)1 << s->top % 64);
    s->seen[counter % DC_CHANNEL_WINDOW / 64] |= (uint64_t)1 << counter % 64;
    s->proved = true;
    ch->used = ++c->clock;
    if (ch->begun != NULL && ch->begun->stage == CHANNEL_CONFIRMS && ch->begun->session == s->id)
        dc_channel_forget(&ch->begun);
    if (s == &ch->next)
        dc_channel_promote(c, ch);
}

/* A frame of a session that is not here: its handshake may be about to end; else the peer is told. */
static enum dc_channel_verdict frame_unknown(struct dc_channels *c, uint32_t peer, uint64_t session,
                                             uint64_t token, int64_t now_ns, struct dc_effects *out)
{
    struct channel *ch = dc_channel_find(c, peer);
    if (ch != NULL && ch->answered != NULL && ch->answered->stage == CHANNEL_WAITS &&
        queue_put(c, &ch->early, token))
        return DC_FRAME_EARLY;
    dc_channel_refuse(c, DC_CHANNEL_UNKNOWN, out);
    if (ch == NULL || ch->begun == NULL)
        dc_channel_tell_reset(c, peer, ch, session, now_ns, out);
    return DC_FRAME_REFUSED;
}

static enum dc_channel_verdict frame_refused(struct dc_channels *c, enum dc_channel_outcome why,
                                             struct dc_effects *out)
{
    dc_channel_refuse(c, why, out);
    return DC_FRAME_REFUSED;
}

enum dc_channel_verdict dc_channels_open(struct dc_channels *c, uint32_t peer, const uint8_t *frame,
                                         size_t size, uint64_t bulk, bool intact, uint64_t token,
                                         int64_t now_ns, uint8_t *plain, struct dc_effects *out)
{
    struct dc_noise_cipher key[2];
    if (size < DC_CHANNEL_OVERHEAD_BYTES || frame[0] != DC_MSG_FRAME)
        return frame_refused(c, DC_CHANNEL_FORGED, out);
    uint64_t id = dc_get64(frame + 1), counter = dc_get64(frame + 9);
    struct channel *ch = dc_channel_find(c, peer);
    struct channel_session *s = ch != NULL ? dc_channel_session(ch, id) : NULL;
    if (s == NULL)
        return frame_unknown(c, peer, id, token, now_ns, out);
    channel_charge(size - DC_CHANNEL_OVERHEAD_BYTES + bulk, out);
    enum dc_channel_outcome outcome = dc_channel_receive_key(c, s, counter, key, out);
    if (outcome == DC_CHANNEL_OPENED && !c->config.charged)
        intact =
            dc_noise_open(&key[1], frame, DC_CHANNEL_HEADER_BYTES, frame + DC_CHANNEL_HEADER_BYTES,
                          size - DC_CHANNEL_HEADER_BYTES, plain);
    if (outcome == DC_CHANNEL_OPENED && !intact)
        outcome = DC_CHANNEL_FORGED;
    if (outcome != DC_CHANNEL_OPENED)
        return frame_refused(c, outcome, out);
    dc_channel_received(c, ch, s, counter, key);
    c->counts.frames++;
    return DC_FRAME_OPENED;
}

/* --- standing --------------------------------------------------------------------------------- */

uint32_t dc_channels_review(struct dc_channels *c)
{
    uint32_t closed = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        struct channel *ch = c->list[i];
        struct dc_channel_standing standing = {0};
        c->config.standing(c->config.ctx, ch->peer, &standing);
        if (!standing.revoked)
            continue;
        closed += ch->now.live;
        dc_channel_forget(&ch->begun);
        dc_channel_forget(&ch->answered);
        dc_channel_drop_out(c, ch);
        dc_channel_drop_early(c, ch);
        memset(&ch->now, 0, sizeof ch->now);
        memset(&ch->old, 0, sizeof ch->old);
        memset(&ch->next, 0, sizeof ch->next);
        ch->known = ch->renewing = false;
    }
    return closed;
}

struct dc_channels_count dc_channels_count(const struct dc_channels *c)
{
    struct dc_channels_count n = c->counts;
    n.peers = c->count;
    n.open = n.opening = n.waiting = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        n.open += dc_channel_open(c->list[i]);
        n.opening += c->list[i]->begun != NULL;
        n.waiting += c->list[i]->out.count + c->list[i]->early.count;
    }
    return n;
}
