/* What a run came to, on one screen: what happened, what theta caught and missed, what it cost,
 * where the file is; and the same as JSON.
 *
 * Everything is looked up by the name that `expect` uses (ds_metrics); what a run did not measure
 * is left out. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sim/cmd_world.h"

static double value(const struct ds_outcome *o, const char *name)
{
    return ds_summary_value(o->summary, name);
}

static bool has(const struct ds_outcome *o, const char *name)
{
    return !isnan(value(o, name));
}

/* The last progress may be a little older than the end. */
static double virtual_seconds(const struct ds_outcome *o)
{
    return has(o, "virtual_time") ? value(o, "virtual_time") : (double)o->progress.now_ns * 1e-9;
}

static struct ds_word count_of(const struct ds_outcome *o, const char *name)
{
    return ds_word_count(value(o, name));
}

static void strong(const char *on)
{
    if (ds_terminal_colours(false))
        fputs(on, stdout);
}

/* ---- what happened --------------------------------------------------------------------------- */

static const char *how_it_ended(const struct ds_outcome *o)
{
    switch (o->summary->end) {
    case DS_WORLD_DONE: return "ran to its end";
    case DS_WORLD_HALTED: return "HALTED: the chain made no progress any more";
    case DS_WORLD_TIME: return "ended at max_time, before its epochs were over";
    case DS_WORLD_INTERRUPTED: return "INTERRUPTED by a signal";
    case DS_WORLD_UNTIL: return "stopped where --until says";
    case DS_WORLD_VIOLATED: return "stopped where an invariant was VIOLATED";
    }
    return "";
}

static void print_head(const struct ds_outcome *o)
{
    const struct ds_scenario *s = o->scenario;
    double virtual_s = virtual_seconds(o);
    strong("\033[1m");
    printf("%s, seed %llu", s->name, (unsigned long long)s->seed);
    strong("\033[0m");
    printf(": %s\n", how_it_ended(o));
    printf("  %s validators, %s service nodes, %s clients; %s of virtual time in %s",
           ds_word_count((double)s->validators_count).text,
           ds_word_count((double)s->services_count).text,
           ds_word_count((double)s->clients_count).text, ds_word_time(virtual_s).text,
           ds_word_time(o->wall_s).text);
    if (o->wall_s > 0)
        printf(" (%s x real time)", ds_word_ratio(virtual_s / o->wall_s).text);
    printf("\n\n");
}

static void print_chain(const struct ds_outcome *o)
{
    printf("Chain       %s final blocks in %s epochs", count_of(o, "blocks_final").text,
           count_of(o, "epochs").text);
    if (has(o, "blocks_per_second"))
        printf(", %s a second", ds_word_ratio(value(o, "blocks_per_second")).text);
    if (has(o, "transactions_final"))
        printf("; %s transactions", count_of(o, "transactions_final").text);
    printf("\n");
    if (has(o, "finality_latency.p50"))
        printf("            final %s after the proposal in the median, 99 %% within %s\n",
               ds_word_time(value(o, "finality_latency.p50")).text,
               ds_word_time(value(o, "finality_latency.p99")).text);
    if (value(o, "rounds_timed_out") > 0)
        printf("            %s rounds timed out\n", count_of(o, "rounds_timed_out").text);
    if (value(o, "requests_total") > 0)
        printf("Clients     %s requests, %s of them failed\n", count_of(o, "requests_total").text,
               ds_word_percent(value(o, "requests_failed") / value(o, "requests_total")).text);
}

/* ---- what theta caught and missed ------------------------------------------------------------ */

static void print_challenges(const struct ds_outcome *o)
{
    char theta[16];
    snprintf(theta, sizeof theta, "%.3g", ldexp(o->scenario->protocol.theta, -31));
    printf("Theta %-5s %s challenges", theta, count_of(o, "challenges_total").text);
    static const struct {
        const char *name, *what;
    } causes[] = {{"challenges_theta", "below theta"},
                  {"challenges_audit", "by audit"},
                  {"challenges_flag", "flagged"},
                  {"challenges_ready", "to be ready"},
                  {"challenges_escalation", "after a failure"}};
    const char *between = ": ";
    for (size_t i = 0; i < sizeof causes / sizeof causes[0]; i++) {
        if (!(value(o, causes[i].name) > 0))
            continue;
        printf("%s%s %s", between, count_of(o, causes[i].name).text, causes[i].what);
        between = ", ";
    }
    printf("\n");
    if (!(value(o, "challenges_total") > 0))
        return;
    between = "            ";
    if (has(o, "challenge_precision")) {
        printf("%s%s of them met a cheat", between,
               ds_word_percent(value(o, "challenge_precision")).text);
        between = "; ";
    }
    if (has(o, "theta_quantile"))
        printf("%s%s of service nodes were below theta", between,
               ds_word_percent(value(o, "theta_quantile")).text);
    printf("\n");
    if (has(o, "u_auroc"))
        printf("            low utilisation tells cheats from honest nodes with AUROC %s "
               "(0.5: not at all)\n",
               ds_word_ratio(value(o, "u_auroc")).text);
    if (has(o, "lift_loss_none"))
        printf(
            "            lift %s (above 1: better than as many random audits, by loss); loss %s %% "
            "without theta, %s %% with audits\n",
            ds_word_ratio(value(o, "theta_lift")).text,
            ds_word_ratio(value(o, "lift_loss_none")).text,
            ds_word_ratio(value(o, "lift_loss_audits")).text);
    if (value(o, "flags_from") > value(o, "epochs"))
        printf("Flags       none is possible before epoch %s: the window of scores is not full "
               "(anomaly_window)\n",
               ds_word_count(value(o, "flags_from")).text);
    if (value(o, "flags_total") > 0)
        printf("Flags       %s of anomaly detection, %s of them of honest nodes; %s of cheats were "
               "flagged\n",
               ds_word_count(value(o, "flags_total")).text,
               ds_word_count(value(o, "flags_false")).text,
               ds_word_percent(value(o, "flag_recall")).text);
}

static struct ds_word part(const struct ds_outcome *o, const char *metric, const char *strategy,
                           struct ds_word (*word)(double))
{
    char name[160];
    snprintf(name, sizeof name, "%s.%s", metric, strategy);
    return word(value(o, name));
}

/* Challenges are of service nodes: what honest nodes and validators do is not for them to catch. */
static bool catchable(const char *strategy)
{
    static const char *const others[] = {"honest", "silent", "equivocating", "lying"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (strcmp(strategy, others[i]) == 0)
            return false;
    return true;
}

/* A row for each strategy that some metric is split by. */
static void print_caught(const struct ds_outcome *o)
{
    static const char key[] = "detect_20.";
    const size_t key_size = sizeof key - 1;
    bool any = false;
    for (size_t i = 0; i < o->summary->scalar_count; i++) {
        const char *name = o->summary->scalars[i].name;
        if (strncmp(name, key, key_size) != 0 || !catchable(name + key_size))
            continue;
        const char *strategy = name + key_size;
        if (!any)
            printf("Caught      %-16s %12s %12s %14s %16s\n", "", "in 5 epochs", "in 20 epochs",
                   "mean epochs", "reward leaked");
        any = true;
        char leak[64] = "";
        struct ds_word word = part(o, "leak_by_strategy", strategy, ds_word_ratio);
        if (word.text[0] != '-' || word.text[1] != '\0')
            snprintf(leak, sizeof leak, "%s DSYNC", word.text);
        printf("            %-16s %12s %12s %14s %16s\n", strategy,
               part(o, "detect_5", strategy, ds_word_percent).text,
               part(o, "detect_20", strategy, ds_word_percent).text,
               part(o, "mttd", strategy, ds_word_ratio).text, leak);
    }
    if (!any)
        printf("Caught      no service node cheats in this scenario\n");
}

/* ---- what it cost ---------------------------------------------------------------------------- */

static void print_cost(const struct ds_outcome *o)
{
    printf("Cost        challenges are %s of all bytes (%s sent)\n",
           ds_word_percent(value(o, "challenge_bytes_share")).text,
           ds_word_bytes(value(o, "bytes")).text);
    printf("            honest nodes failed %s of their challenges; %s of them were slashed, "
           "%s ejected per 1000\n",
           ds_word_percent(value(o, "false_fail_rate")).text, count_of(o, "honest_slashed").text,
           ds_word_ratio(value(o, "honest_ejections_per_1000")).text);
    if (has(o, "loss"))
        printf("            loss %s %% of the pool: leaked to cheats %s, slashed %s, ejected %s, "
               "challenges %s\n",
               ds_word_ratio(value(o, "loss")).text, ds_word_ratio(value(o, "loss_leaked")).text,
               ds_word_ratio(value(o, "loss_slashed")).text,
               ds_word_ratio(value(o, "loss_ejected")).text,
               ds_word_ratio(value(o, "loss_challenges")).text);
}

/* ---- did it hold, and where is it ------------------------------------------------------------ */

static size_t held_of(const struct ds_expectation *e, size_t count)
{
    size_t held = 0;
    for (size_t i = 0; i < count; i++)
        held += e[i].held;
    return held;
}

static void print_missed(const char *what, const struct ds_expectation *e, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (e[i].held)
            continue;
        strong("\033[1;31m");
        printf("  %s%s", what, e[i].text);
        strong("\033[0m");
        if (isnan(e[i].value))
            printf("   (this run did not measure it)\n");
        else
            printf("   (it is %.6g)\n", e[i].value);
    }
}

/* Other invariants that were violated too. */
static void print_other_violations(const struct ds_summary *s)
{
    for (size_t i = 0; i < s->invariant_count; i++) {
        const struct ds_invariant *v = &s->invariants[i];
        if (v->violations == 0)
            continue;
        if (v->violation == s->violation && v->violations > 1)
            printf("            %s: %s violations\n", v->name,
                   ds_word_count((double)v->violations).text);
        else if (v->violation != s->violation)
            printf("            %s: %s, first %s\n", v->name,
                   ds_word_count((double)v->violations).text, v->violation);
    }
}

static void print_expectations(const struct ds_outcome *o)
{
    const struct ds_summary *s = o->summary;
    if (s->expectation_count > 0)
        printf("Expected    %zu of %zu expectations held%s\n",
               held_of(s->expectations, s->expectation_count), s->expectation_count,
               s->end <= DS_WORLD_TIME ? "" : " so far");
    print_missed("FAILED    ", s->expectations, s->expectation_count);
    if (s->sometimes_count > 0)
        printf("Sometimes   %zu of %zu properties occurred\n",
               held_of(s->sometimes, s->sometimes_count), s->sometimes_count);
    print_missed("NEVER     ", s->sometimes, s->sometimes_count);
    if (s->invariants_held) {
        printf("Invariants  hold\n");
        return;
    }
    strong("\033[1;31m");
    printf("VIOLATED    %s", s->violation != NULL ? s->violation : "an invariant");
    strong("\033[0m");
    printf("\n");
    print_other_violations(s);
    fprintf(stderr, "destrasim: an invariant of the protocol was VIOLATED: %s\n",
            s->violation != NULL ? s->violation : "it is not known where");
}

static void print_file(const struct ds_outcome *o)
{
    struct stat at;
    if (o->file == NULL)
        return;
    printf("File        %s", o->file);
    if (stat(o->file, &at) == 0)
        printf(" (%s)", ds_word_bytes((double)at.st_size).text);
    if (o->summary->end == DS_WORLD_INTERRUPTED)
        printf(", incomplete");
    else if (o->summary->trace_digest[0] != '\0')
        printf(", trace digest %s", o->summary->trace_digest);
    printf("\n");
}

void ds_summary_print(const struct ds_outcome *o)
{
    print_head(o);
    print_chain(o);
    ds_summary_private(o);
    if (o->scenario->services_count > 0) {
        print_challenges(o);
        print_caught(o);
        print_cost(o);
    }
    print_expectations(o);
    print_file(o);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_key(struct dc_text *out, const char *key)
{
    dc_text_add(out, out->size > 1 ? ",\n " : "\n ");
    ds_json_string(out, key);
    dc_text_add(out, ": ");
}

static void json_text(struct dc_text *out, const char *key, const char *text)
{
    json_key(out, key);
    if (text != NULL)
        ds_json_string(out, text);
    else
        dc_text_add(out, "null");
}

static void json_scalar(struct dc_text *out, const struct ds_scalar *s)
{
    json_key(out, s->name);
    if (s->type == DS_U64)
        dc_text_printf(out, "%llu", (unsigned long long)s->value.u64);
    else if (s->type == DS_I64)
        dc_text_printf(out, "%lld", (long long)s->value.i64);
    else
        ds_json_number(out, s->value.f64);
}

static void json_expectations(struct dc_text *out, const char *key, const struct ds_expectation *e,
                              size_t count)
{
    json_key(out, key);
    dc_text_add(out, "[");
    for (size_t i = 0; i < count; i++) {
        dc_text_printf(out, "%s{\"text\": ", i > 0 ? ", " : "");
        ds_json_string(out, e[i].text);
        dc_text_printf(out, ", \"held\": %s, \"value\": ", e[i].held ? "true" : "false");
        ds_json_number(out, e[i].value);
        dc_text_add(out, "}");
    }
    dc_text_add(out, "]");
}

static void json_invariants(struct dc_text *out, const struct ds_summary *s)
{
    json_key(out, "invariants");
    dc_text_add(out, "[");
    for (size_t i = 0; i < s->invariant_count; i++) {
        const struct ds_invariant *v = &s->invariants[i];
        dc_text_printf(out, "%s{\"name\": ", i > 0 ? ", " : "");
        ds_json_string(out, v->name);
        dc_text_printf(
            out, ", \"violations\": %llu, \"violation\": ", (unsigned long long)v->violations);
        if (v->violation != NULL)
            ds_json_string(out, v->violation);
        else
            dc_text_add(out, "null");
        dc_text_add(out, "}");
    }
    dc_text_add(out, "]");
}

const char *ds_summary_end(enum ds_world_end end)
{
    static const char *const ends[] = {
        [DS_WORLD_DONE] = "done",   [DS_WORLD_HALTED] = "halted",
        [DS_WORLD_TIME] = "time",   [DS_WORLD_INTERRUPTED] = "interrupted",
        [DS_WORLD_UNTIL] = "until", [DS_WORLD_VIOLATED] = "violated"};
    return ends[end];
}

void ds_summary_json(const struct ds_outcome *o)
{
    const struct ds_summary *s = o->summary;
    struct dc_text out = {0};
    dc_text_add(&out, "{");
    json_text(&out, "name", o->scenario->name);
    json_key(&out, "seed");
    dc_text_printf(&out, "%llu", (unsigned long long)o->scenario->seed);
    json_text(&out, "end", ds_summary_end(s->end));
    json_text(&out, "file", o->file);
    json_text(&out, "trace_digest", s->trace_digest);
    json_text(&out, "content_digest", s->content_digest);
    json_key(&out, "invariants_held");
    dc_text_add(&out, s->invariants_held ? "true" : "false");
    json_text(&out, "violation", s->violation);
    json_text(&out, "invariant", s->invariant);
    json_key(&out, "violation_seconds");
    ds_json_number(&out, s->invariants_held ? NAN : (double)s->violation_ns / 1e9);
    json_invariants(&out, s);
    json_expectations(&out, "expectations", s->expectations, s->expectation_count);
    json_expectations(&out, "sometimes", s->sometimes, s->sometimes_count);
    json_key(&out, "virtual_seconds");
    ds_json_number(&out, virtual_seconds(o));
    json_key(&out, "wall_seconds");
    ds_json_number(&out, o->wall_s);
    json_key(&out, "cpu_seconds");
    ds_json_number(&out, o->cpu_s);
    json_key(&out, "events");
    dc_text_printf(&out, "%llu", (unsigned long long)o->counts.events);
    for (size_t i = 0; i < s->scalar_count; i++)
        json_scalar(&out, &s->scalars[i]);
    dc_text_add(&out, "\n}\n");
    ds_cmd_output(&out);
}
