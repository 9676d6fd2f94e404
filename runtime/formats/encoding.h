/*
 * encoding.h - elements as data files hold them
 *
 * ENCODINGS is the table: what may stand in a file, how wide it is there, and what it becomes. What
 * a dtype of wrun holds exactly stays as it is; other integers become int64, halves float32. The names
 * are those of safetensors, which end the constants.
 */
#ifndef ENCODING_H
#define ENCODING_H

#include "formats/gzip.h"
#include "tensor/dtype.h"

/*      constant, bytes, becomes */
#define ENCODINGS(ROW)                                                                             \
    ROW(ENCODING_BOOL, 1, BOOL)                                                                    \
    ROW(ENCODING_U8, 1, UINT8)                                                                     \
    ROW(ENCODING_I8, 1, INT64)                                                                     \
    ROW(ENCODING_U16, 2, INT64)                                                                    \
    ROW(ENCODING_I16, 2, INT64)                                                                    \
    ROW(ENCODING_U32, 4, INT64)                                                                    \
    ROW(ENCODING_I32, 4, INT32)                                                                    \
    ROW(ENCODING_U64, 8, INT64)                                                                    \
    ROW(ENCODING_I64, 8, INT64)                                                                    \
    ROW(ENCODING_F16, 2, FLOAT32)                                                                  \
    ROW(ENCODING_BF16, 2, FLOAT32)                                                                 \
    ROW(ENCODING_F32, 4, FLOAT32)                                                                  \
    ROW(ENCODING_F64, 8, FLOAT64)

#define ROW(constant, width, dtype) constant,
typedef enum { ENCODINGS(ROW) ENCODING_COUNT } Encoding;
#undef ROW

typedef struct {
    const char *name;
    int width; /* bytes in the file */
    DType dtype;
} EncodingInfo;

extern const EncodingInfo encoding_info[ENCODING_COUNT];

/* the encoding of this name, ENCODING_COUNT where there is none */
Encoding encoding_find(const char *name);

/*
 * to[count] of the element's dtype = the next count elements of the source. Where the data end
 * early there is no Reason, and *got, the bytes that came, is less than count * width. Refuses
 * unsigned numbers above 2^63 - 1.
 */
Reason encoding_read(GzipReader *source, Encoding encoding, bool is_big_endian, int64_t count,
                     void *to, int64_t *got);

#endif
