/* The ceremony before genesis: every member deals, all check, each sums up (holder.h). */
#include "models/node/holder.h"

#include "models/base/mem.h"
#include "models/crypto/frost.h"

/* Keys of a holder, by dc_seed_derive's generation: DC_KEY_OTHER is nobody else's. */
enum { SEED_KEY = 1, SEED_TREASURY, SEED_NONCES };

struct ceremony {
    uint64_t key_seed;
    uint32_t count, threshold;
    const uint32_t *account;
    uint8_t context[32];
    struct dc_holders *out;
    struct dc_holder_secret *secrets;
    uint8_t (*share)[32]; /* [member][dealer] */
};

static void ceremony_context(struct ceremony *c)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_KEYGEN);
    dc_hasher_update64(&h, c->count);
    dc_hasher_update64(&h, c->threshold);
    for (uint32_t i = 0; i < c->count; i++)
        dc_hasher_update64(&h, c->account[i]);
    struct dc_hash digest = dc_hasher_final(&h);
    memcpy(c->context, digest.b, 32);
}

/* Shared key on ristretto255 (crypto/dkg.h). */
static bool ceremony_key(struct ceremony *c)
{
    struct dc_dkg_deal *deal = dc_mem_alloc(c->count, sizeof *deal);
    const struct dc_dkg_deal **all = dc_mem_alloc(c->count, sizeof *all);
    uint8_t(*sent)[32] = dc_mem_alloc(c->count, 32);
    bool done = deal != NULL && all != NULL && sent != NULL;
    for (uint32_t d = 0; done && d < c->count; d++) {
        uint8_t seed[32];
        dc_seed_derive(c->key_seed, c->account[d], DC_KEY_OTHER, SEED_KEY, seed);
        dc_dkg_make(seed, c->context, d, c->count, c->threshold, &deal[d], sent);
        for (uint32_t i = 0; i < c->count; i++)
            memcpy(c->share[(size_t)i * c->count + d], sent[i], 32);
        bool possessed = dc_dkg_check(&deal[d], c->context, c->count, c->threshold);
        DC_CHECK(possessed); /* all are honest here: nobody is to be left out */
        all[d] = &deal[d];
    }
    if (done) {
        bool made = dc_dkg_keys(all, c->count, c->count, c->out->group_key, c->out->share_key);
        DC_CHECK(made);
    }
    for (uint32_t i = 0; done && i < c->count; i++) {
        struct dc_scalar x;
        uint8_t own[32];
        bool summed = dc_dkg_secret((const uint8_t(*)[32])c->share + (size_t)i * c->count, c->count,
                                    c->secrets[i].share) &&
                      dc_scalar_decode(c->secrets[i].share, &x);
        struct dc_point p = dc_point_mul_base(&x);
        dc_point_encode(&p, own);
        /* fits the sum of what was committed to: else each share would be looked at for whose it is
         *  */
        DC_CHECK(summed && memcmp(own, c->out->share_key[i], 32) == 0);
    }
    dc_mem_free(deal);
    dc_mem_free(all);
    dc_mem_free(sent);
    return done;
}

/* One dealer of the treasury's key: its commitments and, for each member, a share. */
static void treasury_deal(struct ceremony *c, uint32_t d, uint8_t (*coefficient)[32],
                          uint8_t (*commitment)[32])
{
    uint8_t seed[32], proof[64];
    dc_seed_derive(c->key_seed, c->account[d], DC_KEY_OTHER, SEED_TREASURY, seed);
    dc_frost_coefficients(seed, c->context, sizeof c->context, c->threshold, coefficient);
    const uint8_t(*f)[32] = (const uint8_t(*)[32])coefficient;
    bool dealt = dc_frost_commitments(DC_FROST_ED25519, f, c->threshold, commitment) &&
                 dc_frost_possession(DC_FROST_ED25519, d, f, seed, proof) &&
                 dc_frost_possession_check(DC_FROST_ED25519, d, commitment[0], proof);
    for (uint32_t i = 0; dealt && i < c->count; i++)
        dealt = dc_frost_share(f, c->threshold, i, c->share[(size_t)i * c->count + d]);
    DC_CHECK(dealt);
}

/* Signing key on edwards25519 (crypto/frost.h). */
static bool ceremony_treasury(struct ceremony *c)
{
    uint32_t t = c->threshold, n = c->count;
    uint8_t(*coefficient)[32] = dc_mem_alloc(t, 32);
    uint8_t(*commitment)[32] = dc_mem_alloc((size_t)n * t, 32); /* [degree][dealer] */
    uint8_t(*one)[32] = dc_mem_alloc(t, 32), (*sum)[32] = dc_mem_alloc(t, 32);
    bool done = coefficient != NULL && commitment != NULL && one != NULL && sum != NULL;
    for (uint32_t d = 0; done && d < n; d++) {
        treasury_deal(c, d, coefficient, one);
        for (uint32_t k = 0; k < t; k++)
            memcpy(commitment[(size_t)k * n + d], one[k], 32);
    }
    for (uint32_t k = 0; done && k < t; k++) {
        const uint8_t(*row)[32] = (const uint8_t(*)[32])commitment + (size_t)k * n;
        bool added = dc_frost_points_add(DC_FROST_ED25519, row, n, sum[k]);
        DC_CHECK(added);
    }
    for (uint32_t i = 0; done && i < n; i++) {
        const uint8_t(*mine)[32] = (const uint8_t(*)[32])c->share + (size_t)i * n;
        uint8_t own[32];
        bool fits = dc_frost_scalars_add(mine, n, c->secrets[i].treasury) &&
                    dc_frost_public(DC_FROST_ED25519, c->secrets[i].treasury, own) &&
                    dc_frost_expected(DC_FROST_ED25519, (const uint8_t(*)[32])sum, t, i,
                                      c->out->treasury_share_key[i]) &&
                    memcmp(own, c->out->treasury_share_key[i], 32) == 0;
        DC_CHECK(fits);
    }
    if (done)
        memcpy(c->out->treasury_key, sum[0], 32);
    dc_mem_free(coefficient);
    dc_mem_free(commitment);
    dc_mem_free(one);
    dc_mem_free(sum);
    return done;
}

enum dc_status dc_holders_make(uint64_t key_seed, const uint32_t *account, uint32_t count,
                               uint32_t threshold, struct dc_holders *out,
                               struct dc_holder_secret *secrets, struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    if (count == 0 || count > DC_KEY_HOLDERS_MAX || threshold > count)
        return dc_error_set(error, DC_ERR_USAGE,
                            "key holders: %u, of whom %u act together: 1 to %u, and not more than "
                            "there are",
                            count, threshold, (unsigned)DC_KEY_HOLDERS_MAX);
    struct ceremony c = {.key_seed = key_seed,
                         .count = count,
                         .threshold = threshold != 0 ? threshold : dc_holders_threshold(count),
                         .account = account,
                         .out = out,
                         .secrets = secrets};
    out->count = count;
    out->threshold = c.threshold;
    memcpy(out->account, account, count * sizeof *account);
    memset(secrets, 0, count * sizeof *secrets);
    for (uint32_t i = 0; i < count; i++) {
        secrets[i].index = i;
        dc_seed_derive(key_seed, account[i], DC_KEY_OTHER, SEED_NONCES, secrets[i].seed);
    }
    ceremony_context(&c);
    c.share = dc_mem_alloc((size_t)count * count, 32);
    bool done = c.share != NULL && ceremony_key(&c) && ceremony_treasury(&c);
    dc_mem_free(c.share);
    return done ? DC_OK : dc_error_set(error, DC_ERR_IO, "out of memory for the holders' keys");
}
