/* Vote discipline: what a validator's own signatures say of it, in the order in which they left it,
 * over restarts too.  A node's state is its newest vote, timeout and proposal of the newest epoch.
 *
 *   vote       one in a round; rounds go up; above every round that it timed out; for a block that
 *              the rules let be voted for; with the `commits` that the block asks for
 *   timeout    rounds go up, not below a vote's; the QC round that it signs never falls, and is
 *              not below that of a QC in a block that it voted for: its lock
 *   proposal   one in a round
 *
 * Jolteon's lock is the highest QC (Gelashvili et al., FC 2022): a timeout that signs a lower one,
 * after a vote that shows a higher one, is what lets a TC pass by a final block. */
#include "sim/check/check.h"

#include "models/base/mem.h"

struct voter {
    uint64_t epoch;
    uint64_t vote_round, timeout_round, qc_round, proposed_round; /* 0: none in this epoch */
    struct dc_hash block, commits, proposed;
};

struct votes {
    struct ds_check_report *report;
    const struct ds_check_config *config;
    struct voter *voter; /* by node */
};

static void votes_init(void *state, const struct ds_check_config *config,
                       struct ds_check_report *report)
{
    struct votes *s = state;
    s->report = report;
    s->config = config;
    s->voter = dc_mem_need(config->nodes, sizeof *s->voter, "the nodes' votes");
}

static void votes_free(void *state)
{
    dc_mem_free(((struct votes *)state)->voter);
}

bool ds_check_safe(const struct ds_check_proposal *p)
{
    return p->qc_round + 1 == p->round ||
           (p->tc && p->tc_round + 1 == p->round && p->tc_qc_round_max <= p->qc_round);
}

#define TELL(s, m, format, ...)                                                                    \
    ds_check_tell((s)->report, DS_CHECK_VOTES, (m)->time_ns, "node %u " format " (epoch %llu)",    \
                  (m)->node, __VA_ARGS__, (unsigned long long)(m)->epoch)

static void votes_vote(struct votes *s, struct voter *v, const struct ds_check_signed *m)
{
    unsigned long long round = m->round;
    const struct ds_check_proposal *p = m->proposal;
    if (m->round == v->vote_round) {
        if (!dc_hash_equal(&m->block, &v->block) || !dc_hash_equal(&m->commits, &v->commits))
            TELL(s, m,
                 "signed two different votes of round %llu: for %02x%02x%02x%02x... and "
                 "%02x%02x%02x%02x...",
                 round, v->block.b[0], v->block.b[1], v->block.b[2], v->block.b[3], m->block.b[0],
                 m->block.b[1], m->block.b[2], m->block.b[3]);
        return; /* the same once more */
    }
    if (m->round < v->vote_round)
        TELL(s, m, "voted in round %llu after round %llu", round,
             (unsigned long long)v->vote_round);
    else if (m->round <= v->timeout_round)
        TELL(s, m, "voted in round %llu after it had timed out round %llu", round,
             (unsigned long long)v->timeout_round);
    if (p != NULL && (p->epoch != m->epoch || p->round != m->round))
        TELL(s, m, "voted in round %llu for a block of round %llu of epoch %llu", round,
             (unsigned long long)p->round, (unsigned long long)p->epoch);
    else if (p != NULL && !ds_check_safe(p))
        TELL(s, m,
             "voted against its lock: in round %llu for a block on a certificate of round %llu, %s "
             "%llu",
             round, (unsigned long long)p->qc_round,
             p->tc ? "while its timeout certificate names round"
                   : "without a timeout certificate of round",
             (unsigned long long)(p->tc ? p->tc_qc_round_max : m->round - 1));
    else if (p != NULL && !dc_hash_equal(&p->commits, &m->commits))
        TELL(s, m, "made in round %llu another block final than the one it may, by its vote",
             round);
    if (m->round > v->vote_round) {
        v->vote_round = m->round;
        v->block = m->block;
        v->commits = m->commits;
    }
    if (p != NULL && p->qc_round > v->qc_round)
        v->qc_round = p->qc_round;
}

static void votes_timeout(struct votes *s, struct voter *v, const struct ds_check_signed *m)
{
    unsigned long long round = m->round;
    if (m->round < v->timeout_round)
        TELL(s, m, "timed out round %llu after round %llu", round,
             (unsigned long long)v->timeout_round);
    else if (m->round < v->vote_round)
        TELL(s, m, "timed out round %llu after it had voted in round %llu", round,
             (unsigned long long)v->vote_round);
    if (m->qc_round < v->qc_round)
        TELL(
            s, m,
            "gave up its lock: its timeout of round %llu names a certificate of round %llu, though "
            "it had shown one of round %llu",
            round, (unsigned long long)m->qc_round, (unsigned long long)v->qc_round);
    else if (m->qc_round >= m->round)
        TELL(s, m, "timed out round %llu with a certificate of round %llu", round,
             (unsigned long long)m->qc_round);
    if (m->round > v->timeout_round)
        v->timeout_round = m->round;
    if (m->qc_round > v->qc_round)
        v->qc_round = m->qc_round;
}

static void votes_proposed(struct votes *s, struct voter *v, const struct ds_check_signed *m)
{
    unsigned long long round = m->round;
    if (m->round == v->proposed_round && !dc_hash_equal(&m->block, &v->proposed))
        TELL(s, m, "proposed two different blocks in round %llu", round);
    else if (m->round < v->proposed_round)
        TELL(s, m, "proposed in round %llu after round %llu", round,
             (unsigned long long)v->proposed_round);
    if (m->round <= v->proposed_round)
        return;
    v->proposed_round = m->round;
    v->proposed = m->block;
}

static void votes_signed(void *state, const struct ds_check_signed *m)
{
    struct votes *s = state;
    if (m->signer != m->node ||
        (s->config->excused != NULL && s->config->excused(s->config->ctx, m->node)))
        return; /* other people's words, or of one who is not bound by his */
    struct voter *v = &s->voter[m->node];
    if (m->epoch < v->epoch) {
        TELL(s, m, "signed in round %llu of an epoch that is over for it, after epoch %llu",
             (unsigned long long)m->round, (unsigned long long)v->epoch);
        return;
    }
    if (m->epoch > v->epoch)
        *v = (struct voter){.epoch = m->epoch};
    if (m->kind == DS_CHECK_VOTE)
        votes_vote(s, v, m);
    else if (m->kind == DS_CHECK_TIMEOUT)
        votes_timeout(s, v, m);
    else
        votes_proposed(s, v, m);
}

const struct ds_check_class ds_check_votes = {
    .name = "votes",
    .line = "no honest node votes or proposes twice in a round, votes below what it timed out, or "
            "gives up its lock",
    .state_bytes = sizeof(struct votes),
    .init = votes_init,
    .free = votes_free,
    .signed_ = votes_signed,
};
