/*
 * bind_index.c - picking elements by their indices, and writing to them
 */
#include <string.h>

#include "bind/bind_autograd.h"
#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/elementwise.h"
#include "kernels/index.h"

/* t, or a contiguous copy of it, which is pushed */
static Tensor *contiguous(lua_State *L, const char *f, Tensor *t)
{
    if (t->is_contiguous)
        return t;
    View v;
    tensor_view(t, &v);
    return bind_new_copy(L, f, &v, v.dtype);
}

/* the indices, argument `index`: int64 (or int32) and from 1 to n;
 * contiguous, perhaps as a copy (pushed) */
static const int64_t *check_indices(lua_State *L, const char *f, int index, int64_t n)
{
    Tensor *p = bind_tensor(L, f, index);
    View v;
    tensor_view(p, &v);
    if (v.dtype == INT32)
        p = bind_new_copy(L, f, &v, INT64);
    else if (v.dtype != INT64)
        bind_fail_argument(L, f, index, "an int64 tensor of indices");
    p = contiguous(L, f, p);
    const int64_t *indices = (const int64_t *)(const void *)tensor_data(p);
    int64_t wrong = index_check(bind_pool(L), indices, p->numel, n);
    if (wrong >= 0)
        bind_fail(L, "%s: argument %d: expected indices from 1 to %I, got %I at index %I", f, index,
                  (LUAI_UACINT)n, (LUAI_UACINT)indices[wrong], (LUAI_UACINT)(wrong + 1));
    return indices;
}

/* the rows of x, seen as `along`, that the indices of argument `index` name */
static Rows rows_at(lua_State *L, const char *f, int index, const Tensor *x, Along along)
{
    return (Rows){
        .dtype = (DType)x->dtype,
        .along = along,
        .count = bind_tensor(L, f, index)->numel,
        .indices = check_indices(L, f, index, along.n),
    };
}

/* the rows of x along a dimension that the list of indices, argument 3, names */
static Rows read_rows(lua_State *L, const char *f, const Tensor *x, int dimension)
{
    const Tensor *indices = bind_tensor(L, f, 3);
    if (indices->ndim > 1)
        bind_fail_argument(L, f, 3, "a list of indices (one dimension)");
    if (x->ndim == 0)
        bind_fail_argument(L, f, 1, "a tensor with dimensions");
    return rows_at(L, f, 3, x, shape_along(x->ndim, x->dims, dimension));
}

/* the rows of argument 1 along dimension argument 2 that the indices, argument 3, name; where they
 * are to be scaled, bytes as numbers from 0 to 1 */
static int push_selected(lua_State *L, bool scales)
{
    static const char f[] = "index_select";
    lua_settop(L, 3);
    Tensor *x = bind_tensor(L, f, 1);
    if (scales && x->dtype != UINT8)
        bind_fail_argument(L, f, 1, "a uint8 tensor");
    int dimension = bind_dimension(L, f, 2, x->ndim);
    Rows rows = read_rows(L, f, x, dimension);
    int64_t shape[MAX_RANK];
    memcpy(shape, tensor_shape(x), x->ndim * sizeof *shape);
    shape[dimension] = rows.count;
    const Tensor *source = contiguous(L, f, x);
    const Tensor *y = bind_new_tensor(L, f, scales ? FLOAT32 : rows.dtype, x->ndim, shape);
    if (scales)
        index_scale(bind_pool(L), &rows, (const uint8_t *)tensor_data(source),
                    (float *)(void *)tensor_data(y));
    else
        index_select(bind_pool(L), &rows, tensor_data(source), tensor_data(y));
    return 1;
}

/* index_select(x, dim, indices): y[..., i, ...] = x[..., indices[i], ...] */
static int core_index_select(lua_State *L)
{
    return push_selected(L, false);
}

/* _index_scale(x, dim, indices): the same of a uint8 tensor, as float32, divided by 255 */
static int core_index_scale(lua_State *L)
{
    return push_selected(L, true);
}

/* the elements of x that the tensor of indices, argument 3, names along a dimension */
static Elements read_elements(lua_State *L, const char *f, const Tensor *x, int dimension)
{
    const Tensor *p = bind_tensor(L, f, 3);
    bool fits = p->ndim == x->ndim;
    for (int d = 0; fits && d < x->ndim; d++)
        fits = d == dimension || p->dims[d] <= x->dims[d];
    if (!fits) {
        const char *wanted = bind_shape_text(L, x->ndim, x->dims);
        bind_fail(L, "%s: argument 3: expected a shape within %s but for dimension %d, got %s", f,
                  wanted, dimension + 1, bind_shape_text(L, p->ndim, p->dims));
    }
    Elements elements = {.dtype = (DType)x->dtype, .ndim = x->ndim, .dimension = dimension};
    memcpy(elements.shape, p->dims, p->ndim * sizeof(int64_t));
    elements.indices = check_indices(L, f, 3, x->ndim > 0 ? x->dims[dimension] : 1);
    return elements;
}

/* gather(x, dim, indices): y has the shape of indices, y[i][j] = x[indices[i][j]][j] along dim 1 */
static int core_gather(lua_State *L)
{
    static const char f[] = "gather";
    lua_settop(L, 3);
    Tensor *x = bind_tensor(L, f, 1);
    Elements elements = read_elements(L, f, x, bind_dimension(L, f, 2, x->ndim));
    memcpy(elements.stride, tensor_stride(x), x->ndim * sizeof(int64_t));
    const Tensor *y = bind_new_tensor(L, f, elements.dtype, elements.ndim, elements.shape);
    index_gather(bind_pool(L), &elements, tensor_data(x), tensor_data(y));
    return 1;
}

/* ---- writing at indices ---- */

typedef struct {
    lua_State *L;
    const char *name;
    bool in_place;
    Write write;
    Tensor *x;
    Tensor *target; /* contiguous: x itself, or a copy */
} Change;

static Change read_change(lua_State *L, const char *f, Write write, bool in_place)
{
    return (Change){L, f, in_place, write, bind_tensor(L, f, 1), NULL};
}

/* what is written, argument `index`, is a number or has x's type */
static void check_source(const Change *c, int index)
{
    const Tensor *t = bind_to_tensor(c->L, index);
    if (t != NULL && t->dtype != c->x->dtype)
        bind_fail_argument(c->L, c->name, index, "a number or a tensor of argument 1's type");
}

/* the same as a contiguous block of x's type; not x's own memory, which is about to change */
static const void *block(const Change *c, const Operand *in, int ndim, const int64_t *shape)
{
    if (!in->is_scalar && shape_equal(ndim, shape, in->view.ndim, in->view.shape) &&
        shape_is_contiguous(ndim, shape, in->view.stride))
        return in->view.data;
    View out;
    tensor_view(bind_new_tensor(c->L, c->name, (DType)c->x->dtype, ndim, shape), &out);
    elementwise_copy(bind_pool(c->L), &out, in);
    return out.data;
}

/* the block that argument `index` fills when it is broadcast to a shape */
static const void *broadcast_block(const Change *c, int index, int ndim, const int64_t *shape)
{
    View wanted = {.dtype = (DType)c->x->dtype, .ndim = ndim};
    memcpy(wanted.shape, shape, (size_t)ndim * sizeof *shape);
    Operand in;
    check_source(c, index);
    bind_source(c->L, c->name, index, &wanted, &in);
    return block(c, &in, ndim, shape);
}

/* the block for as many elements as there are elements: the beginning of argument 4, or a number */
static const void *covering_block(const Change *c, Elements *elements)
{
    Operand in = {.is_scalar = true};
    Tensor *t = bind_to_tensor(c->L, 4);
    check_source(c, 4);
    if (t == NULL && !bind_to_scalar(c->L, 4, &in.scalar))
        bind_fail_argument(c->L, c->name, 4, "a tensor or a number");
    if (t != NULL) {
        bool covers = t->ndim == elements->ndim;
        for (int d = 0; covers && d < t->ndim; d++)
            covers = t->dims[d] >= elements->shape[d];
        if (!covers) {
            const char *wanted = bind_shape_text(c->L, elements->ndim, elements->shape);
            bind_fail(c->L, "%s: argument 4: expected a shape that covers %s, got %s", c->name,
                      wanted, bind_shape_text(c->L, t->ndim, t->dims));
        }
        in.is_scalar = false;
        tensor_view(t, &in.view);
        if (t->storage == c->x->storage)
            tensor_view(bind_new_copy(c->L, c->name, &in.view, in.view.dtype), &in.view);
        memcpy(in.view.shape, elements->shape, (size_t)elements->ndim * sizeof(int64_t));
    }
    elements->is_filled = in.is_scalar;
    return block(c, &in, in.is_scalar ? 0 : elements->ndim, elements->shape);
}

/* All is checked: the target is x where that can be written to directly, else a copy of it. */
static void begin_change(Change *c)
{
    if (c->in_place) {
        bind_check_writable(c->L, c->name, 1, c->x);
        if (bind_needs_grad(c->L, 4))
            bind_check_unshared(c->L, c->name, c->x);
        bind_touch(c->x);
        c->target = contiguous(c->L, c->name, c->x);
    } else {
        View v;
        tensor_view(c->x, &v);
        c->target = bind_new_copy(c->L, c->name, &v, v.dtype);
    }
}

static int end_change(const Change *c)
{
    if (!c->in_place)
        return 1; /* the copy was pushed last */
    if (c->target != c->x) {
        View out;
        Operand in = {.is_scalar = false};
        tensor_view(c->x, &out);
        tensor_view(c->target, &in.view);
        elementwise_copy(bind_pool(c->L), &out, &in);
    }
    lua_pushvalue(c->L, 1);
    return 1;
}

/* Is argument `index` one element for all that is written? */
static bool is_single(lua_State *L, int index)
{
    const Tensor *t = bind_to_tensor(L, index);
    return t == NULL || t->ndim == 0;
}

/* f(x, dim, indices, y): y[..., i, ...] is written to x[..., indices[i], ...] */
static int change_rows(lua_State *L, const char *f, Write write, bool in_place)
{
    Change c = read_change(L, f, write, in_place);
    int dimension = bind_dimension(L, f, 2, c.x->ndim);
    Rows rows = read_rows(L, f, c.x, dimension);
    int64_t shape[MAX_RANK];
    memcpy(shape, tensor_shape(c.x), c.x->ndim * sizeof *shape);
    shape[dimension] = rows.count;
    rows.is_filled = is_single(L, 4) && (write == WRITE_COPY || rows.along.inner == 1);
    const void *y = broadcast_block(&c, 4, rows.is_filled ? 0 : c.x->ndim, shape);
    begin_change(&c);
    index_write(bind_pool(L), &rows, write, tensor_data(c.target), y);
    return end_change(&c);
}

/* f(x, dim, indices, value): the same for a single value */
static int fill_rows(lua_State *L, const char *f, Write write, bool in_place)
{
    if (!is_single(L, 4))
        bind_fail_argument(L, f, 4, "a number");
    return change_rows(L, f, write, in_place);
}

/* f(x, dim, indices, y): y[i][j] is written to x[indices[i][j]][j], along dim 1 */
static int change_elements(lua_State *L, const char *f, Write write, bool in_place)
{
    Change c = read_change(L, f, write, in_place);
    Elements elements = read_elements(L, f, c.x, bind_dimension(L, f, 2, c.x->ndim));
    const void *y = covering_block(&c, &elements);
    begin_change(&c);
    shape_strides(c.x->ndim, tensor_shape(c.x), elements.stride);
    index_scatter(bind_pool(L), &elements, write, tensor_data(c.target), y);
    return end_change(&c);
}

/* f(x, indices, y [, accumulate]): y[i] is written to element indices[i] of x, seen as a row;
 * y has as many elements as indices, or broadcasts to their shape */
static int change_flat(lua_State *L, const char *f, Write write, bool in_place)
{
    Change c = read_change(L, f, write, in_place);
    if (!lua_isnil(L, 4) && lua_type(L, 4) != LUA_TBOOLEAN)
        bind_fail_argument(L, f, 4, "true or false for accumulate");
    Tensor *p = bind_tensor(L, f, 2);
    Rows rows = rows_at(L, f, 2, c.x, (Along){.outer = 1, .n = c.x->numel, .inner = 1});
    const Tensor *t = bind_to_tensor(L, 3);
    const Tensor *shaped = t != NULL && t->numel == p->numel ? t : p;
    rows.is_filled = t == NULL;
    const void *y = broadcast_block(&c, 3, rows.is_filled ? 0 : shaped->ndim, shaped->dims);
    begin_change(&c);
    index_write(bind_pool(L), &rows, lua_toboolean(L, 4) ? WRITE_ADD : write, tensor_data(c.target),
                y);
    return end_change(&c);
}

/* scatter_reduce(x, dim, indices, y, way): each element of y is added at its index or multiplied
 * into it ("sum", "prod"), or stays there if it is the largest or smallest so far
 * ("amax", "amin") */
static int core_scatter_reduce(lua_State *L)
{
    static const char f[] = "scatter_reduce";
    static const struct {
        const char *name;
        Write write;
    } ways[] = {
        {"sum", WRITE_ADD},
        {"prod", WRITE_MULTIPLY},
        {"amax", WRITE_MAXIMUM},
        {"amin", WRITE_MINIMUM},
    };
    lua_settop(L, 5);
    const char *name = bind_to_string(L, 5);
    for (size_t i = 0; i < COUNT_OF(ways); i++)
        if (name != NULL && strcmp(name, ways[i].name) == 0)
            return change_elements(L, f, ways[i].write, false);
    bind_fail_argument(L, f, 5, "sum, mean, prod, amax or amin");
}

/* a function that returns x changed, and one that changes x itself */
#define CHANGES(ROW)                                                                               \
    ROW(index_add, change_rows, WRITE_ADD)                                                         \
    ROW(index_copy, change_rows, WRITE_COPY)                                                       \
    ROW(index_fill, fill_rows, WRITE_COPY)                                                         \
    ROW(scatter, change_elements, WRITE_COPY)                                                      \
    ROW(scatter_add, change_elements, WRITE_ADD)                                                   \
    ROW(put, change_flat, WRITE_COPY)

#define ROW(name, change, write)                                                                   \
    static int core_##name(lua_State *L)                                                           \
    {                                                                                              \
        lua_settop(L, 4);                                                                          \
        return change(L, #name, write, false);                                                     \
    }                                                                                              \
    static int core_##name##_(lua_State *L)                                                        \
    {                                                                                              \
        lua_settop(L, 4);                                                                          \
        return change(L, #name "_", write, true);                                                  \
    }
CHANGES(ROW)
#undef ROW

/*
 * indices(t, n, from_end) -> t itself where all its indices are from 1 to n; where from_end
 * allows indices from -n to -1, a copy with these counted from 1; or nil and the index of the
 * first that is neither. t is an int64 tensor.
 */
static int core_indices(lua_State *L)
{
    static const char f[] = "indices";
    Tensor *t = bind_tensor(L, f, 1);
    int64_t n = bind_integer(L, f, 2, "a size");
    bool from_end = lua_toboolean(L, 3);
    lua_settop(L, 1);
    const Tensor *row = contiguous(L, f, t);
    const int64_t *given = (const int64_t *)(const void *)tensor_data(row);
    if (index_check(bind_pool(L), given, t->numel, n) < 0) {
        lua_settop(L, 1);
        return 1;
    }
    const Tensor *copy = bind_new_tensor(L, f, INT64, t->ndim, tensor_shape(t));
    int64_t *counted = (int64_t *)(void *)tensor_data(copy);
    for (int64_t i = 0; i < t->numel; i++)
        counted[i] = from_end && given[i] < 0 ? given[i] + n + 1 : given[i];
    int64_t wrong = index_check(bind_pool(L), counted, t->numel, n);
    if (wrong < 0)
        return 1;
    lua_pushnil(L);
    lua_pushinteger(L, wrong + 1);
    return 2;
}

/* nonzero(x): [count, ndim], the indices of the elements that are not 0, one in a row */
static int core_nonzero(lua_State *L)
{
    View v;
    tensor_view(bind_tensor(L, "nonzero", 1), &v);
    const Tensor *t = lua_touserdata(L, 1);
    if (t->dtype != BOOL || !t->is_contiguous)
        t = bind_new_copy(L, "nonzero", &v, BOOL);
    Mask mask = {.mask = (const uint8_t *)tensor_data(t), .n = t->numel};
    int64_t shape[2] = {index_count(bind_pool(L), &mask), v.ndim};
    const Tensor *y = bind_new_tensor(L, "nonzero", INT64, 2, shape);
    index_nonzero(bind_pool(L), &mask, v.ndim, v.shape, (int64_t *)(void *)tensor_data(y));
    return 1;
}

/* _pick(x, mask): the elements of x where the mask, of its shape, is true, in a row */
static int core_pick(lua_State *L)
{
    static const char f[] = "pick";
    lua_settop(L, 2);
    Tensor *x = bind_tensor(L, f, 1), *t = bind_tensor(L, f, 2);
    if (t->dtype != BOOL || !shape_equal(x->ndim, x->dims, t->ndim, t->dims))
        bind_fail_argument(L, f, 2, "a bool tensor of argument 1's shape");
    const Tensor *from = contiguous(L, f, x);
    Mask mask = {.mask = (const uint8_t *)tensor_data(contiguous(L, f, t)), .n = t->numel};
    int64_t count = index_count(bind_pool(L), &mask);
    const Tensor *y = bind_new_tensor(L, f, (DType)x->dtype, 1, &count);
    index_pick(bind_pool(L), &mask, (DType)x->dtype, tensor_data(from), tensor_data(y));
    return 1;
}

/* ---- t[key] of indices and slices ---- */

/* leaves dimension d of v at one index */
static void take_index(lua_State *L, const char *f, View *v, int d, int64_t index, int shown)
{
    view_select(v, d, bind_element_index(L, f, index, v->shape[d], shown));
}

/* {from, to, step} of a slice, at the top of the stack:
 * negatives count from the end, {} is everything */
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

/* v = the part of the tensor at index 1 that the key at index 2 names:
 * an index, or a table of indices and slices */
static void take_key(lua_State *L, const char *f, View *v)
{
    tensor_view(bind_tensor(L, f, 1), v);
    if (lua_type(L, 2) == LUA_TNUMBER) {
        if (v->ndim == 0)
            bind_fail(L, "%s: a tensor without dimensions has no indices", f);
        take_index(L, f, v, 0, bind_integer(L, f, 2, "a whole index"), 1);
        return;
    }
    if (lua_type(L, 2) != LUA_TTABLE)
        bind_fail_argument(L, f, 2, "an index or a table of indices and slices");
    int count = (int)lua_rawlen(L, 2);
    if (count == 0)
        bind_check_list(L, f, 2, "indices and slices");
    if (count > v->ndim)
        bind_fail(L, "%s: expected at most %d indices or slices, got %d", f, v->ndim, count);
    for (int i = 1, d = 0; i <= count; i++) {
        lua_rawgeti(L, 2, i);
        if (lua_type(L, -1) == LUA_TTABLE)
            take_slice(L, f, v, d++, i);
        else if (lua_isinteger(L, -1))
            take_index(L, f, v, d, lua_tointeger(L, -1), i);
        else
            bind_fail(L,
                      "%s: expected an index or a slice {from, to, step} for dimension %d, got %s",
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

/* assign(t, key, value): t[key] = value, a tensor that broadcasts to the part or a number;
 * returns t */
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
    elementwise_copy(bind_pool(L), &part, &in);
    lua_pushvalue(L, 1);
    return 1;
}

static const luaL_Reg index_functions[] = {
    {"index_select", core_index_select},
    {"_index_scale", core_index_scale},
    {"gather", core_gather},
    {"scatter_reduce", core_scatter_reduce},
    {"nonzero", core_nonzero},
    {"_pick", core_pick},
    {"indices", core_indices},
    {"index", core_index},
    {"assign", core_assign},
#define ROW(name, change, write) {#name, core_##name}, {#name "_", core_##name##_},
    CHANGES(ROW)
#undef ROW
        {NULL, NULL},
};

void bind_open_index(lua_State *L)
{
    bind_register_unrecorded(L, index_functions);
}
