/* The data of sim/world's private*.c. */
#ifndef SIM_WORLD_PRIVATE_INSIDE_H
#define SIM_WORLD_PRIVATE_INSIDE_H

#include "models/client/app.h"
#include "models/ledger/vault.h"
#include "models/node/holder.h"
#include "sim/record/schema.h"
#include "sim/world/private.h"

struct private_app {
    const struct ds_application *from;
    uint32_t owner, node; /* UINT32_MAX: none */
    uint32_t members;     /* who is called: owner, participants, node */
    uint32_t *participant;
    uint32_t participants;
    struct dc_app_call *call; /* of each member */
    struct private_answer {   /* of each member: what it said at its end */
        bool given;
        uint64_t value;
    } * answer;
};

struct private_group { /* payments of a group of clients */
    int64_t gap_mean_ns;
    struct dc_dist amount;
};

struct world_private {
    struct private_app *app;
    uint32_t apps;
    struct private_group *group; /* one for each group of the scenario; NULL: nobody pays */
    uint32_t *client;            /* whom one pays */
    uint32_t clients;
    struct dc_stealth_address *book;
    struct dc_holders holders;
    struct dc_holder_secret *secret; /* [holders.count] */
    struct dc_logarithm *table;
    /* sums over the run */
    uint64_t payments, called, failed, proofs, refused;
    struct ds_row_private row; /* of the epoch that is open */
    struct dc_histogram latency;
};

/* Its i-th member: the owner, the participants, `node`. */
uint32_t world_private_member(const struct private_app *app, uint32_t i);
/* private_exact.c.  Whether the application came to its end: at its owner, and an inference at all who
 * asked. */
bool world_private_done(const struct private_app *app);
/* What it came to, by what its owner said: the auction's price in DSYNC, whether the escrow paid (1 or
 * 0), the mean of the ratings, the total of the usage; of a training 1 where the weights are those of
 * the plain computation, else 0; of an inference the participants all of whose answers are.  NaN: not
 * done. */
double world_private_result(const struct private_app *app);
/* It is done, and came to what its members' own numbers come to in plain, all of them taking part. */
bool world_private_right(const struct private_app *app);
/* Of all applications of a kind, 1 where each is right, else 0; NaN: there is none. */
double world_private_exact(const struct ds_world *w, enum dc_app_kind kind);

#endif
