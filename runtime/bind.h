/*
 * bind.h - what the binding files share (layer 4)
 *
 * Only bind*.c and main.c know Lua. A binding checks its arguments, plans, allocates the result,
 * runs, and pushes. Everything that can raise comes before the first effect. Every function made by
 * bind_register carries the Runtime as its first upvalue; there are no globals.
 */
#ifndef BIND_H
#define BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "elementwise.h"
#include "pool.h"
#include "random.h"
#include "tensor.h"

/* The state behind one Lua state: a userdata, upvalue 1 of every function. */
typedef struct {
    bool grad_enabled, tracing; /* tracing: nodes note the line that made them */
    Pool *pool;
    const void *tensor_type; /* identities of the metatables, for quick type checks */
    const void *node_type;
    const void *generator_type;
} Runtime;

/* user values of the Runtime userdata */
enum {
    RUNTIME_TENSOR_TYPE = 1, /* metatables */
    RUNTIME_NODE_TYPE,
    RUNTIME_GENERATOR_TYPE,
    RUNTIME_GENERATOR, /* the default generator */
    RUNTIME_ROWS,      /* autograd's rows of the elementwise operations, by number */
    RUNTIME_ZERO,      /* a tensor of one zero, for bind_autograd.c */
    RUNTIME_TRACES,    /* while tracing: node -> "script.lua:3" */
    RUNTIME_VALUES = RUNTIME_TRACES
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

/* Puts functions into the table on top, with the Runtime (upvalue 1 of the caller) as upvalue 1. */
void bind_register(lua_State *L, const luaL_Reg *functions);

/* ---- errors: message at the script's line, after the path of the containers it passed ---- */
_Noreturn void bind_fail(lua_State *L, const char *format, ...);
/* pushes "script.lua:3", the first script line below, and returns true; or false, and nothing */
bool bind_push_position(lua_State *L);
/* the Lua function core.fail(format, ...): the same for wrun's modules */
int bind_core_fail(lua_State *L);
/* "f: argument 2: expected WHAT, got a string"; the type or value at `index` completes it */
_Noreturn void bind_fail_argument(lua_State *L, const char *f, int index, const char *expected);
/* pushes "[2, 3]"; the pointer lives as long as the stack slot */
const char *bind_shape_text(lua_State *L, int ndim, const int64_t *shape);
/* pushes a short description of the value at index: "a string", "5", "a float32 tensor [2, 3]" */
const char *bind_describe(lua_State *L, int index);

/* ---- arguments: `f` is the function's name for the error ---- */
Tensor *bind_to_tensor(lua_State *L, int index); /* NULL when it is none */
Tensor *bind_tensor(lua_State *L, const char *f, int index);
bool bind_to_scalar(lua_State *L, int index, Scalar *out);
Scalar bind_scalar(lua_State *L, const char *f, int index);
int64_t bind_integer(lua_State *L, const char *f, int index, const char *expected);
double bind_number(lua_State *L, const char *f, int index, const char *expected);
/* a dimension 1..ndim or -ndim..-1 as 0..ndim-1 */
int bind_dimension(lua_State *L, const char *f, int index, int ndim);
/* the same for the value at `place`, a part of argument `index` */
int bind_dimension_in(lua_State *L, const char *f, int index, int place, int ndim);
/* Sizes given as numbers from `first` on, or as one table there; *next is the index after them. */
int bind_sizes(lua_State *L, const char *f, int first, int64_t *sizes, int *next);
Generator *bind_generator(lua_State *L, const char *f, int index);
/* the option `generator` of the table at index, or the default one; kept on the stack */
Generator *bind_option_generator(lua_State *L, const char *f, int index);
void bind_check_float(lua_State *L, const char *f, int index, const Tensor *t);

/* ---- fields of an options table at `index` (nil or none: the default) ---- */
/* raises unless the value is nil, none or a table whose every key stands in known[]
 * (NULL-terminated) */
void bind_check_options(lua_State *L, const char *f, int index, const char *const *known);
DType bind_option_dtype(lua_State *L, const char *f, int index, DType otherwise);
bool bind_option_boolean(lua_State *L, const char *f, int index, const char *name, bool otherwise);

/* finishes a new tensor with the option requires_grad */
void bind_option_requires_grad(lua_State *L, const char *f, int index, Tensor *t);

/* ---- results ---- */
/* pushes a new tensor with bytes of its own, not yet filled; raises when the size overflows or
 * memory is out */
Tensor *bind_new_tensor(lua_State *L, const char *f, DType dtype, int ndim, const int64_t *shape);
/* pushes a contiguous copy of v, converted */
Tensor *bind_new_copy(lua_State *L, const char *f, const View *v, DType dtype);
/* pushes a tensor that shows the storage of the tensor at `index` */
Tensor *bind_new_view(lua_State *L, int index, const View *view);
/* pushes {2, 3} */
void bind_push_sizes(lua_State *L, int n, const int64_t *sizes);
/* the storage of the tensor at `index` is about to change */
void bind_touch(Tensor *t);

/*
 * What the tensor or number at `index` writes to `target`, which it must broadcast to. If it shares
 * memory with the tensor at index 1, a copy of it (pushed).
 */
void bind_source(lua_State *L, const char *f, int index, const View *target, Operand *out);

/* ---- changing in place ---- */
/*
 * Raises unless t may be overwritten: a leaf that requires a gradient may not be while gradients
 * are on, nor a tensor whose elements repeat.
 */
void bind_check_writable(lua_State *L, const char *f, int index, Tensor *t);

/* ---- recording, in bind_autograd.c ---- */
/* Is any of the arguments 1..count a tensor that requires a gradient while gradients are on? */
bool bind_needs_grad(lua_State *L, int count);
/* Is the value at index a tensor that requires a gradient? */
bool bind_requires_grad(lua_State *L, int index);
/*
 * Makes the tensor at `result` the output of a new node: the row at `row`, the arguments 1..count.
 * Tensors whose bit is set in `saves` (bit 0 the result, bit i argument i) are kept for the
 * backward pass; of the others only the shape.
 */
void bind_record(lua_State *L, int row, int count, uint32_t saves, int result);
/* while tracing: notes for the node on top which line of the script made it */
void bind_trace(lua_State *L);
extern const luaL_Reg bind_trace_functions[]; /* of core.graph */
/* Raises when a recorded change in place of t would pass by a recorded view of it, or by the tensor
 * it is a view of. */
void bind_check_unshared(lua_State *L, const char *f, Tensor *t);

/* each adds its functions to the core table on top of the stack; called once, in this order, by
 * luaopen_wrun_core */
void bind_open_tensor(lua_State *L);
void bind_open_create(lua_State *L);
void bind_open_view(lua_State *L);
void bind_open_elementwise(lua_State *L);
void bind_open_reduce(lua_State *L);
void bind_open_scan(lua_State *L);
void bind_open_sort(lua_State *L);
void bind_open_linalg(lua_State *L);
void bind_open_factor(lua_State *L);
void bind_open_index(lua_State *L);
void bind_open_generator(lua_State *L);
void bind_open_random(lua_State *L);
void bind_open_neural(lua_State *L);
void bind_open_rbm(lua_State *L);
void bind_open_autograd(lua_State *L);
void bind_open_files(lua_State *L);
void bind_open_data(lua_State *L);
void bind_open_image(lua_State *L);

int luaopen_wrun_core(lua_State *L);

#endif
