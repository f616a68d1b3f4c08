/* Runs that share their warm-up: the same run up to a hand-over, from which on each has its own
 * values of protocol.upgrade.
 *
 *     ds_branch --load, run to the branch point--> world at a barrier, on one thread
 *                                                    |  fork, once per run, `jobs` at a time
 *               <--pipe-- struct ds_runs_result -----+  its own scenario, its own file, to the end
 *
 * What a run comes to, and the bytes of its file, are those of the same run on its own.
 *
 * The calling process becomes the trunk: it holds a world meanwhile, and must not have entered an
 * OpenMP region, because a forked child would hang in its own first one. */
#ifndef SIM_CMD_BRANCH_H
#define SIM_CMD_BRANCH_H

#include "sim/cmd_runs.h"

/* Runs all jobs, each with its whole list of overrides (the same seed in all of them), as
 * ds_runs_start would.  done is called in this process once for each, in the order of their ends;
 * the result is borrowed for the call.  What may differ between them is what
 * ds_world_same_beginning says.
 *   options   as in ds_runs_open; cpu_s is of each child, from where runs part
 * Errors: DC_ERR_USAGE when they cannot share (nothing was run then: run them one by one),
 * DC_ERR_IO (memory, processes).  Raised *stop: returns DC_OK early, with fewer calls of done. */
enum dc_status ds_branch(const struct ds_runs_options *options, const struct ds_runs_job *job,
                         size_t count, void (*done)(void *ctx, const struct ds_runs_result *result),
                         void *ctx, struct dc_error *error) DC_MUST_USE;

#endif
