/* What is kept back: WITHHOLD_VOTES, WITHHOLD_BLOCKS, WITHHOLD_VRF, SELECTIVE, CENSOR; and
 * DOUBLE_VERDICT, which says one thing too much.
 *
 * WITHHOLD_VRF.  R after an epoch's last block L decides who leads the rounds of the epoch after
 * next (models/README.md 4).  The leader of L's round makes that R with its VRF output and is the
 * first to know it.  It counts the rounds 1 .. epoch_blocks of that epoch that R would give to the
 * clique (itself where there is none), by the powers of the next epoch's committee; below
 * power / total * epoch_blocks of them it withholds L and its vote for it.  The round times out and
 * the next leader makes another R: one more draw, about a bit for each leader at the tail, for the
 * price of a proposal.  Of epoch 0 nothing is withheld, since R after it is not drawn from.  Where
 * committees are drawn by seats the powers are not known before R, and the count is of the
 * committee before: a worthless guess. */
#include "models/adversary/byzantine_impl.h"

#include "models/base/mem.h"
#include "models/posync/posync.h"

/* --- votes and blocks ------------------------------------------------------------------------ */

/* A timeout without the vote that it carries; the signature does not cover it. */
static void withhold_strip(struct dc_effect *e, const uint8_t *bytes, size_t size,
                           struct dc_effects *out)
{
    struct dc_timeout t;
    if (!dc_timeout_decode(bytes, size, &t) || !t.voted)
        return;
    t.voted = false;
    uint8_t *message = dc_effects_bytes(out, DC_TIMEOUT_MSG_BYTES_MAX);
    dc_byzantine_replace(e, message, dc_timeout_encode(&t, message));
}

static void withhold_vote(struct dc_effect *e, const uint8_t *bytes, size_t size,
                          struct dc_effects *out)
{
    if (bytes[0] == DC_MSG_VOTE)
        dc_byzantine_drop(e);
    else if (bytes[0] == DC_MSG_TIMEOUT)
        withhold_strip(e, bytes, size, out);
}

static void withhold_votes(struct dc_node *node, struct dc_byzantine_part *part,
                           const struct dc_input *in, struct dc_effects *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(&out->list[i], &size);
        if (b != NULL && (b[0] == DC_MSG_VOTE || b[0] == DC_MSG_TIMEOUT) &&
            dc_byzantine_acts(part, b, size))
            withhold_vote(&out->list[i], b, size, out);
    }
    dc_byzantine_compact(out);
}

const struct dc_byzantine_class dc_byzantine_withhold_votes = {
    .name = "withhold_votes", .validators_only = true, .edit = withhold_votes};

static bool withhold_own_block(const struct dc_node *node, const uint8_t *b, size_t size)
{
    struct dc_byzantine_about about;
    return (b[0] == DC_MSG_PROPOSAL || b[0] == DC_MSG_BLOCK_REPLY) &&
           dc_byzantine_peek(b, size, &about) && about.proposer == node->id;
}

static void withhold_blocks(struct dc_node *node, struct dc_byzantine_part *part,
                            const struct dc_input *in, struct dc_effects *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(&out->list[i], &size);
        if (b != NULL && withhold_own_block(node, b, size) && dc_byzantine_acts(part, b, size))
            dc_byzantine_drop(&out->list[i]);
    }
    dc_byzantine_compact(out);
}

const struct dc_byzantine_class dc_byzantine_withhold_blocks = {
    .name = "withhold_blocks", .validators_only = true, .edit = withhold_blocks};

/* --- the beacon ------------------------------------------------------------------------------ */

/* The latest decision about an L of this node. */
struct withhold_beacon {
    uint64_t epoch, round;
    bool withheld;
};

/* Whether the beacon gives the clique fewer rounds than its power would. */
static bool withhold_unlucky(const struct dc_node *node, const struct dc_byzantine_part *part,
                             const struct dc_block *block)
{
    uint64_t epoch = block->header.epoch;
    const struct dc_committee *next = dc_store_committee(node->env.store, block, epoch + 1);
    if (epoch == 0 || next == NULL || next->total == 0)
        return false;
    struct dc_committee c = *next; /* with the leaders of the epoch after next */
    c.epoch = epoch + 2;
    c.beacon = block->header.beacon;
    uint64_t power = 0;
    uint32_t rounds = node->env.params->epoch_blocks, led = 0;
    for (uint32_t i = 0; i < c.count; i++)
        if (c.member[i] == node->id || dc_byzantine_member(part, c.member[i]))
            power += c.power[i];
    for (uint32_t r = 1; r <= rounds; r++) {
        uint32_t leader = c.member[dc_committee_leader(&c, r)];
        led += leader == node->id || dc_byzantine_member(part, leader);
    }
    return (unsigned __int128)led * c.total < (unsigned __int128)power * rounds;
}

static void withhold_decide(const struct dc_node *node, struct dc_byzantine_part *part,
                            const uint8_t *b, size_t size)
{
    const struct dc_block *own = node->validator->jolteon.durable.proposal;
    struct dc_byzantine_about about;
    struct withhold_beacon *w = part->state;
    if (own == NULL || own->header.seal != 0 || !dc_byzantine_peek(b, size, &about) ||
        own->header.round != about.round || own->header.epoch != about.epoch ||
        own->header.height != dc_epoch_last_height(about.epoch, node->env.params->epoch_blocks))
        return;
    if (w == NULL)
        w = part->state = dc_mem_need(1, sizeof *w, "a withheld block");
    if (w->epoch == about.epoch && w->round == about.round)
        return; /* sent again */
    w->epoch = about.epoch;
    w->round = about.round;
    w->withheld = withhold_unlucky(node, part, own) && dc_byzantine_acts(part, b, size);
    part->turn += w->withheld;
}

static void withhold_vrf(struct dc_node *node, struct dc_byzantine_part *part,
                         const struct dc_input *in, struct dc_effects *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(&out->list[i], &size);
        if (b != NULL && b[0] == DC_MSG_PROPOSAL)
            withhold_decide(node, part, b, size);
    }
    const struct withhold_beacon *w = part->state;
    if (w == NULL || !w->withheld)
        return;
    for (uint32_t i = 0; i < out->count; i++) {
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(&out->list[i], &size);
        struct dc_byzantine_about about;
        if (b == NULL || !dc_byzantine_peek(b, size, &about) || about.epoch != w->epoch ||
            about.round != w->round)
            continue;
        if (withhold_own_block(node, b, size))
            dc_byzantine_drop(&out->list[i]);
        else
            withhold_vote(&out->list[i], b, size, out);
    }
    dc_byzantine_compact(out);
}

const struct dc_byzantine_class dc_byzantine_withhold_vrf = {
    .name = "withhold_vrf", .validators_only = true, .edit = withhold_vrf};

/* --- to some only ---------------------------------------------------------------------------- */

static void withhold_from_victims(const struct dc_byzantine_part *part, struct dc_effect *e,
                                  struct dc_effects *out)
{
    uint32_t *to = dc_effects_bytes(out, e->to_count * sizeof *to), count = 0;
    for (uint32_t i = 0; i < e->to_count; i++)
        if (!dc_byzantine_victim(part, e->to_list[i]))
            to[count++] = e->to_list[i];
    e->to_list = to;
    e->to_count = count;
    if (count == 0)
        dc_byzantine_drop(e);
}

static void withhold_selective(struct dc_node *node, struct dc_byzantine_part *part,
                               const struct dc_input *in, struct dc_effects *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        struct dc_effect *e = &out->list[i];
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(e, &size);
        if (b == NULL ||
            (b[0] != DC_MSG_VOTE && b[0] != DC_MSG_TIMEOUT && b[0] != DC_MSG_PROPOSAL) ||
            !dc_byzantine_acts(part, b, size))
            continue;
        if (e->kind == DC_EFFECT_BROADCAST)
            dc_byzantine_to_half(node, part, out, e, false);
        else if (e->kind == DC_EFFECT_SEND_MANY)
            withhold_from_victims(part, e, out);
        else if (dc_byzantine_victim(part, e->to))
            dc_byzantine_drop(e);
    }
    dc_byzantine_compact(out);
}

const struct dc_byzantine_class dc_byzantine_selective = {
    .name = "selective", .validators_only = true, .edit = withhold_selective};

/* --- censoring ------------------------------------------------------------------------------- */

static bool withhold_is_censored(struct dc_byzantine_part *part, const uint8_t *tx, size_t size)
{
    if (size < 5 || !dc_byzantine_victim(part, dc_get32(tx + 1)))
        return false;
    /* the same fate each time that it comes */
    return part->share == DC_ONE ||
           dc_stream_at(&part->keyed, dc_get64(tx + size - sizeof(uint64_t))) >> 33 < part->share;
}

/* What waits from victims already goes. */
static enum dc_status withhold_purge(struct dc_node *node, struct dc_byzantine_part *part,
                                     const struct dc_byzantine_config *config,
                                     struct dc_error *error)
{
    struct dc_mempool *m = &node->validator->mempool;
    struct dc_tx_view *gone = dc_mem_need((size_t)m->count + 1, sizeof *gone, "a censor");
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->count; i++)
        if (m->entry[i].size >= sizeof(uint64_t) &&
            withhold_is_censored(part, m->entry[i].bytes, m->entry[i].size))
            gone[count++] = (struct dc_tx_view){m->entry[i].bytes, m->entry[i].size};
    dc_mempool_remove(m, gone, count);
    dc_mem_free(gone);
    return DC_OK;
}

bool dc_byzantine_censors(struct dc_node *node, struct dc_byzantine_part *part,
                          const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_payload *p = in->payload;
    if (p->kind != DC_MSG_TX || p->size < 1 + sizeof(uint64_t) ||
        !withhold_is_censored(part, p->bytes + 1, p->size - 1))
        return false;
    out->charge[DC_COST_MESSAGE]++;
    out->charge[DC_COST_KIB] += p->size >> 10;
    return true;
}

const struct dc_byzantine_class dc_byzantine_censor = {
    .name = "censor", .validators_only = true, .begin = withhold_purge};

/* --- verdicts -------------------------------------------------------------------------------- */

/* Each verdict is followed by its opposite, to the same leaders. */
static void withhold_second_verdict(struct dc_node *node, struct dc_byzantine_part *part,
                                    const struct dc_input *in, struct dc_effects *out)
{
    uint32_t count = out->count;
    for (uint32_t i = 0; i < count; i++) {
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(&out->list[i], &size);
        struct dc_tx tx;
        if (b == NULL || b[0] != DC_MSG_TX || size < 2 || b[1] != DC_TX_VERDICT ||
            !dc_tx_decode(b + 1, size - 1, &tx) || tx.from != node->id ||
            !dc_byzantine_room(out, 1) || !dc_byzantine_acts(part, b, size))
            continue;
        bool passed = tx.verdict.verdict == DC_VERDICT_PASS;
        tx.verdict.verdict = passed ? DC_VERDICT_FAIL : DC_VERDICT_PASS;
        const struct dc_account *a = dc_state_account(node->chain->final->state, tx.verdict.node);
        tx.verdict.proved = passed || a == NULL ? 0 : a->posync.challenge.k;
        dc_node_submit_tx(node, &tx, out);
    }
}

const struct dc_byzantine_class dc_byzantine_double_verdict = {
    .name = "double_verdict", .validators_only = true, .edit = withhold_second_verdict};
