/*
 * bind_process.c - programs that run beside this one
 *
 * They are started by posix_spawn, never by fork, which would copy threads' locks and the memory of
 * OpenBLAS in the middle of their work.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/open.h"
#include "tensor/pool.h"

extern char **environ;

/* Pushes a block with the strings of the list at `index`, and room for so many more and NULL. */
static char **push_strings(lua_State *L, int index, size_t more, size_t *count)
{
    luaL_checktype(L, index, LUA_TTABLE);
    *count = (size_t)luaL_len(L, index);
    char **strings = lua_newuserdatauv(L, (*count + more + 1) * sizeof(*strings), 0);
    int block = lua_gettop(L);

    for (size_t i = 0; i < *count; i++) { /* they stay alive in their table */
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        strings[i] = (char *)(intptr_t)bind_to_string(L, -1);
        if (strings[i] == NULL)
            bind_fail_argument(L, "process_start", index, "a list of strings");
        lua_settop(L, block);
    }
    strings[*count] = NULL;
    return strings;
}

/* Do both set the same variable? */
static bool is_same_variable(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return strncmp(a, b, length) == 0 && b[length] == '=';
}

/* Pushes the environment with the variables of the list at `index` in place of those there are. */
static char **push_environment(lua_State *L, int index)
{
    size_t own, count = 0;

    while (environ[count] != NULL)
        count++;
    char **variables = push_strings(L, index, count, &own);
    size_t filled = own;
    for (size_t i = 0; i < count; i++) {
        bool is_set = false;
        for (size_t j = 0; j < own && !is_set; j++)
            is_set = is_same_variable(variables[j], environ[i]);
        if (!is_set)
            variables[filled++] = environ[i];
    }
    variables[filled] = NULL;
    return variables;
}

/*
 * process_start(list of words, list of NAME=value, path) -> a process that runs the program which
 * the first word names, with these variables in place of this process's, nothing to read, and its
 * output and errors in the file; or nil and a message
 */
static int core_process_start(lua_State *L)
{
    enum { WORDS = 1, VARIABLES, LOG };
    const char *log = bind_string(L, "process_start", LOG, "a path");
    size_t count;
    char **words = push_strings(L, WORDS, 0, &count), **variables = push_environment(L, VARIABLES);
    posix_spawn_file_actions_t actions;
    pid_t process;

    if (count == 0)
        bind_fail_argument(L, "process_start", WORDS, "a list of strings");
    int error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        if (error == 0)
            error = posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_TRUNC,
                                                     0666);
        if (error == 0)
            error = posix_spawn_file_actions_adddup2(&actions, 1, 2);
        if (error == 0)
            error = posix_spawnp(&process, words[0], &actions, NULL, words, variables);
        posix_spawn_file_actions_destroy(&actions);
    }
    if (error != 0)
        return bind_refuse_file(L, words[0], strerror(error));
    lua_pushinteger(L, process);
    return 1;
}

/* process_end(process) -> nil while it runs; then once "exit" or "signal", and its number */
static int core_process_end(lua_State *L)
{
    pid_t process = (pid_t)bind_integer(L, "process_end", 1, "a process");
    int status = 0;
    pid_t ended = waitpid(process, &status, WNOHANG);

    if (ended == 0)
        return 0;
    lua_pushstring(L, ended > 0 && WIFSIGNALED(status) ? "signal" : "exit");
    lua_pushinteger(L, ended < 0             ? -1
                       : WIFSIGNALED(status) ? WTERMSIG(status)
                                             : WEXITSTATUS(status));
    return 2;
}

/* process_stop(process): asks it to end, by SIGTERM */
static int core_process_stop(lua_State *L)
{
    pid_t process = (pid_t)bind_integer(L, "process_stop", 1, "a process");

    if (process > 1)
        kill(process, SIGTERM);
    return 0;
}

/* process_follow(parent): this process is to end when that, which started it, does */
static int core_process_follow(lua_State *L)
{
    pid_t parent = (pid_t)bind_integer(L, "process_follow", 1, "a process");

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) /* it has ended already */
        raise(SIGTERM);
    return 0;
}

/* process_id() -> that of this process */
static int core_process_id(lua_State *L)
{
    lua_pushinteger(L, getpid());
    return 1;
}

/* processors() -> how many this process may use */
static int core_processors(lua_State *L)
{
    lua_pushinteger(L, pool_default_threads());
    return 1;
}

/* processors_online() -> how many the machine has */
static int core_processors_online(lua_State *L)
{
    lua_pushinteger(L, sysconf(_SC_NPROCESSORS_ONLN));
    return 1;
}

/* sleep(seconds), less where a signal comes */
static int core_sleep(lua_State *L)
{
    double seconds = bind_number(L, "sleep", 1, "seconds");
    struct timespec time = {.tv_sec = (time_t)seconds};

    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    nanosleep(&time, NULL);
    return 0;
}

static const luaL_Reg process_functions[] = {
    {"process_start", core_process_start},
    {"process_end", core_process_end},
    {"process_stop", core_process_stop},
    {"process_follow", core_process_follow},
    {"process_id", core_process_id},
    {"processors", core_processors},
    {"processors_online", core_processors_online},
    {"sleep", core_sleep},
    {NULL, NULL},
};

void bind_open_process(lua_State *L)
{
    bind_register(L, process_functions);
}
