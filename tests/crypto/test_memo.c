/* The table of remembered answers: it may forget, and never lies. */
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "models/crypto/memo.h"
#include "tests/support/harness.h"

#include <omp.h>
#include <string.h>

static struct dc_memo *open_memo(size_t size, size_t value_bytes)
{
    struct dc_memo *m = NULL;
    CU_ASSERT_EQUAL_FATAL(dc_memo_open(size, value_bytes, &m, NULL), DC_OK);
    return m;
}

static struct dc_hash key_of(uint64_t i)
{
    return dc_hash_bytes(DC_DOMAIN_TEST, &i, sizeof i);
}

/* The function that is remembered: bytes out of a number. */
static void answer_of(uint64_t i, uint8_t value[DC_MEMO_VALUE_BYTES_MAX])
{
    for (uint64_t w = 0; w < DC_MEMO_VALUE_BYTES_MAX / 8; w++)
        dc_put64(value + 8 * w, dc_mix64(16 * i + w));
}

static void test_values(void)
{
    for (size_t bytes = 1; bytes <= DC_MEMO_VALUE_BYTES_MAX; bytes++) {
        struct dc_memo *m = open_memo(1 << 16, bytes);
        for (uint64_t i = 0; i < 50; i++) {
            uint8_t value[DC_MEMO_VALUE_BYTES_MAX], got[DC_MEMO_VALUE_BYTES_MAX + 1] = {0};
            struct dc_hash key = key_of(i);
            answer_of(i, value);
            CU_ASSERT_FALSE(dc_memo_get(m, &key, got));
            dc_memo_put(m, &key, value);
            dc_memo_put(m, &key, value);
            got[bytes] = 0xa5;
            CU_ASSERT_TRUE(dc_memo_get(m, &key, got));
            CU_ASSERT_EQUAL(memcmp(got, value, bytes), 0);
            CU_ASSERT_EQUAL(got[bytes], 0xa5);
        }
        CU_ASSERT_EQUAL(dc_memo_stats(m).puts, 50);
        dc_memo_close(m);
    }
}

static void test_off(void)
{
    uint32_t value = 7;
    struct dc_hash key = key_of(1);
    dc_memo_put(NULL, &key, &value);
    CU_ASSERT_FALSE(dc_memo_get(NULL, &key, &value));
    CU_ASSERT_EQUAL(value, 7);
    dc_memo_close(NULL);
}

/* Keys that differ in one of the first 24 bytes are different keys. */
static void test_keys(void)
{
    struct dc_memo *m = open_memo(0, 4); /* one set: everything meets there */
    uint32_t value = 1;
    struct dc_hash key = key_of(1);
    dc_memo_put(m, &key, &value);
    for (int bit = 0; bit < 128; bit++) {
        struct dc_hash other = key;
        other.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT_FALSE(dc_memo_get(m, &other, &value));
    }
    CU_ASSERT_TRUE(dc_memo_get(m, &key, &value));
    dc_memo_close(m);
    uint8_t text[64] = {0};
    struct dc_hash a = dc_memo_key(text, sizeof text);
    for (int bit = 0; bit < 512; bit++) {
        text[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct dc_hash b = dc_memo_key(text, sizeof text);
        CU_ASSERT_NOT_EQUAL(memcmp(a.b, b.b, 16), 0);
        text[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_bounded(void)
{
    struct dc_memo *m = open_memo(1 << 20, 4);
    struct dc_memo_stats s = dc_memo_stats(m);
    CU_ASSERT(s.size_bytes <= 1 << 20 && s.size_bytes > 1 << 18);
    uint64_t kept = 0;
    for (uint64_t i = 0; i < 4 * s.slots; i++) {
        struct dc_hash key = key_of(i);
        uint32_t value = (uint32_t)i;
        dc_memo_put(m, &key, &value);
    }
    for (uint64_t i = 0; i < 4 * s.slots; i++) {
        struct dc_hash key = key_of(i);
        uint32_t value = 0;
        if (dc_memo_get(m, &key, &value)) {
            CU_ASSERT_EQUAL(value, (uint32_t)i);
            kept++;
        }
    }
    s = dc_memo_stats(m);
    CU_ASSERT_EQUAL(s.puts, 4 * s.slots);
    CU_ASSERT_EQUAL(kept, s.puts - s.evicted);
    CU_ASSERT(kept <= s.slots && kept > s.slots * 9 / 10);
    dc_memo_close(m);
}

/* An eighth of the slots, in use all the time, survives a stream of strangers ten times the table;
 * with a victim at random one in eight would be lost between two uses. */
static void test_in_use_stays(void)
{
    struct dc_memo *m = open_memo(1 << 20, 4);
    uint64_t slots = dc_memo_stats(m).slots, working = slots / 8, missed = 0, asked = 0;
    uint32_t value = 1;
    for (uint64_t i = 0; i < 10 * slots; i++) {
        struct dc_hash stranger = key_of((UINT64_C(1) << 40) + i), mine = key_of(i % working);
        dc_memo_put(m, &stranger, &value);
        if (i >= working) {
            asked++;
            missed += !dc_memo_get(m, &mine, &value);
        }
        dc_memo_put(m, &mine, &value);
    }
    CU_ASSERT(missed * 100 < asked * 2);
    dc_memo_close(m);
}

/* Threads that put and get the same few keys in a table that is far too small: every answer that
 * comes back is the right one. */
static void test_threads(void)
{
    struct dc_memo *m = open_memo(4096, 64);
    enum { THREADS = 4, ROUNDS = 200000 };
    uint64_t wrong = 0, hits = 0;
#pragma omp parallel num_threads(THREADS) reduction(+ : wrong, hits)
    {
        uint64_t x = (uint64_t)omp_get_thread_num();
        struct dc_hash keys[256];
        for (uint64_t i = 0; i < 256; i++)
            keys[i] = key_of(i);
        for (int r = 0; r < ROUNDS; r++) {
            uint64_t i = dc_mix64(x += 4) % 256;
            uint8_t want[DC_MEMO_VALUE_BYTES_MAX], got[DC_MEMO_VALUE_BYTES_MAX];
            answer_of(i, want);
            if (dc_memo_get(m, &keys[i], got)) {
                hits++;
                wrong += memcmp(got, want, 64) != 0;
            } else {
                dc_memo_put(m, &keys[i], want);
            }
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(hits > 1000);
    CU_ASSERT(dc_memo_stats(m).evicted > 1000);
    dc_memo_close(m);
}

static void test_out_of_memory(void)
{
    uint64_t budget = 0;
    for (;; budget++) {
        struct dc_crypto c;
        struct dc_error error = {0};
        dc_mem_budget(budget);
        enum dc_status status = dc_crypto_open(&c, DC_SUITE_REAL, 1 << 20, 100, &error);
        dc_mem_budget(UINT64_MAX);
        if (status == DC_OK) {
            dc_crypto_close(&c);
            break;
        }
        CU_ASSERT_EQUAL(status, DC_ERR_IO);
        CU_ASSERT_NOT_EQUAL(error.text[0], '\0');
        CU_ASSERT(c.memo == NULL && c.memo_vrf == NULL && c.queue == NULL && c.counts == NULL);
    }
    CU_ASSERT_EQUAL(budget, 7); /* counts, two tables, a queue: two requests each but the first */
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"values of every size", test_values},
        {"switched off", test_off},
        {"other keys miss", test_keys},
        {"bounded", test_bounded},
        {"what is in use stays", test_in_use_stays},
        {"never wrong under threads", test_threads},
        {"out of memory", test_out_of_memory},
    };
    return TEST_MAIN("crypto/memo", cases);
}
