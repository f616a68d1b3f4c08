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

void ds_net_kind_stats_merge(struct ds_net_kind_stats *into, const struct ds_net_kind_stats *from)
{
    into->messages += from->messages;
    into->bytes += from->bytes;
    for (int i = 0; i < DS_NET_OUTCOMES; i++)
        into->outcome[i] += from->outcome[i];
    into->uplink_wait_ns += from->uplink_wait_ns;
    into->downlink_wait_ns += from->downlink_wait_ns;
    into->duplicated += from->duplicated;
    into->replayed += from->replayed;
    into->corrupted += from->corrupted;
    into->held += from->held;
    dc_histogram_merge(&into->delay_ns, &from->delay_ns);
}

void ds_net_stats_merge(struct ds_net_stats *into, const struct ds_net_stats *from)
{
    DC_CHECK(into->kinds == from->kinds);
    for (uint32_t k = 0; k < from->kinds; k++)
        ds_net_kind_stats_merge(&into->kind[k], &from->kind[k]);
}
