/* What the parts of `destrasim report` share: writing. */
#ifndef SIM_CMD_REPORT_H
#define SIM_CMD_REPORT_H

#include "analysis/figure.h"
#include "sim/cmd.h"

/* Gives what was written its name, or takes it away and says why: an exit code. */
int ds_report_finish(const char *partial, const char *path, bool written);
/* Draws a figure with gnuplot into a file; format: "svg", "png" or "pdf"; an exit code. */
int ds_report_plot(const struct da_figure *figure, const char *format, const char *path);

#endif
