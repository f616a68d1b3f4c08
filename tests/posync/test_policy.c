/* The rules behind the policy interface, what is not left to chance: every switch alone, all of them
 * off against the baseline written out, orders and controllers against naive ones (models/README.md
 * 6 and 7). */
#include "models/base/rng.h"
#include "tests/posync/plain.h"
#include "tests/support/harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct dc_hash beacon_of(uint64_t n)
{
    uint8_t text[8];
    dc_put64(text, n);
    return dc_hash_bytes(DC_DOMAIN_TEST, text, sizeof text);
}

static dc_q31 draw_q31(struct dc_stream *s)
{
    uint64_t d = dc_next64(s);
    return d % 4 == 0 ? (d & 256 ? DC_ONE : 0) : (dc_q31)(d >> 33);
}

/* --- the baseline, as it was before there were policies ---------------------------------------- */

static uint64_t old_draw(enum dc_domain domain, const struct dc_hash *h, uint32_t id, uint64_t n)
{
    uint8_t text[44];
    memcpy(text, h->b, 32);
    dc_put32(text + 32, id);
    dc_put64(text + 36, n);
    struct dc_hash out = dc_hash_bytes(domain, text, sizeof text);
    return dc_hash_u64(&out);
}
static uint8_t old_causes(const struct dc_params *p, const struct dc_posync *r, uint32_t id,
                          uint64_t e, const struct dc_hash *beacon)
{
    uint8_t causes = 0;
    if (r->u_defined && r->u < p->theta &&
        (p->soft == DC_ONE || old_draw(DC_DOMAIN_COIN, beacon, id, 2 * e + 1) >> 33 < p->soft))
        causes |= DC_CAUSE_THETA;
    if (r->flagged)
        causes |= DC_CAUSE_FLAG;
    if (old_draw(DC_DOMAIN_COIN, beacon, id, 2 * e) >> 33 < p->audit)
        causes |= DC_CAUSE_AUDIT;
    if (r->escalated && p->escalation)
        causes |= DC_CAUSE_ESCALATION;
    if (r->undecided)
        causes |= DC_CAUSE_RETRY;
    return causes;
}
static uint8_t old_difficulty(const struct dc_params *p, uint8_t causes,
                              const struct dc_hash *nonce)
{
    uint64_t k = p->k, k_max = p->k_max;
    if (causes & DC_CAUSE_FLAG)
        k *= p->rigor;
    struct dc_hash h = dc_hash_bytes(DC_DOMAIN_COIN, nonce->b, sizeof nonce->b);
    if (dc_hash_u64(&h) >> 33 < p->k_max_chance)
        k = k_max;
    k = k < p->k_min ? p->k_min : k;
    return (uint8_t)(k > k_max ? k_max : k);
}

static void test_baseline(void)
{
    struct dc_outlook strained = {.demand = 1, .forecast = 9, .capacity = 1};
    for (uint64_t seed = 1; seed <= 20000; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("policy"), dc_name("baseline"));
        struct dc_params p = {.theta = draw_q31(&s),
                              .soft = draw_q31(&s),
                              .audit = draw_q31(&s),
                              .escalation = seed % 3 != 0,
                              .k = 1 + (uint32_t)dc_next_below(&s, 40),
                              .k_min = 1 + (uint32_t)dc_next_below(&s, 10),
                              .k_max = 11 + (uint32_t)dc_next_below(&s, 60),
                              .k_max_chance = draw_q31(&s),
                              .rigor = 1 + (uint32_t)dc_next_below(&s, 4)};
        uint64_t bits = dc_next64(&s);
        struct dc_posync r = {.u = draw_q31(&s),
                              .forecast = draw_q31(&s), /* which the baseline does not look at */
                              .seen = (uint8_t)(bits >> 8),
                              .alpha = (uint32_t)(bits >> 16),
                              .u_defined = bits & 1,
                              .flagged = bits >> 1 & 1,
                              .escalated = bits >> 2 & 1,
                              .undecided = bits >> 3 & 1};
        struct dc_hash beacon = beacon_of(seed);
        uint32_t id = (uint32_t)dc_next_below(&s, 10000);
        struct dc_policy_view view = {.params = &p,
                                      .beacon = &beacon,
                                      .epoch = seed / 7,
                                      .theta = dc_policy_theta(&p, 5, 6),
                                      .outlook = &strained};
        const struct dc_policy *policy = dc_policy_of(&p);
        uint8_t causes = policy->whom(&view, &r, id);
        CU_ASSERT_EQUAL_FATAL(causes, old_causes(&p, &r, id, seed / 7, &beacon));
        CU_ASSERT_EQUAL_FATAL(policy->how_hard(&view, &r, causes, &beacon),
                              old_difficulty(&p, causes, &beacon));
        uint32_t left = 1 + (uint32_t)dc_next_below(&s, 60);
        bool drawn =
            (unsigned __int128)old_draw(DC_DOMAIN_DRAW, &beacon, id, seed) * left >> 64 == 0;
        CU_ASSERT_EQUAL(plain_drawn(&beacon, id, seed, left), drawn);
        /* weights that are all alike change nothing either */
        CU_ASSERT_EQUAL(dc_posync_drawn_weighted(&beacon, id, seed, 256, 256ull * left), drawn);
    }
}

/* --- whom -------------------------------------------------------------------------------------- */

static void test_triggers(void)
{
    struct dc_hash beacon = beacon_of(1);
    struct dc_params p = {.soft = DC_ONE};
    struct dc_policy_view view = {.params = &p, .beacon = &beacon, .theta = 100};
    for (int u = 0; u < 3; u++)     /* undefined, below, not below */
        for (int f = 0; f < 3; f++) /* likewise the forecast */
            for (int t = 0; t < 3; t++) {
                struct dc_posync r = {.u = u == 1 ? 99 : 100,
                                      .u_defined = u != 0,
                                      .forecast = f == 1 ? 99 : 100,
                                      .seen = f != 0};
                r.u = u == 0 ? 0 : r.u;
                r.forecast = f == 0 ? 0 : r.forecast;
                static const uint32_t trigger[] = {DC_TRIGGER_OBSERVED, DC_TRIGGER_FORECAST,
                                                   DC_TRIGGER_EITHER};
                bool below = t == 0 ? u == 1 : t == 1 ? f == 1 : u == 1 || f == 1;
                p.trigger = trigger[t];
                CU_ASSERT_EQUAL(dc_policy_rule.whom(&view, &r, 3), below ? DC_CAUSE_THETA : 0);
            }
}

/* A node that sinks is below theta one epoch earlier by forecast than by observation. */
static void test_forecast_sees_ahead(void)
{
    struct dc_hash beacon = beacon_of(1);
    struct dc_params p = {.soft = DC_ONE, .holt_level = DC_ONE / 2, .holt_trend = DC_ONE / 5};
    struct dc_policy_view view = {.params = &p, .beacon = &beacon, .theta = DC_ONE / 10 * 3};
    struct dc_posync r = {0};
    int first[2] = {-1, -1};
    for (int t = 0; t < 10; t++) {
        r.u = DC_ONE / 100 * (dc_q31)(72 - 8 * t);
        r.u_defined = 1;
        dc_holt_update(&p, &r);
        for (int k = 0; k < 2; k++) {
            p.trigger = k == 0 ? DC_TRIGGER_OBSERVED : DC_TRIGGER_FORECAST;
            if (first[k] < 0 && dc_policy_rule.whom(&view, &r, 3) == DC_CAUSE_THETA)
                first[k] = t;
        }
    }
    CU_ASSERT_EQUAL(first[0], 6); /* 0.24 is the first below 0.3 */
    CU_ASSERT_EQUAL(first[1], 5);
}

static void test_theta_in_force(void)
{
    struct dc_params p = {.theta = 77, .theta_multiple_ppm = 500000};
    CU_ASSERT_EQUAL(dc_policy_theta(&p, 5, 9), 77);
    p.theta_mode = DC_THETA_ADAPTIVE;
    CU_ASSERT_EQUAL(dc_policy_theta(&p, 5, 9), 5);
    p.theta_mode = DC_THETA_RELATIVE;
    CU_ASSERT_EQUAL(dc_policy_theta(&p, 5, 9), 4);
    CU_ASSERT_EQUAL(dc_policy_theta(&p, 5, 0), 0);
    p.theta_multiple_ppm = 1500000;
    CU_ASSERT_EQUAL(dc_policy_theta(&p, 5, DC_ONE / 2), DC_ONE / 4 * 3);
    p.theta_multiple_ppm = UINT32_MAX;
    CU_ASSERT_EQUAL(dc_policy_theta(&p, 5, DC_ONE), DC_ONE);
}

static void test_median(void)
{
    CU_ASSERT_EQUAL(dc_policy_median(NULL, 0), 0);
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("policy"), dc_name("median"));
        dc_q31 u[41];
        uint32_t n = 1 + (uint32_t)dc_next_below(&s, 41), below = 0, above = 0;
        for (uint32_t i = 0; i < n; i++)
            u[i] = (dc_q31)dc_next_below(&s, 30);
        dc_q31 m = dc_policy_median(u, n);
        for (uint32_t i = 0; i < n; i++) {
            below += u[i] < m;
            above += u[i] > m;
        }
        CU_ASSERT(below <= (n - 1) / 2 && above <= n / 2);
        CU_ASSERT(below + above < n); /* one of them */
    }
}

static void test_ready(void)
{
    struct dc_params p = {
        .ready_ratio = DC_ONE / 5 * 4, .k = 8, .k_min = 4, .k_max = 32, .rigor = 2};
    struct dc_hash nonce = beacon_of(3);
    struct dc_outlook o = {.demand = 500, .capacity = 1000, .forecast = 800};
    struct dc_policy_view view = {.params = &p, .beacon = &nonce, .outlook = &o};
    struct dc_posync r = {0};
    CU_ASSERT(dc_policy_strained(&p, &o)); /* a fifth of 2^31 is rounded down */
    o.forecast = 799;
    CU_ASSERT(!dc_policy_strained(&p, &o));
    p.ready_ratio = DC_ONE / 2;
    o.forecast = 500;
    CU_ASSERT(!dc_policy_strained(&p, &o)); /* to pass is to be above */
    o.forecast = 501;
    CU_ASSERT(dc_policy_strained(&p, &o));
    CU_ASSERT_EQUAL(dc_policy_rule.whom(&view, &r, 3), 0); /* switched off */
    p.ready = true;
    CU_ASSERT_EQUAL(dc_policy_rule.whom(&view, &r, 3), DC_CAUSE_READY);
    static const struct {
        uint64_t demand, forecast;
        uint8_t causes, k;
    } rows[] = {{500, 800, DC_CAUSE_READY, 13}, /* 12.8 */
                {500, 500, DC_CAUSE_READY, 8},
                {500, 501, DC_CAUSE_READY, 9},
                {500, 400, DC_CAUSE_READY, 8}, /* less load is no easier */
                {500, 1000, DC_CAUSE_READY, 16},
                {500, 99999, DC_CAUSE_READY, 32},
                {0, 1, DC_CAUSE_READY, 32},
                {0, 0, DC_CAUSE_READY, 8},
                {500, 800, DC_CAUSE_THETA, 8}, /* only who is asked for it */
                {500, 800, DC_CAUSE_READY | DC_CAUSE_FLAG, 16},
                {500, 1500, DC_CAUSE_READY | DC_CAUSE_FLAG, 24},
                {1, DC_OUTLOOK_BYTES_MAX, DC_CAUSE_READY, 32}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        o.demand = rows[i].demand;
        o.forecast = rows[i].forecast;
        CU_ASSERT_EQUAL(dc_policy_rule.how_hard(&view, &r, rows[i].causes, &nonce), rows[i].k);
    }
    o = (struct dc_outlook){.forecast = 1};
    CU_ASSERT(dc_policy_strained(&p, &o)); /* nothing is verified yet */
    o.forecast = 0;
    CU_ASSERT(!dc_policy_strained(&p, &o));
    view.outlook = NULL; /* validators */
    CU_ASSERT_EQUAL(dc_policy_rule.whom(&view, &r, 3), 0);
}

/* --- how hard, how many ------------------------------------------------------------------------ */

static void test_history_switch(void)
{
    struct dc_params p = {.difficulty = DC_DIFFICULTY_HISTORY,
                          .k = 8,
                          .k_min = 4,
                          .k_max = 32,
                          .rigor = 2,
                          .history_keep = 2040109466,
                          .f_min = 214748365,
                          .p_hi = 2126008811,
                          .p_lo = 1717986918};
    struct dc_hash nonce = beacon_of(3);
    struct dc_policy_view view = {.params = &p};
    struct dc_posync r = {0};
    CU_ASSERT_EQUAL(dc_policy_rule.how_hard(&view, &r, DC_CAUSE_THETA, &nonce), 22);
    CU_ASSERT_EQUAL(dc_policy_rule.how_hard(&view, &r, DC_CAUSE_FLAG, &nonce), 32);
    p.k_min = 25;
    CU_ASSERT_EQUAL(dc_policy_rule.how_hard(&view, &r, DC_CAUSE_THETA, &nonce), 25);
    p.k_min = 4;
    for (int i = 0; i < 100; i++)
        dc_history_verdict(&p, &r, true);
    CU_ASSERT_EQUAL(dc_policy_rule.how_hard(&view, &r, DC_CAUSE_THETA, &nonce), 16);
    p.k_max_chance = DC_ONE; /* whatever history says */
    CU_ASSERT_EQUAL(dc_policy_rule.how_hard(&view, &r, DC_CAUSE_THETA, &nonce), 32);
}

static void test_how_many(void)
{
    struct dc_params p = {.verifiers = 3, .verifiers_flagged = 5};
    struct dc_policy_view view = {.params = &p};
    struct dc_posync r = {0};
    CU_ASSERT_EQUAL(dc_policy_rule.how_many(&view, &r, DC_CAUSE_THETA), 3);
    CU_ASSERT_EQUAL(dc_policy_rule.how_many(&view, &r, DC_CAUSE_THETA | DC_CAUSE_FLAG), 5);
    p.verifiers_flagged = 2; /* never fewer */
    CU_ASSERT_EQUAL(dc_policy_rule.how_many(&view, &r, DC_CAUSE_FLAG), 3);
    p.verifiers_flagged = 200;
    CU_ASSERT_EQUAL(dc_policy_rule.how_many(&view, &r, DC_CAUSE_FLAG), DC_VERIFIERS_MAX);
    /* the first of more verifiers are the fewer ones */
    static const uint32_t member[9] = {1, 2, 3, 5, 8, 13, 21, 34, 55};
    for (uint64_t e = 1; e <= 100; e++) {
        struct dc_hash nonce = beacon_of(e);
        uint32_t few[DC_VERIFIERS_MAX], many[DC_VERIFIERS_MAX];
        CU_ASSERT_EQUAL(dc_posync_verifiers_draw(p.verifiers, &nonce, 8, member, 9, few), 3);
        CU_ASSERT_EQUAL(dc_posync_verifiers_draw(8, &nonce, 8, member, 9, many), 8);
        CU_ASSERT_EQUAL(memcmp(few, many, 3 * sizeof few[0]), 0);
    }
}

/* --- when -------------------------------------------------------------------------------------- */

static void test_weights(void)
{
    struct dc_params p = {0};
    uint32_t load[5] = {100, 0, 50, 25, 100}, weight[5];
    struct dc_policy_view view = {.params = &p, .load = load};
    dc_policy_rule.when(&view, 5, weight);
    for (int i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(weight[i], 1); /* switched off */
    p.quiet = true;
    dc_policy_rule.when(&view, 5, weight);
    static const uint32_t expected[5] = {256, 1024, 640, 832, 256};
    CU_ASSERT_EQUAL(memcmp(weight, expected, sizeof weight), 0);
    dc_policy_rule.when(&view, 2, weight); /* of the window alone */
    CU_ASSERT(weight[0] == 256 && weight[1] == 1024);
    memset(load, 0, sizeof load);
    dc_policy_rule.when(&view, 5, weight);
    CU_ASSERT(weight[0] == 1 && weight[4] == 1);
    load[0] = load[1] = UINT32_MAX;
    dc_policy_rule.when(&view, 5, weight);
    CU_ASSERT(weight[0] == 256 && weight[1] == 256 && weight[2] == 1024);
    view.load = NULL;
    dc_policy_rule.when(&view, 5, weight);
    CU_ASSERT(weight[0] == 1 && weight[4] == 1);
}

/* --- which ------------------------------------------------------------------------------------- */

static void test_ranks(void)
{
    struct dc_params p = {.order = DC_ORDER_UCB, .ucb_ppm = 1000000};
    struct dc_policy_view view = {.params = &p};
    struct dc_posync none = {0}, once = {.alpha = 65536, .passed = 1},
                     often = {.alpha = 20 * 65536, .passed = 20}, failed = {.beta = 65536};
#define RANK(record, causes, stake) dc_policy_rule.which(&view, &(record), causes, stake)
    /* failures, then the unknown, then who passed; what is at stake multiplies */
    CU_ASSERT(RANK(failed, 0, 10) > RANK(none, 0, 10));
    CU_ASSERT(RANK(none, 0, 10) > RANK(once, 0, 10));
    CU_ASSERT(RANK(once, 0, 10) > RANK(often, 0, 10));
    CU_ASSERT(RANK(once, 0, 20) > RANK(none, 0, 10));
    CU_ASSERT(RANK(once, 0, 20) == 2 * RANK(once, 0, 10));
    CU_ASSERT(RANK(often, DC_CAUSE_FLAG, 0) > RANK(failed, 0, UINT64_MAX)); /* flagged first */
    CU_ASSERT(RANK(failed, DC_CAUSE_FLAG, 10) > RANK(none, DC_CAUSE_FLAG, 10));
    /* 1 - r + c sd by hand: Beta(1,1) is 0.5 and 0.288675 */
    CU_ASSERT_EQUAL(dc_history_bound(&p, &none), 1073741824u + 619925131u);
    /* who is not believed yet, or no more, and therefore not paid, could earn a mean reward */
    p.issuance_service = 50;
    CU_ASSERT(RANK(none, 0, 0) == RANK(none, 0, 50) && RANK(none, 0, 0) > RANK(once, 0, 50));
    CU_ASSERT(RANK(none, 0, 60) > RANK(none, 0, 50));
    once.escalated = 1;
    CU_ASSERT(RANK(once, 0, 0) == RANK(once, 0, 50));
    once.escalated = 0;
    CU_ASSERT(RANK(once, 0, 0) == RANK(once, 0, 1) && RANK(once, 0, 1) < RANK(once, 0, 50));
    p.issuance_service = 0;
    p.ucb_ppm = 2500000;
    CU_ASSERT_EQUAL(dc_history_bound(&p, &none), 1073741824u + 1549812827u);
    p.ucb_ppm = 0;
    CU_ASSERT_EQUAL(dc_history_bound(&p, &none), 1073741824);
    p.ucb_ppm = UINT32_MAX; /* and the largest of everything stays below a flag */
    CU_ASSERT(RANK(none, 0, UINT64_MAX) < (dc_policy_rank)1 << 127);
    p.order = DC_ORDER_RANDOM;
    CU_ASSERT(RANK(failed, 0, 10) == RANK(often, 0, 99));
    CU_ASSERT(RANK(often, DC_CAUSE_FLAG, 1) > RANK(failed, 0, 99));
    p.order = DC_ORDER_OLDEST; /* never asked, asked in epoch 0, asked in epoch 7 */
    struct dc_posync never = {0}, first = {.asked = 1}, later = {.asked = 8, .escalated = 1};
    CU_ASSERT(RANK(never, 0, 0) > RANK(first, 0, 99) && RANK(first, 0, 0) > RANK(later, 0, 99));
    CU_ASSERT(RANK(later, DC_CAUSE_FLAG, 0) > RANK(never, 0, 0));
#undef RANK
}

/* Against picking the best one `budget` times. */
static bool naive_before(const struct dc_policy_candidate *x, const struct dc_policy_candidate *y)
{
    if (x->rank != y->rank)
        return x->rank > y->rank;
    return x->tie != y->tie ? x->tie < y->tie : x->id < y->id;
}
static void test_choose(void)
{
    enum { N = 60 };
    for (uint64_t seed = 1; seed <= 400; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("policy"), dc_name("choose"));
        struct dc_policy_candidate list[N], all[N];
        uint32_t n = (uint32_t)dc_next_below(&s, N + 1),
                 budget = (uint32_t)dc_next_below(&s, N + 5);
        struct dc_hash beacon = beacon_of(seed);
        bool chosen[N] = {false};
        for (uint32_t i = 0; i < n; i++) {
            list[i] = (struct dc_policy_candidate){.id = (i * 37 + (uint32_t)seed) % 61};
            list[i].rank = (dc_policy_rank)dc_next_below(&s, 8) << (i % 3 == 0 ? 125 : 0);
            all[i] = list[i];
            all[i].tie =
                old_draw(DC_DOMAIN_COIN, &beacon, list[i].id, ((uint64_t)1 << 63) + seed / 2);
        }
        uint32_t kept = dc_policy_choose(&beacon, seed / 2, budget, list, n);
        CU_ASSERT_EQUAL_FATAL(kept, budget == 0 || budget > n ? n : budget);
        for (uint32_t k = 0; k < kept; k++) {
            uint32_t best = UINT32_MAX;
            for (uint32_t i = 0; i < n; i++)
                if (!chosen[i] && (best == UINT32_MAX || naive_before(&all[i], &all[best])))
                    best = i;
            chosen[best] = true;
            bool found = false;
            for (uint32_t i = 0; i < kept; i++)
                found = found || list[i].id == all[best].id;
            CU_ASSERT(found);
            CU_ASSERT(k == 0 || list[k - 1].id < list[k].id);
        }
    }
}

/* --- the controller, one step ------------------------------------------------------------------ */

static void test_control_step(void)
{
    struct dc_params p = {.theta_mode = DC_THETA_ADAPTIVE};
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("policy"), dc_name("control"));
        p.load_target = draw_q31(&s);
        p.load_gain = draw_q31(&s);
        dc_q31 theta = draw_q31(&s);
        uint32_t of = 1 + (uint32_t)dc_next_below(&s, 20000);
        uint32_t below = (uint32_t)dc_next_below(&s, of + 1);
        long double exact =
            theta + (long double)p.load_gain *
                        ((long double)p.load_target / DC_ONE - (long double)below / of);
        exact = exact < 0 ? 0 : exact > DC_ONE ? DC_ONE : exact;
        CU_ASSERT(fabsl(dc_policy_control(&p, theta, below, of) - exact) < 0.5001L);
    }
    p = (struct dc_params){
        .theta_mode = DC_THETA_ADAPTIVE, .load_target = DC_ONE / 4, .load_gain = DC_ONE / 4};
    CU_ASSERT_EQUAL(dc_policy_control(&p, DC_ONE / 2, 0, 100), DC_ONE / 16 * 9);
    CU_ASSERT_EQUAL(dc_policy_control(&p, DC_ONE / 2, 25, 100), DC_ONE / 2);
    CU_ASSERT_EQUAL(dc_policy_control(&p, DC_ONE / 2, 50, 100), DC_ONE / 16 * 7);
    CU_ASSERT_EQUAL(dc_policy_control(&p, 3, 100, 100), 0);
    CU_ASSERT_EQUAL(dc_policy_control(&p, DC_ONE - 3, 0, 100), DC_ONE);
    CU_ASSERT_EQUAL(dc_policy_control(&p, 12345, 0, 0), 12345); /* nobody to measure by */
    CU_ASSERT_EQUAL(dc_policy_control(&p, 1, 0, UINT32_MAX), 1 + DC_ONE / 16);
    p.theta_mode = DC_THETA_LEVEL;
    CU_ASSERT_EQUAL(dc_policy_control(&p, 12345, 1, 100), 12345);
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {
        {"all off: the baseline", test_baseline},
        {"triggers", test_triggers},
        {"a forecast sees ahead", test_forecast_sees_ahead},
        {"theta in force", test_theta_in_force},
        {"median", test_median},
        {"ready", test_ready},
        {"difficulty from history", test_history_switch},
        {"how many verifiers", test_how_many},
        {"weights of heights", test_weights},
        {"ranks", test_ranks},
        {"choose", test_choose},
        {"control, one step", test_control_step},
    };
    return TEST_MAIN("policy", cases);
}
