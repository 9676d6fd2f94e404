/*
 * neural.c - fused kernels of networks: softmax and losses; see neural.h
 *
 * One function for each float type, read through each_float.h.
 */
#include <string.h>

#include "kernels/neural.h"
#include "kernels/reduce.h"
#include "kernels/special_float.h"
#include "kernels/vector_math.h"

#include <tgmath.h>

enum {
    LANES = 16,
    WIDE_LANES = 64,
    CHUNK = 256,  /* elements of a row at a time; a multiple of LANES */
    STRIP = 64,   /* rows, or columns side by side, that a thread takes at a time */
    NARROW = 32,  /* elements of rows that are worth turning, */
    FEW_ROWS = 8, /* unless there are fewer */
};

typedef struct {
    Along along;
    const void *x, *g;
    void *y; /* the result, or with g the gradient of what x is the result of */
    bool g_repeats, logarithm;
} Softmax;

#define KERNELS "kernels/neural_kernels.h"
#include "kernels/each_float.h"

static void softmax(Pool *pool, DType dtype, Softmax s)
{
    int64_t strips = size_pieces(s.along.inner, STRIP);
    pool_run(pool, dtype == FLOAT32 ? softmax_piece_f32 : softmax_piece_f64, &s,
             s.along.inner == 1 ? size_pieces(s.along.outer, STRIP) : s.along.outer * strips);
}

void neural_softmax(Pool *pool, DType dtype, Along along, const void *x, void *y, bool logarithm)
{
    softmax(pool, dtype, (Softmax){along, x, NULL, y, false, logarithm});
}

void neural_softmax_gradient(Pool *pool, DType dtype, Along along, const void *y, const void *g,
                             bool g_repeats, void *dx, bool logarithm)
{
    softmax(pool, dtype, (Softmax){along, y, g, dx, g_repeats, logarithm});
}

void neural_cross_entropy(Pool *pool, DType dtype, const CrossEntropy *c)
{
    CrossEntropy copy = *c;
    PoolTask *rows = c->g == NULL
                         ? dtype == FLOAT32 ? cross_entropy_rows_f32 : cross_entropy_rows_f64
                     : dtype == FLOAT32 ? cross_entropy_gradient_rows_f32
                                        : cross_entropy_gradient_rows_f64;
    pool_run(pool, rows, &copy, size_pieces(c->rows, STRIP));
}
