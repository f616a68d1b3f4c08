/* The two functions whose exact values come from elsewhere than one multiplication: a table of
 * 2^(-i/16), and a logarithm that squares its argument sixteen times, one bit of result each. */
#include "models/base/fixed.h"

/* round(2^31 * 2^(-i/16)) for i = 0..15, computed with 50 decimal digits. */
static const uint32_t fixed_exp2[16] = {2147483648u, 2056437387u, 1969251188u, 1885761398u,
                                        1805811301u, 1729250827u, 1655936265u, 1585730000u,
                                        1518500250u, 1454120821u, 1392470869u, 1333434672u,
                                        1276901417u, 1222764986u, 1170923762u, 1121280436u};

dc_q31 dc_q31_exp2_neg(uint64_t j, uint32_t h)
{
    DC_CHECK(h > 0 && 16 % h == 0);
    uint64_t whole = j / h;
    return whole > 31 ? 0 : fixed_exp2[j % h * (16 / h)] >> whole;
}

uint32_t dc_log2_q16(uint64_t v)
{
    DC_CHECK(v > 0);
    uint32_t whole = 63 - (uint32_t)__builtin_clzll(v);
    uint64_t x = v << (63 - whole); /* in [2^63, 2^64): 1.63 */
    uint32_t fraction = 0;
    for (int i = 0; i < 16; i++) {
        unsigned __int128 square = (unsigned __int128)x * x; /* 2.126 */
        fraction <<= 1;
        if (square >> 127 != 0) {
            fraction |= 1;
            x = (uint64_t)(square >> 64);
        } else {
            x = (uint64_t)(square >> 63);
        }
    }
    return whole << 16 | fraction;
}
