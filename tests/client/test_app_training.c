/* Federated training between nodes: with everyone there, with some gone, with some lying, with
 * messages lost, and with a node that asks for more than it is to know. */
#include "models/base/rng.h"
#include "models/client/app_training_impl.h"
#include "tests/client/apps.h"

#define SECOND INT64_C(1000000000)
enum { NODE = 4, FIRST = 8, NUMBER = 6, TAG = 77, ROUNDS = 4 };

static struct apps_net net;
static uint32_t trainer[APPS_NODES];
static uint64_t seeds[APPS_NODES], took[ROUNDS];
static uint32_t steps[STEP_VOTE + 1]; /* messages, by step */

static struct dc_app_call call_of(uint32_t trainers, uint64_t threshold, uint8_t model)
{
    return (struct dc_app_call){.kind = DC_APP_TRAINING,
                                .number = NUMBER,
                                .model = model,
                                .owner = 0,
                                .tag = TAG,
                                .bound = threshold,
                                .node = NODE,
                                .count = trainers,
                                .participant = trainer,
                                .rounds = ROUNDS,
                                .features = 6,
                                .samples = 12};
}

static void start(uint32_t trainers, uint64_t threshold, uint8_t model)
{
    memset(took, 0, sizeof took);
    memset(steps, 0, sizeof steps);
    apps_set_up(&net);
    struct dc_app_call call = call_of(trainers, threshold, model);
    for (uint32_t k = 0; k < trainers; k++) {
        trainer[k] = FIRST + k;
        seeds[k] = 1000 + k;
    }
    call.role = DC_APP_NODE;
    apps_call(&net, NODE, &call);
    call.role = DC_APP_PARTICIPANT;
    for (uint32_t k = 0; k < trainers; k++) {
        call.seed = seeds[k];
        apps_call(&net, trainer[k], &call);
    }
}

/* Counts, and keeps what the node says of who took part. */
static bool watch(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes, uint32_t size)
{
    (void)n;
    (void)to;
    CU_ASSERT_FATAL(size >= DC_APP_HEAD_BYTES && bytes[6] <= STEP_VOTE);
    steps[bytes[6]]++;
    uint32_t round = size >= 19 ? dc_get32(bytes + 7) : 0;
    if (bytes[6] == STEP_WEIGHTS && from == NODE && round >= 1 && round <= ROUNDS)
        took[round - 1] = dc_get64(bytes + 11);
    return true;
}

/* The weights that everyone who is still there must have, in plain. */
static uint64_t expected(uint32_t trainers, uint8_t model)
{
    struct dc_training_shape shape;
    uint64_t digest;
    CU_ASSERT_FATAL(dc_training_shape_make(model, 6, 12, &shape));
    CU_ASSERT_FATAL(dc_training_expect(&shape, TAG, seeds, trainers, ROUNDS, took, NULL, &digest));
    return digest;
}

static void check_everyone(uint32_t trainers, uint8_t model)
{
    uint64_t digest = expected(trainers, model);
    CU_ASSERT(net.noted[NODE]);
    CU_ASSERT_EQUAL(net.result[NODE], digest);
    for (uint32_t k = 0; k < trainers; k++)
        if (!net.down[trainer[k]]) {
            CU_ASSERT(net.noted[trainer[k]]);
            CU_ASSERT_EQUAL(net.result[trainer[k]], digest);
        }
}

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

/* Changes one bit in each part that a member sends. */
static uint32_t liar, lies;
static bool lie(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes, uint32_t size)
{
    watch(n, from, to, bytes, size);
    if (from == liar && bytes[6] == STEP_PART) {
        bytes[DC_APP_HEAD_BYTES + 6] ^= 1;
        lies++;
    }
    return true;
}

static void test_cheat(void)
{
    for (uint32_t who = 0; who < 5; who++) {
        liar = FIRST + who;
        lies = 0;
        net.filter = NULL;
        start(5, 3, DC_TRAINING_LOGISTIC);
        net.filter = lie;
        apps_run(&net, 80 * SECOND);
        CU_ASSERT_EQUAL(lies, 1); /* named once, and not asked again */
        CU_ASSERT_EQUAL(net.accused, UINT64_C(1) << liar);
        for (uint32_t r = 0; r < ROUNDS; r++)
            CU_ASSERT_EQUAL(took[r], 31); /* its gradients are still welcome */
        check_everyone(5, DC_TRAINING_LOGISTIC);
        apps_tear_down(&net);
    }
}

/* A member that publishes another mark than the other holders of a seed. */
static bool lie_key(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes, uint32_t size)
{
    watch(n, from, to, bytes, size);
    if (from == liar && bytes[6] == STEP_KEY)
        bytes[lies == 0 ? DC_APP_HEAD_BYTES : size - 1] ^= 1; /* a mark; a part or digest */
    return true;
}

static void test_cheat_key(void)
{
    for (lies = 0; lies < 2; lies++) {
        liar = FIRST + 1;
        net.filter = NULL;
        start(4, 2, DC_TRAINING_LINEAR);
        net.filter = lie_key;
        apps_run(&net, 150 * SECOND);
        for (uint32_t k = 0; k < 4; k++)
            if (k != 1) /* who lied sees nothing wrong with the others */
                CU_ASSERT(net.noted[trainer[k]] && net.result[trainer[k]] == DC_APP_REFUSED);
        CU_ASSERT(net.noted[NODE] && net.result[NODE] != expected(4, DC_TRAINING_LINEAR));
        apps_tear_down(&net);
    }
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

static void inject(uint32_t from, uint32_t to, uint8_t step, const void *body, uint32_t size)
{
    uint8_t *bytes = malloc(DC_APP_HEAD_BYTES + size);
    bytes[0] = DC_MSG_APP;
    bytes[1] = DC_APP_TRAINING;
    dc_put32(bytes + 2, NUMBER);
    bytes[6] = step;
    memcpy(bytes + DC_APP_HEAD_BYTES, body, size);
    apps_deliver(&net,
                 &(struct apps_letter){net.now_ns, from, to, DC_APP_HEAD_BYTES + size, bytes});
    free(bytes);
}

static bool mute;                         /* the node's own OPEN does not leave */
static uint8_t voted[12 + DC_HASH_BYTES]; /* what the first member said */
static bool watch_mute(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes,
                       uint32_t size)
{
    watch(n, from, to, bytes, size);
    if (bytes[6] == STEP_VOTE && from == FIRST && size == DC_APP_HEAD_BYTES + sizeof voted)
        memcpy(voted, bytes + DC_APP_HEAD_BYTES, sizeof voted);
    return !(mute && from == NODE && bytes[6] == STEP_OPEN);
}

static void start_mute(void)
{
    net.filter = NULL;
    mute = true;
    memset(voted, 0, sizeof voted);
    start(5, 3, DC_TRAINING_LINEAR);
    net.filter = watch_mute;
    while (steps[STEP_OPEN] == 0)
        apps_run(&net, net.now_ns + SECOND / 20);
}

/* Asks the first member for an opening; how many parts came. */
static uint32_t asked(uint32_t from, uint64_t set, uint16_t members)
{
    uint8_t body[14];
    uint32_t before = steps[STEP_PART];
    dc_put32(body, 0);
    dc_put64(body + 4, set);
    dc_put16(body + 12, members);
    inject(from, FIRST, STEP_OPEN, body, sizeof body);
    return steps[STEP_PART] - before;
}

/* A vote reaches the first member; how many parts came. */
static uint32_t vote(uint32_t from, uint64_t set, uint8_t change, uint32_t size)
{
    uint8_t body[sizeof voted + 1];
    uint32_t before = steps[STEP_PART];
    memcpy(body, voted, sizeof voted);
    dc_put64(body + 4, set);
    body[20] ^= change;
    inject(from, FIRST, STEP_VOTE, body, size);
    return steps[STEP_PART] - before;
}

/* The node asks for what it is not to see. */
static void test_greedy(void)
{
    start_mute();
    const struct {
        uint32_t from;
        uint64_t set;
        uint16_t members;
        bool good;
    } ask[] = {
        {NODE, 1, 7, false},        /* one trainer's gradient */
        {NODE, 3, 7, false},        /* two: fewer than the threshold */
        {NODE, 31, 3, false},       /* by two members */
        {NODE, 63, 7, false},       /* of somebody who is not there */
        {NODE, 31, 0x8007, false},  /* by somebody who is not there */
        {FIRST + 1, 31, 7, false},  /* asked by another member */
        {FIRST + 20, 31, 7, false}, /* asked by a stranger */
        {NODE, 15, 0xe, true},      /* some trainers, by others: this is what the round opens */
        {NODE, 31, 7, false},       /* more: the difference would be one gradient */
        {NODE, 7, 7, false},        {NODE, 15, 0x1f, true},
    };
    for (size_t i = 0; i < sizeof ask / sizeof ask[0]; i++) {
        uint32_t refused = net.refused[FIRST];
        CU_ASSERT_EQUAL(asked(ask[i].from, ask[i].set, ask[i].members), 0); /* nobody else voted */
        CU_ASSERT_EQUAL(net.refused[FIRST] == refused, ask[i].good);
    }
    CU_ASSERT_EQUAL(steps[STEP_VOTE], 4); /* one vote, to four others */
    CU_ASSERT_EQUAL(dc_get64(voted + 4), 15);
    apps_tear_down(&net);
    mute = false;
}

/* Four of five have to say the same of a sum; each counts once, and only members do. */
static void test_votes(void)
{
    const uint32_t size = sizeof voted;
    start_mute();
    CU_ASSERT_EQUAL(asked(NODE, 15, 7), 0);
    CU_ASSERT_EQUAL(vote(FIRST + 1, 15, 0, size), 0);
    CU_ASSERT_EQUAL(vote(FIRST + 1, 15, 0, size), 0);  /* again */
    CU_ASSERT_EQUAL(vote(FIRST, 15, 0, size), 0);      /* its own */
    CU_ASSERT_EQUAL(vote(NODE, 15, 0, size), 0);       /* no member */
    CU_ASSERT_EQUAL(vote(FIRST + 20, 15, 0, size), 0); /* a stranger */
    CU_ASSERT_EQUAL(vote(FIRST + 2, 15, 0, size - 1), 0);
    CU_ASSERT_EQUAL(vote(FIRST + 2, 15, 0, size + 1), 0);
    CU_ASSERT_EQUAL(vote(FIRST + 2, 15, 1, size), 0); /* another sum of the same trainers */
    CU_ASSERT_EQUAL(vote(FIRST + 2, 15, 0, size), 0); /* it has voted */
    CU_ASSERT_EQUAL(vote(FIRST + 3, 15, 0, size), 0); /* three by now, and one against */
    CU_ASSERT_EQUAL(vote(FIRST + 4, 15, 0, size), 1);
    CU_ASSERT_EQUAL(asked(NODE, 15, 0x13), 1); /* by others: the same sum */
    CU_ASSERT_EQUAL(asked(NODE, 31, 7), 0);
    apps_tear_down(&net);
    mute = false;
}

/* A node that tells some members of one sum, and others of a sum without one trainer: neither is
 * opened, though each would find as many members as there have to be. */
static bool two_faced(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes, uint32_t size)
{
    watch(n, from, to, bytes, size);
    if (from == NODE && bytes[6] == STEP_OPEN && to > FIRST + 3)
        bytes[DC_APP_HEAD_BYTES + 4] ^= 1;
    return true;
}

static void test_two_sums(void)
{
    net.filter = NULL;
    start(7, 3, DC_TRAINING_LINEAR);
    net.filter = two_faced;
    apps_run(&net, 400 * SECOND);
    CU_ASSERT(steps[STEP_OPEN] > 0 && steps[STEP_VOTE] > 0);
    CU_ASSERT_EQUAL(steps[STEP_PART], 0);
    for (uint32_t r = 0; r < ROUNDS; r++)
        CU_ASSERT_EQUAL(took[r], 0);
    check_everyone(7, DC_TRAINING_LINEAR);
    apps_tear_down(&net);
}

/* --- the fifth trainer conspires with the node ------------------------------------------------ */

enum { ROGUE = FIRST + 4, VICTIM = FIRST };
static struct dc_bfv_poly seen_half[2][5];
static uint8_t seen_proof[2][DC_BFV_PROOF_BYTES];
static uint32_t rogue_way, rogue_sent;

/* What it would send: the negative of all others' halves but the victim's, or what the victim sent
 * in the round before, with the proof that it has or that it has seen. */
static void rogue_half(uint32_t round, uint8_t *body)
{
    struct dc_bfv_ciphertext *c = calloc(2, sizeof *c);
    for (uint32_t k = 1; k < 4; k++) {
        c[1].c[1] = seen_half[round % 2][k];
        dc_bfv_sub(&c[0], &c[1]);
    }
    if (rogue_way == 1)
        c[0].c[1] = seen_half[(round + 1) % 2][0];
    dc_put32(body, round);
    dc_bfv_poly_encode(&c[0].c[1], body + 4);
    if (rogue_way == 1)
        memcpy(body + 4 + DC_BFV_POLY_BYTES, seen_proof[(round + 1) % 2], DC_BFV_PROOF_BYTES);
    free(c);
}

static bool rogue(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes, uint32_t size)
{
    watch(n, from, to, bytes, size);
    if (bytes[6] != STEP_HALF)
        return true;
    uint8_t *body = bytes + DC_APP_HEAD_BYTES;
    uint32_t round = dc_get32(body);
    if (from != ROGUE) {
        CU_ASSERT_TRUE(
            dc_bfv_poly_decode(body + 4, DC_BFV_POLY_BYTES, &seen_half[round % 2][from - FIRST]));
        if (from == VICTIM)
            memcpy(seen_proof[round % 2], body + 4 + DC_BFV_POLY_BYTES, DC_BFV_PROOF_BYTES);
    } else if (rogue_way == 0 || round > 0) {
        rogue_half(round, body); /* of those that came first: it is the last to send */
        rogue_sent++;
    }
    return true;
}

static void test_rogue(void)
{
    for (rogue_way = 0; rogue_way < 2; rogue_way++) {
        rogue_sent = 0;
        net.filter = NULL;
        start(5, 3, DC_TRAINING_LINEAR);
        net.filter = rogue;
        apps_run(&net, 120 * SECOND);
        CU_ASSERT(rogue_sent >= 4);
        for (uint32_t r = 0; r < ROUNDS; r++)
            CU_ASSERT_EQUAL(took[r], rogue_way == 1 && r == 0 ? 31 : 15);
        for (uint32_t k = 0; k < 4; k++)
            CU_ASSERT(net.refused[FIRST + k] != 0);
        CU_ASSERT_EQUAL(net.accused, 0);
        uint64_t digest = expected(5, DC_TRAINING_LINEAR);
        for (uint32_t k = 0; k < 4; k++)
            CU_ASSERT(net.noted[FIRST + k] && net.result[FIRST + k] == digest);
        apps_tear_down(&net);
    }
}

/* It sends the second member another half than the rest, well proved: it is left out, and nobody
 * else is suspected. */
static bool other_half(struct apps_net *n, uint32_t from, uint32_t to, uint8_t *bytes,
                       uint32_t size)
{
    watch(n, from, to, bytes, size);
    if (bytes[6] != STEP_HALF || from != ROGUE || to != FIRST + 1)
        return true;
    const struct training *t = n->apps[ROGUE].at[0].memory;
    uint8_t *body = bytes + DC_APP_HEAD_BYTES;
    struct dc_bfv_plain plain = {{1}};
    struct dc_bfv_ciphertext *c = calloc(1, sizeof *c);
    struct dc_hasher h; /* as app_training_round.c's */
    dc_hasher_init(&h, DC_DOMAIN_TRAINING);
    dc_hasher_update(&h, t->about.b, DC_HASH_BYTES);
    dc_hasher_update(&h, "half", 4);
    dc_hasher_update64(&h, dc_get32(body));
    dc_hasher_update64(&h, 4);
    struct dc_hash context = dc_hasher_final(&h);
    dc_bfv_encrypt(t->bfv, t->trainer->key, &plain, t->secret, c);
    dc_bfv_poly_encode(&c->c[1], body + 4);
    dc_bfv_prove(t->bfv, t->trainer->key, &plain, t->secret, &context,
                 body + 4 + DC_BFV_POLY_BYTES);
    free(c);
    rogue_sent++;
    return true;
}

static void test_other_half(void)
{
    rogue_sent = 0;
    net.filter = NULL;
    start(5, 3, DC_TRAINING_LINEAR);
    net.filter = other_half;
    apps_run(&net, 120 * SECOND);
    CU_ASSERT(rogue_sent >= 1);
    CU_ASSERT_EQUAL(net.refused[FIRST + 1], 0); /* the proof is good */
    for (uint32_t r = 0; r < ROUNDS; r++)
        CU_ASSERT_EQUAL(took[r], 15);
    CU_ASSERT_EQUAL(net.accused, 0);
    check_everyone(5, DC_TRAINING_LINEAR);
    apps_tear_down(&net);
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
        {"everyone", test_everyone},
        {"crashes", test_crashes},
        {"too few", test_too_few},
        {"no key", test_no_key},
        {"a cheat", test_cheat},
        {"a cheat with the key", test_cheat_key},
        {"losses", test_losses},
        {"a greedy node", test_greedy},
        {"votes", test_votes},
        {"two sums at once", test_two_sums},
        {"a trainer with the node", test_rogue},
        {"two halves", test_other_half},
        {"who comes back", test_reboots},
        {"garbage", test_garbage},
    };
    return TEST_MAIN("app_training", cases);
}
