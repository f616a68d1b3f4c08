/* A good scenario, broken in every place: each truncation and each single-byte change is accepted
 * or refused with a diagnostic, without a crash, a hang or a place outside the text.  What is
 * accepted prints as YAML that loads to the same text again. */
#include "models/base/rng.h"
#include "sim/scenario/scenario.h"
#include "tests/support/harness.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char sample[] =
    "# a sample\n"
    "name: m\n"
    "duration: 4 epochs\n"
    "network: {regions: r.csv, loss: 0.1 %, jitter: lognormal(0.016)}\n"
    "cpu: none\n"
    "nodes:\n"
    "  - {name: val, role: validator, count: 9, bond: 'pareto(2000 DSYNC, 1.6)'}\n"
    "  - name: sto\n"
    "    role: service\n"
    "    count: 20\n"
    "    trace: t.csv\n"
    "    strategy: {honest: 0.9, partial(0.3): 0.1, washer(3): 1, rational: 1, burst(0.8): 2}\n"
    "    rational: {options: {honest: 1, ghost: 0.5}, revise: 0.2, selection: 3}\n"
    "    links: [{share: 1, loss: \"1 %\"}]\n"
    "    place: [eu*]\n"
    "  - {name: cli, role: client, count: 2, demand: {diurnal: {amplitude: 0.5, period: 1 h},\n"
    "     flash: [{at: 5 s, for: 9 s, factor: 2.5, focus: 0.5}]}}\n"
    "protocol: {theta: 0.3, detectors: [ewma], theta_multiple: 1.5, ablate: [u], budget: 9}\n"
    "faults:\n"
    "  - {at: 1 s, for: 5 s, kind: partition, groups: [['val[0..2]', 10 % of sto], [rest]]}\n"
    "  - {at: 2 s, kind: link, src: region eu*, latency_factor: 2}\n"
    "  - {at: 2 s, kind: grief, nodes: sto, latency_add: 1 s, count: 3}\n"
    "expect:\n"
    "  - safety\n"
    "  - finality_latency.p99 < 5 s\n";

static const char matrix[] =
    "rtt_ms, eu-1, eu-2, us-1\neu-1, 1, 2, 3\neu-2, 2, 1, 3\nus-1, 3, 3, 1\n";

static const char trace[] = "time, a, b\n0, 0.5, 0\n30, 0.25, 1\n";

static unsigned accepted, refused;

static void resolve(const struct ds_scenario *s, struct dc_text *out)
{
    ds_scenario_print_resolved(s, out);
    CU_ASSERT_FATAL(!out->failed);
}

static void try_text(const char *text, size_t size)
{
    struct ds_input input[2] = {{"r.csv", matrix, sizeof matrix - 1},
                                {"t.csv", trace, sizeof trace - 1}};
    struct ds_source source = {
        .name = "m.yaml", .text = text, .size = size, .inputs = input, .inputs_count = 2};
    struct ds_scenario s, again;
    struct ds_diagnostics d = {0};
    enum dc_status status = ds_scenario_load_text(&source, NULL, 0, &s, &d);
    CU_ASSERT_FATAL(status == DC_OK || status == DC_ERR_USAGE);
    if (status == DC_OK) {
        struct dc_text first = {0}, second = {0};
        accepted++;
        resolve(&s, &first);
        source.text = first.data;
        source.size = first.size;
        status = ds_scenario_load_text(&source, NULL, 0, &again, &d);
        if (status != DC_OK) {
            ds_diagnostics_print(&d, &second);
            printf("\n%s%.*s", second.data, (int)size, text);
        }
        CU_ASSERT_EQUAL_FATAL(status, DC_OK);
        dc_text_free(&second);
        resolve(&again, &second);
        CU_ASSERT_STRING_EQUAL_FATAL(first.data, second.data);
        ds_scenario_free(&again);
        dc_text_free(&first);
        dc_text_free(&second);
    } else {
        refused++;
        CU_ASSERT(d.count > 0);
        for (size_t i = 0; i < d.count; i++)
            CU_ASSERT(d.items[i].place.line >= 1 && d.items[i].place.line <= 60 &&
                      d.items[i].place.column >= 1 && d.items[i].message[0] != '\0');
    }
    ds_scenario_free(&s);
    ds_diagnostics_free(&d);
}

static void test_truncations(void)
{
    accepted = refused = 0;
    for (size_t size = 0; size < sizeof sample; size++) {
        char text[sizeof sample];
        memcpy(text, sample, size);
        try_text(text, size);
    }
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
        for (int n = 0; n < 4; n++) { /* a flipped bit, and three bytes that mean something */
            char text[sizeof sample];
            memcpy(text, sample, sizeof sample);
            text[i] = n == 0 ? (char)(text[i] ^ 1 << dc_next_below(&stream, 8))
                             : (char)other[dc_next_below(&stream, sizeof other)];
            try_text(text, sizeof sample - 1);
        }
    CU_ASSERT(accepted > 100 && refused > 1000);
}

static void test_lines(void)
{
    /* Every line dropped, doubled, and swapped with its successor. */
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
                size_t k = how == 2 && j == i && i + 1 < count ? i + 1
                           : how == 2 && j == i + 1            ? i
                                                               : j;
                for (int times = how == 0 && j == i   ? 0
                                 : how == 1 && j == i ? 2
                                                      : 1;
                     times > 0; times--) {
                    memcpy(text + size, line[k], length[k]);
                    size += length[k];
                }
            }
            try_text(text, size);
        }
}

static void test_noise(void)
{
    struct dc_stream stream = dc_stream(1, dc_name("noise"), 0);
    static const char letters[] = "nam:-{}[]'\",#&*!|>%@ \n\t?0aé";
    for (int n = 0; n < 2000; n++) {
        char text[64];
        size_t size = dc_next_below(&stream, sizeof text);
        for (size_t i = 0; i < size; i++)
            text[i] = letters[dc_next_below(&stream, sizeof letters - 1)];
        try_text(text, size);
    }
}

int main(void)
{
    alarm(100); /* a hang ends the test */
    static const struct test_case cases[] = {
        {"truncated at every byte", test_truncations},
        {"a byte changed", test_bytes},
        {"lines dropped, doubled, swapped", test_lines},
        {"noise", test_noise},
    };
    return TEST_MAIN("scenario mutations", cases);
}
