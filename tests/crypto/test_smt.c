/* Sparse Merkle trees: published roots and proofs (nervosnetwork/sparse-merkle-tree), a recursive
 * definition as the model, versions that share what they have in common, and every bit of small
 * proofs changed. */
#include "models/base/rng.h"
#include "models/crypto/crypto.h"
#include "models/crypto/smt.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <stdlib.h>
#include <string.h>

static const struct dc_merkle nervos = {&dc_smt_nervos, DC_DOMAIN_TEST};
static const struct dc_merkle own = {&dc_merkle_blake2b, DC_DOMAIN_TEST};

enum { LEAVES_MAX = 64, PROOF_MAX = 20000 };

static int by_key(const void *a, const void *b)
{
    return dc_smt_compare(((const struct dc_smt_leaf *)a)->key,
                          ((const struct dc_smt_leaf *)b)->key);
}

/* --- published -------------------------------------------------------------------------------- */

static uint32_t read_bytes(const struct json *list, uint8_t *out, uint32_t max)
{
    uint32_t n = 0;
    for (const struct json *v = json_first(list); v != NULL; v = v->next) {
        CU_ASSERT_FATAL(n < max && v->kind == JSON_NUMBER && v->number >= 0 && v->number < 256);
        out[n++] = (uint8_t)v->number;
    }
    return n;
}

static uint32_t read_leaves(const struct json *list, struct dc_smt_leaf *out)
{
    uint32_t n = 0;
    for (const struct json *v = json_first(list); v != NULL; v = v->next) {
        CU_ASSERT_FATAL(n < LEAVES_MAX);
        const struct json *key = json_first(v);
        CU_ASSERT_EQUAL_FATAL(read_bytes(key, out[n].key, 32), 32);
        CU_ASSERT_EQUAL_FATAL(read_bytes(key->next, out[n].value.b, 32), 32);
        n++;
    }
    qsort(out, n, sizeof *out, by_key);
    return n;
}

static size_t prove(const struct dc_smt_forest *f, const struct dc_smt *tree,
                    const struct dc_smt_leaf *leaf, uint32_t count, uint8_t *out)
{
    uint8_t key[LEAVES_MAX][32];
    for (uint32_t i = 0; i < count; i++)
        memcpy(key[i], leaf[i].key, 32);
    size_t size = dc_smt_prove(f, tree, (const uint8_t(*)[32])key, count, out, PROOF_MAX);
    CU_ASSERT_FATAL(size != 0 && size <= dc_smt_prove_size_max(count));
    CU_ASSERT_EQUAL(dc_smt_prove(f, tree, (const uint8_t(*)[32])key, count, out, size - 1), 0);
    return dc_smt_prove(f, tree, (const uint8_t(*)[32])key, count, out, size);
}

/* The library's own proofs pass the check here, and the same bytes are made here. */
static uint32_t published_proofs(const struct json *list, const struct dc_smt_forest *f,
                                 const struct dc_smt *tree)
{
    uint32_t checked = 0;
    for (const struct json *v = json_first(list); v != NULL; v = v->next) {
        struct dc_smt_leaf leaf[LEAVES_MAX];
        static uint8_t want[PROOF_MAX], got[PROOF_MAX];
        uint32_t count = read_leaves(json_get(v, "leaves"), leaf);
        uint32_t size = read_bytes(json_get(v, "compiled_proof"), want, PROOF_MAX);
        bool empty = json_get(v, "error") != NULL && json_get(v, "error")->kind == JSON_TEXT;
        CU_ASSERT_EQUAL(empty, count == 0);
        if (count == 0) { /* "Empty keys": nothing is proved */
            CU_ASSERT_FALSE(dc_smt_check(&nervos, &tree->hash, leaf, 0, want, size));
            continue;
        }
        CU_ASSERT(dc_smt_check(&nervos, &tree->hash, leaf, count, want, size));
        CU_ASSERT_EQUAL(prove(f, tree, leaf, count, got), size);
        CU_ASSERT_EQUAL(memcmp(got, want, size), 0);
        checked++;
    }
    return checked;
}

static void test_published(void)
{
    static const char *const file[] = {"13", "27", "31", "34", "66", "75", "94", "99"};
    uint32_t roots = 0, proofs = 0;
    for (size_t i = 0; i < sizeof file / sizeof file[0]; i++) {
        char path[64] = "vectors/smt/ckb_case-";
        size_t size;
        strcat(strcat(path, file[i]), ".json");
        char *text = test_shared_file(path, &size);
        if (text == NULL)
            return;
        struct json *root = json_parse(text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(root);
        struct dc_smt_leaf leaf[LEAVES_MAX];
        uint32_t count = read_leaves(json_get(root, "leaves"), leaf);
        struct dc_smt_forest f;
        struct dc_smt tree = {0};
        dc_smt_forest_init(&f, &nervos, true);
        for (uint32_t j = 0; j < count; j++) /* in an order that is not the keys' */
            CU_ASSERT(dc_smt_add(&f, &tree, leaf[count - 1 - j].key, &leaf[count - 1 - j].value));
        dc_smt_commit(&f, &tree);
        struct dc_hash want;
        CU_ASSERT_EQUAL(read_bytes(json_get(root, "root"), want.b, 32), 32);
        CU_ASSERT(dc_hash_equal(&tree.hash, &want));
        roots += count != 0;
        proofs += published_proofs(json_get(root, "proofs"), &f, &tree);
        dc_smt_drop(&f, &tree);
        dc_smt_forest_free(&f);
        json_free(root);
        free(text);
    }
    CU_ASSERT_EQUAL(roots, 8);
    CU_ASSERT_EQUAL(proofs, 26);
}

/* --- the definition --------------------------------------------------------------------------- */

struct model_place { /* n 0: the hash itself */
    uint32_t n;
    struct dc_hash hash, sides;
};

static bool bit_of(const uint8_t *key, uint32_t bit)
{
    return key[bit / 8] >> bit % 8 & 1;
}

static struct dc_hash model_hash(const struct dc_merkle *m, const struct model_place *p)
{
    struct dc_hash out = p->hash;
    uint8_t text[66] = {2};
    if (p->n == 0)
        return out;
    memcpy(text + 1, p->hash.b, 32);
    memcpy(text + 33, p->sides.b, 32);
    text[65] = (uint8_t)p->n;
    m->class->hash(m->domain, text, sizeof text, &out);
    return out;
}

/* key without bits 0 .. bit, bit by bit. */
static void model_path(const uint8_t *key, uint32_t bit, uint8_t *out)
{
    memcpy(out, key, 32);
    for (uint32_t b = 0; b <= bit; b++)
        out[b / 8] &= (uint8_t) ~(1u << b % 8);
}

/* Of count leaves, all with the same bits from `level` on: level by level, as it is defined. */
static struct model_place model(const struct dc_merkle *m, const struct dc_smt_leaf *leaf,
                                uint32_t count, uint32_t level)
{
    struct model_place half[2], up = {0};
    if (count == 0)
        return up;
    if (level == 0) {
        CU_ASSERT_EQUAL_FATAL(count, 1);
        up.hash = leaf->value;
        return up;
    }
    uint32_t bit = level - 1, left = 0;
    while (left < count && !bit_of(leaf[left].key, bit))
        left++;
    half[0] = model(m, leaf, left, bit);
    half[1] = model(m, leaf + left, count - left, bit);
    uint8_t text[98] = {1, (uint8_t)bit};
    if (left != 0 && left != count) {
        model_path(leaf->key, bit, text + 2);
        for (int c = 0; c < 2; c++) {
            struct dc_hash h = model_hash(m, &half[c]);
            memcpy(text + 34 + 32 * c, h.b, 32);
        }
        m->class->hash(m->domain, text, 98, &up.hash);
        return up;
    }
    up = half[left == 0];
    if (up.n == 0) {
        text[0] = (uint8_t)bit;
        model_path(leaf->key, bit, text + 1);
        memcpy(text + 33, up.hash.b, 32);
        m->class->hash(m->domain, text, 65, &up.hash);
    }
    up.n++;
    up.sides.b[bit / 8] |= (uint8_t)((left == 0) << bit % 8);
    return up;
}

static struct dc_hash model_root(const struct dc_merkle *m, struct dc_smt_leaf *leaf,
                                 uint32_t count)
{
    qsort(leaf, count, sizeof *leaf, by_key);
    struct model_place p = model(m, leaf, count, 256);
    return model_hash(m, &p);
}

/* Keys that agree in most of their bits, so that forks are at all depths; or scattered ones. */
static void draw_key(struct dc_stream *s, bool near, uint8_t key[32])
{
    for (int i = 0; i < 32; i++)
        key[i] = near ? 0xa5 : (uint8_t)dc_next64(s);
    for (int i = 0; near && i < 3; i++) {
        uint64_t bit = dc_next_below(s, 256);
        key[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void against_model(const struct dc_merkle *m, bool map, bool near)
{
    struct dc_stream s = dc_stream(1, dc_name("smt"), dc_name(near ? "near" : "far"));
    struct dc_smt_leaf leaf[LEAVES_MAX];
    static uint8_t proof[PROOF_MAX];
    struct dc_smt_forest f;
    struct dc_smt tree = {0};
    dc_smt_forest_init(&f, m, map);
    uint32_t count = 0;
    while (count < LEAVES_MAX - 1) {
        struct dc_smt_leaf x = {.value = dc_smt_one}, pair[2];
        draw_key(&s, near, x.key);
        x.value.b[31] = map ? (uint8_t)dc_next64(&s) : 0;
        bool known = false;
        for (uint32_t i = 0; i < count; i++)
            known |= memcmp(leaf[i].key, x.key, 32) == 0;
        CU_ASSERT_EQUAL(dc_smt_has(&tree, x.key), known);
        struct dc_smt_leaf none = {0};
        memcpy(none.key, x.key, 32);
        if (!known) { /* it is shown to be absent, alone and beside a neighbour */
            size_t size = prove(&f, &tree, &none, 1, proof);
            CU_ASSERT(dc_smt_check(m, &tree.hash, &none, 1, proof, size));
            CU_ASSERT_FALSE(dc_smt_check(m, &tree.hash, &x, 1, proof, size));
        }
        CU_ASSERT_EQUAL(dc_smt_add(&f, &tree, x.key, map ? &x.value : NULL), !known);
        if (known)
            continue;
        leaf[count++] = x;
        dc_smt_commit(&f, &tree);
        struct dc_hash want = model_root(m, leaf, count);
        CU_ASSERT(dc_hash_equal(&tree.hash, &want));
        CU_ASSERT_EQUAL(tree.count, count);
        size_t size = prove(&f, &tree, &x, 1, proof);
        CU_ASSERT(dc_smt_check(m, &tree.hash, &x, 1, proof, size));
        CU_ASSERT_FALSE(dc_smt_check(m, &tree.hash, &none, 1, proof, size));
        draw_key(&s, near, none.key);
        pair[0] = x;
        pair[1] = none;
        qsort(pair, 2, sizeof *pair, by_key);
        if (!dc_smt_has(&tree, none.key)) {
            size = prove(&f, &tree, pair, 2, proof);
            CU_ASSERT(dc_smt_check(m, &tree.hash, pair, 2, proof, size));
        }
    }
    size_t size = prove(&f, &tree, leaf, count, proof); /* of all there are: no sibling at all */
    CU_ASSERT(dc_smt_check(m, &tree.hash, leaf, count, proof, size));
    CU_ASSERT_EQUAL(dc_smt_get(&tree, leaf[0].key) != NULL, true);
    dc_smt_drop(&f, &tree);
    CU_ASSERT_EQUAL(dc_smt_forest_bytes(&f), 0);
    dc_smt_forest_free(&f);
}

static void test_model(void)
{
    against_model(&own, true, true);
    against_model(&own, false, true);
    against_model(&own, false, false);
    against_model(&nervos, true, false);
}

/* --- versions --------------------------------------------------------------------------------- */

/* Versions of a set, each with keys of its own on top of any earlier one; all keep their root and
 * their keys, and a batch of many gives the root of the same keys one by one. */
static void test_versions(void)
{
    enum { VERSIONS = 60, BATCH = 20 };
    struct dc_stream s = dc_stream(2, dc_name("smt"), dc_name("versions"));
    static struct dc_smt version[VERSIONS];
    static struct dc_smt_leaf leaf[VERSIONS][VERSIONS * BATCH];
    static uint32_t count[VERSIONS];
    struct dc_smt_forest f;
    dc_smt_forest_init(&f, &own, false);
    memset(version, 0, sizeof version);
    count[0] = 0;
    for (uint32_t v = 1; v < VERSIONS; v++) {
        uint32_t from = (uint32_t)dc_next_below(&s, v);
        version[v] = dc_smt_hold(&version[from]);
        memcpy(leaf[v], leaf[from], count[from] * sizeof leaf[v][0]);
        count[v] = count[from];
        for (uint32_t i = 0; i < BATCH; i++) {
            struct dc_smt_leaf x = {.value = dc_smt_one};
            draw_key(&s, i % 2 == 0, x.key);
            if (dc_smt_add(&f, &version[v], x.key, NULL))
                leaf[v][count[v]++] = x;
        }
        uint32_t hashes = dc_smt_commit(&f, &version[v]);
        CU_ASSERT(hashes > 0 && dc_smt_commit(&f, &version[v]) == 0);
    }
    for (uint32_t v = 0; v < VERSIONS; v++) {
        struct dc_hash want = model_root(&own, leaf[v], count[v]);
        CU_ASSERT(dc_hash_equal(&version[v].hash, &want));
        CU_ASSERT_EQUAL(version[v].count, count[v]);
        for (uint32_t i = 0; i < count[v]; i++)
            CU_ASSERT(dc_smt_has(&version[v], leaf[v][i].key));
    }
    uint64_t kept = f.added; /* nothing is kept twice, and the last holder frees */
    CU_ASSERT_EQUAL(f.leaves.live, kept);
    for (uint32_t v = 0; v < VERSIONS; v++)
        dc_smt_drop(&f, &version[v]);
    CU_ASSERT_EQUAL(dc_smt_forest_bytes(&f), 0);
    dc_smt_forest_free(&f);
}

/* What a set of many keys costs: bytes and hashes. */
static void test_cost(void)
{
    enum { KEYS = 20000 };
    struct dc_stream s = dc_stream(3, dc_name("smt"), dc_name("cost"));
    struct dc_smt_forest f;
    struct dc_smt tree = {0};
    dc_smt_forest_init(&f, &own, false);
    uint8_t key[32];
    for (uint32_t i = 0; i < KEYS; i++) {
        draw_key(&s, false, key);
        CU_ASSERT(dc_smt_add(&f, &tree, key, NULL));
    }
    uint32_t hashes = dc_smt_commit(&f, &tree);
    CU_ASSERT(dc_smt_forest_bytes(&f) <= 112u * KEYS);
    CU_ASSERT(hashes < 5u * KEYS);
    struct dc_smt next = dc_smt_hold(&tree);
    draw_key(&s, false, key);
    CU_ASSERT(dc_smt_add(&f, &next, key, NULL));
    CU_ASSERT(dc_smt_commit(&f, &next) < 60);
    uint8_t proof[PROOF_MAX];
    size_t size = dc_smt_prove(&f, &next, (const uint8_t(*)[32]) & key, 1, proof, sizeof proof);
    CU_ASSERT(size > 0 && size < 900);
    dc_smt_drop(&f, &next);
    dc_smt_drop(&f, &tree);
    dc_smt_forest_free(&f);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void flip(uint8_t *bytes, size_t bit)
{
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

/* One proof may show other keys absent too, those beside the key; it never says what is not so. */
static bool is_so(const struct dc_smt *tree, const struct dc_smt_leaf *leaf, uint32_t count)
{
    bool so = true;
    for (uint32_t i = 0; i < count; i++)
        so &= dc_smt_has(tree, leaf[i].key) ? dc_hash_equal(&leaf[i].value, &dc_smt_one)
                                            : dc_hash_is_zero(&leaf[i].value);
    return so;
}

static void refuse_flips(const struct dc_smt *tree, struct dc_smt_leaf *leaf, uint32_t count,
                         uint8_t *proof, size_t size)
{
    const struct dc_hash *root = &tree->hash;
    struct dc_hash other = *root;
    CU_ASSERT_FATAL(dc_smt_check(&own, root, leaf, count, proof, size));
    for (size_t bit = 0; bit < 8 * size; bit++) {
        flip(proof, bit);
        CU_ASSERT_FALSE(dc_smt_check(&own, root, leaf, count, proof, size));
        flip(proof, bit);
    }
    for (size_t bit = 0; bit < 8 * sizeof *leaf * count; bit++) {
        flip((uint8_t *)leaf, bit);
        CU_ASSERT(!dc_smt_check(&own, root, leaf, count, proof, size) || is_so(tree, leaf, count));
        flip((uint8_t *)leaf, bit);
    }
    for (size_t bit = 0; bit < 256; bit++) {
        flip(other.b, bit);
        CU_ASSERT_FALSE(dc_smt_check(&own, &other, leaf, count, proof, size));
        flip(other.b, bit);
    }
    for (size_t cut = 0; cut < size; cut++)
        CU_ASSERT_FALSE(dc_smt_check(&own, root, leaf, count, proof, cut));
    CU_ASSERT_FALSE(dc_smt_check(&own, root, leaf, count - 1, proof, size));
}

static void test_flips(void)
{
    struct dc_stream s = dc_stream(4, dc_name("smt"), dc_name("flips"));
    static uint8_t proof[PROOF_MAX];
    for (uint32_t keys = 1; keys <= 9; keys++) {
        struct dc_smt_forest f;
        struct dc_smt tree = {0};
        struct dc_smt_leaf leaf[10] = {0};
        dc_smt_forest_init(&f, &own, false);
        for (uint32_t i = 0; i < keys; i++) {
            leaf[i].value = dc_smt_one;
            draw_key(&s, false, leaf[i].key);
            CU_ASSERT_FATAL(dc_smt_add(&f, &tree, leaf[i].key, NULL));
        }
        dc_smt_commit(&f, &tree);
        draw_key(&s, false, leaf[keys].key); /* one that is not there */
        qsort(leaf, keys + 1, sizeof *leaf, by_key);
        for (uint32_t i = 0; i <= keys; i++)
            refuse_flips(&tree, &leaf[i], 1, proof, prove(&f, &tree, &leaf[i], 1, proof));
        refuse_flips(&tree, leaf, 2, proof, prove(&f, &tree, leaf, 2, proof));
        dc_smt_drop(&f, &tree);
        dc_smt_forest_free(&f);
    }
}

/* In a set of one key: absence of that very key, by an edge that brings along the side on which it
 * should be merged.  Its hash is the root; only the rule about sides is in the way. */
static void test_forged_absence(void)
{
    struct dc_smt_forest f;
    struct dc_smt tree = {0};
    struct dc_smt_leaf leaf = {.key = {[0] = 9, [31] = 0x80}};
    dc_smt_forest_init(&f, &own, false);
    CU_ASSERT_FATAL(dc_smt_add(&f, &tree, leaf.key, NULL));
    dc_smt_commit(&f, &tree);
    uint8_t text[66] = {0}, proof[69] = {'L', 'O', 255, 'Q', 255}; /* base: H(0 || path || 1) */
    memcpy(text + 1, leaf.key, 32);
    text[1] = 8;
    text[33] = 1;
    struct dc_hash base;
    own.class->hash(own.domain, text, 65, &base);
    memcpy(proof + 5, base.b, 32);
    memcpy(proof + 37, leaf.key, 32);
    struct model_place place = {.n = 256, .hash = base};
    memcpy(place.sides.b, leaf.key, 32);
    struct dc_hash root = model_hash(&own, &place);
    CU_ASSERT(dc_hash_equal(&root, &tree.hash));
    CU_ASSERT_FALSE(dc_smt_check(&own, &tree.hash, &leaf, 1, proof, sizeof proof));
    leaf.key[31] = 0; /* honest: of the key beside it, without the side */
    proof[37 + 31] = 0;
    CU_ASSERT(dc_smt_check(&own, &tree.hash, &leaf, 1, proof, sizeof proof));
    dc_smt_drop(&f, &tree);
    dc_smt_forest_free(&f);
}

/* Nothing at all is in an empty set. */
static void test_empty(void)
{
    static const struct dc_hash zero;
    struct dc_smt_leaf leaf = {.key = {1, 2, 3}};
    const uint8_t proof[] = {'L', 'O', 0};
    struct dc_smt tree = {0};
    CU_ASSERT_FALSE(dc_smt_has(&tree, leaf.key));
    CU_ASSERT(dc_smt_check(&own, &zero, &leaf, 1, proof, sizeof proof));
    leaf.value = dc_smt_one;
    CU_ASSERT_FALSE(dc_smt_check(&own, &zero, &leaf, 1, proof, sizeof proof));
    CU_ASSERT_FALSE(dc_smt_check(&own, &zero, &leaf, 0, proof, 0));
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"published: 8 roots, 26 proofs", test_published},
        {"against the definition", test_model},
        {"versions", test_versions},
        {"bytes and hashes", test_cost},
        {"every bit flipped", test_flips},
        {"a forged absence", test_forged_absence},
        {"empty", test_empty},
    };
    return TEST_MAIN("crypto/smt", cases);
}
