/*
 * reduce.c - many elements to one; see reduce.h
 *
 * Long rows are cut into blocks whose results are combined in order; several rows, or several
 * columns, are shared out whole. Both cuts give the same additions in the same order.
 */
#include <limits.h>
#include <math.h>

#include "kernels/reduce.h"

enum {
    LANES = 16,
    WIDE_LANES = 64,
    STRETCH = 512, /* elements of a row among which an index is looked for */
    BLOCK = 8192,  /* elements summed in one go */
    COLUMNS = 128, /* neighbouring columns summed in one go */
    OUTPUTS = 16,  /* rows a thread takes at a time */
};

#define HUGE_UNIT 0x1p64 /* more than elements can be */

static bool is_one_row(const Reduce *r)
{
    return r->along.outer == 1 && r->along.inner == 1;
}

static int64_t count_pieces(const Reduce *r)
{
    if (r->indices)
        return size_pieces(r->along.outer * r->along.inner, OUTPUTS);
    if (is_one_row(r))
        return size_pieces(r->along.n, BLOCK);
    return r->along.inner == 1 ? size_pieces(r->along.outer, OUTPUTS)
                               : r->along.outer * size_pieces(r->along.inner, COLUMNS);
}

#define KERNELS "kernels/reduce_kernels.h"
#include "kernels/each_dtype.h"

DType reduce_result_type(Reduction kind, DType dtype)
{
    switch (kind) {
    case REDUCE_ANY:
    case REDUCE_ALL:
        return BOOL;
    case REDUCE_SUM:
    case REDUCE_PROD:
        return dtype_is_float(dtype) ? dtype : INT64;
    default:
        return dtype;
    }
}

size_t reduce_scratch_size(const Reduce *r)
{
    return (size_t)size_pieces(size_max(r->along.n, 1), BLOCK) * sizeof(double);
}

void reduce_run(Pool *pool, const Reduce *r)
{
    static void (*const kernels[DTYPE_COUNT])(Pool *, const Reduce *) = {
        [BOOL] = reduce_u8,   [UINT8] = reduce_u8,    [INT32] = reduce_i32,
        [INT64] = reduce_i64, [FLOAT32] = reduce_f32, [FLOAT64] = reduce_f64,
    };
    kernels[r->dtype](pool, r);
}
