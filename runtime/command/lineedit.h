/*
 * lineedit.h - reads a line from the terminal
 *
 * With libedit: editing, completion of names by Tab, and a history kept in
 * $XDG_STATE_HOME/wrun/history
 * (~/.local/state/wrun/history).
 */
#ifndef LINEEDIT_H
#define LINEEDIT_H

#include <lua.h>
#include <stdbool.h>

/* Call once before reading; names are completed from the globals of L. */
void lineedit_start(lua_State *L);

/* The line without its end, to be freed; NULL at the end of the input, or *cancelled by Ctrl-C. */
char *lineedit_read(const char *prompt, bool *cancelled);

#endif
