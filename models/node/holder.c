#include "models/node/holder.h"

#include "models/base/mem.h"
#include "models/crypto/dvrf.h"
#include "models/crypto/logarithm.h"
#include "models/node/holder_impl.h"
#include "models/node/private.h"

/* Methods of the two kinds whose totals holders open: the same numbers in both (privacy/rating.h,
 * privacy/usage.h). */
#define METHOD_SHARE 2
#define METHOD_TOTAL 3

struct dc_holder *dc_holder_create(const struct dc_holder_secret *secret)
{
    struct dc_holder *h = dc_mem_alloc(1, sizeof *h);
    if (h != NULL)
        h->secret = *secret;
    return h;
}

void dc_holder_free(struct dc_holder *h)
{
    if (h != NULL)
        dc_holder_session_end(&h->session);
    dc_mem_free(h);
}

void dc_holder_restart(struct dc_node *node, const struct dc_input *in)
{
    struct dc_holder *h = node->holder;
    if (h == NULL)
        return;
    const struct dc_holder_secret secret = h->secret;
    dc_holder_session_end(&h->session);
    memset(h, 0, sizeof *h);
    h->secret = secret;
    h->life[0] = in->now_ns;
    h->life[1] = in->wall_ns;
}

bool dc_holder_suspects(const struct dc_node *node, uint32_t index)
{
    return node->holder != NULL && index < DC_KEY_HOLDERS_MAX && node->holder->suspect[index];
}

/* --- beacon ---------------------------------------------------------------------------------- */

static void holder_beacon(struct dc_node *node, const struct dc_state *state,
                          struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    const struct dc_vault_meta *m = dc_state_vault(state);
    uint64_t next = m->beacon_height + 1, now = dc_state_meta(state)->height;
    uint32_t i = h->secret.index;
    if (node->env.params->beacon != DC_BEACON_THRESHOLD || (m->beacon_from[i / 64] >> i % 64 & 1) ||
        (h->beacon_height == next && now < h->beacon_sent + DC_HOLDER_RETRY_HEIGHTS))
        return;
    uint8_t message[DC_BEACON_MESSAGE_BYTES], share[DC_DVRF_SHARE_BYTES];
    dc_beacon_message(node->env.chain, next, message);
    dc_dvrf_share(h->secret.share, message, sizeof message, share);
    out->charge[DC_COST_POINT] += 4;
    h->beacon_height = next;
    h->beacon_sent = now;
    struct dc_tx tx = {.kind = DC_TX_BEACON, .from = node->id};
    tx.beacon.height = next;
    tx.beacon.share = share;
    dc_node_submit_tx(node, &tx, out);
}

/* --- contracts that wait for decryption ------------------------------------------------------- */

static bool holder_opens(const struct dc_contract *c)
{
    return c->kind == DC_CONTRACT_USAGE || c->kind == DC_CONTRACT_RATING;
}

static void holder_call(struct dc_node *node, uint32_t id, const struct dc_contract *c,
                        uint8_t method, const void *body, size_t size, struct dc_effects *out)
{
    struct dc_tx tx = {.kind = DC_TX_CALL, .from = node->id};
    tx.call.nonce = dc_private_nonce(node);
    tx.call.fee = node->env.params->fee_private;
    tx.call.contract = id;
    tx.call.kind = c->kind;
    tx.call.method = method;
    tx.call.body = body;
    tx.call.size = (uint32_t)size;
    dc_node_submit_tx(node, &tx, out);
}

static void holder_share(struct dc_node *node, uint32_t id, const struct dc_contract *c,
                         struct dc_effects *out)
{
    uint8_t context[DC_DECRYPT_CONTEXT_BYTES], partial[DC_PARTIAL_BYTES];
    dc_decrypt_context(node->env.chain, id, context);
    out->charge[DC_COST_POINT] += 4;
    if (dc_partial_make(node->holder->secret.share, c->point[1], context, sizeof context, partial))
        holder_call(node, id, c, METHOD_SHARE, partial, sizeof partial, out);
}

static void holder_total(struct dc_node *node, const struct dc_state *state, uint32_t id,
                         const struct dc_contract *c, struct dc_effects *out)
{
    const struct dc_holder *h = node->holder;
    uint8_t opened[32], body[8];
    uint64_t total;
    if (h->secret.table == NULL || !dc_decrypt_opened(state, id, c->point[2], opened))
        return;
    out->charge[DC_COST_POINT] += dc_state_holders(state)->threshold;
    out->charge[DC_COST_LOGARITHM]++;
    if (!dc_logarithm_find(h->secret.table, opened, &total))
        return; /* above 2^32: nobody can bring it, and at its end it is over */
    dc_put64(body, total);
    holder_call(node, id, c, METHOD_TOTAL, body, sizeof body, out);
}

static bool holder_due(uint64_t sent, uint64_t now)
{
    return sent == 0 || now >= sent + DC_HOLDER_RETRY_HEIGHTS;
}

/* c waits, and its next block takes shares: what this holder does for it, when its turn is. */
static void holder_open(struct dc_node *node, const struct dc_state *state, uint32_t id,
                        const struct dc_contract *c, struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    struct holder_opening *o = &h->opening[id % HOLDER_OPENINGS_MAX];
    uint64_t now = dc_state_meta(state)->height;
    uint32_t of, rank = (h->secret.index + id) % dc_state_holders(state)->count;
    uint32_t n = dc_decrypt_shares(state, id, &of);
    if (o->contract != id)
        *o = (struct holder_opening){.contract = id};
    if (n < of) {
        if (rank >= of + (now - c->close) / DC_HOLDER_STEP_HEIGHTS || !holder_due(o->share, now) ||
            dc_decrypt_given(state, id, h->secret.index))
            return;
        o->share = now;
        holder_share(node, id, c, out);
        return;
    }
    if (o->ready == 0)
        o->ready = now;
    if (rank > (now - o->ready) / DC_HOLDER_STEP_HEIGHTS || !holder_due(o->total, now))
        return;
    o->total = now;
    holder_total(node, state, id, c, out);
}

static void holder_contracts(struct dc_node *node, const struct dc_state *state,
                             struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    uint64_t now = dc_state_meta(state)->height;
    uint32_t contracts = dc_state_vault(state)->contracts;
    bool over = true;
    for (uint32_t id = h->contracts_over; id < contracts; id++) {
        const struct dc_contract *c = dc_state_contract(state, id);
        bool waits = holder_opens(c) && c->phase != DC_CONTRACT_OVER;
        over = over && !waits;
        if (over)
            h->contracts_over = id + 1;
        if (waits && now >= c->close && now < c->end && c->word[2] != 0)
            holder_open(node, state, id, c, out);
    }
}

void dc_holder_commit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (node->holder == NULL || dc_follow_behind(node->chain))
        return;
    const struct dc_state *state = node->chain->final->state;
    if (dc_state_meta(state)->height == 0)
        return;
    holder_beacon(node, state, out);
    holder_contracts(node, state, out);
    dc_holder_grant_commit(node, state, out);
}

void dc_holder_message(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (node->holder != NULL)
        dc_holder_grant_message(node, in, out);
}
