/* Chains of hand-overs, and committee records as bytes; see epochs.h.
 *
 * Elements stand in one list in order of their making.  It is searched from the end, because
 * whoever asks mostly asks for the newest: once per node and epoch. */
#include "models/ledger/epochs.h"

#include <pthread.h>

#include "models/base/mem.h"

#define COMMITTEE_HEAD_BYTES ((size_t)44)
#define COMMITTEE_MEMBER_BYTES ((size_t)76)

struct dc_epochs {
    pthread_mutex_t mutex;
    struct dc_epoch **item;
    uint32_t count, max;
};

struct dc_epochs *dc_epochs_create(void)
{
    struct dc_epochs *e = dc_mem_alloc(1, sizeof *e);
    if (e != NULL)
        pthread_mutex_init(&e->mutex, NULL);
    return e;
}

void dc_epochs_free(struct dc_epochs *e)
{
    if (e == NULL)
        return;
    for (uint32_t i = 0; i < e->count; i++) {
        dc_handover_drop(e->item[i]->handover);
        dc_mem_free(e->item[i]->committee);
        dc_mem_free(e->item[i]);
    }
    dc_mem_free(e->item);
    pthread_mutex_destroy(&e->mutex);
    dc_mem_free(e);
}

static struct dc_epoch *epochs_search(const struct dc_epochs *e, const struct dc_hash *digest)
{
    for (uint32_t i = e->count; i-- > 0;)
        if (dc_hash_equal(&e->item[i]->digest, digest))
            return e->item[i];
    return NULL;
}

const struct dc_epoch *dc_epochs_find(struct dc_epochs *e, const struct dc_hash *digest)
{
    pthread_mutex_lock(&e->mutex);
    const struct dc_epoch *found = epochs_search(e, digest);
    pthread_mutex_unlock(&e->mutex);
    return found;
}

static struct dc_epoch *epochs_make(struct dc_epochs *e, const struct dc_epoch *before,
                                    const struct dc_handover *h, const struct dc_committee *next,
                                    const struct dc_hash *digest)
{
    if (e->count == e->max) {
        e->max = e->max == 0 ? 16 : 2 * e->max;
        e->item = dc_mem_grow(e->item, e->max, sizeof *e->item);
        DC_CHECK(e->item != NULL);
    }
    struct dc_epoch *x = dc_mem_need(1, sizeof *x, "a hand-over's record");
    x->before = before;
    x->epoch = next->epoch;
    x->digest = *digest;
    x->handover = dc_handover_decode(h->bytes, h->size);
    DC_CHECK(x->handover != NULL);
    x->committee_size = (uint32_t)dc_committee_size(next);
    x->committee = dc_mem_need(1, x->committee_size, "a committee's record");
    dc_committee_encode(next, x->committee);
    e->item[e->count++] = x;
    return x;
}

const struct dc_epoch *dc_epochs_add(struct dc_epochs *e, const struct dc_epoch *before,
                                     const struct dc_handover *h, const struct dc_committee *next)
{
    static const struct dc_hash nothing;
    DC_CHECK(next->epoch == h->epoch + 1 &&
             next->epoch == (before == NULL ? 1 : before->epoch + 1));
    struct dc_hash own = dc_hash_bytes(DC_DOMAIN_HANDOVER, h->bytes, h->size);
    struct dc_hash digest =
        dc_hash_pair(DC_DOMAIN_HANDOVER, before == NULL ? &nothing : &before->digest, &own);
    pthread_mutex_lock(&e->mutex);
    struct dc_epoch *x = epochs_search(e, &digest);
    if (x == NULL)
        x = epochs_make(e, before, h, next, &digest);
    pthread_mutex_unlock(&e->mutex);
    return x;
}

/* --- committee records ------------------------------------------------------------------------ */

size_t dc_committee_size(const struct dc_committee *c)
{
    return COMMITTEE_HEAD_BYTES + c->count * COMMITTEE_MEMBER_BYTES;
}

void dc_committee_encode(const struct dc_committee *c, uint8_t *out)
{
    struct dc_writer w = dc_writer(out, dc_committee_size(c));
    dc_write64(&w, c->epoch);
    dc_write(&w, c->beacon.b, DC_HASH_BYTES);
    dc_write32(&w, c->count);
    for (uint32_t i = 0; i < c->count; i++) {
        dc_write32(&w, c->member[i]);
        dc_write64(&w, c->power[i]);
        dc_write(&w, c->key[i], DC_KEY_BYTES);
        dc_write(&w, c->vrf_key[i], DC_KEY_BYTES);
    }
    DC_CHECK(!w.failed && w.size == w.size_max);
}

/* One allocation with room for so many members. */
static struct dc_committee *committee_room(uint32_t count)
{
    size_t bytes = sizeof(struct dc_committee) +
                   count * (2 * sizeof(uint64_t) + 2 * DC_KEY_BYTES + sizeof(uint32_t));
    struct dc_committee *c = dc_mem_need(1, bytes, "a committee");
    uint64_t *p = (uint64_t *)(c + 1);
    c->count = count;
    c->power = p;
    c->cumulative = p + count;
    c->key = (const uint8_t(*)[DC_KEY_BYTES])(p + 2 * (size_t)count);
    c->vrf_key = c->key + count;
    c->member = (const uint32_t *)(c->vrf_key + count);
    return c;
}

struct dc_committee *dc_committee_decode(const uint8_t *bytes, size_t size)
{
    struct dc_reader r = dc_reader(bytes, size);
    uint64_t epoch = dc_read64(&r);
    struct dc_hash beacon;
    dc_read(&r, beacon.b, DC_HASH_BYTES);
    uint32_t count = dc_read32(&r);
    if (r.failed || count > DC_MEMBERS_MAX ||
        size != COMMITTEE_HEAD_BYTES + count * COMMITTEE_MEMBER_BYTES)
        return NULL;
    struct dc_committee *c = committee_room(count);
    c->epoch = epoch;
    c->beacon = beacon;
    bool ok = true;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t member = dc_read32(&r);
        uint64_t power = dc_read64(&r);
        ok = ok && power != 0 && power <= UINT64_MAX - c->total &&
             (i == 0 || member > c->member[i - 1]);
        ((uint32_t *)(uintptr_t)c->member)[i] = member;
        ((uint64_t *)(uintptr_t)c->power)[i] = power;
        c->total += power;
        ((uint64_t *)(uintptr_t)c->cumulative)[i] = c->total;
        dc_read(&r, (uint8_t *)(uintptr_t)c->key[i], DC_KEY_BYTES);
        dc_read(&r, (uint8_t *)(uintptr_t)c->vrf_key[i], DC_KEY_BYTES);
    }
    if (!ok || !dc_read_done(&r)) {
        dc_mem_free(c);
        return NULL;
    }
    c->quorum = (uint64_t)((unsigned __int128)c->total * 2 / 3) + 1;
    c->root = dc_committee_root(c);
    return c;
}

struct dc_hash dc_committee_root(const struct dc_committee *c)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_COMMITTEE);
    dc_hasher_update64(&h, c->epoch);
    dc_hasher_update(&h, c->beacon.b, DC_HASH_BYTES);
    dc_hasher_update64(&h, c->count);
    for (uint32_t i = 0; i < c->count; i++) {
        dc_hasher_update64(&h, c->member[i]);
        dc_hasher_update64(&h, c->power[i]);
        dc_hasher_update(&h, c->key[i], DC_KEY_BYTES);
        dc_hasher_update(&h, c->vrf_key[i], DC_KEY_BYTES);
    }
    return dc_hasher_final(&h);
}
