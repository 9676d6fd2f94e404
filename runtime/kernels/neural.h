/*
 * neural.h - fused kernels of networks: softmax, losses, standardisation
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

/*
 * y = (x - mean[b]) / sqrt(variance[b] + eps) weight + bias of x[a, b, c], contiguous floats; the mean
 * and the biased variance of each b are those over all a and c. Element i of x has the weight and the
 * bias of channel i / width % channels; either may be NULL. Not centred, the mean is 0, and the
 * variance the mean square; with `center`[b] that is the mean, and what is left is not divided. y may
 * be x. Within 4 units in the last place of the largest term.
 *
 * With g, the gradient of y: those of x and of the parameters, which may be NULL.
 */
typedef struct {
    int64_t a, b, c, width, channels;
    const void *x, *weight, *bias, *center;
    bool is_centered;
    double eps;
    void *y, *mean, *variance; /* the last two [b], or NULL */
    double *moments; /* [b, 3], written for the gradients, which find them again where it is NULL */
    const void *g;
    bool g_repeats; /* g is one value that all have */
    void *dx, *dweight, *dbias;
    double
        *sums; /* where dweight or dbias is wanted: neural_standardize_sums of them, which are 0 */
    int64_t together; /* neural_standardize's own */
} Standardize;

int64_t neural_standardize_sums(const Standardize *s);
void neural_standardize(Pool *pool, DType dtype, const Standardize *s);

#endif
