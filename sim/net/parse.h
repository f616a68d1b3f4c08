/* Decimal numbers and quantities with units, read with integers so that no locale and no rounding
 * of binary fractions comes in.  Internal to sim/net. */
#ifndef SIM_NET_PARSE_H
#define SIM_NET_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* text[0..size) = digits[.digits], blanks around allowed; *value = number * scale, to nearest.
 * False for anything else, or a result above max. */
bool ds_parse_decimal(const char *text, size_t size, int64_t scale, int64_t max, int64_t *value);

/* "10 ms", "1.5 s": ns, us, ms, s, sec, min. */
bool ds_parse_duration_ns(const char *text, int64_t max, int64_t *value);

/* "100 Mbit", "81920 Kibit", "1 gigabit", "10 MB": bit/s. */
bool ds_parse_bandwidth_bps(const char *text, int64_t max, int64_t *value);

#endif
