/*
 * bind_switch.h - switches that hold for the time of a call or a block
 */
#ifndef BIND_SWITCH_H
#define BIND_SWITCH_H

#include "bind/bind.h"

/* A guard: a userdata whose user value is the coroutine that opened it. */
struct Scope {
    lua_State *thread;
    Scope *outer, **link; /* link: what points here, NULL when closed */
    bool value, of_call;  /* not handed out */
};

/* the innermost scope that holds for L, where some are open; NULL when none holds */
const Scope *bind_scope_of(lua_State *L, const Scope *scopes);

static inline bool bind_switch(lua_State *L, Switch which)
{
    const Scope *scopes = bind_runtime(L)->scopes[which];
    if (scopes != NULL)
        scopes = bind_scope_of(L, scopes);
    return scopes != NULL ? scopes->value : which == SWITCH_GRAD;
}

/*
 * Pushes a function of (f, ...) that calls f(...) with the switch set to value; without arguments
 * it returns a guard, to be closed.
 */
void bind_push_scoped(lua_State *L, Switch which, bool value);

#endif
