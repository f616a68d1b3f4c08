/* The ledger's own store behind the constructor that net.c calls: the small world runs on it. */
#include "models/base/mem.h"
#include "models/ledger/genesis.h"
#include "tests/consensus/fake_store.h"

#include <string.h>

static struct dc_params params_of(const struct fake_config *c)
{
    return (struct dc_params){.epoch_blocks = c->epoch_blocks,
                              .block_bytes_max = 1 << 20,
                              .g_min = DC_ONE / 2,
                              .weight_s_ppm = 350000,
                              .weight_a_ppm = 250000,
                              .weight_u_ppm = 200000,
                              .weight_q_ppm = 200000,
                              .lambda = DC_ONE / 5,
                              .score_newcomer = DC_ONE / 5,
                              .kappa = DC_ONE / 2,
                              .heartbeat_lifetime = 4,
                              .lag_halving = 4,
                              .theta = dc_q31_from_ppm(300000),
                              .audit = dc_q31_from_ppm(100000),
                              .soft = DC_ONE,
                              .verifiers = 3,
                              .k = 8,
                              .k_min = 4,
                              .k_max = 32,
                              .k_max_chance = dc_q31_from_ppm(100000),
                              .rigor = 2,
                              .deadline_base_ns = 200000000,
                              .deadline_per_k_ns = 10000000,
                              .answer_heights = 20,
                              .abandon_heights = 100,
                              .sprt_p0 = dc_q31_from_ppm(30000),
                              .sprt_p1 = DC_ONE / 2,
                              .sprt_alpha = dc_q31_from_ppm(100),
                              .sprt_beta = dc_q31_from_ppm(10000),
                              .bond_min_validator = 1000 * DC_DSYNC,
                              .bond_min_service = 100 * DC_DSYNC,
                              .bond_per_unit = DC_DSYNC * 48 / 100,
                              .issuance_service = DC_DSYNC,
                              .issuance_validator = DC_DSYNC,
                              .base_share_ppm = 300000,
                              .take_ppm = 50000,
                              .epsilon_ppm = 100000,
                              .fee_inclusion = 10000,
                              .fee_verdict = 200000,
                              .slash_first_ppm = 5000,
                              .slash_repeat_ppm = 30000,
                              .slash_fund_ppm = 500000,
                              .unbonding_epochs = 10,
                              .eject_lock_epochs = 20,
                              .probation = 1,
                              .lock_tier_ppm = {1000000, 2000000, 3000000, 4000000}};
}

struct dc_store *fake_store_create(const struct fake_config *config)
{
    struct dc_params params = params_of(config);
    struct dc_genesis_spec spec = {.seed = 1,
                                   .chain = config->chain,
                                   .validators = config->validators,
                                   .bond_validator = 1000 * DC_DSYNC,
                                   .balance = 100 * DC_DSYNC,
                                   .regions = 1};
    struct dc_genesis_set set;
    struct dc_error error = {0};
    DC_CHECK(dc_genesis_set_create(&spec, &params, &set, &error) == DC_OK);
    for (uint32_t i = 0; i < config->validators; i++) {
        memcpy(set.account[i].sign_key, config->key[i].public, 32);
        memcpy(set.account[i].vrf_key, config->key[i].public, 32);
    }
    struct dc_store_config store = {.chain = config->chain,
                                    .crypto = config->crypto,
                                    .memo = config->crypto->memo != NULL,
                                    .keep_heights = 1000};
    struct dc_store *out = NULL;
    DC_CHECK(dc_store_create(&store, &set.genesis, &out, &error) == DC_OK);
    dc_genesis_set_free(&set);
    return out;
}
