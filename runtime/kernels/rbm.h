/*
 * rbm.h - kernels of Restricted Boltzmann Machines
 *
 * Units see the input y = beta (x + bias) + (1 - beta) base: beta = 1 is the model itself, beta = 0
 * the reference model that tempering and annealed importance sampling start from. Each element of a
 * sample has random words of its own, named by the key and the element's index, so that the bits do
 * not depend on the number of threads.
 */
#ifndef RBM_H
#define RBM_H

#include "tensor/dtype.h"
#include "tensor/pool.h"

/* what `rows` layers of `n` units each see; all contiguous */
typedef struct {
    DType dtype; /* FLOAT32 or FLOAT64 */
    int64_t rows, n;
    void *x;            /* [rows, n] */
    const void *bias;   /* [n]; NULL: x holds probabilities already */
    const void *base;   /* [n]; NULL: zeros */
    const double *beta; /* one number, or one a row; NULL: 1 */
    bool beta_each;
} RbmInput;

/* how many Philox counters a sample of this size takes */
int64_t rbm_counters(int64_t rows, int64_t n);

/*
 * x becomes the probability 1 / (1 + exp(-y)); with draw, `sample` (which may be x) becomes 1 with
 * that probability and 0 else, from the counters [first, first + rbm_counters()) of `key`.
 */
void rbm_sample(Pool *pool, const RbmInput *input, bool draw, void *sample, uint64_t key,
                uint64_t first);

/* out[rows] = sum over the units of log(1 + exp(y)) */
void rbm_softplus(Pool *pool, const RbmInput *input, double *out);

/* each group of `categories` probabilities in p[rows, n] becomes one 1 among zeros; takes
 * rbm_counters(rows, n / categories) */
void rbm_sample_groups(Pool *pool, DType dtype, int64_t rows, int64_t n, int64_t categories,
                       void *p, uint64_t key, uint64_t first);

/* the largest number of units that are enumerated */
enum { RBM_ENUMERABLE = 25 };

/*
 * The logarithm of the sum over h in {0,1}^nh of exp(b h) prod_i (1 + exp(a_i + (h W)_i)), for
 * W[nh, nv], a[nv], b[nh]. scratch holds rbm_enumeration_scratch() doubles. False when the weights
 * are so large that a factor could overflow.
 */
size_t rbm_enumeration_scratch(int64_t nh, int64_t nv);
bool rbm_log_partition(Pool *pool, int64_t nh, int64_t nv, const double *w, const double *a,
                       const double *b, double *scratch, double *log_z);

#endif
