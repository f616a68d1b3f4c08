#include "models/ledger/epochs.h"
#include "models/ledger/state_impl.h"

/* The committee of an epoch, drawn from accounts and R.
 *
 *   seats = 0   every validator with weight, power w = bond * lock * g(S)
 *   seats > 0   that many draws with replacement in proportion to w; power = seats won
 *
 * Draws are 64-bit words of a hash chain of (R, epoch, counter), by rejection, so that no weight is
 * favoured by rounding.  A committee and its arrays are one allocation, kept for the store's
 * life. */

uint64_t dc_committee_weight(const struct dc_params *p, const struct dc_account *a)
{
    uint64_t locked = dc_muldiv(a->bond, p->lock_tier_ppm[a->lock_tier & 3], DC_PPM);
    return dc_q31_of(locked, dc_posync_influence(p, a->posync.score));
}

/* A uniform number in [0, limit): the ordinal-th hash of (R, epoch, ordinal), by rejection. */
static uint64_t committee_below(enum dc_domain domain, const struct dc_hash *beacon, uint64_t epoch,
                                uint64_t round, uint64_t limit, uint64_t *tries)
{
    uint8_t text[56];
    memcpy(text, beacon->b, 32);
    dc_put64(text + 32, epoch);
    dc_put64(text + 40, round);
    uint64_t floor = (0 - limit) % limit; /* 2^64 mod limit */
    for (;;) {
        dc_put64(text + 48, (*tries)++);
        struct dc_hash h = dc_hash_bytes(domain, text, sizeof text);
        for (uint32_t i = 0; i < 4; i++) {
            unsigned __int128 m = (unsigned __int128)dc_get64(h.b + 8 * i) * limit;
            if ((uint64_t)m >= floor)
                return (uint64_t)(m >> 64);
        }
    }
}

/* First index whose cumulative power exceeds x. */
static uint32_t committee_at(const uint64_t *cumulative, uint32_t count, uint64_t x)
{
    uint32_t lo = 0, hi = count - 1;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (cumulative[mid] > x)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* Candidates: ids and cumulative weights, of those who may validate in the epoch's first block. */
static uint32_t committee_candidates(const struct dc_ledger *l, const struct dc_tree *accounts,
                                     uint64_t epoch, uint32_t *id, uint64_t *cumulative)
{
    uint64_t first = epoch * l->params.epoch_blocks + 1, sum = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < accounts->count; i++) {
        const struct dc_account *a = dc_tree_get(accounts, i);
        uint64_t weight = dc_committee_weight(&l->params, a);
        if (weight == 0 || !dc_account_may(a, first, DC_ROLE_VALIDATOR))
            continue;
        sum = dc_add_money(sum, weight);
        id[count] = i;
        cumulative[count++] = sum;
    }
    return count;
}

static struct dc_committee_entry *committee_new(uint32_t count)
{
    size_t bytes = sizeof(struct dc_committee_entry) + count * (sizeof(uint32_t) + 16 + 64) + 8;
    struct dc_committee_entry *e = dc_mem_need(1, bytes, "a committee");
    struct dc_committee *c = &e->committee;
    uint64_t *p = (uint64_t *)(e + 1);
    c->count = count;
    c->power = p;
    c->cumulative = p + count;
    c->key = (const uint8_t(*)[32])(p + 2 * count);
    c->vrf_key = c->key + count;
    c->member = (const uint32_t *)(c->vrf_key + count);
    return e;
}

static void committee_remember(struct dc_ledger *l, struct dc_committee_entry *e)
{
    if (l->committee_count == l->committee_max) {
        uint32_t max = l->committee_max == 0 ? 16 : 2 * l->committee_max;
        void *p = dc_mem_grow(l->committee, max, sizeof *l->committee);
        DC_CHECK(p != NULL);
        l->committee = p;
        l->committee_max = max;
    }
    l->committee[l->committee_count++] = e;
}

const struct dc_committee *dc_committee_draw(struct dc_ledger *l, const struct dc_tree *accounts,
                                             uint64_t epoch, const struct dc_hash *beacon,
                                             uint32_t *hashes)
{
    *hashes += accounts->count + l->params.seats;
    for (uint32_t i = l->committee_count; i-- > 0;) {
        struct dc_committee_entry *e = l->committee[i];
        if (e->committee.epoch == epoch && dc_hash_equal(&e->source, &accounts->hash) &&
            dc_hash_equal(&e->committee.beacon, beacon))
            return &e->committee;
    }
    uint32_t *id = dc_mem_need(accounts->count, sizeof *id, "a committee");
    uint64_t *cumulative = dc_mem_need(accounts->count, sizeof *cumulative, "a committee");
    uint32_t *won = dc_mem_need(accounts->count, sizeof *won, "a committee");
    uint32_t candidates = committee_candidates(l, accounts, epoch, id, cumulative);
    uint32_t members = l->params.seats == 0 ? candidates : 0;
    uint64_t tries = 0;
    for (uint32_t i = 0; candidates != 0 && i < l->params.seats; i++) {
        uint64_t x = committee_below(DC_DOMAIN_COMMITTEE, beacon, epoch, 0,
                                     cumulative[candidates - 1], &tries);
        members += won[committee_at(cumulative, candidates, x)]++ == 0;
    }
    struct dc_committee_entry *e = committee_new(members);
    struct dc_committee *c = &e->committee;
    e->source = accounts->hash;
    c->epoch = epoch;
    c->beacon = *beacon;
    for (uint32_t i = 0, m = 0; i < candidates; i++) {
        uint64_t weight = cumulative[i] - (i == 0 ? 0 : cumulative[i - 1]);
        uint64_t power = l->params.seats == 0 ? weight : won[i];
        if (power == 0)
            continue;
        const struct dc_account *a = dc_tree_get(accounts, id[i]);
        c->total += power;
        ((uint32_t *)c->member)[m] = id[i];
        ((uint64_t *)c->power)[m] = power;
        ((uint64_t *)c->cumulative)[m] = c->total;
        memcpy((void *)c->key[m], a->sign_key, 32);
        memcpy((void *)c->vrf_key[m], a->vrf_key, 32);
        m++;
    }
    c->quorum = (uint64_t)((unsigned __int128)c->total * 2 / 3) + 1;
    if (DC_MUTANT(&l->params, QUORUM_SMALL) && c->count != 0)
        c->quorum -= c->total / c->count;
    c->root = dc_committee_root(c);
    dc_mem_free(id);
    dc_mem_free(cumulative);
    dc_mem_free(won);
    committee_remember(l, e);
    return c;
}

const struct dc_committee *dc_committee_known(const struct dc_ledger *l, uint64_t epoch)
{
    const struct dc_committee *found = NULL;
    for (uint32_t i = 0; i < l->committee_count; i++) {
        if (l->committee[i]->committee.epoch != epoch)
            continue;
        if (found != NULL)
            return NULL;
        found = &l->committee[i]->committee;
    }
    return found;
}

void dc_committee_free_all(struct dc_ledger *l)
{
    for (uint32_t i = 0; i < l->committee_count; i++)
        dc_mem_free(l->committee[i]);
    dc_mem_free(l->committee);
    l->committee = NULL;
    l->committee_count = l->committee_max = 0;
}

uint32_t dc_committee_index(const struct dc_committee *c, uint32_t account)
{
    uint32_t lo = 0, hi = c->count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (c->member[mid] < account)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->count && c->member[lo] == account ? lo : UINT32_MAX;
}

uint32_t dc_committee_leader(const struct dc_committee *c, uint64_t round)
{
    if (c->total == 0)
        return UINT32_MAX;
    if (c->script != NULL && round - 1 < c->script_count)
        return c->script[round - 1];
    uint64_t tries = 0;
    uint64_t x = committee_below(DC_DOMAIN_LEADER, &c->beacon, c->epoch, round, c->total, &tries);
    return committee_at(c->cumulative, c->count, x);
}
