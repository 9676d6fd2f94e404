/*
 * idx.c - the IDX format of MNIST (layer 3)
 *
 * Source: the description that came with the MNIST files [LeCun1998].
 */
#include <string.h>

#include "idx.h"

typedef enum {
    ELEMENT_U8 = 0x08,
    ELEMENT_I8 = 0x09,
    ELEMENT_I16 = 0x0B,
    ELEMENT_I32 = 0x0C,
    ELEMENT_F32 = 0x0D,
    ELEMENT_F64 = 0x0E
} Element;

static const struct {
    Element element;
    int width;
    DType dtype;
} elements_known[] = {
    {ELEMENT_U8, 1, UINT8},  {ELEMENT_I8, 1, INT64},    {ELEMENT_I16, 2, INT64},
    {ELEMENT_I32, 4, INT64}, {ELEMENT_F32, 4, FLOAT32}, {ELEMENT_F64, 8, FLOAT64},
};

static uint32_t load_u16(const unsigned char *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t load_u32(const unsigned char *p)
{
    return load_u16(p) << 16 | load_u16(p + 2);
}

static uint64_t load_u64(const unsigned char *p)
{
    return (uint64_t)load_u32(p) << 32 | load_u32(p + 4);
}

/*
 * to[count] of the reader's dtype = from[count] as they stand in the file. `from` is `to` where
 * both are equally wide: each element is then read before it is overwritten.
 */
static void convert(const IdxReader *reader, const unsigned char *from, char *to, int64_t count)
{
    int64_t *integers = (void *)to;

    switch ((Element)reader->magic[2]) {
    case ELEMENT_U8:
        break;
    case ELEMENT_I8:
        for (int64_t i = 0; i < count; i++)
            integers[i] = (int8_t)from[i];
        break;
    case ELEMENT_I16:
        for (int64_t i = 0; i < count; i++)
            integers[i] = (int16_t)load_u16(from + 2 * i);
        break;
    case ELEMENT_I32:
        for (int64_t i = 0; i < count; i++)
            integers[i] = (int32_t)load_u32(from + 4 * i);
        break;
    case ELEMENT_F32:
        for (int64_t i = 0; i < count; i++) {
            uint32_t bits = load_u32(from + 4 * i);
            memcpy(to + 4 * i, &bits, sizeof(bits));
        }
        break;
    case ELEMENT_F64:
        for (int64_t i = 0; i < count; i++) {
            uint64_t bits = load_u64(from + 8 * i);
            memcpy(to + 8 * i, &bits, sizeof(bits));
        }
        break;
    }
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

/* to[size] = the next bytes, from `position` on; the data must reach to `expected` */
static Reason take(IdxReader *reader, void *to, int64_t size, int64_t position, int64_t expected)
{
    size_t got;
    Reason reason = gzip_read(&reader->source, to, (size_t)size, &got);

    if (reason != NULL && reader->source.compressed && got < (size_t)size)
        return refuse_size(reader, reason, expected, position + (int64_t)got);
    if (reason != NULL)
        return refuse(reader, IDX_FAULT_FILE, reason);
    digest_add(&reader->digest, to, got);
    if (got < (size_t)size)
        return refuse_size(reader, "truncated", expected, position + (int64_t)got);
    return NULL;
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
    reader->width = 0;
    for (size_t i = 0; i < COUNT_OF(elements_known); i++) {
        if (magic[2] == elements_known[i].element) {
            reader->width = elements_known[i].width;
            reader->dtype = elements_known[i].dtype;
        }
    }
    if (reader->width == 0)
        return refuse(reader, IDX_FAULT_HEADER,
                      "not an IDX file (the third byte names no element type)");
    if (magic[3] < 1 || magic[3] > IDX_MAX_RANK)
        return refuse(reader, IDX_FAULT_HEADER,
                      "not an IDX file (the fourth byte, the rank, must be 1 to 8)");
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
        !size_multiply(reader->numel, reader->width, &bytes) ||
        __builtin_add_overflow(bytes, header_bytes(reader), total))
        return refuse(reader, IDX_FAULT_FILE, overflow);
    return NULL;
}

Reason idx_open(IdxReader *reader, int descriptor)
{
    int64_t total;
    Reason reason = gzip_open(&reader->source, descriptor);

    digest_start(&reader->digest);
    if (reason != NULL)
        return refuse(reader, IDX_FAULT_FILE, reason);
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
    int64_t element_size = dtype_size(reader->dtype), total = header_bytes(reader);
    bool in_place = reader->width == element_size;
    Reason reason;
    char *to = elements;

    total += reader->numel * reader->width;
    for (int64_t done = 0, count; done < reader->numel; done += count) {
        count = size_min(reader->numel - done, IDX_PIECE / reader->width);
        void *raw = in_place ? (void *)to : reader->piece;
        int64_t position = header_bytes(reader) + done * reader->width;
        if ((reason = take(reader, raw, count * reader->width, position, total)) != NULL)
            return reason;
        convert(reader, raw, to, count);
        to += count * element_size;
    }

    /* Asking for one byte more also verifies the check sum at the end of gzip data. */
    unsigned char extra;
    size_t got;
    if ((reason = gzip_read(&reader->source, &extra, 1, &got)) != NULL)
        return refuse(reader, IDX_FAULT_FILE, reason);
    if (got > 0) {
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
