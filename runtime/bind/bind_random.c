/*
 * bind_random.c - what is drawn from generators
 *
 * Every drawing function takes an option `generator`; without it the Lua state's default generator
 * serves. A tensor that is not contiguous is filled in the order in which its elements lie in
 * memory.
 */
#include <string.h>

#include "bind/bind_autograd.h"
#include "bind/bind_check.h"
#include "bind/bind_generator.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/elementwise.h"
#include "kernels/random.h"

static const char *const fill_options[] = {"generator", NULL};
static const char *const create_options[] = {"dtype", "requires_grad", "generator", NULL};

/* ---- filling in place ---- */

/* v with its dimensions in the order of memory; those of `along` (unless NULL) go with them */
static void sort_dimensions(View *v, View *along)
{
    for (int d = 1; d < v->ndim; d++)
        for (int e = d; e > 0 && v->stride[e - 1] < v->stride[e]; e--) {
            view_swap(v, e - 1, e);
            if (along)
                view_swap(along, e - 1, e);
        }
}

typedef struct {
    lua_State *L;
    const char *name;
    Tensor *t;
    Generator *g;
    void *block; /* where to draw: the tensor's own memory, or a buffer */
    View view;
    bool buffered;
} Fill;

/* checks the tensor at index 1 and the options, and finds the memory to draw into; the dimensions
 * of `along`, of the same shape, are put in the order in which it is drawn */
static void begin_fill(lua_State *L, const char *f, int options, Fill *fill, View *along)
{
    bind_check_options(L, f, options, fill_options);
    fill->L = L;
    fill->name = f;
    fill->t = bind_tensor(L, f, 1);
    bind_check_writable(L, f, 1, fill->t);
    if (bind_needs_grad(L, 1))
        bind_fail(L,
                  "%s: argument 1: a result that gradients flow through cannot be drawn anew; "
                  "detach() it first",
                  f);
    fill->g = bind_option_generator(L, f, options);
    tensor_view(fill->t, &fill->view);
    sort_dimensions(&fill->view, along);
    fill->buffered = !shape_is_contiguous(fill->view.ndim, fill->view.shape, fill->view.stride);
    fill->block = fill->view.data;
    if (fill->buffered)
        fill->block =
            tensor_data(bind_new_tensor(L, f, fill->view.dtype, fill->view.ndim, fill->view.shape));
    bind_touch(fill->t);
}

static int end_fill(Fill *fill)
{
    pool_check(bind_pool(fill->L));
    if (fill->buffered) {
        Operand in = {.is_scalar = false, .view = fill->view};
        in.view.data = fill->block;
        shape_strides(in.view.ndim, in.view.shape, in.view.stride);
        elementwise_copy(bind_pool(fill->L), &fill->view, &in);
    }
    lua_pushvalue(fill->L, 1);
    return 1;
}

/* the number at index, or the default where it is nil */
static double number_or(lua_State *L, const char *f, int index, double otherwise)
{
    return lua_isnoneornil(L, index) ? otherwise : bind_number(L, f, index, "a number");
}

static double positive_or(lua_State *L, const char *f, int index, double otherwise,
                          const char *what)
{
    double value = number_or(L, f, index, otherwise);
    if (!(value > 0))
        bind_fail(L, "%s: argument %d: expected %s > 0, got %f", f, index, what, value);
    return value;
}

static void check_bounds(lua_State *L, const char *f, double low, double high)
{
    if (!(low <= high && high - low <= 0x1.fffffep127))
        bind_fail(L, "%s: expected finite bounds, the lower one first, got %f and %f", f, low,
                  high);
}

static void check_std(lua_State *L, const char *f, int index, double std)
{
    if (!(std >= 0))
        bind_fail(L, "%s: argument %d: expected a standard deviation >= 0, got %f", f, index, std);
}

typedef void (*Law)(Generator *g, DType dtype, int64_t n, void *out, double a, double b);

/* a float tensor is filled by a law with two numbers, arguments 2 and 3; 4 are the options */
static int fill_by_law(lua_State *L, const char *f, Law law, double a, double b)
{
    Fill fill;
    bind_check_float(L, f, 1, bind_tensor(L, f, 1));
    begin_fill(L, f, 4, &fill, NULL);
    law(fill.g, fill.view.dtype, fill.t->numel, fill.block, a, b);
    return end_fill(&fill);
}

static int core_uniform_(lua_State *L)
{
    lua_settop(L, 4);
    double low = number_or(L, "uniform_", 2, 0), high = number_or(L, "uniform_", 3, 1);
    check_bounds(L, "uniform_", low, high);
    return fill_by_law(L, "uniform_", random_uniform, low, high);
}

static int core_normal_(lua_State *L)
{
    lua_settop(L, 4);
    double mean = number_or(L, "normal_", 2, 0), std = number_or(L, "normal_", 3, 1);
    check_std(L, "normal_", 3, std);
    const Tensor *t = bind_tensor(L, "normal_", 1);
    bind_check_float(L, "normal_", 1, t);
    Fill fill;
    begin_fill(L, "normal_", 4, &fill, NULL);
    random_normal(fill.g, fill.view.dtype, t->numel, fill.block, mean, std, t->is_contiguous);
    return end_fill(&fill);
}

static int core_log_normal_(lua_State *L)
{
    lua_settop(L, 4);
    double mean = number_or(L, "log_normal_", 2, 1);
    double std = positive_or(L, "log_normal_", 3, 2, "a standard deviation");
    return fill_by_law(L, "log_normal_", random_log_normal, mean, std);
}

static int core_cauchy_(lua_State *L)
{
    lua_settop(L, 4);
    double median = number_or(L, "cauchy_", 2, 0);
    double sigma = positive_or(L, "cauchy_", 3, 1, "a scale");
    return fill_by_law(L, "cauchy_", random_cauchy, median, sigma);
}

static int core_exponential_(lua_State *L)
{
    lua_settop(L, 3);
    double lambda = positive_or(L, "exponential_", 2, 1, "a rate");
    bind_check_float(L, "exponential_", 1, bind_tensor(L, "exponential_", 1));
    Fill fill;
    begin_fill(L, "exponential_", 3, &fill, NULL);
    random_exponential(fill.g, fill.view.dtype, fill.t->numel, fill.block, lambda);
    return end_fill(&fill);
}

static int core_geometric_(lua_State *L)
{
    lua_settop(L, 3);
    double p = bind_number(L, "geometric_", 2, "a probability");
    if (!(p > 0 && p < 1))
        bind_fail(L, "geometric_: argument 2: expected a probability above 0 and below 1, got %f",
                  p);
    Fill fill;
    begin_fill(L, "geometric_", 3, &fill, NULL);
    random_geometric(fill.g, fill.view.dtype, fill.t->numel, fill.block, p);
    return end_fill(&fill);
}

/* the float tensor at index, contiguous (perhaps a copy, which is pushed),
 * with elements from 0 to `most` */
static Tensor *check_weights(lua_State *L, const char *f, int index, double most,
                             const char *expected)
{
    Tensor *p = bind_tensor(L, f, index);
    bind_check_float(L, f, index, p);
    View v;
    tensor_view(p, &v);
    if (!p->is_contiguous)
        p = bind_new_copy(L, f, &v, v.dtype);
    for (int64_t i = 0; i < p->numel; i++) {
        double value = dtype_load(v.dtype, tensor_data(p) + i * dtype_size(v.dtype)).d;
        if (!(value >= 0 && value <= most))
            bind_fail(L, "%s: argument %d: expected %s, got %f at index %I", f, index, expected,
                      value, (LUAI_UACINT)(i + 1));
    }
    return p;
}

static const double FINITE = 0x1.fffffffffffffp1023;

/* bernoulli_(t, p, options) with a probability for each element: p broadcasts to t */
static int fill_bernoulli_each(lua_State *L)
{
    static const char f[] = "bernoulli_";
    Tensor *t = bind_tensor(L, f, 1);
    Tensor *p = check_weights(L, f, 2, 1, "probabilities from 0 to 1");
    int ndim;
    int64_t joint[MAX_RANK];
    if (shape_broadcast(t->ndim, t->dims, p->ndim, p->dims, &ndim, joint) ||
        !shape_equal(ndim, joint, t->ndim, t->dims)) {
        const char *wanted = bind_shape_text(L, t->ndim, t->dims);
        bind_fail(L, "%s: argument 2: expected a shape that broadcasts to %s, got %s", f, wanted,
                  bind_shape_text(L, p->ndim, p->dims));
    }
    View each;
    Fill fill;
    tensor_view(p, &each);
    view_expand(&each, t->ndim, t->dims);
    begin_fill(L, f, 3, &fill, &each);
    const void *probabilities = tensor_data(bind_new_copy(L, f, &each, each.dtype));
    random_bernoulli_each(fill.g, fill.view.dtype, t->numel, fill.block, each.dtype, probabilities);
    return end_fill(&fill);
}

static int core_bernoulli_(lua_State *L)
{
    lua_settop(L, 3);
    if (bind_to_tensor(L, 2))
        return fill_bernoulli_each(L);
    double p = number_or(L, "bernoulli_", 2, 0.5);
    if (!(p >= 0 && p <= 1))
        bind_fail(L, "bernoulli_: argument 2: expected a probability from 0 to 1, got %f", p);
    Fill fill;
    begin_fill(L, "bernoulli_", 3, &fill, NULL);
    random_bernoulli(fill.g, fill.view.dtype, fill.t->numel, fill.block, p);
    return end_fill(&fill);
}

/* how many integers lie in low..high-1; raises where there are none */
static uint64_t check_range(lua_State *L, const char *f, int64_t low, int64_t high)
{
    if (low >= high)
        bind_fail(L, "%s: expected bounds with low < high, got %I and %I", f, (LUAI_UACINT)low,
                  (LUAI_UACINT)high);
    return (uint64_t)high - (uint64_t)low;
}

/* random_(t), random_(t, high), random_(t, low, high), each with options last: integers from low
 * (0) to high - 1 */
static int core_random_(lua_State *L)
{
    int given = 0;
    while (given < 2 && lua_type(L, given + 2) == LUA_TNUMBER)
        given++;
    int64_t low = given == 2 ? bind_integer(L, "random_", 2, "a whole number") : 0;
    int64_t high = given > 0 ? bind_integer(L, "random_", given + 1, "a whole number") : 1;
    uint64_t range = check_range(L, "random_", low, high);
    Fill fill;
    begin_fill(L, "random_", given + 2, &fill, NULL);
    if (given == 0)
        random_natural(fill.g, fill.view.dtype, fill.t->numel, fill.block);
    else
        random_integers(fill.g, fill.view.dtype, fill.t->numel, fill.block, low, range);
    return end_fill(&fill);
}

/* ---- new tensors ---- */

/* f(sizes..., options): a new float tensor, with its generator */
static Tensor *create_float(lua_State *L, const char *f, Generator **g)
{
    int64_t shape[MAX_RANK];
    int options, ndim = bind_sizes(L, f, 1, shape, &options);
    bind_check_options(L, f, options, create_options);
    DType dtype = bind_option_dtype(L, f, options, FLOAT32);
    if (!dtype_is_float(dtype))
        bind_fail(L, "%s: option dtype: expected float32 or float64, got %s", f,
                  dtype_info[dtype].name);
    *g = bind_option_generator(L, f, options);
    Tensor *t = bind_new_tensor(L, f, dtype, ndim, shape);
    bind_option_requires_grad(L, f, options, t);
    return t;
}

static int core_rand(lua_State *L)
{
    Generator *g;
    Tensor *t = create_float(L, "rand", &g);
    random_uniform(g, (DType)t->dtype, t->numel, tensor_data(t), 0, 1);
    pool_check(bind_pool(L));
    return 1;
}

static int core_randn(lua_State *L)
{
    Generator *g;
    Tensor *t = create_float(L, "randn", &g);
    random_normal(g, (DType)t->dtype, t->numel, tensor_data(t), 0, 1, true);
    pool_check(bind_pool(L));
    return 1;
}

/* randint([low,] high, {sizes}, options):
 * integers from low (0) to high - 1, int64 unless dtype says otherwise */
static int core_randint(lua_State *L)
{
    int bounds = lua_type(L, 2) == LUA_TNUMBER ? 2 : 1;
    int64_t low = bounds == 2 ? bind_integer(L, "randint", 1, "a whole number") : 0;
    int64_t high = bind_integer(L, "randint", bounds, "a whole number");
    uint64_t range = check_range(L, "randint", low, high);
    if (lua_type(L, bounds + 1) != LUA_TTABLE)
        bind_fail_argument(L, "randint", bounds + 1, "a table of sizes");
    int64_t shape[MAX_RANK];
    int options, ndim = bind_sizes(L, "randint", bounds + 1, shape, &options);
    bind_check_options(L, "randint", options, create_options);
    DType dtype = bind_option_dtype(L, "randint", options, INT64);
    Generator *g = bind_option_generator(L, "randint", options);
    Tensor *t = bind_new_tensor(L, "randint", dtype, ndim, shape);
    random_integers(g, dtype, t->numel, tensor_data(t), low, range);
    pool_check(bind_pool(L));
    bind_option_requires_grad(L, "randint", options, t);
    return 1;
}

/* randperm(n, options): 1..n in random order */
static int core_randperm(lua_State *L)
{
    int64_t n = bind_integer(L, "randperm", 1, "a number of elements");
    if (n < 0 || n >= UINT32_MAX / 20)
        bind_fail(L, "randperm: argument 1: expected 0 to %I elements, got %I",
                  (LUAI_UACINT)(UINT32_MAX / 20 - 1), (LUAI_UACINT)n);
    bind_check_options(L, "randperm", 2, fill_options);
    Generator *g = bind_option_generator(L, "randperm", 2);
    Tensor *t = bind_new_tensor(L, "randperm", INT64, 1, &n);
    random_permutation(g, n, (int64_t *)(void *)tensor_data(t));
    pool_check(bind_pool(L));
    return 1;
}

/* bernoulli(p, options): 1 with probability p[i], else 0; the shape and type of p */
static int core_bernoulli(lua_State *L)
{
    bind_check_options(L, "bernoulli", 2, fill_options);
    Tensor *p = check_weights(L, "bernoulli", 1, 1, "probabilities from 0 to 1");
    Generator *g = bind_option_generator(L, "bernoulli", 2);
    Tensor *t = bind_new_tensor(L, "bernoulli", (DType)p->dtype, p->ndim, tensor_shape(p));
    random_bernoulli_each(g, (DType)p->dtype, p->numel, tensor_data(t), (DType)p->dtype,
                          tensor_data(p));
    pool_check(bind_pool(L));
    return 1;
}

/* poisson(rate, options): counts with these means; the shape and type of rate */
static int core_poisson(lua_State *L)
{
    lua_settop(L, 2);
    bind_check_options(L, "poisson", 2, fill_options);
    Tensor *rate = check_weights(L, "poisson", 1, FINITE, "finite rates >= 0");
    Generator *g = bind_option_generator(L, "poisson", 2);
    const Tensor *t =
        bind_new_tensor(L, "poisson", (DType)rate->dtype, rate->ndim, tensor_shape(rate));
    random_poisson_each(g, (DType)rate->dtype, rate->numel, tensor_data(t), tensor_data(rate));
    pool_check(bind_pool(L));
    return 1;
}

/* multinomial(p, samples [, replacement], options):
 * p[n] or p[rows, n] -> categories [samples] or [rows, samples] */
static int core_multinomial(lua_State *L)
{
    static const char f[] = "multinomial";
    Tensor *p = check_weights(L, f, 1, FINITE, "finite weights >= 0");
    if (p->ndim < 1 || p->ndim > 2 || p->dims[p->ndim - 1] == 0)
        bind_fail_argument(L, f, 1, "weights [n] or [rows, n]");
    int64_t samples = bind_integer(L, f, 2, "a number of samples");
    bool replacement = lua_type(L, 3) == LUA_TBOOLEAN && lua_toboolean(L, 3);
    int options = lua_type(L, 3) == LUA_TTABLE ? 3 : 4;
    bind_check_options(L, f, options, fill_options);
    int64_t n = p->dims[p->ndim - 1], rows = p->numel / n;
    int64_t bytes = n * dtype_size((DType)p->dtype);
    if (samples < 1)
        bind_fail_argument(L, f, 2, "at least 1 sample");
    for (int64_t row = 0; row < rows; row++) {
        int64_t nonzero = 0;
        for (int64_t i = 0; i < n; i++)
            nonzero +=
                dtype_load((DType)p->dtype, tensor_data(p) + row * bytes + i * bytes / n).d > 0;
        if (nonzero == 0 || (!replacement && samples > nonzero))
            bind_fail(L,
                      "multinomial: argument 2: expected 1 to %I samples for row %I, which has "
                      "that many nonzero weights, got %I",
                      (LUAI_UACINT)nonzero, (LUAI_UACINT)(row + 1), (LUAI_UACINT)samples);
    }
    Generator *g = bind_option_generator(L, f, options);
    int64_t shape[2] = {rows, samples};
    Tensor *t = bind_new_tensor(L, f, INT64, p->ndim, p->ndim == 2 ? shape : shape + 1);
    int64_t *out = (int64_t *)(void *)tensor_data(t);
    double *scratch = lua_newuserdatauv(L, (size_t)n * sizeof *scratch, 0);
    for (int64_t row = 0; row < rows; row++)
        random_multinomial(g, (DType)p->dtype, n, tensor_data(p) + row * bytes, samples,
                           replacement, out + row * samples, scratch);
    pool_check(bind_pool(L));
    lua_pop(L, 1);
    return 1;
}

static const luaL_Reg random_functions[] = {
    {"uniform_", core_uniform_},
    {"normal_", core_normal_},
    {"exponential_", core_exponential_},
    {"cauchy_", core_cauchy_},
    {"log_normal_", core_log_normal_},
    {"geometric_", core_geometric_},
    {"poisson", core_poisson},
    {"bernoulli_", core_bernoulli_},
    {"random_", core_random_},
    {"rand", core_rand},
    {"randn", core_randn},
    {"randint", core_randint},
    {"randperm", core_randperm},
    {"bernoulli", core_bernoulli},
    {"multinomial", core_multinomial},
    {NULL, NULL},
};

void bind_open_random(lua_State *L)
{
    bind_register_unrecorded(L, random_functions);
}
