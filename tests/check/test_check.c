/* Finality, certificates and votes: each checker on legal histories, which it must bear in silence, and on every kind of illegal one,
 * which it must tell of under the right name with the evidence in it. */
#include "tests/check/feed.h"

#define NODES 8
#define S 1000000000LL

/* --- agreement and prefix -------------------------------------------------------------------- */

/* Ids of a chain: block `height` of chain `chain`. */
static struct dc_hash chain_id(uint64_t chain, uint64_t height)
{
    return feed_id(chain << 32 | height);
}

static void commit(struct ds_checks *c, uint32_t node, uint32_t life, uint64_t chain,
                   uint64_t height)
{
    const struct ds_check_commit x = {.time_ns = (int64_t)height * S,
                                      .height = height,
                                      .id = chain_id(chain, height),
                                      .parent = chain_id(chain, height - 1),
                                      .node = node,
                                      .incarnation = life};
    ds_checks_commit(c, &x);
}

static void test_finality_legal(void)
{
    struct ds_checks *c = feed_make(NODES);
    for (uint64_t h = 1; h <= 3000; h++)
        for (uint32_t n = 0; n < 4; n++)
            commit(c, n, 0, 0, h);
    for (uint64_t h = 1; h <= 20; h++) /* late, long beyond every ring */
        commit(c, 4, 0, 0, h);
    commit(c, 4, 0, 0, 2000);               /* state sync */
    for (uint64_t h = 1500; h <= 2500; h++) /* a new life repeats, and goes on */
        commit(c, 4, 1, 0, h);
    feed_silent(c);
    ds_checks_free(c);
}

static void test_agreement_broken(void)
{
    for (uint64_t late = 0; late < 2; late++) {
        struct ds_checks *c = feed_make(NODES);
        for (uint64_t h = 1; h <= 1000; h++)
            commit(c, 0, 0, 0, h);
        commit(c, 5, 0, 1, late ? 3 : 1000); /* another block, also long after everybody else */
        feed_told(c, DS_CHECK_AGREEMENT, 1);
        feed_says(c, DS_CHECK_AGREEMENT,
                  late ? "at 3.000000 s: agreement: node 5 made another "
                         "block of height 3 final"
                       : "height 1000 final");
        feed_says(c, DS_CHECK_AGREEMENT, "than node 0");
        ds_checks_free(c);
    }
    struct ds_checks *c = feed_make(NODES);
    const struct ds_check_fork f = {7 * S, 12, 3};
    ds_checks_conflict(c, &f);
    feed_told(c, DS_CHECK_AGREEMENT, 1);
    feed_says(c, DS_CHECK_AGREEMENT, "node 3 met a certificate");
    ds_checks_free(c);
}

static void test_prefix_broken(void)
{
    struct ds_checks *c = feed_make(NODES);
    commit(c, 0, 0, 0, 1);
    commit(c, 0, 0, 0, 2);
    commit(c, 0, 0, 0, 2); /* again, without a restart */
    feed_told(c, DS_CHECK_PREFIX, 1);
    feed_says(c, DS_CHECK_PREFIX, "node 0 went back from height 2 to 2 without a restart");
    ds_checks_free(c);

    c = feed_make(NODES);
    struct ds_check_commit x = {.time_ns = S, .height = 1, .id = feed_id(1), .node = 2};
    ds_checks_commit(c, &x);
    x = (struct ds_check_commit){
        .time_ns = 2 * S, .height = 2, .id = feed_id(2), .parent = feed_id(9), .node = 2};
    ds_checks_commit(c, &x); /* alone at its height: only its own history tells */
    feed_told(c, DS_CHECK_PREFIX, 1);
    feed_says(c, DS_CHECK_PREFIX, "does not extend");
    ds_checks_free(c);

    c = feed_make(NODES);
    commit(c, 0, 0, 0, 5);
    commit(c, 1, 0, 0, 5);
    commit(c, 1, 1, 3, 5); /* after a restart, differently */
    CU_ASSERT_EQUAL(ds_checks_report(c)->count[DS_CHECK_PREFIX], 1);
    CU_ASSERT_EQUAL(ds_checks_report(c)->count[DS_CHECK_AGREEMENT], 1);
    CU_ASSERT_EQUAL(ds_checks_report(c)->first, DS_CHECK_AGREEMENT);
    CU_ASSERT_EQUAL(ds_checks_violations(c), 2);
    ds_checks_free(c);
}

/* Random commits of a few chains, against a model that keeps everything whole. */
#define HEIGHTS 12
struct model {
    struct dc_hash id[HEIGHTS];
    bool any[HEIGHTS];
    struct {
        uint64_t height;
        struct dc_hash id;
        uint32_t life;
    } tip[NODES];
    uint64_t agreement, prefix;
};

static void model_commit(struct model *m, uint32_t node, uint32_t life, uint64_t chain, uint64_t h)
{
    struct dc_hash id = chain_id(chain, h), parent = chain_id(chain, h - 1);
    if (!m->any[h])
        m->id[h] = id;
    m->agreement += !dc_hash_equal(&m->id[h], &id);
    m->any[h] = true;
    uint64_t before = m->tip[node].height;
    if (before != 0)
        m->prefix += (h == before + 1 && !dc_hash_equal(&parent, &m->tip[node].id)) ||
                     (h == before && !dc_hash_equal(&id, &m->tip[node].id)) ||
                     (h <= before && life == m->tip[node].life &&
                      !(h == before && !dc_hash_equal(&id, &m->tip[node].id)));
    m->tip[node].height = h;
    m->tip[node].id = id;
    m->tip[node].life = life;
}

static void test_finality_model(void)
{
    uint64_t broken = 0;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct dc_stream s = dc_stream(seed, 0, dc_name("commits"));
        struct ds_checks *c = feed_make(NODES);
        struct model m = {0};
        uint32_t life[NODES] = {0};
        uint64_t height[NODES] = {0};
        bool calm = seed % 2 == 0; /* legal steps alone */
        for (int i = 0; i < 60; i++) {
            uint32_t node = (uint32_t)dc_next_below(&s, NODES);
            uint64_t h = height[node] + 1, chain = 0;
            if (dc_next_below(&s, 10) == 0) {
                life[node]++;
                h = 1 + dc_next_below(&s, height[node] + 1);
            }
            if (!calm && dc_next_below(&s, 12) == 0)
                chain = 1;
            if (!calm && dc_next_below(&s, 12) == 0)
                h = 1 + dc_next_below(&s, HEIGHTS - 1);
            if (h >= HEIGHTS)
                continue;
            height[node] = h;
            commit(c, node, life[node], chain, h);
            model_commit(&m, node, life[node], chain, h);
        }
        const struct ds_check_report *r = ds_checks_report(c);
        CU_ASSERT_EQUAL(r->count[DS_CHECK_AGREEMENT], m.agreement);
        CU_ASSERT_EQUAL(r->count[DS_CHECK_PREFIX], m.prefix);
        CU_ASSERT_TRUE(!calm || m.agreement + m.prefix == 0);
        broken += m.agreement + m.prefix != 0;
        ds_checks_free(c);
    }
    CU_ASSERT_TRUE(broken > 150);
}

/* --- certificates ---------------------------------------------------------------------------- */

static const uint32_t accounts[] = {1, 3, 4, 7};
static const uint64_t powers[] = {10, 10, 10, 10};
static const struct ds_check_committee four = {2, 4, accounts, powers};

static struct ds_check_certificate good_qc(const uint8_t *bitmap, uint32_t signatures)
{
    return (struct ds_check_certificate){.time_ns = S,
                                         .node = 5,
                                         .height = 21,
                                         .kind = DS_CHECK_QC,
                                         .epoch = 2,
                                         .round = 6,
                                         .members = 4,
                                         .signatures = signatures,
                                         .bitmap = bitmap,
                                         .bad = UINT32_MAX,
                                         .block_epoch = 2,
                                         .block_round = 7,
                                         .committee = &four};
}

static void one_certificate(const struct ds_check_certificate *x, const char *what)
{
    struct ds_checks *c = feed_make(NODES);
    ds_checks_certificate(c, x);
    if (what == NULL) {
        feed_silent(c);
    } else {
        feed_told(c, DS_CHECK_CERTIFICATES, 1);
        feed_says(c, DS_CHECK_CERTIFICATES, what);
        feed_says(c, DS_CHECK_CERTIFICATES, "at 1.000000 s: certificates: the ");
    }
    ds_checks_free(c);
}

static void test_certificates(void)
{
    static const uint8_t three = 0x0d, two = 0x05, five = 0x1d;
    struct ds_check_certificate x = good_qc(&three, 3);
    one_certificate(&x, NULL);
    x = good_qc(&two, 2);
    one_certificate(&x, "no quorum: power 20 of 40");
    x = good_qc(&three, 4); /* a seat counted twice */
    one_certificate(&x, "has 4 signatures of 3 members");
    x = good_qc(&five, 4); /* a bit for nobody */
    one_certificate(&x, "has 4 signatures of 3 members");
    x = good_qc(&three, 3);
    x.bad = 2;
    one_certificate(&x, "a signature that is not validator 4's");
    x = good_qc(&three, 3);
    x.members = 5;
    one_certificate(&x, "not of its epoch's committee: 5 members instead of 4");
    x = good_qc(&three, 3);
    x.epoch = 1;
    one_certificate(&x, "not of its epoch's committee");
    x = good_qc(&three, 3);
    x.block_round = 6;
    one_certificate(&x, "not of a round before its block's");
    x = good_qc(&three, 3);
    x.block_epoch = 3;
    one_certificate(&x, "of another epoch");
    x = good_qc(&three, 3);
    x.commits_given = x.commits_consecutive = true;
    one_certificate(&x, NULL);
    x.commits_consecutive = false;
    one_certificate(&x, "makes a block final that was not certified in the round before");
    x = good_qc(&three, 3);
    x.kind = DS_CHECK_HANDOVER;
    x.block_epoch = 3;
    x.block_round = 1;
    one_certificate(&x, NULL);
    x.block_epoch = 4;
    one_certificate(&x, "not of the epoch before");
}

static void test_timeout_certificates(void)
{
    static const uint8_t three = 0x0b;
    struct ds_check_certificate x = good_qc(&three, 3);
    x.kind = DS_CHECK_TC;
    x.qc_round = x.qc_round_max = 4;
    one_certificate(&x, NULL);
    x.qc_round = 3;
    one_certificate(&x, "names a higher certificate than the one beside it");
    x.qc_round = 4;
    x.block_round = 8;
    one_certificate(&x, "not of the round just before");
}

static void test_committees(void)
{
    static const uint64_t other[] = {10, 11, 10, 10};
    static const uint32_t moved[] = {1, 3, 5, 7};
    const struct ds_check_committee wrong[] = {
        {2, 4, accounts, other}, {2, 4, moved, powers}, {2, 3, accounts, powers}};
    struct ds_checks *c = feed_make(NODES);
    ds_checks_committee(c, &four, &four, S);
    feed_silent(c);
    for (uint64_t i = 0; i < 3; i++) {
        ds_checks_committee(c, &four, &wrong[i], S);
        feed_told(c, DS_CHECK_CERTIFICATES, i + 1);
    }
    feed_says(c, DS_CHECK_CERTIFICATES, "committee of epoch 2 is not the one");
    ds_checks_free(c);
    c = feed_make(NODES);
    struct ds_check_follow f = {S, 3, 5, 5};
    ds_checks_follow(c, &f);
    feed_silent(c);
    f.committee_epoch = 4;
    ds_checks_follow(c, &f);
    feed_told(c, DS_CHECK_CERTIFICATES, 1);
    feed_says(c, DS_CHECK_CERTIFICATES,
              "node 3 judges certificates of epoch 5 by the committee of epoch 4");
    ds_checks_free(c);
}

/* Any bitmap of any committee: told of exactly when it is short of a quorum, or miscounted. */
static void test_certificates_model(void)
{
    struct dc_stream s = dc_stream(7, 0, dc_name("bitmaps"));
    for (int i = 0; i < 3000; i++) {
        uint32_t count = 1 + (uint32_t)dc_next_below(&s, 20), account[20], signers = 0;
        uint64_t power[20], total = 0, signed_power = 0;
        uint8_t bitmap[3] = {0};
        for (uint32_t m = 0; m < count; m++) {
            account[m] = m;
            total += power[m] = 1 + dc_next_below(&s, 9);
            if (dc_next_below(&s, 4) == 0)
                continue;
            bitmap[m / 8] = (uint8_t)(bitmap[m / 8] | 1u << m % 8);
            signed_power += power[m];
            signers++;
        }
        const struct ds_check_committee committee = {2, count, account, power};
        struct ds_check_certificate x = good_qc(bitmap, signers);
        x.members = count;
        x.committee = &committee;
        bool miscounted = dc_next_below(&s, 10) == 0;
        x.signatures += miscounted;
        bool quorum = signed_power >= 2 * total / 3 + 1; /* 4.12 as it is written */
        struct ds_checks *c = feed_make(NODES);
        ds_checks_certificate(c, &x);
        feed_told(c, DS_CHECK_CERTIFICATES, miscounted || !quorum);
        ds_checks_free(c);
    }
}

static void test_draw(void)
{
    uint64_t weight[] = {5, 0, 1, 10}, power[4];
    struct dc_hash beacon = feed_id(1);
    ds_check_draw(weight, 4, 0, 3, &beacon, power);
    CU_ASSERT_EQUAL(memcmp(weight, power, sizeof power), 0);
    uint64_t sum[4] = {0};
    for (uint64_t epoch = 0; epoch < 200; epoch++) {
        ds_check_draw(weight, 4, 16, epoch, &beacon, power);
        CU_ASSERT_EQUAL(power[0] + power[1] + power[2] + power[3], 16);
        for (int i = 0; i < 4; i++)
            sum[i] += power[i];
    }
    CU_ASSERT_EQUAL(sum[1], 0);
    /* 3200 draws; 1000 +- 26, 200 +- 14 and 2000 +- 27 */
    CU_ASSERT_TRUE(sum[0] > 870 && sum[0] < 1130);
    CU_ASSERT_TRUE(sum[2] > 130 && sum[2] < 270);
    CU_ASSERT_TRUE(sum[3] > 1865 && sum[3] < 2135);
}

/* --- votes ----------------------------------------------------------------------------------- */

static const uint8_t some_signature[64];

static struct ds_check_signed a_vote(uint64_t round, uint64_t block)
{
    return (struct ds_check_signed){.time_ns = (int64_t)round * S,
                                    .epoch = 1,
                                    .round = round,
                                    .block = feed_id(block),
                                    .signer = 2,
                                    .node = 2,
                                    .kind = DS_CHECK_VOTE,
                                    .signature = some_signature};
}

static struct ds_check_signed a_timeout(uint64_t round, uint64_t qc_round)
{
    struct ds_check_signed m = a_vote(round, 0);
    m.kind = DS_CHECK_TIMEOUT;
    m.qc_round = qc_round;
    return m;
}

static void votes_case(const struct ds_check_signed *m, uint32_t count, const char *what)
{
    struct ds_checks *c = feed_make(NODES);
    for (uint32_t i = 0; i < count; i++)
        ds_checks_signed(c, &m[i]);
    if (what == NULL) {
        feed_silent(c);
    } else {
        feed_told(c, DS_CHECK_VOTES, 1);
        feed_says(c, DS_CHECK_VOTES, what);
        feed_says(c, DS_CHECK_VOTES, "votes: node 2 ");
        feed_says(c, DS_CHECK_VOTES, "(epoch 1)");
    }
    ds_checks_free(c);
}

static void test_votes_legal(void)
{
    struct ds_check_signed next_epoch = a_vote(1, 50);
    next_epoch.epoch = 2;
    const struct ds_check_signed m[] = {a_vote(1, 1),    a_vote(2, 2),    a_vote(2, 2),
                                        a_timeout(2, 1), a_timeout(2, 1), a_vote(2, 2),
                                        a_timeout(3, 1), a_timeout(5, 2), a_vote(6, 6),
                                        a_timeout(7, 6), next_epoch};
    votes_case(m, sizeof m / sizeof *m, NULL);
}

static void test_votes_broken(void)
{
    const struct ds_check_signed twice[] = {a_vote(4, 1), a_vote(4, 2)};
    votes_case(twice, 2, "signed two different votes of round 4");
    struct ds_check_signed commits = a_vote(4, 1);
    commits.commits = feed_id(8);
    const struct ds_check_signed twice_commits[] = {a_vote(4, 1), commits};
    votes_case(twice_commits, 2, "signed two different votes of round 4");
    const struct ds_check_signed back[] = {a_vote(4, 1), a_vote(3, 2)};
    votes_case(back, 2, "voted in round 3 after round 4");
    const struct ds_check_signed below[] = {a_timeout(4, 1), a_vote(4, 2)};
    votes_case(below, 2, "voted in round 4 after it had timed out round 4");
    const struct ds_check_signed backwards[] = {a_timeout(4, 1), a_timeout(3, 1)};
    votes_case(backwards, 2, "timed out round 3 after round 4");
    const struct ds_check_signed under[] = {a_vote(4, 1), a_timeout(3, 1)};
    votes_case(under, 2, "timed out round 3 after it had voted in round 4");
    const struct ds_check_signed lower[] = {a_timeout(4, 3), a_timeout(5, 2)};
    votes_case(lower, 2, "gave up its lock: its timeout of round 5 names a certificate of round 2");
    const struct ds_check_signed ahead[] = {a_timeout(4, 4)};
    votes_case(ahead, 1, "with a certificate of round 4");
    struct ds_check_signed over = a_vote(9, 1), old = a_vote(2, 1);
    over.epoch = 2;
    struct ds_checks *c = feed_make(NODES);
    ds_checks_signed(c, &over);
    ds_checks_signed(c, &old);
    feed_told(c, DS_CHECK_VOTES, 1);
    feed_says(c, DS_CHECK_VOTES, "an epoch that is over for it");
    ds_checks_free(c);
}

static void proposal_case(struct ds_check_proposal p, struct dc_hash commits, const char *what)
{
    struct ds_check_signed m = a_vote(6, 1);
    m.proposal = &p;
    m.commits = commits;
    votes_case(&m, 1, what);
}

static void test_votes_lock(void)
{
    struct dc_hash none = {{0}}, parent = feed_id(77);
    struct ds_check_proposal p = {.epoch = 1, .round = 6, .qc_round = 5, .commits = parent};
    proposal_case(p, parent, NULL);
    proposal_case(p, none, "another block final than the one it may");
    p.round = 7;
    proposal_case(p, parent, "voted in round 6 for a block of round 7");
    p = (struct ds_check_proposal){.epoch = 1, .round = 6, .qc_round = 3};
    proposal_case(p, none,
                  "for a block on a certificate of round 3, without a timeout certificate");
    p.tc = true;
    p.tc_round = 5;
    p.tc_qc_round_max = 3;
    proposal_case(p, none, NULL);
    p.tc_qc_round_max = 4;
    proposal_case(p, none, "voted against its lock");
    p.tc_qc_round_max = 3;
    p.tc_round = 4;
    proposal_case(p, none, "voted against its lock");

    struct ds_check_proposal high = {.epoch = 1, .round = 6, .qc_round = 5, .commits = parent};
    struct ds_check_signed vote = a_vote(6, 1), timeout = a_timeout(7, 4);
    vote.proposal = &high;
    vote.commits = parent;
    const struct ds_check_signed m[] = {vote, timeout};
    votes_case(m, 2, "though it had shown one of round 5");
}

static void test_votes_others(void)
{
    uint32_t excused = 2;
    struct ds_check_config config = {.nodes = NODES,
                                     .voters = NODES,
                                     .epoch_blocks = 10,
                                     .excused = feed_excuse_last,
                                     .ctx = &excused};
    struct ds_checks *c = ds_checks_create(&config);
    struct ds_check_signed x = a_vote(4, 1), y = a_vote(4, 2);
    ds_checks_signed(c, &x); /* not bound by what it signs */
    ds_checks_signed(c, &y);
    x.signer = 3; /* somebody shows the votes of another: no word of the sender's */
    y.signer = 3;
    ds_checks_signed(c, &x);
    ds_checks_signed(c, &y);
    feed_silent(c);
    x.kind = y.kind = DS_CHECK_PROPOSED;
    x.node = y.node = 3;
    ds_checks_signed(c, &x);
    ds_checks_signed(c, &x);
    feed_silent(c);
    ds_checks_signed(c, &y);
    feed_told(c, DS_CHECK_VOTES, 1);
    feed_says(c, DS_CHECK_VOTES, "node 3 proposed two different blocks in round 4");
    ds_checks_free(c);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"finality: legal histories", test_finality_legal},
        {"finality: agreement broken", test_agreement_broken},
        {"finality: prefix broken", test_prefix_broken},
        {"finality: random histories against a model", test_finality_model},
        {"certificates: of votes", test_certificates},
        {"certificates: of timeouts", test_timeout_certificates},
        {"certificates: committees", test_committees},
        {"certificates: random bitmaps against a model", test_certificates_model},
        {"certificates: the draw", test_draw},
        {"votes: legal histories", test_votes_legal},
        {"votes: broken", test_votes_broken},
        {"votes: the lock", test_votes_lock},
        {"votes: other people's and excused ones", test_votes_others},
    };
    dc_crypto_init();
    return TEST_MAIN("check", cases);
}
