/* What the simulator itself must keep: every message accounted for, every queue within its limit,
 * and progress once the faults have healed. */
#include "sim/check/check.h"

#include <stdio.h>

#include "models/base/mem.h"

/* --- messages -------------------------------------------------------------------------------- */

static void messages_traffic(void *state, const struct ds_check_traffic *t)
{
    struct ds_check_plain *s = state;
    uint64_t made = t->sent + t->duplicated + t->replayed;
    uint64_t gone = t->delivered + t->lost + t->cut + t->queue_full + t->down + t->in_flight;
    if (made == gone)
        return;
    typedef unsigned long long ull;
    ds_check_tell(s->report, DS_CHECK_MESSAGES, t->time_ns,
                  "%llu messages of kind %s came into being (%llu sent, %llu duplicated, %llu "
                  "replayed) and %llu are accounted for: %llu delivered, %llu lost, %llu cut, %llu "
                  "queue full, %llu receiver down, %llu in flight",
                  (ull)made, t->kind, (ull)t->sent, (ull)t->duplicated, (ull)t->replayed, (ull)gone,
                  (ull)t->delivered, (ull)t->lost, (ull)t->cut, (ull)t->queue_full, (ull)t->down,
                  (ull)t->in_flight);
}

const struct ds_check_class ds_check_messages = {
    .name = "messages",
    .line =
        "of each kind, what was sent, duplicated and replayed was delivered or dropped, or is in "
        "flight",
    .state_bytes = sizeof(struct ds_check_plain),
    .init = ds_check_plain_init,
    .traffic = messages_traffic,
};

/* --- bounds ---------------------------------------------------------------------------------- */

static void bounds_level(void *state, const struct ds_check_level *l)
{
    struct ds_check_plain *s = state;
    if (l->level <= l->limit)
        return;
    if (l->node == UINT32_MAX)
        ds_check_tell(s->report, DS_CHECK_BOUNDS, l->time_ns,
                      "the simulator's %s hold %llu of %llu", l->queue,
                      (unsigned long long)l->level, (unsigned long long)l->limit);
    else
        ds_check_tell(s->report, DS_CHECK_BOUNDS, l->time_ns, "node %u's %s hold %llu of %llu",
                      l->node, l->queue, (unsigned long long)l->level,
                      (unsigned long long)l->limit);
}

const struct ds_check_class ds_check_bounds = {
    .name = "bounds",
    .line = "no queue grows beyond its limit",
    .state_bytes = sizeof(struct ds_check_plain),
    .init = ds_check_plain_init,
    .level = bounds_level,
};

/* --- liveness -------------------------------------------------------------------------------- */

struct liveness {
    struct ds_check_report *report;
    int64_t at_ns, until_ns; /* until 0: nothing is asked */
    uint32_t nodes;
    bool *moved; /* by node: made a block final that was proposed after the healing */
};

static void liveness_init(void *state, const struct ds_check_config *config,
                          struct ds_check_report *report)
{
    struct liveness *s = state;
    s->report = report;
    s->at_ns = config->heal_at_ns;
    s->until_ns = config->heal_within_ns > 0 ? config->heal_at_ns + config->heal_within_ns : 0;
    s->nodes = config->nodes;
    s->moved = dc_mem_need(config->nodes, sizeof *s->moved, "who makes progress");
}

static void liveness_free(void *state)
{
    dc_mem_free(((struct liveness *)state)->moved);
}

static void liveness_commit(void *state, const struct ds_check_commit *c)
{
    struct liveness *s = state;
    if (s->until_ns != 0 && c->proposed_ns > s->at_ns && c->time_ns <= s->until_ns)
        s->moved[c->node] = true;
}

static void liveness_moment(void *state, const struct ds_check_moment *m)
{
    struct liveness *s = state;
    if (s->until_ns == 0 || m->quorum == NULL)
        return;
    uint32_t waiting = 0;
    for (uint32_t n = 0; n < s->nodes; n++)
        waiting += m->quorum[n] && !s->moved[n];
    if (waiting == 0 && s->report->lively_ns == 0)
        s->report->lively_ns = m->time_ns;
    if (m->time_ns < s->until_ns)
        return;
    uint32_t stuck = 0, members = 0;
    char names[96] = "";
    size_t used = 0;
    for (uint32_t n = 0; n < s->nodes; n++) {
        members += m->quorum[n];
        if (!m->quorum[n] || !m->up[n] || s->moved[n])
            continue;
        if (stuck++ < 8)
            used += (size_t)snprintf(names + used, sizeof names - used, " %u", n);
    }
    if (stuck != 0)
        ds_check_tell(s->report, DS_CHECK_LIVENESS, s->until_ns,
                      "%.6f s after all faults healed for %u nodes, %u of them have made nothing "
                      "final that was proposed since:%s%s",
                      (double)(s->until_ns - s->at_ns) / 1e9, members, stuck, names,
                      stuck > 8 ? " ..." : "");
    s->until_ns = 0;
}

const struct ds_check_class ds_check_liveness = {
    .name = "liveness",
    .line = "once the faults have healed for a quorum, it makes new blocks final within the time "
            "stated",
    .state_bytes = sizeof(struct liveness),
    .init = liveness_init,
    .free = liveness_free,
    .commit = liveness_commit,
    .moment = liveness_moment,
};
