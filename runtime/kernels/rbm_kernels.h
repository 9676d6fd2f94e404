/*
 * rbm_kernels.h - the kernels of rbm.c for one float type; read through each_float.h
 */

/* y of the units [first, first + width) of a row; filled up to CHUNK with units that are off, so
 * that every element goes through whole vectors */
INLINED void NAME(read_chunk)(const RbmInput *in, int64_t row, int64_t first, int64_t width,
                              T *restrict y)
{
    const T *x = (const T *)in->x + row * in->n + first;
    const T *bias = in->bias, *base = in->base;
    if (in->beta == NULL) {
        for (int64_t i = 0; i < width; i++)
            y[i] = x[i] + bias[first + i];
    } else {
        const T beta = (T)in->beta[in->beta_each ? row : 0], rest = (T)1 - beta;
        for (int64_t i = 0; i < width; i++)
            y[i] = beta * (x[i] + bias[first + i]);
        if (base != NULL)
            for (int64_t i = 0; i < width; i++)
                y[i] += rest * base[first + i];
    }
    for (int64_t i = width; i < CHUNK; i++)
        y[i] = -LIMIT;
}

/* p = 1 / (1 + exp(-y)), from exp(-|y|), which cannot overflow;
 * beyond LIMIT it would be denormal */
INLINED void NAME(sigmoid_chunk)(T *restrict y)
{
    for (int i = 0; i < CHUNK; i++) {
        T size = fabs(y[i]);
        T e = special_exp_of(-(size > (T)LIMIT ? (T)LIMIT : size));
        T r = 1 / (1 + e);
        y[i] = y[i] >= 0 ? r : e * r;
    }
}

/* a number of [0, 1), as random.c makes one of a word */
static inline T NAME(uniform)(uint32_t word)
{
    return (T)(int32_t)(word & 0xffffff) * (T)0x1p-24;
}

VECTORISED static void NAME(sample_rows)(void *context, int64_t piece)
{
    const Sampling *s = context;
    const RbmInput *in = s->input;
    int64_t chunks = size_pieces(in->n, CHUNK);
    int64_t last = size_min((piece + 1) * s->rows_a_piece, in->rows);
    uint32_t words[PHILOX_WORDS];
    T y[CHUNK];
    for (int64_t row = piece * s->rows_a_piece; row < last; row++) {
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            int64_t at = chunk * CHUNK, width = size_min(CHUNK, in->n - at);
            T *x = (T *)in->x + row * in->n + at;
            if (in->bias == NULL) {
                memcpy(y, x, (size_t)width * sizeof(T));
            } else {
                NAME(read_chunk)(in, row, at, width, y);
                NAME(sigmoid_chunk)(y);
                memcpy(x, y, (size_t)width * sizeof(T));
            }
            if (s->sample == NULL)
                continue;
            philox_lanes(s->key, s->first + (uint64_t)((row * chunks + chunk) * PHILOX_LANES),
                         words);
            T *sample = (T *)s->sample + row * in->n + at;
            for (int64_t i = 0; i < width; i++)
                sample[i] = NAME(uniform)(words[i]) < y[i] ? (T)1 : (T)0;
        }
    }
}

/* log(1 + exp(y)) = max(y, 0) + log(1 + exp(-|y|));
 * the factors, each at most 2, are multiplied before the logarithm */
VECTORISED static void NAME(softplus_rows)(void *context, int64_t piece)
{
    const Softplus *s = context;
    const RbmInput *in = s->input;
    int64_t chunks = size_pieces(in->n, CHUNK);
    int64_t last = size_min((piece + 1) * s->rows_a_piece, in->rows);
    T y[CHUNK], product[CHUNK];
    double sum[CHUNK];
    for (int64_t row = piece * s->rows_a_piece; row < last; row++) {
        for (int i = 0; i < CHUNK; i++)
            sum[i] = 0;
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            int64_t at = chunk * CHUNK, width = size_min(CHUNK, in->n - at);
            NAME(read_chunk)(in, row, at, width, y);
            for (int i = 0; i < CHUNK; i++)
                product[i] = chunk % FACTORS == 0 ? 1 : product[i];
            for (int i = 0; i < CHUNK; i++) {
                T size = fabs(y[i]);
                product[i] *= 1 + special_exp_of(-(size > (T)LIMIT ? (T)LIMIT : size));
            }
            for (int i = 0; i < CHUNK; i++)
                sum[i] += (double)(y[i] > 0 ? y[i] : (T)0);
            if (chunk % FACTORS == FACTORS - 1 || chunk == chunks - 1)
                for (int i = 0; i < CHUNK; i++)
                    sum[i] += (double)special_log_of(product[i]);
        }
        double total = 0;
        for (int i = 0; i < CHUNK; i++)
            total += sum[i];
        s->out[row] = total;
    }
}

static void NAME(sample_groups)(void *context, int64_t piece)
{
    const Groups *s = context;
    int64_t groups = s->n / s->categories, chunks = size_pieces(groups, CHUNK);
    int64_t last = size_min((piece + 1) * s->rows_a_piece, s->rows);
    uint32_t words[PHILOX_WORDS];
    for (int64_t row = piece * s->rows_a_piece; row < last; row++) {
        for (int64_t group = 0; group < groups; group++) {
            if (group % CHUNK == 0)
                philox_lanes(s->key,
                             s->first + (uint64_t)((row * chunks + group / CHUNK) * PHILOX_LANES),
                             words);
            T *p = (T *)s->p + row * s->n + group * s->categories, sum = 0;
            T u = NAME(uniform)(words[group % CHUNK]);
            int64_t chosen = s->categories - 1;
            for (int64_t c = 0; c < s->categories && chosen == s->categories - 1; c++) {
                sum += p[c];
                if (u < sum)
                    chosen = c;
            }
            for (int64_t c = 0; c < s->categories; c++)
                p[c] = c == chosen;
        }
    }
}
