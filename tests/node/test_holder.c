/* Key holders at work in a town: the beacon, totals that nobody else can open, grants; with holders
 * that are silent, cheat, or began again. */
#include "models/client/app.h"
#include "models/node/holder_impl.h"
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)
enum { HOLDERS = 5, THRESHOLD = 3, GHOST = 7, CLIENT = 11 };

static void edit(struct dc_params *p)
{
    p->holders = HOLDERS;
    p->threshold = THRESHOLD;
    p->beacon = DC_BEACON_THRESHOLD;
    p->fee_private = 1000;
    p->detectors = 0;
}

static struct town *make(uint32_t validators, enum dc_suite suite)
{
    struct town_spec spec = {.validators = validators,
                             .services = 4,
                             .clients = 3,
                             .deal_bytes = 1 << 20,
                             .retries = 1,
                             .suite = suite,
                             .edit = edit};
    spec.strategy[validators] = DC_STRATEGY_GHOST; /* is ejected in its ninth epoch */
    spec.missing[validators] = DC_ONE;
    return town_make(&spec);
}

static uint64_t height(const struct town *t, uint32_t node)
{
    return dc_state_meta(town_state(t, node))->height;
}
static const struct dc_vault_meta *vault(const struct town *t, uint32_t node)
{
    return dc_state_vault(town_state(t, node));
}

/* Until a node's final block has this height, or it takes far too long. */
static void run_to(struct town *t, uint32_t node, uint64_t to)
{
    int64_t until = t->now_ns + 40 * SECOND + (int64_t)to * 3 * SECOND;
    while (height(t, node) < to && t->now_ns < until)
        town_run(t, t->now_ns + SECOND / 10);
    CU_ASSERT_TRUE_FATAL(height(t, node) >= to);
}

/* --- beacon ---------------------------------------------------------------------------------- */

static void test_beacon(void)
{
    struct town *t = make(13, DC_SUITE_REAL);
    run_to(t, 0, 30);
    uint64_t before = vault(t, 0)->beacon_height;
    CU_ASSERT_TRUE(before >= 6); /* three or four blocks each */
    town_crash(t, 1);
    town_crash(t, 3); /* three are left */
    run_to(t, 0, 60);
    uint64_t still = vault(t, 0)->beacon_height;
    CU_ASSERT_TRUE(still >= before + 5);
    town_crash(t, 4); /* two: R stands still, and the chain goes on */
    run_to(t, 0, 90);
    uint64_t stopped = vault(t, 0)->beacon_height;
    CU_ASSERT_TRUE(stopped <= still + 1);
    struct dc_hash r = dc_state_meta(town_state(t, 0))->beacon;
    run_to(t, 0, 100);
    struct dc_hash same = dc_state_meta(town_state(t, 0))->beacon;
    CU_ASSERT_TRUE(dc_hash_equal(&r, &same));
    town_restart(t, 4);
    run_to(t, 0, 130);
    CU_ASSERT_TRUE(vault(t, 0)->beacon_height >= stopped + 4);
    town_free(t);
}

/* --- totals ---------------------------------------------------------------------------------- */

static uint64_t app_result[TOWN_NODES];
static void watch(struct town *t, uint32_t node, const struct dc_input *in)
{
    for (uint32_t i = 0; i < t->out.count; i++)
        if (t->out.list[i].kind == DC_EFFECT_NOTE && t->out.list[i].timer == DC_NOTE_APP)
            app_result[node] = t->out.list[i].b;
}

/* Three service nodes report 100, 101, 102; another service node is paid from 303 on. */
static void usage(uint64_t bound, uint64_t down)
{
    static const uint32_t participant[3] = {8, 9, 10};
    enum { OWNER = 12, PAYEE = 7 };
    const uint64_t amount = 100 * DC_DSYNC;
    struct town *t = make(7, DC_SUITE_REAL);
    struct dc_app_call call[5];
    memset(app_result, 0xee, sizeof app_result);
    t->stepped = watch;
    run_to(t, 0, 3);
    uint64_t payee = dc_state_account(town_state(t, 0), PAYEE)->balance;
    for (uint32_t i = 0; i < 5; i++) {
        uint32_t node = i < 3 ? participant[i] : i == 3 ? (uint32_t)PAYEE : (uint32_t)OWNER;
        call[i] = (struct dc_app_call){.kind = DC_APP_USAGE,
                                       .role = i < 3    ? DC_APP_PARTICIPANT
                                               : i == 3 ? DC_APP_NODE
                                                        : DC_APP_OWNER,
                                       .number = 2,
                                       .owner = OWNER,
                                       .tag = 99,
                                       .close = 20,
                                       .end = 60,
                                       .value = i < 3 ? 100 + i : amount,
                                       .bound = bound,
                                       .node = PAYEE,
                                       .count = 3,
                                       .participant = participant};
        town_call(t, node, t->now_ns + 1, (struct dc_call){.kind = DC_CALL_APP, .app = &call[i]});
    }
    for (uint32_t i = 0; i < HOLDERS; i++)
        if ((down >> i & 1) != 0)
            town_crash(t, i);
    uint32_t see = 6;
    run_to(t, see, 62);
    const struct dc_contract *c = dc_state_contract(town_state(t, see), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_EQUAL(c->phase, DC_CONTRACT_OVER);
    CU_ASSERT_EQUAL(c->word[2], 3);
    CU_ASSERT_EQUAL(c->word[3], 303);
    uint64_t paid = dc_state_account(town_state(t, see), PAYEE)->balance - payee;
    CU_ASSERT_EQUAL(paid >= amount, bound <= 303); /* beside what its deal brings */
    for (uint32_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(app_result[participant[i]], 303);
    CU_ASSERT_EQUAL(app_result[OWNER], 303);
    CU_ASSERT_EQUAL(app_result[PAYEE], 303);
    CU_ASSERT_TRUE(dc_state_conserved(town_state(t, see)));
    /* Not more shares than are needed, and a retry or two. */
    uint32_t of, shares = dc_decrypt_shares(town_state(t, see), 0, &of);
    CU_ASSERT_EQUAL(shares, THRESHOLD);
    town_free(t);
}

static void test_usage(void)
{
    usage(303, 0);
    usage(304, 0);
    usage(1, 3); /* two holders, the first in order, are silent: others step in */
}

/* --- grants ---------------------------------------------------------------------------------- */

/* The epoch in which claims on the ghost's end are made, and its first height. */
static uint64_t claims_from(struct town *t)
{
    uint32_t see = 6;
    while (!dc_state_account(town_state(t, see), GHOST)->posync.ejected)
        run_to(t, see, height(t, see) + 1);
    uint64_t epoch = dc_state_meta(town_state(t, see))->epoch;
    CU_ASSERT_EQUAL(vault(t, see)->grants, 0);
    return (epoch + 1) * t->params.epoch_blocks + 1;
}

static void granted(struct town *t, uint64_t from, bool want)
{
    uint32_t see = 6;
    run_to(t, see, from - 1);
    uint64_t fund = dc_state_meta(town_state(t, see))->fund;
    uint64_t had = dc_state_account(town_state(t, see), CLIENT)->balance;
    run_to(t, see, from + t->params.epoch_blocks);
    CU_ASSERT_EQUAL(vault(t, see)->grants, want);
    uint64_t least = dc_muldiv(t->params.price_gib_epoch, 1 << 20, (uint64_t)1 << 30);
    CU_ASSERT_EQUAL(dc_state_meta(town_state(t, see))->fund, fund - (want ? least : 0));
    CU_ASSERT_TRUE(dc_state_account(town_state(t, see), CLIENT)->balance >= had + want * least);
    run_to(t, see, from + 2 * (uint64_t)t->params.epoch_blocks); /* and no more of them */
    CU_ASSERT_EQUAL(vault(t, see)->grants, want);
    CU_ASSERT_TRUE(dc_state_conserved(town_state(t, see)));
}

static void test_grant(void)
{
    for (int suite = 0; suite < 2; suite++) {
        struct town *t = make(7, suite == 0 ? DC_SUITE_REAL : DC_SUITE_MODELLED);
        granted(t, claims_from(t), true);
        /* asked 4, answered 4, list to 2, shares of 2: one session */
        CU_ASSERT_EQUAL(t->sent[DC_MSG_HOLDER], 12);
        for (uint32_t i = 0; i < HOLDERS; i++)
            CU_ASSERT_FALSE(dc_holder_suspects(t->node[0], i));
        town_free(t);
    }
}

/* Loses messages of one step from a node. */
struct losing {
    uint32_t from;
    uint8_t step;
};
static bool loses(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    const struct losing *l = context;
    return bytes[0] == DC_MSG_HOLDER && from == l->from && (l->step == 0 || bytes[1] == l->step);
}

static void test_silent(void)
{
    struct losing l = {0, 0}; /* the coordinator: another takes over */
    struct town *t = make(7, DC_SUITE_REAL);
    t->lose = loses;
    t->context = &l;
    granted(t, claims_from(t), true);
    town_free(t);
    l = (struct losing){2, HOLDER_SHARE}; /* a signer that committed: left out of the next try */
    t = make(7, DC_SUITE_REAL);
    t->lose = loses;
    t->context = &l;
    uint64_t from = claims_from(t);
    run_to(t, 6, from + 15);
    CU_ASSERT_EQUAL(vault(t, 6)->grants, 1);
    CU_ASSERT_TRUE(dc_holder_suspects(t->node[0], 2));
    CU_ASSERT_FALSE(dc_holder_suspects(t->node[0], 1));
    town_free(t);
}

static void test_cheat(void)
{
    struct town *t = make(7, DC_SUITE_REAL);
    uint64_t from = claims_from(t);
    t->node[1]->holder->secret.treasury[0] ^= 1;
    run_to(t, 6, from + 15);
    CU_ASSERT_EQUAL(vault(t, 6)->grants, 1);
    for (uint32_t i = 0; i < HOLDERS; i++) /* named, and nobody else */
        CU_ASSERT_EQUAL(dc_holder_suspects(t->node[0], i), i == 1);
    town_free(t);
    t = make(7, DC_SUITE_REAL); /* too many: nothing is granted */
    from = claims_from(t);
    for (uint32_t i = 1; i < 4; i++)
        t->node[i]->holder->secret.treasury[0] ^= 1;
    granted(t, from, false);
    town_free(t);
}

/* Processes that began again know no counters: they sign nothing in that epoch. */
static void test_restart(void)
{
    struct town *t = make(7, DC_SUITE_REAL);
    uint64_t from = claims_from(t);
    run_to(t, 6, from);
    for (uint32_t i = 0; i < 3; i++) {
        town_crash(t, i);
        town_restart(t, i);
    }
    granted(t, from + 1, false);
    town_free(t);
}

/* What reaches a holder from others, changed: nothing is signed twice, nothing breaks. */
static void test_messages(void)
{
    struct town *t = make(7, DC_SUITE_REAL);
    uint64_t from = claims_from(t);
    run_to(t, 6, from + 8);
    CU_ASSERT_EQUAL(vault(t, 6)->grants, 1);
    struct town_sample kept[TOWN_SAMPLES];
    uint32_t n = 0;
    for (uint32_t i = 0; i < TOWN_SAMPLES; i++)
        if (t->sample[DC_MSG_HOLDER][i].bytes != NULL) {
            kept[n] = t->sample[DC_MSG_HOLDER][i];
            kept[n].bytes = malloc(kept[n].size);
            memcpy(kept[n].bytes, t->sample[DC_MSG_HOLDER][i].bytes, kept[n].size);
            n++;
        }
    CU_ASSERT_EQUAL(n, 12);
    for (uint32_t i = 0; i < n; i++) { /* as if the grant had not been made */
        struct dc_holder *h = t->node[kept[i].to]->holder;
        struct dc_holder was = *h;
        h->grants = 0;
        town_hand(t, kept[i].to, kept[i].from, kept[i].bytes, kept[i].size);
        bool idle = kept[i].bytes[1] == HOLDER_ASK && kept[i].to > 2; /* committed, did not sign */
        CU_ASSERT_EQUAL(t->out.count, idle); /* for others the counter was used */
        for (size_t bit = 8; bit < 8 * kept[i].size; bit += 3) {
            kept[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            town_hand(t, kept[i].to, kept[i].from, kept[i].bytes, kept[i].size);
            bool asked = kept[i].bytes[1] == HOLDER_ASK; /* a later try of the same coordinator */
            CU_ASSERT_TRUE(t->out.count == 0 || asked);
            kept[i].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t cut = 1; cut < kept[i].size; cut++)
            town_hand(t, kept[i].to, kept[i].from, kept[i].bytes, cut);
        uint64_t refused = t->refused[kept[i].to];
        town_hand(t, kept[i].to, 6, kept[i].bytes, kept[i].size); /* a validator without a share */
        CU_ASSERT_EQUAL(t->refused[kept[i].to], refused + 1);
        dc_holder_session_end(&h->session);
        *h = was;
        free(kept[i].bytes);
    }
    town_free(t);
}

/* A holder gives one share under a counter, whoever asks with whichever list. */
static void test_one_list(void)
{
    struct town *t = make(7, DC_SUITE_REAL);
    uint64_t from = claims_from(t);
    struct losing l = {0, HOLDER_PACKAGE};
    t->lose = loses;
    t->context = &l;
    while (t->sent[DC_MSG_HOLDER] < 10)
        town_run(t, t->now_ns + SECOND / 20);
    (void)from;
    uint8_t list[512];
    uint32_t size = 0;
    for (uint32_t i = 0; i < TOWN_SAMPLES; i++) {
        const struct town_sample *s = &t->sample[DC_MSG_HOLDER][i];
        if (s->bytes != NULL && s->bytes[1] == HOLDER_PACKAGE && s->to == 1)
            memcpy(list, s->bytes, size = s->size);
    }
    CU_ASSERT_EQUAL_FATAL(size, HOLDER_HEAD_BYTES + 3 * 65);
    town_hand(t, 1, 0, list, size);
    CU_ASSERT_PTR_NOT_NULL(town_sends(t, DC_MSG_HOLDER));
    uint8_t other[512];
    memcpy(other, list, size);
    memcpy(other + HOLDER_HEAD_BYTES + 1, list + HOLDER_HEAD_BYTES + 2 * 65 + 1, 64);
    town_hand(t, 1, 0, other, size); /* another list */
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_HOLDER));
    town_hand(t, 1, 0, list, size); /* or the same again */
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_HOLDER));
    town_hand(t, 2, 1, list, size); /* from who does not coordinate */
    CU_ASSERT_PTR_NULL(town_sends(t, DC_MSG_HOLDER));
    town_free(t);
}

/* A process that began again from further behind, and so finds itself in an epoch whose counters it
 * may have used: the same grant under the same counter gets other nonces. */
static void test_other_nonces(void)
{
    struct town *t = make(7, DC_SUITE_REAL);
    (void)claims_from(t);
    struct losing l = {0, HOLDER_PACKAGE};
    t->lose = loses;
    t->context = &l;
    while (t->sent[DC_MSG_HOLDER] < 10)
        town_run(t, t->now_ns + SECOND / 20);
    uint8_t ask[64], first[HOLDER_HEAD_BYTES + DC_FROST_COMMITMENT_BYTES];
    uint32_t size = 0;
    for (uint32_t i = 0; i < TOWN_SAMPLES; i++) {
        const struct town_sample *s = &t->sample[DC_MSG_HOLDER][i];
        if (s->bytes != NULL && s->bytes[1] == HOLDER_ASK && s->to == 1)
            memcpy(ask, s->bytes, size = s->size);
    }
    CU_ASSERT_EQUAL_FATAL(size, HOLDER_HEAD_BYTES);
    struct dc_holder *h = t->node[1]->holder;
    for (uint32_t k = 0; k < 3; k++) {
        if (k == 2) {
            struct dc_holder was = *h;
            town_restart(t, 1);
            memcpy(was.life, h->life, sizeof was.life);
            dc_holder_session_end(&h->session);
            *h = was;
        }
        town_hand(t, 1, 0, ask, size);
        const struct dc_effect *e = town_sends(t, DC_MSG_HOLDER);
        CU_ASSERT_PTR_NOT_NULL_FATAL(e);
        CU_ASSERT_EQUAL_FATAL(e->size, sizeof first);
        if (k == 0)
            memcpy(first, e->bytes, sizeof first);
        CU_ASSERT_EQUAL(memcmp(first, e->bytes, sizeof first) == 0, k < 2);
    }
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {{"beacon", test_beacon},
                                             {"totals", test_usage},
                                             {"a grant", test_grant},
                                             {"silent holders", test_silent},
                                             {"cheats", test_cheat},
                                             {"began again", test_restart},
                                             {"changed messages", test_messages},
                                             {"one list for a counter", test_one_list},
                                             {"other nonces afterwards", test_other_nonces}};
    return TEST_MAIN("holder", cases);
}
