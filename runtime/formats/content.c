/*
 * content.c - what a file is, by its first bytes; see content.h
 */
#include <string.h>

#include "formats/content.h"

typedef struct {
    const char *name;
    const char *reader; /* the function that reads it, or NULL */
    const char *remedy; /* what else helps, or NULL */
} Content;

static const char png[] = "image.load reads PNG", csv[] = "data.csv reads CSV",
                  tensors[] = "wrun.load reads safetensors", unpack[] = "gzip is unpacked";

static const struct {
    int at, length;
    const char *bytes;
    Content content;
} magics[] = {
    {0, 6, "\x93NUMPY", {"an NPY array", "data.npy", NULL}},
    {0, 8, "\x89PNG\r\n\x1a\n", {"a PNG picture", "image.load", NULL}},
    {0, 3, "\xff\xd8\xff", {"a JPEG picture", NULL, png}},
    {0, 4, "GIF8", {"a GIF picture", NULL, png}},
    {0, 4, "II*\0", {"a TIFF picture", NULL, png}},
    {0, 4, "MM\0*", {"a TIFF picture", NULL, png}},
    {0, 8, "\x89HDF\r\n\x1a\n", {"an HDF5 file", NULL, NULL}},
    {0, 4, "PAR1", {"a Parquet table", NULL, csv}},
    {0, 6, "ARROW1", {"an Arrow table", NULL, csv}},
    {0, 6, "MATLAB", {"a MATLAB file", NULL, NULL}},
    {0,
     14,
     "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19",
     {"a file of torch.save before PyTorch 1.6", NULL, "save it again with a later one"}},
    {0, 10, "4\n1\n3\nV 1\n", {"a text file of Torch7", NULL, "write it as 'binary'"}},
    {0, 4, "GGUF", {"a GGUF file", NULL, tensors}},
    {0, 16, "SQLite format 3", {"an SQLite database", NULL, csv}},
    {0, 4, "%PDF", {"a PDF document", NULL, NULL}},
    {0, 2, "\x1f\x8b", {"compressed with gzip", NULL, "gunzip it first"}},
    {0, 4, "\x28\xb5\x2f\xfd", {"compressed with zstd", NULL, unpack}},
    {0, 3, "BZh", {"compressed with bzip2", NULL, unpack}},
    {0,
     5,
     "\xfd"
     "7zXZ",
     {"compressed with xz", NULL, unpack}},
    {257, 5, "ustar", {"a TAR archive", NULL, "unpack it first"}},
    {0, 2, "\xff\xfe", {"text in UTF-16", NULL, "UTF-8 is read"}},
    {0, 2, "\xfe\xff", {"text in UTF-16", NULL, "UTF-8 is read"}},
};

static const Content empty = {"empty", NULL, NULL},
                     torch = {"a file of PyTorch's torch.save", "wrun.load", NULL},
                     torch7 = {"a file of Torch7", "wrun.load", NULL},
                     pickle = {"a pickle of Python", NULL, tensors},
                     npz = {"an NPZ archive", "data.npz", NULL},
                     zip = {"a ZIP archive", NULL, "data.npz reads NPZ"},
                     safetensors = {"a safetensors file", "wrun.load", NULL},
                     idx = {"an IDX file", "data.idx", NULL},
                     markup = {"a text of HTML or XML", NULL, NULL},
                     json = {"a text of JSON", NULL, csv},
                     text = {"text", NULL, "data.csv reads numbers from text"};

static bool ends_with(const char *bytes, size_t size, const char *ending)
{
    size_t length = strlen(ending);
    return size >= length && memcmp(bytes + size - length, ending, length) == 0;
}

/* bytes[size] is the start of a ZIP archive: its kind, by the name of its first member */
static const Content *zip_content(const unsigned char *bytes, size_t size)
{
    enum { NAME_LENGTH = 26, NAME = 30 };
    size_t length = size > NAME ? bytes[NAME_LENGTH] | (size_t)bytes[NAME_LENGTH + 1] << 8 : 0;

    if (length == 0 || length > size - NAME)
        return &zip;
    if (ends_with((const char *)bytes + NAME, length, "/data.pkl"))
        return &torch;
    return ends_with((const char *)bytes + NAME, length, ".npy") ? &npz : &zip;
}

bool content_is_text(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((bytes[i] < ' ' && (bytes[i] == 0 || strchr("\t\n\f\r", bytes[i]) == NULL)) ||
            bytes[i] >= 0xFE)
            return false;
    return true;
}

static const Content *text_content(const unsigned char *bytes, size_t size)
{
    while (size > 0 && (*bytes == ' ' || *bytes == '\t' || *bytes == '\r' || *bytes == '\n'))
        bytes++, size--;
    if (size > 0 && *bytes == '<')
        return &markup;
    return size > 0 && *bytes == '{' ? &json : &text;
}

/* Does it begin with an object (4) or a table (3) that is the first? */
static bool is_torch7(const unsigned char *bytes, size_t size)
{
    return size >= 8 && (bytes[0] == 3 || bytes[0] == 4) &&
           memcmp(bytes + 1, "\0\0\0\1\0\0\0", 7) == 0;
}

/* NULL where the bytes tell nothing */
static const Content *content_of(const unsigned char *bytes, size_t size)
{
    enum { PREFIX = 8 }; /* of safetensors: the size of the header, which begins with { */

    if (size == 0)
        return &empty;
    for (size_t i = 0; i < COUNT_OF(magics); i++)
        if (size >= (size_t)(magics[i].at + magics[i].length) &&
            memcmp(bytes + magics[i].at, magics[i].bytes, (size_t)magics[i].length) == 0)
            return &magics[i].content;
    if (size >= 4 && memcmp(bytes, "PK\3\4", 4) == 0)
        return zip_content(bytes, size);
    if (is_torch7(bytes, size))
        return &torch7;
    if (size >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
        return &pickle;
    if (size > PREFIX && bytes[PREFIX] == '{' && memcmp(bytes + 4, "\0\0\0", 4) == 0)
        return &safetensors;
    if (size >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 0x08 && bytes[2] <= 0x0E &&
        bytes[3] >= 1 && bytes[3] <= 8)
        return &idx;
    bool begins =
        size >= 4 && (bytes[0] < 0x80 || bytes[0] == 0xEF); /* perhaps a byte order mark */
    return begins && content_is_text(bytes, size) ? text_content(bytes, size) : NULL;
}

bool content_is_torch(const unsigned char *bytes, size_t size)
{
    return content_of(bytes, size) == &torch;
}

const char *content_of_tensors(const unsigned char *bytes, size_t size)
{
    const Content *c = content_of(bytes, size);
    return c == &torch ? "torch" : c == &torch7 ? "torch7" : NULL;
}

Reason content_refuse_bytes(Refusal *refusal, const char *reader, Reason reason,
                            const unsigned char *bytes, size_t size)
{
    const Content *c = content_of(bytes, size);
    Refusal before;

    if (c == NULL || (c->reader != NULL && strcmp(c->reader, reader) == 0))
        return reason;
    before = *(const Refusal *)refusal;
    if (reason == refusal->text)
        reason = before.text;
    if (c->reader != NULL)
        return refuse(refusal, "%s; it is %s, which %s reads", reason, c->name, c->reader);
    return refuse(refusal, "%s; it is %s%s%s", reason, c->name, c->remedy != NULL ? "; " : "",
                  c->remedy != NULL ? c->remedy : "");
}

Reason content_refuse(Refusal *refusal, const char *reader, Reason reason, GzipReader *source)
{
    unsigned char rest[GZIP_HEAD];
    size_t got;

    /* what cannot be read tells nothing more */
    if (source->head_size < GZIP_HEAD)
        gzip_read(source, rest, GZIP_HEAD - source->head_size, &got);
    return content_refuse_bytes(refusal, reader, reason, source->head, source->head_size);
}
