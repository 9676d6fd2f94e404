/*
 * each_float.h - reads KERNELS, a file of kernels, for float32 and for float64
 *
 * KERNELS is defined before the include. The file finds T, the type of elements; A, in which sums
 * are carried; NAME(x), which pastes the type's suffix; IS_NAN(x), and the bounds LEAST and
 * GREATEST. There is no guard: it is meant to be read several times.
 */
#define A double
#define IS_NAN(x) isnan(x)
#define LEAST -INFINITY
#define GREATEST INFINITY

#define T float
#define NAME(x) x##_f32
#include KERNELS
#undef T
#undef NAME

#define T double
#define NAME(x) x##_f64
#include KERNELS
#undef T
#undef NAME

#undef A
#undef IS_NAN
#undef LEAST
#undef GREATEST
