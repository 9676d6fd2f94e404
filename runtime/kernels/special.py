"""Writes special_tables.h, polynomials and quotients of polynomials, fitted with mpmath:

    python3 runtime/kernels/special.py | clang-format >runtime/kernels/special_tables.h

Each minimises the squares of the relative errors at Chebyshev points, as a linear problem whose
weights are found by repetition [Loeb1957]. Before a table stands its largest relative error.
"""

from mpmath import (cos, erf, erfc, erfinv, exp, expm1, findroot, log, loggamma, lu_solve, matrix,
                    mp, mpf, pi, psi, sin, sqrt)

mp.dps = 50
TINY = mpf(2) ** -60


def value(coefficients, x):
    total = mpf(0)
    for coefficient in reversed(coefficients):
        total = total * x + coefficient
    return total


def fit(f, low, high, m, n, weight):
    """p of degree m and q of degree n, q(0) = 1, with p / q near f; and their largest error."""
    count = 4 * (m + n + 1)
    points = [(high + low) / 2 + (high - low) / 2 * cos((2 * i + 1) * pi / (2 * count))
              for i in range(count)]
    values = [f(x) for x in points]
    p, q = [], [mpf(1)]
    for _ in range(5):
        rows, right = matrix(count, m + n + 1), matrix(count, 1)
        for i, (x, y) in enumerate(zip(points, values)):
            factor = weight(x) / abs(y * value(q, x))
            for k in range(m + 1):
                rows[i, k] = factor * x**k
            for k in range(1, n + 1):
                rows[i, m + k] = -factor * y * x**k
            right[i] = factor * y
        solution = list(lu_solve(rows, right))
        p, q = solution[:m + 1], [mpf(1)] + solution[m + 1:]
    error = max(abs(weight(x) * (value(p, x) / value(q, x) / y - 1))
                for x, y in zip(points, values))
    return p, q, error


def table(name, coefficients):
    print(f"static const double special_{name}[] = {{{', '.join(repr(float(c)) for c in coefficients)}}};")


def fitted(name, f, low, high, *both, weight=lambda x: 1, scale=1):
    """The tables for float64 and, if need be, float32; degrees are given: of p, or of p and q. The
    weight of a point is how much of an error there is the result's. Where p and q are multiplied by
    `scale`, rounding may do less harm."""
    for suffix, degrees in zip(("", "_brief"), both):
        p, q, error = fit(f, mpf(low), mpf(high), *(*degrees, 0)[:2], weight)
        p, q = [scale * c for c in p], [scale * c for c in q]
        print(f"\n/* {mp.nstr(error, 2)} */")
        table(name + "_p" * (len(degrees) == 2) + suffix, p)
        if len(degrees) == 2:
            table(name + "_q" + suffix, q)


def log_rest(z):
    """log(1 + f) = f - f^2 / 2 + s (f^2 / 2 + z log_rest(z)), where s = f / (2 + f), z = s^2."""
    s = sqrt(z)
    f = 2 * s / (1 - s)
    return ((log(1 + f) - f + f * f / 2) / s - f * f / 2) / z


def erfinv_near(v):
    """erfinv(y) = sqrt(pi) / 2 y + y^3 erfinv_near(split - y^2)."""
    y = sqrt(split - v)
    return (erfinv(y) / y - sqrt(pi) / 2) / y**2


def erfinv_far(r):
    """x - r for the x with erfc(x) = exp(-r^2), by Newton's rule."""
    x = r * mpf(0.95)
    for _ in range(12):
        x += (log(erfc(x)) + r * r) * erfc(x) * sqrt(pi) / 2 * exp(x * x)
    return x - r


def erfinv_near_float(w):
    """erfinv(y) = y erfinv_near_float(w), where w = -log(1 - y^2)."""
    y = sqrt(1 - exp(-w))
    return erfinv(y) / y


def erfinv_far_float(r):
    """erfinv(y) = erfinv_far_float(sqrt(w) - 3), by Newton's rule."""
    y_left = exp(-(r + 3)**2)
    y_left = y_left / (1 + sqrt(1 - y_left))
    x = r + 3
    for _ in range(20):
        x += log(erfc(x) / y_left) * erfc(x) * sqrt(pi) / 2 * exp(x * x)
    return x


def stirling(t):
    x = 1 / sqrt(t)
    return (loggamma(x) - (x - 0.5) * log(x) + x - log(2 * pi) / 2) * x


def digamma_far(t):
    x = 1 / sqrt(t)
    return (log(x) - 0.5 / x - psi(0, x)) / t


def expm1_rest(r):
    """e^r - 1 = r + r^2 expm1_rest(r)"""
    return (expm1(r) - r) / r**2


def log_rest_float(f):
    """log(1 + f) = f + f^2 log_rest_float(f)"""
    return (log(1 + f) - f) / f**2


def expm1_influence(r):
    """of a relative error of expm1_rest(r) on e^r - 1"""
    return r**2 * expm1_rest(r) / abs(expm1(r))


def log1p_near(z):
    """log(1 + e) = s log1p_near(z), where s = e / (2 + e), z = s^2."""
    s = sqrt(z)
    return log((1 + s) / (1 - s)) / s


def erf_log(x):
    """erf(x) = 1 - exp(-x erf_log(x))"""
    return -log(erfc(x)) / x


def erf_log_influence(x):
    """of a relative error of erf_log(x) on erf(x)"""
    return x * erf_log(x) * erfc(x) / erf(x)


def erfc_tail(t):
    """erfc(t) = exp(-t^2) erfc_tail(t)"""
    return erfc(t) * exp(t * t)


def normal_tail(t):
    """The normal distribution function at -t is exp(-t^2 / 2) normal_tail(t)."""
    return erfc(t / sqrt(2)) * exp(t * t / 2) / 2


def erf_rest(x):
    """erf(x) = 1 - e^-t, where t = 2 / sqrt(pi) x + x^2 erf_rest(x)"""
    return (erf_log(x) - 2 / sqrt(pi)) / x


def erf_influence(x):
    """of a relative error of erf_rest(x) on erf(x)"""
    return x**2 * erf_rest(x) * erfc(x) / erf(x)


root = findroot(lambda x: psi(0, x), 1.46)
split = mpf(0.65)  # of y^2
print("""/*
 * special_tables.h - the coefficients of special.h and special_float.h, lowest power first;
 * special.py writes them
 *
 * Before each, or each p and q of a quotient p / q, stands the largest relative error. The brief
 * ones are for results that become floats.
 */
#ifndef SPECIAL_TABLES_H
#define SPECIAL_TABLES_H

/* the zero of digamma above 0, less 1, and what a double leaves of it */""")
table("digamma_zero", [root - 1, root - 1 - mpf(float(root - 1))])
fitted("log_rest", log_rest, TINY, mpf(0.02945), [6], [5])
fitted("sine", lambda t: sin(pi * sqrt(t)) / (pi * sqrt(t)), TINY, 0.25, [8])
fitted("erfinv_near", erfinv_near, 0, split - TINY, [7, 7])
fitted("erfinv_far", erfinv_far, sqrt(-log(1 - sqrt(split))), 6.0701, [8, 8])
fitted("erfinv_near_float", erfinv_near_float, TINY, 3, [7])
fitted("erfinv_far_float", erfinv_far_float, sqrt(mpf(3)) - 3, 1, [7])
fitted("erf", erf_rest, mpf(2) ** -30, 5.95, [7, 7], weight=erf_influence)
fitted("gamma_near", lambda v: loggamma(v + 1) / (v * (v - 1)), TINY, 3, [8, 8], [7, 6])
fitted("gamma_far", stirling, TINY, 1 / mpf(16), [10], [6])
fitted("digamma_near", lambda v: psi(0, v + 1) / (v + 1 - root), 0, 3, [7, 7])
fitted("digamma_far", digamma_far, TINY, 1 / mpf(16), [10])
fitted("exp_rest", expm1_rest, -log(2) / 2, log(2) / 2, [9])
fitted("log1p_series", log1p_near, TINY, 1 / mpf(9), [11])
fitted("exp_wide", expm1_rest, -log(2), log(2), [5],
       weight=lambda r: r**2 * expm1_rest(r) / exp(r))
fitted("expm1_wide", expm1_rest, -log(2), log(2), [5], weight=expm1_influence)
fitted("expm1_near", expm1_rest, -log(2) / 2, log(2) / 2, [4], weight=expm1_influence)
fitted("erf_log", erf_log, TINY, 3.93, [7], weight=erf_log_influence)
fitted("erfc_tail", erfc_tail, 0, 10.1, [4, 5], scale=1.28)
fitted("log_rest_float", log_rest_float, sqrt(mpf(0.5)) - 1, sqrt(mpf(2)) - 1, [7],
       weight=lambda f: 1 - f / log(1 + f))
fitted("log2_over", lambda f: log(1 + f) / f / log(2), sqrt(mpf(0.5)) - 1, sqrt(mpf(2)) - 1, [12])
fitted("log_sine", lambda u: log(sin(pi * sqrt(u)) / (pi * sqrt(u))) / u, TINY, 0.25, [12])
fitted("exp2_part", lambda r: 2**r, -0.5, 0.5, [6])
fitted("log1p_near", log1p_near, TINY, 1 / mpf(9), [4])
fitted("normal_tail", normal_tail, 0, 14.3, [4, 5], scale=1.75)
print("\n#endif")
