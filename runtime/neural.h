/*
 * neural.h - fused kernels of networks: softmax and optimiser steps (layer 3)
 *
 * Each does in one pass over memory what tensor operations would do in many.
 */
#ifndef NEURAL_H
#define NEURAL_H

#include "pool.h"
#include "tensor.h"

/*
 * y[rows, n] = softmax of each row of x, or its logarithm; floats, contiguous, y may be x:
 * exp(x - max) / sum exp(x - max). n >= 1.
 */
void neural_softmax(Pool *pool, DType dtype, int64_t rows, int64_t n, const void *x, void *y,
                    bool logarithm);

/* [Kingma2015] as PyTorch computes it; all blocks hold n elements of `dtype` and are changed in
 * place */
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
