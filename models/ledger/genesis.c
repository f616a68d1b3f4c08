#include "models/ledger/execute.h"
#include "models/ledger/vault_impl.h"

/* The state before the first block: accounts and deals as given, committees of epochs 0 and 1,
 * T(0). */

#define GENESIS_FEED(hasher, ...)                                                                  \
    do {                                                                                           \
        const uint64_t word[] = {__VA_ARGS__};                                                     \
        for (size_t i_ = 0; i_ < sizeof word / sizeof word[0]; i_++)                               \
            dc_hasher_update64(hasher, word[i_]);                                                  \
    } while (0)

/* Everything that genesis fixes beside accounts and deals, with the parameters in force: in the meta
 * leaf of every state. */
static void genesis_feed(struct dc_hasher *h, const struct dc_params *p, uint64_t chain)
{
    GENESIS_FEED(h, chain, p->epoch_blocks, p->seats, (uint64_t)p->block_interval_ns,
                 (uint64_t)p->clock_skew_ns, (uint64_t)p->delay_typical_ns,
                 (uint64_t)p->delay_max_ns, p->block_bytes_max, p->g_min, p->dissemination);
    GENESIS_FEED(h, p->weight_s_ppm, p->weight_a_ppm, p->weight_u_ppm, p->weight_q_ppm, p->lambda,
                 p->score_newcomer, p->kappa, p->heartbeat_every, p->heartbeat_lifetime,
                 p->lag_halving, p->ablate);
    GENESIS_FEED(h, p->theta, p->trigger, p->theta_mode, p->theta_multiple_ppm, p->load_target,
                 p->load_gain, p->audit, p->soft, p->escalation, p->verifiers, p->k, p->k_min,
                 p->k_max, p->k_max_chance, p->rigor, p->verifiers_flagged, p->holt_level,
                 p->holt_trend, p->ready, p->ready_ratio, p->quiet, p->difficulty, p->history_keep,
                 p->f_min, p->p_hi, p->p_lo, p->budget, p->order, p->ucb_ppm,
                 (uint64_t)p->deadline_base_ns, (uint64_t)p->deadline_per_k_ns, p->answer_heights,
                 p->abandon_heights, p->sprt_p0, p->sprt_p1, p->sprt_alpha, p->sprt_beta);
    GENESIS_FEED(h, p->detectors, p->fdr, p->anomaly_window, p->combine, p->calibration,
                 p->ewma_warmup, p->bond_min_validator, p->bond_min_service, p->bond_per_unit,
                 p->issuance_service, p->issuance_validator, p->burn_ppm, p->base_share_ppm,
                 p->take_ppm, p->epsilon_ppm, p->price_gib_epoch, p->fee_inclusion, p->fee_verdict,
                 p->slash_first_ppm, p->slash_repeat_ppm, p->slash_fund_ppm, p->unbonding_epochs,
                 p->eject_lock_epochs, p->probation, p->lock_tier_ppm[0], p->lock_tier_ppm[1],
                 p->lock_tier_ppm[2], p->lock_tier_ppm[3]);
}
#undef GENESIS_FEED

static struct dc_hash genesis_digest(const struct dc_genesis *g, const struct dc_params *p,
                                     uint64_t chain)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_GENESIS);
    genesis_feed(&h, p, chain);
    dc_hasher_update64(&h, g->regions);
    for (size_t i = 0; i < (size_t)g->regions * g->regions; i++)
        dc_hasher_update64(&h, (uint64_t)g->allowance_ns[i]);
    dc_hasher_update(&h, g->registrar_key, 32);
    static const uint8_t nobody[32];
    if (memcmp(g->root_key, nobody, sizeof nobody) != 0)
        dc_hasher_update(&h, g->root_key, 32);
    dc_hasher_update(&h, g->beacon.b, 32);
    dc_genesis_private_feed(&h, g);
    return dc_hasher_final(&h);
}

static enum dc_status genesis_check_params(const struct dc_params *p, struct dc_error *error)
{
    if (p->epoch_blocks < 3 || p->lag_halving == 0 || 16 % p->lag_halving != 0 ||
        p->verifiers > DC_VERIFIERS_MAX || p->verifiers_flagged > DC_VERIFIERS_MAX ||
        p->k_min == 0 || p->k_max > 255 || p->k_min > p->k_max)
        return dc_error_set(
            error, DC_ERR_USAGE,
            "protocol: epoch_blocks at least 3, lag_halving a divisor of 16, verifiers "
            "and verifiers_flagged at most %d, 1 <= k_min <= k_max <= 255",
            DC_VERIFIERS_MAX);
    return DC_OK;
}

enum dc_status dc_ledger_upgrade(struct dc_ledger *l, const struct dc_upgrade *upgrade,
                                 struct dc_error *error)
{
    struct dc_params params = l->params;
    dc_params_upgrade(&params, upgrade);
    enum dc_status status = genesis_check_params(&params, error);
    if (status != DC_OK)
        return status;
    l->upgrade_epoch = upgrade->epoch == 0 ? UINT64_MAX : upgrade->epoch;
    l->upgraded = params;
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_GENESIS);
    dc_hasher_update(&h, l->digest.b, 32);
    genesis_feed(&h, &l->upgraded, l->chain);
    l->upgraded_digest = dc_hasher_final(&h);
    return DC_OK;
}

static enum dc_status genesis_check(const struct dc_genesis *g, struct dc_error *error)
{
    const struct dc_params *p = &g->params;
    uint32_t validators = 0;
    for (uint32_t i = 0; i < g->accounts; i++) {
        validators += (g->account[i].roles & DC_ROLE_VALIDATOR) != 0;
        if (g->account[i].region >= g->regions || g->account[i].lock_tier > 3)
            return dc_error_set(error, DC_ERR_USAGE,
                                "genesis: account %u: no such region or lock tier", i);
    }
    if (validators == 0)
        return dc_error_set(error, DC_ERR_USAGE, "genesis: no validators: at least one is needed");
    if ((p->seats == 0 || p->seats > DC_MEMBERS_MAX) && validators > DC_MEMBERS_MAX)
        return dc_error_set(
            error, DC_ERR_LIMIT,
            "protocol.seats: a committee of %u validators: set seats between 1 and %u", validators,
            DC_MEMBERS_MAX);
    if (g->regions == 0 || g->regions > DC_REGIONS_MAX)
        return dc_error_set(error, DC_ERR_LIMIT, "genesis: %u regions: 1 to %u are possible",
                            g->regions, DC_REGIONS_MAX);
    enum dc_status status = genesis_check_params(p, error);
    if (status != DC_OK)
        return status;
    for (uint32_t i = 0; i < g->deals; i++)
        if (g->deal[i].client >= g->accounts || g->deal[i].node >= g->accounts)
            return dc_error_set(error, DC_ERR_USAGE, "genesis: deal %u: no such account", i);
        else if (g->deal[i].paid_bytes > g->deal[i].size_bytes)
            return dc_error_set(error, DC_ERR_USAGE,
                                "genesis: deal %u: pays for more than its size", i);
    return dc_genesis_private_check(g, error);
}

/* Parameters with what is derived where it was left 0: the price at which a full mean node's work
 * costs twice a mean reward. */
static struct dc_params genesis_params(const struct dc_genesis *g)
{
    struct dc_params p = g->params;
    uint64_t services = 0;
    unsigned __int128 capacity = 0;
    for (uint32_t i = 0; i < g->accounts; i++) {
        services += (g->account[i].roles & DC_ROLES_SERVICE) != 0;
        capacity += g->account[i].capacity_bytes;
    }
    if (p.price_gib_epoch == 0 && capacity >> 30 != 0)
        p.price_gib_epoch =
            (uint64_t)((unsigned __int128)2 * p.issuance_service * services / (capacity >> 30));
    return p;
}

static void genesis_accounts(const struct dc_genesis *g, struct dc_state *s)
{
    struct dc_meta *m = &s->meta;
    for (uint32_t i = 0; i < g->accounts; i++) {
        struct dc_account *a = dc_state_append(s);
        *a = g->account[i];
        a->deal_last = DC_DEAL_NONE;
        a->used_bytes = a->used_chunks = 0;
        m->minted = dc_add_money(m->minted, dc_add_money(a->balance, a->bond));
        for (uint32_t j = 0; j < DC_UNBONDING_MAX; j++)
            m->minted = dc_add_money(m->minted, a->unbonding[j].amount);
        m->validators += (a->roles & DC_ROLE_VALIDATOR) != 0;
        m->services += (a->roles & DC_ROLES_SERVICE) != 0;
    }
}

static enum dc_status genesis_deals(const struct dc_genesis *g, struct dc_state *s,
                                    struct dc_error *error)
{
    struct dc_meta *m = &s->meta;
    for (uint32_t i = 0; i < g->deals; i++) {
        const struct dc_account *node = dc_state_account(s, g->deal[i].node);
        uint64_t chunks = (g->deal[i].size_bytes + DC_CHUNK_BYTES - 1) / DC_CHUNK_BYTES, paid;
        if (chunks > node->capacity_bytes / DC_CHUNK_BYTES - node->used_chunks)
            return dc_error_set(error, DC_ERR_USAGE, "genesis: deal %u: node %u has no room for it",
                                i, g->deal[i].node);
        if (__builtin_mul_overflow(g->deal[i].price, g->deal[i].end_epoch, &paid) ||
            paid > UINT64_MAX / 4)
            return dc_error_set(error, DC_ERR_USAGE, "genesis: deal %u: its price is too large", i);
        m->minted = dc_add_money(m->minted, paid);
        m->escrow = dc_add_money(m->escrow, paid);
        dc_state_deal_append(s, g->deal[i]);
        const struct dc_deal *deal = dc_state_deal(s, i);
        if (deal->end_epoch == 0)
            dc_state_edit(s, deal->node)->used_bytes -= deal->paid_bytes;
    }
    return DC_OK;
}

enum dc_status dc_genesis_state(const struct dc_genesis *g, struct dc_ledger *l,
                                struct dc_state **out, struct dc_error *error)
{
    dc_forest_init(&l->accounts, &dc_state_account_class);
    dc_forest_init(&l->deals, &dc_state_deal_class);
    dc_forest_init(&l->tallies, &dc_state_tally_class);
    dc_forest_init(&l->reports, &dc_state_report_class);
    dc_vault_forests_init(l);
    enum dc_status status = genesis_check(g, error);
    if (status != DC_OK)
        return status;
    l->params = genesis_params(g);
    l->regions = g->regions;
    size_t cells = (size_t)g->regions * g->regions;
    l->allowance_ns = dc_mem_alloc(cells, sizeof *l->allowance_ns);
    if (l->allowance_ns == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for the genesis state");
    memcpy(l->allowance_ns, g->allowance_ns, cells * sizeof *l->allowance_ns);
    memcpy(l->registrar_key, g->registrar_key, 32);
    memcpy(l->root_key, g->root_key, 32);
    l->digest = genesis_digest(g, &l->params, l->chain);
    status = dc_ledger_upgrade(l, &g->upgrade, error);
    if (status != DC_OK)
        return status;

    uint32_t nodes = 0;
    for (uint32_t i = 0; i < g->accounts; i++)
        nodes += (g->account[i].roles & (DC_ROLE_VALIDATOR | DC_ROLES_SERVICE)) != 0;
    uint32_t every = dc_posync_heartbeat_every(&l->params, nodes);
    uint32_t most = g->accounts / DC_TALLY_GROUP + 1; /* so that few places stay empty */
    l->tally_stride = every < most ? every : most;
    struct dc_state *s = dc_state_new(l);
    if (l->params.detectors != 0)
        s->anomaly = dc_anomaly_create(&l->params, g->accounts);
    s->meta.beacon = g->beacon;
    s->meta.theta = l->params.theta;
    genesis_accounts(g, s);
    dc_genesis_private_make(g, s);
    status = genesis_deals(g, s, error);
    s->meta.heartbeat_every = s->meta.heartbeat_every_before =
        dc_posync_heartbeat_every(&l->params, s->meta.validators + s->meta.services);
    dc_tree_commit(&l->accounts, &s->accounts);
    uint32_t hashes = 0;
    s->committee[1] = dc_committee_draw(l, &s->accounts, 0, &g->beacon, &hashes);
    s->committee[0] = dc_committee_draw(l, &s->accounts, 1, &g->beacon, &hashes);
    s->past = dc_tree_hold(&s->accounts);
    s->work = dc_work_new(l, 0, s->committee[1]->count);
    dc_assign_epoch(s, &g->beacon, NULL);
    dc_state_commit(s);
    *out = s;
    if (status == DC_OK)
        return DC_OK;
    dc_state_drop(s);
    *out = NULL;
    return status;
}

void dc_ledger_free(struct dc_ledger *l)
{
    dc_committee_free_all(l);
    dc_forest_free(&l->accounts);
    dc_forest_free(&l->deals);
    dc_forest_free(&l->tallies);
    dc_forest_free(&l->reports);
    dc_vault_forests_free(l);
    dc_mem_free(l->allowance_ns);
}
