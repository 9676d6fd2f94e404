/*
 * neural.c - fused kernels of networks: softmax and optimiser steps (layer 3); see neural.h
 *
 * One function for each float type, made by including neural_kernels.h twice.
 */
#include <string.h>

#include "neural.h"
#include "vector_math.h"

#include <tgmath.h>

enum {
    LANES = 16,
    CHUNK = 256,        /* elements of a row at a time; a multiple of LANES */
    ROWS = 64,          /* rows a thread takes at a time */
    ELEMENTS = 1 << 14, /* parameters a thread takes at a time */
};

typedef struct {
    int64_t rows, n;
    const void *x;
    void *y;
    bool logarithm;
} Softmax;

#define T float
#define NAME(x) x##_f32
#include "neural_kernels.h"
#undef T
#undef NAME

#define T double
#define NAME(x) x##_f64
#include "neural_kernels.h"

void neural_softmax(Pool *pool, DType dtype, int64_t rows, int64_t n, const void *x, void *y,
                    bool logarithm)
{
    Softmax s = {rows, n, x, y, logarithm};
    pool_run(pool, dtype == FLOAT32 ? softmax_rows_f32 : softmax_rows_f64, &s,
             size_pieces(rows, ROWS));
}

void neural_adam_step(Pool *pool, const AdamStep *adam)
{
    AdamStep step = *adam;
    pool_run(pool, adam->dtype == FLOAT32 ? adam_piece_f32 : adam_piece_f64, &step,
             size_pieces(adam->n, ELEMENTS));
}

void neural_sgd_step(Pool *pool, const SgdStep *sgd)
{
    SgdStep step = *sgd;
    pool_run(pool, sgd->dtype == FLOAT32 ? sgd_piece_f32 : sgd_piece_f64, &step,
             size_pieces(sgd->n, ELEMENTS));
}
