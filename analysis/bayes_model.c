/* See bayes.h: noise from replications, and the processes.
 *
 * Run r at point p:  y = f(p) + s_p (sqrt(rho) c_seed + sqrt(1 - rho) e_pr), c and e of variance 1.
 *
 *   s_p^2   variance between the runs of p, drawn towards that of all points as if PRIOR_RUNS runs
 *           had shown it: three runs say little about a variance
 *   rho     mean product of two points' residuals of the same seed over what it would be for 1:
 *           what common random numbers share
 *
 * A point's mean over n seeds has own noise (1 - rho) s_p^2 / n.  The shared part is a covariance
 * by the seeds that two points have in common.  Constraints keep it whole.  The objective is
 * modelled as its mean over the seeds that most points have: the same best point, and no doubt
 * about a level that all points share gets into the search. */
#include <gsl/gsl_sf_erf.h>
#include <math.h>
#include <string.h>

#include "analysis/bayes_work.h"
#include "analysis/stats.h"

enum { PRIOR_RUNS = 4, FULL_FIT_EVERY = 5 };
static const double shared_max = 0.95;

/* Runs of one output by row (a point that has any) and distinct seed; NAN: none. */
struct table {
    size_t rows, seeds;
    size_t *row, *seed;              /* row of a point (SIZE_MAX: none); the distinct seeds */
    double *cell;                    /* rows x seeds */
    double *count, *mean, *variance; /* of rows */
    double *block;
};

static bool table_open(const struct da_bayes *b, size_t o, struct table *t)
{
    *t = (struct table){0};
    t->row = dc_mem_alloc(b->points + b->runs, sizeof *t->row);
    if (t->row == NULL)
        return false;
    t->seed = &t->row[b->points];
    for (size_t p = 0; p < b->points; p++)
        t->row[p] = SIZE_MAX;
    for (size_t r = 0; r < b->runs; r++) {
        size_t s = 0, *row = &t->row[b->run[r].point];
        if (isnan(b->value[r * b->outputs + o]))
            continue;
        if (*row == SIZE_MAX)
            *row = 0;
        while (s < t->seeds && t->seed[s] != b->run[r].seed)
            s++;
        if (s == t->seeds)
            t->seed[t->seeds++] = b->run[r].seed;
    }
    for (size_t p = 0; p < b->points; p++)
        if (t->row[p] != SIZE_MAX)
            t->row[p] = t->rows++;
    size_t cells = t->rows * t->seeds;
    t->block = dc_mem_alloc(cells + 3 * t->rows + 1, sizeof *t->block);
    if (t->block == NULL)
        return false;
    t->cell = t->block;
    t->count = &t->block[cells];
    t->mean = &t->count[t->rows];
    t->variance = &t->mean[t->rows];
    for (size_t i = 0; i < cells; i++)
        t->cell[i] = NAN;
    return true;
}

static void table_close(struct table *t)
{
    dc_mem_free(t->row);
    dc_mem_free(t->block);
}

/* Cells become residuals from the point's mean.  A seed told twice at a point counts once. */
static void table_fill(const struct da_bayes *b, size_t o, struct table *t)
{
    for (size_t r = 0; r < b->runs; r++) {
        double value = b->value[r * b->outputs + o];
        size_t s = 0;
        if (isnan(value))
            continue;
        while (t->seed[s] != b->run[r].seed)
            s++;
        t->cell[t->row[b->run[r].point] * t->seeds + s] = value;
    }
    for (size_t i = 0; i < t->rows; i++) {
        double *cell = &t->cell[i * t->seeds];
        for (size_t s = 0; s < t->seeds; s++)
            if (!isnan(cell[s])) {
                t->count[i]++;
                t->mean[i] += cell[s];
            }
        t->mean[i] /= t->count[i];
        for (size_t s = 0; s < t->seeds; s++) {
            cell[s] -= t->mean[i];
            t->variance[i] += isnan(cell[s]) ? 0 : cell[s] * cell[s];
        }
    }
}

/* Variances from sums of squares; returns that of all points, or NAN where nothing was repeated. */
static double shrink(struct table *t)
{
    double squares = 0, freedom = 0;
    for (size_t i = 0; i < t->rows; i++) {
        squares += t->variance[i];
        freedom += t->count[i] - 1;
    }
    if (freedom == 0)
        return NAN;
    for (size_t i = 0; i < t->rows; i++)
        t->variance[i] =
            (PRIOR_RUNS * squares / freedom + t->variance[i]) / (PRIOR_RUNS + t->count[i] - 1);
    return squares / freedom;
}

/* Seeds that two rows have in common, and the sum of products of residuals there. */
static double common(const struct table *t, size_t a, size_t c, double *product)
{
    const double *x = &t->cell[a * t->seeds], *y = &t->cell[c * t->seeds];
    double count = 0;
    for (size_t s = 0; s < t->seeds; s++)
        if (!isnan(x[s]) && !isnan(y[s])) {
            count++;
            *product += x[s] * y[s];
        }
    return count;
}

static double correlation(const struct table *t)
{
    double top = 0, bottom = 0;
    for (size_t a = 0; a < t->rows; a++)
        for (size_t c = 0; c < a; c++) {
            double product = 0, m = common(t, a, c, &product), na = t->count[a], nc = t->count[c];
            double size = sqrt(t->variance[a] * t->variance[c]);
            if (size > 0 && na > 1 && nc > 1) {
                top += product / size;
                bottom += m * (1 - 1 / na - 1 / nc + m / (na * nc));
            }
        }
    return bottom > 0 ? fmin(fmax(top / bottom, 0), shared_max) : 0;
}

/* Seeds that at least half of the rows have, marked; returns how many. */
static double base_seeds(const struct table *t, bool *base)
{
    double count = 0;
    for (size_t s = 0; s < t->seeds; s++) {
        size_t have = 0;
        for (size_t i = 0; i < t->rows; i++)
            have += !isnan(t->cell[i * t->seeds + s]);
        base[s] = 2 * have >= t->rows;
        count += base[s];
    }
    return count;
}

static double in_base(const struct table *t, size_t row, const bool *base)
{
    double count = 0;
    for (size_t s = 0; s < t->seeds; s++)
        count += base[s] && !isnan(t->cell[row * t->seeds + s]);
    return count;
}

static bool fill_shared(const struct table *t, bool objective, double rho, double *shared,
                        double *visit)
{
    bool *base = dc_mem_alloc(t->seeds + 1, sizeof *base);
    if (base == NULL)
        return false;
    double many = base_seeds(t, base);
    *visit = fmax(many, 1);
    for (size_t a = 0; a < t->rows; a++)
        for (size_t c = 0; c <= a; c++) {
            double product = 0, na = t->count[a], nc = t->count[c];
            double overlap = common(t, a, c, &product) / (na * nc);
            if (objective && many > 0)
                overlap += 1 / many - in_base(t, a, base) / (na * many) -
                           in_base(t, c, base) / (nc * many);
            double v = rho * sqrt(t->variance[a] * t->variance[c]) * overlap;
            shared[a * t->rows + c] = shared[c * t->rows + a] = v;
        }
    dc_mem_free(base);
    return true;
}

/* ---- the data of a process ------------------------------------------------------------------- */

static bool room_for(struct da_bayes *b, struct da_bayes_model *m, size_t rows)
{
    size_t most = rows + b->options.round;
    double *block = dc_mem_alloc(most * (b->inputs + 2 + most), sizeof *block);
    if (block == NULL)
        return false;
    dc_mem_free(m->x);
    m->x = block;
    m->y = &block[most * b->inputs];
    m->own = &m->y[most];
    m->shared = &m->own[most];
    m->data_max = most;
    m->data = (struct da_gp_data){.inputs = b->inputs, .words = b->words, .x = m->x, .y = m->y};
    return true;
}

static void copy_x(const struct da_bayes *b, const size_t *row, struct da_bayes_model *m)
{
    for (size_t p = 0; p < b->points; p++)
        if (row[p] != SIZE_MAX)
            memcpy(&m->x[row[p] * b->inputs], &b->u[p * b->inputs], b->inputs * sizeof *m->x);
}

static bool gather(struct da_bayes *b, size_t o)
{
    struct da_bayes_model *m = &b->model[o];
    struct table t;
    bool good = table_open(b, o, &t) && room_for(b, m, t.rows);
    if (good) {
        table_fill(b, o, &t);
        double all = shrink(&t), rho = isnan(all) ? 0 : correlation(&t), visit = 1;
        copy_x(b, t.row, m);
        m->data.count = t.rows;
        m->noise_all = isnan(all) ? 0 : sqrt(all);
        m->noise = m->noise_all * sqrt(1 - rho);
        for (size_t i = 0; i < t.rows; i++) {
            m->y[i] = t.mean[i];
            m->own[i] = (1 - rho) * t.variance[i] / t.count[i];
        }
        m->data.noise = isnan(all) ? NULL : m->own;
        good = fill_shared(&t, o == 0, rho, m->shared, &visit);
        m->data.shared = rho > 0 ? m->shared : NULL;
        if (o == 0)
            b->visit = visit;
    }
    table_close(&t);
    return good;
}

/* The share of failing runs, less a half: 1 of 1 is no certainty. */
static bool gather_failures(struct da_bayes *b)
{
    struct da_bayes_model *m = &b->model[b->outputs];
    size_t *row = dc_mem_alloc(b->points, sizeof *row), rows = 0;
    if (row == NULL)
        return false;
    for (size_t p = 0; p < b->points; p++)
        row[p] = da_bayes_visits(b, p) > 0 ? rows++ : SIZE_MAX;
    bool good = room_for(b, m, rows);
    for (size_t p = 0; good && p < b->points; p++) {
        double runs = 0, failed = 0;
        for (size_t r = 0; r < b->runs; r++) {
            runs += b->run[r].point == p;
            failed += b->run[r].point == p && isnan(b->value[r * b->outputs]);
        }
        if (row[p] == SIZE_MAX)
            continue;
        double share = failed / runs, drawn = (failed + 1) / (runs + 2);
        m->y[row[p]] = share - 0.5;
        m->own[row[p]] = drawn * (1 - drawn) / (runs + 2);
    }
    if (good) {
        copy_x(b, row, m);
        m->data.count = rows;
        m->data.noise = m->own;
    }
    dc_mem_free(row);
    return good;
}

/* ---- the processes --------------------------------------------------------------------------- */

/* With a true mean this far inside, the one-sided bound of that many fresh runs holds in nine cases
 * of ten. */
static void set_room(struct da_bayes *b)
{
    double runs = (double)b->options.confirm;
    for (size_t i = 0; i < b->options.bounds; i++)
        b->room[i] =
            runs < 2 ? 0
                     : (da_t_quantile(b->options.confidence, runs - 1) + da_normal_quantile(0.9)) *
                           b->model[i + 1].noise_all / sqrt(runs);
}

enum dc_status da_bayes_fit(struct da_bayes *b, struct dc_error *error)
{
    for (size_t o = 0; o < da_bayes_models(b); o++) {
        struct da_bayes_model *m = &b->model[o];
        if (!(o < b->outputs ? gather(b, o) : gather_failures(b)))
            return dc_error_set(error, DC_ERR_IO, "out of memory for the models of a search");
        da_gp_free(&m->gp);
        m->fitted = false;
        if (m->data.count == 0)
            continue;
        bool full = m->fits++ % FULL_FIT_EVERY == 0;
        enum dc_status status = da_gp_fit(&m->data, full ? NULL : &m->hyper, &m->gp, error);
        if (status != DC_OK)
            return status;
        m->fitted = true;
        m->hyper = m->gp.hyper;
    }
    set_room(b);
    return DC_OK;
}

enum dc_status da_bayes_believe(struct da_bayes *b, const double *u, struct dc_error *error)
{
    for (size_t o = 0; o < da_bayes_models(b); o++) {
        struct da_bayes_model *m = &b->model[o];
        size_t n = m->data.count;
        if (!m->fitted || n == m->data_max)
            continue;
        double *work = dc_mem_alloc(n, sizeof *work);
        if (work == NULL)
            return dc_error_set(error, DC_ERR_IO, "out of memory for the models of a search");
        m->y[n] = da_gp_predict(&m->gp, u, work).mean;
        dc_mem_free(work);
        m->own[n] = m->noise * m->noise / b->visit;
        memcpy(&m->x[n * b->inputs], u, b->inputs * sizeof *u);
        for (size_t i = n; m->data.shared != NULL && i-- > 0;) {
            memmove(&m->shared[i * (n + 1)], &m->shared[i * n], n * sizeof *m->shared);
            m->shared[i * (n + 1) + n] = 0;
        }
        memset(&m->shared[n * (n + 1)], 0, (n + 1) * sizeof *m->shared);
        m->data.count++;
        struct da_gp_hyper hyper = m->gp.hyper;
        da_gp_free(&m->gp);
        enum dc_status status = da_gp_condition(&m->data, &hyper, &m->gp, error);
        if (status != DC_OK) {
            m->fitted = false;
            return status;
        }
    }
    return DC_OK;
}

/* ---- what they say --------------------------------------------------------------------------- */

double da_bayes_log_normal_below(double z)
{
    return gsl_sf_log_erfc(-z / M_SQRT2) - M_LN2;
}

double da_bayes_log_chance(const struct da_bayes *b, size_t o, const double *u, double margin,
                           double *work)
{
    const struct da_bayes_model *m = &b->model[o];
    if (!m->fitted) /* never measured: nothing says that it is met */
        return -1e3;
    struct da_gp_guess guess = da_gp_predict(&m->gp, u, work);
    double sd = sqrt(guess.variance), gap = -margin - guess.mean;
    if (!(sd > 1e-12 * fabs(gap)))
        return gap >= 0 ? 0 : -1e3;
    return fmax(da_bayes_log_normal_below(gap / sd), -1e3);
}

double da_bayes_log_feasible(const struct da_bayes *b, const double *u, bool room, double *work)
{
    double sum = 0;
    for (size_t o = 1; o < da_bayes_models(b); o++)
        sum += da_bayes_log_chance(b, o, u, room && o < b->outputs ? b->room[o - 1] : 0, work);
    return sum;
}

bool da_bayes_likely(const struct da_bayes *b, const double *u, double *work)
{
    for (size_t o = 1; o < da_bayes_models(b); o++) {
        double margin = o < b->outputs ? b->room[o - 1] : 0;
        if (da_bayes_log_chance(b, o, u, margin, work) < -M_LN2)
            return false;
    }
    return true;
}

double da_bayes_visit_noise(const struct da_bayes *b)
{
    const struct da_bayes_model *m = &b->model[0];
    double nugget = exp(m->gp.hyper.log_nugget) * m->gp.scale * m->gp.scale;
    return sqrt(m->noise * m->noise / b->visit + nugget);
}

size_t da_bayes_work(const struct da_bayes *b)
{
    size_t most = 1;
    for (size_t o = 0; o < da_bayes_models(b); o++)
        most = b->model[o].data_max > most ? b->model[o].data_max : most;
    return 2 * most;
}
