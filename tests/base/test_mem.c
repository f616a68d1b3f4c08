/* Memory: the allocator's promises, the budget that makes the k-th request fail, arenas, pools. */
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "tests/support/child.h"
#include "tests/support/harness.h"

#include <string.h>

static void test_alloc(void)
{
    unsigned char *p = dc_mem_alloc(1000, 7);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    size_t set = 0;
    for (size_t i = 0; i < 7000; i++)
        set += p[i] != 0;
    CU_ASSERT_EQUAL(set, 0);
    dc_mem_free(p);
    dc_mem_free(NULL);

    p = dc_mem_alloc(0, 8);
    CU_ASSERT_PTR_NOT_NULL(p);
    dc_mem_free(p);
    CU_ASSERT_PTR_NULL(dc_mem_alloc(SIZE_MAX / 2, 3));
    CU_ASSERT_PTR_NULL(dc_mem_grow(NULL, SIZE_MAX / 2, 3));
}

static void test_pages(void)
{
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *p = dc_mem_pages(sizes[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(p);
        CU_ASSERT_EQUAL((uintptr_t)p % 64, 0);
        memset(p, 1, sizes[i]);
        dc_mem_free(p);
    }
    CU_ASSERT_PTR_NULL(dc_mem_pages(SIZE_MAX));
}

static void test_grow(void)
{
    uint32_t *list = NULL;
    for (size_t count = 1; count <= 4096; count *= 2) {
        uint32_t *grown = dc_mem_grow(list, count, sizeof *list);
        CU_ASSERT_PTR_NOT_NULL_FATAL(grown);
        list = grown;
        for (size_t i = 0; i < count / 2; i++)
            CU_ASSERT_EQUAL(list[i], i);
        for (size_t i = count / 2; i < count; i++)
            list[i] = (uint32_t)i;
    }
    dc_mem_budget(0);
    CU_ASSERT_PTR_NULL(dc_mem_grow(list, 8192, sizeof *list));
    CU_ASSERT_EQUAL(list[4095], 4095);
    dc_mem_free(list);
}

/* Exactly the k-th request fails, whichever function makes it, and only once. */
static void test_budget(void)
{
    for (uint64_t k = 0; k < 9; k++) {
        dc_mem_budget(k);
        for (uint64_t i = 0; i < 12; i++) {
            void *p = i % 3 == 0   ? dc_mem_alloc(1, 8)
                      : i % 3 == 1 ? dc_mem_pages(8)
                                   : dc_mem_grow(NULL, 1, 8);
            CU_ASSERT_EQUAL(p == NULL, i == k);
            dc_mem_free(p);
        }
    }
    dc_mem_budget(3);
    dc_mem_budget(UINT64_MAX);
    for (int i = 0; i < 10; i++) {
        void *p = dc_mem_alloc(1, 1);
        CU_ASSERT_PTR_NOT_NULL(p);
        dc_mem_free(p);
    }
}

static void test_arena(void)
{
    struct dc_arena arena = {0};
    struct dc_stream s = dc_stream(1, 0, dc_name("arena"));
    unsigned char *taken[400];
    size_t sizes[400];
    for (size_t i = 0; i < 400; i++) {
        sizes[i] = i % 50 == 49 ? 65536 + i : dc_next_below(&s, 2000);
        taken[i] = dc_arena_alloc(&arena, sizes[i]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(taken[i]);
        CU_ASSERT_EQUAL((uintptr_t)taken[i] % 16, 0);
        size_t set = 0;
        for (size_t j = 0; j < sizes[i]; j++)
            set += taken[i][j] != 0;
        CU_ASSERT_EQUAL(set, 0);
        memset(taken[i], (int)(i % 255) + 1, sizes[i]);
    }
    /* nothing handed out later lies over anything handed out before */
    size_t wrong = 0;
    for (size_t i = 0; i < 400; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            wrong += taken[i][j] != i % 255 + 1;
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_PTR_NULL(dc_arena_alloc(&arena, SIZE_MAX));
    CU_ASSERT_PTR_NULL(dc_arena_alloc(&arena, SIZE_MAX - 40));
    CU_ASSERT_PTR_NOT_NULL(dc_arena_alloc(&arena, 16));
    dc_arena_free(&arena);
    CU_ASSERT_PTR_NULL(arena.blocks);
    dc_arena_free(&arena);
}

/* Budgets 0, 1, 2 ... until a set-up of five blocks succeeds; a refused arena is still usable. */
static void test_arena_refusals(void)
{
    uint64_t k = 0;
    for (bool whole = false; !whole; k++) {
        struct dc_arena arena = {0};
        dc_mem_budget(k);
        whole = true;
        for (int i = 0; i < 5 && whole; i++)
            whole = dc_arena_alloc(&arena, 60000) != NULL;
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT_PTR_NOT_NULL(dc_arena_alloc(&arena, 60000));
        dc_arena_free(&arena);
    }
    CU_ASSERT_EQUAL(k, 6);
}

/* A pool against a list of what is out: blocks are distinct, keep their content, come back last in
 * first out. */
static void test_pool(void)
{
    enum { OUT_MAX = 3000 };
    struct dc_pool pool = {.size_bytes = 40};
    static uint64_t *out[OUT_MAX];
    size_t count = 0, count_max = 0;
    struct dc_stream s = dc_stream(1, 0, dc_name("pool"));
    for (uint64_t step = 0; step < 50000; step++) {
        bool take = count == 0 || (count < OUT_MAX && dc_next_below(&s, 100) < 52);
        if (take) {
            out[count] = dc_pool_take(&pool);
            for (int i = 0; i < 5; i++)
                out[count][i] = step;
            count++;
        } else {
            size_t i = dc_next_below(&s, count);
            for (int j = 1; j < 5; j++)
                CU_ASSERT_EQUAL(out[i][j], out[i][0]);
            uint64_t *given = out[i];
            dc_pool_give(&pool, given);
            uint64_t *again = dc_pool_take(&pool);
            CU_ASSERT_PTR_EQUAL(again, given);
            dc_pool_give(&pool, again);
            out[i] = out[--count];
        }
        count_max = count > count_max ? count : count_max;
        CU_ASSERT_EQUAL(pool.live, count);
    }
    CU_ASSERT(count_max > 500);
    CU_ASSERT_EQUAL(pool.live_max, count_max);
    dc_pool_free(&pool);
    CU_ASSERT_EQUAL(pool.live, 0);
}

static void need_too_much(void)
{
    dc_mem_budget(0);
    dc_mem_need(1, 16, "the blocks of a test");
}

static void pool_without_memory(void)
{
    struct dc_pool pool = {.size_bytes = 16};
    dc_mem_budget(0);
    dc_pool_take(&pool);
}

static void test_need(void)
{
    void *p = dc_mem_need(1, 16, "nothing");
    CU_ASSERT_PTR_NOT_NULL(p);
    dc_mem_free(p);
    char said[512];
    CU_ASSERT_EQUAL(test_child(need_too_much, said, sizeof said), DC_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "out of memory for the blocks of a test"));
    CU_ASSERT_EQUAL(test_child(pool_without_memory, said, sizeof said), DC_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "out of memory"));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"alloc", test_alloc},
        {"pages", test_pages},
        {"grow", test_grow},
        {"budget: exactly the k-th request fails", test_budget},
        {"arena", test_arena},
        {"arena: every refusal", test_arena_refusals},
        {"pool against a model", test_pool},
        {"need ends the process with a reason", test_need},
    };
    return TEST_MAIN("mem", cases);
}
