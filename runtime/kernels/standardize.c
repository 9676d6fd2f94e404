/*
 * standardize.c - what norm layers have in common; see standardize.h
 *
 * One function for each float type, read through each_float.h.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "kernels/standardize.h"

enum {
    LANES = 16,
    GROUP_LANES = 32,
    CHUNK = 256,      /* elements at a time; a multiple of both */
    STRIP = 64,       /* groups, where they lie side by side */
    PIECE = 32768,    /* elements that are worth a thread's while */
    MOST_PIECES = 16, /* with sums of their own for each channel */
};

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

#define KERNELS "kernels/standardize_kernels.h"
#include "kernels/each_float.h"

/* how many groups are a piece of work */
static int64_t groups_together(const Standardize *s)
{
    int64_t together = size_max(PIECE / size_max(s->a * s->c, 1), 1);
    if (s->g != NULL && !channels_are_groups(s))
        together = size_max(together, size_pieces(s->b, MOST_PIECES));
    return s->c == 1 ? size_pieces(together, STRIP) * STRIP : together;
}

int64_t standardize_sums(const Standardize *s)
{
    Standardize gradient = *s;
    gradient.g = s->x;
    int64_t pieces = channels_are_groups(s) ? 1 : size_pieces(s->b, groups_together(&gradient));
    return 2 * s->channels * size_max(pieces, 1);
}

void standardize_run(Pool *pool, DType dtype, const Standardize *s)
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
