/*
 * index.h - picking and placing elements by their indices
 *
 * Indices count from 1 and are in range, which index_check tells beforehand. Where an index
 * stands twice, the writes follow one another in the order of the indices.
 */
#ifndef INDEX_H
#define INDEX_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

/* the index, from 0, of the first of indices[count] outside 1..n, or -1 */
int64_t index_check(Pool *pool, const int64_t *indices, int64_t count, int64_t n);

/* what happens to the element that is there */
typedef enum { WRITE_COPY, WRITE_ADD, WRITE_MULTIPLY, WRITE_MAXIMUM, WRITE_MINIMUM } Write;

/* whole rows of a contiguous block, seen as x[outer, n, inner] */
typedef struct {
    DType dtype;
    Along along;   /* of x */
    int64_t count; /* indices along n */
    const int64_t *indices;
    bool is_filled; /* what is written is one element for all */
} Rows;

/* y[outer, count, inner]: y[o, i, :] = x[o, indices[i], :] */
void index_select(Pool *pool, const Rows *rows, const void *x, void *y);
/* the same of bytes, which become numbers from 0 to 1 on the way */
void index_scale(Pool *pool, const Rows *rows, const uint8_t *x, float *y);
/* writes y[o, i, :] to x[o, indices[i], :]; copies or adds */
void index_write(Pool *pool, const Rows *rows, Write write, void *x, const void *y);

/*
 * Single elements: indices[shape] and y[shape] are contiguous, x lies with strides. Element
 * [i, j, k] of y belongs to x[i, indices[i, j, k], k] where the dimension is the second.
 */
typedef struct {
    DType dtype;
    int ndim, dimension;
    int64_t shape[MAX_RANK];
    int64_t stride[MAX_RANK]; /* of x, in elements */
    const int64_t *indices;
    bool is_filled; /* what is written is one element for all */
} Elements;

void index_gather(Pool *pool, const Elements *elements, const void *x, void *y);
void index_scatter(Pool *pool, const Elements *elements, Write write, void *x, const void *y);

enum { MASK_PIECES = 64 };

/* mask[n], and of each of its pieces how many true elements lie before it, which index_count tells */
typedef struct {
    const uint8_t *mask;
    int64_t n, starts[MASK_PIECES + 1];
} Mask;

/* how many of the elements are true */
int64_t index_count(Pool *pool, Mask *mask);
/* out[count, ndim]: where in the contiguous mask[shape] the true elements lie, counted from 1 */
void index_nonzero(Pool *pool, const Mask *mask, int ndim, const int64_t *shape, int64_t *out);
/* y[count]: the elements of the contiguous x[n] where the mask is true */
void index_pick(Pool *pool, const Mask *mask, DType dtype, const void *x, void *y);

#endif
