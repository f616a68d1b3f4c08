/* Inside `bench`: one line per measurement, and the clocks around it. */
#ifndef SIM_CMD_BENCH_H
#define SIM_CMD_BENCH_H

#include "sim/cmd.h"

extern const struct ds_command ds_bench_consensus, ds_bench_gossip, ds_bench_crypto;

struct ds_stopwatch {
    double wall_s, cpu_s;
};
struct ds_stopwatch ds_stopwatch_start(void);
struct ds_stopwatch ds_stopwatch_read(const struct ds_stopwatch *start); /* since then */

/* name=... events=... seconds=... ns_per_event=... rss_mib=... checksum=... cpu_seconds=...
 * cpu_ns_per_event=... and then `more`, a text that begins with a blank, or "".  seconds and
 * ns_per_event are of the wall clock. */
void ds_bench_print(const char *name, uint64_t events, const struct ds_stopwatch *took,
                    const char *checksum, const char *more);

/* `--latency DISTRIBUTION` as members of a scenario's network: the distribution's own scale
 * becomes the links' latency and its shape their jitter, drawn for every message.  False after an
 * error message. */
bool ds_bench_latency(const struct ds_args *args, const char *fallback, struct dc_text *yaml);

#endif
