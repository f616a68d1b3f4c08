/* Behaviours that lie or keep back, one at a time in a small town: what it changes that can be
 * measured, what meets it, and that a seventh of the power never makes two final blocks. */
#include "tests/adversary/byzantine.h"

#include <stdatomic.h>

enum { VALIDATORS = 7, NODES = 10, ODD = 0 };
static const uint64_t odd = 1, none = 0;

static struct town *make(enum dc_suite suite)
{
    struct town_spec spec = {.validators = VALIDATORS,
                             .services = 2,
                             .clients = 1,
                             .deal_bytes = 1 << 20,
                             .suite = suite};
    return town_make(&spec);
}

static struct town *with(enum dc_behaviour behaviour, const uint64_t *victims, enum dc_suite suite,
                         uint32_t kinds, struct byz_catch **caught)
{
    struct town *t = make(suite);
    *caught = byz_watch(t, odd, kinds);
    byz_begin(t, odd, (struct dc_byzantine_config){.behaviour = behaviour, .victims = victims});
    town_run(t, 120 * SECOND);
    CU_ASSERT_TRUE(byz_agree(t, odd));
    CU_ASSERT_EQUAL(t->conflicts, 0);
    CU_ASSERT_TRUE(dc_state_conserved(town_state(t, VALIDATORS - 1)));
    CU_ASSERT_EQUAL(byz_slashed(t, VALIDATORS - 1) & ~odd, 0);
    return t;
}

static void done(struct town *t, struct byz_catch *caught)
{
    town_free(t);
    byz_catch_free(caught);
}

/* What a town without faults does in the same time: the measure of the others. */
static uint64_t calm_height;

static void test_calm(void)
{
    struct town *t = make(DC_SUITE_MODELLED);
    town_run(t, 120 * SECOND);
    calm_height = byz_lowest(t, 0);
    CU_ASSERT_TRUE(calm_height > 50);
    CU_ASSERT_EQUAL(t->timed_out + byz_refused(t, 0), 0);
    CU_ASSERT_FALSE(dc_byzantine_active(t->node[ODD]));
    town_free(t);
}

static bool vote_signed(const struct town *t, const struct dc_vote *v)
{
    struct dc_hash d = dc_vote_digest(TOWN_CHAIN, v->epoch, v->round, &v->block, &v->commits);
    return dc_verify(&t->crypto, t->set.sign[v->signer].public, d.b, sizeof d.b, v->signature);
}

static bool block_signed(const struct town *t, const struct dc_block *b)
{
    struct dc_hash d = dc_proposal_digest(TOWN_CHAIN, b->header.epoch, b->header.round, &b->id);
    return dc_verify(&t->crypto, t->set.sign[b->header.proposer].public, d.b, sizeof d.b,
                     b->signature);
}

/* Two votes and two blocks of a round, to two halves, all rightly signed: the bond is gone. */
static void test_equivocate(void)
{
    struct byz_catch *c;
    struct town *t = with(DC_BEHAVIOUR_EQUIVOCATE, NULL, DC_SUITE_REAL,
                          1u << DC_MSG_VOTE | 1u << DC_MSG_PROPOSAL, &c);
    struct dc_vote v, w;
    uint32_t votes = 0, blocks = 0;
    for (uint32_t i = 0; i < c->count; i++)
        for (uint32_t k = 0; k < i; k++) {
            const struct byz_letter *x = &c->letter[k], *y = &c->letter[i];
            if (x->bytes[0] != y->bytes[0])
                continue;
            if (dc_vote_decode(x->bytes, x->size, &v) && dc_vote_decode(y->bytes, y->size, &w)) {
                bool two =
                    v.round == w.round && v.epoch == w.epoch && !dc_hash_equal(&v.block, &w.block);
                CU_ASSERT_TRUE(!two || x->to != y->to || x->to % 2 == 1); /* next leaders */
                if (two && votes++ < 8)
                    CU_ASSERT_TRUE(vote_signed(t, &v) && vote_signed(t, &w));
                continue;
            }
            if (x->bytes[0] != DC_MSG_PROPOSAL || x->to == y->to || blocks > 8)
                continue;
            struct dc_block *a = dc_block_decode(x->bytes + 1, x->size - 1);
            struct dc_block *b = dc_block_decode(y->bytes + 1, y->size - 1);
            if (a->header.round == b->header.round && a->header.epoch == b->header.epoch &&
                !dc_hash_equal(&a->id, &b->id)) {
                blocks++;
                CU_ASSERT_TRUE(x->to % 2 != y->to % 2);
                CU_ASSERT_TRUE(block_signed(t, a) && block_signed(t, b));
            }
            dc_block_drop(a);
            dc_block_drop(b);
        }
    CU_ASSERT_TRUE(votes > 0 && blocks > 0);
    CU_ASSERT_EQUAL(byz_slashed(t, VALIDATORS - 1), odd);
    CU_ASSERT_EQUAL(dc_state_account(town_state(t, 1), ODD)->bond, 0);
    done(t, c);
}

/* Blocks that are signed and do not hold, in four ways; none becomes final. */
static void test_invalid_block(void)
{
    struct byz_catch *c;
    struct town *t =
        with(DC_BEHAVIOUR_INVALID_BLOCK, NULL, DC_SUITE_MODELLED, 1u << DC_MSG_PROPOSAL, &c);
    uint32_t bad = 0, stale = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->letter[i].to != 1)
            continue;
        struct dc_block *b =
            dc_store_intern(t->store, c->letter[i].bytes + 1, c->letter[i].size - 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(b);
        CU_ASSERT_TRUE(block_signed(t, b));
        struct dc_block *parent = dc_store_find(t->store, &b->header.parent);
        CU_ASSERT_PTR_NOT_NULL_FATAL(parent);
        bool late = b->header.timestamp_ns <= parent->header.timestamp_ns;
        CU_ASSERT_TRUE(b->header.seal != 0 || !dc_store_execute(t->store, b, NULL));
        bad++;
        stale += late;
        dc_block_drop(parent);
        dc_block_drop(b);
    }
    CU_ASSERT_TRUE(bad >= 8 && stale >= 1 && stale < bad);
    CU_ASSERT_TRUE(byz_refused(t, odd) >= 6 * (bad / 2));
    CU_ASSERT_TRUE(t->timed_out > 10 && byz_lowest(t, odd) < calm_height);
    for (const struct dc_block *b = t->node[1]->chain->final; b->header.height > 0;
         b = atomic_load(&b->parent))
        CU_ASSERT_NOT_EQUAL(b->header.proposer, ODD);
    done(t, c);
}

static bool tx_signed(const struct town *t, const uint8_t *bytes, size_t size)
{
    struct dc_tx tx;
    CU_ASSERT_TRUE_FATAL(dc_tx_decode(bytes, size, &tx));
    struct dc_hash d = dc_tx_digest(TOWN_CHAIN, bytes, size - DC_SIGNATURE_BYTES);
    return dc_verify(&t->crypto, t->set.sign[tx.from].public, d.b, sizeof d.b, tx.signature);
}

static void test_invalid_signature(void)
{
    for (uint32_t suite = 0; suite < 2; suite++) {
        struct byz_catch *c;
        struct town *t = with(
            DC_BEHAVIOUR_INVALID_SIGNATURE, NULL, (enum dc_suite)suite,
            1u << DC_MSG_VOTE | 1u << DC_MSG_PROPOSAL | 1u << DC_MSG_TX | 1u << DC_MSG_TIMEOUT, &c);
        uint32_t kinds = 0;
        for (uint32_t i = 0; i < c->count; i++) {
            const struct byz_letter *l = &c->letter[i];
            struct dc_vote v;
            struct dc_timeout m;
            bool holds = false;
            if (l->bytes[0] == DC_MSG_VOTE) {
                CU_ASSERT_TRUE_FATAL(dc_vote_decode(l->bytes, l->size, &v));
                holds = vote_signed(t, &v);
            } else if (l->bytes[0] == DC_MSG_TIMEOUT) {
                CU_ASSERT_TRUE_FATAL(dc_timeout_decode(l->bytes, l->size, &m));
                struct dc_hash d = dc_timeout_digest(TOWN_CHAIN, m.epoch, m.round, m.qc_round);
                holds = dc_verify(&t->crypto, t->set.sign[ODD].public, d.b, 32, m.signature);
            } else if (l->bytes[0] == DC_MSG_TX) {
                holds = tx_signed(t, l->bytes + 1, l->size - 1);
            } else {
                struct dc_block *b = dc_block_decode(l->bytes + 1, l->size - 1);
                CU_ASSERT_PTR_NOT_NULL_FATAL(b);
                holds = block_signed(t, b);
                dc_block_drop(b);
            }
            CU_ASSERT_FALSE(holds);
            kinds |= 1u << l->bytes[0];
        }
        CU_ASSERT_EQUAL(kinds, c->kinds);
        CU_ASSERT_TRUE(byz_refused(t, odd) > 100 && t->timed_out > 20);
        CU_ASSERT_TRUE(byz_lowest(t, odd) > 20 && byz_lowest(t, odd) < calm_height);
        /* None of its words is on chain. */
        CU_ASSERT_TRUE(dc_state_account(town_state(t, 1), ODD)->posync.s <
                       dc_state_account(town_state(t, 1), 1)->posync.s);
        done(t, c);
    }
}

/* Blocks whose certificates do not hold, and SYNC likewise: refused by everybody. */
static void test_invalid_certificate(void)
{
    struct byz_catch *c;
    struct town *t = with(DC_BEHAVIOUR_INVALID_CERTIFICATE, NULL, DC_SUITE_MODELLED,
                          1u << DC_MSG_PROPOSAL | 1u << DC_MSG_SYNC | 1u << DC_MSG_TIMEOUT, &c);
    uint32_t lacking = 0, whole = 0, syncs = 0, lies = 0;
    for (uint32_t i = 0; i < c->count; i++) {
        const struct byz_letter *l = &c->letter[i];
        struct dc_sync_msg m;
        struct dc_timeout out;
        if (l->bytes[0] == DC_MSG_TIMEOUT) {
            CU_ASSERT_TRUE_FATAL(dc_timeout_decode(l->bytes, l->size, &out));
            lies += out.qc_round + 1 == out.round;
        } else if (l->bytes[0] == DC_MSG_SYNC) {
            CU_ASSERT_TRUE_FATAL(dc_sync_decode(l->bytes, l->size, &m));
            syncs += m.qc != NULL || m.tc != NULL;
        } else if (l->to == 1) {
            struct dc_block *b = dc_block_decode(l->bytes + 1, l->size - 1);
            CU_ASSERT_PTR_NOT_NULL_FATAL(b);
            CU_ASSERT_TRUE(block_signed(t, b));
            lacking += b->qc != NULL && b->qc->signatures == 1;
            whole += b->qc != NULL && b->qc->signatures > 1;
            dc_block_drop(b);
        }
    }
    CU_ASSERT_TRUE(lacking > 0 && whole > 0 && syncs > 0 && lies > 0);
    CU_ASSERT_TRUE(byz_refused(t, odd) > 30 && t->timed_out > 10);
    for (const struct dc_block *b = t->node[1]->chain->final; b->header.height > 0;
         b = atomic_load(&b->parent))
        CU_ASSERT_TRUE(b->header.proposer != ODD || b->header.height == 1);
    done(t, c);
}

/* --- kept back ---------------------------------------------------------------------------------
 * */

static void test_withhold_votes(void)
{
    struct byz_catch *c;
    struct town *t = with(DC_BEHAVIOUR_WITHHOLD_VOTES, NULL, DC_SUITE_MODELLED,
                          1u << DC_MSG_VOTE | 1u << DC_MSG_TIMEOUT | 1u << DC_MSG_PROPOSAL, &c);
    uint32_t proposals = 0;
    struct dc_timeout m;
    for (uint32_t i = 0; i < c->count; i++) {
        proposals += c->letter[i].bytes[0] == DC_MSG_PROPOSAL;
        CU_ASSERT_NOT_EQUAL(c->letter[i].bytes[0], DC_MSG_VOTE);
        CU_ASSERT_FALSE(dc_timeout_decode(c->letter[i].bytes, c->letter[i].size, &m) && m.voted);
    }
    CU_ASSERT_TRUE(proposals > 0);
    CU_ASSERT_EQUAL(byz_lowest(t, odd), calm_height);
    /* its utilisation on chain is what it votes: only for itself, as next leader */
    const struct dc_posync *own = &dc_state_account(town_state(t, 1), ODD)->posync;
    CU_ASSERT_TRUE(own->u < DC_ONE / 2);
    CU_ASSERT_TRUE(dc_state_account(town_state(t, 1), 1)->posync.u > DC_ONE / 10 * 9);
    done(t, c);
    /* Four of seven, whose own votes count where they collect: no quorum, no chain, and all of it
     * back when they vote again. */
    t = make(DC_SUITE_MODELLED);
    byz_begin(t, 15, (struct dc_byzantine_config){.behaviour = DC_BEHAVIOUR_WITHHOLD_VOTES});
    town_run(t, 60 * SECOND);
    CU_ASSERT_TRUE(byz_lowest(t, 15) == 0 && byz_agree(t, 0));
    byz_end(t, 15, DC_BEHAVIOUR_WITHHOLD_VOTES);
    town_run(t, 120 * SECOND);
    CU_ASSERT_TRUE(byz_lowest(t, 0) > 20 && byz_agree(t, 0));
    town_free(t);
}

static void test_withhold_blocks(void)
{
    struct byz_catch *c;
    struct town *t = with(DC_BEHAVIOUR_WITHHOLD_BLOCKS, NULL, DC_SUITE_MODELLED,
                          1u << DC_MSG_PROPOSAL | 1u << DC_MSG_VOTE, &c);
    for (uint32_t i = 0; i < c->count; i++)
        CU_ASSERT_NOT_EQUAL(c->letter[i].bytes[0], DC_MSG_PROPOSAL);
    CU_ASSERT_TRUE(c->count > 0 && t->timed_out > 20);
    CU_ASSERT_TRUE(byz_lowest(t, odd) < calm_height - 10);
    CU_ASSERT_TRUE(dc_state_account(town_state(t, 1), ODD)->posync.q <
                   dc_state_account(town_state(t, 1), 1)->posync.q);
    done(t, c);
}

static void test_selective(void)
{
    struct byz_catch *c;
    struct town *t = with(DC_BEHAVIOUR_SELECTIVE, NULL, DC_SUITE_MODELLED,
                          1u << DC_MSG_PROPOSAL | 1u << DC_MSG_VOTE | 1u << DC_MSG_TIMEOUT, &c);
    for (uint32_t i = 0; i < c->count; i++)
        CU_ASSERT_EQUAL(c->letter[i].to % 2, 0);
    CU_ASSERT_TRUE(c->count > 20 && t->timed_out > 20);
    CU_ASSERT_TRUE(byz_lowest(t, odd) < calm_height);
    done(t, c);
    /* No victims: nothing is different. */
    t = with(DC_BEHAVIOUR_SELECTIVE, &none, DC_SUITE_MODELLED, 0, &c);
    CU_ASSERT_EQUAL(byz_lowest(t, odd), calm_height);
    CU_ASSERT_EQUAL(t->timed_out, 0);
    done(t, c);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"calm", test_calm},
        {"equivocate", test_equivocate},
        {"invalid block", test_invalid_block},
        {"invalid signature", test_invalid_signature},
        {"invalid certificate", test_invalid_certificate},
        {"withhold votes", test_withhold_votes},
        {"withhold blocks", test_withhold_blocks},
        {"selective", test_selective},
    };
    return TEST_MAIN("byzantine", cases);
}
