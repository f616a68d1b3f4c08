/* Accountable safety: forks of every shape that the rules leave, made by random quorums of random
 * power.  Who is convicted must be exactly who contradicted himself, and that is a third at least;
 * what honest members sign never convicts them. */
#include "tests/check/feed.h"

#define NODES 24
#define S 1000000000LL
#define EPOCH 3 /* of the forks: heights 31 to 40 */

struct world {
    uint32_t count, account[NODES];
    uint64_t power[NODES], total;
    struct ds_checks *checks;
    struct dc_stream stream;
    bool forged[NODES]; /* whose signatures do not hold */
    uint64_t twice;     /* members whose second vote of round 5 stands in a certificate alone */
};

static const uint8_t some_signature[64];

static bool holds(const void *ctx, const struct ds_check_signed *m)
{
    return !((const struct world *)ctx)->forged[m->signer];
}

static void certified(const void *ctx, void (*take)(void *to, const struct ds_check_signed *vote),
                      void *to)
{
    const struct world *w = ctx;
    for (uint32_t i = 0; i < w->count; i++) {
        struct ds_check_signed m = {.epoch = EPOCH,
                                    .round = 5,
                                    .block = feed_id(2),
                                    .signer = w->account[i],
                                    .node = w->account[i],
                                    .kind = DS_CHECK_VOTE};
        if (w->twice >> i & 1)
            take(to, &m);
    }
}

static bool excused(const void *ctx, uint32_t node)
{
    (void)ctx;
    (void)node;
    return true; /* here it is about the fork alone */
}

static void make(struct world *w, uint64_t seed)
{
    *w = (struct world){.stream = dc_stream(seed, 0, dc_name("fork"))};
    w->count = 4 + (uint32_t)dc_next_below(&w->stream, 16);
    for (uint32_t i = 0; i < w->count; i++) {
        w->account[i] = i + 2;
        w->total += w->power[i] = 1 + dc_next_below(&w->stream, seed % 3 == 0 ? 1 : 6);
    }
    struct ds_check_config config = {.nodes = NODES,
                                     .voters = NODES,
                                     .epoch_blocks = 10,
                                     .excused = excused,
                                     .holds = holds,
                                     .certified = certified,
                                     .ctx = w};
    w->checks = ds_checks_create(&config);
    const struct ds_check_committee c = {EPOCH, w->count, w->account, w->power};
    ds_checks_committee(w->checks, &c, &c, S);
}

/* A random set of members with a quorum of the power, and no member that it can do without at the
 * end. */
static uint64_t quorum(struct world *w)
{
    uint64_t set = 0, power = 0;
    while (power < 2 * w->total / 3 + 1) {
        uint32_t i = (uint32_t)dc_next_below(&w->stream, w->count);
        power += (set >> i & 1) ? 0 : w->power[i];
        set |= (uint64_t)1 << i;
    }
    return set;
}

static uint64_t power_of(const struct world *w, uint64_t set)
{
    uint64_t power = 0;
    for (uint32_t i = 0; i < w->count; i++)
        power += (set >> i & 1) ? w->power[i] : 0;
    return power;
}

static void sign(struct world *w, uint64_t set, struct ds_check_signed m)
{
    m.epoch = EPOCH;
    m.signature = some_signature;
    for (uint32_t i = 0; i < w->count; i++) {
        m.signer = m.node = w->account[i];
        if (set >> i & 1)
            ds_checks_signed(w->checks, &m);
    }
}

/* Votes of a set for a block of a round, on a certificate of qc_round; tc: beside a TC that names it. */
static void vote(struct world *w, uint64_t set, uint64_t block, uint64_t round, uint64_t qc_round,
                 bool tc)
{
    struct ds_check_proposal p = {.epoch = EPOCH,
                                  .round = round,
                                  .qc_round = qc_round,
                                  .tc = tc,
                                  .tc_round = round - 1,
                                  .tc_qc_round_max = qc_round};
    sign(w, set,
         (struct ds_check_signed){
             .round = round, .block = feed_id(block), .kind = DS_CHECK_VOTE, .proposal = &p});
}

static void time_out(struct world *w, uint64_t set, uint64_t round, uint64_t qc_round)
{
    sign(w, set,
         (struct ds_check_signed){.round = round, .qc_round = qc_round, .kind = DS_CHECK_TIMEOUT});
}

/* Tells of the fork, and compares the guilty with those that are. */
static void judge(struct world *w, uint64_t guilty)
{
    const struct ds_check_fork f = {9 * S, 35, 4};
    const struct ds_check_report *r = ds_checks_report(w->checks);
    ds_checks_conflict(w->checks, &f);
    CU_ASSERT_EQUAL(r->guilty_of, w->total);
    CU_ASSERT_EQUAL(r->guilty_power, power_of(w, guilty));
    CU_ASSERT_EQUAL(r->guilty, (uint32_t)__builtin_popcountll(guilty));
    CU_ASSERT_EQUAL(r->count[DS_CHECK_AGREEMENT], 1);
    CU_ASSERT_EQUAL(r->count[DS_CHECK_ACCOUNTABLE], 3 * power_of(w, guilty) < w->total);
    feed_says(w->checks, DS_CHECK_AGREEMENT, "signed contradictions convict");
    if (3 * power_of(w, guilty) < w->total)
        feed_says(w->checks, DS_CHECK_ACCOUNTABLE, "less than a third");
    ds_checks_free(w->checks);
}

#define SEEDS 300

/* Two certificates of one round. */
static void test_same_round(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        make(&w, seed);
        uint64_t a = quorum(&w), b = quorum(&w);
        vote(&w, a, 1, 5, 4, false);
        vote(&w, b, 2, 5, 4, false);
        CU_ASSERT_TRUE(3 * power_of(&w, a & b) >= w.total);
        judge(&w, a & b);
    }
}

/* The second certificate's votes were never sent by some of their signers, who collected them. */
static void test_in_certificates(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        make(&w, seed);
        uint64_t a = quorum(&w);
        w.twice = quorum(&w);
        vote(&w, a, 1, 5, 4, false);
        judge(&w, a & w.twice);
    }
}

/* A TC that passes a final block by: its signers who had voted for the child are caught by their own
 * timeouts, in whichever order they signed. */
static void test_passed_by(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        make(&w, seed);
        uint64_t a = quorum(&w), child = quorum(&w), t = quorum(&w), c = quorum(&w);
        uint64_t later = 7 + dc_next_below(&w.stream, 10); /* round of C */
        vote(&w, a, 1, 5, 4, false);
        if (seed % 2 == 0)
            time_out(&w, t, later - 1, 4);
        vote(&w, child, 3, 6, 5, false);
        if (seed % 2 == 1)
            time_out(&w, t, later - 1, 4);
        vote(&w, c, 2, later, 4, true);
        CU_ASSERT_TRUE(3 * power_of(&w, child & t) >= w.total);
        judge(&w, child & t);
    }
}

/* A block that the rules forbid to vote for: all its voters. */
static void test_forbidden(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        make(&w, seed);
        uint64_t a = quorum(&w), c = quorum(&w);
        vote(&w, a, 1, 5, 4, false);
        vote(&w, a, 3, 6, 5, false);
        vote(&w, c, 2, 8, 4, false);
        judge(&w, c);
    }
}

/* Signatures that do not hold convict nobody. */
static void test_forged(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        make(&w, seed);
        uint64_t a = quorum(&w), b = quorum(&w), forged = 0;
        for (uint32_t i = 0; i < w.count; i++)
            if (dc_next_below(&w.stream, 2) == 0) {
                w.forged[w.account[i]] = true;
                forged |= (uint64_t)1 << i;
            }
        vote(&w, a, 1, 5, 4, false);
        vote(&w, b, 2, 5, 4, false);
        judge(&w, a & b & ~forged);
    }
}

/* Members that keep to the rules sign whatever rounds bring; nobody is ever convicted, so a fork all
 * the same is a violation of its own. */
static void test_honest(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        make(&w, seed);
        uint64_t high[NODES] = {0}, last[NODES] = {0}, newest = 0, certified_round = 0;
        for (uint64_t round = 1; round <= 60; round++) {
            bool tc = certified_round + 1 != round;
            uint64_t on = tc ? newest : round - 1;
            for (uint32_t i = 0; i < w.count; i++) {
                uint64_t one = (uint64_t)1 << i;
                if (dc_next_below(&w.stream, 3) != 0 && last[i] < round) {
                    high[i] = on > high[i] ? on : high[i];
                    vote(&w, one, round, round, on, tc);
                    last[i] = round;
                }
                if (dc_next_below(&w.stream, 3) == 0) {
                    time_out(&w, one, round, high[i]);
                    last[i] = round;
                }
            }
            if (dc_next_below(&w.stream, 2) == 0)
                newest = certified_round = round;
        }
        judge(&w, 0);
    }
}

/* Only what was signed last is kept, and an epoch's fork asks for that epoch. */
static void test_other_epoch(void)
{
    struct world w;
    make(&w, 5);
    struct ds_check_signed m = {.epoch = EPOCH - 1,
                                .round = 5,
                                .block = feed_id(1),
                                .signer = w.account[0],
                                .node = w.account[0],
                                .kind = DS_CHECK_VOTE,
                                .signature = some_signature};
    ds_checks_signed(w.checks, &m);
    m.block = feed_id(2);
    ds_checks_signed(w.checks, &m);
    m.signer = NODES + 3; /* nobody */
    ds_checks_signed(w.checks, &m);
    judge(&w, 0);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"two certificates of one round", test_same_round},
        {"votes that stand in certificates alone", test_in_certificates},
        {"a final block passed by", test_passed_by},
        {"a block that may not be voted for", test_forbidden},
        {"forged signatures", test_forged},
        {"honest members are never convicted", test_honest},
        {"another epoch", test_other_epoch},
    };
    dc_crypto_init();
    return TEST_MAIN("accountable", cases);
}
