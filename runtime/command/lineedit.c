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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "bind/bind_check.h"

enum { HISTORY_LINES = 1000 };

static struct {
    lua_State *L;
    bool cancelled;         /* Ctrl-C was pressed */
    char history[PATH_MAX]; /* the name of the file, or "" */
} editor;

/* ---- completion ---- */

/* Can it stand after a point? Other names, which may come from a file, are not to be shown. */
static bool is_name(const char *text)
{
    size_t length = strspn(text, "_0123456789"
                                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return text[0] > '9' && text[length] == '\0';
}

/* Adds the names in the table at `table` that begin with `start` to the list at `list`. */
static void add_names(lua_State *L, int table, int list, const char *owner, const char *start)
{
    lua_pushnil(L);
    while (lua_next(L, table)) {
        lua_pop(L, 1);
        const char *name = bind_to_string(L, -1);
        if (name == NULL || !is_name(name))
            continue;
        bool asked = start[0] != '\0' || name[0] != '_';
        if (asked && strncmp(name, start, strlen(start)) == 0) {
            lua_pushfstring(L, "%s%s", owner, name);
            lua_rawseti(L, list, (lua_Integer)lua_rawlen(L, list) + 1);
        }
    }
}

/* Keeps a list of what the word may become: "wrun.nn.Li" is looked up name by name, methods
 * included. It is in the registry under the editor's address. */
static int list_completions(lua_State *L)
{
    const char *word = lua_touserdata(L, 1), *start = word;
    lua_newtable(L);
    lua_pushglobaltable(L);
    for (const char *end = word; (end = strpbrk(start, ".:")); start = end + 1) {
        lua_pushlstring(L, start, (size_t)(end - start));
        lua_gettable(L, -2);
    }
    const char *owner = lua_pushlstring(L, word, (size_t)(start - word));
    lua_insert(L, -2);
    for (int depth = 0; depth < 10; depth++) { /* a value, the __index behind it, and so on */
        if (lua_istable(L, -1))
            add_names(L, lua_gettop(L), 2, owner, start);
        if (luaL_getmetafield(L, -1, "__index") == LUA_TNIL)
            break;
    }
    lua_settop(L, 2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &editor);
    return 0;
}

/* libedit asks for one name after the other, until NULL; no error may pass through it */
static char *next_completion(const char *word, int asked_before)
{
    lua_State *L = editor.L;
    if (!asked_before) {
        lua_pushcfunction(L, list_completions);
        lua_pushlightuserdata(L, (void *)word);
        if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
            lua_pop(L, 1);
            return NULL;
        }
    }
    lua_rawgetp(L, LUA_REGISTRYINDEX, &editor);
    lua_rawgeti(L, -1, asked_before + 1);
    const char *name = lua_tostring(L, -1);
    char *copy = name ? strdup(name) : NULL;
    lua_pop(L, 2);
    return copy;
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

/* Keeps the line, and at once: the session may end at any time. */
static void remember(const char *line)
{
    HIST_ENTRY *last = history_get(history_length);
    if (line[0] == '\0' || (last && strcmp(line, last->line) == 0))
        return;
    add_history(line);
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
    rl_completion_entry_function = next_completion;
    rl_completer_word_break_characters = " \t\n\"\\'`@$><=;|&{(+-*/%^~#,[])}";
    rl_completion_append_character = '\0';
    rl_add_defun("cancel", cancel, CTRL('C'));
    using_history();
    stifle_history(HISTORY_LINES);
    find_history(editor.history, sizeof(editor.history));
    if (editor.history[0])
        read_history(editor.history);
}

char *lineedit_read(const char *prompt, bool *cancelled)
{
    struct termios before, reading;
    tcgetattr(STDIN_FILENO, &before);
    reading = before;
    reading.c_cc[VINTR] = _POSIX_VDISABLE; /* Ctrl-C is a key here */
    tcsetattr(STDIN_FILENO, TCSADRAIN, &reading);
    setlocale(LC_CTYPE, "");

    editor.cancelled = false;
    char *line = readline(prompt);

    setlocale(LC_CTYPE, "C");
    tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
    *cancelled = editor.cancelled;
    if (line)
        remember(line);
    return line;
}
