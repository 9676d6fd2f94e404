/*
 * bind_check.c - errors, and arguments that are checked before anything happens (layer 4); see
 * bind.h
 */
#include <stdarg.h>
#include <string.h>

#include "bind.h"

/* ---- errors ---- */

/* Is the function of this frame one of wrun's own? Its modules have chunk names "=wrun...". */
static bool is_library(const lua_Debug *frame)
{
    return strcmp(frame->what, "C") == 0 || strncmp(frame->source, "=wrun", 5) == 0;
}

/* Puts the text of a local variable `error_context` of this frame, if there is one, before the
 * string on top. */
static void prepend_context(lua_State *L, lua_Debug *frame)
{
    const char *name;
    for (int i = 1; (name = lua_getlocal(L, frame, i)) != NULL; i++) {
        if (strcmp(name, "error_context") != 0 || lua_isnil(L, -1)) {
            lua_pop(L, 1);
            continue;
        }
        luaL_tolstring(L, -1, NULL);
        lua_remove(L, -2);
        lua_pushliteral(L, ": ");
        lua_rotate(L, -3, 2);
        lua_concat(L, 3);
        return;
    }
}

/* the frame at `level`; false where there is none, or it is a script's */
static bool library_frame(lua_State *L, int level, lua_Debug *frame)
{
    frame->currentline = -1;
    if (!lua_getstack(L, level, frame))
        return false;
    lua_getinfo(L, "Sl", frame);
    return is_library(frame);
}

bool bind_push_position(lua_State *L)
{
    lua_Debug frame;
    for (int level = 0; library_frame(L, level, &frame); level++)
        continue;
    if (frame.currentline > 0)
        lua_pushfstring(L, "%s:%d", frame.short_src, frame.currentline);
    return frame.currentline > 0;
}

/* Raises the message on top as an error of the first script line below. */
static _Noreturn void raise(lua_State *L)
{
    luaL_checkstack(L, 8, "no room for an error message");
    lua_Debug frame;
    for (int level = 0; library_frame(L, level, &frame); level++)
        prepend_context(L, &frame);
    if (bind_push_position(L)) {
        lua_pushliteral(L, ": ");
        lua_rotate(L, -3, 2);
        lua_concat(L, 3);
    }
    lua_error(L);
    __builtin_unreachable();
}

void bind_fail(lua_State *L, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    raise(L);
}

/* fail(format, ...): raises as the binding functions do; %s takes anything tostring does */
int bind_core_fail(lua_State *L)
{
    int n = lua_gettop(L);
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_replace(L, -2);
    lua_insert(L, 1);
    lua_call(L, n, 1);
    raise(L);
}

const char *bind_shape_text(lua_State *L, int ndim, const int64_t *shape)
{
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    luaL_addchar(&text, '[');
    for (int d = 0; d < ndim; d++) {
        if (d > 0)
            luaL_addstring(&text, ", ");
        lua_pushinteger(L, shape[d]);
        luaL_addvalue(&text);
    }
    luaL_addchar(&text, ']');
    luaL_pushresult(&text);
    return lua_tostring(L, -1);
}

/* as Lua writes it, but NaN without the sign that the processor gave it */
static void describe_number(lua_State *L, int index)
{
    lua_Number x = lua_tonumber(L, index);
    if (x != x)
        lua_pushliteral(L, "nan");
    else
        luaL_tolstring(L, index, NULL);
}

const char *bind_describe(lua_State *L, int index)
{
    Tensor *t = bind_to_tensor(L, index);
    if (t != NULL) {
        const char *shape = bind_shape_text(L, t->ndim, tensor_shape(t));
        lua_pushfstring(L, "%s %s tensor %s", dtype_info[t->dtype].name[0] == 'i' ? "an" : "a",
                        dtype_info[t->dtype].name, shape);
        lua_remove(L, -2);
    } else {
        switch (lua_type(L, index)) {
        case LUA_TNONE:
            lua_pushliteral(L, "nothing");
            break;
        case LUA_TNIL:
            lua_pushliteral(L, "nil");
            break;
        case LUA_TNUMBER:
            describe_number(L, index);
            break;
        case LUA_TBOOLEAN:
            lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
            break;
        case LUA_TSTRING:
            lua_pushfstring(L, "the string '%s'", lua_tostring(L, index));
            break;
        default:
            lua_pushfstring(L, "a %s", luaL_typename(L, index));
            break;
        }
    }
    return lua_tostring(L, -1);
}

void bind_fail_argument(lua_State *L, const char *f, int index, const char *expected)
{
    bind_fail(L, "%s: argument %d: expected %s, got %s", f, index, expected,
              bind_describe(L, index));
}

/* ---- arguments ---- */

Tensor *bind_to_tensor(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
        return NULL;
    const void *type = lua_topointer(L, -1);
    lua_pop(L, 1);
    return type == bind_runtime(L)->tensor_type ? lua_touserdata(L, index) : NULL;
}

Tensor *bind_tensor(lua_State *L, const char *f, int index)
{
    Tensor *t = bind_to_tensor(L, index);
    if (t == NULL)
        bind_fail_argument(L, f, index, "a tensor");
    return t;
}

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

double bind_number(lua_State *L, const char *f, int index, const char *expected)
{
    if (lua_type(L, index) != LUA_TNUMBER)
        bind_fail_argument(L, f, index, expected);
    return lua_tonumber(L, index);
}

int bind_dimension_in(lua_State *L, const char *f, int index, int place, int ndim)
{
    int is_integer = 0;
    int64_t d = lua_type(L, place) == LUA_TNUMBER ? lua_tointegerx(L, place, &is_integer) : 0;
    if (!is_integer)
        bind_fail(L, "%s: argument %d: expected a dimension, got %s", f, index,
                  bind_describe(L, place));
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

static int64_t check_size(lua_State *L, const char *f, int index, int value)
{
    int is_integer = 0;
    int64_t size = lua_type(L, value) == LUA_TNUMBER ? lua_tointegerx(L, value, &is_integer) : 0;
    if (!is_integer)
        bind_fail(L, "%s: argument %d: expected a size, got %s", f, index, bind_describe(L, value));
    return size;
}

int bind_sizes(lua_State *L, const char *f, int first, int64_t *sizes, int *next)
{
    int n = 0;
    if (lua_type(L, first) == LUA_TTABLE && lua_getmetatable(L, first) == 0) {
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
            bind_fail(
                L, "%s: argument %d: expected only sizes in this table; options go into the next",
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
    if (!dtype_is_float((DType)t->dtype))
        bind_fail_argument(L, f, index, "a float32 or float64 tensor");
}

/* ---- options ---- */

void bind_check_options(lua_State *L, const char *f, int index, const char *const *known)
{
    if (lua_isnoneornil(L, index))
        return;
    if (lua_type(L, index) != LUA_TTABLE)
        bind_fail_argument(L, f, index, "a table of options");
    lua_pushnil(L);
    while (lua_next(L, index)) {
        lua_pop(L, 1);
        const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
        bool found = false;
        for (int i = 0; known[i] != NULL; i++)
            found |= name != NULL && strcmp(name, known[i]) == 0;
        if (found)
            continue;
        name = luaL_tolstring(L, -1, NULL);
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

/* pushes the field and returns true, or pushes nothing */
static bool push_option(lua_State *L, int index, const char *name)
{
    if (lua_isnoneornil(L, index))
        return false;
    if (lua_getfield(L, index, name) != LUA_TNIL)
        return true;
    lua_pop(L, 1);
    return false;
}

DType bind_option_dtype(lua_State *L, const char *f, int index, DType otherwise)
{
    if (!push_option(L, index, "dtype"))
        return otherwise;
    DType dtype = otherwise;
    if (lua_type(L, -1) != LUA_TSTRING || !dtype_find(lua_tostring(L, -1), &dtype))
        bind_fail(L, "%s: option dtype: expected " DTYPE_NAMES ", got %s", f,
                  bind_describe(L, lua_gettop(L)));
    lua_pop(L, 1);
    return dtype;
}

bool bind_option_boolean(lua_State *L, const char *f, int index, const char *name, bool otherwise)
{
    if (!push_option(L, index, name))
        return otherwise;
    if (lua_type(L, -1) != LUA_TBOOLEAN)
        bind_fail(L, "%s: option %s: expected true or false, got %s", f, name,
                  bind_describe(L, lua_gettop(L)));
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

void bind_option_requires_grad(lua_State *L, const char *f, int index, Tensor *t)
{
    if (!bind_option_boolean(L, f, index, "requires_grad", false))
        return;
    if (!dtype_is_float((DType)t->dtype))
        bind_fail(
            L, "%s: option requires_grad: only float32 and float64 tensors have gradients, got %s",
            f, dtype_info[t->dtype].name);
    t->requires_grad = true;
}
