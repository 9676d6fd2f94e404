/*
 * reduce.c - many elements to one; see reduce.h
 *
 * Long rows are cut into blocks whose results are combined in order, and so are columns where there
 * are too few to share out; several rows, or strips of columns, are shared out whole. The cuts depend
 * on the sizes alone, and so does the order of the additions.
 */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <string.h>

#include "kernels/reduce.h"

enum {
    LANES = 32,            /* running sums */
    WIDE_BYTES = 256,      /* of running extremes: four of the widest vectors */
    STRETCH = 512,         /* elements of a row among which an index is looked for */
    BLOCK = REDUCE_BLOCK,  /* elements summed in one go */
    COLUMNS = 1024,        /* neighbouring columns, the width of a strip, */
    INDEXED_COLUMNS = 128, /* where indices are looked for too */
    NARROW = 64,           /* columns so few that several rows are taken for one */
    PIECE = 16384,         /* elements that are worth a thread's while, */
    LARGE_PIECE = 65536,   /* and worth a result of their own that has to be combined */
    MOST_BLOCKS = 16,
};

#define HUGE_UNIT 0x1p64 /* more than elements can be */

static bool is_one_row(const Reduce *r)
{
    return r->along.outer == 1 && r->along.inner == 1;
}

static bool is_float_product(const Reduce *r)
{
    return r->kind == REDUCE_PROD && dtype_is_float(r->dtype);
}

/* the mantissa of a factor, whose exponent is added; it has no such parts where it is 0, below the
 * normal numbers, infinite or NaN */
INLINED double take_parts(double factor, int64_t *exponent, uint64_t *has_none)
{
    uint64_t bits;
    memcpy(&bits, &factor, sizeof bits);
    uint64_t field = bits >> 52 & 2047;
    *has_none |= field - 1 > 2045;
    *exponent += (int64_t)field - 1023;
    bits = (bits & ~(UINT64_C(2047) << 52)) | UINT64_C(1023) << 52;
    memcpy(&factor, &bits, sizeof bits);
    return factor;
}

/* how x[outer, n, inner] is cut where inner > 1: strips of columns, and of each blocks of rows; and
 * how many of all these blocks a piece of work has */
typedef struct {
    int64_t strips, blocks, rows, together;
} Cut;

static Cut cut_columns(const Reduce *r)
{
    const Along *along = &r->along;
    int64_t size = along->n * along->inner;
    Cut cut = {.strips = size_pieces(along->inner, COLUMNS), .together = 1};
    int64_t lines = size_max(along->outer * cut.strips, 1);
    int64_t blocks = size_min(MOST_BLOCKS / lines, size * along->outer / LARGE_PIECE);
    cut.rows = size_max(size_pieces(along->n, size_max(blocks, 1)), 1);
    cut.blocks = size_max(size_pieces(along->n, cut.rows), 1);
    if (cut.strips * cut.blocks == 1)
        cut.together = size_max(PIECE / size_max(size, 1), 1);
    return cut;
}

/* how many rows a piece of work has where inner = 1 */
static int64_t rows_together(const Reduce *r)
{
    return size_max(PIECE / size_max(r->along.n, 1), 1);
}

static int64_t count_pieces(const Reduce *r)
{
    if (is_one_row(r) && !r->indices)
        return size_pieces(r->along.n, BLOCK);
    if (r->along.inner == 1)
        return size_pieces(r->along.outer, rows_together(r));
    if (r->indices)
        return r->along.outer * size_pieces(r->along.inner, INDEXED_COLUMNS);
    Cut cut = cut_columns(r);
    return size_pieces(r->along.outer * cut.strips * cut.blocks, cut.together);
}

#define KERNELS "kernels/reduce_kernels.h"
#include "kernels/each_dtype.h"

double reduce_block_sum(DType dtype, const void *x, int64_t n)
{
    return dtype == FLOAT32 ? block_sum_f32(x, n) : block_sum_f64(x, n);
}

double reduce_block_max(DType dtype, const void *x, int64_t n)
{
    return dtype == FLOAT32 ? block_max_f32(x, n) : block_max_f64(x, n);
}

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
    int64_t values = size_pieces(size_max(r->along.n, 1), BLOCK) * (is_float_product(r) ? 2 : 1);
    if (r->along.inner > 1)
        values = r->along.outer * cut_columns(r).blocks * r->along.inner;
    return (size_t)values * sizeof(double);
}

void reduce_run(Pool *pool, const Reduce *r)
{
    static void (*const kernels[DTYPE_COUNT])(Pool *, const Reduce *) = {
        [BOOL] = reduce_u8,   [UINT8] = reduce_u8,    [INT32] = reduce_i32,
        [INT64] = reduce_i64, [FLOAT32] = reduce_f32, [FLOAT64] = reduce_f64,
    };
    kernels[r->dtype](pool, r);
}
