/* The vault of a state: what it adds to the root, versions that share what they have in common,
 * turns of contracts, what genesis puts in. */
#include "models/ledger/vault_impl.h"

#include "models/base/rng.h"
#include "models/wire/epoch_msg.h"
#include "tests/ledger/chain.h"

static const struct dc_genesis_spec spec = {.seed = 5,
                                            .chain = CHAIN_ID,
                                            .validators = 4,
                                            .services = 3,
                                            .clients = 2,
                                            .bond_validator = 2000 * DC_DSYNC,
                                            .balance = 3000 * DC_DSYNC,
                                            .capacity_bytes = 16ull << 30,
                                            .regions = 2};

static struct dc_stream draws;

static void fill(void *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)out)[i] = (uint8_t)dc_next64(&draws);
}

/* --- what a version holds, in plain lists ----------------------------------------------------- */

enum { VERSIONS = 40, MOST = 400 };

struct model {
    uint32_t notes, contracts, entries, images, marks;
    struct dc_vault_note note[MOST];
    struct dc_contract contract[MOST];
    struct dc_entry entry[MOST];
    uint8_t image[MOST][32], mark[MOST][32]; /* marks: of contract 7 */
    uint64_t pool;
    uint32_t shares;
    uint8_t sigma[4][32];
};

static struct model models[VERSIONS], rebuilt;
static struct dc_state *version[VERSIONS];

static void add_note(struct dc_state *s, struct model *m, const struct dc_vault_note *n)
{
    struct dc_vault_note *made = dc_state_note_append(s);
    CU_ASSERT_EQUAL(made->height, s->meta.height);
    *made = m->note[m->notes++] = *n;
}

static void add_entry(struct dc_state *s, struct model *m, const struct dc_entry *x)
{
    struct dc_entry *made = dc_state_entry_append(s);
    CU_ASSERT_EQUAL(made->contract, 0);
    *made = m->entry[m->entries++] = *x;
}

static void change_one(struct dc_state *s, struct model *m)
{
    struct dc_vault_note note;
    struct dc_entry entry;
    struct dc_contract c;
    uint8_t key[32];
    switch (dc_next_below(&draws, 7)) {
    case 0:
        memset(&note, 0, sizeof note);
        fill(note.key, 105);
        note.height = s->meta.height;
        add_note(s, m, &note);
        break;
    case 1:
        memset(&c, 0, sizeof c);
        fill(c.point, sizeof c.point);
        c.kind = 1;
        c.opened = dc_next64(&draws);
        dc_state_contract_append(s, &c, false);
        m->contract[m->contracts++] = c;
        break;
    case 2:
        memset(&entry, 0, sizeof entry);
        fill(entry.point, sizeof entry.point);
        add_entry(s, m, &entry);
        break;
    case 3:
        fill(key, 32);
        CU_ASSERT(dc_state_image_add(s, key));
        CU_ASSERT_FALSE(dc_state_image_add(s, key));
        memcpy(m->image[m->images++], key, 32);
        break;
    case 4:
        fill(key, 32);
        CU_ASSERT(dc_state_mark_add(s, 7, key));
        CU_ASSERT_FALSE(dc_state_mark_add(s, 7, key));
        CU_ASSERT_FALSE(dc_state_mark_known(s, 8, key));
        memcpy(m->mark[m->marks++], key, 32);
        break;
    case 5: /* what is there is changed */
        if (m->contracts != 0) {
            uint32_t id = (uint32_t)dc_next_below(&draws, m->contracts);
            m->contract[id].money = dc_state_contract_edit(s, id)->money = dc_next64(&draws);
        }
        break;
    default: m->pool = dc_state_vault_edit(s)->pool = 1 + dc_next_below(&draws, 1000);
    }
}

static void set_beacon(struct dc_state *s, struct model *m, uint32_t shares)
{
    struct dc_vault_meta *v = dc_state_vault_edit(s);
    m->shares = v->beacon_shares = shares;
    v->beacon_from[0] = (1u << shares) - 1;
    fill(m->sigma, sizeof m->sigma);
    memcpy(v->beacon_sigma, m->sigma, sizeof m->sigma);
}

/* The same content, put into a state in which there was nothing, all at once. */
static struct dc_hash rebuild(const struct dc_state *from, const struct model *m)
{
    struct dc_state *s = dc_state_begin(from);
    for (uint32_t i = 0; i < m->contracts; i++)
        dc_state_contract_append(s, &m->contract[i], false);
    for (uint32_t i = m->images; i-- > 0;)
        CU_ASSERT(dc_state_image_add(s, m->image[i]));
    for (uint32_t i = 0; i < m->notes; i++)
        add_note(s, &rebuilt, &m->note[i]);
    for (uint32_t i = 0; i < m->entries; i++)
        add_entry(s, &rebuilt, &m->entry[i]);
    for (uint32_t i = m->marks; i-- > 0;)
        CU_ASSERT(dc_state_mark_add(s, 7, m->mark[i]));
    struct dc_vault_meta *v = dc_state_vault_edit(s);
    v->pool = m->pool;
    v->beacon_shares = m->shares;
    v->beacon_from[0] = (1u << m->shares) - 1;
    memcpy(v->beacon_sigma, m->sigma, m->shares * sizeof m->sigma[0]); /* others do not count */
    dc_state_commit(s);
    struct dc_hash root = dc_state_root(s);
    memset(&rebuilt, 0, sizeof rebuilt);
    dc_state_drop(s);
    return root;
}

static void check_version(const struct dc_state *s, const struct model *m)
{
    const struct dc_vault_meta *v = dc_state_vault(s);
    CU_ASSERT(v->notes == m->notes && v->contracts == m->contracts && v->entries == m->entries &&
              v->images == m->images && v->marks == m->marks && v->pool == m->pool);
    for (uint32_t i = 0; i < m->notes; i++)
        CU_ASSERT_EQUAL(memcmp(dc_state_note(s, i), &m->note[i], sizeof m->note[i]), 0);
    for (uint32_t i = 0; i < m->contracts; i++)
        CU_ASSERT_EQUAL(memcmp(dc_state_contract(s, i), &m->contract[i], sizeof m->contract[i]), 0);
    for (uint32_t i = 0; i < m->entries; i++)
        CU_ASSERT_EQUAL(memcmp(dc_state_entry(s, i), &m->entry[i], sizeof m->entry[i]), 0);
    for (uint32_t i = 0; i < m->images; i++)
        CU_ASSERT(dc_state_image_known(s, m->image[i]));
    for (uint32_t i = 0; i < m->marks; i++)
        CU_ASSERT(dc_state_mark_known(s, 7, m->mark[i]));
    CU_ASSERT_PTR_NULL(dc_state_note(s, m->notes));
    CU_ASSERT_PTR_NULL(dc_state_contract(s, m->contracts));
    CU_ASSERT_PTR_NULL(dc_state_entry(s, m->entries));
}

static void test_versions(void)
{
    struct chain c;
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    struct dc_state *genesis = c.tip->state;
    size_t bytes = dc_store_bytes(c.store);
    draws = dc_stream(1, dc_name("vault"), dc_name("versions"));
    for (uint32_t v = 0; v < VERSIONS; v++) {
        uint32_t from = v == 0 ? 0 : (uint32_t)dc_next_below(&draws, v);
        version[v] = dc_state_begin(v == 0 ? genesis : version[from]);
        models[v] = models[from];
        version[v]->meta.height = 1; /* of all: the root says it */
        for (uint32_t i = 0; i < 12; i++)
            change_one(version[v], &models[v]);
        if (v % 5 == 4)
            set_beacon(version[v], &models[v], v % 4 + 1);
        CU_ASSERT(dc_state_commit(version[v]) > 3);
    }
    struct dc_state *blank = dc_state_begin(genesis);
    blank->meta.height = 1;
    dc_state_commit(blank);
    for (uint32_t v = 0; v < VERSIONS; v++) {
        struct dc_hash want = rebuild(blank, &models[v]), got = dc_state_root(version[v]);
        CU_ASSERT(dc_hash_equal(&want, &got));
        check_version(version[v], &models[v]);
        CU_ASSERT_EQUAL(dc_state_bytes(version[v]) - dc_state_bytes(blank),
                        88 + 32 * (uint64_t)models[v].shares + 114 * models[v].notes +
                            254 * models[v].contracts + 160 * models[v].entries +
                            32 * (models[v].images + models[v].marks));
    }
    CU_ASSERT(dc_store_bytes(c.store) > bytes);
    for (uint32_t v = VERSIONS; v-- > 0;)
        dc_state_drop(version[v]);
    dc_state_drop(blank);
    CU_ASSERT_EQUAL(dc_store_bytes(c.store), bytes); /* nothing is left behind */
    chain_free(&c);
}

/* --- the root --------------------------------------------------------------------------------- */

static void check_proofs(const struct dc_state *s, uint32_t others)
{
    uint8_t proof[4096];
    struct dc_hash root = dc_state_root(s);
    for (uint32_t id = 0; id < s->meta.accounts; id++) {
        size_t size = dc_state_prove(s, id, proof, sizeof proof);
        size_t head = 3 + dc_get16(proof + 1) + 96 * (size_t)proof[0];
        CU_ASSERT(size != 0 && size <= dc_state_prove_size_max(s));
        CU_ASSERT_EQUAL(size, head + 32 * (size_t)others);
        CU_ASSERT(dc_state_prove_check(&root, id, proof, size));
        for (size_t bit = 0; bit < 8 * size; bit += id == 0 ? 1 : 37) {
            proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CU_ASSERT_FALSE(dc_state_prove_check(&root, id, proof, size));
            proof[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        memset(proof + size, 0, 32); /* six parts are not seven with a zero */
        CU_ASSERT_FALSE(dc_state_prove_check(&root, id, proof, size + 32));
        CU_ASSERT_FALSE(dc_state_prove_check(&root, id, proof, size - 32));
    }
}

static void test_root(void)
{
    struct chain c;
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    struct dc_state *genesis = c.tip->state, *s = dc_state_begin(genesis);
    struct dc_hash six = dc_hash_bytes(DC_DOMAIN_STATE_NODE, genesis->part, 6 * 32);
    CU_ASSERT(dc_hash_equal(&six, &genesis->root));
    CU_ASSERT(dc_hash_is_zero(&genesis->part[6]));
    check_proofs(genesis, 5);
    CU_ASSERT(dc_state_vault_edit(s)->notes == 0); /* touched, and nothing put in */
    dc_state_commit(s);
    CU_ASSERT(dc_hash_equal(&s->root, &genesis->root));
    CU_ASSERT_PTR_NULL(s->vault);
    dc_state_drop(s);
    s = dc_state_begin(genesis);
    dc_state_vault_edit(s)->pool = 1;
    dc_state_commit(s);
    struct dc_hash seven = dc_hash_bytes(DC_DOMAIN_STATE_NODE, s->part, 7 * 32);
    CU_ASSERT(dc_hash_equal(&seven, &s->root));
    CU_ASSERT_FALSE(dc_hash_equal(&s->root, &genesis->root));
    check_proofs(s, 6);
    CU_ASSERT(dc_state_conserved(genesis) && !dc_state_conserved(s)); /* from nowhere */
    dc_state_edit(s, 0)->balance--;
    CU_ASSERT(dc_state_conserved(s));
    dc_state_drop(s);
    struct dc_state_summary summary;
    CU_ASSERT(dc_store_summary(c.store, c.tip, &summary));
    struct dc_hash root = dc_state_parts_root(summary.part);
    CU_ASSERT(dc_hash_equal(&root, &genesis->root));
    chain_free(&c);
}

/* A reply with the parts of a state, with and without a vault. */
static void test_reply(void)
{
    uint8_t block[DC_HEADER_BYTES + DC_SIGNATURE_BYTES + 5] = {1, 2, 3}, bytes[1024];
    for (int vault = 0; vault < 2; vault++) {
        struct dc_state_reply r = {.state_bytes = 123456,
                                   .block = block,
                                   .block_size = sizeof block},
                              got;
        for (uint32_t i = 0; i < DC_STATE_PARTS - 1 + (uint32_t)vault; i++)
            r.part[i].b[31] = (uint8_t)(i + 1);
        size_t head = dc_state_reply_head(vault != 0), size = head + sizeof block;
        dc_state_reply_encode(&r, bytes);
        CU_ASSERT_EQUAL(head, 9 + 32 * (6 + (size_t)vault));
        CU_ASSERT_EQUAL(dc_state_reply_head_of(bytes, size), head);
        CU_ASSERT_FATAL(dc_state_reply_decode(bytes, size, &got));
        CU_ASSERT_EQUAL(got.state_bytes, 123456);
        CU_ASSERT_EQUAL(memcmp(got.part, r.part, sizeof r.part), 0);
        CU_ASSERT(got.block_size == sizeof block && memcmp(got.block, block, sizeof block) == 0);
        CU_ASSERT_FALSE(dc_state_reply_decode(bytes, size - 6, &got));
        memset(bytes + head - 32, 0, 32); /* a vault that is said to be there and is not */
        CU_ASSERT_EQUAL(dc_state_reply_decode(bytes, size, &got), vault == 0);
    }
    CU_ASSERT_EQUAL(dc_state_reply_head_of(bytes, 8), 0);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void test_turns(void)
{
    struct chain c;
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    struct dc_state *s = dc_state_begin(c.tip->state);
    uint32_t due[DC_TURNS_MAX];
    s->meta.height = 10;
    CU_ASSERT_FALSE(dc_state_turns_free(s, 9, 20));
    CU_ASSERT_FALSE(dc_state_turns_free(s, 20, 19));
    CU_ASSERT_FALSE(dc_state_turns_free(s, 20, 11 + DC_TURN_HEIGHTS_MAX));
    CU_ASSERT_FALSE(dc_state_turns_free(s, UINT64_MAX, UINT64_MAX));
    CU_ASSERT(dc_state_turns_free(s, 10, 10 + DC_TURN_HEIGHTS_MAX));
    struct dc_contract far = {.close = 30, .end = 40}, near = {.close = 12, .end = 30};
    struct dc_contract once = {.close = 12, .end = 12}, never = {.close = 12, .end = 12};
    dc_state_contract_append(s, &far, true);
    dc_state_contract_append(s, &near, true);
    dc_state_contract_append(s, &once, true);
    dc_state_contract_append(s, &never, false);
    for (s->meta.height = 11; s->meta.height < 50; s->meta.height++) {
        uint64_t h = s->meta.height;
        uint32_t n = dc_state_turns_take(s, due);
        CU_ASSERT_EQUAL(n, h == 13 || h == 31 ? 2 : h == 41 ? 1 : 0);
        if (h == 13)
            CU_ASSERT(due[0] == 1 && due[1] == 2);
        if (h == 31)
            CU_ASSERT(due[0] == 0 && due[1] == 1);
    }
    CU_ASSERT_EQUAL(s->vault->turns, 0);
    struct dc_contract many = {.close = 60, .end = 60};
    while (dc_state_turns_free(s, 60, 60))
        dc_state_contract_append(s, &many, true);
    CU_ASSERT_EQUAL(s->vault->turns, DC_TURNS_MAX);
    CU_ASSERT(dc_state_turns_free(s, 61, 62) && !dc_state_turns_free(s, 59, 60));
    s->meta.height = 61;
    CU_ASSERT_EQUAL(dc_state_turns_take(s, due), DC_TURNS_MAX);
    for (uint32_t i = 1; i < DC_TURNS_MAX; i++)
        CU_ASSERT(due[i - 1] < due[i]);
    dc_state_drop(s);
    chain_free(&c);
}

/* --- genesis ---------------------------------------------------------------------------------- */

static enum dc_status make(const struct dc_params *p, const struct dc_holders *holders,
                           struct dc_hash *root, struct dc_state_summary *summary, char *text)
{
    struct dc_crypto crypto;
    struct dc_error error = {0};
    struct dc_genesis_set set;
    struct dc_store *store;
    dc_crypto_init();
    CU_ASSERT_EQUAL_FATAL(dc_crypto_open(&crypto, DC_SUITE_REAL, 0, 0, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(dc_genesis_set_create(&spec, p, &set, &error), DC_OK);
    set.genesis.holders = holders;
    struct dc_store_config config = {.chain = CHAIN_ID, .crypto = &crypto, .memo = true};
    enum dc_status status = dc_store_create(&config, &set.genesis, &store, &error);
    if (status == DC_OK) {
        const struct dc_state *s = dc_store_genesis(store)->state;
        *root = dc_state_root(s);
        CU_ASSERT(dc_store_summary(store, dc_store_genesis(store), summary));
        CU_ASSERT_EQUAL(dc_state_vault(s)->notes, p->decoys);
        CU_ASSERT_EQUAL(dc_state_vault(s)->pool, 0);
        CU_ASSERT_EQUAL(dc_state_holders(s)->count, p->holders);
        CU_ASSERT(dc_state_conserved(s));
        for (uint32_t i = 0; i < p->decoys; i++) /* points, all different */
            for (uint32_t j = 0; j < i; j++)
                CU_ASSERT(memcmp(dc_state_note(s, i)->key, dc_state_note(s, j)->key, 32) != 0);
    }
    strcpy(text, error.text);
    dc_store_destroy(store);
    dc_genesis_set_free(&set);
    dc_crypto_close(&crypto);
    return status;
}

static struct dc_holders some_holders(void)
{
    struct dc_holders h = {.count = 3, .threshold = 2, .account = {0, 1, 3}};
    h.group_key[0] = 1;
    return h;
}

static void test_genesis(void)
{
    struct dc_params p = chain_params(), plain = p;
    struct dc_hash root, other;
    struct dc_state_summary summary;
    char text[1024];
    CU_ASSERT_EQUAL(make(&p, NULL, &root, &summary, text), DC_OK);
    p.ring = 11; /* nothing private: what it would cost does not matter */
    p.note_age = 2;
    p.fee_private = 5;
    CU_ASSERT_EQUAL(make(&p, NULL, &other, &summary, text), DC_OK);
    CU_ASSERT(dc_hash_equal(&root, &other) && dc_hash_is_zero(&summary.part[6]));
    struct dc_hash meta = summary.part[0];
    p.decoys = 20;
    CU_ASSERT_EQUAL(make(&p, NULL, &other, &summary, text), DC_OK);
    CU_ASSERT_FALSE(dc_hash_is_zero(&summary.part[6]));
    CU_ASSERT_FALSE(dc_hash_equal(&meta, &summary.part[0])); /* the digest of the parameters */
    struct dc_hash vault = summary.part[6];
    p.fee_private = 6;
    CU_ASSERT_EQUAL(make(&p, NULL, &other, &summary, text), DC_OK);
    CU_ASSERT_FALSE(dc_hash_equal(&vault, &summary.part[6])); /* decoys are the chain's own */
    struct dc_holders h = some_holders();
    p = plain;
    p.holders = 3;
    CU_ASSERT_EQUAL(make(&p, &h, &root, &summary, text), DC_OK);
    CU_ASSERT(dc_hash_is_zero(&summary.part[6]));
    h.share_key[2][5] = 1;
    CU_ASSERT_EQUAL(make(&p, &h, &other, &summary, text), DC_OK);
    CU_ASSERT_FALSE(dc_hash_equal(&root, &other));
}

static void refused(const struct dc_params *p, const struct dc_holders *h, const char *words)
{
    struct dc_hash root;
    struct dc_state_summary summary;
    char text[1024];
    CU_ASSERT_NOT_EQUAL(make(p, h, &root, &summary, text), DC_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, words));
    if (strstr(text, words) == NULL)
        puts(text);
}

static void test_genesis_errors(void)
{
    const struct dc_params plain = chain_params();
    struct dc_params p = plain;
    struct dc_holders h = some_holders();
    p.holders = 5;
    refused(&p, &h, "there are 4 validators");
    p.holders = 129;
    refused(&p, &h, "at most 128");
    p.holders = 3;
    refused(&p, NULL, "missing");
    p.threshold = 4;
    refused(&p, &h, "protocol.threshold");
    p.threshold = 0;
    h.account[2] = 4; /* a service node */
    refused(&p, &h, "key holder 2");
    h.account[2] = 1;
    refused(&p, &h, "ascending");
    h = some_holders();
    h.count = 2;
    refused(&p, &h, "keys of 2 holders");
    p = plain;
    refused(&p, &h, "given");
    p.beacon = DC_BEACON_THRESHOLD;
    refused(&p, NULL, "protocol.beacon");
    p = plain;
    p.decoys = 20;
    refused(&p, NULL, "protocol.ring");
    p.ring = 65;
    refused(&p, NULL, "2 to 64");
    p.ring = 21;
    refused(&p, NULL, "protocol.decoys: 20");
    p.ring = 20;
    p.decoys = DC_DECOYS_MAX + 1;
    refused(&p, NULL, "protocol.decoys");
}

static void test_note_above(void)
{
    struct chain c;
    struct dc_params p = chain_params();
    chain_make(&c, &spec, &p, true, NULL, NULL, NULL);
    struct dc_state *s = dc_state_begin(c.tip->state);
    CU_ASSERT_EQUAL(dc_state_note_above(s, 0), 0);
    static const uint64_t height[] = {0, 0, 0, 4, 4, 9, 10, 10, 10, 10};
    for (uint32_t i = 0; i < 10; i++)
        dc_state_note_append(s)->height = height[i];
    for (uint64_t h = 0; h < 12; h++) {
        uint32_t n = 0;
        while (n < 10 && height[n] <= h)
            n++;
        CU_ASSERT_EQUAL(dc_state_note_above(s, h), n);
    }
    dc_state_drop(s);
    chain_free(&c);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"six parts or seven", test_root},         {"versions", test_versions},
        {"replies with a state", test_reply},      {"turns", test_turns},
        {"notes above a height", test_note_above}, {"genesis", test_genesis},
        {"genesis: errors", test_genesis_errors},
    };
    return TEST_MAIN("ledger/vault", cases);
}
