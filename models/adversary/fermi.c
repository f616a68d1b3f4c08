#include "models/adversary/fermi.h"

/* round(2^64 * 2^(-2^-i)), i = 1..32: a power with a fraction of 32 bits is a product of these.
 * Their errors, some 2^-59 in all, are far below what one step of the exponent changes, so that the
 * product falls strictly.  Computed with 200 bits. */
static const uint64_t fermi_root[32] = {
    0xb504f333f9de6484u, 0xd744fccad69d6af4u, 0xeac0c6e7dd24392fu, 0xf5257d152486cc2cu,
    0xfa83b2db722a033au, 0xfd3e0c0cf486c175u, 0xfe9e115c7b8f884cu, 0xff4ecb59511ec8a5u,
    0xffa756521c8daed2u, 0xffd3a751c0f7e10cu, 0xffe9d2b2f7db2756u, 0xfff4e91bff1b8c3eu,
    0xfffa747ea0040664u, 0xfffd3a3b7814eb54u, 0xfffe9d1cc60ddab1u, 0xffff4e8e25879bfau,
    0xffffa7470363f451u, 0xffffd3a37dda0313u, 0xffffe9d1bdf703afu, 0xfffff4e8debe025eu,
    0xfffffa746f4fa150u, 0xfffffd3a37a3f8b0u, 0xfffffe9d1bd1065au, 0xffffff4e8de845aeu,
    0xffffffa746f41377u, 0xffffffd3a37a05e4u, 0xffffffe9d1bd01fcu, 0xfffffff4e8de80c0u,
    0xfffffffa746f4051u, 0xfffffffd3a37a025u, 0xfffffffe9d1bd011u, 0xffffffff4e8de808u};

/* 2^-y as Q2.62; y has 32 bits of fraction. */
static uint64_t fermi_exp2_neg(uint64_t y)
{
    if (y >> 32 >= 62)
        return 0;
    unsigned __int128 product = (unsigned __int128)1 << 64;
    for (uint32_t i = 0; i < 32; i++)
        if (y >> (31 - i) & 1)
            product = product * fermi_root[i] >> 64;
    return (uint64_t)(product >> 2 >> (y >> 32));
}

dc_q31 dc_fermi(int64_t own, int64_t other, uint64_t unit, uint32_t selection_q16)
{
    static const uint64_t log2_e = 6196328019u; /* round(2^32 * log2(e)) */
    static const uint64_t most = (uint64_t)64 << 32;
    if (unit == 0)
        return DC_ONE / 2;
    bool better = other > own;
    uint64_t apart = better ? (uint64_t)other - (uint64_t)own : (uint64_t)own - (uint64_t)other;
    unsigned __int128 x = ((unsigned __int128)apart * selection_q16 << 16) / unit;
    uint64_t clamped = x > most ? most : (uint64_t)x;
    uint64_t t = fermi_exp2_neg((uint64_t)((unsigned __int128)clamped * log2_e >> 32));
    /* The larger of the two probabilities, 1 / (1 + t), rounded to nearest; the other is the rest. */
    uint64_t twice =
        (uint64_t)(((unsigned __int128)1 << 94) / (((uint64_t)1 << 62) + t)); /* in 2^-32 */
    dc_q31 larger = (dc_q31)((twice + 1) >> 1);
    return better ? larger : DC_ONE - larger;
}
