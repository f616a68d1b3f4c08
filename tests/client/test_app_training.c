/* Federated training between nodes: with everyone there, with some gone, with some that come back,
 * and with messages lost or changed. */
#include "tests/client/trainers.h"

static void test_everyone(void)
{
    static const uint32_t shape[][2] = {{2, 0}, {2, 2}, {3, 2}, {5, 3}, {7, 4}, {12, 5}};
    for (int k = 0; k < 6; k++) {
        uint32_t n = shape[k][0];
        uint8_t model = (uint8_t)(k % 2);
        net.filter = NULL;
        start(n, shape[k][1], model);
        net.filter = watch;
        apps_run(&net, 8 * SECOND);
        for (uint32_t r = 0; r < ROUNDS; r++)
            CU_ASSERT_EQUAL(took[r], training_all(n));
        check_everyone(n, model);
        for (uint32_t i = 0; i < APPS_NODES; i++)
            CU_ASSERT_EQUAL(net.refused[i], 0);
        uint32_t members = n < 7 ? n : 7;
        CU_ASSERT_EQUAL(steps[STEP_GRADIENT], n * ROUNDS);
        CU_ASSERT_EQUAL(steps[STEP_HALF], (n * members - members) * ROUNDS);
        CU_ASSERT_EQUAL(steps[STEP_PART], members * ROUNDS);
        CU_ASSERT_EQUAL(steps[STEP_VOTE], members * (members - 1) * ROUNDS);
        CU_ASSERT_EQUAL(steps[STEP_ASK], 0);
        CU_ASSERT_EQUAL(net.charge[DC_COST_BFV_ENCRYPT], n * ROUNDS);
        CU_ASSERT_EQUAL(
            net.charge[DC_COST_BFV_MULTIPLY],
            (n * TRAINING_PROVE_PRODUCTS + (n * members - members) * TRAINING_CHECK_PRODUCTS) *
                ROUNDS);
        CU_ASSERT_EQUAL(net.charge[DC_COST_BFV_DECODE], ROUNDS);
        CU_ASSERT(net.charge[DC_COST_BFV_SHARE] >= members * ROUNDS);
        apps_tear_down(&net);
    }
}

/* Seen by the filter, as a crash at a moment that matters. */
static uint32_t crash_who, crash_step, crash_round;
static bool crash_at(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes, uint32_t size)
{
    watch(n, from, to, bytes, size);
    if (n->down[from])
        return false;
    if (from == crash_who && bytes[6] == crash_step && dc_get32(bytes + 7) == crash_round)
        n->down[from] = true; /* what it was sending went nowhere */
    return !n->down[from];
}

static void test_crashes(void)
{
    static const uint8_t when[] = {STEP_GRADIENT, STEP_HALF, STEP_HOLD, STEP_PART};
    for (uint32_t who = 0; who < 6; who += 5) /* a member, and a trainer that is none */
        for (int k = 0; k < 4; k++) {
            if (who == 5 && when[k] != STEP_GRADIENT)
                continue;
            uint32_t trainers = who == 5 ? 9 : 5;
            crash_who = FIRST + (who == 5 ? 8 : 1);
            crash_step = when[k];
            crash_round = 1;
            start(trainers, 3, DC_TRAINING_LINEAR);
            net.filter = crash_at;
            apps_run(&net, 80 * SECOND);
            CU_ASSERT_EQUAL(took[0], training_all(trainers));
            CU_ASSERT(net.down[crash_who]);
            uint64_t rest = training_all(trainers) & ~(UINT64_C(1) << (crash_who - FIRST));
            CU_ASSERT_EQUAL(took[ROUNDS - 1], rest);
            check_everyone(trainers, DC_TRAINING_LINEAR);
            apps_tear_down(&net);
        }
}

/* What a member that crashes said in each round: never two things. */
static uint64_t vote_set[ROUNDS];
static uint8_t vote_sum[ROUNDS][DC_HASH_BYTES];
static uint32_t votes_changed;
static bool crash_once(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes,
                       uint32_t size)
{
    const uint8_t *body = bytes + DC_APP_HEAD_BYTES;
    if (from == crash_who && bytes[6] == STEP_VOTE && dc_get32(body) < ROUNDS) {
        uint32_t round = dc_get32(body);
        votes_changed += vote_set[round] != 0 && (vote_set[round] != dc_get64(body + 4) ||
                                                  memcmp(vote_sum[round], body + 12, 32) != 0);
        vote_set[round] = dc_get64(body + 4);
        memcpy(vote_sum[round], body + 12, 32);
    }
    return crash_at(n, from, to, bytes, size);
}

/* A member, another trainer, or the node dies as it sends something, is away for less or more than
 * the others wait, and takes part again: all end with the same weights. */
static void test_reboots(void)
{
    static const struct {
        uint32_t who;
        uint8_t step;
    } when[] = {{FIRST + 1, STEP_GRADIENT}, {FIRST + 1, STEP_HALF}, {FIRST + 1, STEP_HOLD},
                {FIRST + 1, STEP_VOTE},     {FIRST + 1, STEP_PART}, {FIRST + 8, STEP_GRADIENT},
                {NODE, STEP_OPEN},          {NODE, STEP_WEIGHTS}};
    for (size_t k = 0; k < sizeof when / sizeof when[0]; k++)
        for (int64_t away = 1; away <= 11; away += 10) {
            memset(vote_set, 0, sizeof vote_set);
            crash_who = when[k].who;
            crash_step = when[k].step;
            crash_round = 1;
            votes_changed = 0;
            net.filter = NULL;
            start(9, 3, DC_TRAINING_LINEAR);
            net.filter = crash_once;
            while (!net.down[crash_who] && net.now_ns < 60 * SECOND)
                apps_run(&net, net.now_ns + SECOND / 50);
            CU_ASSERT_TRUE(net.down[crash_who]);
            apps_run(&net, net.now_ns + away * SECOND);
            crash_round = UINT32_MAX;
            apps_reboot(&net, crash_who);
            apps_run(&net, net.now_ns + 150 * SECOND);
            /* who comes when it is over finds nobody, and is told so by the time */
            if (away > 1 && crash_who != NODE && net.result[crash_who] == DC_APP_REFUSED)
                net.down[crash_who] = true;
            check_everyone(9, DC_TRAINING_LINEAR);
            CU_ASSERT(net.noted[crash_who]);
            CU_ASSERT_EQUAL(votes_changed, 0);
            CU_ASSERT_EQUAL(net.accused, 0);
            for (uint32_t r = 0; r < ROUNDS; r++) /* nobody else was left out */
                CU_ASSERT(took[r] == 0 || (took[r] | 0x102) == 0x1ff);
            CU_ASSERT(took[ROUNDS - 1] != 0);
            apps_tear_down(&net);
        }
}

/* Three of five gone: nobody opens anything any more, and the weights stay. */
static void test_too_few(void)
{
    net.filter = NULL;
    start(5, 3, DC_TRAINING_LINEAR);
    net.filter = watch;
    while (took[0] == 0)
        apps_run(&net, net.now_ns + SECOND / 20);
    for (uint32_t k = 0; k < 3; k++)
        apps_crash(&net, trainer[k]);
    uint32_t parts = steps[STEP_PART];
    memset(took + 1, 0, sizeof took - sizeof took[0]);
    apps_run(&net, 400 * SECOND);
    CU_ASSERT(steps[STEP_PART] <= parts + 5);
    CU_ASSERT(net.noted[NODE]);
    CU_ASSERT_EQUAL(net.result[NODE], expected(5, DC_TRAINING_LINEAR));
    CU_ASSERT_EQUAL(took[ROUNDS - 1], 0);
    apps_tear_down(&net);
}

/* A member that never answers before there is a key: nobody trains, and everybody is told. */
static void test_no_key(void)
{
    net.filter = NULL;
    start(4, 2, DC_TRAINING_LINEAR);
    apps_crash(&net, trainer[3]);
    net.filter = watch;
    apps_run(&net, 150 * SECOND);
    CU_ASSERT_EQUAL(steps[STEP_GRADIENT], 0);
    CU_ASSERT(net.noted[NODE] && net.result[NODE] == DC_APP_REFUSED);
    for (uint32_t k = 0; k < 3; k++)
        CU_ASSERT(net.noted[trainer[k]] && net.result[trainer[k]] == DC_APP_REFUSED);
    apps_tear_down(&net);
}

/* Every message is lost with one chance in twenty. */
static struct dc_stream luck;
static bool lose(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes, uint32_t size)
{
    watch(n, from, to, bytes, size);
    return dc_next_below(&luck, 20) != 0;
}

static void test_losses(void)
{
    uint32_t moved = 0;
    for (uint64_t seed = 0; seed < 6; seed++) {
        luck = dc_stream(seed, dc_name("test"), dc_name("losses"));
        net.filter = NULL;
        start(5, 3, DC_TRAINING_LINEAR);
        net.filter = lose;
        apps_run(&net, 400 * SECOND);
        CU_ASSERT(net.noted[NODE]);
        CU_ASSERT_EQUAL(net.result[NODE], expected(5, DC_TRAINING_LINEAR));
        for (uint32_t r = 0; r < ROUNDS; r++)
            moved += took[r] != 0;
        for (uint32_t k = 0; k < 5; k++)
            CU_ASSERT(net.noted[trainer[k]] && net.result[trainer[k]] == net.result[NODE]);
        apps_tear_down(&net);
    }
    CU_ASSERT(moved >= 20); /* of 24 rounds */
}

/* Bits changed anywhere in one message of fifty: nobody ends with other weights than the node's. */
static bool garble(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes, uint32_t size)
{
    watch(n, from, to, bytes, size);
    if (dc_next_below(&luck, 50) == 0 && bytes[6] != STEP_WEIGHTS &&
        bytes[6] != STEP_GRADIENT) /* whose content nobody could tell */
        bytes[DC_APP_HEAD_BYTES + dc_next_below(&luck, size - DC_APP_HEAD_BYTES)] ^=
            (uint8_t)(1 + dc_next_below(&luck, 255));
    return true;
}

static void test_garbage(void)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        luck = dc_stream(seed, dc_name("test"), dc_name("garbage"));
        net.filter = NULL;
        start(4, 2, DC_TRAINING_LINEAR);
        net.filter = garble;
        for (int i = 0; i < 40; i++) { /* nonsense of every step and size, from everybody */
            uint8_t body[200];
            for (uint32_t k = 0; k < sizeof body; k++)
                body[k] = (uint8_t)dc_next64(&luck);
            uint32_t to = i % 5 == 0 ? NODE : FIRST + (uint32_t)i % 4;
            inject(i % 3 == 0 ? 1 : FIRST + (uint32_t)dc_next_below(&luck, 4), to,
                   (uint8_t)dc_next_below(&luck, 12), body,
                   (uint32_t)dc_next_below(&luck, sizeof body));
        }
        apps_run(&net, 400 * SECOND);
        CU_ASSERT(net.noted[NODE]);
        apps_tear_down(&net);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"everyone", test_everyone}, {"crashes", test_crashes}, {"who comes back", test_reboots},
        {"too few", test_too_few},   {"no key", test_no_key},   {"losses", test_losses},
        {"garbage", test_garbage},
    };
    return TEST_MAIN("app_training", cases);
}
