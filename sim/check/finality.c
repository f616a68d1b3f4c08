/* Agreement, and what one node makes final.
 *
 *   agreement   id[height]: the first 16 bytes of the id that became final there first.  An id
 *               hashes the state's root too, so equal ids are equal states
 *   prefix      tip[node]: the height and id that the node made final last, and in which life */
#include "sim/check/check.h"

#include "models/base/mem.h"

#define ID_BYTES 16

struct agreement {
    struct ds_check_report *report;
    uint8_t (*id)[ID_BYTES]; /* by height; all zero: nobody has made it final yet */
    uint32_t *who;           /* did so first */
    uint64_t count_max;
};

static void agreement_init(void *state, const struct ds_check_config *config,
                           struct ds_check_report *report)
{
    (void)config;
    ((struct agreement *)state)->report = report;
}

static void agreement_free(void *state)
{
    struct agreement *s = state;
    dc_mem_free(s->id);
    dc_mem_free(s->who);
}

static void agreement_room(struct agreement *s, uint64_t height)
{
    if (height < s->count_max)
        return;
    uint64_t max = s->count_max == 0 ? 1024 : s->count_max;
    while (max <= height)
        max *= 2;
    s->id = dc_mem_grow(s->id, max, sizeof *s->id);
    s->who = dc_mem_grow(s->who, max, sizeof *s->who);
    DC_CHECK(s->id != NULL && s->who != NULL);
    memset(s->id + s->count_max, 0, (max - s->count_max) * sizeof *s->id);
    s->count_max = max;
}

static void agreement_commit(void *state, const struct ds_check_commit *c)
{
    static const uint8_t none[ID_BYTES];
    struct agreement *s = state;
    agreement_room(s, c->height);
    uint8_t *id = s->id[c->height];
    if (memcmp(id, none, ID_BYTES) == 0) {
        memcpy(id, c->id.b, ID_BYTES);
        s->who[c->height] = c->node;
        return;
    }
    if (memcmp(id, c->id.b, ID_BYTES) != 0)
        ds_check_tell(s->report, DS_CHECK_AGREEMENT, c->time_ns,
                      "node %u made another block of height %llu final (%02x%02x%02x%02x...) than "
                      "node %u (%02x%02x%02x%02x...)",
                      c->node, (unsigned long long)c->height, c->id.b[0], c->id.b[1], c->id.b[2],
                      c->id.b[3], s->who[c->height], id[0], id[1], id[2], id[3]);
}

const struct ds_check_class ds_check_agreement = {
    .name = "agreement",
    .line = "no two nodes ever make different blocks, or states, of one height final",
    .state_bytes = sizeof(struct agreement),
    .init = agreement_init,
    .free = agreement_free,
    .commit = agreement_commit,
};

/* --- prefix ---------------------------------------------------------------------------------- */

struct prefix {
    struct ds_check_report *report;
    struct tip {
        uint64_t height; /* UINT64_MAX: none yet */
        uint8_t id[ID_BYTES];
        uint32_t incarnation;
    } * tip; /* by node: two to a cache line, because every commit of every node comes here */
    uint32_t nodes;
};

static void prefix_init(void *state, const struct ds_check_config *config,
                        struct ds_check_report *report)
{
    struct prefix *s = state;
    s->report = report;
    s->nodes = config->nodes;
    s->tip = dc_mem_need(config->nodes, sizeof *s->tip, "the nodes' final blocks");
    for (uint32_t n = 0; n < s->nodes; n++)
        s->tip[n].height = UINT64_MAX;
}

static void prefix_free(void *state)
{
    dc_mem_free(((struct prefix *)state)->tip);
}

/* A jump ahead (state sync), and what a new life repeats, must be what all others have there:
 * agreement looks at that. */
static void prefix_commit(void *state, const struct ds_check_commit *c)
{
    struct prefix *s = state;
    DC_CHECK(c->node < s->nodes);
    struct tip *t = &s->tip[c->node];
    unsigned long long height = c->height, before = t->height;
    if (c->height == t->height + 1 && t->height != UINT64_MAX &&
        memcmp(c->parent.b, t->id, ID_BYTES) != 0)
        ds_check_tell(s->report, DS_CHECK_PREFIX, c->time_ns,
                      "node %u made a block of height %llu final that does not extend what it had "
                      "made final at height %llu",
                      c->node, height, before);
    else if (t->height != UINT64_MAX && c->height == t->height &&
             memcmp(c->id.b, t->id, ID_BYTES) != 0)
        ds_check_tell(s->report, DS_CHECK_PREFIX, c->time_ns,
                      "node %u made height %llu final once more, and differently", c->node, height);
    else if (t->height != UINT64_MAX && c->height <= t->height && c->incarnation == t->incarnation)
        ds_check_tell(s->report, DS_CHECK_PREFIX, c->time_ns,
                      "node %u went back from height %llu to %llu without a restart", c->node,
                      before, height);
    t->height = c->height;
    memcpy(t->id, c->id.b, ID_BYTES);
    t->incarnation = c->incarnation;
}

const struct ds_check_class ds_check_prefix = {
    .name = "prefix",
    .line = "what a node makes final extends what it made final, also over restarts",
    .state_bytes = sizeof(struct prefix),
    .init = prefix_init,
    .free = prefix_free,
    .commit = prefix_commit,
};
