/* Between the files of systematic Twins: twins.c (numbers, life, a run), twins_net.c (events,
 * messages, effects), twins_watch.c (what must hold, and the log). */
#ifndef SIM_WORLD_TWINS_INSIDE_H
#define SIM_WORLD_TWINS_INSIDE_H

#include "models/base/step.h"
#include "models/consensus/jolteon.h"
#include "models/ledger/genesis.h"
#include "sim/world/twins.h"

#define TWINS_INSTANCES_MAX 9  /* 7 validators, 2 twins */
#define TWINS_SCRIPT_EXTRA 256 /* rounds after the last whose leaders go round */
#define TWINS_CHAIN 1
#define TWINS_DELAY_NS 1000000
#define TWINS_HEIGHTS_MAX 512
#define TWINS_SEEN 16 /* a twin's votes remembered at each instance */

struct twins_payload {
    struct dc_payload payload;
    uint32_t refs;
    struct twins_payload *next; /* free list */
    uint32_t room;
    uint8_t bytes[];
};

struct twins_event {
    int64_t at_ns;
    uint64_t sequence;
    struct twins_payload *payload; /* NULL: timer, or the first step */
    uint64_t timer;
    uint16_t to;
    uint16_t from; /* instance */
    bool gossip, start;
};

/* A vote of a twin that came while it could still be counted. */
struct twins_seen {
    uint64_t epoch, round;
    struct dc_hash block, commits;
    uint32_t signer;
};

struct twins_instance {
    struct dc_consensus_env env;
    struct dc_jolteon core;
    struct ds_twins *twins;
    uint32_t index; /* account: index, or index - n of a twin's second instance */
    bool honest;
    /* what it has signed so far, and what it was told */
    struct dc_vote vote;
    uint64_t timeout_epoch, timeout_round;
    uint64_t proposal_epoch, proposal_round;
    struct dc_hash proposal;
    uint64_t round; /* as of the last step: for the log */
    struct twins_seen seen[TWINS_SEEN];
    uint32_t seen_count;
    uint32_t told; /* evidence in this step */
};

struct ds_twins {
    struct ds_twins_config config;
    uint32_t faulty, instances;
    uint64_t base, count; /* choices of a round; scenarios */
    struct dc_crypto crypto;
    struct dc_params params;
    struct dc_genesis_set genesis;
    struct dc_store *store;
    struct dc_effects out;
    struct twins_instance instance[TWINS_INSTANCES_MAX];

    /* of a run */
    uint32_t side[DS_TWINS_ROUNDS_MAX]; /* bit: the side of that instance, in round + 1 */
    uint32_t script[DS_TWINS_ROUNDS_MAX + TWINS_SCRIPT_EXTRA];
    int64_t now_ns, heal_ns, limit_ns;
    bool healed;
    uint64_t goal; /* height that all honest instances must reach */
    struct dc_hash final[TWINS_HEIGHTS_MAX];
    bool known[TWINS_HEIGHTS_MAX];
    struct twins_event *heap;
    uint32_t heap_count, heap_max;
    uint64_t sequence;
    struct twins_payload *free;
    struct ds_twins_result *result;
    struct dc_text *log;
    uint64_t runs;
};

/* twins_net.c */
void world_twins_push(struct ds_twins *t, const struct twins_event *e);
/* Takes the next event and handles it; false when there is none. */
bool world_twins_next(struct ds_twins *t);
void world_twins_drop_events(struct ds_twins *t);

/* twins_watch.c */
extern const struct dc_consensus_node world_twins_node; /* hears evidence */
void world_twins_watch_begin(struct twins_instance *i);
/* Before a message is handled: whether both votes of a twin will then have come. */
bool world_twins_watch_message(struct twins_instance *i, const struct dc_payload *p);
void world_twins_watch_effect(struct twins_instance *i, const struct dc_effect *e);
/* After a step; `due`: evidence had to be told. */
void world_twins_watch_step(struct twins_instance *i, bool due);
void world_twins_fault(struct twins_instance *i, enum ds_twins_fault fault, uint64_t round,
                       uint64_t height);
void world_twins_say(struct ds_twins *t, const struct twins_instance *i, const char *format, ...)
    DC_PRINTF(3, 4);
/* "3", "0'" */
const char *world_twins_name(const struct ds_twins *t, uint32_t instance, char out[8]);
/* What a message says, for the log; "" when the log is off. */
void world_twins_text(struct ds_twins *t, const uint8_t *bytes, size_t size, char out[96]);

#endif
