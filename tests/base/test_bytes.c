/* The wire's bytes: layout, bounds, and that a failure is remembered. */
#include "models/base/bytes.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

static void test_layout(void)
{
    uint8_t b[17];
    struct dc_writer w = dc_writer(b, sizeof b);
    dc_write8(&w, 0x01);
    dc_write16(&w, 0x0203);
    dc_write32(&w, 0x04050607);
    dc_write64(&w, 0x08090a0b0c0d0e0f);
    dc_write(&w, "\xaa\xbb", 2);
    static const uint8_t expected[] = {0x01, 0x03, 0x02, 0x07, 0x06, 0x05, 0x04, 0x0f, 0x0e,
                                       0x0d, 0x0c, 0x0b, 0x0a, 0x09, 0x08, 0xaa, 0xbb};
    CU_ASSERT_EQUAL(w.size, sizeof expected);
    CU_ASSERT_FALSE(w.failed);
    CU_ASSERT_EQUAL(memcmp(b, expected, sizeof expected), 0);

    struct dc_reader r = dc_reader(b, sizeof b);
    uint8_t two[2];
    CU_ASSERT_EQUAL(dc_read8(&r), 0x01);
    CU_ASSERT_EQUAL(dc_read16(&r), 0x0203);
    CU_ASSERT_EQUAL(dc_read32(&r), 0x04050607);
    CU_ASSERT_EQUAL(dc_read64(&r), 0x08090a0b0c0d0e0f);
    CU_ASSERT_FALSE(dc_read_done(&r));
    dc_read(&r, two, 2);
    CU_ASSERT_EQUAL(memcmp(two, "\xaa\xbb", 2), 0);
    CU_ASSERT(dc_read_done(&r));
}

static void test_extremes(void)
{
    static const uint64_t values[] = {0,         1,      0x7f,       0x80,       0xff,
                                      0x8000,    0xffff, 0x80000000, 0xffffffff, 0x8000000000000000,
                                      UINT64_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        uint8_t b[8];
        uint64_t v = values[i];
        dc_put16(b, (uint16_t)v);
        CU_ASSERT_EQUAL(dc_get16(b), (uint16_t)v);
        dc_put32(b, (uint32_t)v);
        CU_ASSERT_EQUAL(dc_get32(b), (uint32_t)v);
        dc_put64(b, v);
        CU_ASSERT_EQUAL(dc_get64(b), v);
    }
}

/* A writer with room for `room` of eight 8-byte fields: keeps whole fields only, touches nothing
 * behind its end, and a failure stays even when a smaller field would still fit. */
static void test_writer_is_bounded(void)
{
    for (size_t room = 0; room <= 64; room++) {
        uint8_t b[65];
        memset(b, 0xee, sizeof b);
        struct dc_writer w = dc_writer(b, room);
        for (uint64_t i = 0; i < 8; i++)
            dc_write64(&w, i);
        CU_ASSERT_EQUAL(w.failed, room < 64);
        CU_ASSERT_EQUAL(w.size, room / 8 * 8);
        for (size_t i = w.size; i < sizeof b; i++)
            CU_ASSERT_EQUAL(b[i], 0xee);
        size_t size = w.size;
        dc_write8(&w, 1);
        CU_ASSERT(w.failed);
        CU_ASSERT_EQUAL(w.size, size);
    }
}

/* Every truncation of a message of all field types fails; what is missing reads as zero. */
static void test_reader_is_bounded(void)
{
    uint8_t b[32];
    memset(b, 0xff, sizeof b);
    const size_t full = 1 + 2 + 4 + 8 + 5;
    for (size_t size = 0; size <= full + 1; size++) {
        struct dc_reader r = dc_reader(b, size);
        uint8_t five[5] = {1, 2, 3, 4, 5};
        uint64_t got[4] = {dc_read8(&r), dc_read16(&r), dc_read32(&r), dc_read64(&r)};
        dc_read(&r, five, sizeof five);
        CU_ASSERT_EQUAL(got[0], size >= 1 ? 0xff : 0);
        CU_ASSERT_EQUAL(got[1], size >= 3 ? 0xffff : 0);
        CU_ASSERT_EQUAL(got[2], size >= 7 ? 0xffffffff : 0);
        CU_ASSERT_EQUAL(got[3], size >= 15 ? UINT64_MAX : 0);
        for (size_t i = 0; i < sizeof five; i++)
            CU_ASSERT_EQUAL(five[i], size >= full ? 0xff : 0);
        CU_ASSERT_EQUAL(r.failed, size < full);
        CU_ASSERT_EQUAL(dc_read_done(&r), size == full);
    }
}

static void test_reader_stays_failed(void)
{
    static const uint8_t b[4] = {1, 2, 3, 4};
    struct dc_reader r = dc_reader(b, sizeof b);
    CU_ASSERT_PTR_NULL(dc_read_in_place(&r, SIZE_MAX));
    CU_ASSERT_PTR_NULL(dc_read_in_place(&r, 1));
    CU_ASSERT_EQUAL(r.offset, 0);
    CU_ASSERT_FALSE(dc_read_done(&r));
}

static void test_in_place(void)
{
    static const uint8_t b[4] = {1, 2, 3, 4};
    struct dc_reader r = dc_reader(b, sizeof b);
    CU_ASSERT_PTR_EQUAL(dc_read_in_place(&r, 3), b);
    CU_ASSERT_PTR_EQUAL(dc_read_in_place(&r, 0), b + 3);
    CU_ASSERT_PTR_EQUAL(dc_read_in_place(&r, 1), b + 3);
    CU_ASSERT(dc_read_done(&r));
    struct dc_reader nothing = dc_reader(b, 0);
    CU_ASSERT(dc_read_done(&nothing));
}

/* Random sequences of fields: read back equal, byte for byte as long as the sum of their sizes. */
static void test_round_trips(void)
{
    struct dc_stream s = dc_stream(1, 0, dc_name("bytes"));
    for (int round = 0; round < 500; round++) {
        uint8_t b[512], kinds[64];
        uint64_t values[64];
        size_t count = dc_next_below(&s, 64), size = 0;
        struct dc_writer w = dc_writer(b, sizeof b);
        for (size_t i = 0; i < count; i++) {
            kinds[i] = (uint8_t)dc_next_below(&s, 4);
            values[i] = dc_next64(&s) >> (64 - (8 << kinds[i]));
            size += (size_t)1 << kinds[i];
            if (kinds[i] == 0)
                dc_write8(&w, (uint8_t)values[i]);
            else if (kinds[i] == 1)
                dc_write16(&w, (uint16_t)values[i]);
            else if (kinds[i] == 2)
                dc_write32(&w, (uint32_t)values[i]);
            else
                dc_write64(&w, values[i]);
        }
        CU_ASSERT_EQUAL(w.size, size);
        struct dc_reader r = dc_reader(b, w.size);
        for (size_t i = 0; i < count; i++) {
            uint64_t v = kinds[i] == 0   ? dc_read8(&r)
                         : kinds[i] == 1 ? dc_read16(&r)
                         : kinds[i] == 2 ? dc_read32(&r)
                                         : dc_read64(&r);
            CU_ASSERT_EQUAL(v, values[i]);
        }
        CU_ASSERT(dc_read_done(&r));
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"layout is little-endian without padding", test_layout},
        {"extreme values", test_extremes},
        {"writer: every room", test_writer_is_bounded},
        {"reader: every truncation", test_reader_is_bounded},
        {"reader: failed for good", test_reader_stays_failed},
        {"reader: in place", test_in_place},
        {"random round trips", test_round_trips},
    };
    return TEST_MAIN("bytes", cases);
}
