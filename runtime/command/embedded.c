/*
 * embedded.c - the Lua files inside the binary
 *
 * The Makefile writes embedded_table.h, one row a file: MODULE(number, "path") or SCRIPT, the path
 * as in the source tree. The assembler copies the files in, and of a module also its compiled form,
 * which loads sooner; the text is for help, and for another Lua 5.4 that refuses that form. The
 * chunk of a module is named "=" and the module's name, wherever it was read from, so that errors
 * can tell wrun's own frames from a script's.
 */
#include "command/embedded.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bind/bind_check.h"
#include "bind/core.h"
#include "tensor/base.h"

/* the bytes of a file, and a zero after them */
#define EMBED(name, file)                                                                          \
    __asm__(".pushsection .rodata\n" #name ":\n .incbin \"" file "\"\n" #name                      \
            "_end:\n .byte 0\n .popsection\n");                                                    \
    extern const char name[], name##_end[];
#define SCRIPT(number, path) EMBED(embedded_##number, path)
#define MODULE(number, path)                                                                       \
    EMBED(embedded_##number, path) EMBED(embedded_chunk_##number, "chunks/" #number ".luac")
#include "embedded_table.h"
#undef SCRIPT
#undef MODULE

typedef struct {
    const char *path, *text, *end;
    const char *chunk, *chunk_end; /* NULL for a script */
} Embedded;

#define SCRIPT(number, path) {path, embedded_##number, embedded_##number##_end, NULL, NULL},
#define MODULE(number, path)                                                                       \
    {path, embedded_##number, embedded_##number##_end, embedded_chunk_##number,                    \
     embedded_chunk_##number##_end},
static const Embedded files[] = {
#include "embedded_table.h"
};
#undef SCRIPT
#undef MODULE

static const int FIRST_FILE_SEARCHER = 2; /* in package.searchers, after package.preload's */

static const Embedded *find(const char *path)
{
    for (size_t i = 0; i < COUNT_OF(files); i++)
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

/* The folder to read modules from instead, or NULL;
 * lua's option -E says to ignore the environment. */
static const char *override_folder(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, "LUA_NOENV");
    bool ignored = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return ignored ? NULL : getenv("WRUN_LUA");
}

typedef struct {
    FILE *file;
    char bytes[BUFSIZ];
} Source;

static const char *read_source(lua_State *L, void *context, size_t *size)
{
    (void)L;
    Source *source = context;
    *size = fread(source->bytes, 1, sizeof(source->bytes), source->file);
    return *size > 0 ? source->bytes : NULL;
}

/* Pushes the chunk of the file, or why not. */
static int load_file(lua_State *L, const char *path, const char *chunk_name)
{
    Source source = {.file = fopen(path, "r")};
    if (!source.file) {
        lua_pushfstring(L, "cannot open %s: %s", path, strerror(errno));
        return LUA_ERRFILE;
    }
    int status = lua_load(L, read_source, &source, chunk_name, "t");
    if (ferror(source.file)) {
        lua_pushfstring(L, "cannot read %s: %s", path, strerror(errno));
        status = LUA_ERRFILE;
    }
    fclose(source.file);
    return status;
}

static int load_embedded(lua_State *L, const Embedded *file, const char *chunk_name)
{
    const char *text = file->text;
    if (file->chunk != NULL) {
        size_t size = (size_t)(file->chunk_end - file->chunk);
        int status = luaL_loadbufferx(L, file->chunk, size, chunk_name, "b");
        if (status != LUA_ERRSYNTAX)
            return status;
        lua_pop(L, 1);
    }
    if (*text == '#') /* a first line for the shell; its end stays, so that lines count right */
        text += strcspn(text, "\n");
    return luaL_loadbufferx(L, text, (size_t)(file->end - text), chunk_name, "t");
}

/* The searcher: module -> its chunk and the path it came from,
 * or a message where it was looked for. */
static int search(lua_State *L)
{
    const char *module = bind_lua_string(L, 1, NULL);
    if (strcmp(module, "wrun") != 0 && strncmp(module, "wrun.", 5) != 0)
        return 0;
    const char *chunk_name = lua_pushfstring(L, "=%s", module);
    const char *folder = override_folder(L);
    const char *name = luaL_gsub(L, module, ".", "/");
    const char *path = lua_pushfstring(L, "%s/%s.lua", folder ? folder : "lua", name);
    const Embedded *file = folder ? NULL : find(path);
    if (folder ? access(path, F_OK) != 0 : !file) {
        lua_pushfstring(L, folder ? "no file '%s'" : "no file '%s' in wrun", path);
        return 1;
    }
    int status = file ? load_embedded(L, file, chunk_name) : load_file(L, path, chunk_name);
    if (status != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", module, path,
                          lua_tostring(L, -1));
    lua_pushstring(L, path);
    return 2;
}

/* ---- wrun.sources ---- */

/* names(): the modules inside the program, in the order of their paths */
static int sources_names(lua_State *L)
{
    lua_newtable(L);
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        if (strncmp(files[i].path, "lua/", 4) != 0)
            continue;
        lua_pushlstring(L, files[i].path + 4, strlen(files[i].path) - strlen("lua/.lua"));
        luaL_gsub(L, lua_tostring(L, -1), "/", ".");
        lua_rawseti(L, -3, luaL_len(L, -3) + 1);
        lua_pop(L, 1);
    }
    return 1;
}

/* text(module): the source that require would load; nil and its path where that is in a folder, nil
 * alone where there is none */
static int sources_text(lua_State *L)
{
    const char *name = luaL_gsub(L, bind_lua_string(L, 1, NULL), ".", "/");
    const char *folder = override_folder(L);
    const char *path = lua_pushfstring(L, "%s/%s.lua", folder ? folder : "lua", name);
    const Embedded *file = folder ? NULL : find(path);
    if (file) {
        lua_pushlstring(L, file->text, (size_t)(file->end - file->text));
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, folder ? path : NULL);
    return 2;
}

/* the script of this name, or NULL */
static const Embedded *find_script(const char *name)
{
    char path[256];
    for (int with_ending = 0; with_ending <= 1; with_ending++) {
        int length = snprintf(path, sizeof(path), "scripts/%s%s", name, with_ending ? ".lua" : "");
        const Embedded *file = length < (int)sizeof(path) ? find(path) : NULL;
        if (file)
            return file;
    }
    return NULL;
}

/* script(name): the source of a script inside the program, nil where there is none */
static int sources_script(lua_State *L)
{
    const Embedded *file = find_script(bind_lua_string(L, 1, NULL));
    if (file)
        lua_pushlstring(L, file->text, (size_t)(file->end - file->text));
    else
        lua_pushnil(L);
    return 1;
}

static int open_sources(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"names", sources_names},
        {"text", sources_text},
        {"script", sources_script},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    return 1;
}

void embedded_install(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    lua_pushcfunction(L, luaopen_wrun_core);
    lua_setfield(L, -2, "wrun.core");
    lua_pushcfunction(L, open_sources);
    lua_setfield(L, -2, "wrun.sources");
    lua_pop(L, 1);

    lua_getglobal(L, "package");
    lua_getfield(L, -1, "searchers");
    lua_rawgeti(L, -1, FIRST_FILE_SEARCHER);
    bool is_there = lua_tocfunction(L, -1) == search; /* since a start that memory ran out in */
    lua_pop(L, 1);
    for (lua_Integer i = luaL_len(L, -1); i >= FIRST_FILE_SEARCHER && !is_there; i--) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, -2, i + 1);
    }
    lua_pushcfunction(L, search);
    lua_rawseti(L, -2, FIRST_FILE_SEARCHER);
    lua_pop(L, 2);
}

bool embedded_has_script(const char *name)
{
    return find_script(name) != NULL;
}

/* the length of the first clause of a line: to its end, or a mark before a space */
static int clause(const char *text)
{
    int length = 0;
    while (text[length] != '\n' &&
           !(strchr(",:;.", text[length]) && strchr(" \n", text[length + 1])))
        length++;
    return length;
}

void embedded_print_scripts(FILE *stream)
{
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        if (files[i].chunk != NULL)
            continue;
        const char *name = strrchr(files[i].path, '/') + 1;
        const char *about = strstr(files[i].text, "--- ") + strlen("--- ");
        fprintf(stream, "  %-22s %.*s\n", name, clause(about), about);
    }
}

int embedded_load_script(lua_State *L, const char *name)
{
    const Embedded *file = find_script(name);
    int status = load_embedded(L, file, lua_pushfstring(L, "@%s", strrchr(file->path, '/') + 1));
    lua_remove(L, -2); /* the chunk's name */
    return status;
}

/* Installs what finds the library, and gives one of its modules after the library itself. */
static int open_module(lua_State *L, const char *name)
{
    embedded_install(L);
    lua_getglobal(L, "require");
    lua_pushvalue(L, -1);
    lua_pushliteral(L, "wrun");
    lua_call(L, 1, 0);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    return 1;
}

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int luaopen_wrun(lua_State *L)
{
    return open_module(L, "wrun");
}

/* the modules that a host may require before the library */
#define OPENER(name)                                                                               \
    int luaopen_wrun_##name(lua_State *L);                                                         \
    EXPORTED int luaopen_wrun_##name(lua_State *L)                                                 \
    {                                                                                              \
        return open_module(L, "wrun." #name);                                                      \
    }
OPENER(check)
OPENER(data)
OPENER(image)
OPENER(logbook)
OPENER(metrics)
OPENER(nn)
OPENER(optim)
OPENER(plot)
OPENER(progress)
OPENER(rbm)
OPENER(testing)
