/* Between the files of Jolteon's core: jolteon.c (rounds and inputs), jolteon_vote.c (proposing,
 * voting, collecting votes), jolteon_timeout.c (timeouts and certificates of
 * them), jolteon_handover.c (the end of an epoch).
 *
 * Whatever comes in changes the chain view or the collections; dc_jolteon_settle then does, in one
 * loop, all that has become possible: enter an epoch or a round, vote, propose, hand over. */
#ifndef MODELS_CONSENSUS_JOLTEON_IMPL_H
#define MODELS_CONSENSUS_JOLTEON_IMPL_H

#include "models/consensus/certificate.h"
#include "models/consensus/jolteon.h"

/* The four that every handler takes. */
struct dc_jolteon_step {
    struct dc_jolteon *j;
    const struct dc_consensus_env *env;
    const struct dc_input *in;
    struct dc_effects *out;
};

/* A member that holds its key and may sign. */
bool dc_jolteon_signs(const struct dc_jolteon_step *s);
uint64_t dc_jolteon_qc_round(const struct dc_jolteon *j);
/* Timeouts that name a QC of a higher round do not count. */
static inline uint64_t dc_jolteon_timeout_limit(const struct dc_jolteon_step *s)
{
    return DC_MUTANT(s->env->params, NO_LOCK) ? UINT64_MAX : dc_jolteon_qc_round(s->j);
}
/* Enters a round above the current one; tc is the certificate of the round before, or NULL. */
void dc_jolteon_enter(const struct dc_jolteon_step *s, uint64_t round, struct dc_tc *tc);
void dc_jolteon_settle(const struct dc_jolteon_step *s);
void dc_jolteon_set_timer(const struct dc_jolteon_step *s);
/* To all members but this node. */
void dc_jolteon_send_members(const struct dc_jolteon_step *s, const struct dc_committee *c,
                             const uint8_t *bytes, size_t size);
/* A few members, other ones each period, answer what everybody receives. */
bool dc_jolteon_answers(const struct dc_jolteon_step *s, uint32_t to, uint64_t round);
/* Asks one who is ahead, not too often. */
void dc_jolteon_ask_ahead(const struct dc_jolteon_step *s);

/* When L is final: makes H(e), goes to e + 1 and tells both committees. */
bool dc_jolteon_try_hand_over(const struct dc_jolteon_step *s);

bool dc_jolteon_try_propose(const struct dc_jolteon_step *s);
bool dc_jolteon_try_vote(const struct dc_jolteon_step *s);
void dc_jolteon_on_vote(const struct dc_jolteon_step *s);
/* Adds a vote whose signature is checked when `checked`; false when it is not valid. */
bool dc_jolteon_add_vote(const struct dc_jolteon_step *s, const struct dc_vote *vote,
                         uint32_t member, bool checked);
/* Sends the durable proposal and vote of the current round again. */
void dc_jolteon_resend(const struct dc_jolteon_step *s);

void dc_jolteon_time_out(const struct dc_jolteon_step *s);
void dc_jolteon_on_timeout(const struct dc_jolteon_step *s);
/* Joins a higher round and forms a TC, as far as the timeouts held allow. */
void dc_jolteon_count_timeouts(const struct dc_jolteon_step *s);

#endif
