/*
 * linalg.c - products; see linalg.h
 *
 * Row-major C = A B is what cblas computes; a transposed operand is one whose rows, not columns,
 * lie at stride 1. BLAS's cut depends on the sizes alone, so results do not depend on the threads;
 * product.h's depend on no cut. Products with a vector, which would be packed like matrices, are sums
 * in double.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "kernels/linalg.h"
#include "kernels/openblas.h"
#include "kernels/portable.h"
#include "kernels/product.h"

enum {
    WORTH_CUTTING = 2000000, /* operations below which a second thread costs more than it gains */
    GRAIN = 16000000,        /* operations a tile */
    MOST_TILES = 1024,
    STEP = 32,              /* tiles begin at multiples of it, as products work in blocks */
    TILE = 65536,           /* elements of c for which a tile's packing is little work, */
    TURNED_TILE = 4 * TILE, /* or where columns of a are packed, too */
    SEVERAL = 8,            /* tiles that BLAS may have though they are smaller */
    LANES = 32,             /* running sums of a product with a vector */
    TOGETHER = 16,          /* rows of at most so many elements that are summed side by side */
    STRIP = 256,            /* its results that are found side by side */
    PIECE = 16384,          /* multiplications that are worth a thread's while */
    FEW = 16,               /* results so few that each is summed in blocks, and the most blocks */
};

static int64_t round_to_step(int64_t size)
{
    return (size + STEP - 1) / STEP * STEP;
}

size_t linalg_blas_size(void)
{
    return sizeof(OpenBlas);
}

static const Reason no_room = "not enough memory for the 128 MB that OpenBLAS works in";

/* Could so many work areas be taken now? */
static bool has_room(int areas)
{
    const size_t AREA = (size_t)128 << 20;
    size_t size = (size_t)areas * AREA;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    munmap(memory, size);
    return true;
}

Reason linalg_reserve(OpenBlas *blas, Pool *pool)
{
    void *taken[MAX_THREADS];
    int wanted = pool_usable(pool);
    if (wanted <= blas->areas)
        return NULL;
    if (blas->areas ==
        0) { /* asked before, too: some libraries end the process where they get none */
        Reason reason = has_room(1) ? openblas_load(blas) : no_room;
        if (reason || !has_room(1))
            return reason ? reason : no_room;
    }
    while (wanted > size_max(blas->areas, 1) && !has_room(2 * (wanted - blas->areas)))
        wanted--;
    for (int i = 0; i < wanted; i++)
        taken[i] = blas->blas_memory_alloc(0);
    for (int i = 0; i < wanted; i++)
        blas->blas_memory_free(taken[i]);
    blas->areas = wanted;
    if (wanted < pool_usable(pool))
        pool_limit(pool, wanted);
    return NULL;
}

void linalg_describe(char *text, size_t size)
{
    static const char *const builds[] = {"serial", "pthreads", "OpenMP"};
    OpenBlas blas;
    Reason reason = openblas_load(&blas);
    if (reason) {
        snprintf(text, size, "no OpenBLAS: %s", reason);
        return;
    }
    const char *config = blas.openblas_get_config();
    int words = (int)strcspn(config, " ");
    words += (int)strcspn(config + words + 1, " ") + 1;
    int build = blas.openblas_get_parallel();
    snprintf(text, size, "%.*s, core %s, %s", words, config, blas.openblas_get_corename(),
             build >= 0 && build <= 2 ? builds[build] : "unknown");
}

/* one matrix as BLAS wants it */
typedef struct {
    const char *data;
    CBLAS_TRANSPOSE transpose;
    blasint ld;
    int64_t row_step, column_step;
} Matrix;

static bool fits_blas(int64_t n)
{
    return n >= 0 && n <= INT_MAX;
}

bool linalg_is_ready(const View *v)
{
    int64_t rows = v->shape[v->ndim - 2], columns = v->shape[v->ndim - 1];
    int64_t row_step = v->stride[v->ndim - 2], column_step = v->stride[v->ndim - 1];
    if (!dtype_is_float(v->dtype))
        return true;
    if (rows == 1 || columns == 1)
        return (rows == 1 || row_step == 1) && (columns == 1 || column_step == 1);
    bool by_rows = column_step == 1 && row_step >= size_max(columns, 1);
    bool by_columns = row_step == 1 && column_step >= size_max(rows, 1);
    return fits_blas(row_step) && fits_blas(column_step) && (by_rows || by_columns);
}

static Matrix read_matrix(const View *v, const char *data)
{
    int64_t rows = v->shape[v->ndim - 2], columns = v->shape[v->ndim - 1];
    int64_t row_step = v->stride[v->ndim - 2], column_step = v->stride[v->ndim - 1];
    bool by_rows =
        (column_step == 1 || columns == 1) && (row_step >= size_max(columns, 1) || rows == 1);
    int64_t ld = by_rows ? (rows == 1 ? size_max(columns, 1) : row_step)
                         : (columns == 1 ? size_max(rows, 1) : column_step);
    return (Matrix){
        .data = data,
        .transpose = by_rows ? CblasNoTrans : CblasTrans,
        .ld = (blasint)ld,
        .row_step = by_rows ? ld : 1,
        .column_step = by_rows ? 1 : ld,
    };
}

typedef struct {
    const OpenBlas *blas;
    DType dtype;
    Matrix a, b;
    char *c;
    int64_t m, n, k;
    int64_t tile_m, tile_n, tiles_n;
    double scale;
    bool accumulate;
    const char *bias; /* what each row of c begins with, or NULL */
} Product;

/* c[n] = scale times the products of matrix and vector[k], plus start if there is one. Of the
 * matrix, the elements of one sum or those of neighbouring sums lie side by side; both are taken in
 * strips of results, and where these are few in blocks of the sum, which are added in order. */
typedef struct {
    const void *matrix, *vector, *start;
    void *c;
    int64_t n, k;
    int64_t step, sum_step; /* in the matrix from sum to sum, and within one */
    int64_t start_step;
    double scale;
    int64_t together, block; /* results, or elements of all sums, that a piece of work has */
    double (*part)[FEW];     /* the blocks' sums, where there are several */
} VectorProduct;

#define KERNELS "kernels/linalg_kernels.h"
#include "kernels/each_float.h"

bool linalg_needs_blas(void)
{
    return !portable_products();
}

/* rows of a tile's columns, from j on, become the bias */
static void start_rows(const Product *p, void *c, int64_t m, int64_t n, int64_t j)
{
    int64_t size = dtype_size(p->dtype);
    for (int64_t i = 0; i < m; i++)
        memcpy((char *)c + i * p->n * size, p->bias + j * size, (size_t)(n * size));
}

static void multiply_tile(void *context, int64_t tile)
{
    const Product *p = context;
    int64_t i = tile / p->tiles_n * p->tile_m, j = tile % p->tiles_n * p->tile_n;
    int64_t m = size_min(p->tile_m, p->m - i), n = size_min(p->tile_n, p->n - j);
    int64_t size = dtype_size(p->dtype);
    const void *a = p->a.data + i * p->a.row_step * size,
               *b = p->b.data + j * p->b.column_step * size;
    void *c = p->c + (i * p->n + j) * size;
    if (p->blas == NULL) {
        product_run(p->dtype, &(MatrixProduct){
                                  .a = a,
                                  .b = b,
                                  .start = p->bias         ? p->bias + j * size
                                           : p->accumulate ? c
                                                           : NULL,
                                  .c = c,
                                  .m = m,
                                  .n = n,
                                  .k = p->k,
                                  .a_row = p->a.row_step,
                                  .a_column = p->a.column_step,
                                  .b_row = p->b.row_step,
                                  .b_column = p->b.column_step,
                                  .start_row = p->accumulate && !p->bias ? p->n : 0,
                                  .c_row = p->n,
                                  .scale = p->scale,
                              });
        return;
    }
    if (p->bias != NULL)
        start_rows(p, c, m, n, j);
    blasint M = (blasint)m, N = (blasint)n, K = (blasint)p->k, ldc = (blasint)size_max(p->n, 1);
    if (p->dtype == FLOAT32)
        p->blas->cblas_sgemm(CblasRowMajor, p->a.transpose, p->b.transpose, M, N, K,
                             (float)p->scale, a, p->a.ld, b, p->b.ld, p->accumulate ? 1.0F : 0.0F,
                             c, ldc);
    else
        p->blas->cblas_dgemm(CblasRowMajor, p->a.transpose, p->b.transpose, M, N, K, p->scale, a,
                             p->a.ld, b, p->b.ld, p->accumulate ? 1.0 : 0.0, c, ldc);
}

/*
 * Cuts c into an even number of tiles of at least GRAIN operations, small ones only as long as there
 * are threads for them, in the grid that packs least: a's rows are packed once for each column of
 * tiles, b's columns once for each row of tiles.
 */
static void cut(const Pool *pool, Product *p)
{
    double work = 2.0 * (double)p->m * (double)p->n * (double)p->k;
    int64_t tiles = 1, rows = 1;
    if (work >= WORTH_CUTTING) {
        int64_t small = p->blas ? SEVERAL : pool_usable(pool);
        int64_t large = p->m * p->n / (p->blas || p->a.row_step != 1 ? TILE : TURNED_TILE);
        int64_t most = size_min(MOST_TILES, size_max(small, large));
        tiles = size_max(2, size_min(most, (int64_t)(work / GRAIN)) / 2 * 2);
    }
    for (int64_t r = 2; r <= tiles; r++)
        if (size_pieces(tiles, r) * p->m + r * p->n < size_pieces(tiles, rows) * p->m + rows * p->n)
            rows = r;
    p->tile_m = round_to_step(size_pieces(p->m, rows));
    p->tile_n = round_to_step(size_pieces(p->n, size_pieces(tiles, rows)));
}

static void multiply_vector(Pool *pool, const Product *p)
{
    bool is_left = p->m > 1 || p->n == 1; /* the matrix */
    const Matrix *matrix = is_left ? &p->a : &p->b;
    double part[FEW][FEW];
    VectorProduct v = {
        .matrix = matrix->data,
        .vector = is_left ? p->b.data : p->a.data,
        .start = p->bias         ? p->bias
                 : p->accumulate ? p->c
                                 : NULL,
        .c = p->c,
        .n = p->m * p->n,
        .k = p->k,
        .step = is_left ? matrix->row_step : matrix->column_step,
        .sum_step = is_left ? matrix->column_step : matrix->row_step,
        .start_step = p->bias && p->n == 1 ? 0 : 1,
        .scale = p->scale,
        .part = part,
    };
    int64_t blocks = v.n <= FEW ? size_max(size_min(v.k / PIECE, FEW), 1) : 1;
    v.block = size_pieces(v.k, blocks);
    v.together = size_max(PIECE / v.k, v.sum_step == 1 ? 1 : STRIP);
    if (p->dtype == FLOAT32)
        multiply_vector_f32(pool, &v);
    else
        multiply_vector_f64(pool, &v);
}

static void multiply_floats(Pool *pool, Product *p)
{
    if (p->m * p->n <= 0)
        return;
    if (p->k == 0) {
        if (p->bias != NULL)
            start_rows(p, p->c, p->m, p->n, 0);
        else if (!p->accumulate)
            memset(p->c, 0, (size_t)(p->m * p->n * dtype_size(p->dtype)));
        return;
    }
    if (p->m == 1 || p->n == 1) {
        multiply_vector(pool, p);
        return;
    }
    cut(pool, p);
    p->tiles_n = size_pieces(p->n, p->tile_n);
    pool_run(pool, multiply_tile, p, size_pieces(p->m, p->tile_m) * p->tiles_n);
}

static void multiply_integers(const Pool *pool, const View *a, const View *b, const char *pa,
                              const char *pb, int64_t *c, int64_t m, int64_t n, int64_t k,
                              bool accumulate)
{
    const int64_t *x = (const int64_t *)(const void *)pa, *y = (const int64_t *)(const void *)pb;
    const int64_t *sa = a->stride + a->ndim - 2, *sb = b->stride + b->ndim - 2;
    for (int64_t i = 0; i < m; i++) {
        pool_check(pool);
        for (int64_t j = 0; j < n; j++) {
            int64_t sum = accumulate ? c[i * n + j] : 0;
            for (int64_t l = 0; l < k; l++)
                sum += x[i * sa[0] + l * sa[1]] * y[l * sb[0] + j * sb[1]];
            c[i * n + j] = sum;
        }
    }
}

void linalg_matmul(const OpenBlas *blas, Pool *pool, double scale, const View *a, const View *b,
                   const View *c, bool accumulate)
{
    int64_t m = a->shape[a->ndim - 2], k = a->shape[a->ndim - 1], n = b->shape[b->ndim - 1];
    int64_t size = dtype_size(c->dtype), batches = 1, index[MAX_RANK] = {0};
    int lead = c->ndim - 2;
    for (int d = 0; d < lead; d++)
        batches *= c->shape[d];
    const char *pa = a->data, *pb = b->data;
    for (int64_t batch = 0; batch < batches; batch++) {
        char *pc = c->data + batch * m * n * size;
        if (dtype_is_float(c->dtype)) {
            Product product = {
                .blas = blas,
                .dtype = c->dtype,
                .a = read_matrix(a, pa),
                .b = read_matrix(b, pb),
                .c = pc,
                .m = m,
                .n = n,
                .k = k,
                .scale = scale,
                .accumulate = accumulate,
            };
            multiply_floats(pool, &product);
        } else {
            multiply_integers(pool, a, b, pa, pb, (int64_t *)(void *)pc, m, n, k, accumulate);
        }
        for (int d = lead - 1; d >= 0; d--) {
            pa += a->stride[d] * size;
            pb += b->stride[d] * size;
            if (++index[d] < c->shape[d])
                break;
            pa -= index[d] * a->stride[d] * size;
            pb -= index[d] * b->stride[d] * size;
            index[d] = 0;
        }
    }
}

void linalg_linear(const OpenBlas *blas, Pool *pool, const View *x, const View *w, const void *bias,
                   const View *y)
{
    Product product = {
        .blas = blas,
        .dtype = y->dtype,
        .a = read_matrix(x, x->data),
        .b = read_matrix(w, w->data),
        .c = y->data,
        .m = x->shape[0],
        .n = w->shape[1],
        .k = x->shape[1],
        .scale = 1,
        .accumulate = bias != NULL,
        .bias = bias,
    };
    multiply_floats(pool, &product);
}
