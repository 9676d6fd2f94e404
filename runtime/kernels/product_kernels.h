/*
 * product_kernels.h - products of matrices for one float type and vector unit; included by product.c
 *
 * Before the include: TARGET is the unit, BYTES its width, ROWS how many rows of sums its registers
 * hold, two vectors each, and ROW_CASES(CASE) is CASE(1) to CASE(ROWS); T is the type, INDEX an
 * integer of its size, NAME(x) pastes a suffix, MULTIPLY_ADD(x, v, sum) is x v + sum, rounded once.
 * What depends on the type is undefined at the end. There is no
 * guard: it is meant to be read several times.
 */

typedef T NAME(Vector) __attribute__((vector_size(BYTES)));
typedef T NAME(Loose) __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));
typedef INDEX NAME(Lanes) __attribute__((vector_size(BYTES)));

enum {
    NAME(LANES) = BYTES / sizeof(T),
    NAME(COLUMNS) = 2 * NAME(LANES), /* of a panel of b */
    /* what a row of a panel of a takes, and how many panels are packed at once */
    NAME(WIDTH) = (ROWS + NAME(LANES) - 1) / NAME(LANES) * NAME(LANES),
    NAME(PANELS) = PACKED_BYTES / (BLOCK * NAME(WIDTH) * sizeof(T)),
    NAME(MOST_ROWS) = NAME(PANELS) * ROWS,
};

/* Where the parts lie of a[rows, k] b[k, columns]: of one step of k side by side, with so much to
 * the next; and start and c. */
typedef struct {
    const T *a, *b, *start;
    T *c;
    int64_t a_step, b_step, start_row, c_row;
    int64_t k;
    T scale;
    bool is_far; /* is c not in the cache? */
} NAME(Part);

/* c = start + scale a b for so many rows, and vectors of columns */
INLINED TARGETED void NAME(multiply)(const NAME(Part) * p, int rows, int vectors)
{
    NAME(Vector) sum[ROWS][2], columns[2];
    if (p->is_far) /* then it comes while the sums are formed */
        for (int i = 0; i < rows; i++)
            for (int v = 0; v < vectors; v++)
                __builtin_prefetch(p->c + i * p->c_row + v * NAME(LANES), 1);
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++)
            sum[i][v] = (NAME(Vector)){0};
    const T *a = p->a, *b = p->b, *start = p->start;
    for (int64_t l = 0; l < p->k; l++, a += p->a_step, b += p->b_step) {
        for (int v = 0; v < vectors; v++)
            columns[v] = *(const NAME(Loose) *)(b + v * NAME(LANES));
#pragma GCC unroll 14
        for (int i = 0; i < rows; i++)
            for (int v = 0; v < vectors; v++)
                sum[i][v] = MULTIPLY_ADD(a[i], columns[v], sum[i][v]);
    }
    T *c = p->c, scale = p->scale;
    int64_t c_row = p->c_row, start_row = p->start_row;
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++, c += c_row, start += start_row)
        for (int v = 0; v < vectors; v++)
            *(NAME(Loose) *)(c + v * NAME(LANES)) =
                MULTIPLY_ADD(scale, sum[i][v], *(const NAME(Loose) *)(start + v * NAME(LANES)));
}

/* not inlined: what surrounds it would take registers from the sums */
__attribute__((noinline, noclone)) TARGETED static void NAME(multiply_rows)(const NAME(Part) * p,
                                                                            int rows, bool both)
{
    switch (rows) {
#define CASE(number)                                                                               \
    case number:                                                                                   \
        if (both)                                                                                  \
            NAME(multiply)(p, number, 2);                                                          \
        else                                                                                       \
            NAME(multiply)(p, number, 1);                                                          \
        break;
        ROW_CASES(CASE)
#undef CASE
    }
}

/* out[l, width] = in[l, width] */
TARGETED static void NAME(copy)(const T *in, int64_t in_row, int64_t k, int64_t width, T *out,
                                int64_t out_row)
{
    if (width == NAME(COLUMNS))
        for (int64_t l = 0; l < k; l++)
            memcpy(out + l * out_row, in + l * in_row, NAME(COLUMNS) * sizeof(T));
    else
        for (int64_t l = 0; l < k; l++)
            memcpy(out + l * out_row, in + l * in_row, (size_t)width * sizeof(T));
}

/* out[l, i] = in[i, l] of LANES rows and columns; where there are fewer rows, the last is repeated.
 * Each round exchanges the elements that lie off the diagonal of squares, twice as large each time. */
INLINED TARGETED void NAME(turn)(const T *in, int64_t in_row, int64_t rows, T *out, int64_t out_row)
{
    NAME(Vector) x[NAME(LANES)];
    NAME(Lanes) lane = {0};
    for (int i = 0; i < NAME(LANES); i++)
        lane[i] = i;
#pragma GCC unroll 16
    for (int i = 0; i < NAME(LANES); i++)
        x[i] = *(const NAME(Loose) *)(in + size_min(i, rows - 1) * in_row);
#pragma GCC unroll 4
    for (int half = 1; half < NAME(LANES); half *= 2) {
        NAME(Lanes) other = ((lane & half) != 0) * (half - NAME(LANES));
#pragma GCC unroll 16
        for (int i = 0; i < NAME(LANES); i++)
            if (!(i & half)) {
                NAME(Vector) upper = x[i], lower = x[i + half];
                x[i] = __builtin_shuffle(upper, lower, lane + other);
                x[i + half] = __builtin_shuffle(upper, lower, lane + half + other);
            }
    }
#pragma GCC unroll 16
    for (int l = 0; l < NAME(LANES); l++)
        *(NAME(Loose) *)(out + l * out_row) = x[l];
}

/* out[l, width] = in[width, l], and what is written to the right of it is not read */
__attribute__((noinline)) TARGETED static void
NAME(transpose)(const T *in, int64_t in_row, int64_t k, int64_t width, T *out, int64_t out_row)
{
    for (int64_t i = 0; i < width; i += NAME(LANES)) {
        int64_t rows = size_min(NAME(LANES), width - i), l = 0;
        const T *row = in + i * in_row;
        for (; l + NAME(LANES) <= k; l += NAME(LANES))
            NAME(turn)(row + l, in_row, rows, out + l * out_row + i, out_row);
        for (; l < k; l++)
            for (int64_t r = 0; r < NAME(LANES); r++)
                out[l * out_row + i + r] = row[size_min(r, rows - 1) * in_row + l];
    }
}

/* rows i to i + rows and columns j to j + width, where width does not fill vectors */
TARGETED static void NAME(multiply_edge)(const NAME(Part) * p, int rows, int64_t width)
{
    T edge[ROWS * NAME(COLUMNS)];
    NAME(Part) part = *p;
    size_t size = (size_t)width * sizeof(T);
    part.start = part.c = edge;
    part.start_row = part.c_row = NAME(COLUMNS);
    for (int i = 0; i < rows; i++)
        memcpy(edge + i * NAME(COLUMNS), p->start + i * p->start_row, size);
    NAME(multiply_rows)(&part, rows, width > NAME(LANES));
    for (int i = 0; i < rows; i++)
        memcpy(p->c + i * p->c_row, edge + i * NAME(COLUMNS), size);
}

/* rows `first` to `last`, at most MOST_ROWS */
TARGETED static void NAME(multiply_block)(const MatrixProduct *p, int64_t first, int64_t last)
{
    static const T nothing[NAME(COLUMNS)];
    _Alignas(64) T packed_a[NAME(MOST_ROWS) / ROWS * NAME(WIDTH) * BLOCK];
    _Alignas(64) T packed_b[BLOCK * NAME(COLUMNS)];
    int64_t m = last - first, panels = size_pieces(m, ROWS);
    bool is_turned = p->a_row != 1;
    bool packs_a = is_turned || p->n > FEW_PANELS * NAME(COLUMNS);
    NAME(Part)
    part = {
        .a_step = is_turned ? NAME(WIDTH)
                  : packs_a ? NAME(MOST_ROWS)
                            : p->a_column,
        .c_row = p->c_row,
        .scale = (T)p->scale,
        .is_far = p->m * p->c_row * (int64_t)sizeof(T) > FAR,
    };
    for (int64_t l = 0; l < p->k; l += BLOCK) {
        part.k = size_min(BLOCK, p->k - l);
        const T *a = (const T *)p->a + first * p->a_row + l * p->a_column;
        const T *b = (const T *)p->b + l * p->b_row;
        const T *start = l > 0 ? p->c : p->start;
        part.start_row = l > 0 ? p->c_row : p->start_row;
        if (is_turned)
            for (int64_t panel = 0; panel < panels; panel++) {
                int64_t i = panel * m / panels, end = (panel + 1) * m / panels;
                NAME(transpose)
                (a + i * p->a_row, p->a_row, part.k, end - i,
                 packed_a + panel * BLOCK * NAME(WIDTH), NAME(WIDTH));
            }
        else if (packs_a)
            NAME(copy)(a, p->a_column, part.k, m, packed_a, NAME(MOST_ROWS));
        for (int64_t j = 0; j < p->n; j += NAME(COLUMNS)) {
            int64_t width = size_min(NAME(COLUMNS), p->n - j);
            bool is_edge = width % NAME(LANES) != 0;
            bool packs_b = p->b_column != 1 || m > FEW_ROWS || is_edge;
            part.b = packs_b ? packed_b : b + j;
            part.b_step = packs_b ? NAME(COLUMNS) : p->b_row;
            if (p->b_column != 1) {
                NAME(transpose)
                (b + j * p->b_column, p->b_column, part.k, width, packed_b, NAME(COLUMNS));
            } else if (packs_b) {
                if (is_edge)
                    memset(packed_b, 0, (size_t)part.k * NAME(COLUMNS) * sizeof(T));
                NAME(copy)(b + j, p->b_row, part.k, width, packed_b, NAME(COLUMNS));
            }
            for (int64_t panel = 0; panel < panels; panel++) {
                int64_t i = panel * m / panels, end = (panel + 1) * m / panels;
                part.a = is_turned ? packed_a + panel * BLOCK * NAME(WIDTH)
                         : packs_a ? packed_a + i
                                   : a + i;
                part.c = (T *)p->c + (first + i) * p->c_row + j;
                part.start = start ? start + (first + i) * part.start_row + j : nothing;
                if (is_edge)
                    NAME(multiply_edge)(&part, (int)(end - i), width);
                else
                    NAME(multiply_rows)(&part, (int)(end - i), width > NAME(LANES));
            }
        }
    }
}

/* element by element */
TARGETED static void NAME(multiply_few)(const MatrixProduct *p)
{
    const T *a = p->a, *start = p->start;
    T *c = p->c;
    for (int64_t i = 0; i < p->m; i++, a += p->a_row, c += p->c_row) {
        const T *b = p->b;
        for (int64_t j = 0; j < p->n; j++, b += p->b_column) {
            T sum = 0;
            for (int64_t l = 0; l < p->k; l++)
                sum = FUSED(T)(a[l * p->a_column], b[l * p->b_row], sum);
            c[j] = FUSED(T)((T)p->scale, sum, start ? start[i * p->start_row + j] : 0);
        }
    }
}

TARGETED static void NAME(product)(const MatrixProduct *p)
{
    if (p->k <= BLOCK && p->m * p->n * p->k <= FEW_PRODUCTS) {
        NAME(multiply_few)(p);
        return;
    }
    int64_t blocks = size_pieces(p->m, NAME(MOST_ROWS));
    for (int64_t block = 0; block < blocks; block++)
        NAME(multiply_block)(p, block * p->m / blocks, (block + 1) * p->m / blocks);
}

#undef T
#undef INDEX
#undef NAME
#undef MULTIPLY_ADD
