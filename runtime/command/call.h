/*
 * call.h - runs Lua code as a command does
 *
 * An error becomes a message with a traceback, and Ctrl-C an error.
 */
#ifndef CALL_H
#define CALL_H

#include <lua.h>
#include <stdbool.h>

/* Lets Ctrl-C reach coroutines and what a command stands still for, by replacing coroutine.resume,
 * wrap and close, and os.execute. */
void call_install(lua_State *L);

/*
 * Calls the function that lies below its arguments. LUA_OK leaves its results on the stack, any
 * other status a message in their place.
 */
int call_function(lua_State *L, int arguments, int results);

/* the signal that ended a call, SIGINT for Ctrl-C; 0 if none has */
int call_signal(lua_State *L);

/*
 * Did the call, or the loading of a chunk, succeed? If not, its message is taken off the stack and
 * printed on standard error, escaped, after `who` and a colon unless that is NULL.
 */
bool call_report(lua_State *L, int status, const char *who);

#endif
