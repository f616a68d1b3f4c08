/* Inference as an application: participants ask, the service node `node` answers on what it cannot
 * read (models/privacy/inference.h).
 *
 *     participant                                     node
 *       keys of BFV, drawn from its seed
 *       QUESTION n: public key, encrypted features  ->  (key 54 KB and once, question 108 KB)
 *                                                   <-  ANSWER n: 108 KB
 *       after call.rounds answers: note                 after rounds to each and a while in which
 *                                                       nobody asked again, or at its end (height):
 *                                                       note, how many questions it answered
 *
 * The key goes with a participant's first question; a node that has not (or no more) the key says
 * so by an ANSWER without ciphertext, and the question comes again with it.  An answer that does
 * not come is asked for again; after ASK_TRIES it is given up with result DC_APP_REFUSED.
 *
 * A participant's result is dc_inference_digest over its answers: the world draws model (from the
 * node's call.seed) and inputs (from the participant's) again and
 * compares (dc_inference_expect).
 *
 * Keys and the model are drawn again after a crash; the record says how far each has come. */
#include "models/client/app.h"

#include "models/base/mem.h"
#include "models/privacy/inference.h"

#define ASK_WAIT_NS INT64_C(4000000000)
#define ASK_TRIES 6

enum { STEP_QUESTION, STEP_ANSWER };

struct asker { /* a participant as the node knows it */
    uint32_t id, answered;
    struct dc_bfv_public *key; /* NULL until it came */
};
struct inference {
    struct dc_bfv *bfv;
    struct dc_inference_shape shape;
    uint8_t secret[32]; /* of this node in this application: what draws come from */
    /* the node */
    struct dc_bfv_poly *factor;
    int64_t bias;
    uint32_t askers;
    struct asker *asker;
    uint64_t until; /* height */
    /* a participant */
    struct dc_bfv_secret *own;
    struct dc_bfv_public *key;
    uint32_t next, tries; /* question under way */
    uint64_t digest;
    int64_t asked_ns; /* the newest question, at the node too */
};

/* What this node draws from: its key, the application and what the world drew for it. */
static void secret_make(const struct dc_engagement *g, const struct dc_app_env *env,
                        uint8_t out[32])
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_PROOF_NONCE);
    dc_hasher_update(&h, env->config->key->secret, 32);
    dc_hasher_update64(&h, g->call.kind);
    dc_hasher_update64(&h, g->call.number);
    dc_hasher_update64(&h, g->call.tag);
    dc_hasher_update64(&h, g->call.seed);
    struct dc_hash secret = dc_hasher_final(&h);
    memcpy(out, secret.b, 32);
}

static uint32_t rounds(const struct dc_engagement *g)
{
    return g->call.rounds != 0 ? g->call.rounds : 1;
}

/* --- the record ------------------------------------------------------------------------------ */

/* A participant's: next 4, digest 8.  The node's: until 8, then answered 4 of each asker. */
static void record(struct dc_engagement *g)
{
    const struct inference *a = g->memory;
    size_t size = a->factor != NULL ? 8 + 4 * (size_t)a->askers : 12;
    uint8_t *bytes = dc_mem_need(1, size, "a record");
    struct dc_writer w = dc_writer(bytes, size);
    if (a->factor != NULL) {
        dc_write64(&w, a->until);
        for (uint32_t i = 0; i < a->askers; i++)
            dc_write32(&w, a->asker[i].answered);
    } else {
        dc_write32(&w, a->next);
        dc_write64(&w, a->digest);
    }
    dc_app_record(g, bytes, size);
    dc_mem_free(bytes);
}

static void resume(struct dc_engagement *g)
{
    struct inference *a = g->memory;
    struct dc_reader r = dc_reader(g->record, g->record_size);
    if (!g->resumed || g->record == NULL)
        return;
    if (a->factor != NULL) {
        a->until = dc_read64(&r);
        for (uint32_t i = 0; i < a->askers; i++)
            a->asker[i].answered = dc_read32(&r);
    } else {
        a->next = dc_read32(&r);
        a->digest = dc_read64(&r);
    }
}

/* --- a participant --------------------------------------------------------------------------- */

static void ask(struct dc_engagement *g, const struct dc_app_env *env, bool with_key,
                int64_t now_ns, struct dc_effects *out)
{
    struct inference *a = g->memory;
    int32_t x[DC_INFERENCE_FEATURES_MAX];
    struct dc_bfv_plain plain;
    struct dc_bfv_ciphertext *c = dc_mem_need(1, sizeof *c, "a ciphertext");
    dc_inference_input_draw(&a->shape, g->call.seed, a->next, x);
    dc_inference_pack(&a->shape, x, &plain);
    dc_bfv_encrypt(a->bfv, a->key, &plain, a->secret, c);
    out->charge[DC_COST_BFV_ENCRYPT]++;
    size_t key_size = with_key ? DC_BFV_PUBLIC_BYTES : 0;
    size_t size = 4 + DC_BFV_CIPHERTEXT_BYTES + key_size;
    uint8_t *body = dc_mem_need(1, size, "a question");
    dc_put32(body, a->next);
    dc_bfv_ciphertext_encode(c, body + 4);
    if (with_key)
        dc_bfv_public_encode(a->key, body + 4 + DC_BFV_CIPHERTEXT_BYTES);
    dc_app_send(g, g->call.node, STEP_QUESTION, body, size, out);
    a->asked_ns = now_ns;
    a->tries++;
    dc_mem_free(body);
    dc_mem_free(c);
}

static void answered(struct dc_engagement *g, const struct dc_app_env *env,
                     const struct dc_app_message *m, int64_t now_ns, struct dc_effects *out)
{
    struct inference *a = g->memory;
    if (m->size < 4 || dc_get32(m->body) != a->next)
        return; /* late, or twice */
    if (m->size == 4) {
        if (a->tries < ASK_TRIES)
            ask(g, env, true, now_ns, out);
        return;
    }
    struct dc_bfv_ciphertext *c = dc_mem_need(1, sizeof *c, "a ciphertext");
    bool good = dc_bfv_ciphertext_decode(m->body + 4, m->size - 4, c);
    if (good) {
        struct dc_bfv_plain plain;
        dc_bfv_decrypt(a->bfv, a->own, c, &plain);
        out->charge[DC_COST_BFV_DECODE]++;
        a->digest = dc_inference_digest(a->digest, dc_inference_unpack(&a->shape, &plain));
        a->next++;
        a->tries = 0;
        record(g);
    } else {
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_APP, 0);
    }
    dc_mem_free(c);
    if (!good)
        return;
    if (a->next == rounds(g))
        dc_app_done(g, a->digest, out);
    else
        ask(g, env, false, now_ns, out);
}

/* --- the node -------------------------------------------------------------------------------- */

static struct asker *find(struct inference *a, uint32_t id)
{
    for (uint32_t i = 0; i < a->askers; i++)
        if (a->asker[i].id == id)
            return &a->asker[i];
    return NULL;
}

static uint64_t given(const struct dc_engagement *g, bool *all)
{
    const struct inference *a = g->memory;
    uint64_t sum = 0;
    *all = true;
    for (uint32_t i = 0; i < a->askers; i++) {
        sum += a->asker[i].answered;
        *all &= a->asker[i].answered >= rounds(g);
    }
    return sum;
}

/* False when the body is none. */
static bool answer(struct dc_engagement *g, struct asker *who, const struct dc_app_message *m,
                   struct dc_effects *out)
{
    struct inference *a = g->memory;
    const size_t bare = 4 + DC_BFV_CIPHERTEXT_BYTES;
    if (m->size != bare && m->size != bare + DC_BFV_PUBLIC_BYTES)
        return false;
    if (m->size != bare) {
        struct dc_bfv_public *key = dc_mem_need(1, sizeof *key, "a participant's key");
        if (!dc_bfv_public_decode(a->bfv, m->body + bare, m->size - bare, key)) {
            dc_mem_free(key);
            return false;
        }
        dc_mem_free(who->key);
        who->key = key;
    }
    if (who->key == NULL) { /* its first message was lost, or this node has forgotten */
        dc_app_send(g, who->id, STEP_ANSWER, m->body, 4, out);
        return true;
    }
    struct dc_bfv_ciphertext *c = dc_mem_need(1, sizeof *c, "a ciphertext");
    bool good = dc_bfv_ciphertext_decode(m->body + 4, DC_BFV_CIPHERTEXT_BYTES, c);
    if (good) {
        uint8_t *body = dc_mem_need(1, bare, "an answer");
        dc_inference_answer(a->bfv, &a->shape, a->factor, a->bias, who->key, a->secret, c);
        out->charge[DC_COST_BFV_ADD]++;      /* the product: its factor is transformed already */
        out->charge[DC_COST_BFV_MULTIPLY]++; /* the mask: not so */
        out->charge[DC_COST_BFV_ENCRYPT]++;  /* of zero, to drown in */
        memcpy(body, m->body, 4);
        dc_bfv_ciphertext_encode(c, body + 4);
        dc_app_send(g, who->id, STEP_ANSWER, body, bare, out);
        dc_mem_free(body);
        uint32_t n = dc_get32(m->body) + 1;
        if (n != 0 && n <= rounds(g) && n > who->answered)
            who->answered = n;
        record(g);
    }
    dc_mem_free(c);
    return good;
}

/* --- the class ------------------------------------------------------------------------------- */

static void begin_node(struct dc_engagement *g, const struct dc_app_env *env,
                       struct dc_effects *out)
{
    struct inference *a = g->memory;
    struct dc_linear_model *model = dc_mem_need(1, sizeof *model, "a model");
    dc_inference_model_draw(&a->shape, g->call.seed, model);
    a->factor = dc_mem_need(1, sizeof *a->factor, "a model");
    dc_inference_factor(a->bfv, &a->shape, model, a->factor);
    out->charge[DC_COST_BFV_MULTIPLY]++; /* its transform */
    a->bias = model->bias;
    dc_mem_free(model);
    a->asker = dc_mem_need(g->call.count, sizeof *a->asker, "participants");
    for (uint32_t i = 0; i < g->call.count; i++)
        if (g->call.participant[i] != g->call.node)
            a->asker[a->askers++].id = g->call.participant[i];
    a->until = dc_state_meta(env->state)->height + g->call.end;
    resume(g);
    record(g);
}

static void begin_participant(struct dc_engagement *g, const struct dc_app_env *env, int64_t now_ns,
                              struct dc_effects *out)
{
    struct inference *a = g->memory;
    struct dc_hasher h; /* its public key's `a`: of the application, nobody's choice */
    dc_hasher_init(&h, DC_DOMAIN_INFERENCE);
    dc_hasher_update64(&h, env->config->chain);
    dc_hasher_update64(&h, g->call.tag);
    dc_hasher_update64(&h, env->config->id);
    struct dc_hash common = dc_hasher_final(&h);
    a->own = dc_mem_need(1, sizeof *a->own, "a key");
    a->key = dc_mem_need(1, sizeof *a->key, "a key");
    dc_bfv_secret_make(a->bfv, a->secret, a->own);
    dc_bfv_public_make(a->bfv, a->own, a->secret, &common, a->key);
    out->charge[DC_COST_BFV_ENCRYPT]++; /* making a key is as much work */
    resume(g);
    record(g);
    ask(g, env, true, now_ns, out);
}

static void inference_begin(struct dc_engagement *g, const struct dc_app_env *env,
                            const struct dc_input *in, struct dc_effects *out)
{
    bool node = g->call.node == env->config->id, participant = false;
    for (uint32_t i = 0; i < g->call.count; i++)
        participant |= g->call.participant[i] == env->config->id;
    struct dc_inference_shape shape;
    if (!dc_inference_shape_make(g->call.features, &shape) || (!node && !participant)) {
        dc_app_done(g, node || participant ? DC_APP_REFUSED : 0, out); /* nothing to do here */
        return;
    }
    struct inference *a = g->memory = dc_mem_need(1, sizeof *a, "an inference");
    a->shape = shape;
    a->bfv = dc_bfv_open();
    DC_CHECK(a->bfv != NULL);
    secret_make(g, env, a->secret);
    a->asked_ns = in->now_ns;
    if (node)
        begin_node(g, env, out);
    else
        begin_participant(g, env, in->now_ns, out);
}

static void inference_message(struct dc_engagement *g, const struct dc_app_env *env,
                              const struct dc_input *in, struct dc_effects *out)
{
    struct inference *a = g->memory;
    struct dc_app_message m;
    if (!dc_app_message_decode(in->payload->bytes, in->payload->size, &m))
        return;
    if (a->factor == NULL) {
        if (in->from == g->call.node && m.step == STEP_ANSWER)
            answered(g, env, &m, in->now_ns, out);
        return;
    }
    struct asker *who = find(a, in->from);
    if (who == NULL || m.step != STEP_QUESTION || !answer(g, who, &m, out)) {
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_APP, 0);
        return;
    }
    a->asked_ns = in->now_ns;
}

static void inference_commit(struct dc_engagement *g, const struct dc_app_env *env, int64_t now_ns,
                             struct dc_effects *out)
{
    struct inference *a = g->memory;
    if (a->factor != NULL) {
        bool all;
        uint64_t sum = given(g, &all);
        if ((all && now_ns - a->asked_ns >= 2 * ASK_WAIT_NS) ||
            (g->call.end != 0 && dc_state_meta(env->state)->height > a->until))
            dc_app_done(g, sum, out);
    } else if (now_ns - a->asked_ns >= ASK_WAIT_NS) {
        if (a->tries >= ASK_TRIES)
            dc_app_done(g, DC_APP_REFUSED, out);
        else
            ask(g, env, true, now_ns, out);
    }
}

static void inference_end(struct dc_engagement *g)
{
    struct inference *a = g->memory;
    for (uint32_t i = 0; i < a->askers; i++)
        dc_mem_free(a->asker[i].key);
    dc_mem_free(a->asker);
    dc_mem_free(a->factor);
    dc_mem_free(a->own);
    dc_mem_free(a->key);
    dc_bfv_close(a->bfv);
    dc_mem_free(a);
}

const struct dc_app_class dc_app_inference = {.name = "inference",
                                              .begin = inference_begin,
                                              .commit = inference_commit,
                                              .message = inference_message,
                                              .end = inference_end};
