/* Designs, row by row into one array of doubles.
 *
 * Sobol's points are scrambled as integers of 32 bits, most significant bit first: each dimension
 * has a random lower triangular matrix of bits with ones on its diagonal (Matousek) and a random
 * digital shift.  Both map every interval [a / 2^m, (a + 1) / 2^m) onto another one of the same
 * length, so that the net property of each 2^m points survives, and points fall on no corner. */
#include "analysis/design.h"

#include "models/base/rng.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_qrng.h>
#include <string.h>

#define SOBOL_BITS 30 /* of GSL's integers */

static size_t design_refuse(struct dc_error *error, const char *why)
{
    dc_error_set(error, DC_ERR_USAGE, "%s", why);
    return 0;
}

/* a * b, or 0 and an error when that is more than a design may have. */
static size_t design_product(size_t a, size_t b, struct dc_error *error)
{
    if (a != 0 && b != 0 && a <= DA_DESIGN_POINTS / b)
        return a * b;
    dc_error_set(error, DC_ERR_USAGE,
                 a == 0 || b == 0 ? "the design has no points: ask for at least one"
                                  : "the design has more than %d points: take fewer values, "
                                    "factors or points",
                 DA_DESIGN_POINTS);
    return 0;
}

static size_t design_grid_rows(const struct da_design_plan *plan, struct dc_error *error)
{
    size_t rows = 1;
    for (size_t j = 0; j < plan->factors && rows != 0; j++)
        rows = design_product(rows, plan->level[j], error);
    return rows;
}

size_t da_design_rows(const struct da_design_plan *plan, struct dc_error *error)
{
    size_t k = plan->factors;
    if (k == 0)
        return design_refuse(error, "a design needs at least one parameter");
    switch (plan->kind) {
    case DA_GRID: return design_grid_rows(plan, error);
    case DA_LHS: return design_product(plan->points, 1, error);
    case DA_SOBOL:
        if (k > DA_DESIGN_DIMENSIONS)
            return design_refuse(error, "Sobol's sequence has at most 40 dimensions here: take at "
                                        "most 40 parameters, or the design lhs");
        return design_product(plan->points, 1, error);
    case DA_SALTELLI:
        if (2 * k > DA_DESIGN_DIMENSIONS)
            return design_refuse(error, "Saltelli's design takes two of the 40 dimensions of "
                                        "Sobol's sequence for each parameter: take at most 20 "
                                        "parameters, or screen them with the design morris first");
        return design_product(plan->base, k + 2, error);
    case DA_MORRIS:
        if (plan->levels < 2 || plan->levels % 2 != 0)
            return design_refuse(error, "Morris' design needs an even number of levels, at least "
                                        "2: 4 is usual");
        return design_product(plan->base, k + 1, error);
    case DA_LIST: break;
    }
    return design_refuse(error, "a list of points is no design: give it kind grid, lhs, sobol, "
                                "saltelli or morris");
}

uint32_t da_design_level(double u, uint32_t n)
{
    double level = u * n;
    return level >= n ? n - 1 : (uint32_t)level;
}

/* ---- grid, Latin hypercube, Morris ----------------------------------------------------------- */

static void design_grid(const struct da_design_plan *plan, size_t rows, double *u)
{
    for (size_t i = 0; i < rows; i++) {
        size_t rest = i;
        for (size_t j = plan->factors; j-- > 0;) {
            uint32_t n = plan->level[j];
            u[i * plan->factors + j] = ((double)(rest % n) + 0.5) / n;
            rest /= n;
        }
    }
}

/* A permutation of 0 .. n - 1. */
static void design_shuffle(struct dc_stream *stream, size_t n, uint32_t *order)
{
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    for (size_t i = n; i > 1; i--) {
        size_t other = dc_next_below(stream, i);
        uint32_t kept = order[i - 1];
        order[i - 1] = order[other];
        order[other] = kept;
    }
}

static enum dc_status design_lhs(const struct da_design_plan *plan, size_t rows, double *u,
                                 struct dc_error *error)
{
    uint32_t *order = dc_mem_alloc(rows, sizeof *order);
    if (order == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory: take fewer points");
    for (size_t j = 0; j < plan->factors; j++) {
        struct dc_stream s =
            dc_stream(plan->seed, dc_name_indexed("factor", j), dc_name("design lhs"));
        design_shuffle(&s, rows, order);
        for (size_t i = 0; i < rows; i++) {
            /* 24 bits: the sum is exact and its quotient stays in its interval. */
            double within = (double)(dc_next64(&s) >> 40) / (1 << 24);
            u[i * plan->factors + j] = (order[i] + within) / (double)rows;
        }
    }
    dc_mem_free(order);
    return DC_OK;
}

/* A trajectory: each factor has a low level l and the high one l + levels / 2, begins at either and
 * goes to the other when its turn comes. */
static enum dc_status design_morris(const struct da_design_plan *plan, double *u,
                                    struct dc_error *error)
{
    size_t k = plan->factors;
    uint32_t half = plan->levels / 2, *order = dc_mem_alloc(3 * k, sizeof *order);
    if (order == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory: take fewer parameters");
    uint32_t *now = order + k, *then = now + k;
    for (size_t t = 0; t < plan->base; t++) {
        struct dc_stream s =
            dc_stream(plan->seed, dc_name_indexed("trajectory", t), dc_name("design morris"));
        design_shuffle(&s, k, order);
        for (size_t j = 0; j < k; j++) {
            uint32_t low = (uint32_t)dc_next_below(&s, half);
            bool down = dc_next_below(&s, 2) != 0;
            now[j] = down ? low + half : low;
            then[j] = down ? low : low + half;
        }
        for (size_t row = 0; row <= k; row++) {
            if (row > 0)
                now[order[row - 1]] = then[order[row - 1]];
            for (size_t j = 0; j < k; j++)
                *u++ = (double)now[j] / (plan->levels - 1);
        }
    }
    dc_mem_free(order);
    return DC_OK;
}

/* ---- Sobol's sequence ------------------------------------------------------------------------ */

/* One dimension's scramble: column c is what bit c of the input, from the top, adds to it. */
struct design_scramble {
    uint32_t column[SOBOL_BITS], shift;
};

static struct design_scramble design_scramble_make(uint64_t seed, size_t dimension)
{
    struct dc_stream s =
        dc_stream(seed, dc_name_indexed("dimension", dimension), dc_name("design sobol"));
    struct design_scramble out;
    out.shift = (uint32_t)(dc_next64(&s) >> 32);
    for (int c = 0; c < SOBOL_BITS; c++) {
        uint32_t own = 1u << (31 - c); /* the diagonal; only lower bits are random */
        out.column[c] = own | ((uint32_t)(dc_next64(&s) >> 32) & (own - 1));
    }
    return out;
}

static double design_scrambled(const struct design_scramble *s, uint32_t bits)
{
    uint32_t out = s->shift;
    for (int c = 0; c < SOBOL_BITS; c++)
        if ((bits >> (SOBOL_BITS - 1 - c) & 1) != 0)
            out ^= s->column[c];
    return (double)out / 4294967296.0;
}

/* Rows of a sequence in `dimensions`, handed to place() one by one. */
static enum dc_status design_sobol(size_t rows, size_t dimensions, uint64_t seed,
                                   void (*place)(size_t row, const double *point, size_t dimensions,
                                                 double *u),
                                   double *u, struct dc_error *error)
{
    gsl_set_error_handler_off();
    DC_CHECK(dimensions <= DA_DESIGN_DIMENSIONS && dimensions <= gsl_qrng_sobol->max_dimension);
    gsl_qrng *sequence = gsl_qrng_alloc(gsl_qrng_sobol, (unsigned)dimensions);
    if (sequence == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory: take fewer parameters");
    struct design_scramble scramble[DA_DESIGN_DIMENSIONS];
    for (size_t d = 0; d < dimensions; d++)
        scramble[d] = design_scramble_make(seed, d);
    double point[DA_DESIGN_DIMENSIONS] = {0};
    bool ok = true;
    for (size_t i = 0; i < rows && ok; i++) {
        double out[DA_DESIGN_DIMENSIONS];
        ok = i == 0 || gsl_qrng_get(sequence, point) == GSL_SUCCESS;
        for (size_t d = 0; d < dimensions; d++)
            out[d] = design_scrambled(&scramble[d], (uint32_t)(point[d] * (1u << SOBOL_BITS)));
        place(i, out, dimensions, u);
    }
    gsl_qrng_free(sequence);
    return ok ? DC_OK
              : dc_error_set(error, DC_ERR_USAGE,
                             "Sobol's sequence ended early: take fewer points");
}

static void design_place_row(size_t row, const double *point, size_t dimensions, double *u)
{
    memcpy(u + row * dimensions, point, dimensions * sizeof *u);
}

static void design_place_saltelli(size_t row, const double *point, size_t dimensions, double *u)
{
    size_t k = dimensions / 2;
    double *block = u + row * (k + 2) * k;
    for (size_t i = 0; i < k + 2; i++)
        memcpy(block + i * k, i == k + 1 ? point + k : point, k * sizeof *u);
    for (size_t j = 0; j < k; j++)
        block[(1 + j) * k + j] = point[k + j];
}

enum dc_status da_design_make(const struct da_design_plan *plan, double *u, struct dc_error *error)
{
    size_t rows = da_design_rows(plan, error);
    if (rows == 0)
        return DC_ERR_USAGE;
    switch (plan->kind) {
    case DA_GRID: design_grid(plan, rows, u); break;
    case DA_LHS: return design_lhs(plan, rows, u, error);
    case DA_SOBOL: return design_sobol(rows, plan->factors, plan->seed, design_place_row, u, error);
    case DA_SALTELLI:
        return design_sobol(plan->base, 2 * plan->factors, plan->seed, design_place_saltelli, u,
                            error);
    case DA_MORRIS: return design_morris(plan, u, error);
    case DA_LIST: DC_CHECK(!"da_design_rows refuses a list");
    }
    return DC_OK;
}
