/* The invariants at work in whole runs: what is planted in the world itself is told of, under the
 * right name, in the summary; a legal run is borne in silence, with every fault that it has. */
#include "models/wire/consensus_msg.h"
#include "sim/world/checks.h"
#include "sim/world/observe.h"
#include "tests/world/run.h"

static const char *const calm = "name: planted\n"
                                "duration: 40 s\n"
                                "network: {latency: 20 ms}\n"
                                "nodes:\n"
                                "  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}\n"
                                "  - {name: sto, role: service, service: storage, count: 4,\n"
                                "     bond: 1000 DSYNC}\n"
                                "protocol: {epoch_blocks: 20}\n";

/* A world that has run for so long, and goes on when it is finished. */
struct stage {
    struct run r;
    struct ds_world *w;
};

static struct stage stage_open(const char *text, const struct ds_world_options *options,
                               int64_t until_ns)
{
    struct stage s = {.r.scenario = calloc(1, sizeof(struct ds_scenario))};
    struct ds_diagnostics d = {0};
    struct dc_error error = {0};
    struct ds_source source = {.name = "test.yaml", .text = text, .size = strlen(text)};
    CU_ASSERT_EQUAL_FATAL(ds_scenario_load_text(&source, NULL, 0, s.r.scenario, &d), DC_OK);
    ds_diagnostics_free(&d);
    CU_ASSERT_EQUAL_FATAL(ds_world_create(s.r.scenario, options, &s.r.world, &error), DC_OK);
    s.w = s.r.world;
    int64_t end_ns = s.w->end_ns;
    s.w->end_ns = until_ns;
    CU_ASSERT_EQUAL_FATAL(ds_world_run(s.w, &error), DC_OK);
    CU_ASSERT_FALSE(world_violated(s.w));
    s.w->end_ns = end_ns;
    return s;
}

static void stage_close(struct stage *s)
{
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_world_run(s->w, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(ds_world_finish(s->w, &s->r.summary, &error), DC_OK);
}

static void stage_told(const struct stage *s, const char *name, uint64_t times, const char *what)
{
    for (size_t i = 0; i < s->r.summary.invariant_count; i++) {
        const struct ds_invariant *v = &s->r.summary.invariants[i];
        if (strcmp(v->name, name) != 0)
            continue;
        if (v->violations != times || (what != NULL && strstr(v->violation, what) == NULL))
            fprintf(stderr, "%s: %llu: %s\n", name, (unsigned long long)v->violations,
                    v->violation != NULL ? v->violation : "");
        CU_ASSERT_EQUAL(v->violations, times);
        CU_ASSERT_TRUE(what == NULL || strstr(v->violation, what) != NULL);
        return;
    }
    CU_FAIL("no such invariant");
}

/* A block like b, one nanosecond later: what a second leader might have made. */
static struct dc_block *twin_of(struct ds_world *w, const struct dc_block *b)
{
    struct dc_block_parts parts = {.header = b->header,
                                   .qc = b->qc,
                                   .tc = b->tc,
                                   .handover = b->handover,
                                   .tx_count = b->tx_count,
                                   .tx = b->tx};
    parts.header.timestamp_ns++;
    size_t size = dc_block_encoded_size(&parts);
    uint8_t *bytes = calloc(1, size + DC_SIGNATURE_BYTES);
    dc_block_encode(&parts, bytes);
    struct dc_block *twin = dc_store_intern(w->store, bytes, size + DC_SIGNATURE_BYTES);
    free(bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(twin);
    return twin;
}

static void plant_commit(struct ds_world *w, uint32_t node, struct dc_block *b)
{
    struct shard *s = &w->shard[0];
    s->commit = dc_mem_grow(s->commit, s->commits + 1, sizeof *s->commit);
    s->commits_max = s->commits + 1;
    s->commit[s->commits++] = (struct commit){b, ds_kernel_now(w->kernel), node};
}

static void plant_vote(struct ds_world *w, uint32_t node, const struct dc_block *b)
{
    struct shard *s = &w->shard[0];
    struct dc_vote v = {.epoch = b->header.epoch,
                        .round = b->header.round,
                        .block = b->id,
                        .commits = dc_follow_commits(b),
                        .signer = node};
    struct dc_hash digest = dc_vote_digest(w->chain, v.epoch, v.round, &v.block, &v.commits);
    dc_sign(&w->crypto, &w->node[node]->key, digest.b, DC_HASH_BYTES, v.signature);
    s->vote = dc_mem_grow(s->vote, s->votes + 1, sizeof *s->vote);
    s->votes_max = s->votes + 1;
    struct vote_seen *seen = &s->vote[s->votes++];
    seen->time_ns = ds_kernel_now(w->kernel);
    seen->node = node;
    seen->size = DC_VOTE_MSG_BYTES;
    dc_vote_encode(&v, seen->bytes);
}

static void test_fork(void)
{
    for (int guilty = 0; guilty < 2; guilty++) {
        struct stage s = stage_open(calm, &(struct ds_world_options){.threads = 1}, 20000000000);
        const struct dc_block *b = world_block_final(s.w);
        struct dc_block *twin = twin_of(s.w, b);
        uint64_t height = b->header.height;
        for (uint32_t n = 0; guilty && n < 2; n++)
            plant_vote(s.w, n, twin);
        plant_commit(s.w, 3, twin);
        world_observe(s.w, ds_kernel_now(s.w->kernel));
        stage_close(&s);
        char what[200];
        snprintf(what, sizeof what, "node 3 made another block of height %llu final",
                 (unsigned long long)height);
        CU_ASSERT_FALSE(s.r.summary.invariants_held);
        stage_told(&s, "agreement", 1, what);
        stage_told(&s, "agreement", 1,
                   guilty ? "convict 2 of 4 members" : "convict 0 of 4 members");
        stage_told(&s, "accountable", !guilty, guilty ? NULL : "less than a third");
        /* what node 3 does next stands on another block; and honest nodes vote once */
        stage_told(&s, "prefix", 2, "node 3");
        stage_told(&s, "votes", guilty ? 2 : 0, NULL);
        stage_told(&s, "money", 0, NULL);
        CU_ASSERT_EQUAL(run_value(&s.r, "safety"), 0);
        CU_ASSERT_EQUAL(run_value(&s.r, "violations.agreement"), 1);
        CU_ASSERT_EQUAL(run_value(&s.r, "violations"), guilty ? 5 : 4);
        CU_ASSERT_EQUAL(run_value(&s.r, "fork_guilty_power"), guilty ? 0.5 : 0);
        CU_ASSERT_STRING_EQUAL(s.r.summary.invariant, guilty ? "votes" : "agreement");
        CU_ASSERT_TRUE(s.r.summary.violation_ns > 15000000000);
        CU_ASSERT_TRUE(run_value(&s.r, "blocks_final") > 30); /* the run went on */
        run_end(&s.r);
    }
}

/* A vote of a block that stands on an old certificate, a message that is lost twice, and money from
 * nowhere in the books: each under its name. */
static void test_votes(void)
{
    struct stage s = stage_open(calm, &(struct ds_world_options){.threads = 1}, 20000000000);
    struct dc_block *old = dc_store_find(s.w->store, &world_block_final(s.w)->header.parent);
    CU_ASSERT_PTR_NOT_NULL_FATAL(old);
    plant_vote(s.w, 1, old);
    world_observe(s.w, ds_kernel_now(s.w->kernel));
    dc_block_drop(old);
    stage_close(&s);
    stage_told(&s, "votes", 1, "node 1 voted in round");
    CU_ASSERT_EQUAL(run_value(&s.r, "violations"), 1);
    CU_ASSERT_EQUAL(run_value(&s.r, "safety"), 1);
    run_end(&s.r);
}

static void test_messages(void)
{
    struct stage s = stage_open(calm, &(struct ds_world_options){.threads = 1}, 20000000000);
    s.w->shard[0].delivered[DC_MSG_VOTE]--;
    stage_close(&s);
    stage_told(&s, "messages", 1, "of kind vote came into being");
    CU_ASSERT_EQUAL(run_value(&s.r, "violations"), 1);
    run_end(&s.r);
}

static void test_bounds(void)
{
    struct stage s = stage_open(calm, &(struct ds_world_options){.threads = 1}, 20000000000);
    uint32_t *pendings = &s.w->node[5]->service->pendings, before = *pendings;
    *pendings = DC_PENDING_MAX + 1;
    world_check_second(s.w, ds_kernel_now(s.w->kernel));
    *pendings = before;
    stage_close(&s);
    stage_told(&s, "bounds", 1, "node 5's challenges that came early hold 9 of 8");
    run_end(&s.r);
}

static void test_committee(void)
{
    struct stage s = stage_open(calm, &(struct ds_world_options){.threads = 1}, 30000000000);
    struct dc_follow *f = s.w->node[6]->chain;
    const struct dc_committee *right = f->committee;
    CU_ASSERT_PTR_NOT_NULL_FATAL(f->before);
    f->committee = f->before;
    world_check_second(s.w, ds_kernel_now(s.w->kernel));
    f->committee = right;
    stage_close(&s);
    stage_told(&s, "certificates", 1, "node 6 judges certificates of epoch 1");
    run_end(&s.r);
}

/* Stops where the first is found, at the barrier. */
static void test_stop(void)
{
    struct stage s = stage_open(
        calm, &(struct ds_world_options){.threads = 1, .stop_at_violation = true}, 20000000000);
    plant_commit(s.w, 3, twin_of(s.w, world_block_final(s.w)));
    stage_close(&s);
    CU_ASSERT_EQUAL(s.r.summary.end, DS_WORLD_VIOLATED);
    CU_ASSERT_TRUE(run_value(&s.r, "virtual_time") < 21);
    stage_told(&s, "agreement", 1, NULL);
    run_end(&s.r);
}

/* --- healing --------------------------------------------------------------------------------- */

static const char *const healing = "name: healing\n"
                                   "duration: 60 s\n"
                                   "network: {latency: 20 ms}\n"
                                   "nodes:\n"
                                   "  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}\n"
                                   "protocol: {epoch_blocks: 20}\n"
                                   "faults:\n"
                                   "  - {at: 5 s, kind: crash, nodes: 'val[0..1]', restart: 12 s}\n"
                                   "heal: {at: 20 s, quorum: 'val[%s]', within: 15 s}\n";

static void heal_case(const char *quorum, bool progress)
{
    char text[2000];
    snprintf(text, sizeof text, healing, quorum);
    struct run r = run_text(text, &(struct run_how){.threads = 1});
    CU_ASSERT_EQUAL(r.summary.invariants_held, progress);
    if (r.summary.violation != NULL && progress)
        fprintf(stderr, "%s\n", r.summary.violation);
    CU_ASSERT_EQUAL(run_value(&r, "violations.liveness"), !progress);
    CU_ASSERT_EQUAL(run_value(&r, "violations"), !progress);
    CU_ASSERT_TRUE(progress ? run_value(&r, "recovery_time") < 15
                            : isnan(run_value(&r, "recovery_time")));
    CU_ASSERT_EQUAL(run_value(&r, "faults_executed"), 1);
    if (!progress) {
        CU_ASSERT_STRING_EQUAL(r.summary.invariant, "liveness");
        CU_ASSERT_EQUAL(r.summary.violation_ns, 35000000000);
        CU_ASSERT_PTR_NOT_NULL(strstr(r.summary.violation, "for 2 nodes, 2 of them"));
    }
    run_end(&r);
}

static void test_heal(void)
{
    heal_case("1..3", true);
    heal_case("2..3", false); /* no quorum */
}

/* --- whole runs ------------------------------------------------------------------------------ */

static const char *const sometimes[] = {"rounds_timed_out > 0", "faults_executed == 4",
                                        "messages_corrupted > 0"};

static void test_sometimes(void)
{
    struct run r =
        run_file("smoke.yaml", &(struct run_how){.set = {"sometimes=[rounds_timed_out > 0, "
                                                         "faults_executed == 4, "
                                                         "messages_corrupted > 0]"},
                                                 .threads = 2});
    run_invariants(&r);
    CU_ASSERT_EQUAL_FATAL(r.summary.sometimes_count, 3);
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_STRING_EQUAL(r.summary.sometimes[i].text, sometimes[i]);
        CU_ASSERT_EQUAL(r.summary.sometimes[i].held, i < 2);
    }
    CU_ASSERT_EQUAL(run_value(&r, "equivocators_slashed"), 1);
    CU_ASSERT_EQUAL(run_value(&r, "violations"), 0);
    CU_ASSERT_EQUAL(r.summary.invariant_count, DS_CHECKS);
    run_end(&r);
}

/* Committees drawn by seats, and over more epochs than are drawn from genesis, are the ones that the
 * checker draws by itself; every certificate and every block is looked at. */
static void test_seats(void)
{
    struct run r =
        run_text(calm, &(struct run_how){.set = {"nodes.val.count=9", "protocol.seats=5",
                                                 "protocol.epoch_blocks=6", "duration=80 s"}});
    run_invariants(&r);
    CU_ASSERT_TRUE(run_value(&r, "epochs") >= 6);
    CU_ASSERT_EQUAL(r.world->checks->committees, run_value(&r, "epochs") + 1);
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a fork", test_fork},
        {"a vote of long ago", test_votes},
        {"a message that got lost", test_messages},
        {"a queue beyond its limit", test_bounds},
        {"a node with the wrong committee", test_committee},
        {"stopping at the first", test_stop},
        {"progress after the healing", test_heal},
        {"what must occur sometimes", test_sometimes},
        {"committees drawn again", test_seats},
    };
    return TEST_MAIN("planted", cases);
}
