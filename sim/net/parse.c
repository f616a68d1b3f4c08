/* Decimals in 128 bits, then one division to nearest; units by table. */
#include "sim/net/parse.h"

#include <string.h>

static bool parse_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool ds_parse_decimal(const char *text, size_t size, int64_t scale, int64_t max, int64_t *value)
{
    size_t i = 0, digits = 0;
    while (i < size && parse_blank(text[i]))
        i++;
    while (size > i && parse_blank(text[size - 1]))
        size--;
    unsigned __int128 number = 0, divisor = 1;
    bool point = false;
    for (; i < size; i++) {
        if (text[i] == '.' && !point) {
            point = true;
            continue;
        }
        if (text[i] < '0' || text[i] > '9' || ++digits > 18)
            return false;
        number = number * 10 + (unsigned)(text[i] - '0');
        if (point)
            divisor *= 10;
    }
    if (digits == 0)
        return false;
    unsigned __int128 result = (number * (unsigned __int128)scale + divisor / 2) / divisor;
    if (result > (unsigned __int128)max)
        return false;
    *value = (int64_t)result;
    return true;
}

struct parse_unit {
    const char *name;
    int64_t scale;
};

static bool parse_with_unit(const char *text, const struct parse_unit *units, size_t count,
                            int64_t max, int64_t *value)
{
    size_t number = strspn(text, " \t0123456789.");
    const char *unit = text + number;
    size_t size = strlen(unit);
    while (size > 0 && parse_blank(unit[size - 1]))
        size--;
    for (size_t i = 0; i < count; i++)
        if (strlen(units[i].name) == size && memcmp(units[i].name, unit, size) == 0)
            return ds_parse_decimal(text, number, units[i].scale, max, value);
    return false;
}

bool ds_parse_duration_ns(const char *text, int64_t max, int64_t *value)
{
    static const struct parse_unit units[] = {
        {"ns", 1},
        {"us", 1000},
        {"\xc2\xb5s", 1000},
        {"\xce\xbcs", 1000},
        {"ms", 1000000},
        {"s", 1000000000},
        {"sec", 1000000000},
        {"second", 1000000000},
        {"seconds", 1000000000},
        {"min", 60000000000},
    };
    return parse_with_unit(text, units, sizeof(units) / sizeof(units[0]), max, value);
}

bool ds_parse_bandwidth_bps(const char *text, int64_t max, int64_t *value)
{
    static const struct parse_unit units[] = {
        {"bit", 1},
        {"kbit", 1000},
        {"Kbit", 1000},
        {"kilobit", 1000},
        {"Kibit", 1024},
        {"kibibit", 1024},
        {"Mbit", 1000000},
        {"megabit", 1000000},
        {"Mibit", 1 << 20},
        {"mebibit", 1 << 20},
        {"Gbit", 1000000000},
        {"gigabit", 1000000000},
        {"Gibit", 1 << 30},
        {"gibibit", 1 << 30},
        {"Tbit", 1000000000000},
        {"Tibit", 1LL << 40},
        {"B", 8},
        {"kB", 8000},
        {"KB", 8000},
        {"KiB", 8 * 1024},
        {"MB", 8000000},
        {"MiB", 8 << 20},
        {"GB", 8000000000},
        {"GiB", 8LL << 30},
    };
    return parse_with_unit(text, units, sizeof(units) / sizeof(units[0]), max, value);
}
