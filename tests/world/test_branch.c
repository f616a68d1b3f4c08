/* Runs that part at protocol.upgrade: a forked copy of one world is, to the byte of its file, the same
 * run on its own; an upgrade does nothing before its epoch, at every node, also one that was away. */
#include <sys/wait.h>

#include "tests/world/run.h"

#define UPGRADE "protocol.upgrade={epoch: 2"

/* What a run came to, through a pipe. */
struct told {
    enum dc_status status;
    char trace[33], content[65];
    bool held;
    size_t scalars;
    double value[1024];
};

static void tell(struct told *t, const struct ds_summary *s)
{
    memcpy(t->trace, s->trace_digest, sizeof t->trace);
    memcpy(t->content, s->content_digest, sizeof t->content);
    t->held = s->invariants_held;
    t->scalars = s->scalar_count;
    for (size_t i = 0; i < s->scalar_count && i < 1024; i++)
        t->value[i] = ds_summary_value(s, s->scalars[i].name);
}

static char *file_bytes(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(f);
    char *bytes = malloc(64 << 20);
    *size = fread(bytes, 1, 64 << 20, f);
    fclose(f);
    return bytes;
}

static void load(struct ds_scenario *out, const char *const *set, size_t count)
{
    struct ds_diagnostics d = {0};
    struct dc_text said = {0};
    enum dc_status s = ds_scenario_load(DESTRA_SOURCE "/scenarios/smoke.yaml", set, count, out, &d);
    ds_diagnostics_print(&d, &said);
    if (s != DC_OK)
        fprintf(stderr, "%s\n", said.data != NULL ? said.data : "no scenario");
    CU_ASSERT_EQUAL_FATAL(s, DC_OK);
    dc_text_free(&said);
    ds_diagnostics_free(&d);
}

/* The child: the paused world as the run of `set`. */
static void branch_child(struct ds_world *w, const char *const *set, size_t count, const char *path,
                         int out)
{
    struct ds_scenario scenario;
    struct told t = {0};
    struct dc_error error = {0};
    struct ds_summary summary = {0};
    load(&scenario, set, count);
    t.status = ds_world_adopt(w, &scenario, path, &error);
    if (t.status == DC_OK)
        t.status = ds_world_run(w, &error);
    if (t.status == DC_OK)
        t.status = ds_world_finish(w, &summary, &error);
    if (t.status != DC_OK)
        fprintf(stderr, "%s\n", error.text);
    else
        tell(&t, &summary);
    _exit(write(out, &t, sizeof t) == (ssize_t)sizeof t ? 0 : 1);
}

static void branch(struct ds_world *w, const char *const *set, size_t count, const char *path,
                   struct told *t)
{
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        branch_child(w, set, count, path, ends[1]);
    close(ends[1]);
    size_t have = 0;
    ssize_t n;
    while (have < sizeof *t && (n = read(ends[0], (char *)t + have, sizeof *t - have)) > 0)
        have += (size_t)n;
    close(ends[0]);
    int status = 1;
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL_FATAL(status, 0);
    CU_ASSERT_EQUAL_FATAL(have, sizeof *t);
    CU_ASSERT_EQUAL_FATAL(t->status, DC_OK);
}

static struct ds_world *trunk(struct ds_scenario *scenario, const char *const *set, size_t count)
{
    struct ds_world *w = NULL;
    struct dc_error error = {0};
    struct ds_world_options options = {.threads = 1, .wait = true};
    bool paused = false;
    load(scenario, set, count);
    enum dc_status s = ds_world_create(scenario, &options, &w, &error);
    if (s == DC_OK)
        s = ds_world_run_to_upgrade(w, &paused, &error);
    if (s != DC_OK)
        fprintf(stderr, "%s\n", error.text);
    CU_ASSERT_EQUAL_FATAL(s, DC_OK);
    CU_ASSERT_TRUE_FATAL(paused);
    return w;
}

static void same(const struct told *t, const char *path, const struct run *alone)
{
    struct told a = {0};
    size_t n, m;
    tell(&a, &alone->summary);
    CU_ASSERT_TRUE(a.held && t->held);
    CU_ASSERT_STRING_EQUAL(t->trace, a.trace);
    CU_ASSERT_STRING_EQUAL(t->content, a.content);
    CU_ASSERT_EQUAL(t->scalars, a.scalars);
    CU_ASSERT_EQUAL(memcmp(t->value, a.value, sizeof a.value), 0);
    char *shared = file_bytes(path, &n), *own = file_bytes(alone->path, &m);
    CU_ASSERT_EQUAL(n, m);
    CU_ASSERT_TRUE(n == m && memcmp(shared, own, n) == 0);
    free(shared);
    free(own);
}

/* Four variants of one warm-up, with every fault of the scenario around it (a partition and two
 * restarts before, a detour across, a slow processor after) and all tables. */
static void branch_agree(const char *extra)
{
    static const char *const variant[] = {UPGRADE "}", UPGRADE ", theta: 0.9, k: 16, verifiers: 5}",
                                          UPGRADE ", audit: 1, slash_first: 0.2, slash_repeat: 1}",
                                          UPGRADE ", theta_mode: adaptive, load_target: 0.3, "
                                                  "budget: 5, order: ucb, fdr: 0.2}"};
    enum { VARIANTS = 4 };
    const char *base[] = {variant[1], extra, "expect=safety"};
    struct ds_scenario scenario;
    struct ds_world *w = trunk(&scenario, base, 3);
    char folder[64] = "/tmp/destra-branch-XXXXXX", path[VARIANTS][96], seen[VARIANTS][33];
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    struct told t[VARIANTS];
    memset(t, 0, sizeof t);
    for (size_t i = 0; i < VARIANTS; i++) {
        const char *set[] = {variant[i], extra};
        snprintf(path[i], sizeof path[i], "%s/%zu.h5", folder, i);
        branch(w, set, 2, path[i], &t[i]);
    }
    for (size_t i = 0; i < VARIANTS; i++) {
        struct run alone =
            run_file("smoke.yaml", &(struct run_how){.set = {variant[i], extra}, .results = true});
        run_invariants(&alone);
        same(&t[i], path[i], &alone);
        memcpy(seen[i], t[i].trace, sizeof seen[i]);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(seen[i], seen[j]);
        run_end(&alone);
        unlink(path[i]);
    }
    rmdir(folder);
    ds_world_destroy(w);
    ds_scenario_free(&scenario);
}

static void test_agree(void)
{
    branch_agree("seed=1");
}

static void test_agree_traced(void)
{
    branch_agree("record={trace: on, slice: 100 ms}");
}

/* A world that pauses at every barrier is one that never does. */
static bool always(void *ctx, struct ds_world *w)
{
    ++*(uint64_t *)ctx;
    return true;
}

static void test_pause(void)
{
    struct run plain = run_file("smoke.yaml", &(struct run_how){.set = {"record.slice=1 ms"}});
    struct ds_scenario scenario;
    struct ds_world *w = NULL;
    struct dc_error error = {0};
    struct ds_summary summary = {0};
    struct ds_world_options options = {.threads = 1};
    uint64_t pauses = 0;
    bool paused = true;
    load(&scenario, (const char *const[]){"record.slice=1 ms"}, 1);
    CU_ASSERT_EQUAL_FATAL(ds_world_create(&scenario, &options, &w, &error), DC_OK);
    while (paused)
        CU_ASSERT_EQUAL_FATAL(ds_world_run_until(w, always, &pauses, &paused, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(ds_world_finish(w, &summary, &error), DC_OK);
    CU_ASSERT(pauses > 1000);
    CU_ASSERT_STRING_EQUAL(summary.trace_digest, plain.summary.trace_digest);
    CU_ASSERT_EQUAL(summary.scalar_count, plain.summary.scalar_count);
    for (size_t i = 0; i < summary.scalar_count; i++) {
        double x = ds_summary_value(&summary, summary.scalars[i].name);
        double y = run_value(&plain, summary.scalars[i].name);
        CU_ASSERT_TRUE(x == y || (isnan(x) && isnan(y)));
    }
    ds_world_destroy(w);
    ds_scenario_free(&scenario);
    run_end(&plain);
}

/* Slices of the digest up to the hand-over are those of the run without an upgrade; with it, some
 * after that are not.  An upgrade that changes nothing is seen in no event: roots are not sent as
 * such, but headers hold them, so it is seen in what the bytes say from its epoch on. */
static void test_before(void)
{
    struct run r[2];
    const char *const set[] = {"seed=1", UPGRADE ", audit: 1}"};
    for (size_t i = 0; i < 2; i++)
        r[i] = run_file("smoke.yaml",
                        &(struct run_how){.set = {set[i], "record.slice=100 ms"}, .results = true});
    uint64_t heights = ds_results_size(r[1].results, "block"), slices = 1000000;
    uint64_t *height = run_counts(&r[1], "blocks/height", heights);
    double *proposed = run_column(&r[1], "blocks/proposed", heights, 1, DS_F64);
    double turn_s = -1;
    for (uint64_t i = 0; i < heights; i++)
        if (height[i] == 2 * 12 + 1)
            turn_s = proposed[i];
    CU_ASSERT(turn_s > 0);
    for (size_t i = 0; i < 2; i++) {
        uint64_t n = ds_results_size(r[i].results, "slice");
        slices = n < slices ? n : slices;
    }
    uint64_t nodes = r[0].scenario->nodes_count, different = 0;
    uint64_t *digest[2];
    for (size_t i = 0; i < 2; i++)
        digest[i] = run_column(&r[i], "digest/digest", slices, nodes, DS_U64);
    double *end = run_column(&r[1], "digest/time_end", slices, 1, DS_F64);
    uint64_t before = 0;
    for (uint64_t s = 0; s < slices; s++) {
        bool equal = memcmp(digest[0] + s * nodes, digest[1] + s * nodes, nodes * 8) == 0;
        if (end[s] <= turn_s * 1e9) {
            CU_ASSERT_TRUE(equal);
            before++;
        }
        different += !equal;
    }
    CU_ASSERT(before > 100);
    CU_ASSERT(different > 100);
    for (size_t i = 0; i < 2; i++) {
        free(digest[i]);
        run_end(&r[i]);
    }
    free(end);
    free(height);
    free(proposed);
}

/* Values from epoch 0 on, or from epoch 1 on: what audits find from then on is the same in the mean;
 * and with audit 1 it is the same to the last one: every node is drawn, or is in its second asking. */
static void test_in_force(void)
{
    struct run up =
        run_file("smoke.yaml", &(struct run_how){.set = {"protocol.theta=0", "protocol.audit=0",
                                                         "faults=", "protocol.detectors=[]",
                                                         UPGRADE ", audit: 1, k: 20}"},
                                                 .results = true});
    run_invariants(&up);
    uint64_t epochs = ds_results_size(up.results, "epoch");
    uint64_t *audits = run_counts(&up, "epochs/challenges_audit", epochs);
    uint64_t rows = ds_results_size(up.results, "challenge");
    uint64_t *k = run_counts(&up, "challenges/k", rows);
    CU_ASSERT_EQUAL_FATAL(epochs, 5);
    CU_ASSERT_EQUAL(audits[0] + audits[1], 0);
    for (uint64_t e = 2; e < epochs; e++)
        CU_ASSERT(audits[e] >=
                  25); /* of 42 nodes, who was not ejected or waits to be asked again */
    CU_ASSERT(rows > 60);
    for (uint64_t i = 0; i < rows; i++)
        CU_ASSERT(k[i] == 20 || k[i] == 32);
    free(audits);
    free(k);
    run_end(&up);
}

/* Nodes that restart, lose their disks, or come so late that they go on from a state of the new epoch
 * agree with the others: no invariant breaks, and nobody halts. */
static void test_away(void)
{
    static const char *const faults[] = {
        "faults=[{id: away, at: 14 s, kind: crash, nodes: 'val[3], sto[2]', restart: 25 s, "
        "state: durable}]",
        "faults=[{id: away, at: 14 s, kind: crash, nodes: 'val[3], sto[2]', restart: 40 s, "
        "state: none}]",
        "faults=[{id: off, at: 10 s, for: 45 s, kind: isolate, nodes: 'val[4], sto[1]'}]"};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct run r =
            run_file("smoke.yaml",
                     &(struct run_how){.set = {faults[i], UPGRADE ", theta: 0.9, verifiers: 5}",
                                               "duration=7 epochs"}});
        run_invariants(&r);
        CU_ASSERT_EQUAL(run_value(&r, "halted"), 0);
        run_end(&r);
    }
}

/* What cannot part is refused, and why is said. */
static void test_refused(void)
{
    const char *base[] = {UPGRADE ", theta: 0.5}"};
    static const struct {
        const char *set, *word;
    } other[] = {{"seed=1", "epoch"},
                 {"protocol.upgrade={epoch: 3}", "2 and 3"},
                 {"protocol.theta=0.31", "theta: 0.31"},
                 {"duration=6 epochs", "6 epochs"},
                 {"faults.detour.loss=2 %", "0.02"}};
    struct ds_scenario a, b;
    load(&a, base, 1);
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        struct dc_error error = {0};
        bool plain = i < 2;
        const char *set[] = {plain ? other[i].set : base[0], other[i].set};
        load(&b, set, 2);
        CU_ASSERT_EQUAL(ds_world_same_beginning(&a, &b, &error), DC_ERR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, other[i].word));
        if (strstr(error.text, other[i].word) == NULL)
            fprintf(stderr, "%s\n", error.text);
        ds_scenario_free(&b);
    }
    const char *fine[] = {UPGRADE ", theta: 0.6}", "expect=[safety, halted == 1]"};
    struct dc_error error = {0};
    load(&b, fine, 2);
    CU_ASSERT_EQUAL(ds_world_same_beginning(&a, &b, &error), DC_OK);
    ds_scenario_free(&b);
    ds_scenario_free(&a);
}

/* Every value of an upgrade is read, printed, and read again; the rest is unchanged. */
static void test_spelled_out(void)
{
    static const char *const set[] = {
        "protocol.upgrade={epoch: 2, theta: 0.25, trigger: either, theta_mode: relative, "
        "theta_multiple: 0.75, load_target: 0.125, load_gain: 0.5, audit: 0.5, soft: 0.75, "
        "verifiers: 2, verifiers_flagged: 7, k: 9}",
        "protocol.upgrade.k_min=3",
        "protocol.upgrade.k_max=40",
        "protocol.upgrade.rigor=4",
        "protocol.upgrade.difficulty=history",
        "protocol.upgrade.order=ucb",
        "protocol.upgrade.slash_first=2 %",
        "protocol.upgrade.budget=9"};
    struct ds_scenario a, b;
    struct ds_diagnostics d = {0};
    struct dc_text x = {0}, y = {0};
    load(&a, set, sizeof set / sizeof set[0]);
    const struct dc_upgrade *u = &a.upgrade;
    CU_ASSERT(a.upgrades && u->epoch == 2 && u->theta == DC_ONE / 4 && u->k == 9 && u->k_min == 3);
    CU_ASSERT(u->trigger == DC_TRIGGER_EITHER && u->theta_mode == DC_THETA_RELATIVE);
    CU_ASSERT(u->order == DC_ORDER_UCB && u->slash_first_ppm == 20000 && u->budget == 9);
    CU_ASSERT(u->fdr == DC_UNCHANGED && u->p_hi == DC_UNCHANGED &&
              u->slash_repeat_ppm == UINT32_MAX);
    ds_scenario_print_resolved(&a, &x);
    struct ds_source source = {
        .name = "again.yaml", .text = x.data, .size = x.size, .folder = DESTRA_SOURCE "/scenarios"};
    CU_ASSERT_EQUAL_FATAL(ds_scenario_load_text(&source, NULL, 0, &b, &d), DC_OK);
    CU_ASSERT_EQUAL(memcmp(&a.upgrade, &b.upgrade, sizeof a.upgrade), 0);
    ds_scenario_print_resolved(&b, &y);
    CU_ASSERT_STRING_EQUAL(x.data, y.data);
    static const char *const bad[][2] = {
        {"protocol.upgrade={theta: 0.1}", "epoch"},
        {"protocol.upgrade={epoch: 2, k: 200}", "k_max"},
        {"protocol.upgrade={epoch: 2, slash_first: 0.5}", "slash_repeat"},
        {"protocol.upgrade={epoch: 5}", "over after 5 epochs"},
        {"protocol.upgrade={epoch: 2, seats: 9}", "seats"},
        {"protocol.upgrade={epoch: 2, audit: 2}", "out of range"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ds_scenario s;
        struct ds_diagnostics why = {0};
        CU_ASSERT_EQUAL(
            ds_scenario_load(DESTRA_SOURCE "/scenarios/smoke.yaml", &bad[i][0], 1, &s, &why),
            DC_ERR_USAGE);
        CU_ASSERT_PTR_NOT_NULL(strstr(why.items[0].message, bad[i][1]));
        if (strstr(why.items[0].message, bad[i][1]) == NULL)
            fprintf(stderr, "%s\n", why.items[0].message);
        ds_diagnostics_free(&why);
        ds_scenario_free(&s);
    }
    dc_text_free(&x);
    dc_text_free(&y);
    ds_diagnostics_free(&d);
    ds_scenario_free(&a);
    ds_scenario_free(&b);
}

int main(void)
{
    static const struct test_case cases[] = {{"shared and alone agree", test_agree},
                                             {"with traces", test_agree_traced},
                                             {"a pause changes nothing", test_pause},
                                             {"nothing before its epoch", test_before},
                                             {"in force from its epoch on", test_in_force},
                                             {"nodes that were away", test_away},
                                             {"what cannot part", test_refused},
                                             {"spelled out", test_spelled_out}};
    return TEST_MAIN("branch", cases);
}
