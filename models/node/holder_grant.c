/* Grants out of the fund: what is due, and the two rounds in which t holders sign it (holder_impl.h
 * has the drawing; models/README.md 9).
 *
 * Everybody who follows the chain finds the same claims and the same turn of coordinators, so
 * nothing has to be agreed on: a holder that is asked signs what it finds due itself, or nothing.
 *
 * A share is given for one list of commitments under each counter (epoch, attempt, try), and
 * counters only go up: two lists under one pair of nonces would give the share away.  A process
 * that began again knows no counters, and waits for the next epoch, whose counters are new; since
 * it may have come back from further behind than that, when it began goes into its nonces too. */
#include "models/base/mem.h"
#include "models/node/holder_impl.h"

void dc_holder_session_end(struct holder_session *s)
{
    dc_mem_free(s->tx);
    memset(s, 0, sizeof *s);
}

/* --- what is due ------------------------------------------------------------------------------ */

/* What a client's deal that ended with its node is worth: one epoch of it at the chain's least
 * price. */
static uint64_t grant_worth(const struct dc_params *p, const struct dc_deal *d)
{
    uint64_t price = dc_muldiv(p->price_gib_epoch, d->size_bytes, (uint64_t)1 << 30);
    return price < d->price ? price : d->price;
}

/* The claims on the epoch before: clients, in the order of deals, of nodes that were ejected in it.
 * When the fund cannot pay all, each is cut to an equal part. */
static void grant_claims(struct dc_holder *h, const struct dc_state *state)
{
    const struct dc_meta *m = dc_state_meta(state);
    h->claims = 0;
    for (uint32_t id = 0; m->epoch > 0 && id < m->deals && h->claims < HOLDER_CLAIMS_MAX; id++) {
        const struct dc_deal *d = dc_state_deal(state, id);
        if (d->end_epoch + 1 != m->epoch || d->client == d->node ||
            !dc_state_account(state, d->node)->posync.ejected)
            continue;
        uint64_t worth = grant_worth(dc_state_params(state), d);
        if (worth != 0)
            h->claim[h->claims++] = (struct holder_claim){d->client, worth};
    }
    uint64_t part = h->claims != 0 ? m->fund / h->claims : 0;
    for (uint32_t i = 0; i < h->claims; i++)
        h->claim[i].amount = h->claim[i].amount < part ? h->claim[i].amount : part;
    if (part == 0)
        h->claims = 0;
}

/* The claim that grant number `grants` pays, or NULL. */
static const struct holder_claim *grant_due(const struct dc_holder *h)
{
    uint64_t j = h->grants - h->grants_before;
    return h->known && j < h->claims ? &h->claim[j] : NULL;
}

/* The transaction without its signature; what is signed is its digest. */
static size_t grant_bytes(const struct dc_node *node, const struct holder_claim *claim,
                          uint8_t out[128], struct dc_hash *digest)
{
    struct dc_tx tx = {.kind = DC_TX_GRANT, .from = DC_NOBODY};
    tx.grant.nonce = node->holder->grants;
    tx.grant.amount = claim->amount;
    tx.grant.to = claim->to;
    size_t size = dc_tx_encode_unsigned(&tx, out, 64);
    DC_CHECK(size != 0);
    *digest = dc_tx_digest(node->env.chain, out, size);
    return size;
}

/* epoch 40 | attempt 12 | try 12 */
static uint64_t grant_counter(uint64_t epoch, uint64_t attempt, uint64_t try)
{
    return epoch << 24 | (attempt & 0xfff) << 12 | (try & 0xfff);
}
static uint32_t grant_attempt(uint64_t counter)
{
    return (uint32_t)(counter >> 12 & 0xfff);
}

static uint32_t grant_coordinator(const struct dc_holder *h, uint64_t attempt, uint32_t count)
{
    return (uint32_t)((h->grants + attempt) % count);
}

/* --- messages --------------------------------------------------------------------------------- */

static uint8_t *grant_message(const struct dc_holder *h, uint8_t step, uint64_t counter,
                              size_t body, struct dc_effects *out)
{
    uint8_t *m = dc_effects_bytes(out, HOLDER_HEAD_BYTES + body);
    m[0] = DC_MSG_HOLDER;
    m[1] = step;
    dc_put64(m + 2, counter);
    dc_put64(m + 10, h->grants);
    return m;
}

static void grant_send(const struct dc_node *node, uint32_t to, const uint8_t *message, size_t body,
                       struct dc_effects *out)
{
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND);
    e->to = dc_state_holders(node->chain->final->state)->account[to];
    e->bytes = message;
    e->size = (uint32_t)(HOLDER_HEAD_BYTES + body);
}

/* To holders[count]. */
static void grant_send_many(const struct dc_node *node, const uint32_t *holder, uint32_t count,
                            const uint8_t *message, size_t body, struct dc_effects *out)
{
    const struct dc_holders *all = dc_state_holders(node->chain->final->state);
    uint32_t *to = dc_effects_bytes(out, count * sizeof *to);
    if (count == 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        to[i] = all->account[holder[i]];
    struct dc_effect *e = dc_effects_add(out, DC_EFFECT_SEND_MANY);
    e->bytes = message;
    e->size = (uint32_t)(HOLDER_HEAD_BYTES + body);
    e->to_list = to;
    e->to_count = count;
}

static void grant_own(const struct dc_node *node, uint64_t counter, const struct dc_hash *digest,
                      struct dc_frost_nonces *nonces, struct dc_frost_commitment *commitment)
{
    const struct dc_holder_secret *s = &node->holder->secret;
    uint8_t about[sizeof digest->b + 16];
    memcpy(about, digest->b, sizeof digest->b);
    dc_put64(about + sizeof digest->b, (uint64_t)node->holder->life[0]);
    dc_put64(about + sizeof digest->b + 8, (uint64_t)node->holder->life[1]);
    dc_frost_nonces(DC_FROST_ED25519, s->seed, s->treasury, about, sizeof about, counter, nonces);
    dc_frost_commit(DC_FROST_ED25519, s->index, nonces, commitment);
}

/* This holder's share for a list, once for each counter. */
static bool grant_sign(struct dc_node *node, uint64_t counter,
                       const struct dc_frost_package *package, const struct dc_hash *digest,
                       uint8_t z[32], struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    struct dc_frost_nonces nonces;
    struct dc_frost_commitment own;
    if (counter <= h->signed_counter)
        return false;
    grant_own(node, counter, digest, &nonces, &own);
    out->charge[DC_COST_POINT] += 3 + package->count;
    bool right = dc_frost_sign(package, h->secret.index, h->secret.treasury, &nonces, z);
    if (right)
        h->signed_counter = counter;
    return right;
}

static struct dc_frost_package grant_package(const struct dc_node *node,
                                             const struct dc_frost_commitment *list, uint32_t count,
                                             const struct dc_hash *digest)
{
    return (struct dc_frost_package){.suite = DC_FROST_ED25519,
                                     .group_key =
                                         dc_state_holders(node->chain->final->state)->treasury_key,
                                     .message = digest->b,
                                     .size = sizeof digest->b,
                                     .list = list,
                                     .count = count};
}

/* --- coordinating ----------------------------------------------------------------------------- */

static void session_share(struct dc_node *node, uint32_t holder, const uint8_t z[32],
                          struct dc_effects *out);

/* Begins a try: asks all but those that failed before. */
static void session_begin(struct dc_node *node, uint64_t counter, const struct dc_state *state,
                          struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    const struct dc_holders *all = dc_state_holders(state);
    struct holder_session *s = &h->session;
    struct dc_frost_nonces nonces;
    struct dc_hash digest;
    uint8_t bytes[128];
    dc_holder_session_end(s);
    s->counter = counter;
    s->began = dc_state_meta(state)->height;
    grant_bytes(node, grant_due(h), bytes, &digest);
    grant_own(node, counter, &digest, &nonces, &s->list[0]);
    s->commitments = 1;
    out->charge[DC_COST_POINT] += 2;
    uint8_t *m = grant_message(h, HOLDER_ASK, counter, 0, out);
    uint32_t asked[DC_KEY_HOLDERS_MAX], n = 0;
    for (uint32_t i = 0; i < all->count; i++)
        if (i != h->secret.index && !h->suspect[i])
            asked[n++] = i;
    grant_send_many(node, asked, n, m, 0, out);
}

/* There are t commitments: the list goes out, and the own share is made. */
static void session_list(struct dc_node *node, struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    struct holder_session *s = &h->session;
    uint32_t t = s->commitments;
    for (uint32_t i = 1; i < t; i++) { /* ascending */
        struct dc_frost_commitment x = s->list[i];
        uint32_t at = i;
        for (; at > 0 && s->list[at - 1].member > x.member; at--)
            s->list[at] = s->list[at - 1];
        s->list[at] = x;
    }
    size_t body = t * (1 + DC_FROST_COMMITMENT_BYTES);
    uint8_t *m = grant_message(h, HOLDER_PACKAGE, s->counter, body, out);
    for (uint32_t i = 0; i < t; i++) {
        uint8_t *at = m + HOLDER_HEAD_BYTES + i * (1 + DC_FROST_COMMITMENT_BYTES);
        at[0] = (uint8_t)s->list[i].member;
        dc_frost_commitment_encode(&s->list[i], at + 1);
    }
    uint32_t signer[DC_KEY_HOLDERS_MAX], others = 0;
    for (uint32_t i = 0; i < t; i++)
        if (s->list[i].member != h->secret.index)
            signer[others++] = s->list[i].member;
    grant_send_many(node, signer, others, m, body, out);
    struct dc_hash digest;
    uint8_t bytes[128], z[32];
    grant_bytes(node, grant_due(h), bytes, &digest);
    struct dc_frost_package package = grant_package(node, s->list, t, &digest);
    if (grant_sign(node, s->counter, &package, &digest, z, out))
        session_share(node, h->secret.index, z, out);
}

static void session_commitment(struct dc_node *node, uint32_t holder, const uint8_t body[64],
                               struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    struct holder_session *s = &h->session;
    uint32_t threshold = dc_state_holders(node->chain->final->state)->threshold;
    for (uint32_t i = 0; i < s->commitments; i++)
        if (s->list[i].member == holder)
            return;
    if (s->commitments >= threshold || h->suspect[holder] ||
        !dc_frost_commitment_decode(DC_FROST_ED25519, holder, body, &s->list[s->commitments]))
        return;
    if (++s->commitments == threshold)
        session_list(node, out);
}

/* All shares are there and right: the grant goes to the leaders. */
static void session_done(struct dc_node *node, const struct dc_frost_package *package,
                         const uint8_t *bytes, size_t size, struct dc_effects *out)
{
    struct holder_session *s = &node->holder->session;
    uint8_t signature[64];
    bool right = dc_frost_aggregate(package, (const uint8_t(*)[32])s->z, signature);
    DC_CHECK(right); /* each share was checked */
    out->charge[DC_COST_POINT] += package->count;
    out->charge[DC_COST_VERIFY]++;
    if (node->env.crypto->suite == DC_SUITE_MODELLED) { /* the stand-in that dc_verify expects */
        struct dc_keypair key = {{0}, {0}};
        memcpy(key.public, package->group_key, 32);
        dc_sign(node->env.crypto, &key, package->message, package->size, signature);
    }
    s->tx = dc_mem_need(1, size + sizeof signature, "a grant");
    memcpy(s->tx, bytes, size);
    memcpy(s->tx + size, signature, sizeof signature);
    s->tx_size = size + sizeof signature;
    dc_node_submit(node, s->tx, s->tx_size, out);
}

static void session_share(struct dc_node *node, uint32_t holder, const uint8_t z[32],
                          struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    struct holder_session *s = &h->session;
    const struct dc_state *state = node->chain->final->state;
    const struct dc_holders *all = dc_state_holders(state);
    uint32_t i = 0;
    while (i < s->commitments && s->list[i].member != holder)
        i++;
    if (i == s->commitments || s->commitments < all->threshold || s->came[i] || s->tx != NULL)
        return;
    struct dc_hash digest;
    uint8_t bytes[128];
    size_t size = grant_bytes(node, grant_due(h), bytes, &digest);
    struct dc_frost_package package = grant_package(node, s->list, s->commitments, &digest);
    out->charge[DC_COST_POINT] += 3 + s->commitments;
    if (!dc_frost_share_check(&package, i, all->treasury_share_key[holder], z)) {
        h->suspect[holder] = true; /* by name: the others go on without it */
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_HOLDER, holder);
        session_begin(node, s->counter + 1, state, out);
        return;
    }
    memcpy(s->z[i], z, 32);
    s->came[i] = true;
    if (++s->shares == s->commitments)
        session_done(node, &package, bytes, size, out);
}

/* Those whose share was waited for in vain are left out of the next try. */
static void session_silent(struct dc_holder *h)
{
    const struct holder_session *s = &h->session;
    for (uint32_t i = 0; i < s->commitments; i++)
        if (!s->came[i] && s->list[i].member != h->secret.index && s->shares != 0)
            h->suspect[s->list[i].member] = true;
}

/* --- being asked ------------------------------------------------------------------------------ */

static void asked_commitment(struct dc_node *node, uint32_t from, uint64_t counter,
                             const struct dc_hash *digest, struct dc_effects *out)
{
    struct dc_frost_nonces nonces;
    struct dc_frost_commitment own;
    if (counter <= node->holder->signed_counter)
        return;
    grant_own(node, counter, digest, &nonces, &own);
    out->charge[DC_COST_POINT] += 2;
    uint8_t *m =
        grant_message(node->holder, HOLDER_COMMIT, counter, DC_FROST_COMMITMENT_BYTES, out);
    dc_frost_commitment_encode(&own, m + HOLDER_HEAD_BYTES);
    grant_send(node, from, m, DC_FROST_COMMITMENT_BYTES, out);
}

static void asked_share(struct dc_node *node, uint32_t from, uint64_t counter, const uint8_t *body,
                        size_t size, const struct dc_hash *digest, struct dc_effects *out)
{
    const struct dc_holders *all = dc_state_holders(node->chain->final->state);
    struct dc_frost_commitment list[DC_KEY_HOLDERS_MAX];
    const size_t each = 1 + DC_FROST_COMMITMENT_BYTES;
    uint32_t n = all->threshold;
    if (size != n * each)
        return;
    for (uint32_t i = 0; i < n; i++)
        if (body[i * each] >= all->count ||
            !dc_frost_commitment_decode(DC_FROST_ED25519, body[i * each], body + i * each + 1,
                                        &list[i]))
            return;
    struct dc_frost_package package = grant_package(node, list, n, digest);
    uint8_t z[32];
    if (!grant_sign(node, counter, &package, digest, z, out))
        return;
    uint8_t *m = grant_message(node->holder, HOLDER_SHARE, counter, sizeof z, out);
    memcpy(m + HOLDER_HEAD_BYTES, z, sizeof z);
    grant_send(node, from, m, sizeof z, out);
}

/* --- the step --------------------------------------------------------------------------------- */

/* A new epoch: its claims are those of the state after its first block, which is looked up, because
 * several blocks may have become final at once. */
static void grant_epoch(struct dc_node *node, const struct dc_state *state)
{
    struct dc_holder *h = node->holder;
    const struct dc_meta *m = dc_state_meta(state);
    const struct dc_block *first =
        dc_node_block_at(node, m->epoch * node->env.params->epoch_blocks + 1);
    if (!h->began)
        h->since = m->epoch;
    h->began = true;
    h->known = m->epoch > h->since && first != NULL;
    h->epoch = m->epoch;
    h->grants = dc_state_vault(state)->grants;
    h->grant_height = m->height;
    if (h->known) {
        h->grants_before = dc_state_vault(first->state)->grants;
        grant_claims(h, first->state);
    }
    memset(h->suspect, 0, sizeof h->suspect);
    dc_holder_session_end(&h->session);
}

void dc_holder_grant_commit(struct dc_node *node, const struct dc_state *state,
                            struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    const struct dc_meta *m = dc_state_meta(state);
    uint64_t grants = dc_state_vault(state)->grants;
    if (!h->began || m->epoch != h->epoch)
        grant_epoch(node, state);
    if (grants != h->grants) {
        h->grants = grants;
        h->grant_height = m->height;
        dc_holder_session_end(&h->session);
    }
    if (grant_due(h) == NULL || m->height == h->grant_height)
        return; /* one block more, so that those who are asked have seen what is due */
    uint64_t attempt = (m->height - h->grant_height) / HOLDER_ATTEMPT_HEIGHTS;
    struct holder_session *s = &h->session;
    if (grant_coordinator(h, attempt, dc_state_holders(state)->count) != h->secret.index) {
        dc_holder_session_end(s);
    } else if (s->counter == 0 || grant_attempt(s->counter) != (attempt & 0xfff)) {
        session_begin(node, grant_counter(h->epoch, attempt, 1), state, out);
    } else if (s->tx != NULL) {
        if ((m->height - s->began) % HOLDER_TRY_HEIGHTS == 0)
            dc_node_submit(node, s->tx, s->tx_size, out);
    } else if (m->height >= s->began + HOLDER_TRY_HEIGHTS) {
        session_silent(h);
        session_begin(node, s->counter + 1, state, out);
    }
}

void dc_holder_grant_message(struct dc_node *node, const struct dc_input *in,
                             struct dc_effects *out)
{
    struct dc_holder *h = node->holder;
    const struct dc_holders *all = dc_state_holders(node->chain->final->state);
    const uint8_t *b = in->payload->bytes;
    size_t size = in->payload->size;
    uint32_t from = dc_holder_index(all, in->from);
    if (size < HOLDER_HEAD_BYTES || from >= all->count) {
        node->refused++;
        dc_effect_note(out, DC_NOTE_REFUSED, DC_MSG_HOLDER, 0);
        return;
    }
    uint64_t counter = dc_get64(b + 2);
    const struct holder_claim *claim = grant_due(h);
    if (claim == NULL || dc_get64(b + 10) != h->grants || counter >> 24 != h->epoch)
        return; /* of another grant: the sender is ahead, or behind */
    const uint8_t *body = b + HOLDER_HEAD_BYTES;
    size -= HOLDER_HEAD_BYTES;
    struct dc_hash digest;
    uint8_t bytes[128];
    grant_bytes(node, claim, bytes, &digest);
    bool leads = grant_coordinator(h, grant_attempt(counter), all->count) == from;
    if (b[1] == HOLDER_ASK && leads && size == 0)
        asked_commitment(node, from, counter, &digest, out);
    else if (b[1] == HOLDER_PACKAGE && leads)
        asked_share(node, from, counter, body, size, &digest, out);
    else if (b[1] == HOLDER_COMMIT && counter == h->session.counter &&
             size == DC_FROST_COMMITMENT_BYTES)
        session_commitment(node, from, body, out);
    else if (b[1] == HOLDER_SHARE && counter == h->session.counter && size == 32)
        session_share(node, from, body, out);
}
