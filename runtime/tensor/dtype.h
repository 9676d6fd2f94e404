/*
 * dtype.h - the element types
 *
 * DTYPES is the table: one row a type, in order of promotion. The common type of two operands is
 * the later row, which for these types is PyTorch's promotion rule.
 */
#ifndef DTYPE_H
#define DTYPE_H

#include "tensor/base.h"

/*      constant  C type   name       category */
#define DTYPES(ROW)                                                                                \
    ROW(BOOL, uint8_t, "bool", CATEGORY_BOOL)                                                      \
    ROW(UINT8, uint8_t, "uint8", CATEGORY_INTEGER)                                                 \
    ROW(INT32, int32_t, "int32", CATEGORY_INTEGER)                                                 \
    ROW(INT64, int64_t, "int64", CATEGORY_INTEGER)                                                 \
    ROW(FLOAT32, float, "float32", CATEGORY_FLOAT)                                                 \
    ROW(FLOAT64, double, "float64", CATEGORY_FLOAT)

/* as errors list them */
#define DTYPE_NAMES "bool, uint8, int32, int64, float32 or float64"

typedef enum { CATEGORY_BOOL, CATEGORY_INTEGER, CATEGORY_FLOAT } Category;

#define ROW(constant, type, name, category) constant,
typedef enum { DTYPES(ROW) DTYPE_COUNT } DType;
#undef ROW

typedef struct {
    const char *name;
    int64_t size; /* bytes an element */
    Category category;
} DTypeInfo;

extern const DTypeInfo dtype_info[DTYPE_COUNT];

static inline int64_t dtype_size(DType t)
{
    return dtype_info[t].size;
}

static inline bool dtype_is_float(DType t)
{
    return dtype_info[t].category == CATEGORY_FLOAT;
}

static inline DType dtype_promote(DType a, DType b)
{
    return a > b ? a : b;
}

/* One element of any type, wide enough to be exact: `i` for booleans and integers, `d` for floats;
 * the other member holds the same value converted. */
typedef struct {
    Category category;
    int64_t i;
    double d;
} Scalar;

/* A float as an integer, towards zero;
 * what does not fit becomes the smallest integer, as the processor has it. */
static inline int64_t dtype_truncate(double x)
{
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
}

static inline int32_t dtype_truncate_32(double x)
{
    return x > -2147483649.0 && x < 2147483648.0 ? (int32_t)x : INT32_MIN;
}

/* the type of a tensor made from a bare number: bool, int64 or float32 */
DType dtype_of_scalar(Scalar s);

/* finds a type by its name; false when there is none */
bool dtype_find(const char *name, DType *out);

/* Reads and writes one element, converting as C does
 * (to bool: nonzero; float to integer: towards zero). */
Scalar dtype_load(DType t, const void *element);
void dtype_store(DType t, void *element, Scalar s);

#endif
