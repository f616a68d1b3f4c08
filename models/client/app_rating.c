/* Part of a node in an anonymous rating: it asks customers about a service node (owner), or gives
 * its value, 0 to 5, in its own time (participant).  Holders open the sum by themselves
 * (node/holder.h). */
#include "models/client/app_members.h"

#include "models/base/mem.h"
#include "models/crypto/r1cs.h"
#include "models/privacy/rating.h"

static void rating_begin(struct dc_engagement *g, const struct dc_app_env *env,
                         const struct dc_input *in, struct dc_effects *out)
{
    bool owner = g->call.role == DC_APP_OWNER;
    if ((!owner && g->call.value > DC_RATING_MOST) || !dc_app_members_begin(g, env, out))
        dc_app_done(g, DC_APP_REFUSED, out);
}

static void rating_make(struct dc_engagement *g, const struct dc_app_env *env,
                        struct dc_effects *out)
{
    const struct dc_app_call *call = &g->call;
    struct dc_app_members *m = g->memory;
    struct dc_rating_terms t = {.tag = call->tag,
                                .node = call->node,
                                .close = (uint32_t)call->close,
                                .end = (uint32_t)call->end};
    if (!dc_app_members_ready(g, env, 1, t.root))
        return;
    t.members = m->listed;
    uint8_t body[DC_RATING_CREATE_BYTES];
    dc_rating_terms_encode(&t, body);
    out->charge[DC_COST_POINT] += 2 * m->listed;
    dc_app_submit(g, env, DC_CONTRACT_NEW, DC_CONTRACT_RATING, DC_RATING_CREATE, body, sizeof body,
                  out);
}

static bool rating_stands(const struct dc_engagement *g, const struct dc_app_env *env,
                          const struct dc_hash *context)
{
    const struct dc_app_members *m = g->memory;
    uint8_t mark[32];
    dc_member_mark(m->secret, context, mark);
    return dc_state_mark_known(env->state, g->contract, mark);
}

static void rating_rate(struct dc_engagement *g, const struct dc_app_env *env,
                        const struct dc_contract *c, struct dc_effects *out)
{
    struct dc_app_members *m = g->memory;
    struct dc_hash context = dc_privacy_context(env->config->chain, g->contract, c->digest);
    uint8_t body[512 + DC_R1CS_PROOF_BYTES_MAX];
    if (rating_stands(g, env, &context) || dc_state_meta(env->state)->height >= c->close)
        return;
    size_t size = dc_rating_rate(&context, dc_state_holders(env->state)->group_key,
                                 (const uint8_t(*)[32])m->list, m->listed, m->secret,
                                 (uint32_t)g->call.value, body, sizeof body);
    if (size == 0)
        return; /* a chain whose holders have no key */
    out->charge[DC_COST_GATE_PROVE] += dc_rating_gates(m->listed);
    out->charge[DC_COST_POINT] += 8;
    dc_app_submit_unnamed(env, g->contract, DC_CONTRACT_RATING, DC_RATING_RATE, body, size, out);
}

/* Owner: how many rated << 32 | the sum.  Participant: 1 when its rating stands. */
static uint64_t rating_result(const struct dc_engagement *g, const struct dc_app_env *env,
                              const struct dc_contract *c)
{
    struct dc_hash context = dc_privacy_context(env->config->chain, g->contract, c->digest);
    if (g->call.role == DC_APP_OWNER)
        return c->word[2] << 32 | c->word[3];
    return rating_stands(g, env, &context);
}

static void rating_commit(struct dc_engagement *g, const struct dc_app_env *env, int64_t now_ns,
                          struct dc_effects *out)
{
    uint32_t id = dc_app_find(g, env, DC_CONTRACT_RATING);
    const struct dc_contract *c = id != DC_CONTRACT_NEW ? dc_state_contract(env->state, id) : NULL;
    if (c == NULL && g->call.role == DC_APP_OWNER && !dc_app_under_way(g))
        rating_make(g, env, out);
    bool act = dc_app_members_step(g, env, c, out);
    if (c != NULL && c->phase == DC_CONTRACT_OVER)
        dc_app_done(g, rating_result(g, env, c), out);
    else if (c != NULL && act)
        rating_rate(g, env, c, out);
    else if (dc_app_members_late(g, env))
        dc_app_done(g, DC_APP_REFUSED, out);
}

static void rating_end(struct dc_engagement *g)
{
    dc_mem_free(g->memory);
}

const struct dc_app_class dc_app_rating = {.name = "rating",
                                           .begin = rating_begin,
                                           .commit = rating_commit,
                                           .message = dc_app_members_message,
                                           .end = rating_end};
