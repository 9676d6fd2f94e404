/*
 * bind_folder.c - folders: made, listed, and kept to one process
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/open.h"

/* make_folder(path) -> true, or nil and a message; makes those above it too; may be there */
static int core_make_folder(lua_State *L)
{
    const char *path = bind_string(L, "make_folder", 1, "a path");
    size_t length = strlen(path);
    char *part = memcpy(lua_newuserdatauv(L, length + 1, 0), path, length + 1);
    struct stat status;

    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        int error = mkdir(part, 0777) == 0 ? 0 : errno;
        if (error != 0 && (stat(part, &status) != 0 || !S_ISDIR(status.st_mode)))
            return bind_refuse_file(L, part, strerror(error == EEXIST ? ENOTDIR : error));
        part[i] = path[i];
    }
    lua_pushboolean(L, true);
    return 1;
}

static int close_folder(lua_State *L)
{
    DIR **folder = lua_touserdata(L, 1);
    if (*folder != NULL)
        closedir(*folder);
    *folder = NULL;
    return 0;
}

/* an open folder that is closed when the function is left, by an error too; NULL for now */
static DIR **push_folder(lua_State *L)
{
    DIR **folder = lua_newuserdatauv(L, sizeof(*folder), 0);

    *folder = NULL;
    luaL_newmetatable(L, "wrun.folder");
    lua_pushcfunction(L, close_folder);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close_folder);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return folder;
}

/* folder_names(path) -> the names of what is in it, in no order, or nil and a message */
static int core_folder_names(lua_State *L)
{
    const char *path = bind_string(L, "folder_names", 1, "a path");
    DIR **folder = push_folder(L);
    const struct dirent *entry;

    *folder = opendir(path);
    if (*folder == NULL)
        return bind_refuse_file(L, path, strerror(errno));
    lua_newtable(L);
    for (lua_Integer i = 1; (entry = readdir(*folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        lua_pushstring(L, entry->d_name);
        lua_rawseti(L, -2, i++);
    }
    return 1;
}

/*
 * file_lock(file) -> whether this open file now has the lock of what it names, which one open file
 * at a time has, until it is closed; the end of the process closes it. Programs that the process
 * starts do not get it.
 */
static int core_file_lock(lua_State *L)
{
    const luaL_Stream *stream = luaL_testudata(L, 1, LUA_FILEHANDLE);

    if (stream == NULL || stream->closef == NULL)
        bind_fail_argument(L, "file_lock", 1, "an open file");
    int descriptor = fileno(stream->f);
    (void)fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    lua_pushboolean(L, flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK);
    return 1;
}

static const luaL_Reg folder_functions[] = {
    {"make_folder", core_make_folder},
    {"folder_names", core_folder_names},
    {"file_lock", core_file_lock},
    {NULL, NULL},
};

void bind_open_folder(lua_State *L)
{
    bind_register(L, folder_functions);
}
