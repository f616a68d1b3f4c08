/* Jolteon: the validator's core (models/README.md 4; Gelashvili et al., FC 2022, arXiv:2106.10362).
 *
 *   round r    leader(r) proposes B_r with QC(r-1) ------> all: take in, execute, vote once
 *   round r+1  votes -> leader(r+1): QC(r) ------> proposes B_(r+1) ...
 *              two certified blocks of consecutive rounds: the first is final
 *
 *   no progress: timer -> TIMEOUT to the committee, re-sent each period -> TC(r) -> round r+1
 *   after the last block L of an epoch: seal blocks until L is final -> H(e) -> round 1 of e+1
 *
 * A step machine: inputs in, effects out.  It contains the chain view of follow.h and feeds it.
 * dc_jolteon_durable and the durable part of dc_follow are what a node has on disk; they are
 * changed before the effect that depends on them is added, and are all that a restart leaves.
 * Votes and timeouts are kept only while they are collected.  A validator outside its epoch's
 * committee follows. */
#ifndef MODELS_CONSENSUS_JOLTEON_H
#define MODELS_CONSENSUS_JOLTEON_H

#include "models/consensus/follow.h"

/* Written before anything leaves; with their epoch.  The certificates stand in dc_follow. */
struct dc_jolteon_durable {
    uint64_t epoch, round;     /* current */
    uint64_t last_voted_round; /* voted in or timed out: never again in or below */
    bool voted;                /* `vote` is an own vote of this epoch */
    struct dc_vote vote;       /* the exact bytes of the latest */
    struct dc_block *proposal; /* the latest own one, reference held; or NULL */
    struct dc_tc *high_tc;     /* of this epoch, while it is of use; or NULL */
};

struct dc_vote_set;
struct dc_timeout_set;

struct dc_jolteon {
    struct dc_follow chain;
    struct dc_jolteon_durable durable;
    /* A chain lost and the record kept (image.h): follows until the chain is where the record is. */
    bool waiting;
    struct dc_qc *kept_qc; /* the highest one of durable.epoch, while waiting; or NULL */

    /* lost at a restart */
    uint32_t member; /* own index in the committee, as the holder of the key in it; or UINT32_MAX */
    uint32_t leader, leader_next;    /* account ids: of the current round, and of the next */
    struct dc_vote_set *votes;       /* being collected; a list, one per (round, block, commits) */
    struct dc_timeout_set *timeouts; /* being collected, or NULL */
    int64_t entered_ns;              /* when this round began here */
    int64_t deadline_ns;             /* when to time out (again) */
    int64_t timer_ns, propose_ns, hold_ns; /* timers that are set; 0: not */
    int64_t asked_ns;                      /* when somebody ahead was last asked for what he has */
    uint64_t certificate_asked;            /* highest QC round asked for because of a timeout */
    uint64_t final_height;                 /* at the last look: a commit resets the backoff */
    uint16_t backoff;                      /* consecutive rounds timed out */
    bool timed_out;                        /* this round */
    bool proposed;                         /* in this step: the next proposal waits for another */
    bool collected;                        /* a QC was made from votes in this step */
};

/* At genesis, epoch 0, round 1.  Requires env->key, env->vrf_key unless it is to follow only. */
void dc_jolteon_init(struct dc_jolteon *j, const struct dc_consensus_env *env);
void dc_jolteon_free(struct dc_jolteon *j);
/* DC_INPUT_START: sets the round's timer; the first leader proposes. */
void dc_jolteon_start(struct dc_jolteon *j, const struct dc_consensus_env *env,
                      const struct dc_input *in, struct dc_effects *out);
/* Handles all messages with dc_consensus_message_is; false for others.  Effects as follow.h, and
 * votes, timeouts, proposals, hand-overs and timers. */
bool dc_jolteon_message(struct dc_jolteon *j, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out);
/* Handles timers with dc_consensus_timer_is. */
void dc_jolteon_timer(struct dc_jolteon *j, const struct dc_consensus_env *env,
                      const struct dc_input *in, struct dc_effects *out);
/* DC_INPUT_RESTART: forgets all but what is durable, then sends the same bytes again. */
void dc_jolteon_restart(struct dc_jolteon *j, const struct dc_consensus_env *env,
                        const struct dc_input *in, struct dc_effects *out);

#endif
