/* One message at a time: exact times, queues, luck that other messages leave alone, faults. */
#include "models/base/mem.h"
#include "tests/net/links.h"

#include <string.h>

static void test_latency(void)
{
    struct world w;
    world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, 4);
    CU_ASSERT_EQUAL(send(&w, 0, 2, 0, 100, 5 * MS), 6 * MS);
    CU_ASSERT_EQUAL(send(&w, 0, 1, 0, 1 << 20, 5 * MS), 15 * MS); /* no bandwidth: no limit */
    CU_ASSERT_EQUAL(send(&w, 1, 0, 0, 100, 5 * MS), 35 * MS);
    CU_ASSERT_EQUAL(ds_net_receive(w.net, &w.stats, 0, 0, 100, 35 * MS), 35 * MS);
    CU_ASSERT_EQUAL(ds_net_lookahead(w.net), 1 * MS);
    CU_ASSERT_EQUAL(ds_net_latency(w.net, 1, 0), 30 * MS);
    CU_ASSERT_EQUAL(w.stats.kind[0].messages, 3);
    CU_ASSERT_EQUAL(w.stats.kind[0].outcome[DS_NET_SENT], 3);
    CU_ASSERT_EQUAL(w.stats.kind[0].delay_ns.max, 30 * MS);
    world_close(&w);
    /* host_delay is a floor, not an addition. */
    world_open(&w, (struct ds_net_config){.seed = 1, .host_delay_ns = 3 * MS},
               (struct ds_net_host){0}, 4);
    CU_ASSERT_EQUAL(send(&w, 0, 2, 0, 100, 5 * MS), 8 * MS);
    CU_ASSERT_EQUAL(send(&w, 0, 1, 0, 100, 5 * MS), 15 * MS);
    CU_ASSERT_EQUAL(ds_net_lookahead(w.net), 3 * MS);
    world_close(&w);
}

/* A last mile is added at both ends, one way, whatever the path and the floor are; it changes no
 * draw, and nothing of the lookahead. */
static void test_access(void)
{
    struct dc_dist jitter;
    struct ds_net_config config = {.seed = 1, .loss_q31 = DC_ONE / 4};
    config.jitter = uniform_jitter(&jitter);
    struct world plain, far;
    world_open(&plain, config, (struct ds_net_host){0}, 4);
    world_open(&far, config, (struct ds_net_host){.access_ns = 7 * MS}, 4);
    int lost = 0;
    for (int i = 0; i < 400; i++) {
        int64_t a = send(&plain, 0, (uint32_t)i % 4, 0, 100, i),
                b = send(&far, 0, (uint32_t)i % 4, 0, 100, i);
        CU_ASSERT_EQUAL(b, a < 0 ? a : a + 14 * MS);
        lost += a < 0;
    }
    CU_ASSERT(lost > 50 && lost < 150);
    CU_ASSERT_EQUAL(ds_net_lookahead(plain.net), ds_net_lookahead(far.net));
    CU_ASSERT_EQUAL(ds_net_latency(far.net, 1, 0), 44 * MS);
    world_close(&plain);
    world_close(&far);
    struct dc_error error = {0};
    struct ds_net *net;
    struct ds_net_topology topology;
    CU_ASSERT_EQUAL_FATAL(
        ds_topology_from_matrix(matrix_names, matrix_rtt_ns, 2, &topology, &error), DC_OK);
    config.topology = &topology;
    config.host_delay_ns = 1;
    config.kinds = 1;
    struct ds_net_host host = {.access_ns = DS_NET_ACCESS_MAX_NS};
    CU_ASSERT_EQUAL(ds_net_create(&config, &host, 1, &net, &error), DC_OK);
    ds_net_free(net);
    for (int i = 0; i < 2; i++) {
        host.access_ns = i == 0 ? -1 : DS_NET_ACCESS_MAX_NS + 1;
        CU_ASSERT_EQUAL(ds_net_create(&config, &host, 1, &net, &error), DC_ERR_USAGE);
    }
    ds_topology_free(&topology);
}

static void test_wire_bytes(void)
{
    CU_ASSERT_EQUAL(ds_net_wire_bytes(0), 52);
    CU_ASSERT_EQUAL(ds_net_wire_bytes(1), 53);
    CU_ASSERT_EQUAL(ds_net_wire_bytes(1448), 1500);
    CU_ASSERT_EQUAL(ds_net_wire_bytes(1449), 1449 + 104);
}

/* Times on the uplink are ceil(bytes * 8 / rate), exactly, for any rate; messages queue. */
static void test_serialisation(void)
{
    struct dc_stream s = dc_stream(1, 2, 3);
    for (int i = 0; i < 2000; i++) {
        int64_t bps = 1 + (int64_t)(dc_next64(&s) >> (24 + dc_next_below(&s, 40)));
        bps = bps > DS_NET_BPS_MAX ? DS_NET_BPS_MAX : bps < 1000 ? 1000 : bps;
        uint32_t size = (uint32_t)(dc_next64(&s) >> (40 + dc_next_below(&s, 24)));
        struct world w;
        world_open(&w, (struct ds_net_config){.seed = 1},
                   (struct ds_net_host){.up_bps = bps, .down_bps = bps}, 2);
        __int128 bits = (__int128)ds_net_wire_bytes(size) * 8;
        int64_t each = (int64_t)((bits * 1000000000 + bps - 1) / bps);
        CU_ASSERT_EQUAL(send(&w, 0, 1, 0, size, 7), 7 + each + 10 * MS);
        CU_ASSERT_EQUAL(send(&w, 0, 1, 1, size, 7), 7 + 2 * each + 10 * MS);
        CU_ASSERT_EQUAL(send(&w, 0, 1, 1, size, 3 * each + 8), 4 * each + 8 + 10 * MS);
        CU_ASSERT_EQUAL(w.stats.kind[1].uplink_wait_ns, (uint64_t)each);
        world_close(&w);
    }
}

/* A slower downlink stretches a message once; messages from many senders queue in it. */
static void test_downlink(void)
{
    struct world w;
    world_open(&w, (struct ds_net_config){.seed = 1},
               (struct ds_net_host){.up_bps = 80000000, .down_bps = 8000000}, 6);
    const int64_t up = 1500 * 100, down = 1500 * 1000; /* of 1,448 bytes, ns */
    int64_t arrival = send(&w, 1, 0, 0, 1448, 0);
    CU_ASSERT_EQUAL(arrival, 30 * MS + down);
    CU_ASSERT_TRUE(up < down);
    CU_ASSERT_EQUAL(send(&w, 3, 0, 0, 1448, 0), arrival);
    CU_ASSERT_EQUAL(send(&w, 5, 0, 0, 1448, 0), arrival);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(ds_net_receive(w.net, &w.stats, 0, 0, 1448, arrival), arrival + i * down);
    CU_ASSERT_EQUAL(w.stats.kind[0].downlink_wait_ns, 3 * (uint64_t)down);
    CU_ASSERT_EQUAL(ds_net_receive(w.net, &w.stats, 0, 0, 1448, arrival + 10 * down),
                    arrival + 10 * down);
    ds_net_reset_queues(w.net, 0);
    CU_ASSERT_EQUAL(ds_net_receive(w.net, &w.stats, 0, 0, 1448, 5), 5);
    world_close(&w);
}

static void test_full_queues(void)
{
    struct world w;
    world_open(&w, (struct ds_net_config){.seed = 1, .queue_max_ns = 10 * MS},
               (struct ds_net_host){.up_bps = 8000000, .down_bps = 8000000}, 2);
    uint32_t sent = 0; /* 1.5 ms each: waits of 0, 1.5, ... 9 ms go in, 10.5 does not */
    while (send(&w, 0, 1, 0, 1448, 0) > 0)
        sent++;
    CU_ASSERT_EQUAL(sent, 7);
    CU_ASSERT_EQUAL(w.stats.kind[0].outcome[DS_NET_UPLINK_FULL], 1);
    CU_ASSERT_TRUE(send(&w, 0, 1, 0, 1448, 1 * MS) > 0);
    uint32_t taken = 0;
    while (ds_net_receive(w.net, &w.stats, 1, 2, 1448, 100 * MS) >= 0)
        taken++;
    CU_ASSERT_EQUAL(taken, 7);
    CU_ASSERT_EQUAL(w.stats.kind[2].outcome[DS_NET_DOWNLINK_FULL], 1);
    world_close(&w);
}

/* Jitter and loss of a kind are the same whatever else the source sends, when, and how often it is
 * asked; and other sources, destinations and seeds have their own. */
static void test_luck(void)
{
    struct dc_dist jitter;
    struct ds_net_config config = {
        .seed = 9, .jitter = uniform_jitter(&jitter), .loss_q31 = DC_ONE / 10};
    struct world a, b, c;
    world_open(&a, config, (struct ds_net_host){0}, 8);
    world_open(&b, config, (struct ds_net_host){0}, 6);
    config.seed = 10;
    world_open(&c, config, (struct ds_net_host){0}, 8);
    uint32_t other_seed = 0, other_dst = 0, same = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t x = send(&a, 0, 1, 2, 100, 0);
        for (int k = 0; k < i % 3; k++) {
            send(&b, 0, 1, 1, 5000, 0);
            send(&b, 0, 3, 3, 50, 0);
            send(&b, 3, 1, 2, 50, 0);
        }
        CU_ASSERT_EQUAL(send(&b, 0, 1, 2, 900, 0), x);
        other_seed += send(&c, 0, 1, 2, 100, 0) == x;
        int64_t y = send(&a, 2, 3, 2, 100, 0);
        other_dst += y == x;
        same += y > 0 && x > 0;
        CU_ASSERT_TRUE(x == -DS_NET_LOST || (x >= 9 * MS && x <= 11 * MS));
    }
    CU_ASSERT_TRUE(same > 700);
    CU_ASSERT_TRUE(other_seed < 30 && other_dst < 30); /* both lost: 1 % */
    CU_ASSERT_EQUAL(ds_net_lookahead(a.net), MS * jitter.min >> 20);
    world_close(&a);
    world_close(&b);
    world_close(&c);
}

static void test_many(void)
{
    struct dc_dist jitter;
    struct ds_net_config config = {
        .seed = 9, .jitter = uniform_jitter(&jitter), .loss_q31 = DC_ONE / 10};
    struct ds_net_host host = {.up_bps = 8000000, .down_bps = 3000000};
    struct world a, b;
    world_open(&a, config, host, 12);
    world_open(&b, config, host, 12);
    static const uint32_t dst[8] = {1, 2, 3, 5, 7, 8, 9, 11};
    for (int i = 0; i < 50; i++) {
        struct ds_delivery out[8];
        ds_net_send_many(a.net, &a.stats, 4, dst, 8, 1, 1000, i * MS, out);
        for (int j = 0; j < 8; j++) {
            struct ds_delivery one = ds_net_send(b.net, &b.stats, 4, dst[j], 1, 1000, i * MS);
            CU_ASSERT_EQUAL(out[j].arrival_ns, one.arrival_ns);
            CU_ASSERT_EQUAL(out[j].outcome, one.outcome);
        }
    }
    CU_ASSERT_EQUAL(memcmp(a.stats.kind, b.stats.kind, 4 * sizeof(*a.stats.kind)), 0);
    world_close(&a);
    world_close(&b);
}

static void test_partition(void)
{
    struct world w;
    struct dc_error error = {0};
    world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){0}, 6);
    uint32_t p, q, more;
    static const uint8_t halves[6] = {0, 0, 0, 1, 1, 1}, one[6] = {0, 5, 0, 0, 0, 0};
    CU_ASSERT_EQUAL(ds_net_partition_begin(w.net, halves, 2, NULL, &p, &error), DC_OK);
    CU_ASSERT_EQUAL(ds_net_partition_begin(w.net, one, 6, NULL, &q, &error), DC_OK);
    static const uint8_t apart_both[6] = {0, 1, 0, 2, 2, 2}, apart_one[6] = {0, 1, 0, 0, 0, 0};
    for (int stage = 0; stage < 3; stage++) {
        for (uint32_t i = 0; i < 6; i++)
            for (uint32_t j = 0; j < 6; j++) {
                bool cut = stage == 0   ? apart_both[i] != apart_both[j]
                           : stage == 1 ? apart_one[i] != apart_one[j]
                                        : false;
                CU_ASSERT_EQUAL(send(&w, i, j, 0, 1, 0) == -DS_NET_CUT, cut);
            }
        if (stage < 2)
            ds_net_partition_end(w.net, stage == 0 ? p : q);
    }
    for (int i = 0; i < DS_NET_PARTITIONS_MAX; i++)
        CU_ASSERT_EQUAL(ds_net_partition_begin(w.net, halves, 2, NULL, &more, &error), DC_OK);
    CU_ASSERT_EQUAL(ds_net_partition_begin(w.net, halves, 2, NULL, &more, &error), DC_ERR_LIMIT);
    world_close(&w);
}

static void test_rules(void)
{
    struct world w;
    struct dc_error error = {0};
    world_open(&w, (struct ds_net_config){.seed = 1}, (struct ds_net_host){.up_bps = 8000000}, 70);
    uint64_t src[2] = {1u << 0, 1u << (66 - 64)}, dst[2] = {1u << 1, 0}; /* {0, 66} -> {1} */
    struct ds_net_rule rule = {.src = src,
                               .dst = dst,
                               .latency_add_ns = 5 * MS,
                               .latency_factor_q16 = 2 * DS_NET_Q16_ONE,
                               .bandwidth_factor_q16 = DS_NET_Q16_ONE / 2};
    const int64_t wire = 1500 * 1000; /* of 1,448 bytes at 1 byte/us */
    uint32_t a, b;
    CU_ASSERT_EQUAL(ds_net_rule_begin(w.net, &rule, &a, &error), DC_OK);
    CU_ASSERT_EQUAL(send(&w, 0, 1, 0, 1448, 0), 2 * wire + 2 * 10 * MS + 5 * MS);
    CU_ASSERT_EQUAL(send(&w, 66, 1, 0, 1448, 0), 2 * wire + 25 * MS);
    CU_ASSERT_EQUAL(send(&w, 1, 0, 0, 1448, 0), wire + 30 * MS);
    CU_ASSERT_EQUAL(send(&w, 2, 1, 0, 1448, 0), wire + 10 * MS);
    CU_ASSERT_EQUAL(send(&w, 0, 3, 0, 1448, 0), 3 * wire + 10 * MS); /* behind the first */
    CU_ASSERT_EQUAL(ds_net_latency(w.net, 0, 1), 25 * MS);
    CU_ASSERT_EQUAL(ds_net_lookahead(w.net), 1 * MS);
    ds_net_rule_end(w.net, a);
    CU_ASSERT_EQUAL(ds_net_latency(w.net, 0, 1), 10 * MS);

    rule.both_ways = true;
    rule.src = NULL; /* everyone, to and from 1 */
    rule.latency_add_ns = 0;
    rule.latency_factor_q16 = DS_NET_Q16_ONE / 2;
    CU_ASSERT_EQUAL(ds_net_rule_begin(w.net, &rule, &a, &error), DC_OK);
    CU_ASSERT_EQUAL(ds_net_latency(w.net, 1, 0), 15 * MS);
    CU_ASSERT_EQUAL(ds_net_latency(w.net, 0, 1), 5 * MS);
    CU_ASSERT_EQUAL(ds_net_latency(w.net, 0, 3), 10 * MS);
    CU_ASSERT_EQUAL(ds_net_lookahead(w.net), MS / 2);
    rule.both_ways = false;
    rule.dst = NULL;
    rule.loss_q31 = DC_ONE;
    CU_ASSERT_EQUAL(ds_net_rule_begin(w.net, &rule, &b, &error), DC_OK);
    CU_ASSERT_EQUAL(ds_net_latency(w.net, 1, 0), 30 * MS / 4);
    CU_ASSERT_EQUAL(send(&w, 7, 9, 0, 1, 0), -DS_NET_LOST);
    ds_net_rule_end(w.net, b);
    CU_ASSERT_TRUE(send(&w, 7, 9, 0, 1, 0) > 0);
    ds_net_rule_end(w.net, a);
    CU_ASSERT_EQUAL(ds_net_lookahead(w.net), 1 * MS);

    rule.bandwidth_factor_q16 = 0;
    CU_ASSERT_EQUAL(ds_net_rule_begin(w.net, &rule, &b, &error), DC_ERR_USAGE);
    rule.bandwidth_factor_q16 = 1;
    for (int i = 0; i < DS_NET_RULES_MAX; i++)
        CU_ASSERT_EQUAL(ds_net_rule_begin(w.net, &rule, &b, &error), DC_OK);
    /* As slow as it gets: times stay in range however much is sent. */
    for (int i = 0; i < 300; i++)
        CU_ASSERT_EQUAL(send(&w, 3, 5, 0, DS_NET_SIZE_MAX, i), -DS_NET_LOST);
    memset(&error, 0, sizeof(error));
    CU_ASSERT_EQUAL(ds_net_rule_begin(w.net, &rule, &b, &error), DC_ERR_LIMIT);
    world_close(&w);
}

/* Without faults, beginning and ending one leaves every later time and draw as it was. */
static void test_faults_leave_no_trace(void)
{
    struct dc_dist jitter;
    struct ds_net_config config = {
        .seed = 4, .jitter = uniform_jitter(&jitter), .loss_q31 = DC_ONE / 10};
    struct world a, b;
    struct dc_error error = {0};
    world_open(&a, config, (struct ds_net_host){0}, 8);
    world_open(&b, config, (struct ds_net_host){0}, 8);
    static const uint8_t groups[8] = {1, 2};
    struct ds_net_rule rule = {.latency_add_ns = MS,
                               .latency_factor_q16 = 3 * DS_NET_Q16_ONE,
                               .bandwidth_factor_q16 = DS_NET_Q16_ONE,
                               .loss_q31 = DC_ONE / 2};
    for (uint32_t i = 0; i < 400; i++) {
        uint32_t p, r;
        bool faulty = i >= 100 && i < 200;
        if (i == 100) {
            CU_ASSERT_EQUAL(ds_net_partition_begin(b.net, groups, 3, NULL, &p, &error), DC_OK);
            CU_ASSERT_EQUAL(ds_net_rule_begin(b.net, &rule, &r, &error), DC_OK);
        }
        if (i == 200) {
            ds_net_partition_end(b.net, p);
            ds_net_rule_end(b.net, r);
        }
        int64_t x = send(&a, i % 8, (i * 3 + 1) % 8, 0, 10, i);
        int64_t y = send(&b, i % 8, (i * 3 + 1) % 8, 0, 10, i);
        CU_ASSERT_TRUE(faulty || x == y);
        if (faulty) /* what is lost anyway is lost under the fault too: the same draw */
            CU_ASSERT_TRUE(x != -DS_NET_LOST || y < 0);
    }
    world_close(&a);
    world_close(&b);
}

static void test_refusals(void)
{
    struct ds_net_topology t;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_topology_uniform(MS, &t, &error), DC_OK);
    static const struct ds_net_host hosts[] = {{.place = 1},
                                               {.loss_up_q31 = DC_ONE + 1},
                                               {.up_bps = -1},
                                               {.down_bps = DS_NET_BPS_MAX + 1}};
    struct ds_net *net;
    struct ds_net_config config = {.topology = &t, .host_delay_ns = 1, .kinds = 1};
    for (int i = 0; i < 4; i++) {
        memset(&error, 0, sizeof(error));
        CU_ASSERT_EQUAL(ds_net_create(&config, &hosts[i], 1, &net, &error), DC_ERR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "node 0"));
        CU_ASSERT_PTR_NULL(net);
    }
    config.host_delay_ns = 0;
    CU_ASSERT_EQUAL(ds_net_create(&config, hosts, 0, &net, &error), DC_ERR_USAGE);
    config.host_delay_ns = 1;
    config.kinds = DS_NET_KINDS_MAX + 1;
    CU_ASSERT_EQUAL(ds_net_create(&config, hosts, 0, &net, &error), DC_ERR_USAGE);
    config.kinds = 1;
    struct ds_net_host good = {0};
    enum dc_status status = DC_ERR_IO;
    uint64_t budget = 0;
    for (; status != DC_OK && budget < 20; budget++) {
        dc_mem_budget(budget);
        memset(&error, 0, sizeof(error));
        status = ds_net_create(&config, &good, 1, &net, &error);
        CU_ASSERT_TRUE(status == DC_OK || (status == DC_ERR_IO && error.text[0] != '\0'));
        ds_net_free(net);
    }
    dc_mem_budget(UINT64_MAX);
    CU_ASSERT_EQUAL(budget, 6);
    ds_topology_free(&t);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"latency and its floor", test_latency},
        {"last miles", test_access},
        {"bytes on the wire", test_wire_bytes},
        {"uplink: exact serialisation", test_serialisation},
        {"downlink", test_downlink},
        {"full queues", test_full_queues},
        {"luck is keyed", test_luck},
        {"many destinations as one by one", test_many},
        {"partitions", test_partition},
        {"rules", test_rules},
        {"faults leave no trace", test_faults_leave_no_trace},
        {"refusals and memory", test_refusals},
    };
    return TEST_MAIN("link", cases);
}
