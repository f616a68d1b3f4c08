/* What came of handshakes and frames: notes of nodes, and the metrics that they make. */
#include "sim/world/channel.h"
#include "sim/world/observer.h"

#include <stdio.h>

void world_channel_note(struct ds_world *w, const struct note *n)
{
    struct world_channels *all = w->channels;
    DC_CHECK(all != NULL && n->b < DC_CHANNEL_OUTCOMES);
    all->noted[n->b]++;
    if (n->b == DC_CHANNEL_OPENED)
        dc_histogram_add(&all->latency_ns, (int64_t)n->a);
}

/* Only of runs that have channels: the others' files are as they were. */
void world_channel_summary(struct ds_world *w)
{
    const struct world_channels *all = w->channels;
    uint64_t refused = 0, intercepted = 0;
    char name[64];
    if (all == NULL)
        return;
    for (uint32_t i = 0; i < w->threads; i++)
        intercepted += w->shard[i].intercepted;
    world_scalar_count(w, "handshakes", all->noted[DC_CHANNEL_OPENED]);
    world_summary_latency(w, "handshake_latency", &all->latency_ns);
    for (int o = DC_CHANNEL_OPENED + 1; o < DC_CHANNEL_OUTCOMES; o++) {
        snprintf(name, sizeof name, "channel_refused.%s",
                 dc_channel_outcome_name((enum dc_channel_outcome)o));
        world_scalar_count(w, name, all->noted[o]);
        refused += all->noted[o];
    }
    world_scalar_count(w, "channel_refused", refused);
    world_scalar_count(w, "messages_intercepted", intercepted);
}
