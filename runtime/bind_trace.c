/*
 * bind_trace.c - which line of the script made a node of the graph (layer 4)
 *
 * While lua/wrun/autograd.lua looks for NaNs, bind_record notes here, in a table of its, where each
 * node comes from.
 */
#include "bind.h"

void bind_trace(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
    lua_pushvalue(L, -2);
    if (!bind_push_position(L))
        lua_pushliteral(L, "an unknown line");
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* set_traces(t) -> what it was: nodes made from now on are keys in t, their lines the values; nil
 * ends that */
static int trace_set_traces(lua_State *L)
{
    lua_settop(L, 1);
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
    lua_insert(L, 1);
    bind_runtime(L)->tracing = !lua_isnil(L, -1);
    lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
    return 1;
}

/* traces() -> the table of set_traces, nil while off */
static int trace_traces(lua_State *L)
{
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_TRACES);
    return 1;
}

const luaL_Reg bind_trace_functions[] = {
    {"set_traces", trace_set_traces},
    {"traces", trace_traces},
    {NULL, NULL},
};
