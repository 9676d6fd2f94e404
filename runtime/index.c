/*
 * index.c - picking and placing elements by their positions (layer 3); see index.h
 */
#include <string.h>

#include "index.h"

int64_t index_check(const int64_t *positions, int64_t count, int64_t n)
{
    for (int64_t i = 0; i < count; i++)
        if (positions[i] < 1 || positions[i] > n)
            return i;
    return -1;
}

typedef struct {
    const Index *index;
    const char *x;
    char *y;
} Selection;

enum { ROWS = 16 }; /* rows a thread copies at a time */

static void select_rows(void *context, int64_t piece)
{
    const Selection *s = context;
    const Index *index = s->index;
    int64_t bytes = index->inner * dtype_size(index->dtype);
    int64_t last = size_min((piece + 1) * ROWS, index->outer * index->count);
    for (int64_t row = piece * ROWS; row < last; row++) {
        int64_t o = row / index->count, i = row % index->count;
        memcpy(s->y + row * bytes, s->x + (o * index->n + index->positions[i] - 1) * bytes,
               (size_t)bytes);
    }
}

void index_select(Pool *pool, const Index *index, const void *x, void *y)
{
    enum { WORTH_SHARING = 1 << 18 };
    Selection s = {index, x, y};
    int64_t rows = index->outer * index->count;
    int64_t pieces = size_pieces(rows, ROWS);
    if (rows * index->inner * dtype_size(index->dtype) < WORTH_SHARING)
        for (int64_t piece = 0; piece < pieces; piece++)
            select_rows(&s, piece);
    else
        pool_run(pool, select_rows, &s, pieces);
}

static void add_elements(DType dtype, void *to, const void *from, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        switch (dtype) {
        case FLOAT32:
            ((float *)to)[i] += ((const float *)from)[i];
            break;
        case FLOAT64:
            ((double *)to)[i] += ((const double *)from)[i];
            break;
        default:
            ((int64_t *)to)[i] += ((const int64_t *)from)[i];
            break;
        }
}

void index_select_add(const Index *index, void *x, const void *y)
{
    int64_t bytes = index->inner * dtype_size(index->dtype);
    for (int64_t o = 0; o < index->outer; o++)
        for (int64_t i = 0; i < index->count; i++) {
            char *to = (char *)x + (o * index->n + index->positions[i] - 1) * bytes;
            add_elements(index->dtype, to, (const char *)y + (o * index->count + i) * bytes,
                         index->inner);
        }
}

/* where element (o, i, j) of the positions points to in x */
static int64_t target(const Index *index, int64_t o, int64_t i, int64_t j)
{
    int64_t position = index->positions[(o * index->count + i) * index->inner + j];
    return (o * index->n + position - 1) * index->inner + j;
}

void index_gather(const Index *index, const void *x, void *y)
{
    int64_t size = dtype_size(index->dtype);
    char *to = y;
    for (int64_t o = 0; o < index->outer; o++)
        for (int64_t i = 0; i < index->count; i++)
            for (int64_t j = 0; j < index->inner; j++, to += size)
                memcpy(to, (const char *)x + target(index, o, i, j) * size, (size_t)size);
}

void index_gather_add(const Index *index, void *x, const void *y)
{
    int64_t size = dtype_size(index->dtype);
    const char *from = y;
    for (int64_t o = 0; o < index->outer; o++)
        for (int64_t i = 0; i < index->count; i++)
            for (int64_t j = 0; j < index->inner; j++, from += size)
                add_elements(index->dtype, (char *)x + target(index, o, i, j) * size, from, 1);
}
