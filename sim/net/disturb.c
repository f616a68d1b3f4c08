/* Faults of links: splits of every shape, and rules that slow, lose, delay, copy, corrupt and hold.
 *
 * Draws.  A rule that draws about a message takes blocks of Philox of its own:
 *
 *     key      (seed, source's identity, rule's identity)
 *     counter  ordinal | kind, block | destination's identity       as the message's own luck
 *
 *     block 1  burst        duplicate   reorder     corrupt
 *     block 2  replay       by how much later it is reordered, copied | free
 *     block 3  latency (64 bits)        the seed of the corruption (64 bits)
 *
 * so a rule's luck is the same whatever else is in force and whatever else the rule does.  Good and
 * bad times of a sender are a stream of (seed, rule, sender) that time alone moves on.
 *
 * A rule in force is a bit; bits are sorted by identity, so that begin and end shift every mask,
 * which costs two words a node at a barrier and makes the order in which rules apply (it shows in
 * the rounding of factors) independent of which others came and went. */
#include "models/base/mem.h"
#include "sim/net/inside.h"

#include <string.h>

#define DISTURB_REPLAY_MAX_NS (24 * DS_TOPOLOGY_LATENCY_MAX_NS)

/* The base could be smaller under rules that speed links up; those that add are ignored.  In the
 * order in which rules apply: rounding down is monotone, so no subset of them gives less. */
void ds_net_find_lookahead(struct ds_net *net)
{
    int64_t least = net->base_min_ns;
    for (uint32_t r = 0; r < net->rules; r++)
        if (net->rule[r].spec.latency_factor_q16 < DS_NET_Q16_ONE)
            least = net_scale_q16(least, net->rule[r].spec.latency_factor_q16);
    if (net->jitter != NULL)
        least = (int64_t)((__int128)least * net->jitter->min >> 20);
    net->lookahead_ns = least > net->host_delay_ns ? least : net->host_delay_ns;
    net->faulty = net->partitions != 0 || net->rules != 0;
}

/* Partitions. */

static enum dc_status disturb_no_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory for a fault of the network");
}

static void disturb_partition_free(struct net_partition *p)
{
    dc_mem_free(p->group);
    dc_mem_free(p->row);
    *p = (struct net_partition){0};
}

enum dc_status ds_net_partition_begin(struct ds_net *net, const uint8_t *group, uint32_t groups,
                                      const bool *reach, uint32_t *handle, struct dc_error *error)
{
    if (net->partitions == UINT64_MAX)
        return dc_error_set(error, DC_ERR_LIMIT,
                            "faults: more than %d partitions are in force at the same time",
                            DS_NET_PARTITIONS_MAX);
    if (groups == 0 || groups > DS_NET_GROUPS_MAX)
        return dc_error_set(error, DC_ERR_USAGE, "faults: a partition of %u groups (1 to %d)",
                            groups, DS_NET_GROUPS_MAX);
    for (uint32_t i = 0; i < net->count; i++)
        if (group[i] >= groups)
            return dc_error_set(error, DC_ERR_USAGE,
                                "faults: node %u is in group %u of a partition of %u groups", i,
                                group[i], groups);
    const uint32_t index = (uint32_t)__builtin_ctzll(~net->partitions);
    struct net_partition *p = &net->partition[index];
    p->groups = groups;
    p->words = (groups + 63) / 64;
    p->group = dc_mem_alloc((size_t)net->count + 1, 1);
    p->row = dc_mem_alloc((size_t)groups * p->words, sizeof *p->row);
    if (p->group == NULL || p->row == NULL) {
        disturb_partition_free(p);
        return disturb_no_memory(error);
    }
    memcpy(p->group, group, net->count);
    for (uint32_t f = 0; f < groups; f++)
        for (uint32_t t = 0; t < groups; t++)
            if (reach == NULL ? f == t : reach[f * groups + t])
                p->row[f * p->words + t / 64] |= (uint64_t)1 << (t & 63);
    net->partitions |= (uint64_t)1 << index;
    ds_net_find_lookahead(net);
    *handle = index;
    return DC_OK;
}

void ds_net_partition_end(struct ds_net *net, uint32_t handle)
{
    DC_CHECK(handle < DS_NET_PARTITIONS_MAX && (net->partitions >> handle & 1) != 0);
    disturb_partition_free(&net->partition[handle]);
    net->partitions &= ~((uint64_t)1 << handle);
    ds_net_find_lookahead(net);
}

static bool disturb_cut(const struct ds_net *net, uint32_t src, uint32_t dst)
{
    if (src == dst)
        return false;
    for (uint64_t left = net->partitions; left != 0; left &= left - 1) {
        const struct net_partition *p = &net->partition[__builtin_ctzll(left)];
        uint32_t f = p->group[src], t = p->group[dst];
        if ((p->row[f * p->words + t / 64] >> (t & 63) & 1) == 0)
            return true;
    }
    return false;
}

/* Rules come and go. */

static bool disturb_delay(int64_t ns, int64_t min_ns, int64_t max_ns)
{
    return ns >= min_ns && ns <= max_ns;
}

static enum dc_status disturb_check(const struct ds_net_rule *r, struct dc_error *error)
{
    const int64_t longest = DS_TOPOLOGY_LATENCY_MAX_NS;
    if (!disturb_delay(r->latency_add_ns, 0, longest) || r->bandwidth_factor_q16 == 0 ||
        r->loss_q31 > DC_ONE)
        return dc_error_set(error, DC_ERR_USAGE,
                            "faults: a change of links with a negative delay, no bandwidth at "
                            "all, or a loss above 1");
    if (r->burst_loss_q31 > DC_ONE || r->duplicate_q31 > DC_ONE || r->reorder_q31 > DC_ONE ||
        r->corrupt_q31 > DC_ONE || r->replay_q31 > DC_ONE)
        return dc_error_set(error, DC_ERR_USAGE,
                            "faults: a change of links with a share of messages above 1");
    if (r->latency != NULL && (r->latency->min < 0 || r->latency->max > longest))
        return dc_error_set(error, DC_ERR_USAGE,
                            "faults: a latency below 0 or above 1 h can come out; use a narrower "
                            "distribution");
    if (r->burst_loss_q31 != 0 &&
        (!disturb_delay(r->burst_length_ns, DS_NET_BURST_MIN_NS, longest) ||
         !disturb_delay(r->burst_every_ns, DS_NET_BURST_MIN_NS, longest) ||
         !disturb_delay(r->burst_since_ns, 0, NET_TIME_MAX_NS)))
        return dc_error_set(error, DC_ERR_USAGE,
                            "faults: bursts of loss need mean lengths of good and bad times from "
                            "100 us to 1 h");
    if ((r->reorder_q31 != 0 && !disturb_delay(r->reorder_by_ns, 1, longest)) ||
        (r->replay_q31 != 0 && !disturb_delay(r->replay_after_ns, 1, DISTURB_REPLAY_MAX_NS)) ||
        !disturb_delay(r->hold_until_ns, 0, NET_TIME_MAX_NS))
        return dc_error_set(
            error, DC_ERR_USAGE,
            "faults: reordering takes a delay above 0 up to 1 h, a replay one above "
            "0 up to 24 h; a hold ends at a time, not below 0");
    return DC_OK;
}

/* A bit put in at p, those from there on moved up; and taken out again. */
static uint64_t disturb_put(uint64_t word, uint32_t p, bool bit)
{
    uint64_t low = ((uint64_t)1 << p) - 1;
    return (word & low) | (word & ~low) << 1 | (uint64_t)bit << p;
}

static uint64_t disturb_take(uint64_t word, uint32_t p)
{
    uint64_t low = ((uint64_t)1 << p) - 1;
    return (word & low) | (word >> 1 & ~low);
}

static bool disturb_member(const uint64_t *set, uint32_t i)
{
    return set == NULL || (set[i / 64] >> (i & 63) & 1) != 0;
}

enum dc_status ds_net_rule_begin(struct ds_net *net, const struct ds_net_rule *rule,
                                 uint32_t *handle, struct dc_error *error)
{
    enum dc_status status = disturb_check(rule, error);
    if (status != DC_OK)
        return status;
    if (net->rules == DS_NET_RULES_MAX)
        return dc_error_set(error, DC_ERR_LIMIT,
                            "faults: more than %d changes of links are in force at the same time",
                            DS_NET_RULES_MAX);
    struct net_rule fresh = {.spec = *rule, .handle = (uint32_t)__builtin_ctzll(~net->handles)};
    fresh.spec.src = fresh.spec.dst = NULL;
    fresh.key = dc_mix64(dc_mix64(rule->identity) ^ dc_name("rule of links"));
    if (rule->burst_loss_q31 != 0 || rule->hold_until_ns != 0) {
        fresh.sender = dc_mem_alloc((size_t)net->count + 1, sizeof *fresh.sender);
        if (fresh.sender == NULL)
            return disturb_no_memory(error);
    }
    uint32_t p = 0;
    while (p < net->rules && net->rule[p].spec.identity <= rule->identity)
        p++;
    memmove(&net->rule[p + 1], &net->rule[p], (net->rules - p) * sizeof *net->rule);
    net->rule[p] = fresh;
    net->rules++;
    net->handles |= (uint64_t)1 << fresh.handle;
    net->both = disturb_put(net->both, p, rule->both_ways);
    for (uint32_t k = 0; k < DS_NET_KINDS_MAX; k++)
        net->by_kind[k] =
            disturb_put(net->by_kind[k], p, rule->kinds == 0 || (rule->kinds >> k & 1) != 0);
    for (uint32_t i = 0; i < net->count; i++) {
        struct net_masks *m = &net->mask[i];
        m->rule_src = disturb_put(m->rule_src, p, disturb_member(rule->src, i));
        m->rule_dst = disturb_put(m->rule_dst, p, disturb_member(rule->dst, i));
    }
    ds_net_find_lookahead(net);
    *handle = fresh.handle;
    return DC_OK;
}

void ds_net_rule_end(struct ds_net *net, uint32_t handle)
{
    DC_CHECK(handle < DS_NET_RULES_MAX && (net->handles >> handle & 1) != 0);
    uint32_t p = 0;
    while (net->rule[p].handle != handle)
        p++;
    dc_mem_free(net->rule[p].sender);
    net->rules--;
    memmove(&net->rule[p], &net->rule[p + 1], (net->rules - p) * sizeof *net->rule);
    net->handles &= ~((uint64_t)1 << handle);
    net->both = disturb_take(net->both, p);
    for (uint32_t k = 0; k < DS_NET_KINDS_MAX; k++)
        net->by_kind[k] = disturb_take(net->by_kind[k], p);
    for (uint32_t i = 0; i < net->count; i++) {
        net->mask[i].rule_src = disturb_take(net->mask[i].rule_src, p);
        net->mask[i].rule_dst = disturb_take(net->mask[i].rule_dst, p);
    }
    ds_net_find_lookahead(net);
}

void ds_net_faults_free(struct ds_net *net)
{
    for (uint32_t p = 0; p < DS_NET_PARTITIONS_MAX; p++)
        disturb_partition_free(&net->partition[p]);
    for (uint32_t r = 0; r < net->rules; r++)
        dc_mem_free(net->rule[r].sender);
}

/* What they do to a message. */

static uint64_t disturb_rules(const struct ds_net *net, uint32_t src, uint32_t dst)
{
    const struct net_masks *s = &net->mask[src], *d = &net->mask[dst];
    return (s->rule_src & d->rule_dst) | (net->both & s->rule_dst & d->rule_src);
}

/* Latency, survival and bandwidth: all factors first, so that their order shows in roundings alone. */
static void disturb_path(const struct ds_net *net, uint64_t rules, struct net_disturbance *d)
{
    int64_t add_ns = 0;
    for (; rules != 0; rules &= rules - 1) {
        const struct ds_net_rule *r = &net->rule[__builtin_ctzll(rules)].spec;
        d->latency_ns = net_scale_q16(d->latency_ns, r->latency_factor_q16);
        add_ns += r->latency_add_ns;
        d->survive_q31 = dc_q31_mul(d->survive_q31, DC_ONE - r->loss_q31);
        uint64_t bandwidth = (uint64_t)d->bandwidth_q16 * r->bandwidth_factor_q16 >> 16;
        d->bandwidth_q16 = bandwidth == 0           ? 1
                           : bandwidth > UINT32_MAX ? UINT32_MAX
                                                    : (uint32_t)bandwidth;
    }
    d->latency_ns += add_ns;
}

/* -ln(u) * mean for u uniform in (0, 1], by integers: ln 2 in Q32 times the binary logarithm. */
static int64_t disturb_exponential(uint64_t draw, int64_t mean_ns)
{
    uint64_t bits_q16 = ((uint64_t)63 << 16) - dc_log2_q16((draw >> 1) + 1);
    unsigned __int128 ns = (unsigned __int128)(uint64_t)mean_ns * bits_q16 * 2977044472u >> 48;
    return ns == 0 ? 1 : (int64_t)ns;
}

/* Whether the sender's time is bad now. */
static bool disturb_burst(const struct ds_net *net, const struct net_rule *r, uint32_t src,
                          int64_t now_ns)
{
    const struct ds_net_rule *spec = &r->spec;
    struct net_sender *s = &r->sender[src];
    if (!s->begun) {
        uint64_t purpose = dc_name("burst") ^ dc_mix64(net->host[src].identity);
        s->stream = dc_stream(net->seed, spec->identity,
                              dc_mix64(purpose ^ dc_mix64((uint64_t)spec->burst_since_ns)));
        uint64_t length = (uint64_t)spec->burst_length_ns, every = (uint64_t)spec->burst_every_ns;
        s->begun = true;
        s->bad = dc_next_below(&s->stream, length + every) < length;
        s->until_ns = spec->burst_since_ns; /* the rest of a time is as long as a whole one */
        s->until_ns += disturb_exponential(dc_next64(&s->stream),
                                           s->bad ? spec->burst_length_ns : spec->burst_every_ns);
    }
    while (s->until_ns <= now_ns) {
        s->bad = !s->bad;
        s->until_ns += disturb_exponential(dc_next64(&s->stream),
                                           s->bad ? spec->burst_length_ns : spec->burst_every_ns);
    }
    return s->bad;
}

struct disturb_draw {
    uint32_t ctr[4], key[2];
};

static void disturb_block(const struct disturb_draw *d, uint32_t block, uint32_t out[4])
{
    uint32_t ctr[4] = {d->ctr[0], d->ctr[1] | block << 8, d->ctr[2], d->ctr[3]};
    dc_philox(ctr, d->key, out);
}

/* ns * u for u uniform in (0, 1]; at least 1. */
static int64_t disturb_part(int64_t ns, uint32_t draw)
{
    int64_t part = (int64_t)((unsigned __int128)(uint64_t)ns * ((uint64_t)draw + 1) >> 32);
    return part == 0 ? 1 : part;
}

static int64_t disturb_earlier(int64_t a_ns, int64_t b_ns)
{
    return a_ns == 0 || b_ns < a_ns ? b_ns : a_ns;
}

/* All that the rule draws. */
static void disturb_luck(const struct ds_net_rule *r, const struct disturb_draw *draw, bool bad,
                         struct net_disturbance *d)
{
    uint32_t which[4], much[4] = {0}, more[4] = {0};
    disturb_block(draw, 1, which);
    disturb_block(draw, 2, much);
    if (r->latency != NULL || r->corrupt_q31 != 0)
        disturb_block(draw, 3, more);
    if (bad && which[0] >> 1 < r->burst_loss_q31)
        d->lost = true;
    if (which[1] >> 1 < r->duplicate_q31)
        d->copy_ns = disturb_earlier(d->copy_ns, disturb_part(d->latency_ns, much[2]));
    if (which[2] >> 1 < r->reorder_q31)
        d->later_ns += disturb_part(r->reorder_by_ns, much[1]);
    if (which[3] >> 1 < r->corrupt_q31) {
        uint64_t seed = (uint64_t)more[3] << 32 | more[2] | 1;
        d->mangle = seed > d->mangle ? seed : d->mangle;
    }
    if (much[0] >> 1 < r->replay_q31)
        d->replay_ns = disturb_earlier(d->replay_ns, r->replay_after_ns);
    if (r->latency != NULL)
        d->later_ns += dc_dist_at(r->latency, (uint64_t)more[1] << 32 | more[0]);
}

static bool disturb_draws(const struct ds_net_rule *r)
{
    return r->latency != NULL || (r->burst_loss_q31 | r->duplicate_q31 | r->reorder_q31 |
                                  r->corrupt_q31 | r->replay_q31) != 0;
}

void ds_net_disturb(struct ds_net *net, uint32_t src, uint32_t dst, uint32_t kind, uint32_t ordinal,
                    int64_t now_ns, struct net_disturbance *out)
{
    const struct net_host *s = &net->host[src], *d = &net->host[dst];
    const struct ds_net_pair *pair = ds_topology_pair(net->topology, s->place, d->place);
    *out = (struct net_disturbance){.latency_ns = pair->latency_ns,
                                    .survive_q31 = pair->survive_q31,
                                    .bandwidth_q16 = DS_NET_Q16_ONE,
                                    .cut = disturb_cut(net, src, dst)};
    uint64_t rules = disturb_rules(net, src, dst) & net->by_kind[kind];
    disturb_path(net, rules, out);
    for (; rules != 0; rules &= rules - 1) {
        const struct net_rule *r = &net->rule[__builtin_ctzll(rules)];
        out->cut |= r->spec.cut && src != dst;
        if (r->spec.hold_until_ns > (out->clog != NULL ? out->clog->spec.hold_until_ns : 0))
            out->clog = r;
        if (!disturb_draws(&r->spec))
            continue;
        uint64_t key = dc_mix64(s->key ^ r->key);
        struct disturb_draw draw = {
            .ctr = {ordinal, kind, (uint32_t)d->identity, (uint32_t)(d->identity >> 32)},
            .key = {(uint32_t)key, (uint32_t)(key >> 32)}};
        bool bad = r->spec.burst_loss_q31 != 0 && disturb_burst(net, r, src, now_ns);
        disturb_luck(&r->spec, &draw, bad, out);
    }
}

int64_t ds_net_latency(const struct ds_net *net, uint32_t src, uint32_t dst)
{
    DC_CHECK(src < net->count && dst < net->count);
    const struct net_host *s = &net->host[src], *d = &net->host[dst];
    struct net_disturbance path = {
        .latency_ns = ds_topology_pair(net->topology, s->place, d->place)->latency_ns,
        .survive_q31 = DC_ONE,
        .bandwidth_q16 = DS_NET_Q16_ONE};
    uint64_t rules = disturb_rules(net, src, dst);
    for (uint64_t left = rules; left != 0; left &= left - 1)
        if (net->rule[__builtin_ctzll(left)].spec.kinds != 0)
            rules &= ~(left & -left);
    disturb_path(net, rules, &path);
    int64_t latency_ns =
        path.latency_ns > net->host_delay_ns ? path.latency_ns : net->host_delay_ns;
    return latency_ns + s->access_ns + d->access_ns;
}
