#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "models/ledger/tree.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

/* The tree against a naive model: an array of values per version, and a root computed from nothing
 * but the definition in tree.h. */

struct leaf {
    uint64_t value;
};

static size_t encode(const void *leaf, uint8_t *out)
{
    dc_put64(out, ((const struct leaf *)leaf)->value);
    return 8;
}
static const struct dc_tree_class class = {"test", 9, sizeof(struct leaf), 8, encode};

static struct dc_hash naive_node(const uint64_t *v, uint32_t count, uint32_t level, uint32_t first)
{
    struct dc_hash h[4];
    uint32_t span = 1u << 2 * (level - 1);
    memset(h, 0, sizeof h);
    for (uint32_t c = 0; c < 4; c++) {
        uint32_t at = first + c * span;
        if (at >= count)
            continue;
        uint8_t text[8];
        dc_put64(text, v[at]);
        h[c] = level == 1 ? dc_tree_leaf_hash(&class, at, text, 8)
                          : naive_node(v, count, level - 1, at);
    }
    return dc_hash_bytes(DC_DOMAIN_STATE_NODE, h, sizeof h);
}

static struct dc_hash naive_root(const uint64_t *v, uint32_t count)
{
    struct dc_hash zero = {{0}};
    uint32_t depth = 1;
    while (1ull << 2 * depth < count)
        depth++;
    return count == 0 ? zero : naive_node(v, count, depth, 0);
}

#define VERSIONS 40
#define COUNT_MAX 700
struct version {
    struct dc_tree tree;
    uint64_t value[COUNT_MAX];
    uint32_t count;
};

static void check_version(const struct version *v)
{
    CU_ASSERT_EQUAL(v->tree.count, v->count);
    struct dc_hash root = naive_root(v->value, v->count);
    CU_ASSERT_TRUE(dc_hash_equal(&root, &v->tree.hash));
    for (uint32_t i = 0; i < v->count; i++)
        CU_ASSERT_EQUAL(((const struct leaf *)dc_tree_get(&v->tree, i))->value, v->value[i]);
    CU_ASSERT_PTR_NULL(dc_tree_get(&v->tree, v->count));
}

/* A batch of random edits and appends on a copy of a random version; sometimes given up. */
static void test_random(void)
{
    struct version *v = calloc(VERSIONS, sizeof *v);
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct dc_forest forest;
        dc_forest_init(&forest, &class);
        memset(v, 0, VERSIONS * sizeof *v);
        uint64_t x = seed;
        for (uint32_t step = 0; step < 300; step++) {
            struct version *from = &v[dc_mix64(++x) % VERSIONS], *to = &v[dc_mix64(++x) % VERSIONS];
            struct version next = *from;
            next.tree = dc_tree_hold(&from->tree);
            uint32_t edits = (uint32_t)(dc_mix64(++x) % 60);
            for (uint32_t i = 0; i < edits; i++) {
                uint64_t value = dc_mix64(++x);
                if ((next.count == 0 || dc_mix64(++x) % 4 == 0) && next.count < COUNT_MAX) {
                    ((struct leaf *)dc_tree_append(&forest, &next.tree))->value = value;
                    next.value[next.count++] = value;
                } else {
                    uint32_t at = (uint32_t)(dc_mix64(++x) % next.count);
                    ((struct leaf *)dc_tree_edit(&forest, &next.tree, at))->value = value;
                    next.value[at] = value;
                }
            }
            if (dc_mix64(++x) % 8 == 0) {
                dc_tree_drop(&forest, &next.tree);
                continue;
            }
            dc_tree_commit(&forest, &next.tree);
            check_version(&next);
            dc_tree_drop(&forest, &to->tree);
            *to = next;
        }
        for (uint32_t i = 0; i < VERSIONS; i++)
            check_version(&v[i]);
        for (uint32_t i = 0; i < VERSIONS; i++)
            dc_tree_drop(&forest, &v[i].tree);
        CU_ASSERT_EQUAL(forest.nodes.live, 0);
        CU_ASSERT_EQUAL(forest.leaves.live, 0);
        dc_forest_free(&forest);
    }
    free(v);
}

/* Every leaf's path leads to the root; no flipped bit of leaf or path, and no other index, does. */
static void test_proofs(void)
{
    struct dc_forest forest;
    dc_forest_init(&forest, &class);
    for (uint32_t count = 1; count <= 70; count += count < 18 ? 1 : 13) {
        struct dc_tree tree = {0};
        for (uint32_t i = 0; i < count; i++)
            ((struct leaf *)dc_tree_append(&forest, &tree))->value = dc_mix64(i);
        dc_tree_commit(&forest, &tree);
        for (uint32_t i = 0; i < count; i++) {
            struct dc_hash path[3 * DC_TREE_DEPTH_MAX], root;
            uint8_t text[8], *bytes = path[0].b;
            dc_put64(text, dc_mix64(i));
            struct dc_hash leaf = dc_tree_leaf_hash(&class, i, text, 8);
            dc_tree_prove(&tree, i, path);
            CU_ASSERT_TRUE(dc_tree_fold(&leaf, i, tree.depth, bytes, &root));
            CU_ASSERT_TRUE(dc_hash_equal(&root, &tree.hash));
            CU_ASSERT_TRUE(!dc_tree_fold(&leaf, i ^ 1, tree.depth, bytes, &root) ||
                           !dc_hash_equal(&root, &tree.hash));
            CU_ASSERT_FALSE(
                dc_tree_fold(&leaf, i + (1u << 2 * tree.depth), tree.depth, bytes, &root));
            for (uint32_t bit = 0; bit<tree.depth * 96 * 8; bit += count> 20 ? 7 : 1) {
                bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
                CU_ASSERT_TRUE(dc_tree_fold(&leaf, i, tree.depth, bytes, &root));
                CU_ASSERT_FALSE(dc_hash_equal(&root, &tree.hash));
                bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            }
        }
        dc_tree_drop(&forest, &tree);
    }
    dc_forest_free(&forest);
}

/* A batch hashes each shared node once: 500 changed leaves of 4096 need 500 leaf hashes and at most
 * all 1365 nodes; one changed leaf needs its path. */
static void test_batch(void)
{
    struct dc_forest forest;
    dc_forest_init(&forest, &class);
    struct dc_tree tree = {0};
    for (uint32_t i = 0; i < 4096; i++)
        dc_tree_append(&forest, &tree);
    CU_ASSERT_EQUAL(dc_tree_commit(&forest, &tree), 4096 + 1365);
    CU_ASSERT_EQUAL(tree.depth, 6);
    struct dc_tree old = dc_tree_hold(&tree);
    ((struct leaf *)dc_tree_edit(&forest, &tree, 77))->value = 1;
    ((struct leaf *)dc_tree_edit(&forest, &tree, 77))->value = 2;
    CU_ASSERT_EQUAL(dc_tree_commit(&forest, &tree), 1 + 6);
    CU_ASSERT_EQUAL(forest.leaves.live, 4097);
    CU_ASSERT_EQUAL(forest.nodes.live, 1365 + 6);
    CU_ASSERT_EQUAL(((const struct leaf *)dc_tree_get(&old, 77))->value, 0);
    for (uint32_t i = 0; i < 500; i++)
        ((struct leaf *)dc_tree_edit(&forest, &tree, i))->value = i;
    CU_ASSERT_EQUAL(dc_tree_commit(&forest, &tree), 500 + 125 + 32 + 8 + 2 + 1 + 1);
    CU_ASSERT_EQUAL(dc_tree_commit(&forest, &tree), 0);
    dc_tree_drop(&forest, &tree);
    dc_tree_drop(&forest, &old);
    CU_ASSERT_EQUAL(forest.leaves.live, 0);
    dc_forest_free(&forest);
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {{"random batches against an array", test_random},
                                             {"proofs under mutation", test_proofs},
                                             {"a batch hashes shared nodes once", test_batch}};
    return TEST_MAIN("ledger/tree", cases);
}
