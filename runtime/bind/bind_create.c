/*
 * bind_create.c - new tensors: from tables, filled, and ranges
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/convert.h"
#include "kernels/elementwise.h"

static const char *const create_options[] = {"dtype", "requires_grad", NULL};

/* ---- tensor(data, options) ---- */

typedef struct {
    int ndim;
    int64_t shape[MAX_RANK];
    bool seen;
    Category category; /* the highest among the elements */
} Nested;

static _Noreturn void fail_ragged(lua_State *L, int depth, int64_t wanted, const char *got)
{
    bind_fail(L, "tensor: argument 1: expected every table at depth %d to hold %I values, got %s",
              depth + 1, (LUAI_UACINT)wanted, got);
}

/* tensor{1, 2, dtype = "float64"}: an option where it would pass unseen */
static void refuse_options_inside(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TTABLE)
        return;
    for (int i = 0; create_options[i] != NULL; i++) {
        lua_pushstring(L, create_options[i]);
        if (lua_rawget(L, 1) != LUA_TNIL)
            bind_fail(L,
                      "tensor: argument 1: option %s stands among the elements; options go into a "
                      "table of their own",
                      create_options[i]);
        lua_pop(L, 1);
    }
}

/* the shape of the table on top, from its first elements */
static void measure(lua_State *L, Nested *nested)
{
    int top = lua_gettop(L);
    lua_pushvalue(L, -1);
    while (lua_type(L, -1) == LUA_TTABLE) {
        if (nested->ndim == MAX_RANK)
            bind_fail(L, "tensor: argument 1: expected at most %d levels of tables", MAX_RANK);
        luaL_checkstack(L, 3, "tables too deep");
        nested->shape[nested->ndim++] = (int64_t)lua_rawlen(L, -1);
        lua_rawgeti(L, -1, 1);
    }
    lua_settop(L, top);
}

/* checks the value on top against the shape and raises the category to that of its elements */
static void inspect(lua_State *L, Nested *nested, int depth)
{
    Scalar s;
    if (depth == nested->ndim) {
        if (!bind_to_scalar(L, -1, &s))
            bind_fail(L,
                      "tensor: argument 1: expected numbers or booleans in tables of one shape, "
                      "got %s",
                      bind_describe(L, lua_gettop(L)));
        if (nested->seen && (s.category == CATEGORY_BOOL) != (nested->category == CATEGORY_BOOL))
            bind_fail(L, "tensor: argument 1: expected either numbers or booleans, got both");
        nested->category =
            nested->seen && nested->category > s.category ? nested->category : s.category;
        nested->seen = true;
        return;
    }
    int64_t n = nested->shape[depth];
    if (lua_type(L, -1) != LUA_TTABLE)
        fail_ragged(L, depth, n, bind_describe(L, lua_gettop(L)));
    if ((int64_t)lua_rawlen(L, -1) != n) {
        lua_pushfstring(L, "%I", (LUAI_UACINT)lua_rawlen(L, -1));
        fail_ragged(L, depth, n, lua_tostring(L, -1));
    }
    for (int64_t i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, i);
        inspect(L, nested, depth + 1);
        lua_pop(L, 1);
    }
}

/* writes the elements of the value on top, row by row; `out` moves along */
static void fill(lua_State *L, const Nested *nested, int depth, DType dtype, char **out)
{
    if (depth == nested->ndim) {
        Scalar s;
        bind_to_scalar(L, -1, &s);
        dtype_store(dtype, *out, s);
        *out += dtype_size(dtype);
        return;
    }
    for (int64_t i = 1; i <= nested->shape[depth]; i++) {
        lua_rawgeti(L, -1, i);
        fill(L, nested, depth + 1, dtype, out);
        lua_pop(L, 1);
    }
}

/* tensor(data, {dtype=, requires_grad=}):
 * from a number, a boolean, nested tables, or a copy of a tensor */
static int core_tensor(lua_State *L)
{
    static const DType natural[] = {
        [CATEGORY_BOOL] = BOOL,
        [CATEGORY_INTEGER] = INT64,
        [CATEGORY_FLOAT] = FLOAT32,
    };
    lua_settop(L, 2);
    bind_check_options(L, "tensor", 2, create_options);
    Tensor *source = bind_to_tensor(L, 1), *t;
    if (source != NULL) {
        View v;
        tensor_view(source, &v);
        t = bind_new_copy(L, "tensor", &v, bind_option_dtype(L, "tensor", 2, (DType)source->dtype));
    } else {
        Nested nested = {.category = CATEGORY_FLOAT};
        if (lua_type(L, 1) != LUA_TTABLE && lua_type(L, 1) != LUA_TNUMBER &&
            lua_type(L, 1) != LUA_TBOOLEAN)
            bind_fail_argument(L, "tensor", 1, "a number, a boolean or a table of them");
        refuse_options_inside(L);
        lua_pushvalue(L, 1);
        measure(L, &nested);
        inspect(L, &nested, 0);
        DType dtype = bind_option_dtype(L, "tensor", 2, natural[nested.category]);
        t = bind_new_tensor(L, "tensor", dtype, nested.ndim, nested.shape);
        char *out = tensor_data(t);
        lua_pushvalue(L, 1);
        fill(L, &nested, 0, dtype, &out);
        lua_pop(L, 1);
    }
    bind_option_requires_grad(L, "tensor", 2, t);
    return 1;
}

/* ---- filled ---- */

static void fill_with(lua_State *L, Tensor *t, Scalar value)
{
    Operand in = {.is_scalar = true, .scalar = value};
    View out;
    tensor_view(t, &out);
    elementwise_copy(bind_pool(L), &out, &in);
}

static Scalar whole_number(int64_t i)
{
    return (Scalar){CATEGORY_INTEGER, i, (double)i};
}

/* f(sizes..., options) -> a new tensor */
static Tensor *create(lua_State *L, const char *f)
{
    int64_t shape[MAX_RANK];
    int options, ndim = bind_sizes(L, f, 1, shape, &options);
    bind_check_options(L, f, options, create_options);
    Tensor *t = bind_new_tensor(L, f, bind_option_dtype(L, f, options, FLOAT32), ndim, shape);
    bind_option_requires_grad(L, f, options, t);
    return t;
}

static int core_empty(lua_State *L)
{
    create(L, "empty");
    return 1;
}

static int core_zeros(lua_State *L)
{
    fill_with(L, create(L, "zeros"), whole_number(0));
    return 1;
}

static int core_ones(lua_State *L)
{
    fill_with(L, create(L, "ones"), whole_number(1));
    return 1;
}

/* full({sizes}, value, options) */
static int core_full(lua_State *L)
{
    lua_settop(L, 3);
    if (lua_type(L, 1) != LUA_TTABLE)
        bind_fail_argument(L, "full", 1, "a table of sizes");
    int64_t shape[MAX_RANK];
    int next, ndim = bind_sizes(L, "full", 1, shape, &next);
    Scalar value = bind_scalar(L, "full", 2);
    bind_check_options(L, "full", 3, create_options);
    DType dtype = bind_option_dtype(L, "full", 3, dtype_of_scalar(value));
    Tensor *t = bind_new_tensor(L, "full", dtype, ndim, shape);
    fill_with(L, t, value);
    bind_option_requires_grad(L, "full", 3, t);
    return 1;
}

/* eye(n, [m], options): ones on the diagonal */
static int core_eye(lua_State *L)
{
    int64_t n = bind_integer(L, "eye", 1, "a number of rows");
    bool square = lua_type(L, 2) != LUA_TNUMBER;
    int64_t shape[2] = {n, square ? n : bind_integer(L, "eye", 2, "a number of columns")};
    int options = square && !lua_isnil(L, 2) ? 2 : 3;
    bind_check_options(L, "eye", options, create_options);
    Tensor *t = bind_new_tensor(L, "eye", bind_option_dtype(L, "eye", options, FLOAT32), 2, shape);
    fill_with(L, t, whole_number(0));
    View diagonal;
    tensor_view(t, &diagonal);
    diagonal.ndim = 1;
    diagonal.shape[0] = size_min(shape[0], shape[1]);
    diagonal.stride[0] = shape[1] + 1;
    Operand one = {.is_scalar = true, .scalar = whole_number(1)};
    elementwise_copy(bind_pool(L), &diagonal, &one);
    bind_option_requires_grad(L, "eye", options, t);
    return 1;
}

/* ---- ranges ---- */

/* how many of start, start + step, ... come before stop; step, not 0, leads there */
static int64_t count_steps(int64_t start, int64_t stop, int64_t step)
{
    uint64_t distance = (uint64_t)stop - (uint64_t)start, length = (uint64_t)step;
    if (step < 0) {
        distance = -distance;
        length = -length;
    }
    assert(length != 0);
    return (int64_t)(distance / length + (distance % length != 0));
}

/* n values of a range, which threads share out in pieces */
typedef struct {
    DType dtype;
    int64_t n;
    char *values;
    Scalar start, step;
    double stop;      /* of a linspace */
    bool in_integers; /* counted so */
} Range;

enum { PIECE = 16384 };

VECTORISED static void arange_piece(void *context, int64_t piece)
{
    enum { BLOCK = 512 };
    const Range *r = context;
    int64_t integers[BLOCK], last = size_min((piece + 1) * PIECE, r->n);
    double numbers[BLOCK];
    bool as_integers = !dtype_is_float(r->dtype);
    for (int64_t first = piece * PIECE; first < last; first += BLOCK) {
        int64_t n = size_min(BLOCK, last - first);
        for (int64_t i = 0; i < n; i++) {
            integers[i] = r->start.i + (first + i) * r->step.i;
            numbers[i] =
                r->in_integers ? (double)integers[i] : r->start.d + (double)(first + i) * r->step.d;
        }
        convert_elements(n, r->dtype, r->values + first * dtype_size(r->dtype), 1,
                         as_integers ? INT64 : FLOAT64,
                         as_integers ? (const void *)integers : (const void *)numbers, 1);
    }
}

/* arange([start,] stop [, step], options):
 * start, start + step, ... below stop (above it for a negative step) */
static int core_arange(lua_State *L)
{
    Scalar part[3] = {whole_number(0), whole_number(0), whole_number(1)};
    int given = 0;
    while (given < 3 && lua_type(L, given + 1) == LUA_TNUMBER)
        given++;
    if (given == 0)
        bind_fail_argument(L, "arange", 1, "a number");
    for (int i = 0; i < given; i++)
        bind_to_scalar(L, i + 1, &part[given == 1 ? 1 : i]);
    bool whole = true;
    for (int i = 0; i < 3; i++)
        whole &= part[i].category == CATEGORY_INTEGER;
    int options = given + 1;
    while (options <= 3 && lua_isnil(L, options))
        options++;
    bind_check_options(L, "arange", options, create_options);
    DType dtype = bind_option_dtype(L, "arange", options, whole ? INT64 : FLOAT32);
    /* integers are counted in integers, from parts that lose their fraction, as PyTorch does */
    bool in_integers = whole || !dtype_is_float(dtype);
    whole |= dtype == INT64;
    double start = part[0].d, stop = part[1].d, step = part[2].d;
    double count = ceil((stop - start) / step);
    bool leads = isfinite(start) && isfinite(count) && (count >= 0 || start == stop);
    if (whole) /* exact where doubles are not */
        leads = part[2].i > 0 ? part[0].i <= part[1].i : part[0].i >= part[1].i;
    if (step == 0 || !leads || (in_integers && part[2].i == 0))
        bind_fail(L, "arange: expected a step that leads from %f to %f, got %f", start, stop, step);
    if (count > 0x1p53)
        bind_fail(L, "arange: the sizes overflow: [%f]", count);
    int64_t n = whole ? count_steps(part[0].i, part[1].i, part[2].i) : (int64_t)count;
    Tensor *t = bind_new_tensor(L, "arange", dtype, 1, &n);
    Range range = {
        .dtype = dtype,
        .n = n,
        .values = tensor_data(t),
        .start = part[0],
        .step = part[2],
        .in_integers = in_integers,
    };
    pool_run(bind_pool(L), arange_piece, &range, size_pieces(n, PIECE));
    bind_option_requires_grad(L, "arange", options, t);
    return 1;
}

/* stores elements i to last - 1, computed in `type`, up to `middle` from the start */
#define LINSPACE(type, store)                                                                      \
    do {                                                                                           \
        type a = (type)r->start.d, b = (type)r->stop, step = n > 1 ? (b - a) / (type)(n - 1) : 0;  \
        for (; i < middle; i++)                                                                    \
            store(type, a + (type)i * step);                                                       \
        for (; i < last; i++)                                                                      \
            store(type, b - (type)(n - 1 - i) * step);                                             \
    } while (0)
#define STORE(type, value) ((type *)values)[i] = value
#define STORE_CONVERTED(type, value)                                                               \
    dtype_store(r->dtype, (char *)values + i * dtype_size(r->dtype),                               \
                (Scalar){CATEGORY_FLOAT, dtype_truncate(value), value})

VECTORISED static void linspace_piece(void *context, int64_t piece)
{
    const Range *r = context;
    void *values = r->values;
    int64_t n = r->n, half = n == 1 ? 1 : n / 2;
    int64_t i = piece * PIECE, last = size_min(i + PIECE, n);
    int64_t middle = size_max(i, size_min(half, last));
    if (r->dtype == FLOAT32)
        LINSPACE(float, STORE);
    else if (r->dtype == FLOAT64)
        LINSPACE(double, STORE);
    else
        LINSPACE(double, STORE_CONVERTED);
}

/* linspace(start, stop, n, options): n values, both ends included;
 * the second half is counted from the end */
static int core_linspace(lua_State *L)
{
    double start = bind_number(L, "linspace", 1, "a number"),
           stop = bind_number(L, "linspace", 2, "a number");
    int64_t n = bind_integer(L, "linspace", 3, "a number of values");
    bind_check_options(L, "linspace", 4, create_options);
    DType dtype = bind_option_dtype(L, "linspace", 4, FLOAT32);
    Tensor *t = bind_new_tensor(L, "linspace", dtype, 1, &n);
    Range range = {
        .dtype = dtype,
        .n = n,
        .values = tensor_data(t),
        .start = {.d = start},
        .stop = stop,
    };
    pool_run(bind_pool(L), linspace_piece, &range, size_pieces(n, PIECE));
    bind_option_requires_grad(L, "linspace", 4, t);
    return 1;
}

/* the sum of i from 1 to n, where each i counts at most `most`; of differences only the last bits are
 * looked at */
static uint64_t sum_to(int64_t n, int64_t most)
{
    uint64_t low = (uint64_t)size_max(size_min(n, most), 0);
    uint64_t sum = low % 2 == 0 ? low / 2 * (low + 1) : (low + 1) / 2 * low;
    return n > most ? sum + (uint64_t)(n - most) * (uint64_t)most : sum;
}

/* f(rows, columns, offset): rows and columns, from 1, of the elements whose column is at most
 * row + offset, or at least that; -rows <= offset <= columns */
static int triangle_indices(lua_State *L, const char *f, bool is_upper)
{
    int64_t rows = bind_integer(L, f, 1, "a size"), columns = bind_integer(L, f, 2, "a size"),
            offset = bind_integer(L, f, 3, "an offset"), start = offset - is_upper;
    int64_t below = (int64_t)(sum_to(rows + start, columns) - sum_to(start, columns));
    int64_t shape[2] = {2, is_upper ? rows * columns - below : below};
    int64_t *row = (int64_t *)tensor_data(bind_new_tensor(L, f, INT64, 2, shape));
    int64_t *column = row + shape[1];
    int64_t begin = is_upper ? 1 : size_max(1 - offset, 1);
    int64_t end = is_upper ? size_min(columns - offset, rows) : rows;
    for (int64_t i = begin; i <= end && shape[1] > 0; i++) {
        int64_t first = is_upper ? size_max(i + offset, 1) : 1;
        int64_t last = is_upper ? columns : size_min(i + offset, columns);
        for (int64_t j = first; j <= last; j++) {
            *row++ = i;
            *column++ = j;
        }
    }
    return 1;
}

static int core_tril_indices(lua_State *L)
{
    return triangle_indices(L, "tril_indices", false);
}

static int core_triu_indices(lua_State *L)
{
    return triangle_indices(L, "triu_indices", true);
}

static const luaL_Reg create_functions[] = {
    {"tensor", core_tensor},
    {"empty", core_empty},
    {"zeros", core_zeros},
    {"ones", core_ones},
    {"full", core_full},
    {"eye", core_eye},
    {"arange", core_arange},
    {"linspace", core_linspace},
    {"tril_indices", core_tril_indices},
    {"triu_indices", core_triu_indices},
    {NULL, NULL},
};

void bind_open_create(lua_State *L)
{
    bind_register_unrecorded(L, create_functions);
}
