#include "tests/consensus/fake_store.h"

#include <stdlib.h>
#include <string.h>

#include "models/base/mem.h"
#include "models/ledger/epochs.h"

#define BUCKETS 4096
#define EPOCHS 512

struct dc_store {
    struct fake_config config;
    struct dc_block *bucket[BUCKETS];
    struct dc_block *genesis, *replaced;
    struct dc_committee *committee[EPOCHS];
    struct dc_epochs *epochs;
    uint64_t executions;
};

static struct dc_block **bucket(struct dc_store *s, const struct dc_hash *id)
{
    return &s->bucket[dc_hash_u64(id) % BUCKETS];
}

struct dc_store *fake_store_create(const struct fake_config *config)
{
    struct dc_store *s = dc_mem_need(1, sizeof *s, "test");
    s->config = *config;
    struct dc_block_parts parts = {0};
    uint8_t bytes[DC_HEADER_BYTES + 5 + DC_SIGNATURE_BYTES] = {0};
    dc_block_encode(&parts, bytes);
    s->genesis = dc_store_intern(s, bytes, sizeof bytes);
    DC_CHECK(s->genesis != NULL);
    s->epochs = dc_epochs_create();
    atomic_store(&s->genesis->executed, 1);
    return s;
}

void dc_store_destroy(struct dc_store *s)
{
    for (uint32_t i = 0; i <= BUCKETS; i++)
        for (struct dc_block *b = i < BUCKETS ? s->bucket[i] : s->replaced, *next; b != NULL;
             b = next) {
            next = b->store_next;
            dc_block_drop(b);
        }
    dc_block_drop(s->genesis);
    for (uint32_t e = 0; e < EPOCHS; e++)
        dc_mem_free(s->committee[e]);
    dc_epochs_free(s->epochs);
    dc_mem_free(s);
}

uint64_t fake_store_executions(const struct dc_store *s)
{
    return s->executions;
}

struct dc_block *dc_store_genesis(struct dc_store *s)
{
    return s->genesis;
}

struct dc_block *dc_store_find(struct dc_store *s, const struct dc_hash *id)
{
    for (struct dc_block *b = *bucket(s, id); b != NULL; b = b->store_next)
        if (dc_hash_equal(&b->id, id)) {
            dc_block_hold(b);
            return b;
        }
    return NULL;
}

struct dc_block *dc_store_intern(struct dc_store *s, const uint8_t *bytes, size_t size)
{
    struct dc_block *b = dc_block_decode(bytes, size);
    if (b == NULL)
        return NULL;
    struct dc_block *old = dc_store_find(s, &b->id);
    if (old != NULL && atomic_load(&old->signature_ok) == 2 &&
        memcmp(old->signature, b->signature, DC_SIGNATURE_BYTES) != 0) { /* as the ledger's store */
        struct dc_block **at = bucket(s, &b->id);
        while (*at != old)
            at = &(*at)->store_next;
        *at = old->store_next;
        old->store_next = s->replaced;
        s->replaced = old;
        dc_block_drop(old);
        old = NULL;
    }
    if (old != NULL) {
        dc_block_drop(b);
        return old;
    }
    struct dc_block **at = bucket(s, &b->id);
    b->store_next = *at;
    *at = b;
    dc_block_hold(b);
    return b;
}

/* The state is its first part, H(parent's root, transactions, height), and in odd epochs there is
 * a vault in it. */
static void outcome(const struct dc_block *parent, const struct dc_header *h,
                    const struct dc_hash *tx_root, struct dc_hash part[DC_STATE_PARTS], struct dc_hash *root,
                    struct dc_hash *beacon)
{
    struct dc_hasher x;
    dc_hasher_init(&x, DC_DOMAIN_TEST);
    dc_hasher_update(&x, parent->header.state_root.b, 32);
    dc_hasher_update(&x, tx_root->b, 32);
    dc_hasher_update64(&x, h->height);
    memset(part, 0, DC_STATE_PARTS * sizeof *part);
    part[0] = dc_hasher_final(&x);
    part[DC_STATE_PARTS - 1].b[0] = h->epoch % 2;
    *root = dc_state_parts_root(part);
    dc_hasher_init(&x, DC_DOMAIN_BEACON);
    dc_hasher_update(&x, parent->header.beacon.b, 32);
    dc_hasher_update(&x, h->vrf, sizeof h->vrf);
    *beacon = dc_hasher_final(&x);
}

bool dc_store_execute(struct dc_store *s, struct dc_block *b, struct dc_effects *out)
{
    s->executions++;
    if (out != NULL)
        out->charge[DC_COST_TX] += b->tx_count;
    if (atomic_load(&b->executed) != 0)
        return atomic_load(&b->executed) == 1;
    struct dc_block *parent = dc_store_find(s, &b->header.parent);
    bool ok = parent != NULL && atomic_load(&parent->executed) == 1;
    DC_CHECK(ok); /* whoever executes has executed the parent */
    struct dc_hash tx_root = dc_tx_root(b->tx, b->tx_count), part[DC_STATE_PARTS], root, beacon;
    outcome(parent, &b->header, &tx_root, part, &root, &beacon);
    ok = dc_hash_equal(&tx_root, &b->header.tx_root) &&
         dc_hash_equal(&root, &b->header.state_root) && dc_hash_equal(&beacon, &b->header.beacon);
    for (uint32_t i = 0; i < b->tx_count; i++)
        ok = ok && b->tx[i].bytes[0] != 0xff;
    dc_block_drop(parent);
    atomic_store(&b->executed, ok ? 1 : 2);
    return ok;
}

bool dc_store_stands(const struct dc_store *s, const struct dc_block *b)
{
    (void)s;
    return atomic_load(&b->executed) == 1 || b->header.seal != 0;
}

bool dc_store_summary(const struct dc_store *s, const struct dc_block *b,
                      struct dc_state_summary *out)
{
    struct dc_block *parent = dc_store_find((struct dc_store *)(uintptr_t)s, &b->header.parent);
    if (parent == NULL)
        return false;
    struct dc_hash root, beacon;
    outcome(parent, &b->header, &b->header.tx_root, out->part, &root, &beacon);
    out->bytes = FAKE_STATE_BYTES;
    dc_block_drop(parent);
    return true;
}

struct dc_epochs *dc_store_epochs(struct dc_store *s)
{
    return s->epochs;
}

void fake_store_forget(struct dc_store *s, uint64_t height)
{
    for (uint32_t i = 0; i < BUCKETS; i++)
        for (struct dc_block **at = &s->bucket[i], *b; (b = *at) != NULL;) {
            if (b->header.height >= height || atomic_load(&b->refs) != 1) {
                at = &b->store_next;
                continue;
            }
            *at = b->store_next;
            dc_block_drop(b);
        }
}

void dc_store_vrf_alpha(const struct dc_hash *beacon, uint64_t round, uint8_t out[40])
{
    memcpy(out, beacon->b, 32);
    dc_put64(out + 32, round);
}

bool dc_store_build(struct dc_store *s, struct dc_block *parent, struct dc_block_parts *parts,
                    const struct dc_tx_view *candidate, uint32_t count, bool *chosen,
                    struct dc_effects *out)
{
    (void)out;
    for (uint32_t i = 0; i < count; i++)
        chosen[i] = true;
    struct dc_header *h = &parts->header;
    h->tx_root = dc_tx_root(candidate, count);
    struct dc_hash part[DC_STATE_PARTS];
    outcome(parent, h, &h->tx_root, part, &h->state_root, &h->beacon);
    memset(&h->committee_root, 0, sizeof h->committee_root);
    if (h->height == dc_epoch_last_height(h->epoch, s->config.epoch_blocks))
        h->committee_root = dc_store_committee(s, parent, h->epoch + 1)->root;
    return true;
}

const struct dc_committee *dc_store_committee(struct dc_store *s, const struct dc_block *at,
                                              uint64_t epoch)
{
    DC_CHECK(epoch < EPOCHS);
    if (epoch > at->header.epoch + 1 + (at->header.height % s->config.epoch_blocks == 0))
        return NULL;
    if (s->committee[epoch] != NULL)
        return s->committee[epoch];
    uint32_t n = s->config.validators;
    struct dc_committee *c = dc_mem_need(1, sizeof *c + n * 84u, "test");
    uint64_t *power = (uint64_t *)(c + 1), *cumulative = power + n;
    uint8_t(*key)[32] = (uint8_t(*)[32])(cumulative + n);
    uint8_t(*vrf)[32] = key + n;
    uint32_t *member = (uint32_t *)(vrf + n);
    c->epoch = epoch;
    for (uint32_t i = 0; i < n; i++) {
        if (s->config.rotate && i == epoch % n)
            continue;
        member[c->count] = i;
        power[c->count] = s->config.power[i];
        c->total += power[c->count];
        cumulative[c->count] = c->total;
        memcpy(key[c->count], s->config.key[i].public, 32);
        memcpy(vrf[c->count], s->config.key[i].public, 32);
        c->count++;
    }
    c->member = member;
    c->power = power;
    c->cumulative = cumulative;
    c->key = (const uint8_t(*)[32])key;
    c->vrf_key = (const uint8_t(*)[32])vrf;
    c->quorum = 2 * c->total / 3 + 1;
    c->root = dc_committee_root(c);
    s->committee[epoch] = c;
    return c;
}

uint32_t dc_committee_index(const struct dc_committee *c, uint32_t account)
{
    uint32_t lo = 0, hi = c->count;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (c->member[mid] < account)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->count && c->member[lo] == account ? lo : UINT32_MAX;
}

uint32_t dc_committee_leader(const struct dc_committee *c, uint64_t round)
{
    return (uint32_t)(round % c->count);
}
