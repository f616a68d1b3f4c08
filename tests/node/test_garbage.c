/* Whatever bytes arrive, as whatever kind of message, from whomever: a node refuses them and
 * goes on. Random bytes and real messages with flipped bits, cut and lengthened, given to a
 * validator, a storage node and a client of a town at work. */
#include "tests/node/town.h"

static struct town *working_town(void)
{
    struct town_spec spec = {
        .validators = 4, .services = 3, .clients = 2, .deal_bytes = 1 << 20, .retries = 1};
    struct town *t = town_make(&spec);
    for (uint32_t i = 0; i < 60; i++)
        town_call(t, town_client(t, i % 2), 500000000 + i * INT64_C(400000000),
                  (struct dc_call){.kind = i % 5 == 0 ? DC_CALL_PUT : DC_CALL_GET,
                                   .object = i,
                                   .size_bytes = 50000});
    town_run(t, 36 * INT64_C(1000000000));
    return t;
}

/* The effects of nonsense are small: nothing final, no certificate made of it. */
static void check_calm(struct town *t, const uint64_t *height)
{
    for (uint32_t n = 0; n < t->nodes; n++)
        CU_ASSERT_EQUAL(t->height[n], height[n]);
    CU_ASSERT_EQUAL(t->conflicts, 0);
}

static void test_random(void)
{
    struct town *t = working_town();
    struct dc_stream s = dc_stream(1, dc_name("garbage"), 0);
    uint64_t height[TOWN_NODES], before = 0, after = 0;
    memcpy(height, t->height, sizeof height);
    for (uint32_t n = 0; n < t->nodes; n++)
        before += t->refused[n];
    uint32_t handed = 0;
    uint8_t bytes[2048];
    for (uint32_t kind = 0; kind < 256; kind++) {
        uint32_t rounds = kind < DC_MSG_COUNT + 2 ? 60 : 2;
        for (uint32_t i = 0; i < rounds; i++) {
            uint64_t r = dc_next64(&s);
            size_t size = 1 + (r & 1 ? (r >> 8) % 300 : (r >> 8) % sizeof bytes);
            for (size_t b = 0; b < size; b++)
                bytes[b] = r & 2 ? (uint8_t)dc_next64(&s) : (uint8_t)(r >> 16);
            bytes[0] = (uint8_t)kind;
            town_hand(t, (uint32_t)((r >> 32) % t->nodes), (uint32_t)((r >> 40) % 12), bytes, size);
            handed++;
        }
    }
    for (uint32_t n = 0; n < t->nodes; n++)
        after += t->refused[n];
    CU_ASSERT_TRUE(after > before + 100); /* counted */
    check_calm(t, height);
    CU_ASSERT_TRUE(handed > 1000);
    /* And the chain goes on. */
    town_run(t, t->now_ns + 10 * INT64_C(1000000000));
    for (uint32_t n = 0; n < t->nodes; n++)
        CU_ASSERT_TRUE(t->height[n] > height[n] + 6);
    town_free(t);
}

/* Every kind of message was sent in that town, so that every handler meets mutations of real
 * ones. */
static void test_kinds(void)
{
    struct town *t = working_town();
    static const uint8_t wanted[] = {DC_MSG_PROPOSAL,  DC_MSG_VOTE,      DC_MSG_HANDOVER,
                                     DC_MSG_TX,        DC_MSG_CHALLENGE, DC_MSG_ANSWER,
                                     DC_MSG_PUT,       DC_MSG_PUT_REPLY, DC_MSG_GET,
                                     DC_MSG_GET_REPLY, DC_MSG_RECEIPT,   DC_MSG_RECEIPT_REPLY};
    for (size_t i = 0; i < sizeof wanted; i++) {
        if (t->sent[wanted[i]] == 0)
            fprintf(stderr, "no message of kind %u\n", wanted[i]);
        CU_ASSERT_TRUE(t->sent[wanted[i]] > 0);
    }
    CU_ASSERT_EQUAL(t->timed_out, 0);
    for (uint32_t n = 0; n < t->nodes; n++) {
        CU_ASSERT_TRUE(t->height[n] >= 25);
        CU_ASSERT_EQUAL(t->refused[n], 0);
    }
    CU_ASSERT_TRUE(t->get_ok > 20);
    CU_ASSERT_EQUAL(t->get_failed, 0);
    CU_ASSERT_TRUE(t->put_ok > 5);
    town_free(t);
}

/* Timeouts, certificates and block requests for the mutations: a validator is cut off for a
 * while. */
static bool lose_first(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    const struct town *t = context;
    bool cut = t->now_ns > INT64_C(8000000000) && t->now_ns < INT64_C(14000000000);
    return cut && (from == 1 || to == 1);
}

static void mutate(struct town *t, struct dc_stream *s, const struct town_sample *sample,
                   uint8_t *out, size_t *size)
{
    uint64_t r = dc_next64(s);
    *size = sample->size;
    memcpy(out, sample->bytes, sample->size);
    switch (r % 5) {
    case 0: /* one bit */ out[(r >> 8) % *size] ^= (uint8_t)(1u << (r >> 40) % 8); break;
    case 1: /* a few bytes, in the first hundred */
        for (int i = 0; i < 4; i++) {
            uint64_t x = dc_next64(s);
            out[x % (*size < 100 ? *size : 100)] = (uint8_t)(x >> 32);
        }
        break;
    case 2: /* cut */ *size = 1 + (r >> 8) % *size; break;
    case 3: /* longer */
        for (uint64_t i = 0, n = (r >> 8) % 64; i < n; i++)
            out[(*size)++] = (uint8_t)(r >> i % 56);
        break;
    default: /* as another kind */ out[0] = (uint8_t)(1 + (r >> 8) % DC_MSG_COUNT);
    }
    (void)t;
}

static void test_mutated(void)
{
    struct town_spec spec = {
        .validators = 4, .services = 3, .clients = 2, .deal_bytes = 1 << 20, .retries = 1};
    struct town *t = town_make(&spec);
    t->lose = lose_first;
    t->context = t;
    for (uint32_t i = 0; i < 60; i++)
        town_call(t, town_client(t, i % 2), 500000000 + i * INT64_C(400000000),
                  (struct dc_call){.kind = i % 5 == 0 ? DC_CALL_PUT : DC_CALL_GET,
                                   .object = i,
                                   .size_bytes = 50000});
    town_run(t, 36 * INT64_C(1000000000));
    CU_ASSERT_TRUE(t->sent[DC_MSG_TIMEOUT] > 0);
    CU_ASSERT_TRUE(t->sent[DC_MSG_BLOCK_REQUEST] > 0 && t->sent[DC_MSG_BLOCK_REPLY] > 0);
    uint64_t height[TOWN_NODES], before = 0, after = 0;
    memcpy(height, t->height, sizeof height);
    for (uint32_t n = 0; n < t->nodes; n++)
        before += t->refused[n];
    struct dc_stream s = dc_stream(1, dc_name("mutations"), 0);
    size_t room = 1 << 20;
    uint8_t *bytes = malloc(room + 64);
    for (uint32_t kind = 1; kind < DC_MSG_COUNT; kind++)
        for (uint32_t i = 0; i < 240 && t->sent[kind] != 0; i++) {
            uint64_t have = t->sent[kind] < TOWN_SAMPLES ? t->sent[kind] : TOWN_SAMPLES;
            const struct town_sample *sample = &t->sample[kind][i % have];
            CU_ASSERT_TRUE_FATAL(sample->size <= room);
            size_t size;
            mutate(t, &s, sample, bytes, &size);
            uint64_t r = dc_next64(&s); /* mostly to whom it was meant for, from whom it came */
            uint32_t to = r & 3 ? sample->to : (uint32_t)((r >> 8) % t->nodes);
            uint32_t from = r & 12 ? sample->from : (uint32_t)((r >> 16) % 12);
            town_hand(t, to, from, bytes, size);
        }
    free(bytes);
    for (uint32_t n = 0; n < t->nodes; n++)
        after += t->refused[n];
    CU_ASSERT_TRUE(after > before + 200);
    CU_ASSERT_EQUAL(t->conflicts, 0);
    t->lose = NULL;
    town_run(t, t->now_ns + 15 * INT64_C(1000000000));
    for (uint32_t n = 0; n < t->nodes; n++)
        CU_ASSERT_TRUE(t->height[n] > height[n] + 6);
    for (uint32_t n = 1; n < t->nodes; n++) /* one chain */
        if (t->height[n] == t->height[0])
            CU_ASSERT_TRUE(
                dc_hash_equal(&t->node[n]->chain->final->id, &t->node[0]->chain->final->id));
    for (uint32_t n = 0; n < t->nodes; n++)
        CU_ASSERT_EQUAL(dc_state_account(town_state(t, 0), n)->slashed_equivocation, 0);
    town_free(t);
}

/* Inputs that are no messages: timers of any value, calls to who is no client, a start twice. */
static void test_inputs(void)
{
    struct town *t = working_town();
    uint64_t height[TOWN_NODES];
    memcpy(height, t->height, sizeof height);
    struct dc_stream s = dc_stream(1, dc_name("inputs"), 0);
    struct dc_call call = {.kind = DC_CALL_PUT, .object = 1, .size_bytes = UINT64_MAX / 2};
    for (uint32_t i = 0; i < 400; i++) {
        uint64_t r = dc_next64(&s);
        uint64_t timer = i % 3 == 0   ? (uint64_t)DC_TIMER_VERIFIER << 56 | r % 20
                         : i % 3 == 1 ? dc_consensus_timer_value((enum dc_consensus_timer)(r % 300))
                                      : r;
        struct dc_input in = {
            .kind = i % 10 == 9 ? DC_INPUT_CALL : DC_INPUT_TIMER, .timer = timer, .call = &call};
        town_step(t, (uint32_t)(r >> 32) % t->nodes, &in);
    }
    CU_ASSERT_EQUAL(t->conflicts, 0);
    town_run(t, t->now_ns + 15 * INT64_C(1000000000));
    for (uint32_t n = 0; n < t->nodes; n++)
        CU_ASSERT_TRUE(t->height[n] > height[n] + 6);
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a town at work", test_kinds},
        {"random bytes", test_random},
        {"mutated messages", test_mutated},
        {"timers and calls", test_inputs},
    };
    return TEST_MAIN("garbage", cases);
}
