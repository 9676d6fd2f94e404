/*
 * bind_records.c - files of records of one width, as CIFAR-10 has
 */
#include <errno.h>
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "formats/gzip.h"

static int close_records(lua_State *L)
{
    gzip_close(lua_touserdata(L, 1));
    return 0;
}

/*
 * records_read(f, path, most, width) -> uint8 tensor [most, width] and how many of its rows hold the
 * records of the file, or nil and a message; f is what the user called
 */
static int core_records_read(lua_State *L)
{
    const char *f = bind_string(L, "records_read", 1, "a name");
    const char *path = bind_string(L, f, 2, "a path");
    int64_t shape[2] = {luaL_checkinteger(L, 3), luaL_checkinteger(L, 4)};
    GzipReader *source = bind_push_reader(L, "wrun.records_file", sizeof(*source), close_records);
    int descriptor = bind_open_file(path);

    if (descriptor < 0)
        return bind_refuse_file(L, path, strerror(errno));
    Reason reason = gzip_open(source, descriptor);
    if (reason != NULL)
        return bind_refuse_file(L, path, reason);
    Tensor *records = bind_new_file_tensor(L, f, path, UINT8, 2, shape);
    size_t got, more;
    unsigned char extra; /* to ask for it also verifies the check sum at the end of gzip data */
    if ((reason = gzip_read(source, tensor_data(records), (size_t)records->numel, &got)) != NULL ||
        (reason = gzip_read(source, &extra, 1, &more)) != NULL)
        return bind_refuse_file(L, path, reason);
    if (got == 0 || more > 0 || (int64_t)got % shape[1] != 0)
        return bind_refuse(L, "%s: expected 1 to %I records of %I bytes, found %s%I bytes", path,
                           (LUAI_UACINT)shape[0], (LUAI_UACINT)shape[1],
                           more > 0 ? "more than " : "", (LUAI_UACINT)got);
    lua_pushinteger(L, (int64_t)got / shape[1]);
    return 2;
}

static const luaL_Reg records_functions[] = {
    {"records_read", core_records_read},
    {NULL, NULL},
};

void bind_open_records(lua_State *L)
{
    bind_register(L, records_functions);
}
