/* `destrasim twins`: progress, the file to go on from, reports. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd.h"
#include "sim/cmd_twins.h"

#ifdef DC_MUTANTS
#define MUTANT_NAME(NAME, word, what) word,
const char *const ds_twins_mutants[DC_MUTANT_COUNT] = {DC_MUTANT_TABLE(MUTANT_NAME)};
#undef MUTANT_NAME
#endif

/* --- progress -------------------------------------------------------------------------------- */

void ds_twins_progress(struct twins_work *w, bool last)
{
    double now_s = ds_clock_wall();
    bool live = isatty(STDERR_FILENO) != 0;
    if (w->quiet || (last ? !live : now_s - w->shown_s < (live ? 0.2 : 10.0)))
        return;
    w->shown_s = now_s;
    if (last) {
        (void)fputs("\r\033[K", stderr);
        return;
    }
    double took_s = now_s - w->begin_s;
    double rate = took_s > 0 ? (double)(w->sum.runs - w->before) / took_s : 0;
    double left_s = rate > 0 ? (double)(w->to - w->next) / rate : 0;
    (void)fprintf(stderr, "%stwins: %s of %s, %s a second, %s left%s", live ? "\r\033[K" : "",
                  ds_word_count((double)(w->next - w->from)).text,
                  ds_word_count((double)(w->to - w->from)).text, ds_word_count(rate).text,
                  ds_word_time(left_s).text, live ? "" : "\n");
    (void)fflush(stderr);
}

/* --- going on -------------------------------------------------------------------------------- */

#define RESUME_HEAD "destrasim twins 1\n"
#define RESUME_BYTES 1024

static void settings(const struct twins_work *w, char out[256])
{
    snprintf(out, 256,
             "validators=%u rounds=%u epoch_blocks=%u mutant=%u sample=%" PRIu64 " seed=%" PRIu64
             " from=%" PRIu64 " to=%" PRIu64 "\n",
             w->config.validators, w->config.rounds, w->config.epoch_blocks, w->config.mutant,
             w->sample, w->sample != 0 ? w->seed : 0, w->from, w->to);
}

int ds_twins_save(const struct twins_work *w)
{
    char line[256];
    struct dc_text path = {0};
    settings(w, line);
    dc_text_printf(&path, "%s.partial", w->resume);
    FILE *file = fopen(path.data, "w");
    bool ok = file != NULL;
    if (ok) {
        const struct twins_sum *s = &w->sum;
        ok = fprintf(file,
                     RESUME_HEAD "%snext=%" PRIu64 " runs=%" PRIu64 " steps=%" PRIu64
                                 " evidence=%" PRIu64 " virtual_ns=%" PRIu64
                                 " final_before=%" PRIu64 "\n",
                     line, w->next, s->runs, s->steps, s->evidence, s->virtual_ns,
                     s->final_before) > 0;
        ok = fclose(file) == 0 && ok && rename(path.data, w->resume) == 0;
    }
    if (!ok)
        ds_cmd_usage("%s: could not write how far it is: %s", w->resume, strerror(errno));
    dc_text_free(&path);
    return ok ? DS_EXIT_FINE : DS_EXIT_IO;
}

int ds_twins_load(struct twins_work *w)
{
    char text[RESUME_BYTES], line[256];
    FILE *file = fopen(w->resume, "r");
    if (file == NULL && errno == ENOENT)
        return DS_EXIT_FINE;
    if (file == NULL) {
        ds_cmd_usage("%s: could not be read: %s", w->resume, strerror(errno));
        return DS_EXIT_IO;
    }
    size_t size = fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    text[size] = 0;
    settings(w, line);
    size_t head = strlen(RESUME_HEAD), same = strlen(line);
    if (size < head || memcmp(text, RESUME_HEAD, head) != 0)
        return ds_cmd_usage("%s: is not a file of `twins --resume`", w->resume);
    if (size < head + same || memcmp(text + head, line, same) != 0)
        return ds_cmd_usage(
            "%s: is of other settings than these: remove it, or give these:\n  %.*s", w->resume,
            (int)strcspn(text + head, "\n"), text + head);
    struct twins_sum *s = &w->sum;
    if (sscanf(text + head + same,
               "next=%" SCNu64 " runs=%" SCNu64 " steps=%" SCNu64 " evidence=%" SCNu64
               " virtual_ns=%" SCNu64 " final_before=%" SCNu64,
               &w->next, &s->runs, &s->steps, &s->evidence, &s->virtual_ns,
               &s->final_before) != 6 ||
        w->next < w->from || w->next > w->to || s->runs != w->next - w->from)
        return ds_cmd_usage("%s: is damaged: remove it to begin anew", w->resume);
    w->before = s->runs;
    return DS_EXIT_FINE;
}

/* --- reports --------------------------------------------------------------------------------- */

/* What to type to see it again. */
static void again(const struct twins_work *w, uint64_t number, struct dc_text *out)
{
    dc_text_add(out, w->config.mutant != 0 ? "destrasim-mutants" : "destrasim");
    dc_text_printf(out, " twins --validators %u --rounds %u", w->config.validators,
                   w->config.rounds);
    if (w->config.epoch_blocks != 0)
        dc_text_printf(out, " --epoch-blocks %u", w->config.epoch_blocks);
#ifdef DC_MUTANTS
    if (w->config.mutant != 0)
        dc_text_printf(out, " --mutant %s", ds_twins_mutants[w->config.mutant]);
#endif
    dc_text_printf(out, " --only %" PRIu64 " --explain", number);
}

void ds_twins_report(const struct twins_work *w, const struct ds_twins *t,
                     const struct twins_chunk *failed, struct dc_text *out)
{
    double took_s = ds_clock_wall() - w->begin_s, runs = (double)w->sum.runs;
    double here = (double)(w->sum.runs - w->before);
    dc_text_printf(out, "%s scenarios of %s (%u validators, %u rounds%s)\n",
                   ds_word_count(runs).text, ds_word_count((double)w->count).text,
                   w->config.validators, w->config.rounds, w->sample != 0 ? ", sampled" : "");
    if (w->sum.runs != 0)
        dc_text_printf(out,
                       "  %s of virtual time; %.1f inputs, %.2f proofs of equivocation and %.2f "
                       "heights final before the end of the partitions, each\n",
                       ds_word_time((double)w->sum.virtual_ns / 1e9).text,
                       (double)w->sum.steps / runs, (double)w->sum.evidence / runs,
                       (double)w->sum.final_before / runs);
    if (took_s > 0 && here > 0)
        dc_text_printf(out, "  %s, %s scenarios a second, %u job%s\n", ds_word_time(took_s).text,
                       ds_word_count(here / took_s).text, w->jobs, w->jobs == 1 ? "" : "s");
    if (failed == NULL) {
        dc_text_add(out, "all good\n");
        return;
    }
    dc_text_printf(out, "scenario %" PRIu64 " fails, after %" PRIu64 " good ones: ", failed->number,
                   w->sum.runs - 1);
    ds_twins_verdict(t, &failed->result, out);
    dc_text_add(out, "\n");
    ds_twins_describe(t, failed->number, out);
    dc_text_add(out, "again: ");
    again(w, failed->number, out);
    dc_text_add(out, "\n");
}

void ds_twins_json(const struct twins_work *w, const struct ds_twins *t,
                   const struct ds_twins_result *result, uint64_t number, struct dc_text *out)
{
    const struct twins_sum *s = &w->sum;
    dc_text_printf(out,
                   "{\"validators\": %u, \"rounds\": %u, \"epoch_blocks\": %u, \"scenarios\": "
                   "%" PRIu64 ", \"sample\": %" PRIu64 ", \"from\": %" PRIu64 ", \"to\": %" PRIu64
                   ", \"runs\": %" PRIu64 ", \"inputs\": %" PRIu64 ", \"evidence\": %" PRIu64
                   ", \"virtual_s\": %.3f, \"seconds\": %.3f, \"good\": %s",
                   w->config.validators, w->config.rounds, w->config.epoch_blocks, w->count,
                   w->sample, w->from, w->to, s->runs, s->steps, s->evidence,
                   (double)s->virtual_ns / 1e9, ds_clock_wall() - w->begin_s,
                   result == NULL ? "true" : "false");
    if (result != NULL) {
        struct dc_text text = {0};
        dc_text_printf(out, ", \"first\": {\"number\": %" PRIu64 ", \"what\": ", number);
        ds_twins_verdict(t, result, &text);
        ds_json_string(out, text.data);
        dc_text_free(&text);
        ds_twins_describe(t, number, &text);
        dc_text_add(out, ", \"schedule\": ");
        ds_json_string(out, text.data);
        dc_text_free(&text);
        again(w, number, &text);
        dc_text_add(out, ", \"again\": ");
        ds_json_string(out, text.data);
        dc_text_free(&text);
        dc_text_add(out, "}");
    }
    dc_text_add(out, "}\n");
}
