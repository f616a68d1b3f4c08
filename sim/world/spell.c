/* Who cheated when, what came of it, and what each strategy earned.
 *
 *     epoch        0   1   2   3   4   5   6
 *     node 17      .   G   G   G   .   .   G      two spells of `ghost`: from 1, and from 6
 *                          |failed              found after 2 epochs; the second one is censored
 *
 * Spells turn when the first block of an epoch is closed, so that everything that an epoch brings
 * falls into the spell that it was brought by; a burst's begins in the middle of one. */
#include "models/base/mem.h"
#include "sim/world/observer.h"

static void spell_end(struct ds_world *w, struct fate *f, uint64_t epoch)
{
    struct tally *t = &w->observer->tally[f->spell_strategy];
    uint32_t begin = f->spell, end = (uint32_t)epoch + 1; /* [begin, end), epochs + 1 */
    double length = end > begin ? end - begin : 0;
    t->spells++;
    t->found += f->failed != 0;
    t->detect_5 += f->failed != 0 && f->failed - begin < 5;
    t->detect_20 += f->failed != 0 && f->failed - begin < 20;
    t->ejected += f->ejected != 0;
    t->flagged += f->flagged;
    t->mttd += f->failed != 0 ? f->failed - begin + 1 : length;
    t->time_to_eject += f->ejected != 0 ? (double)f->ejected - begin + 1 : length;
    f->spell = f->failed = f->ejected = 0;
    f->flagged = false;
}

void world_spell_turn(struct ds_world *w, uint32_t node, uint64_t epoch)
{
    struct fate *f = &w->observer->fate[node];
    uint8_t truth = world_truth(w, node, epoch);
    uint8_t index = truth & (WORLD_STRATEGIES_MAX - 1);
    bool cheats = (truth & WORLD_CHEATS) != 0;
    if (f->spell > epoch + 1)
        return; /* a burst's, which was seen at once: the rows are not there yet */
    if (f->spell != 0 && (!cheats || f->spell_strategy != index))
        spell_end(w, f, epoch);
    if (cheats && f->spell == 0) {
        f->spell = (uint32_t)epoch + 1;
        f->spell_strategy = index;
    }
}

void world_spells_turn(struct ds_world *w, uint64_t epoch)
{
    if (epoch != 0 && w->truth_past == NULL)
        return;
    for (uint32_t n = 0; n < w->nodes; n++)
        world_spell_turn(w, n, epoch);
}

void world_spells_end(struct ds_world *w)
{
    for (uint32_t n = 0; n < w->nodes; n++)
        if (w->observer->fate[n].spell != 0)
            spell_end(w, &w->observer->fate[n], w->observer->epochs);
}

/* --- what strategies earn ------------------------------------------------------------------- */

void world_tally_node(struct ds_world *w, uint32_t node, uint64_t epoch, uint64_t reward)
{
    struct fate *f = &w->observer->fate[node];
    uint8_t truth = world_truth(w, node, epoch);
    struct tally *t = &w->observer->epoch_tally[truth & (WORLD_STRATEGIES_MAX - 1)];
    /* Cheats of either role are told apart by their strategy; honest validators, who earn by other
     * rules, would only blur what honest service nodes earn. */
    if (w->group[node]->role == DS_ROLE_CLIENT ||
        (w->group[node]->role == DS_ROLE_VALIDATOR && (truth & (WORLD_STRATEGIES_MAX - 1)) == 0)) {
        f->slashed_epoch = 0;
        return;
    }
    uint64_t washed = f->out ? 0 : world_wash_cost(w, node, truth);
    uint64_t cost = f->out ? 0 : washed + world_holding_cost(w, node, truth);
    t->nodes++;
    t->in += !f->out;
    t->reward += reward;
    t->leaked += truth == 0 || (truth & WORLD_CHEATS) != 0 ? reward : 0;
    t->slashed += f->slashed_epoch;
    t->washed += washed;
    t->payoff += (int64_t)reward - (int64_t)f->slashed_epoch - (int64_t)cost;
    f->slashed_epoch = 0;
}

void world_tally_epoch(struct ds_world *w, uint64_t epoch)
{
    for (uint32_t i = 0; i < w->strategies; i++) {
        struct tally *t = &w->observer->epoch_tally[i], *sum = &w->observer->tally[i];
        struct ds_row_strategy row = {.epoch = epoch,
                                      .strategy = (uint8_t)i,
                                      .nodes = t->in,
                                      .payoff = world_ratio((double)t->payoff, (double)t->in),
                                      .reward = t->reward,
                                      .slashed = t->slashed};
        world_append(w, DS_TABLE_STRATEGIES, &row);
        sum->nodes += t->nodes;
        sum->in += t->in;
        sum->reward += t->reward;
        sum->leaked += t->leaked;
        sum->slashed += t->slashed;
        sum->payoff += t->payoff;
        sum->washed += t->washed;
        *t = (struct tally){0};
    }
}
