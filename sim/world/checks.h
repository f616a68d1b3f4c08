/* What the world keeps for its invariants; shared by observe_check.c (commits, blocks, votes) and
 * observe_level.c (queues, traffic, healing). */
#ifndef SIM_WORLD_CHECKS_H
#define SIM_WORLD_CHECKS_H

#include "sim/check/check.h"
#include "sim/world/inside.h"

#define CHECKS_PAST 4   /* epochs whose weights and beacon are remembered: more than three */
#define CHECKS_RING 256 /* heights whose final height is remembered */

/* What a final epoch leaves for the committees that are drawn from it. */
struct check_epoch {
    uint64_t epoch;
    uint32_t count;
    uint32_t *account; /* candidates for epoch + 3, and their weights */
    uint64_t *weight;
    struct dc_hash beacon;
    bool known;
};

struct check_list {
    void *data;
    uint32_t count, max;
};

struct world_checks {
    struct ds_checks *checks;
    struct dc_crypto crypto;     /* remembers nothing, counts nothing */
    uint32_t *validator, *other; /* node ids: validators, and all the others */
    uint32_t validators, others;
    struct check_epoch genesis, past[CHECKS_PAST];
    uint64_t committees;                /* epochs whose committee was compared */
    struct dc_block *looked;            /* found last; reference held while votes are looked at */
    uint64_t final_height[CHECKS_RING]; /* the chain's own, after the block of a height */
    uint64_t final_of[CHECKS_RING];     /* which height that is, plus 1 */
    struct check_newest { /* per node: its newest vote seen, to find who votes twice */
        uint64_t epoch, round;
        struct dc_hash block;
    } * newest;
    bool *doubled;
    struct check_list seen; /* in this barrier: struct check_seen */
    struct check_list offence, slash, drawn, settled;
    struct check_list image; /* key images of one block: struct dc_hash */
    uint64_t second;                     /* how many were looked at */
    int64_t recovery_ns, recovery_of_ns; /* since what it is counted; -1: nothing */
    bool recovered;
};

/* Whether what the node signs does not bind it: faults, or it is a validator that cheats. */
static inline bool world_deviates(const struct ds_world *w, uint32_t node)
{
    return (w->node[node]->validator != NULL &&
            (w->truth[node] & (WORLD_STRATEGIES_MAX - 1)) != 0) ||
           world_excused(w, node);
}
/* With each final block: which members hold two blocks of one round. */
void world_check_caught(struct ds_world *w, int64_t now_ns);
/* Room for one more, zeroed. */
void *world_check_add(struct check_list *list, size_t size_bytes);
/* What the block's transactions do to the shielded pool; `images` is room for its key images. */
void world_check_pool(struct check_list *images, const struct dc_block *b,
                      const struct dc_block *parent, struct ds_check_block *x);
/* The signature of a vote or timeout of a member of c, verified now. */
bool world_check_signature(const struct ds_world *w, const struct dc_committee *c,
                           const struct ds_check_signed *m);
void world_check_remember(struct ds_world *w, const struct dc_block *b, uint64_t first,
                          struct check_epoch *out);
struct ds_check_committee world_check_committee(const struct dc_committee *c);
/* The votes of every certificate that a node holds, after a fork. */
void world_check_certified(const void *world,
                           void (*take)(void *to, const struct ds_check_signed *vote), void *to);

#endif
