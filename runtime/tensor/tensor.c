/*
 * tensor.c - shapes, strides, broadcasting; see tensor.h
 */
#include <string.h>

#include "tensor/tensor.h"

const char tensor_mark;

void tensor_view(Tensor *t, View *out)
{
    out->dtype = (DType)t->dtype;
    out->ndim = t->ndim;
    out->data = tensor_data(t);
    shape_copy(t->ndim, out->shape, tensor_shape(t));
    shape_copy(t->ndim, out->stride, tensor_stride(t));
}

Reason shape_count(int ndim, const int64_t *shape, int64_t *numel)
{
    int64_t count = 1;
    bool empty = false;
    for (int d = 0; d < ndim; d++) {
        if (shape[d] < 0)
            return "a size is negative";
        /* an empty tensor has no elements, but the other sizes must make sense all the same */
        empty |= shape[d] == 0;
        if (!size_multiply(count, size_max(shape[d], 1), &count) || count > INT64_MAX / 64)
            return "the sizes overflow";
    }
    *numel = empty ? 0 : count;
    return NULL;
}

void shape_strides(int ndim, const int64_t *shape, int64_t *stride)
{
    int64_t step = 1;
    for (int d = ndim - 1; d >= 0; d--) {
        stride[d] = step;
        step *= size_max(shape[d], 1);
    }
}

bool shape_is_contiguous(int ndim, const int64_t *shape, const int64_t *stride)
{
    int64_t step = 1;
    bool contiguous = true;
    for (int d = ndim - 1; d >= 0; d--) {
        if (shape[d] == 0)
            return true;
        if (shape[d] != 1) {
            contiguous &= stride[d] == step;
            step *= shape[d];
        }
    }
    return contiguous;
}

/* the size of a shape's dimension i from the end; 1 before its first */
static int64_t size_from_end(int ndim, const int64_t *shape, int i)
{
    return i <= ndim ? shape[ndim - i] : 1;
}

Along shape_along(int ndim, const int64_t *shape, int dimension)
{
    Along along = {1, 1, 1};
    for (int d = 0; d < ndim; d++) {
        int64_t *part = d < dimension ? &along.outer : d == dimension ? &along.n : &along.inner;
        *part *= shape[d];
    }
    return along;
}

Reason shape_broadcast(int na, const int64_t *a, int nb, const int64_t *b, int *ndim,
                       int64_t *shape)
{
    int n = na > nb ? na : nb;
    for (int i = 1; i <= n; i++) {
        int64_t sa = size_from_end(na, a, i), sb = size_from_end(nb, b, i);
        if (sa != sb && sa != 1 && sb != 1)
            return "the shapes do not broadcast";
    }
    /* from the last dimension, so that what an input still has to say is never overwritten */
    for (int i = 1; i <= n; i++) {
        int64_t sa = size_from_end(na, a, i), sb = size_from_end(nb, b, i);
        shape[n - i] = sa == 1 ? sb : sa;
    }
    *ndim = n;
    return NULL;
}

void view_expand(View *v, int ndim, const int64_t *shape)
{
    int lead = ndim - v->ndim;
    for (int d = ndim - 1; d >= 0; d--) {
        bool repeats = d < lead || (v->shape[d - lead] == 1 && shape[d] != 1);
        v->stride[d] = repeats ? 0 : v->stride[d - lead];
        v->shape[d] = shape[d];
    }
    v->ndim = ndim;
}

int64_t view_numel(const View *v)
{
    int64_t count = 1;
    for (int d = 0; d < v->ndim; d++)
        count *= v->shape[d];
    return count;
}

void view_swap(View *v, int a, int b)
{
    int64_t shape = v->shape[a], stride = v->stride[a];
    v->shape[a] = v->shape[b];
    v->stride[a] = v->stride[b];
    v->shape[b] = shape;
    v->stride[b] = stride;
}

void view_drop(View *v, int d)
{
    v->ndim--;
    for (; d < v->ndim; d++) {
        v->shape[d] = v->shape[d + 1];
        v->stride[d] = v->stride[d + 1];
    }
}

void view_select(View *v, int d, int64_t i)
{
    v->data += i * v->stride[d] * dtype_size(v->dtype);
    view_drop(v, d);
}

/* out shows v's elements with this shape */
static void set_view(View *out, const View *v, int ndim, const int64_t *shape,
                     const int64_t *stride)
{
    out->dtype = v->dtype;
    out->ndim = ndim;
    out->data = v->data;
    memmove(out->shape, shape, (size_t)ndim * sizeof *shape);
    shape_copy(ndim, out->stride, stride);
}

Reason view_reshape(const View *v, int ndim, const int64_t *shape, View *out)
{
    int64_t stride[MAX_RANK];
    if (shape_equal(ndim, shape, v->ndim, v->shape)) {
        set_view(out, v, ndim, shape, v->stride);
        return NULL;
    }
    if (view_numel(v) == 0) {
        shape_strides(ndim, shape, stride);
        set_view(out, v, ndim, shape, stride);
        return NULL;
    }
    /*
     * Walk both shapes from the end. A run of v's dimensions that lie one inside the other is a
     * chunk of `available` elements a fixed step apart; the result's dimensions are cut from it
     * until it is used up.
     */
    int from = v->ndim - 1, to = ndim - 1;
    while (from >= 0 || to >= 0) {
        while (from >= 0 && v->shape[from] == 1)
            from--;
        int64_t step = from >= 0 ? v->stride[from] : 1;
        int64_t available = from >= 0 ? v->shape[from] : 1;
        int64_t next = step * available;
        for (from--; from >= 0 && (v->shape[from] == 1 || v->stride[from] == next); from--)
            if (v->shape[from] != 1) {
                available *= v->shape[from];
                next *= v->shape[from];
            }
        while (to >= 0 && (available > 1 || shape[to] == 1)) {
            if (available % shape[to] != 0)
                return "the elements do not lie in that order";
            stride[to] = step;
            step *= shape[to];
            available /= shape[to];
            to--;
        }
        if (available > 1)
            return "the elements do not lie in that order";
        if (from < 0)
            break;
    }
    set_view(out, v, ndim, shape, stride);
    return NULL;
}
