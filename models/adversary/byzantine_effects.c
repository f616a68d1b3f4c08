/* What the behaviours share: looking at effects, changing them, sending to some, signing blocks.
 *
 * An effect that is to go is marked as a note of kind 0, which nobody tells, and taken out by
 * dc_byzantine_compact: indices stay good while a list is being walked. */
#include "models/adversary/byzantine_impl.h"

#include "models/base/mem.h"

#define ROOM_LEFT 24 /* for what other edits and timers add in the same step */

const uint8_t *dc_byzantine_bytes(const struct dc_effect *e, size_t *size)
{
    if (e->kind != DC_EFFECT_SEND && e->kind != DC_EFFECT_SEND_MANY &&
        e->kind != DC_EFFECT_BROADCAST)
        return NULL;
    *size = e->payload != NULL ? e->payload->size : e->size;
    return *size == 0 ? NULL : e->payload != NULL ? e->payload->bytes : e->bytes;
}

bool dc_byzantine_peek(const uint8_t *bytes, size_t size, struct dc_byzantine_about *about)
{
    size_t skip = bytes[0] == DC_MSG_BLOCK_REPLY ? 2 : 1;
    about->kind = bytes[0];
    switch (bytes[0]) {
    case DC_MSG_PROPOSAL:
    case DC_MSG_BLOCK_REPLY:
        if (size < skip + DC_HEADER_BYTES)
            return false;
        about->height = dc_get64(bytes + skip);
        about->epoch = dc_get64(bytes + skip + 8);
        about->round = dc_get64(bytes + skip + 16);
        about->proposer = dc_get32(bytes + skip + 64); /* after the parent and the timestamp */
        return true;
    case DC_MSG_VOTE:
    case DC_MSG_TIMEOUT:
        if (size < 17)
            return false;
        about->height = 0;
        about->proposer = UINT32_MAX;
        about->epoch = dc_get64(bytes + 1);
        about->round = dc_get64(bytes + 9);
        return true;
    default: return false;
    }
}

static bool effects_bit(const uint64_t *set, uint32_t nodes, uint32_t node)
{
    return node < nodes && (set[node / 64] >> node % 64 & 1) != 0;
}

bool dc_byzantine_victim(const struct dc_byzantine_part *part, uint32_t node)
{
    return effects_bit(part->victims, part->nodes, node);
}

bool dc_byzantine_member(const struct dc_byzantine_part *part, uint32_t node)
{
    return effects_bit(part->clique, part->nodes, node);
}

/* --- drawing --------------------------------------------------------------------------------- */

bool dc_byzantine_acts(struct dc_byzantine_part *part, const uint8_t *bytes, size_t size)
{
    if (part->share == DC_ONE)
        return true;
    struct dc_byzantine_about a;
    uint64_t draw = dc_byzantine_peek(bytes, size, &a)
                        ? dc_stream_at(&part->keyed, dc_mix64(a.epoch) + a.round)
                        : dc_next64(&part->stream);
    return draw >> 33 < part->share;
}

uint64_t dc_byzantine_turn(struct dc_byzantine_part *part, uint64_t epoch, uint64_t round)
{
    if (part->epoch != epoch || part->round != round)
        part->turn++;
    part->epoch = epoch;
    part->round = round;
    return part->turn;
}

/* --- changing effects ------------------------------------------------------------------------ */

bool dc_byzantine_room(const struct dc_effects *out, uint32_t more)
{
    return out->count + more + ROOM_LEFT <= DC_EFFECTS_MAX;
}

void dc_byzantine_replace(struct dc_effect *e, const uint8_t *bytes, size_t size)
{
    e->bytes = bytes;
    e->size = (uint32_t)size;
    e->payload = NULL;
    e->object = NULL;
}

uint8_t *dc_byzantine_copy(struct dc_effects *out, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = dc_effects_bytes(out, size);
    memcpy(copy, bytes, size);
    return copy;
}

void dc_byzantine_drop(struct dc_effect *e)
{
    *e = (struct dc_effect){.kind = DC_EFFECT_NOTE};
}

void dc_byzantine_compact(struct dc_effects *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < out->count; i++)
        if (out->list[i].kind != DC_EFFECT_NOTE || out->list[i].timer != 0)
            out->list[kept++] = out->list[i];
    out->count = kept;
}

void dc_byzantine_to_half(const struct dc_node *node, const struct dc_byzantine_part *part,
                          struct dc_effects *out, struct dc_effect *e, bool victims)
{
    uint32_t *to = dc_effects_bytes(out, part->nodes * sizeof *to), count = 0;
    for (uint32_t n = 0; n < part->nodes; n++)
        if (n != node->id && dc_byzantine_victim(part, n) == victims)
            to[count++] = n;
    if (count == 0) {
        dc_byzantine_drop(e);
        return;
    }
    e->kind = DC_EFFECT_SEND_MANY;
    e->to_list = to;
    e->to_count = count;
}

void dc_byzantine_to_members(const struct dc_node *node, const struct dc_byzantine_part *part,
                             struct dc_effects *out, uint32_t half, uint32_t but,
                             const uint8_t *bytes, size_t size)
{
    const struct dc_committee *c = node->chain->committee;
    uint32_t *to = dc_effects_bytes(out, c->count * sizeof *to), count = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        uint32_t n = c->member[i];
        if (n != node->id && n != but && (half == 2 || dc_byzantine_victim(part, n) == (half == 1)))
            to[count++] = n;
    }
    if (count == 0 || !dc_byzantine_room(out, 1))
        return;
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND_MANY);
    e->bytes = bytes;
    e->size = (uint32_t)size;
    e->to_list = to;
    e->to_count = count;
}

/* --- blocks ---------------------------------------------------------------------------------- */

struct dc_block_parts dc_byzantine_parts(const struct dc_block *b)
{
    return (struct dc_block_parts){.header = b->header,
                                   .qc = b->qc,
                                   .tc = b->tc,
                                   .handover = b->handover,
                                   .tx_count = b->tx_count,
                                   .tx = b->tx};
}

uint8_t *dc_byzantine_proposal(const struct dc_node *node, const struct dc_block_parts *parts,
                               struct dc_effects *out, size_t *size)
{
    size_t block = dc_block_encoded_size(parts);
    *size = 1 + block + DC_SIGNATURE_BYTES;
    uint8_t *bytes = dc_effects_bytes(out, *size);
    bytes[0] = DC_MSG_PROPOSAL;
    (void)dc_block_encode(parts, bytes + 1);
    struct dc_hash id = dc_block_id(bytes + 1, block);
    struct dc_hash digest =
        dc_proposal_digest(node->env.chain, parts->header.epoch, parts->header.round, &id);
    dc_sign(node->env.crypto, node->env.key, digest.b, sizeof digest.b, bytes + 1 + block);
    out->charge[DC_COST_SIGN]++;
    return bytes;
}
