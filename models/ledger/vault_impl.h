/* What a vault is made of, and how execution changes it: for the files of models/ledger alone.
 *
 *   dc_vault (counted; NULL in a state where nothing private ever happened)
 *     meta                       scalars
 *     notes, contracts, entries  persistent trees (tree.h), tags 5, 6, 7
 *     images, marks              persistent sparse trees (crypto/smt.h)
 *     due                        which contracts have a turn, by height: an index of contracts
 *
 *   part 6 of the root = H(STATE_LEAF, 8 || meta || the five trees' roots)
 *
 * A block begins with its parent's vault and copies it (400 bytes and the beacon's shares) at its
 * first private change. */
#ifndef MODELS_LEDGER_VAULT_IMPL_H
#define MODELS_LEDGER_VAULT_IMPL_H

#include "models/ledger/state_impl.h"

/* Turns at one height, and contracts that wait for one, at most: a CALL that would make more is
 * refused.  And how far ahead a turn may lie. */
#define DC_TURNS_MAX 64u
#define DC_TURNS_WAITING_MAX 4096u
#define DC_TURN_HEIGHTS_MAX ((uint64_t)1 << 20)

struct dc_turn {
    uint64_t height; /* the block that begins with it */
    uint32_t contract;
};
struct dc_vault {
    uint32_t refs;
    struct dc_vault_meta meta;
    struct dc_tree notes, contracts, entries;
    struct dc_smt images, marks;
    uint32_t turns;      /* in due[] */
    struct dc_turn *due; /* ascending; shared by no two vaults */
};

/* The state's own vault, made or copied as need be.  The pointer stays good until the state is
 * committed. */
struct dc_vault_meta *dc_state_vault_edit(struct dc_state *state);
/* A new note, zeroed but for height (meta.height), with the id meta.notes had.  The caller sees to
 * meta.pool. */
struct dc_vault_note *dc_state_note_append(struct dc_state *state);
/* False when it was there, and nothing has changed. */
bool dc_state_image_add(struct dc_state *state, const uint8_t image[32]);
bool dc_state_mark_add(struct dc_state *state, uint32_t contract, const uint8_t mark[32]);
/* A new contract as given, and its turns. */
void dc_state_contract_append(struct dc_state *state, const struct dc_contract *contract,
                              bool turns);
/* The contracts that have their turn at meta.height, in the order in which they were made; they wait
 * no longer. */
uint32_t dc_state_turns_take(struct dc_state *state, uint32_t contract[DC_TURNS_MAX]);
/* Whether there is room for the turns of a contract with this close and end. */
bool dc_state_turns_free(const struct dc_state *state, uint64_t close, uint64_t end);
struct dc_contract *dc_state_contract_edit(struct dc_state *state, uint32_t id);
struct dc_entry *dc_state_entry_append(struct dc_state *state); /* zeroed */
struct dc_entry *dc_state_entry_edit(struct dc_state *state, uint32_t id);

/* state.c's: what becomes of a vault in a state's life. */
void dc_vault_forests_init(struct dc_ledger *ledger);
void dc_vault_forests_free(struct dc_ledger *ledger);
size_t dc_vault_forests_bytes(const struct dc_ledger *ledger);
uint64_t dc_vault_forests_copied(const struct dc_ledger *ledger);     /* leaves, ever */
void dc_vault_drop(struct dc_ledger *ledger, struct dc_vault *vault); /* NULL allowed */
/* Hashes what changed; *root is part 6, zero when nothing private is there (the vault then goes).
 * Returns the number of hashes. */
uint32_t dc_vault_commit(struct dc_state *state, struct dc_hash *root);
uint64_t dc_vault_bytes(const struct dc_vault *vault); /* encoded; NULL: 0 */

/* genesis_private.c: keys of holders and notes of nobody. */
#define DC_DECOYS_MAX 100000u
void dc_genesis_private_feed(struct dc_hasher *hasher, const struct dc_genesis *genesis);
enum dc_status dc_genesis_private_check(const struct dc_genesis *genesis,
                                        struct dc_error *error) DC_MUST_USE;
void dc_genesis_private_make(const struct dc_genesis *genesis, struct dc_state *state);

#endif
