/*
 * vector_math.h - the C library's mathematics, for loops
 *
 * glibc has vector variants of these functions (libmvec), but offers them to the compiler only
 * under -ffast-math, which would take NaN and infinity from the rest of the file. Declaring them
 * again with GCC's simd attribute offers just the variants. Their error stays within 4 units in the
 * last place.
 */
#ifndef VECTOR_MATH_H
#define VECTOR_MATH_H

#include <math.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define VECTOR_FUNCTION_1(name)                                                                    \
    extern float name##f(float) __attribute__((simd("notinbranch"), const));                       \
    extern double name(double) __attribute__((simd("notinbranch"), const));
#define VECTOR_FUNCTION_2(name)                                                                    \
    extern float name##f(float, float) __attribute__((simd("notinbranch"), const));                \
    extern double name(double, double) __attribute__((simd("notinbranch"), const));
VECTOR_FUNCTION_1(exp)
VECTOR_FUNCTION_1(expm1)
VECTOR_FUNCTION_1(log)
VECTOR_FUNCTION_1(log1p)
VECTOR_FUNCTION_1(sin)
VECTOR_FUNCTION_1(cos)
VECTOR_FUNCTION_1(tan)
VECTOR_FUNCTION_1(tanh)
VECTOR_FUNCTION_1(exp2)
VECTOR_FUNCTION_1(log2)
VECTOR_FUNCTION_1(log10)
VECTOR_FUNCTION_1(asin)
VECTOR_FUNCTION_1(acos)
VECTOR_FUNCTION_1(atan)
VECTOR_FUNCTION_1(sinh)
VECTOR_FUNCTION_1(cosh)
VECTOR_FUNCTION_1(asinh)
VECTOR_FUNCTION_1(acosh)
VECTOR_FUNCTION_1(atanh)
VECTOR_FUNCTION_1(erf)
VECTOR_FUNCTION_1(erfc)
VECTOR_FUNCTION_2(pow)
VECTOR_FUNCTION_2(atan2)
VECTOR_FUNCTION_2(hypot)
#undef VECTOR_FUNCTION_1
#undef VECTOR_FUNCTION_2
#endif

#endif
