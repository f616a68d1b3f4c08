/* Service nodes that cheat, from within: what an outsourcer keeps back and when it comes, what a
 * sybil can show, when a burst turns, and turning at will. */
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)
#define MS INT64_C(1000000)
enum { ODD = 4, HELPER = 5, CLIENT = 6 };

/* The verdicts about ODD that were sent, each once. */
static struct {
    uint32_t from;
    uint64_t height;
    uint8_t asking, verdict;
    uint32_t response_us;
} said[256];
static uint32_t says;
static uint64_t odd_heartbeats;

static bool watch(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    struct dc_tx tx;
    if (bytes[0] != DC_MSG_TX || !dc_tx_decode(bytes + 1, size - 1, &tx))
        return false;
    odd_heartbeats += tx.kind == DC_TX_HEARTBEAT && tx.from == ODD;
    if (tx.kind != DC_TX_VERDICT || tx.verdict.node != ODD)
        return false;
    for (uint32_t i = 0; i < says; i++)
        if (said[i].from == from && said[i].height == tx.verdict.height &&
            said[i].asking == tx.verdict.asking)
            return false;
    CU_ASSERT_TRUE_FATAL(says < 256);
    said[says].from = from;
    said[says].height = tx.verdict.height;
    said[says].asking = tx.verdict.asking;
    said[says].response_us = tx.verdict.response_us;
    said[says++].verdict = tx.verdict.verdict;
    return false;
}

/* Challenges drawn in blocks (after, until] about which all three verifiers have spoken, and in
 * *agreed those in which at least two say `verdict`: one that leads the next round asks before
 * anyone else can know of the block, and hears nothing in time. */
static uint32_t challenges(uint64_t after, uint64_t until, uint8_t verdict, uint32_t *agreed)
{
    uint32_t n = 0;
    *agreed = 0;
    for (uint32_t i = 0; i < says; i++) {
        uint32_t same = 0, say = 0;
        for (uint32_t j = 0; j < says; j++) {
            bool one = said[j].height == said[i].height && said[j].asking == said[i].asking;
            same += one && j <= i;
            say += one && j <= i && said[j].verdict == verdict;
        }
        bool third = same == 3 && said[i].height > after && said[i].height <= until;
        n += third;
        *agreed += third && say >= 2;
    }
    return n;
}

static struct town *town_of(const struct town_spec *more)
{
    struct town_spec spec = *more;
    spec.validators = 4;
    spec.services = 2;
    spec.clients = 1;
    says = 0;
    odd_heartbeats = 0;
    struct town *t = town_make(&spec);
    t->lose = watch;
    return t;
}

/* --- outsourcer ------------------------------------------------------------------------------- */

static int64_t apart_ns; /* between the outsourcer and its accomplice */

static int64_t delay(const struct town *t, uint32_t from, uint32_t to)
{
    return (from == ODD && to == HELPER) || (from == HELPER && to == ODD) ? apart_ns
                                                                          : TOWN_DELAY_NS;
}

static struct town *town_outsourced(int64_t delay_ns)
{
    struct town_spec spec = {.deal_bytes = 10 * 4096};
    spec.strategy[ODD] = spec.strategy[HELPER] = DC_STRATEGY_OUTSOURCER;
    spec.accomplice[ODD] = spec.accomplice[HELPER] = HELPER;
    struct town *t = town_of(&spec);
    apart_ns = delay_ns;
    t->delay_ns = delay;
    return t;
}

/* Later by exactly the exchange with the accomplice: near it passes, further off it is late, and
 * then too late to be heard.  Its deadline is 280 ms and 200 ms for the way. */
static void test_outsourcer(void)
{
    static const struct {
        int64_t apart_ns;
        uint8_t verdict;
    } cases[] = {{0, DC_VERDICT_PASS},        {10 * MS, DC_VERDICT_PASS},
                 {229 * MS, DC_VERDICT_PASS}, {231 * MS, DC_VERDICT_LATE},
                 {460 * MS, DC_VERDICT_LATE}, {480 * MS, DC_VERDICT_SILENT}};
    for (uint32_t c = 0; c < 6; c++) {
        struct town *t = town_outsourced(cases[c].apart_ns);
        town_run(t, 18 * SECOND);
        CU_ASSERT_TRUE(says >= 3);
        for (uint32_t i = 0; i < says; i++) {
            CU_ASSERT_EQUAL(said[i].verdict, cases[c].verdict);
            uint32_t us = (uint32_t)(2 * (TOWN_DELAY_NS + cases[c].apart_ns) / 1000);
            CU_ASSERT_TRUE(said[i].response_us ==
                           (cases[c].verdict == DC_VERDICT_SILENT ? UINT32_MAX : us));
        }
        CU_ASSERT_EQUAL(t->sent[DC_MSG_FETCH], 1); /* once for all verifiers */
        CU_ASSERT_EQUAL(t->sent[DC_MSG_FETCH_REPLY], 1);
        CU_ASSERT_TRUE(dc_state_account(town_state(t, 0), HELPER)->posync.failed == 0);
        town_free(t);
    }
}

static const struct dc_challenge *challenge_of(struct town *t, uint32_t node)
{
    for (int i = 0; i < 400; i++) {
        const struct dc_challenge *c =
            &dc_state_account(town_state(t, node), node)->posync.challenge;
        if (c->height != 0 && c->verifiers > 0)
            return c;
        town_run(t, t->now_ns + SECOND / 10);
    }
    CU_FAIL_FATAL("no challenge was drawn");
    return NULL;
}

static bool lose_challenges(void *context, uint32_t from, uint32_t to, const uint8_t *bytes,
                            size_t size)
{
    return to == ODD && bytes[0] == DC_MSG_CHALLENGE;
}

/* Step by step: what leaves, of which size, and who pays for which work. */
static void test_exchange(void)
{
    struct town *t = town_outsourced(10 * MS);
    t->lose = lose_challenges; /* the test asks itself */
    struct dc_challenge c = *challenge_of(t, ODD);
    uint8_t bytes[DC_CHALLENGE_BYTES], fetch[64], reply[64];
    size_t size = dc_challenge_encode(c.height, c.asking, bytes);
    town_hand(t, ODD, c.verifier[0], bytes, size);
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_ANSWER));
    const struct dc_effect *e = town_sends(t, DC_MSG_FETCH);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT_EQUAL(e->to, HELPER);
    CU_ASSERT_EQUAL(e->bulk, 0);
    CU_ASSERT_EQUAL(t->out.charge[DC_COST_CHUNK], 0);
    CU_ASSERT_EQUAL(t->out.charge[DC_COST_SIGN], 0);
    size_t fetch_size = e->size;
    memcpy(fetch, e->bytes, fetch_size);
    town_hand(t, ODD, c.verifier[1], bytes, size); /* the next one waits with it */
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_ANSWER));
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_FETCH));
    town_hand(t, ODD, c.verifier[1], bytes, size);
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_ANSWER));
    uint32_t answer_size = t->node[ODD]->service->answer_size;

    town_hand(t, 0, ODD, fetch, fetch_size); /* to all others it means nothing */
    CU_ASSERT_EQUAL(t->out.count, 0);
    town_hand(t, ODD, HELPER, fetch, fetch_size);
    CU_ASSERT_EQUAL(t->out.count, 0);
    town_hand(t, HELPER, ODD, fetch, 5);
    CU_ASSERT_EQUAL(t->out.count, 0);
    town_hand(t, HELPER, ODD, fetch, fetch_size);
    e = town_sends(t, DC_MSG_FETCH_REPLY);
    CU_ASSERT_PTR_NOT_NULL_FATAL(e);
    CU_ASSERT_EQUAL(e->to, ODD);
    CU_ASSERT_EQUAL(e->bulk, answer_size);
    CU_ASSERT_TRUE(answer_size > c.k * DC_CHUNK_BYTES);
    CU_ASSERT_EQUAL(t->out.charge[DC_COST_CHUNK], c.k);
    size_t reply_size = e->size;
    memcpy(reply, e->bytes, reply_size);

    town_hand(t, ODD, 0, reply, reply_size); /* not by its accomplice */
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_ANSWER));
    town_hand(t, ODD, HELPER, reply, reply_size);
    uint32_t answers = 0;
    for (uint32_t i = 0; i < t->out.count; i++) {
        e = &t->out.list[i];
        CU_ASSERT_TRUE(e->kind == DC_EFFECT_SEND && e->bytes[0] == DC_MSG_ANSWER);
        CU_ASSERT_EQUAL(e->to, c.verifier[answers++]);
        CU_ASSERT_EQUAL(e->size, answer_size);
    }
    CU_ASSERT_EQUAL(answers, 2);
    CU_ASSERT_EQUAL(t->out.charge[DC_COST_SIGN], 1);
    CU_ASSERT_EQUAL(t->out.charge[DC_COST_CHUNK], 0);
    CU_ASSERT_TRUE(t->out.charge[DC_COST_HASH] >= answer_size / 128 - 1);
    town_hand(t, ODD, HELPER, reply, reply_size); /* again: nobody waits */
    CU_ASSERT_EQUAL(t->out.count, 0);
    town_hand(t, ODD, c.verifier[2], bytes, size); /* here it is at hand */
    CU_ASSERT_PTR_NOT_NULL(town_sends(t, DC_MSG_ANSWER));
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_FETCH));
    /* After a crash what was fetched is gone. */
    struct dc_input in = {.kind = DC_INPUT_RESTART};
    town_step(t, ODD, &in);
    CU_ASSERT_PTR_NULL(t->node[ODD]->adversary);
    town_hand(t, ODD, c.verifier[2], bytes, size);
    CU_ASSERT_PTR_NOT_NULL(town_sends(t, DC_MSG_FETCH));
    town_free(t);
}

/* Clients get their chunks, later; accomplice and outsourcer without one another do not. */
static void test_outsourced_get(void)
{
    struct town *t = town_outsourced(50 * MS);
    town_run(t, 3 * SECOND);
    uint64_t fetched = t->sent[DC_MSG_FETCH];
    town_call(t, CLIENT, t->now_ns + 1, (struct dc_call){.kind = DC_CALL_GET, .object = 0});
    town_run(t, t->now_ns + 119 * MS);
    CU_ASSERT_EQUAL(t->get_ok, 0);
    town_run(t, t->now_ns + 2 * MS);
    CU_ASSERT_EQUAL(t->get_ok, 1);
    CU_ASSERT_TRUE(t->sent[DC_MSG_FETCH] > fetched);
    town_call(t, CLIENT, t->now_ns + 1, (struct dc_call){.kind = DC_CALL_GET, .object = 1});
    town_run(t, t->now_ns + 21 * MS);
    CU_ASSERT_EQUAL(t->get_ok, 2); /* the accomplice has its own at hand */
    CU_ASSERT_EQUAL(t->get_failed, 0);
    town_free(t);
}

/* Eight verifiers: still one exchange, and an answer for each; and an honest node's eight. */
static void eight(struct dc_params *params)
{
    params->verifiers = params->verifiers_flagged = DC_VERIFIERS_MAX;
}

static void test_eight_verifiers(void)
{
    enum { FIRST = 10, SECOND_ONE, HONEST };
    struct town_spec spec = {
        .validators = 10, .services = 3, .clients = 1, .deal_bytes = 4096, .edit = eight};
    spec.strategy[FIRST] = spec.strategy[SECOND_ONE] = DC_STRATEGY_OUTSOURCER;
    spec.accomplice[FIRST] = spec.accomplice[SECOND_ONE] = SECOND_ONE;
    struct town *t = town_make(&spec);
    town_run(t, 19 * SECOND);
    CU_ASSERT_EQUAL(t->sent[DC_MSG_FETCH], 1);
    for (uint32_t n = FIRST; n <= HONEST; n++) {
        const struct dc_challenge *c = &dc_state_account(town_state(t, 0), n)->posync.challenge;
        uint32_t pass = 0, silent = 0;
        CU_ASSERT_EQUAL_FATAL(c->verifiers, 8);
        for (uint32_t i = 0; i < 8; i++) {
            pass += c->verdict[i] == DC_VERDICT_PASS;
            silent += c->verdict[i] == DC_VERDICT_SILENT;
        }
        CU_ASSERT_EQUAL(pass + silent, 8);
        CU_ASSERT_TRUE(silent <= 1); /* the leader of the next round */
    }
    town_free(t);
}

/* --- sybil ------------------------------------------------------------------------------------ */

/* What is under deals can be shown, whatever of the filler is missing; a disk that lacks the same
 * fraction of everything cannot. */
static void test_sybil_disk(void)
{
    struct town_spec spec = {.deal_bytes = 512 * 4096, .capacity_bytes = 16 << 20};
    spec.strategy[ODD] = DC_STRATEGY_SYBIL;
    spec.strategy[HELPER] = DC_STRATEGY_PARTIAL;
    spec.missing[ODD] = spec.missing[HELPER] = DC_ONE / 2;
    struct town *t = town_of(&spec);
    for (uint32_t n = ODD; n <= HELPER; n++) {
        const struct dc_storage *s = &t->node[n]->service->storage;
        uint8_t *proof = malloc(dc_storage_proof_max(s, 1));
        uint32_t shown[2] = {0}, proved;
        for (uint64_t chunk = 0; chunk < 4096; chunk++)
            shown[chunk >= 512] += dc_storage_prove_at(s, town_state(t, n), n, &chunk, 1, proof,
                                                       dc_storage_proof_max(s, 1), &proved) != 0;
        free(proof);
        CU_ASSERT_TRUE(n == ODD ? shown[0] == 512 : shown[0] > 200 && shown[0] < 312);
        CU_ASSERT_TRUE(shown[1] > 1792 - 200 && shown[1] < 1792 + 200); /* 6.7 deviations */
    }
    town_free(t);
}

/* Full, it passes every challenge; idle, none. */
static void test_sybil(void)
{
    for (uint32_t full = 0; full < 2; full++) {
        struct town_spec spec = {.deal_bytes = full ? 16 << 20 : 4096, .capacity_bytes = 16 << 20};
        spec.strategy[ODD] = DC_STRATEGY_SYBIL;
        spec.missing[ODD] = DC_ONE;
        struct town *t = town_of(&spec);
        town_call(t, CLIENT, 3 * SECOND, (struct dc_call){.kind = DC_CALL_GET, .object = 0});
        town_run(t, 18 * SECOND);
        uint32_t agreed;
        uint8_t verdict = full ? DC_VERDICT_PASS : DC_VERDICT_SILENT;
        CU_ASSERT_EQUAL(challenges(0, 20, verdict, &agreed), 1);
        CU_ASSERT_EQUAL(agreed, 1);
        CU_ASSERT_EQUAL(t->get_ok, 1); /* clients notice nothing */
        town_free(t);
    }
}

/* --- burst ------------------------------------------------------------------------------------ */

static void test_burst(void)
{
    struct town_spec spec = {.deal_bytes = 10 * 4096};
    spec.turn_score = DC_ONE / 10 * 3;
    spec.strategy[ODD] = DC_STRATEGY_BURST;
    struct town *t = town_of(&spec);
    struct dc_node *node = t->node[ODD];
    while (t->turned == 0 && t->now_ns < 200 * SECOND) {
        CU_ASSERT_TRUE(dc_state_account(town_state(t, ODD), ODD)->posync.score < spec.turn_score);
        CU_ASSERT_EQUAL(node->strategy, DC_STRATEGY_BURST);
        CU_ASSERT_EQUAL(node->service->storage.disk.missing, 0);
        town_run(t, t->now_ns + SECOND / 10);
    }
    CU_ASSERT_EQUAL_FATAL(t->turned, 1);
    CU_ASSERT_TRUE(dc_state_account(town_state(t, ODD), ODD)->posync.score >= spec.turn_score);
    CU_ASSERT_EQUAL(node->strategy, DC_STRATEGY_GHOST);
    CU_ASSERT_EQUAL(node->service->storage.disk.missing, DC_ONE);
    uint64_t turned = t->height[ODD];
    uint32_t agreed, asked = challenges(0, turned, DC_VERDICT_PASS, &agreed);
    CU_ASSERT_TRUE(asked > 0 && agreed == asked); /* blameless so far */
    uint64_t heartbeats = odd_heartbeats, get_ok = t->get_ok;
    town_call(t, CLIENT, t->now_ns + 1, (struct dc_call){.kind = DC_CALL_GET, .object = 0});
    town_run(t, t->now_ns + 40 * SECOND);
    asked = challenges(turned, UINT64_MAX, DC_VERDICT_SILENT, &agreed);
    CU_ASSERT_TRUE(asked > 0 && agreed == asked);
    CU_ASSERT_TRUE(odd_heartbeats > heartbeats);
    CU_ASSERT_EQUAL(t->turned, 1);
    CU_ASSERT_EQUAL(t->get_ok, get_ok);
    town_free(t);
}

/* One that never gets so far stays honest. */
static void test_burst_waits(void)
{
    struct town_spec spec = {.deal_bytes = 10 * 4096};
    spec.turn_score = DC_ONE;
    spec.strategy[ODD] = DC_STRATEGY_BURST;
    struct town *t = town_of(&spec);
    town_run(t, 60 * SECOND);
    CU_ASSERT_EQUAL(t->turned, 0);
    uint32_t agreed;
    CU_ASSERT_TRUE(challenges(0, UINT64_MAX, DC_VERDICT_PASS, &agreed) >= 2);
    CU_ASSERT_EQUAL(challenges(0, UINT64_MAX, DC_VERDICT_PASS, &agreed), agreed);
    town_free(t);
}

/* --- turning ---------------------------------------------------------------------------------- */

/* From one to the next between steps: each acts as if it had been made so, and what the one before
 * remembered is not taken for its own. */
static void test_turn(void)
{
    static const struct {
        enum dc_strategy strategy;
        dc_q31 missing;
        uint8_t verdict;
    } turns[] = {{DC_STRATEGY_GHOST, DC_ONE, DC_VERDICT_SILENT},
                 {DC_STRATEGY_STALE, 0, DC_VERDICT_PASS},
                 {DC_STRATEGY_OUTSOURCER, 0, DC_VERDICT_PASS},
                 {DC_STRATEGY_STALE, 0, DC_VERDICT_PASS},
                 {DC_STRATEGY_SYBIL, DC_ONE, DC_VERDICT_SILENT},
                 {DC_STRATEGY_PARTIAL, DC_ONE / 10 * 9, DC_VERDICT_SILENT},
                 {DC_STRATEGY_HONEST, 0, DC_VERDICT_PASS}};
    struct town_spec spec = {.deal_bytes = 10 * 4096};
    spec.strategy[HELPER] = DC_STRATEGY_OUTSOURCER;
    spec.accomplice[ODD] = spec.accomplice[HELPER] = HELPER;
    struct town *t = town_of(&spec);
    for (uint32_t i = 0; i < 7; i++) {
        uint64_t turned = t->height[ODD], fetched = t->sent[DC_MSG_FETCH];
        dc_strategy_turn(t->node[ODD], turns[i].strategy, turns[i].missing);
        CU_ASSERT_EQUAL(t->node[ODD]->strategy, turns[i].strategy);
        CU_ASSERT_PTR_NULL(t->node[ODD]->adversary);
        while (t->height[ODD] < turned + 20)
            town_run(t, t->now_ns + SECOND / 10);
        uint32_t agreed, asked = challenges(turned, turned + 16, turns[i].verdict, &agreed);
        CU_ASSERT_TRUE(asked > 0 && agreed == asked);
        bool own = turns[i].strategy == DC_STRATEGY_OUTSOURCER;
        CU_ASSERT_EQUAL(t->sent[DC_MSG_FETCH] > fetched, own);
    }
    dc_strategy_turn(t->node[0], DC_STRATEGY_LYING, 0); /* validators and clients may, too */
    dc_strategy_turn(t->node[CLIENT], DC_STRATEGY_HONEST, 0);
    town_run(t, t->now_ns + SECOND);
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"outsourcer: the clock", test_outsourcer},
        {"outsourcer: the exchange", test_exchange},
        {"outsourcer: gets", test_outsourced_get},
        {"eight verifiers", test_eight_verifiers},
        {"sybil: the disk", test_sybil_disk},
        {"sybil: challenges", test_sybil},
        {"burst", test_burst},
        {"burst that waits", test_burst_waits},
        {"turning", test_turn},
    };
    return TEST_MAIN("service cheats", cases);
}
