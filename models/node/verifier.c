#include "models/node/verifier.h"

#include "models/base/mem.h"
#include "models/node/node.h"

/* Challenges in blocks older than this are not asked any more: the node is catching up. */
static const int64_t verifier_fresh_ns = 20000000000;

static struct dc_session *verifier_open(struct dc_verifier *v)
{
    if (v->count == v->count_max) {
        uint32_t grown = v->count_max == 0 ? 4 : 2 * v->count_max;
        struct dc_session *more = dc_mem_grow(v->session, grown, sizeof *more);
        DC_CHECK(more != NULL);
        v->session = more;
        v->count_max = grown;
    }
    return &v->session[v->count++];
}

static void verifier_close(struct dc_verifier *v, struct dc_session *s)
{
    dc_block_drop(s->at);
    *s = v->session[--v->count];
    if (v->count == 0)
        dc_verifier_free(v);
}

void dc_verifier_free(struct dc_verifier *v)
{
    while (v->count > 0)
        dc_block_drop(v->session[--v->count].at);
    dc_mem_free(v->session);
    v->session = NULL;
    v->count_max = 0;
}

static void verifier_ask(struct dc_session *s, int64_t now_ns, struct dc_effects *out)
{
    uint8_t bytes[DC_CHALLENGE_BYTES];
    s->sent_ns = now_ns;
    s->asked = true;
    dc_effect_send(out, s->node, bytes, dc_challenge_encode(s->height, s->asking, bytes));
    dc_effect_timer(out, now_ns + 2 * s->deadline_ns,
                    (uint64_t)DC_TIMER_VERIFIER << 56 | s->number);
}

/* When the certificate that commits the block can be public: two blocks stand on it then, each
 * block_interval after its parent. */
static int64_t verifier_public_ns(const struct dc_node *node, const struct dc_block *block)
{
    return block->header.timestamp_ns + 2 * node->env.params->block_interval_ns;
}

void dc_verifier_commit(struct dc_verifier *v, struct dc_node *node, const struct dc_block *block,
                        const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_outcome *o = block->outcome;
    if (o == NULL || in->wall_ns - block->header.timestamp_ns > verifier_fresh_ns)
        return;
    int64_t wait_ns = verifier_public_ns(node, block) - in->wall_ns;
    for (uint32_t i = dc_outcome_duty(o, node->id);
         i < o->duty_count && o->duty[i].verifier == node->id; i++) {
        uint32_t target = o->duty[i].node;
        const struct dc_account *a = dc_state_account(block->state, target);
        const struct dc_challenge *c = &a->posync.challenge;
        const struct dc_block *at = dc_node_block_at(node, c->f_height);
        if (at == NULL)
            continue;
        struct dc_session *s = verifier_open(v);
        const struct dc_account *own = dc_state_account(block->state, node->id);
        *s = (struct dc_session){.at = (struct dc_block *)(uintptr_t)at,
                                 .height = c->height,
                                 .nonce = c->nonce,
                                 .node = target,
                                 .number = ++v->number_next,
                                 .asking = c->asking,
                                 .k = c->k};
        atomic_fetch_add_explicit(&s->at->refs, 1, memory_order_relaxed);
        s->deadline_ns = dc_posync_deadline_ns(node->env.params, c->k) +
                         dc_state_allowance_ns(block->state, own->region, a->region);
        if (wait_ns > 0)
            dc_effect_timer(out, in->now_ns + wait_ns,
                            (uint64_t)DC_TIMER_VERIFIER << 56 | s->number);
        else
            verifier_ask(s, in->now_ns, out);
    }
}

static void verifier_say(struct dc_verifier *v, struct dc_node *node, struct dc_session *s,
                         enum dc_verdict_kind verdict, int64_t took_ns,
                         const struct dc_hash *answer, struct dc_effects *out)
{
    struct dc_tx tx = {.kind = DC_TX_VERDICT, .from = node->id};
    uint64_t took_us = took_ns < 0 ? UINT32_MAX : (uint64_t)took_ns / 1000;
    tx.verdict.height = s->height;
    tx.verdict.node = s->node;
    tx.verdict.response_us = took_us > UINT32_MAX ? UINT32_MAX : (uint32_t)took_us;
    tx.verdict.verdict = (uint8_t)verdict;
    tx.verdict.asking = s->asking;
    tx.verdict.proved = verdict == DC_VERDICT_PASS ? s->k : 0;
    if (answer != NULL) {
        uint8_t text[36];
        dc_put32(text, node->id);
        memcpy(text + 4, answer->b, 32);
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_VERDICT, text, sizeof text);
        memcpy(tx.verdict.binding, h.b, sizeof tx.verdict.binding);
    }
    dc_node_submit_tx(node, &tx, out);
    verifier_close(v, s);
}

/* The proofs, checked once process-wide for the same bytes and challenge (a pure function). */
static bool verifier_check(const struct dc_node *node, const struct dc_session *s,
                           const struct dc_answer_msg *m, struct dc_effects *out)
{
    const struct dc_state *state = s->at->state;
    const struct dc_account *a = dc_state_account(state, s->node);
    out->charge[DC_COST_HASH] += (m->storage_size + m->sync_size) / 128 + 32 * s->k;
    uint8_t text[100];
    memcpy(text, m->digest.b, 32);
    memcpy(text + 32, s->nonce.b, 32);
    memcpy(text + 64, s->at->id.b, 32);
    dc_put32(text + 96, s->node);
    struct dc_hash key = dc_hash_bytes(DC_DOMAIN_MEMO, text, sizeof text);
    uint32_t answer;
    if (dc_memo_get(node->env.crypto->memo, &key, &answer))
        return answer == 1;
    struct dc_hash root = dc_state_root(state);
    bool ok =
        dc_state_prove_check(&root, dc_state_sync_account(state, &s->nonce), m->sync, m->sync_size);
    if (a->capacity_bytes >= DC_CHUNK_BYTES) {
        uint64_t sample[256];
        dc_posync_samples(&s->nonce, a->capacity_bytes / DC_CHUNK_BYTES, s->k, sample);
        ok = ok && dc_storage_check(state, s->node, sample, s->k, m->storage, m->storage_size);
    } else {
        ok = ok && m->storage_size == 0;
    }
    answer = ok ? 1 : 2;
    dc_memo_put(node->env.crypto->memo, &key, &answer);
    return ok;
}

void dc_verifier_answer(struct dc_verifier *v, struct dc_node *node, const struct dc_input *in,
                        struct dc_effects *out)
{
    struct dc_answer_msg m;
    if (!dc_answer_decode(node->env.chain, in->payload->bytes, in->payload->size, &m) ||
        m.node != in->from) {
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_ANSWER, 0);
        return;
    }
    for (uint32_t i = 0; i < v->count; i++) {
        struct dc_session *s = &v->session[i];
        if (!s->asked || s->node != m.node || s->height != m.height || s->asking != m.asking)
            continue;
        const struct dc_account *a = dc_state_account(s->at->state, s->node);
        out->charge[DC_COST_VERIFY]++;
        if (!dc_verify(node->env.crypto, a->sign_key, m.digest.b, sizeof m.digest.b, m.signature)) {
            dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_ANSWER, 0);
            return;
        }
        int64_t took = in->now_ns - s->sent_ns;
        enum dc_verdict_kind verdict = !verifier_check(node, s, &m, out) ? DC_VERDICT_FAIL
                                       : took > s->deadline_ns           ? DC_VERDICT_LATE
                                                                         : DC_VERDICT_PASS;
        verifier_say(v, node, s, verdict, took, &m.digest, out);
        return;
    }
}

void dc_verifier_timer(struct dc_verifier *v, struct dc_node *node, const struct dc_input *in,
                       struct dc_effects *out)
{
    uint32_t number = (uint32_t)in->timer;
    for (uint32_t i = 0; i < v->count; i++)
        if (v->session[i].number == number) {
            if (!v->session[i].asked)
                verifier_ask(&v->session[i], in->now_ns, out);
            else
                verifier_say(v, node, &v->session[i], DC_VERDICT_SILENT, -1, NULL, out);
            return;
        }
}
