/* A town: a handful of nodes, one thread, every link the same delay and nothing lost.  For tests of
 * nodes from within: the test sees every effect, may hold letters back, and may put any input in.
 *
 *   town_make -> town_run(until) -> town_step(node, input) and look at t->out -> town_free
 *
 * A letter is bytes under way (a payload with its decoder's memo), shared by all who get it. */
#ifndef TESTS_NODE_TOWN_H
#define TESTS_NODE_TOWN_H

#include "models/adversary/adversary.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/client/wallet.h"
#include "models/crypto/logarithm.h"
#include "models/ledger/genesis.h"
#include "models/node/durable.h"
#include "models/node/holder.h"
#include "models/wire/service_msg.h"
#include "models/wire/tx.h"
#include "tests/support/harness.h"
#include "tests/support/params.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOWN_CHAIN 7
#define TOWN_SEED 1
#define TOWN_SAMPLES 12 /* letters of each kind that are kept to look at */
#define TOWN_NODES 64
#define TOWN_DELAY_NS INT64_C(10000000)
#define TOWN_CAPACITY ((uint64_t)1 << 30)

struct letter {
    struct dc_payload payload; /* first */
    uint32_t refs;
    uint8_t data[];
};
struct town_event {
    int64_t time_ns;
    uint64_t order;
    uint32_t node, from;
    bool gossip;
    enum dc_input_kind kind;
    struct letter *letter; /* MESSAGE: a reference */
    uint64_t timer;
    uint32_t boot; /* TIMER */
    struct dc_call call;
};
struct town_sample {
    uint32_t from, to, size;
    uint8_t *bytes;
};

struct town_spec {
    uint32_t validators, services, clients;
    enum dc_strategy strategy[TOWN_NODES]; /* by node id */
    dc_q31 missing[TOWN_NODES];            /* of its disk */
    uint32_t accomplice[TOWN_NODES];       /* of outsourcers */
    dc_q31 turn_score;                     /* of bursts */
    uint64_t deal_bytes;     /* 0: none; else each service node holds one from genesis */
    uint64_t capacity_bytes; /* 0: TOWN_CAPACITY */
    uint32_t retries;
    int64_t timeout_ns; /* 0: 2 s */
    enum dc_suite suite;
    uint32_t keep_heights; /* 0: 1000 */
    void (*edit)(struct dc_params *params);
};

struct town {
    struct dc_crypto crypto;
    struct dc_params params;
    struct dc_genesis_set set;
    struct dc_store *store;
    struct dc_node *node[TOWN_NODES];
    struct dc_content filler[TOWN_NODES], object[TOWN_NODES];
    struct dc_deal deal[TOWN_NODES];
    struct dc_stealth_address book[TOWN_NODES]; /* of clients, where genesis makes decoys */
    struct dc_holders holders;                  /* the first params.holders validators */
    struct dc_holder_secret holder[TOWN_NODES];
    struct dc_logarithm *logarithm; /* theirs */
    uint32_t nodes, validators, services, clients;
    int64_t now_ns;
    uint64_t order;
    struct town_event *event; /* a heap by (time, order) */
    size_t events, events_max;
    struct dc_effects out; /* of the latest step */
    struct town_spec spec;
    bool down[TOWN_NODES];     /* what reaches such a node is lost */
    uint32_t boot[TOWN_NODES]; /* timers of an earlier life are void */
    /* kept */
    uint64_t sent[DC_MSG_COUNT];
    struct town_sample sample[DC_MSG_COUNT][TOWN_SAMPLES];
    uint64_t height[TOWN_NODES], refused[TOWN_NODES], timed_out, conflicts;
    uint64_t synced[TOWN_NODES]; /* states taken over */
    uint64_t turned, get_ok, get_failed, put_ok, put_failed;
    /* A letter for which this says true is lost. */
    bool (*lose)(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size);
    void *context;
    /* Told of each step when it is over, before its effects are carried out; or NULL. */
    void (*stepped)(struct town *t, uint32_t node, const struct dc_input *in);
    /* One way; NULL: TOWN_DELAY_NS everywhere. */
    int64_t (*delay_ns)(const struct town *t, uint32_t from, uint32_t to);
};

static inline struct dc_params town_params(void)
{
    struct dc_params p = test_params();
    p.epoch_blocks = 20;
    p.block_interval_ns = 1000000000;
    /* Generous: a leader waits a second before it proposes, and no round shall time out. */
    p.delay_typical_ns = 300000000;
    p.delay_max_ns = 600000000;
    p.audit = DC_ONE;
    p.k_min = 8;
    p.k_max_chance = 0;
    p.detectors = DC_DETECTOR_EWMA | DC_DETECTOR_MAD;
    p.fdr = dc_q31_from_ppm(50000);
    p.ewma_warmup = 5;
    p.price_gib_epoch = DC_DSYNC;
    return p;
}

/* --- letters and events ----------------------------------------------------------------------- */

static inline struct letter *letter_make(const uint8_t *bytes, size_t size)
{
    struct letter *l = calloc(1, sizeof *l + size);
    memcpy(l->data, bytes, size);
    l->payload.bytes = l->data;
    l->payload.size = (uint32_t)size;
    l->payload.kind = size > 0 ? bytes[0] : 0;
    l->refs = 1;
    return l;
}

static inline void letter_drop(struct letter *l)
{
    if (l == NULL || --l->refs != 0)
        return;
    void *memo = atomic_load(&l->payload.memo);
    if (memo != NULL)
        dc_node_memo_free(l->payload.kind, memo);
    free(l);
}

static inline bool town_before(const struct town_event *a, const struct town_event *b)
{
    return a->time_ns != b->time_ns ? a->time_ns < b->time_ns : a->order < b->order;
}

static inline void town_post(struct town *t, struct town_event e)
{
    if (t->events == t->events_max) {
        t->events_max = t->events_max == 0 ? 1024 : 2 * t->events_max;
        t->event = realloc(t->event, t->events_max * sizeof *t->event);
    }
    e.order = t->order++;
    size_t i = t->events++;
    for (; i > 0 && town_before(&e, &t->event[(i - 1) / 2]); i = (i - 1) / 2)
        t->event[i] = t->event[(i - 1) / 2];
    t->event[i] = e;
}

static inline struct town_event town_pop(struct town *t)
{
    struct town_event first = t->event[0], last = t->event[--t->events];
    size_t i = 0;
    for (size_t c = 1; c < t->events; c = 2 * i + 1) {
        if (c + 1 < t->events && town_before(&t->event[c + 1], &t->event[c]))
            c++;
        if (!town_before(&t->event[c], &last))
            break;
        t->event[i] = t->event[c];
        i = c;
    }
    t->event[i] = last;
    return first;
}

static inline void town_keep(struct town *t, uint32_t from, uint32_t to, const uint8_t *b,
                             size_t size)
{
    if (b[0] >= DC_MSG_COUNT)
        return;
    struct town_sample *s = &t->sample[b[0]][t->sent[b[0]]++ % TOWN_SAMPLES];
    free(s->bytes);
    *s = (struct town_sample){from, to, (uint32_t)size, malloc(size)};
    memcpy(s->bytes, b, size);
}

static inline void town_mail(struct town *t, uint32_t from, uint32_t to, struct letter *l,
                             bool gossip)
{
    town_keep(t, from, to, l->data, l->payload.size);
    if (t->lose != NULL && t->lose(t->context, from, to, l->data, l->payload.size))
        return;
    l->refs++;
    int64_t delay_ns = t->delay_ns != NULL ? t->delay_ns(t, from, to) : TOWN_DELAY_NS;
    town_post(t, (struct town_event){.time_ns = t->now_ns + delay_ns,
                                     .node = to,
                                     .from = from,
                                     .gossip = gossip,
                                     .kind = DC_INPUT_MESSAGE,
                                     .letter = l});
}

static inline void town_note(struct town *t, uint32_t node, const struct dc_effect *e)
{
    t->refused[node] += e->timer == DC_NOTE_REFUSED || e->timer == DC_NOTE_REJECTED;
    t->timed_out += e->timer == DC_NOTE_TIMED_OUT;
    t->conflicts += e->timer == DC_NOTE_CONFLICT;
    t->turned += e->timer == DC_NOTE_TURNED;
    if (e->timer == DC_NOTE_GET)
        *(e->b != 0 ? &t->get_ok : &t->get_failed) += 1;
    if (e->timer == DC_NOTE_PUT)
        *(e->b != 0 ? &t->put_ok : &t->put_failed) += 1;
}

/* One input at one node; its effects stay in t->out and are not carried out. */
static inline void town_step(struct town *t, uint32_t node, struct dc_input *in)
{
    in->now_ns = in->wall_ns = t->now_ns;
    dc_effects_clear(&t->out);
    dc_adversary_step(t->node[node], in, &t->out);
    for (uint32_t i = 0; i < t->out.count; i++) {
        const struct dc_effect *e = &t->out.list[i];
        if (e->kind == DC_EFFECT_NOTE)
            town_note(t, node, e);
        if (e->kind == DC_EFFECT_NOTE && e->timer == DC_NOTE_SYNCED) {
            CU_ASSERT_EQUAL(e->b, t->height[node]);
            t->height[node] = e->a;
            t->synced[node]++;
        }
        if (e->kind == DC_EFFECT_COMMIT) {
            const struct dc_block *b = e->object;
            CU_ASSERT_EQUAL(b->header.height, t->height[node] + 1);
            t->height[node] = b->header.height;
        }
    }
    if (t->stepped != NULL)
        t->stepped(t, node, in);
}

/* Carries out the effects of the latest step. */
static inline void town_effects(struct town *t, uint32_t node)
{
    for (uint32_t i = 0; i < t->out.count; i++) {
        const struct dc_effect *e = &t->out.list[i];
        struct letter *l = NULL;
        if (e->kind == DC_EFFECT_SEND || e->kind == DC_EFFECT_SEND_MANY ||
            e->kind == DC_EFFECT_BROADCAST)
            l = e->payload != NULL ? letter_make(e->payload->bytes, e->payload->size)
                                   : letter_make(e->bytes, e->size);
        if (e->kind == DC_EFFECT_SEND)
            town_mail(t, node, e->to, l, false);
        for (uint32_t j = 0; e->kind == DC_EFFECT_SEND_MANY && j < e->to_count; j++)
            town_mail(t, node, e->to_list[j], l, false);
        for (uint32_t n = 0; e->kind == DC_EFFECT_BROADCAST && n < t->nodes; n++)
            if (n != node)
                town_mail(t, node, n, l, true);
        letter_drop(l);
        if (e->kind == DC_EFFECT_TIMER)
            town_post(
                t, (struct town_event){.time_ns = e->due_ns > t->now_ns ? e->due_ns : t->now_ns + 1,
                                       .node = node,
                                       .kind = DC_INPUT_TIMER,
                                       .timer = e->timer,
                                       .boot = t->boot[node]});
    }
}

static inline void town_input(struct town *t, uint32_t node, struct dc_input *in)
{
    town_step(t, node, in);
    town_effects(t, node);
}

/* Bytes put into a node's hand as a message from `from`; the effects are not carried out. */
static inline void town_hand(struct town *t, uint32_t node, uint32_t from, const void *bytes,
                             size_t size)
{
    struct letter *l = letter_make(bytes, size);
    struct dc_input in = {.kind = DC_INPUT_MESSAGE, .from = from, .payload = &l->payload};
    town_step(t, node, &in);
    letter_drop(l);
}

static inline void town_call(struct town *t, uint32_t client, int64_t time_ns, struct dc_call call)
{
    town_post(t, (struct town_event){
                     .time_ns = time_ns, .node = client, .kind = DC_INPUT_CALL, .call = call});
}

static inline void town_run(struct town *t, int64_t until_ns)
{
    while (t->events > 0 && t->event[0].time_ns <= until_ns) {
        struct town_event e = town_pop(t);
        t->now_ns = e.time_ns;
        struct dc_input in = {.kind = e.kind,
                              .from = e.from,
                              .gossip = e.gossip,
                              .payload = e.letter != NULL ? &e.letter->payload : NULL,
                              .timer = e.timer,
                              .call = &e.call};
        bool void_timer = e.kind == DC_INPUT_TIMER && e.boot != t->boot[e.node];
        if (!t->down[e.node] && !void_timer)
            town_input(t, e.node, &in);
        letter_drop(e.letter);
    }
    if (t->now_ns < until_ns)
        t->now_ns = until_ns;
}

/* --- making ----------------------------------------------------------------------------------- */

static inline uint32_t town_service(const struct town *t, uint32_t i)
{
    return t->validators + i;
}
static inline uint32_t town_client(const struct town *t, uint32_t i)
{
    return t->validators + t->services + i;
}

static inline void town_storage(struct town *t, const struct town_spec *spec)
{
    for (uint32_t i = 0; i < t->services; i++) {
        uint32_t n = town_service(t, i);
        struct dc_account *a = &t->set.account[n];
        struct dc_hash seed = dc_filler_seed(a->sign_key);
        dc_content_init(&t->filler[n], &seed);
        a->filler_root = dc_content_root(&t->filler[n], a->capacity_bytes / DC_CHUNK_BYTES);
        if (spec->deal_bytes == 0)
            continue;
        uint32_t client = t->clients != 0 ? town_client(t, i % t->clients) : n;
        seed = dc_object_seed(t->set.account[client].sign_key, (uint64_t)1 << 40 | n);
        dc_content_init(&t->object[i], &seed);
        t->deal[i] = (struct dc_deal){
            .client = client,
            .node = n,
            .prev = DC_DEAL_NONE,
            .size_bytes = spec->deal_bytes,
            .price = DC_DSYNC / 100,
            .end_epoch = 1000,
            .root = dc_content_root(&t->object[i], dc_chunks_of(spec->deal_bytes))};
        t->set.genesis.deals++;
    }
    t->set.genesis.deal = t->deal;
}

static inline struct dc_node_config town_config(const struct town *t, uint32_t n)
{
    const struct town_spec *spec = &t->spec;
    enum dc_node_role role = n < t->validators                 ? DC_NODE_VALIDATOR
                             : n < t->validators + t->services ? DC_NODE_SERVICE
                                                               : DC_NODE_CLIENT;
    return (struct dc_node_config){.chain = TOWN_CHAIN,
                                   .id = n,
                                   .role = role,
                                   .strategy = spec->strategy[n],
                                   .store = t->store,
                                   .crypto = (struct dc_crypto *)(uintptr_t)&t->crypto,
                                   .params = &t->params,
                                   .key_seed = TOWN_SEED,
                                   .incarnation = t->boot[n],
                                   .registrar = &t->set.registrar,
                                   .capacity_bytes = t->set.account[n].capacity_bytes,
                                   .filler = role == DC_NODE_SERVICE ? &t->filler[n] : NULL,
                                   .disk = {.key = dc_mix64(n), .missing = spec->missing[n]},
                                   .accomplice = spec->accomplice[n],
                                   .turn_score = spec->turn_score,
                                   .replicas = 1,
                                   .retries = spec->retries,
                                   .deal_epochs = 20,
                                   .timeout_ns =
                                       spec->timeout_ns != 0 ? spec->timeout_ns : 2000000000,
                                   .price_get = 1000,
                                   .book = t->params.decoys != 0 ? t->book : NULL,
                                   .book_count = t->nodes,
                                   .holder = n < t->holders.count ? &t->holder[n] : NULL};
}

static inline void town_nodes(struct town *t, const struct town_spec *spec)
{
    struct dc_error error = {0};
    for (uint32_t n = t->nodes - t->clients; t->params.decoys != 0 && n < t->nodes; n++)
        dc_wallet_address(&t->set.sign[n], &t->book[n]);
    for (uint32_t n = 0; n < t->nodes; n++) {
        struct dc_node_config c = town_config(t, n);
        t->node[n] = dc_node_create(&c, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(t->node[n]);
        town_post(t, (struct town_event){.time_ns = 1, .node = n, .kind = DC_INPUT_START});
    }
    for (uint32_t i = 0; i < t->set.genesis.deals; i++) {
        struct dc_held held = {.deal = i,
                               .chunks = dc_chunks_of(t->deal[i].size_bytes),
                               .content = t->object[i],
                               .root = t->deal[i].root};
        dc_node_hold(t->node[t->deal[i].node], &held);
    }
}

/* Keys of the first validators; a small table: what is decrypted in a town is small. */
static inline void town_holders(struct town *t)
{
    struct dc_error error = {0};
    uint32_t account[TOWN_NODES], count = t->params.holders;
    if (count == 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        account[i] = i;
    CU_ASSERT_EQUAL_FATAL(dc_holders_make(TOWN_SEED, account, count, t->params.threshold,
                                          &t->holders, t->holder, &error),
                          DC_OK);
    CU_ASSERT_EQUAL_FATAL(dc_logarithm_create((size_t)1 << 20, &t->logarithm, &error), DC_OK);
    for (uint32_t i = 0; i < count; i++)
        t->holder[i].table = t->logarithm;
    t->set.genesis.holders = &t->holders;
}

static inline struct town *town_make(const struct town_spec *spec)
{
    struct town *t = calloc(1, sizeof *t);
    struct dc_error error = {0};
    dc_crypto_init();
    t->spec = *spec;
    t->validators = spec->validators;
    t->services = spec->services;
    t->clients = spec->clients;
    t->nodes = t->validators + t->services + t->clients;
    CU_ASSERT_TRUE_FATAL(t->nodes <= TOWN_NODES);
    t->params = town_params();
    if (spec->edit != NULL)
        spec->edit(&t->params);
    CU_ASSERT_EQUAL_FATAL(dc_crypto_open(&t->crypto, spec->suite, 4 << 20, 0, &error), DC_OK);
    struct dc_genesis_spec g = {.seed = TOWN_SEED,
                                .chain = TOWN_CHAIN,
                                .validators = spec->validators,
                                .services = spec->services,
                                .clients = spec->clients,
                                .bond_validator = 2000 * DC_DSYNC,
                                .bond_service = 1000 * DC_DSYNC,
                                .balance = 10000 * DC_DSYNC,
                                .capacity_bytes = spec->capacity_bytes != 0 ? spec->capacity_bytes
                                                                            : TOWN_CAPACITY,
                                .regions = 1};
    CU_ASSERT_EQUAL_FATAL(dc_genesis_set_create(&g, &t->params, &t->set, &error), DC_OK);
    town_storage(t, spec);
    town_holders(t);
    struct dc_store_config config = {.chain = TOWN_CHAIN,
                                     .crypto = &t->crypto,
                                     .memo = true,
                                     .keep_heights =
                                         spec->keep_heights != 0 ? spec->keep_heights : 1000,
                                     .checker = &dc_node_answer_checker};
    CU_ASSERT_EQUAL_FATAL(dc_store_create(&config, &t->set.genesis, &t->store, &error), DC_OK);
    town_nodes(t, spec);
    return t;
}

static inline void town_free(struct town *t)
{
    for (size_t i = 0; i < t->events; i++)
        letter_drop(t->event[i].letter);
    for (uint32_t n = 0; n < t->nodes; n++)
        dc_node_destroy(t->node[n]);
    for (uint32_t k = 0; k < DC_MSG_COUNT; k++)
        for (uint32_t i = 0; i < TOWN_SAMPLES; i++)
            free(t->sample[k][i].bytes);
    dc_effects_free(&t->out);
    dc_store_destroy(t->store);
    dc_genesis_set_free(&t->set);
    dc_crypto_close(&t->crypto);
    dc_logarithm_destroy(t->logarithm);
    free(t->event);
    free(t);
}

/* --- crashes ---------------------------------------------------------------------------------- */

static inline void town_crash(struct town *t, uint32_t node)
{
    t->down[node] = true;
    t->boot[node]++;
}

/* Up again as the same process would be: what is durable was kept in memory. */
static inline void town_restart(struct town *t, uint32_t node)
{
    struct dc_input in = {.kind = DC_INPUT_RESTART};
    t->down[node] = false;
    town_input(t, node, &in);
}

/* Up again as a new process on a disk of these bytes; whether its store was lost. */
static inline bool town_recover(struct town *t, uint32_t node, const uint8_t *image, size_t size)
{
    struct dc_error error = {0};
    struct dc_node_config config = town_config(t, node);
    bool lost;
    struct dc_node *fresh = dc_node_recover(&config, image, size, &lost, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fresh);
    dc_node_destroy(t->node[node]);
    t->node[node] = fresh;
    t->height[node] = fresh->chain->final->header.height;
    town_restart(t, node);
    return lost;
}

/* --- looking ---------------------------------------------------------------------------------- */

static inline const struct dc_state *town_state(const struct town *t, uint32_t node)
{
    return t->node[node]->chain->final->state;
}

/* The first effect of the latest step that sends a message of that kind, or NULL. */
static inline const struct dc_effect *town_sends(const struct town *t, uint8_t kind)
{
    for (uint32_t i = 0; i < t->out.count; i++) {
        const struct dc_effect *e = &t->out.list[i];
        if (e->kind != DC_EFFECT_SEND && e->kind != DC_EFFECT_SEND_MANY &&
            e->kind != DC_EFFECT_BROADCAST)
            continue;
        const uint8_t *b = e->payload != NULL ? e->payload->bytes : e->bytes;
        if (b[0] == kind)
            return e;
    }
    return NULL;
}

/* How often the latest step noted `note`. */
static inline uint32_t town_noted(const struct town *t, uint32_t note)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < t->out.count; i++)
        n += t->out.list[i].kind == DC_EFFECT_NOTE && t->out.list[i].timer == note;
    return n;
}

#endif
