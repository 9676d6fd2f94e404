/*
 * scan_kernels.h - the kernels of scan.c for one element type; read through each_dtype.h
 *
 * A strip is up to COLUMNS neighbouring lines, walked side by side. Each walk below takes the index
 * `at` where the strip's first elements begin, and the width of the strip.
 */

INLINED void NAME(walk_sum)(const Scan *s, int64_t at, int64_t width, A *carry)
{
    const int64_t n = s->along.n, by = stride(s);
    const T *x = s->x;
    T *y = s->y;
    for (int64_t step = 0; step < n; step++, at += by)
        for (int64_t j = at; j < at + width; j++)
            y[j] = (T)(carry[j - at] += (A)x[j]);
}

INLINED void NAME(walk_prod)(const Scan *s, int64_t at, int64_t width, A *carry)
{
    const int64_t n = s->along.n, by = stride(s);
    const T *x = s->x;
    T *y = s->y;
    for (int64_t step = 0; step < n; step++, at += by)
        for (int64_t j = at; j < at + width; j++)
            y[j] = (T)(carry[j - at] *= (A)x[j]);
}

INLINED void NAME(walk_recurrence)(const Scan *s, int64_t at, int64_t width, A *carry)
{
    const int64_t n = s->along.n, by = stride(s);
    const T *x = s->x, *a = s->a;
    T *y = s->y;
    for (int64_t step = 0; step < n; step++, at += by)
        for (int64_t j = at; j < at + width; j++)
            y[j] = (T)(carry[j - at] = (A)a[j] * carry[j - at] + (A)x[j]);
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

/* by the constants that the compiler makes other code of */
static void NAME(walk_extremes)(const Scan *s, int64_t at, int64_t width)
{
    if (s->kind == SCAN_MAX && width == 1)
        NAME(walk_extreme)(s, at, 1, true);
    else if (s->kind == SCAN_MAX)
        NAME(walk_extreme)(s, at, width, true);
    else if (width == 1)
        NAME(walk_extreme)(s, at, 1, false);
    else
        NAME(walk_extreme)(s, at, width, false);
}

/* The constant width of a single line lets the compiler carry its sum in a register. */
VECTORISED static void NAME(walk_line)(const Scan *s, int64_t at)
{
    A carry = s->kind == SCAN_PROD;
    if (s->kind == SCAN_SUM)
        NAME(walk_sum)(s, at, 1, &carry);
    else if (s->kind == SCAN_PROD)
        NAME(walk_prod)(s, at, 1, &carry);
    else
        NAME(walk_recurrence)(s, at, 1, &carry);
}

VECTORISED static void NAME(walk_strip)(const Scan *s, int64_t at, int64_t width)
{
    A carry[COLUMNS];
    for (int64_t j = 0; j < width; j++)
        carry[j] = s->kind == SCAN_PROD;
    if (s->kind == SCAN_SUM)
        NAME(walk_sum)(s, at, width, carry);
    else if (s->kind == SCAN_PROD)
        NAME(walk_prod)(s, at, width, carry);
    else
        NAME(walk_recurrence)(s, at, width, carry);
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

static void NAME(scan)(void *context, int64_t piece)
{
    const Scan *s = context;
    int64_t inner = s->along.inner, strips = size_pieces(inner, COLUMNS);
    int64_t group = lines_together(s),
            last = size_min((piece + 1) * group, s->along.outer * strips);
    for (int64_t line = piece * group; line < last; line++) {
        int64_t first = line % strips * COLUMNS;
        NAME(strip)(s, line / strips, first, size_min(COLUMNS, inner - first));
    }
}
