/*
 * bind_join.c - tensors put together
 */
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/elementwise.h"

/* cat(dim, a, b, ...): the tensors one after the other along dim */
static int core_cat(lua_State *L)
{
    static const char f[] = "cat";
    int count = lua_gettop(L) - 1;
    Tensor *first = bind_tensor(L, f, 2);
    int dimension = bind_dimension(L, f, 1, first->ndim);
    if (first->ndim == 0)
        bind_fail(L, "cat: argument 1: expected tensors with dimensions, got numbers; use stack");
    DType dtype = (DType)first->dtype;
    int64_t shape[MAX_RANK];
    memcpy(shape, tensor_shape(first), first->ndim * sizeof *shape);
    for (int i = 2; i <= count; i++) {
        Tensor *t = bind_tensor(L, f, i + 1);
        bool fits = t->ndim == first->ndim;
        for (int d = 0; fits && d < t->ndim; d++)
            fits = d == dimension || t->dims[d] == shape[d];
        if (!fits) {
            const char *wanted = bind_shape_text(L, first->ndim, first->dims);
            bind_fail(L, "cat: tensor %d: expected the shape %s but for dimension %d, got %s", i,
                      wanted, dimension + 1, bind_shape_text(L, t->ndim, t->dims));
        }
        dtype = dtype_promote(dtype, (DType)t->dtype);
        if (__builtin_add_overflow(shape[dimension], t->dims[dimension], &shape[dimension]))
            bind_fail(L, "cat: the sizes overflow");
    }
    View out;
    tensor_view(bind_new_tensor(L, f, dtype, first->ndim, shape), &out);
    for (int i = 1; i <= count; i++) {
        Operand in = {.is_scalar = false};
        tensor_view(lua_touserdata(L, i + 1), &in.view);
        View part = out;
        part.shape[dimension] = in.view.shape[dimension];
        elementwise_copy(bind_pool(L), &part, &in);
        out.data += part.shape[dimension] * out.stride[dimension] * dtype_size(dtype);
    }
    return 1;
}

static const luaL_Reg join_functions[] = {
    {"cat", core_cat},
    {NULL, NULL},
};

void bind_open_join(lua_State *L)
{
    bind_register_unrecorded(L, join_functions);
}
