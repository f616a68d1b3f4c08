/* What survives a crash: a node made from its image goes on as the node that wrote it would have;
 * every damage of an image is found; the mark changes exactly when the image does; who lost his store
 * never signs with the old key again; an old image makes an honest validator vote twice. */
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)

/* --- recover == restart ----------------------------------------------------------------------- */

/* Everything that the nodes do. */
static void digest_step(struct town *t, uint32_t node, const struct dc_input *in)
{
    uint64_t *d = t->context, x = dc_mix64(*d ^ node ^ (uint64_t)in->kind << 32);
    x = dc_mix64(x ^ (uint64_t)t->now_ns);
    for (uint32_t i = 0; i < DC_COST_COUNT; i++)
        x = dc_mix64(x ^ t->out.charge[i]);
    for (uint32_t i = 0; i < t->out.count; i++) {
        const struct dc_effect *e = &t->out.list[i];
        x = dc_mix64(x ^ e->kind ^ (uint64_t)e->to << 8 ^ e->timer ^ e->a ^ dc_mix64(e->b));
        x = dc_mix64(x ^ (uint64_t)e->due_ns);
        if (e->bytes != NULL)
            x = dc_mix64(x ^ dc_digest64(e->bytes, e->size));
    }
    *d = x;
}

struct crash {
    uint32_t node;
    int64_t at_ns, for_ns;
};

static uint64_t run_crash(const struct crash *c, bool recover, uint64_t *height)
{
    struct town_spec spec = {
        .validators = 4, .services = 3, .clients = 2, .deal_bytes = 1 << 20, .retries = 1};
    struct town *t = town_make(&spec);
    uint64_t digest = 0;
    t->context = &digest;
    t->stepped = digest_step;
    for (uint32_t i = 0; i < 90; i++)
        town_call(t, town_client(t, i % 2), 500000000 + i * INT64_C(400000000),
                  (struct dc_call){.kind = i % 5 == 0 ? DC_CALL_PUT : DC_CALL_GET,
                                   .object = i,
                                   .size_bytes = 50000});
    town_run(t, c->at_ns);
    town_crash(t, c->node);
    town_run(t, c->at_ns + c->for_ns);
    if (recover) {
        uint8_t *image;
        size_t size = dc_node_save(t->node[c->node], &image);
        CU_ASSERT_FALSE(town_recover(t, c->node, image, size));
        dc_mem_free(image);
    } else {
        town_restart(t, c->node);
    }
    town_run(t, 45 * SECOND);
    *height = t->height[c->node];
    CU_ASSERT_EQUAL(t->conflicts, 0);
    town_free(t);
    return digest;
}

static void test_same(void)
{
    static const struct crash crash[] = {
        {0, 9 * SECOND + 13000000, 2 * SECOND},
        {1, 12 * SECOND + 1, 100000000},
        {2, 19 * SECOND + 500000000, 3 * SECOND}, /* over an epoch's end */
        {3, 22 * SECOND + 7000000, 1},
        {5, 11 * SECOND + 5000000, 4 * SECOND},
        {6, 25 * SECOND, 500000000},
        {7, 15 * SECOND + 200000000, 2 * SECOND},
        {8, 21 * SECOND + 900000000, 6 * SECOND},
    };
    for (size_t i = 0; i < sizeof crash / sizeof crash[0]; i++) {
        uint64_t a_height, b_height;
        uint64_t a = run_crash(&crash[i], false, &a_height);
        uint64_t b = run_crash(&crash[i], true, &b_height);
        CU_ASSERT_EQUAL(a, b);
        CU_ASSERT_EQUAL(a_height, b_height);
        CU_ASSERT_TRUE(a_height > 20);
        if (a != b)
            fprintf(stderr, "crash %zu: a recovered node does not go on as a restarted one\n", i);
    }
}

/* --- damage ----------------------------------------------------------------------------------- */

static struct town *busy_town(void)
{
    struct town_spec spec = {
        .validators = 4, .services = 2, .clients = 1, .deal_bytes = 1 << 20, .retries = 1};
    struct town *t = town_make(&spec);
    for (uint32_t i = 0; i < 40; i++)
        town_call(t, town_client(t, 0), 500000000 + i * INT64_C(700000000),
                  (struct dc_call){.kind = i % 4 == 0 ? DC_CALL_PUT : DC_CALL_GET,
                                   .object = i,
                                   .size_bytes = 50000});
    town_run(t, 24 * SECOND + 20000000);
    return t;
}

static bool recovers(struct town *t, uint32_t node, const uint8_t *image, size_t size)
{
    struct dc_error error = {0};
    struct dc_node_config config = town_config(t, node);
    bool lost = false;
    struct dc_node *fresh = dc_node_recover(&config, image, size, &lost, &error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fresh);
    if (!lost) { /* what was read is what would be written */
        uint8_t *again;
        size_t again_size = dc_node_save(fresh, &again);
        CU_ASSERT_TRUE(again_size == size && memcmp(again, image, size) == 0);
        CU_ASSERT_EQUAL(dc_node_durable_mark(fresh), dc_node_durable_mark(t->node[node]));
        dc_mem_free(again);
    }
    dc_node_destroy(fresh);
    return !lost;
}

static void test_damage(void)
{
    struct town *t = busy_town();
    static const uint32_t nodes[] = {1, 4, 6};
    for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
        uint8_t *image;
        size_t size = dc_node_save(t->node[nodes[i]], &image), step = size / 1200 + 1;
        CU_ASSERT_TRUE(recovers(t, nodes[i], image, size));
        CU_ASSERT_FALSE(recovers(t, nodes[i] == 4 ? 5 : 4, image, size)); /* another's disk */
        CU_ASSERT_FALSE(recovers(t, nodes[i], NULL, 0));
        for (size_t at = 0; at < size; at += at < 64 ? 1 : step) {
            image[at] ^= (uint8_t)(1u << at % 8);
            CU_ASSERT_FALSE(recovers(t, nodes[i], image, size));
            image[at] ^= (uint8_t)(1u << at % 8);
            CU_ASSERT_FALSE(recovers(t, nodes[i], image, at)); /* torn */
        }
        dc_mem_free(image);
    }
    town_free(t);
}

/* Nonsense under a right checksum: whatever is made of it, nothing breaks. */
static void test_nonsense(void)
{
    struct town *t = busy_town();
    struct dc_stream s = dc_stream(1, dc_name("durable"), 0);
    uint32_t made = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t node = (uint32_t)dc_next_below(&s, t->nodes);
        uint8_t *image;
        size_t size = dc_node_save(t->node[node], &image), body = size - DC_HASH_BYTES;
        for (uint64_t k = 1 + dc_next_below(&s, 4); k > 0; k--) {
            size_t at = 10 + (size_t)dc_next_below(&s, body - 10);
            image[at] = (uint8_t)(i % 3 == 0 ? 0xff : dc_next64(&s));
        }
        struct dc_hash sum = dc_hash_bytes(DC_DOMAIN_IMAGE, image, body);
        memcpy(image + body, sum.b, sizeof sum.b);
        struct dc_error error = {0};
        struct dc_node_config config = town_config(t, node);
        bool lost = false;
        struct dc_node *fresh = dc_node_recover(&config, image, size, &lost, &error);
        CU_ASSERT_PTR_NOT_NULL_FATAL(fresh);
        made += !lost;
        dc_node_image_hold(t->store, image, size);
        dc_node_image_drop(t->store, image, size);
        dc_node_destroy(fresh);
        dc_mem_free(image);
    }
    CU_ASSERT_TRUE(made > 100 && made < 3000);
    town_free(t);
}

/* --- the mark --------------------------------------------------------------------------------- */

struct marks {
    uint64_t mark[TOWN_NODES], changed, kept;
    uint8_t *image[TOWN_NODES];
    size_t size[TOWN_NODES];
};

static void mark_step(struct town *t, uint32_t node, const struct dc_input *in)
{
    struct marks *m = t->context;
    uint64_t mark = dc_node_durable_mark(t->node[node]);
    uint8_t *image;
    size_t size = dc_node_save(t->node[node], &image);
    bool same =
        m->image[node] != NULL && size == m->size[node] && memcmp(image, m->image[node], size) == 0;
    CU_ASSERT_EQUAL(same, m->image[node] != NULL && mark == m->mark[node]);
    same ? m->kept++ : m->changed++;
    dc_mem_free(m->image[node]);
    m->image[node] = image;
    m->size[node] = size;
    m->mark[node] = mark;
    (void)in;
}

static void test_mark(void)
{
    struct town_spec spec = {
        .validators = 4, .services = 2, .clients = 1, .deal_bytes = 1 << 20, .retries = 1};
    struct town *t = town_make(&spec);
    struct marks m = {.changed = 0};
    t->context = &m;
    t->stepped = mark_step;
    for (uint32_t i = 0; i < 40; i++)
        town_call(t, town_client(t, 0), 500000000 + i * INT64_C(700000000),
                  (struct dc_call){.kind = i % 4 == 0 ? DC_CALL_PUT : DC_CALL_GET,
                                   .object = i,
                                   .size_bytes = 50000});
    town_run(t, 30 * SECOND);
    CU_ASSERT_TRUE(m.changed > 300 && m.kept > 300);
    for (uint32_t n = 0; n < t->nodes; n++)
        dc_mem_free(m.image[n]);
    town_free(t);
}

/* --- blocks that are gone ---------------------------------------------------------------------- */

/* The store forgets what a node that is down was the only one to hold: its record is kept, it waits
 * and catches up over the hand-overs.  With the image's blocks held nothing is gone. */
static void collect_step(struct town *t, uint32_t node, const struct dc_input *in)
{
    uint64_t top = t->height[node], blocks = t->params.epoch_blocks;
    if (node != 0 || top % 5 != 0 || top < blocks / 2)
        return;
    dc_store_collect(t->store, (top - blocks / 2) / blocks * blocks);
    (void)in;
}

static void run_gone(bool hold)
{
    struct town_spec spec = {
        .validators = 7, .services = 2, .deal_bytes = 1 << 20, .keep_heights = 24};
    struct town *t = town_make(&spec);
    t->stepped = collect_step;
    uint32_t down[2] = {3, 8};
    uint8_t *image[2];
    size_t size[2];
    uint64_t round = 0, epoch = 0, voted = 0, at = 0;
    town_run(t, 15 * SECOND + 300000000);
    for (uint32_t i = 0; i < 2; i++) {
        town_crash(t, down[i]);
        size[i] = dc_node_save(t->node[down[i]], &image[i]);
        if (hold)
            dc_node_image_hold(t->store, image[i], size[i]);
    }
    const struct dc_jolteon *old = &t->node[3]->validator->jolteon;
    round = old->durable.round;
    epoch = old->durable.epoch;
    voted = old->durable.last_voted_round;
    at = old->chain.final->header.height;
    for (uint32_t i = 0; i < 2; i++) { /* the processes are gone, and with them their references */
        struct dc_node_config config = town_config(t, down[i]);
        struct dc_error error = {0};
        dc_node_destroy(t->node[down[i]]);
        t->node[down[i]] = dc_node_create(&config, &error);
    }
    town_run(t, 130 * SECOND);
    uint64_t top = t->height[0];
    CU_ASSERT_TRUE(top > 60);
    CU_ASSERT_FALSE(town_recover(t, 3, image[0], size[0]));
    CU_ASSERT_FALSE(town_recover(t, 8, image[1], size[1]));
    const struct dc_jolteon *j = &t->node[3]->validator->jolteon;
    CU_ASSERT_EQUAL(j->durable.epoch, epoch);
    CU_ASSERT_TRUE(j->durable.round >= round && j->durable.last_voted_round >= voted);
    CU_ASSERT_EQUAL(j->chain.final->header.height, hold ? at : 0);
    CU_ASSERT_EQUAL(j->waiting, !hold && epoch != 0);
    town_run(t, 160 * SECOND);
    for (uint32_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(t->synced[down[i]], 1); /* too far behind for blocks, either way */
        CU_ASSERT_TRUE(t->height[down[i]] + 2 >= t->height[0]);
        if (hold)
            dc_node_image_drop(t->store, image[i], size[i]);
        dc_mem_free(image[i]);
    }
    CU_ASSERT_FALSE(t->node[3]->validator->jolteon.waiting);
    CU_ASSERT_EQUAL(t->conflicts, 0);
    town_free(t);
}

static void test_gone(void)
{
    run_gone(false);
    run_gone(true);
}

/* --- rollback ---------------------------------------------------------------------------------- */

#define VICTIM 1u

struct rollback {
    struct town *town;
    uint8_t *image; /* of the victim, before it has seen a proposal of the round */
    size_t size;
    uint64_t epoch, round;
    uint8_t *proposal[2]; /* of one leader and round */
    size_t proposal_size[2];
    uint32_t proposals;
    struct dc_vote vote[2];
    uint32_t votes;
};

static bool rollback_sees(void *context, uint32_t from, uint32_t to, const uint8_t *bytes,
                          size_t size)
{
    struct rollback *r = context;
    struct dc_vote v;
    if (bytes[0] == DC_MSG_PROPOSAL && from == 0 && to == VICTIM && r->votes == 0) {
        struct dc_block *b = dc_block_decode(bytes + 1, size - 1);
        if (b->header.round != r->round || b->header.epoch != r->epoch) {
            for (uint32_t i = 0; i < r->proposals; i++)
                dc_mem_free(r->proposal[i]);
            dc_mem_free(r->image);
            r->size = dc_node_save(r->town->node[VICTIM], &r->image);
            r->round = b->header.round;
            r->epoch = b->header.epoch;
            r->proposals = 0;
        }
        dc_block_drop(b);
        if (r->proposals < 2) {
            r->proposal[r->proposals] = dc_mem_need(size, 1, "test");
            memcpy(r->proposal[r->proposals], bytes, size);
            r->proposal_size[r->proposals++] = size;
        }
    }
    if (bytes[0] != DC_MSG_VOTE || r->proposals != 2 || !dc_vote_decode(bytes, size, &v) ||
        v.round != r->round || v.epoch != r->epoch)
        return false;
    if (from == VICTIM && r->votes < 2)
        r->vote[r->votes++] = v;
    return from > 2; /* so that no certificate is made before the second vote is there */
}

static void test_rollback(void)
{
    struct town_spec spec = {.validators = 5};
    spec.strategy[0] = DC_STRATEGY_EQUIVOCATING; /* its two blocks are what can be voted for */
    struct town *t = town_make(&spec);
    struct rollback r = {.town = t};
    t->lose = rollback_sees;
    t->context = &r;
    while (r.votes == 0 && t->now_ns < 60 * SECOND)
        town_run(t, t->events != 0 ? t->event[0].time_ns : 60 * SECOND);
    CU_ASSERT_EQUAL_FATAL(r.votes, 1);
    /* Its disk had not written what it promised. */
    town_crash(t, VICTIM);
    CU_ASSERT_FALSE(town_recover(t, VICTIM, r.image, r.size));
    for (uint32_t i = 0; i < 2; i++) {
        struct dc_hash id =
            dc_block_id(r.proposal[i] + 1, r.proposal_size[i] - 1 - DC_SIGNATURE_BYTES);
        if (!dc_hash_equal(&id, &r.vote[0].block)) {
            town_hand(t, VICTIM, 0, r.proposal[i], r.proposal_size[i]);
            town_effects(t, VICTIM);
        }
    }
    CU_ASSERT_EQUAL_FATAL(r.votes, 2);
    CU_ASSERT_FALSE(dc_hash_equal(&r.vote[0].block, &r.vote[1].block));
    uint8_t proof[DC_EVIDENCE_BYTES_MAX];
    CU_ASSERT_TRUE(dc_evidence_of_votes(&r.vote[0], &r.vote[1], proof) != 0);
    /* The collector had both, and the bond burns. */
    town_run(t, t->now_ns + 10 * SECOND);
    CU_ASSERT_EQUAL(dc_state_account(town_state(t, 2), VICTIM)->slashed_equivocation, 1);
    CU_ASSERT_EQUAL(dc_state_account(town_state(t, 2), 3)->slashed_equivocation, 0);
    for (uint32_t i = 0; i < r.proposals; i++)
        dc_mem_free(r.proposal[i]);
    dc_mem_free(r.image);
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"a recovered node is a restarted one", test_same},
        {"every damage of an image is found", test_damage},
        {"nonsense under a right checksum", test_nonsense},
        {"the mark changes when the image does", test_mark},
        {"an image whose blocks are gone", test_gone},
        {"an older image: voting twice, and the evidence", test_rollback}};
    return TEST_MAIN("node/durable", cases);
}
