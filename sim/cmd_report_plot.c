/* Figures of a report through gnuplot; see cmd_report.h. */
#define _POSIX_C_SOURCE 200809L
#include "sim/cmd_report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int ds_report_finish(const char *partial, const char *path, bool written)
{
    int reason = errno;
    if (written && rename(partial, path) == 0)
        return DS_EXIT_FINE;
    reason = written ? errno : reason;
    unlink(partial);
    ds_cmd_usage("%s: cannot be written: %s", path, strerror(reason));
    return DS_EXIT_IO;
}

/* Passes the script to gnuplot's standard input; its exit code, 127: there is no gnuplot. */
static int gnuplot(const struct dc_text *script)
{
    int pipes[2], status = -1;
    if (pipe(pipes) != 0)
        return -1;
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(pipes[0], 0);
        dup2(nowhere, 1); /* where it would draw if it could not write its file */
        close(pipes[0]);
        close(pipes[1]);
        execlp("gnuplot", "gnuplot", "-", (char *)NULL);
        _exit(127);
    }
    close(pipes[0]);
    void (*old)(int) = signal(SIGPIPE, SIG_IGN); /* one that ends early is seen by its code */
    for (size_t at = 0; child > 0 && at < script->size;) {
        ssize_t n = write(pipes[1], script->data + at, script->size - at);
        if (n <= 0)
            break;
        at += (size_t)n;
    }
    close(pipes[1]);
    if (child > 0)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    signal(SIGPIPE, old);
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Its PDF tells the time, in as many digits as any other: then there is nothing to move. */
static bool without_date(const char *path)
{
    static const char key[] = "/CreationDate (D:", date[] = "20000101000000";
    FILE *file = fopen(path, "r+b");
    size_t matched = 0;
    int c = 0;
    while (file != NULL && matched < sizeof key - 1 && (c = getc(file)) != EOF)
        matched = c == key[matched] ? matched + 1 : c == key[0];
    bool ok =
        file != NULL &&
        (c == EOF || (fseek(file, 0, SEEK_CUR) == 0 && fwrite(date, 1, sizeof date - 1, file) > 0));
    return (file == NULL || fclose(file) == 0) && ok;
}

int ds_report_plot(const struct da_figure *figure, const char *format, const char *path)
{
    struct dc_text script = {0};
    struct dc_text name = {0};
    dc_text_printf(&name, "%s.partial", path);
    const char *partial = name.failed ? "" : name.data;
    FILE *probe = fopen(partial, "wb"); /* says why it cannot, which gnuplot does not */
    if (probe == NULL) {
        int refused = ds_report_finish(partial, path, false);
        dc_text_free(&name);
        return refused;
    }
    fclose(probe);
    da_figure_gnuplot(figure, format, partial, &script);
    int code = script.failed ? -1 : gnuplot(&script);
    dc_text_free(&script);
    if (code == 0) {
        errno = ENOENT;
        code = ds_report_finish(partial, path, strcmp(format, "pdf") != 0 || without_date(partial));
    } else {
        unlink(partial);
        if (code == 127)
            ds_cmd_usage("--format %s needs gnuplot, which is not installed: `apt-get install "
                         "gnuplot-nox`, or take --format csv",
                         format);
        else
            ds_cmd_usage("%s: gnuplot could not draw it (exit code %d)", path, code);
        code = DS_EXIT_IO;
    }
    dc_text_free(&name);
    return code;
}
