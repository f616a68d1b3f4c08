/* Jolteon on the real ledger: epochs whose committees and leaders come from state and beacon,
 * crashes, catch-up; memo on and off. */
#include "tests/consensus/net.h"
#include "tests/support/harness.h"

#define MS 1000000LL

struct trace {
    uint64_t digest, commits, charge;
};

static struct trace *tracing;

static void trace_commit(struct net *net, uint32_t machine, const struct dc_block *b)
{
    uint64_t word[5] = {tracing->digest, machine, (uint64_t)net->now_ns, b->header.height,
                        dc_hash_u64(&b->header.state_root)};
    tracing->digest = dc_digest64(word, sizeof word);
    tracing->commits++;
    CU_ASSERT_EQUAL(atomic_load(&b->executed), 1);
}

static struct trace run(bool memo_off)
{
    struct net_config config = {.validators = 7,
                                .followers = 2,
                                .seed = 4,
                                .delay_ns = 10 * MS,
                                .delay_spread_ns = 10 * MS,
                                .block_interval_ns = 100 * MS,
                                .epoch_blocks = 6,
                                .memo_off = memo_off,
                                .suite = DC_SUITE_REAL};
    struct trace t = {0};
    tracing = &t;
    struct net *net = net_create(&config);
    net->committed = trace_commit;
    net_start(net);
    net_run(net, 1500 * MS);
    net_crash(net, 2);
    net_crash(net, 8);
    net_run(net, 6000 * MS);
    net_restart(net, 2);
    net_restart(net, 8);
    net_run(net, 4000 * MS);
    CU_ASSERT_EQUAL(net->conflicts, 0);
    CU_ASSERT_EQUAL(net->rejected, 0);
    CU_ASSERT(net_lowest_final(net) > 30);
    CU_ASSERT(net->machine[0].final_height - net_lowest_final(net) <= 3);
    CU_ASSERT(net_chain(net, 8)->epoch >= 5);
    CU_ASSERT_PTR_NOT_NULL(net_chain(net, 0)->final->state);
    CU_ASSERT(dc_state_conserved(net_chain(net, 0)->final->state));
    uint32_t leader[4];
    uint32_t leaders = dc_follow_leaders(net_chain(net, 7), &net->machine[7].env, 4, leader);
    CU_ASSERT(leaders >= 1 && leaders <= 4);
    t.charge = net->charge_verify;
    net_free(net);
    return t;
}

static void test_chain(void)
{
    struct trace on = run(false), off = run(true);
    CU_ASSERT(on.commits > 200);
    CU_ASSERT_EQUAL(on.digest, off.digest);
    CU_ASSERT_EQUAL(on.charge, off.charge);
}

int main(void)
{
    static const struct test_case cases[] = {{"epochs, crash, catch-up, memo off", test_chain}};
    return TEST_MAIN("consensus/on_ledger", cases);
}
