/* What clients' users ask for, and when: open-loop demand.
 *
 * A client's arrivals are a Poisson process; each call is a put with the group's share, else a get
 * of an object chosen by popularity.  Every draw is keyed by (seed, client, purpose, ordinal of the
 * call), so that the n-th call of a client is the same in every run of one seed.  Popularity ranks
 * are dealt to the objects by a permutation of the seed, so that rank says nothing of the holder. */
#include "models/base/mem.h"
#include "sim/world/inside.h"
#include "sim/world/population.h"

struct world_demand {
    const struct ds_group *group;
    int64_t gap_mean_ns; /* of one client */
    struct ds_popularity popularity;
    struct dc_dist size;
    uint32_t *object; /* of each rank */
    uint32_t objects;
};

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
    return s;
}

enum dc_status world_demand_create(struct ds_world *w, uint32_t deals, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    w->demand = dc_mem_alloc(sc->groups_count, sizeof *w->demand);
    if (w->demand == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    enum dc_status s = ds_arrivals_init(&w->arrivals, error);
    for (size_t i = 0; s == DC_OK && i < sc->groups_count; i++)
        if (sc->groups[i].role == DS_ROLE_CLIENT)
            s = demand_group(w, &w->demand[i], &sc->groups[i], deals, error);
    return s;
}

void world_demand_free(struct ds_world *w)
{
    for (size_t i = 0; w->demand != NULL && i < w->scenario->groups_count; i++) {
        ds_popularity_free(&w->demand[i].popularity);
        dc_mem_free(w->demand[i].object);
    }
    dc_mem_free(w->demand);
    w->demand = NULL;
}

static uint64_t demand_draw(const struct ds_world *w, uint32_t client, const char *purpose,
                            uint64_t ordinal)
{
    struct dc_stream s = dc_stream(w->scenario->seed, w->identity[client], dc_name(purpose));
    return dc_stream_at(&s, ordinal);
}

int64_t world_next_call(struct ds_world *w, uint32_t client, uint64_t ordinal, int64_t after_ns)
{
    const struct world_demand *d = &w->demand[w->group[client] - w->scenario->groups];
    if (d->gap_mean_ns == 0)
        return INT64_MAX;
    uint64_t u = demand_draw(w, client, "arrival", ordinal);
    return after_ns + ds_arrivals_gap_at(&w->arrivals, d->gap_mean_ns, u);
}

struct dc_call world_call(struct ds_world *w, uint32_t client, uint64_t ordinal)
{
    const struct world_demand *d = &w->demand[w->group[client] - w->scenario->groups];
    struct dc_call call = {.put = demand_draw(w, client, "put", ordinal) >> 33 <
                                  d->group->demand.put_share};
    if (call.put) {
        int64_t size = dc_dist_at(&d->size, demand_draw(w, client, "size", ordinal));
        call.object = ordinal;
        call.size_bytes = size < 1 ? 1 : (uint64_t)size;
    } else {
        call.object =
            d->object[ds_popularity_at(&d->popularity, demand_draw(w, client, "object", ordinal))];
    }
    return call;
}
