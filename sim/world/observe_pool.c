/* What final blocks do to the shielded pool, told from their transactions alone: an account of it
 * beside the ledger's own (invariant `money`). */
#include "models/ledger/vault.h"
#include "models/privacy/transfer.h"
#include "models/wire/tx.h"
#include "sim/world/checks.h"

static void pool_shielded(const struct dc_tx *tx, const struct dc_state *before,
                          struct ds_check_block *x, struct check_list *images)
{
    struct dc_transfer t;
    if (!dc_transfer_decode(tx->shielded.body, tx->shielded.size, &t))
        return;
    x->pool.out += t.fee + t.unshield;
    x->pool.spent += t.inputs;
    for (uint32_t i = 0; i < t.inputs; i++) {
        bool again = dc_state_image_known(before, t.input[i].image);
        const struct dc_hash *seen = images->data;
        for (uint32_t j = 0; j < images->count; j++)
            again |= memcmp(seen[j].b, t.input[i].image, 32) == 0;
        x->pool.again += again;
        memcpy(((struct dc_hash *)world_check_add(images, sizeof *seen))->b, t.input[i].image, 32);
    }
}

void world_check_pool(struct check_list *images, const struct dc_block *b,
                      const struct dc_block *parent, struct ds_check_block *x)
{
    const struct dc_vault_meta *after = dc_state_vault(b->state);
    x->pool.after = after->pool;
    if (parent == NULL || parent->state == NULL)
        return;
    const struct dc_vault_meta *before = dc_state_vault(parent->state);
    x->pool.known = true;
    x->pool.before = before->pool;
    x->pool.images_before = before->images;
    x->pool.images_after = after->images;
    images->count = 0;
    for (uint32_t i = 0; i < b->tx_count; i++) {
        uint8_t kind = b->tx[i].bytes[0];
        struct dc_tx tx;
        if ((kind != DC_TX_SHIELD && kind != DC_TX_SHIELDED) ||
            !dc_tx_decode(b->tx[i].bytes, b->tx[i].size, &tx))
            continue;
        if (kind == DC_TX_SHIELD)
            x->pool.in += tx.shield.amount;
        else
            pool_shielded(&tx, parent->state, x, images);
    }
}
