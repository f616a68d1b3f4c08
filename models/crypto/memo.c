/* A set-associative table of slots, each guarded by its own sequence lock.
 *
 *   slots:  | set 0: way 0 1 2 3 | set 1: way 0 1 2 3 | ...      a power of two of sets
 *   slot:   | sequence 4 | generation 4 | key 8 | key 8 | value, in words of 8 |
 *
 * The set is named by bytes 16..23 of the key, the slot compares bytes 0..15.
 *
 * Sequence lock (Lameter 2005; Boehm, MSPC 2012, for C11 atomics): even when at rest, odd while
 * written.  A writer takes the slot by a compare-and-swap to odd and gives up if that fails; a
 * reader that sees an odd or a changed sequence reports a miss.  Nobody waits.  All words are
 * atomics read and written relaxed, so there is no data race in the sense of C11 either.
 *
 * Replacement: generations, as in a copying table but without the copying.  A slot is stamped with
 * the generation in which it was last used; the generation advances after every `slots / 8` entries
 * stored; the oldest slot of a set makes room.  So what is in use stays and what is not leaves.
 *
 * A slot keeps its sequence for ever, so 2^31 writes of one slot during one read could be
 * mistaken for none. */
#include "models/crypto/memo.h"

#include "models/base/mem.h"

#include <sodium/crypto_shorthash_siphash24.h>
#include <stdatomic.h>

enum { MEMO_WAYS = 4, MEMO_HEAD_WORDS = 3 };

struct dc_memo {
    _Atomic uint64_t *words; /* aligned to a cache line */
    void *memory;
    uint64_t sets; /* a power of two */
    size_t slot_words, value_bytes;
    uint64_t age_period; /* entries stored per generation */
    _Alignas(64) _Atomic uint32_t generation;
    _Atomic uint64_t puts, dropped, evicted;
};

enum { MEMO_VALUE_WORDS_MAX = (int)DC_MEMO_VALUE_BYTES_MAX / 8 };

/* Word 0 of a slot holds both: the generation above, the sequence below. */
static uint32_t head_sequence(uint64_t head)
{
    return (uint32_t)head;
}
static uint32_t head_generation(uint64_t head)
{
    return (uint32_t)(head >> 32);
}
static uint64_t head_make(uint32_t generation, uint32_t sequence)
{
    return (uint64_t)generation << 32 | sequence;
}

enum dc_status dc_memo_open(size_t size_bytes, size_t value_bytes, struct dc_memo **out,
                            struct dc_error *error)
{
    DC_CHECK(value_bytes >= 1 && value_bytes <= DC_MEMO_VALUE_BYTES_MAX);
    size_t slot_words = MEMO_HEAD_WORDS + (value_bytes + 7) / 8;
    size_t set_bytes = MEMO_WAYS * slot_words * 8;
    uint64_t sets = 1;
    while (sets <= size_bytes / set_bytes / 2)
        sets *= 2;
    struct dc_memo *m = dc_mem_pages(sizeof *m);
    /* Zeroed by the system page by page as it is first touched: an unused table costs nothing. */
    void *memory = dc_mem_alloc(sets * set_bytes + 64, 1);
    if (m == NULL || memory == NULL) {
        dc_mem_free(m);
        dc_mem_free(memory);
        return dc_error_set(error, DC_ERR_IO,
                            "out of memory for a table of %zu MB of remembered checks: "
                            "give it less, or switch it off",
                            size_bytes >> 20);
    }
    memset(m, 0, sizeof *m);
    m->memory = memory;
    m->words = (_Atomic uint64_t *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
    m->sets = sets;
    m->slot_words = slot_words;
    m->value_bytes = value_bytes;
    m->age_period = (sets * MEMO_WAYS + 7) / 8;
    /* 0 is the generation of an empty slot. */
    atomic_init(&m->generation, 1);
    *out = m;
    return DC_OK;
}

void dc_memo_close(struct dc_memo *memo)
{
    if (memo == NULL)
        return;
    dc_mem_free(memo->memory);
    dc_mem_free(memo);
}

struct dc_hash dc_memo_key(const void *data, size_t size)
{
    static const uint8_t key[crypto_shorthash_siphashx24_KEYBYTES] = "destra/sim/memo";
    struct dc_hash out;
    crypto_shorthash_siphashx24(out.b, data, size, key);
    /* The set is named by the same 128 bits that the slot compares. */
    memcpy(out.b + 16, out.b, 16);
    return out;
}

static _Atomic uint64_t *memo_set(const struct dc_memo *m, const struct dc_hash *key)
{
    uint64_t set = dc_get64(key->b + 16) & (m->sets - 1);
    return m->words + set * MEMO_WAYS * m->slot_words;
}

static bool slot_holds(_Atomic uint64_t *slot, uint64_t k0, uint64_t k1)
{
    return atomic_load_explicit(slot + 1, memory_order_relaxed) == k0 &&
           atomic_load_explicit(slot + 2, memory_order_relaxed) == k1;
}

bool dc_memo_get(struct dc_memo *m, const struct dc_hash *key, void *value)
{
    if (m == NULL)
        return false;
    uint64_t k0 = dc_get64(key->b), k1 = dc_get64(key->b + 8);
    _Atomic uint64_t *slot = memo_set(m, key);
    for (int way = 0; way < MEMO_WAYS; way++, slot += m->slot_words) {
        uint64_t head = atomic_load_explicit(slot, memory_order_acquire);
        if (head_generation(head) == 0 || head_sequence(head) % 2 != 0 || !slot_holds(slot, k0, k1))
            continue;
        uint64_t words[MEMO_VALUE_WORDS_MAX];
        for (size_t i = 0; i < m->slot_words - MEMO_HEAD_WORDS; i++)
            words[i] = atomic_load_explicit(slot + MEMO_HEAD_WORDS + i, memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        uint64_t again = atomic_load_explicit(slot, memory_order_relaxed);
        if (head_sequence(again) != head_sequence(head))
            return false;
        uint32_t now = atomic_load_explicit(&m->generation, memory_order_relaxed);
        if (head_generation(again) != now)
            /* Fails when somebody else touches the slot, who then stamps it too. */
            (void)atomic_compare_exchange_strong_explicit(
                slot, &again, head_make(now, head_sequence(again)), memory_order_relaxed,
                memory_order_relaxed);
        memcpy(value, words, m->value_bytes);
        return true;
    }
    return false;
}

/* The slot to write: the key's own (then there is nothing to do), or the least recently used. */
static _Atomic uint64_t *memo_victim(const struct dc_memo *m, const struct dc_hash *key,
                                     uint64_t k0, uint64_t k1, uint64_t *head_out)
{
    _Atomic uint64_t *set = memo_set(m, key), *best = NULL;
    uint32_t now = atomic_load_explicit(&m->generation, memory_order_relaxed);
    uint32_t best_age = 0;
    /* Among equals any will do; the key decides where to begin. */
    uint32_t start = key->b[24] % MEMO_WAYS;
    for (uint32_t i = 0; i < MEMO_WAYS; i++) {
        _Atomic uint64_t *slot = set + (start + i) % MEMO_WAYS * m->slot_words;
        uint64_t head = atomic_load_explicit(slot, memory_order_acquire);
        if (head_sequence(head) % 2 != 0)
            continue;
        uint32_t generation = head_generation(head);
        if (generation != 0 && slot_holds(slot, k0, k1))
            return NULL;
        uint32_t age = generation == 0 ? UINT32_MAX : now - generation;
        if (best == NULL || age > best_age) {
            best = slot;
            best_age = age;
            *head_out = head;
        }
    }
    return best;
}

void dc_memo_put(struct dc_memo *m, const struct dc_hash *key, const void *value)
{
    if (m == NULL)
        return;
    uint64_t k0 = dc_get64(key->b), k1 = dc_get64(key->b + 8), head = 0;
    _Atomic uint64_t *slot = memo_victim(m, key, k0, k1, &head);
    if (slot == NULL)
        return;
    uint32_t sequence = head_sequence(head);
    uint64_t taken = head_make(head_generation(head), sequence + 1);
    if (!atomic_compare_exchange_strong_explicit(slot, &head, taken, memory_order_acquire,
                                                 memory_order_relaxed)) {
        atomic_fetch_add_explicit(&m->dropped, 1, memory_order_relaxed);
        return;
    }
    atomic_thread_fence(memory_order_release);
    uint64_t words[MEMO_VALUE_WORDS_MAX] = {0};
    memcpy(words, value, m->value_bytes);
    atomic_store_explicit(slot + 1, k0, memory_order_relaxed);
    atomic_store_explicit(slot + 2, k1, memory_order_relaxed);
    for (size_t i = 0; i < m->slot_words - MEMO_HEAD_WORDS; i++)
        atomic_store_explicit(slot + MEMO_HEAD_WORDS + i, words[i], memory_order_relaxed);
    uint32_t now = atomic_load_explicit(&m->generation, memory_order_relaxed);
    atomic_store_explicit(slot, head_make(now, sequence + 2), memory_order_release);
    if (head_generation(taken) != 0)
        atomic_fetch_add_explicit(&m->evicted, 1, memory_order_relaxed);
    uint64_t n = atomic_fetch_add_explicit(&m->puts, 1, memory_order_relaxed) + 1;
    /* Generation 0 means empty, so a wrap-around would lose entries; 2^32 periods do not happen. */
    if (n % m->age_period == 0)
        atomic_fetch_add_explicit(&m->generation, 1, memory_order_relaxed);
}

struct dc_memo_stats dc_memo_stats(const struct dc_memo *m)
{
    return (struct dc_memo_stats){
        .slots = m->sets * MEMO_WAYS,
        .size_bytes = m->sets * MEMO_WAYS * m->slot_words * 8,
        .puts = atomic_load_explicit(&m->puts, memory_order_relaxed),
        .dropped = atomic_load_explicit(&m->dropped, memory_order_relaxed),
        .evicted = atomic_load_explicit(&m->evicted, memory_order_relaxed),
    };
}
