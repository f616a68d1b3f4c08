#include "tests/ledger/chain.h"
#include "tests/support/statistics.h"

/* Challenges per epoch against the closed form N [1 - (1 - pi F_u(theta-)) (1 - rho)]
 * (models/README.md 15), and when in the epoch they fall. */

static const struct dc_genesis_spec spec = {.seed = 11,
                                            .chain = CHAIN_ID,
                                            .validators = 4,
                                            .services = 300,
                                            .clients = 1,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 1000 * DC_DSYNC,
                                            .capacity_bytes = 1ull << 30,
                                            .regions = 1};

/* Utilisation of service i: i / 300. */
static struct dc_deal deals[300];
static void spread(struct dc_genesis_set *set)
{
    uint32_t n = 0;
    for (uint32_t i = 1; i < 300; i++)
        deals[n++] = (struct dc_deal){.client = 304,
                                      .node = 4 + i,
                                      .price = 0,
                                      .end_epoch = 1000,
                                      .size_bytes = ((1ull << 30) * i) / 300 / 4096 * 4096};
    set->genesis.deal = deals;
    set->genesis.deals = n;
}

static uint8_t passes(uint32_t node)
{
    (void)node;
    return DC_VERDICT_PASS;
}

static void count_challenges(uint32_t theta_ppm, uint32_t soft_ppm, uint32_t audit_ppm,
                             uint32_t epochs)
{
    struct chain c;
    struct dc_params p = chain_params();
    p.epoch_blocks = 12;
    p.theta = dc_q31_from_ppm(theta_ppm);
    p.soft = dc_q31_from_ppm(soft_ppm);
    p.audit = dc_q31_from_ppm(audit_ppm);
    p.k_max_chance = 0;
    p.price_gib_epoch = 1;
    p.heartbeat_every = 1000000; /* none: their signatures cost most of the time */
    p.verifiers = 1;
    p.abandon_heights = 1000000;
    chain_make(&c, &spec, &p, true, spread, NULL, NULL);
    c.crypto.suite = DC_SUITE_MODELLED; /* decisions do not depend on signatures */
    uint64_t services = 0, by_height[12] = {0}, validators = 0;
    for (uint32_t h = 1; h <= (epochs + 1) * p.epoch_blocks; h++) {
        chain_verdicts(&c, passes);
        chain_step(&c);
        if (h <= p.epoch_blocks)
            continue; /* u is not known in epoch 0 */
        const struct dc_outcome *o = c.tip->outcome;
        for (uint32_t i = 0; i < o->drawn_count; i++) {
            services += o->drawn[i] >= 4;
            validators += o->drawn[i] < 4;
        }
        by_height[(h - 1) % p.epoch_blocks] += o->drawn_count;
    }
    uint64_t below = 0;
    for (uint32_t i = 0; i < 300; i++)
        below += dc_state_account(chain_state(&c), 4 + i)->posync.u < p.theta;
    double rho = audit_ppm / 1e6, pi = soft_ppm / 1e6;
    /* of nodes below theta each is drawn with 1 - (1 - pi)(1 - rho), of the others with rho */
    double hit = 1 - (1 - pi) * (1 - rho);
    double mean = epochs * (below * hit + (300.0 - below) * rho);
    double variance = epochs * (below * hit * (1 - hit) + (300.0 - below) * rho * (1 - rho));
    double form = epochs * 300 * (1 - (1 - pi * (below / 300.0)) * (1 - rho));
    CU_ASSERT_DOUBLE_EQUAL(mean, form, 1e-6);
    CU_ASSERT_TRUE(fabs((double)services - mean) <= 3.5 * sqrt(variance) + 1e-9);
    CU_ASSERT_TRUE(validators <= 4ull * epochs);
    /* the moment is uniform over the first two thirds: 8 heights */
    double chi = 0, per = (double)(services + validators) / 8;
    for (uint32_t i = 0; i < 8 && per > 0; i++)
        chi += ((double)by_height[i] - per) * ((double)by_height[i] - per) / per;
    CU_ASSERT_TRUE(per < 5 || test_chi_square_tail(chi, 7) > 0.001);
    for (uint32_t i = 8; i < 12; i++)
        CU_ASSERT_EQUAL(by_height[i], 0);
    chain_free(&c);
}

static void test_closed_form(void)
{
    count_challenges(0, 1000000, 0, 3);       /* nobody */
    count_challenges(300000, 1000000, 0, 3);  /* exactly those below theta */
    count_challenges(0, 1000000, 100000, 12); /* audits alone */
    count_challenges(300000, 1000000, 100000, 6);
    count_challenges(500000, 400000, 50000, 12); /* soft */
    count_challenges(1000000, 1000000, 0, 2);    /* everyone, every epoch */
}

int main(void)
{
    static const struct test_case cases[] = {{"closed form", test_closed_form}};
    return TEST_MAIN("ledger/challenges", cases);
}
