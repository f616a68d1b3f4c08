/* See progress.h.  A live line is rewritten five times a second and cut at the terminal's width. */
#define _POSIX_C_SOURCE 200809L
#include "sim/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "sim/cmd.h"
#include "sim/world/world.h"

#define LIVE_S 0.2
#define PLAIN_S 10.0

double ds_clock_wall(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double ds_clock_cpu(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool terminal(int fd)
{
    const char *term = getenv("TERM");
    return isatty(fd) && term != NULL && strcmp(term, "dumb") != 0 && term[0] != '\0';
}

bool ds_terminal_colours(bool error)
{
    const char *no = getenv("NO_COLOR");
    return (no == NULL || no[0] == '\0') && terminal(error ? STDERR_FILENO : STDOUT_FILENO);
}

void ds_progress_begin(struct ds_progress_line *line, bool quiet, const char *what)
{
    *line = (struct ds_progress_line){.quiet = quiet, .live = !quiet && terminal(STDERR_FILENO)};
    line->begin_s = line->shown_s = ds_clock_wall();
    if (line->live)
        fprintf(stderr, "\r\033[K%s ...", what);
}

static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20)
        return size.ws_col - 1;
    return 79;
}

/* The share of the run that is done, or 0 when nothing can be said yet.  A run of so many epochs
 * ends with the last one, long before the time at which it would be given up. */
static double done(const struct ds_progress_line *line, const struct ds_progress *p)
{
    if (p->epochs == 0)
        return p->end_ns > 0 ? (double)p->now_ns / (double)p->end_ns : 0;
    if (line->mark_epoch == 0 || line->mark_height == 0)
        return 0;
    double heights = (double)line->mark_height / (double)line->mark_epoch; /* of an epoch */
    double share = (double)p->height / (heights * (double)p->epochs);
    return share < 1 ? share : 1;
}

/* What matters most comes first: a live line is cut at the terminal's width. */
static void print_line(const struct ds_progress_line *line, const struct ds_progress *p,
                       double elapsed_s)
{
    char text[512], epochs[48] = "", eta[64] = "";
    double virtual_s = (double)p->now_ns * 1e-9, share = done(line, p);
    double least_s = elapsed_s > 1e-9 ? elapsed_s : 1e-9;
    if (p->epochs > 0)
        snprintf(epochs, sizeof epochs, " of %llu", (unsigned long long)p->epochs);
    if (share > 0)
        snprintf(eta, sizeof eta, ", ETA %s", ds_word_time(elapsed_s * (1 - share) / share).text);
    snprintf(text, sizeof text,
             "%s virtual at %s x real time, epoch %llu%s, height %llu%s, %s events/s",
             ds_word_time(virtual_s).text, ds_word_ratio(virtual_s / least_s).text,
             (unsigned long long)p->epoch, epochs, (unsigned long long)p->height, eta,
             ds_word_short((double)p->events / least_s).text);
    if (line->live)
        fprintf(stderr, "\r\033[K%.*s", columns(), text);
    else
        fprintf(stderr, "destrasim: %s\n", text);
}

void ds_progress_show(void *ctx, const struct ds_progress *p)
{
    struct ds_progress_line *line = ctx;
    if (p->epoch > line->mark_epoch) {
        line->mark_epoch = p->epoch;
        line->mark_height = p->height;
    }
    line->now_ns = p->now_ns;
    line->end_ns = p->end_ns;
    line->epoch = p->epoch;
    line->height = p->height;
    line->events = p->events;
    if (line->quiet)
        return;
    double now_s = ds_clock_wall();
    if (now_s - line->shown_s < (line->live ? LIVE_S : PLAIN_S))
        return;
    line->shown_s = now_s;
    print_line(line, p, now_s - line->begin_s);
}

void ds_progress_end(struct ds_progress_line *line)
{
    if (line->live)
        fputs("\r\033[K", stderr);
    line->live = false;
}
