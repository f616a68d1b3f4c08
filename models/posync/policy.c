/* The rules of the protocol behind the policy interface (models/README.md 6 and 7).
 *
 * Every coin is a hash of the beacon, the node and the epoch (posync.h), each with an ordinal of its
 * own: 2e audit, 2e + 1 soft theta, 2^63 + e the order of equals over budget. */
#include "models/posync/policy.h"

#include <stdlib.h>

static bool rule_below(const struct dc_policy_view *view, const struct dc_posync *r)
{
    bool observed = r->u_defined && r->u < view->theta;
    bool forecast = r->seen != 0 && r->forecast < view->theta;
    switch (view->params->trigger) {
    case DC_TRIGGER_FORECAST: return forecast;
    case DC_TRIGGER_EITHER: return observed || forecast;
    default: return observed;
    }
}

static uint8_t rule_whom(const struct dc_policy_view *view, const struct dc_posync *r, uint32_t id)
{
    const struct dc_params *p = view->params;
    uint64_t audit = 2 * view->epoch, soft = audit + 1;
    uint8_t causes = 0;
    if (rule_below(view, r) &&
        (p->soft == DC_ONE ||
         dc_posync_coin(dc_posync_chance(DC_DOMAIN_COIN, view->beacon, id, soft), p->soft)))
        causes |= DC_CAUSE_THETA;
    if (r->flagged)
        causes |= DC_CAUSE_FLAG;
    if (dc_posync_coin(dc_posync_chance(DC_DOMAIN_COIN, view->beacon, id, audit), p->audit))
        causes |= DC_CAUSE_AUDIT;
    if (r->escalated && p->escalation)
        causes |= DC_CAUSE_ESCALATION;
    if (r->undecided)
        causes |= DC_CAUSE_RETRY;
    if (p->ready && view->outlook != NULL && dc_policy_strained(p, view->outlook))
        causes |= DC_CAUSE_READY;
    return causes;
}

/* k for the load that a node would receive: k times forecast demand over present demand, rounded
 * up, and k at least; without a present demand, `most`. */
static uint64_t rule_ready_k(const struct dc_outlook *o, uint64_t k, uint64_t most)
{
    if (o->forecast <= o->demand)
        return k;
    if (o->demand == 0)
        return most;
    unsigned __int128 up = (unsigned __int128)k * o->forecast + (o->demand - 1);
    up /= o->demand;
    return up < most ? (uint64_t)up : most;
}

static uint8_t rule_how_hard(const struct dc_policy_view *view, const struct dc_posync *r,
                             uint8_t causes, const struct dc_hash *nonce)
{
    const struct dc_params *p = view->params;
    uint64_t k_max = p->k_max < UINT8_MAX ? p->k_max : UINT8_MAX, k = p->k;
    if (p->difficulty == DC_DIFFICULTY_HISTORY)
        k = dc_history_samples(p->f_min, dc_history_aim(p, r), (uint32_t)k_max);
    uint64_t harder = k;
    if (causes & DC_CAUSE_FLAG)
        harder = k * p->rigor;
    if ((causes & DC_CAUSE_READY) && view->outlook != NULL) {
        uint64_t ready = rule_ready_k(view->outlook, k, k_max);
        harder = ready > harder ? ready : harder;
    }
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_COIN, nonce->b, sizeof nonce->b);
    if (dc_posync_coin(dc_hash_u64(&h), p->k_max_chance))
        harder = k_max;
    if (harder < p->k_min)
        harder = p->k_min;
    return (uint8_t)(harder > k_max ? k_max : harder);
}

static uint8_t rule_how_many(const struct dc_policy_view *view, const struct dc_posync *r,
                             uint8_t causes)
{
    const struct dc_params *p = view->params;
    uint32_t n = p->verifiers;
    if ((causes & DC_CAUSE_FLAG) && p->verifiers_flagged > n)
        n = p->verifiers_flagged;
    return (uint8_t)(n < DC_VERIFIERS_MAX ? n : DC_VERIFIERS_MAX);
}

/* A height without load weighs four times the most loaded one: more than that, and a quiet height
 * would tell nodes when they will be asked. */
#define RULE_QUIET_LEAST 256u
#define RULE_QUIET_MORE (3 * RULE_QUIET_LEAST)

static void rule_when(const struct dc_policy_view *view, uint32_t slots, uint32_t *weight)
{
    uint32_t most = 0;
    bool quiet = view->params->quiet && view->load != NULL;
    for (uint32_t i = 0; i < slots && quiet; i++)
        most = view->load[i] > most ? view->load[i] : most;
    for (uint32_t i = 0; i < slots; i++)
        weight[i] = most == 0 ? 1
                              : RULE_QUIET_LEAST + (uint32_t)((uint64_t)RULE_QUIET_MORE *
                                                              (most - view->load[i]) / most);
}

/* Who is not believed - failed and has not passed since, or has never passed - is not paid what it
 * could be: a mean reward is at stake, lest newcomers and suspects wait for ever. */
static dc_policy_rank rule_which(const struct dc_policy_view *view, const struct dc_posync *r,
                                 uint8_t causes, uint64_t at_stake)
{
    uint64_t mean = view->params->issuance_service;
    dc_policy_rank rank = 0;
    if ((r->escalated || r->passed == 0) && at_stake < mean)
        at_stake = mean;
    if (at_stake == 0)
        at_stake = 1;
    if (view->params->order == DC_ORDER_UCB)
        rank = (dc_policy_rank)dc_history_bound(view->params, r) * at_stake;
    if (view->params->order == DC_ORDER_OLDEST)
        rank = UINT32_MAX - r->asked;
    if (causes & DC_CAUSE_FLAG)
        rank |= (dc_policy_rank)1 << 127;
    return rank;
}

const struct dc_policy dc_policy_rule = {"rule",        rule_whom, rule_how_hard,
                                         rule_how_many, rule_when, rule_which};

const struct dc_policy *dc_policy_of(const struct dc_params *p)
{
    return &dc_policy_rule;
}

dc_q31 dc_policy_theta(const struct dc_params *p, dc_q31 moved, dc_q31 median_u)
{
    switch (p->theta_mode) {
    case DC_THETA_RELATIVE: {
        uint64_t theta = (uint64_t)p->theta_multiple_ppm * median_u / DC_PPM;
        return theta < DC_ONE ? (dc_q31)theta : DC_ONE;
    }
    case DC_THETA_ADAPTIVE: return moved;
    default: return p->theta;
    }
}

static int policy_compare_q31(const void *a, const void *b)
{
    dc_q31 x = *(const dc_q31 *)a, y = *(const dc_q31 *)b;
    return (x > y) - (x < y);
}

dc_q31 dc_policy_median(dc_q31 *u, uint32_t n)
{
    if (n == 0)
        return 0;
    qsort(u, n, sizeof *u, policy_compare_q31);
    return u[(n - 1) / 2];
}

dc_q31 dc_policy_control(const struct dc_params *p, dc_q31 theta, uint32_t below, uint32_t of)
{
    if (p->theta_mode != DC_THETA_ADAPTIVE || of == 0)
        return theta;
    /* gain (target of - below) / of, over the common denominator 2^31 of */
    __int128 missed = (__int128)p->load_target * of - ((__int128)below << 31);
    __int128 scale = (__int128)of << 31;
    __int128 sum = ((__int128)theta * scale + missed * p->load_gain) * 2 + scale;
    __int128 moved = sum < 0 ? 0 : sum / (2 * scale);
    return moved < DC_ONE ? (dc_q31)moved : DC_ONE;
}

bool dc_policy_strained(const struct dc_params *p, const struct dc_outlook *o)
{
    return ((unsigned __int128)o->forecast << 31) > (unsigned __int128)o->capacity * p->ready_ratio;
}

static int policy_compare_urgency(const void *a, const void *b)
{
    const struct dc_policy_candidate *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank > y->rank ? -1 : 1;
    if (x->tie != y->tie)
        return x->tie < y->tie ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int policy_compare_id(const void *a, const void *b)
{
    const struct dc_policy_candidate *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

uint32_t dc_policy_choose(const struct dc_hash *beacon, uint64_t epoch, uint32_t budget,
                          struct dc_policy_candidate *list, uint32_t count)
{
    if (budget != 0 && budget < count) {
        for (uint32_t i = 0; i < count; i++)
            list[i].tie =
                dc_posync_chance(DC_DOMAIN_COIN, beacon, list[i].id, ((uint64_t)1 << 63) | epoch);
        qsort(list, count, sizeof *list, policy_compare_urgency);
        count = budget;
    }
    if (count > 1)
        qsort(list, count, sizeof *list, policy_compare_id);
    return count;
}
