/* Transactions.  Bytes: kind (1) || from (4) || body || signature (64) by `from` over a domain
 * digest of (chain, everything before it), where one signs.  Fixed layouts, little-endian, canonical: re-encoding
 * a decoded transaction gives the same bytes.
 *
 * Transfers, bonds, deals and meters carry a nonce and cannot be replayed; heartbeats, verdicts,
 * demands, answers and receipts are replay-safe by what they name (height, challenge, epoch). */
#ifndef MODELS_WIRE_TX_H
#define MODELS_WIRE_TX_H

#include "models/wire/block.h"
#include "models/wire/evidence.h"

enum dc_tx_kind {
    DC_TX_TRANSFER = 1,
    DC_TX_BOND, /* raises the bond (and lock tier) */
    DC_TX_UNBOND,
    DC_TX_REGISTER, /* a certificate and a role; appends an account */
    DC_TX_RENEW,    /* a new certificate (and keys) for an account */
    DC_TX_REVOKE,   /* by the registrar: a serial is revoked */
    DC_TX_DEAL,     /* client and node agree to store an object */
    DC_TX_RECEIPT,  /* epoch report of a client about a node, countersigned */
    DC_TX_HEARTBEAT,
    DC_TX_VERDICT,
    DC_TX_ANSWER,    /* to an on-chain demand: the whole proof */
    DC_TX_EVIDENCE,  /* two votes or proposals of one (epoch, round), or a signed invalid answer */
    DC_TX_VOTES,     /* late votes (up to 8 blocks) that a proposer includes */
    DC_TX_METER,     /* a deal's client: pays for so many bytes of it from now on */
    DC_TX_SHIELD,    /* an amount of the sender's balance goes into a note */
    DC_TX_SHIELDED,  /* confidential transfer: nobody signs, its proofs authorise it */
    DC_TX_CALL,      /* a method of a private contract; by an account, or by nobody that is named */
    DC_TX_GRANT,     /* out of the fund, signed with the treasury's key (FROST) */
    DC_TX_BEACON,    /* a key holder's share of the threshold beacon of a height */
    DC_TX_REGISTRAR, /* by the root: a registrar is listed, or revoked */
    DC_TX_COUNT
};

struct dc_tx {
    uint8_t kind;
    uint32_t from;
    union {
        struct {
            uint64_t nonce, amount, fee;
            uint32_t to;
        } transfer;
        struct {
            uint64_t nonce, amount;
            uint8_t lock_tier;
        } bond; /* BOND and UNBOND */
        struct {
            uint64_t nonce, bond, capacity_bytes;
            uint8_t region;
            struct dc_hash filler_root;
            const uint8_t *certificate;
            uint32_t certificate_size;
        } reg; /* REGISTER, RENEW */
        struct {
            uint64_t nonce, serial;
            uint64_t registrar; /* of who signs, its serial; 0: that of genesis, `from` DC_NOBODY */
        } revoke;
        struct {
            uint64_t nonce, size_bytes, price;
            uint32_t node, epochs;
            struct dc_hash root;
            const uint8_t *node_signature;
        } deal; /* countersigned by the node */
        struct {
            uint64_t nonce, paid_bytes;
            uint32_t deal;
        } meter;
        struct {
            uint64_t epoch, paid;
            uint32_t node, sent, ok, timely;
            const uint8_t *node_signature;
        } receipt; /* cumulative over the epoch */
        struct {
            uint64_t height;
            uint8_t proof[8];
        } heartbeat; /* final height f, 8 bytes of
                 H(n || leaf under root(f) at index H(R_f || n)) */
        struct {
            uint64_t height;
            uint32_t node, response_us;
            uint8_t verdict, asking, proved;
            uint8_t binding[16];
        } verdict; /* challenge drawn at height; H(verifier||answer) */
        struct {
            uint64_t height;
            const uint8_t *proof;
            uint32_t proof_size;
        } answer;
        struct {
            uint8_t kind;
            uint32_t accused;
            const uint8_t *proof;
            uint32_t proof_size;
        } evidence;
        struct {
            uint64_t height;
            const uint8_t *votes;
            uint32_t votes_size;
        } votes;
        struct {
            uint64_t nonce, amount, fee;
            const uint8_t *address; /* one-time: DC_NOTE_ADDRESS_BYTES (privacy/transfer.h) */
        } shield;
        struct {
            const uint8_t *body; /* privacy/transfer.h decodes it */
            uint32_t size;
        } shielded;
        struct {
            uint64_t nonce, fee; /* 0 when nobody is named */
            uint32_t contract;   /* DC_CONTRACT_NEW: of a new one */
            uint8_t kind;        /* enum dc_contract_kind (ledger/contract.h), of the contract */
            uint8_t method;      /* the kind's own numbers */
            const uint8_t *body; /* the kind's own layout */
            uint32_t size;
        } call;
        struct {
            uint64_t nonce, amount; /* nonce: grants made before this one */
            uint32_t to;
        } grant; /* `from` is DC_NOBODY */
        struct {
            uint64_t height;
            const uint8_t *share; /* DC_BEACON_SHARE_BYTES (crypto/dvrf.h) */
        } beacon;
        struct {
            uint64_t nonce;             /* such transactions before this one */
            uint64_t revoked;           /* serial; what has no certificate revokes this */
            const uint8_t *certificate; /* DC_REGISTRAR_CERTIFICATE_BYTES, or NULL */
        } registrar;                    /* `from` is DC_NOBODY */
    };
    const uint8_t *signature; /* NULL where nobody signs: SHIELDED, CALL from DC_NOBODY */
};

#define DC_NOBODY UINT32_MAX               /* `from` of a transaction that names no account */
#define DC_REGISTRAR (UINT32_MAX - 1)      /* `from` of a REVOKE by a registrar that it names */
#define DC_CONTRACT_NEW UINT32_MAX         /* CALL: makes a contract */
#define DC_NOTE_ADDRESS_BYTES ((size_t)65) /* one-time key 32, ephemeral key 32, view tag 1 */
#define DC_REGISTRAR_CERTIFICATE_BYTES ((size_t)230)
#define DC_BEACON_SHARE_BYTES ((size_t)96) /* sigma 32, challenge 32, response 32 */
/* Whether somebody signs a transaction: without, it ends with its body. */
static inline bool dc_tx_signed(const struct dc_tx *tx)
{
    return tx->kind != DC_TX_SHIELDED && (tx->kind != DC_TX_CALL || tx->from != DC_NOBODY);
}

/* Evidence kinds: DC_EVIDENCE_PROPOSALS and _VOTES of wire/evidence.h, and this one: a signed
 * ANSWER message (wire/service_msg.h) to a challenge, whose proof is wrong. */
#define DC_EVIDENCE_ANSWER 3

/* A verdict is enum dc_verdict_kind (posync/posync.h): pass, fail, late or silent. */
#define DC_TX_VERDICT_MIN 1
#define DC_TX_VERDICT_MAX 4

/* One late vote in a VOTES transaction: member index 2, signature 64; members ascend. */
#define DC_LATE_VOTE_BYTES ((size_t)66)
#define DC_TX_HEARTBEAT_BYTES ((size_t)(5 + 16 + 64))
#define DC_TX_VERDICT_BYTES ((size_t)(5 + 35 + 64))
#define DC_TX_BYTES_MAX ((size_t)1 << 22) /* no transaction is larger */

/* False when the bytes are not exactly one canonical transaction.  Pointers refer into bytes. */
bool dc_tx_decode(const uint8_t *bytes, size_t size, struct dc_tx *out);
/* Everything before the signature; returns the size, 0 when out is too small. */
size_t dc_tx_encode_unsigned(const struct dc_tx *tx, uint8_t *out, size_t out_max);
struct dc_hash dc_tx_digest(uint64_t chain, const uint8_t *bytes, size_t size_before_signature);
/* Encodes, and signs where somebody does (key may be NULL where nobody does); returns the whole
 * size, 0 when out is too small. */
size_t dc_tx_sign(const struct dc_crypto *crypto, uint64_t chain, const struct dc_keypair *key,
                  const struct dc_tx *tx, uint8_t *out, size_t out_max);

#endif
