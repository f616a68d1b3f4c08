/* Systematic Twins: numbers of scenarios, life, a run.  See twins.h. */
#include "sim/world/twins.h"

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "sim/world/twins_inside.h"

#include <stdio.h>

#define COLLECT_EVERY 64 /* scenarios between which the store keeps its blocks */
#define MEMO_BYTES ((size_t)16 << 20)
#define STEPS_MAX 200000 /* a scenario takes a few hundred: this one never ends */

/* --- numbers --------------------------------------------------------------------------------- */

static uint32_t twins_faulty(const struct ds_twins_config *c)
{
    return (c->validators - 1) / 3;
}

static uint64_t twins_base(const struct ds_twins_config *c)
{
    return (uint64_t)c->validators << (c->validators + twins_faulty(c) - 1);
}

enum dc_status ds_twins_count(const struct ds_twins_config *c, uint64_t *count,
                              struct dc_error *error)
{
    if (c->validators < DS_TWINS_VALIDATORS_MIN || c->validators > DS_TWINS_VALIDATORS_MAX)
        return dc_error_set(error, DC_ERR_USAGE, "twins: %u validators: 4 to 7 are possible",
                            c->validators);
    if (c->rounds == 0 || c->rounds > DS_TWINS_ROUNDS_MAX)
        return dc_error_set(error, DC_ERR_USAGE, "twins: %u rounds: 1 to %u are possible",
                            c->rounds, DS_TWINS_ROUNDS_MAX);
    if (c->epoch_blocks != 0 && c->epoch_blocks < 3)
        return dc_error_set(error, DC_ERR_USAGE, "twins: epochs have at least 3 blocks");
    *count = 1;
    for (uint32_t r = 0; r < c->rounds; r++)
        if (__builtin_mul_overflow(*count, twins_base(c), count))
            return dc_error_set(error, DC_ERR_USAGE,
                                "twins: %u validators and %u rounds give 2^64 scenarios or more, "
                                "which have no numbers: fewer rounds",
                                c->validators, c->rounds);
    return DC_OK;
}

/* The choice of each round, the first one's most significant. */
static void twins_decode(const struct ds_twins *t, uint64_t number, uint32_t *leader,
                         uint32_t *side)
{
    for (uint32_t r = t->config.rounds; r-- > 0;) {
        uint64_t digit = number % t->base;
        number /= t->base;
        leader[r] = (uint32_t)(digit % t->config.validators);
        side[r] = (uint32_t)(digit / t->config.validators) << 1;
    }
}

void ds_twins_describe(const struct ds_twins *t, uint64_t number, struct dc_text *out)
{
    uint32_t leader[DS_TWINS_ROUNDS_MAX], side[DS_TWINS_ROUNDS_MAX];
    char name[8];
    twins_decode(t, number, leader, side);
    for (uint32_t r = 0; r < t->config.rounds; r++) {
        dc_text_printf(out, "round %u: %u leads,", r + 1, leader[r]);
        for (uint32_t s = 0; s < 2; s++) {
            if (s == 1 && side[r] != 0)
                dc_text_add(out, " |");
            for (uint32_t i = 0; i < t->instances; i++)
                if ((side[r] >> i & 1) == s)
                    dc_text_printf(out, " %s", world_twins_name(t, i, name));
        }
        dc_text_add(out, "\n");
    }
}

uint64_t ds_twins_sample(uint64_t seed, uint64_t count, uint64_t k)
{
    struct dc_stream s = dc_stream(seed, dc_name_indexed("scenario", k), dc_name("twins"));
    return dc_next_below(&s, count);
}

void ds_twins_verdict(const struct ds_twins *t, const struct ds_twins_result *r,
                      struct dc_text *out)
{
    static const char *const what[] = {
        [DS_TWINS_GOOD] = "good",
        [DS_TWINS_AGREEMENT] = "agreement: %s makes final what is not what others made final there",
        [DS_TWINS_CONFLICT] = "agreement: %s has a certificate that commits what does not execute",
        [DS_TWINS_TWO_VOTES] = "votes: %s votes twice in one round, or goes back",
        [DS_TWINS_TWO_PROPOSALS] = "votes: %s makes two proposals in one round",
        [DS_TWINS_LATE_VOTE] = "votes: %s votes in a round that it had timed out in",
        [DS_TWINS_VOTE_RULE] = "votes: %s votes below its TC's lock, or commits across a gap",
        [DS_TWINS_NO_EVIDENCE] = "evidence: %s got two votes of a twin and did not tell",
        [DS_TWINS_FALSE_EVIDENCE] = "evidence: %s accuses whom it should not, or without proof",
        [DS_TWINS_REFUSED] = "form: %s refuses what another instance sent",
        [DS_TWINS_NOT_LIVE] = "liveness: %s made nothing new final after the network healed",
    };
    char name[8], line[160];
    world_twins_name(t, r->instance, name);
    if (r->fault == DS_TWINS_GOOD) {
        dc_text_add(out, "good");
        return;
    }
    const char *split = strstr(what[r->fault], "%s");
    snprintf(line, sizeof line, "%.*s%s%s", (int)(split - what[r->fault]), what[r->fault], name,
             split + 2);
    dc_text_printf(out, "%s (round %llu", line, (unsigned long long)r->round);
    if (r->height != 0)
        dc_text_printf(out, ", height %llu", (unsigned long long)r->height);
    dc_text_printf(out, ", %.3f s)", (double)r->fault_ns / 1e9);
}

/* --- life ------------------------------------------------------------------------------------ */

/* What is of no matter here is off: no challenges, no heartbeats' worth, no detectors. */
static struct dc_params twins_params(const struct ds_twins_config *c)
{
    struct dc_params p = {.epoch_blocks = c->epoch_blocks != 0 ? c->epoch_blocks : 1 << 20,
                          .delay_typical_ns = TWINS_DELAY_NS,
                          .delay_max_ns = TWINS_DELAY_NS,
                          .block_bytes_max = 1 << 16,
                          .g_min = DC_ONE,
                          .weight_s_ppm = 250000,
                          .weight_a_ppm = 250000,
                          .weight_u_ppm = 250000,
                          .weight_q_ppm = 250000,
                          .lambda = DC_ONE / 5,
                          .heartbeat_lifetime = 4,
                          .lag_halving = 4,
                          .verifiers = 3,
                          .verifiers_flagged = 3,
                          .k = 4,
                          .k_min = 4,
                          .k_max = 4,
                          .rigor = 1,
                          .answer_heights = 1000,
                          .abandon_heights = 1000,
                          .sprt_p0 = DC_ONE / 32,
                          .sprt_p1 = DC_ONE / 2,
                          .sprt_alpha = DC_ONE / 1000,
                          .sprt_beta = DC_ONE / 100,
                          .bond_min_validator = DC_DSYNC,
                          .issuance_validator = DC_DSYNC,
                          .unbonding_epochs = 10,
                          .eject_lock_epochs = 10,
                          .lock_tier_ppm = {1000000, 2000000, 3000000, 4000000}};
#ifdef DC_MUTANTS
    p.mutant = c->mutant;
#endif
    return p;
}

static enum dc_status twins_chain(struct ds_twins *t, struct dc_error *error)
{
    struct dc_genesis_spec spec = {.seed = 1,
                                   .chain = TWINS_CHAIN,
                                   .validators = t->config.validators,
                                   .bond_validator = 1000 * DC_DSYNC,
                                   .balance = 100 * DC_DSYNC,
                                   .regions = 1};
    enum dc_status status = dc_genesis_set_create(&spec, &t->params, &t->genesis, error);
    if (status != DC_OK)
        return status;
    struct dc_store_config store = {.chain = TWINS_CHAIN, .crypto = &t->crypto, .memo = true};
    status = dc_store_create(&store, &t->genesis.genesis, &t->store, error);
    if (status != DC_OK)
        return status;
    /* the script of the committee of epoch 0: see struct dc_committee */
    struct dc_committee *c = (struct dc_committee *)(uintptr_t)dc_store_committee(
        t->store, dc_store_genesis(t->store), 0);
    DC_CHECK(c->count == t->config.validators);
    c->script = t->script;
    c->script_count = t->config.rounds + TWINS_SCRIPT_EXTRA;
    return DC_OK;
}

enum dc_status ds_twins_create(const struct ds_twins_config *config, struct ds_twins **out,
                               struct dc_error *error)
{
    uint64_t count = 0;
    *out = NULL;
    enum dc_status status = ds_twins_count(config, &count, error);
    if (status != DC_OK)
        return status;
    dc_crypto_init();
    struct ds_twins *t = dc_mem_alloc(1, sizeof *t);
    if (t == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for systematic Twins");
    t->config = *config;
    t->faulty = twins_faulty(config);
    t->instances = config->validators + t->faulty;
    t->base = twins_base(config);
    t->count = count;
    t->params = twins_params(config);
    status = dc_crypto_open(&t->crypto, DC_SUITE_MODELLED, MEMO_BYTES, 0, error);
    if (status == DC_OK) /* beacons repeat from scenario to scenario, and a proof takes 100 us */
        status = dc_memo_open(MEMO_BYTES, DC_VRF_PROOF_BYTES, &t->crypto.memo_prove, error);
    if (status == DC_OK)
        status = twins_chain(t, error);
    if (status != DC_OK) {
        ds_twins_destroy(t);
        return status;
    }
    for (uint32_t k = 0; k < t->instances; k++) {
        struct twins_instance *i = &t->instance[k];
        uint32_t self = k < config->validators ? k : k - config->validators;
        i->twins = t;
        i->index = k;
        i->honest = self >= t->faulty;
        i->env = (struct dc_consensus_env){.chain = TWINS_CHAIN,
                                           .store = t->store,
                                           .crypto = &t->crypto,
                                           .params = &t->params,
                                           .self = self,
                                           .key = &t->genesis.sign[self],
                                           .vrf_key = &t->genesis.vrf[self],
                                           .node = &world_twins_node,
                                           .context = i};
    }
    *out = t;
    return DC_OK;
}

void ds_twins_destroy(struct ds_twins *t)
{
    if (t == NULL)
        return;
    for (struct twins_payload *p = t->free, *next; p != NULL; p = next) {
        next = p->next;
        dc_mem_free(p);
    }
    dc_store_destroy(t->store);
    dc_genesis_set_free(&t->genesis);
    dc_effects_free(&t->out);
    dc_memo_close(t->crypto.memo_prove);
    dc_crypto_close(&t->crypto);
    dc_mem_free(t->heap);
    dc_mem_free(t);
}

/* --- a run ----------------------------------------------------------------------------------- */

/* Leaders: by number for the rounds of the scenario, then by turns, the honest ones first, in an
 * order that the number chooses. */
static void twins_script(struct ds_twins *t, uint64_t number)
{
    uint32_t turn[DS_TWINS_VALIDATORS_MAX], n = t->config.validators;
    twins_decode(t, number, t->script, t->side);
    struct dc_stream s = dc_stream(number, dc_name("turns"), dc_name("twins"));
    DC_CHECK(n > 0 && n > t->faulty);
    for (uint32_t k = 0; k < n; k++)
        turn[k] = (k + t->faulty) % n;
    for (uint32_t k = n - t->faulty; k-- > 1;) {
        uint32_t other = (uint32_t)dc_next_below(&s, k + 1), old = turn[k];
        turn[k] = turn[other];
        turn[other] = old;
    }
    for (uint32_t r = 0; r < TWINS_SCRIPT_EXTRA; r++)
        t->script[t->config.rounds + r] = turn[r % n];
}

static void twins_begin(struct ds_twins *t, uint64_t number)
{
    twins_script(t, number);
    int64_t period = dc_params_period_ns(&t->params, 16);
    t->now_ns = 0;
    t->heal_ns = 2 * (int64_t)(t->config.rounds + 1) * period;
    t->limit_ns = INT64_MAX;
    t->healed = false;
    t->goal = 0;
    t->sequence = 0;
    memset(t->known, 0, sizeof t->known);
    for (uint32_t k = 0; k < t->instances; k++) {
        dc_jolteon_init(&t->instance[k].core, &t->instance[k].env);
        world_twins_watch_begin(&t->instance[k]);
        struct twins_event e = {.at_ns = TWINS_DELAY_NS, .to = (uint16_t)k, .start = true};
        world_twins_push(t, &e);
    }
}

/* The network has healed when no honest instance is in a round of the script any more. */
static void twins_heal(struct ds_twins *t)
{
    uint64_t highest = 0;
    bool beyond = true;
    for (uint32_t k = 0; k < t->instances; k++) {
        const struct dc_jolteon *j = &t->instance[k].core;
        if (!t->instance[k].honest)
            continue;
        beyond = beyond && (j->durable.round > t->config.rounds || j->durable.epoch != 0);
        highest = j->chain.final->header.height > highest ? j->chain.final->header.height : highest;
    }
    if (!beyond && t->now_ns < t->heal_ns)
        return;
    t->healed = true;
    t->goal = highest + 1;
    t->result->final_before = highest;
    t->limit_ns =
        t->now_ns + (3 * (int64_t)t->config.validators + 8) * dc_params_period_ns(&t->params, 16);
    if (t->log != NULL)
        dc_text_printf(t->log, "%10.3f s      the network has healed\n", (double)t->now_ns / 1e9);
}

/* The first honest instance that has not made anything new final, or NULL. */
static struct twins_instance *twins_behind(struct ds_twins *t)
{
    for (uint32_t k = 0; k < t->instances; k++)
        if (t->instance[k].honest && t->instance[k].core.chain.final->header.height < t->goal)
            return &t->instance[k];
    return NULL;
}

void ds_twins_run(struct ds_twins *t, uint64_t number, struct ds_twins_result *out,
                  struct dc_text *log)
{
    DC_CHECK(number < t->count);
    *out = (struct ds_twins_result){.fault = DS_TWINS_GOOD};
    t->result = out;
    t->log = log;
    twins_begin(t, number);
    struct twins_instance *behind = NULL;
    while (out->fault == DS_TWINS_GOOD) {
        bool more = world_twins_next(t);
        if (!t->healed)
            twins_heal(t);
        if (t->healed && (behind = twins_behind(t)) == NULL)
            break;
        if (!more || t->now_ns > t->limit_ns || out->steps > STEPS_MAX) {
            behind = behind != NULL ? behind : &t->instance[t->faulty];
            world_twins_fault(behind, DS_TWINS_NOT_LIVE, behind->core.durable.round,
                              behind->core.chain.final->header.height);
        }
    }
    out->end_ns = t->now_ns;
    world_twins_drop_events(t);
    for (uint32_t k = 0; k < t->instances; k++)
        dc_jolteon_free(&t->instance[k].core);
    if (++t->runs % COLLECT_EVERY == 0)
        dc_store_collect(t->store, UINT64_MAX);
    t->log = NULL;
}
