/* What happened in each epoch of a run: lines over epochs. */
#include "analysis/report_run.h"

#include <math.h>
#include <stdio.h>

struct line {
    const char *column, *name;
    double scale; /* the column times this is what is drawn */
};

/* A line per column of /epochs; divided: by the epoch's column of that name.  Columns that are 0
 * throughout are left out when `rare`. */
static struct da_figure *lines(const struct da_run *run, struct da_figure *f,
                               const struct line *line, size_t count, const char *divided,
                               bool rare)
{
    char name[80];
    const double *by = NULL;
    if (divided != NULL) {
        snprintf(name, sizeof name, "/epochs/%s", divided);
        by = da_run_column(run, name, run->epochs);
        if (by == NULL)
            return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "/epochs/%s", line[i].column);
        const double *y = da_run_column(run, name, run->epochs);
        double *values = da_report_take(run->r, run->epochs, sizeof *values);
        bool any = false;
        for (size_t e = 0; y != NULL && e < run->epochs; e++) {
            values[e] = y[e] * line[i].scale / (by != NULL ? by[e] : 1);
            any = any || values[e] != 0;
        }
        if (y != NULL && (any || !rare))
            da_figure_line(run->r, f, line[i].name, run->epoch, values, run->epochs);
    }
    return da_figure_or_nothing(f);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct da_figure *over_epochs(const struct da_run *run, const char *id, const char *title,
                                     const char *caption, const char *y, const char *unit)
{
    struct da_figure *f = da_figure_new(run->r, id, title, caption, 16);
    da_figure_axes(f, "epoch", "", y, unit);
    f->y.min = 0;
    return f;
}

struct da_figure *da_run_finality(const struct da_run *run)
{
    static const struct line all[] = {{"finality_p50", "median", 1},
                                      {"finality_p95", "95th percentile", 1},
                                      {"finality_p99", "99th percentile", 1}};
    struct da_figure *f = over_epochs(
        run, "finality", "Time to finality",
        "From a block's proposal to its commit at an honest validator, of the blocks of "
        "each epoch.",
        "time to finality", "s");
    return lines(run, f, all, COUNT(all), NULL, false);
}

/* Per block: the mean is of a series whose neighbours are alike, so its interval comes from batch
 * means; what the start had of its own is cut off first. */
void da_run_steady(const struct da_run *run)
{
    enum { LEAST = 20 };
    size_t count = da_file_array(run->f, "/blocks/proposed").count, n = 0;
    const double *from = da_run_column(run, "/blocks/proposed", count);
    const double *to = da_run_column(run, "/blocks/committed_median", count);
    double *latency = da_report_take(run->r, count + 1, sizeof *latency);
    for (size_t i = 0; from != NULL && to != NULL && i < count; i++)
        if (isfinite(to[i] - from[i]))
            latency[n++] = to[i] - from[i];
    size_t cut = da_mser5(latency, n);
    if (n - cut < LEAST)
        return;
    const double *steady = latency + cut;
    static const double share[] = {0.5, 0.95};
    enum { ITEMS = 6 };
    const char **item = da_report_take(run->r, ITEMS, sizeof *item); /* the page borrows them */
    item[0] = "mean";
    item[2] = "median";
    item[4] = "95th percentile";
    struct da_estimate e = da_batch_means(steady, n - cut, DA_REPORT_LEVEL);
    item[1] = da_report_text(run->r, "%s s", da_report_interval(run->r, e));
    for (size_t i = 0; i < COUNT(share); i++) {
        e = da_quantile_interval(steady, n - cut, share[i], DA_REPORT_LEVEL);
        item[2 * i + 3] = da_report_text(run->r, "%s s", da_report_interval(run->r, e));
    }
    da_report_title(run->r, "Time to finality in the steady state");
    da_report_paragraph(
        run->r,
        "From a block's proposal until half of the honest validators had committed it. Of %s final "
        "blocks the first %s are left out as warm-up (MSER-5). In brackets 95 %% intervals: of the "
        "mean by batch means, of the others by order statistics, as if blocks did not depend on "
        "each other.",
        da_report_count(run->r, (double)n), da_report_count(run->r, (double)cut));
    da_report_pairs(run->r, item, ITEMS);
}

/* Over the epoch's length. */
static struct da_figure *rate(const struct da_run *run, struct da_figure *f, const char *column,
                              double scale)
{
    char name[80];
    snprintf(name, sizeof name, "/epochs/%s", column);
    const double *y = da_run_column(run, name, run->epochs);
    const double *from = da_run_column(run, "/epochs/time_start", run->epochs);
    const double *to = da_run_column(run, "/epochs/time_end", run->epochs);
    if (y == NULL || from == NULL || to == NULL)
        return NULL;
    double *values = da_report_take(run->r, run->epochs, sizeof *values);
    for (size_t e = 0; e < run->epochs; e++)
        values[e] = to[e] > from[e] ? y[e] * scale / (to[e] - from[e]) : NAN;
    da_figure_line(run->r, f, NULL, run->epoch, values, run->epochs);
    return da_figure_or_nothing(f);
}

struct da_figure *da_run_throughput(const struct da_run *run)
{
    struct da_figure *f = over_epochs(run, "transactions", "Transactions",
                                      "Transactions in final blocks over the epoch's length.",
                                      "final transactions", "1/s");
    return rate(run, f, "transactions", 1);
}

struct da_figure *da_run_blocks(const struct da_run *run)
{
    struct da_figure *f =
        over_epochs(run, "blocks", "Blocks",
                    "Final blocks over the epoch's length: an epoch has the same number of blocks, "
                    "so a low rate is a chain that waited.",
                    "final blocks", "1/s");
    return rate(run, f, "blocks", 1);
}

struct da_figure *da_run_causes(const struct da_run *run)
{
    static const struct line all[] = {{"challenges_theta", "below theta", 1},
                                      {"challenges_audit", "by the audit coin", 1},
                                      {"challenges_flag", "flagged as anomalous", 1},
                                      {"challenges_escalation", "after a failure", 1},
                                      {"challenges_ready", "to be ready for demand", 1}};
    struct da_figure *f = over_epochs(
        run, "challenges", "Challenges by cause",
        "Challenges drawn in each epoch; one that has several causes counts in each of them.",
        "challenges", "per epoch");
    return lines(run, f, all, COUNT(all), NULL, true);
}

struct da_figure *da_run_verdicts(const struct da_run *run)
{
    static const struct line all[] = {{"challenges_passed", "passed", 1},
                                      {"challenges_failed", "failed: invalid proof", 1},
                                      {"challenges_late", "late or silent, twice", 1},
                                      {"challenges_undecided", "no majority of verifiers", 1}};
    struct da_figure *f = over_epochs(run, "verdicts", "Challenges by verdict",
                                      "Verdicts on challenges, by the epoch in which they were "
                                      "decided.",
                                      "challenges", "per epoch");
    return lines(run, f, all, COUNT(all), NULL, true);
}

static bool any_of(const struct da_run *run, const char *dataset)
{
    const double *y = da_run_column(run, dataset, run->epochs);
    for (size_t e = 0; y != NULL && e < run->epochs; e++)
        if (y[e] != 0)
            return true;
    return false;
}

struct da_figure *da_run_failures(const struct da_run *run)
{
    static const struct line all[] = {{"cheats_failed", "cheating nodes", 1},
                                      {"honest_failed", "honest nodes", 1}};
    struct da_figure *f =
        over_epochs(run, "failures", "Nodes that failed a challenge",
                    "By ground truth: cheating nodes that failed were found, honest nodes that "
                    "failed were wronged.",
                    "nodes", "per epoch");
    if (!any_of(run, "/epochs/cheats_failed") && !any_of(run, "/epochs/honest_failed"))
        return NULL;
    return lines(run, f, all, COUNT(all), NULL, false);
}

struct da_figure *da_run_leaked(const struct da_run *run)
{
    static const struct line all[] = {{"reward_to_cheats", NULL, 100}};
    struct da_figure *f = over_epochs(run, "leaked", "Reward that leaked to cheats",
                                      "Share of all reward of an epoch that was paid to nodes "
                                      "which cheated in it.",
                                      "reward paid to cheats", "%");
    return lines(run, f, all, COUNT(all), "reward_paid", true);
}

struct da_figure *da_run_slashed(const struct da_run *run)
{
    static const struct line all[] = {{"slashed_cheats", "of cheating nodes", 1e-9},
                                      {"slashed_honest", "of honest nodes", 1e-9}};
    struct da_figure *f =
        over_epochs(run, "slashed", "Bonds slashed",
                    "Bonds slashed in each epoch, by ground truth.", "slashed", "DSYNC per epoch");
    return lines(run, f, all, COUNT(all), NULL, true);
}

struct da_figure *da_run_bytes(const struct da_run *run)
{
    struct da_figure *f = over_epochs(run, "bytes", "Traffic",
                                      "Bytes that all nodes sent, headers included, over the "
                                      "epoch's length.",
                                      "sent by all nodes", "MB/s");
    return rate(run, f, "bytes", 1e-6);
}

struct da_figure *da_run_share(const struct da_run *run)
{
    static const struct line all[] = {{"challenge_bytes", NULL, 100}};
    struct da_figure *f = over_epochs(run, "challenge-share", "Share of challenges in the traffic",
                                      "Questions, answers and verdicts of challenges as a share of "
                                      "all bytes sent.",
                                      "challenges' share of bytes", "%");
    return lines(run, f, all, COUNT(all), "bytes", true);
}

/* Mean payoff of a strategy's nodes, epoch by epoch. */
struct da_figure *da_run_payoff(const struct da_run *run)
{
    size_t rows = da_file_array(run->f, "/strategies/epoch").count;
    const double *epoch = da_run_column(run, "/strategies/epoch", rows);
    const double *strategy = da_run_column(run, "/strategies/strategy", rows);
    const double *payoff = da_run_column(run, "/strategies/payoff", rows);
    if (epoch == NULL || strategy == NULL || payoff == NULL || rows == 0)
        return NULL;
    struct da_figure *f =
        over_epochs(run, "payoff", "What each strategy earns",
                    "Mean of reward less slashes and costs over the nodes that followed the "
                    "strategy in the epoch; below 0 it does not pay.",
                    "mean payoff of a node", "DSYNC per epoch");
    f->series = da_report_take(run->r, run->strategies + 1, sizeof *f->series);
    f->y.min = NAN;
    double *x = da_report_take(run->r, rows, sizeof *x);
    double *y = da_report_take(run->r, rows, sizeof *y);
    for (size_t s = 0; s < run->strategies; s++) {
        size_t n = 0;
        bool any = false;
        for (size_t i = 0; i < rows; i++) {
            if (strategy[i] != (double)s)
                continue;
            x[n] = epoch[i];
            y[n] = payoff[i] * 1e-9;
            any = any || isfinite(y[n]);
            n++;
        }
        if (!any || da_run_validators_only(run, s))
            continue;
        struct da_series *line = da_figure_line(run->r, f, run->strategy[s], x, y, n);
        line->colour = da_run_colour(run, s);
    }
    return da_figure_or_nothing(f);
}
