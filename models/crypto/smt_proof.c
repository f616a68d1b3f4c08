/* Proofs about sparse Merkle trees.
 *
 * A program for a stack of places: L pushes the next leaf; H joins the two on top; O n goes up n
 * levels beside empty halves (0: 256); P and Q go up one level beside a sibling: its hash, or an
 * edge as n, base, sides. */
#include "models/crypto/smt_impl.h"

enum {
    SMT_OP_FORK = 'H',
    SMT_OP_LEAF = 'L',
    SMT_OP_EMPTY = 'O',
    SMT_OP_ONE = 'P',
    SMT_OP_EDGE = 'Q'
};

int dc_smt_compare(const uint8_t a[32], const uint8_t b[32])
{
    for (int i = 31; i >= 0; i--)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

struct smt_prover {
    const struct dc_smt_forest *f;
    struct dc_writer w;
    uint32_t empty; /* levels of an O that is not yet written */
};

static void smt_write_empty(struct smt_prover *p)
{
    if (p->empty == 0)
        return;
    dc_write8(&p->w, SMT_OP_EMPTY);
    dc_write8(&p->w, (uint8_t)p->empty);
    p->empty = 0;
}

static void smt_write_sibling(struct smt_prover *p, struct smt_head *node, uint32_t level)
{
    if (node == NULL) {
        p->empty++;
        return;
    }
    smt_write_empty(p);
    struct smt_place s = dc_smt_place(p->f, node, level);
    dc_write8(&p->w, s.n == 0 ? SMT_OP_ONE : SMT_OP_EDGE);
    if (s.n != 0)
        dc_write8(&p->w, (uint8_t)s.n);
    dc_write(&p->w, s.hash.b, 32);
    if (s.n != 0)
        dc_write(&p->w, s.sides.b, 32);
}

/* Proves count >= 1 keys of the place at `level`, in which the highest node is `node` (NULL: none),
 * whose keys agree above it. */
static void smt_prove(struct smt_prover *p, struct smt_head *node, uint32_t level,
                      const uint8_t (*key)[32], uint32_t count)
{
    if (level == 0) {
        dc_write8(&p->w, SMT_OP_LEAF);
        return;
    }
    uint32_t bit = level - 1, left = 0;
    while (left < count && !smt_bit(key[left], bit))
        left++;
    struct smt_head *half[2] = {NULL, NULL};
    if (node != NULL && smt_level(node) == level)
        memcpy(half, smt_fork(node)->child, sizeof half);
    else if (node != NULL)
        half[smt_bit(dc_smt_key(node), bit)] = node;
    if (left != 0 && left != count) {
        smt_prove(p, half[0], bit, key, left);
        smt_write_empty(p);
        smt_prove(p, half[1], bit, key + left, count - left);
        smt_write_empty(p);
        dc_write8(&p->w, SMT_OP_FORK);
        return;
    }
    smt_prove(p, half[left == 0], bit, key, count);
    smt_write_sibling(p, half[left != 0], bit);
}

size_t dc_smt_prove(const struct dc_smt_forest *f, const struct dc_smt *tree,
                    const uint8_t (*key)[32], uint32_t count, uint8_t *out, size_t out_max)
{
    for (uint32_t i = 0; i + 1 < count; i++)
        DC_CHECK(dc_smt_compare(key[i], key[i + 1]) < 0);
    DC_CHECK(count != 0);
    struct smt_prover p = {.f = f, .w = dc_writer(out, out_max)};
    smt_prove(&p, tree->root, SMT_LEVELS, key, count);
    smt_write_empty(&p);
    return p.w.failed ? 0 : p.w.size;
}

/* Items wait on the stack for one that is to their right, each lower than the one before it. */
#define SMT_STACK (SMT_LEVELS + 1)

struct smt_checker {
    const struct dc_merkle *hash;
    struct dc_reader r;
    const struct dc_smt_leaf *leaf;
    uint32_t next, count, height; /* leaf to come, how many there are; items on the stack */
    struct smt_item {
        uint32_t level;
        const uint8_t *key; /* of its first leaf */
        struct smt_place place;
    } item[SMT_STACK];
};

static bool smt_check_leaf(struct smt_checker *c)
{
    if (c->next == c->count || c->height == SMT_STACK)
        return false;
    const struct dc_smt_leaf *l = &c->leaf[c->next++];
    if (c->next < c->count && dc_smt_compare(l->key, l[1].key) >= 0)
        return false;
    c->item[c->height++] = (struct smt_item){.key = l->key, .place = {.hash = l->value}};
    return true;
}

static bool smt_check_fork(struct smt_checker *c)
{
    if (c->height < 2)
        return false;
    struct smt_item *l = &c->item[c->height - 2], *r = l + 1;
    uint32_t bit = l->level;
    uint8_t path[2][32];
    if (bit == SMT_LEVELS || r->level != bit || smt_bit(l->key, bit) || !smt_bit(r->key, bit))
        return false;
    dc_smt_path(l->key, bit, path[0]);
    dc_smt_path(r->key, bit, path[1]);
    if (memcmp(path[0], path[1], 32) != 0)
        return false;
    l->place = dc_smt_up(c->hash, l->key, bit, &l->place, &r->place);
    l->level++;
    c->height--;
    return true;
}

/* An edge that leads up to `level` has sides there alone: with others one could move what is full
 * to where it is not. */
static bool smt_edge_valid(const struct smt_place *p, uint32_t level)
{
    if (p->n == 0 || p->n > level)
        return false;
    for (uint32_t bit = 0; bit < SMT_LEVELS; bit++)
        if (smt_bit(p->sides.b, bit) && (bit >= level || bit < level - p->n))
            return false;
    return true;
}

static bool smt_check_sibling(struct smt_checker *c, bool edge)
{
    struct smt_place s = {0};
    if (edge)
        s.n = dc_read8(&c->r);
    dc_read(&c->r, s.hash.b, 32);
    if (edge)
        dc_read(&c->r, s.sides.b, 32);
    if (c->r.failed || c->height == 0)
        return false;
    struct smt_item *top = &c->item[c->height - 1];
    if (top->level == SMT_LEVELS ||
        (edge ? !smt_edge_valid(&s, top->level) : dc_hash_is_zero(&s.hash)))
        return false;
    top->place = dc_smt_up(c->hash, top->key, top->level, &top->place, &s);
    top->level++;
    return true;
}

static bool smt_check_empty(struct smt_checker *c)
{
    static const struct smt_place none;
    uint32_t n = dc_read8(&c->r);
    n = n == 0 ? SMT_LEVELS : n;
    if (c->r.failed || c->height == 0 || c->item[c->height - 1].level + n > SMT_LEVELS)
        return false;
    struct smt_item *top = &c->item[c->height - 1];
    for (; n > 0; n--, top->level++)
        top->place = dc_smt_up(c->hash, top->key, top->level, &top->place, &none);
    return true;
}

bool dc_smt_check(const struct dc_merkle *hash, const struct dc_hash *root,
                  const struct dc_smt_leaf *leaf, uint32_t count, const uint8_t *proof, size_t size)
{
    struct smt_checker c = {
        .hash = hash, .r = dc_reader(proof, size), .leaf = leaf, .count = count};
    bool ok = true;
    while (ok && !dc_read_done(&c.r)) {
        uint8_t op = dc_read8(&c.r);
        ok = op == SMT_OP_LEAF    ? smt_check_leaf(&c)
             : op == SMT_OP_FORK  ? smt_check_fork(&c)
             : op == SMT_OP_EMPTY ? smt_check_empty(&c)
             : op == SMT_OP_ONE   ? smt_check_sibling(&c, false)
             : op == SMT_OP_EDGE  ? smt_check_sibling(&c, true)
                                  : false;
    }
    if (!ok || c.next != count || c.height != 1 || c.item[0].level != SMT_LEVELS)
        return false;
    struct dc_hash got = dc_smt_place_hash(hash, &c.item[0].place);
    return dc_hash_equal(&got, root);
}
