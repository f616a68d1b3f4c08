/* An epoch's knowledge, made from the one before:
 *
 *   features --> twins --> table --> class->score --> p-values --> one of each node --> flags
 *                            |            |              ^      (combine.h)        (fdr.h)
 *                            |            |            window
 *                            |            +-- scores of nodes that did not fail --> the next window
 *                            +--> class->learn --> the next model
 *
 * Relations (detector.h) skip the table: their features are scores as they stand, and their windows
 * are fed with `null`.
 *
 *   dc_anomaly   refs, nodes, epoch, digest
 *                model[detector]    its own
 *                window[judge]      of detectors, then of relations: batches, shared with older objects
 *                twins              shared with older objects, as twins.h says
 *
 * Models are copied, because each epoch changes all of them: 32 bytes for each node and feature that
 * anyone has (ewma and cusum), about 0.1 MB a population for half-space trees.  The isolation forest
 * is not kept, but grown from the last epoch's features (48 bytes a node) when the next one is to
 * be scored: that is smaller, and under a seed that nobody knew while the features came about.
 * Windows share their batches: about 8 bytes a score, 8,000 scores for each of two detectors or
 * 20,000 for each of five at the default fdr. */
#include "models/anomaly/anomaly.h"

#include "models/anomaly/combine.h"
#include "models/anomaly/conformal.h"
#include "models/anomaly/twins.h"
#include "models/base/mem.h"

#include <stdatomic.h>

/* Whoever gives p-values: first dc_detectors, then dc_relations. */
#define ANOMALY_JUDGES (DC_DETECTORS + DC_RELATIONS)

struct dc_anomaly {
    _Atomic uint32_t refs;
    uint32_t nodes;
    uint64_t epoch; /* epochs learnt */
    struct dc_hash digest;
    void *model[DC_DETECTORS]; /* NULL where the detector is off, has none, or is of_last */
    struct dc_features *last;  /* [nodes]: this epoch's, where a detector is of_last and on */
    struct dc_window window[ANOMALY_JUDGES];
    struct dc_twins *twins; /* NULL where twin is off */
};

static bool anomaly_is_on(const struct dc_params *params, uint32_t d)
{
    return (params->detectors & dc_detectors[d]->bit) != 0;
}

static bool anomaly_relates(const struct dc_params *params, uint32_t r)
{
    return (params->detectors & dc_relations[r].bit) != 0;
}

static bool anomaly_keeps_last(const struct dc_params *params)
{
    for (uint32_t d = 0; d < DC_DETECTORS; d++)
        if (anomaly_is_on(params, d) && dc_detectors[d]->of_last)
            return true;
    return false;
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
            dc_detectors[d]->digest(&h, a->model[d]);
        dc_window_digest(&h, &a->window[d]);
    }
    for (uint32_t r = 0; r < DC_RELATIONS; r++) {
        if (!anomaly_relates(params, r))
            continue;
        dc_hasher_update64(&h, dc_relations[r].bit);
        dc_window_digest(&h, &a->window[DC_DETECTORS + r]);
    }
    for (uint32_t i = 0; a->last != NULL && i < a->nodes; i++) {
        uint8_t text[4 * DC_FEATURE_COUNT + 2];
        for (int f = 0; f < DC_FEATURE_COUNT; f++)
            dc_put32(text + 4 * f, a->last[i].present ? a->last[i].value[f] : 0);
        text[sizeof text - 2] = a->last[i].present ? a->last[i].population : 0;
        text[sizeof text - 1] = a->last[i].present;
        dc_hasher_update(&h, text, sizeof text);
    }
    if (a->twins != NULL) {
        struct dc_hash twins = dc_twins_digest(a->twins);
        dc_hasher_update(&h, twins.b, DC_HASH_BYTES);
    }
    a->digest = dc_hasher_final(&h);
}

struct dc_anomaly *dc_anomaly_create(const struct dc_params *params, uint32_t nodes)
{
    struct dc_anomaly *a = dc_mem_need(1, sizeof *a, "anomaly detection");
    atomic_init(&a->refs, 1);
    a->nodes = nodes;
    if (anomaly_relates(params, DC_RELATION_TWIN))
        a->twins = dc_twins_create();
    anomaly_seal(a, params);
    return a;
}

/* What detectors see of an epoch.  Owns value and present. */
struct anomaly_table {
    struct dc_table table;
    double *value;
    uint8_t *present, *group;
    double floor[DC_FEATURE_COUNT];
};

static void anomaly_table_make(struct anomaly_table *t, const struct dc_features *features,
                               uint32_t nodes)
{
    t->value = dc_mem_need((size_t)nodes * DC_FEATURE_COUNT + 1, sizeof *t->value, "features");
    t->present = dc_mem_need(2 * (size_t)nodes + 1, 1, "features");
    t->group = t->present + nodes;
    for (int f = 0; f < DC_FEATURE_COUNT; f++)
        t->floor[f] = dc_detector_floor(f);
    for (uint32_t i = 0; i < nodes; i++) {
        t->present[i] = features[i].present;
        t->group[i] = features[i].population;
        for (int f = 0; f < DC_FEATURE_COUNT; f++) {
            uint32_t v = features[i].value[f];
            t->value[(size_t)i * DC_FEATURE_COUNT + (uint32_t)f] =
                v == DC_FEATURE_NONE ? DC_MISSING : dc_detector_real(f, v);
        }
    }
    t->table = (struct dc_table){.rows = nodes,
                                 .columns = DC_FEATURE_COUNT,
                                 .value = t->value,
                                 .present = t->present,
                                 .group = t->group,
                                 .floor = t->floor};
}

static void anomaly_table_free(struct anomaly_table *t)
{
    dc_mem_free(t->value);
    dc_mem_free(t->present);
}

/* Combines p[judge][node] to one of each node, and flags. */
static void anomaly_judge(const struct dc_params *params, const struct dc_pvalue *p,
                          uint32_t judges, uint32_t nodes, struct dc_anomaly_verdict *verdict)
{
    struct dc_pvalue *one = dc_mem_need(nodes + 1u, sizeof *one, "anomaly p-values");
    uint8_t *flag = dc_mem_need(nodes + 1u, sizeof *flag, "anomaly flags");
    for (uint32_t i = 0; i < nodes; i++) {
        struct dc_pvalue each[ANOMALY_JUDGES];
        for (uint32_t d = 0; d < judges; d++)
            each[d] = p[(size_t)d * nodes + i];
        one[i] = dc_combine(params->combine, each, judges);
    }
    (void)dc_fdr_flag(one, nodes, params->fdr, flag);
    for (uint32_t i = 0; i < nodes; i++)
        verdict[i] = (struct dc_anomaly_verdict){flag[i], one[i].rank, one[i].of};
    dc_mem_free(flag);
    dc_mem_free(one);
}

/* Scores under the model of `before`, p-values against its window, then the next of both. */
static void anomaly_detector(struct dc_anomaly *a, const struct dc_anomaly *before, uint32_t d,
                             const struct dc_detector_config *config, const struct dc_table *table,
                             const struct dc_features *features, uint64_t least, uint64_t seed,
                             struct dc_pvalue *p)
{
    const struct dc_detector_class *class = dc_detectors[d];
    uint32_t nodes = table->rows;
    double *real = dc_mem_need(nodes + 1u, sizeof *real, "anomaly scores");
    uint32_t *score = dc_mem_need(nodes + 1u, sizeof *score, "anomaly scores");
    void *fresh = NULL;
    if (class->of_last && before->last != NULL) {
        struct anomaly_table t;
        anomaly_table_make(&t, before->last, before->nodes);
        fresh = class->learn(config, NULL, false, &t.table, seed);
        anomaly_table_free(&t);
    }
    class->score(config, class->of_last ? fresh : before->model[d], table, real);
    if (class->free != NULL)
        class->free(fresh);
    for (uint32_t i = 0; i < nodes; i++)
        score[i] = dc_detector_integer(real[i]);
    dc_window_pvalues(&before->window[d], score, nodes, least, p);
    for (uint32_t i = 0; i < nodes; i++)
        if (features[i].failed)
            score[i] = DC_SCORE_NONE;
    a->window[d] = dc_window_next(&before->window[d], score, nodes, least);
    if (class->learn != NULL && !class->of_last)
        a->model[d] = class->learn(config, before->model[d], true, table, seed);
    dc_mem_free(score);
    dc_mem_free(real);
}

/* The same for a relation.  Its window gets what chance gives in this epoch. */
static void anomaly_relation(struct dc_anomaly *a, const struct dc_anomaly *before, uint32_t r,
                             const struct dc_features *features, uint32_t nodes, uint64_t least,
                             struct dc_pvalue *p)
{
    const struct dc_relation_class *class = &dc_relations[r];
    const struct dc_window *window = &before->window[DC_DETECTORS + r];
    uint32_t *score = dc_mem_need(nodes + 1u, sizeof *score, "anomaly scores");
    for (uint32_t i = 0; i < nodes; i++)
        score[i] = features[i].present ? dc_relation_score(class, features[i].value[class->feature])
                                       : DC_SCORE_NONE;
    dc_window_pvalues(window, score, nodes, least, p);
    for (uint32_t i = 0; i < nodes; i++)
        score[i] =
            features[i].present ? dc_relation_score(class, features[i].null[r]) : DC_SCORE_NONE;
    a->window[DC_DETECTORS + r] = dc_window_next(window, score, nodes, least);
    dc_mem_free(score);
}

struct dc_anomaly *dc_anomaly_epoch(const struct dc_anomaly *before, const struct dc_params *params,
                                    const struct dc_features *features, uint32_t nodes,
                                    uint64_t seed, struct dc_anomaly_verdict *verdict)
{
    DC_CHECK(nodes >= before->nodes);
    struct dc_anomaly *a = dc_mem_need(1, sizeof *a, "anomaly detection");
    atomic_init(&a->refs, 1);
    a->nodes = nodes;
    a->epoch = before->epoch + 1;
    memset(verdict, 0, nodes * sizeof *verdict);
    if (dc_detectors_on(params) != 0) {
        uint32_t judges = dc_detectors_on(params), judge = 0;
        struct dc_features *known = NULL; /* with what twins add, or to be kept */
        struct dc_pvalue *p = dc_mem_need((size_t)judges * nodes + 1, sizeof *p, "p-values");
        struct dc_detector_config config = dc_detector_config(params);
        struct anomaly_table t;
        uint32_t present = 0;
        if (before->twins != NULL || anomaly_keeps_last(params)) {
            known = dc_mem_need(nodes + 1u, sizeof *known, "features");
            memcpy(known, features, nodes * sizeof *known);
            features = known;
        }
        if (before->twins != NULL)
            a->twins = dc_twins_next(before->twins, known, nodes, a->epoch, seed);
        anomaly_table_make(&t, features, nodes);
        for (uint32_t i = 0; i < nodes; i++)
            present += features[i].present != 0;
        uint64_t least = dc_window_least(params, present);
        for (uint32_t d = 0; d < DC_DETECTORS; d++)
            if (anomaly_is_on(params, d))
                anomaly_detector(a, before, d, &config, &t.table, features, least, seed,
                                 p + (size_t)judge++ * nodes);
        for (uint32_t r = 0; r < DC_RELATIONS; r++)
            if (anomaly_relates(params, r))
                anomaly_relation(a, before, r, features, nodes, least, p + (size_t)judge++ * nodes);
        DC_CHECK(judge == judges);
        anomaly_judge(params, p, judges, nodes, verdict);
        anomaly_table_free(&t);
        dc_mem_free(p);
        if (anomaly_keeps_last(params))
            a->last = known;
        else
            dc_mem_free(known);
    }
    anomaly_seal(a, params);
    return a;
}

/* Epochs before the first that the detector can score: it must have learnt so many. */
static uint64_t anomaly_warmup(const struct dc_detector_config *config, uint32_t bit,
                               uint32_t nodes)
{
    switch (bit) {
    case DC_DETECTOR_EWMA: return config->ewma_warmup > 1 ? config->ewma_warmup : 1;
    case DC_DETECTOR_CUSUM: return config->cusum_warmup > 1 ? config->cusum_warmup : 1;
    case DC_DETECTOR_IFOREST: return 1;
    case DC_DETECTOR_HST: return (config->hst_window + nodes - 1) / nodes;
    case DC_DETECTOR_TWIN: return DC_TWINS_COMMON - 1;
    default: return 0;
    }
}

uint64_t dc_anomaly_epochs(const struct dc_params *params, uint32_t nodes)
{
    struct dc_detector_config config = dc_detector_config(params);
    uint64_t least = dc_window_least(params, nodes), soonest = UINT64_MAX;
    if (nodes < 2 || least < dc_window_needed(params, nodes))
        return UINT64_MAX;
    for (uint32_t d = 0; d < DC_DETECTORS; d++) {
        if (!anomaly_is_on(params, d))
            continue;
        uint64_t warmup = anomaly_warmup(&config, dc_detectors[d]->bit, nodes);
        soonest = warmup < soonest ? warmup : soonest;
    }
    for (uint32_t r = 0; r < DC_RELATIONS; r++) {
        uint64_t warmup = anomaly_warmup(&config, dc_relations[r].bit, nodes);
        if (anomaly_relates(params, r) && warmup < soonest)
            soonest = warmup;
    }
    return soonest == UINT64_MAX ? soonest : soonest + (least + nodes - 2) / (nodes - 1);
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
    for (uint32_t d = 0; d < DC_DETECTORS; d++)
        if (dc_detectors[d]->free != NULL)
            dc_detectors[d]->free(a->model[d]);
    for (uint32_t d = 0; d < ANOMALY_JUDGES; d++)
        dc_window_drop(&a->window[d]);
    dc_twins_drop(a->twins);
    dc_mem_free(a->last);
    dc_mem_free(a);
}
