/* A town of rational service nodes where the slash alone decides, and the closed form of what a
 * cheat earns there.  models/README.md 15.
 *
 *     epoch   e            e+1             e+2                    e+3
 *     cheat   first asking second asking   demand stands          (slashed in its first block:
 *             missed       missed: no      unanswered: slash,     counts with e+2)
 *                          reward          and perhaps asked again
 *
 * Scores stand still (lambda 0, kappa 1), so that work is paid at its cap, which is
 * w = (1 - epsilon) take 2 u; nobody is ejected; every demand has a heartbeat in its time. */
#ifndef TESTS_WORLD_DETERRENCE_H
#define TESTS_WORLD_DETERRENCE_H

#include "tests/world/run.h"

#define TOWN_SERVICES 300
#define TOWN_VALIDATORS 4
#define TOWN_FIRST 5 /* epochs before the first slashes are due tell nothing */

static const double town_bond = 1000, town_holding = 0.3, town_audit = 0.5, town_used = 0.4;
static const double town_work = 0.9 * 0.25 * 2 * 0.4;

static const char *const town =
    "name: town\n"
    "crypto: modelled\n"
    "network: {latency: 20 ms, jitter: none, loss: 0, overlay: {kind: k_regular, degree: 4}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, count: 300, capacity: 1 TiB, bond: 1000 DSYNC,\n"
    "     utilisation: constant(0.4), strategy: rational,\n"
    "     rational: {options: {honest: 0.5, ghost: 0.5}, explore: 0, strata: 1}}\n"
    "  - {name: cli, role: client, count: 2, demand: {arrivals: none}}\n"
    "protocol: {epoch_blocks: 12, heartbeat_every: 8, answer_heights: 12, abandon_heights: 1200,\n"
    "  theta: 0, audit: 0.5, escalation: off, detectors: [], base_share: 0, take: 25 %,\n"
    "  lambda: 0, kappa: 1, probation: 0,\n"
    "  sprt_p0: 0.5, sprt_p1: 0.50001, sprt_alpha: 0.00001}\n";

/* Per epoch of a cheat: challenges failed, and slashes.  miss = E[1 - (1-f)^k] over difficulties,
 * miss_twice = E[(1 - (1-f)^k)^2]; turn: its chance of being honest an epoch later. */
struct town_rates {
    double fail, slash;
};

static inline struct town_rates town_rates(double miss, double miss_twice, double turn)
{
    double first = town_audit / (1 + (1 - turn) * town_audit * miss);
    double fail = (1 - turn) * first * miss_twice;
    return (struct town_rates){fail, (1 - turn) * fail};
}

/* The slash, in DSYNC, at which a ghost of the town earns as much as an honest node. */
static inline double town_bound(double turn)
{
    struct town_rates r = town_rates(1, 1, turn);
    return (town_holding - r.fail * town_work) / r.slash;
}

static inline struct run town_run(double slash, unsigned seed, const char *const *more,
                                  bool results)
{
    char first[64], repeat[64], of[32];
    snprintf(first, sizeof first, "protocol.slash_first=%.6f", slash / town_bond);
    snprintf(repeat, sizeof repeat, "protocol.slash_repeat=%.6f", slash / town_bond);
    snprintf(of, sizeof of, "seed=%u", seed);
    struct run_how how = {.set = {first, repeat, of}, .results = results};
    for (size_t i = 0; more[i] != NULL; i++)
        how.set[3 + i] = more[i];
    struct run r = run_text(town, &how);
    run_invariants(&r);
    return r;
}

/* --- payoffs where nobody turns ------------------------------------------------------------- */

#define TOWN_BURN_IN 12
#define TOWN_PAID_EPOCHS 45

struct town_payoffs {
    double measured, closed,
        error; /* cheat's less honest node's, DSYNC per epoch; standard error */
};

/* Per service node: mean payoff of an epoch after TOWN_BURN_IN; bonds tell the slashes. */
static inline void town_payoff_each(const struct run *r, double cost_cheat, double payoff[],
                                    bool cheat[])
{
    uint64_t n = r->scenario->nodes_count, epochs = ds_results_size(r->results, "epoch");
    uint64_t *strategy = run_column(r, "/node_epoch/strategy", epochs, n, DS_U64);
    uint64_t *reward = run_column(r, "/node_epoch/reward", epochs, n, DS_U64);
    uint64_t *bond = run_column(r, "/node_epoch/bond", epochs, n, DS_U64);
    for (uint64_t i = 0; i < TOWN_SERVICES; i++) {
        uint64_t at = TOWN_VALIDATORS + i;
        double sum = 0;
        for (uint64_t e = TOWN_BURN_IN; e < epochs; e++)
            sum += (double)reward[e * n + at];
        sum -= (double)(bond[(TOWN_BURN_IN - 1) * n + at] - bond[(epochs - 1) * n + at]);
        cheat[i] = strategy[at] != 0;
        payoff[i] =
            sum / 1e9 / (double)(epochs - TOWN_BURN_IN) - (cheat[i] ? cost_cheat : town_holding);
    }
    free(strategy);
    free(reward);
    free(bond);
}

/* Cheats lack 30 % and are asked for 4 chunks, now and then for 32: they pass often enough that
 * second chances, passes and the base share after a failure all count.
 *
 *     honest  w + R - c
 *     cheat   w (1 - fail) + R ((1-m2) + (m2-fail) u) - c (1-f) - slash L,
 *
 * since the last challenge of a cheat was failed with probability m2, and then base share is paid
 * for what is used only; R = base_share N / sum of these weights.  The error is that of the cheats'
 * mean over nodes. */
static inline struct town_payoffs town_payoffs(unsigned seed)
{
    const double f = 0.3, base_share = 0.3, slash = 0.4;
    struct run r = town_run(
        slash, seed,
        (const char *const[]){"nodes.sto.rational.options={honest: 0.5, partial(0.3): 0.5}",
                              "nodes.sto.rational.revise=0", "protocol.k=4",
                              "protocol.base_share=0.3", "duration=45 epochs", NULL},
        true);
    double payoff[TOWN_SERVICES], sum[2] = {0, 0}, count[2] = {0, 0}, square = 0;
    bool cheat[TOWN_SERVICES];
    town_payoff_each(&r, town_holding * (1 - f), payoff, cheat);
    run_end(&r);
    for (int i = 0; i < TOWN_SERVICES; i++) {
        sum[cheat[i]] += payoff[i];
        count[cheat[i]]++;
    }
    double mean[2] = {sum[0] / count[0], sum[1] / count[1]};
    for (int i = 0; i < TOWN_SERVICES; i++)
        square += cheat[i] ? (payoff[i] - mean[1]) * (payoff[i] - mean[1]) : 0;
    double miss4 = 1 - pow(1 - f, 4), miss32 = 1 - pow(1 - f, 32);
    double m1 = 0.9 * miss4 + 0.1 * miss32;
    double m2 = 0.9 * miss4 * miss4 + 0.1 * miss32 * miss32;
    struct town_rates rate = town_rates(m1, m2, 0);
    double weight = 1 - m2 + (m2 - rate.fail) * town_used;
    double base = base_share * TOWN_SERVICES / (count[0] + count[1] * weight);
    double halfway = (TOWN_BURN_IN + TOWN_PAID_EPOCHS) / 2.0,
           shrunk = slash / town_bond * rate.slash;
    return (struct town_payoffs){.measured = mean[1] - mean[0],
                                 .closed = base * weight - base - town_work * rate.fail +
                                           town_holding * f -
                                           rate.slash * slash * (1 - shrunk * halfway),
                                 .error = sqrt(square / (count[1] - 1) / count[1])};
}

/* --- the share of cheats -------------------------------------------------------------------- */

/* How much the share of cheats grew from epoch TOWN_FIRST to the last one. */
static inline double town_growth(double slash, unsigned seed, const char *const *more)
{
    struct run r = town_run(slash, seed, more, true);
    uint64_t n = r.scenario->nodes_count, epochs = ds_results_size(r.results, "epoch");
    uint64_t *strategy = run_column(&r, "/node_epoch/strategy", epochs, n, DS_U64);
    int64_t grown = 0;
    for (uint64_t i = TOWN_VALIDATORS; i < TOWN_VALIDATORS + TOWN_SERVICES; i++)
        grown += (strategy[(epochs - 1) * n + i] != 0) - (strategy[TOWN_FIRST * n + i] != 0);
    free(strategy);
    run_end(&r);
    return (double)grown / TOWN_SERVICES;
}

#endif
