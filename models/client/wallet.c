#include "models/client/wallet.h"

#include "models/base/mem.h"
#include "models/wire/tx.h"

#define WALLET_NOTE_BYTES ((size_t)109)
#define WALLET_PAYMENT_BYTES ((size_t)98)
/* A note that says so was paid by this wallet to itself. */
#define WALLET_OWN 1

/* --- keys and life ---------------------------------------------------------------------------- */

static void wallet_seed(const struct dc_keypair *key, uint8_t seed[32])
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_KEY);
    dc_hasher_update(&h, "wallet", 6);
    dc_hasher_update(&h, key->secret, 32);
    struct dc_hash s = dc_hasher_final(&h);
    memcpy(seed, s.b, 32);
}

void dc_wallet_address(const struct dc_keypair *key, struct dc_stealth_address *out)
{
    uint8_t seed[32];
    struct dc_stealth_keys keys;
    wallet_seed(key, seed);
    dc_stealth_keys_from_seed(seed, &keys);
    *out = keys.address;
}

struct dc_wallet *dc_wallet_create(const struct dc_keypair *key)
{
    struct dc_wallet *w = dc_mem_alloc(1, sizeof *w);
    if (w == NULL)
        return NULL;
    wallet_seed(key, w->seed);
    dc_stealth_keys_from_seed(w->seed, &w->keys);
    return w;
}

void dc_wallet_free(struct dc_wallet *w)
{
    dc_mem_free(w);
}

/* --- notes ------------------------------------------------------------------------------------ */

static bool wallet_spendable(const struct dc_wallet_note *n, uint32_t eligible)
{
    return n->spending == 0 && n->id < eligible;
}

uint64_t dc_wallet_balance(const struct dc_wallet *w, const struct dc_state *state)
{
    uint32_t eligible = dc_wallet_eligible(state);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < w->count; i++)
        if (wallet_spendable(&w->note[i], eligible))
            sum = dc_add_money(sum, w->note[i].amount);
    return sum;
}

/* Amount and blinding of an output that is the wallet's; false when the sender lied about them. */
static bool wallet_open(const struct dc_vault_note *v, const uint8_t shared[32],
                        struct dc_wallet_note *n)
{
    uint8_t amount[8], one[32] = {1}, commitment[32];
    memcpy(amount, v->amount, 8);
    memcpy(n->blinding, one, 32);
    if (!v->minted) {
        dc_stealth_mask(shared, v->amount, amount);
        dc_stealth_blinding(shared, n->blinding);
    }
    n->amount = dc_get64(amount);
    return dc_transfer_commit(n->amount, n->blinding, commitment) &&
           memcmp(commitment, v->commitment, 32) == 0;
}

/* Whether a payment of this wallet made the output. */
static bool wallet_made(const struct dc_wallet *w, const uint8_t key[32])
{
    for (uint32_t i = 0; i < DC_WALLET_PAYMENTS_MAX; i++) {
        const struct dc_wallet_payment *p = &w->payment[i];
        if (p->live && (memcmp(p->key[0], key, 32) == 0 || memcmp(p->key[1], key, 32) == 0))
            return true;
    }
    return false;
}

/* One note of the chain, which may be the wallet's.  Of notes under one key the first counts. */
static void wallet_look(struct dc_wallet *w, const struct dc_client_env *env, uint32_t id,
                        struct dc_effects *out)
{
    const struct dc_vault_note *v = dc_state_note(env->state, id);
    struct dc_stealth_output to = {.view_tag = v->view_tag};
    struct dc_wallet_note n = {.id = id};
    uint8_t shared[32];
    bool fits;
    memcpy(to.key, v->key, 32);
    memcpy(to.ephemeral, v->ephemeral, 32);
    out->charge[DC_COST_POINT]++;
    bool own =
        dc_stealth_recognise(w->keys.view_secret, w->keys.address.spend, &to, 0, shared, &fits);
    out->charge[DC_COST_POINT] += fits;
    if (!own)
        return;
    out->charge[DC_COST_POINT] += 3;
    dc_stealth_secret(w->keys.spend_secret, shared, n.key);
    if (!wallet_open(v, shared, &n) || !dc_clsag_key_image(n.key, n.image) ||
        dc_state_image_known(env->state, n.image))
        return;
    for (uint32_t i = 0; i < w->count; i++)
        if (memcmp(w->note[i].image, n.image, 32) == 0)
            return;
    w->note[w->count++] = n;
    dc_effect_note(out, DC_NOTE_RECEIVED, n.amount, wallet_made(w, v->key) ? WALLET_OWN : 0);
}

static void wallet_scan(struct dc_wallet *w, const struct dc_client_env *env,
                        struct dc_effects *out)
{
    uint32_t notes = dc_state_vault(env->state)->notes;
    uint32_t decoys = dc_state_params(env->state)->decoys, from = w->scanned;
    if (w->scanned < decoys)
        w->scanned = decoys; /* nobody's */
    while (w->scanned < notes && w->count < DC_WALLET_NOTES_MAX)
        wallet_look(w, env, w->scanned++, out);
    w->changes += w->scanned != from;
}

/* --- payments --------------------------------------------------------------------------------- */

static void wallet_send(struct dc_wallet *w, const struct dc_client_env *env,
                        struct dc_wallet_payment *p, struct dc_effects *out)
{
    p->sent_height = dc_state_meta(env->state)->height;
    p->tries++;
    w->changes++;
    env->submit(env->submit_ctx, p->bytes, p->size, out);
}

/* What it made for the wallet itself, from the note in which its first output was found: the outputs
 * of a transaction lie side by side.  At once and not in their turn: what waits on the chain may be
 * worth less than a fee, and a full wallet would never come to its own money. */
static void wallet_own(struct dc_wallet *w, const struct dc_client_env *env,
                       const struct dc_wallet_payment *p, struct dc_effects *out)
{
    uint32_t notes = dc_state_vault(env->state)->notes;
    for (uint32_t id = p->looked - (p->looked != 0); id <= p->looked + 1 && id < notes; id++) {
        const uint8_t *key = dc_state_note(env->state, id)->key;
        if (id >= w->scanned && w->count < DC_WALLET_NOTES_MAX &&
            (memcmp(key, p->key[0], 32) == 0 || memcmp(key, p->key[1], 32) == 0))
            wallet_look(w, env, id, out);
    }
}

/* It is over: its notes are gone, or were spent otherwise, or are free again. */
static void wallet_close(struct dc_wallet *w, const struct dc_client_env *env,
                         struct dc_wallet_payment *p, bool ok, int64_t now_ns,
                         struct dc_effects *out)
{
    uint32_t kept = 0, mark = 1 + (uint32_t)(p - w->payment);
    for (uint32_t i = 0; i < w->count; i++) {
        struct dc_wallet_note n = w->note[i];
        if (n.spending == mark) {
            if (dc_state_image_known(env->state, n.image))
                continue;
            n.spending = 0;
        }
        w->note[kept++] = n;
    }
    w->count = kept;
    if (ok)
        wallet_own(w, env, p, out);
    if (p->notes != 0 && p->live == DC_WALLET_CALLED)
        dc_effect_note(out, DC_NOTE_PAID, (uint64_t)(now_ns - p->called_ns), ok);
    memset(p, 0, sizeof *p);
    w->changes++;
}

/* Whether its first output is among the notes that are new since the last look. */
static bool wallet_arrived(struct dc_wallet_payment *p, const struct dc_state *state)
{
    uint32_t notes = dc_state_vault(state)->notes;
    for (; p->looked < notes; p->looked++)
        if (memcmp(dc_state_note(state, p->looked)->key, p->key[0], 32) == 0)
            return true;
    return false;
}

/* Whether a note of it is spent, and not by it: by a payment that a lost store has forgotten. */
static bool wallet_overtaken(const struct dc_wallet *w, const struct dc_wallet_payment *p,
                             const struct dc_state *state)
{
    uint32_t mark = 1 + (uint32_t)(p - w->payment);
    for (uint32_t i = 0; i < w->count; i++)
        if (w->note[i].spending == mark && dc_state_image_known(state, w->note[i].image))
            return true;
    return false;
}

static void wallet_payment(struct dc_wallet *w, const struct dc_client_env *env,
                           struct dc_wallet_payment *p, int64_t now_ns, struct dc_effects *out)
{
    uint64_t height = dc_state_meta(env->state)->height;
    if (wallet_arrived(p, env->state))
        wallet_close(w, env, p, true, now_ns, out);
    else if (wallet_overtaken(w, p, env->state) ||
             (p->notes == 0 && p->tries >= DC_WALLET_SHIELD_TRIES))
        wallet_close(w, env, p, false, now_ns, out);
    else if (height >= p->sent_height + DC_WALLET_RETRY_HEIGHTS)
        wallet_send(w, env, p, out);
}

/* Free notes that are gone all the same: by a payment that a lost store has forgotten. */
static void wallet_forget(struct dc_wallet *w, const struct dc_state *state)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < w->count; i++)
        if (w->note[i].spending != 0 || !dc_state_image_known(state, w->note[i].image))
            w->note[kept++] = w->note[i];
    w->changes += kept != w->count;
    w->count = kept;
}

/* --- calls ------------------------------------------------------------------------------------ */

/* A free place for a payment, or NULL. */
static struct dc_wallet_payment *wallet_place(struct dc_wallet *w, const struct dc_client_env *env,
                                              int64_t now_ns)
{
    for (uint32_t i = 0; i < DC_WALLET_PAYMENTS_MAX; i++)
        if (!w->payment[i].live) {
            w->payment[i] = (struct dc_wallet_payment){.called_ns = now_ns};
            w->payment[i].looked = dc_state_vault(env->state)->notes;
            return &w->payment[i];
        }
    return NULL;
}

/* The smallest note that suffices, else the two that suffice with the least left over, else none;
 * the older where they are equal.  Returns how many. */
static uint32_t wallet_choose(struct dc_wallet *w, uint64_t need, uint32_t eligible,
                              struct dc_wallet_note *chosen[DC_TRANSFER_INPUTS_MAX])
{
    uint64_t best = UINT64_MAX;
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        struct dc_wallet_note *a = &w->note[i];
        if (!wallet_spendable(a, eligible) || a->amount < need || a->amount >= best)
            continue;
        best = a->amount;
        chosen[0] = a;
        count = 1;
    }
    for (uint32_t i = 0; count != 1 && i < w->count; i++)
        for (uint32_t k = i + 1; k < w->count; k++) {
            struct dc_wallet_note *a = &w->note[i], *b = &w->note[k];
            uint64_t sum;
            if (!wallet_spendable(a, eligible) || !wallet_spendable(b, eligible) ||
                __builtin_add_overflow(a->amount, b->amount, &sum) || sum < need || sum >= best)
                continue;
            best = sum;
            chosen[0] = a;
            chosen[1] = b;
            count = 2;
        }
    return count;
}

/* Proves the order by these notes and sends it. */
static bool wallet_carry_out(struct dc_wallet *w, const struct dc_client_env *env,
                             struct dc_wallet_order *order,
                             struct dc_wallet_note *note[DC_TRANSFER_INPUTS_MAX],
                             enum dc_wallet_live live, int64_t now_ns, struct dc_effects *out)
{
    struct dc_wallet_payment *p = wallet_place(w, env, now_ns);
    if (order->notes == 0 || p == NULL)
        return false;
    for (uint32_t i = 0; i < order->notes; i++)
        order->note[i] = note[i];
    order->change = &w->keys.address;
    order->number = w->made;
    order->bend = w->bend;
    w->made++;
    w->changes++;
    p->size = (uint32_t)dc_wallet_pay(env, w->seed, order, p->bytes, p->key, out);
    if (p->size == 0)
        return false;
    p->live = (uint8_t)live;
    p->notes = (uint8_t)order->notes;
    for (uint32_t i = 0; i < order->notes; i++) {
        DC_CHECK(note[i] != NULL); /* as many as wallet_choose said */
        note[i]->spending = (uint8_t)(1 + (p - w->payment));
    }
    wallet_send(w, env, p, out);
    return true;
}

/* PAY and UNSHIELD. */
static bool wallet_pay(struct dc_wallet *w, const struct dc_client_env *env,
                       const struct dc_call *call, int64_t now_ns, struct dc_effects *out)
{
    const struct dc_client_config *f = env->config;
    uint64_t fee = dc_state_params(env->state)->fee_private, need;
    struct dc_wallet_note *note[DC_TRANSFER_INPUTS_MAX] = {NULL};
    struct dc_wallet_order order = {.fee = fee, .account = f->id};
    if (call->kind == DC_CALL_UNSHIELD) {
        order.unshield = call->size_bytes;
    } else {
        if (f->book == NULL || call->object >= f->book_count)
            return false;
        order.to = &f->book[call->object];
        order.amount = call->size_bytes;
    }
    if (call->size_bytes == 0 || __builtin_add_overflow(call->size_bytes, fee, &need))
        return false;
    order.notes = wallet_choose(w, need, dc_wallet_eligible(env->state), note);
    return wallet_carry_out(w, env, &order, note, DC_WALLET_CALLED, now_ns, out);
}

/* The smallest of the notes that can be spent, but for `other`, with which it makes more than
 * `least`; the older where they are equal.  NULL: none. */
static struct dc_wallet_note *wallet_smallest(struct dc_wallet *w, uint32_t eligible,
                                              const struct dc_wallet_note *other, uint64_t least)
{
    struct dc_wallet_note *best = NULL;
    for (uint32_t i = 0; i < w->count; i++) {
        struct dc_wallet_note *n = &w->note[i];
        uint64_t with = other != NULL ? dc_add_money(other->amount, n->amount) : UINT64_MAX;
        if (n != other && wallet_spendable(n, eligible) && with > least &&
            (best == NULL || n->amount < best->amount))
            best = n;
    }
    return best;
}

/* Makes room when there is none. */
static void wallet_merge(struct dc_wallet *w, const struct dc_client_env *env, int64_t now_ns,
                         struct dc_effects *out)
{
    uint64_t fee = dc_state_params(env->state)->fee_private;
    uint32_t eligible = dc_wallet_eligible(env->state);
    struct dc_wallet_order order = {.fee = fee, .notes = DC_TRANSFER_INPUTS_MAX};
    struct dc_wallet_note *note[DC_TRANSFER_INPUTS_MAX];
    for (uint32_t i = 0; i < DC_WALLET_PAYMENTS_MAX; i++)
        if (w->payment[i].live)
            return;
    if (w->count < DC_WALLET_NOTES_MAX)
        return;
    note[0] = wallet_smallest(w, eligible, NULL, 0);
    note[1] = note[0] != NULL ? wallet_smallest(w, eligible, note[0], fee) : NULL;
    if (note[1] != NULL)
        (void)wallet_carry_out(w, env, &order, note, DC_WALLET_MERGE, now_ns, out);
}

static void wallet_shield(struct dc_wallet *w, struct dc_client *c, const struct dc_client_env *env,
                          const struct dc_call *call, int64_t now_ns, struct dc_effects *out)
{
    const struct dc_client_config *f = env->config;
    struct dc_wallet_payment *p = wallet_place(w, env, now_ns);
    struct dc_stealth_output to;
    struct dc_hasher h;
    uint8_t shared[32];
    if (p == NULL || call->size_bytes == 0)
        return;
    struct dc_tx tx = {.kind = DC_TX_SHIELD, .from = f->id};
    tx.shield.nonce = dc_client_nonce(c, env);
    dc_hasher_init(&h, DC_DOMAIN_NOTE); /* the nonce is new even to a wallet that forgot all */
    dc_hasher_update(&h, w->seed, 32);
    dc_hasher_update(&h, "shield", 6);
    dc_hasher_update64(&h, tx.shield.nonce);
    struct dc_hash seed = dc_hasher_final(&h);
    DC_CHECK(dc_stealth_send(&w->keys.address, seed.b, 0, &to, shared));
    out->charge[DC_COST_POINT] += 3;
    tx.shield.amount = call->size_bytes;
    tx.shield.fee = dc_state_params(env->state)->fee_private;
    tx.shield.address = (const uint8_t *)&to;
    p->size = (uint32_t)dc_tx_sign(f->crypto, f->chain, f->key, &tx, p->bytes, sizeof p->bytes);
    DC_CHECK(p->size != 0);
    out->charge[DC_COST_SIGN]++;
    memcpy(p->key[0], to.key, 32);
    p->live = DC_WALLET_CALLED;
    wallet_send(w, env, p, out);
}

void dc_wallet_call(struct dc_wallet *w, struct dc_client *c, const struct dc_client_env *env,
                    const struct dc_input *in, struct dc_effects *out)
{
    if (in->call->kind == DC_CALL_SHIELD)
        wallet_shield(w, c, env, in->call, in->now_ns, out);
    else if (!wallet_pay(w, env, in->call, in->now_ns, out))
        dc_effect_note(out, DC_NOTE_PAID, 0, 0);
}

void dc_wallet_commit(struct dc_wallet *w, const struct dc_client_env *env, int64_t now_ns,
                      struct dc_effects *out)
{
    for (uint32_t i = 0; i < DC_WALLET_PAYMENTS_MAX; i++)
        if (w->payment[i].live)
            wallet_payment(w, env, &w->payment[i], now_ns, out);
    wallet_scan(w, env, out);
    wallet_forget(w, env->state);
    wallet_merge(w, env, now_ns, out);
}

/* --- what is durable -------------------------------------------------------------------------- */

size_t dc_wallet_image_max(const struct dc_wallet *w)
{
    size_t size = 32 + WALLET_NOTE_BYTES * w->count;
    for (uint32_t i = 0; i < DC_WALLET_PAYMENTS_MAX; i++)
        size += WALLET_PAYMENT_BYTES + w->payment[i].size;
    return size;
}

void dc_wallet_write(const struct dc_wallet *w, struct dc_writer *out)
{
    dc_write32(out, w->scanned);
    dc_write64(out, w->made);
    dc_write64(out, w->changes);
    dc_write32(out, w->count);
    for (uint32_t i = 0; i < w->count; i++) {
        const struct dc_wallet_note *n = &w->note[i];
        dc_write32(out, n->id);
        dc_write8(out, n->spending);
        dc_write64(out, n->amount);
        dc_write(out, n->key, 32);
        dc_write(out, n->blinding, 32);
        dc_write(out, n->image, 32);
    }
    for (uint32_t i = 0; i < DC_WALLET_PAYMENTS_MAX; i++) {
        const struct dc_wallet_payment *p = &w->payment[i];
        dc_write8(out, p->live);
        if (!p->live)
            continue;
        dc_write8(out, p->notes);
        dc_write16(out, p->tries);
        dc_write32(out, p->looked);
        dc_write64(out, (uint64_t)p->called_ns);
        dc_write64(out, p->sent_height);
        dc_write(out, p->key, sizeof p->key);
        dc_write32(out, p->size);
        dc_write(out, p->bytes, p->size);
    }
}

static bool wallet_read_payment(struct dc_reader *r, struct dc_wallet_payment *p)
{
    uint8_t live = dc_read8(r);
    memset(p, 0, sizeof *p);
    if (live == DC_WALLET_FREE)
        return !r->failed;
    p->live = live;
    p->notes = dc_read8(r);
    p->tries = dc_read16(r);
    p->looked = dc_read32(r);
    p->called_ns = (int64_t)dc_read64(r);
    p->sent_height = dc_read64(r);
    dc_read(r, p->key, sizeof p->key);
    p->size = dc_read32(r);
    if (r->failed || live > DC_WALLET_MERGE || p->notes > DC_TRANSFER_INPUTS_MAX ||
        p->size > sizeof p->bytes)
        return false;
    dc_read(r, p->bytes, p->size);
    return !r->failed;
}

bool dc_wallet_read(struct dc_wallet *w, struct dc_reader *r)
{
    w->scanned = dc_read32(r);
    w->made = dc_read64(r);
    w->changes = dc_read64(r);
    w->count = dc_read32(r);
    if (r->failed || w->count > DC_WALLET_NOTES_MAX)
        return false;
    for (uint32_t i = 0; i < w->count; i++) {
        struct dc_wallet_note *n = &w->note[i];
        n->id = dc_read32(r);
        n->spending = dc_read8(r);
        n->amount = dc_read64(r);
        dc_read(r, n->key, 32);
        dc_read(r, n->blinding, 32);
        dc_read(r, n->image, 32);
        if (n->spending > DC_WALLET_PAYMENTS_MAX)
            return false;
    }
    for (uint32_t i = 0; i < DC_WALLET_PAYMENTS_MAX; i++)
        if (!wallet_read_payment(r, &w->payment[i]))
            return false;
    return !r->failed;
}

uint64_t dc_wallet_mark(const struct dc_wallet *w)
{
    return w->changes;
}
