/* Encrypted usage totals: parts of owner, reporters and payee (privacy/usage.h).
 *
 *   owner      NEW with its money and the list of reporters
 *   reporter   REPORT of its own value, once the contract is final
 *   holders    shares and total, by themselves (node/holder.h)
 *   all        note the total, once it is on chain; 0: it never came
 *
 * call.value is the owner's money, a reporter's usage; call.bound the total from which on call.node
 * (the owner, where there is none) is paid.  After the contract's end nothing is waited for.  All
 * but the height of the call is found again on chain after a crash. */
#include "models/base/mem.h"
#include "models/client/app.h"
#include "models/privacy/usage.h"

#define PATIENCE_HEIGHTS 64 /* for a contract that does not appear */
#define REPORT_BITS 32

struct usage_part {
    uint64_t began;                       /* height of the call */
    uint8_t body[DC_USAGE_NEW_BYTES_MAX]; /* the owner's */
    size_t size;
};

/* False: no such contract can be. */
static bool usage_terms(const struct dc_engagement *g, struct usage_part *part)
{
    const struct dc_app_call *call = &g->call;
    struct dc_usage_terms t = {.payee = call->node != UINT32_MAX ? call->node : call->owner,
                               .bits = REPORT_BITS,
                               .bound = call->bound,
                               .amount = call->value,
                               .close = call->close,
                               .end = call->end,
                               .tag = call->tag};
    if (call->count == 0 || call->count > DC_USAGE_REPORTERS_MAX)
        return false;
    t.count = (uint8_t)call->count;
    for (uint32_t i = 0; i < call->count; i++) { /* into order, whatever the caller's */
        uint32_t at = i;
        for (; at > 0 && t.reporter[at - 1] > call->participant[i]; at--)
            t.reporter[at] = t.reporter[at - 1];
        t.reporter[at] = call->participant[i];
    }
    part->size = dc_usage_terms_encode(&t, part->body);
    return dc_usage_terms_decode(part->body, part->size, &t);
}

static void usage_make(struct dc_engagement *g, const struct dc_app_env *env,
                       struct dc_effects *out)
{
    const struct usage_part *part = g->memory;
    dc_app_submit(g, env, DC_CONTRACT_NEW, DC_CONTRACT_USAGE, DC_USAGE_NEW, part->body, part->size,
                  out);
}

static void usage_begin(struct dc_engagement *g, const struct dc_app_env *env,
                        const struct dc_input *in, struct dc_effects *out)
{
    struct usage_part *part = dc_mem_need(1, sizeof *part, "a part in a usage contract");
    g->memory = part;
    part->began = dc_state_meta(env->state)->height;
    if (g->resumed && g->record_size == sizeof part->began)
        part->began = dc_get64(g->record);
    uint8_t began[8];
    dc_put64(began, part->began);
    dc_app_record(g, began, sizeof began);
    if (g->call.role != DC_APP_OWNER)
        return;
    if (!usage_terms(g, part))
        dc_app_done(g, DC_APP_REFUSED, out);
    else if (!g->resumed)
        usage_make(g, env, out);
}

/* Whether a report of this account is among the contract's entries. */
static bool usage_reported(const struct dc_app_env *env, const struct dc_contract *c)
{
    for (uint32_t at = c->last; at != DC_ENTRY_NONE;) {
        const struct dc_entry *x = dc_state_entry(env->state, at);
        if (x->kind == DC_USAGE_REPORTED && x->from == env->config->id)
            return true;
        at = x->prev;
    }
    return false;
}

static void usage_report(struct dc_engagement *g, const struct dc_app_env *env,
                         struct dc_effects *out)
{
    struct dc_usage_context context = {.chain = env->config->chain,
                                       .contract = g->contract,
                                       .reporter = env->config->id,
                                       .bits = REPORT_BITS};
    memcpy(context.group_key, dc_state_holders(env->state)->group_key, 32);
    const uint8_t *seed = env->config->key->secret;
    uint64_t most = ((uint64_t)1 << REPORT_BITS) - 1;
    uint8_t body[DC_USAGE_REPORT_BYTES_MAX];
    size_t size =
        dc_usage_report_make(&context, seed, g->call.value < most ? g->call.value : most, body);
    DC_CHECK(size != 0);
    out->charge[DC_COST_POINT] += 8;
    out->charge[DC_COST_RANGE_PROVE]++;
    dc_app_submit(g, env, g->contract, DC_CONTRACT_USAGE, DC_USAGE_REPORT, body, size, out);
}

static void usage_commit(struct dc_engagement *g, const struct dc_app_env *env, int64_t now_ns,
                         struct dc_effects *out)
{
    const struct usage_part *part = g->memory;
    uint64_t height = dc_state_meta(env->state)->height;
    bool due = !dc_app_under_way(g);
    if (dc_app_find(g, env, DC_CONTRACT_USAGE) == DC_CONTRACT_NEW) {
        if (height > part->began + g->call.end + PATIENCE_HEIGHTS)
            dc_app_done(g, DC_APP_REFUSED, out);
        else if (g->call.role == DC_APP_OWNER && due)
            usage_make(g, env, out);
        return;
    }
    const struct dc_contract *c = dc_state_contract(env->state, g->contract);
    if (c->phase == DC_CONTRACT_OVER) {
        dc_app_done(g, c->word[3], out);
    } else if (g->call.role == DC_APP_PARTICIPANT && due && height < c->close &&
               !usage_reported(env, c)) {
        usage_report(g, env, out);
    }
}

static void usage_end(struct dc_engagement *g)
{
    dc_mem_free(g->memory);
}

const struct dc_app_class dc_app_usage = {
    .name = "usage", .begin = usage_begin, .commit = usage_commit, .end = usage_end};
