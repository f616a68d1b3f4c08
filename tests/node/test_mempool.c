/* Transactions that wait: adding, duplicates, expiry, removal and limits, against a naive list. */
#include "models/base/mem.h"
#include "models/node/mempool.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

static bool add(struct dc_mempool *m, uint32_t number, uint64_t height)
{
    uint8_t bytes[16] = {3};
    dc_put32(bytes + 4, number);
    return dc_mempool_add(m, bytes, sizeof bytes, height);
}

static void test_add(void)
{
    struct dc_mempool m = {0};
    CU_ASSERT_TRUE(add(&m, 1, 5));
    CU_ASSERT_TRUE(add(&m, 2, 5));
    CU_ASSERT_EQUAL(m.count, 2);
    CU_ASSERT_EQUAL(m.bytes, 32);
    CU_ASSERT_EQUAL(dc_get32(m.entry[0].bytes + 4), 1); /* in order of arrival */
    CU_ASSERT_EQUAL(dc_get32(m.entry[1].bytes + 4), 2);
    CU_ASSERT_EQUAL(m.entry[0].kind, 3);
    dc_mempool_free(&m);
    CU_ASSERT_EQUAL(m.count, 0);
    CU_ASSERT_EQUAL(m.bytes, 0);
    CU_ASSERT_TRUE(add(&m, 1, 5)); /* usable again */
    dc_mempool_free(&m);
}

/* A second copy is refused while the first waits, and again after entries between have gone. */
static void test_copies(void)
{
    struct dc_mempool m = {0};
    CU_ASSERT(add(&m, 1, 5));
    CU_ASSERT(add(&m, 2, 5));
    CU_ASSERT(!add(&m, 1, 6));
    uint8_t bytes[16] = {3};
    dc_put32(bytes + 4, 1);
    dc_mempool_remove(&m, &(struct dc_tx_view){bytes, sizeof bytes}, 1);
    CU_ASSERT_EQUAL(m.count, 1);
    CU_ASSERT_EQUAL(m.bytes, 16);
    CU_ASSERT_EQUAL(dc_get32(m.entry[0].bytes + 4), 2);
    CU_ASSERT(!add(&m, 2, 6));
    CU_ASSERT(add(&m, 1, 6));
    dc_mempool_free(&m);
}

static void test_expire(void)
{
    struct dc_mempool m = {0};
    for (uint32_t h = 0; h < 20; h++)
        add(&m, h, h);
    dc_mempool_expire(&m, 7);
    CU_ASSERT_EQUAL(m.count, 20);
    dc_mempool_expire(&m, 10 + DC_MEMPOOL_HEIGHTS);
    CU_ASSERT_EQUAL(m.count, 10);
    CU_ASSERT_EQUAL(dc_get32(m.entry[0].bytes + 4), 10);
    CU_ASSERT_EQUAL(m.bytes, 160);
    dc_mempool_expire(&m, 1000);
    CU_ASSERT_EQUAL(m.count, 0);
    CU_ASSERT_EQUAL(m.bytes, 0);
    dc_mempool_expire(&m, 1001);
}

static void test_limit(void)
{
    struct dc_mempool m = {0};
    uint32_t size = 1 << 20;
    uint8_t *large = calloc(1, size);
    uint32_t taken = 0;
    for (uint32_t i = 0; i < 10; i++) {
        dc_put32(large, i);
        taken += dc_mempool_add(&m, large, size, 1);
    }
    CU_ASSERT_EQUAL(taken, DC_MEMPOOL_BYTES_MAX / size);
    CU_ASSERT_TRUE(m.bytes <= DC_MEMPOOL_BYTES_MAX);
    CU_ASSERT_FALSE(add(&m, 7, 1)); /* full to the byte */
    struct dc_tx_view first = {m.entry[0].bytes, size};
    uint8_t *copy = malloc(size);
    memcpy(copy, first.bytes, size);
    first.bytes = copy;
    dc_mempool_remove(&m, &first, 1);
    CU_ASSERT_TRUE(add(&m, 7, 1));
    dc_mempool_free(&m);
    free(large);
    free(copy);
}

/* The naive model: numbers and heights in order. */
struct naive {
    uint32_t number[4096];
    uint64_t height[4096];
    uint32_t count;
};

static void naive_filter(struct naive *n, bool (*drop)(uint32_t, uint64_t, const void *),
                         const void *context)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < n->count; i++)
        if (!drop(n->number[i], n->height[i], context)) {
            n->number[kept] = n->number[i];
            n->height[kept++] = n->height[i];
        }
    n->count = kept;
}
static bool too_old(uint32_t number, uint64_t height, const void *context)
{
    return height + DC_MEMPOOL_HEIGHTS < *(const uint64_t *)context;
}
static bool in_block(uint32_t number, uint64_t height, const void *context)
{
    const uint32_t *block = context; /* count, numbers */
    for (uint32_t i = 1; i <= block[0]; i++)
        if (block[i] == number)
            return true;
    return false;
}

static void test_model(void)
{
    struct dc_mempool m = {0};
    struct naive *n = calloc(1, sizeof *n);
    srand(1);
    uint64_t height = 1;
    for (int step = 0; step < 3000; step++) {
        uint32_t number = (uint32_t)rand() % 300;
        int what = rand() % 10;
        if (what < 7) {
            bool waits = false;
            for (uint32_t i = 0; i < n->count; i++)
                waits = waits || n->number[i] == number;
            CU_ASSERT_EQUAL(add(&m, number, height), !waits);
            if (!waits) {
                n->number[n->count] = number;
                n->height[n->count++] = height;
            }
        } else if (what < 9) {
            uint32_t block[41] = {(uint32_t)rand() % 41};
            uint8_t bytes[40][16];
            struct dc_tx_view tx[40];
            for (uint32_t i = 1; i <= block[0]; i++) {
                block[i] = (uint32_t)rand() % 300;
                memset(bytes[i - 1], 0, 16);
                bytes[i - 1][0] = 3;
                dc_put32(bytes[i - 1] + 4, block[i]);
                tx[i - 1] = (struct dc_tx_view){bytes[i - 1], 16};
            }
            dc_mempool_remove(&m, tx, block[0]);
            naive_filter(n, in_block, block);
        } else {
            height += (uint64_t)rand() % 3;
            dc_mempool_expire(&m, height);
            naive_filter(n, too_old, &height);
        }
        CU_ASSERT_EQUAL_FATAL(m.count, n->count);
        CU_ASSERT_EQUAL(m.bytes, (size_t)16 * n->count);
        for (uint32_t i = 0; i < m.count; i++)
            CU_ASSERT_EQUAL(dc_get32(m.entry[i].bytes + 4), n->number[i]);
    }
    dc_mempool_free(&m);
    free(n);
}

/* Those that nobody signs have a limit of their own, and leave room when they go. */
static void test_unsigned(void)
{
    struct dc_mempool m = {0};
    uint8_t bytes[16] = {DC_TX_SHIELDED}, named[16] = {DC_TX_CALL, 7};
    for (uint32_t i = 0; i < DC_MEMPOOL_UNSIGNED_MAX; i++) {
        bytes[0] = i % 2 ? DC_TX_CALL : DC_TX_SHIELDED;
        dc_put32(bytes + 1, DC_NOBODY);
        dc_put32(bytes + 8, i);
        CU_ASSERT(dc_mempool_add(&m, bytes, sizeof bytes, i / 10));
        CU_ASSERT(dc_mempool_has(&m, bytes, sizeof bytes));
    }
    dc_put32(bytes + 8, DC_MEMPOOL_UNSIGNED_MAX);
    CU_ASSERT(!dc_mempool_has(&m, bytes, sizeof bytes));
    CU_ASSERT(!dc_mempool_add(&m, bytes, sizeof bytes, 0));
    CU_ASSERT(!dc_mempool_has(&m, bytes, sizeof bytes));
    CU_ASSERT(dc_mempool_add(&m, named, sizeof named, 99)); /* somebody answers for it */
    dc_mempool_expire(&m, 1 + DC_MEMPOOL_HEIGHTS);
    CU_ASSERT_EQUAL(m.unsigned_count, DC_MEMPOOL_UNSIGNED_MAX - 10);
    CU_ASSERT(dc_mempool_add(&m, bytes, sizeof bytes, 99));
    dc_mempool_expire(&m, 99 + DC_MEMPOOL_HEIGHTS);
    CU_ASSERT(m.count == 2 && m.unsigned_count == 1);
    dc_mempool_free(&m);
    CU_ASSERT(!dc_mempool_has(&m, bytes, sizeof bytes));
}

int main(void)
{
    static const struct test_case cases[] = {{"add", test_add},
                                             {"copies", test_copies},
                                             {"expire", test_expire},
                                             {"limit", test_limit},
                                             {"unsigned", test_unsigned},
                                             {"model", test_model}};
    return TEST_MAIN("mempool", cases);
}
