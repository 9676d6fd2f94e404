/*
 * bind_autograd.h - recording what was computed, and what may be changed in place
 */
#ifndef BIND_AUTOGRAD_H
#define BIND_AUTOGRAD_H

#include "bind/bind.h"

/* ---- changing in place ---- */
/*
 * Raises unless t may be overwritten: a leaf that requires a gradient may not be while gradients
 * are on, nor a tensor whose elements repeat.
 */
void bind_check_writable(lua_State *L, const char *f, int index, Tensor *t);

/* ---- recording ---- */
enum { NO_OP = -1 };
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
/* the same of the operation of this number in ops.def; tensor[i] is argument i + 1, NULL where that
 * is none, y the result */
void bind_record_elementwise(lua_State *L, int op, int count, Tensor *const *tensor, uint32_t saves,
                             Tensor *y, int result);
/* Raises when a recorded change in place of t would pass by a recorded view of it, or by the tensor
 * it is a view of. */
void bind_check_unshared(lua_State *L, const char *f, Tensor *t);

#endif
