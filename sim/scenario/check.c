/* What one row cannot say alone: exactly one kind of network, names that differ, weights that sum
 * to one, parameters that must be in order; and what is `auto`. */
#include "sim/scenario/load.h"

#include "models/base/rng.h"
#include "sim/workload/trace.h"

#include <string.h>

#define CHECK_NODES_MAX 4194304ull

static const struct ds_yaml *check_member(const struct ds_yaml *map, const char *key)
{
    const struct ds_yaml *n = map->kind == DS_YAML_MAP ? ds_yaml_get(map, key) : NULL;
    return n != NULL ? n : map;
}

/* ---- network ------------------------------------------------------------------------------- */

static void check_region_name(struct ds_bind *b, const char *file, uint32_t line, const char *p,
                              size_t size)
{
    struct ds_network *net = &b->out->network;
    while (size > 0 && (*p == ' ' || *p == '\t')) {
        p++;
        size--;
    }
    while (size > 0 && (p[size - 1] == ' ' || p[size - 1] == '\t' || p[size - 1] == '\r'))
        size--;
    char *name = ds_yaml_copy(b->arena, p, size);
    if (name == NULL) {
        b->d->failed = true;
        return;
    }
    for (uint32_t i = 0; i < net->regions_count; i++)
        if (strcmp(net->region_names[i], name) == 0)
            ds_diagnostics_add(b->d, file, (struct ds_place){line, 1},
                               "region `%s` is named twice: names must differ", name);
    if (size == 0 || size > 47)
        ds_diagnostics_add(b->d, file, (struct ds_place){line, 1},
                           "a region's name has 1 to 47 bytes: the header is `rtt_ms, NAME, ...`");
    net->region_names[net->regions_count++] = name;
}

/* The names in the header of the matrix; the numbers are read at set-up, by sim/net. */
static void check_regions(struct ds_bind *b, const struct ds_input *input)
{
    const char *p = input->data, *stop = p + input->size;
    uint32_t line = 1;
    while (p < stop) {
        const char *end = memchr(p, '\n', (size_t)(stop - p));
        end = end != NULL ? end : stop;
        if (*p != '#' && strspn(p, " \t\r") < (size_t)(end - p))
            break;
        p = end + (end < stop);
        line++;
    }
    const char *end = p < stop ? memchr(p, '\n', (size_t)(stop - p)) : stop;
    end = end != NULL ? end : stop;
    DC_CHECK(p != NULL);
    size_t commas = 0;
    for (const char *q = p; q < end; q++)
        commas += *q == ',';
    struct ds_network *net = &b->out->network;
    if (commas == 0 || commas > 4096) {
        ds_diagnostics_add(
            b->d, input->path, (struct ds_place){line, 1},
            "not a matrix of round-trip times: its first row is `rtt_ms, NAME, ...`");
        return;
    }
    net->region_names = ds_bind_alloc(b, commas, sizeof *net->region_names);
    if (net->region_names == NULL)
        return;
    p = (const char *)memchr(p, ',', (size_t)(end - p)) + 1;
    while (commas-- > 0) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        const char *to = comma != NULL ? comma : end;
        check_region_name(b, input->path, line, p, (size_t)(to - p));
        p = to + 1;
    }
}

void ds_scenario_check_network(struct ds_bind *b, const struct ds_yaml *node)
{
    static const char *const keys[] = {"regions", "graph", "generate", "latency"};
    struct ds_network *net = &b->out->network;
    const struct ds_yaml *chosen = NULL;
    for (const struct ds_yaml *n = node->first; n != NULL; n = n->next)
        for (size_t i = 0; i < 4; i++) {
            if (strcmp(n->key, keys[i]) != 0)
                continue;
            struct ds_yaml at = {.file = n->file, .place = n->key_place};
            if (chosen != NULL) {
                ds_bind_error(b, &at,
                              "`%s` and `%s` are both given: keep one of regions, graph, "
                              "generate and latency",
                              chosen->key, n->key);
                return;
            }
            chosen = n;
            net->topology = (enum ds_topology)i;
        }
    if (chosen == NULL) {
        ds_bind_error(b, node,
                      "network needs one of regions, graph, generate and latency, as in "
                      "`latency: 10 ms`");
        return;
    }
    net->place = chosen->place;
    const char *path = net->regions != NULL ? net->regions : net->graph;
    const struct ds_input *input = path != NULL ? ds_bind_input(b, chosen, path) : NULL;
    if (input != NULL && net->regions != NULL)
        check_regions(b, input);
    uint32_t kind = net->generate.kind, k = net->generate.degree, n = net->generate.nodes;
    if (net->generate.given && kind != DS_GENERATE_ERDOS_RENYI && kind != DS_GENERATE_GEOMETRIC &&
        k >= n)
        ds_bind_error(b, check_member(chosen, kind == DS_GENERATE_BARABASI_ALBERT ? "m" : "k"),
                      "%u edges of a vertex are too many for %u vertices: use at most %u", k, n,
                      n - 1);
}

/* ---- nodes --------------------------------------------------------------------------------- */

static void check_group_name(struct ds_bind *b, const struct ds_yaml *node, size_t i)
{
    static const char *const taken[] = {"all",      "rest",      "region",     "top",
                                        "of",       "validator", "validators", "service",
                                        "services", "client",    "clients"};
    const char *name = b->out->groups[i].name;
    const struct ds_yaml *at = check_member(node, "name");
    for (size_t j = 0; j < sizeof taken / sizeof taken[0]; j++)
        if (strcmp(name, taken[j]) == 0)
            ds_bind_error(b, at,
                          "a group cannot be called `%s`, which selectors use: choose "
                          "another name",
                          name);
    if (strchr(name, '.') != NULL)
        ds_bind_error(b, at, "a group's name has no dot: `nodes.NAME.count` is a path");
    for (size_t j = 0; j < i; j++)
        if (b->out->groups[j].name != NULL && strcmp(name, b->out->groups[j].name) == 0) {
            ds_bind_error(
                b, at,
                "duplicate name `%s`: every group has its own; rename this one, for example `%s2`",
                name, name);
            break;
        }
}

/* Rings and machines that the group has too few nodes for. */
static void check_mix(struct ds_bind *b, const struct ds_yaml *at, const struct ds_group *g,
                      const struct ds_mix *mix, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (mix[i].number > 1 && mix[i].number > g->count)
            ds_bind_error(b, at, "strategy `%s` takes %u nodes, the group has %u: lower one",
                          mix[i].name, mix[i].number, g->count);
}

/* Read here for its mistakes alone; the world reads it again, for its numbers. */
static void check_trace(struct ds_bind *b, const struct ds_yaml *at, const char *path)
{
    const struct ds_input *input = ds_bind_input(b, at, path);
    if (input == NULL)
        return;
    struct ds_trace trace;
    struct ds_trace_place place;
    struct dc_error error = {0};
    enum dc_status status = ds_trace_parse(input->data, input->size, &trace, &place, &error);
    if (status == DC_ERR_USAGE)
        ds_diagnostics_add(b->d, path, (struct ds_place){place.line, place.column}, "%s",
                           error.text);
    b->d->failed |= status == DC_ERR_IO;
    ds_trace_free(&trace);
}

void ds_scenario_check_group(struct ds_bind *b, const struct ds_yaml *node, size_t i)
{
    struct ds_group *g = &b->out->groups[i];
    double shares = 0;
    g->at = node->place;
    check_group_name(b, node, i);
    for (size_t l = 0; l < g->links_count; l++)
        shares += g->links[l].share;
    check_mix(b, check_member(node, "strategy"), g, g->mix, g->mix_count);
    check_mix(b, check_member(check_member(node, "rational"), "options"), g, g->rational.options,
              g->rational.options_count);
    if (g->trace != NULL)
        check_trace(b, check_member(node, "trace"), g->trace);
    if (g->links_count > 0 && !(shares > 0))
        ds_bind_error(b, check_member(node, "links"),
                      "the shares of links sum to 0: give one a "
                      "share above 0");
}

void ds_scenario_check_nodes(struct ds_bind *b, const struct ds_yaml *node)
{
    struct ds_scenario *out = b->out;
    const struct ds_yaml *n = node->first, *none = NULL, *traced = NULL;
    for (size_t i = 0; i < out->groups_count; i++, n = n->next) {
        struct ds_group *g = &out->groups[i];
        g->first = out->nodes_count;
        out->nodes_count += g->count;
        *(g->role == DS_ROLE_VALIDATOR ? &out->validators_count
          : g->role == DS_ROLE_SERVICE ? &out->services_count
                                       : &out->clients_count) += g->count;
        if (g->role == DS_ROLE_VALIDATOR && none == NULL)
            none = check_member(n, "count");
        if (g->trace != NULL && traced == NULL)
            traced = check_member(n, "trace");
    }
    if (traced != NULL && out->clients_count == 0)
        ds_bind_error(b, traced,
                      "trace: nobody pays for what a trace says: add a group of clients, such as "
                      "`{name: cli, role: client, count: 10}`");
    if (out->validators_count == 0)
        ds_bind_error(b, none != NULL ? none : node,
                      "there are no validators: add a group such as `{name: val, role: validator, "
                      "count: 4}`");
    if (out->nodes_count > CHECK_NODES_MAX)
        ds_bind_error(b, node, "%llu nodes are too many: use at most %llu",
                      (unsigned long long)out->nodes_count, CHECK_NODES_MAX);
}

/* ---- protocol ------------------------------------------------------------------------------ */

static void check_adaptive(struct ds_bind *b, const struct ds_yaml *node)
{
    const struct dc_params *p = &b->out->protocol;
    if (p->p_hi < p->p_lo)
        ds_bind_error(b, check_member(node, "p_hi"), "p_hi is below p_lo: raise it");
    uint64_t kept = 0;
    kept += (p->ablate & DC_COMPONENT_S) == 0 ? p->weight_s_ppm : 0;
    kept += (p->ablate & DC_COMPONENT_A) == 0 ? p->weight_a_ppm : 0;
    kept += (p->ablate & DC_COMPONENT_U) == 0 ? p->weight_u_ppm : 0;
    kept += (p->ablate & DC_COMPONENT_Q) == 0 ? p->weight_q_ppm : 0;
    if (kept == 0)
        ds_bind_error(b, check_member(node, "ablate"),
                      "ablate leaves no weight in the score: keep a component of s, a, u and q "
                      "that has one");
}

static void check_params(struct ds_bind *b, const struct ds_yaml *node)
{
    const struct dc_params *p = &b->out->protocol;
    uint64_t weights =
        (uint64_t)p->weight_s_ppm + p->weight_a_ppm + p->weight_u_ppm + p->weight_q_ppm;
    if (weights != DC_PPM)
        ds_bind_error(b, check_member(node, "weight_s"),
                      "weight_s, weight_a, weight_u and weight_q sum to %u.%06u: make it 1",
                      (unsigned)(weights / DC_PPM), (unsigned)(weights % DC_PPM));
    if (16 % p->lag_halving != 0)
        ds_bind_error(b, check_member(node, "lag_halving"),
                      "lag_halving: %u does not divide 16: use 1, 2, 4, 8 or 16", p->lag_halving);
    if (p->k_min > p->k_max)
        ds_bind_error(b, check_member(node, "k_min"), "k_min: %u is above k_max, %u: lower it",
                      p->k_min, p->k_max);
    else if (p->k < p->k_min || p->k > p->k_max)
        ds_bind_error(b, check_member(node, "k"),
                      "k: %u is not between k_min and k_max, %u and %u: change one", p->k, p->k_min,
                      p->k_max);
    check_adaptive(b, node);
    if (p->sprt_p0 >= p->sprt_p1)
        ds_bind_error(b, check_member(node, "sprt_p0"), "sprt_p0 must be below sprt_p1: lower it");
    if (p->slash_repeat_ppm < p->slash_first_ppm)
        ds_bind_error(b, check_member(node, "slash_repeat"),
                      "slash_repeat is below slash_first: raise it");
    if (p->abandon_heights < p->answer_heights)
        ds_bind_error(b, check_member(node, "abandon_heights"),
                      "abandon_heights: %u is below answer_heights, %u: raise it",
                      p->abandon_heights, p->answer_heights);
}

/* What holds for the parameters holds for those that the upgrade leaves. */
static void check_upgrade(struct ds_bind *b, const struct ds_yaml *node)
{
    struct dc_params before = b->out->protocol;
    if (!b->out->upgrades)
        return;
    dc_params_upgrade(&b->out->protocol, &b->out->upgrade);
    check_params(b, check_member(node, "upgrade"));
    b->out->protocol = before;
}

void ds_scenario_check_protocol(struct ds_bind *b, const struct ds_yaml *node)
{
    size_t before = b->d->count;
    check_params(b, node);
    if (b->d->count == before)
        check_upgrade(b, node);
}

/* ---- faults -------------------------------------------------------------------------------- */

static void check_fault_id(struct ds_bind *b, struct ds_fault *f)
{
    struct dc_text text = {0}, id = {0};
    ds_scenario_print_fault(f, &text);
    if (!text.failed)
        dc_text_printf(&id, "fault-%016llx", (unsigned long long)dc_name(text.data));
    f->id = id.data != NULL ? ds_yaml_copy(b->arena, id.data, id.size) : NULL;
    if (f->id == NULL) {
        b->d->failed = true;
        f->id = "";
    }
    dc_text_free(&text);
    dc_text_free(&id);
}

/* What would change nothing, and what cannot be. */
static void check_fault_kind(struct ds_bind *b, const struct ds_yaml *node, struct ds_fault *f)
{
    bool churn = f->kind == DS_FAULT_CHURN, drawn = f->mtbf.kind != DS_DIST_NONE;
    if (!churn && ds_yaml_get(node, "at") == NULL)
        ds_bind_error(b, node, "`at` is missing: virtual time at which it begins");
    if (f->kind == DS_FAULT_LINK && f->latency_factor == 1 && f->latency_add_ns == 0 &&
        f->latency.kind == DS_DIST_NONE && f->loss == 0 && f->burst_loss == 0 &&
        f->duplicate == 0 && f->reorder == 0 && f->corrupt == 0 && f->replay == 0 &&
        f->bandwidth_factor == 1)
        ds_bind_error(
            b, node,
            "this fault changes nothing: give latency_factor, latency_add, latency, loss, "
            "burst_loss, duplicate, reorder, corrupt, replay or bandwidth_factor");
    if (f->kind == DS_FAULT_MITM && b->out->network.channels == DS_CHANNELS_OPEN)
        ds_bind_error(b, node,
                      "a man in the middle needs channels to stand between: give network.channels, "
                      "`charged` or `real`");
    if (f->kind == DS_FAULT_GRIEF && f->latency_add_ns == 0)
        ds_bind_error(b, node, "this fault changes nothing: give latency_add");
    if (f->kind == DS_FAULT_CLOCK && f->ahead_ns == 0 && f->behind_ns == 0 && f->rate == 1)
        ds_bind_error(b, node, "this fault changes nothing: give ahead, behind or rate");
    if (f->kind == DS_FAULT_ASYNCHRONY && f->latency.kind == DS_DIST_NONE)
        ds_bind_error(b, node,
                      "this fault changes nothing: give latency, as in "
                      "`latency: 'exponential(2 s)'`");
    if ((f->kind == DS_FAULT_PAUSE || f->kind == DS_FAULT_CLOG || f->kind == DS_FAULT_ASYNCHRONY ||
         (f->kind == DS_FAULT_DISK && f->disk == DS_DISK_STALE_SNAPSHOT)) &&
        f->for_ns == 0)
        ds_bind_error(b, node, "`for` is missing: this fault needs an end");
    if (churn && drawn != (f->mttr.kind != DS_DIST_NONE))
        ds_bind_error(b, node, "churn needs mtbf and mttr, both");
    else if (churn && drawn == (f->trace != NULL))
        ds_bind_error(b, node, "churn needs either mtbf and mttr or a trace");
    if (f->trace != NULL)
        ds_scenario_check_outages(b, check_member(node, "trace"), f->trace);
    if (f->every.kind == DS_DIST_NONE && f->times != UINT32_MAX && f->times != 0)
        ds_bind_error(b, check_member(node, "times"), "times: does nothing without `every`");
}

void ds_scenario_check_fault(struct ds_bind *b, const struct ds_yaml *node, size_t i)
{
    struct ds_fault *faults = b->out->faults, *f = &faults[i];
    f->place = node->place;
    bool given = f->id != NULL;
    if (!given)
        check_fault_id(b, f);
    for (size_t j = 0; j < i; j++)
        if (faults[j].id != NULL && strcmp(f->id, faults[j].id) == 0) {
            ds_bind_error(b, check_member(node, "id"),
                          given ? "duplicate id `%s`: every fault has its own"
                                : "this fault is the same as an earlier one (%s): remove it, or "
                                  "give both an id",
                          f->id);
            break;
        }
    check_fault_kind(b, node, f);
}

/* ---- the whole ----------------------------------------------------------------------------- */

static void check_flash(struct ds_bind *b, const struct ds_yaml *root)
{
    const struct ds_scenario *out = b->out;
    const struct ds_yaml *nodes = ds_yaml_get(root, "nodes");
    const struct ds_yaml *n = nodes != NULL ? nodes->first : NULL;
    for (size_t i = 0; i < out->groups_count && n != NULL; i++, n = n->next) {
        const struct ds_demand *d = &out->groups[i].demand;
        const struct ds_yaml *list = check_member(check_member(n, "demand"), "flash");
        const struct ds_yaml *at = list->first;
        for (size_t k = 0; k < d->flash_count && at != NULL; k++, at = at->next)
            if (out->max_time_ns > 0 && d->flash[k].at_ns >= out->max_time_ns)
                ds_bind_error(b, check_member(at, "at"),
                              "at: the run is over by then: choose a time before max_time, or "
                              "raise that");
    }
}

static void check_upgrade_end(struct ds_bind *b, const struct ds_yaml *protocol)
{
    const struct ds_scenario *out = b->out;
    if (!out->upgrades || protocol == NULL)
        return;
    const struct ds_yaml *node = check_member(protocol, "upgrade");
    if (out->duration_epochs != 0 && out->upgrade.epoch >= out->duration_epochs)
        ds_bind_error(b, check_member(node, "epoch"),
                      "epoch: the run is over after %u epochs, of which the first is 0: choose an "
                      "earlier one, or raise duration",
                      out->duration_epochs);
    if (out->record.lift)
        ds_bind_error(b, node,
                      "upgrade: theta_lift compares parameters that hold all along: leave out "
                      "record.lift");
}

void ds_scenario_check_end(struct ds_bind *b, const struct ds_yaml *root)
{
    struct ds_scenario *out = b->out;
    struct dc_params *p = &out->protocol;
    if (p->seats == UINT32_MAX)
        p->seats = out->validators_count <= 512 ? 0 : 1024;
    if (out->max_time_ns == 0) {
        /* Nominal: blocks at their interval, or at 200 ms where the network alone sets the pace. */
        int64_t block = p->block_interval_ns > 200000000 ? p->block_interval_ns : 200000000;
        __int128 nominal = (__int128)3 * out->duration_epochs * p->epoch_blocks * block;
        if (out->duration_ns > 0)
            nominal = out->duration_ns;
        out->max_time_ns = nominal > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)nominal;
    }
    check_flash(b, root);
    check_upgrade_end(b, ds_yaml_get(root, "protocol"));
    ds_scenario_check_private(b, root);
    const struct ds_yaml *faults = ds_yaml_get(root, "faults");
    const struct ds_yaml *n = faults != NULL ? faults->first : NULL;
    for (size_t i = 0; i < out->faults_count && n != NULL; i++, n = n->next)
        if (out->max_time_ns > 0 && out->faults[i].at_ns >= out->max_time_ns)
            ds_bind_error(b, check_member(n, "at"),
                          "at: the run is over by then: choose a time "
                          "before max_time, or raise that");
    if (out->heal.given && out->max_time_ns > 0 &&
        out->heal.at_ns + out->heal.within_ns > out->max_time_ns)
        ds_bind_error(b, check_member(ds_yaml_get(root, "heal"), "within"),
                      "heal: at and within together reach beyond the run's end: give the run more "
                      "time");
}
