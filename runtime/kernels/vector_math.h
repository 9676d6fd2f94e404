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
 * Where lanes of equal bits come from, in float and in double. SLEEF promises them at every width
 * and on every processor with FMA; libmvec is kept where it is faster and has them too.
 *
 *   LIBMVEC   libmvec, at each width
 *   HALVES    libmvec for 256 bits, on both halves of 512 bits
 *   U10, U35  SLEEF, with an error of at most 1.0 or 3.5 units in the last place
 *   OWN       not from here: special_float.h
 */
#define VECTOR_FUNCTIONS(UNARY, BINARY)                                                            \
    UNARY(exp, OWN, U10)                                                                           \
    UNARY(expm1, OWN, HALVES)                                                                      \
    UNARY(log, LIBMVEC, U35)                                                                       \
    UNARY(log1p, LIBMVEC, U10)                                                                     \
    UNARY(sin, LIBMVEC, U35)                                                                       \
    UNARY(cos, LIBMVEC, U35)                                                                       \
    UNARY(tan, U35, U35)                                                                           \
    UNARY(tanh, OWN, U35)                                                                          \
    UNARY(exp2, U10, U10)                                                                          \
    UNARY(log2, U35, U35)                                                                          \
    UNARY(log10, HALVES, U10)                                                                      \
    UNARY(asin, U35, U35)                                                                          \
    UNARY(acos, U35, U35)                                                                          \
    UNARY(atan, U35, U35)                                                                          \
    UNARY(sinh, LIBMVEC, HALVES)                                                                   \
    UNARY(cosh, HALVES, HALVES)                                                                    \
    UNARY(erf, OWN, HALVES)                                                                        \
    UNARY(erfc, OWN, HALVES)                                                                       \
    BINARY(pow, HALVES, HALVES)                                                                    \
    BINARY(atan2, U35, U35)                                                                        \
    BINARY(hypot, U35, U35)

#if VECTOR_MATH && !defined(VECTOR_MATH_C)
#define VECTOR_OF(name)                                                                            \
    extern __typeof__(name) name __asm__("wrun_" #name) __attribute__((simd("notinbranch"), const));
#define VECTOR_LIBMVEC VECTOR_OF
#define VECTOR_HALVES VECTOR_OF
#define VECTOR_U10 VECTOR_OF
#define VECTOR_U35 VECTOR_OF
#define VECTOR_OWN(name)
#define VECTOR_FUNCTION(name, in_float, in_double)                                                 \
    VECTOR_##in_float(name##f) VECTOR_##in_double(name)
VECTOR_FUNCTIONS(VECTOR_FUNCTION, VECTOR_FUNCTION)
#undef VECTOR_FUNCTION
#undef VECTOR_LIBMVEC
#undef VECTOR_HALVES
#undef VECTOR_U10
#undef VECTOR_U35
#undef VECTOR_OWN
#undef VECTOR_OF
#endif

#endif
