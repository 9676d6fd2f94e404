/*
 * bind_data.c - files of arrays and of named tensors (layer 4)
 *
 * For wrun.data and wrun.save, which check what users give. A file that is missing or bad gives nil
 * and a message. An open reader hangs in a userdata that is closed when the function is left, by an
 * error too.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "bind.h"
#include "csv.h"
#include "safetensors.h"
#include "zip.h"

/* nil, "PATH: REASON" */
static int refuse_file(lua_State *L, const char *path, Reason reason)
{
    lua_pushnil(L);
    lua_pushfstring(L, "%s: %s", path, reason);
    return 2;
}

/* true, or nil and why not */
static int push_outcome(lua_State *L, const char *path, Reason reason)
{
    if (reason != NULL)
        return refuse_file(L, path, reason);
    lua_pushboolean(L, true);
    return 1;
}

static int open_file(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

/*
 * Pushes a userdata of `size` zero bytes that begins with a GzipReader, and is closed by `close`
 * when the function that called this is left.
 */
static void *push_reader(lua_State *L, const char *type, size_t size, lua_CFunction close)
{
    GzipReader *reader = memset(lua_newuserdatauv(L, size, 0), 0, size);

    reader->descriptor = -1;
    if (luaL_newmetatable(L, type)) {
        lua_pushcfunction(L, close);
        lua_setfield(L, -2, "__gc");
        lua_pushcfunction(L, close);
        lua_setfield(L, -2, "__close");
    }
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return reader;
}

/* what is written must lie row by row; the caller sees to it */
static const Tensor *check_contiguous(lua_State *L, const char *f, int index)
{
    Tensor *t = bind_tensor(L, f, index);
    if (!t->is_contiguous)
        bind_fail_argument(L, f, index, "a contiguous tensor");
    return t;
}

/* ---- NPY and NPZ ---- */

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
static Reason read_array(lua_State *L, const char *f, NpyReader *array)
{
    int n = array->ndim;
    int64_t shape[MAX_RANK];

    for (int d = 0; d < n; d++)
        shape[d] = array->shape[array->is_fortran ? n - 1 - d : d];
    Tensor *t = bind_new_tensor(L, f, element_info[array->element].dtype, n, shape);
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
    const char *path = luaL_checkstring(L, 1);
    NpyFile *file = push_reader(L, "wrun.npy_file", sizeof(*file), close_source);
    int descriptor = open_file(path);

    if (descriptor < 0)
        return refuse_file(L, path, strerror(errno));
    Reason reason = gzip_open(&file->source, descriptor);
    if (reason == NULL)
        reason = npy_open(&file->array, &file->source, gzip_bound(&file->source));
    if (reason == NULL)
        reason = read_array(L, "npy_read", &file->array);
    return reason != NULL ? refuse_file(L, path, reason) : 1;
}

/* npy_save(path, contiguous tensor) -> true, or nil and a message */
static int core_npy_save(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    const Tensor *t = check_contiguous(L, "npy_save", 2);

    return push_outcome(L, path, npy_save(path, (DType)t->dtype, t->ndim, t->dims, tensor_data(t)));
}

typedef struct {
    ZipReader zip;
    NpyReader array;
} NpzFile;

/* sets the next member in the table at `result`: its name without .npy, and its tensor */
static Reason read_member(lua_State *L, NpzFile *file, int result, const char **member)
{
    enum { ENDING = 4 };
    Reason reason = zip_next(&file->zip);
    const char *name = file->zip.member.name;
    size_t length = strlen(name);

    if (reason != NULL)
        return reason;
    *member = name;
    if (length <= ENDING || strcmp(name + length - ENDING, ".npy") != 0)
        return "is no array (its name must end with .npy)";
    if ((reason = npy_open(&file->array, &file->zip.source, file->zip.member.size)) != NULL)
        return reason;
    lua_pushlstring(L, name, length - ENDING);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, result) != LUA_TNIL)
        return "stands there twice";
    lua_pop(L, 1);
    if ((reason = read_array(L, "npz_read", &file->array)) != NULL)
        return reason;
    *member = NULL;
    if ((reason = zip_check(&file->zip)) != NULL)
        return reason;
    lua_insert(L, result + 2);
    lua_settop(L, result + 2);
    lua_rawset(L, result);
    return NULL;
}

/* npz_read(path) -> table of name and tensor, or nil and a message */
static int core_npz_read(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1), *member = NULL;
    NpzFile *file = push_reader(L, "wrun.npz_file", sizeof(*file), close_source);
    int descriptor = open_file(path);

    if (descriptor < 0)
        return refuse_file(L, path, strerror(errno));
    Reason reason = zip_open(&file->zip, descriptor);
    lua_newtable(L);
    int result = lua_gettop(L);
    while (reason == NULL && file->zip.done < file->zip.count)
        reason = read_member(L, file, result, &member);
    if (reason == NULL)
        reason = zip_finish(&file->zip);
    if (reason == NULL) {
        lua_settop(L, result);
        return 1;
    }
    lua_pushnil(L);
    if (member != NULL)
        lua_pushfstring(L, "%s: member '%s': %s", path, member, reason);
    else
        lua_pushfstring(L, "%s: %s", path, reason);
    return 2;
}

/* npz_save(path, list of names, list of contiguous tensors, deflated) -> true, or nil and why */
static int core_npz_save(lua_State *L)
{
    enum { NAMES = 2, TENSORS, DEFLATED };
    const char *path = luaL_checkstring(L, 1);
    luaL_checktype(L, NAMES, LUA_TTABLE);
    luaL_checktype(L, TENSORS, LUA_TTABLE);
    lua_Integer count = luaL_len(L, NAMES);
    ZipArray *arrays = lua_newuserdatauv(L, (size_t)count * sizeof(*arrays) + 1, 0);

    for (lua_Integer i = 0; i < count; i++) { /* both stay alive in their tables */
        lua_rawgeti(L, NAMES, i + 1);
        lua_rawgeti(L, TENSORS, i + 1);
        const Tensor *t = check_contiguous(L, "npz_save", lua_gettop(L));
        arrays[i] = (ZipArray){.name = luaL_checkstring(L, -2),
                               .dtype = (DType)t->dtype,
                               .ndim = t->ndim,
                               .shape = t->dims,
                               .elements = tensor_data(t)};
        lua_pop(L, 2);
    }
    return push_outcome(L, path, zip_save(path, arrays, count, lua_toboolean(L, DEFLATED)));
}

/* ---- safetensors ---- */

static int close_safetensors(lua_State *L)
{
    safetensors_close(lua_touserdata(L, 1));
    return 0;
}

static void push_metadata(lua_State *L, const json_t *header)
{
    const char *name;
    json_t *value;

    lua_newtable(L);
    json_object_foreach(json_object_get(header, "__metadata__"), name, value)
    {
        lua_pushstring(L, name);
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
        lua_rawset(L, -3);
    }
}

/* safetensors_read(path) -> table of name and tensor, table of metadata; or nil and a message */
static int core_safetensors_read(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    SafetensorsReader *reader =
        push_reader(L, "wrun.safetensors_file", sizeof(*reader), close_safetensors);
    int descriptor = open_file(path), ndim;
    int64_t shape[MAX_RANK];

    if (descriptor < 0)
        return refuse_file(L, path, strerror(errno));
    Reason reason = safetensors_open(reader, descriptor);
    lua_newtable(L);
    for (int64_t i = 0; i < reader->count && reason == NULL; i++) {
        const SafetensorsEntry *entry = &reader->entries[i];
        lua_pushstring(L, entry->name);
        safetensors_shape(entry, &ndim, shape);
        Tensor *t =
            bind_new_tensor(L, "safetensors_read", element_info[entry->element].dtype, ndim, shape);
        reason = safetensors_read(reader, i, tensor_data(t));
        lua_rawset(L, -3);
    }
    if (reason == NULL)
        reason = safetensors_finish(reader);
    if (reason != NULL)
        return refuse_file(L, path, reason);
    push_metadata(L, reader->header);
    return 2;
}

/*
 * safetensors_save(path, list of names, list of contiguous tensors, list of metadata: names and
 * texts in turns) -> true, or nil and a message
 */
static int core_safetensors_save(lua_State *L)
{
    enum { NAMES = 2, TENSORS, TEXTS };
    const char *path = luaL_checkstring(L, 1);
    for (int i = NAMES; i <= TEXTS; i++)
        luaL_checktype(L, i, LUA_TTABLE);
    lua_Integer count = luaL_len(L, NAMES), text_count = luaL_len(L, TEXTS);
    SafetensorsItem *items = lua_newuserdatauv(L, (size_t)count * sizeof(*items) + 1, 0);
    const char **texts = lua_newuserdatauv(L, (size_t)text_count * sizeof(*texts) + 1, 0);

    for (lua_Integer i = 0; i < count; i++) { /* all stay alive in their tables */
        lua_rawgeti(L, NAMES, i + 1);
        lua_rawgeti(L, TENSORS, i + 1);
        const Tensor *t = check_contiguous(L, "safetensors_save", lua_gettop(L));
        items[i] = (SafetensorsItem){.name = luaL_checkstring(L, -2),
                                     .dtype = (DType)t->dtype,
                                     .ndim = t->ndim,
                                     .shape = t->dims,
                                     .elements = tensor_data(t),
                                     .size = t->numel * dtype_size((DType)t->dtype)};
        lua_pop(L, 2);
    }
    for (lua_Integer i = 0; i < text_count; i++) {
        lua_rawgeti(L, TEXTS, i + 1);
        texts[i] = luaL_checkstring(L, -1);
        lua_pop(L, 1);
    }
    return push_outcome(L, path, safetensors_save(path, items, count, texts, text_count / 2));
}

/* ---- CSV ---- */

/* a list of names from the first row */
static Reason push_header(lua_State *L, CsvReader *reader)
{
    Reason reason;

    lua_newtable(L);
    do {
        if ((reason = csv_field(reader)) != NULL || reader->is_over)
            return reason;
        if (reader->length > CSV_FIELD)
            return "a name in the header is too long";
        lua_pushlstring(L, reader->field, reader->length);
        lua_rawseti(L, -2, reader->column);
    } while (!reader->ends_row);
    return NULL;
}

/* wanted[] from the list of columns on top, which must stay there */
static void choose_columns(lua_State *L, CsvReader *reader)
{
    lua_Integer count = luaL_len(L, -1), last = 0;

    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        last = size_max(last, lua_tointeger(L, -1));
        lua_pop(L, 1);
    }
    bool *wanted = memset(lua_newuserdatauv(L, (size_t)last + 1, 0), 0, (size_t)last + 1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -2, i);
        wanted[lua_tointeger(L, -1) - 1] = true;
        lua_pop(L, 1);
    }
    reader->wanted = wanted;
    reader->wanted_count = last;
}

/* Pushes the numbers of the whole text as a flat tensor, collected in blocks that grow. */
static Reason push_numbers(lua_State *L, CsvReader *reader)
{
    enum { FIRST = 1 << 12, LARGEST = 1 << 24 };
    int64_t size = dtype_size(reader->dtype), total = 0, part, got, capacity = FIRST;
    int blocks = 0;
    Reason reason;

    lua_newtable(L);
    do {
        void *block = lua_newuserdatauv(L, (size_t)(capacity * size), 0);
        lua_rawseti(L, -2, ++blocks);
        if ((reason = csv_numbers(reader, block, capacity, &got)) != NULL)
            return reason;
        total += got;
        part = capacity;
        capacity = size_min(2 * capacity, LARGEST);
    } while (got == part);
    char *to = tensor_data(bind_new_tensor(L, "csv", reader->dtype, 1, &total));
    capacity = FIRST;
    for (int i = 1; i <= blocks; i++, capacity = size_min(2 * capacity, LARGEST)) {
        int64_t bytes = size * size_min(capacity, total);
        lua_rawgeti(L, -2, i);
        memcpy(to, lua_touserdata(L, -1), (size_t)bytes);
        lua_pop(L, 1);
        to += bytes;
        total -= bytes / size;
    }
    return NULL;
}

/*
 * csv_read(path, dtype, separator, skip, whether empty fields are NaN, whether there is a header,
 * choose) -> flat tensor, number of rows, fields a row, names or nil; or nil and a message.
 * choose(names) returns a list of wanted columns, or nil for all.
 */
static int core_csv_read(lua_State *L)
{
    enum { DTYPE = 2, SEPARATOR, SKIP, MISSING, HEADER, CHOOSE };
    const char *path = luaL_checkstring(L, 1);
    CsvReader *reader = push_reader(L, "wrun.csv_file", sizeof(*reader), close_source);
    int descriptor = open_file(path);

    if (descriptor < 0)
        return refuse_file(L, path, strerror(errno));
    dtype_find(luaL_checkstring(L, DTYPE), &reader->dtype);
    reader->separator = luaL_checkstring(L, SEPARATOR)[0];
    reader->missing_is_nan = lua_toboolean(L, MISSING);
    Reason reason = csv_open(reader, descriptor, luaL_checkinteger(L, SKIP));
    lua_pushnil(L);
    if (reason == NULL && lua_toboolean(L, HEADER)) {
        reason = push_header(L, reader);
        reader->rows = 0;
    }
    if (reason != NULL)
        return refuse_file(L, path, reason);
    int names = lua_gettop(L);
    lua_pushvalue(L, CHOOSE);
    lua_pushvalue(L, names);
    lua_call(L, 1, 1);
    if (!lua_isnil(L, -1))
        choose_columns(L, reader);
    if ((reason = push_numbers(L, reader)) != NULL)
        return refuse_file(L, path, reason);
    lua_pushinteger(L, reader->rows);
    lua_pushinteger(L, reader->width);
    lua_pushvalue(L, names);
    return 4;
}

/* csv_save(path, contiguous matrix, separator, list of names or nil) -> true, or nil and why */
static int core_csv_save(lua_State *L)
{
    enum { MATRIX = 2, SEPARATOR, NAMES };
    const char *path = luaL_checkstring(L, 1);
    const Tensor *t = check_contiguous(L, "save_csv", MATRIX);
    const char separator = luaL_checkstring(L, SEPARATOR)[0], **names = NULL;

    if (!lua_isnil(L, NAMES)) {
        names = lua_newuserdatauv(L, (size_t)t->dims[1] * sizeof(*names) + 1, 0);
        for (int64_t j = 0; j < t->dims[1]; j++) { /* they stay alive in their table */
            lua_rawgeti(L, NAMES, j + 1);
            names[j] = luaL_checkstring(L, -1);
            lua_pop(L, 1);
        }
    }
    return push_outcome(
        L, path,
        csv_save(path, (DType)t->dtype, t->dims[0], t->dims[1], tensor_data(t), separator, names));
}

/* ---- records ---- */

/*
 * records_read(path, most, width) -> uint8 tensor [most, width] and how many of its rows hold the
 * records of the file, or nil and a message
 */
static int core_records_read(lua_State *L)
{
    const char *path = luaL_checkstring(L, 1);
    int64_t shape[2] = {luaL_checkinteger(L, 2), luaL_checkinteger(L, 3)};
    GzipReader *source = push_reader(L, "wrun.records_file", sizeof(*source), close_source);
    int descriptor = open_file(path);

    if (descriptor < 0)
        return refuse_file(L, path, strerror(errno));
    Reason reason = gzip_open(source, descriptor);
    if (reason != NULL)
        return refuse_file(L, path, reason);
    Tensor *records = bind_new_tensor(L, "records_read", UINT8, 2, shape);
    size_t got, more;
    unsigned char extra; /* to ask for it also verifies the check sum at the end of gzip data */
    if ((reason = gzip_read(source, tensor_data(records), (size_t)records->numel, &got)) != NULL ||
        (reason = gzip_read(source, &extra, 1, &more)) != NULL)
        return refuse_file(L, path, reason);
    if (got == 0 || more > 0 || (int64_t)got % shape[1] != 0) {
        lua_pushnil(L);
        lua_pushfstring(L, "%s: expected 1 to %I records of %I bytes, found %s%I bytes", path,
                        (LUAI_UACINT)shape[0], (LUAI_UACINT)shape[1], more > 0 ? "more than " : "",
                        (LUAI_UACINT)got);
        return 2;
    }
    lua_pushinteger(L, (int64_t)got / shape[1]);
    return 2;
}

void bind_open_data(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"npy_read", core_npy_read},
        {"npy_save", core_npy_save},
        {"npz_read", core_npz_read},
        {"npz_save", core_npz_save},
        {"safetensors_read", core_safetensors_read},
        {"safetensors_save", core_safetensors_save},
        {"csv_read", core_csv_read},
        {"csv_save", core_csv_save},
        {"records_read", core_records_read},
        {NULL, NULL},
    };

    bind_register(L, functions);
}
