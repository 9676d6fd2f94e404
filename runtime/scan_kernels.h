/*
 * scan_kernels.h - the kernels of scan.c for one element type; included by scan.c for each
 *
 * Before the include: T is the element type, A the type sums are carried in, NAME(x) pastes the
 * suffix and IS_NAN(x) tells NaN from numbers. There is no guard: it is meant to be read several
 * times. A strip is up to COLUMNS neighbouring lines, walked side by side; `at` is where its
 * elements of the present step begin.
 */

VECTORISED static void NAME(step_sum)(const Scan *s, int64_t at, int64_t width, A *carry)
{
    const T *x = (const T *)s->x + at;
    T *y = (T *)s->y + at;
    for (int64_t j = 0; j < width; j++)
        y[j] = (T)(carry[j] += (A)x[j]);
}

VECTORISED static void NAME(step_prod)(const Scan *s, int64_t at, int64_t width, A *carry)
{
    const T *x = (const T *)s->x + at;
    T *y = (T *)s->y + at;
    for (int64_t j = 0; j < width; j++)
        y[j] = (T)(carry[j] *= (A)x[j]);
}

VECTORISED static void NAME(step_recurrence)(const Scan *s, int64_t at, int64_t width, A *carry)
{
    const T *x = (const T *)s->x + at, *a = (const T *)s->a + at;
    T *y = (T *)s->y + at;
    for (int64_t j = 0; j < width; j++) {
        carry[j] = (A)a[j] * carry[j] + (A)x[j];
        y[j] = (T)carry[j];
    }
}

/* carries log sum exp as most + log(sum of exp(x - most)), most the largest x so far */
static void NAME(step_logsumexp)(const Scan *s, int64_t at, int64_t width, A *most, A *sum)
{
    for (int64_t j = 0; j < width; j++) {
        A x = (A)((const T *)s->x)[at + j];
        if (IS_NAN(x) || IS_NAN(most[j])) {
            most[j] += x;
        } else if (x > most[j]) {
            sum[j] = sum[j] * (A)exp((double)(most[j] - x)) + 1;
            most[j] = x;
        } else if (x == most[j]) { /* -inf after nothing but -inf, whose difference is no number */
            sum[j] += !isinf((double)x) || x > 0;
        } else {
            sum[j] += (A)exp((double)(x - most[j]));
        }
        ((T *)s->y)[at + j] = (T)(most[j] + (A)log((double)sum[j]));
    }
}

static void NAME(step_extreme)(const Scan *s, int64_t at, int64_t width, int64_t i, T *best,
                               int64_t *place)
{
    for (int64_t j = 0; j < width; j++) {
        T x = ((const T *)s->x)[at + j];
        bool wins = s->kind == SCAN_MAX ? x >= best[j] : x <= best[j];
        if (place[j] == 0 || IS_NAN(x) || (wins && !IS_NAN(best[j]))) {
            best[j] = x;
            place[j] = i + 1;
        }
        ((T *)s->y)[at + j] = best[j];
        s->places[at + j] = place[j];
    }
}

static void NAME(strip)(const Scan *s, int64_t o, int64_t first, int64_t width)
{
    A carry[COLUMNS], sum[COLUMNS] = {0};
    T best[COLUMNS] = {0};
    int64_t place[COLUMNS] = {0};
    for (int64_t j = 0; j < width; j++)
        carry[j] = s->kind == SCAN_PROD ? 1 : s->kind == SCAN_LOGSUMEXP ? (A)LEAST : 0;
    for (int64_t step = 0; step < s->along.n; step++) {
        int64_t i = s->reverse ? s->along.n - 1 - step : step;
        int64_t at = (o * s->along.n + i) * s->along.inner + first;
        switch (s->kind) {
        case SCAN_SUM:
            NAME(step_sum)(s, at, width, carry);
            break;
        case SCAN_PROD:
            NAME(step_prod)(s, at, width, carry);
            break;
        case SCAN_RECURRENCE:
            NAME(step_recurrence)(s, at, width, carry);
            break;
        case SCAN_LOGSUMEXP:
            NAME(step_logsumexp)(s, at, width, carry, sum);
            break;
        default:
            NAME(step_extreme)(s, at, width, i, best, place);
            break;
        }
    }
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
