#include "models/adversary/thief.h"

#include "models/client/wallet.h"
#include "models/privacy/tamper.h"
#include "models/wire/tx.h"

/* Payments that one block gives a replayer to send again, at most. */
#define THIEF_REPLAYS 4u

bool dc_thief_take(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (node->wallet != NULL)
        node->wallet->bend = node->strategy == DC_STRATEGY_INFLATOR ? dc_tamper_inflate
                             : node->strategy == DC_STRATEGY_FORGER ? dc_tamper_forge
                                                                    : NULL;
    (void)in;
    (void)out;
    return false;
}

/* The same notes once more, to itself; it goes to those whom the first one went to, after it or
 * before it as `made` has it. */
static void thief_spend_again(struct dc_node *node, uint32_t payment, struct dc_effects *out)
{
    struct dc_wallet *w = node->wallet;
    struct dc_client_env env = {node->client_config, node->chain->final->state, dc_node_submit,
                                node};
    struct dc_wallet_order o = {.to = &w->keys.address,
                                .change = &w->keys.address,
                                .fee = dc_state_params(env.state)->fee_private,
                                .number = ~w->made};
    uint8_t bytes[DC_TRANSFER_BYTES_MAX], key[2][32];
    uint64_t in = 0;
    for (uint32_t i = 0; i < w->count && o.notes < DC_TRANSFER_INPUTS_MAX; i++) {
        if (w->note[i].spending != payment + 1)
            continue;
        o.note[o.notes++] = &w->note[i];
        in += w->note[i].amount;
    }
    if (o.notes == 0 || in < o.fee)
        return;
    o.amount = in - o.fee;
    uint32_t before = out->count;
    size_t size = dc_wallet_pay(&env, w->seed, &o, bytes, key, out);
    if (size == 0)
        return;
    dc_node_submit(node, bytes, size, out);
    if (w->made % 2 == 0 && before > 0 && out->count == before + 1) { /* ahead of the first */
        struct dc_effect swap = out->list[before];
        out->list[before] = out->list[before - 1];
        out->list[before - 1] = swap;
    }
}

static void thief_double(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (in->kind != DC_INPUT_CALL || in->call->kind != DC_CALL_PAY)
        return;
    for (uint32_t i = 0; i < DC_WALLET_PAYMENTS_MAX; i++) {
        const struct dc_wallet_payment *p = &node->wallet->payment[i];
        if (p->live && p->notes != 0 && p->called_ns == in->now_ns && p->tries == 1)
            thief_spend_again(node, i, out);
    }
}

static void thief_replay(struct dc_node *node, struct dc_effects *out)
{
    uint32_t count = out->count, sent = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (out->list[i].kind != DC_EFFECT_COMMIT)
            continue;
        const struct dc_block *b = out->list[i].object;
        for (uint32_t k = 0; k < b->tx_count && sent < THIEF_REPLAYS; k++)
            if (b->tx[k].bytes[0] == DC_TX_SHIELDED) {
                dc_node_submit(node, b->tx[k].bytes, b->tx[k].size, out);
                sent++;
            }
    }
}

void dc_thief_edit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (node->wallet == NULL)
        return;
    if (node->strategy == DC_STRATEGY_DOUBLE_SPENDER)
        thief_double(node, in, out);
    else if (node->strategy == DC_STRATEGY_REPLAYER)
        thief_replay(node, out);
}
