/* The hash of a place, and trees that share what they have in common (smt_impl.h says what they are
 * made of). */
#include "models/crypto/smt_impl.h"

#include <sodium/crypto_generichash_blake2b.h>

enum { SMT_FORK = 1, SMT_EMPTY = 2 }; /* first byte of what is hashed */

const struct dc_hash dc_smt_one = {{1}};

static void smt_nervos_prefixed(enum dc_domain domain, uint8_t prefix, const void *data,
                                size_t size, struct dc_hash *out)
{
    static const uint8_t personal[17] = "sparsemerkletree";
    crypto_generichash_blake2b_state s;
    (void)domain;
    crypto_generichash_blake2b_init_salt_personal(&s, NULL, 0, sizeof out->b, NULL, personal);
    crypto_generichash_blake2b_update(&s, &prefix, 1);
    if (size != 0)
        crypto_generichash_blake2b_update(&s, data, size);
    crypto_generichash_blake2b_final(&s, out->b, sizeof out->b);
}
static void smt_nervos(enum dc_domain domain, const void *data, size_t size, struct dc_hash *out)
{
    const uint8_t *p = data;
    smt_nervos_prefixed(domain, p[0], p + 1, size - 1, out); /* nothing empty is hashed here */
}
const struct dc_merkle_class dc_smt_nervos = {"blake2b-256, sparsemerkletree", smt_nervos,
                                              smt_nervos_prefixed};

/* --- what is hashed --------------------------------------------------------------------------- */

void dc_smt_path(const uint8_t key[32], uint32_t bit, uint8_t out[32])
{
    memset(out, 0, 32);
    uint32_t from = bit + 1;
    if (from == SMT_LEVELS)
        return;
    memcpy(out + from / 8, key + from / 8, 32 - from / 8);
    out[from / 8] &= (uint8_t)(0xff << from % 8);
}

static bool smt_place_empty(const struct smt_place *p)
{
    return p->n == 0 && dc_hash_is_zero(&p->hash);
}

static struct dc_hash smt_hash(const struct dc_merkle *m, const uint8_t *text, size_t size)
{
    struct dc_hash h;
    m->class->hash(m->domain, text, size, &h);
    return h;
}

struct dc_hash dc_smt_place_hash(const struct dc_merkle *m, const struct smt_place *p)
{
    if (p->n == 0)
        return p->hash;
    uint8_t text[66] = {SMT_EMPTY};
    memcpy(text + 1, p->hash.b, 32);
    memcpy(text + 33, p->sides.b, 32);
    text[65] = (uint8_t)p->n;
    return smt_hash(m, text, sizeof text);
}

static struct dc_hash smt_base(const struct dc_merkle *m, const uint8_t key[32], uint32_t bit,
                               const struct dc_hash *value)
{
    uint8_t text[65] = {(uint8_t)bit};
    dc_smt_path(key, bit, text + 1);
    memcpy(text + 33, value->b, 32);
    return smt_hash(m, text, sizeof text);
}

static struct dc_hash smt_fork_hash(const struct dc_merkle *m, const uint8_t key[32], uint32_t bit,
                                    const struct dc_hash *l, const struct dc_hash *r)
{
    uint8_t text[98] = {SMT_FORK, (uint8_t)bit};
    dc_smt_path(key, bit, text + 2);
    memcpy(text + 34, l->b, 32);
    memcpy(text + 66, r->b, 32);
    return smt_hash(m, text, sizeof text);
}

struct smt_place dc_smt_up(const struct dc_merkle *m, const uint8_t key[32], uint32_t bit,
                           const struct smt_place *own, const struct smt_place *sibling)
{
    bool right = smt_bit(key, bit);
    bool empty = smt_place_empty(own), alone = smt_place_empty(sibling);
    if (empty && alone)
        return *own;
    if (!empty && !alone) {
        struct dc_hash mine = dc_smt_place_hash(m, own), other = dc_smt_place_hash(m, sibling);
        return (struct smt_place){
            .hash = smt_fork_hash(m, key, bit, right ? &other : &mine, right ? &mine : &other)};
    }
    struct smt_place up = empty ? *sibling : *own;
    if (up.n == 0)
        up.hash = smt_base(m, key, bit, &up.hash);
    up.n++;
    if (right != empty) /* the full half is the right one */
        up.sides.b[bit / 8] |= (uint8_t)(1u << bit % 8);
    return up;
}

/* The same over all levels from one to another, beside which all is empty. */
static struct smt_place smt_edge(const struct dc_merkle *m, const uint8_t key[32], uint32_t from,
                                 uint32_t to, const struct dc_hash *value)
{
    if (from == to)
        return (struct smt_place){.hash = *value};
    struct smt_place p = {.n = to - from, .hash = smt_base(m, key, from, value)};
    memcpy(p.sides.b, key, 32);
    for (uint32_t bit = 0; bit < SMT_LEVELS; bit++) /* bits from .. to - 1 */
        if (bit < from || bit >= to)
            p.sides.b[bit / 8] &= (uint8_t) ~(1u << bit % 8);
    return p;
}

/* --- trees ------------------------------------------------------------------------------------ */

void dc_smt_forest_init(struct dc_smt_forest *f, const struct dc_merkle *hash, bool map)
{
    memset(f, 0, sizeof *f);
    f->hash = *hash;
    f->map = map;
    f->forks.size_bytes = sizeof(struct smt_fork);
    f->leaves.size_bytes = sizeof(struct smt_leaf) + (map ? sizeof(struct dc_hash) : 0);
}

void dc_smt_forest_free(struct dc_smt_forest *f)
{
    dc_pool_free(&f->forks);
    dc_pool_free(&f->leaves);
}

size_t dc_smt_forest_bytes(const struct dc_smt_forest *f)
{
    return f->forks.live * f->forks.size_bytes + f->leaves.live * f->leaves.size_bytes;
}

struct dc_smt dc_smt_hold(const struct dc_smt *tree)
{
    if (tree->root != NULL)
        ((struct smt_head *)tree->root)->refs++;
    return *tree;
}

static void smt_release(struct dc_smt_forest *f, struct smt_head *node)
{
    if (--node->refs != 0)
        return;
    if (node->leaf) {
        dc_pool_give(&f->leaves, node);
        return;
    }
    for (int c = 0; c < 2; c++)
        smt_release(f, smt_fork(node)->child[c]);
    dc_pool_give(&f->forks, node);
}

void dc_smt_drop(struct dc_smt_forest *f, struct dc_smt *tree)
{
    if (tree->root != NULL)
        smt_release(f, tree->root);
    memset(tree, 0, sizeof *tree);
}

/* The only leaf below that may have this key. */
static struct smt_leaf *smt_find(struct smt_head *node, const uint8_t key[32])
{
    while (!node->leaf)
        node = smt_fork(node)->child[smt_bit(key, node->bit)];
    return smt_leaf(node);
}

const uint8_t *dc_smt_key(struct smt_head *node)
{
    while (!node->leaf)
        node = smt_fork(node)->child[0];
    return smt_leaf(node)->key;
}

bool dc_smt_has(const struct dc_smt *tree, const uint8_t key[32])
{
    return tree->root != NULL && memcmp(smt_find(tree->root, key)->key, key, 32) == 0;
}

const struct dc_hash *dc_smt_get(const struct dc_smt *tree, const uint8_t key[32])
{
    return dc_smt_has(tree, key) ? smt_find(tree->root, key)->value : NULL;
}

/* The fork itself when nobody else sees it, else a copy that takes its holder's reference. */
static struct smt_fork *smt_own(struct dc_smt_forest *f, struct smt_head *node)
{
    struct smt_fork *fork = smt_fork(node);
    if (node->refs == 1) {
        node->fresh = 1;
        return fork;
    }
    struct smt_fork *copy = dc_pool_take(&f->forks);
    *copy = *fork;
    copy->head.refs = 1;
    copy->head.fresh = 1;
    node->refs--;
    copy->child[0]->refs++;
    copy->child[1]->refs++;
    return copy;
}

static struct smt_head *smt_leaf_new(struct dc_smt_forest *f, const uint8_t key[32],
                                     const struct dc_hash *value)
{
    struct smt_leaf *leaf = dc_pool_take(&f->leaves);
    f->added++;
    leaf->head = (struct smt_head){.refs = 1, .fresh = 1, .leaf = 1};
    memcpy(leaf->key, key, 32);
    if (f->map)
        leaf->value[0] = *value;
    return &leaf->head;
}

static uint32_t smt_differ(const uint8_t a[32], const uint8_t b[32]) /* highest bit that does */
{
    uint32_t i = 31;
    while (a[i] == b[i])
        i--;
    return 8 * i + 31 - (uint32_t)__builtin_clz((uint32_t)(a[i] ^ b[i]));
}

bool dc_smt_add(struct dc_smt_forest *f, struct dc_smt *tree, const uint8_t key[32],
                const struct dc_hash *value)
{
    DC_CHECK(f->map == (value != NULL) && (value == NULL || !dc_hash_is_zero(value)));
    if (tree->root == NULL) {
        tree->root = smt_leaf_new(f, key, value);
        tree->count = 1;
        return true;
    }
    const struct smt_leaf *near = smt_find(tree->root, key);
    if (memcmp(near->key, key, 32) == 0)
        return false;
    uint32_t bit = smt_differ(near->key, key);
    struct smt_head *top = tree->root, **at = &top;
    while (!(*at)->leaf && (*at)->bit > bit) {
        struct smt_fork *fork = smt_own(f, *at);
        *at = &fork->head;
        at = &fork->child[smt_bit(key, fork->head.bit)];
    }
    struct smt_fork *fork = dc_pool_take(&f->forks);
    bool side = smt_bit(key, bit);
    fork->head = (struct smt_head){.refs = 1, .fresh = 1, .bit = (uint8_t)bit};
    fork->child[side] = smt_leaf_new(f, key, value);
    fork->child[!side] = *at;
    *at = &fork->head;
    tree->root = top;
    tree->count++;
    return true;
}

static const struct dc_hash *smt_own_hash(const struct dc_smt_forest *f, struct smt_head *node)
{
    if (node->leaf)
        return f->map ? smt_leaf(node)->value : &dc_smt_one;
    return &smt_fork(node)->hash;
}

struct smt_place dc_smt_place(const struct dc_smt_forest *f, struct smt_head *node, uint32_t level)
{
    uint32_t own = smt_level(node);
    return smt_edge(&f->hash, own == level ? NULL : dc_smt_key(node), own, level,
                    smt_own_hash(f, node));
}

static void smt_commit(struct dc_smt_forest *f, struct smt_head *node, uint32_t *hashes)
{
    if (!node->fresh)
        return;
    node->fresh = 0;
    if (node->leaf)
        return;
    struct smt_fork *fork = smt_fork(node);
    struct dc_hash half[2];
    for (int c = 0; c < 2; c++) {
        smt_commit(f, fork->child[c], hashes);
        struct smt_place p = dc_smt_place(f, fork->child[c], node->bit);
        half[c] = dc_smt_place_hash(&f->hash, &p);
        *hashes += p.n == 0 ? 0 : 2;
    }
    fork->hash = smt_fork_hash(&f->hash, dc_smt_key(node), node->bit, &half[0], &half[1]);
    ++*hashes;
}

uint32_t dc_smt_commit(struct dc_smt_forest *f, struct dc_smt *tree)
{
    struct smt_head *root = tree->root;
    if (root == NULL || !root->fresh)
        return 0;
    uint32_t hashes = 0;
    smt_commit(f, root, &hashes);
    struct smt_place p = dc_smt_place(f, root, SMT_LEVELS);
    tree->hash = dc_smt_place_hash(&f->hash, &p);
    return hashes + (p.n == 0 ? 0 : 2);
}
