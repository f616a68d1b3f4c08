/* Storage: content against full Merkle trees, proofs of possession under every flipped bit and
 * every truncation, and which root a chunk must be shown under while deals come and go.
 *
 * The state is a stand-in of three arrays, so that a test can say what the chain knows when. */
#include "models/base/rng.h"
#include "models/crypto/expand.h"
#include "models/service/storage.h"
#include "tests/support/harness.h"
#include "tests/support/statistics.h"

#include <stdlib.h>

enum { NODE = 3, DEALS_MAX = 16 };

struct dc_state {
    struct dc_account account;
    struct dc_deal deal[DEALS_MAX];
    struct dc_meta meta;
};
const struct dc_account *dc_state_account(const struct dc_state *state, uint32_t id)
{
    return id == NODE ? &state->account : NULL;
}
const struct dc_deal *dc_state_deal(const struct dc_state *state, uint32_t id)
{
    return id < state->meta.deals ? &state->deal[id] : NULL;
}
const struct dc_meta *dc_state_meta(const struct dc_state *state)
{
    return &state->meta;
}

static struct dc_hash seed_of(uint64_t n)
{
    uint8_t text[8];
    dc_put64(text, n);
    return dc_hash_bytes(DC_DOMAIN_TEST, text, sizeof text);
}

/* draft-agl-tls-chacha20poly1305-04, section 7: key zero, nonces zero and 01 00 00 00 00 00 00
 * 00. */
static void test_expand(void)
{
    static const char *const hex[2] = {
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
        "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586",
        "ef3fdfd6c61578fbf5cf35bd3dd33b8009631634d21e42ac33960bd138e50d32"
        "111e4caf237ee53ca8ad6426194a88545ddc497a0b466e7d6bbdb0041b2f586b"};
    const struct dc_hash zero = {{0}};
    for (uint64_t block = 0; block < 2; block++) {
        uint8_t expected[64], out[64];
        CU_ASSERT_EQUAL_FATAL(test_hex(hex[block], expected, sizeof expected), 64);
        dc_expand(&zero, block, out, sizeof out);
        CU_ASSERT_EQUAL(memcmp(out, expected, 64), 0);
    }
    uint8_t guard[3] = {1, 2, 3};
    dc_expand(&zero, 0, guard, 2);
    CU_ASSERT(guard[0] == 0x76 && guard[1] == 0xb8 && guard[2] == 3);
}

static void test_depth(void)
{
    static const struct {
        uint64_t chunks;
        uint32_t depth;
    } rows[] = {{0, 3},
                {1, 3},
                {8, 3},
                {9, 4},
                {16, 4},
                {17, 5},
                {(uint64_t)1 << 28, 28},
                {((uint64_t)1 << 28) + 1, 29},
                {(uint64_t)1 << 63, 63},
                {UINT64_MAX, 63}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(dc_content_depth(rows[i].chunks), rows[i].depth);
    CU_ASSERT_EQUAL(dc_chunks_of(0), 0);
    CU_ASSERT_EQUAL(dc_chunks_of(1), 1);
    CU_ASSERT_EQUAL(dc_chunks_of(4096), 1);
    CU_ASSERT_EQUAL(dc_chunks_of(4097), 2);
    CU_ASSERT_EQUAL(dc_chunks_of(UINT64_MAX), (uint64_t)1 << 52);
}

/* Every leaf of the tree from its own bytes, all levels written out: level[l][i]. */
static struct dc_hash level[8][128];
static uint32_t naive_tree(const struct dc_content *c, uint64_t chunks)
{
    uint32_t depth = 3;
    while (1u << depth < chunks)
        depth++;
    for (uint32_t i = 0; i < 1u << depth; i++) {
        uint8_t chunk[DC_CHUNK_BYTES];
        dc_expand(&c->seed, i % 8, chunk, sizeof chunk);
        level[0][i] = dc_hash_bytes(DC_DOMAIN_CHUNK, chunk, sizeof chunk);
    }
    for (uint32_t l = 1; l <= depth; l++)
        for (uint32_t i = 0; i < 1u << (depth - l); i++)
            level[l][i] =
                dc_hash_pair(DC_DOMAIN_FILLER, &level[l - 1][2 * i], &level[l - 1][2 * i + 1]);
    return depth;
}

static void test_against_full_tree(void)
{
    static const uint64_t sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 100, 128};
    struct dc_content c;
    struct dc_hash seed = seed_of(1);
    dc_content_init(&c, &seed);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        uint32_t depth = naive_tree(&c, sizes[s]);
        struct dc_hash root = dc_content_root(&c, sizes[s]);
        CU_ASSERT_EQUAL_FATAL(dc_content_depth(sizes[s]), depth);
        CU_ASSERT(dc_hash_equal(&root, &level[depth][0]));
        for (uint64_t i = 0; i < sizes[s]; i++) {
            struct dc_hash path[64];
            uint8_t chunk[DC_CHUNK_BYTES];
            dc_content_chunk(&c, i, chunk);
            dc_content_path(&c, sizes[s], i, path);
            for (uint32_t l = 0; l < depth; l++)
                CU_ASSERT(dc_hash_equal(&path[l], &level[l][(i >> l) ^ 1]));
            CU_ASSERT(dc_content_check(&root, sizes[s], i, chunk, path[0].b));
            CU_ASSERT(!dc_content_check(&root, sizes[s], i ^ 1, chunk, path[0].b));
            CU_ASSERT(!dc_content_check(&root, i, i, chunk, path[0].b)); /* past the end */
        }
    }
}

/* A terabyte's root is 25 doublings; its last chunk is provable, the one behind it is not. */
static void test_terabyte(void)
{
    const uint64_t chunks = (uint64_t)1 << 28;
    struct dc_content c;
    struct dc_hash seed = seed_of(2), path[64];
    dc_content_init(&c, &seed);
    struct dc_hash h = dc_content_root(&c, 8), root = dc_content_root(&c, chunks);
    for (int i = 0; i < 25; i++)
        h = dc_hash_pair(DC_DOMAIN_FILLER, &h, &h);
    CU_ASSERT(dc_hash_equal(&h, &root));
    uint8_t chunk[DC_CHUNK_BYTES];
    dc_content_chunk(&c, chunks - 1, chunk);
    dc_content_path(&c, chunks, chunks - 1, path);
    CU_ASSERT(dc_content_check(&root, chunks, chunks - 1, chunk, path[0].b));
    CU_ASSERT(!dc_content_check(&root, chunks, chunks, chunk, path[0].b));
}

static void test_seeds_differ(void)
{
    uint8_t a[32] = {1}, b[32] = {2};
    struct dc_hash s[4] = {dc_filler_seed(a), dc_filler_seed(b), dc_object_seed(a, 0),
                           dc_object_seed(a, 1)};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            CU_ASSERT(!dc_hash_equal(&s[i], &s[j]));
}

/* The share of chunks that is missing, by a binomial test at 0.001 each; who lacks more lacks a
 * superset; nothing is missing at 0 and everything at 1. */
static void test_disk(void)
{
    static const uint32_t ppm[] = {1000, 100000, 300000, 900000};
    for (uint64_t key = 1; key <= 5; key++)
        for (int k = 0; k < 4; k++) {
            struct dc_disk disk = {.key = key, .missing = dc_q31_from_ppm(ppm[k])},
                           none = {.key = key}, all = {.key = key, .missing = DC_ONE},
                           more = {.key = key, .missing = disk.missing + disk.missing / 20};
            uint64_t missing = 0;
            for (uint64_t i = 0; i < 20000; i++) {
                bool has = dc_disk_has(&disk, i);
                missing += !has;
                CU_ASSERT(dc_disk_has(&none, i) && !dc_disk_has(&all, i));
                CU_ASSERT(has || !dc_disk_has(&more, i));
            }
            CU_ASSERT(test_binomial_fits(missing, 20000, dc_q31_to_double(disk.missing), 0.001));
        }
}

/* Deals held in random order are found as by walking all of them. */
static void test_hold_and_find(void)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("storage"), dc_name("hold"));
        struct dc_storage st;
        dc_storage_init(&st, NULL, 100 * DC_CHUNK_BYTES);
        struct dc_held list[20];
        uint32_t n = 1 + (uint32_t)dc_next_below(&s, 20);
        uint64_t at = dc_next_below(&s, 3);
        for (uint32_t i = 0; i < n; i++) {
            list[i] =
                (struct dc_held){.deal = i, .offset_chunk = at, .chunks = 1 + dc_next_below(&s, 6)};
            at += list[i].chunks + dc_next_below(&s, 2) * dc_next_below(&s, 4);
        }
        for (uint32_t i = n; i > 1; i--) {
            uint32_t j = (uint32_t)dc_next_below(&s, i);
            struct dc_held swap = list[i - 1];
            list[i - 1] = list[j];
            list[j] = swap;
        }
        for (uint32_t i = 0; i < n; i++)
            dc_storage_hold(&st, &list[i]);
        CU_ASSERT_EQUAL(st.held_count, n);
        for (uint32_t i = 1; i < n; i++)
            CU_ASSERT(st.held[i - 1].offset_chunk < st.held[i].offset_chunk);
        for (uint64_t chunk = 0; chunk < at + 3; chunk++) {
            uint32_t expected = UINT32_MAX;
            for (uint32_t i = 0; i < n; i++)
                if (chunk >= list[i].offset_chunk && chunk < list[i].offset_chunk + list[i].chunks)
                    expected = list[i].deal;
            const struct dc_held *h = dc_storage_find(&st, chunk);
            CU_ASSERT_EQUAL(h == NULL ? UINT32_MAX : h->deal, expected);
        }
        dc_storage_free(&st);
    }
}

/* --- proofs ----------------------------------------------------------------------------------- */

struct world {
    struct dc_state state;
    struct dc_storage storage;
};

/* A node of so many chunks under an honest disk. */
static void world_init(struct world *w, uint64_t chunks)
{
    struct dc_hash seed = seed_of(77);
    struct dc_content filler;
    memset(w, 0, sizeof *w);
    dc_content_init(&filler, &seed);
    dc_storage_init(&w->storage, &filler, chunks * DC_CHUNK_BYTES);
    w->state.account.capacity_bytes = chunks * DC_CHUNK_BYTES;
    w->state.account.filler_root = dc_content_root(&w->storage.filler, chunks);
    w->state.account.deal_last = DC_DEAL_NONE;
    w->state.meta.epoch = 10;
}
/* A deal on the next free chunks, in the state and on the disk. */
static void world_deal(struct world *w, uint64_t size_bytes, uint64_t end_epoch)
{
    struct dc_state *s = &w->state;
    struct dc_content c;
    uint32_t id = s->meta.deals++;
    struct dc_hash seed = seed_of(1000 + id);
    dc_content_init(&c, &seed);
    uint64_t chunks = dc_chunks_of(size_bytes);
    s->deal[id] = (struct dc_deal){.node = NODE,
                                   .prev = s->account.deal_last,
                                   .size_bytes = size_bytes,
                                   .offset_chunk = s->account.used_chunks,
                                   .end_epoch = end_epoch,
                                   .root = dc_content_root(&c, chunks)};
    struct dc_held h = {.deal = id,
                        .offset_chunk = s->account.used_chunks,
                        .chunks = chunks,
                        .content = c,
                        .root = s->deal[id].root};
    dc_storage_hold(&w->storage, &h);
    s->account.deal_last = id;
    s->account.used_chunks += chunks;
}
/* What the node proves under `made` is accepted under `judged`. */
static bool proves_across(const struct world *w, const struct dc_state *made,
                          const struct dc_state *judged, const uint64_t *sample, uint32_t k)
{
    size_t size_max = dc_storage_proof_max(&w->storage, k);
    uint8_t *proof = malloc(size_max);
    uint32_t proved;
    size_t size = dc_storage_prove_at(&w->storage, made, NODE, sample, k, proof, size_max, &proved);
    CU_ASSERT(size <= size_max);
    bool ok = size != 0 && dc_storage_check(judged, NODE, sample, k, proof, size);
    CU_ASSERT(size == 0 || dc_storage_judge(judged, NODE, sample, k, proof, size) !=
                               DC_ANSWER_INVALID); /* nobody is convicted by a deal's coming */
    free(proof);
    return ok;
}
static bool proves(const struct world *w, const uint64_t *sample, uint32_t k)
{
    return proves_across(w, &w->state, &w->state, sample, k);
}

/* Every chunk of a node with deals of odd sizes and filler behind them, one by one and together. */
static void test_every_chunk(void)
{
    struct world w;
    world_init(&w, 50);
    world_deal(&w, 1, 20);
    world_deal(&w, 9 * DC_CHUNK_BYTES + 1, 20);
    world_deal(&w, 8 * DC_CHUNK_BYTES, 11);
    uint64_t all[50];
    for (uint64_t i = 0; i < 50; i++) {
        all[i] = i * 7 % 50;
        CU_ASSERT(proves(&w, &i, 1));
    }
    CU_ASSERT(proves(&w, all, 50));
    dc_storage_free(&w.storage);
}

/* k = 1, one proof under a deal and one as filler: each of their bits, each length but their
 * own. */
static void test_mutated(void)
{
    struct world w;
    world_init(&w, 12);
    world_deal(&w, 3 * DC_CHUNK_BYTES, 20);
    world_deal(&w, DC_CHUNK_BYTES, 20);
    for (uint64_t sample = 1; sample < 12; sample += 8) { /* chunk 1: a deal; chunk 9: filler */
        uint8_t *proof = malloc(dc_storage_proof_max(&w.storage, 1) + 1);
        uint32_t proved, accepted = 0, blamed = 0;
        size_t size = dc_storage_prove_at(&w.storage, &w.state, NODE, &sample, 1, proof,
                                          dc_storage_proof_max(&w.storage, 1), &proved);
        CU_ASSERT_EQUAL(size, 4 + 4096 + 32 * (sample == 1 ? 3 : 4));
        CU_ASSERT(dc_storage_check(&w.state, NODE, &sample, 1, proof, size));
        for (size_t bit = 0; bit < 8 * size; bit++) {
            proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
            accepted += dc_storage_check(&w.state, NODE, &sample, 1, proof, size);
            /* a false chunk or path convicts; a proof for other deals says nothing */
            CU_ASSERT_EQUAL(dc_storage_judge(&w.state, NODE, &sample, 1, proof, size),
                            bit < 8 * 4 ? DC_ANSWER_UNJUDGED : DC_ANSWER_INVALID);
            proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t n = 0; n < size; n++) {
            uint8_t *shorter = malloc(n != 0 ? n : 1); /* so that ASan sees a read behind its end */
            memcpy(shorter, proof, n);
            accepted += dc_storage_check(&w.state, NODE, &sample, 1, shorter, n);
            blamed += dc_storage_judge(&w.state, NODE, &sample, 1, shorter, n) == DC_ANSWER_INVALID;
            free(shorter);
        }
        proof[size] = 0;
        accepted += dc_storage_check(&w.state, NODE, &sample, 1, proof, size + 1);
        accepted += dc_storage_check(&w.state, NODE + 1, &sample, 1, proof, size);
        uint64_t other = sample - 1, two[2] = {sample, sample};
        accepted += dc_storage_check(&w.state, NODE, &other, 1, proof, size);
        accepted += dc_storage_check(&w.state, NODE, two, 2, proof, size);
        CU_ASSERT_EQUAL(accepted + blamed, 0);
        free(proof);
    }
    dc_storage_free(&w.storage);
}

/* A disk that lacks chunks proves what it has and no more; `proved` counts. */
static void test_lacking(void)
{
    struct world w;
    world_init(&w, 1000);
    w.storage.disk = (struct dc_disk){.key = 5, .missing = DC_ONE / 4};
    uint8_t proof[8 * (4 + 4096 + 32 * 10)];
    uint32_t whole = 0;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct dc_stream s = dc_stream(seed, dc_name("storage"), dc_name("lacking"));
        uint64_t sample[8];
        uint32_t has = 0, proved;
        for (int i = 0; i < 8; i++) {
            sample[i] = dc_next_below(&s, 1000);
            has += dc_disk_has(&w.storage.disk, sample[i]);
        }
        CU_ASSERT_FATAL(sizeof proof >= dc_storage_proof_max(&w.storage, 8));
        size_t size = dc_storage_prove_at(&w.storage, &w.state, NODE, sample, 8, proof,
                                          sizeof proof, &proved);
        CU_ASSERT_EQUAL(proved, has);
        CU_ASSERT_EQUAL(size != 0, has == 8);
        whole += size != 0 && dc_storage_check(&w.state, NODE, sample, 8, proof, size);
    }
    CU_ASSERT(test_binomial_fits(whole, 200, pow(0.75, 8), 0.001));
    dc_storage_free(&w.storage);
}

/* Filler does not stand for a paid deal, a deal does not stand for another; once it has expired
 * both the deal and filler will do. */
static void test_must_be_shown_under_its_deal(void)
{
    struct world w, thief;
    world_init(&w, 20);
    world_init(&thief, 20);
    world_deal(&w, 4 * DC_CHUNK_BYTES, 11);
    thief.state = w.state; /* the same chain, but the deal's content is not there */
    uint64_t inside = 2, outside = 5;
    CU_ASSERT(proves(&w, &inside, 1));
    CU_ASSERT(!proves(&thief, &inside, 1));
    CU_ASSERT(proves(&thief, &outside, 1));
    w.state.meta.epoch = thief.state.meta.epoch = 11;
    CU_ASSERT(proves(&w, &inside, 1));
    CU_ASSERT(proves(&thief, &inside, 1));
    dc_storage_free(&w.storage);
    dc_storage_free(&thief.storage);
}

/* The state of a challenge may be older than what the node holds by now: a deal that it does not
 * know is filler still.  Showing what is held now would fail an honest node. */
static void test_older_state(void)
{
    struct world w;
    world_init(&w, 20);
    world_deal(&w, 2 * DC_CHUNK_BYTES, 20);
    struct dc_state older = w.state;
    world_deal(&w, 3 * DC_CHUNK_BYTES, 20);
    uint64_t sample[3] = {1, 3, 10};
    CU_ASSERT(proves_across(&w, &w.state, &w.state, sample, 3));
    CU_ASSERT(proves_across(&w, &older, &older, sample, 3));
    CU_ASSERT(!proves_across(&w, &w.state, &older, sample, 3));
    CU_ASSERT(!proves_across(&w, &older, &w.state, sample, 3));
    dc_storage_free(&w.storage);
}

int main(void)
{
    dc_hash_init();
    static const struct test_case cases[] = {
        {"expand", test_expand},
        {"depth", test_depth},
        {"against full tree", test_against_full_tree},
        {"terabyte", test_terabyte},
        {"seeds differ", test_seeds_differ},
        {"disk", test_disk},
        {"hold and find", test_hold_and_find},
        {"every chunk", test_every_chunk},
        {"mutated", test_mutated},
        {"lacking", test_lacking},
        {"must be shown under its deal", test_must_be_shown_under_its_deal},
        {"older state", test_older_state},
    };
    return TEST_MAIN("storage", cases);
}
