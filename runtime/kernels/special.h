/*
 * special.h - functions that the C library does not have
 *
 * All in double, whose rounding to float is the best a float can be; good to about 1e-14 relative
 * but next to their zeros. The gamma functions: [Abramowitz1972] 6.3, 6.4 and 23.2; the inverse of
 * erf starts from [Giles2010] and is polished by Halley's rule.
 */
#ifndef SPECIAL_H
#define SPECIAL_H

#include <math.h>

static inline double special_log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign); /* lgamma would write a global */
}

/* pi / tan(pi x), exact about x modulo 1 */
static inline double special_cotangent(double x)
{
    const double pi = 3.14159265358979323846;
    return pi / tan(pi * (x - rint(x)));
}

/* the derivative of log gamma; the poles below 0 are NaN */
static inline double special_digamma(double x)
{
    /* B(2k) / 2k */
    static const double term[] = {1.0 / 12,   -1.0 / 120, 1.0 / 252,
                                  -1.0 / 240, 1.0 / 132,  -691.0 / 32760};
    double reflected = 0;
    if (x == 0)
        return copysign(HUGE_VAL, -x);
    if (x < 0) {
        if (x == floor(x))
            return (double)NAN;
        reflected = -special_cotangent(x);
        x = 1 - x;
    }
    double sum = 0;
    for (; x < 12; x += 1)
        sum -= 1 / x;
    double series = 0, square = 1 / (x * x);
    for (int k = 5; k >= 0; k--)
        series = (series + term[k]) * square;
    return reflected + sum + log(x) - 0.5 / x - series;
}

/* sum of (x + k)^-s over k >= 0, for whole s >= 2 and x > 0, by Euler and Maclaurin */
static inline double special_zeta(double s, double x)
{
    /* B(2k) / (2k)! */
    static const double term[] = {1.0 / 12,          -1.0 / 720,
                                  1.0 / 30240,       -1.0 / 1209600,
                                  1.0 / 47900160,    -691.0 / 1307674368000,
                                  1.0 / 74724249600, -3617.0 / 10670622842880000};
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

/* derivative number n of digamma, n rounded to a whole number from 0 to 170 */
static inline double special_polygamma(double x, double n)
{
    n = rint(n);
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

/* x nearer to where erf(x) = size, which is 1 - rest */
static inline double special_erfinv_step(double x, double size, double rest)
{
    /* far from 0 the difference of what is left of 1 keeps its digits */
    double below = erf(x) - size, above = rest - erfc(x);
    double newton = (size < 0.5 ? below : above) * exp(x * x) * 0.88622692545275801365;
    return x - newton / (1 + x * newton);
}

/* the x for which erf(x) = y; no branches, so that loops become vectors */
static inline double special_erfinv(double y)
{
    double size = fabs(y), rest = 1 - size, w = -log(rest * (1 + size));
    double c = w - 2.5, t = sqrt(w) - 3, tail = w + 0.12078223763524522; /* log(2 / sqrt(pi)) */
    double near =
        size * (1.50140941 + c * (0.246640727 +
                                  c * (-0.00417768164 + c * (-0.00125372503 + c * 0.00021858087))));
    double far = size * (2.83297682 + t * (1.00167406 + t * (0.00943887047 + t * -0.0076224613)));
    double farthest = sqrt(tail - 0.5 * log(tail));
    double x = w < 5 ? near : w < 12 ? far : farthest;
    x = special_erfinv_step(special_erfinv_step(x, size, rest), size, rest);
    x = size == 1 ? HUGE_VAL : x;
    return copysign(size > 1 ? (double)NAN : x, y);
}

#endif
