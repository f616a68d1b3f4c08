/* Threshold BFV: enumerating seeds and groups, parts of keys and of decryptions, judging them.
 *
 * A group's part is computed on the sum of its small secrets and of its noises, so that the
 * transforms are paid once for a group and only draws for each seed. */
#include "models/crypto/bfv_threshold.h"

#include "models/crypto/bfv_impl.h"

/* What is hashed for what; the domain is KEYGEN, or LATTICE where a stream is named. */
enum { NAME_CONTRIBUTION = 1, NAME_COMMITMENT, NAME_SEED, NAME_MARK, NAME_SECRET, NAME_SMUDGE };

bool dc_bfv_sharing_make(uint32_t members, uint32_t threshold, struct dc_bfv_sharing *out)
{
    *out = (struct dc_bfv_sharing){.members = members, .threshold = threshold};
    if (threshold < 1 || threshold > members || members > DC_BFV_MEMBERS_MAX)
        return false;
    for (uint32_t set = 0; set < 1u << members; set++)
        if ((uint32_t)__builtin_popcount(set) == threshold - 1)
            out->without[out->shares++] = (uint16_t)set;
    return true;
}

/* --- making the key ------------------------------------------------------------------------- */

static struct dc_hasher begin(enum dc_domain domain, uint64_t name, const struct dc_hash *about,
                              uint32_t member, uint32_t share)
{
    struct dc_hasher h;
    dc_hasher_init(&h, domain);
    dc_hasher_update64(&h, name);
    dc_hasher_update(&h, about->b, sizeof about->b);
    dc_hasher_update64(&h, member);
    dc_hasher_update64(&h, share);
    return h;
}

struct dc_hash dc_bfv_contribution(const uint8_t secret[32], const struct dc_hash *about,
                                   uint32_t share)
{
    struct dc_hasher h = begin(DC_DOMAIN_KEYGEN, NAME_CONTRIBUTION, about, 0, share);
    dc_hasher_update(&h, secret, 32);
    return dc_hasher_final(&h);
}

struct dc_hash dc_bfv_commitment(const struct dc_hash *contribution, const struct dc_hash *about,
                                 uint32_t member, uint32_t share)
{
    struct dc_hasher h = begin(DC_DOMAIN_KEYGEN, NAME_COMMITMENT, about, member, share);
    dc_hasher_update(&h, contribution->b, sizeof contribution->b);
    return dc_hasher_final(&h);
}

struct dc_hash dc_bfv_seed(const struct dc_bfv_sharing *s, const struct dc_hash *about,
                           uint32_t share, const struct dc_hash *contributions)
{
    uint32_t holders = s->members - (s->threshold - 1);
    struct dc_hasher h = begin(DC_DOMAIN_KEYGEN, NAME_SEED, about, s->without[share], share);
    dc_hasher_update(&h, contributions, holders * sizeof *contributions);
    return dc_hasher_final(&h);
}

struct dc_hash dc_bfv_mark(const struct dc_hash *seed, uint32_t share)
{
    struct dc_hasher h = begin(DC_DOMAIN_KEYGEN, NAME_MARK, seed, 0, share);
    return dc_hasher_final(&h);
}

/* --- plans ---------------------------------------------------------------------------------- */

/* The group of those holders, made when it is not there. */
static uint32_t plan_group(struct dc_bfv_plan *plan, const uint8_t *holder, uint32_t holders)
{
    uint32_t g = 0;
    while (g < plan->groups &&
           (plan->holders[g] != holders || memcmp(plan->holder[g], holder, holders) != 0))
        g++;
    if (g == plan->groups) {
        plan->groups++;
        plan->holders[g] = (uint8_t)holders;
        memcpy(plan->holder[g], holder, holders);
    }
    return g;
}

bool dc_bfv_plan_make(const struct dc_bfv_sharing *s, uint16_t present, uint32_t copies,
                      struct dc_bfv_plan *out)
{
    DC_CHECK(copies >= 1 && copies <= DC_BFV_COPIES_MAX);
    *out = (struct dc_bfv_plan){.present = present, .copies = copies};
    if (present >> s->members != 0 || (uint32_t)__builtin_popcount(present) < s->threshold)
        return false;
    for (uint32_t share = 0; share < s->shares; share++) {
        uint8_t holder[DC_BFV_COPIES_MAX];
        uint32_t holders = 0;
        for (uint32_t m = 0; m < s->members && holders < copies; m++)
            if ((present >> m & 1) != 0 && dc_bfv_holds(s, m, share))
                holder[holders++] = (uint8_t)m;
        out->group[share] = (uint8_t)plan_group(out, holder, holders);
    }
    return true;
}

uint32_t dc_bfv_plan_role(const struct dc_bfv_plan *plan, uint32_t group, uint32_t member)
{
    for (uint32_t i = 0; i < plan->holders[group]; i++)
        if (plan->holder[group][i] == member)
            return i == 0 ? 2 : 1;
    return 0;
}

/* --- parts ---------------------------------------------------------------------------------- */

static void negate(struct dc_bfv_poly *p)
{
    for (uint32_t i = 0; i < DC_BFV_PRIMES; i++)
        for (uint32_t j = 0; j < BFV_N; j++)
            p->v[i][j] = bfv_sub(0, p->v[i][j], bfv_prime[i]);
}

/* Adds the secret of a seed; its stream's key is returned. */
static struct dc_hash add_secret(const struct dc_bfv_member *m, uint32_t share, int32_t *sum)
{
    struct dc_hasher h = begin(DC_DOMAIN_LATTICE, NAME_SECRET, &m->seed[share], 0, share);
    struct dc_hash key = dc_hasher_final(&h);
    int32_t small[BFV_N];
    dc_bfv_draw_ternary(&key, BFV_USE_SECRET, small);
    for (uint32_t j = 0; j < BFV_N; j++)
        sum[j] += small[j];
    return key;
}

void dc_bfv_key_part(const struct dc_bfv *bfv, const struct dc_bfv_member *member,
                     const struct dc_bfv_plan *plan, uint32_t group, const struct dc_hash *common,
                     struct dc_bfv_poly *out)
{
    int32_t secret[BFV_N] = {0}, errors[BFV_N] = {0};
    for (uint32_t share = 0; share < member->sharing->shares; share++)
        if (plan->group[share] == group) {
            struct dc_hash key = add_secret(member, share, secret);
            dc_bfv_draw_errors(&key, BFV_USE_KEY_ERROR, errors);
        }
    struct dc_bfv_poly other;
    dc_bfv_from_small(bfv, secret, out);
    dc_bfv_draw_uniform(common, &other);
    dc_bfv_poly_mul(out, &other, out);
    dc_bfv_from_small(bfv, errors, &other);
    dc_bfv_poly_add(out, &other);
    negate(out);
}

void dc_bfv_key_combine(const struct dc_bfv *bfv, const struct dc_bfv_poly *const *parts,
                        uint32_t count, const struct dc_hash *common, struct dc_bfv_public *out)
{
    DC_CHECK(count >= 1);
    out->common = *common;
    out->b = *parts[0];
    for (uint32_t i = 1; i < count; i++)
        dc_bfv_poly_add(&out->b, parts[i]);
    dc_bfv_public_complete(bfv, out);
}

void dc_bfv_part(const struct dc_bfv *bfv, const struct dc_bfv_member *member,
                 const struct dc_bfv_plan *plan, uint32_t group, const struct dc_bfv_poly *c1,
                 const struct dc_hash *about, struct dc_bfv_poly *out)
{
    int32_t secret[BFV_N] = {0};
    __int128 noise[BFV_N] = {0};
    for (uint32_t share = 0; share < member->sharing->shares; share++)
        if (plan->group[share] == group) {
            (void)add_secret(member, share, secret);
            struct dc_hasher h = begin(DC_DOMAIN_LATTICE, NAME_SMUDGE, about, 0, share);
            dc_hasher_update(&h, member->seed[share].b, DC_HASH_BYTES);
            struct dc_hash key = dc_hasher_final(&h);
            dc_bfv_draw_wide(&key, BFV_USE_SMUDGE, DC_BFV_SMUDGE_BITS, noise);
        }
    struct dc_bfv_poly other;
    dc_bfv_from_small(bfv, secret, out);
    dc_bfv_poly_mul(out, c1, out);
    dc_bfv_from_wide(bfv, noise, &other);
    dc_bfv_poly_add(out, &other);
}

uint32_t dc_bfv_combine(const struct dc_bfv *bfv, const struct dc_bfv_ciphertext *c,
                        const struct dc_bfv_poly *const *parts, uint32_t count,
                        struct dc_bfv_plain *out)
{
    struct dc_bfv_poly x = c->c[0];
    for (uint32_t i = 0; i < count; i++)
        dc_bfv_poly_add(&x, parts[i]);
    return dc_bfv_round(bfv, &x, out);
}

/* --- cheats --------------------------------------------------------------------------------- */

/* How many of a group said what holder i said. */
static uint32_t with_me(const struct dc_hash *said, uint32_t holders, uint32_t i)
{
    uint32_t same = 0;
    for (uint32_t k = 0; k < holders; k++)
        same += dc_hash_equal(&said[k], &said[i]);
    return same;
}

void dc_bfv_judge(const struct dc_bfv_plan *plan, const struct dc_hash (*digest)[DC_BFV_COPIES_MAX],
                  struct dc_bfv_verdict *out)
{
    *out = (struct dc_bfv_verdict){.agreed = true, .disputed = UINT32_MAX};
    for (uint32_t g = 0; g < plan->groups; g++) {
        uint32_t spoke = 0, best = 0, best_at = 0;
        for (uint32_t i = 0; i < plan->holders[g]; i++)
            if (!dc_hash_is_zero(&digest[g][i])) {
                uint32_t same = with_me(digest[g], plan->holders[g], i);
                spoke++;
                if (same > best) {
                    best = same;
                    best_at = i;
                }
            }
        if (best == spoke)
            continue;
        out->agreed = false;
        if (2 * best <= spoke) {
            if (out->disputed == UINT32_MAX)
                out->disputed = g;
            continue;
        }
        for (uint32_t i = 0; i < plan->holders[g]; i++)
            if (!dc_hash_is_zero(&digest[g][i]) &&
                !dc_hash_equal(&digest[g][i], &digest[g][best_at]))
                out->cheats |= (uint16_t)(1u << plan->holder[g][i]);
    }
}

bool dc_bfv_part_open(const struct dc_bfv *bfv, const struct dc_bfv_member *opened,
                      const struct dc_hash *marks, const struct dc_bfv_plan *plan, uint32_t group,
                      const struct dc_bfv_poly *c1, const struct dc_hash digest[DC_BFV_COPIES_MAX],
                      struct dc_bfv_poly *out, uint16_t *cheats)
{
    *cheats = 0;
    for (uint32_t share = 0; share < opened->sharing->shares; share++)
        if (plan->group[share] == group) {
            struct dc_hash mark = dc_bfv_mark(&opened->seed[share], share);
            if (!dc_hash_equal(&mark, &marks[share]))
                return false;
        }
    struct dc_hash about = dc_bfv_poly_digest(c1);
    dc_bfv_part(bfv, opened, plan, group, c1, &about, out);
    struct dc_hash right = dc_bfv_poly_digest(out);
    for (uint32_t i = 0; i < plan->holders[group]; i++)
        if (!dc_hash_is_zero(&digest[i]) && !dc_hash_equal(&digest[i], &right))
            *cheats |= (uint16_t)(1u << plan->holder[group][i]);
    return true;
}
