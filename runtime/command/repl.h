/*
 * repl.h - the interactive mode
 */
#ifndef REPL_H
#define REPL_H

#include <lua.h>

/*
 * Reads, evaluates and prints until the input ends. On a terminal with line editing, a history kept
 * in $XDG_STATE_HOME/wrun/history, and completion; from a pipe line by line. The library is there
 * as the global `wrun`.
 */
void repl_run(lua_State *L);

#endif
