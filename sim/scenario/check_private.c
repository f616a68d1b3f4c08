/* What the rows of privacy, payments and applications cannot say alone. */
#include "sim/scenario/load.h"

#include <string.h>

static const struct ds_yaml *private_member(const struct ds_yaml *map, const char *key)
{
    const struct ds_yaml *n =
        map != NULL && map->kind == DS_YAML_MAP ? ds_yaml_get(map, key) : NULL;
    return n != NULL ? n : map;
}

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
        if (out->groups[i].payments.shield / out->groups[i].payments.notes <= p->fee_private)
            ds_bind_error(
                b, private_member(at, "shield"),
                "shield: a note of it does not pay for one fee: raise it, or lower notes");
        if (out->clients_count < 2)
            ds_bind_error(b, at, "payments: there is no other client to pay: raise count");
    }
}

static void private_results(struct ds_bind *b, const struct ds_yaml *root, const char *key,
                            const struct ds_expect *list, size_t count)
{
    static const char prefix[] = "application_result.";
    const struct ds_yaml *at = private_member(root, key);
    for (size_t i = 0; i < count; i++) {
        if (list[i].metric == NULL || strncmp(list[i].metric, prefix, sizeof prefix - 1) != 0)
            continue;
        const char *name = list[i].metric + sizeof prefix - 1;
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
    if (p->holders > out->validators_count)
        ds_bind_error(b, private_member(privacy, "holders"),
                      "holders: %u of %llu validators cannot hold keys: lower it", p->holders,
                      (unsigned long long)out->validators_count);
    if (p->threshold > p->holders)
        ds_bind_error(b, private_member(privacy, "threshold"),
                      "threshold: %u is above holders, %u: lower it", p->threshold, p->holders);
    if (p->beacon == DC_BEACON_THRESHOLD && p->holders == 0)
        ds_bind_error(b, private_member(privacy, "beacon"),
                      "beacon: a threshold beacon needs key holders: give holders, as in "
                      "`holders: 7`");
    private_payments(b, root);
    private_applications(b, root);
    private_results(b, root, "expect", out->expects, out->expects_count);
    private_results(b, root, "sometimes", out->sometimes, out->sometimes_count);
}
