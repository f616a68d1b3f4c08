/* What clients' users ask for, and when: open-loop demand, and the metering of traced nodes.
 *
 * A client's arrivals are a Poisson process whose rate may follow the hour and crowds; each call is
 * a put with the group's share, else a get of an object chosen by popularity.  Every draw is keyed
 * by (seed, client, purpose, ordinal of the call), so that the n-th call of a client is the same in
 * every run of one seed.  Popularity ranks are dealt to the objects by a permutation of the seed, so
 * that rank says nothing of the holder.
 *
 * A node of a group with a trace follows one series of it, drawn by its name.  Its customers pay for
 * what the series says by metering calls: one chain of events for each deal that such a node has
 * since genesis, beside the client's own calls:
 *
 *     payload of EV_CALL   0 | ordinal of the client's call
 *                          1 | deal (31 bits) | ordinal of the series' change (32 bits)
 *                          01 | private payments and applications: private.h
 *
 * Both are pure functions of the payload, so nothing is kept between calls.  A deal is metered a
 * moment of its own after the change, so that not all clients speak at once. */
#include "models/base/mem.h"
#include "sim/workload/trace.h"
#include "sim/world/inside.h"
#include "sim/world/population.h"
#include "sim/world/private.h"

#define METER ((uint64_t)1 << 63)
#define METER_SPREAD_MAX_NS 30000000000ll

struct demand_deal {
    uint32_t node, client;
    uint32_t slot; /* among the node's */
    uint64_t size_bytes;
};

struct world_demand {
    const struct ds_group *group;
    int64_t gap_mean_ns; /* of one client */
    struct ds_popularity popularity;
    struct dc_dist size;
    uint32_t *object; /* of each rank */
    uint32_t objects;
    bool shaped;
    struct ds_shape shape;
    struct ds_crowd *crowd;   /* one for each flash of the group */
    uint32_t *crowd_object;   /* that its crowd asks for */
    struct demand_deal *deal; /* of genesis; kept by the first group alone, when nodes are traced */
    uint32_t deals;
};

/* ---- clients' own calls -------------------------------------------------------------------- */

static enum dc_status demand_shape(struct ds_world *w, struct world_demand *d,
                                   struct dc_error *error)
{
    const struct ds_demand *from = &d->group->demand;
    d->shaped = from->diurnal.given || from->flash_count != 0;
    if (!d->shaped)
        return DC_OK;
    d->crowd = dc_mem_alloc(from->flash_count + 1, sizeof *d->crowd);
    d->crowd_object = dc_mem_alloc(from->flash_count + 1, sizeof *d->crowd_object);
    if (d->crowd == NULL || d->crowd_object == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    d->shape =
        (struct ds_shape){.crowd = d->crowd, .crowds = from->flash_count, .end_ns = w->end_ns};
    if (from->diurnal.given)
        ds_shape_day(&d->shape, dc_q31_to_double(from->diurnal.amplitude), from->diurnal.period_ns,
                     from->diurnal.phase_ns);
    struct dc_stream stream =
        dc_stream(w->scenario->seed, dc_name(d->group->name), dc_name("flash"));
    for (size_t i = 0; i < from->flash_count; i++) {
        const struct ds_flash *f = &from->flash[i];
        d->crowd[i] = (struct ds_crowd){.from_ns = f->at_ns,
                                        .to_ns = f->at_ns + f->for_ns,
                                        .factor_q20 = (uint64_t)(f->factor * DS_SHAPE_ONE + 0.5)};
        uint64_t u = dc_stream_at(&stream, (uint64_t)f->at_ns);
        d->crowd_object[i] = (uint32_t)((unsigned __int128)u * d->objects >> 64);
    }
    return DC_OK;
}

static enum dc_status demand_group(struct ds_world *w, struct world_demand *d,
                                   const struct ds_group *g, uint32_t deals, struct dc_error *error)
{
    const struct ds_demand *from = &g->demand;
    d->group = g;
    d->gap_mean_ns = 0;
    if (from->arrivals.kind == DS_DIST_POISSON && from->arrivals.args[0] > 0) {
        double gap = 1e9 / from->arrivals.args[0];
        d->gap_mean_ns = gap > 9e18 ? INT64_MAX : gap < 1 ? 1 : (int64_t)gap;
    }
    d->objects = deals == 0 ? 1 : deals;
    double exponent = from->popularity.kind == DS_DIST_ZIPF ? from->popularity.args[0] : 0;
    enum dc_status s = ds_popularity_zipf(d->objects, exponent, &d->popularity, error);
    if (s == DC_OK)
        s = world_tabulate(&from->object_size, 1, &d->size, error);
    d->object = dc_mem_alloc(d->objects, sizeof *d->object);
    if (d->object == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u objects", d->objects);
    struct dc_stream stream = dc_stream(w->scenario->seed, dc_name(g->name), dc_name("objects"));
    for (uint32_t i = 0; i < d->objects; i++) { /* Fisher and Yates, inside out */
        uint32_t j = (uint32_t)dc_next_below(&stream, (uint64_t)i + 1);
        d->object[i] = d->object[j];
        d->object[j] = i;
    }
    return s == DC_OK ? demand_shape(w, d, error) : s;
}

static uint64_t demand_draw(const struct ds_world *w, uint32_t client, const char *purpose,
                            uint64_t ordinal)
{
    struct dc_stream s = dc_stream(w->luck, w->identity[client], dc_name(purpose));
    return dc_stream_at(&s, ordinal);
}

/* ---- traces -------------------------------------------------------------------------------- */

enum dc_status world_traces_create(struct ds_world *w, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    w->trace = dc_mem_alloc(sc->groups_count, sizeof *w->trace);
    if (w->trace == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    for (size_t i = 0; i < sc->groups_count; i++) {
        const char *path = sc->groups[i].trace;
        for (size_t k = 0; path != NULL && k < sc->inputs_count; k++) {
            if (strcmp(sc->inputs[k].path, path) != 0)
                continue;
            struct ds_trace_place at;
            struct dc_error why = {0};
            enum dc_status s =
                ds_trace_parse(sc->inputs[k].data, sc->inputs[k].size, &w->trace[i], &at, &why);
            if (s != DC_OK)
                return dc_error_set(error, s, "%s:%u:%u: error: %s", path, at.line, at.column,
                                    why.text);
            break;
        }
    }
    return DC_OK;
}

static const struct ds_trace *demand_trace(const struct ds_world *w, uint32_t node)
{
    return &w->trace[w->group[node] - w->scenario->groups];
}

static uint32_t demand_series(const struct ds_world *w, uint32_t node)
{
    return ds_trace_series(demand_trace(w, node), demand_draw(w, node, "trace", 0));
}

bool world_traced(const struct ds_world *w, uint32_t node)
{
    return demand_trace(w, node)->rows != 0;
}

dc_q31 world_trace_max(const struct ds_world *w, uint32_t node)
{
    return ds_trace_max(demand_trace(w, node), demand_series(w, node));
}

dc_q31 world_trace_at(const struct ds_world *w, uint32_t node, int64_t time_ns)
{
    return ds_trace_at(demand_trace(w, node), demand_series(w, node), time_ns);
}

static enum dc_status demand_deals(struct ds_world *w, const struct world_genesis *genesis,
                                   struct dc_error *error)
{
    bool traced = false;
    for (size_t i = 0; i < w->scenario->groups_count; i++)
        traced = traced || w->trace[i].rows != 0;
    if (!traced || genesis->deals == 0)
        return DC_OK;
    w->demand->deal = dc_mem_alloc(genesis->deals, sizeof *w->demand->deal);
    if (w->demand->deal == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    w->demand->deals = genesis->deals;
    for (uint32_t i = 0; i < genesis->deals; i++) {
        const struct dc_deal *from = &genesis->deal[i];
        struct demand_deal *d = &w->demand->deal[i];
        *d = (struct demand_deal){
            .node = from->node, .client = from->client, .size_bytes = from->size_bytes};
        d->slot = i > 0 && d[-1].node == d->node ? d[-1].slot + 1 : 0;
    }
    return DC_OK;
}

/* How long after a change a deal is metered: below a quarter of the shortest step, so that the
 * order of changes stays. */
static int64_t demand_meter_delay(const struct ds_world *w, const struct ds_trace *t,
                                  const struct demand_deal *d)
{
    uint64_t spread = (uint64_t)t->step_ns / 4;
    if (spread > METER_SPREAD_MAX_NS)
        spread = METER_SPREAD_MAX_NS;
    return 1 +
           (int64_t)((unsigned __int128)demand_draw(w, d->node, "meter", d->slot) * spread >> 64);
}

static int64_t demand_next_meter(const struct ds_world *w, uint64_t payload)
{
    const struct demand_deal *d = &w->demand->deal[payload >> 32 & INT32_MAX];
    const struct ds_trace *t = demand_trace(w, d->node);
    dc_q31 value;
    int64_t due = ds_trace_change(t, demand_series(w, d->node), (uint32_t)payload, &value);
    if (due >= w->end_ns)
        return INT64_MAX;
    return due + demand_meter_delay(w, t, d);
}

static struct dc_call demand_meter(const struct ds_world *w, uint64_t payload)
{
    uint32_t deal = (uint32_t)(payload >> 32) & INT32_MAX;
    const struct demand_deal *d = &w->demand->deal[deal];
    dc_q31 value, max = world_trace_max(w, d->node);
    ds_trace_change(demand_trace(w, d->node), demand_series(w, d->node), (uint32_t)payload, &value);
    return (struct dc_call){
        .kind = DC_CALL_METER, .object = deal, .size_bytes = dc_muldiv(d->size_bytes, value, max)};
}

/* ---- the whole ----------------------------------------------------------------------------- */

enum dc_status world_demand_create(struct ds_world *w, const struct world_genesis *genesis,
                                   struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    w->demand = dc_mem_alloc(sc->groups_count, sizeof *w->demand);
    if (w->demand == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    enum dc_status s = ds_arrivals_init(&w->arrivals, error);
    for (size_t i = 0; s == DC_OK && i < sc->groups_count; i++)
        if (sc->groups[i].role == DS_ROLE_CLIENT)
            s = demand_group(w, &w->demand[i], &sc->groups[i], genesis->deals, error);
    return s == DC_OK ? demand_deals(w, genesis, error) : s;
}

void world_demand_start(struct ds_world *w)
{
    for (uint32_t n = 0; n < w->nodes; n++) {
        if (w->group[n]->role != DS_ROLE_CLIENT)
            continue;
        int64_t first = world_next_call(w, n, 0, 1);
        if (first != INT64_MAX)
            world_post_self(w, 0, n, first, EV_CALL, 0);
    }
    for (uint32_t i = 0; i < w->demand->deals; i++) {
        const struct demand_deal *d = &w->demand->deal[i];
        if (!world_traced(w, d->node) || w->group[d->client]->role != DS_ROLE_CLIENT)
            continue;
        uint64_t payload =
            METER | (uint64_t)i << 32 | 1; /* change 0 is how things are at genesis */
        int64_t first = demand_next_meter(w, payload);
        if (first != INT64_MAX)
            world_post_self(w, 0, d->client, first, EV_CALL, payload);
    }
}

void world_demand_free(struct ds_world *w)
{
    for (size_t i = 0; i < w->scenario->groups_count; i++) {
        if (w->demand != NULL) {
            ds_popularity_free(&w->demand[i].popularity);
            dc_mem_free(w->demand[i].object);
            dc_mem_free(w->demand[i].crowd);
            dc_mem_free(w->demand[i].crowd_object);
            dc_mem_free(w->demand[i].deal);
        }
        if (w->trace != NULL)
            ds_trace_free(&w->trace[i]);
    }
    dc_mem_free(w->demand);
    dc_mem_free(w->trace);
    w->demand = NULL;
    w->trace = NULL;
}

int64_t world_next_call(struct ds_world *w, uint32_t client, uint64_t ordinal, int64_t after_ns)
{
    if ((ordinal & METER) != 0)
        return demand_next_meter(w, ordinal);
    if ((ordinal & WORLD_CALL_PRIVATE) != 0)
        return world_private_next(w, client, ordinal, after_ns);
    const struct world_demand *d = &w->demand[w->group[client] - w->scenario->groups];
    if (d->gap_mean_ns == 0)
        return INT64_MAX;
    uint64_t u = demand_draw(w, client, "arrival", ordinal);
    int64_t gap = ds_arrivals_gap_at(&w->arrivals, d->gap_mean_ns, u);
    return d->shaped ? ds_shape_after(&d->shape, after_ns, gap) : after_ns + gap;
}

/* The object that a crowd wants, when the client is part of it at that time. */
static bool demand_focus(const struct ds_world *w, const struct world_demand *d, uint32_t client,
                         uint64_t ordinal, int64_t now_ns, uint64_t *object)
{
    for (size_t i = 0; i < d->shape.crowds; i++) {
        if (now_ns < d->crowd[i].from_ns || now_ns >= d->crowd[i].to_ns)
            continue;
        if (demand_draw(w, client, "focus", ordinal) >> 33 >= d->group->demand.flash[i].focus)
            return false;
        *object = d->crowd_object[i];
        return true;
    }
    return false;
}

struct dc_call world_call(struct ds_world *w, uint32_t client, uint64_t ordinal, int64_t now_ns)
{
    if ((ordinal & METER) != 0)
        return demand_meter(w, ordinal);
    if ((ordinal & WORLD_CALL_PRIVATE) != 0)
        return world_private_call(w, client, ordinal);
    const struct world_demand *d = &w->demand[w->group[client] - w->scenario->groups];
    bool put = demand_draw(w, client, "put", ordinal) >> 33 < d->group->demand.put_share;
    struct dc_call call = {.kind = put ? DC_CALL_PUT : DC_CALL_GET};
    if (put) {
        int64_t size = dc_dist_at(&d->size, demand_draw(w, client, "size", ordinal));
        call.object = ordinal;
        call.size_bytes = size < 1 ? 1 : (uint64_t)size;
    } else if (!demand_focus(w, d, client, ordinal, now_ns, &call.object)) {
        call.object =
            d->object[ds_popularity_at(&d->popularity, demand_draw(w, client, "object", ordinal))];
    }
    return call;
}
