/* `destrasim explain` and `destrasim schema`: the table of parameters, for people and editors. */
#include <string.h>

#include "sim/cmd.h"
#include "sim/scenario/study.h"

static int run_explain(const struct ds_args *args)
{
    int worst = DS_EXIT_FINE;
    for (unsigned i = 0; i < args->operands || (i == 0 && args->operands == 0); i++) {
        struct dc_text text = {0};
        struct dc_error error = {0};
        const char *path = args->operands > 0 ? args->operand[i] : "";
        bool study = strcmp(path, "study") == 0 || strncmp(path, "study.", 6) == 0;
        enum dc_status status = study ? ds_study_explain(path, &text, &error)
                                      : ds_scenario_explain(path, &text, &error);
        int code = status == DC_OK ? ds_cmd_output(&text) : ds_cmd_failed(status, &error);
        dc_text_free(&text);
        worst = code > worst ? code : worst;
    }
    return worst;
}

const struct ds_command ds_cmd_explain = {
    .name = "explain",
    .operands = "[PATH]...",
    .line = "documents parameters of a scenario or study: range, default, meaning",
    .details =
        "PATH is written as in --set: protocol.theta, nodes[].bond, network.jitter. A section\n"
        "(protocol, nodes, network.overlay) lists its members; without a PATH, the sections.\n"
        "`study` lists the keys of a study file, `study.design.points` is one of them.",
    .operands_max = UINT32_MAX,
    .run = run_explain,
};

static int run_schema(const struct ds_args *args)
{
    struct dc_text text = {0};
    bool study = ds_args_value(args, "--study") != NULL;
    if (ds_args_value(args, "--markdown") != NULL)
        (study ? ds_study_reference : ds_scenario_reference)(&text);
    else
        (study ? ds_study_schema : ds_scenario_schema)(&text);
    return ds_cmd_output(&text);
}

static const struct ds_option schema_options[] = {
    {"--study", NULL, "of study files"},
    {"--markdown", NULL, NULL}, /* the tables of scenarios/README.md; for the project itself */
    {0},
};

const struct ds_command ds_cmd_schema = {
    .name = "schema",
    .operands = "",
    .line = "prints the JSON Schema of scenarios or studies, for editors",
    .details =
        "An editor that reads JSON Schema (2020-12) completes and checks scenarios with it:\n\n"
        "  destrasim schema > destrasim.schema.json\n\n"
        "and, for the YAML language server, as a scenario's first line\n\n"
        "  # yaml-language-server: $schema=destrasim.schema.json",
    .options = schema_options,
    .run = run_schema,
};
