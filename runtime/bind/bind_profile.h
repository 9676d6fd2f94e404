/*
 * bind_profile.h - counts and times what a script computes; see bind_profile.c
 */
#ifndef BIND_PROFILE_H
#define BIND_PROFILE_H

#include "bind/bind.h"

/* where the registry says, before the core is opened, that a script is to be profiled */
#define BIND_PROFILE_KEY "wrun.profile"

/* The walk backward comes to a node, whose row's label is on top and popped, and leaves it with what
 * this returned. */
int bind_profile_enter_node(lua_State *L, Profile *profile, int layer);
void bind_profile_leave_node(lua_State *L, Profile *profile, int depth);
/* It has computed so many elements of a gradient itself, by a derivative in ops.def. */
void bind_profile_add_derivative(Profile *profile, int64_t elements, int64_t bytes);

/* Has the collector do the work that so many kilobytes of new memory ask for; `profile`, unless it
 * is NULL, takes the time. */
void bind_profile_collect(lua_State *L, Profile *profile, int kilobytes);

#endif
