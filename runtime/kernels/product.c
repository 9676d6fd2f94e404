/*
 * product.c - products of matrices, for each vector unit; see product.h
 *
 * Sums are held in registers for a few rows and two vectors of columns, while k goes on: a vector is
 * read for many rows, a number of a row for two vectors. So that these lie side by side in memory,
 * a block of k is packed: all rows of a, and of b two vectors of columns at a time, which then stay
 * in the nearest cache [Goto2008].
 */
#include <math.h>
#include <string.h>

#include "kernels/product.h"

enum {
    BLOCK = 256,              /* of k */
    PACKED_BYTES = 192 << 10, /* of a, on the stack */
    FAR = 256 << 10,          /* bytes that the rows of c span when it has left the cache */
    FEW_ROWS = 28,            /* of a, for which b is not worth packing */
    FEW_PRODUCTS = 128,       /* for which nothing is worth packing */
    FEW_PANELS = 4,           /* of b, for which a is not where it can be read as it lies */
};

#define TARGETED __attribute__((target(TARGET)))
#define FUSED(T) _Generic((T)0, float : fmaf, double : fma)
#define CASES_TO_6(CASE) CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#define CASES_TO_12(CASE) CASES_TO_6(CASE) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#define CASES_TO_14(CASE) CASES_TO_12(CASE) CASE(13) CASE(14)

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#define TARGET "arch=x86-64-v4"
#define BYTES 64
#define ROWS 14
#define ROW_CASES CASES_TO_14
#define T float
#define INDEX int32_t
#define NAME(x) x##_f32_512
#define MULTIPLY_ADD(x, v, sum) _mm512_fmadd_ps(_mm512_set1_ps(x), v, sum)
#include "kernels/product_kernels.h"

#define T double
#define INDEX int64_t
#define NAME(x) x##_f64_512
#define MULTIPLY_ADD(x, v, sum) _mm512_fmadd_pd(_mm512_set1_pd(x), v, sum)
#include "kernels/product_kernels.h"
#undef TARGET
#undef BYTES
#undef ROWS
#undef ROW_CASES

#define TARGET "arch=x86-64-v3"
#define BYTES 32
#define ROWS 6
#define ROW_CASES CASES_TO_6
#define T float
#define INDEX int32_t
#define NAME(x) x##_f32_256
#define MULTIPLY_ADD(x, v, sum) _mm256_fmadd_ps(_mm256_set1_ps(x), v, sum)
#include "kernels/product_kernels.h"

#define T double
#define INDEX int64_t
#define NAME(x) x##_f64_256
#define MULTIPLY_ADD(x, v, sum) _mm256_fmadd_pd(_mm256_set1_pd(x), v, sum)
#include "kernels/product_kernels.h"

void product_run(DType dtype, const MatrixProduct *p)
{
    bool is_wide = __builtin_cpu_supports("x86-64-v4");
    if (dtype == FLOAT32)
        is_wide ? product_f32_512(p) : product_f32_256(p);
    else
        is_wide ? product_f64_512(p) : product_f64_256(p);
}
#elif defined(__aarch64__)
#include <arm_neon.h>

#define TARGET "+simd"
#define BYTES 16
#define ROWS 12
#define ROW_CASES CASES_TO_12
#define T float
#define INDEX int32_t
#define NAME(x) x##_f32
#define MULTIPLY_ADD(x, v, sum) vfmaq_n_f32(sum, v, x)
#include "kernels/product_kernels.h"

#define T double
#define INDEX int64_t
#define NAME(x) x##_f64
#define MULTIPLY_ADD(x, v, sum) vfmaq_n_f64(sum, v, x)
#include "kernels/product_kernels.h"

void product_run(DType dtype, const MatrixProduct *p)
{
    if (dtype == FLOAT32)
        product_f32(p);
    else
        product_f64(p);
}
#else
void product_run(DType dtype, const MatrixProduct *p)
{
    (void)dtype, (void)p;
}
#endif
