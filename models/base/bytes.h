/* Bytes on the wire: little-endian, bounded, no padding.
 *
 * A writer that runs out of room and a reader that runs out of bytes remember it in `failed` and
 * go on harmlessly, so that a codec is straight-line code with one check at its end. */
#ifndef MODELS_BASE_BYTES_H
#define MODELS_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline void dc_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}
static inline void dc_put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}
static inline void dc_put64(uint8_t *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}
static inline uint16_t dc_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t dc_get32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t dc_get64(const uint8_t *p)
{
    return (uint64_t)dc_get32(p) | (uint64_t)dc_get32(p + 4) << 32;
}

struct dc_writer {
    uint8_t *data;
    size_t size, size_max;
    bool failed;
};
static inline struct dc_writer dc_writer(void *data, size_t size_max)
{
    return (struct dc_writer){.data = data, .size_max = size_max};
}
static inline void dc_write(struct dc_writer *w, const void *p, size_t n)
{
    if (w->failed || w->size_max - w->size < n) {
        w->failed = true;
        return;
    }
    if (n != 0)
        memcpy(w->data + w->size, p, n);
    w->size += n;
}
static inline void dc_write8(struct dc_writer *w, uint8_t v)
{
    dc_write(w, &v, 1);
}
static inline void dc_write16(struct dc_writer *w, uint16_t v)
{
    uint8_t b[2];
    dc_put16(b, v);
    dc_write(w, b, 2);
}
static inline void dc_write32(struct dc_writer *w, uint32_t v)
{
    uint8_t b[4];
    dc_put32(b, v);
    dc_write(w, b, 4);
}
static inline void dc_write64(struct dc_writer *w, uint64_t v)
{
    uint8_t b[8];
    dc_put64(b, v);
    dc_write(w, b, 8);
}

struct dc_reader {
    const uint8_t *data;
    size_t offset, size;
    bool failed;
};
static inline struct dc_reader dc_reader(const void *data, size_t size)
{
    return (struct dc_reader){.data = data, .size = size};
}
/* The next n bytes in place, or NULL. */
static inline const uint8_t *dc_read_in_place(struct dc_reader *r, size_t n)
{
    if (r->failed || r->size - r->offset < n) {
        r->failed = true;
        return NULL;
    }
    const uint8_t *p = r->data + r->offset;
    r->offset += n;
    return p;
}
static inline void dc_read(struct dc_reader *r, void *out, size_t n)
{
    const uint8_t *p = dc_read_in_place(r, n);
    if (p != NULL)
        memcpy(out, p, n);
    else
        memset(out, 0, n);
}
static inline uint8_t dc_read8(struct dc_reader *r)
{
    const uint8_t *p = dc_read_in_place(r, 1);
    return p != NULL ? *p : 0;
}
static inline uint16_t dc_read16(struct dc_reader *r)
{
    const uint8_t *p = dc_read_in_place(r, 2);
    return p != NULL ? dc_get16(p) : 0;
}
static inline uint32_t dc_read32(struct dc_reader *r)
{
    const uint8_t *p = dc_read_in_place(r, 4);
    return p != NULL ? dc_get32(p) : 0;
}
static inline uint64_t dc_read64(struct dc_reader *r)
{
    const uint8_t *p = dc_read_in_place(r, 8);
    return p != NULL ? dc_get64(p) : 0;
}
/* A decoder ends with this: every byte read, none missing. */
static inline bool dc_read_done(const struct dc_reader *r)
{
    return !r->failed && r->offset == r->size;
}

#endif
