/* One run from the program's side: what `run`, `verify` and `bench` share, and the summary. */
#ifndef SIM_CMD_WORLD_H
#define SIM_CMD_WORLD_H

#include "sim/cmd.h"
#include "sim/world/world.h"

/* What the program tells about itself in every file; attributes[0..ds_cmd_attributes - 1]. */
enum { DS_CMD_ATTRIBUTES = 6 };
/* until_ns above 0 is recorded too, in text (60 bytes), so that verify stops at the same time. */
size_t ds_cmd_attributes(struct ds_attribute attributes[DS_CMD_ATTRIBUTES], int64_t until_ns,
                         char text[60]);

/* What a finished run is, for whoever tells about it. */
struct ds_outcome {
    const struct ds_scenario *scenario;
    const struct ds_summary *summary;
    const char *file;                 /* where the results are, or NULL */
    struct ds_progress_line progress; /* as of its end */
    struct ds_world_counts counts;
    double wall_s, cpu_s;
    uint32_t threads;
};
void ds_summary_print(const struct ds_outcome *outcome); /* one screen for people */
void ds_summary_json(const struct ds_outcome *outcome);  /* one object */
void ds_summary_private(const struct ds_outcome *outcome); /* of it, what is private; and channels */
/* What an application came to, in the words of its kind; result and exact: application_result.NAME
 * and application_exact.NAME. */
void ds_summary_application(const struct ds_application *a, double result, double exact,
                            struct dc_text *out);
const char *ds_summary_end(enum ds_world_end end);       /* how it ended, in one word */
/* Writes JUnit XML to path; stopped: what made the run fail, or NULL.  Returns an exit code. */
int ds_summary_junit(const struct ds_outcome *outcome, const char *stopped, const char *path);

#endif
