/*
 * bind_torch.c - files of tensors as PyTorch and Torch7 write them
 *
 * What lies in them is read here, what it means in lua/wrun/save/pickle.lua and torch7.lua.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "formats/encoding.h"
#include "formats/zip.h"

static int close_zip(lua_State *L)
{
    zip_close(lua_touserdata(L, 1));
    return 0;
}

static int close_source(lua_State *L)
{
    gzip_close(lua_touserdata(L, 1));
    return 0;
}

/* Pushes an open archive, or returns why there is none. */
static Reason open_archive(lua_State *L, const char *path, ZipReader **zip)
{
    *zip = bind_push_reader(L, "wrun.torch_file", sizeof(**zip), close_zip);
    int descriptor = bind_open_file(path);
    return descriptor < 0 ? strerror(errno) : zip_open(*zip, descriptor);
}

/* Goes to the next member, which torch.save never compresses: none holds more than the file. */
static Reason next_member(ZipReader *zip)
{
    Reason reason = zip_next(zip);

    if (reason == NULL && zip->member.method != 0)
        return refuse(&zip->refusal, "member '%.100s': is compressed, which torch.save does not do",
                      zip->member.name);
    return reason;
}

/* Sets the member on top of the stack, in the table at `result`, under its name. */
static Reason add_member(lua_State *L, ZipReader *zip, int result)
{
    Reason reason = zip_check(zip);

    if (reason == NULL && lua_getfield(L, result, zip->member.name) != LUA_TNIL)
        return refuse(&zip->refusal, "member '%.100s': stands there twice", zip->member.name);
    lua_settop(L, result + 1);
    lua_setfield(L, result, zip->member.name);
    return reason;
}

static int finish_archive(lua_State *L, const char *path, ZipReader *zip, int result, Reason reason)
{
    if (reason == NULL)
        reason = zip_finish(zip);
    if (reason != NULL)
        return bind_refuse_file(L, path, reason);
    lua_settop(L, result);
    return 1;
}

/*
 * torch_texts(path) -> table of name and bytes of the members that are no storage; or nil and a
 * message
 */
static int core_torch_texts(lua_State *L)
{
    const char *path = bind_string(L, "load", 1, "a path");
    ZipReader *zip;
    Reason reason = open_archive(L, path, &zip);
    size_t got;

    lua_newtable(L);
    int result = lua_gettop(L);
    while (reason == NULL && zip->done < zip->count) {
        if ((reason = next_member(zip)) != NULL || strstr(zip->member.name, "/data/") != NULL)
            continue;
        char *bytes = lua_newuserdatauv(L, (size_t)zip->member.size + 1, 0);
        reason = gzip_read(&zip->source, bytes, (size_t)zip->member.size, &got);
        lua_pushlstring(L, bytes, got);
        lua_replace(L, result + 1);
        if (reason == NULL)
            reason = add_member(L, zip, result);
    }
    return finish_archive(L, path, zip, result, reason);
}

/* Pushes the elements of a member, of which `name` is the encoding. */
static Reason read_storage(lua_State *L, const char *path, ZipReader *zip, const char *name,
                           bool is_big_endian)
{
    Encoding encoding = encoding_find(name);
    const EncodingInfo *info = &encoding_info[encoding];
    int64_t count = zip->member.size / info->width, got;

    if (count * info->width != zip->member.size)
        return refuse(&zip->refusal, "member '%.100s': holds no whole number of elements",
                      zip->member.name);
    Tensor *t = bind_new_file_tensor(L, "load", path, info->dtype, 1, &count);
    Reason reason =
        encoding_read(&zip->source, encoding, is_big_endian, count, tensor_data(t), &got);
    return reason != NULL ? refuse(&zip->refusal, "member '%.100s': %s", zip->member.name, reason)
                          : NULL;
}

/*
 * torch_storages(path, table of name and encoding, is big endian) -> table of name and tensor of the
 * members named; or nil and a message
 */
static int core_torch_storages(lua_State *L)
{
    enum { WANTED = 2, IS_BIG_ENDIAN };
    const char *path = bind_string(L, "load", 1, "a path"), *encoding;
    luaL_checktype(L, WANTED, LUA_TTABLE);
    bool is_big_endian = lua_toboolean(L, IS_BIG_ENDIAN);
    ZipReader *zip;
    Reason reason = open_archive(L, path, &zip);

    lua_newtable(L);
    int result = lua_gettop(L);
    while (reason == NULL && zip->done < zip->count) {
        if ((reason = next_member(zip)) != NULL)
            continue;
        lua_getfield(L, WANTED, zip->member.name);
        encoding = bind_to_string(L, -1);
        lua_settop(L, result);
        if (encoding == NULL || encoding_find(encoding) == ENCODING_COUNT)
            continue;
        reason = read_storage(L, path, zip, encoding, is_big_endian);
        if (reason == NULL)
            reason = add_member(L, zip, result);
    }
    return finish_archive(L, path, zip, result, reason);
}

/*
 * elements_read(path, encoding, offset, count) -> a tensor [count] of the little-endian elements
 * that stand in a file from byte `offset` on; or nil and a message
 */
static int core_elements_read(lua_State *L)
{
    enum { ENCODING = 2, OFFSET, COUNT };
    const char *path = bind_string(L, "load", 1, "a path");
    Encoding encoding = encoding_find(bind_string(L, "load", ENCODING, "an encoding"));
    int64_t offset = bind_integer(L, "load", OFFSET, "an offset");
    int64_t count = bind_integer(L, "load", COUNT, "a number of elements"), got = 0;
    GzipReader *source = bind_push_reader(L, "wrun.elements_file", sizeof(*source), close_source);
    int descriptor = bind_open_file(path);
    struct stat status;

    if (descriptor < 0)
        return bind_refuse_file(L, path, strerror(errno));
    Reason reason = gzip_open(source, descriptor);
    if (reason == NULL && fstat(descriptor, &status) != 0)
        reason = strerror(errno);
    if (reason == NULL &&
        (encoding == ENCODING_COUNT || offset < 0 || offset > status.st_size || count < 0 ||
         count > (status.st_size - offset) / encoding_info[encoding].width))
        reason = "truncated within its elements";
    if (reason != NULL)
        return bind_refuse_file(L, path, reason);
    const EncodingInfo *info = &encoding_info[encoding];
    Tensor *t = bind_new_file_tensor(L, "load", path, info->dtype, 1, &count);
    reason = gzip_part(source, offset, count * info->width, false);
    if (reason == NULL)
        reason = encoding_read(source, encoding, false, count, tensor_data(t), &got);
    if (reason == NULL && got < count * info->width)
        reason = "truncated within its elements";
    return reason != NULL ? bind_refuse_file(L, path, reason) : 1;
}

/* the whole numbers of the list at `index`; -1 where they are no sizes */
static int read_sizes(lua_State *L, int index, int64_t *sizes)
{
    luaL_checktype(L, index, LUA_TTABLE);
    lua_Unsigned n = lua_rawlen(L, index);

    for (lua_Unsigned i = 0; i < n && n <= MAX_RANK; i++) {
        bool is_size =
            lua_rawgeti(L, index, (lua_Integer)i + 1) == LUA_TNUMBER && lua_isinteger(L, -1);
        sizes[i] = is_size ? lua_tointeger(L, -1) : -1;
        lua_pop(L, 1);
        if (sizes[i] < 0)
            return -1;
    }
    return n <= MAX_RANK ? (int)n : -1;
}

/* Do elements of this shape, so many steps apart, lie among `count`? */
static bool lies_within(int ndim, const int64_t *shape, const int64_t *stride, int64_t offset,
                        int64_t count)
{
    int64_t numel, last = offset, step;

    if (shape_count(ndim, shape, &numel) != NULL || offset < 0 || offset > count)
        return false;
    for (int d = 0; numel > 0 && d < ndim; d++)
        if (__builtin_mul_overflow(shape[d] - 1, stride[d], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    return numel == 0 || last < count;
}

/*
 * strided(storage, sizes, strides, offset) -> the elements of a tensor [n] that lie so, counted from
 * 0; or nil where they do not lie in it
 */
static int core_strided(lua_State *L)
{
    enum { SIZES = 2, STRIDES, OFFSET };
    View v;
    tensor_view(bind_tensor(L, "strided", 1), &v);
    int64_t count = view_numel(&v), offset = bind_integer(L, "strided", OFFSET, "an offset");
    int n = read_sizes(L, SIZES, v.shape), strides = read_sizes(L, STRIDES, v.stride);

    if (n < 0 || strides != n || !lies_within(n, v.shape, v.stride, offset, count)) {
        lua_pushnil(L);
        return 1;
    }
    v.ndim = n;
    v.data += offset * dtype_size(v.dtype);
    bind_new_view(L, 1, &v)->is_view = false;
    return 1;
}

static const luaL_Reg torch_functions[] = {
    {"torch_texts", core_torch_texts},
    {"torch_storages", core_torch_storages},
    {"elements_read", core_elements_read},
    {"strided", core_strided},
    {NULL, NULL},
};

void bind_open_torch(lua_State *L)
{
    bind_register(L, torch_functions);
}
