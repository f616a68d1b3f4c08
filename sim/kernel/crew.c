/* phase counts the phases begun; its top bit ends the run.  kicks counts calls of wake.  A sleeper
 * announces itself (sleepers) before it looks at both once more, and who changes them looks at
 * sleepers afterwards: in the one total order of these atomics one of the two sees the other, so no
 * wake-up is lost. */
#include "sim/kernel/crew.h"

#include "models/base/mem.h"

#include <omp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { LOOKS_FREE = 2000, LOOKS_SCARCE = 20, YIELDS = 4 };

#define QUIT 0x80000000u

struct ds_crew {
    struct ds_crew_config config;
    uint32_t threads; /* that the OpenMP run time really gave */
    uint32_t looks;
    pthread_mutex_t lock;
    pthread_cond_t wake, finished;
    _Alignas(64) _Atomic uint32_t phase;
    _Atomic uint32_t kicks;
    _Atomic uint32_t sleepers;
    _Alignas(64) _Atomic uint32_t done; /* helpers that finished the phase */
    _Atomic uint32_t leader_sleeps;
};

struct ds_crew *ds_crew_create(const struct ds_crew_config *config)
{
    struct ds_crew *crew = dc_mem_pages(sizeof *crew);
    if (crew == NULL)
        return NULL;
    crew->config = *config;
    crew->threads = 1;
    crew->looks = LOOKS_SCARCE;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->wake, NULL);
    pthread_cond_init(&crew->finished, NULL);
    atomic_init(&crew->phase, 0);
    atomic_init(&crew->kicks, 0);
    atomic_init(&crew->sleepers, 0);
    atomic_init(&crew->done, 0);
    atomic_init(&crew->leader_sleeps, 0);
    return crew;
}

void ds_crew_destroy(struct ds_crew *crew)
{
    if (crew == NULL)
        return;
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->wake);
    pthread_cond_destroy(&crew->finished);
    dc_mem_free(crew);
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static void rouse(struct ds_crew *crew)
{
    if (atomic_load(&crew->sleepers) == 0)
        return;
    pthread_mutex_lock(&crew->lock);
    pthread_cond_broadcast(&crew->wake);
    pthread_mutex_unlock(&crew->lock);
}

void ds_crew_wake(struct ds_crew *crew)
{
    atomic_fetch_add(&crew->kicks, 1);
    rouse(crew);
}

static void helper_sleep(struct ds_crew *crew, uint32_t seen, uint32_t kicks)
{
    pthread_mutex_lock(&crew->lock);
    atomic_fetch_add(&crew->sleepers, 1);
    while (atomic_load(&crew->phase) == seen && atomic_load(&crew->kicks) == kicks)
        pthread_cond_wait(&crew->wake, &crew->lock);
    atomic_fetch_sub(&crew->sleepers, 1);
    pthread_mutex_unlock(&crew->lock);
}

/* Returns the new phase, once it is not seen. */
static uint32_t helper_wait(struct ds_crew *crew, uint32_t thread, uint32_t seen)
{
    for (uint32_t looks = 0;;) {
        uint32_t kicks = atomic_load(&crew->kicks);
        uint32_t phase = atomic_load_explicit(&crew->phase, memory_order_acquire);
        if (phase != seen)
            return phase;
        if (crew->config.idle != NULL && crew->config.idle(crew->config.ctx, thread)) {
            looks = 0;
            continue;
        }
        if (++looks < crew->looks) {
            relax();
        } else if (looks < crew->looks + YIELDS) {
            sched_yield();
        } else {
            helper_sleep(crew, seen, kicks);
            looks = 0;
        }
    }
}

/* A thread's part of a phase; there may be fewer threads than shards. */
static void run_shards(struct ds_crew *crew, uint32_t thread)
{
    for (uint32_t s = thread; s < crew->config.shards; s += crew->threads)
        crew->config.shard(crew->config.ctx, s);
}

static void help(struct ds_crew *crew, uint32_t thread)
{
    for (uint32_t seen = 0;;) {
        uint32_t phase = helper_wait(crew, thread, seen);
        if (phase & QUIT)
            return;
        seen = phase;
        run_shards(crew, thread);
        if (atomic_fetch_add(&crew->done, 1) + 1 == crew->threads - 1 &&
            atomic_load(&crew->leader_sleeps)) {
            pthread_mutex_lock(&crew->lock);
            pthread_cond_signal(&crew->finished);
            pthread_mutex_unlock(&crew->lock);
        }
    }
}

static void wait_done(struct ds_crew *crew)
{
    uint32_t helpers = crew->threads - 1;
    for (uint32_t looks = 0; looks < crew->looks + YIELDS; looks++) {
        if (atomic_load_explicit(&crew->done, memory_order_acquire) == helpers)
            return;
        if (looks < crew->looks)
            relax();
        else
            sched_yield();
    }
    pthread_mutex_lock(&crew->lock);
    atomic_store(&crew->leader_sleeps, 1);
    while (atomic_load(&crew->done) != helpers)
        pthread_cond_wait(&crew->finished, &crew->lock);
    atomic_store(&crew->leader_sleeps, 0);
    pthread_mutex_unlock(&crew->lock);
}

void ds_crew_phase(struct ds_crew *crew)
{
    atomic_store(&crew->done, 0);
    atomic_store(&crew->phase, (atomic_load(&crew->phase) + 1) & ~QUIT);
    rouse(crew);
    run_shards(crew, 0);
    wait_done(crew);
}

void ds_crew_run(struct ds_crew *crew, void (*lead)(void *ctx))
{
    atomic_store(&crew->phase, 0);
    atomic_store(&crew->done, 0);
#pragma omp parallel num_threads((int)crew->config.shards)
    {
#pragma omp single
        {
            crew->threads = (uint32_t)omp_get_num_threads();
            crew->looks = omp_get_num_procs() >= omp_get_num_threads() ? LOOKS_FREE : LOOKS_SCARCE;
        } /* an implied barrier: all see both */
        if (omp_get_thread_num() == 0) {
            lead(crew->config.ctx);
            atomic_fetch_or(&crew->phase, QUIT);
            rouse(crew);
        } else {
            help(crew, (uint32_t)omp_get_thread_num());
        }
    }
}
