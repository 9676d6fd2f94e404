/*
 * named_array.h - an array on its way into a file of several
 */
#ifndef NAMED_ARRAY_H
#define NAMED_ARRAY_H

#include "tensor/dtype.h"

typedef struct {
    const char *name;
    DType dtype;
    int ndim;
    const int64_t *shape;
    const void *elements; /* row by row */
    int64_t size;         /* in bytes */
} NamedArray;

#endif
