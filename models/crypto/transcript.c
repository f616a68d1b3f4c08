/* Merlin: STROBE-128 (strobe.sourceforge.io) with the three operations it needs, on Keccak-f[1600].
 *
 * state   200 bytes of sponge, of which the first RATE are written and read
 * pos     where in the rate the next byte goes; pos_begin: 1 + where the last operation began in
 *         this block, 0 when before it; flags: those of the operation that may be continued
 *
 * libdecaf has SHAKE but not the permutation, hence an own Keccak: 24 rounds on 25 lanes, theta,
 * rho and pi in one walk along the lanes' orbit, chi by rows. */
#include "models/crypto/transcript.h"

#define STROBE_RATE 166

enum { FLAG_I = 1, FLAG_A = 2, FLAG_C = 4, FLAG_T = 8, FLAG_M = 16, FLAG_K = 32 };

/* --- Keccak --------------------------------------------------------------------------------- */

static uint64_t rotl(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static void keccak_round(uint64_t a[25], uint64_t constant)
{
    static const uint8_t orbit[24] = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                      15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
    static const uint8_t turn[24] = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                     27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};
    uint64_t c[5];
    for (int x = 0; x < 5; x++)
        c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
    for (int x = 0; x < 5; x++) {
        uint64_t d = c[(x + 4) % 5] ^ rotl(c[(x + 1) % 5], 1);
        for (int y = 0; y < 25; y += 5)
            a[y + x] ^= d;
    }
    uint64_t carried = a[1];
    for (int i = 0; i < 24; i++) {
        uint64_t kept = a[orbit[i]];
        a[orbit[i]] = rotl(carried, turn[i]);
        carried = kept;
    }
    for (int y = 0; y < 25; y += 5) {
        for (int x = 0; x < 5; x++)
            c[x] = a[y + x];
        for (int x = 0; x < 5; x++)
            a[y + x] = c[x] ^ (~c[(x + 1) % 5] & c[(x + 2) % 5]);
    }
    a[0] ^= constant;
}

void dc_keccak_f(uint8_t state[200])
{
    static const uint64_t constants[24] = {
        0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000,
        0x000000000000808b, 0x0000000080000001, 0x8000000080008081, 0x8000000000008009,
        0x000000000000008a, 0x0000000000000088, 0x0000000080008009, 0x000000008000000a,
        0x000000008000808b, 0x800000000000008b, 0x8000000000008089, 0x8000000000008003,
        0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
        0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};
    uint64_t a[25];
    for (int i = 0; i < 25; i++)
        a[i] = dc_get64(state + 8 * i);
    for (int r = 0; r < 24; r++)
        keccak_round(a, constants[r]);
    for (int i = 0; i < 25; i++)
        dc_put64(state + 8 * i, a[i]);
}

/* --- STROBE --------------------------------------------------------------------------------- */

static void strobe_run(struct dc_transcript *t)
{
    t->state[t->pos] ^= t->pos_begin;
    t->state[t->pos + 1] ^= 0x04;
    t->state[STROBE_RATE + 1] ^= 0x80;
    dc_keccak_f(t->state);
    t->pos = 0;
    t->pos_begin = 0;
}

static void strobe_absorb(struct dc_transcript *t, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        t->state[t->pos++] ^= bytes[i];
        if (t->pos == STROBE_RATE)
            strobe_run(t);
    }
}

static void strobe_squeeze(struct dc_transcript *t, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out[i] = t->state[t->pos];
        t->state[t->pos++] = 0;
        if (t->pos == STROBE_RATE)
            strobe_run(t);
    }
}

static void strobe_begin(struct dc_transcript *t, uint8_t flags)
{
    const uint8_t frame[2] = {t->pos_begin, flags};
    t->pos_begin = (uint8_t)(t->pos + 1);
    t->flags = flags;
    strobe_absorb(t, frame, sizeof frame);
    if ((flags & (FLAG_C | FLAG_K)) != 0 && t->pos != 0)
        strobe_run(t);
}

/* The label of a message with the message's size after it, as one operation. */
static void strobe_label(struct dc_transcript *t, const char *label, size_t size)
{
    DC_CHECK(size <= UINT32_MAX);
    uint8_t length[4];
    dc_put32(length, (uint32_t)size);
    strobe_begin(t, FLAG_M | FLAG_A);
    strobe_absorb(t, (const uint8_t *)label, strlen(label));
    strobe_absorb(t, length, sizeof length);
}

/* --- Merlin --------------------------------------------------------------------------------- */

void dc_transcript_init(struct dc_transcript *t, const char *label)
{
    static const uint8_t front[18] = {
        1,  STROBE_RATE + 2, 1, 0, 1, 96, 'S', 'T', 'R', 'O', 'B', 'E', 'v', '1', '.', '0', '.',
        '2'};
    static const char protocol[] = "Merlin v1.0";
    memset(t, 0, sizeof *t);
    memcpy(t->state, front, sizeof front);
    dc_keccak_f(t->state);
    strobe_begin(t, FLAG_M | FLAG_A);
    strobe_absorb(t, (const uint8_t *)protocol, sizeof protocol - 1);
    dc_transcript_append(t, "dom-sep", label, strlen(label));
}

void dc_transcript_append(struct dc_transcript *t, const char *label, const void *bytes,
                          size_t size)
{
    strobe_label(t, label, size);
    strobe_begin(t, FLAG_A);
    strobe_absorb(t, bytes, size);
}

void dc_transcript_append_u64(struct dc_transcript *t, const char *label, uint64_t v)
{
    uint8_t b[8];
    dc_put64(b, v);
    dc_transcript_append(t, label, b, sizeof b);
}

void dc_transcript_append_point(struct dc_transcript *t, const char *label,
                                const uint8_t encoded[32])
{
    dc_transcript_append(t, label, encoded, DC_POINT_BYTES);
}

void dc_transcript_append_scalar(struct dc_transcript *t, const char *label,
                                 const struct dc_scalar *a)
{
    uint8_t b[DC_SCALAR_BYTES];
    dc_scalar_encode(a, b);
    dc_transcript_append(t, label, b, sizeof b);
}

void dc_transcript_challenge(struct dc_transcript *t, const char *label, void *out, size_t size)
{
    strobe_label(t, label, size);
    strobe_begin(t, FLAG_I | FLAG_A | FLAG_C);
    strobe_squeeze(t, out, size);
}

struct dc_scalar dc_transcript_challenge_scalar(struct dc_transcript *t, const char *label)
{
    uint8_t wide[64];
    dc_transcript_challenge(t, label, wide, sizeof wide);
    return dc_scalar_wide(wide);
}
