/*
 * npy.h - NumPy's array files
 *
 * A magic string, a version, the length of a header, the header - a Python dictionary of three
 * entries, padded with blanks - and the elements. The header is parsed by its grammar and never
 * evaluated; arrays that would need Python to be read (objects, records, texts, dates) are refused.
 * Source: numpy/lib/format.py, versions 1.0, 2.0 and 3.0.
 *
 * Three steps, as in idx.h: npy_open, the caller allocates, npy_read. The file may be compressed
 * with gzip, or be a member of an archive.
 */
#ifndef NPY_H
#define NPY_H

#include "formats/atomic_file.h"
#include "formats/encoding.h"
#include "formats/refusal.h"
#include "tensor/tensor.h"

enum {
    NPY_HEADER = 1 << 16,                 /* the longest header that is read */
    NPY_PREFIX = 10 + 192 + 22 * MAX_RANK /* the most that npy_header writes */
};

typedef struct {
    GzipReader *source;
    Encoding encoding;
    bool is_big_endian;
    bool is_foreign; /* refused for elements that wrun has no type for: the file may be good */
    bool is_fortran; /* elements lie with the first dimension innermost */
    int ndim;
    int64_t shape[MAX_RANK];
    int64_t numel;
    int64_t header_bytes; /* all that stands before the elements */
    Refusal refusal;
    char header[NPY_HEADER + 1];
} NpyReader;

/*
 * Reads the header from an open source that yields `limit` bytes at most (gzip_bound). A Reason may
 * be in the reader.
 */
Reason npy_open(NpyReader *reader, GzipReader *source, int64_t limit);

/* elements[numel], as they lie; the source must end after them. */
Reason npy_read(NpyReader *reader, void *elements);

/* text = the header, elements to follow, of a row-major array; returns its length */
int64_t npy_header(DType dtype, int ndim, const int64_t *shape, char text[NPY_PREFIX]);

/* Writes a file; elements[] are those of this shape, row by row. */
Reason npy_save(const char *path, DType dtype, int ndim, const int64_t *shape,
                const void *elements);

#endif
