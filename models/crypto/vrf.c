/* ECVRF-EDWARDS25519-SHA512-TAI, RFC 9381: sections 5.1 (prove), 5.2 (output), 5.3 (verify),
 * 5.4.1.1 (try and increment), 5.4.2.2 (nonce), 5.4.3 (challenge), 5.5 (suite 0x03).
 *
 * libsodium's point operations take and return encodings, and its multiplication without clamping
 * refuses what is not a canonical point of the prime-order group, or gives the identity.  Those
 * refusals are the validation that section 5.3 asks for, and a little more. */
#include "models/crypto/vrf.h"

#include <sodium/crypto_core_ed25519.h>
#include <sodium/crypto_hash_sha512.h>
#include <sodium/crypto_scalarmult_ed25519.h>
#include <sodium/utils.h>

enum { VRF_SUITE = 0x03, VRF_ENCODE = 0x01, VRF_CHALLENGE = 0x02, VRF_OUTPUT = 0x03 };
enum { VRF_C_BYTES = 16 };

/* y below p = 2^255 - 19, sign bit aside: RFC 8032, section 5.1.3, step 1. */
static bool point_is_canonical(const uint8_t p[32])
{
    if (p[0] < 0xed || (p[31] & 0x7f) != 0x7f)
        return true;
    for (int i = 1; i < 31; i++)
        if (p[i] != 0xff)
            return true;
    return false;
}

/* out = 8 p, by three doublings.  False when p is no point. */
static bool point_times_cofactor(uint8_t out[32], const uint8_t p[32])
{
    return crypto_core_ed25519_add(out, p, p) == 0 && crypto_core_ed25519_add(out, out, out) == 0 &&
           crypto_core_ed25519_add(out, out, out) == 0;
}

static bool point_is_identity(const uint8_t p[32])
{
    static const uint8_t identity[32] = {1};
    return memcmp(p, identity, 32) == 0;
}

/* H = the first SHA512(03 01 Y alpha ctr 00)[0..31] that decodes, times 8.  Two tries on average;
 * 256 failures have probability 2^-256, and are then a refusal. */
static bool vrf_encode(uint8_t h[32], const uint8_t pk[32], const void *alpha, size_t size,
                       uint8_t *counter)
{
    static const uint8_t front[2] = {VRF_SUITE, VRF_ENCODE};
    crypto_hash_sha512_state base;
    crypto_hash_sha512_init(&base);
    crypto_hash_sha512_update(&base, front, 2);
    crypto_hash_sha512_update(&base, pk, 32);
    if (size != 0)
        crypto_hash_sha512_update(&base, alpha, size);
    for (int i = 0; i < 256; i++) {
        uint8_t back[2] = {(uint8_t)i, 0x00}, digest[64];
        crypto_hash_sha512_state s = base;
        crypto_hash_sha512_update(&s, back, 2);
        crypto_hash_sha512_final(&s, digest);
        if (point_is_canonical(digest) && point_times_cofactor(h, digest) &&
            !point_is_identity(h)) {
            *counter = (uint8_t)i;
            return true;
        }
    }
    return false;
}

/* c = SHA512(03 02 Y H Gamma U V 00)[0..15]. */
static void vrf_challenge(uint8_t c[VRF_C_BYTES], const uint8_t y[32], const uint8_t h[32],
                          const uint8_t gamma[32], const uint8_t u[32], const uint8_t v[32])
{
    uint8_t text[2 + 5 * 32 + 1] = {VRF_SUITE, VRF_CHALLENGE}, digest[64];
    memcpy(text + 2, y, 32);
    memcpy(text + 34, h, 32);
    memcpy(text + 66, gamma, 32);
    memcpy(text + 98, u, 32);
    memcpy(text + 130, v, 32);
    crypto_hash_sha512(digest, text, sizeof text);
    memcpy(c, digest, VRF_C_BYTES);
}

/* beta = SHA512(03 03 8Gamma 00). */
static bool vrf_output(uint8_t beta[64], const uint8_t gamma[32])
{
    uint8_t text[2 + 32 + 1] = {VRF_SUITE, VRF_OUTPUT};
    if (!point_times_cofactor(text + 2, gamma))
        return false;
    crypto_hash_sha512(beta, text, sizeof text);
    return true;
}

void dc_vrf_prove(const struct dc_crypto *c, const struct dc_keypair *key, const void *alpha,
                  size_t size, uint8_t proof[80], uint8_t beta[64], struct dc_vrf_steps *steps)
{
    struct dc_hash memo_key = {{0}};
    bool remember = c != NULL && c->memo_prove != NULL && beta == NULL && steps == NULL;
    if (c != NULL)
        dc_crypto_count(c->counts, DC_OP_VRF_PROVE, false);
    if (remember) {
        memo_key = dc_crypto_memo_key(key->public, key->public, 0, alpha, size);
        if (dc_memo_get(c->memo_prove, &memo_key, proof))
            return;
    }
    if (c != NULL)
        dc_crypto_count(c->counts, DC_OP_VRF_PROVE, true);
    struct dc_vrf_steps own, *s = steps != NULL ? steps : &own;
    uint8_t expanded[64], text[64], k[32], challenge[32] = {0}, cx[32];
    crypto_hash_sha512(expanded, key->secret, 32); /* the seed: RFC 8032, section 5.1.5 */
    expanded[0] &= 0xf8;
    expanded[31] = (uint8_t)((expanded[31] & 0x7f) | 0x40);
    DC_CHECK(vrf_encode(s->h, key->public, alpha, size, &s->counter));
    DC_CHECK(crypto_scalarmult_ed25519_noclamp(proof, expanded, s->h) == 0);
    memcpy(text, expanded + 32, 32);
    memcpy(text + 32, s->h, 32);
    crypto_hash_sha512(s->nonce, text, sizeof text);
    crypto_core_ed25519_scalar_reduce(k, s->nonce);
    DC_CHECK(crypto_scalarmult_ed25519_base_noclamp(s->u, k) == 0);
    DC_CHECK(crypto_scalarmult_ed25519_noclamp(s->v, k, s->h) == 0);
    vrf_challenge(challenge, key->public, s->h, proof, s->u, s->v);
    memcpy(proof + 32, challenge, VRF_C_BYTES);
    crypto_core_ed25519_scalar_mul(cx, challenge, expanded);
    crypto_core_ed25519_scalar_add(proof + 48, cx, k);
    if (beta != NULL)
        DC_CHECK(vrf_output(beta, proof));
    if (remember)
        dc_memo_put(c->memo_prove, &memo_key, proof);
    sodium_memzero(expanded, sizeof expanded);
    sodium_memzero(text, sizeof text);
    sodium_memzero(k, sizeof k);
}

/* out = s P - c Q; `base` stands for P == NULL. */
static bool vrf_combine(uint8_t out[32], const uint8_t s[32], const uint8_t *p, const uint8_t c[32],
                        const uint8_t q[32])
{
    uint8_t sp[32], cq[32];
    int failed = p != NULL ? crypto_scalarmult_ed25519_noclamp(sp, s, p)
                           : crypto_scalarmult_ed25519_base_noclamp(sp, s);
    return failed == 0 && crypto_scalarmult_ed25519_noclamp(cq, c, q) == 0 &&
           crypto_core_ed25519_sub(out, sp, cq) == 0;
}

bool dc_vrf_verify(const uint8_t public_key[32], const void *alpha, size_t size,
                   const uint8_t proof[80], uint8_t beta[64])
{
    const uint8_t *gamma = proof, *s = proof + 48;
    uint8_t c[32] = {0}, wide[64] = {0}, reduced[32], h[32], u[32], v[32], again[VRF_C_BYTES],
            counter;
    if (beta != NULL)
        memset(beta, 0, DC_VRF_OUTPUT_BYTES);
    memcpy(c, proof + 32, VRF_C_BYTES);
    memcpy(wide, s, 32);
    crypto_core_ed25519_scalar_reduce(reduced, wide);
    if (memcmp(reduced, s, 32) != 0 || !point_is_canonical(public_key) ||
        !point_is_canonical(gamma))
        return false;
    if (!vrf_encode(h, public_key, alpha, size, &counter) ||
        !vrf_combine(u, s, NULL, c, public_key) || !vrf_combine(v, s, h, c, gamma))
        return false;
    vrf_challenge(again, public_key, h, gamma, u, v);
    if (memcmp(again, c, VRF_C_BYTES) != 0)
        return false;
    return beta == NULL || vrf_output(beta, gamma);
}

/* What the table holds: the output, all zeros for an invalid proof (SHA-512 never gives that). */
bool dc_vrf_check(const struct dc_crypto *c, const uint8_t public_key[32], const void *alpha,
                  size_t size, const uint8_t proof[80], uint8_t beta[64])
{
    static const uint8_t zero[DC_VRF_OUTPUT_BYTES];
    uint8_t output[DC_VRF_OUTPUT_BYTES];
    struct dc_hash key = {{0}};
    dc_crypto_count(c->counts, DC_OP_VRF_VERIFY, false);
    if (c->memo_vrf != NULL)
        key = dc_crypto_memo_key(public_key, proof, DC_VRF_PROOF_BYTES, alpha, size);
    bool known = dc_memo_get(c->memo_vrf, &key, output);
    bool audit = known && c->audit_every != 0 && dc_get32(key.b + 28) % c->audit_every == 0;
    if (!known || audit) {
        uint8_t fresh[DC_VRF_OUTPUT_BYTES];
        (void)dc_vrf_verify(public_key, alpha, size, proof, fresh);
        dc_crypto_count(c->counts, DC_OP_VRF_VERIFY, true);
        DC_CHECK(!known || memcmp(fresh, output, sizeof fresh) == 0);
        memcpy(output, fresh, sizeof output);
        if (!known)
            dc_memo_put(c->memo_vrf, &key, output);
    }
    if (beta != NULL)
        memcpy(beta, output, sizeof output);
    return memcmp(output, zero, sizeof zero) != 0;
}
