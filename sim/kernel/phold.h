/* PHOLD, the standard benchmark of event queues (Fujimoto 1990): lps logical processes, per_lp
 * events in flight for each; an event touches 64 bytes of its process and sends one event to a
 * uniformly random process after L + Exp(1 - L) seconds.
 *
 * The model, its splitmix64 generators and its libm logarithm are those of the published ns-3
 * program that the checksum is compared with: this is the one place of the simulator that calls log
 * while virtual time runs. */
#ifndef SIM_KERNEL_PHOLD_H
#define SIM_KERNEL_PHOLD_H

#include "models/base/status.h"

struct ds_phold_args {
    uint32_t lps, per_lp;
    double end_s;       /* virtual time */
    double lookahead_s; /* L, above 0 and below 1 */
    uint32_t threads;
};

struct ds_phold_result {
    uint64_t events, checksum; /* of the processes' states, in order */
    uint64_t windows, parallel_windows;
    uint64_t pending_max, bytes; /* bytes: the kernel's, without the processes' */
};

struct ds_phold;

/* Sets up processes and first events.  NULL and *error on arguments out of range or when out of
 * memory. */
struct ds_phold *ds_phold_create(const struct ds_phold_args *args, struct dc_error *error);
struct ds_phold_result ds_phold_run(struct ds_phold *p); /* what a benchmark times; once */
void ds_phold_destroy(struct ds_phold *p);               /* NULL is allowed */

#endif
