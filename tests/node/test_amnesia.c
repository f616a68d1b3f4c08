/* Who has lost his store, and who comes late.  A validator without its store follows, renews its keys
 * and signs again from the first committee that has the new ones; with the old key it signs no
 * consensus object any more.  A storage node without its disk fails its challenges.  Who starts five
 * epochs late gets there by hand-overs and a state. */
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)

/* --- validators -------------------------------------------------------------------------------- */

struct signatures {
    struct town *town;
    uint32_t node;
    uint64_t generation[4]; /* consensus objects by key */
    uint64_t unknown;
    int64_t first_ns[4];
};

/* What the consensus object says and who signed it; false for other messages. */
static bool signed_digest(const uint8_t *bytes, size_t size, struct dc_hash *digest,
                          uint8_t signature[64])
{
    struct dc_vote v;
    struct dc_timeout t;
    if (bytes[0] == DC_MSG_VOTE && dc_vote_decode(bytes, size, &v)) {
        *digest = dc_vote_digest(TOWN_CHAIN, v.epoch, v.round, &v.block, &v.commits);
        memcpy(signature, v.signature, 64);
    } else if (bytes[0] == DC_MSG_TIMEOUT && dc_timeout_decode(bytes, size, &t)) {
        *digest = dc_timeout_digest(TOWN_CHAIN, t.epoch, t.round, t.qc_round);
        memcpy(signature, t.signature, 64);
    } else if (bytes[0] == DC_MSG_PROPOSAL) {
        struct dc_block *b = dc_block_decode(bytes + 1, size - 1);
        *digest = dc_proposal_digest(TOWN_CHAIN, b->header.epoch, b->header.round, &b->id);
        memcpy(signature, b->signature, 64);
        dc_block_drop(b);
    } else {
        return false;
    }
    return true;
}

/* Looks at every effect of every step of the node. */
static void scan(struct town *t, uint32_t node, const struct dc_input *in)
{
    struct signatures *s = t->context;
    (void)in;
    for (uint32_t i = 0; node == s->node && i < t->out.count; i++) {
        const struct dc_effect *e = &t->out.list[i];
        struct dc_hash digest;
        uint8_t signature[64];
        if (e->bytes == NULL || !signed_digest(e->bytes, e->size, &digest, signature))
            continue;
        uint32_t g = 0;
        for (; g < 4; g++) {
            struct dc_keypair key;
            dc_renewal_keys(TOWN_SEED, node, g, &key, NULL);
            if (dc_verify(&t->crypto, key.public, digest.b, sizeof digest.b, signature))
                break;
        }
        if (g == 4) {
            s->unknown++;
        } else {
            if (s->generation[g]++ == 0)
                s->first_ns[g] = t->now_ns;
        }
    }
}

static void fast_epochs(struct dc_params *p)
{
    p->epoch_blocks = 12;
    p->heartbeat_every = 6;
    p->audit = 0;
}

static void test_validator(void)
{
    struct town_spec spec = {.validators = 5, .keep_heights = 1000, .edit = fast_epochs};
    struct town *t = town_make(&spec);
    struct signatures s = {.town = t, .node = 3};
    t->context = &s;
    t->stepped = scan;
    town_run(t, 30 * SECOND);
    CU_ASSERT_TRUE(s.generation[0] > 10);
    town_crash(t, 3);
    town_run(t, 32 * SECOND);
    s.generation[0] = 0;
    CU_ASSERT_TRUE(town_recover(t, 3, NULL, 0));
    CU_ASSERT_EQUAL(t->node[3]->chain->final->header.height, 0);
    town_run(t, 200 * SECOND);
    CU_ASSERT_EQUAL(s.generation[0], 0);
    CU_ASSERT_TRUE(s.generation[1] > 20);
    /* Signs from the first committee with the key, which is drawn three epochs ahead. */
    CU_ASSERT_TRUE(s.first_ns[1] > 32 * SECOND + 24 * SECOND);
    const struct dc_account *own = dc_state_account(town_state(t, 0), 3);
    CU_ASSERT_TRUE(memcmp(own->sign_key, t->node[3]->key.public, 32) == 0);
    CU_ASSERT_EQUAL(own->slashed_equivocation, 0);
    /* Another crash keeps the new keys, another loss makes newer ones. */
    uint8_t *image;
    town_crash(t, 3);
    size_t size = dc_node_save(t->node[3], &image);
    CU_ASSERT_FALSE(town_recover(t, 3, image, size));
    dc_mem_free(image);
    uint64_t before = s.generation[1];
    town_run(t, 220 * SECOND);
    CU_ASSERT_TRUE(s.generation[1] > before + 5);
    town_crash(t, 3);
    before = s.generation[1];
    CU_ASSERT_TRUE(town_recover(t, 3, NULL, 0));
    town_run(t, 420 * SECOND);
    CU_ASSERT_EQUAL(s.generation[0], 0);
    CU_ASSERT_EQUAL(s.generation[1], before);
    CU_ASSERT_TRUE(s.generation[3] > 20); /* the third life */
    CU_ASSERT_EQUAL(s.unknown, 0);
    CU_ASSERT_EQUAL(t->conflicts, 0);
    own = dc_state_account(town_state(t, 0), 3);
    CU_ASSERT_EQUAL(own->slashed_equivocation, 0);
    CU_ASSERT_TRUE(own->posync.score != 0);
    town_free(t);
}

/* --- a storage node ---------------------------------------------------------------------------- */

static void test_storage(void)
{
    struct town_spec spec = {.validators = 4, .services = 3, .clients = 1, .deal_bytes = 1 << 20};
    struct town *t = town_make(&spec);
    uint32_t poor = town_service(t, 1), rich = town_service(t, 0);
    town_run(t, 25 * SECOND);
    town_crash(t, poor);
    town_run(t, 27 * SECOND);
    CU_ASSERT_TRUE(town_recover(t, poor, NULL, 0));
    CU_ASSERT_EQUAL(t->node[poor]->service->storage.held_count, 0);
    CU_ASSERT_EQUAL(t->node[poor]->service->storage.disk.missing, DC_ONE);
    town_run(t, 60 * SECOND);
    /* It is lost for good: a crash that keeps the empty disk does not bring it back. */
    uint8_t *image;
    town_crash(t, poor);
    size_t size = dc_node_save(t->node[poor], &image);
    CU_ASSERT_FALSE(town_recover(t, poor, image, size));
    dc_mem_free(image);
    CU_ASSERT_EQUAL(t->node[poor]->service->storage.disk.missing, DC_ONE);
    town_run(t, 125 * SECOND);
    const struct dc_account *a = dc_state_account(town_state(t, 0), poor);
    const struct dc_account *b = dc_state_account(town_state(t, 0), rich);
    CU_ASSERT_EQUAL(a->capacity_bytes, b->capacity_bytes); /* declared as before */
    CU_ASSERT_TRUE(a->posync.failed >= 1);
    CU_ASSERT_EQUAL(b->posync.failed, 0);
    CU_ASSERT_TRUE(b->posync.passed > a->posync.passed);
    CU_ASSERT_TRUE(a->demand.height != 0 || a->slashes != 0);
    CU_ASSERT_TRUE(t->height[poor] + 2 >= t->height[0]); /* it follows all the same */
    town_free(t);
}

/* --- late -------------------------------------------------------------------------------------- */

/* As the world does: what is under the last boundary but half an epoch goes. */
static void collect(struct town *t, uint32_t node, const struct dc_input *in)
{
    uint64_t top = t->height[node], blocks = t->params.epoch_blocks;
    (void)in;
    if (node == 0 && top >= blocks / 2)
        dc_store_collect(t->store, (top - blocks / 2) / blocks * blocks);
}

/* Who is absent is not challenged, or it would be ejected by the time it comes. */
static void no_audits(struct dc_params *p)
{
    p->audit = 0;
    p->escalation = false;
}

static void test_late(void)
{
    struct town_spec spec = {.validators = 7,
                             .services = 2,
                             .clients = 1,
                             .deal_bytes = 1 << 20,
                             .keep_heights = 24,
                             .edit = no_audits};
    struct town *t = town_make(&spec);
    uint32_t late[] = {6, town_service(t, 1), town_client(t, 0)};
    t->stepped = collect;
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++)
        t->down[late[i]] = true;
    town_run(t, 240 * SECOND); /* rounds that it should have led time out */
    CU_ASSERT_TRUE(t->height[0] > 5 * t->params.epoch_blocks);
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
        struct dc_input in = {.kind = DC_INPUT_START};
        t->down[late[i]] = false;
        town_input(t, late[i], &in);
    }
    town_run(t, 255 * SECOND);
    uint64_t timed_out = t->timed_out;
    for (size_t i = 0; i < sizeof late / sizeof late[0]; i++) {
        CU_ASSERT_EQUAL(t->synced[late[i]], 1);
        CU_ASSERT_TRUE(t->height[late[i]] + 2 >= t->height[0]);
        CU_ASSERT_EQUAL(t->refused[late[i]], 0);
        CU_ASSERT_PTR_NULL(t->node[late[i]]->chain->sync);
    }
    /* It takes part: it leads, votes, and no round of a whole epoch is lost. */
    uint64_t from = t->height[0], led = 0;
    town_run(t, 300 * SECOND);
    const struct dc_block *b = t->node[0]->chain->final;
    for (; b != NULL && b->header.height > from; b = atomic_load(&b->parent))
        led += b->header.proposer == 6;
    CU_ASSERT_TRUE(led >= 1);
    CU_ASSERT_TRUE(t->timed_out - timed_out < 14);
    const struct dc_account *a = dc_state_account(town_state(t, 0), late[1]);
    CU_ASSERT_TRUE(a->posync.a != 0); /* its heartbeats are on chain */
    CU_ASSERT_EQUAL(t->conflicts, 0);
    town_free(t);
}

int main(void)
{
    static const struct test_case cases[] = {{"a validator without its store", test_validator},
                                             {"a storage node without its disk", test_storage},
                                             {"five epochs late", test_late}};
    return TEST_MAIN("node/amnesia", cases);
}
