/* What the rows of privacy, payments and applications cannot say alone. */
#include "sim/scenario/load.h"

#include <string.h>

static const struct ds_yaml *private_member(const struct ds_yaml *map, const char *key)
{
    const struct ds_yaml *n =
        map != NULL && map->kind == DS_YAML_MAP ? ds_yaml_get(map, key) : NULL;
    return n != NULL ? n : map;
}

const struct ds_participants ds_application_participants[DS_APPLICATION_KINDS] = {
    [DS_APPLICATION_AUCTION] = {1, DS_BIDDERS_MAX},
    [DS_APPLICATION_ESCROW] = {1, DS_LEAVES_MAX},
    [DS_APPLICATION_RATING] = {1, DS_LEAVES_MAX},
    [DS_APPLICATION_USAGE] = {1, DS_REPORTERS_MAX},
    [DS_APPLICATION_INFERENCE] = {1, UINT32_MAX - 2},
    [DS_APPLICATION_TRAINING] = {2, DS_TRAINERS_MAX}};

/* A place that is one node, wherever nodes stand. */
static void private_one(struct ds_bind *b, const struct ds_yaml *node, const char *key,
                        const struct ds_selector *s)
{
    if (s != NULL && (s->next != NULL || ds_selector_most(b->out, s) != 1))
        ds_bind_error(b, private_member(node, key),
                      "%s: `%.100s` is not one node: write it as in `NAME[0]` or `1 of NAME`", key,
                      s->text);
}

static void private_heights(struct ds_bind *b, const struct ds_yaml *node,
                            const struct ds_application *a)
{
    const struct ds_scenario *out = b->out;
    const struct dc_params *p = &out->protocol;
    if (a->end == 0) /* has no contract */
        return;
    if (a->close >= a->end) {
        ds_bind_error(b, private_member(node, "close"),
                      "close: %u is not before end, %u: leave heights in which it is settled",
                      a->close, a->end);
        return;
    }
    uint64_t blocks = (uint64_t)out->duration_epochs * p->epoch_blocks;
    uint64_t begun = p->block_interval_ns > 0 ? (uint64_t)(a->at_ns / p->block_interval_ns) : 0;
    if (blocks != 0 && begun + a->end + 6 > blocks)
        ds_bind_error(b, private_member(node, "end"),
                      "end: the run has %llu blocks, and this is over at about the %lluth: begin "
                      "earlier, or raise duration",
                      (unsigned long long)blocks, (unsigned long long)begun + a->end + 6);
}

/* The role of all that a selector may name; DS_ROLE_CLIENT + 1: not one role, or not known yet. */
static uint32_t private_role(const struct ds_scenario *s, const struct ds_selector *of)
{
    switch (of->kind) {
    case DS_SELECT_ROLE: return of->number;
    case DS_SELECT_GROUP:
    case DS_SELECT_NODES: return s->groups[of->number].role;
    case DS_SELECT_SHARE:
    case DS_SELECT_COUNT:
    case DS_SELECT_TOP: return private_role(s, of->of);
    default: return DS_ROLE_CLIENT + 1;
    }
}

static bool private_same(const struct ds_selector *a, const struct ds_selector *b)
{
    return a != NULL && b != NULL && strcmp(a->text, b->text) == 0 &&
           (a->kind == DS_SELECT_NODES || a->kind == DS_SELECT_GROUP);
}

/* Who takes part.  How many they are is known to two, because owner and node are left out; the world
 * looks again when it knows who they are. */
static void private_who(struct ds_bind *b, const struct ds_yaml *node,
                        const struct ds_application *a)
{
    const struct ds_participants *range = &ds_application_participants[a->kind];
    const char *kind = ds_choice_name(ds_choices_application, a->kind);
    const struct ds_yaml *at = private_member(node, "participants");
    uint64_t most = ds_selector_most(b->out, a->participants);
    if (private_same(a->owner, a->node))
        ds_bind_error(b, private_member(node, "node"),
                      "node: `%.100s` is the owner, too: choose another", a->node->text);
    if (most < range->least || private_same(a->participants, a->owner) ||
        private_same(a->participants, a->node))
        ds_bind_error(b, at,
                      "participants: `%.100s` leaves too few beside owner and node: an application "
                      "of kind %s needs at least %u",
                      a->participants->text, kind, range->least);
    else if (most != UINT64_MAX && most > (uint64_t)range->most + 2)
        ds_bind_error(b, at,
                      "participants: %llu are too many for an application of kind %s: choose at "
                      "most %u, as in `%u of NAME`",
                      (unsigned long long)most, kind, range->most, range->most);
    if (a->kind == DS_APPLICATION_RATING && a->node->next == NULL &&
        private_role(b->out, a->node) < DS_ROLE_CLIENT + 1 &&
        private_role(b->out, a->node) != DS_ROLE_SERVICE)
        ds_bind_error(b, private_member(node, "node"),
                      "node: `%.100s` is no service node, which is what is rated: choose one",
                      a->node->text);
}

/* Draws of other distributions are unbounded; who draws more than 5 does not rate. */
static void private_rating(struct ds_bind *b, const struct ds_yaml *node,
                           const struct ds_application *a)
{
    const struct ds_dist_spec *v = &a->value;
    double most = v->kind == DS_DIST_CONSTANT  ? v->args[0]
                  : v->kind == DS_DIST_UNIFORM ? v->args[1]
                                               : 0;
    if (a->kind == DS_APPLICATION_RATING && most > 5)
        ds_bind_error(b, private_member(node, "value"),
                      "value: a rating is 0 to 5, this goes up to %.6g: lower it, as in "
                      "`uniform(1, 5)`",
                      most);
}

void ds_scenario_check_application(struct ds_bind *b, const struct ds_yaml *node, size_t i)
{
    const struct ds_application *all = b->out->applications, *a = &all[i];
    for (size_t j = 0; j < i; j++)
        if (all[j].name != NULL && strcmp(a->name, all[j].name) == 0) {
            ds_bind_error(b, private_member(node, "name"),
                          "duplicate name `%s`: every application has its own", a->name);
            break;
        }
    private_one(b, node, "owner", a->owner);
    private_one(b, node, "node", a->node);
    private_heights(b, node, a);
    private_who(b, node, a);
    private_rating(b, node, a);
    uint64_t most = ds_selector_most(b->out, a->participants);
    if (a->kind == DS_APPLICATION_ESCROW && a->threshold > most)
        ds_bind_error(b, private_member(node, "threshold"),
                      "threshold: %u of at most %llu members can never approve: lower it",
                      a->threshold, (unsigned long long)most);
    if (a->kind == DS_APPLICATION_USAGE && (a->payment != 0) != (a->bound != 0))
        ds_bind_error(b, private_member(node, a->payment != 0 ? "payment" : "bound"),
                      "bound and payment belong together: give both, or none");
}

static void private_applications(struct ds_bind *b, const struct ds_yaml *root)
{
    const struct ds_scenario *out = b->out;
    const struct ds_yaml *list = ds_yaml_get(root, "applications");
    const struct ds_yaml *n = list != NULL ? list->first : NULL;
    for (size_t i = 0; i < out->applications_count && n != NULL; i++, n = n->next) {
        const struct ds_application *a = &out->applications[i];
        bool held = a->kind == DS_APPLICATION_USAGE || a->kind == DS_APPLICATION_RATING;
        if (!out->privacy)
            ds_bind_error(b, n, "applications need `privacy`: add `privacy: {}` to the scenario");
        else if (held && out->protocol.holders == 0)
            ds_bind_error(b, n,
                          "an application of kind %s needs key holders: give privacy.holders, as "
                          "in `privacy: {holders: 7}`",
                          ds_choice_name(ds_choices_application, a->kind));
        if (out->max_time_ns > 0 && a->at_ns >= out->max_time_ns)
            ds_bind_error(b, private_member(n, "at"),
                          "at: the run is over by then: choose a time before max_time, or raise "
                          "that");
    }
}

static void private_payments(struct ds_bind *b, const struct ds_yaml *root)
{
    const struct ds_scenario *out = b->out;
    const struct ds_yaml *nodes = ds_yaml_get(root, "nodes");
    const struct ds_yaml *n = nodes != NULL ? nodes->first : NULL;
    const struct dc_params *p = &out->protocol;
    for (size_t i = 0; i < out->groups_count && n != NULL; i++, n = n->next) {
        if (!out->groups[i].payments.given)
            continue;
        const struct ds_yaml *at = private_member(n, "payments");
        if (!out->privacy || p->decoys < p->ring)
            ds_bind_error(b, at,
                          "payments need at least as many notes at genesis as a ring has: give "
                          "privacy.decoys, as in `privacy: {decoys: 100}`");
        uint32_t notes = out->groups[i].payments.notes; /* 0: its own error is told */
        if (notes != 0 && out->groups[i].payments.shield / notes <= p->fee_private)
            ds_bind_error(
                b, private_member(at, "shield"),
                "shield: a note of it does not pay for one fee: raise it, or lower notes");
        if (out->nodes_count != 0 && out->clients_count < 2)
            ds_bind_error(b, at, "payments: there is no other client to pay: raise count");
    }
}

static void private_results(struct ds_bind *b, const struct ds_yaml *root, const char *key,
                            const struct ds_expect *list, size_t count)
{
    static const char *const prefixes[] = {"application_result.", "application_exact."};
    const struct ds_yaml *at = private_member(root, key);
    for (size_t i = 0; i < count; i++) {
        const char *name = NULL;
        for (size_t k = 0; k < sizeof prefixes / sizeof prefixes[0] && list[i].metric != NULL; k++)
            if (strncmp(list[i].metric, prefixes[k], strlen(prefixes[k])) == 0)
                name = list[i].metric + strlen(prefixes[k]);
        if (name == NULL)
            continue;
        struct ds_nearest nearest = {.word = name};
        bool found = false;
        for (size_t k = 0; k < b->out->applications_count; k++) {
            const char *own = b->out->applications[k].name;
            found = found || (own != NULL && strcmp(own, name) == 0);
            if (own != NULL)
                ds_nearest_try(&nearest, own);
        }
        struct ds_yaml line = *at;
        line.place = list[i].place;
        if (!found)
            ds_bind_error(b, &line, "%s: no application is called `%s`%s%s%s", key, name,
                          nearest.name != NULL ? ": did you mean `" : "",
                          nearest.name != NULL ? nearest.name : "",
                          nearest.name != NULL ? "`?" : "");
    }
}

void ds_scenario_check_private(struct ds_bind *b, const struct ds_yaml *root)
{
    const struct ds_scenario *out = b->out;
    const struct dc_params *p = &out->protocol;
    const struct ds_yaml *privacy = private_member(root, "privacy");
    /* Nodes are counted when their section has no error. */
    if (out->nodes_count != 0 && p->holders > out->validators_count)
        ds_bind_error(b, private_member(privacy, "holders"),
                      "holders: %u of %llu validators cannot hold keys: lower it", p->holders,
                      (unsigned long long)out->validators_count);
    if (p->threshold > p->holders)
        ds_bind_error(b, private_member(privacy, "threshold"),
                      "threshold: %u is above holders, %u: %s", p->threshold, p->holders,
                      p->holders != 0 ? "lower it" : "give holders, as in `holders: 7`");
    if (p->beacon == DC_BEACON_THRESHOLD && p->holders == 0)
        ds_bind_error(b, private_member(privacy, "beacon"),
                      "beacon: a threshold beacon needs key holders: give holders, as in "
                      "`holders: 7`");
    private_payments(b, root);
    private_applications(b, root);
    private_results(b, root, "expect", out->expects, out->expects_count);
    private_results(b, root, "sometimes", out->sometimes, out->sometimes_count);
}
