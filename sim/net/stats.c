/* What a shard counts about its messages: 22 KiB for each kind, most of it the delay histogram. */
#include "models/base/mem.h"
#include "sim/net/link.h"

const char *ds_net_outcome_name(enum ds_net_outcome outcome)
{
    static const char *const names[DS_NET_OUTCOMES] = {"sent", "lost", "cut", "uplink_full",
                                                       "downlink_full"};
    return (unsigned)outcome < DS_NET_OUTCOMES ? names[outcome] : NULL;
}

enum dc_status ds_net_stats_init(struct ds_net_stats *stats, uint32_t kinds, struct dc_error *error)
{
    stats->kinds = kinds;
    stats->kind = dc_mem_alloc(kinds, sizeof(*stats->kind));
    if (stats->kind == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for the network's statistics");
    return DC_OK;
}

void ds_net_stats_free(struct ds_net_stats *stats)
{
    dc_mem_free(stats->kind);
    *stats = (struct ds_net_stats){0};
}

void ds_net_stats_merge(struct ds_net_stats *into, const struct ds_net_stats *from)
{
    DC_CHECK(into->kinds == from->kinds);
    for (uint32_t k = 0; k < from->kinds; k++) {
        struct ds_net_kind_stats *a = &into->kind[k];
        const struct ds_net_kind_stats *b = &from->kind[k];
        a->messages += b->messages;
        a->bytes += b->bytes;
        for (int i = 0; i < DS_NET_OUTCOMES; i++)
            a->outcome[i] += b->outcome[i];
        a->uplink_wait_ns += b->uplink_wait_ns;
        a->downlink_wait_ns += b->downlink_wait_ns;
        dc_histogram_merge(&a->delay_ns, &b->delay_ns);
    }
}
