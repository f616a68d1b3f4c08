#include "models/node/renew.h"

#include "models/ledger/genesis.h"
#include "models/node/node.h"

#define RETRY_HEIGHTS 12 /* a RENEW that is not final by then was lost */

void dc_renewal_keys(uint64_t key_seed, uint32_t id, uint32_t generation, struct dc_keypair *sign,
                     struct dc_keypair *vrf)
{
    uint8_t seed[DC_SEED_BYTES];
    dc_seed_derive(key_seed, id, DC_KEY_SIGN, generation, seed);
    dc_keypair_from_seed(seed, sign);
    if (vrf == NULL)
        return;
    dc_seed_derive(key_seed, id, DC_KEY_VRF, generation, seed);
    dc_keypair_from_seed(seed, vrf);
}

/* Whether the chain knows a key of this node's key file; then it is the one for transactions. */
static bool renewal_known(struct dc_node *node, const uint8_t on_chain[DC_KEY_BYTES])
{
    const struct dc_renewal *r = node->renewal;
    if (memcmp(node->key.public, on_chain, DC_KEY_BYTES) == 0)
        return true;
    for (uint32_t g = r->generation + 1; g-- > 0;) {
        struct dc_keypair key;
        dc_renewal_keys(r->key_seed, node->id, g, &key, NULL);
        if (memcmp(key.public, on_chain, DC_KEY_BYTES) != 0)
            continue;
        node->key = key;
        return true;
    }
    return false;
}

void dc_renewal_keys_on_chain(struct dc_node *node)
{
    const struct dc_account *own = dc_state_account(node->chain->final->state, node->id);
    if (own != NULL)
        (void)renewal_known(node, own->sign_key);
}

static void renewal_ask(struct dc_node *node, const struct dc_account *own, struct dc_effects *out)
{
    const struct dc_renewal *r = node->renewal;
    uint8_t certificate[DC_CERT_BYTES];
    dc_genesis_certify(node->env.crypto, &r->registrar, node->env.chain, node->id, own->roles,
                       (uint64_t)r->generation << 32 | node->id, own->valid_from, own->valid_to,
                       r->sign.public, r->vrf.public, certificate);
    struct dc_tx tx = {.kind = DC_TX_RENEW, .from = node->id};
    tx.reg.nonce = own->nonce;
    tx.reg.capacity_bytes = own->capacity_bytes;
    tx.reg.region = own->region;
    tx.reg.filler_root = own->filler_root;
    tx.reg.certificate = certificate;
    tx.reg.certificate_size = sizeof certificate;
    dc_node_submit_tx(node, &tx, out);
}

void dc_renewal_commit(struct dc_node *node, struct dc_effects *out)
{
    struct dc_renewal *r = node->renewal;
    const struct dc_account *own = dc_state_account(node->chain->final->state, node->id);
    uint64_t height = node->chain->final->header.height;
    if (own == NULL || own->revoked || own->posync.ejected || !renewal_known(node, own->sign_key) ||
        memcmp(own->sign_key, r->sign.public, DC_KEY_BYTES) == 0 || dc_follow_behind(node->chain) ||
        (r->asked_height != 0 && height < r->asked_height + RETRY_HEIGHTS))
        return;
    r->asked_height = height;
    renewal_ask(node, own, out);
}
