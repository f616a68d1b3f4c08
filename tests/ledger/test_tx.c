#include "models/base/rng.h"
#include "models/wire/tx.h"
#include "tests/support/harness.h"

#include <stdlib.h>
#include <string.h>

/* Every kind of transaction: there and back, under truncation and every single-bit flip. */

static struct dc_crypto crypto;
static struct dc_keypair key;
static uint8_t filler[600];

static uint32_t samples(struct dc_tx *t)
{
    static uint8_t votes[2 * DC_LATE_VOTE_BYTES], conflict[DC_EVIDENCE_BYTES_MAX];
    struct dc_vote a = {.epoch = 3, .round = 5, .block = {{1}}},
                   b = {.epoch = 3, .round = 5, .block = {{2}}};
    size_t size = dc_evidence_of_votes(&a, &b, conflict);
    CU_ASSERT_FATAL(size != 0);
    for (size_t i = 0; i < sizeof filler; i++)
        filler[i] = (uint8_t)dc_mix64(i);
    dc_put16(votes, 3);
    dc_put16(votes + DC_LATE_VOTE_BYTES, 9);
    uint32_t n = 0;
    t[n] = (struct dc_tx){.kind = DC_TX_TRANSFER, .from = 5};
    t[n].transfer.nonce = 1;
    t[n].transfer.amount = 77;
    t[n].transfer.fee = 2;
    t[n++].transfer.to = 9;
    for (uint8_t kind = DC_TX_BOND; kind <= DC_TX_UNBOND; kind++) {
        t[n] = (struct dc_tx){.kind = kind, .from = 6};
        t[n].bond.amount = 1u << 30;
        t[n++].bond.lock_tier = 3;
    }
    for (uint8_t kind = DC_TX_REGISTER; kind <= DC_TX_RENEW; kind++) {
        t[n] = (struct dc_tx){.kind = kind, .from = 7};
        t[n].reg.capacity_bytes = 1ull << 40;
        t[n].reg.certificate = filler;
        t[n++].reg.certificate_size = 230;
    }
    t[n] = (struct dc_tx){.kind = DC_TX_REVOKE, .from = UINT32_MAX};
    t[n++].revoke.serial = 12;
    t[n] = (struct dc_tx){.kind = DC_TX_REVOKE, .from = DC_REGISTRAR};
    t[n].revoke.nonce = 5;
    t[n++].revoke.registrar = 2;
    for (uint32_t lists = 0; lists < 2; lists++) {
        t[n] = (struct dc_tx){.kind = DC_TX_REGISTRAR, .from = DC_NOBODY};
        t[n].registrar.nonce = 6;
        t[n].registrar.revoked = lists ? 0 : 3;
        t[n++].registrar.certificate = lists ? filler : NULL;
    }
    t[n] = (struct dc_tx){.kind = DC_TX_DEAL, .from = 8};
    t[n].deal.epochs = 4;
    t[n++].deal.node_signature = filler;
    t[n] = (struct dc_tx){.kind = DC_TX_METER, .from = 8};
    t[n].meter.nonce = 3;
    t[n].meter.paid_bytes = 1ull << 33;
    t[n++].meter.deal = 70000;
    t[n] = (struct dc_tx){.kind = DC_TX_SHIELD, .from = 8};
    t[n].shield.amount = 5;
    t[n++].shield.address = filler;
    t[n] = (struct dc_tx){.kind = DC_TX_SHIELDED, .from = DC_NOBODY};
    t[n].shielded.body = filler;
    t[n++].shielded.size = 99;
    for (uint32_t named = 0; named < 2; named++) {
        t[n] = (struct dc_tx){.kind = DC_TX_CALL, .from = named ? 8 : DC_NOBODY};
        t[n].call.nonce = named;
        t[n].call.contract = DC_CONTRACT_NEW;
        t[n].call.body = filler;
        t[n++].call.size = 77;
    }
    t[n] = (struct dc_tx){.kind = DC_TX_GRANT, .from = DC_NOBODY};
    t[n++].grant.to = 4;
    t[n] = (struct dc_tx){.kind = DC_TX_BEACON, .from = 3};
    t[n].beacon.height = 6;
    t[n++].beacon.share = filler;
    t[n] = (struct dc_tx){.kind = DC_TX_RECEIPT, .from = 8};
    t[n].receipt.sent = 10;
    t[n].receipt.ok = 9;
    t[n].receipt.timely = 8;
    t[n++].receipt.node_signature = filler;
    t[n] = (struct dc_tx){.kind = DC_TX_HEARTBEAT, .from = 8};
    t[n++].heartbeat.height = 99;
    t[n] = (struct dc_tx){.kind = DC_TX_VERDICT, .from = 8};
    t[n].verdict.verdict = DC_TX_VERDICT_MAX;
    t[n++].verdict.asking = 2;
    t[n] = (struct dc_tx){.kind = DC_TX_ANSWER, .from = 8};
    t[n].answer.proof = filler;
    t[n++].answer.proof_size = 333;
    t[n] = (struct dc_tx){.kind = DC_TX_EVIDENCE, .from = 8};
    t[n].evidence.kind = DC_EVIDENCE_VOTES;
    t[n].evidence.proof = conflict;
    t[n++].evidence.proof_size = (uint32_t)size;
    t[n] = (struct dc_tx){.kind = DC_TX_EVIDENCE, .from = 8};
    t[n].evidence.kind = DC_EVIDENCE_ANSWER;
    t[n].evidence.proof = filler;
    t[n++].evidence.proof_size = 50;
    t[n] = (struct dc_tx){.kind = DC_TX_VOTES, .from = 8};
    t[n].votes.votes = votes;
    t[n++].votes.votes_size = sizeof votes;
    return n;
}
#define SAMPLES_MAX 28

static size_t tail(const struct dc_tx *tx)
{
    return dc_tx_signed(tx) ? DC_SIGNATURE_BYTES : 0;
}

/* What nobody signs is held together by its own proofs (tests/ledger/test_shielded.c). */
static bool verifies(const uint8_t *bytes, size_t size, const struct dc_tx *tx)
{
    if (!dc_tx_signed(tx))
        return false;
    struct dc_hash digest = dc_tx_digest(7, bytes, size - 64);
    return dc_verify(&crypto, key.public, digest.b, 32, tx->signature);
}

static void test_round_trip(void)
{
    struct dc_tx t[SAMPLES_MAX], out;
    uint32_t n = samples(t), kinds = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t bytes[1024], again[1024];
        size_t size = dc_tx_sign(&crypto, 7, &key, &t[i], bytes, sizeof bytes);
        CU_ASSERT_FATAL(size > 64);
        CU_ASSERT_TRUE(dc_tx_decode(bytes, size, &out));
        CU_ASSERT_EQUAL(out.kind, t[i].kind);
        CU_ASSERT_EQUAL(out.from, t[i].from);
        CU_ASSERT_EQUAL(dc_tx_encode_unsigned(&out, again, sizeof again), size - tail(&out));
        CU_ASSERT_EQUAL(memcmp(bytes, again, size - tail(&out)), 0);
        CU_ASSERT_TRUE(verifies(bytes, size, &out) || tail(&out) == 0);
        for (size_t room = 0; room < size; room++)
            CU_ASSERT_EQUAL(dc_tx_sign(&crypto, 7, &key, &t[i], again, room), 0);
        kinds |= 1u << out.kind;
        if (out.kind == DC_TX_HEARTBEAT)
            CU_ASSERT_EQUAL(size, DC_TX_HEARTBEAT_BYTES);
        if (out.kind == DC_TX_VERDICT)
            CU_ASSERT_EQUAL(size, DC_TX_VERDICT_BYTES);
    }
    CU_ASSERT_EQUAL(kinds, (1u << DC_TX_COUNT) - 2); /* every kind is among the samples */
}

static void test_truncated(void)
{
    struct dc_tx t[SAMPLES_MAX], out;
    uint32_t n = samples(t);
    for (uint32_t i = 0; i < n; i++) {
        uint8_t bytes[1024];
        size_t size = dc_tx_sign(&crypto, 7, &key, &t[i], bytes, sizeof bytes);
        for (size_t cut = 0; cut < size; cut++) {
            uint8_t *exact = malloc(cut + 1); /* so that a sanitizer sees any byte too far */
            memcpy(exact, bytes, cut);
            CU_ASSERT_FALSE(dc_tx_decode(exact, cut, &out));
            free(exact);
        }
        bytes[size] = 0;
        CU_ASSERT_FALSE(dc_tx_decode(bytes, size + 1, &out));
    }
}

/* Each flipped bit is refused by the decoder or by the signature, and what still decodes is still
 * canonical. */
static void test_flips(void)
{
    struct dc_tx t[SAMPLES_MAX], out;
    uint32_t n = samples(t), refused = 0, unsigned_ = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint8_t bytes[1024], again[1024];
        size_t size = dc_tx_sign(&crypto, 7, &key, &t[i], bytes, sizeof bytes);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (dc_tx_decode(bytes, size, &out)) {
                CU_ASSERT_EQUAL(dc_tx_encode_unsigned(&out, again, sizeof again),
                                size - tail(&out));
                CU_ASSERT_EQUAL(memcmp(bytes, again, size - tail(&out)), 0);
                CU_ASSERT_FALSE(verifies(bytes, size, &out));
                unsigned_++;
            } else {
                refused++;
            }
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    CU_ASSERT_TRUE(refused > 100 && unsigned_ > 1000);
}

/* Random bytes never crash the decoder. */
static void test_noise(void)
{
    uint8_t bytes[400];
    struct dc_tx out;
    uint64_t x = 1;
    for (uint32_t i = 0; i < 100000; i++) {
        size_t size = dc_mix64(++x) % sizeof bytes;
        for (size_t j = 0; j < size; j++)
            bytes[j] = (uint8_t)dc_mix64(++x);
        if (size > 0)
            bytes[0] %= DC_TX_COUNT + 1;
        if (size > 24 && i % 2 == 0) { /* small lengths, so that some get far */
            memset(bytes + 11, 0, 12);
            bytes[13] = (uint8_t)(size & 63);
        }
        dc_tx_decode(bytes, size, &out);
    }
    CU_ASSERT_FALSE(dc_tx_decode(bytes, 0, &out));
}

int main(void)
{
    dc_crypto_init();
    uint8_t seed[32];
    dc_seed_derive(1, 1, DC_KEY_SIGN, 0, seed);
    dc_keypair_from_seed(seed, &key);
    static const struct test_case cases[] = {{"every kind there and back", test_round_trip},
                                             {"truncated", test_truncated},
                                             {"every single-bit flip", test_flips},
                                             {"noise", test_noise}};
    return TEST_MAIN("ledger/tx", cases);
}
