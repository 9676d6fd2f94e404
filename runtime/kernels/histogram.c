/*
 * histogram.c - how many elements fall in each of some bins of one width; see histogram.h
 *
 * Each piece counts by itself, neighbours apart, so that those of one bin do not wait for each other,
 * and the elements in no bin too, in a place before the first. One function for each float type, read
 * through each_float.h.
 */
#include "kernels/histogram.h"

enum {
    CHUNK = 1024,     /* elements whose bins are found in one go, */
    APART = 4,        /* of which so many neighbours are counted apart */
    PIECE = 32768,    /* elements that are worth a thread's while */
    MOST_PIECES = 16, /* with counts of their own */
};

#define FARTHEST 0x1p62 /* bins that are counted */

static int64_t piece_width(const Histogram *h)
{
    return size_max(size_pieces(h->n, MOST_PIECES), size_max(PIECE, h->bins));
}

/* how many counts of its own a piece has for each bin */
static int64_t ways(const Histogram *h)
{
    return h->bins > PIECE ? 1 : APART;
}

#define KERNELS "kernels/histogram_kernels.h"
#include "kernels/each_float.h"

int64_t histogram_counts(const Histogram *h)
{
    return size_pieces(h->n, piece_width(h)) * ways(h) * (h->bins + 1);
}

void histogram_run(Pool *pool, const Histogram *h)
{
    int64_t pieces = size_pieces(h->n, piece_width(h));
    bool is_single = h->dtype == FLOAT32;
    pool_run(pool, is_single ? count_piece_f32 : count_piece_f64, (void *)(uintptr_t)h, pieces);
    (is_single ? join_counts_f32 : join_counts_f64)(h, pieces);
}
