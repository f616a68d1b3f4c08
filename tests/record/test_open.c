/* Writes a results file through the whole schema and lets h5dump, ncdump, h5py and xarray (both
 * engines) read it: open_everywhere.py compares names, dimensions, units and values. */
#include "tests/record/synthetic.h"

#include "tests/support/harness.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/destra-open-%d.h5", (int)getpid());
    struct synthetic s = synthetic_default;
    s.path = argc > 1 ? argv[1] : path;
    struct dc_error error = {0};
    if (synthetic_write(&s, NULL, &error) != DC_OK) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    char *const command[] = {"/usr/bin/python3", DESTRA_SOURCE "/tests/record/open_everywhere.py",
                             "--synthetic", (char *)(uintptr_t)s.path, NULL};
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
        execv(command[0], command);
        _exit(77); /* no python */
    }
    waitpid(child, &status, 0);
    if (argc <= 1)
        unlink(path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
