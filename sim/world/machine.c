/* Machines: how fast a node reads, how busy its machine is with other things, and which nodes share
 * one.
 *
 * Sybils stand on one machine, several to one: it has one place, one link class, one last mile, one
 * disk and one noise, all drawn in the name of the first of them, and one processor.
 *
 *     window:    A |--- 3 ms ---|            each node works alone within a window
 *                B    |-- 2 ms --|
 *     barrier:   both busy until 5 ms after A began
 *
 * Windows are run node by node, so that siblings cannot queue behind one another within one (a
 * millisecond or so, the smallest link delay); at its end the machine has done the work of all, and
 * that is when each of them finds its processor free.  The sum does not depend on the order, so
 * threads do not show.
 *
 * Noise is what a machine does beside the protocol: a factor on all its work, lognormal with median
 * 1, drawn for each machine and each stretch of an epoch's nominal length. */
#include "models/base/mem.h"
#include "sim/world/inside.h"
#include "sim/world/population.h"

#define NOISE_ONE 65536

struct world_share {
    int64_t first_ns, last_ns, sum_ns; /* since the last barrier; sum 0: nothing */
};

/* --- speed ---------------------------------------------------------------------------------- */

static bool machine_plain(const struct ds_dist_spec *d)
{
    return d->kind == DS_DIST_NONE || d->kind == DS_DIST_AUTO ||
           (d->kind == DS_DIST_CONSTANT && d->args[0] == world_chunk_ns);
}

static enum dc_status machine_chunks(struct ds_world *w, const struct ds_group *g,
                                     struct dc_error *error)
{
    const struct ds_cpu *cpu = &w->scenario->cpu;
    struct dc_dist *d = dc_mem_alloc(1, sizeof *d);
    if (d == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    enum dc_status s = world_tabulate(&g->chunk_time, 1, d, error);
    for (uint32_t i = 0; s == DC_OK && !cpu->none && i < g->count; i++) {
        uint32_t node = (uint32_t)g->first + i;
        double q8 = (double)dc_dist_at(d, world_draw(w, node, "chunk_time")) * 256 /
                    (cpu->cores * cpu->speed);
        w->chunk_q8[node] = (uint64_t)(q8 + 0.5);
    }
    dc_mem_free(d);
    return s;
}

static enum dc_status machine_noise(struct ds_world *w, size_t group, struct dc_error *error)
{
    const struct ds_group *g = &w->scenario->groups[group];
    struct ds_dist_spec spec = {.kind = DS_DIST_LOGNORMAL,
                                .args_count = 2,
                                .args = {1, g->load_noise},
                                .min = 1.0 / 64,
                                .max = 64,
                                .text = "load_noise"};
    if (w->noise == NULL)
        w->noise = dc_mem_alloc(w->scenario->groups_count, sizeof *w->noise);
    if (w->noise == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    return world_tabulate(&spec, NOISE_ONE, &w->noise[group], error);
}

uint64_t world_machine_cost(const struct ds_world *w, uint32_t node, const uint32_t *charge,
                            uint64_t cost_q8, int64_t start_ns)
{
    if (w->chunk_q8 != NULL)
        cost_q8 += charge[DC_COST_CHUNK] * w->chunk_q8[node] -
                   (uint64_t)charge[DC_COST_CHUNK] * w->cost_ns_q8[DC_COST_CHUNK];
    if (w->noise == NULL || cost_q8 == 0)
        return cost_q8;
    const struct dc_dist *d = &w->noise[w->group[node] - w->scenario->groups];
    if (d->max == 0)
        return cost_q8;
    struct dc_stream s =
        dc_stream(w->luck, w->identity[w->machine[node]], dc_name("load"));
    int64_t factor = dc_dist_at(d, dc_stream_at(&s, (uint64_t)(start_ns / w->noise_slot_ns)));
    return dc_muldiv(cost_q8, (uint64_t)factor, NOISE_ONE);
}

/* --- sharing -------------------------------------------------------------------------------- */

static enum dc_status machine_siblings(struct ds_world *w, struct dc_error *error)
{
    bool shared = false;
    for (uint32_t n = 0; n < w->nodes; n++)
        shared = shared || w->machine[n] != n;
    if (!shared)
        return DC_OK;
    w->sibling = dc_mem_alloc(w->nodes, sizeof *w->sibling);
    w->share = dc_mem_alloc(w->nodes, sizeof *w->share);
    if (w->sibling == NULL || w->share == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
    for (uint32_t n = 0; n < w->nodes; n++) {
        uint32_t first = w->machine[n];
        w->sibling[n] = n;
        if (first != n) {
            w->sibling[n] = w->sibling[first];
            w->sibling[first] = n;
        }
    }
    return DC_OK;
}

static void machine_sum(struct ds_world *w, const struct work *done)
{
    struct world_share *m = &w->share[w->machine[done->node]];
    if (m->sum_ns == 0 || done->start_ns < m->first_ns)
        m->first_ns = done->start_ns;
    if (m->sum_ns == 0 || done->leave_ns > m->last_ns)
        m->last_ns = done->leave_ns;
    m->sum_ns += done->leave_ns - done->start_ns;
}

static void machine_settle(struct ds_world *w, uint32_t first)
{
    struct world_share *m = &w->share[first];
    if (m->sum_ns == 0)
        return; /* done with another of its pieces */
    int64_t free_ns = m->first_ns + m->sum_ns > m->last_ns ? m->first_ns + m->sum_ns : m->last_ns;
    *m = (struct world_share){0};
    uint32_t n = first;
    do {
        if (w->busy_ns[n] < free_ns)
            w->busy_ns[n] = free_ns;
        n = w->sibling[n];
    } while (n != first);
}

void world_machines_share(struct ds_world *w)
{
    for (uint32_t i = 0; i < w->threads; i++)
        for (uint32_t k = 0; k < w->shard[i].works; k++)
            machine_sum(w, &w->shard[i].work[k]);
    for (uint32_t i = 0; i < w->threads; i++) {
        for (uint32_t k = 0; k < w->shard[i].works; k++)
            machine_settle(w, w->machine[w->shard[i].work[k].node]);
        w->shard[i].works = 0;
    }
}

/* --- the whole ------------------------------------------------------------------------------ */

enum dc_status world_machines_create(struct ds_world *w, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    enum dc_status s = machine_siblings(w, error);
    w->noise_slot_ns = w->params.epoch_blocks * w->params.block_interval_ns;
    if (w->noise_slot_ns < 1000000000)
        w->noise_slot_ns = 1000000000;
    for (size_t i = 0; s == DC_OK && i < sc->groups_count; i++) {
        const struct ds_group *g = &sc->groups[i];
        if (g->load_noise > 0)
            s = machine_noise(w, i, error);
        if (s != DC_OK || g->role != DS_ROLE_SERVICE || machine_plain(&g->chunk_time))
            continue;
        if (w->chunk_q8 == NULL) {
            w->chunk_q8 = dc_mem_alloc(w->nodes, sizeof *w->chunk_q8);
            if (w->chunk_q8 == NULL)
                return dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
            for (uint32_t n = 0; n < w->nodes; n++)
                w->chunk_q8[n] = w->cost_ns_q8[DC_COST_CHUNK];
        }
        s = machine_chunks(w, g, error);
    }
    w->machines = w->chunk_q8 != NULL || w->noise != NULL;
    return s;
}

void world_machines_free(struct ds_world *w)
{
    dc_mem_free(w->chunk_q8);
    dc_mem_free(w->noise);
    dc_mem_free(w->sibling);
    dc_mem_free(w->share);
}
