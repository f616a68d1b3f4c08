/* Private contracts: what a kind of contract is to the ledger.
 *
 * A call carries a body of the kind's own layout, with the proofs in it; execution checks them and
 * changes the contract, its entries, marks and money.  Each kind is one file, contract_<name>.c; its
 * statements and proofs are in models/privacy, where clients make them.
 *
 *   CALL contract NEW --create--> contract --call--> ... --call--> its last phase
 *                                     \--turn at the heights `close` and `end`
 */
#ifndef MODELS_LEDGER_CONTRACT_H
#define MODELS_LEDGER_CONTRACT_H

#include "models/ledger/execute.h"
#include "models/ledger/vault.h"

#define DC_CALL_BYTES_MAX ((size_t)64 << 10) /* of a call's body */

/* The phase of a contract that is over, of whatever kind: settled, paid, or come to nothing. */
#define DC_CONTRACT_OVER 0xffu

enum dc_contract_kind {
    DC_CONTRACT_AUCTION = 1, /* sealed bids; losing bids stay sealed */
    DC_CONTRACT_ESCROW,      /* pays when enough approve; who did is hidden */
    DC_CONTRACT_RATING,      /* of a service node, by anonymous customers, in sum alone */
    DC_CONTRACT_USAGE,       /* encrypted totals; may pay when one passes a bound */
    DC_CONTRACT_COUNT
};

/* What a kind's function works on.  It checks everything first and changes nothing when it returns
 * false. */
struct dc_contract_call {
    struct dc_exec *e;
    const struct dc_tx *tx; /* a CALL; tx->from may be DC_NOBODY */
    uint32_t id;            /* of the contract; of a new one, the id that it will have */
};

struct dc_contract_class {
    const char *name;
    /* Fills *c, zeroed but for kind, owner, opened and last.  Money is taken by dc_contract_take.
     * With a `turn`, close and end stay what they are, and the CALL is refused where they are not
     * now or later, or too many turns fall on one of them.  A create that adds entries asks for that
     * itself: dc_contract_turns_free. */
    bool (*create)(const struct dc_contract_call *call, struct dc_contract *c);
    /* A method other than making it.  *c is the contract as it was before the call. */
    bool (*call)(const struct dc_contract_call *call, const struct dc_contract *c);
    /* The block of height c->close + 1, or c->end + 1, begins: before its transactions.  May be
     * NULL. */
    void (*turn)(struct dc_exec *e, uint32_t id, const struct dc_contract *c);
};
extern const struct dc_contract_class dc_contract_auction, dc_contract_escrow, dc_contract_rating,
    dc_contract_usage;
const struct dc_contract_class *dc_contract_class_of(uint8_t kind); /* NULL: no such kind */

/* contract.c, for the kinds. */
struct dc_contract *dc_contract_edit(struct dc_exec *e, uint32_t id);
/* Appends an entry, zeroed but for contract, prev and from, and chains it. */
struct dc_entry *dc_contract_add(struct dc_exec *e, uint32_t id, uint32_t from);
struct dc_entry *dc_contract_entry_edit(struct dc_exec *e, uint32_t entry);
/* A mark is seen once in a contract: false when it was there, and nothing has changed. */
bool dc_contract_mark(struct dc_exec *e, uint32_t id, const uint8_t mark[32]);
/* Moves money from an account into the contract, or out of it.  take: false when the account has
 * not so much beside the fee, or a contract that is being made takes from somebody else than its
 * maker; give: the contract must hold it. */
bool dc_contract_take(struct dc_exec *e, uint32_t id, uint32_t account, uint64_t amount);
void dc_contract_give(struct dc_exec *e, uint32_t id, uint32_t account, uint64_t amount);
/* Whether a contract with this close and end can be made now: they lie ahead, end not before close,
 * and not too many turns wait. */
bool dc_contract_turns_free(const struct dc_exec *e, uint64_t close, uint64_t end);
/* Calls turn of contracts whose close or end was the height before; at a block's beginning. */
void dc_contract_turns(struct dc_exec *e);

/* A proof of this transaction or contract, remembered process-wide: see dc_check_proof.  The caller
 * adds its virtual cost to e->record->charge. */
bool dc_execute_proof(struct dc_exec *e, enum dc_domain kind, const void *bytes, size_t size,
                      bool (*check)(const uint8_t *bytes, size_t size));

#endif
