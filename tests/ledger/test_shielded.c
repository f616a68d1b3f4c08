/* SHIELD and SHIELDED on a chain: money goes in, from hand to hand and out; every validator refuses
 * what is spent twice, replayed, forged, too young or not there. */
#include "models/ledger/vault_impl.h"
#include "models/privacy/transfer.h"
#include "tests/ledger/chain.h"

#define CLIENT 7u /* account: after four validators and three service nodes */
#define FEE 100u
#define RING 4u

static const struct dc_genesis_spec spec = {.seed = 5,
                                            .chain = CHAIN_ID,
                                            .validators = 4,
                                            .services = 3,
                                            .clients = 2,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 3000 * DC_DSYNC,
                                            .capacity_bytes = 16ull << 30,
                                            .regions = 2};
static struct dc_stealth_keys alice, bob;
static struct chain c;
static uint64_t seeds;

static void seed_next(uint8_t seed[32])
{
    memset(seed, 0, 32);
    dc_put64(seed, ++seeds);
}

static void begin(void)
{
    uint8_t seed[32];
    struct dc_params p = chain_params();
    p.decoys = 10;
    p.ring = RING;
    p.note_age = 2;
    p.fee_private = FEE;
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    seed_next(seed);
    dc_stealth_keys_from_seed(seed, &alice);
    seed_next(seed);
    dc_stealth_keys_from_seed(seed, &bob);
}

static uint64_t balance(uint32_t account)
{
    return dc_state_account(chain_state(&c), account)->balance;
}
static const struct dc_vault_meta *vault(void)
{
    return dc_state_vault(chain_state(&c));
}

/* --- making ---------------------------------------------------------------------------------- */

static bool shield(const struct dc_stealth_keys *to, uint64_t amount, uint64_t fee, uint64_t nonce)
{
    uint8_t seed[32], shared[32];
    struct dc_stealth_output o;
    struct dc_tx tx = {.kind = DC_TX_SHIELD, .from = CLIENT};
    seed_next(seed);
    CU_ASSERT_TRUE(dc_stealth_send(&to->address, seed, 0, &o, shared));
    tx.shield.nonce = nonce;
    tx.shield.amount = amount;
    tx.shield.fee = fee;
    tx.shield.address = (const uint8_t *)&o;
    return chain_taken(&c, &tx);
}

/* What the owner of a note finds in the state; false when it is not his. */
static bool own(const struct dc_stealth_keys *keys, uint32_t id, struct dc_transfer_source *out)
{
    const struct dc_vault_note *n = dc_state_note(chain_state(&c), id);
    struct dc_stealth_output o = {.view_tag = n->view_tag};
    uint8_t shared[32], amount[8], commitment[32];
    memset(out, 0, sizeof *out);
    memcpy(o.key, n->key, 32);
    memcpy(o.ephemeral, n->ephemeral, 32);
    if (!dc_stealth_recognise(keys->view_secret, keys->address.spend, &o, 0, shared, NULL))
        return false;
    dc_stealth_secret(keys->spend_secret, shared, out->key);
    memcpy(amount, n->amount, 8);
    out->blinding[0] = 1;
    if (!n->minted) {
        dc_stealth_mask(shared, n->amount, amount);
        dc_stealth_blinding(shared, out->blinding);
    }
    out->amount = dc_get64(amount);
    CU_ASSERT_TRUE(dc_transfer_commit(out->amount, out->blinding, commitment));
    CU_ASSERT_EQUAL(memcmp(commitment, n->commitment, 32), 0);
    return true;
}

/* A payment to be: rings and members have to live as long as the plan. */
struct order {
    struct dc_transfer_plan plan;
    uint32_t id[2][RING];
    struct dc_ring_member member[2][RING];
    uint8_t body[DC_TRANSFER_BYTES_MAX], bytes[DC_TRANSFER_BYTES_MAX + 16];
    size_t size, body_size;
};

/* A ring of `note` and the decoys first, first + 1, ... */
static void order_ring(struct order *o, uint32_t input, uint32_t note, uint32_t first)
{
    uint32_t *id = o->id[input];
    for (uint32_t i = 0; i + 1 < RING; i++)
        id[i] = first + i;
    id[RING - 1] = note;
    for (uint32_t i = RING - 1; i > 0 && id[i - 1] > id[i]; i--) {
        uint32_t swap = id[i];
        id[i] = id[i - 1];
        id[i - 1] = swap;
    }
    struct dc_transfer_source *s = &o->plan.source[input];
    s->id = id;
    s->member = o->member[input];
    for (uint32_t i = 0; i < RING; i++) {
        const struct dc_vault_note *n = dc_state_note(chain_state(&c), id[i]);
        s->index = id[i] == note ? i : s->index;
        if (n == NULL)
            continue; /* a ring of what is not there */
        memcpy(o->member[input][i].key, n->key, 32);
        memcpy(o->member[input][i].commitment, n->commitment, 32);
    }
}

/* `from` pays `amount` of one note to `to`, the rest to himself but what leaves to the client. */
static void order_make(struct order *o, const struct dc_stealth_keys *from, uint32_t note,
                       const struct dc_stealth_keys *to, uint64_t amount, uint64_t unshield)
{
    memset(o, 0, sizeof *o);
    CU_ASSERT_TRUE_FATAL(own(from, note, &o->plan.source[0]));
    o->plan.chain = CHAIN_ID;
    o->plan.inputs = 1;
    o->plan.outputs = 2;
    o->plan.ring = RING;
    o->plan.fee = FEE;
    o->plan.unshield = unshield;
    o->plan.to = unshield != 0 ? CLIENT : DC_NOBODY;
    order_ring(o, 0, note, 0);
    seed_next(o->plan.seed);
    o->plan.target[0] = (struct dc_transfer_target){&to->address, amount};
    o->plan.target[1] = (struct dc_transfer_target){&from->address, o->plan.source[0].amount -
                                                                        amount - unshield - FEE};
}

static void order_wrap(struct order *o)
{
    struct dc_tx tx = {.kind = DC_TX_SHIELDED, .from = DC_NOBODY};
    tx.shielded.body = o->body;
    tx.shielded.size = (uint32_t)o->body_size;
    o->size = dc_tx_sign(&c.crypto, CHAIN_ID, NULL, &tx, o->bytes, sizeof o->bytes);
    CU_ASSERT_FATAL(o->size != 0);
}

static void order_prove(struct order *o)
{
    o->body_size = dc_transfer_prove(&o->plan, o->body);
    CU_ASSERT_FATAL(o->body_size != 0);
    order_wrap(o);
}

static bool taken(const struct order *o)
{
    chain_put(&c, o->bytes, o->size);
    return chain_taken_queued(&c);
}

static void wait_heights(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        chain_step(&c);
}

/* --- cases ----------------------------------------------------------------------------------- */

static void test_shield(void)
{
    struct dc_transfer_source s;
    begin();
    uint64_t before = balance(CLIENT);
    CU_ASSERT_TRUE(vault()->notes == 10 && vault()->pool == 0);
    CU_ASSERT_FALSE(shield(&alice, 5000, FEE - 1, 0)); /* for ever costs at least that */
    CU_ASSERT_FALSE(shield(&alice, 5000, 0, 0));
    CU_ASSERT_TRUE(shield(&alice, 5000, FEE + 7, 0));
    CU_ASSERT_EQUAL(balance(CLIENT), before - 5007 - FEE);
    CU_ASSERT_TRUE(vault()->notes == 11 && vault()->pool == 5000);
    CU_ASSERT_TRUE(own(&alice, 10, &s));
    CU_ASSERT_EQUAL(s.amount, 5000);
    CU_ASSERT_FALSE(own(&bob, 10, &s));
    CU_ASSERT_EQUAL(dc_state_note(chain_state(&c), 10)->height, 3);
    CU_ASSERT_FALSE(shield(&alice, 5000, FEE + 7, 0)); /* the nonce is used */
    CU_ASSERT_FALSE(shield(&alice, 0, FEE, 1));
    CU_ASSERT_FALSE(shield(&alice, before, FEE, 1)); /* more than there is */
    CU_ASSERT_FALSE(shield(&alice, UINT64_MAX, FEE, 1));
    before -= 5007 + FEE;
    CU_ASSERT_FALSE(shield(&alice, before - FEE, FEE + 1, 1));
    CU_ASSERT_TRUE(shield(&alice, before - FEE, FEE, 1)); /* all of it */
    CU_ASSERT_EQUAL(balance(CLIENT), 0);
    struct dc_tx tx = {.kind = DC_TX_SHIELD, .from = CLIENT + 1};
    uint8_t nowhere[DC_NOTE_ADDRESS_BYTES] = {0};
    tx.shield.amount = 5;
    tx.shield.fee = FEE;
    tx.shield.address = nowhere;
    CU_ASSERT_FALSE(chain_taken(&c, &tx)); /* the identity is nobody's key */
    memset(nowhere, 0xff, sizeof nowhere);
    CU_ASSERT_FALSE(chain_taken(&c, &tx));
    chain_free(&c);
}

/* Alice has `amount` in note 10, which is old enough. */
static void begin_with(uint64_t amount)
{
    begin();
    CU_ASSERT_TRUE(shield(&alice, amount, FEE, 0));
    wait_heights(2);
}

static void test_pay(void)
{
    struct order o;
    struct dc_transfer_source s;
    begin_with(10000);
    uint64_t before = balance(CLIENT), fees = dc_state_meta(chain_state(&c))->fees;
    order_make(&o, &alice, 10, &bob, 4000, 0);
    order_prove(&o);
    CU_ASSERT_TRUE(taken(&o));
    CU_ASSERT_TRUE(vault()->notes == 13 && vault()->images == 1);
    CU_ASSERT_EQUAL(vault()->pool, 10000 - FEE);
    CU_ASSERT_EQUAL(dc_state_meta(chain_state(&c))->fees, fees + FEE);
    CU_ASSERT_TRUE(own(&bob, 11, &s) && s.amount == 4000);
    CU_ASSERT_TRUE(own(&alice, 12, &s) && s.amount == 5900);
    wait_heights(1);
    order_make(&o, &bob, 11, &alice, 900, 3000); /* Bob takes the rest out */
    order_prove(&o);
    CU_ASSERT_TRUE(taken(&o));
    CU_ASSERT_EQUAL(balance(CLIENT), before + 3000);
    CU_ASSERT_EQUAL(vault()->pool, 10000 - 2 * FEE - 3000);
    CU_ASSERT_TRUE(own(&alice, 13, &s) && s.amount == 900);
    wait_heights(1);
    struct dc_transfer_source second; /* Alice puts two together */
    CU_ASSERT_TRUE(own(&alice, 13, &second));
    order_make(&o, &alice, 12, &bob, 0, 0);
    o.plan.inputs = 2;
    o.plan.source[1] = second;
    order_ring(&o, 1, 13, 8);
    o.plan.target[0].amount = 5900 + 900 - FEE;
    o.plan.target[1].amount = 0;
    order_prove(&o);
    CU_ASSERT_TRUE(taken(&o));
    CU_ASSERT_TRUE(own(&bob, 15, &s) && s.amount == 6700);
    CU_ASSERT_EQUAL(vault()->images, 4);
    chain_free(&c);
}

/* The same note again: the same bytes, another ring, one block, a second payment. */
static void test_twice(void)
{
    struct order o, other;
    begin_with(10000);
    order_make(&o, &alice, 10, &bob, 4000, 0);
    order_prove(&o);
    order_make(&other, &alice, 10, &alice, 9000, 0);
    order_ring(&other, 0, 10, 5);
    order_prove(&other);
    struct dc_transfer a, b;
    CU_ASSERT_TRUE(dc_transfer_decode(o.body, o.body_size, &a));
    CU_ASSERT_TRUE(dc_transfer_decode(other.body, other.body_size, &b));
    CU_ASSERT_EQUAL(memcmp(a.input[0].image, b.input[0].image, 32), 0);
    chain_put(&c, o.bytes, o.size);
    chain_put(&c, other.bytes, other.size);
    chain_put(&c, o.bytes, o.size);
    chain_step(&c);
    CU_ASSERT_TRUE(c.chosen[0] && !c.chosen[1] && !c.chosen[2]);
    CU_ASSERT_EQUAL(vault()->images, 1);
    wait_heights(3);
    CU_ASSERT_FALSE(taken(&o));
    CU_ASSERT_FALSE(taken(&other));
    CU_ASSERT_EQUAL(vault()->notes, 13);
    chain_free(&c);
}

static void test_rules(void)
{
    struct order o;
    begin();
    CU_ASSERT_TRUE(shield(&alice, 10000, FEE, 0)); /* height 1 */
    order_make(&o, &alice, 10, &bob, 4000, 0);
    order_prove(&o);
    CU_ASSERT_FALSE(taken(&o)); /* at height 2 it is 1 old */
    CU_ASSERT_TRUE(taken(&o));  /* at height 3 it is 2 old */
    CU_ASSERT_TRUE(shield(&alice, 10000, FEE, 1));
    wait_heights(1);
    order_make(&o, &alice, 13, &bob, 4000, 0);
    o.plan.fee--;
    o.plan.target[1].amount++;
    order_prove(&o);
    CU_ASSERT_FALSE(taken(&o)); /* the fee is too low */
    order_make(&o, &alice, 13, &bob, 4000, 0);
    o.plan.ring = RING - 1; /* another size of ring */
    o.plan.source[0].id = o.id[0] + 1;
    o.plan.source[0].member = o.member[0] + 1;
    o.plan.source[0].index--;
    order_prove(&o);
    CU_ASSERT_FALSE(taken(&o));
    order_make(&o, &alice, 13, &bob, 4000, 500);
    o.plan.to = 500; /* nobody has that account */
    order_prove(&o);
    CU_ASSERT_FALSE(taken(&o));
    order_make(&o, &alice, 13, &bob, 4000, 0);
    o.plan.chain++;
    order_prove(&o);
    CU_ASSERT_FALSE(taken(&o));
    order_make(&o, &alice, 13, &bob, 4000, 0);
    order_prove(&o);
    dc_put32(o.body + 23 + 32 + 4 * (RING - 1), 5000); /* a note that is not there */
    CU_ASSERT_TRUE(dc_transfer_resign(&o.plan, o.body, o.body_size));
    order_wrap(&o);
    CU_ASSERT_FALSE(taken(&o));
    order_make(&o, &alice, 13, &bob, 4000, 0);
    order_prove(&o);
    CU_ASSERT_TRUE(taken(&o));
    chain_free(&c);
}

/* Somebody else's payment, changed on its way: no block may have it.  A bit of every 23rd byte; all
 * of them are in tests/privacy. */
static void test_changed(void)
{
    struct order o;
    begin_with(10000);
    order_make(&o, &alice, 10, &bob, 4000, 2000);
    order_prove(&o);
    for (size_t i = 5; i < o.size; i += 23) {
        uint8_t bit = (uint8_t)(1u << i % 8);
        o.bytes[i] ^= bit;
        chain_put(&c, o.bytes, o.size);
        chain_step(&c);
        CU_ASSERT_FALSE(c.chosen[0]);
        o.bytes[i] ^= bit;
    }
    CU_ASSERT_TRUE(taken(&o));
    chain_free(&c);
}

/* Random rings, a coin at a time, and notes that nobody owns: none is spent without its key. */
static void test_forged(void)
{
    struct order o;
    begin_with(10000);
    order_make(&o, &alice, 10, &bob, 4000, 0);
    order_prove(&o);
    size_t signature = o.body_size - dc_clsag_bytes(RING);
    for (uint32_t i = 0; i < 40; i++) {
        uint8_t seed[32];
        struct dc_hash noise;
        struct order forged = o;
        for (size_t k = 0; k < RING + 1; k++) { /* responses of chance, for a fresh image */
            seed_next(seed);
            noise = dc_hash_bytes(DC_DOMAIN_TEST, seed, 32);
            noise.b[31] &= 0x0f;
            memcpy(forged.body + signature + 32 * k, noise.b, 32);
        }
        seed_next(seed);
        seed[31] = 0;
        CU_ASSERT_TRUE(dc_clsag_key_image(seed, forged.body + signature + 32 * (size_t)(RING + 1)));
        order_wrap(&forged);
        CU_ASSERT_FALSE(taken(&forged));
    }
    CU_ASSERT_EQUAL(vault()->images, 0);
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"shield", test_shield},
        {"pay, take out, put together", test_pay},
        {"twice", test_twice},
        {"age, fee, rings, accounts, chain", test_rules},
        {"changed on its way", test_changed},
        {"forged", test_forged},
    };
    return TEST_MAIN("shielded", cases);
}
