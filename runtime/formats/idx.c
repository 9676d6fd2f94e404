/*
 * idx.c - the IDX format of MNIST
 *
 * Source: the description that came with the MNIST files [LeCun1998].
 */
#include "formats/idx.h"

/* the third byte, and the elements it announces */
static const struct {
    unsigned char code;
    Encoding encoding;
} elements_known[] = {
    {0x08, ENCODING_U8},  {0x09, ENCODING_I8},  {0x0B, ENCODING_I16},
    {0x0C, ENCODING_I32}, {0x0D, ENCODING_F32}, {0x0E, ENCODING_F64},
};

static uint32_t load_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void add_to_digest(void *digest, const void *bytes, size_t size)
{
    digest_add(digest, bytes, size);
}

static Reason refuse(IdxReader *reader, IdxFault fault, Reason reason)
{
    reader->fault = fault;
    return reason;
}

static Reason refuse_size(IdxReader *reader, Reason reason, int64_t expected, int64_t found)
{
    reader->expected = expected;
    reader->found = found;
    return refuse(reader, IDX_FAULT_SIZE, reason);
}

/* What a read came to that gave `got` bytes of the `size` from `offset` on;
 * the data must reach to `expected`. */
static Reason settle(IdxReader *reader, Reason reason, int64_t size, int64_t got, int64_t offset,
                     int64_t expected)
{
    if (reason != NULL && reader->source.compressed && got < size)
        return refuse_size(reader, reason, expected, offset + got);
    if (reason != NULL)
        return refuse(reader, IDX_FAULT_FILE, reason);
    if (got < size)
        return refuse_size(reader, "truncated", expected, offset + got);
    return NULL;
}

/* to[size] = the next bytes */
static Reason take(IdxReader *reader, void *to, int64_t size, int64_t offset, int64_t expected)
{
    size_t got;
    Reason reason = gzip_read(&reader->source, to, (size_t)size, &got);

    return settle(reader, reason, size, (int64_t)got, offset, expected);
}

static int64_t header_bytes(const IdxReader *reader)
{
    return (int64_t)sizeof(reader->magic) + 4 * reader->ndim;
}

static Reason read_magic(IdxReader *reader)
{
    const unsigned char *magic = reader->magic;
    int64_t size = sizeof(reader->magic);
    Reason reason = take(reader, reader->magic, size, 0, size);

    if (reason != NULL)
        return reason;
    if (magic[0] != 0 || magic[1] != 0)
        return refuse(reader, IDX_FAULT_HEADER,
                      "not an IDX file (it must begin with two zero bytes)");
    reader->encoding = ENCODING_COUNT;
    for (size_t i = 0; i < COUNT_OF(elements_known); i++)
        if (magic[2] == elements_known[i].code)
            reader->encoding = elements_known[i].encoding;
    if (reader->encoding == ENCODING_COUNT)
        return refuse(reader, IDX_FAULT_HEADER,
                      "not an IDX file (the third byte names no element type)");
    if (magic[3] < 1 || magic[3] > IDX_MAX_RANK)
        return refuse(reader, IDX_FAULT_HEADER,
                      "not an IDX file (the fourth byte, the rank, must be 1 to 8)");
    reader->dtype = encoding_info[reader->encoding].dtype;
    reader->ndim = magic[3];
    return NULL;
}

/* shape, numel, and *total = the size of the whole uncompressed file */
static Reason read_shape(IdxReader *reader, int64_t *total)
{
    static const Reason overflow = "its sizes multiply to more bytes than a 64-bit number holds";
    unsigned char sizes[4 * IDX_MAX_RANK];
    int64_t bytes;
    Reason reason =
        take(reader, sizes, 4 * reader->ndim, (int64_t)sizeof(reader->magic), header_bytes(reader));

    if (reason != NULL)
        return reason;
    reader->numel = 1;
    for (int d = 0; d < reader->ndim; d++) {
        reader->shape[d] = load_u32(sizes + 4 * d);
        if (!size_multiply(reader->numel, reader->shape[d], &reader->numel))
            return refuse(reader, IDX_FAULT_FILE, overflow);
    }
    if (!size_multiply(reader->numel, dtype_size(reader->dtype), &bytes) ||
        !size_multiply(reader->numel, encoding_info[reader->encoding].width, &bytes) ||
        __builtin_add_overflow(bytes, header_bytes(reader), total))
        return refuse(reader, IDX_FAULT_FILE, overflow);
    return NULL;
}

Reason idx_open(IdxReader *reader, int descriptor)
{
    int64_t total;
    Reason reason = gzip_open(&reader->source, descriptor);

    if (reason != NULL)
        return refuse(reader, IDX_FAULT_FILE, reason);
    digest_start(&reader->digest);
    reader->source.tap = add_to_digest;
    reader->source.tap_context = &reader->digest;
    if ((reason = read_magic(reader)) != NULL || (reason = read_shape(reader, &total)) != NULL)
        return reason;
    /* could the file hold what it announces? */
    int64_t bound = gzip_bound(&reader->source);
    if (total > bound)
        return refuse_size(reader,
                           reader->source.compressed ? "announces more than its gzip data can hold"
                                                     : "truncated",
                           total, bound);
    return NULL;
}

Reason idx_read(IdxReader *reader, void *elements)
{
    int64_t size = reader->numel * encoding_info[reader->encoding].width, got;
    int64_t total = header_bytes(reader) + size;
    Reason reason =
        encoding_read(&reader->source, reader->encoding, true, reader->numel, elements, &got);

    if ((reason = settle(reader, reason, size, got, header_bytes(reader), total)) != NULL)
        return reason;

    /* Asking for one byte more also verifies the check sum at the end of gzip data. */
    unsigned char extra;
    size_t more;
    if ((reason = gzip_read(&reader->source, &extra, 1, &more)) != NULL)
        return refuse(reader, IDX_FAULT_FILE, reason);
    if (more > 0) {
        int64_t bound = gzip_bound(&reader->source);
        bool exact = !reader->source.compressed && bound != INT64_MAX;
        return refuse_size(reader, "too long", total, exact ? bound : total + 1);
    }
    return NULL;
}

void idx_digest(IdxReader *reader, char text[DIGEST_TEXT])
{
    digest_finish(&reader->digest, text);
}

void idx_close(IdxReader *reader)
{
    gzip_close(&reader->source);
}
