/* Federated training as an application (models/privacy/training.h): trainers keep their data, the
 * service node `node` adds up what it cannot read, and the key is the trainers' own.
 *
 *     trainers   call.participant without call.node, in order; the first 7 are the key's members
 *     threshold  call.bound, or most of the members when that is 0 or too large
 *
 *     members                     trainers                         node
 *       SEEDS to each other
 *       KEY to all trainers         joint public key
 *     each round:                   GRADIENT (108 KB) ------------>  keeps ciphertexts
 *       takes halves  <------------ HALF (75 KB) to members
 *       HOLD: which halves  ----------------------------------->   chooses whose sum, and who opens
 *       adds those halves up itself  <------------------------- OPEN
 *       VOTE to each other: that sum
 *       PART of it  ------------------------------------------->   decrypts the sum, moves weights
 *                                   next round  <-----------------  WEIGHTS
 *
 * What the node learns is the sum, and nobody learns more of a gradient, though `threshold` - 1
 * members and any trainers conspire with it:
 *   - members open only what they have added up themselves, of at least `threshold` (and 2)
 *     trainers: asked for the opening of one trainer's ciphertext they give nothing;
 *   - a half is taken with a proof of knowing what is in it (crypto/bfv_proof.h), made for this
 *     round and this trainer: who sends its own last, and makes it cancel all others' but one, has
 *     none, nor has who sends again what others sent in an earlier round;
 *   - a member opens a sum when training_quorum members have voted for it, itself among them, and
 *     votes once a round: two sums of one round, whose difference would be one gradient, do not
 *     both find so many.
 * So of the honest trainers in a sum their sum is learned; of a single one among conspirators, its
 * gradient.  The node is trusted with the weights that it sends, and with asking at all: it could
 * send nearly the same weights in two rounds and leave one trainer out of the second sum.
 *
 * Contributions to seeds are sealed to their members' keys (crypto/seal.h), so that links in the
 * open give nothing away.  Making the key needs all members; it fails with DC_APP_REFUSED when one
 * does not answer for TRAINING_SETUP_NS or when two holders of a seed publish different marks or
 * parts.  A round goes on without those who do not answer in time, down to training_quorum members
 * (6 of 7 at the usual threshold of 4, 4 of 5).  A trainer that sends members another half than the
 * node, which HOLD shows by its name, is left out of the sum.
 * Members whose parts are not those of the other holders are left out from then on (DC_NOTE_REFUSED
 * tells who).  A round that cannot be opened leaves the weights as they are.
 *
 * Who crashes has its round, weights and vote on disk (its key is made again from what members send
 * again, its gradients are the same bytes), and takes part again from the round that it finds.  Who
 * comes back when all others are done finds nobody: DC_APP_REFUSED.
 *
 * Result: dc_training_digest of the weights after call.rounds rounds, at the node and at each
 * trainer.  With everyone there it is dc_training_expect's. */
#include "models/client/app_training_impl.h"

#include "models/base/mem.h"

/* --- for all files --------------------------------------------------------------------------- */

uint32_t dc_training_index(const struct training *t, uint32_t node)
{
    uint32_t i = 0;
    while (i < t->trainers && t->node[i] != node)
        i++;
    return i;
}

void dc_training_send(const struct training_turn *u, uint64_t set, enum training_step step,
                      const void *body, size_t size)
{
    const struct training *t = u->t;
    if (t->trainer != NULL)
        set &= ~(UINT64_C(1) << t->trainer->self);
    uint32_t *to = dc_effects_bytes(u->out, DC_TRAINING_PARTICIPANTS_MAX * sizeof *to), n = 0;
    for (uint32_t i = 0; i < t->trainers; i++)
        if ((set >> i & 1) != 0)
            to[n++] = t->node[i];
    if (n == 0)
        return;
    dc_app_send(u->g, to[0], (uint8_t)step, body, size, u->out);
    struct dc_effect *e = &u->out->list[u->out->count - 1];
    e->kind = DC_EFFECT_SEND_MANY;
    e->to_list = to;
    e->to_count = n;
}

void dc_training_ask(const struct training_turn *u, uint64_t set, enum training_step step)
{
    uint8_t body[5] = {(uint8_t)step};
    dc_put32(body + 1, u->t->round);
    if (set == 0)
        dc_app_send(u->g, u->g->call.node, STEP_ASK, body, sizeof body, u->out);
    else
        dc_training_send(u, set, STEP_ASK, body, sizeof body);
}

void dc_training_over(const struct training_turn *u, uint64_t result)
{
    u->t->over = true;
    u->t->result = result;
}

void dc_training_refuse(const struct training_turn *u)
{
    dc_effect_note(u->out, DC_NOTE_REFUSED, DC_MSG_APP, 0);
}

void dc_training_record(const struct training_turn *u)
{
    const struct training *t = u->t;
    const struct trainer *r = t->trainer;
    uint8_t bytes[12 + 8 + 8 * (DC_TRAINING_FEATURES_MAX + 1) + 8 + DC_HASH_BYTES];
    struct dc_writer w = dc_writer(bytes, sizeof bytes);
    dc_write32(&w, t->round);
    for (uint32_t j = 0; j <= t->shape.features; j++)
        dc_write64(&w, (uint64_t)t->weights[j]);
    dc_write64(&w, r != NULL ? r->expected : t->aggregator->expected);
    if (r == NULL) {
        dc_write64(&w, t->aggregator->moved);
        dc_write16(&w, t->aggregator->cheats);
    } else if (r->self < t->members) {
        const struct training_vote *vote = &r->vote[t->round % 2][r->self];
        dc_write64(&w, vote->set);
        dc_write(&w, vote->sum.b, DC_HASH_BYTES);
    }
    DC_CHECK(!w.failed);
    dc_app_record(u->g, bytes, w.size);
}

static void training_resume(const struct training_turn *u)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer;
    struct dc_reader in = dc_reader(u->g->record, u->g->record_size);
    if (!u->g->resumed || u->g->record == NULL)
        return;
    t->round = dc_read32(&in);
    for (uint32_t j = 0; j <= t->shape.features; j++)
        t->weights[j] = (int64_t)dc_read64(&in);
    *(r != NULL ? &r->expected : &t->aggregator->expected) = dc_read64(&in);
    if (r == NULL) {
        t->aggregator->moved = dc_read64(&in);
        t->aggregator->cheats = dc_read16(&in);
    } else if (r->self < t->members) {
        struct training_vote *vote = &r->vote[t->round % 2][r->self];
        vote->set = dc_read64(&in);
        dc_read(&in, vote->sum.b, DC_HASH_BYTES);
    }
}

uint8_t *dc_training_parts_make(const struct training_turn *u, const struct dc_bfv_plan *plan,
                                size_t head, dc_training_make_fn *make, size_t *size)
{
    const uint32_t self = u->t->trainer->self;
    *size = head;
    for (uint32_t g = 0; g < plan->groups; g++) {
        uint32_t role = dc_bfv_plan_role(plan, g, self);
        *size += role == 2 ? DC_BFV_POLY_BYTES : role == 1 ? DC_HASH_BYTES : 0;
    }
    uint8_t *bytes = dc_mem_need(1, *size, "parts"), *p = bytes + head;
    struct dc_bfv_poly *part = dc_mem_need(1, sizeof *part, "a part");
    for (uint32_t g = 0; g < plan->groups; g++) {
        uint32_t role = dc_bfv_plan_role(plan, g, self);
        if (role == 0)
            continue;
        make(u, plan, g, part);
        u->out->charge[DC_COST_BFV_SHARE]++;
        if (role == 2) {
            dc_bfv_poly_encode(part, p);
            p += DC_BFV_POLY_BYTES;
        } else {
            struct dc_hash digest = dc_bfv_poly_digest(part);
            memcpy(p, digest.b, DC_HASH_BYTES);
            p += DC_HASH_BYTES;
        }
    }
    dc_mem_free(part);
    return bytes;
}

bool dc_training_parts_take(struct training_parts *p, uint32_t m, const uint8_t *bytes, size_t size)
{
    if ((p->from >> m & 1) != 0)
        return true;
    struct dc_reader r = dc_reader(bytes, size);
    for (uint32_t g = 0; g < p->plan.groups; g++)
        for (uint32_t i = 0; i < p->plan.holders[g]; i++) {
            if (p->plan.holder[g][i] != m)
                continue;
            struct dc_hash *digest = &p->digest[g][i];
            if (i != 0) {
                dc_read(&r, digest->b, DC_HASH_BYTES);
                continue;
            }
            const uint8_t *poly = dc_read_in_place(&r, DC_BFV_POLY_BYTES);
            if (p->part[g] == NULL)
                p->part[g] = dc_mem_need(1, sizeof *p->part[g], "a part");
            if (poly == NULL || !dc_bfv_poly_decode(poly, DC_BFV_POLY_BYTES, p->part[g]))
                return false;
            *digest = dc_bfv_poly_digest(p->part[g]);
        }
    if (!dc_read_done(&r))
        return false;
    p->from |= (uint16_t)(1u << m);
    return true;
}

void dc_training_parts_clear(struct training_parts *p)
{
    for (uint32_t g = 0; g < DC_BFV_SHARES_MAX; g++)
        dc_mem_free(p->part[g]);
    memset(p, 0, sizeof *p);
}

/* --- beginning ------------------------------------------------------------------------------- */

static struct dc_hash name_hash(const struct dc_engagement *g, const struct dc_app_env *env,
                                const struct training *t, const void *text, size_t size)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_TRAINING);
    dc_hasher_update64(&h, env->config->chain);
    dc_hasher_update64(&h, g->call.number);
    dc_hasher_update64(&h, g->call.tag);
    dc_hasher_update64(&h, t->trainers);
    for (uint32_t i = 0; i < t->trainers; i++)
        dc_hasher_update64(&h, t->node[i]);
    dc_hasher_update(&h, text, size);
    return dc_hasher_final(&h);
}

/* False when the call makes no sense. */
static bool training_make(const struct dc_engagement *g, const struct dc_app_env *env,
                          struct training *t)
{
    const struct dc_app_call *call = &g->call;
    for (uint32_t i = 0; i < call->count; i++) {
        if (call->participant[i] == call->node)
            continue;
        if (t->trainers == DC_TRAINING_PARTICIPANTS_MAX)
            return false;
        t->node[t->trainers++] = call->participant[i];
    }
    t->members = t->trainers < TRAINING_MEMBERS ? t->trainers : TRAINING_MEMBERS;
    t->rounds = call->rounds != 0 ? call->rounds : 1;
    uint32_t threshold =
        call->bound >= 1 && call->bound <= t->members ? (uint32_t)call->bound : t->members / 2 + 1;
    t->about = name_hash(g, env, t, "key", 3);
    t->common = name_hash(g, env, t, "common", 6);
    struct dc_hash secret = dc_hash_bytes(DC_DOMAIN_PROOF_NONCE, env->config->key->secret, 32);
    secret = name_hash(g, env, t, secret.b, sizeof secret.b);
    memcpy(t->secret, secret.b, 32);
    return t->trainers >= 2 && dc_bfv_sharing_make(t->members, threshold, &t->sharing) &&
           dc_training_shape_make(call->model, call->features, call->samples, &t->shape);
}

static void trainer_begin(const struct training_turn *u, uint32_t self)
{
    struct training *t = u->t;
    struct trainer *r = t->trainer = dc_mem_need(1, sizeof *r, "a trainer");
    r->self = self;
    r->expected = training_all(t->trainers);
    if (!dc_training_data_draw(&t->shape, u->g->call.tag, u->g->call.seed, &r->data))
        DC_CHECK(!"memory for samples");
    uint32_t copies = t->members - t->sharing.threshold + 1;
    bool made = dc_bfv_plan_make(&t->sharing, (uint16_t)training_all(t->members),
                                 copies < DC_BFV_COPIES_MAX ? copies : DC_BFV_COPIES_MAX,
                                 &r->key_parts.plan);
    DC_CHECK(made);
    r->member = (struct dc_bfv_member){.sharing = &t->sharing, .index = self};
    if (self >= t->members)
        return;
    for (uint32_t share = 0; share < t->sharing.shares; share++)
        if (dc_bfv_holds(&t->sharing, self, share))
            r->given[self][share] = dc_bfv_contribution(t->secret, &t->about, share);
    r->seeds_from = (uint16_t)(1u << self);
    for (uint32_t m = 0; m < t->members; m++)
        if (m != self)
            dc_training_seeds_send(u, m);
}

static void training_turn_end(const struct training_turn *u)
{
    if (u->t->over)
        dc_app_done(u->g, u->t->result, u->out);
}

static void training_begin(struct dc_engagement *g, const struct dc_app_env *env,
                           const struct dc_input *in, struct dc_effects *out)
{
    struct training *t = g->memory = dc_mem_need(1, sizeof *t, "a training");
    struct training_turn u = {g, t, env, in->now_ns, out};
    bool sense = training_make(g, env, t);
    uint32_t self = dc_training_index(t, env->config->id);
    t->since_ns = in->now_ns;
    if (!sense) {
        dc_training_over(&u, DC_APP_REFUSED);
    } else if (g->call.node != env->config->id && self == t->trainers) {
        dc_training_over(&u, 0); /* who only asked for it has nothing to do */
    } else {
        t->bfv = dc_bfv_open();
        DC_CHECK(t->bfv != NULL);
        if (g->call.node == env->config->id) {
            t->aggregator = dc_mem_need(1, sizeof *t->aggregator, "an aggregator");
            t->aggregator->expected = training_all(t->trainers);
        } else {
            trainer_begin(&u, self);
        }
        training_resume(&u);
        dc_training_record(&u);
    }
    training_turn_end(&u);
}

/* --- messages -------------------------------------------------------------------------------- */

/* Somebody misses what this node sent. */
static void asked_again(const struct training_turn *u, uint32_t from, const uint8_t *body,
                        size_t size)
{
    struct training *t = u->t;
    if (size != 5)
        return;
    const uint32_t step = body[0], round = dc_get32(body + 1);
    struct trainer *r = t->trainer;
    if (r == NULL) {
        if (step == STEP_WEIGHTS && round < t->round && from < t->trainers)
            dc_training_weights_send(u, UINT64_C(1) << from);
    } else if (step == STEP_SEEDS && r->self < t->members && from < t->members) {
        dc_training_seeds_send(u, from);
    } else if (step == STEP_KEY && r->self < t->members) {
        dc_training_key_send(u);
    } else if (r->key != NULL && round > t->round && round < t->rounds) {
        dc_training_ask(u, 0, STEP_WEIGHTS); /* of which it has not heard */
    } else if (step == STEP_VOTE && r->self < t->members && from < t->members &&
               round == t->round) {
        dc_training_vote_send(u, UINT64_C(1) << from);
    } else if ((step == STEP_GRADIENT || step == STEP_HALF) && r->key != NULL &&
               round == t->round) {
        dc_training_gradient_send(u, step == STEP_HALF);
        if (r->held)
            dc_training_hold(u);
    }
}

static void trainer_message(const struct training_turn *u, uint32_t from,
                            const struct dc_app_message *m)
{
    const struct training *t = u->t;
    const bool member = from < t->members, node = from == t->trainers;
    if (m->step == STEP_ASK)
        asked_again(u, from, m->body, m->size);
    else if (m->step == STEP_SEEDS && member)
        dc_training_seeds_take(u, from, m->body, m->size);
    else if (m->step == STEP_KEY && member)
        dc_training_key_take(u, from, m->body, m->size);
    else if (m->step == STEP_HALF && !node)
        dc_training_half_take(u, from, m->body, m->size);
    else if (m->step == STEP_VOTE && member)
        dc_training_vote_take(u, from, m->body, m->size);
    else if (m->step == STEP_OPEN && node)
        dc_training_open_take(u, m->body, m->size);
    else if (m->step == STEP_WEIGHTS && node)
        dc_training_weights_take(u, m->body, m->size);
    else
        dc_training_refuse(u);
}

static void training_message(struct dc_engagement *g, const struct dc_app_env *env,
                             const struct dc_input *in, struct dc_effects *out)
{
    struct training *t = g->memory;
    struct training_turn u = {g, t, env, in->now_ns, out};
    struct dc_app_message m;
    uint32_t from = dc_training_index(t, in->from);
    if (!dc_app_message_decode(in->payload->bytes, in->payload->size, &m) ||
        (from == t->trainers && in->from != g->call.node))
        dc_training_refuse(&u);
    else if (t->trainer != NULL)
        trainer_message(&u, from, &m);
    else if (m.step == STEP_ASK)
        asked_again(&u, from, m.body, m.size);
    else
        dc_training_sum_take(&u, from, m.step, m.body, m.size);
    training_turn_end(&u);
}

/* --- the rest -------------------------------------------------------------------------------- */

static void training_commit(struct dc_engagement *g, const struct dc_app_env *env, int64_t now_ns,
                            struct dc_effects *out)
{
    struct training *t = g->memory;
    struct training_turn u = {g, t, env, now_ns, out};
    if (t->aggregator != NULL)
        dc_training_sum_wait(&u);
    else if (t->trainer->key == NULL)
        dc_training_key_wait(&u);
    else
        dc_training_round_wait(&u);
    training_turn_end(&u);
}

static void training_end(struct dc_engagement *g)
{
    struct training *t = g->memory;
    if (t->trainer != NULL) {
        dc_training_data_free(&t->trainer->data);
        dc_training_parts_clear(&t->trainer->key_parts);
        dc_mem_free(t->trainer->key);
        for (uint32_t k = 0; k < DC_TRAINING_PARTICIPANTS_MAX; k++) {
            dc_mem_free(t->trainer->half[0][k]);
            dc_mem_free(t->trainer->half[1][k]);
            dc_mem_free(t->trainer->early[k]);
        }
        dc_mem_free(t->trainer);
    }
    if (t->aggregator != NULL) {
        dc_training_parts_clear(&t->aggregator->parts);
        for (uint32_t k = 0; k < DC_TRAINING_PARTICIPANTS_MAX; k++)
            dc_mem_free(t->aggregator->c[k]);
        dc_mem_free(t->aggregator);
    }
    dc_bfv_close(t->bfv);
    dc_mem_free(t);
}

const struct dc_app_class dc_app_training = {.name = "training",
                                             .begin = training_begin,
                                             .commit = training_commit,
                                             .message = training_message,
                                             .end = training_end};
