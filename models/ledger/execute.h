/* Execution of one block: a pure function (parent's state, block) -> state, outcome | invalid.
 *
 *   header rules (execute.c)
 *     -> first block of an epoch: the old one is settled (epoch.c: scores, challenges; reward.c)
 *     -> votes of the certificate, rounds led
 *     -> transactions in order (execute_money.c, execute_deal.c, execute_sync.c)
 *     -> demands that fell due, challenges drawn at this height (challenge.c)
 *     -> roots
 *
 * Each transaction checks everything before it changes anything, so that a proposer can try
 * candidates one after the other.  Every rule that is broken makes the block invalid; an ancestor
 * that the store no longer has makes the answer unknown, never invalid. */
#ifndef MODELS_LEDGER_EXECUTE_H
#define MODELS_LEDGER_EXECUTE_H

#include "models/ledger/state_impl.h"
#include "models/posync/policy.h"

/* SHIELDED and CALL in one block, at most: about a second of checking. */
#define DC_BLOCK_PROOFS_MAX 256u

enum dc_execute_result { DC_EXECUTE_VALID, DC_EXECUTE_INVALID, DC_EXECUTE_UNKNOWN };

struct dc_list { /* grows; of one kind of element */
    void *data;
    uint32_t count, max;
};
void *dc_list_add(struct dc_list *list, size_t element_bytes);

/* An outcome and what belongs to it; block->outcome points to `outcome`, its first member. */
struct dc_record {
    struct dc_outcome outcome;
    uint32_t charge[DC_COST_COUNT]; /* the logical work of the execution */
    struct dc_list drawn, duty, demand, settled, slash;
    uint64_t *reward;
    struct dc_posync *posync;
    size_t bytes;
};
void dc_record_clear(struct dc_record *record); /* all but the charges */
void dc_record_free(struct dc_record *record);

struct dc_contract;
struct dc_exec {
    struct dc_ledger *ledger;
    const struct dc_params *p;
    const struct dc_header *header;
    const struct dc_qc *qc;
    const struct dc_handover *handover;
    const struct dc_block *parent;        /* executed */
    const struct dc_state *before;        /* its state */
    struct dc_state *state;               /* being made */
    const struct dc_committee *committee; /* of the block's epoch */
    struct dc_record *record;
    uint32_t member;   /* the proposer's index in the committee */
    uint64_t tx_bytes; /* of the transactions taken */
    bool unknown;      /* an ancestor was needed that is not there */
    struct {           /* the CALL that is being executed (contract.c) */
        struct dc_contract *made; /* one that is not yet in the state; NULL: none */
        uint32_t id, from;
        uint64_t fee; /* that `from` has still to pay, what `made` takes from it included */
    } call;
    /* for block bytes to block: a node's committed ancestors */
    struct dc_block *(*find)(void *store, const struct dc_hash *id); /* borrowed, or NULL */
    void *store;
};

/* Executes header, certificates and tx[count] on parent.  chosen == NULL: a block to be checked;
 * else a proposer's: valid candidates are taken until block_bytes_max and chosen[i] says which, and
 * the header's beacon and roots are filled instead of compared.  On VALID e->state is committed and
 * the caller's; otherwise there is none.  e->record is the caller's in any case. */
enum dc_execute_result dc_execute(struct dc_exec *e, const struct dc_tx_view *tx, uint32_t count,
                                  bool *chosen, struct dc_header *fill);

/* The ancestor of the block at a height of its chain (the parent's own included), or NULL when it
 * is farther than DC_WINDOW_HEIGHTS, or (sets e->unknown) not there. */
const struct dc_state *dc_execute_state_at(struct dc_exec *e, uint64_t height);
const struct dc_block *dc_execute_block_at(struct dc_exec *e, uint64_t height);

/* One transaction; false: invalid, and nothing has changed. */
bool dc_execute_tx(struct dc_exec *e, const struct dc_tx_view *view);
bool dc_execute_verify(struct dc_exec *e, const uint8_t key[32], const struct dc_hash *digest,
                       const uint8_t *signature);
/* What transactions with money ask of their sender: a certificate that holds at this height, and a
 * nonce that is used once.  Nonces may come out of order, up to 64 below the highest. */
bool dc_execute_certified(const struct dc_exec *e, const struct dc_account *account);
bool dc_execute_nonce_free(const struct dc_account *account, uint64_t nonce);
void dc_execute_nonce_use(struct dc_account *account, uint64_t nonce);
/* execute_money.c: transfer, bond, unbond, register, renew, revoke, registrar; execute_deal.c: deal,
 * meter, receipt */
bool dc_execute_transfer(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_bond(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_unbond(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_register(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_renew(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_revoke(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_registrar(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_deal(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_meter(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_receipt(struct dc_exec *e, const struct dc_tx *tx);
/* execute_sync.c: heartbeat, verdict, answer, evidence, late votes */
bool dc_execute_heartbeat(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_verdict(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_answer(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_evidence(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_votes(struct dc_exec *e, const struct dc_tx *tx);
/* What dc_store_turn has turned of a value that R is made of. */
void dc_execute_luck(const struct dc_exec *e, uint8_t value[8]);
/* execute_shielded.c: notes; contract.c: calls; execute_holders.c: what key holders do */
bool dc_execute_shield(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_shielded(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_call(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_grant(struct dc_exec *e, const struct dc_tx *tx);
bool dc_execute_beacon(struct dc_exec *e, const struct dc_tx *tx);

/* challenge.c */
void dc_challenge_draw(struct dc_exec *e);    /* at this height */
void dc_challenge_demands(struct dc_exec *e); /* those that fall due at this height */
void dc_challenge_demand_drop(struct dc_exec *e, uint32_t node); /* answered or punished */
/* Settles the challenge of one node at its epoch's end into *r; true when it failed. */
bool dc_challenge_settle(struct dc_exec *e, uint32_t id, struct dc_posync *r);

/* slash.c: takes from the bond, then from the queue; part goes into the fund. */
void dc_slash(struct dc_exec *e, uint32_t id, enum dc_slash_reason reason);
void dc_slash_eject(struct dc_exec *e, uint32_t id); /* roles end; the bond stays locked */

/* epoch.c: what a deal of the parent's state pays its node for the epoch of `before`, once the
 * records are measured: nothing when the node should have sent heartbeats and sent none. */
uint64_t dc_epoch_due(const struct dc_exec *e, const struct dc_deal *d);
/* epoch.c: settles the epoch of `before` and begins the next. */
void dc_epoch_turn(struct dc_exec *e);
/* assign.c: what a policy is shown of a node: its service's outlook, theta as the state tells
 * it. */
struct dc_policy_view dc_assign_view(const struct dc_state *state, const struct dc_account *account,
                                     const struct dc_hash *beacon);
/* Feeds the outlook of each service with the epoch of `before`. */
void dc_assign_outlook(struct dc_exec *e);
/* Puts every node in or out of T(meta.epoch) by the state and R, and lists who is to be drawn.
 * reward: of the last epoch, by account; NULL at genesis.  Returns the hashes that a budget
 * cost. */
uint32_t dc_assign_epoch(struct dc_state *state, const struct dc_hash *beacon,
                         const uint64_t *reward);
/* The slot of meta.load of a height, given from the epoch's first; DC_LOAD_SLOTS: in none. */
uint32_t dc_assign_slot(const struct dc_params *p, uint32_t offset);
/* Feeds the forecast load with this block's transactions. */
void dc_assign_load(struct dc_exec *e);
/* measure.c: s, a, u, q of a node in the epoch of `before`, into r. */
void dc_measure_node(const struct dc_exec *e, uint32_t id, struct dc_posync *r);
/* features.c: what the epoch of `before` shows of each node; out[meta.accounts].  record->posync
 * and record->settled are of that epoch; failed[] says who failed a challenge. */
void dc_features_make(const struct dc_exec *e, const bool *failed, struct dc_features *out);
/* reward.c: fills record->reward and the sums of the outcome, moves minted, burned and fees. */
void dc_reward_epoch(struct dc_exec *e, const bool *failed);

#endif
