/*
 * bind.h - the ground of the bindings: the Runtime, registration, errors
 *
 * Only this folder and the command know Lua. A binding checks its arguments, plans, allocates the
 * result, runs, and pushes. Everything that can raise comes before the first effect. Every function
 * made by bind_register carries the Runtime as its first upvalue; there are no globals.
 */
#ifndef BIND_H
#define BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "kernels/linalg.h"
#include "tensor/pool.h"
#include "tensor/tensor.h"

/* What is switched for the time of a call or a block; see bind_switch.c. */
typedef enum { SWITCH_GRAD, SWITCH_TRACES, SWITCH_GENERATOR, SWITCHES } Switch;
typedef struct Scope Scope;
typedef struct Profile Profile;
typedef struct Mpi Mpi;

/* The state behind one Lua state: a userdata, upvalue 1 of every function. */
typedef struct {
    Scope *scopes[SWITCHES]; /* those that are open, the last opened first */
    lua_State *guarding;     /* the coroutine that was handed a guard last */
    int undoing;             /* so many functions that must not be interrupted are running */
    uint64_t walks;          /* backward, so far */
    uint64_t tensors;        /* made so far, but for views */
    int64_t kilobytes;       /* in use when the collector's pace was set last */
    bool is_hosted;          /* by a program whose interrupts ask nobody; see bind_switch.c */
    bool generational;       /* the collector, as the command or another host has it */
    bool has_rows;
    Pool *pool;
    OpenBlas *blas;
    Mpi *mpi;              /* NULL unless mpirun started several of this process */
    Profile *profile;      /* NULL unless the script is profiled */
    lua_State *computing;  /* the coroutine that was given the pool last */
    const void *method;    /* of a tensor: the name that was looked up last, only its address */
    const void *node_type; /* identities of the metatables, for quick type checks */
    const void *generator_type;
} Runtime;

/* user values of the Runtime userdata */
enum {
    RUNTIME_TENSOR_TYPE = 1, /* metatables */
    RUNTIME_NODE_TYPE,
    RUNTIME_GENERATOR_TYPE,
    RUNTIME_SIZE_TYPE,
    RUNTIME_STRIDE_TYPE,
    RUNTIME_GENERATOR, /* the default generator */
    RUNTIME_ROWS,      /* autograd's rows of the elementwise operations, by number, if has_rows */
    RUNTIME_ZERO,      /* a tensor of one zero, for bind_turn.c */
    RUNTIME_TRACES,    /* node -> "script.lua:3", of nodes made while tracing */
    RUNTIME_SCOPE_TYPE,
    RUNTIME_SPARE_SCOPE, /* a closed guard, or nil */
    RUNTIME_PROFILE,     /* the userdata behind Runtime.profile */
    RUNTIME_VALUES = RUNTIME_PROFILE
};

/* user values of a tensor userdata */
enum {
    TENSOR_STORAGE = 1,
    TENSOR_GRAD_FN, /* the node that made it, nil for a leaf */
    TENSOR_GRAD,    /* the gradient summed so far, or nil */
    TENSOR_VALUES = TENSOR_GRAD
};

static inline Runtime *bind_runtime(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* the pool, for work that may raise "interrupted!" in L, at any call of a kernel */
static inline Pool *bind_pool(lua_State *L)
{
    Runtime *runtime = bind_runtime(L);
    runtime->computing = L;
    return runtime->pool;
}

/* Puts functions into the table on top, with the Runtime (upvalue 1 of the caller) as upvalue 1. */
void bind_register(lua_State *L, const luaL_Reg *functions);
/* The same for what computes with tensors and records no gradient: they go into the field
 * `unrecorded` of the core table on top. */
void bind_register_unrecorded(lua_State *L, const luaL_Reg *functions);

/* NULL when it is none. By the mark and not by the metatable, which takes four times as long: no
 * script can write into a userdata, and no other library knows the address. */
static inline Tensor *bind_to_tensor(lua_State *L, int index)
{
    Tensor *t = lua_touserdata(L, index);
    bool is_tensor = t != NULL && lua_rawlen(L, index) >= sizeof *t && t->mark == &tensor_mark;
    return is_tensor ? t : NULL;
}

/* ---- errors: message at the script's line, after the path of the containers it passed ---- */
_Noreturn void bind_fail(lua_State *L, const char *format, ...);
/* pushes "script.lua:3", the first script line below, and returns true; or false, and nothing */
bool bind_push_location(lua_State *L);
/* Is the function of this frame, as lua_getinfo's "S" fills it, wrun's own? The Runtime is at an index
 * or an upvalue. */
bool bind_is_own(lua_State *L, lua_Debug *frame, int runtime);
/* core.fail(format, ...): the same for wrun's modules */
int bind_core_fail(lua_State *L);
/* core.format(format, ...) -> text: string.format, whose numbers have a point in every locale */
int bind_core_format(lua_State *L);
int bind_core_method_parameters(lua_State *L);
/* "f: argument 2: expected WHAT, got a string"; the type or value at `index` completes it */
_Noreturn void bind_fail_argument(lua_State *L, const char *f, int index, const char *expected);
/* Shows the control characters of the string on top, which may come from a file, as "\x1b", and so
 * what is no UTF-8, so that no terminal obeys them; line ends and tabs stay. */
void bind_escape(lua_State *L);
/* Pushes nil and a message, escaped, and returns 2: the results of a binding whose file is missing
 * or bad. */
int bind_refuse(lua_State *L, const char *format, ...);
/* raises "interrupted!" at the script's line, wherever in wrun's modules it is */
_Noreturn void bind_interrupted(lua_State *L);
/* what pool_init wants: does so, in the coroutine that computes */
void bind_stop(void *runtime);
/* pushes "[2, 3]"; the pointer lives as long as the stack slot */
const char *bind_shape_text(lua_State *L, int ndim, const int64_t *shape);
/* pushes a short description of the value at index: "a string", "5", "a float32 tensor [2, 3]" */
const char *bind_describe(lua_State *L, int index);

#endif
