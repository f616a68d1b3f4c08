/* What states are made of: for the files of models/ledger alone.
 *
 *   dc_state
 *     meta                  scalars                                            part 0 of the root
 *     accounts, deals       trees of struct dc_account, struct dc_deal         parts 1, 2
 *     tallies               tree, eight accounts a leaf: heartbeats            part 3
 *     reports               tree of this epoch's receipts, chained by node     part 4
 *     anomaly               what detectors have learnt                         in the meta leaf
 *     work                  what each committee member did in this epoch       part 5
 *     past                  accounts at the end of the epoch before            in the meta leaf
 *     committee[]           of the next epoch, this one, those before          two in the meta leaf
 *     agenda                who is still to be drawn, whose demand is open     an index of accounts
 *     vault                 notes, images, contracts (vault_impl.h); or none   part 6
 *
 *   root = H(STATE_NODE, part 0 || ... || part 5 (|| part 6, where there is a vault))
 *
 * Why these parts: a block has 150-500 heartbeats and a certificate of hundreds of votes.  Tallies
 * are small, so that a heartbeat copies 400 bytes and not an account; `work` is one flat leaf of 12
 * bytes a member, because a certificate touches most members anyway.  Accounts change all at once
 * when an epoch is settled, and one by one in between.
 *
 * Committees: that of e+1 is drawn in the first block of e, from `past` of the parent (the end of
 * e-2) and the parent's R (the end of e-1), so no state refers to old states. */
#ifndef MODELS_LEDGER_STATE_IMPL_H
#define MODELS_LEDGER_STATE_IMPL_H

#include "models/anomaly/anomaly.h"
#include "models/crypto/smt.h"
#include "models/ledger/store.h"
#include "models/ledger/tree.h"
#include "models/ledger/vault.h"
#include "models/wire/tx.h"

#define DC_TALLY_GROUP 8u
#define DC_COMMITTEES 16u /* remembered by a state: evidence can be as old as that */

/* What a node did in the epoch; heartbeats are counted in the epoch whose blocks close the time in
 * which they could be included: [0] this one, [1] the next. */
struct dc_tally {
    uint64_t last_due;      /* due height of its newest heartbeat in the chain */
    uint64_t timeliness[2]; /* sum of 2^(-lag/h) in Q1.31 */
    uint32_t heartbeats[2];
    uint64_t take;   /* burned by receipts that name it */
    uint32_t report; /* newest report of it in `reports`, or DC_REPORT_NONE */
};
struct dc_tally_leaf {
    struct dc_tally of[DC_TALLY_GROUP];
};
/* Which leaf: heartbeats that are due together have ids that differ by the period, so ids with the
 * same residue of it (`stride`, the period at genesis or less) share leaves, and a block's
 * heartbeats touch a tenth of them.  In each run of 8 * stride ids the leaf is the residue, the
 * place in it the quotient. */
static inline uint32_t dc_tally_leaf_of(uint32_t id, uint32_t stride)
{
    return id / (DC_TALLY_GROUP * stride) * stride + id % stride;
}
static inline uint32_t dc_tally_place(uint32_t id, uint32_t stride)
{
    return id / stride % DC_TALLY_GROUP;
}

#define DC_REPORT_NONE UINT32_MAX
struct dc_report { /* a client's countersigned report about a node, on the epoch before */
    uint32_t client, node, prev; /* the node's report before this one */
    uint32_t sent, ok, timely;
    uint64_t paid, take; /* so far; burned so far */
};

struct dc_member_work {
    uint16_t votes, led, timely, verdicts;
    uint32_t included; /* heartbeats, verdicts and late votes in its blocks */
};
struct dc_work {
    uint32_t refs, members;
    uint64_t epoch;
    uint32_t certificates; /* votes due, of each member */
    struct dc_member_work *member;
    uint8_t *late; /* DC_LATE_VOTE_HEIGHTS bitmaps of late votes, by height modulo */
};
static inline uint32_t dc_work_bitmap_bytes(uint32_t members)
{
    return (members + 7) / 8;
}

/* Derived from accounts, kept so that no block walks them all. */
struct dc_agenda {
    uint32_t refs;
    uint32_t first_count, second_count, demand_count;
    uint32_t *first, *second; /* nodes to be drawn for a first (second) asking, ascending */
    struct dc_agenda_demand {
        uint64_t due_height;
        uint32_t node;
    } * demand; /* open ones */
};

struct dc_ledger { /* one per store: what all its states share */
    struct dc_params params, upgraded;
    uint64_t upgrade_epoch; /* `upgraded` is in force from here on; UINT64_MAX: never */
    uint64_t chain;
    struct dc_hash digest; /* of the parameters, regions and keys below: in every root */
    struct dc_hash upgraded_digest;
    uint8_t registrar_key[32], root_key[32];
    struct dc_holders holders; /* none: count 0 */
    uint32_t regions, tally_stride;
    int64_t *allowance_ns;
    struct dc_crypto *crypto;
    const struct dc_answer_checker *checker;
    void *checker_context;
    struct dc_luck {
        uint64_t from, key; /* R of this height and those above takes in the key */
    } luck[DC_LUCK_MAX];    /* ascending; none in any run but a copy of dc_store_turn */
    uint32_t lucks;
    struct dc_forest accounts, deals, tallies, reports;
    struct dc_forest notes, contracts, entries;
    struct dc_smt_forest images; /* and marks */
    struct dc_committee_entry { /* memo, for the life of the store */
        struct dc_hash source;  /* of the accounts */
        struct dc_committee committee;
    } * *committee;
    uint32_t committee_count, committee_max;
    uint64_t small_bytes; /* of states, works, agendas and vaults alive */
};

struct dc_state {
    uint32_t refs;
    struct dc_ledger *ledger;
    struct dc_meta meta;
    struct dc_tree accounts, deals, tallies, reports, past;
    struct dc_work *work;
    struct dc_agenda *agenda;
    struct dc_anomaly *anomaly;                          /* NULL when no detector is on */
    struct dc_vault *vault;                              /* NULL: nothing private happened */
    const struct dc_committee *committee[DC_COMMITTEES]; /* [i]: of epoch + 1 - i, or NULL */
    struct dc_hash part[DC_STATE_PARTS];
    struct dc_hash root;
};

/* What is in force in an epoch, and its digest. */
static inline const struct dc_params *dc_ledger_params(const struct dc_ledger *l, uint64_t epoch)
{
    return epoch < l->upgrade_epoch ? &l->params : &l->upgraded;
}
static inline const struct dc_hash *dc_ledger_digest(const struct dc_ledger *l, uint64_t epoch)
{
    return epoch < l->upgrade_epoch ? &l->digest : &l->upgraded_digest;
}

extern const struct dc_tree_class dc_state_account_class, dc_state_deal_class, dc_state_tally_class,
    dc_state_report_class;

/* A new state that begins as `from`, to be changed and committed; a reference for the caller. */
struct dc_state *dc_state_begin(const struct dc_state *from);
struct dc_state *dc_state_new(struct dc_ledger *ledger); /* empty */
/* Hashes what changed and sets parts and root.  Returns the number of hashes. */
uint32_t dc_state_commit(struct dc_state *state);
void dc_state_drop(struct dc_state *state); /* NULL allowed */

struct dc_account *dc_state_edit(struct dc_state *state, uint32_t id);
const struct dc_tally *dc_state_tally(const struct dc_state *state, uint32_t id);
struct dc_tally *dc_state_tally_edit(struct dc_state *state, uint32_t id);
/* Appends a zeroed account (and its tally) and returns it. */
struct dc_account *dc_state_append(struct dc_state *state);
/* A deal on the node's next free chunks, paid for whole unless paid_bytes says otherwise;
 * updates the node's account and chain.  The node must have room. */
void dc_state_deal_append(struct dc_state *state, struct dc_deal deal);
/* The state's own work (agenda), copied when shared. */
struct dc_work *dc_state_work_edit(struct dc_state *state);
struct dc_work *dc_work_new(struct dc_ledger *ledger, uint64_t epoch, uint32_t members);
void dc_work_drop(struct dc_ledger *ledger, struct dc_work *work);
struct dc_agenda *dc_agenda_new(struct dc_ledger *ledger, uint32_t first, uint32_t second,
                                uint32_t demands);
void dc_agenda_drop(struct dc_ledger *ledger, struct dc_agenda *agenda);

/* committee.c: the committee of an epoch from accounts, R; remembered in the ledger.  Adds its work
 * to *hashes. */
const struct dc_committee *dc_committee_draw(struct dc_ledger *ledger,
                                             const struct dc_tree *accounts, uint64_t epoch,
                                             const struct dc_hash *beacon, uint32_t *hashes);
/* The one of that epoch that was drawn, or NULL when there are none or several (a fork): for
 * readers whose state no longer names it, never for execution. */
const struct dc_committee *dc_committee_known(const struct dc_ledger *ledger, uint64_t epoch);
void dc_committee_free_all(struct dc_ledger *ledger);
/* w = bond * lock * g(S). */
uint64_t dc_committee_weight(const struct dc_params *p, const struct dc_account *account);

/* genesis.c: checks the genesis, fills the ledger (parameters, digest, forests) and makes the first
 * state.  On error the ledger is to be freed all the same. */
enum dc_status dc_genesis_state(const struct dc_genesis *genesis, struct dc_ledger *ledger,
                                struct dc_state **out, struct dc_error *error) DC_MUST_USE;
void dc_ledger_free(struct dc_ledger *ledger);
/* Sets what is in force from upgrade->epoch on.  Errors: DC_ERR_USAGE (values that cannot be). */
enum dc_status dc_ledger_upgrade(struct dc_ledger *ledger, const struct dc_upgrade *upgrade,
                                 struct dc_error *error) DC_MUST_USE;

#endif
