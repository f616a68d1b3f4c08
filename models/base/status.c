/* What failures say.  The context of a failing check is one borrowed text for the whole process: it
 * is set once per run, before threads start. */
#include "models/base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char *check_context_text = "";

enum dc_status dc_error_set(struct dc_error *error, enum dc_status status, const char *format, ...)
{
    if (error != NULL && error->status == DC_OK) {
        error->status = status;
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return status;
}

void dc_check_context(const char *text)
{
    check_context_text = text;
}

void dc_check_failed(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: bug: %s does not hold; %s\n", file, line, what, check_context_text);
    abort();
}
