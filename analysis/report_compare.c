/* Several runs in one figure: the same column of each over its epochs, and numbers side by side. */
#include "analysis/report_run.h"

#include <math.h>
#include <stdio.h>

enum { SERIES_MAX = 8 };

static const struct {
    const char *id, *title, *caption, *column, *over, *y, *unit;
    double scale;
} figures[] = {
    {"compare-finality", "Time to finality, 99th percentile",
     "From a block's proposal to its commit at an honest validator, of the blocks of each epoch.",
     "finality_p99", NULL, "time to finality, 99th percentile", "s", 1},
    {"compare-blocks", "Blocks in an epoch", "Final blocks of each epoch.", "blocks", NULL,
     "blocks", "per epoch", 1},
    {"compare-challenges", "Challenges", "Challenges drawn in each epoch.", "challenges_issued",
     NULL, "challenges", "per epoch", 1},
    {"compare-caught", "Cheating nodes that failed a challenge", "By ground truth, in each epoch.",
     "cheats_failed", NULL, "cheating nodes", "per epoch", 1},
    {"compare-wronged", "Honest nodes that failed a challenge", "By ground truth, in each epoch.",
     "honest_failed", NULL, "honest nodes", "per epoch", 1},
    {"compare-leaked", "Reward that leaked to cheats",
     "Share of all reward of an epoch that was paid to nodes which cheated in it.",
     "reward_to_cheats", "reward_paid", "reward paid to cheats", "%", 100},
    {"compare-bytes", "Traffic", "Bytes that all nodes sent in each epoch, headers included.",
     "bytes", NULL, "sent by all nodes", "MB per epoch", 1e-6},
    {"compare-share", "Share of challenges in the traffic",
     "Questions, answers and verdicts of challenges as a share of all bytes sent.",
     "challenge_bytes", "bytes", "challenges' share of bytes", "%", 100},
};

static struct da_figure *figure(struct da_report *r, size_t which, const struct da_run *run,
                                size_t count)
{
    struct da_figure *f =
        da_figure_new(r, figures[which].id, figures[which].title, figures[which].caption, count);
    bool any = false;
    for (size_t i = 0; i < count && i < SERIES_MAX; i++) {
        char path[80];
        const double *over = NULL;
        snprintf(path, sizeof path, "/epochs/%s", figures[which].column);
        const double *y = da_run_column(&run[i], path, run[i].epochs);
        if (figures[which].over != NULL) {
            snprintf(path, sizeof path, "/epochs/%s", figures[which].over);
            over = da_run_column(&run[i], path, run[i].epochs);
        }
        if (y == NULL || (figures[which].over != NULL && over == NULL))
            continue;
        double *values = da_report_take(r, run[i].epochs, sizeof *values);
        for (size_t e = 0; e < run[i].epochs; e++) {
            values[e] = y[e] * figures[which].scale / (over != NULL ? over[e] : 1);
            any = any || (isfinite(values[e]) && values[e] != 0);
        }
        da_figure_line(r, f, run[i].in->name, run[i].epoch, values, run[i].epochs);
    }
    da_figure_axes(f, "epoch", "", figures[which].y, figures[which].unit);
    f->y.min = 0;
    return any ? da_figure_or_nothing(f) : NULL;
}

/* A row per number that any of the runs has, a column per run. */
static void table(struct da_report *r, const struct da_run *run, size_t count)
{
    static const char *const metrics[] = {"blocks_final",
                                          "blocks_per_second",
                                          "finality_latency.p50",
                                          "finality_latency.p99",
                                          "transactions_final",
                                          "rounds_timed_out",
                                          "requests_failed",
                                          "payments_private",
                                          "payments_failed",
                                          "payment_latency.p50",
                                          "applications_exact",
                                          "challenges_total",
                                          "challenge_precision",
                                          "theta_mean",
                                          "theta_quantile",
                                          "detect_5",
                                          "detect_20",
                                          "mttd",
                                          "leak_by_strategy",
                                          "loss",
                                          "loss_leaked",
                                          "loss_slashed",
                                          "loss_ejected",
                                          "loss_challenges",
                                          "false_fail_rate",
                                          "honest_slashed",
                                          "bytes",
                                          "challenge_bytes_share",
                                          "violations"};
    struct da_column *column = da_report_take(r, count + 2, sizeof *column);
    column[0] = (struct da_column){"number", "", true};
    column[1] = (struct da_column){"meaning", "", true};
    for (size_t i = 0; i < count; i++)
        column[2 + i] = (struct da_column){run[i].in->name, "", false};
    struct da_rows *rows = da_rows_begin(r, "The same numbers of each run", column, 2 + count);
    for (size_t m = 0; m < sizeof metrics / sizeof metrics[0]; m++) {
        char path[100];
        const char *words = NULL, *unit = NULL;
        bool any = false;
        snprintf(path, sizeof path, "/summary/%s", metrics[m]);
        for (size_t i = 0; i < count; i++) {
            any = any || !isnan(da_run_number(&run[i], metrics[m]));
            words = words == NULL ? da_file_text(run[i].f, path, "long_name") : words;
            unit = unit == NULL ? da_file_text(run[i].f, path, "units") : unit;
        }
        if (!any)
            continue;
        da_rows_add(rows, metrics[m]);
        da_rows_add(rows, words);
        for (size_t i = 0; i < count; i++)
            da_rows_add(rows, da_report_value(r, da_run_number(&run[i], metrics[m]), unit));
    }
    da_rows_end(rows, NULL);
}

void da_report_compare(struct da_report *r, const struct da_report_run *in, size_t count)
{
    struct da_run *run = da_report_take(r, count, sizeof *run);
    for (size_t i = 0; i < count; i++)
        run[i] = da_run_of(r, &in[i]);
    da_report_section(r, "compare", "The runs side by side");
    if (count > SERIES_MAX)
        da_report_paragraph(r, "Figures show the first %d of %zu runs.", SERIES_MAX, count);
    table(r, run, count);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        da_report_show(r, figure(r, i, run, count));
}
