/*
 * bind_check.c - arguments and options; see bind_check.h
 */
#include <string.h>

#include "bind/bind_check.h"

/* ---- arguments ---- */

bool bind_to_scalar(lua_State *L, int index, Scalar *out)
{
    switch (lua_type(L, index)) {
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) {
            int64_t i = lua_tointeger(L, index);
            *out = (Scalar){CATEGORY_INTEGER, i, (double)i};
        } else {
            double d = lua_tonumber(L, index);
            *out = (Scalar){CATEGORY_FLOAT, dtype_truncate(d), d};
        }
        return true;
    case LUA_TBOOLEAN: {
        bool b = lua_toboolean(L, index);
        *out = (Scalar){CATEGORY_BOOL, b, b};
        return true;
    }
    default:
        return false;
    }
}

Scalar bind_scalar(lua_State *L, const char *f, int index)
{
    Scalar s;
    Tensor *t;
    if (bind_to_scalar(L, index, &s))
        return s;
    if ((t = bind_to_tensor(L, index)) != NULL && t->numel == 1)
        return dtype_load((DType)t->dtype, tensor_data(t));
    bind_fail_argument(L, f, index, "a number");
}

int64_t bind_integer(lua_State *L, const char *f, int index, const char *expected)
{
    int is_integer = 0;
    int64_t i = lua_type(L, index) == LUA_TNUMBER ? lua_tointegerx(L, index, &is_integer) : 0;
    if (!is_integer)
        bind_fail_argument(L, f, index, expected);
    return i;
}

const char *bind_to_string(lua_State *L, int index)
{
    size_t length;
    const char *text = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;
    return text != NULL && strlen(text) == length ? text : NULL;
}

const char *bind_string(lua_State *L, const char *f, int index, const char *expected)
{
    if (lua_type(L, index) != LUA_TSTRING)
        bind_fail_argument(L, f, index, expected);
    const char *text = bind_to_string(L, index);
    if (text == NULL)
        bind_fail_argument(L, f, index, lua_pushfstring(L, "%s without zero bytes", expected));
    return text;
}

const char *bind_bytes(lua_State *L, const char *f, int index, size_t *size)
{
    if (lua_type(L, index) != LUA_TSTRING)
        bind_fail_argument(L, f, index, "a string");
    return lua_tolstring(L, index, size);
}

const char *bind_lua_string(lua_State *L, int index, const char *otherwise)
{
    size_t length;
    if (lua_isnil(L, index))
        return otherwise;
    const char *text = luaL_checklstring(L, index, &length);
    luaL_argcheck(L, strlen(text) == length, index, "string contains zeros");
    return text;
}

double bind_number(lua_State *L, const char *f, int index, const char *expected)
{
    if (lua_type(L, index) != LUA_TNUMBER)
        bind_fail_argument(L, f, index, expected);
    return lua_tonumber(L, index);
}

int bind_dimension_in(lua_State *L, const char *f, int index, int value, int ndim)
{
    int is_integer = 0;
    int64_t d = lua_type(L, value) == LUA_TNUMBER ? lua_tointegerx(L, value, &is_integer) : 0;
    if (!is_integer)
        bind_fail(L, "%s: argument %d: expected a dimension, got %s", f, index,
                  bind_describe(L, value));
    int n = ndim > 0 ? ndim : 1; /* a number without dimensions takes 1 and -1 */
    if (d < -n || d > n || d == 0)
        bind_fail(L, "%s: argument %d: expected a dimension from 1 to %d or from -%d to -1, got %I",
                  f, index, n, n, (LUAI_UACINT)d);
    return (int)(d > 0 ? d - 1 : d + n);
}

int bind_dimension(lua_State *L, const char *f, int index, int ndim)
{
    return bind_dimension_in(L, f, index, index, ndim);
}

void bind_check_list(lua_State *L, const char *f, int index, const char *noun)
{
    lua_Unsigned count = lua_rawlen(L, index), keys = 0;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        keys++;
    if (keys != count)
        bind_fail(L, "%s: argument %d: expected only %s in this table, without names", f, index,
                  noun);
}

int64_t bind_element_index(lua_State *L, const char *f, int64_t index, int64_t n, int shown)
{
    int64_t i = index < 0 ? index + n : index - 1;
    if (n == 0)
        bind_fail(L, "%s: dimension %d is empty, got the index %I", f, shown, (LUAI_UACINT)index);
    if (index == 0 || i < 0 || i >= n)
        bind_fail(L, "%s: expected an index from 1 to %I (or -%I to -1) in dimension %d, got %I", f,
                  (LUAI_UACINT)n, (LUAI_UACINT)n, shown, (LUAI_UACINT)index);
    return i;
}

static int64_t check_size(lua_State *L, const char *f, int index, int value)
{
    int is_integer = 0;
    int64_t size = lua_type(L, value) == LUA_TNUMBER ? lua_tointegerx(L, value, &is_integer) : 0;
    if (!is_integer)
        bind_fail(L, "%s: argument %d: expected a size, got %s", f, index, bind_describe(L, value));
    return size;
}

/* Is it a table that no object is? What x.shape gives is one. */
static bool is_plain(lua_State *L, int index)
{
    if (lua_getmetatable(L, index) == 0)
        return true;
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_SIZE_TYPE);
    bool is_size = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_size;
}

int bind_sizes(lua_State *L, const char *f, int first, int64_t *sizes, int *next)
{
    int n = 0;
    if (lua_type(L, first) == LUA_TTABLE && is_plain(L, first)) {
        lua_Unsigned count = lua_rawlen(L, first);
        if (count == 0 && lua_next(L, (lua_pushnil(L), first)) != 0) {
            lua_pop(L, 2); /* an options table: no sizes at all */
            *next = first;
            return 0;
        }
        if (count > MAX_RANK)
            bind_fail(L, "%s: argument %d: expected at most %d dimensions, got %I", f, first,
                      MAX_RANK, (LUAI_UACINT)count);
        for (; n < (int)count; n++) {
            lua_rawgeti(L, first, n + 1);
            sizes[n] = check_size(L, f, first, lua_gettop(L));
            lua_pop(L, 1);
        }
        lua_Unsigned keys = 0;
        for (lua_pushnil(L); lua_next(L, first) != 0; lua_pop(L, 1))
            keys++;
        if (keys != count)
            bind_fail(L,
                      "%s: argument %d: expected only sizes in this table; "
                      "options go into the next",
                      f, first);
        *next = first + 1;
        return n;
    }
    for (; lua_type(L, first + n) == LUA_TNUMBER; n++) {
        if (n == MAX_RANK)
            bind_fail(L, "%s: argument %d: expected at most %d dimensions", f, first + n, MAX_RANK);
        sizes[n] = check_size(L, f, first + n, first + n);
    }
    *next = first + n;
    if (!lua_isnoneornil(L, *next) && lua_type(L, *next) != LUA_TTABLE)
        bind_fail_argument(L, f, *next, "a size");
    return n;
}

void bind_check_float(lua_State *L, const char *f, int index, const Tensor *t)
{
    if (!tensor_is_float(t))
        bind_fail_argument(L, f, index, "a float32 or float64 tensor");
}

/* ---- options ---- */

void bind_check_options(lua_State *L, const char *f, int index, const char *const *known)
{
    if (lua_isnoneornil(L, index))
        return;
    if (lua_type(L, index) != LUA_TTABLE)
        bind_fail_argument(L, f, index, "a table of options");
    if (!lua_isnoneornil(L, index + 1))
        bind_fail_argument(L, f, index + 1, "nothing behind the table of options");
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        const char *name = bind_to_string(L, -1);
        bool found = false;
        for (int i = 0; known[i] != NULL; i++)
            found |= name != NULL && strcmp(name, known[i]) == 0;
        if (found)
            continue;
        luaL_tolstring(L, -1, NULL);
        bind_escape(L);
        name = lua_tostring(L, -1);
        luaL_Buffer list;
        luaL_buffinit(L, &list);
        for (int i = 0; known[i] != NULL; i++) {
            if (i > 0)
                luaL_addstring(&list, ", ");
            luaL_addstring(&list, known[i]);
        }
        luaL_pushresult(&list);
        bind_fail(L, "%s: option %s: unknown; the options are %s", f, name, lua_tostring(L, -1));
    }
}

void bind_push_option(lua_State *L, const char *f, int index, const char *name, int type,
                      const char *expected)
{
    if (lua_isnoneornil(L, index))
        lua_pushnil(L);
    else if (lua_getfield(L, index, name) != LUA_TNIL && lua_type(L, -1) != type)
        bind_fail(L, "%s: option %s: expected %s, got %s", f, name, expected,
                  bind_describe(L, lua_gettop(L)));
}

const char *bind_push_option_string(lua_State *L, const char *f, int index, const char *name,
                                    const char *expected)
{
    bind_push_option(L, f, index, name, LUA_TSTRING, expected);
    const char *text = bind_to_string(L, -1);
    if (text == NULL && !lua_isnil(L, -1))
        bind_fail(L, "%s: option %s: expected %s without zero bytes, got %s", f, name, expected,
                  bind_describe(L, lua_gettop(L)));
    return text;
}

DType bind_option_dtype(lua_State *L, const char *f, int index, DType otherwise)
{
    DType dtype = otherwise;
    bind_push_option(L, f, index, "dtype", LUA_TSTRING, DTYPE_NAMES);
    const char *name = bind_to_string(L, -1);
    if (!lua_isnil(L, -1) && (name == NULL || !dtype_find(name, &dtype)))
        bind_fail(L, "%s: option dtype: expected " DTYPE_NAMES ", got %s", f,
                  bind_describe(L, lua_gettop(L)));
    lua_pop(L, 1);
    return dtype;
}

bool bind_option_boolean(lua_State *L, const char *f, int index, const char *name, bool otherwise)
{
    bind_push_option(L, f, index, name, LUA_TBOOLEAN, "true or false");
    bool value = lua_isnil(L, -1) ? otherwise : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

void bind_option_requires_grad(lua_State *L, const char *f, int index, Tensor *t)
{
    if (!bind_option_boolean(L, f, index, "requires_grad", false))
        return;
    if (!tensor_is_float(t))
        bind_fail(L,
                  "%s: option requires_grad: only float32 and float64 tensors have gradients, "
                  "got %s",
                  f, dtype_info[t->dtype].name);
    t->requires_grad = true;
}
