/*
 * neural.h - fused kernels of networks: softmax, standardisation, optimiser steps
 *
 * Each does in one pass over memory what tensor operations would do in many.
 */
#ifndef NEURAL_H
#define NEURAL_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

/*
 * y[rows, n] = softmax of each row of x, or its logarithm; floats, contiguous, y may be x:
 * exp(x - max) / sum exp(x - max). n >= 1.
 */
void neural_softmax(Pool *pool, DType dtype, int64_t rows, int64_t n, const void *x, void *y,
                    bool logarithm);

/*
 * y[a, b, c] = (x - mean[b]) / sqrt(variance[b] + eps), the mean and biased variance of each b over
 * all a and c; floats, contiguous, y may be x.
 */
void neural_standardize(Pool *pool, DType dtype, const int64_t shape[3], double eps, const void *x,
                        void *y, void *mean, void *variance);

/* g[a, b, c], the gradient of that y, becomes the gradient of x; aliases x nowhere */
void neural_standardize_gradient(Pool *pool, DType dtype, const int64_t shape[3], double eps,
                                 const void *x, void *g);

/* [Kingma2015] as PyTorch computes it;
 * all blocks hold n elements of `dtype` and are changed in place */
typedef struct {
    DType dtype;
    int64_t n;
    void *param;
    const void *grad;
    void *exp_avg, *exp_avg_sq;
    void *max_exp_avg_sq; /* NULL unless amsgrad */
    double lr, beta1, beta2, eps, weight_decay;
    double step; /* counts from 1 */
    bool maximize;
    bool decoupled; /* the decay shrinks the parameter, and is no part of the gradient */
} AdamStep;

void neural_adam_step(Pool *pool, const AdamStep *adam);

/* param -= lr * (momentum-averaged grad) */
typedef struct {
    DType dtype;
    int64_t n;
    void *param;
    const void *grad;
    void *buffer; /* the momentum so far; NULL without momentum */
    bool first;   /* the buffer starts as the gradient */
    double lr, momentum, dampening, weight_decay;
    bool nesterov, maximize;
} SgdStep;

void neural_sgd_step(Pool *pool, const SgdStep *sgd);

#endif
