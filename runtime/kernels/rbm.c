/*
 * rbm.c - kernels of Restricted Boltzmann Machines; see rbm.h
 *
 * One function for each float type, read through each_float.h; then the enumeration.
 */
#include <string.h>

#include "kernels/philox.h"
#include "kernels/rbm.h"
#include "kernels/special_float.h"
#include "kernels/vector_math.h"

#include <tgmath.h>

enum {
    CHUNK = PHILOX_WORDS, /* units at a time */
    LIMIT = 80,           /* exp(-80) is the smallest that is used */
    FACTORS = 8,          /* factors between two logarithms */
    ELEMENTS = 1 << 13,   /* units a thread takes at a time, about */
};

typedef struct {
    const RbmInput *input;
    void *sample;
    uint64_t key, first;
    int64_t rows_a_piece;
} Sampling;

typedef struct {
    const RbmInput *input;
    double *out;
    int64_t rows_a_piece;
} Softplus;

typedef struct {
    int64_t rows, n, categories;
    void *p;
    uint64_t key, first;
    int64_t rows_a_piece;
} Groups;

#define KERNELS "kernels/rbm_kernels.h"
#include "kernels/each_float.h"

static int64_t rows_a_piece(int64_t n)
{
    return size_max(1, ELEMENTS / size_max(n, 1));
}

int64_t rbm_counters(int64_t rows, int64_t n)
{
    return rows * size_pieces(n, CHUNK) * PHILOX_LANES;
}

void rbm_sample(Pool *pool, const RbmInput *input, bool draw, void *sample, uint64_t key,
                uint64_t first)
{
    Sampling s = {input, draw ? sample : NULL, key, first, rows_a_piece(input->n)};
    pool_run(pool, input->dtype == FLOAT32 ? sample_rows_f32 : sample_rows_f64, &s,
             size_pieces(input->rows, s.rows_a_piece));
}

void rbm_softplus(Pool *pool, const RbmInput *input, double *out)
{
    Softplus s = {input, out, rows_a_piece(input->n)};
    pool_run(pool, input->dtype == FLOAT32 ? softplus_rows_f32 : softplus_rows_f64, &s,
             size_pieces(input->rows, s.rows_a_piece));
}

void rbm_sample_groups(Pool *pool, DType dtype, int64_t rows, int64_t n, int64_t categories,
                       void *p, uint64_t key, uint64_t first)
{
    Groups s = {rows, n, categories, p, key, first, rows_a_piece(n)};
    pool_run(pool, dtype == FLOAT32 ? sample_groups_f32 : sample_groups_f64, &s,
             size_pieces(rows, s.rows_a_piece));
}

/* ---- enumeration ----
 *
 * h = (low, high). With L[i, low] = exp((W_low low)_i) and H[i] = exp(a_i + (W_high high)_i) a
 * factor is 1 + L H: one multiply-add, and no exponential. `high` walks in Gray code, so that one
 * unit changes and H is multiplied by exp(+-w). The factors are multiplied as mantissas, their
 * exponents summed as integers, and one logarithm at the end suffices.
 */

enum {
    LOW = 6,         /* units in `low`: the table then fits a level-2 cache */
    LOWS = 1 << LOW, /* states of `low` */
    WALK = 1 << 9,   /* states of `high` in a piece, each begun afresh, so that errors stay small */
    MOST_SIZE = 700, /* exp of it is still a number */
};

typedef struct {
    int64_t nh, nv, low, high;
    int interval; /* factors between two rescalings */
    const double *w, *a, *b;
    double *table;     /* L [nv, LOWS] */
    double *low_bias;  /* [LOWS] */
    double *up, *down; /* exp(w), exp(-w) of the high units [high, nv] */
    double *walker;    /* H [pieces, nv] */
    double *partial;   /* log sum of each piece */
} Enumeration;

static int64_t enumeration_pieces(int64_t nh)
{
    int64_t high = size_max(nh - LOW, 0);
    return size_pieces((int64_t)1 << high, WALK);
}

size_t rbm_enumeration_scratch(int64_t nh, int64_t nv)
{
    int64_t pieces = enumeration_pieces(nh);
    return (size_t)(nv * LOWS + LOWS + 2 * nh * nv + pieces * (nv + 1));
}

/* takes the exponents out of product[] */
static inline void split_exponents(double *product, int64_t *exponent)
{
    for (int l = 0; l < LOWS; l++) {
        uint64_t bits;
        memcpy(&bits, product + l, sizeof bits);
        exponent[l] += (int64_t)(bits >> 52) - 1023;
        bits = (bits & 0x000fffffffffffffU) | 0x3ff0000000000000U;
        memcpy(product + l, &bits, sizeof bits);
    }
}

/* value[low] = sum over i of log(1 + L[i, low] H[i]) */
VECTORISED static void sum_logarithms(const Enumeration *e, const double *h, double *value)
{
    double product[LOWS];
    int64_t exponent[LOWS];
    for (int l = 0; l < LOWS; l++) {
        product[l] = 1;
        exponent[l] = 0;
    }
    for (int64_t i = 0; i < e->nv; i += e->interval) {
        int64_t last = size_min(i + e->interval, e->nv);
        for (int64_t j = i; j < last; j++)
            for (int l = 0; l < LOWS; l++)
                product[l] *= 1 + e->table[j * LOWS + l] * h[j];
        split_exponents(product, exponent);
    }
    for (int l = 0; l < LOWS; l++)
        value[l] = log(product[l]) + (double)exponent[l] * 0.69314718055994530942;
}

static void enumerate_piece(void *context, int64_t piece)
{
    const Enumeration *e = context;
    double *h = e->walker + piece * e->nv, value[LOWS];
    double most = -INFINITY, sum = 1; /* nothing yet: exp(-infinity) times 1 */
    int64_t states = (int64_t)1 << e->high, lows = (int64_t)1 << e->low;
    int64_t last = size_min((piece + 1) * WALK, states);
    for (int64_t state = piece * WALK; state < last; state++) {
        int64_t code = state ^ (state >> 1);
        if (state == piece * WALK) {
            memcpy(h, e->a, (size_t)e->nv * sizeof *h);
            for (int64_t j = 0; j < e->high; j++)
                for (int64_t i = 0; code >> j & 1 && i < e->nv; i++)
                    h[i] += e->w[(e->low + j) * e->nv + i];
            for (int64_t i = 0; i < e->nv; i++)
                h[i] = exp(h[i]);
        } else {
            int64_t j = __builtin_ctzll((unsigned long long)state);
            const double *factor = (code >> j & 1 ? e->up : e->down) + j * e->nv;
            for (int64_t i = 0; i < e->nv; i++)
                h[i] *= factor[i];
        }
        double bias = 0;
        for (int64_t j = 0; j < e->high; j++)
            bias += code >> j & 1 ? e->b[e->low + j] : 0;
        sum_logarithms(e, h, value);
        for (int64_t l = 0; l < lows; l++) {
            double term = value[l] + e->low_bias[l] + bias;
            if (term > most) {
                sum = sum * exp(most - term) + 1;
                most = term;
            } else {
                sum += exp(term - most);
            }
        }
    }
    e->partial[piece] = most + log(sum);
}

static void fill_tables(const Enumeration *e)
{
    for (int64_t l = 0; l < LOWS; l++) {
        e->low_bias[l] = 0;
        for (int64_t j = 0; j < e->low; j++)
            e->low_bias[l] += l >> j & 1 ? e->b[j] : 0;
        for (int64_t i = 0; i < e->nv; i++) {
            double x = 0;
            for (int64_t j = 0; j < e->low; j++)
                x += l >> j & 1 ? e->w[j * e->nv + i] : 0;
            e->table[i * LOWS + l] = exp(x);
        }
    }
    for (int64_t k = 0; k < e->high * e->nv; k++) {
        e->up[k] = exp(e->w[e->low * e->nv + k]);
        e->down[k] = exp(-e->w[e->low * e->nv + k]);
    }
}

/* the largest size that the input of a visible unit can have */
static double largest_input(int64_t nh, int64_t nv, const double *w, const double *a)
{
    double largest = 0;
    for (int64_t i = 0; i < nv; i++) {
        double size = fabs(a[i]);
        for (int64_t j = 0; j < nh; j++)
            size += fabs(w[j * nv + i]);
        largest = size > largest || size != size ? size : largest;
    }
    return largest;
}

bool rbm_log_partition(Pool *pool, int64_t nh, int64_t nv, const double *w, const double *a,
                       const double *b, double *scratch, double *log_z)
{
    double largest = largest_input(nh, nv, w, a) + 1;
    if (!(largest < MOST_SIZE))
        return false;
    int64_t low = size_min(nh, LOW), pieces = enumeration_pieces(nh);
    Enumeration e = {.nh = nh, .nv = nv, .low = low, .high = nh - low, .w = w, .a = a, .b = b};
    e.interval = (int)(largest * 16 < MOST_SIZE ? 16 : MOST_SIZE / largest);
    e.table = scratch;
    e.low_bias = e.table + nv * LOWS;
    e.up = e.low_bias + LOWS;
    e.down = e.up + e.high * nv;
    e.walker = e.down + e.high * nv;
    e.partial = e.walker + pieces * nv;
    fill_tables(&e);
    pool_run(pool, enumerate_piece, &e, pieces);
    double most = e.partial[0];
    for (int64_t p = 1; p < pieces; p++)
        most = e.partial[p] > most ? e.partial[p] : most;
    double sum = exp(e.partial[0] - most);
    for (int64_t p = 1; p < pieces; p++)
        sum += exp(e.partial[p] - most);
    *log_z = most + log(sum);
    return true;
}
