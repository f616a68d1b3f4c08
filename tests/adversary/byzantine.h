/* A town some of whose nodes misbehave from the start, and what a test asks of it: how far the
 * honest came, whether they agree, who was punished, what was refused. */
#ifndef TESTS_ADVERSARY_BYZANTINE_H
#define TESTS_ADVERSARY_BYZANTINE_H

#include "models/adversary/byzantine.h"
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)

static inline struct dc_node_config byz_node_config(struct town *t, uint32_t n)
{
    return (struct dc_node_config){.chain = TOWN_CHAIN,
                                   .id = n,
                                   .role = DC_NODE_VALIDATOR,
                                   .store = t->store,
                                   .crypto = &t->crypto,
                                   .params = &t->params,
                                   .key_seed = TOWN_SEED};
}

/* Begins a behaviour at every node of `corrupt` (a mask: towns are small). */
static inline void byz_begin(struct town *t, uint64_t corrupt, struct dc_byzantine_config c)
{
    struct dc_error error = {0};
    c.nodes = t->nodes;
    c.share = c.share == 0 ? DC_ONE : c.share;
    c.clique = &corrupt;
    for (uint32_t n = 0; n < t->nodes; n++) {
        if ((corrupt >> n & 1) == 0)
            continue;
        struct dc_node_config node = byz_node_config(t, n);
        c.node = &node;
        c.seed = dc_name_indexed("fault", n);
        CU_ASSERT_EQUAL_FATAL(dc_byzantine_begin(t->node[n], &c, &error), DC_OK);
        CU_ASSERT_TRUE(dc_byzantine_active(t->node[n]));
    }
}

static inline void byz_end(struct town *t, uint64_t corrupt, enum dc_behaviour behaviour)
{
    for (uint32_t n = 0; n < t->nodes; n++)
        if ((corrupt >> n & 1) != 0) {
            dc_byzantine_end(t->node[n], behaviour);
            CU_ASSERT_FALSE(dc_byzantine_active(t->node[n]));
        }
}

/* Whether no two nodes outside the mask have different final blocks of one height. */
static inline bool byz_agree(const struct town *t, uint64_t corrupt)
{
    for (uint32_t a = 0; a < t->nodes; a++)
        for (uint32_t b = a + 1; b < t->nodes; b++) {
            if ((corrupt >> a & 1) != 0 || (corrupt >> b & 1) != 0)
                continue;
            uint64_t h = t->height[a] < t->height[b] ? t->height[a] : t->height[b];
            const struct dc_block *x = t->node[a]->chain->final, *y = t->node[b]->chain->final;
            while (x->header.height > h)
                x = atomic_load(&x->parent);
            while (y->header.height > h)
                y = atomic_load(&y->parent);
            if (x != y)
                return false;
        }
    return true;
}

/* The lowest and the highest final height outside the mask. */
static inline uint64_t byz_lowest(const struct town *t, uint64_t corrupt)
{
    uint64_t h = UINT64_MAX;
    for (uint32_t n = 0; n < t->nodes; n++)
        if ((corrupt >> n & 1) == 0 && t->height[n] < h)
            h = t->height[n];
    return h;
}

/* What the nodes outside the mask have refused. */
static inline uint64_t byz_refused(const struct town *t, uint64_t corrupt)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < t->nodes; n++)
        sum += (corrupt >> n & 1) == 0 ? t->refused[n] : 0;
    return sum;
}

/* Accounts punished for equivocation, as a mask, on the chain of a node. */
static inline uint64_t byz_slashed(const struct town *t, uint32_t witness)
{
    uint64_t mask = 0;
    for (uint32_t n = 0; n < t->nodes; n++)
        mask |= (uint64_t)(dc_state_account(town_state(t, witness), n)->slashed_equivocation != 0)
                << n;
    return mask;
}

/* --- what one node sends ---------------------------------------------------------------------- */

#define BYZ_CAUGHT 8192
struct byz_letter {
    int64_t time_ns;
    uint32_t from, to, size;
    uint8_t *bytes;
};
struct byz_catch {
    const struct town *town;
    uint64_t from;  /* whose letters, a mask */
    uint32_t kinds; /* which, a mask of 1 << enum dc_message */
    uint32_t count;
    struct byz_letter letter[BYZ_CAUGHT];
};

static inline bool byz_catch(void *context, uint32_t from, uint32_t to, const uint8_t *bytes,
                             size_t size)
{
    struct byz_catch *c = context;
    if ((c->from >> from & 1) == 0 || (c->kinds >> bytes[0] & 1) == 0 || c->count == BYZ_CAUGHT)
        return false;
    struct byz_letter *l = &c->letter[c->count++];
    *l = (struct byz_letter){c->town->now_ns, from, to, (uint32_t)size, malloc(size)};
    memcpy(l->bytes, bytes, size);
    return false;
}

static inline struct byz_catch *byz_watch(struct town *t, uint64_t from, uint32_t kinds)
{
    struct byz_catch *c = calloc(1, sizeof *c);
    c->town = t;
    c->from = from;
    c->kinds = kinds;
    t->lose = byz_catch;
    t->context = c;
    return c;
}

static inline void byz_catch_free(struct byz_catch *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        free(c->letter[i].bytes);
    free(c);
}

#endif
