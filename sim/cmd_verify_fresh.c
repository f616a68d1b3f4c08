/* A stretch of a run once more, in a fresh process.
 *
 * What a program does may hang on its process (addresses, its number), and two runs in one process
 * then agree.  So `verify` starts itself again, with an option that help does not show:
 *
 *     destrasim verify --events FROM,UNTIL OUT.h5     prints one line per event, and a last line
 *
 *     E time node source sequence event message size rolling a text...
 *     . count
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/base/mem.h"
#include "sim/cmd_verify.h"

int ds_fresh_print(const struct ds_events *events)
{
    for (size_t i = 0; i < events->count; i++) {
        const struct ds_event_seen *e = &events->list[i];
        printf("E %" PRId64 " %u %u %u %u %u %u %" PRIu64 " %" PRIu64 " %s\n", e->time_ns, e->node,
               e->source, e->sequence, e->event, e->message, e->size, e->rolling, e->a,
               e->text != NULL ? e->text : "");
    }
    printf(". %zu\n", events->count);
    return DS_EXIT_FINE;
}

static const char *keep(struct ds_events *out, const char *text)
{
    char *copy = text[0] != '\0' ? dc_arena_alloc(&out->texts, strlen(text) + 1) : NULL;
    return copy != NULL ? strcpy(copy, text) : NULL;
}

/* Reads what ds_fresh_print printed; false when it is not all there. */
static bool fresh_read(FILE *from, struct ds_events *out)
{
    char line[4096];
    while (fgets(line, sizeof line, from) != NULL) {
        struct ds_event_seen e = {0};
        int text = 0;
        size_t count;
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, ". %zu", &count) == 1)
            return count == out->count;
        if (sscanf(line, "E %" SCNd64 " %u %u %u %u %u %u %" SCNu64 " %" SCNu64 "%n", &e.time_ns,
                   &e.node, &e.source, &e.sequence, &e.event, &e.message, &e.size, &e.rolling, &e.a,
                   &text) != 9)
            return false;
        e.text = keep(out, line + text + (line[text] == ' '));
        struct ds_event_seen *new = ds_events_add(out);
        if (new == NULL)
            return true;
        *new = e;
    }
    return false;
}

static bool fresh_start(char *const *arguments, int *output, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    bool good = posix_spawn(child, "/proc/self/exe", &actions, NULL, arguments, environ) == 0;
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (!good)
        close(ends[0]);
    *output = ends[0];
    return good;
}

enum dc_status ds_fresh_events(const struct ds_rerun *r, const struct ds_rerun_how *how,
                               int64_t from_ns, int64_t until_ns, struct ds_events *out,
                               struct dc_error *error)
{
    char events[64], threads[16];
    int output, status = 0;
    pid_t child;
    *out = (struct ds_events){.scenario = &r->scenario};
    snprintf(events, sizeof events, "--events=%" PRId64 ",%" PRId64, from_ns, until_ns);
    snprintf(threads, sizeof threads, "--threads=%u", how->threads);
    const char *arguments[] = {
        "destrasim", "verify", events, threads, how->quiet ? "--quiet" : events,
        "--",        r->path,  NULL};
    if (!fresh_start((char *const *)(uintptr_t)arguments, &output, &child))
        return dc_error_set(error, DC_ERR_IO, "could not start another process of this program");
    FILE *from = fdopen(output, "r");
    bool good = from != NULL && fresh_read(from, out);
    if (from != NULL)
        fclose(from);
    else
        close(output);
    waitpid(child, &status, 0);
    if (!good || !WIFEXITED(status) || WEXITSTATUS(status) != DS_EXIT_FINE)
        return dc_error_set(error, DC_ERR_IO, "the run in another process did not end well");
    return DC_OK;
}
