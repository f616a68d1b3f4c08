/* Decimal text with units.  A number is digits * 10^exponent; a unit multiplies by mul / div. */
#include "sim/scenario/value.h"

#include <stdio.h>
#include <string.h>

struct value_unit {
    const char *name;
    uint64_t mul;
    int exponent;
    uint32_t div;
    bool shown; /* used for printing */
};

#define VALUE_UNITS_MAX 14
static const struct value_unit value_units[DS_DIMS][VALUE_UNITS_MAX] = {
    [DS_DIM_NUMBER] = {{"", 1, 0, 1, true}},
    [DS_DIM_SHARE] = {{"", 1, 0, 1, true}, {"%", 1, -2, 1, false}},
    [DS_DIM_TIME] = {{"ns", 1, 0, 1, true},
                     {"us", 1, 3, 1, true},
                     {"\xc2\xb5s", 1, 3, 1, false},
                     {"ms", 1, 6, 1, true},
                     {"s", 1, 9, 1, true},
                     {"min", 60, 9, 1, true},
                     {"h", 3600, 9, 1, true},
                     {"d", 86400, 9, 1, true}},
    [DS_DIM_SIZE] = {{"B", 1, 0, 1, true},
                     {"kB", 1, 3, 1, true},
                     {"MB", 1, 6, 1, true},
                     {"GB", 1, 9, 1, true},
                     {"TB", 1, 12, 1, true},
                     {"KiB", 1ull << 10, 0, 1, true},
                     {"MiB", 1ull << 20, 0, 1, true},
                     {"GiB", 1ull << 30, 0, 1, true},
                     {"TiB", 1ull << 40, 0, 1, true},
                     {"PiB", 1ull << 50, 0, 1, true}},
    [DS_DIM_BANDWIDTH] = {{"bit", 1, 0, 1, true},
                          {"kbit", 1, 3, 1, true},
                          {"Mbit", 1, 6, 1, true},
                          {"Gbit", 1, 9, 1, true},
                          {"Tbit", 1, 12, 1, true},
                          {"bit/s", 1, 0, 1, false},
                          {"kbit/s", 1, 3, 1, false},
                          {"Mbit/s", 1, 6, 1, false},
                          {"Gbit/s", 1, 9, 1, false},
                          {"Tbit/s", 1, 12, 1, false}},
    [DS_DIM_MONEY] = {{"DSYNC", 1, 9, 1, true}},
    [DS_DIM_RATE] = {{"/s", 1, 0, 1, true}, {"/min", 1, 0, 60, false}, {"/h", 1, 0, 3600, false}},
};

static const struct {
    const char *name, *units, *example;
} value_words[DS_DIMS] = {
    [DS_DIM_NUMBER] = {"a number", "no unit", "3"},
    [DS_DIM_SHARE] = {"a share", "no unit, or %", "0.3 or 30 %"},
    [DS_DIM_TIME] = {"a time", "ns, us, ms, s, min, h or d", "30 s"},
    [DS_DIM_SIZE] = {"a size", "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB or PiB", "1 TiB"},
    [DS_DIM_BANDWIDTH] = {"a bandwidth", "bit, kbit, Mbit, Gbit or Tbit (a second)", "100 Mbit"},
    [DS_DIM_MONEY] = {"an amount of money", "DSYNC", "500 DSYNC"},
    [DS_DIM_RATE] = {"a rate", "/s, /min or /h", "0.2 /s"},
};

const char *ds_value_units(enum ds_value_dim dim)
{
    return value_words[dim].units;
}
const char *ds_value_example(enum ds_value_dim dim)
{
    return value_words[dim].example;
}
const char *ds_value_name(enum ds_value_dim dim)
{
    return value_words[dim].name;
}

struct value_decimal {
    uint64_t digits;
    int exponent;
    const struct value_unit *unit;
};

static bool value_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits, point and exponent; *end is where they stop.  At most 18 significant digits. */
static bool value_number(const char *p, const char *stop, struct value_decimal *v, const char **end)
{
    bool any = false, point = false;
    for (; p < stop && (value_digit(*p) || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        any = true;
        if (v->digits >= 100000000000000000ull) {
            if (*p != '0' || point)
                return false;
            v->exponent++;
            continue;
        }
        v->digits = v->digits * 10 + (uint64_t)(*p - '0');
        v->exponent -= point;
    }
    if (any && p < stop && (*p == 'e' || *p == 'E')) {
        const char *q = p + 1;
        bool negative = q < stop && *q == '-';
        q += q < stop && (*q == '-' || *q == '+');
        if (q == stop || !value_digit(*q))
            return false;
        int e = 0;
        for (; q < stop && value_digit(*q); q++)
            e = e < 1000 ? e * 10 + (*q - '0') : e;
        v->exponent += negative ? -e : e;
        p = q;
    }
    while (v->digits != 0 && v->digits % 10 == 0) {
        v->digits /= 10;
        v->exponent++;
    }
    if (v->digits == 0)
        v->exponent = 0;
    *end = p;
    return any && v->exponent >= -40 && v->exponent <= 40;
}

static bool value_fits(const struct value_unit *u, const char *p, const char *stop)
{
    return strlen(u->name) == (size_t)(stop - p) && memcmp(u->name, p, (size_t)(stop - p)) == 0;
}

/* What a unit of another kind says about the writer's mistake. */
static void value_wrong_unit(const char *p, const char *stop, enum ds_value_dim dim,
                             struct dc_text *why)
{
    int n = (int)(stop - p > 40 ? 40 : stop - p);
    for (int other = 0; other < DS_DIMS; other++)
        for (int i = 0; i < VALUE_UNITS_MAX && value_units[other][i].name != NULL; i++)
            if (n > 0 && value_fits(&value_units[other][i], p, stop)) {
                dc_text_printf(why, "`%.*s` is a unit of %s, but this is %s: use %s, as in `%s`", n,
                               p, strchr(value_words[other].name, ' ') + 1, value_words[dim].name,
                               value_words[dim].units, value_words[dim].example);
                return;
            }
    if (n == 0)
        dc_text_printf(why, "%s needs a unit: %s, as in `%s`", value_words[dim].name,
                       value_words[dim].units, value_words[dim].example);
    else
        dc_text_printf(why, "unknown unit `%.*s` for %s: use %s, as in `%s`", n, p,
                       value_words[dim].name, value_words[dim].units, value_words[dim].example);
}

static bool value_read(const char *text, size_t size, enum ds_value_dim dim,
                       struct value_decimal *v, struct dc_text *why)
{
    const char *p = text, *stop = text + size;
    while (p < stop && *p == ' ')
        p++;
    while (stop > p && stop[-1] == ' ')
        stop--;
    int shown = (int)(stop - p > 60 ? 60 : stop - p);
    if (p + 1 < stop && *p == '-' && (value_digit(p[1]) || p[1] == '.')) {
        dc_text_printf(why, "`%.*s` is negative: give %s of 0 or more", shown, p,
                       value_words[dim].name);
        return false;
    }
    if (p == stop) {
        dc_text_printf(why, "a value is missing: write %s, as in `%s`", value_words[dim].name,
                       value_words[dim].example);
        return false;
    }
    const char *unit;
    *v = (struct value_decimal){0};
    if (!value_number(p, stop, v, &unit)) {
        dc_text_printf(why, "`%.*s` is not %s: write it as in `%s`", shown, p,
                       value_words[dim].name, value_words[dim].example);
        return false;
    }
    while (unit < stop && *unit == ' ')
        unit++;
    for (int i = 0; i < VALUE_UNITS_MAX && value_units[dim][i].name != NULL; i++)
        if (value_fits(&value_units[dim][i], unit, stop))
            v->unit = &value_units[dim][i];
    if (v->unit == NULL && unit == stop && v->digits == 0)
        v->unit = &value_units[dim][0];
    if (v->unit == NULL) {
        value_wrong_unit(unit, stop, dim, why);
        return false;
    }
    v->exponent += v->unit->exponent;
    return true;
}

static bool value_scale(const struct value_decimal *v, uint64_t *out)
{
    unsigned __int128 x = (unsigned __int128)v->digits * v->unit->mul;
    int e = v->exponent;
    for (; e > 0 && x <= UINT64_MAX; e--)
        x *= 10;
    if (e < -36)
        x = 0;
    unsigned __int128 ten = 1;
    for (; e < 0 && x != 0; e++)
        ten *= 10;
    x = (x + ten / 2) / ten;
    *out = (uint64_t)x;
    return x <= (uint64_t)INT64_MAX;
}

bool ds_value_integer(const char *text, size_t size, enum ds_value_dim dim, uint64_t *out,
                      struct dc_text *why)
{
    struct value_decimal v;
    if (!value_read(text, size, dim, &v, why))
        return false;
    if (!value_scale(&v, out)) {
        dc_text_printf(why, "`%.*s` is too large", (int)size, text);
        return false;
    }
    if (dim == DS_DIM_NUMBER && v.exponent < 0 && v.digits != 0) {
        dc_text_printf(why, "`%.*s` is not a whole number", (int)size, text);
        return false;
    }
    return true;
}

bool ds_value_real(const char *text, size_t size, enum ds_value_dim dim, double *out,
                   struct dc_text *why)
{
    struct value_decimal v;
    uint64_t whole;
    if (dim == DS_DIM_TIME || dim == DS_DIM_SIZE || dim == DS_DIM_MONEY ||
        dim == DS_DIM_BANDWIDTH) {
        if (!ds_value_integer(text, size, dim, &whole, why))
            return false;
        *out = (double)whole;
        return true;
    }
    if (!value_read(text, size, dim, &v, why))
        return false;
    /* Up to 2^53 and 10^22 both are exact, and the quotient is the nearest double. */
    long double ten = 1, x = (long double)v.digits * v.unit->mul;
    for (int e = v.exponent < 0 ? -v.exponent : v.exponent; e > 0; e--)
        ten *= 10;
    *out = (double)(v.exponent < 0 ? x / ten : x * ten) / v.unit->div;
    return true;
}

bool ds_value_share(const char *text, size_t size, dc_q31 *out, struct dc_text *why)
{
    struct value_decimal v;
    if (!value_read(text, size, DS_DIM_SHARE, &v, why))
        return false;
    /* digits * 10^e against 1: every digit below the 18th is gone already. */
    unsigned __int128 ten = 1;
    for (int e = v.exponent; e < 0 && e > -19; e++)
        ten *= 10;
    for (int e = v.exponent; e < -18; e++)
        v.digits /= 10; /* far below the 31 bits that are kept */
    if (v.exponent > 0 || v.digits > ten) {
        dc_text_printf(why,
                       "`%.*s` is out of range: a share is between 0 and 1 (or 0 %% and 100 %%)",
                       (int)size, text);
        return false;
    }
    *out = (dc_q31)((((unsigned __int128)v.digits << 31) + ten / 2) / ten);
    return true;
}

/* ---- printing ------------------------------------------------------------------------------ */

static uint64_t value_unit_size(const struct value_unit *u)
{
    uint64_t size = u->mul;
    for (int i = 0; i < u->exponent; i++)
        size *= 10;
    return size;
}

void ds_value_print_integer(struct dc_text *out, enum ds_value_dim dim, uint64_t value)
{
    if (dim == DS_DIM_MONEY) {
        char fraction[16];
        int n = snprintf(fraction, sizeof fraction, "%09u", (unsigned)(value % DC_DSYNC));
        while (n > 0 && fraction[n - 1] == '0')
            fraction[--n] = '\0';
        dc_text_printf(out, "%llu%s%s DSYNC", (unsigned long long)(value / DC_DSYNC),
                       n > 0 ? "." : "", fraction);
        return;
    }
    const struct value_unit *best = &value_units[dim][0];
    for (int i = 0; i < VALUE_UNITS_MAX && value_units[dim][i].name != NULL && value != 0; i++) {
        const struct value_unit *u = &value_units[dim][i];
        if (u->shown && value % value_unit_size(u) == 0 &&
            value_unit_size(u) > value_unit_size(best))
            best = u;
    }
    if (dim == DS_DIM_TIME && value == 0)
        best = &value_units[dim][4];
    DC_CHECK(best->name != NULL);
    dc_text_printf(out, "%llu%s%s", (unsigned long long)(value / value_unit_size(best)),
                   best->name[0] != '\0' ? " " : "", best->name);
}

void ds_value_print_real(struct dc_text *out, enum ds_value_dim dim, double value)
{
    if (dim == DS_DIM_TIME || dim == DS_DIM_SIZE || dim == DS_DIM_MONEY ||
        dim == DS_DIM_BANDWIDTH) {
        ds_value_print_integer(out, dim, (uint64_t)value);
        return;
    }
    char text[40];
    if (value < 1e15 && value == (double)(uint64_t)value) {
        dc_text_printf(out, "%llu%s", (unsigned long long)value, dim == DS_DIM_RATE ? " /s" : "");
        return;
    }
    for (int digits = 1; digits <= 17; digits++) {
        int n = snprintf(text, sizeof text, "%.*g", digits, value);
        for (int i = 0; i < n; i++)
            if (text[i] == ',')
                text[i] = '.'; /* whatever the locale */
        struct dc_text why = {0};
        double back = 0;
        bool same = ds_value_real(text, (size_t)n, DS_DIM_NUMBER, &back, &why) && back == value;
        dc_text_free(&why);
        if (same)
            break;
    }
    dc_text_printf(out, "%s%s", text, dim == DS_DIM_RATE ? " /s" : "");
}

void ds_value_print_share(struct dc_text *out, dc_q31 value)
{
    uint64_t ten = 1;
    for (int digits = 0; digits <= 11; digits++, ten *= 10) {
        uint64_t n = (((unsigned __int128)value * ten + (DC_ONE >> 1)) >> 31);
        dc_q31 back = (dc_q31)((((unsigned __int128)n << 31) + ten / 2) / ten);
        if (back != value)
            continue;
        if (digits == 0)
            dc_text_printf(out, "%llu", (unsigned long long)n);
        else
            dc_text_printf(out, "%llu.%0*llu", (unsigned long long)(n / ten), digits,
                           (unsigned long long)(n % ten));
        return;
    }
    DC_CHECK(!"a Q1.31 value has at most 11 decimals that matter");
}

unsigned ds_name_distance(const char *a, const char *b)
{
    unsigned char rows[3][64];
    size_t na = strlen(a), nb = strlen(b);
    na = na > 63 ? 63 : na;
    nb = nb > 63 ? 63 : nb;
    for (size_t j = 0; j <= nb; j++)
        rows[0][j] = (unsigned char)j;
    for (size_t i = 1; i <= na; i++) {
        unsigned char *row = rows[i % 3], *above = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = (unsigned char)i;
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = above[j - 1] + (a[i - 1] != b[j - 1]);
            best = above[j] + 1u < best ? above[j] + 1u : best;
            best = row[j - 1] + 1u < best ? row[j - 1] + 1u : best;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1u < best)
                best = before[j - 2] + 1u;
            row[j] = (unsigned char)best;
        }
    }
    return rows[na % 3][nb];
}
