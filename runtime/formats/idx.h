/*
 * idx.h - the IDX format of MNIST
 *
 * An IDX file is two zero bytes, an element type, a rank, that many big-endian 32-bit sizes, and
 * the elements, big-endian, row by row. It may be compressed (gzip.h). Nothing in it is trusted:
 * the sizes are checked against the file before anything is allocated for them, and the file must
 * end where they say.
 *
 * Three steps, so that the caller owns the memory: idx_open reads the header, the caller allocates,
 * idx_read fills it directly from the stream.
 */
#ifndef IDX_H
#define IDX_H

#include "formats/digest.h"
#include "formats/encoding.h"

enum { IDX_MAX_RANK = 8 };

typedef enum {
    IDX_FAULT_FILE,   /* reading or inflating failed: the Reason says it all */
    IDX_FAULT_HEADER, /* not an IDX file: magic[] shows how it begins */
    IDX_FAULT_SIZE    /* `expected` and `found` count uncompressed bytes */
} IdxFault;

typedef struct {
    GzipReader source;
    Digest digest; /* of every uncompressed byte so far */

    unsigned char magic[4];
    Encoding encoding;
    DType dtype; /* what the elements become: signed integers of any width are int64 */
    int ndim;
    int64_t shape[IDX_MAX_RANK];
    int64_t numel;

    IdxFault fault; /* valid after a refusal */
    int64_t expected, found;
} IdxReader;

/* Reads the header. The descriptor and the reader are under the rules of gzip_open. */
Reason idx_open(IdxReader *reader, int descriptor);

/* elements[numel] of reader->dtype = the elements; refuses a file that ends early or goes on. */
Reason idx_read(IdxReader *reader, void *elements);

/* text = SHA-256 of the whole uncompressed file, once, after idx_read */
void idx_digest(IdxReader *reader, char text[DIGEST_TEXT]);

/* may be called twice */
void idx_close(IdxReader *reader);

#endif
