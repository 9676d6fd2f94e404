/*
 * bind_view.c - other looks at the same memory, and assignment to a part of it (layer 4)
 */
#include <string.h>

#include "bind.h"

/* ---- view and reshape ---- */

/* reads the wanted sizes, one of which may be -1 (whatever is left), from the arguments after the
 * tensor */
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

/* expand(t, sizes): dimensions of size 1 (or new ones in front) repeated without copying; -1 keeps
 * a size */
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

/* ---- parts ---- */

static int core_narrow(lua_State *L)
{
    View v;
    tensor_view(bind_tensor(L, "narrow", 1), &v);
    if (v.ndim == 0)
        bind_fail_argument(L, "narrow", 1, "a tensor with dimensions");
    int d = bind_dimension(L, "narrow", 2, v.ndim);
    int64_t start = bind_integer(L, "narrow", 3, "a position"), n = v.shape[d];
    int64_t length = bind_integer(L, "narrow", 4, "a length");
    start = start < 0 ? start + n : start - 1;
    if (start < 0 || start > n || length < 0 || length > n - start)
        bind_fail(L,
                  "narrow: expected a part of dimension %d, which has %I elements, got start %I, "
                  "length %I",
                  d + 1, (LUAI_UACINT)n, (LUAI_UACINT)lua_tointeger(L, 3), (LUAI_UACINT)length);
    v.data += start * v.stride[d] * dtype_size(v.dtype);
    v.shape[d] = length;
    bind_new_view(L, 1, &v);
    return 1;
}

/* leaves dimension d of v at one position */
static void take_position(lua_State *L, const char *f, View *v, int d, int64_t position, int shown)
{
    int64_t n = v->shape[d], i = position < 0 ? position + n : position - 1;
    if (position == 0 || i < 0 || i >= n)
        bind_fail(L, "%s: expected a position from 1 to %I (or -%I to -1) in dimension %d, got %I",
                  f, (LUAI_UACINT)n, (LUAI_UACINT)n, shown, (LUAI_UACINT)position);
    v->data += i * v->stride[d] * dtype_size(v->dtype);
    view_drop(v, d);
}

static int core_select(lua_State *L)
{
    View v;
    tensor_view(bind_tensor(L, "select", 1), &v);
    if (v.ndim == 0)
        bind_fail_argument(L, "select", 1, "a tensor with dimensions");
    int d = bind_dimension(L, "select", 2, v.ndim);
    take_position(L, "select", &v, d, bind_integer(L, "select", 3, "a position"), d + 1);
    bind_new_view(L, 1, &v);
    return 1;
}

/* unfold(t, dim, size, step): every window of `size` positions of a dimension, `step` apart; the
 * places within a window become the last dimension */
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
    int64_t length = size_min(v.shape[a] + down, v.shape[b] - right);
    int64_t stride = v.stride[a] + v.stride[b];
    if (length > 0)
        v.data += (right * v.stride[b] - down * v.stride[a]) * dtype_size(v.dtype);
    view_drop(&v, a > b ? a : b);
    view_drop(&v, a > b ? b : a);
    v.shape[v.ndim] = length;
    v.stride[v.ndim++] = stride;
    bind_new_view(L, 1, &v);
    return 1;
}

/* {from, to, step} of a slice, at the top of the stack: negatives count from the end, {} is
 * everything */
static void take_slice(lua_State *L, const char *f, View *v, int d, int shown)
{
    int64_t n = v->shape[d], part[3] = {1, n, 1};
    int given = (int)lua_rawlen(L, -1);
    bool valid = given <= 3;
    for (int i = 0; i < given && i < 3; i++) {
        int is_integer;
        lua_rawgeti(L, -1, i + 1);
        part[i] = lua_tointegerx(L, -1, &is_integer);
        valid = valid && is_integer;
        lua_pop(L, 1);
    }
    int64_t from = part[0] < 0 ? part[0] + n + 1 : part[0],
            to = part[1] < 0 ? part[1] + n + 1 : part[1];
    valid = valid && part[2] >= 1 && from >= 1 && to <= n && from <= to + 1;
    if (!valid)
        bind_fail(L,
                  "%s: expected {from, to, step} within 1 to %I in dimension %d, got {%I, %I, %I}",
                  f, (LUAI_UACINT)n, shown, (LUAI_UACINT)part[0], (LUAI_UACINT)part[1],
                  (LUAI_UACINT)part[2]);
    int64_t step =
        size_min(part[2], size_max(n, 1)); /* a longer one reaches no second element either */
    v->data += (from - 1) * v->stride[d] * dtype_size(v->dtype);
    v->shape[d] = size_pieces(to - from + 1, step);
    v->stride[d] *= step;
}

/* v = the part of the tensor at index 1 that the key at index 2 names: a position, or a table of
 * positions and slices */
static void take_key(lua_State *L, const char *f, View *v)
{
    tensor_view(bind_tensor(L, f, 1), v);
    if (lua_type(L, 2) == LUA_TNUMBER) {
        if (v->ndim == 0)
            bind_fail(L, "%s: a tensor without dimensions has no positions", f);
        take_position(L, f, v, 0, bind_integer(L, f, 2, "a whole position"), 1);
        return;
    }
    if (lua_type(L, 2) != LUA_TTABLE)
        bind_fail_argument(L, f, 2, "a position or a table of positions and slices");
    int count = (int)lua_rawlen(L, 2);
    if (count > v->ndim)
        bind_fail(L, "%s: expected at most %d positions or slices, got %d", f, v->ndim, count);
    for (int i = 1, d = 0; i <= count; i++) {
        lua_rawgeti(L, 2, i);
        if (lua_type(L, -1) == LUA_TTABLE)
            take_slice(L, f, v, d++, i);
        else if (lua_isinteger(L, -1))
            take_position(L, f, v, d, lua_tointeger(L, -1), i);
        else
            bind_fail(
                L, "%s: expected a position or a slice {from, to, step} for dimension %d, got %s",
                f, i, bind_describe(L, lua_gettop(L)));
        lua_pop(L, 1);
    }
}

/* index(t, key): what t[key] shows */
static int core_index(lua_State *L)
{
    View v;
    take_key(L, "index", &v);
    bind_new_view(L, 1, &v);
    return 1;
}

/* assign(t, key, value): t[key] = value, a tensor that broadcasts to the part or a number; returns
 * t */
static int core_assign(lua_State *L)
{
    lua_settop(L, 3);
    Tensor *t = bind_tensor(L, "assign", 1);
    View part;
    Operand in;
    take_key(L, "assign", &part);
    bind_source(L, "assign", 3, &part, &in);
    bind_check_writable(L, "assign", 1, t);
    if (bind_needs_grad(L, 3))
        bind_check_unshared(L, "assign", t);
    bind_touch(t);
    elementwise_copy(bind_runtime(L)->pool, &part, &in);
    lua_pushvalue(L, 1);
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
    if (t->dtype != source->dtype ||
        !shape_equal(t->ndim, tensor_shape(t), source->ndim, tensor_shape(source))) {
        const char *wanted = bind_describe(L, 1);
        bind_fail(L, "%s: argument 2: expected %s like argument 1, got %s", f, wanted,
                  bind_describe(L, 2));
    }
    lua_getiuservalue(L, 2, TENSOR_STORAGE);
    lua_setiuservalue(L, 1, TENSOR_STORAGE);
    t->storage = source->storage;
    t->offset = source->offset;
    memcpy(tensor_stride(t), tensor_stride(source), (size_t)t->ndim * sizeof(int64_t));
    t->is_contiguous = source->is_contiguous;
    t->is_view = true;
    lua_settop(L, 1);
    return 1;
}

static const luaL_Reg view_functions[] = {
    {"view", core_view},
    {"reshape", core_reshape},
    {"transpose", core_transpose},
    {"permute", core_permute},
    {"expand", core_expand},
    {"narrow", core_narrow},
    {"select", core_select},
    {"unfold", core_unfold},
    {"diagonal", core_diagonal},
    {"index", core_index},
    {"assign", core_assign},
    {"share", core_share},
    {NULL, NULL},
};

void bind_open_view(lua_State *L)
{
    bind_register(L, view_functions);
}
