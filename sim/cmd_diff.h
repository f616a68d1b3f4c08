/* Inside `diff`: what two results files say of themselves, compared. */
#ifndef SIM_CMD_DIFF_H
#define SIM_CMD_DIFF_H

#include "sim/cmd_verify.h"

/* One thing that both have or one lacks (NULL), as text. */
struct ds_difference {
    const char *path, *a, *b;
};
struct ds_differences {
    struct ds_difference *list;
    size_t count, max;
    struct dc_arena arena; /* of their texts */
};
void ds_differences_add(struct ds_differences *d, const char *path, const char *a, const char *b);
void ds_differences_free(struct ds_differences *d);

/* Parameters of two resolved scenarios, every default spelled out, by path: `nodes.sto.count`.
 * Groups and faults are matched by name and id, whatever their place; a fault without its like is
 * held against the next one of its kind. */
void ds_diff_parameters(const struct ds_scenario *a, const struct ds_scenario *b,
                        struct ds_differences *out);
/* Embedded files, by path: size and digest. */
void ds_diff_inputs(struct ds_results *a, struct ds_results *b, struct ds_differences *out);
/* What the programs that wrote them say of themselves. */
void ds_diff_builds(struct ds_results *a, struct ds_results *b, struct ds_differences *out);

struct ds_metric_difference {
    const char *name, *units;
    double a, b;     /* NAN: not measured */
    double absolute; /* b - a */
    double relative; /* |b - a| / max(|a|, |b|); 1 when one was not measured */
};
/* Numbers of /summary that differ, the largest relative difference first; *out is for dc_mem_free,
 * *all: how many there are in either. */
size_t ds_diff_metrics(struct ds_results *a, struct ds_results *b,
                       struct ds_metric_difference **out, size_t *all);

#endif
