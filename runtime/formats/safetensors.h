/*
 * safetensors.h - named tensors in a file
 *
 * Eight bytes with the length of a header, the header - a JSON object of names, types, shapes and
 * offsets - and the elements, little-endian. Nothing in it is trusted: the header is bounded and may
 * name nothing twice, and the tensors must cover the bytes behind it from first to last, in some
 * order, without holes and without overlap. Source: the format's description and its reference
 * implementation, huggingface/safetensors.
 */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include <jansson.h>

#include "formats/atomic_file.h"
#include "formats/encoding.h"
#include "formats/named_array.h"
#include "formats/refusal.h"
#include "tensor/tensor.h"

#define SAFETENSORS_METADATA "__metadata__" /* the one name in a header that is no tensor's */
#define SAFETENSORS_NO_MEMORY "not enough memory for the header"

typedef struct {
    const char *name; /* these three live in the reader's header */
    const json_t *shape;
    const char *type;
    Encoding encoding;
    int64_t begin, end; /* in bytes, from the end of the header */
} SafetensorsEntry;

typedef struct {
    GzipReader source;
    json_t *header;
    SafetensorsEntry *entries; /* in the order of their bytes */
    int64_t count;
    Refusal refusal;
} SafetensorsReader;

/*
 * Reads and checks the header. The descriptor and the reader, zero before, are under the rules of
 * gzip_open. A Reason may be in the reader.
 */
Reason safetensors_open(SafetensorsReader *reader, int descriptor);

/* shape[*ndim] and numel of an entry */
void safetensors_shape(const SafetensorsEntry *entry, int *ndim, int64_t shape[MAX_RANK]);

/* elements = those of entry i; to be called for all of them in order */
Reason safetensors_read(SafetensorsReader *reader, int64_t i, void *elements);

/* after the last one: the file must end there */
Reason safetensors_finish(SafetensorsReader *reader);

/* may be called twice */
void safetensors_close(SafetensorsReader *reader);

/*
 * What makes a header's text too large, to be written as to be read: more bytes than the format
 * allows, or more JSON values than are taken into memory. A Reason is in the refusal.
 */
Reason safetensors_check_header(Refusal *refusal, const char *text, size_t length);

/*
 * Writes arrays[count], which it sorts as the reference implementation does, and texts[2 *
 * text_count] of metadata, names and values in turns. Refuses names that are no UTF-8, stand there
 * twice or belong to the format, and a header that would not be read. A Reason may be in the
 * refusal.
 */
Reason safetensors_save(const char *path, NamedArray *arrays, int64_t count,
                        const char *const *texts, int64_t text_count, Refusal *refusal);

#endif
