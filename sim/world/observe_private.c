/* What came of private payments and applications: notes of nodes, transactions of final blocks, and
 * the state at the end. */
#include <stdio.h>

#include "models/wire/tx.h"
#include "sim/world/observer.h"
#include "sim/world/private_inside.h"

static void private_app_note(struct world_private *v, const struct note *n)
{
    uint32_t number = (uint32_t)n->a;
    if (number >= v->apps)
        return;
    struct private_app *app = &v->app[number];
    v->refused += n->b == DC_APP_REFUSED;
    for (uint32_t i = 0; n->b != DC_APP_REFUSED && i < app->members; i++)
        if (world_private_member(app, i) == n->node && !app->answer[i].given)
            app->answer[i] = (struct private_answer){true, n->b};
}

void world_private_note(struct ds_world *w, const struct note *n)
{
    struct world_private *v = w->private;
    if (v == NULL)
        return;
    if (n->note == DC_NOTE_APP) {
        private_app_note(v, n);
    } else if (n->note == DC_NOTE_PAID) {
        v->called++;
        v->failed += n->b == 0;
        if (n->b != 0)
            dc_histogram_add(&v->latency, (int64_t)n->a);
    }
}

void world_private_commit(struct ds_world *w, const struct commit *c, bool fresh)
{
    struct world_private *v = w->private;
    if (v == NULL)
        return;
    uint64_t proofs = 0, payments = 0;
    for (uint32_t i = 0; i < c->block->tx_count; i++) {
        uint8_t kind = c->block->tx[i].bytes[0];
        payments += kind == DC_TX_SHIELDED;
        proofs += kind == DC_TX_SHIELDED || kind == DC_TX_CALL || kind == DC_TX_BEACON;
    }
    v->proofs += proofs;
    if (fresh)
        v->payments += payments;
}

/* --- rows ------------------------------------------------------------------------------------ */

void world_private_block(struct ds_world *w, const struct dc_block *b)
{
    struct world_private *v = w->private;
    for (uint32_t i = 0; v != NULL && i < b->tx_count; i++) {
        v->row.payments += b->tx[i].bytes[0] == DC_TX_SHIELDED;
        v->row.calls += b->tx[i].bytes[0] == DC_TX_CALL;
    }
}

void world_private_row(struct ds_world *w, const struct dc_block *b)
{
    struct world_private *v = w->private;
    if (v == NULL)
        return;
    const struct dc_vault_meta *m = dc_state_vault(b->state);
    v->row.notes = m->notes;
    v->row.key_images = m->images;
    v->row.pool = m->pool;
    v->row.contracts = m->contracts;
    v->row.marks = m->marks;
    v->row.grants = m->grants;
    v->row.beacons = m->beacon_height;
    world_append(w, DS_TABLE_PRIVATE, &v->row);
    v->row = (struct ds_row_private){0};
}

/* --- the summary ------------------------------------------------------------------------------ */

static void private_latency(struct ds_world *w, const struct dc_histogram *h)
{
    static const struct {
        const char *name;
        uint32_t percent;
    } q[] = {{"payment_latency.p50", 50}, {"payment_latency.p95", 95}, {"payment_latency.p99", 99}};
    for (size_t i = 0; i < 3; i++)
        world_scalar_real(
            w, q[i].name,
            h->count == 0 ? NAN : (double)dc_histogram_quantile(h, q[i].percent, 100) / 1e9);
    world_scalar_real(w, "payment_latency.mean",
                      h->count == 0 ? NAN : (double)dc_histogram_mean(h) / 1e9);
    world_scalar_real(w, "payment_latency.max", h->count == 0 ? NAN : (double)h->max / 1e9);
}

static void private_contracts(struct ds_world *w, const struct dc_state *state)
{
    uint64_t opened[DC_CONTRACT_COUNT] = {0}, settled[DC_CONTRACT_COUNT] = {0}, all = 0, over = 0;
    uint32_t count = dc_state_vault(state)->contracts;
    for (uint32_t i = 0; i < count; i++) {
        const struct dc_contract *c = dc_state_contract(state, i);
        bool last = c->phase == DC_CONTRACT_OVER;
        opened[c->kind]++;
        settled[c->kind] += last;
        all++;
        over += last;
    }
    world_scalar_count(w, "contracts_opened", all);
    world_scalar_count(w, "contracts_settled", over);
    for (uint32_t k = 1; k < DC_CONTRACT_COUNT; k++) {
        char name[64];
        if (opened[k] == 0)
            continue;
        snprintf(name, sizeof name, "contracts_opened.%s", dc_contract_class_of((uint8_t)k)->name);
        world_scalar_count(w, name, opened[k]);
        snprintf(name, sizeof name, "contracts_settled.%s", dc_contract_class_of((uint8_t)k)->name);
        world_scalar_count(w, name, settled[k]);
    }
}

static void private_results(struct ds_world *w)
{
    const struct world_private *v = w->private;
    uint64_t done = 0, right = 0;
    for (uint32_t i = 0; i < v->apps; i++) {
        char name[128];
        const struct private_app *app = &v->app[i];
        done += world_private_done(app);
        right += world_private_right(app);
        snprintf(name, sizeof name, "application_result.%s", app->from->name);
        world_scalar_real(w, name, world_private_result(app));
        snprintf(name, sizeof name, "application_exact.%s", app->from->name);
        world_scalar_real(w, name, world_private_done(app) ? world_private_right(app) : NAN);
    }
    world_scalar_count(w, "applications_done", done);
    world_scalar_count(w, "applications_exact", right);
    world_scalar_count(w, "applications_refused", v->refused);
    world_scalar_real(w, "training_exact", world_private_exact(w, DC_APP_TRAINING));
    world_scalar_real(w, "inference_exact", world_private_exact(w, DC_APP_INFERENCE));
}

/* The state of the highest final block that a node has. */
static const struct dc_state *private_state(const struct ds_world *w)
{
    const struct dc_block *best = NULL;
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct dc_block *b = w->node[n]->chain->final;
        if (b->state != NULL && (best == NULL || b->header.height > best->header.height))
            best = b;
    }
    DC_CHECK(best != NULL); /* genesis stands at every node */
    return best->state;
}

void world_private_summary(struct ds_world *w)
{
    const struct world_private *v = w->private;
    if (v == NULL)
        return;
    const struct dc_state *state = private_state(w);
    const struct dc_vault_meta *m = dc_state_vault(state);
    world_scalar_count(w, "payments_private", v->payments);
    world_scalar_count(w, "payments_called", v->called);
    world_scalar_count(w, "payments_failed", v->failed);
    private_latency(w, &v->latency);
    world_scalar_count(w, "notes", m->notes);
    world_scalar_count(w, "key_images", m->images);
    world_scalar_real(w, "shielded_pool", (double)m->pool / (double)DC_DSYNC);
    world_scalar_count(w, "proofs_checked", v->proofs);
    private_contracts(w, state);
    world_scalar_count(w, "grants", m->grants);
    world_scalar_count(w, "beacons", m->beacon_height);
    private_results(w);
}
