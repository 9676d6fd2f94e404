/*
 * neural.c - fused kernels of networks: softmax, losses, standardisation; see neural.h
 *
 * One function for each float type, read through each_float.h.
 */
#include <float.h>
#include <string.h>

#include "kernels/neural.h"
#include "kernels/vector_math.h"

#include <tgmath.h>

enum {
    LANES = 16,
    WIDE_LANES = 64,
    CHUNK = 256, /* elements of a row at a time; a multiple of LANES */
    ROWS = 64,   /* rows a thread takes at a time */
    STRIP = 64,  /* columns, and groups to standardise, likewise */
};

typedef struct {
    Along along;
    const void *x, *g;
    void *y; /* the result, or with g the gradient of what x is the result of */
    bool logarithm;
} Softmax;

typedef struct {
    int64_t a, b, c;
    const void *x, *g;
    void *y, *mean, *variance; /* with g, y is the gradient of x, and there are no others */
    double eps;
} Standardize;

/* A smaller variance has lost digits: it is a sum of subnormal squares. */
#define LEAST_SQUARE 0x1p-960

/* the mean and the scale are of x times unit, a power of two that keeps squares in range */
typedef struct {
    double n, unit[STRIP], mean[STRIP], variance[STRIP], scale[STRIP];
} Moments;

#define KERNELS "kernels/neural_kernels.h"
#include "kernels/each_float.h"

static void softmax(Pool *pool, DType dtype, Softmax s)
{
    int64_t strips = size_pieces(s.along.inner, STRIP);
    pool_run(pool, dtype == FLOAT32 ? softmax_piece_f32 : softmax_piece_f64, &s,
             s.along.inner == 1 ? size_pieces(s.along.outer, ROWS) : s.along.outer * strips);
}

void neural_softmax(Pool *pool, DType dtype, Along along, const void *x, void *y, bool logarithm)
{
    softmax(pool, dtype, (Softmax){along, x, NULL, y, logarithm});
}

void neural_softmax_gradient(Pool *pool, DType dtype, Along along, const void *y, const void *g,
                             void *dx, bool logarithm)
{
    softmax(pool, dtype, (Softmax){along, y, g, dx, logarithm});
}

void neural_cross_entropy(Pool *pool, DType dtype, const CrossEntropy *c)
{
    CrossEntropy copy = *c;
    PoolTask *rows = c->g == NULL
                         ? dtype == FLOAT32 ? cross_entropy_rows_f32 : cross_entropy_rows_f64
                     : dtype == FLOAT32 ? cross_entropy_gradient_rows_f32
                                        : cross_entropy_gradient_rows_f64;
    pool_run(pool, rows, &copy, size_pieces(c->rows, ROWS));
}

static void standardize(Pool *pool, DType dtype, const Standardize *s)
{
    Standardize copy = *s;
    if (s->a > 0 && s->c > 0)
        pool_run(pool, dtype == FLOAT32 ? standardize_piece_f32 : standardize_piece_f64, &copy,
                 size_pieces(s->b, STRIP));
}

void neural_standardize(Pool *pool, DType dtype, const int64_t shape[3], double eps, const void *x,
                        void *y, void *mean, void *variance)
{
    standardize(pool, dtype,
                &(Standardize){shape[0], shape[1], shape[2], x, NULL, y, mean, variance, eps});
}

void neural_standardize_gradient(Pool *pool, DType dtype, const int64_t shape[3], double eps,
                                 const void *x, const void *g, void *dx)
{
    standardize(pool, dtype,
                &(Standardize){shape[0], shape[1], shape[2], x, g, dx, NULL, NULL, eps});
}
