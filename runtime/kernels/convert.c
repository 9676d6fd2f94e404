/*
 * convert.c - moving elements between types and strides; see convert.h
 *
 * One function for each pair of types, made by the two includes of the dtype table below.
 */
#include "kernels/convert.h"

typedef void Converter(int64_t n, void *to, int64_t to_step, const void *from, int64_t from_step);

#define TO_BOOL(x) ((x) != 0)
#define TO_UINT8(x) ((uint8_t)(int64_t)(x))
#define TO_INT32(x) ((int32_t)(x))
#define TO_INT64(x) ((int64_t)(x))
#define TO_FLOAT32(x) ((float)(x))
#define TO_FLOAT64(x) ((double)(x))

/* contiguous to contiguous, also backwards, repeated to contiguous, and the rest */
#define CONVERTER(FROM, from_type, TO, to_type)                                                    \
    VECTORISED static void convert_##FROM##_##TO(int64_t n, void *to, int64_t to_step,             \
                                                 const void *from, int64_t from_step)              \
    {                                                                                              \
        const from_type *x = from;                                                                 \
        to_type *y = to;                                                                           \
        if (to_step == 1 && from_step == 1) {                                                      \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i] = TO_##TO(x[i]);                                                              \
        } else if (to_step == 1 && from_step == -1) {                                              \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i] = TO_##TO(x[-i]);                                                             \
        } else if (to_step == 1 && from_step == 0) {                                               \
            const to_type value = TO_##TO(x[0]);                                                   \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i] = value;                                                                      \
        } else {                                                                                   \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i * to_step] = TO_##TO(x[i * from_step]);                                        \
        }                                                                                          \
    }

#define FROM_EACH(TO, to_type)                                                                     \
    CONVERTER(BOOL, uint8_t, TO, to_type)                                                          \
    CONVERTER(UINT8, uint8_t, TO, to_type)                                                         \
    CONVERTER(INT32, int32_t, TO, to_type)                                                         \
    CONVERTER(INT64, int64_t, TO, to_type)                                                         \
    CONVERTER(FLOAT32, float, TO, to_type)                                                         \
    CONVERTER(FLOAT64, double, TO, to_type)
#define ROW(constant, type, name, category) FROM_EACH(constant, type)
DTYPES(ROW)
#undef ROW

#define ROW(constant, type, name, category)                                                        \
    [constant] = {                                                                                 \
        convert_BOOL_##constant,  convert_UINT8_##constant,   convert_INT32_##constant,            \
        convert_INT64_##constant, convert_FLOAT32_##constant, convert_FLOAT64_##constant},
static Converter *const converters[DTYPE_COUNT][DTYPE_COUNT] = {DTYPES(ROW)};
#undef ROW

void convert_elements(int64_t n, DType to_type, void *to, int64_t to_step, DType from_type,
                      const void *from, int64_t from_step)
{
    converters[to_type][from_type](n, to, to_step, from, from_step);
}
