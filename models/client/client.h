/* A client node's own part: it puts objects (on `replicas` holders) and gets them for its user,
 * checks every answer against the chain, reports on the nodes that it used, and says on chain how
 * much of its deals it pays for (METER).
 *
 *   call --> PUT/GET to a holder --> reply, checked --> per-epoch report of the node
 *                 |  no answer: asked again, at most `retries` times
 *   epoch over: RECEIPT to each node used --> countersigned --> TX_RECEIPT
 *
 * Receipts are accepted through the whole next epoch; each client sends its own at a height of that
 * epoch's first two thirds that its id chooses, so that they do not come all at once.  Only
 * requests under way and the reports of this epoch and the last are kept. */
#ifndef MODELS_CLIENT_CLIENT_H
#define MODELS_CLIENT_CLIENT_H

#include "models/base/step.h"
#include "models/crypto/crypto.h"
#include "models/ledger/store.h"
#include "models/wire/service_msg.h"

#define DC_CLIENT_REQUESTS_MAX 8 /* under way at once; more are refused and counted */
#define DC_CLIENT_REPORTS_MAX 24 /* nodes used in one epoch, with those of the last one that wait */

struct dc_stealth_address;

struct dc_client_config {
    uint64_t chain;
    uint32_t id;
    const struct dc_crypto *crypto;
    const struct dc_keypair *key;
    const struct dc_params *params;
    uint32_t replicas, retries, deal_epochs;
    int64_t timeout_ns; /* of one request to one holder */
    uint64_t price_get; /* paid for a good answer, in base units */
    const struct dc_stealth_address *book; /* of wallets, by account; NULL: nobody is paid
                                              privately */
    uint32_t book_count;
};

struct dc_client_request {
    uint64_t id; /* 0: free */
    uint64_t chunk, object, size_bytes;
    int64_t first_ns, sent_ns;
    uint32_t deal, node;
    uint8_t tries;
    bool put;
    struct dc_hash root;
    uint64_t nonce, price;
};

struct dc_client_report {
    uint64_t paid;
    uint32_t node, sent, ok, timely;
};

struct dc_client_reports {
    uint64_t epoch;
    uint32_t count;
    struct dc_client_report node[DC_CLIENT_REPORTS_MAX];
};

struct dc_client {
    uint64_t request_next;
    uint64_t nonce_next; /* of the next transaction with a nonce; at least the account's */
    struct dc_client_request request[DC_CLIENT_REQUESTS_MAX];
    struct dc_client_reports open, closed; /* of the epoch that runs, and of the one before: those
                                              that nobody has countersigned yet */
    bool closed_sent;
};

/* A transaction that the client wants on chain: the node sends it to the coming leaders. */
typedef void dc_submit_fn(void *ctx, const uint8_t *bytes, size_t size, struct dc_effects *out);

struct dc_client_env {
    const struct dc_client_config *config;
    const struct dc_state *state; /* of the client's final block */
    dc_submit_fn *submit;
    void *submit_ctx;
};

void dc_client_call(struct dc_client *c, const struct dc_client_env *env, const struct dc_input *in,
                    struct dc_effects *out);
/* PUT_REPLY, GET_REPLY, RECEIPT_REPLY. */
void dc_client_message(struct dc_client *c, const struct dc_client_env *env,
                       const struct dc_input *in, struct dc_effects *out);
/* A timer whose value is the request's id. */
void dc_client_timer(struct dc_client *c, const struct dc_client_env *env,
                     const struct dc_input *in, struct dc_effects *out);
/* A block became final: an epoch's first one closes the reports; they are sent at a later one. */
void dc_client_commit(struct dc_client *c, const struct dc_client_env *env, int64_t now_ns,
                      struct dc_effects *out);

/* For the next transaction with a nonce of this client's account. */
uint64_t dc_client_nonce(struct dc_client *c, const struct dc_client_env *env);

#define DC_PLACE_CANDIDATES 64

/* Holder of rank `rank` (0 best, at most 7) for an object: rendezvous hashing over 64 candidates
 * that the key draws, weighted by free capacity and score; UINT32_MAX when there is none. */
uint32_t dc_client_place(const struct dc_state *state, uint64_t object_key, uint64_t size_bytes,
                         uint32_t rank);

#endif
