/* What Proof of Sync came to: the numbers of models/README.md 17 that are about cheats, challenges,
 * flags and money. */
#include <stdio.h>
#include <stdlib.h>

#include "models/anomaly/anomaly.h"
#include "models/base/mem.h"
#include "sim/world/observer.h"

/* Names by enum ds_strategy; NULL where a name is none that a node plays. */
static const char *const score_names[DS_STRATEGIES] = {
    [DS_STRATEGY_HONEST] = "honest",
    [DS_STRATEGY_GHOST] = "ghost",
    [DS_STRATEGY_PARTIAL] = "partial",
    [DS_STRATEGY_STALE] = "stale",
    [DS_STRATEGY_WASHER] = "washer",
    [DS_STRATEGY_SILENT] = "silent",
    [DS_STRATEGY_EQUIVOCATING] = "equivocating",
    [DS_STRATEGY_OUTSOURCER] = "outsourcer",
    [DS_STRATEGY_SYBIL] = "sybil",
    [DS_STRATEGY_BURST] = "burst",
    [DS_STRATEGY_LYING] = "lying",
};
#define ALL_CHEATS DS_STRATEGIES

static bool score_is_service(const struct ds_world *w, uint32_t node)
{
    return w->group[node]->role == DS_ROLE_SERVICE;
}

/* Whether a strategy of the run is of a kind; ALL_CHEATS: any but honest. */
static bool score_of_kind(const struct ds_world *w, uint32_t index, uint32_t kind)
{
    return kind == ALL_CHEATS ? index != 0 : (uint32_t)w->strategy[index].strategy == kind;
}

/* --- by strategy ------------------------------------------------------------------------------ */

static struct tally score_sum(const struct ds_world *w, uint32_t kind)
{
    struct tally sum = {0};
    for (uint32_t i = 0; i < w->strategies; i++) {
        const struct tally *t = &w->observer->tally[i];
        if (!score_of_kind(w, i, kind))
            continue;
        sum.nodes += t->nodes;
        sum.reward += t->reward;
        sum.leaked += t->leaked;
        sum.payoff += t->payoff;
        sum.washed += t->washed;
        sum.spells += t->spells;
        sum.detect_5 += t->detect_5;
        sum.detect_20 += t->detect_20;
        sum.ejected += t->ejected;
        sum.flagged += t->flagged;
        sum.mttd += t->mttd;
        sum.time_to_eject += t->time_to_eject;
    }
    return sum;
}

/* Who plays it at the end: of all staked nodes, and of the service nodes that are still in. */
static void score_players(const struct ds_world *w, uint32_t kind, uint64_t *staked,
                          uint64_t *services)
{
    *staked = *services = 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        uint32_t index = w->truth[n] & (WORLD_STRATEGIES_MAX - 1);
        if (w->group[n]->role == DS_ROLE_CLIENT || !score_of_kind(w, index, kind))
            continue;
        *staked += 1;
        *services += score_is_service(w, n) && !w->observer->fate[n].out;
    }
}

static uint64_t score_services_in(const struct ds_world *w)
{
    uint64_t count = 0;
    for (uint32_t n = 0; n < w->nodes; n++)
        count += score_is_service(w, n) && !w->observer->fate[n].out;
    return count;
}

static void score_strategy(struct ds_world *w, uint32_t kind, uint64_t services)
{
    struct tally t = score_sum(w, kind);
    uint64_t staked, in;
    score_players(w, kind, &staked, &in);
    if (t.nodes == 0 && staked == 0)
        return;
    double spells = (double)t.spells, epochs = (double)w->observer->epochs;
    const struct {
        const char *metric;
        double value;
    } rows[] = {
        {"nodes", (double)staked},
        {"detect_5", world_ratio((double)t.detect_5, spells)},
        {"detect_20", world_ratio((double)t.detect_20, spells)},
        {"mttd", world_ratio(t.mttd, spells)},
        {"time_to_eject", world_ratio(t.time_to_eject, spells)},
        {"flag_recall", world_ratio((double)t.flagged, spells)},
        {"leak_by_strategy", (double)t.leaked / 1e9},
        {"profit_by_strategy", world_ratio((double)t.payoff / 1e9, (double)t.nodes) * epochs},
        {"share_by_strategy", world_ratio((double)in, (double)services)}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char full[96];
        snprintf(full, sizeof full, "%s%s%s", rows[i].metric, kind != ALL_CHEATS ? "." : "",
                 kind != ALL_CHEATS ? score_names[kind] : "");
        world_scalar_real(w, full, rows[i].value);
    }
}

static void score_strategies(struct ds_world *w)
{
    uint64_t services = score_services_in(w), cheating = 0;
    score_strategy(w, ALL_CHEATS, services);
    for (uint32_t kind = 0; kind < DS_STRATEGIES; kind++)
        if (score_names[kind] != NULL)
            score_strategy(w, kind, services);
    for (uint32_t n = 0; n < w->nodes; n++)
        cheating += score_is_service(w, n) && !w->observer->fate[n].out &&
                    (w->truth[n] & WORLD_CHEATS) != 0;
    world_scalar_real(w, "cheat_share", world_ratio((double)cheating, (double)services));
    struct tally washers = score_sum(w, DS_STRATEGY_WASHER);
    if (washers.nodes != 0)
        world_scalar_real(w, "wash_margin",
                          ((double)washers.reward - (double)washers.washed) / 1e9 /
                              (double)washers.nodes);
}

static uint64_t score_nodes(const struct ds_world *w)
{
    uint64_t count = 0;
    for (uint32_t n = 0; n < w->nodes; n++)
        count += w->group[n]->role != DS_ROLE_CLIENT;
    return count;
}

/* --- challenges and flags --------------------------------------------------------------------- */

static void score_challenges(struct ds_world *w)
{
    const struct ds_observer *o = w->observer;
    double epochs = (double)o->epochs;
    world_scalar_count(w, "challenges_total", o->challenges);
    world_scalar_count(w, "challenges_theta", o->by_cause[0]);
    world_scalar_count(w, "challenges_audit", o->by_cause[1]);
    world_scalar_count(w, "challenges_flag", o->by_cause[2]);
    world_scalar_count(w, "challenges_escalation", o->by_cause[3]);
    world_scalar_count(w, "challenges_ready", o->by_cause[4]);
    world_scalar_count(w, "demands", o->demands);
    world_scalar_real(w, "challenge_precision",
                      world_ratio((double)o->challenges_cheat, (double)o->challenges));
    world_scalar_real(w, "challenge_load", world_ratio(o->load, epochs));
    world_scalar_real(w, "theta_mean", world_ratio(o->theta, epochs));
    world_scalar_real(w, "forecast_error", world_ratio(o->forecast_error, (double)o->forecasts));
    uint64_t from = dc_anomaly_epochs(&w->params, (uint32_t)score_nodes(w));
    world_scalar_real(w, "flags_from", from == UINT64_MAX ? NAN : (double)from);
    world_scalar_count(w, "flags_total", o->flags);
    world_scalar_count(w, "flags_false", o->flags_false);
    world_scalar_real(w, "flag_precision",
                      world_ratio((double)(o->flags - o->flags_false), (double)o->flags));
    world_scalar_real(w, "detect_fdr", world_ratio(o->fdr, epochs));
}

/* --- honest nodes ----------------------------------------------------------------------------- */

/* Sums over the honest nodes of one class of links, or all. */
struct honest {
    uint64_t settled, failed, slashed_money, slashed, equivocation, ejections, most;
    double nodes; /* service nodes, in node-epochs over epochs */
    double lost;  /* while ejected, of the mean reward */
};

static struct honest score_honest(const struct ds_world *w, uint32_t link_class)
{
    const struct ds_observer *o = w->observer;
    struct honest h = {0};
    double mean = world_ratio((double)o->honest_reward, (double)o->honest_epochs);
    for (uint32_t c = 0; c < OBSERVE_LINKS; c++)
        if (link_class == UINT32_MAX || link_class == c) {
            h.settled += o->link[c].settled;
            h.failed += o->link[c].failed;
        }
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct fate *f = &o->fate[n];
        if (w->group[n]->role == DS_ROLE_CLIENT ||
            (link_class != UINT32_MAX && w->link_class[n] != link_class))
            continue;
        h.slashed_money += f->slashed_honest;
        h.slashed += f->slashed_honest != 0;
        h.equivocation += f->slashed_equivocation;
        if (f->ejected_honest != 0 && mean > 0)
            h.lost += mean * (double)(o->epochs + 1 - f->ejected_honest);
        if (!score_is_service(w, n))
            continue;
        h.nodes += (w->truth[n] & WORLD_CHEATS) == 0;
        h.ejections += f->ejections;
        h.most = f->ejections > h.most ? f->ejections : h.most;
    }
    return h;
}

static void score_honest_rows(struct ds_world *w, const struct honest *h, const char *suffix)
{
    const struct {
        const char *metric;
        double value;
    } rows[] = {
        {"false_fail_rate", world_ratio((double)h->failed, (double)h->settled)},
        {"honest_failed", (double)h->failed},
        {"honest_slashed", (double)h->slashed},
        {"honest_ejections_per_1000", world_ratio(1000.0 * (double)h->ejections, h->nodes)}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char full[96];
        snprintf(full, sizeof full, "%s%s", rows[i].metric, suffix);
        if (i == 1 || i == 2)
            world_scalar_count(w, full, (uint64_t)rows[i].value);
        else
            world_scalar_real(w, full, rows[i].value);
    }
}

/* By class of link, counted as the groups list theirs: `.link0`, `.link1` ... */
static void score_links(struct ds_world *w)
{
    uint32_t classes = 0;
    for (size_t i = 0; i < w->scenario->groups_count; i++)
        if (w->scenario->groups[i].links_count > classes)
            classes = (uint32_t)w->scenario->groups[i].links_count;
    for (uint32_t c = 0; classes > 1 && c < classes && c < OBSERVE_LINKS; c++) {
        struct honest h = score_honest(w, c);
        char suffix[16];
        snprintf(suffix, sizeof suffix, ".link%u", c);
        score_honest_rows(w, &h, suffix);
    }
}

static void score_loss(struct ds_world *w)
{
    const struct ds_observer *o = w->observer;
    struct honest h = score_honest(w, UINT32_MAX);
    double cost = (double)o->challenges * ((double)w->params.challenge_cost +
                                           (double)w->params.fee_verdict * w->params.verifiers);
    struct dc_params upgraded = w->params;
    dc_params_upgrade(&upgraded, &w->scenario->upgrade);
    cost += (double)o->challenges_upgraded * (double)w->params.fee_verdict *
            ((double)upgraded.verifiers - w->params.verifiers);
    double pool = (double)o->pool / 100;
    double leaked = world_ratio((double)o->reward_cheats, pool);
    double slashed = world_ratio((double)h.slashed_money, pool), lost = world_ratio(h.lost, pool);
    double challenges = world_ratio(cost, pool);
    world_scalar_real(w, "loss", leaked + slashed + lost + challenges);
    world_scalar_real(w, "loss_leaked", leaked);
    world_scalar_real(w, "loss_slashed", slashed);
    world_scalar_real(w, "loss_ejected", lost);
    world_scalar_real(w, "loss_challenges", challenges);
    score_honest_rows(w, &h, "");
    world_scalar_count(w, "honest_slashed_equivocation", h.equivocation);
    world_scalar_count(w, "max_ejections_one_node", h.most);
    world_level_rows(w);
    score_links(w);
}

/* --- the world itself ------------------------------------------------------------------------- */

/* How well low utilisation tells cheats from honest nodes: the probability that a cheat's is lower,
 * ties counted half (Mann and Whitney), as of genesis; and F_u(theta). */
struct ranked {
    double u;
    bool cheat;
};
static int score_compare(const void *x, const void *y)
{
    double a = ((const struct ranked *)x)->u, b = ((const struct ranked *)y)->u;
    return a < b ? -1 : a > b;
}
static void score_worlds(struct ds_world *w)
{
    struct ranked *r = dc_mem_need(w->nodes, sizeof *r, "ranks of utilisation");
    size_t count = 0, below = 0, cheats = 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        if (!score_is_service(w, n))
            continue;
        dc_q31 u = dc_q31_ratio(w->used[n], w->capacity[n]);
        r[count++] = (struct ranked){dc_q31_to_double(u), w->cheat_first[n]};
        below += u < w->params.theta;
        cheats += r[count - 1].cheat;
    }
    qsort(r, count, sizeof *r, score_compare);
    double sum = 0; /* of pairs in which the cheat is lower */
    size_t honest_after = count - cheats;
    for (size_t i = 0; i < count;) {
        size_t j = i, c = 0, h = 0;
        for (; j < count && r[j].u == r[i].u; j++)
            *(r[j].cheat ? &c : &h) += 1;
        honest_after -= h;
        sum += (double)c * ((double)honest_after + (double)h / 2);
        i = j;
    }
    world_scalar_real(w, "theta_quantile", world_ratio((double)below, (double)count));
    world_scalar_real(w, "u_auroc", world_ratio(sum, (double)cheats * (double)(count - cheats)));
    dc_mem_free(r);
}

/* Customers' bytes on nodes that lack them, at the end. */
static void score_harm(struct ds_world *w)
{
    double at_risk = 0;
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct world_strategy *s = world_played(w, w->truth[n]);
        bool own = s->strategy == DS_STRATEGY_WASHER && w->mix[n]->strategy == DS_STRATEGY_WASHER;
        if (score_is_service(w, n) && !own && s->strategy != DS_STRATEGY_SYBIL)
            at_risk += dc_q31_to_double(world_missing(w, n, w->truth[n])) * (double)w->used[n];
    }
    world_scalar_real(w, "data_at_risk", at_risk);
    double price = (double)w->params.price_gib_epoch / 1073741824.0 * (double)w->observer->epochs;
    double pool = (double)w->observer->pool / 100;
    world_scalar_real(w, "loss_with_harm",
                      world_scalar(w, "loss") + world_ratio(at_risk * price, pool));
}

uint64_t world_cheats_found(const struct ds_world *w)
{
    uint64_t found = 0;
    for (uint32_t i = 1; i < w->strategies; i++)
        found += w->observer->tally[i].found;
    return found;
}

static void score_lift(struct ds_world *w)
{
    const struct ds_lift *l = &w->observer->lift;
    double own = world_scalar(w, "loss");
    double audits = l->loss_none - l->loss_audits; /* what they are worth: a measure if above 0 */
    world_scalar_real(w, "theta_lift", audits > 0 ? (l->loss_none - own) / audits : NAN);
    world_scalar_real(w, "lift_detections",
                      world_ratio((double)world_cheats_found(w), l->found_audits));
    world_scalar_real(w, "lift_loss_none", l->loss_none);
    world_scalar_real(w, "lift_loss_audits", l->loss_audits);
}

void world_score(struct ds_world *w)
{
    score_challenges(w);
    score_strategies(w);
    score_loss(w);
    score_worlds(w);
    score_harm(w);
    if (w->scenario->record.lift)
        score_lift(w);
}
