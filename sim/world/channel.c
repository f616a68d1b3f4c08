/* Channels of a run: what channel.h draws, at one node after another.
 *
 * Tokens (models/node/channel.h) are pointers with what they mean in their low bits: a packet and
 * the kind of its event, or a frame that came early.
 *
 * Modelled, not executed: the registrar's desk (every node has its certificate from the start; who
 * starts again on an empty disk gets one for its new keys at once); handshake timers run on
 * virtual time, whatever a node's clocks do; what is under way to a node keeps its kind for links'
 * accounts and filters, which an observer of sealed frames could only guess from sizes. */
#include "sim/world/channel.h"

#include "models/base/mem.h"
#include "models/ledger/vault.h"
#include "sim/world/faults.h"

enum {
    CHANNEL_PEERS_MAX = 4096,
    CHANNEL_QUEUE_MAX = 256,
    CHANNEL_TRIES = 4,
    CHANNEL_CONTROL_BYTES = 25, /* of an announcement or request: kind, digest */
    TOKEN_KIND = 7,
    TOKEN_EARLY = 8
};

/* --- tokens ----------------------------------------------------------------------------------- */

static uint64_t token_packet(const struct packet *p, enum world_event kind)
{
    return (uint64_t)(uintptr_t)p | (uint64_t)kind;
}

static struct packet *token_of(uint64_t token)
{
    return (struct packet *)(uintptr_t)(token & ~(uint64_t)15);
}

static void token_drop(void *ctx, uint64_t token)
{
    struct ds_world *w = ctx;
    if (token & TOKEN_EARLY) {
        struct world_early_frame *f = (struct world_early_frame *)token_of(token);
        world_packet_drop(w, (struct packet *)(uintptr_t)f->event.payload);
        dc_mem_free(f);
    } else {
        world_packet_drop(w, token_of(token));
    }
}

/* --- making ----------------------------------------------------------------------------------- */

static void channel_standing(const void *ctx, uint32_t peer, struct dc_channel_standing *out)
{
    const struct world_channel *c = ctx;
    const struct dc_block *final = c->w->node[c->node]->chain->final;
    const struct dc_account *a = dc_state_account(final->state, peer);
    out->height = final->header.height;
    out->serial = a != NULL ? a->serial : 0;
    out->revoked = a != NULL && a->revoked;
    out->registrars = &dc_state_vault(final->state)->registrars;
}

void world_channel_certify(struct ds_world *w, const struct dc_keypair *registrar, uint64_t subject,
                           uint64_t serial, const uint8_t exchange[32], uint8_t out[DC_CERT_BYTES])
{
    uint32_t node = subject < w->nodes ? (uint32_t)subject : 0;
    const struct dc_account *a = dc_state_account(dc_store_genesis(w->store)->state, node);
    const struct dc_renewal *r = w->node[node]->renewal;
    struct dc_cert cert = {.level = DC_CERT_NODE,
                           .roles = a->roles,
                           .chain = w->chain,
                           .serial = serial,
                           .subject = subject,
                           .issuer = UINT64_MAX,
                           .from_height = a->valid_from,
                           .end_height = a->valid_to};
    memcpy(cert.signing, r != NULL ? r->sign.public : a->sign_key, sizeof cert.signing);
    memcpy(cert.vrf, r != NULL ? r->vrf.public : a->vrf_key, sizeof cert.vrf);
    memcpy(cert.exchange, exchange, sizeof cert.exchange);
    dc_cert_sign(&w->crypto, registrar, &cert);
    dc_cert_encode(&cert, out);
}

void world_channel_config(struct ds_world *w, uint32_t node, struct dc_channels_config *out)
{
    const struct dc_renewal *r = w->node[node]->renewal;
    const struct dc_account *a = dc_state_account(dc_store_genesis(w->store)->state, node);
    uint64_t generation = r != NULL ? r->generation : 0;
    uint8_t seed[DC_SEED_BYTES];
    *out = (struct dc_channels_config){.crypto = &w->crypto,
                                       .trust = {.chain = w->chain},
                                       .id = node,
                                       .incarnation = w->incarnation[node],
                                       .peers_max = CHANNEL_PEERS_MAX,
                                       .queue_max = CHANNEL_QUEUE_MAX,
                                       .rekey = w->scenario->network.rekey,
                                       .timeout_ns = w->patience_ns,
                                       .tries = CHANNEL_TRIES,
                                       .charged = w->channels->charged,
                                       .standing = channel_standing,
                                       .ctx = &w->channels->node[node]};
    memcpy(out->trust.registrar_key, w->channels->registrar.public, DC_KEY_BYTES);
    dc_seed_derive(w->scenario->seed, node, DC_KEY_EXCHANGE, generation, seed);
    dc_exchange_from_seed(seed, &out->exchange);
    world_channel_certify(w, &w->channels->registrar, node,
                          r != NULL ? generation << 32 | node : a->serial, out->exchange.public,
                          out->certificate);
    out->certificate_size = DC_CERT_BYTES;
}

void world_channel_restart(struct ds_world *w, uint32_t node)
{
    struct world_channel *c = &w->channels->node[node];
    struct dc_channels_config config;
    dc_channels_destroy(c->channels, token_drop, w);
    world_channel_config(w, node, &config);
    c->channels = dc_channels_create(&config);
    c->registrar_nonce = 0;
}

enum dc_status world_channels_create(struct ds_world *w, struct dc_error *error)
{
    if (w->scenario->network.channels == DS_CHANNELS_OPEN)
        return DC_OK;
    struct world_channels *all = dc_mem_alloc(1, sizeof *all);
    w->channels = all;
    if (all == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for channels");
    all->charged = w->scenario->network.channels == DS_CHANNELS_CHARGED;
    all->node = dc_mem_alloc(w->nodes, sizeof *all->node);
    all->effects = dc_mem_alloc(w->threads, sizeof *all->effects);
    all->early = dc_mem_alloc(w->threads, sizeof *all->early);
    if (all->node == NULL || all->effects == NULL || all->early == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for channels of %u nodes", w->nodes);
    dc_node_keys(w->scenario->seed, UINT32_MAX, &all->registrar, NULL);
    for (uint32_t n = 0; n < w->nodes; n++) {
        all->node[n].w = w;
        all->node[n].node = n;
        world_channel_restart(w, n);
    }
    return DC_OK;
}

void world_channels_free(struct ds_world *w)
{
    struct world_channels *all = w->channels;
    if (all == NULL)
        return;
    for (uint32_t n = 0; all->node != NULL && n < w->nodes; n++) {
        dc_channels_destroy(all->node[n].channels, token_drop, w);
        world_mitm_forget(w, &all->node[n]);
    }
    for (uint32_t i = 0; i < w->threads; i++) {
        if (all->effects != NULL)
            dc_effects_free(&all->effects[i]);
        if (all->early != NULL)
            dc_mem_free(all->early[i].list);
    }
    dc_mem_free(all->node);
    dc_mem_free(all->effects);
    dc_mem_free(all->early);
    dc_mem_free(all->mitm);
    dc_mem_free(all);
    w->channels = NULL;
}

/* --- frames ----------------------------------------------------------------------------------- */

/* What a channel seals of a packet that leaves as an event of a kind. */
static const uint8_t *channel_plain(const struct packet *p, enum world_event kind,
                                    uint8_t control[CHANNEL_CONTROL_BYTES], size_t *size,
                                    uint64_t *bulk)
{
    *size = p->payload.size;
    *bulk = p->bulk;
    if (kind != EV_ANNOUNCE && kind != EV_PULL)
        return p->payload.bytes;
    memset(control, 0, CHANNEL_CONTROL_BYTES);
    control[0] = kind == EV_PULL ? KIND_PULL : KIND_ANNOUNCE;
    dc_put64(control + 1, p->digest);
    *size = CHANNEL_CONTROL_BYTES;
    *bulk = 0;
    return control;
}

/* A frame's packet, which takes over the reference to what it carries. */
static struct packet *channel_frame(struct ds_world *w, uint32_t node, const uint8_t *frame,
                                    size_t size, struct packet *inner)
{
    struct packet *p = world_packet(w, node, frame, size, 0);
    p->inner = inner;
    p->counted = inner->counted;
    /* Of what both kinds of channels have: their traces are the same. */
    p->digest = dc_mix64(inner->digest ^ ds_digest_bytes(frame, DC_CHANNEL_HEADER_BYTES));
    return p;
}

static void channel_seal(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst,
                         struct packet *p, enum world_event kind, int64_t now_ns)
{
    struct world_channels *all = w->channels;
    struct dc_effects *out = &all->effects[shard];
    uint8_t control[CHANNEL_CONTROL_BYTES], header[DC_CHANNEL_HEADER_BYTES], *frame = header;
    size_t size;
    uint64_t bulk;
    const uint8_t *plain = channel_plain(p, kind, control, &size, &bulk);
    if (!all->charged)
        frame = dc_mem_need(size + DC_CHANNEL_OVERHEAD_BYTES, 1, "a frame");
    dc_effects_clear(out);
    dc_channels_seal(all->node[src].channels, dst, plain, size, bulk, frame, out);
    int64_t leave_ns = world_work(w, shard, src, out->charge, now_ns);
    struct packet *q = channel_frame(
        w, src, frame, all->charged ? sizeof header : size + DC_CHANNEL_OVERHEAD_BYTES, p);
    if (frame != header)
        dc_mem_free(frame);
    world_send_raw(w, shard, src, dst, q, kind, leave_ns);
    world_packet_drop(w, q);
}

/* --- what a call left ------------------------------------------------------------------------- */

static void channel_hello_out(struct ds_world *w, uint32_t shard, uint32_t node,
                              const struct dc_effect *e, int64_t leave_ns)
{
    if (w->channels->mitms != 0 && world_mitm_between(w, node, e->to))
        world_mitm_seen(w, node, e->to, e->bytes, e->size, leave_ns);
    struct packet *p = world_packet(w, node, e->bytes, e->size, 0);
    world_send_raw(w, shard, node, e->to, p, EV_MESSAGE, leave_ns);
    world_packet_drop(w, p);
}

static void channel_effects(struct ds_world *w, uint32_t shard, uint32_t node, int64_t now_ns)
{
    struct dc_effects *out = &w->channels->effects[shard];
    int64_t leave_ns = world_work(w, shard, node, out->charge, now_ns);
    for (uint32_t i = 0; i < out->count; i++) {
        const struct dc_effect *e = &out->list[i];
        if (e->kind == DC_EFFECT_SEND)
            channel_hello_out(w, shard, node, e, leave_ns);
        else if (e->kind == DC_EFFECT_NOTE)
            world_note(w, shard, node, e, leave_ns);
        else
            world_post_self(w, shard, node, e->due_ns > now_ns ? e->due_ns : now_ns + 1,
                            EV_CHANNEL | w->incarnation[node] << 8, e->timer);
    }
    dc_effects_clear(out);
}

static void channel_early(struct ds_world *w, uint32_t shard, uint64_t token)
{
    struct world_early *early = &w->channels->early[shard];
    if (early->count == early->count_max) {
        early->count_max = early->count_max == 0 ? 16 : 2 * early->count_max;
        early->list = dc_mem_grow(early->list, early->count_max, sizeof *early->list);
        DC_CHECK(early->list != NULL);
    }
    early->list[early->count++] = (struct world_early_frame *)token_of(token);
}

/* Effects of a call, then messages that waited, each when the processor has come to it. */
static void channel_after(struct ds_world *w, uint32_t shard, uint32_t node, uint32_t peer,
                          int64_t now_ns)
{
    struct dc_channels *c = w->channels->node[node].channels;
    enum dc_channel_item item;
    uint64_t token;
    channel_effects(w, shard, node, now_ns);
    while ((item = dc_channels_take(c, peer, &token)) != DC_CHANNEL_NOTHING) {
        if (item == DC_CHANNEL_SEAL)
            channel_seal(w, shard, node, peer, token_of(token),
                         (enum world_event)(token & TOKEN_KIND), now_ns);
        else if (item == DC_CHANNEL_FRAME)
            channel_early(w, shard, token);
        else
            token_drop(w, token);
    }
}

/* Frames that a handshake's end has made readable.  Never within the step of another message. */
static void channel_early_frames(struct ds_world *w, uint32_t shard, const struct ds_event *cause,
                                 int64_t now_ns)
{
    struct world_early *early = &w->channels->early[shard];
    for (uint32_t i = 0; i < early->count; i++) {
        struct world_early_frame *f = early->list[i];
        struct packet *p = (struct packet *)(uintptr_t)f->event.payload;
        int64_t ready_ns = now_ns;
        f->event.time_ns = cause->time_ns;
        struct packet *plain = world_channel_receive(w, shard, &f->event, p, &ready_ns);
        if (plain != NULL)
            world_dispatch_plain(w, shard, &f->event, plain, ready_ns);
        world_packet_drop(w, p);
        dc_mem_free(f);
    }
    early->count = 0;
}

/* --- sending ---------------------------------------------------------------------------------- */

void world_channel_send(struct ds_world *w, uint32_t shard, uint32_t src, uint32_t dst,
                        struct packet *p, enum world_event kind, int64_t now_ns)
{
    struct dc_effects *out = &w->channels->effects[shard];
    if (src == dst) { /* its own loop: no channel, but its turn */
        int64_t busy_ns = w->busy_ns[src];
        world_send_raw(w, shard, src, dst, p, kind, now_ns > busy_ns ? now_ns : busy_ns);
        return;
    }
    world_packet_hold(p, 1); /* the frame's, or the queue's */
    dc_effects_clear(out);
    if (dc_channels_send(w->channels->node[src].channels, dst, token_packet(p, kind), now_ns, out))
        channel_seal(w, shard, src, dst, p, kind, now_ns);
    else
        channel_after(w, shard, src, dst, now_ns);
}

/* --- receiving -------------------------------------------------------------------------------- */

static void channel_hello_in(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                             const uint8_t *bytes, size_t size, int64_t ready_ns)
{
    dc_effects_clear(&w->channels->effects[shard]);
    dc_channels_hello(w->channels->node[e->dst].channels, e->src, bytes, size, ready_ns,
                      &w->channels->effects[shard]);
    channel_after(w, shard, e->dst, e->src, ready_ns);
    channel_early_frames(w, shard, e, ready_ns);
}

/* True when what a frame was opened to is what was sealed; it always is. */
static bool channel_same(const struct packet *p, enum world_event kind, const uint8_t *opened)
{
    uint8_t control[CHANNEL_CONTROL_BYTES];
    size_t size;
    uint64_t bulk;
    const uint8_t *plain = channel_plain(p->inner, kind, control, &size, &bulk);
    return memcmp(plain, opened, size) == 0;
}

static struct packet *channel_frame_in(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                                       struct packet *p, int64_t *ready_ns)
{
    struct world_channels *all = w->channels;
    struct dc_effects *out = &all->effects[shard];
    enum world_event kind = (enum world_event)(e->kind & 0xff);
    uint8_t control[CHANNEL_CONTROL_BYTES], *opened = NULL;
    size_t size;
    uint64_t bulk;
    (void)channel_plain(p->inner, kind, control, &size, &bulk);
    if (!all->charged)
        opened = dc_mem_need(size + 1, 1, "a frame");
    struct world_early_frame *f = dc_mem_need(1, sizeof *f, "an early frame");
    f->event = *e;
    dc_effects_clear(out);
    enum dc_channel_verdict verdict = dc_channels_open(
        all->node[e->dst].channels, e->src, p->data, size + DC_CHANNEL_OVERHEAD_BYTES, bulk,
        !p->spoiled, (uint64_t)(uintptr_t)f | TOKEN_EARLY, *ready_ns, opened, out);
    if (verdict == DC_FRAME_OPENED && opened != NULL)
        DC_CHECK(!p->spoiled && channel_same(p, kind, opened));
    dc_mem_free(opened);
    if (verdict == DC_FRAME_EARLY)
        world_packet_hold(p, 1);
    else
        dc_mem_free(f);
    channel_after(w, shard, e->dst, e->src, *ready_ns);
    if (verdict != DC_FRAME_OPENED)
        return NULL;
    if (w->busy_ns[e->dst] > *ready_ns)
        *ready_ns = w->busy_ns[e->dst];
    return p->inner;
}

struct packet *world_channel_receive(struct ds_world *w, uint32_t shard, const struct ds_event *e,
                                     struct packet *p, int64_t *ready_ns)
{
    uint8_t instead[DC_CHANNEL_HELLO_MAX];
    if (e->src == e->dst)
        return p;
    if (w->channels->mitms != 0 && world_mitm_between(w, e->dst, e->src)) {
        size_t size = world_mitm_instead(w, shard, e->dst, e->src, p, *ready_ns, instead);
        if (size != 0)
            channel_hello_in(w, shard, e, instead, size, *ready_ns);
        return NULL;
    }
    if (p->inner != NULL)
        return channel_frame_in(w, shard, e, p, ready_ns);
    channel_hello_in(w, shard, e, p->payload.bytes, p->payload.size, *ready_ns);
    return NULL;
}

void world_channel_timer(struct ds_world *w, uint32_t shard, const struct ds_event *e)
{
    struct dc_effects *out = &w->channels->effects[shard];
    if (e->kind >> 8 != (w->incarnation[e->dst] & 0xffffff))
        return;
    dc_effects_clear(out);
    uint32_t peer =
        dc_channels_timer(w->channels->node[e->dst].channels, e->payload, e->time_ns, out);
    channel_after(w, shard, e->dst, peer, e->time_ns);
}

void world_channel_commit(struct ds_world *w, uint32_t node)
{
    struct world_channel *c = &w->channels->node[node];
    uint64_t nonce = dc_state_meta(w->node[node]->chain->final->state)->registrar_nonce, token;
    if (nonce == c->registrar_nonce)
        return;
    c->registrar_nonce = nonce;
    dc_channels_review(c->channels);
    while (dc_channels_take(c->channels, UINT32_MAX, &token) == DC_CHANNEL_DROP)
        token_drop(w, token);
}

struct packet *world_channel_mangle(struct ds_world *w, const struct packet *p,
                                    enum world_event kind, uint64_t seed)
{
    uint8_t control[CHANNEL_CONTROL_BYTES];
    size_t size;
    uint64_t bulk;
    (void)channel_plain(p->inner, kind, control, &size, &bulk);
    size += DC_CHANNEL_OVERHEAD_BYTES;
    uint8_t *bytes = dc_mem_need(size, 1, "a corrupted frame");
    size_t have = w->channels->charged ? DC_CHANNEL_HEADER_BYTES : size;
    memcpy(bytes, p->data, have);
    world_flip(bytes, size, seed);
    world_packet_hold(p->inner, 1);
    struct packet *q = channel_frame(w, p->origin, bytes, have, p->inner);
    q->digest = dc_mix64(q->digest ^ seed);
    q->spoiled = true;
    dc_mem_free(bytes);
    return q;
}
