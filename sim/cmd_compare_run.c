/* Runs of one side: this program or another one, called as a user would call it, so that a version
 * of last year is compared by the same words. */
#define _POSIX_C_SOURCE 200809L
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/cmd_compare.h"
#include "sim/cmd_process.h"

enum { JOBS_MAX = 256 };

struct job {
    struct ds_process process;
    uint64_t seed;
    char **argument; /* of the call, NULL at the end */
};

struct pool {
    const struct ds_compare_run *run;
    struct da_runs *out;
    struct dc_text folder;
    struct job job[JOBS_MAX];
    const char **file; /* of runs that gave one, in order of seeds: [replications] */
    const char **why;  /* of the others, likewise: what they said */
    struct dc_arena arena;
    uint64_t next, done;
};

static char *arena_text(struct pool *p, const char *format, const char *a, uint64_t number)
{
    int size = snprintf(NULL, 0, format, a, (unsigned long long)number);
    char *text = dc_arena_alloc(&p->arena, (size_t)size + 1);
    if (text != NULL)
        snprintf(text, (size_t)size + 1, format, a, (unsigned long long)number);
    return text;
}

/* ---- one run --------------------------------------------------------------------------------- */

static void child_main(void *ctx, int out)
{
    struct job *job = ctx;
    int null = open("/dev/null", O_WRONLY);
    (void)out;
    if (null >= 0)
        dup2(null, STDOUT_FILENO);
    execv(job->argument[0], job->argument);
    fprintf(stderr, "destrasim: error: %s: %s\n", job->argument[0], strerror(errno));
    _exit(127);
}

static bool make_call(struct pool *p, struct job *job)
{
    const struct ds_compare_run *run = p->run;
    char seed[32];
    size_t n = 0;
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)job->seed);
    char **a = dc_arena_alloc(&p->arena, (run->sets * 2 + 12) * sizeof *a);
    char *file = arena_text(p, "%s/%llu.h5", p->folder.data, job->seed);
    char *number = arena_text(p, "%s", seed, 0);
    if (a == NULL || file == NULL || number == NULL)
        return false;
    p->file[job->seed - 1] = file;
    const char *const words[] = {run->program, "run", run->scenario, "--quiet", "--threads",
                                 "1",          "-o",  file,          "--seed",  number};
    for (; n < sizeof words / sizeof words[0]; n++)
        a[n] = (char *)(uintptr_t)words[n]; /* execv wants them so, and leaves them */
    for (size_t i = 0; i < run->sets; i++) {
        a[n++] = (char *)(uintptr_t) "--set";
        a[n++] = (char *)(uintptr_t)run->set[i];
    }
    job->argument = a;
    return true;
}

/* The first line that it said, without what only says who spoke. */
static void first_line(const struct job *job, char text[512])
{
    static const char who[] = "destrasim: error: ";
    const char *said = job->process.said_size > 0 ? job->process.said : "";
    if (strncmp(said, who, sizeof who - 1) == 0)
        said += sizeof who - 1;
    size_t size = strcspn(said, "\n");
    size_t most = job->process.said_size - (size_t)(said - job->process.said);
    size = job->process.said_size == 0 ? 0 : size < most ? size : most;
    if (size > 0)
        snprintf(text, 512, "%.*s", (int)(size < 400 ? size : 400), said);
    else if (WIFSIGNALED(job->process.status))
        snprintf(text, 512, "ended by signal %d", WTERMSIG(job->process.status));
    else
        snprintf(text, 512, "exit code %d", WEXITSTATUS(job->process.status));
}

/* Exit code 1 is a run whose expectations or invariants did not hold: still a run, if its file was
 * completed. */
static void take(struct pool *p, struct job *job)
{
    char text[512];
    int code = WIFEXITED(job->process.status) ? WEXITSTATUS(job->process.status) : -1;
    const char *file = p->file[job->seed - 1];
    p->done++;
    if ((code == 0 || code == 1) && access(file, R_OK) == 0)
        return;
    first_line(job, text);
    p->file[job->seed - 1] = NULL;
    const char *why = arena_text(p, "%s", text, 0);
    p->why[job->seed - 1] = why != NULL ? why : "out of memory";
}

/* ---- all of them ----------------------------------------------------------------------------- */

static void progress(const struct pool *p)
{
    if (!p->run->quiet && isatty(STDERR_FILENO))
        fprintf(stderr, "\r\033[Kside %s: %llu of %llu runs", p->run->name,
                (unsigned long long)p->done, (unsigned long long)p->run->replications);
}

static int run_all(struct pool *p)
{
    const struct ds_compare_run *run = p->run;
    struct ds_process *process[JOBS_MAX];
    unsigned jobs = run->jobs < JOBS_MAX ? run->jobs : JOBS_MAX;
    for (unsigned i = 0; i < jobs; i++)
        process[i] = &p->job[i].process;
    while (p->done < run->replications && *run->stop == 0) {
        for (unsigned i = 0; i < jobs && p->next < run->replications; i++) {
            struct job *job = &p->job[i];
            if (job->process.pid != 0)
                continue;
            ds_process_free(&job->process);
            job->process = (struct ds_process){0};
            job->seed = ++p->next;
            if (!make_call(p, job) ||
                !ds_process_start(&job->process, (struct ds_process_limits){0}, child_main, job)) {
                ds_cmd_usage("compare: no process could be started: %s", strerror(errno));
                return DS_EXIT_IO;
            }
        }
        progress(p);
        size_t ended = ds_process_wait(process, jobs, 500);
        if (ended != SIZE_MAX)
            take(p, &p->job[ended]);
    }
    return *run->stop != 0 ? 128 + ds_cmd_caught() : DS_EXIT_FINE;
}

static bool make_folder(struct pool *p)
{
    const char *temporary = getenv("TMPDIR");
    dc_text_printf(&p->folder, "%s/destrasim-compare-XXXXXX",
                   temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp");
    if (p->folder.data != NULL && !p->folder.failed && mkdtemp(p->folder.data) != NULL)
        return true;
    ds_cmd_usage("compare: no temporary folder could be made (%s): TMPDIR says where",
                 strerror(errno));
    dc_text_free(&p->folder);
    return false;
}

/* The folder is its own: whatever a run left in it goes. */
static void remove_folder(struct pool *p)
{
    DIR *d = opendir(p->folder.data);
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        struct dc_text path = {0};
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        dc_text_printf(&path, "%s/%s", p->folder.data, e->d_name);
        if (path.data != NULL)
            (void)unlink(path.data);
        dc_text_free(&path);
    }
    if (d != NULL)
        closedir(d);
    (void)rmdir(p->folder.data);
}

/* Files first, then the runs that gave none, both in order of seeds: which one ended first does not
 * show. */
static int read_all(struct pool *p)
{
    struct dc_error error = {0};
    size_t count = 0;
    for (uint64_t i = 0; i < p->run->replications; i++)
        if (p->file[i] != NULL)
            p->file[count++] = p->file[i];
    enum dc_status status = da_runs_of_files(p->file, count, p->out, &error);
    for (uint64_t i = 0; i < p->run->replications && status == DC_OK; i++)
        if (p->why[i] != NULL)
            status = da_runs_add_failed(p->out, i + 1, p->why[i], &error);
    return status == DC_OK ? DS_EXIT_FINE : ds_cmd_failed(status, &error);
}

int ds_compare_execute(const struct ds_compare_run *run, struct da_runs *out)
{
    struct pool *p = dc_mem_need(1, sizeof *p, "runs");
    p->run = run;
    p->out = out;
    p->file = dc_mem_need(run->replications + 1, sizeof *p->file, "runs");
    p->why = dc_mem_need(run->replications + 1, sizeof *p->why, "runs");
    int code = make_folder(p) ? DS_EXIT_FINE : DS_EXIT_IO;
    if (code == DS_EXIT_FINE) {
        code = run_all(p);
        for (size_t i = 0; i < JOBS_MAX; i++) {
            ds_process_kill(&p->job[i].process);
            ds_process_free(&p->job[i].process);
        }
        if (!run->quiet && isatty(STDERR_FILENO))
            fputs("\r\033[K", stderr);
        if (code == DS_EXIT_FINE)
            code = read_all(p);
        remove_folder(p);
    }
    dc_text_free(&p->folder);
    dc_arena_free(&p->arena);
    dc_mem_free(p->file);
    dc_mem_free(p->why);
    dc_mem_free(p);
    return code;
}
