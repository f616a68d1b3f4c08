/* The parameters of the protocol that tests begin with; each sets what it is about. */
#ifndef TESTS_SUPPORT_PARAMS_H
#define TESTS_SUPPORT_PARAMS_H

#include "models/base/params.h"

static inline struct dc_params test_params(void)
{
    return (struct dc_params){.block_bytes_max = 1 << 20,
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

#endif
