/* Calls of contracts with a kind made up for the purpose: who may call and what it costs, money,
 * entries, marks and turns, executed again without memo; and that a refused call changes nothing.
 *
 * The kind is found because this file says which kinds there are, in place of contracts.c. */
#include "models/ledger/contract.h"

#include "models/base/rng.h"
#include "models/ledger/vault_impl.h"
#include "tests/ledger/chain.h"

static const struct dc_genesis_spec spec = {.seed = 6,
                                            .chain = CHAIN_ID,
                                            .validators = 4,
                                            .services = 3,
                                            .clients = 3,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 3000 * DC_DSYNC,
                                            .capacity_bytes = 16ull << 30,
                                            .regions = 2};
enum { OWNER = 7, CALLER = 8, ACCOUNTS = 10, FEE = 1000, KIND = 2 };

/* --- the kind: a pot -------------------------------------------------------------------------- */

enum { POT_PUT = 1, POT_MARK, POT_GIVE };

/* body: close 8, end 8, put in 8, the word under which calls are good 1 */
static bool pot_create(const struct dc_contract_call *call, struct dc_contract *c)
{
    if (call->tx->call.size != 25)
        return false;
    const uint8_t *body = call->tx->call.body;
    c->close = dc_get64(body);
    c->end = dc_get64(body + 8);
    c->word[0] = body[24];
    return dc_contract_take(call->e, call->id, c->owner, dc_get64(body + 16));
}

static bool pot_good(const uint8_t *bytes, size_t size)
{
    return size == 2 && bytes[0] == bytes[1];
}

/* body: word 1 and 8 bytes of an amount, or a mark */
static bool pot_call(const struct dc_contract_call *call, const struct dc_contract *c)
{
    struct dc_exec *e = call->e;
    const struct dc_tx *tx = call->tx;
    if (tx->call.size < 9 || e->header->height > c->end)
        return false;
    const uint8_t *body = tx->call.body, proof[2] = {body[0], (uint8_t)c->word[0]};
    e->record->charge[DC_COST_POINT]++;
    if (!dc_execute_proof(e, DC_DOMAIN_TEST, proof, 2, pot_good))
        return false;
    if (tx->call.method == POT_MARK)
        return tx->call.size == 33 && dc_contract_mark(e, call->id, body + 1);
    uint64_t amount = dc_get64(body + 1);
    if (tx->from == DC_NOBODY)
        return false;
    if (tx->call.method == POT_PUT) {
        if (!dc_contract_take(e, call->id, tx->from, amount))
            return false;
        dc_contract_add(e, call->id, tx->from)->word[0] = amount;
        return true;
    }
    if (tx->call.method != POT_GIVE || amount > c->money)
        return false;
    dc_contract_give(e, call->id, tx->from, amount);
    if (c->last != DC_ENTRY_NONE)
        dc_contract_entry_edit(e, c->last)->word[1] += amount;
    return true;
}

/* At its close it counts; at its end all goes to the owner. */
static void pot_turn(struct dc_exec *e, uint32_t id, const struct dc_contract *c)
{
    struct dc_contract *own = dc_contract_edit(e, id);
    own->phase++;
    own->word[1] = e->header->height;
    if (c->end + 1 == e->header->height)
        dc_contract_give(e, id, c->owner, c->money);
}

static const struct dc_contract_class pot = {"pot", pot_create, pot_call, pot_turn};
const struct dc_contract_class *dc_contract_class_of(uint8_t kind)
{
    return kind == KIND ? &pot : NULL;
}

/* --- calling ---------------------------------------------------------------------------------- */

static struct dc_params params(void)
{
    struct dc_params p = chain_params();
    p.fee_private = FEE;
    return p;
}

static void put_call(struct chain *c, uint32_t from, uint32_t contract, uint8_t kind,
                     uint8_t method, uint64_t fee, const uint8_t *body, size_t size)
{
    static uint8_t bytes[80000];
    const struct dc_account *a = dc_state_account(chain_state(c), from);
    struct dc_tx tx = {.kind = DC_TX_CALL, .from = from};
    tx.call.nonce = a != NULL ? a->nonce : 0;
    tx.call.fee = fee;
    tx.call.contract = contract;
    tx.call.kind = kind;
    tx.call.method = method;
    tx.call.body = body;
    tx.call.size = (uint32_t)size;
    size_t n = dc_tx_sign(&c->crypto, CHAIN_ID, a != NULL ? &c->set.sign[from] : NULL, &tx, bytes,
                          sizeof bytes);
    CU_ASSERT_FATAL(n != 0);
    chain_put(c, bytes, n);
}

/* Whether one call was taken in a block of its own; a refused one leaves the root of an empty
 * block. */
static bool taken(struct chain *c, uint32_t from, uint32_t contract, uint8_t kind, uint8_t method,
                  uint64_t fee, const uint8_t *body, size_t size)
{
    struct dc_block_parts parts;
    chain_parts(c, &parts);
    CU_ASSERT_FATAL(dc_store_build(c->store, c->tip, &parts, NULL, 0, NULL, NULL));
    struct dc_hash without = parts.header.state_root;
    chain_parts_drop(&parts);
    put_call(c, from, contract, kind, method, fee, body, size);
    chain_step(c);
    bool chosen = c->chosen[0];
    CU_ASSERT_EQUAL(dc_hash_equal(&without, &c->tip->header.state_root), !chosen);
    CU_ASSERT(dc_state_conserved(chain_state(c)));
    return chosen;
}

static bool make(struct chain *c, uint64_t close, uint64_t end, uint64_t amount, uint64_t fee)
{
    uint8_t body[25] = {[24] = 9};
    dc_put64(body, close);
    dc_put64(body + 8, end);
    dc_put64(body + 16, amount);
    return taken(c, OWNER, DC_CONTRACT_NEW, KIND, 0, fee, body, sizeof body);
}

static bool put(struct chain *c, uint32_t from, uint8_t method, uint64_t amount, uint8_t word)
{
    uint8_t body[9] = {word};
    dc_put64(body + 1, amount);
    return taken(c, from, 0, KIND, method, from == DC_NOBODY ? 0 : FEE, body, sizeof body);
}

static bool mark(struct chain *c, uint8_t first)
{
    uint8_t body[33] = {9, first};
    return taken(c, DC_NOBODY, 0, KIND, POT_MARK, 0, body, sizeof body);
}

static uint64_t balance(const struct chain *c, uint32_t id)
{
    return dc_state_account(chain_state(c), id)->balance;
}

static void refused_makings(struct chain *c)
{
    uint8_t body[25] = {0};
    uint64_t now = c->tip->header.height + 1, has = balance(c, OWNER);
    CU_ASSERT_FALSE(make(c, now + 50, now + 90, 0, FEE - 1));
    CU_ASSERT_FALSE(make(c, now - 1, now + 90, 0, FEE)); /* what it would close at is past */
    CU_ASSERT_FALSE(make(c, now + 50, now + 40, 0, FEE));
    CU_ASSERT_FALSE(make(c, now + 50, UINT64_MAX, 0, FEE));
    CU_ASSERT_FALSE(make(c, now + 50, now + 90, has - FEE + 1, FEE)); /* amount and fee */
    CU_ASSERT_FALSE(make(c, now + 50, now + 90, UINT64_MAX, FEE));
    CU_ASSERT_FALSE(make(c, now + 50, now + 90, 0, has + 1));
    CU_ASSERT_FALSE(taken(c, OWNER, DC_CONTRACT_NEW, KIND, 0, FEE, body, 24));
    CU_ASSERT_FALSE(taken(c, OWNER, DC_CONTRACT_NEW, 1, 0, FEE, body, 25)); /* no such kind */
    CU_ASSERT_FALSE(taken(c, OWNER, DC_CONTRACT_NEW, 200, 0, FEE, body, 25));
    CU_ASSERT_FALSE(taken(c, OWNER, 0, KIND, POT_MARK, FEE, body, 25)); /* no such contract */
    CU_ASSERT_FALSE(taken(c, DC_NOBODY, DC_CONTRACT_NEW, KIND, 0, 0, body, 25));
    CU_ASSERT_PTR_NULL(chain_state(c)->vault);
    CU_ASSERT_EQUAL(balance(c, OWNER), has);
}

static void test_life(void)
{
    struct chain c;
    struct dc_params p = params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    chain_step(&c);
    refused_makings(&c);
    uint64_t has = balance(&c, OWNER), now = c.tip->header.height + 1;
    CU_ASSERT(make(&c, now + 9, now + 12, 500, FEE));
    CU_ASSERT_EQUAL(balance(&c, OWNER), has - 500 - FEE);
    const struct dc_contract *pot_now = dc_state_contract(chain_state(&c), 0);
    CU_ASSERT(pot_now->owner == OWNER && pot_now->kind == KIND && pot_now->money == 500 &&
              pot_now->opened == now && pot_now->last == DC_ENTRY_NONE);
    uint64_t caller = balance(&c, CALLER);
    CU_ASSERT_FALSE(put(&c, CALLER, POT_PUT, caller - FEE + 1, 9)); /* not beside the fee */
    CU_ASSERT_FALSE(put(&c, CALLER, POT_PUT, 1, 8));                /* its proof is wrong */
    CU_ASSERT_FALSE(put(&c, CALLER, 77, 1, 9));
    CU_ASSERT(put(&c, CALLER, POT_PUT, 40, 9));
    CU_ASSERT(put(&c, OWNER, POT_PUT, 2, 9));
    CU_ASSERT(put(&c, CALLER, POT_GIVE, 30, 9));
    CU_ASSERT_FALSE(put(&c, CALLER, POT_GIVE, 513, 9));
    CU_ASSERT_EQUAL(balance(&c, CALLER), caller - 40 + 30 - 2 * FEE);
    pot_now = dc_state_contract(chain_state(&c), 0);
    CU_ASSERT(pot_now->entries == 2 && pot_now->last == 1 && pot_now->money == 512);
    const struct dc_entry *x = dc_state_entry(chain_state(&c), 1);
    CU_ASSERT(x->contract == 0 && x->prev == 0 && x->from == OWNER && x->word[1] == 30);
    CU_ASSERT_EQUAL(dc_state_entry(chain_state(&c), 0)->prev, DC_ENTRY_NONE);
    CU_ASSERT_EQUAL(pot_now->phase, 0);
    CU_ASSERT(mark(&c, 1));
    CU_ASSERT_FALSE(mark(&c, 1));
    CU_ASSERT_EQUAL(c.tip->header.height, now + 9);
    CU_ASSERT_EQUAL(dc_state_contract(chain_state(&c), 0)->phase, 0);
    chain_step(&c);
    CU_ASSERT_EQUAL(dc_state_contract(chain_state(&c), 0)->phase, 1);
    CU_ASSERT_EQUAL(dc_state_contract(chain_state(&c), 0)->word[1], now + 10);
    CU_ASSERT(mark(&c, 2));
    has = balance(&c, OWNER);
    for (int i = 0; i < 3; i++)
        chain_step(&c);
    pot_now = dc_state_contract(chain_state(&c), 0);
    CU_ASSERT(pot_now->phase == 2 && pot_now->money == 0 && pot_now->word[1] == now + 13);
    CU_ASSERT_EQUAL(balance(&c, OWNER), has + 512);
    CU_ASSERT(dc_state_mark_known(chain_state(&c), 0, (const uint8_t[32]){2}));
    CU_ASSERT_FALSE(dc_state_mark_known(chain_state(&c), 1, (const uint8_t[32]){2}));
    CU_ASSERT_EQUAL(dc_state_vault(chain_state(&c))->marks, 2);
    chain_free(&c);
}

/* Others than a named account with a certificate that holds, a new nonce, and a body that fits. */
static void test_callers(void)
{
    struct chain c;
    struct dc_params p = params();
    static uint8_t large[65537] = {9};
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    CU_ASSERT(make(&c, 40, 50, 0, FEE));
    large[1] = 1; /* a mark has 33 bytes: refused by the kind up to the limit, by all above it */
    CU_ASSERT_FALSE(taken(&c, CALLER, 0, KIND, POT_MARK, FEE, large, 65536));
    CU_ASSERT_FALSE(taken(&c, CALLER, 0, KIND, POT_PUT, FEE, large, 65537));
    CU_ASSERT(taken(&c, CALLER, 0, KIND, POT_PUT, FEE, large, 65536));
    CU_ASSERT_FALSE(taken(&c, CALLER, 0, 1, POT_MARK, FEE, large, 33));
    CU_ASSERT_FALSE(taken(&c, CALLER, 1, KIND, POT_MARK, FEE, large, 33));
    CU_ASSERT(taken(&c, CALLER, 0, KIND, POT_MARK, FEE, large, 33));
    struct dc_tx revoke = {.kind = DC_TX_REVOKE, .from = UINT32_MAX};
    revoke.revoke.serial = dc_state_account(chain_state(&c), CALLER)->serial;
    CU_ASSERT(chain_taken(&c, &revoke));
    large[1] = 2;
    CU_ASSERT_FALSE(taken(&c, CALLER, 0, KIND, POT_MARK, FEE, large, 33));
    CU_ASSERT(mark(&c, 2)); /* by nobody */
    uint8_t body[33] = {9, 3};
    put_call(&c, OWNER, 0, KIND, POT_MARK, FEE, body, 33); /* the same bytes twice: a nonce */
    c.tx[c.tx_count++] = c.tx[0];
    body[1] = 4;
    put_call(&c, DC_NOBODY, 0, KIND, POT_MARK, 0, body, 33);
    c.tx[c.tx_count++] = c.tx[2]; /* by nobody: the mark */
    chain_step(&c);
    CU_ASSERT(c.chosen[0] && !c.chosen[1] && c.chosen[2] && !c.chosen[3]);
    chain_free(&c);
}

/* What a pool asks about transactions with proofs: valid on a block or not, and the block's state is
 * as it was. */
static bool tried(struct chain *c, const uint8_t *body, uint32_t from)
{
    struct dc_hash before = c->tip->state->root;
    size_t bytes = dc_store_bytes(c->store);
    struct dc_effects out = {0};
    put_call(c, from, 0, KIND, POT_MARK, from == DC_NOBODY ? 0 : FEE, body, 33);
    bool valid = dc_store_try(c->store, c->tip, &c->tx[0], &out);
    CU_ASSERT_EQUAL(out.charge[DC_COST_POINT], 1); /* a check, passed or failed */
    CU_ASSERT_EQUAL(out.charge[DC_COST_VERIFY], from != DC_NOBODY);
    c->tx_count = 0;
    c->bytes_used = 0;
    CU_ASSERT(dc_hash_equal(&before, &c->tip->state->root));
    CU_ASSERT_EQUAL(dc_store_bytes(c->store), bytes);
    return valid;
}

static void test_try(void)
{
    struct chain c;
    struct dc_params p = params();
    uint8_t body[33] = {9, 1}, wrong[33] = {8, 1};
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    CU_ASSERT(make(&c, 40, 50, 0, FEE));
    CU_ASSERT(tried(&c, body, DC_NOBODY));
    CU_ASSERT(tried(&c, body, DC_NOBODY));
    CU_ASSERT_FALSE(tried(&c, wrong, DC_NOBODY));
    CU_ASSERT(tried(&c, body, CALLER)); /* signed ones too: an invalid one costs no fee */
    CU_ASSERT_FALSE(tried(&c, wrong, CALLER));
    CU_ASSERT(mark(&c, 1));
    CU_ASSERT_FALSE(tried(&c, body, CALLER));
    struct dc_tx other = {.kind = DC_TX_TRANSFER, .from = CALLER}; /* not for this to say */
    other.transfer.amount = 1;
    chain_tx(&c, &other);
    CU_ASSERT_FALSE(dc_store_try(c.store, c.tip, &c.tx[0], NULL));
    c.tx_count = 0;
    c.bytes_used = 0;
    CU_ASSERT_FALSE(tried(&c, body, DC_NOBODY));
    CU_ASSERT_FALSE(dc_store_try(c.store, c.tip, &(struct dc_tx_view){body, 33}, NULL));
    chain_free(&c);
}

/* At most so many transactions with proofs in a block, by whoever makes it. */
static void test_limit(void)
{
    struct chain c;
    struct dc_params p = params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    CU_ASSERT(make(&c, 40, 50, 0, FEE));
    for (uint32_t i = 0; i < DC_BLOCK_PROOFS_MAX + 5; i++) {
        uint8_t body[33] = {9, 1};
        dc_put32(body + 2, i);
        put_call(&c, DC_NOBODY, 0, KIND, POT_MARK, 0, body, 33);
    }
    struct dc_block_parts parts;
    chain_parts(&c, &parts);
    CU_ASSERT_FATAL(dc_store_build(c.store, c.tip, &parts, c.tx, c.tx_count, c.chosen, NULL));
    uint32_t taken_count = 0;
    for (uint32_t i = 0; i < c.tx_count; i++)
        taken_count += c.chosen[i];
    CU_ASSERT_EQUAL(taken_count, DC_BLOCK_PROOFS_MAX);
    CU_ASSERT_FALSE(c.chosen[DC_BLOCK_PROOFS_MAX]);
    parts.tx = c.tx; /* somebody puts in one more: invalid */
    parts.tx_count = DC_BLOCK_PROOFS_MAX + 1;
    parts.header.tx_root = dc_tx_root(parts.tx, parts.tx_count);
    struct dc_block *block = chain_intern(&c, &parts);
    struct dc_effects out = {0};
    CU_ASSERT_FALSE(dc_store_execute(c.store, block, &out));
    CU_ASSERT_EQUAL(out.charge[DC_COST_TX], DC_BLOCK_PROOFS_MAX); /* and no further */
    dc_block_drop(block);
    chain_parts_drop(&parts);
    chain_free(&c);
}

/* Many contracts at once, random calls, right and wrong: conserved at every block, and the same
 * again in a store without memo, which executes all twice and compares. */
static void random_block(struct chain *c, struct dc_stream *s)
{
    uint32_t contracts = dc_state_vault(chain_state(c))->contracts;
    uint64_t now = c->tip->header.height + 1;
    bool used[ACCOUNTS] = {false};
    for (uint64_t n = dc_next_below(s, 6); n > 0; n--) {
        uint32_t from = (uint32_t)dc_next_below(s, ACCOUNTS + 1);
        uint8_t body[33] = {dc_next_below(s, 8) != 0 ? 9 : 1};
        if (from < ACCOUNTS && used[from])
            continue;
        if (from < ACCOUNTS)
            used[from] = true;
        if (dc_next_below(s, 3) == 0) {
            body[24] = 9;
            dc_put64(body, now + dc_next_below(s, 12));
            dc_put64(body + 8, now + dc_next_below(s, 24));
            dc_put64(body + 16, dc_next_below(s, 4000 * DC_DSYNC));
            put_call(c, from == ACCOUNTS ? DC_NOBODY : from, DC_CONTRACT_NEW, KIND, 0,
                     from == ACCOUNTS ? 0 : FEE, body, 25);
            continue;
        }
        uint8_t method = (uint8_t)(1 + dc_next_below(s, 3));
        dc_put64(body + 1, dc_next_below(s, method == POT_MARK ? 20 : 900 * DC_DSYNC));
        put_call(c, from == ACCOUNTS ? DC_NOBODY : from,
                 contracts - (uint32_t)dc_next_below(s, contracts < 8 ? contracts + 1 : 8), KIND,
                 method, from == ACCOUNTS ? 0 : FEE, body, method == POT_MARK ? 33 : 9);
    }
    chain_step(c);
}

static void test_again(void)
{
    enum { BLOCKS = 150 };
    struct chain c[2];
    struct dc_params p = params();
    uint32_t all = 0;
    for (int i = 0; i < 2; i++) {
        struct dc_stream s = dc_stream(4, dc_name("contract"), dc_name("calls"));
        chain_make(&c[i], &spec, &p, i == 0, NULL, NULL, NULL);
        for (int b = 0; b < BLOCKS; b++) {
            random_block(&c[i], &s);
            CU_ASSERT_FATAL(dc_state_conserved(chain_state(&c[i])));
            all += c[i].tip->tx_count;
        }
    }
    for (uint64_t h = 1; h <= BLOCKS; h++)
        CU_ASSERT(dc_hash_equal(&c[0].block[h]->id, &c[1].block[h]->id));
    const struct dc_state *s = chain_state(&c[0]);
    CU_ASSERT(dc_state_vault(s)->contracts > 30 && dc_state_vault(s)->entries > 30 && all > 300);
    uint32_t over = 0;
    for (uint32_t i = 0; i < dc_state_vault(s)->contracts; i++) {
        const struct dc_contract *x = dc_state_contract(s, i);
        uint64_t now = s->meta.height;
        uint32_t turns = (x->close < now) + (x->end != x->close && x->end < now);
        CU_ASSERT_EQUAL(x->phase, turns);
        CU_ASSERT(x->end >= now || x->money == 0);
        over += x->end < now;
    }
    CU_ASSERT(over > 20);
    /* A block is executed again after another was built beside it: the parent's vault is as it was. */
    dc_store_collect(c[0].store, s->meta.height);
    chain_step(&c[0]);
    chain_free(&c[0]);
    chain_free(&c[1]);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the life of a contract", test_life},
        {"who may call", test_callers},
        {"tried for a pool", test_try},
        {"a block's limit", test_limit},
        {"random calls, executed again", test_again},
    };
    return TEST_MAIN("ledger/contract_core", cases);
}
