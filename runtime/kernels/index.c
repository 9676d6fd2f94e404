/*
 * index.c - picking and placing elements by their indices; see index.h
 */
#include <string.h>

#include "kernels/index.h"

VECTORISED static bool are_in_range(const int64_t *indices, int64_t count, int64_t n)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < count; i++)
        wrong |= (indices[i] - 1) | (n - indices[i]); /* negative if either is */
    return wrong >= 0;
}

int64_t index_check(const int64_t *indices, int64_t count, int64_t n)
{
    enum { STRETCH = 1024 };
    int64_t first = 0;
    while (first < count && are_in_range(indices + first, size_min(STRETCH, count - first), n))
        first += STRETCH;
    for (int64_t i = first; i < count; i++)
        if (indices[i] < 1 || indices[i] > n)
            return i;
    return -1;
}

/* a row of elements: indices and y lie side by side, x at a step and, by index, along */
typedef struct {
    int64_t n, step, along;
    const int64_t *indices;
} Row;

static void gather_row(DType dtype, const Row *row, const void *x, void *y)
{
    switch (dtype) {
#define ROW(constant, type, name, category)                                                        \
    case constant:                                                                                 \
        for (int64_t j = 0; j < row->n; j++)                                                       \
            ((type *)y)[j] =                                                                       \
                ((const type *)x)[(row->indices[j] - 1) * row->along + j * row->step];             \
        break;
        DTYPES(ROW)
#undef ROW
    default:
        break;
    }
}

/* ---- rows ---- */

typedef struct {
    const Rows *rows;
    const char *x;
    char *y;
} Selection;

enum { AT_A_TIME = 16 }; /* rows a thread copies */

/* the same for rows of one element, which are many along each `outer` */
static void select_elements(void *context, int64_t o)
{
    const Selection *s = context;
    const Rows *rows = s->rows;
    int64_t size = dtype_size(rows->dtype);
    Row row = {.n = rows->count, .along = 1, .indices = rows->indices};
    gather_row(rows->dtype, &row, s->x + o * rows->along.n * size, s->y + o * rows->count * size);
}

static void select_rows(void *context, int64_t piece)
{
    const Selection *s = context;
    const Rows *rows = s->rows;
    int64_t bytes = rows->along.inner * dtype_size(rows->dtype);
    int64_t last = size_min((piece + 1) * AT_A_TIME, rows->along.outer * rows->count);
    for (int64_t row = piece * AT_A_TIME; row < last; row++) {
        int64_t o = row / rows->count, i = row % rows->count;
        memcpy(s->y + row * bytes, s->x + (o * rows->along.n + rows->indices[i] - 1) * bytes,
               (size_t)bytes);
    }
}

void index_select(Pool *pool, const Rows *rows, const void *x, void *y)
{
    enum { WORTH_SHARING = 1 << 18 };
    Selection s = {rows, x, y};
    int64_t count = rows->along.outer * rows->count;
    bool is_single = rows->along.inner == 1;
    PoolTask *task = is_single ? select_elements : select_rows;
    int64_t pieces = is_single ? rows->along.outer : size_pieces(count, AT_A_TIME);
    if (count * rows->along.inner * dtype_size(rows->dtype) < WORTH_SHARING)
        for (int64_t piece = 0; piece < pieces; piece++)
            task(&s, piece);
    else
        pool_run(pool, task, &s, pieces);
}

/* a + b in a type; of booleans, whether either is true */
#define SUM(type, category, a, b)                                                                  \
    ((category) == CATEGORY_BOOL ? (type)((a) || (b)) : (type)((a) + (b)))

static void add_elements(DType dtype, void *to, const void *from, int64_t n)
{
    switch (dtype) {
#define ROW(constant, type, name, category)                                                        \
    case constant:                                                                                 \
        for (int64_t i = 0; i < n; i++) {                                                          \
            type *a = (type *)to + i;                                                              \
            *a = SUM(type, category, *a, ((const type *)from)[i]);                                 \
        }                                                                                          \
        break;
        DTYPES(ROW)
#undef ROW
    default:
        break;
    }
}

/* ---- single elements ---- */

/* what is written where `a` stands and `b` comes; NaN wins over all numbers */
#define WRITTEN(type, category, write, a, b)                                                       \
    ((write) == WRITE_ADD        ? SUM(type, category, a, b)                                       \
     : (write) == WRITE_MULTIPLY ? (type)((a) * (b))                                               \
     : (write) == WRITE_MAXIMUM  ? ((a) >= (b) || (a) != (a) ? (a) : (b))                          \
     : (write) == WRITE_MINIMUM  ? ((a) <= (b) || (a) != (a) ? (a) : (b))                          \
                                 : (b))

static void scatter_row(DType dtype, const Row *row, Write write, void *x, const void *y)
{
    switch (dtype) {
#define ROW(constant, type, name, category)                                                        \
    case constant:                                                                                 \
        for (int64_t j = 0; j < row->n; j++) {                                                     \
            type *to = (type *)x + (row->indices[j] - 1) * row->along + j * row->step;             \
            type from = ((const type *)y)[j];                                                      \
            *to = WRITTEN(type, category, write, *to, from);                                       \
        }                                                                                          \
        break;
        DTYPES(ROW)
#undef ROW
    default:
        break;
    }
}

void index_write(const Rows *rows, Write write, void *x, const void *y)
{
    int64_t bytes = rows->along.inner * dtype_size(rows->dtype);
    const char *from = y;
    if (rows->along.inner == 1) {
        Row row = {.n = rows->count, .along = 1, .indices = rows->indices};
        for (int64_t o = 0; o < rows->along.outer; o++, from += rows->count * bytes)
            scatter_row(rows->dtype, &row, write, (char *)x + o * rows->along.n * bytes, from);
        return;
    }
    for (int64_t o = 0; o < rows->along.outer; o++)
        for (int64_t i = 0; i < rows->count; i++, from += bytes) {
            char *to = (char *)x + (o * rows->along.n + rows->indices[i] - 1) * bytes;
            if (write == WRITE_ADD)
                add_elements(rows->dtype, to, from, rows->along.inner);
            else
                memcpy(to, from, (size_t)bytes);
        }
}

/* visits the rows along the last dimension, with the offset in x at which each begins */
typedef struct {
    Row row;
    int64_t rows;
    int64_t offset;
    int64_t counter[MAX_RANK];
} Walk;

static Walk walk_begin(const Elements *p)
{
    Walk walk = {.row = {.n = 1, .indices = p->indices}, .rows = 1};
    int last = p->ndim - 1;
    if (p->ndim > 0) {
        walk.row.n = p->shape[last];
        walk.row.along = p->stride[p->dimension];
        walk.row.step = p->dimension == last ? 0 : p->stride[last];
    }
    for (int d = 0; d < last; d++)
        walk.rows *= p->shape[d];
    return walk;
}

static void walk_next(const Elements *p, Walk *walk)
{
    walk->row.indices += walk->row.n;
    for (int d = p->ndim - 2; d >= 0; d--) {
        int64_t stride = d == p->dimension ? 0 : p->stride[d];
        walk->offset += stride;
        if (++walk->counter[d] < p->shape[d])
            return;
        walk->offset -= p->shape[d] * stride;
        walk->counter[d] = 0;
    }
}

void index_gather(const Elements *elements, const void *x, void *y)
{
    int64_t size = dtype_size(elements->dtype);
    Walk walk = walk_begin(elements);
    for (int64_t i = 0; i < walk.rows; i++, walk_next(elements, &walk))
        gather_row(elements->dtype, &walk.row, (const char *)x + walk.offset * size,
                   (char *)y + i * walk.row.n * size);
}

void index_scatter(const Elements *elements, Write write, void *x, const void *y)
{
    int64_t size = dtype_size(elements->dtype);
    Walk walk = walk_begin(elements);
    for (int64_t i = 0; i < walk.rows; i++, walk_next(elements, &walk))
        scatter_row(elements->dtype, &walk.row, write, (char *)x + walk.offset * size,
                    (const char *)y + i * walk.row.n * size);
}

/* ---- masks ---- */

int64_t index_count(const uint8_t *mask, int64_t n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += mask[i];
    return count;
}

void index_nonzero(int ndim, const int64_t *shape, const uint8_t *mask, int64_t count, int64_t *out)
{
    if (ndim == 1) {
        for (int64_t i = 0, found = 0; found < count; i++) {
            out[found] = i + 1;
            found += mask[i];
        }
        return;
    }
    int64_t n = 1;
    for (int d = 0; d < ndim; d++)
        n *= shape[d];
    for (int64_t i = 0; i < n; i++) {
        if (!mask[i])
            continue;
        int64_t rest = i;
        for (int d = ndim - 1; d > 0; d--) {
            out[d] = rest % shape[d] + 1;
            rest /= shape[d];
        }
        if (ndim > 0)
            out[0] = rest + 1;
        out += ndim;
    }
}
