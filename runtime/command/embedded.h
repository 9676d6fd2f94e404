/*
 * embedded.h - the Lua files inside the binary
 *
 * All of lua/ and the scripts of scripts/ are part of the program, so that wrun is one file to
 * copy.
 */
#ifndef EMBEDDED_H
#define EMBEDDED_H

#include <lua.h>
#include <stdbool.h>
#include <stdio.h>

/*
 * Teaches require to find "wrun" and "wrun.*": in the binary or, when the environment variable
 * WRUN_LUA names a folder, there. Registers the core as "wrun.core", and as "wrun.sources" the
 * texts of those modules, for the reference. Nothing is loaded yet.
 */
void embedded_install(lua_State *L);

/* Is there a script of this name, given with or without ".lua"? */
bool embedded_has_script(const char *name);

/* Writes the scripts, a line each: the name, and how the text begins. */
void embedded_print_scripts(FILE *stream);

/* Pushes that script's chunk; any status but LUA_OK leaves a message instead. */
int embedded_load_script(lua_State *L, const char *name);

/* The entry point of wrun.so, for a stock Lua: require "wrun". */
int luaopen_wrun(lua_State *L);

#endif
