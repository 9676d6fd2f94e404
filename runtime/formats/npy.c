/*
 * npy.c - NumPy's array files; see npy.h
 */
#include <string.h>

#include "formats/content.h"
#include "formats/npy.h"

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

/* ---- element types ---- */

static const struct {
    char kind;
    char width;
    Encoding encoding;
} types_known[] = {
    {'b', 1, ENCODING_BOOL}, {'i', 1, ENCODING_I8},  {'i', 2, ENCODING_I16}, {'i', 4, ENCODING_I32},
    {'i', 8, ENCODING_I64},  {'u', 1, ENCODING_U8},  {'u', 2, ENCODING_U16}, {'u', 4, ENCODING_U32},
    {'u', 8, ENCODING_U64},  {'f', 2, ENCODING_F16}, {'f', 4, ENCODING_F32}, {'f', 8, ENCODING_F64},
};

/* what NumPy has and wrun has not, by the letter of the type */
static const char *foreign(char kind)
{
    switch (kind) {
    case 'c':
        return "complex numbers";
    case 'O':
        return "Python objects, which only Python can read";
    case 'S':
    case 'a':
    case 'U':
        return "texts";
    case 'V':
        return "records";
    case 'M':
    case 'm':
        return "dates or times";
    default:
        return "elements of a type that wrun does not know";
    }
}

/* type: '<f8' and its like, `length` characters */
static Reason understand_type(NpyReader *reader, const char *type, int length)
{
    char order = length > 0 ? type[0] : '\0';
    bool has_order = order == '<' || order == '>' || order == '|' || order == '=';
    const char *name = has_order ? type + 1 : type;
    int rest = has_order ? length - 1 : length;

    reader->is_big_endian =
        order == '>' || (order != '<' && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    for (size_t i = 0; i < COUNT_OF(types_known); i++)
        if (rest == 2 && name[0] == types_known[i].kind && name[1] == '0' + types_known[i].width) {
            reader->encoding = types_known[i].encoding;
            return NULL;
        }
    if (rest == 1 && name[0] == '?') {
        reader->encoding = ENCODING_BOOL;
        return NULL;
    }
    reader->is_foreign = true;
    return refuse(&reader->refusal, "holds %s ('%.*s')", foreign(rest > 0 ? name[0] : '\0'),
                  length < 40 ? length : 40, type);
}

/* ---- the header: a Python dictionary ---- */

typedef struct {
    NpyReader *reader;
    const char *at;
} Parser;

static Reason misread(const Parser *p, const char *expected)
{
    char found[24];
    size_t length = strnlen(p->at, sizeof(found) - 1);

    for (size_t i = 0; i < length; i++)
        found[i] = p->at[i] >= ' ' && p->at[i] <= '~' ? p->at[i] : '?';
    found[length] = '\0';
    return refuse(&p->reader->refusal, "bad NPY header: expected %s, found '%s'", expected, found);
}

static void skip_blanks(Parser *p)
{
    while (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r')
        p->at++;
}

/* Is the next character this one? Passes it then. */
static bool accept(Parser *p, char c)
{
    skip_blanks(p);
    if (*p->at != c)
        return false;
    p->at++;
    return true;
}

/* text[*length] = what stands between the next quotation marks; strings with escapes are refused */
static Reason parse_string(Parser *p, const char **text, int *length)
{
    skip_blanks(p);
    char quote = *p->at;
    if (quote != '\'' && quote != '"')
        return misread(p, "a string");
    const char *end = p->at + 1;
    while (*end != quote && *end != '\0' && *end != '\\' && *end != '\n')
        end++;
    if (*end != quote)
        return misread(p, "a plain string");
    *text = p->at + 1;
    *length = (int)(end - *text);
    p->at = end + 1;
    return NULL;
}

static Reason parse_type(Parser *p)
{
    const char *text;
    int length;

    skip_blanks(p);
    if (*p->at == '[' || *p->at == '(' || *p->at == '{') {
        p->reader->is_foreign = true;
        return "holds records (a structured array)";
    }
    Reason reason = parse_string(p, &text, &length);
    return reason != NULL ? reason : understand_type(p->reader, text, length);
}

static Reason parse_order(Parser *p)
{
    skip_blanks(p);
    p->reader->is_fortran = strncmp(p->at, "True", 4) == 0;
    if (!p->reader->is_fortran && strncmp(p->at, "False", 5) != 0)
        return misread(p, "True or False");
    p->at += p->reader->is_fortran ? 4 : 5;
    return NULL;
}

/* a tuple of sizes: (), (3,), (3, 4); Python 2 wrote 3L */
static Reason parse_shape(Parser *p)
{
    NpyReader *reader = p->reader;
    bool is_over = false;

    if (!accept(p, '('))
        return misread(p, "a tuple of sizes");
    reader->ndim = 0;
    for (; !accept(p, ')'); reader->ndim++) {
        int64_t size = 0;
        if (is_over)
            return misread(p, "',' between sizes");
        if (*p->at < '0' || *p->at > '9')
            return misread(p, "a size");
        if (reader->ndim == MAX_RANK)
            return refuse(&reader->refusal, "has more than %d dimensions", MAX_RANK);
        for (; *p->at >= '0' && *p->at <= '9'; p->at++)
            if (!size_multiply(size, 10, &size) ||
                __builtin_add_overflow(size, *p->at - '0', &size))
                return "bad NPY header: a size does not fit 64 bits";
        if (*p->at == 'L')
            p->at++;
        reader->shape[reader->ndim] = size;
        is_over = !accept(p, ',');
    }
    return NULL;
}

static Reason parse_header(NpyReader *reader)
{
    static const struct {
        const char *key;
        Reason (*parse)(Parser *p);
    } entries[] = {{"descr", parse_type}, {"fortran_order", parse_order}, {"shape", parse_shape}};
    Parser p = {reader, reader->header};
    bool seen[COUNT_OF(entries)] = {false}, is_over = false;
    Reason reason;

    if (!accept(&p, '{'))
        return misread(&p, "a dictionary");
    while (!accept(&p, '}')) {
        const char *key;
        int length;
        size_t i = 0;
        if (is_over)
            return misread(&p, "',' between entries");
        Parser before = p;
        if ((reason = parse_string(&p, &key, &length)) != NULL)
            return reason;
        while (i < COUNT_OF(entries) && ((size_t)length != strlen(entries[i].key) ||
                                         strncmp(key, entries[i].key, (size_t)length) != 0))
            i++;
        if (i == COUNT_OF(entries) || seen[i])
            return misread(&before, "descr, fortran_order and shape, each once");
        seen[i] = true;
        if (!accept(&p, ':'))
            return misread(&p, "':'");
        if ((reason = entries[i].parse(&p)) != NULL)
            return reason;
        is_over = !accept(&p, ',');
    }
    for (size_t i = 0; i < COUNT_OF(entries); i++)
        if (!seen[i])
            return refuse(&reader->refusal, "bad NPY header: %s is missing", entries[i].key);
    skip_blanks(&p);
    return *p.at != '\0' ? misread(&p, "nothing after the dictionary") : NULL;
}

/* ---- reading ---- */

/* to[size] = the next bytes of what stands before the elements */
static Reason take(NpyReader *reader, void *to, size_t size)
{
    size_t got;
    Reason reason = gzip_read(reader->source, to, size, &got);

    reader->header_bytes += (int64_t)got;
    if (reason == NULL && got < size)
        return refuse(&reader->refusal, "truncated: ends after %lld bytes, within the header",
                      (long long)reader->header_bytes);
    return reason;
}

static Reason refuse_size(NpyReader *reader, const char *what, int64_t expected, int64_t found)
{
    return refuse(&reader->refusal, "%s: expected %lld bytes, found %lld", what,
                  (long long)expected, (long long)found);
}

static int64_t element_bytes(const NpyReader *reader)
{
    return reader->numel * encoding_info[reader->encoding].width;
}

Reason npy_open(NpyReader *reader, GzipReader *source, int64_t limit)
{
    unsigned char start[sizeof(magic) + 2], sizes[4] = {0};
    Reason reason;

    reader->source = source;
    reader->header_bytes = 0;
    reader->is_foreign = false;
    if ((reason = take(reader, start, sizeof(start))) != NULL)
        return content_refuse(&reader->refusal, "data.npy", reason, source);
    if (memcmp(start, magic, sizeof(magic)) != 0)
        return content_refuse(&reader->refusal, "data.npy",
                              "not an NPY file (it must begin with \\x93NUMPY)", source);
    int version = start[sizeof(magic)];
    if (version < 1 || version > 3 || start[sizeof(magic) + 1] != 0)
        return refuse(&reader->refusal, "NPY version %d.%d; known are 1.0, 2.0 and 3.0", version,
                      start[sizeof(magic) + 1]);
    if ((reason = take(reader, sizes, version == 1 ? 2 : 4)) != NULL)
        return reason;
    uint32_t length = (uint32_t)sizes[0] | (uint32_t)sizes[1] << 8 | (uint32_t)sizes[2] << 16 |
                      (uint32_t)sizes[3] << 24;
    if (length > NPY_HEADER)
        return refuse(&reader->refusal,
                      "bad NPY header: announces %lld bytes, known are at most %d",
                      (long long)length, NPY_HEADER);
    if ((reason = take(reader, reader->header, length)) != NULL)
        return reason;
    reader->header[length] = '\0';
    if (strlen(reader->header) != length)
        return "bad NPY header: holds a zero byte";
    if ((reason = parse_header(reader)) != NULL ||
        (reason = shape_count(reader->ndim, reader->shape, &reader->numel)) != NULL)
        return reason;
    int64_t total = reader->header_bytes + element_bytes(reader);
    return total > limit ? refuse_size(reader, "truncated", total, limit) : NULL;
}

Reason npy_read(NpyReader *reader, void *elements)
{
    int64_t got, total = reader->header_bytes + element_bytes(reader);
    Reason reason = encoding_read(reader->source, reader->encoding, reader->is_big_endian,
                                  reader->numel, elements, &got);
    char extra;
    size_t more;

    if (reason != NULL)
        return reason;
    if (got < element_bytes(reader))
        return refuse_size(reader, "truncated", total, reader->header_bytes + got);
    /* one byte more also verifies the check sum of compressed data */
    if ((reason = gzip_read(reader->source, &extra, 1, &more)) != NULL)
        return reason;
    return more > 0 ? refuse(&reader->refusal, "too long: expected %lld bytes, found more",
                             (long long)total)
                    : NULL;
}

/* ---- writing ---- */

int64_t npy_header(DType dtype, int ndim, const int64_t *shape, char text[NPY_PREFIX])
{
    enum { LENGTH = 8, START = 10, ALIGNMENT = 64, GROWTH = 21 };
    static const char *const types[DTYPE_COUNT] = {
        [BOOL] = "|b1",  [UINT8] = "|u1",   [INT32] = "<i4",
        [INT64] = "<i8", [FLOAT32] = "<f4", [FLOAT64] = "<f8",
    };
    int n = START;

    memcpy(text, magic, sizeof(magic));
    text[6] = 1;
    text[7] = 0;
    n += snprintf(text + n, NPY_PREFIX - (size_t)n,
                  "{'descr': '%s', 'fortran_order': False, 'shape': (", types[dtype]);
    for (int d = 0; d < ndim; d++)
        n += snprintf(text + n, NPY_PREFIX - (size_t)n, d == 0 ? "%lld" : ", %lld",
                      (long long)shape[d]);
    n += snprintf(text + n, NPY_PREFIX - (size_t)n, ndim == 1 ? ",), }" : "), }");
    /* NumPy's blanks: room for the first size to grow, then to a multiple of 64 with the newline */
    char first[GROWTH + 1];
    int digits = ndim > 0 ? snprintf(first, sizeof(first), "%lld", (long long)shape[0]) : GROWTH;
    for (; digits < GROWTH; digits++)
        text[n++] = ' ';
    text[n++] = ' ';
    do
        text[n++] = ' ';
    while (n % ALIGNMENT != 0);
    text[n - 1] = '\n';
    text[LENGTH] = (char)((n - START) & 0xff);
    text[LENGTH + 1] = (char)((n - START) >> 8);
    return n;
}

Reason npy_save(const char *path, DType dtype, int ndim, const int64_t *shape, const void *elements)
{
    AtomicFile output;
    char text[NPY_PREFIX];
    int64_t numel = 1, length = npy_header(dtype, ndim, shape, text);
    Reason reason = atomic_file_begin(&output, path);

    if (reason != NULL)
        return reason;
    for (int d = 0; d < ndim; d++)
        numel *= shape[d];
    atomic_file_write(&output, text, (size_t)length);
    atomic_file_write(&output, elements, (size_t)(numel * dtype_size(dtype)));
    return atomic_file_end(&output, NULL);
}
