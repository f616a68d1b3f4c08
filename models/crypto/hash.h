/* Hashing: BLAKE2b-256 with a domain per use.
 *
 * A domain is a name, "destra/<protocol>/v1/<step>"; BLAKE2b-128 of the name is the 16-byte
 * personalisation of BLAKE2b (RFC 7693, section 2.5), so that a hash of one kind of statement is
 * never a hash of another and no prefix has to be copied in front of the data.  The names are part
 * of the protocol: changing one changes every block id.
 *
 * All of this may be called from any thread, once dc_crypto_init (crypto.h) has returned. */
#ifndef MODELS_CRYPTO_HASH_H
#define MODELS_CRYPTO_HASH_H

#include "models/base/bytes.h"

#include <sodium/crypto_generichash_blake2b.h>

struct dc_hash {
    uint8_t b[32];
};
#define DC_HASH_BYTES ((size_t)32)

/* X(constant, name): the domains of the whole protocol.  New ones go at the end of their group. */
#define DC_DOMAINS(X)                                                                              \
    X(BLOCK, "destra/ledger/v1/block")                                                             \
    X(TX, "destra/ledger/v1/transaction")                                                          \
    X(TX_ROOT, "destra/ledger/v1/transaction-root")                                                \
    X(STATE_LEAF, "destra/ledger/v1/state-leaf")                                                   \
    X(STATE_NODE, "destra/ledger/v1/state-node")                                                   \
    X(ACCOUNT, "destra/ledger/v1/account")                                                         \
    X(GENESIS, "destra/ledger/v1/genesis")                                                         \
    X(EXECUTION, "destra/ledger/v1/execution")                                                     \
    X(EVIDENCE, "destra/ledger/v1/evidence")                                                       \
    X(BEACON, "destra/consensus/v1/beacon")                                                        \
    X(VRF_INPUT, "destra/consensus/v1/vrf-input")                                                  \
    X(LEADER, "destra/consensus/v1/leader")                                                        \
    X(VOTE, "destra/consensus/v1/vote")                                                            \
    X(PROPOSAL, "destra/consensus/v1/proposal")                                                    \
    X(TIMEOUT, "destra/consensus/v1/timeout")                                                      \
    X(QC, "destra/consensus/v1/quorum-certificate")                                                \
    X(TC, "destra/consensus/v1/timeout-certificate")                                               \
    X(HANDOVER, "destra/consensus/v1/hand-over")                                                   \
    X(COMMITTEE, "destra/consensus/v1/committee")                                                  \
    X(IMAGE, "destra/node/v1/image")                                                               \
    X(CERTIFICATE, "destra/pki/v1/certificate")                                                    \
    X(POSSESSION, "destra/pki/v1/possession")                                                      \
    X(CHALLENGE, "destra/posync/v1/challenge")                                                     \
    X(ANSWER, "destra/posync/v1/answer")                                                           \
    X(DRAW, "destra/posync/v1/draw")                                                               \
    X(COIN, "destra/posync/v1/coin")                                                               \
    X(SAMPLE, "destra/posync/v1/sample")                                                           \
    X(HEARTBEAT, "destra/posync/v1/heartbeat")                                                     \
    X(VERDICT, "destra/posync/v1/verdict")                                                         \
    X(SCORE, "destra/posync/v1/score")                                                             \
    X(CHUNK, "destra/storage/v1/chunk")                                                            \
    X(FILLER, "destra/storage/v1/filler")                                                          \
    X(DEAL, "destra/service/v1/deal")                                                              \
    X(RECEIPT, "destra/service/v1/receipt")                                                        \
    X(REPORT, "destra/service/v1/report")                                                          \
    X(PLACEMENT, "destra/service/v1/placement")                                                    \
    X(SITE, "destra/hosting/v1/site")                                                              \
    X(NAME, "destra/dns/v1/name")                                                                  \
    X(QUERY, "destra/rpc/v1/query")                                                                \
    X(MATRIX, "destra/gpu/v1/matrix")                                                              \
    X(ANCHOR, "destra/foundation/v1/anchor")                                                       \
    X(NOTE, "destra/privacy/v1/note")                                                              \
    X(IMAGES, "destra/privacy/v1/key-images")                                                      \
    X(SHIELDED, "destra/privacy/v1/confidential-transfer")                                         \
    X(RING, "destra/privacy/v1/ring")                                                              \
    X(ADDRESS, "destra/privacy/v1/one-time-address")                                               \
    X(DECOY, "destra/privacy/v1/decoy")                                                            \
    X(CONTRACT, "destra/privacy/v1/contract")                                                      \
    X(AUCTION, "destra/privacy/v1/auction")                                                        \
    X(ESCROW, "destra/privacy/v1/escrow")                                                          \
    X(RATING, "destra/privacy/v1/rating")                                                          \
    X(USAGE, "destra/privacy/v1/usage")                                                            \
    X(TRAINING, "destra/privacy/v1/training")                                                      \
    X(INFERENCE, "destra/privacy/v1/inference")                                                    \
    X(CIRCUIT, "destra/privacy/v1/circuit")                                                        \
    X(PERMUTATION, "destra/privacy/v1/permutation")                                                \
    X(KEYGEN, "destra/threshold/v1/key-generation")                                                \
    X(DECRYPTION, "destra/threshold/v1/decryption-share")                                          \
    X(BEACON_SHARE, "destra/threshold/v1/beacon-share")                                            \
    X(FROST, "destra/threshold/v1/frost")                                                          \
    X(LATTICE, "destra/lattice/v1/expand")                                                         \
    X(CHANNEL, "destra/channel/v1/noise")                                                          \
    X(PROOF_NONCE, "destra/keys/v1/proof-nonce")                                                   \
    X(MESSAGE, "destra/wire/v1/message")                                                           \
    X(KEY, "destra/keys/v1/seed")                                                                  \
    X(NONCE, "destra/keys/v1/nonce")                                                               \
    X(MODELLED, "destra/sim/v1/modelled-signature")                                                \
    X(MEMO, "destra/sim/v1/memo")                                                                  \
    X(TRACE, "destra/sim/v1/trace")                                                                \
    X(TEST, "destra/sim/v1/test")

enum dc_domain {
#define DC_DOMAIN_ENUM(constant, name) DC_DOMAIN_##constant,
    DC_DOMAINS(DC_DOMAIN_ENUM)
#undef DC_DOMAIN_ENUM
        DC_DOMAIN_COUNT
};

/* The name of a domain, for documents and tests. */
const char *dc_domain_name(enum dc_domain domain);

/* Derives the personalisations; called by dc_crypto_init, before any thread. */
void dc_hash_init(void);

/* One shot over size bytes (NULL allowed when 0).  About 0.2 us for 64 bytes. */
struct dc_hash dc_hash_bytes(enum dc_domain domain, const void *data, size_t size);
/* Of the 64 bytes l || r. */
struct dc_hash dc_hash_pair(enum dc_domain domain, const struct dc_hash *l,
                            const struct dc_hash *r);

/* The same hash from parts.  Parts run together: length-prefix what varies. */
struct dc_hasher {
    crypto_generichash_blake2b_state state;
};
void dc_hasher_init(struct dc_hasher *h, enum dc_domain domain);
void dc_hasher_update(struct dc_hasher *h, const void *data, size_t size);
void dc_hasher_update64(struct dc_hasher *h, uint64_t v); /* eight bytes, little-endian */
struct dc_hash dc_hasher_final(struct dc_hasher *h);

static inline bool dc_hash_equal(const struct dc_hash *a, const struct dc_hash *b)
{
    return memcmp(a->b, b->b, DC_HASH_BYTES) == 0;
}
/* Below, at or above 0 in the order of the bytes. */
static inline int dc_hash_compare(const struct dc_hash *a, const struct dc_hash *b)
{
    return memcmp(a->b, b->b, DC_HASH_BYTES);
}
static inline bool dc_hash_is_zero(const struct dc_hash *h)
{
    static const struct dc_hash zero;
    return dc_hash_equal(h, &zero);
}
/* The first eight bytes as a little-endian number: uniform over 64 bits. */
static inline uint64_t dc_hash_u64(const struct dc_hash *h)
{
    return dc_get64(h->b);
}

/* SipHash-2-4 under a fixed key: digests of traces and look-ups in tables of bytes that nobody
 * chooses against it.  Never part of the protocol.  About 1 byte per ns. */
uint64_t dc_digest64(const void *data, size_t size);

#endif
