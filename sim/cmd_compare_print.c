/* What a comparison came to: a table, JSON, JUnit XML. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "analysis/figure.h"
#include "sim/cmd_compare.h"

/* ---- for people ------------------------------------------------------------------------------ */

static struct ds_word number(double value)
{
    struct ds_word w;
    if (isnan(value))
        snprintf(w.text, sizeof w.text, "-");
    else
        snprintf(w.text, sizeof w.text, "%.5g", value);
    return w;
}

/* Relative where A is not 0, else absolute. */
static struct ds_word moved(const struct da_change *c, double relative, double absolute)
{
    struct ds_word w;
    if (isnan(absolute))
        snprintf(w.text, sizeof w.text, "-");
    else if (isnan(c->relative.value))
        snprintf(w.text, sizeof w.text, "%+.4g", absolute);
    else
        snprintf(w.text, sizeof w.text, "%+.*f %%", fabs(relative) < 0.1 ? 2 : 1, relative * 100);
    return w;
}

static void print_row(const struct ds_compare *c, const struct da_change *x)
{
    char name[160], interval[110], p[24] = "";
    bool plain = x->unit[0] == '\0' || strcmp(x->unit, "1") == 0;
    snprintf(name, sizeof name, "%s%s%s", x->metric, plain ? "" : " ", plain ? "" : x->unit);
    if (isnan(x->change.lo))
        snprintf(interval, sizeof interval, "-");
    else
        snprintf(interval, sizeof interval, "%s .. %s", moved(x, x->relative.lo, x->change.lo).text,
                 moved(x, x->relative.hi, x->change.hi).text);
    if (!isnan(x->p))
        snprintf(p, sizeof p, "%.2g", x->p);
    printf("  %-34s %11s %11s %10s  %-22s %8s  %s%s\n", name, number(x->a).text, number(x->b).text,
           moved(x, x->relative.value, x->change.value).text, interval, p,
           da_verdict_name(x->verdict), ds_compare_fails(c, x) ? "  <- fails the gate" : "");
    if (x->point[0] != '\0')
        printf("      at %s\n", x->point);
}

static void print_side(const struct ds_compare_side *s, size_t failed, size_t left_out)
{
    printf("%s: %s, %zu run%s", s->name, s->path, s->runs.runs, s->runs.runs == 1 ? "" : "s");
    if (s->program != NULL)
        printf(" by %s", s->program);
    if (failed > 0)
        printf(", %zu without data", failed);
    if (left_out > 0)
        printf(", %zu without a partner on the other side", left_out);
    printf("\n");
}

static void print_head(const struct ds_compare *c)
{
    const struct da_comparison *r = &c->result;
    print_side(&c->a, r->failed_a, r->left_out_a);
    print_side(&c->b, r->failed_b, r->left_out_b);
    if (r->paired)
        printf("%zu pair%s by seed", r->units_a, r->units_a == 1 ? "" : "s");
    else
        printf("%zu and %zu seeds, independent", r->units_a, r->units_b);
    printf("; %zu numbers, %zu tested together", r->changes, r->tested);
    if (r->tested > 0)
        printf(" over %s%zu %s", r->exact ? "all " : "",
               r->rearrangements * (r->paired && r->exact ? 2 : 1),
               r->paired ? "exchanges of sides within pairs" : "ways to deal the runs");
    printf(";\nany false alarm at most %s, intervals %s each\n\n",
           ds_word_percent(c->options.level).text, ds_word_percent(c->options.confidence).text);
}

static void print_gate(const struct ds_compare *c)
{
    if (ds_compare_fewer(c))
        printf("Gate        FAILS: more runs of B than of A gave no data\n");
    if (c->failed > 0)
        printf("Gate        FAILS: %zu of %zu gate metrics\n", c->failed, c->gated);
    else if (c->undecided > 0)
        printf("Gate        %zu of %zu gate metrics have too few runs to tell\n", c->undecided,
               c->gated);
    else if (!ds_compare_fewer(c))
        printf("Gate        holds: none of %zu gate metrics is worse\n", c->gated);
}

void ds_compare_print(const struct ds_compare *c)
{
    const struct da_comparison *r = &c->result;
    size_t count[DA_UNMEASURED + 1] = {0}, shown = 0, rows;
    for (size_t i = 0; i < r->changes; i++)
        count[r->change[i].verdict]++;
    rows = r->changes - count[DA_SAME];
    print_head(c);
    if (rows > 0)
        printf("  %-34s %11s %11s %10s  %-22s %8s  %s\n", "", "A", "B", "change", "interval", "p",
               "verdict");
    for (; shown < rows && (c->limit == 0 || shown < c->limit); shown++)
        print_row(c, &r->change[shown]);
    if (shown < rows)
        printf("  and %zu more: --limit 0 shows all\n", rows - shown);
    printf("\nChanges     %zu worse, %zu changed, %zu better; %zu within noise, %zu the same, %zu "
           "with too few runs, %zu on one side only\n",
           count[DA_WORSE], count[DA_CHANGED], count[DA_BETTER], count[DA_NOISE], count[DA_SAME],
           count[DA_TOO_FEW], count[DA_UNMEASURED]);
    if (count[DA_WORSE] + count[DA_CHANGED] + count[DA_BETTER] + count[DA_UNMEASURED] == 0)
        printf("            no change\n");
    print_gate(c);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void json_numbers(struct dc_text *out, const char *const *key, const double *value,
                         size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dc_text_printf(out, ", \"%s\": ", key[i]);
        ds_json_number(out, value[i]);
    }
}

static void json_change(const struct ds_compare *c, const struct da_change *x, struct dc_text *out)
{
    static const char *const better[] = {"neither", "lower", "higher"};
    static const char *const key[] = {"a",         "b",        "change",      "change_lo",
                                      "change_hi", "relative", "relative_lo", "relative_hi",
                                      "z",         "p"};
    const double value[] = {x->a,
                            x->b,
                            x->change.value,
                            x->change.lo,
                            x->change.hi,
                            x->relative.value,
                            x->relative.lo,
                            x->relative.hi,
                            x->z,
                            x->p};
    dc_text_add(out, "{\"metric\": ");
    ds_json_string(out, x->metric);
    dc_text_add(out, ", \"unit\": ");
    ds_json_string(out, x->unit);
    dc_text_add(out, ", \"point\": ");
    ds_json_string(out, x->point);
    dc_text_printf(out, ", \"better\": \"%s\", \"verdict\": \"%s\"", better[x->better],
                   da_verdict_name(x->verdict));
    json_numbers(out, key, value, sizeof value / sizeof value[0]);
    dc_text_printf(out, ", \"runs_a\": %zu, \"runs_b\": %zu, \"gate\": %s, \"fails\": %s}",
                   x->count_a, x->count_b, ds_compare_gated(c, x) ? "true" : "false",
                   ds_compare_fails(c, x) ? "true" : "false");
}

static void json_side(const struct ds_compare_side *s, size_t failed, size_t left_out,
                      const char *key, struct dc_text *out)
{
    bool any = false;
    dc_text_printf(out, ",\n \"%s\": {\"path\": ", key);
    ds_json_string(out, s->path);
    dc_text_add(out, ", \"program\": ");
    if (s->program != NULL)
        ds_json_string(out, s->program);
    else
        dc_text_add(out, "null");
    dc_text_printf(out, ", \"runs\": %zu, \"left_out\": %zu, \"failed\": [", s->runs.runs,
                   left_out);
    for (size_t i = 0; i < s->runs.runs && failed > 0; i++) {
        const struct da_run *run = &s->runs.run[i];
        if (run->value != NULL)
            continue;
        dc_text_printf(out, "%s{\"seed\": %llu, \"point\": ", any ? ", " : "",
                       (unsigned long long)run->seed);
        ds_json_string(out, run->point);
        dc_text_add(out, ", \"why\": ");
        ds_json_string(out, run->failed);
        dc_text_add(out, "}");
        any = true;
    }
    dc_text_add(out, "]}");
}

int ds_compare_json(const struct ds_compare *c)
{
    struct dc_text out = {0};
    const struct da_comparison *r = &c->result;
    dc_text_printf(&out, "{\n \"level\": %.17g, \"paired\": %s, \"units_a\": %zu, \"units_b\": %zu",
                   c->options.level, r->paired ? "true" : "false", r->units_a, r->units_b);
    dc_text_printf(&out, ",\n \"tested\": %zu, \"rearrangements\": %zu, \"exact\": %s", r->tested,
                   r->rearrangements, r->exact ? "true" : "false");
    dc_text_printf(&out,
                   ",\n \"gate\": {\"metrics\": %zu, \"failed\": %zu, \"undecided\": %zu, "
                   "\"more_runs_failed\": %s}",
                   c->gated, c->failed, c->undecided, ds_compare_fewer(c) ? "true" : "false");
    json_side(&c->a, r->failed_a, r->left_out_a, "a", &out);
    json_side(&c->b, r->failed_b, r->left_out_b, "b", &out);
    dc_text_add(&out, ",\n \"changes\": [");
    for (size_t i = 0; i < r->changes; i++) {
        dc_text_add(&out, i > 0 ? ",\n  " : "\n  ");
        json_change(c, &r->change[i], &out);
    }
    dc_text_add(&out, "]\n}\n");
    return ds_cmd_output(&out);
}

/* ---- for continuous integration -------------------------------------------------------------- */

/* One case per gate metric and point. */
static void junit_case(const struct ds_compare *c, const struct da_change *x, struct dc_text *out)
{
    char message[200];
    dc_text_add(out, "    <testcase classname=\"compare.");
    da_text_escape(out, x->metric);
    dc_text_add(out, "\" name=\"");
    da_text_escape(out, x->point[0] != '\0' ? x->point : x->metric);
    snprintf(message, sizeof message, "%s: %.6g in A, %.6g in B (%s), p %.2g",
             da_verdict_name(x->verdict), x->a, x->b,
             moved(x, x->relative.value, x->change.value).text, x->p);
    bool fails = ds_compare_fails(c, x), skipped = !fails && x->verdict == DA_TOO_FEW;
    if (!fails && !skipped) {
        dc_text_add(out, "\"/>\n");
        return;
    }
    dc_text_printf(out, "\">\n      <%s message=\"", fails ? "failure" : "skipped");
    da_text_escape(out, message);
    dc_text_add(out, "\"/>\n    </testcase>\n");
}

static void junit_runs(const struct ds_compare *c, struct dc_text *out)
{
    dc_text_add(out, "    <testcase classname=\"compare\" name=\"runs\"");
    if (ds_compare_fewer(c))
        dc_text_printf(out,
                       ">\n      <failure message=\"%zu runs of B gave no data, %zu of A\"/>\n"
                       "    </testcase>\n",
                       c->result.failed_b, c->result.failed_a);
    else
        dc_text_add(out, "/>\n");
}

int ds_compare_junit(const struct ds_compare *c)
{
    struct dc_text out = {0};
    struct dc_error error = {0};
    char counts[120];
    size_t skipped = 0, fewer = ds_compare_fewer(c);
    for (size_t i = 0; i < c->result.changes; i++)
        skipped +=
            ds_compare_gated(c, &c->result.change[i]) && c->result.change[i].verdict == DA_TOO_FEW;
    snprintf(counts, sizeof counts, "tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\"",
             c->gated + 1, c->failed + fewer, skipped);
    dc_text_printf(
        &out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"destrasim\" %s>\n"
        "  <testsuite name=\"compare\" %s>\n",
        counts, counts);
    junit_runs(c, &out);
    for (size_t i = 0; i < c->result.changes; i++)
        if (ds_compare_gated(c, &c->result.change[i]))
            junit_case(c, &c->result.change[i], &out);
    dc_text_add(&out, "  </testsuite>\n</testsuites>\n");
    enum dc_status status = ds_cmd_write(c->junit, &out, &error);
    dc_text_free(&out);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}
