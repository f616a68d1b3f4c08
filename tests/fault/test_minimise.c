/* Minimising a schedule: planted cores are found exactly, whatever they are; nothing is tried twice;
 * limits are kept; what is left loads and fails. */
#include "sim/fault/minimise.h"

#include "models/base/mem.h"
#include "models/base/rng.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

#define FAULTS 64
#define SEEN 1024

/* A scenario with so many faults of some kinds, f0 ...; plain: with nothing else to take away. */
static void make(struct ds_scenario *out, unsigned faults, bool plain, const char *more)
{
    struct dc_text text = {0};
    dc_text_add(&text, "name: planted\nduration: 100 s\nnetwork: {latency: 10 ms}\nnodes:\n"
                       "  - {name: val, role: validator, count: 8, bond: 1000 DSYNC}\n"
                       "  - {name: sto, role: service, count: 4, bond: 1000 DSYNC}\n"
                       "expect: [safety, halted == 0]\nfaults:\n");
    for (unsigned i = 0; i < faults; i++)
        if (plain)
            dc_text_printf(&text, "  - {id: f%u, kind: crash, at: %u ms, nodes: 'val[%u]'}\n", i,
                           1000 + i, i % 8);
        else if (i % 2 == 0)
            dc_text_printf(&text,
                           "  - {id: f%u, kind: crash, at: %u ms, nodes: 'val[1], val[2], val[5]', "
                           "restart: 6400 ms, every: 10 s, times: 8}\n",
                           i, 1000 + i);
        else
            dc_text_printf(&text,
                           "  - {id: f%u, kind: link, at: %u ms, for: 20 s, latency_factor: 64, "
                           "loss: 0.5, latency_add: 900 ms}\n",
                           i, 1000 + i);
    dc_text_add(&text, more);
    struct ds_source source = {.name = "planted", .text = text.data, .size = text.size};
    struct ds_diagnostics d = {0};
    enum dc_status status = ds_scenario_load_text(&source, NULL, 0, out, &d);
    CU_ASSERT_EQUAL_FATAL(status, DC_OK);
    ds_diagnostics_free(&d);
    dc_text_free(&text);
}

/* It fails while it has all of the core. */
struct planted {
    uint64_t core; /* bit i: fault i */
    uint32_t calls;
    bool texts;
    uint64_t seen[SEEN]; /* digests of candidates, with texts */
};

static uint64_t mask_of(const struct ds_scenario *s)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < s->faults_count; i++) {
        unsigned n = 0;
        CU_ASSERT_EQUAL(sscanf(s->faults[i].id, "f%u", &n), 1);
        mask |= UINT64_C(1) << n;
    }
    return mask;
}

static bool planted_fails(void *ctx, const struct ds_scenario *candidate)
{
    struct planted *p = ctx;
    if (p->texts) {
        struct dc_text text = {0};
        ds_scenario_print_brief(candidate, &text);
        uint64_t digest = dc_name(text.data);
        bool seen = false;
        for (uint32_t i = 0; i < p->calls; i++)
            seen |= p->seen[i] == digest;
        CU_ASSERT_FALSE(seen); /* never twice */
        CU_ASSERT_TRUE_FATAL(p->calls < SEEN);
        p->seen[p->calls] = digest;
        dc_text_free(&text);
    }
    p->calls++;
    return (mask_of(candidate) & p->core) == p->core;
}

/* 3 of 64, 100 random cores: exactly those 3. */
static void test_planted(void)
{
    struct ds_scenario s;
    make(&s, FAULTS, true, "");
    uint64_t calls = 0, all = 0;
    uint32_t most = 0;
    for (uint64_t core = 1; core <= 100; core++) {
        struct dc_stream stream = dc_stream(core, dc_name("core"), dc_name("test"));
        static struct planted p;
        p = (struct planted){.texts = core <= 10};
        while (__builtin_popcountll(p.core) < 3)
            p.core |= UINT64_C(1) << dc_next_below(&stream, FAULTS);
        struct ds_minimise how = {.fails = planted_fails, .ctx = &p};
        struct ds_minimised out;
        struct dc_error error = {0};
        CU_ASSERT_EQUAL_FATAL(ds_minimise(&how, &s, &out, &error), DC_OK);
        CU_ASSERT_EQUAL(out.scenario.faults_count, 3);
        CU_ASSERT_EQUAL(mask_of(&out.scenario), p.core);
        CU_ASSERT_TRUE(out.complete);
        CU_ASSERT_EQUAL(out.calls, p.calls);
        calls += out.faults_calls;
        all += out.calls;
        most = out.faults_calls > most ? out.faults_calls : most;
        ds_minimised_free(&out);
    }
    printf("3 of %d faults: %.1f calls on average, %u at most; with everything else %.1f\n", FAULTS,
           (double)calls / 100, most, (double)all / 100);
    CU_ASSERT_TRUE(most < 400);
    ds_scenario_free(&s);
}

/* Cores of any size from 0 to all, of schedules of any size; and what is left is minimal, as every
 * core is. */
static void test_sizes(void)
{
    static const unsigned sizes[] = {1, 2, 3, 5, 8, 13, 31};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        struct ds_scenario s;
        make(&s, sizes[k], true, "");
        for (unsigned core = 0; core <= sizes[k]; core += 1 + sizes[k] / 4) {
            struct dc_stream stream = dc_stream(core, dc_name("size"), sizes[k]);
            static struct planted p;
            p = (struct planted){0};
            while ((unsigned)__builtin_popcountll(p.core) < core)
                p.core |= UINT64_C(1) << dc_next_below(&stream, sizes[k]);
            struct ds_minimise how = {.fails = planted_fails, .ctx = &p};
            struct ds_minimised out;
            struct dc_error error = {0};
            CU_ASSERT_EQUAL_FATAL(ds_minimise(&how, &s, &out, &error), DC_OK);
            CU_ASSERT_EQUAL(mask_of(&out.scenario), p.core);
            ds_minimised_free(&out);
        }
        ds_scenario_free(&s);
    }
}

/* It fails while val[2] crashes for at least 100 ms, there are five validators, and a loss of at
 * least a quarter goes on; judged on what the text says once it is loaded, as `fuzz` does. */
static bool judged_fails(void *ctx, const struct ds_scenario *draft)
{
    struct dc_text text = {0};
    struct ds_scenario s;
    struct ds_diagnostics d = {0};
    (void)ctx;
    ds_scenario_print_brief(draft, &text);
    struct ds_source source = {.name = "draft", .text = text.data, .size = text.size};
    bool crash = false, loss = false, good = false;
    if (ds_scenario_load_text(&source, NULL, 0, &s, &d) == DC_OK) {
        for (size_t i = 0; i < s.faults_count; i++) {
            const struct ds_fault *f = &s.faults[i];
            crash |= f->kind == DS_FAULT_CRASH && f->restart_ns >= 100000000 &&
                     strstr(f->nodes->text, "val[2]") != NULL;
            loss |= f->kind == DS_FAULT_LINK && f->loss >= (dc_q31)1 << 29;
        }
        good = crash && loss && s.validators_count >= 5 && s.max_time_ns >= 20000000000;
    }
    ds_scenario_free(&s);
    ds_diagnostics_free(&d);
    dc_text_free(&text);
    return good;
}

static void test_everything(void)
{
    struct ds_scenario s;
    make(&s, 16, false, "");
    struct ds_minimise how = {.fails = judged_fails};
    struct ds_minimised out;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_minimise(&how, &s, &out, &error), DC_OK);
    const struct ds_scenario *m = &out.scenario;
    CU_ASSERT_EQUAL_FATAL(m->faults_count, 2);
    CU_ASSERT_EQUAL(m->validators_count, 5);
    CU_ASSERT_EQUAL(m->services_count, 0);
    CU_ASSERT_EQUAL(m->expects_count, 0);
    CU_ASSERT_TRUE(m->duration_ns >= 20000000000 && m->duration_ns <= 21000000000);
    for (size_t i = 0; i < 2; i++) {
        const struct ds_fault *f = &m->faults[i];
        CU_ASSERT_EQUAL(f->every.kind, DS_DIST_NONE);
        if (f->kind == DS_FAULT_CRASH) {
            CU_ASSERT_STRING_EQUAL(f->nodes->text, "val[2]");
            CU_ASSERT_TRUE(f->restart_ns >= 100000000 && f->restart_ns < 200000000);
        } else {
            CU_ASSERT_EQUAL(f->latency_factor, 1);
            CU_ASSERT_EQUAL(f->latency_add_ns, 0);
            CU_ASSERT_EQUAL(f->loss, (dc_q31)1 << 29);
        }
    }
    CU_ASSERT_TRUE(judged_fails(NULL, m));
    /* the same again */
    struct ds_minimised again;
    struct dc_text one = {0}, two = {0};
    CU_ASSERT_EQUAL_FATAL(ds_minimise(&how, &s, &again, &error), DC_OK);
    ds_scenario_print_brief(m, &one);
    ds_scenario_print_brief(&again.scenario, &two);
    CU_ASSERT_STRING_EQUAL(one.data, two.data);
    CU_ASSERT_EQUAL(out.calls, again.calls);
    dc_text_free(&one);
    dc_text_free(&two);
    ds_minimised_free(&again);
    ds_minimised_free(&out);
    ds_scenario_free(&s);
}

/* A failure of liveness: the heal stays, and what happens after it keeps its length. */
static bool healed_fails(void *ctx, const struct ds_scenario *draft)
{
    (void)ctx;
    return draft->heal.given && draft->duration_ns >= draft->heal.at_ns + draft->heal.within_ns &&
           draft->heal.within_ns == 30000000000 && draft->heal.at_ns >= 7000000000;
}

static void test_heal(void)
{
    struct ds_scenario s;
    make(&s, 4, false, "heal: {at: 60 s, within: 30 s, quorum: 'val[0..6]'}\n");
    struct ds_minimise how = {.fails = healed_fails};
    struct ds_minimised out;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL_FATAL(ds_minimise(&how, &s, &out, &error), DC_OK);
    CU_ASSERT_EQUAL(out.scenario.faults_count, 0);
    CU_ASSERT_TRUE(out.scenario.heal.at_ns >= 7000000000 && out.scenario.heal.at_ns <= 7500000000);
    CU_ASSERT_EQUAL(out.scenario.duration_ns - out.scenario.heal.at_ns, 40000000000);
    ds_minimised_free(&out);
    ds_scenario_free(&s);
}

struct limited {
    struct planted planted;
    uint32_t over_after, told;
};

static bool limited_fails(void *ctx, const struct ds_scenario *candidate)
{
    return planted_fails(&((struct limited *)ctx)->planted, candidate);
}
static bool limited_over(void *ctx)
{
    const struct limited *l = ctx;
    return l->planted.calls >= l->over_after;
}
static void limited_progress(void *ctx, const struct ds_minimise_progress *p)
{
    struct limited *l = ctx;
    l->told++;
    CU_ASSERT_EQUAL(p->calls, l->told);
    CU_ASSERT_EQUAL(p->faults_from, FAULTS);
    CU_ASSERT_TRUE(p->faults <= FAULTS);
}

/* Out of calls or time: what there is fails, and it says that there was more to do. */
static void test_limits(void)
{
    struct ds_scenario s;
    make(&s, FAULTS, true, "");
    for (uint32_t limit = 1; limit < 60; limit += 7)
        for (int by_time = 0; by_time < 2; by_time++) {
            static struct limited l;
            l = (struct limited){.planted.core = 0x8000400000000010, .over_after = limit};
            struct ds_minimise how = {.fails = limited_fails,
                                      .over = by_time != 0 ? limited_over : NULL,
                                      .progress = limited_progress,
                                      .ctx = &l,
                                      .calls_max = by_time != 0 ? 0 : limit};
            struct ds_minimised out;
            struct dc_error error = {0};
            CU_ASSERT_EQUAL_FATAL(ds_minimise(&how, &s, &out, &error), DC_OK);
            CU_ASSERT_EQUAL(out.calls, limit);
            CU_ASSERT_FALSE(out.complete);
            CU_ASSERT_EQUAL(mask_of(&out.scenario) & l.planted.core, l.planted.core);
            ds_minimised_free(&out);
        }
    ds_scenario_free(&s);
}

static bool never_fails(void *ctx, const struct ds_scenario *candidate)
{
    (void)ctx;
    (void)candidate;
    return false;
}

static void test_refusals(void)
{
    struct ds_scenario s;
    make(&s, 3, false, "");
    struct ds_minimise how = {.fails = never_fails};
    struct ds_minimised out;
    struct dc_error error = {0};
    CU_ASSERT_EQUAL(ds_minimise(&how, &s, &out, &error), DC_ERR_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "does not fail"));
    ds_minimised_free(&out);
    how.fails = judged_fails;
    static struct planted p;
    for (uint64_t n = 0; n < 40; n++) { /* memory runs out: refused or done, never anything else */
        p = (struct planted){.core = 1};
        how = (struct ds_minimise){.fails = never_fails, .ctx = &p};
        error = (struct dc_error){0};
        dc_mem_budget(n);
        enum dc_status status = ds_minimise(&how, &s, &out, &error);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT_TRUE(status == DC_ERR_IO || status == DC_ERR_USAGE);
        CU_ASSERT_NOT_EQUAL(error.text[0], '\0');
        ds_minimised_free(&out);
    }
    ds_scenario_free(&s);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"3 of 64, 100 random cores", test_planted},
        {"cores of any size", test_sizes},
        {"durations, nodes, magnitudes, horizon", test_everything},
        {"the heal stays", test_heal},
        {"limits", test_limits},
        {"refusals", test_refusals},
    };
    return TEST_MAIN("minimise", cases);
}
