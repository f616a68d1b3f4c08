/* Values in [0,1] as Q1.31 (2^31 is 1.0, never above), money in base units (1 DSYNC = 10^9).
 * Integer arithmetic only: what enters a state root must be the same on every machine.  One
 * rounding (down) per formula.  models/README.md, section 0. */
#ifndef MODELS_BASE_FIXED_H
#define MODELS_BASE_FIXED_H

#include "models/base/status.h"

#define DC_ONE 0x80000000u /* 1.0 in Q1.31 */
#define DC_DSYNC 1000000000ull
#define DC_PPM 1000000u

typedef uint32_t dc_q31;

static inline dc_q31 dc_q31_mul(dc_q31 a, dc_q31 b)
{
    return (dc_q31)((uint64_t)a * b >> 31);
}
/* a/b clamped to [0,1]; 0 when b is 0. */
static inline dc_q31 dc_q31_ratio(uint64_t a, uint64_t b)
{
    if (b == 0)
        return 0;
    if (a >= b)
        return DC_ONE;
    return (dc_q31)(((unsigned __int128)a << 31) / b);
}
static inline dc_q31 dc_q31_from_ppm(uint32_t ppm)
{
    return ppm >= DC_PPM ? DC_ONE : (dc_q31)(((uint64_t)ppm << 31) / DC_PPM);
}
static inline double dc_q31_to_double(dc_q31 a)
{
    return (double)a / 2147483648.0;
}
/* Nearest Q1.31 to x clamped to [0,1]; NaN gives 0.  For set-up and detectors. */
static inline dc_q31 dc_q31_from_double(double x)
{
    return !(x > 0) ? 0 : x >= 1 ? DC_ONE : (dc_q31)(x * 2147483648.0 + 0.5);
}
/* value * q, rounded down. */
static inline uint64_t dc_q31_of(uint64_t value, dc_q31 q)
{
    return (uint64_t)((unsigned __int128)value * q >> 31);
}
/* value * a / b in 128 bits, rounded down; b > 0, and the result must fit. */
static inline uint64_t dc_muldiv(uint64_t value, uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)value * a / b);
}
/* 2^(-j/h) in Q1.31 from a table of 2^(-i/16) (h must divide 16); 0 past 31 halvings. */
dc_q31 dc_q31_exp2_neg(uint64_t j, uint32_t h);
/* floor(log2(v) * 2^16) for v > 0, by integer squaring; the same everywhere. */
uint32_t dc_log2_q16(uint64_t v);

/* Sums of money that cannot overflow in a right program: a failure is a bug of ours. */
static inline uint64_t dc_add_money(uint64_t a, uint64_t b)
{
    uint64_t r;
    DC_CHECK(!__builtin_add_overflow(a, b, &r));
    return r;
}
static inline uint64_t dc_sub_money(uint64_t a, uint64_t b)
{
    DC_CHECK(a >= b);
    return a - b;
}

#endif
