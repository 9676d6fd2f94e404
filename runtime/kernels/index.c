/*
 * index.c - picking and placing elements by their indices; see index.h
 */
#include <stdatomic.h>
#include <string.h>

#include "kernels/convert.h"
#include "kernels/index.h"

VECTORISED static bool are_in_range(const int64_t *indices, int64_t count, int64_t n)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < count; i++)
        wrong |= (indices[i] - 1) | (n - indices[i]); /* negative if either is */
    return wrong >= 0;
}

enum { ELEMENTS = 16384 /* that are worth a thread's while */ };

typedef struct {
    const int64_t *indices;
    int64_t count, n;
    atomic_bool wrong;
} Check;

static void check_piece(void *context, int64_t piece)
{
    Check *c = context;
    int64_t first = piece * ELEMENTS;
    if (!are_in_range(c->indices + first, size_min(ELEMENTS, c->count - first), c->n))
        atomic_store(&c->wrong, true);
}

int64_t index_check(Pool *pool, const int64_t *indices, int64_t count, int64_t n)
{
    Check c = {.indices = indices, .count = count, .n = n};
    pool_run(pool, check_piece, &c, size_pieces(count, ELEMENTS));
    for (int64_t i = 0; i < count && atomic_load(&c.wrong); i++)
        if (indices[i] < 1 || indices[i] > n)
            return i;
    return -1;
}

/* a row of elements: indices and y lie side by side, x at a step and, by index, along; what is
 * written may be one element for all */
typedef struct {
    int64_t n, step, along, from_step;
    const int64_t *indices;
} Row;

static void gather_row(DType dtype, const Row *row, const void *x, void *y)
{
    const int64_t n = row->n, step = row->step, along = row->along, *indices = row->indices;
    const bool is_line = along == 1 && step == 0;
    switch (dtype) {
#define ROW(constant, type, name, category)                                                        \
    case constant:                                                                                 \
        for (int64_t j = 0; j < n && is_line; j++)                                                 \
            ((type *)y)[j] = ((const type *)x)[indices[j] - 1];                                    \
        for (int64_t j = 0; j < n && !is_line; j++)                                                \
            ((type *)y)[j] = ((const type *)x)[(indices[j] - 1) * along + j * step];               \
        break;
        DTYPES(ROW)
#undef ROW
    default:
        break;
    }
}

/* ---- rows ---- */

/* how many parts of so many elements a piece of work has */
static int64_t parts_together(int64_t elements)
{
    return size_max(ELEMENTS / size_max(elements, 1), 1);
}

/* What is selected is shared out by `outer` and by parts of the indices. */
typedef struct {
    const Rows *rows;
    const char *x;
    char *y;
    int64_t bytes, to_bytes; /* of a row of x, and of y: more where bytes become floats */
    int64_t width;           /* the rows of a part */
    int64_t parts, together; /* of an `outer`, and of a piece of work */
} Selection;

enum { AHEAD = 32 }; /* rows of several elements that are on their way while one is copied */

#define SIZES(CASE) CASE(1) CASE(4) CASE(8) CASE(16) CASE(32) /* of rows copied without a call */

INLINED void copy_rows(const int64_t *indices, int64_t n, const char *x, char *y, int64_t bytes)
{
    for (int64_t i = 0; i < n; i++, y += bytes) {
        if (bytes > 8)
            __builtin_prefetch(x + (indices[size_min(i + AHEAD, n - 1)] - 1) * bytes);
        memcpy(y, x + (indices[i] - 1) * bytes, (size_t)bytes);
    }
}

/* rows of bytes as numbers from 0 to 1 */
VECTORISED static void scale_rows(const int64_t *indices, int64_t n, const uint8_t *x, float *y,
                                  int64_t width)
{
    for (int64_t i = 0; i < n; i++, y += width) {
        const uint8_t *row = x + (indices[i] - 1) * width;
        const uint8_t *next = x + (indices[size_min(i + 1, n - 1)] - 1) * width;
        for (int64_t at = 0; at < width; at += CACHE_LINE)
            __builtin_prefetch(next + at);
        for (int64_t j = 0; j < width; j++)
            y[j] = (float)row[j] / UINT8_MAX;
    }
}

static void select_part(const Selection *s, int64_t o, int64_t first)
{
    const Rows *rows = s->rows;
    const int64_t *indices = rows->indices + first, bytes = s->bytes;
    int64_t n = size_min(s->width, rows->count - first);
    const char *x = s->x + o * rows->along.n * bytes;
    char *y = s->y + (o * rows->count + first) * s->to_bytes;
    if (s->to_bytes != bytes) {
        scale_rows(indices, n, (const uint8_t *)x, (float *)(void *)y, bytes);
        return;
    }
    switch (bytes) {
#define CASE(size)                                                                                 \
    case size:                                                                                     \
        copy_rows(indices, n, x, y, size);                                                         \
        break;
        SIZES(CASE)
#undef CASE
    default:
        copy_rows(indices, n, x, y, bytes);
    }
}

static void select_piece(void *context, int64_t piece)
{
    const Selection *s = context;
    int64_t last = size_min((piece + 1) * s->together, s->rows->along.outer * s->parts);
    for (int64_t part = piece * s->together; part < last; part++)
        select_part(s, part / s->parts, part % s->parts * s->width);
}

static void select_rows(Pool *pool, const Rows *rows, const void *x, void *y, int64_t to_size)
{
    enum { WORTH_SHARING = 1 << 18 };
    int64_t inner = rows->along.inner, outer = rows->along.outer;
    int64_t width = parts_together(inner), parts = size_pieces(rows->count, width);
    Selection s = {
        .rows = rows,
        .x = x,
        .y = y,
        .bytes = inner * dtype_size(rows->dtype),
        .to_bytes = inner * to_size,
        .width = width,
        .parts = parts,
        .together = parts_together(size_min(rows->count, width) * inner),
    };
    int64_t pieces = size_pieces(outer * parts, s.together);
    if (outer * rows->count * s.to_bytes < WORTH_SHARING)
        for (int64_t piece = 0; piece < pieces; piece++)
            select_piece(&s, piece);
    else
        pool_run(pool, select_piece, &s, pieces);
}

void index_select(Pool *pool, const Rows *rows, const void *x, void *y)
{
    select_rows(pool, rows, x, y, dtype_size(rows->dtype));
}

void index_scale(Pool *pool, const Rows *rows, const uint8_t *x, float *y)
{
    select_rows(pool, rows, x, y, sizeof *y);
}

/* a + b in a type; of booleans, whether either is true */
#define SUM(type, category, a, b)                                                                  \
    ((category) == CATEGORY_BOOL ? (type)((a) || (b)) : (type)((a) + (b)))

VECTORISED static void add_elements(DType dtype, void *to, const void *from, int64_t n)
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
    const int64_t n = row->n, step = row->step, along = row->along, *indices = row->indices;
    const int64_t from_step = row->from_step;
    switch (dtype) {
#define ROW(constant, type, name, category)                                                        \
    case constant:                                                                                 \
        for (int64_t j = 0; j < n; j++) {                                                          \
            type *to = (type *)x + (indices[j] - 1) * along + j * step;                            \
            type from = ((const type *)y)[j * from_step];                                          \
            *to = WRITTEN(type, category, write, *to, from);                                       \
        }                                                                                          \
        break;
        DTYPES(ROW)
#undef ROW
    default:
        break;
    }
}

/* What is written to x[outer, n, inner] is shared out by `outer` and by strips of `inner`, so that
 * the writes to one element stay with one thread. */
typedef struct {
    const Rows *rows;
    Write write;
    char *x;
    const char *y;
    int64_t strips, together; /* of each `outer`; and how many of them all a piece of work has */
} RowsWritten;

enum { STRIP = 512 };

static void write_strip(const RowsWritten *w, int64_t o, int64_t first)
{
    const Rows *rows = w->rows;
    int64_t inner = rows->along.inner, width = size_min(STRIP, inner - first);
    int64_t size = dtype_size(rows->dtype), from_step = rows->is_filled ? 0 : 1;
    char *x = w->x + (o * rows->along.n * inner + first) * size;
    const char *y = w->y + (o * rows->count * inner + first) * size * from_step;
    if (inner == 1) {
        Row row = {.n = rows->count, .along = 1, .from_step = from_step, .indices = rows->indices};
        scatter_row(rows->dtype, &row, w->write, x, y);
        return;
    }
    for (int64_t i = 0; i < rows->count; i++) {
        char *to = x + (rows->indices[i] - 1) * inner * size;
        const char *from = y + i * inner * size * from_step;
        if (rows->is_filled)
            convert_elements(width, rows->dtype, to, 1, rows->dtype, from, 0);
        else if (w->write == WRITE_ADD)
            add_elements(rows->dtype, to, from, width);
        else
            memcpy(to, from, (size_t)(width * size));
    }
}

static void write_piece(void *context, int64_t piece)
{
    const RowsWritten *w = context;
    int64_t last = size_min((piece + 1) * w->together, w->rows->along.outer * w->strips);
    for (int64_t strip = piece * w->together; strip < last; strip++)
        write_strip(w, strip / w->strips, strip % w->strips * STRIP);
}

void index_write(Pool *pool, const Rows *rows, Write write, void *x, const void *y)
{
    int64_t inner = rows->along.inner, strips = size_pieces(inner, STRIP);
    RowsWritten w = {
        .rows = rows,
        .write = write,
        .x = x,
        .y = y,
        .strips = strips,
        .together = parts_together(rows->count * size_min(STRIP, inner)),
    };
    pool_run_whole(pool, write_piece, &w, size_pieces(rows->along.outer * strips, w.together));
}

/* visits the rows along the last dimension, with the offset in x at which each begins */
typedef struct {
    Row row;
    int64_t offset;
    int64_t counter[MAX_RANK];
} Walk;

/* how many of the shape's dimensions a..b-1 there are elements in */
static int64_t count_elements(const Elements *p, int a, int b)
{
    int64_t count = 1;
    for (int d = a; d < b; d++)
        count *= p->shape[d];
    return count;
}

static Walk walk_begin(const Elements *p, int64_t along, int64_t at)
{
    Walk walk = {.row = {.n = 1, .indices = p->indices, .from_step = p->is_filled ? 0 : 1}};
    int last = p->ndim - 1;
    if (p->ndim > 0) {
        walk.row.n = p->shape[last];
        walk.row.along = along;
        walk.row.step = p->stride[last];
    }
    walk.row.indices += at * walk.row.n;
    for (int d = last - 1; d >= 0; d--) {
        walk.counter[d] = at % p->shape[d];
        walk.offset += walk.counter[d] * p->stride[d];
        at /= p->shape[d];
    }
    return walk;
}

static void walk_next(const Elements *p, Walk *walk)
{
    walk->row.indices += p->ndim > 0 ? p->shape[p->ndim - 1] : 1;
    for (int d = p->ndim - 2; d >= 0; d--) {
        walk->offset += p->stride[d];
        if (++walk->counter[d] < p->shape[d])
            return;
        walk->offset -= p->shape[d] * p->stride[d];
        walk->counter[d] = 0;
    }
}

/*
 * The rows of elements are shared out in groups, and these in strips of columns: what may be written
 * to one element of x stays with one thread.
 */
typedef struct {
    Elements elements; /* with a stride of 0 in their dimension, and without a last one of size 1 */
    int64_t along;     /* the stride of their dimension */
    Write write;
    char *x, *y;
    int64_t rows, width;              /* of a group: its rows; and the columns of a strip */
    int64_t groups, strips, together; /* and how many strips a piece of work has */
} Placing;

static void take_row(const Placing *p, const Row *row, char *x, char *y)
{
    gather_row(p->elements.dtype, row, x, y);
}

static void write_row(const Placing *p, const Row *row, char *x, char *y)
{
    scatter_row(p->elements.dtype, row, p->write, x, y);
}

static inline void each_row(const Placing *p, int64_t piece,
                            void (*place_row)(const Placing *, const Row *, char *, char *))
{
    const Elements *elements = &p->elements;
    int64_t size = dtype_size(elements->dtype);
    int64_t last = size_min((piece + 1) * p->together, p->groups * p->strips);
    for (int64_t strip = piece * p->together, taken; strip < last; strip += taken) {
        taken = p->strips == 1 ? last - strip : 1; /* whole groups follow each other */
        int64_t at = strip / p->strips * p->rows, first = strip % p->strips * p->width;
        Walk walk = walk_begin(elements, p->along, at);
        for (int64_t i = at; i < at + taken * p->rows; i++, walk_next(elements, &walk)) {
            Row row = walk.row;
            row.n = size_min(p->width, row.n - first);
            row.indices += first;
            place_row(p, &row, p->x + (walk.offset + first * row.step) * size,
                      p->y + (i * walk.row.n + first) * row.from_step * size);
        }
    }
}

static void gather_piece(void *context, int64_t piece)
{
    each_row(context, piece, take_row);
}

static void scatter_piece(void *context, int64_t piece)
{
    each_row(context, piece, write_row);
}

static Placing share_out(const Elements *elements, bool is_written)
{
    Placing p = {.elements = *elements};
    Elements *e = &p.elements;
    if (e->ndim > 0) {
        p.along = e->stride[e->dimension];
        e->stride[e->dimension] = 0;
    }
    while (e->ndim > 1 && e->shape[e->ndim - 1] == 1)
        e->ndim--;
    int last = (int)size_max(e->ndim - 1, 0);
    int64_t columns = e->ndim > 0 ? e->shape[last] : 1;
    bool by_strips = is_written && e->dimension < last;
    int split = by_strips ? e->dimension : last;
    p.width = by_strips ? STRIP : is_written ? size_max(columns, 1) : ELEMENTS;
    p.rows = count_elements(e, split, last);
    p.groups = p.rows > 0 ? count_elements(e, 0, split) : 0;
    p.strips = size_pieces(columns, p.width);
    p.together = parts_together(p.rows * size_min(p.width, columns));
    return p;
}

static int64_t count_pieces(const Placing *p)
{
    return size_pieces(p->groups * p->strips, p->together);
}

void index_gather(Pool *pool, const Elements *elements, const void *x, void *y)
{
    Placing p = share_out(elements, false);
    p.x = (char *)(uintptr_t)x;
    p.y = y;
    pool_run(pool, gather_piece, &p, count_pieces(&p));
}

void index_scatter(Pool *pool, const Elements *elements, Write write, void *x, const void *y)
{
    Placing p = share_out(elements, true);
    p.write = write;
    p.x = x;
    p.y = (char *)(uintptr_t)y;
    pool_run_whole(pool, scatter_piece, &p, count_pieces(&p));
}

/* ---- masks ---- */

static int64_t mask_width(const Mask *m)
{
    return size_max(size_pieces(m->n, MASK_PIECES), ELEMENTS);
}

VECTORISED static int64_t count_true(const uint8_t *mask, int64_t n)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++)
        count += mask[i];
    return count;
}

static void count_piece(void *context, int64_t piece)
{
    Mask *m = context;
    int64_t width = mask_width(m), first = piece * width;
    m->starts[piece + 1] = count_true(m->mask + first, size_min(width, m->n - first));
}

int64_t index_count(Pool *pool, Mask *m)
{
    int64_t pieces = size_pieces(m->n, mask_width(m));
    m->starts[0] = 0;
    pool_run(pool, count_piece, m, pieces);
    for (int64_t piece = 0; piece < pieces; piece++)
        m->starts[piece + 1] += m->starts[piece];
    return m->starts[pieces];
}

typedef struct {
    const Mask *mask;
    int ndim;
    const int64_t *shape;
    int64_t *out;
} Found;

/* out[count]: where the true elements of mask[...] lie, of which the first has the index `first` */
static void find_in_row(const uint8_t *mask, int64_t first, int64_t count, int64_t *out)
{
    for (int64_t i = 0, found = 0; found < count; i++) {
        out[found] = first + i;
        found += mask[i];
    }
}

static void find_in_shape(const Found *f, int64_t i, int64_t count, int64_t *out)
{
    for (int64_t found = 0; found < count; i++) {
        if (!f->mask->mask[i])
            continue;
        int64_t rest = i;
        for (int d = f->ndim - 1; d > 0; d--) {
            out[d] = rest % f->shape[d] + 1;
            rest /= f->shape[d];
        }
        if (f->ndim > 0)
            out[0] = rest + 1;
        out += f->ndim;
        found++;
    }
}

static void find_piece(void *context, int64_t piece)
{
    const Found *f = context;
    const Mask *m = f->mask;
    int64_t first = piece * mask_width(m), count = m->starts[piece + 1] - m->starts[piece];
    int64_t *out = f->out + m->starts[piece] * f->ndim;
    if (f->ndim == 1)
        find_in_row(m->mask + first, first + 1, count, out);
    else
        find_in_shape(f, first, count, out);
}

void index_nonzero(Pool *pool, const Mask *mask, int ndim, const int64_t *shape, int64_t *out)
{
    Found f = {mask, ndim, shape, out};
    pool_run(pool, find_piece, &f, size_pieces(mask->n, mask_width(mask)));
}

typedef struct {
    const Mask *mask;
    DType dtype;
    const char *x;
    char *y;
} Picked;

/* y[count]: the first so many elements of x where the mask is true */
static void pick_in_row(DType dtype, const uint8_t *mask, const void *x, int64_t count, void *y)
{
    switch (dtype) {
#define ROW(constant, type, name, category)                                                        \
    case constant:                                                                                 \
        for (int64_t i = 0, found = 0; found < count; i++) {                                       \
            ((type *)y)[found] = ((const type *)x)[i];                                             \
            found += mask[i];                                                                      \
        }                                                                                          \
        break;
        DTYPES(ROW)
#undef ROW
    default:
        break;
    }
}

static void pick_piece(void *context, int64_t piece)
{
    const Picked *p = context;
    const Mask *m = p->mask;
    int64_t first = piece * mask_width(m), size = dtype_size(p->dtype);
    pick_in_row(p->dtype, m->mask + first, p->x + first * size,
                m->starts[piece + 1] - m->starts[piece], p->y + m->starts[piece] * size);
}

void index_pick(Pool *pool, const Mask *mask, DType dtype, const void *x, void *y)
{
    Picked p = {mask, dtype, x, y};
    pool_run(pool, pick_piece, &p, size_pieces(mask->n, mask_width(mask)));
}
