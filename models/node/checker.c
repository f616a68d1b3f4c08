/* What the ledger asks of the service layer: does a proof hold against the chain's own records? */
#include "models/node/node.h"

static bool checker_samples(const struct dc_state *state, uint32_t node,
                            const struct dc_hash *nonce, uint8_t k, uint64_t *sample)
{
    const struct dc_account *a = dc_state_account(state, node);
    if (a == NULL || a->capacity_bytes < DC_CHUNK_BYTES || k == 0)
        return false;
    dc_posync_samples(nonce, a->capacity_bytes / DC_CHUNK_BYTES, k, sample);
    return true;
}

static enum dc_answer_verdict checker_answer(void *context, const struct dc_state *state,
                                             uint32_t node, const uint8_t *proof, size_t size)
{
    uint64_t sample[256];
    const struct dc_account *a = dc_state_account(state, node);
    if (a == NULL || !checker_samples(state, node, &a->demand.nonce, a->demand.k, sample))
        return DC_ANSWER_UNJUDGED;
    return dc_storage_judge(state, node, sample, a->demand.k, proof, size);
}

static enum dc_answer_verdict checker_evidence(void *context, const struct dc_state *state,
                                               uint32_t accused, const uint8_t *message,
                                               size_t size)
{
    /* Deals may have changed since the challenge's height, so a proof that fails under today's
     * state alone proves nothing; the verifiers' majority and the demand settle it. */
    return DC_ANSWER_UNJUDGED;
}

const struct dc_answer_checker dc_node_answer_checker = {
    .name = "storage", .answer = checker_answer, .evidence = checker_evidence};
