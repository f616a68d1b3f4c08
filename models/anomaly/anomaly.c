/* An epoch's knowledge, made from the one before:
 *
 *   features --> class->score --> p-values --> least over detectors x D --> flags (fdr.h)
 *                     |              ^
 *                     |           window
 *                     +-- scores of nodes that did not fail --> the next window
 *            --> class->learn --> the next state
 *
 *   dc_anomaly   refs, nodes, epoch, digest
 *                state[detector]    node_bytes x nodes, its own
 *                window[detector]   batches, shared with older objects
 *
 * States are copied, because each epoch changes all of them: 96 bytes a node.  Windows share their
 * batches: about 8 bytes a score, 8,000 to 18,000 scores a detector at the default fdr. */
#include "models/anomaly/anomaly.h"

#include "models/anomaly/conformal.h"
#include "models/anomaly/detector.h"
#include "models/base/mem.h"

#include <stdatomic.h>

struct dc_anomaly {
    _Atomic uint32_t refs;
    uint32_t nodes;
    uint64_t epoch; /* epochs learnt */
    struct dc_hash digest;
    void *state[DC_DETECTORS]; /* NULL where the detector is off or keeps none */
    struct dc_window window[DC_DETECTORS];
};

static bool anomaly_is_on(const struct dc_params *params, uint32_t d)
{
    return (params->detectors & dc_detectors[d]->bit) != 0;
}

static void anomaly_seal(struct dc_anomaly *a, const struct dc_params *params)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_SCORE);
    dc_hasher_update64(&h, a->epoch);
    dc_hasher_update64(&h, a->nodes);
    for (uint32_t d = 0; d < DC_DETECTORS; d++) {
        if (!anomaly_is_on(params, d))
            continue;
        dc_hasher_update64(&h, dc_detectors[d]->bit);
        if (dc_detectors[d]->digest != NULL)
            dc_detectors[d]->digest(&h, a->state[d], a->nodes);
        dc_window_digest(&h, &a->window[d]);
    }
    a->digest = dc_hasher_final(&h);
}

/* An object for so many nodes with the states of `before` (NULL: none) and no windows. */
static struct dc_anomaly *anomaly_copy(const struct dc_anomaly *before,
                                       const struct dc_params *params, uint32_t nodes)
{
    struct dc_anomaly *a = dc_mem_need(1, sizeof *a, "anomaly detection");
    atomic_init(&a->refs, 1);
    a->nodes = nodes;
    a->epoch = before != NULL ? before->epoch + 1 : 0;
    for (uint32_t d = 0; d < DC_DETECTORS; d++) {
        size_t each = dc_detectors[d]->node_bytes;
        if (!anomaly_is_on(params, d) || each == 0)
            continue;
        a->state[d] = dc_mem_need(nodes, each, "the states of an anomaly detector");
        if (before != NULL && before->nodes != 0)
            memcpy(a->state[d], before->state[d], before->nodes * each);
    }
    return a;
}

struct dc_anomaly *dc_anomaly_create(const struct dc_params *params, uint32_t nodes)
{
    struct dc_anomaly *a = anomaly_copy(NULL, params, nodes);
    anomaly_seal(a, params);
    return a;
}

/* Bonferroni over detectors: the smallest p-value times their number. */
static void anomaly_combine(struct dc_pvalue *best, const struct dc_pvalue *p, uint32_t nodes)
{
    for (uint32_t i = 0; i < nodes; i++)
        if (p[i].of != 0 && (best[i].of == 0 || dc_pvalue_less(p[i], best[i])))
            best[i] = p[i];
}

static void anomaly_judge(const struct dc_params *params, struct dc_pvalue *best, uint32_t nodes,
                          struct dc_anomaly_verdict *verdict)
{
    uint32_t on = dc_detectors_on(params);
    uint8_t *flag = dc_mem_need(nodes, sizeof *flag, "anomaly flags");
    for (uint32_t i = 0; i < nodes; i++)
        best[i] = dc_pvalue_times(best[i], on);
    (void)dc_fdr_flag(best, nodes, params->fdr, flag);
    for (uint32_t i = 0; i < nodes; i++)
        verdict[i] = (struct dc_anomaly_verdict){flag[i], best[i].rank, best[i].of};
    dc_mem_free(flag);
}

struct dc_anomaly *dc_anomaly_epoch(const struct dc_anomaly *before, const struct dc_params *params,
                                    const struct dc_features *features, uint32_t nodes,
                                    struct dc_anomaly_verdict *verdict)
{
    DC_CHECK(nodes >= before->nodes);
    struct dc_anomaly *a = anomaly_copy(before, params, nodes);
    uint32_t present = 0;
    for (uint32_t i = 0; i < nodes; i++)
        present += features[i].present != 0;
    uint64_t least = dc_window_least(params, present);
    uint32_t *score = dc_mem_need(nodes, sizeof *score, "anomaly scores");
    struct dc_pvalue *p = dc_mem_need(2 * (size_t)nodes, sizeof *p, "anomaly p-values");
    struct dc_pvalue *best = p + nodes;
    for (uint32_t d = 0; d < DC_DETECTORS; d++) {
        const struct dc_detector_class *class = dc_detectors[d];
        if (!anomaly_is_on(params, d))
            continue;
        class->score(params, a->state[d], features, nodes, score);
        dc_window_pvalues(&before->window[d], score, nodes, least, p);
        anomaly_combine(best, p, nodes);
        for (uint32_t i = 0; i < nodes; i++)
            if (features[i].failed)
                score[i] = DC_SCORE_NONE;
        a->window[d] = dc_window_next(&before->window[d], score, nodes, least);
        if (class->learn != NULL)
            class->learn(params, a->state[d], features, nodes);
    }
    anomaly_judge(params, best, nodes, verdict);
    dc_mem_free(p);
    dc_mem_free(score);
    anomaly_seal(a, params);
    return a;
}

struct dc_hash dc_anomaly_digest(const struct dc_anomaly *a)
{
    return a->digest;
}

void dc_anomaly_hold(struct dc_anomaly *a)
{
    atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
}

void dc_anomaly_drop(struct dc_anomaly *a)
{
    if (a == NULL || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (uint32_t d = 0; d < DC_DETECTORS; d++) {
        dc_mem_free(a->state[d]);
        dc_window_drop(&a->window[d]);
    }
    dc_mem_free(a);
}
