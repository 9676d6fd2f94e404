/*
 * options.c - reads the command line
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command/embedded.h"
#include "command/options.h"
#include "tensor/pool.h"

static const char usage[] =
    "usage: wrun [options] [script [args]]\n"
    "\n"
    "Runs a Lua script, from a file or one of those inside wrun. Without a script: the terminal "
    "is an\ninteractive session, any other standard input is the script.\n"
    "\n"
    "  -e stat           run the statement 'stat'\n"
    "  -i                enter the interactive session after running the script\n"
    "  -l mod            require the library 'mod' into the global 'mod'\n"
    "  -l g=mod          require the library 'mod' into the global 'g'\n"
    "  -v                show the version\n"
    "  -E                ignore environment variables\n"
    "  -W                turn warnings on\n"
    "  --threads N       compute on N threads, 1 to %d (default: the processors there are)\n"
    "  --native          OpenBLAS's kernels for this processor: large matrices faster, other bits\n"
    "  --profile[=FILE]  show where the time went; write a trace to FILE (wrun-profile.json)\n"
    "  --help            show this text and stop\n"
    "  --version         show the versions of wrun and what it runs on, and stop\n"
    "  --                stop handling options\n"
    "  -                 stop handling options and run standard input\n"
    "\n"
    "Scripts inside wrun, each with --help:\n"
    "\n";

static const char environment[] =
    "\n"
    "Environment:\n"
    "\n"
    "  LUA_INIT       a statement, or @ and a file, to run first\n"
    "  LUA_PATH       where require looks for modules of Lua, LUA_CPATH for those of C\n"
    "  WRUN_DATA      the folder of data sets; else ~/.cache/wrun, or wrun in XDG_CACHE_HOME\n"
    "  WRUN_IMAGES    how image.show draws on the terminal: kitty, sixel or none\n"
    "  WRUN_LUA       a folder to read the library from, in place of the one inside wrun\n";

void options_print_usage(FILE *stream)
{
    fprintf(stream, usage, MAX_THREADS);
    embedded_print_scripts(stream);
    fputs(environment, stream);
}

static bool complain(const char *format, const char *option)
{
    fprintf(stderr, "%s: ", program_invocation_name);
    fprintf(stderr, format, option);
    fputc('\n', stderr);
    options_print_usage(stderr);
    return false;
}

const char *options_value(char **argv, int *i, size_t name_length)
{
    const char *rest = argv[*i] + name_length;
    if (*rest != '\0')
        return rest;
    if (!argv[*i + 1] || argv[*i + 1][0] == '-')
        return NULL;
    return argv[++*i];
}

static bool parse_threads(char **argv, int *i, int *threads)
{
    const char *value = options_value(argv, i, strlen("--threads"));
    if (!value)
        return complain("'%s' needs argument", "--threads");
    value += *value == '=';
    char *end;
    long number = strtol(value, &end, 10);
    if (end == value || *end != '\0' || number < 1 || number > MAX_THREADS) {
        fprintf(stderr, "%s: --threads: expected a whole number from 1 to %d, got '%s'\n",
                program_invocation_name, MAX_THREADS, value);
        return false;
    }
    *threads = (int)number;
    return true;
}

static bool parse_long(char **argv, int *i, Options *o)
{
    const char *option = argv[*i];
    if (strcmp(option, "--help") == 0)
        return o->show_help = true;
    if (strcmp(option, "--version") == 0)
        return o->show_all_versions = true;
    if (strcmp(option, "--native") == 0)
        return o->native = true;
    if (strcmp(option, "--threads") == 0 || strncmp(option, "--threads=", 10) == 0)
        return parse_threads(argv, i, &o->threads);
    if (strcmp(option, "--profile") == 0)
        return (o->profile = "wrun-profile.json") != NULL;
    if (strncmp(option, "--profile=", 10) == 0 && option[10] != '\0')
        return (o->profile = option + 10) != NULL;
    return complain("unrecognized option '%s'", option);
}

bool options_parse(int argc, char **argv, Options *o)
{
    int i;
    for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
        const char *option = argv[i];
        if (strcmp(option, "--") == 0) {
            i++;
            break;
        }
        if (option[1] == '-') {
            if (!parse_long(argv, &i, o))
                return false;
        } else if (strchr("el", option[1])) {
            if (!options_value(argv, &i, 2))
                return complain("'%s' needs argument", option);
            o->has_statement |= option[1] == 'e';
        } else if (strchr("ivEW", option[1]) && option[2] == '\0') {
            o->interactive |= option[1] == 'i';
            o->show_version |= option[1] == 'i' || option[1] == 'v';
            o->ignore_environment |= option[1] == 'E';
        } else {
            return complain("unrecognized option '%s'", option);
        }
    }
    o->script = i;
    return true;
}
