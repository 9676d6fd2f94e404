/*
 * sort.h - putting lines of elements in order, and finding indices in them
 *
 * Everything goes by keys: unsigned numbers that order as the elements do. NaN is the largest and
 * equal to itself, -0 equals 0. Equal elements keep their order (so the first indices win), also in
 * descending order. Each line is sorted by one thread, so threads do not change the result.
 */
#ifndef SORT_H
#define SORT_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

typedef struct {
    DType dtype;
    Along along; /* of x */
    bool descending;
    int64_t take;     /* how many of the first in order are wanted, 0 to n */
    bool only_last;   /* of these the last alone; take >= 1 */
    const void *x;    /* [outer, n, inner], contiguous */
    void *y;          /* [outer, take or 1, inner] */
    int64_t *indices; /* the same; from 1 */
    void *scratch;    /* sort_scratch_size bytes */
} Sort;

size_t sort_scratch_size(const Sort *sort);
void sort_run(Pool *pool, const Sort *sort);

/*
 * For each value the index from 1 to n + 1 where it would be put into the ascending sequence of its
 * row: before all equals or, with `after`, behind them. values[rows, m]; sequences[rows, n], or one
 * sequence[n] for all rows where `shared`.
 */
typedef struct {
    DType dtype;
    int64_t rows, n, m;
    bool shared, after;
    const void *sequence, *values;
    int64_t *indices;
} Search;

void sort_search(Pool *pool, const Search *search);

#endif
