/* Identities on chain: a registrar that gets another key. */
#include "models/crypto/registrar.h"
#include "tests/ledger/chain.h"

enum { CLIENT = 6, ROOT_ID = 900 };

static struct chain c;
static struct dc_keypair root_key, desk_key;
static struct dc_root root;
static struct dc_registrar desk;
static struct dc_registrar_entry entry[8];
static struct dc_cert desk_cert;

static struct dc_keypair keypair(uint64_t owner, enum dc_key_use use)
{
    struct dc_keypair key;
    uint8_t seed[32];
    dc_seed_derive(99, owner, use, 0, seed);
    dc_keypair_from_seed(seed, &key);
    return key;
}

static void with_root(struct dc_genesis_set *set)
{
    memcpy(set->genesis.root_key, root_key.public, 32);
}

/* The registrar's new key, which the root certifies for heights 0 to 100. */
static void open_desk(void)
{
    static const struct dc_crypto crypto = {.suite = DC_SUITE_REAL};
    struct dc_registrar_wish w = {
        .subject = UINT64_MAX, .end_height = 100, .roles = DC_ROLE_REGISTRAR};
    uint8_t signature[64];
    root_key = keypair(ROOT_ID, DC_KEY_SIGN);
    desk_key = keypair(ROOT_ID + 1, DC_KEY_SIGN);
    dc_root_create(&crypto, CHAIN_ID, ROOT_ID, &root_key, 0, 1000, &root);
    memcpy(w.signing, desk_key.public, 32);
    memcpy(w.vrf, desk_key.public, 32);
    dc_registrar_sign_wish(&crypto, CHAIN_ID, DC_CERT_REGISTRAR, &w, &desk_key, signature);
    CU_ASSERT_EQUAL(dc_root_certify(&root, &w, signature, &desk_cert), DC_REGISTRAR_OK);
    CU_ASSERT_EQUAL(dc_registrar_open(&crypto, &root, &desk_key, &desk_cert, entry, 8, &desk),
                    DC_REGISTRAR_OK);
}

/* 460 bytes: the registrar's certificate, then that of a newcomer, whom it certifies. */
static void certify(uint64_t subject, uint8_t out[DC_CERT_CHAIN_BYTES])
{
    struct dc_keypair key = keypair(subject, DC_KEY_SIGN), vrf = keypair(subject, DC_KEY_VRF);
    struct dc_registrar_wish w = {.subject = subject, .end_height = 90, .roles = DC_ROLE_STORAGE};
    struct dc_cert cert;
    uint8_t signature[64];
    memcpy(w.signing, key.public, 32);
    memcpy(w.vrf, vrf.public, 32);
    dc_registrar_sign_wish(desk.crypto, CHAIN_ID, DC_CERT_NODE, &w, &key, signature);
    CU_ASSERT_EQUAL(dc_registrar_issue(&desk, &w, 0, signature, &cert), DC_REGISTRAR_OK);
    dc_cert_encode(&desk_cert, out);
    dc_cert_encode(&cert, out + DC_CERT_BYTES);
}

static void start(void (*edit)(struct dc_genesis_set *set))
{
    const struct dc_genesis_spec spec = {.seed = 1,
                                         .chain = CHAIN_ID,
                                         .validators = 4,
                                         .services = 2,
                                         .clients = 2,
                                         .bond_validator = 2000 * DC_DSYNC,
                                         .bond_service = 200 * DC_DSYNC,
                                         .balance = 1000 * DC_DSYNC,
                                         .capacity_bytes = (uint64_t)1 << 30,
                                         .regions = 2};
    struct dc_params params = chain_params();
    chain_make(&c, &spec, &params, true, edit, NULL, NULL);
}

static bool registers(const uint8_t *certificate, size_t size)
{
    uint32_t before = dc_state_meta(chain_state(&c))->accounts;
    struct dc_tx tx = {.kind = DC_TX_REGISTER, .from = CLIENT};
    tx.reg.nonce = dc_state_account(chain_state(&c), CLIENT)->nonce;
    tx.reg.bond = 200 * DC_DSYNC;
    tx.reg.capacity_bytes = (uint64_t)1 << 30;
    tx.reg.certificate = certificate;
    tx.reg.certificate_size = (uint32_t)size;
    chain_tx(&c, &tx);
    chain_step(&c);
    return dc_state_meta(chain_state(&c))->accounts == before + 1;
}

static void test_rotated(void)
{
    uint8_t chain[DC_CERT_CHAIN_BYTES], alone[DC_CERT_BYTES];
    open_desk();
    start(with_root);
    certify(8, chain);
    memcpy(alone, chain + DC_CERT_BYTES, sizeof alone);
    CU_ASSERT_FALSE(registers(alone, sizeof alone)); /* not by the key of genesis */
    chain[200] ^= 1;                                 /* not what the root signed */
    CU_ASSERT_FALSE(registers(chain, sizeof chain));
    chain[200] ^= 1;
    CU_ASSERT_TRUE(registers(chain, sizeof chain));
    /* What the old key signs is taken as before. */
    struct dc_keypair key = keypair(9, DC_KEY_SIGN), vrf = keypair(9, DC_KEY_VRF);
    dc_genesis_certify(&c.crypto, &c.set.registrar, CHAIN_ID, 9, DC_ROLE_STORAGE, 500, 0, 1000,
                       key.public, vrf.public, alone);
    CU_ASSERT_TRUE(registers(alone, sizeof alone));
    chain_free(&c);
}

/* Where genesis names no root, a registrar cannot be replaced. */
static void test_no_root(void)
{
    uint8_t chain[DC_CERT_CHAIN_BYTES];
    open_desk();
    start(NULL);
    certify(8, chain);
    CU_ASSERT_FALSE(registers(chain, sizeof chain));
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {{"another key of the registrar", test_rotated},
                                             {"no root", test_no_root}};
    dc_crypto_init();
    return TEST_MAIN("identities on chain", cases);
}
