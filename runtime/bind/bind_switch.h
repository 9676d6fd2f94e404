/*
 * bind_switch.h - switches that hold for the time of a call or a block
 */
#ifndef BIND_SWITCH_H
#define BIND_SWITCH_H

#include "bind/bind.h"

/* A guard: a userdata whose user values are the coroutine that opened it, and what it holds. */
struct Scope {
    lua_State *thread;
    void *held;           /* a userdata, or NULL */
    Scope *outer, **link; /* link: what points here, NULL when closed */
    bool value, of_call;  /* not handed out */
    bool doubtful;        /* the next use looks whether anything holds it */
    bool is_hosted;       /* every use does */
    int depth, local;     /* where it was found last: frames from the bottom, and its variable */
    const void *receiver; /* the function of a script that it was handed to, or NULL */
    const char *name;
    char line[LUA_IDSIZE + 16]; /* of the script that asked for it */
};

/* the innermost scope that holds for L, where some are open; NULL when none holds; raises where a
 * script let go of its guard */
const Scope *bind_scope_of(lua_State *L, Scope *scopes);

static inline bool bind_switch_in(const Runtime *runtime, lua_State *L, Switch which)
{
    Scope *scopes = runtime->scopes[which];
    const Scope *scope = scopes != NULL ? bind_scope_of(L, scopes) : NULL;
    return scope != NULL ? scope->value : which == SWITCH_GRAD;
}

static inline bool bind_switch(lua_State *L, Switch which)
{
    return bind_switch_in(bind_runtime(L), L, which);
}

/*
 * Pops a value and pushes a function of (f, ...) that calls f(...) with the switch set to it;
 * without arguments it returns a guard, to be closed. The value is a boolean, or a function that
 * makes the userdata that each scope holds.
 */
void bind_push_scoped(lua_State *L, Switch which, const char *name);

#endif
