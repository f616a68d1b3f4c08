/* The counts of a campaign, and the file that it is resumed from: lines of `word values`, written
 * beside it and renamed, so that it is always whole.
 *
 *     destrasim-fuzz 1
 *     scenario DIGEST
 *     seed N              next N         runs N      events N      virtual SECONDS
 *     sometimes K RUNS
 *     coverage KIND PHASE COUNT
 *     failure RUN VERDICT FAULTS KEY
 *     end
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sim/cmd_fuzz.h"

static struct ds_fuzz_failure *add_failure(struct ds_fuzz_state *state)
{
    if (state->failures_count == state->failures_max) {
        size_t max = 2 * state->failures_max + 4;
        struct ds_fuzz_failure *grown = dc_mem_need(max, sizeof *grown, "failures");
        if (state->failures_count > 0)
            memcpy(grown, state->failures, state->failures_count * sizeof *grown);
        dc_mem_free(state->failures);
        state->failures = grown;
        state->failures_max = max;
    }
    return &state->failures[state->failures_count++];
}

void ds_fuzz_count(struct ds_fuzz_state *state, uint64_t run, const struct ds_fuzz_outcome *outcome)
{
    state->runs++;
    state->next = run + 1;
    state->events += outcome->events;
    state->virtual_s += (double)outcome->virtual_ns * 1e-9;
    for (size_t k = 0; k < DS_FUZZ_SOMETIMES_MAX; k++)
        state->sometimes[k] += outcome->sometimes >> k & 1;
    for (size_t k = 0; k < DS_FAULT_KINDS; k++)
        for (size_t p = 0; p < DS_FUZZ_PHASES; p++)
            state->coverage.count[k][p] += outcome->coverage.count[k][p];
    if (outcome->verdict == DS_FUZZ_FINE)
        return;
    struct ds_fuzz_failure *f = add_failure(state);
    *f = (struct ds_fuzz_failure){
        .run = run, .verdict = outcome->verdict, .faults = outcome->faults};
    snprintf(f->key, sizeof f->key, "%s", outcome->key);
    snprintf(f->text, sizeof f->text, "%s", outcome->text);
}

static void print_state(const struct ds_fuzz_state *state, FILE *to)
{
    fprintf(to, "destrasim-fuzz 1\nscenario %016" PRIx64 "\nseed %" PRIu64 "\nnext %" PRIu64 "\n",
            state->digest, state->seed, state->next);
    fprintf(to, "runs %" PRIu64 "\nevents %" PRIu64 "\nvirtual %.9f\n", state->runs, state->events,
            state->virtual_s);
    for (size_t k = 0; k < DS_FUZZ_SOMETIMES_MAX; k++)
        if (state->sometimes[k] > 0)
            fprintf(to, "sometimes %zu %" PRIu64 "\n", k, state->sometimes[k]);
    for (size_t k = 0; k < DS_FAULT_KINDS; k++)
        for (size_t p = 0; p < DS_FUZZ_PHASES; p++)
            if (state->coverage.count[k][p] > 0)
                fprintf(to, "coverage %s %zu %" PRIu64 "\n", ds_choices_fault[k].name, p,
                        state->coverage.count[k][p]);
    for (size_t i = 0; i < state->failures_count; i++)
        fprintf(to, "failure %" PRIu64 " %u %u %s\n", state->failures[i].run,
                state->failures[i].verdict, state->failures[i].faults, state->failures[i].key);
    fprintf(to, "end\n");
}

enum dc_status ds_fuzz_save(const struct ds_fuzz_state *state, const char *path,
                            struct dc_error *error)
{
    struct dc_text beside = {0};
    dc_text_printf(&beside, "%s.partial", path);
    FILE *to = beside.data != NULL ? fopen(beside.data, "w") : NULL;
    bool good = to != NULL;
    if (good) {
        print_state(state, to);
        good = fflush(to) == 0 && fsync(fileno(to)) == 0;
        good = fclose(to) == 0 && good;
        good = good && rename(beside.data, path) == 0;
    }
    int why = errno;
    dc_text_free(&beside);
    return good ? DC_OK
                : dc_error_set(error, DC_ERR_IO,
                               "%s: could not be written (%s): choose another file", path,
                               strerror(why));
}

/* One line; false when it is none of ours. */
static bool read_line(struct ds_fuzz_state *s, const char *line, bool *ended)
{
    uint64_t n, run;
    size_t k, p;
    unsigned verdict, faults;
    char word[64], key[128];
    *ended = strcmp(line, "end") == 0;
    if (*ended || sscanf(line, "scenario %" SCNx64, &s->digest) == 1 ||
        sscanf(line, "seed %" SCNu64, &s->seed) == 1 ||
        sscanf(line, "next %" SCNu64, &s->next) == 1 ||
        sscanf(line, "runs %" SCNu64, &s->runs) == 1 ||
        sscanf(line, "events %" SCNu64, &s->events) == 1 ||
        sscanf(line, "virtual %lf", &s->virtual_s) == 1)
        return true;
    if (sscanf(line, "sometimes %zu %" SCNu64, &k, &n) == 2 && k < DS_FUZZ_SOMETIMES_MAX) {
        s->sometimes[k] = n;
        return true;
    }
    if (sscanf(line, "coverage %63s %zu %" SCNu64, word, &p, &n) == 3 && p < DS_FUZZ_PHASES) {
        for (k = 0; k < DS_FAULT_KINDS; k++)
            if (strcmp(ds_choices_fault[k].name, word) == 0)
                s->coverage.count[k][p] = n;
        return true;
    }
    if (sscanf(line, "failure %" SCNu64 " %u %u %127[^\n]", &run, &verdict, &faults, key) == 4) {
        struct ds_fuzz_failure *f = add_failure(s);
        *f =
            (struct ds_fuzz_failure){.run = run, .verdict = verdict, .faults = faults, .old = true};
        snprintf(f->key, sizeof f->key, "%s", key);
        return true;
    }
    return false;
}

static bool read_state(struct ds_fuzz_state *s, FILE *from)
{
    char line[512];
    bool ended = false;
    if (fgets(line, sizeof line, from) == NULL || strcmp(line, "destrasim-fuzz 1\n") != 0)
        return false;
    while (!ended && fgets(line, sizeof line, from) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (!read_line(s, line, &ended))
            return false;
    }
    return ended;
}

enum dc_status ds_fuzz_restore(struct ds_fuzz_state *state, const char *path, bool any_seed,
                               struct dc_error *error)
{
    FILE *from = fopen(path, "r");
    if (from == NULL && errno == ENOENT)
        return DC_OK;
    if (from == NULL)
        return dc_error_set(error, DC_ERR_IO, "%s: %s", path, strerror(errno));
    struct ds_fuzz_state read = {0};
    bool good = read_state(&read, from);
    fclose(from);
    enum dc_status status = DC_OK;
    if (!good)
        status = dc_error_set(error, DC_ERR_USAGE,
                              "%s: is no campaign of `destrasim fuzz`: name another file", path);
    else if (read.digest != state->digest)
        status = dc_error_set(error, DC_ERR_USAGE,
                              "%s: was made from another scenario: resume with that one, or begin "
                              "with another file",
                              path);
    else if (!any_seed && read.seed != state->seed)
        status = dc_error_set(error, DC_ERR_USAGE,
                              "%s: has seed %llu: leave --seed out, or begin with another file",
                              path, (unsigned long long)read.seed);
    if (status != DC_OK) {
        dc_mem_free(read.failures);
        return status;
    }
    *state = read;
    return DC_OK;
}
