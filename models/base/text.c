#include "models/base/text.h"

#include "models/base/mem.h"

#include <stdio.h>
#include <string.h>

static bool text_room(struct dc_text *text, size_t more)
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

void dc_text_put(struct dc_text *text, const char *bytes, size_t size)
{
    if (!text_room(text, size))
        return;
    if (size != 0)
        memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void dc_text_add(struct dc_text *text, const char *string)
{
    dc_text_put(text, string, strlen(string));
}

void dc_text_vprintf(struct dc_text *text, const char *format, va_list arguments)
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

void dc_text_printf(struct dc_text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    dc_text_vprintf(text, format, arguments);
    va_end(arguments);
}

void dc_text_free(struct dc_text *text)
{
    dc_mem_free(text->data);
    memset(text, 0, sizeof *text);
}
