/*
 * safetensors.c - reads named tensors; see safetensors.h
 */
#include <stdlib.h>
#include <string.h>

#include "formats/content.h"
#include "formats/json_memory.h"
#include "formats/safetensors.h"

enum {
    PREFIX = 8,
    HEADER_LEAST = 2,        /* {} */
    HEADER_MOST = 100000000, /* as the reference implementation has it */
    VALUES_MOST = 1 << 20    /* a JSON value takes up to 64 bytes: 64 MB; 149,000 tensors */
};

/* ---- the header ---- */

static Reason check_length(Refusal *refusal, uint64_t length)
{
    return length >= HEADER_LEAST && length <= HEADER_MOST
               ? NULL
               : refuse(refusal, "its header has %llu bytes; from %d to %d are read",
                        (unsigned long long)length, HEADER_LEAST, HEADER_MOST);
}

Reason safetensors_check_header(Refusal *refusal, const char *text, size_t length)
{
    bool in_string = false;
    int64_t values = 1;

    for (size_t i = 0; i < length; i++)
        if (text[i] == '"')
            in_string = !in_string;
        else if (in_string)
            i += text[i] == '\\'; /* what it escapes is no mark */
        else
            values += text[i] == ',' || text[i] == '[' || text[i] == '{';
    if (values > VALUES_MOST)
        return refuse(refusal, "its header has %lld values; up to %d are read", (long long)values,
                      VALUES_MOST);
    return check_length(refusal, length);
}

/* An integer that is a size or an offset; -1 when it is none. */
static int64_t to_size(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) >= 0 ? json_integer_value(value)
                                                                    : -1;
}

void safetensors_shape(const SafetensorsEntry *entry, int *ndim, int64_t shape[MAX_RANK])
{
    *ndim = (int)json_array_size(entry->shape);
    for (int d = 0; d < *ndim; d++)
        shape[d] = json_integer_value(json_array_get(entry->shape, (size_t)d));
}

/* The entry's shape, type and offsets, and that they go together. */
static Reason read_entry(SafetensorsReader *reader, SafetensorsEntry *entry, const char *name,
                         const json_t *info)
{
    const json_t *shape = json_object_get(info, "shape");
    const json_t *offsets = json_object_get(info, "data_offsets");
    const char *type = json_string_value(json_object_get(info, "dtype"));
    int64_t sizes[MAX_RANK], numel;
    int ndim;

    *entry = (SafetensorsEntry){name, shape, type, ENCODING_COUNT, 0, 0};
    if (type == NULL || !json_is_array(shape) || json_array_size(offsets) != 2)
        return refuse(&reader->refusal,
                      "tensor '%.100s': expected a dtype, a shape and two data_offsets", name);
    entry->encoding = encoding_find(type);
    if (entry->encoding == ENCODING_COUNT)
        return refuse(&reader->refusal, "tensor '%.100s': its type '%.40s' is not known", name,
                      type);
    if (json_array_size(shape) > MAX_RANK)
        return refuse(&reader->refusal, "tensor '%.100s': has more than %d dimensions", name,
                      MAX_RANK);
    for (size_t d = 0; d < json_array_size(shape); d++)
        if (to_size(json_array_get(shape, d)) < 0)
            return refuse(&reader->refusal, "tensor '%.100s': its sizes must be integers >= 0",
                          name);
    safetensors_shape(entry, &ndim, sizes);
    Reason reason = shape_count(ndim, sizes, &numel);
    if (reason != NULL)
        return refuse(&reader->refusal, "tensor '%.100s': %s", name, reason);
    entry->begin = to_size(json_array_get(offsets, 0));
    entry->end = to_size(json_array_get(offsets, 1));
    if (entry->begin < 0 || entry->end < entry->begin)
        return refuse(&reader->refusal, "tensor '%.100s': its data_offsets are no range of bytes",
                      name);
    int64_t bytes = numel * encoding_info[entry->encoding].width;
    if (entry->end - entry->begin != bytes)
        return refuse(&reader->refusal,
                      "tensor '%.100s': has %lld bytes, but its shape and type need %lld", name,
                      (long long)(entry->end - entry->begin), (long long)bytes);
    return NULL;
}

static Reason check_metadata(SafetensorsReader *reader, json_t *metadata)
{
    const char *name;
    json_t *value;

    if (!json_is_object(metadata))
        return "bad safetensors header: __metadata__ must be an object";
    json_object_foreach(metadata, name, value)
    {
        if (!json_is_string(value))
            return refuse(&reader->refusal,
                          "bad safetensors header: __metadata__ '%.100s' must be a string", name);
    }
    return NULL;
}

/* by offset; empty tensors before the one that begins there */
static int compare_entries(const void *left, const void *right)
{
    const SafetensorsEntry *a = left, *b = right;

    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

/* fills entries[count] and checks that they cover `size` bytes; size INT64_MAX is not known */
static Reason read_entries(SafetensorsReader *reader, int64_t size)
{
    const char *name;
    json_t *info;
    int64_t at = 0;
    Reason reason;

    reader->count = 0;
    reader->entries = malloc((json_object_size(reader->header) + 1) * sizeof(SafetensorsEntry));
    if (reader->entries == NULL)
        return SAFETENSORS_NO_MEMORY;
    json_object_foreach(reader->header, name, info)
    {
        if (strcmp(name, SAFETENSORS_METADATA) == 0)
            reason = check_metadata(reader, info);
        else
            reason = read_entry(reader, &reader->entries[reader->count++], name, info);
        if (reason != NULL)
            return reason;
    }
    qsort(reader->entries, (size_t)reader->count, sizeof(SafetensorsEntry), compare_entries);
    for (int64_t i = 0; i < reader->count; at = reader->entries[i++].end)
        if (reader->entries[i].begin != at)
            return refuse(
                &reader->refusal, "tensor '%.100s': begins at byte %lld, where %lld are used up",
                reader->entries[i].name, (long long)reader->entries[i].begin, (long long)at);
    if (size != INT64_MAX && at > size)
        return refuse(&reader->refusal, "truncated: expected %lld bytes of elements, found %lld",
                      (long long)at, (long long)size);
    return NULL;
}

/* to[size] = the next bytes, which must be there */
static Reason take(SafetensorsReader *reader, void *to, size_t size)
{
    size_t got;
    Reason reason = gzip_read(&reader->source, to, size, &got);

    return reason == NULL && got < size ? "truncated within the header" : reason;
}

static Reason parse_header(SafetensorsReader *reader, size_t length)
{
    json_error_t error;
    char *text = malloc(length);
    Reason reason = text != NULL ? take(reader, text, length) : SAFETENSORS_NO_MEMORY;

    if (reason == NULL && text[0] != '{')
        reason = content_refuse(&reader->refusal, "wrun.load",
                                "not a safetensors file (its header must begin with {)",
                                &reader->source);
    if (reason == NULL)
        reason = safetensors_check_header(&reader->refusal, text, length);
    json_memory_watch();
    if (reason == NULL)
        reader->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (reason == NULL && json_memory_is_out())
        reason = SAFETENSORS_NO_MEMORY;
    if (reason == NULL && reader->header == NULL)
        reason = refuse(&reader->refusal, "bad safetensors header: %s at byte %d", error.text,
                        error.position);
    free(text);
    return reason;
}

Reason safetensors_open(SafetensorsReader *reader, int descriptor)
{
    unsigned char prefix[PREFIX];
    uint64_t length = 0;
    Reason reason = gzip_open(&reader->source, descriptor);

    if (reason != NULL)
        return reason;
    if ((reason = take(reader, prefix, PREFIX)) != NULL)
        return content_refuse(&reader->refusal, "wrun.load", reason, &reader->source);
    for (int i = PREFIX - 1; i >= 0; i--)
        length = length << 8 | prefix[i];
    int64_t bound = gzip_bound(&reader->source);
    if (length > INT64_MAX || (int64_t)length > bound - PREFIX)
        reason =
            refuse(&reader->refusal,
                   "not a whole safetensors file: announces a header of %llu bytes, holds %lld",
                   (unsigned long long)length, (long long)size_max(bound - PREFIX, 0));
    else
        reason = check_length(&reader->refusal, length);
    if (reason != NULL)
        return content_refuse(&reader->refusal, "wrun.load", reason, &reader->source);
    if ((reason = parse_header(reader, (size_t)length)) != NULL)
        return reason;
    return read_entries(reader, bound == INT64_MAX ? bound : bound - PREFIX - (int64_t)length);
}

/* ---- the elements ---- */

Reason safetensors_read(SafetensorsReader *reader, int64_t i, void *elements)
{
    const SafetensorsEntry *entry = &reader->entries[i];
    int64_t size = entry->end - entry->begin, got;
    Reason reason = encoding_read(&reader->source, entry->encoding, false,
                                  size / encoding_info[entry->encoding].width, elements, &got);

    if (reason != NULL)
        return refuse(&reader->refusal, "tensor '%.100s': %s", entry->name, reason);
    return got < size ? refuse(&reader->refusal,
                               "tensor '%.100s': truncated: expected %lld bytes, found %lld",
                               entry->name, (long long)size, (long long)got)
                      : NULL;
}

Reason safetensors_finish(SafetensorsReader *reader)
{
    char extra = 0;
    size_t more;
    Reason reason = gzip_read(&reader->source, &extra, 1, &more);

    return reason == NULL && more > 0 ? "holds bytes after its last tensor" : reason;
}

void safetensors_close(SafetensorsReader *reader)
{
    json_decref(reader->header);
    free(reader->entries);
    gzip_close(&reader->source);
    reader->header = NULL;
    reader->entries = NULL;
}
