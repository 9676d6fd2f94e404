/*
 * reduce.c - many elements to one; see reduce.h
 *
 * Long rows are cut into blocks whose results are combined in order; several rows, or several
 * columns, are shared out whole. Both cuts give the same additions in the same order.
 */
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

static bool is_one_row(const Reduce *r)
{
    return r->outer == 1 && r->inner == 1;
}

static int64_t count_pieces(const Reduce *r)
{
    if (r->indices)
        return size_pieces(r->outer * r->inner, OUTPUTS);
    if (is_one_row(r))
        return size_pieces(r->n, BLOCK);
    return r->inner == 1 ? size_pieces(r->outer, OUTPUTS)
                         : r->outer * size_pieces(r->inner, COLUMNS);
}

#define IS_NAN(x) isnan(x)
#define LEAST -INFINITY
#define GREATEST INFINITY
#define T float
#define A double
#define NAME(x) x##_f32
#include "kernels/reduce_kernels.h"
#undef T
#undef NAME

#define T double
#define NAME(x) x##_f64
#include "kernels/reduce_kernels.h"
#undef T
#undef A
#undef NAME

#undef IS_NAN
#undef LEAST
#undef GREATEST
#define IS_NAN(x) false
#define LEAST INT64_MIN
#define GREATEST INT64_MAX
#define T int64_t
#define A int64_t
#define NAME(x) x##_i64
#include "kernels/reduce_kernels.h"
#undef T
#undef NAME

#undef LEAST
#undef GREATEST
#define LEAST INT32_MIN
#define GREATEST INT32_MAX
#define T int32_t
#define NAME(x) x##_i32
#include "kernels/reduce_kernels.h"
#undef T
#undef NAME

#undef LEAST
#undef GREATEST
#define LEAST 0
#define GREATEST UINT8_MAX
#define T uint8_t
#define NAME(x) x##_u8
#include "kernels/reduce_kernels.h"
#undef T
#undef A
#undef NAME

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
    return (size_t)size_pieces(size_max(r->n, 1), BLOCK) * sizeof(double);
}

void reduce_run(Pool *pool, const Reduce *r)
{
    switch (r->dtype) {
    case FLOAT32:
        reduce_f32(pool, r);
        break;
    case FLOAT64:
        reduce_f64(pool, r);
        break;
    case INT32:
        reduce_i32(pool, r);
        break;
    case INT64:
        reduce_i64(pool, r);
        break;
    default:
        reduce_u8(pool, r);
        break;
    }
}
