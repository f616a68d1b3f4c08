#include "models/anomaly/twins.h"
#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

/* Nearest neighbours by response time: by hand, against the definition, and as a statistic. */

#define DOUBLING 65536

static uint32_t around(int64_t q16)
{
    return (uint32_t)((int64_t)DC_FEATURE_MIDDLE + q16);
}

/* One epoch more; the object before is given up. */
static void next(struct dc_twins **t, struct dc_features *f, uint32_t nodes, uint64_t epoch)
{
    struct dc_twins *after = dc_twins_next(*t, f, nodes, epoch, dc_mix64(epoch));
    dc_twins_drop(*t);
    *t = after;
}

static void features_of(struct dc_features *f, uint32_t nodes, const uint32_t *work)
{
    memset(f, 0, nodes * sizeof *f);
    for (uint32_t i = 0; i < nodes; i++) {
        f[i].present = 1;
        f[i].work = work[i];
    }
}

static void test_by_hand(void)
{
    struct dc_twins *t = dc_twins_create();
    struct dc_features f[5];
    for (uint64_t e = 0; e < 8; e++) {
        /* 0 and 1 an eighth of a doubling apart, 2 far, 3 of another population, 4 absent */
        int64_t shared = (int64_t)(e * 7919 % 13) * 4096;
        uint32_t response[5] = {around(shared), around(shared + DOUBLING / 8),
                                around(shared + (e % 2 ? 3 : -3) * DOUBLING), around(shared),
                                around(shared)};
        features_of(f, 5, response);
        f[3].population = 1;
        f[4].present = 0;
        next(&t, f, 5, e);
        for (uint32_t i = 0; i < 5; i++)
            if (e + 1 < DC_TWINS_COMMON || i >= 3)
                CU_ASSERT_EQUAL(f[i].value[DC_FEATURE_TWIN], DC_FEATURE_NONE);
    }
    /* (256 + 1) units of 2^-11 */
    uint32_t eighth = DC_FEATURE_MIDDLE + dc_log2_q16(257) - 11 * DOUBLING;
    CU_ASSERT_TRUE(f[0].value[DC_FEATURE_TWIN] - eighth + 1 <= 2);
    CU_ASSERT_TRUE(f[1].value[DC_FEATURE_TWIN] - eighth + 1 <= 2);
    /* three doublings count a quarter of one */
    uint32_t far = DC_FEATURE_MIDDLE + dc_log2_q16(513) - 11 * DOUBLING;
    CU_ASSERT_TRUE(f[2].value[DC_FEATURE_TWIN] - far + 1 <= 2);
    dc_twins_drop(t);
}

/* Exactly alike is the lowest value, not a crash; one lost packet counts a quarter of a doubling. */
static void test_bounds(void)
{
    struct dc_twins *t = dc_twins_create();
    struct dc_features f[2];
    for (uint64_t e = 0; e < 8; e++) {
        features_of(f, 2, (uint32_t[]){around(DOUBLING), around(DOUBLING)});
        next(&t, f, 2, e);
    }
    CU_ASSERT_EQUAL(f[0].value[DC_FEATURE_TWIN], DC_FEATURE_MIDDLE - 11 * DOUBLING);
    features_of(f, 2, (uint32_t[]){0, DC_FEATURE_NONE - 1}); /* the ends of what there can be */
    next(&t, f, 2, 8);
    uint32_t mean = DC_FEATURE_MIDDLE + dc_log2_q16(512 + 9) - dc_log2_q16(9) - 11 * DOUBLING;
    CU_ASSERT_EQUAL(f[0].value[DC_FEATURE_TWIN], mean);
    CU_ASSERT_EQUAL(f[1].value[DC_FEATURE_TWIN], mean);
    dc_twins_drop(t);
}

#define SOME 60
/* The lower middle one of those of an epoch that are measured. */
static uint32_t median_of(const uint32_t *work, const struct dc_features *f, uint8_t population)
{
    uint32_t sorted[SOME], n = 0;
    for (uint32_t i = 0; i < SOME; i++) {
        if (work[i] == DC_FEATURE_NONE || f[i].population != population)
            continue;
        uint32_t at = n++;
        for (; at > 0 && sorted[at - 1] > work[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = work[i];
    }
    return n == 0 ? 0 : sorted[(n - 1) / 2];
}
/* What the header says, over histories that are kept whole. */
static uint32_t definition(uint32_t history[][SOME], uint32_t epochs, const struct dc_features *f,
                           uint32_t id)
{
    uint64_t best_sum = 0, best_common = 0;
    uint32_t now = epochs - 1;
    if (history[now][id] == DC_FEATURE_NONE)
        return DC_FEATURE_NONE;
    for (uint32_t other = 0; other < SOME; other++) {
        if (other == id || f[other].population != f[id].population ||
            history[now][other] == DC_FEATURE_NONE)
            continue;
        uint64_t sum = 0, common = 0;
        for (uint32_t e = epochs > DC_TWINS_EPOCHS ? epochs - DC_TWINS_EPOCHS : 0; e < epochs;
             e++) {
            uint32_t a = history[e][id], b = history[e][other];
            if (a == DC_FEATURE_NONE || b == DC_FEATURE_NONE)
                continue;
            int64_t median = median_of(history[e], f, f[id].population);
            int64_t x = (a - median) >> 5, y = (b - median) >> 5; /* 2^-11 of a doubling */
            uint64_t apart = (uint64_t)llabs(x - y);
            sum += apart < 512 ? apart : 512;
            common++;
        }
        if (common >= DC_TWINS_COMMON &&
            (best_common == 0 || sum * best_common < best_sum * common)) {
            best_sum = sum;
            best_common = common;
        }
    }
    if (best_common == 0)
        return DC_FEATURE_NONE;
    return DC_FEATURE_MIDDLE + dc_log2_q16(best_sum + best_common) - dc_log2_q16(best_common) -
           11 * DOUBLING;
}

static void test_definition(void)
{
    static uint32_t history[100][SOME];
    struct dc_stream s = dc_stream(1, dc_name("twins"), dc_name("definition"));
    struct dc_twins *t = dc_twins_create();
    struct dc_features f[SOME];
    uint32_t values = 0;
    for (uint32_t e = 0; e < 100; e++) {
        bool nobody = e >= 70 && e < 80; /* epochs without any answer */
        for (uint32_t i = 0; i < SOME; i++) {
            /* node i is measured with probability i / SOME; dc_twins_next is not told of those */
            bool asked = !nobody && dc_next_below(&s, SOME) < i;
            history[e][i] =
                asked ? around((int64_t)dc_next_below(&s, DOUBLING / 2)) : DC_FEATURE_NONE;
        }
        features_of(f, SOME, history[e]);
        for (uint32_t i = 0; i < SOME; i++)
            f[i].population = i % 3 == 0;
        if (!nobody)
            next(&t, f, SOME, e);
        for (uint32_t i = 0; i < SOME && !nobody; i++) {
            uint32_t want = definition(history, e + 1, f, i);
            values += want != DC_FEATURE_NONE;
            /* equal fractions of different denominators round differently by a unit */
            CU_ASSERT_TRUE(want == f[i].value[DC_FEATURE_TWIN] ||
                           want - f[i].value[DC_FEATURE_TWIN] + 1 <= 2);
        }
    }
    CU_ASSERT_TRUE(values > 1000);
    dc_twins_drop(t);
}

/* Immutable, counted, and told apart by its digest; forgets, and grows with the nodes. */
static void test_object(void)
{
    struct dc_twins *t = dc_twins_create(), *none = dc_twins_create();
    struct dc_features f[4];
    struct dc_hash empty = dc_twins_digest(t), root;
    root = dc_twins_digest(none);
    CU_ASSERT_TRUE(dc_hash_equal(&empty, &root));
    features_of(f, 2, (uint32_t[]){around(5), around(900)});
    struct dc_twins *a = dc_twins_next(t, f, 2, 3, 1);
    struct dc_twins *b = dc_twins_next(t, f, 2, 3, 2); /* chance is no part of it */
    struct dc_twins *c = dc_twins_next(t, f, 2, 4, 1);
    root = dc_twins_digest(t);
    CU_ASSERT_TRUE(dc_hash_equal(&empty, &root)); /* as it was */
    struct dc_hash of_a = dc_twins_digest(a), of_b = dc_twins_digest(b), of_c = dc_twins_digest(c);
    CU_ASSERT_TRUE(dc_hash_equal(&of_a, &of_b));
    CU_ASSERT_FALSE(dc_hash_equal(&of_a, &of_c)); /* another epoch */
    f[1].work += 64;
    struct dc_twins *d = dc_twins_next(t, f, 2, 3, 1);
    struct dc_hash of_d = dc_twins_digest(d);
    CU_ASSERT_FALSE(dc_hash_equal(&of_a, &of_d)); /* another value */
    size_t two = dc_twins_bytes(a);
    CU_ASSERT_TRUE(two > dc_twins_bytes(t) && two <= dc_twins_bytes(t) + 2 * 80);
    /* 32 epochs later nothing is left of it, though two nodes have joined */
    features_of(f, 4, (uint32_t[]){DC_FEATURE_NONE, DC_FEATURE_NONE, DC_FEATURE_NONE, around(0)});
    struct dc_twins *later = dc_twins_next(a, f, 4, 3 + DC_TWINS_EPOCHS - 1, 1);
    CU_ASSERT_EQUAL(dc_twins_bytes(later), dc_twins_bytes(t) + 3 * (two - dc_twins_bytes(t)) / 2);
    struct dc_twins *gone = dc_twins_next(a, f, 4, 3 + DC_TWINS_EPOCHS, 1);
    CU_ASSERT_EQUAL(dc_twins_bytes(gone), dc_twins_bytes(t) + (two - dc_twins_bytes(t)) / 2);
    struct dc_twins *all[] = {t, none, a, b, c, d, later, gone};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        dc_twins_drop(all[i]);
    dc_twins_drop(NULL);
}

/* About normal: the sum of twelve uniform numbers, of standard deviation `deviation`. */
static int64_t noise(struct dc_stream *s, int64_t deviation)
{
    int64_t sum = -6 * DOUBLING;
    for (uint32_t i = 0; i < 12; i++)
        sum += (int64_t)dc_next_below(s, DOUBLING);
    return sum * deviation / DOUBLING;
}

#define WORLD 310
#define FARM 10u
/* 300 machines, of which each has its speed and, in every epoch, its load (deviation 0.3 of a
 * doubling), under a swing that all share; and ten identities that are one machine (`farm`) or ten:
 * what is left to each is the network's, 0.05.  asked: chance of a challenge in an epoch.  Counts
 * the nodes (of the farm, others) that are nearer to someone than chance brings anyone: of as many
 * strangers one is expected to be. */
static void world(uint64_t seed, bool farm, double asked, uint32_t *found, uint32_t *others)
{
    struct dc_stream s = dc_stream(seed, dc_name("twins"), dc_name("world"));
    struct dc_twins *t = dc_twins_create();
    static struct dc_features f[WORLD];
    int64_t speed[WORLD];
    for (uint32_t i = 0; i < WORLD; i++)
        speed[i] = noise(&s, DOUBLING / 4);
    for (uint64_t e = 0; e < 30; e++) {
        uint32_t response[WORLD];
        int64_t swing = noise(&s, DOUBLING / 2), of_farm = noise(&s, 3 * DOUBLING / 10);
        for (uint32_t i = 0; i < WORLD; i++) {
            bool in = farm && i < FARM;
            int64_t load = noise(&s, 3 * DOUBLING / 10), own = noise(&s, DOUBLING / 20);
            bool is = e == 29 || (double)dc_next_below(&s, 1000000) < asked * 1e6;
            response[i] = !is ? DC_FEATURE_NONE
                              : around(swing + (in ? speed[0] + of_farm : speed[i] + load) + own);
        }
        features_of(f, WORLD, response);
        next(&t, f, WORLD, e);
    }
    uint32_t chance = UINT32_MAX, n = 0;
    for (uint32_t i = 0; i < WORLD; i++) {
        n += f[i].null[DC_RELATION_TWIN] != DC_FEATURE_NONE;
        CU_ASSERT_EQUAL(f[i].null[DC_RELATION_TWIN] == DC_FEATURE_NONE,
                        f[i].value[DC_FEATURE_TWIN] == DC_FEATURE_NONE);
        if (f[i].null[DC_RELATION_TWIN] < chance)
            chance = f[i].null[DC_RELATION_TWIN];
    }
    CU_ASSERT_FATAL(n > WORLD / 2);
    *found = *others = 0;
    for (uint32_t i = 0; i < WORLD; i++)
        if (f[i].value[DC_FEATURE_TWIN] < chance)
            *(i < FARM ? found : others) += 1;
    dc_twins_drop(t);
}

static void test_farm(void)
{
    uint32_t wrong = 0, sparse = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        uint32_t found, others;
        world(seed, true, 1.0, &found, &others);
        CU_ASSERT_EQUAL(found, FARM);
        wrong += others;
        world(seed, true, 0.6, &found, &others); /* pairs share a third of the epochs */
        sparse += found;
        wrong += others;
        world(seed, false, 1.0, &found, &others);
        wrong += found + others;
    }
    CU_ASSERT_TRUE(sparse >= 95);             /* of 100 */
    CU_ASSERT_TRUE(wrong > 0 && wrong <= 90); /* 30 worlds: about 30, geometric */
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {{"by hand", test_by_hand},
                                             {"bounds", test_bounds},
                                             {"definition", test_definition},
                                             {"object", test_object},
                                             {"farm among machines", test_farm}};
    return TEST_MAIN("anomaly/twins", cases);
}
