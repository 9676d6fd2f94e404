/*
 * bind.c - registration and errors; see bind.h
 */
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bind/bind.h"
#include "tensor/interrupt.h"

void bind_register(lua_State *L, const luaL_Reg *functions)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    luaL_setfuncs(L, functions, 1);
}

void bind_register_unrecorded(lua_State *L, const luaL_Reg *functions)
{
    luaL_getsubtable(L, -1, "unrecorded");
    bind_register(L, functions);
    lua_pop(L, 1);
}

/* ---- errors ---- */

/* Is the function of this frame one of wrun's own? Its modules have chunk names "=wrun...". */
static bool is_library(const lua_Debug *frame)
{
    return strcmp(frame->what, "C") == 0 || strncmp(frame->source, "=wrun", 5) == 0;
}

bool bind_is_own(lua_State *L, lua_Debug *frame, int runtime)
{
    if (strcmp(frame->what, "C") != 0)
        return is_library(frame);
    int top = lua_gettop(L);
    lua_getinfo(L, "f", frame);
    bool is_own = lua_getupvalue(L, -1, 1) != NULL && lua_rawequal(L, -1, runtime);
    lua_settop(L, top);
    return is_own;
}

/* pushes the local variable `error_context` of this frame, if there is one */
static bool push_context(lua_State *L, lua_Debug *frame)
{
    const char *name;
    for (int i = 1; (name = lua_getlocal(L, frame, i)) != NULL; i++) {
        if (strcmp(name, "error_context") == 0 && !lua_isnil(L, -1))
            return true;
        lua_pop(L, 1);
    }
    return false;
}

/* puts its text before the string on top */
static void prepend_context(lua_State *L, lua_Debug *frame)
{
    if (!push_context(L, frame))
        return;
    luaL_tolstring(L, -1, NULL);
    lua_remove(L, -2);
    lua_pushliteral(L, ": ");
    lua_rotate(L, -3, 2);
    lua_concat(L, 3);
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

bool bind_push_location(lua_State *L)
{
    lua_Debug frame;
    for (int level = 0; library_frame(L, level, &frame); level++)
        continue;
    if (frame.currentline > 0)
        lua_pushfstring(L, "%s:%d", frame.short_src, frame.currentline);
    return frame.currentline > 0;
}

/* The bytes of the character at p, 0 if no terminal should be given it. */
static size_t shown_bytes(const unsigned char *p, const unsigned char *end)
{
    if (*p < 0x80)
        return (*p >= ' ' && *p != 0x7f) || *p == '\n' || *p == '\t';
    size_t bytes = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
    if (*p < 0xc2 || *p > 0xf4 || (size_t)(end - p) < bytes)
        return 0;
    for (size_t i = 1; i < bytes; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    bool is_control = *p == 0xc2 && p[1] < 0xa0;
    bool is_overlong = (*p == 0xe0 && p[1] < 0xa0) || (*p == 0xf0 && p[1] < 0x90);
    return is_control || is_overlong ? 0 : bytes;
}

void bind_escape(lua_State *L)
{
    size_t length, bytes;
    const unsigned char *text = (const unsigned char *)lua_tolstring(L, -1, &length);
    const unsigned char *end = text + length, *p = text;
    luaL_Buffer shown;

    while (p < end && (bytes = shown_bytes(p, end)) > 0)
        p += bytes;
    if (p == end)
        return;
    luaL_buffinit(L, &shown);
    for (p = text; p < end; p += bytes) {
        bytes = shown_bytes(p, end);
        luaL_addlstring(&shown, (const char *)p, bytes);
        if (bytes == 0) {
            luaL_addlstring(&shown, "\\x", 2);
            luaL_addchar(&shown, "0123456789abcdef"[*p >> 4]);
            luaL_addchar(&shown, "0123456789abcdef"[*p & 15]);
            bytes = 1;
        }
    }
    luaL_pushresult(&shown);
    lua_replace(L, -2);
}

/* Raises the message on top as an error of the first script line below. */
static _Noreturn void raise_at_script(lua_State *L)
{
    if (bind_push_location(L)) {
        lua_pushliteral(L, ": ");
        lua_rotate(L, -3, 2);
        lua_concat(L, 3);
    }
    bind_escape(L);
    lua_error(L);
    __builtin_unreachable();
}

/*
 * Completes the message on top where the script called a tensor's method, at `level`, with a dot in
 * place of a colon: the message is of the method that was looked up last, and misses a tensor.
 */
static void append_colon(lua_State *L, int level)
{
    const char *message = lua_tostring(L, -1), *colon = strchr(message, ':');
    lua_Debug frame;
    if (colon == NULL || !lua_getstack(L, level, &frame))
        return;
    const char *name = lua_pushlstring(L, message, (size_t)(colon - message));
    bool is_looked_up = lua_topointer(L, -1) == bind_runtime(L)->method;
    lua_getinfo(L, "nt", &frame);
    bool is_field = strcmp(frame.namewhat, "field") == 0;
    bool lacks_object = strstr(colon, ": expected a tensor, got ") == colon ||
                        strstr(colon, ": argument 1: expected a tensor, got ") == colon;
    bool lacks_last = is_field && strstr(colon, "got nil") != NULL;
    if (is_looked_up && (is_field || frame.istailcall) && (lacks_object || lacks_last))
        lua_pushfstring(L, "; write x:%s(), not x.%s()", name, name);
    else
        lua_pushliteral(L, "");
    lua_remove(L, -2);
    lua_concat(L, 2);
}

/* Have the functions of two frames the same argument, counted from 1? */
static bool share_argument(lua_State *L, lua_Debug *outer, lua_Debug *inner, int argument)
{
    bool share = false;
    if (lua_getlocal(L, outer, argument) != NULL) {
        bool has_both = lua_getlocal(L, inner, argument) != NULL;
        share = has_both && lua_rawequal(L, -1, -2);
        lua_pop(L, has_both ? 2 : 1);
    }
    return share;
}

/*
 * Names in the message on top what the script called, at `level`, where another function of tensors
 * refused what it was given by that: in its place, or before it where its argument is another.
 */
static void name_called(lua_State *L, int level)
{
    const char *message = lua_tostring(L, -1), *colon = strchr(message, ':');
    lua_Debug outer, inner;
    if (colon == NULL || level < 1 || !lua_getstack(L, level, &outer) ||
        !lua_getstack(L, level - 1, &inner))
        return;
    int top = lua_gettop(L);
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TENSOR_TYPE);
    lua_getfield(L, -1, "methods");
    if (lua_getfield(L, -1, "_called") == LUA_TFUNCTION) {
        lua_getinfo(L, "nf", &outer);
        lua_pushlstring(L, message, (size_t)(colon - message));
        lua_pushstring(L, outer.name);
        lua_call(L, 3, 2);
    }
    const char *name = lua_isstring(L, -2) ? lua_tostring(L, -2) : NULL;
    if (name != NULL) {
        int argument = 1;
        sscanf(colon, ": argument %d", &argument);
        bool same = lua_toboolean(L, -1) || strncmp(colon, ": option ", 9) == 0 ||
                    share_argument(L, &outer, &inner, argument);
        lua_pushfstring(L, "%s: %s", name, same ? colon + 2 : message);
        lua_replace(L, top);
    }
    lua_settop(L, top);
}

/* the same, after the path of the containers it passed */
static _Noreturn void raise(lua_State *L)
{
    luaL_checkstack(L, 10, "no room for an error message");
    lua_Debug frame;
    int called = 0;
    bool is_within = false; /* a container, whose path says more than what was called */
    for (int level = 0; library_frame(L, level, &frame); level++) {
        called = bind_is_own(L, &frame, lua_upvalueindex(1)) ? level : called;
        if (push_context(L, &frame)) {
            is_within = true;
            lua_pop(L, 1);
        }
    }
    if (!is_within)
        name_called(L, called);
    append_colon(L, called);
    for (int level = 0; library_frame(L, level, &frame); level++)
        prepend_context(L, &frame);
    raise_at_script(L);
}

void bind_interrupted(lua_State *L)
{
    luaL_checkstack(L, 8, "no room for an error message");
    lua_pushliteral(L, "interrupted!");
    raise_at_script(L);
}

/* Is the collector calling a finaliser? What that raises becomes a warning. */
static bool is_finalising(lua_State *L)
{
    lua_Debug frame;
    for (int level = 0; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "n", &frame);
        if (strcmp(frame.namewhat, "metamethod") == 0 && strcmp(frame.name, "__gc") == 0)
            return true;
    }
    return false;
}

void bind_stop(void *runtime)
{
    lua_State *L = ((Runtime *)runtime)->computing;
    if (!is_finalising(L))
        interrupt_set(false); /* else its caller is still to be interrupted */
    bind_interrupted(L);
}

void bind_fail(lua_State *L, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    raise(L);
}

int bind_refuse(lua_State *L, const char *format, ...)
{
    va_list arguments;
    pool_check(bind_pool(L)); /* of what an interrupt ended it is the reason */
    lua_pushnil(L);
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    bind_escape(L);
    return 2;
}

/* replaces a format and its n - 1 values by the text, whose numbers have a point in every locale */
static void format_text(lua_State *L, int n)
{
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "format");
    lua_replace(L, -2);
    lua_insert(L, -1 - n);
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
    int status = lua_pcall(L, n, 1, 0);
    uselocale(before);
    freelocale(plain);
    if (status != LUA_OK)
        lua_error(L);
}

int bind_core_format(lua_State *L)
{
    format_text(L, lua_gettop(L));
    return 1;
}

int bind_core_fail(lua_State *L)
{
    format_text(L, lua_gettop(L));
    raise(L);
}

/* method_parameters(f) -> how many f takes, -1 with `...`; nil where it is no method of the library,
 * a function of one of its modules whose first parameter is called self */
int bind_core_method_parameters(lua_State *L)
{
    lua_Debug frame;
    lua_settop(L, 1);
    if (!lua_isfunction(L, 1))
        return 0;
    const char *first = lua_getlocal(L, NULL, 1);
    if (first == NULL || strcmp(first, "self") != 0)
        return 0;
    lua_getinfo(L, ">Su", &frame);
    if (!is_library(&frame))
        return 0;
    lua_pushinteger(L, frame.isvararg ? -1 : frame.nparams);
    return 1;
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
    else {
        lua_pushvalue(L, index);
        lua_pushliteral(L, "%s");
        lua_insert(L, -2);
        format_text(L, 2);
    }
}

/* pushes "an object of Linear" or "the class Linear" for what class.lua made, and returns true */
static bool describe_object(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE)
        return false;
    index = lua_absindex(L, index);
    int top = lua_gettop(L);
    lua_pushliteral(L, "__name");
    const char *format = "the class %s";
    if (lua_rawget(L, index) != LUA_TSTRING) {
        format = "an object of %s";
        if (luaL_getmetafield(L, index, "__name") != LUA_TSTRING) {
            lua_settop(L, top);
            return false;
        }
    }
    lua_pushfstring(L, format, lua_tostring(L, -1));
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
    bind_escape(L);
    return true;
}

const char *bind_describe(lua_State *L, int index)
{
    Tensor *t = bind_to_tensor(L, index);
    if (t != NULL) {
        const char *shape = bind_shape_text(L, t->ndim, tensor_shape(t));
        lua_pushfstring(L, "%s %s tensor %s", dtype_info[t->dtype].name[0] == 'i' ? "an" : "a",
                        dtype_info[t->dtype].name, shape);
        lua_remove(L, -2);
    } else if (!describe_object(L, index)) {
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
            lua_pushliteral(L, "the string '");
            lua_pushvalue(L, index);
            lua_pushliteral(L, "'");
            lua_concat(L, 3);
            bind_escape(L);
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
