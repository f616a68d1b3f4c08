/* A small world for tests of consensus: validators, twins and followers, a queue of events, faults.
 *
 *   0 .. validators-1                 validators, account id = index
 *   validators .. +twins-1            a second machine with the key of (index - validators)
 *   after these                       followers, account id = index - twins
 *
 * A message to an account reaches all machines of that account; a broadcast reaches all others
 * directly.  Work takes no time.  What a correct machine commits is checked against what all others
 * committed. */
#ifndef TESTS_CONSENSUS_NET_H
#define TESTS_CONSENSUS_NET_H

#include <stdio.h>

#include "models/base/rng.h"
#include "models/consensus/jolteon.h"
#include "tests/consensus/fake_store.h"

#define NET_HEIGHTS_MAX 4096
#define NET_SIGNED 256

struct net_config {
    uint32_t validators, twins, followers;
    uint64_t seed;
    int64_t delay_ns, delay_spread_ns; /* uniform in [delay, delay + spread] */
    uint32_t drop_ppm, duplicate_ppm;
    uint32_t deaf; /* machines, as bits: no broadcast reaches them */
    int64_t block_interval_ns;
    uint32_t epoch_blocks;
    bool rotate, memo_off, direct;
    enum dc_suite suite;
    const uint64_t *power; /* NULL: 1 each */
};

struct net_payload {
    struct dc_payload payload;
    uint32_t refs;
    uint8_t bytes[];
};

struct net_event {
    int64_t at_ns;
    uint64_t sequence;
    uint32_t machine, from; /* from: account */
    uint32_t boot;          /* timers of an earlier life are void */
    bool gossip;
    struct net_payload *payload; /* NULL: timer */
    uint64_t timer;
};

/* What a machine signed in one (epoch, round). */
struct net_signed {
    uint64_t epoch, round;
    struct dc_hash vote, proposal; /* zero: none */
    bool timed_out;
};

struct net_machine {
    struct dc_consensus_env env;
    struct dc_jolteon core; /* validators and twins */
    struct dc_follow follow;
    bool validator, up, correct;
    uint32_t boot, group; /* messages pass inside a group */
    int64_t skew_ns;      /* of the wall clock */
    int64_t clock_ns;     /* when manual: its own clock */
    uint64_t final_height, commits, synced;
    uint8_t tx[16]; /* its one transaction: twins' blocks differ */
    struct dc_tx_view view;
    struct net_signed signed_[NET_SIGNED]; /* by round modulo */
    struct net *net;
};

struct net {
    struct net_config config;
    struct dc_crypto crypto;
    struct dc_params params;
    struct dc_store *store;
    struct dc_keypair *key;
    struct net_machine *machine;
    uint32_t machines;
    struct net_event *heap;
    uint32_t heap_count, heap_max;
    uint64_t sequence;
    int64_t now_ns;
    struct dc_stream random;
    struct dc_effects out;
    bool manual; /* messages wait for net_deliver, timers for net_tick */
    struct dc_hash final[NET_HEIGHTS_MAX];
    bool known_final[NET_HEIGHTS_MAX];
    int64_t proposed_ns[NET_HEIGHTS_MAX];
    uint64_t conflicts, evidence, bad_evidence, late_votes, rejected, messages, charge_verify;
    uint64_t timeouts, double_signed; /* by correct machines: never */
    uint32_t bytes_by_kind[16];
    /* observers, may be NULL */
    void (*log)(struct net *net, const char *line);
    void (*committed)(struct net *net, uint32_t machine, const struct dc_block *block);
    void *context;
};

struct net *net_create(const struct net_config *config);
void net_free(struct net *net);
void net_start(struct net *net);
void net_run(struct net *net, int64_t for_ns);
void net_crash(struct net *net, uint32_t machine);
void net_restart(struct net *net, uint32_t machine);
/* Handles one event for a machine now. */
void net_input(struct net *net, uint32_t machine, struct dc_input *in);
/* Delivers waiting messages from an account to a machine (UINT32_MAX: any); kind 0: all. */
uint32_t net_deliver(struct net *net, uint32_t from, uint32_t machine, uint32_t kind, bool drop);
/* When manual: the machine's clock moves and its timers fire. */
void net_tick(struct net *net, uint32_t machine, int64_t for_ns);
/* Injects bytes to a machine as from an account. */
void net_inject(struct net *net, uint32_t from, uint32_t machine, const void *bytes, size_t size);
const struct dc_follow *net_chain(const struct net *net, uint32_t machine);
uint64_t net_lowest_final(const struct net *net);

#endif
