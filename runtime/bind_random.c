/*
 * bind_random.c - generators and what is drawn from them (layer 4)
 *
 * Every drawing function takes an option `generator`; without it the Lua state's default generator
 * serves. A tensor that is not contiguous is filled in the order in which its elements lie in
 * memory.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bind.h"
#include "random.h"

static const char *const fill_options[] = {"generator", NULL};
static const char *const create_options[] = {"dtype", "requires_grad", "generator", NULL};

/* ---- generators ---- */

static Generator *to_generator(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
        return NULL;
    bool same = lua_topointer(L, -1) == bind_runtime(L)->generator_type;
    lua_pop(L, 1);
    return same ? lua_touserdata(L, index) : NULL;
}

Generator *bind_generator(lua_State *L, const char *f, int index)
{
    Generator *g = to_generator(L, index);
    if (g == NULL)
        bind_fail_argument(L, f, index, "a generator");
    return g;
}

/* the default generator is pushed */
static Generator *default_generator(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_GENERATOR);
    return lua_touserdata(L, -1);
}

/* the option `generator` of the table at index (or the default one), kept on the stack */
static Generator *option_generator(lua_State *L, const char *f, int index)
{
    if (lua_isnoneornil(L, index) || lua_getfield(L, index, "generator") == LUA_TNIL)
        return default_generator(L);
    Generator *g = to_generator(L, lua_gettop(L));
    if (g == NULL)
        bind_fail(L, "%s: option generator: expected a generator, got %s", f,
                  bind_describe(L, lua_gettop(L)));
    return g;
}

static Generator *new_generator(lua_State *L, Engine engine, uint64_t seed)
{
    Generator *g = lua_newuserdatauv(L, sizeof *g, 0);
    random_seed(g, engine, seed);
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_GENERATOR_TYPE);
    lua_setmetatable(L, -2);
    return g;
}

static uint64_t check_seed(lua_State *L, const char *f, int index)
{
    return (uint64_t)bind_integer(L, f, index, "a whole number as seed");
}

/* what PyTorch starts from when no seed was set */
static const uint64_t DEFAULT_SEED = 67280421310721;

/* Generator{ engine = "mt19937" | "philox", seed = n } */
static int core_generator(lua_State *L)
{
    static const char *const known[] = {"engine", "seed", NULL};
    lua_settop(L, 1);
    bind_check_options(L, "Generator", 1, known);
    Engine engine = MT19937;
    uint64_t seed = DEFAULT_SEED;
    if (!lua_isnil(L, 1)) {
        if (lua_getfield(L, 1, "engine") != LUA_TNIL) {
            const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
            if (name == NULL || (strcmp(name, "mt19937") != 0 && strcmp(name, "philox") != 0))
                bind_fail(L, "Generator: option engine: expected mt19937 or philox, got %s",
                          bind_describe(L, 2));
            engine = strcmp(name, "philox") == 0 ? PHILOX : MT19937;
        }
        if (lua_getfield(L, 1, "seed") != LUA_TNIL) {
            if (!lua_isinteger(L, -1))
                bind_fail(L, "Generator: option seed: expected a whole number, got %s",
                          bind_describe(L, 3));
            seed = (uint64_t)lua_tointeger(L, -1);
        }
    }
    new_generator(L, engine, seed);
    return 1;
}

static int generator_manual_seed(lua_State *L)
{
    Generator *g = bind_generator(L, "manual_seed", 1);
    random_seed(g, (Engine)g->engine, check_seed(L, "manual_seed", 2));
    lua_settop(L, 1);
    return 1;
}

static int generator_initial_seed(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)bind_generator(L, "initial_seed", 1)->seed);
    return 1;
}

/* seed(): starts from a seed that differs from run to run, and returns it */
static int generator_seed(lua_State *L)
{
    Generator *g = bind_generator(L, "seed", 1);
    uint64_t seed = 0;
    if (getentropy(&seed, sizeof seed) != 0)
        seed = (uint64_t)time(NULL) * 6364136223846793005U + (uint64_t)getpid();
    seed &= INT64_MAX;
    random_seed(g, (Engine)g->engine, seed);
    lua_pushinteger(L, (lua_Integer)seed);
    return 1;
}

static int generator_get_state(lua_State *L)
{
    const Generator *g = bind_generator(L, "get_state", 1);
    const int64_t size = RANDOM_STATE_SIZE;
    memcpy(tensor_data(bind_new_tensor(L, "get_state", UINT8, 1, &size)), g, RANDOM_STATE_SIZE);
    return 1;
}

static int generator_set_state(lua_State *L)
{
    Generator *g = bind_generator(L, "set_state", 1);
    const Tensor *t = bind_to_tensor(L, 2);
    if (t == NULL || t->dtype != UINT8 || t->numel != RANDOM_STATE_SIZE || !t->is_contiguous)
        bind_fail_argument(L, "set_state", 2, "a uint8 tensor from get_state");
    Reason reason = random_restore(g, tensor_data(t));
    if (reason)
        bind_fail(L, "set_state: argument 2: %s", reason);
    lua_settop(L, 1);
    return 1;
}

static int generator_tostring(lua_State *L)
{
    const Generator *g = bind_generator(L, "tostring", 1);
    lua_pushfstring(L, "Generator(engine=%s, seed=%I)", g->engine == PHILOX ? "philox" : "mt19937",
                    (LUAI_UACINT)g->seed);
    return 1;
}

/* ---- filling in place ---- */

/* v with its dimensions in the order of memory */
static void sort_dimensions(View *v)
{
    for (int d = 1; d < v->ndim; d++)
        for (int e = d; e > 0 && v->stride[e - 1] < v->stride[e]; e--)
            view_swap(v, e - 1, e);
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

/* checks the tensor at index 1 and the options, and finds the memory to draw into */
static void begin_fill(lua_State *L, const char *f, int options, Fill *fill)
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
    fill->g = option_generator(L, f, options);
    tensor_view(fill->t, &fill->view);
    sort_dimensions(&fill->view);
    fill->buffered = !shape_is_contiguous(fill->view.ndim, fill->view.shape, fill->view.stride);
    fill->block = fill->view.data;
    if (fill->buffered)
        fill->block =
            tensor_data(bind_new_tensor(L, f, fill->view.dtype, fill->view.ndim, fill->view.shape));
    bind_touch(fill->t);
}

static int end_fill(Fill *fill)
{
    if (fill->buffered) {
        Operand in = {.is_scalar = false, .view = fill->view};
        in.view.data = fill->block;
        shape_strides(in.view.ndim, in.view.shape, in.view.stride);
        elementwise_copy(bind_runtime(fill->L)->pool, &fill->view, &in);
    }
    lua_pushvalue(fill->L, 1);
    return 1;
}

/* the number at index, or the default where it is nil */
static double number_or(lua_State *L, const char *f, int index, double otherwise)
{
    return lua_isnoneornil(L, index) ? otherwise : bind_number(L, f, index, "a number");
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

static int core_uniform_(lua_State *L)
{
    lua_settop(L, 4);
    double low = number_or(L, "uniform_", 2, 0), high = number_or(L, "uniform_", 3, 1);
    check_bounds(L, "uniform_", low, high);
    bind_check_float(L, "uniform_", 1, bind_tensor(L, "uniform_", 1));
    Fill fill;
    begin_fill(L, "uniform_", 4, &fill);
    random_uniform(fill.g, fill.view.dtype, fill.t->numel, fill.block, low, high);
    return end_fill(&fill);
}

static int core_normal_(lua_State *L)
{
    lua_settop(L, 4);
    double mean = number_or(L, "normal_", 2, 0), std = number_or(L, "normal_", 3, 1);
    check_std(L, "normal_", 3, std);
    bind_check_float(L, "normal_", 1, bind_tensor(L, "normal_", 1));
    Fill fill;
    begin_fill(L, "normal_", 4, &fill);
    random_normal(fill.g, fill.view.dtype, fill.t->numel, fill.block, mean, std,
                  fill.t->is_contiguous);
    return end_fill(&fill);
}

static int core_exponential_(lua_State *L)
{
    lua_settop(L, 3);
    double lambda = number_or(L, "exponential_", 2, 1);
    if (!(lambda > 0))
        bind_fail(L, "exponential_: argument 2: expected a rate > 0, got %f", lambda);
    bind_check_float(L, "exponential_", 1, bind_tensor(L, "exponential_", 1));
    Fill fill;
    begin_fill(L, "exponential_", 3, &fill);
    random_exponential(fill.g, fill.view.dtype, fill.t->numel, fill.block, lambda);
    return end_fill(&fill);
}

static void check_probability(lua_State *L, const char *f, int index, double p)
{
    if (!(p >= 0 && p <= 1))
        bind_fail(L, "%s: argument %d: expected a probability from 0 to 1, got %f", f, index, p);
}

static int core_bernoulli_(lua_State *L)
{
    lua_settop(L, 3);
    double p = number_or(L, "bernoulli_", 2, 0.5);
    check_probability(L, "bernoulli_", 2, p);
    Fill fill;
    begin_fill(L, "bernoulli_", 3, &fill);
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
    begin_fill(L, "random_", given + 2, &fill);
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
    *g = option_generator(L, f, options);
    Tensor *t = bind_new_tensor(L, f, dtype, ndim, shape);
    bind_option_requires_grad(L, f, options, t);
    return t;
}

static int core_rand(lua_State *L)
{
    Generator *g;
    Tensor *t = create_float(L, "rand", &g);
    random_uniform(g, (DType)t->dtype, t->numel, tensor_data(t), 0, 1);
    return 1;
}

static int core_randn(lua_State *L)
{
    Generator *g;
    Tensor *t = create_float(L, "randn", &g);
    random_normal(g, (DType)t->dtype, t->numel, tensor_data(t), 0, 1, true);
    return 1;
}

/* randint([low,] high, {sizes}, options): integers from low (0) to high - 1, int64 unless dtype
 * says otherwise */
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
    Generator *g = option_generator(L, "randint", options);
    Tensor *t = bind_new_tensor(L, "randint", dtype, ndim, shape);
    random_integers(g, dtype, t->numel, tensor_data(t), low, range);
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
    Generator *g = option_generator(L, "randperm", 2);
    Tensor *t = bind_new_tensor(L, "randperm", INT64, 1, &n);
    random_permutation(g, n, (int64_t *)(void *)tensor_data(t));
    return 1;
}

/* the float tensor at index, contiguous and free of what is no probability (or weight, when most is
 * infinite) */
static Tensor *check_weights(lua_State *L, const char *f, double most)
{
    Tensor *p = bind_tensor(L, f, 1);
    bind_check_float(L, f, 1, p);
    View v;
    tensor_view(p, &v);
    if (!p->is_contiguous)
        p = bind_new_copy(L, f, &v, v.dtype);
    for (int64_t i = 0; i < p->numel; i++) {
        double value = dtype_load(v.dtype, tensor_data(p) + i * dtype_size(v.dtype)).d;
        if (!(value >= 0 && value <= most))
            bind_fail(L, "%s: argument 1: expected %s, got %f at place %I", f,
                      most == 1 ? "probabilities from 0 to 1" : "finite weights >= 0", value,
                      (LUAI_UACINT)(i + 1));
    }
    return p;
}

/* bernoulli(p, options): 1 with probability p[i], else 0; the shape and type of p */
static int core_bernoulli(lua_State *L)
{
    bind_check_options(L, "bernoulli", 2, fill_options);
    Tensor *p = check_weights(L, "bernoulli", 1);
    Generator *g = option_generator(L, "bernoulli", 2);
    Tensor *t = bind_new_tensor(L, "bernoulli", (DType)p->dtype, p->ndim, tensor_shape(p));
    random_bernoulli_each(g, (DType)p->dtype, p->numel, tensor_data(t), tensor_data(p));
    return 1;
}

/* multinomial(p, samples [, replacement], options): p[n] or p[rows, n] -> categories [samples] or
 * [rows, samples] */
static int core_multinomial(lua_State *L)
{
    static const char f[] = "multinomial";
    Tensor *p = check_weights(L, f, 0x1.fffffffffffffp1023);
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
    Generator *g = option_generator(L, f, options);
    int64_t shape[2] = {rows, samples};
    Tensor *t = bind_new_tensor(L, f, INT64, p->ndim, p->ndim == 2 ? shape : shape + 1);
    int64_t *out = (int64_t *)(void *)tensor_data(t);
    double *scratch = lua_newuserdatauv(L, (size_t)n * sizeof *scratch, 0);
    for (int64_t row = 0; row < rows; row++)
        random_multinomial(g, (DType)p->dtype, n, tensor_data(p) + row * bytes, samples,
                           replacement, out + row * samples, scratch);
    lua_pop(L, 1);
    return 1;
}

static const luaL_Reg random_functions[] = {
    {"Generator", core_generator},
    {"uniform_", core_uniform_},
    {"normal_", core_normal_},
    {"exponential_", core_exponential_},
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

static const luaL_Reg generator_methods[] = {
    {"manual_seed", generator_manual_seed},
    {"initial_seed", generator_initial_seed},
    {"seed", generator_seed},
    {"get_state", generator_get_state},
    {"set_state", generator_set_state},
    {NULL, NULL},
};

/* core.default_generator is the one that serves when no other is named */
void bind_open_random(lua_State *L)
{
    bind_register(L, random_functions);
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_GENERATOR_TYPE);
    lua_newtable(L);
    bind_register(L, generator_methods);
    lua_setfield(L, -2, "__index");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, generator_tostring, 1);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
    if (lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_GENERATOR) == LUA_TNIL) {
        new_generator(L, MT19937, DEFAULT_SEED);
        lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_GENERATOR);
    }
    lua_pop(L, 1);
    default_generator(L);
    lua_setfield(L, -2, "default_generator");
}
