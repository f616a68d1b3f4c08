/* Thieves among clients: whatever they send, no block has it, money stays what it was, and honest
 * payments go on beside them. */
#include "models/adversary/thief.h"
#include "models/privacy/tamper.h"
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)
#define FEE 1000u
enum { VALIDATORS = 4, THIEF = 4, HONEST = 5, SHOP = 6, DECOYS = 20, COIN = 1000000 };

static struct town *t;
static uint32_t paid[TOWN_NODES], failed[TOWN_NODES];
static uint64_t received[TOWN_NODES], shielded_sent[TOWN_NODES];

static void stepped(struct town *town, uint32_t node, const struct dc_input *in)
{
    for (uint32_t i = 0; i < town->out.count; i++) {
        const struct dc_effect *e = &town->out.list[i];
        if (e->kind == DC_EFFECT_NOTE && e->timer == DC_NOTE_PAID)
            *(e->b ? &paid[node] : &failed[node]) += 1;
        if (e->kind == DC_EFFECT_NOTE && e->timer == DC_NOTE_RECEIVED && e->b == 0)
            received[node] += e->a;
        if (e->kind == DC_EFFECT_SEND_MANY && e->bytes[0] == DC_MSG_TX &&
            e->bytes[1] == DC_TX_SHIELDED)
            shielded_sent[node]++;
    }
    (void)in;
}

static void privacy(struct dc_params *p)
{
    p->decoys = DECOYS;
    p->ring = 4;
    p->note_age = 2;
    p->fee_private = FEE;
}

static void pay(uint32_t from, int64_t at_s, uint32_t to, uint64_t amount)
{
    town_call(t, from, at_s * SECOND,
              (struct dc_call){.kind = DC_CALL_PAY, .object = to, .size_bytes = amount});
}

/* Three notes each for the thief and the honest one, who then pay the shop three times. */
static void run(enum dc_strategy strategy)
{
    struct town_spec spec = {
        .validators = VALIDATORS, .clients = 3, .suite = DC_SUITE_MODELLED, .edit = privacy};
    spec.strategy[THIEF] = strategy;
    memset(paid, 0, sizeof paid);
    memset(failed, 0, sizeof failed);
    memset(received, 0, sizeof received);
    memset(shielded_sent, 0, sizeof shielded_sent);
    t = town_make(&spec);
    t->stepped = stepped;
    for (uint32_t client = THIEF; client <= HONEST; client++)
        for (int64_t i = 0; i < 3; i++) {
            town_call(t, client, (1 + i) * SECOND,
                      (struct dc_call){.kind = DC_CALL_SHIELD, .size_bytes = COIN});
            pay(client, 14 + 7 * i, SHOP, COIN / 4);
        }
    town_run(t, 60 * SECOND);
    CU_ASSERT_TRUE(t->height[0] > 40 && t->conflicts == 0);
    CU_ASSERT_EQUAL(paid[HONEST], 3);
    CU_ASSERT_EQUAL(failed[HONEST], 0);
    for (uint32_t v = 0; v < VALIDATORS; v++)
        CU_ASSERT_TRUE(dc_state_conserved(town_state(t, v)));
}

/* What all wallets together can spend is what the pool holds, when nobody owns anything else. */
static void end(uint64_t images)
{
    const struct dc_state *s = town_state(t, 0);
    uint64_t sum = 0;
    for (uint32_t client = THIEF; client <= SHOP; client++)
        for (uint32_t i = 0; i < t->node[client]->wallet->count; i++)
            sum += t->node[client]->wallet->note[i].amount;
    CU_ASSERT_EQUAL(sum, dc_state_vault(s)->pool);
    CU_ASSERT_EQUAL(dc_state_vault(s)->images, images);
    CU_ASSERT_EQUAL(dc_state_vault(s)->pool, 6 * (uint64_t)COIN - images * FEE);
    town_free(t);
}

static void test_inflator(void)
{
    run(DC_STRATEGY_INFLATOR);
    CU_ASSERT_TRUE(shielded_sent[THIEF] > 6 && paid[THIEF] == 0);
    CU_ASSERT_EQUAL(received[SHOP], 3 * (COIN / 4));
    end(3);
}

static void test_forger(void)
{
    run(DC_STRATEGY_FORGER);
    CU_ASSERT_TRUE(shielded_sent[THIEF] > 6 && paid[THIEF] == 0);
    CU_ASSERT_EQUAL(received[SHOP], 3 * (COIN / 4));
    end(3);
}

/* One of the two is final, never both; the shop has what the thief's wallet says is paid. */
static void test_double_spender(void)
{
    run(DC_STRATEGY_DOUBLE_SPENDER);
    CU_ASSERT_TRUE(shielded_sent[THIEF] >= 6);
    CU_ASSERT_EQUAL(paid[THIEF] + failed[THIEF], 3);
    CU_ASSERT_EQUAL(received[SHOP], (3 + paid[THIEF]) * (COIN / 4));
    end(6);
}

static void test_replayer(void)
{
    run(DC_STRATEGY_REPLAYER);
    CU_ASSERT_TRUE(shielded_sent[THIEF] >= 9); /* three of its own, six again */
    CU_ASSERT_EQUAL(paid[THIEF], 3);
    CU_ASSERT_EQUAL(received[SHOP], 6 * (COIN / 4));
    end(6);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"inflator", test_inflator},
        {"forger", test_forger},
        {"double spender", test_double_spender},
        {"replayer", test_replayer},
    };
    return TEST_MAIN("thieves", cases);
}
