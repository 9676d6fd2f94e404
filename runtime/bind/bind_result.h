/*
 * bind_result.h - new tensors for results, and what is written into one that is there
 */
#ifndef BIND_RESULT_H
#define BIND_RESULT_H

#include "bind/bind.h"
#include "kernels/elementwise.h"

/* pushes a new tensor with bytes of its own, not yet filled;
 * raises when the size overflows or memory is out */
Tensor *bind_new_tensor(lua_State *L, const char *f, DType dtype, int ndim, const int64_t *shape);
/* the same with the type and shape of another */
Tensor *bind_new_like(lua_State *L, const char *f, Tensor *other);
/* pushes a contiguous copy of v, converted */
Tensor *bind_new_copy(lua_State *L, const char *f, const View *v, DType dtype);
/* pushes a tensor that shows the storage of the tensor at `index`; a View of that one that was taken
 * before may show bytes that it no longer has */
Tensor *bind_new_view(lua_State *L, int index, const View *view);
/* gives the tensor at `to` the storage of that at `from`, which may have to move for it */
void bind_share_storage(lua_State *L, int to, int from);
/* pushes the sum of t over the dimensions d where reduced[d], which stay with size 1 if `keep` */
void bind_push_sum(lua_State *L, const char *f, Tensor *t, const bool *reduced, bool keep);
/* OpenBLAS, with the memory that it works in made sure of */
const OpenBlas *bind_blas(lua_State *L, const char *f);
/* pushes the list {2, 3}, of RUNTIME_SIZE_TYPE or RUNTIME_STRIDE_TYPE */
void bind_push_sizes(lua_State *L, int type, int n, const int64_t *sizes);
/* the storage of the tensor at `index` is about to change */
void bind_touch(Tensor *t);

/*
 * What the tensor or number at `index` writes to `target`, which it must broadcast to. If it shares
 * memory with the tensor at index 1, a copy of it (pushed).
 */
void bind_source(lua_State *L, const char *f, int index, const View *target, Operand *out);

/*
 * The collector starts again once garbage has reached a tenth of what is in use (with the bytes
 * that are coming), or 8 MB where that is more: large blocks of garbage must not wait until the
 * heap has doubled, and a small heap is not walked again and again. Where it is generational, it
 * looks at what is young after 8 MB, which costs little beside any heap and lets results follow one
 * another in the same few blocks while the processor's cache has them; at twice the tenth it looks
 * at everything. After a large result, and every so many small ones; where much has gone since the
 * last time, it looks at once.
 */
void bind_set_collector_pace(lua_State *L, int64_t coming);
/* Has the collector, where it is generational and runs, take note of so many kilobytes to come, and
 * look for dead tensors among the young ones when it is time; of 0, at once. */
void bind_collect_young(lua_State *L, int64_t kilobytes);

#endif
