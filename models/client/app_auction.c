/* Part of a node in a sealed-bid auction: it sells (owner), or bids (participant).
 *
 *   seller   make --close--> expose what does not open --> settle --> over
 *   bidder   find --in its own time--> bid --> over
 *
 * Everything but the height of the call is found again on chain after a crash.
 *
 * Values are money; a bid counts in thousandths of 1 DSYNC.  A bidder deposits call.bound, or,
 * where that is 0, the next power of two of units, so that the deposit tells the bid to a factor of
 * two and no more. */
#include "models/client/app.h"

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "models/crypto/r1cs.h"
#include "models/privacy/auction.h"

#define AUCTION_UNIT ((uint64_t)1000000) /* base units: 0.001 DSYNC */
#define AUCTION_WAIT 48                  /* heights that a bidder waits for the contract */

struct auction {
    uint64_t began;              /* height of the call */
    uint64_t offset;             /* heights after the making at which a bidder bids */
    uint8_t secret[32], key[32]; /* seller */
};

static uint64_t auction_height(const struct dc_app_env *env)
{
    return dc_state_meta(env->state)->height;
}

static void auction_make(struct dc_engagement *g, const struct dc_app_env *env,
                         struct dc_effects *out)
{
    const struct auction *a = g->memory;
    const struct dc_app_call *call = &g->call;
    struct dc_auction_terms t = {.tag = call->tag,
                                 .unit = AUCTION_UNIT,
                                 .close = (uint32_t)call->close,
                                 .end = (uint32_t)call->end};
    memcpy(t.key, a->key, 32);
    uint8_t body[DC_AUCTION_CREATE_BYTES];
    dc_auction_terms_encode(&t, body);
    dc_app_submit(g, env, DC_CONTRACT_NEW, DC_CONTRACT_AUCTION, DC_AUCTION_CREATE, body,
                  sizeof body, out);
}

static void auction_begin(struct dc_engagement *g, const struct dc_app_env *env,
                          const struct dc_input *in, struct dc_effects *out)
{
    struct auction *a = dc_mem_need(1, sizeof *a, "an auction");
    const struct dc_app_call *call = &g->call;
    g->memory = a;
    a->began = auction_height(env);
    if (g->resumed && g->record_size == sizeof a->began)
        a->began = dc_get64(g->record);
    uint8_t began[8];
    dc_put64(began, a->began);
    dc_app_record(g, began, sizeof began);
    a->offset = 1 + dc_mix64(call->tag ^ dc_mix64(env->config->id)) %
                        (call->close > 2 ? call->close / 2 : 1);
    if (call->role != DC_APP_OWNER)
        return;
    dc_auction_key(env->config->key->secret, call->tag, a->secret, a->key);
    out->charge[DC_COST_POINT]++;
    if (!g->resumed)
        auction_make(g, env, out);
}

/* --- bidding --------------------------------------------------------------------------------- */

/* The account's bid in the contract, or NULL. */
static const struct dc_entry *auction_own(const struct dc_app_env *env, const struct dc_contract *c)
{
    for (uint32_t at = c->last; at != DC_ENTRY_NONE;) {
        const struct dc_entry *x = dc_state_entry(env->state, at);
        if (x->from == env->config->id)
            return x;
        at = x->prev;
    }
    return NULL;
}

/* In units; at least the bid. */
static uint32_t auction_deposit(const struct dc_app_call *call, uint64_t unit, uint32_t bid)
{
    uint64_t deposit = call->bound / unit;
    if (call->bound == 0)
        for (deposit = 1; deposit < bid;)
            deposit *= 2;
    if (deposit > UINT32_MAX)
        deposit = UINT32_MAX;
    return deposit < bid ? bid : (uint32_t)deposit;
}

static void auction_bid(struct dc_engagement *g, const struct dc_app_env *env,
                        const struct dc_contract *c, struct dc_effects *out)
{
    const struct auction *a = g->memory;
    uint64_t height = auction_height(env), unit = c->word[0], most = g->call.value / unit;
    bool due = height >= c->opened + a->offset && height < c->close && !dc_app_under_way(g);
    if (!due || auction_own(env, c) != NULL)
        return;
    uint32_t bid = most > UINT32_MAX ? UINT32_MAX : (uint32_t)most;
    struct dc_hash context = dc_privacy_context(env->config->chain, g->contract, c->digest);
    uint8_t body[DC_AUCTION_BID_HEAD_BYTES + DC_R1CS_PROOF_BYTES_MAX];
    size_t size = dc_auction_bid_make(&context, env->config->id, c->point[0], bid,
                                      auction_deposit(&g->call, unit, bid),
                                      env->config->key->secret, body, sizeof body);
    DC_CHECK(size != 0); /* the key is a point: creation looked */
    out->charge[DC_COST_GATE_PROVE] += dc_auction_bid_gates();
    out->charge[DC_COST_POINT] += 4;
    dc_app_submit(g, env, g->contract, DC_CONTRACT_AUCTION, DC_AUCTION_BID, body, size, out);
}

/* --- settling -------------------------------------------------------------------------------- */

struct book {               /* the bids that stand, oldest first */
    uint32_t count, closed; /* closed: of those, how many do not open */
    uint32_t entry[DC_AUCTION_BIDS_MAX];
    bool opens[DC_AUCTION_BIDS_MAX];
    struct dc_auction_sealed sealed[DC_AUCTION_BIDS_MAX];
    struct dc_auction_opening opening[DC_AUCTION_BIDS_MAX];
};

static void book_read(struct book *b, const struct dc_app_env *env, const struct dc_contract *c,
                      const struct dc_hash *context, const uint8_t secret[32])
{
    b->count = b->closed = 0;
    for (uint32_t at = c->last; at != DC_ENTRY_NONE;) {
        const struct dc_entry *x = dc_state_entry(env->state, at);
        b->count += x->kind == DC_AUCTION_STANDS;
        at = x->prev;
    }
    uint32_t i = b->count;
    for (uint32_t at = c->last; at != DC_ENTRY_NONE;) {
        const struct dc_entry *x = dc_state_entry(env->state, at);
        if (x->kind == DC_AUCTION_STANDS) {
            i--;
            b->entry[i] = at;
            memcpy(b->opening[i].commitment, x->point[0], 32);
            memcpy(b->sealed[i].ephemeral, x->point[1], 32);
            dc_put64(b->sealed[i].bid, x->word[1]);
            memcpy(b->sealed[i].blinding, x->point[2], 32);
            b->opens[i] = dc_auction_open(context, secret, x->point[0], &b->sealed[i],
                                          &b->opening[i].bid, b->opening[i].blinding);
            b->closed += !b->opens[i];
        }
        at = x->prev;
    }
}

static void auction_settle(struct dc_engagement *g, const struct dc_app_env *env,
                           const struct dc_contract *c, struct dc_effects *out)
{
    const struct auction *a = g->memory;
    uint64_t height = auction_height(env);
    if (height < c->close || height >= c->end || dc_app_under_way(g))
        return;
    struct dc_hash context = dc_privacy_context(env->config->chain, g->contract, c->digest);
    struct book *b = dc_mem_need(1, sizeof *b, "an auction's bids");
    book_read(b, env, c, &context, a->secret);
    out->charge[DC_COST_POINT] += 2 * b->count;
    for (uint32_t i = 0; i < b->count; i++)
        if (!b->opens[i]) {
            uint8_t body[DC_AUCTION_EXPOSE_BYTES];
            dc_auction_expose(&context, a->secret, b->entry[i], &b->sealed[i], body);
            out->charge[DC_COST_POINT] += 3;
            dc_app_submit(g, env, g->contract, DC_CONTRACT_AUCTION, DC_AUCTION_EXPOSE, body,
                          sizeof body, out);
        }
    if (b->closed == 0 && b->count != 0) {
        uint8_t body[8 + DC_R1CS_PROOF_BYTES_MAX];
        uint32_t winner = 0;
        for (uint32_t i = 1; i < b->count; i++)
            if (b->opening[i].bid > b->opening[winner].bid)
                winner = i;
        size_t size = dc_auction_settle(&context, b->opening, b->count, winner,
                                        env->config->key->secret, body, sizeof body);
        DC_CHECK(size != 0); /* all open, and it is the first of the highest */
        out->charge[DC_COST_GATE_PROVE] += dc_auction_settle_gates(b->count);
        dc_app_submit(g, env, g->contract, DC_CONTRACT_AUCTION, DC_AUCTION_SETTLE, body, size, out);
    }
    dc_mem_free(b);
}

/* Seller: the price; bidder: what it paid.  Money. */
static uint64_t auction_result(const struct dc_engagement *g, const struct dc_app_env *env,
                               const struct dc_contract *c)
{
    bool concerns = g->call.role == DC_APP_OWNER || c->word[2] == (uint64_t)env->config->id + 1;
    return c->word[2] != 0 && concerns ? c->word[1] * c->word[0] : 0;
}

static void auction_commit(struct dc_engagement *g, const struct dc_app_env *env, int64_t now_ns,
                           struct dc_effects *out)
{
    const struct auction *a = g->memory;
    uint32_t id = dc_app_find(g, env, DC_CONTRACT_AUCTION);
    if (id == DC_CONTRACT_NEW) {
        if (auction_height(env) > a->began + g->call.end + AUCTION_WAIT)
            dc_app_done(g, DC_APP_REFUSED, out);
        else if (g->call.role == DC_APP_OWNER && !dc_app_under_way(g))
            auction_make(g, env, out); /* another CALL had its nonce */
        return;
    }
    const struct dc_contract *c = dc_state_contract(env->state, id);
    if (c->phase == DC_CONTRACT_OVER)
        dc_app_done(g, auction_result(g, env, c), out);
    else if (g->call.role == DC_APP_OWNER)
        auction_settle(g, env, c, out);
    else
        auction_bid(g, env, c, out);
}

static void auction_end(struct dc_engagement *g)
{
    dc_mem_free(g->memory);
}

const struct dc_app_class dc_app_auction = {
    .name = "auction", .begin = auction_begin, .commit = auction_commit, .end = auction_end};
