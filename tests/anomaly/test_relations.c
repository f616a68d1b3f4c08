/* The detector of twins over the whole chain of anomaly detection: honest worlds get their share of
 * flags and no more, and farms are found however many there are and since when.  (That of circles
 * needs payments: tests/ledger/test_features.c.) */
#include "models/anomaly/anomaly.h"
#include "models/anomaly/detector.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#define DOUBLING 65536
#define NODES_MAX 240u

/* About normal: the sum of twelve uniform numbers, of standard deviation `deviation`. */
static int64_t noise(struct dc_stream *s, int64_t deviation)
{
    int64_t sum = -6 * DOUBLING;
    for (uint32_t i = 0; i < 12; i++)
        sum += (int64_t)dc_next_below(s, DOUBLING);
    return sum * deviation / DOUBLING;
}

/* Machines with speeds (0.3 of a doubling), loads from epoch to epoch (0.43: lognormal with sigma
 * 0.3) of more or less scatter, and answers that carry the network's noise (0.05) and, one in ten,
 * wait for as long again; under a swing of the whole network.  Nodes 0 .. farms * farm - 1 are
 * identities, `farm` on a machine. */
struct world {
    uint32_t nodes, farms, farm, asked_ppm;
    struct dc_stream s;
    struct dc_params params;
    struct dc_anomaly *a;
    struct dc_features f[NODES_MAX];
    struct dc_anomaly_verdict verdict[NODES_MAX];
    int64_t speed[NODES_MAX], scatter[NODES_MAX];
};

static uint32_t machine(const struct world *w, uint32_t node)
{
    return node < w->farms * w->farm ? node / w->farm * w->farm : node;
}

static void world_open(struct world *w, uint64_t seed)
{
    w->s = dc_stream(seed, dc_name("relations"), dc_name("world"));
    w->a = dc_anomaly_create(&w->params, w->nodes);
    for (uint32_t i = 0; i < w->nodes; i++) {
        w->speed[i] = noise(&w->s, 3 * DOUBLING / 10);
        w->scatter[i] = (int64_t)(DOUBLING / 3 + dc_next_below(&w->s, DOUBLING / 5));
    }
}

static void world_step(struct world *w)
{
    int64_t swing = noise(&w->s, DOUBLING), load[NODES_MAX];
    for (uint32_t i = 0; i < w->nodes; i++) {
        uint32_t m = machine(w, i);
        load[i] = m < i ? load[m] : w->speed[i] + noise(&w->s, w->scatter[i]);
        int64_t own = noise(&w->s, DOUBLING / 20);
        own += dc_next_below(&w->s, 10) == 0 ? DOUBLING : 0;
        w->f[i] = (struct dc_features){.present = 1, .work = DC_FEATURE_NONE};
        for (int j = 0; j < DC_FEATURE_COUNT; j++)
            w->f[i].value[j] = DC_FEATURE_NONE;
        w->f[i].null[DC_RELATION_CIRCLE] = DC_FEATURE_NONE;
        if (dc_next_below(&w->s, 1000000) < w->asked_ppm)
            w->f[i].work = (uint32_t)(DC_FEATURE_MIDDLE + swing + load[i] + own);
    }
    struct dc_anomaly *next =
        dc_anomaly_epoch(w->a, &w->params, w->f, w->nodes, dc_next64(&w->s), w->verdict);
    dc_anomaly_drop(w->a);
    w->a = next;
}

/* Sixty machines, honest all: in how many of 250 worlds is anyone flagged in the first epoch in
 * which it is possible, and twenty later?  One-sided binomial tests at 0.001 against fdr. */
static void honest(uint32_t fdr_ppm)
{
    enum { RUNS = 250 };
    static struct world w;
    uint64_t first = 0, later = 0;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        w = (struct world){.nodes = 60, .asked_ppm = 800000};
        w.params =
            (struct dc_params){.detectors = DC_DETECTOR_TWIN, .fdr = dc_q31_from_ppm(fdr_ppm)};
        world_open(&w, seed);
        uint32_t judged = 0;
        for (uint32_t e = 0; judged < 21 && e < 200; e++) {
            uint32_t flags = 0, of = 0;
            world_step(&w);
            for (uint32_t i = 0; i < w.nodes; i++) {
                flags += w.verdict[i].flagged;
                of += w.verdict[i].of != 0;
            }
            judged += of > w.nodes / 2;
            first += judged == 1 && of > w.nodes / 2 && flags > 0;
            later += judged == 21 && flags > 0;
        }
        CU_ASSERT_EQUAL(judged, 21);
        dc_anomaly_drop(w.a);
    }
    CU_ASSERT_TRUE(test_binomial_at_least(first, RUNS, fdr_ppm / 1e6) > 0.001);
    CU_ASSERT_TRUE(test_binomial_at_least(later, RUNS, fdr_ppm / 1e6) > 0.001);
    CU_ASSERT_TRUE(first + later > 0);
}

static void test_honest(void)
{
    honest(50000);
    honest(100000);
}

/* Farms of eight among 240 nodes, from the start, asked in 60 % of epochs: how many of their members
 * are flagged at least once by epoch 36, and how many others are. */
static void farms(uint32_t count, uint64_t seed, uint32_t *found, uint32_t *wrong)
{
    static struct world w;
    w = (struct world){.nodes = 240, .farms = count, .farm = 8, .asked_ppm = 600000};
    w.params = (struct dc_params){
        .detectors = DC_DETECTOR_TWIN, .fdr = dc_q31_from_ppm(50000), .anomaly_window = 1500};
    bool ever[NODES_MAX] = {false};
    world_open(&w, seed);
    for (uint32_t e = 0; e < 36; e++) {
        world_step(&w);
        for (uint32_t i = 0; i < w.nodes; i++)
            ever[i] = ever[i] || w.verdict[i].flagged;
    }
    dc_anomaly_drop(w.a);
    *found = *wrong = 0;
    for (uint32_t i = 0; i < w.nodes; i++)
        *(i < 8 * count ? found : wrong) += ever[i];
}

/* Half of the population may be cheats: they hide no one. */
static void test_farms(void)
{
    static const uint32_t counts[] = {1, 3, 15};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        uint32_t found = 0, wrong = 0;
        for (uint64_t seed = 1; seed <= 5; seed++) {
            uint32_t f, o;
            farms(counts[c], seed, &f, &o);
            found += f;
            wrong += o;
        }
        CU_ASSERT_TRUE(found >= 39 * counts[c]); /* of 40 */
        CU_ASSERT_TRUE(wrong <= 16 * counts[c]); /* a twentieth of twenty epochs' flags: 42 */
    }
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {{"honest worlds", test_honest}, {"farms", test_farms}};
    return TEST_MAIN("anomaly/relations", cases);
}
