/*
 * tensor.h - a view of a storage
 *
 * A Tensor is the Lua object: storage, offset, shape, strides. A View is the same on the C stack,
 * as kernels take it: a data pointer with shape and strides in elements. Dimensions count from 0 in
 * C and from 1 in scripts; only the binding layer converts.
 */
#ifndef TENSOR_H
#define TENSOR_H

#include <string.h>

#include "tensor/dtype.h"
#include "tensor/storage.h"

enum { MAX_RANK = 32 };

typedef struct {
    DType dtype;
    int ndim;
    char *data;
    int64_t shape[MAX_RANK];
    int64_t stride[MAX_RANK];
} View;

/* what a userdata begins with if it is a tensor */
extern const char tensor_mark;

typedef struct {
    const char *mark;
    Storage *storage; /* at the end of this userdata, or kept alive by its first user value */
    int64_t offset;   /* in elements */
    int64_t numel;
    uint8_t dtype;
    uint8_t ndim;
    bool requires_grad : 1;
    bool is_parameter : 1;
    bool is_contiguous : 1;
    bool is_view : 1; /* made as another look at a tensor that may still be in use */
    bool hooked : 1;  /* a leaf: functions of the script want its gradient */
    int number;       /* of a leaf, in the walk backward that met it last */
    int64_t dims[];   /* shape[ndim], then stride[ndim] */
} Tensor;

static inline int64_t *tensor_shape(Tensor *t)
{
    return t->dims;
}

static inline int64_t *tensor_stride(Tensor *t)
{
    return t->dims + t->ndim;
}

static inline char *tensor_data(const Tensor *t)
{
    return t->storage->bytes + t->offset * dtype_size((DType)t->dtype);
}

static inline bool tensor_is_float(const Tensor *t)
{
    return dtype_is_float((DType)t->dtype);
}

static inline size_t tensor_userdata_size(int ndim)
{
    return sizeof(Tensor) + 2 * (size_t)ndim * sizeof(int64_t);
}

/* Is the storage at the end of the tensor's own userdata? */
static inline bool tensor_holds_storage(const Tensor *t)
{
    return (const char *)t->storage == (const char *)t + tensor_userdata_size(t->ndim);
}

void tensor_view(Tensor *t, View *out);

/* numel = product of shape[ndim]; refuses negative sizes and what does not fit an address space */
Reason shape_count(int ndim, const int64_t *shape, int64_t *numel);
/* without a call, since the compiler knows that they are few */
static inline void shape_copy(int ndim, int64_t *to, const int64_t *from)
{
    if (ndim < 0 || ndim > MAX_RANK)
        __builtin_unreachable();
    memcpy(to, from, (size_t)ndim * sizeof *to);
}

/* a loop, since a call of memcmp takes longer than the few sizes there are */
static inline bool shape_equal(int na, const int64_t *a, int nb, const int64_t *b)
{
    bool equal = na == nb;
    for (int d = 0; equal && d < na; d++)
        equal = a[d] == b[d];
    return equal;
}

/* Are they of one type and shape? */
static inline bool tensor_is_like(const Tensor *t, const Tensor *other)
{
    return t->dtype == other->dtype && shape_equal(t->ndim, t->dims, other->ndim, other->dims);
}

/* strides of a row-major block of this shape */
void shape_strides(int ndim, const int64_t *shape, int64_t *stride);
bool shape_is_contiguous(int ndim, const int64_t *shape, const int64_t *stride);

/* a row-major block seen along one of its dimensions, as [outer, n, inner] */
typedef struct {
    int64_t outer, n, inner;
} Along;

/* a number without dimensions has outer = n = inner = 1 */
Along shape_along(int ndim, const int64_t *shape, int dimension);

/* shape[ndim] = what a[na] and b[nb] broadcast to; the output may be one of the inputs */
Reason shape_broadcast(int na, const int64_t *a, int nb, const int64_t *b, int *ndim,
                       int64_t *shape);

/* v seen with shape[ndim] by repeating (stride 0); v must broadcast to it */
void view_expand(View *v, int ndim, const int64_t *shape);

int64_t view_numel(const View *v);
void view_swap(View *v, int a, int b);
/* v at index i of dimension d, which goes */
void view_select(View *v, int d, int64_t i);
/* takes out dimension d */
void view_drop(View *v, int d);

/*
 * Strides that show v with shape[ndim] without copying (out->data as v->data).
 * Refuses when the elements do not lie so; numel must agree.
 */
Reason view_reshape(const View *v, int ndim, const int64_t *shape, View *out);

#endif
