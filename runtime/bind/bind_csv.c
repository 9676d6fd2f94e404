/*
 * bind_csv.c - files of comma-separated numbers
 */
#include <errno.h>
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_file.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "formats/csv.h"
#include "formats/number.h"

static int close_csv(lua_State *L)
{
    gzip_close(lua_touserdata(L, 1));
    return 0;
}

/* a list of names from the first row */
static Reason push_header(lua_State *L, CsvReader *reader)
{
    Reason reason;

    lua_newtable(L);
    do {
        if ((reason = csv_field(reader)) != NULL || reader->is_over)
            return reason;
        if (reader->length > CSV_FIELD)
            return csv_long_name;
        lua_pushlstring(L, reader->field, reader->length);
        lua_rawseti(L, -2, reader->column);
    } while (!reader->ends_row);
    return NULL;
}

/* wanted[] from the ascending list of columns on top, which must stay there */
static void choose_columns(lua_State *L, CsvReader *reader)
{
    int64_t count = (int64_t)lua_rawlen(L, -1);
    int64_t *wanted = lua_newuserdatauv(L, (size_t)(count + 1) * sizeof(*wanted), 0);

    for (int64_t i = 0; i < count; i++) {
        lua_rawgeti(L, -2, i + 1);
        wanted[i] = lua_tointeger(L, -1);
        lua_pop(L, 1);
    }
    reader->wanted = wanted;
    reader->wanted_count = count;
}

/* Pushes the numbers of the whole text as a flat tensor, collected in blocks that grow. */
static Reason push_numbers(lua_State *L, const char *path, CsvReader *reader)
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
    char *to = tensor_data(bind_new_file_tensor(L, "csv", path, reader->dtype, 1, &total));
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
 * choose(names) returns a list of wanted columns, ascending, or nil for all.
 */
static int core_csv_read(lua_State *L)
{
    enum { DTYPE = 2, SEPARATOR, SKIP, MISSING, HEADER, CHOOSE };
    const char *path = bind_string(L, "csv", 1, "a path");
    CsvReader *reader = bind_push_reader(L, "wrun.csv_file", sizeof(*reader), close_csv);
    int descriptor = bind_open_file(path);

    if (descriptor < 0)
        return bind_refuse_file(L, path, strerror(errno));
    dtype_find(bind_string(L, "csv", DTYPE, DTYPE_NAMES), &reader->dtype);
    reader->separator = bind_string(L, "csv", SEPARATOR, "a separator")[0];
    reader->missing_is_nan = lua_toboolean(L, MISSING);
    Reason reason = csv_open(reader, descriptor, luaL_checkinteger(L, SKIP));
    lua_pushnil(L);
    if (reason == NULL && lua_toboolean(L, HEADER)) {
        reason = push_header(L, reader);
        reader->rows = 0;
    }
    if (reason != NULL)
        return bind_refuse_file(L, path, reason);
    int names = lua_gettop(L);
    lua_pushvalue(L, CHOOSE);
    lua_pushvalue(L, names);
    lua_call(L, 1, 1);
    if (!lua_isnil(L, -1))
        choose_columns(L, reader);
    if ((reason = push_numbers(L, path, reader)) != NULL)
        return bind_refuse_file(L, path, reason);
    lua_pushinteger(L, reader->rows);
    lua_pushinteger(L, reader->width);
    lua_pushvalue(L, names);
    return 4;
}

/* csv_save(path, contiguous matrix, separator, list of names or nil) -> true, or nil and why */
static int core_csv_save(lua_State *L)
{
    enum { MATRIX = 2, SEPARATOR, NAMES };
    const char *path = bind_string(L, "save_csv", 1, "a path");
    const Tensor *t = bind_contiguous(L, "save_csv", MATRIX);
    const char separator = bind_string(L, "save_csv", SEPARATOR, "a separator")[0], **names = NULL;

    if (!lua_isnil(L, NAMES)) {
        names = lua_newuserdatauv(L, (size_t)t->dims[1] * sizeof(*names) + 1, 0);
        for (int64_t j = 0; j < t->dims[1]; j++) { /* they stay alive in their table */
            lua_rawgeti(L, NAMES, j + 1);
            names[j] = bind_to_string(L, -1);
            if (names[j] == NULL)
                bind_fail(L, "save_csv: option header: expected names without zero bytes, got %s",
                          bind_describe(L, lua_gettop(L)));
            lua_pop(L, 1);
        }
    }
    return bind_push_outcome(
        L, path,
        csv_save(path, (DType)t->dtype, t->dims[0], t->dims[1], tensor_data(t), separator, names));
}

/* number_text(x) -> the float with as few digits as bring it back, the same in every locale */
static int core_number_text(lua_State *L)
{
    char text[NUMBER_TEXT];
    int length = number_write(bind_number(L, "number_text", 1, "a number"), false, text);

    lua_pushlstring(L, text, (size_t)length);
    return 1;
}

static const luaL_Reg csv_functions[] = {
    {"number_text", core_number_text},
    {"csv_read", core_csv_read},
    {"csv_save", core_csv_save},
    {NULL, NULL},
};

void bind_open_csv(lua_State *L)
{
    bind_register(L, csv_functions);
    lua_pushinteger(L, CSV_FIELD);
    lua_setfield(L, -2, "csv_field");
}
