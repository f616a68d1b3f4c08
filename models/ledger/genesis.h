/* A genesis made quickly: so many validators, storage nodes and clients with keys and certificates'
 * serials, for tests, benches and the world (which then edits what it wants to be different).
 *
 *   ids   validators 0 .. V-1 | services V .. V+S-1 | clients V+S .. V+S+C-1 */
#ifndef MODELS_LEDGER_GENESIS_H
#define MODELS_LEDGER_GENESIS_H

#include "models/ledger/store.h"

struct dc_genesis_spec {
    uint64_t seed, chain;
    uint32_t validators, services, clients;
    uint64_t bond_validator; /* base units */
    uint64_t bond_service;   /* 0: what covers the capacity, at least the minimum */
    uint64_t balance;        /* of each account */
    uint64_t capacity_bytes; /* of each service node */
    uint32_t regions;        /* account i is in region i mod regions; allowances 200 ms */
};

struct dc_genesis_set {
    struct dc_genesis genesis; /* account, deal and allowance_ns point into what follows */
    struct dc_account *account;
    struct dc_keypair *sign, *vrf; /* of each account */
    struct dc_keypair registrar;
    int64_t *allowance_ns;
};

/* Keys follow from (seed, id): dc_seed_derive.  Nodes begin past their probation, with the
 * newcomer's score.  About 50 us an account.  Errors: DC_ERR_IO. */
enum dc_status dc_genesis_set_create(const struct dc_genesis_spec *spec,
                                     const struct dc_params *params, struct dc_genesis_set *out,
                                     struct dc_error *error) DC_MUST_USE;
void dc_genesis_set_free(struct dc_genesis_set *set);

/* The certificate of account `id` as the registrar issues it, for REGISTER and RENEW: validity
 * [from, end), keys as given, signed. */
void dc_genesis_certify(const struct dc_crypto *crypto, const struct dc_keypair *registrar,
                        uint64_t chain, uint64_t id, uint32_t roles, uint64_t serial,
                        uint64_t from_height, uint64_t end_height, const uint8_t sign_key[32],
                        const uint8_t vrf_key[32], uint8_t out[DC_CERT_BYTES]);

#endif
