/* Blocks and certificates as objects shared by everyone who holds their bytes.
 *
 *   proposal message = kind byte || block bytes || proposer's signature
 *   block bytes      = header || certificate part || transactions
 *   certificate part = QC [TC]   or, in the first block of an epoch e > 0, the hand-over H(e-1)
 *
 * A block's id hashes every byte of the block, certificates included (models/README.md 3).  A
 * decoded block is immutable and interned process-wide by its id (models/ledger/store.h), so ten
 * thousand nodes hold one copy; whether a *node* has it is that node's own knowledge. */
#ifndef MODELS_WIRE_BLOCK_H
#define MODELS_WIRE_BLOCK_H

#include "models/base/bytes.h"
#include "models/base/fixed.h"
#include "models/crypto/vrf.h"

#define DC_KEY_BYTES 32

#define DC_MEMBERS_MAX 4096 /* in a committee */

/* First byte of every message.  What a message carries is in the header of its codec. */
enum dc_message {
    DC_MSG_PROPOSAL = 1,  /* gossip or direct */
    DC_MSG_VOTE,          /* to the leader of the next round */
    DC_MSG_TIMEOUT,       /* to the committee */
    DC_MSG_SYNC,          /* highest QC, TC or hand-over, in answer to something old */
    DC_MSG_HANDOVER,      /* to both committees */
    DC_MSG_BLOCK_REQUEST, /* ancestors of an id */
    DC_MSG_BLOCK_REPLY,   /* one proposal per message */
    DC_MSG_TX,            /* to the leaders of the next four rounds */
    DC_MSG_CHALLENGE,     /* verifier to challenged node */
    DC_MSG_ANSWER,        /* and back */
    DC_MSG_PUT,           /* client to storage node */
    DC_MSG_PUT_REPLY,
    DC_MSG_GET,
    DC_MSG_GET_REPLY,
    DC_MSG_RECEIPT, /* client to service node, to be countersigned */
    DC_MSG_RECEIPT_REPLY,
    DC_MSG_FETCH, /* among cheats: an outsourcer to its accomplice (models/adversary/outsource.h) */
    DC_MSG_FETCH_REPLY,
    /* Numbers under which links count the overlay's announcements and requests (sim/world/gossip.c):
     * no node sends or reads such a message. */
    DC_MSG_OVERLAY_ANNOUNCE,
    DC_MSG_OVERLAY_PULL,
    DC_MSG_EPOCH_REQUEST, /* hand-overs from an epoch on */
    DC_MSG_EPOCH_REPLY,
    DC_MSG_STATE_REQUEST, /* the state after an epoch's last block */
    DC_MSG_STATE_REPLY,
    DC_MSG_HANDSHAKE, /* of a channel between two nodes (node/channel.h) */
    DC_MSG_FRAME,     /* a sealed message, where channels are real */
    DC_MSG_APP,       /* between the participants of a private application (client/app.h) */
    DC_MSG_HOLDER,    /* among key holders (node/holder.h) */
    DC_MSG_COUNT
};

/* What keeps a certificate alive: its own count, or that of the block or hand-over whose allocation
 * it is part of.  Holding a block's QC holds the block. */
struct dc_shared {
    _Atomic uint32_t *refs;
    void *whole; /* what the last reference frees */
};

/* A quorum certificate: votes of one (epoch, round) for one block.  Immutable and counted. */
struct dc_qc {
    _Atomic uint32_t refs;
    struct dc_shared shared;
    _Atomic uint32_t verified; /* memo: 0 unknown, 1 valid, 2 invalid (its epoch's committee) */
    uint64_t epoch, round;
    struct dc_hash block;   /* that was voted for */
    struct dc_hash commits; /* that this certificate makes final, or zero */
    struct dc_hash digest;  /* of its bytes: what a timeout names it by */
    uint32_t members;       /* of the committee: bits in the bitmap */
    uint32_t signatures;    /* set bits */
    const uint8_t *bytes;   /* encoded form; bitmap and signatures point into it */
    uint32_t size;
    const uint8_t *bitmap;    /* (members + 7) / 8 bytes, lowest bit first */
    const uint8_t *signature; /* signatures x 64, in member order */
};

/* A timeout certificate: each signer's signed highest QC round.  The QC itself (whose round equals
 * the largest of them) stands beside it in the block as the block's QC. */
struct dc_tc {
    _Atomic uint32_t refs;
    struct dc_shared shared;
    _Atomic uint32_t verified;
    uint64_t epoch, round;
    uint64_t qc_round_max; /* the largest of the signed QC rounds */
    uint32_t members, signatures;
    const uint8_t *bytes;
    uint32_t size;
    const uint8_t *bitmap;
    const uint8_t *entry; /* signatures x (u64 qc_round || 64-byte signature), in member order */
};

/* H(e): the last block's header, the seal headers above it up to the committed one, and the QC
 * that names the committed one.  The QC of round 0 of epoch e + 1. */
struct dc_handover {
    _Atomic uint32_t refs;
    struct dc_shared shared;
    _Atomic uint32_t verified;
    uint64_t epoch;                /* e */
    struct dc_hash last;           /* id of L */
    uint64_t height;               /* of L */
    struct dc_hash committed;      /* id of C, which the QC names */
    struct dc_hash committee_root; /* of e + 1, from L's header */
    uint32_t seals;                /* headers after L's */
    const uint8_t *bytes;
    uint32_t size;
    struct dc_qc *qc;
};

struct dc_header {
    uint64_t height, epoch, round;
    struct dc_hash parent;
    int64_t timestamp_ns;
    uint32_t proposer; /* account id of the validator */
    uint8_t seal;      /* 1: an empty block above an epoch's last one, outside the ledger */
    uint8_t vrf[DC_VRF_PROOF_BYTES]; /* over R of the parent || round; zeros in a seal */
    struct dc_hash beacon;           /* R after this block */
    struct dc_hash state_root;       /* after execution */
    struct dc_hash tx_root;
    struct dc_hash committee_root; /* of the next epoch in an epoch's last block, else zero */
};

#define DC_HEADER_BYTES ((size_t)277)
#define DC_SEALS_MAX 4096 /* above one L */

struct dc_tx_view {
    const uint8_t *bytes;
    uint32_t size;
};

struct dc_state;
struct dc_outcome;

struct dc_block {
    _Atomic uint32_t refs;
    struct dc_hash id;
    struct dc_header header;
    struct dc_qc *qc;             /* NULL only in the first block of an epoch */
    struct dc_tc *tc;             /* or NULL */
    struct dc_handover *handover; /* first block of an epoch above 0 */
    uint32_t tx_count;
    const struct dc_tx_view *tx;
    const uint8_t *bytes; /* block bytes, without message kind and signature */
    uint32_t size;
    uint8_t signature[DC_SIGNATURE_BYTES]; /* the proposer's, over dc_proposal_digest */
    _Atomic uint32_t signature_ok;         /* memo: 0 unknown, 1 valid, 2 invalid */
    _Atomic(struct dc_block *) parent;     /* interned parent where the store has it (no ref) */
    _Atomic uint32_t executed;             /* memo: 0 not yet, 1 valid, 2 invalid */
    struct dc_state *state;                /* after execution, when executed == 1 */
    struct dc_outcome *outcome;            /* what execution says to nodes, when executed == 1 */
    struct dc_block *store_next;           /* the store's hash chain */
};

/* What a vote, a proposal and a timeout sign: fixed digests. */
struct dc_hash dc_vote_digest(uint64_t chain, uint64_t epoch, uint64_t round,
                              const struct dc_hash *block, const struct dc_hash *commits);
struct dc_hash dc_proposal_digest(uint64_t chain, uint64_t epoch, uint64_t round,
                                  const struct dc_hash *block);
struct dc_hash dc_timeout_digest(uint64_t chain, uint64_t epoch, uint64_t round, uint64_t qc_round);

/* Decodes block bytes || signature into one allocation; NULL when the bytes are not exactly one
 * block (sizes, counts, canonical form).  Checks form only: no signature, no execution.  The bytes
 * are copied.  refs is 1. */
struct dc_block *dc_block_decode(const uint8_t *bytes, size_t size);
/* Encodes; `out` has room for dc_block_size_max(...).  Used by proposers. */
struct dc_block_parts {
    struct dc_header header;
    const struct dc_qc *qc;
    const struct dc_tc *tc;
    const struct dc_handover *handover;
    uint32_t tx_count;
    const struct dc_tx_view *tx;
};
size_t dc_block_encoded_size(const struct dc_block_parts *parts);
size_t dc_block_encode(const struct dc_block_parts *parts, uint8_t *out); /* block bytes */
/* H(BLOCK, header || H(BLOCK, the rest)): every byte of the block, and a header with the hash of
 * the rest is enough to check the id (as in a hand-over).  size at least DC_HEADER_BYTES. */
struct dc_hash dc_block_id(const uint8_t *block_bytes, size_t size);
/* Height 0 is genesis' alone; epoch e is heights e * epoch_blocks + 1 .. (e + 1) * epoch_blocks. */
static inline uint64_t dc_height_epoch(uint64_t height, uint32_t epoch_blocks)
{
    return height == 0 ? 0 : (height - 1) / epoch_blocks;
}
static inline uint64_t dc_epoch_last_height(uint64_t epoch, uint32_t epoch_blocks)
{
    return (epoch + 1) * epoch_blocks;
}
struct dc_hash dc_tx_root(const struct dc_tx_view *tx, uint32_t count);
/* A state's root over its parts (ledger/state_impl.h).  The last is its vault's; where nothing
 * private ever happened it is zero and does not enter. */
#define DC_STATE_PARTS 7
struct dc_hash dc_state_parts_root(const struct dc_hash part[DC_STATE_PARTS]);

/* One reference more or less; the last one frees.  Thread-safe. */
void dc_block_hold(struct dc_block *block);
void dc_block_drop(struct dc_block *block); /* the store lets go of state and outcome first */
/* One certificate from exactly these bytes, or NULL; refs is 1; the bytes are copied. */
struct dc_qc *dc_qc_decode(const uint8_t *bytes, size_t size);
void dc_qc_hold(struct dc_qc *qc);
void dc_qc_drop(struct dc_qc *qc);
struct dc_tc *dc_tc_decode(const uint8_t *bytes, size_t size);
void dc_tc_hold(struct dc_tc *tc);
void dc_tc_drop(struct dc_tc *tc);
struct dc_handover *dc_handover_decode(const uint8_t *bytes, size_t size);
void dc_handover_hold(struct dc_handover *handover);
void dc_handover_drop(struct dc_handover *handover);
/* H(e) of L, the seals above it in order up to C, and the QC that names C, in one allocation of the
 * encoded form; the caller frees with dc_mem_free. */
uint8_t *dc_handover_encode(const struct dc_block *last, struct dc_block *const *seal,
                            uint32_t seals, const struct dc_qc *qc, size_t *size);

#endif
