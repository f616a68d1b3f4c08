/* libfyaml's events to a tree.
 *
 * The event interface is used because the document interface gives no place for mappings and
 * sequences.  Text is checked before libfyaml sees it: invalid UTF-8 in a directive makes 0.7.12
 * loop for ever.  A frame per open collection, so depth is bounded here and not by the stack. */
#include "sim/scenario/yaml.h"

#include <libfyaml.h>
#include <stdio.h>
#include <string.h>

struct yaml_frame {
    struct ds_yaml *node;
    const char *key; /* of the value that comes next; NULL: a key comes next */
    struct ds_place key_place;
};

struct yaml_build {
    const char *file;
    bool placed;
    struct dc_arena *arena;
    struct ds_diagnostics *d;
    struct yaml_frame frames[DS_YAML_DEPTH_MAX];
    size_t depth;
    struct ds_yaml *root;
    unsigned documents;
    bool stop; /* a mistake after which the rest cannot be understood */
};

char *ds_yaml_copy(struct dc_arena *arena, const char *text, size_t size)
{
    char *copy = dc_arena_alloc(arena, size + 1);
    if (copy != NULL && size != 0)
        memcpy(copy, text, size);
    return copy;
}

struct ds_yaml *ds_yaml_get(const struct ds_yaml *map, const char *key)
{
    for (struct ds_yaml *n = map->first; n != NULL; n = n->next)
        if (n->key != NULL && strcmp(n->key, key) == 0)
            return n;
    return NULL;
}

void ds_yaml_append(struct ds_yaml *parent, struct ds_yaml *child)
{
    child->next = NULL;
    if (parent->last != NULL)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

bool ds_yaml_null(const struct ds_yaml *n)
{
    if (n->kind != DS_YAML_SCALAR || n->quoted)
        return false;
    return n->text[0] == '\0' || strcmp(n->text, "~") == 0 || strcmp(n->text, "null") == 0 ||
           strcmp(n->text, "Null") == 0 || strcmp(n->text, "NULL") == 0;
}

static bool yaml_plain_is_safe(const char *text)
{
    size_t size = strlen(text);
    struct ds_yaml probe = {.kind = DS_YAML_SCALAR, .text = text};
    if (size == 0 || ds_yaml_null(&probe) || text[size - 1] == ' ' || text[0] == ' ')
        return false;
    if (strchr("-%.", text[0]) != NULL)
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') && !(*p >= '0' && *p <= '9') &&
            strchr(" _./%-()<>=+^", *p) == NULL)
            return false;
    return strchr("<>=", text[0]) == NULL;
}

void ds_yaml_print_scalar(struct dc_text *out, const char *text)
{
    if (yaml_plain_is_safe(text)) {
        dc_text_add(out, text);
        return;
    }
    bool control = false;
    for (const char *p = text; *p != '\0'; p++)
        control |= (unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f;
    dc_text_add(out, control ? "\"" : "'");
    for (const char *p = text; *p != '\0'; p++) {
        if (!control && *p == '\'')
            dc_text_add(out, "''");
        else if (control && (*p == '"' || *p == '\\'))
            dc_text_printf(out, "\\%c", *p);
        else if ((unsigned char)*p < 0x20 || *p == 0x7f)
            dc_text_printf(out, "\\x%02x", (unsigned char)*p);
        else
            dc_text_put(out, p, 1);
    }
    dc_text_add(out, control ? "\"" : "'");
}

/* ---- what the bytes may be ----------------------------------------------------------------- */

/* Length of the well-formed UTF-8 sequence at p (RFC 3629), or 0. */
static size_t yaml_utf8(const unsigned char *p, size_t left)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
        return 0;
    uint32_t c = p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    return n;
}

static bool yaml_check_bytes(struct yaml_build *b, const char *text, size_t size)
{
    struct ds_place at = {1, 1};
    struct ds_place none = {0, 0};
    if (size > DS_YAML_SIZE_MAX) {
        ds_diagnostics_add(b->d, b->file, none, "the file is larger than 4 MiB: split it");
        return false;
    }
    for (size_t i = 0; i < size;) {
        const unsigned char *p = (const unsigned char *)text + i;
        size_t n = yaml_utf8(p, size - i);
        if (n == 0) {
            ds_diagnostics_add(b->d, b->file, b->placed ? at : none,
                               "byte 0x%02x is not valid UTF-8: save the file as UTF-8", p[0]);
            return false;
        }
        if ((p[0] < 0x20 && p[0] != '\n' && p[0] != '\r' && p[0] != '\t') || p[0] == 0x7f) {
            ds_diagnostics_add(b->d, b->file, b->placed ? at : none,
                               "control character 0x%02x: remove it", p[0]);
            return false;
        }
        if (p[0] == '\n') {
            at.line++;
            at.column = 1;
        } else {
            at.column++;
        }
        i += n;
    }
    return true;
}

/* ---- events -------------------------------------------------------------------------------- */

static struct ds_place yaml_mark(const struct yaml_build *b, const struct fy_mark *mark)
{
    if (!b->placed || mark == NULL || mark->line < 0 || mark->column < 0)
        return (struct ds_place){0, 0};
    return (struct ds_place){(uint32_t)mark->line + 1, (uint32_t)mark->column + 1};
}

static void yaml_refuse(struct yaml_build *b, struct ds_place at, const char *what)
{
    ds_diagnostics_add(b->d, b->file, at, "%s", what);
    b->stop = true;
}

static struct ds_yaml *yaml_add(struct yaml_build *b, enum ds_yaml_kind kind, struct ds_place at)
{
    struct ds_yaml *node = dc_arena_alloc(b->arena, sizeof *node);
    if (node == NULL) {
        b->d->failed = true;
        b->stop = true;
        return NULL;
    }
    node->kind = kind;
    node->place = at;
    node->file = b->file;
    node->text = "";
    if (b->depth == 0) {
        b->root = node;
        return node;
    }
    struct yaml_frame *top = &b->frames[b->depth - 1];
    node->key = top->key;
    node->key_place = top->key_place;
    top->key = NULL;
    ds_yaml_append(top->node, node);
    return node;
}

static bool yaml_wants_key(const struct yaml_build *b)
{
    if (b->depth == 0)
        return false;
    const struct yaml_frame *top = &b->frames[b->depth - 1];
    DC_CHECK(top->node != NULL);
    return top->node->kind == DS_YAML_MAP && top->key == NULL;
}

static void yaml_open(struct yaml_build *b, enum ds_yaml_kind kind, struct ds_place at, bool flow,
                      bool marked)
{
    if (marked)
        yaml_refuse(b, at, "anchors and tags are not used in scenarios: write the value out");
    else if (yaml_wants_key(b))
        yaml_refuse(b, at, "a key must be plain text: quote a name that contains braces");
    else if (b->depth == DS_YAML_DEPTH_MAX)
        yaml_refuse(b, at, "nested too deeply: a scenario needs fewer than 24 levels");
    if (b->stop)
        return;
    struct ds_yaml *node = yaml_add(b, kind, at);
    if (node == NULL)
        return;
    node->flow = flow;
    b->frames[b->depth++] = (struct yaml_frame){.node = node};
}

static void yaml_key(struct yaml_build *b, const char *text, struct ds_place at, bool quoted)
{
    struct yaml_frame *top = &b->frames[b->depth - 1];
    const struct ds_yaml *same = ds_yaml_get(top->node, text);
    if (!quoted && strcmp(text, "<<") == 0)
        yaml_refuse(b, at, "merge keys are not used in scenarios: write the keys out");
    if (same != NULL) {
        if (b->placed)
            ds_diagnostics_add(b->d, b->file, at,
                               "duplicate key `%s`, first given at line %u: remove one", text,
                               same->key_place.line);
        else
            ds_diagnostics_add(b->d, b->file, at, "duplicate key `%s`: remove one", text);
    }
    top->key = text;
    top->key_place = at;
}

/* A scalar's place: its opening quote, which libfyaml's mark skips; a missing value's is its key's,
 * or else that of what it is in. */
static struct ds_place yaml_scalar_place(const struct yaml_build *b, struct fy_event *e)
{
    struct ds_place at = yaml_mark(b, fy_event_start_mark(e));
    enum fy_scalar_style style =
        e->scalar.value != NULL ? fy_token_scalar_style(e->scalar.value) : FYSS_PLAIN;
    if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) && at.column > 1)
        at.column--;
    if (at.line == 0 && b->placed && b->depth > 0) {
        const struct yaml_frame *top = &b->frames[b->depth - 1];
        DC_CHECK(top->node != NULL);
        at = top->key != NULL ? top->key_place : top->node->place;
    }
    if (at.line == 0 && b->placed)
        at = (struct ds_place){1, 1};
    return at;
}

static void yaml_scalar(struct yaml_build *b, struct fy_event *e)
{
    struct fy_token *value = e->scalar.value;
    struct ds_place at = yaml_scalar_place(b, e);
    if (e->scalar.anchor != NULL || e->scalar.tag != NULL) {
        yaml_refuse(b, at, "anchors and tags are not used in scenarios: write the value out");
        return;
    }
    size_t size = 0;
    const char *raw = value != NULL ? fy_token_get_text(value, &size) : NULL;
    bool quoted = value != NULL && fy_token_scalar_style(value) != FYSS_PLAIN;
    if (size != 0 && raw != NULL && memchr(raw, '\0', size) != NULL) {
        yaml_refuse(b, at, "a text contains a NUL: remove it");
        return;
    }
    char *text = ds_yaml_copy(b->arena, raw, raw != NULL ? size : 0);
    if (text == NULL) {
        b->d->failed = true;
        b->stop = true;
    } else if (yaml_wants_key(b)) {
        yaml_key(b, text, at, quoted);
    } else {
        struct ds_yaml *node = yaml_add(b, DS_YAML_SCALAR, at);
        if (node == NULL)
            return;
        node->text = text;
        node->quoted = quoted;
    }
}

static void yaml_event(struct yaml_build *b, struct fy_event *e)
{
    struct ds_place at = yaml_mark(b, fy_event_start_mark(e));
    switch (e->type) {
    case FYET_DOCUMENT_START:
        if (++b->documents > 1)
            yaml_refuse(b, at, "a second document: a scenario is one document; use two files");
        break;
    case FYET_ALIAS:
        yaml_refuse(b, at, "aliases are not used in scenarios: write the value out");
        break;
    case FYET_SCALAR: yaml_scalar(b, e); break;
    case FYET_MAPPING_START:
        yaml_open(b, DS_YAML_MAP, at, fy_event_get_node_style(e) == FYNS_FLOW,
                  e->mapping_start.anchor != NULL || e->mapping_start.tag != NULL);
        break;
    case FYET_SEQUENCE_START:
        yaml_open(b, DS_YAML_SEQUENCE, at, fy_event_get_node_style(e) == FYNS_FLOW,
                  e->sequence_start.anchor != NULL || e->sequence_start.tag != NULL);
        break;
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END: b->depth--; break;
    default: break;
    }
}

/* libfyaml's own complaints, the first one: what follows it is noise. */
static void yaml_syntax(struct yaml_build *b, struct fy_diag *diag)
{
    void *prev = NULL;
    struct fy_diag_error *e;
    while ((e = fy_diag_errors_iterate(diag, &prev)) != NULL) {
        struct ds_place at = {b->placed ? 1 : 0, b->placed ? 1 : 0};
        if (b->placed && e->line > 0)
            at = (struct ds_place){(uint32_t)e->line, e->column > 0 ? (uint32_t)e->column : 1};
        ds_diagnostics_add(b->d, b->file, at,
                           "not valid YAML: %s: check indentation, quotes and brackets here",
                           e->msg != NULL ? e->msg : "syntax error");
        return;
    }
    struct ds_place at = {b->placed ? 1 : 0, b->placed ? 1 : 0};
    ds_diagnostics_add(b->d, b->file, at, "not valid YAML: check indentation and quotes");
}

static void yaml_run(struct yaml_build *b, const char *text, size_t size)
{
    struct fy_diag_cfg diag_cfg;
    fy_diag_cfg_default(&diag_cfg);
    diag_cfg.fp = NULL;
    diag_cfg.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_cfg);
    if (diag == NULL) {
        b->d->failed = true;
        return;
    }
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg cfg = {.flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE, .diag = diag};
    struct fy_parser *parser = fy_parser_create(&cfg);
    if (parser == NULL || fy_parser_set_string(parser, text, size) != 0) {
        b->d->failed = true;
    } else {
        struct fy_event *e;
        while (!b->stop && (e = fy_parser_parse(parser)) != NULL) {
            yaml_event(b, e);
            fy_parser_event_free(parser, e);
        }
        if (!b->stop && fy_parser_get_stream_error(parser)) {
            yaml_syntax(b, diag);
            b->stop = true;
        }
    }
    if (parser != NULL)
        fy_parser_destroy(parser);
    fy_diag_destroy(diag);
}

struct ds_yaml *ds_yaml_parse(const char *text, size_t size, const char *file, bool placed,
                              struct dc_arena *arena, struct ds_diagnostics *d)
{
    struct yaml_build b = {.file = file, .placed = placed, .arena = arena, .d = d};
    if (!yaml_check_bytes(&b, text, size))
        return NULL;
    if (size == 0)
        text = ""; /* libfyaml takes a NULL string for an error */
    yaml_run(&b, text, size);
    if (b.stop || d->failed)
        return NULL;
    if (b.root == NULL)
        ds_diagnostics_add(d, file, (struct ds_place){placed ? 1 : 0, placed ? 1 : 0},
                           "nothing here: a scenario starts with `name:`");
    return b.root;
}
