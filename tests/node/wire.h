/* Three nodes' channels over a wire that a test handles message by message:
 *
 *   begin(false); say(0, 1, "word"); deliver(); heard(1, "word"); end();  */
#ifndef TESTS_NODE_WIRE_H
#define TESTS_NODE_WIRE_H

#include "models/base/rng.h"
#include "models/node/channel.h"
#include "models/wire/block.h"
#include "tests/support/harness.h"

#include <string.h>

enum { NODES = 3, WIRE = 512, SECOND = 1000000000, CHAIN = 9, TEXT = 8 };

struct wire {
    uint32_t from, to;
    uint8_t bytes[768];
    size_t size;
    bool gone;
};
struct alarm {
    uint32_t node;
    int64_t due_ns;
    uint64_t timer;
};

static const struct dc_crypto crypto = {.suite = DC_SUITE_REAL};
static struct {
    struct dc_keypair registrar;
    struct dc_channels_config config[NODES];
    struct dc_channels *node[NODES];
    struct dc_channel_standing standing[NODES]; /* the same at everybody */
    struct wire wire[WIRE];
    size_t wires, at; /* at: the next to be delivered */
    struct alarm alarm[WIRE];
    size_t alarms;
    int64_t now_ns;
    struct dc_effects out;
    char got[NODES][WIRE][TEXT]; /* what each was handed, in order */
    size_t gots[NODES], drops[NODES];
    uint64_t notes[NODES][DC_CHANNEL_OUTCOMES];
    int64_t latency_ns;
} t;

static inline void standing(const void *ctx, uint32_t peer, struct dc_channel_standing *out)
{
    (void)ctx;
    *out = t.standing[peer];
}

static inline struct dc_exchange exchange(uint64_t owner, uint64_t generation)
{
    struct dc_exchange e;
    uint8_t seed[32];
    dc_seed_derive(21, owner, DC_KEY_EXCHANGE, generation, seed);
    dc_exchange_from_seed(seed, &e);
    return e;
}

static inline struct dc_keypair keypair(uint64_t owner)
{
    struct dc_keypair key;
    uint8_t seed[32];
    dc_seed_derive(21, owner, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    return key;
}

/* A node's certificate by a registrar; exchange: of which key it speaks. */
static inline void certify(struct dc_channels_config *c, const struct dc_keypair *registrar,
                           uint32_t subject, uint64_t serial, const uint8_t exchange_key[32],
                           uint64_t end_height)
{
    struct dc_keypair key = keypair(subject);
    struct dc_cert cert = {.level = DC_CERT_NODE,
                           .roles = DC_ROLE_VALIDATOR,
                           .chain = CHAIN,
                           .serial = serial,
                           .subject = subject,
                           .issuer = UINT64_MAX,
                           .end_height = end_height};
    memcpy(cert.signing, key.public, 32);
    memcpy(cert.vrf, key.public, 32);
    memcpy(cert.exchange, exchange_key, 32);
    dc_cert_sign(&crypto, registrar, &cert);
    dc_cert_encode(&cert, c->certificate);
    c->certificate_size = DC_CERT_BYTES;
}

static inline void never(void *ctx, uint64_t token)
{
    (void)ctx;
    (void)token;
}

static inline void node_new(uint32_t n)
{
    dc_channels_destroy(t.node[n], never, NULL);
    t.node[n] = dc_channels_create(&t.config[n]);
}

static inline void begin(bool charged)
{
    memset(&t, 0, sizeof t);
    t.now_ns = SECOND;
    t.registrar = keypair(1000);
    for (uint32_t n = 0; n < NODES; n++) {
        struct dc_channels_config *c = &t.config[n];
        *c = (struct dc_channels_config){.crypto = &crypto,
                                         .trust = {.chain = CHAIN},
                                         .id = n,
                                         .exchange = exchange(n, 0),
                                         .peers_max = 16,
                                         .queue_max = 8,
                                         .rekey = 1 << 16,
                                         .timeout_ns = SECOND,
                                         .tries = 3,
                                         .charged = charged,
                                         .standing = standing};
        memcpy(c->trust.registrar_key, t.registrar.public, 32);
        certify(c, &t.registrar, n, 10, c->exchange.public, 1000);
        t.standing[n] = (struct dc_channel_standing){.height = 50, .serial = 10};
        node_new(n);
    }
}

static inline void end(void)
{
    for (uint32_t n = 0; n < NODES; n++) {
        dc_channels_destroy(t.node[n], never, NULL);
        t.node[n] = NULL;
    }
    dc_effects_free(&t.out);
}

/* --- the wire --------------------------------------------------------------------------------- */

static inline void wire_put(uint32_t from, uint32_t to, const void *bytes, size_t size)
{
    struct wire *w = &t.wire[t.wires++];
    CU_ASSERT_TRUE_FATAL(t.wires <= WIRE && size <= sizeof w->bytes);
    *w = (struct wire){.from = from, .to = to, .size = size};
    memcpy(w->bytes, bytes, size);
}

/* A message is its own token: up to 7 letters. */
static uint64_t token_of(const char *text)
{
    char bytes[TEXT] = {0};
    strncpy(bytes, text, TEXT - 1);
    return dc_get64((const uint8_t *)bytes);
}

static inline void seal(uint32_t node, uint32_t to, uint64_t token)
{
    uint8_t text[TEXT], frame[TEXT + DC_CHANNEL_OVERHEAD_BYTES];
    dc_put64(text, token);
    dc_channels_seal(t.node[node], to, text, sizeof text, 0, frame, &t.out);
    if (t.config[node].charged)
        memcpy(frame + DC_CHANNEL_HEADER_BYTES, text, sizeof text);
    wire_put(node, to, frame, sizeof frame);
}

static inline void frame_in(const struct wire *w, uint64_t token);

/* Carries out what a call at a node left. */
static inline void effects(uint32_t node, uint32_t peer)
{
    uint64_t token;
    enum dc_channel_item item;
    while (true) {
        for (uint32_t i = 0; i < t.out.count; i++) {
            const struct dc_effect *e = &t.out.list[i];
            if (e->kind == DC_EFFECT_SEND) {
                wire_put(node, e->to, e->bytes, e->size);
            } else if (e->kind == DC_EFFECT_TIMER) {
                CU_ASSERT_TRUE_FATAL(t.alarms < WIRE);
                t.alarm[t.alarms++] = (struct alarm){node, e->due_ns, e->timer};
            } else {
                t.notes[node][e->b]++;
                if (e->b == DC_CHANNEL_OPENED)
                    t.latency_ns = (int64_t)e->a;
            }
        }
        dc_effects_clear(&t.out);
        item = dc_channels_take(t.node[node], peer, &token);
        if (item == DC_CHANNEL_NOTHING)
            return;
        if (item == DC_CHANNEL_DROP)
            t.drops[node]++;
        else if (item == DC_CHANNEL_SEAL)
            seal(node, peer, token);
        else
            frame_in(&t.wire[token], token);
    }
}

static inline void frame_in(const struct wire *w, uint64_t token)
{
    uint8_t plain[768];
    bool charged = t.config[w->to].charged;
    if (dc_channels_open(t.node[w->to], w->from, w->bytes, w->size, 0, true, token, t.now_ns, plain,
                         &t.out) != DC_FRAME_OPENED)
        return;
    CU_ASSERT_EQUAL_FATAL(w->size, TEXT + DC_CHANNEL_OVERHEAD_BYTES);
    memcpy(t.got[w->to][t.gots[w->to]++], charged ? w->bytes + DC_CHANNEL_HEADER_BYTES : plain,
           TEXT);
}

static inline void hand(size_t wire)
{
    const struct wire *w = &t.wire[wire];
    if (w->bytes[0] == DC_MSG_FRAME)
        frame_in(w, wire);
    else
        dc_channels_hello(t.node[w->to], w->from, w->bytes, w->size, t.now_ns, &t.out);
    effects(w->to, w->from);
}

static inline void say(uint32_t from, uint32_t to, const char *text)
{
    if (dc_channels_send(t.node[from], to, token_of(text), t.now_ns, &t.out))
        seal(from, to, token_of(text));
    effects(from, to);
}

/* Delivers all that is on the wire, 10 ms each, in order. */
static inline void deliver(void)
{
    for (; t.at < t.wires; t.at++)
        if (!t.wire[t.at].gone) {
            t.now_ns += 10000000;
            hand(t.at);
        }
}

/* Lets time pass: alarms ring, in order; deliver: and what they send arrives. */
static inline void pass(int64_t by_ns, bool delivering)
{
    int64_t until_ns = t.now_ns + by_ns;
    for (;;) {
        size_t first = t.alarms;
        for (size_t i = 0; i < t.alarms; i++)
            if (t.alarm[i].due_ns <= until_ns &&
                (first == t.alarms || t.alarm[i].due_ns < t.alarm[first].due_ns))
                first = i;
        if (first == t.alarms)
            break;
        struct alarm a = t.alarm[first];
        t.alarm[first] = t.alarm[--t.alarms];
        t.now_ns = a.due_ns > t.now_ns ? a.due_ns : t.now_ns;
        uint32_t peer = dc_channels_timer(t.node[a.node], a.timer, t.now_ns, &t.out);
        effects(a.node, peer);
        if (delivering)
            deliver();
        else
            t.at = t.wires;
    }
    t.now_ns = until_ns > t.now_ns ? until_ns : t.now_ns;
}

static inline bool heard(uint32_t node, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < t.gots[node]; i++)
        count += strcmp(t.got[node][i], text) == 0;
    CU_ASSERT_TRUE(count <= 1);
    return count == 1;
}

#endif
