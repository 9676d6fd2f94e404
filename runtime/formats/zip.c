/*
 * zip.c - reads ZIP archives member by member; see zip.h
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/content.h"
#include "formats/zip.h"

enum {
    LOCAL = 30,   /* bytes of a local header before its name */
    ENTRY = 46,   /* of an entry of the directory */
    END = 22,     /* of the end record, before its comment */
    LOCATOR = 20, /* of what points to the 64-bit end record */
    END64 = 56,   /* of that record */
    EXTRA64 = 1,  /* the kind of an extra field that holds 64-bit sizes */
    ENCRYPTED = 1 /* a flag */
};

static const char truncated[] = "truncated: not a whole ZIP archive";

static uint16_t load_u16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t load_u32(const unsigned char *p)
{
    return load_u16(p) | (uint32_t)load_u16(p + 2) << 16;
}

/* what is no size of a file becomes -1 */
static int64_t load_u64(const unsigned char *p)
{
    uint64_t value = load_u32(p) | (uint64_t)load_u32(p + 4) << 32;
    return value <= INT64_MAX ? (int64_t)value : -1;
}

static bool is_record(const unsigned char *p, char a, char b)
{
    return p[0] == 'P' && p[1] == 'K' && p[2] == a && p[3] == b;
}

/* to[size] = the bytes from `offset` on */
static Reason read_at(const ZipReader *reader, void *to, size_t size, int64_t offset)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(reader->source.descriptor, (char *)to + done, size - done,
                          offset + (int64_t)done);
        if (n < 0 && errno != EINTR)
            return strerror(errno);
        if (n == 0)
            return truncated;
        done += n > 0 ? (size_t)n : 0;
    }
    return NULL;
}

/* ---- the directory ---- */

/* The 64-bit end record in front of the one at `end`, when that says so; *stop is moved to it. */
static Reason read_end64(ZipReader *reader, int64_t end, int64_t *size, int64_t *stop)
{
    unsigned char locator[LOCATOR], record[END64];
    Reason reason;

    if (end < LOCATOR + END64)
        return truncated;
    if ((reason = read_at(reader, locator, LOCATOR, end - LOCATOR)) != NULL)
        return reason;
    *stop = load_u64(locator + 8);
    if (!is_record(locator, 6, 7) || *stop < 0 || *stop > end - LOCATOR - END64)
        return "bad ZIP archive: its 64-bit end record is not where it should be";
    if ((reason = read_at(reader, record, END64, *stop)) != NULL)
        return reason;
    if (!is_record(record, 6, 6) || load_u32(record + 16) != 0 || load_u32(record + 20) != 0)
        return "bad ZIP archive: its 64-bit end record is damaged";
    reader->count = load_u64(record + 32);
    *size = load_u64(record + 40);
    reader->directory = load_u64(record + 48);
    return NULL;
}

Reason zip_open(ZipReader *reader, int descriptor)
{
    struct stat status;
    Reason reason = gzip_open(&reader->source, descriptor);

    if (reason != NULL)
        return reason;
    if (fstat(descriptor, &status) != 0)
        return strerror(errno);
    if (!S_ISREG(status.st_mode))
        return "is not a regular file";
    if (reader->source.z.avail_in < 2 || memcmp(reader->source.input, "PK", 2) != 0)
        return content_refuse_bytes(&reader->refusal, "data.npz",
                                    "not a ZIP archive (it must begin with PK)",
                                    reader->source.input, reader->source.z.avail_in);
    int64_t length = size_min(status.st_size, ZIP_TAIL), start = status.st_size - length;
    if ((reason = read_at(reader, reader->tail, (size_t)length, start)) != NULL)
        return reason;
    int64_t at = length - END;
    while (at >= 0 && !(is_record(reader->tail + at, 5, 6) &&
                        at + END + load_u16(reader->tail + at + 20) == length))
        at--;
    if (at < 0)
        return truncated;

    const unsigned char *record = reader->tail + at;
    int64_t size = load_u32(record + 12), stop = start + at;
    reader->count = load_u16(record + 10);
    reader->directory = load_u32(record + 16);
    if (load_u16(record + 4) != 0 && load_u16(record + 4) != UINT16_MAX)
        return "a ZIP archive in several files";
    /* some write the 64-bit record where nothing needs it */
    bool is_64 = at >= LOCATOR && is_record(record - LOCATOR, 6, 7);
    if (is_64 || reader->count == UINT16_MAX || size == UINT32_MAX ||
        reader->directory == UINT32_MAX)
        if ((reason = read_end64(reader, stop, &size, &stop)) != NULL)
            return reason;
    if (size < 0 || reader->directory < 0 || size > stop || reader->directory != stop - size)
        return "bad ZIP archive: its directory does not stand before its end";
    if (reader->count < 0 || reader->count > size / ENTRY)
        return "bad ZIP archive: its directory is too short for its members";
    reader->end = stop;
    reader->cursor = reader->directory;
    reader->done = reader->occupied = 0;
    return NULL;
}

/* Takes 64-bit sizes from the extra fields, for those that are all ones elsewhere. */
static Reason read_extra(ZipReader *reader, const unsigned char *extra, int length)
{
    ZipMember *m = &reader->member;
    int64_t *const wide[] = {&m->size, &m->packed, &m->offset};

    while (length >= 4) {
        int kind = load_u16(extra), size = load_u16(extra + 2);
        if (size > length - 4)
            break;
        const unsigned char *field = extra + 4;
        for (size_t i = 0; kind == EXTRA64 && i < COUNT_OF(wide); i++) {
            if (*wide[i] != UINT32_MAX)
                continue;
            if (field + 8 > extra + 4 + size)
                return refuse(&reader->refusal, "member '%.100s': its 64-bit sizes are missing",
                              m->name);
            *wide[i] = load_u64(field);
            field += 8;
        }
        extra += 4 + size;
        length -= 4 + size;
    }
    return NULL;
}

static Reason read_entry(ZipReader *reader)
{
    ZipMember *m = &reader->member;
    unsigned char entry[ENTRY];
    Reason reason = reader->end - reader->cursor < ENTRY
                        ? truncated
                        : read_at(reader, entry, ENTRY, reader->cursor);

    if (reason != NULL)
        return reason;
    int name = load_u16(entry + 28), extra = load_u16(entry + 30), comment = load_u16(entry + 32);
    if (!is_record(entry, 1, 2) || name + extra + comment > reader->end - reader->cursor - ENTRY)
        return "bad ZIP archive: its directory is damaged";
    if (name > ZIP_NAME)
        return refuse(&reader->refusal, "a member's name has %d bytes; at most %d are read", name,
                      ZIP_NAME);
    if ((reason = read_at(reader, m->name, (size_t)name, reader->cursor + ENTRY)) != NULL ||
        (reason = read_at(reader, reader->tail, (size_t)extra, reader->cursor + ENTRY + name)) !=
            NULL)
        return reason;
    m->name[name] = '\0';
    if (strlen(m->name) != (size_t)name)
        return "bad ZIP archive: a member's name holds a zero byte";
    reader->cursor += ENTRY + name + extra + comment;
    m->method = load_u16(entry + 10);
    m->sum = load_u32(entry + 16);
    m->packed = load_u32(entry + 20);
    m->size = load_u32(entry + 24);
    m->offset = load_u32(entry + 42);
    if ((load_u16(entry + 8) & ENCRYPTED) != 0)
        return refuse(&reader->refusal, "member '%.100s': is encrypted", m->name);
    if (m->method != 0 && m->method != Z_DEFLATED)
        return refuse(&reader->refusal,
                      "member '%.100s': is packed by method %d; known are 0 and 8", m->name,
                      m->method);
    return read_extra(reader, reader->tail, extra);
}

/* ---- members ---- */

static void add_to_sum(void *context, const void *bytes, size_t size)
{
    ZipReader *reader = context;

    reader->sum = (uint32_t)crc32_z(reader->sum, bytes, size);
    reader->unpacked += (int64_t)size;
}

Reason zip_next(ZipReader *reader)
{
    ZipMember *m = &reader->member;
    unsigned char local[LOCAL];
    Reason reason = read_entry(reader);

    if (reason != NULL)
        return reason;
    bool is_deflated = m->method == Z_DEFLATED;
    if (m->size < 0 || m->packed < 0 || m->offset < 0 || m->offset > reader->directory - LOCAL ||
        m->packed > reader->directory - LOCAL)
        return refuse(&reader->refusal, "member '%.100s': does not lie in the archive", m->name);
    if ((reason = read_at(reader, local, LOCAL, m->offset)) != NULL)
        return reason;
    int64_t start = m->offset + LOCAL + load_u16(local + 26) + load_u16(local + 28);
    if (!is_record(local, 3, 4) || start > reader->directory - m->packed)
        return refuse(&reader->refusal, "member '%.100s': does not lie in the archive", m->name);
    /* members that shared bytes could hold far more than the file together */
    reader->occupied += start - m->offset + m->packed;
    if (reader->occupied > reader->directory)
        return refuse(&reader->refusal, "member '%.100s': overlaps another", m->name);
    size_t length = strlen(m->name);
    if (load_u16(local + 26) != length ||
        (reason = read_at(reader, reader->tail, length, m->offset + LOCAL)) != NULL ||
        memcmp(reader->tail, m->name, length) != 0)
        return reason != NULL ? reason
                              : refuse(&reader->refusal,
                                       "member '%.100s': has another name where it lies", m->name);
    if (is_deflated ? m->size > gzip_inflated_bound(m->packed) : m->size != m->packed)
        return refuse(&reader->refusal,
                      "member '%.100s': announces %lld bytes, which %lld cannot hold", m->name,
                      (long long)m->size, (long long)m->packed);
    reader->done++;
    reader->sum = 0;
    reader->unpacked = 0;
    reader->source.tap = add_to_sum;
    reader->source.tap_context = reader;
    return gzip_part(&reader->source, start, m->packed, is_deflated);
}

Reason zip_check(ZipReader *reader)
{
    const ZipMember *m = &reader->member;

    if (reader->unpacked != m->size)
        return refuse(&reader->refusal, "member '%.100s': expected %lld bytes, found %lld", m->name,
                      (long long)m->size, (long long)reader->unpacked);
    return reader->sum != m->sum
               ? refuse(&reader->refusal, "member '%.100s': is damaged: its check sum differs",
                        m->name)
               : NULL;
}

Reason zip_skip(ZipReader *reader)
{
    unsigned char bytes[1 << 12];
    size_t got = sizeof(bytes);
    Reason reason = NULL;

    while (reason == NULL && got == sizeof(bytes))
        reason = gzip_read(&reader->source, bytes, sizeof(bytes), &got);
    return reason != NULL ? reason : zip_check(reader);
}

Reason zip_finish(ZipReader *reader)
{
    return reader->cursor != reader->end ? "bad ZIP archive: more in its directory than members"
                                         : NULL;
}

void zip_close(ZipReader *reader)
{
    gzip_close(&reader->source);
}
