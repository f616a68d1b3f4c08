/* fork, a pipe for standard error, waitpid. */
#include "tests/support/child.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int test_child(void (*run)(void), char *said, size_t said_max)
{
    int ends[2];
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        run();
        fflush(stderr);
        _exit(0);
    }
    close(ends[1]);
    size_t size = 0;
    char rest[256];
    ssize_t n;
    do {
        n = size + 1 < said_max ? read(ends[0], said + size, said_max - 1 - size)
                                : read(ends[0], rest, sizeof rest);
        if (n > 0 && size + 1 < said_max)
            size += (size_t)n;
    } while (n > 0);
    said[size] = '\0';
    close(ends[0]);
    int status;
    CU_ASSERT_EQUAL_FATAL(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}
