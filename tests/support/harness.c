#include "tests/support/harness.h"

#include <CUnit/Basic.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int skipped;

int test_main(const char *suite, const struct test_case *cases, size_t count)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    CU_pSuite s = CU_add_suite(suite, NULL, NULL);
    for (size_t i = 0; s != NULL && i < count; i++)
        if (CU_add_test(s, cases[i].name, cases[i].run) == NULL)
            return 1;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    unsigned ran = CU_get_number_of_tests_run();
    unsigned failed = CU_get_number_of_failures() + CU_get_number_of_tests_failed();
    CU_cleanup_registry();
    if (failed != 0 || ran == 0)
        return 1;
    return skipped ? 77 : 0;
}

char *test_shared_file(const char *path, size_t *size)
{
    struct stat st;
    if (stat(DESTRA_SHARED, &st) != 0) {
        skipped = 1;
        return NULL;
    }
    char name[4096];
    snprintf(name, sizeof name, "%s/%s", DESTRA_SHARED, path);
    FILE *f = fopen(name, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    CU_ASSERT_EQUAL_FATAL(fseek(f, 0, SEEK_END), 0);
    long n = ftell(f);
    rewind(f);
    char *text = malloc((size_t)n + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    CU_ASSERT_EQUAL_FATAL(fread(text, 1, (size_t)n, f), (size_t)n);
    text[n] = '\0';
    fclose(f);
    *size = (size_t)n;
    return text;
}

size_t test_hex(const char *hex, uint8_t *out, size_t out_max)
{
    size_t n = strlen(hex);
    if (n % 2 != 0 || n / 2 > out_max)
        return SIZE_MAX;
    for (size_t i = 0; i < n / 2; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        char *end;
        out[i] = (uint8_t)strtoul(pair, &end, 16);
        if (*end != '\0')
            return SIZE_MAX;
    }
    return n / 2;
}

void test_hex_all(const char *hex, uint8_t *out, size_t size)
{
    CU_ASSERT_EQUAL_FATAL(test_hex(hex, out, size), size);
}
