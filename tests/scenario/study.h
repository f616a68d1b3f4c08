/* What tests of studies begin with: a scenario to vary, three lines of a study, its load. */
#ifndef TESTS_SCENARIO_STUDY_H
#define TESTS_SCENARIO_STUDY_H

#include "sim/scenario/study.h"

#include <string.h>

#define BASE                                                                                       \
    "name: b\nduration: 4 epochs\nnetwork: {latency: 20 ms}\nnodes:\n"                             \
    "  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}\n"                               \
    "  - {name: sto, role: service, count: 12, strategy: {honest: 0.9, ghost: 0.1}}\n"             \
    "  - {name: cli, role: client, count: 2}\n"
/* Three lines; what a case adds begins at line 4. */
#define HEAD "name: s\nscenario: base.yaml\nseed: 5\n"
#define THETA "parameters: [{path: protocol.theta, values: [0.1, 0.2]}]\n"

static inline enum dc_status load(const char *text, const char *const *overrides, size_t count,
                                  struct ds_study *out, struct ds_diagnostics *d)
{
    struct ds_input input = {"base.yaml", BASE, sizeof BASE - 1};
    struct ds_source source = {
        .name = "s.yaml", .text = text, .size = strlen(text), .inputs = &input, .inputs_count = 1};
    return ds_study_load_text(&source, overrides, count, out, d);
}

#endif
