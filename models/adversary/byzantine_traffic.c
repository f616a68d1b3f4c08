/* What comes later, again, or for nothing: DELAY, REPLAY, SPAM.
 *
 *   DELAY    a queue in order of sending, of constant delay; what does not fit leaves at once
 *   REPLAY   a ring of consensus messages, sent or received, at most one of each kind a period, so
 *            that what comes again is old
 *   SPAM     per tick so many messages as the rate asks, by turns a request for blocks, a
 *            transaction that no block will take, and (validators) the vote of an old round
 *
 * Memory: 4096 letters or 16 MiB, 32 messages of at most 64 KiB, nothing. */
#include "models/adversary/byzantine_impl.h"

#include "models/base/mem.h"

/* --- delay ----------------------------------------------------------------------------------- */

#define LETTERS_MAX 4096u
#define LETTERS_BYTES_MAX ((size_t)16 << 20)

struct traffic_letter {
    int64_t due_ns;
    struct dc_effect effect; /* bytes and to_list in `memory` */
    uint8_t *memory;
    size_t size;
};

struct traffic_delay {
    struct traffic_letter *letter; /* a ring */
    uint32_t first, count, max;
    size_t bytes;
};

static void delay_grow(struct traffic_delay *d)
{
    uint32_t max = d->max == 0 ? 64 : 2 * d->max;
    struct traffic_letter *letter = dc_mem_need(max, sizeof *letter, "letters held back");
    for (uint32_t i = 0; i < d->count; i++)
        letter[i] = d->letter[(d->first + i) % d->max];
    dc_mem_free(d->letter);
    d->letter = letter;
    d->first = 0;
    d->max = max;
}

/* Takes an effect over; false when it does not fit. */
static bool delay_take(struct traffic_delay *d, const struct dc_effect *e, int64_t due_ns)
{
    size_t size;
    const uint8_t *bytes = dc_byzantine_bytes(e, &size);
    size_t list = e->kind == DC_EFFECT_SEND_MANY ? e->to_count * sizeof(uint32_t) : 0;
    if (d->count == LETTERS_MAX || d->bytes + size + list > LETTERS_BYTES_MAX)
        return false;
    if (d->count == d->max)
        delay_grow(d);
    struct traffic_letter *l = &d->letter[(d->first + d->count++) % d->max];
    *l = (struct traffic_letter){.due_ns = due_ns, .effect = *e, .size = size + list};
    l->memory = dc_mem_need(1, list + size, "a letter held back");
    if (list != 0)
        memcpy(l->memory, e->to_list, list);
    memcpy(l->memory + list, bytes, size);
    dc_byzantine_replace(&l->effect, l->memory + list, size);
    l->effect.to_list = (const uint32_t *)(const void *)l->memory;
    d->bytes += l->size;
    return true;
}

/* Gives out what is due, in copies that live as long as the effects. */
static void delay_release(struct traffic_delay *d, int64_t now_ns, struct dc_effects *out)
{
    while (d->count != 0 && d->letter[d->first].due_ns <= now_ns &&
           out->count + 4 < DC_EFFECTS_MAX) {
        struct traffic_letter *l = &d->letter[d->first];
        uint8_t *copy = dc_effects_bytes(out, l->size);
        memcpy(copy, l->memory, l->size);
        struct dc_effect *e = dc_effects_add(out, l->effect.kind);
        *e = l->effect;
        e->bytes = copy + (l->effect.bytes - l->memory);
        e->to_list = (const uint32_t *)(const void *)copy;
        d->bytes -= l->size;
        dc_mem_free(l->memory);
        d->first = (d->first + 1) % d->max;
        d->count--;
    }
}

static void delay_edit(struct dc_node *node, struct dc_byzantine_part *part,
                       const struct dc_input *in, struct dc_effects *out)
{
    struct traffic_delay *d = part->state;
    if (d == NULL)
        d = part->state = dc_mem_need(1, sizeof *d, "letters held back");
    for (uint32_t i = 0; i < out->count; i++) {
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(&out->list[i], &size);
        if (b != NULL && dc_byzantine_acts(part, b, size) &&
            delay_take(d, &out->list[i], in->now_ns + part->delay_ns))
            dc_byzantine_drop(&out->list[i]);
    }
    dc_byzantine_compact(out);
    delay_release(d, in->now_ns, out);
}

static int64_t delay_due(const struct dc_byzantine_part *part, int64_t now_ns)
{
    const struct traffic_delay *d = part->state;
    return d != NULL && d->count != 0 ? d->letter[d->first].due_ns : 0;
}

/* The edit of the same step gives out what is due. */
static void delay_act(struct dc_node *node, struct dc_byzantine_part *part,
                      const struct dc_input *in, struct dc_effects *out)
{
}

static void delay_clear(struct dc_byzantine_part *part)
{
    struct traffic_delay *d = part->state;
    for (uint32_t i = 0; d != NULL && i < d->count; i++)
        dc_mem_free(d->letter[(d->first + i) % d->max].memory);
    if (d != NULL)
        dc_mem_free(d->letter);
}

bool dc_byzantine_flush(struct dc_byzantine_part *part, struct dc_effects *out)
{
    struct traffic_delay *d = part->state;
    delay_release(d, INT64_MAX, out);
    return d->count == 0;
}

const struct dc_byzantine_class dc_byzantine_delay = {.name = "delay",
                                                      .edit = delay_edit,
                                                      .due_ns = delay_due,
                                                      .act = delay_act,
                                                      .clear = delay_clear};

/* --- replay ---------------------------------------------------------------------------------- */

#define HEARD_MAX 32u
#define HEARD_BYTES_MAX ((size_t)64 << 10)

struct traffic_replay {
    uint32_t count, next;
    uint32_t kinds; /* heard since the last tick: a bit each */
    int64_t due_ns;
    struct {
        uint8_t *bytes;
        uint32_t size;
        int64_t heard_ns;
    } heard[HEARD_MAX];
};

static struct traffic_replay *replay_state(struct dc_byzantine_part *part)
{
    if (part->state == NULL)
        part->state = dc_mem_need(1, sizeof(struct traffic_replay), "messages to replay");
    return part->state;
}

static void replay_remember(struct dc_byzantine_part *part, const uint8_t *bytes, size_t size,
                            int64_t now_ns)
{
    struct traffic_replay *r = replay_state(part);
    if (bytes[0] > DC_MSG_HANDOVER || size > HEARD_BYTES_MAX || (r->kinds >> bytes[0] & 1) != 0)
        return;
    r->kinds |= 1u << bytes[0];
    uint32_t at = r->next++ % HEARD_MAX;
    dc_mem_free(r->heard[at].bytes);
    r->heard[at].bytes = dc_mem_need(1, size, "a message to replay");
    memcpy(r->heard[at].bytes, bytes, size);
    r->heard[at].size = (uint32_t)size;
    r->heard[at].heard_ns = now_ns;
    if (r->count < HEARD_MAX)
        r->count++;
}

void dc_byzantine_hear(struct dc_byzantine_part *part, const struct dc_input *in)
{
    if (in->payload->size != 0)
        replay_remember(part, in->payload->bytes, in->payload->size, in->now_ns);
}

static void replay_edit(struct dc_node *node, struct dc_byzantine_part *part,
                        const struct dc_input *in, struct dc_effects *out)
{
    if (in->kind == DC_INPUT_TIMER && in->timer >> 56 == DC_TIMER_BYZANTINE)
        return; /* what it replays itself is no news */
    for (uint32_t i = 0; i < out->count; i++) {
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(&out->list[i], &size);
        if (b != NULL)
            replay_remember(part, b, size, in->now_ns);
    }
}

static int64_t replay_due(const struct dc_byzantine_part *part, int64_t now_ns)
{
    return now_ns + part->delay_ns;
}

static void replay_act(struct dc_node *node, struct dc_byzantine_part *part,
                       const struct dc_input *in, struct dc_effects *out)
{
    struct traffic_replay *r = replay_state(part);
    r->kinds = 0;
    if (r->count == 0)
        return;
    uint32_t at = (uint32_t)dc_next_below(&part->stream, r->count);
    const uint8_t *bytes = r->heard[at].bytes;
    if (in->now_ns - r->heard[at].heard_ns < part->delay_ns ||
        !dc_byzantine_acts(part, bytes, r->heard[at].size))
        return;
    uint8_t *copy = dc_byzantine_copy(out, bytes, r->heard[at].size);
    dc_byzantine_to_members(node, part, out, 2, UINT32_MAX, copy, r->heard[at].size);
}

static void replay_clear(struct dc_byzantine_part *part)
{
    struct traffic_replay *r = part->state;
    for (uint32_t i = 0; r != NULL && i < HEARD_MAX; i++)
        dc_mem_free(r->heard[i].bytes);
}

const struct dc_byzantine_class dc_byzantine_replay = {.name = "replay",
                                                       .edit = replay_edit,
                                                       .due_ns = replay_due,
                                                       .act = replay_act,
                                                       .clear = replay_clear};

/* --- spam ------------------------------------------------------------------------------------ */

#define SPAM_TICK_NS INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)

static int64_t spam_period_ns(const struct dc_byzantine_part *part)
{
    int64_t period = SECOND_NS / part->rate_per_s;
    return period > SPAM_TICK_NS ? period : SPAM_TICK_NS;
}

static int64_t spam_due(const struct dc_byzantine_part *part, int64_t now_ns)
{
    return now_ns + spam_period_ns(part);
}

static uint32_t spam_whom(const struct dc_node *node, struct dc_byzantine_part *part)
{
    const struct dc_committee *c = node->chain->committee;
    if (c->count == 0)
        return node->id;
    uint32_t to = c->member[dc_next_below(&part->stream, c->count)];
    return to != node->id ? to : c->member[0];
}

static void spam_request(const struct dc_node *node, struct dc_byzantine_part *part, uint32_t to,
                         struct dc_effects *out)
{
    struct dc_block_request q = {.height = node->chain->final->header.height,
                                 .flags = DC_REQUEST_BLOCKS | DC_REQUEST_CERTIFICATES};
    uint8_t bytes[DC_BLOCK_REQUEST_BYTES];
    for (uint32_t i = 0; i < DC_HASH_BYTES; i += 8)
        dc_put64(q.tip.b + i, dc_next64(&part->stream)); /* of a block that nobody has */
    dc_block_request_encode(&q, bytes);
    dc_effect_send(out, to, bytes, sizeof bytes);
}

/* Rightly signed, with a nonce that will never be its turn: it waits in mempools till it expires.
 * */
static void spam_tx(const struct dc_node *node, struct dc_byzantine_part *part, uint32_t to,
                    struct dc_effects *out)
{
    struct dc_tx tx = {.kind = DC_TX_TRANSFER, .from = node->id};
    tx.transfer.nonce = (uint64_t)1 << 62 | dc_next64(&part->stream) >> 2;
    tx.transfer.amount = 1;
    tx.transfer.to = to;
    uint8_t bytes[256] = {DC_MSG_TX};
    size_t size = dc_tx_sign(node->env.crypto, node->env.chain, &node->key, &tx, bytes + 1, 255);
    DC_CHECK(size != 0);
    out->charge[DC_COST_SIGN]++;
    dc_effect_send(out, to, bytes, 1 + size);
}

/* The vote for the final block, whether cast in its time or not: no second vote, no evidence. */
static void spam_vote(const struct dc_node *node, struct dc_byzantine_part *part, uint32_t to,
                      struct dc_effects *out)
{
    const struct dc_block *b = node->chain->final;
    struct dc_vote v = {.epoch = b->header.epoch,
                        .round = b->header.round,
                        .block = b->id,
                        .commits = dc_follow_commits(b),
                        .signer = node->id};
    struct dc_hash digest = dc_vote_digest(node->env.chain, v.epoch, v.round, &v.block, &v.commits);
    dc_sign(node->env.crypto, node->env.key, digest.b, sizeof digest.b, v.signature);
    out->charge[DC_COST_SIGN]++;
    uint8_t bytes[DC_VOTE_MSG_BYTES];
    dc_vote_encode(&v, bytes);
    dc_effect_send(out, to, bytes, sizeof bytes);
}

static void spam_act(struct dc_node *node, struct dc_byzantine_part *part,
                     const struct dc_input *in, struct dc_effects *out)
{
    uint64_t count = (uint64_t)spam_period_ns(part) * part->rate_per_s / SECOND_NS;
    for (uint64_t i = 0; i < (count == 0 ? 1 : count) && dc_byzantine_room(out, 1); i++) {
        static const uint8_t nothing;
        uint32_t to = spam_whom(node, part);
        if (!dc_byzantine_acts(part, &nothing, 1) || to == node->id)
            continue;
        uint64_t turn = part->turn++ % (node->validator != NULL ? 3 : 2);
        (turn == 0 ? spam_request : turn == 1 ? spam_tx : spam_vote)(node, part, to, out);
    }
}

const struct dc_byzantine_class dc_byzantine_spam = {
    .name = "spam", .due_ns = spam_due, .act = spam_act};
