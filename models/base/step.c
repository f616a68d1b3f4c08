/* Effects in an array, their bytes in a growing buffer beside it.
 *
 *   buffer.data --> [older | bytes of effects, used of size] --> [older | bytes ...] --> ...
 */
#include "models/base/step.h"

#include <string.h>

#include "models/base/mem.h"

/* The buffer is a chain of blocks in one: when it is full a larger one replaces it and the old one
 * is kept until the effects are cleared, because effects point into it. */
struct effect_block {
    struct effect_block *older;
    size_t pad;
};

void *dc_effects_bytes(struct dc_effects *out, size_t size)
{
    struct dc_effect_buffer *b = &out->buffer;
    size = (size + 7) & ~(size_t)7;
    if (b->data == NULL || b->size - b->used < size) {
        size_t grown = b->size * 2 > 16384 ? b->size * 2 : 16384;
        while (grown < size + sizeof(struct effect_block))
            grown *= 2;
        struct effect_block *block = dc_mem_need(1, grown, "the effects of a step");
        block->older = (struct effect_block *)(void *)b->data;
        b->data = (uint8_t *)block;
        b->size = grown;
        b->used = sizeof *block;
    }
    void *p = b->data + b->used;
    b->used += size;
    return p;
}

struct dc_effect *dc_effects_add(struct dc_effects *out, enum dc_effect_kind kind)
{
    DC_CHECK(out->count < DC_EFFECTS_MAX);
    struct dc_effect *e = &out->list[out->count++];
    *e = (struct dc_effect){.kind = kind};
    return e;
}

static void effects_drop_older(struct dc_effects *out)
{
    struct effect_block *block = (struct effect_block *)(void *)out->buffer.data;
    while (block != NULL && block->older != NULL) {
        struct effect_block *older = block->older;
        block->older = older->older;
        dc_mem_free(older);
    }
}

void dc_effects_clear(struct dc_effects *out)
{
    effects_drop_older(out);
    out->buffer.used = sizeof(struct effect_block);
    out->count = 0;
    memset(out->charge, 0, sizeof out->charge);
}

void dc_effects_free(struct dc_effects *out)
{
    effects_drop_older(out);
    dc_mem_free(out->buffer.data);
    memset(&out->buffer, 0, sizeof out->buffer);
}

void dc_effect_send(struct dc_effects *out, uint32_t to, const void *bytes, size_t size)
{
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND);
    uint8_t *copy = dc_effects_bytes(out, size);
    memcpy(copy, bytes, size);
    e->to = to;
    e->bytes = copy;
    e->size = (uint32_t)size;
}

void dc_effect_broadcast(struct dc_effects *out, const void *bytes, size_t size)
{
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_BROADCAST);
    uint8_t *copy = dc_effects_bytes(out, size);
    memcpy(copy, bytes, size);
    e->bytes = copy;
    e->size = (uint32_t)size;
}

void dc_effect_timer(struct dc_effects *out, int64_t due_ns, uint64_t timer)
{
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_TIMER);
    e->due_ns = due_ns;
    e->timer = timer;
}

void dc_effect_note(struct dc_effects *out, uint32_t note, uint64_t a, uint64_t b)
{
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_NOTE);
    e->timer = note;
    e->a = a;
    e->b = b;
}
