/*
 * bind_npy.c - NumPy's files of arrays, NPY and NPZ
 */
#include <errno.h>
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "formats/content.h"
#include "formats/zip.h"

typedef struct {
    GzipReader source;
    NpyReader array;
} NpyFile;

static int close_source(lua_State *L)
{
    gzip_close(lua_touserdata(L, 1));
    return 0;
}

/* Pushes the array that was opened; on a Reason it pushes nothing of use. */
static Reason read_array(lua_State *L, const char *f, const char *path, NpyReader *array)
{
    int n = array->ndim;
    int64_t shape[MAX_RANK];

    for (int d = 0; d < n; d++)
        shape[d] = array->shape[array->is_fortran ? n - 1 - d : d];
    Tensor *t = bind_new_file_tensor(L, f, path, encoding_info[array->encoding].dtype, n, shape);
    Reason reason = npy_read(array, tensor_data(t));
    if (reason != NULL || !array->is_fortran || n < 2)
        return reason;
    View v;
    tensor_view(t, &v);
    for (int d = 0; d < n / 2; d++)
        view_swap(&v, d, n - 1 - d);
    bind_new_copy(L, f, &v, v.dtype);
    return NULL;
}

/* npy_read(path) -> tensor, or nil and a message */
static int core_npy_read(lua_State *L)
{
    const char *path = bind_string(L, "npy", 1, "a path");
    NpyFile *file = bind_push_reader(L, "wrun.npy_file", sizeof(*file), close_source);
    int descriptor = bind_open_file(path);

    if (descriptor < 0)
        return bind_refuse_file(L, path, strerror(errno));
    Reason reason = gzip_open(&file->source, descriptor);
    if (reason == NULL)
        reason = npy_open(&file->array, &file->source, gzip_bound(&file->source));
    if (reason == NULL)
        reason = read_array(L, "npy", path, &file->array);
    return reason != NULL ? bind_refuse_file(L, path, reason) : 1;
}

/* npy_save(path, contiguous tensor) -> true, or nil and a message */
static int core_npy_save(lua_State *L)
{
    const char *path = bind_string(L, "save_npy", 1, "a path");
    const Tensor *t = bind_contiguous(L, "npy_save", 2);

    return bind_push_outcome(L, path,
                             npy_save(path, (DType)t->dtype, t->ndim, t->dims, tensor_data(t)));
}

typedef struct {
    ZipReader zip;
    NpyReader array;
} NpzFile;

/* Notes in the table behind `result` why a whole member is no tensor. */
static Reason leave_member(lua_State *L, NpzFile *file, int result, size_t length, Reason reason)
{
    const char *name = file->zip.member.name;

    lua_pushlstring(L, name, length);
    lua_pushfstring(L, "member '%s': %s", name, reason);
    lua_rawset(L, result + 1);
    return zip_skip(&file->zip);
}

/*
 * Sets the next member in the table at `result`: its name without .npy, and its tensor; or, where
 * it holds what no tensor can, its name and the reason in the table behind.
 */
static Reason read_member(lua_State *L, NpzFile *file, const char *path, int result,
                          const char **member)
{
    enum { ENDING = 4, FIELDS = 2 };
    Reason reason = zip_next(&file->zip);
    const char *name = file->zip.member.name;
    size_t length = strlen(name);

    if (reason != NULL)
        return reason;
    if (length <= ENDING || strcmp(name + length - ENDING, ".npy") != 0)
        return leave_member(L, file, result, length, "is no array (its name must end with .npy)");
    *member = name;
    reason = npy_open(&file->array, &file->zip.source, file->zip.member.size);
    if (reason != NULL && file->array.is_foreign) {
        *member = NULL;
        return leave_member(L, file, result, length - ENDING, reason);
    }
    if (reason != NULL)
        return reason;
    lua_pushlstring(L, name, length - ENDING);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, result) != LUA_TNIL)
        return "stands there twice";
    lua_pop(L, 1);
    if ((reason = read_array(L, "npz", path, &file->array)) != NULL)
        return reason;
    *member = NULL;
    if ((reason = zip_check(&file->zip)) != NULL)
        return reason;
    lua_insert(L, result + FIELDS + 1);
    lua_settop(L, result + FIELDS + 1);
    lua_rawset(L, result);
    return NULL;
}

/* npz_read(path) -> table of name and tensor, table of name and why it is none; or nil and a
 * message */
static int core_npz_read(lua_State *L)
{
    const char *path = bind_string(L, "npz", 1, "a path"), *member = NULL;
    NpzFile *file = bind_push_reader(L, "wrun.npz_file", sizeof(*file), close_source);
    int descriptor = bind_open_file(path);

    if (descriptor < 0)
        return bind_refuse_file(L, path, strerror(errno));
    Reason reason = zip_open(&file->zip, descriptor);
    const GzipReader *source = &file->zip.source;
    if (content_is_torch(source->input, source->z.avail_in))
        reason = content_refuse_bytes(&file->zip.refusal, "data.npz", "not an NPZ archive",
                                      source->input, source->z.avail_in);
    lua_newtable(L);
    int result = lua_gettop(L);
    lua_newtable(L);
    while (reason == NULL && file->zip.done < file->zip.count)
        reason = read_member(L, file, path, result, &member);
    if (reason == NULL)
        reason = zip_finish(&file->zip);
    if (reason == NULL) {
        lua_settop(L, result + 1);
        return 2;
    }
    if (member != NULL)
        return bind_refuse(L, "%s: member '%s': %s", path, member, reason);
    return bind_refuse_file(L, path, reason);
}

/* npz_save(path, list of names, list of contiguous tensors, deflated) -> true, or nil and why */
static int core_npz_save(lua_State *L)
{
    enum { NAMES = 2, TENSORS, DEFLATED };
    const char *path = bind_string(L, "save_npz", 1, "a path");
    luaL_checktype(L, NAMES, LUA_TTABLE);
    luaL_checktype(L, TENSORS, LUA_TTABLE);
    lua_Integer count = luaL_len(L, NAMES);
    ZipArray *arrays = lua_newuserdatauv(L, (size_t)count * sizeof(*arrays) + 1, 0);

    for (lua_Integer i = 0; i < count; i++)
        arrays[i].array = bind_named_array(L, "npz_save", NAMES, TENSORS, i + 1);
    return bind_push_outcome(L, path, zip_save(path, arrays, count, lua_toboolean(L, DEFLATED)));
}

static const luaL_Reg npy_functions[] = {
    {"npy_read", core_npy_read},
    {"npy_save", core_npy_save},
    {"npz_read", core_npz_read},
    {"npz_save", core_npz_save},
    {NULL, NULL},
};

void bind_open_npy(lua_State *L)
{
    bind_register(L, npy_functions);
}
