#include "models/crypto/clsag.h"

#include "models/crypto/transcript.h"

/* A ring while it is walked: points are decoded where they are needed, so that nothing grows with
 * the ring. */
struct clsag {
    const struct dc_ring_member *ring;
    uint32_t n;
    struct dc_point base, pseudo, aggregate; /* B~, C', mu_P I + mu_C D */
    struct dc_scalar mu_key, mu_blind;
    struct dc_transcript rounds; /* said so far by all; each round goes on from a copy */
};

/* Hp: a point of which nobody knows a multiple of any other. */
static struct dc_point clsag_point_of(const uint8_t key[32])
{
    uint8_t text[33], wide[64];
    memcpy(text + 1, key, 32);
    for (uint8_t half = 0; half < 2; half++) {
        text[0] = half;
        struct dc_hash h = dc_hash_bytes(DC_DOMAIN_RING, text, sizeof text);
        memcpy(wide + (size_t)32 * half, h.b, 32);
    }
    return dc_point_from_hash(wide);
}

/* Everything but the members' points and the responses.  False when a point is none, or is the
 * identity where a secret would be zero. */
static bool clsag_begin(struct clsag *g, const uint8_t message[32],
                        const struct dc_ring_member *ring, uint32_t n, const uint8_t pseudo[32],
                        const uint8_t image[32], const uint8_t blind_image[32])
{
    struct dc_point point[2];
    g->ring = ring;
    g->n = n;
    g->base = dc_point_blinding();
    if (!dc_point_decode(pseudo, &g->pseudo) || !dc_point_decode_proper(image, &point[0]) ||
        !dc_point_decode_proper(blind_image, &point[1]))
        return false;
    struct dc_transcript *t = &g->rounds;
    dc_transcript_init(t, dc_domain_name(DC_DOMAIN_RING));
    dc_transcript_append_u64(t, "n", n);
    for (uint32_t i = 0; i < n; i++) {
        dc_transcript_append(t, "P", ring[i].key, 32);
        dc_transcript_append(t, "C", ring[i].commitment, 32);
    }
    dc_transcript_append(t, "C'", pseudo, 32);
    dc_transcript_append(t, "I", image, 32);
    dc_transcript_append(t, "D", blind_image, 32);
    g->mu_key = dc_transcript_challenge_scalar(t, "mu_P");
    g->mu_blind = dc_transcript_challenge_scalar(t, "mu_C");
    dc_transcript_append(t, "m", message, 32);
    struct dc_scalar mu[2] = {g->mu_key, g->mu_blind};
    g->aggregate = dc_msm_vartime(mu, point, 2);
    return true;
}

static struct dc_scalar clsag_challenge(const struct clsag *g, const struct dc_point *l,
                                        const struct dc_point *r)
{
    struct dc_transcript t = g->rounds;
    uint8_t bytes[32];
    dc_point_encode(l, bytes);
    dc_transcript_append(&t, "L", bytes, 32);
    dc_point_encode(r, bytes);
    dc_transcript_append(&t, "R", bytes, 32);
    return dc_transcript_challenge_scalar(&t, "c");
}

/* c becomes the challenge after member i, whose response is s.  All of it is public. */
static bool clsag_round(const struct clsag *g, uint32_t i, const struct dc_scalar *s,
                        struct dc_scalar *c)
{
    struct dc_point left[3], right[2];
    left[0] = g->base;
    if (!dc_point_decode_proper(g->ring[i].key, &left[1]) ||
        !dc_point_decode(g->ring[i].commitment, &left[2]))
        return false;
    left[2] = dc_point_sub(&left[2], &g->pseudo);
    right[0] = clsag_point_of(g->ring[i].key);
    right[1] = g->aggregate;
    struct dc_scalar a[3] = {*s, dc_scalar_mul(c, &g->mu_key), dc_scalar_mul(c, &g->mu_blind)};
    struct dc_point l = dc_msm_vartime(a, left, 3);
    a[1] = *c;
    struct dc_point r = dc_msm_vartime(a, right, 2);
    *c = clsag_challenge(g, &l, &r);
    return true;
}

bool dc_clsag_verify(const uint8_t message[32], const struct dc_ring_member *ring, uint32_t n,
                     const uint8_t pseudo[32], const uint8_t *signature, size_t size)
{
    struct clsag g;
    struct dc_scalar first, s;
    if (n < DC_RING_MIN || n > DC_RING_MAX || size != dc_clsag_bytes(n) ||
        !dc_scalar_decode(signature, &first))
        return false;
    const uint8_t *image = dc_clsag_image(signature, n);
    if (!clsag_begin(&g, message, ring, n, pseudo, image, image + 32))
        return false;
    struct dc_scalar c = first;
    for (uint32_t i = 0; i < n; i++)
        if (!dc_scalar_decode(signature + 32 + (size_t)32 * i, &s) || !clsag_round(&g, i, &s, &c))
            return false;
    return dc_scalar_equal(&c, &first);
}

bool dc_clsag_key_image(const uint8_t x[32], uint8_t out[32])
{
    struct dc_scalar secret;
    uint8_t key[32];
    memset(out, 0, 32);
    if (!dc_scalar_decode(x, &secret) || dc_scalar_is_zero(&secret))
        return false;
    struct dc_scalar zero = dc_scalar_zero();
    struct dc_point p = dc_pedersen(&zero, &secret);
    dc_point_encode(&p, key);
    p = clsag_point_of(key);
    p = dc_point_mul(&secret, &p);
    dc_point_encode(&p, out);
    return true;
}

/* Whether x and z open the member: P = x B~ and C - C' = z B~. */
static bool clsag_opens(const struct dc_ring_member *own, const uint8_t pseudo[32],
                        const struct dc_scalar *x, const struct dc_scalar *z)
{
    struct dc_scalar zero = dc_scalar_zero();
    struct dc_point key, commitment, offset;
    if (!dc_point_decode_proper(own->key, &key) || !dc_point_decode(own->commitment, &commitment) ||
        !dc_point_decode(pseudo, &offset))
        return false;
    offset = dc_point_sub(&commitment, &offset);
    struct dc_point p = dc_pedersen(&zero, x), q = dc_pedersen(&zero, z);
    return dc_point_equal(&p, &key) && dc_point_equal(&q, &offset);
}

static struct dc_nonces clsag_nonces(const uint8_t message[32], const struct dc_ring_member *ring,
                                     uint32_t n, const uint8_t pseudo[32],
                                     const struct dc_clsag_secret *secret)
{
    struct dc_nonces nonces;
    dc_nonces_init(&nonces, secret->seed, DC_DOMAIN_RING);
    dc_nonces_feed(&nonces, message, 32);
    dc_nonces_feed(&nonces, ring, n * sizeof *ring);
    dc_nonces_feed(&nonces, pseudo, 32);
    dc_nonces_feed(&nonces, secret->key, 32);
    dc_nonces_feed(&nonces, secret->blind, 32);
    return nonces;
}

bool dc_clsag_sign(const uint8_t message[32], const struct dc_ring_member *ring, uint32_t n,
                   const uint8_t pseudo[32], const struct dc_clsag_secret *secret, uint8_t *out)
{
    struct dc_scalar x, z;
    struct clsag g;
    if (n < DC_RING_MIN || n > DC_RING_MAX)
        return false;
    memset(out, 0, dc_clsag_bytes(n));
    uint32_t own = secret->index;
    if (own >= n || !dc_scalar_decode(secret->key, &x) || !dc_scalar_decode(secret->blind, &z) ||
        !clsag_opens(&ring[own], pseudo, &x, &z))
        return false;
    struct dc_nonces nonces = clsag_nonces(message, ring, n, pseudo, secret);
    struct dc_point hashed = clsag_point_of(ring[own].key), p = dc_point_mul(&x, &hashed);
    uint8_t *image = out + 32 + (size_t)32 * n;
    dc_point_encode(&p, image);
    p = dc_point_mul(&z, &hashed);
    dc_point_encode(&p, image + 32);
    bool ok = clsag_begin(&g, message, ring, n, pseudo, image, image + 32);
    if (ok) {
        struct dc_scalar alpha = dc_nonces_next(&nonces);
        struct dc_scalar zero = dc_scalar_zero();
        struct dc_point l = dc_pedersen(&zero, &alpha), r = dc_point_mul(&alpha, &hashed);
        struct dc_scalar c = clsag_challenge(&g, &l, &r), first = c;
        for (uint32_t k = 1; k < n && ok; k++) {
            uint32_t i = (own + k) % n;
            struct dc_scalar s = dc_nonces_next(&nonces);
            dc_scalar_encode(&s, out + 32 + (size_t)32 * i);
            first = i == 0 ? c : first;
            ok = clsag_round(&g, i, &s, &c);
        }
        /* c is now the signer's own challenge: its response closes the ring. */
        first = own == 0 ? c : first;
        struct dc_scalar a = dc_scalar_mul(&g.mu_key, &x), b = dc_scalar_mul(&g.mu_blind, &z);
        a = dc_scalar_add(&a, &b);
        a = dc_scalar_mul(&c, &a);
        a = dc_scalar_sub(&alpha, &a);
        dc_scalar_encode(&a, out + 32 + (size_t)32 * own);
        dc_scalar_encode(&first, out);
    }
    if (!ok)
        memset(out, 0, dc_clsag_bytes(n));
    return ok;
}
