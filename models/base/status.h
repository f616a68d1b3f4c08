/* How things fail.  Three kinds, never mixed (models/README.md, "Failures"):
 *
 *   a bug of ours        DC_CHECK: always compiled in, aborts with file, line and the run's context
 *   the outside refused  dc_status plus a dc_error that says where, what and what to do
 *   a peer sent nonsense a verdict, which is data: counted, never asserted
 */
#ifndef MODELS_BASE_STATUS_H
#define MODELS_BASE_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DC_MUST_USE __attribute__((warn_unused_result))
#define DC_PRINTF(f, a) __attribute__((format(printf, f, a)))

enum dc_status {
    DC_OK = 0,
    DC_ERR_EXPECT = 1, /* an expectation or an invariant failed */
    DC_ERR_USAGE = 2,  /* bad usage, scenario or input */
    DC_ERR_IO = 3,     /* could not read or write, or out of memory */
    DC_ERR_LIMIT = 4   /* a configured limit was reached; the error names the knob */
};

/* The first failure on a path, in words.  Zero-initialise before use. */
struct dc_error {
    enum dc_status status;
    char text[1024];
};

/* Sets *error (when not NULL and still empty), returns status. */
enum dc_status dc_error_set(struct dc_error *error, enum dc_status status, const char *format, ...)
    DC_PRINTF(3, 4);

/* Printed by a failing DC_CHECK after the place: seed, scenario digest, virtual time.  The text is
 * borrowed and must stay valid. */
void dc_check_context(const char *text);

_Noreturn void dc_check_failed(const char *file, int line, const char *what);

#define DC_CHECK(condition)                                                                        \
    ((condition) ? (void)0 : dc_check_failed(__FILE__, __LINE__, #condition))

#endif
