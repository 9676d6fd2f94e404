/*
 * index.h - picking and placing elements by their positions (layer 3)
 *
 * Blocks are contiguous and seen as x[outer, n, inner]; positions count from 1 and are in range,
 * which index_check tells beforehand.
 */
#ifndef INDEX_H
#define INDEX_H

#include "pool.h"
#include "tensor.h"

/* the place in positions[count] of the first one outside 1..n, or -1 */
int64_t index_check(const int64_t *positions, int64_t count, int64_t n);

typedef struct {
    DType dtype;
    int64_t outer, n, inner; /* of x */
    int64_t count;           /* positions along n */
    const int64_t *positions;
} Index;

/* y[outer, count, inner]: y[o, i, :] = x[o, positions[i], :] */
void index_select(Pool *pool, const Index *index, const void *x, void *y);
/* x[o, positions[i], :] += y[o, i, :], in the order of i; floats and int64 */
void index_select_add(const Index *index, void *x, const void *y);

/* positions[outer, count, inner], as y: y[o, i, j] = x[o, positions[o, i, j], j] */
void index_gather(const Index *index, const void *x, void *y);
/* x[o, positions[o, i, j], j] += y[o, i, j], in order; floats and int64 */
void index_gather_add(const Index *index, void *x, const void *y);

#endif
