#include "models/base/rng.h"
#include "models/ledger/execute.h"
#include "tests/ledger/chain.h"
#include "tests/support/statistics.h"

/* Features of nodes (models/README.md 8.1): payments on states made by hand, against the definition
 * on random graphs, and what blocks say of votes, verdicts and response times. */

#define VALIDATORS 4u
#define SERVICES 40u
#define CLIENTS 20u
#define ACCOUNTS (VALIDATORS + SERVICES + CLIENTS)
#define NODE(i) (VALIDATORS + (uint32_t)(i))
#define CLIENT(i) (VALIDATORS + SERVICES + (uint32_t)(i))

static const struct dc_genesis_spec spec = {.seed = 5,
                                            .chain = CHAIN_ID,
                                            .validators = VALIDATORS,
                                            .services = SERVICES,
                                            .clients = CLIENTS,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 1000 * DC_DSYNC,
                                            .capacity_bytes = 1ull << 30,
                                            .regions = 1};

/* The genesis state with payments of our own, looked at as if its epoch ended now. */
struct books {
    struct chain chain;
    struct dc_state *state;
    struct dc_posync posync[ACCOUNTS];
    struct dc_features f[ACCOUNTS];
};

static void books_open(struct books *b)
{
    struct dc_params p = chain_params();
    chain_make(&b->chain, &spec, &p, true, NULL, NULL, NULL);
    b->state = dc_state_begin(b->chain.tip->state);
    memset(b->posync, 0, sizeof b->posync);
}

static void books_close(struct books *b)
{
    dc_state_drop(b->state);
    chain_free(&b->chain);
}

static void books_deal(struct books *b, uint32_t client, uint32_t node, uint64_t price)
{
    dc_state_deal_append(b->state, (struct dc_deal){.client = client,
                                                    .node = node,
                                                    .size_bytes = 1 << 20,
                                                    .price = price,
                                                    .end_epoch = 10});
}

static void books_receipt(struct books *b, uint32_t client, uint32_t node, uint64_t paid)
{
    struct dc_report *r = dc_tree_append(&b->state->ledger->reports, &b->state->reports);
    *r = (struct dc_report){.client = client, .node = node, .prev = DC_REPORT_NONE, .paid = paid};
}

static void books_read(struct books *b)
{
    static const bool failed[ACCOUNTS];
    struct dc_header header = {.height = 31, .epoch = 1};
    struct dc_record record = {.posync = b->posync};
    struct dc_exec e = {.ledger = b->state->ledger,
                        .p = &b->state->ledger->params,
                        .header = &header,
                        .before = b->state,
                        .state = b->state,
                        .record = &record};
    memset(b->f, 0x55, sizeof b->f);
    dc_features_make(&e, failed, b->f);
}

static uint32_t value(const struct books *b, uint32_t id, enum dc_feature feature)
{
    return b->f[id].value[feature];
}

/* concentration, captive, circle of one node */
static void expect(const struct books *b, uint32_t id, dc_q31 concentration, dc_q31 captive,
                   dc_q31 circle)
{
    CU_ASSERT_EQUAL(value(b, id, DC_FEATURE_CONCENTRATION), concentration);
    CU_ASSERT_EQUAL(value(b, id, DC_FEATURE_CAPTIVE), captive);
    CU_ASSERT_EQUAL(value(b, id, DC_FEATURE_CIRCLE), circle);
}

static void test_income(void)
{
    struct books b;
    books_open(&b);
    for (uint32_t i = 0; i < 3; i++) /* a ring of three */
        books_deal(&b, NODE(i), NODE((i + 1) % 3), 700 + i);
    for (uint32_t i = 0; i < 4; i++) { /* honest: four clients, each of two nodes */
        books_deal(&b, CLIENT(i), NODE(3), 500);
        books_receipt(&b, CLIENT(i), NODE(4), 40);
    }
    books_deal(&b, CLIENT(4), NODE(5), 10); /* one client, which pays nobody else, twice */
    books_deal(&b, CLIENT(4), NODE(5), 20);
    books_receipt(&b, CLIENT(4), NODE(5), 30);
    books_deal(&b, NODE(6), NODE(6), 300); /* itself, and a client that pays the honest ones too */
    books_receipt(&b, CLIENT(0), NODE(6), 100);
    books_deal(&b, NODE(7), NODE(8), 5); /* a chain is no circle */
    books_deal(&b, NODE(8), NODE(9), 5);
    books_deal(&b, NODE(0), NODE(10), 5); /* nor is being paid by one who is in a circle */
    books_deal(&b, CLIENT(5), NODE(11), 0);
    books_read(&b);
    /* the second pays no one else, the first pays NODE(10) as well */
    expect(&b, NODE(0), DC_ONE, DC_ONE, DC_ONE);
    expect(&b, NODE(1), DC_ONE, 0, DC_ONE);
    expect(&b, NODE(2), DC_ONE, DC_ONE, DC_ONE);
    expect(&b, NODE(3), DC_ONE / 4, 0, 0);
    expect(&b, NODE(4), DC_ONE / 4, 0, 0);
    expect(&b, NODE(5), DC_ONE, DC_ONE, 0);
    expect(&b, NODE(6), DC_ONE / 16 * 10, DC_ONE / 4 * 3, DC_ONE / 4 * 3);
    expect(&b, NODE(8), DC_ONE, DC_ONE, 0);
    expect(&b, NODE(9), DC_ONE, DC_ONE, 0);
    expect(&b, NODE(10), DC_ONE, 0, 0);
    for (uint32_t i = 11; i < SERVICES; i++)
        expect(&b, NODE(i), DC_FEATURE_NONE, DC_FEATURE_NONE, DC_FEATURE_NONE);
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        CU_ASSERT_EQUAL(b.f[i].present, i < CLIENT(0));
        CU_ASSERT_EQUAL(b.f[i].population, i >= NODE(0) && i < CLIENT(0));
        CU_ASSERT_EQUAL(value(&b, i, DC_FEATURE_TWIN), DC_FEATURE_NONE);
    }
    books_close(&b);
}

/* What is not paid is no income: a node that was silent, a deal that is over or ran at half. */
static void test_unpaid(void)
{
    struct books b;
    books_open(&b);
    books_deal(&b, CLIENT(0), NODE(0), 100);
    books_receipt(&b, CLIENT(1), NODE(0), 100);
    books_deal(&b, CLIENT(0), NODE(1), 100);
    books_deal(&b, CLIENT(1), NODE(1), 50);
    struct dc_deal *d = dc_tree_edit(&b.state->ledger->deals, &b.state->deals, 1);
    d->paid_bytes = d->size_bytes / 4; /* as METER leaves it: less now, half at the most */
    d->most_bytes = d->size_bytes / 2;
    dc_state_deal_append(
        b.state,
        (struct dc_deal){.client = CLIENT(0), .node = NODE(2), .size_bytes = 4096, .price = 9});
    b.posync[NODE(0)].s_defined = 1;
    books_read(&b);
    expect(&b, NODE(0), DC_ONE, 0, 0); /* the receipt alone */
    expect(&b, NODE(1), DC_ONE / 2, DC_ONE / 2, 0);
    expect(&b, NODE(2), DC_FEATURE_NONE, DC_FEATURE_NONE, DC_FEATURE_NONE);
    books_close(&b);
}

/* The definitions over a matrix of payments, closed transitively.  Returns the nodes in circles. */
static uint32_t expect_defined(const struct books *b, uint64_t paid[ACCOUNTS][ACCOUNTS])
{
    static bool reach[ACCOUNTS][ACCOUNTS];
    uint32_t pays[ACCOUNTS] = {0}, circles = 0;
    for (uint32_t i = 0; i < ACCOUNTS; i++)
        for (uint32_t j = 0; j < ACCOUNTS; j++) {
            reach[i][j] = paid[i][j] != 0;
            pays[i] += paid[i][j] != 0;
        }
    for (uint32_t k = 0; k < ACCOUNTS; k++)
        for (uint32_t i = 0; i < ACCOUNTS; i++)
            for (uint32_t j = 0; j < ACCOUNTS; j++)
                reach[i][j] |= reach[i][k] && reach[k][j];
    for (uint32_t v = 0; v < CLIENT(0); v++) {
        uint64_t whole = 0, captive = 0, circle = 0;
        for (uint32_t p = 0; p < ACCOUNTS; p++) {
            whole += paid[p][v];
            captive += pays[p] == 1 ? paid[p][v] : 0;
            circle += p == v || reach[v][p] ? paid[p][v] : 0;
        }
        circles += circle != 0;
        if (whole == 0) {
            expect(b, v, DC_FEATURE_NONE, DC_FEATURE_NONE, DC_FEATURE_NONE);
            continue;
        }
        double squares = 0;
        for (uint32_t p = 0; p < ACCOUNTS; p++)
            squares += (double)paid[p][v] * (double)paid[p][v] / (double)whole / (double)whole;
        double got = dc_q31_to_double(value(b, v, DC_FEATURE_CONCENTRATION));
        CU_ASSERT_DOUBLE_EQUAL(got, squares, 1e-7);
        CU_ASSERT_EQUAL(value(b, v, DC_FEATURE_CAPTIVE), dc_q31_ratio(captive, whole));
        CU_ASSERT_EQUAL(value(b, v, DC_FEATURE_CIRCLE), dc_q31_ratio(circle, whole));
    }
    return circles;
}

static void test_random_graphs(void)
{
    struct books b;
    books_open(&b);
    uint32_t circles = 0, whole = 0;
    for (uint32_t seed = 1; seed <= 40; seed++) {
        static uint64_t paid[ACCOUNTS][ACCOUNTS];
        memset(paid, 0, sizeof paid);
        struct dc_stream s = dc_stream(seed, dc_name("features"), dc_name("graph"));
        dc_state_drop(b.state);
        b.state = dc_state_begin(b.chain.tip->state);
        for (uint32_t i = 0; i < 20 + 3 * seed; i++) { /* few and many components */
            uint32_t from = (uint32_t)dc_next_below(&s, ACCOUNTS);
            uint32_t to = NODE(dc_next_below(&s, SERVICES));
            uint64_t amount = 1 + dc_next_below(&s, 1000);
            if (dc_next_below(&s, 3) == 0)
                books_receipt(&b, from, to, amount);
            else
                books_deal(&b, from, to, amount);
            paid[from][to] += amount;
        }
        books_read(&b);
        uint32_t of = expect_defined(&b, paid);
        circles += of;
        whole += of != 0;
    }
    CU_ASSERT_TRUE(circles > 100 && whole < 40); /* some graphs without any */
    books_close(&b);
}

/* A market of NODES nodes and CLIENTS clients for the detector of circles alone.  Every node has
 * three payers; one in `peers` of these is a node, so that there are circles by chance.  Nodes
 * 0 .. rings * ring - 1 buy from each other as well, round and round. */
struct market {
    uint32_t rings, ring, peers, window;
    dc_q31 fdr;
};
#define MARKET_NODES 300u
#define MARKET_CLIENTS 60u
static const struct dc_genesis_spec market_spec = {.seed = 5,
                                                   .chain = CHAIN_ID,
                                                   .validators = VALIDATORS,
                                                   .services = MARKET_NODES,
                                                   .clients = MARKET_CLIENTS,
                                                   .bond_validator = 2000 * DC_DSYNC,
                                                   .balance = 1000 * DC_DSYNC,
                                                   .capacity_bytes = 1ull << 30,
                                                   .regions = 1};

static void market_trade(struct books *b, const struct market *m, struct dc_stream *s)
{
    for (uint32_t i = 0; i < MARKET_NODES; i++) {
        for (uint32_t c = 0; c < 3; c++) {
            bool peer = m->peers != 0 && dc_next_below(s, m->peers) == 0;
            uint32_t payer = peer ? NODE(dc_next_below(s, MARKET_NODES))
                                  : NODE(MARKET_NODES + dc_next_below(s, MARKET_CLIENTS));
            books_deal(b, payer, NODE(i), 1 + dc_next_below(s, 1000));
        }
        if (i < m->rings * m->ring)
            books_deal(b, NODE(i), NODE(i / m->ring * m->ring + (i + 1) % m->ring),
                       500 + dc_next_below(s, 1000));
    }
}

/* Epochs until flags are possible, and `more`.  Adds to found and wrong what the last one flags. */
static void market_run(const struct market *m, uint64_t seed, uint32_t more, uint32_t *found,
                       uint32_t *wrong)
{
    enum { ALL = VALIDATORS + MARKET_NODES + MARKET_CLIENTS };
    struct books b;
    struct dc_params p = chain_params();
    p.detectors = DC_DETECTOR_CIRCLE;
    p.fdr = m->fdr;
    p.anomaly_window = m->window;
    struct dc_stream s = dc_stream(seed, dc_name("features"), dc_name("market"));
    struct dc_anomaly *a = dc_anomaly_create(&p, ALL);
    static struct dc_anomaly_verdict v[ALL];
    static struct dc_posync posync[ALL];
    static struct dc_features f[ALL];
    static const bool failed[ALL];
    chain_make(&b.chain, &market_spec, &p, true, NULL, NULL, NULL);
    uint32_t judged = 0, flags = 0;
    for (uint32_t e = 0; judged <= more && e < 100; e++) {
        b.state = dc_state_begin(b.chain.tip->state);
        market_trade(&b, m, &s);
        dc_put64(b.state->meta.beacon.b, dc_next64(&s));
        struct dc_record record = {.posync = posync};
        struct dc_exec x = {.ledger = b.state->ledger,
                            .p = &p,
                            .before = b.state,
                            .state = b.state,
                            .record = &record};
        dc_features_make(&x, failed, f);
        struct dc_anomaly *next = dc_anomaly_epoch(a, &p, f, ALL, dc_next64(&s), v);
        dc_anomaly_drop(a);
        a = next;
        judged += v[NODE(0)].of != 0;
        flags = 0;
        for (uint32_t i = 0; i < ALL; i++) {
            bool ring = i >= NODE(0) && i < NODE(m->rings * m->ring);
            *(ring ? found : wrong) += judged > more && v[i].flagged;
            flags += v[i].flagged;
        }
        dc_state_drop(b.state);
    }
    CU_ASSERT_TRUE(judged > more);
    dc_anomaly_drop(a);
    chain_free(&b.chain);
}

/* One ring of three, ten of them, and ten of eight: all are found, though they have been there since
 * the first epoch, and among few or many nodes that trade with each other honestly. */
static void test_rings(void)
{
    static const struct market markets[] = {
        {1, 3, 0, 0, 0}, {10, 3, 0, 0, 0}, {10, 8, 0, 0, 0}, {10, 3, 10, 0, 0}};
    for (size_t i = 0; i < sizeof markets / sizeof markets[0]; i++) {
        struct market m = markets[i];
        m.fdr = DC_ONE / 20;
        uint32_t found = 0, wrong = 0;
        for (uint64_t seed = 1; seed <= 4; seed++)
            market_run(&m, seed, 2, &found, &wrong);
        CU_ASSERT_EQUAL(found, 4 * m.rings * m.ring);
        CU_ASSERT_TRUE(wrong * 20 <= 20 + found);
    }
}

/* No rings, but nodes that trade with each other: in how many of 80 worlds is anyone flagged?
 * One-sided binomial tests at 0.001 against fdr. */
static void test_honest_markets(void)
{
    enum { RUNS = 80 };
    for (uint32_t tenths = 1; tenths <= 2; tenths++) {
        struct market m = {.peers = 4, .fdr = DC_ONE / 20 * tenths};
        uint64_t any = 0;
        for (uint64_t seed = 1; seed <= RUNS; seed++) {
            uint32_t found = 0, wrong = 0;
            market_run(&m, seed, 0, &found, &wrong);
            any += wrong > 0;
        }
        CU_ASSERT_TRUE(test_binomial_at_least(any, RUNS, tenths / 20.0) > 0.001);
    }
}

/* A ring of many nodes, beyond what a recursion per node would stand on a small stack. */
static void test_long_ring(void)
{
    struct books b;
    books_open(&b);
    uint32_t first = b.state->meta.accounts, n = 200000;
    for (uint32_t i = 0; i < n; i++)
        dc_state_append(b.state)->roles = DC_ROLE_STORAGE;
    for (uint32_t i = 0; i < n; i++)
        books_receipt(&b, first + i, first + (i + 1) % n, 3);
    struct dc_posync *posync = calloc(first + n, sizeof *posync);
    struct dc_features *f = calloc(first + n, sizeof *f);
    bool *failed = calloc(first + n, 1);
    struct dc_record record = {.posync = posync};
    struct dc_exec e = {.ledger = b.state->ledger,
                        .p = &b.state->ledger->params,
                        .before = b.state,
                        .state = b.state,
                        .record = &record};
    dc_features_make(&e, failed, f);
    uint32_t whole = 0;
    for (uint32_t i = 0; i < n; i++)
        whole += f[first + i].value[DC_FEATURE_CIRCLE] == DC_ONE;
    CU_ASSERT_EQUAL(whole, n);
    free(posync);
    free(f);
    free(failed);
    books_close(&b);
}

static void test_records(void)
{
    struct books b;
    books_open(&b);
    uint32_t id = NODE(1);
    struct dc_posync *before = &dc_state_edit(b.state, id)->posync;
    before->forecast = DC_ONE / 2;
    before->seen = 2;
    b.posync[id] = (struct dc_posync){.u = DC_ONE / 4,
                                      .s = 11,
                                      .a = 22,
                                      .q = 33,
                                      .u_defined = 1,
                                      .s_defined = 1,
                                      .q_defined = 1,
                                      .forecast = 77,
                                      .seen = 3};
    books_read(&b);
    CU_ASSERT_EQUAL(value(&b, id, DC_FEATURE_RESIDUAL), DC_FEATURE_NONE); /* too early to say */
    CU_ASSERT_EQUAL(value(&b, id, DC_FEATURE_SYNCHRONICITY), 11);
    CU_ASSERT_EQUAL(value(&b, id, DC_FEATURE_AVAILABILITY), 22);
    CU_ASSERT_EQUAL(value(&b, id, DC_FEATURE_QUALITY), 33);
    before->seen = 3;
    books_read(&b);
    CU_ASSERT_EQUAL(value(&b, id, DC_FEATURE_RESIDUAL), DC_FEATURE_MIDDLE - DC_ONE / 8);
    before->forecast = 0;
    b.posync[id].u = DC_ONE;
    books_read(&b);
    CU_ASSERT_EQUAL(value(&b, id, DC_FEATURE_RESIDUAL), DC_FEATURE_MIDDLE + DC_ONE / 2);
    before->forecast = DC_ONE;
    b.posync[id].u = 0;
    books_read(&b);
    CU_ASSERT_EQUAL(value(&b, id, DC_FEATURE_RESIDUAL), 0);
    CU_ASSERT_EQUAL(value(&b, NODE(2), DC_FEATURE_SYNCHRONICITY), DC_FEATURE_NONE);
    CU_ASSERT_EQUAL(value(&b, NODE(2), DC_FEATURE_RESIDUAL), DC_FEATURE_NONE);
    CU_ASSERT_EQUAL(value(&b, 0, DC_FEATURE_PARTICIPATION), DC_FEATURE_NONE); /* no votes due */
    books_close(&b);
}

/* Verifier 1 says late of whoever passes; the third node answers at half the speed. */
static void vote(struct chain *c)
{
    const struct dc_outcome *o = c->tip->outcome;
    for (uint32_t i = 0; i < o->drawn_count; i++) {
        uint32_t node = o->drawn[i];
        const struct dc_challenge *q = &dc_state_account(chain_state(c), node)->posync.challenge;
        for (uint32_t v = 0; v < q->verifiers; v++) {
            struct dc_tx tx = {.kind = DC_TX_VERDICT, .from = q->verifier[v]};
            tx.verdict.height = q->height;
            tx.verdict.node = node;
            tx.verdict.asking = q->asking;
            tx.verdict.verdict = q->verifier[v] == 1 ? DC_VERDICT_LATE : DC_VERDICT_PASS;
            tx.verdict.proved = tx.verdict.verdict == DC_VERDICT_PASS ? q->k : 0;
            tx.verdict.response_us = node == NODE(3) ? 240000 : 120000;
            chain_tx(c, &tx);
        }
    }
}

/* What an epoch of blocks said, read as the turn reads it. */
static void test_blocks(void)
{
    struct chain c;
    struct dc_params p = chain_params();
    p.epoch_blocks = 12;
    p.theta = DC_ONE; /* every node, every epoch */
    p.k_max_chance = 0;
    p.heartbeat_every = 1000000;
    p.abandon_heights = 1000000;
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    c.crypto.suite = DC_SUITE_MODELLED;
    c.voting_mask = ~(1ull << 2) /* the third member never votes */;
    while (c.tip->header.height < 24) {
        vote(&c);
        chain_step(&c);
    }
    struct dc_state *before = c.tip->state;
    vote(&c);
    chain_step(&c);
    const struct dc_outcome *o = c.tip->outcome;
    CU_ASSERT_FATAL(o->first_of_epoch && o->settled_count >= SERVICES);
    struct dc_record record = {.posync = (struct dc_posync *)o->record,
                               .settled = {(void *)o->settled, o->settled_count, 0}};
    struct dc_exec e = {.ledger = before->ledger,
                        .p = &before->ledger->params,
                        .header = &c.tip->header,
                        .before = before,
                        .state = before,
                        .record = &record};
    static struct dc_features f[ACCOUNTS];
    static const bool failed[ACCOUNTS];
    dc_features_make(&e, failed, f);
    const struct dc_committee *committee = before->committee[1];
    CU_ASSERT_EQUAL_FATAL(committee->count, VALIDATORS);
    for (uint32_t v = 0; v < VALIDATORS; v++) {
        CU_ASSERT_EQUAL(f[v].value[DC_FEATURE_DISAGREEMENT], v == 1 ? DC_ONE : 0);
        CU_ASSERT_EQUAL(f[v].value[DC_FEATURE_PARTICIPATION], v == 2 ? 0 : DC_ONE);
        CU_ASSERT_EQUAL(f[v].value[DC_FEATURE_CONCENTRATION], DC_FEATURE_NONE);
    }
    /* three nodes: expected is allowance 200 ms + 8 * 10 ms; a doubling between 120 and 240 ms */
    uint32_t slow = f[NODE(3)].value[DC_FEATURE_RESPONSE];
    uint32_t usual = f[NODE(4)].value[DC_FEATURE_RESPONSE];
    CU_ASSERT_EQUAL(usual, DC_FEATURE_MIDDLE + dc_log2_q16(120001) - dc_log2_q16(280001));
    CU_ASSERT_TRUE(slow - usual > 65000 && slow - usual <= 65536);
    /* of which the round trip is (200 ms - 50 ms) / 1.25: nothing is left, or 120 ms for 8 samples */
    CU_ASSERT_EQUAL(f[NODE(4)].work, DC_FEATURE_MIDDLE - (13u << 16));
    CU_ASSERT_EQUAL(f[NODE(3)].work, DC_FEATURE_MIDDLE + dc_log2_q16(120001) - (13u << 16));
    CU_ASSERT_EQUAL(f[0].work, DC_FEATURE_NONE);
    CU_ASSERT_EQUAL(f[NODE(4)].null[DC_RELATION_CIRCLE], DC_FEATURE_NONE); /* off */
    CU_ASSERT_EQUAL(f[NODE(4)].value[DC_FEATURE_DISAGREEMENT], DC_FEATURE_NONE);
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {{"income", test_income},
                                             {"unpaid", test_unpaid},
                                             {"random graphs", test_random_graphs},
                                             {"rings among nodes", test_rings},
                                             {"honest markets", test_honest_markets},
                                             {"long ring", test_long_ring},
                                             {"records", test_records},
                                             {"blocks", test_blocks}};
    return TEST_MAIN("ledger/features", cases);
}
