/* The process-wide store of blocks and the memo of their execution.
 *
 * Blocks are interned by id; execution is a pure function (state, block) -> state | error and is
 * remembered in the block.  The store is shared by all nodes and thread-safe; nothing that it
 * holds or forgets can be seen in a result.  With `memo` off everything is done again at each call
 * and compared.  States and blocks that are old enough and held by nobody go at
 * dc_store_collect, called where one thread runs alone. */
#ifndef MODELS_LEDGER_STORE_H
#define MODELS_LEDGER_STORE_H

#include "models/base/step.h"
#include "models/crypto/crypto.h"
#include "models/ledger/state.h"

/* What a block's execution says to nodes, beside the state: each list in account order. */
struct dc_outcome {
    uint32_t drawn_count;  /* challenges drawn by this block */
    const uint32_t *drawn; /* the challenged nodes; details in their accounts' posync.challenge */
    uint32_t duty_count;   /* who is to verify them, by (verifier, node) */
    const struct dc_duty {
        uint32_t verifier, node;
    } * duty;
    uint32_t demand_count; /* demands opened by this block */
    const uint32_t *demand;
    uint32_t settled_count; /* challenges settled by this block */
    const struct dc_settled {
        uint32_t node;
        struct dc_challenge challenge;
        uint8_t verdict;
    } * settled;
    uint32_t slash_count;
    const struct dc_slash {
        uint32_t node;
        uint64_t amount;
        uint8_t reason;
        bool ejected;
    } * slash;
    bool first_of_epoch;                     /* settles epoch - 1 */
    uint32_t heartbeats, verdicts, receipts; /* transactions of these kinds */
    /* of the epoch that this block settled, when first_of_epoch */
    uint64_t reward_validators, reward_services, issued, burned, fees;
    uint32_t accounts;              /* length of the next two: accounts before this block */
    const uint64_t *reward;         /* per account id, when first_of_epoch */
    const struct dc_posync *record; /* likewise: the settled records */
};

enum dc_slash_reason {
    DC_SLASH_EQUIVOCATION = 1, /* the whole bond and the unbonding queue */
    DC_SLASH_ANSWER,           /* a signed or on-chain answer that fails verification */
    DC_SLASH_UNANSWERED,       /* a demand not answered though the node lived */
    DC_SLASH_ABANDONED,        /* silent for abandon_heights: its deals' collateral */
    DC_SLASH_EJECTED           /* amount 0: the sequential test ended; the bond stays locked */
};

/* Proofs of storage are the service layer's (models/service); execution asks it through this. */
enum dc_answer_verdict {
    DC_ANSWER_UNJUDGED, /* malformed, or nothing can be said: the transaction is invalid */
    DC_ANSWER_VALID,
    DC_ANSWER_INVALID /* the node's own words show that it lacks what it declared: slashed */
};
struct dc_answer_checker {
    const char *name;
    /* The proof of an ANSWER transaction of `node`; the demand (nonce, k) is in its account. */
    enum dc_answer_verdict (*answer)(void *context, const struct dc_state *state, uint32_t node,
                                     const uint8_t *proof, size_t size);
    /* Evidence: an ANSWER message that `accused` signed to the challenge in its account. */
    enum dc_answer_verdict (*evidence)(void *context, const struct dc_state *state,
                                       uint32_t accused, const uint8_t *message, size_t size);
};

/* The first duty of a verifier in the outcome; its others follow.  duty_count when it has none. */
uint32_t dc_outcome_duty(const struct dc_outcome *outcome, uint32_t verifier);

struct dc_store;
struct dc_holders;

struct dc_store_config {
    uint64_t chain; /* chain id: part of everything that is signed */
    struct dc_crypto *crypto;
    bool memo;             /* off: execute again at every call, and check that it is the same */
    uint32_t keep_heights; /* blocks this far below the highest collected are kept for peers */
    const struct dc_answer_checker *checker; /* NULL: answers and evidence of answers are refused */
    void *checker_context;
};

/* Genesis: accounts as given (dense ids; used_bytes, used_chunks and deal_last follow from the
 * deals), deals as given (offset_chunk and prev are assigned in order; paid_bytes 0: all of it;
 * price * end_epoch of each is minted into escrow), block of height 0 with id and state.
 * price_gib_epoch 0 is replaced by its default: dc_state_params says what holds.
 *
 * upgrade: from the hand-over into its epoch on, other values are in force, by the state: what ended
 * is settled by the parameters under which it was dealt out, what begins is dealt out by the new
 * ones.  No state before that epoch, the genesis neither, depends on them. */
struct dc_genesis {
    struct dc_params params;
    struct dc_upgrade upgrade;
    uint32_t accounts;
    const struct dc_account *account;
    uint32_t deals;
    const struct dc_deal *deal;
    uint32_t regions;
    const int64_t *allowance_ns; /* regions x regions */
    uint8_t registrar_key[32];   /* certifies nodes */
    uint8_t root_key[32]; /* certifies registrars with other keys (crypto/registrar.h); zero: nobody
                             does */
    const struct dc_holders *holders; /* of the chain's shared keys (ledger/vault.h); NULL: none */
    struct dc_hash beacon;
};

enum dc_status dc_store_create(const struct dc_store_config *config,
                               const struct dc_genesis *genesis, struct dc_store **out,
                               struct dc_error *error) DC_MUST_USE;
void dc_store_destroy(struct dc_store *store);
/* Other values for the upgrade of the genesis, at the same epoch, as if they had stood there.  False,
 * and nothing is changed, when there is a block of that epoch or there are no such values.  One
 * thread at a time. */
bool dc_store_upgrade(struct dc_store *store, const struct dc_upgrade *upgrade);
/* What studies of rare events need and no chain has: R of blocks that nobody has made yet goes another
 * way, named by the key, as if their leaders' VRFs had given other values.  May be called again, up to
 * DC_LUCK_MAX times; false when it was too often.  One thread at a time. */
#define DC_LUCK_MAX 64
bool dc_store_turn(struct dc_store *store, uint64_t key);
struct dc_block *dc_store_genesis(struct dc_store *store);

/* Interns: block bytes || signature -> the one object with that id (a reference for the caller),
 * or NULL when the bytes are not a block.  The same id with another signature gives the first
 * object unless that signature fails: signatures are deterministic. */
struct dc_block *dc_store_intern(struct dc_store *store, const uint8_t *bytes, size_t size);
struct dc_block *dc_store_find(struct dc_store *store, const struct dc_hash *id); /* + reference */
/* Valid iff the parent's state is there, every rule of execution holds and the header's roots,
 * beacon, VRF and timestamps are as they must be.  Remembers the answer in the block.  Charges the
 * work to `out` (may be NULL) whether remembered or not. */
bool dc_store_execute(struct dc_store *store, struct dc_block *block, struct dc_effects *out);
/* A proposer's execution on `parent`: picks from the candidates, in order, those that are valid
 * until block_bytes_max; fills parts->header's beacon and roots.  chosen[i] says which.  Requires
 * parts->header's other fields (its VRF proof too) and parts->qc, tc, handover as the block will
 * carry them: they are executed too; parts->tx and tx_count are not looked at (the caller sets them
 * to the chosen ones, in order).  False when no valid block can be built so (not the leader, a bad
 * VRF proof, an unexecuted parent ...). */
bool dc_store_build(struct dc_store *store, struct dc_block *parent, struct dc_block_parts *parts,
                    const struct dc_tx_view *candidate, uint32_t count, bool *chosen,
                    struct dc_effects *out);
/* Whether one SHIELDED, SHIELD or CALL would be valid in the block after `on`, as far as its state
 * says; false for others and where the state is gone.  What a pool asks before it keeps one that carries proofs: who sends
 * rubbish pays no fee for it, named or not, and a block's tries are counted.  Charges the work. */
bool dc_store_try(struct dc_store *store, struct dc_block *on, const struct dc_tx_view *tx,
                  struct dc_effects *out);
/* What a proposer's VRF proof is over: R of the parent || round. */
void dc_store_vrf_alpha(const struct dc_hash *parent_beacon, uint64_t round, uint8_t out[40]);
/* Forgets blocks below height - keep_heights, and states and outcomes of blocks below height -
 * DC_WINDOW_HEIGHTS (execution looks that far back), that nobody holds; `height` must be final at
 * every node that still executes.  One thread, at a barrier. */
void dc_store_collect(struct dc_store *store, uint64_t height);
size_t dc_store_bytes(const struct dc_store *store);
/* The hand-overs of its chains (epochs.h), for the store's life. */
struct dc_epochs *dc_store_epochs(struct dc_store *store);

/* Whether the state after a block that was executed is still here (a seal has none of its own).
 * Without it nothing can be executed on the block, and no node may make it its final one. */
bool dc_store_stands(const struct dc_store *store, const struct dc_block *block);
/* A state as it is sent to a node that has none. */
struct dc_state_summary {
    uint64_t bytes; /* of all its leaves, encoded */
    struct dc_hash part[DC_STATE_PARTS]; /* the state root is dc_state_parts_root of these */
};
/* Of the state after a block; false when it is not here.  Walks all leaves: about 0.2 us each. */
bool dc_store_summary(const struct dc_store *store, const struct dc_block *block,
                      struct dc_state_summary *out);

/* The committee of an epoch as execution knows it: see consensus/committee.h for its use.
 * Drawn from the state after epoch e-3 and R after e-2; NULL when `at` does not know them yet. */
struct dc_committee {
    uint64_t epoch;
    uint32_t count;             /* members */
    const uint32_t *member;     /* account ids, ascending */
    const uint64_t *power;      /* of each */
    const uint64_t *cumulative; /* power of members up to and including this one */
    const uint8_t (*key)[32];   /* signing keys as of the drawing */
    const uint8_t (*vrf_key)[32];
    uint64_t total, quorum; /* quorum = floor(2 total / 3) + 1 */
    struct dc_hash root;    /* of the above */
    struct dc_hash beacon;  /* that leaders are drawn from */
    /* Systematic tests alone: member indices of the leaders of rounds 1 .. script_count, instead of
     * the draw; NULL in every real run. */
    const uint32_t *script;
    uint32_t script_count;
};
/* Committee of `epoch` on the chain that ends in `at` (a block executed).  Remembered process-wide;
 * lives as long as the store. */
const struct dc_committee *dc_store_committee(struct dc_store *store, const struct dc_block *at,
                                              uint64_t epoch);
#ifdef DC_MUTANTS
/* WRONG_COMMITTEE: that of the wrong epoch's state and beacon, those of `at` (executed). */
const struct dc_committee *dc_store_committee_wrong(struct dc_store *store,
                                                    const struct dc_block *at, uint64_t epoch);
#endif
/* Index of an account in the committee, or UINT32_MAX. */
uint32_t dc_committee_index(const struct dc_committee *c, uint32_t account);
/* Leader (member index) of a round, drawn from H(beacon || epoch || round) by rejection. */
uint32_t dc_committee_leader(const struct dc_committee *c, uint64_t round);

#endif
