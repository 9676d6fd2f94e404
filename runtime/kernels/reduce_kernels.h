/*
 * reduce_kernels.h - the kernels of reduce.c for one element type; read through each_dtype.h
 */

INLINED A NAME(add_lanes)(A *lane)
{
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[half + j];
    return lane[0];
}

/* the sum of x[0..n-1], n <= BLOCK: LANES running sums, added up two by two */
VECTORISED static A NAME(long_sum)(const T *x, int64_t n)
{
    A lane[LANES] = {0};
    int64_t whole = n - n % LANES;
    for (int64_t i = 0; i < whole; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] += (A)x[i + j];
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] += (A)x[i];
    return NAME(add_lanes)(lane);
}

static inline A NAME(block_sum)(const T *x, int64_t n)
{
    if (n >= LANES)
        return NAME(long_sum)(x, n);
    A sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (A)x[i];
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
    return NAME(add_lanes)(lane);
}

/* the products of x[0..n-1] in LANES running ones, and these, likewise */
INLINED void NAME(multiply_lanes)(const T *x, int64_t n, A *lane)
{
    int64_t whole = n - n % LANES;
    for (int j = 0; j < LANES; j++)
        lane[j] = 1;
    for (int64_t i = 0; i < whole; i += LANES)
        for (int j = 0; j < LANES; j++)
            lane[j] *= (A)x[i + j];
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] *= (A)x[i];
}

INLINED A NAME(join_product)(A *lane)
{
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] *= lane[half + j];
    return lane[0];
}

VECTORISED static A NAME(block_prod)(const T *x, int64_t n)
{
    A lane[LANES];
    NAME(multiply_lanes)(x, n, lane);
    return NAME(join_product)(lane);
}

/* The same of floats as a mantissa, and *exponent: what leaves double as a number does not leave it
 * in parts, but where one of LANES factors has none. */
VECTORISED static double NAME(block_prod_in_parts)(const T *x, int64_t n, double *exponent)
{
    A lane[LANES], mantissa[LANES];
    int64_t sum = 0;
    uint64_t has_none = 0;
    NAME(multiply_lanes)(x, n, lane);
    for (int j = 0; j < LANES; j++)
        mantissa[j] = (A)take_parts((double)lane[j], &sum, &has_none);
    *exponent = has_none ? 0 : (double)sum;
    return (double)NAME(join_product)(has_none ? lane : mantissa);
}

/* Is any element (or any one that is zero) among x[0..n-1]? */
VECTORISED static bool NAME(has_any)(const T *x, int64_t n, bool zero)
{
    int found = 0;
    for (int64_t i = 0; i < n; i++)
        found |= (x[i] == 0) == zero;
    return found != 0;
}

static bool NAME(block_any)(const T *x, int64_t n, bool zero)
{
    bool found = false;
    for (int64_t i = 0; i < n && !found; i += STRETCH)
        found = NAME(has_any)(x + i, size_min(STRETCH, n - i), zero);
    return found;
}

/* the larger or smaller of two, or the NaN among them */
INLINED T NAME(winner)(T best, T x, bool largest)
{
    T winner = (largest ? x > best : x < best) ? x : best;
    return IS_NAN(x) ? x : winner;
}

/* the largest or smallest of x[0..n-1], n >= wide: `wide` running ones; the last elements are looked at
 * twice where n is no multiple */
INLINED A NAME(wide_extreme)(const T *x, int64_t n, int wide, bool largest)
{
    T lane[WIDE_BYTES / sizeof(T)];
    for (int j = 0; j < wide; j++)
        lane[j] = x[j];
    for (int64_t i = wide; i + wide <= n; i += wide)
        for (int j = 0; j < wide; j++)
            lane[j] = NAME(winner)(lane[j], x[i + j], largest);
    for (int j = 0; j < wide; j++)
        lane[j] = NAME(winner)(lane[j], x[n - wide + j], largest);
    for (int half = wide / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] = NAME(winner)(lane[j], lane[half + j], largest);
    return (A)lane[0];
}

/* the same of any n >= 1: as many running ones as vectors hold that the compiler keeps in registers,
 * one vector of them, or one */
INLINED A NAME(block_extreme)(const T *x, int64_t n, bool largest)
{
    enum { WIDE = WIDE_BYTES / sizeof(T) };
    return n >= WIDE       ? NAME(wide_extreme)(x, n, WIDE, largest)
           : n >= WIDE / 2 ? NAME(wide_extreme)(x, n, WIDE / 4, largest)
                           : NAME(wide_extreme)(x, n, 1, largest);
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
        return (A)NAME(block_any)(x, n, false);
    case REDUCE_ALL:
        return (A)!NAME(block_any)(x, n, true);
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

/* multiplies lane[LANES] by the mantissas of x[LANES] and adds up their exponents; returns whether a
 * factor has none */
INLINED uint64_t NAME(multiply_parts)(double *lane, int64_t *exponent, const T *x)
{
    uint64_t has_none = 0;
    for (int j = 0; j < LANES; j++)
        lane[j] *= take_parts((double)x[j], &exponent[j], &has_none);
    return has_none;
}

/* Does the product of x[0..n-1] leave double by far? Then *product is what it becomes: 0 or infinity
 * with its sign. */
VECTORISED static bool NAME(product_leaves)(const T *x, int64_t n, double *product)
{
    enum { TIMES = 512, MARGIN = 4 }; /* so often mantissas, below 2, stay in double */
    double lane[LANES], all = 1;
    int64_t exponents[LANES] = {0}, whole = n - n % LANES, exponent = 0;
    int by;
    T rest[LANES];
    for (int j = 0; j < LANES; j++) {
        lane[j] = 1;
        rest[j] = whole + j < n ? x[whole + j] : 1;
    }
    uint64_t has_none = NAME(multiply_parts)(lane, exponents, rest);
    for (int64_t i = 0; i < whole && !has_none;) {
        int64_t last = size_min(i + TIMES * LANES, whole);
        for (; i < last; i += LANES)
            has_none |= NAME(multiply_parts)(lane, exponents, x + i);
        for (int j = 0; j < LANES; j++) {
            lane[j] = frexp(lane[j], &by);
            exponent += by;
        }
    }
    for (int j = 0; j < LANES; j++) {
        all = frexp(all * lane[j], &by);
        exponent += exponents[j] + by;
    }
    bool overflows = exponent > DBL_MAX_EXP + MARGIN;
    *product = copysign(overflows ? INFINITY : 0, all);
    return !has_none && (overflows || exponent < DBL_MIN_EXP - DBL_MANT_DIG - MARGIN);
}

static bool NAME(is_far_from_ends)(double x)
{
    return fabs(x) > 0x1p-400 && fabs(x) < 0x1p400;
}

/* a product, which that of some elements may have left double for: by mantissas and exponents, which
 * are parted where products come near the ends of double */
static double NAME(finish_product)(const Reduce *r, int64_t at, double value)
{
    if (value != 0 && isfinite(value))
        return value;
    int64_t inner = r->along.inner, exponent = 0;
    const T *x = (const T *)r->x + at / inner * r->along.n * inner + at % inner;
    double product;
    if (inner == 1 && NAME(product_leaves)(x, r->along.n, &product))
        return product;
    product = 1;
    for (int64_t i = 0; i < r->along.n; i++) {
        double factor = (double)x[i * inner];
        if (factor == 0 && value == 0)
            return value;
        if (NAME(is_far_from_ends)(factor) && NAME(is_far_from_ends)(product)) {
            product *= factor;
            continue;
        }
        int before = 0, after;
        product = i > 0 ? frexp(product, &before) : 1;
        product = frexp(product * factor, &after);
        exponent += isfinite(product) ? (int64_t)before + after : 0;
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
    else if (is_float_product(r))
        ((T *)r->y)[at] = (T)NAME(finish_product)(r, at, (double)value);
    else if (r->kind == REDUCE_ANY || r->kind == REDUCE_ALL)
        ((uint8_t *)r->y)[at] = value != 0;
    else if (dtype_is_float(r->dtype) || r->kind == REDUCE_MAX || r->kind == REDUCE_MIN)
        ((T *)r->y)[at] = (T)value;
    else
        ((int64_t *)r->y)[at] = (int64_t)value;
}

/* The same for values of neighbours; sums of floats are finite as a rule. */
VECTORISED static bool NAME(store_sums)(const Reduce *r, int64_t at, const A *value, int64_t n)
{
    double divisor = r->kind == REDUCE_MEAN ? (double)r->along.n : 1;
    int huge = 0;
    for (int64_t j = 0; j < n; j++)
        huge |= !isfinite((double)value[j]);
    for (int64_t j = 0; j < n && !huge; j++)
        ((T *)r->y)[at + j] = (T)((double)value[j] / divisor);
    return huge == 0;
}

static void NAME(store_all)(const Reduce *r, int64_t at, const A *value, int64_t n)
{
    bool is_sum = r->kind == REDUCE_SUM || r->kind == REDUCE_MEAN;
    if (is_sum && dtype_is_float(r->dtype) && !r->wide && NAME(store_sums)(r, at, value, n))
        return;
    for (int64_t j = 0; j < n; j++)
        NAME(store)(r, at + j, value[j]);
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
static A NAME(reduce_row)(const Reduce *r, int64_t row)
{
    const T *x = (const T *)r->x + row * r->along.n;
    A value = NAME(start)(r->kind);
    for (int64_t i = 0; i < r->along.n; i += BLOCK)
        value = NAME(combine)(r->kind, value,
                              NAME(block)(r, row, x + i, size_min(BLOCK, r->along.n - i)));
    return value;
}

/* the sums of rows of n < LANES elements side by side, as block_sum has them */
INLINED void NAME(add_short_rows)(const T *x, int64_t n, int64_t rows, A *value)
{
    for (int64_t row = 0; row < rows; row++) {
        A sum = 0;
        for (int64_t i = 0; i < n; i++)
            sum += (A)x[row * n + i];
        value[row] = sum;
    }
}

VECTORISED static void NAME(sum_short_rows)(const T *x, int64_t n, int64_t rows, A *value)
{
    switch (n) {
    case 2:
        NAME(add_short_rows)(x, 2, rows, value);
        break;
    case 3:
        NAME(add_short_rows)(x, 3, rows, value);
        break;
    case 4:
        NAME(add_short_rows)(x, 4, rows, value);
        break;
    default:
        NAME(add_short_rows)(x, n, rows, value);
    }
}

static void NAME(reduce_rows)(const Reduce *r, int64_t first, int64_t last)
{
    A value[COLUMNS];
    bool is_short = r->along.n < LANES && (r->kind == REDUCE_SUM || r->kind == REDUCE_MEAN);
    for (int64_t row = first, n; row < last; row += n) {
        n = size_min(COLUMNS, last - row);
        if (is_short)
            NAME(sum_short_rows)((const T *)r->x + row * r->along.n, r->along.n, n, value);
        for (int64_t i = 0; i < n && !is_short; i++)
            value[i] = NAME(reduce_row)(r, row + i);
        NAME(store_all)(r, row, value, n);
    }
}

/* the same for one long row: the blocks in parallel, then their results in order */
static void NAME(reduce_block)(const Reduce *r, int64_t piece)
{
    int64_t first = piece * BLOCK, n = size_min(BLOCK, r->along.n - first);
    const T *x = (const T *)r->x + first;
    double *parts = r->scratch;
    if (is_float_product(r))
        parts[piece] =
            NAME(block_prod_in_parts)(x, n, parts + size_pieces(r->along.n, BLOCK) + piece);
    else
        ((A *)r->scratch)[piece] = NAME(block)(r, 0, x, n);
}

static void NAME(combine_parts)(const Reduce *r)
{
    int64_t blocks = size_pieces(r->along.n, BLOCK);
    const double *parts = r->scratch;
    double product = 1, exponent = 0;
    for (int64_t i = 0; i < blocks; i++) {
        int by;
        product = frexp(product * parts[i], &by);
        exponent += parts[blocks + i] + by;
    }
    if (product != 0 && isfinite(product))
        ((T *)r->y)[0] = (T)ldexp(product, (int)fmax(-INT_MAX, fmin(exponent, INT_MAX)));
    else
        NAME(store)(r, 0, (A)product);
}

static void NAME(combine_blocks)(const Reduce *r)
{
    A value = NAME(start)(r->kind);
    for (int64_t i = 0; i < size_pieces(r->along.n, BLOCK); i++)
        value = NAME(combine)(r->kind, value, ((const A *)r->scratch)[i]);
    NAME(store)(r, 0, value);
}

/* values[width] of n rows of x, one after the other; four sums at a time spare some of their moves */
VECTORISED static void NAME(add_rows)(A *value, const T *x, int64_t n, int64_t step, int64_t width)
{
    for (; n >= 4; n -= 4, x += 4 * step)
        for (int64_t j = 0; j < width; j++)
            value[j] =
                value[j] + (A)x[j] + (A)x[j + step] + (A)x[j + 2 * step] + (A)x[j + 3 * step];
    for (; n > 0; n--, x += step)
        for (int64_t j = 0; j < width; j++)
            value[j] += (A)x[j];
}

VECTORISED static void NAME(add_squares)(A *value, const T *x, int64_t n, int64_t step,
                                         int64_t width, const A *center)
{
    for (; n > 0; n--, x += step)
        for (int64_t j = 0; j < width; j++)
            value[j] += ((A)x[j] - center[j]) * ((A)x[j] - center[j]);
}

VECTORISED static void NAME(multiply_rows)(A *value, const T *x, int64_t n, int64_t step,
                                           int64_t width)
{
    for (; n >= 4; n -= 4, x += 4 * step)
        for (int64_t j = 0; j < width; j++)
            value[j] =
                value[j] * (A)x[j] * (A)x[j + step] * (A)x[j + 2 * step] * (A)x[j + 3 * step];
    for (; n > 0; n--, x += step)
        for (int64_t j = 0; j < width; j++)
            value[j] *= (A)x[j];
}

/* the same for each column */
VECTORISED static void NAME(find_any)(A *value, const T *x, int64_t n, int64_t step, int64_t width,
                                      bool zero)
{
    uint8_t found[COLUMNS] = {0};
    for (; n > 0; n--, x += step)
        for (int64_t j = 0; j < width; j++)
            found[j] |= (x[j] == 0) == zero;
    for (int64_t j = 0; j < width; j++)
        value[j] = (A)(found[j] != zero);
}

INLINED void NAME(choose)(A *value, const T *x, int64_t n, int64_t step, int64_t width,
                          bool largest)
{
    T best[COLUMNS];
    for (int64_t j = 0; j < width; j++)
        best[j] = (T)value[j];
    for (; n > 0; n--, x += step)
        for (int64_t j = 0; j < width; j++)
            best[j] = NAME(winner)(best[j], x[j], largest);
    for (int64_t j = 0; j < width; j++)
        value[j] = (A)best[j];
}

VECTORISED static void NAME(choose_largest)(A *value, const T *x, int64_t n, int64_t step,
                                            int64_t width)
{
    NAME(choose)(value, x, n, step, width, true);
}

VECTORISED static void NAME(choose_smallest)(A *value, const T *x, int64_t n, int64_t step,
                                             int64_t width)
{
    NAME(choose)(value, x, n, step, width, false);
}

static void NAME(fold_rows)(Reduction kind, A *value, const T *x, int64_t n, int64_t step,
                            int64_t width, const A *center)
{
    for (int64_t j = 0; j < width; j++)
        value[j] = NAME(start)(kind);
    switch (kind) {
    case REDUCE_SQUARES:
        NAME(add_squares)(value, x, n, step, width, center);
        break;
    case REDUCE_MAX:
        NAME(choose_largest)(value, x, n, step, width);
        break;
    case REDUCE_MIN:
        NAME(choose_smallest)(value, x, n, step, width);
        break;
    case REDUCE_PROD:
        NAME(multiply_rows)(value, x, n, step, width);
        break;
    case REDUCE_ANY:
    case REDUCE_ALL:
        NAME(find_any)(value, x, n, step, width, kind == REDUCE_ALL);
        break;
    default:
        NAME(add_rows)(value, x, n, step, width);
    }
}

/* values[n] = what they and others[n] come to together */
static void NAME(combine_all)(Reduction kind, A *values, const A *others, int64_t n)
{
    if (kind == REDUCE_SUM || kind == REDUCE_MEAN)
        for (int64_t j = 0; j < n; j++)
            values[j] += others[j];
    else
        for (int64_t j = 0; j < n; j++)
            values[j] = NAME(combine)(kind, values[j], others[j]);
}

/* the same where `width` columns are all: several rows stand side by side as one, whose results are
 * combined in order */
static void NAME(fold_narrow)(Reduction kind, A *value, const T *x, int64_t n, int64_t width,
                              const A *center)
{
    A wide[COLUMNS], wide_center[COLUMNS], rest[NARROW];
    int64_t together = COLUMNS / 4 / width, wide_width = together * width;
    for (int64_t j = 0; j < wide_width; j++)
        wide_center[j] = center[j % width];
    NAME(fold_rows)(kind, wide, x, n / together, wide_width, wide_width, wide_center);
    NAME(fold_rows)
    (kind, rest, x + n / together * wide_width, n % together, width, width, center);
    for (int64_t k = width; k < wide_width; k += width)
        NAME(combine_all)(kind, wide, wide + k, width);
    NAME(combine_all)(kind, wide, rest, width);
    memcpy(value, wide, (size_t)width * sizeof(A));
}

/* a block of rows of a strip of columns */
static void NAME(reduce_columns)(const Reduce *r, const Cut *cut, int64_t index)
{
    A value[COLUMNS], center[COLUMNS] = {0};
    int64_t n = r->along.n, inner = r->along.inner;
    int64_t block = index % cut->blocks, strip = index / cut->blocks % cut->strips;
    int64_t o = index / cut->blocks / cut->strips;
    int64_t row = block * cut->rows, rows = size_min(cut->rows, n - row);
    int64_t first = strip * COLUMNS, width = size_min(COLUMNS, inner - first);
    int64_t at = o * inner + first;
    const T *x = (const T *)r->x + (o * n + row) * inner + first;
    for (int64_t j = 0; r->kind == REDUCE_SQUARES && j < width; j++)
        center[j] = (A)r->center[at + j];
    if (inner <= NARROW && rows * inner >= COLUMNS)
        NAME(fold_narrow)(r->kind, value, x, rows, inner, center);
    else
        NAME(fold_rows)(r->kind, value, x, rows, inner, width, center);
    if (cut->blocks == 1)
        NAME(store_all)(r, at, value, width);
    else
        memcpy((A *)r->scratch + (o * cut->blocks + block) * inner + first, value,
               (size_t)width * sizeof(A));
}

static void NAME(combine_columns)(const Reduce *r, const Cut *cut)
{
    int64_t inner = r->along.inner;
    for (int64_t o = 0; o < r->along.outer; o++) {
        A *values = (A *)r->scratch + o * cut->blocks * inner;
        for (int64_t block = 1; block < cut->blocks; block++)
            NAME(combine_all)(r->kind, values, values + block * inner, inner);
        NAME(store_all)(r, o * inner, values, inner);
    }
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

static int64_t NAME(index_in_short_row)(const Reduce *r, const T *x)
{
    int64_t best = 0;
    for (int64_t i = 1; i < r->along.n && !IS_NAN(x[best]); i++)
        if (IS_NAN(x[i]) || (r->kind == REDUCE_MAX ? x[i] > x[best] : x[i] < x[best]))
            best = i;
    return best;
}

INLINED void NAME(follow)(T *best, int64_t *index, const T *x, int64_t i, int64_t width,
                          bool largest)
{
    for (int64_t j = 0; j < width; j++) {
        bool wins = (largest ? x[j] > best[j] : x[j] < best[j]) || IS_NAN(x[j]);
        wins = wins && !IS_NAN(best[j]);
        best[j] = wins ? x[j] : best[j];
        index[j] = wins ? i : index[j];
    }
}

/* the same for columns side by side: x is a row of them, `best` and `index` are what they have */
VECTORISED static void NAME(follow_largest)(T *best, int64_t *index, const T *x, int64_t i,
                                            int64_t width)
{
    NAME(follow)(best, index, x, i, width, true);
}

VECTORISED static void NAME(follow_smallest)(T *best, int64_t *index, const T *x, int64_t i,
                                             int64_t width)
{
    NAME(follow)(best, index, x, i, width, false);
}

static void NAME(indices_in_columns)(const Reduce *r, int64_t o, int64_t first)
{
    T best[INDEXED_COLUMNS];
    int64_t inner = r->along.inner, width = size_min(INDEXED_COLUMNS, inner - first);
    int64_t *indices = r->indices + o * inner + first;
    const T *x = (const T *)r->x + o * r->along.n * inner + first;
    memcpy(best, x, (size_t)width * sizeof(T));
    for (int64_t j = 0; j < width; j++)
        indices[j] = 1;
    for (int64_t i = 1; i < r->along.n; i++) {
        x += inner;
        if (r->kind == REDUCE_MAX)
            NAME(follow_largest)(best, indices, x, i + 1, width);
        else
            NAME(follow_smallest)(best, indices, x, i + 1, width);
    }
    if (r->y)
        memcpy((T *)r->y + o * inner + first, best, (size_t)width * sizeof(T));
}

/* the largest or smallest of x[row, :] and its index */
static void NAME(find_extreme)(const Reduce *r, int64_t row)
{
    const T *x = (const T *)r->x + row * r->along.n;
    int64_t best = r->along.n < STRETCH ? NAME(index_in_short_row)(r, x) : NAME(index_in_row)(r, x);
    if (r->y)
        ((T *)r->y)[row] = x[best];
    r->indices[row] = best + 1;
}

static void NAME(piece)(void *context, int64_t piece)
{
    const Reduce *r = context;
    if (is_one_row(r) && !r->indices) {
        NAME(reduce_block)(r, piece);
    } else if (r->along.inner == 1) {
        int64_t rows = rows_together(r), last = size_min((piece + 1) * rows, r->along.outer);
        for (int64_t row = piece * rows; row < last && r->indices; row++)
            NAME(find_extreme)(r, row);
        if (!r->indices)
            NAME(reduce_rows)(r, piece * rows, last);
    } else if (r->indices) {
        int64_t strips = size_pieces(r->along.inner, INDEXED_COLUMNS);
        NAME(indices_in_columns)(r, piece / strips, piece % strips * INDEXED_COLUMNS);
    } else {
        Cut cut = cut_columns(r);
        int64_t all = r->along.outer * cut.strips * cut.blocks;
        int64_t last = size_min((piece + 1) * cut.together, all);
        for (int64_t block = piece * cut.together; block < last; block++)
            NAME(reduce_columns)(r, &cut, block);
    }
}

static void NAME(reduce)(Pool *pool, const Reduce *r)
{
    pool_run(pool, NAME(piece), (void *)(uintptr_t)r, count_pieces(r));
    if (r->indices)
        return;
    if (is_one_row(r) && is_float_product(r)) {
        NAME(combine_parts)(r);
    } else if (is_one_row(r)) {
        NAME(combine_blocks)(r);
    } else if (r->along.inner > 1) {
        Cut cut = cut_columns(r);
        if (cut.blocks > 1)
            NAME(combine_columns)(r, &cut);
    }
}
