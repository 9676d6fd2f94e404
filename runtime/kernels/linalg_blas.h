/*
 * linalg_blas.h - OpenBLAS, loaded when something is first computed with it
 *
 * Its 12,000 relocations would be four fifths of the start of a program that may multiply nothing.
 * OpenBLAS brings LAPACK's Fortran routines; what is used of them is declared here. Arrays are void
 * pointers, so that a routine has one type in both precisions. Fortran adds the length of every
 * string at the end.
 */
#ifndef LINALG_BLAS_H
#define LINALG_BLAS_H

#include <cblas.h>

#include "tensor/base.h"

typedef const blasint *Size;

/* OpenBLAS exports these and declares them nowhere. */
void *blas_memory_alloc(int unused);
void blas_memory_free(void *area);

#define BLAS_FUNCTIONS(ROW)                                                                        \
    ROW(blas_memory_alloc)                                                                         \
    ROW(blas_memory_free)                                                                          \
    ROW(openblas_get_config)                                                                       \
    ROW(openblas_get_corename)                                                                     \
    ROW(openblas_get_parallel)                                                                     \
    ROW(openblas_set_num_threads)                                                                  \
    ROW(cblas_sgemm)                                                                               \
    ROW(cblas_dgemm)                                                                               \
    ROW(cblas_strsm)                                                                               \
    ROW(cblas_dtrsm)                                                                               \
    ROW(cblas_sscal)                                                                               \
    ROW(cblas_dscal)

#define LAPACK_ROUTINES(ROW)                                                                       \
    ROW(gelsy, (Size m, Size n, Size k, void *a, Size lda, void *b, Size ldb, blasint *pivots,     \
                const void *rcond, blasint *rank, void *work, Size lwork, blasint *info))          \
    ROW(geqrf,                                                                                     \
        (Size m, Size n, void *a, Size lda, void *tau, void *work, Size lwork, blasint *info))     \
    ROW(gesdd,                                                                                     \
        (const char *job, Size m, Size n, void *a, Size lda, void *s, void *u, Size ldu, void *vt, \
         Size ldvt, void *work, Size lwork, blasint *iwork, blasint *info, size_t))                \
    ROW(getrf, (Size m, Size n, void *a, Size lda, blasint *pivots, blasint *info))                \
    ROW(getrs, (const char *trans, Size n, Size k, const void *a, Size lda, const blasint *pivots, \
                void *b, Size ldb, blasint *info, size_t))                                         \
    ROW(orgqr, (Size m, Size n, Size k, void *a, Size lda, const void *tau, void *work,            \
                Size lwork, blasint *info))                                                        \
    ROW(potrf, (const char *uplo, Size n, void *a, Size lda, blasint *info, size_t))               \
    ROW(syevd, (const char *job, const char *uplo, Size n, void *a, Size lda, void *w, void *work, \
                Size lwork, blasint *iwork, Size liwork, blasint *info, size_t, size_t))

/* the functions under their own names, as pointers */
typedef struct {
#define ROW(name) __typeof__(name) *name;
    BLAS_FUNCTIONS(ROW)
#undef ROW
#define ROW(name, parameters)                                                                      \
    void(*s##name##_) parameters;                                                                  \
    void(*d##name##_) parameters;
    LAPACK_ROUTINES(ROW)
#undef ROW
} Blas;

/* Loads OpenBLAS once, to work on the calling thread; refuses where there is none, or a build that
 * cannot be called from several threads. */
Reason blas_load(void);

/* what has been loaded */
extern const Blas *const blas;

#endif
