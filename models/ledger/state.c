#include "models/ledger/vault_impl.h"

/* Life of a state: begin (everything shared with its parent) -> edits -> commit (hashes) -> shared
 * and immutable until its last holder drops it.  All of this under the store's execution lock;
 * reading a committed state (see state_read.c) needs none. */

struct dc_state *dc_state_new(struct dc_ledger *ledger)
{
    struct dc_state *s = dc_mem_need(1, sizeof *s, "a state");
    ledger->small_bytes += sizeof *s;
    s->refs = 1;
    s->ledger = ledger;
    return s;
}

struct dc_state *dc_state_begin(const struct dc_state *from)
{
    struct dc_state *s = dc_state_new(from->ledger);
    *s = *from;
    s->refs = 1;
    s->accounts = dc_tree_hold(&from->accounts);
    s->deals = dc_tree_hold(&from->deals);
    s->tallies = dc_tree_hold(&from->tallies);
    s->reports = dc_tree_hold(&from->reports);
    s->past = dc_tree_hold(&from->past);
    s->work->refs++;
    s->agenda->refs++;
    if (s->anomaly != NULL)
        dc_anomaly_hold(s->anomaly);
    if (s->vault != NULL)
        s->vault->refs++;
    return s;
}

void dc_state_drop(struct dc_state *s)
{
    if (s == NULL || --s->refs != 0)
        return;
    struct dc_ledger *l = s->ledger;
    dc_tree_drop(&l->accounts, &s->accounts);
    dc_tree_drop(&l->deals, &s->deals);
    dc_tree_drop(&l->tallies, &s->tallies);
    dc_tree_drop(&l->reports, &s->reports);
    dc_tree_drop(&l->accounts, &s->past);
    dc_work_drop(l, s->work);
    dc_agenda_drop(l, s->agenda);
    dc_anomaly_drop(s->anomaly);
    dc_vault_drop(l, s->vault);
    l->small_bytes -= sizeof *s;
    dc_mem_free(s);
}

static size_t work_bytes(uint32_t members)
{
    return sizeof(struct dc_work) + members * sizeof(struct dc_member_work) +
           (size_t)DC_LATE_VOTE_HEIGHTS * dc_work_bitmap_bytes(members);
}

struct dc_work *dc_work_new(struct dc_ledger *ledger, uint64_t epoch, uint32_t members)
{
    struct dc_work *w = dc_mem_need(1, work_bytes(members), "the work of a committee");
    ledger->small_bytes += work_bytes(members);
    w->refs = 1;
    w->members = members;
    w->epoch = epoch;
    w->member = (struct dc_member_work *)(w + 1);
    w->late = (uint8_t *)(w->member + members);
    return w;
}

void dc_work_drop(struct dc_ledger *ledger, struct dc_work *w)
{
    if (w == NULL || --w->refs != 0)
        return;
    ledger->small_bytes -= work_bytes(w->members);
    dc_mem_free(w);
}

struct dc_work *dc_state_work_edit(struct dc_state *s)
{
    struct dc_work *old = s->work;
    if (old->refs == 1)
        return old;
    struct dc_work *w = dc_work_new(s->ledger, old->epoch, old->members);
    w->certificates = old->certificates;
    memcpy(w->member, old->member, old->members * sizeof *old->member);
    memcpy(w->late, old->late, (size_t)DC_LATE_VOTE_HEIGHTS * dc_work_bitmap_bytes(old->members));
    old->refs--;
    return s->work = w;
}

static size_t agenda_bytes(uint32_t first, uint32_t second, uint32_t demands)
{
    return sizeof(struct dc_agenda) + demands * sizeof(struct dc_agenda_demand) +
           ((size_t)first + second) * sizeof(uint32_t);
}

struct dc_agenda *dc_agenda_new(struct dc_ledger *ledger, uint32_t first, uint32_t second,
                                uint32_t demands)
{
    struct dc_agenda *a = dc_mem_need(1, agenda_bytes(first, second, demands), "an agenda");
    ledger->small_bytes += agenda_bytes(first, second, demands);
    a->refs = 1;
    a->first_count = first;
    a->second_count = second;
    a->demand_count = demands;
    a->demand = (struct dc_agenda_demand *)(a + 1);
    a->first = (uint32_t *)(a->demand + demands);
    a->second = a->first + first;
    return a;
}

void dc_agenda_drop(struct dc_ledger *ledger, struct dc_agenda *a)
{
    if (a == NULL || --a->refs != 0)
        return;
    ledger->small_bytes -= agenda_bytes(a->first_count, a->second_count, a->demand_count);
    dc_mem_free(a);
}

struct dc_account *dc_state_edit(struct dc_state *s, uint32_t id)
{
    return dc_tree_edit(&s->ledger->accounts, &s->accounts, id);
}

struct dc_tally *dc_state_tally_edit(struct dc_state *s, uint32_t id)
{
    uint32_t stride = s->ledger->tally_stride;
    struct dc_tally_leaf *leaf =
        dc_tree_edit(&s->ledger->tallies, &s->tallies, dc_tally_leaf_of(id, stride));
    return &leaf->of[dc_tally_place(id, stride)];
}

struct dc_account *dc_state_append(struct dc_state *s)
{
    uint32_t id = s->meta.accounts++;
    uint32_t stride = s->ledger->tally_stride;
    for (uint32_t n = id % (DC_TALLY_GROUP * stride) == 0 ? stride : 0; n > 0; n--) {
        struct dc_tally_leaf *leaf = dc_tree_append(&s->ledger->tallies, &s->tallies);
        for (uint32_t i = 0; i < DC_TALLY_GROUP; i++)
            leaf->of[i].report = DC_REPORT_NONE;
    }
    struct dc_account *a = dc_tree_append(&s->ledger->accounts, &s->accounts);
    a->deal_last = DC_DEAL_NONE;
    return a;
}

void dc_state_deal_append(struct dc_state *s, struct dc_deal deal)
{
    struct dc_account *node = dc_state_edit(s, deal.node);
    deal.prev = node->deal_last;
    deal.offset_chunk = node->used_chunks;
    node->deal_last = s->meta.deals++;
    node->used_chunks += (deal.size_bytes + DC_CHUNK_BYTES - 1) / DC_CHUNK_BYTES;
    if (deal.paid_bytes == 0)
        deal.paid_bytes = deal.size_bytes;
    deal.most_bytes = deal.paid_bytes;
    node->used_bytes += deal.paid_bytes;
    *(struct dc_deal *)dc_tree_append(&s->ledger->deals, &s->deals) = deal;
}

/* --- encodings: canonical bytes of each kind of leaf ------------------------------------------ */

static void encode_challenge(struct dc_writer *w, const struct dc_challenge *c)
{
    dc_write64(w, c->height);
    dc_write8(w, c->asking);
    if (c->height == 0) { /* none, or a second asking that is still to be drawn */
        dc_write8(w, c->cause);
        dc_write8(w, c->k);
        dc_write64(w, c->epoch);
        return;
    }
    dc_write64(w, c->f_height);
    dc_write64(w, c->epoch);
    dc_write8(w, c->cause);
    dc_write8(w, c->k);
    dc_write8(w, c->verifiers);
    for (uint32_t i = 0; i < c->verifiers; i++) {
        dc_write32(w, c->verifier[i]);
        dc_write8(w, c->verdict[i]);
        dc_write32(w, c->reported_us[i]);
        dc_write8(w, c->proved[i]);
    }
    dc_write(w, c->nonce.b, 32);
    dc_write32(w, c->response_us);
}

static void encode_posync(struct dc_writer *w, const struct dc_posync *r)
{
    const uint32_t word[] = {r->u,          r->s,      r->a,
                             r->q,          r->score,  r->proved,
                             r->passed,     r->failed, r->p_value_rank,
                             r->p_value_of, r->level,  (uint32_t)r->trend,
                             r->forecast,   r->alpha,  r->beta,
                             r->asked};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        dc_write32(w, word[i]);
    const uint8_t byte[] = {r->u_defined, r->s_defined, r->q_defined, r->in_t, r->escalated,
                            r->undecided, r->flagged,   r->ejected,   r->seen};
    dc_write(w, byte, sizeof byte);
    dc_write64(w, (uint64_t)r->sprt_q16);
    encode_challenge(w, &r->challenge);
}

static size_t encode_account(const void *leaf, uint8_t *out)
{
    const struct dc_account *a = leaf;
    struct dc_writer w = dc_writer(out, DC_TREE_ENCODED_MAX);
    const uint64_t word[] = {a->balance,    a->nonce,       a->bond,     a->bond_release_epoch,
                             a->serial,     a->valid_from,  a->valid_to, a->capacity_bytes,
                             a->used_bytes, a->used_chunks, a->joined,   a->nonce_used};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        dc_write64(&w, word[i]);
    dc_write32(&w, a->roles);
    dc_write32(&w, a->deal_last);
    dc_write16(&w, a->slashes);
    const uint8_t byte[] = {a->region, a->lock_tier, a->revoked, a->slashed_equivocation};
    dc_write(&w, byte, sizeof byte);
    dc_write(&w, a->sign_key, 32);
    dc_write(&w, a->vrf_key, 32);
    dc_write(&w, a->filler_root.b, 32);
    for (uint32_t i = 0; i < DC_UNBONDING_MAX; i++) {
        dc_write64(&w, a->unbonding[i].amount);
        dc_write64(&w, a->unbonding[i].release_epoch);
    }
    dc_write64(&w, a->demand.height);
    if (a->demand.height != 0) {
        dc_write64(&w, a->demand.due_height);
        dc_write8(&w, a->demand.k);
        dc_write(&w, a->demand.nonce.b, 32);
    }
    if (a->roles & (DC_ROLES_SERVICE | DC_ROLE_VALIDATOR))
        encode_posync(&w, &a->posync);
    DC_CHECK(!w.failed);
    return w.size;
}

static size_t encode_deal(const void *leaf, uint8_t *out)
{
    const struct dc_deal *d = leaf;
    struct dc_writer w = dc_writer(out, DC_TREE_ENCODED_MAX);
    dc_write32(&w, d->client);
    dc_write32(&w, d->node);
    dc_write32(&w, d->prev);
    dc_write64(&w, d->size_bytes);
    dc_write64(&w, d->paid_bytes);
    dc_write64(&w, d->most_bytes);
    dc_write64(&w, d->price);
    dc_write64(&w, d->offset_chunk);
    dc_write64(&w, d->end_epoch);
    dc_write(&w, d->root.b, 32);
    return w.size;
}

static size_t encode_tallies(const void *leaf, uint8_t *out)
{
    const struct dc_tally_leaf *t = leaf;
    uint8_t *p = out;
    for (uint32_t i = 0; i < DC_TALLY_GROUP; i++, p += 44) {
        dc_put64(p, t->of[i].last_due);
        dc_put64(p + 8, t->of[i].timeliness[0]);
        dc_put64(p + 16, t->of[i].timeliness[1]);
        dc_put32(p + 24, t->of[i].heartbeats[0]);
        dc_put32(p + 28, t->of[i].heartbeats[1]);
        dc_put64(p + 32, t->of[i].take);
        dc_put32(p + 40, t->of[i].report);
    }
    return (size_t)(p - out);
}

static size_t encode_report(const void *leaf, uint8_t *out)
{
    const struct dc_report *r = leaf;
    const uint32_t word[] = {r->client, r->node, r->prev, r->sent, r->ok, r->timely};
    for (size_t i = 0; i < 6; i++)
        dc_put32(out + 4 * i, word[i]);
    dc_put64(out + 24, r->paid);
    dc_put64(out + 32, r->take);
    return 40;
}

const struct dc_tree_class dc_state_account_class = {"accounts", 1, sizeof(struct dc_account),
                                                     DC_TREE_ENCODED_MAX, encode_account};
const struct dc_tree_class dc_state_deal_class = {"deals", 2, sizeof(struct dc_deal), 128,
                                                  encode_deal};
const struct dc_tree_class dc_state_tally_class = {"tallies", 3, sizeof(struct dc_tally_leaf),
                                                   DC_TALLY_GROUP * 44, encode_tallies};
const struct dc_tree_class dc_state_report_class = {"reports", 4, sizeof(struct dc_report), 40,
                                                    encode_report};

static void encode_outlook(struct dc_writer *w, const struct dc_outlook *o)
{
    const uint64_t word[] = {o->demand, o->capacity, o->level, (uint64_t)o->trend, o->forecast};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        dc_write64(w, word[i]);
    dc_write8(w, o->seen);
}

static struct dc_hash hash_meta(const struct dc_state *s)
{
    const struct dc_meta *m = &s->meta;
    uint8_t text[1024];
    struct dc_writer w = dc_writer(text, sizeof text);
    const uint64_t word[] = {m->height, m->epoch,          m->minted,          m->burned,
                             m->fund,   m->escrow,         m->challenges_open, m->final_height,
                             m->fees,   m->registrar_nonce};
    for (size_t i = 0; i < sizeof word / sizeof word[0]; i++)
        dc_write64(&w, word[i]);
    const uint32_t half[] = {m->accounts,   m->deals,           m->validators,
                             m->services,   m->heartbeat_every, m->heartbeat_every_before,
                             m->deals_live, m->theta,           m->below,
                             m->below_of};
    for (size_t i = 0; i < sizeof half / sizeof half[0]; i++)
        dc_write32(&w, half[i]);
    for (uint32_t i = 0; i < DC_SERVICES; i++)
        encode_outlook(&w, &m->outlook[i]);
    for (uint32_t i = 0; i < DC_LOAD_SLOTS && s->ledger->params.quiet; i++)
        dc_write32(&w, m->load[i]);
    dc_write(&w, m->beacon.b, 32);
    dc_write(&w, s->past.hash.b, 32);
    dc_write(&w, dc_ledger_digest(s->ledger, m->epoch)->b, 32);
    for (uint32_t i = 0; i < 2; i++)
        dc_write(&w, s->committee[i]->root.b, 32);
    if (s->anomaly != NULL) {
        struct dc_hash learnt = dc_anomaly_digest(s->anomaly);
        dc_write(&w, learnt.b, 32);
    }
    DC_CHECK(!w.failed);
    return dc_hash_bytes(DC_DOMAIN_STATE_LEAF, text, w.size);
}

static struct dc_hash hash_work(const struct dc_work *work)
{
    struct dc_hasher h;
    dc_hasher_init(&h, DC_DOMAIN_STATE_LEAF);
    dc_hasher_update64(&h, work->epoch);
    dc_hasher_update64(&h, work->members);
    dc_hasher_update64(&h, work->certificates);
    uint8_t text[12 * 64];
    for (uint32_t i = 0; i < work->members;) {
        size_t n = 0;
        for (; i < work->members && n < sizeof text; i++, n += 12) {
            const struct dc_member_work *m = &work->member[i];
            dc_put16(text + n, m->votes);
            dc_put16(text + n + 2, m->led);
            dc_put16(text + n + 4, m->timely);
            dc_put16(text + n + 6, m->verdicts);
            dc_put32(text + n + 8, m->included);
        }
        dc_hasher_update(&h, text, n);
    }
    dc_hasher_update(&h, work->late,
                     (size_t)DC_LATE_VOTE_HEIGHTS * dc_work_bitmap_bytes(work->members));
    return dc_hasher_final(&h);
}

uint32_t dc_state_commit(struct dc_state *s)
{
    struct dc_ledger *l = s->ledger;
    uint32_t hashes = 3;
    hashes += dc_tree_commit(&l->accounts, &s->accounts);
    hashes += dc_tree_commit(&l->deals, &s->deals);
    hashes += dc_tree_commit(&l->tallies, &s->tallies);
    hashes += dc_tree_commit(&l->reports, &s->reports);
    s->part[0] = hash_meta(s);
    s->part[1] = s->accounts.hash;
    s->part[2] = s->deals.hash;
    s->part[3] = s->tallies.hash;
    s->part[4] = s->reports.hash;
    s->part[5] = hash_work(s->work);
    hashes += dc_vault_commit(s, &s->part[6]);
    s->root = dc_state_parts_root(s->part);
    return hashes;
}
