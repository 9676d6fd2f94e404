/*
 * neural_kernels.h - the kernels of neural.c for one float type; read through each_float.h
 */

/* e[i] = exp(x[i] - shift); e may be x. Every element goes through whole vectors, wherever it
 * stands. */
VECTORISED static void NAME(shifted_exp)(int64_t n, const T *x, T shift, T *e)
{
    int64_t whole = n - n % LANES, rest = n - whole;
    _Pragma("GCC ivdep") for (int64_t i = 0; i < whole; i++) e[i] = special_exp_of(x[i] - shift);
    if (rest > 0) {
        T padded[LANES] = {0};
        memcpy(padded, x + whole, (size_t)rest * sizeof(T));
        for (int i = 0; i < LANES; i++)
            padded[i] = special_exp_of(padded[i] - shift);
        memcpy(e + whole, padded, (size_t)rest * sizeof(T));
    }
}

/* the larger of two, or the NaN among them */
static inline T NAME(larger)(T most, T x)
{
    T larger = x > most ? x : most;
    return x != x ? x : larger;
}

#include "kernels/sum_kernels.h"

/* the limit where elements are +infinity: they share alike */
static double NAME(share_at_infinity)(const T *x, int64_t n, int64_t step)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += x[i * step] == (T)INFINITY;
    return 1 / (double)count;
}

static void NAME(softmax_at_infinity)(const T *x, T *y, int64_t n, int64_t step, bool logarithm)
{
    double share = NAME(share_at_infinity)(x, n, step);
    T own = (T)(logarithm ? log(share) : share), other = logarithm ? -(T)INFINITY : 0;
    for (int64_t i = 0; i < n; i++)
        y[i * step] = x[i * step] == (T)INFINITY ? own : other;
}

/* the sum of exp(x[i] - most), whose terms y gets unless it is NULL */
static double NAME(exp_sum)(const T *x, T *y, int64_t n, T most)
{
    T chunk[CHUNK], *e = chunk;
    double sum = 0;
    for (int64_t first = 0; first < n; first += CHUNK) {
        int64_t width = size_min(CHUNK, n - first);
        fetch_ahead(x, n + first, sizeof(T)); /* the next row */
        if (y != NULL) {
            e = y + first;
            fetch_ahead(e, n, sizeof(T));
        }
        NAME(shifted_exp)(width, x + first, most, e);
        sum += NAME(chunk_sum)(e, width);
    }
    return sum;
}

/* not for the vectors of columns side by side, whose results shall be those of rows */
__attribute__((noinline)) static double NAME(logarithm_of)(double sum)
{
    return log(sum);
}

/* exp_sum of width <= STRIP columns side by side, x[n, step], and their largest; each adds in the
 * order of a row */
VECTORISED static void NAME(exp_sum_columns)(const T *x, T *y, int64_t n, int64_t step,
                                             int64_t width, T *most, double *sum)
{
    T e[STRIP] = {0}, shift[STRIP] = {0};
    int64_t whole = size_pieces(width, LANES) * LANES;
    memcpy(most, x, (size_t)width * sizeof(T));
    for (int64_t i = 1; i < n; i++)
        for (int64_t j = 0; j < width; j++)
            most[j] = NAME(larger)(most[j], x[i * step + j]);
    memcpy(shift, most, (size_t)width * sizeof(T));
    memset(sum, 0, (size_t)width * sizeof *sum);
    for (int64_t first = 0; first < n; first += CHUNK) {
        double lane[LANES][STRIP] = {{0}};
        int64_t last = size_min(first + CHUNK, n);
        for (int64_t i = first; i < last; i++) {
            memcpy(e, x + i * step, (size_t)width * sizeof(T));
            for (int64_t j = 0; j < whole; j++)
                e[j] = special_exp_of(e[j] - shift[j]);
            for (int j = 0; j < STRIP; j++)
                lane[i % LANES][j] += (double)e[j];
            if (y != NULL)
                memcpy(y + i * step, e, (size_t)width * sizeof(T));
        }
        double chunk[STRIP] = {0};
        for (int l = 0; l < LANES; l++)
            for (int j = 0; j < STRIP; j++)
                chunk[j] += lane[l][j];
        for (int64_t j = 0; j < width; j++)
            sum[j] += chunk[j];
    }
}

/* the same of narrow rows, x[rows, n], which are turned to lie side by side */
static void NAME(exp_sum_narrow)(const T *x, T *y, int64_t n, int64_t rows, T *most, double *sum)
{
    T turned[NARROW][STRIP], e[NARROW][STRIP];
    for (int64_t i = 0; i < n; i++)
        for (int64_t row = 0; row < rows; row++)
            turned[i][row] = x[row * n + i];
    NAME(exp_sum_columns)(turned[0], y != NULL ? e[0] : NULL, n, STRIP, rows, most, sum);
    for (int64_t row = 0; row < rows && y != NULL; row++)
        for (int64_t i = 0; i < n; i++)
            y[row * n + i] = e[i][row];
}

/* the same of at most STRIP rows */
static void NAME(exp_sum_rows)(const T *x, T *y, int64_t n, int64_t rows, T *most, double *sum)
{
    if (n <= NARROW && rows >= FEW_ROWS) {
        NAME(exp_sum_narrow)(x, y, n, rows, most, sum);
        return;
    }
    for (int64_t row = 0; row < rows; row++) {
        most[row] =
            (T)reduce_block_max(sizeof(T) == sizeof(float) ? FLOAT32 : FLOAT64, x + row * n, n);
        sum[row] = NAME(exp_sum)(x + row * n, y != NULL ? y + row * n : NULL, n, most[row]);
    }
}

VECTORISED static void NAME(softmax_rows)(const T *x, T *y, int64_t n, int64_t rows, bool logarithm)
{
    T most[STRIP];
    double sum[STRIP];
    NAME(exp_sum_rows)(x, logarithm ? NULL : y, n, rows, most, sum);
    for (int64_t row = 0; row < rows; row++, x += n, y += n) {
        T shift = (T)(logarithm ? NAME(logarithm_of)(sum[row]) : 1 / sum[row]);
        if (most[row] == (T)INFINITY)
            NAME(softmax_at_infinity)(x, y, n, 1, logarithm);
        else
            for (int64_t i = 0; i < n; i++)
                y[i] = logarithm ? x[i] - most[row] - shift : y[i] * shift;
    }
}

/* the same for width <= STRIP columns side by side */
VECTORISED static void NAME(softmax_columns)(const T *x, T *y, int64_t n, int64_t step,
                                             int64_t width, bool logarithm)
{
    T most[STRIP], shift[STRIP];
    double sum[STRIP];
    NAME(exp_sum_columns)(x, logarithm ? NULL : y, n, step, width, most, sum);
    for (int64_t j = 0; j < width; j++)
        shift[j] = (T)(logarithm ? NAME(logarithm_of)(sum[j]) : 1 / sum[j]);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < width; j++) {
            int64_t at = i * step + j;
            y[at] = logarithm ? x[at] - most[j] - shift[j] : y[at] * shift[j];
        }
    for (int64_t j = 0; j < width; j++)
        if (most[j] == (T)INFINITY)
            NAME(softmax_at_infinity)(x + j, y + j, n, step, logarithm);
}

/* dx = y (g - sum(g y)), or g - exp(y) sum(g), in the steps of the tensor operations */
VECTORISED static void NAME(softmax_gradient_row)(const T *y, const T *g, T *dx, int64_t n,
                                                  bool logarithm)
{
    double lane[WIDE_LANES] = {0}, sum = 0;
    int64_t whole = n - n % WIDE_LANES;
    for (int64_t i = 0; i < whole; i += WIDE_LANES)
        for (int l = 0; l < WIDE_LANES; l++)
            lane[l] += (double)(logarithm ? g[i + l] : g[i + l] * y[i + l]);
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] += (double)(logarithm ? g[i] : g[i] * y[i]);
    for (int l = 0; l < WIDE_LANES; l++)
        sum += lane[l];
    T common = (T)sum;
    if (logarithm)
        NAME(shifted_exp)(n, y, 0, dx);
    for (int64_t i = 0; i < n; i++)
        dx[i] = logarithm ? g[i] - dx[i] * common : y[i] * (g[i] - common);
}

/* the same for width <= STRIP columns side by side */
VECTORISED static void NAME(softmax_gradient_columns)(const T *y, const T *g, T *dx, int64_t n,
                                                      int64_t step, int64_t width, bool logarithm)
{
    double sum[STRIP] = {0};
    T common[STRIP];
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < width; j++) {
            int64_t at = i * step + j;
            sum[j] += (double)(logarithm ? g[at] : g[at] * y[at]);
        }
    for (int64_t j = 0; j < width; j++)
        common[j] = (T)sum[j];
    for (int64_t i = 0; i < n; i++) {
        const T *gi = g + i * step, *yi = y + i * step;
        T *dxi = dx + i * step;
        if (logarithm)
            NAME(shifted_exp)(width, yi, 0, dxi);
        for (int64_t j = 0; j < width; j++)
            dxi[j] = logarithm ? gi[j] - dxi[j] * common[j] : yi[j] * (gi[j] - common[j]);
    }
}

/* rows, or a strip of columns */
static void NAME(softmax_piece)(void *context, int64_t piece)
{
    const Softmax *s = context;
    const T *x = s->x, *g = s->g;
    T *y = s->y;
    int64_t n = s->along.n, inner = s->along.inner;
    if (inner == 1) {
        int64_t first = piece * STRIP, last = size_min(first + STRIP, s->along.outer);
        if (g == NULL)
            NAME(softmax_rows)(x + first * n, y + first * n, n, last - first, s->logarithm);
        for (int64_t at = first * n; at < last * n && g != NULL; at += n)
            NAME(softmax_gradient_row)(x + at, s->g_repeats ? g : g + at, y + at, n, s->logarithm);
        return;
    }
    int64_t strips = size_pieces(inner, STRIP), first = piece % strips * STRIP;
    int64_t at = piece / strips * n * inner + first, width = size_min(STRIP, inner - first);
    if (g != NULL)
        NAME(softmax_gradient_columns)(x + at, g + at, y + at, n, inner, width, s->logarithm);
    else
        NAME(softmax_columns)(x + at, y + at, n, inner, width, s->logarithm);
}

/* sum of t[i] (x[i] - most), and of t in *all. What t is 0 of counts nothing, though x be infinite. */
VECTORISED static double NAME(weighted_distance)(const T *x, const T *t, int64_t n, double most,
                                                 double *all)
{
    double lane[LANES] = {0}, weight[LANES] = {0}, sum = 0;
    int64_t whole = n - n % LANES;
    for (int64_t first = 0; first < whole; first += LANES)
        _Pragma("GCC unroll 1") for (int l = 0; l < LANES; l++)
        {
            lane[l] += (double)t[first + l] * ((double)x[first + l] - most);
            weight[l] += (double)t[first + l];
        }
    for (int64_t i = whole; i < n; i++) {
        lane[i - whole] += (double)t[i] * ((double)x[i] - most);
        weight[i - whole] += (double)t[i];
    }
    *all = 0;
    for (int l = 0; l < LANES; l++) {
        sum += lane[l];
        *all += weight[l];
    }
    if (isfinite(sum))
        return sum;
    sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += t[i] == 0 ? 0 : (double)t[i] * ((double)x[i] - most);
    return sum;
}

/* sum of x[i] - most */
VECTORISED static double NAME(sum_of_distances)(const T *x, int64_t n, double most)
{
    double lane[LANES] = {0}, sum = 0;
    int64_t whole = n - n % LANES;
    for (int64_t first = 0; first < whole; first += LANES)
        _Pragma("GCC unroll 1") for (int l = 0; l < LANES; l++) lane[l] +=
            (double)x[first + l] - most;
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] += (double)x[i] - most;
    for (int l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

/* the same of the logarithm of softmax where `most` is infinite */
static double NAME(weighted_at_infinity)(const T *x, const T *t, int64_t n)
{
    double own = log(NAME(share_at_infinity)(x, n, 1)), sum = 0;
    for (int64_t i = 0; i < n; i++) {
        double share = t != NULL ? (double)t[i] : 1;
        sum += share == 0 ? 0 : share * (x[i] == (T)INFINITY ? own : -HUGE_VAL);
    }
    return sum;
}

/* -sum t log softmax(x) of a row; or with a class, which counts from 1, that class's share of it and
 * the part that is shared among all */
static double NAME(row_cross_entropy)(const CrossEntropy *c, int64_t row, T most, double exp_sum)
{
    int64_t n = c->n;
    const T *x = (const T *)c->x + row * n, *t = c->targets;
    bool is_infinite = most == (T)INFINITY, is_shared = t != NULL || c->smoothing > 0;
    double shared = 0, all = (double)n, log_sum = is_infinite ? 0 : log(exp_sum);
    t = t != NULL ? t + row * n : NULL;
    if (is_shared && is_infinite) {
        shared = NAME(weighted_at_infinity)(x, t, n);
    } else if (is_shared) {
        shared = t != NULL ? NAME(weighted_distance)(x, t, n, (double)most, &all)
                           : NAME(sum_of_distances)(x, n, (double)most);
        shared -= all * log_sum;
    }
    if (t != NULL)
        return -shared;
    T own = x[c->classes[row] - 1];
    double log_p = (double)(own - most - (T)log_sum);
    if (is_infinite)
        log_p = own == most ? (double)(T)log(NAME(share_at_infinity)(x, n, 1)) : -HUGE_VAL;
    if (!is_shared)
        return -log_p;
    return c->smoothing == 1 ? -shared / (double)n
                             : -(1 - c->smoothing) * log_p - c->smoothing / (double)n * shared;
}

static void NAME(cross_entropy_rows)(void *context, int64_t piece)
{
    const CrossEntropy *c = context;
    int64_t first = piece * STRIP, rows = size_min(STRIP, c->rows - first);
    T most[STRIP], *y = (T *)c->y + first;
    double sum[STRIP];
    NAME(exp_sum_rows)((const T *)c->x + first * c->n, NULL, c->n, rows, most, sum);
    for (int64_t row = 0; row < rows; row++)
        y[row] = (T)NAME(row_cross_entropy)(c, first + row, most[row], sum[row]);
}

/* softmax becomes (softmax all - t) g; without t it is what all share */
VECTORISED static void NAME(cross_entropy_gradient_row)(T *y, const T *t, int64_t n, T g, T all,
                                                        T shared)
{
    if (t != NULL)
        for (int64_t i = 0; i < n; i++)
            y[i] = (y[i] * all - t[i]) * g;
    else
        for (int64_t i = 0; i < n; i++)
            y[i] = y[i] * g - shared;
}

static void NAME(cross_entropy_gradient_rows)(void *context, int64_t piece)
{
    const CrossEntropy *c = context;
    int64_t n = c->n, begin = piece * STRIP, last = size_min(begin + STRIP, c->rows);
    int64_t together = n > NARROW ? 1 : STRIP; /* rows, long ones while they are in the cache */
    for (int64_t first = begin; first < last; first += together) {
        int64_t rows = size_min(together, last - first);
        T *dx = (T *)c->y + first * n;
        NAME(softmax_rows)((const T *)c->x + first * n, dx, n, rows, true);
        NAME(shifted_exp)(rows * n, dx, 0, dx);
        for (int64_t row = first; row < first + rows; row++, dx += n) {
            const T *t = c->targets != NULL ? (const T *)c->targets + row * n : NULL;
            T g = ((const T *)c->g)[row], shared = (T)((double)g * c->smoothing / (double)n);
            double all = 0;
            for (int64_t i = 0; i < n && t != NULL; i += CHUNK)
                all += NAME(chunk_sum)(t + i, size_min(CHUNK, n - i));
            NAME(cross_entropy_gradient_row)(dx, t, n, g, (T)all, shared);
            if (t == NULL)
                dx[c->classes[row] - 1] -= (T)((double)g * (1 - c->smoothing));
        }
    }
}
