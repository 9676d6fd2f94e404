/*
 * standardize_kernels.h - the kernels of standardize.c for one float type; read through each_float.h
 */

#include "kernels/sum_kernels.h"

/* Groups that lie across rows (c is 1) are taken by strips, and group i of a strip has its moments
 * and its sums in place i. Others are taken one by one, in place 0. */

/* what is taken from x times unit, in two parts of which the second is lost in the first, and what
 * multiplies the rest; the mean and the variance are of x */
typedef struct {
    double mean[STRIP], variance[STRIP];
    T unit[STRIP], center[STRIP], rest[STRIP], scale[STRIP];
} NAME(Moments);

/* a chunk of x standardised, and of parameters and products that stand nowhere else */
typedef struct {
    T z[CHUNK], weight[CHUNK], bias[CHUNK], g[CHUNK], gz[CHUNK], h[CHUNK];
} NAME(Room);

static inline int64_t NAME(run_length)(const Standardize *s, int64_t width)
{
    return s->c == 1 ? width : s->c;
}

INLINED double NAME(join_lanes)(double *lane)
{
#pragma GCC unroll 8
    for (int half = GROUP_LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[half + l];
    return lane[0];
}

/* the sum of x[0..n-1] in GROUP_LANES running ones, added up two by two */
VECTORISED static double NAME(run_sum)(const T *x, int64_t n)
{
    double lane[GROUP_LANES] = {0};
    int64_t whole = n - n % GROUP_LANES;
    for (int64_t i = 0; i < whole; i += GROUP_LANES)
        for (int l = 0; l < GROUP_LANES; l++)
            lane[l] += (double)x[i + l];
    T rest[GROUP_LANES] = {0};
    if (whole < n)
        memcpy(rest, x + whole, (size_t)(n - whole) * sizeof(T));
    for (int l = 0; l < GROUP_LANES; l++)
        lane[l] += (double)rest[l];
    return NAME(join_lanes)(lane);
}

/* the sum of (x - center - rest)^2, or of x where it is not squared: what came of roundings is added
 * in T as far as a chunk goes, n <= CHUNK */
INLINED double NAME(chunk)(const T *x, int64_t n, T center, T rest, bool squared)
{
    T lane[GROUP_LANES] = {0}, last[GROUP_LANES];
    double wide[GROUP_LANES];
    int64_t whole = n - n % GROUP_LANES;
    for (int64_t i = 0; i < whole; i += GROUP_LANES)
        for (int l = 0; l < GROUP_LANES; l++) {
            T d = (x[i + l] - center) - rest;
            lane[l] += squared ? d * d : x[i + l];
        }
    for (int l = 0; l < GROUP_LANES; l++)
        last[l] = center;
    if (whole < n)
        memcpy(last, x + whole, (size_t)(n - whole) * sizeof(T));
    for (int l = 0; l < GROUP_LANES; l++) {
        T d = (last[l] - center) - rest, value = squared ? d * d : last[l];
        wide[l] = (double)(lane[l] + (l < n - whole ? value : 0));
    }
    return NAME(join_lanes)(wide);
}

INLINED double NAME(square)(T x, T center, T rest)
{
    double distance = (double)((x - center) - rest);
    return distance * distance;
}

/* adds the squares of the distances of x[rows, width] to the sums of their columns; two rows at a
 * time spare some of their moves */
INLINED void NAME(add_strip_squares)(const NAME(Moments) * m, const T *x, int64_t rows,
                                     int64_t step, int64_t width, double *sums)
{
    for (; rows >= 2; rows -= 2, x += 2 * step)
        for (int64_t i = 0; i < width; i++)
            sums[i] = sums[i] + NAME(square)(x[i], m->center[i], m->rest[i]) +
                      NAME(square)(x[i + step], m->center[i], m->rest[i]);
    for (int64_t i = 0; i < width && rows > 0; i++)
        sums[i] += NAME(square)(x[i], m->center[i], m->rest[i]);
}

INLINED void NAME(add_strip)(const T *x, int64_t rows, int64_t step, int64_t width, double *sums)
{
    for (; rows >= 4; rows -= 4, x += 4 * step)
        for (int64_t i = 0; i < width; i++)
            sums[i] = sums[i] + (double)x[i] + (double)x[i + step] + (double)x[i + 2 * step] +
                      (double)x[i + 3 * step];
    for (; rows > 0; rows--, x += step)
        for (int64_t i = 0; i < width; i++)
            sums[i] += (double)x[i];
}

/* adds products, n <= CHUNK, to the sums of their places */
INLINED void NAME(add_products)(bool is_strip, const T *x, int64_t n, double *sums)
{
    for (int64_t i = 0; i < n && is_strip; i++)
        sums[i] += (double)x[i];
    if (!is_strip)
        sums[0] += NAME(chunk)(x, n, 0, 0, false);
}

static void NAME(set_center)(double mean, int64_t l, NAME(Moments) * m)
{
    m->center[l] = (T)mean;
    m->rest[l] = (T)(mean - (double)m->center[l]);
}

/* of group j in place l, kept for the gradient */
static void NAME(set_moments)(const Standardize *s, int64_t j, int64_t l, double unit, double mean,
                              double variance, NAME(Moments) * m)
{
    if (s->moments != NULL && s->g == NULL)
        memcpy(s->moments + 3 * j, (double[]){unit, mean, variance}, 3 * sizeof(double));
    double scale = 1 / sqrt(variance + s->eps * unit * unit), most = (double)MOST;
    m->mean[l] = mean / unit;
    m->variance[l] = variance / unit / unit;
    m->unit[l] = (T)unit;
    m->scale[l] = (T)(scale > most ? most : scale);
    NAME(set_center)(mean, l, m);
}

/* the moments of group j in place l, which would leave the range of T */
static void NAME(scaled_moments)(const Standardize *s, int64_t j, int64_t l, double unit,
                                 NAME(Moments) * m)
{
    double n = (double)s->a * (double)s->c, mean = 0, variance = 0;
    for (int64_t i = 0; i < s->a && s->is_centered; i++)
        for (int64_t k = 0; k < s->c; k++)
            mean += (double)((const T *)s->x)[(i * s->b + j) * s->c + k] * unit / n;
    for (int64_t i = 0; i < s->a; i++)
        for (int64_t k = 0; k < s->c; k++) {
            double d = (double)((const T *)s->x)[(i * s->b + j) * s->c + k] * unit - mean;
            variance += d * d / n;
        }
    NAME(set_moments)(s, j, l, unit, mean, variance, m);
}

VECTORISED static void NAME(find_moments)(const Standardize *s, int64_t j, int64_t width,
                                          NAME(Moments) * m)
{
    int64_t step = s->b * s->c;
    const T *x = (const T *)s->x + j * s->c;
    double n = (double)s->a * (double)s->c, mean[STRIP], squares[STRIP];
    for (int64_t l = 0; l < width; l++)
        mean[l] = squares[l] = 0;
    if (s->is_centered && s->c == 1)
        NAME(add_strip)(x, s->a, step, width, mean);
    for (int64_t r = 0; r < s->a && s->is_centered && s->c > 1; r++)
        mean[0] += NAME(run_sum)(x + r * step, s->c);
    for (int64_t l = 0; l < width; l++) {
        mean[l] /= n;
        NAME(set_center)(mean[l], l, m);
    }
    if (s->c == 1)
        NAME(add_strip_squares)(m, x, s->a, step, width, squares);
    for (int64_t r = 0; r < s->a && s->c > 1; r++)
        for (int64_t i = 0; i < s->c; i += CHUNK)
            squares[0] += NAME(chunk)(x + r * step + i, size_min(CHUNK, s->c - i), m->center[0],
                                      m->rest[0], true);
    for (int64_t l = 0; l < width; l++) {
        double variance = squares[l] / n;
        if (!(variance <= MOST_SQUARE))
            NAME(scaled_moments)(s, j + l, l, 1 / UNIT, m);
        else if (variance + s->eps < LEAST_SQUARE && fabs(mean[l]) < 1)
            NAME(scaled_moments)(s, j + l, l, UNIT, m);
        else
            NAME(set_moments)(s, j + l, l, 1, mean[l], variance, m);
    }
}

static void NAME(take_moments)(const Standardize *s, int64_t j, int64_t width, NAME(Moments) * m)
{
    bool is_known = s->moments != NULL && s->g != NULL;
    if (s->center == NULL && !is_known)
        NAME(find_moments)(s, j, width, m);
    for (int64_t l = 0; l < width && s->center == NULL && is_known; l++) {
        const double *known = s->moments + 3 * (j + l);
        NAME(set_moments)(s, j + l, l, known[0], known[1], known[2], m);
    }
    for (int64_t l = 0; l < width && s->center != NULL; l++) {
        m->unit[l] = m->scale[l] = 1;
        m->center[l] = ((const T *)s->center)[j + l];
        m->rest[l] = 0;
    }
}

/* the parameters of n <= CHUNK elements from `at` on: where they lie side by side, or in `room`,
 * which holds what changes nothing where there are none */
static const T *NAME(parameters)(const Standardize *s, const T *own, int64_t at, int64_t n, T *room)
{
    int64_t channel = at / s->width % s->channels;
    if (own == NULL || (s->width == 1 && channel + n <= s->channels))
        return own == NULL ? room : own + channel;
    for (int64_t i = 0, end; i < n; i = end) {
        end = size_min(n, i + s->width - (at + i) % s->width);
        T value = own[channel];
        for (int64_t k = i; k < end; k++)
            room[k] = value;
        channel = channel + 1 < s->channels ? channel + 1 : 0;
    }
    return room;
}

INLINED T NAME(standardised)(T x, T unit, T center, T rest, T scale)
{
    return ((x * unit - center) - rest) * scale;
}

/* z[i] = x[i] standardised; the moments of each element, or one for all of them */
INLINED void NAME(standardize)(const NAME(Moments) * m, bool is_strip, const T *x, int64_t n, T *z)
{
    T unit = m->unit[0], center = m->center[0], rest = m->rest[0], scale = m->scale[0];
    for (int64_t i = 0; i < n && is_strip; i++)
        z[i] = NAME(standardised)(x[i], m->unit[i], m->center[i], m->rest[i], m->scale[i]);
    for (int64_t i = 0; i < n && !is_strip; i++)
        z[i] = NAME(standardised)(x[i], unit, center, rest, scale);
}

/* y[i] = x[i] standardised, times weight[i] plus bias[i]; y may be x */
INLINED void NAME(standardize_and_shift)(const NAME(Moments) * m, bool is_strip, const T *x,
                                         const T *weight, const T *bias, int64_t n, T *y)
{
    T unit = m->unit[0], center = m->center[0], rest = m->rest[0], scale = m->scale[0];
#pragma GCC ivdep
    for (int64_t i = 0; i < n && is_strip; i++) {
        T z = NAME(standardised)(x[i], m->unit[i], m->center[i], m->rest[i], m->scale[i]);
        y[i] = z * weight[i] + bias[i];
    }
#pragma GCC ivdep
    for (int64_t i = 0; i < n && !is_strip; i++)
        y[i] = NAME(standardised)(x[i], unit, center, rest, scale) * weight[i] + bias[i];
}

/* a bias of -0, where there is none, changes no zero's sign */
VECTORISED static void NAME(standardize_groups)(const Standardize *s, int64_t j, int64_t width,
                                                NAME(Room) * room)
{
    NAME(Moments) m;
    NAME(take_moments)(s, j, width, &m);
    for (int64_t l = 0; l < width && s->mean != NULL; l++) {
        ((T *)s->mean)[j + l] = (T)m.mean[l];
        ((T *)s->variance)[j + l] = (T)m.variance[l];
    }
    int64_t run = NAME(run_length)(s, width);
    for (int64_t r = 0; r < s->a; r++)
        for (int64_t from = 0; from < run; from += CHUNK) {
            int64_t at = (r * s->b + j) * s->c + from, n = size_min(CHUNK, run - from);
            const T *weight = NAME(parameters)(s, s->weight, at, n, room->weight);
            const T *bias = NAME(parameters)(s, s->bias, at, n, room->bias);
            NAME(standardize_and_shift)
            (&m, s->c == 1, (const T *)s->x + at, weight, bias, n, (T *)s->y + at);
        }
}

/* adds e[0..n-1], n <= CHUNK, which begins at `at`, to the sums of its channels */
VECTORISED static void NAME(add_to_channels)(const Standardize *s, const T *e, int64_t at,
                                             int64_t n, double *sums)
{
    int64_t channel = at / s->width % s->channels;
    for (int64_t i = 0, end; i < n; i = end) {
        if (s->width == 1) {
            end = size_min(n, i + s->channels - channel);
            for (int64_t k = i; k < end; k++)
                sums[channel + k - i] += (double)e[k];
            channel = 0;
            continue;
        }
        end = size_min(n, i + s->width - (at + i) % s->width);
        sums[channel] += NAME(chunk_sum)(e + i, end - i);
        channel = channel + 1 < s->channels ? channel + 1 : 0;
    }
}

INLINED void NAME(multiply)(const T *a, const T *b, int64_t n, T *product)
{
    for (int64_t i = 0; i < n; i++)
        product[i] = a[i] * b[i];
}

/* what dx takes from h, and of z; and what multiplies the rest */
typedef struct {
    T mean[STRIP], slope[STRIP], factor[STRIP];
} NAME(Slopes);

INLINED void NAME(differentiate)(const NAME(Slopes) * d, bool is_strip, const T *g, const T *weight,
                                 const T *z, int64_t n, T *dx)
{
    T mean = d->mean[0], slope = d->slope[0], factor = d->factor[0];
    for (int64_t i = 0; i < n && is_strip; i++)
        dx[i] = d->factor[i] * ((g[i] * weight[i] - d->mean[i]) - z[i] * d->slope[i]);
    for (int64_t i = 0; i < n && !is_strip; i++)
        dx[i] = factor * ((g[i] * weight[i] - mean) - z[i] * slope);
}

/* With h = g weight and z, x standardised: dx = scale (h - mean(h) - z mean(h z)); what is summed of
 * g z and of g for each channel is the gradient of the weight and of the bias. Where a group is all
 * of a channel these sums are the same but for the weight. */
VECTORISED static void NAME(differentiate_groups)(const Standardize *s, int64_t j, int64_t width,
                                                  double *sums, NAME(Room) * room)
{
    NAME(Moments) m;
    NAME(take_moments)(s, j, width, &m);
    NAME(Slopes) d;
    bool is_strip = s->c == 1, is_channel = channels_are_groups(s);
    const T *own = is_channel ? NULL : s->weight, *common = is_channel ? s->weight : NULL;
    double all[STRIP], along[STRIP], count = (double)s->a * (double)s->c;
    for (int64_t l = 0; l < width; l++)
        all[l] = along[l] = 0;
    int64_t run = NAME(run_length)(s, width);
    for (int64_t r = 0; r < s->a; r++)
        for (int64_t from = 0; from < run; from += CHUNK) {
            int64_t at = (r * s->b + j) * s->c + from, n = size_min(CHUNK, run - from);
            const T *g = s->g_repeats ? room->g : (const T *)s->g + at;
            NAME(standardize)(&m, is_strip, (const T *)s->x + at, n, room->z);
            NAME(multiply)(g, room->z, n, room->gz);
            if (is_channel) {
                NAME(add_products)(is_strip, g, n, all);
                NAME(add_products)(is_strip, room->gz, n, along);
                continue;
            }
            NAME(multiply)(g, NAME(parameters)(s, own, at, n, room->weight), n, room->h);
            NAME(add_products)(is_strip, room->h, n, all);
            NAME(multiply)(room->h, room->z, n, room->h);
            NAME(add_products)(is_strip, room->h, n, along);
            if (sums != NULL) {
                NAME(add_to_channels)(s, room->gz, at, n, sums);
                NAME(add_to_channels)(s, g, at, n, sums + s->channels);
            }
        }
    for (int64_t l = 0; l < width; l++) {
        d.mean[l] = (T)(s->center == NULL && s->is_centered ? all[l] / count : 0);
        d.slope[l] = (T)(s->center == NULL ? along[l] / count : 0);
        d.factor[l] = m.scale[l] * m.unit[l] * (common != NULL ? common[j + l] : 1);
        if (is_channel && sums != NULL) {
            sums[j + l] = along[l];
            sums[s->channels + j + l] = all[l];
        }
    }
    for (int64_t r = 0; r < s->a && s->dx != NULL; r++)
        for (int64_t from = 0; from < run; from += CHUNK) {
            int64_t at = (r * s->b + j) * s->c + from, n = size_min(CHUNK, run - from);
            const T *weight = NAME(parameters)(s, own, at, n, room->weight);
            NAME(standardize)(&m, is_strip, (const T *)s->x + at, n, room->z);
            const T *g = s->g_repeats ? room->g : (const T *)s->g + at;
            NAME(differentiate)(&d, is_strip, g, weight, room->z, n, (T *)s->dx + at);
        }
}

static void NAME(standardize_piece)(void *context, int64_t piece)
{
    const Standardize *s = context;
    int64_t start = piece * s->together, last = size_min(start + s->together, s->b), width = 1;
    double *sums = s->sums;
    NAME(Room) room;
    for (int i = 0; i < CHUNK; i++) {
        room.weight[i] = 1;
        room.bias[i] = -(T)0;
        room.g[i] = s->g_repeats ? *(const T *)s->g : 0;
    }
    if (sums != NULL && !channels_are_groups(s))
        sums += piece * 2 * s->channels;
    for (int64_t j = start; j < last; j += width) {
        width = s->c == 1 ? size_min(STRIP, last - j) : 1;
        if (s->g != NULL)
            NAME(differentiate_groups)(s, j, width, sums, &room);
        else
            NAME(standardize_groups)(s, j, width, &room);
    }
}

/* the gradients of the parameters, from the sums that pieces have, in their order */
static void NAME(join_sums)(const Standardize *s, int64_t pieces)
{
    int64_t n = s->channels, parts = channels_are_groups(s) ? 1 : pieces;
    for (int64_t k = 0; k < 2 * n; k++) {
        double sum = 0;
        for (int64_t part = 0; part < parts; part++)
            sum += s->sums[part * 2 * n + k];
        T *out = k < n ? s->dweight : s->dbias;
        if (out != NULL)
            out[k % n] = (T)sum;
    }
}
