/*
 * linalg_factor.c - factors of matrices, by LAPACK; see linalg_factor.h
 */
#include <float.h>
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

/* ---- scale ----
 *
 * One over a pivot below the normal numbers, and what is eliminated among the largest, may be beyond
 * the dtype where the result is not. So a column of which all is so small, or so large, is taken to
 * others' size by a power of two: this turns no other bit, nor another pivot. */

typedef struct {
    int low, high; /* exponents between which columns stay as they are */
    int lowest;    /* the least of a normal number */
} Exponents;

static Exponents exponents_of(DType dtype)
{
    return dtype == FLOAT32 ? (Exponents){-60, 120, FLT_MIN_EXP}
                            : (Exponents){-500, 1016, DBL_MIN_EXP};
}

/* the exponents of the largest and of the smallest magnitude that is not 0; 0 where it is no number */
static void find_exponents(DType dtype, const void *x, int64_t n, int *most, int *least)
{
    double largest = 0, smallest = INFINITY;
    for (int64_t i = 0; i < n; i++) {
        double size = fabs(element(dtype, x, i));
        largest = size > largest ? size : largest;
        smallest = size < smallest && size > 0 ? size : smallest;
    }
    *most = *least = 0;
    if (largest > 0 && largest <= DBL_MAX) {
        frexp(largest, most);
        frexp(smallest, least);
    }
}

static void shift(DType dtype, void *x, int64_t n, int by)
{
    for (int64_t i = 0; i < n; i++)
        set_element(dtype, x, i, ldexp(element(dtype, x, i), by));
}

/* Multiplies x[0..n-1] by a power of two, where that is exact, and returns its exponent. */
static int scale_column(DType dtype, void *x, int64_t n)
{
    Exponents bounds = exponents_of(dtype);
    int most, least, by = 0;
    find_exponents(dtype, x, n, &most, &least);
    if (most < bounds.low)
        by = -most;
    else if (most > bounds.high && least + bounds.low >= bounds.lowest)
        by = bounds.low;
    if (by != 0)
        shift(dtype, x, n, by);
    return by;
}

/* the same for the columns of a, or for those parts of them that are read; `by` of each column */
static void scale_matrix(const Call *c, blasint *by)
{
    bool is_triangle = c->f->kind == FACTOR_SOLVE_TRIANGULAR;
    for (int64_t j = 0; j < c->n; j++) {
        int64_t first = is_triangle && !c->f->upper ? j : 0;
        int64_t end = is_triangle && c->f->upper ? j + 1 : c->m;
        void *column = offset(c, c->x[0], j * c->m + first);
        by[j] = c->f->unit ? 0 : scale_column(c->f->dtype, column, end - first);
    }
}

/* Scales the right sides b, and returns by how much each. */
static void scale_right_sides(const Call *c, blasint *by)
{
    for (int64_t j = 0; j < c->k; j++)
        by[j] = scale_column(c->f->dtype, offset(c, c->x[1], j * c->n), c->n);
}

/* The solution for a and b from that for both scaled: its rows are as a's columns. */
static void scale_solution(const Call *c, const blasint *by_a, const blasint *by_b)
{
    for (int64_t j = 0; j < c->k; j++)
        for (int64_t i = 0; i < c->n; i++)
            if (by_a[i] != by_b[j])
                shift(c->f->dtype, offset(c, c->x[1], j * c->n + i), 1, by_a[i] - by_b[j]);
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
    blasint *by = c->integers + c->n;
    scale_matrix(c, by);
    factor_lu(c);
    double product = 1, sign = 1, logs = 0;
    int64_t exponent = 0;
    for (blasint i = 0; i < c->n; i++) {
        double u = element(c->f->dtype, c->x[0], (int64_t)i * c->n + i);
        double turn = c->integers[i] == i + 1 ? 1 : -1;
        int of_product; /* which is kept near 1 */
        product = frexp(product * turn * u, &of_product);
        exponent += isfinite(product) ? of_product - by[i] : 0;
        sign *= turn * (u > 0 ? 1 : u < 0 ? -1 : u);
        logs += by[i] == 0 ? log(fabs(u)) : log(fabs(u)) - by[i] * M_LN2;
    }
    bool is_log = c->f->kind == FACTOR_LOG_DETERMINANT;
    int clamped = (int)size_max(-INT_MAX, size_min(exponent, INT_MAX));
    set_element(c->f->dtype, c->x[1], 0, is_log ? logs : ldexp(product, clamped));
    if (is_log)
        set_element(c->f->dtype, c->x[2], 0, sign);
    return NULL;
}

static Reason solve(const Call *c)
{
    blasint ld = leading(c->n), info = 0, *by_a = c->integers + c->n, *by_b = by_a + c->n;
    scale_matrix(c, by_a);
    if (!factor_lu(c))
        return "is singular";
    scale_right_sides(c, by_b);
    LAPACK(c->f, getrs)
    ("N", &c->n, &c->k, c->x[0], &ld, c->integers, c->x[1], &ld, &info, 1);
    scale_solution(c, by_a, by_b);
    return NULL;
}

static Reason solve_triangular(const Call *c)
{
    const Factor *f = c->f;
    blasint ld = leading(c->n), *by_a = c->integers + c->n, *by_b = by_a + c->n;
    scale_matrix(c, by_a);
    scale_right_sides(c, by_b);
    CBLAS_UPLO uplo = f->upper ? CblasUpper : CblasLower;
    CBLAS_DIAG diagonal = f->unit ? CblasUnit : CblasNonUnit;
    if (f->dtype == FLOAT32)
        f->blas->cblas_strsm(CblasColMajor, CblasLeft, uplo, CblasNoTrans, diagonal, c->n, c->k,
                             1.0F, c->x[0], ld, c->x[1], ld);
    else
        f->blas->cblas_dtrsm(CblasColMajor, CblasLeft, uplo, CblasNoTrans, diagonal, c->n, c->k,
                             1.0, c->x[0], ld, c->x[1], ld);
    scale_solution(c, by_a, by_b);
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

/* r[rows, n] = the upper triangle of a[m, n], which was scaled */
static void copy_upper(const Call *c, void *r, int64_t rows, void *a, const blasint *by)
{
    size_t size = (size_t)dtype_size(c->f->dtype);
    memset(r, 0, (size_t)(rows * c->n) * size);
    for (int64_t j = 0; j < c->n; j++) {
        int64_t height = size_min(j + 1, rows);
        memcpy(offset(c, r, j * rows), offset(c, a, j * c->m), (size_t)height * size);
        if (by[j] != 0)
            shift(c->f->dtype, offset(c, r, j * rows), height, -by[j]);
    }
}

static Reason qr(const Call *c)
{
    DType dtype = c->f->dtype;
    blasint lda = leading(c->m), info = 0;
    if (c->work_size >= 0)
        scale_matrix(c, c->integers);
    LAPACK(c->f, geqrf)(&c->m, &c->n, c->x[0], &lda, c->numbers, c->work, &c->work_size, &info);
    double wanted = c->work_size < 0 ? element(dtype, c->work, 0) : 0;
    if (c->work_size >= 0)
        copy_upper(c, c->x[2], c->k, c->x[0], c->integers);
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

/* integers of scratch: pivots, or what the routine's manual asks for; and by how much a column was
 * scaled */
static int64_t count_integers(const Factor *f)
{
    int64_t least = size_min(f->m, f->n);
    bool is_singular = f->kind == FACTOR_SINGULAR || f->kind == FACTOR_PSEUDO_INVERSE;
    return is_singular ? 8 * least : f->kind == FACTOR_EIGEN ? 3 + 5 * f->n : 2 * f->n + f->k;
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
