/* Handshakes of channels: who says what is drawn in channel.h.
 *
 *   DC_MSG_HANDSHAKE 1 | enum dc_channel_hello 1 | a Noise message, or what the kind holds
 *
 * Costs: each X25519 and making an ephemeral key is DC_COST_EXCHANGE; hashing, which is little, is
 * counted as CHANNEL_HASHES for each message; a certificate is one verification. */
#include "models/node/channel_impl.h"

#include "models/base/mem.h"
#include "models/wire/block.h"

enum { HELLO_HEAD = 2, HELLO_PROLOGUE = 16 + 24, CHANNEL_HASHES = 16 };

/* --- pieces ----------------------------------------------------------------------------------- */

void dc_channel_forget(struct channel_opening **o)
{
    dc_mem_free(*o);
    *o = NULL;
}

static void hello_ephemeral(struct dc_channels *c, struct dc_exchange *out)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_CHANNEL);
    dc_hasher_update(&h, c->config.exchange.secret, sizeof c->config.exchange.secret);
    dc_hasher_update64(&h, c->config.incarnation);
    dc_hasher_update64(&h, c->keys++);
    struct dc_hash seed = dc_hasher_final(&h);
    dc_exchange_from_seed(seed.b, out);
}

static void hello_noise(struct dc_channels *c, const struct channel *ch, bool initiator, bool ik,
                        struct dc_noise *out, struct dc_effects *effects)
{
    uint8_t prologue[HELLO_PROLOGUE] = "destra/channel/1";
    struct dc_exchange ephemeral;
    dc_put64(prologue + 16, c->config.trust.chain);
    dc_put64(prologue + 24, initiator ? c->config.id : ch->peer);
    dc_put64(prologue + 32, initiator ? ch->peer : c->config.id);
    hello_ephemeral(c, &ephemeral);
    effects->charge[DC_COST_EXCHANGE]++;
    const struct dc_noise_config config = {.pattern = ik ? "IK" : "XX",
                                           .initiator = initiator,
                                           .prologue = prologue,
                                           .prologue_size = sizeof prologue,
                                           .own = &c->config.exchange,
                                           .ephemeral = &ephemeral,
                                           .remote = ch->remote};
    DC_CHECK(dc_noise_begin(out, &config));
}

static void hello_charge(const struct dc_noise *n, struct dc_effects *out)
{
    out->charge[DC_COST_EXCHANGE] += dc_noise_exchanges(n);
    out->charge[DC_COST_HASH] += CHANNEL_HASHES;
}

/* The next message of o's handshake into o->sent.  False: the peer's key gives a zero point. */
static bool hello_write(struct dc_channels *c, struct channel_opening *o,
                        enum dc_channel_hello kind, bool certificate, struct dc_effects *out)
{
    size_t size;
    hello_charge(&o->noise, out);
    o->sent[0] = DC_MSG_HANDSHAKE;
    o->sent[1] = (uint8_t)kind;
    if (!dc_noise_write(&o->noise, c->config.certificate,
                        certificate ? c->config.certificate_size : 0, o->sent + HELLO_HEAD,
                        sizeof o->sent - HELLO_HEAD, &size))
        return false;
    o->sent_size = HELLO_HEAD + size;
    return true;
}

static void hello_timer(struct dc_channels *c, const struct channel *ch, struct channel_opening *o,
                        int64_t due_ns, struct dc_effects *out)
{
    o->timer = ++c->timers;
    dc_effect_timer(out, due_ns, (uint64_t)ch->peer << 32 | o->timer);
}

static void hello_send(struct dc_channels *c, const struct channel *ch, struct channel_opening *o,
                       int64_t now_ns, struct dc_effects *out)
{
    dc_effect_send(out, ch->peer, o->sent, o->sent_size);
    hello_timer(c, ch, o, now_ns + c->config.timeout_ns, out);
}

static void hello_session(const struct dc_noise *n, struct channel_session *s)
{
    memset(s, 0, sizeof *s);
    dc_noise_split(n, &s->send, &s->receive[1]);
    s->receive[0] = s->receive[1];
    struct dc_hash id = dc_hash_bytes(DC_DOMAIN_CHANNEL, n->h, sizeof n->h);
    s->id = dc_hash_u64(&id);
    s->live = true;
}

static void hello_confirm(struct dc_channels *c, const struct channel *ch,
                          struct channel_session *s, struct dc_effects *out)
{
    uint8_t bytes[HELLO_HEAD + 16 + DC_NOISE_TAG_BYTES] = {DC_MSG_HANDSHAKE, DC_HELLO_CONFIRM};
    dc_put64(bytes + HELLO_HEAD, s->id);
    dc_put64(bytes + HELLO_HEAD + 8, dc_channel_counter(c, s, out));
    DC_CHECK(dc_noise_seal(&s->send, bytes, HELLO_HEAD + 16, NULL, 0, bytes + HELLO_HEAD + 16));
    out->charge[DC_COST_FRAME]++;
    dc_effect_send(out, ch->peer, bytes, sizeof bytes);
}

/* A session is the one in use from here on; what waits may go. */
static void hello_establish(struct channel *ch, const struct channel_session *s,
                            const uint8_t remote[32])
{
    if (ch->now.live)
        ch->old = ch->now;
    ch->now = *s;
    ch->renewing = false;
    ch->known = true;
    memcpy(ch->remote, remote, sizeof ch->remote);
    ch->early_due = ch->early.count;
}

void dc_channel_promote(struct dc_channels *c, struct channel *ch)
{
    struct channel_session s = ch->next;
    ch->next.live = false;
    hello_establish(ch, &s, ch->remote);
    c->counts.answered++;
    if (ch->begun != NULL && ch->begun->stage == CHANNEL_WAITS)
        dc_channel_forget(&ch->begun);
}

/* --- certificates ----------------------------------------------------------------------------- */

static enum dc_channel_outcome hello_outcome(enum dc_cert_verdict verdict)
{
    switch (verdict) {
    case DC_CERT_OK: return DC_CHANNEL_OPENED;
    case DC_CERT_EARLY:
    case DC_CERT_EXPIRED: return DC_CHANNEL_EXPIRED;
    case DC_CERT_MALFORMED: return DC_CHANNEL_BAD;
    case DC_CERT_REVOKED: return DC_CHANNEL_REVOKED;
    default: return DC_CHANNEL_FOREIGN;
    }
}

/* Whether what the peer has shown makes this static key the peer's. */
static enum dc_channel_outcome hello_identity(struct dc_channels *c, uint32_t peer,
                                              const uint8_t *bytes, size_t size,
                                              const uint8_t remote[32], struct dc_effects *out)
{
    struct dc_channel_standing standing = {0};
    struct dc_cert cert;
    struct dc_trust trust = c->config.trust;
    c->config.standing(c->config.ctx, peer, &standing);
    trust.registrars = standing.registrars;
    out->charge[DC_COST_VERIFY] += size > DC_CERT_BYTES ? 2 : 1;
    enum dc_channel_outcome outcome = hello_outcome(
        dc_trust_check(c->config.crypto, &trust, bytes, size, standing.height, 0, &cert));
    if (outcome != DC_CHANNEL_OPENED)
        return outcome;
    if (cert.subject != peer)
        return DC_CHANNEL_OTHER;
    if (memcmp(cert.exchange, remote, sizeof cert.exchange) != 0)
        return DC_CHANNEL_KEY;
    if (standing.revoked)
        return DC_CHANNEL_REVOKED;
    return cert.serial < standing.serial ? DC_CHANNEL_OLD : DC_CHANNEL_OPENED;
}

/* Reads the peer's next message on a copy of the state, and its certificate where one belongs there.
 * Anything but DC_CHANNEL_OPENED leaves the original to go on from. */
static enum dc_channel_outcome hello_read(struct dc_channels *c, uint32_t peer,
                                          const struct dc_noise *from, const uint8_t *bytes,
                                          size_t size, struct dc_noise *to, struct dc_effects *out)
{
    uint8_t payload[DC_CERT_CHAIN_BYTES];
    size_t payload_size;
    *to = *from;
    hello_charge(to, out);
    if (!dc_noise_read(to, bytes + HELLO_HEAD, size - HELLO_HEAD, payload, sizeof payload,
                       &payload_size))
        return DC_CHANNEL_BAD;
    if (!to->known_static)
        return payload_size == 0 ? DC_CHANNEL_OPENED : DC_CHANNEL_BAD;
    return hello_identity(c, peer, payload, payload_size, to->remote, out);
}

/* --- who begins ------------------------------------------------------------------------------- */

void dc_channel_begin(struct dc_channels *c, struct channel *ch, bool retried, int64_t since_ns,
                      int64_t now_ns, struct dc_effects *out)
{
    struct channel_opening *o = dc_mem_need(1, sizeof *o, "a handshake");
    DC_CHECK(ch->begun == NULL);
    o->ik = ch->known;
    o->retried = retried;
    o->since_ns = since_ns;
    c->counts.begun++;
    hello_noise(c, ch, true, o->ik, &o->noise, out);
    /* A peer's key that gives a zero point never passed hello_identity's handshake. */
    DC_CHECK(hello_write(c, o, o->ik ? DC_HELLO_IK1 : DC_HELLO_XX1, o->ik, out));
    ch->begun = o;
    hello_send(c, ch, o, now_ns, out);
}

/* XX2 or IK2. */
static void hello_second(struct dc_channels *c, struct channel *ch, bool ik, const uint8_t *bytes,
                         size_t size, int64_t now_ns, struct dc_effects *out)
{
    struct channel_opening *o = ch->begun;
    struct channel_session s;
    struct dc_noise noise;
    if (o == NULL || o->ik != ik || o->stage != CHANNEL_WAITS)
        return; /* repeated, or too late */
    enum dc_channel_outcome outcome = hello_read(c, ch->peer, &o->noise, bytes, size, &noise, out);
    if (outcome != DC_CHANNEL_OPENED) {
        dc_channel_refuse(c, outcome, out);
        return;
    }
    struct dc_noise before = o->noise;
    o->noise = noise;
    if (!ik && !hello_write(c, o, DC_HELLO_XX3, true, out)) {
        o->noise = before;
        dc_channel_refuse(c, DC_CHANNEL_BAD, out);
        return;
    }
    hello_session(&o->noise, &s);
    hello_establish(ch, &s, noise.remote);
    c->counts.opened++;
    dc_effect_note(out, DC_NOTE_CHANNEL, (uint64_t)(now_ns - o->since_ns), DC_CHANNEL_OPENED);
    if (ik) {
        hello_confirm(c, ch, &ch->now, out);
        dc_channel_forget(&ch->begun);
        return;
    }
    o->stage = CHANNEL_CONFIRMS;
    o->session = s.id;
    o->tries = 0;
    hello_send(c, ch, o, now_ns, out);
}

/* --- who answers ------------------------------------------------------------------------------ */

static void hello_retry(const struct channel *ch, const uint8_t *bytes, struct dc_effects *out)
{
    uint8_t answer[HELLO_HEAD + 8] = {DC_MSG_HANDSHAKE, DC_HELLO_RETRY};
    memcpy(answer + HELLO_HEAD, bytes + HELLO_HEAD, 8);
    dc_effect_send(out, ch->peer, answer, sizeof answer);
}

/* XX1 or IK1. */
static void hello_first(struct dc_channels *c, struct channel *ch, bool ik, const uint8_t *bytes,
                        size_t size, int64_t now_ns, struct dc_effects *out)
{
    struct dc_hash digest = dc_hash_bytes(DC_DOMAIN_CHANNEL, bytes, size);
    struct channel_opening *a = ch->answered;
    struct dc_noise noise;
    if (ch->begun != NULL && ch->begun->stage == CHANNEL_WAITS && c->config.id < ch->peer)
        return; /* both have begun: ours is answered */
    if (a != NULL && dc_hash_equal(&a->first, &digest)) {
        dc_effect_send(out, ch->peer, a->sent, a->sent_size);
        return;
    }
    if (size < HELLO_HEAD + 32) {
        dc_channel_refuse(c, DC_CHANNEL_BAD, out);
        return;
    }
    struct channel_opening *o = dc_mem_need(1, sizeof *o, "a handshake");
    o->ik = ik;
    o->first = digest;
    o->since_ns = now_ns;
    hello_noise(c, ch, false, ik, &noise, out);
    enum dc_channel_outcome outcome = hello_read(c, ch->peer, &noise, bytes, size, &o->noise, out);
    if (outcome == DC_CHANNEL_OPENED &&
        !hello_write(c, o, ik ? DC_HELLO_IK2 : DC_HELLO_XX2, true, out))
        outcome = DC_CHANNEL_BAD;
    if (outcome != DC_CHANNEL_OPENED) {
        dc_channel_refuse(c, outcome, out);
        if (ik && outcome == DC_CHANNEL_BAD)
            hello_retry(ch, bytes, out);
        dc_channel_forget(&o);
        return;
    }
    dc_channel_forget(&ch->answered);
    dc_channel_drop_early(c, ch);
    ch->answered = o;
    if (ik) { /* perhaps a replay: what its session is worth shows when it is used */
        o->stage = CHANNEL_DONE;
        hello_session(&o->noise, &ch->next);
        memcpy(ch->remote, o->noise.remote, sizeof ch->remote);
        ch->known = true;
    }
    dc_effect_send(out, ch->peer, o->sent, o->sent_size);
    hello_timer(c, ch, o, now_ns + c->config.timeout_ns * c->config.tries, out);
}

static void hello_third(struct dc_channels *c, struct channel *ch, const uint8_t *bytes,
                        size_t size, struct dc_effects *out)
{
    struct dc_hash digest = dc_hash_bytes(DC_DOMAIN_CHANNEL, bytes, size);
    struct channel_opening *o = ch->answered;
    struct channel_session s, *known;
    struct dc_noise noise;
    if (o == NULL || o->ik)
        return;
    if (o->stage == CHANNEL_DONE) { /* said again: our confirmation was lost */
        known = dc_channel_session(ch, o->session);
        if (known != NULL && dc_hash_equal(&o->last, &digest))
            hello_confirm(c, ch, known, out);
        return;
    }
    enum dc_channel_outcome outcome = hello_read(c, ch->peer, &o->noise, bytes, size, &noise, out);
    if (outcome != DC_CHANNEL_OPENED) {
        dc_channel_refuse(c, outcome, out);
        return;
    }
    o->noise = noise;
    o->last = digest;
    o->stage = CHANNEL_DONE;
    hello_session(&noise, &s);
    s.proved = true;
    o->session = s.id;
    hello_establish(ch, &s, noise.remote);
    c->counts.answered++;
    hello_confirm(c, ch, &ch->now, out);
    if (ch->begun != NULL && ch->begun->stage == CHANNEL_WAITS)
        dc_channel_forget(&ch->begun);
}

/* --- the small ones --------------------------------------------------------------------------- */

static void hello_confirmed(struct dc_channels *c, struct channel *ch, const uint8_t *bytes,
                            size_t size, struct dc_effects *out)
{
    struct dc_noise_cipher key[2];
    uint8_t none[1];
    out->charge[DC_COST_FRAME]++;
    if (size != HELLO_HEAD + 16 + DC_NOISE_TAG_BYTES) {
        dc_channel_refuse(c, DC_CHANNEL_BAD, out);
        return;
    }
    uint64_t counter = dc_get64(bytes + HELLO_HEAD + 8);
    struct channel_session *s = dc_channel_session(ch, dc_get64(bytes + HELLO_HEAD));
    enum dc_channel_outcome outcome =
        s == NULL ? DC_CHANNEL_UNKNOWN : dc_channel_receive_key(c, s, counter, key, out);
    if (outcome == DC_CHANNEL_OPENED &&
        !dc_noise_open(&key[1], bytes, HELLO_HEAD + 16, bytes + HELLO_HEAD + 16, DC_NOISE_TAG_BYTES,
                       none))
        outcome = DC_CHANNEL_FORGED;
    if (outcome != DC_CHANNEL_OPENED)
        dc_channel_refuse(c, outcome, out);
    else
        dc_channel_received(c, ch, s, counter, key);
}

void dc_channel_tell_reset(struct dc_channels *c, uint32_t peer, struct channel *ch,
                           uint64_t session, int64_t now_ns, struct dc_effects *out)
{
    uint8_t bytes[HELLO_HEAD + 8] = {DC_MSG_HANDSHAKE, DC_HELLO_RESET};
    if (ch == NULL && c->count < c->config.peers_max)
        ch = dc_channel_need(c, peer);
    if (ch != NULL && ch->told && now_ns - ch->told_ns < c->config.timeout_ns)
        return;
    if (ch != NULL) {
        ch->told = true;
        ch->told_ns = now_ns;
    }
    dc_put64(bytes + HELLO_HEAD, session);
    dc_effect_send(out, peer, bytes, sizeof bytes);
}

/* The peer does not know the session in use, or somebody says so: a new handshake, which proves who
 * it is.  Meanwhile nothing is sent. */
static void hello_reset(struct dc_channels *c, struct channel *ch, const uint8_t *bytes,
                        size_t size, int64_t now_ns, struct dc_effects *out)
{
    bool waits = ch->begun != NULL && ch->begun->stage == CHANNEL_WAITS;
    if (size != HELLO_HEAD + 8 || !ch->now.live || dc_get64(bytes + HELLO_HEAD) != ch->now.id ||
        waits || (ch->reset && now_ns - ch->reset_ns < c->config.timeout_ns))
        return;
    dc_channel_forget(&ch->begun);
    ch->reset = true;
    ch->reset_ns = now_ns;
    ch->renewing = true;
    c->counts.resets++;
    dc_channel_begin(c, ch, false, now_ns, now_ns, out);
}

/* The peer's key is not what we know, or somebody says so: XX, once, and its certificate decides. */
static void hello_again(struct dc_channels *c, struct channel *ch, const uint8_t *bytes,
                        size_t size, int64_t now_ns, struct dc_effects *out)
{
    struct channel_opening *o = ch->begun;
    if (o == NULL || !o->ik || o->stage != CHANNEL_WAITS || o->retried || size != HELLO_HEAD + 8 ||
        memcmp(bytes + HELLO_HEAD, o->noise.ephemeral.public, 8) != 0)
        return;
    int64_t since_ns = o->since_ns;
    dc_channel_forget(&ch->begun);
    ch->known = false;
    dc_channel_begin(c, ch, true, since_ns, now_ns, out);
}

void dc_channels_hello(struct dc_channels *c, uint32_t peer, const void *message, size_t size,
                       int64_t now_ns, struct dc_effects *out)
{
    const uint8_t *bytes = message;
    struct channel *ch = dc_channel_need(c, peer);
    uint8_t kind = size >= HELLO_HEAD && bytes[0] == DC_MSG_HANDSHAKE ? bytes[1] : 0;
    out->charge[DC_COST_MESSAGE]++;
    if (ch == NULL || kind == 0 || size > DC_CHANNEL_HELLO_MAX) {
        dc_channel_refuse(c, ch == NULL ? DC_CHANNEL_FULL : DC_CHANNEL_BAD, out);
        return;
    }
    switch (kind) {
    case DC_HELLO_XX1:
    case DC_HELLO_IK1: hello_first(c, ch, kind == DC_HELLO_IK1, bytes, size, now_ns, out); break;
    case DC_HELLO_XX2:
    case DC_HELLO_IK2: hello_second(c, ch, kind == DC_HELLO_IK2, bytes, size, now_ns, out); break;
    case DC_HELLO_XX3: hello_third(c, ch, bytes, size, out); break;
    case DC_HELLO_CONFIRM: hello_confirmed(c, ch, bytes, size, out); break;
    case DC_HELLO_RESET: hello_reset(c, ch, bytes, size, now_ns, out); break;
    case DC_HELLO_RETRY: hello_again(c, ch, bytes, size, now_ns, out); break;
    default: dc_channel_refuse(c, DC_CHANNEL_BAD, out);
    }
}

/* --- timers ----------------------------------------------------------------------------------- */

/* What we began came to nothing: back to the session before, where there is one. */
static void hello_give_up(struct dc_channels *c, struct channel *ch, struct dc_effects *out)
{
    struct channel_opening *o = ch->begun;
    dc_channel_refuse(c, DC_CHANNEL_TIMEOUT, out);
    if (o->stage == CHANNEL_CONFIRMS && ch->now.live && ch->now.id == o->session) {
        ch->now = ch->old;
        ch->old.live = false;
    }
    dc_channel_forget(&ch->begun);
    ch->known = false; /* its key may be another by now */
    ch->renewing = false;
    if (!ch->now.live)
        dc_channel_drop_out(c, ch);
}

static void hello_begun_due(struct dc_channels *c, struct channel *ch, int64_t now_ns,
                            struct dc_effects *out)
{
    struct channel_opening *o = ch->begun;
    if (++o->tries >= c->config.tries) {
        hello_give_up(c, ch, out);
        return;
    }
    /* While we answer the peer's own, ours is not pressed. */
    if (o->stage == CHANNEL_WAITS && ch->answered != NULL && c->config.id > ch->peer)
        hello_timer(c, ch, o, now_ns + c->config.timeout_ns, out);
    else
        hello_send(c, ch, o, now_ns, out);
}

uint32_t dc_channels_timer(struct dc_channels *c, uint64_t timer, int64_t now_ns,
                           struct dc_effects *out)
{
    uint32_t peer = (uint32_t)(timer >> 32), number = (uint32_t)timer;
    struct channel *ch = dc_channel_find(c, peer);
    if (ch == NULL)
        return peer;
    if (ch->begun != NULL && ch->begun->timer == number) {
        hello_begun_due(c, ch, now_ns, out);
    } else if (ch->answered != NULL && ch->answered->timer == number) {
        dc_channel_forget(&ch->answered);
        dc_channel_drop_early(c, ch);
        ch->next.live = false; /* nobody used it */
    } else {
        return peer;
    }
    if (ch->out.count > 0 && !dc_channel_open(ch) && ch->begun == NULL && ch->answered == NULL)
        dc_channel_begin(c, ch, false, now_ns, now_ns, out);
    return peer;
}
