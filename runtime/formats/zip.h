/*
 * zip.h - ZIP archives of arrays, NumPy's NPZ
 *
 * Reading: the directory at the end of the file is walked member by member, each is read where it
 * lies, and nothing is ever unpacked to a path. Members may be stored or deflated, sizes 64 bits
 * wide; encryption, other methods and archives in several files are refused. The directory must
 * stand right before its end record, members may not overlap, none may announce more than its
 * compressed bytes can hold, and check sums are verified. Source: PKWARE's APPNOTE 6.3.
 *
 * Writing: as NumPy writes, with a fixed date, so that the same arrays give the same bytes.
 */
#ifndef ZIP_H
#define ZIP_H

#include "formats/named_array.h"
#include "formats/npy.h"

enum { ZIP_NAME = 1 << 12, ZIP_TAIL = (1 << 16) + 256 };

/* one member, as the directory has it */
typedef struct {
    char name[ZIP_NAME + 1];
    uint16_t method;
    uint32_t sum;         /* CRC-32 */
    int64_t packed, size; /* bytes in the archive, and unpacked */
    int64_t offset;       /* of its local header */
} ZipMember;

typedef struct {
    GzipReader source;
    int64_t count;          /* members */
    int64_t done;           /* of which so many were read */
    int64_t directory, end; /* where it stands, and where it stops */
    int64_t cursor;         /* of the next entry */
    int64_t occupied;       /* bytes of the members so far */
    uint32_t sum;           /* of what was read of the open member */
    int64_t unpacked;       /* and how much that was */
    ZipMember member;       /* the one that zip_next found */
    Refusal refusal;
    unsigned char tail[ZIP_TAIL];
} ZipReader;

/* Finds the directory. The descriptor is under the rules of gzip_open.
 * A Reason may be the reader's message. */
Reason zip_open(ZipReader *reader, int descriptor);

/* Goes to the next member, of which there must be one left, and opens it:
 * reader->source yields what it holds. */
Reason zip_next(ZipReader *reader);

/* After the last byte of a member: is it what was packed? */
Reason zip_check(ZipReader *reader);

/* Reads the rest of a member, which is not wanted, and checks it. */
Reason zip_skip(ZipReader *reader);

/* After the last member: has the directory ended too? */
Reason zip_finish(ZipReader *reader);

/* may be called twice */
void zip_close(ZipReader *reader);

/* an array to be written; the rest is for zip_save's own use */
typedef struct {
    NamedArray array;
    uint32_t sum;
    int64_t packed, size, offset; /* of the member NAME.npy */
} ZipArray;

/* Writes arrays[count] as NAME.npy each, deflated on demand.
 * Names are at most ZIP_NAME - 4 bytes. */
Reason zip_save(const char *path, ZipArray *arrays, int64_t count, bool is_deflated);

#endif
