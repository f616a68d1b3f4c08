/* Encrypted usage totals on the real ledger: reports add up unread, t holders open the sum, the
 * money goes where the bound says; and all that is refused. */
#include "models/ledger/contract.h"

#include "models/privacy/usage.h"
#include "tests/ledger/held.h"

enum { PAYEE = 5, OWNER = 8, FIRST = 9, REPORTERS = 4, AMOUNT = 1000000, BOUND = 100 };

static const struct dc_genesis_spec spec = {.seed = 3,
                                            .chain = CHAIN_ID,
                                            .validators = 5,
                                            .services = 3,
                                            .clients = 6,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 3000 * DC_DSYNC,
                                            .capacity_bytes = 16ull << 30,
                                            .regions = 2};
static struct held held;
static struct chain c;

static void edit(struct dc_genesis_set *set)
{
    set->genesis.holders = &held.holders;
}

static void start(bool memo)
{
    held_make(&held);
    struct dc_params p = chain_params();
    p.fee_private = 1000;
    p.holders = HELD;
    p.threshold = HELD_THRESHOLD;
    chain_make(&c, &spec, &p, memo, edit, NULL, NULL);
}

static struct dc_usage_terms terms(void)
{
    struct dc_usage_terms t = {.payee = PAYEE,
                               .bits = 16,
                               .count = REPORTERS,
                               .bound = BOUND,
                               .amount = AMOUNT,
                               .close = 6,
                               .end = 20,
                               .tag = 77};
    for (uint32_t i = 0; i < REPORTERS; i++)
        t.reporter[i] = FIRST + i;
    return t;
}

static bool make(const struct dc_usage_terms *t)
{
    uint8_t body[DC_USAGE_NEW_BYTES_MAX];
    size_t size = dc_usage_terms_encode(t, body);
    return held_called(&c, OWNER, DC_CONTRACT_NEW, DC_CONTRACT_USAGE, DC_USAGE_NEW, body, size);
}

static size_t report_of(uint32_t reporter, uint32_t contract, uint64_t v, uint8_t *out)
{
    struct dc_usage_context context = {
        .chain = CHAIN_ID, .contract = contract, .reporter = reporter, .bits = 16};
    uint8_t seed[32] = {(uint8_t)reporter};
    memcpy(context.group_key, held.holders.group_key, 32);
    return dc_usage_report_make(&context, seed, v, out);
}

static bool report(uint32_t from, uint32_t contract, uint64_t v)
{
    uint8_t body[DC_USAGE_REPORT_BYTES_MAX];
    size_t size = report_of(from, contract, v, body);
    return held_called(&c, from, contract, DC_CONTRACT_USAGE, DC_USAGE_REPORT, body, size);
}

static bool share(uint32_t holder, uint32_t contract)
{
    uint8_t partial[DC_PARTIAL_BYTES];
    held_partial(&held, &c, holder, contract,
                 dc_state_contract(chain_state(&c), contract)->point[1], partial);
    return held_called(&c, holder, contract, DC_CONTRACT_USAGE, DC_USAGE_SHARE, partial,
                       sizeof partial);
}

static bool total(uint32_t from, uint32_t contract, uint64_t v)
{
    uint8_t body[8];
    dc_put64(body, v);
    return held_called(&c, from, contract, DC_CONTRACT_USAGE, DC_USAGE_TOTAL, body, sizeof body);
}

static uint64_t balance(uint32_t id)
{
    return dc_state_account(chain_state(&c), id)->balance;
}
static const struct dc_contract *contract(uint32_t id)
{
    return dc_state_contract(chain_state(&c), id);
}

/* --- the way it goes -------------------------------------------------------------------------- */

static void whole(bool memo, uint64_t each, bool pays)
{
    start(memo);
    struct dc_usage_terms t = terms();
    uint64_t owner = balance(OWNER), payee = balance(PAYEE);
    CU_ASSERT_TRUE(make(&t));
    CU_ASSERT_EQUAL(balance(OWNER), owner - AMOUNT - 1000);
    CU_ASSERT_EQUAL(contract(0)->money, AMOUNT);
    CU_ASSERT_EQUAL(dc_get64(contract(0)->digest), 77);
    for (uint32_t i = 0; i < 3; i++) /* one reporter keeps silent */
        CU_ASSERT_TRUE(report(FIRST + i, 0, each + i));
    CU_ASSERT_EQUAL(contract(0)->word[2], 3);
    held_steps_to(&c, contract(0)->close);
    for (uint32_t i = 0; i < HELD_THRESHOLD; i++)
        CU_ASSERT_TRUE(share(4 - i, 0));
    CU_ASSERT_FALSE(total(OWNER, 0, 3 * each + 4));
    CU_ASSERT_TRUE(total(2, 0, 3 * each + 3));
    CU_ASSERT_EQUAL(contract(0)->phase, DC_CONTRACT_OVER);
    CU_ASSERT_EQUAL(contract(0)->word[3], 3 * each + 3);
    CU_ASSERT_EQUAL(contract(0)->money, 0);
    CU_ASSERT_EQUAL(balance(PAYEE), payee + (pays ? AMOUNT : 0));
    CU_ASSERT_EQUAL(balance(OWNER), owner - 1000 - (pays ? AMOUNT : 0));
    CU_ASSERT_FALSE(total(2, 0, 3 * each + 3)); /* it is over */
    held_steps_to(&c, 30);
    CU_ASSERT_TRUE(dc_state_conserved(chain_state(&c)));
    chain_free(&c);
}

static void test_pays(void)
{
    whole(true, 33, true);  /* 102 */
    whole(true, 32, false); /* 99 */
    whole(false, 40, true); /* all executed again, and the same */
}

/* --- money back ------------------------------------------------------------------------------- */

static void test_back(void)
{
    start(true);
    struct dc_usage_terms t = terms();
    uint64_t owner = balance(OWNER);
    CU_ASSERT_TRUE(make(&t)); /* nobody reports: over when it closes */
    CU_ASSERT_TRUE(make(&t)); /* reported, never opened: over at its end */
    CU_ASSERT_TRUE(report(FIRST, 1, 5000));
    held_steps_to(&c, contract(0)->close);
    CU_ASSERT_EQUAL(contract(0)->money, AMOUNT);
    chain_step(&c);
    CU_ASSERT_EQUAL(contract(0)->phase, DC_CONTRACT_OVER);
    CU_ASSERT_EQUAL(balance(OWNER), owner - 2000 - AMOUNT);
    CU_ASSERT_TRUE(share(0, 1));
    CU_ASSERT_TRUE(share(1, 1));
    CU_ASSERT_FALSE(total(0, 1, 5000)); /* t - 1 open nothing */
    held_steps_to(&c, contract(1)->end);
    CU_ASSERT_EQUAL(contract(1)->money, AMOUNT);
    CU_ASSERT_FALSE(share(2, 1)); /* too late: the block of end + 1 */
    CU_ASSERT_EQUAL(contract(1)->phase, DC_CONTRACT_OVER);
    CU_ASSERT_EQUAL(balance(OWNER), owner - 2000);
    CU_ASSERT_EQUAL(contract(1)->word[3], 0);
    chain_free(&c);
}

/* --- refused ---------------------------------------------------------------------------------- */

static void test_made_refused(void)
{
    start(true);
    struct dc_usage_terms good = terms(), t = good;
    t.bits = 12;
    CU_ASSERT_FALSE(make(&t));
    t = good, t.close = 0;
    CU_ASSERT_FALSE(make(&t));
    t = good, t.end = t.close;
    CU_ASSERT_FALSE(make(&t));
    t = good, t.end = UINT64_MAX;
    CU_ASSERT_FALSE(make(&t));
    t = good, t.count = 0;
    CU_ASSERT_FALSE(make(&t));
    t = good, t.reporter[1] = t.reporter[0];
    CU_ASSERT_FALSE(make(&t));
    t = good, t.reporter[3] = 1000;
    CU_ASSERT_FALSE(make(&t));
    t = good, t.payee = 1000;
    CU_ASSERT_FALSE(make(&t));
    t = good, t.amount = 4000 * DC_DSYNC;
    CU_ASSERT_FALSE(make(&t));
    t = good, t.amount = balance(OWNER) - 999; /* a fee of 1000 beside it */
    CU_ASSERT_FALSE(make(&t));
    uint8_t body[DC_USAGE_NEW_BYTES_MAX + 1] = {0};
    size_t size = dc_usage_terms_encode(&good, body);
    CU_ASSERT_FALSE(
        held_called(&c, OWNER, DC_CONTRACT_NEW, DC_CONTRACT_USAGE, DC_USAGE_NEW, body, size - 1));
    CU_ASSERT_FALSE(
        held_called(&c, OWNER, DC_CONTRACT_NEW, DC_CONTRACT_USAGE, DC_USAGE_NEW, body, size + 1));
    CU_ASSERT_FALSE(
        held_called(&c, OWNER, DC_CONTRACT_NEW, DC_CONTRACT_USAGE, DC_USAGE_REPORT, body, size));
    CU_ASSERT_EQUAL(dc_state_vault(chain_state(&c))->contracts, 0);
    CU_ASSERT_EQUAL(dc_state_vault(chain_state(&c))->entries, 0);
    CU_ASSERT_TRUE(make(&good));
    chain_free(&c);
}

static void test_reports_refused(void)
{
    start(true);
    struct dc_usage_terms t = terms();
    uint8_t body[DC_USAGE_REPORT_BYTES_MAX];
    t.close = 40;
    t.end = 60;
    CU_ASSERT_TRUE(make(&t));
    CU_ASSERT_TRUE(make(&t));
    CU_ASSERT_FALSE(report(OWNER, 0, 1));          /* is not to report */
    CU_ASSERT_FALSE(report(PAYEE, 0, UINT16_MAX)); /* nor who would be paid */
    size_t size = report_of(FIRST, 0, 10, body);
    CU_ASSERT_FALSE(held_called(&c, FIRST, 1, DC_CONTRACT_USAGE, DC_USAGE_REPORT, body, size));
    CU_ASSERT_FALSE(held_called(&c, FIRST + 1, 0, DC_CONTRACT_USAGE, DC_USAGE_REPORT, body, size));
    CU_ASSERT_FALSE(held_called(&c, FIRST, 0, DC_CONTRACT_USAGE, DC_USAGE_REPORT, body, size - 1));
    CU_ASSERT_FALSE(held_called(&c, FIRST, 0, DC_CONTRACT_USAGE, DC_USAGE_SHARE, body, size));
    CU_ASSERT_FALSE(held_called(&c, FIRST, 0, DC_CONTRACT_USAGE, 9, body, size));
    CU_ASSERT_FALSE(held_called(&c, FIRST, 0, DC_CONTRACT_RATING, DC_USAGE_REPORT, body, size));
    CU_ASSERT_FALSE(held_called(&c, FIRST, 2, DC_CONTRACT_USAGE, DC_USAGE_REPORT, body, size));
    body[40] ^= 1;
    CU_ASSERT_FALSE(held_called(&c, FIRST, 0, DC_CONTRACT_USAGE, DC_USAGE_REPORT, body, size));
    CU_ASSERT_EQUAL(report_of(FIRST, 0, 65536, body), 0); /* above its width */
    CU_ASSERT_TRUE(report(FIRST, 0, 10));
    CU_ASSERT_FALSE(report(FIRST, 0, 10)); /* once */
    CU_ASSERT_FALSE(report(FIRST, 0, 11));
    CU_ASSERT_TRUE(report(FIRST, 1, 10));
    CU_ASSERT_EQUAL(contract(0)->word[2], 1);
    held_steps_to(&c, contract(0)->close);
    CU_ASSERT_FALSE(report(FIRST + 1, 0, 10)); /* late */
    chain_free(&c);
}

static void test_shares_refused(void)
{
    start(true);
    struct dc_usage_terms t = terms();
    uint8_t partial[DC_PARTIAL_BYTES];
    t.end = 60;
    CU_ASSERT_TRUE(make(&t));
    CU_ASSERT_TRUE(make(&t));
    CU_ASSERT_TRUE(report(FIRST, 0, 10));
    CU_ASSERT_TRUE(report(FIRST, 1, 10));
    CU_ASSERT_FALSE(share(0, 0)); /* not closed yet */
    held_steps_to(&c, contract(1)->close);
    const struct dc_contract *was = contract(0);
    held_partial(&held, &c, 1, 0, was->point[1], partial);
    for (int i = 0; i < 2; i++) /* in another's name, and a stranger's */
        CU_ASSERT_FALSE(held_called(&c, i == 0 ? 0 : OWNER, 0, DC_CONTRACT_USAGE, DC_USAGE_SHARE,
                                    partial, sizeof partial));
    CU_ASSERT_FALSE(held_called(&c, 1, 1, DC_CONTRACT_USAGE, DC_USAGE_SHARE, partial,
                                sizeof partial)); /* of another contract */
    for (size_t byte = 0; byte < sizeof partial; byte += 5) {
        partial[byte] ^= 4;
        CU_ASSERT_FALSE(
            held_called(&c, 1, 0, DC_CONTRACT_USAGE, DC_USAGE_SHARE, partial, sizeof partial));
        partial[byte] ^= 4;
    }
    CU_ASSERT_TRUE(share(1, 0));
    CU_ASSERT_FALSE(share(1, 0)); /* twice */
    CU_ASSERT_FALSE(total(1, 0, 10));
    CU_ASSERT_TRUE(share(3, 0));
    CU_ASSERT_TRUE(share(0, 0));
    CU_ASSERT_FALSE(share(2, 0)); /* t are there */
    uint32_t of;
    CU_ASSERT_EQUAL(dc_decrypt_shares(chain_state(&c), 0, &of), 3);
    CU_ASSERT_TRUE(dc_decrypt_given(chain_state(&c), 0, 3));
    CU_ASSERT_FALSE(dc_decrypt_given(chain_state(&c), 0, 2));
    CU_ASSERT_FALSE(total(1, 0, 9));
    CU_ASSERT_FALSE(total(1, 0, ((uint64_t)1 << 32) + 10));
    CU_ASSERT_TRUE(total(FIRST, 0, 10)); /* by anybody */
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {{"pays above its bound", test_pays},
                                             {"money back", test_back},
                                             {"made", test_made_refused},
                                             {"reports", test_reports_refused},
                                             {"shares and totals", test_shares_refused}};
    return TEST_MAIN("usage", cases);
}
