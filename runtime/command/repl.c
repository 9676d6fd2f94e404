/*
 * repl.c - the interactive mode
 *
 * A line is tried as an expression, then as a statement, which goes on for as long as Lua misses
 * its end.
 */
#include "command/repl.h"

#include <lauxlib.h>
#include <lualib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/call.h"
#include "command/lineedit.h"

typedef struct {
    bool is_terminal;
    bool cancelled;     /* Ctrl-C ended the last line */
    bool is_expression; /* the last statement, which so returns a nil first */
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

/* Pushes the next line, or returns false; `before` are the lines of the statement so far. */
static bool push_line(lua_State *L, Session *session, const char *before)
{
    int top = lua_gettop(L);
    const char *prompt = before[0] == '\0' ? "> " : ">> ";
    if (lua_getglobal(L, before[0] == '\0' ? "_PROMPT" : "_PROMPT2") != LUA_TNIL)
        prompt = luaL_tolstring(L, -1, NULL);
    char *line = session->is_terminal ? lineedit_read(prompt, before, &session->cancelled)
                                      : read_line(prompt);
    lua_settop(L, top);
    if (line)
        lua_pushstring(L, line);
    free(line);
    return line != NULL;
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

/* Loads an expression, or nothing. Behind a nil its call is no tail call, of which errors and
 * tracebacks would not know the line that was typed. */
static int load_expression(lua_State *L, Session *session, const char *text)
{
    int status = load_text(L, lua_pushfstring(L, "return nil, %s", text));
    session->is_expression = status == LUA_OK;
    return session->is_expression ? status : load_text(L, lua_pushfstring(L, "return %s", text));
}

/* Pushes the text of the next statement and its chunk, or why it is none. "=x" is "return x". */
static int load_statement(lua_State *L, Session *session)
{
    if (!push_line(L, session, ""))
        return STATEMENT_END;
    int text = lua_gettop(L);
    bool is_value = lua_tostring(L, text)[0] == '=';
    int status = load_expression(L, session, lua_tostring(L, text) + is_value);
    while (status != LUA_OK) {
        lua_settop(L, text);
        const char *statement = lua_tostring(L, text);
        status = is_value ? load_expression(L, session, statement + 1) : load_text(L, statement);
        if (!is_incomplete(L, status))
            break;
        const char *lines = lua_pushfstring(L, "%s\n", lua_tostring(L, text));
        bool has_line = push_line(L, session, lines);
        lua_remove(L, -1 - has_line);
        if (!has_line)
            return session->cancelled ? STATEMENT_END : status;
        lua_pushfstring(L, "%s\n%s", lua_tostring(L, text), lua_tostring(L, -1));
        lua_replace(L, text);
    }
    if (session->is_terminal)
        lineedit_remember(lua_tostring(L, text));
    return status;
}

/* Shows a text that is longer than the terminal with $PAGER, or less where there is one. */
static void show_page(const Session *session, const char *text)
{
    const char *kind = getenv("TERM"), *pager = getenv("PAGER");
    struct winsize size;
    int lines = 1;
    for (const char *end = text; (end = strchr(end, '\n')); end++)
        lines++;
    bool fits = !session->is_terminal || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 ||
                size.ws_row == 0 || lines < size.ws_row;
    if (!fits && kind && strcmp(kind, "dumb") != 0) {
        fflush(stdout);
        void (*on_interrupt)(int) = signal(SIGINT, SIG_IGN); /* the pager's own, as is its end */
        void (*on_pipe)(int) = signal(SIGPIPE, SIG_IGN);
        FILE *pipe = popen(pager && pager[0] ? pager : "less", "w");
        if (pipe)
            fputs(text, pipe);
        int status = pipe ? pclose(pipe) : -1;
        signal(SIGINT, on_interrupt);
        signal(SIGPIPE, on_pipe);
        if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) != 127)
            return;
    }
    fputs(text, stdout);
}

/* Has wrun.session say how the values above `base` print, and prints them; false ends the session.
 */
static bool print_results(lua_State *L, const Session *session, int base)
{
    int count = lua_gettop(L) - base;
    if (count == 0)
        return true;
    if (!lua_checkstack(L, LUA_MINSTACK)) {
        fputs("too many results to print\n", stderr);
        return true;
    }
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, "wrun.session") == LUA_TTABLE) {
        lua_getfield(L, -1, "results");
        lua_pushglobaltable(L);
        lua_rotate(L, base + 1, 4);
        lua_remove(L, base + 1);
        lua_remove(L, base + 1);
        if (!call_report(L, call_function(L, count + 1, LUA_MULTRET), NULL))
            return true;
        if (!lua_toboolean(L, base + 1))
            return false;
        if (lua_isstring(L, base + 2)) {
            show_page(session, lua_tostring(L, base + 2));
            return true;
        }
        lua_remove(L, base + 2);
        lua_remove(L, base + 1);
    } else {
        lua_pop(L, 2);
    }
    lua_getglobal(L, "print");
    lua_insert(L, base + 1);
    call_report(L, call_function(L, count, 0), "error calling 'print'");
    return true;
}

static void load_library(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "wrun.session");
    if (!call_report(L, call_function(L, 1, 1), NULL))
        return;
    lua_getfield(L, -1, "start");
    lua_pushglobaltable(L);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_OSLIBNAME);
    lua_getfield(L, -1, "exit");
    lua_replace(L, -3);
    lua_pop(L, 1);
    if (call_report(L, call_function(L, 2, 0), NULL))
        puts(
            "The library is loaded as 'wrun'; help(x) explains x. exit or Ctrl-D ends the session.");
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
        if (status == LUA_OK && session.is_expression)
            lua_remove(L, base + 1);
        if (call_report(L, status, NULL) && !print_results(L, &session, base))
            break;
    }
}
