/* Jolteon's core: the end of an epoch, from a final last block to its hand-over. */
#include "models/consensus/jolteon_impl.h"

#include "models/base/mem.h"

/* The QC that proves L final, and the seals from L up to the block that it names. */
static const struct dc_qc *closing_qc(const struct dc_jolteon *j, struct dc_block **seal,
                                      uint32_t *seals)
{
    const struct dc_follow *f = &j->chain;
    for (uint32_t i = 0; i <= f->known_count; i++) {
        const struct dc_qc *qc = i == 0 ? f->high_qc : f->known[i - 1].block->qc;
        if (qc == NULL || dc_hash_is_zero(&qc->commits))
            continue;
        *seals = 0;
        struct dc_hash id = qc->commits;
        const struct dc_follow_entry *e;
        while (!dc_hash_equal(&id, &f->final->id) && (e = dc_follow_find(f, &id)) != NULL &&
               *seals < DC_SEALS_MAX) {
            seal[(*seals)++] = e->block; /* from the top down */
            id = e->block->header.parent;
        }
        if (dc_hash_equal(&id, &f->final->id))
            return qc;
    }
    return NULL;
}

static void send_handover(const struct dc_jolteon_step *s, const struct dc_handover *h,
                          const struct dc_committee *old)
{
    const struct dc_committee *new = s->j->chain.committee;
    size_t size = 1 + (size_t)h->size;
    uint8_t *bytes = dc_effects_bytes(s->out, size);
    bytes[0] = DC_MSG_HANDOVER;
    memcpy(bytes + 1, h->bytes, h->size);
    uint32_t *to = dc_effects_bytes(s->out, (old->count + new->count) * sizeof *to);
    uint32_t count = 0;
    for (uint32_t i = 0, k = 0; i < old->count || k < new->count;) { /* a merge: both ascend */
        uint32_t a = i < old->count ? old->member[i] : UINT32_MAX;
        uint32_t b = k < new->count ? new->member[k] : UINT32_MAX;
        uint32_t next = a < b ? a : b;
        i += a == next;
        k += b == next;
        if (next != s->env->self)
            to[count++] = next;
    }
    if (count == 0)
        return;
    struct dc_effect *e = dc_effects_add(s->out, DC_EFFECT_SEND_MANY);
    e->to_list = to;
    e->to_count = count;
    e->bytes = bytes;
    e->size = (uint32_t)size;
}

bool dc_jolteon_try_hand_over(const struct dc_jolteon_step *s)
{
    struct dc_follow *f = &s->j->chain;
    const struct dc_header *h = &f->final->header;
    if (h->height != dc_epoch_last_height(f->epoch, s->env->params->epoch_blocks) ||
        h->epoch != f->epoch)
        return false;
    struct dc_block **seal = dc_mem_need(f->known_count + 1, sizeof *seal, "seals");
    uint32_t seals = 0;
    const struct dc_qc *qc = closing_qc(s->j, seal, &seals);
    bool made = false;
    if (qc != NULL) {
        for (uint32_t i = 0; i < seals / 2; i++) {
            struct dc_block *b = seal[i];
            seal[i] = seal[seals - 1 - i];
            seal[seals - 1 - i] = b;
        }
        size_t size;
        uint8_t *bytes = dc_handover_encode(f->final, seal, seals, qc, &size);
        struct dc_handover *handover = dc_handover_decode(bytes, size);
        dc_mem_free(bytes);
        DC_CHECK(handover != NULL);
        const struct dc_committee *old = f->committee;
        dc_handover_hold(handover);
        dc_handover_drop(f->pending);
        f->pending = handover; /* its QC was checked when it came or was made */
        made = dc_follow_handover(f, s->env, s->in, handover, s->out) == DC_FOLLOW_NEW;
        if (made && dc_jolteon_signs(s) &&
            (s->j->collected || dc_jolteon_answers(s, s->env->self, handover->epoch)))
            send_handover(s, handover, old);
        dc_handover_drop(handover);
    }
    dc_mem_free(seal);
    return made;
}
