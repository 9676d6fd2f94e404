/*
 * linalg_factor.c - factors of matrices, by LAPACK; see linalg_factor.h
 */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "kernels/linalg_factor.h"
#include "kernels/openblas.h"
#include "tensor/interrupt.h"

#define LAPACK(f, name) (*((f)->dtype == FLOAT32 ? (f)->blas->s##name##_ : (f)->blas->d##name##_))

Reason factor_fits(int64_t m, int64_t n)
{
    enum { MOST = 1 << 24, MOST_SQUARE = 1 << 14 };
    if (size_max(m, n) > MOST || size_min(m, n) > MOST_SQUARE || m * n > INT_MAX)
        return "expected matrices of at most 16384 rows or columns and 2147483647 elements";
    return NULL;
}

/* ---- one matrix ---- */

typedef struct {
    const Factor *f;
    blasint m, n, k, least; /* least = min(m, n) */
    void *x[FACTOR_ARRAYS];
    blasint *integers;
    void *numbers;
    void *work;
    blasint work_size; /* -1: the routine writes to work[0] what it wants, and does no more */
} Call;

static const Reason NOT_FINITE = "holds NaN or infinity",
                    NO_CONVERGENCE = "has singular values or eigenvalues that were not found";

/* rows as a leading dimension */
static blasint leading(int64_t rows)
{
    return rows > 1 ? (blasint)rows : 1;
}

static double element(DType dtype, const void *array, int64_t i)
{
    float narrow;
    double wide;
    if (dtype == FLOAT64) {
        memcpy(&wide, (const char *)array + i * (int64_t)sizeof wide, sizeof wide);
        return wide;
    }
    memcpy(&narrow, (const char *)array + i * (int64_t)sizeof narrow, sizeof narrow);
    return (double)narrow;
}

static void set_element(DType dtype, void *array, int64_t i, double value)
{
    float narrow = (float)value;
    if (dtype == FLOAT64)
        memcpy((char *)array + i * (int64_t)sizeof value, &value, sizeof value);
    else
        memcpy((char *)array + i * (int64_t)sizeof narrow, &narrow, sizeof narrow);
}

static void *offset(const Call *c, void *array, int64_t elements)
{
    return (char *)array + elements * dtype_size(c->f->dtype);
}

static bool is_finite(const Call *c, const void *array, int64_t count)
{
    double sum = 0; /* x - x is 0, or NaN where x is not finite */
    for (int64_t i = 0; i < count; i++) {
        double x = element(c->f->dtype, array, i);
        sum += x - x;
    }
    return sum == 0;
}

/* a[rows, columns] = ones on the diagonal */
static void set_identity(const Call *c, void *a, int64_t rows, int64_t columns)
{
    memset(a, 0, (size_t)(rows * columns * dtype_size(c->f->dtype)));
    for (int64_t i = 0; i < size_min(rows, columns); i++)
        set_element(c->f->dtype, a, i * rows + i, 1);
}

/* r[rows, n] = the upper triangle of a[m, n] */
static void copy_upper(const Call *c, void *r, int64_t rows, const void *a)
{
    size_t size = (size_t)dtype_size(c->f->dtype);
    memset(r, 0, (size_t)(rows * c->n) * size);
    for (int64_t j = 0; j < c->n; j++)
        memcpy((char *)r + (size_t)(j * rows) * size, (const char *)a + (size_t)(j * c->m) * size,
               (size_t)size_min(j + 1, rows) * size);
}

static Reason cholesky(const Call *c)
{
    blasint lda = leading(c->n), info = 0;
    char uplo = c->f->upper ? 'U' : 'L';
    LAPACK(c->f, potrf)(&uplo, &c->n, c->x[0], &lda, &info, 1);
    if (info > 0)
        return "is not positive definite";
    int64_t size = dtype_size(c->f->dtype);
    for (int64_t j = 0; j < c->n; j++) { /* what lies above the diagonal, or below it */
        int64_t first = c->f->upper ? j + 1 : 0, end = c->f->upper ? c->n : j;
        memset(offset(c, c->x[0], j * c->n + first), 0, (size_t)((end - first) * size));
    }
    return NULL;
}

/* a = p l u; is u's diagonal free of zeros? */
static bool factor_lu(const Call *c)
{
    blasint lda = leading(c->n), info = 0;
    LAPACK(c->f, getrf)(&c->n, &c->n, c->x[0], &lda, c->integers, &info);
    return info == 0;
}

/* walks u's diagonal: the product of its elements, or of their signs with the sum of their logs */
static Reason determinant(const Call *c)
{
    factor_lu(c);
    double product = 1, sign = 1, logs = 0;
    for (blasint i = 0; i < c->n; i++) {
        double u = element(c->f->dtype, c->x[0], (int64_t)i * c->n + i);
        double turn = c->integers[i] == i + 1 ? 1 : -1;
        product *= turn * u;
        sign *= turn * (u > 0 ? 1 : u < 0 ? -1 : u);
        logs += log(fabs(u));
    }
    bool is_log = c->f->kind == FACTOR_LOG_DETERMINANT;
    set_element(c->f->dtype, c->x[1], 0, is_log ? logs : product);
    if (is_log)
        set_element(c->f->dtype, c->x[2], 0, sign);
    return NULL;
}

static Reason solve(const Call *c)
{
    blasint ld = leading(c->n), info = 0;
    if (!factor_lu(c))
        return "is singular";
    LAPACK(c->f, getrs)
    ("N", &c->n, &c->k, c->x[0], &ld, c->integers, c->x[1], &ld, &info, 1);
    return NULL;
}

static Reason solve_triangular(const Call *c)
{
    const Factor *f = c->f;
    blasint ld = leading(c->n);
    CBLAS_UPLO uplo = f->upper ? CblasUpper : CblasLower;
    CBLAS_DIAG diagonal = f->unit ? CblasUnit : CblasNonUnit;
    if (f->dtype == FLOAT32)
        f->blas->cblas_strsm(CblasColMajor, CblasLeft, uplo, CblasNoTrans, diagonal, c->n, c->k,
                             1.0F, c->x[0], ld, c->x[1], ld);
    else
        f->blas->cblas_dtrsm(CblasColMajor, CblasLeft, uplo, CblasNoTrans, diagonal, c->n, c->k,
                             1.0, c->x[0], ld, c->x[1], ld);
    return NULL;
}

static Reason eigen(const Call *c)
{
    blasint lda = leading(c->n), liwork = 3 + 5 * c->n, info = 0;
    if (c->work_size >= 0 && !is_finite(c, c->x[0], (int64_t)c->n * c->n))
        return NOT_FINITE;
    LAPACK(c->f, syevd)
    (c->f->vectors ? "V" : "N", c->f->upper ? "U" : "L", &c->n, c->x[0], &lda, c->x[1], c->work,
     &c->work_size, c->integers, &liwork, &info, 1, 1);
    return info > 0 ? NO_CONVERGENCE : NULL;
}

static Reason qr(const Call *c)
{
    DType dtype = c->f->dtype;
    blasint lda = leading(c->m), info = 0;
    LAPACK(c->f, geqrf)(&c->m, &c->n, c->x[0], &lda, c->numbers, c->work, &c->work_size, &info);
    double wanted = c->work_size < 0 ? element(dtype, c->work, 0) : 0;
    if (c->work_size >= 0)
        copy_upper(c, c->x[2], c->k, c->x[0]);
    if (!c->f->vectors)
        return NULL;
    if (c->work_size >= 0)
        memcpy(c->x[1], c->x[0], (size_t)((int64_t)c->m * c->least * dtype_size(dtype)));
    LAPACK(c->f, orgqr)
    (&c->m, &c->k, &c->least, c->x[1], &lda, c->numbers, c->work, &c->work_size, &info);
    if (c->work_size < 0)
        set_element(dtype, c->work, 0, fmax(wanted, element(dtype, c->work, 0)));
    return NULL;
}

/* a[m, n] = u diag(s) vt, with k columns of u and l rows of vt */
static Reason decompose(const Call *c, char job, void *u, void *s, void *vt, int64_t l)
{
    blasint lda = leading(c->m), ldvt = leading(l), info = 0;
    if (c->work_size >= 0 && !is_finite(c, c->x[0], (int64_t)c->m * c->n))
        return NOT_FINITE;
    LAPACK(c->f, gesdd)
    (&job, &c->m, &c->n, c->x[0], &lda, s, u, &lda, vt, &ldvt, c->work, &c->work_size, c->integers,
     &info, 1);
    return info > 0 ? NO_CONVERGENCE : NULL;
}

static Reason singular(const Call *c)
{
    const Factor *f = c->f;
    if (c->least > 0)
        return decompose(c,
                         !f->vectors                          ? 'N'
                         : c->k > c->least || f->l > c->least ? 'A'
                                                              : 'S',
                         c->x[1], c->x[2], c->x[3], f->l);
    if (c->work_size >= 0 && f->vectors) {
        set_identity(c, c->x[1], c->m, c->k);
        set_identity(c, c->x[3], f->l, c->n);
    }
    return NULL;
}

/* a = u s v^T -> p[n, m] = v s^-1 u^T, without what counts as 0 */
static Reason pseudo_inverse(const Call *c)
{
    const Factor *f = c->f;
    blasint r = c->least, ldu = leading(c->m), ldv = leading(r), ldp = leading(c->n);
    if (r == 0)
        return NULL;
    void *u = c->numbers, *vt = offset(c, u, (int64_t)c->m * r),
         *s = offset(c, vt, (int64_t)c->n * r);
    Reason reason = decompose(c, 'S', u, s, vt, r);
    if (reason || c->work_size < 0)
        return reason;
    double least = fmax(f->atol, f->rtol * element(f->dtype, s, 0));
    for (int64_t i = 0; i < r; i++) {
        double size = element(f->dtype, s, i), scale = size > least ? 1 / size : 0;
        void *column = offset(c, u, i * c->m);
        if (f->dtype == FLOAT32)
            f->blas->cblas_sscal(c->m, (float)scale, column, 1);
        else
            f->blas->cblas_dscal(c->m, scale, column, 1);
    }
    if (f->dtype == FLOAT32)
        f->blas->cblas_sgemm(CblasColMajor, CblasTrans, CblasTrans, c->n, c->m, r, 1.0F, vt, ldv, u,
                             ldu, 0.0F, c->x[1], ldp);
    else
        f->blas->cblas_dgemm(CblasColMajor, CblasTrans, CblasTrans, c->n, c->m, r, 1.0, vt, ldv, u,
                             ldu, 0.0, c->x[1], ldp);
    return NULL;
}

static Reason least_squares(const Call *c)
{
    DType dtype = c->f->dtype;
    blasint lda = leading(c->m), ldb = leading(size_max(c->m, c->n)), rank = 0, info = 0;
    double rcond[1];
    set_element(dtype, rcond, 0, c->f->rtol);
    if (c->work_size >= 0) {
        if (!is_finite(c, c->x[0], (int64_t)c->m * c->n))
            return NOT_FINITE;
        memset(c->integers, 0, (size_t)c->n * sizeof *c->integers);
    }
    LAPACK(c->f, gelsy)
    (&c->m, &c->n, &c->k, c->x[0], &lda, c->x[1], &ldb, c->integers, rcond, &rank, c->work,
     &c->work_size, &info);
    if (c->work_size >= 0)
        *(int64_t *)c->x[2] = rank;
    return NULL;
}

/* ---- a batch ---- */

typedef Reason Step(const Call *c);

static Step *const STEPS[] = {
    [FACTOR_CHOLESKY] = cholesky,
    [FACTOR_DETERMINANT] = determinant,
    [FACTOR_EIGEN] = eigen,
    [FACTOR_LEAST_SQUARES] = least_squares,
    [FACTOR_LOG_DETERMINANT] = determinant,
    [FACTOR_PSEUDO_INVERSE] = pseudo_inverse,
    [FACTOR_QR] = qr,
    [FACTOR_SINGULAR] = singular,
    [FACTOR_SOLVE] = solve,
    [FACTOR_SOLVE_TRIANGULAR] = solve_triangular,
};

static Call new_call(const Factor *f)
{
    return (Call){
        .f = f,
        .m = (blasint)f->m,
        .n = (blasint)f->n,
        .k = (blasint)f->k,
        .least = (blasint)size_min(f->m, f->n),
        .work_size = -1,
    };
}

/* integers of scratch: pivots, or what the routine's manual asks for */
static int64_t count_integers(const Factor *f)
{
    int64_t least = size_min(f->m, f->n);
    bool is_singular = f->kind == FACTOR_SINGULAR || f->kind == FACTOR_PSEUDO_INVERSE;
    return is_singular ? 8 * least : f->kind == FACTOR_EIGEN ? 3 + 5 * f->n : f->n;
}

/* numbers of scratch besides the routine's own: tau for qr, u, vt and s for the pseudo-inverse */
static int64_t count_numbers(const Factor *f)
{
    int64_t least = size_min(f->m, f->n);
    return f->kind == FACTOR_QR               ? least
           : f->kind == FACTOR_PSEUDO_INVERSE ? (f->m + f->n + 1) * least
                                              : 0;
}

/* how much work space the routine wants, which it says in its own precision */
static blasint count_work(const Factor *f)
{
    enum {
        ROUTINES_QUERIED = 1 << FACTOR_EIGEN | 1 << FACTOR_LEAST_SQUARES |
                           1 << FACTOR_PSEUDO_INVERSE | 1 << FACTOR_QR | 1 << FACTOR_SINGULAR
    };
    if ((ROUTINES_QUERIED >> f->kind & 1) == 0)
        return 0;
    double answer[1] = {0}, unused[1] = {0};
    blasint integers[1] = {0};
    Call c = new_call(f);
    c.work = answer;
    c.integers = integers;
    c.numbers = unused;
    for (int i = 0; i < FACTOR_ARRAYS; i++)
        c.x[i] = unused;
    STEPS[f->kind](&c);
    double wanted = element(f->dtype, answer, 0);
    return (blasint)fmin(INT_MAX, ceil(wanted * (1 + 0x1p-22)) + 1);
}

int64_t factor_scratch_size(const Factor *f)
{
    int64_t integers = (count_integers(f) + 1) / 2 * 2 * (int64_t)sizeof(blasint);
    return integers + (count_numbers(f) + count_work(f)) * dtype_size(f->dtype);
}

Reason factor_run(const Factor *f, void *scratch, int64_t *at)
{
    Call c = new_call(f);
    c.integers = scratch;
    c.numbers = (char *)scratch + (count_integers(f) + 1) / 2 * 2 * (int64_t)sizeof(blasint);
    c.work = offset(&c, c.numbers, count_numbers(f));
    c.work_size = count_work(f);
    for (int64_t batch = 0; batch < f->batches && !interrupt_wanted(); batch++) {
        for (int i = 0; i < FACTOR_ARRAYS; i++) {
            bool is_rank = f->kind == FACTOR_LEAST_SQUARES && i == 2;
            int64_t size = is_rank ? (int64_t)sizeof(int64_t) : dtype_size(f->dtype);
            c.x[i] = (char *)f->x[i] + batch * f->step[i] * size;
        }
        Reason reason = STEPS[f->kind](&c);
        if (reason) {
            *at = batch;
            return reason;
        }
    }
    return NULL;
}
