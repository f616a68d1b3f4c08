#include "models/node/private.h"

#include "models/base/mem.h"
#include "models/ledger/vault.h"
#include "models/node/node.h"

/* Of any node's account: clients share the counter with their deals. */
static uint64_t private_nonce(void *ctx)
{
    struct dc_node *node = ctx;
    if (node->client != NULL) {
        struct dc_client_env env = {node->client_config, node->chain->final->state, dc_node_submit,
                                    node};
        return dc_client_nonce(node->client, &env);
    }
    const struct dc_account *own = dc_state_account(node->chain->final->state, node->id);
    if (node->nonce_next < own->nonce)
        node->nonce_next = own->nonce;
    return node->nonce_next++;
}

uint64_t dc_private_nonce(struct dc_node *node)
{
    return private_nonce(node);
}

/* What a part in an application sees of its node; *config is where a node that is no client has its
 * own put down. */
static struct dc_app_env private_env(struct dc_node *node, struct dc_client_config *config)
{
    *config = (struct dc_client_config){.chain = node->env.chain,
                                        .id = node->id,
                                        .crypto = node->env.crypto,
                                        .key = &node->key,
                                        .params = node->env.params};
    return (struct dc_app_env){.config = node->client != NULL ? node->client_config : config,
                               .state = node->chain->final->state,
                               .client = node->client,
                               .submit = dc_node_submit,
                               .submit_ctx = node,
                               .nonce = private_nonce};
}

static void private_make(struct dc_node *node)
{
    if (node->apps == NULL)
        node->apps = dc_mem_need(1, sizeof *node->apps, "parts in private applications");
}

void dc_private_call(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    struct dc_client_config config;
    struct dc_app_env env = private_env(node, &config);
    private_make(node);
    dc_apps_call(node->apps, &env, in, out);
}

void dc_private_message(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    struct dc_client_config config;
    struct dc_app_env env = private_env(node, &config);
    if (node->apps != NULL)
        dc_apps_message(node->apps, &env, in, out);
    else
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_APP, 0);
}

void dc_private_commit(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    struct dc_client_config config;
    if (node->apps == NULL)
        return;
    struct dc_app_env env = private_env(node, &config);
    dc_apps_commit(node->apps, &env, in->now_ns, out);
}

void dc_private_restart(struct dc_node *node, const struct dc_input *in, struct dc_effects *out)
{
    struct dc_client_config config;
    if (node->apps == NULL)
        return;
    struct dc_app_env env = private_env(node, &config);
    uint64_t nonce = dc_apps_nonce(node->apps); /* not those of CALLs that are under way */
    if (node->nonce_next < nonce)
        node->nonce_next = nonce;
    dc_apps_restart(node->apps, &env, in, out);
}

bool dc_private_read(struct dc_node *node, struct dc_reader *r)
{
    if (r->failed || r->offset >= r->size)
        return false;
    if (((const uint8_t *)r->data)[r->offset] != 0)
        private_make(node);
    return node->apps != NULL ? dc_apps_read(node->apps, r) : dc_read8(r) == 0;
}

void dc_private_free(struct dc_node *node)
{
    if (node->apps != NULL)
        dc_apps_free(node->apps);
    dc_mem_free(node->apps);
    node->apps = NULL;
}

/* The newest certified block that this node has executed itself: its state does not depend on how
 * far others are. */
static struct dc_block *private_tip(const struct dc_node *node)
{
    const struct dc_follow *f = node->chain;
    struct dc_follow_entry *e = f->high_qc != NULL ? dc_follow_find(f, &f->high_qc->block) : NULL;
    while (e != NULL && (e->block->header.seal != 0 || e->executed != 1))
        e = dc_follow_entry_of(f, e->parent);
    return e != NULL ? e->block : f->final;
}

bool dc_private_tx_valid(const struct dc_node *node, const uint8_t *bytes, size_t size,
                         struct dc_effects *out)
{
    struct dc_tx tx;
    if (!dc_tx_decode(bytes, size, &tx))
        return false;
    /* What carries proofs, or stays for ever, is tried before it waits: see dc_store_try. */
    if (!dc_tx_signed(&tx) || tx.kind == DC_TX_CALL || tx.kind == DC_TX_SHIELD)
        return dc_mempool_has(&node->validator->mempool, bytes, size) ||
               dc_store_try(node->env.store, private_tip(node),
                            &(struct dc_tx_view){bytes, (uint32_t)size}, out);
    const struct dc_state *state = node->chain->final->state;
    const uint8_t *key = dc_state_signer(state, &tx, dc_state_meta(state)->height + 1);
    struct dc_hash digest = dc_tx_digest(node->env.chain, bytes, size - DC_SIGNATURE_BYTES);
    out->charge[DC_COST_VERIFY]++;
    return key != NULL && dc_verify(node->env.crypto, key, digest.b, sizeof digest.b, tx.signature);
}
