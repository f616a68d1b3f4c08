/* Building the popularity table, in integers after the first rounding. */
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
