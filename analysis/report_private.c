/* What was private in a run: its payments, the applications that its scenario has, and channels
 * between nodes with whom they refused. */
#include <math.h>
#include <string.h>

#include "analysis/report_run.h"

struct fact {
    const char *metric, *words, *unit;
};

static void facts_of(const struct da_run *run, const char *title, const struct fact *fact,
                     size_t count)
{
    const char **item = da_report_take(run->r, 2 * count, sizeof *item);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        double value = da_run_number(run, fact[i].metric);
        if (isnan(value))
            continue;
        item[n++] = fact[i].words;
        item[n++] = da_report_value(run->r, value, fact[i].unit);
    }
    da_report_title(run->r, title);
    da_report_pairs(run->r, item, n);
}

static void payments(const struct da_run *run)
{
    static const struct fact facts[] = {
        {"payments_private", "private payments in final blocks", "1"},
        {"payment_latency.p50", "from call to finality, median", "s"},
        {"payment_latency.p99", "from call to finality, 99th percentile", "s"},
        {"payments_failed", "given up", "1"},
        {"notes", "notes at the end, decoys included", "1"},
        {"key_images", "notes spent", "1"},
        {"shielded_pool", "money in notes at the end", "DSYNC"},
        {"proofs_checked", "proofs checked, by all nodes together", "1"}};
    if (da_run_number(run, "payments_called") > 0 || da_run_number(run, "payments_private") > 0)
        facts_of(run, "Private payments", facts, sizeof facts / sizeof facts[0]);
}

static void applications(const struct da_run *run)
{
    static const struct da_column columns[] = {
        {"application", "", true}, {"kind", "", true}, {"result", "", true}, {"exact", "", true}};
    const struct da_report_run *in = run->in;
    struct da_rows *rows = da_rows_begin(
        run->r,
        "What each came to, by its owner's word; exact: that is what its members' own numbers "
        "come to in plain, all of them taking part",
        columns, 4);
    if (in->applications > 0)
        da_report_title(run->r, "Applications");
    for (size_t i = 0; i < in->applications; i++) {
        const struct da_application *a = &in->application[i];
        da_rows_add(rows, a->name);
        da_rows_add(rows, a->kind);
        da_rows_add(rows, a->result);
        da_rows_add(rows, isnan(a->exact) ? "-" : a->exact != 0 ? "yes" : "NO");
    }
    da_rows_end(rows, NULL);
}

static void refusals(const struct da_run *run)
{
    static const struct da_column columns[] = {{"cause", "", true}, {"refused", "", false}};
    static const char key[] = "channel_refused.";
    size_t count;
    const char *const *name = da_file_names(run->f, "/summary", &count);
    struct da_rows *rows =
        da_rows_begin(run->r, "Handshakes and frames that nodes refused, by cause", columns, 2);
    for (size_t i = 0; i < count; i++) {
        double value = da_run_number(run, name[i]);
        if (strncmp(name[i], key, sizeof key - 1) != 0 || !(value > 0))
            continue;
        da_rows_add(rows, name[i] + sizeof key - 1);
        da_rows_add(rows, da_report_count(run->r, value));
    }
    da_rows_end(rows, NULL);
}

static void channels(const struct da_run *run)
{
    static const struct fact facts[] = {
        {"handshakes", "channels opened", "1"},
        {"handshake_latency.p50", "until one is open, median", "s"},
        {"handshake_latency.p99", "until one is open, 99th percentile", "s"},
        {"channel_refused", "handshakes and frames refused", "1"},
        {"messages_intercepted", "messages that a man in the middle kept", "1"}};
    if (isnan(da_run_number(run, "handshakes")))
        return;
    facts_of(run, "Channels", facts, sizeof facts / sizeof facts[0]);
    refusals(run);
}

void da_run_private(const struct da_run *run)
{
    payments(run);
    applications(run);
    channels(run);
}
