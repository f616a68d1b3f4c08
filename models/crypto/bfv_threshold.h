/* BFV whose secret nobody holds: `threshold` of at most 10 members decrypt, fewer learn nothing.
 *
 * Replicated sharing of a sum of small secrets (Ito, Saito, Nishizeki 1987; pseudo-random as by
 * Cramer, Damgaard, Ishai 2005).  For each set A of threshold - 1 members there is a seed k_A that
 * everybody outside A knows and nobody in A:
 *
 *     s = sum over A of s_A,  s_A ternary from k_A        b = sum of b_A,  b_A = -(a s_A + e_A)
 *
 * Any `threshold` members know all seeds together.  A coalition of threshold - 1 lacks s_A for A
 * itself, and the rest of the key is to it what one key of BFV alone would be: 128 bits.
 *
 * Why not Shamir's sharing: its Lagrange coefficients modulo q are as large as q and would multiply
 * the noise; clearing their denominators costs (n!)^2, and with 10 members no room is left for
 * noise that hides anything.  Here all coefficients are 0 and 1.  The price is C(n, threshold - 1)
 * seeds.
 *
 * A partial decryption by A is c1 s_A + w_A with w_A uniform over 80 bits, drawn from k_A and
 * c1: it hides the ciphertext's own noise (up to 2^28) by 40 bits in each of 4096
 * coefficients at once, and it is the same bytes whichever member of A's complement makes it and
 * however often.  Sums of all parts stay below 2^88, and delta / 2 is 2^90.
 *
 * Who cheats.  Parts are functions of seeds, so members who hold the same seeds must say the same:
 *   - parts come in groups of seeds that the same first `copies` of those present hold; the first
 *     of them sends the part, all of them its digest;
 *   - with threshold + f members present, every group has f + 1 who know it: f cheats are seen;
 *     with threshold + 2 f present (copies >= 2 f + 1) the minority is named by dc_bfv_judge;
 *   - where no majority is, the group's seeds are opened: anyone checks them against the marks that
 *     all holders published with the key, computes the part and names whoever said another
 *     (dc_bfv_part_open).  The opened seeds are spent: the key is made anew, without the cheat.
 *
 * With exactly `threshold` present a lie cannot be told from the truth, except that the noise of
 * what comes out shows any lie that is not a multiple of delta (dc_bfv_combine's bits).
 *
 * Making the key: each member draws a contribution for each seed that it is to know and sends it to
 * the others who are to; k_A hashes all contributions to it.  Commitments to contributions go out
 * to everyone first, so that no member chooses its own by those of others, and one who gave others
 * something else is convicted by its contribution, which a complaint has it open: no honest
 * member's secret suffers, because who complains falsely knew the seed anyway. */
#ifndef MODELS_CRYPTO_BFV_THRESHOLD_H
#define MODELS_CRYPTO_BFV_THRESHOLD_H

#include "models/crypto/bfv.h"

#define DC_BFV_MEMBERS_MAX 10u
#define DC_BFV_SHARES_MAX 252u /* sets of 5 among 10 */
#define DC_BFV_COPIES_MAX 3u
#define DC_BFV_SMUDGE_BITS 80u
#define DC_BFV_HIDDEN_BITS 28u /* noise of a ciphertext that parts hide by 40 bits */

/* The sets A in order of their bits as numbers.  Members are numbered from 0; in sets, bit i is
 * member i. */
struct dc_bfv_sharing {
    uint32_t members, threshold, shares;
    uint16_t without[DC_BFV_SHARES_MAX]; /* A: who must not know seed i */
};
/* False unless 1 <= threshold <= members <= 10 (255 sets at most, which holds for all of them). */
bool dc_bfv_sharing_make(uint32_t members, uint32_t threshold,
                         struct dc_bfv_sharing *out) DC_MUST_USE;
static inline bool dc_bfv_holds(const struct dc_bfv_sharing *s, uint32_t member, uint32_t share)
{
    return (s->without[share] >> member & 1) == 0;
}

/* --- making the key -------------------------------------------------------------------------- */

/* What a member keeps. */
struct dc_bfv_member {
    const struct dc_bfv_sharing *sharing;
    uint32_t index;
    struct dc_hash seed[DC_BFV_SHARES_MAX]; /* k_A; zeros where it must not know */
};

/* A member's contribution to a seed: a function of its secret and of `about`, which names the key
 * (chain, application, attempt); and the commitment to it. */
struct dc_hash dc_bfv_contribution(const uint8_t secret[32], const struct dc_hash *about,
                                   uint32_t share);
struct dc_hash dc_bfv_commitment(const struct dc_hash *contribution, const struct dc_hash *about,
                                 uint32_t member, uint32_t share);
/* The seed from the contributions of those who hold it, in order of members. */
struct dc_hash dc_bfv_seed(const struct dc_bfv_sharing *s, const struct dc_hash *about,
                           uint32_t share, const struct dc_hash *contributions);
/* What a holder publishes of a seed: all holders must publish the same. */
struct dc_hash dc_bfv_mark(const struct dc_hash *seed, uint32_t share);

/* --- groups and parts ------------------------------------------------------------------------ */

/* Who of those present makes which sums of parts.  A function of its arguments. */
struct dc_bfv_plan {
    uint16_t present;
    uint32_t copies, groups;
    uint8_t holder[DC_BFV_SHARES_MAX][DC_BFV_COPIES_MAX]; /* of a group; the first sends its part */
    uint8_t holders[DC_BFV_SHARES_MAX]; /* how many: fewer than copies where nobody else is */
    uint8_t group[DC_BFV_SHARES_MAX];   /* of each seed */
};
/* False when fewer than `threshold` are present, or bits of nobody are set. */
bool dc_bfv_plan_make(const struct dc_bfv_sharing *s, uint16_t present, uint32_t copies,
                      struct dc_bfv_plan *out) DC_MUST_USE;
/* 0: member makes no part of this group; 1: it does, 2: and is the one that sends it. */
uint32_t dc_bfv_plan_role(const struct dc_bfv_plan *plan, uint32_t group, uint32_t member);

/* The sum of b_A over a group, where everybody is present, and the whole. */
void dc_bfv_key_part(const struct dc_bfv *bfv, const struct dc_bfv_member *member,
                     const struct dc_bfv_plan *plan, uint32_t group, const struct dc_hash *common,
                     struct dc_bfv_poly *out);
void dc_bfv_key_combine(const struct dc_bfv *bfv, const struct dc_bfv_poly *const *parts,
                        uint32_t count, const struct dc_hash *common, struct dc_bfv_public *out);
/* The sum of c1 s_A + w_A over a group.  c1 is all of a ciphertext that counts, and about its
 * digest (dc_bfv_poly_digest).  170 us and 75 us for each seed in it. */
void dc_bfv_part(const struct dc_bfv *bfv, const struct dc_bfv_member *member,
                 const struct dc_bfv_plan *plan, uint32_t group, const struct dc_bfv_poly *c1,
                 const struct dc_hash *about, struct dc_bfv_poly *out);
/* One part for each group.  Returns the bits of the largest noise: at most 88 when everyone told
 * the truth about a ciphertext with at most 86 bits of noise; 90 or so for nonsense. */
uint32_t dc_bfv_combine(const struct dc_bfv *bfv, const struct dc_bfv_ciphertext *c,
                        const struct dc_bfv_poly *const *parts, uint32_t count,
                        struct dc_bfv_plain *out);
#define DC_BFV_COMBINE_BITS_MAX 88u

/* --- cheats ---------------------------------------------------------------------------------- */

struct dc_bfv_verdict {
    bool agreed;       /* every group: all who spoke said the same */
    uint16_t cheats;   /* said another thing than most of their group */
    uint32_t disputed; /* a group without a majority, or UINT32_MAX */
};
/* digest[group][i]: what holder[group][i] said of its part (for i = 0: of the part that it sent);
 * zeros: it said nothing. */
void dc_bfv_judge(const struct dc_bfv_plan *plan, const struct dc_hash (*digest)[DC_BFV_COPIES_MAX],
                  struct dc_bfv_verdict *out);
/* Settles a disputed group from its opened seeds (opened->seed of the group's alone is read)
 * against the marks of the key (for each seed of the sharing).  False when a seed does not belong
 * to its mark: then who opened it lied.  Otherwise *cheats are the holders whose digest is not that
 * of the true part, *out that part. */
bool dc_bfv_part_open(const struct dc_bfv *bfv, const struct dc_bfv_member *opened,
                      const struct dc_hash *marks, const struct dc_bfv_plan *plan, uint32_t group,
                      const struct dc_bfv_poly *c1, const struct dc_hash digest[DC_BFV_COPIES_MAX],
                      struct dc_bfv_poly *out, uint16_t *cheats) DC_MUST_USE;

#endif
