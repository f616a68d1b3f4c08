/* Blocks and the simulator: each checker on legal histories, which it must bear in silence, and on
 * every kind of illegal one, which it must tell of under the right name with the evidence in it. */
#include "tests/check/feed.h"

#define NODES 8
#define S 1000000000LL

/* --- the ledger ------------------------------------------------------------------------------ */

static struct ds_check_block a_block(uint64_t height)
{
    return (struct ds_check_block){.time_ns = (int64_t)height * S,
                                   .node = 6,
                                   .height = height,
                                   .epoch = (height - 1) / 10,
                                   .round = (height - 1) % 10 + 1,
                                   .id = feed_id(height),
                                   .parent = feed_id(height - 1),
                                   .proposer_honest = true,
                                   .first_of_epoch = height > 10 && height % 10 == 1,
                                   .root_said = feed_id(height + 1000),
                                   .root_here = feed_id(height + 1000),
                                   .conserved = true,
                                   .minted = 5000,
                                   .burned = 20};
}

static void block_case(const struct ds_check_block *b, uint32_t count, enum ds_check which,
                       const char *what)
{
    struct ds_checks *c = feed_make(NODES);
    for (uint32_t i = 0; i < count; i++)
        ds_checks_block(c, &b[i]);
    feed_told(c, which, what != NULL);
    if (what != NULL)
        feed_says(c, which, what);
    ds_checks_free(c);
}

static void test_execution(void)
{
    struct ds_check_block b = a_block(3);
    b.again = b.again_valid = true;
    b.root_again = b.root_said;
    block_case(&b, 1, DS_CHECK_EXECUTION, NULL);
    b.root_again = feed_id(1);
    block_case(&b, 1, DS_CHECK_EXECUTION, "leaves another state when it is executed again");
    b.again_valid = false;
    block_case(&b, 1, DS_CHECK_EXECUTION, "is refused when it is executed again");
    b = a_block(3);
    b.root_here = feed_id(1);
    block_case(&b, 1, DS_CHECK_EXECUTION, "promises another state");
    b = a_block(3);
    b.credits_wrong = 2;
    b.credit.node = 4;
    b.credit.lag = 9;
    b.credit.worth = 100;
    b.credit.credited = 200;
    block_case(&b, 1, DS_CHECK_EXECUTION, "heartbeat of node 4, 9 heights behind, with 200");
}

static void test_pool(void)
{
    struct ds_check_block b = a_block(7);
    b.pool.known = true;
    b.pool.before = 100;
    b.pool.in = 50;
    b.pool.out = 120;
    b.pool.after = 30;
    b.pool.images_before = 4;
    b.pool.images_after = 6;
    b.pool.spent = 2;
    block_case(&b, 1, DS_CHECK_MONEY, NULL);
    b.pool.after = 31;
    block_case(&b, 1, DS_CHECK_MONEY, "leaves a shielded pool of 31: it had 100, 50 came and 120");
    b.pool.out = 151;
    b.pool.after = UINT64_MAX; /* below zero */
    block_case(&b, 1, DS_CHECK_MONEY, "leaves a shielded pool of 18446744073709551615");
    b.pool.known = false;
    block_case(&b, 1, DS_CHECK_MONEY, NULL);
    b.pool.known = true;
    b.pool.out = 120;
    b.pool.after = 30;
    b.pool.images_after = 5;
    block_case(&b, 1, DS_CHECK_MONEY, "spends 2 notes, 0 of them again");
    b.pool.images_after = 6;
    b.pool.again = 1;
    block_case(&b, 1, DS_CHECK_MONEY, "spends 2 notes, 1 of them again");
}

static void test_money(void)
{
    struct ds_check_block b[2] = {a_block(10), a_block(11)};
    b[1].rewards = true;
    b[1].issued = 100;
    b[1].fees = 7;
    b[1].reward_given = b[1].reward_said = 90;
    b[1].reward_burned = 17;
    b[1].minted += 100;
    block_case(b, 2, DS_CHECK_MONEY, NULL);
    struct ds_check_block x[2] = {b[0], b[1]};
    x[1].conserved = false;
    block_case(x, 2, DS_CHECK_MONEY, "at 11.000000 s: money: money is not conserved at height 11");
    x[1] = b[1];
    x[1].reward_given = 180; /* paid twice */
    block_case(x, 2, DS_CHECK_MONEY, "gives 180 to nodes and accounts for 90");
    x[1] = b[1];
    x[1].reward_burned = 16;
    block_case(x, 2, DS_CHECK_MONEY, "of 100 issued and 7 in fees");
    x[1] = b[1];
    x[1].minted++;
    block_case(x, 2, DS_CHECK_MONEY, "mints 101 and accounts for 100");
    x[1] = a_block(11);
    x[1].minted++;
    block_case(x, 2, DS_CHECK_MONEY, "mints 1 and accounts for 0");
}

static void test_slashing(void)
{
    const struct ds_check_offence shown[] = {{3, 2, 0, 5}, {3, 2, 0, 6}};
    const struct ds_check_slash slash[] = {
        {.account = 3, .reason = 1, .equivocation = true, .ejected = true, .amount = 50},
        {.account = 3, .reason = 1, .equivocation = true, .ejected = true}};
    struct ds_check_block b = a_block(8);
    b.offence = shown;
    b.slash = slash;
    b.offences = b.slashes = 1;
    block_case(&b, 1, DS_CHECK_SLASHING, NULL);
    struct ds_check_block twice[] = {b, a_block(9)};
    twice[1].offence = shown;
    twice[1].slash = slash + 1;
    twice[1].offences = twice[1].slashes = 1;
    block_case(twice, 2, DS_CHECK_SLASHING, "node 3 again for an equivocation that was punished");
    twice[1].offence = shown + 1; /* another offence of one who has nothing more to lose */
    block_case(twice, 2, DS_CHECK_SLASHING, "slashes node 3 for equivocation once more");
    b.offences = 0;
    block_case(&b, 1, DS_CHECK_SLASHING, "for an equivocation that nobody shows");
    b.offences = 1;
    b.slashes = 0;
    block_case(&b, 1, DS_CHECK_SLASHING, "shows that node 3 equivocated (epoch 0, round 5)");
    struct ds_check_slash honest = slash[0];
    honest.honest = true;
    b.slash = &honest;
    b.slashes = 1;
    block_case(&b, 1, DS_CHECK_SLASHING, "slashes the honest node 3 for equivocation");
    const struct ds_check_slash answers[] = {{.account = 5, .reason = 3, .amount = 9},
                                             {.account = 5, .reason = 3, .amount = 9}};
    b = a_block(8);
    b.slash = answers;
    b.slashes = 1;
    block_case(&b, 1, DS_CHECK_SLASHING, NULL);
    b.slashes = 2;
    block_case(&b, 1, DS_CHECK_SLASHING, "slashes node 5 twice for one reason");
}

/* Eight blocks; node 3 equivocates in four of their rounds, and is caught by so many of six. */
static void caught_case(uint32_t holders, bool honest_leaders, uint64_t slashed_at,
                        const char *what)
{
    static const struct ds_check_offence shown = {3, 1, 0, 2};
    static const struct ds_check_slash slash = {
        .account = 3, .reason = 1, .equivocation = true, .ejected = true};
    struct ds_checks *c = feed_make(NODES);
    for (uint64_t h = 1; h <= 30; h++) {
        struct ds_check_block b = a_block(h);
        b.proposer_honest = honest_leaders;
        if (h == slashed_at) {
            b.offence = &shown;
            b.slash = &slash;
            b.offences = b.slashes = 1;
        }
        ds_checks_block(c, &b);
        const struct ds_check_caught x = {.time_ns = b.time_ns,
                                          .account = 3,
                                          .epoch = b.epoch,
                                          .round = b.round + 1,
                                          .holders = holders,
                                          .honest = 6};
        if (h % 3 == 0) {
            ds_checks_caught(c, &x);
            ds_checks_caught(c, &x); /* seen in two seconds, or by two */
        }
    }
    feed_told(c, DS_CHECK_SLASHING, what != NULL);
    if (what != NULL)
        feed_says(c, DS_CHECK_SLASHING, what);
    ds_checks_free(c);
}

static void test_caught(void)
{
    caught_case(6, true, 0, "node 3 was caught equivocating again and again");
    caught_case(4, true, 0, "node 3 was caught equivocating again and again");
    caught_case(3, true, 0, NULL);
    caught_case(6, false, 0, NULL);
    caught_case(6, true, 5, NULL);
}

/* Votes of both kinds at the collectors of every third round; they propose the round after. */
static void heard_case(bool both, bool proposes, uint64_t slashed_at, const char *what)
{
    static const struct ds_check_offence shown = {3, 1, 0, 2};
    static const struct ds_check_slash slash = {
        .account = 3, .reason = 1, .equivocation = true, .ejected = true};
    struct ds_checks *c = feed_make(NODES);
    for (uint64_t h = 1; h <= 30; h++) {
        struct ds_check_block b = a_block(h);
        b.proposer = (uint32_t)(h % NODES);
        struct ds_check_heard x = {.time_ns = b.time_ns,
                                   .epoch = b.epoch,
                                   .round = b.round - 1,
                                   .block = feed_id(1),
                                   .signer = 3,
                                   .collector = (uint32_t)((h + !proposes) % NODES)};
        for (int i = 0; i < 3 && h % 3 == 0; i++) {
            ds_checks_heard(c, &x);
            if (both && i == 1)
                x.block = feed_id(2);
        }
        if (h == slashed_at) {
            b.offence = &shown;
            b.slash = &slash;
            b.offences = b.slashes = 1;
        }
        ds_checks_block(c, &b);
    }
    feed_told(c, DS_CHECK_SLASHING, what != NULL);
    if (what != NULL)
        feed_says(c, DS_CHECK_SLASHING, what);
    ds_checks_free(c);
}

static void test_heard(void)
{
    heard_case(true, true, 0,
               "node 3 was caught equivocating again and again, last in round 5 of epoch 0");
    heard_case(false, true, 0, NULL);
    heard_case(true, false, 0, NULL);
    heard_case(true, true, 5, NULL);
}

static struct ds_check_challenge asked(uint64_t height, uint8_t asking)
{
    return (struct ds_check_challenge){
        .node = 4, .asking = asking, .height = height, .verifiers = 5};
}

static void test_challenges(void)
{
    struct ds_check_challenge first = asked(5, 1), late = first, second = asked(12, 2),
                              end = second;
    late.late = 2;
    late.silent = 1;
    late.outcome = DS_CHECK_LATE;
    end.pass = 3;
    end.outcome = DS_CHECK_PASS;
    struct ds_check_block b[4] = {a_block(5), a_block(11), a_block(12), a_block(21)};
    b[0].drawn = &first;
    b[1].settled = &late;
    b[2].drawn = &second;
    b[3].settled = &end;
    b[0].drawns = b[1].settleds = b[2].drawns = b[3].settleds = 1;
    block_case(b, 4, DS_CHECK_CHALLENGES, NULL);
    struct ds_check_challenge wrong = end;
    wrong.pass = 2; /* of five drawn, all who spoke: no majority */
    b[3].settled = &wrong;
    block_case(b, 4, DS_CHECK_CHALLENGES,
               "as pass, but of 5 verifiers 2 said pass, 0 fail, 0 late and 0 silent: undecided");
    b[3].settleds = 0;
    block_case(b, 4, DS_CHECK_CHALLENGES,
               "begins epoch 2, but the challenge of node 4 that was "
               "drawn at height 12 is not settled");
    const struct ds_check_slash ejected = {.account = 4, .reason = 5, .ejected = true};
    b[3].slash = &ejected;
    b[3].slashes = 1;
    block_case(b, 4, DS_CHECK_CHALLENGES, NULL);
    b[0].drawns = 0;
    block_case(b, 2, DS_CHECK_CHALLENGES, "that is not open");
    struct ds_check_block two[2] = {a_block(5), a_block(6)};
    two[0].drawn = two[1].drawn = &first;
    two[0].drawns = two[1].drawns = 1;
    block_case(two, 2, DS_CHECK_CHALLENGES, "while the one of height 5 is open");
}

/* Every split of five verifiers: the outcome by 6's words, and no other, is borne. */
static void test_challenge_verdicts(void)
{
    for (int k = 0; k < 625; k++) {
        struct ds_check_challenge x = asked(5, 1);
        x.pass = (uint8_t)(k % 5);
        x.fail = (uint8_t)(k / 5 % 5);
        x.late = (uint8_t)(k / 25 % 5);
        x.silent = (uint8_t)(k / 125);
        if (x.pass + x.fail + x.late + x.silent > 5)
            continue;
        uint8_t right = x.pass >= 3             ? DS_CHECK_PASS
                        : x.fail >= 3           ? DS_CHECK_FAIL
                        : x.late + x.silent < 3 ? DS_CHECK_UNDECIDED
                        : x.late >= x.silent    ? DS_CHECK_LATE
                                                : DS_CHECK_SILENT;
        for (x.outcome = 0; x.outcome <= DS_CHECK_UNDECIDED; x.outcome++) {
            struct ds_check_challenge drawn = asked(5, 1);
            struct ds_check_block b[2] = {a_block(5), a_block(11)};
            b[0].drawn = &drawn;
            b[1].settled = &x;
            b[0].drawns = b[1].settleds = 1;
            block_case(b, 2, DS_CHECK_CHALLENGES, x.outcome == right ? NULL : "settles");
        }
    }
}

/* --- the simulator --------------------------------------------------------------------------- */

static void test_messages(void)
{
    struct ds_check_traffic t = {.time_ns = S,
                                 .kind = "vote",
                                 .sent = 100,
                                 .duplicated = 5,
                                 .replayed = 2,
                                 .delivered = 90,
                                 .lost = 4,
                                 .cut = 3,
                                 .queue_full = 2,
                                 .down = 1,
                                 .in_flight = 7};
    struct ds_checks *c = feed_make(NODES);
    ds_checks_traffic(c, &t);
    feed_silent(c);
    t.in_flight--;
    ds_checks_traffic(c, &t);
    feed_told(c, DS_CHECK_MESSAGES, 1);
    feed_says(c, DS_CHECK_MESSAGES, "107 messages of kind vote came into being");
    feed_says(c, DS_CHECK_MESSAGES, "106 are accounted for");
    ds_checks_free(c);
}

static void test_bounds(void)
{
    struct ds_checks *c = feed_make(NODES);
    struct ds_check_level l = {S, 3, "votes of one set", 8, 8};
    ds_checks_level(c, &l);
    feed_silent(c);
    l.level = 9;
    ds_checks_level(c, &l);
    feed_told(c, DS_CHECK_BOUNDS, 1);
    feed_says(c, DS_CHECK_BOUNDS, "node 3's votes of one set hold 9 of 8");
    ds_checks_free(c);
}

static struct ds_checks *healed(void)
{
    struct ds_check_config config = {.nodes = NODES,
                                     .voters = NODES,
                                     .epoch_blocks = 10,
                                     .heal_at_ns = 10 * S,
                                     .heal_within_ns = 5 * S};
    return ds_checks_create(&config);
}

static void progress(struct ds_checks *c, uint32_t node, int64_t proposed_ns, int64_t time_ns)
{
    const struct ds_check_commit x = {.time_ns = time_ns,
                                      .proposed_ns = proposed_ns,
                                      .height = 4,
                                      .id = feed_id(4),
                                      .node = node};
    ds_checks_commit(c, &x);
}

static void test_liveness(void)
{
    static const bool quorum[NODES] = {true, true, true, false};
    uint8_t up[NODES] = {1, 1, 1, 0};
    for (int how = 0; how < 5; how++) {
        struct ds_checks *c = healed();
        progress(c, 0, 11 * S, 13 * S);
        progress(c, 1, 11 * S, 15 * S);
        if (how == 1)
            progress(c, 2, 9 * S, 12 * S); /* proposed before the healing: proves nothing */
        if (how == 2)
            progress(c, 2, 12 * S, 15 * S + 1); /* too late */
        if (how == 3)
            progress(c, 2, 12 * S, 14 * S);
        up[2] = how != 4; /* down: nothing is asked of it */
        struct ds_check_moment m = {14 * S, quorum, up};
        ds_checks_moment(c, &m);
        feed_silent(c);
        m.time_ns = 15 * S;
        ds_checks_moment(c, &m);
        m.time_ns = 16 * S;
        ds_checks_moment(c, &m);
        feed_told(c, DS_CHECK_LIVENESS, how < 3);
        if (how < 3)
            feed_says(c, DS_CHECK_LIVENESS,
                      "at 15.000000 s: liveness: 5.000000 s after all faults healed for 3 nodes, 1 "
                      "of them");
        ds_checks_free(c);
    }
    struct ds_checks *c = feed_make(NODES); /* no heal: nothing is asked */
    const struct ds_check_moment m = {100 * S, quorum, up};
    ds_checks_moment(c, &m);
    feed_silent(c);
    ds_checks_free(c);
}

static void test_classes(void)
{
    for (int i = 0; i < DS_CHECKS; i++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(ds_check_classes[i]);
        CU_ASSERT_TRUE(strlen(ds_check_classes[i]->line) > 20);
        for (int k = 0; k < i; k++)
            CU_ASSERT_STRING_NOT_EQUAL(ds_check_classes[i]->name, ds_check_classes[k]->name);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"execution", test_execution},
        {"pool", test_pool},
        {"money", test_money},
        {"slashing", test_slashing},
        {"slashing: caught and not punished", test_caught},
        {"slashing: heard by collectors", test_heard},
        {"challenges", test_challenges},
        {"challenges: every split of verdicts", test_challenge_verdicts},
        {"messages", test_messages},
        {"bounds", test_bounds},
        {"liveness", test_liveness},
        {"classes", test_classes},
    };
    dc_crypto_init();
    return TEST_MAIN("ledger", cases);
}
