/* Whom to challenge, how hard, when, and whom first: one interface, so that a learned policy can take
 * the place of the rules (models/README.md 7.1).
 *
 * A policy is pure: it sees what is on chain - parameters, the beacon, a node's record, what is
 * forecast of its service - and answers with integers.  The ledger calls it:
 *
 *   at the turn of an epoch   whom() for each node -> candidates -> dc_policy_choose() -> T(e)
 *                             dc_policy_control() -> theta of e + 1
 *   at each height            when() -> weights of the window -> dc_posync_drawn_weighted()
 *   at each draw              how_hard(), how_many()
 *
 * A view is of one service (or of the validators): the ledger makes one for each and hands over the
 * node's own. */
#ifndef MODELS_POSYNC_POLICY_H
#define MODELS_POSYNC_POLICY_H

#include "models/posync/history.h"
#include "models/posync/holt.h"
#include "models/posync/posync.h"

struct dc_policy_view {
    const struct dc_params *params;
    const struct dc_hash *beacon;     /* R after e - 1; for whom() and which() */
    uint64_t epoch;                   /* e */
    dc_q31 theta;                     /* in force for these nodes: dc_policy_theta() */
    const struct dc_outlook *outlook; /* of their service; NULL: they have none */
    const uint32_t *load;             /* forecast load of each slot of the draw window, or NULL */
};

/* Order over budget: larger first. */
typedef unsigned __int128 dc_policy_rank;

struct dc_policy {
    const char *name;
    /* The causes (enum dc_cause) for which node `id` is in T(e); 0: it is not. */
    uint8_t (*whom)(const struct dc_policy_view *view, const struct dc_posync *record, uint32_t id);
    /* Samples of its challenge, 1 to 255; the nonce brings chance. */
    uint8_t (*how_hard)(const struct dc_policy_view *view, const struct dc_posync *record,
                        uint8_t causes, const struct dc_hash *nonce);
    /* Verifiers of its challenge, at most DC_VERIFIERS_MAX. */
    uint8_t (*how_many)(const struct dc_policy_view *view, const struct dc_posync *record,
                        uint8_t causes);
    /* Weights, each at least 1, of the `slots` heights of a draw window, the window's first height
     * being slot 0.  view->load has at least so many entries, or is NULL. */
    void (*when)(const struct dc_policy_view *view, uint32_t slots, uint32_t *weight);
    /* How urgent its challenge is; at_stake: the reward that it had in the last epoch, 0 if none. */
    dc_policy_rank (*which)(const struct dc_policy_view *view, const struct dc_posync *record,
                            uint8_t causes, uint64_t at_stake);
};

/* The rules of the protocol, each with its switch in the parameters; all off, it is the baseline. */
extern const struct dc_policy dc_policy_rule;
/* The policy that the parameters ask for. */
const struct dc_policy *dc_policy_of(const struct dc_params *p);

/* theta in force for the nodes of one service (or the validators).  `moved`: what the controller
 * made of it; median_u: of the nodes of the service whose u is defined, 0 when there are none.
 * LEVEL: params->theta.  RELATIVE: theta_multiple * median_u, at most 1.  ADAPTIVE: moved. */
dc_q31 dc_policy_theta(const struct dc_params *p, dc_q31 moved, dc_q31 median_u);
/* The lower median of u[n], which is sorted; 0 when n is 0.  O(n log n). */
dc_q31 dc_policy_median(dc_q31 *u, uint32_t n);
/* The controller: theta + gain * (load_target - load), rounded to the nearest, clamped to [0,1];
 * load = below / of.  below: nodes with DC_CAUSE_THETA in T(e), before the budget; of: nodes that
 * whom() was asked about and whose u is defined.  theta is that of T(e), the result that of T(e+1);
 * with `of` 0, or not ADAPTIVE, it stays. */
dc_q31 dc_policy_control(const struct dc_params *p, dc_q31 theta, uint32_t below, uint32_t of);
/* Whether a service is forecast to be asked for more than ready_ratio of its verified capacity. */
bool dc_policy_strained(const struct dc_params *p, const struct dc_outlook *o);

/* A member of T(e) that competes for the budget. */
struct dc_policy_candidate {
    dc_policy_rank rank;
    uint64_t tie; /* set by dc_policy_choose */
    uint32_t id;
};
/* Leaves the `budget` most urgent of list[count] (0: all of them) in its front, ascending by id, and
 * returns how many.  Ranks first; equal ones in the order of a hash of beacon and id, then by id.
 * ids are distinct.  O(n log n), and n hashes, when the budget binds. */
uint32_t dc_policy_choose(const struct dc_hash *beacon, uint64_t epoch, uint32_t budget,
                          struct dc_policy_candidate *list, uint32_t count);

#endif
