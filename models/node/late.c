#include "models/node/late.h"

#include "models/base/mem.h"
#include "models/node/node.h"

/* How long votes for one block are gathered: the spread of one-way delays over the world. */
static const int64_t late_gather_ns = 300000000;

void dc_late_free(struct dc_late *l)
{
    dc_mem_free(l->vote);
    memset(l, 0, sizeof *l);
}

void dc_late_vote(struct dc_late *l, struct dc_node *node, const struct dc_vote *vote,
                  const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_follow_entry *e = dc_follow_find(node->chain, &vote->block);
    uint32_t member = dc_committee_index(node->chain->committee, vote->signer);
    if (e == NULL || e->block->header.seal || member == UINT32_MAX)
        return;
    if (l->count != 0 && !dc_hash_equal(&l->block, &vote->block))
        dc_late_timer(l, node, out);
    if (l->count == 0) {
        l->block = vote->block;
        l->height = e->block->header.height;
        dc_effect_timer(out, in->now_ns + late_gather_ns,
                        (uint64_t)DC_TIMER_LATE << 56 | l->height);
    }
    if (l->count == l->count_max) {
        uint32_t grown = l->count_max == 0 ? 16 : 2 * l->count_max;
        uint8_t *more = dc_mem_grow(l->vote, grown, DC_LATE_VOTE_BYTES);
        if (more == NULL)
            return;
        l->vote = more;
        l->count_max = grown;
    }
    uint32_t i = l->count;
    for (; i > 0; i--) {
        const uint8_t *before = l->vote + (i - 1) * DC_LATE_VOTE_BYTES;
        if (dc_get16(before) == member)
            return;
        if (dc_get16(before) < member)
            break;
    }
    uint8_t *at = l->vote + i * DC_LATE_VOTE_BYTES;
    memmove(at + DC_LATE_VOTE_BYTES, at, (l->count - i) * DC_LATE_VOTE_BYTES);
    dc_put16(at, (uint16_t)member);
    memcpy(at + 2, vote->signature, DC_SIGNATURE_BYTES);
    l->count++;
}

void dc_late_timer(struct dc_late *l, struct dc_node *node, struct dc_effects *out)
{
    if (l->count == 0)
        return;
    struct dc_tx tx = {.kind = DC_TX_VOTES, .from = node->id};
    tx.votes.height = l->height;
    tx.votes.votes = l->vote;
    tx.votes.votes_size = l->count * (uint32_t)DC_LATE_VOTE_BYTES;
    dc_node_submit_tx(node, &tx, out);
    dc_late_free(l);
}
