/*
 * optim.h - steps of optimisers, each over a whole group of parameters
 *
 * The elements of a group are counted through its parameters; a thread takes a range of them: many
 * small parameters, or a part of a large one.
 */
#ifndef OPTIM_H
#define OPTIM_H

#include "tensor/dtype.h"
#include "tensor/pool.h"

enum { OPTIM_STATES = 3, OPTIM_RANGE = 1 << 14 /* elements a thread takes at a time */ };

/* a parameter of a group; each block holds n elements of `dtype` */
typedef struct {
    DType dtype;
    int64_t before; /* elements of the group before it */
    int64_t n;
    void *param; /* changed in place, as the state is */
    const void *grad;
    void *state[OPTIM_STATES]; /* as each step says */
    uint32_t made;             /* bit i: state[i] has been made for this step, of zeros */
    double step;               /* counts from 1 */
    double correction[2];      /* adam: of the running means' bias towards 0 */
} OptimParam;

typedef struct {
    int64_t count, n; /* parameters, and the elements of them all */
    bool overlaps;    /* parameters share memory, and go one after the other */
    OptimParam params[];
} OptimGroup;

/* [Kingma2015] as PyTorch computes it */
enum { ADAM_EXP_AVG, ADAM_EXP_AVG_SQ, ADAM_MAX_EXP_AVG_SQ /* NULL unless amsgrad */ };
typedef struct {
    double lr, beta1, beta2, eps, weight_decay;
    bool amsgrad, maximize;
    bool decoupled; /* the decay shrinks the parameter, and is no part of the gradient */
} AdamOptions;

void optim_adam(Pool *pool, const AdamOptions *options, OptimGroup *group);

/* param -= lr * (momentum-averaged grad) */
enum { SGD_MOMENTUM_BUFFER /* NULL without momentum; one just made starts as the gradient */ };
typedef struct {
    double lr, momentum, dampening, weight_decay;
    bool nesterov, maximize;
} SgdOptions;

void optim_sgd(Pool *pool, const SgdOptions *options, OptimGroup *group);

#endif
