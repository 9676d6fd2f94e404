/*
 * gzip.h - reads a file that may be compressed (layer 3)
 *
 * Whatever the file holds, its uncompressed bytes come out: a plain file passes as it is; gzip
 * members, one after the other, are inflated and their check sums verified [RFC1952]. Bytes after
 * the last member are damage (zlib's gzread would pass over them in silence), and so is a stream
 * that ends early.
 */
#ifndef GZIP_H
#define GZIP_H

#include <zlib.h>

#include "base.h"

enum { GZIP_INPUT = 1 << 16 };

typedef struct {
    int descriptor; /* -1: closed */
    bool compressed;
    bool between;   /* between members: the file may end here */
    bool inflating; /* z holds memory */
    z_stream z;
    unsigned char input[GZIP_INPUT];
} GzipReader;

/*
 * Reads on from the current position of an open file, which now belongs to the reader: gzip_close
 * closes it, also after a refusal. The reader must not move in memory while it is open.
 */
Reason gzip_open(GzipReader *reader, int descriptor);

/* to[*got] = the next bytes; without a Reason, *got < size only where the data ends. */
Reason gzip_read(GzipReader *reader, void *to, size_t size, size_t *got);

/* How many bytes the whole file can yield at most; exact for a plain file, INT64_MAX for a pipe. */
int64_t gzip_bound(const GzipReader *reader);

/* may be called twice */
void gzip_close(GzipReader *reader);

#endif
