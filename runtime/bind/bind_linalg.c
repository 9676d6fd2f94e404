/*
 * bind_linalg.c - matmul and linear
 */
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/elementwise.h"
#include "kernels/linalg.h"

/* OpenBLAS, where it makes products */
static const OpenBlas *product_blas(lua_State *L, const char *f)
{
    return linalg_needs_blas() ? bind_blas(L, f) : NULL;
}

/* v where a product can read it, in `dtype`: as it lies, or as a copy (pushed) */
static void prepare(lua_State *L, const char *f, DType dtype, View *v)
{
    if (v->dtype != dtype || !linalg_is_ready(v))
        tensor_view(bind_new_copy(L, f, v, dtype), v);
}

/* integers are multiplied as int64 */
static DType product_type(DType a, DType b)
{
    DType common = dtype_promote(a, b);
    return dtype_is_float(common) ? common : INT64;
}

static void insert_dimension(View *v, int at)
{
    for (int d = v->ndim; d > at; d--) {
        v->shape[d] = v->shape[d - 1];
        v->stride[d] = v->stride[d - 1];
    }
    v->shape[at] = 1;
    v->stride[at] = 1;
    v->ndim++;
}

/* repeats v along the leading dimensions of `shape` */
static void expand_batches(View *v, int ndim, const int64_t *shape)
{
    int64_t full[MAX_RANK];
    memcpy(full, shape, (size_t)ndim * sizeof *full);
    memcpy(full + ndim - 2, v->shape + v->ndim - 2, 2 * sizeof *full);
    view_expand(v, ndim, full);
}

/*
 * matmul(a, b): a[batch..., m, k] b[batch..., k, n] -> [batch..., m, n]; a vector on the left is a
 * row, on the right a column, and its dimension is left out of the result; the batch dimensions
 * broadcast
 */
static int core_matmul(lua_State *L)
{
    static const char f[] = "matmul";
    lua_settop(L, 2);
    Tensor *ta = bind_tensor(L, f, 1), *tb = bind_tensor(L, f, 2);
    if (ta->ndim == 0 || tb->ndim == 0)
        bind_fail_argument(L, f, ta->ndim == 0 ? 1 : 2, "a tensor with dimensions");
    if (ta->ndim >= MAX_RANK || tb->ndim >= MAX_RANK)
        bind_fail_argument(L, f, ta->ndim >= MAX_RANK ? 1 : 2, "fewer dimensions");
    View a, b;
    tensor_view(ta, &a);
    tensor_view(tb, &b);
    bool row = a.ndim == 1, column = b.ndim == 1;
    if (row)
        insert_dimension(&a, 0);
    if (column)
        insert_dimension(&b, 1);
    int64_t m = a.shape[a.ndim - 2], k = a.shape[a.ndim - 1], n = b.shape[b.ndim - 1];
    if (b.shape[b.ndim - 2] != k) {
        const char *left = bind_shape_text(L, ta->ndim, ta->dims);
        bind_fail(L, "matmul: argument 2: expected %I rows to match %s, got %s", (LUAI_UACINT)k,
                  left, bind_shape_text(L, tb->ndim, tb->dims));
    }
    int ndim;
    int64_t shape[MAX_RANK];
    if (shape_broadcast(a.ndim - 2, a.shape, b.ndim - 2, b.shape, &ndim, shape)) {
        const char *left = bind_shape_text(L, ta->ndim, ta->dims);
        bind_fail(L, "matmul: argument 2: expected batch dimensions that broadcast with %s, got %s",
                  left, bind_shape_text(L, tb->ndim, tb->dims));
    }
    shape[ndim++] = m;
    shape[ndim++] = n;
    DType dtype = product_type(a.dtype, b.dtype), result = dtype_promote(a.dtype, b.dtype);
    prepare(L, f, dtype, &a);
    prepare(L, f, dtype, &b);
    const OpenBlas *blas = product_blas(L, f);
    expand_batches(&a, ndim, shape);
    expand_batches(&b, ndim, shape);
    View c;
    tensor_view(bind_new_tensor(L, f, dtype, ndim, shape), &c);
    linalg_matmul(blas, bind_pool(L), 1, &a, &b, &c, false);
    if (result != dtype)
        bind_new_copy(L, f, &c, result);
    if (row || column) {
        View shown;
        tensor_view(lua_touserdata(L, -1), &shown);
        if (column)
            view_drop(&shown, shown.ndim - 1);
        if (row)
            view_drop(&shown, shown.ndim - (column ? 1 : 2));
        bind_new_view(L, -1, &shown)->is_view = false;
    }
    return 1;
}

/* linear(x, weight [, bias]): x[..., in] weight[out, in] -> y[..., out] = x weight^T + bias */
static int core_linear(lua_State *L)
{
    static const char f[] = "linear";
    lua_settop(L, 3);
    Tensor *tx = bind_tensor(L, f, 1), *tw = bind_tensor(L, f, 2);
    Tensor *tb = lua_isnil(L, 3) ? NULL : bind_tensor(L, f, 3);
    if (tw->ndim != 2)
        bind_fail_argument(L, f, 2, "a weight [out, in]");
    int64_t outs = tw->dims[0], ins = tw->dims[1];
    if (tx->ndim == 0 || tx->dims[tx->ndim - 1] != ins)
        bind_fail(L, "linear: argument 1: expected [..., %I], got %s", (LUAI_UACINT)ins,
                  bind_shape_text(L, tx->ndim, tx->dims));
    if (tb != NULL && (tb->ndim != 1 || tb->dims[0] != outs))
        bind_fail(L, "linear: argument 3: expected a bias [%I], got %s", (LUAI_UACINT)outs,
                  bind_shape_text(L, tb->ndim, tb->dims));
    bool same = tx->dtype == tw->dtype && (tb == NULL || tb->dtype == tx->dtype);
    if (!same || !tensor_is_float(tx)) {
        const char *x = bind_describe(L, 1), *w = bind_describe(L, 2);
        bind_fail(L, "linear: expected float tensors of one type, got %s, %s and %s", x, w,
                  bind_describe(L, 3));
    }
    int64_t shape[MAX_RANK], rows = 1;
    for (int d = 0; d < tx->ndim - 1; d++)
        rows *= shape[d] = tx->dims[d];
    shape[tx->ndim - 1] = outs;
    View x, w, bias, y, matrix;
    tensor_view(tx, &x);
    tensor_view(tw, &w);
    prepare(L, f, w.dtype, &w);
    const OpenBlas *blas = product_blas(L, f);
    const int64_t flat[2] = {rows, ins};
    if (view_reshape(&x, 2, flat, &matrix) || !linalg_is_ready(&matrix)) {
        tensor_view(bind_new_copy(L, f, &x, x.dtype), &x);
        view_reshape(&x, 2, flat, &matrix);
    }
    if (tb != NULL) {
        tensor_view(tb, &bias);
        if (!tb->is_contiguous)
            tensor_view(bind_new_copy(L, f, &bias, bias.dtype), &bias);
    }
    tensor_view(bind_new_tensor(L, f, x.dtype, tx->ndim, shape), &y);
    const int64_t result[2] = {rows, outs};
    View product;
    view_reshape(&y, 2, result, &product);
    view_swap(&w, 0, 1);
    linalg_linear(blas, bind_pool(L), &matrix, &w, tb != NULL ? bias.data : NULL, &product);
    return 1;
}

/* the tensor at index as rows: [..., n] -> [m, n], where a product can read it */
static View read_rows(lua_State *L, const char *f, int index)
{
    Tensor *t = bind_tensor(L, f, index);
    View v, rows;
    tensor_view(t, &v);
    int64_t shape[2] = {1, t->ndim > 0 ? t->dims[t->ndim - 1] : 1};
    for (int d = 0; d < t->ndim - 1; d++)
        shape[0] *= t->dims[d];
    if (view_reshape(&v, 2, shape, &rows) || !linalg_is_ready(&rows)) {
        tensor_view(bind_new_copy(L, f, &v, v.dtype), &v);
        view_reshape(&v, 2, shape, &rows);
    }
    return rows;
}

/* _linear_weight_gradient(g, y, x): g[..., out] x[..., in] -> g^T x [out, in] */
static int core_linear_weight_gradient(lua_State *L)
{
    static const char f[] = "linear";
    View g = read_rows(L, f, 1), x = read_rows(L, f, 3), dw;
    view_swap(&g, 0, 1);
    const int64_t shape[2] = {g.shape[0], x.shape[1]};
    const OpenBlas *blas = product_blas(L, f);
    tensor_view(bind_new_tensor(L, f, x.dtype, 2, shape), &dw);
    linalg_matmul(blas, bind_pool(L), 1, &g, &x, &dw, false);
    return 1;
}

/* _linear_input_gradient(g, y, x, weight): g[..., out] weight[out, in] -> [..., in] */
static int core_linear_input_gradient(lua_State *L)
{
    lua_settop(L, 4);
    lua_replace(L, 2);
    return core_matmul(L);
}

/* accumulate(c, a, b, scale): c[m, n] += scale a[m, k] b[k, n] in place, for wrun's own training
 * loops: nothing is recorded; c is contiguous and shares memory with neither */
static int core_accumulate(lua_State *L)
{
    static const char f[] = "accumulate";
    lua_settop(L, 4);
    double scale = bind_number(L, f, 4, "a number");
    Tensor *tc = bind_tensor(L, f, 1), *ta = bind_tensor(L, f, 2), *tb = bind_tensor(L, f, 3);
    bool fits = tc->ndim == 2 && ta->ndim == 2 && tb->ndim == 2 && tc->is_contiguous &&
                tc->dims[0] == ta->dims[0] && ta->dims[1] == tb->dims[0] &&
                tc->dims[1] == tb->dims[1];
    bool same = ta->dtype == tc->dtype && tb->dtype == tc->dtype && tensor_is_float(tc);
    if (!fits || !same || ta->storage == tc->storage || tb->storage == tc->storage) {
        const char *c = bind_describe(L, 1), *a = bind_describe(L, 2);
        bind_fail(L,
                  "accumulate: expected float matrices [m, n], [m, k] and [k, n], "
                  "got %s, %s and %s",
                  c, a, bind_describe(L, 3));
    }
    View a, b, c;
    tensor_view(ta, &a);
    tensor_view(tb, &b);
    tensor_view(tc, &c);
    prepare(L, f, c.dtype, &a);
    prepare(L, f, c.dtype, &b);
    const OpenBlas *blas = product_blas(L, f);
    bind_touch(tc);
    linalg_matmul(blas, bind_pool(L), scale, &a, &b, &c, true);
    lua_settop(L, 1);
    return 1;
}

/* blas_text() -> the library that makes products, and for which processor */
static int core_blas_text(lua_State *L)
{
    char text[128];

    linalg_describe(text, sizeof(text));
    lua_pushstring(L, text);
    return 1;
}

static const luaL_Reg linalg_functions[] = {
    {"matmul", core_matmul},
    {"linear", core_linear},
    {"_linear_input_gradient", core_linear_input_gradient},
    {"_linear_weight_gradient", core_linear_weight_gradient},
    {"accumulate", core_accumulate},
    {NULL, NULL},
};

static const luaL_Reg blas_functions[] = {
    {"blas_text", core_blas_text},
    {NULL, NULL},
};

void bind_open_linalg(lua_State *L)
{
    bind_register(L, blas_functions);
    bind_register_unrecorded(L, linalg_functions);
}
