/* Checks run ahead by idle threads: a bounded queue of jobs that end in the tables of crypto.h.
 *
 * The queue is Vyukov's bounded ring for many producers and consumers.  Cell i of n (a power of
 * two) carries a ticket:
 *
 *     ticket == p       free for the producer whose turn is p (p mod n == i)
 *     ticket == p + 1   holds the job of turn p
 *     ticket == p + n   taken; free for turn p + n
 *
 * Producers and consumers take turns from two counters by compare-and-swap, and the ticket's
 * release and acquire carry the job's bytes.  A full queue refuses and an empty one says so: nobody
 * waits, and a lost offer costs nothing but its speed. */
#include "models/base/mem.h"
#include "models/crypto/crypto.h"
#include "models/crypto/vrf.h"

struct ahead_job {
    _Atomic uint64_t ticket;
    bool is_vrf;
    uint16_t size;
    uint8_t public_key[32];
    uint8_t proof[80]; /* signature 64 or VRF proof 80 */
    uint8_t message[DC_OFFER_MESSAGE_BYTES_MAX];
};

struct dc_crypto_queue {
    struct ahead_job *jobs;
    uint64_t mask;
    _Alignas(64) _Atomic uint64_t put_turn;
    _Alignas(64) _Atomic uint64_t take_turn;
};

static void ahead_close(struct dc_crypto_queue *q)
{
    if (q != NULL)
        dc_mem_free(q->jobs);
    dc_mem_free(q);
}

static struct dc_crypto_queue *ahead_open(size_t jobs)
{
    uint64_t count = 2;
    while (count < jobs)
        count *= 2;
    struct dc_crypto_queue *q = dc_mem_pages(sizeof *q);
    if (q == NULL)
        return NULL;
    memset(q, 0, sizeof *q);
    q->mask = count - 1;
    q->jobs = dc_mem_alloc(count, sizeof *q->jobs);
    if (q->jobs == NULL) {
        ahead_close(q);
        return NULL;
    }
    for (uint64_t i = 0; i < count; i++)
        atomic_init(&q->jobs[i].ticket, i);
    return q;
}

enum dc_status dc_crypto_open(struct dc_crypto *c, enum dc_suite suite, size_t memo_bytes,
                              size_t queue_jobs, struct dc_error *error)
{
    *c = (struct dc_crypto){.suite = suite};
    enum dc_status status = DC_OK;
    size_t vrf_bytes = memo_bytes / 8;
    c->counts = dc_mem_pages(sizeof *c->counts);
    if (c->counts == NULL)
        status = DC_ERR_IO;
    else
        memset(c->counts, 0, sizeof *c->counts);
    if (status == DC_OK && memo_bytes != 0)
        status = dc_memo_open(memo_bytes - vrf_bytes, sizeof(uint32_t), &c->memo, error);
    if (status == DC_OK && memo_bytes != 0)
        status = dc_memo_open(vrf_bytes, DC_VRF_OUTPUT_BYTES, &c->memo_vrf, error);
    if (status == DC_OK && queue_jobs != 0 && (c->queue = ahead_open(queue_jobs)) == NULL)
        status = DC_ERR_IO;
    if (status != DC_OK) {
        dc_crypto_close(c);
        return dc_error_set(error, status,
                            "out of memory for signature checks: "
                            "give their table less memory");
    }
    return DC_OK;
}

void dc_crypto_close(struct dc_crypto *c)
{
    dc_memo_close(c->memo);
    dc_memo_close(c->memo_vrf);
    ahead_close(c->queue);
    dc_mem_free(c->counts);
    *c = (struct dc_crypto){.suite = c->suite};
}

static bool ahead_put(const struct dc_crypto *c, bool is_vrf, const uint8_t public_key[32],
                      const void *message, size_t size, const uint8_t *proof)
{
    struct dc_crypto_queue *q = c->queue;
    uint64_t turn = atomic_load_explicit(&q->put_turn, memory_order_relaxed);
    struct ahead_job *job;
    for (;;) {
        job = &q->jobs[turn & q->mask];
        uint64_t ticket = atomic_load_explicit(&job->ticket, memory_order_acquire);
        if (ticket == turn) {
            if (atomic_compare_exchange_weak_explicit(&q->put_turn, &turn, turn + 1,
                                                      memory_order_relaxed, memory_order_relaxed))
                break;
        } else if (ticket < turn) {
            return false;
        } else {
            turn = atomic_load_explicit(&q->put_turn, memory_order_relaxed);
        }
    }
    job->is_vrf = is_vrf;
    job->size = (uint16_t)size;
    memcpy(job->public_key, public_key, 32);
    memcpy(job->proof, proof, is_vrf ? DC_VRF_PROOF_BYTES : DC_SIGNATURE_BYTES);
    if (size != 0)
        memcpy(job->message, message, size);
    atomic_store_explicit(&job->ticket, turn + 1, memory_order_release);
    dc_crypto_count(c->counts, DC_OP_AHEAD, false);
    return true;
}

bool dc_crypto_offer(const struct dc_crypto *c, const uint8_t public_key[32], const void *message,
                     size_t size, const uint8_t signature[64])
{
    return c->queue != NULL && c->memo != NULL && c->suite == DC_SUITE_REAL &&
           size <= DC_OFFER_MESSAGE_BYTES_MAX &&
           ahead_put(c, false, public_key, message, size, signature);
}

bool dc_crypto_offer_vrf(const struct dc_crypto *c, const uint8_t public_key[32], const void *alpha,
                         size_t size, const uint8_t proof[80])
{
    return c->queue != NULL && c->memo_vrf != NULL && size <= DC_OFFER_MESSAGE_BYTES_MAX &&
           ahead_put(c, true, public_key, alpha, size, proof);
}

bool dc_crypto_work(const struct dc_crypto *c)
{
    struct dc_crypto_queue *q = c->queue;
    if (q == NULL)
        return false;
    uint64_t turn = atomic_load_explicit(&q->take_turn, memory_order_relaxed);
    struct ahead_job *cell, job;
    for (;;) {
        cell = &q->jobs[turn & q->mask];
        uint64_t ticket = atomic_load_explicit(&cell->ticket, memory_order_acquire);
        if (ticket == turn + 1) {
            if (atomic_compare_exchange_weak_explicit(&q->take_turn, &turn, turn + 1,
                                                      memory_order_relaxed, memory_order_relaxed))
                break;
        } else if (ticket < turn + 1) {
            return false;
        } else {
            turn = atomic_load_explicit(&q->take_turn, memory_order_relaxed);
        }
    }
    job.is_vrf = cell->is_vrf;
    job.size = cell->size;
    memcpy(job.public_key, cell->public_key, sizeof job.public_key);
    memcpy(job.proof, cell->proof, sizeof job.proof);
    memcpy(job.message, cell->message, job.size);
    atomic_store_explicit(&cell->ticket, turn + q->mask + 1, memory_order_release);
    /* Through the ordinary check, which looks first whether somebody has been faster; not counted,
     * because nobody has asked for it yet. */
    struct dc_crypto quiet = *c;
    quiet.counts = NULL;
    if (job.is_vrf)
        (void)dc_vrf_check(&quiet, job.public_key, job.message, job.size, job.proof, NULL);
    else
        (void)dc_verify(&quiet, job.public_key, job.message, job.size, job.proof);
    dc_crypto_count(c->counts, DC_OP_AHEAD, true);
    return true;
}
