/*
 * sum_kernels.h - a sum that kernels for one float type share; LANES and CHUNK are theirs
 */

/* the sum of e[0..n-1], n <= CHUNK: LANES running sums, added up in order */
VECTORISED static double NAME(chunk_sum)(const T *e, int64_t n)
{
    double lane[LANES] = {0}, sum = 0;
    int64_t whole = n - n % LANES;
    for (int64_t i = 0; i < whole; i += LANES)
        for (int l = 0; l < LANES; l++)
            lane[l] += (double)e[i + l];
    for (int64_t i = whole; i < n; i++)
        lane[i - whole] += (double)e[i];
    for (int l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}
