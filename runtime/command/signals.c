/*
 * signals.c - lets a script end in its own time when it is told to; see signals.h
 */
#include "command/signals.h"

#include <lauxlib.h>
#include <signal.h>

#include "tensor/base.h"

static const struct {
    int number;
    const char *name;
} ends[] = {{SIGINT, "SIGINT"}, {SIGTERM, "SIGTERM"}, {SIGUSR1, "SIGUSR1"}};

static volatile sig_atomic_t caught;

static void on_end(int number)
{
    struct sigaction again = {.sa_handler = SIG_DFL};

    caught = number;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        sigaction(ends[i].number, &again, NULL);
}

typedef struct {
    bool is_open;
    struct sigaction before[COUNT_OF(ends)];
} Guard;

static int close_guard(lua_State *L)
{
    Guard *guard = lua_touserdata(L, 1);
    for (size_t i = 0; guard->is_open && i < COUNT_OF(ends); i++)
        sigaction(ends[i].number, &guard->before[i], NULL);
    guard->is_open = false;
    return 0;
}

static int catch (lua_State *L)
{
    struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_RESTART};
    Guard *guard = lua_newuserdatauv(L, sizeof(*guard), 0);

    guard->is_open = false;
    luaL_newmetatable(L, "wrun.signals");
    lua_pushcfunction(L, close_guard);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close_guard);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    caught = 0;
    guard->is_open = true;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        sigaction(ends[i].number, &action, &guard->before[i]);
    return 1;
}

static int get_caught(lua_State *L)
{
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        if (ends[i].number != caught)
            continue;
        lua_pushstring(L, ends[i].name);
        lua_pushinteger(L, caught);
        return 2;
    }
    lua_pushnil(L);
    return 1;
}

static int open_signals(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"catch", catch},
        {"caught", get_caught},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}

void signals_install(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, open_signals);
    lua_setfield(L, -2, "wrun.signals");
    lua_pop(L, 1);
}
