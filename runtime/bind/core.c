/*
 * core.c - the core module: the Runtime, threads, and the table of all bindings; see open.h
 */
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/core.h"
#include "bind/open.h"
#include "kernels/portable.h"

static int runtime_gc(lua_State *L)
{
    Runtime *runtime = lua_touserdata(L, 1);
    if (runtime->pool)
        pool_close(runtime->pool);
    runtime->pool = NULL;
    return 0;
}

/* a metatable kept in a user value of the Runtime on top; returns its identity */
static const void *new_type(lua_State *L, int slot, const char *name)
{
    lua_newtable(L);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    const void *identity = lua_topointer(L, -1);
    lua_setiuservalue(L, -2, slot);
    return identity;
}

/* The Runtime lives in the registry, so that opening the module twice in a state shares one. */
static void push_runtime(lua_State *L)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, BIND_RUNTIME_KEY) == LUA_TUSERDATA)
        return;
    lua_pop(L, 1);
    size_t blas_size = linalg_blas_size();
    Runtime *runtime =
        lua_newuserdatauv(L, sizeof *runtime + blas_size + pool_size(), RUNTIME_VALUES);
    *runtime = (Runtime){.blas = memset(runtime + 1, 0, blas_size)};
    new_type(L, RUNTIME_TENSOR_TYPE, "wrun.Tensor");
    runtime->node_type = new_type(L, RUNTIME_NODE_TYPE, "wrun.Node");
    runtime->generator_type = new_type(L, RUNTIME_GENERATOR_TYPE, "wrun.Generator");
    new_type(L, RUNTIME_SIZE_TYPE, "Size");
    new_type(L, RUNTIME_STRIDE_TYPE, "Stride");
    lua_getfield(L, LUA_REGISTRYINDEX, "wrun.threads");
    int threads = lua_isinteger(L, -1) ? (int)lua_tointeger(L, -1) : pool_default_threads();
    lua_pop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, BIND_ASKING_KEY);
    runtime->is_hosted = !lua_toboolean(L, -1);
    lua_pop(L, 1);
    runtime->generational = lua_gc(L, LUA_GCGEN, 0, 0) == LUA_GCGEN;
    if (!runtime->generational)
        lua_gc(L, LUA_GCINC, 0, 0, 0); /* as the host has it */
    Pool *pool = (Pool *)((char *)runtime->blas + blas_size);
    pool_init(pool, threads, bind_stop, runtime);
    runtime->pool = pool;
    lua_newtable(L);
    lua_pushcfunction(L, runtime_gc);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, BIND_RUNTIME_KEY);
}

/* set_num_threads(n), get_num_threads(): the threads of large operations;
 * results do not depend on it */
static int core_set_num_threads(lua_State *L)
{
    int64_t n = bind_integer(L, "set_num_threads", 1, "a number of threads");
    if (n < 1 || n > MAX_THREADS)
        bind_fail_argument(L, "set_num_threads", 1,
                           lua_pushfstring(L, "1 to %d threads", MAX_THREADS));
    pool_set_threads(bind_pool(L), (int)n);
    return 0;
}

static int core_get_num_threads(lua_State *L)
{
    lua_pushinteger(L, pool_threads(bind_pool(L)));
    return 1;
}

/* has_portable_bits() -> true, or false and why not */
static int core_has_portable_bits(lua_State *L)
{
    Reason reason = portable_reason();
    lua_pushboolean(L, reason == NULL);
    lua_pushstring(L, reason);
    return 2;
}

/* escape(text) -> the text as bind_escape shows it, for what may be printed */
static int core_escape(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TSTRING);
    lua_settop(L, 1);
    bind_escape(L);
    return 1;
}

/* is_object(value, class) -> whether the value's metatable is the class, or one whose `super`, or
 * that one's, is */
static int core_is_object(lua_State *L)
{
    const void *class = lua_topointer(L, 2);
    bool is_table = lua_getmetatable(L, 1);
    while (is_table && lua_topointer(L, -1) != class) {
        lua_pushliteral(L, "super");
        is_table = lua_rawget(L, -2) == LUA_TTABLE;
        lua_remove(L, -2);
    }
    lua_pushboolean(L, is_table);
    return 1;
}

/* Is a function of a script, in Lua, at this level of the stack? */
static bool is_script_at(lua_State *L, int level)
{
    lua_Debug frame;
    if (!lua_getstack(L, level, &frame))
        return false;
    lua_getinfo(L, "S", &frame);
    return strcmp(frame.what, "C") != 0 && !bind_is_own(L, &frame, lua_upvalueindex(1));
}

/* is_script(level), as debug counts levels: 1 is the caller */
static int core_is_script(lua_State *L)
{
    lua_pushboolean(L, is_script_at(L, (int)luaL_checkinteger(L, 1)));
    return 1;
}

/* The __index of a class: what a class above it has; upvalue 2 is asked of what a script misses.
 * Upvalue 3 is the name of the field that has the class above. */
static int class_index(lua_State *L)
{
    int type = LUA_TNIL;
    lua_pushvalue(L, 1);
    while (type == LUA_TNIL) {
        lua_pushvalue(L, lua_upvalueindex(3));
        if (lua_rawget(L, 3) == LUA_TNIL)
            break;
        lua_replace(L, 3);
        lua_pushvalue(L, 2);
        type = lua_rawget(L, 3);
        lua_pop(L, type == LUA_TNIL ? 1 : 0);
    }
    if (type == LUA_TNIL && is_script_at(L, 1)) {
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_pushvalue(L, 1);
        lua_pushvalue(L, 2);
        lua_call(L, 2, 0);
    }
    return 1;
}

/* reader(missed) -> the __index of classes; missed(class, name) is called where a script reads from a
 * class or its objects what is not there */
static int core_reader(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushliteral(L, "super");
    lua_pushcclosure(L, class_index, 3);
    return 1;
}

static const luaL_Reg core_functions[] = {
    {"fail", bind_core_fail},
    {"format", bind_core_format},
    {"is_object", core_is_object},
    {"is_script", core_is_script},
    {"reader", core_reader},
    {"method_parameters", bind_core_method_parameters},
    {"escape", core_escape},
    {"set_num_threads", core_set_num_threads},
    {"get_num_threads", core_get_num_threads},
    {"has_portable_bits", core_has_portable_bits},
    {NULL, NULL},
};

/* the bindings, in the order in which they fill the core table */
static void (*const openers[])(lua_State *L) = {
    bind_open_tensor,   bind_open_create,      bind_open_view,          bind_open_join,
    bind_open_index,    bind_open_elementwise, bind_open_reduce,        bind_open_scan,
    bind_open_sort,     bind_open_linalg,      bind_open_linalg_factor, bind_open_neural,
    bind_open_optim,    bind_open_rbm,         bind_open_generator,     bind_open_random,
    bind_open_switch,   bind_open_autograd,    bind_open_backward,      bind_open_digest,
    bind_open_text,     bind_open_idx,         bind_open_npy,           bind_open_safetensors,
    bind_open_torch,    bind_open_csv,         bind_open_records,       bind_open_image,
    bind_open_download, bind_open_terminal,    bind_open_process,       bind_open_folder,
    bind_open_profile,  bind_open_mpi,
};

/* fills the core table; runs with the Runtime as upvalue 1, as every binding does */
static int open_core(lua_State *L)
{
    enum { FUNCTIONS = 128 }; /* room for them, so that no table grows again and again */
    lua_createtable(L, 0, FUNCTIONS);
    lua_createtable(L, 0, FUNCTIONS);
    lua_setfield(L, -2, "unrecorded");
    bind_register(L, core_functions);
    lua_pushliteral(L, VERSION);
    lua_setfield(L, -2, "version");
    lua_getfield(L, LUA_REGISTRYINDEX, "wrun.threads");
    lua_setfield(L, -2, "threads_asked"); /* by the user, or nil */
    for (size_t i = 0; i < COUNT_OF(openers); i++)
        openers[i](L);
    bind_set_collector_pace(L, 0);
    return 1;
}

int luaopen_wrun_core(lua_State *L)
{
    push_runtime(L);
    lua_pushcclosure(L, open_core, 1);
    lua_call(L, 0, 1);
    return 1;
}
