/* Real and modelled cryptography, memo and no memo: the same decisions at the same virtual
 * times. Bytes of signatures differ between the suites, and so trace digests do; everything that
 * nodes decide and that results show must not. */
#include "tests/world/run.h"

struct comparison {
    const struct run *a, *b;
    const char *dim;
    uint32_t columns, different;
    bool expected; /* a difference is: say nothing */
};

static uint64_t across_of(const struct run *r, const char *dataset)
{
    if (strncmp(dataset, "/node_epoch/", 12) == 0)
        return r->scenario->nodes_count;
    return strstr(dataset, "_by_cause") != NULL ? DS_CAUSE_COUNT : 1;
}

static void compare_column(void *context, const char *dataset)
{
    struct comparison *c = context;
    uint64_t rows = ds_results_size(c->a->results, c->dim), across = across_of(c->a, dataset);
    double *x = run_column(c->a, dataset, rows, across, DS_F64);
    double *y = run_column(c->b, dataset, rows, across, DS_F64);
    c->columns++;
    if (memcmp(x, y, rows * across * sizeof *x) != 0) {
        if (!c->expected)
            fprintf(stderr, "%s differs\n", dataset);
        c->different++;
    }
    free(x);
    free(y);
}

/* Columns of the tables that differ; all of them when lengths do. */
static uint32_t different(const struct run *a, const struct run *b, bool expected)
{
    static const struct {
        const char *group, *dim;
    } tables[] = {{"/blocks", "block"},     {"/challenges", "challenge"},
                  {"/epochs", "epoch"},     {"/strategies", "strategy_epoch"},
                  {"/node_epoch", "epoch"}, {"/traffic", "message_kind"}};
    uint32_t bad = 0, columns = 0;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        struct comparison c = {.a = a, .b = b, .dim = tables[i].dim, .expected = expected};
        struct dc_error error = {0};
        uint64_t rows = ds_results_size(a->results, c.dim);
        CU_ASSERT_TRUE(rows > 0);
        if (rows != ds_results_size(b->results, c.dim)) {
            bad++;
            continue;
        }
        enum dc_status s = ds_results_each(a->results, tables[i].group, compare_column, &c, &error);
        CU_ASSERT_EQUAL(s, DC_OK);
        bad += c.different;
        columns += c.columns;
    }
    CU_ASSERT_TRUE(bad != 0 || columns > 50);
    return bad;
}

static void test_suites(void)
{
    struct run real = run_file("smoke.yaml", &(struct run_how){.results = true});
    struct run modelled =
        run_file("smoke.yaml", &(struct run_how){.set = {"crypto=modelled"}, .results = true});
    CU_ASSERT_EQUAL(different(&real, &modelled, false), 0);
    /* Whoever compares a run with itself sees no difference either: the bytes must have
     * differed. */
    CU_ASSERT_STRING_NOT_EQUAL(real.summary.trace_digest, modelled.summary.trace_digest);
    CU_ASSERT_EQUAL(real.summary.scalar_count, modelled.summary.scalar_count);
    for (size_t i = 0; i < real.summary.scalar_count; i++) {
        const struct ds_scalar *s = &real.summary.scalars[i];
        double x = ds_summary_value(&real.summary, s->name);
        double y = ds_summary_value(&modelled.summary, s->name);
        CU_ASSERT_TRUE(x == y || (isnan(x) && isnan(y)));
    }
    run_end(&modelled);
    /* And the comparison can fail. */
    struct run other =
        run_file("smoke.yaml", &(struct run_how){.set = {"seed=2"}, .results = true});
    CU_ASSERT_TRUE(different(&real, &other, true) > 0);
    run_end(&other);
    run_end(&real);
}

static void test_memo(void)
{
    struct run with = run_file("smoke.yaml", &(struct run_how){.results = true});
    struct run without =
        run_file("smoke.yaml", &(struct run_how){.set = {"memo=false"}, .results = true});
    CU_ASSERT_EQUAL(different(&with, &without, false), 0);
    CU_ASSERT_STRING_EQUAL(with.summary.trace_digest, without.summary.trace_digest);
    /* The memo did remember: much less was computed than asked for.  Without it, all was. */
    struct ds_world_counts a = ds_world_counts(with.world), b = ds_world_counts(without.world);
    CU_ASSERT_TRUE(a.verify_done < a.verify / 2);
    CU_ASSERT_TRUE(b.verify_done > a.verify_done);
    fprintf(stderr, "verifications: %llu asked for, %llu done with the memo, %llu without\n",
            (unsigned long long)a.verify, (unsigned long long)a.verify_done,
            (unsigned long long)b.verify_done);
    run_end(&without);
    run_end(&with);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"real and modelled decide alike", test_suites},
        {"memo on and off", test_memo},
    };
    return TEST_MAIN("suites and memo", cases);
}
