/* Finding things in a study. */
#include "analysis/study.h"

#include <math.h>
#include <string.h>

size_t da_study_metric(const struct da_study *s, const char *name)
{
    for (size_t i = 0; i < s->metrics; i++)
        if (strcmp(s->metric[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

size_t da_study_parameter(const struct da_study *s, const char *name)
{
    for (size_t i = 0; i < s->parameters; i++)
        if (strcmp(s->parameter[i].path, name) == 0 || strcmp(s->parameter[i].label, name) == 0)
            return i;
    return SIZE_MAX;
}

size_t da_study_sample(const struct da_study *s, size_t point, size_t metric, double *out)
{
    size_t n = 0;
    for (size_t r = 0; r < s->replications; r++) {
        uint8_t status = s->status[point * s->replications + r];
        double value = da_study_value(s, point, r, metric);
        if ((status == DA_RUN_DONE || status == DA_RUN_EXPECTATION) && !isnan(value))
            out[n++] = value;
    }
    return n;
}

void da_study_free(struct da_study *s)
{
    dc_arena_free(&s->arena);
    memset(s, 0, sizeof *s);
}
