/*
 * main.c - the wrun command
 *
 * Behaves as the stand-alone Lua interpreter does, option for option, and passes its test suite.
 * What differs on purpose:
 *   - --help, --version, --threads and --profile, and usage and version that speak of wrun;
 *   - a user's code is text, never bytecode, for load, loadfile, dofile and require too;
 *   - output that could not be written is an error, also where a file's size is limited, and so is a
 *     failing script on standard input;
 *   - wrun's modules and scripts are found inside the program; a script's file goes first;
 *   - a script finds the modules that lie beside it, from any folder;
 *   - messages show control characters, and what is no UTF-8, as "\x1b";
 *   - loadfile and dofile refuse a name with a zero byte, which would cut it;
 *   - tensors set the collector's pace;
 *   - Ctrl-C ends with status 130, and says which file wrun.save wrote last;
 *   - the session loads the library, has its own editor and history, traces back a failing print.
 * The library is loaded when a script requires it.
 */
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind/bind.h"
#include "bind/bind_profile.h"
#include "bind/core.h"
#include "command/allocator.h"
#include "command/call.h"
#include "command/embedded.h"
#include "command/options.h"
#include "command/repl.h"
#include "command/signals.h"
#include "command/textonly.h"
#include "kernels/elementwise.h"
#include "kernels/linalg.h"
#include "kernels/portable.h"
#include "tensor/base.h"
#include "tensor/pool.h"

static const char banner[] = VERSION " on " LUA_COPYRIGHT;

typedef struct {
    int argc;
    char **argv;
    Options options;
} Command;

static void print_versions(const Options *o)
{
    char blas[128];
    linalg_describe(blas, sizeof(blas));
    printf(VERSION "\n" LUA_RELEASE "\n%s\n", blas);
    printf("vector path: %s\n", elementwise_vector_path());
    Reason reason = portable_reason();
    printf(reason ? "bits: of this processor: %s\n" : "bits: of every x86-64-v3 processor\n",
           reason);
    printf("threads: %d\n", o->threads ? o->threads : pool_default_threads());
}

/* arg[0] is the script, what came before it has negative indices, its arguments count from 1. */
static void set_arg(lua_State *L, const Command *command)
{
    int script = command->options.script;
    if (script == command->argc)
        script = 0;
    lua_createtable(L, command->argc - script, script);
    for (int i = 0; i < command->argc; i++) {
        lua_pushstring(L, command->argv[i]);
        lua_rawseti(L, -2, i - script);
    }
    lua_setglobal(L, "arg");
}

/* Runs the chunk that a load function pushed. */
static bool run_chunk(lua_State *L, int status)
{
    if (status == LUA_OK)
        status = call_function(L, 0, 0);
    return call_report(L, status, program_invocation_name);
}

static bool run_statement(lua_State *L, const char *text, const char *chunk_name)
{
    return run_chunk(L, luaL_loadbufferx(L, text, strlen(text), chunk_name, "t"));
}

/* LUA_INIT holds a statement, or "@" and a file's name; a variable for this version goes first. */
static bool run_init(lua_State *L)
{
    const char *chunk_name = "=LUA_INIT_5_4";
    const char *init = getenv(chunk_name + 1);
    if (!init) {
        chunk_name = "=LUA_INIT";
        init = getenv(chunk_name + 1);
    }
    if (!init)
        return true;
    if (init[0] == '@')
        return run_chunk(L, luaL_loadfilex(L, init + 1, "t"));
    return run_statement(L, init, chunk_name);
}

/* "mod" or "global=mod" */
static bool require_library(lua_State *L, const char *text)
{
    const char *equals = strchr(text, '=');
    const char *module = equals ? equals + 1 : text;
    size_t global_length = equals ? (size_t)(equals - text) : strlen(text);
    const char *global = lua_pushlstring(L, text, global_length);
    lua_getglobal(L, "require");
    lua_pushstring(L, module);
    if (!call_report(L, call_function(L, 1, 1), program_invocation_name))
        return false;
    lua_setglobal(L, global);
    lua_pop(L, 1); /* the name */
    return true;
}

/* Carries out -e, -l and -W in their order. */
static bool run_options(lua_State *L, const Command *command)
{
    char **argv = command->argv;
    for (int i = 1; i < command->options.script; i++) {
        bool ok = true;
        if (argv[i][1] == 'e')
            ok = run_statement(L, options_value(argv, &i, 2), "=(command line)");
        else if (argv[i][1] == 'l')
            ok = require_library(L, options_value(argv, &i, 2));
        else if (argv[i][1] == 'W')
            lua_warning(L, "@on", 0);
        else if (strcmp(argv[i], "--threads") == 0)
            i++;
        if (!ok)
            return false;
    }
    return true;
}

/* Is there something of this name to read, which a folder is not? */
static bool is_there(const char *name)
{
    struct stat status;
    return stat(name, &status) == 0 && !S_ISDIR(status.st_mode);
}

/* A file goes before a script inside wrun, and only a bare name can mean the latter. */
static int load_script(lua_State *L, char **argv)
{
    const char *name = argv[0];
    if (strcmp(name, "-") == 0 && strcmp(argv[-1], "--") != 0)
        return luaL_loadfilex(L, NULL, "t");
    if (!strchr(name, '/') && !is_there(name) && embedded_has_script(name))
        return embedded_load_script(L, name);
    return luaL_loadfilex(L, name, "t");
}

/* Lets require look beside the script first, where another folder is the current one. */
static void add_folder(lua_State *L, const char *script)
{
    const char *slash = strrchr(script, '/');
    int top = lua_gettop(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    bool has_path =
        lua_getfield(L, -1, "package") == LUA_TTABLE && lua_getfield(L, -1, "path") == LUA_TSTRING;
    if (slash && has_path) {
        lua_pushlstring(L, script, (size_t)(slash - script));
        if (!strpbrk(lua_tostring(L, -1), LUA_PATH_SEP LUA_PATH_MARK)) {
            lua_pushfstring(L, "%s/" LUA_PATH_MARK ".lua" LUA_PATH_SEP "%s", lua_tostring(L, -1),
                            lua_tostring(L, -2));
            lua_setfield(L, top + 2, "path");
        }
    }
    lua_settop(L, top);
}

/* Pushes arg[1], arg[2], ...; they may have been changed by now. */
static int push_arguments(lua_State *L)
{
    if (lua_getglobal(L, "arg") != LUA_TTABLE)
        luaL_error(L, "'arg' is not a table");
    int table = lua_gettop(L);
    int count = (int)luaL_len(L, table);
    luaL_checkstack(L, count + 3, "too many arguments to script");
    for (int i = 1; i <= count; i++)
        lua_rawgeti(L, table, i);
    lua_remove(L, table);
    return count;
}

static bool run_script(lua_State *L, char **argv)
{
    int status = load_script(L, argv);
    add_folder(L, argv[0]);
    if (status == LUA_OK)
        status = call_function(L, push_arguments(L), 0);
    return call_report(L, status, program_invocation_name);
}

/* Prints what wrun.profile has to say; false where the trace could not be written. */
static bool finish_profile(lua_State *L, const char *path)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "wrun.profile");
    if (!call_report(L, call_function(L, 1, 1), program_invocation_name))
        return false;
    lua_getfield(L, -1, "finish");
    lua_pushstring(L, path);
    if (!call_report(L, call_function(L, 1, 2), program_invocation_name))
        return false;
    bool ok = !lua_isnil(L, -2);
    fprintf(stderr, "%s%s", lua_tostring(L, ok ? -2 : -1), ok ? "" : "\n");
    lua_pop(L, 3);
    return ok;
}

/* os.exit, which is upvalue 1, after the profile whose path is upvalue 2 */
static int exit_profiled(lua_State *L)
{
    finish_profile(L, lua_tostring(L, lua_upvalueindex(2)));
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 0);
    return 0;
}

static void begin_profile(lua_State *L, const char *path)
{
    lua_pushboolean(L, true);
    lua_setfield(L, LUA_REGISTRYINDEX, BIND_PROFILE_KEY);
    lua_getglobal(L, "os");
    lua_getfield(L, -1, "exit");
    lua_pushstring(L, path);
    lua_pushcclosure(L, exit_profiled, 2);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
}

/* Opens the libraries, and nothing of wrun itself. */
static void open_libraries(lua_State *L, const Command *command)
{
    if (command->options.ignore_environment) {
        lua_pushboolean(L, true);
        lua_setfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    }
    if (command->options.threads) {
        lua_pushinteger(L, command->options.threads);
        lua_setfield(L, LUA_REGISTRYINDEX, "wrun.threads");
    }
    lua_pushboolean(L, true);
    lua_setfield(L, LUA_REGISTRYINDEX, BIND_ASKING_KEY);
    lua_gc(L, LUA_GCGEN, 100, 100); /* as lua, but a small heap is not walked so often */
    luaL_openlibs(L);
    textonly_install(L);
    embedded_install(L);
    call_install(L);
    if (command->options.profile)
        begin_profile(L, command->options.profile);
    signals_install(L);
    set_arg(L, command);
}

/* What Ctrl-C has not taken. */
static void report_saved(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "wrun.save") != LUA_TTABLE ||
        lua_getfield(L, -1, "last_path") != LUA_TSTRING)
        return;
    bind_escape(L);
    fprintf(stderr, "%s: %s was saved; wrun.load(\"%s\") reads it, to go on from there\n",
            program_invocation_name, lua_tostring(L, -1), lua_tostring(L, -1));
}

enum { EXIT_SIGNAL = 128 }; /* and the signal, as a shell says what ended a command */

/* The whole run, protected; returns the exit status. */
static int run(lua_State *L)
{
    const Command *command = lua_touserdata(L, 1);
    const Options *o = &command->options;
    bool has_script = o->script < command->argc;
    if (o->show_version)
        puts(banner);
    open_libraries(L, command);
    bool ok = (o->ignore_environment || run_init(L)) && run_options(L, command) &&
              (!has_script || run_script(L, command->argv + o->script));
    if (ok && o->interactive) {
        repl_run(L);
    } else if (ok && !has_script && !o->has_statement && !o->show_version) {
        if (isatty(STDIN_FILENO)) {
            puts(banner);
            repl_run(L);
        } else {
            ok = run_chunk(L, luaL_loadfilex(L, NULL, "t"));
        }
    }
    if (o->profile)
        ok = finish_profile(L, o->profile) && ok;
    int signal = ok ? 0 : call_signal(L);
    if (signal != 0)
        report_saved(L);
    lua_pushinteger(L, ok ? EXIT_SUCCESS : signal != 0 ? EXIT_SIGNAL + signal : EXIT_FAILURE);
    return 1;
}

static bool is_write_error(int number)
{
    return number == ENOSPC || number == EDQUOT || number == EFBIG || number == EIO;
}

/* Runs at every exit, that of os.exit too: what could not be written must not look like success. */
static void close_output(void)
{
    bool is_lost = ferror(stdout);
    int reason = is_lost && is_write_error(errno) ? errno : 0; /* if nothing has failed since */
    if (fflush(stdout) != 0) {
        is_lost = true;
        reason = errno;
    }
    if (fclose(stdout) != 0 && errno != EBADF) { /* EBADF: closed from the start, and not needed */
        is_lost = true;
        reason = errno;
    }
    if (is_lost) {
        fprintf(stderr, "%s: cannot write standard output%s%s\n", program_invocation_name,
                reason ? ": " : "", reason ? strerror(reason) : "");
        _exit(EXIT_FAILURE);
    }
}

/* A write over the limit of a file's size is an error then, and not the end. */
static void ignore_limit(int number)
{
    (void)number;
}

int main(int argc, char **argv)
{
    atexit(close_output);
    signal(SIGXFSZ,
           ignore_limit); /* not SIG_IGN, which programs that a script starts would inherit */
    Command command = {.argc = argc, .argv = argv};
    if (!options_parse(argc, argv, &command.options))
        return EXIT_FAILURE;
    if (command.options.show_help) {
        options_print_usage(stdout);
        return EXIT_SUCCESS;
    }
    if (command.options.native)
        portable_forgo();
    if (command.options.show_all_versions) {
        print_versions(&command.options);
        return EXIT_SUCCESS;
    }

    Allocator allocator = {0};
    lua_State *L = luaL_newstate(); /* with malloc, as is all that the allocator calls small */
    if (!L) {
        fprintf(stderr, "%s: cannot create state: not enough memory\n", program_invocation_name);
        return EXIT_FAILURE;
    }
    lua_setallocf(L, allocator_resize, &allocator);

    lua_pushcfunction(L, run);
    lua_pushlightuserdata(L, &command);
    int status = lua_pcall(L, 1, 1, 0);
    int result = status == LUA_OK ? (int)lua_tointeger(L, -1) : EXIT_FAILURE;
    call_report(L, status, program_invocation_name);
    allocator.ending = true;
    lua_close(L);
    if (!ALLOCATOR_KEEPS_SMALL)
        allocator_release(&allocator);
    return result;
}
