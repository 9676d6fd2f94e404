/*
 * element.h - elements as data files hold them (layer 3)
 *
 * ELEMENTS is the table: what may stand in a file, how wide it is there, and what it becomes. What
 * a dtype of wrun holds exactly stays as it is; other integers become int64, halves float32.
 */
#ifndef ELEMENT_H
#define ELEMENT_H

#include "dtype.h"
#include "gzip.h"

/*      constant, bytes, becomes */
#define ELEMENTS(ROW)                                                                              \
    ROW(ELEMENT_BOOL, 1, BOOL)                                                                     \
    ROW(ELEMENT_U8, 1, UINT8)                                                                      \
    ROW(ELEMENT_I8, 1, INT64)                                                                      \
    ROW(ELEMENT_U16, 2, INT64)                                                                     \
    ROW(ELEMENT_I16, 2, INT64)                                                                     \
    ROW(ELEMENT_U32, 4, INT64)                                                                     \
    ROW(ELEMENT_I32, 4, INT32)                                                                     \
    ROW(ELEMENT_U64, 8, INT64)                                                                     \
    ROW(ELEMENT_I64, 8, INT64)                                                                     \
    ROW(ELEMENT_F16, 2, FLOAT32)                                                                   \
    ROW(ELEMENT_BF16, 2, FLOAT32)                                                                  \
    ROW(ELEMENT_F32, 4, FLOAT32)                                                                   \
    ROW(ELEMENT_F64, 8, FLOAT64)

#define ROW(constant, width, dtype) constant,
typedef enum { ELEMENTS(ROW) ELEMENT_COUNT } Element;
#undef ROW

typedef struct {
    int width; /* bytes in the file */
    DType dtype;
} ElementInfo;

extern const ElementInfo element_info[ELEMENT_COUNT];

/*
 * to[count] of the element's dtype = the next count elements of the source. Where the data end
 * early there is no Reason, and *got, the bytes that came, is less than count * width. Refuses
 * unsigned numbers above 2^63 - 1.
 */
Reason element_read(GzipReader *source, Element element, bool is_big_endian, int64_t count,
                    void *to, int64_t *got);

#endif
