/* Digests: every field, the order and the node count; no collision among near-equal events. */
#include "tests/support/harness.h"

#include "sim/kernel/digest.h"

#include <stdbool.h>
#include <stdlib.h>

static bool same(struct ds_digest a, struct ds_digest b)
{
    return a.lane[0] == b.lane[0] || a.lane[1] == b.lane[1]; /* either lane alone must differ */
}

static struct ds_digest one(int64_t t, uint32_t s, uint32_t q, uint32_t k, uint64_t p)
{
    struct ds_digest d = {{0, 0}};
    ds_digest_add(&d, t, s, q, k, p);
    return d;
}

static void test_fields(void)
{
    struct ds_digest base = one(1, 2, 3, 4, 5), none = {{0, 0}};
    CU_ASSERT_FALSE(same(base, one(2, 2, 3, 4, 5)));
    CU_ASSERT_FALSE(same(base, one(1, 3, 3, 4, 5)));
    CU_ASSERT_FALSE(same(base, one(1, 2, 4, 4, 5)));
    CU_ASSERT_FALSE(same(base, one(1, 2, 3, 5, 5)));
    CU_ASSERT_FALSE(same(base, one(1, 2, 3, 4, 6)));
    CU_ASSERT_FALSE(same(base, one(1, 3, 2, 4, 5)));
    CU_ASSERT_FALSE(same(none, one(0, 0, 0, 0, 0))); /* an event of zeros counts */
}

static void test_order(void)
{
    struct ds_digest a = {{0, 0}}, b = a;
    ds_digest_add(&a, 1, 1, 1, 1, 1);
    ds_digest_add(&a, 2, 2, 2, 2, 2);
    ds_digest_add(&b, 2, 2, 2, 2, 2);
    ds_digest_add(&b, 1, 1, 1, 1, 1);
    CU_ASSERT_FALSE(same(a, b));
    struct ds_digest nodes[2] = {a, b}, swapped[2] = {b, a};
    struct ds_digest r = ds_digest_run(nodes, 2);
    CU_ASSERT_FALSE(same(r, ds_digest_run(swapped, 2)));
    CU_ASSERT_FALSE(same(r, ds_digest_run(nodes, 1)));
    struct ds_digest zeros[3] = {{{0, 0}}};
    CU_ASSERT_FALSE(same(ds_digest_run(zeros, 2), ds_digest_run(zeros, 3)));
    char text[33];
    ds_digest_hex(&(struct ds_digest){{0x0123456789abcdefULL, 0xfedcba9876543210ULL}}, text);
    CU_ASSERT_STRING_EQUAL(text, "0123456789abcdeffedcba9876543210");
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* All of a small cube of neighbouring events: by lane, no two alike. */
/* Every single-bit change of texts of 1..70 bytes, and every shorter text, has another digest. */
static void test_bytes(void)
{
    uint8_t text[70];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(37 * i);
    for (size_t size = 1; size <= sizeof text; size++) {
        uint64_t whole = ds_digest_bytes(text, size);
        CU_ASSERT_EQUAL(whole, ds_digest_bytes(text, size));
        for (size_t bit = 0; bit < 8 * size; bit++) {
            text[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CU_ASSERT_NOT_EQUAL(whole, ds_digest_bytes(text, size));
            text[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (size_t shorter = 0; shorter < size; shorter++)
            CU_ASSERT_NOT_EQUAL(whole, ds_digest_bytes(text, shorter));
    }
    CU_ASSERT_EQUAL(ds_digest_bytes(text, 0), ds_digest_bytes(NULL, 0));
}

static void test_neighbours(void)
{
    enum { SIDE = 7, COUNT = SIDE * SIDE * SIDE * SIDE * SIDE };
    static uint64_t lane[2][COUNT];
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t t = i % SIDE, s = i / SIDE % SIDE, q = i / (SIDE * SIDE) % SIDE;
        uint32_t c = i / (SIDE * SIDE * SIDE) % SIDE, p = i / (SIDE * SIDE * SIDE * SIDE);
        struct ds_digest d = one((int64_t)t, s, q, c, p);
        lane[0][i] = d.lane[0];
        lane[1][i] = d.lane[1];
    }
    for (int l = 0; l < 2; l++) {
        qsort(lane[l], COUNT, 8, compare);
        int equal = 0;
        for (uint32_t i = 1; i < COUNT; i++)
            equal += lane[l][i] == lane[l][i - 1];
        CU_ASSERT_EQUAL(equal, 0);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"bytes", test_bytes},
        {"fields", test_fields},
        {"order", test_order},
        {"neighbours", test_neighbours},
    };
    return TEST_MAIN("kernel digest", cases);
}
