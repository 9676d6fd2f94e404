/*
 * product.h - products of matrices, in the same bits on every x86-64-v3 processor
 *
 * An element's sum over k is taken in blocks of 256. A block begins with 0 and adds its products in
 * order, each with one rounding; scale times its sum is added, again with one rounding, to what the
 * element holds. No vector width, tile or thread changes that.
 */
#ifndef PRODUCT_H
#define PRODUCT_H

#include "tensor/tensor.h"

/* c[m, n] = start + scale a[m, k] b[k, n], where start is c, a row that all begin with, or NULL for
 * 0; elements of a row of c lie side by side, as do those of a row or a column of a and of b. */
typedef struct {
    const void *a, *b, *start;
    void *c;
    int64_t m, n, k;
    int64_t a_row, a_column, b_row, b_column; /* steps to the next row and column, one of them 1 */
    int64_t start_row, c_row;                 /* the former 0, but where start is c */
    double scale;
} MatrixProduct;

/* where portable_products */
void product_run(DType dtype, const MatrixProduct *p);

#endif
