/* Life, hashing and reading of a vault (vault_impl.h). */
#include "models/ledger/vault_impl.h"

/* --- encodings -------------------------------------------------------------------------------- */

#define VAULT_TAG 8

static size_t encode_note(const void *leaf, uint8_t *out)
{
    const struct dc_vault_note *n = leaf;
    memcpy(out, n->key, 32);
    memcpy(out + 32, n->commitment, 32);
    memcpy(out + 64, n->ephemeral, 32);
    memcpy(out + 96, n->amount, 8);
    out[104] = n->view_tag;
    out[105] = n->minted;
    dc_put64(out + 106, n->height);
    return 114;
}

static size_t encode_contract(const void *leaf, uint8_t *out)
{
    const struct dc_contract *c = leaf;
    struct dc_writer w = dc_writer(out, DC_TREE_ENCODED_MAX);
    dc_write8(&w, c->kind);
    dc_write8(&w, c->phase);
    dc_write32(&w, c->owner);
    dc_write32(&w, c->entries);
    dc_write32(&w, c->last);
    const uint64_t word[] = {c->opened,  c->close,   c->end,     c->money,   c->word[0],
                             c->word[1], c->word[2], c->word[3], c->word[4], c->word[5]};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        dc_write64(&w, word[i]);
    dc_write(&w, c->point, sizeof c->point);
    dc_write(&w, c->digest, sizeof c->digest);
    return w.size;
}

static size_t encode_entry(const void *leaf, uint8_t *out)
{
    const struct dc_entry *x = leaf;
    dc_put32(out, x->contract);
    dc_put32(out + 4, x->prev);
    dc_put32(out + 8, x->from);
    dc_put32(out + 12, x->kind);
    dc_put64(out + 16, x->word[0]);
    dc_put64(out + 24, x->word[1]);
    memcpy(out + 32, x->point, sizeof x->point);
    return 32 + sizeof x->point;
}

static const struct dc_tree_class vault_note_class = {"notes", 5, sizeof(struct dc_vault_note), 114,
                                                      encode_note};
static const struct dc_tree_class vault_contract_class = {
    "contracts", 6, sizeof(struct dc_contract), 254, encode_contract};
static const struct dc_tree_class vault_entry_class = {"entries", 7, sizeof(struct dc_entry), 160,
                                                       encode_entry};

static bool meta_empty(const struct dc_vault_meta *m)
{
    return (m->notes | m->contracts | m->entries | m->beacon_shares) == 0 &&
           (m->pool | m->images | m->marks | m->grants | m->beacon_height |
            m->registrars.changes) == 0;
}

/* No bytes where the root has said nothing. */
static void feed_registrars(struct dc_hasher *h, const struct dc_registrars *r)
{
    if (r->changes == 0)
        return;
    dc_hasher_update64(h, r->changes);
    dc_hasher_update64(h, r->count);
    dc_hasher_update64(h, r->genesis_revoked);
    for (uint32_t i = 0; i < r->count; i++) {
        const struct dc_listed_registrar *x = &r->list[i];
        const uint64_t word[] = {x->serial,     x->subject, x->from_height,
                                 x->end_height, x->nonce,   x->revoked};
        for (size_t k = 0; k < sizeof word / sizeof word[0]; k++)
            dc_hasher_update64(h, word[k]);
        dc_hasher_update(h, x->key, 32);
    }
}

/* The shares of the beacon that are here, and no bytes for the others. */
static void feed_meta(struct dc_hasher *h, const struct dc_vault_meta *m)
{
    const uint64_t word[] = {m->notes,          m->contracts,     m->entries,
                             m->pool,           m->images,        m->marks,
                             m->grants,         m->beacon_height, m->beacon_shares,
                             m->beacon_from[0], m->beacon_from[1]};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        dc_hasher_update64(h, word[i]);
    for (uint32_t i = 0; i < DC_KEY_HOLDERS_MAX; i++)
        if (m->beacon_from[i / 64] >> i % 64 & 1)
            dc_hasher_update(h, m->beacon_sigma[i], 32);
    feed_registrars(h, &m->registrars);
}

/* --- life ------------------------------------------------------------------------------------- */

void dc_vault_forests_init(struct dc_ledger *l)
{
    struct dc_merkle hash = dc_merkle(DC_DOMAIN_IMAGES);
    dc_forest_init(&l->notes, &vault_note_class);
    dc_forest_init(&l->contracts, &vault_contract_class);
    dc_forest_init(&l->entries, &vault_entry_class);
    dc_smt_forest_init(&l->images, &hash, false);
}

void dc_vault_forests_free(struct dc_ledger *l)
{
    dc_forest_free(&l->notes);
    dc_forest_free(&l->contracts);
    dc_forest_free(&l->entries);
    dc_smt_forest_free(&l->images);
}

static size_t forest_bytes(const struct dc_forest *f)
{
    return f->nodes.live * f->nodes.size_bytes + f->leaves.live * f->leaves.size_bytes;
}

size_t dc_vault_forests_bytes(const struct dc_ledger *l)
{
    return forest_bytes(&l->notes) + forest_bytes(&l->contracts) + forest_bytes(&l->entries) +
           dc_smt_forest_bytes(&l->images);
}

uint64_t dc_vault_forests_copied(const struct dc_ledger *l)
{
    return l->notes.copied + l->contracts.copied + l->entries.copied + l->images.added;
}

static size_t vault_bytes(uint32_t turns)
{
    return sizeof(struct dc_vault) + turns * sizeof(struct dc_turn);
}

static struct dc_vault *vault_new(struct dc_ledger *l)
{
    struct dc_vault *v = dc_mem_need(1, sizeof *v, "a vault");
    l->small_bytes += vault_bytes(0);
    v->refs = 1;
    return v;
}

void dc_vault_drop(struct dc_ledger *l, struct dc_vault *v)
{
    if (v == NULL || --v->refs != 0)
        return;
    dc_tree_drop(&l->notes, &v->notes);
    dc_tree_drop(&l->contracts, &v->contracts);
    dc_tree_drop(&l->entries, &v->entries);
    dc_smt_drop(&l->images, &v->images);
    dc_smt_drop(&l->images, &v->marks);
    l->small_bytes -= vault_bytes(v->turns);
    dc_mem_free(v->due);
    dc_mem_free(v);
}

/* Makes room for as many turns; their number is not changed. */
static void turns_room(struct dc_vault *v, uint32_t turns)
{
    struct dc_turn *due = dc_mem_grow(v->due, turns, sizeof *due);
    DC_CHECK(due != NULL);
    v->due = due;
}

static struct dc_vault *vault_own(struct dc_state *s)
{
    struct dc_vault *old = s->vault;
    if (old != NULL && old->refs == 1)
        return old;
    struct dc_vault *v = vault_new(s->ledger);
    s->vault = v;
    if (old == NULL)
        return v;
    old->refs--;
    v->meta = old->meta;
    v->notes = dc_tree_hold(&old->notes);
    v->contracts = dc_tree_hold(&old->contracts);
    v->entries = dc_tree_hold(&old->entries);
    v->images = dc_smt_hold(&old->images);
    v->marks = dc_smt_hold(&old->marks);
    if (old->turns != 0) {
        turns_room(v, old->turns);
        memcpy(v->due, old->due, old->turns * sizeof *v->due);
        v->turns = old->turns;
        s->ledger->small_bytes += old->turns * sizeof *v->due;
    }
    return v;
}

uint32_t dc_vault_commit(struct dc_state *s, struct dc_hash *root)
{
    struct dc_ledger *l = s->ledger;
    struct dc_vault *v = s->vault;
    memset(root, 0, sizeof *root);
    if (v != NULL && meta_empty(&v->meta)) {
        dc_vault_drop(l, v);
        s->vault = v = NULL;
    }
    if (v == NULL)
        return 0;
    uint32_t hashes = 1 + v->meta.beacon_shares / 4 + v->meta.registrars.count;
    hashes += dc_tree_commit(&l->notes, &v->notes);
    hashes += dc_tree_commit(&l->contracts, &v->contracts);
    hashes += dc_tree_commit(&l->entries, &v->entries);
    hashes += dc_smt_commit(&l->images, &v->images);
    hashes += dc_smt_commit(&l->images, &v->marks);
    const uint8_t tag = VAULT_TAG;
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_STATE_LEAF);
    dc_hasher_update(&h, &tag, 1);
    feed_meta(&h, &v->meta);
    const struct dc_hash *const part[] = {&v->notes.hash, &v->contracts.hash, &v->entries.hash,
                                          &v->images.hash, &v->marks.hash};
    for (size_t i = 0; i < sizeof part / sizeof part[0]; i++)
        dc_hasher_update(&h, part[i]->b, 32);
    *root = dc_hasher_final(&h);
    return hashes;
}

uint64_t dc_vault_bytes(const struct dc_vault *v)
{
    if (v == NULL)
        return 0;
    const struct dc_vault_meta *m = &v->meta;
    return 11 * 8 + (m->registrars.changes != 0 ? 24 + 80 * (uint64_t)m->registrars.count : 0) +
           32 * (uint64_t)m->beacon_shares + (uint64_t)m->notes * 114 +
           (uint64_t)m->contracts * 254 + (uint64_t)m->entries * 160 + 32 * (m->images + m->marks);
}

/* --- changing --------------------------------------------------------------------------------- */

struct dc_vault_meta *dc_state_vault_edit(struct dc_state *s)
{
    return &vault_own(s)->meta;
}

struct dc_vault_note *dc_state_note_append(struct dc_state *s)
{
    struct dc_vault *v = vault_own(s);
    v->meta.notes++;
    struct dc_vault_note *n = dc_tree_append(&s->ledger->notes, &v->notes);
    n->height = s->meta.height;
    return n;
}

bool dc_state_image_add(struct dc_state *s, const uint8_t image[32])
{
    if (dc_state_image_known(s, image))
        return false;
    struct dc_vault *v = vault_own(s);
    v->meta.images++;
    return dc_smt_add(&s->ledger->images, &v->images, image, NULL);
}

static struct dc_hash mark_key(uint32_t contract, const uint8_t mark[32])
{
    uint8_t text[36];
    dc_put32(text, contract);
    memcpy(text + 4, mark, 32);
    return dc_hash_bytes(DC_DOMAIN_CONTRACT, text, sizeof text);
}

bool dc_state_mark_add(struct dc_state *s, uint32_t contract, const uint8_t mark[32])
{
    struct dc_hash key = mark_key(contract, mark);
    if (s->vault != NULL && dc_smt_has(&s->vault->marks, key.b))
        return false;
    struct dc_vault *v = vault_own(s);
    v->meta.marks++;
    return dc_smt_add(&s->ledger->images, &v->marks, key.b, NULL);
}

/* --- turns ------------------------------------------------------------------------------------ */

static uint32_t turns_at(const struct dc_vault *v, uint64_t height)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < v->turns; i++)
        n += v->due[i].height == height;
    return n;
}

bool dc_state_turns_free(const struct dc_state *s, uint64_t close, uint64_t end)
{
    const struct dc_vault *v = s->vault;
    if (close < s->meta.height || end < close || end - s->meta.height > DC_TURN_HEIGHTS_MAX)
        return false;
    return v == NULL ||
           (v->turns + 2 <= DC_TURNS_WAITING_MAX && turns_at(v, close + 1) < DC_TURNS_MAX &&
            turns_at(v, end + 1) < DC_TURNS_MAX);
}

static void turn_add(struct dc_ledger *l, struct dc_vault *v, uint64_t height, uint32_t contract)
{
    turns_room(v, v->turns + 1);
    uint32_t at = v->turns++;
    for (; at > 0 && v->due[at - 1].height > height; at--)
        v->due[at] = v->due[at - 1];
    v->due[at] = (struct dc_turn){height, contract};
    l->small_bytes += sizeof *v->due;
}

uint32_t dc_state_turns_take(struct dc_state *s, uint32_t contract[DC_TURNS_MAX])
{
    const struct dc_vault *old = s->vault;
    uint32_t n = 0;
    if (old == NULL || old->turns == 0 || old->due[0].height > s->meta.height)
        return 0;
    struct dc_vault *v = vault_own(s);
    for (; n < v->turns && v->due[n].height == s->meta.height; n++) {
        DC_CHECK(n < DC_TURNS_MAX);
        contract[n] = v->due[n].contract;
    }
    DC_CHECK(n > 0);
    memmove(v->due, v->due + n, (v->turns - n) * sizeof *v->due);
    v->turns -= n;
    s->ledger->small_bytes -= n * sizeof *v->due;
    return n;
}

void dc_state_contract_append(struct dc_state *s, const struct dc_contract *c, bool turns)
{
    struct dc_vault *v = vault_own(s);
    uint32_t id = v->meta.contracts++;
    *(struct dc_contract *)dc_tree_append(&s->ledger->contracts, &v->contracts) = *c;
    if (!turns)
        return;
    turn_add(s->ledger, v, c->close + 1, id);
    if (c->end != c->close)
        turn_add(s->ledger, v, c->end + 1, id);
}

struct dc_contract *dc_state_contract_edit(struct dc_state *s, uint32_t id)
{
    struct dc_vault *v = vault_own(s);
    return dc_tree_edit(&s->ledger->contracts, &v->contracts, id);
}

struct dc_entry *dc_state_entry_append(struct dc_state *s)
{
    struct dc_vault *v = vault_own(s);
    v->meta.entries++;
    return dc_tree_append(&s->ledger->entries, &v->entries);
}

struct dc_entry *dc_state_entry_edit(struct dc_state *s, uint32_t id)
{
    struct dc_vault *v = vault_own(s);
    return dc_tree_edit(&s->ledger->entries, &v->entries, id);
}

/* --- reading ---------------------------------------------------------------------------------- */

const struct dc_vault_meta *dc_state_vault(const struct dc_state *s)
{
    static const struct dc_vault_meta none;
    return s->vault != NULL ? &s->vault->meta : &none;
}

const struct dc_holders *dc_state_holders(const struct dc_state *s)
{
    return &s->ledger->holders;
}

struct dc_trust dc_state_trust(const struct dc_state *s)
{
    struct dc_trust trust = {.chain = s->ledger->chain,
                             .registrars = &dc_state_vault(s)->registrars};
    memcpy(trust.registrar_key, s->ledger->registrar_key, sizeof trust.registrar_key);
    memcpy(trust.root_key, s->ledger->root_key, sizeof trust.root_key);
    return trust;
}

const uint8_t *dc_state_signer(const struct dc_state *s, const struct dc_tx *tx, uint64_t height)
{
    const struct dc_registrars *r = &dc_state_vault(s)->registrars;
    const struct dc_trust trust = dc_state_trust(s);
    switch (tx->kind) {
    case DC_TX_REVOKE:
        if (tx->from == DC_REGISTRAR)
            return dc_registrars_key(r, tx->revoke.registrar, height);
        return r->genesis_revoked ? NULL : s->ledger->registrar_key;
    case DC_TX_GRANT: return s->ledger->holders.treasury_key;
    case DC_TX_REGISTRAR: return dc_trust_has_root(&trust) ? s->ledger->root_key : NULL;
    default: {
        const struct dc_account *from = dc_state_account(s, tx->from);
        return from != NULL ? from->sign_key : NULL;
    }
    }
}

const struct dc_vault_note *dc_state_note(const struct dc_state *s, uint32_t id)
{
    return s->vault != NULL ? dc_tree_get(&s->vault->notes, id) : NULL;
}

const struct dc_contract *dc_state_contract(const struct dc_state *s, uint32_t id)
{
    return s->vault != NULL ? dc_tree_get(&s->vault->contracts, id) : NULL;
}

const struct dc_entry *dc_state_entry(const struct dc_state *s, uint32_t id)
{
    return s->vault != NULL ? dc_tree_get(&s->vault->entries, id) : NULL;
}

uint32_t dc_state_note_above(const struct dc_state *s, uint64_t height)
{
    uint32_t low = 0, high = dc_state_vault(s)->notes;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (dc_state_note(s, mid)->height > height)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

bool dc_state_image_known(const struct dc_state *s, const uint8_t image[32])
{
    return s->vault != NULL && dc_smt_has(&s->vault->images, image);
}

bool dc_state_mark_known(const struct dc_state *s, uint32_t contract, const uint8_t mark[32])
{
    struct dc_hash key = mark_key(contract, mark);
    return s->vault != NULL && dc_smt_has(&s->vault->marks, key.b);
}
