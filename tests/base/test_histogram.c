/* The histogram against a sorted array. */
#include "models/base/histogram.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <stdlib.h>

static void test_buckets(void)
{
    for (uint32_t i = 0; i < DC_HISTOGRAM_BUCKETS; i++) {
        uint64_t lower = dc_histogram_lower(i), upper = dc_histogram_upper(i);
        CU_ASSERT_TRUE(lower < upper);
        CU_ASSERT_EQUAL(dc_histogram_index(lower), i);
        CU_ASSERT_EQUAL(dc_histogram_index(upper - 1), i);
        CU_ASSERT_TRUE(i + 1 == DC_HISTOGRAM_BUCKETS || upper == dc_histogram_lower(i + 1));
        CU_ASSERT_TRUE(i + 1 == DC_HISTOGRAM_BUCKETS || (upper - lower - 1) * 64 <= lower);
    }
    CU_ASSERT_EQUAL(dc_histogram_lower(0), 0);
    CU_ASSERT_EQUAL(dc_histogram_index(UINT64_MAX), DC_HISTOGRAM_BUCKETS - 1);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void test_quantiles(void)
{
    enum { N = 3001 };
    static uint64_t value[N];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct dc_histogram *h = dc_mem_alloc(1, sizeof(*h)), *other = dc_mem_alloc(1, sizeof(*h));
        struct dc_stream s = dc_stream(seed, 0, 0);
        uint64_t sum = 0;
        for (int i = 0; i < N; i++) {
            value[i] = dc_next64(&s) >> (18 + dc_next_below(&s, 46));
            sum += value[i];
            dc_histogram_add(i % 3 == 0 ? h : other, (int64_t)value[i]);
        }
        dc_histogram_merge(h, other);
        qsort(value, N, sizeof(value[0]), compare);
        CU_ASSERT_EQUAL(h->count, N);
        CU_ASSERT_EQUAL(h->sum, sum);
        CU_ASSERT_EQUAL(dc_histogram_mean(h), sum / N);
        CU_ASSERT_EQUAL(h->min, value[0]);
        CU_ASSERT_EQUAL(h->max, value[N - 1]);
        for (uint32_t p = 0; p <= 1000; p++) {
            uint64_t rank = ((uint64_t)N * p + 999) / 1000;
            double exact = (double)value[rank == 0 ? 0 : rank - 1];
            double got = (double)dc_histogram_quantile(h, p, 1000);
            CU_ASSERT_TRUE(got >= exact * (1 - 1.0 / 128) - 0.5 &&
                           got <= exact * (1 + 1.0 / 128) + 0.5);
        }
        dc_mem_free(h);
        dc_mem_free(other);
    }
}

static void test_edges(void)
{
    struct dc_histogram *h = dc_mem_alloc(1, sizeof(*h)), *empty = dc_mem_alloc(1, sizeof(*h));
    CU_ASSERT_EQUAL(dc_histogram_quantile(h, 1, 2), 0);
    CU_ASSERT_EQUAL(dc_histogram_mean(h), 0);
    dc_histogram_add(h, -5);
    dc_histogram_add(h, INT64_MAX);
    dc_histogram_merge(h, empty);
    CU_ASSERT_EQUAL(h->min, 0);
    CU_ASSERT_EQUAL(h->max, INT64_MAX);
    CU_ASSERT_EQUAL(dc_histogram_quantile(h, 1, 2), 0);
    CU_ASSERT_EQUAL(dc_histogram_quantile(h, 1, 1), INT64_MAX);
    dc_histogram_merge(empty, h);
    CU_ASSERT_EQUAL(empty->min, 0);
    CU_ASSERT_EQUAL(empty->count, 2);
    dc_mem_free(h);
    dc_mem_free(empty);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"buckets", test_buckets}, {"quantiles", test_quantiles}, {"edges", test_edges}};
    return TEST_MAIN("histogram", cases);
}
