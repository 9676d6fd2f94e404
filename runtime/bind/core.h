/*
 * core.h - the core module, `wrun.core` in Lua
 */
#ifndef CORE_H
#define CORE_H

#include <lua.h>

int luaopen_wrun_core(lua_State *L);

#endif
