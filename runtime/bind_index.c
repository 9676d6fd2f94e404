/*
 * bind_index.c - index_select, gather, their adjoints, and cat (layer 4)
 */
#include <string.h>

#include "bind.h"
#include "index.h"

/* the tensor at index, contiguous: itself, or a copy that takes its place on the stack */
static Tensor *make_contiguous(lua_State *L, const char *f, int index)
{
    Tensor *t = bind_tensor(L, f, index);
    if (t->is_contiguous)
        return t;
    View v;
    tensor_view(t, &v);
    Tensor *copy = bind_new_copy(L, f, &v, v.dtype);
    lua_replace(L, index);
    return copy;
}

static void split_shape(const Tensor *t, int dimension, Index *out)
{
    out->dtype = (DType)t->dtype;
    out->outer = out->n = out->inner = 1;
    for (int d = 0; d < t->ndim; d++) {
        int64_t *part = d < dimension ? &out->outer : d == dimension ? &out->n : &out->inner;
        *part *= t->dims[d];
    }
}

/* the positions, argument 3, whose copy is at index: int64 and in range; the message counts them
 * from 1 */
static Tensor *check_positions(lua_State *L, const char *f, int index, Index *out)
{
    Tensor *p = bind_tensor(L, f, 3);
    if (p->dtype != INT64)
        bind_fail_argument(L, f, 3, "an int64 tensor of positions");
    p = make_contiguous(L, f, index);
    out->positions = (const int64_t *)(const void *)tensor_data(p);
    int64_t wrong = index_check(out->positions, p->numel, out->n);
    if (wrong >= 0)
        bind_fail(L, "%s: argument 3: expected positions from 1 to %I, got %I at place %I", f,
                  (LUAI_UACINT)out->n, (LUAI_UACINT)out->positions[wrong],
                  (LUAI_UACINT)(wrong + 1));
    return p;
}

/* index_select(x, dim, positions): y[..., i, ...] = x[..., positions[i], ...] */
static int core_index_select(lua_State *L)
{
    static const char f[] = "index_select";
    lua_settop(L, 3);
    Tensor *x = bind_tensor(L, f, 1);
    lua_pushvalue(L, 1); /* copies go to slots 4 and 5, so that the arguments stay what they were */
    lua_pushvalue(L, 3);
    int dimension = bind_dimension(L, f, 2, x->ndim);
    if (x->ndim == 0)
        bind_fail_argument(L, f, 1, "a tensor with dimensions");
    Index index;
    split_shape(x, dimension, &index);
    Tensor *positions = bind_tensor(L, f, 3);
    if (positions->ndim != 1)
        bind_fail_argument(L, f, 3, "a list of positions (one dimension)");
    index.count = check_positions(L, f, 5, &index)->numel;
    x = make_contiguous(L, f, 4);
    int64_t shape[MAX_RANK];
    memcpy(shape, tensor_shape(x), x->ndim * sizeof *shape);
    shape[dimension] = index.count;
    Tensor *y = bind_new_tensor(L, f, index.dtype, x->ndim, shape);
    index_select(bind_runtime(L)->pool, &index, tensor_data(x), tensor_data(y));
    return 1;
}

/* the shapes of positions and y fit x but along the dimension, where x may be longer elsewhere
 * never */
static void check_gather_shapes(lua_State *L, const char *f, int index, const Tensor *x,
                                const Tensor *p, int dimension)
{
    bool fits = p->ndim == x->ndim;
    for (int d = 0; fits && d < x->ndim; d++)
        fits = d == dimension || p->dims[d] == x->dims[d];
    if (!fits) {
        const char *wanted = bind_shape_text(L, x->ndim, x->dims);
        bind_fail(L, "%s: argument %d: expected the shape %s but for dimension %d, got %s", f,
                  index, wanted, dimension + 1, bind_shape_text(L, p->ndim, p->dims));
    }
}

/* gather(x, dim, positions): y has the shape of positions, y[i][j] = x[positions[i][j]][j] along
 * dim 1 */
static int core_gather(lua_State *L)
{
    static const char f[] = "gather";
    lua_settop(L, 3);
    Tensor *x = bind_tensor(L, f, 1);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    int dimension = bind_dimension(L, f, 2, x->ndim);
    check_gather_shapes(L, f, 3, x, bind_tensor(L, f, 3), dimension);
    Index index;
    split_shape(x, dimension, &index);
    Tensor *positions = check_positions(L, f, 5, &index);
    index.count = x->ndim == 0 ? 1 : positions->dims[dimension];
    x = make_contiguous(L, f, 4);
    Tensor *y = bind_new_tensor(L, f, index.dtype, positions->ndim, tensor_shape(positions));
    index_gather(&index, tensor_data(x), tensor_data(y));
    return 1;
}

/* common to both adjoints: a copy of x, to which y is added at the positions */
static int add_at(lua_State *L, const char *f, void (*add)(const Index *, void *, const void *))
{
    lua_settop(L, 4);
    Tensor *x = bind_tensor(L, f, 1);
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 4);
    int dimension = bind_dimension(L, f, 2, x->ndim);
    Tensor *y = bind_tensor(L, f, 4);
    Index index;
    split_shape(x, dimension, &index);
    if (y->dtype != x->dtype)
        bind_fail_argument(L, f, 4, "the type of argument 1");
    if (x->dtype != FLOAT32 && x->dtype != FLOAT64 && x->dtype != INT64)
        bind_fail_argument(L, f, 1, "a float32, float64 or int64 tensor");
    check_gather_shapes(L, f, 4, x, y, dimension);
    Tensor *positions = check_positions(L, f, 5, &index);
    index.count = x->ndim == 0 ? 1 : y->dims[dimension];
    int64_t wanted = add == index_gather_add ? y->numel : index.count;
    if (positions->numel != wanted)
        bind_fail(L, "%s: argument 3: expected %I positions, got %I", f, (LUAI_UACINT)wanted,
                  (LUAI_UACINT)positions->numel);
    y = make_contiguous(L, f, 6);
    View v;
    tensor_view(x, &v);
    add(&index, tensor_data(bind_new_copy(L, f, &v, v.dtype)), tensor_data(y));
    return 1;
}

/* index_add(x, dim, positions, y): x with y[..., i, ...] added at positions[i] */
static int core_index_add(lua_State *L)
{
    return add_at(L, "index_add", index_select_add);
}

/* scatter_add(x, dim, positions, y): x with y[i][j] added at [positions[i][j]][j], along dim 1 */
static int core_scatter_add(lua_State *L)
{
    return add_at(L, "scatter_add", index_gather_add);
}

/* cat(dim, a, b, ...): the tensors one after the other along dim */
static int core_cat(lua_State *L)
{
    static const char f[] = "cat";
    int count = lua_gettop(L) - 1;
    Tensor *first = bind_tensor(L, f, 2);
    int dimension = bind_dimension(L, f, 1, first->ndim);
    if (first->ndim == 0)
        bind_fail(L, "cat: argument 1: expected tensors with dimensions, got numbers; use stack");
    DType dtype = (DType)first->dtype;
    int64_t shape[MAX_RANK];
    memcpy(shape, tensor_shape(first), first->ndim * sizeof *shape);
    for (int i = 2; i <= count; i++) {
        Tensor *t = bind_tensor(L, f, i + 1);
        bool fits = t->ndim == first->ndim;
        for (int d = 0; fits && d < t->ndim; d++)
            fits = d == dimension || t->dims[d] == shape[d];
        if (!fits) {
            const char *wanted = bind_shape_text(L, first->ndim, first->dims);
            bind_fail(L, "cat: tensor %d: expected the shape %s but for dimension %d, got %s", i,
                      wanted, dimension + 1, bind_shape_text(L, t->ndim, t->dims));
        }
        dtype = dtype_promote(dtype, (DType)t->dtype);
        if (__builtin_add_overflow(shape[dimension], t->dims[dimension], &shape[dimension]))
            bind_fail(L, "cat: the sizes overflow");
    }
    View out;
    tensor_view(bind_new_tensor(L, f, dtype, first->ndim, shape), &out);
    for (int i = 1; i <= count; i++) {
        Operand in = {.is_scalar = false};
        tensor_view(lua_touserdata(L, i + 1), &in.view);
        View part = out;
        part.shape[dimension] = in.view.shape[dimension];
        elementwise_copy(bind_runtime(L)->pool, &part, &in);
        out.data += part.shape[dimension] * out.stride[dimension] * dtype_size(dtype);
    }
    return 1;
}

static const luaL_Reg index_functions[] = {
    {"index_select", core_index_select}, {"gather", core_gather}, {"index_add", core_index_add},
    {"scatter_add", core_scatter_add},   {"cat", core_cat},       {NULL, NULL},
};

void bind_open_index(lua_State *L)
{
    bind_register(L, index_functions);
}
