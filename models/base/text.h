/* A text that grows: what functions return that have something to say, because only commands print. */
#ifndef MODELS_BASE_TEXT_H
#define MODELS_BASE_TEXT_H

#include "models/base/status.h"

#include <stdarg.h>

/* Zero-initialise; data is NUL-terminated once anything was put; failed: memory ran out, and the
 * text is incomplete. */
struct dc_text {
    char *data;
    size_t size, size_max;
    bool failed;
};

void dc_text_put(struct dc_text *text, const char *bytes, size_t size);
void dc_text_add(struct dc_text *text, const char *string);
void dc_text_printf(struct dc_text *text, const char *format, ...) DC_PRINTF(2, 3);
void dc_text_vprintf(struct dc_text *text, const char *format, va_list arguments) DC_PRINTF(2, 0);
void dc_text_free(struct dc_text *text);

#endif
