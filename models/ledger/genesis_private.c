/* What genesis fixes for privacy: key holders, and notes of nobody for the first rings.  None of it
 * enters the digest of a chain that has neither and draws its beacon from VRFs. */
#include "models/ledger/vault_impl.h"
#include "models/privacy/decoy.h"

static bool private_off(const struct dc_genesis *g)
{
    const struct dc_params *p = &g->params;
    return p->holders == 0 && p->decoys == 0 && p->beacon == DC_BEACON_VRF && g->holders == NULL;
}

static void feed_holders(struct dc_hasher *h, const struct dc_holders *x)
{
    dc_hasher_update64(h, x->count);
    dc_hasher_update64(h, x->threshold);
    dc_hasher_update(h, x->group_key, 32);
    dc_hasher_update(h, x->treasury_key, 32);
    for (uint32_t i = 0; i < x->count; i++) {
        dc_hasher_update64(h, x->account[i]);
        dc_hasher_update(h, x->share_key[i], 32);
        dc_hasher_update(h, x->treasury_share_key[i], 32);
    }
}

void dc_genesis_private_feed(struct dc_hasher *h, const struct dc_genesis *g)
{
    if (private_off(g))
        return;
    const struct dc_params *p = &g->params;
    const uint64_t word[] = {p->beacon,   p->holders, p->threshold,   p->ring,
                             p->note_age, p->decoys,  p->fee_private, g->holders != NULL};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        dc_hasher_update64(h, word[i]);
    if (g->holders != NULL)
        feed_holders(h, g->holders);
}

static enum dc_status check_holders(const struct dc_genesis *g, struct dc_error *error)
{
    const struct dc_holders *x = g->holders;
    if (x->count != g->params.holders || x->threshold == 0 || x->threshold > x->count)
        return dc_error_set(error, DC_ERR_USAGE,
                            "genesis: keys of %u holders, of whom %u act together, where "
                            "protocol.holders is %u",
                            x->count, x->threshold, g->params.holders);
    for (uint32_t i = 0; i < x->count; i++) {
        uint32_t id = x->account[i];
        if (id >= g->accounts || !(g->account[id].roles & DC_ROLE_VALIDATOR) ||
            (i > 0 && id <= x->account[i - 1]))
            return dc_error_set(error, DC_ERR_USAGE,
                                "genesis: key holder %u is account %u: holders are validators, in "
                                "ascending order, each once",
                                i, id);
    }
    return DC_OK;
}

enum dc_status dc_genesis_private_check(const struct dc_genesis *g, struct dc_error *error)
{
    const struct dc_params *p = &g->params;
    uint32_t validators = 0;
    for (uint32_t i = 0; i < g->accounts; i++)
        validators += (g->account[i].roles & DC_ROLE_VALIDATOR) != 0;
    if (p->holders > DC_KEY_HOLDERS_MAX)
        return dc_error_set(error, DC_ERR_LIMIT, "protocol.holders: %u: at most %u are possible",
                            p->holders, DC_KEY_HOLDERS_MAX);
    if (p->holders > validators)
        return dc_error_set(error, DC_ERR_USAGE,
                            "protocol.holders: %u, but there are %u validators: holders are "
                            "validators",
                            p->holders, validators);
    if (p->threshold > p->holders)
        return dc_error_set(error, DC_ERR_USAGE,
                            "protocol.threshold: %u of %u holders: at most all of them",
                            p->threshold, p->holders);
    if (p->beacon == DC_BEACON_THRESHOLD && p->holders == 0)
        return dc_error_set(error, DC_ERR_USAGE,
                            "protocol.beacon: threshold needs protocol.holders: somebody has to "
                            "hold the shares of its key");
    if ((g->holders != NULL) != (p->holders != 0))
        return dc_error_set(error, DC_ERR_USAGE,
                            "genesis: protocol.holders is %u, and keys of holders are %s",
                            p->holders, g->holders != NULL ? "given" : "missing");
    if (p->decoys != 0 && (p->ring < 2 || p->ring > 64))
        return dc_error_set(error, DC_ERR_USAGE, "protocol.ring: %u: a ring has 2 to 64 members",
                            p->ring);
    if (p->decoys != 0 && p->decoys < p->ring)
        return dc_error_set(error, DC_ERR_USAGE,
                            "protocol.decoys: %u: at least protocol.ring (%u), or 0 for a chain "
                            "without private payments",
                            p->decoys, p->ring);
    if (p->decoys > DC_DECOYS_MAX)
        return dc_error_set(error, DC_ERR_LIMIT, "protocol.decoys: %u: at most %u are possible",
                            p->decoys, DC_DECOYS_MAX);
    return g->holders != NULL ? check_holders(g, error) : DC_OK;
}

void dc_genesis_private_make(const struct dc_genesis *g, struct dc_state *s)
{
    if (g->holders != NULL)
        s->ledger->holders = *g->holders;
    for (uint32_t i = 0; i < g->params.decoys; i++) {
        struct dc_decoy decoy;
        dc_decoy_make(&s->ledger->digest, i, &decoy);
        struct dc_vault_note *n = dc_state_note_append(s);
        memcpy(n->key, decoy.key, 32);
        memcpy(n->commitment, decoy.commitment, 32);
        memcpy(n->ephemeral, decoy.ephemeral, 32);
        memcpy(n->amount, decoy.amount, sizeof n->amount);
        n->view_tag = decoy.view_tag;
    }
}
