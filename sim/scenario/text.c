/* A growable text, and the list of diagnostics with its one way of printing. */
#include "sim/scenario/text.h"

#include "models/base/mem.h"
#include "sim/scenario/scenario.h"

#include <stdio.h>
#include <string.h>

static bool text_room(struct ds_text *text, size_t more)
{
    if (text->failed)
        return false;
    if (text->size_max - text->size > more)
        return true;
    size_t max = (text->size + more + 1) * 2;
    char *data = dc_mem_grow(text->data, max, 1);
    if (data == NULL) {
        text->failed = true;
        return false;
    }
    text->data = data;
    text->size_max = max;
    return true;
}

void ds_text_put(struct ds_text *text, const char *bytes, size_t size)
{
    if (!text_room(text, size))
        return;
    if (size != 0)
        memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void ds_text_add(struct ds_text *text, const char *string)
{
    ds_text_put(text, string, strlen(string));
}

void ds_text_vprintf(struct ds_text *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (size < 0)
        text->failed = true;
    else if (text_room(text, (size_t)size)) {
        vsnprintf(text->data + text->size, (size_t)size + 1, format, arguments);
        text->size += (size_t)size;
    }
}

void ds_text_printf(struct ds_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    ds_text_vprintf(text, format, arguments);
    va_end(arguments);
}

void ds_text_free(struct ds_text *text)
{
    dc_mem_free(text->data);
    memset(text, 0, sizeof *text);
}

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
    struct ds_text text = {0};
    va_list arguments;
    va_start(arguments, format);
    ds_text_vprintf(&text, format, arguments);
    va_end(arguments);
    const char *message = text.failed ? NULL : diagnostics_copy(d, text.data, text.size);
    ds_text_free(&text);
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

void ds_diagnostics_print(const struct ds_diagnostics *d, struct ds_text *out)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct ds_diagnostic *item = &d->items[i];
        if (item->place.line == 0)
            ds_text_printf(out, "%s: error: %s\n", item->file, item->message);
        else
            ds_text_printf(out, "%s:%u:%u: error: %s\n", item->file, item->place.line,
                           item->place.column, item->message);
    }
    if (d->failed)
        ds_text_add(out, "error: out of memory: some messages are missing\n");
}

void ds_diagnostics_free(struct ds_diagnostics *d)
{
    dc_mem_free(d->items);
    dc_arena_free(&d->arena);
    memset(d, 0, sizeof *d);
}
