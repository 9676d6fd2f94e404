/*
 * ulp.c - how far float32 results of elementwise operations are off, over all floats there are
 *
 * ulp [--every N] [ROW...]: for each row of ops.def of one argument, or those named, the largest
 * error in units in the last place of the right result, where, and what the row says; false where
 * that is exceeded. Right is what the row's formula gives in float64 with the C library's own
 * functions, one number at a time; erfinv and digamma, which it has not, are computed here by other
 * ways than wrun's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/elementwise.h"
#include "kernels/operations.h"

#include <tgmath.h>

enum { CHUNK = 1 << 14 };

/* by Halley's rule, from an approximation */
static double inverse_of_erf(double y)
{
    double size = fabs(y), rest = 1 - size;
    if (!(size < 1))
        return size == 1 ? copysign(HUGE_VAL, y) : (double)NAN;
    double l = log(rest * (1 + size)), t = 4.33 + l / 2, x = sqrt(sqrt(t * t - l / 0.147) - t);
    for (int step = 0; step < 4; step++) {
        double newton =
            (size < 0.5 ? erf(x) - size : rest - erfc(x)) * exp(x * x) * 0.886226925452758;
        x -= newton / (1 + x * newton);
    }
    return size < 1e-5 ? y * 0.88622692545275801365 : copysign(x, y);
}

/* by the recurrence psi(x) = psi(x + 1) - 1 / x and an asymptotic series [Abramowitz1972] 6.3 */
static double derivative_of_log_gamma(double x)
{
    static const double term[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132};
    const double pi = 3.14159265358979323846;
    if (x == 0)
        return copysign(HUGE_VAL, -x);
    if (x < 0 && x == floor(x))
        return (double)NAN;
    double sum = x < 0 ? -pi / tan(pi * (x - rint(x))) : 0;
    for (x = x < 0 ? 1 - x : x; x < 20; x += 1)
        sum -= 1 / x;
    double series = 0, square = 1 / (x * x);
    for (int k = 4; k >= 0; k--)
        series = (series + term[k]) * square;
    return sum + log(x) - 0.5 / x - series;
}

/* The rows in double. Only values of one argument are asked for. */
#define T double
#define NAME(x) right_##x
#define HAS_GRADIENTS 1
#define LARGEST 0x1.fffffffffffffp1023
#define NEAR 0
#define IS_NEAR(a, b) ((a) < (b))
#define special_is_near IS_NEAR
#define EXP_RANGE EVERYWHERE
#define USUAL_RANGE EVERYWHERE
#define GELU_RANGE EVERYWHERE
#define abs(x) fabs(x)
#define log_gamma(x) lgamma(x)
#define digamma(x) derivative_of_log_gamma(x)
#define polygamma(x, n) (is_near ? (x) : (n))
#define erfinv(x) inverse_of_erf(x)
#define rsqrt(x) (1 / sqrt(x))
#define at_most(x, bound) minimum(x, bound)
#define sigmoid(x) (1 / (1 + exp(-(x))))
#define log1p_exp(x) log1p(exp(x))
#define gelu(x) (maximum(x, -50) * (erfc((x) / -sqrt(2.0)) / 2))
#define fmod_of(a, b) (is_near ? (a) : (b))
#define floor_divide fmod_of
#define floor_remainder fmod_of
static double right_larger(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}
static double right_smaller(double a, double b)
{
    return a < b || isnan(a) ? a : b;
}
static double right_distance(double a, double b)
{
    return a == b ? 0 : fabs(a - b);
}
static double right_nonzero(double x)
{
    return x == 0 ? 1 : x;
}
#include "kernels/operations_kernels.h"
#undef abs

/* how far y is from the right value, in units of that one's last place as a float, or of size's where
 * that is larger */
static double error_in_ulp(float y, double right, double size)
{
    if (isnan(y) || isnan(right))
        return isnan(y) && isnan(right) ? 0 : HUGE_VAL;
    if ((double)y == right || y == (float)right)
        return fabs((double)y - right) > 0 ? 0.5 : 0; /* the nearest float */
    int exponent;
    frexp(fmax(fabs(right), size), &exponent);
    double beyond = copysign(0x1p128, (double)y), off = (isinf(y) ? beyond : (double)y) - right;
    return isinf(right) ? HUGE_VAL : fabs(off) / ldexp(1, exponent < -125 ? -149 : exponent - 24);
}

static void no_stop(void *context)
{
    (void)context;
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* prints the worst of every `every`-th float; is it within the row's bound? */
static bool measure(Pool *pool, int op, uint64_t every)
{
    static _Alignas(64) float x[CHUNK], y[CHUNK];
    static _Alignas(64) double wide[CHUNK], right[CHUNK];
    const void *in[] = {wide};
    Operand operand = {.view = {FLOAT32, 1, (char *)x, {CHUNK}, {1}}};
    View out = {FLOAT32, 1, (char *)y, {CHUNK}, {1}};
    const Operation *o = &operations[op];
    double worst = 0;
    float where_worst = 0;
    for (uint64_t first = 0; first < (uint64_t)1 << 32; first += CHUNK * every) {
        for (uint64_t i = 0; i < CHUNK; i++) {
            x[i] = float_of((uint32_t)(first + i * every));
            wide[i] = (double)x[i];
        }
        elementwise_run(pool, op, FLOAT32, &out, &operand);
        right_kernels[op].value(CHUNK, right, in);
        for (int i = 0; i < CHUNK; i++) {
            double error = error_in_ulp(y[i], right[i], o->ulp_size);
            if (error > worst) {
                worst = error;
                where_worst = x[i];
            }
        }
    }
    bool is_within = !o->has_bound || worst <= o->ulp;
    printf("%-14s %12.4g  %-16.9g ", o->name, worst, (double)where_worst);
    printf(o->has_bound ? "%g%s\n" : "-\n", o->ulp, is_within ? "" : " exceeded");
    fflush(stdout);
    return is_within;
}

int main(int argc, char **argv)
{
    uint64_t every = 1;
    int first = 1;
    bool is_within = true;
    if (argc > 2 && strcmp(argv[1], "--every") == 0) {
        every = strtoull(argv[2], NULL, 10);
        first = 3;
    }
    Pool *pool = malloc(pool_size());
    if (!pool || every == 0)
        return 1;
    pool_init(pool, 1, no_stop, NULL);
    printf("%-14s %12s  %-16s %s\n", "float32", "worst, ulp", "at", "bound");
    for (int op = 0; op < operation_count; op++) {
        bool wanted = first == argc && operations[op].arity == 1 &&
                      (operations[op].kind == FLOATING || operations[op].kind == RANGED);
        for (int i = first; i < argc; i++)
            wanted |= strcmp(argv[i], operations[op].name) == 0 && operations[op].arity == 1;
        if (wanted)
            is_within &= measure(pool, op, every);
    }
    pool_close(pool);
    free(pool);
    return is_within ? 0 : 1;
}
