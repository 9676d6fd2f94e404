/*
 * lineedit.c - reads a line from the terminal
 *
 * libedit hands its callbacks no context, so what they need is global.
 */
#include "command/lineedit.h"

#include <editline/readline.h>
#include <lauxlib.h>
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "bind/bind_check.h"

enum { HISTORY_LINES = 1000 };

static struct {
    lua_State *L;
    const char *before;     /* the lines of the statement before this one, "" or with their ends */
    bool cancelled;         /* Ctrl-C was pressed */
    char history[PATH_MAX]; /* the name of the file, or "" */
} editor;

/* ---- completion ---- */

/* files(path) -> the paths that begin so, folders with a slash behind */
static int list_files(lua_State *L)
{
    const char *start = bind_to_string(L, 1);
    lua_newtable(L);
    char *path;
    for (int i = 0; start && (path = rl_filename_completion_function(start, i)); i++) {
        struct stat status;
        bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
        lua_pushfstring(L, is_folder ? "%s/" : "%s", path);
        free(path);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* Keeps the list of what a word may become in the registry, under the editor's address. */
static int list_completions(lua_State *L)
{
    const char *word = lua_touserdata(L, 1);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, "wrun.session");
    lua_getfield(L, -1, "complete");
    lua_pushglobaltable(L);
    lua_pushstring(L, editor.before);
    lua_pushlstring(L, rl_line_buffer, (size_t)rl_point);
    lua_concat(L, 2);
    lua_pushinteger(L, (lua_Integer)(lua_rawlen(L, -1) - strlen(word)));
    lua_pushcfunction(L, list_files);
    lua_call(L, 4, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &editor);
    return 0;
}

/* libedit asks for one candidate after the other, until NULL */
static char *next_completion(const char *word, int asked_before)
{
    (void)word;
    lua_State *L = editor.L;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &editor);
    lua_rawgeti(L, -1, asked_before + 1);
    const char *name = lua_tostring(L, -1);
    char *copy = name ? strdup(name) : NULL;
    lua_pop(L, 2);
    return copy;
}

/* no error may pass through libedit */
static char **complete(const char *word, int start, int end)
{
    (void)start, (void)end;
    rl_attempted_completion_over = 1;
    lua_State *L = editor.L;
    lua_pushcfunction(L, list_completions);
    lua_pushlightuserdata(L, (void *)word);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        lua_pop(L, 1);
        return NULL;
    }
    return rl_completion_matches(word, next_completion);
}

/* ---- history ---- */

/* Writes the name of the history file and makes its folders; "" when there is no place for it. */
static void find_history(char *path, size_t size)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int length = 0;
    if (state && state[0] == '/')
        length = snprintf(path, size, "%s/wrun/history", state);
    else if (home && home[0] == '/')
        length = snprintf(path, size, "%s/.local/state/wrun/history", home);
    if (length == 0 || length >= (int)size) {
        path[0] = '\0';
        return;
    }
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        mkdir(path, 0700); /* most are there; if one cannot be made, the file cannot either */
        *slash = '/';
    }
}

void lineedit_remember(const char *statement)
{
    HIST_ENTRY *last = history_get(history_length);
    if (statement[0] == '\0' || (last && strcmp(statement, last->line) == 0))
        return;
    add_history(statement);
    if (editor.history[0])
        write_history(editor.history);
}

/* ---- reading ---- */

static int cancel(int count, int key)
{
    (void)count, (void)key;
    editor.cancelled = true;
    rl_done = 1;
    return 0;
}

void lineedit_start(lua_State *L)
{
    editor.L = L;
    rl_readline_name = "wrun";
    setlocale(LC_CTYPE, ""); /* for characters of more bytes; scripts run in the C locale */
    rl_initialize();
    setlocale(LC_CTYPE, "C");
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = " \t\n\"\\'`@$><=;|&{(+-*/%^~#,[])}";
    rl_completion_append_character = '\0';
    rl_add_defun("cancel", cancel, CTRL('C'));
    using_history();
    stifle_history(HISTORY_LINES);
    find_history(editor.history, sizeof(editor.history));
    if (editor.history[0])
        read_history(editor.history);
}

char *lineedit_read(const char *prompt, const char *lines, bool *cancelled)
{
    struct termios before, reading;
    tcgetattr(STDIN_FILENO, &before);
    reading = before;
    reading.c_cc[VINTR] = _POSIX_VDISABLE; /* Ctrl-C is a key here */
    tcsetattr(STDIN_FILENO, TCSADRAIN, &reading);
    setlocale(LC_CTYPE, "");

    editor.cancelled = false;
    editor.before = lines;
    char *line = readline(prompt);

    setlocale(LC_CTYPE, "C");
    tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    *cancelled = editor.cancelled;
    return line;
}
