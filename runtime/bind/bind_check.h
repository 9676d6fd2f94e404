/*
 * bind_check.h - arguments and options, checked before anything happens
 *
 * `f` is the function's name for the error.
 */
#ifndef BIND_CHECK_H
#define BIND_CHECK_H

#include "bind/bind.h"

/* ---- arguments ---- */
static inline Tensor *bind_tensor(lua_State *L, const char *f, int index)
{
    Tensor *t = bind_to_tensor(L, index);
    if (t == NULL)
        bind_fail_argument(L, f, index, "a tensor");
    return t;
}
bool bind_to_scalar(lua_State *L, int index, Scalar *out);
Scalar bind_scalar(lua_State *L, const char *f, int index);
int64_t bind_integer(lua_State *L, const char *f, int index, const char *expected);
/* the string at `index` as C has it, NULL where there is none or a zero byte would cut it */
const char *bind_to_string(lua_State *L, int index);
/* the same, which must be there; expected: "a path" */
const char *bind_string(lua_State *L, const char *f, int index, const char *expected);
/* a string of any bytes, and how many */
const char *bind_bytes(lua_State *L, const char *f, int index, size_t *size);
/* the same as bind_string in Lua's own words, for what stands in for a function of Lua's; `otherwise` for nil */
const char *bind_lua_string(lua_State *L, int index, const char *otherwise);
double bind_number(lua_State *L, const char *f, int index, const char *expected);
/* a dimension 1..ndim or -ndim..-1 as 0..ndim-1 */
int bind_dimension(lua_State *L, const char *f, int index, int ndim);
/* the same for the value at `value`, a part of argument `index` */
int bind_dimension_in(lua_State *L, const char *f, int index, int value, int ndim);
/* refuses a list that has keys besides its items, which nobody would read */
void bind_check_list(lua_State *L, const char *f, int index, const char *noun);
/* the index 1..n or -n..-1 as 0..n-1; `shown` is its dimension as errors count it */
int64_t bind_element_index(lua_State *L, const char *f, int64_t index, int64_t n, int shown);
/* Sizes given as numbers from `first` on, or as one table there; *next is the index after them. */
int bind_sizes(lua_State *L, const char *f, int first, int64_t *sizes, int *next);
void bind_check_float(lua_State *L, const char *f, int index, const Tensor *t);

/* ---- fields of an options table at `index` (nil or none: the default) ---- */
/* raises unless the value is nil, none,
 * or a table whose every key stands in known[] (NULL-terminated), and the last argument */
void bind_check_options(lua_State *L, const char *f, int index, const char *const *known);
DType bind_option_dtype(lua_State *L, const char *f, int index, DType otherwise);
bool bind_option_boolean(lua_State *L, const char *f, int index, const char *name, bool otherwise);
/* Pushes field `name` of the options at `index`, or nil; raises when it is of another type. */
void bind_push_option(lua_State *L, const char *f, int index, const char *name, int type,
                      const char *expected);

/* Pushes the same of a string; returns it as C has it, NULL when it is nil. */
const char *bind_push_option_string(lua_State *L, const char *f, int index, const char *name,
                                    const char *expected);

/* finishes a new tensor with the option requires_grad */
void bind_option_requires_grad(lua_State *L, const char *f, int index, Tensor *t);

#endif
