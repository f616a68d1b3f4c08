/* Adversaries from within: what each of them does to the effects of the honest node that it
 * wraps. */
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)

static uint64_t from_odd[DC_MSG_COUNT]; /* messages sent by node 0 */
static struct {
    uint64_t epoch, round;
    struct dc_hash block;
    uint8_t bytes[DC_VOTE_MSG_BYTES];
} vote[512];
static uint32_t votes;

static bool watch(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    if (from != 0 || bytes[0] >= DC_MSG_COUNT)
        return false;
    from_odd[bytes[0]]++;
    struct dc_vote v;
    if (bytes[0] == DC_MSG_VOTE && votes < 512 && dc_vote_decode(bytes, size, &v)) {
        vote[votes].epoch = v.epoch;
        vote[votes].round = v.round;
        vote[votes].block = v.block;
        memcpy(vote[votes++].bytes, bytes, DC_VOTE_MSG_BYTES);
    }
    return false;
}

static struct town *town_with(enum dc_strategy strategy, int64_t until_ns)
{
    struct town_spec spec = {.validators = 5, .services = 2, .clients = 1, .deal_bytes = 1 << 20};
    spec.strategy[0] = strategy;
    memset(from_odd, 0, sizeof from_odd);
    votes = 0;
    struct town *t = town_make(&spec);
    t->lose = watch;
    town_run(t, until_ns);
    return t;
}

static void test_silent(void)
{
    struct town *t = town_with(DC_STRATEGY_SILENT, 40 * SECOND);
    CU_ASSERT_EQUAL(from_odd[DC_MSG_VOTE], 0);
    CU_ASSERT_EQUAL(from_odd[DC_MSG_PROPOSAL], 0);
    CU_ASSERT_EQUAL(from_odd[DC_MSG_TIMEOUT], 0);
    CU_ASSERT_TRUE(from_odd[DC_MSG_TX] > 0); /* heartbeats go on */
    CU_ASSERT_TRUE(t->timed_out > 0);
    CU_ASSERT_TRUE(t->height[1] > 5);
    CU_ASSERT_EQUAL(t->height[0] + 2 >= t->height[1], true); /* it follows */
    town_free(t);
    t = town_with(DC_STRATEGY_HONEST, 40 * SECOND);
    CU_ASSERT_TRUE(from_odd[DC_MSG_VOTE] > 10 && from_odd[DC_MSG_PROPOSAL] > 2);
    CU_ASSERT_EQUAL(t->timed_out, 0);
    town_free(t);
}

/* Two votes of one round, both rightly signed, for different blocks: evidence. */
static void test_equivocating(void)
{
    struct town *t = town_with(DC_STRATEGY_EQUIVOCATING, 15 * SECOND);
    uint32_t pairs = 0;
    for (uint32_t i = 0; i < votes; i++)
        for (uint32_t j = i + 1; j < votes; j++) {
            if (vote[i].epoch != vote[j].epoch || vote[i].round != vote[j].round ||
                dc_hash_equal(&vote[i].block, &vote[j].block))
                continue;
            pairs++;
            for (uint32_t k = 0; k < 2; k++) {
                struct dc_vote v;
                CU_ASSERT_TRUE(dc_vote_decode(vote[k ? j : i].bytes, DC_VOTE_MSG_BYTES, &v));
                struct dc_hash d =
                    dc_vote_digest(TOWN_CHAIN, v.epoch, v.round, &v.block, &v.commits);
                CU_ASSERT_TRUE(dc_verify(&t->crypto, t->set.sign[0].public, d.b, 32, v.signature));
            }
        }
    CU_ASSERT_TRUE(pairs > 0);
    const struct dc_account *a = dc_state_account(town_state(t, 1), 0);
    CU_ASSERT_EQUAL(a->slashed_equivocation, 1);
    CU_ASSERT_EQUAL(a->bond, 0);
    for (uint32_t n = 1; n < 7; n++)
        CU_ASSERT_EQUAL(dc_state_account(town_state(t, 1), n)->slashed_equivocation, 0);
    CU_ASSERT_EQUAL(t->conflicts, 0);
    CU_ASSERT_TRUE(dc_state_conserved(town_state(t, 1)));
    town_free(t);
    t = town_with(DC_STRATEGY_HONEST, 15 * SECOND);
    for (uint32_t i = 0; i < votes; i++)
        for (uint32_t j = i + 1; j < votes; j++)
            CU_ASSERT_FALSE(vote[i].epoch == vote[j].epoch && vote[i].round == vote[j].round &&
                            !dc_hash_equal(&vote[i].block, &vote[j].block));
    town_free(t);
}

/* Every heartbeat is the one before; the first is honest, having none before it. */
static uint64_t beat[64];
static uint32_t beats;

static bool watch_beats(void *context, uint32_t from, uint32_t to, const uint8_t *bytes,
                        size_t size)
{
    struct dc_tx tx;
    if (from == 5 && bytes[0] == DC_MSG_TX && dc_tx_decode(bytes + 1, size - 1, &tx) &&
        tx.kind == DC_TX_HEARTBEAT && beats < 64 &&
        (beats == 0 || beat[beats - 1] != tx.heartbeat.height))
        beat[beats++] = tx.heartbeat.height;
    return false;
}

static void test_stale(void)
{
    uint64_t honest[64];
    uint32_t honest_beats = 0;
    for (uint32_t i = 0; i < 2; i++) {
        struct town_spec spec = {.validators = 5, .services = 2, .clients = 1};
        spec.strategy[5] = i == 0 ? DC_STRATEGY_HONEST : DC_STRATEGY_STALE;
        beats = 0;
        struct town *t = town_make(&spec);
        t->lose = watch_beats;
        town_run(t, 130 * SECOND);
        if (i == 0) {
            memcpy(honest, beat, sizeof beat);
            honest_beats = beats;
            CU_ASSERT_TRUE(dc_state_account(town_state(t, 0), 5)->posync.s > DC_ONE / 100 * 99);
        } else {
            CU_ASSERT_TRUE(dc_state_account(town_state(t, 0), 5)->posync.s < DC_ONE / 10);
        }
        town_free(t);
    }
    CU_ASSERT_TRUE_FATAL(honest_beats >= 4 && beats == honest_beats - 1); /* the first came twice */
    for (uint32_t i = 0; i < beats; i++)
        CU_ASSERT_EQUAL(beat[i], honest[i]);
}

/* Those whose deceit is their disk edit nothing. */
static void test_disk(void)
{
    static const enum dc_strategy same[] = {DC_STRATEGY_HONEST, DC_STRATEGY_GHOST,
                                            DC_STRATEGY_PARTIAL, DC_STRATEGY_WASHER,
                                            DC_STRATEGY_SYBIL};
    uint64_t sent[5][DC_MSG_COUNT];
    for (uint32_t i = 0; i < 5; i++) {
        struct town *t = town_with(same[i], 12 * SECOND);
        memcpy(sent[i], t->sent, sizeof sent[i]);
        CU_ASSERT_EQUAL(memcmp(sent[i], sent[0], sizeof sent[0]), 0);
        town_free(t);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"silent", test_silent},
        {"equivocating", test_equivocating},
        {"stale", test_stale},
        {"cheats by disk", test_disk},
    };
    return TEST_MAIN("adversaries", cases);
}
