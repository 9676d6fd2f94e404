/*
 * bind_linalg_factor.c - decompositions and solvers
 *
 * What lua/wrun/linalg.lua builds on. Each function takes matrices or batches of them, and as its
 * last argument the name that errors speak of. A function with several differentiable results
 * returns them in one flat tensor, one after another, each column by column: [batch..., columns,
 * rows].
 */
#include <string.h>

#include "bind/bind_check.h"
#include "bind/bind_result.h"
#include "bind/open.h"
#include "kernels/elementwise.h"
#include "kernels/linalg_factor.h"

/* ---- arguments ---- */

/* Refuses matrices, argument `index`, for which LAPACK cannot count m rows and n columns. */
static void check_fits(lua_State *L, const char *f, int index, const View *v, int64_t m, int64_t n)
{
    Reason reason = factor_fits(m, n);
    if (reason)
        bind_fail(L, "%s: argument %d: %s, got %s", f, index, reason,
                  bind_shape_text(L, v->ndim, v->shape));
}

/* the matrices of argument `index` */
static View read_matrices(lua_State *L, const char *f, int index)
{
    Tensor *t = bind_tensor(L, f, index);
    View v;
    bind_check_float(L, f, index, t);
    if (t->ndim < 2)
        bind_fail_argument(L, f, index, "a matrix or a batch of matrices");
    tensor_view(t, &v);
    check_fits(L, f, index, &v, v.shape[v.ndim - 2], v.shape[v.ndim - 1]);
    return v;
}

static View read_square(lua_State *L, const char *f, int index)
{
    View v = read_matrices(L, f, index);
    if (v.shape[v.ndim - 2] != v.shape[v.ndim - 1])
        bind_fail_argument(L, f, index, "a square matrix or a batch of such");
    return v;
}

/* the right sides that go with the matrices a: as many rows, in the same batch */
static View read_right_sides(lua_State *L, const char *f, const View *a)
{
    View b = read_matrices(L, f, 2);
    if (b.dtype != a->dtype)
        bind_fail(L, "%s: argument 2: expected a %s tensor, as argument 1 is, got %s", f,
                  dtype_info[a->dtype].name, bind_describe(L, 2));
    bool fits = b.shape[b.ndim - 2] == a->shape[a->ndim - 2];
    if (!fits || !shape_equal(a->ndim - 2, a->shape, b.ndim - 2, b.shape)) {
        const char *left = bind_shape_text(L, a->ndim, a->shape);
        bind_fail(L, "%s: argument 2: expected %I rows to match %s, got %s", f,
                  (LUAI_UACINT)a->shape[a->ndim - 2], left, bind_shape_text(L, b.ndim, b.shape));
    }
    check_fits(L, f, 2, &b, size_max(b.shape[b.ndim - 2], a->shape[a->ndim - 1]),
               b.shape[b.ndim - 1]);
    return b;
}

/* Cuts the arguments to `last`, which is the name that errors speak of, or nil for `usual`. */
static const char *read_name(lua_State *L, int last, const char *usual)
{
    lua_settop(L, last);
    return lua_isnil(L, last) ? usual : bind_string(L, usual, last, "a name");
}

/* ---- the work ---- */

static int64_t count_batches(const View *v)
{
    int64_t batches = 1;
    for (int d = 0; d < v->ndim - 2; d++)
        batches *= v->shape[d];
    return batches;
}

static Factor new_factor(FactorKind kind, const View *a)
{
    return (Factor){
        .kind = kind,
        .dtype = a->dtype,
        .batches = count_batches(a),
        .m = a->shape[a->ndim - 2],
        .n = a->shape[a->ndim - 1],
    };
}

/* Pushes a copy of v column by column, and makes it array i of the factor. */
static void push_columns(lua_State *L, const char *f, View v, Factor *factor, int i)
{
    view_swap(&v, v.ndim - 2, v.ndim - 1);
    factor->x[i] = tensor_data(bind_new_copy(L, f, &v, v.dtype));
    factor->step[i] = v.shape[v.ndim - 2] * v.shape[v.ndim - 1];
}

/* Pushes a new tensor with the batch dimensions of a, and makes it array i: a number a matrix, or
 * a row if `n` is not negative. */
static void push_rows(lua_State *L, const char *f, const View *a, DType dtype, int64_t n,
                      Factor *factor, int i)
{
    int64_t shape[MAX_RANK];
    int ndim = a->ndim - 2;
    memcpy(shape, a->shape, (size_t)ndim * sizeof *shape);
    if (n >= 0)
        shape[ndim++] = n;
    factor->x[i] = tensor_data(bind_new_tensor(L, f, dtype, ndim, shape));
    factor->step[i] = n >= 0 ? n : 1;
}

/* Pushes a flat tensor that holds arrays 1..count one after another, step[i] elements a matrix. */
static void push_flat(lua_State *L, const char *f, Factor *factor, int count)
{
    int64_t total = 0, size = dtype_size(factor->dtype);
    for (int i = 1; i <= count; i++)
        total += factor->step[i] * factor->batches;
    char *next = tensor_data(bind_new_tensor(L, f, factor->dtype, 1, &total));
    for (int i = 1; i <= count; i++) {
        factor->x[i] = next;
        next += factor->step[i] * factor->batches * size;
    }
}

static void run(lua_State *L, const char *f, Factor *factor)
{
    int64_t at = 0;
    factor->blas = bind_blas(L, f);
    Reason reason =
        factor_run(factor, lua_newuserdatauv(L, (size_t)factor_scratch_size(factor), 0), &at);
    if (reason && factor->batches == 1)
        bind_fail(L, "%s: argument 1: the matrix %s", f, reason);
    if (reason)
        bind_fail(L, "%s: argument 1: matrix %I of the batch %s", f, (LUAI_UACINT)(at + 1), reason);
    pool_check(bind_pool(L));
    lua_pop(L, 1);
}

/* Pushes what is at `index` column by column as the matrices themselves, of `rows` rows. */
static int push_result(lua_State *L, int index, int64_t rows)
{
    View v;
    tensor_view(lua_touserdata(L, index), &v);
    view_swap(&v, v.ndim - 2, v.ndim - 1);
    v.shape[v.ndim - 2] = rows;
    bind_new_view(L, index, &v)->is_view = false;
    return 1;
}

/* ---- the functions ---- */

/* _cholesky(a, upper, name): a[..., n, n] -> its factor. As a is symmetric it needs no turning, but
 * what LAPACK sees as its upper triangle is the lower one. */
static int core_cholesky(lua_State *L)
{
    const char *f = read_name(L, 3, "cholesky");
    View a = read_square(L, f, 1);
    Factor factor = new_factor(FACTOR_CHOLESKY, &a);
    factor.upper = !lua_toboolean(L, 2);
    factor.x[0] = tensor_data(bind_new_copy(L, f, &a, a.dtype));
    factor.step[0] = factor.n * factor.n;
    run(L, f, &factor);
    return 1;
}

/* the x of a x = b, where `kind` is what a needs */
static int solve(lua_State *L, const char *f, FactorKind kind, bool is_upper, bool is_unit)
{
    View a = read_square(L, f, 1), b = read_right_sides(L, f, &a);
    Factor factor = new_factor(kind, &a);
    factor.k = b.shape[b.ndim - 1];
    factor.upper = is_upper;
    factor.unit = is_unit;
    push_columns(L, f, a, &factor, 0);
    push_columns(L, f, b, &factor, 1);
    run(L, f, &factor);
    return push_result(L, -1, factor.n);
}

/* _solve(a, b, name): a[..., n, n], b[..., n, k] -> a^-1 b */
static int core_solve(lua_State *L)
{
    return solve(L, read_name(L, 3, "solve"), FACTOR_SOLVE, false, false);
}

/* _solve_triangular(a, b, upper, unitriangular, name): the same for triangular a */
static int core_solve_triangular(lua_State *L)
{
    const char *f = read_name(L, 5, "solve_triangular");
    return solve(L, f, FACTOR_SOLVE_TRIANGULAR, lua_toboolean(L, 3), lua_toboolean(L, 4));
}

/* _lstsq(a, b, rcond): a[..., m, n], b[..., m, k]
 * -> x[..., n, k] of least |a x - b|, then |x|; and the ranks [...] */
static int core_lstsq(lua_State *L)
{
    static const char f[] = "lstsq";
    lua_settop(L, 3);
    View a = read_matrices(L, f, 1), b = read_right_sides(L, f, &a);
    Factor factor = new_factor(FACTOR_LEAST_SQUARES, &a);
    factor.k = b.shape[b.ndim - 1];
    factor.rtol = bind_number(L, f, 3, "a number");
    push_columns(L, f, a, &factor, 0);
    int64_t shape[MAX_RANK], longest = size_max(factor.m, factor.n);
    memcpy(shape, b.shape, (size_t)b.ndim * sizeof *shape);
    shape[b.ndim - 2] = factor.k;
    shape[b.ndim - 1] = longest;
    View x;
    tensor_view(bind_new_tensor(L, f, b.dtype, b.ndim, shape), &x);
    memset(x.data, 0, (size_t)(view_numel(&x) * dtype_size(x.dtype)));
    factor.x[1] = x.data;
    factor.step[1] = factor.k * longest;
    Operand right = {.is_scalar = false, .view = b};
    view_swap(&right.view, b.ndim - 2, b.ndim - 1);
    x.shape[b.ndim - 1] = factor.m;
    elementwise_copy(bind_pool(L), &x, &right);
    push_rows(L, f, &a, INT64, -1, &factor, 2);
    run(L, f, &factor);
    push_result(L, -2, factor.n);
    lua_insert(L, -2);
    return 2;
}

/* _pinv(a, atol, rtol): a[..., m, n] -> its pseudo-inverse [..., n, m] */
static int core_pinv(lua_State *L)
{
    static const char f[] = "pinv";
    lua_settop(L, 3);
    View a = read_matrices(L, f, 1);
    Factor factor = new_factor(FACTOR_PSEUDO_INVERSE, &a);
    factor.atol = bind_number(L, f, 2, "a number");
    factor.rtol = bind_number(L, f, 3, "a number");
    push_columns(L, f, a, &factor, 0);
    View result;
    tensor_view(bind_new_tensor(L, f, a.dtype, a.ndim, a.shape), &result);
    factor.x[1] = result.data;
    factor.step[1] = factor.m * factor.n;
    run(L, f, &factor);
    return push_result(L, -1, factor.n);
}

static int push_determinant(lua_State *L, const char *f, FactorKind kind)
{
    lua_settop(L, 1);
    View a = read_square(L, f, 1);
    Factor factor = new_factor(kind, &a);
    push_columns(L, f, a, &factor, 0);
    push_rows(L, f, &a, a.dtype, -1, &factor, 1);
    if (kind == FACTOR_LOG_DETERMINANT)
        push_rows(L, f, &a, a.dtype, -1, &factor, 2);
    run(L, f, &factor);
    return kind == FACTOR_LOG_DETERMINANT ? 2 : 1;
}

/* det(a): a[..., n, n] -> [...] */
static int core_det(lua_State *L)
{
    return push_determinant(L, "det", FACTOR_DETERMINANT);
}

/* _logabsdet(a): a[..., n, n] -> log |det a| [...], the sign of det a [...] */
static int core_logabsdet(lua_State *L)
{
    return push_determinant(L, "slogdet", FACTOR_LOG_DETERMINANT);
}

/* _qr(a, mode): a[..., m, n] -> q[m, k], r[k, n]; k is m if mode is "complete", else
 * min(m, n); no q if mode is "r" */
static int core_qr(lua_State *L)
{
    static const char f[] = "qr";
    lua_settop(L, 2);
    View a = read_matrices(L, f, 1);
    const char *mode = lua_isnil(L, 2) ? "reduced" : bind_string(L, f, 2, "a mode");
    Factor factor = new_factor(FACTOR_QR, &a);
    bool is_complete = strcmp(mode, "complete") == 0;
    if (is_complete)
        check_fits(L, f, 1, &a, factor.m, factor.m);
    factor.k = is_complete ? factor.m : size_min(factor.m, factor.n);
    factor.vectors = strcmp(mode, "r") != 0;
    push_columns(L, f, a, &factor, 0);
    factor.step[1] = factor.vectors ? factor.m * factor.k : 0;
    factor.step[2] = factor.k * factor.n;
    push_flat(L, f, &factor, 2);
    run(L, f, &factor);
    return 1;
}

/* _svd(a, full, name): a[..., m, n] -> u[m, k], s[min(m, n)], v[l, n] transposed; k = m and
 * l = n if full, else min(m, n) */
static int core_svd(lua_State *L)
{
    const char *f = read_name(L, 3, "svd");
    View a = read_matrices(L, f, 1);
    Factor factor = new_factor(FACTOR_SINGULAR, &a);
    int64_t least = size_min(factor.m, factor.n);
    bool is_full = lua_toboolean(L, 2);
    int64_t longest = size_max(factor.m, factor.n);
    if (is_full)
        check_fits(L, f, 1, &a, longest, longest);
    factor.vectors = true;
    factor.k = is_full ? factor.m : least;
    factor.l = is_full ? factor.n : least;
    push_columns(L, f, a, &factor, 0);
    factor.step[1] = factor.m * factor.k;
    factor.step[2] = least;
    factor.step[3] = factor.l * factor.n;
    push_flat(L, f, &factor, 3);
    run(L, f, &factor);
    return 1;
}

/* _svdvals(a, name): a[..., m, n] -> its singular values [..., min(m, n)], the largest first */
static int core_svdvals(lua_State *L)
{
    const char *f = read_name(L, 2, "svdvals");
    View a = read_matrices(L, f, 1);
    Factor factor = new_factor(FACTOR_SINGULAR, &a);
    push_columns(L, f, a, &factor, 0);
    push_rows(L, f, &a, a.dtype, size_min(factor.m, factor.n), &factor, 2);
    run(L, f, &factor);
    return 1;
}

/* _eigh(a, upper, name): symmetric a[..., n, n] -> its eigenvalues [n], the smallest first,
 * and vectors [n, n] */
static int core_eigh(lua_State *L)
{
    const char *f = read_name(L, 3, "eigh");
    View a = read_square(L, f, 1);
    Factor factor = new_factor(FACTOR_EIGEN, &a);
    factor.vectors = true;
    factor.upper = lua_toboolean(L, 2);
    factor.step[1] = factor.n;
    factor.step[2] = factor.n * factor.n;
    push_flat(L, f, &factor, 2);
    Operand source = {.is_scalar = false, .view = a};
    View vectors = {.dtype = a.dtype, .ndim = a.ndim, .data = factor.x[2]};
    memcpy(vectors.shape, a.shape, (size_t)a.ndim * sizeof *a.shape);
    shape_strides(a.ndim, a.shape, vectors.stride);
    view_swap(&source.view, a.ndim - 2, a.ndim - 1);
    elementwise_copy(bind_pool(L), &vectors, &source);
    factor.x[0] = factor.x[2];
    factor.step[0] = factor.step[2];
    run(L, f, &factor);
    return 1;
}

/* _eigvalsh(a, upper, name): its eigenvalues alone */
static int core_eigvalsh(lua_State *L)
{
    const char *f = read_name(L, 3, "eigvalsh");
    View a = read_square(L, f, 1);
    Factor factor = new_factor(FACTOR_EIGEN, &a);
    factor.upper = lua_toboolean(L, 2);
    push_columns(L, f, a, &factor, 0);
    push_rows(L, f, &a, a.dtype, factor.n, &factor, 1);
    run(L, f, &factor);
    return 1;
}

static const luaL_Reg factor_functions[] = {
    {"_eigh", core_eigh},
    {"_logabsdet", core_logabsdet},
    {"_qr", core_qr},
    {"_svd", core_svd},
    {"_cholesky", core_cholesky},
    {"_eigvalsh", core_eigvalsh},
    {"_lstsq", core_lstsq},
    {"_pinv", core_pinv},
    {"_solve", core_solve},
    {"_solve_triangular", core_solve_triangular},
    {"_svdvals", core_svdvals},
    {"det", core_det},
    {NULL, NULL},
};

void bind_open_linalg_factor(lua_State *L)
{
    bind_register_unrecorded(L, factor_functions);
}
