/* Adaptive challenges, what is left to chance, against closed forms (models/README.md 7 and 15), and
 * what adaptivity buys in worlds small enough to be computed.
 *
 * Levels: each comparison is made at 0.0001; there are about fifty in this file.  Beacons and seeds
 * are 1, 2, 3 ... */
#include "models/base/rng.h"
#include "models/posync/policy.h"
#include "models/service/storage.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <stdlib.h>
#include <string.h>

static const double level = 0.0001;
static const double z_level = 3.89; /* of a normal, both sides */

static struct dc_hash beacon_of(uint64_t n)
{
    uint8_t text[8];
    dc_put64(text, n);
    return dc_hash_bytes(DC_DOMAIN_TEST, text, sizeof text);
}

static double real(dc_q31 q)
{
    return dc_q31_to_double(q);
}

/* --- whom -------------------------------------------------------------------------------------- */

/* N [1 - (1 - pi F(theta-)) (1 - rho)], F of what the trigger looks at: u, its forecast, or the
 * smaller of both, which are in steps of 1/50 and 1/20 so that theta falls on some of them. */
static void test_challenges_by_trigger(void)
{
    enum { N = 1000, EPOCHS = 30 };
    for (uint32_t v = 0; v < 18; v++) {
        struct dc_params p = {.trigger = v % 3,
                              .soft = dc_q31_from_ppm(v / 3 % 2 == 0 ? 1000000 : 400000),
                              .audit = dc_q31_from_ppm(v / 6 == 0 ? 5000 : 100000)};
        dc_q31 theta = dc_q31_from_ppm(100000 * (1 + v / 3));
        uint64_t challenges = 0, below = 0;
        for (uint64_t e = 1; e <= EPOCHS; e++) {
            struct dc_hash beacon = beacon_of(100 * v + e);
            struct dc_policy_view view = {
                .params = &p, .beacon = &beacon, .epoch = e, .theta = theta};
            for (uint32_t id = 0; id < N; id++) {
                struct dc_posync r = {.u = dc_q31_from_ppm(id % 50 * 20000),
                                      .u_defined = 1,
                                      .forecast = dc_q31_from_ppm(id / 50 * 50000),
                                      .seen = 3};
                challenges += dc_policy_rule.whom(&view, &r, id) != 0;
                bool u = r.u < theta, f = r.forecast < theta;
                below += e == 1 && (p.trigger == DC_TRIGGER_OBSERVED   ? u
                                    : p.trigger == DC_TRIGGER_FORECAST ? f
                                                                       : u || f);
            }
        }
        double share = (double)below / N, pi = real(p.soft), rho = real(p.audit);
        double mean = (double)N * EPOCHS * (1 - (1 - pi * share) * (1 - rho));
        double one = 1 - (1 - pi) * (1 - rho);
        double variance =
            (double)N * EPOCHS * (share * one * (1 - one) + (1 - share) * rho * (1 - rho));
        CU_ASSERT(below > 0 && below < N);
        CU_ASSERT(fabs((double)challenges - mean) <= z_level * sqrt(variance) + 0.5);
    }
}

/* --- when -------------------------------------------------------------------------------------- */

/* Heights of the window are drawn in proportion to their weights, everybody exactly once. */
static void draw_all(const uint32_t *weight, uint32_t slots, uint64_t *count, uint64_t salt)
{
    struct dc_hash beacon[40];
    uint64_t all = 0;
    for (uint32_t i = 0; i < slots; i++)
        all += weight[i];
    for (uint64_t e = 1; e <= 500; e++) {
        for (uint32_t i = 0; i < slots; i++)
            beacon[i] = beacon_of(salt + (60 * e + i) / 3); /* a new R_f every third height */
        for (uint32_t id = 0; id < 60; id++) {
            uint64_t left = all;
            uint32_t draws = 0;
            for (uint32_t i = 0; i < slots && draws == 0; i++) {
                if (dc_posync_drawn_weighted(&beacon[i], id, 60 * e + i, weight[i], left)) {
                    count[i]++;
                    draws++;
                }
                left -= weight[i];
            }
            CU_ASSERT_EQUAL_FATAL(draws, 1);
        }
    }
}

static void test_quiet_heights(void)
{
    enum { SLOTS = 40 };
    for (uint64_t world = 0; world < 4; world++) {
        struct dc_stream s = dc_stream(world + 1, dc_name("adaptive"), dc_name("quiet"));
        struct dc_params p = {.quiet = world != 3};
        uint32_t load[SLOTS], weight[SLOTS], quietest = 0, busiest = 0;
        for (uint32_t i = 0; i < SLOTS; i++) {
            load[i] = world == 1 ? (i % 20 == 0 ? 1000000 : 0) : (uint32_t)dc_next_below(&s, 70000);
            quietest = load[i] < load[quietest] ? i : quietest;
            busiest = load[i] > load[busiest] ? i : busiest;
        }
        struct dc_policy_view view = {.params = &p, .load = load};
        dc_policy_rule.when(&view, SLOTS, weight);
        double expected[SLOTS], sum = 0;
        uint64_t count[SLOTS] = {0};
        for (uint32_t i = 0; i < SLOTS; i++)
            sum += weight[i];
        draw_all(weight, SLOTS, count, 1000000 * world);
        for (uint32_t i = 0; i < SLOTS; i++)
            expected[i] = 30000 * weight[i] / sum;
        CU_ASSERT(test_chi_square_fits(count, expected, SLOTS, level));
        CU_ASSERT(p.quiet ? count[quietest] > 2 * count[busiest]
                          : test_chi_square_uniform(count, SLOTS, level));
    }
}

/* Weights that differ by a factor of a thousand, and heights that nobody may be drawn at. */
static void test_any_weights(void)
{
    static const uint32_t weight[12] = {1000, 1, 500, 0, 20, 20, 1, 1, 300, 0, 157, 0};
    uint64_t count[12] = {0}, some[9];
    double expected[9];
    size_t n = 0;
    draw_all(weight, 12, count, 77000000);
    for (size_t i = 0; i < 12; i++) {
        if (weight[i] == 0)
            CU_ASSERT_EQUAL(count[i], 0);
        if (weight[i] == 0)
            continue;
        some[n] = count[i];
        expected[n++] = 30000 * weight[i] / 2000.0;
    }
    CU_ASSERT_EQUAL(n, 9);
    CU_ASSERT(test_chi_square_fits(some, expected, n, level));
}

/* --- which ------------------------------------------------------------------------------------- */

/* Random order: each epoch another sample without replacement, everybody alike; of flagged nodes and
 * others, the flagged. */
static void test_random_order(void)
{
    enum { N = 50, BUDGET = 10, EPOCHS = 3000 };
    uint64_t count[N] = {0}, again = 0;
    bool last[N] = {false};
    struct dc_hash beacon = beacon_of(1); /* one beacon: the epoch alone changes the order */
    for (uint64_t e = 1; e <= EPOCHS; e++) {
        struct dc_policy_candidate list[N] = {0};
        bool now[N] = {false};
        for (uint32_t i = 0; i < N; i++)
            list[i].id = i;
        CU_ASSERT_EQUAL_FATAL(dc_policy_choose(&beacon, e, BUDGET, list, N), BUDGET);
        for (uint32_t i = 0; i < BUDGET; i++) {
            count[list[i].id]++;
            now[list[i].id] = true;
            again += last[list[i].id];
        }
        memcpy(last, now, sizeof last);
    }
    double share = (double)BUDGET / N, mean = EPOCHS * share, x = 0;
    for (int i = 0; i < N; i++) /* without replacement: the variance is 1 - share of Poisson's */
        x += ((double)count[i] - mean) * ((double)count[i] - mean) / (mean * (1 - share));
    CU_ASSERT(test_chi_square_tail(x * (N - 1) / N, N - 1) > level);
    /* how many of this epoch's were in the last one's: hypergeometric */
    double once = BUDGET * share, spread = once * (1 - share) * (N - BUDGET) / (N - 1);
    CU_ASSERT(fabs((double)again - (EPOCHS - 1) * once) <= z_level * sqrt((EPOCHS - 1) * spread));
}

/* A world in which nothing tells cheats from honest nodes, all in T(e), `budget` asked: epochs until
 * each ghost has failed `failures` times.  Honest nodes pass, ghosts fail. */
static double epochs_to_catch(uint32_t order, uint64_t seed, uint32_t failures, double *worst)
{
    enum { N = 300, GHOSTS = 30, BUDGET = 15 };
    struct dc_params p = {.order = order,
                          .ucb_ppm = 1000000,
                          .budget = BUDGET,
                          .audit = DC_ONE,
                          .history_keep = 2040109466};
    static struct dc_posync r[N];
    struct dc_policy_candidate list[N];
    memset(r, 0, sizeof r);
    uint32_t left = GHOSTS;
    double sum = 0;
    for (uint64_t e = 1; left != 0 && e < 1000; e++) {
        struct dc_hash beacon = beacon_of(10000 * seed + e);
        struct dc_policy_view view = {.params = &p, .beacon = &beacon, .epoch = e};
        uint32_t n = 0;
        for (uint32_t id = 0; id < N; id++) {
            if (id % 10 == 0 && r[id].failed == failures)
                continue; /* ejected */
            uint8_t causes = dc_policy_rule.whom(&view, &r[id], id);
            CU_ASSERT_EQUAL_FATAL(causes, DC_CAUSE_AUDIT);
            list[n++] = (struct dc_policy_candidate){
                .id = id, .rank = dc_policy_rule.which(&view, &r[id], causes, DC_DSYNC)};
        }
        n = dc_policy_choose(&beacon, e, p.budget, list, n);
        CU_ASSERT_EQUAL_FATAL(n, BUDGET);
        for (uint32_t i = 0; i < n; i++) {
            struct dc_posync *a = &r[list[i].id];
            bool ghost = list[i].id % 10 == 0;
            dc_history_verdict(&p, a, !ghost);
            if (ghost && ++a->failed == failures) {
                sum += (double)e;
                left--;
                *worst = (double)e > *worst ? (double)e : *worst;
            }
        }
    }
    CU_ASSERT_EQUAL(left, 0);
    return sum / GHOSTS;
}

/* By upper confidence bound nodes are asked in rounds: nobody twice before everybody once, and who
 * failed is asked again at once.  Random order asks with replacement.  Of 300 nodes with 15 asked, the
 * first failure comes after (20 + 1) / 2 epochs against 20, and the fourth within (300 + 3 * 30) / 15
 * and three more, against 80 on average. */
static void test_confidence_beats_chance(void)
{
    double worst_ucb = 0, worst_random = 0, first[2] = {0}, fourth[2] = {0};
    enum { SEEDS = 30 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double ignored = 0;
        fourth[0] += epochs_to_catch(DC_ORDER_UCB, seed, 4, &worst_ucb) / SEEDS;
        fourth[1] += epochs_to_catch(DC_ORDER_RANDOM, seed, 4, &worst_random) / SEEDS;
        first[0] += epochs_to_catch(DC_ORDER_UCB, seed, 1, &ignored) / SEEDS;
        first[1] += epochs_to_catch(DC_ORDER_RANDOM, seed, 1, &ignored) / SEEDS;
    }
    CU_ASSERT(fabs(first[0] - 10.5) < 1);
    CU_ASSERT(first[1] > 17 && first[1] < 21); /* nearly 20: ejections make room */
    CU_ASSERT(worst_ucb <= 29);
    CU_ASSERT(fourth[0] < 20 && fourth[1] > 60 && worst_random > 100);
}

/* --- how hard ---------------------------------------------------------------------------------- */

static const uint64_t terabyte_chunks = (uint64_t)1 << 28;

static bool passes(const struct dc_disk *disk, const struct dc_hash *nonce, uint8_t k)
{
    uint64_t sample[255];
    bool ok = true;
    dc_posync_samples(nonce, terabyte_chunks, k, sample);
    for (uint32_t i = 0; i < k; i++)
        ok = ok && dc_disk_has(disk, sample[i]);
    return ok;
}

/* What history asks of a node finds f_min with the probability aimed at: (1 - f_min)^k passes, which
 * is at most 1 - P*(r); and k_max now and then catches what an easy k lets through. */
static void test_history_finds(void)
{
    static const int passed[] = {0, 3, 60};
    struct dc_params p = {.difficulty = DC_DIFFICULTY_HISTORY,
                          .k_min = 4,
                          .k_max = 40,
                          .history_keep = 2040109466,
                          .f_min = dc_q31_from_ppm(100000),
                          .p_hi = dc_q31_from_ppm(990000),
                          .p_lo = dc_q31_from_ppm(800000)};
    for (int i = 0; i < 3; i++)
        for (uint32_t chance = 0; chance <= 100000; chance += 100000) {
            struct dc_posync r = {0};
            struct dc_policy_view view = {.params = &p};
            struct dc_hash plain = beacon_of(1);
            p.k_max_chance = 0;
            for (int n = 0; n < passed[i]; n++)
                dc_history_verdict(&p, &r, true);
            double easy = dc_policy_rule.how_hard(&view, &r, DC_CAUSE_AUDIT, &plain);
            p.k_max_chance = dc_q31_from_ppm(chance);
            double c = real(p.k_max_chance), f = real(p.f_min);
            double expected = (1 - c) * pow(1 - f, easy) + c * pow(1 - f, 40);
            uint64_t through = 0;
            for (uint64_t seed = 1; seed <= 20000; seed++) {
                struct dc_disk disk = {.key = dc_mix64(seed), .missing = p.f_min};
                struct dc_hash nonce = beacon_of(seed + 100000 * (uint64_t)i + chance);
                through += passes(&disk, &nonce,
                                  dc_policy_rule.how_hard(&view, &r, DC_CAUSE_AUDIT, &nonce));
            }
            CU_ASSERT(test_binomial_fits(through, 20000, expected, level));
            CU_ASSERT(expected <= 1 - real(dc_history_aim(&p, &r)));
        }
}

/* Epochs until a node that lacks f is found, from its place in T(e) to its samples: geometric with
 * [1 - (1 - pi)(1 - rho)] (1 - (1-f)^k). */
static void test_epochs_until_found(void)
{
    enum { CELLS = 10, RUNS = 6000 };
    struct dc_params p = {.soft = DC_ONE / 2,
                          .audit = dc_q31_from_ppm(100000),
                          .k = 4,
                          .k_min = 1,
                          .k_max = 32,
                          .rigor = 1};
    dc_q31 f = dc_q31_from_ppm(300000);
    double asked = 1 - (1 - real(p.soft)) * (1 - real(p.audit));
    double found = asked * (1 - pow(1 - real(f), 4)), left = RUNS, expected[CELLS];
    uint64_t count[CELLS] = {0};
    struct dc_posync r = {.u = 9, .u_defined = 1};
    for (uint32_t id = 0; id < RUNS; id++) {
        struct dc_disk disk = {.key = dc_mix64(id), .missing = f};
        uint32_t e = 0;
        for (; e < CELLS - 1; e++) {
            struct dc_hash beacon = beacon_of(e + 1);
            struct dc_policy_view view = {.params = &p, .beacon = &beacon, .epoch = e, .theta = 10};
            if (dc_policy_rule.whom(&view, &r, id) == 0)
                continue;
            struct dc_hash nonce = dc_posync_nonce(&beacon, id, 60 * e);
            if (!passes(&disk, &nonce, dc_policy_rule.how_hard(&view, &r, 0, &nonce)))
                break;
        }
        count[e]++;
    }
    for (int i = 0; i < CELLS; i++) {
        expected[i] = i == CELLS - 1 ? left : left * found;
        left -= expected[i];
    }
    CU_ASSERT(test_chi_square_fits(count, expected, CELLS, level));
}

/* --- the controller ---------------------------------------------------------------------------- */

/* Nodes whose utilisation is drawn anew each epoch with distribution F(u) = (u / top)^(1/power). */
struct world {
    struct dc_stream s;
    double top;
    int power;
    dc_q31 theta;
};
enum { POPULATION = 2000 };
static uint32_t world_epoch(struct world *w, const struct dc_params *p, uint64_t e)
{
    struct dc_hash beacon = beacon_of(e);
    struct dc_policy_view view = {
        .params = p, .beacon = &beacon, .epoch = e, .theta = dc_policy_theta(p, w->theta, 0)};
    uint32_t below = 0;
    for (uint32_t id = 0; id < POPULATION; id++) {
        double x = (double)(dc_next64(&w->s) >> 11) / 9007199254740992.0, u = w->top;
        for (int i = 0; i < w->power; i++)
            u *= x;
        struct dc_posync r = {.u = dc_q31_from_double(u), .u_defined = 1};
        below += (dc_policy_rule.whom(&view, &r, id) & DC_CAUSE_THETA) != 0;
    }
    w->theta = dc_policy_control(p, w->theta, below, POPULATION);
    return below;
}

static const struct dc_params adaptive = {.theta_mode = DC_THETA_ADAPTIVE,
                                          .theta = 644245094,       /* 0.3 */
                                          .load_target = 107374182, /* 0.05 */
                                          .load_gain = 429496730,   /* 0.2 */
                                          .soft = DC_ONE};

/* It finds the quantile of the target and stays: with density f of utilisation there, theta is an
 * AR(1) with coefficient 1 - gain f, so its variance is gain^2 F (1 - F) / N / (1 - (1 - gain f)^2).
 * The population changes by a step half way, after which it does so again.  Five deviations of two
 * thousand values: a level of 0.001. */
static void test_controller(void)
{
    double target = real(adaptive.load_target), gain = real(adaptive.load_gain);
    double noise = sqrt(target * (1 - target) / POPULATION);
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct world w = {.s = dc_stream(seed, dc_name("adaptive"), dc_name("controller")),
                          .top = 1,
                          .power = 1,
                          .theta = adaptive.theta};
        for (int half = 0; half < 2; half++) {
            w.top = half == 0 ? 1 : 0.3; /* the network falls idle */
            double density = 1 / w.top, pole = 1 - gain * density, aim = target * w.top;
            double sd = gain * noise / sqrt(1 - pole * pole), loads = 0, before = 0;
            for (uint64_t e = 0; e < 200; e++) {
                if (e == 80)
                    before = real(w.theta);
                double load = world_epoch(&w, &adaptive, 1000 * seed + 200 * (uint64_t)half + e) /
                              (double)POPULATION;
                if (e >= 80) { /* 0.3 * 0.8^80 is far below the noise */
                    loads += load;
                    CU_ASSERT(fabs(real(w.theta) - aim) < 5 * sd);
                }
                if (half == 1 && e == 0)
                    CU_ASSERT(load > 2 * target); /* the step was one */
            }
            /* what it does not hold it remembers: loads add up to the target but for theta's move */
            double owed = (real(w.theta) - before) / gain;
            CU_ASSERT(fabs(loads - 120 * target + owed) < 1e-5);
        }
    }
}

/* It holds while gain times density is below 2.  In a world where most are idle (a density of 133 at
 * the twentieth) the default gain swings between nobody and too many; a gain below 2/133 holds. */
static void test_controller_limit(void)
{
    for (int gentle = 0; gentle < 2; gentle++) {
        struct dc_params p = adaptive;
        p.load_gain = gentle ? dc_q31_from_ppm(2000) : p.load_gain;
        struct world w = {.s = dc_stream(1, dc_name("adaptive"), dc_name("limit")),
                          .top = 1,
                          .power = 3,
                          .theta = dc_q31_from_ppm(20000)};
        uint32_t nobody = 0, held = 0;
        for (uint64_t e = 0; e < 300; e++) {
            uint32_t below = world_epoch(&w, &p, e);
            nobody += e >= 200 && below == 0;
            held += e >= 200 && below > POPULATION / 40 && below < POPULATION / 10;
        }
        CU_ASSERT(gentle ? nobody == 0 && held == 100 : nobody == 50 && held == 0);
    }
}

/* With soft theta the load is what is asked, not what is below: theta goes where pi F is the target. */
static void test_controller_soft(void)
{
    struct dc_params p = adaptive;
    p.soft = DC_ONE / 2;
    struct world w = {.s = dc_stream(1, dc_name("adaptive"), dc_name("soft")),
                      .top = 1,
                      .power = 1,
                      .theta = p.theta};
    double mean = 0;
    for (uint64_t e = 0; e < 400; e++) {
        world_epoch(&w, &p, e);
        mean += e >= 200 ? real(w.theta) / 200 : 0;
    }
    /* the mean of theta over n epochs varies by the noise of the load over f sqrt(n) at most */
    double noise = sqrt(0.05 * 0.95 / POPULATION) / 0.5;
    CU_ASSERT(fabs(mean - 0.1) < z_level * noise / sqrt(200) + 0.001);
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {
        {"challenges by trigger", test_challenges_by_trigger},
        {"quiet heights", test_quiet_heights},
        {"any weights", test_any_weights},
        {"random order", test_random_order},
        {"confidence beats chance", test_confidence_beats_chance},
        {"history finds", test_history_finds},
        {"epochs until found", test_epochs_until_found},
        {"controller", test_controller},
        {"controller's limit", test_controller_limit},
        {"controller, soft theta", test_controller_soft},
    };
    return TEST_MAIN("adaptive", cases);
}
