/*
 * scan.h - running sums, products and extremes along a dimension
 *
 * Blocks are contiguous and seen as [outer, n, inner]. Each of the outer * inner lines is walked by
 * one thread from its first element to its last (or back), so threads do not change a bit. Sums and
 * products of floats are carried in double and rounded where they are stored.
 */
#ifndef SCAN_H
#define SCAN_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

typedef enum {
    SCAN_SUM,        /* y[i] = y[i-1] + x[i]; float32, float64, int64 */
    SCAN_PROD,       /* y[i] = y[i-1] x[i]; the same types */
    SCAN_RECURRENCE, /* y[i] = a[i] y[i-1] + x[i], y before the first = 0; floats */
    SCAN_LOGSUMEXP,  /* y[i] = log(exp y[i-1] + exp x[i]); floats */
    SCAN_MAX,        /* the largest so far and its index; NaN is larger than all, the last of */
    SCAN_MIN,        /* equals wins; SCAN_MIN: NaN is smaller than all; any type */
} ScanKind;

typedef struct {
    ScanKind kind;
    DType dtype; /* of x, a and y */
    Along along;
    bool reverse; /* from the last element to the first; not for SCAN_MAX and SCAN_MIN */
    const void *x;
    const void *a;    /* SCAN_RECURRENCE only */
    void *y;          /* may be x */
    int64_t *indices; /* SCAN_MAX and SCAN_MIN: from 1 */
} Scan;

void scan_run(Pool *pool, const Scan *scan);

#endif
