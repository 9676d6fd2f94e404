/*
 * options.h - reads the command line
 *
 * Lua's rules: options end at the script's name, short ones are not combined, and a value may stand
 * in the same argument ("-lmod") or the next one.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* What holds for the whole run; -e, -l and -W are carried out later, in their order. */
typedef struct {
    int script; /* its index in argv, or argc */
    bool interactive, show_version, ignore_environment, has_statement;
    bool show_help, show_all_versions, native;
    int threads;         /* 0: not given */
    const char *profile; /* the path of its trace; NULL: none is wanted */
} Options;

void options_print_usage(FILE *stream);

/* Fills *o from zeros; false, after a message on standard error, when an option is wrong. */
bool options_parse(int argc, char **argv, Options *o);

/*
 * The value of the option at argv[*i]: what follows the name_length characters of its name, or else
 * the next argument, to which *i moves. NULL when that is missing or an option itself.
 */
const char *options_value(char **argv, int *i, size_t name_length);

#endif
