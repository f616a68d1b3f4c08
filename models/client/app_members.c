#include "models/client/app_members.h"

#include "models/base/mem.h"

enum { STEP_JOIN = 1, STEP_LIST };

static uint64_t members_height(const struct dc_app_env *env)
{
    return dc_state_meta(env->state)->height;
}

/* Bytes of a record: began 8, made 1, listed 4 and the list, then 1 and a leaf for each that has
 * joined, 0 for others. */
#define RECORD_BYTES_MAX ((size_t)(13 + 65 * DC_PERMUTATION_LEAVES_MAX))

static void members_record(struct dc_engagement *g)
{
    const struct dc_app_members *m = g->memory;
    uint8_t bytes[RECORD_BYTES_MAX];
    struct dc_writer w = dc_writer(bytes, sizeof bytes);
    dc_write64(&w, m->began);
    dc_write8(&w, m->made);
    dc_write32(&w, m->listed);
    dc_write(&w, m->list, 32 * (size_t)m->listed);
    for (uint32_t i = 0; i < m->participants; i++) {
        dc_write8(&w, m->joined[i]);
        if (m->joined[i])
            dc_write(&w, m->leaf[i], 32);
    }
    DC_CHECK(!w.failed);
    dc_app_record(g, bytes, w.size);
}

/* The record was checked as a part of its image. */
static void members_resume(struct dc_engagement *g)
{
    struct dc_app_members *m = g->memory;
    struct dc_reader r = dc_reader(g->record, g->record_size);
    m->began = dc_read64(&r);
    m->made = dc_read8(&r) == 1;
    m->listed = dc_read32(&r);
    if (m->listed > DC_PERMUTATION_LEAVES_MAX)
        m->listed = 0;
    dc_read(&r, m->list, 32 * (size_t)m->listed);
    for (uint32_t i = 0; i < m->participants; i++) {
        m->joined[i] = dc_read8(&r) == 1;
        if (m->joined[i])
            dc_read(&r, m->leaf[i], 32);
    }
}

static void members_join(struct dc_engagement *g, const struct dc_app_env *env,
                         struct dc_effects *out)
{
    struct dc_app_members *m = g->memory;
    m->asked = members_height(env);
    dc_app_send(g, g->call.owner, STEP_JOIN, m->own, sizeof m->own, out);
}

/* Both: what was known before the crash, where there was one. */
static void members_begun(struct dc_engagement *g)
{
    if (g->resumed && g->record != NULL)
        members_resume(g);
    members_record(g);
}

bool dc_app_members_begin(struct dc_engagement *g, const struct dc_app_env *env,
                          struct dc_effects *out)
{
    const struct dc_app_call *call = &g->call;
    bool owner = call->role == DC_APP_OWNER;
    if (owner && (call->count == 0 || call->count > DC_PERMUTATION_LEAVES_MAX))
        return false;
    struct dc_app_members *m = dc_mem_need(1, sizeof *m, "members of an application");
    g->memory = m;
    m->began = members_height(env);
    if (owner) {
        m->participants = call->count;
        memcpy(m->node, call->participant, call->count * sizeof *m->node);
        members_begun(g);
        return true;
    }
    /* When it acts must not tell who it is: drawn with what nobody else knows. */
    dc_member_secret(env->config->key->secret, ~call->tag, m->secret);
    m->offset = 1 + dc_get64(m->secret) % (call->close > 2 ? call->close / 2 : 1);
    dc_member_secret(env->config->key->secret, call->tag, m->secret);
    dc_member_leaf(m->secret, m->own);
    members_begun(g);
    out->charge[DC_COST_POINT]++; /* a permutation takes as long as a multiple of a point */
    return true;
}

/* What an owner sends to one that joined, when there is a contract. */
static void members_list(struct dc_engagement *g, uint32_t to, struct dc_effects *out)
{
    struct dc_app_members *m = g->memory;
    if (m->listed != 0 && g->contract != DC_CONTRACT_NEW)
        dc_app_send(g, to, STEP_LIST, m->list, 32 * (size_t)m->listed, out);
}

static void members_joined(struct dc_engagement *g, uint32_t from, const struct dc_app_message *msg,
                           struct dc_effects *out)
{
    struct dc_app_members *m = g->memory;
    struct dc_scalar scalar;
    uint32_t i = 0;
    while (i < m->participants && m->node[i] != from)
        i++;
    if (i == m->participants || msg->size != 32 || !dc_scalar_decode(msg->body, &scalar) ||
        dc_scalar_is_zero(&scalar))
        return;
    for (uint32_t k = 0; k < m->participants; k++)
        if (k != i && m->joined[k] && memcmp(m->leaf[k], msg->body, 32) == 0)
            return; /* somebody else's leaf */
    if (!m->made) {
        m->joined[i] = true;
        memcpy(m->leaf[i], msg->body, 32);
        members_record(g);
    }
    members_list(g, from, out);
}

void dc_app_members_message(struct dc_engagement *g, const struct dc_app_env *env,
                            const struct dc_input *in, struct dc_effects *out)
{
    struct dc_app_members *m = g->memory;
    struct dc_app_message msg;
    if (!dc_app_message_decode(in->payload->bytes, in->payload->size, &msg))
        return;
    if (g->call.role == DC_APP_OWNER) {
        if (msg.step == STEP_JOIN)
            members_joined(g, in->from, &msg, out);
        return;
    }
    if (msg.step != STEP_LIST || in->from != g->call.owner || m->listed != 0 || msg.size == 0 ||
        msg.size % 32 != 0 || msg.size / 32 > DC_PERMUTATION_LEAVES_MAX)
        return;
    struct dc_member_witness w;
    memcpy(m->list, msg.body, msg.size);
    uint32_t count = msg.size / 32;
    out->charge[DC_COST_POINT] += count;
    if (dc_member_find((const uint8_t(*)[32])m->list, count, m->secret, &w)) {
        m->listed = count; /* against the root: when the contract is there */
        members_record(g);
    }
}

bool dc_app_members_ready(struct dc_engagement *g, const struct dc_app_env *env, uint32_t least,
                          uint8_t root[32])
{
    struct dc_app_members *m = g->memory;
    uint32_t joined = 0;
    if (m->made)
        return dc_member_root((const uint8_t(*)[32])m->list, m->listed, root);
    for (uint32_t i = 0; i < m->participants; i++)
        joined += m->joined[i];
    if (joined < m->participants &&
        (joined < least || joined == 0 || members_height(env) < m->began + DC_APP_JOIN_PATIENCE))
        return false;
    for (uint32_t i = 0; i < m->participants; i++)
        if (m->joined[i])
            memcpy(m->list[m->listed++], m->leaf[i], 32);
    m->made = dc_member_root((const uint8_t(*)[32])m->list, m->listed, root);
    DC_CHECK(m->made); /* each leaf was looked at when it came */
    members_record(g);
    return true;
}

/* A list that is not the contract's is no list. */
static bool members_fits(struct dc_app_members *m, const struct dc_contract *c)
{
    uint8_t root[32];
    if (m->listed != 0 && (!dc_member_root((const uint8_t(*)[32])m->list, m->listed, root) ||
                           memcmp(root, c->point[0], 32) != 0))
        m->listed = 0;
    return m->listed != 0;
}

bool dc_app_members_step(struct dc_engagement *g, const struct dc_app_env *env,
                         const struct dc_contract *found, struct dc_effects *out)
{
    struct dc_app_members *m = g->memory;
    uint64_t height = members_height(env);
    if (g->call.role == DC_APP_OWNER) {
        if (found != NULL && m->asked == 0) { /* once, to all */
            m->asked = height;
            for (uint32_t i = 0; i < m->participants; i++)
                if (m->joined[i])
                    members_list(g, m->node[i], out);
        }
        return false;
    }
    bool fits = found != NULL && members_fits(m, found);
    if (m->listed == 0 && height >= m->asked + DC_APP_JOIN_EVERY)
        members_join(g, env, out);
    if (!fits || height < found->opened + m->offset ||
        (m->called != 0 && height < m->called + DC_APP_RETRY))
        return false;
    m->called = height;
    return true;
}

bool dc_app_members_late(const struct dc_engagement *g, const struct dc_app_env *env)
{
    const struct dc_app_members *m = g->memory;
    return g->contract == DC_CONTRACT_NEW &&
           members_height(env) > m->began + 2 * DC_APP_JOIN_PATIENCE + g->call.end;
}
