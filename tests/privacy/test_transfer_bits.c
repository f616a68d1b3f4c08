/* Every single bit of a confidential transfer's statement: none may be changed.  Eight times as many
 * as test_transfer has; a few seconds. */
#include "tests/privacy/notes.h"

static void test_every_bit(void)
{
    static struct notes n;
    uint8_t body[DC_TRANSFER_BYTES_MAX], statement[DC_TRANSFER_STATEMENT_BYTES_MAX];
    uint32_t passed = 0;
    notes_make(&n, 2);
    for (uint64_t unshield = 0; unshield <= 300; unshield += 300) {
        struct dc_transfer_plan p = notes_plan(&n, 1, 2, unshield);
        size_t size = dc_transfer_prove(&p, body);
        size = notes_statement(&n, p.chain, 1, body, size, statement);
        CU_ASSERT_TRUE_FATAL(dc_transfer_check(statement, size));
        for (size_t bit = 0; bit < 8 * size; bit++) {
            statement[bit / 8] ^= (uint8_t)(1u << bit % 8);
            passed += dc_transfer_check(statement, size);
            statement[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    CU_ASSERT_EQUAL(passed, 0);
}

int main(void)
{
    static const struct test_case cases[] = {{"every bit", test_every_bit}};
    dc_crypto_init();
    return TEST_MAIN("transfer_bits", cases);
}
