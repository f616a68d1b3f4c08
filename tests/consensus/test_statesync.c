/* Catching up over hand-overs: from genesis and from the middle, over links that lose and peers that
 * are gone; its codec and its answers under mutation; a validator on an older disk. */
#include <stdlib.h>
#include <string.h>

#include "models/base/mem.h"
#include "models/consensus/statesync.h"
#include "models/ledger/epochs.h"
#include "tests/consensus/net.h"
#include "tests/support/harness.h"

#define MS 1000000LL

/* What the ledger's store does at barriers: blocks under the boundary go. */
static void forget(struct net *net, uint64_t keep)
{
    uint64_t top = net->machine[0].final_height, blocks = net->params.epoch_blocks;
    if (top > keep)
        fake_store_forget(net->store, (top - keep) / blocks * blocks - 1);
}

static void run(struct net *net, int64_t for_ns, uint64_t keep)
{
    for (int64_t t = 0; t < for_ns; t += 100 * MS) {
        net_run(net, 100 * MS);
        forget(net, keep);
    }
}

static struct net_config config_of(uint32_t drop_ppm)
{
    return (struct net_config){.validators = 7,
                               .followers = 3,
                               .seed = 5,
                               .delay_ns = 10 * MS,
                               .delay_spread_ns = 10 * MS,
                               .drop_ppm = drop_ppm,
                               .block_interval_ns = 50 * MS,
                               .epoch_blocks = 6,
                               .rotate = true,
                               .suite = DC_SUITE_MODELLED};
}

/* Validator 6 and followers 8 and 9 come late; 8 was there for the first epochs. */
static void late(uint32_t drop_ppm, uint32_t epochs)
{
    struct net_config config = config_of(drop_ppm);
    struct net *net = net_create(&config);
    net->machine[6].up = net->machine[9].up = false;
    net_start(net);
    run(net, 1500 * MS, 8);
    net_crash(net, 8);
    while (net->machine[0].final_height < epochs * (uint64_t)config.epoch_blocks + 3)
        run(net, 500 * MS, 8);
    CU_ASSERT(net->machine[8].final_height < 40);
    struct dc_input in = {.kind = DC_INPUT_START};
    net->machine[6].up = net->machine[9].up = true;
    net_input(net, 6, &in);
    net_restart(net, 8);
    run(net, drop_ppm == 0 ? 3000 * MS : 9000 * MS, 8);
    for (uint32_t i = 0; i < net->machines; i++) {
        const struct net_machine *m = &net->machine[i];
        CU_ASSERT(m->final_height + 10 > net->machine[0].final_height);
        CU_ASSERT_EQUAL(m->synced != 0, i == 6 || i == 8 || i == 9);
        CU_ASSERT_PTR_NULL(net_chain(net, i)->sync);
        const struct dc_epoch *e = net_chain(net, i)->epochs;
        CU_ASSERT_EQUAL(e->epoch, net_chain(net, i)->final->header.epoch);
        uint64_t count = 0;
        for (; e != NULL; e = e->before) {
            CU_ASSERT_EQUAL(e->before == NULL, e->epoch == 1);
            count++;
        }
        CU_ASSERT_EQUAL(count, net_chain(net, i)->final->header.epoch); /* all of them, for ever */
    }
    /* The same chain of hand-overs is one object, however one came to it. */
    if (net_chain(net, 0)->epochs->epoch == net_chain(net, 9)->epochs->epoch)
        CU_ASSERT_PTR_EQUAL(net_chain(net, 0)->epochs, net_chain(net, 9)->epochs);
    uint32_t voted = 0;
    for (uint32_t i = 0; i < NET_SIGNED; i++)
        voted += !dc_hash_is_zero(&net->machine[6].signed_[i].vote);
    CU_ASSERT(voted > 5);
    CU_ASSERT_EQUAL(net->conflicts, 0);
    CU_ASSERT_EQUAL(net->double_signed, 0);
    if (drop_ppm == 0)
        CU_ASSERT_EQUAL(net->rejected, 0);
    net_free(net);
}

static void test_late(void)
{
    late(0, 6);
    late(0, 40); /* several batches of hand-overs */
    late(100000, 20);
}

/* Whoever was asked is gone: others are asked by turns. */
static void test_peer_gone(void)
{
    struct net_config config = config_of(0);
    struct net *net = net_create(&config);
    net->machine[9].up = false;
    net_start(net);
    while (net->machine[0].final_height < 60)
        run(net, 500 * MS, 8);
    net->machine[9].up = true;
    while (net_chain(net, 9)->sync == NULL || !net_chain(net, 9)->sync->state)
        net_run(net, 5 * MS);
    uint32_t peer = net_chain(net, 9)->sync->peer;
    net_crash(net, peer);
    run(net, 8000 * MS, 8);
    CU_ASSERT_EQUAL(net->machine[9].synced, 1);
    CU_ASSERT(net->machine[9].final_height + 10 > net->machine[peer == 0 ? 1 : 0].final_height);
    net_free(net);
}

/* --- answers under mutation --------------------------------------------------------------------- */

/* A copy of what the latest step sends, of one kind. */
static uint8_t *reply_of(struct net *net, uint32_t machine, const void *question, size_t size,
                         uint32_t kind, size_t *reply_size)
{
    struct net_machine *m = &net->machine[machine];
    struct dc_payload p = {
        .bytes = question, .size = (uint32_t)size, .kind = *(const uint8_t *)question};
    struct dc_input in = {
        .kind = DC_INPUT_MESSAGE, .from = 9, .payload = &p, .now_ns = net->now_ns};
    struct dc_effects out = {0};
    (void)dc_jolteon_message(&m->core, &m->env, &in, &out);
    uint8_t *copy = NULL;
    for (uint32_t i = 0; i < out.count; i++)
        if (out.list[i].bytes != NULL && out.list[i].bytes[0] == kind) {
            copy = dc_mem_need(out.list[i].size, 1, "test");
            memcpy(copy, out.list[i].bytes, out.list[i].size);
            *reply_size = out.list[i].size;
            CU_ASSERT_EQUAL(out.list[i].to, 9);
            CU_ASSERT_EQUAL(out.list[i].bulk, kind == DC_MSG_STATE_REPLY ? FAKE_STATE_BYTES : 0);
        }
    dc_effects_free(&out);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    return copy;
}

/* Hands bytes to a follower at genesis, of its own; what it knows after it. */
struct hand {
    uint64_t epoch, height;
    bool state, answered;
    uint32_t rejected;
};

static struct hand hand_over(struct net *net, const uint8_t *first, size_t first_size,
                             const uint8_t *second, size_t second_size)
{
    const struct dc_consensus_env *env = &net->machine[9].env;
    struct dc_follow f;
    struct dc_effects out = {0};
    dc_follow_init(&f, env);
    struct hand h = {0};
    for (uint32_t i = 0; i < 2; i++) {
        const uint8_t *bytes = i == 0 ? first : second;
        size_t size = i == 0 ? first_size : second_size;
        if (bytes == NULL || size == 0)
            continue;
        struct dc_payload p = {.bytes = bytes, .size = (uint32_t)size, .kind = bytes[0]};
        struct dc_input in = {.kind = DC_INPUT_MESSAGE, .from = 0, .payload = &p, .now_ns = 1};
        (void)dc_follow_message(&f, env, &in, &out);
        void *memo = atomic_load(&p.memo);
        if (memo != NULL)
            dc_consensus_memo_free(p.kind, memo);
        dc_effects_clear(&out);
    }
    h.epoch = f.sync != NULL ? f.sync->epoch : f.epoch;
    h.state = f.sync != NULL && f.sync->state;
    h.height = f.final->header.height;
    h.rejected = f.rejected;
    dc_follow_free(&f);
    dc_effects_free(&out);
    return h;
}

static void test_mutation(void)
{
    struct net_config config = config_of(0);
    config.suite = DC_SUITE_REAL;
    config.memo_off = true;
    struct net *net = net_create(&config);
    net_start(net);
    net_run(net, 4000 * MS);
    CU_ASSERT_FATAL(net_chain(net, 0)->epochs->epoch >= 3);
    uint8_t question[DC_STATE_REQUEST_BYTES];
    size_t epochs_size, state_size;
    dc_epoch_request_encode(0, question);
    uint8_t *epochs =
        reply_of(net, 0, question, DC_EPOCH_REQUEST_BYTES, DC_MSG_EPOCH_REPLY, &epochs_size);
    const struct dc_epoch *newest = net_chain(net, 0)->epochs;
    struct dc_state_request q = {newest->epoch, newest->handover->last};
    dc_state_request_encode(&q, question);
    uint8_t *state =
        reply_of(net, 0, question, DC_STATE_REQUEST_BYTES, DC_MSG_STATE_REPLY, &state_size);
    struct hand h = hand_over(net, epochs, epochs_size, state, state_size);
    CU_ASSERT_EQUAL(h.epoch, newest->epoch);
    CU_ASSERT_EQUAL(h.height, newest->handover->height);
    CU_ASSERT_EQUAL(h.rejected, 0);
    /* Every bit of one hand-over and its committee, and some of the others: nothing false is held. */
    struct dc_stream s = dc_stream(1, dc_name("statesync"), 0);
    uint32_t refused = 0;
    for (uint32_t i = 0; i < 1500; i++) {
        size_t at = 10 + (size_t)dc_next_below(&s, epochs_size - 10);
        uint8_t bit = (uint8_t)(1u << i % 8);
        epochs[at] ^= bit;
        h = hand_over(net, epochs, epochs_size, NULL, 0);
        CU_ASSERT(h.rejected == 1 && h.epoch < newest->epoch && h.height == 0);
        refused += h.rejected;
        epochs[at] ^= bit;
    }
    for (size_t size = 1; size < epochs_size; size += size < 200 ? 1 : 97) {
        h = hand_over(net, epochs, size, NULL, 0);
        CU_ASSERT(h.rejected == 1 && h.epoch == 0);
    }
    /* The state: parts and block are certified, its size is what the sender says. */
    for (size_t at = 0; at < state_size; at += at < 300 ? 1 : 7) {
        state[at] ^= (uint8_t)(1u << at % 8);
        h = hand_over(net, epochs, epochs_size, state, state_size);
        bool size_field = at >= 1 && at < 9;
        CU_ASSERT_EQUAL(h.height, size_field ? newest->handover->height : 0);
        state[at] ^= (uint8_t)(1u << at % 8);
        h = hand_over(net, epochs, epochs_size, state, at);
        CU_ASSERT_EQUAL(h.height, 0);
    }
    CU_ASSERT_EQUAL(refused, 1500);
    dc_mem_free(epochs);
    dc_mem_free(state);
    net_free(net);
}

static void test_codec(void)
{
    struct dc_stream s = dc_stream(2, dc_name("statesync"), 0);
    uint8_t bytes[512], again[512];
    uint64_t first;
    dc_epoch_request_encode(77, bytes);
    CU_ASSERT(dc_epoch_request_decode(bytes, DC_EPOCH_REQUEST_BYTES, &first) && first == 77);
    CU_ASSERT_FALSE(dc_epoch_request_decode(bytes, DC_EPOCH_REQUEST_BYTES - 1, &first));
    struct dc_state_request q = {.epoch = 5}, p;
    memset(q.last.b, 9, sizeof q.last.b);
    dc_state_request_encode(&q, bytes);
    CU_ASSERT(dc_state_request_decode(bytes, DC_STATE_REQUEST_BYTES, &p) && p.epoch == 5 &&
              dc_hash_equal(&p.last, &q.last));
    CU_ASSERT_FALSE(dc_state_request_decode(bytes, DC_STATE_REQUEST_BYTES - 1, &p));
    /* Random bytes of each kind: refused, or exactly what an encoder makes. */
    uint32_t taken = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        size_t size = 12 + (size_t)dc_next_below(&s, 60);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)(dc_next64(&s) >> 60 == 0 ? dc_next64(&s) : 0);
        bytes[0] = DC_MSG_EPOCH_REPLY;
        bytes[10] = (uint8_t)dc_next_below(&s, 4);
        bytes[11] = (uint8_t)dc_next_below(&s, 30);
        struct dc_epoch_reply r;
        if (!dc_epoch_reply_decode(bytes, size, &r))
            continue;
        taken++;
        CU_ASSERT_EQUAL_FATAL(dc_epoch_reply_size(&r), size);
        dc_epoch_reply_encode(&r, again);
        CU_ASSERT(memcmp(bytes, again, size) == 0);
    }
    CU_ASSERT(taken > 10);
}

int main(void)
{
    static const struct test_case cases[] = {{"codec", test_codec},
                                             {"late, near and far, with losses", test_late},
                                             {"whoever was asked is gone", test_peer_gone},
                                             {"answers under mutation", test_mutation}};
    return TEST_MAIN("consensus/statesync", cases);
}
