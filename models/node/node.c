#include "models/node/node.h"

#include "models/base/mem.h"
#include "models/client/wallet.h"
#include "models/node/holder.h"

/* --- making -------------------------------------------------------------------------------- */

void dc_node_keys(uint64_t key_seed, uint32_t id, struct dc_keypair *sign, struct dc_keypair *vrf)
{
    dc_renewal_keys(key_seed, id, 0, sign, vrf);
}

static uint32_t node_candidates(void *context, const struct dc_block *parent,
                                const struct dc_header *header, const struct dc_tx_view **out)
{
    struct dc_node_validator *v = ((struct dc_node *)context)->validator;
    struct dc_mempool *m = &v->mempool;
    dc_mem_free(v->candidate);
    v->candidate = dc_mem_need(m->count, sizeof *v->candidate, "candidates for a block");
    for (uint32_t i = 0; i < m->count; i++)
        v->candidate[i] = (struct dc_tx_view){m->entry[i].bytes, m->entry[i].size};
    *out = v->candidate;
    return m->count;
}

static void node_evidence(void *context, uint32_t accused, uint8_t kind, const uint8_t *proof,
                          size_t size, struct dc_effects *out)
{
    struct dc_node *node = context;
    const struct dc_account *a = dc_state_account(node->chain->final->state, accused);
    if (a == NULL || a->slashed_equivocation)
        return;
    struct dc_tx tx = {.kind = DC_TX_EVIDENCE, .from = node->id};
    tx.evidence.kind = kind;
    tx.evidence.accused = accused;
    tx.evidence.proof = proof;
    tx.evidence.proof_size = (uint32_t)size;
    dc_node_submit_tx(node, &tx, out);
}

static void node_late_vote(void *context, const struct dc_vote *vote, struct dc_effects *out)
{
    struct dc_node *node = context;
    dc_late_vote(&node->validator->late, node, vote, node->validator->input, out);
}

static const struct dc_consensus_node node_consensus = {
    .candidates = node_candidates, .late_vote = node_late_vote, .evidence = node_evidence};

static bool node_make_service(struct dc_node *node, const struct dc_node_config *c)
{
    node->service = dc_mem_alloc(1, sizeof *node->service);
    if (node->service == NULL)
        return false;
    dc_storage_init(&node->service->storage, c->filler, c->capacity_bytes);
    node->service->storage.disk = c->disk;
    node->service->storage.disk.filler_only = c->strategy == DC_STRATEGY_SYBIL;
    return true;
}

static bool node_make_renewal(struct dc_node *node, const struct dc_node_config *c,
                              uint32_t generation)
{
    struct dc_renewal *r = node->renewal = dc_mem_alloc(1, sizeof *r);
    if (r == NULL)
        return false;
    r->key_seed = c->key_seed;
    r->generation = generation;
    dc_renewal_keys(c->key_seed, c->id, generation, &r->sign, &r->vrf);
    if (c->registrar != NULL)
        r->registrar = *c->registrar;
    else
        dc_node_keys(c->key_seed, UINT32_MAX, &r->registrar, NULL);
    node->env.key = &r->sign;
    node->env.vrf_key = &r->vrf;
    return true;
}

static bool node_make_role(struct dc_node *node, const struct dc_node_config *c,
                           uint32_t generation)
{
    if (c->role == DC_NODE_VALIDATOR) {
        struct dc_node_validator *v = node->validator = dc_mem_alloc(1, sizeof *v);
        if (v == NULL)
            return false;
        dc_node_keys(c->key_seed, c->id, &node->key, &v->vrf_key);
        node->env.vrf_key = &v->vrf_key;
        if (generation != 0 && !node_make_renewal(node, c, generation))
            return false;
        node->env.node = &node_consensus;
        dc_jolteon_init(&v->jolteon, &node->env);
        node->chain = &v->jolteon.chain;
        return node_make_service(node, c);
    }
    dc_node_keys(c->key_seed, c->id, &node->key, NULL);
    dc_follow_init(&node->follow, &node->env);
    node->chain = &node->follow;
    if (c->role == DC_NODE_SERVICE)
        return node_make_service(node, c);
    node->client = dc_mem_alloc(1, sizeof *node->client);
    node->client_config = dc_mem_alloc(1, sizeof *node->client_config);
    if (node->client == NULL || node->client_config == NULL)
        return false;
    *node->client_config = (struct dc_client_config){.chain = c->chain,
                                                     .id = c->id,
                                                     .crypto = c->crypto,
                                                     .key = &node->key,
                                                     .params = c->params,
                                                     .replicas = c->replicas,
                                                     .retries = c->retries,
                                                     .deal_epochs = c->deal_epochs,
                                                     .timeout_ns = c->timeout_ns,
                                                     .price_get = c->price_get,
                                                     .book = c->book,
                                                     .book_count = c->book_count};
    if (c->book != NULL)
        node->wallet = dc_wallet_create(&node->key);
    return c->book == NULL || node->wallet != NULL;
}

static bool node_make_holder(struct dc_node *node, const struct dc_node_config *c)
{
    if (c->holder != NULL && node->validator != NULL)
        node->holder = dc_holder_create(c->holder);
    return c->holder == NULL || node->validator == NULL || node->holder != NULL;
}

struct dc_node *dc_node_create(const struct dc_node_config *c, struct dc_error *error)
{
    return dc_node_create_keys(c, 0, error);
}

struct dc_node *dc_node_create_keys(const struct dc_node_config *c, uint32_t generation,
                                    struct dc_error *error)
{
    struct dc_node *node = dc_mem_alloc(1, sizeof *node);
    if (node != NULL) {
        node->id = c->id;
        node->role = (uint8_t)c->role;
        node->strategy = (uint8_t)c->strategy;
        node->accomplice = c->accomplice;
        node->turn_score = c->turn_score;
        node->env = (struct dc_consensus_env){.chain = c->chain,
                                              .store = c->store,
                                              .crypto = c->crypto,
                                              .params = c->params,
                                              .self = c->id,
                                              .key = &node->key,
                                              .context = node};
        if (node_make_role(node, c, generation) && node_make_holder(node, c))
            return node;
        dc_node_destroy(node);
    }
    dc_error_set(error, DC_ERR_IO, "out of memory for node %u", c->id);
    return NULL;
}

void dc_node_destroy(struct dc_node *node)
{
    if (node == NULL)
        return;
    if (node->validator != NULL) {
        dc_jolteon_free(&node->validator->jolteon);
        dc_mempool_free(&node->validator->mempool);
        dc_verifier_free(&node->validator->verifier);
        dc_late_free(&node->validator->late);
        dc_mem_free(node->validator->candidate);
    } else if (node->chain != NULL) {
        dc_follow_free(&node->follow);
    }
    if (node->service != NULL) {
        dc_storage_free(&node->service->storage);
        dc_mem_free(node->service->answer);
    }
    dc_mem_free(node->validator);
    dc_mem_free(node->service);
    dc_mem_free(node->client);
    dc_mem_free(node->client_config);
    dc_wallet_free(node->wallet);
    dc_holder_free(node->holder);
    dc_private_free(node);
    dc_mem_free(node->adversary);
    dc_mem_free(node->renewal);
    if (node->byzantine != NULL)
        node->byzantine->free(node->byzantine);
    dc_mem_free(node);
}

void dc_node_hold(struct dc_node *node, const struct dc_held *held)
{
    dc_storage_hold(&node->service->storage, held);
}

void dc_node_memo_free(uint32_t kind, void *memo)
{
    dc_consensus_memo_free(kind, memo);
}

void *dc_node_memo_make(uint32_t kind, const void *object)
{
    return dc_consensus_memo_make(kind, object);
}

/* --- transactions --------------------------------------------------------------------------- */

static void node_pool(struct dc_node *node, const uint8_t *bytes, size_t size)
{
    if (node->validator != NULL)
        dc_mempool_add(&node->validator->mempool, bytes, size, node->chain->final->header.height);
}

void dc_node_submit(void *context, const uint8_t *bytes, size_t size, struct dc_effects *out)
{
    struct dc_node *node = context;
    uint32_t leader[8], count = dc_follow_leaders(node->chain, &node->env, 4, leader);
    uint8_t *message = dc_effects_bytes(out, size + 1);
    message[0] = DC_MSG_TX;
    memcpy(message + 1, bytes, size);
    uint32_t *to = dc_effects_bytes(out, sizeof leader), others = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (leader[i] == node->id)
            node_pool(node, bytes, size);
        else
            to[others++] = leader[i];
    }
    if (others == 0)
        return;
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND_MANY);
    e->bytes = message;
    e->size = (uint32_t)size + 1;
    e->to_list = to;
    e->to_count = others;
}

void dc_node_submit_tx(struct dc_node *node, const struct dc_tx *tx, struct dc_effects *out)
{
    size_t room = 512;
    if (tx->kind == DC_TX_ANSWER)
        room += tx->answer.proof_size;
    else if (tx->kind == DC_TX_EVIDENCE)
        room += tx->evidence.proof_size;
    else if (tx->kind == DC_TX_VOTES)
        room += tx->votes.votes_size;
    uint8_t *bytes = dc_effects_bytes(out, room);
    size_t size = dc_tx_sign(node->env.crypto, node->env.chain, &node->key, tx, bytes, room);
    DC_CHECK(size != 0);
    out->charge[DC_COST_SIGN]++;
    dc_node_submit(node, bytes, size, out);
}

/* A transaction came: its form and signature are checked before it waits for a block. */
static void node_on_tx(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    const uint8_t *bytes = in->payload->bytes + 1;
    size_t size = in->payload->size - 1;
    if (node->validator == NULL)
        return;
    if (!dc_private_tx_valid(node, bytes, size, out)) {
        node->refused++;
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_TX, 0);
        return;
    }
    node_pool(node, bytes, size);
}

/* --- the chain ------------------------------------------------------------------------------ */

const struct dc_block *dc_node_block_at(const struct dc_node *node, uint64_t height)
{
    const struct dc_block *b = node->chain->final;
    while (b != NULL && b->header.height > height)
        b = atomic_load_explicit(&b->parent, memory_order_acquire);
    return b != NULL && b->header.height == height && b->state != NULL ? b : NULL;
}

/* Sends the heartbeat that falls due 3 heights above the final one; again when the four rounds that
 * it was sent to have passed and it may still be included (rounds that time out make no height). */
static void node_heartbeat(struct dc_node *node, const struct dc_block *block,
                           struct dc_effects *out)
{
    const struct dc_state *state = block->state;
    uint64_t height = block->header.height, round = node->chain->round_seen;
    uint32_t lifetime = node->env.params->heartbeat_lifetime;
    if (node->client != NULL || (node->renewal != NULL && dc_follow_behind(node->chain)))
        return; /* who renewed does not know, so far behind, which key the others expect */
    if (dc_posync_heartbeat_due(height + 3, node->id, dc_state_meta(state)->heartbeat_every))
        node->heartbeat_due = height + 3;
    else if (height >= node->heartbeat_due + lifetime || round < node->heartbeat_round + 4 ||
             dc_state_heartbeat_seen(state, node->id, node->heartbeat_due))
        return;
    node->heartbeat_round = round;
    struct dc_tx tx = {.kind = DC_TX_HEARTBEAT, .from = node->id};
    tx.heartbeat.height = height;
    dc_state_heartbeat(state, node->id, tx.heartbeat.proof);
    out->charge[DC_COST_HASH] += 4;
    dc_node_submit_tx(node, &tx, out);
}

static void node_commit(struct dc_node *node, const struct dc_block *block,
                        const struct dc_input *in, struct dc_effects *out)
{
    if (block == node->chain->final)
        node_heartbeat(node, block, out);
    if (node->validator != NULL) {
        dc_mempool_remove(&node->validator->mempool, block->tx, block->tx_count);
        dc_mempool_expire(&node->validator->mempool, block->header.height);
        dc_verifier_commit(&node->validator->verifier, node, block, in, out);
    }
    if (node->service != NULL) {
        dc_serve_commit(node, block, in, out);
    } else {
        struct dc_client_env env = {node->client_config, block->state, dc_node_submit, node};
        dc_client_commit(node->client, &env, in->now_ns, out);
    }
}

/* A state was taken over: what the blocks between would have told, as far as it is in the state. */
static void node_synced(struct dc_node *node, const struct dc_block *block,
                        const struct dc_input *in, struct dc_effects *out)
{
    const struct dc_account *own = dc_state_account(block->state, node->id);
    if (node->service != NULL && own != NULL) {
        node->service->demanded = own->demand.height != 0;
        dc_serve_commit(node, block, in, out);
    }
}

/* What consensus reported as final in this step, in order; effects grow while this runs. */
static void node_commits(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    uint32_t count = out->count;
    bool moved = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct dc_effect *e = &out->list[i];
        if (e->kind == DC_EFFECT_NOTE && e->timer == DC_NOTE_SYNCED)
            node_synced(node, e->object, in, out);
        else if (e->kind == DC_EFFECT_COMMIT)
            node_commit(node, e->object, in, out);
        else
            continue;
        moved = true;
    }
    if (moved && node->renewal != NULL)
        dc_renewal_commit(node, out);
    if (moved && node->wallet != NULL) {
        struct dc_client_env env = {node->client_config, node->chain->final->state, dc_node_submit,
                                    node};
        dc_wallet_commit(node->wallet, &env, in->now_ns, out);
    }
    if (moved)
        dc_holder_commit(node, in, out);
    if (moved)
        dc_private_commit(node, in, out);
}

/* The roles that may send a message of a kind; 0: consensus judges by its committee record. */
static uint32_t node_roles(uint32_t kind)
{
    switch (kind) {
    case DC_MSG_TX:
    case DC_MSG_APP: return DC_ROLE_VALIDATOR | DC_ROLES_SERVICE | DC_ROLE_CLIENT;
    case DC_MSG_CHALLENGE:
    case DC_MSG_HOLDER: return DC_ROLE_VALIDATOR;
    case DC_MSG_ANSWER: return DC_ROLE_VALIDATOR | DC_ROLES_SERVICE;
    case DC_MSG_PUT:
    case DC_MSG_GET:
    case DC_MSG_RECEIPT: return DC_ROLE_CLIENT;
    case DC_MSG_PUT_REPLY:
    case DC_MSG_GET_REPLY:
    case DC_MSG_RECEIPT_REPLY: return DC_ROLES_SERVICE;
    default: return 0;
    }
}

/* Whether the sender's certificate allows what it sends (models/README.md 2).  The link is an
 * authenticated channel, so `from` is who it says. */
static bool node_certified(const struct dc_node *node, const struct dc_input *in)
{
    uint32_t roles = node_roles(in->payload->kind);
    if (roles == 0)
        return true;
    const struct dc_state *state = node->chain->final->state;
    const struct dc_account *a = dc_state_account(state, in->from);
    return a != NULL && dc_account_may(a, dc_state_meta(state)->height, roles);
}

/* --- the step ------------------------------------------------------------------------------- */

static void node_message(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    uint32_t kind = in->payload->kind;
    out->charge[DC_COST_MESSAGE]++;
    out->charge[DC_COST_KIB] += in->payload->size >> 10;
    if (!node_certified(node, in)) {
        node->refused++;
        dc_effect_note(out, DC_NOTE_REFUSED, kind, 1);
        return;
    }
    if (dc_consensus_message_is(kind)) {
        if (node->validator != NULL)
            dc_jolteon_message(&node->validator->jolteon, &node->env, in, out);
        else
            dc_follow_message(node->chain, &node->env, in, out);
    } else if (kind == DC_MSG_TX) {
        node_on_tx(node, in, out);
    } else if (kind == DC_MSG_APP) {
        dc_private_message(node, in, out);
    } else if (kind == DC_MSG_HOLDER) {
        dc_holder_message(node, in, out);
    } else if (kind == DC_MSG_ANSWER && node->validator != NULL) {
        dc_verifier_answer(&node->validator->verifier, node, in, out);
    } else if (node->service != NULL) {
        dc_serve_message(node, in, out);
    } else if (node->client != NULL && (kind == DC_MSG_PUT_REPLY || kind == DC_MSG_GET_REPLY ||
                                        kind == DC_MSG_RECEIPT_REPLY)) {
        struct dc_client_env env = {node->client_config, node->chain->final->state, dc_node_submit,
                                    node};
        dc_client_message(node->client, &env, in, out);
    }
}

static void node_timer(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (dc_consensus_timer_is(in->timer)) {
        if (node->validator != NULL)
            dc_jolteon_timer(&node->validator->jolteon, &node->env, in, out);
        else
            dc_follow_timer(node->chain, &node->env, in, out);
    } else if (node->validator != NULL && in->timer >> 56 == DC_TIMER_VERIFIER) {
        dc_verifier_timer(&node->validator->verifier, node, in, out);
    } else if (node->validator != NULL && in->timer >> 56 == DC_TIMER_LATE) {
        if (node->validator->late.height == (in->timer & (((uint64_t)1 << 56) - 1)))
            dc_late_timer(&node->validator->late, node, out);
    } else if (node->client != NULL) {
        struct dc_client_env env = {node->client_config, node->chain->final->state, dc_node_submit,
                                    node};
        dc_client_timer(node->client, &env, in, out);
    }
}

static void node_restart(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (node->validator != NULL) {
        dc_mempool_free(&node->validator->mempool);
        dc_verifier_free(&node->validator->verifier);
        dc_late_free(&node->validator->late);
        dc_jolteon_restart(&node->validator->jolteon, &node->env, in, out);
    } else {
        dc_follow_restart(node->chain, &node->env, in, out);
    }
    if (node->service != NULL) {
        node->service->pendings = 0;
        dc_serve_forget_answer(node->service);
    }
    if (node->renewal != NULL)
        node->renewal->asked_height = 0;
    if (node->client != NULL)
        memset(node->client->request, 0, sizeof node->client->request);
    dc_holder_restart(node, in);
    dc_private_restart(node, in, out);
}

void dc_node_step(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    if (node->validator != NULL)
        node->validator->input = in;
    switch (in->kind) {
    case DC_INPUT_START:
        if (node->validator != NULL)
            dc_jolteon_start(&node->validator->jolteon, &node->env, in, out);
        break;
    case DC_INPUT_MESSAGE: node_message(node, in, out); break;
    case DC_INPUT_TIMER: node_timer(node, in, out); break;
    case DC_INPUT_RESTART: node_restart(node, in, out); break;
    case DC_INPUT_CALL:
        if (in->call->kind == DC_CALL_APP) {
            dc_private_call(node, in, out);
        } else if (node->client != NULL) {
            struct dc_client_env env = {node->client_config, node->chain->final->state,
                                        dc_node_submit, node};
            if (!dc_wallet_calls(in->call->kind))
                dc_client_call(node->client, &env, in, out);
            else if (node->wallet != NULL)
                dc_wallet_call(node->wallet, node->client, &env, in, out);
        }
        break;
    }
    node_commits(node, in, out);
    if (node->validator != NULL && node->validator->candidate != NULL) {
        dc_mem_free(node->validator->candidate);
        node->validator->candidate = NULL;
    }
}
