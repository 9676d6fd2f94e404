/*
 * formats.c - libFuzzer targets: any bytes, given to the reader of a data file as its file
 *
 * FORMAT names the reader. The sanitizers watch memory and arithmetic; what is checked here is that
 * nothing is asked for that the file could not fill, and that a refusal has words.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "formats/csv.h"
#include "formats/idx.h"
#include "formats/safetensors.h"
#include "formats/zip.h"

enum { INFLATED = 1032 };

/* what the input can hold at most, as elements */
static int64_t most;

static char *allocate(int64_t numel, DType dtype)
{
    assert(numel >= 0 && numel <= most);
    return malloc((size_t)(numel * dtype_size(dtype)) + 1);
}

static void check(Reason reason)
{
    assert(reason == NULL || strlen(reason) > 0);
}

__attribute__((unused)) static void read_gzip(int descriptor)
{
    static GzipReader reader;
    static char piece[1000];
    size_t got = sizeof(piece);
    Reason reason = gzip_open(&reader, descriptor);

    for (int64_t total = 0; reason == NULL && got == sizeof(piece); total += (int64_t)got) {
        assert(total <= most);
        reason = gzip_read(&reader, piece, sizeof(piece), &got);
    }
    check(reason);
    gzip_close(&reader);
}

__attribute__((unused)) static void read_idx(int descriptor)
{
    static IdxReader reader;
    Reason reason = idx_open(&reader, descriptor);

    if (reason == NULL) {
        char *elements = allocate(reader.numel, reader.dtype);
        reason = idx_read(&reader, elements);
        free(elements);
    }
    check(reason);
    idx_close(&reader);
}

static Reason read_array(NpyReader *array, GzipReader *source, int64_t limit)
{
    Reason reason = npy_open(array, source, limit);

    if (reason == NULL) {
        char *elements = allocate(array->numel, encoding_info[array->encoding].dtype);
        reason = npy_read(array, elements);
        free(elements);
    }
    return reason;
}

__attribute__((unused)) static void read_npy(int descriptor)
{
    static GzipReader source;
    static NpyReader array;
    Reason reason = gzip_open(&source, descriptor);

    if (reason == NULL)
        reason = read_array(&array, &source, gzip_bound(&source));
    check(reason);
    gzip_close(&source);
}

__attribute__((unused)) static void read_npz(int descriptor)
{
    static ZipReader reader;
    static NpyReader array;
    Reason reason = zip_open(&reader, descriptor);

    while (reason == NULL && reader.done < reader.count) {
        reason = zip_next(&reader);
        if (reason == NULL)
            reason = read_array(&array, &reader.source, reader.member.size);
        if (reason == NULL)
            reason = zip_check(&reader);
    }
    check(reason != NULL ? reason : zip_finish(&reader));
    zip_close(&reader);
}

__attribute__((unused)) static void read_safetensors(int descriptor)
{
    static SafetensorsReader reader;
    Reason reason = safetensors_open(&reader, descriptor);
    int64_t shape[MAX_RANK], numel;
    int ndim;

    for (int64_t i = 0; reason == NULL && i < reader.count; i++) {
        safetensors_shape(&reader.entries[i], &ndim, shape);
        reason = shape_count(ndim, shape, &numel);
        assert(reason == NULL);
        char *elements = allocate(numel, encoding_info[reader.entries[i].encoding].dtype);
        reason = safetensors_read(&reader, i, elements);
        free(elements);
    }
    check(reason != NULL ? reason : safetensors_finish(&reader));
    safetensors_close(&reader);
}

/* the first byte chooses the options */
__attribute__((unused)) static void read_csv(int descriptor)
{
    static const char separators[] = {',', ' ', ';', '\t'};
    static const int64_t wanted[] = {1, 3};
    static double numbers[64];
    static CsvReader reader;
    unsigned char options = 0;
    int64_t count = COUNT_OF(numbers);

    memset(&reader, 0, sizeof(reader));
    if (read(descriptor, &options, 1) != 1)
        options = 0;
    reader.separator = separators[options & 3];
    reader.missing_is_nan = options & 4;
    reader.wanted = options & 8 ? wanted : NULL;
    reader.wanted_count = options & 8 ? COUNT_OF(wanted) : 0;
    reader.dtype = (DType)((options >> 4) % DTYPE_COUNT);
    Reason reason = csv_open(&reader, descriptor, options >> 7);
    while (reason == NULL && count == COUNT_OF(numbers))
        reason = csv_numbers(&reader, numbers, COUNT_OF(numbers), &count);
    check(reason);
    gzip_close(&reader.source);
}

#define READ_OF(format) read_##format
#define READ(format) READ_OF(format)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int descriptor = memfd_create("input", MFD_CLOEXEC);

    if (descriptor < 0 || write(descriptor, data, size) != (ssize_t)size)
        abort();
    lseek(descriptor, 0, SEEK_SET);
    most = (int64_t)size * INFLATED;
    READ(FORMAT)(descriptor); /* closes it */
    return 0;
}
