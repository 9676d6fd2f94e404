/*
 * standardize.h - what norm layers have in common, in one pass over memory, and all its gradients
 */
#ifndef STANDARDIZE_H
#define STANDARDIZE_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

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
    double *sums;     /* where dweight or dbias is wanted: standardize_sums of them, which are 0 */
    int64_t together; /* standardize_run's own */
} Standardize;

int64_t standardize_sums(const Standardize *s);
void standardize_run(Pool *pool, DType dtype, const Standardize *s);

#endif
