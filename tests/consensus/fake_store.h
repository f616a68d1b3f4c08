/* A stand-in for the ledger's store: the same functions, trivial execution.
 *
 * Accounts 0..n-1 are validators.  state root = H(parent's, tx root, height), beacon = H(parent's,
 * VRF proof); the leader of a round is member (round mod count), so that scripts can be read.
 * `rotate`: in epoch e the member (e mod n) is not in the committee.  A transaction that begins
 * with 0xff makes a block invalid. */
#ifndef TESTS_CONSENSUS_FAKE_STORE_H
#define TESTS_CONSENSUS_FAKE_STORE_H

#include "models/ledger/store.h"

struct fake_config {
    uint64_t chain;
    struct dc_crypto *crypto;
    uint32_t validators;
    const uint64_t *power; /* of each */
    const struct dc_keypair *key;
    bool rotate;
    uint32_t epoch_blocks;
};

struct dc_store *fake_store_create(const struct fake_config *config);
uint64_t fake_store_executions(const struct dc_store *store);
/* What a state is said to take when it is sent. */
#define FAKE_STATE_BYTES 100000
/* Forgets the blocks below a height that nobody holds, as dc_store_collect does. */
void fake_store_forget(struct dc_store *store, uint64_t height);

#endif
