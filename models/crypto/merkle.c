/* RFC 9162 trees: sections 2.1.1 (root), 2.1.3 (inclusion), 2.1.4 (consistency).
 *
 * Roots are built with a frontier, as a binary counter is incremented: full[k] waits for its
 * sibling of 2^k leaves.  No allocation and no recursion but along a path, at most 64 deep. */
#include "models/crypto/merkle.h"

#include "models/base/status.h"

#include <sodium/crypto_hash_sha256.h>

enum { MERKLE_LEAF = 0x00, MERKLE_NODE = 0x01 };

static void blake2b_hash(enum dc_domain domain, const void *data, size_t size, struct dc_hash *out)
{
    *out = dc_hash_bytes(domain, data, size);
}
static void blake2b_hash_prefixed(enum dc_domain domain, uint8_t prefix, const void *data,
                                  size_t size, struct dc_hash *out)
{
    uint8_t text[512];
    if (size < sizeof text) { /* one call is twice as fast as three */
        text[0] = prefix;
        if (size != 0)
            memcpy(text + 1, data, size);
        *out = dc_hash_bytes(domain, text, size + 1);
        return;
    }
    struct dc_hasher h;
    dc_hasher_init(&h, domain);
    dc_hasher_update(&h, &prefix, 1);
    dc_hasher_update(&h, data, size);
    *out = dc_hasher_final(&h);
}
const struct dc_merkle_class dc_merkle_blake2b = {"blake2b-256", blake2b_hash,
                                                  blake2b_hash_prefixed};

static void sha256_hash(enum dc_domain domain, const void *data, size_t size, struct dc_hash *out)
{
    (void)domain;
    crypto_hash_sha256(out->b, data, size);
}
static void sha256_hash_prefixed(enum dc_domain domain, uint8_t prefix, const void *data,
                                 size_t size, struct dc_hash *out)
{
    (void)domain;
    crypto_hash_sha256_state s;
    crypto_hash_sha256_init(&s);
    crypto_hash_sha256_update(&s, &prefix, 1);
    if (size != 0)
        crypto_hash_sha256_update(&s, data, size);
    crypto_hash_sha256_final(&s, out->b);
}
const struct dc_merkle_class dc_merkle_sha256 = {"sha-256", sha256_hash, sha256_hash_prefixed};

struct dc_hash dc_merkle_leaf(const struct dc_merkle *m, const void *data, size_t size)
{
    struct dc_hash h;
    m->class->hash_prefixed(m->domain, MERKLE_LEAF, data, size, &h);
    return h;
}

struct dc_hash dc_merkle_node(const struct dc_merkle *m, const struct dc_hash *l,
                              const struct dc_hash *r)
{
    struct dc_hash both[2] = {*l, *r}, h;
    m->class->hash_prefixed(m->domain, MERKLE_NODE, both, sizeof both, &h);
    return h;
}

void dc_merkle_append(const struct dc_merkle *m, struct dc_merkle_frontier *f,
                      const struct dc_hash *leaf)
{
    DC_CHECK(f->count != UINT64_MAX);
    struct dc_hash carry = *leaf;
    int k = 0;
    for (; f->count >> k & 1; k++)
        carry = dc_merkle_node(m, &f->full[k], &carry);
    f->full[k] = carry;
    f->count++;
}

struct dc_hash dc_merkle_frontier_root(const struct dc_merkle *m,
                                       const struct dc_merkle_frontier *f)
{
    struct dc_hash root;
    if (f->count == 0) {
        m->class->hash(m->domain, NULL, 0, &root);
        return root;
    }
    int k = __builtin_ctzll(f->count);
    root = f->full[k];
    for (k++; k < 64; k++)
        if (f->count >> k & 1)
            root = dc_merkle_node(m, &f->full[k], &root);
    return root;
}

struct dc_hash dc_merkle_root(const struct dc_merkle *m, const struct dc_hash *leaves,
                              uint64_t count)
{
    struct dc_merkle_frontier f;
    f.count = 0;
    for (uint64_t i = 0; i < count; i++)
        dc_merkle_append(m, &f, &leaves[i]);
    return dc_merkle_frontier_root(m, &f);
}

/* The largest power of two below count, count > 1. */
static uint64_t merkle_split(uint64_t count)
{
    return UINT64_C(1) << (63 - __builtin_clzll(count - 1));
}

/* Appends the roots of all siblings from the top down, and turns them over at the end. */
static void path_reverse(struct dc_hash *path, uint32_t n)
{
    for (uint32_t i = 0; i < n / 2; i++) {
        struct dc_hash h = path[i];
        path[i] = path[n - 1 - i];
        path[n - 1 - i] = h;
    }
}

uint32_t dc_merkle_prove(const struct dc_merkle *m, const struct dc_hash *leaves, uint64_t count,
                         uint64_t index, struct dc_hash *path)
{
    DC_CHECK(index < count);
    uint32_t n = 0;
    while (count > 1) {
        uint64_t k = merkle_split(count);
        if (index < k) {
            path[n++] = dc_merkle_root(m, leaves + k, count - k);
            count = k;
        } else {
            path[n++] = dc_merkle_root(m, leaves, k);
            leaves += k;
            index -= k;
            count -= k;
        }
    }
    path_reverse(path, n);
    return n;
}

uint32_t dc_merkle_path_length(uint64_t index, uint64_t count)
{
    uint32_t n = 0;
    DC_CHECK(index < count);
    for (; count > 1; n++) {
        uint64_t k = merkle_split(count);
        count = index < k ? k : count - k;
        index = index < k ? index : index - k;
    }
    return n;
}

/* RFC 9162, 2.1.3.2. */
bool dc_merkle_verify(const struct dc_merkle *m, const struct dc_hash *leaf, uint64_t index,
                      uint64_t count, const struct dc_hash *path, uint32_t path_count,
                      const struct dc_hash *root)
{
    if (index >= count)
        return false;
    uint64_t fn = index, sn = count - 1;
    struct dc_hash r = *leaf;
    for (uint32_t i = 0; i < path_count; i++) {
        if (sn == 0)
            return false;
        if (fn % 2 == 1 || fn == sn) {
            r = dc_merkle_node(m, &path[i], &r);
            while (fn % 2 == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            r = dc_merkle_node(m, &r, &path[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && dc_hash_equal(&r, root);
}

/* RFC 9162, 2.1.4.1: SUBPROOF(m, D_n, b). */
uint32_t dc_merkle_prove_consistency(const struct dc_merkle *m, const struct dc_hash *leaves,
                                     uint64_t old_count, uint64_t count, struct dc_hash *proof)
{
    DC_CHECK(old_count >= 1 && old_count <= count);
    uint32_t n = 0;
    bool whole = true; /* is the old tree's root itself known to the verifier? */
    while (old_count < count) {
        uint64_t k = merkle_split(count);
        if (old_count <= k) {
            proof[n++] = dc_merkle_root(m, leaves + k, count - k);
            count = k;
        } else {
            proof[n++] = dc_merkle_root(m, leaves, k);
            leaves += k;
            old_count -= k;
            count -= k;
            whole = false;
        }
    }
    if (!whole)
        proof[n++] = dc_merkle_root(m, leaves, count);
    path_reverse(proof, n);
    return n;
}

/* RFC 9162, 2.1.4.2. */
bool dc_merkle_verify_consistency(const struct dc_merkle *m, uint64_t old_count, uint64_t count,
                                  const struct dc_hash *old_root, const struct dc_hash *root,
                                  const struct dc_hash *proof, uint32_t proof_count)
{
    if (old_count == 0 || old_count > count)
        return false;
    if (old_count == count)
        return proof_count == 0 && dc_hash_equal(old_root, root);
    uint32_t i = 0;
    struct dc_hash fr, sr;
    if ((old_count & (old_count - 1)) == 0) { /* an exact power of two: old_root stands first */
        fr = sr = *old_root;
    } else {
        if (proof_count == 0)
            return false;
        fr = sr = proof[i++];
    }
    if (i == proof_count)
        return false;
    uint64_t fn = old_count - 1, sn = count - 1;
    while (fn % 2 == 1) {
        fn >>= 1;
        sn >>= 1;
    }
    for (; i < proof_count; i++) {
        if (sn == 0)
            return false;
        if (fn % 2 == 1 || fn == sn) {
            fr = dc_merkle_node(m, &proof[i], &fr);
            sr = dc_merkle_node(m, &proof[i], &sr);
            while (fn % 2 == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            sr = dc_merkle_node(m, &sr, &proof[i]);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && dc_hash_equal(&fr, old_root) && dc_hash_equal(&sr, root);
}
