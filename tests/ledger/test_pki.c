/* Identities on chain: registrars that the root lists and revokes, and what stands and falls with
 * them. */
#include "models/ledger/vault.h"
#include "models/crypto/registrar.h"
#include "tests/ledger/chain.h"

enum { CLIENT = 6, ACCOUNTS = 8, ROOT_ID = 900, DESKS = DC_REGISTRARS_MAX + 2, SUBJECTS = 16 };

static struct chain c;
static struct dc_keypair root_key;
static struct dc_root root;
/* One registrar with several keys, or several with one each: to the chain it is the same. */
static struct {
    struct dc_keypair key;
    struct dc_cert cert; /* serial 2 + place */
    struct dc_registrar desk;
    struct dc_registrar_entry entry[SUBJECTS];
} desks[DESKS];

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

/* The root certifies a key of a registrar for heights from .. end. */
static struct dc_cert certified(const struct dc_keypair *key, uint64_t from_height,
                                uint64_t end_height)
{
    struct dc_registrar_wish w = {.subject = UINT64_MAX,
                                  .from_height = from_height,
                                  .end_height = end_height,
                                  .roles = DC_ROLE_REGISTRAR};
    struct dc_cert cert;
    uint8_t signature[64];
    memcpy(w.signing, key->public, 32);
    memcpy(w.vrf, key->public, 32);
    dc_registrar_sign_wish(root.crypto, CHAIN_ID, DC_CERT_REGISTRAR, &w, key, signature);
    CU_ASSERT_EQUAL(dc_root_certify(&root, &w, signature, &cert), DC_REGISTRAR_OK);
    return cert;
}

static void open_desk(uint32_t d, uint64_t from_height, uint64_t end_height)
{
    desks[d].key = keypair(ROOT_ID + 1 + d, DC_KEY_SIGN);
    desks[d].cert = certified(&desks[d].key, from_height, end_height);
    CU_ASSERT_EQUAL(desks[d].cert.serial, 2 + d);
    CU_ASSERT_EQUAL(dc_registrar_open(root.crypto, &root, &desks[d].key, &desks[d].cert,
                                      desks[d].entry, SUBJECTS, &desks[d].desk),
                    DC_REGISTRAR_OK);
    desks[d].desk.serial = 1000 * (d + 1);
}

static void open_root(void)
{
    static const struct dc_crypto crypto = {.suite = DC_SUITE_REAL};
    root_key = keypair(ROOT_ID, DC_KEY_SIGN);
    dc_root_create(&crypto, CHAIN_ID, ROOT_ID, &root_key, 0, 1000, &root);
}

/* 460 bytes: the registrar's certificate, then a node's, whom it certifies; its serial. */
static uint64_t certify(uint32_t d, uint64_t subject, uint32_t roles,
                        uint8_t out[DC_CERT_CHAIN_BYTES])
{
    struct dc_registrar *desk = &desks[d].desk;
    struct dc_keypair key = keypair(subject, DC_KEY_SIGN), vrf = keypair(subject, DC_KEY_VRF);
    struct dc_registrar_wish w = {.subject = subject,
                                  .from_height = desk->cert[0].from_height,
                                  .end_height = desk->cert[0].end_height,
                                  .roles = roles};
    struct dc_cert cert;
    uint8_t signature[64];
    memcpy(w.signing, key.public, 32);
    memcpy(w.vrf, vrf.public, 32);
    dc_registrar_sign_wish(root.crypto, CHAIN_ID, DC_CERT_NODE, &w, &key, signature);
    CU_ASSERT_EQUAL(dc_registrar_issue(desk, &w, w.from_height, signature, &cert), DC_REGISTRAR_OK);
    dc_cert_encode(&desks[d].cert, out);
    dc_cert_encode(&cert, out + DC_CERT_BYTES);
    return cert.serial;
}

static void start(void (*edit)(struct dc_genesis_set *set), bool memo)
{
    const struct dc_genesis_spec spec = {.seed = 1,
                                         .chain = CHAIN_ID,
                                         .validators = 4,
                                         .services = 2,
                                         .clients = 2,
                                         .bond_validator = 2000 * DC_DSYNC,
                                         .bond_service = 200 * DC_DSYNC,
                                         .balance = 9000 * DC_DSYNC,
                                         .capacity_bytes = (uint64_t)1 << 30,
                                         .regions = 2};
    struct dc_params params = chain_params();
    open_root();
    chain_make(&c, &spec, &params, memo, edit, NULL, NULL);
}

/* --- transactions ----------------------------------------------------------------------------- */

static bool taken(const struct dc_keypair *key, const struct dc_tx *tx)
{
    uint8_t bytes[1024];
    size_t size = dc_tx_sign(&c.crypto, CHAIN_ID, key, tx, bytes, sizeof bytes);
    CU_ASSERT_FATAL(size != 0);
    chain_put(&c, bytes, size);
    return chain_taken_queued(&c);
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
    bool done = taken(&c.set.sign[CLIENT], &tx);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->accounts, before + done);
    return done;
}

/* A newcomer of a desk's, by its certificate alone or with the registrar's before it. */
static bool registers_by(uint32_t d, uint64_t subject, bool alone)
{
    uint8_t chain[DC_CERT_CHAIN_BYTES];
    certify(d, subject, DC_ROLE_STORAGE, chain);
    return alone ? registers(chain + DC_CERT_BYTES, DC_CERT_BYTES) : registers(chain, sizeof chain);
}

/* The same by the registrar of genesis. */
static bool registers_genesis(uint64_t subject)
{
    uint8_t alone[DC_CERT_BYTES];
    struct dc_keypair key = keypair(subject, DC_KEY_SIGN), vrf = keypair(subject, DC_KEY_VRF);
    dc_genesis_certify(&c.crypto, &c.set.registrar, CHAIN_ID, (uint32_t)subject, DC_ROLE_STORAGE,
                       500 + subject, 0, 1000, key.public, vrf.public, alone);
    return registers(alone, sizeof alone);
}

static bool renews(uint32_t d, uint32_t account, bool alone)
{
    const struct dc_account *a = dc_state_account(chain_state(&c), account);
    uint8_t chain[DC_CERT_CHAIN_BYTES];
    uint64_t serial = certify(d, account, a->roles, chain);
    struct dc_tx tx = {.kind = DC_TX_RENEW, .from = account};
    tx.reg.nonce = a->nonce;
    tx.reg.capacity_bytes = a->capacity_bytes;
    tx.reg.filler_root = a->filler_root;
    tx.reg.certificate = alone ? chain + DC_CERT_BYTES : chain;
    tx.reg.certificate_size = (uint32_t)(alone ? DC_CERT_BYTES : sizeof chain);
    bool done = taken(&c.set.sign[account], &tx);
    CU_ASSERT_EQUAL(dc_state_account(chain_state(&c), account)->serial == serial, done);
    return done;
}

static struct dc_tx said(const struct dc_cert *cert, uint64_t serial, uint8_t bytes[DC_CERT_BYTES])
{
    struct dc_tx tx = {.kind = DC_TX_REGISTRAR, .from = DC_NOBODY};
    tx.registrar.nonce = dc_state_vault(chain_state(&c))->registrars.changes;
    tx.registrar.revoked = cert == NULL ? serial : 0;
    if (cert != NULL) {
        dc_cert_encode(cert, bytes);
        tx.registrar.certificate = bytes;
    }
    return tx;
}
static bool lists(const struct dc_cert *cert)
{
    uint8_t bytes[DC_CERT_BYTES];
    struct dc_tx tx = said(cert, 0, bytes);
    return taken(&root_key, &tx);
}
static bool unlists(uint64_t serial)
{
    struct dc_tx tx = said(NULL, serial, NULL);
    return taken(&root_key, &tx);
}

/* registrar 0: that of genesis. */
static bool revokes(const struct dc_keypair *key, uint64_t registrar, uint64_t nonce,
                    uint64_t serial)
{
    struct dc_tx tx = {.kind = DC_TX_REVOKE, .from = registrar == 0 ? DC_NOBODY : DC_REGISTRAR};
    tx.revoke.nonce = nonce;
    tx.revoke.serial = serial;
    tx.revoke.registrar = registrar;
    return taken(key, &tx);
}
static bool revoked(uint32_t account)
{
    return dc_state_account(chain_state(&c), account)->revoked;
}

/* --- tests ------------------------------------------------------------------------------------ */

/* A chain of certificates needs no list. */
static void test_chains(void)
{
    uint8_t chain[DC_CERT_CHAIN_BYTES];
    start(with_root, true);
    open_desk(0, 0, 100);
    certify(0, 8, DC_ROLE_STORAGE, chain);
    CU_ASSERT_FALSE(registers(chain + DC_CERT_BYTES, DC_CERT_BYTES)); /* not by genesis' key */
    chain[200] ^= 1;                                                  /* not what the root signed */
    CU_ASSERT_FALSE(registers(chain, sizeof chain));
    chain[200] ^= 1;
    CU_ASSERT_TRUE(registers(chain, sizeof chain));
    CU_ASSERT_TRUE(registers_genesis(9)); /* as before */
    CU_ASSERT_EQUAL(dc_state_vault(chain_state(&c))->registrars.changes, 0);
    /* It can be revoked all the same, by its serial, and cannot be listed then. */
    CU_ASSERT_TRUE(unlists(desks[0].cert.serial));
    CU_ASSERT_FALSE(unlists(desks[0].cert.serial));
    CU_ASSERT_FALSE(registers_by(0, 10, false));
    CU_ASSERT_FALSE(lists(&desks[0].cert));
    CU_ASSERT_TRUE(unlists(DC_REGISTRAR_GENESIS));
    struct dc_cert cert = certified(&c.set.registrar, 0, 100);
    CU_ASSERT_FALSE(lists(&cert));
    chain_free(&c);
}

/* Where genesis names no root, a registrar cannot be replaced. */
static void test_no_root(void)
{
    static const struct dc_keypair zero;
    uint8_t bytes[DC_CERT_BYTES];
    start(NULL, true);
    open_desk(0, 0, 100);
    CU_ASSERT_FALSE(registers_by(0, 8, false));
    CU_ASSERT_FALSE(lists(&desks[0].cert));
    CU_ASSERT_FALSE(unlists(DC_REGISTRAR_GENESIS));
    struct dc_tx tx = said(&desks[0].cert, 0, bytes);
    CU_ASSERT_FALSE(taken(&zero, &tx));
    CU_ASSERT_FALSE(taken(&c.set.registrar, &tx));
    CU_ASSERT_PTR_NULL(dc_state_signer(chain_state(&c), &tx, 9)); /* and no key that is zero */
    chain_free(&c);
}

/* From a list of nobody to a chain on which another key does all that genesis' did. */
static struct dc_hash rotation(bool memo)
{
    start(with_root, memo);
    open_desk(0, 0, 100);
    open_desk(1, 0, 100);
    CU_ASSERT_FALSE(registers_by(0, 8, true));
    CU_ASSERT_TRUE(lists(&desks[0].cert));
    CU_ASSERT_TRUE(registers_by(0, 9, true));
    CU_ASSERT_TRUE(registers_by(0, 10, false));
    CU_ASSERT_TRUE(renews(0, 4, true));
    CU_ASSERT_TRUE(renews(0, 5, false));
    CU_ASSERT_TRUE(registers_genesis(11)); /* side by side */
    uint64_t serial = dc_state_account(chain_state(&c), ACCOUNTS)->serial;
    /* REVOKE: everybody's nonces are his own, and a name needs its key. */
    CU_ASSERT_FALSE(revokes(&desks[1].key, 2, 0, serial));
    CU_ASSERT_FALSE(revokes(&desks[1].key, 3, 0, serial)); /* not listed yet */
    CU_ASSERT_FALSE(revokes(&desks[0].key, 0, 0, serial));
    CU_ASSERT_FALSE(revokes(&desks[0].key, 2, 1, serial));
    CU_ASSERT_FALSE(revokes(&desks[0].key, 2, 0, 77)); /* nobody's */
    CU_ASSERT_TRUE(revokes(&desks[0].key, 2, 0, serial));
    CU_ASSERT_TRUE(revoked(ACCOUNTS));
    CU_ASSERT_FALSE(revokes(&desks[0].key, 2, 0, serial + 1)); /* that nonce is used */
    CU_ASSERT_TRUE(revokes(&c.set.registrar, 0, 0, serial + 1));
    CU_ASSERT_TRUE(revoked(ACCOUNTS + 1));
    /* Both other registrars go, the next does all; what they certified stands. */
    CU_ASSERT_TRUE(lists(&desks[1].cert));
    CU_ASSERT_TRUE(unlists(DC_REGISTRAR_GENESIS));
    CU_ASSERT_FALSE(unlists(DC_REGISTRAR_GENESIS));
    CU_ASSERT_FALSE(registers_genesis(12));
    CU_ASSERT_FALSE(revokes(&c.set.registrar, 0, 1, 511));
    CU_ASSERT_TRUE(registers_by(0, 13, true));
    CU_ASSERT_TRUE(unlists(2));
    CU_ASSERT_FALSE(registers_by(0, 14, true));
    CU_ASSERT_FALSE(registers_by(0, 15, false));
    CU_ASSERT_FALSE(renews(0, 3, true));
    CU_ASSERT_FALSE(revokes(&desks[0].key, 2, 1, 511));
    for (uint32_t id = 0; id < dc_state_meta(chain_state(&c))->accounts; id++)
        CU_ASSERT_EQUAL(revoked(id), id == ACCOUNTS || id == ACCOUNTS + 1);
    struct dc_tx tx = {.kind = DC_TX_TRANSFER, .from = CLIENT};
    tx.transfer.nonce = dc_state_account(chain_state(&c), CLIENT)->nonce;
    tx.transfer.to = 0;
    tx.transfer.amount = 1;
    CU_ASSERT_TRUE(taken(&c.set.sign[CLIENT], &tx));
    CU_ASSERT_TRUE(registers_by(1, 16, true));
    CU_ASSERT_TRUE(renews(1, 3, true));
    CU_ASSERT_TRUE(revokes(&desks[1].key, 3, 0, 511)); /* whoever has issued it */
    CU_ASSERT_TRUE(revoked(ACCOUNTS + 2));
    struct dc_hash root_hash = dc_state_root(chain_state(&c));
    chain_free(&c);
    return root_hash;
}

static void test_rotated(void)
{
    struct dc_hash with = rotation(true), without = rotation(false);
    CU_ASSERT_TRUE(dc_hash_equal(&with, &without));
}

/* Who is not the root, and what it has not signed, or has said before. */
static void test_forged(void)
{
    uint8_t bytes[DC_CERT_BYTES], chain[DC_CERT_CHAIN_BYTES];
    start(with_root, true);
    open_desk(0, 0, 100);
    struct dc_tx first = said(&desks[0].cert, 0, bytes), tx = first;
    CU_ASSERT_FALSE(taken(&c.set.registrar, &tx));
    CU_ASSERT_FALSE(taken(&desks[0].key, &tx));
    CU_ASSERT_FALSE(taken(&c.set.sign[0], &tx));
    for (size_t at = 0; at < DC_CERT_BYTES;
         at += 7) { /* signed by the root, but not as a certificate */
        bytes[at] ^= 1;
        CU_ASSERT_FALSE(taken(&root_key, &tx));
        bytes[at] ^= 1;
    }
    tx.registrar.nonce = 1;
    CU_ASSERT_FALSE(taken(&root_key, &tx));
    /* By another root, of another chain, a node's, the root's own. */
    struct dc_cert cert = desks[0].cert;
    dc_cert_sign(root.crypto, &desks[0].key, &cert);
    CU_ASSERT_FALSE(lists(&cert));
    cert.chain++;
    dc_cert_sign(root.crypto, &root_key, &cert);
    CU_ASSERT_FALSE(lists(&cert));
    cert = desks[0].cert;
    cert.serial = DC_REGISTRAR_GENESIS;
    dc_cert_sign(root.crypto, &root_key, &cert);
    CU_ASSERT_FALSE(lists(&cert));
    certify(0, 8, DC_ROLE_STORAGE, chain);
    CU_ASSERT_TRUE(dc_cert_decode(chain + DC_CERT_BYTES, DC_CERT_BYTES, &cert));
    dc_cert_sign(root.crypto, &root_key, &cert);
    CU_ASSERT_FALSE(lists(&cert));
    CU_ASSERT_FALSE(lists(&root.cert));
    cert = certified(&desks[0].key, 0, 1); /* over */
    CU_ASSERT_FALSE(lists(&cert));
    cert = desks[0].cert;
    memcpy(cert.signing, root_key.public, 32);
    dc_cert_sign(root.crypto, &root_key, &cert);
    CU_ASSERT_FALSE(lists(&cert));
    /* Once, and never again. */
    CU_ASSERT_EQUAL(dc_state_vault(chain_state(&c))->registrars.changes, 0);
    CU_ASSERT_TRUE(taken(&root_key, &first));
    CU_ASSERT_FALSE(taken(&root_key, &first));
    CU_ASSERT_FALSE(lists(&desks[0].cert));
    /* A node's certificate that names somebody else as its issuer, and one by nobody. */
    CU_ASSERT_TRUE(dc_cert_decode(chain + DC_CERT_BYTES, DC_CERT_BYTES, &cert));
    for (int how = 0; how < 3; how++) {
        cert.issuer = UINT64_MAX - (how == 0);
        dc_cert_sign(root.crypto, how == 1 ? &root_key : &desks[0].key, &cert);
        dc_cert_encode(&cert, bytes);
        CU_ASSERT_EQUAL(registers(bytes, sizeof bytes), how == 2);
    }
    first = said(&desks[0].cert, 0, bytes);
    first.registrar.nonce = 0;
    CU_ASSERT_TRUE(unlists(2));
    CU_ASSERT_FALSE(taken(&root_key, &first));
    chain_free(&c);
}

/* A key falls with all its serials, that of genesis too. */
static void test_keys(void)
{
    start(with_root, true);
    open_desk(0, 0, 100);
    struct dc_cert again = certified(&desks[0].key, 0, 200); /* serial 3 */
    struct dc_cert genesis = certified(&c.set.registrar, 0, 200);
    struct dc_cert once_more = certified(&desks[0].key, 0, 300);
    CU_ASSERT_TRUE(lists(&desks[0].cert));
    CU_ASSERT_TRUE(lists(&again));
    CU_ASSERT_TRUE(lists(&genesis));
    CU_ASSERT_TRUE(registers_genesis(8));
    CU_ASSERT_TRUE(unlists(again.serial));
    CU_ASSERT_FALSE(unlists(desks[0].cert.serial));
    CU_ASSERT_FALSE(registers_by(0, 9, true));
    CU_ASSERT_FALSE(registers_by(0, 10, false));
    CU_ASSERT_FALSE(lists(&once_more));
    desks[0].cert = once_more; /* nor before a node's certificate, listed nowhere */
    CU_ASSERT_FALSE(registers_by(0, 13, false));
    CU_ASSERT_TRUE(registers_genesis(11));
    CU_ASSERT_TRUE(unlists(genesis.serial));
    CU_ASSERT_FALSE(registers_genesis(12));
    CU_ASSERT_FALSE(unlists(DC_REGISTRAR_GENESIS));
    chain_free(&c);
}

/* A node's certificate that claims to hold for longer than its registrar. */
static bool registers_long(uint32_t d, uint64_t subject)
{
    uint8_t bytes[DC_CERT_CHAIN_BYTES];
    struct dc_cert cert;
    certify(d, subject, DC_ROLE_STORAGE, bytes);
    CU_ASSERT_TRUE(dc_cert_decode(bytes + DC_CERT_BYTES, DC_CERT_BYTES, &cert));
    cert.from_height = 0;
    cert.end_height = 1000;
    dc_cert_sign(root.crypto, &desks[d].key, &cert);
    dc_cert_encode(&cert, bytes);
    return registers(bytes, DC_CERT_BYTES);
}

/* Listed before its time, and over after it; nine do not fit, until the first is over. */
static void test_places(void)
{
    start(with_root, true);
    for (uint32_t d = 0; d < DESKS; d++)
        open_desk(d, d == 1 ? 30 : 0, d == 0 ? 20 : 100);
    for (uint32_t d = 0; d < DC_REGISTRARS_MAX; d++)
        CU_ASSERT_TRUE(lists(&desks[d].cert));
    CU_ASSERT_TRUE(registers_by(0, 8, true));
    CU_ASSERT_FALSE(registers_by(1, 9, true));
    CU_ASSERT_FALSE(registers_long(1, 19));
    CU_ASSERT_FALSE(revokes(&desks[1].key, 3, 0, 1000)); /* 1000: that of account 8 */
    CU_ASSERT_FALSE(lists(&desks[DC_REGISTRARS_MAX].cert));
    CU_ASSERT_FALSE(unlists(desks[DC_REGISTRARS_MAX].cert.serial));
    CU_ASSERT_TRUE(unlists(4)); /* what is listed needs no place */
    while (c.tip->header.height < 18)
        chain_step(&c);
    CU_ASSERT_FALSE(lists(&desks[DC_REGISTRARS_MAX].cert)); /* height 19: not yet */
    CU_ASSERT_FALSE(revokes(&desks[0].key, 2, 0, 1000));    /* height 20: over */
    CU_ASSERT_FALSE(registers_by(0, 10, true));
    CU_ASSERT_FALSE(registers_long(0, 20));
    CU_ASSERT_TRUE(lists(&desks[DC_REGISTRARS_MAX].cert));
    CU_ASSERT_FALSE(lists(&desks[DC_REGISTRARS_MAX + 1].cert));
    CU_ASSERT_FALSE(lists(&desks[0].cert)); /* over */
    CU_ASSERT_TRUE(registers_by(DC_REGISTRARS_MAX, 11, true));
    CU_ASSERT_FALSE(registers_by(2, 12, true)); /* serial 4, revoked */
    while (c.tip->header.height < 29)
        chain_step(&c);
    CU_ASSERT_TRUE(registers_by(1, 13, true));
    CU_ASSERT_TRUE(registers_long(1, 21));
    CU_ASSERT_TRUE(revokes(&desks[1].key, 3, 0, 1000));
    CU_ASSERT_TRUE(revoked(ACCOUNTS));
    chain_free(&c);
}

/* The list is in the root, every word of it; and there is nothing where nothing was said. */
static void test_digest(void)
{
    enum { STORIES = 9 };
    static const struct dc_hash none;
    struct dc_hash root_hash[STORIES];
    for (int story = 0; story < STORIES; story++) {
        struct dc_state_summary sum;
        start(with_root, true);
        open_desk(0, 0, 100);
        struct dc_cert cert = desks[0].cert;
        cert.serial += story == 1;
        cert.subject -= story == 2;
        cert.from_height += story == 3;
        cert.end_height += story == 4;
        if (story == 5)
            memcpy(cert.signing, c.set.sign[0].public, 32);
        dc_cert_sign(root.crypto, story == 0 ? &desks[0].key : &root_key, &cert);
        if (story < 7) {
            CU_ASSERT_EQUAL(lists(&cert), story != 0);
        } else {
            CU_ASSERT_TRUE(unlists(story == 7 ? cert.serial : DC_REGISTRAR_GENESIS));
        }
        root_hash[story] = dc_state_root(chain_state(&c));
        CU_ASSERT_TRUE(dc_store_summary(c.store, c.tip, &sum));
        CU_ASSERT_EQUAL(dc_hash_equal(&sum.part[6], &none), story == 0);
        chain_free(&c);
        for (int other = 0; other < story; other++)
            CU_ASSERT_FALSE(dc_hash_equal(&root_hash[story], &root_hash[other]));
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"chains of certificates", test_chains},
        {"no root", test_no_root},
        {"another registrar, memo on and off", test_rotated},
        {"forged and repeated", test_forged},
        {"keys under several serials", test_keys},
        {"validity, and eight places", test_places},
        {"in the state root", test_digest},
    };
    dc_crypto_init();
    return TEST_MAIN("identities on chain", cases);
}
