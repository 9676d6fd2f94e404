/*
 * product_kernels.h - products of matrices for one float type and vector unit; included by product.c
 *
 * Before the include: TARGET is the unit, BYTES its width, ROWS how many rows of sums its registers
 * hold, two vectors each, and ROW_CASES(CASE) is CASE(1) to CASE(ROWS); T is the type, INDEX an
 * integer of its size, NAME(x) pastes a suffix, MULTIPLY_ADD(x, v, sum) is x v + sum, rounded once;
 * FIRST(p, n) is a vector of n elements, then zeros, and PUT_FIRST(p, n, v) writes n of v's; BITS(v)
 * has a bit for each element of a vector of integers: is it not 0?
 * What depends on the type is undefined at the end. There is no guard: it is meant to be read
 * several times.
 */

typedef T NAME(Vector) __attribute__((vector_size(BYTES)));
typedef T NAME(Loose) __attribute__((vector_size(BYTES), aligned(sizeof(T)), may_alias));
typedef INDEX NAME(Lanes) __attribute__((vector_size(BYTES)));

enum {
    NAME(LANES) = BYTES / sizeof(T),
    NAME(COLUMNS) = 2 * NAME(LANES),          /* of a panel of b */
    NAME(LINE) = 64 / sizeof(T),              /* elements of a line of the caches */
    NAME(LOOSE_ROWS) = ROWS < 10 ? ROWS : 10, /* of sums, where the rows of a lie apart */
};

/* Where the parts lie of a[rows, k] b[k, columns], with so much to the next step of k, and from row
 * to row; of b, one step's lie side by side. */
typedef struct {
    const T *a, *b, *start;
    T *c;
    int64_t a_step, b_step;
    int64_t a_row, start_row, c_row;
    const Steps *steps; /* of k */
    const T *next;      /* what is fetched beside the first step, or NULL */
    int64_t next_step;  /* from that to what is fetched beside the second, and so on */
    int64_t last;       /* columns of the last vector */
    T scale;
    bool is_far; /* is c not in the cache? */
} NAME(Part);

/* a vector of n elements, then zeros where they are fewer */
INLINED TARGETED NAME(Vector) NAME(read)(const T *p, int64_t n)
{
    if (n < NAME(LANES))
        return FIRST(p, n);
    return *(const NAME(Loose) *)p;
}

/* a vector of columns of c = start + scale sum */
INLINED TARGETED void NAME(put)(const NAME(Part) * p, NAME(Vector) sum, const T *start, T *c,
                                bool is_last)
{
    if (is_last && p->last < NAME(LANES))
        PUT_FIRST(c, p->last, MULTIPLY_ADD(p->scale, sum, FIRST(start, p->last)));
    else
        *(NAME(Loose) *)c = MULTIPLY_ADD(p->scale, sum, *(const NAME(Loose) *)start);
}

/* c = start + scale a b for so many rows, and vectors of columns. What rows of a have at a step
 * lies side by side, or apart. Then each pair of rows has a register, and the first of all pairs
 * share an index, as do the second: to add up addresses takes longer, and a register for each row is
 * more than there are. What is fetched goes to the second cache. */
INLINED TARGETED void NAME(multiply)(const NAME(Part) * p, int rows, int vectors, bool is_apart,
                                     bool fetches)
{
    NAME(Vector) sum[ROWS][2], columns[2];
    const T *pair[(ROWS + 1) / 2]; /* of rows of a */
    const int64_t a_row = is_apart ? p->a_row : 1, a_step = is_apart ? 1 : p->a_step;
    if (p->is_far) /* then it comes while the sums are formed */
        for (int i = 0; i < rows; i++)
            for (int v = 0; v < vectors; v++)
                __builtin_prefetch(p->c + i * p->c_row + v * NAME(LANES), 1);
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) {
        pair[i / 2] = p->a + i / 2 * 2 * a_row;
        if (is_apart)
            __asm__("" : "+r"(pair[i / 2]));
        for (int v = 0; v < vectors; v++)
            sum[i][v] = (NAME(Vector)){0};
    }
    const uint8_t *step = p->steps->step, *end = step + p->steps->count;
    int64_t b_step = p->b_step;
    const T *fetched = p->next;
    int64_t fetched_step = p->next_step;
    for (; step < end; step++) {
        if (fetches) {
            __builtin_prefetch(fetched, 0, 2);
            fetched += fetched_step;
        }
        int64_t at = *step * a_step, next = at + a_row;
        if (is_apart)
            __asm__("" : "+r"(next));
        const T *b = p->b + *step * b_step;
        for (int v = 0; v < vectors; v++)
            columns[v] = *(const NAME(Loose) *)(b + v * NAME(LANES));
#pragma GCC unroll 14
        for (int i = 0; i < rows; i++)
            for (int v = 0; v < vectors; v++)
                sum[i][v] =
                    MULTIPLY_ADD(pair[i / 2][i % 2 == 0 ? at : next], columns[v], sum[i][v]);
    }
    const T *start = p->start;
    T *c = p->c;
    int64_t c_row = p->c_row, start_row = p->start_row;
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++, c += c_row, start += start_row)
        for (int v = 0; v < vectors; v++) {
            int at = v * NAME(LANES);
            NAME(put)(p, sum[i][v] + 0, start + at, c + at, v == vectors - 1);
        }
}

/* not inlined: what surrounds it would take registers from the sums */
__attribute__((noinline, noclone)) TARGETED static void NAME(multiply_rows)(const NAME(Part) * p,
                                                                            int rows, bool both)
{
    switch (rows) {
#define CASE(number)                                                                               \
    case number:                                                                                   \
        if (p->a_row != 1 && number <= NAME(LOOSE_ROWS))                                           \
            both ? NAME(multiply)(p, number, 2, true, false)                                       \
                 : NAME(multiply)(p, number, 1, true, false);                                      \
        else if (both && p->next)                                                                  \
            NAME(multiply)(p, number, 2, false, true);                                             \
        else                                                                                       \
            both ? NAME(multiply)(p, number, 2, false, false)                                      \
                 : NAME(multiply)(p, number, 1, false, false);                                     \
        break;
        ROW_CASES(CASE)
#undef CASE
    }
}

/* out[l, COLUMNS] = in[l, width], with zeros where a vector is not full */
TARGETED static void NAME(copy_columns)(const T *in, int64_t in_row, int64_t k, int64_t width,
                                        T *out)
{
    int64_t whole = (width - 1) / NAME(LANES) * NAME(LANES), last = width - whole;
    for (int64_t l = 0; l < k; l++, in += in_row, out += NAME(COLUMNS)) {
        if (whole > 0)
            *(NAME(Vector) *)out = *(const NAME(Loose) *)in;
        *(NAME(Vector) *)(out + whole) = FIRST(in + whole, last);
    }
}

/* out[l, i] = in[i, l] of LANES rows and so many columns; where there are fewer rows, the last is
 * repeated. Each round exchanges the elements that lie off the diagonal of squares, twice as large
 * each time. */
INLINED TARGETED void NAME(turn)(const T *in, int64_t in_row, int64_t rows, int64_t columns, T *out)
{
    NAME(Vector) x[NAME(LANES)];
    NAME(Lanes) lane = {0};
    for (int i = 0; i < NAME(LANES); i++)
        lane[i] = i;
#pragma GCC unroll 16
    for (int i = 0; i < NAME(LANES); i++)
        x[i] = NAME(read)(in + size_min(i, rows - 1) * in_row, columns);
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
        if (l < columns)
            *(NAME(Vector) *)(out + l * NAME(COLUMNS)) = x[l];
}

/* out[l, width] = in[width, l], and what is written to the right of it is not read */
__attribute__((noinline)) TARGETED static void NAME(transpose)(const T *in, int64_t in_row,
                                                               int64_t k, int64_t width, T *out)
{
    for (int64_t i = 0; i < width; i += NAME(LANES)) {
        int64_t rows = size_min(NAME(LANES), width - i), l = 0;
        const T *row = in + i * in_row;
        for (; l + NAME(LANES) <= k; l += NAME(LANES))
            NAME(turn)(row + l, in_row, rows, NAME(LANES), out + l * NAME(COLUMNS) + i);
        if (l < k)
            NAME(turn)(row + l, in_row, rows, k - l, out + l * NAME(COLUMNS) + i);
    }
}

/* ---- panels ---- */

/* The rows of a block of k of a, in panels of about as many. */
typedef struct {
    const T *a;
    int64_t count, first[MOST_PANELS + 1]; /* the first row of each, and that behind the last */
    int64_t row, step; /* from an element to that of the next row, and of the next step of k */
    int64_t apart;     /* from a packed panel to the next; 0 where the rows lie as in the matrix */
} NAME(Panels);

typedef struct {
    const T *a;
    int64_t first, rows;
} NAME(Panel);

static inline NAME(Panel) NAME(panel)(const NAME(Panels) * p, int64_t i)
{
    int64_t first = p->first[i];
    return (NAME(Panel)){p->a + (p->apart ? i * p->apart : first * p->row), first,
                         p->first[i + 1] - first};
}

/* Packs a[m, k], whose columns' elements lie side by side. */
TARGETED static void NAME(pack)(NAME(Panels) * p, int64_t column, int64_t k, T *out)
{
    const T *a = p->a;
    p->a = out, p->step = ROWS, p->apart = k * ROWS;
    for (int64_t l = 0; l < k; l++, a += column, out += ROWS)
        for (int64_t i = 0; i < p->count; i++) {
            int64_t rows = p->first[i + 1] - p->first[i];
            const T *in = a + p->first[i];
            T *to = out + i * p->apart;
            for (int64_t at = 0; at < rows; at += NAME(LANES)) {
                int64_t n = size_min(NAME(LANES), rows - at);
                PUT_FIRST(to + at, n, FIRST(in + at, n));
            }
        }
}

/* ---- zeros ---- */

/* Is there more than zeros in x[rows, k], rows that lie apart, at one of every so many vectors of
 * steps? Returns how many steps these are. */
TARGETED static int64_t NAME(look_at_rows)(const T *x, int64_t row, int64_t rows, int64_t k,
                                           int64_t every, Bits *any)
{
    int64_t n = 0;
    for (int64_t l = 0; l < k; l += every * NAME(LANES)) {
        int64_t steps = size_min(NAME(LANES), k - l);
        NAME(Lanes) bits = {0};
        for (int64_t i = 0; i < rows; i++)
            bits |= (NAME(Lanes))NAME(read)(x + i * row + l, steps);
        bits_append(any, n, BITS(bits));
        n += steps;
    }
    return n;
}

/* the same of rows whose elements of a step lie side by side, at one of every so many steps */
TARGETED static int64_t NAME(look_at_columns)(const T *x, int64_t step, int64_t rows, int64_t k,
                                              int64_t every, Bits *any)
{
    int64_t n = 0;
    for (int64_t l = 0; l < k; l += every) {
        NAME(Lanes) bits = {0};
        for (int64_t i = 0; i < rows; i += NAME(LANES))
            bits |= (NAME(Lanes))NAME(read)(x + l * step + i, rows - i);
        bits_append(any, n++, BITS(bits) != 0);
    }
    return n;
}

/* the steps of x[rows, k]; some steps tell whether it pays to look at all */
TARGETED static void NAME(look)(const T *x, int64_t row, int64_t step, int64_t rows, int64_t k,
                                Steps *steps)
{
    Bits any;
    for (int64_t every = row == 1 ? SAMPLE : SAMPLE_VECTORS;; every = 1) {
        int64_t n = row == 1 ? NAME(look_at_columns)(x, step, rows, k, every, &any)
                             : NAME(look_at_rows)(x, row, rows, k, every, &any);
        steps_of_bits(steps, &any, n);
        if (n == k)
            return;
        if (steps->count == n)
            break;
    }
    steps_of_all(steps, k);
}

/* Is all of x[k, width] finite, elements side by side? */
TARGETED static bool NAME(is_finite)(const T *x, int64_t step, int64_t width, int64_t k)
{
    const INDEX exponent = (INDEX)(sizeof(T) == 4 ? 0x7f800000 : 0x7ff0000000000000);
    NAME(Lanes) beyond = {0};
    for (int64_t l = 0; l < k; l++, x += step)
        for (int64_t i = 0; i < width; i += NAME(LANES))
            beyond |= ((NAME(Lanes))NAME(read)(x + i, width - i) & exponent) == exponent;
    return BITS(beyond) == 0;
}

/* what is known of a block of k: the steps of all, of a panel of b, and of each panel of a */
typedef struct {
    Steps whole, of_b, of_a[MOST_PANELS];
    bool are_in_a, is_b_finite;
    int is_a_finite; /* -1 where nobody has looked */
} NAME(Zeros);

TARGETED static void NAME(look_at_a)(const NAME(Panels) * a, int64_t k, NAME(Zeros) * zeros)
{
    for (int64_t i = 0; i < a->count; i++) {
        NAME(Panel) panel = NAME(panel)(a, i);
        NAME(look)(panel.a, a->row, a->step, panel.rows, k, &zeros->of_a[i]);
        zeros->are_in_a |= zeros->of_a[i].count < k;
    }
}

/* b[k, width] of a panel, and where that has zeros a, which is packed */
TARGETED static void NAME(look_at_b)(const T *b, int64_t width, const NAME(Panels) * a, int64_t k,
                                     NAME(Zeros) * zeros)
{
    NAME(look)(b, 1, NAME(COLUMNS), width, k, &zeros->of_b);
    if (zeros->of_b.count == k || zeros->is_a_finite >= 0)
        return;
    zeros->is_a_finite = true;
    for (int64_t i = 0; i < a->count && zeros->is_a_finite; i++) {
        NAME(Panel) panel = NAME(panel)(a, i);
        zeros->is_a_finite = NAME(is_finite)(panel.a, a->step, panel.rows, k);
    }
}

/* the steps at which a panel may add something; a zero adds nothing to what is finite */
static const Steps *NAME(choose)(const NAME(Zeros) * zeros, int64_t panel)
{
    const Steps *steps = &zeros->whole;
    if (zeros->is_b_finite && zeros->of_a[panel].count < steps->count)
        steps = &zeros->of_a[panel];
    if (zeros->is_a_finite > 0 && zeros->of_b.count < steps->count)
        steps = &zeros->of_b;
    return steps;
}

/* ---- blocks ---- */

/* rows of a panel of a */
INLINED int64_t NAME(panel_rows)(const MatrixProduct *p)
{
    return p->a_row == 1 ? ROWS : NAME(LOOSE_ROWS);
}

/* Lines of memory that the next panels are read from: so many of each step of k. */
typedef struct {
    const T *at;
    int64_t step, lines;
} NAME(Soon);

/* Has a part fetch the next line of each step, if one is left; where fewer steps are left than the
 * part has, what lies behind is fetched, too. */
INLINED void NAME(fetch)(NAME(Soon) * soon, NAME(Part) * part)
{
    part->next = NULL;
    if (soon->lines == 0)
        return;
    part->next = soon->at;
    part->next_step = soon->step;
    soon->at += NAME(LINE);
    soon->lines--;
}

/* Rows `first` to `first + m`, at most those of MOST_PANELS, and of PACKED_BYTES in a block of k. */
typedef struct {
    const MatrixProduct *p;
    int64_t first, m;
    bool packs_a;
    bool seeks;   /* zeros */
    bool fetches; /* what comes next of a's columns and b's rows */
    NAME(Panels) rows;
    NAME(Zeros) zeros;
    NAME(Part) part;
    NAME(Soon) soon_a, soon_b;
    _Alignas(64) T packed_a[PACKED_BYTES / sizeof(T)];
    _Alignas(64) T packed_b[BLOCK * NAME(COLUMNS)];
} NAME(Block);

/* k steps of a from step l on */
INLINED TARGETED void NAME(take_steps)(NAME(Block) * block, int64_t l, int64_t k)
{
    const MatrixProduct *p = block->p;
    NAME(Zeros) *zeros = &block->zeros;
    const T *a = (const T *)p->a + block->first * p->a_row + l * p->a_column;
    block->soon_a = block->soon_b = (NAME(Soon)){0};
    if (block->fetches && l + k < p->k)
        block->soon_a = (NAME(Soon)){
            .at = a + k * p->a_column,
            .step = p->a_column,
            .lines = size_pieces(block->m, NAME(LINE)),
        };
    block->rows.a = a;
    if (block->packs_a)
        NAME(pack)(&block->rows, p->a_column, k, block->packed_a);
    block->part.a_step = block->rows.step;
    block->part.start_row = l > 0 ? p->c_row : p->start_row;
    steps_of_all(&zeros->whole, k);
    zeros->are_in_a = zeros->is_b_finite = false;
    zeros->is_a_finite = -1;
    if (block->seeks)
        NAME(look_at_a)(&block->rows, k, zeros);
}

/* k steps from step l on of columns of b, from j on */
INLINED TARGETED void NAME(take_columns)(NAME(Block) * block, int64_t l, int64_t k, int64_t j,
                                         int64_t width)
{
    const MatrixProduct *p = block->p;
    NAME(Zeros) *zeros = &block->zeros;
    const T *b = (const T *)p->b + l * p->b_row, *columns = b + j * p->b_column;
    bool packs_b = p->b_column != 1 || block->m > FEW_ROWS || width % NAME(LANES) != 0;
    block->part.last = (width - 1) % NAME(LANES) + 1;
    block->part.b = packs_b ? block->packed_b : columns;
    block->part.b_step = packs_b ? NAME(COLUMNS) : p->b_row;
    if (p->b_column != 1)
        NAME(transpose)(columns, p->b_column, k, width, block->packed_b);
    else if (packs_b)
        NAME(copy_columns)(columns, p->b_row, k, width, block->packed_b);
    if (zeros->are_in_a)
        zeros->is_b_finite = NAME(is_finite)(block->packed_b, NAME(COLUMNS), width, k);
    if (block->seeks && block->packs_a)
        NAME(look_at_b)(block->packed_b, width, &block->rows, k, zeros);
    bool is_last = j + width == p->n;
    if (block->fetches && !(is_last && l + k == p->k))
        block->soon_b = (NAME(Soon)){
            .at = is_last ? b + k * p->b_row : columns + width,
            .step = p->b_row,
            .lines = size_pieces(NAME(COLUMNS), NAME(LINE)),
        };
}

TARGETED static void NAME(multiply_block)(const MatrixProduct *p, int64_t first, int64_t m)
{
    static const T nothing[NAME(COLUMNS)];
    NAME(Block) block;
    NAME(Panels) *rows = &block.rows;
    NAME(Part) *part = &block.part;
    bool has_many = p->n >= FEW_PANELS * NAME(COLUMNS);
    block.p = p;
    block.first = first;
    block.m = m;
    block.packs_a = p->a_row == 1 && has_many;
    block.seeks = has_many && m > FEW_ROWS;
    block.fetches = p->a_row == 1 && p->b_column == 1 && p->k > BLOCK;
    *rows = (NAME(Panels)){
        .count = size_pieces(m, NAME(panel_rows)(p)),
        .row = p->a_row,
        .step = p->a_column,
    };
    for (int64_t i = 0; i <= rows->count; i++)
        rows->first[i] = i * m / rows->count;
    *part = (NAME(Part)){
        .a_row = p->a_row,
        .c_row = p->c_row,
        .scale = (T)p->scale,
        .is_far = p->m * p->c_row * (int64_t)sizeof(T) > FAR,
    };
    for (int64_t l = 0; l < p->k; l += BLOCK) {
        int64_t k = size_min(BLOCK, p->k - l);
        const T *start = l > 0 ? p->c : p->start;
        NAME(take_steps)(&block, l, k);
        for (int64_t j = 0; j < p->n; j += NAME(COLUMNS)) {
            int64_t width = size_min(NAME(COLUMNS), p->n - j);
            NAME(take_columns)(&block, l, k, j, width);
            for (int64_t i = 0; i < rows->count; i++) {
                NAME(Panel) panel = NAME(panel)(rows, i);
                int64_t row = first + panel.first;
                part->a = panel.a;
                part->c = (T *)p->c + row * p->c_row + j;
                part->start = start ? start + row * part->start_row + j : nothing;
                part->steps = NAME(choose)(&block.zeros, i);
                NAME(fetch)(block.soon_b.lines > 0 ? &block.soon_b : &block.soon_a, part);
                NAME(multiply_rows)(part, (int)panel.rows, width > NAME(LANES));
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
    int64_t rows = NAME(panel_rows)(p);
    int64_t panel_bytes = size_min(p->k, BLOCK) * ROWS * (int64_t)sizeof(T);
    int64_t blocks = size_pieces(p->m, size_min(PACKED_BYTES / panel_bytes, MOST_PANELS) * rows);
    for (int64_t block = 0; block < blocks; block++) {
        int64_t first = block * p->m / blocks;
        NAME(multiply_block)(p, first, (block + 1) * p->m / blocks - first);
    }
}

#undef T
#undef INDEX
#undef NAME
#undef MULTIPLY_ADD
#undef FIRST
#undef PUT_FIRST
#undef BELOW
#undef BITS
