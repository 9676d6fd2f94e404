/*
 * bind_optim.c - gradients of parameters, and steps of optimisers over a whole group
 *
 * A step takes (parameters, gradients, states, group): a list of parameters, the list of their
 * gradients, the table of their states by parameter, and the table of options. What it remembers
 * stands in the states by name; a state, or a tensor in it, that is not there yet is made, of
 * zeros. Everything is checked, and every new tensor made, before the first change.
 */
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/optim.h"

/* the stack of a step: its arguments, the plan where it is large, the blocks that were made, the names
 * of what a state has, which are looked up for every parameter, and the states, in order */
enum {
    PARAMETERS = 1,
    GRADIENTS,
    STATES,
    GROUP,
    PLAN,
    MADE,
    STEP,
    NAMES,
    FIRST_STATE = NAMES + OPTIM_STATES
};

/* what the step `f` remembers of each parameter */
typedef struct {
    const char *f;
    int count; /* tensors like the parameter, of these names */
    const char *names[OPTIM_STATES];
    bool counts; /* and its steps, as `step` */
} Memory;

/* room for the plan of a few parameters */
typedef union {
    OptimGroup group;
    char bytes[sizeof(OptimGroup) + 8 * sizeof(OptimParam)];
} FewParams;

/* ---- gradients ---- */

/* drop_gradients(parameters): their `grad` is nil again. All of a step is dead by then, and nothing
 * of the next is there: where it is large, the collector gives its memory back for the next. */
static int core_drop_gradients(lua_State *L)
{
    enum { MANY = 1 << 18 };
    static const char f[] = "drop_gradients";
    int64_t elements = 0;
    lua_settop(L, 1);
    if (lua_type(L, 1) != LUA_TTABLE)
        bind_fail_argument(L, f, 1, "a list of tensors");
    int n = (int)lua_rawlen(L, 1);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        const Tensor *p = bind_to_tensor(L, 2);
        if (p == NULL)
            bind_fail(L, "%s: parameter %d: expected a tensor, got %s", f, i, bind_describe(L, 2));
        elements += p->numel;
        lua_pushnil(L);
        lua_setiuservalue(L, 2, TENSOR_GRAD);
        lua_settop(L, 1);
    }
    if (elements >= MANY)
        bind_collect_young(L, 0);
    return 0;
}

/* gradients(parameters) -> those of them that have a gradient, in the same list if all have, and
 * their gradients, contiguous */
static int core_gradients(lua_State *L)
{
    static const char f[] = "gradients";
    enum { FOUND = 2, PARAMETER, GRADIENT };
    lua_settop(L, 1);
    if (lua_type(L, 1) != LUA_TTABLE)
        bind_fail_argument(L, f, 1, "a list of tensors");
    int n = (int)lua_rawlen(L, 1), count = 0;
    lua_createtable(L, n, 0);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        if (bind_to_tensor(L, PARAMETER) == NULL)
            bind_fail(L, "%s: parameter %d: expected a tensor, got %s", f, i,
                      bind_describe(L, PARAMETER));
        lua_getiuservalue(L, PARAMETER, TENSOR_GRAD);
        Tensor *grad = bind_to_tensor(L, GRADIENT);
        if (grad != NULL) {
            if (!grad->is_contiguous) {
                View v;
                tensor_view(grad, &v);
                bind_new_copy(L, f, &v, v.dtype);
            }
            lua_rawseti(L, FOUND, ++count);
        }
        lua_settop(L, FOUND);
    }
    if (count < n) {
        lua_createtable(L, count, 0);
        count = 0;
        for (int i = 1; i <= n; i++) {
            lua_rawgeti(L, 1, i);
            bool has_grad = lua_getiuservalue(L, -1, TENSOR_GRAD) != LUA_TNIL;
            lua_pop(L, 1);
            if (has_grad)
                lua_rawseti(L, -2, ++count);
            else
                lua_pop(L, 1);
        }
        lua_replace(L, 1);
    }
    return 2;
}

/* ---- options ---- */

/* pushes the option */
static double check_number(lua_State *L, const char *f, const char *name)
{
    if (lua_getfield(L, GROUP, name) != LUA_TNUMBER)
        bind_fail(L, "%s: option %s: expected a number, got %s", f, name,
                  bind_describe(L, lua_gettop(L)));
    return lua_tonumber(L, -1);
}

static void check_betas(lua_State *L, const char *f, double *beta1, double *beta2)
{
    bool fits = lua_getfield(L, GROUP, "betas") == LUA_TTABLE;
    if (fits) {
        fits = lua_rawgeti(L, -1, 1) == LUA_TNUMBER;
        fits &= lua_rawgeti(L, -2, 2) == LUA_TNUMBER;
        *beta1 = lua_tonumber(L, -2);
        *beta2 = lua_tonumber(L, -1);
        lua_pop(L, 2);
    }
    if (!fits)
        bind_fail(L, "%s: option betas: expected two numbers, got %s", f,
                  bind_describe(L, lua_gettop(L)));
}

static bool check_boolean(lua_State *L, const char *f, const char *name)
{
    return bind_option_boolean(L, f, GROUP, name, false);
}

static void check_lists(lua_State *L, const char *f)
{
    static const char *const expected[] = {"a list of tensors", "a list of tensors",
                                           "a table of states", "a table of options"};
    lua_settop(L, GROUP);
    for (int index = PARAMETERS; index <= GROUP; index++)
        if (lua_type(L, index) != LUA_TTABLE)
            bind_fail_argument(L, f, index, expected[index - 1]);
}

/* ---- the plan ---- */

static Tensor *check_parameter(lua_State *L, const char *f, int i)
{
    lua_rawgeti(L, PARAMETERS, i);
    const char *expected = "a tensor";
    Tensor *param = bind_to_tensor(L, -1);
    if (param != NULL)
        expected = !dtype_is_float((DType)param->dtype) ? "a float32 or float64 tensor"
                   : !param->is_contiguous              ? "a contiguous tensor"
                                                        : NULL;
    if (expected != NULL)
        bind_fail(L, "%s: parameter %d: expected %s, got %s", f, i, expected,
                  bind_describe(L, lua_gettop(L)));
    return param;
}

/* the block of the value on top, which `what` and `name` describe */
static void *check_block(lua_State *L, const char *f, int i, const Tensor *param, const char *what,
                         const char *name)
{
    Tensor *t = bind_to_tensor(L, -1);
    if (t == NULL || t->dtype != param->dtype || !t->is_contiguous ||
        !shape_equal(t->ndim, t->dims, param->ndim, param->dims)) {
        const char *got = bind_describe(L, lua_gettop(L));
        lua_rawgeti(L, PARAMETERS, i);
        bind_fail(L,
                  "%s: %s%s of parameter %d: expected a contiguous tensor like the parameter, %s, "
                  "got %s",
                  f, what, name, i, bind_describe(L, lua_gettop(L)), got);
    }
    return tensor_data(t);
}

/* a new block of zeros, kept in the list MADE */
static void *make_block(lua_State *L, const char *f, const Tensor *param)
{
    Tensor *t = bind_new_tensor(L, f, (DType)param->dtype, param->ndim, param->dims);
    void *data = tensor_data(t);
    memset(data, 0, (size_t)(t->numel * dtype_size((DType)t->dtype)));
    if (lua_isnil(L, MADE)) {
        lua_newtable(L);
        lua_replace(L, MADE);
    }
    lua_rawseti(L, MADE, (lua_Integer)lua_rawlen(L, MADE) + 1);
    return data;
}

/* pushes what a state has under the name at an index, and returns its type */
static int push_named(lua_State *L, int state, int name)
{
    lua_pushvalue(L, name);
    return lua_gettable(L, state);
}

/* fills in the parameter's state from the value at an index, a table or nil; what it reads stays on
 * top */
static void plan_state(lua_State *L, const Memory *memory, int i, const Tensor *param, int state,
                       OptimParam *p)
{
    const char *f = memory->f;
    bool is_there = !lua_isnil(L, state);
    if (is_there && lua_type(L, state) != LUA_TTABLE)
        bind_fail(L, "%s: state of parameter %d: expected a table, got %s", f, i,
                  bind_describe(L, state));
    for (int s = 0; s < memory->count; s++) {
        if (is_there && push_named(L, state, NAMES + s) != LUA_TNIL) {
            p->state[s] = check_block(L, f, i, param, "state ", memory->names[s]);
        } else {
            p->state[s] = make_block(L, f, param);
            p->made |= 1u << s;
        }
    }
    p->step = 1;
    if (memory->counts && is_there && push_named(L, state, STEP) != LUA_TNIL) {
        if (lua_type(L, -1) != LUA_TNUMBER)
            bind_fail(L, "%s: state step of parameter %d: expected a number, got %s", f, i,
                      bind_describe(L, lua_gettop(L)));
        p->step = lua_tonumber(L, -1) + 1;
    }
}

/* fills the stack with the plan of a step over the whole group, which is in `few` if there is room */
static OptimGroup *plan(lua_State *L, const Memory *memory, FewParams *few)
{
    const char *f = memory->f;
    lua_settop(L, GROUP);
    int count = (int)lua_rawlen(L, PARAMETERS);
    size_t size = sizeof(OptimGroup) + (size_t)count * sizeof(OptimParam);
    luaL_checkstack(L, FIRST_STATE + count + 16, "too many parameters");
    OptimGroup *group = size > sizeof *few ? lua_newuserdatauv(L, size, 0) : &few->group;
    *group = (OptimGroup){.count = count};
    lua_settop(L, MADE);
    lua_pushliteral(L, "step");
    for (int s = 0; s < memory->count; s++)
        lua_pushstring(L, memory->names[s]);
    lua_settop(L, FIRST_STATE - 1);
    for (int i = 1, state = FIRST_STATE; i <= count; i++, state++) {
        const Tensor *param = check_parameter(L, f, i);
        OptimParam *p = &group->params[i - 1];
        *p = (OptimParam){
            .dtype = (DType)param->dtype,
            .before = group->n,
            .n = param->numel,
            .param = tensor_data(param),
        };
        group->n += param->numel;
        lua_rawget(L, STATES); /* in the parameter's place */
        lua_rawgeti(L, GRADIENTS, i);
        p->grad = check_block(L, f, i, param, "gradient", "");
        plan_state(L, memory, i, param, state, p);
        lua_settop(L, state);
    }
    return group;
}

/* ---- the step ---- */

/* the sum of the versions of all parameters and gradients */
static int64_t sum_versions(lua_State *L, int64_t count)
{
    int64_t sum = 0;
    for (int list = PARAMETERS; list <= GRADIENTS; list++)
        for (int64_t i = 1; i <= count; i++) {
            lua_rawgeti(L, list, i);
            sum += bind_to_tensor(L, -1)->storage->version;
            lua_pop(L, 1);
        }
    return sum;
}

/* writes new blocks, from *made on in the list MADE, and the count into the state at an index, which
 * becomes that of the parameter on top if there is none */
static void write_state(lua_State *L, const Memory *memory, int state, const OptimParam *p,
                        int *made)
{
    if (lua_isnil(L, state)) {
        lua_newtable(L);
        lua_copy(L, -1, state);
        lua_rawset(L, STATES);
    }
    for (int s = 0; s < memory->count; s++)
        if (p->made & 1u << s) {
            lua_pushvalue(L, NAMES + s);
            lua_rawgeti(L, MADE, ++*made);
            lua_settable(L, state);
        }
    if (memory->counts) {
        lua_Integer step;
        lua_pushvalue(L, STEP);
        if (lua_numbertointeger(p->step, &step) && (double)step == p->step)
            lua_pushinteger(L, step);
        else
            lua_pushnumber(L, p->step);
        lua_settable(L, state);
    }
}

/*
 * Writes down what was planned: states, and that the parameters change.
 *
 * A group that takes more than one thread must know whether memory is shared, as by two views of
 * one tensor: then a version grows by more than the one of its own parameter, or that of a
 * gradient does.
 */
static void commit(lua_State *L, const Memory *memory, OptimGroup *group)
{
    int made = 0, top = lua_gettop(L);
    bool is_large = group->n > OPTIM_RANGE;
    int64_t versions = is_large ? sum_versions(L, group->count) : 0;
    for (int i = 0; i < (int)group->count; i++) {
        lua_rawgeti(L, PARAMETERS, i + 1);
        bind_touch(bind_to_tensor(L, -1));
        if (memory->count > 0)
            write_state(L, memory, FIRST_STATE + i, &group->params[i], &made);
        lua_settop(L, top);
    }
    group->overlaps = is_large && sum_versions(L, group->count) != versions + group->count;
}

/* adam_step(parameters, gradients, states, group) with the options lr, betas, eps, weight_decay,
 * amsgrad, maximize, decoupled_weight_decay */
static int core_adam_step(lua_State *L)
{
    Memory memory = {"adam_step", 2, {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"}, true};
    check_lists(L, memory.f);
    AdamOptions options = {
        .lr = check_number(L, memory.f, "lr"),
        .eps = check_number(L, memory.f, "eps"),
        .weight_decay = check_number(L, memory.f, "weight_decay"),
        .amsgrad = check_boolean(L, memory.f, "amsgrad"),
        .maximize = check_boolean(L, memory.f, "maximize"),
        .decoupled = check_boolean(L, memory.f, "decoupled_weight_decay"),
    };
    check_betas(L, memory.f, &options.beta1, &options.beta2);
    memory.count = options.amsgrad ? 3 : 2;
    FewParams few;
    OptimGroup *group = plan(L, &memory, &few);
    commit(L, &memory, group);
    optim_adam(bind_pool(L), &options, group);
    return 0;
}

/* sgd_step(parameters, gradients, states, group) with the options lr, momentum, dampening,
 * weight_decay, nesterov, maximize */
static int core_sgd_step(lua_State *L)
{
    Memory memory = {"sgd_step", 0, {"momentum_buffer"}, false};
    check_lists(L, memory.f);
    SgdOptions options = {
        .lr = check_number(L, memory.f, "lr"),
        .momentum = check_number(L, memory.f, "momentum"),
        .dampening = check_number(L, memory.f, "dampening"),
        .weight_decay = check_number(L, memory.f, "weight_decay"),
        .nesterov = check_boolean(L, memory.f, "nesterov"),
        .maximize = check_boolean(L, memory.f, "maximize"),
    };
    memory.count = options.momentum != 0 ? 1 : 0;
    FewParams few;
    OptimGroup *group = plan(L, &memory, &few);
    commit(L, &memory, group);
    optim_sgd(bind_pool(L), &options, group);
    return 0;
}

static const luaL_Reg optim_functions[] = {
    {"gradients", core_gradients},
    {"drop_gradients", core_drop_gradients},
    {"adam_step", core_adam_step},
    {"sgd_step", core_sgd_step},
    {NULL, NULL},
};

void bind_open_optim(lua_State *L)
{
    bind_register(L, optim_functions);
}
