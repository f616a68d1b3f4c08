#include "tests/ledger/chain.h"
#include "tests/support/statistics.h"

#include <stdio.h>

/* Detection on chain against closed forms (models/README.md 15): nodes that lack a fraction f of
 * what they declared are challenged, their verifiers look at the chunks that the nonce picks, and
 * verdicts and settlement go their way through blocks.
 *
 *   a challenge is passed with probability (1-f)^k
 *   epochs until the first failure: geometric, with q = hit (1 - (1-f)^k), where hit is the
 *   probability to be in T(e): 1 below theta, 1 - (1-pi)(1-rho) under soft theta, rho above it
 *
 * Each comparison fails a right program with probability 0.001; seeds are fixed. */

#define LEVEL 0.001
#define VALIDATORS 4u
#define SERVICES 300u
#define EPOCH 12u
#define EPOCHS_MAX 40u

static const struct dc_genesis_spec spec = {.chain = CHAIN_ID,
                                            .validators = VALIDATORS,
                                            .services = SERVICES,
                                            .clients = 1,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 1000 * DC_DSYNC,
                                            .capacity_bytes = 1ull << 30,
                                            .regions = 1};

struct form {
    uint64_t seed;
    uint32_t theta_ppm, soft_ppm, audit_ppm, missing_ppm, k, epochs;
};

struct seen {
    uint64_t asked, passed;
    uint64_t caught[EPOCHS_MAX + 1]; /* nodes, by the epoch after the first in which they failed */
    uint64_t never;
};

/* What an honest verifier says of a node whose first chunks are gone. */
static uint8_t look(const struct dc_challenge *c, const struct form *form)
{
    uint64_t chunks = spec.capacity_bytes / DC_CHUNK_BYTES, sample[UINT8_MAX];
    dc_posync_samples(&c->nonce, chunks, c->k, sample);
    for (uint32_t i = 0; i < c->k; i++)
        if (sample[i] < dc_muldiv(chunks, form->missing_ppm, DC_PPM))
            return DC_VERDICT_FAIL;
    return DC_VERDICT_PASS;
}

static void verify(struct chain *c, const struct form *form)
{
    const struct dc_outcome *o = c->tip->outcome;
    for (uint32_t i = 0; i < o->drawn_count; i++) {
        const struct dc_challenge *q =
            &dc_state_account(chain_state(c), o->drawn[i])->posync.challenge;
        bool service = o->drawn[i] >= VALIDATORS;
        for (uint32_t v = 0; v < q->verifiers; v++) {
            struct dc_tx tx = {.kind = DC_TX_VERDICT, .from = q->verifier[v]};
            tx.verdict.height = q->height;
            tx.verdict.node = o->drawn[i];
            tx.verdict.asking = q->asking;
            tx.verdict.verdict = service ? look(q, form) : DC_VERDICT_PASS;
            tx.verdict.proved = tx.verdict.verdict == DC_VERDICT_PASS ? q->k : 0;
            tx.verdict.response_us = 1000;
            chain_tx(c, &tx);
        }
    }
}

static void run(const struct form *form, struct seen *seen)
{
    struct chain c;
    struct dc_genesis_spec genesis = spec;
    genesis.seed = form->seed;
    struct dc_params p = chain_params();
    p.epoch_blocks = EPOCH;
    p.theta = dc_q31_from_ppm(form->theta_ppm);
    p.soft = dc_q31_from_ppm(form->soft_ppm);
    p.audit = dc_q31_from_ppm(form->audit_ppm);
    p.k = form->k;
    p.k_max_chance = 0;
    p.verifiers = 1;
    p.heartbeat_every = 1000000; /* none: nothing here depends on them */
    p.abandon_heights = 1000000;
    chain_make(&c, &genesis, &p, true, NULL, NULL, NULL);
    c.crypto.suite = DC_SUITE_MODELLED; /* decisions do not depend on signatures */
    memset(seen, 0, sizeof *seen);
    bool failed[VALIDATORS + SERVICES] = {false};
    CU_ASSERT_FATAL(form->epochs <= EPOCHS_MAX);
    /* u is not known in epoch 0; the last epoch is settled by the first block after it */
    for (uint32_t h = 1; h <= (form->epochs + 1) * EPOCH + 1; h++) {
        verify(&c, form);
        chain_step(&c);
        const struct dc_outcome *o = c.tip->outcome;
        for (uint32_t i = 0; h > 2 * EPOCH && i < o->settled_count; i++) {
            uint32_t id = o->settled[i].node;
            if (id < VALIDATORS || failed[id])
                continue; /* after its first failure a node is in T for that */
            seen->asked++;
            seen->passed += o->settled[i].verdict == DC_VERDICT_PASS;
            failed[id] = o->settled[i].verdict != DC_VERDICT_PASS;
            seen->caught[(h - 1) / EPOCH - 1] += failed[id];
        }
    }
    for (uint32_t i = 0; i < SERVICES; i++)
        seen->never += !failed[VALIDATORS + i];
    chain_free(&c);
}

/* Epochs that expect fewer than five nodes are put together with those after them. */
static void expect_geometric(const struct seen *seen, double q, uint32_t epochs)
{
    uint64_t count[EPOCHS_MAX + 1] = {0};
    double expected[EPOCHS_MAX + 1], left = SERVICES;
    uint32_t cells = 0;
    uint64_t rest = SERVICES;
    for (uint32_t e = 1; e <= epochs && left * q >= 5 && left * (1 - q) >= 5; e++) {
        count[cells] = seen->caught[e];
        rest -= seen->caught[e];
        expected[cells++] = left * q;
        left *= 1 - q;
    }
    count[cells] = rest;
    expected[cells++] = left;
    CU_ASSERT_FATAL(cells >= 3);
    CU_ASSERT_TRUE(test_chi_square_fits(count, expected, cells, LEVEL));
}

static void test_detection(void)
{
    static const struct form forms[] = {
        {1, 1000000, 1000000, 0, 100000, 8, 8},      /* below theta: asked in every epoch */
        {2, 1000000, 1000000, 0, 50000, 4, 20},      /* who lacks little */
        {3, 0, 1000000, 300000, 300000, 4, 14},      /* above theta: audits alone */
        {4, 1000000, 250000, 100000, 200000, 8, 14}, /* soft theta and audits */
        {5, 0, 1000000, 100000, 1000000, 4, 30},     /* who lacks all: as soon as it is asked */
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct form *f = &forms[i];
        struct seen seen;
        run(f, &seen);
        double pass = pow(1 - f->missing_ppm / 1e6, f->k);
        double rho = f->audit_ppm / 1e6, pi = f->theta_ppm == 0 ? 0 : f->soft_ppm / 1e6;
        double q = (1 - (1 - pi) * (1 - rho)) * (1 - pass);
        CU_ASSERT_TRUE(test_binomial_fits(seen.passed, seen.asked, pass, LEVEL));
        expect_geometric(&seen, q, f->epochs);
        /* all that is known of q: one trial per node and epoch up to its first failure */
        uint64_t trials = seen.never * f->epochs, failures = 0;
        for (uint32_t e = 1; e <= f->epochs; e++) {
            trials += seen.caught[e] * e;
            failures += seen.caught[e];
        }
        CU_ASSERT_EQUAL(failures + seen.never, SERVICES);
        CU_ASSERT_TRUE(test_binomial_fits(failures, trials, q, LEVEL));
        fprintf(stderr, "(q %.4f: %.4f of %llu) ", q, (double)failures / (double)trials,
                (unsigned long long)trials);
    }
}

int main(void)
{
    static const struct test_case cases[] = {{"detection", test_detection}};
    return TEST_MAIN("ledger/closed forms", cases);
}
