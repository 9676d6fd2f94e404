/*
 * random.h - random numbers
 *
 * A Generator is a stream of 32-bit words with a position. Engine MT19937 is Matsumoto and
 * Nishimura's generator, and what is drawn from it is drawn as PyTorch's CPU generator draws it,
 * word for word. Engine PHILOX is Philox4x32-10 of Random123 [Salmon2011]: word i depends on the
 * seed and i alone. Everything is drawn by one thread, in memory order.
 */
#ifndef RANDOM_H
#define RANDOM_H

#include "tensor/dtype.h"

typedef enum { MT19937, PHILOX } Engine;

enum { RANDOM_WORDS = 624 };

typedef struct {
    uint32_t engine;
    uint32_t at;      /* next of words[]; RANDOM_WORDS when they are used up */
    uint64_t seed;    /* as given */
    uint64_t counter; /* PHILOX: blocks of four words made so far */
    double normal;    /* the second of a pair of normal draws, if has_normal */
    uint64_t has_normal;
    uint32_t mt[RANDOM_WORDS]; /* MT19937: the state behind words[] */
    uint32_t words[RANDOM_WORDS];
} Generator;

/* the part of a Generator that is its state; words[] follows from it */
enum { RANDOM_STATE_SIZE = offsetof(Generator, words) };

/* Starts the stream of this seed (of its low 32 bits for MT19937) and forgets a cached normal. */
void random_seed(Generator *g, Engine engine, uint64_t seed);

/* g's state from RANDOM_STATE_SIZE bytes; refuses bytes that cannot be one */
Reason random_restore(Generator *g, const void *state);

uint64_t random_u64(Generator *g);

/* PHILOX only: takes `counters` counters out of the stream for a kernel that uses them itself, and
 * returns the first; words made but not yet drawn are given up */
uint64_t random_reserve(Generator *g, uint64_t counters);

/* Fillers of n elements in a contiguous block of `dtype`.
 * Bounds and moments are in double, as in PyTorch. */

/* [low, high), from 24 bits (float32) or 53 bits (float64) */
void random_uniform(Generator *g, DType dtype, int64_t n, void *out, double low, double high);
/* `whole` says that the block is the whole of a contiguous tensor: 16 elements or more are then
 * drawn in pairs of eight, all others one by one through the cache */
void random_normal(Generator *g, DType dtype, int64_t n, void *out, double mean, double std,
                   bool whole);
/* low + a draw modulo `range`, a positive number */
void random_integers(Generator *g, DType dtype, int64_t n, void *out, int64_t low, uint64_t range);
/* the whole range: 0..2^31-1 for int32, 0..2^63-1 for int64, 0..2^24 and 0..2^53 for floats, 0..255
 * and 0..1 for uint8 and bool */
void random_natural(Generator *g, DType dtype, int64_t n, void *out);
void random_bernoulli(Generator *g, DType dtype, int64_t n, void *out, double p);
/* out[i] is 1 with probability p[i]; p is float32 (a word each) or float64 (two) */
void random_bernoulli_each(Generator *g, DType dtype, int64_t n, void *out, DType p_dtype,
                           const void *p);
/* One uniform an element (random_log_normal: one normal, through the cache), in double. Rates and
 * scales are positive, 0 < p < 1. */
void random_exponential(Generator *g, DType dtype, int64_t n, void *out, double lambda);
void random_cauchy(Generator *g, DType dtype, int64_t n, void *out, double median, double sigma);
void random_log_normal(Generator *g, DType dtype, int64_t n, void *out, double mean, double std);
/* how many trials until the first success, of any type */
void random_geometric(Generator *g, DType dtype, int64_t n, void *out, double p);
/* out[i] is drawn from the Poisson distribution with the mean rate[i] >= 0; float32 or float64 */
void random_poisson_each(Generator *g, DType dtype, int64_t n, void *out, const void *rate);
/* 1..n in random order */
void random_permutation(Generator *g, int64_t n, int64_t *out);

/*
 * out[samples]: categories from 1, drawn with the weights p[n] (float32 or float64, not negative,
 * not all 0), with replacement or without (samples <= nonzero weights then). scratch holds n
 * doubles.
 */
void random_multinomial(Generator *g, DType dtype, int64_t n, const void *p, int64_t samples,
                        bool replacement, int64_t *out, double *scratch);

#endif
