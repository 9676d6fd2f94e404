/*
 * products.c - hashes of products of many shapes and arrangements, in both types
 *
 * For `make portable`, which compares what it prints here and on arm64. Linked with product.c and the
 * types alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/product.h"

enum { SHAPES = 70, MOST = 1 << 17 };

/* one number of a matrix, of many sizes */
static double draw(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005U + 1442695040888963407U;
    return (double)(int32_t)(state >> 32) * (double)(1 + (state >> 20 & 1023));
}

/* a matrix by rows, and in `turned` by columns; some have zeros, which are passed over */
static void fill(DType dtype, int64_t rows, int64_t columns, void *matrix, void *turned)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            double x = rows % 2 && j % 40 < 15 ? 0 : draw();
            if (dtype == FLOAT32)
                ((float *)matrix)[i * columns + j] = ((float *)turned)[j * rows + i] = (float)x;
            else
                ((double *)matrix)[i * columns + j] = ((double *)turned)[j * rows + i] = x;
        }
}

static uint64_t hash(uint64_t value, const void *bytes, int64_t size)
{
    for (int64_t i = 0; i < size; i++)
        value = (value ^ ((const unsigned char *)bytes)[i]) * 1099511628211U;
    return value;
}

static uint64_t multiply(DType dtype, int64_t m, int64_t n, int64_t k, double scale)
{
    static double a[2][MOST], b[2][MOST], c[MOST];
    uint64_t value = 14695981039346656037U;
    fill(dtype, m, k, a[0], a[1]);
    fill(dtype, k, n, b[0], b[1]);
    for (int turned = 0; turned < 4; turned++) {
        bool turns_a = turned % 2, turns_b = turned / 2;
        MatrixProduct p = {
            .a = a[turns_a],
            .b = b[turns_b],
            .c = c,
            .m = m,
            .n = n,
            .k = k,
            .a_row = turns_a ? 1 : k,
            .a_column = turns_a ? m : 1,
            .b_row = turns_b ? 1 : n,
            .b_column = turns_b ? k : 1,
            .c_row = n,
            .scale = scale,
        };
        product_run(dtype, &p);
        p.start = c;
        p.start_row = n;
        product_run(dtype, &p);
        value = hash(value, c, m * n * dtype_size(dtype));
    }
    return value;
}

int main(void)
{
    for (int64_t s = 0; s < SHAPES; s++) {
        int64_t m = 2 + s * 37 % 89, n = 1 + s * 53 % 97, k = 1 + s * 101 % (s % 9 ? 90 : 1200);
        double scale = s % 3 ? 1 : -0.3;
        uint64_t single = multiply(FLOAT32, m, n, k, scale);
        uint64_t twice = multiply(FLOAT64, m, n, k, scale);
        printf("%d %d %d: %016llx %016llx\n", (int)m, (int)n, (int)k, (unsigned long long)single,
               (unsigned long long)twice);
    }
    return EXIT_SUCCESS;
}
