/*
 * operations.c - what ops.def says, and its kernels for each compute type; see operations.h
 */
#include <string.h>

#include "kernels/operations.h"
#include "kernels/special.h"
#include "kernels/special_float.h"
#include "kernels/vector_math.h"

#include <tgmath.h>

/* ---- the functions that rows may call, for each compute type ---- */

/* NaN if either is; functions, since one may stand in the other, which then is computed once */
#define ORDER(T, suffix, is_nan)                                                                   \
    static inline T larger_##suffix(T a, T b)                                                      \
    {                                                                                              \
        return a > b || is_nan(a) ? a : b;                                                         \
    }                                                                                              \
    static inline T smaller_##suffix(T a, T b)                                                     \
    {                                                                                              \
        return a < b || is_nan(a) ? a : b;                                                         \
    }
#define NEVER(a) false
ORDER(float, f32, isnan)
ORDER(double, f64, isnan)
ORDER(int64_t, i64, NEVER)
ORDER(uint8_t, u8, NEVER)

/* |a - b|, 0 between equal infinities; and x, but 1 where it is 0. By masks, since a branch would go
 * on to what is made of it, or made for it. */
#define MASKED(T, suffix, Bits)                                                                    \
    static inline T distance_##suffix(T a, T b)                                                    \
    {                                                                                              \
        T distance = fabs(a - b);                                                                  \
        Bits bits;                                                                                 \
        memcpy(&bits, &distance, sizeof bits);                                                     \
        bits &= -(Bits)(a != b);                                                                   \
        memcpy(&distance, &bits, sizeof bits);                                                     \
        return distance;                                                                           \
    }                                                                                              \
    static inline T nonzero_##suffix(T x)                                                          \
    {                                                                                              \
        const T one = 1;                                                                           \
        Bits bits, one_bits;                                                                       \
        memcpy(&bits, &x, sizeof bits);                                                            \
        memcpy(&one_bits, &one, sizeof one_bits);                                                  \
        Bits is_zero = -(Bits)((Bits)(bits << 1) == 0);                                            \
        bits = (bits & ~is_zero) | (one_bits & is_zero);                                           \
        memcpy(&x, &bits, sizeof bits);                                                            \
        return x;                                                                                  \
    }
MASKED(float, f32, uint32_t)
MASKED(double, f64, uint64_t)

/* All by rint, the only one that GCC makes a vector instruction of without -fno-trapping-math. */
#define FLOAT_ROUNDING(T, suffix)                                                                  \
    static inline T float_floor_##suffix(T x)                                                      \
    {                                                                                              \
        T near = rint(x);                                                                          \
        return near - (T)(near > x);                                                               \
    }                                                                                              \
    static inline T float_ceil_##suffix(T x)                                                       \
    {                                                                                              \
        T near = rint(x);                                                                          \
        return copysign(near + (T)(near < x), x);                                                  \
    }                                                                                              \
    static inline T float_trunc_##suffix(T x)                                                      \
    {                                                                                              \
        T size = fabs(x), near = rint(size);                                                       \
        return copysign(near - (T)(near > size), x);                                               \
    }
FLOAT_ROUNDING(float, f32)
FLOAT_ROUNDING(double, f64)

/*
 * The remainder is exact. Where a / b is below NEAR, so that its whole part is exact or one too
 * far, one fused multiplication gives it, and vectors have that; elsewhere the C library does. The
 * quotient rounded down comes from it, so that 1 // 0.1 is 9.
 */
#define FLOAT_DIVISION(T, suffix)                                                                  \
    static inline T float_fmod_##suffix(T a, T b, bool is_near)                                    \
    {                                                                                              \
        if (!is_near)                                                                              \
            return fmod(a, b);                                                                     \
        T r = fma(-float_trunc_##suffix(a / b), b, a);                                             \
        r = a < 0 ? (r > 0 ? r - fabs(b) : r) : (r < 0 ? r + fabs(b) : r);                         \
        return copysign(r, a);                                                                     \
    }                                                                                              \
    static inline T float_remainder_##suffix(T a, T b, bool is_near)                               \
    {                                                                                              \
        T r = float_fmod_##suffix(a, b, is_near);                                                  \
        return (r != 0) & ((r < 0) != (b < 0)) ? r + b : r;                                        \
    }                                                                                              \
    static inline T float_floor_divide_##suffix(T a, T b, bool is_near)                            \
    {                                                                                              \
        T r = float_fmod_##suffix(a, b, is_near);                                                  \
        T quotient = (a - r) / b;                                                                  \
        quotient = (r != 0) & ((r < 0) != (b < 0)) ? quotient - 1 : quotient;                      \
        T whole = float_floor_##suffix(quotient);                                                  \
        whole = quotient - whole > (T)0.5 ? whole + 1 : whole;                                     \
        return b == 0 ? a / b : whole;                                                             \
    }
FLOAT_DIVISION(float, f32)
FLOAT_DIVISION(double, f64)

/*
 * The quotient towards zero. Up to 2^51 double has it, which vectors divide: what is below a whole
 * number is so by more than rounding takes away. b = 0 is refused before the kernel runs; the result
 * is then whatever costs least.
 */
static inline int64_t integer_quotient(int64_t a, int64_t b, bool is_near)
{
    if (is_near)
        return (int64_t)((double)a / (double)b);
    return b == 0 || b == -1 ? b * a : a / b;
}

/* with the sign of a */
static inline int64_t integer_fmod(int64_t a, int64_t b, bool is_near)
{
    return a - b * integer_quotient(a, b, is_near);
}

static inline int64_t integer_remainder(int64_t a, int64_t b, bool is_near)
{
    int64_t r = integer_fmod(a, b, is_near);
    return (r != 0) & ((r < 0) != (b < 0)) ? r + b : r;
}

static inline int64_t integer_floor_divide(int64_t a, int64_t b, bool is_near)
{
    int64_t quotient = integer_quotient(a, b, is_near), r = a - b * quotient;
    return quotient - ((r != 0) & ((r < 0) != (b < 0)));
}

/* as PyTorch has them, of narrower integers too, whose upper bits are cut off afterwards */
static inline int64_t left_shift(int64_t a, int64_t b)
{
    return b < 0 || b > 63 ? 0 : (int64_t)((uint64_t)a << b);
}

static inline int64_t right_shift(int64_t a, int64_t b)
{
    return a >> (b < 0 || b > 63 ? 63 : b);
}

/* May all powers take the same few steps, which vectors have? */
static inline bool is_small_power(int64_t a, int64_t b)
{
    (void)a;
    return (uint64_t)b < 16;
}

static inline int64_t integer_power(int64_t a, int64_t b, bool is_near)
{
    int64_t power = 1;
    if (is_near) {
#pragma GCC unroll 4
        for (int bit = 0; bit < 4; bit++, a *= a)
            power *= b >> bit & 1 ? a : 1;
        return power;
    }
    if (b < 0)
        return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
    for (; b > 0; b >>= 1, a *= a)
        if (b & 1)
            power *= a;
    return power;
}

/* The C library's functions come through <tgmath.h>, by the type of their argument. */
#undef floor
#undef ceil
#undef trunc
#define HAS_GRADIENTS 1
#define abs(x) fabs(x)
#define digamma(x) ((T)special_digamma((double)(x)))
#define polygamma(x, n)                                                                            \
    ((T)(is_near ? special_polygamma_near(sizeof(T) == sizeof(float), (double)(x), (double)(n))    \
                 : special_polygamma(sizeof(T) == sizeof(float), (double)(x), (double)(n))))

#define IS_NEAR(a, b) (fabs((a) / (b)) < NEAR)
#undef exp
#undef exp2
#undef expm1
#undef log
#undef log2
#undef log10
#undef log1p
#undef pow
#undef tanh
#undef erf
#undef erfc
#define T float
#define NAME(x) x##_f32
#define LARGEST 0x1.fffffep127f
#define NEAR 0x1p22f
#define floor(x) float_floor_f32(x)
#define ceil(x) float_ceil_f32(x)
#define trunc(x) float_trunc_f32(x)
#define EXP_RANGE float_bits(fabs(x)), float_bits(87)
#define USUAL_RANGE USUAL_BITS(x), MOST_USUAL_BITS
#define rsqrt(x) special_rsqrt_float(is_near, x)
#define exp(x) special_exp_float(is_near, x)
#define exp2(x) special_exp2_float(is_near, x)
#define expm1(x) special_expm1_float(x)
#define log(x) special_log_float(is_near, x)
#define log2(x) special_log2_float(is_near, x)
#define log10(x) special_log10_float(is_near, x)
#define log1p(x) special_log1p_float(x)
#define tanh(x) special_tanh_float(x)
#define erf(x) special_erf_float(x)
#define erfc(x) special_erfc_float(x)
#define sigmoid(x) special_sigmoid_float(x)
#define at_most(x, bound) float_at_most(x, bound)
#define log1p_exp(x) special_log1p_exp_float(x)
#define erfinv(x) special_erfinv_float(x)
#define log_gamma(x) special_log_gamma_float(is_near, x)
#define pow(a, b) special_pow_float(a, b)
#define GELU_RANGE float_bits(fabs(x)), float_bits(12)
#define gelu(x) special_gelu_float(is_near, x)
#define fmod_of(a, b) float_fmod_f32(a, b, is_near)
#define floor_divide(a, b) float_floor_divide_f32(a, b, is_near)
#define floor_remainder(a, b) float_remainder_f32(a, b, is_near)
#include "kernels/operations_kernels.h"
#undef T
#undef NAME
#undef LARGEST
#undef NEAR
#undef floor
#undef ceil
#undef trunc
#undef EXP_RANGE
#undef USUAL_RANGE
#undef rsqrt
#undef exp
#undef exp2
#undef expm1
#undef log
#undef log2
#undef log10
#undef log1p
#undef tanh
#undef erf
#undef erfc
#undef sigmoid
#undef at_most
#undef log1p_exp
#undef erfinv
#undef log_gamma
#undef pow
#undef GELU_RANGE
#undef gelu
#undef fmod_of
#undef floor_divide
#undef floor_remainder

#define T double
#define NAME(x) x##_f64
#define LARGEST 0x1.fffffffffffffp1023
#define NEAR 0x1p51
#define floor(x) float_floor_f64(x)
#define ceil(x) float_ceil_f64(x)
#define trunc(x) float_trunc_f64(x)
#define exp(x) special_exp(x)
#define exp2(x) special_exp2(x)
#define expm1(x) special_expm1(x)
#define tanh(x) special_tanh(x)
#define sigmoid(x) special_sigmoid(x)
#define log1p(x) special_log1p(x)
#define at_most(x, bound) minimum(x, bound)
#define EXP_RANGE EVERYWHERE
#define USUAL_RANGE EVERYWHERE
#define rsqrt(x) (1 / sqrt(x))
#define log10(x) special_log10(x)
#define log1p_exp(x) special_log1p_exp(x)
#define erf(x) special_erf(x)
#define erfinv(x) special_erfinv(x)
#define log_gamma(x) special_log_gamma(x)
#define GELU_RANGE EVERYWHERE
#define gelu(x) (maximum(x, -50) * (erfc((x) * -0.7071067811865476) / 2))
#define fmod_of(a, b) float_fmod_f64(a, b, is_near)
#define floor_divide(a, b) float_floor_divide_f64(a, b, is_near)
#define floor_remainder(a, b) float_remainder_f64(a, b, is_near)
#include "kernels/operations_kernels.h"
#undef T
#undef NAME
#undef HAS_GRADIENTS
#undef LARGEST
#undef abs
#undef floor
#undef ceil
#undef trunc
#undef rint
#undef copysign
#undef NEAR
#undef IS_NEAR
#undef fmod_of
#undef floor_divide
#undef floor_remainder

#define HAS_GRADIENTS 0
#define LARGEST INT64_MAX
#define abs(x) ((x) < 0 ? -(x) : (x))
#define rint(x) (x)
#define floor(x) (x)
#define ceil(x) (x)
#define trunc(x) (x)
#define pow(a, b) integer_power(a, b, is_near)
#define fmod_of(a, b) integer_fmod(a, b, is_near)
#define copysign(a, b) ((b) < 0 ? -(a) : (a))
#define floor_divide(a, b) integer_floor_divide(a, b, is_near)
#define floor_remainder(a, b) integer_remainder(a, b, is_near)
#define IS_NEAR(a, b) ((b) != 0 && ((uint64_t)((a) + NEAR) | (uint64_t)((b) + NEAR)) < 2 * NEAR)
#define NEAR (INT64_C(1) << 51)

#define T int64_t
#define NAME(x) x##_i64
#include "kernels/operations_kernels.h"
#undef T
#undef NAME

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtype-limits" /* rows ask for signs, which bytes have not */
#define T uint8_t
#define NAME(x) x##_u8
#include "kernels/operations_kernels.h"
#pragma GCC diagnostic pop

/* ---- the table as scripts see it ---- */

#define DEFAULTS(...) .has_defaults = true, .defaults = {__VA_ARGS__}
#define BOUNDS .has_bounds = true
#define OPERATOR(event) .lua_operator = event
#define ULP(n) ULP_OF(0, n)
#define ULP_OF(size, n) .has_bound = true, .ulp = (n), .ulp_size = (size)
#define REST(least, most, ...) .low = least, .high = most, .doc = __VA_ARGS__
#define UNARY(row, group, value, dx, ...)                                                          \
    {.name = #row, .arity = 1, .kind = group, .derivative = {#dx}, REST(__VA_ARGS__)},
#define BINARY(row, group, value, da, db, ...)                                                     \
    {.name = #row, .arity = 2, .kind = group, .derivative = {#da, #db}, REST(__VA_ARGS__)},
#define TERNARY(row, group, value, da, db, dc, ...)                                                \
    {.name = #row, .arity = 3, .kind = group, .derivative = {#da, #db, #dc}, REST(__VA_ARGS__)},
const Operation operations[] = {
#include "kernels/ops.def"
};
const int operation_count = (int)COUNT_OF(operations);

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

bool operation_uses(const char *derivative, char variable)
{
    for (const char *p = derivative; *p != '\0'; p++)
        if (*p == variable && !is_letter(p[1]) && (p == derivative || !is_letter(p[-1])))
            return true;
    return false;
}

DType operation_result_type(Kind kind, DType common)
{
    if (kind == BOOLEAN)
        return BOOL;
    if (kind == COUNTING && common == BOOL)
        return INT64;
    bool is_floating = kind == FLOATING || kind == RANGED;
    return is_floating && !dtype_is_float(common) ? FLOAT32 : common;
}

DType operation_compute_type(Kind kind, DType common)
{
    if (dtype_is_float(common))
        return common;
    return kind == FLOATING || kind == RANGED ? FLOAT32 : INT64;
}

const Kernels *operation_kernels(DType compute, int op)
{
    return compute == FLOAT32   ? &kernels_f32[op]
           : compute == FLOAT64 ? &kernels_f64[op]
           : compute == INT64   ? &kernels_i64[op]
                                : &kernels_u8[op];
}
