/*
 * bind_neural.c - softmax, losses, standardisation, class targets
 */
#include <math.h>
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/elementwise.h"
#include "kernels/neural.h"
#include "kernels/operations.h"
#include "kernels/reduce.h"
#include "kernels/standardize.h"

/* ---- softmax ---- */

/* the data of the tensor at an index, contiguous: as it is, or a copy (pushed) */
static const void *contiguous_data(lua_State *L, const char *f, int index)
{
    Tensor *t = bind_tensor(L, f, index);
    View v;
    tensor_view(t, &v);
    return tensor_data(t->is_contiguous ? t : bind_new_copy(L, f, &v, v.dtype));
}

/* the same of a gradient, which a sum spreads: where one value is all of it, n times that value,
 * and *repeats is set */
static const void *gradient_data(lua_State *L, const char *f, int index, int64_t n, bool *repeats)
{
    View v;
    tensor_view(bind_tensor(L, f, index), &v);
    *repeats = true;
    for (int d = 0; d < v.ndim; d++)
        *repeats &= v.stride[d] == 0 && v.shape[d] > 0;
    if (!*repeats)
        return contiguous_data(L, f, index);
    v.ndim = 1;
    v.shape[0] = n;
    v.stride[0] = 0;
    return tensor_data(bind_new_copy(L, f, &v, v.dtype));
}

static int softmax(lua_State *L, const char *f, bool logarithm)
{
    lua_settop(L, 2);
    const Tensor *x = bind_tensor(L, f, 1);
    bind_check_float(L, f, 1, x);
    Along along = shape_along(x->ndim, x->dims, bind_dimension(L, f, 2, x->ndim));
    const void *data = contiguous_data(L, f, 1);
    Tensor *y = bind_new_tensor(L, f, (DType)x->dtype, x->ndim, x->dims);
    if (y->numel > 0)
        neural_softmax(bind_pool(L), (DType)x->dtype, along, data, tensor_data(y), logarithm);
    return 1;
}

/* softmax_gradient(g, y, x, dim) -> the gradient of x, which is not read */
static int softmax_gradient(lua_State *L, const char *f, bool logarithm)
{
    lua_settop(L, 4);
    const Tensor *g = bind_tensor(L, f, 1), *y = bind_tensor(L, f, 2);
    bind_check_float(L, f, 2, y);
    if (!tensor_is_like(g, y))
        bind_fail_argument(L, f, 1, "a tensor like argument 2");
    Along along = shape_along(y->ndim, y->dims, bind_dimension(L, f, 4, y->ndim));
    bool repeats;
    int64_t row = along.inner == 1 ? along.n : y->numel;
    const void *gradient = gradient_data(L, f, 1, row, &repeats);
    const void *result = contiguous_data(L, f, 2);
    Tensor *dx = bind_new_tensor(L, f, (DType)y->dtype, y->ndim, y->dims);
    if (dx->numel > 0)
        neural_softmax_gradient(bind_pool(L), (DType)y->dtype, along, result, gradient,
                                repeats && along.inner == 1, tensor_data(dx), logarithm);
    return 1;
}

static int core_softmax(lua_State *L)
{
    return softmax(L, "softmax", false);
}

static int core_log_softmax(lua_State *L)
{
    return softmax(L, "log_softmax", true);
}

static int core_softmax_gradient(lua_State *L)
{
    return softmax_gradient(L, "softmax", false);
}

static int core_log_softmax_gradient(lua_State *L)
{
    return softmax_gradient(L, "log_softmax", true);
}

/* ---- cross-entropy ---- */

/* x[n, c] at an index; then classes [n] in range, or targets [n, c]; and how much of a class is for
 * all */
static CrossEntropy check_cross_entropy(lua_State *L, const char *f, int index)
{
    const Tensor *x = bind_tensor(L, f, index), *t = bind_tensor(L, f, index + 1);
    bind_check_float(L, f, index, x);
    if (x->ndim != 2 || (x->dims[1] == 0 && x->dims[0] > 0))
        bind_fail_argument(L, f, index, "rows [n, c]");
    CrossEntropy c = {.rows = x->dims[0], .n = x->dims[1], .x = contiguous_data(L, f, index)};
    c.smoothing = bind_number(L, f, index + 2, "a number");
    if (tensor_is_float(t)) {
        if (!tensor_is_like(t, x))
            bind_fail_argument(L, f, index + 1, "targets like the rows");
        c.targets = contiguous_data(L, f, index + 1);
        return c;
    }
    if (t->dtype != INT64 || t->ndim != 1 || t->numel != c.rows)
        bind_fail_argument(L, f, index + 1, "int64 classes, one a row");
    c.classes = contiguous_data(L, f, index + 1);
    for (int64_t i = 0; i < c.rows; i++)
        if (c.classes[i] < 1 || c.classes[i] > c.n)
            bind_fail_argument(L, f, index + 1, "classes in range");
    return c;
}

/* _cross_entropy(x[n, c], targets, smoothing) -> losses [n] */
static int core_cross_entropy(lua_State *L)
{
    static const char f[] = "cross_entropy";
    lua_settop(L, 3);
    CrossEntropy c = check_cross_entropy(L, f, 1);
    const Tensor *x = bind_tensor(L, f, 1);
    c.y = tensor_data(bind_new_tensor(L, f, (DType)x->dtype, 1, x->dims));
    neural_cross_entropy(bind_pool(L), (DType)x->dtype, &c);
    return 1;
}

/* _cross_entropy_gradient(g[n], y, x[n, c], targets, smoothing) -> the gradient of x */
static int core_cross_entropy_gradient(lua_State *L)
{
    static const char f[] = "cross_entropy";
    lua_settop(L, 5);
    CrossEntropy c = check_cross_entropy(L, f, 3);
    const Tensor *g = bind_tensor(L, f, 1), *x = bind_tensor(L, f, 3);
    if (g->dtype != x->dtype || g->ndim != 1 || g->numel != c.rows)
        bind_fail_argument(L, f, 1, "a gradient for each row");
    c.g = contiguous_data(L, f, 1);
    c.y = tensor_data(bind_new_tensor(L, f, (DType)x->dtype, 2, x->dims));
    neural_cross_entropy(bind_pool(L), (DType)x->dtype, &c);
    return 1;
}

/* ---- sums of losses ---- */

/* a row of ops.def, whose arguments are floats of one type and shape, or numbers */
typedef struct {
    int op;
    const Tensor *like; /* the first */
    bool is_mean;
} Losses;

enum { ROW_AT = MAX_ARITY + 1, MEAN_AT }; /* after the arguments */

/* the row whose arguments begin at an index, and these */
static Losses check_losses(lua_State *L, const char *f, int index, Operand *in)
{
    Losses losses = {.op = operation_count - 1};
    const char *name = bind_string(L, f, index + MAX_ARITY, "a name");
    while (losses.op >= 0 && strcmp(operations[losses.op].name, name) != 0)
        losses.op--;
    if (losses.op < 0 || operations[losses.op].kind != FLOATING)
        bind_fail_argument(L, f, index + MAX_ARITY, "a row that gives floats");
    losses.is_mean = lua_toboolean(L, index + MAX_ARITY + 1);
    losses.like = bind_tensor(L, f, index);
    bind_check_float(L, f, index, losses.like);
    for (int i = 0; i < operations[losses.op].arity; i++) {
        const Tensor *like = losses.like;
        Tensor *t = bind_to_tensor(L, index + i);
        in[i].is_scalar = t == NULL;
        if (t == NULL) {
            in[i].scalar = bind_scalar(L, f, index + i);
            continue;
        }
        if (!tensor_is_like(t, like))
            bind_fail_argument(L, f, index + i, "a tensor like the first");
        tensor_view(t, &in[i].view);
    }
    return losses;
}

/* _sum_of(a, b, c, row, is_mean) -> the sum of what the row gives of a, b and c, or their mean; c
 * is of no interest to a row of two arguments */
static int core_sum_of(lua_State *L)
{
    static const char f[] = "sum_of";
    enum { FEW = 64 };
    double few[FEW], *blocks = few;
    lua_settop(L, MEAN_AT);
    Operand given[MAX_ARITY];
    Losses losses = check_losses(L, f, 1, given);
    DType dtype = (DType)losses.like->dtype;
    int64_t n = losses.like->numel, pieces = size_pieces(n, REDUCE_BLOCK);
    Row in[MAX_ARITY];
    for (int i = 0; i < operations[losses.op].arity; i++) {
        if (given[i].is_scalar)
            in[i] = (Row){.scalar = given[i].scalar};
        else
            in[i] = (Row){.data = contiguous_data(L, f, i + 1)};
    }
    if (pieces > FEW)
        blocks = lua_newuserdatauv(L, (size_t)pieces * sizeof *blocks, 0);
    double sum = elementwise_sum(bind_pool(L), losses.op, dtype, n, in, blocks);
    Reduction kind = losses.is_mean ? REDUCE_MEAN : REDUCE_SUM;
    Reduce r = {.kind = kind, .dtype = dtype, .along = {1, n, 1}, .scratch = blocks};
    if (!isfinite(sum)) {
        void *values = tensor_data(bind_new_tensor(L, f, dtype, 1, &n));
        elementwise_row(bind_pool(L), losses.op, dtype, n, values, in);
        r.x = values;
    }
    r.y = tensor_data(bind_new_tensor(L, f, dtype, 0, &n));
    if (r.x != NULL)
        reduce_run(bind_pool(L), &r);
    else
        dtype_store(
            dtype, r.y,
            (Scalar){.category = CATEGORY_FLOAT, .d = losses.is_mean ? sum / (double)n : sum});
    return 1;
}

/* _sum_of_gradient_I(g, y, a, b, c, row, is_mean) -> the gradient of argument I from that of y, which
 * is not read */
static int sum_of_gradient(lua_State *L, int argument)
{
    static const char f[] = "sum_of";
    lua_settop(L, 2 + MEAN_AT);
    Operand in[MAX_ARITY + 2];
    Losses losses = check_losses(L, f, 3, in + 2);
    const Tensor *g = bind_tensor(L, f, 1), *like = losses.like;
    if (g->dtype != like->dtype || g->numel != 1)
        bind_fail_argument(L, f, 1, "one element of the type of argument 3");
    in[0].is_scalar = in[1].is_scalar = true;
    in[0].scalar = dtype_load((DType)g->dtype, tensor_data(g));
    in[1].scalar = (Scalar){0};
    if (losses.is_mean)
        in[0].scalar.d /= (double)like->numel;
    View out;
    tensor_view(bind_new_tensor(L, f, (DType)like->dtype, like->ndim, like->dims), &out);
    elementwise_gradient(bind_pool(L), losses.op, argument, (DType)like->dtype, &out, in);
    return 1;
}

static int core_sum_of_gradient_1(lua_State *L)
{
    return sum_of_gradient(L, 0);
}

static int core_sum_of_gradient_2(lua_State *L)
{
    return sum_of_gradient(L, 1);
}

static int core_sum_of_gradient_3(lua_State *L)
{
    return sum_of_gradient(L, 2);
}

/* ---- standardisation ---- */

/* the data of `count` floats at an index, of the type of x; NULL where there is no tensor */
static const void *check_values(lua_State *L, const char *f, int index, const Tensor *x,
                                int64_t count)
{
    const Tensor *values = bind_to_tensor(L, index);
    if (values == NULL)
        return NULL;
    if (values->dtype != x->dtype || values->numel != count)
        bind_fail_argument(L, f, index, "a value of the type of the input for each");
    return contiguous_data(L, f, index);
}

/* x, weight, bias, center, shape { a, b, c, width, channels }, eps and moments, from an index on */
static Standardize check_standardize(lua_State *L, const char *f, int index)
{
    enum { WEIGHT = 1, BIAS, CENTER, SHAPE, EPS, MOMENTS };
    const Tensor *x = bind_tensor(L, f, index);
    bind_check_float(L, f, index, x);
    Standardize s = {.eps = bind_number(L, f, index + EPS, "a number")};
    int64_t *sizes[] = {&s.a, &s.b, &s.c, &s.width, &s.channels};
    luaL_checktype(L, index + SHAPE, LUA_TTABLE);
    for (int i = 0; i < 5; i++) {
        lua_rawgeti(L, index + SHAPE, i + 1);
        *sizes[i] = luaL_checkinteger(L, -1);
        lua_pop(L, 1);
    }
    if (s.a < 0 || s.b < 0 || s.c < 0 || s.width < 1 || s.a * s.b * s.c != x->numel)
        bind_fail_argument(L, f, index + SHAPE, "the sizes of argument 1");
    s.x = contiguous_data(L, f, index);
    s.weight = check_values(L, f, index + WEIGHT, x, s.channels);
    s.bias = check_values(L, f, index + BIAS, x, s.channels);
    s.channels = size_max(s.channels, 1);
    s.center = check_values(L, f, index + CENTER, x, s.b);
    s.is_centered = lua_toboolean(L, index + CENTER);
    const Tensor *moments = bind_to_tensor(L, index + MOMENTS);
    if (moments != NULL && (moments->dtype != FLOAT64 || moments->numel != 3 * s.b))
        bind_fail_argument(L, f, index + MOMENTS, "three float64 for each group");
    s.moments = moments != NULL ? (double *)(void *)tensor_data(moments) : NULL;
    return s;
}

/* _standardize(x, weight, bias, center, shape, eps [, moments]) -> y, and the means and variances
 * [b] where they are not given as `center`; that is true for them, and false for a mean of 0 */
static int core_standardize(lua_State *L)
{
    static const char f[] = "standardize";
    lua_settop(L, 7);
    Standardize s = check_standardize(L, f, 1);
    const Tensor *x = bind_tensor(L, f, 1);
    DType dtype = (DType)x->dtype;
    if (s.center == NULL) {
        s.mean = tensor_data(bind_new_tensor(L, f, dtype, 1, &s.b));
        s.variance = tensor_data(bind_new_tensor(L, f, dtype, 1, &s.b));
    }
    s.y = tensor_data(bind_new_tensor(L, f, dtype, x->ndim, x->dims));
    standardize_run(bind_pool(L), dtype, &s);
    if (s.center != NULL)
        return 1;
    lua_rotate(L, -3, 1);
    return 3;
}

/* pushes a new tensor like the one at an index, or nil; returns its data, or NULL */
static void *new_gradient(lua_State *L, const char *f, int index, bool is_wanted)
{
    Tensor *like = is_wanted ? bind_to_tensor(L, index) : NULL;
    if (like == NULL) {
        lua_pushnil(L);
        return NULL;
    }
    return tensor_data(bind_new_tensor(L, f, (DType)like->dtype, like->ndim, like->dims));
}

/* _standardize_gradients(g, x, weight, bias, center, shape, eps, moments, is_x_wanted) -> the
 * gradients of x, weight and bias from that of y, or nil where there is none */
static int core_standardize_gradients(lua_State *L)
{
    static const char f[] = "standardize";
    lua_settop(L, 9);
    Standardize s = check_standardize(L, f, 2);
    const Tensor *g = bind_tensor(L, f, 1), *x = bind_tensor(L, f, 2);
    if (!tensor_is_like(g, x))
        bind_fail_argument(L, f, 1, "a tensor like argument 2");
    s.g = gradient_data(L, f, 1, 1, &s.g_repeats);
    if (s.weight != NULL || s.bias != NULL) {
        size_t size = (size_t)standardize_sums(&s) * sizeof *s.sums;
        s.sums = memset(lua_newuserdatauv(L, size, 0), 0, size);
    }
    s.dx = new_gradient(L, f, 2, lua_toboolean(L, 9));
    s.dweight = new_gradient(L, f, 3, true);
    s.dbias = new_gradient(L, f, 4, true);
    standardize_run(bind_pool(L), (DType)x->dtype, &s);
    return 3;
}

/* ---- class targets ---- */

/*
 * check_classes(f, targets, n [, ignored]) -> is any target the ignored value? Raises unless all
 * others are classes 1..n; the message shows the value, its index and the remedy.
 */
static int core_check_classes(lua_State *L)
{
    const char *f = bind_string(L, "check_classes", 1, "a name");
    Tensor *t = bind_tensor(L, f, 2);
    int64_t n = luaL_checkinteger(L, 3);
    if (t->dtype != INT64)
        bind_fail_argument(L, f, 2, "int64 class targets");
    View v;
    tensor_view(t, &v);
    if (!t->is_contiguous)
        t = bind_new_copy(L, f, &v, INT64);
    const int64_t *classes = (const int64_t *)(const void *)tensor_data(t);
    int may_ignore;
    bool any_ignored = false;
    int64_t ignored = lua_tointegerx(L, 4, &may_ignore);
    for (int64_t i = 0; i < t->numel; i++) {
        bool is_ignored = may_ignore && classes[i] == ignored;
        any_ignored |= is_ignored;
        if (is_ignored || (classes[i] >= 1 && classes[i] <= n))
            continue;
        bind_fail(L, "%s: argument 2: expected classes from 1 to %I, got %I at index %I%s", f,
                  (LUAI_UACINT)n, (LUAI_UACINT)classes[i], (LUAI_UACINT)(i + 1),
                  classes[i] == 0 ? "; labels that count from 0 need +1" : "");
    }
    lua_pushboolean(L, any_ignored);
    return 1;
}

static const luaL_Reg tensor_functions[] = {
    {"softmax", core_softmax},
    {"log_softmax", core_log_softmax},
    {"_softmax_gradient", core_softmax_gradient},
    {"_log_softmax_gradient", core_log_softmax_gradient},
    {"_cross_entropy", core_cross_entropy},
    {"_cross_entropy_gradient", core_cross_entropy_gradient},
    {"_sum_of", core_sum_of},
    {"_sum_of_gradient_1", core_sum_of_gradient_1},
    {"_sum_of_gradient_2", core_sum_of_gradient_2},
    {"_sum_of_gradient_3", core_sum_of_gradient_3},
    {"_standardize", core_standardize},
    {"_standardize_gradients", core_standardize_gradients},
    {NULL, NULL},
};

static const luaL_Reg neural_functions[] = {
    {"check_classes", core_check_classes},
    {NULL, NULL},
};

void bind_open_neural(lua_State *L)
{
    bind_register_unrecorded(L, tensor_functions);
    bind_register(L, neural_functions);
}
