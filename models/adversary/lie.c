#include "models/adversary/lie.h"

#include "models/base/mem.h"
#include "models/posync/posync.h"

/* The verdict that this step submitted, whether to other leaders or to its own pool; both are
 * undone.  False: there was none. */
static bool lie_take(struct dc_node *node, struct dc_effects *out, struct dc_tx *tx)
{
    struct dc_mempool *m = &node->validator->mempool;
    struct dc_tx_view view = {NULL, 0};
    uint32_t kept = 0;
    for (uint32_t i = 0; i < out->count; i++) {
        const struct dc_effect *e = &out->list[i];
        bool said = e->kind == DC_EFFECT_SEND_MANY && e->payload == NULL && e->size > 1 &&
                    e->bytes[0] == DC_MSG_TX && e->bytes[1] == DC_TX_VERDICT;
        if (said)
            view = (struct dc_tx_view){e->bytes + 1, e->size - 1};
        else
            out->list[kept++] = *e;
    }
    out->count = kept;
    const struct dc_pooled *last = m->count != 0 ? &m->entry[m->count - 1] : NULL;
    if (view.bytes == NULL && last != NULL && last->kind == DC_TX_VERDICT) {
        uint8_t *copy = dc_effects_bytes(out, last->size);
        memcpy(copy, last->bytes, last->size);
        view = (struct dc_tx_view){copy, last->size};
    }
    if (view.bytes == NULL || !dc_tx_decode(view.bytes, view.size, tx) || tx->from != node->id)
        return false;
    dc_mempool_remove(m, &view, 1);
    return true;
}

static void lie_turn(const struct dc_node *node, struct dc_tx *tx)
{
    const struct dc_state *state = node->chain->final->state;
    const struct dc_account *a = dc_state_account(state, tx->verdict.node);
    const struct dc_account *own = dc_state_account(state, node->id);
    const struct dc_challenge *c = &a->posync.challenge;
    uint8_t saw = tx->verdict.verdict;
    if (saw == DC_VERDICT_PASS) {
        tx->verdict.verdict = DC_VERDICT_FAIL;
        tx->verdict.proved = 0;
        return;
    }
    tx->verdict.verdict = DC_VERDICT_PASS;
    tx->verdict.proved = c->height == tx->verdict.height ? c->k : 0;
    if (saw == DC_VERDICT_FAIL)
        return;
    int64_t deadline_ns = dc_posync_deadline_ns(node->env.params, c->k) +
                          dc_state_allowance_ns(state, own->region, a->region);
    tx->verdict.response_us = (uint32_t)(deadline_ns / 2000);
    if (saw == DC_VERDICT_SILENT) {
        uint8_t text[36] = {0};
        dc_put32(text, node->id);
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_VERDICT, text, sizeof text);
        memcpy(tx->verdict.binding, h.b, sizeof tx->verdict.binding);
    }
}

void dc_lie_edit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    /* Where verdicts come from; in such a step nothing else is signed and put on chain. */
    bool may = (in->kind == DC_INPUT_MESSAGE && in->payload->kind == DC_MSG_ANSWER) ||
               (in->kind == DC_INPUT_TIMER && in->timer >> 56 == DC_TIMER_VERIFIER);
    struct dc_tx tx;
    if (node->validator == NULL || !may || out->charge[DC_COST_SIGN] == 0 ||
        !lie_take(node, out, &tx))
        return;
    out->charge[DC_COST_SIGN]--;
    lie_turn(node, &tx);
    dc_node_submit_tx(node, &tx, out);
}
