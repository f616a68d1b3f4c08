/* Rows of /faults: what was executed, when, against whom.
 *
 * A row is written when what it tells has ended, so that it tells the truth: at the end of an
 * occurrence, when a look at the selectors changes its targets, at each outage's end; and when the
 * run is over, without an end, for what is in force then. */
#include <math.h>
#include <stdio.h>

#include "models/base/mem.h"
#include "sim/scenario/load.h"
#include "sim/world/faults.h"
#include "sim/world/observe.h"

#define RECORD_NAMES_MAX 16 /* targets that are named; of more, only how many there are */

static void record_name(const struct ds_world *w, uint32_t node, struct dc_text *out)
{
    const struct ds_group *g = w->group[node];
    dc_text_printf(out, "%s%s[%llu]", out->size > 0 ? ", " : "", g->name,
                   (unsigned long long)(node - g->first));
}

static void record_names(const struct ds_world *w, const struct world_targets *to,
                         struct dc_text *out)
{
    uint32_t named = 0;
    for (uint32_t n = 0; n < w->nodes && named < RECORD_NAMES_MAX; n++)
        if (to->node[n]) {
            record_name(w, n, out);
            named++;
        }
    if (to->count > named)
        dc_text_printf(out, " and %u more", to->count - named);
}

/* The fault as YAML in one line, with what differs from the defaults. */
static void record_parameters(const struct ds_fault *f, struct dc_text *out)
{
    struct dc_text lines = {0};
    ds_scenario_print_fault(f, &lines);
    dc_text_printf(out, "{id: %s", f->id);
    for (const char *p = lines.data; p != NULL && *p != '\0';) {
        const char *end = strchr(p, '\n');
        size_t size = end != NULL ? (size_t)(end - p) : strlen(p);
        if (strncmp(p, "groups:", 7) == 0) {
            dc_text_add(out, ", groups: [");
            for (size_t g = 0; g < f->groups_count; g++) {
                dc_text_add(out, g > 0 ? ", [" : "[");
                ds_yaml_print_scalar(out, f->groups[g]->text);
                dc_text_add(out, "]");
            }
            dc_text_add(out, "]");
        } else if (size > 0 && *p != ' ' && *p != '-') { /* not of a list above */
            dc_text_add(out, ", ");
            dc_text_put(out, p, size);
        }
        p += size + (end != NULL);
    }
    dc_text_add(out, "}");
    dc_text_free(&lines);
}

static void record_append(struct ds_world *w, uint32_t fault, uint64_t occurrence, uint64_t count,
                          const struct dc_text *nodes, int64_t begin_ns, int64_t end_ns)
{
    const struct ds_fault *f = &w->scenario->faults[fault];
    struct dc_text parameters = {0};
    record_parameters(f, &parameters);
    DC_CHECK(!parameters.failed && !nodes->failed);
    struct ds_row_fault row = {.time_s = (double)begin_ns / 1e9,
                               .end_s = end_ns == INT64_MAX ? NAN : (double)end_ns / 1e9,
                               .occurrence = occurrence,
                               .kind = (uint16_t)f->kind,
                               .id = f->id,
                               .targets = count,
                               .nodes = nodes->data != NULL ? nodes->data : "",
                               .parameters = parameters.data};
    world_observe_fault(w, &row);
    dc_text_free(&parameters);
}

void world_fault_row(struct ds_world *w, uint32_t fault, uint64_t occurrence,
                     const struct world_targets *to, int64_t begin_ns, int64_t end_ns)
{
    struct dc_text nodes = {0};
    record_names(w, to, &nodes);
    record_append(w, fault, occurrence, to->count, &nodes, begin_ns, end_ns);
    dc_text_free(&nodes);
}

void world_fault_row_node(struct ds_world *w, uint32_t fault, uint64_t occurrence, uint32_t node,
                          int64_t begin_ns, int64_t end_ns)
{
    struct dc_text nodes = {0};
    record_name(w, node, &nodes);
    record_append(w, fault, occurrence, 1, &nodes, begin_ns, end_ns);
    dc_text_free(&nodes);
}
