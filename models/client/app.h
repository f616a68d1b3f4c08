/* Private applications, as a node's part in them: what the world asks for, what a kind has to do.
 *
 * The world tells each participant its role once (DC_CALL_APP); from then on the node acts by itself
 * on what its final chain and its messages show: it makes the contract, bids, proves, reports,
 * decrypts its share.  All applications share one shape:
 *
 *     call --> begin --> engagement (role, secrets, phase) --> step at each final block --> note
 *
 * A node has at most DC_APPS_MAX engagements at a time. */
#ifndef MODELS_CLIENT_APP_H
#define MODELS_CLIENT_APP_H

#include "models/client/client.h"
#include "models/ledger/contract.h"

#define DC_APPS_MAX 8

enum dc_app_kind {
    DC_APP_AUCTION,   /* sealed-bid auction */
    DC_APP_ESCROW,    /* private threshold escrow */
    DC_APP_RATING,    /* anonymous rating of a service node */
    DC_APP_USAGE,     /* encrypted usage totals, with a conditional payment */
    DC_APP_INFERENCE, /* a service node computes a linear model on encrypted inputs */
    DC_APP_TRAINING,  /* a service node adds up encrypted gradients */
    DC_APP_KINDS
};

/* What a participant is told.  Numbers that are drawn are drawn by the world, from streams named by
 * the application, so that they are the same in every run of a seed. */
struct dc_app_call {
    uint8_t kind;    /* enum dc_app_kind */
    uint8_t role;    /* 0: who begins it (seller, payer, rated node's asker, owner of the model);
                       others as the kind says */
    uint32_t number; /* of the application in the scenario: names it in results */
    uint32_t owner;  /* node with role 0: others find its contract on chain by owner and `tag` */
    uint64_t tag;    /* drawn by the world; in the contract's digest */
    uint64_t close, end; /* heights after the contract's making */
    uint64_t value;      /* the participant's own secret: bid, amount, rating, usage, ... */
    uint64_t bound;      /* that a total has to pass; members of an escrow that have to approve */
    uint32_t node;       /* rated node, payee, aggregator */
    uint32_t count;      /* of participants */
    const uint32_t *participant;        /* their nodes; borrowed for the step */
    uint32_t rounds, features, samples; /* training, inference */
    uint64_t seed;                      /* of the participant's own data */
};

/* One node's part in one application.  Only its kind's file looks into `memory`. */
struct dc_engagement {
    struct dc_app_call call; /* participant points into memory or is NULL */
    bool live;
    uint8_t phase;
    uint32_t contract; /* DC_CONTRACT_NEW until it is found on chain */
    int64_t began_ns;
    void *memory; /* dc_mem_*, freed by the class's end */
};

struct dc_app_env {
    const struct dc_client_config *config; /* id, chain, crypto, key, params */
    const struct dc_state *state;          /* of the node's final block */
    struct dc_client *client;              /* NULL at nodes that are no clients */
    dc_submit_fn *submit;
    void *submit_ctx;
    uint64_t (*nonce)(void *ctx); /* for the next transaction of this account; ctx: submit_ctx */
};

struct dc_app_class {
    const char *name;
    void (*begin)(struct dc_engagement *g, const struct dc_app_env *env, const struct dc_input *in,
                  struct dc_effects *out);
    /* A block became final: env->state is the state after it. */
    void (*commit)(struct dc_engagement *g, const struct dc_app_env *env, int64_t now_ns,
                   struct dc_effects *out);
    /* A message DC_MSG_APP of this kind and number, or NULL. */
    void (*message)(struct dc_engagement *g, const struct dc_app_env *env,
                    const struct dc_input *in, struct dc_effects *out);
    void (*end)(struct dc_engagement *g); /* frees memory; may be NULL */
};
extern const struct dc_app_class dc_app_auction, dc_app_escrow, dc_app_rating, dc_app_usage,
    dc_app_inference, dc_app_training;
const struct dc_app_class *dc_app_class_of(uint8_t kind);

struct dc_apps {
    struct dc_engagement at[DC_APPS_MAX];
};
void dc_apps_call(struct dc_apps *apps, const struct dc_app_env *env, const struct dc_input *in,
                  struct dc_effects *out);
void dc_apps_commit(struct dc_apps *apps, const struct dc_app_env *env, int64_t now_ns,
                    struct dc_effects *out);
void dc_apps_message(struct dc_apps *apps, const struct dc_app_env *env, const struct dc_input *in,
                     struct dc_effects *out);
void dc_apps_free(struct dc_apps *apps);

/* For the kinds: signs and submits a CALL of this node's account. */
void dc_app_submit(const struct dc_app_env *env, uint32_t contract, uint8_t kind, uint8_t method,
                   const void *body, size_t size, struct dc_effects *out);
/* The same by nobody. */
void dc_app_submit_unnamed(const struct dc_app_env *env, uint32_t contract, uint8_t kind,
                           uint8_t method, const void *body, size_t size, struct dc_effects *out);
/* The engagement's contract once it is final: by owner and tag; DC_CONTRACT_NEW until then. */
uint32_t dc_app_find(struct dc_engagement *g, const struct dc_app_env *env, uint8_t kind);
/* It is over: tells the world the result, and frees the place. */
void dc_app_done(struct dc_engagement *g, uint64_t result, struct dc_effects *out);

#endif
