/*
 * product.c - products of matrices, for each vector unit; see product.h
 *
 * Sums are held in registers for a few rows and two vectors of columns, while k goes on: a vector is
 * read for many rows, a number of a row for two vectors. Of a block of k, two vectors of columns of
 * b at a time are packed side by side, and then stay in the nearest cache [Goto2008]. Rows of a are
 * read as they lie, few at once where they lie apart; its columns, where b has many, are packed too.
 * Where k has several blocks, each is fetched from memory while the sums of the last are formed.
 *
 * Steps of k at which a few rows of a have only zeros, or two vectors of columns of b, are passed
 * over, as in pictures with dark margins: a zero times a finite number changes no sum. The other
 * factor is looked at for others, and the sum of a block is never -0.
 */
#include <math.h>
#include <string.h>

#include "kernels/product.h"

enum {
    BLOCK = 256,              /* of k */
    PACKED_BYTES = 384 << 10, /* of a, on the stack */
    MOST_PANELS = 32,         /* of a, whose steps are listed at a time */
    NIBBLE = 4,               /* steps that are listed at once */
    FAR = 256 << 10,          /* bytes that the rows of c span when it has left the cache */
    FEW_ROWS = 28,            /* of a, for which b is not worth packing */
    FEW_PRODUCTS = 128,       /* for which nothing is worth packing */
    FEW_PANELS = 4,           /* of b, for which columns of a are not worth packing */
    SPARSE = 8,         /* as many times the steps of zeros are all: then it pays to list others */
    SAMPLE = 16,        /* one of so many steps is looked at first, */
    SAMPLE_VECTORS = 4, /* or of so many vectors of steps */
};

/* those steps of a block of k that may add something, in order */
typedef struct {
    int64_t count;
    uint8_t step[BLOCK + NIBBLE];
} Steps;

static void steps_of_all(Steps *steps, int64_t k)
{
    steps->count = k;
    for (int l = 0; l < k; l++)
        steps->step[l] = (uint8_t)l;
}

/* a bit for each step of a block of k: is there more than zeros? */
typedef struct {
    uint64_t word[BLOCK / 64];
} Bits;

/* so many bits, a divisor of 64, that come next */
static inline void bits_append(Bits *bits, int64_t n, uint64_t next)
{
    uint64_t before = n % 64 == 0 ? 0 : bits->word[n / 64];
    bits->word[n / 64] = before | next << n % 64;
}

/* Those of k steps that have their bit; all, where it would not pay to pass over the others. Bits
 * are taken by fours, whose places come from a table: one by one they would take several times as
 * long. */
static void steps_of_bits(Steps *steps, const Bits *bits, int64_t k)
{
    static const uint8_t places[1 << NIBBLE][NIBBLE] = {
        {0}, {0},    {1},    {0, 1},    {2},    {0, 2},    {1, 2},    {0, 1, 2},
        {3}, {0, 3}, {1, 3}, {0, 1, 3}, {2, 3}, {0, 2, 3}, {1, 2, 3}, {0, 1, 2, 3},
    };
    int64_t count = 0;
    for (int64_t l = 0; l < k; l += NIBBLE) {
        unsigned four = bits->word[l / 64] >> l % 64 & ((1 << NIBBLE) - 1);
        for (int i = 0; i < NIBBLE; i++)
            steps->step[count + i] = (uint8_t)(l + places[four][i]);
        count += __builtin_popcount(four);
    }
    steps->count = count;
    if ((k - count) * SPARSE < k)
        steps_of_all(steps, k);
}

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
#define FIRST(p, n) _mm512_maskz_loadu_ps((__mmask16)((1U << (n)) - 1), p)
#define PUT_FIRST(p, n, v) _mm512_mask_storeu_ps(p, (__mmask16)((1U << (n)) - 1), v)
#define BITS(v) _mm512_test_epi32_mask((__m512i)(v), (__m512i)(v))
#include "kernels/product_kernels.h"

#define T double
#define INDEX int64_t
#define NAME(x) x##_f64_512
#define MULTIPLY_ADD(x, v, sum) _mm512_fmadd_pd(_mm512_set1_pd(x), v, sum)
#define FIRST(p, n) _mm512_maskz_loadu_pd((__mmask8)((1U << (n)) - 1), p)
#define PUT_FIRST(p, n, v) _mm512_mask_storeu_pd(p, (__mmask8)((1U << (n)) - 1), v)
#define BITS(v) _mm512_test_epi64_mask((__m512i)(v), (__m512i)(v))
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
#define BELOW(n)                                                                                   \
    _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define FIRST(p, n) _mm256_maskload_ps(p, BELOW(n))
#define PUT_FIRST(p, n, v) _mm256_maskstore_ps(p, BELOW(n), v)
#define BITS(v) (unsigned)_mm256_movemask_ps((__m256)((v) != 0))
#include "kernels/product_kernels.h"

#define T double
#define INDEX int64_t
#define NAME(x) x##_f64_256
#define MULTIPLY_ADD(x, v, sum) _mm256_fmadd_pd(_mm256_set1_pd(x), v, sum)
#define BELOW(n) _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3))
#define FIRST(p, n) _mm256_maskload_pd(p, BELOW(n))
#define PUT_FIRST(p, n, v) _mm256_maskstore_pd(p, BELOW(n), v)
#define BITS(v) (unsigned)_mm256_movemask_pd((__m256d)((v) != 0))
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

#define PARTS(T, Vector, suffix)                                                                   \
    static inline Vector first_##suffix(const T *p, int64_t n)                                     \
    {                                                                                              \
        T x[16 / sizeof(T)] = {0};                                                                 \
        memcpy(x, p, (size_t)n * sizeof(T));                                                       \
        return vld1q_##suffix(x);                                                                  \
    }                                                                                              \
    static inline void put_first_##suffix(T *p, int64_t n, Vector v)                               \
    {                                                                                              \
        T x[16 / sizeof(T)];                                                                       \
        vst1q_##suffix(x, v);                                                                      \
        memcpy(p, x, (size_t)n * sizeof(T));                                                       \
    }
PARTS(float, float32x4_t, f32)
PARTS(double, float64x2_t, f64)

#define TARGET "+simd"
#define BYTES 16
#define ROWS 12
#define ROW_CASES CASES_TO_12
#define T float
#define INDEX int32_t
#define NAME(x) x##_f32
#define MULTIPLY_ADD(x, v, sum) vfmaq_n_f32(sum, v, x)
#define FIRST(p, n) first_f32(p, n)
#define PUT_FIRST(p, n, v) put_first_f32(p, n, v)
#define BITS(v) vaddvq_u32((uint32x4_t)((v) != 0) & (uint32x4_t){1, 2, 4, 8})
#include "kernels/product_kernels.h"

#define T double
#define INDEX int64_t
#define NAME(x) x##_f64
#define MULTIPLY_ADD(x, v, sum) vfmaq_n_f64(sum, v, x)
#define FIRST(p, n) first_f64(p, n)
#define PUT_FIRST(p, n, v) put_first_f64(p, n, v)
#define BITS(v) vaddvq_u64((uint64x2_t)((v) != 0) & (uint64x2_t){1, 2})
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
