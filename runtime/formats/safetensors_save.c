/*
 * safetensors_save.c - writes named tensors; see safetensors.h
 *
 * Wide elements come first, so that each tensor begins at a multiple of its element's width, and
 * among equals the names decide: the order, and with it every byte, of the reference
 * implementation.
 */
#include <stdlib.h>
#include <string.h>

#include "formats/json_memory.h"
#include "formats/safetensors.h"

/* names, and the reference implementation's order of types from the last */
static const struct {
    const char *name;
    int rank;
} types[DTYPE_COUNT] = {
    [INT64] = {"I64", 1}, [FLOAT64] = {"F64", 2}, [FLOAT32] = {"F32", 3},
    [INT32] = {"I32", 4}, [UINT8] = {"U8", 5},    [BOOL] = {"BOOL", 6},
};

static int compare_arrays(const void *left, const void *right)
{
    const NamedArray *a = left, *b = right;

    if (a->dtype != b->dtype)
        return types[a->dtype].rank - types[b->dtype].rank;
    return strcmp(a->name, b->name);
}

/* {"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}; NULL when memory is out */
static json_t *describe(const NamedArray *array, int64_t begin)
{
    json_t *shape = json_array();

    for (int d = 0; d < array->ndim; d++)
        if (json_array_append_new(shape, json_integer(array->shape[d])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", types[array->dtype].name, "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)(begin + array->size));
}

enum { PREFIX = 8, ALIGNMENT = 8 };

/* The text with blanks behind, so that the elements begin aligned; NULL where memory is out. */
static char *pad(char *header)
{
    if (header == NULL)
        return NULL;
    size_t length = strlen(header), blanks = (ALIGNMENT - length % ALIGNMENT) % ALIGNMENT;
    char *padded = realloc(header, length + blanks + 1);

    if (padded == NULL)
        free(header);
    else
        strcpy(padded + length, &"        "[ALIGNMENT - blanks]);
    return padded;
}

/* *header = its text, to be freed, for sorted arrays */
static Reason make_header(const NamedArray *arrays, int64_t count, const char *const *texts,
                          int64_t text_count, char **header)
{
    static const Reason no_text = "a name or a text is no UTF-8";
    json_memory_watch();
    json_t *object = json_object(), *metadata = json_object();
    int64_t at = 0;
    Reason reason = NULL;

    for (int64_t i = 0; i < text_count; i++)
        if (json_object_set_new(metadata, texts[2 * i], json_string(texts[2 * i + 1])) != 0)
            reason = no_text;
    if (text_count > 0 && json_object_set(object, SAFETENSORS_METADATA, metadata) != 0)
        reason = no_text;
    json_decref(metadata);
    for (int64_t i = 0; i < count && reason == NULL; at += arrays[i++].size) {
        if (strcmp(arrays[i].name, SAFETENSORS_METADATA) == 0)
            reason = "a tensor cannot be named " SAFETENSORS_METADATA ", which is the format's own";
        else if (json_object_get(object, arrays[i].name) != NULL)
            reason = "a name stands there twice";
        else if (json_object_set_new(object, arrays[i].name, describe(&arrays[i], at)) != 0)
            reason = no_text;
    }
    *header = reason == NULL ? pad(json_dumps(object, JSON_COMPACT)) : NULL;
    json_decref(object);
    if (!json_memory_is_out() && (reason != NULL || *header != NULL))
        return reason;
    free(*header);
    *header = NULL;
    return SAFETENSORS_NO_MEMORY;
}

static void write_header(AtomicFile *file, const char *header)
{
    size_t length = strlen(header);
    unsigned char prefix[PREFIX];

    for (int i = 0; i < PREFIX; i++)
        prefix[i] = (unsigned char)((uint64_t)length >> 8 * i);
    atomic_file_write(file, prefix, PREFIX);
    atomic_file_write(file, header, length);
}

Reason safetensors_save(const char *path, NamedArray *arrays, int64_t count,
                        const char *const *texts, int64_t text_count, Refusal *refusal)
{
    AtomicFile file;
    char *header;

    qsort(arrays, (size_t)count, sizeof(*arrays), compare_arrays);
    Reason reason = make_header(arrays, count, texts, text_count, &header);
    if (reason == NULL)
        reason = safetensors_check_header(refusal, header, strlen(header));
    if (reason == NULL && (reason = atomic_file_begin(&file, path)) == NULL) {
        write_header(&file, header);
        for (int64_t i = 0; i < count; i++)
            atomic_file_write(&file, arrays[i].elements, (size_t)arrays[i].size);
        reason = atomic_file_end(&file, NULL);
    }
    free(header);
    return reason;
}
