/* A man in the middle: the fault `mitm`.
 *
 * Between two nodes it takes every message away and says what it likes to either, in the other's
 * name, with keys of its own.  It runs the same protocol code as they do:
 *
 *     A  <---- man that faces A, as B ----  ----  man that faces B, as A ---->  B
 *
 *     A's XX1 on its way    the man facing A answers it: XX2' with a certificate
 *     A's XX1 at B's door   the man facing B puts its own XX1' there
 *     B's XX2 on its way    the man facing B reads it (and has B's certificate now), answers XX3'
 *     B's XX2 at A's door   XX2' is put there; A looks at the certificate, and refuses
 *
 * Of three certificates it has one, by pair: its own, which the registrar gave it under its own
 * name; one that it signed itself, in the peer's name; the peer's own, whose key it does not have.
 * IK1, which it cannot read, it answers RETRY; frames, which it cannot read either, it takes for
 * RESETs of their sessions.  So all that two nodes had between them ends, until the fault does.
 *
 * Each man belongs to the node that it faces, and is touched by that node's shard alone.
 *
 * Modelled, not executed: what the man says arrives in the place of what it takes, at that time, and
 * costs it no time; it says nothing when there is nothing to take. */
#include "models/base/mem.h"
#include "sim/world/channel.h"
#include "sim/world/faults.h"

enum { MAN_REPLIES = 4, MAN_OWN = 0, MAN_FORGED, MAN_STOLEN, MAN_KINDS };

struct world_man {
    struct world_man *next;
    uint32_t as; /* whom it pretends to be */
    struct dc_channels *channels;
    uint64_t timer; /* its latest: rings when it wants to say again what it said */
    uint8_t reply[MAN_REPLIES][DC_CHANNEL_HELLO_MAX];
    size_t size[MAN_REPLIES];
    uint32_t replies;
};

/* --- who stands where ------------------------------------------------------------------------- */

void world_mitm_begin(struct ds_world *w, struct world_occurrence *o)
{
    struct world_channels *all = w->channels;
    DC_CHECK(all != NULL); /* the scenario was refused otherwise */
    if (all->mitms == all->mitms_max) {
        all->mitms_max = all->mitms_max == 0 ? 4 : 2 * all->mitms_max;
        all->mitm = dc_mem_grow(all->mitm, all->mitms_max, sizeof *all->mitm);
        DC_CHECK(all->mitm != NULL);
    }
    all->mitm[all->mitms++] = o;
}

void world_mitm_end(struct ds_world *w, struct world_occurrence *o)
{
    struct world_channels *all = w->channels;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < all->mitms; i++)
        if (all->mitm[i] != o)
            all->mitm[kept++] = all->mitm[i];
    all->mitms = kept;
    for (uint32_t n = 0; kept == 0 && n < w->nodes; n++)
        world_mitm_forget(w, &all->node[n]);
}

bool world_mitm_between(const struct ds_world *w, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < w->channels->mitms; i++) {
        const struct world_targets *to = &w->channels->mitm[i]->to;
        if ((to->node[a] && to->other[b]) || (to->node[b] && to->other[a]))
            return true;
    }
    return false;
}

/* --- the men ---------------------------------------------------------------------------------- */

static void man_drop(void *ctx, uint64_t token)
{
    (void)ctx; /* it has nothing of its own to send */
    (void)token;
}

/* It believes whatever it is told. */
static void man_standing(const void *ctx, uint32_t peer, struct dc_channel_standing *out)
{
    const struct world_channel *c = ctx;
    (void)peer;
    out->height = c->w->node[c->node]->chain->final->header.height;
}

static struct dc_channels *man_create(struct ds_world *w, uint32_t node, uint32_t as)
{
    struct dc_channels_config config;
    uint8_t seed[DC_SEED_BYTES];
    struct dc_keypair own;
    uint64_t pair = dc_mix64(w->identity[node] ^ dc_mix64(w->identity[as]));
    world_channel_config(w, as, &config);
    config.standing = man_standing;
    config.ctx = &w->channels->node[node];
    config.incarnation = node;
    config.tries = UINT32_MAX;
    dc_seed_derive(w->scenario->seed, pair, DC_KEY_OTHER, dc_name("mitm"), seed);
    dc_exchange_from_seed(seed, &config.exchange);
    switch (pair % MAN_KINDS) {
    case MAN_OWN:
        world_channel_certify(w, &w->channels->registrar, UINT64_MAX - 1, 1, config.exchange.public,
                              config.certificate);
        break;
    case MAN_FORGED:
        dc_keypair_from_seed(seed, &own);
        world_channel_certify(w, &own, as, UINT64_MAX, config.exchange.public, config.certificate);
        break;
    default: break; /* stolen */
    }
    return dc_channels_create(&config);
}

static struct world_man *man_facing(struct ds_world *w, uint32_t node, uint32_t as)
{
    struct world_channel *c = &w->channels->node[node];
    for (struct world_man *m = c->man; m != NULL; m = m->next)
        if (m->as == as)
            return m;
    struct world_man *m = dc_mem_need(1, sizeof *m, "a man in the middle");
    m->as = as;
    m->channels = man_create(w, node, as);
    m->next = c->man;
    c->man = m;
    return m;
}

void world_mitm_forget(struct ds_world *w, struct world_channel *c)
{
    for (struct world_man *m = c->man, *next; m != NULL; m = next) {
        next = m->next;
        dc_channels_destroy(m->channels, man_drop, w);
        dc_mem_free(m);
    }
    c->man = NULL;
}

/* Keeps what the man's protocol code wants to say; of too much the oldest goes. */
static void man_says(struct world_man *m, const struct dc_effects *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        const struct dc_effect *e = &out->list[i];
        if (e->kind == DC_EFFECT_TIMER)
            m->timer = e->timer;
        if (e->kind != DC_EFFECT_SEND)
            continue;
        if (m->replies == MAN_REPLIES) {
            memmove(m->reply[0], m->reply[1], sizeof m->reply - sizeof m->reply[0]);
            memmove(&m->size[0], &m->size[1], sizeof m->size - sizeof m->size[0]);
            m->replies--;
        }
        memcpy(m->reply[m->replies], e->bytes, e->size);
        m->size[m->replies++] = e->size;
    }
}

void world_mitm_seen(struct ds_world *w, uint32_t node, uint32_t peer, const uint8_t *bytes,
                     size_t size, int64_t now_ns)
{
    struct dc_effects out = {0};
    struct world_man *m = man_facing(w, node, peer);
    dc_channels_hello(m->channels, node, bytes, size, now_ns, &out);
    man_says(m, &out);
    dc_effects_free(&out);
}

/* It opens a channel of its own to the node; or says so again. */
static void man_opens(struct world_man *m, uint32_t node, int64_t now_ns)
{
    struct dc_effects out = {0};
    uint64_t token;
    if (m->timer != 0)
        (void)dc_channels_timer(m->channels, m->timer, now_ns, &out);
    else
        (void)dc_channels_send(m->channels, node, 0, now_ns, &out);
    man_says(m, &out);
    while (dc_channels_take(m->channels, node, &token) != DC_CHANNEL_NOTHING)
        continue;
    dc_effects_free(&out);
}

size_t world_mitm_instead(struct ds_world *w, uint32_t shard, uint32_t node, uint32_t peer,
                          const struct packet *p, int64_t now_ns, uint8_t *out)
{
    struct world_man *m = man_facing(w, node, peer);
    w->shard[shard].intercepted++;
    if (m->replies == 0 && p->inner != NULL) { /* it cannot read a frame, but whose it is */
        out[0] = DC_MSG_HANDSHAKE;
        out[1] = DC_HELLO_RESET;
        memcpy(out + 2, p->data + 1, 8);
        return 10;
    }
    if (m->replies == 0)
        man_opens(m, node, now_ns);
    if (m->replies == 0)
        return 0;
    size_t size = m->size[0];
    memcpy(out, m->reply[0], size);
    m->replies--;
    memmove(m->reply[0], m->reply[1], sizeof m->reply - sizeof m->reply[0]);
    memmove(&m->size[0], &m->size[1], sizeof m->size - sizeof m->size[0]);
    return size;
}
