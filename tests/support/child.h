/* A function run in a child process: for what must end the process. */
#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include <stddef.h>

/* Forks, runs the function there and waits.  Returns its exit code (0 when the function returned),
 * or minus the signal that ended it.  What it wrote to standard error is put in said, cut and
 * NUL-terminated.  To be called before any OpenMP region (libgomp's children hang after one). */
int test_child(void (*run)(void), char *said, size_t said_max);

#endif
