/* Which nodes a selector means, once the world knows where nodes are and what they weigh. */
#include "sim/scenario/scenario.h"

#include "models/base/rng.h"

#include <stdlib.h>
#include <string.h>

/* A candidate: the smallest keys are taken. */
struct match_key {
    uint64_t key, node;
};

static int match_compare(const void *a, const void *b)
{
    const struct match_key *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

static const struct ds_group *match_group(const struct ds_scenario *s, uint64_t node)
{
    size_t g = 0;
    while (node >= s->groups[g].first + s->groups[g].count)
        g++;
    return &s->groups[g];
}

static void match_one(const struct ds_selector *s, const struct ds_population *p, uint64_t seed,
                      uint64_t identity, bool *member);

static uint64_t match_key_of(const struct ds_selector *s, const struct ds_population *p,
                             uint64_t seed, uint64_t identity, uint64_t node)
{
    const uint64_t *measure = s->measure == DS_MEASURE_POWER ? p->power : p->centrality;
    if (s->kind == DS_SELECT_TOP)
        return measure != NULL ? UINT64_MAX - measure[node] : 0;
    const struct ds_group *g = match_group(p->scenario, node);
    struct dc_stream stream = dc_stream(seed, dc_name_indexed(g->name, node - g->first),
                                        dc_mix64(identity ^ dc_name("selector")));
    return dc_stream_at(&stream, 0);
}

/* Power of `of`, as far as it goes into the share: each node in the order of its key that still fits. */
static void match_stake(const struct ds_selector *s, const struct ds_population *p,
                        const struct match_key *keys, uint64_t count, bool *member)
{
    unsigned __int128 total = 0, taken = 0;
    for (uint64_t i = 0; i < count; i++)
        total += p->power != NULL ? p->power[keys[i].node] : 1;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t power = p->power != NULL ? p->power[keys[i].node] : 1;
        if (power == 0 || (taken + power) * DC_PPM > total * s->ppm)
            continue;
        taken += power;
        member[keys[i].node] = true;
    }
}

static void match_some(const struct ds_selector *s, const struct ds_population *p, uint64_t seed,
                       uint64_t identity, bool *member)
{
    uint64_t nodes = p->scenario->nodes_count, count = 0;
    bool *inner = dc_mem_need(nodes, sizeof *inner, "selectors");
    struct match_key *keys = dc_mem_need(nodes, sizeof *keys, "selectors");
    match_one(s->of, p, seed, identity, inner);
    for (uint64_t n = 0; n < nodes; n++)
        if (inner[n])
            keys[count++] = (struct match_key){match_key_of(s, p, seed, identity, n), n};
    qsort(keys, count, sizeof *keys, match_compare);
    if (s->kind == DS_SELECT_STAKE) {
        match_stake(s, p, keys, count, member);
        dc_mem_free(keys);
        dc_mem_free(inner);
        return;
    }
    uint64_t take = s->ppm != 0 ? (count * s->ppm + DC_PPM / 2) / DC_PPM : s->count;
    for (uint64_t i = 0; i < take && i < count; i++)
        member[keys[i].node] = true;
    dc_mem_free(keys);
    dc_mem_free(inner);
}

static void match_one(const struct ds_selector *s, const struct ds_population *p, uint64_t seed,
                      uint64_t identity, bool *member)
{
    const struct ds_scenario *scenario = p->scenario;
    if (s->kind == DS_SELECT_LEADERS) {
        for (uint32_t i = 0; i < p->leaders_count && i < s->number; i++)
            member[p->leaders[i]] = true;
        return;
    }
    if (s->kind == DS_SELECT_SHARE || s->kind == DS_SELECT_COUNT || s->kind == DS_SELECT_TOP ||
        s->kind == DS_SELECT_STAKE) {
        match_some(s, p, seed, identity, member);
        return;
    }
    for (size_t g = 0; g < scenario->groups_count; g++) {
        const struct ds_group *group = &scenario->groups[g];
        for (uint64_t i = 0; i < group->count; i++) {
            uint64_t n = group->first + i;
            const char *region = p->region != NULL && scenario->network.region_names != NULL
                                     ? scenario->network.region_names[p->region[n]]
                                     : "";
            bool in =
                s->kind == DS_SELECT_ALL ||
                (s->kind == DS_SELECT_ROLE && group->role == s->number) ||
                (s->kind == DS_SELECT_GROUP && g == s->number) ||
                (s->kind == DS_SELECT_NODES && g == s->number && i >= s->first && i <= s->last) ||
                (s->kind == DS_SELECT_REGION &&
                 (s->prefix ? strncmp(region, s->name, strlen(s->name)) == 0
                            : strcmp(region, s->name) == 0));
            if (in)
                member[n] = true;
        }
    }
}

uint64_t ds_selector_match(const struct ds_selector *selector, const struct ds_population *p,
                           uint64_t seed, uint64_t identity, bool *member)
{
    uint64_t nodes = p->scenario->nodes_count, count = 0;
    bool *mine = dc_mem_need(nodes, sizeof *mine, "selectors");
    for (const struct ds_selector *s = selector; s != NULL; s = s->next)
        match_one(s, p, seed, identity, mine);
    for (uint64_t n = 0; n < nodes; n++) {
        count += mine[n];
        member[n] = member[n] || mine[n];
    }
    dc_mem_free(mine);
    return count;
}
