/* Rational nodes: each epoch some of them look at what another one earned, and imitate.
 *
 * The game is played within strata, so that like is compared with like: rational nodes of one group
 * and link class, sorted by the utilisation that they have at genesis, in equally populated parts.
 *
 *     group "sto"   class 0   u ascending:  | stratum 0 | stratum 1 | stratum 2 |
 *                   class 1                 | stratum 0 | stratum 1 | stratum 2 |
 *     member[]      ------------------------------------------------------------>
 *
 * When the first block of epoch e + 1 is final, what everyone earned in e is known.  At the next
 * full second of virtual time each member revises with probability `revise`, all at once, from what
 * was played in e; what they choose is played from e + 1 on.  A member that was ejected keeps what
 * it played and is still seen by others, as one that has no reward and has lost its deals, which is
 * what they learn from it.  What deals bring is left out of all others' payoffs: who is in is paid
 * for them whatever it plays, and like would not be compared with like.
 * Draws are keyed by (seed, node, "revision") and the epoch.  models/README.md 9. */
#include <stdlib.h>

#include "models/adversary/fermi.h"
#include "models/base/mem.h"
#include "sim/world/inside.h"
#include "sim/world/population.h"

#define NOBODY UINT32_MAX

struct world_rational {
    uint32_t members;
    struct rational_member {
        uint32_t node, first, count; /* its stratum: member[first .. first + count) */
        int64_t payoff;              /* of the epoch */
        uint64_t slashed;            /* in the epoch that runs */
        uint8_t played, next;        /* in the epoch, and from now on: truths */
        bool out;                    /* ejected */
    } * member;
    uint32_t *of;       /* per node: its place in member, or NOBODY */
    uint32_t *own_deal; /* per member: the deal with itself, DC_DEAL_NONE where it has none */
    uint64_t epoch;
    bool due; /* payoffs of `epoch` are there, and nobody has revised yet */
};

/* --- strata --------------------------------------------------------------------------------- */

struct rational_key {
    uint32_t node, group, link_class;
    dc_q31 u;
};

static int rational_compare(const void *x, const void *y)
{
    const struct rational_key *a = x, *b = y;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    if (a->link_class != b->link_class)
        return a->link_class < b->link_class ? -1 : 1;
    if (a->u != b->u)
        return a->u < b->u ? -1 : 1;
    return a->node < b->node ? -1 : a->node > b->node;
}

/* key[0..count) are one class of one group. */
static void rational_divide(struct ds_world *w, struct rational_member *m,
                            const struct rational_key *key, uint32_t from, uint32_t count)
{
    uint32_t strata = w->scenario->groups[key->group].rational.strata;
    strata = strata == 0 ? 1 : strata > count ? count : strata;
    for (uint32_t s = 0; s < strata; s++) {
        uint32_t begin = (uint32_t)((uint64_t)count * s / strata);
        uint32_t end = (uint32_t)((uint64_t)count * (s + 1) / strata);
        for (uint32_t i = begin; i < end; i++)
            m[from + i] = (struct rational_member){
                .node = key[i].node, .first = from + begin, .count = end - begin};
    }
}

static void rational_fill(struct ds_world *w, struct world_rational *r, struct rational_key *key)
{
    for (uint32_t n = 0; n < w->nodes; n++) {
        r->of[n] = NOBODY;
        if (w->mix[n] != NULL && w->mix[n]->strategy == DS_STRATEGY_RATIONAL)
            key[r->members++] =
                (struct rational_key){.node = n,
                                      .group = (uint32_t)(w->group[n] - w->scenario->groups),
                                      .link_class = w->link_class[n],
                                      .u = dc_q31_ratio(w->used[n], w->capacity[n])};
    }
    qsort(key, r->members, sizeof *key, rational_compare);
    for (uint32_t i = 0; i < r->members;) {
        uint32_t end = i + 1;
        while (end < r->members && key[end].group == key[i].group &&
               key[end].link_class == key[i].link_class)
            end++;
        rational_divide(w, r->member, &key[i], i, end - i);
        i = end;
    }
    for (uint32_t i = 0; i < r->members; i++)
        r->of[r->member[i].node] = i;
}

enum dc_status world_rational_create(struct ds_world *w, const struct world_genesis *genesis,
                                     struct dc_error *error)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < w->nodes; n++)
        count += w->mix[n] != NULL && w->mix[n]->strategy == DS_STRATEGY_RATIONAL;
    if (count == 0)
        return DC_OK;
    struct world_rational *r = w->rational = dc_mem_alloc(1, sizeof *r);
    struct rational_key *key = dc_mem_alloc(count, sizeof *key);
    if (r != NULL) {
        r->member = dc_mem_alloc(count, sizeof *r->member);
        r->of = dc_mem_alloc(w->nodes, sizeof *r->of);
        r->own_deal = dc_mem_alloc(count, sizeof *r->own_deal);
    }
    if (key == NULL || r == NULL || r->member == NULL || r->of == NULL || r->own_deal == NULL) {
        dc_mem_free(key);
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u rational nodes", count);
    }
    rational_fill(w, r, key);
    dc_mem_free(key);
    for (uint32_t i = 0; i < count; i++)
        r->own_deal[i] = DC_DEAL_NONE;
    for (uint32_t d = 0; d < genesis->deals; d++)
        if (genesis->deal[d].client == genesis->deal[d].node &&
            r->of[genesis->deal[d].node] != NOBODY)
            r->own_deal[r->of[genesis->deal[d].node]] = d;
    return DC_OK;
}

void world_rational_free(struct ds_world *w)
{
    if (w->rational == NULL)
        return;
    dc_mem_free(w->rational->member);
    dc_mem_free(w->rational->of);
    dc_mem_free(w->rational->own_deal);
    dc_mem_free(w->rational);
    w->rational = NULL;
}

/* --- payoffs -------------------------------------------------------------------------------- */

/* What an ejected node no longer earns by the deals that it began with. */
static uint64_t rational_lost(const struct ds_world *w, uint32_t node)
{
    uint64_t price = dc_muldiv(w->params.price_gib_epoch, w->used[node], (uint64_t)1 << 30);
    return price - dc_muldiv(price, w->params.take_ppm, DC_PPM);
}

void world_rational_block(struct ds_world *w, const struct dc_block *b)
{
    struct world_rational *r = w->rational;
    const struct dc_outcome *out = b->outcome;
    if (r == NULL || out == NULL)
        return;
    for (uint32_t i = 0; i < out->slash_count; i++) {
        uint32_t node = out->slash[i].node;
        if (node < w->nodes && r->of[node] != NOBODY)
            r->member[r->of[node]].slashed += out->slash[i].amount;
    }
    if (!out->first_of_epoch || b->header.epoch == 0 || out->reward == NULL)
        return;
    r->epoch = b->header.epoch - 1;
    r->due = true;
    for (uint32_t i = 0; i < r->members; i++) {
        struct rational_member *m = &r->member[i];
        const struct dc_account *a = dc_state_account(b->state, m->node);
        m->played = world_truth(w, m->node, r->epoch);
        m->payoff = m->node < out->accounts ? (int64_t)out->reward[m->node] : 0;
        m->payoff -= (int64_t)m->slashed;
        m->payoff -= (int64_t)(m->out ? rational_lost(w, m->node)
                                      : world_holding_cost(w, m->node, m->played) +
                                            world_wash_cost(w, m->node, m->played));
        m->slashed = 0;
        m->out = a == NULL || a->posync.ejected;
    }
}

/* --- revision ------------------------------------------------------------------------------- */

static uint8_t rational_truth(const struct ds_world *w, const struct ds_mix *m)
{
    uint32_t index = world_strategy_index(w, m->name);
    return (uint8_t)(index | (m->strategy != DS_STRATEGY_HONEST ? WORLD_CHEATS : 0));
}

static uint8_t rational_revise(const struct ds_world *w, const struct rational_member *m)
{
    const struct world_rational *r = w->rational;
    const struct ds_rational *rule = &w->group[m->node]->rational;
    struct dc_stream s = dc_stream(w->luck, w->identity[m->node], dc_name("revision"));
    s.counter = r->epoch * 8; /* draws of an epoch, at most */
    uint64_t whether = dc_next64(&s), how = dc_next64(&s), whom = dc_next64(&s),
             take = dc_next64(&s);
    if (how >> 33 < rule->explore) {
        size_t i = (size_t)((unsigned __int128)whom * rule->options_count >> 64);
        return rational_truth(w, &rule->options[i]);
    }
    if (whether >> 33 >= rule->revise || m->count < 2)
        return m->played;
    uint32_t i = m->first + (uint32_t)((unsigned __int128)whom * (m->count - 1) >> 64);
    i += i >= r->of[m->node]; /* anybody but itself */
    const struct rational_member *other = &r->member[i];
    double selection = rule->selection * 65536 + 0.5;
    uint32_t selection_q16 = selection >= 4294967295.0 ? UINT32_MAX : (uint32_t)selection;
    dc_q31 p = dc_fermi(m->payoff, other->payoff, w->params.issuance_service, selection_q16);
    return take >> 33 < p ? other->played : m->played;
}

/* It pays for its deal with itself while it washes, and one byte of it otherwise: its owner's own
 * transaction, sent by an event of its own. */
static void rational_meter(struct ds_world *w, const struct rational_member *m, bool washes)
{
    if (w->rational->own_deal[w->rational->of[m->node]] != DC_DEAL_NONE)
        world_post_self(w, 0, m->node, ds_kernel_now(w->kernel) + 1, EV_WASH, washes);
}

bool world_rational_wash(struct ds_world *w, uint32_t node, bool washes, struct dc_effects *out)
{
    const struct world_rational *r = w->rational;
    struct dc_node *n = w->node[node];
    const struct dc_account *a = dc_state_account(n->chain->final->state, node);
    if (r == NULL || r->of[node] == NOBODY || a == NULL)
        return false;
    uint32_t deal = r->own_deal[r->of[node]];
    const struct dc_deal *d = dc_state_deal(n->chain->final->state, deal);
    if (d == NULL)
        return false;
    struct dc_tx tx = {
        .kind = DC_TX_METER,
        .from = node,
        .meter = {.nonce = a->nonce, .paid_bytes = washes ? d->size_bytes : 1, .deal = deal}};
    dc_node_submit_tx(n, &tx, out);
    return true;
}

void world_rational_run(struct ds_world *w)
{
    struct world_rational *r = w->rational;
    if (r == NULL || !r->due)
        return;
    r->due = false;
    for (uint32_t i = 0; i < r->members; i++) {
        struct rational_member *m = &r->member[i];
        m->next = m->out ? m->played : rational_revise(w, m);
    }
    for (uint32_t i = 0; i < r->members; i++) {
        struct rational_member *m = &r->member[i];
        if (m->next == w->truth[m->node])
            continue;
        const struct world_strategy *old = world_played(w, w->truth[m->node]);
        const struct world_strategy *new = world_played(w, m->next);
        world_truth_turn(w, m->node, m->next);
        dc_strategy_turn(w->node[m->node], world_model_strategy(new->strategy),
                         world_missing(w, m->node, m->next));
        if ((old->strategy == DS_STRATEGY_WASHER) != (new->strategy == DS_STRATEGY_WASHER))
            rational_meter(w, m, new->strategy == DS_STRATEGY_WASHER);
    }
}
