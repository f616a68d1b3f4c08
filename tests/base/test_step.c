/* Effects: their order, and that what they point to lives until they are cleared. */
#include "models/base/step.h"
#include "tests/support/child.h"
#include "tests/support/harness.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static struct dc_effects *effects_new(void)
{
    struct dc_effects *out = calloc(1, sizeof *out);
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    return out;
}

static void test_kinds(void)
{
    struct dc_effects *out = effects_new();
    dc_effect_send(out, 7, "hello", 5);
    dc_effect_broadcast(out, "world!", 6);
    dc_effect_timer(out, 123456789012, 42);
    dc_effect_note(out, 3, 10, UINT64_MAX);
    CU_ASSERT_EQUAL_FATAL(out->count, 4);
    const struct dc_effect *e = out->list;
    CU_ASSERT(e[0].kind == DC_EFFECT_SEND && e[0].to == 7 && e[0].size == 5);
    CU_ASSERT_EQUAL(memcmp(e[0].bytes, "hello", 5), 0);
    CU_ASSERT(e[1].kind == DC_EFFECT_BROADCAST && e[1].size == 6);
    CU_ASSERT_EQUAL(memcmp(e[1].bytes, "world!", 6), 0);
    CU_ASSERT(e[2].kind == DC_EFFECT_TIMER && e[2].due_ns == 123456789012 && e[2].timer == 42);
    CU_ASSERT(e[3].kind == DC_EFFECT_NOTE && e[3].timer == 3);
    CU_ASSERT(e[3].a == 10 && e[3].b == UINT64_MAX);
    dc_effects_free(out);
    free(out);
}

/* The buffer is replaced several times within a step; the earlier bytes stay where they were. */
static void test_bytes_outlive_growth(void)
{
    struct dc_effects *out = effects_new();
    static uint8_t message[40000];
    for (int step = 0; step < 3; step++) {
        for (uint32_t i = 0; i < DC_EFFECTS_MAX; i++) {
            size_t size = i * 601 % sizeof message;
            memset(message, (int)i, size);
            dc_effect_send(out, i, message, size);
        }
        memset(message, 0xee, sizeof message);
        for (uint32_t i = 0; i < DC_EFFECTS_MAX; i++) {
            const struct dc_effect *e = &out->list[i];
            CU_ASSERT(e->to == i && e->size == i * 601 % sizeof message);
            CU_ASSERT_EQUAL((uintptr_t)e->bytes % 8, 0);
            size_t wrong = 0;
            for (size_t j = 0; j < e->size; j++)
                wrong += e->bytes[j] != (uint8_t)i;
            CU_ASSERT_EQUAL(wrong, 0);
        }
        out->charge[DC_COST_HASH] = 5;
        dc_effects_clear(out);
        CU_ASSERT_EQUAL(out->count, 0);
        CU_ASSERT_EQUAL(out->charge[DC_COST_HASH], 0);
    }
    dc_effects_free(out);
    dc_effects_free(out);
    free(out);
}

static void test_clear_of_nothing(void)
{
    struct dc_effects *out = effects_new();
    dc_effects_clear(out);
    dc_effect_send(out, 1, "x", 1);
    CU_ASSERT_EQUAL(out->list[0].bytes[0], 'x');
    dc_effects_free(out);
    free(out);
}

static void one_effect_too_many(void)
{
    struct dc_effects *out = calloc(1, sizeof *out);
    for (int i = 0; out != NULL && i <= DC_EFFECTS_MAX; i++)
        dc_effect_timer(out, i, 0);
}

static void test_limit(void)
{
    char said[512];
    CU_ASSERT_EQUAL(test_child(one_effect_too_many, said, sizeof said), -SIGABRT);
    CU_ASSERT_PTR_NOT_NULL(strstr(said, "DC_EFFECTS_MAX"));
}

int main(void)
{
    static const struct test_case cases[] = {
        {"kinds and order", test_kinds},
        {"bytes outlive the buffer's growth", test_bytes_outlive_growth},
        {"clearing nothing", test_clear_of_nothing},
        {"one too many is a bug", test_limit},
    };
    return TEST_MAIN("step", cases);
}
