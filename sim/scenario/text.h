/* A text that grows: what the functions of this module return, because only commands print. */
#ifndef SIM_SCENARIO_TEXT_H
#define SIM_SCENARIO_TEXT_H

#include "models/base/status.h"

#include <stdarg.h>

/* Zero-initialise; data is NUL-terminated once anything was put; failed: memory ran out, and the
 * text is incomplete. */
struct ds_text {
    char *data;
    size_t size, size_max;
    bool failed;
};

void ds_text_put(struct ds_text *text, const char *bytes, size_t size);
void ds_text_add(struct ds_text *text, const char *string);
void ds_text_printf(struct ds_text *text, const char *format, ...) DC_PRINTF(2, 3);
void ds_text_vprintf(struct ds_text *text, const char *format, va_list arguments) DC_PRINTF(2, 0);
void ds_text_free(struct ds_text *text);

#endif
