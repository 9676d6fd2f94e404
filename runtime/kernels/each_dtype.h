/*
 * each_dtype.h - reads KERNELS for each type of elements, as each_float.h does for floats
 *
 * bool is stored as uint8, and sums of integers are carried in int64.
 */
#include "kernels/each_float.h"

#define A int64_t
#define IS_NAN(x) false

#define T int64_t
#define NAME(x) x##_i64
#define LEAST INT64_MIN
#define GREATEST INT64_MAX
#include KERNELS
#undef T
#undef NAME
#undef LEAST
#undef GREATEST

#define T int32_t
#define NAME(x) x##_i32
#define LEAST INT32_MIN
#define GREATEST INT32_MAX
#include KERNELS
#undef T
#undef NAME
#undef LEAST
#undef GREATEST

#define T uint8_t
#define NAME(x) x##_u8
#define LEAST 0
#define GREATEST UINT8_MAX
#include KERNELS
#undef T
#undef NAME
#undef LEAST
#undef GREATEST

#undef A
#undef IS_NAN
