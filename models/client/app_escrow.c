/* Part of a node in a private threshold escrow: it pays (owner), or approves in its own time when
 * its value is not 0 (member).  The payee needs to do nothing. */
#include "models/client/app_members.h"

#include "models/base/mem.h"
#include "models/crypto/r1cs.h"
#include "models/privacy/escrow.h"

static void escrow_begin(struct dc_engagement *g, const struct dc_app_env *env,
                         const struct dc_input *in, struct dc_effects *out)
{
    if (!dc_app_members_begin(g, env, out))
        dc_app_done(g, DC_APP_REFUSED, out);
}

static void escrow_make(struct dc_engagement *g, const struct dc_app_env *env,
                        struct dc_effects *out)
{
    const struct dc_app_call *call = &g->call;
    struct dc_app_members *m = g->memory;
    uint32_t threshold = call->bound == 0 ? 1 : (uint32_t)call->bound;
    struct dc_escrow_terms t = {.tag = call->tag,
                                .amount = call->value,
                                .payee = call->node,
                                .threshold = threshold,
                                .end = (uint32_t)call->end};
    if (!dc_app_members_ready(g, env, threshold, t.root))
        return;
    t.members = m->listed;
    uint8_t body[DC_ESCROW_CREATE_BYTES];
    dc_escrow_terms_encode(&t, body);
    out->charge[DC_COST_POINT] += 2 * m->listed;
    dc_app_submit(g, env, DC_CONTRACT_NEW, DC_CONTRACT_ESCROW, DC_ESCROW_CREATE, body, sizeof body,
                  out);
}

static void escrow_approve(struct dc_engagement *g, const struct dc_app_env *env,
                           const struct dc_contract *c, struct dc_effects *out)
{
    struct dc_app_members *m = g->memory;
    struct dc_hash context = dc_privacy_context(env->config->chain, g->contract, c->digest);
    uint8_t mark[32], body[32 + DC_R1CS_PROOF_BYTES_MAX];
    dc_member_mark(m->secret, &context, mark);
    if (dc_state_mark_known(env->state, g->contract, mark))
        return;
    size_t size = dc_escrow_approve(&context, (const uint8_t(*)[32])m->list, m->listed, m->secret,
                                    body, sizeof body);
    DC_CHECK(size != 0); /* its leaf is in the list, and there is room */
    out->charge[DC_COST_GATE_PROVE] += dc_escrow_gates(m->listed);
    dc_app_submit_unnamed(env, g->contract, DC_CONTRACT_ESCROW, DC_ESCROW_APPROVE, body, size, out);
}

/* Owner: 1 when it was paid.  Member: 1 when its approval stands. */
static uint64_t escrow_result(struct dc_engagement *g, const struct dc_app_env *env,
                              const struct dc_contract *c)
{
    const struct dc_app_members *m = g->memory;
    if (g->call.role == DC_APP_OWNER)
        return c->word[4];
    struct dc_hash context = dc_privacy_context(env->config->chain, g->contract, c->digest);
    uint8_t mark[32];
    dc_member_mark(m->secret, &context, mark);
    return dc_state_mark_known(env->state, g->contract, mark);
}

static void escrow_commit(struct dc_engagement *g, const struct dc_app_env *env, int64_t now_ns,
                          struct dc_effects *out)
{
    uint32_t id = dc_app_find(g, env, DC_CONTRACT_ESCROW);
    const struct dc_contract *c = id != DC_CONTRACT_NEW ? dc_state_contract(env->state, id) : NULL;
    if (c == NULL && g->call.role == DC_APP_OWNER && !dc_app_under_way(g))
        escrow_make(g, env, out);
    bool act = dc_app_members_step(g, env, c, out);
    if (c != NULL && c->phase == DC_CONTRACT_OVER)
        dc_app_done(g, escrow_result(g, env, c), out);
    else if (act && g->call.value != 0)
        escrow_approve(g, env, c, out);
    else if (dc_app_members_late(g, env))
        dc_app_done(g, DC_APP_REFUSED, out);
}

static void escrow_end(struct dc_engagement *g)
{
    dc_mem_free(g->memory);
}

const struct dc_app_class dc_app_escrow = {.name = "escrow",
                                           .begin = escrow_begin,
                                           .commit = escrow_commit,
                                           .message = dc_app_members_message,
                                           .end = escrow_end};
