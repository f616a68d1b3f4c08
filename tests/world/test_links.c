/* Links that corrupt, copy, replay and reorder, under whole runs: what arrives is what was sent but
 * for a few bits, once more where the network says so; every message is accounted for; the chain
 * goes on, holds its invariants, and is the same on any number of threads. */
#include "sim/world/inside.h"
#include "tests/world/run.h"

static const char *const scenario =
    "name: links\n"
    "seed: 1\n"
    "duration: 3 epochs\n"
    "network: {regions: data/aws-regions.csv, bandwidth: 100 Mbit,\n"
    "          overlay: {kind: k_regular, degree: 4}}\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 7, bond: 2000 DSYNC}\n"
    "  - {name: sto, role: service, service: storage, count: 4, bond: 1000 DSYNC}\n"
    "  - {name: cli, role: client, count: 2, demand: {arrivals: poisson(1 /s)}}\n"
    "protocol: {epoch_blocks: 10, theta: 0.3, audit: 0.2}\n";

enum { COPY = 1u << 31, REPLAY = 1u << 30, KEPT_MAX = 40000 };
static const int64_t replay_after_ns = 1500000000;

struct kept {
    uint32_t src, sequence, event;
    uint64_t content;
    int64_t due_ns;
    uint8_t *bytes;
    uint32_t size;
};
struct diary {
    struct kept *sent, *received;
    size_t sents, receiveds;
    int64_t last_ns;
};

static void keep(void *ctx, const struct ds_watched *e)
{
    struct diary *d = ctx;
    bool sent = e->kind == DS_WATCH_SENT;
    if (!sent && e->kind != DS_WATCH_RECEIVED)
        return;
    CU_ASSERT_FATAL(d->sents < KEPT_MAX && d->receiveds < KEPT_MAX);
    struct kept *k = sent ? &d->sent[d->sents++] : &d->received[d->receiveds++];
    *k = (struct kept){.src = sent ? e->node : e->peer,
                       .sequence = e->sequence,
                       .event = e->event,
                       .content = e->content,
                       .due_ns = e->due_ns,
                       .bytes = malloc(e->size),
                       .size = e->size};
    memcpy(k->bytes, e->bytes, e->size);
    if (!sent && e->time_ns > d->last_ns)
        d->last_ns = e->time_ns;
}

static int by_name(const void *a, const void *b)
{
    const struct kept *x = a, *y = b;
    uint64_t m = (uint64_t)x->src << 32 | x->sequence, n = (uint64_t)y->src << 32 | y->sequence;
    return (m > n) - (m < n);
}

static const struct kept *find(const struct kept *list, size_t count, uint32_t src,
                               uint32_t sequence)
{
    struct kept key = {.src = src, .sequence = sequence};
    return bsearch(&key, list, count, sizeof *list, by_name);
}

/* A run under a rule that holds from its first moment on. */
static struct run run_under(const struct ds_net_rule *rule, struct diary *diary, uint32_t threads)
{
    struct run r = {.scenario = calloc(1, sizeof *r.scenario)};
    struct ds_diagnostics said = {0};
    struct dc_error error = {0};
    struct ds_source source = {.name = "test.yaml",
                               .text = scenario,
                               .size = strlen(scenario),
                               .folder = DESTRA_SOURCE "/scenarios"};
    CU_ASSERT_EQUAL_FATAL(ds_scenario_load_text(&source, NULL, 0, r.scenario, &said), DC_OK);
    ds_diagnostics_free(&said);
    struct ds_watch watch = {.watched = keep, .ctx = diary};
    struct ds_world_options options = {
        .threads = threads, .parallel_events = 1, .watch = diary != NULL ? &watch : NULL};
    CU_ASSERT_EQUAL_FATAL(ds_world_create(r.scenario, &options, &r.world, &error), DC_OK);
    uint32_t handle;
    CU_ASSERT_EQUAL_FATAL(ds_net_rule_begin(r.world->net, rule, &handle, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(ds_world_run(r.world, &error), DC_OK);
    CU_ASSERT_EQUAL_FATAL(ds_world_finish(r.world, &r.summary, &error), DC_OK);
    return r;
}

static struct ds_net_rule bad_links(void)
{
    return (struct ds_net_rule){.identity = dc_name("bad links"),
                                .latency_factor_q16 = DS_NET_Q16_ONE,
                                .bandwidth_factor_q16 = DS_NET_Q16_ONE,
                                .duplicate_q31 = DC_ONE / 5,
                                .corrupt_q31 = DC_ONE / 10,
                                .replay_q31 = DC_ONE / 10,
                                .replay_after_ns = replay_after_ns,
                                .reorder_q31 = DC_ONE / 5,
                                .reorder_by_ns = 30000000};
}

static uint32_t bits_apart(const struct kept *a, const struct kept *b)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < a->size; i++)
        bits += (uint32_t)__builtin_popcount((unsigned)(a->bytes[i] ^ b->bytes[i]));
    return bits;
}

/* One that arrived, against what was sent under its name. */
static void expect_arrival(const struct diary *d, const struct kept *got, uint64_t seen[4])
{
    const struct kept *sent = find(d->sent, d->sents, got->src, got->sequence);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sent);
    CU_ASSERT_EQUAL(got->due_ns, sent->due_ns);
    uint32_t mark = got->sequence & (COPY | REPLAY);
    const struct kept *first = find(d->sent, d->sents, got->src, got->sequence & ~mark);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    seen[0] += mark == COPY;
    seen[1] += mark == REPLAY;
    if (mark != 0) {
        const struct kept *one = find(d->received, d->receiveds, got->src, got->sequence & ~mark);
        CU_ASSERT_PTR_NOT_NULL_FATAL(one); /* it came sooner */
        CU_ASSERT_EQUAL(got->content, one->content);
        CU_ASSERT_EQUAL(got->event, one->event);
        CU_ASSERT_TRUE(mark == COPY ? got->due_ns > one->due_ns
                                    : got->due_ns == one->due_ns + replay_after_ns);
        return;
    }
    if (got->event != first->event) { /* gossip's control, of which nothing can be read */
        CU_ASSERT_TRUE(got->event == EV_MESSAGE &&
                       (first->event == EV_ANNOUNCE || first->event == EV_PULL));
        seen[2]++;
        return;
    }
    CU_ASSERT_EQUAL_FATAL(got->size, first->size);
    uint32_t bits = bits_apart(got, first);
    CU_ASSERT_TRUE(bits <= 8 && (bits == 0) == (got->content == first->content));
    seen[2] += bits != 0;
    seen[3] += bits != 0 && got->bytes[0] != first->bytes[0];
}

static void test_arrivals(void)
{
    struct diary d = {.sent = calloc(KEPT_MAX, sizeof *d.sent),
                      .received = calloc(KEPT_MAX, sizeof *d.received)};
    struct ds_net_rule rule = bad_links();
    struct run r = run_under(&rule, &d, 1);
    run_invariants(&r);
    qsort(d.sent, d.sents, sizeof *d.sent, by_name);
    qsort(d.received, d.receiveds, sizeof *d.received, by_name);
    /* copies, replays, corrupted, of those in the first byte; and by the links' own books */
    uint64_t seen[4] = {0}, counted[4] = {0};
    for (size_t i = 0; i < d.receiveds; i++) {
        CU_ASSERT_TRUE_FATAL(i == 0 || by_name(&d.received[i - 1], &d.received[i]) < 0);
        expect_arrival(&d, &d.received[i], seen);
    }
    for (size_t i = 0; i < d.sents; i++)
        if (d.sent[i].due_ns < d.last_ns)
            CU_ASSERT_PTR_NOT_NULL(
                find(d.received, d.receiveds, d.sent[i].src, d.sent[i].sequence));
    for (uint32_t k = 0; k < KIND_COUNT; k++) {
        const struct ds_net_kind_stats *s = &r.world->shard[0].net.kind[k];
        counted[0] += s->duplicated;
        counted[1] += s->replayed;
        counted[2] += s->corrupted;
        counted[3] += s->outcome[DS_NET_SENT];
    }
    CU_ASSERT_EQUAL(counted[3] + counted[0] + counted[1], d.sents);
    CU_ASSERT_TRUE(seen[0] > 300 && seen[0] <= counted[0]);
    CU_ASSERT_TRUE(seen[1] > 100 && seen[1] <= counted[1]);
    CU_ASSERT_TRUE(seen[2] > 100 && seen[2] <= counted[2] && seen[3] > 0);
    run_end(&r);
    for (size_t i = 0; i < d.sents; i++)
        free(d.sent[i].bytes);
    for (size_t i = 0; i < d.receiveds; i++)
        free(d.received[i].bytes);
    free(d.sent);
    free(d.received);
}

static void test_threads(void)
{
    struct ds_net_rule rule = bad_links();
    rule.burst_loss_q31 = DC_ONE / 4;
    rule.burst_length_ns = 200000000;
    rule.burst_every_ns = 2000000000;
    rule.hold_until_ns = 2000000000; /* nothing passes for two seconds; then all at once */
    struct run one = run_under(&rule, NULL, 1), three = run_under(&rule, NULL, 3);
    CU_ASSERT_STRING_EQUAL(one.summary.trace_digest, three.summary.trace_digest);
    CU_ASSERT_STRING_EQUAL(one.summary.content_digest, three.summary.content_digest);
    rule.identity++;
    struct run other = run_under(&rule, NULL, 1);
    CU_ASSERT_STRING_NOT_EQUAL(one.summary.trace_digest, other.summary.trace_digest);
    run_invariants(&one);
    run_end(&one);
    run_end(&three);
    run_end(&other);
}

/* Everything is corrupted: no decoder trusts what it gets, and nothing is agreed on. */
static void test_nothing_but_noise(void)
{
    struct ds_net_rule rule = bad_links();
    rule.corrupt_q31 = DC_ONE;
    struct run r = run_under(&rule, NULL, 1);
    run_invariants(&r);
    CU_ASSERT_EQUAL(r.summary.end, DS_WORLD_HALTED);
    run_end(&r);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"what arrives is what was sent, nearly", test_arrivals},
        {"any number of threads", test_threads},
        {"nothing but noise", test_nothing_but_noise},
    };
    return TEST_MAIN("links", cases);
}
