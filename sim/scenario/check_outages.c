/* A churn's trace: read here for its mistakes alone; the world reads it again, for its rows. */
#include "sim/scenario/load.h"

#include "sim/workload/outages.h"

#include <string.h>

static void check_outage_name(struct ds_bind *b, const char *path, const struct ds_outage *o)
{
    const struct ds_scenario *s = b->out;
    struct ds_place place = {o->at.line, o->at.column};
    for (size_t i = 0; i < s->groups_count; i++) {
        const struct ds_group *g = &s->groups[i];
        if (g->name == NULL || strlen(g->name) != o->name_size ||
            memcmp(g->name, o->name, o->name_size) != 0)
            continue;
        if (o->number >= g->count)
            ds_diagnostics_add(b->d, path, place,
                               "group `%s` has %u nodes, numbered from 0: there is no %llu",
                               g->name, g->count, (unsigned long long)o->number);
        return;
    }
    ds_diagnostics_add(b->d, path, place, "no group is called `%.*s`: use one of the scenario's",
                       (int)o->name_size, o->name);
}

void ds_scenario_check_outages(struct ds_bind *b, const struct ds_yaml *at, const char *path)
{
    const struct ds_input *input = ds_bind_input(b, at, path);
    if (input == NULL)
        return;
    struct ds_outages outages;
    struct ds_trace_place place = {0};
    struct dc_error error = {0};
    enum dc_status status = ds_outages_parse(input->data, input->size, &outages, &place, &error);
    if (status == DC_ERR_USAGE)
        ds_diagnostics_add(b->d, path, (struct ds_place){place.line, place.column}, "%s",
                           error.text);
    b->d->failed |= status == DC_ERR_IO;
    for (uint32_t i = 0; i < outages.count && i < 1u << 16; i++)
        if (outages.row[i].name != NULL)
            check_outage_name(b, path, &outages.row[i]);
    ds_outages_free(&outages);
}
