/*
 * bind_tensor.c - the tensor as a Lua value: fields, elements, copies, conversions
 *
 * t.name is a method from the table that lua/wrun/tensor.lua fills, or a field of the tensor; t[i]
 * and t[{...}] are the methods `index` and `assign`, or what these do where no tensor is in the
 * key.
 */
#include <string.h>

#include "bind/bind_autograd.h"
#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/elementwise.h"

/* ---- fields ---- */

static void get_shape(lua_State *L, Tensor *t)
{
    bind_push_sizes(L, RUNTIME_SIZE_TYPE, t->ndim, tensor_shape(t));
}

static void get_ndim(lua_State *L, Tensor *t)
{
    lua_pushinteger(L, t->ndim);
}

static void get_dtype(lua_State *L, Tensor *t)
{
    lua_pushstring(L, dtype_info[t->dtype].name);
}

static void get_requires_grad(lua_State *L, Tensor *t)
{
    lua_pushboolean(L, t->requires_grad);
}

static void get_grad(lua_State *L, Tensor *t)
{
    (void)t;
    lua_getiuservalue(L, 1, TENSOR_GRAD);
}

static void get_grad_fn(lua_State *L, Tensor *t)
{
    (void)t;
    lua_getiuservalue(L, 1, TENSOR_GRAD_FN);
}

static void get_is_leaf(lua_State *L, Tensor *t)
{
    (void)t;
    lua_pushboolean(L, lua_getiuservalue(L, 1, TENSOR_GRAD_FN) == LUA_TNIL);
}

static void get_version(lua_State *L, Tensor *t)
{
    lua_pushinteger(L, t->storage->version);
}

static void set_requires_grad(lua_State *L, Tensor *t)
{
    if (lua_type(L, 3) != LUA_TBOOLEAN)
        bind_fail(L, "requires_grad: expected true or false, got %s", bind_describe(L, 3));
    bool wanted = lua_toboolean(L, 3);
    if (wanted && !tensor_is_float(t))
        bind_fail(L, "requires_grad: only float32 and float64 tensors have gradients, got %s",
                  bind_describe(L, 1));
    if (!wanted && lua_getiuservalue(L, 1, TENSOR_GRAD_FN) != LUA_TNIL)
        bind_fail(L,
                  "requires_grad: only a leaf can give up its gradient; use detach() on a result");
    t->requires_grad = wanted;
}

static void set_grad(lua_State *L, Tensor *t)
{
    Tensor *g = bind_to_tensor(L, 3);
    bool fits = g != NULL && tensor_is_like(g, t);
    if (!fits && !lua_isnil(L, 3)) {
        const char *wanted = bind_describe(L, 1);
        bind_fail(L, "grad: expected %s like its tensor, got %s", wanted, bind_describe(L, 3));
    }
    lua_pushvalue(L, 3);
    lua_setiuservalue(L, 1, TENSOR_GRAD);
}

static const struct {
    const char *name;
    void (*get)(lua_State *L, Tensor *t);
    void (*set)(lua_State *L, Tensor *t); /* the value is at index 3 */
} fields[] = {
    {"grad", get_grad, set_grad},
    {"shape", get_shape, NULL},
    {"dtype", get_dtype, NULL},
    {"ndim", get_ndim, NULL},
    {"requires_grad", get_requires_grad, set_requires_grad},
    {"grad_fn", get_grad_fn, NULL},
    {"is_leaf", get_is_leaf, NULL},
    {"version", get_version, NULL},
};

/* calls a method with the arguments on the stack; upvalue 2 is the table of methods */
static int call_method(lua_State *L, const char *name, int results)
{
    lua_getfield(L, lua_upvalueindex(2), name);
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, results);
    return results;
}

/* Is the key at `index` a tensor, or is there one in it? Such keys are read in Lua. */
static bool has_tensor(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TTABLE)
        return bind_to_tensor(L, index) != NULL;
    bool found = false;
    int count = (int)lua_rawlen(L, index);
    for (int i = 1; i <= count && !found; i++) {
        lua_rawgeti(L, index, i);
        found = bind_to_tensor(L, -1) != NULL;
        lua_pop(L, 1);
    }
    return found;
}

/* key_has_tensor(key) */
static int core_key_has_tensor(lua_State *L)
{
    lua_pushboolean(L, has_tensor(L, 1));
    return 1;
}

/* the sizes at index, of a tensor or as a list of at most MAX_RANK; -1 where they are neither */
static int read_shape(lua_State *L, int index, int64_t *shape)
{
    Tensor *t = bind_to_tensor(L, index);
    if (t != NULL) {
        memcpy(shape, tensor_shape(t), t->ndim * sizeof *shape);
        return t->ndim;
    }
    size_t count = lua_type(L, index) == LUA_TTABLE ? lua_rawlen(L, index) : MAX_RANK + 1;
    if (count > MAX_RANK)
        return -1;
    for (size_t d = 0; d < count; d++) {
        lua_rawgeti(L, index, (lua_Integer)d + 1);
        shape[d] = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : -1;
        lua_pop(L, 1);
    }
    return (int)count;
}

/* same_shape(a, b): of tensors, or given as lists of sizes */
static int core_same_shape(lua_State *L)
{
    int64_t a[MAX_RANK], b[MAX_RANK];
    int na = read_shape(L, 1, a), nb = read_shape(L, 2, b);
    lua_pushboolean(L, na >= 0 && shape_equal(na, a, nb, b));
    return 1;
}

/* are_alike(a, ...): of one type and shape, but for values that are no tensors */
static int core_are_alike(lua_State *L)
{
    const Tensor *first = NULL;
    bool alike = true;
    for (int i = 1, count = lua_gettop(L); i <= count; i++) {
        const Tensor *t = bind_to_tensor(L, i);
        if (t == NULL)
            continue;
        first = first == NULL ? t : first;
        alike &= tensor_is_like(t, first);
    }
    lua_pushboolean(L, alike);
    return 1;
}

/* Does ipairs, or another function of Lua's, ask for what comes after the last element? */
static bool is_end_of_list(lua_State *L)
{
    Tensor *t = bind_to_tensor(L, 1);
    lua_Debug caller;
    if (t == NULL || t->ndim == 0 || !lua_isinteger(L, 2) ||
        lua_tointeger(L, 2) != tensor_shape(t)[0] + 1 || !lua_getstack(L, 1, &caller))
        return false;
    lua_getinfo(L, "S", &caller);
    return strcmp(caller.what, "C") == 0;
}

static int tensor_get(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING && is_end_of_list(L))
        return 0;
    if (lua_type(L, 2) != LUA_TSTRING)
        return call_method(L, has_tensor(L, 2) ? "index" : "_view_index", 1);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(2)) != LUA_TNIL) {
        bind_runtime(L)->method = lua_topointer(L, 2);
        return 1;
    }
    const char *name = bind_to_string(L, 2);
    for (size_t i = 0; i < COUNT_OF(fields) && name != NULL; i++)
        if (name[0] == fields[i].name[0] && strcmp(name, fields[i].name) == 0) {
            fields[i].get(L, bind_tensor(L, name, 1));
            return 1;
        }
    lua_pushvalue(L, 2);
    if (lua_gettable(L, lua_upvalueindex(2)) != LUA_TNIL) { /* which loads the method's topic */
        bind_runtime(L)->method = lua_topointer(L, 2);
        return 1;
    }
    lua_settop(L, 2);
    return call_method(L, "_missing", 1);
}

static int tensor_set(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING)
        return call_method(L, has_tensor(L, 2) ? "assign" : "_view_assign", 0);
    const char *name = bind_to_string(L, 2);
    for (size_t i = 0; i < COUNT_OF(fields) && name != NULL; i++)
        if (fields[i].set != NULL && strcmp(name, fields[i].name) == 0) {
            fields[i].set(L, bind_tensor(L, name, 1));
            return 0;
        }
    lua_pushvalue(L, 2);
    bind_escape(L);
    bind_fail(L, "tensor: the field '%s' cannot be set; grad and requires_grad can",
              lua_tostring(L, -1));
}

static int tensor_len(lua_State *L)
{
    Tensor *t = bind_tensor(L, "#", 1);
    if (t->ndim == 0)
        bind_fail(L, "#: a tensor without dimensions has no length");
    lua_pushinteger(L, tensor_shape(t)[0]);
    return 1;
}

/* f() -> all of the sizes (or strides); f(dim) -> one */
static int push_all_or_one(lua_State *L, const char *f, int type, int64_t *(*sizes_of)(Tensor *))
{
    Tensor *t = bind_tensor(L, f, 1);
    if (lua_isnoneornil(L, 2)) {
        bind_push_sizes(L, type, t->ndim, sizes_of(t));
        return 1;
    }
    if (t->ndim == 0)
        bind_fail_argument(L, f, 1, "a tensor with dimensions");
    lua_pushinteger(L, sizes_of(t)[bind_dimension(L, f, 2, t->ndim)]);
    return 1;
}

static int core_size(lua_State *L)
{
    return push_all_or_one(L, "size", RUNTIME_SIZE_TYPE, tensor_shape);
}

static int core_stride(lua_State *L)
{
    return push_all_or_one(L, "stride", RUNTIME_STRIDE_TYPE, tensor_stride);
}

static int core_numel(lua_State *L)
{
    lua_pushinteger(L, bind_tensor(L, "numel", 1)->numel);
    return 1;
}

static int core_dim(lua_State *L)
{
    lua_pushinteger(L, bind_tensor(L, "dim", 1)->ndim);
    return 1;
}

static int core_is_contiguous(lua_State *L)
{
    lua_pushboolean(L, bind_tensor(L, "is_contiguous", 1)->is_contiguous);
    return 1;
}

static int core_is_tensor(lua_State *L)
{
    lua_pushboolean(L, bind_to_tensor(L, 1) != NULL);
    return 1;
}

static int core_is_float_tensor(lua_State *L)
{
    const Tensor *t = bind_to_tensor(L, 1);
    lua_pushboolean(L, t != NULL && tensor_is_float(t));
    return 1;
}

/* shape_text(t or sizes) -> "[2, 3]", as errors show shapes */
static int core_shape_text(lua_State *L)
{
    Tensor *t = bind_to_tensor(L, 1);
    if (t != NULL) {
        bind_shape_text(L, t->ndim, tensor_shape(t));
        return 1;
    }
    int64_t sizes[MAX_RANK];
    int next, n = bind_sizes(L, "shape_text", 1, sizes, &next);
    bind_shape_text(L, n, sizes);
    return 1;
}

/* describe(value) -> "a float32 tensor [2, 3]", as errors show what came */
static int core_describe(lua_State *L)
{
    luaL_checkany(L, 1);
    bind_describe(L, 1);
    return 1;
}

/* ---- elements ---- */

static void push_element(lua_State *L, DType type, const void *element)
{
    Scalar s = dtype_load(type, element);
    switch (s.category) {
    case CATEGORY_BOOL:
        lua_pushboolean(L, s.i != 0);
        break;
    case CATEGORY_INTEGER:
        lua_pushinteger(L, s.i);
        break;
    default:
        lua_pushnumber(L, s.d);
        break;
    }
}

static int core_item(lua_State *L)
{
    Tensor *t = bind_tensor(L, "item", 1);
    if (t->numel != 1)
        bind_fail_argument(L, "item", 1, "a tensor with one element");
    push_element(L, (DType)t->dtype, tensor_data(t));
    return 1;
}

static void push_nested(lua_State *L, const View *v, int dimension, const char *data)
{
    if (dimension == v->ndim) {
        push_element(L, v->dtype, data);
        return;
    }
    luaL_checkstack(L, 2, "too many dimensions");
    int64_t n = v->shape[dimension], step = v->stride[dimension] * dtype_size(v->dtype);
    lua_createtable(L, (int)size_min(n, 1 << 26), 0);
    for (int64_t i = 0; i < n; i++) {
        push_nested(L, v, dimension + 1, data + i * step);
        lua_rawseti(L, -2, i + 1);
    }
}

/* tolist() -> nested tables; a number for a tensor without dimensions */
static int core_tolist(lua_State *L)
{
    View v;
    tensor_view(bind_tensor(L, "tolist", 1), &v);
    push_nested(L, &v, 0, v.data);
    return 1;
}

/* ---- copies and conversions ---- */

/* pushes a contiguous copy of the tensor at index 1, converted */
static void push_copy(lua_State *L, const char *f, DType dtype)
{
    View v;
    tensor_view(bind_tensor(L, f, 1), &v);
    bind_new_copy(L, f, &v, dtype);
}

static int core_clone(lua_State *L)
{
    push_copy(L, "clone", (DType)bind_tensor(L, "clone", 1)->dtype);
    return 1;
}

static int core_contiguous(lua_State *L)
{
    Tensor *t = bind_tensor(L, "contiguous", 1);
    if (t->is_contiguous)
        lua_pushvalue(L, 1);
    else
        push_copy(L, "contiguous", (DType)t->dtype);
    return 1;
}

/* to(dtype) -> itself if it is of that type, else a converted copy */
static int core_to(lua_State *L)
{
    Tensor *t = bind_tensor(L, "to", 1);
    DType dtype;
    if (bind_to_string(L, 2) == NULL || !dtype_find(bind_to_string(L, 2), &dtype))
        bind_fail_argument(L, "to", 2, DTYPE_NAMES);
    if (t->dtype == dtype)
        lua_pushvalue(L, 1);
    else
        push_copy(L, "to", dtype);
    return 1;
}

/* detach() -> a view of the same memory that no gradient flows through, in either direction */
static int core_detach(lua_State *L)
{
    View v;
    tensor_view(bind_tensor(L, "detach", 1), &v);
    bind_new_view(L, 1, &v)->is_view = false;
    return 1;
}

/* copy_(t, source): t's elements become those of source,
 * a tensor that broadcasts to t or a number */
static int core_copy_(lua_State *L)
{
    lua_settop(L, 2);
    Tensor *t = bind_tensor(L, "copy_", 1);
    View out;
    Operand in;
    tensor_view(t, &out);
    bind_source(L, "copy_", 2, &out, &in);
    bind_check_writable(L, "copy_", 1, t);
    if (bind_needs_grad(L, 2))
        bind_check_unshared(L, "copy_", t);
    bind_touch(t);
    elementwise_copy(bind_pool(L), &out, &in);
    lua_pushvalue(L, 1);
    return 1;
}

/* set_parameter(t, on) and is_parameter(t):
 * the mark that nn.Parameter gives, which printing shows */
static int core_set_parameter(lua_State *L)
{
    bind_tensor(L, "set_parameter", 1)->is_parameter = lua_toboolean(L, 2);
    lua_settop(L, 1);
    return 1;
}

static int core_is_parameter(lua_State *L)
{
    const Tensor *t = bind_to_tensor(L, 1);
    lua_pushboolean(L, t != NULL && t->is_parameter);
    return 1;
}

static const luaL_Reg tensor_functions[] = {
    {"size", core_size},
    {"stride", core_stride},
    {"numel", core_numel},
    {"dim", core_dim},
    {"is_contiguous", core_is_contiguous},
    {"is_tensor", core_is_tensor},
    {"is_float_tensor", core_is_float_tensor},
    {"key_has_tensor", core_key_has_tensor},
    {"same_shape", core_same_shape},
    {"are_alike", core_are_alike},
    {"shape_text", core_shape_text},
    {"describe", core_describe},
    {"set_parameter", core_set_parameter},
    {"is_parameter", core_is_parameter},
    {NULL, NULL},
};

static const luaL_Reg copy_functions[] = {
    {"item", core_item},   {"tolist", core_tolist},
    {"clone", core_clone}, {"contiguous", core_contiguous},
    {"to", core_to},       {"detach", core_detach},
    {"copy_", core_copy_}, {NULL, NULL},
};

/* core.methods is the table behind t:name(); core.Tensor, Size and Stride are metatables */
void bind_open_tensor(lua_State *L)
{
    static const luaL_Reg events[] = {
        {"__index", tensor_get},
        {"__newindex", tensor_set},
        {"__len", tensor_len},
        {NULL, NULL},
    };
    bind_register(L, tensor_functions);
    bind_register_unrecorded(L, copy_functions);
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TENSOR_TYPE);
    if (lua_getfield(L, -1, "methods") != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, "methods");
    }
    lua_pushvalue(L, -2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, -3);
    luaL_setfuncs(L, events, 2);
    lua_pop(L, 1);
    lua_setfield(L, -3, "methods");
    lua_setfield(L, -2, "Tensor");
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_SIZE_TYPE);
    lua_setfield(L, -2, "Size");
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_STRIDE_TYPE);
    lua_setfield(L, -2, "Stride");
}
