/* How far a run has come towards what it seldom comes to: numbers that only grow, as of the newest
 * epoch whose first block is final.  Splitting (sim/cmd_rare.c) makes copies where one passes a
 * level. */
#include <string.h>

#include "models/posync/posync.h"
#include "sim/world/observer.h"

/* Cheats' share of a committee's power. */
static void level_committee(struct ds_world *w, const struct dc_block *at, uint64_t epoch)
{
    struct level *l = &w->observer->level;
    const struct dc_committee *c = dc_store_committee(w->store, at, epoch);
    uint64_t cheats = 0;
    for (uint32_t i = 0; c != NULL && i < c->count; i++)
        if ((w->truth[c->member[i]] & WORLD_CHEATS) != 0)
            cheats += c->power[i];
    double share = c == NULL || c->total == 0 ? 0 : (double)cheats / (double)c->total;
    if (share > l->cheat_seat_share)
        l->cheat_seat_share = share;
}

void world_level_epoch(struct ds_world *w, const struct dc_block *b)
{
    struct level *l = &w->observer->level;
    double limit = (double)dc_posync_sprt_limit(&w->params);
    uint64_t epoch = b->header.epoch;
    if (epoch == 0)
        level_committee(w, b, 0);
    level_committee(w, b, epoch + 1);
    for (uint32_t n = 0; epoch != 0 && b->state != NULL && n < w->nodes; n++) {
        const struct dc_posync *r = &dc_state_account(b->state, n)->posync;
        if (w->group[n]->role != DS_ROLE_SERVICE)
            continue;
        bool fresh = r->ejected && !l->out[n], honest = !world_cheats(w, n, epoch - 1);
        l->out[n] = r->ejected;
        l->honest_ejections += fresh && honest;
        double near = (double)r->sprt_q16 / limit;
        if (honest && (fresh || !r->ejected) && near > l->nearest_ejection)
            l->nearest_ejection = near;
    }
}

static const char *const level_names[] = {"honest_ejections", "nearest_ejection",
                                          "cheat_seat_share"};

bool ds_world_level_known(const char *metric)
{
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (strcmp(metric, level_names[i]) == 0)
            return true;
    return false;
}

double ds_world_level(const struct ds_world *w, const char *metric)
{
    const struct level *l = &w->observer->level;
    const double value[] = {(double)l->honest_ejections, l->nearest_ejection, l->cheat_seat_share};
    for (size_t i = 0; i < sizeof level_names / sizeof level_names[0]; i++)
        if (strcmp(metric, level_names[i]) == 0)
            return value[i];
    return NAN;
}

void world_level_rows(struct ds_world *w)
{
    const struct level *l = &w->observer->level;
    world_scalar_count(w, "honest_ejections", l->honest_ejections);
    world_scalar_real(w, "nearest_ejection", l->nearest_ejection);
    world_scalar_real(w, "cheat_seat_share", l->cheat_seat_share);
}
