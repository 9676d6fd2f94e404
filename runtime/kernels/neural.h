/*
 * neural.h - fused kernels of networks: softmax and losses
 *
 * Each does in one pass over memory what tensor operations would do in many.
 */
#ifndef NEURAL_H
#define NEURAL_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

/*
 * y = softmax of x[outer, n, inner] along n, or its logarithm; floats, contiguous, y is not x:
 * exp(x - max) / sum exp(x - max). n >= 1. And from that y and its gradient g the gradient of x;
 * where inner = 1, g may be one row that all have.
 */
void neural_softmax(Pool *pool, DType dtype, Along along, const void *x, void *y, bool logarithm);
void neural_softmax_gradient(Pool *pool, DType dtype, Along along, const void *y, const void *g,
                             bool g_repeats, void *dx, bool logarithm);

/*
 * losses[rows] = -sum t log softmax of each row of x[rows, n]; and from g[rows], their gradient, that
 * of x. Floats, contiguous, no output is an input. t is given as targets[rows, n], or as a class of
 * each row, 1..n, of which `smoothing` goes to all classes alike.
 */
typedef struct {
    int64_t rows, n;
    const void *x;
    const int64_t *classes;
    const void *targets; /* or NULL, as below */
    double smoothing;
    const void *g;
    void *y; /* losses, or with g the gradient of x */
} CrossEntropy;

void neural_cross_entropy(Pool *pool, DType dtype, const CrossEntropy *c);

#endif
