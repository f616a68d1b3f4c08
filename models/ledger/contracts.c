/* The kinds of private contracts that the chain knows. */
#include "models/ledger/contract.h"

const struct dc_contract_class *dc_contract_class_of(uint8_t kind)
{
    static const struct dc_contract_class *const class[DC_CONTRACT_COUNT] = {
        [DC_CONTRACT_AUCTION] = &dc_contract_auction,
        [DC_CONTRACT_ESCROW] = &dc_contract_escrow,
        [DC_CONTRACT_RATING] = &dc_contract_rating,
        [DC_CONTRACT_USAGE] = &dc_contract_usage,
    };
    return kind < DC_CONTRACT_COUNT ? class[kind] : NULL;
}
