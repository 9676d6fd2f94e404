/*
 * gzip.h - reads a file that may be compressed
 *
 * Whatever the file holds, its uncompressed bytes come out: a plain file passes as it is; gzip
 * members, one after the other, are inflated and their check sums verified [RFC1952]. Other bytes
 * than zeros after the last member are damage (zlib's gzread would pass over them in silence), and so is a stream
 * that ends early.
 */
#ifndef GZIP_H
#define GZIP_H

#include <zlib.h>

#include "tensor/base.h"

enum { GZIP_INPUT = 1 << 16, GZIP_HEAD = 512 };

typedef struct {
    int descriptor; /* -1: closed */
    bool compressed;
    bool between;   /* between members: the file may end here */
    bool inflating; /* z holds memory */
    bool is_part;   /* reads one part of the file, of which `left` bytes were not read yet */
    int64_t left;
    /* is shown all that comes out; gzip_open sets none */
    void (*tap)(void *context, const void *bytes, size_t size);
    void *tap_context;
    unsigned char head[GZIP_HEAD]; /* the first bytes that came out, to say what the file is */
    size_t head_size;
    z_stream z;
    unsigned char input[GZIP_INPUT];
} GzipReader;

/*
 * Reads on from the current position of an open file, which now belongs to the reader: gzip_close
 * closes it, also after a refusal. The reader must not move in memory while it is open.
 */
Reason gzip_open(GzipReader *reader, int descriptor);

/*
 * Goes on with `size` bytes of the file from `offset` on, as a ZIP archive holds a member: plain,
 * or deflated without a header, when they must hold one stream and nothing after it. The file must
 * be seekable; the tap stays.
 */
Reason gzip_part(GzipReader *reader, int64_t offset, int64_t size, bool is_deflated);

/* to[*got] = the next bytes; without a Reason, *got < size only where the data ends. */
Reason gzip_read(GzipReader *reader, void *to, size_t size, size_t *got);

/* The most that `size` compressed bytes can hold. */
int64_t gzip_inflated_bound(int64_t size);

/* How many bytes the whole file can yield at most; exact for a plain file, INT64_MAX for a pipe. */
int64_t gzip_bound(const GzipReader *reader);

/* may be called twice */
void gzip_close(GzipReader *reader);

#endif
