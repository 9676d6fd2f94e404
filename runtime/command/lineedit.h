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

/* Call once before reading; wrun.session completes words, once it is loaded. */
void lineedit_start(lua_State *L);

/*
 * The line without its end, to be freed; NULL at the end of the input, or *cancelled by Ctrl-C.
 * `lines` has those of the statement that were read before it, each with its end.
 */
char *lineedit_read(const char *prompt, const char *lines, bool *cancelled);

/* Keeps a statement, of one line or more, and at once: the session may end at any time. */
void lineedit_remember(const char *statement);

#endif
