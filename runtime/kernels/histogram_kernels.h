/*
 * histogram_kernels.h - the kernels of histogram.c for one float type; read through each_float.h
 */

/* place[i], of which the whole part is the bin of x[i] from 0 on; -1 where it is in none */
VECTORISED static void NAME(find_bins)(const Histogram *h, const T *x, int64_t n, T *place)
{
    const T low = (T)h->low, high = (T)h->high, width = high - low, bins = (T)h->bins;
    for (int64_t i = 0; i < n; i++) {
        T bin = (x[i] - low) * bins / width;
        bin = bin > 0 ? bin : 0; /* of an empty width it is NaN */
        bin = bin < (T)FARTHEST ? bin : (T)FARTHEST;
        place[i] = (x[i] >= low) & (x[i] <= high) ? bin : -1;
    }
}

static void NAME(count_piece)(void *context, int64_t piece)
{
    const Histogram *h = context;
    int64_t width = piece_width(h), begin = piece * width, end = size_min(begin + width, h->n);
    int64_t *counts = h->counts + piece * ways(h) * (h->bins + 1) + 1, last = h->bins - 1;
    int64_t step = ways(h) > 1 ? h->bins + 1 : 0;
    T place[CHUNK];
    for (int64_t i = begin; i < end; i += CHUNK) {
        int64_t n = size_min(CHUNK, end - i);
        NAME(find_bins)(h, (const T *)h->x + i, n, place);
        for (int64_t k = n; k < size_pieces(n, APART) * APART; k++)
            place[k] = -1;
        for (int64_t k = 0; k < n; k += APART)
            for (int l = 0; l < APART; l++)
                counts[l * step + size_min((int64_t)place[k + l], last)]++;
    }
}

static void NAME(join_counts)(const Histogram *h, int64_t pieces)
{
    for (int64_t bin = 0; bin < h->bins; bin++) {
        int64_t count = 0;
        for (int64_t i = 0; i < pieces * ways(h); i++)
            count += h->counts[i * (h->bins + 1) + 1 + bin];
        ((T *)h->y)[bin] = (T)count;
    }
}
