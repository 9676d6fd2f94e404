/*
 * openblas.h - OpenBLAS and the LAPACK inside it, loaded when a product or a factor is first wanted
 *
 * Only this, linalg and linalg_factor know BLAS. LAPACK's routines are Fortran's, declared here:
 * arrays are void pointers, so that a routine has one type in both precisions, and the length of
 * every string comes at the end.
 */
#ifndef OPENBLAS_H
#define OPENBLAS_H

#include <cblas.h>
#include <stddef.h>

#include "tensor/base.h"

typedef const blasint *Size;

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

/* OpenBLAS exports these and declares them nowhere. */
extern void *blas_memory_alloc(int unused);
extern void blas_memory_free(void *area);

#define OPENBLAS_ROUTINES(ROW)                                                                     \
    ROW(cblas_sgemm)                                                                               \
    ROW(cblas_dgemm)                                                                               \
    ROW(cblas_sscal)                                                                               \
    ROW(cblas_dscal)                                                                               \
    ROW(cblas_strsm)                                                                               \
    ROW(cblas_dtrsm)                                                                               \
    ROW(blas_memory_alloc)                                                                         \
    ROW(blas_memory_free)                                                                          \
    ROW(openblas_get_config)                                                                       \
    ROW(openblas_get_corename)                                                                     \
    ROW(openblas_get_parallel)                                                                     \
    ROW(openblas_set_num_threads)

/* the routines under their own names, as pointers */
typedef struct OpenBlas {
    int areas; /* that OpenBLAS works in, made sure of; 0 also before it is loaded */
#define ROW(name) __typeof__(name) *name;
    OPENBLAS_ROUTINES(ROW)
#undef ROW
#define ROW(name, parameters)                                                                      \
    void(*s##name##_) parameters;                                                                  \
    void(*d##name##_) parameters;
    LAPACK_ROUTINES(ROW)
#undef ROW
} OpenBlas;

/* Loads the library and sets it to one thread; refuses a build that several must not call. */
Reason openblas_load(OpenBlas *blas);

#endif
