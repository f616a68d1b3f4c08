#include "models/adversary/adversary.h"

#include "models/adversary/byzantine_impl.h"
#include "models/adversary/lie.h"
#include "models/adversary/outsource.h"
#include "models/adversary/thief.h"
#include "models/base/mem.h"
#include "models/wire/consensus_msg.h"

typedef void adversary_edit(struct dc_node *node, const struct dc_input *in,
                            struct dc_effects *out);

/* The bytes that an effect sends, or NULL when it sends none. */
static const uint8_t *adversary_bytes(const struct dc_effect *e, size_t *size)
{
    if (e->kind != DC_EFFECT_SEND && e->kind != DC_EFFECT_SEND_MANY &&
        e->kind != DC_EFFECT_BROADCAST)
        return NULL;
    *size = e->payload != NULL ? e->payload->size : e->size;
    return e->payload != NULL ? e->payload->bytes : e->bytes;
}

static void adversary_silent(struct dc_node *node, const struct dc_input *in,
                             struct dc_effects *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        size_t size;
        const uint8_t *b = adversary_bytes(&out->list[i], &size);
        bool drop = b != NULL && (b[0] == DC_MSG_VOTE || b[0] == DC_MSG_TIMEOUT ||
                                  b[0] == DC_MSG_PROPOSAL || b[0] == DC_MSG_HANDOVER);
        if (!drop)
            out->list[kept++] = out->list[i];
    }
    out->count = kept;
}

/* --- stale ---------------------------------------------------------------------------------- */

struct adversary_stale {
    uint32_t size;
    uint8_t bytes[256];
};

static void adversary_stale(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        struct dc_effect *e = &out->list[i];
        size_t size;
        const uint8_t *b = adversary_bytes(e, &size);
        if (b == NULL || b[0] != DC_MSG_TX || size < 2 || b[1] != DC_TX_HEARTBEAT ||
            size > sizeof((struct adversary_stale *)0)->bytes)
            continue;
        struct adversary_stale *old = node->adversary;
        if (old == NULL)
            old = node->adversary = dc_mem_need(1, sizeof *old, "an adversary");
        uint8_t fresh[sizeof old->bytes];
        memcpy(fresh, b, size);
        if (old->size != 0) {
            uint8_t *copy = dc_effects_bytes(out, old->size);
            memcpy(copy, old->bytes, old->size);
            e->bytes = copy;
            e->size = old->size;
        }
        memcpy(old->bytes, fresh, size);
        old->size = (uint32_t)size;
    }
}

/* --- equivocating --------------------------------------------------------------------------- */

/* A second vote of the same round, for a block that nobody has. */
static void adversary_second_vote(struct dc_node *node, const struct dc_effect *e,
                                  const uint8_t *bytes, size_t size, struct dc_effects *out)
{
    struct dc_vote vote;
    if (!dc_vote_decode(bytes, size, &vote))
        return;
    vote.block = dc_hash_bytes(DC_DOMAIN_TEST, vote.block.b, sizeof vote.block.b);
    memset(&vote.commits, 0, sizeof vote.commits);
    struct dc_hash digest =
        dc_vote_digest(node->env.chain, vote.epoch, vote.round, &vote.block, &vote.commits);
    dc_sign(node->env.crypto, node->env.key, digest.b, sizeof digest.b, vote.signature);
    uint8_t second[DC_VOTE_MSG_BYTES];
    dc_vote_encode(&vote, second);
    dc_effect_send(out, e->to, second, sizeof second);
}

/* A second proposal of the same round: one nanosecond later, otherwise the same. */
static void adversary_second_proposal(struct dc_node *node, const uint8_t *bytes, size_t size,
                                      struct dc_effects *out)
{
    struct dc_block *b = dc_block_decode(bytes + 1, size - 1);
    if (b == NULL)
        return;
    struct dc_block_parts parts = {.header = b->header,
                                   .qc = b->qc,
                                   .tc = b->tc,
                                   .handover = b->handover,
                                   .tx_count = b->tx_count,
                                   .tx = b->tx};
    if (!b->header.seal)
        parts.header.timestamp_ns++;
    size_t encoded = dc_block_encoded_size(&parts);
    uint8_t *second = dc_effects_bytes(out, 1 + encoded + DC_SIGNATURE_BYTES);
    second[0] = DC_MSG_PROPOSAL;
    dc_block_encode(&parts, second + 1);
    struct dc_hash id = dc_block_id(second + 1, encoded);
    struct dc_hash digest =
        dc_proposal_digest(node->env.chain, b->header.epoch, b->header.round, &id);
    dc_sign(node->env.crypto, node->env.key, digest.b, sizeof digest.b, second + 1 + encoded);
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_BROADCAST);
    e->bytes = second;
    e->size = (uint32_t)(1 + encoded + DC_SIGNATURE_BYTES);
    dc_block_drop(b);
}

static void adversary_equivocate(struct dc_node *node, const struct dc_input *in,
                                 struct dc_effects *out)
{
    uint32_t count = out->count;
    for (uint32_t i = 0; i < count; i++) {
        size_t size;
        const uint8_t *b = adversary_bytes(&out->list[i], &size);
        if (b == NULL || out->list[i].payload != NULL)
            continue;
        if (b[0] == DC_MSG_VOTE && out->list[i].kind == DC_EFFECT_SEND)
            adversary_second_vote(node, &out->list[i], b, size, out);
        else if (b[0] == DC_MSG_PROPOSAL && out->list[i].kind == DC_EFFECT_BROADCAST)
            adversary_second_proposal(node, b, size, out);
    }
}

/* --- burst ---------------------------------------------------------------------------------- */

void dc_strategy_turn(struct dc_node *node, enum dc_strategy strategy, dc_q31 missing)
{
    struct dc_service_state *service = node->service;
    dc_mem_free(node->adversary);
    node->adversary = NULL;
    node->strategy = (uint8_t)strategy;
    if (service == NULL)
        return;
    service->storage.disk.missing = missing;
    service->storage.disk.filler_only = strategy == DC_STRATEGY_SYBIL;
    dc_mem_free(service->answer);
    service->answer = NULL;
    service->answer_size = 0;
}

static void adversary_burst(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    bool commit = false;
    for (uint32_t i = 0; i < out->count; i++)
        commit = commit || out->list[i].kind == DC_EFFECT_COMMIT;
    const struct dc_account *own =
        commit ? dc_state_account(node->chain->final->state, node->id) : NULL;
    if (own == NULL || own->posync.score < node->turn_score)
        return;
    dc_strategy_turn(node, DC_STRATEGY_GHOST, DC_ONE);
    dc_effect_note(out, DC_NOTE_TURNED, DC_STRATEGY_GHOST, own->posync.score);
}

/* --- the table ------------------------------------------------------------------------------ */

static const struct {
    adversary_edit *edit;
    /* Asked first: true when the input was not for the node beneath. */
    bool (*take)(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
} adversary_table[] = {
    [DC_STRATEGY_HONEST] = {NULL, NULL},
    [DC_STRATEGY_GHOST] = {NULL, NULL},
    [DC_STRATEGY_PARTIAL] = {NULL, NULL},
    [DC_STRATEGY_WASHER] = {NULL, NULL},
    [DC_STRATEGY_SYBIL] = {NULL, NULL},
    [DC_STRATEGY_STALE] = {adversary_stale, NULL},
    [DC_STRATEGY_SILENT] = {adversary_silent, NULL},
    [DC_STRATEGY_EQUIVOCATING] = {adversary_equivocate, NULL},
    [DC_STRATEGY_OUTSOURCER] = {dc_outsource_edit, dc_outsource_take},
    [DC_STRATEGY_BURST] = {adversary_burst, NULL},
    [DC_STRATEGY_LYING] = {dc_lie_edit, NULL},
    [DC_STRATEGY_INFLATOR] = {NULL, dc_thief_take},
    [DC_STRATEGY_FORGER] = {NULL, dc_thief_take},
    [DC_STRATEGY_DOUBLE_SPENDER] = {dc_thief_edit, NULL},
    [DC_STRATEGY_REPLAYER] = {dc_thief_edit, NULL},
};

void dc_strategy_step(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    uint8_t strategy = node->strategy;
    if (adversary_table[strategy].take != NULL && adversary_table[strategy].take(node, in, out))
        return;
    dc_node_step(node, in, out);
    if (adversary_table[strategy].edit != NULL)
        adversary_table[strategy].edit(node, in, out);
}

void dc_adversary_step(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (__builtin_expect(node->byzantine != NULL, 0))
        dc_byzantine_step(node, in, out);
    else
        dc_strategy_step(node, in, out);
}
