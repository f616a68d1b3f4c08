/* The results file as a run opens it: vocabularies, nodes, inputs; and the observer's arrays. */
#include <stdio.h>
#include <stdlib.h>

#include "models/base/mem.h"
#include "sim/world/observer.h"

/* --- the file ------------------------------------------------------------------------------- */

static char *open_words(const char *const *word, size_t count)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++)
        size += strlen(word[i]) + 1;
    char *text = dc_mem_need(1, size, "a vocabulary"), *at = text;
    for (size_t i = 0; i < count; i++)
        at += sprintf(at, "%s%s", i == 0 ? "" : " ", word[i]);
    return text;
}

static char *open_regions(const struct ds_world *w)
{
    const char **name = dc_mem_need(w->topology.places, sizeof *name, "region names");
    for (uint32_t i = 0; i < w->topology.places; i++)
        name[i] = w->topology.place[i].name;
    char *text = open_words(name, w->topology.places);
    dc_mem_free(name);
    return text;
}

const char *const ds_event_names[] = {"message", "body",   "announce", "pull",    "again",
                                      "timer",   "call",   "start",    "restart", "wash",
                                      "resume",  "unbond", "channel",  "revoke",  NULL};
static const char *const fault_names[DS_FAULT_KINDS] = {
    [DS_FAULT_CRASH] = "crash",       [DS_FAULT_PAUSE] = "pause",
    [DS_FAULT_SLOW_CPU] = "slow_cpu", [DS_FAULT_DISK] = "disk",
    [DS_FAULT_CLOCK] = "clock",       [DS_FAULT_LINK] = "link",
    [DS_FAULT_CLOG] = "clog",         [DS_FAULT_PARTITION] = "partition",
    [DS_FAULT_ISOLATE] = "isolate",   [DS_FAULT_ONE_WAY] = "one_way",
    [DS_FAULT_BRIDGE] = "bridge",     [DS_FAULT_RING] = "ring",
    [DS_FAULT_ECLIPSE] = "eclipse",   [DS_FAULT_ASYNCHRONY] = "asynchrony",
    [DS_FAULT_CHURN] = "churn",       [DS_FAULT_EXIT] = "exit",
    [DS_FAULT_JOIN] = "join",         [DS_FAULT_BYZANTINE] = "byzantine",
    [DS_FAULT_GRIEF] = "grief",       [DS_FAULT_MITM] = "mitm",
    [DS_FAULT_REVOKE] = "revoke"};

static enum dc_status open_nodes(struct ds_world *w, struct dc_error *error)
{
    static const uint8_t roles[] = {[DS_ROLE_VALIDATOR] = DS_ROW_ROLE_VALIDATOR,
                                    [DS_ROLE_SERVICE] = DS_ROW_ROLE_SERVICE,
                                    [DS_ROLE_CLIENT] = DS_ROW_ROLE_CLIENT};
    enum dc_status s = DC_OK;
    for (uint32_t n = 0; s == DC_OK && n < w->nodes; n++) {
        char name[160];
        const struct ds_group *g = w->group[n];
        snprintf(name, sizeof name, "%s[%llu]", g->name, (unsigned long long)(n - g->first));
        struct ds_row_node row = {.name = name,
                                  .role = roles[g->role],
                                  .service = g->role == DS_ROLE_SERVICE ? DS_ROW_SERVICE_STORAGE
                                                                        : DS_ROW_SERVICE_NONE,
                                  .strategy = w->truth[n] & (WORLD_STRATEGIES_MAX - 1),
                                  .region = (uint16_t)w->region[n],
                                  .capacity = w->capacity[n],
                                  .bond_initial = w->bond[n]};
        s = ds_recorder_append(w->observer->recorder, DS_TABLE_NODE, &row, error);
    }
    return s;
}

static enum dc_status open_inputs(struct ds_world *w, struct dc_error *error)
{
    enum dc_status s = DC_OK;
    for (size_t i = 0; s == DC_OK && i < w->scenario->inputs_count; i++) {
        const struct ds_input *in = &w->scenario->inputs[i];
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_TRACE, in->data, in->size);
        char hex[65];
        for (int b = 0; b < 32; b++)
            sprintf(hex + 2 * b, "%02x", h.b[b]);
        s = ds_recorder_input(w->observer->recorder, in->path, in->data, in->size, hex, error);
    }
    return s;
}

/* The tables that the scenario keeps. */
static uint64_t open_tables_off(const struct ds_world *w)
{
    const struct ds_record *keep = &w->scenario->record;
    uint64_t off = 0;
    off |= !keep->node_epoch ? (uint64_t)1 << DS_TABLE_NODE_EPOCH : 0;
    off |= !keep->blocks ? (uint64_t)1 << DS_TABLE_BLOCKS : 0;
    off |= !keep->challenges ? (uint64_t)1 << DS_TABLE_CHALLENGES : 0;
    off |= !w->options.trace ? (uint64_t)1 << DS_TABLE_TRACE : 0;
    off |= !w->scenario->privacy ? (uint64_t)1 << DS_TABLE_PRIVATE : 0;
    return off;
}

static void open_sizes(const struct ds_world *w, uint64_t sizes[DS_DIM_COUNT])
{
    memset(sizes, 0, DS_DIM_COUNT * sizeof *sizes);
    sizes[DS_DIM_NODE] = w->nodes;
    sizes[DS_DIM_CAUSE] = DS_CAUSE_COUNT;
    sizes[DS_DIM_MESSAGE] = KIND_COUNT;
}

static enum dc_status open_file(struct ds_world *w, char *const *vocabulary, struct dc_error *error)
{
    struct dc_text resolved = {0};
    ds_scenario_print_resolved(w->scenario, &resolved);
    uint64_t sizes[DS_DIM_COUNT];
    open_sizes(w, sizes);
    const char *meanings[DS_VOCABULARY_COUNT] = {0};
    for (int i = 0; i < DS_VOCABULARY_COUNT; i++)
        meanings[i] = vocabulary[i];
    size_t given = w->options.attribute_count;
    struct ds_attribute *attribute = dc_mem_need(given + 3, sizeof *attribute, "attributes");
    const char *title = w->scenario->title != NULL && w->scenario->title[0] != '\0'
                            ? w->scenario->title
                            : w->scenario->name;
    attribute[0] = (struct ds_attribute){"title", title};
    attribute[1] = (struct ds_attribute){"Conventions", "CF-1.8"};
    attribute[2] = (struct ds_attribute){"scenario", resolved.data};
    for (size_t i = 0; i < given; i++)
        attribute[3 + i] = w->options.attributes[i];
    struct ds_record_options options = {.path = w->options.output,
                                        .tables_off = open_tables_off(w),
                                        .sizes = sizes,
                                        .meanings = meanings,
                                        .attributes = attribute,
                                        .attribute_count = given + 3,
                                        .seed = w->scenario->seed};
    enum dc_status s = ds_recorder_open(&options, &w->observer->recorder, error);
    if (s == DC_OK)
        s = open_nodes(w, error);
    if (s == DC_OK)
        s = open_inputs(w, error);
    dc_mem_free(attribute);
    dc_text_free(&resolved);
    return s;
}

/* Rows wait for a file. */
static enum dc_status open_nothing(struct ds_world *w, struct dc_error *error)
{
    uint64_t sizes[DS_DIM_COUNT];
    open_sizes(w, sizes);
    struct ds_record_options options = {.tables_off = open_tables_off(w), .sizes = sizes};
    return ds_recorder_wait(&options, &w->observer->recorder, error);
}

enum dc_status world_observer_file(struct ds_world *w, struct dc_error *error)
{
    const char *strategies[WORLD_STRATEGIES_MAX];
    for (uint32_t i = 0; i < w->strategies; i++)
        strategies[i] = w->strategy[i].name;
    char *vocabulary[DS_VOCABULARY_COUNT] = {
        [DS_VOCABULARY_REGION] = open_regions(w),
        [DS_VOCABULARY_STRATEGY] = open_words(strategies, w->strategies),
        [DS_VOCABULARY_FAULT_KIND] = open_words(fault_names, DS_FAULT_KINDS),
        [DS_VOCABULARY_EVENT_KIND] = open_words(ds_event_names, EV_COUNT),
        [DS_VOCABULARY_MESSAGE_KIND] = open_words(ds_message_names, KIND_COUNT)};
    enum dc_status s = open_file(w, vocabulary, error);
    for (int i = 0; i < DS_VOCABULARY_COUNT; i++)
        dc_mem_free(vocabulary[i]);
    return s;
}

enum dc_status world_observer_create(struct ds_world *w, struct dc_error *error)
{
    struct ds_observer *o = w->observer = dc_mem_alloc(1, sizeof *o);
    if (o == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory");
    o->fate = dc_mem_alloc(w->nodes, sizeof *o->fate);
    o->slice = dc_mem_alloc(w->nodes, sizeof *o->slice);
    struct columns *c = o->columns = dc_mem_alloc(1, sizeof *c);
    if (o->fate == NULL || o->slice == NULL || c == NULL)
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u nodes", w->nodes);
    uint32_t **words[] = {&c->utilisation, &c->synchronicity, &c->availability,
                          &c->quality,     &c->score,         &c->forecast};
    uint8_t **small[] = {&c->difficulty, &c->verdict, &c->cause, &c->flagged, &c->strategy};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        *words[i] = dc_mem_need(w->nodes, sizeof **words[i], "an epoch's columns");
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++)
        *small[i] = dc_mem_need(w->nodes, sizeof **small[i], "an epoch's columns");
    for (uint32_t n = 0; n < w->nodes; n++)
        c->forecast[n] = DS_Q31_NONE;
    c->p_value = dc_mem_need(w->nodes, sizeof *c->p_value, "an epoch's columns");
    c->bond = dc_mem_need(w->nodes, sizeof *c->bond, "an epoch's columns");
    c->reward = dc_mem_need(w->nodes, sizeof *c->reward, "an epoch's columns");
    o->slice_next_ns = w->scenario->record.slice_ns;
    o->height_last = w->scenario->duration_epochs != 0
                         ? (uint64_t)w->scenario->duration_epochs * w->params.epoch_blocks + 1
                         : UINT64_MAX;
    o->epoch_row.theta = dc_q31_to_double(w->params.theta);
    o->lift = (struct ds_lift){NAN, NAN, NAN};
    o->level.out = dc_mem_need(w->nodes, sizeof *o->level.out, "ejections");
    world_level_epoch(w, dc_store_genesis(w->store));
    world_spells_turn(w, 0);
    return w->options.wait             ? open_nothing(w, error)
           : w->options.output != NULL ? world_observer_file(w, error)
                                       : DC_OK;
}

void world_observer_free(struct ds_world *w)
{
    struct ds_observer *o = w->observer;
    if (o == NULL)
        return;
    if (o->recorder != NULL)
        (void)!ds_recorder_close(o->recorder, false, NULL, NULL, NULL);
    for (int i = 0; i < OBSERVE_ROWS; i++) {
        if (o->row[i].block != NULL)
            dc_block_drop(o->row[i].block);
        dc_mem_free(o->row[i].commit_ns);
    }
    struct columns *c = o->columns;
    if (c != NULL) {
        void *arrays[] = {c->utilisation, c->synchronicity, c->availability, c->quality,
                          c->score,       c->difficulty,    c->verdict,      c->cause,
                          c->flagged,     c->strategy,      c->p_value,      c->bond,
                          c->reward,      c->forecast};
        for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
            dc_mem_free(arrays[i]);
    }
    dc_mem_free(c);
    dc_mem_free(o->fate);
    dc_mem_free(o->level.out);
    dc_mem_free(o->slice);
    dc_mem_free(o->commit);
    dc_mem_free(o->trace);
    dc_mem_free(o->scalar);
    dc_mem_free(o->expectation);
    dc_mem_free(o->sometimes);
    dc_mem_free(o->invariant);
    dc_arena_free(&o->names);
    dc_mem_free(o);
    w->observer = NULL;
}
