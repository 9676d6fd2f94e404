/*
 * convert.h - moving elements between types and strides
 */
#ifndef CONVERT_H
#define CONVERT_H

#include "tensor/dtype.h"

/*
 * to[i * to_step] = from[i * from_step] for i in 0..n-1, converted as C does (to bool: nonzero;
 * float to integer: towards zero). Steps are in elements; from_step 0 repeats one element. The
 * blocks do not overlap.
 */
void convert_elements(int64_t n, DType to_type, void *to, int64_t to_step, DType from_type,
                      const void *from, int64_t from_step);

/* to[i * to_step + j] = from[j * from_step + i] for i in 0..rows-1, j in 0..columns-1, of elements
 * of 4 or 8 bytes */
void transpose_elements(int64_t size, int64_t rows, int64_t columns, void *to, int64_t to_step,
                        const void *from, int64_t from_step);

#endif
