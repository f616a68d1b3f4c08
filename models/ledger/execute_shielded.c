#include "models/ledger/execute.h"

bool dc_execute_shield(struct dc_exec *e, const struct dc_tx *tx)
{
    return false;
}

bool dc_execute_shielded(struct dc_exec *e, const struct dc_tx *tx)
{
    return false;
}
