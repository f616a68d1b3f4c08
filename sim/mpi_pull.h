/* A sweep under MPI (destrasim-mpi): ranks pull points from rank 0.
 *
 *     rank 1..R-1   "give me points; I have run so many" ---> rank 0
 *                   <--- the next points, or none: all are given
 *                   "all mine are done" --------------------> rank 0, which then merges
 *
 * Rank 0 works like the others and answers between the waits for its own runs, every 50 ms at the
 * latest.  Which rank runs a point changes nothing in its files.  Waiting ranks sleep, they do not
 * spin.  Without DESTRA_MPI there is one process: ds_mpi_open gives NULL, which all others take. */
#ifndef SIM_MPI_PULL_H
#define SIM_MPI_PULL_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ds_mpi;

#ifdef DESTRA_MPI
/* MPI_Init, once.  Waits end when *stop is raised. */
struct ds_mpi *ds_mpi_open(const volatile sig_atomic_t *stop);
unsigned ds_mpi_rank(const struct ds_mpi *m);
unsigned ds_mpi_ranks(const struct ds_mpi *m);
/* Points 0 .. points - 1 are given `at_once` at a time; before the first pull. */
void ds_mpi_points(struct ds_mpi *m, size_t points, size_t at_once);
/* The next points, from *first on; 0: all are given, or *stop.  runs: that this rank has run. */
size_t ds_mpi_pull(struct ds_mpi *m, uint64_t runs, size_t *first);
/* Rank 0 answers who asks now.  Returns the runs of the others, as they said last. */
uint64_t ds_mpi_serve(struct ds_mpi *m);
/* One step of the end: rank 0 answers and sleeps a little, others say that they are done.  True: so
 * are all (rank 0), or this one. */
bool ds_mpi_finish(struct ds_mpi *m, uint64_t runs);
/* All ranks go on together, with rank 0's code. */
int ds_mpi_share(struct ds_mpi *m, int code);
/* The job ends on all ranks with this exit code. */
void ds_mpi_abort(struct ds_mpi *m, int code);
void ds_mpi_close(struct ds_mpi *m);
#else
static inline struct ds_mpi *ds_mpi_open(const volatile sig_atomic_t *stop)
{
    return NULL;
}
static inline unsigned ds_mpi_rank(const struct ds_mpi *m)
{
    return 0;
}
static inline unsigned ds_mpi_ranks(const struct ds_mpi *m)
{
    return 1;
}
static inline void ds_mpi_points(struct ds_mpi *m, size_t points, size_t at_once)
{
}
static inline size_t ds_mpi_pull(struct ds_mpi *m, uint64_t runs, size_t *first)
{
    *first = 0;
    return 0;
}
static inline uint64_t ds_mpi_serve(struct ds_mpi *m)
{
    return 0;
}
static inline bool ds_mpi_finish(struct ds_mpi *m, uint64_t runs)
{
    return true;
}
static inline int ds_mpi_share(struct ds_mpi *m, int code)
{
    return code;
}
static inline void ds_mpi_abort(struct ds_mpi *m, int code)
{
}
static inline void ds_mpi_close(struct ds_mpi *m)
{
}
#endif

#endif
