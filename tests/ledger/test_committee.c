#include "models/ledger/genesis.h"
#include "models/ledger/state_impl.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <stdlib.h>

/* Committees: power, quorum, seats and leaders against their distributions (models/README.md 4,
 * 15). */

static struct dc_params params(uint32_t seats)
{
    return (struct dc_params){.epoch_blocks = 30,
                              .g_min = DC_ONE / 2,
                              .seats = seats,
                              .score_newcomer = DC_ONE / 5,
                              .lag_halving = 4,
                              .k_min = 4,
                              .k_max = 32,
                              .verifiers = 3,
                              .audit = 0,
                              .lock_tier_ppm = {1000000, 2000000, 3000000, 4000000}};
}

struct fixture {
    struct dc_crypto crypto;
    struct dc_genesis_set set;
    struct dc_store *store;
};

static void setup(struct fixture *f, uint32_t seats, uint32_t validators, uint64_t seed,
                  void (*edit)(struct dc_genesis_set *))
{
    memset(f, 0, sizeof *f);
    struct dc_params p = params(seats);
    struct dc_genesis_spec spec = {.seed = seed,
                                   .chain = 7,
                                   .validators = validators,
                                   .clients = 3,
                                   .bond_validator = 1000 * DC_DSYNC,
                                   .regions = 1};
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(dc_genesis_set_create(&spec, &p, &f->set, &error), DC_OK);
    if (edit != NULL)
        edit(&f->set);
    struct dc_store_config config = {.chain = 7, .crypto = &f->crypto, .memo = true};
    CU_ASSERT_EQUAL_FATAL(dc_store_create(&config, &f->set.genesis, &f->store, &error), DC_OK);
}

static void teardown(struct fixture *f)
{
    dc_store_destroy(f->store);
    dc_genesis_set_free(&f->set);
}

static void edit_power(struct dc_genesis_set *set)
{
    set->account[1].lock_tier = 2;
    set->account[2].posync.score = DC_ONE;
    set->account[3].revoked = 1;
    set->account[4].posync.ejected = 1;
    set->account[5].valid_to = 31; /* height 31 opens epoch 1 */
    set->account[6].bond = 0;
}

/* Power is bond * lock * g(S); the revoked, ejected, unbonded are out, and who expires by then. */
static void test_power(void)
{
    struct fixture f;
    setup(&f, 0, 10, 1, edit_power);
    const struct dc_block *at = dc_store_genesis(f.store);
    const struct dc_committee *c = dc_store_committee(f.store, at, 0);
    const struct dc_committee *next = dc_store_committee(f.store, at, 1);
    CU_ASSERT_PTR_NULL(dc_store_committee(f.store, at, 2));
    CU_ASSERT_EQUAL(c->count, 7);
    CU_ASSERT_EQUAL(next->count, 6);
    uint64_t plain = dc_q31_of(1000 * DC_DSYNC, DC_ONE / 2 + dc_q31_mul(DC_ONE / 2, DC_ONE / 5));
    uint64_t sum = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        uint64_t expected =
            c->member[i] == 1
                ? dc_q31_of(3000 * DC_DSYNC, DC_ONE / 2 + dc_q31_mul(DC_ONE / 2, DC_ONE / 5))
            : c->member[i] == 2 ? 1000 * DC_DSYNC
                                : plain;
        CU_ASSERT_EQUAL(c->power[i], expected);
        sum += expected;
        CU_ASSERT_EQUAL(c->cumulative[i], sum);
        CU_ASSERT_EQUAL(dc_committee_index(c, c->member[i]), i);
        CU_ASSERT_EQUAL(memcmp(c->key[i], f.set.sign[c->member[i]].public, 32), 0);
        CU_ASSERT_EQUAL(memcmp(c->vrf_key[i], f.set.vrf[c->member[i]].public, 32), 0);
    }
    CU_ASSERT_EQUAL(c->total, sum);
    CU_ASSERT_EQUAL(c->quorum, (uint64_t)((unsigned __int128)2 * sum / 3) + 1);
    CU_ASSERT_EQUAL(dc_committee_index(c, 3), UINT32_MAX);
    CU_ASSERT_EQUAL(dc_committee_index(c, 99), UINT32_MAX);
    CU_ASSERT_FALSE(dc_hash_equal(&c->root, &next->root));
    teardown(&f);
}

static void edit_bonds(struct dc_genesis_set *set)
{
    for (uint32_t i = 0; i < 40; i++)
        set->account[i].bond = (1 + i % 4) * 1000 * DC_DSYNC;
}

/* Seats of one validator over draws are binomial(seats, w / sum w): a chi-square over all, and the
 * adversary of section 4 (20 % of weight, 128 seats) reaches 43 seats with probability 2e-4. */
static void test_seats(void)
{
    struct fixture f;
    setup(&f, 128, 40, 3, edit_bonds);
    const struct dc_state *s = dc_store_genesis(f.store)->state;
    enum { DRAWS = 500 };
    double chi = 0;
    uint64_t seats[40] = {0}, adversary_total = 0, halts = 0, variance_sum = 0;
    for (uint32_t d = 0; d < DRAWS; d++) {
        uint8_t text[4];
        dc_put32(text, d);
        struct dc_hash beacon = dc_hash_bytes(DC_DOMAIN_TEST, text, 4);
        uint32_t hashes = 0;
        const struct dc_committee *c =
            dc_committee_draw(s->ledger, &s->accounts, 2 + d, &beacon, &hashes);
        CU_ASSERT_EQUAL(c->total, 128);
        CU_ASSERT_EQUAL(c->quorum, 86);
        uint64_t adversary = 0;
        for (uint32_t i = 0; i < c->count; i++) {
            seats[c->member[i]] += c->power[i];
            adversary += c->member[i] < 8 ? c->power[i] : 0; /* bonds 20 of 100 */
        }
        adversary_total += adversary;
        variance_sum += (adversary - 25) * (adversary - 25);
        halts += adversary >= 43;
    }
    for (uint32_t i = 0; i < 40; i++) {
        double expected = DRAWS * 128.0 * (1 + i % 4) / 100.0;
        chi += ((double)seats[i] - expected) * ((double)seats[i] - expected) / expected;
    }
    CU_ASSERT_TRUE(test_chi_square_tail(chi, 39) > 0.001);
    CU_ASSERT_TRUE(test_chi_square_tail(chi, 39) < 0.999);
    CU_ASSERT_TRUE(test_binomial_fits(adversary_total, DRAWS * 128ull, 0.2, 0.001));
    CU_ASSERT_TRUE(test_binomial_fits(halts, DRAWS, 2e-4, 0.001));
    /* binomial variance 20.48 (about 25 instead of the mean 25.6: + 0.36), within 5 sigma */
    double variance = (double)variance_sum / DRAWS;
    CU_ASSERT_TRUE(fabs(variance - 20.84) < 5 * 20.48 * sqrt(2.0 / DRAWS));
    teardown(&f);
}

/* Leaders over rounds: in proportion to power. */
static void test_leaders(void)
{
    struct fixture f;
    setup(&f, 0, 40, 5, edit_bonds);
    const struct dc_committee *c = dc_store_committee(f.store, dc_store_genesis(f.store), 0);
    enum { ROUNDS = 20000 };
    uint64_t led[40] = {0};
    for (uint64_t r = 1; r <= ROUNDS; r++)
        led[dc_committee_leader(c, r)]++;
    double chi = 0;
    for (uint32_t i = 0; i < 40; i++) {
        double expected = ROUNDS * (double)c->power[i] / (double)c->total;
        chi += ((double)led[i] - expected) * ((double)led[i] - expected) / expected;
    }
    CU_ASSERT_TRUE(test_chi_square_tail(chi, 39) > 0.001);
    teardown(&f);
}

static void edit_nobody(struct dc_genesis_set *set)
{
    for (uint32_t i = 0; i < 2; i++)
        set->account[i].revoked = 1;
}

static void test_nobody(void)
{
    for (uint32_t seats = 0; seats <= 16; seats += 16) {
        struct fixture f;
        setup(&f, seats, 2, 6, edit_nobody);
        const struct dc_committee *c = dc_store_committee(f.store, dc_store_genesis(f.store), 0);
        CU_ASSERT_EQUAL(c->count, 0);
        CU_ASSERT_EQUAL(dc_committee_leader(c, 1), UINT32_MAX);
        CU_ASSERT_EQUAL(dc_committee_index(c, 0), UINT32_MAX);
        teardown(&f);
    }
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {{"power and membership", test_power},
                                             {"seats are binomial", test_seats},
                                             {"leaders in proportion to power", test_leaders},
                                             {"nobody eligible", test_nobody}};
    return TEST_MAIN("ledger/committee", cases);
}
