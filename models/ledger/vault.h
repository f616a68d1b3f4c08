/* What a state holds for privacy: notes, key images, contracts, the key holders' shared words.
 *
 *   vault
 *     notes        tree of struct dc_vault_note, dense, only grows: what rings are made of
 *     images       set (sparse Merkle tree) of key images: a note is spent once
 *     marks        set of nullifiers that contracts have seen: (contract, mark)
 *     contracts    tree of struct dc_contract; entries: tree of struct dc_entry, chained by contract
 *     registrars   what the root has listed and revoked (crypto/trust.h), though not private
 *     pool         sum of all notes that are not spent, though nobody knows of which
 *
 * The vault is part 6 of a state's root, and is left out where nothing private ever happened and the
 * root has said nothing: such a chain has the roots that it had before there was one.  Validators see commitments, one-time
 * keys, rings and images; models/README.md 13 lists what that gives away. */
#ifndef MODELS_LEDGER_VAULT_H
#define MODELS_LEDGER_VAULT_H

#include "models/crypto/trust.h"
#include "models/ledger/state.h"

#define DC_KEY_HOLDERS_MAX 128

/* An output.  Its amount stands in the commitment alone. */
struct dc_vault_note {
    uint8_t key[32];        /* one-time public key P */
    uint8_t commitment[32]; /* amount B + blinding B~ */
    uint8_t ephemeral[32];  /* R: from it and the view key its owner finds P and the blinding */
    uint8_t amount[8];      /* for the owner: xored with a key stream of the shared secret */
    uint8_t view_tag;
    uint8_t minted;  /* 1: by SHIELD or genesis; the blinding is 1 and the amount was public */
    uint64_t height; /* of the block that made it */
};

/* A contract's scalars; what its kind keeps in them is the kind's business.  Encoded as a whole. */
struct dc_contract {
    uint8_t kind;                /* enum dc_contract_kind */
    uint8_t phase;               /* the kind's own; 0: begun; DC_CONTRACT_OVER */
    uint32_t owner;              /* account that made it */
    uint32_t entries, last;      /* how many, and the newest: DC_ENTRY_NONE */
    uint64_t opened, close, end; /* heights: made; last of the first phase; of the whole */
    uint64_t money;              /* that it holds: part of meta.escrow */
    uint64_t word[6];
    uint8_t point[4][32]; /* commitments, ciphertexts, roots */
    uint8_t digest[32];          /* begins with its maker's tag, 8 bytes (client/app.h) */
};
#define DC_ENTRY_NONE UINT32_MAX
/* Something that was brought to a contract: a bid, an approval, a rating, a report, a share. */
struct dc_entry {
    uint32_t contract, prev; /* the contract's entry before this one */
    uint32_t from;           /* DC_NOBODY: not named */
    uint32_t kind;           /* the contract kind's own */
    uint64_t word[2];
    uint8_t point[4][32];
};

/* Who holds shares of the chain's keys: fixed by genesis.  index i has the share at i + 1. */
struct dc_holders {
    uint32_t count, threshold;
    uint32_t account[DC_KEY_HOLDERS_MAX];
    uint8_t group_key[32];                     /* X = x B on ristretto255: ElGamal and beacon */
    uint8_t share_key[DC_KEY_HOLDERS_MAX][32]; /* X_i = x_i B */
    uint8_t treasury_key[32];                  /* Ed25519: what FROST signs under */
    uint8_t treasury_share_key[DC_KEY_HOLDERS_MAX][32]; /* on edwards25519 */
};

/* Scalars of a vault; one leaf. */
struct dc_vault_meta {
    uint32_t notes, contracts, entries;
    uint64_t pool;           /* money */
    uint64_t images, marks;  /* how many there are */
    uint64_t grants;         /* made so far */
    uint64_t beacon_height;  /* of the newest height whose threshold beacon came */
    uint32_t beacon_shares;  /* collected for the next one */
    uint64_t beacon_from[2]; /* bit i: holder i's share is here */
    uint8_t beacon_sigma[DC_KEY_HOLDERS_MAX][32]; /* those shares */
    struct dc_registrars registrars;              /* what the root has said of them */
};

const struct dc_vault_meta *dc_state_vault(const struct dc_state *state);
const struct dc_holders *dc_state_holders(const struct dc_state *state);
/* Whom the chain trusts to certify nodes; refers to the state. */
struct dc_trust dc_state_trust(const struct dc_state *state);
struct dc_tx;
/* The key under which a transaction that somebody signs must be signed in a block of a height after
 * the state; NULL: nobody can. */
const uint8_t *dc_state_signer(const struct dc_state *state, const struct dc_tx *tx,
                               uint64_t height);
/* Borrowed, valid as long as the state; NULL when there is none of that number. */
const struct dc_vault_note *dc_state_note(const struct dc_state *state, uint32_t id);
const struct dc_contract *dc_state_contract(const struct dc_state *state, uint32_t id);
const struct dc_entry *dc_state_entry(const struct dc_state *state, uint32_t id);
/* The first note made above a height, or meta.notes: notes are in order of height. */
uint32_t dc_state_note_above(const struct dc_state *state, uint64_t height);
bool dc_state_image_known(const struct dc_state *state, const uint8_t image[32]);
bool dc_state_mark_known(const struct dc_state *state, uint32_t contract, const uint8_t mark[32]);

#endif
