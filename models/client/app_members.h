/* Members of an escrow or a rating, as their nodes come together: each tells the owner its leaf,
 * the owner makes the contract over all of them, and tells everybody the list, from which a member
 * makes its path.
 *
 *     member --JOIN leaf 32--> owner --CALL NEW, with the root--> chain
 *     member <--LIST leaves---- owner     once the contract is final; checked against its root
 *
 * A member that has no list says JOIN again every few heights, and the owner answers with the list
 * when there is a contract: either message may be lost.  The owner waits for all participants, and
 * goes on without those that stay silent.
 *
 * The record (client/app.h) has what messages brought: leaves, and the list.  An owner that crashed
 * when its contract was made has the list still, one that crashed before waits for JOINs as before.
 *
 * The owner knows whose leaf is whose.  What a member does later carries a mark, which nobody can
 * connect with a leaf; but who sees the packets of a node sees where they begin. */
#ifndef MODELS_CLIENT_APP_MEMBERS_H
#define MODELS_CLIENT_APP_MEMBERS_H

#include "models/client/app.h"
#include "models/privacy/membership.h"

#define DC_APP_JOIN_EVERY 6      /* heights */
#define DC_APP_JOIN_PATIENCE 24u /* heights that an owner waits for all */
#define DC_APP_RETRY 10          /* heights after which an unnamed call is sent again */

struct dc_app_members {
    uint64_t began, asked, called; /* heights: of the call, of the last JOIN, of the last CALL */
    uint64_t offset;               /* heights after the making at which a member acts */
    bool made;                     /* owner: the list is complete, the contract submitted */
    uint8_t secret[32], own[32];   /* member: and its leaf */
    uint32_t participants;         /* owner: whose leaves it waits for */
    uint32_t node[DC_PERMUTATION_LEAVES_MAX];
    bool joined[DC_PERMUTATION_LEAVES_MAX];
    uint8_t leaf[DC_PERMUTATION_LEAVES_MAX][32]; /* owner: of participant i */
    uint32_t listed;                             /* member: how many the list has; 0: none yet */
    uint8_t list[DC_PERMUTATION_LEAVES_MAX][32]; /* owner: of those that joined, in order */
};

/* The engagement's memory becomes one of these; a member asks to join at the next block.  False:
 * more participants than a tree has places, or none. */
bool dc_app_members_begin(struct dc_engagement *g, const struct dc_app_env *env,
                          struct dc_effects *out);
/* JOIN to an owner, LIST to a member. */
void dc_app_members_message(struct dc_engagement *g, const struct dc_app_env *env,
                            const struct dc_input *in, struct dc_effects *out);
/* Owner: all joined, or at least `least` did and the others were waited for.  Fills root and list,
 * which from then on stays what it is. */
bool dc_app_members_ready(struct dc_engagement *g, const struct dc_app_env *env, uint32_t least,
                          uint8_t root[32]);
/* At each block, of both roles: sends what is due.  found: the contract, or NULL.  True for a
 * member that is to act now: it has the list, its height has come, and it has not tried lately
 * (which this notes). */
bool dc_app_members_step(struct dc_engagement *g, const struct dc_app_env *env,
                         const struct dc_contract *found, struct dc_effects *out);
/* Whether the engagement has waited for its contract in vain. */
bool dc_app_members_late(const struct dc_engagement *g, const struct dc_app_env *env);

#endif
