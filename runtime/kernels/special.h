/*
 * special.h - functions that the C library does not have, or not for vectors, or only slower
 *
 * All in double, whose rounding to float is the best a float can be; good to 4 units in the last
 * place of a double, but next to the zeros of the gamma functions below 0, and polygamma to about
 * 1e-14. Without branches and in arithmetic that every machine has, so that loops become vectors of
 * any width with the same bits. special.py fits the tables.
 */
#ifndef SPECIAL_H
#define SPECIAL_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "kernels/special_tables.h"

#define SPECIAL_INLINE static inline __attribute__((always_inline))

SPECIAL_INLINE double special_horner(int terms, const double *c, double x)
{
    double y = c[terms - 1];
#pragma GCC unroll 16
    for (int k = terms - 2; k >= 0; k--)
        y = fma(y, x, c[k]);
    return y;
}

#define LOG_2_HIGH 0x1.62e42fee00000p-1 /* of few bits, so that whole numbers times it are exact */
#define LOG_2_LOW 0x1.a39ef35793c76p-33
#define HORNER(table, x) special_horner((int)(sizeof(table) / sizeof((table)[0])), table, x)
#define QUOTIENT(table, x) (HORNER(table##_p, x) / HORNER(table##_q, x))

/* `condition ? a : b` without the branch that the compiler would make where a or b is long */
SPECIAL_INLINE double special_choose(bool condition, double a, double b)
{
    int64_t mask = -(int64_t)condition, a_bits, b_bits;
    memcpy(&a_bits, &a, sizeof a);
    memcpy(&b_bits, &b, sizeof b);
    a_bits = (a_bits & mask) | (b_bits & ~mask);
    memcpy(&a, &a_bits, sizeof a);
    return a;
}

SPECIAL_INLINE uint64_t special_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

SPECIAL_INLINE double special_of_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/*
 * e^x = 2^n (1 + p): p, and `unit` becomes the bits of 2^n; anything where |x| is above 1000. What
 * follows asks about n, since a compiler that knew of x > 0 in what surrounds a call would branch on
 * a question about x.
 */
SPECIAL_INLINE double special_exp_part(double x, double *n, uint64_t *unit)
{
    const double shift = 0x1.8p52 + 1023; /* what is added to it is rounded to a whole number */
    double shifted = fma(x, 0x1.71547652b82fep+0, shift);
    *n = shifted - shift;
    *unit = special_bits(shifted) << 52;
    double r = fma(-*n, LOG_2_LOW, fma(-*n, LOG_2_HIGH, x));
    return fma(r * HORNER(special_exp_rest, r), r, r);
}

/* 2^n (1 + p), in two steps, since that may be no normal number */
SPECIAL_INLINE double special_scaled(double p, double n, uint64_t unit)
{
    uint64_t more = n < 0 ? (uint64_t)64 << 52 : -((uint64_t)1 << 52);
    double power = special_of_bits(unit + more), rest = special_of_bits(special_bits(1) - more);
    double y = fma(power, p, power) * rest;
    y = special_choose(n > 1024, HUGE_VAL, y);
    return special_choose(n < -1075, 0, y);
}

/* e^x */
SPECIAL_INLINE double special_exp(double x)
{
    double n;
    uint64_t unit;
    double p = special_exp_part(x, &n, &unit);
    return special_scaled(p, n, unit);
}

/* 2^x = 2^n e^r */
SPECIAL_INLINE double special_exp2(double x)
{
    const double shift = 0x1.8p52 + 1023;
    double shifted = x + shift, n = shifted - shift, r = (x - n) * 0x1.62e42fefa39efp-1;
    double p = fma(r * HORNER(special_exp_rest, r), r, r);
    return special_scaled(p, n, special_bits(shifted) << 52);
}

/* e^x - 1 */
SPECIAL_INLINE double special_expm1(double x)
{
    double n;
    uint64_t unit;
    double p = special_exp_part(-40 > x ? -40 : x, &n, &unit);
    double half = special_of_bits(unit - ((uint64_t)1 << 52)); /* 2^1024 is no double */
    double y = special_choose(n == 0, p, 2 * fma(half, p, half - 0.5));
    y = special_choose(n > 1024, HUGE_VAL, y);
    return copysign(y, x);
}

/* 1 / (1 + e^-x), both terms times 2^-64, so that e^-x does not overflow where its inverse is not 0 */
SPECIAL_INLINE double special_sigmoid(double x)
{
    double n;
    uint64_t unit;
    double p = special_exp_part(-x, &n, &unit);
    double power = special_of_bits(unit - ((uint64_t)64 << 52));
    double y = 0x1p-64 / (0x1p-64 + fma(power, p, power));
    y = special_choose(n < -60, 1, y);
    return special_choose(n > 1075, 0, y);
}

/* from e^(-2 |x|) - 1 */
SPECIAL_INLINE double special_tanh(double x)
{
    double n, size = fabs(x);
    uint64_t unit;
    size = 20 < size ? 20 : size;
    double p = special_exp_part(-2 * size, &n, &unit), power = special_of_bits(unit);
    double below = fma(power, p, power - 1);
    return copysign(below / (2 + below), x);
}

/* log(x + 2 *half_lost) = e log(2) + log(m), m from sqrt(0.5) to sqrt(2), as in fdlibm: e, f = m - 1
 * and what log(m) is more than f; x is finite and above 0 */
SPECIAL_INLINE double special_log_part(double x, const double *half_lost, double *e, double *f)
{
    const uint64_t root = 0x3fe6a09e667f3bcd, one = 0x3ff0000000000000; /* of 0.5; 1 */
    bool is_small = x < 0x1p-1022;
    double bias = 0x1p52 + 1023 + (is_small ? 54 : 0);
    x *= is_small ? 0x1p54 : 1;
    uint64_t bits = special_bits(x) + (one - root), exponent = bits >> 52;
    *e = special_of_bits(exponent + 0x4330000000000000) - bias; /* 2^52 and the exponent */
    double m = special_of_bits((bits & 0xfffffffffffff) + root);
    *f = m - 1;
    if (half_lost)
        *f += *half_lost * special_of_bits((2047 - exponent) << 52);
    double s = *f / (2 + *f), z = s * s;
    return s * fma(z, HORNER(special_log_rest, z), -*f);
}

/* what a logarithm is: y, but where x is not finite and above 0 */
SPECIAL_INLINE double special_log_edge(double x, double y)
{
    y = special_choose(x < HUGE_VAL, y, x);
    return special_choose(x > 0, y, special_choose(x == 0, -HUGE_VAL, (double)NAN));
}

/* the natural logarithm of a finite x > 0 */
SPECIAL_INLINE double special_log(double x)
{
    double e, f, rest = special_log_part(x, NULL, &e, &f);
    return fma(e, LOG_2_HIGH, f + fma(e, LOG_2_LOW, rest));
}

SPECIAL_INLINE double special_log10(double x)
{
    const double high = 0x1.34413509f6p-2, low = 0x1.9fef311f12b36p-42; /* of log10(2) */
    double e, f, rest = special_log_part(x, NULL, &e, &f);
    return special_log_edge(x, fma(e, high, fma(f + rest, 0x1.bcb7b1526e50ep-2, e * low)));
}

/* log(1 + x), where 1 + x is u and what it lost */
SPECIAL_INLINE double special_log1p(double x)
{
    double e, f, u = 1 + x, half_lost = 0.5 * (x - (u - 1));
    double rest = special_log_part(u, &half_lost, &e, &f);
    double y = fma(e, LOG_2_HIGH, f + fma(e, LOG_2_LOW, rest));
    return copysign(special_log_edge(u, y), x);
}

/* log(1 + e^x) for x <= 0, by the series of atanh, since e^x is at most 1 */
SPECIAL_INLINE double special_log1p_exp(double x)
{
    double e = special_exp(x), s = e / (2 + e);
    return s * HORNER(special_log1p_series, s * s);
}

/* erf(x) = 1 - e^-t, t = 2 / sqrt(pi) |x| and x^2 times a quotient; 1 from |x| = 5.95 */
SPECIAL_INLINE double special_erf(double x)
{
    double n, size = fabs(x);
    uint64_t unit;
    size = 5.95 < size ? 5.95 : size;
    double t = fma(size, 1.12837916709551257390, size * size * QUOTIENT(special_erf, size));
    double p = special_exp_part(-t, &n, &unit), power = special_of_bits(unit);
    return copysign(fma(power, p, power - 1), x);
}

/* the integer nearest to x >= 0: up to 2^52 adding that leaves no fraction, beyond it there is none */
SPECIAL_INLINE double special_whole(double x)
{
    return special_choose(x < 0x1p52, (x + 0x1p52) - 0x1p52, x);
}

/* sin(pi x) / pi for x from -0.5 to 0.5 */
SPECIAL_INLINE double special_sin_pi(double x)
{
    return x * HORNER(special_sine, x * x);
}

/* log |gamma(x)|: near its zeros at 1 and 2, else by Stirling's series; by reflection below 0 */
SPECIAL_INLINE double special_log_gamma(double x)
{
    const double stirling = 0.41893853320467274178; /* log(2 pi) / 2 - 1 / 2 */
    double size = special_choose(x < 0, 1 - x, x);
    double log_size = special_log(size), over = 1 / size;
    double below = special_choose(size < 1, 1, 0), v = size - (1 - below);
    double near = v * (v - 1) * QUOTIENT(special_gamma_near, v) - below * log_size;
    double far =
        (size - 0.5) * (log_size - 1) + (stirling + over * HORNER(special_gamma_far, over * over));
    double y = special_choose(size < 4, near, far);
    double whole = special_whole(fabs(x)), part = fabs(x) - whole;
    double reflected = -special_log(fabs(special_sin_pi(part))) - y;
    y = special_choose(x < 0, reflected, y);
    return special_choose((x <= 0) & (x == -whole), HUGE_VAL, y);
}

/* the derivative of log gamma; the poles below 0 are NaN */
SPECIAL_INLINE double special_digamma(double x)
{
    const double pi = 3.14159265358979323846;
    double size = special_choose(x < 0, 1 - x, x), over = 1 / size;
    double below = special_choose(size < 1, 1, 0), v = size - (1 - below);
    double from_zero = v - special_digamma_zero[0] - special_digamma_zero[1];
    double near = from_zero * QUOTIENT(special_digamma_near, v) - below * over;
    double far = special_log(size) - over * (0.5 + over * HORNER(special_digamma_far, over * over));
    double y = special_choose(size < 4, near, special_choose(size < HUGE_VAL, far, size));
    double whole = special_whole(fabs(x)), part = fabs(x) - whole;
    double reflected = y + pi * special_sin_pi(0.5 - fabs(part)) / special_sin_pi(part);
    y = special_choose(x < 0, reflected, y);
    y = special_choose((x < 0) & (x == -whole), (double)NAN, y);
    return special_choose(x == 0, copysign(HUGE_VAL, -x), y);
}

/*
 * The x for which erf(x) = y: sqrt(pi) / 2 y and a smaller part, from y^2; or far from 0
 * r = sqrt(-log(1 - |y|)) and a smaller part, from r.
 */
SPECIAL_INLINE double special_erfinv(double y)
{
    const double half_root_pi = 0.88622692545275801365;
    double size = fabs(y), square = size * size, v = 0.65 - square;
    double r = sqrt(-special_log(1 - size));
    double base = special_choose(v > 0, half_root_pi * size, r);
    double p = special_choose(v > 0, size * square * HORNER(special_erfinv_near_p, v),
                              HORNER(special_erfinv_far_p, r));
    double q =
        special_choose(v > 0, HORNER(special_erfinv_near_q, v), HORNER(special_erfinv_far_q, r));
    double x = special_choose(size == 1, HUGE_VAL, base + p / q);
    return copysign(special_choose(size <= 1, x, (double)NAN), y);
}

/* B(2k) / (2k)! */
static const double special_bernoulli[] = {1.0 / 12,
                                           -1.0 / 720,
                                           1.0 / 30240,
                                           -1.0 / 1209600,
                                           1.0 / 47900160,
                                           -691.0 / 1307674368000,
                                           1.0 / 74724249600,
                                           -3617.0 / 10670622842880000,
                                           43867.0 / 5109094217170944000};

/* sum of (x + k)^-s over k >= 0, for whole s >= 2 and x > 0, by Euler and Maclaurin */
static inline double special_zeta(double s, double x)
{
    const double *term = special_bernoulli;
    double sum = 0;
    for (; x < 12 + s / 2; x += 1)
        sum += pow(x, -s);
    sum += pow(x, 1 - s) / (s - 1) + pow(x, -s) / 2;
    double rising = s * pow(x, -s - 1);
    for (int k = 0; k < 8; k++) {
        sum += term[k] * rising;
        rising *= (s + 2 * k + 1) * (s + 2 * k + 2) / (x * x);
    }
    return sum;
}

/* Has special_polygamma_near this one? */
SPECIAL_INLINE bool special_is_near(double x, double n)
{
    return (x >= 0) & (n >= 1) & (n <= 4) & (n == special_whole(n));
}

/* v^n for n from 1 to 4 */
SPECIAL_INLINE double special_small_power(double v, double n)
{
    double square = v * v, power = special_choose(n > 1, square, v);
    return power * special_choose(n > 2, special_choose(n == 3, v, square), 1);
}

/* derivative number n of digamma for n from 1 to 4 and x >= 0, or -0; brief: to float's precision.
 * After the first, two terms share a division. */
SPECIAL_INLINE double special_polygamma_near(bool brief, double x, double n)
{
    const int steps = brief ? 7 : 13, terms = brief ? 5 : 9;
    double s = n + 1, over_x = 1 / (x + 0), sum = special_small_power(over_x, n) * over_x;
#pragma GCC unroll 6
    for (int k = 1; k < steps; k += 2) {
        double a = x + k, b = x + (k + 1), both = 1 / (a * b), over_a = both * b, over_b = both * a;
        sum += special_small_power(over_a, n) * over_a + special_small_power(over_b, n) * over_b;
    }
    double over = 1 / (x + steps), first = special_small_power(over, n), power = first * over;
    double rising = s * power * over, rest = 0;
#pragma GCC unroll 9
    for (int k = 0; k < terms; k++) {
        rest += special_bernoulli[k] * rising;
        rising *= (s + 2 * k + 1) * (s + 2 * k + 2) * (over * over);
    }
    sum += first / n + power / 2 + rest;
    double factor =
        special_choose(n > 2, special_choose(n == 3, 6, -24), special_choose(n == 1, 1, -2));
    return factor * special_choose(x == HUGE_VAL, 0, sum);
}

/* derivative number n of digamma, n rounded to a whole number from 0 to 170 */
static inline double special_polygamma(bool brief, double x, double n)
{
    n = rint(n);
    if (special_is_near(x, n))
        return special_polygamma_near(brief, x, n);
    if (!(n >= 0 && n <= 170) || isnan(x) || x == -HUGE_VAL)
        return (double)NAN;
    if (n == 0)
        return special_digamma(x);
    double s = n + 1, sign = fmod(n, 2) == 0 ? -1 : 1, factor = sign * tgamma(s);
    if (x == HUGE_VAL)
        return sign * 0.0;
    if (x <= 0 && x == floor(x))
        return sign * HUGE_VAL;
    if (x > 0)
        return factor * special_zeta(s, x);
    if (x > -0.25)
        return factor * (pow(x, -s) + special_zeta(s, x + 1));
    /* the sum over all integers, which is periodic and for even n 0 at halves, less that over those
     * below 0 */
    double f = x - floor(x), all = special_zeta(s, f) + sign * special_zeta(s, 1 - f);
    return factor * (all - sign * special_zeta(s, 1 - x));
}

#undef SPECIAL_INLINE
#undef LOG_2_HIGH
#undef LOG_2_LOW
#undef HORNER
#undef QUOTIENT

#endif
