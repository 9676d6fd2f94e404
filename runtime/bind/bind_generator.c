/*
 * bind_generator.c - generators of random numbers as Lua values
 *
 * Each Lua state has a default generator, which serves where no option names another. In the scope
 * of a fork it stands for the copy that the scope holds, and is itself left alone.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bind/bind_check.h"
#include "bind/bind_generator.h"
#include "bind/bind_result.h"
#include "bind/bind_switch.h"
#include "bind/open.h"
#include "kernels/random.h"

/* pushes the default generator */
static Generator *push_default(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_GENERATOR);
    return lua_touserdata(L, -1);
}

/* what g stands for */
static Generator *resolve(lua_State *L, Generator *g)
{
    Scope *forks = bind_runtime(L)->scopes[SWITCH_GENERATOR];
    if (forks == NULL)
        return g;
    bool is_default = push_default(L) == g;
    lua_pop(L, 1);
    const Scope *fork = is_default ? bind_scope_of(L, forks) : NULL;
    return fork != NULL ? fork->held : g;
}

static Generator *to_generator(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index))
        return NULL;
    bool same = lua_topointer(L, -1) == bind_runtime(L)->generator_type;
    lua_pop(L, 1);
    return same ? resolve(L, lua_touserdata(L, index)) : NULL;
}

Generator *bind_generator(lua_State *L, const char *f, int index)
{
    Generator *g = to_generator(L, index);
    if (g == NULL)
        bind_fail(
            L, "%s: argument %d: expected a generator, got %s%s", f, index, bind_describe(L, index),
            index == 1 ? lua_pushfstring(L, "; write generator:%s(), not generator.%s()", f, f)
                       : "");
    return g;
}

Generator *bind_option_generator(lua_State *L, const char *f, int index)
{
    if (lua_isnoneornil(L, index) || lua_getfield(L, index, "generator") == LUA_TNIL)
        return resolve(L, push_default(L));
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
            const char *name = bind_to_string(L, -1);
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
    const Generator *g = to_generator(L, 1);
    if (g == NULL)
        bind_fail_argument(L, "tostring", 1, "a generator");
    lua_pushfstring(L, "Generator(engine=%s, seed=%I)", g->engine == PHILOX ? "philox" : "mt19937",
                    (LUAI_UACINT)g->seed);
    return 1;
}

/* a copy of the default generator, for the scope of a fork */
static int copy_default(lua_State *L)
{
    const Generator *g = resolve(L, push_default(L));
    *new_generator(L, MT19937, 0) = *g;
    return 1;
}

static const luaL_Reg generator_methods[] = {
    {"manual_seed", generator_manual_seed},
    {"initial_seed", generator_initial_seed},
    {"seed", generator_seed},
    {"get_state", generator_get_state},
    {"set_state", generator_set_state},
    {NULL, NULL},
};

/* core.default_generator is the one that serves when no other is named */
void bind_open_generator(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, core_generator, 1);
    lua_setfield(L, -2, "Generator");
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
    push_default(L);
    lua_setfield(L, -2, "default_generator");
    luaL_getsubtable(L, -1, "scoped");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, copy_default, 1);
    bind_push_scoped(L, SWITCH_GENERATOR, "fork_rng");
    lua_setfield(L, -2, "fork_rng");
    lua_pop(L, 1);
}
