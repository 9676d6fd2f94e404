/*
 * repl.c - the interactive mode
 *
 * A line is tried as an expression, then as a statement, which goes on for as long as Lua misses
 * its end.
 */
#include "command/repl.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/call.h"
#include "command/lineedit.h"

typedef struct {
    bool is_terminal;
    bool cancelled; /* Ctrl-C ended the last line */
} Session;

/* A line from a pipe, as lineedit_read returns it; shown, as one from a terminal is. */
static char *read_line(const char *prompt)
{
    char *line = NULL;
    size_t size = 0;
    fputs(prompt, stdout);
    fflush(stdout);
    ssize_t length = getline(&line, &size, stdin);
    if (length < 0) {
        free(line);
        return NULL;
    }
    line[strcspn(line, "\n")] = '\0';
    puts(line);
    return line;
}

/* Pushes the next line, or returns false; "=x" as the first is "return x". */
static bool push_line(lua_State *L, Session *session, bool is_first)
{
    int top = lua_gettop(L);
    const char *prompt = is_first ? "> " : ">> ";
    if (lua_getglobal(L, is_first ? "_PROMPT" : "_PROMPT2") != LUA_TNIL)
        prompt = luaL_tolstring(L, -1, NULL);
    char *line =
        session->is_terminal ? lineedit_read(prompt, &session->cancelled) : read_line(prompt);
    lua_settop(L, top);
    if (!line)
        return false;
    if (is_first && line[0] == '=')
        lua_pushfstring(L, "return %s", line + 1);
    else
        lua_pushstring(L, line);
    free(line);
    return true;
}

enum { STATEMENT_END = -1 }; /* beside Lua's statuses: the input ended, or was cancelled */

static bool is_incomplete(lua_State *L, int status)
{
    size_t length;
    const char *message = status == LUA_ERRSYNTAX ? lua_tolstring(L, -1, &length) : NULL;
    return message && length >= 5 && strcmp(message + length - 5, "<eof>") == 0;
}

static int load_text(lua_State *L, const char *text)
{
    return luaL_loadbufferx(L, text, strlen(text), "=stdin", "t");
}

/* Pushes the text of the next statement and its chunk, or why it is none. */
static int load_statement(lua_State *L, Session *session)
{
    if (!push_line(L, session, true))
        return STATEMENT_END;
    int text = lua_gettop(L);
    if (load_text(L, lua_pushfstring(L, "return %s", lua_tostring(L, text))) == LUA_OK)
        return LUA_OK;
    for (;;) {
        lua_settop(L, text);
        int status = load_text(L, lua_tostring(L, text));
        if (!is_incomplete(L, status))
            return status;
        if (!push_line(L, session, false))
            return session->cancelled ? STATEMENT_END : status;
        lua_pushfstring(L, "%s\n%s", lua_tostring(L, text), lua_tostring(L, -1));
        lua_replace(L, text);
    }
}

/* Prints what lies above `base`. */
static void print_results(lua_State *L, int base)
{
    int count = lua_gettop(L) - base;
    if (count == 0)
        return;
    if (!lua_checkstack(L, LUA_MINSTACK)) {
        fputs("too many results to print\n", stderr);
        return;
    }
    lua_getglobal(L, "print");
    lua_insert(L, base + 1);
    call_report(L, call_function(L, count, 0), "error calling 'print'");
}

static void load_library(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "wrun");
    if (call_report(L, call_function(L, 1, 1), NULL)) {
        lua_getfield(L, -1, "help");
        lua_setglobal(L, "help");
        lua_setglobal(L, "wrun");
        puts("The library is loaded as 'wrun'; help(x) explains x. Ctrl-D ends the session.");
    }
}

void repl_run(lua_State *L)
{
    Session session = {.is_terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)};
    if (session.is_terminal)
        lineedit_start(L);
    load_library(L);
    int top = lua_gettop(L);
    for (;;) {
        lua_settop(L, top);
        int status = load_statement(L, &session);
        if (status == STATEMENT_END) {
            putchar('\n');
            if (!session.cancelled)
                break;
            continue;
        }
        int base = lua_gettop(L) - 1;
        if (status == LUA_OK)
            status = call_function(L, 0, LUA_MULTRET);
        if (call_report(L, status, NULL))
            print_results(L, base);
    }
}
