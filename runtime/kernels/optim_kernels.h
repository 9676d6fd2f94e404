/*
 * optim_kernels.h - the kernels of optim.c for one float type; read through each_float.h
 */

/*
 * m += (1 - beta1) (g - m),  v = beta2 v + (1 - beta2) g^2
 * param -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
 * with g = grad + weight_decay param; where that is decoupled, g = grad, and param is first shrunk
 * by 1 - lr weight_decay.
 * A v too small for a normal number becomes 0: it would slow every later step and change none.
 */
VECTORISED static void NAME(adam)(const void *options, const OptimParam *param, int64_t begin,
                                  int64_t end)
{
    const AdamOptions *o = options;
    T *restrict p = param->param;
    T *restrict m = param->state[ADAM_EXP_AVG];
    T *restrict v = param->state[ADAM_EXP_AVG_SQ];
    T *restrict most = param->state[ADAM_MAX_EXP_AVG_SQ];
    const T *restrict grad = param->grad;
    const T beta1 = (T)o->beta1, rest1 = (T)(1 - o->beta1), beta2 = (T)o->beta2,
            rest2 = (T)(1 - o->beta2);
    const T decay = o->decoupled ? 0 : (T)o->weight_decay, sign = o->maximize ? -1 : 1;
    const T shrink = o->decoupled ? (T)(1 - o->lr * o->weight_decay) : 1;
    /* the root's correction goes to the other side of the division: one division less an element */
    const T size = (T)(o->lr / param->correction[0] * param->correction[1]);
    const T eps = (T)(o->eps * param->correction[1]);
    const T least = sizeof(T) == 4 ? (T)0x1p-126 : (T)0x1p-1022;
    for (int64_t i = begin; i < end; i++) {
        const T old = p[i], g = sign * grad[i] + decay * old;
        T mean = beta1 * m[i] + rest1 * g, square = beta2 * v[i] + rest2 * g * g;
        m[i] = mean = mean < least && mean > -least ? 0 : mean;
        v[i] = square = square < least ? 0 : square;
        if (most)
            most[i] = square = fmax(most[i], square);
        p[i] = shrink * old - size * mean / (sqrt(square) + eps);
    }
}

/* g += decay param;  buffer = momentum buffer + (1 - dampening) g;  param -= lr (nesterov ? g +
 * momentum buffer : buffer) */
VECTORISED static void NAME(sgd)(const void *options, const OptimParam *param, int64_t begin,
                                 int64_t end)
{
    const SgdOptions *o = options;
    T *restrict p = param->param;
    T *restrict buffer = param->state[SGD_MOMENTUM_BUFFER];
    const T *restrict grad = param->grad;
    const T lr = (T)o->lr, decay = (T)o->weight_decay, momentum = (T)o->momentum,
            sign = o->maximize ? -1 : 1;
    const T rest = (T)(1 - o->dampening);
    const bool first = param->made & 1u << SGD_MOMENTUM_BUFFER, nesterov = o->nesterov;
    for (int64_t i = begin; i < end; i++) {
        T g = sign * grad[i] + decay * p[i];
        if (buffer) {
            buffer[i] = first ? g : momentum * buffer[i] + rest * g;
            g = nesterov ? g + momentum * buffer[i] : buffer[i];
        }
        p[i] -= lr * g;
    }
}
