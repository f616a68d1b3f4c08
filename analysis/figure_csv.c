/* A figure's numbers as CSV: RFC 4180 with plain line ends; columns that no series uses are left
 * out, and a value that was not measured is empty. */
#include "analysis/figure_parts.h"

enum { COLUMNS = 8 };

static const double *column(const struct da_series *s, size_t c)
{
    const double *const of[COLUMNS] = {s->x,  s->x_end, s->y,    s->y_end,
                                       s->lo, s->hi,    s->size, s->shade};
    return of[c];
}

static bool used(const struct da_figure *f, size_t c)
{
    for (size_t i = 0; i < f->count; i++)
        if (column(&f->series[i], c) != NULL)
            return true;
    return c == 0 || c == 2;
}

static bool labels_used(const struct da_figure *f)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->series[i].label != NULL)
            return true;
    return false;
}

static void head_one(const struct da_figure *f, size_t c, struct dc_text *out)
{
    static const char *const plain[COLUMNS] = {"x",  "x end", "y",    "y end",
                                               "lo", "hi",    "size", "shade"};
    const struct da_axis *axis = c < 2 ? &f->x : c == 7 ? &f->shade : &f->y;
    struct dc_text name = {0};
    if (c == 0 || c == 2 || c == 7)
        da_text_axis(&name, axis);
    if (name.size == 0) {
        dc_text_add(&name, plain[c]);
        if (c != 6 && da_unit_shown(axis->unit))
            dc_text_printf(&name, " (%s)", axis->unit);
    }
    dc_text_add(out, ",");
    da_text_csv(out, name.data != NULL ? name.data : "");
    out->failed = out->failed || name.failed;
    dc_text_free(&name);
}

static void field(const struct da_figure *f, size_t c, double value, struct dc_text *out)
{
    struct dc_text t = {0};
    const struct da_axis plain = {0};
    da_text_value(&t, c < 2 ? &f->x : c < 6 ? &f->y : &plain, value);
    dc_text_add(out, ",");
    da_text_csv(out, t.data != NULL ? t.data : "");
    out->failed = out->failed || t.failed;
    dc_text_free(&t);
}

void da_figure_csv(const struct da_figure *f, struct dc_text *out)
{
    bool labels = labels_used(f);
    dc_text_add(out, "series");
    for (size_t c = 0; c < COLUMNS; c++)
        if (used(f, c))
            head_one(f, c, out);
    dc_text_add(out, labels ? ",label\n" : "\n");
    for (size_t i = 0; i < f->count; i++) {
        const struct da_series *s = &f->series[i];
        for (size_t k = 0; k < s->count; k++) {
            da_text_csv(out, s->name != NULL ? s->name : "");
            for (size_t c = 0; c < COLUMNS; c++) {
                const double *value = column(s, c);
                if (!used(f, c))
                    continue;
                if (value == NULL)
                    dc_text_add(out, ",");
                else
                    field(f, c, value[k], out);
            }
            if (labels) {
                dc_text_add(out, ",");
                da_text_csv(out, s->label != NULL && s->label[k] != NULL ? s->label[k] : "");
            }
            dc_text_add(out, "\n");
        }
    }
}
