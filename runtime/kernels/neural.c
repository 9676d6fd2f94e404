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
    GROUP_LANES = 32,
    CHUNK = 256,      /* elements of a row at a time; a multiple of LANES */
    ROWS = 64,        /* rows a thread takes at a time */
    STRIP = 64,       /* columns, and groups to normalise, likewise */
    PIECE = 32768,    /* elements that are worth a thread's while */
    MOST_PIECES = 16, /* with sums of their own for each channel */
};

typedef struct {
    Along along;
    const void *x, *g;
    void *y; /* the result, or with g the gradient of what x is the result of */
    bool g_repeats, logarithm;
} Softmax;

/* A group whose squares are beyond these bounds is looked at in units, powers of two, in which its
 * distances and its scale are ordinary numbers of the type. */
#define MOST_SQUARE (sizeof(T) == sizeof(float) ? 0x1p120 : DBL_MAX)
#define LEAST_SQUARE (sizeof(T) == sizeof(float) ? 0x1p-80 : 0x1p-960)
#define UNIT (sizeof(T) == sizeof(float) ? 0x1p64 : 0x1p600)
#define MOST (sizeof(T) == sizeof(float) ? (double)FLT_MAX : DBL_MAX)

/* Is each group that of a channel, so that no two pieces add to the same sums? */
static bool channels_are_groups(const Standardize *s)
{
    return s->channels == s->b && s->width == s->c;
}

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
    pool_run(pool, rows, &copy, size_pieces(c->rows, ROWS));
}

/* how many groups are a piece of work */
static int64_t groups_together(const Standardize *s)
{
    int64_t together = size_max(PIECE / size_max(s->a * s->c, 1), 1);
    if (s->g != NULL && !channels_are_groups(s))
        together = size_max(together, size_pieces(s->b, MOST_PIECES));
    return s->c == 1 ? size_pieces(together, STRIP) * STRIP : together;
}

int64_t neural_standardize_sums(const Standardize *s)
{
    Standardize gradient = *s;
    gradient.g = s->x;
    int64_t pieces = channels_are_groups(s) ? 1 : size_pieces(s->b, groups_together(&gradient));
    return 2 * s->channels * size_max(pieces, 1);
}

void neural_standardize(Pool *pool, DType dtype, const Standardize *s)
{
    Standardize copy = *s;
    copy.together = groups_together(s);
    int64_t pieces = s->a > 0 && s->c > 0 ? size_pieces(s->b, copy.together) : 0;
    pool_run(pool, dtype == FLOAT32 ? standardize_piece_f32 : standardize_piece_f64, &copy, pieces);
    if (s->sums != NULL && dtype == FLOAT32)
        join_sums_f32(&copy, pieces);
    else if (s->sums != NULL)
        join_sums_f64(&copy, pieces);
}
