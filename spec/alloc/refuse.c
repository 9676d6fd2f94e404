/*
 * refuse.c - refuses requests of memory as a specification says; for spec/alloc.lua
 *
 * A Lua module that stands before the allocator of its state and, where it is preloaded, before
 * malloc, as jansson and others call it. What both see is counted once. Preloaded with REFUSE=N, it
 * refuses the requests N and N + 1 of the whole process.
 */
#include <dlfcn.h>
#include <errno.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#pragma GCC visibility push(default)
int luaopen_refuse(lua_State *L);
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);

static struct {
    uint64_t requests;    /* since the last start */
    uint64_t first, last; /* those to refuse, counted from 1 */
    bool is_lua;          /* Lua's allocator is at work, and has been counted */
    lua_Alloc allocate;
    void *data;
} state = {.allocate = NULL};

static bool is_refused(void)
{
    state.requests++;
    return state.requests >= state.first && state.requests <= state.last;
}

static bool is_refused_outside(void)
{
    if (state.is_lua || !is_refused())
        return false;
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return is_refused_outside() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return is_refused_outside() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    return is_refused_outside() ? NULL : __libc_realloc(block, size);
}

/* A block that shrinks has room where it is. */
static void *allocate(void *data, void *block, size_t old_size, size_t new_size)
{
    if (new_size > (block ? old_size : 0) && is_refused())
        return NULL;
    state.is_lua = true;
    void *result = state.allocate(data, block, old_size, new_size);
    state.is_lua = false;
    return result;
}

__attribute__((constructor)) static void start_process(void)
{
    const char *first = getenv("REFUSE");
    state.first = first != NULL ? strtoull(first, NULL, 10) : UINT64_MAX;
    state.last = state.first + 1;
}

/* start(first, last): refuses these requests, counted from here */
static int refuse_start(lua_State *L)
{
    uint64_t first = (uint64_t)luaL_checkinteger(L, 1), last = (uint64_t)luaL_checkinteger(L, 2);
    state.requests = 0;
    state.first = first;
    state.last = last;
    return 0;
}

/* stop() -> how many requests there were */
static int refuse_stop(lua_State *L)
{
    state.first = UINT64_MAX;
    lua_pushinteger(L, (lua_Integer)state.requests);
    return 1;
}

/*
 * child(f) -> the text that f returned in a process of its own, and how that ended: its status, or
 * its signal as a negative number
 */
static int refuse_child(lua_State *L)
{
    enum { SECONDS = 60 };
    int ends[2], status;
    pid_t pid = pipe(ends) == 0 ? fork() : -1;
    if (pid < 0)
        return luaL_error(L, "child: no process");
    if (pid == 0) {
        close(ends[0]);
        alarm(SECONDS);
        lua_call(L, 0, 1);
        size_t length;
        const char *text = luaL_checklstring(L, -1, &length);
        bool written = write(ends[1], text, length) == (ssize_t)length;
        close(ends[1]);
        lua_getglobal(L, "os"); /* its exit closes the state */
        lua_getfield(L, -1, "exit");
        lua_pushboolean(L, written);
        lua_pushboolean(L, true);
        lua_call(L, 2, 0);
    }
    close(ends[1]);
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    char *part = luaL_prepbuffer(&text);
    for (ssize_t got; (got = read(ends[0], part, LUAL_BUFFERSIZE)) > 0;
         part = luaL_prepbuffer(&text))
        luaL_addsize(&text, (size_t)got);
    luaL_pushresult(&text);
    close(ends[0]);
    waitpid(pid, &status, 0);
    lua_pushinteger(L, WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status));
    return 2;
}

/* What a library asks for as it is loaded is its own matter, and some end the process where that is
 * refused; so OpenBLAS is here beforehand. */
static void load_library(void)
{
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    dlopen("libopenblas.so.0", RTLD_NOW);
}

int luaopen_refuse(lua_State *L)
{
    load_library();
    static const luaL_Reg functions[] = {
        {"start", refuse_start},
        {"stop", refuse_stop},
        {"child", refuse_child},
        {NULL, NULL},
    };
    state.allocate = lua_getallocf(L, &state.data);
    lua_setallocf(L, allocate, state.data);
    luaL_newlib(L, functions);
    return 1;
}
