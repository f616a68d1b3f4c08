#include "models/client/app.h"

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/wire/tx.h"

/* By enum dc_app_kind. */
static const struct dc_app_class *const app_class[DC_APP_KINDS] = {
    [DC_APP_AUCTION] = &dc_app_auction,     [DC_APP_ESCROW] = &dc_app_escrow,
    [DC_APP_RATING] = &dc_app_rating,       [DC_APP_USAGE] = &dc_app_usage,
    [DC_APP_INFERENCE] = &dc_app_inference, [DC_APP_TRAINING] = &dc_app_training};

const struct dc_app_class *dc_app_class_of(uint8_t kind)
{
    return kind < DC_APP_KINDS ? app_class[kind] : NULL;
}

/* --- messages ------------------------------------------------------------------------------- */

bool dc_app_message_decode(const uint8_t *bytes, size_t size, struct dc_app_message *out)
{
    if (size < DC_APP_HEAD_BYTES || size > DC_APP_HEAD_BYTES + DC_APP_BODY_BYTES_MAX ||
        bytes[0] != DC_MSG_APP || bytes[1] >= DC_APP_KINDS)
        return false;
    *out = (struct dc_app_message){.kind = bytes[1],
                                   .number = dc_get32(bytes + 2),
                                   .step = bytes[6],
                                   .body = bytes + DC_APP_HEAD_BYTES,
                                   .size = (uint32_t)(size - DC_APP_HEAD_BYTES)};
    return true;
}

void dc_app_send(const struct dc_engagement *g, uint32_t to, uint8_t step, const void *body,
                 size_t size, struct dc_effects *out)
{
    DC_CHECK(size <= DC_APP_BODY_BYTES_MAX);
    uint8_t *bytes = dc_effects_bytes(out, DC_APP_HEAD_BYTES + size);
    bytes[0] = DC_MSG_APP;
    bytes[1] = g->call.kind;
    dc_put32(bytes + 2, g->call.number);
    bytes[6] = step;
    if (size != 0)
        memcpy(bytes + DC_APP_HEAD_BYTES, body, size);
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND);
    e->to = to;
    e->bytes = bytes;
    e->size = (uint32_t)(DC_APP_HEAD_BYTES + size);
}

/* --- what the world and the chain tell ------------------------------------------------------- */

static void app_note(const struct dc_app_call *call, uint64_t result, struct dc_effects *out)
{
    dc_effect_note(out, DC_NOTE_APP, (uint64_t)call->kind << 32 | call->number, result);
}

static void app_forget(struct dc_engagement *g)
{
    const struct dc_app_class *class = dc_app_class_of(g->call.kind);
    if (g->memory != NULL && class->end != NULL)
        class->end(g);
    g->memory = NULL;
}

static void app_end(struct dc_engagement *g)
{
    app_forget(g);
    for (uint32_t i = 0; i < DC_APP_SENT_MAX; i++)
        dc_mem_free(g->sent[i].bytes);
    dc_mem_free((void *)(uintptr_t)g->call.participant);
    dc_mem_free(g->record);
    memset(g, 0, sizeof *g);
}

static void app_participants(struct dc_engagement *g, const uint32_t *from)
{
    g->call.participant = NULL;
    if (g->call.count == 0 || from == NULL)
        return;
    uint32_t *own = dc_mem_need(g->call.count, sizeof *own, "an application's participants");
    memcpy(own, from, g->call.count * sizeof *own);
    g->call.participant = own;
}

void dc_apps_call(struct dc_apps *apps, const struct dc_app_env *env, const struct dc_input *in,
                  struct dc_effects *out)
{
    const struct dc_app_call *call = in->call->app;
    const struct dc_app_class *class = dc_app_class_of(call->kind);
    struct dc_engagement *g = NULL;
    for (uint32_t i = 0; i < DC_APPS_MAX && g == NULL; i++)
        if (!apps->at[i].live)
            g = &apps->at[i];
    if (class == NULL || g == NULL || call->count > DC_APP_PARTICIPANTS_MAX) {
        app_note(call, DC_APP_REFUSED, out);
        return;
    }
    *g = (struct dc_engagement){
        .call = *call, .live = true, .contract = DC_CONTRACT_NEW, .began_ns = in->now_ns};
    app_participants(g, call->participant);
    class->begin(g, env, in, out);
}

/* --- CALLs that are sent again ---------------------------------------------------------------- */

/* The account's nonce says whether it was executed.  One that was sent often enough keeps its
 * place: somebody may have it still, so that a second of its kind might be one too many. */
static void app_sent_step(struct dc_engagement *g, const struct dc_app_env *env,
                          struct dc_effects *out)
{
    uint64_t height = dc_state_meta(env->state)->height;
    for (uint32_t i = 0; i < DC_APP_SENT_MAX; i++) {
        struct dc_app_sent *s = &g->sent[i];
        if (s->bytes == NULL)
            continue;
        if (!dc_execute_nonce_free(dc_state_account(env->state, env->config->id), s->nonce)) {
            dc_mem_free(s->bytes);
            *s = (struct dc_app_sent){0};
        } else if (height >= s->height + DC_APP_SENT_HEIGHTS && s->tries < DC_APP_SENT_TRIES) {
            s->tries++;
            s->height = height;
            env->submit(env->submit_ctx, s->bytes, s->size, out);
        } else {
            continue;
        }
        g->changes++;
    }
}

bool dc_app_under_way(const struct dc_engagement *g)
{
    for (uint32_t i = 0; i < DC_APP_SENT_MAX; i++)
        if (g->sent[i].bytes != NULL)
            return true;
    return false;
}

uint64_t dc_apps_nonce(const struct dc_apps *apps)
{
    uint64_t nonce = 0;
    for (uint32_t i = 0; i < DC_APPS_MAX; i++)
        for (uint32_t k = 0; k < DC_APP_SENT_MAX; k++) {
            const struct dc_app_sent *s = &apps->at[i].sent[k];
            if (s->bytes != NULL && s->nonce >= nonce)
                nonce = s->nonce + 1;
        }
    return nonce;
}

void dc_apps_commit(struct dc_apps *apps, const struct dc_app_env *env, int64_t now_ns,
                    struct dc_effects *out)
{
    for (uint32_t i = 0; i < DC_APPS_MAX; i++)
        if (apps->at[i].live) {
            app_sent_step(&apps->at[i], env, out);
            dc_app_class_of(apps->at[i].call.kind)->commit(&apps->at[i], env, now_ns, out);
        }
}

void dc_apps_message(struct dc_apps *apps, const struct dc_app_env *env, const struct dc_input *in,
                     struct dc_effects *out)
{
    struct dc_app_message m;
    if (dc_app_message_decode(in->payload->bytes, in->payload->size, &m)) {
        const struct dc_app_class *class = dc_app_class_of(m.kind);
        for (uint32_t i = 0; class != NULL && class->message != NULL && i < DC_APPS_MAX; i++) {
            struct dc_engagement *g = &apps->at[i];
            if (!g->live || g->call.kind != m.kind || g->call.number != m.number)
                continue;
            class->message(g, env, in, out);
            return;
        }
    }
    dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_APP, 0);
}

void dc_apps_free(struct dc_apps *apps)
{
    for (uint32_t i = 0; i < DC_APPS_MAX; i++)
        if (apps->at[i].live)
            app_end(&apps->at[i]);
}

/* --- what is durable -------------------------------------------------------------------------- */

#define APP_BYTES ((size_t)97) /* of a part without what has a size of its own */
#define APP_SENT_BYTES ((size_t)23)

void dc_apps_restart(struct dc_apps *apps, const struct dc_app_env *env, const struct dc_input *in,
                     struct dc_effects *out)
{
    for (uint32_t i = 0; i < DC_APPS_MAX; i++) {
        struct dc_engagement *g = &apps->at[i];
        if (!g->live)
            continue;
        app_forget(g);
        g->resumed = true;
        g->contract = DC_CONTRACT_NEW;
        g->phase = 0;
        g->began_ns = in->now_ns;
        dc_app_class_of(g->call.kind)->begin(g, env, in, out);
    }
}

void dc_app_record(struct dc_engagement *g, const void *bytes, size_t size)
{
    if (g->record != NULL && size == g->record_size && memcmp(g->record, bytes, size) == 0)
        return;
    dc_mem_free(g->record);
    g->record = dc_mem_need(1, size, "a part's record");
    g->record_size = (uint32_t)size;
    memcpy(g->record, bytes, size);
    g->changes++;
}

size_t dc_apps_image_max(const struct dc_apps *apps)
{
    size_t size = 1;
    for (uint32_t i = 0; apps != NULL && i < DC_APPS_MAX; i++) {
        const struct dc_engagement *g = &apps->at[i];
        size += APP_BYTES + 4 * (size_t)g->call.count + g->record_size;
        for (uint32_t k = 0; k < DC_APP_SENT_MAX; k++)
            size += APP_SENT_BYTES + g->sent[k].size;
    }
    return size;
}

static void app_write(const struct dc_engagement *g, struct dc_writer *w)
{
    const struct dc_app_call *c = &g->call;
    dc_write8(w, c->kind);
    dc_write8(w, c->role);
    dc_write8(w, c->model);
    dc_write32(w, c->number);
    dc_write32(w, c->owner);
    dc_write64(w, c->tag);
    dc_write64(w, c->close);
    dc_write64(w, c->end);
    dc_write64(w, c->value);
    dc_write64(w, c->bound);
    dc_write32(w, c->node);
    dc_write32(w, c->rounds);
    dc_write32(w, c->features);
    dc_write32(w, c->samples);
    dc_write64(w, c->seed);
    dc_write32(w, c->participant != NULL ? c->count : 0);
    for (uint32_t i = 0; c->participant != NULL && i < c->count; i++)
        dc_write32(w, c->participant[i]);
    dc_write32(w, g->changes);
    dc_write8(w, g->record != NULL);
    if (g->record != NULL) {
        dc_write32(w, g->record_size);
        dc_write(w, g->record, g->record_size);
    }
    for (uint32_t k = 0; k < DC_APP_SENT_MAX; k++) {
        const struct dc_app_sent *s = &g->sent[k];
        dc_write8(w, s->bytes != NULL);
        if (s->bytes == NULL)
            continue;
        dc_write16(w, s->tries);
        dc_write64(w, s->nonce);
        dc_write64(w, s->height);
        dc_write32(w, s->size);
        dc_write(w, s->bytes, s->size);
    }
}

void dc_apps_write(const struct dc_apps *apps, struct dc_writer *out)
{
    uint8_t count = 0;
    for (uint32_t i = 0; apps != NULL && i < DC_APPS_MAX; i++)
        count += apps->at[i].live;
    dc_write8(out, count);
    for (uint32_t i = 0; apps != NULL && i < DC_APPS_MAX; i++)
        if (apps->at[i].live)
            app_write(&apps->at[i], out);
}

/* A copy of the next `size` bytes, or NULL. */
static uint8_t *app_read_bytes(struct dc_reader *r, uint32_t size)
{
    const uint8_t *bytes = size != 0 ? dc_read_in_place(r, size) : NULL;
    if (bytes == NULL)
        return NULL;
    uint8_t *copy = dc_mem_need(1, size, "a part's record");
    memcpy(copy, bytes, size);
    return copy;
}

static bool app_read_sent(struct dc_reader *r, struct dc_app_sent *s)
{
    uint8_t there = dc_read8(r);
    if (there == 0)
        return !r->failed;
    s->tries = dc_read16(r);
    s->nonce = dc_read64(r);
    s->height = dc_read64(r);
    uint32_t size = dc_read32(r);
    s->bytes = app_read_bytes(r, size);
    s->size = s->bytes != NULL ? size : 0;
    return there == 1 && s->bytes != NULL;
}

static bool app_read(struct dc_reader *r, struct dc_engagement *g)
{
    struct dc_app_call *c = &g->call;
    uint8_t kind = dc_read8(r);
    if (r->failed || kind >= DC_APP_KINDS)
        return false;
    *g = (struct dc_engagement){
        .call.kind = kind, .live = true, .resumed = true, .contract = DC_CONTRACT_NEW};
    c->role = dc_read8(r);
    c->model = dc_read8(r);
    c->number = dc_read32(r);
    c->owner = dc_read32(r);
    c->tag = dc_read64(r);
    c->close = dc_read64(r);
    c->end = dc_read64(r);
    c->value = dc_read64(r);
    c->bound = dc_read64(r);
    c->node = dc_read32(r);
    c->rounds = dc_read32(r);
    c->features = dc_read32(r);
    c->samples = dc_read32(r);
    c->seed = dc_read64(r);
    uint32_t count = dc_read32(r), *own = NULL;
    if (r->failed || count > DC_APP_PARTICIPANTS_MAX)
        return false;
    if (count != 0)
        own = dc_mem_need(count, sizeof *own, "an application's participants");
    c->participant = own;
    c->count = count;
    for (uint32_t i = 0; i < count; i++)
        own[i] = dc_read32(r);
    g->changes = dc_read32(r);
    uint8_t recorded = dc_read8(r);
    if (recorded != 0) {
        uint32_t size = dc_read32(r);
        g->record = app_read_bytes(r, size);
        g->record_size = g->record != NULL ? size : 0;
    }
    if (r->failed || recorded > 1 || (recorded == 1 && g->record == NULL))
        return false;
    for (uint32_t k = 0; k < DC_APP_SENT_MAX; k++)
        if (!app_read_sent(r, &g->sent[k]))
            return false;
    return true;
}

bool dc_apps_read(struct dc_apps *apps, struct dc_reader *r)
{
    uint8_t count = dc_read8(r);
    if (r->failed || count > DC_APPS_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!app_read(r, &apps->at[i]))
            return false;
    return true;
}

uint64_t dc_apps_mark(const struct dc_apps *apps)
{
    uint64_t mark = 0;
    for (uint32_t i = 0; i < DC_APPS_MAX; i++) {
        const struct dc_engagement *g = &apps->at[i];
        if (g->live)
            mark = dc_mix64(dc_mix64(mark ^ ((uint64_t)g->call.kind << 32 | g->call.number)) ^
                            (g->changes + UINT64_C(1)));
    }
    return mark;
}

/* --- for the kinds --------------------------------------------------------------------------- */

/* Returns the transaction's size; *at is its bytes, which live as long as the effects. */
static size_t app_submit(const struct dc_app_env *env, struct dc_tx *tx, uint8_t **at,
                         struct dc_effects *out)
{
    size_t room = 512 + tx->call.size;
    uint8_t *bytes = *at = dc_effects_bytes(out, room);
    const struct dc_client_config *f = env->config;
    size_t size = dc_tx_sign(f->crypto, f->chain, f->key, tx, bytes, room);
    DC_CHECK(size != 0);
    out->charge[DC_COST_SIGN] += dc_tx_signed(tx);
    env->submit(env->submit_ctx, bytes, size, out);
    return size;
}

void dc_app_submit(struct dc_engagement *g, const struct dc_app_env *env, uint32_t contract,
                   uint8_t kind, uint8_t method, const void *body, size_t size,
                   struct dc_effects *out)
{
    uint8_t *bytes;
    struct dc_tx tx = {.kind = DC_TX_CALL, .from = env->config->id};
    tx.call.nonce = env->nonce(env->submit_ctx);
    tx.call.fee = env->config->params->fee_private;
    tx.call.contract = contract;
    tx.call.kind = kind;
    tx.call.method = method;
    tx.call.body = body;
    tx.call.size = (uint32_t)size;
    size = app_submit(env, &tx, &bytes, out);
    struct dc_app_sent *s = g->sent;
    while (s < g->sent + DC_APP_SENT_MAX && s->bytes != NULL)
        s++;
    g->changes++;
    if (s == g->sent + DC_APP_SENT_MAX)
        return;
    *s = (struct dc_app_sent){.bytes = dc_mem_need(1, size, "a call under way"),
                              .size = (uint32_t)size,
                              .tries = 1,
                              .nonce = tx.call.nonce,
                              .height = dc_state_meta(env->state)->height};
    memcpy(s->bytes, bytes, size);
}

void dc_app_submit_unnamed(const struct dc_app_env *env, uint32_t contract, uint8_t kind,
                           uint8_t method, const void *body, size_t size, struct dc_effects *out)
{
    uint8_t *bytes;
    struct dc_tx tx = {.kind = DC_TX_CALL, .from = DC_NOBODY};
    tx.call.contract = contract;
    tx.call.kind = kind;
    tx.call.method = method;
    tx.call.body = body;
    tx.call.size = (uint32_t)size;
    (void)app_submit(env, &tx, &bytes, out);
}

uint32_t dc_app_find(struct dc_engagement *g, const struct dc_app_env *env, uint8_t kind)
{
    if (g->contract != DC_CONTRACT_NEW)
        return g->contract;
    for (uint32_t id = dc_state_vault(env->state)->contracts; id-- > 0;) {
        const struct dc_contract *c = dc_state_contract(env->state, id);
        if (c->kind == kind && c->owner == g->call.owner && dc_get64(c->digest) == g->call.tag)
            return g->contract = id;
    }
    return DC_CONTRACT_NEW;
}

void dc_app_done(struct dc_engagement *g, uint64_t result, struct dc_effects *out)
{
    app_note(&g->call, result, out);
    app_end(g);
}
