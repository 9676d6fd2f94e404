/*
 * random.c - random numbers; see random.h
 *
 * Both engines make RANDOM_WORDS words at a time. For MT19937 that is one step of its whole state,
 * written as loops without dependence between neighbours, which the compiler vectorises.
 */
#include <math.h>
#include <string.h>

#include "kernels/philox.h"
#include "kernels/random.h"
#include "kernels/vector_math.h"
#include "tensor/interrupt.h"

static const double PI = 3.141592653589793, TWO_PI = 6.283185307179586;

/* ---- engines ---- */

enum { SHIFT = 397 }; /* MT19937's m */

static inline uint32_t mt_twist(uint32_t high, uint32_t low, uint32_t far)
{
    uint32_t y = (high & 0x80000000U) | (low & 0x7fffffffU);
    return far ^ (y >> 1) ^ (-(y & 1U) & 0x9908b0dfU);
}

VECTORISED static void mt_temper(const uint32_t *mt, uint32_t *words)
{
    for (int i = 0; i < RANDOM_WORDS; i++) {
        uint32_t y = mt[i];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680U;
        y ^= (y << 15) & 0xefc60000U;
        words[i] = y ^ (y >> 18);
    }
}

VECTORISED static void mt_step(uint32_t *mt)
{
    enum { N = RANDOM_WORDS, FIRST = N - SHIFT };
    for (int i = 0; i < FIRST; i++)
        mt[i] = mt_twist(mt[i], mt[i + 1], mt[i + SHIFT]);
    for (int i = FIRST; i < 2 * FIRST; i++)
        mt[i] = mt_twist(mt[i], mt[i + 1], mt[i - FIRST]);
    for (int i = 2 * FIRST; i < N - 1; i++)
        mt[i] = mt_twist(mt[i], mt[i + 1], mt[i - FIRST]);
    mt[N - 1] = mt_twist(mt[N - 1], mt[0], mt[SHIFT - 1]);
}

static void philox_words(uint64_t seed, uint64_t first_block, uint32_t *words)
{
    for (uint64_t i = 0; i < RANDOM_WORDS / 4; i++)
        philox_block(seed, first_block + i, words + 4 * i);
}

static void refill(Generator *g)
{
    if (g->engine == MT19937) {
        mt_step(g->mt);
        mt_temper(g->mt, g->words);
    } else {
        philox_words(g->seed, g->counter, g->words);
        g->counter += RANDOM_WORDS / 4;
    }
    g->at = 0;
}

void random_seed(Generator *g, Engine engine, uint64_t seed)
{
    memset(g, 0, sizeof *g);
    g->engine = engine;
    g->seed = seed;
    g->at = RANDOM_WORDS;
    g->mt[0] = (uint32_t)seed;
    for (uint32_t i = 1; i < RANDOM_WORDS; i++)
        g->mt[i] = 1812433253U * (g->mt[i - 1] ^ (g->mt[i - 1] >> 30)) + i;
}

Reason random_restore(Generator *g, const void *state)
{
    Generator restored;
    memcpy(&restored, state, RANDOM_STATE_SIZE);
    if (restored.engine > PHILOX || restored.at > RANDOM_WORDS || restored.has_normal > 1 ||
        (restored.engine == PHILOX && restored.at < RANDOM_WORDS &&
         restored.counter < RANDOM_WORDS / 4))
        return "these bytes are not a generator's state";
    if (restored.engine == MT19937)
        mt_temper(restored.mt, restored.words);
    else
        philox_words(restored.seed, restored.counter - RANDOM_WORDS / 4, restored.words);
    *g = restored;
    return NULL;
}

static inline uint32_t next_u32(Generator *g)
{
    if (g->at == RANDOM_WORDS)
        refill(g);
    return g->words[g->at++];
}

uint64_t random_u64(Generator *g)
{
    uint64_t high = next_u32(g);
    return high << 32 | next_u32(g);
}

uint64_t random_reserve(Generator *g, uint64_t counters)
{
    uint64_t first = g->counter;
    g->counter += counters;
    g->at = RANDOM_WORDS;
    return first;
}

static inline double unit_f64(Generator *g)
{
    return (double)(random_u64(g) & ((1ULL << 53) - 1)) * 0x1p-53;
}

static inline float unit_f32(Generator *g)
{
    return (float)(next_u32(g) & 0xffffff) * 0x1p-24F;
}

/* ---- uniform ---- */

VECTORISED static void words_to_uniform(int64_t n, const uint32_t *words, float *out, float low,
                                        float width)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = __builtin_fmaf((float)(int32_t)(words[i] & 0xffffff) * 0x1p-24F, width, low);
}

static void uniform_f32(Generator *g, int64_t n, float *out, float low, float high)
{
    while (n > 0 && !interrupt_wanted()) {
        if (g->at == RANDOM_WORDS)
            refill(g);
        int64_t run = size_min(n, RANDOM_WORDS - (int64_t)g->at);
        words_to_uniform(run, g->words + g->at, out, low, high - low);
        g->at += (uint32_t)run;
        out += run;
        n -= run;
    }
}

static void uniform_f64(Generator *g, int64_t n, double *out, double low, double high)
{
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        out[i] = fma(unit_f64(g), high - low, low);
}

void random_uniform(Generator *g, DType dtype, int64_t n, void *out, double low, double high)
{
    if (dtype == FLOAT32)
        uniform_f32(g, n, out, (float)low, (float)high);
    else
        uniform_f64(g, n, out, low, high);
}

/* ---- normal ---- */

/* uniforms d[0..15] become normals, in pairs of eight apart; logarithm and angle in double, so that
 * float32 results are rounded once */
VECTORISED static void sixteen_f32(float *d, float mean, float std)
{
    for (int j = 0; j < 8; j++) {
        double r = sqrt(-2 * log((double)(1 - d[j])));
        double t = (double)((float)TWO_PI * d[j + 8]);
        float c = (float)(r * cos(t)), s = (float)(r * sin(t));
        d[j] = __builtin_fmaf(c, std, mean);
        d[j + 8] = __builtin_fmaf(s, std, mean);
    }
}

VECTORISED static void sixteen_f64(double *d, double mean, double std)
{
    for (int j = 0; j < 8; j++) {
        double r = sqrt(-2 * log(1 - d[j])), t = TWO_PI * d[j + 8];
        double c = r * cos(t), s = r * sin(t);
        d[j] = c * std + mean;
        d[j + 8] = s * std + mean;
    }
}

static void normal_chunks(Generator *g, DType dtype, int64_t n, void *out, double mean, double std)
{
    enum { CHUNK = 1 << 14 };
    for (int64_t begin = 0; begin < n && !interrupt_wanted(); begin += CHUNK) {
        int64_t count = size_min(CHUNK, n - begin);
        char *chunk = (char *)out + begin * dtype_size(dtype);
        random_uniform(g, dtype, count, chunk, 0, 1);
        for (int64_t i = 0; i + 16 <= count; i += 16) {
            if (dtype == FLOAT32)
                sixteen_f32((float *)(void *)chunk + i, (float)mean, (float)std);
            else
                sixteen_f64((double *)(void *)chunk + i, mean, std);
        }
    }
    if (n % 16 == 0)
        return;
    /* the last sixteen elements are drawn afresh, over values that were finished */
    char *last = (char *)out + (n - 16) * dtype_size(dtype);
    normal_chunks(g, dtype, 16, last, mean, std);
}

/* one normal by Box and Muller's method; its twin waits in the generator */
static double next_normal(Generator *g)
{
    if (g->has_normal) {
        g->has_normal = 0;
        return g->normal;
    }
    double u1 = unit_f64(g), u2 = unit_f64(g);
    double r = sqrt(-2 * log1p(-u2)), t = TWO_PI * u1;
    g->normal = r * sin(t);
    g->has_normal = 1;
    return r * cos(t);
}

static void store_float(DType dtype, void *out, int64_t i, double value)
{
    dtype_store(dtype, (char *)out + i * dtype_size(dtype),
                (Scalar){CATEGORY_FLOAT, dtype_truncate(value), value});
}

static void store_integer(DType dtype, void *out, int64_t i, int64_t value)
{
    dtype_store(dtype, (char *)out + i * dtype_size(dtype),
                (Scalar){CATEGORY_INTEGER, value, (double)value});
}

void random_normal(Generator *g, DType dtype, int64_t n, void *out, double mean, double std,
                   bool whole)
{
    if (whole && n >= 16) {
        normal_chunks(g, dtype, n, out, mean, std);
        return;
    }
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        store_float(dtype, out, i, next_normal(g) * std + mean);
}

/* ---- integers ---- */

void random_integers(Generator *g, DType dtype, int64_t n, void *out, int64_t low, uint64_t range)
{
    bool wide = range >= 1U << 28;
    for (int64_t i = 0; interrupt_allows(i, n); i++) {
        uint64_t draw = (wide ? random_u64(g) : next_u32(g)) % range;
        store_integer(dtype, out, i, (int64_t)(draw + (uint64_t)low));
    }
}

void random_natural(Generator *g, DType dtype, int64_t n, void *out)
{
    static const uint64_t range[DTYPE_COUNT] = {
        [BOOL] = 2,
        [UINT8] = 256,
        [INT32] = 1ULL << 31,
        [INT64] = 1ULL << 63,
        [FLOAT32] = (1ULL << 24) + 1,
        [FLOAT64] = (1ULL << 53) + 1,
    };
    bool wide = dtype == INT64 || dtype == FLOAT64;
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        store_integer(dtype, out, i,
                      (int64_t)((wide ? random_u64(g) : next_u32(g)) % range[dtype]));
}

/* Each element changes places with a later one or itself. The draws go ahead, so that what they
 * choose is on its way from memory. */
void random_permutation(Generator *g, int64_t n, int64_t *out)
{
    enum { DRAWS = 64 };
    int64_t chosen[DRAWS];
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        out[i] = i + 1;
    for (int64_t first = 0; first < n - 1 && !interrupt_wanted(); first += DRAWS) {
        int64_t count = size_min(DRAWS, n - 1 - first);
        for (int64_t i = 0; i < count; i++) {
            chosen[i] = first + i + next_u32(g) % (uint32_t)(n - first - i);
            __builtin_prefetch(out + chosen[i], 1);
        }
        for (int64_t i = 0; i < count; i++) {
            int64_t held = out[first + i];
            out[first + i] = out[chosen[i]];
            out[chosen[i]] = held;
        }
    }
}

/* ---- probabilities ---- */

void random_bernoulli(Generator *g, DType dtype, int64_t n, void *out, double p)
{
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        store_integer(dtype, out, i, unit_f64(g) < p);
}

/* one of a row of floats, in double */
static double load_float(DType dtype, const void *x, int64_t i)
{
    return dtype == FLOAT32 ? (double)((const float *)x)[i] : ((const double *)x)[i];
}

void random_bernoulli_each(Generator *g, DType dtype, int64_t n, void *out, DType p_dtype,
                           const void *p)
{
    for (int64_t i = 0; interrupt_allows(i, n); i++) {
        double u = p_dtype == FLOAT32 ? (double)unit_f32(g) : unit_f64(g);
        store_integer(dtype, out, i, u < load_float(p_dtype, p, i));
    }
}

/* ---- laws on one uniform or normal ---- */

void random_exponential(Generator *g, DType dtype, int64_t n, void *out, double lambda)
{
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        store_float(dtype, out, i, -1 / lambda * log1p(-unit_f64(g)));
}

void random_cauchy(Generator *g, DType dtype, int64_t n, void *out, double median, double sigma)
{
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        store_float(dtype, out, i, median + sigma * tan(PI * (unit_f64(g) - 0.5)));
}

void random_log_normal(Generator *g, DType dtype, int64_t n, void *out, double mean, double std)
{
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        store_float(dtype, out, i, exp(next_normal(g) * std + mean));
}

void random_geometric(Generator *g, DType dtype, int64_t n, void *out, double p)
{
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        store_float(dtype, out, i, ceil(log(unit_f64(g)) / log1p(-p)));
}

/* ---- Poisson ---- */

/* Arrivals until time 1, by the product of their uniform waits [Knuth1969]. */
static double poisson_small(Generator *g, double rate)
{
    double least = exp(-rate), product = unit_f64(g), count = 0;
    for (; product > least; product *= unit_f64(g))
        count++;
    return count;
}

/* Transformed rejection, PTRS of [Hormann1993]: the squeeze accepts most points at once. */
static double poisson_large(Generator *g, double rate)
{
    double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_r = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = unit_f64(g) - 0.5, v = unit_f64(g), us = 0.5 - fabs(u);
        double k = floor((2 * a / us + b) * u + rate + 0.43);
        if (us >= 0.07 && v <= v_r)
            return k;
        if (k < 0 || (us < 0.013 && v > us))
            continue;
        if (log(v) + log(inverse_alpha) - log(a / (us * us) + b) <=
            -rate + k * log(rate) - lgamma(k + 1))
            return k;
    }
}

void random_poisson_each(Generator *g, DType dtype, int64_t n, void *out, const void *rate)
{
    enum { SMALL = 10 };
    for (int64_t i = 0; interrupt_allows(i, n); i++) {
        double r = load_float(dtype, rate, i);
        store_float(dtype, out, i,
                    r == 0      ? 0
                    : r < SMALL ? poisson_small(g, r)
                                : poisson_large(g, r));
    }
}

/* ---- categories ---- */

/* the value as the tensor's type holds it */
static double rounded(DType dtype, double value)
{
    return dtype == FLOAT32 ? (double)(float)value : value;
}

void random_multinomial(Generator *g, DType dtype, int64_t n, const void *p, int64_t samples,
                        bool replacement, int64_t *out, double *scratch)
{
    if (!replacement || samples == 1) {
        /* exponential races: the largest p / q win, q ~ exponential(1) */
        for (int64_t i = 0; interrupt_allows(i, n); i++) {
            double q = rounded(dtype, -log1p(-unit_f64(g)));
            scratch[i] =
                load_float(dtype, p, i) == 0 ? -1 : rounded(dtype, load_float(dtype, p, i) / q);
        }
        for (int64_t s = 0; s < samples && !interrupt_wanted(); s++) {
            int64_t best = 0;
            for (int64_t i = 1; i < n; i++)
                if (scratch[i] > scratch[best])
                    best = i;
            out[s] = best + 1;
            scratch[best] = -1;
        }
        return;
    }
    double sum = 0;
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        scratch[i] = sum = rounded(dtype, sum + load_float(dtype, p, i));
    for (int64_t i = 0; interrupt_allows(i, n); i++)
        scratch[i] = rounded(dtype, scratch[i] / sum);
    scratch[n - 1] = 1;
    for (int64_t s = 0; interrupt_allows(s, samples); s++) {
        double u = unit_f64(g);
        int64_t first = 0, last = n - 1;
        while (first < last) {
            int64_t middle = first + (last - first) / 2;
            if (scratch[middle] < u)
                first = middle + 1;
            else
                last = middle;
        }
        out[s] = first + 1;
    }
}
