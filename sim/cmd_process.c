/* Processes with two pipes; see cmd_process.h. */
#define _GNU_SOURCE
#include "sim/cmd_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "models/base/mem.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||                         \
    __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0 /* those reserve terabytes of address space */
#endif

/* ---- the child ------------------------------------------------------------------------------- */

void ds_process_send(int out, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t n = write(out, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return;
        at += n;
        size -= (size_t)n;
    }
}

static void limit(int what, uint64_t soft, uint64_t hard)
{
    if (soft != 0)
        setrlimit(what, &(struct rlimit){soft, hard});
}

static _Noreturn void child_main(pid_t parent, struct ds_process_limits limits,
                                 void (*child)(void *ctx, int out), void *ctx, int out, int err)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0); /* it died before it could be asked for that */
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    limit(RLIMIT_CPU, limits.cpu_s, (uint64_t)limits.cpu_s + 5);
    if (!SANITIZED)
        limit(RLIMIT_AS, limits.memory_bytes, limits.memory_bytes);
    dup2(err, STDERR_FILENO);
    child(ctx, out);
    (void)fflush(stderr);
    _exit(0);
}

/* ---- the parent ------------------------------------------------------------------------------ */

bool ds_process_start(struct ds_process *p, struct ds_process_limits limits,
                      void (*child)(void *ctx, int out), void *ctx)
{
    int out[2], err[2];
    ds_process_free(p);
    *p = (struct ds_process){.out = -1, .err = -1};
    if (pipe2(out, O_CLOEXEC) != 0)
        return false;
    if (pipe2(err, O_CLOEXEC) != 0) {
        close(out[0]);
        close(out[1]);
        return false;
    }
    (void)fflush(NULL);
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        child_main(parent, limits, child, ctx, out[1], err[1]);
    int why = errno;
    close(out[1]);
    close(err[1]);
    if (pid < 0) {
        close(out[0]);
        close(err[0]);
        errno = why;
        return false;
    }
    p->pid = pid;
    p->out = out[0];
    p->err = err[0];
    return true;
}

static void end(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* Takes what there is; closes at the end. */
static void take_out(struct ds_process *p)
{
    if (p->room - p->have < 4096) {
        size_t room = p->room == 0 ? 8192 : 2 * p->room;
        char *grown = dc_mem_grow(p->bytes, room, 1);
        if (grown == NULL) {
            end(&p->out); /* its sender gets an error, and the parent an incomplete message */
            return;
        }
        p->bytes = grown;
        p->room = room;
    }
    ssize_t n = read(p->out, p->bytes + p->have, p->room - p->have);
    if (n > 0)
        p->have += (size_t)n;
    else if (n == 0 || errno != EINTR)
        end(&p->out);
}

static void take_err(struct ds_process *p)
{
    char bytes[1024];
    ssize_t n = read(p->err, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR)
        return;
    if (n <= 0) {
        end(&p->err);
        return;
    }
    size_t room = sizeof p->said - 1 - p->said_size;
    size_t size = (size_t)n < room ? (size_t)n : room;
    memcpy(p->said + p->said_size, bytes, size);
    p->said_size += size;
}

static void reap(struct ds_process *p)
{
    while (waitpid(p->pid, &p->status, 0) < 0 && errno == EINTR)
        ;
    p->pid = 0;
    p->said[p->said_size] = '\0';
}

size_t ds_process_wait(struct ds_process *const *p, size_t count, int timeout_ms)
{
    struct pollfd *ends = dc_mem_need(2 * count + 1, sizeof *ends, "runs");
    size_t done = SIZE_MAX;
    bool ended = false; /* both ends were closed when another one was told of */
    for (size_t i = 0; i < count; i++) {
        bool on = p[i]->pid > 0;
        ends[2 * i] = (struct pollfd){on ? p[i]->out : -1, POLLIN, 0};
        ends[2 * i + 1] = (struct pollfd){on ? p[i]->err : -1, POLLIN, 0};
        ended |= on && p[i]->out < 0 && p[i]->err < 0;
    }
    int n = ended ? 0 : poll(ends, 2 * (nfds_t)count, timeout_ms);
    for (size_t i = 0; i < count && (n > 0 || ended); i++) {
        if (p[i]->pid <= 0)
            continue;
        if (n > 0 && ends[2 * i].revents != 0)
            take_out(p[i]);
        if (n > 0 && ends[2 * i + 1].revents != 0)
            take_err(p[i]);
        if (p[i]->out < 0 && p[i]->err < 0 && done == SIZE_MAX) {
            reap(p[i]);
            done = i;
        }
    }
    dc_mem_free(ends);
    return done;
}

void ds_process_kill(struct ds_process *p)
{
    if (p->pid <= 0)
        return;
    kill(p->pid, SIGKILL);
    end(&p->out);
    end(&p->err);
    reap(p);
}

bool ds_process_fine(const struct ds_process *p)
{
    return WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0;
}

int ds_process_signal(const struct ds_process *p)
{
    return WIFSIGNALED(p->status) ? WTERMSIG(p->status) : 0;
}

/* The line of a check, a sanitizer's summary, or else how it ended. */
void ds_process_crash(const struct ds_process *p, char *text, size_t size)
{
    static const char *const words[] = {": bug: ", "ERROR: ", "runtime error:", "destrasim: error"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const char *at = strstr(p->said, words[i]);
        if (at == NULL)
            continue;
        const char *begin = at;
        while (begin > p->said && begin[-1] != '\n')
            begin--;
        /* addresses, process ids, the seed and the time differ from run to run */
        size_t n = 0;
        for (const char *c = i == 1 ? at : begin; *c != '\0' && *c != '\n' && n + 1 < size; c++) {
            if (strncmp(c, " 0x", 3) == 0 || strncmp(c, " on ", 4) == 0 || *c == ';')
                break;
            text[n++] = *c;
        }
        text[n] = '\0';
        return;
    }
    int number = ds_process_signal(p);
    if (number != 0)
        snprintf(text, size, "signal %d (%s)", number, strsignal(number));
    else
        snprintf(text, size, "exit code %d", WEXITSTATUS(p->status));
}

void ds_process_free(struct ds_process *p)
{
    dc_mem_free(p->bytes);
    p->bytes = NULL;
    p->have = p->room = 0;
}
