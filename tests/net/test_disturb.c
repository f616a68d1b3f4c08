/* Rules of links: they filter, hold, copy and corrupt, each against a naive model; none of them moves
 * another's draws, and none brings a message sooner than the lookahead says. */
#include "models/base/mem.h"
#include "tests/net/links.h"

#include <string.h>

#define NODES 12

static uint32_t begin(struct world *w, const struct ds_net_rule *rule)
{
    struct dc_error error = {0};
    uint32_t handle = UINT32_MAX;
    CU_ASSERT_EQUAL_FATAL(ds_net_rule_begin(w->net, rule, &handle, &error), DC_OK);
    return handle;
}

/* A rule that changes nothing. */
static struct ds_net_rule plain(uint64_t identity)
{
    return (struct ds_net_rule){.latency_factor_q16 = DS_NET_Q16_ONE,
                                .bandwidth_factor_q16 = DS_NET_Q16_ONE,
                                .identity = identity};
}

/* Rules. */

static void test_kinds(void)
{
    struct world w;
    world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, NODES);
    uint64_t src = 1u << 4, dst = 1u << 6;
    struct ds_net_rule rule = plain(1);
    rule.src = &src;
    rule.dst = &dst;
    rule.kinds = 1u << 1 | 1u << 3;
    rule.cut = true;
    uint32_t handle = begin(&w, &rule);
    for (uint32_t k = 0; k < 4; k++) {
        CU_ASSERT_EQUAL(send(&w, 4, 6, k, 1, 0) == -DS_NET_CUT, k == 1 || k == 3);
        CU_ASSERT_TRUE(send(&w, 6, 4, k, 1, 0) > 0);
        CU_ASSERT_TRUE(send(&w, 4, 8, k, 1, 0) > 0);
    }
    CU_ASSERT_EQUAL(w.stats.kind[3].outcome[DS_NET_CUT], 1);
    ds_net_rule_end(w.net, handle);
    rule.cut = false;
    rule.both_ways = true;
    rule.latency_add_ns = 2 * MS;
    handle = begin(&w, &rule);
    for (uint32_t k = 0; k < 4; k++) {
        CU_ASSERT_EQUAL(send(&w, 4, 6, k, 1, 0), k % 2 == 1 ? 3 * MS : MS);
        CU_ASSERT_EQUAL(send(&w, 6, 4, k, 1, 0), k % 2 == 1 ? 3 * MS : MS);
    }
    CU_ASSERT_EQUAL(ds_net_latency(w.net, 4, 6), MS); /* not of all kinds */
    ds_net_rule_end(w.net, handle);
    /* A cut of everything spares what nodes send to themselves. */
    struct ds_net_rule before = plain(1), after = plain(3);
    rule = plain(2);
    rule.cut = true;
    handle = begin(&w, &rule);
    begin(&w, &before);
    begin(&w, &after);
    for (uint32_t i = 0; i < NODES; i++)
        CU_ASSERT_EQUAL(send(&w, i, 3, 0, 1, 0) == -DS_NET_CUT, i != 3);
    ds_net_rule_end(w.net, handle);
    CU_ASSERT_TRUE(send(&w, 0, 3, 0, 1, 0) > 0);
    world_close(&w);
}

static void test_hold(void)
{
    struct world w;
    world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){.up_bps = 8000000}, 4);
    const int64_t wire = 1500 * 1000; /* of 1,448 bytes at 1 byte/us */
    struct ds_net_rule rule = plain(7);
    uint64_t src = 1;
    rule.src = &src;
    rule.hold_until_ns = 100 * MS;
    uint32_t handle = begin(&w, &rule);
    for (int i = 0; i < 20; i++) /* one after the other through the uplink, then waiting */
        CU_ASSERT_EQUAL(send(&w, 0, 2, 1, 1448, i), 100 * MS + i + MS);
    CU_ASSERT_EQUAL(send(&w, 0, 1, 0, 1448, 20), 100 * MS + 20 + 10 * MS);  /* one order for all */
    CU_ASSERT_EQUAL(send(&w, 2, 0, 1, 1448, 0), wire + MS);                 /* not from there */
    CU_ASSERT_EQUAL(send(&w, 0, 2, 1, 1448, 99 * MS), 99 * MS + wire + MS); /* leaves later */
    CU_ASSERT_EQUAL(send(&w, 0, 2, 1, 1448, 200 * MS), 200 * MS + wire + MS);
    CU_ASSERT_EQUAL(w.stats.kind[1].held, 20);
    CU_ASSERT_EQUAL(w.stats.kind[0].held, 1);
    struct ds_net_rule longer = plain(6);
    longer.hold_until_ns = 500 * MS;
    uint32_t other = begin(&w, &longer);
    CU_ASSERT_EQUAL(send(&w, 0, 2, 1, 1448, 250 * MS), 500 * MS + MS);
    ds_net_rule_end(w.net, other);
    CU_ASSERT_EQUAL(send(&w, 0, 2, 1, 1448, 260 * MS), 260 * MS + wire + MS);
    ds_net_rule_end(w.net, handle);
    world_close(&w);
}

/* Bits of a rule's sets, its kinds and its place among the others survive any coming and going. */
static void test_rules_come_and_go(void)
{
    enum { RULES = 24 };
    struct world w;
    struct dc_stream s = dc_stream(3, 2, 3);
    struct {
        bool on;
        struct ds_net_rule rule;
        uint64_t src, dst;
        uint32_t handle;
    } live[RULES] = {{.on = false}};
    world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, NODES);
    for (int step = 0; step < 300; step++) {
        uint32_t r = (uint32_t)dc_next_below(&s, RULES);
        if (live[r].on) {
            ds_net_rule_end(w.net, live[r].handle);
        } else {
            live[r].rule = plain(dc_mix64(r));
            live[r].src = dc_next64(&s);
            live[r].dst = dc_next64(&s);
            live[r].rule.src = dc_next_below(&s, 4) == 0 ? NULL : &live[r].src;
            live[r].rule.dst = dc_next_below(&s, 4) == 0 ? NULL : &live[r].dst;
            live[r].rule.both_ways = dc_next_below(&s, 2) == 0;
            live[r].rule.kinds = dc_next_below(&s, 16);
            live[r].rule.latency_add_ns = (int64_t)1 << r;
            live[r].handle = begin(&w, &live[r].rule);
        }
        live[r].on = !live[r].on;
        for (uint32_t i = 0; i < NODES; i++)
            for (uint32_t j = 0; j < NODES; j++) {
                uint32_t k = (uint32_t)dc_next_below(&s, 4);
                int64_t want = ds_net_latency(w.net, i, j), bare = matrix_rtt_ns[i % 2 * 2 + j % 2];
                int64_t all = bare / 2, some = bare / 2;
                for (int q = 0; q < RULES; q++) {
                    const struct ds_net_rule *u = &live[q].rule;
                    bool there = (u->src == NULL || (live[q].src >> i & 1)) &&
                                 (u->dst == NULL || (live[q].dst >> j & 1));
                    bool back = u->both_ways && (u->src == NULL || (live[q].src >> j & 1)) &&
                                (u->dst == NULL || (live[q].dst >> i & 1));
                    if (!live[q].on || (!there && !back))
                        continue;
                    all += u->kinds == 0 ? u->latency_add_ns : 0;
                    some += u->kinds == 0 || (u->kinds >> k & 1) ? u->latency_add_ns : 0;
                }
                CU_ASSERT_EQUAL(want, all);
                CU_ASSERT_EQUAL(send(&w, i, j, k, 1, 0), some);
            }
    }
    world_close(&w);
}

/* Where rounding shows in which order rules apply: by identity, whichever came first, and whatever
 * else came and went; all factors before what they add. */
static void test_order(void)
{
    for (int order = 0; order < 4; order++) {
        struct world w;
        struct ds_net_rule down = plain(10), up = plain(20), other = plain(15);
        uint32_t gone;
        down.latency_factor_q16 = 3;
        down.latency_add_ns = 1;
        up.latency_factor_q16 = 1000 * DS_NET_Q16_ONE;
        up.latency_add_ns = 10;
        world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, NODES);
        gone = order >= 2 ? begin(&w, &other) : 0;
        begin(&w, order % 2 == 0 ? &down : &up);
        if (order >= 2)
            ds_net_rule_end(w.net, gone);
        begin(&w, order % 2 == 0 ? &up : &down);
        /* 10 ms * 3 / 65536 = 457.7: 457 us and not 457,763 ns. */
        CU_ASSERT_EQUAL(ds_net_latency(w.net, 0, 1), 457000 + 11);
        CU_ASSERT_EQUAL(send(&w, 0, 1, 0, 1, 0), 457000 + 11);
        world_close(&w);
    }
}

/* Draws. */

static struct dc_dist added;

/* Everything that draws, in shares that leave something of each. */
static struct ds_net_rule busy(uint64_t identity)
{
    struct ds_net_rule r = plain(identity);
    r.burst_loss_q31 = DC_ONE / 2;
    r.burst_length_ns = 3 * MS;
    r.burst_every_ns = 9 * MS;
    r.duplicate_q31 = r.reorder_q31 = r.corrupt_q31 = r.replay_q31 = DC_ONE / 4;
    r.reorder_by_ns = 5 * MS;
    r.replay_after_ns = 70 * MS;
    r.latency = &added;
    return r;
}

enum { MESSAGES = 3000 };

/* What becomes of a fixed list of messages under some rules, begun in the order given. */
static void luck_of(const struct ds_net_rule *const *rules, uint32_t count, struct ds_delivery *out)
{
    struct dc_dist jitter;
    struct ds_net_config config = {
        .seed = 4, .jitter = uniform_jitter(&jitter), .loss_q31 = DC_ONE / 10};
    struct world w;
    uint32_t handle[4];
    world_open(&w, config, (struct ds_net_host){0}, NODES);
    for (uint32_t r = 0; r < count; r++)
        handle[r] = begin(&w, rules[r]);
    for (uint32_t i = 0; i < MESSAGES; i++)
        out[i] = ds_net_send(w.net, &w.stats, i % 3, (i * 5 + 1) % NODES, i % 4, 10,
                             (int64_t)i * MS / 20);
    for (uint32_t r = 0; r < count; r++)
        ds_net_rule_end(w.net, handle[r]);
    CU_ASSERT_EQUAL(ds_net_lookahead(w.net), MS * jitter.min >> 20);
    world_close(&w);
}

static bool same(const struct ds_delivery *a, const struct ds_delivery *b)
{
    return a->outcome == b->outcome && a->arrival_ns == b->arrival_ns && a->copy_ns == b->copy_ns &&
           a->replay_ns == b->replay_ns && a->mangle == b->mangle;
}

/* Two rules with every draw there is: each does to a message what it does alone. */
static void test_draws_apart(void)
{
    static struct ds_delivery none[MESSAGES], one[MESSAGES], two[MESSAGES], both[MESSAGES],
        again[MESSAGES];
    uniform_jitter(&added);
    struct ds_net_rule a = busy(dc_name("a")), b = busy(dc_name("b")), c = plain(dc_name("c"));
    luck_of(NULL, 0, none);
    luck_of((const struct ds_net_rule *[]){&a}, 1, one);
    luck_of((const struct ds_net_rule *[]){&b}, 1, two);
    luck_of((const struct ds_net_rule *[]){&a, &b}, 2, both);
    luck_of((const struct ds_net_rule *[]){&c, &b, &a}, 3, again);
    uint32_t sent = 0, differ = 0;
    for (uint32_t i = 0; i < MESSAGES; i++) {
        bool lost = none[i].outcome == DS_NET_LOST;
        CU_ASSERT_TRUE(same(&both[i], &again[i]));
        CU_ASSERT_TRUE(!lost || (one[i].outcome == DS_NET_LOST && two[i].outcome == DS_NET_LOST));
        bool survives = one[i].outcome == DS_NET_SENT && two[i].outcome == DS_NET_SENT;
        CU_ASSERT_EQUAL(both[i].outcome == DS_NET_SENT, survives);
        differ += one[i].outcome != two[i].outcome;
        if (!survives)
            continue;
        sent++;
        CU_ASSERT_EQUAL(both[i].arrival_ns - none[i].arrival_ns,
                        one[i].arrival_ns + two[i].arrival_ns - 2 * none[i].arrival_ns);
        CU_ASSERT_EQUAL(both[i].mangle,
                        one[i].mangle > two[i].mangle ? one[i].mangle : two[i].mangle);
        CU_ASSERT_TRUE(one[i].mangle == 0 || one[i].mangle != two[i].mangle);
        CU_ASSERT_EQUAL(both[i].replay_ns != 0, one[i].replay_ns != 0 || two[i].replay_ns != 0);
        int64_t x = one[i].copy_ns - one[i].arrival_ns, y = two[i].copy_ns - two[i].arrival_ns;
        int64_t z = one[i].copy_ns == 0 ? y : two[i].copy_ns == 0 ? x : x < y ? x : y;
        CU_ASSERT_EQUAL(both[i].copy_ns,
                        one[i].copy_ns == 0 && two[i].copy_ns == 0 ? 0 : both[i].arrival_ns + z);
    }
    CU_ASSERT_TRUE(sent > MESSAGES / 2 && sent < MESSAGES && differ > MESSAGES / 20);
}

/* Each thing that a rule does draws for itself: without the others it does the same. */
static void test_draws_of_one(void)
{
    static struct ds_delivery all[MESSAGES], some[MESSAGES], none[MESSAGES];
    struct ds_net_rule a = busy(dc_name("a")), m = a, d = a;
    uniform_jitter(&added);
    m.duplicate_q31 = m.reorder_q31 = m.replay_q31 = m.burst_loss_q31 = 0;
    m.latency = NULL;
    d.corrupt_q31 = d.reorder_q31 = d.replay_q31 = d.burst_loss_q31 = 0;
    d.latency = NULL;
    luck_of(NULL, 0, none);
    luck_of((const struct ds_net_rule *[]){&a}, 1, all);
    luck_of((const struct ds_net_rule *[]){&m}, 1, some);
    for (uint32_t i = 0; i < MESSAGES; i++)
        CU_ASSERT_TRUE(all[i].outcome != DS_NET_SENT || (all[i].mangle == some[i].mangle &&
                                                         some[i].arrival_ns == none[i].arrival_ns));
    luck_of((const struct ds_net_rule *[]){&d}, 1, some);
    for (uint32_t i = 0; i < MESSAGES; i++)
        CU_ASSERT_TRUE(all[i].outcome != DS_NET_SENT ||
                       (all[i].copy_ns == 0) == (some[i].copy_ns == 0));
}

/* Bursts are times, which do not depend on what is sent in them, nor on when the rule was begun. */
static void test_bursts_are_times(void)
{
    struct world a, b;
    struct ds_net_rule rule = plain(5);
    rule.burst_loss_q31 = DC_ONE;
    rule.burst_length_ns = 4 * MS;
    rule.burst_every_ns = 6 * MS;
    world_open(&a, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, NODES);
    world_open(&b, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, NODES);
    begin(&a, &rule);
    uint32_t lost = 0, other = 0;
    for (int i = 0; i < 6000; i++) {
        int64_t now = i * MS / 4;
        bool bad = send(&a, 1, 2, 0, 1, now) == -DS_NET_LOST;
        other += bad != (send(&a, 3, 2, 0, 1, now) == -DS_NET_LOST);
        lost += bad;
        if (i == 1000)
            begin(&b, &rule);
        if (i >= 1000 && i % 7 == 0)
            CU_ASSERT_EQUAL(send(&b, 1, 4, 3, 999, now) == -DS_NET_LOST, bad);
    }
    CU_ASSERT_TRUE(lost > 1800 && lost < 3000 && other > 2000); /* each sender has its own */
    world_close(&a);
    world_close(&b);
}

/* Bounds and books. */

static struct ds_net_rule any_rule(struct dc_stream *s, uint64_t identity, const uint64_t *src,
                                   const uint64_t *dst)
{
    struct ds_net_rule r = busy(identity);
    r.src = dc_next_below(s, 3) == 0 ? NULL : src;
    r.dst = dc_next_below(s, 3) == 0 ? NULL : dst;
    r.both_ways = dc_next_below(s, 2) == 0;
    r.latency_add_ns = dc_next_below(s, 2) == 0 ? 0 : (int64_t)dc_next_below(s, 3 * MS);
    r.latency_factor_q16 = (uint32_t)dc_next_below(s, 2 * DS_NET_Q16_ONE);
    r.loss_q31 = (uint32_t)dc_next_below(s, DC_ONE / 4);
    r.bandwidth_factor_q16 = 1 + (uint32_t)dc_next_below(s, 2 * DS_NET_Q16_ONE);
    r.hold_until_ns = dc_next_below(s, 3) == 0 ? (int64_t)dc_next_below(s, 100 * MS) : 0;
    r.cut = dc_next_below(s, 12) == 0;
    r.kinds = dc_next_below(s, 16);
    if (dc_next_below(s, 3) != 0)
        r.latency = NULL;
    return r;
}

/* No arrival, copy or replay comes sooner than the lookahead says, whatever is in force; and
 * everything that was handed over is accounted for. */
static void test_lookahead(void)
{
    struct dc_stream s = dc_stream(6, 2, 3);
    struct dc_dist jitter;
    uniform_jitter(&added);
    for (int round = 0; round < 300; round++) {
        struct ds_net_config config = {.seed = (uint64_t)round,
                                       .jitter = round % 2 == 0 ? NULL : uniform_jitter(&jitter),
                                       .host_delay_ns = 1 + (int64_t)dc_next_below(&s, MS / 2),
                                       .queue_max_ns = 50 * MS};
        struct world w;
        uint64_t src = dc_next64(&s), dst = dc_next64(&s);
        uint32_t rules = 1 + (uint32_t)dc_next_below(&s, 6);
        world_open(&w, config, (struct ds_net_host){.up_bps = round % 3 * 100000000}, NODES);
        for (uint32_t r = 0; r < rules; r++) {
            struct ds_net_rule rule = any_rule(&s, dc_next64(&s), &src, &dst);
            begin(&w, &rule);
        }
        const int64_t ahead = ds_net_lookahead(w.net);
        uint64_t copies[3] = {0}, messages = 0, outcomes = 0;
        CU_ASSERT_TRUE(ahead >= config.host_delay_ns);
        for (int i = 0; i < 500; i++) {
            int64_t now = i * MS / 5;
            struct ds_delivery d =
                ds_net_send(w.net, &w.stats, (uint32_t)dc_next_below(&s, NODES),
                            (uint32_t)dc_next_below(&s, NODES), (uint32_t)i % 4, 100, now);
            CU_ASSERT_TRUE(d.outcome != DS_NET_SENT || d.arrival_ns >= now + ahead);
            CU_ASSERT_TRUE(d.copy_ns == 0 || d.copy_ns > d.arrival_ns);
            CU_ASSERT_TRUE(d.replay_ns == 0 || d.replay_ns == d.arrival_ns + 70 * MS);
            if (d.outcome != DS_NET_SENT)
                CU_ASSERT_TRUE(d.copy_ns == 0 && d.replay_ns == 0 && d.mangle == 0);
            copies[0] += d.copy_ns != 0;
            copies[1] += d.replay_ns != 0;
            copies[2] += d.mangle != 0;
        }
        struct dc_error error = {0};
        struct ds_net_stats twice;
        CU_ASSERT_EQUAL_FATAL(ds_net_stats_init(&twice, w.stats.kinds, &error), DC_OK);
        ds_net_stats_merge(&twice, &w.stats);
        ds_net_stats_merge(&twice, &w.stats);
        for (uint32_t k = 0; k < w.stats.kinds; k++) {
            const struct ds_net_kind_stats *a = &w.stats.kind[k], *b = &twice.kind[k];
            copies[0] -= a->duplicated;
            copies[1] -= a->replayed;
            copies[2] -= a->corrupted;
            messages += a->messages;
            for (int o = 0; o < DS_NET_OUTCOMES; o++)
                outcomes += a->outcome[o];
            CU_ASSERT_TRUE(a->held <= a->messages);
            CU_ASSERT_TRUE(2 * a->duplicated == b->duplicated && 2 * a->replayed == b->replayed &&
                           2 * a->corrupted == b->corrupted && 2 * a->held == b->held);
        }
        CU_ASSERT_TRUE(messages == 500 && outcomes == 500);
        CU_ASSERT_TRUE(copies[0] == 0 && copies[1] == 0 && copies[2] == 0);
        ds_net_stats_free(&twice);
        world_close(&w);
    }
}

static void test_refusals(void)
{
    struct world w;
    struct dc_error error = {0};
    uint32_t handle;
    static const uint8_t group[NODES] = {2};
    struct dc_dist below = {.min = -1}, above = {.max = DS_TOPOLOGY_LATENCY_MAX_NS + 1};
    world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, NODES);
    static const uint32_t groups[3] = {0, 2, DS_NET_GROUPS_MAX + 1};
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(ds_net_partition_begin(w.net, group, groups[i], NULL, &handle, &error),
                        DC_ERR_USAGE);
    struct ds_net_rule bad[13];
    for (int i = 0; i < 13; i++)
        bad[i] = busy(1);
    bad[0].latency_add_ns = -1;
    bad[1].burst_loss_q31 = DC_ONE + 1;
    bad[2].burst_length_ns = DS_NET_BURST_MIN_NS - 1;
    bad[3].burst_every_ns = 0;
    bad[4].duplicate_q31 = DC_ONE + 1;
    bad[5].reorder_q31 = DC_ONE + 1;
    bad[6].corrupt_q31 = DC_ONE + 1;
    bad[7].replay_q31 = DC_ONE + 1;
    bad[8].reorder_by_ns = 0;
    bad[9].replay_after_ns = 0;
    bad[10].hold_until_ns = -1;
    bad[11].latency = &below;
    bad[12].latency = &above;
    for (int i = 0; i < 13; i++) {
        memset(&error, 0, sizeof error);
        CU_ASSERT_EQUAL(ds_net_rule_begin(w.net, &bad[i], &handle, &error), DC_ERR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "faults: "));
    }
    /* Memory: refused, and nothing is in force. */
    struct ds_net_rule good = busy(1);
    for (int i = 0; i < 2; i++) {
        dc_mem_budget((uint64_t)i);
        CU_ASSERT_EQUAL(ds_net_partition_begin(w.net, group, 3, NULL, &handle, &error), DC_ERR_IO);
    }
    dc_mem_budget(0);
    CU_ASSERT_EQUAL(ds_net_rule_begin(w.net, &good, &handle, &error), DC_ERR_IO);
    dc_mem_budget(UINT64_MAX);
    CU_ASSERT_EQUAL(send(&w, 0, 2, 0, 1, 0), MS);
    world_close(&w);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"kinds and cuts", test_kinds},
        {"hold and release", test_hold},
        {"rules come and go", test_rules_come_and_go},
        {"the order of rules", test_order},
        {"two rules draw apart", test_draws_apart},
        {"one rule's draws", test_draws_of_one},
        {"bursts are times", test_bursts_are_times},
        {"lookahead and books", test_lookahead},
        {"refusals and memory", test_refusals},
    };
    return TEST_MAIN("disturb", cases);
}
