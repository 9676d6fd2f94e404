/*
 * textonly.c - refuses precompiled Lua
 *
 * load and loadfile stay Lua's own behind a check of their mode; dofile and the searcher have no
 * mode to set and are written anew.
 */
#include "command/textonly.h"

#include <lauxlib.h>
#include <string.h>

#include "bind/bind_check.h"

static const int LUA_FILE_SEARCHER = 2; /* in package.searchers */

/* Calls the original, upvalue 1, with this function's arguments, without 'b' in the mode. */
static int call_with_text_mode(lua_State *L, int index)
{
    if (lua_gettop(L) < index)
        lua_settop(L, index);
    const char *mode = bind_lua_string(L, index, "t");
    lua_pushstring(L, strchr(mode, 't') ? "t" : "");
    lua_replace(L, index);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* load(chunk [, name [, mode [, env]]]) */
static int load_text(lua_State *L)
{
    if (!lua_isstring(L, 1))
        luaL_checktype(L, 1, LUA_TFUNCTION);
    if (!lua_isnoneornil(L, 2) && !lua_isstring(L, 2))
        luaL_typeerror(L, 2, "string");
    return call_with_text_mode(L, 3);
}

/* loadfile([name [, mode [, env]]]) */
static int loadfile_text(lua_State *L)
{
    if (lua_gettop(L) > 0)
        bind_lua_string(L, 1, NULL);
    return call_with_text_mode(L, 2);
}

static int finish_dofile(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return lua_gettop(L) - 1;
}

/* dofile([name]) */
static int dofile_text(lua_State *L)
{
    lua_settop(L, 1);
    const char *name = bind_lua_string(L, 1, NULL);
    if (luaL_loadfilex(L, name, "t") != LUA_OK)
        return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 0, finish_dofile); /* the file may yield */
    return finish_dofile(L, LUA_OK, 0);
}

/* The searcher for files on package.path; upvalue: package.
 * Returns the loader and the file's name. */
static int search_text(lua_State *L)
{
    const char *module = bind_lua_string(L, 1, NULL);
    lua_getfield(L, lua_upvalueindex(1), "searchpath");
    lua_pushvalue(L, 1);
    if (lua_getfield(L, lua_upvalueindex(1), "path") != LUA_TSTRING)
        return luaL_error(L, "'package.path' must be a string");
    lua_call(L, 2, 2);
    const char *file = lua_tostring(L, -2);
    if (!file)
        return 1; /* where it was looked for */
    lua_pop(L, 1);
    if (luaL_loadfilex(L, file, "t") != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", module, file,
                          lua_tostring(L, -1));
    lua_insert(L, -2);
    return 2;
}

void textonly_install(lua_State *L)
{
    lua_getglobal(L, "load");
    lua_pushcclosure(L, load_text, 1);
    lua_setglobal(L, "load");
    lua_getglobal(L, "loadfile");
    lua_pushcclosure(L, loadfile_text, 1);
    lua_setglobal(L, "loadfile");
    lua_register(L, "dofile", dofile_text);

    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, search_text, 1);
    lua_rawseti(L, -2, LUA_FILE_SEARCHER);
    lua_pop(L, 2);
}
