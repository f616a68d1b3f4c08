/* Bad studies: the exact place, the reason and what to do; all mistakes in one go. */
#include "tests/scenario/study.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

struct refusal {
    const char *what, *text;
    const char *expected[16]; /* "LINE:COL", words, ... in order */
};

#define ONE(more) HEAD "parameters:\n  - {" more "}\n"

static const struct refusal refusals[] = {
    {"nothing", "", {"1:1", "nothing here"}},
    {"no mapping", "- a\n", {"1:1", "a study is a mapping"}},
    {"a scenario", BASE, {"1:1", "this is a scenario, not a study: `destrasim run` runs it"}},
    {"no name, no scenario",
     "seed: 1\n",
     {"1:1", "`name` is missing", "1:1", "`scenario` is missing", "1:1", "needs `parameters`"}},
    {"bad name", "name: a b\nscenario: base.yaml\n" THETA, {"1:7", "`a b` is not a name"}},
    {"no such scenario",
     "name: a\nscenario: base.yml\n" THETA,
     {"2:11", "`base.yml` is not among the files"}},
    {"no parameters", HEAD, {"1:1", "a study needs `parameters`"}},
    {"empty parameters", HEAD "parameters: []\n", {"4:13", "a study needs `parameters`"}},
    {"unknown keys",
     HEAD THETA "replication: 3\ntheta: 1\npoints: 3\nprotocol: {theta: 1}\nzebra: 1\n",
     {"5:1", "did you mean `replications`?", "6:1", "unknown key `theta`", "7:1",
      "it belongs at `design.points`", "8:1", "goes into `set`, as in `set: {protocol: ...}`",
      "9:1", "unknown key `zebra`: `destrasim explain study`"}},
    {"unknown path",
     ONE("path: protocol.thetta, values: [1]"),
     {"5:12", "unknown parameter `protocol.thetta`: did you mean `protocol.theta`?"}},
    {"path of another section",
     ONE("path: theta, values: [1]"),
     {"5:12", "unknown parameter `theta`: did you mean `protocol.theta`?"}},
    {"no path", ONE("values: [1]"), {"5:5", "a parameter needs `path`"}},
    {"unknown key of a parameter",
     ONE("path: protocol.theta, valuse: [1]"),
     {"5:28", "unknown key `valuse`: did you mean `values`?"}},
    {"both", ONE("path: protocol.theta, values: [0.1], range: [0, 1]"), {"5:5", "both given"}},
    {"neither", ONE("path: protocol.theta"), {"5:5", "needs `values: [...]` or `range: [LO, HI]`"}},
    {"empty values", ONE("path: protocol.theta, values: []"), {"5:36", "values is empty"}},
    {"a value", ONE("path: protocol.theta, values: 3"), {"5:36", "values takes a list"}},
    {"doubled value",
     ONE("path: protocol.theta, values: [0.1, 0.3, 10 %]"),
     {"5:47", "`10 %` is there twice"}},
    {"doubled word",
     ONE("path: protocol.trigger, values: [either, either]"),
     {"5:47", "`either` is there twice"}},
    {"empty range", ONE("path: protocol.theta, range: [0.3, 0.3]"), {"5:35", "the range is empty"}},
    {"one end", ONE("path: protocol.theta, range: [0.3]"), {"5:35", "range takes two numbers"}},
    {"log of 0",
     ONE("path: protocol.theta, range: [0, 0.3], scale: log"),
     {"5:36", "a log scale has no `0`"}},
    {"unknown scale",
     ONE("path: protocol.theta, range: [0, 0.3], scale: lgo"),
     {"5:52", "unknown word `lgo`: did you mean `log`?"}},
    {"range of words",
     ONE("path: protocol.trigger, range: [0, 0.3]"),
     {"5:37", "`protocol.trigger` is no number"}},
    {"wrong unit",
     ONE("path: protocol.block_interval, range: [1 s, 2 MiB]"),
     {"5:50", "`MiB` is a unit of size, but this is a time"}},
    {"part of a node",
     ONE("path: nodes.sto.count, range: [1.5, 3]"),
     {"5:37", "`1.5` is not a whole number"}},
    {"out of the scenario's range",
     ONE("path: protocol.theta, range: [0.5, 1.5]"),
     {"5:41", "`1.5` is out of range for `protocol.theta`: use 0 to 1"}},
    {"one path twice",
     HEAD "parameters:\n  - {path: protocol.theta, values: [1]}\n"
          "  - {path: protocol.theta, values: [0]}\n",
     {"6:5", "`protocol.theta` overlaps with `protocol.theta`"}},
    {"a part of another",
     HEAD "parameters:\n  - {path: nodes.sto.strategy, values: [honest]}\n"
          "  - {path: nodes.sto.strategy.ghost, values: [0.5]}\n",
     {"6:5", "`nodes.sto.strategy.ghost` overlaps with `nodes.sto.strategy`"}},
    {"set as well",
     HEAD "set: {protocol: {theta: 0.1}}\n" THETA,
     {"5:14", "`protocol.theta` is a parameter and in `set` as well"}},
    {"set that is wrong",
     HEAD "set: {protocol.thetta: 0.1, duration: 3 MiB}\n" THETA,
     {"4:24", "unknown key `thetta`: did you mean `theta`?", "4:39", "`MiB` is a unit of size"}},
    {"set of a seed", HEAD "set: [seed=3]\n" THETA, {"4:7", "as the study's `seed`"}},
    {"seed", ONE("path: seed, values: [1, 2]"), {"5:12", "seed is what replications vary"}},
    {"different kinds of paths",
     ONE("paths: [protocol.theta, nodes.sto.count], values: [1]"),
     {"5:30", "`nodes.sto.count` is not of the same kind as `protocol.theta`"}},
    {"names",
     ONE("path: protocol.theta, values: [0.1, 0.2], names: [a]"),
     {"5:55", "1 names for 2 values"}},
    {"unknown design", HEAD THETA "design: gird\n", {"5:9", "did you mean `grid`?"}},
    {"design that takes no points",
     HEAD THETA "design: {kind: saltelli, points: 3}\n",
     {"5:26", "`points` does nothing for this design: saltelli and morris take `base`"}},
    {"grid of a range",
     ONE("path: protocol.theta, range: [0, 1]") "design: grid\n",
     {"6:9", "a grid needs `values` for `protocol.theta`, or `levels`"}},
    {"grid of equal points",
     ONE("path: nodes.sto.count, range: [4, 6]") "design: {kind: grid, levels: 5}\n",
     {"6:9", "are not all different"}},
    {"odd levels",
     ONE("path: protocol.theta, range: [0, 1]") "design: {kind: morris, levels: 3}\n",
     {"6:9", "even number of levels"}},
    {"too many points",
     ONE("path: protocol.theta, range: [0, 1]") "design: {kind: saltelli, base: 999999}\n",
     {"6:9", "more than 1000000 points"}},
    {"unknown metrics",
     HEAD THETA "objectives: [minimise losss]\nconstraints: [honest_slahsed < 3]\n"
                "metrics: [finality_latency]\n",
     {"5:14", "objectives: unknown metric `losss`: did you mean `loss`?", "6:15",
      "constraints: unknown metric `honest_slahsed`: did you mean `honest_slashed`?", "7:11",
      "p50, p95, p99, mean, max"}},
    {"half an objective", HEAD THETA "objectives: loss\n", {"5:13", "write `minimise METRIC`"}},
    {"half a constraint", HEAD THETA "constraints: [loss]\n", {"5:15", "compare it"}},
    {"constraint without unit",
     HEAD THETA "constraints: [loss < 3]\n",
     {"5:15", "`loss` is in percent: write `3 %`"}},
    {"what no run measures",
     HEAD THETA "objectives: [maximise theta_lift]\n",
     {"5:14", "`record.lift: on` alone: add it to `set`"}},
    {"no replications", HEAD THETA "replications: 0\n", {"5:15", "use 1 to 100000"}},
    {"replications of what",
     HEAD THETA "replications: {half_width: 5 %}\n",
     {"5:15", "name the `metric`"}},
    {"least above most",
     HEAD THETA "replications: {least: 60, half_width: 120 %, metric: loss}\n",
     {"5:15", "least, 60, is above most, 50", "5:39", "less than 100 %"}},
    {"labels",
     HEAD "parameters:\n  - {path: protocol.theta, values: [1], label: t}\n"
          "  - {path: protocol.audit, values: [1], label: t}\n",
     {"6:5", "`protocol.theta` and `protocol.audit` have the same label, `t`"}},
    {"constraints that nothing meets",
     HEAD THETA "constraints: [loss <= 2 %, loss > 2 %, epochs >= 3, epochs < 3,\n"
                "  safety, safety == 0, halted != 0, halted == 0, mttd > 3, mttd > 4,\n"
                "  messages > 3, messages < 4, bytes == 4 B, bytes >= 4 B]\n",
     {"5:28", "nothing meets both `loss <= 2 %` and `loss > 2 %`: relax one", "5:53",
      "`epochs >= 3` and `epochs < 3`", "6:11", "`safety == 0`", "6:37", "`halted == 0`", "6:60",
      "`mttd` has such a bound already"}},
    {"confidence", HEAD THETA "confidence: 0\n", {"5:13", "more than 0"}},
    {"warm-up that differs",
     HEAD THETA "warmup: {share: on}\n",
     {"5:9", "`protocol.theta` changes it from the start"}},
    {"a beginning of any length",
     HEAD "warmup: {share: on}\n"
          "parameters: [{path: protocol.upgrade.epoch, values: [1, 2]}]\n",
     {"4:9", "give protocol.upgrade.epoch in `set`"}},
    {"rare levels",
     HEAD "rare: {metric: cheat_share, levels: [0.2, 0.1]}\n",
     {"4:43", "`0.1` is not above the one before it"}},
    {"every mistake at once",
     "name: a b\nscenario: base.yaml\nsede: 1\nset: {duraton: 1 min}\nparameters:\n"
     "  - {path: protocol.teta, values: [1]}\n  - {path: protocol.audit, values: []}\n"
     "objectives: [best]\n",
     {"1:7", "is not a name", "3:1", "did you mean `seed`?", "4:16", "did you mean `duration`?",
      "6:12", "did you mean `protocol.theta`?", "7:36", "values is empty", "8:14",
      "write `minimise METRIC`"}},
};

static void refused(const struct refusal *r)
{
    struct ds_study s;
    struct ds_diagnostics d = {0};
    CU_ASSERT_EQUAL(load(r->text, NULL, 0, &s, &d), DC_ERR_USAGE);
    size_t n = 0;
    bool ok = true;
    for (; n < 8 && r->expected[2 * n] != NULL && ok; n++) {
        char place[32] = "";
        if (n < d.count)
            snprintf(place, sizeof place, "%u:%u", d.items[n].place.line, d.items[n].place.column);
        ok = n < d.count && strcmp(place, r->expected[2 * n]) == 0 &&
             strstr(d.items[n].message, r->expected[2 * n + 1]) != NULL;
    }
    ok = ok && n == d.count;
    if (!ok) {
        struct dc_text said = {0};
        ds_diagnostics_print(&d, &said);
        printf("\n  %s:\n%s", r->what, said.data != NULL ? said.data : "");
        dc_text_free(&said);
    }
    CU_ASSERT(ok);
    ds_study_free(&s);
    ds_diagnostics_free(&d);
}

static void test_refusals(void)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        refused(&refusals[i]);
}

/* A dimension too many for Sobol's sequence: 41 parameters, and 21 for Saltelli's design. */
static void test_dimensions(void)
{
    static const struct {
        const char *kind, *words;
        int count;
    } cases[] = {{"sobol", "at most 40 parameters", 41}, {"saltelli", "at most 20", 21}};
    for (size_t c = 0; c < 2; c++)
        for (int extra = 0; extra < 2; extra++) {
            struct dc_text text = {0};
            dc_text_printf(&text, "name: s\nscenario: base.yaml\nparameters:\n");
            for (int i = 0; i < cases[c].count - extra; i++) /* groups that are made here */
                dc_text_printf(&text, "  - {path: 'nodes[%d].count', range: [1, 9]}\n", i);
            dc_text_printf(&text, "design: %s\nset:\n", cases[c].kind);
            for (int i = 3; i < cases[c].count; i++)
                dc_text_printf(&text, "  - 'nodes[%d]={name: g%d, role: client, count: 1}'\n", i,
                               i);
            dc_text_printf(&text, "  - 'nodes.val.count=4'\n");
            struct ds_study s;
            struct ds_diagnostics d = {0};
            enum dc_status status = load(text.data, NULL, 0, &s, &d);
            bool found = false;
            for (size_t i = 0; i < d.count; i++)
                found |= strstr(d.items[i].message, cases[c].words) != NULL;
            CU_ASSERT_EQUAL(status == DC_ERR_USAGE && found, extra == 0);
            if (extra == 1)
                CU_ASSERT_EQUAL(status, DC_OK);
            ds_study_free(&s);
            ds_diagnostics_free(&d);
            dc_text_free(&text);
        }
}

/* Points that the scenario refuses: one message for each reason, at the value that is to blame. */
static void test_points(void)
{
    static const struct refusal cases[] = {
        {"a value",
         HEAD "parameters:\n  - {path: protocol.theta, values: [0.1, 1.5, 0.3]}\n"
              "  - {path: protocol.audit, values: [0.1, 0.2]}\n",
         {"5:42", "a share is between 0 and 1 (or 0 % and 100 %) (refused at 2 of 6 points, first "
                  "at point 2: protocol.theta=1.5, protocol.audit=0.1)"}},
        {"a group that is not there",
         ONE("path: nodes.stor.count, values: [3, 4]"),
         {"5:39", "the list has no element `stor`: use its name, or an index from 0 (refused at 2 "
                  "of 2 points, first at point 0: nodes.stor.count=3)"}},
        {"more reasons than five",
         HEAD "parameters:\n  - {path: protocol.trigger, values: [a1, a2, a3, a4, a5, a6, a7]}\n",
         {"5:3", "2 more points are refused for other reasons", "5:39", "`a1`", "5:43", "`a2`",
          "5:47", "`a3`", "5:51", "`a4`", "5:55", "`a5`"}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        refused(&cases[i]);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"refusals", test_refusals},
        {"too many dimensions", test_dimensions},
        {"refused points", test_points},
    };
    return TEST_MAIN("bad studies", cases);
}
