/* Nodes of a run: who was challenged and why, who was caught and when, and how well what the chain
 * sees (utilisation, anomaly) tells cheats from honest nodes.  Ground truth is in the file. */
#include "analysis/report_run.h"
#include "analysis/roc.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { POINTS_MAX = 1500, CURVE_MAX = 400, LAST_EPOCHS = 5, VERDICTS = 7 };

static struct da_array per_node(const struct da_run *run, const char *dataset)
{
    struct da_array a = da_file_array(run->f, dataset);
    if (a.rank != 2 || a.size[0] != run->epochs || a.size[1] != run->nodes)
        return (struct da_array){0};
    return a;
}

static bool is_service(const struct da_run *run, size_t node)
{
    return run->role[node] == DA_ROLE_SERVICE;
}

/* ---- challenges ------------------------------------------------------------------------------ */

struct challenges {
    size_t count;
    const double *epoch, *node, *cause, *verdict, *strategy, *asking;
    const char *const *cause_word, *const *verdict_word;
    size_t causes, verdicts;
};

static bool challenges_of(const struct da_run *run, struct challenges *out)
{
    struct da_array node = da_file_array(run->f, "/challenges/node");
    size_t n = node.rank == 1 ? node.count : 0;
    *out = (struct challenges){.count = n, .node = node.value};
    out->epoch = da_run_column(run, "/challenges/epoch", n);
    out->cause = da_run_column(run, "/challenges/cause", n);
    out->verdict = da_run_column(run, "/challenges/verdict", n);
    out->strategy = da_run_column(run, "/challenges/strategy", n);
    out->asking = da_run_column(run, "/challenges/asking", n);
    out->cause_word = da_file_words(run->f, "/challenges/cause", &out->causes);
    out->verdict_word = da_file_words(run->f, "/challenges/verdict", &out->verdicts);
    return n > 0 && out->epoch != NULL && out->cause != NULL && out->verdict != NULL &&
           out->strategy != NULL && out->asking != NULL && out->causes > 0 && out->verdicts > 0;
}

static bool has_cause(double mask, size_t cause)
{
    return mask >= 0 && mask < 256 && cause < 8 && ((unsigned)mask >> cause & 1) != 0;
}

/* Challenges of a strategy (SIZE_MAX: any) for a cause with a verdict (likewise). */
static size_t count_of(const struct challenges *c, size_t strategy, size_t cause, size_t verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        n += (strategy == SIZE_MAX || c->strategy[i] == (double)strategy) &&
             (cause == SIZE_MAX || has_cause(c->cause[i], cause)) &&
             (verdict == SIZE_MAX || c->verdict[i] == (double)verdict);
    return n;
}

struct da_figure *da_run_why(const struct da_run *run)
{
    struct challenges c;
    if (!challenges_of(run, &c))
        return NULL;
    struct da_figure *f = da_figure_new(
        run->r, "why", "Challenges by true strategy and cause",
        "Askings by the true strategy of the node and by cause; one with several causes counts in "
        "each. Compare with the number of nodes of each strategy in the summary.",
        c.causes);
    const char **name = da_report_take(run->r, run->strategies, sizeof *name);
    size_t *which = da_report_take(run->r, run->strategies, sizeof *which), rows = 0;
    for (size_t s = 0; s < run->strategies; s++)
        if (count_of(&c, s, SIZE_MAX, SIZE_MAX) > 0) {
            which[rows] = s;
            name[rows++] = run->strategy[s];
        }
    for (size_t cause = 0; cause < c.causes; cause++) {
        if (count_of(&c, SIZE_MAX, cause, SIZE_MAX) == 0)
            continue;
        double *x = da_report_take(run->r, rows, sizeof *x);
        double *y = da_report_take(run->r, rows, sizeof *y);
        for (size_t i = 0; i < rows; i++) {
            x[i] = (double)i;
            y[i] = (double)count_of(&c, which[i], cause, SIZE_MAX);
        }
        da_figure_line(run->r, f, c.cause_word[cause], x, y, rows)->mark = DA_MARK_BARS;
    }
    da_figure_axes(f, "true strategy of the node", "", "challenges", "");
    f->x.category = name;
    f->x.categories = rows;
    return da_figure_or_nothing(f);
}

void da_run_why_table(const struct da_run *run)
{
    struct challenges c;
    if (!challenges_of(run, &c))
        return;
    struct da_column *column = da_report_take(run->r, 3 + VERDICTS, sizeof *column);
    size_t shown[VERDICTS], columns = 0;
    column[0] = (struct da_column){"strategy", "", true};
    column[1] = (struct da_column){"cause", "", true};
    column[2] = (struct da_column){"challenges", "", false};
    for (size_t v = 0; v < c.verdicts && v < VERDICTS; v++)
        if (count_of(&c, SIZE_MAX, SIZE_MAX, v) > 0) {
            column[3 + columns] = (struct da_column){c.verdict_word[v], "", false};
            shown[columns++] = v;
        }
    struct da_rows *rows =
        da_rows_begin(run->r,
                      "Askings by true strategy, cause and verdict; late and silent ones are asked "
                      "once more before they count as failures",
                      column, 3 + columns);
    for (size_t s = 0; s < run->strategies; s++)
        for (size_t cause = 0; cause < c.causes; cause++) {
            size_t all = count_of(&c, s, cause, SIZE_MAX);
            if (all == 0)
                continue;
            da_rows_add(rows, run->strategy[s]);
            da_rows_add(rows, c.cause_word[cause]);
            da_rows_add(rows, da_report_count(run->r, (double)all));
            for (size_t v = 0; v < columns; v++)
                da_rows_add(rows,
                            da_report_count(run->r, (double)count_of(&c, s, cause, shown[v])));
        }
    da_rows_end(rows, NULL);
}

/* ---- utilisation and score ------------------------------------------------------------------- */

static double mean_of_last(const struct da_array *a, size_t node)
{
    double sum = 0;
    size_t n = 0;
    for (size_t e = a->size[0] > LAST_EPOCHS ? a->size[0] - LAST_EPOCHS : 0; e < a->size[0]; e++) {
        double v = a->value[e * a->size[1] + node];
        if (isfinite(v)) {
            sum += v;
            n++;
        }
    }
    return n > 0 ? sum / (double)n : NAN;
}

struct da_figure *da_run_scatter(const struct da_run *run)
{
    struct da_array u = per_node(run, "/node_epoch/utilisation");
    struct da_array score = per_node(run, "/node_epoch/score");
    struct da_array truth = per_node(run, "/node_epoch/strategy");
    if (u.value == NULL || score.value == NULL || truth.value == NULL || run->epochs == 0)
        return NULL;
    size_t service = 0;
    for (size_t n = 0; n < run->nodes; n++)
        service += is_service(run, n);
    size_t every = 1 + service / POINTS_MAX;
    struct da_figure *f = da_figure_new(
        run->r, "utilisation-score", "Utilisation and score of each service node",
        every == 1 ? "Mean of the last five epochs, by true strategy. Left of the line a node is "
                     "below theta."
                   : da_report_text(run->r,
                                    "Mean of the last five epochs, by true strategy; one in %zu "
                                    "honest nodes is drawn, and every other one. Left of the line "
                                    "a node is below theta.",
                                    every),
        run->strategies + 1);
    double *x = da_report_take(run->r, run->nodes, sizeof *x);
    double *y = da_report_take(run->r, run->nodes, sizeof *y);
    const double *last = truth.value + (run->epochs - 1) * run->nodes;
    for (size_t s = 0; s < run->strategies; s++) {
        size_t count = 0, seen = 0;
        for (size_t n = 0; n < run->nodes; n++) {
            if (!is_service(run, n) || last[n] != (double)s)
                continue;
            x[count] = mean_of_last(&u, n);
            y[count] = mean_of_last(&score, n);
            bool drawn = da_run_cheats(run, (double)s) || seen++ % every == 0;
            count += drawn && isfinite(x[count]) && isfinite(y[count]);
        }
        if (count == 0)
            continue;
        struct da_series *points = da_figure_line(run->r, f, run->strategy[s], x, y, count);
        points->mark = DA_MARK_POINTS;
        points->colour = da_run_colour(run, s);
    }
    if (isfinite(run->theta))
        da_figure_guide(run->r, f, "theta", run->theta, 0, run->theta, 1);
    da_figure_axes(f, "utilisation", "", "Proof of Sync score", "");
    f->x.min = f->y.min = 0;
    f->x.max = f->y.max = 1;
    for (size_t i = 0; i < f->count; i++) /* an honest crowd alone is worth a figure too */
        if (f->series[i].mark == DA_MARK_POINTS)
            return f;
    return NULL;
}

/* ---- caught over time ------------------------------------------------------------------------ */

/* First epoch in [from, to) in which a challenge of the node was failed for good; to: none. */
static size_t failed_in(const struct challenges *c, const size_t *first, const size_t *next,
                        size_t node, size_t from, size_t to)
{
    size_t best = to;
    for (size_t i = first[node]; i != SIZE_MAX; i = next[i]) {
        bool failed = c->verdict[i] == DA_VERDICT_FAIL ||
                      ((c->verdict[i] == DA_VERDICT_LATE || c->verdict[i] == DA_VERDICT_SILENT) &&
                       c->asking[i] >= 2);
        if (failed && c->epoch[i] >= (double)from && c->epoch[i] < (double)best)
            best = (size_t)c->epoch[i];
    }
    return best;
}

struct spells {
    double *failed, *left; /* per epochs since it began: spells that failed, and that ended */
    size_t count;
};

/* The spells of one strategy: stretches of epochs in which a node follows it. */
static struct spells spells_of(const struct da_run *run, const struct da_array *truth,
                               const struct challenges *c, const size_t *first, const size_t *next,
                               size_t strategy)
{
    struct spells s = {da_report_take(run->r, run->epochs + 1, sizeof *s.failed),
                       da_report_take(run->r, run->epochs + 1, sizeof *s.left), 0};
    for (size_t n = 0; n < run->nodes; n++)
        for (size_t e = 0; is_service(run, n) && e < run->epochs; e++) {
            if (truth->value[e * run->nodes + n] != (double)strategy)
                continue;
            size_t end = e;
            while (end < run->epochs && truth->value[end * run->nodes + n] == (double)strategy)
                end++;
            size_t at = failed_in(c, first, next, n, e, end);
            (at < end ? s.failed : s.left)[at - e]++;
            s.count++;
            e = end;
        }
    return s;
}

/* Kaplan and Meier's estimate: a spell that ends unfound leaves those at risk. */
static void survival_line(const struct da_run *run, struct da_figure *f, const struct spells *s,
                          const char *name)
{
    double *x = da_report_take(run->r, run->epochs + 1, sizeof *x);
    double *y = da_report_take(run->r, run->epochs + 1, sizeof *y);
    double risk = (double)s->count, alive = 1;
    size_t n = 0;
    x[0] = 0;
    y[n++] = 100;
    for (size_t t = 0; t < run->epochs && risk > 0; t++) {
        risk -= s->left[t];
        alive *= risk > 0 ? 1 - s->failed[t] / risk : 1;
        risk -= s->failed[t];
        x[n] = (double)t + 1;
        y[n++] = alive * 100;
    }
    da_figure_line(run->r, f, da_report_text(run->r, "%s (%zu)", name, s->count), x, y, n)->mark =
        DA_MARK_STEP;
}

struct da_figure *da_run_survival(const struct da_run *run)
{
    struct challenges c;
    struct da_array truth = per_node(run, "/node_epoch/strategy");
    if (truth.value == NULL || !challenges_of(run, &c))
        return NULL;
    struct da_figure *f = da_figure_new(
        run->r, "survival", "Cheats not caught yet",
        "Share of spells of cheating in which the node had not failed a challenge yet, by epochs "
        "since it began (Kaplan and Meier's estimate; number of spells in brackets). Lower is "
        "better.",
        run->strategies);
    size_t *first = da_report_take(run->r, run->nodes, sizeof *first);
    size_t *next = da_report_take(run->r, c.count, sizeof *next);
    for (size_t n = 0; n < run->nodes; n++)
        first[n] = SIZE_MAX;
    for (size_t i = c.count; i-- > 0;) {
        if (!(c.node[i] >= 0 && c.node[i] < (double)run->nodes))
            return NULL;
        next[i] = first[(size_t)c.node[i]];
        first[(size_t)c.node[i]] = i;
    }
    for (size_t s = 0; s < run->strategies; s++) {
        if (!da_run_cheats(run, (double)s))
            continue;
        struct spells spells = spells_of(run, &truth, &c, first, next, s);
        if (spells.count == 0)
            continue;
        survival_line(run, f, &spells, run->strategy[s]);
        ((struct da_series *)(uintptr_t)&f->series[f->count - 1])->colour = da_run_colour(run, s);
    }
    da_figure_axes(f, "epochs since the node began to cheat", "", "not caught", "%");
    f->y.min = 0;
    f->y.max = 100;
    return da_figure_or_nothing(f);
}

/* ---- ROC ------------------------------------------------------------------------------------- */

struct scores {
    double *score;
    bool *cheat;
    size_t count, cheats;
};

/* One observation per service node: of a cheat over the epochs in which it cheats, of an honest
 * node over all.  least: its lowest value, else its mean.  Low values accuse, so the score is minus
 * that. */
static struct scores scores_of(const struct da_run *run, const char *dataset, bool least)
{
    struct da_array a = per_node(run, dataset);
    struct da_array truth = per_node(run, "/node_epoch/strategy");
    struct scores s = {da_report_take(run->r, run->nodes, sizeof *s.score),
                       da_report_take(run->r, run->nodes, sizeof *s.cheat), 0, 0};
    if (a.value == NULL || truth.value == NULL)
        return s;
    for (size_t n = 0; n < run->nodes; n++) {
        bool cheat = false;
        double sum = 0, lowest = INFINITY;
        size_t count = 0;
        for (size_t e = 0; e < run->epochs; e++)
            cheat = cheat || da_run_cheats(run, truth.value[e * run->nodes + n]);
        for (size_t e = 0; e < run->epochs; e++) {
            double v = a.value[e * run->nodes + n];
            if (!isfinite(v) || (cheat && !da_run_cheats(run, truth.value[e * run->nodes + n])))
                continue;
            sum += v;
            lowest = fmin(lowest, v);
            count++;
        }
        if (!is_service(run, n) || count == 0)
            continue;
        s.cheat[s.count] = cheat;
        s.cheats += cheat;
        s.score[s.count++] = least ? -lowest : -sum / (double)count;
    }
    return s;
}

static const struct {
    const char *dataset, *name;
    bool least;
} detectors[] = {{"/node_epoch/utilisation", "low mean utilisation", false},
                 {"/node_epoch/p_value", "lowest anomaly p-value", true}};

/* One curve per detector; precision: of precision over recall, else the ROC. */
static void curves(const struct da_run *run, struct da_figure *f, bool precision)
{
    for (size_t d = 0; d < sizeof detectors / sizeof detectors[0]; d++) {
        struct scores s = scores_of(run, detectors[d].dataset, detectors[d].least);
        struct da_roc roc = {0};
        struct dc_error error = {0};
        if (s.cheats == 0 || s.cheats == s.count ||
            da_roc_scored(s.score, s.cheat, s.count, 0.95, 1, &roc, &error) != DC_OK) {
            da_roc_free(&roc);
            continue;
        }
        double *x = da_report_take(run->r, roc.points, sizeof *x);
        double *y = da_report_take(run->r, roc.points, sizeof *y);
        size_t every = 1 + roc.points / CURVE_MAX, n = 0;
        for (size_t i = 0; i < roc.points; i++) {
            if (i % every != 0 && i + 1 != roc.points)
                continue;
            x[n] = precision ? roc.point[i].tpr : roc.point[i].fpr;
            y[n++] = precision ? roc.point[i].precision : roc.point[i].tpr;
        }
        struct da_estimate area = precision ? roc.average_precision : roc.area;
        da_figure_line(run->r, f,
                       da_report_text(run->r, "%s: %s %s", detectors[d].name,
                                      precision ? "average precision" : "area",
                                      da_report_interval(run->r, area)),
                       x, y, n);
        da_roc_free(&roc);
    }
}

/* Where theta stands on the curve of utilisation. */
static void at_theta(const struct da_run *run, struct da_figure *f, bool precision)
{
    struct scores s = scores_of(run, detectors[0].dataset, false);
    double called[2] = {0}, all[2] = {0};
    for (size_t i = 0; i < s.count; i++) {
        all[s.cheat[i]]++;
        called[s.cheat[i]] += -s.score[i] < run->theta;
    }
    if (!isfinite(run->theta) || all[0] == 0 || all[1] == 0 || called[0] + called[1] == 0)
        return;
    double tpr = called[1] / all[1], fpr = called[0] / all[0];
    double right = called[1] / (called[0] + called[1]);
    struct da_series *point = da_figure_line(
        run->r, f, da_report_text(run->r, "theta = %s", da_report_ratio(run->r, run->theta)),
        precision ? &tpr : &fpr, precision ? &right : &tpr, 1);
    point->mark = DA_MARK_POINTS;
    point->colour = 3;
}

static struct da_figure *detection(const struct da_run *run, const char *id, const char *title,
                                   const char *caption, bool precision)
{
    struct da_figure *f = da_figure_new(run->r, id, title, caption, 5);
    curves(run, f, precision);
    if (f->count == 0)
        return NULL;
    at_theta(run, f, precision);
    f->x.min = f->y.min = 0;
    f->x.max = f->y.max = 1;
    f->aspect = 0.8;
    return da_figure_or_nothing(f);
}

struct da_figure *da_run_roc(const struct da_run *run)
{
    struct da_figure *f = detection(
        run, "roc", "Does it tell cheats from honest nodes? ROC",
        "Service nodes called cheats below a threshold, for every threshold; area under the curve "
        "with its 95 % interval (DeLong), 0.5 tells nothing. One observation per node: a cheat's "
        "over the epochs in which it cheated.",
        false);
    if (f == NULL)
        return NULL;
    da_figure_guide(run->r, f, "by chance", 0, 0, 1, 1);
    da_figure_axes(f, "honest nodes called (false positive rate)", "",
                   "cheats called (true positive rate)", "");
    return f;
}

struct da_figure *da_run_precision(const struct da_run *run)
{
    struct da_figure *f = detection(
        run, "precision", "Does it tell cheats from honest nodes? Precision and recall",
        "Of the nodes below a threshold the share that cheats, against the share of all cheats "
        "that is below it; 95 % interval by bootstrap.",
        true);
    if (f != NULL)
        da_figure_axes(f, "cheats called (recall)", "", "called nodes that cheat (precision)", "");
    return f;
}
