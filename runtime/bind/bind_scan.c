/*
 * bind_scan.c - cumsum, cumprod, logcumsumexp, cummax, cummin, linear_recurrence
 */
#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/scan.h"

/* pushes the tensor that the scan writes its result to: x lies contiguous as `dtype`, or is copied
 * there first */
static void start_scan(lua_State *L, const char *f, Tensor *x, int dimension, DType dtype, Scan *s)
{
    s->dtype = dtype;
    s->along = shape_along(x->ndim, tensor_shape(x), dimension);
    if (x->is_contiguous && x->dtype == dtype) {
        s->x = tensor_data(x);
        s->y = tensor_data(bind_new_like(L, f, x));
        return;
    }
    View v;
    tensor_view(x, &v);
    s->y = tensor_data(bind_new_copy(L, f, &v, dtype));
    s->x = s->y;
}

static int scan_values(lua_State *L, const char *f, ScanKind kind)
{
    lua_settop(L, 3);
    Tensor *x = bind_tensor(L, f, 1);
    int dimension = bind_dimension(L, f, 2, x->ndim);
    if (kind == SCAN_LOGSUMEXP)
        bind_check_float(L, f, 1, x);
    Scan s = {.kind = kind, .reverse = lua_toboolean(L, 3)};
    start_scan(L, f, x, dimension, dtype_promote((DType)x->dtype, INT64), &s);
    scan_run(bind_pool(L), &s);
    return 1;
}

/* cumsum(x, dim [, reverse]) */
static int core_cumsum(lua_State *L)
{
    return scan_values(L, "cumsum", SCAN_SUM);
}

/* cumprod(x, dim) */
static int core_cumprod(lua_State *L)
{
    lua_settop(L, 2);
    return scan_values(L, "cumprod", SCAN_PROD);
}

/* logcumsumexp(x, dim) */
static int core_logcumsumexp(lua_State *L)
{
    lua_settop(L, 2);
    return scan_values(L, "logcumsumexp", SCAN_LOGSUMEXP);
}

/* (x, dim) -> the extremes so far, and their indices */
static int scan_extremes(lua_State *L, const char *f, ScanKind kind)
{
    lua_settop(L, 2);
    Tensor *x = bind_tensor(L, f, 1);
    int dimension = bind_dimension(L, f, 2, x->ndim);
    Scan s = {.kind = kind};
    start_scan(L, f, x, dimension, (DType)x->dtype, &s);
    Tensor *indices = bind_new_tensor(L, f, INT64, x->ndim, tensor_shape(x));
    s.indices = (int64_t *)(void *)tensor_data(indices);
    scan_run(bind_pool(L), &s);
    return 2;
}

static int core_cummax(lua_State *L)
{
    return scan_extremes(L, "cummax", SCAN_MAX);
}

static int core_cummin(lua_State *L)
{
    return scan_extremes(L, "cummin", SCAN_MIN);
}

/* linear_recurrence(a, b, dim [, reverse]): y[i] = a[i] y[i-1] + b[i] along dim */
static int core_linear_recurrence(lua_State *L)
{
    static const char f[] = "linear_recurrence";
    lua_settop(L, 4);
    Tensor *a = bind_tensor(L, f, 1), *b = bind_tensor(L, f, 2);
    bind_check_float(L, f, 1, a);
    bind_check_float(L, f, 2, b);
    if (!shape_equal(a->ndim, a->dims, b->ndim, b->dims)) {
        const char *wanted = bind_shape_text(L, a->ndim, a->dims);
        bind_fail(L, "%s: argument 2: expected the shape %s of argument 1, got %s", f, wanted,
                  bind_shape_text(L, b->ndim, b->dims));
    }
    int dimension = bind_dimension(L, f, 3, a->ndim);
    DType dtype = dtype_promote((DType)a->dtype, (DType)b->dtype);
    Scan s = {.kind = SCAN_RECURRENCE, .reverse = lua_toboolean(L, 4)};
    View v;
    tensor_view(a, &v);
    s.a = tensor_data(a->is_contiguous && a->dtype == dtype ? a : bind_new_copy(L, f, &v, dtype));
    start_scan(L, f, b, dimension, dtype, &s);
    scan_run(bind_pool(L), &s);
    return 1;
}

static const luaL_Reg scan_functions[] = {
    {"cumsum", core_cumsum},
    {"cumprod", core_cumprod},
    {"logcumsumexp", core_logcumsumexp},
    {"cummax", core_cummax},
    {"cummin", core_cummin},
    {"linear_recurrence", core_linear_recurrence},
    {NULL, NULL},
};

void bind_open_scan(lua_State *L)
{
    bind_register_unrecorded(L, scan_functions);
}
