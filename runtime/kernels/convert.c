/*
 * convert.c - moving elements between types and strides; see convert.h
 *
 * One function for each pair of types, made by the two includes of the dtype table below.
 */
#include <string.h>

#include "kernels/convert.h"

typedef void Converter(int64_t n, void *to, int64_t to_step, const void *from, int64_t from_step);

#define TO_BOOL(x) ((x) != 0)
#define TO_UINT8(x) ((uint8_t)(int64_t)(x))
#define TO_INT32(x) ((int32_t)(x))
#define TO_INT64(x) ((int64_t)(x))
#define TO_FLOAT32(x) ((float)(x))
#define TO_FLOAT64(x) ((double)(x))

/* contiguous to contiguous, also backwards, every second to contiguous, repeated, and the rest */
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
        } else if (to_step == 1 && from_step == 2) {                                               \
            for (int64_t i = 0; i < n; i++)                                                        \
                y[i] = TO_##TO(x[2 * i]);                                                          \
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

/* ---- planes ---- */

typedef int32_t Four __attribute__((vector_size(16), aligned(4), may_alias));
typedef int64_t Two __attribute__((vector_size(16), aligned(8), may_alias));
typedef void Square(char *to, int64_t to_step, const char *from, int64_t from_step);

static inline void turn_four(char *to, int64_t to_step, const char *from, int64_t from_step)
{
    Four a = *(const Four *)from, b = *(const Four *)(from + from_step);
    Four c = *(const Four *)(from + 2 * from_step), d = *(const Four *)(from + 3 * from_step);
    Four low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
    Four high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
    Four other_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    Four other_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    *(Four *)to = __builtin_shufflevector(low, other_low, 0, 1, 4, 5);
    *(Four *)(to + to_step) = __builtin_shufflevector(low, other_low, 2, 3, 6, 7);
    *(Four *)(to + 2 * to_step) = __builtin_shufflevector(high, other_high, 0, 1, 4, 5);
    *(Four *)(to + 3 * to_step) = __builtin_shufflevector(high, other_high, 2, 3, 6, 7);
}

static inline void turn_two(char *to, int64_t to_step, const char *from, int64_t from_step)
{
    Two a = *(const Two *)from, b = *(const Two *)(from + from_step);
    *(Two *)to = __builtin_shufflevector(a, b, 0, 2);
    *(Two *)(to + to_step) = __builtin_shufflevector(a, b, 1, 3);
}

INLINED void turn_singly(int64_t size, int64_t i, int64_t rows, int64_t j, int64_t columns,
                         char *to, int64_t to_step, const char *from, int64_t from_step)
{
    for (; i < rows; i++)
        for (int64_t k = j; k < columns; k++)
            memcpy(to + i * to_step + k * size, from + k * from_step + i * size, (size_t)size);
}

/* in squares of vectors, by strips of as many rows as a line of the cache has elements; steps are in
 * bytes */
INLINED void turn(int64_t size, int64_t rows, int64_t columns, char *to, int64_t to_step,
                  const char *from, int64_t from_step, Square *square)
{
    const int64_t side = 16 / size, strip = 64 / size;
    int64_t whole_rows = rows - rows % side, whole_columns = columns - columns % side;
    for (int64_t first = 0; first < whole_rows; first += strip)
        for (int64_t j = 0; j < whole_columns; j += side)
            for (int64_t i = first; i < size_min(first + strip, whole_rows); i += side)
                square(to + i * to_step + j * size, to_step, from + j * from_step + i * size,
                       from_step);
    turn_singly(size, 0, whole_rows, whole_columns, columns, to, to_step, from, from_step);
    turn_singly(size, whole_rows, rows, 0, columns, to, to_step, from, from_step);
}

void transpose_elements(int64_t size, int64_t rows, int64_t columns, void *to, int64_t to_step,
                        const void *from, int64_t from_step)
{
    if (size == 4)
        turn(4, rows, columns, to, to_step * 4, from, from_step * 4, turn_four);
    else
        turn(8, rows, columns, to, to_step * 8, from, from_step * 8, turn_two);
}
