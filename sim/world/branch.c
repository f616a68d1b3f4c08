/* Running, and runs that part: one world goes to a barrier, and its forked copies go on as
 * different runs.
 *
 *     run_to_upgrade --paused at a barrier--> fork --adopt(scenario, file)--> run, finish
 *                                              |
 *                                              +----> the next child ...
 *
 * Why a paused world is the same as one that never paused: the barrier at which it paused has done
 * all its work and remembers its answer, which the kernel asks for again (world.c).  Why the copies
 * are what they would have been alone: nothing before the epoch of protocol.upgrade depends on its
 * values (models/ledger/store.h), and the parts of the scenario that may differ beside them are
 * read at the end.  The rows so far have waited in memory; each copy writes them to its own file,
 * in the same calls as if it had written them at once, so the bytes are the same too. */
#include <string.h>

#include "models/ledger/store.h"
#include "sim/world/observer.h"
#include "sim/world/watch.h"

enum dc_status ds_world_run_until(struct ds_world *w, bool (*pause)(void *ctx, struct ds_world *w),
                                  void *ctx, bool *paused, struct dc_error *error)
{
    w->end = DS_WORLD_DONE;
    w->pause = pause;
    w->pause_ctx = ctx;
    ds_kernel_run(w->kernel, w->end_ns);
    *paused = w->paused;
    if (w->paused)
        return DC_OK;
    world_observe(w, ds_kernel_now(w->kernel));
    if (w->watch != NULL)
        world_watch_barrier(w, INT64_MAX);
    if (w->scenario->duration_epochs != 0 && w->end == DS_WORLD_DONE &&
        world_epochs_final(w) < w->scenario->duration_epochs)
        w->end = world_halted(w) ? DS_WORLD_HALTED : DS_WORLD_TIME;
    if (w->error.status != DC_OK)
        return dc_error_set(error, w->error.status, "%s", w->error.text);
    return DC_OK;
}

enum dc_status ds_world_run(struct ds_world *w, struct dc_error *error)
{
    bool paused;
    return ds_world_run_until(w, NULL, NULL, &paused, error);
}

/* Final heights before the epoch's first block at which runs part.  That block needs the hand-over,
 * which needs the last height of the epoch before to be final; so the chain is at least this far
 * from it, unless so many heights become final in one window. */
#define BRANCH_HEIGHTS 4

static bool branch_there(void *ctx, struct ds_world *w)
{
    uint64_t last = (uint64_t)w->scenario->upgrade.epoch * w->params.epoch_blocks;
    return world_height_final(w) + BRANCH_HEIGHTS >= last;
}

static enum dc_status branch_late(const struct dc_upgrade *upgrade, struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_USAGE,
                        "epoch %u has begun before runs could part in front of it: choose a later "
                        "protocol.upgrade.epoch, or do not share the warm-up",
                        upgrade->epoch);
}

enum dc_status ds_world_run_to_upgrade(struct ds_world *w, bool *paused, struct dc_error *error)
{
    DC_CHECK(w->scenario->upgrades);
    enum dc_status status = ds_world_run_until(w, branch_there, NULL, paused, error);
    if (status != DC_OK || !*paused || dc_store_upgrade(w->store, &w->scenario->upgrade))
        return status;
    return branch_late(&w->scenario->upgrade, error);
}

/* The scenario without what may differ. */
static void branch_common(const struct ds_scenario *s, struct dc_text *out)
{
    struct ds_scenario copy = *s;
    copy.upgrade = (struct dc_upgrade){.epoch = s->upgrade.epoch};
    copy.upgrades = false;
    copy.expects_count = copy.sometimes_count = 0;
    ds_scenario_print_resolved(&copy, out);
}

static bool branch_inputs_equal(const struct ds_scenario *a, const struct ds_scenario *b)
{
    bool same = a->inputs_count == b->inputs_count;
    for (size_t i = 0; same && i < a->inputs_count; i++)
        same = strcmp(a->inputs[i].path, b->inputs[i].path) == 0 &&
               a->inputs[i].size == b->inputs[i].size &&
               memcmp(a->inputs[i].data, b->inputs[i].data, a->inputs[i].size) == 0;
    return same;
}

/* The line at which two texts part. */
static enum dc_status branch_differs(const char *a, const char *b, struct dc_error *error)
{
    const char *line = a, *other = b;
    for (size_t i = 0; a[i] == b[i] && a[i] != '\0'; i++)
        if (a[i] == '\n') {
            line = a + i + 1;
            other = b + i + 1;
        }
    line += strspn(line, " ");
    other += strspn(other, " ");
    return dc_error_set(error, DC_ERR_USAGE,
                        "runs that share their warm-up may differ in protocol.upgrade, expect and "
                        "sometimes alone: one has `%.*s`, another `%.*s`",
                        (int)strcspn(line, "\n"), line, (int)strcspn(other, "\n"), other);
}

enum dc_status ds_world_same_beginning(const struct ds_scenario *a, const struct ds_scenario *b,
                                       struct dc_error *error)
{
    if (!a->upgrades || !b->upgrades)
        return dc_error_set(error, DC_ERR_USAGE,
                            "runs that share their warm-up part at protocol.upgrade: give its "
                            "epoch");
    if (a->upgrade.epoch != b->upgrade.epoch)
        return dc_error_set(error, DC_ERR_USAGE,
                            "runs that share their warm-up part at one epoch: protocol.upgrade has "
                            "%u and %u",
                            a->upgrade.epoch, b->upgrade.epoch);
    struct dc_text x = {0}, y = {0};
    branch_common(a, &x);
    branch_common(b, &y);
    enum dc_status status = DC_OK;
    if (x.failed || y.failed || x.data == NULL || y.data == NULL)
        status = dc_error_set(error, DC_ERR_IO, "out of memory");
    else if (strcmp(x.data, y.data) != 0)
        status = branch_differs(x.data, y.data, error);
    else if (!branch_inputs_equal(a, b))
        status = dc_error_set(error, DC_ERR_USAGE,
                              "runs that share their warm-up read the same files: one has changed "
                              "meanwhile");
    dc_text_free(&x);
    dc_text_free(&y);
    return status;
}

enum dc_status ds_world_turn(struct ds_world *w, uint64_t key, struct dc_error *error)
{
    w->luck = dc_mix64(w->luck ^ key);
    ds_net_turn(w->net, key);
    if (dc_store_turn(w->store, key))
        return DC_OK;
    return dc_error_set(error, DC_ERR_USAGE, "a run can take another turn %d times at most",
                        DC_LUCK_MAX);
}

enum dc_status ds_world_adopt(struct ds_world *w, const struct ds_scenario *scenario,
                              const char *output, struct dc_error *error)
{
    DC_CHECK(w->paused && w->branched == NULL);
    enum dc_status status = ds_world_same_beginning(w->scenario, scenario, error);
    if (status != DC_OK)
        return status;
    if (!dc_store_upgrade(w->store, &scenario->upgrade))
        return branch_late(&scenario->upgrade, error);
    /* A copy, because groups and faults are pointed to, and counted from, where they are. */
    w->branched = dc_mem_alloc(1, sizeof *w->branched);
    if (w->branched == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    *w->branched = *w->scenario;
    w->branched->upgrade = scenario->upgrade;
    w->branched->expects = scenario->expects;
    w->branched->expects_count = scenario->expects_count;
    w->branched->sometimes = scenario->sometimes;
    w->branched->sometimes_count = scenario->sometimes_count;
    w->scenario = w->branched;
    struct ds_recorder *waiting = w->observer->recorder;
    w->observer->recorder = NULL;
    w->options.output = output;
    if (output != NULL) {
        DC_CHECK(waiting != NULL);
        status = world_observer_file(w, error);
        if (status == DC_OK)
            status = ds_recorder_replay(w->observer->recorder, waiting, error);
    }
    if (waiting != NULL)
        (void)!ds_recorder_close(waiting, false, NULL, NULL, NULL);
    return status;
}
