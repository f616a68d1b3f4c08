/* The scenario reader: any text is accepted or refused with a diagnostic; what is accepted prints as
 * a text that is accepted and prints the same. */
#include "sim/scenario/scenario.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static const char matrix[] =
    "rtt_ms, eu-1, eu-2, us-1\neu-1, 1, 2, 3\neu-2, 2, 1, 3\nus-1, 3, 3, 1\n";
static const char trace[] = "time, a, b\n0, 0.5, 0\n30, 0.25, 1\n";
static const char outages[] = "node,down_s,up_s\n0,1,2\n";

static bool load(const char *text, size_t size, struct dc_text *out)
{
    struct ds_input input[3] = {{"r.csv", matrix, sizeof matrix - 1},
                                {"t.csv", trace, sizeof trace - 1},
                                {"o.csv", outages, sizeof outages - 1}};
    struct ds_source source = {
        .name = "f.yaml", .text = text, .size = size, .inputs = input, .inputs_count = 3};
    struct ds_scenario s;
    struct ds_diagnostics d = {0};
    enum dc_status status = ds_scenario_load_text(&source, NULL, 0, &s, &d);
    FUZZ_NEED(status == DC_OK || (status == DC_ERR_USAGE && d.count > 0));
    if (status == DC_OK)
        ds_scenario_print_resolved(&s, out);
    ds_scenario_free(&s);
    ds_diagnostics_free(&d);
    return status == DC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dc_text first = {0}, second = {0};
    if (load((const char *)data, size, &first)) {
        FUZZ_NEED(load(first.data, first.size, &second));
        FUZZ_NEED(first.size == second.size && memcmp(first.data, second.data, first.size) == 0);
    }
    dc_text_free(&first);
    dc_text_free(&second);
    return 0;
}
