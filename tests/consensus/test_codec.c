/* Codecs of blocks, certificates, messages and evidence: what is encoded decodes to the same bytes,
 * and every single-bit flip and every truncation is refused by the decoder, or changes the id, or
 * fails its signature. */
#include <stdlib.h>
#include <string.h>

#include "models/base/mem.h"
#include "models/consensus/certificate.h"
#include "tests/consensus/net.h"
#include "tests/support/harness.h"

#define MS 1000000LL
#define N 7

static struct net *net;
static const struct dc_committee *committee;
static struct dc_consensus_env *env;
static struct dc_effects out;

static void set_up(bool memo_off)
{
    struct net_config config = {.validators = N,
                                .seed = 2,
                                .delay_ns = MS,
                                .epoch_blocks = 4,
                                .memo_off = memo_off,
                                .suite = DC_SUITE_REAL};
    net = net_create(&config);
    env = &net->machine[0].env;
    committee = dc_store_committee(net->store, dc_store_genesis(net->store), 0);
}

static void tear_down(void)
{
    dc_effects_clear(&out);
    dc_effects_free(&out);
    net_free(net);
}

static struct dc_vote vote_of(uint32_t signer, uint64_t round, uint8_t block, uint8_t commits)
{
    struct dc_vote v = {.round = round, .signer = signer};
    memset(v.block.b, block, sizeof v.block.b);
    memset(v.commits.b, commits, sizeof v.commits.b);
    struct dc_hash d = dc_vote_digest(1, 0, round, &v.block, &v.commits);
    dc_sign(&net->crypto, &net->key[signer], d.b, sizeof d.b, v.signature);
    return v;
}

static struct dc_qc *qc_of(uint32_t signers, uint64_t round)
{
    struct dc_vote_set *list = NULL;
    for (uint32_t i = 0; i < signers; i++) {
        struct dc_vote v = vote_of((i * 3) % N, round, 7, 0);
        struct dc_vote_set *set = dc_vote_set_get(&list, env, committee, &v);
        CU_ASSERT(dc_vote_set_add(set, committee, v.signer, v.signature));
        CU_ASSERT(!dc_vote_set_add(set, committee, v.signer, v.signature));
        CU_ASSERT_PTR_NOT_NULL(dc_vote_set_find(set, v.signer));
    }
    CU_ASSERT_EQUAL(list->power, signers);
    struct dc_qc *qc = dc_vote_set_qc(list, env, committee);
    dc_vote_sets_drop(&list, UINT64_MAX);
    CU_ASSERT_PTR_NULL(list);
    return qc;
}

static struct dc_tc *tc_of(uint64_t round)
{
    struct dc_timeout_set *set = NULL;
    for (uint32_t i = 0; i < 5; i++) {
        struct dc_timeout_entry e = {.round = round, .qc_round = i, .member = 6 - i};
        struct dc_hash d = dc_timeout_digest(1, 0, round, i);
        dc_sign(&net->crypto, &net->key[6 - i], d.b, sizeof d.b, e.signature);
        CU_ASSERT(dc_timeouts_add(&set, committee, &e, round, 4));
    }
    CU_ASSERT_EQUAL(set->power_at, 5);
    struct dc_tc *tc = dc_timeouts_tc(set, env, committee, round, 4);
    dc_timeouts_free(&set);
    return tc;
}

/* A fresh copy of the bytes, so that a reader beyond their end is seen by the sanitizer. */
static uint8_t *copy_of(const uint8_t *bytes, size_t size)
{
    uint8_t *p = malloc(size == 0 ? 1 : size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    memcpy(p, bytes, size);
    return p;
}

typedef bool accepts(const uint8_t *bytes, size_t size);

/* Counts the single-bit flips and truncations that are accepted. */
static uint32_t survivors(const uint8_t *bytes, size_t size, accepts *f)
{
    uint32_t count = 0;
    CU_ASSERT(f(bytes, size));
    for (size_t n = 0; n < size; n++) {
        uint8_t *p = copy_of(bytes, n);
        count += f(p, n);
        free(p);
    }
    uint8_t *p = copy_of(bytes, size);
    for (size_t i = 0; i < size * 8; i++) {
        p[i / 8] ^= (uint8_t)(1u << i % 8);
        count += f(p, size);
        p[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    free(p);
    p = calloc(1, size + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    memcpy(p, bytes, size);
    count += f(p, size + 1);
    free(p);
    return count;
}

static bool qc_holds(const uint8_t *bytes, size_t size)
{
    struct dc_qc *qc = dc_qc_decode(bytes, size);
    bool ok = qc != NULL && dc_qc_verify(env, qc, committee, &out);
    dc_qc_drop(qc);
    return ok;
}

static bool tc_holds(const uint8_t *bytes, size_t size)
{
    struct dc_tc *tc = dc_tc_decode(bytes, size);
    bool ok = tc != NULL && dc_tc_verify(env, tc, committee, &out);
    dc_tc_drop(tc);
    return ok;
}

static void test_certificates(void)
{
    set_up(true);
    struct dc_qc *qc = qc_of(5, 3);
    CU_ASSERT_EQUAL(qc->signatures, 5);
    dc_effects_clear(&out);
    CU_ASSERT(dc_qc_verify(env, qc, committee, &out));
    CU_ASSERT_EQUAL(out.charge[DC_COST_VERIFY], 5);
    CU_ASSERT_EQUAL(survivors(qc->bytes, qc->size, qc_holds), 0);
    dc_qc_drop(qc);

    struct dc_tc *tc = tc_of(6);
    CU_ASSERT_EQUAL(tc->qc_round_max, 4);
    dc_effects_clear(&out);
    CU_ASSERT(dc_tc_verify(env, tc, committee, &out));
    CU_ASSERT_EQUAL(out.charge[DC_COST_VERIFY], 5);
    CU_ASSERT_EQUAL(survivors(tc->bytes, tc->size, tc_holds), 0);
    dc_tc_drop(tc);
    tear_down();
}

/* With the memo the object remembers, and the charge is the same. */
static void test_memo(void)
{
    set_up(false);
    struct dc_qc *made = qc_of(6, 3);
    struct dc_qc *qc = dc_qc_decode(made->bytes, made->size);
    for (uint32_t i = 1; i <= 3; i++) {
        CU_ASSERT(dc_qc_verify(env, qc, committee, &out));
        CU_ASSERT_EQUAL(out.charge[DC_COST_VERIFY], 6 * i);
    }
    CU_ASSERT_EQUAL(atomic_load(&qc->verified), 1);
    dc_qc_drop(qc);
    uint8_t *bad = copy_of(made->bytes, made->size);
    bad[made->size - 1] ^= 1;
    qc = dc_qc_decode(bad, made->size);
    CU_ASSERT(!dc_qc_verify(env, qc, committee, &out));
    CU_ASSERT(!dc_qc_verify(env, qc, committee, &out));
    CU_ASSERT_EQUAL(out.charge[DC_COST_VERIFY], 30);
    dc_qc_drop(qc);
    free(bad);

    /* too little power, though every signature holds */
    uint8_t *few = copy_of(made->bytes, made->size);
    size_t size = made->size - 2 * DC_SIGNATURE_BYTES;
    uint8_t *bitmap = few + 82;
    for (int gone = 0, i = N - 1; gone < 2; i--)
        if ((*bitmap >> i & 1) != 0) {
            *bitmap = (uint8_t)(*bitmap & ~(1u << i));
            gone++;
        }
    qc = dc_qc_decode(few, size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(qc);
    CU_ASSERT_EQUAL(qc->signatures, 4);
    CU_ASSERT(!dc_qc_verify(env, qc, committee, &out));
    dc_qc_drop(qc);
    free(few);
    dc_qc_drop(made);
    tear_down();
}

static struct dc_hash block_id;

static bool block_same(const uint8_t *bytes, size_t size)
{
    struct dc_block *b = dc_block_decode(bytes, size);
    bool same = b != NULL && dc_hash_equal(&b->id, &block_id);
    if (b != NULL) { /* whatever is accepted encodes to what was read */
        struct dc_block_parts parts = {b->header, b->qc, b->tc, b->handover, b->tx_count, b->tx};
        uint8_t *again = malloc(dc_block_encoded_size(&parts));
        CU_ASSERT_PTR_NOT_NULL_FATAL(again);
        CU_ASSERT_EQUAL(dc_block_encode(&parts, again), b->size);
        CU_ASSERT_EQUAL(memcmp(again, bytes, b->size), 0);
        free(again);
        struct dc_hash d = dc_proposal_digest(1, b->header.epoch, b->header.round, &b->id);
        const struct dc_keypair *key = &net->key[b->header.proposer % N];
        same = same && dc_verify(&net->crypto, key->public, d.b, sizeof d.b, b->signature);
    }
    dc_block_drop(b);
    return same;
}

static struct dc_handover *found_handover;

static bool handover_holds(const uint8_t *bytes, size_t size)
{
    struct dc_handover *h = dc_handover_decode(bytes, size);
    bool ok = h != NULL && dc_handover_verify(env, h, committee, &out) &&
              dc_hash_equal(&h->last, &found_handover->last);
    dc_handover_drop(h);
    return ok;
}

/* Real blocks of a short chain: with QC, with TC, with a hand-over, seals. */
static void test_blocks(void)
{
    set_up(true);
    net_crash(net, 3);
    net_start(net);
    net_run(net, 4000 * MS);
    net_run(net, 4000 * MS);
    uint32_t with_qc = 0, with_tc = 0, with_handover = 0;
    struct dc_block *b = net->machine[1].core.chain.final;
    dc_block_hold(b);
    CU_ASSERT(b->header.height > 12);
    while (b->header.height > 0) {
        uint32_t *count = b->handover != NULL ? &with_handover
                          : b->tc != NULL     ? &with_tc
                                              : &with_qc;
        if ((*count)++ == 0) {
            size_t size = b->size + DC_SIGNATURE_BYTES;
            uint8_t *bytes = malloc(size);
            CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
            memcpy(bytes, b->bytes, b->size);
            memcpy(bytes + b->size, b->signature, DC_SIGNATURE_BYTES);
            block_id = b->id;
            CU_ASSERT_EQUAL(survivors(bytes, size, block_same), 0);
            free(bytes);
        }
        if (b->handover != NULL && b->handover->epoch == 0) {
            found_handover = b->handover;
            CU_ASSERT_EQUAL(survivors(b->handover->bytes, b->handover->size, handover_holds), 0);
        }
        struct dc_block *parent = dc_store_find(net->store, &b->header.parent);
        dc_block_drop(b);
        b = parent;
    }
    dc_block_drop(b);
    CU_ASSERT(with_qc > 0 && with_tc > 0 && with_handover > 0);
    tear_down();
}

/* A TC beside a QC that is lower than what its signers had seen, or of the wrong round, or where no
 * TC belongs: not a block. */
static void test_tc_rule(void)
{
    set_up(true);
    struct dc_tc *tc = tc_of(6); /* highest QC round 4 */
    for (uint64_t q = 1; q <= 6; q++)
        for (uint64_t round = 5; round <= 8; round++)
            for (int with = 0; with < 2; with++) {
                struct dc_qc *qc = qc_of(5, q);
                struct dc_block_parts parts = {
                    .header = {.height = 9, .round = round, .parent = qc->block},
                    .qc = qc,
                    .tc = with ? tc : NULL};
                size_t size = dc_block_encoded_size(&parts) + DC_SIGNATURE_BYTES;
                uint8_t *bytes = calloc(1, size);
                CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
                dc_block_encode(&parts, bytes);
                struct dc_block *b = dc_block_decode(bytes, size);
                bool due = with ? round == 7 && q >= 4 && q < 6 : round == q + 1;
                CU_ASSERT_EQUAL(b != NULL, due);
                dc_block_drop(b);
                free(bytes);
                dc_qc_drop(qc);
            }
    dc_tc_drop(tc);
    tear_down();
}

/* --- messages --------------------------------------------------------------------------------- */

static bool vote_holds(const uint8_t *bytes, size_t size)
{
    struct dc_vote v;
    if (!dc_vote_decode(bytes, size, &v) || v.epoch != 0)
        return false;
    uint32_t m = dc_committee_index(committee, v.signer);
    struct dc_hash d = dc_vote_digest(1, v.epoch, v.round, &v.block, &v.commits);
    return m != UINT32_MAX &&
           dc_verify(&net->crypto, committee->key[m], d.b, sizeof d.b, v.signature);
}

static bool timeout_holds(const uint8_t *bytes, size_t size)
{
    struct dc_timeout t;
    if (!dc_timeout_decode(bytes, size, &t))
        return false;
    uint32_t m = dc_committee_index(committee, t.signer);
    if (m == UINT32_MAX)
        return false;
    struct dc_hash d = dc_timeout_digest(1, t.epoch, t.round, t.qc_round);
    bool ok = dc_verify(&net->crypto, committee->key[m], d.b, sizeof d.b, t.signature);
    if (ok && t.voted) {
        d = dc_vote_digest(1, t.epoch, t.round, &t.vote.block, &t.vote.commits);
        ok = dc_verify(&net->crypto, committee->key[m], d.b, sizeof d.b, t.vote.signature);
    }
    return ok;
}

static uint8_t original[512];

static bool sync_decodes_otherwise(const uint8_t *bytes, size_t size)
{
    struct dc_sync_msg s;
    if (!dc_sync_decode(bytes, size, &s))
        return false;
    uint8_t again[512];
    CU_ASSERT_EQUAL(dc_sync_size(&s), size);
    dc_sync_encode(&s, again);
    CU_ASSERT_EQUAL(memcmp(again, bytes, size), 0); /* canonical */
    return memcmp(again, original, size) == 0;
}

static bool request_decodes_otherwise(const uint8_t *bytes, size_t size)
{
    struct dc_block_request q;
    if (!dc_block_request_decode(bytes, size, &q))
        return false;
    uint8_t again[DC_BLOCK_REQUEST_BYTES];
    dc_block_request_encode(&q, again);
    CU_ASSERT_EQUAL(memcmp(again, bytes, size), 0);
    return memcmp(again, original, size) == 0;
}

static void test_messages(void)
{
    set_up(true);
    struct dc_vote v = vote_of(3, 9, 1, 2);
    uint8_t bytes[512];
    dc_vote_encode(&v, bytes);
    CU_ASSERT_EQUAL(survivors(bytes, DC_VOTE_MSG_BYTES, vote_holds), 0);

    struct dc_timeout t = {.round = 9, .qc_round = 8, .signer = 3, .voted = true, .vote = v};
    struct dc_hash d = dc_timeout_digest(1, 0, 9, 8);
    memset(t.qc_digest.b, 5, 32);
    dc_sign(&net->crypto, &net->key[3], d.b, sizeof d.b, t.signature);
    size_t size = dc_timeout_encode(&t, bytes);
    CU_ASSERT_EQUAL(size, DC_TIMEOUT_MSG_BYTES_MAX);
    /* the digest of the QC is a hint, not signed: what it names is asked for and checked */
    CU_ASSERT_EQUAL(survivors(bytes, size, timeout_holds), 256);
    t.voted = false;
    size = dc_timeout_encode(&t, bytes);
    CU_ASSERT_EQUAL(size, DC_TIMEOUT_MSG_BYTES);
    CU_ASSERT_EQUAL(survivors(bytes, size, timeout_holds), 256);

    struct dc_sync_msg s = {
        .epoch = 4, .qc = bytes + 10, .qc_size = 20, .tc = bytes + 50, .tc_size = 33};
    size = dc_sync_size(&s);
    dc_sync_encode(&s, original);
    memcpy(bytes, original, size);
    CU_ASSERT_EQUAL(survivors(bytes, size, sync_decodes_otherwise), 0);
    struct dc_block_request q = {.height = 77, .flags = DC_REQUEST_BLOCKS};
    dc_block_request_encode(&q, original);
    memcpy(bytes, original, DC_BLOCK_REQUEST_BYTES);
    CU_ASSERT_EQUAL(survivors(bytes, DC_BLOCK_REQUEST_BYTES, request_decodes_otherwise), 0);
    tear_down();
}

/* --- evidence --------------------------------------------------------------------------------- */

static uint8_t evidence_kind;

static bool evidence_holds(const uint8_t *bytes, size_t size)
{
    return dc_evidence_check(1, &net->crypto, net->key[2].public, evidence_kind, bytes, size);
}

static void test_evidence(void)
{
    set_up(true);
    struct dc_vote a = vote_of(2, 5, 1, 0), b = vote_of(2, 5, 1, 9), c = vote_of(2, 6, 1, 9);
    uint8_t proof[DC_EVIDENCE_BYTES_MAX], other[DC_EVIDENCE_BYTES_MAX];
    uint64_t epoch, round;
    size_t size = dc_evidence_of_votes(&a, &b, proof);
    CU_ASSERT_EQUAL(size, 272);
    CU_ASSERT_EQUAL(dc_evidence_of_votes(&b, &a, other), 272);
    CU_ASSERT_EQUAL(memcmp(proof, other, size), 0); /* one offence, one proof */
    CU_ASSERT_EQUAL(dc_evidence_of_votes(&a, &a, other), 0);
    CU_ASSERT_EQUAL(dc_evidence_of_votes(&a, &c, other), 0);
    evidence_kind = DC_EVIDENCE_VOTES;
    CU_ASSERT_EQUAL(survivors(proof, size, evidence_holds), 0);
    CU_ASSERT(dc_evidence_when(evidence_kind, proof, size, &epoch, &round));
    CU_ASSERT_EQUAL(round, 5);
    CU_ASSERT(!dc_evidence_check(2, &net->crypto, net->key[2].public, evidence_kind, proof, size));
    CU_ASSERT(!dc_evidence_check(1, &net->crypto, net->key[1].public, evidence_kind, proof, size));
    CU_ASSERT(!dc_evidence_check(1, &net->crypto, net->key[2].public, DC_EVIDENCE_PROPOSALS, proof,
                                 size));

    struct dc_block x = {.header = {.round = 5, .proposer = 2}}, y = x;
    struct dc_block *both[2] = {&x, &y};
    for (int i = 0; i < 2; i++) {
        memset(both[i]->id.b, 40 + i, 32);
        struct dc_hash d = dc_proposal_digest(1, 0, 5, &both[i]->id);
        dc_sign(&net->crypto, &net->key[2], d.b, sizeof d.b, both[i]->signature);
    }
    size = dc_evidence_of_proposals(&y, &x, proof);
    CU_ASSERT_EQUAL(size, 208);
    CU_ASSERT_EQUAL(dc_evidence_of_proposals(&x, &x, other), 0);
    evidence_kind = DC_EVIDENCE_PROPOSALS;
    CU_ASSERT_EQUAL(survivors(proof, size, evidence_holds), 0);
    tear_down();
}

/* --- collections ------------------------------------------------------------------------------ */

/* Against a naive count, with random timeouts. */
static void test_timeout_sums(void)
{
    set_up(false);
    struct dc_stream r = dc_stream(9, dc_name("timeouts"), dc_name("test"));
    for (uint32_t trial = 0; trial < 200; trial++) {
        struct dc_timeout_set *set = NULL;
        struct dc_timeout_entry newest[N] = {0};
        uint64_t round = 1, q = 0;
        for (uint32_t step = 0; step < 60; step++) {
            struct dc_timeout_entry e = {.round = round + dc_next_below(&r, 4),
                                         .member = (uint32_t)dc_next_below(&r, N)};
            e.qc_round = dc_next_below(&r, e.round);
            struct dc_timeout_entry *n = &newest[e.member];
            bool newer = e.round > n->round || (e.round == n->round && e.qc_round > n->qc_round);
            CU_ASSERT_EQUAL(dc_timeouts_add(&set, committee, &e, round, q), newer);
            if (newer)
                *n = e;
            if (dc_next_below(&r, 5) == 0) {
                round += dc_next_below(&r, 2);
                q = dc_next_below(&r, round);
                dc_timeouts_enter(&set, committee, round, q);
                for (uint32_t i = 0; i < N; i++)
                    if (newest[i].round < round)
                        newest[i] = (struct dc_timeout_entry){0};
            }
            uint64_t at = 0, above = 0, join = 0;
            for (uint32_t i = 0; i < N; i++) {
                bool counts = newest[i].round != 0 && newest[i].qc_round <= q;
                at += counts && newest[i].round == round;
                above += counts && newest[i].round > round;
            }
            for (uint64_t x = 1; x < round + 8; x++) {
                uint64_t power = 0;
                for (uint32_t i = 0; i < N; i++)
                    power += newest[i].round >= x && newest[i].qc_round <= q;
                if (power >= 3)
                    for (uint32_t i = 0; i < N; i++)
                        if (newest[i].round == x && newest[i].qc_round <= q)
                            join = x;
            }
            CU_ASSERT_EQUAL(set == NULL ? 0 : set->power_at, at);
            CU_ASSERT_EQUAL(set == NULL ? 0 : set->power_above, above);
            CU_ASSERT_EQUAL(dc_timeouts_join(set, committee, 3, q), join);
        }
        dc_timeouts_free(&set);
    }
    tear_down();
}

static void test_vote_sets(void)
{
    set_up(false);
    struct dc_vote_set *list = NULL;
    struct dc_vote good = vote_of(0, 5, 1, 0);
    for (uint32_t i = 0; i < 4; i++) {
        struct dc_vote v = vote_of(i, 5, 1, 0);
        (void)dc_vote_set_add(dc_vote_set_get(&list, env, committee, &v), committee, i,
                              v.signature);
    }
    for (uint32_t i = 0; i < 40; i++) { /* one who votes for anything cannot push that out */
        struct dc_vote v = vote_of(6, 5 + i, (uint8_t)(2 + i), 0);
        (void)dc_vote_set_add(dc_vote_set_get(&list, env, committee, &v), committee, 6,
                              v.signature);
        uint32_t sets = 0;
        for (struct dc_vote_set *s = list; s != NULL; s = s->next)
            sets++;
        CU_ASSERT(sets <= DC_VOTE_SETS);
    }
    CU_ASSERT_EQUAL(dc_vote_set_get(&list, env, committee, &good)->power, 4);
    dc_vote_sets_drop(&list, 6);
    for (struct dc_vote_set *s = list; s != NULL; s = s->next)
        CU_ASSERT(s->round >= 6);
    dc_vote_sets_drop(&list, UINT64_MAX);
    tear_down();
}

/* Whatever is thrown at a node is counted, and changes nothing that it would sign. */
static void test_nonsense(void)
{
    set_up(false);
    net_start(net);
    net_run(net, 40 * MS);
    struct dc_stream r = dc_stream(10, dc_name("nonsense"), dc_name("test"));
    struct net_machine *m = &net->machine[2];
    for (uint32_t i = 0; i < 20000; i++) {
        uint8_t bytes[700];
        size_t size = 2 + dc_next_below(&r, sizeof bytes - 2);
        for (size_t k = 0; k < size; k++)
            bytes[k] = (uint8_t)dc_next_below(&r, dc_next_below(&r, 2) == 0 ? 256 : 3);
        bytes[0] = (uint8_t)(DC_MSG_PROPOSAL + dc_next_below(&r, 7));
        if (bytes[0] == DC_MSG_BLOCK_REQUEST && size == DC_BLOCK_REQUEST_BYTES)
            continue;
        uint64_t round = m->core.durable.round, voted = m->core.durable.last_voted_round;
        net_inject(net, 5, 2, bytes, size);
        CU_ASSERT_EQUAL(m->core.durable.round, round);
        CU_ASSERT_EQUAL(m->core.durable.last_voted_round, voted);
    }
    CU_ASSERT(m->core.chain.rejected > 15000);
    uint64_t before = net_lowest_final(net);
    net_run(net, 200 * MS);
    CU_ASSERT(net_lowest_final(net) > before + 50);
    tear_down();
}

/* A proposal with a false signature neither shadows the right one nor profits from it. */
static void test_false_signature(void)
{
    for (int order = 0; order < 2; order++) {
        set_up(false);
        net->manual = true;
        net_start(net); /* 1 proposes */
        struct dc_block *b = net->machine[1].core.durable.proposal;
        CU_ASSERT_PTR_NOT_NULL_FATAL(b);
        size_t size = 1 + b->size + DC_SIGNATURE_BYTES;
        uint8_t *good = malloc(size), *bad = malloc(size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(good);
        CU_ASSERT_PTR_NOT_NULL_FATAL(bad);
        good[0] = DC_MSG_PROPOSAL;
        memcpy(good + 1, b->bytes, b->size);
        memcpy(good + 1 + b->size, b->signature, DC_SIGNATURE_BYTES);
        memcpy(bad, good, size);
        bad[size - 1] ^= 4;
        struct net *first = net;
        set_up(false); /* another process: nobody has interned the block yet */
        for (int i = 0; i < 2; i++) {
            uint32_t rejected = net->machine[2].core.chain.rejected;
            bool is_bad = i == order;
            net_inject(net, 1, 2, is_bad ? bad : good, size);
            CU_ASSERT_EQUAL(net->machine[2].core.chain.rejected, rejected + is_bad);
            CU_ASSERT_EQUAL(net->machine[2].core.durable.last_voted_round,
                            i == 0 && is_bad ? 0 : 1);
            CU_ASSERT_EQUAL(net->out.charge[DC_COST_VERIFY], 0);
        }
        CU_ASSERT_EQUAL(net->charge_verify, 2);
        struct net *second = net;
        net = first;
        tear_down();
        net = second;
        tear_down();
        free(good);
        free(bad);
    }
}

int main(void)
{
    static const struct test_case cases[] = {
        {"QC and TC under mutation", test_certificates},
        {"memo, charges, too little power", test_memo},
        {"blocks and hand-overs under mutation", test_blocks},
        {"where a TC belongs", test_tc_rule},
        {"messages under mutation", test_messages},
        {"evidence under mutation", test_evidence},
        {"timeouts against a naive count", test_timeout_sums},
        {"vote sets", test_vote_sets},
        {"nonsense", test_nonsense},
        {"a false signature", test_false_signature},
    };
    return TEST_MAIN("consensus/codec", cases);
}
