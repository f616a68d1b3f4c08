/* Progress on standard error: a live line on a terminal, a plain line every ten seconds elsewhere.
 *
 * Also the program's clocks: no other file but commands may read one, and nothing that they say
 * reaches a result. */
#ifndef SIM_PROGRESS_H
#define SIM_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct ds_progress;

struct ds_progress_line {
    bool quiet, live;
    double begin_s, shown_s; /* wall clock */
    int64_t now_ns, end_ns;  /* as of the last call */
    uint64_t epoch, height, events;
    uint64_t mark_epoch, mark_height; /* when an epoch was last seen to end */
};

double ds_clock_wall(void); /* seconds since some moment, never backwards */
double ds_clock_cpu(void);  /* seconds of processor time of the process, all threads */

/* Is standard error (or output) a terminal that understands escapes, and NO_COLOR unset? */
bool ds_terminal_colours(bool error);

/* what: shown until virtual time runs ("setting up 600 nodes"). */
void ds_progress_begin(struct ds_progress_line *line, bool quiet, const char *what);
/* The callback of struct ds_world_options; ctx is the line. */
void ds_progress_show(void *ctx, const struct ds_progress *p);
void ds_progress_end(struct ds_progress_line *line); /* removes a live line */

#endif
