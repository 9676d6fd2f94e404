/*
 * elementwise.c - operations that treat every element alike; see elementwise.h
 *
 * The work is one walk over the output in row-major order, cut into blocks that fit the first-level
 * cache. For each block an operand is used where it lies if it is contiguous and of the compute
 * type, and is gathered (converted, broadcast, transposed) into a small buffer otherwise; the
 * kernel runs; the result is scattered likewise. So a kernel is a plain loop, and this file is the
 * only place that knows strides and types. A copy whose elements lie along one dimension in the
 * output and along another in the input goes by tiles of both instead.
 */
#include <string.h>

#include "kernels/convert.h"
#include "kernels/elementwise.h"
#include "kernels/operations.h"
#include "kernels/reduce.h"

enum {
    BLOCK = 1024,       /* elements between gather and scatter */
    PIECE = 16 * BLOCK, /* elements a thread takes at a time */
    LONG_ROW = 64,      /* elements of a row that is worth a kernel's call, */
    LONG_UNEVEN = 512,  /* and of one that needs a second call for what fills no vector */
    MAX_INPUTS = MAX_ARITY + 2,
};

/* ---- the walk ---- */

/* one operand (or the output) as the walk sees it */
typedef struct {
    char *data;
    DType dtype;
    bool in_place; /* the kernel may use its rows where they lie */
    bool constant; /* one number */
    Scalar scalar;
    int64_t stride[MAX_RANK];
} Stream;

typedef struct {
    Kernel *kernel;        /* NULL copies in[0] */
    DType compute, result; /* what the kernel reads and writes */
    int inputs;
    int ndim;
    int64_t numel;
    int64_t row; /* elements that lie in even steps, and side by side where a kernel takes them */
    int64_t shape[MAX_RANK];
    Stream out, in[MAX_INPUTS];
} Walk;

/* element `first` of a stream that is in place, or of any one where rows are long */
static char *element_in_place(const Walk *walk, const Stream *stream, int64_t first)
{
    int64_t offset = first;
    if (walk->row < walk->numel) {
        offset = first % walk->row * stream->stride[walk->ndim - 1];
        first /= walk->row;
        for (int d = walk->ndim - 2; d > 0; d--) {
            offset += first % walk->shape[d] * stream->stride[d];
            first /= walk->shape[d];
        }
        offset += first * stream->stride[0];
    }
    return stream->data + offset * dtype_size(stream->dtype);
}

/* Moves elements first..first+n-1 of the stream, in row-major order,
 * to (or from) a contiguous block of `type`. */
static void move_elements(const Walk *walk, const Stream *stream, int64_t first, int64_t n,
                          DType type, char *block, bool to_block)
{
    int last = walk->ndim - 1;
    int64_t size = dtype_size(stream->dtype), block_size = dtype_size(type);
    int64_t row = last >= 0 ? walk->shape[last] : 1, step = last >= 0 ? stream->stride[last] : 0;
    int64_t index[MAX_RANK], at = first % row, offset = 0;
    for (int d = last; d >= 0; d--) {
        index[d] = first % walk->shape[d];
        first /= walk->shape[d];
        offset += index[d] * stream->stride[d];
    }
    for (;;) {
        int64_t run = size_min(row - at, n);
        char *element = stream->data + offset * size;
        if (to_block)
            convert_elements(run, type, block, 1, stream->dtype, element, step);
        else
            convert_elements(run, stream->dtype, element, step, type, block, 1);
        n -= run;
        if (n == 0)
            return;
        /* the row is done: on to the next one */
        block += run * block_size;
        offset -= at * step;
        at = 0;
        for (int d = last - 1;; d--) {
            offset += stream->stride[d];
            if (++index[d] < walk->shape[d])
                break;
            offset -= walk->shape[d] * stream->stride[d];
            index[d] = 0;
        }
    }
}

/* elements first..first+n-1 as a block of the compute type */
static void read_block(const Walk *walk, const Stream *stream, int64_t first, int64_t n,
                       char *block)
{
    int64_t size = dtype_size(walk->compute);
    if (stream->in_place)
        memcpy(block, element_in_place(walk, stream, first), (size_t)(n * size));
    else
        move_elements(walk, stream, first, n, walk->compute, block, true);
}

static void write_block(const Walk *walk, int64_t first, int64_t n, char *block)
{
    int64_t size = dtype_size(walk->result);
    if (walk->out.in_place)
        memcpy(element_in_place(walk, &walk->out, first), block, (size_t)(n * size));
    else
        move_elements(walk, &walk->out, first, n, walk->result, block, false);
}

static void fill_constant(Scalar scalar, int64_t n, DType type, char *block)
{
    char value[8];
    dtype_store(type, value, scalar);
    convert_elements(n, type, block, 1, type, value, 0);
}

static int64_t round_to_lanes(int64_t n)
{
    return (n + LANES - 1) / LANES * LANES;
}

static void walk_range(const Walk *walk, int64_t begin, int64_t end)
{
    _Alignas(STORAGE_ALIGNMENT) char buffer[MAX_INPUTS + 1][BLOCK * sizeof(double)];
    const void *in[MAX_INPUTS];
    int64_t size = dtype_size(walk->compute);
    int64_t most = round_to_lanes(size_min(BLOCK, end - begin));
    bool is_buffered = !walk->out.in_place;
    for (int i = 0; i < walk->inputs; i++) {
        in[i] = buffer[i];
        is_buffered |= !walk->in[i].in_place;
        if (walk->in[i].constant)
            fill_constant(walk->in[i].scalar, most, walk->compute, buffer[i]);
    }
    for (int64_t first = begin, n; first < end; first += n) {
        n = size_min(walk->row - first % walk->row, end - first);
        n = is_buffered ? size_min(BLOCK, n) : n;
        if (!is_buffered && n > LANES)
            n -= n % LANES;
        int64_t padded = round_to_lanes(n);
        for (int i = 0; i < walk->inputs; i++) {
            const Stream *stream = &walk->in[i];
            if (stream->constant)
                continue;
            if (stream->in_place && n == padded) {
                in[i] = element_in_place(walk, stream, first);
            } else {
                in[i] = buffer[i];
                read_block(walk, stream, first, n, buffer[i]);
                memset(buffer[i] + n * size, 0, (size_t)((padded - n) * size));
            }
        }
        bool direct = walk->out.in_place && n == padded;
        void *result = direct ? element_in_place(walk, &walk->out, first) : buffer[MAX_INPUTS];
        walk->kernel(padded, result, in);
        if (!direct)
            write_block(walk, first, n, result);
    }
}

static void copy_long_rows(const Walk *walk, int64_t begin, int64_t end)
{
    const Stream *out = &walk->out, *in = &walk->in[0];
    int64_t to_step = out->stride[walk->ndim - 1], from_step = in->stride[walk->ndim - 1];
    for (int64_t first = begin, n; first < end; first += n) {
        n = size_min(walk->row - first % walk->row, end - first);
        convert_elements(n, out->dtype, element_in_place(walk, out, first), to_step, in->dtype,
                         element_in_place(walk, in, first), from_step);
    }
}

/* a copy needs no kernel: one move when either side is contiguous, two through a block otherwise */
static void copy_range(const Walk *walk, int64_t begin, int64_t end)
{
    _Alignas(STORAGE_ALIGNMENT) char buffer[BLOCK * sizeof(double)];
    const Stream *out = &walk->out, *in = &walk->in[0];
    int64_t size = dtype_size(out->dtype);
    if (out->in_place && in->constant) {
        fill_constant(in->scalar, end - begin, out->dtype, out->data + begin * size);
        return;
    }
    if (out->in_place) {
        move_elements(walk, in, begin, end - begin, out->dtype, out->data + begin * size, true);
        return;
    }
    if (in->constant)
        fill_constant(in->scalar, size_min(BLOCK, end - begin), out->dtype, buffer);
    for (int64_t first = begin; first < end; first += BLOCK) {
        int64_t n = size_min(BLOCK, end - first);
        if (!in->constant)
            move_elements(walk, in, first, n, out->dtype, buffer, true);
        move_elements(walk, out, first, n, out->dtype, buffer, false);
    }
}

/* ---- copies of what lies across ---- */

/* The dimension in which a stream's elements lie side by side, or -1. */
static int dense_dimension(const Walk *walk, const Stream *stream)
{
    for (int d = walk->ndim - 1; d >= 0; d--)
        if (stream->stride[d] == 1)
            return d;
    return -1;
}

/* The planes of a copy in which elements lie side by side along `row` in the output and along
 * `column` in the input, each cut into tiles. */
typedef struct {
    const Walk *walk;
    int row, column;
    int64_t height, width;   /* of a tile: along `column`, along `row` */
    int64_t tiles, together; /* of all planes; of a piece of work */
} Turn;

static bool plan_turn(const Walk *walk, Turn *turn)
{
    enum { LEAST_SIDE = 4, LEAST_PLANE = 256, WIDTH = 1024, STRIP = 16 };
    const Stream *out = &walk->out, *in = &walk->in[0];
    if (walk->kernel || in->constant || in->dtype != out->dtype || dtype_size(out->dtype) < 4)
        return false;
    turn->walk = walk;
    turn->row = dense_dimension(walk, out);
    turn->column = dense_dimension(walk, in);
    if (turn->row < 0 || turn->column < 0 || turn->row == turn->column)
        return false;
    int64_t rows = walk->shape[turn->column], columns = walk->shape[turn->row];
    if (size_min(rows, columns) < LEAST_SIDE || rows * columns < LEAST_PLANE)
        return false;
    turn->width = size_min(WIDTH, columns);
    turn->height = size_min(PIECE / turn->width / STRIP * STRIP, rows);
    turn->tiles = walk->numel / (rows * columns) * size_pieces(rows, turn->height) *
                  size_pieces(columns, turn->width);
    turn->together = size_max(PIECE / (turn->height * turn->width), 1);
    return true;
}

static void turn_tile(const Turn *turn, int64_t tile)
{
    const Walk *walk = turn->walk;
    const Stream *out = &walk->out, *in = &walk->in[0];
    int64_t rows = walk->shape[turn->column], columns = walk->shape[turn->row];
    int64_t across = size_pieces(columns, turn->width), down = size_pieces(rows, turn->height);
    int64_t i = tile / across % down * turn->height, j = tile % across * turn->width;
    int64_t to = i * out->stride[turn->column] + j, from = j * in->stride[turn->row] + i;
    int64_t plane = tile / across / down, size = dtype_size(out->dtype);
    for (int d = walk->ndim - 1; d >= 0; d--) {
        if (d == turn->row || d == turn->column)
            continue;
        to += plane % walk->shape[d] * out->stride[d];
        from += plane % walk->shape[d] * in->stride[d];
        plane /= walk->shape[d];
    }
    transpose_elements(size, size_min(turn->height, rows - i), size_min(turn->width, columns - j),
                       out->data + to * size, out->stride[turn->column], in->data + from * size,
                       in->stride[turn->row]);
}

static void turn_piece(void *context, int64_t piece)
{
    const Turn *turn = context;
    int64_t last = size_min((piece + 1) * turn->together, turn->tiles);
    for (int64_t tile = piece * turn->together; tile < last; tile++)
        turn_tile(turn, tile);
}

static void walk_piece(void *context, int64_t piece)
{
    const Walk *walk = context;
    int64_t begin = piece * PIECE, end = size_min(begin + PIECE, walk->numel);
    if (walk->kernel)
        walk_range(walk, begin, end);
    else if (walk->row < walk->numel)
        copy_long_rows(walk, begin, end);
    else
        copy_range(walk, begin, end);
}

/* ---- planning ---- */

static bool may_merge(const Walk *walk, int outer, int inner)
{
    int64_t n = walk->shape[inner];
    if (walk->out.stride[outer] != n * walk->out.stride[inner])
        return false;
    for (int i = 0; i < walk->inputs; i++)
        if (!walk->in[i].constant && walk->in[i].stride[outer] != n * walk->in[i].stride[inner])
            return false;
    return true;
}

static void move_dimension(Walk *walk, int from, int to)
{
    walk->shape[to] = walk->shape[from];
    walk->out.stride[to] = walk->out.stride[from];
    for (int i = 0; i < walk->inputs; i++)
        walk->in[i].stride[to] = walk->in[i].stride[from];
}

/* joins neighbouring dimensions that every stream crosses in even steps */
static void collapse(Walk *walk)
{
    int kept = 0;
    for (int d = 0; d < walk->ndim; d++) {
        if (walk->shape[d] == 1)
            continue;
        move_dimension(walk, d, kept);
        if (kept > 0 && may_merge(walk, kept - 1, kept)) {
            int64_t joined = walk->shape[kept - 1] * walk->shape[kept];
            move_dimension(walk, kept, kept - 1);
            walk->shape[kept - 1] = joined;
        } else {
            kept++;
        }
    }
    walk->ndim = kept;
}

static void set_stream(Stream *stream, const Walk *walk, const View *view)
{
    stream->data = view->data;
    stream->dtype = view->dtype;
    int lead = walk->ndim - view->ndim;
    for (int d = 0; d < walk->ndim; d++) {
        bool repeats = d < lead || (view->shape[d - lead] == 1 && walk->shape[d] != 1);
        stream->stride[d] = repeats ? 0 : view->stride[d - lead];
    }
}

/* Can a kernel take elements of this type as they are? */
static bool is_computed_in(const Walk *walk, DType dtype)
{
    return dtype == walk->compute || (dtype == BOOL && walk->compute == UINT8);
}

static void plan_row(Walk *walk, void *out, const Row *in)
{
    walk->ndim = 1;
    walk->shape[0] = walk->row = walk->numel;
    walk->out.data = out;
    walk->out.dtype = walk->result;
    walk->out.in_place = true;
    walk->out.stride[0] = 1;
    for (int i = 0; i < walk->inputs; i++) {
        Stream *stream = &walk->in[i];
        stream->data = (char *)in[i].data;
        stream->constant = in[i].data == NULL;
        stream->in_place = !stream->constant;
        stream->scalar = in[i].scalar;
        stream->dtype = walk->compute;
        stream->stride[0] = 1;
    }
}

/* Do all lie like the output, element by element in one row and of the type computed in? Then there
 * are no dimensions to think of. */
static bool plan_one_row(Walk *walk, const View *out, const Operand *in)
{
    if (out->dtype != walk->result || !shape_is_contiguous(out->ndim, out->shape, out->stride))
        return false;
    for (int i = 0; i < walk->inputs; i++) {
        const View *view = &in[i].view;
        if (!in[i].is_scalar && (!is_computed_in(walk, view->dtype) ||
                                 !shape_equal(view->ndim, view->shape, out->ndim, out->shape) ||
                                 !shape_equal(view->ndim, view->stride, out->ndim, out->stride)))
            return false;
    }
    Row row[MAX_INPUTS];
    for (int i = 0; i < walk->inputs; i++)
        row[i] = (Row){in[i].is_scalar ? NULL : in[i].view.data, in[i].scalar};
    plan_row(walk, out->data, row);
    return true;
}

static bool lies_in_place(const Walk *walk, const Stream *stream, bool is_type)
{
    return is_type && shape_is_contiguous(walk->ndim, walk->shape, stream->stride);
}

/* Are rows long, and does a kernel find all streams' elements side by side in them? */
static bool has_long_rows(const Walk *walk)
{
    int last = walk->ndim - 1;
    if (last < 1 || walk->shape[last] < LONG_ROW)
        return false;
    if (walk->kernel == NULL)
        return !walk->in[0].constant;
    if (walk->shape[last] % LANES != 0 && walk->shape[last] < LONG_UNEVEN)
        return false;
    bool has = walk->out.dtype == walk->result && walk->out.stride[last] == 1;
    for (int i = 0; i < walk->inputs; i++) {
        const Stream *in = &walk->in[i];
        has &= in->constant || (is_computed_in(walk, in->dtype) && in->stride[last] == 1);
    }
    return has;
}

/* Is the stream one element, repeated? */
static bool is_repeated(const Walk *walk, const Stream *stream)
{
    for (int d = 0; d < walk->ndim; d++)
        if (walk->shape[d] != 1 && stream->stride[d] != 0)
            return false;
    return true;
}

static void plan_input(const Walk *walk, Stream *stream, const Operand *in)
{
    stream->scalar = in->scalar;
    if (!in->is_scalar)
        set_stream(stream, walk, &in->view);
    stream->constant = in->is_scalar || (walk->kernel != NULL && is_repeated(walk, stream));
    if (stream->constant && !in->is_scalar)
        stream->scalar = dtype_load(stream->dtype, stream->data);
}

static void plan_dimensions(Walk *walk, const View *out, const Operand *in)
{
    walk->ndim = out->ndim;
    memcpy(walk->shape, out->shape, (size_t)out->ndim * sizeof(int64_t));
    set_stream(&walk->out, walk, out);
    for (int i = 0; i < walk->inputs; i++)
        plan_input(walk, &walk->in[i], &in[i]);
    collapse(walk);
    bool by_rows = has_long_rows(walk);
    walk->row = by_rows ? walk->shape[walk->ndim - 1] : walk->numel;
    walk->out.in_place =
        by_rows || lies_in_place(walk, &walk->out, walk->out.dtype == walk->result);
    for (int i = 0; i < walk->inputs; i++)
        walk->in[i].in_place =
            !walk->in[i].constant &&
            (by_rows || lies_in_place(walk, &walk->in[i], is_computed_in(walk, walk->in[i].dtype)));
}

static void walk_run(Walk *walk, Pool *pool, const View *out, const Operand *in)
{
    walk->numel = view_numel(out);
    if (walk->numel == 0)
        return;
    Turn turn;
    if (!plan_one_row(walk, out, in)) {
        plan_dimensions(walk, out, in);
        if (plan_turn(walk, &turn)) {
            pool_run(pool, turn_piece, &turn, size_pieces(turn.tiles, turn.together));
            return;
        }
    }
    pool_run(pool, walk_piece, walk, size_pieces(walk->numel, PIECE));
}

/* Are these all bytes, or numbers that a byte holds? Then bytes may stand for int64: a row's result
 * has the same lowest 8 bits. */
static bool are_bytes(int inputs, const Operand *in)
{
    for (int i = 0; i < inputs; i++) {
        const Scalar *number = &in[i].scalar;
        bool is_byte = in[i].is_scalar ? number->category != CATEGORY_FLOAT && number->i >= 0 &&
                                             number->i <= UINT8_MAX
                                       : dtype_size(in[i].view.dtype) == 1;
        if (!is_byte)
            return false;
    }
    return true;
}

void elementwise_run(Pool *pool, int op, DType compute, const View *out, const Operand *in)
{
    Walk walk;
    const Operation *o = &operations[op];
    walk.inputs = o->arity;
    bool narrow = compute == INT64 && dtype_size(out->dtype) == 1 && are_bytes(o->arity, in);
    walk.compute = narrow ? UINT8 : compute;
    walk.result = o->kind == BOOLEAN ? BOOL : walk.compute;
    walk.kernel = operation_kernels(walk.compute, op)->value;
    walk_run(&walk, pool, out, in);
}

/* fewer elements than a kernel takes: zeros fill them up */
static void run_few(Kernel *kernel, int inputs, DType compute, int64_t n, void *out, const Row *in)
{
    _Alignas(STORAGE_ALIGNMENT) char block[MAX_ARITY + 1][LANES * sizeof(double)];
    const void *operand[MAX_ARITY];
    size_t bytes = (size_t)(n * dtype_size(compute));
    for (int i = 0; i < inputs; i++) {
        operand[i] = block[i];
        if (in[i].data != NULL) {
            memset(block[i], 0, sizeof block[i]);
            memcpy(block[i], in[i].data, bytes);
        } else {
            fill_constant(in[i].scalar, LANES, compute, block[i]);
        }
    }
    kernel(LANES, block[MAX_ARITY], operand);
    memcpy(out, block[MAX_ARITY], bytes);
}

/* what a row of ops.def gives of operands that lie like the output */
static void plan_value(Walk *walk, int op, DType compute, int64_t n, void *out, const Row *in)
{
    walk->kernel = operation_kernels(compute, op)->value;
    walk->compute = walk->result = compute;
    walk->inputs = operations[op].arity;
    walk->numel = n;
    plan_row(walk, out, in);
}

void elementwise_row(Pool *pool, int op, DType compute, int64_t n, void *out, const Row *in)
{
    if (n < LANES) {
        run_few(operation_kernels(compute, op)->value, operations[op].arity, compute, n, out, in);
        pool_check(pool);
        return;
    }
    Walk walk;
    plan_value(&walk, op, compute, n, out, in);
    pool_run(pool, walk_piece, &walk, size_pieces(n, PIECE));
}

typedef struct {
    const Walk *walk;
    double *block;
} Sum;

static void sum_piece(void *context, int64_t piece)
{
    _Alignas(STORAGE_ALIGNMENT) char values[REDUCE_BLOCK * sizeof(double)];
    const Sum *sum = context;
    Walk walk = *sum->walk;
    int64_t begin = piece * REDUCE_BLOCK;
    walk.numel = walk.row = size_min(REDUCE_BLOCK, walk.numel - begin);
    walk.out.data = values;
    for (int i = 0; i < walk.inputs; i++)
        if (!walk.in[i].constant)
            walk.in[i].data += begin * dtype_size(walk.compute);
    walk_range(&walk, 0, walk.numel);
    sum->block[piece] = reduce_block_sum(walk.compute, values, walk.numel);
}

double elementwise_sum(Pool *pool, int op, DType compute, int64_t n, const Row *in, double *blocks)
{
    Walk walk;
    plan_value(&walk, op, compute, n, NULL, in);
    int64_t pieces = size_pieces(n, REDUCE_BLOCK);
    pool_run(pool, sum_piece, &(Sum){&walk, blocks}, pieces);
    double sum = 0;
    for (int64_t i = 0; i < pieces; i++)
        sum += blocks[i];
    return sum;
}

void elementwise_gradient(Pool *pool, int op, int argument, DType compute, const View *out,
                          const Operand *in)
{
    Walk walk;
    walk.kernel = operation_kernels(compute, op)->gradient[argument];
    walk.compute = walk.result = compute;
    walk.inputs = operations[op].arity + 2;
    walk_run(&walk, pool, out, in);
}

void elementwise_copy(Pool *pool, const View *out, const Operand *in)
{
    Walk walk;
    walk.kernel = NULL;
    walk.compute = walk.result = out->dtype;
    walk.inputs = 1;
    walk_run(&walk, pool, out, in);
}

const char *elementwise_vector_path(void)
{
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return "avx512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "avx2";
#endif
    return "baseline";
}
