/* What applications came to, against what they should have come to: the world knows every member's
 * numbers and data, so it computes the same in plain, and compares to the last bit. */
#include <math.h>

#include "models/base/mem.h"
#include "models/privacy/inference.h"
#include "models/privacy/training.h"
#include "sim/world/private_inside.h"

bool world_private_done(const struct private_app *app)
{
    if (app->from->kind != DS_APPLICATION_INFERENCE)
        return app->answer[0].given;
    for (uint32_t i = 1; i <= app->participants; i++)
        if (!app->answer[i].given)
            return false;
    return true;
}

static bool exact_training(const struct private_app *app)
{
    const struct ds_application *a = app->from;
    struct dc_training_shape shape;
    uint64_t digest = 0;
    uint64_t *seed = dc_mem_need(app->participants, sizeof *seed, "a plain training");
    for (uint32_t i = 0; i < app->participants; i++)
        seed[i] = app->call[1 + i].seed;
    bool made = dc_training_shape_make((uint8_t)a->model, a->features, a->samples, &shape) &&
                dc_training_expect(&shape, app->call[0].tag, seed, app->participants, a->rounds,
                                   NULL, NULL, &digest);
    dc_mem_free(seed);
    return made && digest == app->answer[0].value;
}

static uint32_t exact_inference(const struct private_app *app)
{
    const struct ds_application *a = app->from;
    uint32_t same = 0;
    for (uint32_t i = 1; i <= app->participants; i++)
        same += app->answer[i].given &&
                app->answer[i].value == dc_inference_expect(app->call[0].seed, app->call[i].seed,
                                                            a->features, a->rounds);
    return same;
}

/* Sum of the participants' own numbers, and the largest. */
static uint64_t exact_sum(const struct private_app *app, uint64_t *most)
{
    uint64_t sum = 0;
    *most = 0;
    for (uint32_t i = 1; i <= app->participants; i++) {
        sum += app->call[i].value;
        *most = app->call[i].value > *most ? app->call[i].value : *most;
    }
    return sum;
}

double world_private_result(const struct private_app *app)
{
    uint64_t said = app->answer[0].value;
    if (!world_private_done(app))
        return NAN;
    switch ((enum ds_application_kind)app->from->kind) {
    case DS_APPLICATION_AUCTION: return (double)said / (double)DC_DSYNC;
    case DS_APPLICATION_RATING: /* count << 32 | sum */
        return said >> 32 != 0 ? (double)(uint32_t)said / (double)(said >> 32) : NAN;
    case DS_APPLICATION_INFERENCE: return exact_inference(app);
    case DS_APPLICATION_TRAINING: return exact_training(app);
    default: return (double)said;
    }
}

bool world_private_right(const struct private_app *app)
{
    uint64_t said = app->answer[0].value, most, sum = exact_sum(app, &most);
    if (!world_private_done(app))
        return false;
    switch ((enum ds_application_kind)app->from->kind) {
    case DS_APPLICATION_AUCTION:
        return said <= most && most - said < DC_DSYNC / 1000; /* its unit */
    case DS_APPLICATION_ESCROW: return said == (app->participants >= app->from->threshold);
    case DS_APPLICATION_RATING: return said == ((uint64_t)app->participants << 32 | sum);
    case DS_APPLICATION_USAGE: return said == sum;
    case DS_APPLICATION_INFERENCE: return exact_inference(app) == app->participants;
    case DS_APPLICATION_TRAINING: return exact_training(app);
    case DS_APPLICATION_KINDS: break;
    }
    return false;
}

double world_private_exact(const struct ds_world *w, enum dc_app_kind kind)
{
    const struct world_private *v = w->private;
    double exact = NAN;
    for (uint32_t i = 0; i < v->apps; i++) {
        const struct private_app *app = &v->app[i];
        if (app->from->kind != (uint32_t)kind)
            continue;
        bool right = world_private_right(app);
        exact = isnan(exact) ? right : exact * right;
    }
    return exact;
}
