/* Building the popularity table and the day's, in integers after the first rounding; and the walk
 * along a rate that changes. */
#include "sim/workload/demand.h"

#include "models/base/mem.h"
#include "sim/workload/tabulate.h"

#include <math.h>

#define DEMAND_COLUMN (1ull << 32)

/* Integer weights of sum count * 2^32, in share[]; what rounding left goes to the first object. */
static void demand_weights(struct ds_popularity *p, double exponent)
{
    double sum = 0;
    for (uint32_t i = p->count; i-- > 0;) /* smallest first: least rounding */
        sum += pow(i + 1, -exponent);
    const double unit = (double)p->count * DEMAND_COLUMN / sum;
    const uint64_t total = p->count * DEMAND_COLUMN;
    uint64_t used = 0;
    for (uint32_t i = p->count; i-- > 1;) {
        uint64_t w = (uint64_t)(pow(i + 1, -exponent) * unit);
        p->share[i] = w < total - used ? w : total - used;
        used += p->share[i];
    }
    p->share[0] = total - used;
}

/* Vose's pairing: a column that is not full is filled up from one that overflows.  stack holds the
 * poor from its bottom and the rich from its top. */
static void demand_pair(struct ds_popularity *p, uint32_t *stack)
{
    uint32_t poor = 0, rich = p->count;
    for (uint32_t i = 0; i < p->count; i++) {
        p->alias[i] = i;
        if (p->share[i] < DEMAND_COLUMN)
            stack[poor++] = i;
        else
            stack[--rich] = i;
    }
    while (poor > 0 && rich < p->count) {
        uint32_t s = stack[--poor], l = stack[rich++];
        p->alias[s] = l;
        p->share[l] -= DEMAND_COLUMN - p->share[s];
        if (p->share[l] < DEMAND_COLUMN)
            stack[poor++] = l;
        else
            stack[--rich] = l;
    }
}

enum dc_status ds_popularity_zipf(uint32_t count, double exponent, struct ds_popularity *out,
                                  struct dc_error *error)
{
    *out = (struct ds_popularity){0};
    if (count == 0 || count > DS_POPULARITY_COUNT_MAX)
        return dc_error_set(error, DC_ERR_USAGE, "zipf: %u objects; use 1 to %u", count,
                            DS_POPULARITY_COUNT_MAX);
    if (!(exponent >= 0 && exponent <= 20))
        return dc_error_set(error, DC_ERR_USAGE, "zipf: exponent %g; use 0 to 20", exponent);
    out->count = count;
    out->alias = dc_mem_alloc(count, sizeof(*out->alias));
    out->share = dc_mem_alloc(count, sizeof(*out->share));
    uint32_t *stack = dc_mem_alloc(count, sizeof(*stack));
    if (out->alias == NULL || out->share == NULL || stack == NULL) {
        dc_mem_free(stack);
        ds_popularity_free(out);
        return dc_error_set(error, DC_ERR_IO, "zipf: out of memory for %u objects", count);
    }
    demand_weights(out, exponent);
    demand_pair(out, stack);
    dc_mem_free(stack);
    out->digest = dc_mix64(count);
    for (uint32_t i = 0; i < count; i++)
        out->digest = dc_mix64(out->digest ^ out->share[i] ^ (uint64_t)out->alias[i] << 34);
    return DC_OK;
}

void ds_popularity_free(struct ds_popularity *p)
{
    dc_mem_free(p->alias);
    dc_mem_free(p->share);
    *p = (struct ds_popularity){0};
}

enum dc_status ds_arrivals_init(struct ds_arrivals *a, struct dc_error *error)
{
    const struct ds_tabulate_spec unit = {
        .kind = DS_TABULATE_EXPONENTIAL, .arg = {1}, .scale = (double)DS_ARRIVALS_ONE};
    return ds_tabulate(&unit, &a->gap, error);
}

/* ---- shape --------------------------------------------------------------------------------- */

#define SHAPE_FACTOR_MAX ((uint64_t)1 << 40)

static int64_t shape_edge(const struct ds_shape *s, uint32_t cell)
{
    return (int64_t)((__int128)s->period_ns * cell / DS_SHAPE_CELLS);
}

void ds_shape_day(struct ds_shape *s, double amplitude, int64_t period_ns, int64_t phase_ns)
{
    const double pi = 3.14159265358979323846;
    s->period_ns = period_ns;
    s->phase_ns = phase_ns % period_ns;
    unsigned __int128 work = 0;
    for (uint32_t i = 0; i < DS_SHAPE_CELLS; i++) {
        double a = 2 * pi * i / DS_SHAPE_CELLS, b = 2 * pi * (i + 1) / DS_SHAPE_CELLS;
        double mean = 1 + amplitude * (cos(a) - cos(b)) / (b - a);
        s->day_q20[i] = (uint32_t)nearbyint(fmax(mean, 0) * DS_SHAPE_ONE);
        work += (unsigned __int128)(shape_edge(s, i + 1) - shape_edge(s, i)) * s->day_q20[i];
    }
    s->day_work = (uint64_t)(work / DS_SHAPE_ONE);
}

/* The product of the crowds' factors at a time, and the next of their edges. */
static uint64_t shape_crowds(const struct ds_shape *s, int64_t time_ns, int64_t *edge_ns)
{
    uint64_t factor = DS_SHAPE_ONE;
    *edge_ns = s->end_ns;
    for (size_t i = 0; i < s->crowds; i++) {
        const struct ds_crowd *c = &s->crowd[i];
        int64_t edge = time_ns < c->from_ns ? c->from_ns : c->to_ns;
        if (edge > time_ns && edge < *edge_ns)
            *edge_ns = edge;
        if (time_ns < c->from_ns || time_ns >= c->to_ns)
            continue;
        unsigned __int128 product = (unsigned __int128)factor * c->factor_q20 / DS_SHAPE_ONE;
        factor = product > SHAPE_FACTOR_MAX ? SHAPE_FACTOR_MAX : (uint64_t)product;
    }
    return factor;
}

uint64_t ds_shape_factor(const struct ds_shape *s, int64_t time_ns, int64_t *until_ns)
{
    uint64_t factor = shape_crowds(s, time_ns, until_ns);
    if (s->period_ns == 0)
        return factor;
    int64_t into = (time_ns + s->phase_ns) % s->period_ns;
    uint32_t cell = (uint32_t)((__int128)into * DS_SHAPE_CELLS / s->period_ns);
    while (shape_edge(s, cell + 1) <= into) /* edges are rounded down */
        cell++;
    int64_t edge = time_ns + (shape_edge(s, cell + 1) - into);
    if (edge < *until_ns)
        *until_ns = edge;
    return (uint64_t)((unsigned __int128)factor * s->day_q20[cell] / DS_SHAPE_ONE);
}

/* Whole periods before the next crowd's edge: what they use up is the same each time. */
static void shape_skip(const struct ds_shape *s, int64_t *time_ns, unsigned __int128 *left)
{
    int64_t edge;
    uint64_t factor = shape_crowds(s, *time_ns, &edge);
    unsigned __int128 each = 0;
    if (s->period_ns == 0 || edge - *time_ns < s->period_ns ||
        *left < (unsigned __int128)s->day_work * factor)
        return;
    for (uint32_t i = 0; i < DS_SHAPE_CELLS; i++)
        each += (unsigned __int128)(shape_edge(s, i + 1) - shape_edge(s, i)) *
                (uint64_t)((unsigned __int128)factor * s->day_q20[i] / DS_SHAPE_ONE);
    uint64_t periods = (uint64_t)((edge - *time_ns) / s->period_ns);
    if (each != 0 && *left / each < periods)
        periods = (uint64_t)(*left / each);
    *left -= each * periods;
    *time_ns += (int64_t)periods * s->period_ns;
}

int64_t ds_shape_after(const struct ds_shape *s, int64_t time_ns, int64_t gap_ns)
{
    unsigned __int128 left = (unsigned __int128)gap_ns * DS_SHAPE_ONE;
    int64_t t = time_ns;
    shape_skip(s, &t, &left);
    while (t < s->end_ns) {
        int64_t until;
        uint64_t factor = ds_shape_factor(s, t, &until);
        unsigned __int128 work = (unsigned __int128)(until - t) * factor;
        if (left < work) {
            t += (int64_t)(left / factor);
            return t > time_ns ? t : time_ns + 1;
        }
        left -= work;
        t = until;
        shape_skip(s, &t, &left);
    }
    return INT64_MAX;
}
