/* Slashing: who equivocates loses all, once; nobody else does.
 *
 *   never an honest node      whatever others make up about it
 *   once                      an offence is (account, epoch, round, kind), and equivocation ends an
 *                             account's part for good: a second slash for it is one too many
 *   for something shown       in the same block, by an EVIDENCE transaction
 *   whenever it is shown      evidence in a final block is a slash in that block
 *   at last                   what honest members caught themselves is punished.  No single message
 *                             is sure to arrive, so this asks for twice
 *                               two votes that one collector could count, which then proposed a
 *                               block that became final: it had the proof itself;
 *                             or for three times
 *                               two proposals that two thirds of the honest members hold, with
 *                               LEADERS honest leaders who made a block final in the rounds in
 *                               which the proof waits at leaders */
#include "sim/check/check.h"

#include "models/base/mem.h"

#define ENOUGH 6             /* of what follows */
#define HEARD 3              /* an offence of votes that its collector ignored */
#define CAUGHT 2             /* one of proposals that leaders ignored */
#define LEADERS 2            /* honest ones, of the second to the fourth round after the offence */
#define LATEST 4             /* a transaction is sent to the leaders of so many rounds */
#define EQUIVOCATORS_SEEN 64 /* offences of each kind that wait for their leaders, at most */

struct slashing {
    struct ds_check_report *report;
    uint32_t nodes;
    uint8_t *slashed; /* by account: for equivocation */
    uint8_t *ignored; /* by account: weight of offences caught and not punished */
    struct ds_check_offence *punished;
    uint32_t punisheds, punisheds_max;
    struct caught {
        uint32_t account, leaders;
        uint64_t epoch, round;
    } caught[EQUIVOCATORS_SEEN];
    uint32_t caughts;
    struct heard {
        uint32_t signer, collector;
        uint64_t epoch, round;
        struct dc_hash block;
        bool both;              /* another block's vote too */
    } heard[EQUIVOCATORS_SEEN]; /* a ring */
    uint32_t heards;
    uint64_t epoch, round; /* of the last final block */
};

static void slashing_init(void *state, const struct ds_check_config *config,
                          struct ds_check_report *report)
{
    struct slashing *s = state;
    s->report = report;
    s->nodes = config->nodes;
    s->slashed = dc_mem_need(config->nodes, sizeof *s->slashed, "slashed accounts");
    s->ignored = dc_mem_need(config->nodes, sizeof *s->ignored, "slashed accounts");
}

static void slashing_free(void *state)
{
    struct slashing *s = state;
    dc_mem_free(s->slashed);
    dc_mem_free(s->ignored);
    dc_mem_free(s->punished);
}

static bool slashing_same(const struct ds_check_offence *x, const struct ds_check_offence *y)
{
    return x->account == y->account && x->epoch == y->epoch && x->round == y->round &&
           x->kind == y->kind;
}

/* The offence, of those shown in the block, that an account's slash is for; NULL: none is left. */
static const struct ds_check_offence *slashing_offence(struct slashing *s,
                                                       const struct ds_check_block *b,
                                                       uint32_t account, bool *again)
{
    *again = false;
    for (uint32_t i = 0; i < b->offences; i++) {
        const struct ds_check_offence *o = &b->offence[i];
        bool before = false;
        if (o->account != account)
            continue;
        for (uint32_t k = 0; k < s->punisheds && !before; k++)
            before = slashing_same(&s->punished[k], o);
        if (!before)
            return o;
        *again = true;
    }
    return NULL;
}

static void slashing_punish(struct slashing *s, const struct ds_check_offence *o)
{
    if (s->punisheds == s->punisheds_max) {
        s->punisheds_max = s->punisheds_max == 0 ? 16 : 2 * s->punisheds_max;
        s->punished = dc_mem_grow(s->punished, s->punisheds_max, sizeof *s->punished);
        DC_CHECK(s->punished != NULL);
    }
    s->punished[s->punisheds++] = *o;
}

static void slashing_one(struct slashing *s, const struct ds_check_block *b,
                         const struct ds_check_slash *x)
{
    unsigned long long height = b->height, amount = x->amount;
    bool again;
    const struct ds_check_offence *o = slashing_offence(s, b, x->account, &again);
    if (x->honest)
        ds_check_tell(s->report, DS_CHECK_SLASHING, b->time_ns,
                      "block %llu slashes the honest node %u for equivocation (%llu base units)",
                      height, x->account, amount);
    else if (o == NULL && again)
        ds_check_tell(s->report, DS_CHECK_SLASHING, b->time_ns,
                      "block %llu slashes node %u again for an equivocation that was punished",
                      height, x->account);
    else if (o == NULL)
        ds_check_tell(s->report, DS_CHECK_SLASHING, b->time_ns,
                      "block %llu slashes node %u for an equivocation that nobody shows", height,
                      x->account);
    else if (s->slashed[x->account])
        ds_check_tell(s->report, DS_CHECK_SLASHING, b->time_ns,
                      "block %llu slashes node %u for equivocation once more (epoch %llu, round "
                      "%llu)",
                      height, x->account, (unsigned long long)o->epoch,
                      (unsigned long long)o->round);
    if (o != NULL)
        slashing_punish(s, o);
    s->report->equivocators += !s->slashed[x->account];
    s->slashed[x->account] = 1;
}

/* Each reason at most once for an account and block: no two demands fall due together, and no two
 * answers of one node are judged. */
static void slashing_repeated(struct slashing *s, const struct ds_check_block *b)
{
    for (uint32_t i = 0; i < b->slashes; i++)
        for (uint32_t k = 0; k < i; k++) {
            if (b->slash[i].account != b->slash[k].account ||
                b->slash[i].reason != b->slash[k].reason || b->slash[i].equivocation)
                continue;
            ds_check_tell(s->report, DS_CHECK_SLASHING, b->time_ns,
                          "block %llu slashes node %u twice for one reason (%u)",
                          (unsigned long long)b->height, b->slash[i].account, b->slash[i].reason);
        }
}

/* One more offence of an account that nobody punished although its proof was there. */
static void slashing_ignored(struct slashing *s, const struct ds_check_block *b, uint32_t account,
                             uint8_t weight, uint64_t epoch, uint64_t round)
{
    if (s->slashed[account] || s->ignored[account] >= ENOUGH)
        return;
    s->ignored[account] = (uint8_t)(s->ignored[account] + weight);
    if (s->ignored[account] < ENOUGH)
        return;
    ds_check_tell(
        s->report, DS_CHECK_SLASHING, b->time_ns,
        "node %u was caught equivocating again and again, last in round %llu of epoch %llu, "
        "by honest members, and is not punished at height %llu",
        account, (unsigned long long)round, (unsigned long long)epoch,
        (unsigned long long)b->height);
}

/* What was caught so long ago that its evidence has been with every leader it was sent to; and what
 * the proposer of this block knew when it collected the votes of the round before. */
static void slashing_overdue(struct slashing *s, const struct ds_check_block *b)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->caughts; i++) {
        struct caught *c = &s->caught[i];
        if (c->epoch == b->epoch && b->round <= c->round + LATEST) {
            c->leaders += b->proposer_honest && b->round >= c->round + 2;
            s->caught[kept++] = *c;
        } else if (c->leaders >= LEADERS) {
            slashing_ignored(s, b, c->account, CAUGHT, c->epoch, c->round);
        }
    }
    s->caughts = kept;
    for (uint32_t i = 0; i < EQUIVOCATORS_SEEN; i++) {
        const struct heard *h = &s->heard[i];
        if (h->both && h->collector == b->proposer && h->epoch == b->epoch &&
            h->round + 1 == b->round)
            slashing_ignored(s, b, h->signer, HEARD, h->epoch, h->round);
    }
}

static void slashing_block(void *state, const struct ds_check_block *b)
{
    struct slashing *s = state;
    for (uint32_t i = 0; i < b->slashes; i++)
        if (b->slash[i].equivocation && b->slash[i].account < s->nodes)
            slashing_one(s, b, &b->slash[i]);
    slashing_repeated(s, b);
    for (uint32_t i = 0; i < b->offences; i++) {
        uint32_t account = b->offence[i].account;
        if (account < s->nodes && !s->slashed[account]) {
            ds_check_tell(s->report, DS_CHECK_SLASHING, b->time_ns,
                          "block %llu shows that node %u equivocated (epoch %llu, round %llu), and "
                          "nothing happens to it",
                          (unsigned long long)b->height, account,
                          (unsigned long long)b->offence[i].epoch,
                          (unsigned long long)b->offence[i].round);
            s->slashed[account] = 1; /* once is enough to be told of it */
        }
    }
    slashing_overdue(s, b);
    s->epoch = b->epoch;
    s->round = b->round;
}

static void slashing_caught(void *state, const struct ds_check_caught *c)
{
    struct slashing *s = state;
    bool late = c->epoch < s->epoch || (c->epoch == s->epoch && c->round <= s->round);
    if (3 * c->holders < 2 * c->honest || c->account >= s->nodes || s->slashed[c->account] || late)
        return;
    for (uint32_t i = 0; i < s->caughts; i++)
        if (s->caught[i].account == c->account && s->caught[i].epoch == c->epoch &&
            s->caught[i].round == c->round)
            return;
    if (s->caughts < EQUIVOCATORS_SEEN)
        s->caught[s->caughts++] = (struct caught){c->account, 0, c->epoch, c->round};
}

static void slashing_heard(void *state, const struct ds_check_heard *x)
{
    struct slashing *s = state;
    for (uint32_t i = 0; i < EQUIVOCATORS_SEEN; i++) {
        struct heard *h = &s->heard[i];
        if (h->signer != x->signer || h->collector != x->collector || h->epoch != x->epoch ||
            h->round != x->round)
            continue;
        h->both = h->both || !dc_hash_equal(&h->block, &x->block);
        return;
    }
    s->heard[s->heards++ % EQUIVOCATORS_SEEN] =
        (struct heard){x->signer, x->collector, x->epoch, x->round, x->block, false};
}

const struct ds_check_class ds_check_slashing = {
    .name = "slashing",
    .line = "equivocation is punished once, where it is shown or often caught, and never in an "
            "honest node",
    .state_bytes = sizeof(struct slashing),
    .init = slashing_init,
    .free = slashing_free,
    .block = slashing_block,
    .caught = slashing_caught,
    .heard = slashing_heard,
};
