/* Proof of Sync, what is not left to chance: due heights against counting, scores against exact
 * fractions, every table of verdicts, the sequential test against logarithms in double. */
#include "models/base/rng.h"
#include "tests/posync/plain.h"
#include "tests/support/harness.h"

#include <math.h>
#include <string.h>

static const struct dc_params defaults = {
    .epoch_blocks = 60,
    .weight_s_ppm = 350000,
    .weight_a_ppm = 250000,
    .weight_u_ppm = 200000,
    .weight_q_ppm = 200000,
    .escalation = true,
    .lambda = 429496730, /* 0.2 */
    .g_min = DC_ONE / 2,
    .verifiers = 3,
    .k = 8,
    .k_min = 4,
    .k_max = 32,
    .rigor = 2,
    .deadline_base_ns = 200000000,
    .deadline_per_k_ns = 10000000,
    .sprt_p0 = 64424509,   /* 0.03 */
    .sprt_p1 = DC_ONE / 2, /* 0.5 */
    .sprt_alpha = 214748,  /* 1e-4 */
    .sprt_beta = 21474836, /* 1e-2 */
};

static void test_heartbeat_every(void)
{
    struct dc_params p = defaults;
    static const struct {
        uint32_t nodes, every;
    } rows[] = {{0, 20},     {1, 20},     {10000, 20},    {10001, 21},
                {10500, 21}, {10501, 22}, {1000000, 2000}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(dc_posync_heartbeat_every(&p, rows[i].nodes), rows[i].every);
    p.heartbeat_every = 7;
    CU_ASSERT_EQUAL(dc_posync_heartbeat_every(&p, 1000000), 7);
}

/* Counts over all small ranges against walking them; height 0 is genesis and has none. */
static void test_heartbeats_due(void)
{
    for (uint32_t every = 1; every <= 9; every++)
        for (uint32_t id = 0; id < 12; id++)
            for (uint64_t first = 0; first < 25; first++)
                for (uint64_t last = 0; last < 25; last++) {
                    uint32_t due = 0;
                    for (uint64_t h = first; h <= last; h++)
                        due += h != 0 && dc_posync_heartbeat_due(h, id, every);
                    CU_ASSERT_EQUAL(dc_posync_heartbeats_due(first, last, id, every), due);
                }
    uint64_t far = (uint64_t)1 << 60;
    CU_ASSERT_EQUAL(dc_posync_heartbeats_due(far, far + 199, UINT32_MAX, 20), 10);
}

/* Everyone once in any `every` heights, and as evenly spread over them as ids allow. */
static void test_heartbeats_staggered(void)
{
    for (uint64_t start = 1000; start < 1020; start++)
        for (uint32_t id = 0; id < 100; id++)
            CU_ASSERT_EQUAL(dc_posync_heartbeats_due(start, start + 19, id, 20), 1);
    for (uint64_t h = 500; h < 520; h++) {
        uint32_t due = 0;
        for (uint32_t id = 0; id < 100; id++)
            due += dc_posync_heartbeat_due(h, id, 20);
        CU_ASSERT_EQUAL(due, 5);
    }
}

/* value == floor(numerator / denominator), without dividing. */
static bool is_floor(uint64_t value, unsigned __int128 numerator, unsigned __int128 denominator)
{
    return value * denominator <= numerator && numerator < (value + 1) * denominator;
}

static dc_q31 draw_q31(struct dc_stream *s)
{
    static const dc_q31 special[] = {0, 1, DC_ONE - 1, DC_ONE, DC_ONE / 2, DC_ONE / 3};
    uint64_t d = dc_next64(s);
    return d % 4 == 0 ? special[(d >> 8) % 6] : (dc_q31)(d >> 33);
}

static void test_score_formulas(void)
{
    for (uint64_t seed = 1; seed <= 5000; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("posync"), dc_name("score"));
        struct dc_params p = defaults;
        struct dc_posync r = {.u = draw_q31(&s),
                              .s = draw_q31(&s),
                              .a = draw_q31(&s),
                              .q = draw_q31(&s),
                              .proved = draw_q31(&s),
                              .score = draw_q31(&s)};
        p.weight_s_ppm = (uint32_t)dc_next_below(&s, DC_PPM + 1);
        p.weight_a_ppm = (uint32_t)dc_next_below(&s, DC_PPM + 1 - p.weight_s_ppm);
        p.weight_u_ppm = (uint32_t)dc_next_below(&s, DC_PPM + 1 - p.weight_s_ppm - p.weight_a_ppm);
        p.weight_q_ppm = DC_PPM - p.weight_s_ppm - p.weight_a_ppm - p.weight_u_ppm;
        p.lambda = draw_q31(&s);
        p.g_min = draw_q31(&s);
        unsigned __int128 one = DC_ONE;
        unsigned __int128 mean =
            (unsigned __int128)p.weight_s_ppm * r.s + (unsigned __int128)p.weight_a_ppm * r.a +
            (unsigned __int128)p.weight_u_ppm * r.u + (unsigned __int128)p.weight_q_ppm * r.q;
        dc_q31 performance = dc_posync_performance(&p, &r);
        CU_ASSERT(is_floor(performance, mean * r.proved, DC_PPM * one));
        dc_q31 smooth = dc_posync_smooth(&p, r.score, performance);
        CU_ASSERT(is_floor(
            smooth, (one - p.lambda) * r.score + (unsigned __int128)p.lambda * performance, one));
        dc_q31 g = dc_posync_influence(&p, r.score);
        CU_ASSERT(is_floor(g, one * p.g_min + (one - p.g_min) * r.score, one));
        CU_ASSERT(performance <= DC_ONE && smooth <= DC_ONE && g <= DC_ONE);
    }
}

/* Left-out components: the others share their weights; with nothing left, v alone. */
static void test_ablation(void)
{
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("posync"), dc_name("ablation"));
        struct dc_params p = defaults;
        const dc_q31 x[4] = {draw_q31(&s), draw_q31(&s), draw_q31(&s), draw_q31(&s)};
        struct dc_posync r = {.s = x[0], .a = x[1], .u = x[2], .q = x[3], .proved = draw_q31(&s)};
        if (seed % 5 == 0) /* weights that are 0 of themselves */
            p.weight_s_ppm = p.weight_a_ppm = 0, p.weight_u_ppm = 800000;
        const uint32_t w[4] = {p.weight_s_ppm, p.weight_a_ppm, p.weight_u_ppm, p.weight_q_ppm};
        static const uint32_t bit[4] = {DC_COMPONENT_S, DC_COMPONENT_A, DC_COMPONENT_U,
                                        DC_COMPONENT_Q};
        p.ablate = (uint32_t)(seed % 16);
        unsigned __int128 sum = 0, whole = 0;
        for (int i = 0; i < 4; i++) {
            if (p.ablate & bit[i])
                continue;
            sum += (unsigned __int128)w[i] * x[i];
            whole += w[i];
        }
        dc_q31 performance = dc_posync_performance(&p, &r);
        if (whole == 0)
            CU_ASSERT_EQUAL(performance, r.proved);
        if (whole != 0)
            CU_ASSERT(is_floor(performance, sum * r.proved, whole * DC_ONE));
    }
    struct dc_params p = defaults;
    struct dc_posync r = {.s = 1000, .a = 2000, .u = 3000, .q = 4000, .proved = DC_ONE};
    p.ablate = DC_COMPONENT_S | DC_COMPONENT_A | DC_COMPONENT_Q;
    CU_ASSERT_EQUAL(dc_posync_performance(&p, &r), 3000);
    p.ablate = DC_COMPONENT_S | DC_COMPONENT_A;
    CU_ASSERT_EQUAL(dc_posync_performance(&p, &r), 3500);
    p.ablate = 15;
    CU_ASSERT_EQUAL(dc_posync_performance(&p, &r), DC_ONE);
}

/* What is full stays full, what is empty goes to nothing, and 0.5 scores weigh 0.75. */
static void test_score_edges(void)
{
    struct dc_posync full = {.u = DC_ONE, .s = DC_ONE, .a = DC_ONE, .q = DC_ONE, .proved = DC_ONE};
    struct dc_posync none = {.u = DC_ONE, .s = DC_ONE, .a = DC_ONE, .q = DC_ONE, .proved = 0};
    CU_ASSERT_EQUAL(dc_posync_performance(&defaults, &full), DC_ONE);
    CU_ASSERT_EQUAL(dc_posync_performance(&defaults, &none), 0); /* holds nothing, scores nothing */
    CU_ASSERT_EQUAL(dc_posync_smooth(&defaults, DC_ONE, DC_ONE), DC_ONE);
    dc_q31 s = DC_ONE;
    for (int e = 0; e < 200; e++) {
        dc_q31 next = dc_posync_smooth(&defaults, s, 0);
        CU_ASSERT(next < s || s == 0);
        s = next;
    }
    CU_ASSERT_EQUAL(s, 0);
    CU_ASSERT_EQUAL(dc_posync_influence(&defaults, 0), DC_ONE / 2);
    CU_ASSERT_EQUAL(dc_posync_influence(&defaults, DC_ONE / 2), DC_ONE / 4 * 3);
    CU_ASSERT_EQUAL(dc_posync_influence(&defaults, DC_ONE), DC_ONE);
}

/* Causes that are no matter of chance, each alone, and theta's strictness. */
static void test_causes(void)
{
    struct dc_params p = defaults;
    struct dc_hash beacon = dc_hash_bytes(DC_DOMAIN_TEST, NULL, 0);
    p.theta = DC_ONE / 4;
    p.soft = DC_ONE;
    struct dc_posync r = {.u = DC_ONE / 4, .u_defined = 1};
    CU_ASSERT_EQUAL(plain_causes(&p, &r, 1, 2, &beacon), 0);
    r.u--;
    CU_ASSERT_EQUAL(plain_causes(&p, &r, 1, 2, &beacon), DC_CAUSE_THETA);
    r.u_defined = 0; /* theta ignores an undefined u */
    CU_ASSERT_EQUAL(plain_causes(&p, &r, 1, 2, &beacon), 0);
    r.flagged = 1;
    CU_ASSERT_EQUAL(plain_causes(&p, &r, 1, 2, &beacon), DC_CAUSE_FLAG);
    r = (struct dc_posync){.escalated = 1, .u = DC_ONE, .u_defined = 1};
    CU_ASSERT_EQUAL(plain_causes(&p, &r, 1, 2, &beacon), DC_CAUSE_ESCALATION);
    r = (struct dc_posync){.undecided = 1, .u = DC_ONE, .u_defined = 1};
    CU_ASSERT_EQUAL(plain_causes(&p, &r, 1, 2, &beacon), DC_CAUSE_RETRY);
    p.audit = DC_ONE;
    r = (struct dc_posync){.u = 0, .u_defined = 1, .flagged = 1, .escalated = 1, .undecided = 1};
    CU_ASSERT_EQUAL(plain_causes(&p, &r, 1, 2, &beacon), 31);
    p.escalation = false;
    CU_ASSERT_EQUAL(plain_causes(&p, &r, 1, 2, &beacon), 31 - DC_CAUSE_ESCALATION);
    p.escalation = true;
    p.soft = p.audit = p.theta = 0;
    CU_ASSERT_EQUAL(plain_causes(&p, &r, 1, 2, &beacon), 31 - DC_CAUSE_THETA - DC_CAUSE_AUDIT);
}

static void test_draw_window(void)
{
    for (uint32_t blocks = 3; blocks <= 200; blocks++) {
        struct dc_params p = {.epoch_blocks = blocks};
        uint32_t first, last;
        dc_posync_draw_window(&p, false, &first, &last);
        CU_ASSERT(first == 0 && (last + 1) * 3 <= 2 * blocks && (last + 2) * 3 > 2 * blocks);
        dc_posync_draw_window(&p, true, &first, &last);
        CU_ASSERT(first == 0 && (last + 1) * 3 <= blocks && (last + 2) * 3 > blocks);
    }
}

static uint8_t difficulty(uint32_t k, uint32_t k_min, uint32_t k_max, uint32_t rigor, dc_q31 chance,
                          uint8_t causes)
{
    struct dc_params p = {
        .k = k, .k_min = k_min, .k_max = k_max, .rigor = rigor, .k_max_chance = chance};
    struct dc_posync r = {0};
    struct dc_hash nonce = {{7}};
    return plain_difficulty(&p, &r, causes, &nonce);
}

static void test_difficulty(void)
{
    CU_ASSERT_EQUAL(difficulty(8, 4, 32, 2, 0, DC_CAUSE_THETA), 8);
    CU_ASSERT_EQUAL(difficulty(8, 4, 32, 2, 0, DC_CAUSE_FLAG | DC_CAUSE_THETA), 16);
    CU_ASSERT_EQUAL(difficulty(2, 4, 32, 2, 0, DC_CAUSE_THETA), 4);
    CU_ASSERT_EQUAL(difficulty(20, 4, 32, 2, 0, DC_CAUSE_FLAG), 32);
    CU_ASSERT_EQUAL(difficulty(8, 4, 32, 2, DC_ONE, DC_CAUSE_AUDIT), 32);
    CU_ASSERT_EQUAL(difficulty(300, 4, 256, 2, 0, DC_CAUSE_AUDIT), 255); /* a byte on the wire */
    CU_ASSERT_EQUAL(difficulty(8, 4, 256, 2, DC_ONE, DC_CAUSE_AUDIT), 255);
    CU_ASSERT_EQUAL(difficulty(UINT32_MAX, 4, 64, UINT32_MAX, 0, DC_CAUSE_FLAG), 64);
}

static void test_deadline(void)
{
    CU_ASSERT_EQUAL(dc_posync_deadline_ns(&defaults, 0), 200000000);
    CU_ASSERT_EQUAL(dc_posync_deadline_ns(&defaults, 32), 520000000);
}

/* --- majority: the definition, by trying every way in which the missing verdicts may come ----- */

static int naive_class(const uint8_t *v,
                       int n) /* of a strict majority of n: pass, fail, miss, or 0 */
{
    int count[4] = {0};
    for (int i = 0; i < n; i++)
        count[v[i] == DC_VERDICT_SILENT ? DC_VERDICT_LATE : v[i]]++;
    for (int c = 1; c < 4; c++)
        if (count[c] > n - count[c])
            return c;
    return 0;
}

static bool naive_reachable(uint8_t *v, int n, int from)
{
    for (int i = from; i < n; i++) {
        if (v[i] != DC_VERDICT_NONE)
            continue;
        bool any = false;
        for (uint8_t say = DC_VERDICT_PASS; say <= DC_VERDICT_SILENT; say++) {
            v[i] = say;
            any = any || naive_reachable(v, n, i + 1);
        }
        v[i] = DC_VERDICT_NONE;
        return any;
    }
    return naive_class(v, n) != 0;
}

static enum dc_verdict_kind naive_majority(const uint8_t *verdict, int n, bool closing)
{
    uint8_t v[DC_VERIFIERS_MAX];
    memcpy(v, verdict, sizeof v);
    int late = 0, silent = 0;
    for (int i = 0; i < n; i++) {
        late += v[i] == DC_VERDICT_LATE;
        silent += v[i] == DC_VERDICT_SILENT;
    }
    switch (naive_class(v, n)) {
    case DC_VERDICT_PASS: return DC_VERDICT_PASS;
    case DC_VERDICT_FAIL: return DC_VERDICT_FAIL;
    case DC_VERDICT_LATE: return late >= silent ? DC_VERDICT_LATE : DC_VERDICT_SILENT;
    default: break;
    }
    return !closing && naive_reachable(v, n, 0) ? DC_VERDICT_NONE : DC_VERDICT_UNDECIDED;
}

static void test_majority(void)
{
    uint32_t seen[DC_VERDICT_UNDECIDED + 1] = {0};
    for (int n = 0; n <= 5; n++) {
        int tables = 1;
        for (int i = 0; i < n; i++)
            tables *= 5;
        for (int t = 0; t < tables; t++) {
            struct dc_challenge c = {.verifiers = (uint8_t)n};
            for (int i = 0, rest = t; i < n; i++, rest /= 5)
                c.verdict[i] = (uint8_t)(rest % 5);
            c.verdict[n] = DC_VERDICT_PASS; /* not drawn: does not count */
            for (int closing = 0; closing < 2; closing++) {
                enum dc_verdict_kind v = dc_posync_majority(&c, closing);
                CU_ASSERT_EQUAL(v, naive_majority(c.verdict, n, closing));
                seen[v]++;
            }
        }
    }
    for (int v = 0; v <= DC_VERDICT_UNDECIDED; v++)
        CU_ASSERT(seen[v] > 0);
}

/* --- ejection --------------------------------------------------------------------------------- */

/* Wald's test in double: same decisions, except within a thousandth of a boundary. */
static void test_sprt_against_logarithms(void)
{
    double up = log2(0.5 / 0.03), down = log2(0.5 / 0.97);
    double accept = log2(0.01 / (1 - 1e-4)), reject = log2((1 - 0.01) / 1e-4);
    uint32_t ejected = 0, cleared = 0;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("posync"), dc_name("sprt"));
        struct dc_posync r = {0};
        double sum = 0;
        for (int i = 0; i < 60; i++) {
            bool failed = dc_next_below(&s, 100) < 10 + seed % 40;
            bool eject = dc_posync_sprt(&defaults, &r, failed);
            sum += failed ? up : down;
            if (fabs(sum - accept) < 1e-3 || fabs(sum - reject) < 1e-3)
                break;
            CU_ASSERT_EQUAL_FATAL(eject, sum >= reject);
            if (sum <= accept) {
                CU_ASSERT_EQUAL(r.sprt_q16, 0);
                cleared++;
                sum = 0;
            }
            CU_ASSERT(fabs((double)r.sprt_q16 / 65536 - sum) < 1e-3);
            ejected += eject;
            if (eject)
                break;
        }
    }
    CU_ASSERT(ejected > 500 && cleared > 500);
}

/* By the defaults four failures running eject and three do not; seven passes clear a node. */
static void test_sprt_by_hand(void)
{
    struct dc_posync r = {0};
    for (int i = 0; i < 3; i++)
        CU_ASSERT(!dc_posync_sprt(&defaults, &r, true));
    CU_ASSERT(dc_posync_sprt(&defaults, &r, true));
    r = (struct dc_posync){0};
    for (int i = 0; i < 6; i++) {
        CU_ASSERT(!dc_posync_sprt(&defaults, &r, false));
        CU_ASSERT(r.sprt_q16 < 0);
    }
    CU_ASSERT(!dc_posync_sprt(&defaults, &r, false));
    CU_ASSERT_EQUAL(r.sprt_q16, 0);
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {
        {"heartbeat every", test_heartbeat_every},
        {"heartbeats due", test_heartbeats_due},
        {"heartbeats staggered", test_heartbeats_staggered},
        {"score formulas", test_score_formulas},
        {"score edges", test_score_edges},
        {"ablation", test_ablation},
        {"causes", test_causes},
        {"draw window", test_draw_window},
        {"difficulty", test_difficulty},
        {"deadline", test_deadline},
        {"majority", test_majority},
        {"sprt against logarithms", test_sprt_against_logarithms},
        {"sprt by hand", test_sprt_by_hand},
    };
    return TEST_MAIN("posync", cases);
}
