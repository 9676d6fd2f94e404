/*
 * signals.h - lets a script end in its own time when it is told to
 *
 * The module wrun.signals: catch() returns a guard, until whose closing the first SIGINT, SIGTERM or
 * SIGUSR1 is only remembered; the next one ends the program. caught() returns the name of the one
 * that came and its number, or nil.
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <lua.h>

void signals_install(lua_State *L);

#endif
