/*
 * bind_view.c - other looks at the same memory
 */
#include <string.h>

#include "bind/bind_autograd.h"
#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/elementwise.h"

/* ---- view and reshape ---- */

/* reads the wanted sizes, one of which may be -1 (whatever is left),
 * from the arguments after the tensor */
static int read_new_shape(lua_State *L, const char *f, const Tensor *t, int64_t *shape)
{
    int next, ndim = bind_sizes(L, f, 2, shape, &next);
    int unknown = -1;
    int64_t known = 1;
    bool overflow = false;
    for (int d = 0; d < ndim; d++) {
        if (shape[d] == -1 && unknown < 0)
            unknown = d;
        else if (shape[d] < 0)
            bind_fail(L, "%s: expected sizes of 0 or more and at most one -1, got %s", f,
                      bind_shape_text(L, ndim, shape));
        else
            overflow |= !size_multiply(known, shape[d], &known);
    }
    bool fits = !overflow && (unknown < 0 ? known == t->numel : known > 0 && t->numel % known == 0);
    if (!fits) {
        const char *wanted = bind_shape_text(L, ndim, shape);
        bind_fail(L, "%s: expected a shape for the %I elements of %s, got %s", f,
                  (LUAI_UACINT)t->numel, bind_shape_text(L, t->ndim, t->dims), wanted);
    }
    if (unknown >= 0)
        shape[unknown] = t->numel / known;
    return ndim;
}

/* view(t, sizes): the same elements in another shape; refuses where they would have to be moved */
static int core_view(lua_State *L)
{
    Tensor *t = bind_tensor(L, "view", 1);
    int64_t shape[MAX_RANK];
    int ndim = read_new_shape(L, "view", t, shape);
    View v, out;
    tensor_view(t, &v);
    Reason reason = view_reshape(&v, ndim, shape, &out);
    if (reason) {
        const char *wanted = bind_shape_text(L, ndim, shape);
        bind_fail(L, "view: %s: a view of %s with strides %s cannot have the shape %s; use reshape",
                  reason, bind_shape_text(L, v.ndim, v.shape), bind_shape_text(L, v.ndim, v.stride),
                  wanted);
    }
    bind_new_view(L, 1, &out);
    return 1;
}

/* reshape(t, sizes): a view where possible, else a copy */
static int core_reshape(lua_State *L)
{
    Tensor *t = bind_tensor(L, "reshape", 1);
    int64_t shape[MAX_RANK];
    int ndim = read_new_shape(L, "reshape", t, shape), source = 1;
    View v, out;
    tensor_view(t, &v);
    if (view_reshape(&v, ndim, shape, &out)) {
        tensor_view(bind_new_copy(L, "reshape", &v, v.dtype), &v);
        view_reshape(&v, ndim, shape, &out);
        source = lua_gettop(L);
    }
    bind_new_view(L, source, &out)->is_view = source == 1;
    return 1;
}

/* ---- dimensions in another order ---- */

static int core_transpose(lua_State *L)
{
    View v;
    tensor_view(bind_tensor(L, "transpose", 1), &v);
    int a = bind_dimension(L, "transpose", 2, v.ndim),
        b = bind_dimension(L, "transpose", 3, v.ndim);
    if (v.ndim > 0)
        view_swap(&v, a, b);
    bind_new_view(L, 1, &v);
    return 1;
}

/* permute(t, dims): dimension d of the result is dimension dims[d] of t */
static int core_permute(lua_State *L)
{
    View v, out;
    tensor_view(bind_tensor(L, "permute", 1), &v);
    int64_t order[MAX_RANK];
    int next, n = bind_sizes(L, "permute", 2, order, &next);
    bool used[MAX_RANK] = {false}, valid = n == v.ndim;
    out = v;
    for (int d = 0; valid && d < n; d++) {
        int64_t from = order[d] < 0 ? order[d] + n : order[d] - 1;
        valid = order[d] != 0 && from >= 0 && from < n && !used[from];
        if (!valid)
            break;
        used[from] = true;
        out.shape[d] = v.shape[from];
        out.stride[d] = v.stride[from];
    }
    if (!valid)
        bind_fail(L, "permute: expected each dimension from 1 to %d once, got %s", v.ndim,
                  bind_shape_text(L, n, order));
    bind_new_view(L, 1, &out);
    return 1;
}

/* expand(t, sizes): dimensions of size 1 (or new ones in front) repeated without copying;
 * -1 keeps a size */
static int core_expand(lua_State *L)
{
    View v;
    tensor_view(bind_tensor(L, "expand", 1), &v);
    int64_t shape[MAX_RANK], joint[MAX_RANK];
    int next, n = bind_sizes(L, "expand", 2, shape, &next), lead = n - v.ndim, ndim = 0;
    for (int d = 0; d < n; d++)
        if (shape[d] == -1 && d >= lead)
            shape[d] = v.shape[d - lead];
    int64_t numel;
    if (lead < 0 || shape_count(n, shape, &numel) ||
        shape_broadcast(n, shape, v.ndim, v.shape, &ndim, joint) ||
        !shape_equal(n, shape, ndim, joint)) {
        const char *wanted = bind_shape_text(L, v.ndim, v.shape);
        bind_fail(L, "expand: expected a shape that %s broadcasts to, got %s", wanted,
                  bind_shape_text(L, n, shape));
    }
    view_expand(&v, n, shape);
    bind_new_view(L, 1, &v);
    return 1;
}

/* _flip(t, d ...) -> a copy with the order along these dimensions reversed */
static int core_flip(lua_State *L)
{
    View v;
    tensor_view(bind_tensor(L, "flip", 1), &v);
    int count = lua_gettop(L) - 1;
    for (int i = 0; i < count; i++) {
        int d = bind_dimension(L, "flip", 2 + i, v.ndim);
        v.data += size_max(v.shape[d] - 1, 0) * v.stride[d] * dtype_size(v.dtype);
        v.stride[d] = -v.stride[d];
    }
    bind_new_copy(L, "flip", &v, v.dtype);
    return 1;
}

/* ---- parts ---- */

/* v = the tensor, which has dimensions; returns the one that argument 2 names */
static int read_dimension(lua_State *L, const char *f, View *v)
{
    tensor_view(bind_tensor(L, f, 1), v);
    if (v->ndim == 0)
        bind_fail_argument(L, f, 1, "a tensor with dimensions");
    return bind_dimension(L, f, 2, v->ndim);
}

static int core_narrow(lua_State *L)
{
    View v;
    int d = read_dimension(L, "narrow", &v);
    int64_t start = bind_integer(L, "narrow", 3, "an index"), n = v.shape[d];
    int64_t size = bind_integer(L, "narrow", 4, "a length");
    start = start < 0 ? start + n : start - 1;
    if (start < 0 || start > n || size < 0 || size > n - start)
        bind_fail(L,
                  "narrow: expected a part of dimension %d, which has %I elements, "
                  "got start %I, length %I",
                  d + 1, (LUAI_UACINT)n, (LUAI_UACINT)lua_tointeger(L, 3), (LUAI_UACINT)size);
    v.data += start * v.stride[d] * dtype_size(v.dtype);
    v.shape[d] = size;
    bind_new_view(L, 1, &v);
    return 1;
}

static int core_select(lua_State *L)
{
    View v;
    int d = read_dimension(L, "select", &v);
    int64_t index = bind_integer(L, "select", 3, "an index");
    view_select(&v, d, bind_element_index(L, "select", index, v.shape[d], d + 1));
    bind_new_view(L, 1, &v);
    return 1;
}

/* unfold(t, dim, size, step): every window of `size` indices of a dimension, `step` apart;
 * the indices within a window become the last dimension */
static int core_unfold(lua_State *L)
{
    static const char f[] = "unfold";
    View v;
    tensor_view(bind_tensor(L, f, 1), &v);
    if (v.ndim == 0 || v.ndim == MAX_RANK)
        bind_fail_argument(L, f, 1, v.ndim == 0 ? "a tensor with dimensions" : "fewer dimensions");
    int d = bind_dimension(L, f, 2, v.ndim);
    int64_t size = bind_integer(L, f, 3, "a size"), step = bind_integer(L, f, 4, "a step");
    if (size < 0 || size > v.shape[d])
        bind_fail(L, "%s: argument 3: expected a size from 0 to %I, got %I", f,
                  (LUAI_UACINT)v.shape[d], (LUAI_UACINT)size);
    if (step < 1)
        bind_fail_argument(L, f, 4, "a step of 1 or more");
    v.shape[v.ndim] = size;
    v.stride[v.ndim++] = v.stride[d];
    int64_t rest = v.shape[d] - size;
    v.stride[d] *= size_min(step, size_max(rest, 1)); /* a longer one reaches no second window */
    v.shape[d] = rest / step + 1;
    bind_new_view(L, 1, &v);
    return 1;
}

/* diagonal(t [, offset, dim1, dim2]): its elements [i, i + offset], as the last dimension */
static int core_diagonal(lua_State *L)
{
    static const char f[] = "diagonal";
    lua_settop(L, 4);
    View v;
    tensor_view(bind_tensor(L, f, 1), &v);
    if (v.ndim < 2)
        bind_fail_argument(L, f, 1, "a tensor with two dimensions or more");
    int64_t offset = lua_isnil(L, 2) ? 0 : bind_integer(L, f, 2, "an offset");
    int a = lua_isnil(L, 3) ? 0 : bind_dimension(L, f, 3, v.ndim);
    int b = lua_isnil(L, 4) ? 1 : bind_dimension(L, f, 4, v.ndim);
    if (a == b)
        bind_fail(L, "%s: expected two different dimensions, got %d twice", f, a + 1);
    int64_t down = offset < 0 ? size_max(offset, -v.shape[a]) : 0;
    int64_t right = offset > 0 ? size_min(offset, v.shape[b]) : 0;
    int64_t size = size_min(v.shape[a] + down, v.shape[b] - right);
    int64_t stride = v.stride[a] + v.stride[b];
    if (size > 0)
        v.data += (right * v.stride[b] - down * v.stride[a]) * dtype_size(v.dtype);
    view_drop(&v, a > b ? a : b);
    view_drop(&v, a > b ? b : a);
    v.shape[v.ndim] = size;
    v.stride[v.ndim++] = stride;
    bind_new_view(L, 1, &v);
    return 1;
}

/*
 * share(t, source): t shows the memory of source from now on, which must be like it; source stays a
 * tensor of its own. Returns t.
 */
static int core_share(lua_State *L)
{
    static const char f[] = "share";
    Tensor *t = bind_tensor(L, f, 1), *source = bind_tensor(L, f, 2);
    if (lua_getiuservalue(L, 1, TENSOR_GRAD_FN) != LUA_TNIL)
        bind_fail_argument(L, f, 1, "a leaf tensor");
    if (!tensor_is_like(t, source)) {
        const char *wanted = bind_describe(L, 1);
        bind_fail(L, "%s: argument 2: expected %s like argument 1, got %s", f, wanted,
                  bind_describe(L, 2));
    }
    bind_share_storage(L, 1, 2);
    t->offset = source->offset;
    memcpy(tensor_stride(t), tensor_stride(source), (size_t)t->ndim * sizeof(int64_t));
    t->is_contiguous = source->is_contiguous;
    t->is_view = true;
    lua_settop(L, 1);
    return 1;
}

static const luaL_Reg view_functions[] = {
    {"view", core_view},         {"reshape", core_reshape}, {"transpose", core_transpose},
    {"permute", core_permute},   {"expand", core_expand},   {"_flip", core_flip},
    {"narrow", core_narrow},     {"select", core_select},   {"unfold", core_unfold},
    {"diagonal", core_diagonal}, {"share", core_share},     {NULL, NULL},
};

void bind_open_view(lua_State *L)
{
    bind_register_unrecorded(L, view_functions);
}
