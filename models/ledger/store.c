#include "models/ledger/epochs.h"
#include "models/ledger/execute.h"
#include "models/ledger/vault_impl.h"

#include <pthread.h>

/*   table  blocks by id: chained buckets, grown by doubling; its own mutex, held briefly
 *   chain  trees, reference counts of states and execution: one mutex, held for an execution
 *
 * A block is executed once, by whoever comes first; all others read block->executed.  What a state
 * consists of is shared and counted, so states are made and dropped under the chain mutex, and read
 * without any.  The table's reference keeps a block until dc_store_collect finds nobody else's. */
struct dc_store {
    struct dc_store_config config;
    struct dc_ledger ledger;
    pthread_mutex_t table, chain;
    struct dc_block **bucket;
    uint32_t buckets, blocks;  /* buckets: a power of two */
    struct dc_block *replaced; /* objects whose signature failed, kept for their holders */
    struct dc_block *genesis;
    struct dc_epochs *epochs;
    uint64_t block_bytes, record_bytes;
};

static struct dc_block **store_slot(struct dc_store *s, const struct dc_hash *id)
{
    struct dc_block **at = &s->bucket[dc_hash_u64(id) & (s->buckets - 1)];
    while (*at != NULL && !dc_hash_equal(&(*at)->id, id))
        at = &(*at)->store_next;
    return at;
}

static void store_grow(struct dc_store *s)
{
    struct dc_block **old = s->bucket;
    uint32_t count = s->buckets;
    s->buckets *= 2;
    s->bucket = dc_mem_need(s->buckets, sizeof *s->bucket, "the block table");
    for (uint32_t i = 0; i < count; i++) {
        for (struct dc_block *b = old[i], *next; b != NULL; b = next) {
            next = b->store_next;
            struct dc_block **at = &s->bucket[dc_hash_u64(&b->id) & (s->buckets - 1)];
            b->store_next = *at;
            *at = b;
        }
    }
    dc_mem_free(old);
}

/* Puts a decoded block in, whose reference becomes the table's. */
static void store_put(struct dc_store *s, struct dc_block *b)
{
    if (++s->blocks > s->buckets)
        store_grow(s);
    struct dc_block **at = &s->bucket[dc_hash_u64(&b->id) & (s->buckets - 1)];
    b->store_next = *at;
    *at = b;
    s->block_bytes += b->size + sizeof *b;
    if (b->header.height != 0)
        atomic_store(&b->parent, *store_slot(s, &b->header.parent));
}

struct dc_block *dc_store_intern(struct dc_store *s, const uint8_t *bytes, size_t size)
{
    if (size < DC_HEADER_BYTES + DC_SIGNATURE_BYTES)
        return NULL;
    size_t block_size = size - DC_SIGNATURE_BYTES;
    struct dc_hash id = dc_block_id(bytes, block_size);
    pthread_mutex_lock(&s->table);
    struct dc_block **at = store_slot(s, &id), *b = *at;
    if (b != NULL && atomic_load(&b->signature_ok) == 2 &&
        memcmp(b->signature, bytes + block_size, DC_SIGNATURE_BYTES) != 0) {
        *at = b->store_next; /* the first had a false signature: it must not shadow the right one */
        s->blocks--;
        b->store_next = s->replaced;
        s->replaced = b;
        b = NULL;
    }
    if (b == NULL) {
        b = dc_block_decode(bytes, size);
        if (b != NULL)
            store_put(s, b);
    }
    if (b != NULL)
        dc_block_hold(b);
    pthread_mutex_unlock(&s->table);
    return b;
}

static struct dc_block *store_find_borrowed(void *store, const struct dc_hash *id)
{
    struct dc_store *s = store;
    pthread_mutex_lock(&s->table);
    struct dc_block *b = *store_slot(s, id);
    pthread_mutex_unlock(&s->table);
    return b;
}

struct dc_block *dc_store_find(struct dc_store *s, const struct dc_hash *id)
{
    pthread_mutex_lock(&s->table);
    struct dc_block *b = *store_slot(s, id);
    if (b != NULL)
        dc_block_hold(b);
    pthread_mutex_unlock(&s->table);
    return b;
}

static struct dc_record *store_record(const struct dc_block *b)
{
    return (struct dc_record *)(void *)b->outcome;
}

static void store_charge(const struct dc_record *r, struct dc_effects *out)
{
    for (uint32_t i = 0; out != NULL && i < DC_COST_COUNT; i++)
        out->charge[i] += r->charge[i];
}

static struct dc_block *store_parent(struct dc_store *s, struct dc_block *b)
{
    struct dc_block *up = atomic_load(&b->parent);
    if (up == NULL) {
        up = store_find_borrowed(s, &b->header.parent);
        atomic_store(&b->parent, up);
    }
    return up;
}

/* Executes again what is remembered, and checks that nothing is different. */
static void store_compare(const struct dc_block *b, const struct dc_exec *e, bool valid)
{
    const struct dc_record *was = store_record(b);
    DC_CHECK((atomic_load(&b->executed) == 1) == valid);
    DC_CHECK(memcmp(was->charge, e->record->charge, sizeof was->charge) == 0);
    if (!valid)
        return;
    const struct dc_outcome *x = &was->outcome, *y = &e->record->outcome;
    if (b->state != NULL)
        DC_CHECK(dc_hash_equal(&b->state->root, &e->state->root));
    DC_CHECK(x->drawn_count == y->drawn_count && x->settled_count == y->settled_count &&
             x->slash_count == y->slash_count && x->demand_count == y->demand_count);
}

/* Under the chain mutex. */
static enum dc_execute_result store_execute(struct dc_store *s, struct dc_block *b)
{
    struct dc_block *up = b->header.height == 0 || b->header.seal ? NULL : store_parent(s, b);
    if (up == NULL || up->state == NULL || up->header.seal)
        return DC_EXECUTE_UNKNOWN;
    struct dc_exec e = {.ledger = &s->ledger,
                        .p = dc_state_params(up->state),
                        .header = &b->header,
                        .qc = b->qc,
                        .handover = b->handover,
                        .parent = up,
                        .before = up->state,
                        .find = store_find_borrowed,
                        .store = s};
    enum dc_execute_result result = dc_execute(&e, b->tx, b->tx_count, NULL, NULL);
    if (atomic_load(&b->executed) != 0 && result != DC_EXECUTE_UNKNOWN) {
        store_compare(b, &e, result == DC_EXECUTE_VALID);
        dc_record_free(e.record);
        dc_state_drop(e.state);
        return result;
    }
    if (result == DC_EXECUTE_UNKNOWN) {
        dc_record_free(e.record);
        return result;
    }
    b->state = e.state;
    b->outcome = &e.record->outcome;
    s->record_bytes += e.record->bytes;
    atomic_store(&b->executed, result == DC_EXECUTE_VALID ? 1 : 2);
    return result;
}

bool dc_store_execute(struct dc_store *s, struct dc_block *b, struct dc_effects *out)
{
    uint32_t known = atomic_load(&b->executed);
    if (known == 0 || !s->config.memo) {
        pthread_mutex_lock(&s->chain);
        if (atomic_load(&b->executed) == 0 || !s->config.memo)
            store_execute(s, b);
        pthread_mutex_unlock(&s->chain);
        known = atomic_load(&b->executed);
    }
    if (known != 0)
        store_charge(store_record(b), out);
    return known == 1;
}

bool dc_store_build(struct dc_store *s, struct dc_block *parent, struct dc_block_parts *parts,
                    const struct dc_tx_view *candidate, uint32_t count, bool *chosen,
                    struct dc_effects *out)
{
    struct dc_header header = parts->header;
    bool none = false;
    bool valid = false;
    pthread_mutex_lock(&s->chain);
    if (parent->state != NULL && !parent->header.seal) {
        struct dc_exec e = {.ledger = &s->ledger,
                            .p = dc_state_params(parent->state),
                            .header = &header,
                            .qc = parts->qc,
                            .handover = parts->handover,
                            .parent = parent,
                            .before = parent->state,
                            .find = store_find_borrowed,
                            .store = s};
        valid = dc_execute(&e, candidate, count, chosen != NULL ? chosen : &none, &parts->header) ==
                DC_EXECUTE_VALID;
        store_charge(e.record, out);
        dc_record_free(e.record);
        dc_state_drop(e.state);
    }
    pthread_mutex_unlock(&s->chain);
    return valid;
}

bool dc_store_try(struct dc_store *s, struct dc_block *on, const struct dc_tx_view *view,
                  struct dc_effects *out)
{
    struct dc_tx tx;
    bool valid = false;
    if (!dc_tx_decode(view->bytes, view->size, &tx) ||
        (dc_tx_signed(&tx) && tx.kind != DC_TX_CALL && tx.kind != DC_TX_SHIELD))
        return false;
    pthread_mutex_lock(&s->chain);
    if (on->state != NULL && !on->header.seal) {
        struct dc_header header = on->header;
        header.height++;
        struct dc_exec e = {.ledger = &s->ledger,
                            .p = dc_state_params(on->state),
                            .header = &header,
                            .parent = on,
                            .before = on->state,
                            .find = store_find_borrowed,
                            .store = s};
        header.epoch = dc_height_epoch(header.height, e.p->epoch_blocks);
        e.record = dc_mem_need(1, sizeof *e.record, "an outcome");
        e.state = dc_state_begin(on->state);
        e.state->meta.height = header.height;
        valid = dc_execute_tx(&e, view);
        store_charge(e.record, out);
        dc_record_free(e.record);
        dc_state_drop(e.state);
    }
    pthread_mutex_unlock(&s->chain);
    return valid;
}

void dc_store_vrf_alpha(const struct dc_hash *parent_beacon, uint64_t round, uint8_t out[40])
{
    memcpy(out, parent_beacon->b, 32);
    dc_put64(out + 32, round);
}

const struct dc_committee *dc_store_committee(struct dc_store *s, const struct dc_block *at,
                                              uint64_t epoch)
{
    const struct dc_state *state = atomic_load(&at->executed) == 1 ? at->state : NULL;
    if (state != NULL) {
        if (epoch > state->meta.epoch + 1)
            return NULL;
        uint64_t back = state->meta.epoch + 1 - epoch;
        if (back < DC_COMMITTEES)
            return state->committee[back];
    }
    pthread_mutex_lock(&s->chain);
    const struct dc_committee *c = dc_committee_known(&s->ledger, epoch);
    pthread_mutex_unlock(&s->chain);
    return c;
}

#ifdef DC_MUTANTS
const struct dc_committee *dc_store_committee_wrong(struct dc_store *s, const struct dc_block *at,
                                                    uint64_t epoch)
{
    uint32_t hashes = 0;
    pthread_mutex_lock(&s->chain);
    const struct dc_committee *c =
        dc_committee_draw(&s->ledger, &at->state->accounts, epoch, &at->header.beacon, &hashes);
    pthread_mutex_unlock(&s->chain);
    return c;
}
#endif

bool dc_store_stands(const struct dc_store *s, const struct dc_block *b)
{
    return b->header.seal != 0 || b->state != NULL;
}

bool dc_store_summary(const struct dc_store *s, const struct dc_block *b,
                      struct dc_state_summary *out)
{
    if (b->state == NULL)
        return false;
    memcpy(out->part, b->state->part, sizeof out->part);
    out->bytes = dc_state_bytes(b->state);
    return true;
}

struct dc_epochs *dc_store_epochs(struct dc_store *s)
{
    return s->epochs;
}

/* --- life ------------------------------------------------------------------------------------ */

/* Lets go of the state that execution left in a block, and of the outcome's lists; what the work
 * cost stays. */
static void store_forget_state(struct dc_store *s, struct dc_block *b)
{
    dc_state_drop(b->state);
    b->state = NULL;
    struct dc_record *r = store_record(b);
    if (r == NULL)
        return;
    s->record_bytes -= r->bytes;
    dc_record_clear(r);
    s->record_bytes += r->bytes;
}

static void store_forget(struct dc_store *s, struct dc_block *b)
{
    store_forget_state(s, b);
    if (b->outcome != NULL)
        s->record_bytes -= store_record(b)->bytes;
    dc_record_free(store_record(b));
    b->outcome = NULL;
}

static enum dc_status store_genesis(struct dc_store *s, const struct dc_genesis *g,
                                    struct dc_error *error)
{
    struct dc_state *state;
    enum dc_status status = dc_genesis_state(g, &s->ledger, &state, error);
    if (status != DC_OK)
        return status;
    struct dc_block_parts parts = {.header = {.beacon = g->beacon, .state_root = state->root}};
    parts.header.tx_root = dc_tx_root(NULL, 0);
    uint8_t bytes[DC_HEADER_BYTES + 64 + DC_SIGNATURE_BYTES] = {0};
    size_t size = dc_block_encoded_size(&parts);
    DC_CHECK(size + DC_SIGNATURE_BYTES <= sizeof bytes);
    dc_block_encode(&parts, bytes);
    s->genesis = dc_block_decode(bytes, size + DC_SIGNATURE_BYTES);
    DC_CHECK(s->genesis != NULL);
    struct dc_record *record = dc_mem_need(1, sizeof *record, "an outcome");
    s->genesis->state = state;
    s->genesis->outcome = &record->outcome;
    atomic_store(&s->genesis->signature_ok, 1);
    atomic_store(&s->genesis->executed, 1);
    store_put(s, s->genesis);
    return DC_OK;
}

enum dc_status dc_store_create(const struct dc_store_config *config, const struct dc_genesis *g,
                               struct dc_store **out, struct dc_error *error)
{
    *out = NULL;
    struct dc_store *s = dc_mem_alloc(1, sizeof *s);
    if (s == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for the block store");
    s->config = *config;
    s->ledger.chain = config->chain;
    s->ledger.crypto = config->crypto;
    s->ledger.checker = config->checker;
    s->ledger.checker_context = config->checker_context;
    s->buckets = 256;
    s->bucket = dc_mem_alloc(s->buckets, sizeof *s->bucket);
    s->epochs = dc_epochs_create();
    pthread_mutex_init(&s->table, NULL);
    pthread_mutex_init(&s->chain, NULL);
    enum dc_status status =
        s->bucket == NULL || s->epochs == NULL
            ? dc_error_set(error, DC_ERR_IO, "out of memory for the block table")
            : store_genesis(s, g, error);
    if (status != DC_OK) {
        dc_store_destroy(s);
        return status;
    }
    *out = s;
    return DC_OK;
}

void dc_store_destroy(struct dc_store *s)
{
    if (s == NULL)
        return;
    for (uint32_t i = 0; s->bucket != NULL && i <= s->buckets; i++) {
        struct dc_block *b = i < s->buckets ? s->bucket[i] : s->replaced;
        for (struct dc_block *next; b != NULL; b = next) {
            next = b->store_next;
            store_forget(s, b);
            dc_block_drop(b);
        }
    }
    dc_mem_free(s->bucket);
    dc_epochs_free(s->epochs);
    dc_ledger_free(&s->ledger);
    pthread_mutex_destroy(&s->table);
    pthread_mutex_destroy(&s->chain);
    dc_mem_free(s);
}

bool dc_store_upgrade(struct dc_store *s, const struct dc_upgrade *upgrade)
{
    if (upgrade->epoch == 0 || upgrade->epoch != s->ledger.upgrade_epoch)
        return false;
    for (uint32_t i = 0; i <= s->buckets; i++) {
        const struct dc_block *b = i < s->buckets ? s->bucket[i] : s->replaced;
        for (; b != NULL; b = b->store_next)
            if (b->header.epoch >= upgrade->epoch)
                return false;
    }
    struct dc_error error = {0};
    return dc_ledger_upgrade(&s->ledger, upgrade, &error) == DC_OK;
}

bool dc_store_turn(struct dc_store *s, uint64_t key)
{
    uint64_t highest = 0;
    for (uint32_t i = 0; i <= s->buckets; i++) {
        const struct dc_block *b = i < s->buckets ? s->bucket[i] : s->replaced;
        for (; b != NULL; b = b->store_next)
            highest = b->header.height > highest ? b->header.height : highest;
    }
    if (s->ledger.lucks == DC_LUCK_MAX)
        return false;
    /* One that was built and is on its way to the first who takes it in is the next height's. */
    s->ledger.luck[s->ledger.lucks++] = (struct dc_luck){highest + 2, key};
    return true;
}

struct dc_block *dc_store_genesis(struct dc_store *s)
{
    return s->genesis;
}

static bool store_unwanted(const struct dc_store *s, const struct dc_block *b, uint64_t height)
{
    return b != s->genesis && atomic_load(&b->refs) == 1 && b->header.height < height;
}

void dc_store_collect(struct dc_store *s, uint64_t height)
{
    uint64_t state_below = height > DC_WINDOW_HEIGHTS ? height - DC_WINDOW_HEIGHTS : 0;
    uint64_t keep =
        s->config.keep_heights > DC_WINDOW_HEIGHTS ? s->config.keep_heights : DC_WINDOW_HEIGHTS;
    uint64_t block_below = height > keep ? height - keep : 0;
    for (uint32_t i = 0; i <= s->buckets; i++) {
        struct dc_block *b = i < s->buckets ? s->bucket[i] : s->replaced;
        for (; b != NULL; b = b->store_next) {
            struct dc_block *up = atomic_load(&b->parent);
            if (up != NULL && store_unwanted(s, up, block_below))
                atomic_store(&b->parent, NULL);
        }
    }
    for (uint32_t i = 0; i < s->buckets; i++) {
        for (struct dc_block **at = &s->bucket[i]; *at != NULL;) {
            struct dc_block *b = *at;
            if (store_unwanted(s, b, state_below) && b->state != NULL)
                store_forget_state(s, b);
            if (!store_unwanted(s, b, block_below)) {
                at = &b->store_next;
                continue;
            }
            *at = b->store_next;
            s->blocks--;
            s->block_bytes -= b->size + sizeof *b;
            store_forget(s, b);
            dc_block_drop(b);
        }
    }
}

size_t dc_store_bytes(const struct dc_store *s)
{
    const struct dc_forest *f[] = {&s->ledger.accounts, &s->ledger.deals, &s->ledger.tallies,
                                   &s->ledger.reports};
    size_t bytes = s->block_bytes + s->record_bytes + s->ledger.small_bytes +
                   dc_vault_forests_bytes(&s->ledger);
    for (uint32_t i = 0; i < 4; i++)
        bytes +=
            f[i]->nodes.live * f[i]->nodes.size_bytes + f[i]->leaves.live * f[i]->leaves.size_bytes;
    return bytes;
}
