/*
 * linalg_factor.h - factors of matrices and what is solved with them, by LAPACK
 *
 * Matrices lie column by column, as LAPACK wants them; the binding copies them so, and shows the
 * results transposed. A batch is a run of equal matrices, one after another, each worked on alone.
 * Sizes must have passed factor_fits: LAPACK prints when it is given a wrong one.
 */
#ifndef LINALG_FACTOR_H
#define LINALG_FACTOR_H

#include "kernels/linalg.h"

typedef enum {
    FACTOR_CHOLESKY,         /* a[n, n] becomes its factor */
    FACTOR_DETERMINANT,      /* a[n, n] -> x1[1] */
    FACTOR_EIGEN,            /* a[n, n], symmetric, becomes its vectors -> x1[n] values */
    FACTOR_LEAST_SQUARES,    /* a[m, n], x1[max(m, n), k] becomes the solution -> x2[1] rank */
    FACTOR_LOG_DETERMINANT,  /* a[n, n] -> x1[1] log |det a|, x2[1] its sign */
    FACTOR_PSEUDO_INVERSE,   /* a[m, n] -> x1[n, m] */
    FACTOR_QR,               /* a[m, n] -> x1[m, k] q, if `vectors`, x2[k, n] r */
    FACTOR_SINGULAR,         /* a[m, n] -> x1[m, k] u, x2[min(m, n)] s, x3[l, n] v transposed */
    FACTOR_SOLVE,            /* a[n, n], x1[n, k] becomes the solution */
    FACTOR_SOLVE_TRIANGULAR, /* the same for a that is triangular; the rest of it is not read */
} FactorKind;

enum { FACTOR_ARRAYS = 4 };

typedef struct {
    const OpenBlas *blas; /* reserved */
    FactorKind kind;
    DType dtype; /* of all but the ranks, which are INT64 */
    int64_t batches, m, n, k, l;
    bool vectors;      /* EIGEN, QR, SINGULAR: vectors too, or values alone */
    bool upper, unit;  /* which triangle is read; is its diagonal taken to be ones? */
    double atol, rtol; /* what counts as 0: below atol, or rtol of the largest singular value */
    void *x[FACTOR_ARRAYS];      /* a (which is overwritten), then what the kind says */
    int64_t step[FACTOR_ARRAYS]; /* elements from one matrix to the next */
} Factor;

/* refuses sizes that LAPACK's 32-bit integers cannot hold, its work space included */
Reason factor_fits(int64_t m, int64_t n);

/* bytes of scratch that factor_run needs */
int64_t factor_scratch_size(const Factor *f);

/*
 * Works through the batch; where a matrix is refused, says why and *at tells which (from 0). What
 * is refused: the singular by SOLVE, what is not positive definite by CHOLESKY, NaN and infinity by
 * EIGEN, LEAST_SQUARES, PSEUDO_INVERSE and SINGULAR, and what does not converge there. The other
 * kinds carry NaN on.
 */
Reason factor_run(const Factor *f, void *scratch, int64_t *at);

#endif
