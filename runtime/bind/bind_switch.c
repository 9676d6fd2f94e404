/*
 * bind_switch.c - switches that hold for the time of a call or a block
 *
 * A scope belongs to the coroutine that opened it. It holds for that coroutine and for those that
 * it resumes, and not while it is suspended: what an iterator switches is not its caller's matter.
 *
 * A scope is opened and marked to be closed in one C function, and closed by another, so that no
 * hook that raises, as that of an interrupt, comes between. Only a guard that is handed out is
 * marked by its block one instruction later; bind_may_interrupt is for that.
 */
#include "bind/bind_switch.h"

#include "bind/core.h"
#include "bind/open.h"

const Scope *bind_scope_of(lua_State *L, const Scope *scopes)
{
    const Scope *of_resumer = NULL;
    for (const Scope *scope = scopes; scope != NULL; scope = scope->outer) {
        if (scope->thread == L)
            return scope;
        if (of_resumer == NULL && lua_status(scope->thread) == LUA_OK)
            of_resumer = scope;
    }
    return of_resumer;
}

static void open_scope(Scope *scope, Scope **head)
{
    scope->link = head;
    scope->outer = *head;
    if (scope->outer != NULL)
        scope->outer->link = &scope->outer;
    *head = scope;
}

/* also what the collector does with the guard of a coroutine that is never resumed */
static int close_scope(lua_State *L)
{
    Scope *scope = lua_touserdata(L, 1);
    if (scope->link != NULL) {
        *scope->link = scope->outer;
        if (scope->outer != NULL)
            scope->outer->link = scope->link;
        scope->link = NULL;
    }
    return 0;
}

/* results of f, above the guard */
static int finish_scoped(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return lua_gettop(L) - 1;
}

/* upvalue 2 is the switch, 3 the value */
static int call_scoped(lua_State *L)
{
    Runtime *runtime = bind_runtime(L);
    Scope **head = &runtime->scopes[lua_tointeger(L, lua_upvalueindex(2))];
    int count = lua_gettop(L);
    luaL_checkstack(L, 3, "too many arguments");
    Scope *scope = lua_newuserdatauv(L, sizeof *scope, 1);
    *scope = (Scope){.thread = L, .value = lua_toboolean(L, lua_upvalueindex(3))};
    lua_pushthread(L);
    lua_setiuservalue(L, -2, 1);
    lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_SCOPE_TYPE);
    lua_setmetatable(L, -2);
    if (lua_isnoneornil(L, 1) || count == 0) {
        open_scope(scope, head);
        runtime->guarding = L;
        return 1;
    }
    lua_insert(L, 1);
    lua_toclose(L, 1);
    open_scope(scope, head);
    lua_callk(L, count - 1, LUA_MULTRET, 0, finish_scoped);
    return finish_scoped(L, LUA_OK, 0);
}

void bind_push_scoped(lua_State *L, Switch which, bool value)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushinteger(L, which);
    lua_pushboolean(L, value);
    lua_pushcclosure(L, call_scoped, 3);
}

bool bind_may_interrupt(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, BIND_RUNTIME_KEY);
    Runtime *runtime = lua_touserdata(L, -1);
    lua_pop(L, 1);
    bool guarding = runtime != NULL && runtime->guarding == L;
    if (guarding)
        runtime->guarding = NULL;
    return !guarding;
}

void bind_open_switch(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, close_scope);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__close");
    lua_setfield(L, -2, "__gc");
    lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_SCOPE_TYPE);
    lua_newtable(L);
    bind_push_scoped(L, SWITCH_GRAD, false);
    lua_setfield(L, -2, "no_grad");
    bind_push_scoped(L, SWITCH_GRAD, true);
    lua_setfield(L, -2, "enable_grad");
    bind_push_scoped(L, SWITCH_TRACES, true);
    lua_setfield(L, -2, "detect_anomaly");
    lua_setfield(L, -2, "scoped");
}
