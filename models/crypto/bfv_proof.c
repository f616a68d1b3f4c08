#include "models/crypto/bfv_proof.h"

#include "models/crypto/bfv_impl.h"
#include "models/crypto/expand.h"

#define WEIGHT 20u /* coefficients of a challenge that are not 0 */
#define BOX_MASK (INT32_C(1) << (DC_BFV_PROOF_BITS_MASK - 1))
#define BOX_ERROR (INT32_C(1) << (DC_BFV_PROOF_BITS_ERROR - 1))
#define MOVE_MASK ((int32_t)WEIGHT) /* how far c u and c e1 move a coefficient */
#define MOVE_ERROR ((int32_t)WEIGHT * DC_BFV_ERROR_MAX)

enum { NAME_CHALLENGE = 32, NAME_NONCE }; /* after those of bfv.c and bfv_threshold.c */

struct challenge {
    uint16_t at[WEIGHT];
    int16_t sign[WEIGHT];
};

/* Positions by rejection from the seed's stream, 4 bytes each: 12 bits, and the sign. */
static void challenge_make(const struct dc_hash *seed, struct challenge *c)
{
    uint8_t bytes[1024], taken[BFV_N / 8] = {0};
    dc_expand(seed, 0, bytes, sizeof bytes);
    uint32_t n = 0;
    for (size_t i = 0; n < WEIGHT; i += 4) {
        DC_CHECK(i < sizeof bytes); /* 256 draws, of which 20 have to differ */
        uint32_t v = dc_get32(bytes + i), at = v % BFV_N;
        if (taken[at / 8] >> at % 8 & 1)
            continue;
        taken[at / 8] |= (uint8_t)(1u << at % 8);
        c->at[n] = (uint16_t)at;
        c->sign[n++] = v >> 31 ? -1 : 1;
    }
}

/* out += c a, negacyclic. */
static void challenge_times(const struct challenge *c, const int32_t a[BFV_N], int32_t out[BFV_N])
{
    for (uint32_t k = 0; k < WEIGHT; k++)
        for (uint32_t j = 0; j < BFV_N; j++) {
            uint32_t at = j + c->at[k];
            int32_t v = c->sign[k] * a[j];
            out[at % BFV_N] += at < BFV_N ? v : -v;
        }
}

static struct dc_hash challenge_seed(const struct dc_bfv_public *key, const struct dc_bfv_poly *c1,
                                     const struct dc_hash *context, const struct dc_bfv_poly *w)
{
    struct dc_hash half = dc_bfv_poly_digest(c1), first = dc_bfv_poly_digest(w);
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_LATTICE);
    dc_hasher_update64(&h, NAME_CHALLENGE);
    dc_hasher_update(&h, context->b, DC_HASH_BYTES);
    dc_hasher_update(&h, key->digest.b, DC_HASH_BYTES);
    dc_hasher_update(&h, half.b, DC_HASH_BYTES);
    dc_hasher_update(&h, first.b, DC_HASH_BYTES);
    return dc_hasher_final(&h);
}

/* a u + e, of small u and e. */
static void image(const struct dc_bfv *bfv, const struct dc_bfv_public *key, const int32_t u[BFV_N],
                  const int32_t e[BFV_N], struct dc_bfv_poly *out)
{
    struct dc_bfv_poly error;
    dc_bfv_from_small(bfv, u, out);
    dc_bfv_poly_mul(out, &key->a, out);
    dc_bfv_from_small(bfv, e, &error);
    dc_bfv_poly_add(out, &error);
}

/* --- bytes ----------------------------------------------------------------------------------- */

/* v + 2^(bits - 1), lowest bits first; 8 coefficients are `bits` bytes. */
static void box_write(const int32_t v[BFV_N], uint32_t bits, uint8_t *out)
{
    uint64_t held = 0;
    uint32_t have = 0;
    for (uint32_t j = 0; j < BFV_N; j++) {
        held |= (uint64_t)(uint32_t)(v[j] + (INT32_C(1) << (bits - 1))) << have;
        for (have += bits; have >= 8; have -= 8, held >>= 8)
            *out++ = (uint8_t)held;
    }
}

static void box_read(const uint8_t *bytes, uint32_t bits, int32_t v[BFV_N])
{
    uint64_t held = 0;
    uint32_t have = 0;
    for (uint32_t j = 0; j < BFV_N; j++) {
        for (; have < bits; have += 8)
            held |= (uint64_t)*bytes++ << have;
        v[j] = (int32_t)(held & ((UINT64_C(1) << bits) - 1)) - (INT32_C(1) << (bits - 1));
        held >>= bits;
        have -= bits;
    }
}

/* Whether all lie where they may have come from anywhere within `move` of them in the box. */
static bool box_inside(const int32_t z[BFV_N], int32_t box, int32_t move)
{
    bool inside = true;
    for (uint32_t j = 0; j < BFV_N; j++)
        inside &= z[j] >= -(box - move) && z[j] < box - move;
    return inside;
}

/* --- proving --------------------------------------------------------------------------------- */

static void box_draw(const struct dc_hash *key, uint64_t nonce, uint32_t bits, int32_t v[BFV_N])
{
    uint8_t bytes[BFV_N / 8 * DC_BFV_PROOF_BITS_ERROR];
    dc_expand(key, nonce, bytes, BFV_N / 8 * (size_t)bits);
    box_read(bytes, bits, v);
}

/* Secret: the seed and what it encrypts make the draws; the statement keeps two proofs' apart. */
static struct dc_hash nonce_key(const struct dc_hash *draws, const struct dc_hash *context)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_LATTICE);
    dc_hasher_update64(&h, NAME_NONCE);
    dc_hasher_update(&h, draws->b, DC_HASH_BYTES);
    dc_hasher_update(&h, context->b, DC_HASH_BYTES);
    return dc_hasher_final(&h);
}

void dc_bfv_prove(const struct dc_bfv *bfv, const struct dc_bfv_public *key,
                  const struct dc_bfv_plain *plain, const uint8_t seed[32],
                  const struct dc_hash *context, uint8_t out[DC_BFV_PROOF_BYTES])
{
    const struct dc_hash draws = dc_bfv_encrypt_draws(key, plain, seed);
    const struct dc_hash nonce = nonce_key(&draws, context);
    int32_t mask[BFV_N], errors[BFV_N] = {0}, z_mask[BFV_N], z_errors[BFV_N];
    struct dc_bfv_poly c1, w;
    struct challenge c;
    dc_bfv_draw_ternary(&draws, BFV_USE_MASK, mask);
    dc_bfv_draw_errors(&draws, BFV_USE_ERRORS_2, errors);
    image(bfv, key, mask, errors, &c1);
    for (uint64_t tries = 0;; tries += 2) {
        DC_CHECK(tries < 1024); /* each is taken with a chance of one half */
        box_draw(&nonce, tries, DC_BFV_PROOF_BITS_MASK, z_mask);
        box_draw(&nonce, tries + 1, DC_BFV_PROOF_BITS_ERROR, z_errors);
        image(bfv, key, z_mask, z_errors, &w);
        struct dc_hash challenge = challenge_seed(key, &c1, context, &w);
        challenge_make(&challenge, &c);
        challenge_times(&c, mask, z_mask);
        challenge_times(&c, errors, z_errors);
        if (!box_inside(z_mask, BOX_MASK, MOVE_MASK) ||
            !box_inside(z_errors, BOX_ERROR, MOVE_ERROR))
            continue;
        memcpy(out, challenge.b, DC_HASH_BYTES);
        out += DC_HASH_BYTES;
        box_write(z_mask, DC_BFV_PROOF_BITS_MASK, out);
        box_write(z_errors, DC_BFV_PROOF_BITS_ERROR,
                  out + (size_t)BFV_N / 8 * DC_BFV_PROOF_BITS_MASK);
        return;
    }
}

bool dc_bfv_proof_check(const struct dc_bfv *bfv, const struct dc_bfv_public *key,
                        const struct dc_bfv_poly *c1, const struct dc_hash *context,
                        const uint8_t proof[DC_BFV_PROOF_BYTES])
{
    int32_t z_mask[BFV_N], z_errors[BFV_N], sparse[BFV_N] = {0};
    struct dc_bfv_poly w, product;
    struct dc_hash seed;
    struct challenge c;
    memcpy(seed.b, proof, DC_HASH_BYTES);
    proof += DC_HASH_BYTES;
    box_read(proof, DC_BFV_PROOF_BITS_MASK, z_mask);
    box_read(proof + (size_t)BFV_N / 8 * DC_BFV_PROOF_BITS_MASK, DC_BFV_PROOF_BITS_ERROR, z_errors);
    if (!box_inside(z_mask, BOX_MASK, MOVE_MASK) || !box_inside(z_errors, BOX_ERROR, MOVE_ERROR))
        return false;
    challenge_make(&seed, &c);
    for (uint32_t k = 0; k < WEIGHT; k++)
        sparse[c.at[k]] = c.sign[k];
    image(bfv, key, z_mask, z_errors, &w);
    dc_bfv_from_small(bfv, sparse, &product);
    dc_bfv_poly_mul(&product, c1, &product);
    dc_bfv_poly_sub(&w, &product);
    struct dc_hash want = challenge_seed(key, c1, context, &w);
    return dc_hash_equal(&want, &seed);
}
