/* Arguments and help, made from the same tables.
 *
 * `--seed 7`, `--seed=7`, `-o x.h5` and `-ox.h5` are read alike; options and operands may mix;
 * `--` ends the options, so that a file may be called --quiet. */
#include <omp.h>
#include <stdio.h>
#include <string.h>

#include "models/base/mem.h"
#include "sim/cmd.h"
#include "sim/kernel/kernel.h"
#include "sim/scenario/value.h"

#define THREADS_DEFAULT_MAX 8

static const struct ds_option option_help = {"-h", NULL, "this help"};

void ds_guess_try(struct ds_guess *guess, const char *candidate)
{
    unsigned distance = ds_name_distance(guess->word, candidate);
    unsigned near = 1 + (unsigned)strlen(guess->word) / 3; /* further away, it is another word */
    if (distance <= near && (guess->name == NULL || distance < guess->distance)) {
        guess->name = candidate;
        guess->distance = distance;
    }
}

/* The first line of an option's or command's text stands beside it, the others below. */
static void help_entry(const char *head, const char *text)
{
    size_t size = strcspn(text, "\n");
    if (strlen(head) > 22)
        printf("  %s\n  %22s  %.*s\n", head, "", (int)size, text);
    else
        printf("  %-22s  %.*s\n", head, (int)size, text);
    while (text[size] == '\n') {
        text += size + 1;
        size = strcspn(text, "\n");
        printf("  %22s  %.*s\n", "", (int)size, text);
    }
}

void ds_cmd_help(const struct ds_command *command)
{
    printf("usage: destrasim %s", command->name);
    if (command->operands[0] != '\0')
        printf(" %s", command->operands);
    printf("%s\n\n%s.\n", command->options != NULL ? " [OPTIONS]" : "", command->line);
    if (command->details[0] != '\0')
        printf("\n%s\n", command->details);
    printf("\noptions:\n");
    for (const struct ds_option *o = command->options; o != NULL && o->name != NULL; o++) {
        char head[64];
        if (o->meaning == NULL)
            continue;
        snprintf(head, sizeof head, "%s%s%s", o->name, o->value != NULL ? " " : "",
                 o->value != NULL ? o->value : "");
        help_entry(head, o->meaning);
    }
    help_entry("-h, --help", option_help.meaning);
}

/* The option that an argument begins with; *value: what stands behind it in the same argument. */
static const struct ds_option *find_option(const struct ds_command *command, const char *arg,
                                           const char **value)
{
    *value = NULL;
    if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0)
        return &option_help;
    for (const struct ds_option *o = command->options; o != NULL && o->name != NULL; o++) {
        size_t size = strlen(o->name);
        if (strncmp(arg, o->name, size) != 0)
            continue;
        if (arg[size] == '\0')
            return o;
        bool is_long = o->name[1] == '-';
        if (is_long && arg[size] != '=')
            continue;
        *value = arg + size + is_long;
        return o;
    }
    return NULL;
}

static int unknown_option(const struct ds_command *command, const char *arg)
{
    char word[64];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(arg, "="), arg);
    struct ds_guess guess = {.word = word};
    for (const struct ds_option *o = command->options; o != NULL && o->name != NULL; o++)
        if (o->meaning != NULL)
            ds_guess_try(&guess, o->name);
    if (guess.name != NULL)
        return ds_cmd_usage("%s: unknown option `%s`: did you mean `%s`?", command->name, word,
                            guess.name);
    return ds_cmd_usage("%s: unknown option `%s`: `destrasim %s -h` names them all", command->name,
                        word, command->name);
}

/* Fills *args; -1 fine, else the exit code. */
static int parse(struct ds_args *args, int argc, char **argv)
{
    const struct ds_command *command = args->command;
    bool options = true;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i], *value;
        if (!options || arg[0] != '-' || arg[1] == '\0') {
            args->operand[args->operands++] = arg;
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            options = false;
            continue;
        }
        const struct ds_option *o = find_option(command, arg, &value);
        if (o == NULL)
            return unknown_option(command, arg);
        if (o == &option_help) {
            ds_cmd_help(command);
            return DS_EXIT_FINE;
        }
        if (o->value == NULL && value != NULL)
            return ds_cmd_usage("%s: `%s` takes no value", command->name, o->name);
        if (o->value != NULL && value == NULL) {
            if (i + 1 == argc)
                return ds_cmd_usage("%s: `%s` needs a value: %s %s", command->name, o->name,
                                    o->name, o->value);
            value = argv[++i];
        }
        args->given[args->givens++] = (struct ds_given){o, value != NULL ? value : ""};
    }
    if (args->operands < command->operands_min)
        return ds_cmd_usage("%s: wants %s: `destrasim %s -h` shows how", command->name,
                            command->operands, command->name);
    if (args->operands > command->operands_max)
        return ds_cmd_usage("%s: does not know what to do with `%s`: `destrasim %s -h` shows how",
                            command->name, args->operand[command->operands_max], command->name);
    return -1;
}

int ds_cmd_execute(const struct ds_command *command, int argc, char **argv)
{
    if (command->dispatch != NULL)
        return command->dispatch(argc, argv);
    struct ds_args args = {.command = command};
    size_t count = argc > 0 ? (size_t)argc : 1;
    args.operand = dc_mem_need(count, sizeof *args.operand, "arguments");
    args.given = dc_mem_need(count, sizeof *args.given, "arguments");
    int code = parse(&args, argc, argv);
    if (code < 0)
        code = command->run(&args);
    dc_mem_free(args.operand);
    dc_mem_free(args.given);
    return code;
}

const char *ds_args_value(const struct ds_args *args, const char *option)
{
    for (unsigned i = args->givens; i > 0; i--)
        if (strcmp(args->given[i - 1].option->name, option) == 0)
            return args->given[i - 1].value;
    return NULL;
}

size_t ds_args_values(const struct ds_args *args, const char *option, const char **values)
{
    size_t count = 0;
    for (unsigned i = 0; i < args->givens; i++)
        if (strcmp(args->given[i].option->name, option) == 0)
            values[count++] = args->given[i].value;
    return count;
}

bool ds_args_number(const struct ds_args *args, const char *option, uint64_t min, uint64_t max,
                    uint64_t *out)
{
    const char *text = ds_args_value(args, option);
    if (text == NULL)
        return true;
    struct dc_text why = {0};
    uint64_t value = 0;
    bool good = ds_value_integer(text, strlen(text), DS_DIM_NUMBER, &value, &why);
    dc_text_free(&why);
    if (!good || value < min || value > max) {
        ds_cmd_usage("%s: %s wants a whole number from %llu to %llu, not `%s`", args->command->name,
                     option, (unsigned long long)min, (unsigned long long)max, text);
        return false;
    }
    *out = value;
    return true;
}

bool ds_args_threads(const struct ds_args *args, uint32_t *out)
{
    int online = omp_get_num_procs();
    uint64_t threads = online < 1 ? 1 : online < THREADS_DEFAULT_MAX ? online : THREADS_DEFAULT_MAX;
    if (!ds_args_number(args, "--threads", 1, DS_KERNEL_THREADS_MAX, &threads))
        return false;
    *out = (uint32_t)threads;
    return true;
}

bool ds_args_time(const struct ds_args *args, const char *option, int64_t *out)
{
    const char *text = ds_args_value(args, option);
    if (text == NULL)
        return true;
    struct dc_text why = {0};
    uint64_t value = 0;
    bool good = ds_value_integer(text, strlen(text), DS_DIM_TIME, &value, &why);
    if (!good)
        ds_cmd_usage("%s: %s: %s", args->command->name, option,
                     why.data != NULL ? why.data : "is no time");
    else if (value == 0 || value > INT64_MAX / 4) {
        ds_cmd_usage("%s: %s wants a time above 0, not `%s`", args->command->name, option, text);
        good = false;
    }
    dc_text_free(&why);
    *out = good ? (int64_t)value : 0;
    return good;
}
