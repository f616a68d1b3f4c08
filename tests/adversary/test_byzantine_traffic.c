/* Behaviours about transactions and traffic, and what holds for all: shares, draws that do not move
 * each other, several at once, beginning and ending, refusals, memory. */
#include "tests/adversary/byzantine.h"
#include "tests/support/statistics.h"

#include <stdatomic.h>

enum { VALIDATORS = 7, NODES = 10, ODD = 0, SERVICE = 7 };
static const uint64_t odd = 1;

static struct town *make(void)
{
    struct town_spec spec = {.validators = VALIDATORS,
                             .services = 2,
                             .clients = 1,
                             .deal_bytes = 1 << 20,
                             .suite = DC_SUITE_MODELLED};
    return town_make(&spec);
}

static void safe(const struct town *t, uint64_t corrupt)
{
    CU_ASSERT_TRUE(byz_agree(t, corrupt));
    CU_ASSERT_EQUAL(t->conflicts, 0);
    CU_ASSERT_TRUE(dc_state_conserved(town_state(t, VALIDATORS - 1)));
    CU_ASSERT_EQUAL(byz_slashed(t, VALIDATORS - 1), 0);
}

/* --- transactions ------------------------------------------------------------------------------
 * */

/* Transactions of `from` (a mask) in final blocks proposed by a mask. */
static uint32_t included(const struct town *t, uint64_t proposers, uint64_t from)
{
    uint32_t count = 0;
    for (const struct dc_block *b = t->node[VALIDATORS - 1]->chain->final; b->header.height > 0;
         b = atomic_load(&b->parent))
        for (uint32_t i = 0; i < b->tx_count; i++) {
            struct dc_tx tx;
            CU_ASSERT_TRUE_FATAL(dc_tx_decode(b->tx[i].bytes, b->tx[i].size, &tx));
            count += (proposers >> b->header.proposer & 1) != 0 && (from >> tx.from & 1) != 0;
        }
    return count;
}

static void test_censor(void)
{
    const uint64_t censors = 3, victims = UINT64_C(1) << SERVICE | 1u << 5;
    struct town *t = make();
    byz_begin(t, censors,
              (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_CENSOR, .victims = &victims});
    town_run(t, 200 * SECOND);
    safe(t, censors);
    CU_ASSERT_EQUAL(included(t, censors, victims), 0);
    CU_ASSERT_TRUE(included(t, censors, ~victims) > 10);
    CU_ASSERT_TRUE(included(t, ~censors, victims) > 10);
    town_free(t);
    /* By all of them: a victim is not heard at all, and its synchronicity shows it. */
    t = make();
    byz_begin(t, (1u << VALIDATORS) - 1,
              (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_CENSOR, .victims = &victims});
    town_run(t, 200 * SECOND);
    CU_ASSERT_EQUAL(included(t, ~UINT64_C(0), UINT64_C(1) << SERVICE), 0);
    const struct dc_state *state = town_state(t, 1);
    CU_ASSERT_TRUE(dc_state_account(state, SERVICE)->posync.a <
                   dc_state_account(state, SERVICE + 1)->posync.a);
    /* What was waiting when it began is forgotten too, and after its end all is heard again. */
    byz_end(t, (1u << VALIDATORS) - 1, DC_BEHAVIOUR_CENSOR);
    town_run(t, 300 * SECOND);
    CU_ASSERT_TRUE(included(t, ~UINT64_C(0), UINT64_C(1) << SERVICE) > 2);
    town_free(t);
}

static void test_double_verdict(void)
{
    struct town *t = make();
    struct byz_catch *c = byz_watch(t, odd, 1u << DC_MSG_TX);
    byz_begin(t, odd, (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_DOUBLE_VERDICT});
    town_run(t, 200 * SECOND);
    safe(t, odd);
    uint32_t pairs = 0;
    for (uint32_t i = 0; i < c->count; i++)
        for (uint32_t k = 0; k < i; k++) {
            struct dc_tx a, b;
            const struct byz_letter *x = &c->letter[k], *y = &c->letter[i];
            if (x->to != y->to || !dc_tx_decode(x->bytes + 1, x->size - 1, &a) ||
                !dc_tx_decode(y->bytes + 1, y->size - 1, &b) || a.kind != DC_TX_VERDICT ||
                b.kind != DC_TX_VERDICT || a.verdict.height != b.verdict.height ||
                a.verdict.node != b.verdict.node || a.verdict.asking != b.verdict.asking)
                continue;
            CU_ASSERT_NOT_EQUAL(a.verdict.verdict, b.verdict.verdict);
            pairs++;
        }
    CU_ASSERT_TRUE(pairs > 5);
    /* On chain the first of each pair counts, and no second one is ever included. */
    uint64_t seen[256];
    uint32_t verdicts = 0;
    for (const struct dc_block *b = t->node[1]->chain->final; b->header.height > 0;
         b = atomic_load(&b->parent))
        for (uint32_t i = 0; i < b->tx_count; i++) {
            struct dc_tx tx;
            if (!dc_tx_decode(b->tx[i].bytes, b->tx[i].size, &tx) || tx.kind != DC_TX_VERDICT ||
                tx.from != ODD || verdicts == 256)
                continue;
            seen[verdicts] = tx.verdict.height << 16 | tx.verdict.node << 8 | tx.verdict.asking;
            for (uint32_t k = 0; k < verdicts; k++)
                CU_ASSERT_NOT_EQUAL(seen[k], seen[verdicts]);
            verdicts++;
        }
    CU_ASSERT_TRUE(verdicts > 5);
    CU_ASSERT_EQUAL(dc_state_account(town_state(t, 1), SERVICE)->posync.failed, 0);
    town_free(t);
    byz_catch_free(c);
}

/* --- later, again, for nothing -----------------------------------------------------------------
 * */

/* Mean time from a proposal's timestamp to when its votes of a node are sent. */
static double vote_lag_ns(const struct town *t, const struct byz_catch *c, uint32_t node)
{
    double sum = 0;
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        struct dc_vote v;
        if (c->letter[i].from != node || !dc_vote_decode(c->letter[i].bytes, c->letter[i].size, &v))
            continue;
        struct dc_block *b = dc_store_find(t->store, &v.block);
        CU_ASSERT_PTR_NOT_NULL_FATAL(b);
        if (b->header.proposer != ODD) { /* whose own proposals come late to all others */
            sum += (double)(c->letter[i].time_ns - b->header.timestamp_ns);
            count++;
        }
        dc_block_drop(b);
    }
    CU_ASSERT_TRUE(count > 10);
    return sum / count;
}

static void test_delay(void)
{
    struct town *t = make();
    struct byz_catch *c = byz_watch(t, odd | 2, 1u << DC_MSG_VOTE);
    byz_begin(t, odd,
              (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_DELAY, .delay_ns = 250 * MS});
    town_run(t, 60 * SECOND);
    safe(t, odd);
    double late = vote_lag_ns(t, c, ODD) - vote_lag_ns(t, c, 1);
    CU_ASSERT_DOUBLE_EQUAL(late / 250e6, 1, 0.1);
    CU_ASSERT_EQUAL(t->timed_out, 0);
    byz_catch_free(c);
    town_free(t);
    /* Longer than a round lasts: its rounds are lost; what it held leaves when it ends. */
    t = make();
    byz_begin(
        t, odd,
        (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_DELAY, .delay_ns = 9 * SECOND});
    town_run(t, 100 * SECOND);
    safe(t, odd);
    CU_ASSERT_TRUE(t->timed_out > 20);
    c = byz_watch(t, odd, UINT32_MAX);
    byz_end(t, odd, DC_BEHAVIOUR_DELAY);
    town_run(t, 105 * SECOND);
    int64_t first_ns = c->letter[0].time_ns;
    uint32_t at_once = 0;
    for (uint32_t i = 0; i < c->count; i++)
        at_once += c->letter[i].time_ns == first_ns;
    CU_ASSERT_TRUE(at_once > 10);
    t->timed_out = 0;
    town_run(t, 160 * SECOND);
    CU_ASSERT_TRUE(t->timed_out < 10);
    byz_catch_free(c);
    town_free(t);
}

static uint64_t fingerprint(const struct byz_letter *l)
{
    uint64_t h = l->size;
    for (uint32_t i = 0; i < l->size; i++)
        h = (h ^ l->bytes[i]) * UINT64_C(0x100000001b3);
    return h;
}

/* Whatever is sent again was sent before, by somebody; the chain does not notice. */
static void test_replay(void)
{
    struct town *t = make();
    struct byz_catch *c = byz_watch(t, (1u << VALIDATORS) - 1,
                                    1u << DC_MSG_PROPOSAL | 1u << DC_MSG_VOTE |
                                        1u << DC_MSG_TIMEOUT | 1u << DC_MSG_HANDOVER);
    byz_begin(t, odd,
              (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_REPLAY, .delay_ns = 500 * MS});
    town_run(t, 60 * SECOND);
    safe(t, odd);
    uint32_t again = 0, foreign = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->letter[i].from != ODD)
            continue;
        uint64_t print = fingerprint(&c->letter[i]);
        bool other = false, before = false;
        for (uint32_t k = 0; k < i; k++)
            if (fingerprint(&c->letter[k]) == print &&
                c->letter[k].time_ns + 400 * MS < c->letter[i].time_ns) {
                before = true;
                other = other || c->letter[k].from != ODD;
            }
        again += before;
        foreign += other;
    }
    CU_ASSERT_TRUE(again > 300 && foreign > 200);
    CU_ASSERT_EQUAL(t->timed_out, 0);
    CU_ASSERT_TRUE(byz_lowest(t, odd) > 50);
    byz_catch_free(c);
    town_free(t);
}

static uint32_t sent_kind(const struct byz_catch *c, uint8_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count; i++)
        count += c->letter[i].bytes[0] == kind;
    return count;
}

/* 50 and 5000 a second, by a validator and by a service node; the chain goes on. */
static void test_spam(void)
{
    for (uint32_t from = ODD; from <= SERVICE; from += SERVICE)
        for (uint32_t rate = 50; rate <= 5000; rate *= 100) {
            struct town *t = make();
            int64_t seconds = rate == 50 ? 60 : 1;
            struct byz_catch *c = byz_watch(t, UINT64_C(1) << from, UINT32_MAX);
            byz_begin(
                t, UINT64_C(1) << from,
                (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_SPAM, .rate_per_s = rate});
            town_run(t, seconds * SECOND);
            safe(t, UINT64_C(1) << from);
            uint32_t turns = from == ODD ? 3 : 2, sent = (uint32_t)(rate * seconds);
            /* a seventh of a validator's draws may be itself with nobody else to send to */
            CU_ASSERT_TRUE(sent_kind(c, DC_MSG_BLOCK_REQUEST) >= sent * 6 / 7 / turns - 10 &&
                           sent_kind(c, DC_MSG_BLOCK_REQUEST) <= sent / turns + 1);
            CU_ASSERT_TRUE(sent_kind(c, DC_MSG_TX) >= sent * 6 / 7 / turns - 10);
            CU_ASSERT_TRUE(from != ODD || sent_kind(c, DC_MSG_VOTE) >= sent * 6 / 7 / turns - 10);
            CU_ASSERT_TRUE(seconds == 1 || byz_lowest(t, 0) > 50);
            CU_ASSERT_EQUAL(t->timed_out, 0);
            byz_catch_free(c);
            /* Its timers stop with it. */
            byz_end(t, UINT64_C(1) << from, DC_BEHAVIOUR_SPAM);
            c = byz_watch(t, UINT64_C(1) << from, 1u << DC_MSG_BLOCK_REQUEST);
            town_run(t, t->now_ns + 5 * SECOND);
            CU_ASSERT_EQUAL(c->count, 0);
            byz_catch_free(c);
            town_free(t);
        }
}

/* --- for all -----------------------------------------------------------------------------------
 * */

/* Rounds in which node 0 voted, as a bitmap over 512 rounds of each of the first epochs. */
static uint32_t voted(uint8_t out[64], uint64_t epoch, bool others, dc_q31 share)
{
    struct town *t = make();
    struct byz_catch *c = byz_watch(t, odd, 1u << DC_MSG_VOTE);
    byz_begin(
        t, odd,
        (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_WITHHOLD_VOTES, .share = share});
    if (others) {
        byz_begin(t, odd,
                  (struct dc_byzantine_config){
                      .behaviour = DC_BEHAVIOUR_REPLAY, .delay_ns = 700 * MS, .share = DC_ONE / 3});
        byz_begin(t, odd,
                  (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_DOUBLE_VERDICT,
                                               .share = DC_ONE / 3});
    }
    town_run(t, 130 * SECOND);
    memset(out, 0, 64);
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        struct dc_vote v;
        if (dc_vote_decode(c->letter[i].bytes, c->letter[i].size, &v) && v.signer == ODD) {
            count++;
            if (v.epoch == epoch && v.round < 512)
                out[v.round / 8] = (uint8_t)(out[v.round / 8] | 1u << v.round % 8);
        }
    }
    byz_catch_free(c);
    town_free(t);
    return count;
}

/* A share is what it says, and a behaviour's draws do not move with what else is in force. */
static void test_share(void)
{
    uint8_t alone[64], beside[64];
    uint32_t some = voted(alone, 1, false, DC_ONE / 4), all = voted(beside, 1, false, 1);
    CU_ASSERT_TRUE(all > 90);
    CU_ASSERT_TRUE(test_binomial_fits(some, all, 0.75, 0.001));
    (void)voted(alone, 1, false, DC_ONE / 2);
    (void)voted(beside, 1, true, DC_ONE / 2);
    uint32_t bits = 0;
    for (uint32_t i = 0; i < 64; i++)
        bits += (uint32_t)__builtin_popcount(alone[i]);
    CU_ASSERT_TRUE(bits > 3);
    CU_ASSERT_EQUAL(memcmp(alone, beside, sizeof alone), 0);
}

/* Everything at once on two nodes, twins or colluders included, with restarts in between; then
 * nothing, and the chain goes on as if it had never been. */
static void test_all_at_once(void)
{
    for (uint32_t twins = 0; twins < 2; twins++) {
        struct town *t = make();
        for (int b = 0; b < DC_BEHAVIOURS; b++)
            if (b != (twins != 0 ? DC_BEHAVIOUR_COLLUDE : DC_BEHAVIOUR_TWINS))
                byz_begin(t, 3,
                          (struct dc_byzantine_config){.behaviour = (enum dc_behaviour)b,
                                                       .delay_ns = 100 * MS,
                                                       .rate_per_s = 5,
                                                       .share = DC_ONE / 2});
        for (int64_t s = 10; s <= 100; s += 10) {
            town_run(t, s * SECOND);
            struct dc_input in = {.kind = DC_INPUT_RESTART};
            town_input(t, s % 20 == 0, &in);
        }
        CU_ASSERT_TRUE(byz_agree(t, 3) && t->conflicts == 0);
        CU_ASSERT_TRUE(byz_lowest(t, 3) > 10);
        for (int b = 0; b < DC_BEHAVIOURS; b++)
            for (uint32_t n = 0; n < 2; n++)
                dc_byzantine_end(t->node[n], (enum dc_behaviour)b);
        CU_ASSERT_FALSE(dc_byzantine_active(t->node[0]) || dc_byzantine_active(t->node[1]));
        town_run(t, 130 * SECOND);
        uint64_t before = byz_lowest(t, 0);
        t->timed_out = 0;
        town_run(t, 160 * SECOND);
        CU_ASSERT_TRUE(byz_agree(t, 0) && byz_lowest(t, 0) > before + 20);
        CU_ASSERT_TRUE(t->timed_out < 7);
        town_free(t);
    }
}

/* The same twice, and again in another object for the same node. */
static void test_move(void)
{
    uint64_t sent[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct town *t = make();
        byz_begin(t, odd,
                  (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_SPAM, .rate_per_s = 20});
        town_run(t, 20 * SECOND);
        struct dc_error error = {0};
        struct dc_node_config c = byz_node_config(t, ODD);
        struct dc_node *fresh = dc_node_create(&c, &error);
        dc_byzantine_move(t->node[ODD], fresh);
        CU_ASSERT_TRUE(dc_byzantine_active(fresh));
        CU_ASSERT_FALSE(dc_byzantine_active(t->node[ODD]));
        dc_node_destroy(t->node[ODD]);
        t->node[ODD] = fresh;
        t->height[ODD] = 0; /* it begins anew */
        uint64_t before = t->sent[DC_MSG_TX];
        struct dc_input in = {.kind = DC_INPUT_RESTART};
        town_input(t, ODD, &in);
        town_run(t, 40 * SECOND);
        sent[i] = t->sent[DC_MSG_TX] - before;
        CU_ASSERT_TRUE(sent[i] > 130);
        town_free(t);
    }
    CU_ASSERT_EQUAL(sent[0], sent[1]);
}

static void test_refusals(void)
{
    struct town *t = make();
    struct dc_node_config node = byz_node_config(t, ODD);
    static const struct {
        struct dc_byzantine_config c;
        uint32_t at;
        enum dc_status status;
    } cases[] = {
        {{.behaviour = DC_BEHAVIOUR_EQUIVOCATE}, ODD, DC_OK},
        {{.behaviour = DC_BEHAVIOUR_EQUIVOCATE}, SERVICE, DC_ERR_USAGE},
        {{.behaviour = DC_BEHAVIOUR_TWINS}, ODD, DC_OK},
        {{.behaviour = DC_BEHAVIOUR_COLLUDE}, ODD, DC_ERR_USAGE}, /* twins are in force */
        {{.behaviour = DC_BEHAVIOUR_TWINS}, 1, DC_OK},
        {{.behaviour = DC_BEHAVIOUR_DELAY}, SERVICE, DC_ERR_USAGE}, /* of 0 ns */
        {{.behaviour = DC_BEHAVIOUR_DELAY, .delay_ns = 1}, SERVICE, DC_OK},
        {{.behaviour = DC_BEHAVIOUR_SPAM}, SERVICE, DC_ERR_USAGE},
        {{.behaviour = DC_BEHAVIOUR_SPAM, .rate_per_s = 16001}, SERVICE, DC_ERR_USAGE},
        {{.behaviour = DC_BEHAVIOUR_SPAM, .rate_per_s = 1, .share = DC_ONE + 1}, 2, DC_ERR_USAGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct dc_byzantine_config c = cases[i].c;
        struct dc_error error = {0};
        c.nodes = t->nodes;
        c.node = &node;
        node.id = cases[i].at;
        CU_ASSERT_EQUAL(dc_byzantine_begin(t->node[cases[i].at], &c, &error), cases[i].status);
        CU_ASSERT_EQUAL(error.text[0] != 0, cases[i].status != DC_OK);
    }
    for (int b = 0; b < DC_BEHAVIOURS; b++)
        for (int k = 0; k < b; k++)
            CU_ASSERT_STRING_NOT_EQUAL(dc_behaviour_name((enum dc_behaviour)b),
                                       dc_behaviour_name((enum dc_behaviour)k));
    CU_ASSERT_FALSE(dc_behaviour_validators_only(DC_BEHAVIOUR_SPAM));
    town_run(t, 10 * SECOND);
    town_free(t);
}

/* Memory out while it begins: a clean refusal, and nothing is in force. */
static void test_memory(void)
{
    static const enum dc_behaviour some[] = {DC_BEHAVIOUR_EQUIVOCATE, DC_BEHAVIOUR_DELAY,
                                             DC_BEHAVIOUR_WITHHOLD_VRF};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        struct town *t = make();
        struct dc_byzantine_config c = {
            .behaviour = some[i], .nodes = t->nodes, .delay_ns = 1, .share = DC_ONE};
        uint32_t refused = 0;
        for (;; refused++) {
            struct dc_error error = {0};
            dc_mem_budget(refused);
            enum dc_status status = dc_byzantine_begin(t->node[ODD], &c, &error);
            dc_mem_budget(UINT64_MAX);
            if (status == DC_OK)
                break;
            CU_ASSERT_EQUAL(status, DC_ERR_IO);
            CU_ASSERT_FALSE(dc_byzantine_active(t->node[ODD]));
            town_run(t, t->now_ns + SECOND / 10);
        }
        CU_ASSERT_EQUAL(refused, 2); /* what was made before stays for the next beginning */
        struct dc_error error = {0};
        dc_mem_budget(0);
        CU_ASSERT_EQUAL(dc_byzantine_begin(t->node[ODD], &c, &error), DC_ERR_IO);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT_FALSE(dc_byzantine_active(t->node[ODD]));
        town_free(t);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"censor", test_censor},
        {"double verdict", test_double_verdict},
        {"delay", test_delay},
        {"replay", test_replay},
        {"spam", test_spam},
        {"share", test_share},
        {"all at once", test_all_at_once},
        {"move", test_move},
        {"refusals", test_refusals},
        {"memory", test_memory},
    };
    return TEST_MAIN("byzantine traffic", cases);
}
