/*
 * reduce.h - many elements to one
 *
 * The input is contiguous and seen as x[outer, n, inner]; the result is y[outer, inner]. Sums and
 * products of floats are carried in double. The order of additions depends on the sizes alone, so
 * neither threads nor repetition change a bit.
 */
#ifndef REDUCE_H
#define REDUCE_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

typedef enum {
    REDUCE_SUM,
    REDUCE_MEAN,
    REDUCE_SQUARES, /* sum of (x - center)^2 / divisor, or the root of it; floats */
    REDUCE_PROD,
    REDUCE_ANY,
    REDUCE_ALL,
    REDUCE_MAX,
    REDUCE_MIN
} Reduction;

typedef struct {
    Reduction kind;
    DType dtype; /* of x */
    const void *x;
    Along along;
    void *y;   /* type reduce_result_type(kind, dtype); NULL where only indices are wanted */
    bool wide; /* REDUCE_MEAN: y is double, whatever the type of x */
    const double *center; /* REDUCE_SQUARES: one for each result */
    double divisor;
    bool root; /* REDUCE_SQUARES: taken in double, where the squares of a float neither overflow
                  nor vanish */
    int64_t *indices; /* REDUCE_MAX and REDUCE_MIN: indices from 1, or NULL */
    void *scratch;    /* reduce_scratch_size bytes */
} Reduce;

/* sums and products of bool and integers are int64;
 * any and all are bool; the rest keeps its type */
DType reduce_result_type(Reduction kind, DType dtype);

size_t reduce_scratch_size(const Reduce *reduce);

/* REDUCE_MAX and REDUCE_MIN need n >= 1;
 * NaN is larger and smaller than everything, the first index wins a tie */
void reduce_run(Pool *pool, const Reduce *reduce);

/* Of a row of floats these blocks are summed, and then their sums in order. */
enum { REDUCE_BLOCK = 8192 };
double reduce_block_sum(DType dtype, const void *x, int64_t n);
/* the largest of n >= 1 floats, or NaN where one is */
double reduce_block_max(DType dtype, const void *x, int64_t n);

#endif
