#include "models/crypto/logarithm.h"

#include "models/base/mem.h"
#include "models/crypto/field.h"
#include "models/crypto/group.h"

/* One inversion for so many additions; also the width of a block when the table is filled. */
#define BATCH 256u
#define LOG_MIN 12u /* entries of the table: 2^12 to 2^24 */
#define LOG_MAX 24u

struct entry {
    uint32_t mark; /* bits 32.. of y */
    uint32_t i;    /* 0: empty */
};
struct dc_logarithm {
    uint32_t m;      /* entries: i = 1 .. m */
    uint32_t blocks; /* k = 0 .. blocks, to both sides */
    size_t places;
    struct dc_affine origin;       /* 2^31 4B */
    struct dc_affine block;        /* (2 BATCH + 1) (2m + 1) 4B */
    struct dc_affine giant[BATCH]; /* j (2m + 1) 4B, j = 1 .. BATCH */
    struct entry *entry; /* at the place that the low bits of y name, or the next free one */
};

/* y of q + t[i] and of q - t[i], as 64 bits each, for count <= BATCH. */
static void logarithm_both(const struct dc_affine *q, const struct dc_affine *t, uint32_t count,
                           uint64_t plus[BATCH], uint64_t minus[BATCH])
{
    struct dc_field top[2 * BATCH], below[2 * BATCH], product[2 * BATCH + 1];
    const struct dc_field one = dc_field_small(1), xy = dc_field_mul(&q->x, &q->y);
    product[0] = one;
    for (uint32_t i = 0; i < count; i++) {
        struct dc_field a = dc_field_mul(&q->y, &t[i].y), b = dc_field_mul(&q->x, &t[i].x),
                        e = dc_field_mul(&xy, &t[i].dxy);
        top[2 * i] = dc_field_add(&a, &b);
        top[2 * i + 1] = dc_field_sub(&a, &b);
        below[2 * i] = dc_field_sub(&one, &e);
        below[2 * i + 1] = dc_field_add(&one, &e);
        product[2 * i + 1] = dc_field_mul(&product[2 * i], &below[2 * i]);
        product[2 * i + 2] = dc_field_mul(&product[2 * i + 1], &below[2 * i + 1]);
    }
    struct dc_field inverse =
        dc_field_invert(&product[2 * count]); /* never 0: the law is complete */
    for (uint32_t k = 2 * count; k-- > 0;) {
        struct dc_field y = dc_field_mul(&inverse, &product[k]);
        y = dc_field_mul(&y, &top[k]);
        (k % 2 == 0 ? plus : minus)[k / 2] = dc_field_low(&y);
        inverse = dc_field_mul(&inverse, &below[k]);
    }
}

static size_t logarithm_place(const struct dc_logarithm *t, uint64_t y)
{
    return (size_t)(((y & 0xffffffff) * t->places) >> 32);
}

static void logarithm_put(struct dc_logarithm *t, uint64_t y, uint32_t i)
{
    size_t at = logarithm_place(t, y);
    while (t->entry[at].i != 0)
        at = at + 1 == t->places ? 0 : at + 1;
    t->entry[at] = (struct entry){(uint32_t)(y >> 32), i};
}

/* 4P: the same for all four points that an encoding stands for. */
static struct dc_affine logarithm_four(const struct dc_affine *p)
{
    struct dc_affine two = dc_affine_add(p, p);
    return dc_affine_add(&two, &two);
}

static struct dc_affine logarithm_times(struct dc_affine p, uint64_t n)
{
    struct dc_affine r = dc_affine_identity();
    for (; n != 0; n >>= 1, p = dc_affine_add(&p, &p))
        if ((n & 1) != 0)
            r = dc_affine_add(&r, &p);
    return r;
}

/* i = 1 .. m: around centres (2 BATCH + 1) k, BATCH to each side. */
static void logarithm_fill(struct dc_logarithm *t, const struct dc_affine *four)
{
    struct dc_affine step[BATCH], centre = dc_affine_identity();
    uint64_t plus[BATCH], minus[BATCH];
    step[0] = *four;
    for (uint32_t i = 1; i < BATCH; i++)
        step[i] = dc_affine_add(&step[i - 1], four);
    const struct dc_affine far = logarithm_times(*four, 2 * BATCH + 1);
    for (uint64_t at = 0; at < (uint64_t)t->m + BATCH + 1; at += 2 * BATCH + 1) {
        if (at != 0 && at <= t->m)
            logarithm_put(t, dc_field_low(&centre.y), (uint32_t)at);
        logarithm_both(&centre, step, BATCH, plus, minus);
        for (uint32_t i = 1; i <= BATCH; i++) {
            if (at + i <= t->m)
                logarithm_put(t, plus[i - 1], (uint32_t)(at + i));
            if (at >= i + 1 && at - i <= t->m)
                logarithm_put(t, minus[i - 1], (uint32_t)(at - i));
        }
        centre = dc_affine_add(&centre, &far);
    }
}

enum dc_status dc_logarithm_create(size_t bytes_max, struct dc_logarithm **out,
                                   struct dc_error *error)
{
    uint32_t log = LOG_MAX; /* three places for two entries */
    *out = NULL;
    while (log >= LOG_MIN && sizeof(struct dc_logarithm) + ((size_t)12 << log) > bytes_max)
        log--;
    if (log < LOG_MIN)
        return dc_error_set(error, DC_ERR_LIMIT,
                            "a table of logarithms needs more than %zu bytes: give it 25 MiB",
                            bytes_max);
    struct dc_logarithm *t = dc_mem_alloc(1, sizeof *t);
    if (t != NULL) {
        t->m = (uint32_t)1 << log;
        t->places = 3 * ((size_t)t->m / 2);
        t->entry = dc_mem_alloc(t->places, sizeof *t->entry);
    }
    if (t == NULL || t->entry == NULL) {
        dc_logarithm_destroy(t);
        return dc_error_set(error, DC_ERR_IO, "out of memory for a table of logarithms");
    }
    struct dc_point base = dc_point_base();
    struct dc_affine b;
    uint8_t encoded[32];
    dc_point_encode(&base, encoded);
    DC_CHECK(dc_affine_decode(encoded, &b));
    const struct dc_affine four = logarithm_four(&b);
    const uint64_t step = 2 * (uint64_t)t->m + 1, block = (2 * BATCH + 1) * step;
    t->origin = logarithm_times(four, (uint64_t)1 << 31);
    t->giant[0] = logarithm_times(four, step);
    for (uint32_t j = 1; j < BATCH; j++)
        t->giant[j] = dc_affine_add(&t->giant[j - 1], &t->giant[0]);
    t->block = logarithm_times(four, block);
    t->blocks = (uint32_t)((((uint64_t)1 << 31) + block / 2) / block);
    logarithm_fill(t, &four);
    *out = t;
    return DC_OK;
}

void dc_logarithm_destroy(struct dc_logarithm *t)
{
    if (t == NULL)
        return;
    dc_mem_free(t->entry);
    dc_mem_free(t);
}

size_t dc_logarithm_bytes(const struct dc_logarithm *t)
{
    return sizeof *t + t->places * sizeof *t->entry;
}

/* Whether v B is the point; v is modulo 2^64, and only what is below 2^32 counts. */
static bool logarithm_is(uint64_t v, const uint8_t point[32], uint64_t *out)
{
    if (v >> 32 != 0)
        return false;
    struct dc_scalar s = dc_scalar_u64(v);
    struct dc_point p = dc_point_mul_base(&s);
    uint8_t again[32];
    dc_point_encode(&p, again);
    if (memcmp(again, point, 32) != 0)
        return false;
    *out = v;
    return true;
}

/* Whether a point with this y is +-i 4B at distance `far` from the origin. */
static bool logarithm_look(const struct dc_logarithm *t, uint64_t y, int64_t far,
                           const uint8_t point[32], uint64_t *out)
{
    uint64_t from = (uint64_t)(((int64_t)1 << 31) + far);
    for (size_t at = logarithm_place(t, y); t->entry[at].i != 0;
         at = at + 1 == t->places ? 0 : at + 1) {
        uint32_t i = t->entry[at].i;
        if (t->entry[at].mark == (uint32_t)(y >> 32) &&
            (logarithm_is(from + i, point, out) || logarithm_is(from - i, point, out)))
            return true;
    }
    return y == 1 && logarithm_is(from, point, out);
}

/* q is what is left at `from` from the origin: looks there and at the giant steps around it. */
static bool logarithm_block(const struct dc_logarithm *t, const struct dc_affine *q, int64_t from,
                            const uint8_t point[32], uint64_t *v)
{
    uint64_t plus[BATCH], minus[BATCH];
    const int64_t step = 2 * (int64_t)t->m + 1;
    if (logarithm_look(t, dc_field_low(&q->y), from, point, v))
        return true;
    logarithm_both(q, t->giant, BATCH, plus, minus);
    for (uint32_t j = 1; j <= BATCH; j++)
        if (logarithm_look(t, minus[j - 1], from + j * step, point, v) ||
            logarithm_look(t, plus[j - 1], from - j * step, point, v))
            return true;
    return false;
}

bool dc_logarithm_find(const struct dc_logarithm *t, const uint8_t point[32], uint64_t *v)
{
    struct dc_affine p;
    *v = 0;
    if (!dc_affine_decode(point, &p))
        return false;
    const struct dc_affine back = dc_affine_neg(&t->origin), down = dc_affine_neg(&t->block);
    struct dc_affine above = logarithm_four(&p);
    above = dc_affine_add(&above, &back);
    struct dc_affine below = above;
    if (logarithm_block(t, &above, 0, point, v))
        return true;
    const int64_t far = (2 * BATCH + 1) * (2 * (int64_t)t->m + 1);
    for (int64_t k = 1; k <= t->blocks; k++) {
        above = dc_affine_add(&above, &down);
        below = dc_affine_add(&below, &t->block);
        if (logarithm_block(t, &above, k * far, point, v) ||
            logarithm_block(t, &below, -k * far, point, v))
            return true;
    }
    return false;
}
