/*
 * bind_reduce.c - sums, products, extremes, any, all, variances and norms
 *
 * f(x) reduces everything to a tensor without dimensions; f(x, dim [, keepdim]) one dimension, or a
 * table of dimensions where no index is asked for. max and min along a dimension return values and
 * indices.
 */
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/reduce.h"

typedef struct {
    bool reduced[MAX_RANK]; /* the dimensions that go */
    bool keep;
} Dimensions;

static void read_dimensions(lua_State *L, const char *f, const Tensor *t, bool several,
                            Dimensions *out)
{
    memset(out->reduced, 0, sizeof out->reduced);
    if (!lua_isnoneornil(L, 3) && lua_type(L, 3) != LUA_TBOOLEAN)
        bind_fail_argument(L, f, 3, "true or false for keepdim");
    out->keep = lua_toboolean(L, 3);
    if (lua_isnoneornil(L, 2)) {
        for (int d = 0; d < t->ndim; d++)
            out->reduced[d] = true;
    } else if (several && lua_type(L, 2) == LUA_TTABLE) {
        int count = (int)lua_rawlen(L, 2);
        bind_check_list(L, f, 2, "dimensions");
        for (int i = 1; i <= count; i++) {
            lua_rawgeti(L, 2, i);
            int d = bind_dimension_in(L, f, 2, lua_gettop(L), t->ndim);
            if (out->reduced[d])
                bind_fail(L, "%s: argument 2: dimension %d is given twice", f, d + 1);
            out->reduced[d] = true;
            lua_pop(L, 1);
        }
    } else {
        int d = bind_dimension(L, f, 2, t->ndim);
        if (t->ndim > 0)
            out->reduced[d] = true;
    }
}

/*
 * Makes x contiguous as [outer, n, inner]: where it lies if the reduced dimensions are neighbours of
 * a contiguous tensor, else as a copy (pushed) with the reduced dimensions last.
 */
static const void *arrange(lua_State *L, const char *f, Tensor *t, const Dimensions *dims,
                           Reduce *r)
{
    int first = -1, last = -1, count = 0;
    for (int d = 0; d < t->ndim; d++)
        if (dims->reduced[d]) {
            first = first < 0 ? d : first;
            last = d;
            count++;
        }
    const int64_t *shape = tensor_shape(t);
    r->along = (Along){1, 1, 1};
    bool neighbours = count == 0 || last - first + 1 == count;
    for (int d = 0; d < t->ndim; d++) {
        if (dims->reduced[d])
            r->along.n *= shape[d];
        else if (neighbours && first >= 0 && d > last)
            r->along.inner *= shape[d];
        else
            r->along.outer *= shape[d];
    }
    if (neighbours && t->is_contiguous)
        return tensor_data(t);
    View v, moved;
    tensor_view(t, &v);
    moved = v;
    int at = 0;
    /* a stable move of the reduced dimensions to the end */
    for (int pass = 0; pass < 2 && !neighbours; pass++)
        for (int d = 0; d < t->ndim; d++)
            if (dims->reduced[d] == (pass == 1)) {
                moved.shape[at] = v.shape[d];
                moved.stride[at++] = v.stride[d];
            }
    return tensor_data(bind_new_copy(L, f, &moved, moved.dtype));
}

static int result_shape(const Tensor *t, const Dimensions *dims, int64_t *shape)
{
    int ndim = 0;
    for (int d = 0; d < t->ndim; d++)
        if (!dims->reduced[d])
            shape[ndim++] = t->dims[d];
        else if (dims->keep)
            shape[ndim++] = 1;
    return ndim;
}

static void run(lua_State *L, Reduce *r)
{
    _Alignas(STORAGE_ALIGNMENT) char few[1024];
    size_t size = reduce_scratch_size(r);
    int top = lua_gettop(L);
    r->scratch = size <= sizeof few ? few : lua_newuserdatauv(L, size, 0);
    reduce_run(bind_pool(L), r);
    lua_settop(L, top);
}

/* pushes the result of a reduction of t over these dimensions */
static void push_reduced(lua_State *L, const char *f, Reduction kind, Tensor *t,
                         const Dimensions *dims)
{
    Reduce r = {.kind = kind, .dtype = (DType)t->dtype};
    r.x = arrange(L, f, t, dims, &r);
    int64_t shape[MAX_RANK];
    int ndim = result_shape(t, dims, shape);
    r.y = tensor_data(bind_new_tensor(L, f, reduce_result_type(kind, r.dtype), ndim, shape));
    run(L, &r);
}

void bind_push_sum(lua_State *L, const char *f, Tensor *t, const bool *reduced, bool keep)
{
    Dimensions dims = {.keep = keep};
    memcpy(dims.reduced, reduced, t->ndim * sizeof *reduced);
    push_reduced(L, f, REDUCE_SUM, t, &dims);
}

static int reduce_values(lua_State *L, const char *f, Reduction kind)
{
    lua_settop(L, 3);
    Tensor *t = bind_tensor(L, f, 1);
    Dimensions dims;
    read_dimensions(L, f, t, true, &dims);
    if (kind == REDUCE_MEAN)
        bind_check_float(L, f, 1, t);
    push_reduced(L, f, kind, t, &dims);
    return 1;
}

static int core_sum(lua_State *L)
{
    return reduce_values(L, "sum", REDUCE_SUM);
}

static int core_mean(lua_State *L)
{
    return reduce_values(L, "mean", REDUCE_MEAN);
}

static int core_prod(lua_State *L)
{
    return reduce_values(L, "prod", REDUCE_PROD);
}

static int core_any(lua_State *L)
{
    return reduce_values(L, "any", REDUCE_ANY);
}

static int core_all(lua_State *L)
{
    return reduce_values(L, "all", REDUCE_ALL);
}

/* ---- extremes ---- */

enum { VALUES = 1, INDICES = 2 };

/* pushes what is wanted: the extreme values, their indices, or both in this order */
static int reduce_extreme(lua_State *L, const char *f, Reduction kind, bool several, int wanted)
{
    lua_settop(L, 3);
    Tensor *t = bind_tensor(L, f, 1);
    Dimensions dims;
    read_dimensions(L, f, t, several, &dims);
    Reduce r = {.kind = kind, .dtype = (DType)t->dtype};
    r.x = arrange(L, f, t, &dims, &r);
    if (r.along.n == 0)
        bind_fail(L, "%s: argument 1: expected at least one element to choose from, got %s", f,
                  bind_shape_text(L, t->ndim, tensor_shape(t)));
    int64_t shape[MAX_RANK];
    int ndim = result_shape(t, &dims, shape);
    if (wanted & VALUES)
        r.y = tensor_data(bind_new_tensor(L, f, r.dtype, ndim, shape));
    if (wanted & INDICES)
        r.indices = (int64_t *)(void *)tensor_data(bind_new_tensor(L, f, INT64, ndim, shape));
    run(L, &r);
    return wanted == (VALUES | INDICES) ? 2 : 1;
}

static int core_max(lua_State *L)
{
    int wanted = lua_isnoneornil(L, 2) ? VALUES : VALUES | INDICES;
    return reduce_extreme(L, "max", REDUCE_MAX, false, wanted);
}

static int core_min(lua_State *L)
{
    int wanted = lua_isnoneornil(L, 2) ? VALUES : VALUES | INDICES;
    return reduce_extreme(L, "min", REDUCE_MIN, false, wanted);
}

static int core_amax(lua_State *L)
{
    return reduce_extreme(L, "amax", REDUCE_MAX, true, VALUES);
}

static int core_amin(lua_State *L)
{
    return reduce_extreme(L, "amin", REDUCE_MIN, true, VALUES);
}

static int core_argmax(lua_State *L)
{
    return reduce_extreme(L, "argmax", REDUCE_MAX, false, INDICES);
}

static int core_argmin(lua_State *L)
{
    return reduce_extreme(L, "argmin", REDUCE_MIN, false, INDICES);
}

/* ---- squares ---- */

/* the squares of the distances from `center`, one for each result, over `divisor`; or their root */
static int reduce_squares(lua_State *L, const char *f, const Tensor *t, const Dimensions *dims,
                          Reduce *r)
{
    int64_t shape[MAX_RANK];
    int ndim = result_shape(t, dims, shape);
    r->kind = REDUCE_SQUARES;
    r->y = tensor_data(bind_new_tensor(L, f, r->dtype, ndim, shape));
    run(L, r);
    return 1;
}

static double *new_centers(lua_State *L, const Reduce *r)
{
    return lua_newuserdatauv(L, (size_t)(r->along.outer * r->along.inner) * sizeof(double), 0);
}

/* (x, dims or nil, keepdim, correction): from the mean, which is found first and kept in double,
 * over n - correction */
static int squares_from_mean(lua_State *L, bool root)
{
    static const char f[] = "var";
    lua_settop(L, 4);
    Tensor *t = bind_tensor(L, f, 1);
    Dimensions dims;
    read_dimensions(L, f, t, true, &dims);
    bind_check_float(L, f, 1, t);
    double correction = bind_number(L, f, 4, "a number");
    Reduce r = {.kind = REDUCE_MEAN, .dtype = (DType)t->dtype, .wide = true};
    r.x = arrange(L, f, t, &dims, &r);
    double *center = new_centers(L, &r);
    r.y = center;
    run(L, &r);
    r.wide = false;
    r.center = center;
    r.divisor = (double)r.along.n > correction ? (double)r.along.n - correction : 0;
    r.root = root;
    return reduce_squares(L, f, t, &dims, &r);
}

static int core_var(lua_State *L)
{
    return squares_from_mean(L, false);
}

static int core_std(lua_State *L)
{
    return squares_from_mean(L, true);
}

/* _norm(x, dims or nil, keepdim): the 2-norm, whose dimensions are refused as sum's are */
static int core_norm(lua_State *L)
{
    static const char f[] = "sum";
    lua_settop(L, 3);
    Tensor *t = bind_tensor(L, f, 1);
    Dimensions dims;
    read_dimensions(L, f, t, true, &dims);
    bind_check_float(L, f, 1, t);
    Reduce r = {.dtype = (DType)t->dtype, .divisor = 1, .root = true};
    r.x = arrange(L, f, t, &dims, &r);
    double *center = new_centers(L, &r);
    memset(center, 0, (size_t)(r.along.outer * r.along.inner) * sizeof *center);
    r.center = center;
    return reduce_squares(L, f, t, &dims, &r);
}

/* y[n] = x[n] / divisor */
static void divide(int64_t n, DType dtype, const void *x, void *y, double divisor)
{
    for (int64_t i = 0; i < n; i++)
        if (dtype == FLOAT32)
            ((float *)y)[i] = ((const float *)x)[i] / (float)divisor;
        else
            ((double *)y)[i] = ((const double *)x)[i] / divisor;
}

/* (g, y, x, dims or nil, keepdim) -> g, over as many where it is a mean's, in x's shape */
static int spread(lua_State *L, const char *f, bool is_mean)
{
    lua_settop(L, 5);
    lua_rotate(L, 2, 2); /* (g, dims, keepdim, y, x) */
    Tensor *g = bind_tensor(L, f, 1), *x = bind_tensor(L, f, 5);
    Dimensions dims;
    read_dimensions(L, f, x, true, &dims);
    View from, to = {.ndim = x->ndim, .dtype = (DType)g->dtype};
    tensor_view(g, &from);
    if (is_mean) {
        Tensor *share = bind_new_copy(L, f, &from, from.dtype);
        int64_t count = x->numel / size_max(1, g->numel);
        divide(g->numel, from.dtype, tensor_data(share), tensor_data(share), (double)count);
        lua_replace(L, 1);
        tensor_view(share, &from);
    }
    to.data = from.data;
    for (int d = 0, at = 0; d < x->ndim; d++) {
        to.shape[d] = x->dims[d];
        to.stride[d] = dims.reduced[d] ? 0 : from.stride[at];
        at += dims.keep || !dims.reduced[d];
    }
    bind_new_view(L, 1, &to);
    return 1;
}

static int core_sum_gradient(lua_State *L)
{
    return spread(L, "sum", false);
}

static int core_mean_gradient(lua_State *L)
{
    return spread(L, "mean", true);
}

static const luaL_Reg reduce_functions[] = {
    {"sum", core_sum},
    {"mean", core_mean},
    {"prod", core_prod},
    {"any", core_any},
    {"all", core_all},
    {"max", core_max},
    {"min", core_min},
    {"amax", core_amax},
    {"amin", core_amin},
    {"argmax", core_argmax},
    {"argmin", core_argmin},
    {"var", core_var},
    {"std", core_std},
    {"_norm", core_norm},
    {"_sum_gradient", core_sum_gradient},
    {"_mean_gradient", core_mean_gradient},
    {NULL, NULL},
};

void bind_open_reduce(lua_State *L)
{
    bind_register_unrecorded(L, reduce_functions);
}
