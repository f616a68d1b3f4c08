/* What key holders do on chain: shares of the threshold beacon, and grants out of the fund
 * (models/README.md 4, 9, 13).
 *
 *   BEACON of height h = beacon_height + 1, from t holders, in any blocks
 *       each    sigma_i with its proof, into the vault's meta
 *       the t-th completes it:  sigma = sum lambda_i sigma_i,  R = H(BEACON, R || sigma),
 *                               beacon_height = h, the next is begun
 *
 * One block completes one at most: shares are of the height after the one that the block before it
 * had.  So t holders who conspire do not run ahead of the chain, and R changes once where it does.
 *
 * Beacons are counted by themselves and not by blocks: each needs its predecessor to be final at
 * the holders and takes three or four blocks.  sigma is a function of the chain and h alone, so
 * nobody chooses it; who proposes can leave shares out for as long as he leads, and so decide in
 * which of two blocks R changes, never to what. */
#include "models/crypto/dvrf.h"
#include "models/ledger/decrypt.h"
#include "models/ledger/vault_impl.h"

/* Statement: the holder's key 32 | message | share. */
#define SHARE_STATEMENT_BYTES (32 + DC_BEACON_MESSAGE_BYTES + DC_DVRF_SHARE_BYTES)

static bool beacon_share_check(const uint8_t *b, size_t size)
{
    return size == SHARE_STATEMENT_BYTES &&
           dc_dvrf_check(b, b + 32, DC_BEACON_MESSAGE_BYTES, b + 32 + DC_BEACON_MESSAGE_BYTES);
}

void dc_beacon_message(uint64_t chain, uint64_t height, uint8_t out[DC_BEACON_MESSAGE_BYTES])
{
    dc_put64(out, chain);
    dc_put64(out + 8, height);
}

/* The t shares are there: R goes on. */
static void beacon_complete(struct dc_exec *e, struct dc_vault_meta *m)
{
    uint32_t member[DC_KEY_HOLDERS_MAX], n = 0;
    uint8_t sigma[DC_KEY_HOLDERS_MAX][32], text[64];
    for (uint32_t i = 0; i < DC_KEY_HOLDERS_MAX; i++) {
        if ((m->beacon_from[i / 64] >> i % 64 & 1) == 0)
            continue;
        memcpy(sigma[n], m->beacon_sigma[i], 32);
        member[n++] = i;
    }
    DC_CHECK(n == m->beacon_shares);
    e->record->charge[DC_COST_POINT] += n;
    bool combined = dc_dvrf_combine(member, (const uint8_t(*)[32])sigma, n, text + 32);
    DC_CHECK(combined);
    memcpy(text, e->state->meta.beacon.b, 32);
    dc_execute_luck(e, text + 32);
    e->state->meta.beacon = dc_hash_bytes(DC_DOMAIN_BEACON, text, sizeof text);
    m->beacon_height++;
    m->beacon_shares = 0;
    memset(m->beacon_from, 0, sizeof m->beacon_from);
    memset(m->beacon_sigma, 0, sizeof m->beacon_sigma);
}

bool dc_execute_beacon(struct dc_exec *e, const struct dc_tx *tx)
{
    const struct dc_holders *holders = &e->ledger->holders;
    const struct dc_vault_meta *now = dc_state_vault(e->state);
    uint32_t i = dc_holder_index(holders, tx->from);
    if (e->p->beacon != DC_BEACON_THRESHOLD || i >= holders->count ||
        tx->beacon.height != now->beacon_height + 1 ||
        now->beacon_height != dc_state_vault(e->before)->beacon_height ||
        (now->beacon_from[i / 64] >> i % 64 & 1))
        return false;
    uint8_t b[SHARE_STATEMENT_BYTES];
    memcpy(b, holders->share_key[i], 32);
    dc_beacon_message(e->ledger->chain, tx->beacon.height, b + 32);
    memcpy(b + 32 + DC_BEACON_MESSAGE_BYTES, tx->beacon.share, DC_BEACON_SHARE_BYTES);
    e->record->charge[DC_COST_POINT] += 4;
    if (!dc_execute_proof(e, DC_DOMAIN_BEACON_SHARE, b, sizeof b, beacon_share_check))
        return false;
    struct dc_vault_meta *m = dc_state_vault_edit(e->state);
    memcpy(m->beacon_sigma[i], tx->beacon.share, 32);
    m->beacon_from[i / 64] |= (uint64_t)1 << i % 64;
    if (++m->beacon_shares == holders->threshold)
        beacon_complete(e, m);
    return true;
}

/* The signature under the treasury's key has been checked (dc_execute_tx). */
bool dc_execute_grant(struct dc_exec *e, const struct dc_tx *tx)
{
    struct dc_meta *m = &e->state->meta;
    if (e->ledger->holders.count == 0 || tx->from != DC_NOBODY || tx->grant.amount == 0 ||
        tx->grant.nonce != dc_state_vault(e->state)->grants || tx->grant.amount > m->fund ||
        dc_state_account(e->state, tx->grant.to) == NULL)
        return false;
    struct dc_account *to = dc_state_edit(e->state, tx->grant.to);
    m->fund -= tx->grant.amount;
    to->balance = dc_add_money(to->balance, tx->grant.amount);
    dc_state_vault_edit(e->state)->grants++;
    return true;
}
