#include "models/ledger/execute.h"

bool dc_execute_grant(struct dc_exec *e, const struct dc_tx *tx)
{
    return false;
}

bool dc_execute_beacon(struct dc_exec *e, const struct dc_tx *tx)
{
    return false;
}
