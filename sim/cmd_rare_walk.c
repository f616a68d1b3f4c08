/* One root of a splitting, and its copies; see cmd_rare.h.
 *
 *   run to level 0 --+-- copy 0: turn, run to level 1 --+-- copy 0 ...
 *                    |                                  +-- copy 1 ...
 *                    +-- copy 1 ...          depth first: each process waits for its copies */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analysis/split.h"
#include "sim/cmd_rare.h"

struct walk {
    const struct ds_rare *rare;
    struct ds_world *world;
    struct ds_rare_count *count;
};

static void fail(struct walk *w, enum dc_status status, const char *text)
{
    if (w->count->failed != DC_OK)
        return;
    w->count->failed = status;
    snprintf(w->count->text, sizeof w->count->text, "%.1000s", text);
}

struct goal {
    const char *metric;
    double value;
};

static bool goal_reached(void *ctx, struct ds_world *world)
{
    const struct goal *g = ctx;
    return ds_world_level(world, g->metric) >= g->value;
}

/* The run is over.  Levels that it reached in its last moments are reached by every copy of it:
 * they would have had nothing left to do. */
static void walk_end(struct walk *w, size_t level)
{
    const struct ds_rare *r = w->rare;
    struct ds_summary summary = {0};
    struct dc_error error = {0};
    enum dc_status status = ds_world_finish(w->world, &summary, &error);
    if (status != DC_OK)
        fail(w, status, error.text);
    else if (!summary.invariants_held)
        fail(w, DC_ERR_EXPECT, summary.violation != NULL ? summary.violation : "an invariant");
    uint64_t copies = 1;
    for (; level < r->levels && ds_world_level(w->world, r->metric) >= r->level[level]; level++) {
        w->count->reached[level] += copies;
        w->count->hits += level + 1 == r->levels ? copies : 0;
        copies *= r->split;
    }
}

static void walk_on(struct walk *w, size_t level, uint64_t key);

struct copy {
    struct walk *w;
    size_t level;
    uint64_t key;
};

static void copy_run(void *ctx, int out)
{
    struct copy *c = ctx;
    struct dc_error error = {0};
    memset(c->w->count, 0, sizeof *c->w->count);
    enum dc_status status = ds_world_turn(c->w->world, c->key, &error);
    if (status == DC_OK)
        walk_on(c->w, c->level, c->key);
    else
        fail(c->w, status, error.text);
    ds_process_send(out, c->w->count, sizeof *c->w->count);
}

static void add(struct ds_rare_count *to, const struct ds_rare_count *from)
{
    to->hits += from->hits;
    to->events += from->events;
    for (size_t i = 0; i < DS_RARE_LEVELS_MAX; i++)
        to->reached[i] += from->reached[i];
    if (to->failed == DC_OK && from->failed != DC_OK) {
        to->failed = from->failed;
        memcpy(to->text, from->text, sizeof to->text);
    }
}

static void walk_copy(struct walk *w, size_t level, uint64_t key)
{
    struct copy copy = {w, level, key};
    struct ds_process process = {0}, *at = &process;
    struct ds_rare_count found;
    if (!ds_process_start(&process, (struct ds_process_limits){0}, copy_run, &copy)) {
        fail(w, DC_ERR_IO, "no process could be started: use fewer --jobs");
        return;
    }
    while (ds_process_wait(&at, 1, -1) == SIZE_MAX)
        ;
    if (ds_process_fine(&process) && process.have == sizeof found) {
        memcpy(&found, process.bytes, sizeof found);
        add(w->count, &found);
    } else {
        char how[256];
        ds_process_crash(&process, how, sizeof how);
        fail(w, DC_ERR_IO, how);
    }
    ds_process_free(&process);
}

static void walk_on(struct walk *w, size_t level, uint64_t key)
{
    const struct ds_rare *r = w->rare;
    struct goal goal = {r->metric, r->level[level]};
    if (!goal_reached(&goal, w->world)) {
        struct dc_error error = {0};
        bool paused = false;
        uint64_t before = ds_world_counts(w->world).events;
        enum dc_status status = ds_world_run_until(w->world, goal_reached, &goal, &paused, &error);
        w->count->events += ds_world_counts(w->world).events - before;
        if (status != DC_OK) {
            fail(w, status, error.text);
            return;
        }
        if (!paused) {
            walk_end(w, level);
            return;
        }
    }
    w->count->reached[level]++;
    if (level + 1 == r->levels) {
        w->count->hits++;
        return;
    }
    for (uint32_t c = 0; c < r->split && w->count->failed == DC_OK; c++)
        walk_copy(w, level + 1, da_split_key(key, level, c));
}

static enum dc_status root_load(const struct ds_rare *rare, uint64_t root, struct ds_scenario *out,
                                struct dc_error *error)
{
    struct ds_diagnostics d = {0};
    struct dc_text text = {0};
    char seed[40];
    const char **override = dc_mem_need(rare->overrides + 1, sizeof *override, "overrides");
    if (rare->overrides != 0)
        memcpy(override, rare->override, rare->overrides * sizeof *override);
    snprintf(seed, sizeof seed, "seed=%" PRIu64, rare->seed + root);
    override[rare->overrides] = seed;
    enum dc_status status =
        ds_scenario_load(rare->scenario, override, rare->overrides + 1, out, &d);
    ds_diagnostics_print(&d, &text);
    if (status != DC_OK)
        dc_error_set(error, status, "%s", text.data != NULL ? text.data : "out of memory");
    dc_mem_free(override);
    ds_diagnostics_free(&d);
    dc_text_free(&text);
    return status;
}

void ds_rare_root(const struct ds_rare *rare, uint64_t root, struct ds_rare_count *out)
{
    struct ds_scenario scenario;
    struct walk w = {.rare = rare, .count = out};
    struct dc_error error = {0};
    struct ds_world_options options = {.threads = 1, .stop_at_violation = true};
    memset(out, 0, sizeof *out);
    enum dc_status status = root_load(rare, root, &scenario, &error);
    if (status == DC_OK)
        status = ds_world_create(&scenario, &options, &w.world, &error);
    if (status == DC_OK)
        walk_on(&w, 0, da_split_root_key(rare->seed, root));
    else
        fail(&w, status, error.text);
    if (status == DC_OK && out->reached[0] == 0)
        out->ended_events = out->events;
    ds_world_destroy(w.world);
    ds_scenario_free(&scenario);
}
