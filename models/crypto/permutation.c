/* The permutation outside of circuits.  The matrix:
 *
 *     2 1 1
 *     1 3 1        multiples by 2, 3, 4 are cheap in any representation
 *     1 1 4
 *
 * All its minors are other than zero modulo l (MDS), and the characteristic polynomials of its
 * powers 1 to 12 have no root modulo l, hence no factor. */
#include "models/crypto/permutation.h"

#include <pthread.h>

#include "models/base/mem.h"

static struct dc_permutation permutation;
static pthread_once_t permutation_once = PTHREAD_ONCE_INIT;

static struct dc_scalar permutation_constant(uint32_t round, uint32_t lane)
{
    uint8_t wide[64];
    for (uint32_t half = 0; half < 2; half++) {
        struct dc_hasher h;
        dc_hasher_init(&h, DC_DOMAIN_PERMUTATION);
        dc_hasher_update64(&h, round);
        dc_hasher_update64(&h, lane);
        dc_hasher_update64(&h, half);
        struct dc_hash b = dc_hasher_final(&h);
        memcpy(wide + 32 * half, b.b, 32);
    }
    return dc_scalar_wide(wide);
}

static void permutation_make(void)
{
    struct dc_permutation *p = &permutation;
    for (uint32_t r = 0; r < DC_PERMUTATION_ROUNDS; r++)
        for (uint32_t i = 0; i < DC_PERMUTATION_WIDTH; i++)
            p->constant[r][i] = permutation_constant(r, i);
    for (uint32_t i = 0; i < DC_PERMUTATION_WIDTH; i++)
        for (uint32_t j = 0; j < DC_PERMUTATION_WIDTH; j++)
            p->matrix[i][j] = dc_scalar_u64(i == j ? i + 2 : 1);
}

const struct dc_permutation *dc_permutation(void)
{
    pthread_once(&permutation_once, permutation_make);
    return &permutation;
}

static struct dc_scalar fifth_power(const struct dc_scalar *x)
{
    struct dc_scalar x2 = dc_scalar_mul(x, x), x4 = dc_scalar_mul(&x2, &x2);
    return dc_scalar_mul(&x4, x);
}

void dc_permutation_apply(const struct dc_permutation *p,
                          struct dc_scalar lane[DC_PERMUTATION_WIDTH])
{
    const uint32_t before = DC_PERMUTATION_FULL / 2, after = before + DC_PERMUTATION_PARTIAL;
    for (uint32_t r = 0; r < DC_PERMUTATION_ROUNDS; r++) {
        struct dc_scalar next[DC_PERMUTATION_WIDTH];
        for (uint32_t i = 0; i < DC_PERMUTATION_WIDTH; i++) {
            lane[i] = dc_scalar_add(&lane[i], &p->constant[r][i]);
            if (i == 0 || r < before || r >= after)
                lane[i] = fifth_power(&lane[i]);
        }
        for (uint32_t i = 0; i < DC_PERMUTATION_WIDTH; i++) {
            next[i] = dc_scalar_zero();
            for (uint32_t j = 0; j < DC_PERMUTATION_WIDTH; j++) {
                struct dc_scalar m = dc_scalar_mul(&p->matrix[i][j], &lane[j]);
                next[i] = dc_scalar_add(&next[i], &m);
            }
        }
        memcpy(lane, next, sizeof next);
    }
}

struct dc_scalar dc_permutation_hash(const struct dc_permutation *p, enum dc_permutation_use use,
                                     const struct dc_scalar *left, const struct dc_scalar *right)
{
    struct dc_scalar lane[DC_PERMUTATION_WIDTH] = {dc_scalar_u64(use), *left, *right};
    dc_permutation_apply(p, lane);
    return lane[1];
}

/* --- trees ---------------------------------------------------------------------------------- */

uint32_t dc_permutation_depth(uint32_t count)
{
    uint32_t depth = 1;
    while (depth < DC_PERMUTATION_DEPTH_MAX && 1u << depth < count)
        depth++;
    return depth;
}

/* One level up, in place: width becomes width / 2. */
static void members_level(const struct dc_permutation *p, struct dc_scalar *node, uint32_t width)
{
    for (uint32_t i = 0; i < width / 2; i++)
        node[i] = dc_permutation_hash(p, DC_PERMUTATION_NODE, &node[2 * i], &node[2 * i + 1]);
}

static void members_fill(struct dc_scalar *node, const struct dc_scalar *leaf, uint32_t count,
                         uint32_t depth)
{
    DC_CHECK(depth >= 1 && depth <= DC_PERMUTATION_DEPTH_MAX && count <= 1u << depth);
    for (uint32_t i = 0; i < 1u << depth; i++)
        node[i] = i < count ? leaf[i] : dc_scalar_zero();
}

struct dc_scalar dc_permutation_root(const struct dc_permutation *p, const struct dc_scalar *leaf,
                                     uint32_t count, uint32_t depth)
{
    struct dc_scalar node[DC_PERMUTATION_LEAVES_MAX];
    members_fill(node, leaf, count, depth);
    for (uint32_t width = 1u << depth; width > 1; width /= 2)
        members_level(p, node, width);
    return node[0];
}

void dc_permutation_path(const struct dc_permutation *p, const struct dc_scalar *leaf,
                         uint32_t count, uint32_t depth, uint32_t index,
                         struct dc_scalar path[DC_PERMUTATION_DEPTH_MAX])
{
    struct dc_scalar node[DC_PERMUTATION_LEAVES_MAX];
    members_fill(node, leaf, count, depth);
    DC_CHECK(index < 1u << depth);
    for (uint32_t d = 0; d < depth; d++) {
        path[d] = node[(index >> d) ^ 1];
        members_level(p, node, (1u << depth) >> d);
    }
}
