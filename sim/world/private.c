/* Who is called for private payments and applications, and when.
 *
 * Every draw is keyed: of a payment by (seed, client, purpose, ordinal), of an application by (seed,
 * its name, purpose, member), where a member is named as nodes are.  So the parts of one application
 * stay when another comes or goes, and no draw of other demand moves.
 *
 * Keys are dealt by a ceremony before genesis; who holds them are the first validators. */
#include "sim/world/private.h"

#include "models/base/mem.h"
#include "models/client/wallet.h"
#include "models/crypto/logarithm.h"
#include "models/crypto/permutation.h"
#include "models/privacy/auction.h"
#include "models/privacy/training.h"
#include "models/privacy/usage.h"
#include "sim/world/population.h"
#include "sim/world/private_inside.h"

#define KIND_SHIFT 60
enum { CALL_APP, CALL_SHIELD, CALL_PAY };
#define SHIELD_FROM_NS INT64_C(1000000000)
#define SHIELD_SPREAD_NS INT64_C(1000000000)
#define SHIELD_EVERY_NS INT64_C(2000000000) /* a wallet has few of them under way at once */

static uint64_t private_payload(uint64_t kind, uint64_t number, uint64_t rest)
{
    return WORLD_CALL_PRIVATE | kind << KIND_SHIFT | number << 32 | rest;
}
static uint32_t private_kind(uint64_t payload)
{
    return (uint32_t)(payload >> KIND_SHIFT) & 3;
}

const char *ds_world_private_call(uint64_t payload)
{
    static const char *const words[] = {[CALL_APP] = "take part in a private application",
                                        [CALL_SHIELD] = "turn money into a private note",
                                        [CALL_PAY] = "pay privately"};
    uint32_t kind = private_kind(payload);
    return (payload & WORLD_CALL_PRIVATE) != 0 && kind < sizeof words / sizeof words[0]
               ? words[kind]
               : NULL;
}

static uint64_t private_draw(const struct ds_world *w, uint64_t identity, const char *purpose,
                             uint64_t ordinal)
{
    struct dc_stream s = dc_stream(w->luck, identity, dc_name(purpose));
    return dc_stream_at(&s, ordinal);
}

static uint32_t private_below(uint64_t u, uint32_t n)
{
    return (uint32_t)((unsigned __int128)u * n >> 64);
}

static enum dc_status private_memory(struct dc_error *error)
{
    return dc_error_set(error, DC_ERR_IO, "out of memory for private applications");
}

/* --- keys ------------------------------------------------------------------------------------ */

static enum dc_status private_holders(struct ds_world *w, struct dc_error *error)
{
    struct world_private *v = w->private;
    uint32_t account[DC_KEY_HOLDERS_MAX], count = 0;
    for (uint32_t n = 0; n < w->nodes && count < w->params.holders; n++)
        if (w->group[n]->role == DS_ROLE_VALIDATOR)
            account[count++] = n;
    v->secret = dc_mem_alloc(count + 1, sizeof *v->secret);
    if (v->secret == NULL)
        return private_memory(error);
    bool totals = false;
    for (size_t i = 0; i < w->scenario->applications_count; i++)
        totals = totals || w->scenario->applications[i].kind == DS_APPLICATION_USAGE ||
                 w->scenario->applications[i].kind == DS_APPLICATION_RATING;
    enum dc_status s = dc_holders_make(w->scenario->seed, account, count, w->params.threshold,
                                       &v->holders, v->secret, error);
    if (s == DC_OK && totals)
        s = dc_logarithm_create(DC_LOGARITHM_BYTES, &v->table, error);
    for (uint32_t i = 0; s == DC_OK && i < count; i++)
        v->secret[i].table = v->table;
    return s;
}

static enum dc_status private_book(struct ds_world *w, struct dc_error *error)
{
    struct world_private *v = w->private;
    v->book = dc_mem_alloc(w->nodes, sizeof *v->book);
    v->client = dc_mem_alloc(w->nodes, sizeof *v->client);
    if (v->book == NULL || v->client == NULL)
        return private_memory(error);
    for (uint32_t n = 0; n < w->nodes; n++) {
        struct dc_keypair key;
        if (w->group[n]->role != DS_ROLE_CLIENT)
            continue;
        dc_node_keys(w->scenario->seed, n, &key, NULL);
        dc_wallet_address(&key, &v->book[n]);
        v->client[v->clients++] = n;
    }
    return DC_OK;
}

enum dc_status world_private_keys(struct ds_world *w, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    if (!sc->privacy)
        return DC_OK;
    struct world_private *v = w->private = dc_mem_alloc(1, sizeof *v);
    if (v == NULL)
        return private_memory(error);
    enum dc_status s = w->params.holders != 0 ? private_holders(w, error) : DC_OK;
    bool pays = false;
    for (size_t i = 0; i < sc->groups_count; i++)
        pays = pays || sc->groups[i].payments.given;
    return s == DC_OK && pays ? private_book(w, error) : s;
}

const struct dc_holders *world_private_holders(const struct ds_world *w)
{
    return w->private != NULL && w->private->holders.count != 0 ? &w->private->holders : NULL;
}

void world_private_config(const struct ds_world *w, uint32_t node, struct dc_node_config *config)
{
    const struct world_private *v = w->private;
    if (v == NULL)
        return;
    config->book = v->book;
    config->book_count = v->book != NULL ? w->nodes : 0;
    for (uint32_t i = 0; i < v->holders.count; i++)
        if (v->holders.account[i] == node)
            config->holder = &v->secret[i];
}

/* --- applications ----------------------------------------------------------------------------- */

/* The one node that a selector of one names. */
static enum dc_status private_one(struct ds_world *w, const struct ds_application *a,
                                  const char *what, const struct ds_selector *s, uint32_t *out,
                                  struct dc_error *error)
{
    *out = UINT32_MAX;
    if (s == NULL)
        return DC_OK;
    bool *member = dc_mem_need(w->nodes, sizeof *member, "an application's members");
    struct ds_population p = {.scenario = w->scenario, .region = w->region, .power = w->power};
    ds_selector_match(s, &p, w->scenario->seed, dc_name(a->name) ^ dc_name(what), member);
    for (uint32_t n = 0; n < w->nodes && *out == UINT32_MAX; n++)
        if (member[n])
            *out = n;
    dc_mem_free(member);
    return *out != UINT32_MAX
               ? DC_OK
               : dc_error_set(error, DC_ERR_USAGE, "application %s: %s `%s` matches nothing",
                              a->name, what, s->text);
}

static enum dc_status private_members(struct ds_world *w, struct private_app *app,
                                      struct dc_error *error)
{
    const struct ds_application *a = app->from;
    enum dc_status s = private_one(w, a, "owner", a->owner, &app->owner, error);
    if (s == DC_OK)
        s = private_one(w, a, "node", a->node, &app->node, error);
    if (s != DC_OK)
        return s;
    if (a->owner == NULL) /* who computes owns the model, too */
        app->owner = app->node;
    else if (app->node == app->owner)
        return dc_error_set(error, DC_ERR_USAGE,
                            "application %s: owner and node are the same one: choose another",
                            a->name);
    bool *member = dc_mem_need(w->nodes, sizeof *member, "an application's members");
    struct ds_population p = {.scenario = w->scenario, .region = w->region, .power = w->power};
    ds_selector_match(a->participants, &p, w->scenario->seed,
                      dc_name(a->name) ^ dc_name("participants"), member);
    app->participant = dc_mem_need(w->nodes, sizeof *app->participant, "participants");
    for (uint32_t n = 0; n < w->nodes; n++)
        if (member[n] && n != app->owner && n != app->node)
            app->participant[app->participants++] = n;
    dc_mem_free(member);
    const struct ds_participants *range = &ds_application_participants[a->kind];
    if (app->participants > range->most)
        return dc_error_set(error, DC_ERR_USAGE,
                            "application %s: `%s` are %u participants beside its owner and node: "
                            "choose at most %u",
                            a->name, a->participants->text, app->participants, range->most);
    if (app->participants < range->least ||
        (a->kind == DS_APPLICATION_ESCROW && app->participants < a->threshold))
        return dc_error_set(error, DC_ERR_USAGE,
                            "application %s: `%s` leaves %u participants beside its owner and "
                            "node: choose more",
                            a->name, a->participants->text, app->participants);
    app->members = 1 + app->participants + (app->node != UINT32_MAX && app->node != app->owner);
    return DC_OK;
}

uint32_t world_private_member(const struct private_app *app, uint32_t i)
{
    return i == 0 ? app->owner : i <= app->participants ? app->participant[i - 1] : app->node;
}

/* A member's own number: its bid, rating, report; what an owner puts down. */
static uint64_t private_value(const struct ds_world *w, const struct private_app *app,
                              const struct dc_dist *dist, uint32_t i)
{
    const struct ds_application *a = app->from;
    if (a->kind == DS_APPLICATION_USAGE && i == 0)
        return a->payment;
    if (a->kind > DS_APPLICATION_USAGE)
        return 0;
    uint64_t u = private_draw(w, dc_name(a->name) ^ w->identity[world_private_member(app, i)],
                              "application-value", 0);
    int64_t value = dc_dist_at(dist, u);
    return value < 0 ? 0 : (uint64_t)value;
}

static void private_calls(const struct ds_world *w, struct private_app *app, uint32_t number,
                          const struct dc_dist *dist)
{
    const struct ds_application *a = app->from;
    uint64_t identity = dc_name(a->name);
    for (uint32_t i = 0; i < app->members; i++) {
        uint64_t own = identity ^ w->identity[world_private_member(app, i)];
        app->call[i] = (struct dc_app_call){.kind = (uint8_t)a->kind,
                                            .role = i == 0                   ? DC_APP_OWNER
                                                    : i <= app->participants ? DC_APP_PARTICIPANT
                                                                             : DC_APP_NODE,
                                            .number = number,
                                            .owner = app->owner,
                                            .tag = private_draw(w, identity, "application-tag", 0),
                                            .close = a->close,
                                            .end = a->end,
                                            .value = private_value(w, app, dist, i),
                                            .bound = a->kind == DS_APPLICATION_ESCROW ? a->threshold
                                                                                      : a->bound,
                                            .node = app->node,
                                            .count = app->participants,
                                            .participant = app->participant,
                                            .rounds = a->rounds,
                                            .features = a->features,
                                            .samples = a->samples,
                                            .model = (uint8_t)a->model,
                                            .seed = private_draw(w, own, "application-data", 0)};
    }
}

static enum dc_status private_app(struct ds_world *w, uint32_t number, struct dc_error *error)
{
    _Static_assert((int)DS_APPLICATION_KINDS == (int)DC_APP_KINDS &&
                       (int)DS_APPLICATION_TRAINING == (int)DC_APP_TRAINING &&
                       (int)DS_APPLICATION_USAGE == (int)DC_APP_USAGE,
                   "kinds of applications in one order");
    _Static_assert(DS_BIDDERS_MAX == DC_AUCTION_BIDS_MAX &&
                       DS_LEAVES_MAX == DC_PERMUTATION_LEAVES_MAX &&
                       DS_REPORTERS_MAX == DC_USAGE_REPORTERS_MAX &&
                       DS_TRAINERS_MAX == DC_TRAINING_PARTICIPANTS_MAX,
                   "as many as applications take");
    struct private_app *app = &w->private->app[number];
    const struct ds_application *a = app->from = &w->scenario->applications[number];
    enum dc_status s = private_members(w, app, error);
    if (s != DC_OK)
        return s;
    const struct ds_dist_spec *spec =
        a->kind == DS_APPLICATION_AUCTION || a->kind == DS_APPLICATION_ESCROW ? &a->amount
                                                                              : &a->value;
    struct dc_dist *dist = dc_mem_alloc(1, sizeof *dist);
    app->call = dc_mem_alloc(app->members, sizeof *app->call);
    app->answer = dc_mem_alloc(app->members, sizeof *app->answer);
    if (dist == NULL || app->call == NULL || app->answer == NULL) {
        dc_mem_free(dist);
        return private_memory(error);
    }
    if (a->kind <= DS_APPLICATION_USAGE)
        s = world_tabulate(spec, 1, dist, error);
    if (s == DC_OK)
        private_calls(w, app, number, dist);
    dc_mem_free(dist);
    return s;
}

/* --- payments --------------------------------------------------------------------------------- */

static enum dc_status private_group(struct ds_world *w, size_t i, struct dc_error *error)
{
    const struct ds_payments *from = &w->scenario->groups[i].payments;
    struct private_group *g = &w->private->group[i];
    if (!from->given)
        return DC_OK;
    if (from->arrivals.kind == DS_DIST_POISSON && from->arrivals.args[0] > 0) {
        double gap = 1e9 / from->arrivals.args[0];
        g->gap_mean_ns = gap > 9e18 ? INT64_MAX : gap < 1 ? 1 : (int64_t)gap;
    }
    return world_tabulate(&from->amount, 1, &g->amount, error);
}

enum dc_status world_private_create(struct ds_world *w, struct dc_error *error)
{
    const struct ds_scenario *sc = w->scenario;
    struct world_private *v = w->private;
    if (v == NULL)
        return DC_OK;
    v->group = dc_mem_alloc(sc->groups_count, sizeof *v->group);
    v->app = dc_mem_alloc(sc->applications_count + 1, sizeof *v->app);
    if (v->group == NULL || v->app == NULL)
        return private_memory(error);
    enum dc_status s = DC_OK;
    for (size_t i = 0; s == DC_OK && i < sc->groups_count; i++)
        s = private_group(w, i, error);
    v->apps = (uint32_t)sc->applications_count;
    for (uint32_t i = 0; s == DC_OK && i < v->apps; i++)
        s = private_app(w, i, error);
    return s;
}

void world_private_free(struct ds_world *w)
{
    struct world_private *v = w->private;
    if (v == NULL)
        return;
    for (uint32_t i = 0; i < v->apps; i++) {
        dc_mem_free(v->app[i].participant);
        dc_mem_free(v->app[i].call);
        dc_mem_free(v->app[i].answer);
    }
    dc_mem_free(v->app);
    dc_mem_free(v->group);
    dc_mem_free(v->client);
    dc_mem_free(v->book);
    dc_mem_free(v->secret);
    dc_logarithm_destroy(v->table);
    dc_mem_free(v);
    w->private = NULL;
}

/* --- calls ------------------------------------------------------------------------------------ */

void world_private_start(struct ds_world *w)
{
    const struct world_private *v = w->private;
    if (v == NULL)
        return;
    for (uint32_t n = 0; n < w->nodes; n++) {
        const struct ds_payments *p = &w->group[n]->payments;
        if (!p->given)
            continue;
        uint64_t u = private_draw(w, w->identity[n], "shield", 0);
        int64_t at = SHIELD_FROM_NS + (int64_t)((unsigned __int128)u * SHIELD_SPREAD_NS >> 64);
        if (p->shield != 0)
            world_post_self(w, 0, n, at, EV_CALL, private_payload(CALL_SHIELD, 0, 0));
        uint64_t pay = private_payload(CALL_PAY, 0, 0);
        int64_t first = world_private_next(w, n, pay, p->from_ns + 1);
        if (first != INT64_MAX)
            world_post_self(w, 0, n, first, EV_CALL, pay);
    }
    for (uint32_t i = 0; i < v->apps; i++)
        for (uint32_t m = 0; m < v->app[i].members; m++)
            world_post_self(w, 0, world_private_member(&v->app[i], m), v->app[i].from->at_ns,
                            EV_CALL, private_payload(CALL_APP, i, m));
}

int64_t world_private_next(const struct ds_world *w, uint32_t client, uint64_t payload,
                           int64_t after_ns)
{
    const struct world_private *v = w->private;
    const struct ds_group *g = w->group[client];
    if (private_kind(payload) == CALL_SHIELD)
        return (uint32_t)payload < g->payments.notes ? after_ns + SHIELD_EVERY_NS : INT64_MAX;
    int64_t mean = v->group[g - w->scenario->groups].gap_mean_ns;
    if (private_kind(payload) != CALL_PAY || mean == 0)
        return INT64_MAX;
    uint64_t u = private_draw(w, w->identity[client], "payment", (uint32_t)payload);
    return after_ns + ds_arrivals_gap_at(&w->arrivals, mean, u);
}

/* Anybody else, all alike. */
static uint32_t private_recipient(const struct ds_world *w, uint32_t client, uint32_t ordinal)
{
    const struct world_private *v = w->private;
    uint64_t u = private_draw(w, w->identity[client], "payment-recipient", ordinal);
    uint32_t i = private_below(u, v->clients - 1);
    return v->client[i] < client ? v->client[i] : v->client[i + 1];
}

struct dc_call world_private_call(const struct ds_world *w, uint32_t client, uint64_t payload)
{
    const struct world_private *v = w->private;
    const struct ds_group *g = w->group[client];
    uint32_t ordinal = (uint32_t)payload;
    if (private_kind(payload) == CALL_APP) {
        const struct private_app *app = &v->app[payload >> 32 & 0xfffffff];
        return (struct dc_call){.kind = DC_CALL_APP, .app = &app->call[ordinal]};
    }
    if (private_kind(payload) == CALL_SHIELD)
        return (struct dc_call){.kind = DC_CALL_SHIELD,
                                .object = ordinal,
                                .size_bytes = g->payments.shield / g->payments.notes};
    const struct dc_dist *amount = &v->group[g - w->scenario->groups].amount;
    uint64_t u = private_draw(w, w->identity[client], "payment-amount", ordinal);
    int64_t value = dc_dist_at(amount, u);
    return (struct dc_call){.kind = DC_CALL_PAY,
                            .object = private_recipient(w, client, ordinal),
                            .size_bytes = value < 1 ? 1 : (uint64_t)value};
}
