/* Faults of a run, its messages, and its regions as a map.
 *
 * The map places regions so that distances on it come near their latencies: classical
 * multidimensional scaling (Torgerson 1952) of the table of latencies that the file embeds; without
 * one they stand on a circle. */
#include "analysis/report_run.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAULT_ROWS_MAX = 24,
    SPANS_MAX = 2000,
    KINDS_MAX = 10,
    FAULT_TABLE_MAX = 200,
    REGIONS_MAX = 64,
    EDGES_EACH = 4
};

/* ---- faults ---------------------------------------------------------------------------------- */

struct faults {
    size_t count, ids;
    const double *time, *end, *kind, *targets;
    const char *const *id, *const *kind_word, *const *nodes, *const *parameters;
    size_t kinds;
};

static bool faults_of(const struct da_run *run, struct faults *out)
{
    struct da_array time = da_file_array(run->f, "/faults/time");
    size_t n = time.rank == 1 ? time.count : 0, ids, nodes, parameters;
    *out = (struct faults){.count = n, .time = time.value};
    out->end = da_run_column(run, "/faults/end", n);
    out->kind = da_run_column(run, "/faults/kind", n);
    out->targets = da_run_column(run, "/faults/targets", n);
    out->id = da_file_strings(run->f, "/faults/id", &ids);
    out->nodes = da_file_strings(run->f, "/faults/nodes", &nodes);
    out->parameters = da_file_strings(run->f, "/faults/parameters", &parameters);
    out->kind_word = da_file_words(run->f, "/faults/kind", &out->kinds);
    return n > 0 && out->end != NULL && out->kind != NULL && out->targets != NULL && ids == n &&
           nodes == n && parameters == n;
}

static const char *kind_of(const struct faults *f, size_t i)
{
    return f->kind[i] >= 0 && f->kind[i] < (double)f->kinds ? f->kind_word[(size_t)f->kind[i]]
                                                            : "other";
}

/* The row that fault i is drawn in, among `rows` names so far; a new one is added. */
static size_t row_of(const char **name, size_t *rows, const char *wanted)
{
    for (size_t i = 0; i < *rows; i++)
        if (strcmp(name[i], wanted) == 0)
            return i;
    name[*rows] = wanted;
    return (*rows)++;
}

struct da_figure *da_run_faults(const struct da_run *run)
{
    struct faults f;
    if (!faults_of(run, &f))
        return NULL;
    const char **name = da_report_take(run->r, f.count, sizeof *name);
    size_t rows = 0, drawn = f.count < SPANS_MAX ? f.count : SPANS_MAX, kinds = 0;
    for (size_t i = 0; i < f.count; i++)
        row_of(name, &rows, f.id[i]);
    bool by_kind = rows > FAULT_ROWS_MAX;
    const char **kind = da_report_take(run->r, f.count, sizeof *kind);
    for (size_t i = 0; i < f.count; i++)
        row_of(kind, &kinds, kind_of(&f, i));
    if (by_kind)
        rows = 0;
    struct da_figure *out = da_figure_new(
        run->r, "faults", "Faults as they were executed",
        drawn < f.count ? da_report_text(run->r,
                                         "Each bar is a time that a fault was in force, coloured "
                                         "by kind; the first %zu of %zu that ended.",
                                         drawn, f.count)
                        : "Each bar is a time that a fault was in force, coloured by kind; one "
                          "that the run's end cut short reaches to it.",
        kinds);
    double last = da_run_number(run, "virtual_time");
    for (size_t k = 0; k < kinds; k++) {
        double *x = da_report_take(run->r, 3 * drawn, sizeof *x), *y = x + drawn, *end = y + drawn;
        size_t n = 0;
        for (size_t i = 0; i < drawn; i++) {
            if (strcmp(kind_of(&f, i), kind[k]) != 0)
                continue;
            x[n] = f.time[i];
            y[n] = (double)row_of(name, &rows, by_kind ? kind[k] : f.id[i]);
            end[n] = isfinite(f.end[i]) ? f.end[i] : fmax(last, f.time[i]);
            n++;
        }
        if (n == 0)
            continue;
        struct da_series *s = da_figure_line(run->r, out, kind[k], x, y, n);
        s->mark = DA_MARK_SPANS;
        s->x_end = end;
    }
    da_figure_axes(out, "virtual time", "s", by_kind ? "kind of fault" : "fault", "");
    out->y.category = name;
    out->y.categories = rows;
    out->x.min = 0;
    if (isfinite(last))
        out->x.max = last;
    return da_figure_or_nothing(out);
}

void da_run_fault_table(const struct da_run *run)
{
    static const struct da_column columns[] = {
        {"begins", "s", false}, {"ends", "s", false}, {"id", "", true},   {"kind", "", true},
        {"targets", "", false}, {"which", "", true},  {"fault", "", true}};
    struct faults f;
    if (!faults_of(run, &f))
        return;
    size_t shown = f.count < FAULT_TABLE_MAX ? f.count : FAULT_TABLE_MAX;
    struct da_rows *rows = da_rows_begin(
        run->r,
        shown < f.count ? da_report_text(run->r, "The first %zu of %zu that ended", shown, f.count)
                        : "In the order in which they ended",
        columns, 7);
    for (size_t i = 0; i < shown; i++) {
        da_rows_add(rows, da_report_text(run->r, "%.3f", f.time[i]));
        da_rows_add(rows, isfinite(f.end[i]) ? da_report_text(run->r, "%.3f", f.end[i]) : "not");
        da_rows_add(rows, f.id[i]);
        da_rows_add(rows, kind_of(&f, i));
        da_rows_add(rows, da_report_count(run->r, f.targets[i]));
        da_rows_add(rows, f.nodes[i]);
        da_rows_add(rows, f.parameters[i]);
    }
    da_rows_end(rows, "Every fault with its targets");
}

/* ---- messages -------------------------------------------------------------------------------- */

struct traffic {
    size_t kinds;
    const char *const *kind;
    const double *messages, *bytes;
    size_t *order; /* those that were sent, most bytes first */
    size_t sent;
};

static bool traffic_of(const struct da_run *run, struct traffic *t)
{
    *t = (struct traffic){0};
    t->kind = da_file_strings(run->f, "/traffic/kind", &t->kinds);
    t->messages = da_run_column(run, "/traffic/messages", t->kinds);
    t->bytes = da_run_column(run, "/traffic/bytes", t->kinds);
    if (t->kinds == 0 || t->messages == NULL || t->bytes == NULL)
        return false;
    t->order = da_report_take(run->r, t->kinds, sizeof *t->order);
    for (size_t i = 0; i < t->kinds; i++) {
        if (!(t->messages[i] > 0))
            continue;
        size_t at = t->sent++;
        for (; at > 0 && t->bytes[t->order[at - 1]] < t->bytes[i]; at--)
            t->order[at] = t->order[at - 1];
        t->order[at] = i;
    }
    return t->sent > 0;
}

struct da_figure *da_run_traffic(const struct da_run *run)
{
    struct traffic t;
    if (!traffic_of(run, &t))
        return NULL;
    size_t n = t.sent < KINDS_MAX ? t.sent : KINDS_MAX;
    double *x = da_report_take(run->r, n, sizeof *x), *y = da_report_take(run->r, n, sizeof *y);
    const char **name = da_report_take(run->r, n, sizeof *name);
    for (size_t i = 0; i < n; i++) {
        x[i] = (double)i;
        y[i] = t.bytes[t.order[i]] * 1e-6;
        name[i] = t.kind[t.order[i]];
    }
    struct da_figure *f =
        da_figure_new(run->r, "traffic", "Bytes by kind of message",
                      "What all nodes sent in the whole run, headers included; numbers and delays "
                      "are in the table.",
                      1);
    da_figure_line(run->r, f, NULL, x, y, n)->mark = DA_MARK_BARS;
    da_figure_axes(f, "kind of message", "", "sent by all nodes", "MB");
    f->x.category = name;
    f->x.categories = n;
    return da_figure_or_nothing(f);
}

void da_run_traffic_table(const struct da_run *run)
{
    static const struct da_column columns[] = {{"message", "", true},
                                               {"sent", "", false},
                                               {"bytes", "", false},
                                               {"lost on a link", "", false},
                                               {"at a full queue", "", false},
                                               {"by a partition", "", false},
                                               {"to a node that was down", "", false},
                                               {"median delay", "", false},
                                               {"99th percentile", "", false}};
    static const char *const more[] = {"dropped_loss", "dropped_queue", "dropped_partition",
                                       "dropped_down", "delay_p50",     "delay_p99"};
    struct traffic t;
    if (!traffic_of(run, &t))
        return;
    struct da_rows *rows = da_rows_begin(
        run->r, "Messages by kind: sent, dropped by cause, and the delay from sending to handling",
        columns, 9);
    for (size_t i = 0; i < t.sent; i++) {
        size_t k = t.order[i];
        da_rows_add(rows, t.kind[k]);
        da_rows_add(rows, da_report_count(run->r, t.messages[k]));
        da_rows_add(rows, da_report_value(run->r, t.bytes[k], "By"));
        for (size_t m = 0; m < 6; m++) {
            char path[64];
            snprintf(path, sizeof path, "/traffic/%s", more[m]);
            const double *column = da_run_column(run, path, t.kinds);
            da_rows_add(rows, column == NULL ? NULL
                              : m < 4        ? da_report_count(run->r, column[k])
                                             : da_report_value(run->r, column[k], "s"));
        }
    }
    da_rows_end(rows, "Every kind of message");
}

/* ---- map ------------------------------------------------------------------------------------- */

struct regions {
    size_t count;
    const char *const *name;
    double nodes[REGIONS_MAX];
    double latency[REGIONS_MAX][REGIONS_MAX]; /* ms; NaN: unknown */
    double x[REGIONS_MAX], y[REGIONS_MAX];
};

static size_t region_named(const struct regions *g, const char *name, size_t size)
{
    for (size_t i = 0; i < g->count; i++)
        if (strlen(g->name[i]) == size && memcmp(g->name[i], name, size) == 0)
            return i;
    return SIZE_MAX;
}

/* The next cell of a line, without spaces around; *at moves behind its comma.  NULL: no more. */
static const char *cell(const char **at, const char *end, size_t *size)
{
    const char *from = *at, *to;
    if (from >= end)
        return NULL;
    const char *comma = memchr(from, ',', (size_t)(end - from));
    to = comma == NULL ? end : comma;
    *at = comma == NULL ? end : comma + 1;
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r'))
        to--;
    *size = (size_t)(to - from);
    return from;
}

static double number(const char *text, size_t size)
{
    char copy[40], *end;
    if (size == 0 || size >= sizeof copy)
        return NAN;
    memcpy(copy, text, size);
    copy[size] = '\0';
    double value = strtod(copy, &end);
    return *end == '\0' && value > 0 ? value : NAN;
}

/* A table of latencies: names in the first row and column.  Rows of other names are passed over. */
static void read_latencies(struct regions *g, const char *text, size_t size)
{
    size_t column[REGIONS_MAX + 1], columns = 0;
    const char *end = text + size;
    while (text < end) {
        const char *line = memchr(text, '\n', (size_t)(end - text)), *at = text, *word;
        size_t bytes, row = SIZE_MAX, i = 0;
        line = line == NULL ? end : line;
        text = line + 1;
        if (at < line && *at == '#')
            continue;
        bool head = columns == 0;
        while ((word = cell(&at, line, &bytes)) != NULL && i <= REGIONS_MAX) {
            if (head)
                column[i] = region_named(g, word, bytes);
            else if (i == 0)
                row = region_named(g, word, bytes);
            else if (row != SIZE_MAX && i < columns && column[i] != SIZE_MAX)
                g->latency[row][column[i]] = number(word, bytes);
            i++;
        }
        if (head)
            columns = i;
    }
}

static void latencies(const struct da_run *run, struct regions *g)
{
    size_t inputs;
    const char *const *path = da_file_strings(run->f, "/inputs/path", &inputs);
    const double *bytes = da_run_column(run, "/inputs/bytes", inputs);
    const double *offset = da_run_column(run, "/inputs/offset", inputs);
    struct da_array content = da_file_array(run->f, "/inputs/content");
    if (path == NULL || bytes == NULL || offset == NULL || content.value == NULL)
        return;
    for (size_t i = 0; i < inputs; i++) {
        size_t size = strlen(path[i]);
        if (size < 4 || strcmp(path[i] + size - 4, ".csv") != 0 || !(offset[i] >= 0) ||
            !(bytes[i] >= 0) || offset[i] + bytes[i] > (double)content.count)
            continue;
        size_t from = (size_t)offset[i], n = (size_t)bytes[i];
        char *text = da_report_take(run->r, n + 1, 1);
        for (size_t k = 0; k < n; k++)
            text[k] = (char)(unsigned char)content.value[from + k];
        read_latencies(g, text, n);
    }
}

/* Both directions, or the one there is. */
static double between(const struct regions *g, size_t i, size_t k)
{
    double a = g->latency[i][k], b = g->latency[k][i];
    return isnan(a) ? b : isnan(b) ? a : (a + b) / 2;
}

static bool all_known(const struct regions *g)
{
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = 0; k < i; k++)
            if (isnan(between(g, i, k)))
                return false;
    return g->count > 2;
}

/* The two greatest eigenvectors of the doubly centred squares; the greatest component of each is
 * made positive, so that the map does not depend on the solver's mood. */
static bool place_by_latency(struct regions *g)
{
    size_t n = g->count;
    gsl_set_error_handler_off();
    gsl_matrix *b = gsl_matrix_alloc(n, n), *vectors = gsl_matrix_alloc(n, n);
    gsl_vector *values = gsl_vector_alloc(n);
    gsl_eigen_symmv_workspace *work = gsl_eigen_symmv_alloc(n);
    bool ok = b != NULL && vectors != NULL && values != NULL && work != NULL;
    double row[REGIONS_MAX] = {0}, all = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            double d = i == k ? 0 : between(g, i, k);
            row[i] += d * d / (double)n;
            all += d * d / (double)(n * n);
        }
    for (size_t i = 0; ok && i < n; i++)
        for (size_t k = 0; k < n; k++) {
            double d = i == k ? 0 : between(g, i, k);
            gsl_matrix_set(b, i, k, -0.5 * (d * d - row[i] - row[k] + all));
        }
    ok = ok && gsl_eigen_symmv(b, values, vectors, work) == GSL_SUCCESS &&
         gsl_eigen_symmv_sort(values, vectors, GSL_EIGEN_SORT_VAL_DESC) == GSL_SUCCESS;
    for (size_t axis = 0; ok && axis < 2; axis++) {
        double scale = sqrt(fmax(gsl_vector_get(values, axis), 0)), most = 0;
        for (size_t i = 0; i < n; i++)
            if (fabs(gsl_matrix_get(vectors, i, axis)) > fabs(most) * (1 + 1e-9))
                most = gsl_matrix_get(vectors, i, axis);
        for (size_t i = 0; i < n; i++)
            (axis == 0 ? g->x : g->y)[i] =
                gsl_matrix_get(vectors, i, axis) * scale * (most < 0 ? -1 : 1);
    }
    gsl_eigen_symmv_free(work);
    gsl_vector_free(values);
    gsl_matrix_free(vectors);
    gsl_matrix_free(b);
    return ok;
}

static bool regions_of(const struct da_run *run, struct regions *g)
{
    const double *region = da_run_column(run, "/node_region", run->nodes);
    memset(g, 0, sizeof *g);
    g->name = da_file_words(run->f, "/node_region", &g->count);
    if (region == NULL || g->count < 2 || g->count > REGIONS_MAX)
        return false;
    for (size_t i = 0; i < run->nodes; i++)
        if (region[i] >= 0 && region[i] < (double)g->count)
            g->nodes[(size_t)region[i]]++;
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = 0; k < g->count; k++)
            g->latency[i][k] = NAN;
    latencies(run, g);
    return true;
}

/* Region i's k-th nearest others are joined to it. */
static bool is_near(const struct regions *g, size_t i, size_t k)
{
    size_t nearer = 0;
    for (size_t j = 0; j < g->count; j++)
        nearer += j != i && j != k && between(g, i, j) < between(g, i, k);
    return nearer < EDGES_EACH;
}

static void map_edges(const struct da_run *run, struct da_figure *f, const struct regions *g)
{
    size_t most = g->count * g->count, n = 0;
    double *x = da_report_take(run->r, 5 * most, sizeof *x), *y = x + most, *x_end = y + most,
           *y_end = x_end + most, *size = y_end + most, least = INFINITY;
    const char **label = da_report_take(run->r, most, sizeof *label);
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = 0; k < i; k++)
            least = fmin(least, between(g, i, k));
    for (size_t i = 0; i < g->count; i++)
        for (size_t k = 0; k < i; k++) {
            if (!is_near(g, i, k) && !is_near(g, k, i))
                continue;
            x[n] = g->x[i];
            y[n] = g->y[i];
            x_end[n] = g->x[k];
            y_end[n] = g->y[k];
            label[n] = da_report_text(run->r, "%s to %s: %s ms", g->name[i], g->name[k],
                                      da_report_ratio(run->r, between(g, i, k)));
            size[n++] = sqrt(least / between(g, i, k));
        }
    struct da_series *s = da_figure_series(f, NULL, DA_MARK_EDGES);
    s->count = n;
    s->x = x;
    s->y = y;
    s->x_end = x_end;
    s->y_end = y_end;
    s->size = size;
    s->label = label;
    s->colour = DA_GREY;
}

/* A unit is as long across as it is up, with room for labels. */
static void same_scale(struct da_figure *f, const struct regions *g)
{
    double lo[2] = {INFINITY, INFINITY}, hi[2] = {-INFINITY, -INFINITY};
    for (size_t i = 0; i < g->count; i++) {
        lo[0] = fmin(lo[0], g->x[i]);
        hi[0] = fmax(hi[0], g->x[i]);
        lo[1] = fmin(lo[1], g->y[i]);
        hi[1] = fmax(hi[1], g->y[i]);
    }
    double across = fmax(hi[0] - lo[0], 1e-9), up = hi[1] - lo[1];
    f->aspect = fmin(fmax((up + 0.2 * across) / (1.3 * across), 0.35), 0.8);
    double width = fmax(1.3 * across, (up + 0.2 * across) / f->aspect);
    f->x.min = (lo[0] + hi[0] - width) / 2;
    f->x.max = f->x.min + width;
    f->y.min = (lo[1] + hi[1] - width * f->aspect) / 2;
    f->y.max = f->y.min + width * f->aspect;
}

struct da_figure *da_run_map(const struct da_run *run)
{
    struct regions *g = da_report_take(run->r, 1, sizeof *g);
    if (!regions_of(run, g))
        return NULL;
    bool known = all_known(g) && place_by_latency(g);
    for (size_t i = 0; !known && i < g->count; i++) {
        double angle = 6.283185307179586 * (double)i / (double)g->count;
        g->x[i] = cos(angle);
        g->y[i] = sin(angle);
    }
    struct da_figure *f = da_figure_new(
        run->r, "map", "Regions",
        known ? "Distances come near the round-trip times between regions, wide lines are short "
                "ways; the area of a mark is the number of its nodes, which stands in brackets."
              : "Latencies between regions are not known, so they stand on a circle; the area of a "
                "mark is the number of its nodes, which stands in brackets.",
        2);
    if (known)
        map_edges(run, f, g);
    struct da_series *s = da_figure_line(run->r, f, NULL, g->x, g->y, g->count);
    const char **label = da_report_take(run->r, g->count, sizeof *label);
    for (size_t i = 0; i < g->count; i++)
        label[i] =
            da_report_text(run->r, "%s (%s)", g->name[i], da_report_count(run->r, g->nodes[i]));
    s->mark = DA_MARK_POINTS;
    s->size = g->nodes;
    s->label = label;
    s->colour = 0;
    f->x.bare = f->y.bare = true;
    same_scale(f, g);
    return f;
}
