/* WITHHOLD_VRF: how far the leaders of epochs' last blocks bend the beacon towards their clique,
 * against the null of an unbiased beacon and against the closed form.
 *
 * Of E rounds of an epoch the clique with power p leads X ~ Bin(E, p), m = E p.  The leader of L is
 * a member with chance p and then draws again when X < m, as the next leader may: the gain in
 * rounds is
 *
 *     G = p (D + a G),   a = P(X < m),   D = E[m - X; X < m],   so   G = p D / (1 - p a) */
#include "tests/adversary/byzantine.h"
#include "tests/support/statistics.h"

#include <math.h>

enum { VALIDATORS = 7, EPOCHS = 800, E = 4 };

static void edit(struct dc_params *p)
{
    p->epoch_blocks = E;
    p->detectors = 0;
    p->audit = 0;
    p->block_interval_ns = 200 * MS;
    p->delay_typical_ns = p->delay_max_ns = 100 * MS;
}

struct lead {
    double led, expected, variance, gain; /* rounds; of the closed form */
    uint64_t timed_out;
    bool agree;
};

static double gain(double p)
{
    double m = E * p, a = 0, d = 0, chance = pow(1 - p, E);
    for (uint32_t x = 0; x < m; x++) {
        a += chance;
        d += (m - x) * chance;
        chance *= (E - x) / (x + 1.0) * p / (1 - p);
    }
    return p * d / (1 - p * a);
}

static void count(struct lead *l, const struct dc_committee *c, uint64_t clique)
{
    uint64_t power = 0;
    for (uint32_t i = 0; i < c->count; i++)
        power += (clique >> c->member[i] & 1) != 0 ? c->power[i] : 0;
    double p = (double)power / (double)c->total;
    for (uint64_t r = 1; r <= E; r++)
        l->led += (double)(clique >> c->member[dc_committee_leader(c, r)] & 1);
    l->expected += E * p;
    l->variance += E * p * (1 - p);
    l->gain += gain(p);
}

/* Epochs 3 and later: those before are drawn from genesis. */
static struct lead lead(uint64_t clique, bool attack)
{
    struct town_spec spec = {.validators = VALIDATORS, .suite = DC_SUITE_MODELLED, .edit = edit};
    struct town *t = town_make(&spec);
    struct lead l = {0};
    if (attack)
        byz_begin(t, clique, (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_WITHHOLD_VRF});
    for (uint64_t seen = 2; seen < 2 + EPOCHS;) {
        town_run(t, t->now_ns + 100 * MS);
        const struct dc_follow *f = t->node[VALIDATORS - 1]->chain;
        if (f->epoch == seen)
            continue;
        if (f->epoch > seen++)
            count(&l, f->committee, clique);
        else
            seen--;
        CU_ASSERT_TRUE_FATAL(f->epoch <= seen && t->now_ns < EPOCHS * 10 * SECOND);
    }
    l.timed_out = t->timed_out;
    l.agree = byz_agree(t, clique) && t->conflicts == 0;
    fprintf(stderr, "(%s: %.0f led, %.0f by power, %.0f with the bias) ",
            attack ? "withheld" : "honest", l.led, l.expected, l.expected + l.gain);
    town_free(t);
    return l;
}

static void test_bias(void)
{
    const uint64_t clique = 3; /* 2 of 7: below a third */
    struct lead honest = lead(clique, false), bent = lead(clique, true);
    /* at the level 0.001: two-sided 3.29, one-sided 3.09 standard deviations */
    CU_ASSERT_TRUE(fabs(honest.led - honest.expected) < 3.29 * sqrt(honest.variance));
    CU_ASSERT_TRUE(bent.led - bent.expected > 3.09 * sqrt(bent.variance));
    CU_ASSERT_TRUE(fabs(bent.led - bent.expected - bent.gain) < 3.29 * sqrt(bent.variance));
    CU_ASSERT_EQUAL(honest.timed_out, 0);
    CU_ASSERT_TRUE(bent.timed_out > EPOCHS / 10); /* what it costs */
    CU_ASSERT_TRUE(honest.agree && bent.agree);
}

int main(void)
{
    static const struct test_case cases[] = {{"bias of the beacon", test_bias}};
    return TEST_MAIN("beacon", cases);
}
