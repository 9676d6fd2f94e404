/*
 * core.h - the core module, `wrun.core` in Lua
 */
#ifndef CORE_H
#define CORE_H

#include <lua.h>
#include <stdbool.h>

int luaopen_wrun_core(lua_State *L);

/* where the registry keeps the Runtime */
#define BIND_RUNTIME_KEY "wrun.runtime"

/* true in the registry, before the core is opened, of a program whose interrupts ask
 * bind_may_interrupt */
#define BIND_ASKING_KEY "wrun.asking"

/* the number of this process among those that mpirun started, -1 where it stands alone; never
 * raises */
int bind_rank(lua_State *L);

/* May a hook raise an error? Not once, at the instruction that marks a guard to be closed, nor in
 * what undoes a change. */
bool bind_may_interrupt(lua_State *L);

#endif
