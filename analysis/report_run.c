/* The sections of a run. */
#include "analysis/report_run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct da_run da_run_of(struct da_report *r, const struct da_report_run *in)
{
    struct da_run run = {.r = r, .f = in->file, .in = in, .theta = NAN};
    struct da_array epoch = da_file_array(run.f, "/epochs/epoch");
    struct da_array role = da_file_array(run.f, "/node_role");
    run.epochs = epoch.rank == 1 ? epoch.count : 0;
    run.epoch = epoch.value;
    run.nodes = role.rank == 1 ? role.count : 0;
    run.role = role.value;
    run.strategy = da_file_words(run.f, "/node_strategy", &run.strategies);
    const double *theta = da_run_column(&run, "/epochs/theta", run.epochs);
    if (theta != NULL && run.epochs > 0)
        run.theta = da_mean(theta, run.epochs);
    return run;
}

double da_run_number(const struct da_run *run, const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "/summary/%s", name);
    struct da_array a = da_file_array(run->f, path);
    return a.value != NULL && a.count == 1 ? a.value[0] : NAN;
}

const double *da_run_column(const struct da_run *run, const char *dataset, size_t count)
{
    struct da_array a = da_file_array(run->f, dataset);
    return a.value != NULL && a.rank == 1 && a.count == count ? a.value : NULL;
}

bool da_run_cheats(const struct da_run *run, double strategy)
{
    return strategy >= 0 && strategy < (double)run->strategies &&
           strcmp(run->strategy[(size_t)strategy], "honest") != 0;
}

bool da_run_validators_only(const struct da_run *run, size_t strategy)
{
    static const char *const names[] = {"silent", "equivocating", "lying"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(run->strategy[strategy], names[i]) == 0)
            return true;
    return false;
}

int da_run_colour(const struct da_run *run, size_t strategy)
{
    int colour = 0;
    if (!da_run_cheats(run, (double)strategy))
        return DA_GREY;
    for (size_t s = 0; s < strategy; s++)
        colour += da_run_cheats(run, (double)s) && !da_run_validators_only(run, s);
    return colour;
}

/* ---- the summary in words -------------------------------------------------------------------- */

struct fact {
    const char *metric, *words, *unit; /* unit: "share": drawn as percent */
};

/* Those that a run's summary on the terminal shows, in its order. */
static const struct fact facts[] = {
    {"virtual_time", "virtual time", "s"},
    {"epochs", "epochs", "1"},
    {"blocks_final", "final blocks", "1"},
    {"blocks_per_second", "final blocks a second", "1/s"},
    {"transactions_final", "transactions in final blocks", "1"},
    {"finality_latency.p50", "time to finality, median", "s"},
    {"finality_latency.p99", "time to finality, 99th percentile", "s"},
    {"rounds_timed_out", "rounds that timed out", "1"},
    {"recovery_time", "time to recover after the last fault", "s"},
    {"requests_total", "client requests", "1"},
    {"requests_failed", "client requests that failed after their retries", "1"},
    {"challenges_total", "challenges", "1"},
    {"challenge_precision", "challenges that met a cheat", "share"},
    {"theta_mean", "theta, mean over epochs", "1"},
    {"theta_quantile", "service nodes with utilisation below theta", "share"},
    {"u_auroc", "AUROC of low utilisation against cheating (0.5: tells nothing)", "1"},
    {"theta_lift", "lift of theta over as many random audits, by loss", "1"},
    {"flags_total", "flags of anomaly detection", "1"},
    {"flags_false", "flags of honest nodes", "1"},
    {"detect_5", "cheats that failed within 5 epochs", "share"},
    {"detect_20", "cheats that failed within 20 epochs", "share"},
    {"mttd", "epochs until a cheat failed, mean, censored at the end", "1"},
    {"leak_by_strategy", "reward paid to cheats", "DSYNC"},
    {"loss", "loss: share of what is issued to service nodes", "%"},
    {"loss_leaked", "of it leaked to cheats", "%"},
    {"loss_slashed", "of it honest value slashed", "%"},
    {"loss_ejected", "of it honest reward lost while ejected", "%"},
    {"loss_challenges", "of it cost of challenges", "%"},
    {"false_fail_rate", "challenges of honest nodes that failed", "share"},
    {"honest_slashed", "honest nodes slashed", "1"},
    {"honest_ejections_per_1000", "ejections per 1000 honest service nodes", "1"},
    {"messages", "messages sent", "1"},
    {"bytes", "bytes sent", "By"},
    {"challenge_bytes_share", "share of challenges in all bytes", "share"},
};

static void summary_facts(const struct da_run *run)
{
    const size_t count = sizeof facts / sizeof facts[0];
    const char **item = da_report_take(run->r, 2 * count, sizeof *item);
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        double value = da_run_number(run, facts[i].metric);
        if (isnan(value))
            continue;
        item[n++] = facts[i].words;
        item[n++] = strcmp(facts[i].unit, "share") == 0
                        ? da_report_percent(run->r, value)
                        : da_report_value(run->r, value, facts[i].unit);
    }
    if (n > 0)
        da_report_pairs(run->r, item, n);
}

/* Numbers that a summary has per strategy, one row each. */
static void strategy_table(const struct da_run *run)
{
    static const struct da_column columns[] = {{"strategy", "", true},
                                               {"nodes", "", false},
                                               {"failed in 5 epochs", "", false},
                                               {"failed in 20 epochs", "", false},
                                               {"mean time until failed", "epochs", false},
                                               {"mean time until ejected", "epochs", false},
                                               {"reward", "DSYNC", false},
                                               {"mean profit", "DSYNC", false}};
    static const char *const metrics[] = {
        "nodes",         "detect_5",         "detect_20",         "mttd",
        "time_to_eject", "leak_by_strategy", "profit_by_strategy"};
    static const char key[] = "nodes.";
    size_t count;
    const char *const *name = da_file_names(run->f, "/summary", &count);
    struct da_rows *rows = da_rows_begin(
        run->r, "By strategy. A time that the run's end cut short counts as it stands.", columns,
        8);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(name[i], key, sizeof key - 1) != 0)
            continue;
        const char *strategy = name[i] + sizeof key - 1;
        da_rows_add(rows, strategy);
        for (size_t m = 0; m < sizeof metrics / sizeof metrics[0]; m++) {
            char path[200];
            snprintf(path, sizeof path, "%s.%s", metrics[m], strategy);
            double value = da_run_number(run, path);
            da_rows_add(rows, isnan(value)       ? NULL
                              : m == 1 || m == 2 ? da_report_percent(run->r, value)
                              : m == 0           ? da_report_count(run->r, value)
                                                 : da_report_ratio(run->r, value));
        }
    }
    da_rows_end(rows, NULL);
}

static void expectations(const struct da_run *run)
{
    static const struct da_column columns[] = {
        {"expected", "", true}, {"held", "", true}, {"measured", "", false}};
    struct da_rows *rows = da_rows_begin(run->r, "Expectations of the scenario", columns, 3);
    size_t held = 0;
    for (size_t i = 0; i < run->in->claims; i++) {
        const struct da_claim *c = &run->in->claim[i];
        da_rows_add(rows, c->text);
        da_rows_add(rows, c->held ? "yes" : "NO");
        da_rows_add(rows, isnan(c->value) ? "not measured" : da_report_ratio(run->r, c->value));
        held += c->held;
    }
    if (run->in->claims > 0)
        da_report_note(run->r, held == run->in->claims ? DA_TONE_GOOD : DA_TONE_BAD,
                       "%zu of %zu expectations held.", held, run->in->claims);
    da_rows_end(rows, NULL);
}

static void invariants(const struct da_run *run)
{
    static const struct da_column columns[] = {{"invariant", "", true}, {"violations", "", false}};
    static const char key[] = "violations.";
    size_t count;
    const char *const *name = da_file_names(run->f, "/summary", &count);
    struct da_rows *rows = da_rows_begin(run->r, "Invariants that were violated", columns, 2);
    double all = da_run_number(run, "violations");
    if (isnan(all))
        return;
    for (size_t i = 0; i < count && all > 0; i++) {
        double value = da_run_number(run, name[i]);
        if (strncmp(name[i], key, sizeof key - 1) != 0 || !(value > 0))
            continue;
        da_rows_add(rows, name[i] + sizeof key - 1);
        da_rows_add(rows, da_report_count(run->r, value));
    }
    if (all > 0)
        da_report_note(run->r, DA_TONE_BAD, "Invariants of the protocol were violated %s times.",
                       da_report_count(run->r, all));
    else
        da_report_note(run->r, DA_TONE_GOOD, "Every invariant of the protocol held.");
    da_rows_end(rows, NULL);
}

static void summary(const struct da_run *run)
{
    size_t role[3] = {0};
    for (size_t i = 0; i < run->nodes; i++)
        if (run->role[i] >= 0 && run->role[i] < 3)
            role[(size_t)run->role[i]]++;
    const char *title = da_file_text(run->f, "/", "title");
    da_report_section(run->r, "summary", "Summary");
    if (title != NULL && !da_report_alone(run->r)) /* alone, it stands at the top of the page */
        da_report_paragraph(run->r, "%s", title);
    da_report_paragraph(run->r, "%s validators, %s service nodes, %s clients; seed %llu.",
                        da_report_count(run->r, (double)role[DA_ROLE_VALIDATOR]),
                        da_report_count(run->r, (double)role[DA_ROLE_SERVICE]),
                        da_report_count(run->r, (double)role[DA_ROLE_CLIENT]),
                        (unsigned long long)da_file_number(run->f, "seed", 0));
    if (da_file_number(run->f, "complete", 0) != 1)
        da_report_note(run->r, DA_TONE_WARN, "The run was interrupted: what follows is its part.");
    if (da_run_number(run, "halted") > 0)
        da_report_note(run->r, DA_TONE_BAD, "The chain had halted when the run ended.");
    if (da_run_number(run, "safety") == 0)
        da_report_note(run->r, DA_TONE_BAD,
                       "Two conflicting blocks became final: safety was lost.");
    invariants(run);
    expectations(run);
    summary_facts(run);
    strategy_table(run);
}

/* ---- where it comes from --------------------------------------------------------------------- */

static const char *or_unknown(const char *text)
{
    return text == NULL || text[0] == '\0' ? "unknown" : text;
}

/* The scenario's `name:`, for file names in commands; letters, digits, - and _ alone. */
static const char *scenario_name(const struct da_run *run, const char *text)
{
    const char *at = strncmp(text, "name:", 5) == 0 ? text : strstr(text, "\nname:");
    if (at == NULL)
        return "scenario";
    at += at == text && *at != '\n' ? 5 : 6;
    at += strspn(at, " '\"");
    size_t size = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
    return size == 0 ? "scenario" : da_report_text(run->r, "%.*s", (int)size, at);
}

static void commands(const struct da_run *run, const char *scenario)
{
    const char *name = scenario_name(run, scenario);
    unsigned long long seed = da_file_number(run->f, "seed", 0);
    da_report_title(run->r, "To see it again");
    da_report_paragraph(
        run->r, "`verify` runs what the file embeds, scenario and inputs, and compares digests. To "
                "run it from a scenario, take the file it was made of, or save the scenario below "
                "under a name; files that it names (`/inputs`) are relative to it.");
    da_report_code(run->r, NULL,
                   da_report_text(run->r,
                                  "destrasim verify %s\n"
                                  "destrasim run %s.yaml --seed %llu -o %s-%llu.h5\n"
                                  "destrasim report %s",
                                  run->in->name, name, seed, name, seed, run->in->name));
}

static void provenance(const struct da_run *run)
{
    static const struct {
        const char *name, *attribute;
    } all[] = {{"file", NULL},
               {"seed", NULL},
               {"trace digest", "trace_digest"},
               {"content digest", "content_digest"},
               {"destrasim", "destrasim_version"},
               {"commit", "build_commit"},
               {"compiler", "build_compiler"},
               {"flags", "build_flags"},
               {"libraries", "build_libraries"}};
    const size_t count = sizeof all / sizeof all[0];
    const char **item = da_report_take(run->r, 2 * count, sizeof *item);
    da_report_section(run->r, "provenance", "Provenance");
    for (size_t i = 0; i < count; i++) {
        item[2 * i] = all[i].name;
        item[2 * i + 1] =
            i == 0   ? run->in->name
            : i == 1 ? da_report_text(run->r, "%llu",
                                      (unsigned long long)da_file_number(run->f, "seed", 0))
                     : or_unknown(da_file_text(run->f, "/", all[i].attribute));
    }
    da_report_pairs(run->r, item, 2 * count);
    const char *scenario = or_unknown(da_file_text(run->f, "/", "scenario"));
    commands(run, scenario);
    da_report_code(run->r, "The scenario, resolved: every value, defaults included", scenario);
}

/* ---- all of it ------------------------------------------------------------------------------- */

static void time_lines(const struct da_run *run)
{
    da_report_section(run->r, "time", "Over time");
    da_report_show(run->r, da_run_finality(run));
    da_report_show(run->r, da_run_blocks(run));
    da_report_show(run->r, da_run_throughput(run));
    da_report_show(run->r, da_run_causes(run));
    da_report_show(run->r, da_run_verdicts(run));
    da_report_show(run->r, da_run_failures(run));
    da_report_show(run->r, da_run_leaked(run));
    da_report_show(run->r, da_run_payoff(run));
    da_report_show(run->r, da_run_slashed(run));
    da_report_show(run->r, da_run_bytes(run));
    da_report_show(run->r, da_run_share(run));
    da_run_steady(run);
}

void da_report_run(struct da_report *r, const struct da_report_run *in, const char *short_name)
{
    struct da_run run = da_run_of(r, in);
    const char *prefix = short_name[0] == '\0' ? "" : da_report_text(r, "%s-", short_name);
    da_report_prefix(r, prefix, in->name);
    summary(&run);
    time_lines(&run);
    da_report_section(r, "challenged", "Who was challenged, and why");
    da_report_show(r, da_run_why(&run));
    da_run_why_table(&run);
    da_report_show(r, da_run_scatter(&run));
    da_report_section(r, "caught", "Who was caught, and how well that could be known");
    da_report_show(r, da_run_survival(&run));
    da_report_show(r, da_run_roc(&run));
    da_report_show(r, da_run_precision(&run));
    da_report_section(r, "faults", "Faults");
    da_report_show(r, da_run_faults(&run));
    da_run_fault_table(&run);
    da_report_section(r, "network", "Network");
    da_report_show(r, da_run_map(&run));
    da_report_show(r, da_run_traffic(&run));
    da_run_traffic_table(&run);
    da_report_section(r, "private", "Private payments, applications and channels");
    da_run_private(&run);
    provenance(&run);
    da_report_prefix(r, "", NULL);
}
