/* A few nodes that run private applications and nothing else, on the state of a genesis: messages
 * arrive after 50 ms, a block becomes final every 500 ms.  `filter` sees every message and may
 * change or drop it. */
#ifndef TESTS_CLIENT_APPS_H
#define TESTS_CLIENT_APPS_H

#include "models/client/app.h"
#include "tests/ledger/chain.h"

#define APPS_NODES 24
#define APPS_QUEUE 4096
#define APPS_LATENCY_NS INT64_C(50000000)
#define APPS_BLOCK_NS INT64_C(500000000)

struct apps_letter {
    int64_t due_ns;
    uint32_t from, to, size;
    uint8_t *bytes;
};
struct apps_net {
    struct chain chain;
    struct dc_params params;
    struct dc_client_config config[APPS_NODES];
    struct dc_apps apps[APPS_NODES];
    bool down[APPS_NODES];
    bool noted[APPS_NODES]; /* the application is over there, with this result */
    uint64_t result[APPS_NODES];
    uint32_t refused[APPS_NODES]; /* messages that a node refused */
    uint64_t accused;             /* bit n: somebody's note names node n */
    uint64_t charge[DC_COST_COUNT];
    uint64_t bytes; /* sent, in all */
    int64_t now_ns, block_ns;
    struct apps_letter queue[APPS_QUEUE];
    uint32_t first, count;
    bool (*filter)(struct apps_net *net, uint32_t from, uint32_t to, uint8_t *bytes,
                   uint32_t size); /* false: lost */
    struct dc_effects out;
};

static inline void apps_set_up(struct apps_net *net)
{
    struct dc_genesis_spec spec = {.seed = 3,
                                   .chain = CHAIN_ID,
                                   .validators = 4,
                                   .services = 2,
                                   .clients = APPS_NODES - 6,
                                   .bond_validator = UINT64_C(100000000000),
                                   .balance = UINT64_C(1000000000000),
                                   .capacity_bytes = 1 << 30,
                                   .regions = 1};
    memset(net, 0, sizeof *net);
    net->params = chain_params();
    chain_make(&net->chain, &spec, &net->params, true, NULL, NULL, NULL);
    for (uint32_t i = 0; i < APPS_NODES; i++)
        net->config[i] = (struct dc_client_config){.chain = CHAIN_ID,
                                                   .id = i,
                                                   .crypto = &net->chain.crypto,
                                                   .key = &net->chain.set.sign[i],
                                                   .params = &net->params};
}

static inline void apps_tear_down(struct apps_net *net)
{
    for (uint32_t i = 0; i < APPS_NODES; i++)
        dc_apps_free(&net->apps[i]);
    for (uint32_t i = net->first; i < net->count; i++)
        free(net->queue[i].bytes);
    dc_effects_free(&net->out);
    chain_free(&net->chain);
}

static inline void apps_post(struct apps_net *net, uint32_t from, uint32_t to,
                             const struct dc_effect *e)
{
    if (net->count == APPS_QUEUE) { /* what was delivered makes room */
        memmove(net->queue, net->queue + net->first,
                (net->count - net->first) * sizeof *net->queue);
        net->count -= net->first;
        net->first = 0;
    }
    CU_ASSERT_FATAL(net->count < APPS_QUEUE && to < APPS_NODES);
    uint8_t *bytes = malloc(e->size);
    memcpy(bytes, e->bytes, e->size);
    net->bytes += e->size;
    if (net->filter != NULL && !net->filter(net, from, to, bytes, e->size)) {
        free(bytes);
        return;
    }
    net->queue[net->count++] =
        (struct apps_letter){net->now_ns + APPS_LATENCY_NS, from, to, e->size, bytes};
}

/* What a step of a node led to. */
static inline void apps_drain(struct apps_net *net, uint32_t node)
{
    for (uint32_t i = 0; i < net->out.count; i++) {
        const struct dc_effect *e = &net->out.list[i];
        if (e->kind == DC_EFFECT_SEND)
            apps_post(net, node, e->to, e);
        for (uint32_t k = 0; e->kind == DC_EFFECT_SEND_MANY && k < e->to_count; k++)
            apps_post(net, node, e->to_list[k], e);
        if (e->kind == DC_EFFECT_NOTE && e->timer == DC_NOTE_APP) {
            CU_ASSERT_FALSE(net->noted[node]);
            net->noted[node] = true;
            net->result[node] = e->b;
        }
        if (e->kind == DC_EFFECT_NOTE && e->timer == DC_NOTE_REFUSED) {
            net->refused[node]++;
            net->accused |= e->b != 0 ? UINT64_C(1) << e->b : 0;
        }
    }
    for (uint32_t i = 0; i < DC_COST_COUNT; i++)
        net->charge[i] += net->out.charge[i];
    dc_effects_clear(&net->out);
}

static inline struct dc_app_env apps_env(struct apps_net *net, uint32_t node)
{
    return (struct dc_app_env){.config = &net->config[node], .state = chain_state(&net->chain)};
}

static inline void apps_call(struct apps_net *net, uint32_t node, const struct dc_app_call *app)
{
    struct dc_call call = {.kind = DC_CALL_APP, .app = app};
    struct dc_input in = {.kind = DC_INPUT_CALL, .now_ns = net->now_ns, .call = &call};
    struct dc_app_env env = apps_env(net, node);
    dc_apps_call(&net->apps[node], &env, &in, &net->out);
    apps_drain(net, node);
}

static inline void apps_deliver(struct apps_net *net, const struct apps_letter *l)
{
    struct dc_payload payload = {.bytes = l->bytes, .size = l->size, .kind = DC_MSG_APP};
    struct dc_input in = {
        .kind = DC_INPUT_MESSAGE, .now_ns = net->now_ns, .from = l->from, .payload = &payload};
    struct dc_app_env env = apps_env(net, l->to);
    if (!net->down[l->to]) {
        dc_apps_message(&net->apps[l->to], &env, &in, &net->out);
        apps_drain(net, l->to);
    }
}

/* Until `until_ns`: messages and blocks in order of time. */
static inline void apps_run(struct apps_net *net, int64_t until_ns)
{
    while (net->now_ns < until_ns) {
        int64_t block = net->block_ns + APPS_BLOCK_NS;
        if (net->first < net->count && net->queue[net->first].due_ns <= block) {
            struct apps_letter l = net->queue[net->first++];
            net->now_ns = l.due_ns;
            apps_deliver(net, &l);
            free(l.bytes);
            continue;
        }
        net->now_ns = net->block_ns = block;
        for (uint32_t i = 0; i < APPS_NODES; i++)
            if (!net->down[i]) {
                struct dc_app_env env = apps_env(net, i);
                dc_apps_commit(&net->apps[i], &env, net->now_ns, &net->out);
                apps_drain(net, i);
            }
    }
}

/* It begins again, from what of its parts is durable. */
static inline void apps_reboot(struct apps_net *net, uint32_t node)
{
    struct dc_apps *apps = &net->apps[node];
    size_t max = dc_apps_image_max(apps);
    uint8_t *image = malloc(max);
    struct dc_writer w = dc_writer(image, max);
    dc_apps_write(apps, &w);
    CU_ASSERT_FALSE_FATAL(w.failed);
    dc_apps_free(apps);
    memset(apps, 0, sizeof *apps);
    struct dc_reader r = dc_reader(image, w.size);
    CU_ASSERT_TRUE_FATAL(dc_apps_read(apps, &r) && dc_read_done(&r));
    free(image);
    struct dc_input in = {.kind = DC_INPUT_RESTART, .now_ns = net->now_ns};
    struct dc_app_env env = apps_env(net, node);
    net->down[node] = false;
    dc_apps_restart(apps, &env, &in, &net->out);
    apps_drain(net, node);
}

/* A node loses what it knew. */
static inline void apps_crash(struct apps_net *net, uint32_t node)
{
    net->down[node] = true;
    dc_apps_free(&net->apps[node]);
    memset(&net->apps[node], 0, sizeof net->apps[node]);
}

#endif
