/*
 * bind_generator.h - generators of random numbers as arguments
 */
#ifndef BIND_GENERATOR_H
#define BIND_GENERATOR_H

#include "bind/bind.h"
#include "kernels/random.h"

Generator *bind_generator(lua_State *L, const char *f, int index);
/* the option `generator` of the table at index, or the default one; kept on the stack */
Generator *bind_option_generator(lua_State *L, const char *f, int index);

#endif
