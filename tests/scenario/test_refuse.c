/* Bad scenarios: the exact place, the reason and what to do; all mistakes in one go.
 *
 * `head` is a good scenario of six lines; each case adds its own from line 7 on, or replaces the
 * whole.  Expected are the diagnostics in order, each by "LINE:COLUMN" and words of its text. */
#include "models/base/mem.h"
#include "sim/scenario/scenario.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>

#define HEAD                                                                                       \
    "name: b\n"                                                                                    \
    "duration: 4 epochs\n"                                                                         \
    "network: {regions: data/aws-regions.csv}\n"                                                   \
    "nodes:\n"                                                                                     \
    "  - {name: val, role: validator, count: 4}\n"                                                 \
    "  - {name: sto, role: service, count: 4}\n"

struct refusal {
    const char *what, *text;
    const char *expected[12]; /* "LINE:COL", words, "LINE:COL", words ... */
};

static const struct refusal refusals[] = {
    {"unknown key",
     HEAD "protocol: {thetta: 0.1}\n",
     {"7:12", "unknown key `thetta`: did you mean `theta`?"}},
    {"known elsewhere", HEAD "theta: 0.1\n", {"7:1", "it belongs at `protocol.theta`"}},
    {"unknown key of a group",
     HEAD "  - {name: x, role: client, count: 1, dmand: {}}\n",
     {"7:39", "did you mean `demand`?"}},
    {"duplicate key",
     HEAD "seed: 1\nseed: 2\n",
     {"8:1", "duplicate key `seed`, first given at line 7"}},
    {"wrong unit",
     HEAD "protocol: {block_interval: 30 MiB}\n",
     {"7:28", "`MiB` is a unit of size, but this is a time: use ns, us, ms, s, min, h or d"}},
    {"no unit", HEAD "max_time: 30\n", {"7:11", "a time needs a unit"}},
    {"out of range", HEAD "protocol:\n  epoch_blocks: 2\n", {"8:17", "use 3 to 1000000"}},
    {"theta 1.5",
     HEAD "protocol: {theta: 1.5}\n",
     {"7:19", "theta: `1.5` is out of range: a share is between 0 and 1"}},
    {"not a number", HEAD "protocol: {theta: high}\n", {"7:19", "`high` is not a share"}},
    {"a mapping for a number",
     HEAD "protocol: {theta: {a: 1}}\n",
     {"7:19", "theta takes a share (0.3 or 30 %), not a mapping"}},
    {"no value", HEAD "seed:\n", {"7:1", "seed has no value"}},
    {"missing graph",
     "name: b\nduration: 4 epochs\nnetwork:\n  graph: net.gml\n"
     "nodes: [{name: val, role: validator, count: 4}]\n",
     {"4:10", "net.gml`: No such file or directory: paths are relative"}},
    {"a folder as a file",
     "name: b\nduration: 4 epochs\nnetwork:\n  regions: data\n"
     "nodes: [{name: val, role: validator, count: 4}]\n",
     {"4:12", "Is a directory"}},
    {"two networks",
     "name: b\nduration: 4 epochs\nnetwork: {latency: 1 ms, graph: a}\n"
     "nodes: [{name: val, role: validator, count: 4}]\n",
     {"3:26",
      "`latency` and `graph` are both given: keep one of regions, graph, generate and latency"}},
    {"no network",
     "name: b\nduration: 4 epochs\nnetwork: {loss: 0}\n"
     "nodes: [{name: val, role: validator, count: 4}]\n",
     {"3:10", "network needs one of"}},
    {"a selector that matches nothing",
     HEAD "faults:\n  - {at: 5 s, kind: crash, nodes: stoo}\n",
     {"8:35", "matches nothing: no group or role is called `stoo`: did you mean `sto`?"}},
    {"no such region",
     HEAD "faults:\n  - at: 5 s\n    for: 9 s\n    kind: partition\n"
          "    groups: [[region mars*], [rest]]\n",
     {"11:15", "matches nothing: no region is called `mars*`: use one of us-east-1"}},
    {"no clients",
     HEAD "faults: [{at: 5 s, kind: crash, nodes: 10 % of clients}]\n",
     {"7:40", "`10 % of clients` matches nothing"}},
    {"index past the end",
     HEAD "faults: [{at: 5 s, kind: crash, nodes: 'val[4]'}]\n",
     {"7:40", "group `val` has 4 nodes, numbered from 0"}},
    {"duplicate group",
     HEAD "  - {name: val, role: client, count: 1}\n",
     {"7:12", "duplicate name `val`"}},
    {"a group named like a role",
     HEAD "  - {name: service, role: client, count: 1}\n",
     {"7:12", "cannot be called `service`"}},
    {"duplicate fault id",
     HEAD "faults:\n  - {id: a, at: 1 s, kind: crash, nodes: val}\n"
          "  - {id: a, at: 2 s, kind: crash, nodes: sto}\n",
     {"9:10", "duplicate id `a`"}},
    {"the same fault twice",
     HEAD "faults:\n  - {at: 1 s, kind: crash, nodes: val}\n"
          "  - {at: 1000 ms, kind: crash, nodes: val}\n",
     {"9:5", "the same as an earlier one"}},
    {"zero validators",
     "name: b\nduration: 4 epochs\nnetwork: {latency: 1 ms}\n"
     "nodes: [{name: val, role: validator, count: 0}]\n",
     {"4:45", "there are no validators"}},
    {"no validator group",
     "name: b\nduration: 4 epochs\nnetwork: {latency: 1 ms}\n"
     "nodes: [{name: c, role: client, count: 9}]\n",
     {"4:8", "there are no validators"}},
    {"broken YAML", HEAD "protocol: {theta: 0.1\nfaults: [\n", {"8:7", "not valid YAML"}},
    {"broken indentation", "name: b\n  seed: 1\n", {"1:7", "not valid YAML"}},
    {"an open quote", "name: \"b\n", {"1:8", "without closing quote"}},
    {"a tab", "name: b\nnodes:\n\t- a\n", {"3:1", "tab"}},
    {"invalid UTF-8", "name: b\nseed: \xff\n", {"2:7", "0xff is not valid UTF-8"}},
    {"invalid UTF-8 in a directive", "%YAML \xc3\x28\n---\nname: b\n", {"1:7", "not valid UTF-8"}},
    {"an overlong sequence", "name: \xc0\xaf\n", {"1:7", "not valid UTF-8"}},
    {"a control character", "name: b\x01\n", {"1:8", "control character 0x01"}},
    {"an unquoted comma inside braces",
     HEAD "  - {name: x, role: validator, count: 1, bond: pareto(2000 DSYNC, 1.6)}\n",
     {"7:67", "unknown key `1.6)`: YAML splits at a comma inside braces: quote the value, as in "
              "`bond: 'pareto(2000 DSYNC, 1.6)'`"}},
    {"an anchor", HEAD "protocol: &a {theta: 0.1}\n", {"7:14", "anchors and tags"}},
    {"an alias", HEAD "protocol: *a\n", {"7:12", "aliases"}},
    {"a tag", HEAD "seed: !!int 3\n", {"7:13", "anchors and tags"}},
    {"a merge key", HEAD "protocol: {<<: {theta: 1}}\n", {"7:12", "merge keys"}},
    {"a second document", HEAD "---\nname: c\n", {"7:1", "a second document"}},
    {"nothing at all", "", {"1:1", "nothing here"}},
    {"a list", "- a\n", {"1:1", "a scenario is a mapping"}},
    {"missing keys",
     "name: b\n",
     {"1:1", "`duration` is missing", "1:1", "`network` is missing", "1:1", "`nodes` is missing"}},
    {"a key that does nothing",
     HEAD "  - {name: x, role: validator, count: 1, capacity: 1 TiB}\n",
     {"7:42", "`capacity` does nothing for role validator"}},
    {"a fault's key that does nothing",
     HEAD "faults: [{at: 5 s, kind: crash, for: 5 s, nodes: val}]\n",
     {"7:33", "`for` does nothing for kind crash"}},
    {"a fault that changes nothing",
     HEAD "faults: [{at: 5 s, kind: link}]\n",
     {"7:10", "changes nothing"}},
    {"a fault after the end",
     HEAD "faults: [{at: 5 h, kind: crash, nodes: val}]\n",
     {"7:15", "the run is over by then"}},
    {"a fault of no kind",
     HEAD "faults: [{at: 5 s, kind: crush, nodes: val}]\n",
     {"7:26", "unknown word `crush`: did you mean `crash`?"}},
    {"a strategy of the other role",
     HEAD "  - {name: x, role: service, count: 1, strategy: {honest: 1, silent: 1}}\n",
     {"7:62", "`silent` is for a validator, this group's role is service"}},
    {"weights of 0",
     HEAD "  - {name: x, role: service, count: 1, strategy: {ghost: 0}}\n",
     {"7:50", "the weights of strategy sum to 0"}},
    {"partial of what",
     HEAD "  - {name: x, role: service, count: 1, strategy: partial}\n",
     {"7:50", "write `partial(0.3)`"}},
    {"partial of nothing",
     HEAD "  - {name: x, role: service, count: 1, strategy: partial(0)}\n",
     {"7:50", "a node that lacks nothing is honest"}},
    {"a service strategy of a validator",
     HEAD "  - {name: x, role: validator, count: 1, strategy: {honest: 1, sybil(2): 1}}\n",
     {"7:64", "`sybil` is for a service node, this group's role is validator"}},
    {"a lying service node",
     HEAD "  - {name: x, role: service, count: 1, strategy: lying}\n",
     {"7:50", "`lying` is for a validator"}},
    {"a thief that is no client",
     HEAD "  - {name: x, role: service, count: 1, strategy: inflator}\n",
     {"7:50", "`inflator` is for a client, this group's role is service"}},
    {"how many sybils",
     HEAD "  - {name: x, role: service, count: 9, strategy: sybil}\n",
     {"7:50", "write `sybil(8)`"}},
    {"too many sybils",
     HEAD "  - {name: x, role: service, count: 99, strategy: sybil(65)}\n",
     {"7:51", "use 1 to 64 nodes"}},
    {"a share of sybils",
     HEAD "  - {name: x, role: service, count: 99, strategy: sybil(0.5)}\n",
     {"7:51", "`0.5` is not a whole number"}},
    {"a ring of nobody",
     HEAD "  - {name: x, role: service, count: 9, strategy: {washer(0): 1}}\n",
     {"7:51", "use 1 to 64 nodes"}},
    {"a ring larger than its group",
     HEAD "  - {name: x, role: service, count: 9, strategy: {honest: 1, washer(10): 1}}\n",
     {"7:50", "strategy `washer(10)` takes 10 nodes, the group has 9"}},
    {"burst at no score",
     HEAD "  - {name: x, role: service, count: 9, strategy: burst}\n",
     {"7:50", "write `burst(0.8)`"}},
    {"burst from the start",
     HEAD "  - {name: x, role: service, count: 9, strategy: burst(0)}\n",
     {"7:50", "turns at a score of 0 is a ghost"}},
    {"an argument for nothing",
     HEAD "  - {name: x, role: service, count: 9, strategy: rational(3)}\n",
     {"7:50", "write `rational`"}},
    {"an open bracket",
     HEAD "  - {name: x, role: service, count: 9, strategy: washer(3}\n",
     {"7:50", "write `washer, or washer(4) for a ring`"}},
    {"a rational node that turns rational",
     HEAD "  - {name: x, role: service, count: 9, rational: {options: {ghost: 1, rational: 1}}}\n",
     {"7:71", "options: a node cannot turn to `rational`"}},
    {"a rational node that joins a ring",
     HEAD "  - {name: x, role: service, count: 9, rational: {options: {washer(2): 1}}}\n",
     {"7:61", "cannot join a ring"}},
    {"a rational node without options",
     HEAD "  - {name: x, role: service, count: 9, rational: {options: {ghost: 0}}}\n",
     {"7:60", "sum to 0"}},
    {"a rational client",
     HEAD "  - {name: x, role: client, count: 9, rational: {revise: 0.1}}\n",
     {"7:39", "`rational` does nothing for role client"}},
    {"customers of a client",
     HEAD "  - {name: x, role: client, count: 9, customers: 2, chunk_time: 1 ms, load_noise: 1,\n"
          "     access_delay: 1 ms, trace: a.csv}\n",
     {"7:39", "`customers` does nothing", "7:53", "`chunk_time` does", "7:71", "`load_noise` does",
      "8:6", "`access_delay` does", "8:26", "`trace` does nothing for role client"}},
    {"no customers",
     HEAD "  - {name: x, role: service, count: 9, customers: 0}\n",
     {"7:51", "use 1 to 64"}},
    {"a trace that is not there",
     HEAD "  - {name: x, role: service, count: 9, trace: no.csv}\n"
          "  - {name: c, role: client, count: 1}\n",
     {"7:47", "no.csv`: No such file"}},
    {"a trace that nobody pays for",
     HEAD "  - {name: x, role: service, count: 9, trace: data/idle-trace.csv}\n",
     {"7:47", "nobody pays for what a trace says: add a group of clients"}},
    {"a day without amplitude",
     HEAD "  - {name: c, role: client, count: 1, demand: {diurnal: {period: 1 h}}}\n",
     {"7:57", "`amplitude` is missing"}},
    {"a day of no length",
     HEAD "  - {name: c, role: client, count: 1, demand: {diurnal: {amplitude: 1, period: 0}}}\n",
     {"7:80", "use 1 s to 365 d"}},
    {"crowds",
     HEAD "  - name: c\n    role: client\n    count: 1\n    demand:\n      flash:\n"
          "        - {at: 1 s, for: 1 s, factor: 0.5}\n        - {at: 1 s, factor: 2}\n"
          "        - {at: 1 s, for: 0, factor: 2, focus: 2}\n",
     {"12:39", "use 1 to 1000", "13:11", "`for` is missing", "14:26", "use 1 ns to 365 d", "14:47",
      "a share is between 0 and 1"}},
    {"a crowd after the end",
     HEAD "  - {name: c, role: client, count: 1,\n"
          "     demand: {flash: [{at: 5 h, for: 1 s, factor: 2}]}}\n",
     {"8:28", "the run is over by then"}},
    {"p_hi below p_lo", HEAD "protocol: {p_hi: 0.7}\n", {"7:18", "p_hi is below p_lo: raise it"}},
    {"no weight left",
     HEAD "protocol: {ablate: [s, a, u, q]}\n",
     {"7:20", "ablate leaves no weight in the score"}},
    {"no weight left but 0",
     HEAD "protocol: {ablate: [s, a, u], weight_q: 0, weight_s: 0.55}\n",
     {"7:20", "ablate leaves no weight in the score"}},
    {"words of the protocol",
     HEAD "protocol: {trigger: seen, theta_mode: levle, difficulty: hard, order: ucbs,\n"
          "  combine: fischer, ablate: [v]}\n",
     {"7:21", "observed, forecast, either", "7:39", "did you mean `level`?", "7:58",
      "use one of uniform, history", "7:71", "did you mean `ucb`?", "8:12",
      "did you mean `fisher`?", "8:30", "s, a, u, q"}},
    {"numbers of the protocol",
     HEAD "protocol: {theta_multiple: 11, ucb: 10.5, load_target: 0, f_min: 0, holt_level: 1.1,\n"
          "  ready_ratio: -1}\n",
     {"7:28", "use 0 to 10", "7:37", "use 0 to 10", "7:56", "load_target: `0` is out of range",
      "7:66", "f_min: `0` is out of range", "7:81", "between 0 and 1", "8:16", "negative"}},
    {"grief that nobody feels",
     HEAD "faults: [{at: 5 s, kind: grief, nodes: sto}]\n",
     {"7:10", "this fault changes nothing: give latency_add"}},
    {"grief's keys",
     HEAD "faults: [{at: 5 s, kind: grief, nodes: sto, latency_add: 1 s, loss: 1, count: 0}]\n",
     {"7:63", "`loss` does nothing for kind grief", "7:79", "count: `0` is out of range"}},
    {"no such place",
     HEAD "  - {name: x, role: client, count: 1, place: us-east-3}\n",
     {"7:46", "no region is called `us-east-3`: did you mean `us-east-"}},
    {"weights of the score", HEAD "protocol: {weight_s: 0.5}\n", {"7:22", "sum to 1.150000"}},
    {"k above k_max", HEAD "protocol: {k: 33}\n", {"7:15", "not between k_min and k_max"}},
    {"an unknown metric", HEAD "expect: [safty]\n", {"7:10", "did you mean `safety`?"}},
    {"a metric without a quantile",
     HEAD "expect:\n  - finality_latency < 5 s\n",
     {"8:5", "one of p50, p95, p99, mean, max"}},
    {"a number as a truth", HEAD "expect: [honest_slashed]\n", {"7:10", "compare it"}},
    {"a metric's unit",
     HEAD "expect: ['finality_latency.p50 < 5 MiB']\n",
     {"7:10", "is a unit of size"}},
    {"a comma in a number", HEAD "protocol:\n  block_interval: 1,5 s\n", {"8:19", "unit"}},
    {"too deep",
     HEAD "expect: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n",
     {"7:32", "nested too deeply"}},
    {"all in one go",
     HEAD "protocol: {theta: 1.5, thetta: 1}\nseed: x\ncrypto: reel\n"
          "faults: [{at: 5, kind: crash, nodes: nobody}]\n",
     {"7:19", "out of range", "7:24", "thetta", "8:7", "not a number", "9:9", "`real`", "10:15",
      "needs a unit", "10:38", "nobody"}},
};

static void refuse(const struct refusal *r)
{
    struct ds_diagnostics d = {0};
    struct ds_scenario s;
    struct ds_source source = {.name = "bad.yaml",
                               .text = r->text,
                               .size = strlen(r->text),
                               .folder = DESTRA_SOURCE "/scenarios"};
    CU_ASSERT_EQUAL(ds_scenario_load_text(&source, NULL, 0, &s, &d), DC_ERR_USAGE);
    size_t expected = 0;
    bool same = true;
    while (expected < 6 && r->expected[2 * expected] != NULL) {
        char place[32] = "";
        if (expected < d.count) {
            const struct ds_diagnostic *item = &d.items[expected];
            snprintf(place, sizeof place, "%u:%u", item->place.line, item->place.column);
            same = same && strcmp(place, r->expected[2 * expected]) == 0 &&
                   strstr(item->message, r->expected[2 * expected + 1]) != NULL &&
                   strcmp(item->file, "bad.yaml") == 0;
        }
        expected++;
    }
    CU_ASSERT_EQUAL(d.count, expected);
    CU_ASSERT(same);
    struct dc_text text = {0};
    ds_diagnostics_print(&d, &text);
    if (!same || d.count != expected)
        printf("\n-- %s\n%s", r->what, text.data != NULL ? text.data : "");
    CU_ASSERT(text.data != NULL && strncmp(text.data, "bad.yaml:", 9) == 0);
    dc_text_free(&text);
    ds_scenario_free(&s);
    ds_diagnostics_free(&d);
}

static void test_refusals(void)
{
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        refuse(&refusals[i]);
}

static void test_good_head(void)
{
    struct ds_diagnostics d = {0};
    struct ds_scenario s;
    struct ds_source source = {.name = "good.yaml",
                               .text = HEAD,
                               .size = strlen(HEAD),
                               .folder = DESTRA_SOURCE "/scenarios"};
    CU_ASSERT_EQUAL(ds_scenario_load_text(&source, NULL, 0, &s, &d), DC_OK);
    ds_scenario_free(&s);
    ds_diagnostics_free(&d);
}

static void test_overrides(void)
{
    static const struct {
        const char *set, *line;
    } rows[] = {
        {"foo", "--set foo: error: `foo` has no value: write PATH=VALUE"},
        {"protocol.theta=1.5", "--set protocol.theta=1.5: error: theta: `1.5` is out of range"},
        {"protocol.thta=1", "--set protocol.thta=1: error: unknown key `thta`: did you mean"},
        {"nodes.stt.count=1", "--set nodes.stt.count=1: error: the list has no element `stt`"},
        {"nodes[9].count=1", "--set nodes[9].count=1: error: the list has no element `[9]`"},
        {"seed[0]=1", "--set seed[0]=1: error: `[0]`: this is not a list"},
        {"nodes[x].count=1", "--set nodes[x].count=1: error: `[x].count=1`: an index is a number"},
        {"nodes[0].strategy['a=1",
         "--set nodes[0].strategy['a=1: error: `nodes[0].strategy['a=1` has no value"},
        {"=1", "--set =1: error: `=1`: a name is missing"},
        {"protocol.=1", "--set protocol.=1: error: `=1`: a name is missing"},
        {"expect=[a", "--set expect=[a: error: not valid YAML"},
        {"seed=*x", "--set seed=*x: error: aliases"},
        {"nodes.val.count=0", "--set nodes.val.count=0: error: there are no validators"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct ds_diagnostics d = {0};
        struct ds_scenario s;
        struct dc_text text = {0};
        struct ds_source source = {.name = "good.yaml",
                                   .text = HEAD,
                                   .size = strlen(HEAD),
                                   .folder = DESTRA_SOURCE "/scenarios"};
        CU_ASSERT_EQUAL(ds_scenario_load_text(&source, &rows[i].set, 1, &s, &d), DC_ERR_USAGE);
        ds_diagnostics_print(&d, &text);
        CU_ASSERT_PTR_NOT_NULL_FATAL(text.data);
        if (strncmp(text.data, rows[i].line, strlen(rows[i].line)) != 0)
            printf("\n  %s", text.data);
        CU_ASSERT_EQUAL(strncmp(text.data, rows[i].line, strlen(rows[i].line)), 0);
        dc_text_free(&text);
        ds_scenario_free(&s);
        ds_diagnostics_free(&d);
    }
}

static void test_files(void)
{
    struct ds_diagnostics d = {0};
    struct ds_scenario s;
    CU_ASSERT_EQUAL(ds_scenario_load("/nowhere/x.yaml", NULL, 0, &s, &d), DC_ERR_IO);
    CU_ASSERT_EQUAL_FATAL(d.count, 1);
    CU_ASSERT_STRING_EQUAL(d.items[0].file, "/nowhere/x.yaml");
    CU_ASSERT_PTR_NOT_NULL(strstr(d.items[0].message, "No such file"));
    ds_scenario_free(&s);
    ds_diagnostics_free(&d);
    struct ds_source closed = {.name = "a", .text = HEAD, .size = strlen(HEAD)}; /* no folder */
    CU_ASSERT_EQUAL(ds_scenario_load_text(&closed, NULL, 0, &s, &d), DC_ERR_USAGE);
    CU_ASSERT_EQUAL_FATAL(d.count, 1);
    CU_ASSERT_PTR_NOT_NULL(strstr(d.items[0].message, "not among the files that came with"));
    ds_scenario_free(&s);
    ds_diagnostics_free(&d);
    static const struct {
        const char *csv, *place;
    } files[] = {{"", "data/aws-regions.csv:1:1"},
                 {"# only\n\nnot a matrix\n", "data/aws-regions.csv:3:1"},
                 {"rtt_ms, a, b, a\n", "data/aws-regions.csv:1:1"},
                 {"rtt_ms, a,\n", "data/aws-regions.csv:1:1"}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct ds_input input = {"data/aws-regions.csv", files[i].csv, strlen(files[i].csv)};
        struct dc_text text = {0};
        closed.inputs = &input;
        closed.inputs_count = 1;
        CU_ASSERT_EQUAL(ds_scenario_load_text(&closed, NULL, 0, &s, &d), DC_ERR_USAGE);
        ds_diagnostics_print(&d, &text);
        CU_ASSERT(text.data != NULL &&
                  strncmp(text.data, files[i].place, strlen(files[i].place)) == 0);
        dc_text_free(&text);
        ds_scenario_free(&s);
        ds_diagnostics_free(&d);
    }
}

/* A trace's mistakes are told with their place in the trace; two groups read one file once. */
static void test_traces(void)
{
    static const char text[] = "name: b\nduration: 4 epochs\nnetwork: {latency: 1 ms}\nnodes:\n"
                               "  - {name: val, role: validator, count: 4}\n"
                               "  - {name: sto, role: service, count: 4, trace: u.csv}\n"
                               "  - {name: sta, role: service, count: 4, trace: u.csv}\n"
                               "  - {name: cli, role: client, count: 4}\n";
    static const struct {
        const char *csv, *line;
    } files[] = {{"", "u.csv:1:1: error: nothing here"},
                 {"time,a\n0,0.5\n30,50%\n", "u.csv:3:4: error: not a utilisation"},
                 {"time,a\n0,0.5\n30,1\n20,1\n", "u.csv:4:1: error: times ascend"},
                 {"time,a\n0,0.5\n30,1\n", NULL}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct ds_diagnostics d = {0};
        struct ds_scenario s;
        struct ds_input input = {"u.csv", files[i].csv, strlen(files[i].csv)};
        struct ds_source source = {.name = "t",
                                   .text = text,
                                   .size = sizeof text - 1,
                                   .inputs = &input,
                                   .inputs_count = 1};
        struct dc_text out = {0};
        enum dc_status status = ds_scenario_load_text(&source, NULL, 0, &s, &d);
        ds_diagnostics_print(&d, &out);
        CU_ASSERT_EQUAL(status, files[i].line != NULL ? DC_ERR_USAGE : DC_OK);
        if (files[i].line != NULL)
            CU_ASSERT(out.data != NULL &&
                      strncmp(out.data, files[i].line, strlen(files[i].line)) == 0);
        CU_ASSERT_EQUAL(s.inputs_count, 1);
        dc_text_free(&out);
        ds_scenario_free(&s);
        ds_diagnostics_free(&d);
    }
}

/* A refusal under memory that runs out at every request: never a crash, never DC_OK. */
static void test_memory(void)
{
    const struct refusal *r = &refusals[sizeof refusals / sizeof refusals[0] - 1];
    struct ds_source source = {.name = "bad.yaml",
                               .text = r->text,
                               .size = strlen(r->text),
                               .folder = DESTRA_SOURCE "/scenarios"};
    enum dc_status status;
    uint64_t budget = 0;
    do {
        struct ds_scenario s;
        struct ds_diagnostics d = {0};
        dc_mem_budget(budget);
        status = ds_scenario_load_text(&source, NULL, 0, &s, &d);
        dc_mem_budget(UINT64_MAX);
        CU_ASSERT(status == DC_ERR_IO || status == DC_ERR_USAGE);
        CU_ASSERT(status == DC_ERR_IO || d.count == 6);
        ds_scenario_free(&s);
        ds_diagnostics_free(&d);
    } while (++budget < 200);
    CU_ASSERT_EQUAL(status, DC_ERR_USAGE);
}

int main(void)
{
    static const struct test_case cases[] = {
        {"the good scenario that the bad ones start from", test_good_head},
        {"bad scenarios", test_refusals},
        {"bad overrides", test_overrides},
        {"files that are not there, or wrong", test_files},
        {"traces that are wrong", test_traces},
        {"memory runs out while refusing", test_memory},
    };
    return TEST_MAIN("scenario refusals", cases);
}
