/* A process-wide table that remembers the answers of pure functions.
 *
 * Thousands of simulated nodes check the same bytes; the table turns the second check into a
 * look-up.  It is bounded (memory is given at creation), shared by all threads, and free to forget:
 * a look-up may miss what was stored, and never returns what was not.  So whoever uses it must
 * compute on a miss, and what it holds can change the speed of a run and nothing else.
 *
 * Neither call blocks: a reader that meets a writer reports a miss, a writer that meets a writer
 * drops its entry (memo.c, sequence locks). */
#ifndef MODELS_CRYPTO_MEMO_H
#define MODELS_CRYPTO_MEMO_H

#include "models/base/status.h"
#include "models/crypto/hash.h"

#define DC_MEMO_VALUE_BYTES_MAX ((size_t)80)

struct dc_memo;

struct dc_memo_stats {
    uint64_t slots, size_bytes;
    uint64_t puts, dropped; /* entries stored, and given up because another writer was there */
    uint64_t evicted;       /* entries that made room for others */
};

/* A table of about size_bytes (at least one set of slots) whose values have value_bytes
 * (1..DC_MEMO_VALUE_BYTES_MAX).  Errors: DC_ERR_IO when memory is out. */
enum dc_status dc_memo_open(size_t size_bytes, size_t value_bytes, struct dc_memo **out,
                            struct dc_error *error) DC_MUST_USE;
void dc_memo_close(struct dc_memo *memo); /* NULL allowed; no thread may be using it */

/* A key from the bytes of a question: SipHash-2-4-128 under a fixed key, 0.06 us for 170 bytes
 * where BLAKE2b takes 0.4.  128 bits never collide by accident; against somebody who looks for
 * collisions under a known key it is not meant to hold, and nobody in a simulation spends 2^64 work
 * on that. */
struct dc_hash dc_memo_key(const void *data, size_t size);

/* Copies the value stored under key and returns true, or returns false.  `key` is a hash over
 * everything that the remembered function depends on (dc_memo_key, or a BLAKE2b-256 that is at
 * hand): its first 24 bytes are used.
 * memo == NULL always misses.  Thread-safe; about 0.05 us. */
bool dc_memo_get(struct dc_memo *memo, const struct dc_hash *key, void *value);
/* Remembers value under key, or does not.  Thread-safe. */
void dc_memo_put(struct dc_memo *memo, const struct dc_hash *key, const void *value);

struct dc_memo_stats dc_memo_stats(const struct dc_memo *memo);

#endif
