/* Merkle trees: published proofs (SHA-256), a recursive definition as the model (both hashes), and
 * every bit and length of small proofs changed. */
#include "models/crypto/crypto.h"
#include "models/crypto/merkle.h"
#include "tests/support/harness.h"
#include "tests/support/json.h"

#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>

static const struct dc_merkle sha = {&dc_merkle_sha256, DC_DOMAIN_TEST};

enum { LEAVES = 70 };
static struct dc_hash leaves[LEAVES];

static void make_leaves(const struct dc_merkle *m)
{
    for (size_t i = 0; i < LEAVES; i++) {
        uint8_t b = (uint8_t)i;
        leaves[i] = dc_merkle_leaf(m, &b, 1);
    }
}

/* A base64 hash, zeros behind; false when it is not 32 bytes: the rule that a decoder enforces. */
static bool from_base64(const char *text, struct dc_hash *out)
{
    size_t n;
    uint8_t bytes[128];
    CU_ASSERT_EQUAL_FATAL(sodium_base642bin(bytes, sizeof bytes, text, strlen(text), NULL, &n, NULL,
                                            sodium_base64_VARIANT_ORIGINAL),
                          0);
    memset(out->b, 0, sizeof out->b);
    memcpy(out->b, bytes, n < sizeof out->b ? n : sizeof out->b);
    return n == sizeof out->b;
}

static bool read_proof(const struct json *v, struct dc_hash *path, uint32_t *count)
{
    bool ok = true;
    *count = 0;
    for (const struct json *p = json_first(json_get(v, "proof")); p != NULL; p = p->next) {
        CU_ASSERT_FATAL(*count < DC_MERKLE_PATH_MAX);
        ok &= from_base64(p->text, &path[(*count)++]);
    }
    return ok;
}

static bool check_inclusion(const struct json *v)
{
    struct dc_hash path[DC_MERKLE_PATH_MAX], leaf, root;
    uint32_t n;
    bool ok = read_proof(v, path, &n);
    ok &= from_base64(json_text(v, "leafHash"), &leaf);
    ok &= from_base64(json_text(v, "root"), &root);
    return ok && dc_merkle_verify(&sha, &leaf, (uint64_t)json_number(v, "leafIdx"),
                                  (uint64_t)json_number(v, "treeSize"), path, n, &root);
}

/* One file expects two equal roots "don't care 2" of 12 bytes to be consistent at equal sizes, so
 * the rule of 32 bytes is one for proofs; a shorter root stands here padded with zeros. */
static bool check_consistency(const struct json *v)
{
    struct dc_hash path[DC_MERKLE_PATH_MAX], root1 = {{0}}, root2 = {{0}};
    uint32_t n;
    bool ok = read_proof(v, path, &n);
    (void)from_base64(json_text(v, "root1"), &root1);
    (void)from_base64(json_text(v, "root2"), &root2);
    return ok &&
           dc_merkle_verify_consistency(&sha, (uint64_t)json_number(v, "size1"),
                                        (uint64_t)json_number(v, "size2"), &root1, &root2, path, n);
}

/* transparency-dev/merkle testdata: 98 inclusion and 98 consistency files of 518 (the others are
 * about subtrees, which are not used here). */
static void test_published(void)
{
    size_t size, inclusion = 0, consistency = 0, accepted = 0;
    char *text = test_shared_file("vectors/merkle/rfc6962_transparency-dev.json", &size);
    if (text == NULL)
        return;
    struct json *root = json_parse(text);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    for (const struct json *v = json_first(json_get(root, "vectors")); v != NULL; v = v->next) {
        const char *file = json_text(v, "file");
        bool refuse = json_number(v, "wantErr") != 0, got;
        if (strncmp(file, "inclusion/", 10) == 0) {
            got = check_inclusion(v);
            inclusion++;
        } else if (strncmp(file, "consistency/", 12) == 0) {
            got = check_consistency(v);
            consistency++;
        } else {
            continue;
        }
        CU_ASSERT_EQUAL(got, !refuse);
        accepted += got;
    }
    CU_ASSERT_EQUAL(inclusion, 98);
    CU_ASSERT_EQUAL(consistency, 98);
    CU_ASSERT(accepted >= 10 && accepted < 196);
    json_free(root);
    free(text);
}

/* RFC 9162, 2.1.1 as it is written: MTH(D_n) = H(1 || MTH(D_0:k) || MTH(D_k:n)). */
static struct dc_hash model_root(const struct dc_merkle *m, const struct dc_hash *d, uint64_t n)
{
    if (n == 1)
        return d[0];
    uint64_t k = 1;
    while (2 * k < n)
        k *= 2;
    struct dc_hash l = model_root(m, d, k), r = model_root(m, d + k, n - k);
    return dc_merkle_node(m, &l, &r);
}

static void expect_hash(struct dc_hash got, const char *hex)
{
    uint8_t want[32];
    CU_ASSERT_EQUAL_FATAL(test_hex(hex, want, 32), 32);
    CU_ASSERT_EQUAL(memcmp(got.b, want, 32), 0);
}

/* Python: H = blake2b(.., digest_size=32, person=blake2b(domain name, digest_size=16)), leaves
 * H(00 i), nodes H(01 l r); the empty tree of SHA-256 from RFC 9162's definition. */
static void test_known(void)
{
    struct dc_merkle m = dc_merkle(DC_DOMAIN_TEST);
    make_leaves(&m);
    expect_hash(dc_merkle_root(&m, leaves, 5),
                "be0e6acf07a43978f908bfc9a208cb164358fe50b2757d77b068d0c5f727cf53");
    expect_hash(dc_merkle_root(&m, NULL, 0),
                "9765031385b86aa78777c470a892c6184ea8d31c041d47f60d45fa112d5d5740");
    expect_hash(dc_merkle_root(&sha, NULL, 0),
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void against_model(const struct dc_merkle *m)
{
    struct dc_merkle_frontier f = {0};
    make_leaves(m);
    for (uint64_t n = 1; n <= LEAVES; n++) {
        struct dc_hash want = model_root(m, leaves, n), root = dc_merkle_root(m, leaves, n);
        CU_ASSERT(dc_hash_equal(&root, &want));
        dc_merkle_append(m, &f, &leaves[n - 1]);
        root = dc_merkle_frontier_root(m, &f);
        CU_ASSERT(dc_hash_equal(&root, &want));
        for (uint64_t i = 0; i < n; i++) {
            struct dc_hash path[DC_MERKLE_PATH_MAX + 1] = {{{0}}};
            uint32_t c = dc_merkle_prove(m, leaves, n, i, path);
            CU_ASSERT_EQUAL(c, dc_merkle_path_length(i, n));
            CU_ASSERT(dc_merkle_verify(m, &leaves[i], i, n, path, c, &root));
            for (uint64_t j = 0; j < n; j++) /* the leaf and the index belong together */
                CU_ASSERT_EQUAL(dc_merkle_verify(m, &leaves[i], j, n, path, c, &root), i == j);
            CU_ASSERT_FALSE(dc_merkle_verify(m, &leaves[i], i, n, path, c + 1, &root));
            CU_ASSERT(c == 0 || !dc_merkle_verify(m, &leaves[i], i, n, path, c - 1, &root));
        }
        for (uint64_t old = 1; old <= n; old++) {
            struct dc_hash proof[DC_MERKLE_PATH_MAX + 2] = {{{0}}};
            struct dc_hash old_root = dc_merkle_root(m, leaves, old);
            uint32_t c = dc_merkle_prove_consistency(m, leaves, old, n, proof);
            CU_ASSERT(dc_merkle_verify_consistency(m, old, n, &old_root, &root, proof, c));
            CU_ASSERT_FALSE(
                dc_merkle_verify_consistency(m, old, n, &old_root, &root, proof, c + 1));
            CU_ASSERT(c == 0 ||
                      !dc_merkle_verify_consistency(m, old, n, &old_root, &root, proof, c - 1));
            for (uint64_t other = 0; other < n; other++)
                CU_ASSERT(other == old ||
                          !dc_merkle_verify_consistency(m, other, n, &old_root, &root, proof, c));
        }
    }
}

static void test_model_sha256(void)
{
    against_model(&sha);
}
static void test_model_blake2b(void)
{
    struct dc_merkle m = dc_merkle(DC_DOMAIN_TX_ROOT);
    against_model(&m);
}

static void flip(struct dc_hash *h, int bit)
{
    h->b[bit / 8] ^= (uint8_t)(1 << bit % 8);
}

/* Every bit of leaf, path and roots, for all trees up to 9 leaves. */
static void test_flips(void)
{
    struct dc_merkle m = dc_merkle(DC_DOMAIN_TEST);
    make_leaves(&m);
    for (uint64_t n = 1; n <= 9; n++) {
        struct dc_hash parts[DC_MERKLE_PATH_MAX + 3];
        parts[1] = dc_merkle_root(&m, leaves, n);
        for (uint64_t i = 0; i < n; i++) {
            parts[0] = leaves[i];
            uint32_t c = dc_merkle_prove(&m, leaves, n, i, parts + 2);
            for (int bit = 0; bit < 256 * ((int)c + 2); bit++) {
                flip(&parts[bit / 256], bit % 256);
                CU_ASSERT_FALSE(dc_merkle_verify(&m, &parts[0], i, n, parts + 2, c, &parts[1]));
                flip(&parts[bit / 256], bit % 256);
            }
            parts[0] = dc_merkle_root(&m, leaves, i + 1);
            c = dc_merkle_prove_consistency(&m, leaves, i + 1, n, parts + 2);
            for (int bit = 0; bit < 256 * ((int)c + 2); bit++) {
                flip(&parts[bit / 256], bit % 256);
                CU_ASSERT_FALSE(
                    dc_merkle_verify_consistency(&m, i + 1, n, &parts[0], &parts[1], parts + 2, c));
                flip(&parts[bit / 256], bit % 256);
            }
        }
    }
}

/* A leaf can not pass for a node, nor one domain for another. */
static void test_separation(void)
{
    struct dc_merkle m = dc_merkle(DC_DOMAIN_TEST), other = dc_merkle(DC_DOMAIN_CHUNK);
    struct dc_hash l = dc_merkle_leaf(&m, "l", 1), r = dc_merkle_leaf(&m, "r", 1), both[2] = {l, r};
    struct dc_hash node = dc_merkle_node(&m, &l, &r), leaf = dc_merkle_leaf(&m, both, sizeof both);
    CU_ASSERT_FALSE(dc_hash_equal(&node, &leaf));
    struct dc_hash elsewhere = dc_merkle_node(&other, &l, &r);
    CU_ASSERT_FALSE(dc_hash_equal(&node, &elsewhere));
    /* Long leaves take another way through the code: same answer as the definition. */
    uint8_t text[1001];
    for (size_t n = 500; n < 520; n++) {
        memset(text, 9, sizeof text);
        text[0] = 0;
        struct dc_hash want = dc_hash_bytes(DC_DOMAIN_TEST, text, n + 1);
        struct dc_hash got = dc_merkle_leaf(&m, text + 1, n);
        CU_ASSERT(dc_hash_equal(&want, &got));
    }
}

int main(void)
{
    dc_crypto_init();
    static const struct test_case cases[] = {
        {"published: 98 inclusion, 98 consistency", test_published},
        {"known answers", test_known},
        {"against the definition, SHA-256", test_model_sha256},
        {"against the definition, BLAKE2b", test_model_blake2b},
        {"every bit flipped", test_flips},
        {"separation", test_separation},
    };
    return TEST_MAIN("crypto/merkle", cases);
}
