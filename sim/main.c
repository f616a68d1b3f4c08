/* The program: finds the command and passes it its arguments.
 *
 * A command is an entry of the table below and one file cmd_NAME.c; see cmd.h. */
#include <stdio.h>
#include <string.h>

#include "sim/build_info.h"
#include "sim/cmd.h"

static const struct ds_command *const commands[] = {
    &ds_cmd_run,    &ds_cmd_check, &ds_cmd_verify, &ds_cmd_diff, &ds_cmd_trace, &ds_cmd_explain,
    &ds_cmd_schema, &ds_cmd_list,  &ds_cmd_detect, &ds_cmd_bench, &ds_cmd_fuzz, &ds_cmd_twins,
    &ds_cmd_tune, &ds_cmd_sweep, &ds_cmd_rare,
    &ds_cmd_compare, &ds_cmd_select,
    &ds_cmd_report,
};
#define COMMANDS (sizeof commands / sizeof commands[0])

/* Described by the documents of this project, and not part of this version. */
static const char *const commands_later[] = {"serve"};

static const struct ds_command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    return NULL;
}

static void help(FILE *to)
{
    fputs("destrasim, a deterministic simulator of Destra Chain\n\n"
          "usage: destrasim COMMAND [ARGUMENTS]\n\n"
          "commands:\n",
          to);
    for (size_t i = 0; i < COMMANDS; i++)
        fprintf(to, "  %-9s %s\n", commands[i]->name, commands[i]->line);
    fputs("\n`destrasim COMMAND -h` explains a command; `destrasim --version` says what this is.\n"
          "For example: destrasim run scenarios/smoke.yaml\n\n"
          "exit codes: 0 fine; 1 an expectation or invariant failed; 2 bad usage or scenario;\n"
          "3 could not read or write, or out of memory; 130, 143 ended by a signal\n",
          to);
}

static int version(void)
{
    printf("destrasim %s\ncommit: %s\ncompiler: %s\nflags: %s\nlibraries: %s\n", DS_BUILD_VERSION,
           DS_BUILD_COMMIT, DS_BUILD_COMPILER, DS_BUILD_FLAGS, DS_BUILD_LIBRARIES);
    return DS_EXIT_FINE;
}

static int unknown_command(const char *name)
{
    struct ds_guess guess = {.word = name};
    size_t size = strlen(name);
    for (size_t i = 0; i < sizeof commands_later / sizeof commands_later[0]; i++)
        if (strcmp(commands_later[i], name) == 0)
            return ds_cmd_usage("`%s` is not in this version (%s): `destrasim --help` lists the "
                                "commands that are",
                                name, DS_BUILD_VERSION);
    if (size > 5 && strcmp(name + size - 5, ".yaml") == 0)
        return ds_cmd_usage("unknown command `%s`: did you mean `destrasim run %s`?", name, name);
    for (size_t i = 0; i < COMMANDS; i++)
        ds_guess_try(&guess, commands[i]->name);
    if (guess.name != NULL)
        return ds_cmd_usage("unknown command `%s`: did you mean `%s`?", name, guess.name);
    return ds_cmd_usage("unknown command `%s`: `destrasim --help` lists them", name);
}

static int execute(int argc, char **argv)
{
    if (argc < 2) {
        help(stderr);
        return DS_EXIT_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0 ||
        (strcmp(name, "help") == 0 && argc == 2)) {
        help(stdout);
        return DS_EXIT_FINE;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
        return version();
    if (strcmp(name, "help") == 0) {
        char flag[] = "-h";
        const struct ds_command *command = find_command(argv[2]);
        return command == NULL ? unknown_command(argv[2])
                               : ds_cmd_execute(command, 1, (char *[]){flag});
    }
    const struct ds_command *command = find_command(name);
    return command == NULL ? unknown_command(name) : ds_cmd_execute(command, argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    int code = execute(argc, argv);
    /* What could not be written was not said: a full disk behind a pipe or a redirection. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && code == DS_EXIT_FINE) {
        ds_cmd_usage("could not write to standard output");
        code = DS_EXIT_IO;
    }
    return code;
}
