/* The trainers' joint key: contributions to seeds from member to member, then marks and parts of
 * the public key from every member to every trainer (crypto/bfv_threshold.h).  A trainer has the
 * key when it has heard all members, they agree about every seed, and the parts of copies agree. */
#include "models/client/app_training_impl.h"

#include "models/base/mem.h"
#include "models/crypto/seal.h"

/* Seeds that two members both know, in order; returns how many. */
static uint32_t shared_seeds(const struct training *t, uint32_t a, uint32_t b, uint8_t *list)
{
    uint32_t n = 0;
    for (uint32_t share = 0; share < t->sharing.shares; share++)
        if (dc_bfv_holds(&t->sharing, a, share) && dc_bfv_holds(&t->sharing, b, share))
            list[n++] = (uint8_t)share;
    return n;
}

/* The key of what member `from` seals for member `to`; one of them is this node. */
static bool seal_key(const struct training_turn *u, uint32_t from, uint32_t to, uint8_t key[32])
{
    const struct training *t = u->t;
    uint32_t peer = t->node[from == t->trainer->self ? to : from];
    const struct dc_account *account = peer < dc_state_meta(u->env->state)->accounts
                                           ? dc_state_account(u->env->state, peer)
                                           : NULL;
    u->out->charge[DC_COST_EXCHANGE]++;
    u->out->charge[DC_COST_FRAME]++;
    return account != NULL && dc_seal_key(u->env->config->key, account->sign_key, &t->about,
                                          t->node[from], t->node[to], key);
}

void dc_training_seeds_send(const struct training_turn *u, uint32_t to)
{
    const struct training *t = u->t;
    const struct trainer *r = t->trainer;
    uint8_t list[TRAINING_SHARES], key[32], sealed[TRAINING_SHARES * 32 + DC_SEAL_TAG_BYTES];
    struct dc_hash plain[TRAINING_SHARES];
    uint32_t n = shared_seeds(t, r->self, to, list);
    for (uint32_t i = 0; i < n; i++)
        plain[i] = r->given[r->self][list[i]];
    if (!seal_key(u, r->self, to, key))
        return; /* who has no key on chain gets none, and the setup ends in time */
    dc_seal(key, plain, n * sizeof *plain, sealed);
    dc_app_send(u->g, t->node[to], STEP_SEEDS, sealed, n * sizeof *plain + DC_SEAL_TAG_BYTES,
                u->out);
}

/* All contributions are here: the seeds that this member is to know. */
static void seeds_make(const struct training_turn *u)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    for (uint32_t share = 0; share < t->sharing.shares; share++) {
        struct dc_hash given[TRAINING_MEMBERS];
        uint32_t n = 0;
        if (!dc_bfv_holds(&t->sharing, r->self, share))
            continue;
        for (uint32_t m = 0; m < t->members; m++)
            if (dc_bfv_holds(&t->sharing, m, share))
                given[n++] = r->given[m][share];
        r->member.seed[share] = dc_bfv_seed(&t->sharing, &t->about, share, given);
    }
    dc_training_key_send(u);
}

void dc_training_seeds_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                            size_t size)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    uint8_t list[TRAINING_SHARES], key[32];
    struct dc_hash plain[TRAINING_SHARES];
    if (r->self >= t->members || from == r->self || (r->seeds_from >> from & 1) != 0)
        return;
    uint32_t n = shared_seeds(t, from, r->self, list);
    if (size != n * sizeof *plain + DC_SEAL_TAG_BYTES || !seal_key(u, from, r->self, key) ||
        !dc_seal_open(key, body, size, plain)) {
        dc_training_refuse(u);
        return;
    }
    for (uint32_t i = 0; i < n; i++)
        r->given[from][list[i]] = plain[i];
    r->seeds_from |= (uint16_t)(1u << from);
    if (r->seeds_from == training_all(t->members))
        seeds_make(u);
}

/* --- the public key -------------------------------------------------------------------------- */

static void key_part(const struct training_turn *u, const struct dc_bfv_plan *plan, uint32_t group,
                     struct dc_bfv_poly *out)
{
    dc_bfv_key_part(u->t->bfv, &u->t->trainer->member, plan, group, &u->t->common, out);
}

void dc_training_key_send(const struct training_turn *u)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    if (r->seeds_from != training_all(t->members))
        return;
    size_t head = 0, size;
    for (uint32_t share = 0; share < t->sharing.shares; share++)
        head += dc_bfv_holds(&t->sharing, r->self, share) ? DC_HASH_BYTES : 0;
    uint8_t *body = dc_training_parts_make(u, &r->key_parts.plan, head, key_part, &size);
    uint8_t *p = body;
    for (uint32_t share = 0; share < t->sharing.shares; share++)
        if (dc_bfv_holds(&t->sharing, r->self, share)) {
            struct dc_hash mark = dc_bfv_mark(&r->member.seed[share], share);
            memcpy(p, mark.b, DC_HASH_BYTES);
            p += DC_HASH_BYTES;
        }
    dc_training_send(u, training_all(t->trainers), STEP_KEY, body, size);
    if ((r->key_parts.from >> r->self & 1) == 0)
        dc_training_key_take(u, r->self, body, size);
    dc_mem_free(body);
}

static void key_make(const struct training_turn *u)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    struct dc_bfv_verdict verdict;
    dc_bfv_judge(&r->key_parts.plan,
                 (const struct dc_hash(*)[DC_BFV_COPIES_MAX])r->key_parts.digest, &verdict);
    if (!verdict.agreed) {
        dc_training_over(u, DC_APP_REFUSED);
        return;
    }
    r->key = dc_mem_need(1, sizeof *r->key, "a joint key");
    dc_bfv_key_combine(t->bfv, (const struct dc_bfv_poly *const *)r->key_parts.part,
                       r->key_parts.plan.groups, &t->common, r->key);
    u->out->charge[DC_COST_BFV_ADD] += r->key_parts.plan.groups;
    struct dc_bfv_plan plan = r->key_parts.plan; /* who missed a part may ask for it later */
    dc_training_parts_clear(&r->key_parts);
    r->key_parts.plan = plan;
    r->key_parts.from = (uint16_t)training_all(t->members);
    dc_training_round_begin(u);
}

void dc_training_key_take(const struct training_turn *u, uint32_t from, const uint8_t *body,
                          size_t size)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    if (r->key != NULL || (r->key_parts.from >> from & 1) != 0)
        return;
    struct dc_reader in = dc_reader(body, size);
    for (uint32_t share = 0; share < t->sharing.shares; share++) {
        struct dc_hash mark;
        if (!dc_bfv_holds(&t->sharing, from, share))
            continue;
        dc_read(&in, mark.b, sizeof mark.b);
        if (in.failed)
            break;
        if (dc_hash_is_zero(&r->mark[share]))
            r->mark[share] = mark;
        if (!dc_hash_equal(&r->mark[share], &mark)) { /* somebody gave others something else */
            dc_training_over(u, DC_APP_REFUSED);
            return;
        }
    }
    if (in.failed ||
        !dc_training_parts_take(&r->key_parts, from, body + in.offset, size - in.offset)) {
        dc_training_refuse(u);
        return;
    }
    if (r->key_parts.from == training_all(t->members))
        key_make(u);
}

/* Asks for what is missing, every TRAINING_HOLD_NS. */
void dc_training_key_wait(const struct training_turn *u)
{
    struct training *t = u->t;
    const struct trainer *r = t->trainer;
    if (u->now_ns - u->g->began_ns >= TRAINING_SETUP_NS) {
        dc_training_over(u, DC_APP_REFUSED);
        return;
    }
    if (u->now_ns - t->since_ns < TRAINING_HOLD_NS)
        return;
    t->since_ns = u->now_ns;
    const uint64_t members = training_all(t->members);
    const uint64_t seeds = r->self < t->members ? members & ~(uint64_t)r->seeds_from : 0;
    const uint64_t parts = members & ~(uint64_t)r->key_parts.from;
    if (seeds != 0)
        dc_training_ask(u, seeds, STEP_SEEDS);
    if (parts != 0)
        dc_training_ask(u, parts, STEP_KEY);
}
