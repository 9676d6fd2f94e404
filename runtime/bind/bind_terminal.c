/*
 * bind_terminal.c - what progress bars and pictures ask: the terminal and the time
 */
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "bind/bind_check.h"
#include "bind/open.h"

/* is_terminal(file) -> whether it is an open terminal, and its width in columns where known; without
 * a file that of standard output is meant */
static int core_is_terminal(lua_State *L)
{
    struct winsize size;
    int descriptor = STDOUT_FILENO;

    if (!lua_isnone(L, 1)) {
        if (luaL_testudata(L, 1, LUA_FILEHANDLE) == NULL)
            bind_fail_argument(L, "is_terminal", 1, "a file");
        const luaL_Stream *stream = lua_touserdata(L, 1);
        descriptor = stream->closef != NULL ? fileno(stream->f) : -1;
    }
    bool is_terminal = descriptor >= 0 && isatty(descriptor);
    lua_pushboolean(L, is_terminal);
    if (!is_terminal || ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 1;
    lua_pushinteger(L, size.ws_col);
    return 2;
}

/* clock() -> seconds since some fixed moment; os.clock counts processor time instead */
static int core_clock(lua_State *L)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    return 1;
}

static const luaL_Reg terminal_functions[] = {
    {"is_terminal", core_is_terminal},
    {"clock", core_clock},
    {NULL, NULL},
};

void bind_open_terminal(lua_State *L)
{
    bind_register(L, terminal_functions);
}
