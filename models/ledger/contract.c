#include "models/ledger/contract.h"

bool dc_execute_call(struct dc_exec *e, const struct dc_tx *tx)
{
    return false;
}
