/* Wallets in a town: payments arrive, no note is spent twice whatever is lost or crashes, and what
 * validators hold and see says neither how much nor to whom. */
#include "models/crypto/group.h"
#include "tests/node/town.h"

#define SECOND INT64_C(1000000000)
#define FEE 1000u
#define COIN UINT64_C(0x1122334455) /* an amount that does not come by chance */
enum { VALIDATORS = 4, A = 4, B = 5, C = 6, RING = 5, DECOYS = 40 };

static struct town *t;
static struct seen {
    uint32_t paid[TOWN_NODES], failed[TOWN_NODES], received[TOWN_NODES], own[TOWN_NODES];
    uint64_t amount[TOWN_NODES]; /* received of others */
    int64_t latency_max_ns;
} seen;

static void stepped(struct town *town, uint32_t node, const struct dc_input *in)
{
    for (uint32_t i = 0; i < town->out.count; i++) {
        const struct dc_effect *e = &town->out.list[i];
        if (e->kind != DC_EFFECT_NOTE)
            continue;
        if (e->timer == DC_NOTE_PAID) {
            *(e->b ? &seen.paid[node] : &seen.failed[node]) += 1;
            if ((int64_t)e->a > seen.latency_max_ns)
                seen.latency_max_ns = (int64_t)e->a;
        }
        if (e->timer == DC_NOTE_RECEIVED) {
            *(e->b ? &seen.own[node] : &seen.received[node]) += 1;
            seen.amount[node] += e->b ? 0 : e->a;
        }
    }
    (void)in;
}

static void privacy(struct dc_params *p)
{
    p->decoys = DECOYS;
    p->ring = RING;
    p->note_age = 2;
    p->fee_private = FEE;
}

static void begin(void)
{
    struct town_spec spec = {
        .validators = VALIDATORS, .clients = 3, .suite = DC_SUITE_MODELLED, .edit = privacy};
    memset(&seen, 0, sizeof seen);
    t = town_make(&spec);
    t->stepped = stepped;
}

static void shield(uint32_t client, int64_t at_s, uint64_t amount)
{
    town_call(t, client, at_s * SECOND,
              (struct dc_call){.kind = DC_CALL_SHIELD, .size_bytes = amount});
}
static void pay(uint32_t from, int64_t at_s, uint32_t to, uint64_t amount)
{
    town_call(t, from, at_s * SECOND,
              (struct dc_call){.kind = DC_CALL_PAY, .object = to, .size_bytes = amount});
}
static struct dc_wallet *wallet(uint32_t client)
{
    return t->node[client]->wallet;
}
static uint64_t balance(uint32_t client)
{
    return dc_wallet_balance(wallet(client), town_state(t, client));
}
static const struct dc_vault_meta *vault(void)
{
    return dc_state_vault(town_state(t, 0));
}
static void end(void)
{
    CU_ASSERT_TRUE(dc_state_conserved(town_state(t, 0)));
    CU_ASSERT_EQUAL(t->conflicts, 0);
    town_free(t);
}

static void test_payments(void)
{
    begin();
    shield(A, 1, 3 * COIN);
    shield(A, 2, 2 * COIN);
    pay(A, 14, B, COIN);     /* of the smaller note */
    pay(B, 15, C, 10);       /* has nothing yet */
    pay(B, 28, C, COIN / 2); /* of what it got */
    pay(A, 29, C, 3 * COIN); /* of two notes: 3 and 1 less a fee */
    pay(A, 30, 77, 5);       /* nobody */
    pay(A, 31, C, 0);
    town_run(t, 60 * SECOND);
    CU_ASSERT_TRUE(t->height[0] > 40);
    CU_ASSERT_EQUAL(seen.paid[A], 2);
    CU_ASSERT_EQUAL(seen.paid[B], 1);
    CU_ASSERT_EQUAL(seen.failed[B], 1);
    CU_ASSERT_EQUAL(seen.failed[A], 2);
    CU_ASSERT_EQUAL(seen.amount[B], COIN);
    CU_ASSERT_EQUAL(seen.amount[C], COIN / 2 + 3 * COIN);
    CU_ASSERT_EQUAL(seen.own[A], 4); /* two shielded, two of change */
    CU_ASSERT_TRUE(seen.latency_max_ns > SECOND && seen.latency_max_ns < 10 * SECOND);
    CU_ASSERT_EQUAL(balance(A), COIN - 2 * FEE);
    CU_ASSERT_EQUAL(balance(B), COIN - COIN / 2 - FEE);
    CU_ASSERT_EQUAL(balance(C), COIN / 2 + 3 * COIN);
    CU_ASSERT_EQUAL(vault()->pool, balance(A) + balance(B) + balance(C));
    CU_ASSERT_EQUAL(vault()->images, 4);
    end();
}

/* More calls at once than there are notes, and than a wallet does at once. */
static void test_at_once(void)
{
    begin();
    for (int i = 0; i < 3; i++)
        shield(A, 1 + i, COIN);
    for (int i = 0; i < 10; i++)
        pay(A, 15, B, COIN / 2);
    town_run(t, 40 * SECOND);
    CU_ASSERT_EQUAL(seen.paid[A], 3);
    CU_ASSERT_EQUAL(seen.failed[A], 7);
    CU_ASSERT_EQUAL(vault()->images, 3);
    CU_ASSERT_EQUAL(seen.received[B], 3);
    end();
}

/* --- what is lost ---------------------------------------------------------------------------- */

static struct {
    uint32_t lost, sent;
    uint8_t first[DC_TRANSFER_BYTES_MAX + 1];
    size_t size;
    bool changed;
} post;

/* Loses the first 20 letters with transactions of A, and sees that it is the same each time. */
static bool lose(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    if (from != A || bytes[0] != DC_MSG_TX || bytes[1] != DC_TX_SHIELDED)
        return false;
    if (post.sent++ == 0) {
        memcpy(post.first, bytes, size);
        post.size = size;
    }
    post.changed = post.changed || size != post.size || memcmp(bytes, post.first, size) != 0;
    (void)context;
    (void)to;
    return post.lost++ < 20;
}

static void test_lost_letters(void)
{
    memset(&post, 0, sizeof post);
    begin();
    t->lose = lose;
    shield(A, 1, COIN);
    pay(A, 12, B, 500);
    pay(A, 13, C, 500); /* the note is spoken for */
    town_run(t, 80 * SECOND);
    CU_ASSERT_TRUE(post.sent > 20 && !post.changed);
    CU_ASSERT_TRUE(seen.paid[A] == 1 && seen.failed[A] == 1 && seen.received[B] == 1);
    CU_ASSERT_TRUE(seen.latency_max_ns > 8 * SECOND);
    end();
}

/* The process dies with a payment that nobody has; its disk knows it. */
static void test_crash(void)
{
    uint8_t *image, *again;
    memset(&post, 0, sizeof post);
    begin();
    t->lose = lose;
    shield(A, 1, COIN);
    shield(A, 2, COIN + 1);
    pay(A, 14, B, 500);
    town_run(t, 15 * SECOND);
    CU_ASSERT_TRUE(post.sent >= 1);
    size_t size = dc_node_save(t->node[A], &image);
    town_crash(t, A);
    town_run(t, 20 * SECOND);
    CU_ASSERT_FALSE(town_recover(t, A, image, size));
    size_t size_again = dc_node_save(t->node[A], &again);
    CU_ASSERT_TRUE(size == size_again && memcmp(image, again, size) == 0);
    CU_ASSERT_EQUAL(wallet(A)->count, 2);
    pay(A, 22, C, COIN - FEE); /* takes the other note */
    town_run(t, 80 * SECOND);
    CU_ASSERT_EQUAL(seen.paid[A], 2);
    CU_ASSERT_EQUAL(seen.failed[A], 0);
    CU_ASSERT_EQUAL(seen.amount[B], 500);
    CU_ASSERT_EQUAL(seen.amount[C], COIN - FEE);
    CU_ASSERT_EQUAL(vault()->images, 2);
    for (size_t cut = 0; cut + 32 < size; cut += 97) { /* torn images are no images */
        struct dc_node_config config = town_config(t, A);
        struct dc_error error = {0};
        bool lost;
        struct dc_node *n = dc_node_recover(&config, image, cut, &lost, &error);
        CU_ASSERT_TRUE(lost);
        dc_node_destroy(n);
    }
    dc_mem_free(image);
    dc_mem_free(again);
    end();
}

/* The store is lost: the key alone finds the notes again, and a payment that it forgot. */
static void test_lost_store(void)
{
    begin();
    shield(A, 1, 3 * COIN);
    shield(A, 2, 2 * COIN);
    pay(A, 13, B, COIN);
    town_run(t, 14 * SECOND);
    town_crash(t, A);
    town_run(t, 18 * SECOND);
    CU_ASSERT_TRUE(town_recover(t, A, NULL, 0));
    pay(A, 50, B, COIN); /* 2 less 1 less a fee is not enough; it has caught up by then */
    town_run(t, 75 * SECOND);
    CU_ASSERT_EQUAL(seen.amount[B], 2 * COIN);
    CU_ASSERT_EQUAL(seen.failed[A], 0);
    CU_ASSERT_EQUAL(balance(A), 3 * COIN - 2 * FEE);
    CU_ASSERT_EQUAL(vault()->images, 2);
    CU_ASSERT_EQUAL(vault()->pool, 5 * COIN - 2 * FEE);
    end();
}

/* More notes than a wallet holds: it puts two together as long as it is full, tells nobody of it,
 * and finds the others, which wait on the chain; none is lost. */
static void test_full(void)
{
    begin();
    for (int i = 0; i < 68; i++)
        shield(A, 1 + i, COIN);
    town_run(t, 100 * SECOND);
    uint64_t merged = vault()->images / 2;
    CU_ASSERT_TRUE(merged >= 5 && merged <= 8 && vault()->images % 2 == 0);
    CU_ASSERT_EQUAL(seen.paid[A] + seen.failed[A], 0);
    CU_ASSERT_EQUAL(wallet(A)->count, 68 - merged);
    CU_ASSERT_EQUAL(vault()->pool, 68 * COIN - merged * FEE);
    CU_ASSERT_EQUAL(balance(A), vault()->pool);
    for (int i = 0; i < 5;
         i++) /* two notes each, and change; or one of two that were put together */
        pay(A, 101 + 5 * i, B, COIN + 1);
    town_run(t, 140 * SECOND);
    CU_ASSERT_EQUAL(seen.paid[A], 5);
    CU_ASSERT_EQUAL(balance(A), 68 * COIN - 5 * (COIN + 1 + FEE) - merged * FEE);
    end();
}

/* Dust: notes that are worth less than it costs to put two together go with a large one; a wallet
 * that has none but such keeps what it has, and what it is paid waits. */
static void test_dust(void)
{
    begin();
    shield(A, 1, COIN);
    for (int i = 0; i < 66; i++) {
        shield(A, 2 + i, FEE / 2);
        shield(B, 2 + i, FEE / 2);
    }
    town_run(t, 100 * SECOND);
    uint64_t merged = vault()->images / 2;
    CU_ASSERT_TRUE(merged >= 4 && merged <= 7);
    CU_ASSERT_EQUAL(wallet(A)->count, 67 - merged);
    CU_ASSERT_EQUAL(balance(A), COIN + 66 * (FEE / 2) - merged * FEE);
    CU_ASSERT_EQUAL(wallet(B)->count, DC_WALLET_NOTES_MAX);
    CU_ASSERT_EQUAL(balance(B), DC_WALLET_NOTES_MAX * (FEE / 2));
    pay(A, 101, B, COIN / 2);
    town_run(t, 130 * SECOND);
    CU_ASSERT_EQUAL(seen.paid[A], 1);
    CU_ASSERT_EQUAL(balance(B), DC_WALLET_NOTES_MAX * (FEE / 2)); /* it comes after two others */
    end();
}

static void unshield(uint32_t client, int64_t at_s, uint64_t amount)
{
    town_call(t, client, at_s * SECOND,
              (struct dc_call){.kind = DC_CALL_UNSHIELD, .size_bytes = amount});
}

/* Out of notes into the account: what is asked for, once, whatever is lost; the rest stays hidden. */
static void test_unshield(void)
{
    memset(&post, 0, sizeof post);
    begin();
    t->lose = lose;
    shield(A, 1, 3 * COIN);
    shield(A, 2, 2 * COIN);
    town_run(t, 12 * SECOND);
    uint64_t before = dc_state_account(town_state(t, A), A)->balance;
    unshield(A, 13, 4 * COIN);
    unshield(A, 14, COIN); /* the notes are spoken for */
    town_run(t, 90 * SECOND);
    CU_ASSERT_TRUE(post.sent > 20 && !post.changed);
    CU_ASSERT_TRUE(seen.paid[A] == 1 && seen.failed[A] == 1);
    CU_ASSERT_EQUAL(dc_state_account(town_state(t, A), A)->balance, before + 4 * COIN);
    CU_ASSERT_EQUAL(balance(A), COIN - FEE);
    CU_ASSERT_EQUAL(vault()->pool, COIN - FEE);
    unshield(A, 91, COIN);           /* more than there is, with the fee */
    unshield(A, 92, 0);              /* nothing */
    unshield(A, 93, UINT64_MAX);     /* more than can be */
    unshield(A, 94, COIN - 2 * FEE); /* all: the change is a note of nothing */
    town_run(t, 110 * SECOND);
    CU_ASSERT_TRUE(seen.paid[A] == 2 && seen.failed[A] == 4);
    CU_ASSERT_EQUAL(dc_state_account(town_state(t, A), A)->balance, before + 5 * COIN - 2 * FEE);
    CU_ASSERT_TRUE(vault()->pool == 0 && vault()->images == 3);
    end();
}

/* --- what can be seen ------------------------------------------------------------------------ */

/* What must not occur, in each form that somebody might have written it down in. */
static struct {
    uint8_t text[400][32];
    size_t size[400];
    uint32_t count;
    uint64_t hits;
} secret;

static void hide(const void *bytes, size_t size)
{
    CU_ASSERT_FATAL(secret.count < 400 && size <= 32);
    memcpy(secret.text[secret.count], bytes, size);
    secret.size[secret.count++] = size;
}

static void hide_amount(uint64_t v)
{
    uint8_t b[32];
    char text[32];
    dc_put64(b, v);
    size_t size = 8;
    while (b[size - 1] == 0)
        size--;
    hide(b, size); /* little-endian, of any width */
    for (size_t i = 0; i < size; i++)
        b[16 + i] = b[size - 1 - i];
    hide(b + 16, size); /* big-endian */
    hide(text, (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)v));
    hide(text, (size_t)snprintf(text, sizeof text, "%llx", (unsigned long long)v));
    hide(text, (size_t)snprintf(text, sizeof text, "%llX", (unsigned long long)v));
    size = 0; /* base 128 */
    for (uint64_t rest = v; rest != 0; rest >>= 7)
        b[size++] = (uint8_t)((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    hide(b, size);
    double d = (double)v;
    memcpy(b, &d, sizeof d);
    hide(b, sizeof d);
    struct dc_scalar s = dc_scalar_u64(v), one = dc_scalar_one(), zero = dc_scalar_zero();
    struct dc_point p = dc_pedersen(&s, &zero); /* committed without, and with the plain blinding */
    dc_point_encode(&p, b);
    hide(b, 32);
    p = dc_pedersen(&s, &one);
    dc_point_encode(&p, b);
    hide(b, 32);
}

static void hide_party(uint32_t client)
{
    hide(t->book[client].view, 32);
    hide(t->book[client].spend, 32);
    hide(wallet(client)->keys.view_secret, 32);
    hide(wallet(client)->keys.spend_secret, 32);
    hide(wallet(client)->seed, 32);
}

static uint64_t search(const uint8_t *bytes, size_t size)
{
    uint64_t hits = 0;
    for (size_t i = 0; i < size; i++)
        for (uint32_t k = 0; k < secret.count; k++)
            hits += secret.text[k][0] == bytes[i] && secret.size[k] <= size - i &&
                    memcmp(secret.text[k], bytes + i, secret.size[k]) == 0;
    return hits;
}

/* Everything that goes over any link once the money is in. */
static bool listen(void *context, uint32_t from, uint32_t to, const uint8_t *bytes, size_t size)
{
    if (t->now_ns > 12 * SECOND)
        secret.hits += search(bytes, size);
    (void)context;
    (void)from;
    (void)to;
    return false;
}

/* Everything that a state has about notes and images, and what a transaction says of its maker. */
static void search_chain(uint32_t *payments)
{
    const struct dc_state *s = town_state(t, 0);
    for (uint32_t i = DECOYS; i < dc_state_vault(s)->notes; i++) {
        const struct dc_vault_note *n = dc_state_note(s, i);
        if (!n->minted)
            secret.hits += search((const uint8_t *)n, sizeof *n);
    }
    const struct dc_block *b = t->node[0]->chain->final;
    for (; b != NULL && b->header.height > 12; b = atomic_load(&b->parent))
        for (uint32_t i = 0; i < b->tx_count; i++) {
            struct dc_tx tx;
            struct dc_transfer tr;
            secret.hits += search(b->tx[i].bytes, b->tx[i].size);
            CU_ASSERT_TRUE(dc_tx_decode(b->tx[i].bytes, b->tx[i].size, &tx));
            if (tx.kind != DC_TX_SHIELDED)
                continue;
            *payments += 1;
            CU_ASSERT_TRUE(dc_transfer_decode(tx.shielded.body, tx.shielded.size, &tr));
            CU_ASSERT_TRUE(tx.from == DC_NOBODY && tr.to == DC_NOBODY && tr.fee == FEE &&
                           tr.unshield == 0 && tr.outputs == 2);
        }
}

/* Accounts and their keys stand in the state, and answers to challenges show them; what is looked for
 * is that nothing about payments names them. */
static void test_seen(void)
{
    begin();
    memset(&secret, 0, sizeof secret);
    shield(A, 1, 9 * COIN);
    shield(B, 2, 8 * COIN);
    static const struct {
        uint32_t from, to;
        uint64_t amount;
    } pays[] = {{A, B, COIN + 3},         {B, C, COIN / 7},     {A, C, 3 * COIN + 11},
                {B, A, 2 * COIN + 12345}, {C, B, COIN / 7 / 2}, {A, B, COIN / 5}};
    for (size_t i = 0; i < sizeof pays / sizeof pays[0]; i++) {
        hide_amount(pays[i].amount);
        hide_amount(pays[i].amount + FEE);
        pay(pays[i].from, 15 + 8 * (int64_t)i, pays[i].to, pays[i].amount);
    }
    hide_amount(9 * COIN - pays[0].amount - FEE); /* change */
    hide_amount(8 * COIN - pays[1].amount - FEE);
    for (uint32_t client = A; client <= C; client++)
        hide_party(client);
    t->lose = listen;
    uint8_t plain[40] = {0}; /* the search finds what is there */
    dc_put64(plain + 5, pays[2].amount);
    CU_ASSERT_TRUE(search(plain, sizeof plain) > 0);
    town_run(t, 75 * SECOND);
    uint32_t payments = 0;
    for (uint32_t client = A; client <= C; client++) /* their accounts are everybody's to see */
        hide(t->set.sign[client].public, 32);
    search_chain(&payments);
    CU_ASSERT_EQUAL(payments, 6);
    CU_ASSERT_EQUAL(seen.paid[A] + seen.paid[B] + seen.paid[C], 6);
    CU_ASSERT_EQUAL(secret.hits, 0);
    end();
}

/* Rings: of notes that may stand in them, distinct, the real one at no place in particular, and
 * notes of people among the decoys. */
static void test_rings(void)
{
    uint32_t at[RING] = {0}, decoys = 0, people = 0;
    begin();
    for (int i = 0; i < 40; i++)
        shield(B, 1 + i, COIN);
    for (int i = 0; i < 3; i++)
        shield(A, 42 + i, COIN);
    town_run(t, 60 * SECOND);
    struct dc_client_env env = {t->node[A]->client_config, town_state(t, A), NULL, NULL};
    uint32_t eligible = dc_wallet_eligible(env.state);
    CU_ASSERT_TRUE_FATAL(wallet(A)->count == 3 && eligible > DECOYS + 40);
    for (uint64_t k = 0; k < 120; k++) {
        uint8_t bytes[DC_TRANSFER_BYTES_MAX], key[2][32];
        const struct dc_wallet_note *n = &wallet(A)->note[k % 3];
        struct dc_wallet_order o = {.notes = 1,
                                    .note = {n},
                                    .to = &t->book[B],
                                    .change = &t->book[A],
                                    .amount = 5,
                                    .fee = FEE,
                                    .number = k};
        dc_effects_clear(&t->out);
        size_t size = dc_wallet_pay(&env, wallet(A)->seed, &o, bytes, key, &t->out);
        struct dc_tx tx;
        struct dc_transfer tr;
        CU_ASSERT_TRUE_FATAL(dc_tx_decode(bytes, size, &tx));
        CU_ASSERT_TRUE_FATAL(dc_transfer_decode(tx.shielded.body, tx.shielded.size, &tr));
        uint32_t found = RING;
        for (uint32_t i = 0; i < RING; i++) {
            uint32_t id = dc_transfer_member(&tr, 0, i);
            CU_ASSERT_TRUE(id < eligible);
            found = id == n->id ? i : found;
            decoys += id < DECOYS;
            people += id >= DECOYS && id != n->id;
        }
        CU_ASSERT_TRUE_FATAL(found < RING);
        at[found]++;
        CU_ASSERT_EQUAL(t->out.charge[DC_COST_RING_SIGN], RING);
    }
    /* 83 notes in 57 heights, 43 of them people's: the share of ages below 57 x 120 s among those below
     * 83 / 43 of it is (14.8 / 128) / (23.5 / 128) by the table, so 37 % of 480 are genesis'; taking
     * none twice pulls a few more from where there are many.  The newest notes stand last or nearly
     * so: that is what age does. */
    CU_ASSERT_TRUE(decoys > 140 && decoys < 240 && decoys + people == 120 * (RING - 1));
    CU_ASSERT_TRUE(at[RING - 1] + at[RING - 2] > 60);
    end();
}

int main(void)
{
    static const struct test_case cases[] = {
        {"payments arrive", test_payments},
        {"more at once than there are notes", test_at_once},
        {"lost letters", test_lost_letters},
        {"a crash", test_crash},
        {"a lost store", test_lost_store},
        {"more notes than it holds", test_full},
        {"dust", test_dust},
        {"out into the account", test_unshield},
        {"rings", test_rings},
        {"what can be seen", test_seen},
    };
    return TEST_MAIN("wallet", cases);
}
