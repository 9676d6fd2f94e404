/*
 * bind_rbm.c - the kernels of Restricted Boltzmann Machines
 *
 * For wrun's own Lua modules, which check what users give; here only what keeps memory safe.
 */
#include "bind/bind_check.h"
#include "bind/bind_generator.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/rbm.h"

/* the data of a contiguous tensor of this type and number of elements; NULL for nil. `what` names
 * it in errors: "argument 2" */
static void *check_block(lua_State *L, const char *f, const char *what, int index, DType dtype,
                         int64_t numel)
{
    if (lua_isnoneornil(L, index))
        return NULL;
    Tensor *t = bind_to_tensor(L, index);
    if (t == NULL || t->dtype != dtype || t->numel != numel || !t->is_contiguous)
        bind_fail(L, "%s: %s: expected %I contiguous elements of %s, got %s", f, what,
                  (LUAI_UACINT)numel, dtype_info[dtype].name, bind_describe(L, index));
    return tensor_data(t);
}

static Tensor *check_layer(lua_State *L, const char *f)
{
    Tensor *x = bind_tensor(L, f, 1);
    bind_check_float(L, f, 1, x);
    if (x->ndim != 2 || !x->is_contiguous)
        bind_fail_argument(L, f, 1, "a contiguous matrix");
    return x;
}

/* x and bias at 1 and 2 */
static RbmInput check_input(lua_State *L, const char *f)
{
    Tensor *x = check_layer(L, f);
    DType dtype = (DType)x->dtype;
    RbmInput in = {.dtype = dtype, .rows = x->dims[0], .n = x->dims[1], .x = tensor_data(x)};
    in.bias = check_block(L, f, "argument 2", 2, dtype, in.n);
    return in;
}

/* beta at `index`, a number, which is then stored in *number, or a tensor of one a row */
static void check_beta(lua_State *L, const char *f, const char *what, int index, RbmInput *in,
                       double *number)
{
    if (lua_type(L, index) == LUA_TNUMBER) {
        *number = lua_tonumber(L, index);
        in->beta = number;
    } else {
        in->beta = check_block(L, f, what, index, FLOAT64, in->rows);
        in->beta_each = in->beta != NULL;
    }
}

static Generator *check_philox(lua_State *L, const char *f, int index)
{
    Generator *g = bind_generator(L, f, index);
    if (g->engine != PHILOX)
        bind_fail(L, "%s: argument %d: expected a generator with engine philox", f, index);
    return g;
}

/*
 * rbm_sample(x, bias, generator, { beta =, base =, out = }): x becomes the probabilities, of which
 * a generator draws: the sample is in `out`, or else in the place of x. Without biases, x holds
 * probabilities already.
 */
static int core_rbm_sample(lua_State *L)
{
    static const char f[] = "rbm_sample";
    static const char *const names[] = {"beta", "base", "out", NULL};
    enum { OPTIONS = 4, BETA, BASE, OUT };
    lua_settop(L, OPTIONS);
    bind_check_options(L, f, OPTIONS, names);
    for (int i = 0; names[i] != NULL; i++)
        if (lua_isnil(L, OPTIONS))
            lua_pushnil(L);
        else
            lua_getfield(L, OPTIONS, names[i]);
    double number;
    RbmInput in = check_input(L, f);
    check_beta(L, f, "option beta", BETA, &in, &number);
    in.base = check_block(L, f, "option base", BASE, in.dtype, in.n);
    void *out = check_block(L, f, "option out", OUT, in.dtype, in.rows * in.n);
    bool draw = !lua_isnil(L, 3);
    uint64_t key = 0, first = 0;
    if (draw) {
        Generator *g = check_philox(L, f, 3);
        key = g->seed;
        first = random_reserve(g, (uint64_t)rbm_counters(in.rows, in.n));
    }
    bind_touch(bind_to_tensor(L, 1));
    if (draw && out != NULL)
        bind_touch(bind_to_tensor(L, OUT));
    rbm_sample(bind_pool(L), &in, draw, out != NULL ? out : in.x, key, first);
    lua_settop(L, draw && out != NULL ? OUT : 1);
    return 1;
}

/* rbm_softplus(x, bias, beta) -> float64 [rows] */
static int core_rbm_softplus(lua_State *L)
{
    static const char f[] = "rbm_softplus";
    lua_settop(L, 3);
    double number;
    RbmInput in = check_input(L, f);
    check_beta(L, f, "argument 3", 3, &in, &number);
    if (in.bias == NULL)
        bind_fail_argument(L, f, 2, "the biases");
    Tensor *out = bind_new_tensor(L, f, FLOAT64, 1, &in.rows);
    rbm_softplus(bind_pool(L), &in, (double *)(void *)tensor_data(out));
    return 1;
}

/* rbm_sample_groups(p, categories, generator): each group of p becomes one 1 among zeros */
static int core_rbm_sample_groups(lua_State *L)
{
    static const char f[] = "rbm_sample_groups";
    lua_settop(L, 3);
    Tensor *p = check_layer(L, f);
    int64_t rows = p->dims[0], n = p->dims[1];
    int64_t categories = bind_integer(L, f, 2, "a number of categories");
    if (categories < 1 || n % categories != 0)
        bind_fail_argument(L, f, 2, "a divisor of the number of columns");
    Generator *g = check_philox(L, f, 3);
    uint64_t first = random_reserve(g, (uint64_t)rbm_counters(rows, n / categories));
    bind_touch(p);
    rbm_sample_groups(bind_pool(L), (DType)p->dtype, rows, n, categories, tensor_data(p), g->seed,
                      first);
    lua_settop(L, 1);
    return 1;
}

/* rbm_log_partition(weight [nh, nv], visible bias, hidden bias) -> log Z by enumerating the hidden
 * units, or nil when the weights are too large for it */
static int core_rbm_log_partition(lua_State *L)
{
    static const char f[] = "rbm_log_partition";
    lua_settop(L, 3);
    Tensor *w = check_layer(L, f);
    int64_t nh = w->dims[0], nv = w->dims[1];
    if (nh > RBM_ENUMERABLE || w->dtype != FLOAT64)
        bind_fail_argument(
            L, f, 1, lua_pushfstring(L, "float64 weights of at most %d units", RBM_ENUMERABLE));
    const double *a = check_block(L, f, "argument 2", 2, FLOAT64, nv);
    const double *b = check_block(L, f, "argument 3", 3, FLOAT64, nh);
    if (a == NULL || b == NULL)
        bind_fail(L, "%s: expected the biases", f);
    int64_t size = (int64_t)rbm_enumeration_scratch(nh, nv);
    Tensor *scratch = bind_new_tensor(L, f, FLOAT64, 1, &size);
    double log_z;
    if (!rbm_log_partition(bind_pool(L), nh, nv, (const double *)(void *)tensor_data(w), a, b,
                           (double *)(void *)tensor_data(scratch), &log_z))
        return 0;
    lua_pushnumber(L, log_z);
    return 1;
}

static const luaL_Reg rbm_functions[] = {
    {"rbm_sample", core_rbm_sample},
    {"rbm_softplus", core_rbm_softplus},
    {"rbm_sample_groups", core_rbm_sample_groups},
    {"rbm_log_partition", core_rbm_log_partition},
    {NULL, NULL},
};

void bind_open_rbm(lua_State *L)
{
    bind_register(L, rbm_functions);
    lua_pushinteger(L, RBM_ENUMERABLE);
    lua_setfield(L, -2, "rbm_enumerable");
}
