/*
 * dtype.c - the element types; see dtype.h
 */
#include <string.h>

#include "tensor/dtype.h"

#define ROW(constant, type, name, category) [constant] = {name, (int64_t)sizeof(type), category},
const DTypeInfo dtype_info[DTYPE_COUNT] = {DTYPES(ROW)};
#undef ROW

DType dtype_of_scalar(Scalar s)
{
    return s.category == CATEGORY_BOOL ? BOOL : s.category == CATEGORY_INTEGER ? INT64 : FLOAT32;
}

bool dtype_find(const char *name, DType *out)
{
    for (int t = 0; t < DTYPE_COUNT; t++)
        if (strcmp(dtype_info[t].name, name) == 0) {
            *out = (DType)t;
            return true;
        }
    return false;
}

Scalar dtype_load(DType t, const void *element)
{
    Scalar s = {.category = dtype_info[t].category};
    switch (t) {
    case BOOL:
    case UINT8:
        s.i = *(const uint8_t *)element;
        break;
    case INT32:
        s.i = *(const int32_t *)element;
        break;
    case INT64:
        s.i = *(const int64_t *)element;
        break;
    case FLOAT32:
        s.d = (double)*(const float *)element;
        break;
    default:
        s.d = *(const double *)element;
        break;
    }
    if (s.category == CATEGORY_FLOAT)
        s.i = dtype_truncate(s.d);
    else
        s.d = (double)s.i;
    return s;
}

void dtype_store(DType t, void *element, Scalar s)
{
    bool is_float = s.category == CATEGORY_FLOAT;
    switch (t) {
    case BOOL:
        *(uint8_t *)element = is_float ? s.d != 0 : s.i != 0;
        break;
    case UINT8:
        *(uint8_t *)element = (uint8_t)s.i;
        break;
    case INT32:
        *(int32_t *)element = is_float ? dtype_truncate_32(s.d) : (int32_t)s.i;
        break;
    case INT64:
        *(int64_t *)element = s.i;
        break;
    case FLOAT32:
        *(float *)element = (float)s.d;
        break;
    default:
        *(double *)element = s.d;
        break;
    }
}
