/* Delta and the largest delay, with which the round timer and whoever asks for progress reckon: what a
 * block takes to reach everyone.
 *
 *   gossip    hops x (announce, pull, body: three one-way delays; a body to each neighbour)
 *   direct    one one-way delay; a body to each member
 *
 * Links are thin when the bodies that one node sends take longer than the timer's slack lets pass.
 * Then a timer that knew of latency alone would run out before any block is there, for ever. */
#include "sim/scenario/scenario.h"

/* A block beside its certificate, as it is when nobody is busy: a header and some transactions. */
static const uint64_t delays_block_bytes = 4096, delays_signature_bytes = 64;
/* Of the timer's slack, what is left for sending a block. */
static const int64_t delays_transfer_ns = 100000000;

/* What the thinnest uplink needs for a block to so many. */
static int64_t delays_transfer(const struct ds_scenario *s, uint64_t copies)
{
    uint64_t bps = s->network.bandwidth_up;
    if (bps == 0)
        return 0;
    uint64_t block = delays_block_bytes + delays_signature_bytes * s->validators_count;
    int64_t ns = (int64_t)(block * copies * 8 * 1000000 / bps * 1000);
    return ns > delays_transfer_ns ? ns - delays_transfer_ns : 0;
}

void ds_scenario_delays(const struct ds_scenario *s, uint64_t nodes, int64_t mean_ns,
                        int64_t largest_ns, struct dc_params *p)
{
    int64_t host_ns = s->network.host_delay_ns;
    int64_t typical = largest_ns > host_ns ? largest_ns : host_ns;
    uint64_t copies = s->validators_count;
    if (p->dissemination == DC_DISSEMINATION_GOSSIP) {
        uint64_t degree = s->network.overlay.degree, reach = degree;
        int64_t hops = 1;
        for (; reach < nodes && hops < 32; hops++)
            reach = degree > 2 ? reach * (degree - 1) : reach + 2; /* or it is a ring */
        int64_t gossip = 3 * hops * (mean_ns > host_ns ? mean_ns : host_ns);
        typical = gossip > typical ? gossip : typical;
        copies = (uint64_t)hops * (degree < nodes ? degree : nodes);
    }
    p->delay_typical_ns = typical + delays_transfer(s, copies);
    p->delay_max_ns = 2 * p->delay_typical_ns;
}
