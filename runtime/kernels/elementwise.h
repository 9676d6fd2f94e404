/*
 * elementwise.h - operations that treat every element alike
 *
 * The operations are the rows of ops.def. Operands are views that broadcast to the output, or bare
 * numbers. All kernels see contiguous blocks of one compute type (float32, float64 or int64);
 * reading, converting and writing strided memory is the same code for all of them. An element's
 * bits depend neither on its index nor on threads.
 */
#ifndef ELEMENTWISE_H
#define ELEMENTWISE_H

#include "tensor/pool.h"
#include "tensor/tensor.h"

typedef struct {
    bool is_scalar;
    Scalar scalar; /* when it is one */
    View view;     /* else */
} Operand;

/*
 * out = op(in[0], ..., in[arity-1]); every operand broadcasts to out's shape. `compute` is float32,
 * float64 or int64. out may be one of the operands (same view); otherwise it must not overlap them.
 */
void elementwise_run(Pool *pool, int op, DType compute, const View *out, const Operand *in);

/* An operand that lies like the output: elements of the compute type, one after another; or a number */
typedef struct {
    const void *data; /* NULL where it is a number */
    Scalar scalar;
} Row;

/* the same for n elements where all operands lie like the output, of a row whose result is of the
 * compute type */
void elementwise_row(Pool *pool, int op, DType compute, int64_t n, void *out, const Row *in);

/* The sum of what elementwise_row would give, whose bits do not depend on threads, for a row of
 * floats; it may leave double where that of huge results of both signs need not. `blocks` has room
 * for size_pieces(n, REDUCE_BLOCK). */
double elementwise_sum(Pool *pool, int op, DType compute, int64_t n, const Row *in, double *blocks);

/*
 * out = the gradient of argument `argument` of the row, given g, y and the arguments: in[0] is g,
 * in[1] is y, then the arguments. Those the derivative does not read may be any scalar. compute is
 * float32 or float64.
 */
void elementwise_gradient(Pool *pool, int op, int argument, DType compute, const View *out,
                          const Operand *in);

/* out = in, broadcast and converted */
void elementwise_copy(Pool *pool, const View *out, const Operand *in);

/* the vector instructions in use: "avx512", "avx2" or "baseline" */
const char *elementwise_vector_path(void);

#endif
