/* Loss, jitter and queues against closed forms.  Seeds 1..n in order; each check at the level
 * 0.001 for all its seeds together (two-sided, Bonferroni), by the normal approximation. */
#include "models/base/fixed.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "sim/net/link.h"
#include "tests/support/harness.h"

#define SEEDS 10
#define Z_SEEDS 3.89 /* normal quantile of 1 - 0.001 / (2 * SEEDS) */

struct world {
    struct ds_net_topology topology;
    struct ds_net *net;
    struct ds_net_stats stats;
};

static void world_open(struct world *w, struct ds_net_config config,
                       const struct ds_net_host *hosts, uint32_t count)
{
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_topology_uniform(10000000, &w->topology, &error), DC_OK);
    config.topology = &w->topology;
    config.host_delay_ns = 1;
    config.kinds = 2;
    CU_ASSERT_EQUAL_FATAL(ds_net_create(&config, hosts, count, &w->net, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(ds_net_stats_init(&w->stats, 2, &error), DC_OK);
}

static void world_close(struct world *w)
{
    ds_net_free(w->net);
    ds_net_stats_free(&w->stats);
    ds_topology_free(&w->topology);
}

/* 0.05 everywhere, 0.1 when sent by node 0, 0.02 when sent to node 1: independent. */
static void test_loss(void)
{
    enum { N = 40000 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        struct ds_net_host hosts[2] = {{.identity = 1}, {.identity = 2}};
        hosts[0].loss_up_q31 = dc_q31_from_ppm(100000);
        hosts[1].loss_down_q31 = dc_q31_from_ppm(20000);
        world_open(&w, (struct ds_net_config){.seed = seed, .loss_q31 = dc_q31_from_ppm(50000)},
                   hosts, 2);
        for (int i = 0; i < N; i++) {
            ds_net_send(w.net, &w.stats, 0, 1, 0, 100, i);
            ds_net_send(w.net, &w.stats, 1, 0, 1, 100, i);
        }
        const double p[2] = {1 - 0.95 * 0.9 * 0.98, 0.05};
        for (int k = 0; k < 2; k++) {
            double lost = (double)w.stats.kind[k].outcome[DS_NET_LOST];
            double z2 = (lost - N * p[k]) * (lost - N * p[k]) / (N * p[k] * (1 - p[k]));
            CU_ASSERT_TRUE(z2 < Z_SEEDS * Z_SEEDS);
            CU_ASSERT_EQUAL(
                w.stats.kind[k].outcome[DS_NET_SENT] + w.stats.kind[k].outcome[DS_NET_LOST], N);
        }
        world_close(&w);
    }
}

/* Draws follow the table, and loss says nothing about the jitter of what arrives: 64 equally likely
 * classes, chi-square with 63 degrees of freedom at 0.001 / SEEDS: 117.6 (Wilson and Hilferty). */
static void test_jitter(void)
{
    enum { N = 64000, CLASSES = 64 };
    const int64_t one = DS_NET_JITTER_ONE;
    struct dc_dist table;
    const int n = DC_DIST_CELLS;
    for (int i = 0; i <= n; i++) {
        table.cell[i] = one + one * i / n; /* uniform from 1 to 2 */
        table.tail[i] = one + one * (n - 1) / n + one / n * i / n;
    }
    table.min = table.cell[0];
    table.max = table.tail[n] = table.cell[n];
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world w;
        struct ds_net_host hosts[2] = {{.identity = 1}, {.identity = 2}};
        world_open(&w,
                   (struct ds_net_config){
                       .seed = seed, .jitter = &table, .loss_q31 = dc_q31_from_ppm(300000)},
                   hosts, 2);
        double seen[CLASSES] = {0}, arrived = 0, chi = 0;
        for (int i = 0; i < N; i++) {
            struct ds_delivery d = ds_net_send(w.net, &w.stats, 0, 1, 0, 100, 0);
            if (d.outcome != DS_NET_SENT)
                continue;
            int64_t c = (d.arrival_ns - 10000000) * CLASSES / 10000000;
            CU_ASSERT_FATAL(c >= 0 && c <= CLASSES);
            seen[c == CLASSES ? CLASSES - 1 : c]++;
            arrived++;
        }
        for (int c = 0; c < CLASSES; c++)
            chi +=
                (seen[c] - arrived / CLASSES) * (seen[c] - arrived / CLASSES) / (arrived / CLASSES);
        CU_ASSERT_TRUE(chi < 117.6);
        world_close(&w);
    }
}

/* An exponential gap of mean 1, by inversion. */
static double exponential(struct dc_stream *s)
{
    return -__builtin_log(((double)(dc_next64(s) >> 11) + 0.5) / 9007199254740992.0);
}

/* A queue of constant service and Poisson arrivals (M/D/1) has mean wait rho / (2 (1 - rho)) in
 * units of service (Pollaczek and Khinchine).  Batch means over 20 batches of 20,000 messages;
 * t quantile with 19 degrees of freedom at 0.001 / 6, two-sided: 4.7. */
static void queue(double rho, bool downlink)
{
    enum { BATCHES = 20, EACH = 20000 };
    const int64_t service_ns = 1500 * 1000;
    struct world w;
    struct ds_net_host hosts[2] = {{.identity = 1, .up_bps = 8000000, .down_bps = 8000000},
                                   {.identity = 2}};
    world_open(&w, (struct ds_net_config){.seed = 1}, hosts, 2);
    struct dc_stream s = dc_stream(1, (uint64_t)(rho * 100), downlink);
    double now = 0, sum = 0, square = 0;
    for (int b = -1; b < BATCHES; b++) { /* batch -1 fills the queue */
        uint64_t before =
            downlink ? w.stats.kind[0].downlink_wait_ns : w.stats.kind[0].uplink_wait_ns;
        for (int i = 0; i < EACH; i++) {
            now += exponential(&s) * (double)service_ns / rho;
            if (downlink)
                CU_ASSERT_FATAL(ds_net_receive(w.net, &w.stats, 0, 0, 1448, (int64_t)now) >= 0);
            if (!downlink)
                ds_net_send(w.net, &w.stats, 0, 1, 0, 1448, (int64_t)now);
        }
        uint64_t after =
            downlink ? w.stats.kind[0].downlink_wait_ns : w.stats.kind[0].uplink_wait_ns;
        double mean = (double)(after - before) / EACH / (double)service_ns;
        if (b >= 0) {
            sum += mean;
            square += mean * mean;
        }
    }
    double mean = sum / BATCHES, variance = (square - sum * mean) / (BATCHES - 1) / BATCHES;
    double want = rho / (2 * (1 - rho));
    CU_ASSERT_TRUE((mean - want) * (mean - want) < 4.7 * 4.7 * variance);
    CU_ASSERT_TRUE(variance < 0.01 * want * want); /* it was a test: the error is below 10 % */
    world_close(&w);
}

static void test_queues(void)
{
    static const double rhos[3] = {0.3, 0.6, 0.8};
    for (int i = 0; i < 3; i++) {
        queue(rhos[i], false);
        queue(rhos[i], true);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"loss is binomial", test_loss},
        {"jitter follows its table", test_jitter},
        {"uplink and downlink are M/D/1", test_queues},
    };
    return TEST_MAIN("link statistics", cases);
}
