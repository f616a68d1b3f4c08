/* Designs of experiments: which settings of k factors are tried.
 *
 * A design is rows of u in [0, 1), row after row: u[row * k + factor].  What u means is the
 * caller's: a range is lo + u (hi - lo) (or its logarithm), a list of n values takes the value
 * floor(u n).  Rows come in a fixed order that the methods which read a design rely on:
 *
 *     GRID      product of level[0] x level[1] x ...; the last factor moves fastest;
 *               factor j of row i is (l + 0.5) / level[j], l its level there
 *     LHS       N rows; in each factor every interval [i / N, (i + 1) / N) holds one of them
 *     SOBOL     N rows of Sobol's sequence with a random linear scramble and a digital shift
 *     SALTELLI  N blocks (N = base) of k + 2 rows.  Block i: row i of A; row i of A with column j
 *               from B, for j = 0 .. k - 1; row i of B.  So with b = i (k + 2):
 *                   A_i = row b,   AB_j,i = row b + 1 + j,   B_i = row b + k + 1
 *               A and B are the first and last k columns of a SOBOL design in 2 k dimensions
 *     MORRIS    r trajectories (r = base) of k + 1 rows: trajectory t is rows t (k + 1) ..
 *               t (k + 1) + k.  From each row to the next exactly one factor moves, by
 *               +-delta = levels / (2 (levels - 1)) on the grid 0, 1/(levels - 1), .., 1; every
 *               factor moves once in a trajectory.  Which factor moved is what differs.
 *               Here alone u may be 1 (da_design_level and the caller's mapping take it)
 *
 * The same seed gives the same design everywhere, and a longer SOBOL or SALTELLI design begins with
 * the shorter one's rows.
 *
 * Sources: Bratley and Fox, ACM Trans. Math. Softw. 14, 1988 (Sobol's sequence as in GSL, whose
 * generator skips the origin: it is put back, because a net needs it); Matousek, "On the
 * L2-discrepancy for anchored boxes", J. Complexity 14, 1998 (random linear scramble); Saltelli et
 * al., Comput. Phys. Commun. 181, 2010; Morris, Technometrics 33, 1991; McKay et al., Technometrics
 * 21, 1979. */
#ifndef ANALYSIS_DESIGN_H
#define ANALYSIS_DESIGN_H

#include "analysis/study.h"

enum { DA_DESIGN_DIMENSIONS = 40, DA_DESIGN_POINTS = 1000000 };

struct da_design_plan {
    enum da_design kind;
    size_t factors;        /* at least 1 */
    const uint32_t *level; /* GRID: levels of each factor, at least 1 */
    size_t points;         /* LHS, SOBOL: rows */
    size_t base;           /* SALTELLI: N; MORRIS: r */
    uint32_t levels;       /* MORRIS: even, at least 2 */
    uint64_t seed;
};

/* Rows of the design; 0 and an error: it cannot be had (too many dimensions for Sobol's sequence,
 * too many points, an odd number of levels, nothing to do). */
size_t da_design_rows(const struct da_design_plan *plan, struct dc_error *error) DC_MUST_USE;
/* Fills u (rows x factors).  Errors: as da_design_rows, or DC_ERR_IO without memory. */
enum dc_status da_design_make(const struct da_design_plan *plan, double *u,
                              struct dc_error *error) DC_MUST_USE;
/* floor(u n), at most n - 1: the level of a factor that has n. */
uint32_t da_design_level(double u, uint32_t n);

#endif
