/* Memory is one fetch of a challenge's answer at a time, in node->adversary: a node has one open
 * challenge.  The bytes themselves are where the node beneath keeps them for further verifiers. */
#include "models/adversary/outsource.h"

#include "models/base/bytes.h"
#include "models/base/mem.h"

#define FETCH_HEAD_BYTES ((size_t)10)
#define REPLY_HEAD_BYTES ((size_t)5)
#define ASKED_BYTES_MAX DC_GET_BYTES

struct outsource_fetch {
    uint64_t height; /* of the challenge; 0: none */
    uint8_t asking;
    bool here;          /* the reply has come */
    uint8_t waiting;    /* verifiers that are to get it then */
    uint32_t hash_cost; /* of the answer, charged then */
    uint32_t verifier[DC_VERIFIERS_MAX];
};

static bool outsource_accomplice(const struct dc_node *node)
{
    return node->accomplice == node->id;
}

/* Turns e into a FETCH of `size` bytes out of k chunks; `asked` comes back with the reply. */
static void outsource_ask(const struct dc_node *node, struct dc_effects *out, struct dc_effect *e,
                          uint32_t k, uint32_t size, const uint8_t *asked, size_t asked_size)
{
    uint32_t to = e->to;
    uint8_t *bytes = dc_effects_bytes(out, FETCH_HEAD_BYTES + asked_size);
    bytes[0] = DC_MSG_FETCH;
    dc_put32(bytes + 1, to);
    bytes[5] = (uint8_t)k;
    dc_put32(bytes + 6, size);
    if (asked_size != 0)
        memcpy(bytes + FETCH_HEAD_BYTES, asked, asked_size);
    *e = (struct dc_effect){.kind = DC_EFFECT_SEND,
                            .to = node->accomplice,
                            .bytes = bytes,
                            .size = (uint32_t)(FETCH_HEAD_BYTES + asked_size)};
}

/* --- what the accomplice does ----------------------------------------------------------------- */

static void outsource_serve(const struct dc_input *in, struct dc_effects *out)
{
    const uint8_t *bytes = in->payload->bytes;
    size_t size = in->payload->size;
    out->charge[DC_COST_MESSAGE]++;
    if (size < FETCH_HEAD_BYTES || size > FETCH_HEAD_BYTES + ASKED_BYTES_MAX)
        return;
    uint32_t k = bytes[5], wanted = dc_get32(bytes + 6);
    /* No more than k chunks with paths of 64 hashes, and the rest of an answer. */
    if (wanted > k * (DC_CHUNK_BYTES + 64 * 32 + 4) + 16384)
        return;
    out->charge[DC_COST_CHUNK] += k;
    size_t asked_size = size - FETCH_HEAD_BYTES;
    uint8_t reply[REPLY_HEAD_BYTES + ASKED_BYTES_MAX];
    reply[0] = DC_MSG_FETCH_REPLY;
    memcpy(reply + 1, bytes + 1, 4);
    memcpy(reply + REPLY_HEAD_BYTES, bytes + FETCH_HEAD_BYTES, asked_size);
    dc_effect_send(out, in->from, reply, REPLY_HEAD_BYTES + asked_size);
    out->list[out->count - 1].bulk = wanted;
}

/* --- what the outsourcer does with a reply ---------------------------------------------------- */

static void outsource_answer(struct dc_node *node, const uint8_t *asked, size_t size,
                             struct dc_effects *out)
{
    struct outsource_fetch *f = node->adversary;
    const struct dc_service_state *service = node->service;
    uint64_t height;
    uint8_t asking;
    if (f == NULL || !dc_challenge_decode(asked, size, &height, &asking) || f->height != height ||
        f->asking != asking || f->here)
        return;
    f->here = true;
    out->charge[DC_COST_SIGN]++;
    out->charge[DC_COST_HASH] += f->hash_cost;
    out->charge[DC_COST_KIB] += service->answer_size >> 10;
    bool kept = service->answer != NULL && service->answer_height == height;
    for (uint32_t i = 0; kept && i < f->waiting; i++) /* else it is far too late for all of them */
        dc_effect_send(out, f->verifier[i], service->answer, service->answer_size);
}

/* The client's question once more, now that the chunk is here. */
static void outsource_get(struct dc_node *node, const struct dc_input *in, uint32_t client,
                          const uint8_t *asked, size_t size, struct dc_effects *out)
{
    struct dc_payload payload = {
        .bytes = asked, .size = (uint32_t)size, .kind = (uint32_t)DC_MSG_GET};
    struct dc_input again = *in;
    again.from = client;
    again.payload = &payload;
    uint32_t chunks = out->charge[DC_COST_CHUNK];
    dc_serve_message(node, &again, out);
    out->charge[DC_COST_CHUNK] = chunks;
    out->charge[DC_COST_KIB] += DC_CHUNK_BYTES >> 10;
}

bool dc_outsource_take(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (in->kind != DC_INPUT_MESSAGE || node->service == NULL)
        return false;
    if (in->payload->kind == DC_MSG_FETCH && outsource_accomplice(node)) {
        outsource_serve(in, out);
        return true;
    }
    if (in->payload->kind != DC_MSG_FETCH_REPLY || outsource_accomplice(node) ||
        in->from != node->accomplice || in->payload->size <= REPLY_HEAD_BYTES)
        return false;
    out->charge[DC_COST_MESSAGE]++;
    uint32_t to = dc_get32(in->payload->bytes + 1);
    const uint8_t *asked = in->payload->bytes + REPLY_HEAD_BYTES;
    size_t size = in->payload->size - REPLY_HEAD_BYTES;
    if (asked[0] == DC_MSG_CHALLENGE)
        outsource_answer(node, asked, size, out);
    else if (asked[0] == DC_MSG_GET)
        outsource_get(node, in, to, asked, size, out);
    return true;
}

/* --- what the outsourcer keeps back ----------------------------------------------------------- */

static void outsource_forget(struct dc_node *node)
{
    dc_mem_free(node->adversary);
    node->adversary = NULL;
}

/* How many chunks the challenge of that height asks for. */
static uint32_t outsource_k(const struct dc_node *node, uint64_t height)
{
    const struct dc_block *at = dc_node_block_at(node, height);
    const struct dc_account *own = at != NULL ? dc_state_account(at->state, node->id) : NULL;
    return own != NULL ? own->posync.challenge.k : 0;
}

static void outsource_less(struct dc_effects *out, enum dc_cost cost, uint32_t n)
{
    out->charge[cost] -= n < out->charge[cost] ? n : out->charge[cost];
}

/* An ANSWER that is about to leave: true when it may.  Otherwise e is a FETCH, or to be dropped
 * (*drop).  `proved`: it was made in this step, and what it cost is taken back. */
static bool outsource_keep(struct dc_node *node, struct dc_effects *out, struct dc_effect *e,
                           bool proved, bool *drop)
{
    struct outsource_fetch *f = node->adversary;
    uint64_t height = dc_get64(e->bytes + 1);
    uint8_t asking = e->bytes[9];
    if (f == NULL)
        f = node->adversary = dc_mem_need(1, sizeof *f, "an outsourcer");
    bool first = f->height != height || f->asking != asking;
    if (!first && f->here)
        return true;
    if (first) {
        uint32_t k = outsource_k(node, height), hashes = (e->size - DC_SIGNATURE_BYTES) / 128;
        *f = (struct outsource_fetch){.height = height, .asking = asking, .hash_cost = hashes};
        if (proved) {
            outsource_less(out, DC_COST_CHUNK, k);
            outsource_less(out, DC_COST_SIGN, 1);
            outsource_less(out, DC_COST_HASH, hashes);
        }
    }
    bool known = false;
    for (uint32_t i = 0; i < f->waiting; i++)
        known = known || f->verifier[i] == e->to;
    if (!known && f->waiting < DC_VERIFIERS_MAX)
        f->verifier[f->waiting++] = e->to;
    *drop = !first;
    if (first) {
        uint8_t asked[DC_CHALLENGE_BYTES];
        size_t size = dc_challenge_encode(height, asking, asked);
        outsource_ask(node, out, e, outsource_k(node, height), e->size, asked, size);
    }
    return false;
}

/* The transfer behind an answer to a demand on chain, which is not held back for it. */
static void outsource_demand(const struct dc_node *node, struct dc_effects *out, uint32_t size)
{
    const struct dc_account *own = dc_state_account(node->chain->final->state, node->id);
    uint32_t k = own != NULL ? own->demand.k : 0;
    outsource_less(out, DC_COST_CHUNK, k);
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND);
    outsource_ask(node, out, e, k, size, NULL, 0);
}

void dc_outsource_edit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (node->service == NULL || outsource_accomplice(node))
        return;
    if (in->kind == DC_INPUT_RESTART)
        outsource_forget(node);
    uint32_t proofs = 0, kept = 0, demand = 0;
    for (uint32_t i = 0; i < out->count; i++)
        proofs += out->list[i].kind == DC_EFFECT_NOTE && out->list[i].timer == DC_NOTE_ANSWERED &&
                  out->list[i].b != 0;
    for (uint32_t i = 0; i < out->count; i++) {
        struct dc_effect *e = &out->list[i];
        bool drop = false, own = e->payload == NULL && e->bytes != NULL;
        if (own && e->kind == DC_EFFECT_SEND && e->bytes[0] == DC_MSG_ANSWER) {
            outsource_keep(node, out, e, proofs != 0, &drop);
        } else if (own && e->kind == DC_EFFECT_SEND && e->bytes[0] == DC_MSG_GET_REPLY &&
                   e->bytes[9] == DC_REPLY_OK && in->kind == DC_INPUT_MESSAGE &&
                   in->payload->kind == DC_MSG_GET) {
            outsource_less(out, DC_COST_CHUNK, 1);
            outsource_ask(node, out, e, 1, e->size, in->payload->bytes, in->payload->size);
        } else if (own && e->kind == DC_EFFECT_SEND_MANY && e->bytes[0] == DC_MSG_TX &&
                   e->size > 1 && e->bytes[1] == DC_TX_ANSWER) {
            demand = e->size;
        }
        if (!drop)
            out->list[kept++] = out->list[i];
    }
    out->count = kept;
    if (demand != 0)
        outsource_demand(node, out, demand);
}
