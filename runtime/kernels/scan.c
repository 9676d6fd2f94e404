/*
 * scan.c - running sums, products and extremes along a dimension; see scan.h
 */
#include <math.h>

#include "kernels/scan.h"

enum {
    COLUMNS = 64, /* neighbouring lines walked side by side, */
    LINES = 8,    /* where lines are rows, so that no sum waits for the one before */
    MANY = 8 * LINES,
    STRETCH = 32,   /* elements of a row that are asked at once whether one is the extreme */
    ELEMENTS = 8192 /* how many a thread takes at a time, at least */
};

/* how many strips of lines make a piece of work */
static int64_t lines_together(const Scan *s)
{
    int64_t elements = s->along.n * size_min(COLUMNS, s->along.inner);
    bool are_many_rows = s->along.inner == 1 && s->along.outer >= MANY;
    return size_max(are_many_rows ? LINES : 1, ELEMENTS / size_max(1, elements));
}

/* from one element of a line to the next */
static inline int64_t stride(const Scan *s)
{
    return s->reverse ? -s->along.inner : s->along.inner;
}

#define KERNELS "kernels/scan_kernels.h"
#include "kernels/each_dtype.h"

void scan_run(Pool *pool, const Scan *s)
{
    static PoolTask *const kernels[DTYPE_COUNT] = {
        [BOOL] = scan_u8,   [UINT8] = scan_u8,    [INT32] = scan_i32,
        [INT64] = scan_i64, [FLOAT32] = scan_f32, [FLOAT64] = scan_f64,
    };
    int64_t strips = s->along.outer * size_pieces(s->along.inner, COLUMNS);
    pool_run(pool, kernels[s->dtype], (void *)(uintptr_t)s, size_pieces(strips, lines_together(s)));
}
