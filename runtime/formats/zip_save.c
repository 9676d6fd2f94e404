/*
 * zip_save.c - writes NPZ archives; see zip.h
 *
 * Every size is written 64 bits wide, in the extra fields and the end record that APPNOTE has for
 * that, whatever it is: one way, which every archive takes.
 */
#include <errno.h>
#include <string.h>

#include "formats/zip.h"

enum {
    VERSION_NEEDED = 45, /* 4.5: 64-bit sizes */
    UTF8 = 1 << 11,
    DATE = 33 /* 1980-01-01, the first there is */
};

/* ---- records: little-endian numbers one after the other ---- */

typedef struct {
    unsigned char bytes[128];
    size_t size;
} Record;

static void put(Record *record, int width, uint64_t value)
{
    for (int i = 0; i < width; i++)
        record->bytes[record->size++] = (unsigned char)(value >> 8 * i);
}

/* what local headers and directory entries share, from the version on */
static void put_member(Record *record, const ZipArray *member, bool is_deflated, int extra)
{
    put(record, 2, VERSION_NEEDED);
    put(record, 2, UTF8);
    put(record, 2, is_deflated ? Z_DEFLATED : 0);
    put(record, 2, 0);
    put(record, 2, DATE);
    put(record, 4, member->sum);
    put(record, 4, UINT32_MAX); /* both sizes are in the extra field */
    put(record, 4, UINT32_MAX);
    put(record, 2, strlen(member->array.name) + 4);
    put(record, 2, (uint64_t)extra);
}

static void put_sizes(Record *record, const ZipArray *member, int size)
{
    put(record, 2, 1);
    put(record, 2, (uint64_t)size);
    put(record, 8, (uint64_t)member->size);
    put(record, 8, (uint64_t)member->packed);
}

/* header, NAME.npy, and the extra field */
static void write_named(AtomicFile *file, const Record *header, const char *name,
                        const Record *extra)
{
    atomic_file_write(file, header->bytes, header->size);
    atomic_file_write(file, name, strlen(name));
    atomic_file_write(file, ".npy", 4);
    atomic_file_write(file, extra->bytes, extra->size);
}

static void write_local(AtomicFile *file, const ZipArray *member, bool is_deflated)
{
    Record header = {.size = 0}, extra = {.size = 0};

    put(&header, 4, 0x04034b50);
    put_member(&header, member, is_deflated, 20);
    put_sizes(&extra, member, 16);
    write_named(file, &header, member->array.name, &extra);
}

static void write_entry(AtomicFile *file, const ZipArray *member, bool is_deflated)
{
    Record header = {.size = 0}, extra = {.size = 0};

    put(&header, 4, 0x02014b50);
    put(&header, 2, 3 << 8 | VERSION_NEEDED); /* made on Unix */
    put_member(&header, member, is_deflated, 28);
    put(&header, 2, 0);           /* comment */
    put(&header, 2, 0);           /* disk */
    put(&header, 2, 0);           /* inner attributes */
    put(&header, 4, 0600U << 16); /* outer ones: a plain file */
    put(&header, 4, UINT32_MAX);  /* offset */
    put_sizes(&extra, member, 24);
    put(&extra, 8, (uint64_t)member->offset);
    write_named(file, &header, member->array.name, &extra);
}

static void write_end64(AtomicFile *file, int64_t count, int64_t directory, int64_t stop)
{
    Record record = {.size = 0};

    put(&record, 4, 0x06064b50);
    put(&record, 8, 44); /* bytes to come of this record */
    put(&record, 2, 3 << 8 | VERSION_NEEDED);
    put(&record, 2, VERSION_NEEDED);
    put(&record, 8, 0); /* disks */
    put(&record, 8, (uint64_t)count);
    put(&record, 8, (uint64_t)count);
    put(&record, 8, (uint64_t)(stop - directory));
    put(&record, 8, (uint64_t)directory);
    put(&record, 4, 0x07064b50); /* the locator of the record above */
    put(&record, 4, 0);
    put(&record, 8, (uint64_t)stop);
    put(&record, 4, 1);
    atomic_file_write(file, record.bytes, record.size);
}

/* all ones refer to the 64-bit record; an empty archive is this record alone */
static void write_end(AtomicFile *file, bool is_empty)
{
    Record record = {.size = 0};

    put(&record, 4, 0x06054b50);
    put(&record, 4, 0);
    put(&record, 2, is_empty ? 0 : UINT16_MAX);
    put(&record, 2, is_empty ? 0 : UINT16_MAX);
    put(&record, 4, is_empty ? 0 : UINT32_MAX);
    put(&record, 4, is_empty ? 0 : UINT32_MAX);
    put(&record, 2, 0);
    atomic_file_write(file, record.bytes, record.size);
}

/* ---- members ---- */

/* Adds bytes to a member; z is NULL for a stored one. With `flush` Z_FINISH the stream ends. */
static void pack(AtomicFile *file, z_stream *z, ZipArray *member, const void *bytes, int64_t size,
                 int flush)
{
    enum { MOST = 1 << 30, PIECE = 1 << 14 };
    unsigned char piece[PIECE];
    const unsigned char *from = bytes;

    member->sum = (uint32_t)crc32_z(member->sum, from, (size_t)size);
    member->size += size;
    if (z == NULL) {
        member->packed += size;
        atomic_file_write(file, from, (size_t)size);
        return;
    }
    do {
        int64_t part = size_min(size, MOST);
        z->next_in = (unsigned char *)(uintptr_t)from;
        z->avail_in = (unsigned)part;
        from += part;
        size -= part;
        do {
            z->next_out = piece;
            z->avail_out = PIECE;
            deflate(z, size == 0 ? flush : Z_NO_FLUSH);
            size_t n = PIECE - z->avail_out;
            member->packed += (int64_t)n;
            atomic_file_write(file, piece, n);
        } while (z->avail_out == 0);
    } while (size > 0);
}

static Reason write_member(AtomicFile *file, ZipArray *member, bool is_deflated)
{
    enum { RAW_WINDOW = -15, MEMORY = 8 };
    char header[NPY_PREFIX];
    const NamedArray *array = &member->array;
    int64_t length = npy_header(array->dtype, array->ndim, array->shape, header);
    z_stream z = {.next_in = NULL};

    member->sum = 0;
    member->packed = member->size = 0;
    member->offset = ftello(file->file);
    write_local(file, member, is_deflated);
    if (is_deflated && deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_WINDOW, MEMORY,
                                    Z_DEFAULT_STRATEGY) != Z_OK)
        return "not enough memory to deflate data";
    pack(file, is_deflated ? &z : NULL, member, header, length, Z_NO_FLUSH);
    pack(file, is_deflated ? &z : NULL, member, array->elements, array->size, Z_FINISH);
    if (is_deflated)
        deflateEnd(&z);
    /* now that its sizes and sum are known, its header again */
    int64_t stop = ftello(file->file);
    if (stop < 0 || fseeko(file->file, member->offset, SEEK_SET) != 0)
        return strerror(errno);
    write_local(file, member, is_deflated);
    return fseeko(file->file, stop, SEEK_SET) != 0 ? strerror(errno) : NULL;
}

static void write_directory(AtomicFile *file, const ZipArray *arrays, int64_t count,
                            bool is_deflated)
{
    int64_t directory = ftello(file->file);

    for (int64_t i = 0; i < count; i++)
        write_entry(file, &arrays[i], is_deflated);
    if (count > 0)
        write_end64(file, count, directory, ftello(file->file));
    write_end(file, count == 0);
}

Reason zip_save(const char *path, ZipArray *arrays, int64_t count, bool is_deflated)
{
    AtomicFile file;
    Reason reason = atomic_file_begin(&file, path);

    if (reason != NULL)
        return reason;
    for (int64_t i = 0; i < count && reason == NULL; i++)
        reason = write_member(&file, &arrays[i], is_deflated);
    if (reason == NULL)
        write_directory(&file, arrays, count, is_deflated);
    return atomic_file_end(&file, reason);
}
