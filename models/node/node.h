/* A node: what composes consensus, Proof of Sync, services and client into one step machine.
 *
 *                       +-- jolteon (validator) or follow (others): the chain
 *   dc_node_step -------+-- verifier  (validators): challenges drawn, answers, verdicts
 *     by kind of input  +-- mempool   (validators): transactions for the blocks to come
 *                       +-- storage   (service nodes): answers, put, get, receipts
 *                       +-- client    (clients): calls, replies, reports
 *                       +-- heartbeats (validators and service nodes)
 *
 * What survives a crash is in durable.h, and is all that DC_INPUT_RESTART leaves. */
#ifndef MODELS_NODE_NODE_H
#define MODELS_NODE_NODE_H

#include "models/client/client.h"
#include "models/consensus/jolteon.h"
#include "models/node/late.h"
#include "models/node/mempool.h"
#include "models/node/private.h"
#include "models/node/renew.h"
#include "models/node/verifier.h"
#include "models/service/storage.h"

enum dc_node_role { DC_NODE_VALIDATOR, DC_NODE_SERVICE, DC_NODE_CLIENT };

/* What a node does besides what the protocol says (models/adversary/adversary.h). */
enum dc_strategy {
    DC_STRATEGY_HONEST,
    DC_STRATEGY_GHOST,
    DC_STRATEGY_PARTIAL,
    DC_STRATEGY_STALE,
    DC_STRATEGY_WASHER,
    DC_STRATEGY_SILENT,
    DC_STRATEGY_EQUIVOCATING,
    DC_STRATEGY_OUTSOURCER, /* fetches its answers from an accomplice */
    DC_STRATEGY_SYBIL,      /* one machine behind several identities, one copy of what they hold */
    DC_STRATEGY_BURST,      /* honest until its score reaches a level, then a ghost */
    DC_STRATEGY_LYING,      /* a validator whose verdicts are the opposite of what it saw */
    DC_STRATEGY_INFLATOR,   /* clients that steal private money: models/adversary/thief.h */
    DC_STRATEGY_FORGER,
    DC_STRATEGY_DOUBLE_SPENDER,
    DC_STRATEGY_REPLAYER
};

struct dc_node_config {
    uint64_t chain;
    uint32_t id;
    enum dc_node_role role;
    enum dc_strategy strategy;
    struct dc_store *store;
    struct dc_crypto *crypto;
    const struct dc_params *params;
    uint64_t key_seed;                       /* keys are derived from it and the id */
    uint32_t incarnation;                    /* how often the process was started before: new keys
                                                after a lost store are derived from it (renew.h) */
    const struct dc_keypair *registrar;      /* who certifies new keys; NULL: as the world's is,
                                                dc_node_keys(key_seed, UINT32_MAX) */
    uint64_t capacity_bytes;                 /* service nodes */
    const struct dc_content *filler;         /* of a service node: what it committed to; copied */
    struct dc_disk disk;                     /* what their disk lacks */
    uint32_t accomplice;                     /* OUTSOURCER: who answers for it; its own id: it is
                                                the accomplice, and holds what all of them do */
    dc_q31 turn_score;                       /* BURST: turns at this score */
    uint32_t replicas, retries, deal_epochs; /* clients */
    int64_t timeout_ns;
    uint64_t price_get;
    const struct dc_stealth_address *book; /* clients with a wallet: everybody's, by account */
    uint32_t book_count;
    const struct dc_holder_secret *holder; /* of a validator that holds shares, or NULL; borrowed
                                              until the node is made */
};

/* An answer asked for before the block that draws the challenge was known here. */
#define DC_PENDING_MAX 8
struct dc_service_state {
    struct dc_storage storage;
    struct {
        uint64_t height;
        uint32_t verifier;
        uint8_t asking;
    } pending[DC_PENDING_MAX];
    uint32_t pendings;
    bool demanded;          /* a demand stands on chain */
    uint64_t answer_height; /* the answer kept: verifiers of one challenge get the same bytes */
    uint8_t *answer;
    uint32_t answer_size;
};

/* What somebody above a node has put beside it, and how it goes when the node does. */
struct dc_node_extra {
    void (*free)(struct dc_node_extra *extra);
};

struct dc_node {
    struct dc_consensus_env env;
    struct dc_keypair key;
    uint32_t id;
    uint8_t role, strategy;
    uint32_t accomplice;      /* OUTSOURCER: who answers for it; itself: it answers for others */
    dc_q31 turn_score;        /* BURST */
    bool disk_lost;           /* a service node whose data are gone */
    struct dc_renewal *renewal; /* a validator that lost its store once, or NULL */
    uint64_t heartbeat_due;   /* of the latest heartbeat sent */
    uint64_t heartbeat_round; /* highest round seen when it was sent */
    uint32_t refused;         /* messages refused here, ever */
    struct dc_follow *chain;  /* into the validator's core, or own */
    struct dc_follow follow;  /* service nodes and clients */
    struct dc_node_validator *validator;
    struct dc_service_state *service; /* validators too: they answer with 0 chunks */
    void *adversary;                  /* memory of models/adversary, one block, or NULL */
    struct dc_node_extra *byzantine;  /* models/adversary/byzantine.h's, or NULL */
    struct dc_client *client;
    struct dc_client_config *client_config;
    struct dc_apps *apps; /* parts in private applications, or NULL */
    uint64_t nonce_next;  /* of who is no client: of its next call of a contract */
    struct dc_wallet *wallet; /* of a client that has a book, or NULL */
    struct dc_holder *holder; /* holder.h's, or NULL */
};

struct dc_node_validator {
    struct dc_jolteon jolteon;
    struct dc_keypair vrf_key;
    struct dc_mempool mempool;
    struct dc_verifier verifier;
    struct dc_late late;
    const struct dc_input *input; /* of the step that runs, for what the core calls back */
    struct dc_tx_view *candidate; /* handed to the core while it builds a block; within one step */
};

/* The keys that a node of this id has: what its certificate names. */
void dc_node_keys(uint64_t key_seed, uint32_t id, struct dc_keypair *sign, struct dc_keypair *vrf);

struct dc_node *dc_node_create(const struct dc_node_config *config, struct dc_error *error);
/* The same with keys of a generation above 0 for consensus (renew.h); validators only. */
struct dc_node *dc_node_create_keys(const struct dc_node_config *config, uint32_t generation,
                                    struct dc_error *error);
void dc_node_destroy(struct dc_node *node);
/* A deal that the node holds since genesis. */
void dc_node_hold(struct dc_node *node, const struct dc_held *held);

/* Handles one input.  Charges and effects as models/base/step.h says. */
void dc_node_step(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);

/* Sends a transaction to the leaders of the next four rounds (itself included). */
void dc_node_submit(void *context, const uint8_t *bytes, size_t size, struct dc_effects *out);
/* Signs tx and submits it. */
void dc_node_submit_tx(struct dc_node *node, const struct dc_tx *tx, struct dc_effects *out);

/* Frees what a decoder remembered in a payload of this kind. */
void dc_node_memo_free(uint32_t kind, void *memo);
/* What to remember in the payload of a message whose effect names its object; NULL: nothing. */
void *dc_node_memo_make(uint32_t kind, const void *object);

/* Judges storage proofs for the ledger (answers on chain, and answers as evidence). */
extern const struct dc_answer_checker dc_node_answer_checker;

/* Forgets the answer that is kept for other verifiers of a challenge. */
void dc_serve_forget_answer(struct dc_service_state *service);
/* serve.c: the storage service's messages, and the answers to challenges. */
void dc_serve_message(struct dc_node *node, const struct dc_input *in, struct dc_effects *out);
void dc_serve_commit(struct dc_node *node, const struct dc_block *block, const struct dc_input *in,
                     struct dc_effects *out);
void dc_serve_challenge(struct dc_node *node, uint32_t verifier, uint64_t height, uint8_t asking,
                        struct dc_effects *out);
/* The executed block of a height on the node's chain, final or certified; NULL when not here. */
const struct dc_block *dc_node_block_at(const struct dc_node *node, uint64_t height);

#endif
