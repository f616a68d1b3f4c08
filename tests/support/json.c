/* Recursive descent; a node per value from malloc; strings are unescaped in place. */
#include "tests/support/json.h"

#include <stdlib.h>
#include <string.h>

enum { JSON_DEPTH_MAX = 64 };

static struct json *parse_value(char **p, int depth);

static void skip_space(char **p)
{
    while (**p == ' ' || **p == '\t' || **p == '\n' || **p == '\r')
        (*p)++;
}

static bool eat(char **p, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(*p, word, n) != 0)
        return false;
    *p += n;
    return true;
}

/* Four hex digits at p as UTF-8 to *out; false on a bad digit. */
static bool parse_escape16(const char *p, char **out)
{
    char digits[5] = {0}, *end;
    strncpy(digits, p, 4);
    unsigned long c = strtoul(digits, &end, 16);
    if (end != digits + 4)
        return false;
    if (c < 0x80) {
        *(*out)++ = (char)c;
    } else if (c < 0x800) {
        *(*out)++ = (char)(0xc0 | c >> 6);
        *(*out)++ = (char)(0x80 | (c & 0x3f));
    } else {
        *(*out)++ = (char)(0xe0 | c >> 12);
        *(*out)++ = (char)(0x80 | (c >> 6 & 0x3f));
        *(*out)++ = (char)(0x80 | (c & 0x3f));
    }
    return true;
}

static char *parse_text(char **p)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (!eat(p, "\""))
        return NULL;
    char *start = *p, *out = start;
    for (char *in = start; *in != '\0'; in++) {
        if (*in == '"') {
            *p = in + 1;
            *out = '\0';
            return start;
        }
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        in++;
        const char *e = *in != '\0' ? strchr(from, *in) : NULL;
        if (e != NULL) {
            *out++ = to[e - from];
        } else if (*in == 'u' && parse_escape16(in + 1, &out)) {
            in += 4;
        } else {
            return NULL;
        }
    }
    return NULL;
}

/* Members of a list or object up to its closing bracket. */
static bool parse_members(char **p, struct json *v, int depth)
{
    bool is_object = v->kind == JSON_OBJECT;
    const char *close = is_object ? "}" : "]";
    struct json **end = &v->child;
    skip_space(p);
    if (eat(p, close))
        return true;
    for (;;) {
        const char *name = NULL;
        skip_space(p);
        if (is_object) {
            name = parse_text(p);
            skip_space(p);
            if (name == NULL || !eat(p, ":"))
                return false;
        }
        *end = parse_value(p, depth + 1);
        if (*end == NULL)
            return false;
        (*end)->name = name;
        end = &(*end)->next;
        skip_space(p);
        if (eat(p, close))
            return true;
        if (!eat(p, ","))
            return false;
    }
}

static bool parse_number(char **p, struct json *v)
{
    char *end;
    v->kind = JSON_NUMBER;
    v->number = strtoll(*p, &end, 10);
    if (end == *p)
        return false;
    *p = end + strspn(end, "0123456789.eE+-");
    return true;
}

static struct json *parse_value(char **p, int depth)
{
    struct json *v = depth < JSON_DEPTH_MAX ? calloc(1, sizeof *v) : NULL;
    if (v == NULL)
        return NULL;
    bool ok = true;
    skip_space(p);
    if (**p == '"') {
        v->kind = JSON_TEXT;
        ok = (v->text = parse_text(p)) != NULL;
    } else if (eat(p, "{")) {
        v->kind = JSON_OBJECT;
        ok = parse_members(p, v, depth);
    } else if (eat(p, "[")) {
        v->kind = JSON_LIST;
        ok = parse_members(p, v, depth);
    } else if (eat(p, "true")) {
        v->kind = JSON_BOOL;
        v->number = 1;
    } else if (eat(p, "false")) {
        v->kind = JSON_BOOL;
    } else if (!eat(p, "null")) {
        ok = parse_number(p, v);
    }
    if (ok)
        return v;
    json_free(v);
    return NULL;
}

struct json *json_parse(char *text)
{
    struct json *v = parse_value(&text, 0);
    skip_space(&text);
    if (v != NULL && *text != '\0') {
        json_free(v);
        return NULL;
    }
    return v;
}

void json_free(struct json *v)
{
    while (v != NULL) {
        struct json *next = v->next;
        json_free(v->child);
        free(v);
        v = next;
    }
}

const struct json *json_get(const struct json *v, const char *name)
{
    for (const struct json *m = json_first(v); m != NULL; m = m->next)
        if (m->name != NULL && strcmp(m->name, name) == 0)
            return m;
    return NULL;
}

const struct json *json_first(const struct json *v)
{
    return v != NULL ? v->child : NULL;
}

const char *json_text(const struct json *v, const char *name)
{
    const struct json *m = json_get(v, name);
    return m != NULL && m->text != NULL ? m->text : "";
}

int64_t json_number(const struct json *v, const char *name)
{
    const struct json *m = json_get(v, name);
    return m != NULL ? m->number : 0;
}

bool json_has_text(const struct json *list, const char *text)
{
    for (const struct json *m = json_first(list); m != NULL; m = m->next)
        if (m->text != NULL && strcmp(m->text, text) == 0)
            return true;
    return false;
}
