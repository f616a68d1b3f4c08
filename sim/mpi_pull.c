/* Points for ranks; see mpi_pull.h.  The only file that calls MPI. */
#include "sim/mpi_pull.h"

#ifdef DESTRA_MPI

#include <mpi.h>
#include <poll.h>

#include "models/base/mem.h"

enum { TAG_ASK = 1, TAG_GIVE, TAG_DONE };
#define NAP_MS 2
#define IDLE_MS 20

struct ds_mpi {
    const volatile sig_atomic_t *stop;
    int rank, ranks;
    uint64_t points, next, at_once;
    uint64_t *runs; /* rank 0: of each other rank, as it said last */
    int done;       /* rank 0: how many others are */
    bool said_done;
};

static void nap(int ms)
{
    (void)poll(NULL, 0, ms);
}

/* True when it has completed; false: *stop. */
static bool wait_for(const struct ds_mpi *m, MPI_Request *request)
{
    int flag = 0;
    while (MPI_Test(request, &flag, MPI_STATUS_IGNORE), !flag) {
        if (*m->stop != 0)
            return false;
        nap(NAP_MS);
    }
    return true;
}

struct ds_mpi *ds_mpi_open(const volatile sig_atomic_t *stop)
{
    struct ds_mpi *m = dc_mem_need(1, sizeof *m, "MPI");
    MPI_Init(NULL, NULL);
    MPI_Comm_rank(MPI_COMM_WORLD, &m->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &m->ranks);
    m->stop = stop;
    m->runs = dc_mem_need((size_t)m->ranks, sizeof *m->runs, "MPI");
    return m;
}

unsigned ds_mpi_rank(const struct ds_mpi *m)
{
    return (unsigned)m->rank;
}

unsigned ds_mpi_ranks(const struct ds_mpi *m)
{
    return (unsigned)m->ranks;
}

void ds_mpi_points(struct ds_mpi *m, size_t points, size_t at_once)
{
    m->points = points;
    m->at_once = at_once;
}

/* Rank 0: first, and how many. */
static void give(struct ds_mpi *m, uint64_t out[2])
{
    uint64_t left = m->points - m->next;
    out[0] = m->next;
    out[1] = left < m->at_once ? left : m->at_once;
    m->next += out[1];
}

uint64_t ds_mpi_serve(struct ds_mpi *m)
{
    uint64_t sum = 0, runs, given[2];
    int flag = 1;
    MPI_Status status;
    while (m->rank == 0 && m->ranks > 1) {
        MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &flag, &status);
        if (!flag)
            break;
        int from = status.MPI_SOURCE, tag = status.MPI_TAG;
        MPI_Recv(&runs, 1, MPI_UINT64_T, from, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        m->runs[from] = runs;
        m->done += tag == TAG_DONE;
        if (tag != TAG_ASK)
            continue;
        give(m, given);
        MPI_Send(given, 2, MPI_UINT64_T, from, TAG_GIVE, MPI_COMM_WORLD);
    }
    for (int i = 1; i < m->ranks; i++)
        sum += m->runs[i];
    return sum;
}

size_t ds_mpi_pull(struct ds_mpi *m, uint64_t runs, size_t *first)
{
    uint64_t given[2] = {0};
    if (m->rank == 0) {
        give(m, given);
    } else {
        MPI_Request request;
        MPI_Irecv(given, 2, MPI_UINT64_T, 0, TAG_GIVE, MPI_COMM_WORLD, &request);
        MPI_Send(&runs, 1, MPI_UINT64_T, 0, TAG_ASK, MPI_COMM_WORLD);
        if (!wait_for(m, &request)) {
            MPI_Cancel(&request); /* which a broadcast's would not allow */
            MPI_Request_free(&request);
            given[1] = 0;
        }
    }
    *first = (size_t)given[0];
    return (size_t)given[1];
}

bool ds_mpi_finish(struct ds_mpi *m, uint64_t runs)
{
    if (m->rank != 0) {
        if (!m->said_done)
            MPI_Send(&runs, 1, MPI_UINT64_T, 0, TAG_DONE, MPI_COMM_WORLD);
        m->said_done = true;
        return true;
    }
    (void)ds_mpi_serve(m);
    if (m->done == m->ranks - 1)
        return true;
    nap(IDLE_MS);
    return false;
}

int ds_mpi_share(struct ds_mpi *m, int code)
{
    MPI_Request request;
    MPI_Ibcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD, &request);
    return wait_for(m, &request) ? code : 128 + (int)*m->stop;
}

void ds_mpi_abort(struct ds_mpi *m, int code)
{
    MPI_Abort(MPI_COMM_WORLD, code);
}

void ds_mpi_close(struct ds_mpi *m)
{
    MPI_Finalize();
    dc_mem_free(m->runs);
    dc_mem_free(m);
}

#endif
