/*
 * neural_kernels.h - the kernels of neural.c for one float type; read through each_float.h
 */

/* e[i] = exp(x[i] - shift) for n <= CHUNK elements;
 * every element goes through whole vectors, wherever it stands */
VECTORISED static void NAME(shifted_exp)(int64_t n, const T *x, T shift, T *e)
{
    T padded[CHUNK];
    int64_t whole = (n + LANES - 1) / LANES * LANES;
    memcpy(padded, x, (size_t)n * sizeof(T));
    memset(padded + n, 0, (size_t)(whole - n) * sizeof(T));
    for (int64_t i = 0; i < whole; i++)
        padded[i] = exp(padded[i] - shift);
    memcpy(e, padded, (size_t)n * sizeof(T));
}

static T NAME(row_maximum)(const T *x, int64_t n)
{
    T most = x[0];
    for (int64_t i = 1; i < n; i++)
        most = x[i] > most || x[i] != x[i] ? x[i] : most;
    return most;
}

/* the limit where elements are +infinity: they share alike */
static void NAME(softmax_at_infinity)(const T *x, T *y, int64_t n, bool logarithm)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += x[i] == (T)INFINITY;
    T share = (T)(logarithm ? log(1 / (double)count) : 1 / (double)count);
    T other = logarithm ? -(T)INFINITY : 0;
    for (int64_t i = 0; i < n; i++)
        y[i] = x[i] == (T)INFINITY ? share : other;
}

static void NAME(softmax_row)(const T *x, T *y, int64_t n, bool logarithm)
{
    T e[CHUNK], most = NAME(row_maximum)(x, n);
    double sum = 0;
    if (most == (T)INFINITY) {
        NAME(softmax_at_infinity)(x, y, n, logarithm);
        return;
    }
    for (int64_t first = 0; first < n; first += CHUNK) {
        int64_t width = size_min(CHUNK, n - first);
        NAME(shifted_exp)(width, x + first, most, e);
        for (int64_t i = 0; i < width; i++)
            sum += (double)e[i];
        if (!logarithm)
            memcpy(y + first, e, (size_t)width * sizeof(T));
    }
    if (logarithm) {
        T shift = (T)log(sum);
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] - most - shift;
    } else {
        T scale = (T)(1 / sum);
        for (int64_t i = 0; i < n; i++)
            y[i] *= scale;
    }
}

static void NAME(softmax_rows)(void *context, int64_t piece)
{
    const Softmax *s = context;
    int64_t last = size_min((piece + 1) * ROWS, s->rows);
    for (int64_t row = piece * ROWS; row < last; row++)
        NAME(softmax_row)((const T *)s->x + row * s->n, (T *)s->y + row * s->n, s->n, s->logarithm);
}

/* The width adjacent groups from j on are walked in stretches of memory of up to LANES elements:
 * across the groups if c is 1, else along one group. Element i of a stretch has its own mean and
 * scale, sum and product: in place i. */

static int64_t NAME(stretch)(const Standardize *s, int64_t width)
{
    return s->c == 1 ? width : s->c;
}

/* the sums of the lanes of one group, in every lane */
static void NAME(join_lanes)(const Standardize *s, double *lanes)
{
    if (s->c == 1)
        return;
    double sum = 0;
    for (int i = 0; i < LANES; i++)
        sum += lanes[i];
    for (int i = 0; i < LANES; i++)
        lanes[i] = sum;
}

/* the moments of group j in lane l, whose squares leave the range of double */
static void NAME(scaled_moments)(const Standardize *s, int64_t j, int64_t l, double unit,
                                 Moments *m)
{
    double mean = 0, variance = 0;
    for (int64_t i = 0; i < s->a; i++)
        for (int64_t k = 0; k < s->c; k++)
            mean += (double)((const T *)s->x)[(i * s->b + j) * s->c + k] * unit / m->n;
    for (int64_t i = 0; i < s->a; i++)
        for (int64_t k = 0; k < s->c; k++) {
            double d = (double)((const T *)s->x)[(i * s->b + j) * s->c + k] * unit - mean;
            variance += d * d / m->n;
        }
    m->unit[l] = unit;
    m->mean[l] = mean;
    m->variance[l] = variance / unit / unit;
    m->scale[l] = 1 / sqrt(variance + s->eps * unit * unit);
}

VECTORISED static void NAME(find_moments)(const Standardize *s, int64_t j, int64_t width,
                                          Moments *m)
{
    int64_t run = NAME(stretch)(s, width);
    double n = (double)s->a * (double)s->c;
    *m = (Moments){.n = n};
    for (int64_t i = 0; i < s->a; i++)
        for (int64_t k = 0; k < run; k += LANES) {
            const T *x = (const T *)s->x + (i * s->b + j) * s->c + k;
            int64_t count = size_min(LANES, run - k);
            for (int64_t l = 0; l < count; l++)
                m->mean[l] += (double)x[l];
        }
    NAME(join_lanes)(s, m->mean);
    for (int l = 0; l < LANES; l++)
        m->mean[l] /= n;
    for (int64_t i = 0; i < s->a; i++)
        for (int64_t k = 0; k < run; k += LANES) {
            const T *x = (const T *)s->x + (i * s->b + j) * s->c + k;
            int64_t count = size_min(LANES, run - k);
            for (int64_t l = 0; l < count; l++) {
                double d = (double)x[l] - m->mean[l];
                m->variance[l] += d * d;
            }
        }
    NAME(join_lanes)(s, m->variance);
    for (int l = 0; l < LANES; l++) {
        m->variance[l] /= n;
        m->unit[l] = 1;
        m->scale[l] = 1 / sqrt(m->variance[l] + s->eps);
    }
    int64_t lanes = s->c == 1 ? width : LANES;
    for (int64_t l = 0; l < lanes; l++) {
        int64_t group = s->c == 1 ? j + l : j;
        if (!(m->variance[l] <= DBL_MAX))
            NAME(scaled_moments)(s, group, l, 0x1p-600, m);
        else if (m->variance[l] + s->eps < LEAST_SQUARE && fabs(m->mean[l]) < 1)
            NAME(scaled_moments)(s, group, l, 0x1p600, m);
    }
}

VECTORISED static void NAME(standardize_groups)(const Standardize *s, int64_t j, int64_t width)
{
    Moments m;
    NAME(find_moments)(s, j, width, &m);
    int64_t run = NAME(stretch)(s, width);
    for (int64_t l = 0; l < width; l++) {
        ((T *)s->mean)[j + l] = (T)(m.mean[l] / m.unit[l]);
        ((T *)s->variance)[j + l] = (T)m.variance[l];
    }
    for (int64_t i = 0; i < s->a; i++)
        for (int64_t k = 0; k < run; k += LANES) {
            int64_t at = (i * s->b + j) * s->c + k;
            const T *x = (const T *)s->x + at;
            T *y = (T *)s->y + at;
            int64_t count = size_min(LANES, run - k);
            for (int64_t l = 0; l < count; l++)
                y[l] = (T)(((double)x[l] * m.unit[l] - m.mean[l]) * m.scale[l]);
        }
}

/* y holds the gradient of the result, and then that of x */
VECTORISED static void NAME(differentiate_groups)(const Standardize *s, int64_t j, int64_t width)
{
    Moments m;
    NAME(find_moments)(s, j, width, &m);
    double sum[LANES] = {0}, product[LANES] = {0};
    int64_t run = NAME(stretch)(s, width);
    for (int64_t i = 0; i < s->a; i++)
        for (int64_t k = 0; k < run; k += LANES) {
            int64_t at = (i * s->b + j) * s->c + k;
            const T *x = (const T *)s->x + at, *g = (const T *)s->y + at;
            int64_t count = size_min(LANES, run - k);
            for (int64_t l = 0; l < count; l++) {
                sum[l] += (double)g[l];
                product[l] += (double)g[l] * ((double)x[l] * m.unit[l] - m.mean[l]) * m.scale[l];
            }
        }
    NAME(join_lanes)(s, sum);
    NAME(join_lanes)(s, product);
    for (int64_t i = 0; i < s->a; i++)
        for (int64_t k = 0; k < run; k += LANES) {
            int64_t at = (i * s->b + j) * s->c + k;
            const T *x = (const T *)s->x + at;
            T *g = (T *)s->y + at;
            int64_t count = size_min(LANES, run - k);
            for (int64_t l = 0; l < count; l++) {
                double y = ((double)x[l] * m.unit[l] - m.mean[l]) * m.scale[l];
                g[l] = (T)(m.scale[l] * m.unit[l] *
                           ((double)g[l] - sum[l] / m.n - y * (product[l] / m.n)));
            }
        }
}

static void NAME(standardize_piece)(void *context, int64_t piece)
{
    const Standardize *s = context;
    int64_t first = piece * LANES, last = size_min(first + LANES, s->b);
    int64_t width = s->c == 1 ? last - first : 1;
    for (int64_t j = first; j < last; j += width) {
        if (s->mean)
            NAME(standardize_groups)(s, j, width);
        else
            NAME(differentiate_groups)(s, j, width);
    }
}
