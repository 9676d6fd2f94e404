/*
 * bind_sort.c - order along a dimension, indices in ordered sequences, and counts of bins
 */
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/histogram.h"
#include "kernels/sort.h"

/* the elements of t as a contiguous block of `dtype`: its own, or a copy (pushed) */
static const void *contiguous_data(lua_State *L, const char *f, Tensor *t, DType dtype)
{
    if (t->is_contiguous && t->dtype == dtype)
        return tensor_data(t);
    View v;
    tensor_view(t, &v);
    return tensor_data(bind_new_copy(L, f, &v, dtype));
}

/*
 * sort(f, x, dim, descending [, take, only_last]) -> values, indices: the first `take` (all) in
 * order along dim, or the last of these alone; f is the name for errors, take is checked by the
 * caller
 */
static int core_sort(lua_State *L)
{
    const char *f = bind_string(L, "sort", 1, "a name");
    lua_remove(L, 1);
    lua_settop(L, 5);
    Tensor *x = bind_tensor(L, f, 1);
    int dimension = bind_dimension(L, f, 2, x->ndim);
    Sort s = {
        .dtype = (DType)x->dtype,
        .along = shape_along(x->ndim, tensor_shape(x), dimension),
        .descending = lua_toboolean(L, 3),
        .only_last = lua_toboolean(L, 5),
    };
    s.take = luaL_optinteger(L, 4, s.along.n);
    s.x = contiguous_data(L, f, x, s.dtype);
    int64_t shape[MAX_RANK];
    memcpy(shape, tensor_shape(x), x->ndim * sizeof *shape);
    if (x->ndim > 0)
        shape[dimension] = s.only_last ? 1 : s.take;
    s.scratch = lua_newuserdatauv(L, sort_scratch_size(&s), 0);
    s.y = tensor_data(bind_new_tensor(L, f, s.dtype, x->ndim, shape));
    s.indices = (int64_t *)(void *)tensor_data(bind_new_tensor(L, f, INT64, x->ndim, shape));
    sort_run(bind_pool(L), &s);
    return 2;
}

/* searchsorted(sequence, values, after) -> indices: see sort.h; the types are made one */
static int core_searchsorted(lua_State *L)
{
    static const char f[] = "searchsorted";
    lua_settop(L, 3);
    Tensor *sequence = bind_tensor(L, f, 1), *values = bind_tensor(L, f, 2);
    if (sequence->ndim == 0)
        bind_fail_argument(L, f, 1, "a tensor with dimensions");
    int last = sequence->ndim - 1;
    bool shared = sequence->ndim == 1;
    if (!shared && (values->ndim != sequence->ndim ||
                    !shape_equal(last, sequence->dims, values->ndim - 1, values->dims))) {
        const char *wanted = bind_shape_text(L, sequence->ndim, sequence->dims);
        bind_fail(L, "%s: argument 2: expected the shape %s but for the last dimension, got %s", f,
                  wanted, bind_shape_text(L, values->ndim, values->dims));
    }
    int64_t m = values->ndim > 0 ? values->dims[values->ndim - 1] : 1;
    Search s = {
        .dtype = dtype_promote((DType)sequence->dtype, (DType)values->dtype),
        .rows = m > 0 ? values->numel / m : 0,
        .n = sequence->dims[last],
        .m = m,
        .shared = shared,
        .after = lua_toboolean(L, 3),
    };
    s.sequence = contiguous_data(L, f, sequence, s.dtype);
    s.values = contiguous_data(L, f, values, s.dtype);
    Tensor *indices = bind_new_tensor(L, f, INT64, values->ndim, tensor_shape(values));
    s.indices = (int64_t *)(void *)tensor_data(indices);
    sort_search(bind_pool(L), &s);
    return 1;
}

/* histc(x, bins, low, high) -> counts [bins], of x's type: see histogram.h; the numbers are checked by
 * the caller */
static int core_histc(lua_State *L)
{
    static const char f[] = "histc";
    lua_settop(L, 4);
    Tensor *x = bind_tensor(L, f, 1);
    bind_check_float(L, f, 1, x);
    Histogram h = {
        .dtype = (DType)x->dtype,
        .n = x->numel,
        .bins = bind_integer(L, f, 2, "a number of bins"),
        .low = bind_number(L, f, 3, "a number"),
        .high = bind_number(L, f, 4, "a number"),
    };
    h.x = contiguous_data(L, f, x, h.dtype);
    int64_t count = histogram_counts(&h);
    Tensor *y = bind_new_tensor(L, f, h.dtype, 1, &h.bins);
    h.y = tensor_data(y);
    size_t size = (size_t)count * sizeof(int64_t);
    h.counts = memset(lua_newuserdatauv(L, size, 0), 0, size);
    histogram_run(bind_pool(L), &h);
    lua_pop(L, 1);
    return 1;
}

static const luaL_Reg sort_functions[] = {
    {"sort", core_sort},
    {"searchsorted", core_searchsorted},
    {"histc", core_histc},
    {NULL, NULL},
};

void bind_open_sort(lua_State *L)
{
    bind_register_unrecorded(L, sort_functions);
}
