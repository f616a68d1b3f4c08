/* Ready-made populations for genesis: validators, service nodes and clients with keys (genesis.h). */
#include "models/ledger/genesis.h"

#include "models/base/mem.h"

static void genesis_keys(uint64_t seed, uint64_t id, struct dc_keypair *sign,
                         struct dc_keypair *vrf)
{
    uint8_t bytes[32];
    dc_seed_derive(seed, id, DC_KEY_SIGN, 0, bytes);
    dc_keypair_from_seed(bytes, sign);
    dc_seed_derive(seed, id, DC_KEY_VRF, 0, bytes);
    dc_keypair_from_seed(bytes, vrf);
}

static void genesis_account(const struct dc_genesis_spec *spec, const struct dc_params *p,
                            uint32_t id, const struct dc_keypair *sign,
                            const struct dc_keypair *vrf, struct dc_account *a)
{
    a->balance = spec->balance;
    a->region = (uint8_t)(id % spec->regions);
    memcpy(a->sign_key, sign->public, 32);
    memcpy(a->vrf_key, vrf->public, 32);
    a->serial = (uint64_t)id + 1;
    a->valid_to = UINT64_MAX;
    a->deal_last = DC_DEAL_NONE;
    if (id >= spec->validators + spec->services) {
        a->roles = DC_ROLE_CLIENT;
        return;
    }
    a->posync.score = p->score_newcomer;
    a->posync.proved = DC_ONE;
    a->posync.passed = p->probation;
    if (id < spec->validators) {
        a->roles = DC_ROLE_VALIDATOR;
        a->bond = spec->bond_validator;
        return;
    }
    a->roles = DC_ROLE_STORAGE;
    a->capacity_bytes = spec->capacity_bytes;
    uint64_t cover =
        (uint64_t)((((unsigned __int128)spec->capacity_bytes * p->bond_per_unit) >> 30) + 1);
    a->bond = spec->bond_service != 0       ? spec->bond_service
              : cover > p->bond_min_service ? cover
                                            : p->bond_min_service;
}

enum dc_status dc_genesis_set_create(const struct dc_genesis_spec *spec,
                                     const struct dc_params *params, struct dc_genesis_set *out,
                                     struct dc_error *error)
{
    memset(out, 0, sizeof *out);
    uint32_t n = spec->validators + spec->services + spec->clients;
    size_t cells = (size_t)spec->regions * spec->regions;
    out->account = dc_mem_alloc(n, sizeof *out->account);
    out->sign = dc_mem_alloc(n, sizeof *out->sign);
    out->vrf = dc_mem_alloc(n, sizeof *out->vrf);
    out->allowance_ns = dc_mem_alloc(cells, sizeof *out->allowance_ns);
    if (out->account == NULL || out->sign == NULL || out->vrf == NULL ||
        out->allowance_ns == NULL) {
        dc_genesis_set_free(out);
        return dc_error_set(error, DC_ERR_IO, "out of memory for %u accounts", n);
    }
    for (size_t i = 0; i < cells; i++)
        out->allowance_ns[i] = 200000000;
    for (uint32_t id = 0; id < n; id++) {
        genesis_keys(spec->seed, id, &out->sign[id], &out->vrf[id]);
        genesis_account(spec, params, id, &out->sign[id], &out->vrf[id], &out->account[id]);
    }
    uint8_t seed[32];
    dc_seed_derive(spec->seed, UINT64_MAX, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &out->registrar);
    struct dc_genesis *g = &out->genesis;
    g->params = *params;
    g->accounts = n;
    g->account = out->account;
    g->regions = spec->regions;
    g->allowance_ns = out->allowance_ns;
    memcpy(g->registrar_key, out->registrar.public, 32);
    uint8_t text[16];
    dc_put64(text, spec->seed);
    dc_put64(text + 8, spec->chain);
    g->beacon = dc_hash_bytes(DC_DOMAIN_GENESIS, text, sizeof text);
    return DC_OK;
}

void dc_genesis_set_free(struct dc_genesis_set *set)
{
    dc_mem_free(set->account);
    dc_mem_free(set->sign);
    dc_mem_free(set->vrf);
    dc_mem_free(set->allowance_ns);
    memset(set, 0, sizeof *set);
}

void dc_genesis_certify(const struct dc_crypto *crypto, const struct dc_keypair *registrar,
                        uint64_t chain, uint64_t id, uint32_t roles, uint64_t serial,
                        uint64_t from_height, uint64_t end_height, const uint8_t sign_key[32],
                        const uint8_t vrf_key[32], uint8_t out[DC_CERT_BYTES])
{
    struct dc_cert cert = {.level = DC_CERT_NODE,
                           .roles = roles,
                           .chain = chain,
                           .serial = serial,
                           .subject = id,
                           .issuer = UINT64_MAX,
                           .from_height = from_height,
                           .end_height = end_height};
    memcpy(cert.signing, sign_key, 32);
    memcpy(cert.vrf, vrf_key, 32);
    memcpy(cert.exchange, sign_key, 32); /* handshakes are not modelled yet: links are `charged` */
    dc_cert_sign(crypto, registrar, &cert);
    dc_cert_encode(&cert, out);
}
