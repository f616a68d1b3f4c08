/* The list of diagnostics with its one way of printing. */
#include "sim/scenario/scenario.h"

#include <string.h>

static const char *diagnostics_copy(struct ds_diagnostics *d, const char *text, size_t size)
{
    char *copy = dc_arena_alloc(&d->arena, size + 1);
    if (copy != NULL && size != 0)
        memcpy(copy, text, size);
    return copy;
}

void ds_diagnostics_add(struct ds_diagnostics *d, const char *file, struct ds_place place,
                        const char *format, ...)
{
    struct dc_text text = {0};
    va_list arguments;
    va_start(arguments, format);
    dc_text_vprintf(&text, format, arguments);
    va_end(arguments);
    const char *message = text.failed ? NULL : diagnostics_copy(d, text.data, text.size);
    dc_text_free(&text);
    const char *name = diagnostics_copy(d, file, strlen(file));
    if (d->count == d->count_max) {
        size_t max = d->count_max * 2 + 8;
        struct ds_diagnostic *items = dc_mem_grow(d->items, max, sizeof *items);
        if (items == NULL) {
            d->failed = true;
            return;
        }
        d->items = items;
        d->count_max = max;
    }
    if (message == NULL || name == NULL) {
        d->failed = true;
        return;
    }
    d->items[d->count++] = (struct ds_diagnostic){name, message, place};
}

void ds_diagnostics_print(const struct ds_diagnostics *d, struct dc_text *out)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct ds_diagnostic *item = &d->items[i];
        if (item->place.line == 0)
            dc_text_printf(out, "%s: error: %s\n", item->file, item->message);
        else
            dc_text_printf(out, "%s:%u:%u: error: %s\n", item->file, item->place.line,
                           item->place.column, item->message);
    }
    if (d->failed)
        dc_text_add(out, "error: out of memory: some messages are missing\n");
}

void ds_diagnostics_free(struct ds_diagnostics *d)
{
    dc_mem_free(d->items);
    dc_arena_free(&d->arena);
    memset(d, 0, sizeof *d);
}
