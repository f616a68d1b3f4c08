/* What final blocks say of the ledger: execution, money, slashing, challenges. */
#include "sim/check/check.h"

#include "models/base/mem.h"

/* --- execution ------------------------------------------------------------------------------- */

static void execution_block(void *state, const struct ds_check_block *b)
{
    struct ds_check_plain *s = state;
    unsigned long long height = b->height;
    if (!dc_hash_equal(&b->root_said, &b->root_here))
        ds_check_tell(s->report, DS_CHECK_EXECUTION, b->time_ns,
                      "block %llu, final at node %u, promises another state than its execution "
                      "left",
                      height, b->node);
    else if (b->again && !b->again_valid)
        ds_check_tell(s->report, DS_CHECK_EXECUTION, b->time_ns,
                      "block %llu, final at node %u, is refused when it is executed again", height,
                      b->node);
    else if (b->again && !dc_hash_equal(&b->root_again, &b->root_said))
        ds_check_tell(
            s->report, DS_CHECK_EXECUTION, b->time_ns,
            "block %llu, final at node %u, leaves another state when it is executed again", height,
            b->node);
    if (b->credits_wrong != 0)
        ds_check_tell(
            s->report, DS_CHECK_EXECUTION, b->time_ns,
            "block %llu, final at node %u, credits the heartbeat of node %u, %llu heights "
            "behind, with %llu instead of %llu",
            height, b->node, b->credit.node, (unsigned long long)b->credit.lag,
            (unsigned long long)b->credit.credited, (unsigned long long)b->credit.worth);
}

const struct ds_check_class ds_check_execution = {
    .name = "execution",
    .line = "a block's execution leaves the state it promises, also when it is done again",
    .state_bytes = sizeof(struct ds_check_plain),
    .init = ds_check_plain_init,
    .block = execution_block,
};

/* --- money ----------------------------------------------------------------------------------- */

struct money {
    struct ds_check_report *report;
    uint64_t minted; /* after the block before */
    bool any;
};

static void money_init(void *state, const struct ds_check_config *config,
                       struct ds_check_report *report)
{
    (void)config;
    ((struct money *)state)->report = report;
}

static void money_pool(const struct money *s, const struct ds_check_block *b)
{
    unsigned long long height = b->height, before = b->pool.before, after = b->pool.after;
    unsigned long long in = b->pool.in, out = b->pool.out;
    if (!b->pool.known)
        return;
    if (before + in < out || before + in - out != after)
        ds_check_tell(s->report, DS_CHECK_MONEY, b->time_ns,
                      "block %llu, final at node %u, leaves a shielded pool of %llu: it had %llu, "
                      "%llu came and %llu went",
                      height, b->node, after, before, in, out);
    else if (b->pool.again != 0 || b->pool.images_before + b->pool.spent != b->pool.images_after)
        ds_check_tell(s->report, DS_CHECK_MONEY, b->time_ns,
                      "block %llu, final at node %u, spends %llu notes, %u of them again, and the "
                      "key images go from %llu to %llu",
                      height, b->node, (unsigned long long)b->pool.spent, b->pool.again,
                      (unsigned long long)b->pool.images_before,
                      (unsigned long long)b->pool.images_after);
}

static void money_block(void *state, const struct ds_check_block *b)
{
    struct money *s = state;
    money_pool(s, b);
    unsigned long long height = b->height, given = b->reward_given, said = b->reward_said;
    unsigned long long issued = b->rewards ? b->issued : 0, minted = b->minted - s->minted;
    if (!b->conserved)
        ds_check_tell(s->report, DS_CHECK_MONEY, b->time_ns,
                      "money is not conserved at height %llu, final at node %u: accounts, escrow "
                      "%llu, fund %llu and shielded pool %llu are not minted %llu less burned %llu",
                      height, b->node, (unsigned long long)b->escrow, (unsigned long long)b->fund,
                      (unsigned long long)b->pool.after,
                      (unsigned long long)b->minted, (unsigned long long)b->burned);
    else if (b->rewards && given != said)
        ds_check_tell(s->report, DS_CHECK_MONEY, b->time_ns,
                      "block %llu, final at node %u, gives %llu to nodes and accounts for %llu",
                      height, b->node, given, said);
    else if (b->rewards && b->issued + b->fees != b->reward_given + b->reward_burned)
        ds_check_tell(
            s->report, DS_CHECK_MONEY, b->time_ns,
            "block %llu, final at node %u, gives and burns %llu + %llu of %llu issued and "
            "%llu in fees",
            height, b->node, given, (unsigned long long)b->reward_burned, issued,
            (unsigned long long)b->fees);
    else if (s->any && minted != issued)
        ds_check_tell(s->report, DS_CHECK_MONEY, b->time_ns,
                      "block %llu, final at node %u, mints %llu and accounts for %llu", height,
                      b->node, minted, issued);
    s->minted = b->minted;
    s->any = true;
}

const struct ds_check_class ds_check_money = {
    .name = "money",
    .line = "balances, bonds, escrow, fund and shielded pool add up to what was minted less what "
            "was burned, and no note is spent twice",
    .state_bytes = sizeof(struct money),
    .init = money_init,
    .block = money_block,
};

/* --- challenges ------------------------------------------------------------------------------ */

struct challenges {
    struct ds_check_report *report;
    struct open {
        uint64_t height, drawn_epoch; /* height 0: none is open */
        uint8_t asking;
    } * open; /* by node */
    uint32_t nodes;
};

static void challenges_init(void *state, const struct ds_check_config *config,
                            struct ds_check_report *report)
{
    struct challenges *s = state;
    s->report = report;
    s->nodes = config->nodes;
    s->open = dc_mem_need(config->nodes, sizeof *s->open, "open challenges");
}

static void challenges_free(void *state)
{
    dc_mem_free(((struct challenges *)state)->open);
}

/* By those drawn, whether or not they spoke (models/README.md 6). */
static uint8_t challenges_verdict(const struct ds_check_challenge *c)
{
    uint32_t missed = (uint32_t)c->late + c->silent;
    if (2u * c->pass > c->verifiers)
        return DS_CHECK_PASS;
    if (2u * c->fail > c->verifiers)
        return DS_CHECK_FAIL;
    if (2u * missed > c->verifiers)
        return c->late >= c->silent ? DS_CHECK_LATE : DS_CHECK_SILENT;
    return DS_CHECK_UNDECIDED;
}

static void challenges_settle(struct challenges *s, const struct ds_check_block *b,
                              const struct ds_check_challenge *c)
{
    static const char *const names[] = {"none", "pass", "fail", "late", "silent", "undecided"};
    struct open *o = &s->open[c->node];
    uint8_t verdict = challenges_verdict(c);
    if (o->height != c->height || o->asking != c->asking)
        ds_check_tell(s->report, DS_CHECK_CHALLENGES, b->time_ns,
                      "block %llu settles a challenge of node %u (asking %u, height %llu) that is "
                      "not open",
                      (unsigned long long)b->height, c->node, c->asking,
                      (unsigned long long)c->height);
    else if (c->outcome != verdict)
        ds_check_tell(s->report, DS_CHECK_CHALLENGES, b->time_ns,
                      "block %llu settles the challenge of node %u of height %llu as %s, but of %u "
                      "verifiers %u said pass, %u fail, %u late and %u silent: %s",
                      (unsigned long long)b->height, c->node, (unsigned long long)c->height,
                      c->outcome < sizeof names / sizeof *names ? names[c->outcome] : "nonsense",
                      c->verifiers, c->pass, c->fail, c->late, c->silent, names[verdict]);
    o->height = 0;
}

/* The first block of an epoch settles what was drawn in the one before: a first asking in the epoch
 * of its T(e), a second one an epoch later.  An ejected node's challenge ends with it. */
static void challenges_block(void *state, const struct ds_check_block *b)
{
    struct challenges *s = state;
    for (uint32_t i = 0; i < b->settleds; i++)
        challenges_settle(s, b, &b->settled[i]);
    for (uint32_t i = 0; i < b->slashes; i++)
        if (b->slash[i].ejected && b->slash[i].account < s->nodes)
            s->open[b->slash[i].account].height = 0;
    for (uint32_t n = 0; b->first_of_epoch && n < s->nodes; n++) {
        if (s->open[n].height == 0 || s->open[n].drawn_epoch >= b->epoch)
            continue;
        ds_check_tell(
            s->report, DS_CHECK_CHALLENGES, b->time_ns,
            "block %llu begins epoch %llu, but the challenge of node %u that was drawn at "
            "height %llu is not settled",
            (unsigned long long)b->height, (unsigned long long)b->epoch, n,
            (unsigned long long)s->open[n].height);
        s->open[n].height = 0;
    }
    for (uint32_t i = 0; i < b->drawns; i++) {
        const struct ds_check_challenge *c = &b->drawn[i];
        struct open *o = &s->open[c->node];
        if (o->height != 0)
            ds_check_tell(s->report, DS_CHECK_CHALLENGES, b->time_ns,
                          "block %llu draws a challenge of node %u while the one of height %llu is "
                          "open",
                          (unsigned long long)b->height, c->node, (unsigned long long)o->height);
        *o = (struct open){b->height, b->epoch, c->asking};
    }
}

const struct ds_check_class ds_check_challenges = {
    .name = "challenges",
    .line = "every challenge is settled in the epoch after it was drawn, by the majority of those "
            "drawn to judge it",
    .state_bytes = sizeof(struct challenges),
    .init = challenges_init,
    .free = challenges_free,
    .block = challenges_block,
};
