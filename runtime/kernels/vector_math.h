/*
 * vector_math.h - the C library's mathematics, for loops
 *
 * Declared again with GCC's simd attribute, so that loops call a function for as many lanes as a
 * vector has; by the name of wrun's own, vector_math.c, which says where the lanes come from. An
 * element has the same bits in a lane of any vector and alone. Errors stay within 4 units in the
 * last place.
 */
#ifndef VECTOR_MATH_H
#define VECTOR_MATH_H

#include <math.h>

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define VECTOR_MATH 1
#else
#define VECTOR_MATH 0
#endif

/*
 * Where lanes of equal bits come from, in float and in double, but for the functions that special.h
 * and special_float.h have. SLEEF promises them at every width and on every processor with FMA;
 * libmvec is kept where it is faster and has them too.
 *
 *   LIBMVEC   libmvec, at each width
 *   HALVES    libmvec for 256 bits, on both halves of 512 bits
 *   U10, U35  SLEEF, with an error of at most 1.0 or 3.5 units in the last place
 */
#define FLOAT_FUNCTIONS(UNARY, BINARY)                                                             \
    UNARY(sin, LIBMVEC)                                                                            \
    UNARY(cos, LIBMVEC)                                                                            \
    UNARY(tan, U35)                                                                                \
    UNARY(asin, U35)                                                                               \
    UNARY(acos, U35)                                                                               \
    UNARY(atan, U35)                                                                               \
    UNARY(sinh, LIBMVEC)                                                                           \
    UNARY(cosh, HALVES)                                                                            \
    BINARY(atan2, U35)                                                                             \
    BINARY(hypot, U35)

#define DOUBLE_FUNCTIONS(UNARY, BINARY)                                                            \
    UNARY(exp, U10)                                                                                \
    UNARY(log, U35)                                                                                \
    UNARY(log1p, U10)                                                                              \
    UNARY(sin, U35)                                                                                \
    UNARY(cos, U35)                                                                                \
    UNARY(tan, U35)                                                                                \
    UNARY(log2, U35)                                                                               \
    UNARY(asin, U35)                                                                               \
    UNARY(acos, U35)                                                                               \
    UNARY(atan, U35)                                                                               \
    UNARY(sinh, HALVES)                                                                            \
    UNARY(cosh, HALVES)                                                                            \
    UNARY(erfc, HALVES)                                                                            \
    BINARY(pow, HALVES)                                                                            \
    BINARY(atan2, U35)                                                                             \
    BINARY(hypot, U35)

#if VECTOR_MATH && !defined(VECTOR_MATH_C)
#define VECTOR_OF(name)                                                                            \
    extern __typeof__(name) name __asm__("wrun_" #name) __attribute__((simd("notinbranch"), const));
#define FLOAT_FUNCTION(name, source) VECTOR_OF(name##f)
#define DOUBLE_FUNCTION(name, source) VECTOR_OF(name)
FLOAT_FUNCTIONS(FLOAT_FUNCTION, FLOAT_FUNCTION)
DOUBLE_FUNCTIONS(DOUBLE_FUNCTION, DOUBLE_FUNCTION)
#undef FLOAT_FUNCTION
#undef DOUBLE_FUNCTION
#undef VECTOR_OF
#endif

#endif
