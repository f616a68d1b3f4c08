/* Forged blocks, votes and signatures: EQUIVOCATE, INVALID_BLOCK, INVALID_SIGNATURE, with the
 * node's own key.
 *
 *   EQUIVOCATE   a proposal and the same one nanosecond later; the vote that the node casts and one
 *                for its own second block of that round, or else for a block that nobody has
 *                   others  <- first      victims <- second      next leader <- first, as always
 *   Whoever comes to hold both makes evidence of it: a next leader among the victims does at once
 *   for votes, victims that must fetch the first block do for proposals. */
#include "models/adversary/byzantine_impl.h"

#include "models/base/mem.h"

/* --- equivocating ---------------------------------------------------------------------------- */

/* The second block of the latest round that the node led. */
struct forge_second {
    uint64_t epoch, round;
    struct dc_hash id, commits;
};

static void forge_second_vote(struct dc_node *node, struct dc_byzantine_part *part,
                              const struct dc_effect *e, const uint8_t *bytes, size_t size,
                              struct dc_effects *out)
{
    struct dc_vote vote;
    const struct forge_second *second = part->state;
    uint32_t to = e->to;
    if (!dc_vote_decode(bytes, size, &vote) || !dc_byzantine_room(out, 2))
        return;
    if (second != NULL && second->epoch == vote.epoch && second->round == vote.round) {
        vote.block = second->id;
        vote.commits = second->commits;
    } else {
        vote.block = dc_hash_bytes(DC_DOMAIN_TEST, vote.block.b, sizeof vote.block.b);
        memset(&vote.commits, 0, sizeof vote.commits);
    }
    struct dc_hash digest =
        dc_vote_digest(node->env.chain, vote.epoch, vote.round, &vote.block, &vote.commits);
    dc_sign(node->env.crypto, node->env.key, digest.b, sizeof digest.b, vote.signature);
    out->charge[DC_COST_SIGN]++;
    uint8_t *other = dc_effects_bytes(out, DC_VOTE_MSG_BYTES);
    dc_vote_encode(&vote, other);
    dc_byzantine_to_members(node, part, out, 0, to, bytes, size);
    dc_byzantine_to_members(node, part, out, 1, UINT32_MAX, other, DC_VOTE_MSG_BYTES);
}

/* The message of a second block for the same round; NULL when the first is none. */
static uint8_t *forge_second_block(struct dc_node *node, struct dc_byzantine_part *part,
                                   const uint8_t *bytes, size_t *size, struct dc_effects *out)
{
    struct dc_block *b = dc_block_decode(bytes + 1, *size - 1);
    if (b == NULL)
        return NULL;
    struct dc_block_parts parts = dc_byzantine_parts(b);
    parts.header.timestamp_ns++;
    uint8_t *second = dc_byzantine_proposal(node, &parts, out, size);
    if (part->state == NULL)
        part->state = dc_mem_need(1, sizeof(struct forge_second), "an equivocation");
    *(struct forge_second *)part->state =
        (struct forge_second){.epoch = b->header.epoch,
                              .round = b->header.round,
                              .id = dc_block_id(second + 1, *size - 1 - DC_SIGNATURE_BYTES),
                              .commits = dc_follow_commits(b)};
    dc_block_drop(b);
    return second;
}

static void forge_equivocate(struct dc_node *node, struct dc_byzantine_part *part,
                             const struct dc_input *in, struct dc_effects *out)
{
    uint32_t count = dc_byzantine_twin(node) != NULL ? 0 : out->count;
    for (uint32_t i = 0; i < count; i++) { /* blocks first: the vote may be for one of them */
        struct dc_effect *e = &out->list[i];
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(e, &size);
        if (b == NULL || b[0] != DC_MSG_PROPOSAL || !dc_byzantine_acts(part, b, size))
            continue;
        if (e->kind != DC_EFFECT_BROADCAST) {
            if (node->env.params->dissemination == DC_DISSEMINATION_DIRECT)
                dc_byzantine_drop(e); /* the broadcast that goes with it reaches everybody */
            continue;
        }
        const uint8_t *second = forge_second_block(node, part, b, &size, out);
        if (second == NULL || !dc_byzantine_room(out, 1))
            continue;
        struct dc_effect *other = dc_effects_add(out, DC_EFFECT_SEND_MANY);
        dc_byzantine_replace(other, second, size);
        dc_byzantine_to_half(node, part, out, other, true);
        dc_byzantine_to_half(node, part, out, e, false);
    }
    for (uint32_t i = 0; i < count; i++) {
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(&out->list[i], &size);
        if (b != NULL && b[0] == DC_MSG_VOTE && out->list[i].kind == DC_EFFECT_SEND &&
            dc_byzantine_acts(part, b, size))
            forge_second_vote(node, part, &out->list[i], b, size, out);
    }
    dc_byzantine_compact(out);
}

const struct dc_byzantine_class dc_byzantine_equivocate = {
    .name = "equivocate", .validators_only = true, .edit = forge_equivocate};

/* --- invalid blocks -------------------------------------------------------------------------- */

enum forge_fault {
    FORGE_STATE_ROOT,
    FORGE_TX_ROOT,
    FORGE_TX, /* a transaction of a stranger's signature more, with the root that fits */
    FORGE_TIMESTAMP,
    FORGE_FAULTS
};

/* The transactions of a block and one more; both lists are dc_mem's. */
static struct dc_tx_view *forge_bad_tx(struct dc_node *node, struct dc_block_parts *parts,
                                       struct dc_effects *out)
{
    struct dc_tx tx = {.kind = DC_TX_TRANSFER, .from = node->id};
    tx.transfer.nonce = UINT64_MAX / 2; /* far ahead of any that it will have */
    tx.transfer.amount = 1;
    tx.transfer.to = node->id;
    uint8_t *bytes = dc_effects_bytes(out, 256);
    size_t size = dc_tx_sign(node->env.crypto, node->env.chain, &node->key, &tx, bytes, 256);
    DC_CHECK(size != 0);
    bytes[size - 1 - DC_SIGNATURE_BYTES / 2] ^= 1;
    struct dc_tx_view *list =
        dc_mem_need((size_t)parts->tx_count + 1, sizeof *list, "a forged block");
    if (parts->tx_count != 0)
        memcpy(list, parts->tx, parts->tx_count * sizeof *list);
    list[parts->tx_count++] = (struct dc_tx_view){bytes, (uint32_t)size};
    parts->tx = list;
    parts->header.tx_root = dc_tx_root(list, parts->tx_count);
    return list;
}

static const uint8_t *forge_bad_block(struct dc_node *node, enum forge_fault fault,
                                      const uint8_t *bytes, size_t *size, struct dc_effects *out)
{
    struct dc_block *b = dc_block_decode(bytes + 1, *size - 1);
    if (b == NULL)
        return NULL;
    struct dc_block_parts parts = dc_byzantine_parts(b);
    struct dc_tx_view *list = NULL;
    if (b->header.seal != 0 && fault != FORGE_TIMESTAMP) /* no transaction is looked at in a seal */
        fault = FORGE_STATE_ROOT;
    switch (fault) {
    case FORGE_STATE_ROOT: parts.header.state_root.b[0] ^= 1; break;
    case FORGE_TX_ROOT: parts.header.tx_root.b[0] ^= 1; break;
    case FORGE_TX: list = forge_bad_tx(node, &parts, out); break;
    default: {
        const struct dc_block *parent = dc_follow_certified(node->chain);
        parts.header.timestamp_ns = parent->header.timestamp_ns;
        break;
    }
    }
    const uint8_t *forged = dc_byzantine_proposal(node, &parts, out, size);
    dc_mem_free(list);
    dc_block_drop(b);
    return forged;
}

static void forge_invalid_block(struct dc_node *node, struct dc_byzantine_part *part,
                                const struct dc_input *in, struct dc_effects *out)
{
    uint32_t count = out->count;
    for (uint32_t i = 0; i < count; i++) {
        struct dc_effect *e = &out->list[i];
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(e, &size);
        struct dc_byzantine_about about;
        if (b == NULL || b[0] != DC_MSG_PROPOSAL || !dc_byzantine_peek(b, size, &about) ||
            !dc_byzantine_acts(part, b, size))
            continue;
        uint64_t turn = dc_byzantine_turn(part, about.epoch, about.round);
        const uint8_t *forged =
            forge_bad_block(node, (enum forge_fault)(turn % FORGE_FAULTS), b, &size, out);
        if (forged != NULL)
            dc_byzantine_replace(e, forged, size);
    }
}

const struct dc_byzantine_class dc_byzantine_invalid_block = {
    .name = "invalid_block", .validators_only = true, .edit = forge_invalid_block};

/* --- invalid signatures ---------------------------------------------------------------------- */

/* Where the signature begins that is to be broken; 0: none. */
static size_t forge_signature_at(const uint8_t *bytes, size_t size)
{
    switch (bytes[0]) {
    case DC_MSG_PROPOSAL:
    case DC_MSG_VOTE:
    case DC_MSG_TX: return size > DC_SIGNATURE_BYTES ? size - DC_SIGNATURE_BYTES : 0;
    case DC_MSG_TIMEOUT: /* its own; that of the vote in it follows */
        return size >= DC_TIMEOUT_MSG_BYTES ? DC_TIMEOUT_MSG_BYTES - 1 - DC_SIGNATURE_BYTES : 0;
    default: return 0;
    }
}

static void forge_invalid_signature(struct dc_node *node, struct dc_byzantine_part *part,
                                    const struct dc_input *in, struct dc_effects *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        struct dc_effect *e = &out->list[i];
        size_t size = 0;
        const uint8_t *b = dc_byzantine_bytes(e, &size);
        size_t at = b != NULL ? forge_signature_at(b, size) : 0;
        if (at == 0 || !dc_byzantine_acts(part, b, size))
            continue;
        uint8_t *copy = dc_byzantine_copy(out, b, size);
        copy[at + DC_SIGNATURE_BYTES / 4] ^= 1;
        dc_byzantine_replace(e, copy, size);
    }
}

const struct dc_byzantine_class dc_byzantine_invalid_signature = {.name = "invalid_signature",
                                                                  .edit = forge_invalid_signature};
