/*
 * linalg_kernels.h - products with a vector for one float type; read through each_float.h
 */

/* sums[TOGETHER] = rows[TOGETHER, n] times the vector, n at most `lanes`, which dots says */
INLINED void NAME(short_dots)(int64_t n, int lanes, const T *row, int64_t step, const T *vector,
                              double *sums)
{
    double lane[TOGETHER][TOGETHER];
    for (int l = 0; l < lanes; l++)
        for (int j = 0; j < TOGETHER; j++)
            lane[l][j] = l < n ? 0 + (double)row[j * step + l] * (double)vector[l] : 0;
    for (int half = lanes / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            for (int j = 0; j < TOGETHER; j++)
                lane[l][j] += lane[half + l][j];
    memcpy(sums, lane[0], sizeof lane[0]);
}

/* sums[count] = rows[count, n] times the vector: LANES running sums, or as few as there are elements,
 * added up two by two; the elements of a row lie side by side, and rows `step` of them apart */
VECTORISED static void NAME(dots)(int64_t count, int64_t n, const T *row, int64_t step,
                                  const T *vector, double *sums)
{
    int64_t whole = n - n % LANES;
    int lanes = LANES;
    while (lanes / 2 >= n)
        lanes /= 2;
    for (; lanes <= TOGETHER && count >= TOGETHER; count -= TOGETHER) {
        NAME(short_dots)(n, lanes, row, step, vector, sums);
        row += TOGETHER * step;
        sums += TOGETHER;
    }
    for (; count > 0; count--, row += step, sums++) {
        double lane[LANES];
        for (int l = 0; l < lanes; l++)
            lane[l] = 0;
        for (int64_t i = 0; i < whole; i += LANES)
            for (int l = 0; l < LANES; l++)
                lane[l] += (double)row[i + l] * (double)vector[i + l];
        for (int64_t i = whole; i < n; i++)
            lane[i - whole] += (double)row[i] * (double)vector[i];
        for (int half = lanes / 2; half > 0; half /= 2)
            for (int l = 0; l < half; l++)
                lane[l] += lane[half + l];
        *sums = lane[0];
    }
}

/* sums[width] += rows[n, width] weighted with the vector; rows lie `step` elements apart */
VECTORISED static void NAME(add_weighted)(double *sums, int64_t n, const T *rows, int64_t step,
                                          int64_t width, const T *vector)
{
    for (; n >= 4; n -= 4, rows += 4 * step, vector += 4) {
        double v0 = (double)vector[0], v1 = (double)vector[1], v2 = (double)vector[2],
               v3 = (double)vector[3];
        for (int64_t j = 0; j < width; j++)
            sums[j] = sums[j] + v0 * (double)rows[j] + v1 * (double)rows[j + step] +
                      v2 * (double)rows[j + 2 * step] + v3 * (double)rows[j + 3 * step];
    }
    for (; n > 0; n--, rows += step, vector++)
        for (int64_t j = 0; j < width; j++)
            sums[j] += (double)vector[0] * (double)rows[j];
}

/* elements `first` to `last` of the sums over v's rows l to l + n */
static void NAME(sum_products)(const VectorProduct *v, int64_t first, int64_t last, int64_t l,
                               int64_t n, double *sums)
{
    const T *matrix = (const T *)v->matrix + l * v->sum_step, *vector = (const T *)v->vector + l;
    if (v->sum_step == 1) {
        NAME(dots)(last - first, n, matrix + first * v->step, v->step, vector, sums);
        return;
    }
    memset(sums, 0, (size_t)(last - first) * sizeof(double));
    NAME(add_weighted)(sums, n, matrix + first, v->sum_step, last - first, vector);
}

/* the results from `first` on, which a bias or what c holds may precede */
static void NAME(store_results)(const VectorProduct *v, int64_t first, int64_t last,
                                const double *sums)
{
    T *c = v->c;
    const T *start = v->start;
    for (int64_t i = first; i < last; i++) {
        double sum = v->scale * sums[i - first];
        c[i] = (T)(start ? (double)start[i * v->start_step] + sum : sum);
    }
}

static void NAME(vector_piece)(void *context, int64_t piece)
{
    VectorProduct *v = context;
    if (v->block < v->k) {
        int64_t l = piece * v->block;
        NAME(sum_products)(v, 0, v->n, l, size_min(v->block, v->k - l), v->part[piece]);
        return;
    }
    int64_t end = size_min((piece + 1) * v->together, v->n);
    for (int64_t first = piece * v->together, last; first < end; first = last) {
        double sums[STRIP];
        last = size_min(first + STRIP, end);
        NAME(sum_products)(v, first, last, 0, v->k, sums);
        NAME(store_results)(v, first, last, sums);
    }
}

static void NAME(multiply_vector)(Pool *pool, VectorProduct *v)
{
    if (v->block >= v->k) {
        pool_run(pool, NAME(vector_piece), v, size_pieces(v->n, v->together));
        return;
    }
    int64_t blocks = size_pieces(v->k, v->block);
    pool_run(pool, NAME(vector_piece), v, blocks);
    for (int64_t block = 1; block < blocks; block++)
        for (int64_t i = 0; i < v->n; i++)
            v->part[0][i] += v->part[block][i];
    NAME(store_results)(v, 0, v->n, v->part[0]);
}
