/*
 * bind_switch.c - switches that hold for the time of a call or a block
 *
 * A scope belongs to the coroutine that opened it. It holds for that coroutine and for those that
 * it resumes, and not while it is suspended: what an iterator switches is not its caller's matter.
 *
 * A scope is opened and marked to be closed in one C function, and closed by another, so that no
 * hook that raises, as that of an interrupt, comes between. Only a guard that is handed out is
 * marked by its block one instruction later; bind_may_interrupt is for that, and for what undoes
 * in Lua. The hook of another host, as lua5.4's, asks nobody and may raise in the very call that
 * closes; there each use of a switch looks whether the guard is still held.
 */
#include "bind/bind_switch.h"

#include <stdio.h>
#include <string.h>

#include "bind/core.h"
#include "bind/open.h"

static void close(Scope *scope)
{
    if (scope->link == NULL)
        return;
    *scope->link = scope->outer;
    if (scope->outer != NULL)
        scope->outer->link = scope->link;
    scope->link = NULL;
}

static int count_frames(lua_State *L)
{
    lua_Debug frame;
    int count = 0;
    while (lua_getstack(L, count, &frame))
        count++;
    return count;
}

/* Is the guard local variable i of a frame? Sets *is_last where there is none. What is no variable
 * but lies in a register may be left over: it counts where no interrupt can have left it. */
static bool is_local(const Scope *scope, const lua_Debug *frame, int i, bool *is_last)
{
    const char *name = lua_getlocal(scope->thread, frame, i);
    *is_last = name == NULL;
    if (name == NULL)
        return false;
    bool found = lua_touserdata(scope->thread, -1) == scope;
    lua_pop(scope->thread, 1);
    return found && !(scope->is_hosted && strcmp(name, "(temporary)") == 0);
}

/* Is the guard a value that a function of its coroutine still has? */
static bool is_held(Scope *scope)
{
    lua_State *L = scope->thread;
    lua_Debug frame;
    bool is_last = false;
    luaL_checkstack(L, 4, "no room to look for a guard");
    int depth = scope->is_hosted ? count_frames(L) : 0;
    if (scope->depth > 0 && scope->depth <= depth &&
        lua_getstack(L, depth - scope->depth, &frame) &&
        is_local(scope, &frame, scope->local, &is_last))
        return true;
    for (int level = 0; lua_getstack(L, level, &frame); level++) {
        is_last = false;
        for (int i = 1; !is_last; i++) {
            if (is_local(scope, &frame, i, &is_last)) {
                scope->depth = depth - level;
                scope->local = i;
                return true;
            }
        }
    }
    return false;
}

/* Does the function still run that was handed the guard? */
static bool has_receiver(const Scope *scope)
{
    lua_State *L = scope->thread;
    lua_Debug frame;
    bool found = false;
    for (int level = 0; !found && lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "f", &frame);
        found = lua_topointer(L, -1) == scope->receiver;
        lua_pop(L, 1);
    }
    return found;
}

/* Closes a scope that nothing will end. Where its script did not keep the guard, that is refused; an
 * interrupt of the host ends the function that would have. */
static void end_unheld(lua_State *L, Scope *scope)
{
    close(scope);
    if (scope->receiver == NULL || (scope->is_hosted && !has_receiver(scope)))
        return;
    lua_pushfstring(
        L,
        "%s: %s: nothing holds its guard, so nothing would end it; write local _ <close> "
        "= before the call, or give it the function to call",
        scope->line, scope->name);
    lua_error(L);
}

const Scope *bind_scope_of(lua_State *L, Scope *scopes)
{
    const Scope *of_resumer = NULL;
    for (Scope *scope = scopes, *outer; scope != NULL; scope = outer) {
        outer = scope->outer;
        if (scope->doubtful) {
            scope->doubtful = scope->is_hosted;
            if (!is_held(scope)) {
                end_unheld(L, scope);
                continue;
            }
        }
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

/* what the collector does with the guard of a coroutine that is never resumed */
static int collect_scope(lua_State *L)
{
    close(lua_touserdata(L, 1));
    return 0;
}

/* Nobody but its call has the guard of a call: it is there for the next one. */
static int close_scope(lua_State *L)
{
    collect_scope(L);
    const Scope *scope = lua_touserdata(L, 1);
    if (!scope->of_call)
        return 0;
    for (int slot = 1; slot <= (scope->held != NULL ? 2 : 1); slot++) {
        lua_pushnil(L);
        lua_setiuservalue(L, 1, slot);
    }
    lua_settop(L, 1);
    lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_SPARE_SCOPE);
    return 0;
}

/* pushes a guard that is not open yet */
static Scope *push_scope(lua_State *L, bool of_call)
{
    int count = lua_gettop(L);
    int spare = of_call ? lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_SPARE_SCOPE) : LUA_TNIL;
    if (spare == LUA_TUSERDATA) {
        lua_pushnil(L);
        lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_SPARE_SCOPE);
    } else {
        lua_settop(L, count);
        *(Scope *)lua_newuserdatauv(L, sizeof(Scope), 2) = (Scope){.of_call = of_call};
        lua_getiuservalue(L, lua_upvalueindex(1), RUNTIME_SCOPE_TYPE);
        lua_setmetatable(L, -2);
    }
    Scope *scope = lua_touserdata(L, -1);
    scope->thread = L;
    scope->is_hosted = scope->doubtful = bind_runtime(L)->is_hosted;
    scope->depth = 0;
    lua_pushthread(L);
    lua_setiuservalue(L, -2, 1);
    scope->value = lua_toboolean(L, lua_upvalueindex(3));
    scope->held = NULL;
    if (lua_isfunction(L, lua_upvalueindex(3))) {
        lua_pushvalue(L, lua_upvalueindex(3));
        lua_call(L, 0, 1);
        scope->held = lua_touserdata(L, -1);
        lua_setiuservalue(L, -2, 2);
    }
    return scope;
}

/* notes which line of a script is handed the guard; the library's own hold theirs */
static void note_line(lua_State *L, Scope *scope)
{
    lua_Debug caller;
    if (!lua_getstack(L, 1, &caller) || !lua_getinfo(L, "Sl", &caller) ||
        bind_is_own(L, &caller, lua_upvalueindex(1)) || caller.currentline < 0)
        return;
    lua_getinfo(L, "f", &caller);
    scope->receiver = lua_topointer(L, -1);
    lua_pop(L, 1);
    scope->doubtful = true;
    snprintf(scope->line, sizeof scope->line, "%s:%d", caller.short_src, caller.currentline);
}

/* results of f, above the guard */
static int finish_scoped(lua_State *L, int status, lua_KContext context)
{
    (void)status, (void)context;
    return lua_gettop(L) - 1;
}

/* upvalue 2 is the switch, 3 the value, 4 the name */
static int call_scoped(lua_State *L)
{
    Runtime *runtime = bind_runtime(L);
    Scope **head = &runtime->scopes[lua_tointeger(L, lua_upvalueindex(2))];
    int count = lua_gettop(L);
    bool of_call = !lua_isnoneornil(L, 1) && count > 0;
    bool is_callable = lua_isfunction(L, 1) || (bind_to_tensor(L, 1) == NULL &&
                                                luaL_getmetafield(L, 1, "__call") != LUA_TNIL);
    if (of_call && !is_callable)
        bind_fail_argument(L, lua_tostring(L, lua_upvalueindex(4)), 1, "a function");
    lua_settop(L, count);
    luaL_checkstack(L, 5, "too many arguments");
    Scope *scope = push_scope(L, of_call);
    if (!of_call) {
        scope->name = lua_tostring(L, lua_upvalueindex(4));
        note_line(L, scope);
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

void bind_push_scoped(lua_State *L, Switch which, const char *name)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    lua_pushinteger(L, which);
    lua_insert(L, -2);
    lua_pushstring(L, name);
    lua_pushcclosure(L, call_scoped, 4);
}

/* upvalue 2 is the function */
static int call_undo(lua_State *L)
{
    Runtime *runtime = bind_runtime(L);
    int count = lua_gettop(L), status = LUA_OK, mask = lua_gethookmask(L);
    int instructions = lua_gethookcount(L);
    lua_Hook hook = lua_gethook(L);
    luaL_checkstack(L, count + 2, "too many arguments");
    runtime->undoing++;
    /* an interrupt of the host may come while its hook is away: once */
    for (int i = 0; i == 0 || (i == 1 && status != LUA_OK && runtime->is_hosted); i++) {
        if (runtime->is_hosted)
            lua_sethook(L, NULL, 0, 0);
        lua_pushvalue(L, lua_upvalueindex(2));
        for (int k = 1; k <= count; k++)
            lua_pushvalue(L, k);
        int now = lua_pcall(L, count, 0, 0);
        status = status == LUA_OK ? now : status;
        if (i == 1 && now != LUA_OK)
            lua_pop(L, 1);
    }
    if (runtime->is_hosted && mask != 0)
        lua_sethook(L, hook, mask, instructions);
    runtime->undoing--;
    return status == LUA_OK ? 0 : lua_error(L);
}

/* undo(f) -> a function that calls f(...), which no interrupt ends: for __close. What is done twice
 * must be as if done once. */
static int scoped_undo(lua_State *L)
{
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_pushcclosure(L, call_undo, 2);
    return 1;
}

bool bind_may_interrupt(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, BIND_RUNTIME_KEY);
    Runtime *runtime = lua_touserdata(L, -1);
    lua_pop(L, 1);
    bool guarding = runtime != NULL && runtime->guarding == L;
    if (guarding)
        runtime->guarding = NULL;
    return !guarding && (runtime == NULL || runtime->undoing == 0);
}

static int scope_tostring(lua_State *L)
{
    const Scope *scope = lua_touserdata(L, 1);
    lua_pushstring(L, scope->link != NULL ? "Guard(open)" : "Guard(closed)");
    return 1;
}

void bind_open_switch(lua_State *L)
{
    lua_newtable(L);
    lua_pushcfunction(L, scope_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushcfunction(L, collect_scope);
    lua_setfield(L, -2, "__gc");
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, close_scope, 1);
    lua_setfield(L, -2, "__close");
    lua_setiuservalue(L, lua_upvalueindex(1), RUNTIME_SCOPE_TYPE);
    static const struct {
        const char *name;
        Switch which;
        bool value;
    } switches[] = {
        {"no_grad", SWITCH_GRAD, false},
        {"enable_grad", SWITCH_GRAD, true},
        {"detect_anomaly", SWITCH_TRACES, true},
    };
    static const luaL_Reg functions[] = {{"undo", scoped_undo}, {NULL, NULL}};
    luaL_getsubtable(L, -1, "scoped");
    bind_register(L, functions);
    for (size_t i = 0; i < COUNT_OF(switches); i++) {
        lua_pushboolean(L, switches[i].value);
        bind_push_scoped(L, switches[i].which, switches[i].name);
        lua_setfield(L, -2, switches[i].name);
    }
    lua_pop(L, 1);
}
