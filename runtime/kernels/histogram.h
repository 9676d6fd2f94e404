/*
 * histogram.h - how many elements fall in each of some bins of one width
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

/*
 * y[bins] = how many of the contiguous floats x[n] are in each bin between low and high, numbers of
 * their type. Element x falls in bin (x - low) bins / (high - low), high itself in the last one;
 * what is outside, or NaN, in none.
 */
typedef struct {
    DType dtype; /* of x and y */
    int64_t n, bins;
    double low, high;
    const void *x;
    void *y;
    int64_t *counts; /* histogram_counts of them, which are 0 */
} Histogram;

int64_t histogram_counts(const Histogram *h);
void histogram_run(Pool *pool, const Histogram *h);

#endif
