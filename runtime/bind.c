/*
 * bind.c - results for the binding files, and the core module itself (layer 4); see bind.h
 */
#include <string.h>

#include "bind.h"
#include "linalg.h"

/* ---- results ---- */

/*
 * The collector starts again once garbage has reached a tenth of what is in use (with the bytes
 * that are coming), or 8 MB where that is more: large blocks of garbage must not wait until the
 * heap has doubled, and a small heap is not walked again and again.
 */
static void set_collector_pace(lua_State *L, int64_t coming)
{
    enum { KB_ALLOWED = 8 << 10, MOST = 900, LEAST = 10 };
    int64_t in_use = lua_gc(L, LUA_GCCOUNT) + 1 + coming / 1024;
    int64_t percent = 100 * KB_ALLOWED / in_use;
    lua_gc(L, LUA_GCSETPAUSE, 100 + (int)size_max(LEAST, size_min(MOST, percent)));
}

/* pushes a tensor userdata whose storage is still to be set */
static Tensor *push_tensor(lua_State *L, DType dtype, int ndim)
{
    Tensor *t = lua_newuserdatauv(L, tensor_userdata_size(ndim), TENSOR_VALUES);
    t->dtype = (uint8_t)dtype;
    t->ndim = (uint8_t)ndim;
    t->offset = 0;
    t->requires_grad = false;
    t->is_parameter = false;
    t->is_view = false;
    return t;
}

static void set_tensor_type(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TENSOR_TYPE);
    lua_setmetatable(L, -2);
}

Tensor *bind_new_tensor(lua_State *L, const char *f, DType dtype, int ndim, const int64_t *shape)
{
    enum { LARGE = 1 << 16 };
    int64_t numel = 0;
    Reason reason = shape_count(ndim, shape, &numel);
    if (reason)
        bind_fail(L, "%s: %s: %s", f, reason, bind_shape_text(L, ndim, shape));
    int64_t bytes = numel * dtype_size(dtype);
    if (bytes > LARGE)
        set_collector_pace(L, bytes);
    Tensor *t = push_tensor(L, dtype, ndim);
    t->storage = storage_init(lua_newuserdatauv(L, storage_userdata_size(bytes), 0), bytes);
    lua_setiuservalue(L, -2, TENSOR_STORAGE);
    t->numel = numel;
    t->is_contiguous = true;
    memcpy(tensor_shape(t), shape, (size_t)ndim * sizeof *shape);
    shape_strides(ndim, shape, tensor_stride(t));
    set_tensor_type(L);
    return t;
}

Tensor *bind_new_view(lua_State *L, int index, const View *view)
{
    index = lua_absindex(L, index);
    const Tensor *source = lua_touserdata(L, index);
    Tensor *t = push_tensor(L, view->dtype, view->ndim);
    t->storage = source->storage;
    lua_getiuservalue(L, index, TENSOR_STORAGE);
    lua_setiuservalue(L, -2, TENSOR_STORAGE);
    t->offset = (view->data - source->storage->bytes) / dtype_size(view->dtype);
    t->numel = view_numel(view);
    memcpy(tensor_shape(t), view->shape, (size_t)view->ndim * sizeof(int64_t));
    memcpy(tensor_stride(t), view->stride, (size_t)view->ndim * sizeof(int64_t));
    t->is_contiguous = shape_is_contiguous(view->ndim, view->shape, view->stride);
    t->is_view = true;
    set_tensor_type(L);
    return t;
}

Tensor *bind_new_copy(lua_State *L, const char *f, const View *v, DType dtype)
{
    Operand in = {.is_scalar = false, .view = *v};
    View out;
    Tensor *copy = bind_new_tensor(L, f, dtype, v->ndim, v->shape);
    tensor_view(copy, &out);
    elementwise_copy(bind_runtime(L)->pool, &out, &in);
    return copy;
}

void bind_source(lua_State *L, const char *f, int index, const View *target, Operand *out)
{
    Tensor *source = bind_to_tensor(L, index);
    out->is_scalar = source == NULL;
    if (source == NULL) {
        if (!bind_to_scalar(L, index, &out->scalar))
            bind_fail_argument(L, f, index, "a tensor or a number");
        return;
    }
    int ndim;
    int64_t shape[MAX_RANK];
    tensor_view(source, &out->view);
    if (shape_broadcast(target->ndim, target->shape, source->ndim, source->dims, &ndim, shape) ||
        !shape_equal(ndim, shape, target->ndim, target->shape)) {
        const char *wanted = bind_shape_text(L, target->ndim, target->shape);
        bind_fail(L, "%s: argument %d: expected a shape that broadcasts to %s, got %s", f, index,
                  wanted, bind_shape_text(L, source->ndim, source->dims));
    }
    const Tensor *t = bind_tensor(L, f, 1);
    if (source->storage == t->storage)
        tensor_view(bind_new_copy(L, f, &out->view, out->view.dtype), &out->view);
}

void bind_push_sizes(lua_State *L, int n, const int64_t *sizes)
{
    lua_createtable(L, n, 0);
    for (int d = 0; d < n; d++) {
        lua_pushinteger(L, sizes[d]);
        lua_rawseti(L, -2, d + 1);
    }
}

void bind_touch(Tensor *t)
{
    t->storage->version++;
}

/* ---- the module ---- */

void bind_register(lua_State *L, const luaL_Reg *functions)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    luaL_setfuncs(L, functions, 1);
}

static int runtime_gc(lua_State *L)
{
    Runtime *runtime = lua_touserdata(L, 1);
    if (runtime->pool)
        pool_close(runtime->pool);
    runtime->pool = NULL;
    return 0;
}

/* a metatable kept in a user value of the Runtime on top; returns its identity */
static const void *new_type(lua_State *L, int place, const char *name)
{
    lua_newtable(L);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    const void *identity = lua_topointer(L, -1);
    lua_setiuservalue(L, -2, place);
    return identity;
}

/* The Runtime lives in the registry, so that opening the module twice in a state shares one. */
static void push_runtime(lua_State *L)
{
    static const char *const key = "wrun.runtime";
    if (lua_getfield(L, LUA_REGISTRYINDEX, key) == LUA_TUSERDATA)
        return;
    lua_pop(L, 1);
    Runtime *runtime = lua_newuserdatauv(L, sizeof *runtime + pool_size(), RUNTIME_VALUES);
    *runtime = (Runtime){.grad_enabled = true};
    runtime->tensor_type = new_type(L, RUNTIME_TENSOR_TYPE, "wrun.Tensor");
    runtime->node_type = new_type(L, RUNTIME_NODE_TYPE, "wrun.Node");
    runtime->generator_type = new_type(L, RUNTIME_GENERATOR_TYPE, "wrun.Generator");
    lua_getfield(L, LUA_REGISTRYINDEX, "wrun.threads");
    int threads = lua_isinteger(L, -1) ? (int)lua_tointeger(L, -1) : pool_default_threads();
    lua_pop(L, 1);
    pool_init((Pool *)(runtime + 1), threads);
    runtime->pool = (Pool *)(runtime + 1);
    lua_newtable(L);
    lua_pushcfunction(L, runtime_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, key);
}

/* set_num_threads(n), get_num_threads(): the threads of large operations; results do not depend on
 * it */
static int core_set_num_threads(lua_State *L)
{
    int64_t n = bind_integer(L, "set_num_threads", 1, "a number of threads");
    if (n < 1 || n > 256)
        bind_fail_argument(L, "set_num_threads", 1, "1 to 256 threads");
    pool_set_threads(bind_runtime(L)->pool, (int)n);
    return 0;
}

static int core_get_num_threads(lua_State *L)
{
    lua_pushinteger(L, pool_threads(bind_runtime(L)->pool));
    return 1;
}

static const luaL_Reg core_functions[] = {
    {"fail", bind_core_fail},
    {"set_num_threads", core_set_num_threads},
    {"get_num_threads", core_get_num_threads},
    {NULL, NULL},
};

/* fills the core table; runs with the Runtime as upvalue 1, as every binding does */
static int open_core(lua_State *L)
{
    lua_newtable(L);
    bind_register(L, core_functions);
    lua_pushliteral(L, VERSION);
    lua_setfield(L, -2, "version");
    bind_open_tensor(L);
    bind_open_create(L);
    bind_open_view(L);
    bind_open_elementwise(L);
    bind_open_reduce(L);
    bind_open_scan(L);
    bind_open_sort(L);
    bind_open_linalg(L);
    bind_open_factor(L);
    bind_open_index(L);
    bind_open_generator(L);
    bind_open_random(L);
    bind_open_neural(L);
    bind_open_rbm(L);
    bind_open_autograd(L);
    bind_open_files(L);
    bind_open_data(L);
    bind_open_image(L);
    return 1;
}

int luaopen_wrun_core(lua_State *L)
{
    Reason reason = linalg_start();
    if (reason)
        return luaL_error(L, "wrun: %s", reason);
    push_runtime(L);
    lua_pushcclosure(L, open_core, 1);
    lua_call(L, 0, 1);
    set_collector_pace(L, 0);
    return 1;
}
