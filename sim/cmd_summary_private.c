/* The part of a run's summary that is about private payments, applications, key holders and
 * channels.  A run without them has none of these lines. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/cmd_world.h"

static double value(const struct ds_outcome *o, const char *name)
{
    return ds_summary_value(o->summary, name);
}

static struct ds_word count_of(const struct ds_outcome *o, const char *name)
{
    return ds_word_count(value(o, name));
}

void ds_summary_application(const struct ds_application *a, double result, double exact,
                            struct dc_text *out)
{
    if (isnan(result)) {
        dc_text_add(out, "did not come to its end");
        return;
    }
    switch ((enum ds_application_kind)a->kind) {
    case DS_APPLICATION_AUCTION:
        if (result > 0)
            dc_text_printf(out, "sold for %.12g DSYNC", result);
        else
            dc_text_add(out, "was not sold");
        break;
    case DS_APPLICATION_ESCROW:
        dc_text_add(out, result != 0 ? "was paid to its payee" : "went back to its payer");
        break;
    case DS_APPLICATION_RATING: dc_text_printf(out, "gave %.3g of 5 in the mean", result); break;
    case DS_APPLICATION_USAGE:
        if (result > 0)
            dc_text_printf(out, "opened to a total of %.12g", result);
        else
            dc_text_add(out, "opened to nothing");
        break;
    case DS_APPLICATION_INFERENCE:
        dc_text_printf(out, "gave %.12g clients the answer of the plain computation", result);
        break;
    case DS_APPLICATION_TRAINING:
        dc_text_add(out, result != 0 ? "led to the weights of the plain computation"
                                     : "led to other weights than the plain computation");
        break;
    case DS_APPLICATION_KINDS: return;
    }
    if (exact == 0)
        dc_text_add(out, "; NOT what its members' numbers come to in plain, all taking part");
}

static void print_applications(const struct ds_outcome *o)
{
    const struct ds_scenario *s = o->scenario;
    for (size_t i = 0; i < s->applications_count; i++) {
        const struct ds_application *a = &s->applications[i];
        struct dc_text words = {0};
        char name[160];
        snprintf(name, sizeof name, "application_result.%s", a->name);
        double result = value(o, name);
        snprintf(name, sizeof name, "application_exact.%s", a->name);
        ds_summary_application(a, result, value(o, name), &words);
        printf("%-11s %s (%s) %s\n", i == 0 ? "Apps" : "", a->name,
               ds_choices_application[a->kind].name, words.data);
        dc_text_free(&words);
    }
}

static void print_channels(const struct ds_outcome *o)
{
    static const char key[] = "channel_refused.";
    const char *between = " (";
    if (isnan(value(o, "handshakes")))
        return;
    printf("Channels    %s opened", count_of(o, "handshakes").text);
    if (!isnan(value(o, "handshake_latency.p50")))
        printf(", after %s in the median, 99 %% within %s",
               ds_word_time(value(o, "handshake_latency.p50")).text,
               ds_word_time(value(o, "handshake_latency.p99")).text);
    printf("; %s refused", count_of(o, "channel_refused").text);
    for (size_t i = 0; i < o->summary->scalar_count; i++) {
        const char *name = o->summary->scalars[i].name;
        if (strncmp(name, key, sizeof key - 1) != 0 || !(value(o, name) > 0))
            continue;
        printf("%s%s %s", between, name + sizeof key - 1, count_of(o, name).text);
        between = ", ";
    }
    printf("%s\n", between[0] == ',' ? ")" : "");
    if (value(o, "messages_intercepted") > 0)
        printf("            %s messages were kept by a man in the middle\n",
               count_of(o, "messages_intercepted").text);
}

void ds_summary_private(const struct ds_outcome *o)
{
    if (value(o, "payments_called") > 0 || value(o, "payments_private") > 0) {
        printf("Private     %s payments", count_of(o, "payments_private").text);
        if (!isnan(value(o, "payment_latency.p50")))
            printf(", final after %s in the median, 99 %% within %s",
                   ds_word_time(value(o, "payment_latency.p50")).text,
                   ds_word_time(value(o, "payment_latency.p99")).text);
        printf("; %s given up\n", count_of(o, "payments_failed").text);
    }
    print_applications(o);
    if (value(o, "beacons") > 0 || value(o, "grants") > 0)
        printf("Holders     made %s beacon values and %s grants together\n",
               count_of(o, "beacons").text, count_of(o, "grants").text);
    print_channels(o);
}
