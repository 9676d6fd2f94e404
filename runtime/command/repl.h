/*
 * repl.h - the interactive mode
 */
#ifndef REPL_H
#define REPL_H

#include <lua.h>

/*
 * Reads, evaluates and prints until the input ends. On a terminal with line editing, a history kept
 * in $XDG_STATE_HOME/wrun/history, and completion; from a pipe line by line. lua/wrun/session.lua
 * says which globals are there, how results print and what words are completed to.
 */
void repl_run(lua_State *L);

#endif
