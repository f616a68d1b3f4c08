/* A good study, broken in every place: each truncation and each single-byte change is accepted or
 * refused with a diagnostic that has a place in the text, without a crash or a hang.  What is
 * accepted prints as YAML that loads to the same text again. */
#include "models/base/rng.h"
#include "sim/scenario/study.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char base[] = "name: b\nduration: 4 epochs\nnetwork: {latency: 20 ms}\nnodes:\n"
                           "  - {name: val, role: validator, count: 4}\n"
                           "  - {name: sto, role: service, count: 2}\n";

static const char sample[] = "# why\nname: s\nscenario: b.yaml\n"
                             "set: {protocol: {k: 9}, 'nodes.val.bond': \"2000 DSYNC\"}\n"
                             "parameters:\n"
                             "  - {path: nodes.sto.strategy, values: [honest, {ghost: 1}],\n"
                             "     names: [a, b]}\n"
                             "  - {path: protocol.theta, range: [1 %, 0.3], scale: log, label: t}\n"
                             "  - {paths: [protocol.k_min, protocol.k_max], values: [9]}\n"
                             "design: {kind: grid, levels: 2}\n"
                             "replications: {least: 2, most: 3, half_width: 5 %}\n"
                             "objectives: [minimise loss]\n"
                             "constraints: ['profit_by_strategy.ghost <= -3 DSYNC', safety]\n"
                             "metrics: [bytes]\n"
                             "tune: {runs: 50}\n"
                             "rare: {metric: epochs, levels: [1, 2]}\n";

static unsigned accepted, refused;

static enum dc_status try_load(const char *text, size_t size, struct ds_study *s,
                               struct ds_diagnostics *d)
{
    struct ds_input input = {"b.yaml", base, sizeof base - 1};
    struct ds_source source = {
        .name = "s.yaml", .text = text, .size = size, .inputs = &input, .inputs_count = 1};
    return ds_study_load_text(&source, NULL, 0, s, d);
}

static void try_text(const char *text, size_t size)
{
    struct ds_study s, again;
    struct ds_diagnostics d = {0};
    enum dc_status status = try_load(text, size, &s, &d);
    CU_ASSERT_FATAL(status == DC_OK || status == DC_ERR_USAGE);
    if (status == DC_OK) {
        accepted++;
        status = try_load(s.resolved.data, s.resolved.size, &again, &d);
        if (status != DC_OK) {
            struct dc_text said = {0};
            ds_diagnostics_print(&d, &said);
            printf("\n%s%.*s\n%s", said.data, (int)size, text, s.resolved.data);
            dc_text_free(&said);
        }
        CU_ASSERT_EQUAL_FATAL(status, DC_OK);
        CU_ASSERT_STRING_EQUAL_FATAL(s.resolved.data, again.resolved.data);
        CU_ASSERT_EQUAL_FATAL(s.points, again.points);
        for (size_t i = 0; i < s.points; i++)
            for (size_t n = 0; n < s.point[i].overrides; n++)
                CU_ASSERT_STRING_EQUAL_FATAL(s.point[i].override[n], again.point[i].override[n]);
        ds_study_free(&again);
    } else {
        refused++;
        CU_ASSERT(d.count > 0);
        for (size_t i = 0; i < d.count; i++)
            CU_ASSERT(d.items[i].place.line >= 1 && d.items[i].place.line <= 40 &&
                      d.items[i].place.column >= 1 && d.items[i].message[0] != '\0');
    }
    ds_study_free(&s);
    ds_diagnostics_free(&d);
}

static void test_whole(void)
{
    accepted = refused = 0;
    try_text(sample, sizeof sample - 1);
    CU_ASSERT(accepted == 1);
}

static void test_truncations(void)
{
    accepted = refused = 0;
    for (size_t size = 0; size < sizeof sample; size++)
        try_text(sample, size);
    CU_ASSERT(accepted > 5 && refused > 100);
}

static void test_bytes(void)
{
    static const unsigned char other[] = {'\0', '{', '}', '[', ':',  '\n', ' ', '\t',
                                          '\'', '"', '#', ',', '-',  '*',  '&', '!',
                                          '(',  ')', '9', '%', 0xff, 0xc3};
    accepted = refused = 0;
    struct dc_stream stream = dc_stream(1, dc_name("mutate"), 0);
    for (size_t i = 0; i + 1 < sizeof sample; i++)
        for (int n = 0; n < 8; n++) {
            char text[sizeof sample];
            memcpy(text, sample, sizeof sample);
            text[i] = n < 3 ? (char)(text[i] ^ 1 << dc_next_below(&stream, 8))
                            : (char)other[dc_next_below(&stream, sizeof other)];
            try_text(text, sizeof sample - 1);
        }
    CU_ASSERT(accepted > 100 && refused > 1000);
}

/* Every line left out, doubled, and swapped with the next one. */
static void test_lines(void)
{
    const char *line[64];
    size_t length[64], count = 0;
    for (const char *p = sample; *p != '\0'; p += length[count++]) {
        line[count] = p;
        length[count] = (size_t)(strchr(p, '\n') - p) + 1;
    }
    for (size_t i = 0; i < count; i++)
        for (int how = 0; how < 3; how++) {
            char text[2 * sizeof sample];
            size_t size = 0;
            for (size_t j = 0; j < count; j++) {
                size_t from =
                    how == 2 && i + 1 < count && (j == i || j == i + 1) ? 2 * i + 1 - j : j;
                int times = j != i || how == 2 ? 1 : how == 0 ? 0 : 2;
                for (; times > 0; times--) {
                    memcpy(text + size, line[from], length[from]);
                    size += length[from];
                }
            }
            try_text(text, size);
        }
}

int main(void)
{
    alarm(100); /* a hang ends the test */
    static const struct test_case cases[] = {
        {"as it is", test_whole},
        {"truncated at every byte", test_truncations},
        {"a byte changed", test_bytes},
        {"lines left out, doubled, swapped", test_lines},
    };
    return TEST_MAIN("study mutations", cases);
}
