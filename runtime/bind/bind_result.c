/*
 * bind_result.c - new tensors for results; see bind_result.h
 */
#include <limits.h>
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_profile.h"
#include "bind/bind_result.h"

void bind_set_collector_pace(lua_State *L, int64_t coming)
{
    enum { KB_ALLOWED = 8 << 10, MOST = 900, LEAST = 10, MOST_YOUNG = 100, LEAST_YOUNG = 1 };
    Runtime *runtime = bind_runtime(L);
    int64_t held = lua_gc(L, LUA_GCCOUNT) + 1, before = runtime->kilobytes;
    int64_t in_use = held + coming / 1024;
    int64_t allowed = 100 * KB_ALLOWED / in_use;
    int64_t percent = size_max(LEAST, size_min(runtime->generational ? MOST_YOUNG : MOST, allowed));
    int64_t young = size_max(LEAST_YOUNG, size_min(MOST_YOUNG, allowed));
    lua_gc(L, LUA_GCSETPAUSE, 100 + (int)percent);
    if (runtime->generational && lua_gc(L, LUA_GCGEN, (int)young, 2 * (int)percent) == LUA_GCINC) {
        lua_gc(L, LUA_GCINC, 0, 0, 0); /* as the script chose meanwhile */
        runtime->generational = false;
    }
    /* Lua 5.4.4 takes what collectgarbage() frees first for in use, and waits for as much garbage */
    runtime->kilobytes = in_use;
    if (held < before / 2 && before - held > 4 * KB_ALLOWED)
        bind_collect_young(L, 0);
}

void bind_collect_young(lua_State *L, int64_t kilobytes)
{
    Runtime *runtime = bind_runtime(L);
    if (runtime->generational && lua_gc(L, LUA_GCISRUNNING))
        bind_profile_collect(L, runtime->profile, (int)size_min(kilobytes, INT_MAX));
}

const OpenBlas *bind_blas(lua_State *L, const char *f)
{
    const Runtime *runtime = bind_runtime(L);
    Reason reason = linalg_reserve(runtime->blas, runtime->pool);
    if (reason)
        bind_fail(L, "%s: %s", f, reason);
    return runtime->blas;
}

/* pushes a tensor userdata whose storage is still to be set, with so many bytes after it */
static Tensor *push_tensor(lua_State *L, DType dtype, int ndim, size_t more)
{
    Tensor *t = lua_newuserdatauv(L, tensor_userdata_size(ndim) + more, TENSOR_VALUES);
    *t = (Tensor){.mark = &tensor_mark, .dtype = (uint8_t)dtype, .ndim = (uint8_t)ndim};
    return t;
}

static void set_tensor_type(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TENSOR_TYPE);
    lua_setmetatable(L, -2);
}

static void push_storage(lua_State *L, int64_t bytes)
{
    storage_init(lua_newuserdatauv(L, storage_userdata_size(bytes), 0), bytes);
}

static int protected_storage(lua_State *L)
{
    push_storage(L, lua_tointeger(L, 1));
    return 1;
}

/* the same for a large tensor: where memory is out, there is some to say what for */
static void push_large_storage(lua_State *L, const char *f, int64_t bytes, int ndim,
                               const int64_t *shape)
{
    lua_pushcfunction(L, protected_storage);
    lua_pushinteger(L, bytes);
    int status = lua_pcall(L, 1, 1, 0);
    if (status == LUA_ERRMEM)
        bind_fail(L, "%s: not enough memory for a tensor %s of %I bytes", f,
                  bind_shape_text(L, ndim, shape), (LUAI_UACINT)bytes);
    if (status != LUA_OK)
        lua_error(L);
}

/* pushes a tensor of numel elements of this shape */
static Tensor *new_tensor(lua_State *L, const char *f, DType dtype, int64_t numel, int ndim,
                          const int64_t *shape)
{
    enum { LARGE = 1 << 16, VERY_LARGE = 1 << 18, FIRST = 2, OFTEN = 256 };
    int64_t bytes = numel * dtype_size(dtype);
    /* also for small ones: the pace of a large heap is none for a small one */
    if (bytes > LARGE || ++bind_runtime(L)->tensors % OFTEN == 0)
        bind_set_collector_pace(L, bytes);
    /* Garbage first, then more. The bytes count twice before and once after, so that a collection is
     * due before: the tensor would get older by one, and old at once by one of everything. */
    if (bytes >= VERY_LARGE)
        bind_collect_young(L, FIRST * (bytes / 1024));
    bool few = bytes <= STORAGE_FEW;
    Tensor *t = push_tensor(L, dtype, ndim, few ? sizeof(Storage) + (size_t)bytes : 0);
    if (few) {
        t->storage = storage_init_few((char *)t + tensor_userdata_size(ndim), bytes);
    } else {
        if (bytes > LARGE)
            push_large_storage(L, f, bytes, ndim, shape);
        else
            push_storage(L, bytes);
        t->storage = lua_touserdata(L, -1);
        lua_setiuservalue(L, -2, TENSOR_STORAGE);
    }
    t->numel = numel;
    t->is_contiguous = true;
    shape_copy(ndim, tensor_shape(t), shape);
    shape_strides(ndim, shape, tensor_stride(t));
    set_tensor_type(L);
    return t;
}

Tensor *bind_new_tensor(lua_State *L, const char *f, DType dtype, int ndim, const int64_t *shape)
{
    int64_t numel = 0;
    Reason reason = shape_count(ndim, shape, &numel);
    if (reason)
        bind_fail(L, "%s: %s: %s", f, reason, bind_shape_text(L, ndim, shape));
    return new_tensor(L, f, dtype, numel, ndim, shape);
}

Tensor *bind_new_like(lua_State *L, const char *f, Tensor *other)
{
    return new_tensor(L, f, (DType)other->dtype, other->numel, other->ndim, tensor_shape(other));
}

void bind_share_storage(lua_State *L, int to, int from)
{
    to = lua_absindex(L, to);
    from = lua_absindex(L, from);
    Tensor *source = lua_touserdata(L, from), *t = lua_touserdata(L, to);
    if (tensor_holds_storage(source)) {
        const Storage *few = source->storage;
        Storage *own = lua_newuserdatauv(L, storage_userdata_size(few->size), 0);
        storage_init(own, few->size);
        memcpy(own->bytes, few->bytes, (size_t)few->size);
        own->version = few->version;
        own->viewed = few->viewed;
        own->owner = few->owner;
        lua_setiuservalue(L, from, TENSOR_STORAGE);
        source->storage = own;
    }
    lua_getiuservalue(L, from, TENSOR_STORAGE);
    lua_setiuservalue(L, to, TENSOR_STORAGE);
    t->storage = source->storage;
}

Tensor *bind_new_view(lua_State *L, int index, const View *view)
{
    index = lua_absindex(L, index);
    const Tensor *source = lua_touserdata(L, index);
    Tensor *t = push_tensor(L, view->dtype, view->ndim, 0);
    t->offset = (view->data - source->storage->bytes) / dtype_size(view->dtype);
    bind_share_storage(L, -1, index);
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
    elementwise_copy(bind_pool(L), &out, &in);
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

void bind_push_sizes(lua_State *L, int type, int n, const int64_t *sizes)
{
    lua_createtable(L, n, 0);
    for (int d = 0; d < n; d++) {
        lua_pushinteger(L, sizes[d]);
        lua_rawseti(L, -2, d + 1);
    }
    lua_getiuservalue(L, lua_upvalueindex(1), type);
    lua_setmetatable(L, -2);
}

void bind_touch(Tensor *t)
{
    t->storage->version++;
}
