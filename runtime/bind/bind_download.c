/*
 * bind_download.c - files from the network
 */
#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/open.h"
#include "formats/download.h"

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
static int core_download(lua_State *L)
{
    static const char f[] = "download";
    static const char *const known[] = {"sha256", "limit", "progress", NULL};
    enum { URL = 1, PATH, OPTIONS, SHA256, LIMIT, PROGRESS };
    const char *url = bind_string(L, f, URL, "a URL");
    const char *path = bind_string(L, f, PATH, "a path");
    bind_check_options(L, f, OPTIONS, known);
    lua_settop(L, OPTIONS);
    const char *sha256 = bind_push_option_string(L, f, OPTIONS, "sha256", "a string");
    bind_push_option(L, f, OPTIONS, "limit", LUA_TNUMBER, "a number of bytes");
    bind_push_option(L, f, OPTIONS, "progress", LUA_TFUNCTION, "a function");

    char detail[DOWNLOAD_DETAIL];
    Progress progress = {L, PROGRESS};
    DownloadPlan plan = {
        .url = url,
        .path = path,
        .sha256 = sha256,
        .limit = lua_isnil(L, LIMIT) ? INT64_MAX : lua_tointeger(L, LIMIT),
        .progress = lua_isnil(L, PROGRESS) ? NULL : report_progress,
        .context = &progress,
    };
    Reason reason = download_run(&plan, detail);
    if (reason == download_stopped) {
        pool_check(bind_pool(L));
        return lua_error(L);
    }
    if (reason == NULL) {
        lua_pushboolean(L, true);
        return 1;
    }
    if (reason == download_unlike)
        return bind_refuse_content(L, url, plan.sha256, detail);
    return bind_refuse(L, "%s: %s%s%s", url, reason, detail[0] != '\0' ? ": " : "", detail);
}

static const luaL_Reg download_functions[] = {
    {"download", core_download},
    {NULL, NULL},
};

void bind_open_download(lua_State *L)
{
    bind_register(L, download_functions);
}
