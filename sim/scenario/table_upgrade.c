/* The rows of protocol.upgrade: what of `protocol` another agreed version of the chain changes, from
 * the hand-over into an epoch on (struct dc_upgrade).  Each member means what it means in protocol,
 * and is as before unless it is given. */
#include "sim/scenario/table.h"

#include <stddef.h>

#define U(member) offsetof(struct ds_scenario, upgrade.member)
/* As the row of the same name in table_protocol.c or table_money.c. */
#define ROW(name, kind, field, least, most_, text)                                                 \
    {                                                                                              \
        .path = "protocol.upgrade." name, .type = (kind), .offset = U(field),                      \
        .fallback = "unchanged", .most = "unchanged", .min = (least), .max = (most_),              \
        .meaning = (text)                                                                          \
    }
#define WORD(name, field, words, text)                                                             \
    {                                                                                              \
        .path = "protocol.upgrade." name, .type = DS_ENUM, .offset = U(field), .choices = (words), \
        .fallback = "unchanged", .most = "unchanged", .meaning = (text)                            \
    }

const struct ds_param ds_rows_upgrade[] = {
    {.path = "protocol.upgrade",
     .type = DS_SECTION,
     .flags = DS_OPTIONAL,
     .count_offset = offsetof(struct ds_scenario, upgrades),
     .meaning = "other values of these parameters, in force at every node from the hand-over into "
                "an epoch on, as a version of the chain that was agreed before"},
    {.path = "protocol.upgrade.epoch",
     .type = DS_COUNT,
     .flags = DS_REQUIRED,
     .offset = U(epoch),
     .min = 1,
     .max = 1e6,
     .meaning = "the first in which they hold; challenges of the one before are settled as before"},
    ROW("theta", DS_SHARE, theta, 0, 1, "utilisation below which a node is challenged"),
    WORD("trigger", trigger, ds_choices_trigger, "what is compared with theta"),
    WORD("theta_mode", theta_mode, ds_choices_theta_mode,
         "what theta is; `adaptive` goes on from the level in force"),
    ROW("theta_multiple", DS_FACTOR, theta_multiple_ppm, 0, 10,
        "relative: theta, in medians of the service's utilisation"),
    ROW("load_target", DS_SHARE, load_target, 1e-6, 1,
        "adaptive: share of nodes to be below theta"),
    ROW("load_gain", DS_SHARE, load_gain, 0, 1,
        "adaptive: change of theta for each unit by which the share misses the target"),
    ROW("audit", DS_SHARE, audit, 0, 1, "share of nodes that random audits challenge, per epoch"),
    ROW("soft", DS_SHARE, soft, 0, 1, "share of the nodes below theta that are challenged"),
    ROW("verifiers", DS_COUNT, verifiers, 1, 8, "of a challenge"),
    ROW("verifiers_flagged", DS_COUNT, verifiers_flagged, 1, 8, "of a flagged node's challenge"),
    ROW("k", DS_COUNT, k, 1, 255, "samples of a challenge"),
    ROW("k_min", DS_COUNT, k_min, 1, 255, "least samples"),
    ROW("k_max", DS_COUNT, k_max, 1, 255, "most samples"),
    ROW("k_max_chance", DS_SHARE, k_max_chance, 0, 1, "share of challenges with k_max samples"),
    ROW("rigor", DS_COUNT, rigor, 1, 16, "factor on k of a flagged node's challenge"),
    WORD("difficulty", difficulty, ds_choices_difficulty, "what k follows"),
    ROW("f_min", DS_SHARE, f_min, 1e-4, 1, "history: missing fraction that k is to find"),
    ROW("p_hi", DS_SHARE, p_hi, 0, 1, "history: chance to find it, of who is not trusted"),
    ROW("p_lo", DS_SHARE, p_lo, 0, 1, "history: chance to find it, of who is"),
    ROW("budget", DS_COUNT, budget, 0, 1e9, "challenges of an epoch, at most; 0: no limit"),
    WORD("order", order, ds_choices_order, "who is challenged when the budget is short"),
    ROW("ucb", DS_FACTOR, ucb_ppm, 0, 10, "order ucb: standard deviations above the mean"),
    ROW("fdr", DS_SHARE, fdr, 0, 1, "false discovery rate of flags"),
    ROW("slash_first", DS_PPM, slash_first_ppm, 0, 1, "share of bond and unbonding queue"),
    ROW("slash_repeat", DS_PPM, slash_repeat_ppm, 0, 1, "likewise, from the second time on"),
    ROW("slash_fund", DS_PPM, slash_fund_ppm, 0, 1, "share of a slash that goes to the fund"),
};
const size_t ds_rows_upgrade_count = sizeof ds_rows_upgrade / sizeof ds_rows_upgrade[0];
