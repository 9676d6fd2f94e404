/*
 * bind_files.c - data files, downloads and the terminal (layer 4)
 *
 * What Lua's io and os cannot do. A file that is missing or bad gives nil and a message, as io.open
 * does; only wrong use raises. An open reader hangs in a userdata that is closed when the function
 * is left, by an error too.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bind.h"
#include "download.h"
#include "idx.h"

/* ---- arguments ---- */

static const char *check_string(lua_State *L, const char *f, int index, const char *expected)
{
    if (lua_type(L, index) != LUA_TSTRING)
        bind_fail_argument(L, f, index, expected);
    return lua_tostring(L, index);
}

/* Pushes field `name` of the options at `index`, or nil; raises when it is of another type. */
static void push_option(lua_State *L, const char *f, int index, const char *name, int type,
                        const char *expected)
{
    if (lua_isnoneornil(L, index))
        lua_pushnil(L);
    else if (lua_getfield(L, index, name) != LUA_TNIL && lua_type(L, -1) != type)
        bind_fail(L, "%s: option %s: expected %s, got %s", f, name, expected,
                  bind_describe(L, lua_gettop(L)));
}

/* nil and a message: the file or address `name` holds something else */
static int refuse_content(lua_State *L, const char *name, const char *expected, const char *found)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s: expected SHA-256 %s, found %s", name, download_unlike, expected,
                    found);
    return 2;
}

/* ---- idx_read ---- */

static const char idx_reader_type[] = "wrun.idx_reader";

static int close_idx_reader(lua_State *L)
{
    idx_close(lua_touserdata(L, 1));
    return 0;
}

static IdxReader *push_idx_reader(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"__gc", close_idx_reader}, {"__close", close_idx_reader}, {NULL, NULL}};
    IdxReader *reader = lua_newuserdatauv(L, sizeof(IdxReader), 0);

    reader->source.descriptor = -1;
    reader->source.inflating = false;
    if (luaL_newmetatable(L, idx_reader_type))
        luaL_setfuncs(L, methods, 0);
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return reader;
}

/* nil, "PATH: REASON" and what completes the Reason */
static int idx_refusal(lua_State *L, const char *path, const IdxReader *reader, Reason reason)
{
    const unsigned char *m = reader->magic;
    char magic[2 * sizeof(reader->magic) + sizeof(reader->magic)];

    lua_pushnil(L);
    switch (reader->fault) {
    case IDX_FAULT_FILE:
        lua_pushfstring(L, "%s: %s", path, reason);
        break;
    case IDX_FAULT_SIZE:
        lua_pushfstring(L, "%s: %s: expected %I bytes, found %I", path, reason,
                        (LUAI_UACINT)reader->expected, (LUAI_UACINT)reader->found);
        break;
    case IDX_FAULT_HEADER:
        for (size_t i = 0; i < sizeof(reader->magic); i++) {
            magic[3 * i] = "0123456789ABCDEF"[m[i] >> 4];
            magic[3 * i + 1] = "0123456789ABCDEF"[m[i] & 15];
            magic[3 * i + 2] = i + 1 < sizeof(reader->magic) ? ' ' : '\0';
        }
        lua_pushfstring(L, "%s: %s: found %s", path, reason, magic);
        break;
    }
    return 2;
}

/* Does the header announce the sizes in the table at `index`? nil takes any. */
static bool has_shape(lua_State *L, int index, const IdxReader *reader)
{
    if (lua_isnil(L, index))
        return true;
    bool equal = lua_rawlen(L, index) == (lua_Unsigned)reader->ndim;
    for (int d = 0; equal && d < reader->ndim; d++) {
        lua_rawgeti(L, index, d + 1);
        equal = lua_tointeger(L, -1) == reader->shape[d];
        lua_pop(L, 1);
    }
    return equal;
}

static int shape_refusal(lua_State *L, const char *path, int index, const IdxReader *reader)
{
    int64_t expected[MAX_RANK];
    int next, ndim = bind_sizes(L, "idx_read", index, expected, &next);

    lua_pushnil(L);
    const char *wanted = bind_shape_text(L, ndim, expected);
    const char *found = bind_shape_text(L, reader->ndim, reader->shape);
    lua_pushfstring(L, "%s: other sizes than expected: expected %s, found %s", path, wanted, found);
    lua_replace(L, -3);
    lua_pop(L, 1);
    return 2;
}

/*
 * idx_read(path, { sha256=, shape= }) -> tensor, or nil and a message. sha256 is of the
 * uncompressed file; the sizes are compared with `shape` before memory is taken for them.
 */
static int files_idx_read(lua_State *L)
{
    static const char f[] = "idx_read";
    static const char *const known[] = {"sha256", "shape", NULL};
    enum { OPTIONS = 2, SHA256, SHAPE };
    const char *path = check_string(L, f, 1, "a path");
    bind_check_options(L, f, OPTIONS, known);
    lua_settop(L, OPTIONS);
    push_option(L, f, OPTIONS, "sha256", LUA_TSTRING, "a string");
    push_option(L, f, OPTIONS, "shape", LUA_TTABLE, "a table of sizes");

    IdxReader *reader = push_idx_reader(L);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s: %s", path, strerror(errno));
        return 2;
    }
    Reason reason = idx_open(reader, descriptor);
    if (reason != NULL)
        return idx_refusal(L, path, reader, reason);
    if (!has_shape(L, SHAPE, reader))
        return shape_refusal(L, path, SHAPE, reader);
    Tensor *result = bind_new_tensor(L, f, reader->dtype, reader->ndim, reader->shape);
    if ((reason = idx_read(reader, tensor_data(result))) != NULL)
        return idx_refusal(L, path, reader, reason);

    char found[DIGEST_TEXT];
    idx_digest(reader, found);
    if (!lua_isnil(L, SHA256) && strcmp(found, lua_tostring(L, SHA256)) != 0)
        return refuse_content(L, path, lua_tostring(L, SHA256), found);
    return 1;
}

/* ---- download ---- */

/* The progress function stands at stack index `function`; what it raises waits on top. */
typedef struct {
    lua_State *L;
    int function;
} Progress;

static bool report_progress(void *context, int64_t done, int64_t total)
{
    const Progress *progress = context;
    lua_State *L = progress->L;

    lua_pushvalue(L, progress->function);
    lua_pushinteger(L, done);
    lua_pushinteger(L, total);
    return lua_pcall(L, 2, 0, 0) == LUA_OK;
}

/*
 * download(url, path, { sha256=, limit=, progress= }) -> true, or nil and a message. sha256 is of
 * the uncompressed content; limit bounds it and what is received, in bytes; progress(done, total)
 * is called often, total 0 while unknown, and what it raises stops the download and goes on to the
 * caller.
 */
static int files_download(lua_State *L)
{
    static const char f[] = "download";
    static const char *const known[] = {"sha256", "limit", "progress", NULL};
    enum { URL = 1, PATH, OPTIONS, SHA256, LIMIT, PROGRESS };
    const char *url = check_string(L, f, URL, "a URL");
    const char *path = check_string(L, f, PATH, "a path");
    bind_check_options(L, f, OPTIONS, known);
    lua_settop(L, OPTIONS);
    push_option(L, f, OPTIONS, "sha256", LUA_TSTRING, "a string");
    push_option(L, f, OPTIONS, "limit", LUA_TNUMBER, "a number of bytes");
    push_option(L, f, OPTIONS, "progress", LUA_TFUNCTION, "a function");

    char detail[DOWNLOAD_DETAIL];
    Progress progress = {L, PROGRESS};
    DownloadPlan plan = {
        .url = url,
        .path = path,
        .sha256 = lua_tostring(L, SHA256),
        .limit = lua_isnil(L, LIMIT) ? INT64_MAX : lua_tointeger(L, LIMIT),
        .progress = lua_isnil(L, PROGRESS) ? NULL : report_progress,
        .context = &progress,
    };
    Reason reason = download_run(&plan, detail);
    if (reason == download_stopped)
        return lua_error(L);
    if (reason == NULL) {
        lua_pushboolean(L, true);
        return 1;
    }
    if (reason == download_unlike)
        return refuse_content(L, url, plan.sha256, detail);
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s%s%s", url, reason, detail[0] != '\0' ? ": " : "", detail);
    return 2;
}

/* ---- folders, terminal, clock ---- */

/* make_folder(path) -> true, or nil and a message; makes those above it too; may be there */
static int files_make_folder(lua_State *L)
{
    const char *path = check_string(L, "make_folder", 1, "a path");
    size_t length = strlen(path);
    char *part = memcpy(lua_newuserdatauv(L, length + 1, 0), path, length + 1);
    struct stat status;

    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        part[i] = '\0';
        int error = mkdir(part, 0777) == 0 ? 0 : errno;
        if (error != 0 && (stat(part, &status) != 0 || !S_ISDIR(status.st_mode))) {
            lua_pushnil(L);
            lua_pushfstring(L, "%s: %s", part, strerror(error == EEXIST ? ENOTDIR : error));
            return 2;
        }
        part[i] = path[i];
    }
    lua_pushboolean(L, true);
    return 1;
}

/* is_terminal(file) -> whether it is an open terminal, and its width in columns where known */
static int files_is_terminal(lua_State *L)
{
    struct winsize size;

    if (luaL_testudata(L, 1, LUA_FILEHANDLE) == NULL)
        bind_fail_argument(L, "is_terminal", 1, "a file");
    const luaL_Stream *stream = lua_touserdata(L, 1);
    bool is_terminal = stream->closef != NULL && isatty(fileno(stream->f));
    lua_pushboolean(L, is_terminal);
    if (!is_terminal || ioctl(fileno(stream->f), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 1;
    lua_pushinteger(L, size.ws_col);
    return 2;
}

/* clock() -> seconds since some fixed moment; os.clock counts processor time instead */
static int files_clock(lua_State *L)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    lua_pushnumber(L, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    return 1;
}

void bind_open_files(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"idx_read", files_idx_read},
        {"download", files_download},
        {"make_folder", files_make_folder},
        {"is_terminal", files_is_terminal},
        {"clock", files_clock},
        {NULL, NULL},
    };

    bind_register(L, functions);
}
