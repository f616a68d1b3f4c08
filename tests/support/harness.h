/* Tests as a table of cases over CUnit.
 *
 *   static void test_thing(void) { CU_ASSERT_EQUAL(f(1), 2); }
 *   int main(void) { static const struct test_case cases[] = {{"thing", test_thing}};
 *                    return TEST_MAIN("module", cases); }
 *
 * Exit code 0 when all pass, 1 when one fails or none ran, 77 (skipped) when a case called
 * test_skip because the published data folder is absent. */
#ifndef TESTS_SUPPORT_HARNESS_H
#define TESTS_SUPPORT_HARNESS_H

#include <CUnit/CUnit.h>
#include <stddef.h>
#include <stdint.h>

struct test_case {
    const char *name;
    void (*run)(void);
};

int test_main(const char *suite, const struct test_case *cases, size_t count);
#define TEST_MAIN(suite, cases) test_main(suite, cases, sizeof(cases) / sizeof((cases)[0]))

/* Whole file DESTRA_SHARED/path in memory (NUL-terminated, *size without it), or NULL.  Where the
 * shared folder itself is absent the test is skipped; where only the file is, it fails. */
char *test_shared_file(const char *path, size_t *size);

/* Hex text to bytes; returns the count, or SIZE_MAX on bad hex or when out is too small. */
size_t test_hex(const char *hex, uint8_t *out, size_t out_max);
/* The same of hex text for exactly size bytes; else the test ends. */
void test_hex_all(const char *hex, uint8_t *out, size_t size);

#endif
