/* Who sells to whom: customers, rings, accomplices; and that draws stay when others come. */
#include "sim/world/inside.h"
#include "sim/world/population.h"
#include "tests/world/run.h"

#define SERVICE_FIRST 4

/* Deals as genesis has them, from the state of the last final block. */
static const struct dc_state *state_of(const struct run *r)
{
    return dc_store_genesis(r->world->store)->state;
}

static struct run town(const char *strategy, const char *customers)
{
    char text[1024];
    snprintf(text, sizeof text,
             "name: market\nduration: 1 s\n"
             "network: {latency: 20 ms, jitter: none, loss: 0,"
             " overlay: {kind: k_regular, degree: 4}}\n"
             "nodes:\n"
             "  - {name: val, role: validator, count: 4, bond: 2000 DSYNC}\n"
             "  - {name: sto, role: service, service: storage, count: 30, bond: 1000 DSYNC,"
             " customers: %s, strategy: %s}\n"
             "  - {name: cli, role: client, count: 12, demand: {arrivals: none}}\n",
             customers, strategy);
    return run_text(text, &(struct run_how){0});
}

static void test_customers(void)
{
    struct run one = town("honest", "1"), many = town("honest", "5"), all = town("honest", "64");
    const struct run *each[] = {&one, &many, &all};
    static const uint32_t count[] = {1, 5, 12}; /* there are twelve clients */
    for (int i = 0; i < 3; i++) {
        const struct dc_state *s = state_of(each[i]);
        uint64_t unequal = 0;
        for (uint32_t n = SERVICE_FIRST; n < SERVICE_FIRST + 30; n++) {
            const struct dc_account *a = dc_state_account(s, n);
            uint64_t sum = 0, seen = 0, smallest = UINT64_MAX, largest = 0;
            uint32_t deals = 0;
            for (uint32_t d = a->deal_last; d != DC_DEAL_NONE; d = dc_state_deal(s, d)->prev) {
                const struct dc_deal *deal = dc_state_deal(s, d);
                sum += deal->size_bytes;
                CU_ASSERT_EQUAL(deal->paid_bytes, deal->size_bytes);
                CU_ASSERT_TRUE(deal->client >= 34);
                CU_ASSERT_EQUAL(seen >> deal->client & 1, 0); /* distinct */
                seen |= (uint64_t)1 << deal->client;
                smallest = deal->size_bytes < smallest ? deal->size_bytes : smallest;
                largest = deal->size_bytes > largest ? deal->size_bytes : largest;
                deals++;
            }
            CU_ASSERT_EQUAL(deals, count[i]);
            CU_ASSERT_EQUAL(sum, a->used_bytes);
            CU_ASSERT_EQUAL(sum, dc_state_account(state_of(&one), n)->used_bytes);
            unequal += largest > 2 * smallest;
        }
        CU_ASSERT_TRUE(i == 0 ? unequal == 0 : unequal > 10);
    }
    run_end(&all);
    run_end(&many);
    run_end(&one);
}

/* washer(4): circles of four, the rest of 30 = 7 * 4 + 2 a circle of two. */
static void test_rings(void)
{
    static const char *const words[] = {"washer", "washer(4)"};
    for (int i = 0; i < 2; i++) {
        struct run r = town(words[i], "3");
        const struct dc_state *s = state_of(&r);
        for (uint32_t n = SERVICE_FIRST; n < SERVICE_FIRST + 30; n++) {
            uint32_t at = n, steps = 0;
            do {
                const struct dc_account *a = dc_state_account(s, at);
                const struct dc_deal *d = dc_state_deal(s, a->deal_last);
                CU_ASSERT_EQUAL(d->prev, DC_DEAL_NONE);
                CU_ASSERT_TRUE_FATAL(d->client >= SERVICE_FIRST && d->client < SERVICE_FIRST + 30);
                at = d->client;
                steps++;
            } while (at != n && steps < 40);
            uint32_t ring = i == 0 ? 1 : n < SERVICE_FIRST + 28 ? 4 : 2;
            CU_ASSERT_EQUAL(steps, ring);
        }
        run_end(&r);
    }
}

/* All outsourcers of a group have one accomplice: the first of them, which has itself. */
static void test_accomplice(void)
{
    struct run r = town("{honest: 0.5, outsourcer: 0.5}", "2");
    uint32_t first = UINT32_MAX, others = 0;
    for (uint32_t n = SERVICE_FIRST; n < SERVICE_FIRST + 30; n++) {
        if (world_played(r.world, r.world->truth[n])->strategy != DS_STRATEGY_OUTSOURCER)
            continue;
        first = first == UINT32_MAX ? n : first;
        CU_ASSERT_EQUAL(r.world->node[n]->accomplice, first);
        others += n != first;
    }
    CU_ASSERT_TRUE(others > 5);
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"customers", test_customers},
        {"rings", test_rings},
        {"accomplice", test_accomplice},
    };
    return TEST_MAIN("population", cases);
}
