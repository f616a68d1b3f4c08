#include "models/posync/policy.h"
#include "tests/ledger/chain.h"
#include "tests/support/statistics.h"

#include <stddef.h>

/* Adaptive challenges on a chain (models/README.md 7): what the policy is shown and what is done
 * with its answers.  The rules themselves are tested in tests/posync. */

enum { VALIDATORS = 4, SERVICES = 60, CLIENT = VALIDATORS + SERVICES };
static const struct dc_genesis_spec spec = {.seed = 12,
                                            .chain = CHAIN_ID,
                                            .validators = VALIDATORS,
                                            .services = SERVICES,
                                            .clients = 1,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 1000 * DC_DSYNC,
                                            .capacity_bytes = 1ull << 30,
                                            .regions = 1};
#define GIB ((uint64_t)1 << 30)

static struct chain c;

/* Service i has one deal of its whole capacity, of which i / 60 is paid for; the first none. */
static struct dc_deal deals[SERVICES];
static void spread(struct dc_genesis_set *set)
{
    for (uint32_t i = 1; i < SERVICES; i++)
        deals[i - 1] = (struct dc_deal){.client = CLIENT,
                                        .node = VALIDATORS + i,
                                        .end_epoch = 1000,
                                        .size_bytes = GIB,
                                        .paid_bytes = GIB * i / SERVICES};
    set->genesis.deal = deals;
    set->genesis.deals = SERVICES - 1;
}

static struct dc_params quick_params(void)
{
    struct dc_params p = chain_params();
    p.epoch_blocks = 12;
    p.audit = 0;
    p.k_max_chance = 0;
    p.price_gib_epoch = 1;
    p.heartbeat_every = 1000000; /* none: their signatures cost most of the time */
    p.verifiers = 1;
    p.verifiers_flagged = 3;
    p.abandon_heights = 1000000;
    p.answer_heights = 1000000;
    p.holt_level = DC_ONE / 2;
    p.holt_trend = DC_ONE / 2;
    p.history_keep = DC_ONE / 2;
    return p;
}

static void start(const struct dc_params *p, void (*edit)(struct dc_genesis_set *set))
{
    chain_make(&c, &spec, p, true, edit, NULL, NULL);
    c.crypto.suite = DC_SUITE_MODELLED; /* decisions do not depend on signatures */
}

static const struct dc_posync *record(uint32_t id)
{
    return &dc_state_account(chain_state(&c), id)->posync;
}

static const struct dc_meta *meta(void)
{
    return dc_state_meta(chain_state(&c));
}

static uint8_t (*said)(uint32_t node);
static uint8_t all_pass(uint32_t node)
{
    (void)node;
    return DC_VERDICT_PASS;
}
static uint8_t thirds_fail(uint32_t node)
{
    return node % 3 == 0 ? DC_VERDICT_FAIL : DC_VERDICT_PASS;
}

static void steps_to(uint64_t height)
{
    while (c.tip->header.height < height) {
        if (said != NULL)
            chain_verdicts(&c, said);
        chain_step(&c);
    }
}

static uint32_t members(uint8_t cause)
{
    uint32_t n = 0;
    for (uint32_t id = 0; id < CLIENT; id++)
        n += (record(id)->in_t & cause) != 0;
    return n;
}

static void meter(uint64_t nonce, uint32_t deal, uint64_t paid)
{
    struct dc_tx tx = {.kind = DC_TX_METER, .from = CLIENT};
    tx.meter.nonce = nonce;
    tx.meter.deal = deal;
    tx.meter.paid_bytes = paid;
    chain_tx(&c, &tx);
}

/* Deal 59 (of the last service) goes down 59, 47, 35 sixtieths ... : the forecast is ahead of
 * it. */
static void forecast(uint32_t trigger, bool *first, bool *second)
{
    struct dc_params p = quick_params();
    p.trigger = trigger;
    p.theta = dc_q31_ratio(30, 60);
    start(&p, spread);
    said = all_pass;
    uint32_t id = CLIENT - 1;
    meter(0, SERVICES - 2, GIB / 60 * 47);
    steps_to(13);
    CU_ASSERT_EQUAL(record(id)->forecast, record(id)->u); /* one observation: a level */
    CU_ASSERT_EQUAL(record(id)->seen, 1);
    meter(1, SERVICES - 2, GIB / 60 * 35);
    steps_to(25);
    CU_ASSERT_EQUAL(record(id)->seen, 2);
    int64_t ahead =
        2 * (int64_t)dc_q31_ratio(GIB / 60 * 35, GIB) - dc_q31_ratio(GIB / 60 * 47, GIB);
    CU_ASSERT_TRUE(llabs((int64_t)record(id)->forecast - ahead) <= 1); /* a line is continued */
    *first = record(id)->in_t & DC_CAUSE_THETA;
    meter(2, SERVICES - 2, GIB / 60 * 23);
    steps_to(37);
    *second = record(id)->in_t & DC_CAUSE_THETA;
    CU_ASSERT_EQUAL(record(id)->u, dc_q31_ratio(GIB / 60 * 23, GIB));
    CU_ASSERT_EQUAL(c.tip->outcome->record[id].forecast, record(id)->forecast);
    chain_free(&c);
}

static void test_forecast(void)
{
    bool first, second;
    forecast(DC_TRIGGER_OBSERVED, &first, &second);
    CU_ASSERT_TRUE(!first && second);
    forecast(DC_TRIGGER_FORECAST, &first, &second);
    CU_ASSERT_TRUE(first && second);
    forecast(DC_TRIGGER_EITHER, &first, &second);
    CU_ASSERT_TRUE(first && second);
}

/* What a service is asked for and what of it is verified; readiness from the ratio of both. */
static void test_outlook(void)
{
    struct dc_params p = quick_params();
    p.theta = 0;
    p.ready = true;
    p.ready_ratio = dc_q31_ratio(6, 10);
    start(&p, spread);
    said = thirds_fail;
    uint64_t paid = 0;
    for (uint32_t i = 1; i < SERVICES; i++)
        paid += GIB * i / SERVICES;
    steps_to(13);
    const struct dc_outlook *o = &meta()->outlook[0];
    CU_ASSERT_EQUAL(o->demand, paid); /* nearly half of all capacity */
    CU_ASSERT_EQUAL(o->capacity, SERVICES * GIB);
    CU_ASSERT_EQUAL(o->forecast, paid);
    CU_ASSERT_EQUAL(members(DC_CAUSE_READY), 0);
    CU_ASSERT_EQUAL(meta()->outlook[1].seen, 0); /* nobody offers hosting */
    for (uint32_t i = 1; i < 31; i++)            /* more of it, forecast to become more still */
        meter(i - 1, i - 1, GIB / 60 * (i + 10));
    paid = 0;
    for (uint32_t i = 1; i < SERVICES; i++)
        paid += i < 31 ? GIB / 60 * (i + 10) : GIB * i / SERVICES;
    steps_to(25);
    o = &meta()->outlook[0];
    CU_ASSERT_EQUAL(o->demand, paid);
    CU_ASSERT_TRUE(o->forecast > paid && o->forecast > o->capacity * 6 / 10);
    CU_ASSERT_EQUAL(members(DC_CAUSE_READY), SERVICES); /* the whole service, no validator */
    steps_to(36);
    for (uint32_t id = VALIDATORS; id < CLIENT; id++) { /* the load that it would receive */
        uint64_t k = (p.k * o->forecast + o->demand - 1) / o->demand;
        CU_ASSERT_EQUAL(record(id)->challenge.k, k);
        CU_ASSERT_TRUE(k > p.k);
    }
    steps_to(37);
    CU_ASSERT_EQUAL(meta()->outlook[0].capacity, SERVICES * GIB * 2 / 3); /* a third has failed */
    chain_free(&c);
}

/* Verdicts make the posterior, the posterior k. */
static void test_history(void)
{
    struct dc_params p = quick_params();
    p.theta = DC_ONE;
    p.difficulty = DC_DIFFICULTY_HISTORY;
    p.f_min = dc_q31_from_ppm(300000);
    p.p_hi = dc_q31_from_ppm(990000);
    p.p_lo = dc_q31_from_ppm(800000);
    p.sprt_p0 = dc_q31_from_ppm(490000); /* nobody is ejected meanwhile */
    start(&p, spread);
    said = thirds_fail;
    uint8_t before[CLIENT];
    for (uint32_t epoch = 1; epoch <= 5; epoch++) {
        steps_to(12 * epoch + 11);
        for (uint32_t id = VALIDATORS; id < CLIENT; id++) {
            struct dc_posync r = *record(id);
            CU_ASSERT_EQUAL_FATAL(r.challenge.epoch, epoch);
            uint32_t k = dc_history_samples(p.f_min, dc_history_aim(&p, &r), p.k_max);
            CU_ASSERT_EQUAL(r.challenge.k, k);
            bool fails = thirds_fail(id) == DC_VERDICT_FAIL;
            CU_ASSERT_TRUE(epoch != 1 || r.alpha + r.beta == 0);
            CU_ASSERT_TRUE(epoch == 1 || (fails ? k >= before[id] : k <= before[id]));
            if (epoch == 3) /* kept by half: 1/2 + 1 */
                CU_ASSERT_TRUE((fails ? r.beta : r.alpha) == 98304 &&
                               (fails ? r.alpha : r.beta) == 0);
            before[id] = r.challenge.k;
        }
    }
    CU_ASSERT_TRUE(before[6] > before[4]);
    chain_free(&c);
}

static void test_theta(void)
{
    struct dc_params p = quick_params();
    p.theta_mode = DC_THETA_RELATIVE;
    p.theta_multiple_ppm = 500000;
    start(&p, spread);
    said = all_pass;
    steps_to(13);
    /* the lower median is 29/60: those below 14.5/60 */
    CU_ASSERT_EQUAL(meta()->theta, record(VALIDATORS + 29)->u / 2);
    CU_ASSERT_EQUAL(members(DC_CAUSE_THETA), 15);
    CU_ASSERT_EQUAL(record(VALIDATORS + 14)->in_t, DC_CAUSE_THETA);
    CU_ASSERT_EQUAL(record(VALIDATORS + 15)->in_t, 0);
    CU_ASSERT_EQUAL(record(0)->in_t, 0); /* validators have a median of their own */
    chain_free(&c);

    /* the controller leads the load from half of the network to a quarter, and holds it there */
    p = quick_params();
    p.theta_mode = DC_THETA_ADAPTIVE;
    p.theta = dc_q31_ratio(1, 2);
    p.load_target = DC_ONE / 4;
    p.load_gain = DC_ONE / 4;
    start(&p, spread);
    uint32_t below = 0;
    for (uint32_t epoch = 1; epoch <= 40; epoch++) {
        dc_q31 theta = meta()->theta;
        uint32_t old_below = meta()->below, of = meta()->below_of;
        CU_ASSERT_EQUAL(of, epoch == 1 ? 0 : CLIENT);
        steps_to(12 * epoch + 1);
        CU_ASSERT_EQUAL(meta()->theta, dc_policy_control(&p, theta, old_below, of));
        CU_ASSERT_EQUAL(meta()->below, members(DC_CAUSE_THETA));
        CU_ASSERT_TRUE(epoch > 1 || meta()->theta == p.theta);
        if (epoch > 30)
            below += meta()->below;
    }
    CU_ASSERT_TRUE(below >= 10 * 15 && below <= 10 * 17); /* 16 of 64 */
    chain_free(&c);
}

/* Two flagged from genesis on; everyone is audited. */
static void flagged(struct dc_genesis_set *set)
{
    spread(set);
    set->account[VALIDATORS + 7].posync.flagged = 1;
    set->account[2].posync.flagged = 1;
}

/* Past the budget: the flagged first, then by the bound times the reward at stake, or at random.
 * The flagged meet more verifiers and more samples. */
static void budget(uint32_t order, uint32_t kept[10])
{
    struct dc_params p = quick_params();
    p.theta = 0;
    p.audit = DC_ONE;
    p.budget = 10;
    p.order = order;
    p.ucb_ppm = 1000000;
    p.heartbeat_every = 4; /* so that there are rewards */
    start(&p, flagged);
    said = thirds_fail;
    CU_ASSERT_EQUAL(members(DC_CAUSE_AUDIT), 10);
    CU_ASSERT_EQUAL(record(2)->in_t, DC_CAUSE_AUDIT | DC_CAUSE_FLAG);
    CU_ASSERT_EQUAL(record(VALIDATORS + 7)->in_t, DC_CAUSE_AUDIT | DC_CAUSE_FLAG);
    uint32_t drawn = 0;
    while (c.tip->header.height < 13) {
        chain_heartbeats(&c, NULL);
        chain_verdicts(&c, said);
        chain_step(&c);
        drawn += c.tip->header.height < 13 ? c.tip->outcome->drawn_count : 0;
        for (uint32_t i = 0; i < c.tip->outcome->drawn_count; i++) {
            const struct dc_challenge *q = &record(c.tip->outcome->drawn[i])->challenge;
            bool flag = q->cause & DC_CAUSE_FLAG;
            CU_ASSERT_EQUAL(q->verifiers, flag ? 3 : 1);
            CU_ASSERT_EQUAL(q->k, flag ? p.k * p.rigor : p.k);
        }
    }
    CU_ASSERT_EQUAL(drawn, 10);
    CU_ASSERT_EQUAL(members(255), 10);
    /* of T(1), two are still flagged (no detector is on); the other eight are those that the
     * order by the bound ranks highest, if it is the order */
    p.order = DC_ORDER_UCB;
    struct dc_policy_view view = {.params = &p, .epoch = 1};
    dc_policy_rank least = ~(dc_policy_rank)0, most_out = 0;
    uint32_t n = 0;
    for (uint32_t id = 0; id < CLIENT; id++) {
        struct dc_posync r = *record(id);
        dc_policy_rank rank =
            dc_policy_of(&p)->which(&view, &r, DC_CAUSE_AUDIT, c.tip->outcome->reward[id]);
        if (r.in_t != 0 && n < 10)
            kept[n++] = id;
        if (r.in_t != 0 && !r.flagged)
            least = rank < least ? rank : least;
        if (r.in_t == 0)
            most_out = rank > most_out ? rank : most_out;
    }
    CU_ASSERT_EQUAL(order == DC_ORDER_UCB, least >= most_out);
    chain_free(&c);
}

static void test_budget(void)
{
    uint32_t ucb[10], random[10];
    budget(DC_ORDER_UCB, ucb);
    budget(DC_ORDER_RANDOM, random);
    CU_ASSERT_NOT_EQUAL(memcmp(ucb, random, sizeof ucb), 0);
}

/* Blocks at the second half of the window carry much: there challenges become a quarter as
 * likely. */
static void test_quiet(void)
{
    struct dc_params p = quick_params();
    p.theta = DC_ONE;
    p.quiet = true;
    start(&p, spread);
    said = NULL; /* verdicts would be a load of their own */
    uint64_t nonce = 0, drawn[8] = {0}, all = 0;
    const uint32_t epochs = 30;
    for (uint32_t h = 1; h <= (epochs + 2) * 12; h++) {
        uint32_t slot = (h - 1) % 12;
        for (uint32_t i = 0; slot >= 4 && slot < 8 && i < 10; i++) {
            struct dc_tx tx = {.kind = DC_TX_TRANSFER, .from = CLIENT};
            tx.transfer.nonce = nonce++;
            chain_tx(&c, &tx);
        }
        chain_step(&c);
        if (h > 24) /* second askings have a window of their own: all here are first or undecided */
            drawn[slot % 8] += slot < 8 ? c.tip->outcome->drawn_count : 0;
    }
    const struct dc_meta *m = meta();
    for (uint32_t i = 0; i < DC_LOAD_SLOTS; i++)
        CU_ASSERT_TRUE(i < 4 || i >= 8 ? m->load[i] == 0 : m->load[i] > 800);
    double expected[8], chi = 0;
    for (uint32_t i = 0; i < 8; i++)
        all += drawn[i];
    CU_ASSERT_TRUE(all >= 60 * epochs); /* everybody, in every epoch */
    for (uint32_t i = 0; i < 8; i++) {
        expected[i] = (double)all * (i < 4 ? 4 : 1) / 20;
        chi += (drawn[i] - expected[i]) * (drawn[i] - expected[i]) / expected[i];
    }
    CU_ASSERT_TRUE(test_chi_square_tail(chi, 7) > 0.001);
    chain_free(&c);
}

/* Everything that the switches govern set, and the switches off: the very same challenges. */
static struct dc_hash course(const struct dc_params *p)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_GENESIS);
    start(p, flagged);
    said = thirds_fail;
    for (uint32_t i = 0; i < 8 * 12; i++) {
        steps_to(c.tip->header.height + 1);
        const struct dc_outcome *o = c.tip->outcome;
        for (uint32_t j = 0; j < o->duty_count; j++) {
            dc_hasher_update64(&h, o->duty[j].node);
            dc_hasher_update64(&h, o->duty[j].verifier);
            dc_hasher_update64(&h, record(o->duty[j].node)->challenge.k);
        }
        if (o->accounts != 0)
            dc_hasher_update(&h, o->reward, o->accounts * sizeof *o->reward);
    }
    chain_free(&c);
    return dc_hasher_final(&h);
}

static void test_off(void)
{
    struct dc_params p = quick_params(), q;
    p.audit = dc_q31_from_ppm(100000);
    p.k_max_chance = p.audit;
    p.escalation = true;
    p.verifiers = 2;
    p.verifiers_flagged = 2;
    struct dc_hash off = course(&p), same;
    q = p;
    q.theta_multiple_ppm = 900000;
    q.load_target = q.load_gain = q.ready_ratio = q.f_min = q.p_hi = DC_ONE / 3;
    q.holt_level = q.holt_trend = q.history_keep = DC_ONE / 5;
    q.ucb_ppm = 5;
    q.order = DC_ORDER_UCB;
    q.budget = 1000; /* never reached */
    same = course(&q);
    CU_ASSERT_TRUE(dc_hash_equal(&off, &same));
    q.quiet = true;
    same = course(&q);
    CU_ASSERT_FALSE(dc_hash_equal(&off, &same));
}

/* Every parameter of the chain is under every root. */
static void test_digest(void)
{
    static const size_t field[] = {
#define F(name) offsetof(struct dc_params, name)
        F(ablate),
        F(theta),
        F(trigger),
        F(theta_mode),
        F(theta_multiple_ppm),
        F(load_target),
        F(load_gain),
        F(audit),
        F(soft),
        F(escalation),
        F(verifiers),
        F(k),
        F(k_max),
        F(rigor),
        F(verifiers_flagged),
        F(holt_level),
        F(holt_trend),
        F(ready),
        F(ready_ratio),
        F(quiet),
        F(difficulty),
        F(history_keep),
        F(f_min),
        F(p_hi),
        F(p_lo),
        F(budget),
        F(order),
        F(ucb_ppm),
        F(fdr),
        F(anomaly_window),
        F(combine),
        F(ewma_warmup),
        F(kappa),
        F(lambda),
        F(bond_per_unit),
        F(slash_fund_ppm),
        F(probation),
        F(take_ppm),
        F(fee_verdict),
        F(unbonding_epochs)
#undef F
    };
    struct dc_params p = quick_params();
    struct dc_genesis_set set;
    struct dc_error error = {0};
    struct dc_crypto crypto;
    struct dc_hash root[sizeof field / sizeof field[0] + 1];
    CU_ASSERT_EQUAL_FATAL(dc_crypto_open(&crypto, DC_SUITE_REAL, 8 << 20, 0, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(dc_genesis_set_create(&spec, &p, &set, &error), DC_OK);
    struct dc_store_config config = {.chain = CHAIN_ID, .crypto = &crypto, .memo = true};
    size_t n = sizeof root / sizeof root[0];
    for (size_t i = 0; i < n; i++) {
        struct dc_store *store;
        set.genesis.params = p;
        if (i > 0)
            *((uint8_t *)&set.genesis.params + field[i - 1]) ^= 1;
        CU_ASSERT_EQUAL_FATAL(dc_store_create(&config, &set.genesis, &store, &error), DC_OK);
        root[i] = dc_store_genesis(store)->header.state_root;
        dc_store_destroy(store);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_FALSE(dc_hash_equal(&root[i], &root[j]));
    }
    dc_genesis_set_free(&set);
    dc_crypto_close(&crypto);
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {{"forecast and triggers", test_forecast},
                                             {"outlook and readiness", test_outlook},
                                             {"difficulty from history", test_history},
                                             {"relative and adaptive theta", test_theta},
                                             {"budget, order, rigour", test_budget},
                                             {"quiet heights", test_quiet},
                                             {"off is off", test_off},
                                             {"every parameter is under the root", test_digest}};
    return TEST_MAIN("ledger/adaptive", cases);
}
