/*
 * linalg.h - products
 *
 * A large product is cut into tiles of rows and columns, never along the summed dimension. A tile is
 * taken by product.h, whose bits depend on no cut, or by OpenBLAS on one thread, whose tiles depend
 * on the sizes alone.
 */
#ifndef LINALG_H
#define LINALG_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

/* OpenBLAS as it is loaded and reserved, all zero before; see openblas.h */
typedef struct OpenBlas OpenBlas;
size_t linalg_blas_size(void);

/*
 * Loads OpenBLAS, which takes a work area for each thread that calls it, keeps it, and where there is
 * no memory for one tries for ever. So this is called before what computes with it: it makes sure of
 * an area for each usable thread, limits the pool to fewer where that takes most of the memory there
 * is, and refuses where there is none for one.
 */
Reason linalg_reserve(OpenBlas *blas, Pool *pool);

/* "OpenBLAS 0.3.21, core Haswell, pthreads", the library found, or why there is none */
void linalg_describe(char *text, size_t size);

/* Are products OpenBLAS's? Else `blas` may be NULL in what follows. */
bool linalg_needs_blas(void);

/*
 * c[batch..., m, n] = scale a[batch..., m, k] b[batch..., k, n] (+ c's old value if accumulate).
 * Same dtype for all, any strides; c is contiguous and aliases neither. One
 * stride of matrices of floats is 1, as linalg_is_ready tells; int64 is a plain loop, of scale 1.
 */
void linalg_matmul(const OpenBlas *blas, Pool *pool, double scale, const View *a, const View *b,
                   const View *c, bool accumulate);

/* Can the last two dimensions of v be read where they lie? If not, copy first. */
bool linalg_is_ready(const View *v);

/* y[m, n] = x[m, k] w[k, n] + bias[n], where that is not NULL: floats, y and bias contiguous */
void linalg_linear(const OpenBlas *blas, Pool *pool, const View *x, const View *w, const void *bias,
                   const View *y);

#endif
