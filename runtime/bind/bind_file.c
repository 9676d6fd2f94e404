/*
 * bind_file.c - what the bindings of files share; see bind_file.h
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/bind_result.h"
#include "formats/download.h"
#include "formats/gzip.h"

int bind_refuse_file(lua_State *L, const char *path, Reason reason)
{
    return bind_refuse(L, "%s: %s", path, reason);
}

int bind_push_outcome(lua_State *L, const char *path, Reason reason)
{
    if (reason != NULL)
        return bind_refuse_file(L, path, reason);
    lua_pushboolean(L, true);
    return 1;
}

int bind_open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

void *bind_push_reader(lua_State *L, const char *type, size_t size, lua_CFunction close)
{
    bind_set_collector_pace(L, (int64_t)size); /* a file that is refused makes nothing else */
    GzipReader *reader = memset(lua_newuserdatauv(L, size, 0), 0, size);

    reader->descriptor = -1;
    luaL_newmetatable(L, type);
    /* set each time: memory may have run out after the table was made */
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__gc");
    lua_pushcfunction(L, close);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return reader;
}

Tensor *bind_new_file_tensor(lua_State *L, const char *f, const char *path, DType dtype, int ndim,
                             const int64_t *shape)
{
    const char *name = lua_pushfstring(L, "%s: %s", f, path);
    Tensor *t = bind_new_tensor(L, name, dtype, ndim, shape);

    lua_remove(L, -2);
    return t;
}

const Tensor *bind_contiguous(lua_State *L, const char *f, int index)
{
    Tensor *t = bind_tensor(L, f, index);
    if (!t->is_contiguous)
        bind_fail_argument(L, f, index, "a contiguous tensor");
    return t;
}

NamedArray bind_named_array(lua_State *L, const char *f, int names, int tensors, lua_Integer i)
{
    lua_rawgeti(L, names, i);
    lua_rawgeti(L, tensors, i);
    const Tensor *t = bind_contiguous(L, f, lua_gettop(L));
    const char *name = bind_to_string(L, -2);
    if (name == NULL)
        bind_fail(L, "%s: argument %d: expected names without zero bytes, got %s", f, names,
                  bind_describe(L, lua_gettop(L) - 1));
    NamedArray array = {
        .name = name,
        .dtype = (DType)t->dtype,
        .ndim = t->ndim,
        .shape = t->dims,
        .elements = tensor_data(t),
        .size = t->numel * dtype_size((DType)t->dtype),
    };
    lua_pop(L, 2);
    return array;
}

int bind_refuse_content(lua_State *L, const char *name, const char *expected, const char *found)
{
    return bind_refuse(L, "%s: %s: expected SHA-256 %s, found %s", name, download_unlike, expected,
                       found);
}
