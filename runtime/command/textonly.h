/*
 * textonly.h - refuses precompiled Lua
 *
 * Lua does not verify bytecode: a damaged or hostile chunk crashes the process. So code is text,
 * whichever way it is loaded.
 */
#ifndef TEXTONLY_H
#define TEXTONLY_H

#include <lua.h>

/*
 * Replaces load, loadfile, dofile and the searcher that require finds Lua files with. A binary
 * chunk is refused with Lua's own message, "attempt to load a binary chunk (mode is 't')".
 */
void textonly_install(lua_State *L);

#endif
