/* Every parameter of the protocol, in one flat struct: what genesis fixes and state carries.
 *
 * Numbers in brackets are defaults (models/README.md gives their sources).  Money is in base
 * units; the economic defaults are stated in mean service rewards per node and epoch, which
 * `issuance_service` defines (1 DSYNC).  The scenario table (sim/scenario/table.c) fills it. */
#ifndef MODELS_BASE_PARAMS_H
#define MODELS_BASE_PARAMS_H

#include "models/base/fixed.h"
#include "models/base/mutant.h"

enum dc_trigger { DC_TRIGGER_OBSERVED, DC_TRIGGER_FORECAST, DC_TRIGGER_EITHER };
enum dc_theta_mode {
    DC_THETA_LEVEL,    /* theta is a level of utilisation */
    DC_THETA_RELATIVE, /* theta_multiple times the median utilisation of the node's service */
    DC_THETA_ADAPTIVE  /* an integral controller holds the challenge load at load_target */
};
enum dc_difficulty_rule { DC_DIFFICULTY_UNIFORM, DC_DIFFICULTY_HISTORY };
enum dc_order { DC_ORDER_RANDOM, DC_ORDER_UCB, DC_ORDER_OLDEST };
enum dc_calibration { DC_CALIBRATION_PROVEN, DC_CALIBRATION_ALL };
enum dc_combine { DC_COMBINE_BONFERRONI, DC_COMBINE_FISHER, DC_COMBINE_BY };
enum dc_component {
    DC_COMPONENT_S = 1,
    DC_COMPONENT_A = 2,
    DC_COMPONENT_U = 4,
    DC_COMPONENT_Q = 8
};
enum dc_beacon { DC_BEACON_VRF, DC_BEACON_THRESHOLD };
enum dc_dissemination { DC_DISSEMINATION_GOSSIP, DC_DISSEMINATION_DIRECT };
enum dc_detector_bit {
    DC_DETECTOR_EWMA = 1,
    DC_DETECTOR_MAD = 2,
    DC_DETECTOR_CUSUM = 4,
    DC_DETECTOR_IFOREST = 8,
    DC_DETECTOR_HST = 16,
    DC_DETECTOR_TWIN = 32,
    DC_DETECTOR_CIRCLE = 64
};

struct dc_params {
    /* consensus (section 4) */
    uint32_t epoch_blocks;     /* heights in an epoch [60], at least 3 */
    uint32_t seats;            /* 0: every validator with power w_v; else so many seats drawn [auto:
                                  0 up to 512 validators, 1024 above] */
    int64_t block_interval_ns; /* a leader waits so long after the parent's timestamp [1 s] */
    int64_t clock_skew_ns;     /* allowed for in the timer's base [0] */
    int64_t delay_typical_ns;  /* Delta: a typical large one-way delay; set by the world */
    int64_t delay_max_ns;      /* the largest modelled one-way delay; set by the world */
    uint32_t block_bytes_max;  /* transactions in a block, at most [1 MiB] */
    dc_q31 g_min;              /* floor of the score's influence on power [0.5] */
    uint32_t dissemination;    /* enum dc_dissemination [gossip] */

    /* score (section 5) */
    /* [350000 250000 200000 200000] */
    uint32_t weight_s_ppm, weight_a_ppm, weight_u_ppm, weight_q_ppm;
    uint32_t ablate;             /* bits of enum dc_component left out of the score; the others
                                    share their weights [none] */
    dc_q31 lambda;               /* weight of the newest epoch [0.2] */
    dc_q31 score_newcomer;       /* [0.2] */
    dc_q31 kappa;                /* factor on the score after a failure [0.5] */
    uint32_t heartbeat_every;    /* heights; 0: max(20, ceil(N/500)) [0] */
    uint32_t heartbeat_lifetime; /* heights in which one is includable [4] */
    uint32_t lag_halving;        /* h of s = 2^(-lag/h); divides 16 [4] */

    /* theta rule and challenges (section 6) */
    dc_q31 theta;                /* utilisation below which a node is challenged [0.30] */
    uint32_t trigger;            /* enum dc_trigger [observed] */
    uint32_t theta_mode;         /* enum dc_theta_mode [level] */
    uint32_t theta_multiple_ppm; /* RELATIVE: of the median utilisation [500000] */
    dc_q31 load_target;          /* ADAPTIVE: share of nodes to be below theta [0.05] */
    dc_q31 load_gain;            /* ADAPTIVE: change of theta for each unit of load missed [0.2] */
    dc_q31 audit;                /* rho, random audits per epoch [0.1] */
    dc_q31 soft;                 /* pi, share of those below theta that are challenged [1] */
    bool escalation;             /* a node that failed is in T(e) until it passes [on] */
    uint32_t verifiers;          /* per challenge [3], at most 8 */
    uint32_t k;                  /* samples per challenge [8] */
    uint32_t k_min, k_max;       /* [4, 32] */
    dc_q31 k_max_chance;         /* probability that k is k_max, whatever history says [0.1] */
    uint32_t rigor;              /* factor on k of a flagged node's challenge [2] */
    uint32_t verifiers_flagged;  /* of a flagged node's challenge [5], at most 8, at least
                                   `verifiers` */
    /* of an answer, beside the round trip [200 ms, 10 ms] */
    int64_t deadline_base_ns, deadline_per_k_ns;
    uint32_t answer_heights;      /* a demand is to be answered within [600] */
    uint32_t abandon_heights;     /* a silent node loses its deals' collateral after [1200] */
    dc_q31 sprt_p0, sprt_p1;      /* failure rates of the ejection test [0.03, 0.5] */
    dc_q31 sprt_alpha, sprt_beta; /* its error rates [1e-4, 1e-2] */

    /* adaptive challenges (section 7): each off by default, which is the baseline */
    dc_q31 holt_level, holt_trend; /* smoothing of level and trend [0.5, 0.2] */
    bool ready;                    /* readiness challenges [off] */
    dc_q31 ready_ratio;  /* of forecast demand to verified capacity, from which on [0.8] */
    bool quiet;          /* draws favour heights with a low forecast load [off] */
    uint32_t difficulty; /* enum dc_difficulty_rule [uniform] */
    dc_q31 history_keep; /* of a Beta posterior's counts, kept at each verdict [0.95] */
    dc_q31 f_min;        /* HISTORY: missing fraction that k is to find [0.1] */
    dc_q31 p_hi, p_lo;   /* HISTORY: with probability P_hi - (P_hi - P_lo) r [0.99, 0.8] */
    uint32_t budget;     /* challenges drawn for an epoch, at most; 0: no limit [0] */
    uint32_t order;      /* past the budget, flagged nodes first, then: enum dc_order [random] */
    uint32_t ucb_ppm;    /* UCB: standard deviations above the mean [1000000] */

    /* anomaly detection (section 8) */
    uint32_t detectors;      /* bits of enum dc_detector_bit [ewma, mad] */
    dc_q31 fdr;              /* false discovery rate of flags [0.05] */
    uint32_t anomaly_window; /* calibration scores kept; 0: large enough to flag at all [0] */
    uint32_t calibration;    /* whose scores are normal: enum dc_calibration [proven] */
    uint32_t combine;        /* detectors by: enum dc_combine [bonferroni] */
    uint32_t ewma_warmup;    /* epochs before a node's EWMA score counts [5] */

    /* stake and rewards (section 9) */
    uint64_t bond_min_validator, bond_min_service; /* [1000, 100 DSYNC] */
    uint64_t bond_per_unit;      /* of declared capacity, per GiB [0.48 DSYNC: 500 per TiB] */
    uint64_t issuance_service;   /* per service node and epoch [1 DSYNC] */
    uint64_t issuance_validator; /* per validator and epoch [1 DSYNC] */
    uint32_t burn_ppm;           /* of issuance and fees [0] */
    uint32_t base_share_ppm;     /* of the service pool, by capacity that was challenged [300000] */
    uint32_t take_ppm;           /* every receipt burns so much of its price [50000] */
    uint32_t epsilon_ppm;     /* work earns at most 1 - epsilon of what its receipts burned [1e5] */
    uint64_t price_gib_epoch; /* of one stored GiB for one epoch; 0: such that a full mean node's
                                    work costs twice a mean reward (price 2) [0] */
    uint64_t fee_inclusion;   /* to the proposer: heartbeat, verdict, late vote [1e-5 DSYNC] */
    uint64_t fee_verdict;     /* to a verifier, per verdict, whatever it says [2e-4 DSYNC] */
    uint32_t slash_first_ppm; /* of bond and unbonding queue [5000] */
    uint32_t slash_repeat_ppm;  /* [30000] */
    uint32_t slash_fund_ppm;    /* of a slash, to the fund; the rest is burned [500000] */
    uint32_t unbonding_epochs;  /* from the last epoch with weight to the pay-out [10] */
    uint32_t eject_lock_epochs; /* an ejected bond stays locked [20] */
    uint32_t probation;         /* passed challenges before base share is paid [1] */
    uint32_t lock_tier_ppm[4];  /* power multiplier of the lock tiers [1e6, 2e6, 3e6, 4e6] */

    /* privacy (section 13); none of it costs anything until it is used */
    uint32_t beacon;    /* enum dc_beacon: where R comes from [vrf] */
    uint32_t holders;   /* validators that hold the chain's shared keys, at most 128 [0: none] */
    uint32_t threshold; /* of them, so many act together; 0: two thirds and one [0] */
    uint32_t ring;      /* members of a ring signature, decoys included [11], 2 to 64 */
    uint32_t note_age;  /* heights that a note must be old to stand in a ring [2] */
    uint32_t decoys;    /* notes of nobody that genesis makes, so that the first rings are full
                             [0: none, and nothing can be paid privately] */
    uint64_t
        fee_private; /* least fee of a confidential transfer or a call, in the open [1e-3 DSYNC] */

    /* accounting of the study's costs, not of the chain (section 17, `loss`) */
    uint64_t holding_cost;   /* of a whole node's capacity, per epoch [0.3 DSYNC] */
    uint64_t challenge_cost; /* of one challenge, verifiers' pay apart [0.002 DSYNC] */
#ifdef DC_MUTANTS
    uint32_t mutant; /* enum dc_mutant: a bug compiled in for tests; not fixed by genesis */
#endif
};

/* What of the parameters an upgrade of the chain may change: those that take effect from the state
 * alone, where an epoch's challenges are dealt out, settled and punished.  All are uint32_t. */
#define DC_UPGRADE_TABLE(X)                                                                        \
    X(theta)                                                                                       \
    X(trigger)                                                                                     \
    X(theta_mode)                                                                                  \
    X(theta_multiple_ppm)                                                                          \
    X(load_target)                                                                                 \
    X(load_gain)                                                                                   \
    X(audit)                                                                                       \
    X(soft)                                                                                        \
    X(verifiers)                                                                                   \
    X(verifiers_flagged)                                                                           \
    X(k)                                                                                           \
    X(k_min)                                                                                       \
    X(k_max)                                                                                       \
    X(k_max_chance)                                                                                \
    X(rigor)                                                                                       \
    X(difficulty)                                                                                  \
    X(f_min)                                                                                       \
    X(p_hi)                                                                                        \
    X(p_lo)                                                                                        \
    X(budget)                                                                                      \
    X(order)                                                                                       \
    X(ucb_ppm)                                                                                     \
    X(fdr)                                                                                         \
    X(slash_first_ppm)                                                                             \
    X(slash_repeat_ppm)                                                                            \
    X(slash_fund_ppm)

#define DC_UNCHANGED UINT32_MAX

/* Values that are in force from the hand-over into an epoch on; DC_UNCHANGED: as before. */
struct dc_upgrade {
    uint32_t epoch; /* 0: never */
#define DC_UPGRADE_FIELD(name) uint32_t name;
    DC_UPGRADE_TABLE(DC_UPGRADE_FIELD)
#undef DC_UPGRADE_FIELD
};
static inline void dc_params_upgrade(struct dc_params *p, const struct dc_upgrade *u)
{
    if (u->epoch == 0)
        return;
#define DC_UPGRADE_FIELD(name) p->name = u->name != DC_UNCHANGED ? u->name : p->name;
    DC_UPGRADE_TABLE(DC_UPGRADE_FIELD)
#undef DC_UPGRADE_FIELD
}

/* Beside the delays, the round timer allows for work, clocks and small transfers. */
#define DC_ROUND_SLACK_NS ((int64_t)500000000)

/* The round timer's period after so many consecutive timeouts: doubling from
 * block_interval + 500 ms + clock skew + 4 Delta to a cap with six of the largest delays. */
static inline int64_t dc_params_period_ns(const struct dc_params *p, uint32_t backoff)
{
    int64_t fixed = p->block_interval_ns + DC_ROUND_SLACK_NS + p->clock_skew_ns;
    int64_t base = fixed + 4 * p->delay_typical_ns;
    int64_t cap = fixed + 6 * p->delay_max_ns;
    int64_t period = base;
    for (uint32_t i = 0; i < backoff && period < cap; i++)
        period *= 2;
    return period > cap ? (cap > base ? cap : base) : period;
}

#endif
