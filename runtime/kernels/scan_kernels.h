/*
 * scan_kernels.h - the kernels of scan.c for one element type; read through each_dtype.h
 *
 * A strip is up to COLUMNS lines, walked side by side. Each walk below takes the index `at` where the
 * strip's first line begins, the width of the strip, and how far its lines lie apart.
 */

INLINED void NAME(walk_sum)(const Scan *s, int64_t at, int64_t width, int64_t apart, A *carry)
{
    const int64_t n = s->along.n, by = stride(s);
    const T *x = (const T *)s->x + at;
    T *y = (T *)s->y + at;
    for (int64_t step = 0; step < n; step++, x += by, y += by)
        for (int64_t j = 0; j < width; j++)
            y[j * apart] = (T)(carry[j] += (A)x[j * apart]);
}

INLINED void NAME(walk_prod)(const Scan *s, int64_t at, int64_t width, int64_t apart, A *carry)
{
    const int64_t n = s->along.n, by = stride(s);
    const T *x = (const T *)s->x + at;
    T *y = (T *)s->y + at;
    for (int64_t step = 0; step < n; step++, x += by, y += by)
        for (int64_t j = 0; j < width; j++)
            y[j * apart] = (T)(carry[j] *= (A)x[j * apart]);
}

INLINED void NAME(walk_recurrence)(const Scan *s, int64_t at, int64_t width, int64_t apart,
                                   A *carry)
{
    const int64_t n = s->along.n, by = stride(s);
    const T *x = (const T *)s->x + at, *a = (const T *)s->a + at;
    T *y = (T *)s->y + at;
    for (int64_t step = 0; step < n; step++, x += by, a += by, y += by)
        for (int64_t j = 0; j < width; j++)
            y[j * apart] = (T)(carry[j] = (A)a[j * apart] * carry[j] + (A)x[j * apart]);
}

INLINED void NAME(walk)(const Scan *s, int64_t at, int64_t width, int64_t apart)
{
    A carry[COLUMNS];
    for (int64_t j = 0; j < width; j++)
        carry[j] = s->kind == SCAN_PROD;
    if (s->kind == SCAN_SUM)
        NAME(walk_sum)(s, at, width, apart, carry);
    else if (s->kind == SCAN_PROD)
        NAME(walk_prod)(s, at, width, apart, carry);
    else
        NAME(walk_recurrence)(s, at, width, apart, carry);
}

/* The constant width of a line, or of LINES, lets the compiler carry their sums in registers. */
VECTORISED static void NAME(walk_line)(const Scan *s, int64_t at)
{
    NAME(walk)(s, at, 1, 0);
}

VECTORISED static void NAME(walk_lines)(const Scan *s, int64_t at)
{
    NAME(walk)(s, at, LINES, s->along.n);
}

VECTORISED static void NAME(walk_strip)(const Scan *s, int64_t at, int64_t width)
{
    NAME(walk)(s, at, width, 1);
}

/* carries log sum exp as most + log(sum of exp(x - most)), most the largest x so far */
static void NAME(walk_logsumexp)(const Scan *s, int64_t at, int64_t width)
{
    A most[COLUMNS], sum[COLUMNS] = {0};
    for (int64_t j = 0; j < width; j++)
        most[j] = LEAST;
    for (int64_t step = 0; step < s->along.n; step++, at += stride(s))
        for (int64_t j = 0; j < width; j++) {
            A x = (A)((const T *)s->x)[at + j];
            if (IS_NAN(x) || IS_NAN(most[j])) {
                most[j] += x;
            } else if (x > most[j]) {
                sum[j] = sum[j] * (A)exp((double)(most[j] - x)) + 1;
                most[j] = x;
            } else if (x == most[j]) { /* of -inf after nothing but -inf the difference is NaN */
                sum[j] += !isinf((double)x) || x > 0;
            } else {
                sum[j] += (A)exp((double)(x - most[j]));
            }
            ((T *)s->y)[at + j] = (T)(most[j] + (A)log((double)sum[j]));
        }
}

INLINED void NAME(walk_extreme)(const Scan *s, int64_t at, int64_t width, bool largest)
{
    const T *x = s->x;
    T *y = s->y;
    int64_t *indices = s->indices;
    const int64_t n = s->along.n, by = stride(s);
    T best[COLUMNS];
    int64_t index[COLUMNS];
    for (int64_t j = 0; j < width && n > 0; j++) {
        best[j] = x[at + j];
        index[j] = 1;
    }
    for (int64_t i = 1; i <= n; i++, at += by)
        for (int64_t j = 0; j < width; j++) {
            T next = x[at + j];
            bool wins = largest ? next >= best[j] : next <= best[j];
            if (__builtin_expect(wins || IS_NAN(next), 0)) { /* a branch breaks the chain */
                best[j] = next;
                index[j] = i;
            }
            y[at + j] = best[j];
            indices[at + j] = index[j];
        }
}

/* the same for one line of elements side by side: of STRETCH among which none wins, all have the
 * extreme before them */
INLINED void NAME(walk_extreme_row)(const Scan *s, int64_t at, bool largest)
{
    const T *x = (const T *)s->x + at;
    T *y = (T *)s->y + at, best = s->along.n > 0 ? x[0] : 0;
    int64_t *indices = s->indices + at, index = 1, i = 0;
    const int64_t n = s->along.n;
    while (i < n) {
        int is_won = n - i < STRETCH;
        for (int k = 0; k < STRETCH && n - i >= STRETCH; k++)
            is_won |= (largest ? x[i + k] >= best : x[i + k] <= best) | IS_NAN(x[i + k]);
        for (int k = 0; k < STRETCH && !is_won; k++) {
            y[i + k] = best;
            indices[i + k] = index;
        }
        int64_t last = size_min(i + STRETCH, n);
        for (; i < last && is_won; i++) {
            bool wins = (largest ? x[i] >= best : x[i] <= best) | IS_NAN(x[i]);
            best = wins ? x[i] : best;
            index += (i + 1 - index) & -(int64_t)wins; /* no branch: ties come as they like */
            y[i] = best;
            indices[i] = index;
        }
        i = last;
    }
}

VECTORISED static void NAME(walk_largest)(const Scan *s, int64_t at)
{
    NAME(walk_extreme_row)(s, at, true);
}

VECTORISED static void NAME(walk_smallest)(const Scan *s, int64_t at)
{
    NAME(walk_extreme_row)(s, at, false);
}

/* by the constants that the compiler makes other code of */
static void NAME(walk_extremes)(const Scan *s, int64_t at, int64_t width)
{
    if (s->kind == SCAN_MAX && s->along.inner == 1)
        NAME(walk_largest)(s, at);
    else if (s->kind == SCAN_MAX)
        NAME(walk_extreme)(s, at, width, true);
    else if (s->along.inner == 1)
        NAME(walk_smallest)(s, at);
    else
        NAME(walk_extreme)(s, at, width, false);
}

static void NAME(strip)(const Scan *s, int64_t o, int64_t first, int64_t width)
{
    int64_t start = s->reverse ? s->along.n - 1 : 0;
    int64_t at = (o * s->along.n + start) * s->along.inner + first;
    if (s->kind == SCAN_LOGSUMEXP)
        NAME(walk_logsumexp)(s, at, width);
    else if (s->kind == SCAN_MAX || s->kind == SCAN_MIN)
        NAME(walk_extremes)(s, at, width);
    else if (width == 1)
        NAME(walk_line)(s, at);
    else
        NAME(walk_strip)(s, at, width);
}

/* Are so many whole rows that begin with `row` walked side by side? */
static bool NAME(lines)(const Scan *s, int64_t row)
{
    if (s->kind == SCAN_LOGSUMEXP || s->kind == SCAN_MAX || s->kind == SCAN_MIN)
        return false;
    NAME(walk_lines)(s, row * s->along.n + (s->reverse ? s->along.n - 1 : 0));
    return true;
}

static void NAME(scan)(void *context, int64_t piece)
{
    const Scan *s = context;
    int64_t inner = s->along.inner, strips = size_pieces(inner, COLUMNS);
    int64_t group = lines_together(s),
            last = size_min((piece + 1) * group, s->along.outer * strips);
    for (int64_t line = piece * group; line < last; line++) {
        int64_t first = line % strips * COLUMNS;
        if (inner == 1 && last - line >= LINES && NAME(lines)(s, line))
            line += LINES - 1;
        else
            NAME(strip)(s, line / strips, first, size_min(COLUMNS, inner - first));
    }
}
