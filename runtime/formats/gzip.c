/*
 * gzip.c - reads a file that may be compressed
 *
 * Invariant: z.next_in/avail_in is what has been read of the file and not yet handed out,
 * compressed or not. The inflater lives in z only while `inflating`; a member that ends is closed
 * by inflateReset, and the next byte decides whether another member follows.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/gzip.h"
#include "tensor/interrupt.h"

enum {
    GZIP_WINDOW = 15 + 16, /* zlib: the largest window, gzip wrapping only */
    RAW_WINDOW = -15,      /* the same, without wrapping */
    GZIP_RATIO = 1032      /* deflate spends at least 2 bits on 258 bytes */
};

static const unsigned char gzip_magic[2] = {0x1f, 0x8b};

/* to[*got] = what one read of the file, or of its part, returns; nothing where it ends */
static Reason read_file(GzipReader *reader, void *to, size_t size, size_t *got)
{
    *got = 0;
    if (reader->is_part && (int64_t)size > reader->left)
        size = (size_t)reader->left;
    for (;;) {
        if (interrupt_wanted())
            return "interrupted";
        ssize_t n = size > 0 ? read(reader->descriptor, to, size) : 0;
        if (n >= 0) {
            *got = (size_t)n;
            reader->left -= reader->is_part ? n : 0;
            return NULL;
        }
        if (errno != EINTR)
            return strerror(errno);
    }
}

/* Adds what one read returns to the waiting input; the file has ended when that is nothing. */
static Reason fill(GzipReader *reader, size_t *added)
{
    z_stream *z = &reader->z;

    memmove(reader->input, z->next_in, z->avail_in);
    z->next_in = reader->input;
    Reason reason = read_file(reader, reader->input + z->avail_in, GZIP_INPUT - z->avail_in, added);
    z->avail_in += (unsigned)*added;
    return reason;
}

Reason gzip_open(GzipReader *reader, int descriptor)
{
    Reason reason;
    size_t added = 1;

    reader->descriptor = descriptor;
    reader->compressed = false;
    reader->between = false;
    reader->inflating = false;
    reader->is_part = false;
    reader->tap = NULL;
    reader->head_size = 0;
    reader->z = (z_stream){.next_in = reader->input};
    while (added > 0 && reader->z.avail_in < sizeof(gzip_magic)) {
        if ((reason = fill(reader, &added)) != NULL)
            return reason;
    }
    if (reader->z.avail_in < sizeof(gzip_magic) ||
        memcmp(reader->input, gzip_magic, sizeof(gzip_magic)) != 0)
        return NULL;
    if (inflateInit2(&reader->z, GZIP_WINDOW) != Z_OK)
        return "not enough memory to inflate gzip data";
    reader->compressed = true;
    reader->inflating = true;
    return NULL;
}

Reason gzip_part(GzipReader *reader, int64_t offset, int64_t size, bool is_deflated)
{
    if (reader->inflating)
        inflateEnd(&reader->z);
    reader->z = (z_stream){.next_in = reader->input};
    reader->compressed = reader->inflating = reader->between = false;
    reader->is_part = true;
    reader->head_size = 0;
    reader->left = size;
    if (lseek(reader->descriptor, offset, SEEK_SET) < 0)
        return strerror(errno);
    if (is_deflated && inflateInit2(&reader->z, RAW_WINDOW) != Z_OK)
        return "not enough memory to inflate data";
    reader->compressed = reader->inflating = is_deflated;
    return NULL;
}

static Reason read_plain(GzipReader *reader, unsigned char *to, size_t size, size_t *got)
{
    z_stream *z = &reader->z;
    size_t added = 1;
    Reason reason;

    for (*got = 0; *got < size;) {
        if (z->avail_in == 0 && size - *got >= GZIP_INPUT) { /* much: past the buffer */
            if ((reason = read_file(reader, to + *got, size - *got, &added)) != NULL)
                return reason;
            *got += added;
            if (added == 0)
                break;
            continue;
        }
        if (z->avail_in == 0) {
            if ((reason = fill(reader, &added)) != NULL)
                return reason;
            if (added == 0)
                break;
        }
        size_t n = z->avail_in < size - *got ? z->avail_in : size - *got;
        memcpy(to + *got, z->next_in, n);
        z->next_in += n;
        z->avail_in -= (unsigned)n;
        *got += n;
    }
    return NULL;
}

static Reason read_compressed(GzipReader *reader, unsigned char *to, size_t size, size_t *got)
{
    enum { MOST = 1 << 30 }; /* avail_out is 32 bits wide */
    z_stream *z = &reader->z;
    size_t added = 1;
    Reason reason;

    for (*got = 0; *got < size;) {
        if (z->avail_in == 0) {
            if ((reason = fill(reader, &added)) != NULL)
                return reason;
            if (added == 0) {
                if (reader->between)
                    return NULL;
                return reader->is_part ? "the deflated data ends early"
                                       : "the gzip data ends early";
            }
        }
        if (reader->between && !reader->is_part && z->next_in[0] == 0) { /* padding */
            z->next_in++;
            z->avail_in--;
            continue;
        }
        if (reader->between && (reader->is_part || z->next_in[0] != gzip_magic[0]))
            return reader->is_part ? "unexpected bytes after the deflated data"
                                   : "unexpected bytes after the gzip data";
        reader->between = false;
        unsigned room = size - *got < MOST ? (unsigned)(size - *got) : MOST;
        z->next_out = to + *got;
        z->avail_out = room;
        int status = inflate(z, Z_NO_FLUSH);
        *got += room - z->avail_out;
        if (status == Z_STREAM_END) {
            reader->between = true;
            inflateReset(z);
        } else if (status == Z_MEM_ERROR) {
            return "not enough memory to inflate gzip data";
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            return reader->is_part ? "the deflated data is damaged" : "the gzip data is damaged";
        }
    }
    return NULL;
}

Reason gzip_read(GzipReader *reader, void *to, size_t size, size_t *got)
{
    Reason reason = reader->compressed ? read_compressed(reader, to, size, got)
                                       : read_plain(reader, to, size, got);
    size_t noted = GZIP_HEAD - reader->head_size < *got ? GZIP_HEAD - reader->head_size : *got;
    memcpy(reader->head + reader->head_size, to, noted);
    reader->head_size += noted;
    if (reader->tap != NULL)
        reader->tap(reader->tap_context, to, *got);
    return reason;
}

int64_t gzip_inflated_bound(int64_t size)
{
    int64_t bound;
    return size_multiply(size, GZIP_RATIO, &bound) ? bound : INT64_MAX;
}

int64_t gzip_bound(const GzipReader *reader)
{
    struct stat status;

    if (fstat(reader->descriptor, &status) != 0 || !S_ISREG(status.st_mode))
        return INT64_MAX;
    if (!reader->compressed)
        return status.st_size;
    return gzip_inflated_bound(status.st_size);
}

void gzip_close(GzipReader *reader)
{
    if (reader->inflating)
        inflateEnd(&reader->z);
    if (reader->descriptor >= 0)
        close(reader->descriptor);
    reader->inflating = false;
    reader->descriptor = -1;
}
