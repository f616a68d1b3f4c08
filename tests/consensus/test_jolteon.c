/* Jolteon in a small world: exact latencies, epochs, faults, random schedules. */
#include "tests/consensus/net.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

#define MS 1000000LL

/* --- latency: 2 max(I, 2d) + d after proposal, max(I, 2d) + 2d at the leader two rounds on ---- */

static uint32_t late, early, exact;
static int64_t replica_ns, leader_ns;

static void check_latency(struct net *net, uint32_t machine, const struct dc_block *b)
{
    const struct dc_committee *c = dc_store_committee(net->store, b, b->header.epoch);
    /* the leader two rounds on has the QC of the child first */
    bool leader = c->member[dc_committee_leader(c, b->header.round + 2)] == machine;
    int64_t took = net->now_ns - net->proposed_ns[b->header.height];
    int64_t due = leader ? leader_ns : replica_ns;
    if (b->header.height % net->config.epoch_blocks == 0 ||
        b->header.height % net->config.epoch_blocks == net->config.epoch_blocks - 1)
        return; /* at an epoch's end seals are in between */
    took == due ? exact++ : took > due ? late++ : early++;
}

static void latency_case(uint32_t validators, int64_t delay_ns, int64_t interval_ns, bool direct)
{
    struct net_config config = {.validators = validators,
                                .followers = 1,
                                .seed = 1,
                                .delay_ns = delay_ns,
                                .block_interval_ns = interval_ns,
                                .epoch_blocks = 30,
                                .direct = direct,
                                .suite = DC_SUITE_MODELLED};
    struct net *net = net_create(&config);
    net->committed = check_latency;
    late = early = exact = 0;
    int64_t step = interval_ns > 2 * delay_ns ? interval_ns : 2 * delay_ns;
    replica_ns = 2 * step + delay_ns;
    leader_ns = step + 2 * delay_ns;
    net_start(net);
    net_run(net, step * 100);
    CU_ASSERT_EQUAL(late, 0);
    CU_ASSERT_EQUAL(early, 0);
    CU_ASSERT(exact > 80 * (validators + 1));
    CU_ASSERT_EQUAL(net->timeouts, 0);
    CU_ASSERT_EQUAL(net->rejected, 0);
    for (uint64_t h = 2; h <= 29; h++)
        CU_ASSERT_EQUAL(net->proposed_ns[h] - net->proposed_ns[h - 1], step);
    net_free(net);
}

static void test_latency(void)
{
    latency_case(4, 10 * MS, 0, false);
    latency_case(7, 10 * MS, 0, false);
    latency_case(7, 10 * MS, 0, true);
    latency_case(7, 10 * MS, 100 * MS, false);
}

/* --- one and two validators: nothing spins, nothing stalls ------------------------------------ */

static void test_small(void)
{
    for (uint32_t n = 1; n <= 3; n++) {
        struct net_config config = {.validators = n,
                                    .seed = n,
                                    .delay_ns = MS,
                                    .block_interval_ns = 10 * MS,
                                    .epoch_blocks = 5,
                                    .suite = DC_SUITE_REAL};
        struct net *net = net_create(&config);
        net_start(net);
        net_run(net, 1000 * MS);
        CU_ASSERT(net_lowest_final(net) > 60);
        CU_ASSERT_EQUAL(net->timeouts, 0);
        net_free(net);
    }
}

/* --- epochs ----------------------------------------------------------------------------------- */

static void test_epochs(void)
{
    struct net_config config = {.validators = 5,
                                .followers = 2,
                                .seed = 3,
                                .delay_ns = 10 * MS,
                                .delay_spread_ns = 5 * MS,
                                .block_interval_ns = 50 * MS,
                                .epoch_blocks = 4,
                                .rotate = true,
                                .suite = DC_SUITE_MODELLED};
    struct net *net = net_create(&config);
    net_start(net);
    net_run(net, 4000 * MS);
    CU_ASSERT(net_lowest_final(net) >= 64);
    CU_ASSERT_EQUAL(net->conflicts, 0);
    CU_ASSERT_EQUAL(net->timeouts, 0);
    CU_ASSERT_EQUAL(net->rejected, 0);
    for (uint32_t i = 0; i < net->machines; i++) {
        CU_ASSERT(net_chain(net, i)->epoch >= 16);
        CU_ASSERT(net_chain(net, i)->known_count < 8);
    }
    net_free(net);
}

/* --- a third crashed, then one more, then back ------------------------------------------------ */

static void crash_third(int64_t from_ns, uint32_t epoch_blocks)
{
    struct net_config config = {.validators = 10,
                                .seed = 5,
                                .delay_ns = 10 * MS,
                                .block_interval_ns = 100 * MS,
                                .epoch_blocks = epoch_blocks,
                                .suite = DC_SUITE_MODELLED};
    struct net *net = net_create(&config);
    net_start(net);
    net_run(net, from_ns);
    for (uint32_t i = 0; i < 3; i++) {
        net_crash(net, i);
        net_run(net, 40 * MS);
    }
    uint64_t before = net_lowest_final(net);
    net_run(net, 60000 * MS);
    uint64_t with_three = net_lowest_final(net);
    CU_ASSERT(with_three > before + 10);
    net_crash(net, 3);
    net_run(net, 5000 * MS);
    uint64_t stopped = 0;
    for (uint32_t i = 4; i < 10; i++)
        if (net->machine[i].final_height > stopped)
            stopped = net->machine[i].final_height;
    net_run(net, 60000 * MS);
    for (uint32_t i = 4; i < 10; i++)
        CU_ASSERT(net->machine[i].final_height <= stopped);
    for (uint32_t i = 0; i < 4; i++)
        net_restart(net, i);
    net_run(net, 20000 * MS);
    CU_ASSERT(net_lowest_final(net) > stopped + 50);
    CU_ASSERT_EQUAL(net->conflicts, 0);
    CU_ASSERT_EQUAL(net->bad_evidence, 0);
    net_free(net);
}

static void test_crash_third(void)
{
    crash_third(1000 * MS, 60);
    for (int64_t t = 800; t <= 1100; t += 60) /* spread over an epoch's end */
        crash_third(t * MS, 10);
}

/* --- a dead vote collector loses nothing ------------------------------------------------------ */

static void test_dead_collector(void)
{
    struct net_config config = {.validators = 4,
                                .seed = 7,
                                .delay_ns = 10 * MS,
                                .block_interval_ns = 100 * MS,
                                .epoch_blocks = 100,
                                .suite = DC_SUITE_MODELLED};
    struct net *net = net_create(&config);
    net_crash(net, 3); /* leader of round 3: collects the votes of round 2 */
    net_start(net);
    net_run(net, 20000 * MS);
    CU_ASSERT(net_lowest_final(net) > 20);
    /* every block that was proposed is on the chain: none was orphaned */
    struct dc_block *b = net->machine[0].core.chain.final;
    uint64_t rounds = b->header.round, height = b->header.height;
    CU_ASSERT(rounds - height <= rounds / 4 + 1); /* only the dead leader's rounds have no block */
    net_free(net);
}

/* --- partition and catch-up ------------------------------------------------------------------- */

static void test_partition(void)
{
    struct net_config config = {.validators = 7,
                                .followers = 3,
                                .seed = 11,
                                .delay_ns = 10 * MS,
                                .block_interval_ns = 50 * MS,
                                .epoch_blocks = 10,
                                .rotate = true,
                                .suite = DC_SUITE_MODELLED};
    struct net *net = net_create(&config);
    net_start(net);
    net_run(net, 1000 * MS);
    net->machine[6].group = 1;
    net->machine[8].group = 1; /* a validator and a follower are cut off for epochs */
    net_run(net, 20000 * MS);
    uint64_t gap = net->machine[0].final_height - net->machine[6].final_height;
    CU_ASSERT(gap > 40);
    CU_ASSERT(net->machine[0].final_height - net->machine[8].final_height > 40);
    net->machine[6].group = net->machine[8].group = 0;
    net_run(net, 4000 * MS);
    uint64_t top = net->machine[0].final_height;
    CU_ASSERT(top - net->machine[6].final_height <= 3);
    CU_ASSERT(top - net->machine[8].final_height <= 3);

    for (uint32_t i = 0; i < 4; i++) /* 4 against 3: neither side has a quorum of 5 */
        net->machine[i].group = 2;
    net_run(net, 1000 * MS);
    uint64_t halted = net->machine[0].final_height;
    net_run(net, 20000 * MS);
    CU_ASSERT_EQUAL(net->machine[0].final_height, halted);
    for (uint32_t i = 0; i < 4; i++)
        net->machine[i].group = 0;
    net_run(net, 10000 * MS);
    CU_ASSERT(net_lowest_final(net) > halted + 50);
    CU_ASSERT_EQUAL(net->conflicts, 0);
    net_free(net);
}

/* --- equivocation ----------------------------------------------------------------------------- */

static void test_twins(void)
{
    struct net_config config = {.validators = 7,
                                .twins = 2,
                                .seed = 13,
                                .delay_ns = 10 * MS,
                                .delay_spread_ns = 10 * MS,
                                .block_interval_ns = 50 * MS,
                                .epoch_blocks = 10,
                                .suite = DC_SUITE_MODELLED};
    struct net *net = net_create(&config);
    net_start(net);
    net_run(net, 20000 * MS);
    CU_ASSERT_EQUAL(net->conflicts, 0);
    CU_ASSERT_EQUAL(net->double_signed, 0);
    CU_ASSERT(net->evidence > 0);
    CU_ASSERT_EQUAL(net->bad_evidence, 0);
    CU_ASSERT(net_lowest_final(net) > 50);
    net_free(net);
}

/* --- a second vote that comes after the certificate -------------------------------------------- */

static void late_second_vote(bool other, bool own_signature, uint64_t evidence, uint64_t rejected)
{
    struct net_config config = {.validators = 4,
                                .twins = 1,
                                .seed = 3,
                                .delay_ns = 10 * MS,
                                .block_interval_ns = 100 * MS,
                                .epoch_blocks = 100,
                                .suite = DC_SUITE_REAL};
    struct net *net = net_create(&config);
    net_crash(net, 4); /* its second machine votes by hand, below */
    net_start(net);
    const struct dc_qc *qc = NULL;
    for (int i = 0; i < 100; i++) { /* until a certificate has its vote */
        net_run(net, 50 * MS);
        qc = net_chain(net, 1)->high_qc;
        if (qc != NULL && (qc->bitmap[0] & 1) != 0)
            break;
    }
    CU_ASSERT_FATAL(qc != NULL && (qc->bitmap[0] & 1) != 0);
    CU_ASSERT_EQUAL(net->evidence, 0);
    struct dc_vote v = {.epoch = qc->epoch,
                        .round = qc->round,
                        .block = qc->block,
                        .commits = qc->commits,
                        .signer = 0};
    v.block.b[0] ^= other;
    struct dc_hash digest = dc_vote_digest(1, v.epoch, v.round, &v.block, &v.commits);
    dc_sign(&net->crypto, &net->key[own_signature ? 0 : 2], digest.b, DC_HASH_BYTES, v.signature);
    uint8_t bytes[DC_VOTE_MSG_BYTES];
    dc_vote_encode(&v, bytes);
    uint64_t before = net->rejected;
    net_inject(net, 0, 1, bytes, sizeof bytes);
    CU_ASSERT_EQUAL(net->evidence, evidence);
    CU_ASSERT_EQUAL(net->bad_evidence, 0);
    CU_ASSERT_EQUAL(net->rejected - before, rejected);
    net_free(net);
}

static void test_late_second_vote(void)
{
    late_second_vote(true, true, 1, 0);
    late_second_vote(false, true, 0, 0); /* the same vote once more */
    late_second_vote(true, false, 0, 1); /* anybody could have made it */
}

/* --- one whose neighbours are all gone --------------------------------------------------------- */

/* The quorum needs one who hears no gossip: after a timeout leaders speak to all. */
static void test_deaf(void)
{
    for (uint32_t seed = 1; seed <= 8; seed++) {
        struct net_config config = {.validators = 4,
                                    .seed = seed,
                                    .deaf = 1u << 2,
                                    .delay_ns = 10 * MS,
                                    .block_interval_ns = 100 * MS,
                                    .epoch_blocks = 8,
                                    .suite = DC_SUITE_MODELLED};
        struct net *net = net_create(&config);
        net_crash(net, 0);
        net_start(net);
        net_run(net, 120000 * MS);
        CU_ASSERT(net_lowest_final(net) > 20);
        CU_ASSERT_EQUAL(net->conflicts, 0);
        net_free(net);
    }
}

/* --- a leader who proposes what he must not --------------------------------------------------- */

enum bad_proposal {
    AS_IT_IS,
    HEIGHT,
    EPOCH,
    STATE_ROOT,
    TIMESTAMP,
    SEAL,
    LEADER,
    ROUND,
    QC_BIT,
    AHEAD_OF_CLOCK,
    BAD_COUNT
};

/* Block B0.2 of the correct leader 2, changed and signed again by `signer`. */
static size_t forge(struct net *net, const struct dc_block *b, enum bad_proposal what, uint8_t *out)
{
    struct dc_block_parts parts = {b->header, b->qc, b->tc, b->handover, b->tx_count, b->tx};
    uint32_t signer = what == LEADER ? 3 : 2;
    parts.header.height += what == HEIGHT;
    parts.header.epoch += what == EPOCH;
    parts.header.round += what == ROUND;
    parts.header.seal = what == SEAL;
    parts.header.state_root.b[3] ^= what == STATE_ROOT;
    parts.header.proposer = signer;
    if (what == TIMESTAMP)
        parts.header.timestamp_ns = 0;
    if (what == AHEAD_OF_CLOCK)
        parts.header.timestamp_ns += 10000 * MS;
    out[0] = DC_MSG_PROPOSAL;
    size_t size = dc_block_encode(&parts, out + 1);
    if (what == QC_BIT) /* the last signature of the QC in it */
        out[1 + DC_HEADER_BYTES + b->qc->size] ^= 1;
    struct dc_hash id = dc_block_id(out + 1, size);
    struct dc_hash d = dc_proposal_digest(1, parts.header.epoch, parts.header.round, &id);
    dc_sign(&net->crypto, &net->key[signer], d.b, sizeof d.b, out + 1 + size);
    return 1 + size + DC_SIGNATURE_BYTES;
}

static void test_bad_proposals(void)
{
    for (int what = AS_IT_IS; what < BAD_COUNT; what++) {
        struct net_config config = {.validators = 4,
                                    .followers = 1,
                                    .seed = 1,
                                    .delay_ns = 10 * MS,
                                    .epoch_blocks = 9,
                                    .suite = DC_SUITE_REAL};
        struct net *net = net_create(&config);
        net_start(net);
        net_run(net, 25 * MS); /* 2 has proposed; its block is on the way */
        struct dc_block *b = net->machine[2].core.durable.proposal;
        CU_ASSERT_FATAL(b != NULL && b->header.round == 2);
        uint8_t bytes[4096];
        size_t size = forge(net, b, (enum bad_proposal)what, bytes);
        struct dc_jolteon *j = &net->machine[0].core;
        uint32_t before = j->chain.rejected;
        net_inject(net, 2, 0, bytes, size);
        net_inject(net, 2, 4, bytes, size);
        /* one ahead of the clock waits */
        CU_ASSERT_EQUAL(j->chain.rejected - before, what != AS_IT_IS && what != AHEAD_OF_CLOCK);
        CU_ASSERT_EQUAL(j->durable.last_voted_round, what == AS_IT_IS ? 2 : 1);
        if (what != STATE_ROOT) /* followers execute what is final */
            CU_ASSERT_EQUAL(net->machine[4].follow.rejected, j->chain.rejected);
        net_run(net, 10000 * MS);
        CU_ASSERT(net_lowest_final(net) > 10); /* whatever it was, the chain goes on */
        CU_ASSERT_EQUAL(net->conflicts, 0);
        net_free(net);
    }
}

/* A leader whose blocks do not execute loses his rounds and nothing else. */
static void test_bad_execution(void)
{
    struct net_config config = {.validators = 4,
                                .seed = 1,
                                .delay_ns = 10 * MS,
                                .epoch_blocks = 9,
                                .suite = DC_SUITE_MODELLED};
    struct net *net = net_create(&config);
    net->machine[1].tx[0] = 0xff;
    net_start(net);
    net_run(net, 20000 * MS);
    CU_ASSERT(net->rejected > 10);
    CU_ASSERT(net_lowest_final(net) > 20);
    for (struct dc_block *b = net->machine[0].core.chain.final; b->header.height > 0;) {
        CU_ASSERT(b->header.proposer != 1);
        struct dc_block *parent = dc_store_find(net->store, &b->header.parent);
        dc_block_drop(parent); /* the store keeps it */
        b = parent;
    }
    net_free(net);
}

/* What reaches a follower out of order: a hand-over before its last block, a certificate before its
 * block.  It asks, and gets there. */
static void test_follower_out_of_order(void)
{
    struct net_config config = {.validators = 4,
                                .followers = 1,
                                .seed = 1,
                                .delay_ns = 10 * MS,
                                .epoch_blocks = 9,
                                .suite = DC_SUITE_REAL};
    struct net *net = net_create(&config);
    net->machine[4].group = 1; /* the follower hears nothing */
    net_start(net);
    net_run(net, 230 * MS);
    CU_ASSERT_EQUAL_FATAL(net->machine[0].core.chain.epoch, 1);
    const struct dc_handover *h = net->machine[0].core.chain.handover;
    net->machine[4].group = 0;
    struct dc_follow *f = &net->machine[4].follow;
    uint8_t bytes[4096] = {DC_MSG_HANDOVER};
    memcpy(bytes + 1, h->bytes, h->size);
    net_inject(net, 1, 4, bytes, 1 + h->size);
    CU_ASSERT_EQUAL(f->epoch, 0);
    CU_ASSERT_PTR_NOT_NULL(f->pending);
    CU_ASSERT_EQUAL(f->rejected, 0);
    CU_ASSERT(dc_follow_behind(f));
    bytes[1 + h->size - 1] ^= 1;
    net_inject(net, 1, 4, bytes, 1 + h->size);
    net_inject(net, 1, 4, bytes, h->size);
    CU_ASSERT_EQUAL(f->rejected, 2);
    net_run(net, 25 * MS);
    CU_ASSERT_EQUAL(f->epoch, 1);
    CU_ASSERT(f->final->header.height >= 9);

    net_run(net, 30 * MS);
    net_crash(net, 4);
    net_run(net, 1000 * MS);
    uint64_t epoch = net->machine[0].core.chain.epoch;
    CU_ASSERT(epoch > 4);
    net_restart(net, 4); /* asks a member for its chain */
    net_run(net, 300 * MS);
    CU_ASSERT(f->epoch >= epoch);
    CU_ASSERT(net->machine[0].final_height - net->machine[4].final_height <= 3);
    const struct dc_block *certified = dc_follow_certified(f);
    CU_ASSERT(certified->header.height >= f->final->header.height);
    CU_ASSERT_EQUAL(net->conflicts, 0);
    net_free(net);
}

/* --- random schedules: never a conflict; progress after they end ------------------------------ */

static void random_faults(struct net *net, struct dc_stream *r)
{
    for (uint32_t i = 0; i < net->machines; i++) {
        struct net_machine *m = &net->machine[i];
        switch (dc_next_below(r, 12)) {
        case 0:
            if (m->up)
                net_crash(net, i);
            break;
        case 1: /* gone for a moment */
            if (m->up)
                net_crash(net, i);
            net_restart(net, i);
            break;
        case 2:
        case 3:
            if (!m->up)
                net_restart(net, i);
            break;
        case 4: m->group = (uint32_t)dc_next_below(r, 2); break;
        case 5:
        case 6: m->group = 0; break;
        default: break;
        }
    }
}

static void report(const struct net *net, uint64_t seed, uint64_t at_heal)
{
    fprintf(stderr, "seed %llu: n %u twins %u epoch %u heal %llu conflicts %llu\n",
            (unsigned long long)seed, net->config.validators, net->config.twins,
            net->config.epoch_blocks, (unsigned long long)at_heal,
            (unsigned long long)net->conflicts);
    for (uint32_t i = 0; i < net->machines; i++)
        fprintf(stderr, "  %u: epoch %llu round %llu final %llu known %u\n", i,
                (unsigned long long)net_chain(net, i)->epoch,
                (unsigned long long)net->machine[i].core.durable.round,
                (unsigned long long)net->machine[i].final_height, net_chain(net, i)->known_count);
}

static uint64_t seen_timeouts, seen_evidence, seen_heights;

static void random_schedule(uint64_t seed)
{
    struct dc_stream r = dc_stream(seed, dc_name("schedule"), dc_name("test"));
    uint32_t n = 4 + (uint32_t)dc_next_below(&r, 7);
    uint64_t power[16], total = 0, bad = 0;
    for (uint32_t i = 0; i < n; i++)
        total += power[i] = 1 + dc_next_below(&r, 2);
    bool rotate = n > 5 && dc_next_below(&r, 2) == 0;
    struct net_config config = {.validators = n,
                                .followers = 1,
                                .seed = seed,
                                .delay_ns = 5 * MS,
                                .delay_spread_ns = (int64_t)dc_next_below(&r, 400) * MS,
                                .drop_ppm = (uint32_t)dc_next_below(&r, 150000),
                                .duplicate_ppm = (uint32_t)dc_next_below(&r, 100000),
                                .block_interval_ns = (int64_t)dc_next_below(&r, 3) * 40 * MS,
                                .epoch_blocks = 3 + (uint32_t)dc_next_below(&r, 9),
                                .rotate = rotate,
                                .direct = dc_next_below(&r, 2) == 0,
                                .power = power,
                                .suite = DC_SUITE_MODELLED};
    /* as many twins as stay below a third, in every committee */
    while (dc_next_below(&r, 4) != 0 && 3 * (bad + power[config.twins]) < total - (rotate ? 2 : 0))
        bad += power[config.twins++];
    struct net *net = net_create(&config);
    for (uint32_t i = 0; i < net->machines; i++)
        net->machine[i].skew_ns = (int64_t)dc_next_below(&r, 100) * MS;
    if (dc_next_below(&r, 2) == 0) /* timers as if messages were quick */
        net->params.delay_typical_ns = net->params.delay_max_ns = 20 * MS;
    net_start(net);
    for (uint32_t phase = 0; phase < 60; phase++) {
        random_faults(net, &r);
        net_run(net, (int64_t)(20 + dc_next_below(&r, 400)) * MS);
    }
    uint64_t at_heal = 0;
    net->config.drop_ppm = 0;
    for (uint32_t i = 0; i < net->machines; i++) {
        net->machine[i].group = 0;
        if (!net->machine[i].up)
            net_restart(net, i);
        if (net->machine[i].final_height > at_heal)
            at_heal = net->machine[i].final_height;
    }
    net->params.delay_typical_ns = net->params.delay_max_ns =
        config.delay_ns + config.delay_spread_ns;
    net_run(net, 40000 * MS);
    bool live = net_lowest_final(net) > at_heal + 10;
    if (!live || net->conflicts != 0)
        report(net, seed, at_heal);
    CU_ASSERT(live);
    CU_ASSERT_EQUAL(net->conflicts, 0);
    CU_ASSERT_EQUAL(net->double_signed, 0);
    CU_ASSERT_EQUAL(net->bad_evidence, 0);
    seen_timeouts += net->timeouts;
    seen_evidence += net->evidence;
    seen_heights += at_heal;
    net_free(net);
}

static void test_random(void)
{
    const char *more = getenv("DESTRA_SEEDS");
    uint64_t seeds = more != NULL ? strtoull(more, NULL, 10) : 40;
    for (uint64_t seed = 1; seed <= seeds; seed++)
        random_schedule(seed);
    CU_ASSERT(seen_timeouts > 30 * seeds); /* the schedules do disturb */
    CU_ASSERT(seen_evidence > seeds);
    CU_ASSERT(seen_heights > 2 * seeds); /* and leave room for progress */
}

/* --- memo on and off, real and modelled signatures: the same decisions at the same times ------ */

struct trace {
    uint64_t digest;
    uint64_t commits, charge;
};

static struct trace *tracing;

static void trace_commit(struct net *net, uint32_t machine, const struct dc_block *b)
{
    uint64_t word[4] = {tracing->digest, machine, (uint64_t)net->now_ns, b->header.height};
    tracing->digest = dc_digest64(word, sizeof word);
    tracing->commits++;
}

static struct trace trace_run(bool memo_off, enum dc_suite suite)
{
    struct net_config config = {.validators = 5,
                                .followers = 1,
                                .seed = 17,
                                .delay_ns = 10 * MS,
                                .delay_spread_ns = 20 * MS,
                                .drop_ppm = 30000,
                                .block_interval_ns = 50 * MS,
                                .epoch_blocks = 6,
                                .rotate = true,
                                .memo_off = memo_off,
                                .suite = suite};
    struct trace t = {0};
    tracing = &t;
    struct net *net = net_create(&config);
    net->committed = trace_commit;
    net_start(net);
    net_run(net, 6000 * MS);
    t.charge = net->charge_verify;
    net_free(net);
    return t;
}

static void test_same_decisions(void)
{
    struct trace a = trace_run(false, DC_SUITE_REAL);
    struct trace b = trace_run(true, DC_SUITE_REAL);
    struct trace c = trace_run(false, DC_SUITE_MODELLED);
    CU_ASSERT(a.commits > 100);
    CU_ASSERT_EQUAL(a.digest, b.digest);
    CU_ASSERT_EQUAL(a.charge, b.charge);
    CU_ASSERT_EQUAL(a.digest, c.digest);
    CU_ASSERT_EQUAL(a.charge, c.charge);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"exact latency with equal delays", test_latency},
        {"one, two and three validators", test_small},
        {"epochs with hand-overs and rotating committees", test_epochs},
        {"a third crashed, one more, and back", test_crash_third},
        {"a dead vote collector orphans nothing", test_dead_collector},
        {"partition, halt, heal, catch-up over epochs", test_partition},
        {"twins are caught and harmless", test_twins},
        {"a second vote after the certificate", test_late_second_vote},
        {"a quorum with one who hears no gossip", test_deaf},
        {"proposals that must be refused", test_bad_proposals},
        {"blocks that do not execute", test_bad_execution},
        {"a follower out of order", test_follower_out_of_order},
        {"random schedules", test_random},
        {"memo off and modelled signatures change nothing", test_same_decisions},
    };
    return TEST_MAIN("consensus/jolteon", cases);
}
