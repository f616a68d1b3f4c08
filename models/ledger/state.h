/* State: an immutable, persistent Merkle tree of accounts, deals and tallies, and its meta leaf.
 *
 * A block gives a new root that shares what it did not change (models/README.md 3).  States are
 * counted; a node holds a state by holding the block that made it. */
#ifndef MODELS_LEDGER_STATE_H
#define MODELS_LEDGER_STATE_H

#include "models/base/params.h"
#include "models/crypto/cert.h"
#include "models/posync/holt.h"
#include "models/wire/block.h"

#define DC_CHUNK_BYTES ((size_t)4096)
#define DC_UNBONDING_MAX 4
#define DC_REGIONS_MAX 64

#define DC_DEAL_NONE UINT32_MAX
#define DC_SERVICES 5u /* kinds of service: storage, hosting, DNS, RPC, GPU */
/* The window in which first askings are drawn is divided into so many parts, or one for each height
 * when there are fewer, for the forecast of what blocks carry. */
#define DC_LOAD_SLOTS 32u

/* A paid deal: a client's object on a node.  Ids are dense.  Chunks are 4 KiB. */
struct dc_deal {
    uint32_t client, node;
    uint32_t prev; /* the node's deal before this one, or DC_DEAL_NONE */
    uint64_t size_bytes;
    uint64_t paid_bytes;   /* what the client pays for now, at most size_bytes: METER changes it */
    uint64_t most_bytes;   /* the largest paid_bytes of this epoch: what its price is paid for */
    uint64_t price;        /* per epoch, of the whole size */
    uint64_t offset_chunk; /* where it lies in the node's declared chunks */
    uint64_t end_epoch;    /* paid up to and without */
    struct dc_hash root;   /* of its chunks (models/service/storage.h) */
};

/* What of a deal's price is due for the epoch: in proportion to the most that its client wanted to
 * pay for in it, so that nobody uses the place all along and scales down for its last block. */
static inline uint64_t dc_deal_due(const struct dc_deal *d)
{
    return d->most_bytes >= d->size_bytes ? d->price
                                          : dc_muldiv(d->price, d->most_bytes, d->size_bytes);
}

struct dc_account {
    uint64_t balance, nonce, bond; /* nonce: above all used; */
    uint64_t nonce_used;           /* bit i: nonce - 1 - i was used: late ones may still come */
    uint64_t bond_release_epoch;   /* of an ejected bond */
    uint32_t roles; /* bits of enum dc_role (crypto/cert.h); a service node has DC_ROLE_STORAGE */
    uint8_t region, lock_tier;
    uint8_t sign_key[32], vrf_key[32];
    uint64_t serial, valid_from, valid_to; /* of its certificate: serial and heights */
    uint8_t revoked, slashed_equivocation;
    uint16_t slashes;                    /* ever: the first is cheaper */
    uint64_t capacity_bytes, used_bytes; /* declared; that deals pay for */
    uint64_t used_chunks; /* declared chunks ever given to deals: the next deal lies there */
    uint64_t joined;      /* height of its registration */
    uint32_t
        deal_last; /* newest deal that this node holds, chained by dc_deal.prev; DC_DEAL_NONE */
    struct dc_hash filler_root;
    struct {
        uint64_t amount, release_epoch;
    } unbonding[DC_UNBONDING_MAX];
    struct dc_demand { /* on-chain demand for an answer, opened by a failed challenge */
        uint64_t height, due_height; /* opened, to be answered by; height 0: none */
        struct dc_hash nonce;
        uint8_t k;
    } demand;
    struct dc_posync posync;
};

/* Scalars of a state; enters the root as one leaf. */
struct dc_meta {
    uint64_t height, epoch;
    struct dc_hash beacon;                 /* R */
    uint32_t accounts, deals;              /* how many there are */
    uint32_t validators, services;         /* registered and not ejected */
    uint64_t minted, burned, fund, escrow; /* money */
    uint64_t challenges_open;
    uint64_t final_height;    /* f: highest height committed by the certificates up to here */
    uint32_t heartbeat_every; /* heights, in this epoch */
    uint32_t heartbeat_every_before; /* in the epoch before */
    uint32_t deals_live;             /* deals below this index have all ended */
    uint64_t fees;                   /* collected in this epoch: part of escrow */
    uint64_t registrar_nonce;
    dc_q31 theta;             /* in force in this epoch, for storage nodes where it is relative */
    uint32_t below, below_of; /* nodes below it in T(epoch), before the budget, of how many */
    struct dc_outlook outlook[DC_SERVICES];
    uint32_t load[DC_LOAD_SLOTS]; /* forecast bytes of transactions of a block; 0 unless quiet */
};

/* Late votes count for this many blocks; states are looked up this far back, not further. */
#define DC_LATE_VOTE_HEIGHTS 8
#define DC_WINDOW_HEIGHTS 32

#define DC_ROLES_SERVICE                                                                           \
    (DC_ROLE_STORAGE | DC_ROLE_HOSTING | DC_ROLE_DNS | DC_ROLE_RPC | DC_ROLE_GPU)

struct dc_state; /* opaque: ledger/state.c */

const struct dc_meta *dc_state_meta(const struct dc_state *state);
const struct dc_params *dc_state_params(const struct dc_state *state);
struct dc_hash dc_state_root(const struct dc_state *state);
/* Of all leaves as they are encoded: what it takes to send the state.  About 0.2 us a leaf. */
uint64_t dc_state_bytes(const struct dc_state *state);
/* Borrowed, valid as long as the state; NULL when id is not there. */
const struct dc_account *dc_state_account(const struct dc_state *state, uint32_t id);
const struct dc_deal *dc_state_deal(const struct dc_state *state, uint32_t id);
/* Round-trip allowance between two regions, in state since genesis. */
int64_t dc_state_allowance_ns(const struct dc_state *state, uint8_t region_a, uint8_t region_b);
/* Merkle path of an account leaf under the state's root: depth 1, leaf size 2, encoded leaf, three
 * siblings for each level, the other parts of the root (five, or six with a vault's).  Returns the proof's size, or 0 when out is
 * too small or there is no such account; dc_state_prove_size_max says what is enough. */
size_t dc_state_prove(const struct dc_state *state, uint32_t id, uint8_t *out, size_t out_max);
size_t dc_state_prove_size_max(const struct dc_state *state);
bool dc_state_prove_check(const struct dc_hash *root, uint32_t id, const uint8_t *proof,
                          size_t size);
/* What node `id` shows in a heartbeat about the state of a final height: 8 bytes of
 * H(id || leaf of account H(R || id) mod accounts).  About 1.5 us. */
void dc_state_heartbeat(const struct dc_state *state, uint32_t id, uint8_t out[8]);
/* The account that the sync part of a challenge asks for under this state: by nonce. */
uint32_t dc_state_sync_account(const struct dc_state *state, const struct dc_hash *nonce);
/* Declared capacity that the bond covers: what counts for placement, deals and base share. */
uint64_t dc_state_capacity(const struct dc_params *p, const struct dc_account *account);
/* Epochs from unbonding to the pay-out: two in which the bond still has weight, because committees
 * are drawn ahead, then the delay, as many times as the lock tier says. */
static inline uint64_t dc_unbonding_epochs(const struct dc_params *p, const struct dc_account *a)
{
    return 2 + (uint64_t)p->unbonding_epochs * (1 + (uint64_t)a->lock_tier);
}
/* Whether the account's certificate holds at a height for any of the roles: not revoked, not
 * ejected, within its validity. */
bool dc_account_may(const struct dc_account *account, uint64_t height, uint32_t roles);
/* A validator or service node that is not ejected. */
static inline bool dc_account_is_node(const struct dc_account *a)
{
    return (a->roles & (DC_ROLE_VALIDATOR | DC_ROLES_SERVICE)) != 0 && !a->posync.ejected;
}
/* Index of a service node's (first) service in meta.outlook; DC_SERVICES: it has none. */
uint32_t dc_state_service(uint32_t roles);
/* Due height of the heartbeat of `id` that a block of `height` may include, or 0: the latest due
 * below height, and not older than heartbeat_lifetime. */
uint64_t dc_state_heartbeat_includable(const struct dc_state *parent, uint32_t id, uint64_t height);
/* Whether such a heartbeat of that due height is already in the chain. */
bool dc_state_heartbeat_seen(const struct dc_state *state, uint32_t id, uint64_t due_height);
/* balances + bonds + queues + escrow + fund + shielded pool == minted - burned, and no contract
 * holds money that is not in the escrow.  Walks everything. */
bool dc_state_conserved(const struct dc_state *state);

#endif
