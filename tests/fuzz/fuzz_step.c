/* dc_node_step: a town of six nodes whose post is in the hands of the input.
 *
 *   input = commands, a byte each with its arguments:
 *     0..127    the next (c + 1) / 4 + 1 events happen
 *     128..159  the next event is lost
 *     160..191  a message that was sent before, with up to three bytes changed: kind, which, to, 3 x
 *               (place, value)
 *     192..207  a node starts again after a crash: node
 *     208..223  the next event happens last
 *     224..239  bytes as a message: size, to, from, bytes
 *     240..255  a timer of any value at a node: node, 8 bytes
 *
 * Whatever it does, no node crashes, and no two nodes make different blocks final: nobody's keys are
 * in the input. */
#include "tests/fuzz/fuzz.h"
#include "tests/support/harness.h"

#undef CU_ASSERT_EQUAL
#undef CU_ASSERT_TRUE_FATAL
#undef CU_ASSERT_EQUAL_FATAL
#undef CU_ASSERT_PTR_NOT_NULL_FATAL
#define CU_ASSERT_EQUAL(a, b) FUZZ_NEED((a) == (b))
#define CU_ASSERT_EQUAL_FATAL(a, b) FUZZ_NEED((a) == (b))
#define CU_ASSERT_TRUE_FATAL(a) FUZZ_NEED(a)
#define CU_ASSERT_PTR_NOT_NULL_FATAL(a) FUZZ_NEED((a) != NULL)
#include "tests/node/town.h"

#define COMMANDS_MAX 400

struct input {
    const uint8_t *at, *end;
};

static uint8_t take(struct input *in)
{
    return in->at < in->end ? *in->at++ : 0;
}

static void quick(struct dc_params *p)
{
    p->epoch_blocks = 4;
    p->block_interval_ns = 100000000;
    p->delay_typical_ns = 20000000;
    p->delay_max_ns = 40000000;
}

static void happen(struct town *t, uint32_t count)
{
    for (uint32_t i = 0; i < count && t->events > 0; i++) {
        struct town_event e = town_pop(t);
        t->now_ns = e.time_ns > t->now_ns ? e.time_ns : t->now_ns;
        struct dc_input in = {.kind = e.kind,
                              .from = e.from,
                              .gossip = e.gossip,
                              .payload = e.letter != NULL ? &e.letter->payload : NULL,
                              .timer = e.timer,
                              .call = &e.call};
        town_input(t, e.node, &in);
        letter_drop(e.letter);
    }
}

static void changed(struct town *t, struct input *in)
{
    uint8_t kind = take(in) % DC_MSG_COUNT, which = take(in), to = take(in) % t->nodes;
    if (t->sent[kind] == 0)
        return;
    uint64_t have = t->sent[kind] < TOWN_SAMPLES ? t->sent[kind] : TOWN_SAMPLES;
    const struct town_sample *s = &t->sample[kind][which % have];
    uint8_t *bytes = dc_mem_need(s->size, 1, "a message");
    uint32_t from = s->from;
    memcpy(bytes, s->bytes, s->size);
    for (int i = 0; i < 3; i++) {
        uint32_t place = take(in) | (uint32_t)take(in) << 8;
        bytes[place % s->size] ^= take(in);
    }
    struct letter *l = letter_make(bytes, s->size);
    struct dc_input message = {.kind = DC_INPUT_MESSAGE, .from = from, .payload = &l->payload};
    town_input(t, to, &message);
    letter_drop(l);
    dc_mem_free(bytes);
}

static void raw(struct town *t, struct input *in)
{
    size_t size = 1 + take(in);
    uint32_t to = take(in) % t->nodes, from = take(in) % t->nodes;
    size = (size_t)(in->end - in->at) < size ? (size_t)(in->end - in->at) : size;
    if (size == 0)
        return;
    struct letter *l = letter_make(in->at, size);
    in->at += size;
    struct dc_input message = {.kind = DC_INPUT_MESSAGE, .from = from, .payload = &l->payload};
    town_input(t, to, &message);
    letter_drop(l);
}

static void timer(struct town *t, struct input *in)
{
    uint32_t node = take(in) % t->nodes;
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value = value << 8 | take(in);
    struct dc_input wake = {.kind = DC_INPUT_TIMER, .timer = value};
    town_input(t, node, &wake);
}

/* The final chains are prefixes of one another: equal heights have equal ids. */
static void agree(struct town *t)
{
    for (uint32_t a = 0; a < t->nodes; a++)
        for (uint32_t b = 0; b < a; b++) {
            uint64_t h = t->height[a] < t->height[b] ? t->height[a] : t->height[b];
            const struct dc_block *x = dc_node_block_at(t->node[a], h);
            const struct dc_block *y = dc_node_block_at(t->node[b], h);
            if (x != NULL && y != NULL)
                FUZZ_NEED(dc_hash_equal(&x->id, &y->id));
        }
    FUZZ_NEED(t->conflicts == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct town_spec spec = {.validators = 4,
                             .services = 1,
                             .clients = 1,
                             .deal_bytes = 65536,
                             .capacity_bytes = 1 << 20,
                             .suite = DC_SUITE_MODELLED,
                             .edit = quick};
    struct town *t = town_make(&spec);
    struct input in = {data, data + size};
    happen(t, 40);
    for (int i = 0; i < COMMANDS_MAX && in.at < in.end; i++) {
        uint8_t c = take(&in);
        if (c < 128) {
            happen(t, (c + 1u) / 4 + 1);
        } else if (c < 160 && t->events > 0) {
            letter_drop(town_pop(t).letter);
        } else if (c >= 160 && c < 192) {
            changed(t, &in);
        } else if (c >= 192 && c < 208) {
            struct dc_input restart = {.kind = DC_INPUT_RESTART};
            town_input(t, take(&in) % t->nodes, &restart);
        } else if (c >= 208 && c < 224 && t->events > 0) {
            struct town_event e = town_pop(t);
            e.time_ns = t->now_ns + 300000000;
            town_post(t, e);
        } else if (c >= 224 && c < 240) {
            raw(t, &in);
        } else if (c >= 240) {
            timer(t, &in);
        }
    }
    happen(t, 200);
    agree(t);
    town_free(t);
    return 0;
}
