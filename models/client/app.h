/* Private applications, as a node's part in them: what the world asks for, what a kind has to do.
 *
 * The world tells each participant its role once (DC_CALL_APP); from then on the node acts by itself
 * on what its final chain and its messages show: it makes the contract, bids, proves, reports,
 * decrypts its share.  All applications share one shape:
 *
 *     call --> begin --> engagement (role, secrets, phase) --> step at each final block --> note
 *
 * A node has at most DC_APPS_MAX engagements at a time.
 *
 * What survives a crash is the call, what the kind records (dc_app_record), and CALLs of the account
 * that are not final yet; the rest of a part's memory is made again from these, the node's key and
 * the chain: its class's begin runs again, with g->resumed.  A store that is lost has forgotten the
 * call too.  CALLs are sent again as the same bytes, with the same nonce, until they are final or
 * were sent DC_APP_SENT_TRIES times: so none is executed twice, and no contract is made twice. */
#ifndef MODELS_CLIENT_APP_H
#define MODELS_CLIENT_APP_H

#include "models/client/client.h"
#include "models/ledger/contract.h"

#define DC_APPS_MAX 8
#define DC_APP_BODY_BYTES_MAX ((size_t)1 << 22) /* of a message */
#define DC_APP_HEAD_BYTES ((size_t)7)
#define DC_APP_PARTICIPANTS_MAX 4096u
#define DC_APP_SENT_MAX 8     /* CALLs of one part under way that are sent again */
#define DC_APP_SENT_HEIGHTS 6 /* after which */
#define DC_APP_SENT_TRIES 8
#define DC_APP_REFUSED UINT64_MAX /* as a result: no place, or no such kind */

/* What participants send one another: DC_MSG_APP 1, kind 1, number 4, step 1, body. */
struct dc_app_message {
    uint8_t kind;    /* enum dc_app_kind */
    uint8_t step;    /* the kind's own */
    uint32_t number; /* of the application */
    const uint8_t *body;
    uint32_t size;
};
/* False when the bytes are no such message.  body points into bytes. */
bool dc_app_message_decode(const uint8_t *bytes, size_t size, struct dc_app_message *out);

enum dc_app_kind {
    DC_APP_AUCTION,   /* sealed-bid auction */
    DC_APP_ESCROW,    /* private threshold escrow */
    DC_APP_RATING,    /* anonymous rating of a service node */
    DC_APP_USAGE,     /* encrypted usage totals, with a conditional payment */
    DC_APP_INFERENCE, /* a service node computes a linear model on encrypted inputs */
    DC_APP_TRAINING,  /* a service node adds up encrypted gradients */
    DC_APP_KINDS
};

enum dc_app_role {
    DC_APP_OWNER,       /* begins it */
    DC_APP_PARTICIPANT, /* bids, approves, rates, reports, asks, trains */
    DC_APP_NODE         /* call.node: computes on what it cannot read; others ignore the role */
};

/* What a participant is told.  Numbers that are drawn are drawn by the world, from streams named by
 * the application, so that they are the same in every run of a seed. */
struct dc_app_call {
    uint8_t kind;    /* enum dc_app_kind */
    uint8_t role;    /* enum dc_app_role */
    uint8_t model;   /* training: enum dc_training_model */
    uint32_t number; /* of the application in the scenario: names it in results */
    uint32_t owner;  /* node with role 0: others find its contract on chain by owner and `tag` */
    uint64_t tag;    /* drawn by the world; in the contract's digest */
    uint64_t close, end; /* heights after the contract's making */
    uint64_t value;      /* the participant's own secret: bid, amount, rating, usage, ... */
    uint64_t bound;      /* that a total has to pass; members of an escrow that have to approve */
    uint32_t node;       /* rated node, payee, aggregator */
    uint32_t count;      /* of participants */
    const uint32_t *participant;        /* their nodes; the engagement has a copy */
    uint32_t rounds, features, samples; /* training, inference */
    uint64_t seed;                      /* of the participant's own data */
};

/* A CALL of the account that is not final yet. */
struct dc_app_sent {
    uint8_t *bytes; /* the whole transaction, dc_mem_*; NULL: a free place */
    uint32_t size;
    uint16_t tries;
    uint64_t nonce, height; /* height: when it was sent last */
};
/* One node's part in one application.  Only its kind's file looks into `memory`. */
struct dc_engagement {
    struct dc_app_call call; /* participant is the engagement's own, dc_mem_*, or NULL */
    bool live;
    bool resumed; /* after a crash: what it did before may be on chain, or in `sent` */
    uint8_t phase;
    uint32_t contract; /* DC_CONTRACT_NEW until it is found on chain */
    int64_t began_ns;  /* or when it was resumed */
    void *memory;      /* dc_mem_*, freed by the class's end */
    struct dc_app_sent sent[DC_APP_SENT_MAX];
    uint8_t *record; /* dc_mem_*; NULL: nothing was recorded */
    uint32_t record_size;
    uint32_t changes; /* of what is durable */
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
    /* Not g->resumed: of a call.  Else after a crash: in->call is NULL. */
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
/* The process begins again: what is not durable is forgotten, each part is begun anew. */
void dc_apps_restart(struct dc_apps *apps, const struct dc_app_env *env, const struct dc_input *in,
                     struct dc_effects *out);
/* The least nonce above those of all CALLs under way. */
uint64_t dc_apps_nonce(const struct dc_apps *apps);
/* What is durable.  apps may be NULL when writing.  A part that was read does nothing before
 * dc_apps_restart. */
size_t dc_apps_image_max(const struct dc_apps *apps);
void dc_apps_write(const struct dc_apps *apps, struct dc_writer *out);
bool dc_apps_read(struct dc_apps *apps, struct dc_reader *r) DC_MUST_USE;
uint64_t dc_apps_mark(const struct dc_apps *apps); /* 0: no parts */

/* For the kinds: sends a message of this application to a node. */
void dc_app_send(const struct dc_engagement *g, uint32_t to, uint8_t step, const void *body,
                 size_t size, struct dc_effects *out);
/* Signs and submits a CALL of this node's account, which is then sent again by itself while there
 * is a place for it. */
void dc_app_submit(struct dc_engagement *g, const struct dc_app_env *env, uint32_t contract,
                   uint8_t kind, uint8_t method, const void *body, size_t size,
                   struct dc_effects *out);
/* Whether such a CALL is not final, and its nonce has not been used for another. */
bool dc_app_under_way(const struct dc_engagement *g);
/* From now on these bytes are what the kind finds in g->record after a crash. */
void dc_app_record(struct dc_engagement *g, const void *bytes, size_t size);
/* The same by nobody. */
void dc_app_submit_unnamed(const struct dc_app_env *env, uint32_t contract, uint8_t kind,
                           uint8_t method, const void *body, size_t size, struct dc_effects *out);
/* The engagement's contract once it is final: the newest of this kind (enum dc_contract_kind) that
 * g->call.owner made and whose digest begins with g->call.tag, 8 bytes little-endian, which is what
 * every kind's `create` puts there; DC_CONTRACT_NEW until then. */
uint32_t dc_app_find(struct dc_engagement *g, const struct dc_app_env *env, uint8_t kind);
/* It is over: tells the world the result, and frees the place. */
void dc_app_done(struct dc_engagement *g, uint64_t result, struct dc_effects *out);

#endif
