/* `destrasim bench`: what the parts cost on this machine.  Finds the benchmark; PHOLD is here.
 *
 * Times are measured, never judged: the numbers of another machine are other numbers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sim/cmd_bench.h"
#include "sim/kernel/phold.h"
#include "sim/scenario/value.h"

struct ds_stopwatch ds_stopwatch_start(void)
{
    return (struct ds_stopwatch){ds_clock_wall(), ds_clock_cpu()};
}

struct ds_stopwatch ds_stopwatch_read(const struct ds_stopwatch *start)
{
    return (struct ds_stopwatch){ds_clock_wall() - start->wall_s, ds_clock_cpu() - start->cpu_s};
}

void ds_bench_print(const char *name, uint64_t events, const struct ds_stopwatch *took,
                    const char *checksum, const char *more)
{
    struct rusage usage;
    memset(&usage, 0, sizeof usage);
    getrusage(RUSAGE_SELF, &usage);
    printf("name=%s events=%llu seconds=%.6f ns_per_event=%.2f rss_mib=%.1f checksum=%s "
           "cpu_seconds=%.6f cpu_ns_per_event=%.2f%s\n",
           name, (unsigned long long)events, took->wall_s,
           events > 0 ? took->wall_s * 1e9 / (double)events : 0, (double)usage.ru_maxrss / 1024,
           checksum, took->cpu_s, events > 0 ? took->cpu_s * 1e9 / (double)events : 0, more);
    (void)fflush(stdout);
}

/* ---- latency --------------------------------------------------------------------------------- */

static void write_jitter(const struct ds_dist_spec *d, struct dc_text *yaml)
{
    double a = d->args[0], b = d->args[1];
    switch (d->kind) {
    case DS_DIST_UNIFORM:
        dc_text_printf(yaml, "latency: %.0f ns, jitter: 'uniform(%.9f, 1)'", b, a / b);
        return;
    case DS_DIST_NORMAL:
        dc_text_printf(yaml, "latency: %.0f ns, jitter: 'normal(1, %.9f)'", a, b / a);
        return;
    case DS_DIST_LOGNORMAL:
        dc_text_printf(yaml, "latency: %.0f ns, jitter: 'lognormal(1, %.9f)'", a, b);
        return;
    case DS_DIST_EXPONENTIAL:
        dc_text_printf(yaml, "latency: %.0f ns, jitter: 'exponential(1)'", a);
        return;
    default: dc_text_printf(yaml, "latency: %.0f ns, jitter: none", a); return;
    }
}

bool ds_bench_latency(const struct ds_args *args, const char *fallback, struct dc_text *yaml)
{
    const char *text = ds_args_value(args, "--latency");
    struct dc_arena arena = {0};
    struct dc_text why = {0};
    struct ds_dist_spec d = {.min = 1000, .max = 3600e9};
    uint32_t kinds = 1u << DS_DIST_CONSTANT | 1u << DS_DIST_UNIFORM | 1u << DS_DIST_NORMAL |
                     1u << DS_DIST_LOGNORMAL | 1u << DS_DIST_EXPONENTIAL;
    bool good = ds_dist_read(text != NULL ? text : fallback, DS_DIM_TIME, kinds, &arena, &d, &why);
    if (good)
        write_jitter(&d, yaml);
    else
        ds_cmd_usage("%s: --latency: %s", args->command->name,
                     why.data != NULL ? why.data : "is no distribution of times");
    dc_text_free(&why);
    dc_arena_free(&arena);
    return good;
}

/* ---- phold ----------------------------------------------------------------------------------- */

static bool real_argument(const struct ds_args *args, const char *option, double *out)
{
    const char *text = ds_args_value(args, option);
    if (text == NULL)
        return true;
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value > 0)) {
        ds_cmd_usage("%s: %s wants a number of seconds above 0, not `%s`", args->command->name,
                     option, text);
        return false;
    }
    *out = value;
    return true;
}

static int run_phold(const struct ds_args *args)
{
    struct ds_phold_args p = {.end_s = 10, .lookahead_s = 0.1};
    uint64_t lps = 1024, per_lp = 1, threads = 1;
    if (!ds_args_number(args, "--lps", 1, UINT32_MAX, &lps) ||
        !ds_args_number(args, "--per-lp", 1, UINT32_MAX, &per_lp) ||
        !ds_args_number(args, "--threads", 1, 64, &threads) ||
        !real_argument(args, "--end", &p.end_s) ||
        !real_argument(args, "--lookahead", &p.lookahead_s))
        return DS_EXIT_USAGE;
    p.lps = (uint32_t)lps;
    p.per_lp = (uint32_t)per_lp;
    p.threads = (uint32_t)threads;
    struct dc_error error = {0};
    struct ds_phold *phold = ds_phold_create(&p, &error);
    if (phold == NULL)
        return ds_cmd_failed(error.status, &error);
    struct ds_stopwatch start = ds_stopwatch_start();
    struct ds_phold_result result = ds_phold_run(phold);
    struct ds_stopwatch took = ds_stopwatch_read(&start);
    char checksum[24], more[160];
    snprintf(checksum, sizeof checksum, "%016llx", (unsigned long long)result.checksum);
    snprintf(more, sizeof more,
             " lps=%u per_lp=%u threads=%u windows=%llu parallel_windows=%llu kernel_mib=%.1f",
             p.lps, p.per_lp, p.threads, (unsigned long long)result.windows,
             (unsigned long long)result.parallel_windows, (double)result.bytes / 1048576);
    ds_bench_print("phold", result.events, &took, checksum, more);
    ds_phold_destroy(phold);
    return DS_EXIT_FINE;
}

static const struct ds_option phold_options[] = {
    {"--lps", "N", "logical processes; default 1024"},
    {"--per-lp", "M", "events in flight for each; default 1"},
    {"--end", "SECONDS", "virtual time; default 10"},
    {"--lookahead", "L", "least delay of an event in seconds, below 1; default 0.1"},
    {"--threads", "T", "default 1"},
    {0},
};

static const struct ds_command bench_phold = {
    .name = "bench phold",
    .operands = "",
    .line = "the event kernel alone: every event causes one at a random process",
    .details =
        "PHOLD (Fujimoto 1990) with 64 bytes of state per process and delays of L + Exp(1 - L)\n"
        "seconds. The checksum is that of the published ns-3 program for the same arguments.",
    .options = phold_options,
    .run = run_phold,
};

/* ---- which ----------------------------------------------------------------------------------- */

static const struct ds_command *const benches[] = {&bench_phold, &ds_bench_consensus,
                                                   &ds_bench_gossip, &ds_bench_crypto};
#define BENCHES (sizeof benches / sizeof benches[0])

static const char *short_name(const struct ds_command *bench)
{
    return bench->name + strlen("bench ");
}

static void help(FILE *to)
{
    fputs(
        "usage: destrasim bench NAME [OPTIONS]\n\nmeasures a part of the program.\n\nbenchmarks:\n",
        to);
    for (size_t i = 0; i < BENCHES; i++)
        fprintf(to, "  %-10s %s\n", short_name(benches[i]), benches[i]->line);
    fputs("\nEach prints lines of name=value; `destrasim bench NAME -h` lists its options.\n"
          "seconds and ns_per_event are of the wall clock, cpu_seconds of all threads together,\n"
          "rss_mib is the most memory that the process has held.\n",
          to);
}

static int dispatch(int argc, char **argv)
{
    if (argc == 0) {
        help(stderr);
        return DS_EXIT_USAGE;
    }
    if (strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "--help") == 0) {
        help(stdout);
        return DS_EXIT_FINE;
    }
    struct ds_guess guess = {.word = argv[0]};
    for (size_t i = 0; i < BENCHES; i++) {
        if (strcmp(short_name(benches[i]), argv[0]) == 0)
            return ds_cmd_execute(benches[i], argc - 1, argv + 1);
        ds_guess_try(&guess, short_name(benches[i]));
    }
    if (guess.name != NULL)
        return ds_cmd_usage("bench: unknown benchmark `%s`: did you mean `%s`?", argv[0],
                            guess.name);
    return ds_cmd_usage("bench: unknown benchmark `%s`: `destrasim bench -h` lists them", argv[0]);
}

const struct ds_command ds_cmd_bench = {
    .name = "bench",
    .operands = "NAME",
    .line = "measures the kernel, consensus, gossip or cryptography",
    .details = "",
    .dispatch = dispatch,
};
