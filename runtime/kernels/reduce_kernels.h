/*
 * reduce_kernels.h - the kernels of reduce.c for one element type; read through each_dtype.h
 */

/* the sum of x[0..n-1], n <= BLOCK: LANES running sums, added up in order */
VECTORISED static A NAME(block_sum)(const T *x, int64_t n)
{
    A lane[LANES] = {0};
    int64_t whole = n - n % LANES;
    for (int64_t i = 0; i < whole; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += (A)x[i + j];
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] += (A)x[i];
    A sum = 0;
    for (int j = 0; j < LANES; j++)
        sum += lane[j];
    return sum;
}

/* the same of (x - center)^2 */
VECTORISED static A NAME(block_squares)(const T *x, int64_t n, A center)
{
    A lane[LANES] = {0};
    int64_t whole = n - n % LANES;
    for (int64_t i = 0; i < whole; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += ((A)x[i + j] - center) * ((A)x[i + j] - center);
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] += ((A)x[i] - center) * ((A)x[i] - center);
    A sum = 0;
    for (int j = 0; j < LANES; j++)
        sum += lane[j];
    return sum;
}

/* the product, likewise */
VECTORISED static A NAME(block_prod)(const T *x, int64_t n)
{
    A lane[LANES], product = 1;
    int64_t whole = n - n % LANES;
    for (int j = 0; j < LANES; j++)
        lane[j] = 1;
    for (int64_t i = 0; i < whole; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] *= (A)x[i + j];
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] *= (A)x[i];
    for (int j = 0; j < LANES; j++)
        product *= lane[j];
    return product;
}

static A NAME(block_any)(const T *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (x[i] != 0)
            return 1;
    return 0;
}

static A NAME(block_all)(const T *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (x[i] == 0)
            return 0;
    return 1;
}

/* the larger or smaller of two, or the NaN among them */
static inline T NAME(winner)(T best, T x, bool largest)
{
    T winner = (largest ? x > best : x < best) ? x : best;
    return IS_NAN(x) ? x : winner;
}

/* the largest or smallest of x[0..n-1]: so many running ones that the compiler makes vectors */
static inline A NAME(block_extreme)(const T *x, int64_t n, bool largest)
{
    T lane[WIDE_LANES], best = largest ? LEAST : GREATEST;
    int64_t whole = n - n % WIDE_LANES;
    if (whole > 0) {
        for (int j = 0; j < WIDE_LANES; j++)
            lane[j] = x[j];
        for (int64_t i = WIDE_LANES; i < whole; i += WIDE_LANES)
            for (int j = 0; j < WIDE_LANES; j++)
                lane[j] = NAME(winner)(lane[j], x[i + j], largest);
        for (int half = WIDE_LANES / 2; half > 0; half /= 2)
            for (int j = 0; j < half; j++)
                lane[j] = NAME(winner)(lane[j], lane[half + j], largest);
        best = lane[0];
    }
    for (int64_t i = whole; i < n; i++)
        best = NAME(winner)(best, x[i], largest);
    return (A)best;
}

VECTORISED static A NAME(block_max)(const T *x, int64_t n)
{
    return NAME(block_extreme)(x, n, true);
}

VECTORISED static A NAME(block_min)(const T *x, int64_t n)
{
    return NAME(block_extreme)(x, n, false);
}

/* x[0..n-1], a part of what gives the result at `at` */
static A NAME(block)(const Reduce *r, int64_t at, const T *x, int64_t n)
{
    switch (r->kind) {
    case REDUCE_SQUARES:
        return NAME(block_squares)(x, n, (A)r->center[at]);
    case REDUCE_MAX:
        return NAME(block_max)(x, n);
    case REDUCE_MIN:
        return NAME(block_min)(x, n);
    case REDUCE_PROD:
        return NAME(block_prod)(x, n);
    case REDUCE_ANY:
        return NAME(block_any)(x, n);
    case REDUCE_ALL:
        return NAME(block_all)(x, n);
    default:
        return NAME(block_sum)(x, n);
    }
}

static A NAME(combine)(Reduction kind, A a, A b)
{
    switch (kind) {
    case REDUCE_MAX:
    case REDUCE_MIN:
        return (A)NAME(winner)((T)a, (T)b, kind == REDUCE_MAX);
    case REDUCE_PROD:
        return a * b;
    case REDUCE_ANY:
        return (A)(a != 0 || b != 0);
    case REDUCE_ALL:
        return (A)(a != 0 && b != 0);
    default:
        return a + b;
    }
}

/* the sum in units of HUGE_UNIT, which overflows only where there is infinity */
static double NAME(sum_of_huge)(const Reduce *r, int64_t at)
{
    int64_t inner = r->along.inner;
    const T *x = (const T *)r->x + at / inner * r->along.n * inner + at % inner;
    double sum = 0;
    for (int64_t i = 0; i < r->along.n; i++)
        sum += (double)x[i * inner] / HUGE_UNIT;
    return sum;
}

/* a sum or a mean, which the sum of some elements may have left double for */
static inline double NAME(finish_sum)(const Reduce *r, int64_t at, double sum)
{
    bool is_finite = isfinite(sum);
    if (r->kind == REDUCE_SUM)
        return is_finite ? sum : NAME(sum_of_huge)(r, at) * HUGE_UNIT;
    double n = (double)r->along.n;
    return is_finite ? sum / n : NAME(sum_of_huge)(r, at) / n * HUGE_UNIT;
}

/* the same for the squares of x - center, in units of the square of HUGE_UNIT */
static double NAME(squares_of_huge)(const Reduce *r, int64_t at)
{
    int64_t inner = r->along.inner;
    const T *x = (const T *)r->x + at / inner * r->along.n * inner + at % inner;
    double sum = 0, center = r->center[at] / HUGE_UNIT;
    for (int64_t i = 0; i < r->along.n; i++) {
        double distance = (double)x[i * inner] / HUGE_UNIT - center;
        sum += distance * distance;
    }
    return sum;
}

static double NAME(finish_squares)(const Reduce *r, int64_t at, double sum)
{
    double unit = 1;
    if (!isfinite(sum)) {
        sum = NAME(squares_of_huge)(r, at);
        unit = HUGE_UNIT;
    }
    sum /= r->divisor;
    return r->root ? sqrt(sum) * unit : sum * unit * unit;
}

/* a product, which that of some elements may have left double for: by mantissas and exponents */
static double NAME(finish_product)(const Reduce *r, int64_t at, double value)
{
    if (value != 0 && isfinite(value))
        return value;
    int64_t inner = r->along.inner, exponent = 0;
    const T *x = (const T *)r->x + at / inner * r->along.n * inner + at % inner;
    double product = 1;
    for (int64_t i = 0; i < r->along.n; i++) {
        double factor = (double)x[i * inner];
        if (factor == 0 && value == 0)
            return value;
        int by;
        product = frexp(product * factor, &by);
        exponent += isfinite(product) ? by : 0;
    }
    return ldexp(product, (int)size_max(-INT_MAX, size_min(exponent, INT_MAX)));
}

static void NAME(store)(const Reduce *r, int64_t at, A value)
{
    if (r->wide)
        ((double *)r->y)[at] = NAME(finish_sum)(r, at, (double)value);
    else if (r->kind == REDUCE_MEAN || (r->kind == REDUCE_SUM && dtype_is_float(r->dtype)))
        ((T *)r->y)[at] = (T)NAME(finish_sum)(r, at, (double)value);
    else if (r->kind == REDUCE_SQUARES)
        ((T *)r->y)[at] = (T)NAME(finish_squares)(r, at, (double)value);
    else if (r->kind == REDUCE_PROD && dtype_is_float(r->dtype))
        ((T *)r->y)[at] = (T)NAME(finish_product)(r, at, (double)value);
    else if (r->kind == REDUCE_ANY || r->kind == REDUCE_ALL)
        ((uint8_t *)r->y)[at] = value != 0;
    else if (dtype_is_float(r->dtype) || r->kind == REDUCE_MAX || r->kind == REDUCE_MIN)
        ((T *)r->y)[at] = (T)value;
    else
        ((int64_t *)r->y)[at] = (int64_t)value;
}

static A NAME(start)(Reduction kind)
{
    switch (kind) {
    case REDUCE_MAX:
        return LEAST;
    case REDUCE_MIN:
        return GREATEST;
    default:
        return kind == REDUCE_PROD || kind == REDUCE_ALL;
    }
}

/* one row of contiguous elements, block by block */
static void NAME(reduce_row)(const Reduce *r, int64_t row)
{
    const T *x = (const T *)r->x + row * r->along.n;
    A value = NAME(start)(r->kind);
    for (int64_t i = 0; i < r->along.n; i += BLOCK)
        value = NAME(combine)(r->kind, value,
                              NAME(block)(r, row, x + i, size_min(BLOCK, r->along.n - i)));
    NAME(store)(r, row, value);
}

/* the same for one long row: the blocks in parallel, then their results in order */
static void NAME(reduce_block)(const Reduce *r, int64_t piece)
{
    int64_t first = piece * BLOCK;
    ((A *)r->scratch)[piece] =
        NAME(block)(r, 0, (const T *)r->x + first, size_min(BLOCK, r->along.n - first));
}

static void NAME(combine_blocks)(const Reduce *r)
{
    A value = NAME(start)(r->kind);
    for (int64_t i = 0; i < size_pieces(r->along.n, BLOCK); i++)
        value = NAME(combine)(r->kind, value, ((const A *)r->scratch)[i]);
    NAME(store)(r, 0, value);
}

VECTORISED static void NAME(add_row)(A *sum, const T *x, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        sum[j] += (A)x[j];
}

VECTORISED static void NAME(add_squares)(A *sum, const T *x, const double *center, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        sum[j] += ((A)x[j] - (A)center[j]) * ((A)x[j] - (A)center[j]);
}

VECTORISED static void NAME(choose)(A *best, const T *x, int64_t n, bool largest)
{
    for (int64_t j = 0; j < n; j++)
        best[j] = (A)NAME(winner)((T)best[j], x[j], largest);
}

/* COLUMNS neighbouring columns of x[n, inner], row by row */
static void NAME(reduce_columns)(const Reduce *r, int64_t o, int64_t first)
{
    A value[COLUMNS];
    int64_t width = size_min(COLUMNS, r->along.inner - first), at = o * r->along.inner + first;
    const T *x = (const T *)r->x + o * r->along.n * r->along.inner + first;
    for (int64_t j = 0; j < width; j++)
        value[j] = NAME(start)(r->kind);
    for (int64_t i = 0; i < r->along.n; i++, x += r->along.inner) {
        if (r->kind == REDUCE_SUM || r->kind == REDUCE_MEAN) {
            NAME(add_row)(value, x, width);
            continue;
        }
        if (r->kind == REDUCE_MAX || r->kind == REDUCE_MIN) {
            NAME(choose)(value, x, width, r->kind == REDUCE_MAX);
            continue;
        }
        if (r->kind == REDUCE_SQUARES) {
            NAME(add_squares)(value, x, r->center + at, width);
            continue;
        }
        for (int64_t j = 0; j < width; j++)
            value[j] = NAME(combine)(r->kind, value[j], NAME(block)(r, at + j, x + j, 1));
    }
    for (int64_t j = 0; j < width; j++)
        NAME(store)(r, at + j, value[j]);
}

/* the index of the largest or smallest of x[0..n-1]: first the stretch it is in */
static int64_t NAME(index_in_row)(const Reduce *r, const T *x)
{
    int64_t index = 0;
    A best = NAME(block)(r, 0, x, size_min(STRETCH, r->along.n));
    for (int64_t i = STRETCH; i < r->along.n && !IS_NAN(best); i += STRETCH) {
        A value = NAME(block)(r, 0, x + i, size_min(STRETCH, r->along.n - i));
        if (IS_NAN(value) || (r->kind == REDUCE_MAX ? value > best : value < best)) {
            best = value;
            index = i;
        }
    }
    while (x[index] != (T)best && !IS_NAN(x[index]))
        index++;
    return index;
}

/* the same for x[0], x[inner] ... x[(n - 1) inner] */
static int64_t NAME(index_in_column)(const Reduce *r, const T *x)
{
    int64_t best = 0;
    for (int64_t i = 1; i < r->along.n && !IS_NAN(x[best * r->along.inner]); i++) {
        T value = x[i * r->along.inner], champion = x[best * r->along.inner];
        if (IS_NAN(value) || (r->kind == REDUCE_MAX ? value > champion : value < champion))
            best = i;
    }
    return best;
}

/* the largest or smallest of x[o, :, j] and its index */
static void NAME(find_extreme)(const Reduce *r, int64_t o, int64_t j)
{
    const T *x = (const T *)r->x + o * r->along.n * r->along.inner + j;
    int64_t best = r->along.inner == 1 && r->along.n >= STRETCH ? NAME(index_in_row)(r, x)
                                                                : NAME(index_in_column)(r, x);
    if (r->y)
        ((T *)r->y)[o * r->along.inner + j] = x[best * r->along.inner];
    r->indices[o * r->along.inner + j] = best + 1;
}

static void NAME(piece)(void *context, int64_t piece)
{
    const Reduce *r = context;
    if (r->indices) {
        int64_t last = size_min((piece + 1) * OUTPUTS, r->along.outer * r->along.inner);
        for (int64_t at = piece * OUTPUTS; at < last; at++)
            NAME(find_extreme)(r, at / r->along.inner, at % r->along.inner);
    } else if (is_one_row(r)) {
        NAME(reduce_block)(r, piece);
    } else if (r->along.inner == 1) {
        int64_t last = size_min((piece + 1) * OUTPUTS, r->along.outer);
        for (int64_t row = piece * OUTPUTS; row < last; row++)
            NAME(reduce_row)(r, row);
    } else {
        int64_t strips = size_pieces(r->along.inner, COLUMNS);
        NAME(reduce_columns)(r, piece / strips, piece % strips * COLUMNS);
    }
}

static void NAME(reduce)(Pool *pool, const Reduce *r)
{
    pool_run(pool, NAME(piece), (void *)(uintptr_t)r, count_pieces(r));
    if (is_one_row(r) && !r->indices)
        NAME(combine_blocks)(r);
}
