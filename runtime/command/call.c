/*
 * call.c - runs Lua code as a command does
 *
 * SIGINT sets the interrupt flag, at which kernels raise the error, and a debug hook, which raises
 * it at the next instruction; not at a call or a return, which would be in C functions too, that
 * undo a switch. A hook belongs to one coroutine and must go to the one that runs, which Lua does
 * not tell; so resume, wrap and close are replaced by functions that do the same and keep `running`
 * up to date. It is a global because a signal handler is given nothing else, and it never points to
 * a coroutine that could have been collected.
 *
 * Where Lua calls no hook, in a finaliser, and in a C function that takes its time, as a pattern
 * match does, only the second SIGINT helps, which kills.
 */
#include "command/call.h"

#include <lauxlib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bind/bind.h"
#include "bind/core.h"
#include "tensor/interrupt.h"

static lua_State *volatile running;

static void raise_interrupted(lua_State *L, lua_Debug *ar)
{
    (void)ar;
    if (interrupt_wanted() && !bind_may_interrupt(L))
        return;
    lua_sethook(L, NULL, 0, 0);
    if (!interrupt_wanted()) /* it was raised elsewhere */
        return;
    interrupt_set(false);
    bind_interrupted(L);
}

static void on_interrupt(int signal)
{
    (void)signal;
    interrupt_set(true);
    lua_sethook(running, raise_interrupted, LUA_MASKCOUNT, 1);
}

/* L runs from here on; a hook that another one was given is its own. */
static void set_running(lua_State *L)
{
    running = L;
    if (interrupt_wanted())
        lua_sethook(L, raise_interrupted, LUA_MASKCOUNT, 1);
}

/*
 * Runs the coroutine with the values on top of L as its arguments, until it yields or ends. L gets
 * its results, or the error object; false says that it is the latter.
 */
static bool run_coroutine(lua_State *L, lua_State *coroutine, int arguments, int *results)
{
    if (!lua_checkstack(coroutine, arguments)) {
        lua_pushliteral(L, "too many arguments to resume");
        return false;
    }
    lua_xmove(L, coroutine, arguments);
    set_running(coroutine);
    int status = lua_resume(coroutine, L, arguments, results);
    set_running(L);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(coroutine, L, 1);
        return false;
    }
    if (!lua_checkstack(L, *results + 1)) {
        lua_pop(coroutine, *results);
        lua_pushliteral(L, "too many results to resume");
        return false;
    }
    lua_xmove(coroutine, L, *results);
    return true;
}

/* coroutine.resume(co, ...) -> true, results or false, error */
static int resume(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTHREAD);
    lua_State *coroutine = lua_tothread(L, 1);
    int results;
    bool succeeded = run_coroutine(L, coroutine, lua_gettop(L) - 1, &results);
    if (!succeeded)
        results = 1;
    lua_pushboolean(L, succeeded);
    lua_insert(L, -1 - results);
    return 1 + results;
}

/* closes the variables of a coroutine that does not run */
static int reset(lua_State *L, lua_State *coroutine)
{
    set_running(coroutine);
    int status = lua_resetthread(coroutine);
    set_running(L);
    return status;
}

/* what coroutine.wrap returns: resumes upvalue 1;
 * an error goes on, with the caller's line before it */
static int resume_wrapped(lua_State *L)
{
    lua_State *coroutine = lua_tothread(L, lua_upvalueindex(1));
    int results;
    if (run_coroutine(L, coroutine, lua_gettop(L), &results))
        return results;
    int status = lua_status(coroutine);
    if (status != LUA_OK && status != LUA_YIELD) {
        status = reset(L, coroutine); /* closes its variables, which may fail anew */
        lua_xmove(coroutine, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/* coroutine.wrap(f) */
static int wrap(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *coroutine = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, coroutine, 1);
    lua_pushcclosure(L, resume_wrapped, 1);
    return 1;
}

/* coroutine.close(co) -> true, or false and an error; upvalue 1, Lua's own, refuses */
static int close_coroutine(lua_State *L)
{
    lua_State *coroutine = lua_tothread(L, 1);
    lua_Debug frame;
    if (!coroutine || coroutine == L ||
        (lua_status(coroutine) == LUA_OK && lua_getstack(coroutine, 0, &frame))) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_insert(L, 1);
        lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
        return lua_gettop(L);
    }
    bool succeeded = reset(L, coroutine) == LUA_OK;
    lua_pushboolean(L, succeeded);
    if (!succeeded)
        lua_xmove(coroutine, L, 1);
    return succeeded ? 1 : 2;
}

/* os.execute(...), which leaves SIGINT to the command that it runs: one that died of it was not all
 * that was meant. Upvalue 1 is Lua's own. */
static int execute(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    int count = lua_gettop(L);
    if (count == 3 && strcmp(lua_tostring(L, 2), "signal") == 0 && lua_tointeger(L, 3) == SIGINT)
        bind_interrupted(L);
    return count;
}

/* the function of the table on top, with the one it replaces as upvalue 1 */
static void replace(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

void call_install(lua_State *L)
{
    lua_getglobal(L, "coroutine");
    lua_pushcfunction(L, resume);
    lua_setfield(L, -2, "resume");
    lua_pushcfunction(L, wrap);
    lua_setfield(L, -2, "wrap");
    replace(L, "close", close_coroutine);
    lua_getglobal(L, "os");
    replace(L, "execute", execute);
    lua_pop(L, 2);
}

/* more levels than any script calls; looking at one costs as much as it is deep */
enum { DEEPEST = 200 };

/*
 * Puts the traceback after the message on top, without wrun's own functions, unless WRUN_TRACE asks
 * for them. Each line is what luaL_traceback says of its level.
 */
static void append_traceback(lua_State *L, const char *message)
{
    lua_Debug frame;
    bool is_own[DEEPEST] = {false}, hides = false;
    int levels = 1;
    lua_getfield(L, LUA_REGISTRYINDEX, BIND_RUNTIME_KEY);
    int runtime = lua_gettop(L);
    for (; levels < DEEPEST && lua_getstack(L, levels, &frame); levels++) {
        lua_getinfo(L, "S", &frame);
        is_own[levels] = bind_is_own(L, &frame, runtime);
        hides |= is_own[levels];
    }
    const char *wanted = getenv("WRUN_TRACE");
    if (!hides || levels == DEEPEST || (wanted && strcmp(wanted, "1") == 0)) {
        luaL_traceback(L, L, message, 1);
        return;
    }
    lua_pushfstring(L, "%s\nstack traceback:", message);
    for (int level = 1; level < levels; level++) {
        if (is_own[level])
            continue;
        luaL_traceback(L, L, NULL, level);
        const char *line = strchr(lua_tostring(L, -1), '\n'), *end = strchr(line + 1, '\n');
        if (end && strncmp(end, "\n\t(...tail", 10) == 0)
            end = strchr(end + 1, '\n');
        lua_pushlstring(L, line, end ? (size_t)(end - line) : strlen(line));
        lua_remove(L, -2);
        lua_concat(L, 2);
    }
}

static const char interrupted[] = "wrun.interrupted"; /* in the registry, the signal */

int call_signal(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, interrupted);
    int signal = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return signal;
}

/* The message handler: error object -> message with the traceback, made while the stack still
 * stands. An object with a field `signal` says that a script ended for that. */
static int add_traceback(lua_State *L)
{
    const char *message = lua_tostring(L, 1);
    if (!message) {
        if (lua_istable(L, 1) && lua_getfield(L, 1, "signal") == LUA_TNUMBER)
            lua_setfield(L, LUA_REGISTRYINDEX, interrupted);
        lua_settop(L, 1);
        if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
            return 1;
        message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    }
    static const char ending[] = "interrupted!";
    size_t length = strlen(message), tail = sizeof ending - 1;
    if (length >= tail && strcmp(message + length - tail, ending) == 0) {
        lua_pushinteger(L, SIGINT);
        lua_setfield(L, LUA_REGISTRYINDEX, interrupted);
    }
    if (lua_checkstack(L, LUA_MINSTACK)) /* luaL_traceback does not ask for what it uses */
        append_traceback(L, message);
    return 1;
}

/* Writes the rank to `text`, if the process is one of several. What all ranks refuse is to be said
 * once: rank 0 says it, which ends all, so the others wait a while before they do. */
static const char *name_rank(lua_State *L, char *text, size_t size)
{
    static const struct timespec a_while = {.tv_nsec = 500000000};
    int rank = bind_rank(L);
    text[0] = '\0';
    if (rank >= 0)
        snprintf(text, size, "rank %d: ", rank);
    if (rank > 0)
        nanosleep(&a_while, NULL);
    return text;
}

bool call_report(lua_State *L, int status, const char *who)
{
    char rank[32];
    if (status == LUA_OK)
        return true;
    if (lua_isstring(L, -1))
        bind_escape(L); /* it may quote a file, or its name */
    const char *message = lua_tostring(L, -1);
    fprintf(stderr, "%s%s%s%s\n", who ? who : "", who ? ": " : "", name_rank(L, rank, sizeof rank),
            message ? message : "(error object is not a string)");
    lua_pop(L, 1);
    return false;
}

int call_function(lua_State *L, int arguments, int results)
{
    int base = lua_gettop(L) - arguments;
    lua_pushcfunction(L, add_traceback);
    lua_insert(L, base);

    struct sigaction catch = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND}, before;
    sigemptyset(&catch.sa_mask);
    lua_State *outer = running;
    running = L;
    sigaction(SIGINT, &catch, &before); /* once: a second Ctrl-C kills */
    int status = lua_pcall(L, arguments, results, base);
    sigaction(SIGINT, &before, NULL);
    interrupt_set(false); /* it came too late */
    running = outer;

    lua_remove(L, base);
    return status;
}
