/* What rules draw, against closed forms.  Seeds 1..n in order; each check at the level 0.001 for all
 * its seeds together (two-sided, Bonferroni), by the normal approximation. */
#include "tests/net/links.h"

#include <math.h>

#define SEEDS 10
#define Z_SEEDS 3.89    /* normal quantile of 1 - 0.001 / (2 * SEEDS) */
#define CHI_SEEDS 117.6 /* chi-square, 63 degrees of freedom, at 0.001 / SEEDS (Wilson, Hilferty) */

static struct ds_net_rule plain(void)
{
    return (struct ds_net_rule){.latency_factor_q16 = DS_NET_Q16_ONE,
                                .bandwidth_factor_q16 = DS_NET_Q16_ONE,
                                .identity = dc_name("fault")};
}

static void open_under(struct world *w, uint64_t seed, const struct ds_net_rule *rule)
{
    struct dc_error error = {0};
    uint32_t handle;
    world_open(w, (struct ds_net_config){.seed = seed}, (struct ds_net_host){0}, 4);
    CU_ASSERT_EQUAL_FATAL(ds_net_rule_begin(w->net, rule, &handle, &error), DC_OK);
}

static void expect_z(double seen, double want, double variance)
{
    CU_ASSERT_TRUE((seen - want) * (seen - want) < Z_SEEDS * Z_SEEDS * variance);
}

/* Good and bad times seen every dt are a Markov chain of two states: stationary share of bad
 * p = length / (length + every), correlation r = exp(-dt (1/length + 1/every)) from one message to
 * the next; so a run of lost ones is geometric with mean 1 / ((1 - p)(1 - r)), and the mean of n has
 * variance p (1 - p) (1 + r) / ((1 - r) n) for large n.  With a loss q in bad times the share lost is
 * p q, of variance q^2 times that plus p q (1 - q) / n. */
static void test_bursts(void)
{
    enum { N = 200000 };
    const double length = 50, every = 200, dt = 2, p = length / (length + every);
    const double r = exp(-dt * (1 / length + 1 / every)), stop = (1 - p) * (1 - r);
    const double variance = p * (1 - p) * (1 + r) / ((1 - r) * N);
    double all_lost = 0, all_runs = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int elliott = 0; elliott < 2; elliott++) {
            struct world w;
            struct ds_net_rule rule = plain();
            const double q = elliott ? 0.25 : 1;
            rule.burst_loss_q31 = dc_q31_from_double(q);
            rule.burst_length_ns = (int64_t)length * MS;
            rule.burst_every_ns = (int64_t)every * MS;
            open_under(&w, seed, &rule);
            double lost = 0, runs = 0;
            bool before = false;
            for (int i = 0; i < N; i++) {
                bool now = send(&w, 0, 1, 0, 1, i * (int64_t)dt * MS) == -DS_NET_LOST;
                lost += now;
                runs += now && !before;
                before = now;
            }
            expect_z(lost / N, p * q, q * q * variance + p * q * (1 - q) / N);
            all_lost += elliott ? 0 : lost;
            all_runs += elliott ? 0 : runs;
            world_close(&w);
        }
    CU_ASSERT_TRUE(all_runs > 10000); /* so that 4 % too long would show */
    expect_z(all_lost / all_runs, 1 / stop, (1 - stop) / (stop * stop) / all_runs);
}

/* The first moment is as good as any other: of many senders, the share of bad ones is stationary at
 * the very begin of the rule, and each has its own times. */
static void test_bursts_begin(void)
{
    enum { N = 4000 };
    const double p = 0.3;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct ds_net_rule rule = plain();
        rule.burst_loss_q31 = DC_ONE;
        rule.burst_length_ns = 3000 * MS;
        rule.burst_every_ns = 7000 * MS;
        rule.burst_since_ns = 5 * MS;
        double lost = 0, pairs = 0;
        for (int i = 0; i < N; i++) {
            struct world w;
            rule.identity = dc_name_indexed("fault", (uint64_t)i);
            open_under(&w, seed, &rule);
            bool a = send(&w, 0, 1, 0, 1, 5 * MS) == -DS_NET_LOST;
            bool b = send(&w, 2, 1, 0, 1, 5 * MS) == -DS_NET_LOST;
            lost += a;
            pairs += a && b;
            world_close(&w);
        }
        expect_z(lost / N, p, p * (1 - p) / N);
        expect_z(pairs / N, p * p, p * p * (1 - p * p) / N);
    }
}

struct classes {
    double count[64], all;
};

static void classes_add(struct classes *c, int64_t value, int64_t range)
{
    CU_ASSERT_FATAL(value > 0 && value <= range);
    c->count[(value - 1) * 64 / range]++;
    c->all++;
}

static void classes_expect_uniform(const struct classes *c)
{
    double chi = 0, each = c->all / 64;
    for (int i = 0; i < 64; i++)
        chi += (c->count[i] - each) * (c->count[i] - each) / each;
    CU_ASSERT_TRUE(c->all > 5000 && chi < CHI_SEEDS);
}

/* Shares are binomial, two of them independent; and the delays of copies and of what is overtaken
 * are uniform. */
static void test_shares(void)
{
    enum { N = 60000 };
    static const double share[4] = {0.3, 0.2, 0.05, 0.1};
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        struct ds_net_rule rule = plain();
        rule.duplicate_q31 = dc_q31_from_double(share[0]);
        rule.reorder_q31 = dc_q31_from_double(share[1]);
        rule.corrupt_q31 = dc_q31_from_double(share[2]);
        rule.replay_q31 = dc_q31_from_double(share[3]);
        rule.reorder_by_ns = 5 * MS;
        rule.replay_after_ns = 1000 * MS;
        open_under(&w, seed, &rule);
        double seen[4] = {0}, joint[4][4] = {{0}};
        struct classes copy = {.all = 0}, late = {.all = 0};
        double delayed = 0, far = 0; /* both, and both by more than half of what is possible */
        uint64_t last = 0;
        for (int i = 0; i < N; i++) {
            struct ds_delivery d = ds_net_send(w.net, &w.stats, 0, 1, 0, 1, i);
            const bool is[4] = {d.copy_ns != 0, d.arrival_ns != i + 10 * MS, d.mangle != 0,
                                d.replay_ns == d.arrival_ns + 1000 * MS};
            CU_ASSERT_TRUE(d.mangle == 0 || d.mangle != last);
            last = d.mangle;
            for (int a = 0; a < 4; a++) {
                seen[a] += is[a];
                for (int b = a + 1; b < 4; b++)
                    joint[a][b] += is[a] && is[b];
            }
            if (is[0])
                classes_add(&copy, d.copy_ns - d.arrival_ns, 10 * MS);
            if (is[1])
                classes_add(&late, d.arrival_ns - i - 10 * MS, 5 * MS);
            delayed += is[0] && is[1];
            far += d.copy_ns - d.arrival_ns > 5 * MS && d.arrival_ns - i - 10 * MS > 5 * MS / 2;
        }
        for (int a = 0; a < 4; a++) {
            expect_z(seen[a], N * share[a], N * share[a] * (1 - share[a]));
            for (int b = a + 1; b < 4; b++) {
                double p = share[a] * share[b];
                expect_z(joint[a][b], N * p, N * p * (1 - p));
            }
        }
        expect_z(far, delayed / 4, delayed * 3 / 16);
        classes_expect_uniform(&copy);
        classes_expect_uniform(&late);
        world_close(&w);
    }
}

/* A later message overtakes an earlier one, sent d before it, when the earlier is delayed by more
 * than d and the later by so much less: for a share s of messages delayed uniformly by up to b,
 * s (1 - d/b) (1 - s) + s^2 (1 - d/b)^2 / 2.  Pairs of (2i, 2i + 1), which are independent. */
static void test_overtaking(void)
{
    enum { N = 40000 };
    const double s = 0.4, rest = 1 - 1.0 / 5;
    const double p = s * rest * (1 - s) + s * s * rest * rest / 2;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        struct ds_net_rule rule = plain();
        rule.reorder_q31 = dc_q31_from_double(s);
        rule.reorder_by_ns = 5 * MS;
        open_under(&w, seed, &rule);
        double overtaken = 0;
        for (int i = 0; i < N; i++)
            overtaken += send(&w, 0, 1, 0, 1, 2 * i * MS) > send(&w, 0, 1, 0, 1, (2 * i + 1) * MS);
        expect_z(overtaken, N * p, N * p * (1 - p));
        world_close(&w);
    }
}

/* A rule's latency follows its table, whatever factors and jitter do to the path. */
static void test_latency(void)
{
    enum { N = 64000 };
    static struct dc_dist table;
    const int n = DC_DIST_CELLS;
    const int64_t most = 8 * MS;
    for (int i = 0; i <= n; i++) {
        table.cell[i] = most * i / n; /* uniform from 0 to 8 ms */
        table.tail[i] = most * (n - 1) / n + most / n * i / n;
    }
    table.max = table.tail[n] = table.cell[n];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        struct ds_net_rule rule = plain();
        struct classes c = {.all = 0};
        rule.latency = &table;
        rule.latency_factor_q16 = 3 * DS_NET_Q16_ONE;
        open_under(&w, seed, &rule);
        for (int i = 0; i < N; i++)
            classes_add(&c, send(&w, 0, 1, 0, 1, i) - i - 30 * MS + 1, most + 1);
        classes_expect_uniform(&c);
        world_close(&w);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"bursts: share and mean length", test_bursts},
        {"bursts begin in equilibrium", test_bursts_begin},
        {"shares are binomial, delays uniform", test_shares},
        {"overtaking", test_overtaking},
        {"a rule's latency follows its table", test_latency},
    };
    return TEST_MAIN("disturb statistics", cases);
}
