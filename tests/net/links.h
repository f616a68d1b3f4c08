/* A small network for tests of links: two places, even nodes at one and odd nodes at the other. */
#ifndef TESTS_NET_LINKS_H
#define TESTS_NET_LINKS_H

#include "models/base/fixed.h"
#include "models/base/rng.h"
#include "sim/net/link.h"
#include "tests/support/harness.h"

#define MS 1000000LL

/* Two places: a (1 ms within, 10 ms to b), b (2 ms within, 30 ms to a). */
static const int64_t matrix_rtt_ns[4] = {2 * MS, 20 * MS, 60 * MS, 4 * MS};
static const char *const matrix_names[2] = {"a", "b"};

struct world {
    struct ds_net_topology topology;
    struct dc_dist jitter;
    struct ds_net *net;
    struct ds_net_stats stats;
};

/* Nodes 0..count-1, even ones at a, odd ones at b. */
static inline void world_open(struct world *w, struct ds_net_config config, struct ds_net_host host,
                              uint32_t count)
{
    struct dc_error error = {0};
    struct ds_net_host hosts[128];
    CU_ASSERT_FATAL(count <= 128);
    CU_ASSERT_EQUAL_FATAL(
        ds_topology_from_matrix(matrix_names, matrix_rtt_ns, 2, &w->topology, &error), DC_OK);
    for (uint32_t i = 0; i < count; i++) {
        hosts[i] = host;
        hosts[i].identity = dc_name_indexed("n", i);
        hosts[i].place = i % 2;
    }
    config.topology = &w->topology;
    config.host_delay_ns = config.host_delay_ns == 0 ? 1 : config.host_delay_ns;
    config.kinds = config.kinds == 0 ? 4 : config.kinds;
    CU_ASSERT_EQUAL_FATAL(ds_net_create(&config, hosts, count, &w->net, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(ds_net_stats_init(&w->stats, config.kinds, &error), DC_OK);
}

static inline void world_close(struct world *w)
{
    ds_net_free(w->net);
    ds_net_stats_free(&w->stats);
    ds_topology_free(&w->topology);
}

/* Uniform factors from 0.9 to 1.1. */
static inline const struct dc_dist *uniform_jitter(struct dc_dist *d)
{
    const int n = DC_DIST_CELLS;
    const double low = 0.9 * DS_NET_JITTER_ONE, width = 0.2 * DS_NET_JITTER_ONE;
    for (int i = 0; i <= n; i++) {
        d->cell[i] = (int64_t)(low + width * i / n);
        d->tail[i] = (int64_t)(low + width * (n - 1 + (double)i / n) / n);
    }
    d->tail[0] = d->cell[n - 1];
    d->min = d->cell[0];
    d->max = d->tail[n];
    return d;
}

static inline int64_t send(struct world *w, uint32_t src, uint32_t dst, uint32_t kind,
                           uint32_t size, int64_t now)
{
    struct ds_delivery d = ds_net_send(w->net, &w->stats, src, dst, kind, size, now);
    return d.outcome == DS_NET_SENT ? d.arrival_ns : -(int64_t)d.outcome;
}

#endif
