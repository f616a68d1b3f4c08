/* Federated training with cheats: members that lie about the key or a sum, a node that asks for more
 * than it is to know, and a trainer that conspires with it. */
#include "tests/client/trainers.h"

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

int main(void)
{
    static const struct test_case cases[] = {
        {"a cheat", test_cheat},
        {"a cheat with the key", test_cheat_key},
        {"a greedy node", test_greedy},
        {"votes", test_votes},
        {"two sums at once", test_two_sums},
        {"a trainer with the node", test_rogue},
        {"two halves", test_other_half},
    };
    return TEST_MAIN("app_training_attacks", cases);
}
