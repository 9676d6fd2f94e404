/*
 * operations.h - the table of elementwise operations, ops.def, and their kernels
 *
 * A kernel computes a row, or the gradient of one of its arguments, for contiguous blocks of one
 * compute type: float32, float64, int64, or uint8 where bytes may stand for int64. elementwise
 * runs them over whatever operands there are.
 */
#ifndef OPERATIONS_H
#define OPERATIONS_H

#include "tensor/tensor.h"

enum { MAX_ARITY = 3 };

typedef enum {
    NUMERIC,
    COUNTING,
    SIGNED,
    DIVISION,
    POWER,
    FLOATING,
    RANGED,
    BOOLEAN,
    SELECT,
    BITWISE,
    SHIFT
} Kind;

/* a row */
typedef struct {
    const char *name;
    int arity;
    Kind kind;
    const char *derivative[MAX_ARITY]; /* the text of the row */
    double low, high;
    const char *doc;
    bool has_defaults, has_bounds;  /* the arguments after the first need not all be given */
    double defaults[MAX_ARITY - 1]; /* what they then are */
    const char *lua_operator;       /* "__add", or NULL */
    bool has_bound;                 /* of the error of float32 results, */
    double ulp, ulp_size;           /* in units in the last place, or that of ulp_size if larger */
} Operation;

extern const Operation operations[];
extern const int operation_count;

/* Is `variable` (g, y, x, a, b or c) read by this derivative? */
bool operation_uses(const char *derivative, char variable);

/* the type in which the row's kernel works when the operands' common type is `common` */
DType operation_compute_type(Kind kind, DType common);
/* the type of its result */
DType operation_result_type(Kind kind, DType common);

enum { LANES = 16 }; /* a kernel takes a multiple of so many elements */

typedef void Kernel(int64_t n, void *out, const void *const *in);

typedef struct {
    Kernel *value;
    Kernel *gradient[MAX_ARITY]; /* NULL for integers */
} Kernels;

const Kernels *operation_kernels(DType compute, int op);

#endif
