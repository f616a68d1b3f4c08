/* The ledger's own store behind the constructor that net.c calls: the small world runs on it. */
#include "models/base/mem.h"
#include "models/ledger/genesis.h"
#include "tests/consensus/fake_store.h"
#include "tests/support/params.h"

#include <string.h>

static struct dc_params params_of(const struct fake_config *c)
{
    struct dc_params p = test_params();
    p.epoch_blocks = c->epoch_blocks;
    return p;
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
