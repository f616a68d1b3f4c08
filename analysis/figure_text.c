/* Texts and numbers of figures: into XML, JSON and CSV, the same on every machine.
 *
 * What a user wrote may be anything: bytes that are no UTF-8 and control characters, which XML
 * cannot hold at all, become U+FFFD. */
#include "analysis/figure_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the character at p, 0: not one. */
static size_t character(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
    if (n == 0 || p[0] >= 0xf5)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool bad = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || /* surrogates */
               (p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe) || (p[0] == 0xf0 && p[1] < 0x90) ||
               (p[0] == 0xf4 && p[1] >= 0x90);
    return bad ? 0 : n;
}

static void escape_one(struct dc_text *out, const unsigned char *p, size_t n)
{
    switch (*p) {
    case '<': dc_text_add(out, "&lt;"); return;
    case '>': dc_text_add(out, "&gt;"); return;
    case '&': dc_text_add(out, "&amp;"); return;
    case '"': dc_text_add(out, "&quot;"); return;
    case '\'': dc_text_add(out, "&#39;"); return;
    default: break;
    }
    bool control = *p == 0x7f || (*p < 0x20 && *p != '\n' && *p != '\t');
    if (n == 0 || control || (*p == 0xc2 && p[1] < 0xa0))
        dc_text_add(out, "\xef\xbf\xbd");
    else
        dc_text_put(out, (const char *)p, n);
}

void da_text_escape(struct dc_text *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != 0;) {
        size_t n = character(p);
        escape_one(out, p, n);
        p += n != 0 ? n : 1;
    }
}

void da_text_plain(struct dc_text *out, const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p != 0;) {
        size_t n = character(p);
        if (n == 0)
            dc_text_add(out, "\xef\xbf\xbd");
        else
            dc_text_put(out, *p < 0x20 || *p == 0x7f ? " " : (const char *)p, n);
        p += n != 0 ? n : 1;
    }
}

void da_number_format(char *out, size_t out_max, const char *format, double value)
{
    char raw[64];
    snprintf(raw, sizeof raw, format, value == 0 ? 0.0 : value);
    size_t n = 0;
    for (const char *p = raw; *p != '\0' && n + 1 < out_max; p++) {
        if (strchr("0123456789+-einfa", *p) != NULL)
            out[n++] = *p;
        else if (n != 0 && out[n - 1] != '.') /* the locale's point, of one or more bytes */
            out[n++] = '.';
    }
    out[n] = '\0';
    /* "1e+06" is 1e6, and -0.0 is 0 */
    char *e = strchr(out, 'e');
    if (e != NULL) {
        char *from = e + 1, *to = e + 1;
        if (*from == '-')
            *to++ = *from++;
        else if (*from == '+')
            from++;
        while (*from == '0' && from[1] != '\0')
            from++;
        memmove(to, from, strlen(from) + 1);
    }
    if (out[0] == '-' && strspn(out + 1, "0.") == strlen(out + 1))
        memmove(out, out + 1, strlen(out));
}

void da_text_number(struct dc_text *out, double value)
{
    if (isnan(value))
        return;
    char number[40];
    da_number_format(number, sizeof number, "%.6g", value);
    dc_text_add(out, number);
}

void da_text_px(struct dc_text *out, double value)
{
    double far = fmin(fmax(value, -1e5), 1e5); /* NaN: -1e5, out of sight */
    long tenths = lround(far * 10);
    long whole = labs(tenths) / 10, rest = labs(tenths) % 10;
    dc_text_printf(out, "%s%ld", tenths < 0 ? "-" : "", whole);
    if (rest != 0)
        dc_text_printf(out, ".%ld", rest);
}

void da_text_attribute(struct dc_text *out, const char *name, double px)
{
    dc_text_printf(out, " %s=\"", name);
    da_text_px(out, px);
    dc_text_add(out, "\"");
}

void da_text_json(struct dc_text *out, const char *text)
{
    dc_text_add(out, "\"");
    for (const unsigned char *p = (const unsigned char *)text; *p != 0;) {
        size_t n = character(p);
        /* <, > and & too: so that it can stand within <script> */
        if (n == 0)
            dc_text_add(out, "\\ufffd");
        else if (*p < 0x20 || *p == 0x7f || strchr("\"\\<>&'", *p) != NULL)
            dc_text_printf(out, "\\u%04x", *p);
        else
            dc_text_put(out, (const char *)p, n);
        p += n != 0 ? n : 1;
    }
    dc_text_add(out, "\"");
}

void da_text_csv(struct dc_text *out, const char *text)
{
    if (text[strcspn(text, ",\"\r\n")] == '\0') {
        dc_text_add(out, text);
        return;
    }
    dc_text_add(out, "\"");
    for (; *text != '\0'; text++) {
        if (*text == '"')
            dc_text_add(out, "\"");
        dc_text_put(out, text, 1);
    }
    dc_text_add(out, "\"");
}

bool da_unit_shown(const char *unit)
{
    return unit != NULL && unit[0] != '\0' && strcmp(unit, "1") != 0;
}

void da_text_axis(struct dc_text *out, const struct da_axis *axis)
{
    if (axis->label != NULL)
        dc_text_add(out, axis->label);
    if (!da_unit_shown(axis->unit))
        return;
    if (axis->label != NULL && axis->label[0] != '\0')
        dc_text_printf(out, " (%s)", axis->unit);
    else
        dc_text_add(out, axis->unit);
}

void da_text_value(struct dc_text *out, const struct da_axis *axis, double value)
{
    if (axis->category != NULL && value >= 0 && value < (double)axis->categories &&
        value == floor(value))
        dc_text_add(out, axis->category[(size_t)value]);
    else
        da_text_number(out, value);
}

/* In ems of a wide sans serif, so that other fonts fit too. */
static double glyph(unsigned char c)
{
    if (strchr("ijl.,:;'|! It()[]f", c) != NULL)
        return 0.37;
    if (strchr("mwMW%@", c) != NULL)
        return 0.92;
    return c >= 'A' && c <= 'Z' ? 0.69 : 0.61;
}

double da_text_width(const char *text)
{
    double width = 0;
    for (const unsigned char *p = (const unsigned char *)text; *p != 0; p++)
        if ((*p & 0xc0) != 0x80)
            width += glyph(*p);
    return width * DA_FONT;
}

void da_text_fit(struct dc_text *out, const char *text, double width)
{
    if (da_text_width(text) <= width) {
        da_text_escape(out, text);
        return;
    }
    double used = 0.8 * DA_FONT; /* the ellipsis */
    for (const unsigned char *p = (const unsigned char *)text; *p != 0;) {
        size_t n = character(p);
        used += glyph(*p) * DA_FONT;
        if (used > width)
            break;
        escape_one(out, p, n);
        p += n != 0 ? n : 1;
    }
    dc_text_add(out, "\xe2\x80\xa6");
}
