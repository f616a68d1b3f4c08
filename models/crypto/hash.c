/* BLAKE2b-256 with the domain as its personalisation.
 *
 * personal[d] = BLAKE2b-128(name of d), computed once by dc_hash_init and constant from then on:
 * the one mutable static here.  An unset table would merge all domains without anybody noticing,
 * hence the check on every hash; its cost does not show beside the 0.2 us of the hash. */
#include "models/crypto/hash.h"

#include "models/base/status.h"

#include <sodium/crypto_shorthash_siphash24.h>

static uint8_t personal[DC_DOMAIN_COUNT][crypto_generichash_blake2b_PERSONALBYTES];
static bool personal_set;

static const char *const domain_names[DC_DOMAIN_COUNT] = {
#define DOMAIN_NAME(constant, name) name,
    DC_DOMAINS(DOMAIN_NAME)
#undef DOMAIN_NAME
};

const char *dc_domain_name(enum dc_domain domain)
{
    DC_CHECK((unsigned)domain < DC_DOMAIN_COUNT);
    return domain_names[domain];
}

void dc_hash_init(void)
{
    if (personal_set)
        return;
    for (int d = 0; d < DC_DOMAIN_COUNT; d++) {
        const char *name = domain_names[d];
        DC_CHECK(crypto_generichash_blake2b(personal[d], sizeof personal[d], (const uint8_t *)name,
                                            strlen(name), NULL, 0) == 0);
    }
    personal_set = true;
}

static const uint8_t *domain_personal(enum dc_domain domain)
{
    DC_CHECK(personal_set && (unsigned)domain < DC_DOMAIN_COUNT);
    return personal[domain];
}

struct dc_hash dc_hash_bytes(enum dc_domain domain, const void *data, size_t size)
{
    struct dc_hash h;
    int failed = crypto_generichash_blake2b_salt_personal(h.b, sizeof h.b, data, size, NULL, 0,
                                                          NULL, domain_personal(domain));
    DC_CHECK(failed == 0);
    return h;
}

struct dc_hash dc_hash_pair(enum dc_domain domain, const struct dc_hash *l, const struct dc_hash *r)
{
    struct dc_hash both[2] = {*l, *r};
    return dc_hash_bytes(domain, both, sizeof both);
}

void dc_hasher_init(struct dc_hasher *h, enum dc_domain domain)
{
    int failed = crypto_generichash_blake2b_init_salt_personal(&h->state, NULL, 0, DC_HASH_BYTES,
                                                               NULL, domain_personal(domain));
    DC_CHECK(failed == 0);
}

void dc_hasher_update(struct dc_hasher *h, const void *data, size_t size)
{
    if (size != 0)
        DC_CHECK(crypto_generichash_blake2b_update(&h->state, data, size) == 0);
}

void dc_hasher_update64(struct dc_hasher *h, uint64_t v)
{
    uint8_t b[8];
    dc_put64(b, v);
    dc_hasher_update(h, b, sizeof b);
}

struct dc_hash dc_hasher_final(struct dc_hasher *h)
{
    struct dc_hash out;
    DC_CHECK(crypto_generichash_blake2b_final(&h->state, out.b, sizeof out.b) == 0);
    return out;
}

uint64_t dc_digest64(const void *data, size_t size)
{
    /* The first 16 bytes of the fraction of pi, as good as any. */
    static const uint8_t key[crypto_shorthash_siphash24_KEYBYTES] = {
        0x24, 0x3f, 0x6a, 0x88, 0x85, 0xa3, 0x08, 0xd3,
        0x13, 0x19, 0x8a, 0x2e, 0x03, 0x70, 0x73, 0x44};
    uint8_t out[crypto_shorthash_siphash24_BYTES];
    crypto_shorthash_siphash24(out, data, size, key);
    return dc_get64(out);
}
