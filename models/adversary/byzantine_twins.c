/* TWINS and COLLUDE: two instances of the unmodified node behind one identity, with one key.
 *
 *                      +--> first instance  --> others (and nobody else)
 *   input, by sender --|
 *                      +--> second instance --> victims
 *
 * The second is made from what the first has on disk, so that both share its history; from then on
 * each hears one side and talks to it.  A proposal that comes by gossip is its proposer's word,
 * whoever passes it on.  Votes and timeouts are heard by both, whoever sends them: they are sent to
 * the one identity that collects them, and twins that heard half of them would hold no certificate
 * and do nothing but keep silent.
 *
 * Members of one clique talk instance to instance: what the first sends to a member reaches its
 * first, in an envelope of the messages among cheats (models/wire/block.h):
 *
 *   FETCH 1, mark 1, side 1, message
 *
 * An instance does not know the overlay: a broadcast becomes a message to each node of its side.
 * Gossip received is passed on as the instance says.  Timers of the second instance have a bit
 * more; its commits and notes go nowhere.
 *
 * COLLUDE, besides: the wrapper votes in an instance's place for every proposal of its side that it
 * has not voted for (timed out, voted already, or behind); its timeouts name no QC, so that no
 * certificate made with them binds a later leader by theirs; and gossip stays on its side, or the
 * clique itself would tell each half of what the other does. */
#include <stdatomic.h>

#include "models/adversary/byzantine_impl.h"
#include "models/base/mem.h"
#include "models/node/durable.h"

#define ENVELOPE_MARK 0xb2u
#define ENVELOPE_BYTES ((size_t)3)
#define VOTED_MAX 64u

struct twins {
    struct dc_node *second;
    bool started;
    struct dc_hash voted[VOTED_MAX]; /* COLLUDE: blocks voted for by the wrapper, a ring */
    uint32_t voted_next;
};

/* --- making ---------------------------------------------------------------------------------- */

static enum dc_status twins_begin(struct dc_node *node, struct dc_byzantine_part *part,
                                  const struct dc_byzantine_config *config, struct dc_error *error)
{
    if (config->node == NULL)
        return dc_error_set(error, DC_ERR_USAGE, "a twin of node %u needs its configuration",
                            node->id);
    struct twins *t = part->state = dc_mem_alloc(1, sizeof *t);
    if (t == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for a twin of node %u", node->id);
    uint8_t *image;
    bool lost;
    size_t size = dc_node_save(node, &image);
    t->second = dc_node_recover(config->node, image, size, &lost, error);
    dc_mem_free(image);
    DC_CHECK(t->second == NULL || !lost);
    return t->second != NULL ? DC_OK : DC_ERR_IO;
}

static void twins_clear(struct dc_byzantine_part *part)
{
    struct twins *t = part->state;
    if (t != NULL)
        dc_node_destroy(t->second);
}

const struct dc_node *dc_byzantine_twin_of(const struct dc_byzantine_part *part)
{
    const struct twins *t = part->state;
    return t->second;
}

/* --- what an instance says ------------------------------------------------------------------- */

static uint8_t *twins_envelope(struct dc_effects *out, const uint8_t *bytes, size_t size,
                               uint32_t side)
{
    uint8_t *copy = dc_effects_bytes(out, ENVELOPE_BYTES + size);
    copy[0] = DC_MSG_FETCH;
    copy[1] = ENVELOPE_MARK;
    copy[2] = (uint8_t)side;
    memcpy(copy + ENVELOPE_BYTES, bytes, size);
    return copy;
}

/* Makes *e reach those of its receivers who are on the side, and the clique by envelopes. */
static void twins_split(const struct dc_node *node, const struct dc_byzantine_part *part,
                        struct dc_effects *out, struct dc_effect *e, uint32_t side)
{
    size_t size = 0;
    const uint8_t *bytes = dc_byzantine_bytes(e, &size);
    bool all = e->kind == DC_EFFECT_BROADCAST;
    uint32_t receivers = all ? part->nodes : e->kind == DC_EFFECT_SEND ? 1 : e->to_count;
    uint32_t *to = dc_effects_bytes(out, 2 * receivers * sizeof *to), *clique = to + receivers;
    uint32_t plain = 0, members = 0;
    for (uint32_t i = 0; i < receivers; i++) {
        uint32_t n = all ? i : e->kind == DC_EFFECT_SEND ? e->to : e->to_list[i];
        if (n == node->id)
            continue;
        if (dc_byzantine_member(part, n))
            clique[members++] = n;
        else if (dc_byzantine_victim(part, n) == (side == 1))
            to[plain++] = n;
    }
    if (members != 0 && dc_byzantine_room(out, 1)) {
        struct dc_effect *enveloped = dc_effects_add(out, DC_EFFECT_SEND_MANY);
        enveloped->bulk = e->bulk;
        enveloped->to_list = clique;
        enveloped->to_count = members;
        dc_byzantine_replace(enveloped, twins_envelope(out, bytes, size, side),
                             ENVELOPE_BYTES + size);
    }
    e->kind = DC_EFFECT_SEND_MANY;
    e->to_list = to;
    e->to_count = plain;
    if (plain == 0)
        dc_byzantine_drop(e);
}

/* COLLUDE: gossip goes on to its side alone, and not over the overlay, which does not know sides.
 * Each member serves the nodes whose ids are its own place in the clique, modulo the clique. */
static void twins_pass_on(const struct dc_node *node, const struct dc_byzantine_part *part,
                          const struct dc_input *in, struct dc_effects *out, struct dc_effect *e,
                          uint32_t side)
{
    uint32_t *to = dc_effects_bytes(out, part->nodes * sizeof *to), count = 0;
    uint32_t place = 0, members = 0;
    for (uint32_t n = 0; n < part->nodes; n++) {
        bool member = n == node->id || dc_byzantine_member(part, n);
        place += member && n < node->id;
        members += member;
    }
    for (uint32_t n = place; n < part->nodes; n += members)
        if (n != node->id && n != in->from && !dc_byzantine_member(part, n) &&
            dc_byzantine_victim(part, n) == (side == 1))
            to[count++] = n;
    *e = (struct dc_effect){
        .kind = DC_EFFECT_SEND_MANY, .payload = in->payload, .to_list = to, .to_count = count};
    if (count == 0)
        dc_byzantine_drop(e);
}

/* The effects from `from` on are those of the instance of a side. */
static void twins_filter(const struct dc_node *node, const struct dc_byzantine_part *part,
                         const struct dc_input *in, struct dc_effects *out, uint32_t from,
                         uint32_t side)
{
    uint32_t count = out->count;
    for (uint32_t i = from; i < count; i++) {
        struct dc_effect *e = &out->list[i];
        size_t size;
        if (dc_byzantine_bytes(e, &size) != NULL)
            twins_split(node, part, out, e, side);
        else if (e->kind == DC_EFFECT_RELAY && part->behaviour == DC_BEHAVIOUR_COLLUDE)
            twins_pass_on(node, part, in, out, e, side);
        else if (side == 1 && e->kind == DC_EFFECT_TIMER)
            e->timer ^= DC_TIMER_TWIN;
        else if (side == 1 && (e->kind == DC_EFFECT_COMMIT || e->kind == DC_EFFECT_NOTE))
            dc_byzantine_drop(e);
    }
    dc_byzantine_compact(out);
}

/* --- colluding ------------------------------------------------------------------------------- */

static bool twins_voted(struct twins *t, const struct dc_node *instance, const struct dc_block *b)
{
    const struct dc_jolteon_durable *d = &instance->validator->jolteon.durable;
    if (d->voted && d->vote.epoch == b->header.epoch && dc_hash_equal(&d->vote.block, &b->id))
        return true;
    for (uint32_t i = 0; i < VOTED_MAX; i++)
        if (dc_hash_equal(&t->voted[i], &b->id))
            return true;
    t->voted[t->voted_next++ % VOTED_MAX] = b->id;
    return false;
}

/* Whether these bytes bear the signature of the leader whose round it is: by the bytes themselves,
 * for what others have found out about the interned block depends on who was first. */
static bool twins_signed(const struct dc_node *instance, const struct dc_block *b,
                         const struct dc_payload *p, struct dc_effects *out)
{
    const struct dc_committee *c = instance->chain->committee;
    uint32_t leader = dc_committee_leader(c, b->header.round);
    struct dc_hash digest =
        dc_proposal_digest(instance->env.chain, b->header.epoch, b->header.round, &b->id);
    out->charge[DC_COST_VERIFY]++;
    return leader != UINT32_MAX && c->member[leader] == b->header.proposer &&
           dc_verify(instance->env.crypto, c->key[leader], digest.b, sizeof digest.b,
                     p->bytes + p->size - DC_SIGNATURE_BYTES);
}

/* A vote for the block of a proposal that the instance has heard and not voted for. */
static void twins_vote(struct dc_node *instance, struct dc_byzantine_part *part,
                       const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_jolteon *j = &instance->validator->jolteon;
    struct dc_block *b = dc_follow_decode(&instance->env, in->payload);
    uint64_t certified = j->chain.high_qc != NULL ? j->chain.high_qc->round : 0;
    if (b == NULL || b->header.epoch != j->chain.epoch || b->header.round <= certified ||
        j->member == UINT32_MAX || !dc_byzantine_room(out, 1) ||
        !twins_signed(instance, b, in->payload, out) ||
        !dc_byzantine_acts(part, in->payload->bytes, in->payload->size) ||
        twins_voted(part->state, instance, b))
        return;
    struct dc_vote v = {.epoch = b->header.epoch,
                        .round = b->header.round,
                        .block = b->id,
                        .commits = dc_follow_commits(b),
                        .signer = instance->id};
    struct dc_hash digest =
        dc_vote_digest(instance->env.chain, v.epoch, v.round, &v.block, &v.commits);
    dc_sign(instance->env.crypto, instance->env.key, digest.b, sizeof digest.b, v.signature);
    out->charge[DC_COST_SIGN]++;
    uint8_t bytes[DC_VOTE_MSG_BYTES];
    dc_vote_encode(&v, bytes);
    uint32_t to = dc_follow_leader(j->chain.committee, v.round + 1);
    if (to != instance->id) {
        dc_effect_send(out, to, bytes, sizeof bytes);
        return;
    }
    struct dc_payload own = {.bytes = bytes, .size = sizeof bytes, .kind = DC_MSG_VOTE};
    struct dc_input vote = *in;
    vote.from = instance->id;
    vote.gossip = false;
    vote.payload = &own;
    dc_strategy_step(instance, &vote, out);
}

/* A timeout that names no QC. */
static void twins_false_timeouts(const struct dc_node *node, struct dc_byzantine_part *part,
                                 struct dc_effects *out, uint32_t from)
{
    for (uint32_t i = from; i < out->count; i++) {
        struct dc_effect *e = &out->list[i];
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(e, &size);
        struct dc_timeout t;
        if (b == NULL || b[0] != DC_MSG_TIMEOUT || !dc_timeout_decode(b, size, &t) ||
            t.qc_round == 0 || !dc_byzantine_acts(part, b, size))
            continue;
        t.qc_round = 0;
        memset(&t.qc_digest, 0, sizeof t.qc_digest);
        struct dc_hash digest = dc_timeout_digest(node->env.chain, t.epoch, t.round, t.qc_round);
        dc_sign(node->env.crypto, node->env.key, digest.b, sizeof digest.b, t.signature);
        out->charge[DC_COST_SIGN]++;
        uint8_t *message = dc_effects_bytes(out, DC_TIMEOUT_MSG_BYTES_MAX);
        dc_byzantine_replace(e, message, dc_timeout_encode(&t, message));
    }
}

/* --- the step -------------------------------------------------------------------------------- */

/* One input at the instance of a side, and what becomes of its effects. */
static void twins_run(struct dc_node *node, struct dc_byzantine_part *part, uint32_t side,
                      const struct dc_input *in, struct dc_effects *out)
{
    struct twins *t = part->state;
    struct dc_node *instance = side == 1 ? t->second : node;
    uint32_t from = out->count;
    dc_strategy_step(instance, in, out);
    if (part->behaviour == DC_BEHAVIOUR_COLLUDE) {
        if (in->kind == DC_INPUT_MESSAGE && in->payload->kind == DC_MSG_PROPOSAL)
            twins_vote(instance, part, in, out);
        twins_false_timeouts(node, part, out, from);
    }
    twins_filter(node, part, in, out, from, side);
}

/* Which instances a message is for: bit 0 the first, bit 1 the second. */
static uint32_t twins_route(const struct dc_byzantine_part *part, const struct dc_input *in)
{
    const struct dc_payload *p = in->payload;
    struct dc_byzantine_about about;
    if (p->kind == DC_MSG_VOTE || p->kind == DC_MSG_TIMEOUT)
        return 3;
    uint32_t author = in->from;
    if (p->kind == DC_MSG_PROPOSAL && in->gossip && dc_byzantine_peek(p->bytes, p->size, &about))
        author = about.proposer;
    return dc_byzantine_victim(part, author) ? 2 : 1;
}

static void twins_open(struct dc_node *node, struct dc_byzantine_part *part,
                       const struct dc_input *in, struct dc_effects *out)
{
    const uint8_t *bytes = in->payload->bytes;
    struct dc_payload inner = {.bytes = bytes + ENVELOPE_BYTES,
                               .size = in->payload->size - (uint32_t)ENVELOPE_BYTES,
                               .kind = bytes[ENVELOPE_BYTES]};
    struct dc_input opened = *in;
    opened.gossip = false;
    opened.payload = &inner;
    twins_run(node, part, bytes[2] & 1, &opened, out);
    void *memo = atomic_load(&inner.memo);
    if (memo != NULL)
        dc_node_memo_free(inner.kind, memo);
}

static void twins_message(struct dc_node *node, struct dc_byzantine_part *part,
                          const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_payload *p = in->payload;
    if (p->kind == DC_MSG_FETCH && p->size > ENVELOPE_BYTES && p->bytes[1] == ENVELOPE_MARK &&
        dc_byzantine_member(part, in->from)) {
        twins_open(node, part, in, out);
        return;
    }
    uint32_t route = twins_route(part, in);
    for (uint32_t side = 0; side < 2; side++)
        if ((route >> side & 1) != 0)
            twins_run(node, part, side, in, out);
}

void dc_byzantine_twin_step(struct dc_node *node, struct dc_byzantine_part *part,
                            const struct dc_input *in, struct dc_effects *out)
{
    struct twins *t = part->state;
    bool restart = in->kind == DC_INPUT_RESTART || in->kind == DC_INPUT_START;
    if (!t->started || restart) {
        struct dc_input wake = *in;
        wake.kind = DC_INPUT_RESTART;
        t->started = true;
        twins_run(node, part, 1, &wake, out);
    }
    if (in->kind == DC_INPUT_MESSAGE) {
        twins_message(node, part, in, out);
    } else if (in->kind == DC_INPUT_TIMER && (in->timer & DC_TIMER_TWIN) != 0) {
        struct dc_input timer = *in;
        timer.timer ^= DC_TIMER_TWIN;
        twins_run(node, part, 1, &timer, out);
    } else {
        twins_run(node, part, 0, in, out);
    }
}

const struct dc_byzantine_class dc_byzantine_twins = {
    .name = "twins", .validators_only = true, .begin = twins_begin, .clear = twins_clear};
const struct dc_byzantine_class dc_byzantine_collude = {
    .name = "collude", .validators_only = true, .begin = twins_begin, .clear = twins_clear};
