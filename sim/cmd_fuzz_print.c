/* Progress of a campaign, and what it came to: failures, coverage and `sometimes`. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd_fuzz.h"

#define LIVE_S 0.2
#define PLAIN_S 10.0
#define OTHERS_MAX 10

static bool due(struct ds_fuzz_plan *plan)
{
    double now_s = ds_clock_wall();
    if (plan->quiet || now_s - plan->shown_s < (plan->live ? LIVE_S : PLAIN_S))
        return false;
    plan->shown_s = now_s;
    return true;
}

static void show(const struct ds_fuzz_plan *plan, const char *text)
{
    if (plan->live)
        fprintf(stderr, "\r\033[K%.100s", text);
    else
        fprintf(stderr, "destrasim: %s\n", text);
}

void ds_fuzz_progress(struct ds_fuzz_plan *plan)
{
    if (!due(plan))
        return;
    char text[400], of[64] = "", eta[80] = "";
    double elapsed_s = plan->shown_s - plan->begin_s;
    uint64_t done = plan->state.next - plan->first;
    double rate = elapsed_s > 0 ? (double)done / elapsed_s : 0;
    if (plan->until != UINT64_MAX) {
        snprintf(of, sizeof of, " of %s", ds_word_count((double)(plan->until - plan->first)).text);
        if (rate > 0)
            snprintf(eta, sizeof eta, ", ETA %s",
                     ds_word_time((double)(plan->until - plan->state.next) / rate).text);
    }
    snprintf(text, sizeof text, "%s%s runs, %s a second, %s virtual, %zu failed%s",
             ds_word_count((double)done).text, of, ds_word_ratio(rate).text,
             ds_word_time(plan->state.virtual_s).text, plan->state.failures_count, eta);
    show(plan, text);
}

void ds_fuzz_progress_shrink(struct ds_fuzz_plan *plan, uint64_t run,
                             const struct ds_minimise_progress *p)
{
    if (!due(plan))
        return;
    char text[256];
    snprintf(text, sizeof text, "minimising run %llu: %s, %zu of %zu faults left, %u runs",
             (unsigned long long)run, p->stage, p->faults, p->faults_from, p->calls);
    show(plan, text);
}

void ds_fuzz_progress_end(struct ds_fuzz_plan *plan)
{
    if (plan->live)
        fputs("\r\033[K", stderr);
}

const char *ds_fuzz_never(const struct ds_fuzz_plan *plan)
{
    const struct ds_scenario *base = &plan->base;
    for (size_t k = 0; k < base->sometimes_count && k < DS_FUZZ_SOMETIMES_MAX; k++)
        if (plan->state.sometimes[k] == 0)
            return base->sometimes[k].text;
    return NULL;
}

/* ---- for people ------------------------------------------------------------------------------ */

void ds_fuzz_quote(struct dc_text *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:=+,%@";
    bool quote = word[0] == '\0' || word[strspn(word, plain)] != '\0';
    dc_text_add(out, quote ? "'" : "");
    for (; *word != '\0'; word++)
        if (*word == '\'')
            dc_text_add(out, "'\\''");
        else
            dc_text_put(out, word, 1);
    dc_text_add(out, quote ? "'" : "");
}

/* "1 run", "20,000 runs" */
static void print_runs(uint64_t runs)
{
    printf("%s run%s", ds_word_count((double)runs).text, runs == 1 ? "" : "s");
}

static void print_indented(const char *text)
{
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        printf("  %.*s\n", (int)size, text);
        text += size + (text[size] == '\n');
    }
}

/* Runs that failed in the same way as number n, which is the first of them. */
static void print_others(const struct ds_fuzz_state *s, size_t n)
{
    size_t others = 0;
    for (size_t i = n + 1; i < s->failures_count; i++) {
        if (strcmp(s->failures[i].key, s->failures[n].key) != 0)
            continue;
        if (others++ < OTHERS_MAX)
            printf("%s %llu", others == 1 ? "  likewise runs" : ",",
                   (unsigned long long)s->failures[i].run);
    }
    if (others > OTHERS_MAX)
        printf(" and %s more", ds_word_count((double)(others - OTHERS_MAX)).text);
    printf("%s", others > 0 ? "\n" : "");
}

static void print_failure(const struct ds_fuzz_state *s, size_t n)
{
    const struct ds_fuzz_failure *f = &s->failures[n];
    for (size_t i = 0; i < n; i++)
        if (strcmp(s->failures[i].key, f->key) == 0)
            return;
    printf("\nrun %llu failed: %s%s\n", (unsigned long long)f->run, f->key,
           f->old ? " (in an earlier session)" : "");
    if (strcmp(f->text, f->key) != 0)
        print_indented(f->text);
    print_others(s, n);
    if (f->gone)
        printf("  it did NOT fail when it was run again\n");
    if (f->file[0] == '\0')
        return;
    printf("  minimised from %u to %u fault%s in %u runs%s; as drawn: %s\n", f->faults,
           f->faults_minimised, f->faults_minimised == 1 ? "" : "s", f->calls,
           f->complete ? "" : ", until time was up", f->full);
    if (!f->confirmed) {
        printf("  %s did NOT fail in the same way when it was run by itself\n", f->file);
        return;
    }
    struct dc_text file = {0};
    ds_fuzz_quote(&file, f->file);
    printf("  reproduce it:  " DS_FUZZ_PROGRAM " run %s -o failed.h5\n"
           "  look at it:    " DS_FUZZ_PROGRAM " trace failed.h5 -o failed.svg\n",
           file.data);
    dc_text_free(&file);
}

static void print_coverage(const struct ds_fuzz_coverage *c)
{
    printf("\nFaults begun, by kind and by what the protocol was doing:\n%-12s", "");
    for (size_t p = 0; p < DS_FUZZ_PHASES; p++)
        printf(" %12s", ds_fuzz_phase_names[p]);
    printf("\n");
    for (size_t k = 0; k < DS_FAULT_KINDS; k++) {
        uint64_t all = 0;
        for (size_t p = 0; p < DS_FUZZ_PHASES; p++)
            all += c->count[k][p];
        if (all == 0)
            continue;
        printf("%-12s", ds_choices_fault[k].name);
        for (size_t p = 0; p < DS_FUZZ_PHASES; p++)
            printf(" %12s", ds_word_count((double)c->count[k][p]).text);
        printf("\n");
    }
}

void ds_fuzz_print(const struct ds_fuzz_plan *plan, double seconds)
{
    const struct ds_fuzz_state *s = &plan->state;
    uint64_t here = s->next - plan->first;
    if (ds_cmd_caught() != 0)
        printf("INTERRUPTED by a signal%s\n",
               plan->resume != NULL ? ": the same command goes on from here" : "");
    printf("%s, seed %llu: ", plan->base.name, (unsigned long long)s->seed);
    print_runs(s->runs);
    if (here != s->runs)
        printf(" (%s of them now)", ds_word_count((double)here).text);
    printf(", %zu failed; %s virtual, %s events\n", s->failures_count,
           ds_word_time(s->virtual_s).text, ds_word_count((double)s->events).text);
    if (seconds > 0 && here > 0)
        printf("%s runs an hour on %u process%s\n",
               ds_word_count((double)here * 3600 / seconds).text, plan->jobs,
               plan->jobs == 1 ? "" : "es");
    print_coverage(&s->coverage);
    bool whole = s->failures_count == 0 && !plan->only &&
                 ds_cmd_caught() == 0; /* what stopped early says nothing yet */
    for (size_t k = 0; k < plan->base.sometimes_count && k < DS_FUZZ_SOMETIMES_MAX; k++) {
        printf("%ssometimes   %-40s in ", k == 0 ? "\n" : "", plan->base.sometimes[k].text);
        print_runs(s->sometimes[k]);
        printf("%s\n", s->sometimes[k] == 0 && (whole || plan->keep_going) ? ": NEVER" : "");
    }
    for (size_t i = 0; i < s->failures_count; i++)
        print_failure(s, i);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void json_failure(struct dc_text *out, const struct ds_fuzz_failure *f)
{
    dc_text_printf(out, "{\"run\": %llu, \"invariant\": ", (unsigned long long)f->run);
    ds_json_string(out, f->key);
    dc_text_add(out, ", \"evidence\": ");
    ds_json_string(out, f->text);
    dc_text_printf(out, ", \"faults\": %u, \"again\": %s", f->faults, f->gone ? "false" : "true");
    if (f->file[0] != '\0') {
        dc_text_printf(out, ", \"faults_minimised\": %u, \"runs\": %u, \"complete\": %s",
                       f->faults_minimised, f->calls, f->complete ? "true" : "false");
        dc_text_printf(out, ", \"confirmed\": %s, \"file\": ", f->confirmed ? "true" : "false");
        ds_json_string(out, f->file);
        dc_text_add(out, ", \"drawn\": ");
        ds_json_string(out, f->full);
    }
    dc_text_add(out, "}");
}

static void json_coverage(struct dc_text *out, const struct ds_fuzz_coverage *c)
{
    dc_text_add(out, "\"coverage\": {");
    for (size_t k = 0; k < DS_FAULT_KINDS; k++) {
        dc_text_printf(out, "%s\"%s\": {", k > 0 ? ", " : "", ds_choices_fault[k].name);
        for (size_t p = 0; p < DS_FUZZ_PHASES; p++)
            dc_text_printf(out, "%s\"%s\": %llu", p > 0 ? ", " : "", ds_fuzz_phase_names[p],
                           (unsigned long long)c->count[k][p]);
        dc_text_add(out, "}");
    }
    dc_text_add(out, "}");
}

void ds_fuzz_json(const struct ds_fuzz_plan *plan, double seconds)
{
    const struct ds_fuzz_state *s = &plan->state;
    struct dc_text out = {0};
    dc_text_add(&out, "{\"name\": ");
    ds_json_string(&out, plan->base.name);
    dc_text_printf(&out, ", \"seed\": %llu, \"next\": %llu, \"runs\": %llu, \"events\": %llu",
                   (unsigned long long)s->seed, (unsigned long long)s->next,
                   (unsigned long long)s->runs, (unsigned long long)s->events);
    dc_text_add(&out, ", \"virtual_s\": ");
    ds_json_number(&out, s->virtual_s);
    dc_text_add(&out, ", \"wall_s\": ");
    ds_json_number(&out, seconds);
    dc_text_add(&out, ", ");
    json_coverage(&out, &s->coverage);
    dc_text_add(&out, ", \"sometimes\": {");
    for (size_t k = 0; k < plan->base.sometimes_count && k < DS_FUZZ_SOMETIMES_MAX; k++) {
        dc_text_add(&out, k > 0 ? ", " : "");
        ds_json_string(&out, plan->base.sometimes[k].text);
        dc_text_printf(&out, ": %llu", (unsigned long long)s->sometimes[k]);
    }
    dc_text_add(&out, "}, \"failures\": [");
    for (size_t i = 0; i < s->failures_count; i++) {
        dc_text_add(&out, i > 0 ? ", " : "");
        json_failure(&out, &s->failures[i]);
    }
    dc_text_add(&out, "]}\n");
    (void)ds_cmd_output(&out);
}
