/* What a holder remembers: for holder*.c alone.
 *
 *   grants of an epoch: in its first final block, claims = clients whose deals ended with an
 *   ejected node in the epoch before, by deal; the j-th grant made since pays the j-th claim
 *
 *   session (epoch, attempt, try) of one grant, by DC_MSG_HOLDER
 *
 *     coordinator --ASK--> all holders --COMMIT--> coordinator: the first t
 *                 --PACKAGE--> those t --SHARE--> coordinator --> TX_GRANT
 *
 *   message   DC_MSG_HOLDER 1 | step 1 | counter 8 | grant 8 | body
 *             ASK: nothing; COMMIT: 64; PACKAGE: count x (holder 1, 64); SHARE: 32 */
#ifndef MODELS_NODE_HOLDER_IMPL_H
#define MODELS_NODE_HOLDER_IMPL_H

#include "models/crypto/frost.h"
#include "models/node/holder.h"
#include "models/node/node.h"

#define HOLDER_HEAD_BYTES ((size_t)18)
enum holder_step { HOLDER_ASK = 1, HOLDER_COMMIT, HOLDER_PACKAGE, HOLDER_SHARE };

#define HOLDER_CLAIMS_MAX 64u
#define HOLDER_ATTEMPT_HEIGHTS 12 /* then another coordinates */
#define HOLDER_TRY_HEIGHTS 4      /* then the coordinator tries others */
#define HOLDER_OPENINGS_MAX 16u

struct holder_claim {
    uint32_t to;
    uint64_t amount;
};
/* A coordinator's work on one signature. */
struct holder_session {
    uint64_t counter, began; /* counter 0: none; began: height */
    uint32_t commitments, shares;
    struct dc_frost_commitment list[DC_KEY_HOLDERS_MAX]; /* ascending once there are t */
    uint8_t z[DC_KEY_HOLDERS_MAX][32];
    bool came[DC_KEY_HOLDERS_MAX]; /* z[i] of list[i] */
    uint8_t *tx;                   /* the signed grant, to be sent again; NULL until it is there */
    size_t tx_size;
};
struct dc_holder {
    struct dc_holder_secret secret;
    uint64_t beacon_height, beacon_sent; /* of the newest share sent, and when */
    uint32_t contracts_over;             /* contracts below have nothing to decrypt any more */
    struct holder_opening {              /* by contract modulo; heights, 0: not yet */
        uint32_t contract;
        uint64_t share, total; /* sent */
        uint64_t ready;        /* all shares were there */
    } opening[HOLDER_OPENINGS_MAX];
    /* grants */
    bool began; /* a final block was seen since the process began: in epoch `since` */
    bool known; /* that was before this epoch: no counter of it was ever used */
    uint64_t since, epoch, grants_before, grants, grant_height; /* grants now, and since when */
    uint32_t claims;
    struct holder_claim claim[HOLDER_CLAIMS_MAX];
    int64_t life[2];         /* clocks when the process began again: its nonces are its own */
    uint64_t signed_counter; /* highest for which a share was given: one list for each counter */
    bool suspect[DC_KEY_HOLDERS_MAX];
    struct holder_session session;
};

void dc_holder_grant_commit(struct dc_node *node, const struct dc_state *state,
                            struct dc_effects *out);
void dc_holder_grant_message(struct dc_node *node, const struct dc_input *in,
                             struct dc_effects *out);
void dc_holder_session_end(struct holder_session *session);

#endif
