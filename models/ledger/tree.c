#include "models/ledger/tree.h"

/*   node   refs | dirty (bit c: child c's hash is stale) | fresh | child[4] | hash[4]     176 bytes
 *   leaf   refs | fresh | payload
 *
 * `fresh` marks what an uncommitted tree owns alone.  A leaf's hash stands in its parent. */
struct dc_tree_node {
    uint32_t refs;
    uint8_t dirty, fresh;
    void *child[DC_TREE_FAN];
    struct dc_hash hash[DC_TREE_FAN];
};

struct tree_leaf {
    uint32_t refs, fresh;
    _Alignas(8) uint8_t payload[];
};

void dc_forest_init(struct dc_forest *forest, const struct dc_tree_class *class)
{
    DC_CHECK(class->encoded_max <= DC_TREE_ENCODED_MAX);
    memset(forest, 0, sizeof *forest);
    forest->class = class;
    forest->nodes.size_bytes = sizeof(struct dc_tree_node);
    forest->leaves.size_bytes = sizeof(struct tree_leaf) + class->leaf_bytes;
}

void dc_forest_free(struct dc_forest *forest)
{
    dc_pool_free(&forest->nodes);
    dc_pool_free(&forest->leaves);
}

struct dc_tree dc_tree_hold(const struct dc_tree *tree)
{
    if (tree->root != NULL)
        tree->root->refs++;
    return *tree;
}

static void tree_release(struct dc_forest *forest, void *p, uint32_t level)
{
    if (level == 0) {
        struct tree_leaf *leaf = p;
        if (--leaf->refs == 0)
            dc_pool_give(&forest->leaves, leaf);
        return;
    }
    struct dc_tree_node *node = p;
    if (--node->refs != 0)
        return;
    for (uint32_t c = 0; c < DC_TREE_FAN; c++)
        if (node->child[c] != NULL)
            tree_release(forest, node->child[c], level - 1);
    dc_pool_give(&forest->nodes, node);
}

void dc_tree_drop(struct dc_forest *forest, struct dc_tree *tree)
{
    if (tree->root != NULL)
        tree_release(forest, tree->root, tree->depth);
    memset(tree, 0, sizeof *tree);
}

static uint32_t tree_digit(uint32_t index, uint32_t level)
{
    return index >> 2 * (level - 1) & (DC_TREE_FAN - 1);
}

const void *dc_tree_get(const struct dc_tree *tree, uint32_t index)
{
    if (index >= tree->count)
        return NULL;
    const struct dc_tree_node *node = tree->root;
    for (uint32_t level = tree->depth; level > 1; level--)
        node = node->child[tree_digit(index, level)];
    return ((const struct tree_leaf *)node->child[tree_digit(index, 1)])->payload;
}

static struct dc_tree_node *tree_node_new(struct dc_forest *forest)
{
    struct dc_tree_node *node = dc_pool_take(&forest->nodes);
    memset(node, 0, sizeof *node);
    node->refs = 1;
    node->fresh = 1;
    return node;
}

/* The node itself when this batch made it, else a copy that takes its holder's reference. */
static struct dc_tree_node *tree_node_own(struct dc_forest *forest, struct dc_tree_node *node)
{
    if (node->fresh)
        return node;
    struct dc_tree_node *copy = dc_pool_take(&forest->nodes);
    *copy = *node;
    copy->refs = 1;
    copy->fresh = 1;
    bool last = --node->refs == 0;
    for (uint32_t c = 0; c < DC_TREE_FAN; c++)
        if (node->child[c] != NULL && !last) /* both kinds begin with their count */
            ++*(uint32_t *)node->child[c];
    if (last)
        dc_pool_give(&forest->nodes, node);
    return copy;
}

static struct tree_leaf *tree_leaf_own(struct dc_forest *forest, struct tree_leaf *leaf)
{
    if (leaf->fresh)
        return leaf;
    forest->copied++;
    if (leaf->refs == 1) { /* nobody else sees it */
        leaf->fresh = 1;
        return leaf;
    }
    struct tree_leaf *copy = dc_pool_take(&forest->leaves);
    copy->refs = 1;
    copy->fresh = 1;
    memcpy(copy->payload, leaf->payload, forest->class->leaf_bytes);
    leaf->refs--;
    return copy;
}

/* Owns the path to `index`, marks it, and returns the last node and the child's place in it. */
static struct dc_tree_node *tree_path_own(struct dc_forest *forest, struct dc_tree *tree,
                                          uint32_t index, uint32_t *place)
{
    struct dc_tree_node *node = tree->root = tree_node_own(forest, tree->root);
    for (uint32_t level = tree->depth; level > 1; level--) {
        uint32_t c = tree_digit(index, level);
        node->dirty |= (uint8_t)(1u << c);
        node->child[c] =
            node->child[c] == NULL ? tree_node_new(forest) : tree_node_own(forest, node->child[c]);
        node = node->child[c];
    }
    *place = tree_digit(index, 1);
    node->dirty |= (uint8_t)(1u << *place);
    return node;
}

void *dc_tree_edit(struct dc_forest *forest, struct dc_tree *tree, uint32_t index)
{
    DC_CHECK(index < tree->count);
    uint32_t c;
    struct dc_tree_node *node = tree_path_own(forest, tree, index, &c);
    struct tree_leaf *leaf = tree_leaf_own(forest, node->child[c]);
    node->child[c] = leaf;
    return leaf->payload;
}

void *dc_tree_append(struct dc_forest *forest, struct dc_tree *tree)
{
    if (tree->root == NULL) {
        tree->root = tree_node_new(forest);
        tree->depth = 1;
    } else if (tree->count >> 2 * tree->depth != 0) { /* full: one level more on top */
        struct dc_tree_node *top = tree_node_new(forest);
        top->child[0] = tree->root;
        top->dirty = 1;
        if (!tree->root->fresh)
            top->hash[0] = tree->hash;
        tree->root = top;
        tree->depth++;
        DC_CHECK(tree->depth <= DC_TREE_DEPTH_MAX - 1);
    }
    uint32_t c;
    struct dc_tree_node *node = tree_path_own(forest, tree, tree->count, &c);
    struct tree_leaf *leaf = dc_pool_take(&forest->leaves);
    leaf->refs = 1;
    leaf->fresh = 1;
    memset(leaf->payload, 0, forest->class->leaf_bytes);
    node->child[c] = leaf;
    tree->count++;
    forest->copied++;
    return leaf->payload;
}

struct dc_hash dc_tree_leaf_hash(const struct dc_tree_class *class, uint32_t index,
                                 const uint8_t *encoded, size_t size)
{
    uint8_t text[5 + DC_TREE_ENCODED_MAX];
    DC_CHECK(size <= DC_TREE_ENCODED_MAX);
    text[0] = class->tag;
    dc_put32(text + 1, index);
    if (size != 0)
        memcpy(text + 5, encoded, size);
    return dc_hash_bytes(DC_DOMAIN_STATE_LEAF, text, 5 + size);
}

static struct dc_hash tree_commit(struct dc_forest *forest, struct dc_tree_node *node,
                                  uint32_t level, uint32_t index, uint32_t *hashes)
{
    for (uint32_t c = 0; c < DC_TREE_FAN; c++) {
        if (!(node->dirty >> c & 1))
            continue;
        uint32_t below = index << 2 | c;
        if (level > 1) {
            struct dc_tree_node *child = node->child[c];
            if (child->fresh)
                node->hash[c] = tree_commit(forest, child, level - 1, below, hashes);
            continue;
        }
        struct tree_leaf *leaf = node->child[c];
        uint8_t text[DC_TREE_ENCODED_MAX];
        size_t size = forest->class->encode(leaf->payload, text);
        DC_CHECK(size <= forest->class->encoded_max);
        node->hash[c] = dc_tree_leaf_hash(forest->class, below, text, size);
        leaf->fresh = 0;
        ++*hashes;
    }
    node->dirty = 0;
    node->fresh = 0;
    ++*hashes;
    return dc_hash_bytes(DC_DOMAIN_STATE_NODE, node->hash, sizeof node->hash);
}

uint32_t dc_tree_commit(struct dc_forest *forest, struct dc_tree *tree)
{
    uint32_t hashes = 0;
    if (tree->root != NULL && tree->root->fresh)
        tree->hash = tree_commit(forest, tree->root, tree->depth, 0, &hashes);
    return hashes;
}

void dc_tree_prove(const struct dc_tree *tree, uint32_t index, struct dc_hash *path)
{
    DC_CHECK(index < tree->count);
    const struct dc_tree_node *node = tree->root;
    for (uint32_t level = tree->depth; level > 0; level--) {
        uint32_t own = tree_digit(index, level);
        struct dc_hash *out = path + 3 * (level - 1);
        for (uint32_t c = 0; c < DC_TREE_FAN; c++)
            if (c != own)
                *out++ = node->hash[c];
        node = node->child[own];
    }
}

bool dc_tree_fold(const struct dc_hash *leaf, uint32_t index, uint32_t depth, const uint8_t *path,
                  struct dc_hash *root)
{
    if (depth == 0 || depth >= DC_TREE_DEPTH_MAX || index >> 2 * depth != 0)
        return false;
    struct dc_hash at = *leaf;
    for (uint32_t level = 1; level <= depth; level++, path += 96) {
        struct dc_hash all[DC_TREE_FAN];
        uint32_t own = tree_digit(index, level);
        for (uint32_t c = 0, from = 0; c < DC_TREE_FAN; c++) {
            if (c == own)
                all[c] = at;
            else
                memcpy(all[c].b, path + 32 * (size_t)from++, 32);
        }
        at = dc_hash_bytes(DC_DOMAIN_STATE_NODE, all, sizeof all);
    }
    *root = at;
    return true;
}
