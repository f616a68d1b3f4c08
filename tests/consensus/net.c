#include "tests/consensus/net.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "models/base/mem.h"

/* --- events ----------------------------------------------------------------------------------- */

static bool before(const struct net_event *a, const struct net_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->sequence < b->sequence;
}

static void push(struct net *net, struct net_event e)
{
    if (net->heap_count == net->heap_max) {
        net->heap_max = net->heap_max == 0 ? 1024 : 2 * net->heap_max;
        net->heap = dc_mem_grow(net->heap, net->heap_max, sizeof *net->heap);
        DC_CHECK(net->heap != NULL);
    }
    e.sequence = net->sequence++;
    uint32_t i = net->heap_count++;
    while (i > 0 && before(&e, &net->heap[(i - 1) / 2])) {
        net->heap[i] = net->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    net->heap[i] = e;
}

static struct net_event pop(struct net *net)
{
    struct net_event top = net->heap[0], e = net->heap[--net->heap_count];
    uint32_t i = 0, n = net->heap_count;
    for (;;) {
        uint32_t k = 2 * i + 1;
        if (k >= n)
            break;
        k += k + 1 < n && before(&net->heap[k + 1], &net->heap[k]);
        if (!before(&net->heap[k], &e))
            break;
        net->heap[i] = net->heap[k];
        i = k;
    }
    net->heap[i] = e;
    return top;
}

static struct net_payload *payload_new(const void *bytes, size_t size)
{
    struct net_payload *p = dc_mem_need(1, sizeof *p + size, "test");
    memcpy(p->bytes, bytes, size);
    p->payload.bytes = p->bytes;
    p->payload.size = (uint32_t)size;
    p->payload.kind = p->bytes[0];
    p->refs = 1;
    return p;
}

static void payload_drop(struct net_payload *p)
{
    if (p == NULL || --p->refs != 0)
        return;
    dc_consensus_memo_free(p->payload.kind, atomic_load(&p->payload.memo));
    dc_mem_free(p);
}

/* --- the node's side -------------------------------------------------------------------------- */

static void say(struct net *net, const char *format, ...) DC_PRINTF(2, 3);
static void say(struct net *net, const char *format, ...)
{
    if (net->log == NULL)
        return;
    char line[256];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    net->log(net, line);
}

static uint32_t candidates(void *context, const struct dc_block *parent,
                           const struct dc_header *header, const struct dc_tx_view **out)
{
    (void)parent;
    (void)header;
    struct net_machine *m = context;
    *out = &m->view;
    return 1;
}

static void late_vote(void *context, const struct dc_vote *vote, struct dc_effects *out)
{
    (void)vote;
    (void)out;
    ((struct net_machine *)context)->net->late_votes++;
}

static void evidence(void *context, uint32_t accused, uint8_t kind, const uint8_t *proof,
                     size_t size, struct dc_effects *out)
{
    (void)out;
    struct net *net = ((struct net_machine *)context)->net;
    net->evidence++;
    say(net, "%u has proof that %u made two %s",
        (uint32_t)((struct net_machine *)context - net->machine), accused,
        kind == DC_EVIDENCE_VOTES ? "votes" : "proposals");
    struct dc_keypair *key = &net->key[accused];
    if (accused >= net->config.twins ||
        !dc_evidence_check(1, &net->crypto, key->public, kind, proof, size))
        net->bad_evidence++; /* a correct machine stands accused, or the proof is no proof */
}

static const struct dc_consensus_node callbacks = {candidates, late_vote, evidence};

/* --- effects ---------------------------------------------------------------------------------- */

static void name_block(struct net *net, const struct dc_hash *id, char out[32])
{
    struct dc_block *b = dc_hash_is_zero(id) ? NULL : dc_store_find(net->store, id);
    if (b == NULL)
        snprintf(out, 32, dc_hash_is_zero(id) ? "-" : "?");
    else if (b->header.height == 0)
        snprintf(out, 32, "genesis");
    else
        snprintf(out, 32, "%s%llu.%llu%s", b->header.seal ? "S" : "B",
                 (unsigned long long)b->header.epoch, (unsigned long long)b->header.round,
                 b->tx_count != 0 && b->tx[0].bytes[1] != 0 ? "'" : "");
    dc_block_drop(b);
}

static void describe(struct net *net, uint32_t m, const uint8_t *bytes, size_t size, const char *to)
{
    char a[32], b[32];
    struct dc_vote v;
    struct dc_timeout t;
    struct dc_block_request q;
    struct dc_sync_msg s;
    switch (bytes[0]) {
    case DC_MSG_VOTE:
        DC_CHECK(dc_vote_decode(bytes, size, &v));
        name_block(net, &v.block, a);
        name_block(net, &v.commits, b);
        say(net, "%u votes %s (commits %s) to %s", m, a, b, to);
        break;
    case DC_MSG_TIMEOUT:
        DC_CHECK(dc_timeout_decode(bytes, size, &t));
        say(net, "%u times out %llu.%llu with QC %llu%s to %s", m, (unsigned long long)t.epoch,
            (unsigned long long)t.round, (unsigned long long)t.qc_round,
            t.voted ? " and its vote" : "", to);
        break;
    case DC_MSG_BLOCK_REQUEST:
        DC_CHECK(dc_block_request_decode(bytes, size, &q));
        name_block(net, &q.tip, a);
        say(net, "%u asks %s for%s%s%s above %llu", m, to,
            q.flags & DC_REQUEST_BLOCKS ? " blocks to " : "",
            q.flags & DC_REQUEST_BLOCKS ? (a[0] == '-' ? "its tip" : a) : "",
            q.flags & DC_REQUEST_CERTIFICATES ? " certificates" : "", (unsigned long long)q.height);
        break;
    case DC_MSG_SYNC:
        DC_CHECK(dc_sync_decode(bytes, size, &s));
        say(net, "%u sends%s%s to %s", m, s.qc ? " its QC" : "", s.tc ? " its TC" : "", to);
        break;
    case DC_MSG_HANDOVER:
        say(net, "%u sends hand-over %llu to %s", m, (unsigned long long)dc_get64(bytes + 1), to);
        break;
    case DC_MSG_BLOCK_REPLY: {
        struct dc_block *x = dc_store_intern(net->store, bytes + 2, size - 2);
        name_block(net, &x->id, a);
        dc_block_drop(x);
        say(net, "%u replies %s to %s", m, a, to);
        break;
    }
    default: break;
    }
}

static bool connected(const struct net *net, uint32_t a, uint32_t b)
{
    return net->machine[a].group == net->machine[b].group;
}

static void send_one(struct net *net, uint32_t from, uint32_t to, struct net_payload *p,
                     bool gossip)
{
    uint32_t kind = p->payload.kind;
    net->bytes_by_kind[kind < 16 ? kind : 0] += p->payload.size;
    const struct net_config *c = &net->config;
    if (gossip && to < 32 && (c->deaf >> to & 1) != 0)
        return;
    if (!connected(net, from, to) || dc_next_below(&net->random, 1000000) < c->drop_ppm)
        return;
    uint32_t copies = 1 + (dc_next_below(&net->random, 1000000) < c->duplicate_ppm);
    for (uint32_t i = 0; i < copies; i++) {
        int64_t delay = c->delay_ns;
        if (c->delay_spread_ns != 0)
            delay += (int64_t)dc_next_below(&net->random, (uint64_t)c->delay_spread_ns);
        p->refs++;
        net->messages++;
        push(net, (struct net_event){.at_ns = net->manual ? INT64_MAX : net->now_ns + delay,
                                     .machine = to,
                                     .from = net->machine[from].env.self,
                                     .gossip = gossip,
                                     .payload = p});
    }
}

/* To every machine of an account; UINT32_MAX: to all others. */
static void send_account(struct net *net, uint32_t from, uint32_t account, struct net_payload *p,
                         bool gossip)
{
    for (uint32_t i = 0; i < net->machines; i++)
        if (i != from && (account == UINT32_MAX || net->machine[i].env.self == account))
            send_one(net, from, i, p, gossip);
}

static void commit(struct net *net, uint32_t i, const struct dc_block *b)
{
    struct net_machine *m = &net->machine[i];
    uint64_t h = b->header.height;
    DC_CHECK(h == m->final_height + 1 && h < NET_HEIGHTS_MAX);
    m->final_height = h;
    m->commits++;
    if (m->correct) {
        if (net->known_final[h] && !dc_hash_equal(&net->final[h], &b->id))
            net->conflicts++;
        net->known_final[h] = true;
        net->final[h] = b->id;
    }
    char a[32];
    name_block(net, &b->id, a);
    say(net, "%u commits %s at height %llu", i, a, (unsigned long long)h);
    if (net->committed != NULL)
        net->committed(net, i, b);
}

static void note(struct net *net, uint32_t i, const struct dc_effect *e)
{
    const struct dc_block *b = e->object;
    char a[32], p[32];
    if (e->timer == DC_NOTE_PROPOSED) {
        name_block(net, &b->id, a);
        name_block(net, &b->header.parent, p);
        say(net, "%u proposes %s on %s at height %llu%s%s", i, a, p,
            (unsigned long long)b->header.height, b->tc != NULL ? " with a TC" : "",
            b->handover != NULL ? " with a hand-over" : "");
        if (b->header.seal == 0 && b->header.height < NET_HEIGHTS_MAX)
            net->proposed_ns[b->header.height] = net->now_ns;
    } else if (e->timer == DC_NOTE_EPOCH) {
        say(net, "%u enters epoch %llu%s", i, (unsigned long long)e->a,
            e->b == UINT32_MAX ? ", not a member" : "");
    } else if (e->timer == DC_NOTE_REJECTED) {
        static const char *const why[] = {"form", "signature", "certificate", "execution"};
        say(net, "%u refuses a message of %llu: %s", i, (unsigned long long)e->b, why[e->a]);
        net->rejected++;
    } else if (e->timer == DC_NOTE_TIMED_OUT) {
        net->timeouts++;
    } else if (e->timer == DC_NOTE_CONFLICT) {
        net->conflicts++;
    } else if (e->timer == DC_NOTE_SYNCED) {
        struct net_machine *m = &net->machine[i];
        DC_CHECK(e->b == m->final_height && e->a > e->b && net->known_final[e->a]);
        if (!dc_hash_equal(&net->final[e->a], &b->id))
            net->conflicts++;
        m->final_height = e->a;
        m->synced++;
        name_block(net, &b->id, a);
        say(net, "%u takes over the state after %s at height %llu", i, a, (unsigned long long)e->a);
    }
}

static int64_t now(const struct net *net, uint32_t machine)
{
    return net->manual ? net->machine[machine].clock_ns : net->now_ns;
}

static struct net_signed *signed_in(struct net_machine *m, uint64_t epoch, uint64_t round)
{
    struct net_signed *x = &m->signed_[(epoch * 31 + round) % NET_SIGNED];
    if (x->epoch != epoch || x->round != round)
        *x = (struct net_signed){.epoch = epoch, .round = round};
    return x;
}

/* One vote and one proposal a round, and no new vote after a timeout of it, crash or no crash. */
static void watch_signatures(struct net *net, uint32_t i, const uint8_t *bytes, size_t size)
{
    struct net_machine *m = &net->machine[i];
    if (!m->correct)
        return;
    struct dc_vote v;
    struct dc_timeout t = {0};
    bool voted = bytes[0] == DC_MSG_VOTE && dc_vote_decode(bytes, size, &v);
    if (bytes[0] == DC_MSG_TIMEOUT && dc_timeout_decode(bytes, size, &t) && t.voted) {
        v = t.vote;
        voted = true;
    }
    if (voted) {
        struct net_signed *x = signed_in(m, v.epoch, v.round);
        struct dc_hash h = dc_hash_pair(DC_DOMAIN_TEST, &v.block, &v.commits);
        if (dc_hash_is_zero(&x->vote) ? x->timed_out : !dc_hash_equal(&x->vote, &h))
            net->double_signed++;
        x->vote = h;
    }
    if (t.round != 0)
        signed_in(m, t.epoch, t.round)->timed_out = true;
    if (bytes[0] == DC_MSG_PROPOSAL) {
        struct dc_block *b = dc_store_intern(net->store, bytes + 1, size - 1);
        struct net_signed *x = signed_in(m, b->header.epoch, b->header.round);
        if (!dc_hash_is_zero(&x->proposal) && !dc_hash_equal(&x->proposal, &b->id))
            net->double_signed++;
        x->proposal = b->id;
        dc_block_drop(b);
    }
}

static void drain(struct net *net, uint32_t i)
{
    net->charge_verify += net->out.charge[DC_COST_VERIFY];
    for (uint32_t k = 0; k < net->out.count; k++) {
        const struct dc_effect *e = &net->out.list[k];
        struct net_payload *p;
        char to[16];
        if (e->bytes != NULL)
            watch_signatures(net, i, e->bytes, e->size);
        switch (e->kind) {
        case DC_EFFECT_SEND:
            snprintf(to, sizeof to, "%u", e->to);
            describe(net, i, e->bytes, e->size, to);
            DC_CHECK(e->to != net->machine[i].env.self);
            p = payload_new(e->bytes, e->size);
            send_account(net, i, e->to, p, false);
            payload_drop(p);
            break;
        case DC_EFFECT_SEND_MANY:
            describe(net, i, e->bytes, e->size, "all");
            p = payload_new(e->bytes, e->size);
            for (uint32_t t = 0; t < e->to_count; t++)
                send_account(net, i, e->to_list[t], p, false);
            payload_drop(p);
            break;
        case DC_EFFECT_BROADCAST:
            p = payload_new(e->bytes, e->size);
            send_account(net, i, UINT32_MAX, p, true);
            payload_drop(p);
            break;
        case DC_EFFECT_TIMER:
            DC_CHECK(e->due_ns > now(net, i));
            push(net, (struct net_event){.at_ns = e->due_ns,
                                         .machine = i,
                                         .boot = net->machine[i].boot,
                                         .timer = e->timer});
            break;
        case DC_EFFECT_COMMIT: commit(net, i, e->object); break;
        case DC_EFFECT_NOTE: note(net, i, e); break;
        case DC_EFFECT_RELAY: break;
        }
    }
    dc_effects_clear(&net->out);
}

void net_input(struct net *net, uint32_t i, struct dc_input *in)
{
    struct net_machine *m = &net->machine[i];
    in->now_ns = now(net, i);
    in->wall_ns = in->now_ns + m->skew_ns;
    if (m->validator) {
        struct dc_jolteon *j = &m->core;
        if (in->kind == DC_INPUT_START)
            dc_jolteon_start(j, &m->env, in, &net->out);
        else if (in->kind == DC_INPUT_RESTART)
            dc_jolteon_restart(j, &m->env, in, &net->out);
        else if (in->kind == DC_INPUT_TIMER)
            dc_jolteon_timer(j, &m->env, in, &net->out);
        else
            (void)dc_jolteon_message(j, &m->env, in, &net->out);
    } else {
        struct dc_follow *f = &m->follow;
        if (in->kind == DC_INPUT_RESTART)
            dc_follow_restart(f, &m->env, in, &net->out);
        else if (in->kind == DC_INPUT_TIMER)
            dc_follow_timer(f, &m->env, in, &net->out);
        else if (in->kind == DC_INPUT_MESSAGE)
            (void)dc_follow_message(f, &m->env, in, &net->out);
    }
    drain(net, i);
}

/* --- life ------------------------------------------------------------------------------------- */

struct net *net_create(const struct net_config *config)
{
    struct net *net = dc_mem_need(1, sizeof *net, "test");
    net->config = *config;
    struct dc_error error = {0};
    dc_crypto_init();
    DC_CHECK(dc_crypto_open(&net->crypto, config->suite, config->memo_off ? 0 : 1 << 20, 0,
                            &error) == DC_OK);
    net->params = (struct dc_params){.epoch_blocks = config->epoch_blocks,
                                     .block_interval_ns = config->block_interval_ns,
                                     .delay_typical_ns = config->delay_ns + config->delay_spread_ns,
                                     .delay_max_ns = config->delay_ns + config->delay_spread_ns,
                                     .block_bytes_max = 1 << 20,
                                     .dissemination = config->direct ? DC_DISSEMINATION_DIRECT
                                                                     : DC_DISSEMINATION_GOSSIP};
    net->random = dc_stream(config->seed, dc_name("net"), dc_name("test"));
    uint32_t n = config->validators;
    net->key = dc_mem_need(n, sizeof *net->key, "test");
    uint64_t *power = dc_mem_need(n, sizeof *power, "test");
    for (uint32_t i = 0; i < n; i++) {
        uint8_t seed[32];
        dc_seed_derive(config->seed, i, DC_KEY_SIGN, 0, seed);
        dc_keypair_from_seed(seed, &net->key[i]);
        power[i] = config->power != NULL ? config->power[i] : 1;
    }
    struct fake_config fake = {.chain = 1,
                               .crypto = &net->crypto,
                               .validators = n,
                               .power = power,
                               .key = net->key,
                               .rotate = config->rotate,
                               .epoch_blocks = config->epoch_blocks};
    net->store = fake_store_create(&fake);
    net->machines = n + config->twins + config->followers;
    net->machine = dc_mem_need(net->machines, sizeof *net->machine, "test");
    for (uint32_t i = 0; i < net->machines; i++) {
        struct net_machine *m = &net->machine[i];
        m->validator = i < n + config->twins;
        uint32_t self = i < n ? i : i - (m->validator ? n : config->twins);
        m->correct = !m->validator || self >= config->twins;
        m->net = net;
        m->up = true;
        m->tx[0] = 1;
        m->tx[1] = m->validator && i >= n ? 1 : 0;
        m->view = (struct dc_tx_view){m->tx, sizeof m->tx};
        m->env = (struct dc_consensus_env){.chain = 1,
                                           .store = net->store,
                                           .crypto = &net->crypto,
                                           .params = &net->params,
                                           .self = self,
                                           .key = m->validator ? &net->key[self] : NULL,
                                           .vrf_key = m->validator ? &net->key[self] : NULL,
                                           .node = &callbacks,
                                           .context = m};
        if (m->validator)
            dc_jolteon_init(&m->core, &m->env);
        else
            dc_follow_init(&m->follow, &m->env);
    }
    /* the store copied the pointer, and keeps it: freed with the net */
    net->context = power;
    return net;
}

void net_free(struct net *net)
{
    while (net->heap_count != 0)
        payload_drop(net->heap[--net->heap_count].payload);
    for (uint32_t i = 0; i < net->machines; i++) {
        if (net->machine[i].validator)
            dc_jolteon_free(&net->machine[i].core);
        else
            dc_follow_free(&net->machine[i].follow);
    }
    dc_store_destroy(net->store);
    dc_effects_free(&net->out);
    dc_crypto_close(&net->crypto);
    dc_mem_free(net->context);
    dc_mem_free(net->heap);
    dc_mem_free(net->machine);
    dc_mem_free(net->key);
    dc_mem_free(net);
}

void net_start(struct net *net)
{
    for (uint32_t i = 0; i < net->machines; i++) {
        struct dc_input in = {.kind = DC_INPUT_START};
        if (net->machine[i].up)
            net_input(net, i, &in);
    }
}

static void handle(struct net *net, const struct net_event *e)
{
    struct net_machine *m = &net->machine[e->machine];
    if (m->up && (e->payload != NULL || e->boot == m->boot)) {
        struct dc_input in = {.kind = e->payload != NULL ? DC_INPUT_MESSAGE : DC_INPUT_TIMER,
                              .from = e->from,
                              .gossip = e->gossip,
                              .payload = e->payload != NULL ? &e->payload->payload : NULL,
                              .timer = e->timer};
        net_input(net, e->machine, &in);
    }
    payload_drop(e->payload);
}

void net_run(struct net *net, int64_t for_ns)
{
    int64_t end = net->now_ns + for_ns;
    while (net->heap_count != 0 && net->heap[0].at_ns <= end) {
        struct net_event e = pop(net);
        net->now_ns = e.at_ns;
        handle(net, &e);
    }
    net->now_ns = end;
}

void net_crash(struct net *net, uint32_t machine)
{
    net->machine[machine].up = false;
    net->machine[machine].boot++;
}

void net_restart(struct net *net, uint32_t machine)
{
    net->machine[machine].up = true;
    struct dc_input in = {.kind = DC_INPUT_RESTART};
    net_input(net, machine, &in);
}

/* Takes an event out of the middle of the heap. */
static struct net_event take(struct net *net, uint32_t at)
{
    struct net_event e = net->heap[at];
    for (uint32_t i = at; i > 0; i = (i - 1) / 2)
        net->heap[i] = net->heap[(i - 1) / 2];
    net->heap[0] = e;
    (void)pop(net);
    return e;
}

uint32_t net_deliver(struct net *net, uint32_t from, uint32_t machine, uint32_t kind, bool drop)
{
    /* Those that wait now, in the order in which they were sent. */
    uint64_t limit = net->sequence;
    uint32_t count = 0;
    for (;; count++) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < net->heap_count; i++) {
            const struct net_event *e = &net->heap[i];
            if (e->payload == NULL || e->sequence >= limit ||
                (from != UINT32_MAX && e->from != from) ||
                (machine != UINT32_MAX && e->machine != machine) ||
                (kind != 0 && e->payload->payload.kind != kind))
                continue;
            if (best == UINT32_MAX || e->sequence < net->heap[best].sequence)
                best = i;
        }
        if (best == UINT32_MAX)
            return count;
        struct net_event e = take(net, best);
        if (drop)
            payload_drop(e.payload);
        else
            handle(net, &e);
    }
}

void net_tick(struct net *net, uint32_t machine, int64_t for_ns)
{
    struct net_machine *m = &net->machine[machine];
    int64_t end = m->clock_ns + for_ns;
    for (;;) {
        uint32_t best = UINT32_MAX;
        for (uint32_t i = 0; i < net->heap_count; i++) {
            const struct net_event *e = &net->heap[i];
            if (e->payload == NULL && e->machine == machine && e->at_ns <= end &&
                (best == UINT32_MAX || before(e, &net->heap[best])))
                best = i;
        }
        if (best == UINT32_MAX)
            break;
        struct net_event e = take(net, best);
        m->clock_ns = e.at_ns > m->clock_ns ? e.at_ns : m->clock_ns;
        handle(net, &e);
    }
    m->clock_ns = end;
}

void net_inject(struct net *net, uint32_t from, uint32_t machine, const void *bytes, size_t size)
{
    struct net_payload *p = payload_new(bytes, size);
    struct dc_input in = {.kind = DC_INPUT_MESSAGE, .from = from, .payload = &p->payload};
    net_input(net, machine, &in);
    payload_drop(p);
}

const struct dc_follow *net_chain(const struct net *net, uint32_t machine)
{
    const struct net_machine *m = &net->machine[machine];
    return m->validator ? &m->core.chain : &m->follow;
}

uint64_t net_lowest_final(const struct net *net)
{
    uint64_t lowest = UINT64_MAX;
    for (uint32_t i = 0; i < net->machines; i++)
        if (net->machine[i].up && net->machine[i].correct && net->machine[i].final_height < lowest)
            lowest = net->machine[i].final_height;
    return lowest;
}
