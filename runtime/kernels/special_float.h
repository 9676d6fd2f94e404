/*
 * special_float.h - functions of a float, in floats; see special.h
 *
 * Twice the lanes of special.h, where rounding on the way does no harm (pow and lgamma are in double
 * where it would): good to 1 to 6 units in the last place, ops.def states each bound. Neither NaN nor
 * infinity takes longer than a number.
 */
#ifndef SPECIAL_FLOAT_H
#define SPECIAL_FLOAT_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/special.h"
#include "tensor/base.h"

#define LOG_2_HIGH 0x1.62e4p-1f /* of few bits, so that small whole numbers times it are exact */
#define LOG_2_LOW 0x1.7f7d1cp-20f
#define LOG_2 0x1.62e43p-1f
#define LOG_2_INVERSE 0x1.715476p+0f
#define ROOT 0x3f3504f3U /* the bits of sqrt(0.5) */

INLINED uint32_t float_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

INLINED float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* `condition ? a : b` without a branch */
INLINED float float_choose(bool condition, float a, float b)
{
    uint32_t mask = -(uint32_t)condition;
    return float_of_bits((float_bits(a) & mask) | (float_bits(b) & ~mask));
}

/* Does x lie between two floats of one sign, the outer one last? By bits: a compiler that knew of
 * x > 0 in what surrounds a call would branch on it. */
INLINED bool float_is_between(float x, float inner, float outer)
{
    return float_bits(x) - float_bits(inner) <= float_bits(outer) - float_bits(inner);
}

/* x, but not above a positive bound; where it is NaN, any number or NaN */
INLINED float float_at_most(float x, float bound)
{
    int32_t bits = (int32_t)float_bits(x), most = (int32_t)float_bits(bound);
    return float_of_bits((uint32_t)(bits < most ? bits : most));
}

/* the polynomial with the terms c[k] factor unit^k x^k */
INLINED float float_scaled_horner(int terms, const double *c, double factor, double unit, float x)
{
    float y = (float)(c[terms - 1] * factor * __builtin_powi(unit, terms - 1));
#pragma GCC unroll 16
    for (int k = terms - 2; k >= 0; k--)
        y = fmaf(y, x, (float)(c[k] * factor * __builtin_powi(unit, k)));
    return y;
}

INLINED float float_horner(int terms, const double *c, float x)
{
    return float_scaled_horner(terms, c, 1, 1, x);
}

/* p / q at x, their even and odd powers apart, which rounds less often */
INLINED float float_quotient(int p_terms, const double *p, int q_terms, const double *q, float x)
{
    float square = x * x, sum[2][2] = {{0}};
#pragma GCC unroll 16
    for (int k = p_terms - 1; k >= 0; k--)
        sum[0][k % 2] = k + 2 < p_terms ? fmaf(sum[0][k % 2], square, (float)p[k]) : (float)p[k];
#pragma GCC unroll 16
    for (int k = q_terms - 1; k >= 0; k--)
        sum[1][k % 2] = k + 2 < q_terms ? fmaf(sum[1][k % 2], square, (float)q[k]) : (float)q[k];
    return fmaf(sum[0][1], x, sum[0][0]) / fmaf(sum[1][1], x, sum[1][0]);
}

#define TERMS(table) ((int)(sizeof(table) / sizeof((table)[0])))
#define HORNER(table, x) float_horner(TERMS(table), table, x)
#define WIDE_HORNER(table, x) special_horner(TERMS(table), table, x)
#define QUOTIENT(table, x)                                                                         \
    float_quotient(TERMS(table##_p), table##_p, TERMS(table##_q), table##_q, x)

/* x = n step + r, n whole: r; n, which is at most 65 if `stops`; and the power of 2 2^(n + more) */
INLINED float float_reduce(float step, float inverse, int more, bool stops, float x, float *n,
                           float *power)
{
    /* What is added to it is rounded to a whole number, which stands in the lowest bits. */
    const float shift = 0x1.8p23f + (float)(127 + more);
    float shifted = fmaf(x, inverse, shift);
    shifted = stops ? float_at_most(shifted, shift + 65) : shifted;
    *n = shifted - shift;
    *power = float_of_bits(float_bits(shifted) << 23);
    return fmaf(-*n, step, x);
}

/* e^x = root^2 e^r, since no float has the square for the least x, nor for the greatest. x is at
 * least -150; above 89 r, and so e^r, take what the root leaves out unless x `is_near`. */
INLINED float float_exp_root(bool is_near, float x, float *root)
{
    float n, r = float_reduce(2 * LOG_2_HIGH, LOG_2_INVERSE / 2, 0, !is_near, x, &n, root);
    return fmaf(-n, 2 * LOG_2_LOW, r);
}

/* 2^x = root^2 e^r, likewise */
INLINED float float_exp2_root(bool is_near, float x, float *root)
{
    float n;
    return float_reduce(2, 0.5f, 0, !is_near, x, &n, root) * LOG_2;
}

/* e^(unit (x + small)) = power e^(unit r) / 2^more, for unit x from -104 to 0; the unit is a power
 * of 2 or the negative of one, so that constants alone are multiplied by it */
INLINED float float_exp_power(float unit, float x, float small, int more, float *power)
{
    float n, r = float_reduce(LOG_2_HIGH / unit, LOG_2_INVERSE * unit, more, false, x, &n, power);
    return r + fmaf(-n, LOG_2_LOW / unit, small);
}

/* a b, at most 2^-126 where `is_small`: a multiplication with a subnormal result takes 50 times as
 * long, one with an addition and a subtraction of bits does not */
INLINED float float_small_product(bool is_small, float a, float b)
{
    uint32_t least = -(uint32_t)is_small & 0x00800000; /* 2^-126, or 0 */
    return float_of_bits(float_bits(fmaf(a, b, float_of_bits(least))) - least);
}

/* e^r times the root */
INLINED float float_exp_once(float r, float root)
{
    return fmaf(fmaf(HORNER(special_exp_wide, r), r, 1), r, 1) * root;
}

/* x, but at least a negative bound, where it is below `edge`, and so what is made of it small */
INLINED float float_bounded(float x, float edge, float bound, bool *is_small)
{
    const uint32_t least = float_bits(bound), bits = float_bits(x);
    *is_small = float_is_between(x, edge, -HUGE_VALF);
    return float_choose(*is_small, float_of_bits(bits < least ? bits : least), x);
}

/* e^x, or 2^x if `binary`; is_near: |x| is at most 87, which takes two thirds of the steps */
INLINED float float_power(bool is_near, bool binary, float x)
{
    bool is_small = false;
    float edge = binary ? -126.01f : -87.34f, bound = binary ? -151 : -104, root;
    float bounded = is_near ? x : float_bounded(x, edge, bound, &is_small);
    float r =
        binary ? float_exp2_root(is_near, bounded, &root) : float_exp_root(is_near, bounded, &root);
    float once = float_exp_once(r, root);
    return is_near ? once * root : float_small_product(is_small, once, root);
}

INLINED float special_exp_float(bool is_near, float x)
{
    return float_power(is_near, false, x);
}

INLINED float special_exp2_float(bool is_near, float x)
{
    return float_power(is_near, true, x);
}

/* 1 / (1 + e^-x) */
INLINED float special_sigmoid_float(float x)
{
    float root, r = float_exp_root(false, x > 20 ? -20 : -x, &root);
    return 1 / fmaf(float_exp_once(r, root), root, 1);
}

/* e^x - 1 */
INLINED float special_expm1_float(float x)
{
    float root, r = float_exp_root(false, x < -20 ? -20 : x, &root);
    float p = fmaf(r * r, HORNER(special_expm1_wide, r), r);
    float over = float_of_bits(0x7f000000 - float_bits(root)); /* 1 / root */
    return copysignf(root * fmaf(root, p, root - over), x);
}

/* e^r - 1 for an r of float_exp_power */
INLINED float float_expm1_near(float r)
{
    return fmaf(r * r, HORNER(special_expm1_near, r), r);
}

/* e^x - 1 for x from -30 to 0: what log 2 loses as a float is n 2^n times 2e-9, beside 2^n - 1 */
INLINED float float_expm1_below(float x)
{
    float n, power, r = float_reduce(LOG_2, LOG_2_INVERSE, 0, false, x, &n, &power);
    return fmaf(power, float_expm1_near(r), power - 1);
}

/* from e^-2|x| - 1 */
INLINED float special_tanh_float(float x)
{
    float twice = -2 * fabsf(x), e = float_expm1_below(twice < -20 ? -20 : twice);
    return copysignf(e / (2 + e), x);
}

/* 1 - e^-g, where g = |x| times a polynomial */
INLINED float special_erf_float(float x)
{
    float size = fabsf(x);
    size = size > 3.93f ? 3.93f : size;
    return copysignf(float_expm1_below(-size * HORNER(special_erf_log, size)), x);
}

/* (e^(unit r) - 1) / r for an r of float_exp_power */
INLINED float float_expm1_over(float unit, float r)
{
    return fmaf(
        float_scaled_horner(TERMS(special_expm1_near), special_expm1_near, unit * unit, unit, r), r,
        unit);
}

/* y e^(unit t^2), the rounding of the square made up for; subnormal where unit t^2 < edge, and far
 * from that where `is_near` */
INLINED float float_times_exp_square(bool is_near, float y, float t, float unit, float edge)
{
    float square = t * t, power;
    float r = float_exp_power(unit, square, fmaf(t, t, -square), is_near ? 0 : 64, &power);
    float product = fmaf(y * r, float_expm1_over(unit, r), y) * power;
    return is_near ? product : float_small_product(square > edge / unit, product, 0x1p-64f);
}

/* At |x| that is exp(-x^2) times a quotient, and where x < 0 what is left of 2. Its five roundings
 * of half a unit or more, of p, q, p / q and twice of the exponential, come to 4.2 at worst. */
INLINED float special_erfc_float(float x)
{
    float t = fabsf(x);
    t = float_choose(t > 10.1f, 10.1f, t);
    float y = float_times_exp_square(false, QUOTIENT(special_erfc_tail, t), t, -1, -84.55f);
    return x < 0 ? 2 - y : y;
}

/* x is positive, normal and finite where its bits are at most so far behind the least such one's */
#define USUAL_BITS(x) (float_bits(x) - 0x800000)
#define MOST_USUAL_BITS 0x7effffff

/* 1 / sqrt(x) to 0.51 ulp, of subnormals to 1.5: half the exponent and a line for the mantissa are
 * within 0.035 of it; then come three terms of the series in what 1 - x y^2 is, and once more the
 * first, with what rounding took from it. A division and a root take twice as long. is_near: x is
 * positive, normal and finite. */
INLINED float special_rsqrt_float(bool is_near, float x)
{
    float y = float_of_bits(0x5f375a86 - (float_bits(x) >> 1));
    float lack = fmaf(-x * y, y, 1);
    y = fmaf(y * lack, fmaf(lack, fmaf(lack, 0.3125f, 0.375f), 0.5f), y);
    float product = x * y;
    lack = fmaf(-fmaf(x, y, -product), y, fmaf(-product, y, 1));
    y = fmaf(y * lack, 0.5f, y);
    return is_near ? y : float_choose(USUAL_BITS(x) <= MOST_USUAL_BITS, y, 1 / sqrtf(x));
}

/* log(1 + f) for f from sqrt(0.5) - 1 to sqrt(2) - 1 */
INLINED float float_log_near_1(float f)
{
    return fmaf(f * f, HORNER(special_log_rest_float, f), f);
}

/* The bits of m, for which the logarithm of x is made; or of what makes that -infinity, infinity or
 * NaN, as x is 0, infinite, or negative or NaN. */
INLINED uint32_t float_log_edges(float x, uint32_t m)
{
    uint32_t bits = float_bits(x);
    m = bits > 0x7f7fffff ? bits | -(bits >> 31) : m;
    return x == 0 ? bits | 0xff800000 : m;
}

/* x = 2^k m with m from sqrt(0.5) to sqrt(2): m - 1, and k times 2^23. The bits of a subnormal are
 * a whole number, which becomes a float; that of others is 2^23, whose float has no influence.
 * is_near: x is positive, normal and finite, which takes half the steps. */
INLINED float float_log_parts(bool is_near, float x, float *k)
{
    uint32_t bits = float_bits(x), smallest = 0x800000;
    uint32_t small = bits < smallest ? bits : smallest, large = bits > smallest ? bits : smallest;
    uint32_t from_root =
        is_near ? bits - ROOT : large + float_bits((float)(int32_t)small) - (150U << 23) - ROOT;
    uint32_t exponent = from_root & 0xff800000, m = (from_root & 0x7fffff) + ROOT;
    *k = (float)(int32_t)exponent;
    return float_of_bits(is_near ? bits - exponent : float_log_edges(x, m)) - 1;
}

/* the same of an x that is not subnormal, and `exponent` is k itself, 23 bits up */
INLINED float float_log_normal_parts(float x, uint32_t *exponent)
{
    uint32_t bits = float_bits(x);
    *exponent = (bits - ROOT) & 0xff800000;
    return float_of_bits(float_log_edges(x, bits - *exponent)) - 1;
}

/* in double, as special_log; NaN where x is 0 or infinite */
INLINED double float_wide_log(float x)
{
    float k, near_1 = float_log_parts(false, x, &k);
    double f = (double)near_1, s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    double rest = s * fma(z, WIDE_HORNER(special_log_rest_brief, z), half);
    return fma((double)k, 0x1.62e42fefa39efp-24, f - (half - rest));
}

INLINED float special_log_float(bool is_near, float x)
{
    float k, f = float_log_parts(is_near, x, &k);
    return fmaf(k, LOG_2 * 0x1p-23f, float_log_near_1(f));
}

/* whole numbers at powers of 2 */
INLINED float special_log2_float(bool is_near, float x)
{
    float k, f = float_log_parts(is_near, x, &k);
    return fmaf(float_log_near_1(f), LOG_2_INVERSE, k * 0x1p-23f);
}

/* whole numbers at powers of 10 */
INLINED float special_log10_float(bool is_near, float x)
{
    const float high = 0x1.344p-25f, low = 0x1.3509f8p-41f; /* log10(2) 2^-23 */
    float k, f = float_log_parts(is_near, x, &k);
    return fmaf(k, high, fmaf(float_log_near_1(f), 0x1.bcb7b2p-2f, k * low)); /* 1 / log(10) */
}

/* log(1 + x): 1 + x is u + lost, and u is 2^k m. Where u is 1 it is x. */
INLINED float special_log1p_float(float x)
{
    const float largest = 0x1.fffffep127f;
    float u = 1 + x, rest = u - 1, lost = x - (rest < largest ? rest : largest);
    uint32_t is_1 = -(uint32_t)(u == 1), exponent;
    float quarter_lost = 0.25f * float_of_bits(float_bits(lost) & ~is_1);
    float f = float_log_normal_parts(u, &exponent);
    f = fmaf(quarter_lost, float_of_bits((129U << 23) - exponent), f);
    float y = fmaf((float)(int32_t)exponent, LOG_2 * 0x1p-23f, float_log_near_1(f));
    return float_of_bits((float_bits(x) & is_1) | float_bits(y)); /* y is 0 where u is 1 */
}

/* The x for which erf(x) = y, by w = -log(1 - y^2): next to 0 it is y times a polynomial in that,
 * and far from 0 one in its root [Giles2010]. */
INLINED float special_erfinv_float(float y)
{
    uint32_t exponent;
    float f = float_log_normal_parts(fmaf(-y, y, 1), &exponent);
    float w = -fmaf((float)(int32_t)exponent, LOG_2 * 0x1p-23f, float_log_near_1(f));
    float near = y * HORNER(special_erfinv_near_float, w);
    float far = HORNER(special_erfinv_far_float, sqrtf(w) - 3);
    return float_choose(w < 3, near, copysignf(far, y));
}

/*
 * a to the power b: the logarithm of |a| to base 2 and 2 to the power of its product with b, to 2^-35
 * and 2^-29 in double, so that the result is rounded once. An edge of a is one of the logarithm.
 */
INLINED float special_pow_float(float a, float b)
{
    const uint32_t sign = 0x80000000, one = 0x3f800000;
    const double shift = 0x1.8p52; /* what is added to it is rounded to a whole number */
    const uint64_t most = 0x4069000000000000, highest = UINT64_C(1) << 63; /* 200; the sign */
    uint32_t a_bits = float_bits(a), size = a_bits & ~sign;
    float k, near_1 = float_log_parts(false, float_of_bits(size), &k);
    double f = (double)near_1, whole = (double)(k * 0x1p-23f);
    double t = (double)b * fma(f, WIDE_HORNER(special_log2_over, f), whole);
    uint64_t bits, unit;
    memcpy(&bits, &t, sizeof bits);
    bits = fabs(t) > 200 ? (bits & highest) | most : bits; /* the float is 0 or infinite there */
    memcpy(&t, &bits, sizeof t);
    double shifted = t + shift, y = WIDE_HORNER(special_exp2_part, t - (shifted - shift));
    memcpy(&unit, &shifted, sizeof unit);
    memcpy(&bits, &y, sizeof bits);
    bits += unit << 52;
    memcpy(&y, &bits, sizeof y);
    /* 1 where b is 0 or a is 1, whatever the other is */
    uint32_t is_1 = -(uint32_t)((float_bits(b) & ~sign) == 0) | -(uint32_t)(size == one);
    uint32_t power = (float_bits((float)y) & ~is_1) | (one & is_1);
    /* below 0: NaN unless b is whole, and negative where it is odd */
    float half = 0.5f * b;
    uint32_t nan = rintf(b) != b ? 0x7fc00000 : 0, odd = rintf(half) != half ? sign : 0;
    power |= a_bits & odd & ~(nan << 1);
    return float_of_bits(power | (a_bits - sign - 1 < 0x7f7fffff ? nan : 0));
}

/*
 * log |gamma(x)| = c log |x| + rest, as in special_log_gamma, whose digits the zeros below 0 need;
 * there it is -(log |sin(pi x) / pi| + log |x| + log |gamma(-x)|). is_near: x is not below 0, which
 * takes half the time.
 */
INLINED float special_log_gamma_float(bool is_near, float x)
{
    const uint32_t one = 0x3f800000, sign = 0x80000000;
    float size = fabsf(x);
    double wide = (double)size, log_size = float_wide_log(size);
    bool is_small = size < 4;
    uint32_t below_1 = -(uint32_t)(size < 1);
    double v = (double)(size - float_of_bits(one & ~below_1));
    float c = float_choose(is_small, float_of_bits((one | sign) & below_1), size);
    double q = WIDE_HORNER(special_gamma_near_q_brief, v);
    double over = 1 / special_choose(is_small, q, wide);
    double near = v * (v - 1) * WIDE_HORNER(special_gamma_near_p_brief, v) * over;
    double far = fma(over, WIDE_HORNER(special_gamma_far_brief, over * over),
                     0.91893853320467274178 - wide); /* log(2 pi) / 2 */
    far = fma(-0.5, log_size, far);
    double y = special_choose(is_small, near, far);
    bool is_infinite = (size == 0) | (size == HUGE_VALF);
    if (!is_near) {
        float part = size - rintf(size);
        double square = (double)part * (double)part;
        double sine =
            fma(square, WIDE_HORNER(special_log_sine, square), float_wide_log(fabsf(part)));
        y += special_choose(x < 0, sine + log_size, 0);
        is_infinite |= (x < 0) & (part == 0);
    }
    y = fma((double)c, log_size, y);
    float result = float_of_bits(float_bits((float)y) ^ (x < 0 ? sign : 0));
    return float_choose(is_infinite, HUGE_VALF, result);
}

/* log(1 + e^x) for x <= 0, by the series of atanh, since e^x is at most 1; s without its smallest
 * values, whose squares would be subnormal */
INLINED float special_log1p_exp_float(float x)
{
    const float least = 0x1p-38f, scale = 0x1p-64f;
    float power, r = float_exp_power(1, x < -104 ? -104 : x, 0, 64, &power);
    float e = fmaf(float_expm1_near(r), power, power), quotient = e / fmaf(e, scale, 2);
    float s = fmaf(quotient, scale, least) - least;
    return float_small_product(x < -87.34f, quotient * HORNER(special_log1p_near, s * s), scale);
}

/* x times the normal distribution function at x. At -t that is exp(-t^2 / 2) times a quotient;
 * where x > 0 it is 1 less that at -x. is_near: |x| is at most 12. */
INLINED float special_gelu_float(bool is_near, float x)
{
    float t = is_near ? fabsf(x) : float_at_most(fabsf(x), 16); /* NaN comes back with x */
    float y =
        float_times_exp_square(is_near, t * QUOTIENT(special_normal_tail, t), t, -0.5f, -86.42f);
    return (x < 0 ? -0.0f : x) - y;
}

#undef LOG_2_HIGH
#undef LOG_2_LOW
#undef LOG_2_INVERSE
#undef LOG_2
#undef ROOT
#undef HORNER
#undef WIDE_HORNER
#undef QUOTIENT
#undef TERMS

INLINED float float_exp(float x)
{
    return special_exp_float(false, x);
}

INLINED float float_log(float x)
{
    return special_log_float(false, x);
}

/* of either type */
#define special_exp_of(x) _Generic((x), float : float_exp, double : (exp))(x)
#define special_log_of(x) _Generic((x), float : float_log, double : (log))(x)

#endif
