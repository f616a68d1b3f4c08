/* A small JSON reader for published test vectors: whole text in, a tree out.
 *
 *   struct json *root = json_parse(text);         the text is changed and must outlive the tree
 *   for (const struct json *v = json_first(json_get(root, "vectors")); v != NULL; v = v->next)
 *       use(json_text(v, "msg"), json_number(v, "size"));
 *   json_free(root);
 *
 * Numbers are kept as 64-bit integers (fractions and exponents are read over); \u escapes become
 * UTF-8, without surrogate pairs. */
#ifndef TESTS_SUPPORT_JSON_H
#define TESTS_SUPPORT_JSON_H

#include <stdbool.h>
#include <stdint.h>

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_OBJECT };

struct json {
    enum json_kind kind;
    const char *name;   /* of a member of an object */
    const char *text;   /* JSON_TEXT */
    int64_t number;     /* JSON_NUMBER, JSON_BOOL */
    struct json *child; /* first of a list or object */
    struct json *next;
};

struct json *json_parse(char *text); /* NULL on anything that is not JSON */
void json_free(struct json *v);

const struct json *json_get(const struct json *v, const char *name); /* NULL when absent */
const struct json *json_first(const struct json *v);                 /* NULL for NULL or empty */
const char *json_text(const struct json *v, const char *name);       /* "" when absent */
int64_t json_number(const struct json *v, const char *name);         /* 0 when absent */
bool json_has_text(const struct json *list, const char *text);       /* in a list of texts */

#endif
