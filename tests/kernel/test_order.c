/* The packed sort and the mending of ties against insertion by definition. */
#include "tests/support/harness.h"

#include "models/base/mem.h"
#include "sim/kernel/order.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Words of several shapes: spread, crowded round one value, few bits, two clusters, descending. */
static uint64_t word(uint32_t shape, uint64_t i, uint64_t n)
{
    uint64_t r = dc_mix64(i * 8 + shape);
    switch (shape) {
    case 0: return r;
    case 1: return (r & 1) ? r >> 1 : (uint64_t)7 << 50 | (r >> 40);
    case 2: return r & 15;
    case 3: return ((r & 1) << 63) | (r >> 60);
    case 4: return (n - i) << 20;
    default: return (uint64_t)1 << (r & 63);
    }
}

static void test_sort(void)
{
    static const size_t sizes[] = {0, 1, 2, 3, 24, 25, 26, 100, 1000, 2048, 5000, 40000};
    uint64_t *w = dc_mem_alloc(40000, 8), *spare = dc_mem_alloc(40000, 8);
    uint64_t *expected = dc_mem_alloc(40000, 8);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint32_t shape = 0; shape < 6; shape++) {
            size_t n = sizes[s];
            for (size_t i = 0; i < n; i++)
                w[i] = expected[i] = word(shape, i, n);
            qsort(expected, n, 8, compare);
            const uint64_t *sorted = ds_order_sort(w, spare, n);
            CU_ASSERT_EQUAL(memcmp(sorted, expected, n * 8), 0);
        }
    dc_mem_free(w);
    dc_mem_free(spare);
    dc_mem_free(expected);
}

static void test_mend(void)
{
    enum { MAX = 1000 };
    struct ds_event e[MAX];
    struct ds_tied tied[2 * MAX];
    for (size_t n = 1; n <= MAX; n += n < 20 ? 1 : 139) {
        for (size_t i = 0; i < n; i++) {
            uint64_t r = dc_mix64(i + 1000 * n);
            e[i] = (struct ds_event){
                .time_ns = (int64_t)(r % 3), .src = r >> 32 & 3, .seq = (uint32_t)i};
            tied[i] = (struct ds_tied){e[i].time_ns, ds_order_tie(9, &e[i]), e[i].src, e[i].seq, i};
        }
        ds_order_mend(tied, tied + MAX, n);
        bool used[MAX] = {false};
        for (size_t i = 0; i < n; i++) {
            CU_ASSERT_FALSE(used[tied[i].word]);
            used[tied[i].word] = true;
            if (i > 0)
                CU_ASSERT_TRUE(ds_order_before(9, &e[tied[i - 1].word], &e[tied[i].word]));
        }
    }
}

/* Neither small sources nor early sequences come first more often than chance: 4,000 pairs, a
 * fair coin stays within 4.5 standard deviations but once in 150,000 tries. */
static void test_fair_ties(void)
{
    int low_source = 0, early = 0;
    for (uint32_t i = 0; i < 4000; i++) {
        struct ds_event a = {.src = i, .seq = 5}, b = {.src = i + 1 + i % 7, .seq = 5};
        struct ds_event c = {.src = 3, .seq = i}, d = {.src = 3, .seq = i + 1};
        low_source += ds_order_before(42, &a, &b);
        early += ds_order_before(42, &c, &d);
        CU_ASSERT_NOT_EQUAL(ds_order_before(42, &a, &b), ds_order_before(42, &b, &a));
    }
    CU_ASSERT_TRUE(low_source > 2000 - 142 && low_source < 2000 + 142);
    CU_ASSERT_TRUE(early > 2000 - 142 && early < 2000 + 142);
    int moved = 0; /* another seed, other ties */
    for (uint32_t i = 0; i < 1000; i++) {
        struct ds_event a = {.src = i}, b = {.src = i + 1};
        moved += ds_order_before(1, &a, &b) != ds_order_before(2, &a, &b);
    }
    CU_ASSERT_TRUE(moved > 400 && moved < 600);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"sort", test_sort},
        {"mend", test_mend},
        {"fair ties", test_fair_ties},
    };
    return TEST_MAIN("kernel order", cases);
}
