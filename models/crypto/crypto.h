/* Signatures and keys: Ed25519 and X25519 (libsodium), checked once and remembered.
 *
 * A check of a signature is a pure function of (suite, key, message, signature), so it goes through
 * a table (memo.h) that remembers passes and failures, and idle threads may run it ahead
 * (dc_crypto_offer, dc_crypto_work).  None of that can be seen in a result: virtual CPU time is
 * charged by the caller for every logical check, hit or not.
 *
 * suite `modelled` swaps Ed25519 signing and verification alone for a keyed-hash stand-in of the
 * same sizes.  It is no signature (who knows the public key can make one); it exists so that large
 * studies need not pay 50 us for what their results do not depend on.
 *
 * No call draws system entropy: seeds come in, nonces are derived (RFC 8032). */
#ifndef MODELS_CRYPTO_CRYPTO_H
#define MODELS_CRYPTO_CRYPTO_H

#include "models/base/status.h"
#include "models/crypto/hash.h"
#include "models/crypto/memo.h"

#include <stdatomic.h>

#define DC_SIGNATURE_BYTES ((size_t)64)
#define DC_PUBLIC_KEY_BYTES ((size_t)32)
#define DC_SEED_BYTES ((size_t)32)

enum dc_suite { DC_SUITE_REAL, DC_SUITE_MODELLED };

/* Operations asked for (logical) and done (actual).  Logical counts are a function of the run;
 * actual ones depend on the table and on thread timing and belong in no result. */
enum dc_operation {
    DC_OP_SIGN,
    DC_OP_VERIFY,
    DC_OP_VRF_PROVE,
    DC_OP_VRF_VERIFY,
    DC_OP_AHEAD, /* checks taken by an offer, and worked off */
    DC_OP_PROOF, /* checks of privacy's proofs, of any kind */
    DC_OP_COUNT
};
struct dc_crypto_counts {
    _Alignas(64) _Atomic uint64_t logical[DC_OP_COUNT];
    _Alignas(64) _Atomic uint64_t actual[DC_OP_COUNT];
};

static inline void dc_crypto_count(struct dc_crypto_counts *counts, enum dc_operation op,
                                   bool actual)
{
    if (counts != NULL)
        atomic_fetch_add_explicit(actual ? &counts->actual[op] : &counts->logical[op], 1,
                                  memory_order_relaxed);
}

struct dc_crypto_queue;

/* What a node needs to sign and check: a view, copyable.  Zero-initialised it is the real suite
 * without table, queue or counts, which is right and slow.  A worker thread may have its own copy
 * with its own counts. */
struct dc_crypto {
    enum dc_suite suite;
    struct dc_memo *memo;            /* of signature checks; NULL: off */
    struct dc_memo *memo_vrf;        /* of VRF checks, with their outputs; NULL: off */
    struct dc_memo *memo_prove;      /* of VRF proofs, 80 bytes each, for those who run almost the
                                        same again and again: theirs; NULL: off */
    struct dc_crypto_queue *queue;   /* of checks to run ahead; NULL: off */
    struct dc_crypto_counts *counts; /* NULL: not counted */
    uint32_t audit_every; /* 0: never; n: about one hit in n is computed again and must agree */
};

/* Prepares libsodium and the domains.  Once, before any thread; calling it again does nothing.
 * Installs a random source that is constant until libsodium is up and aborts on any draw after. */
void dc_crypto_init(void);

/* Fills *c with a table of memo_bytes (0: off; one eighth goes to VRF checks), a queue of
 * queue_jobs (0: off; rounded up to a power of two) and counts.  Errors: DC_ERR_IO. */
enum dc_status dc_crypto_open(struct dc_crypto *c, enum dc_suite suite, size_t memo_bytes,
                              size_t queue_jobs, struct dc_error *error) DC_MUST_USE;
void dc_crypto_close(struct dc_crypto *c);

/* --- keys --------------------------------------------------------------------------------- */

struct dc_keypair { /* Ed25519: the seed, then the public key, as libsodium keeps them */
    uint8_t secret[64];
    uint8_t public[32];
};
struct dc_exchange { /* X25519 */
    uint8_t secret[32];
    uint8_t public[32];
};

enum dc_key_use { DC_KEY_SIGN = 1, DC_KEY_EXCHANGE = 2, DC_KEY_VRF = 3, DC_KEY_OTHER = 4 };

/* The seed of one key: H(run seed, owner, use, generation). */
void dc_seed_derive(uint64_t run_seed, uint64_t owner, enum dc_key_use use, uint64_t generation,
                    uint8_t seed[32]);
void dc_keypair_from_seed(const uint8_t seed[32], struct dc_keypair *out);
void dc_exchange_from_seed(const uint8_t seed[32], struct dc_exchange *out);
/* X25519.  False when the shared point is zero (RFC 7748, section 6.1), out then zeroed. */
bool dc_exchange_shared(const struct dc_exchange *own, const uint8_t peer[32],
                        uint8_t out[32]) DC_MUST_USE;
/* A canonical point of the prime-order group other than the identity: what registration asks of a
 * signing or VRF key, once.  40 us. */
bool dc_key_is_valid(const uint8_t public_key[32]);

/* --- signatures --------------------------------------------------------------------------- */

/* RFC 8032 Ed25519 (or the stand-in) over size bytes.  13 us (0.1 us). */
void dc_sign(const struct dc_crypto *c, const struct dc_keypair *key, const void *message,
             size_t size, uint8_t signature[64]);
/* True when signature is one of message under public_key.  Nonsense of any kind is false.
 * 38 us, remembered: 0.1 us (0.1 us). */
bool dc_verify(const struct dc_crypto *c, const uint8_t public_key[32], const void *message,
               size_t size, const uint8_t signature[64]);

/* The key under which a check of proof (64 or 80 bytes) is remembered, in tables of one kind of
 * proof each. */
struct dc_hash dc_crypto_memo_key(const uint8_t public_key[32], const uint8_t *proof,
                                  size_t proof_size, const void *message, size_t size);

/* --- proofs -------------------------------------------------------------------------------- */

/* What check(bytes, size) says, remembered like a signature's check: a pure function of the bytes,
 * which hold the whole statement and the proof.  `kind` keeps the answers of different checks apart:
 * each use has its own, from the domain of its proofs. */
bool dc_check_proof(const struct dc_crypto *c, enum dc_domain kind, const void *bytes, size_t size,
                    bool (*check)(const uint8_t *bytes, size_t size));

/* --- running ahead ------------------------------------------------------------------------ */

#define DC_OFFER_MESSAGE_BYTES_MAX ((size_t)192)

/* Offers a check that somebody will ask for, to be done by an idle thread.  Copies.  False when it
 * was not taken: no queue or table, queue full, message too long, suite modelled.  Thread-safe. */
bool dc_crypto_offer(const struct dc_crypto *c, const uint8_t public_key[32], const void *message,
                     size_t size, const uint8_t signature[64]);
/* The same for a VRF proof (vrf.h). */
bool dc_crypto_offer_vrf(const struct dc_crypto *c, const uint8_t public_key[32], const void *alpha,
                         size_t size, const uint8_t proof[80]);
/* Does one offered check into the table.  False when there was none.  Thread-safe. */
bool dc_crypto_work(const struct dc_crypto *c);

#endif
