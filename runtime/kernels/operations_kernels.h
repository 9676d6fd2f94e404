/*
 * operations_kernels.h - the kernels of ops.def for one compute type; see operations.c
 *
 * Before the include: T is the type, NAME(x) pastes the type's suffix, HAS_GRADIENTS says whether
 * derivatives are compiled, and the functions that the rows call are defined for T. There is no
 * guard: it is meant to be read several times.
 *
 * A kernel takes n elements, a multiple of LANES, from contiguous blocks. Vector code without a
 * scalar remainder computes every element with the same instructions, wherever it stands. It writes
 * T, or of a BOOLEAN row bytes of 0 and 1.
 */
#define eq(a, b) ((T)((a) == (b)))
#define ne(a, b) ((T)((a) != (b)))
#define lt(a, b) ((T)((a) < (b)))
#define le(a, b) ((T)((a) <= (b)))
#define gt(a, b) ((T)((a) > (b)))
#define ge(a, b) ((T)((a) >= (b)))
#define where NAME(choice)
#define maximum NAME(larger)
#define minimum NAME(smaller)
#define distance NAME(distance)
#define clamp(x, low, high) minimum(maximum(x, low), high)
#define within(x, bound) clamp(x, -(bound), bound)
#define nonzero NAME(nonzero)
#define cosine(a, b, h) (within(a, LARGEST) / within(nonzero(h), LARGEST))
#define over_squares(x, a, b) ((x) / nonzero(hypot(a, b)) / nonzero(hypot(a, b)))
#define real(x) ((T)(x))
#define square(x) ((x) * (x))
#define softplus(x) (maximum(x, 0) + log1p_exp(-abs(x)))
/* tanh(softplus(x)), as a quotient of squares of 1 + e^x */
#define tanh_softplus(x) NAME(plus_quotient)(exp(at_most(x, 20)))
#define sign(x) ((T)(((x) > 0) - ((x) < 0)))

/* a function: both are computed, and then vectors need no masks for the one that is not wanted */
static inline T where(T a, T b, T c)
{
    return a != 0 ? b : c;
}

#if HAS_GRADIENTS
/* ((1 + e)^2 - 1) / ((1 + e)^2 + 1) */
static inline T NAME(plus_quotient)(T e)
{
    T product = e * (e + 2);
    return product / (product + 2);
}
#endif

/* `inputs(DO)` does something with each variable and its index in `in`. The pointers are taken out of
 * `in` before the loop, since stores of bytes might change it for all that a compiler knows. */
#define POINTER(variable, k) const T *const variable##_in = in[k];
#define ELEMENT(variable, k)                                                                       \
    const T variable = variable##_in[i];                                                           \
    (void)variable;

#define COMPUTE(R, inputs, expression, near)                                                       \
    _Pragma("GCC ivdep") for (int64_t i = first; i < end; i++)                                     \
    {                                                                                              \
        inputs(ELEMENT);                                                                           \
        const bool is_near = near;                                                                 \
        (void)is_near;                                                                             \
        result[i] = (R)(expression);                                                               \
    }

/* A kernel goes by stretches, and first asks for the memory of the next, which a processor does not
 * do so far ahead where a function takes many steps. In few elements it all is at hand. */
#define FEW (16 * FETCHED)
#define FETCH(variable, k) fetch_ahead(variable##_in, end, sizeof(T));
#define STRETCHES(R, inputs, compute)                                                              \
    if (n % LANES != 0)                                                                            \
        __builtin_unreachable();                                                                   \
    R *result = out;                                                                               \
    inputs(POINTER);                                                                               \
    for (int64_t first = 0, end; first < n; first = end) {                                         \
        end = size_min(first + FETCHED, n);                                                        \
        if ((end - first) % LANES != 0)                                                            \
            __builtin_unreachable();                                                               \
        if (end < n && n > FEW) {                                                                  \
            inputs(FETCH);                                                                         \
            fetch_ahead(result, end, sizeof(R));                                                   \
        }                                                                                          \
        compute                                                                                    \
    }

#define KERNEL_TO(R, name, inputs, expression)                                                     \
    VECTORISED static void NAME(name)(int64_t n, void *out, const void *const *in)                 \
    {                                                                                              \
        STRETCHES(R, inputs, COMPUTE(R, inputs, expression, false))                                \
    }
#define KERNEL(name, inputs, expression) KERNEL_TO(T, name, inputs, expression)
/* the same with one loop for stretches of near arguments alone, and one for the rest: those are near
 * whose `measure` is at most `limit` */
#define NEAR_KERNEL(...) MEASURED_KERNEL(__VA_ARGS__)
#define MEASURED_KERNEL(measure, limit, name, inputs, expression)                                  \
    VECTORISED static void NAME(name)(int64_t n, void *out, const void *const *in)                 \
    {                                                                                              \
        STRETCHES(                                                                                 \
            T, inputs, uint32_t most = 0; for (int64_t i = first; i < end; i++) {                  \
                inputs(ELEMENT);                                                                   \
                const uint32_t measured = measure;                                                 \
                most = most > measured ? most : measured;                                          \
            } if (most <= (limit))                                                                 \
                COMPUTE(T, inputs, expression, true) else COMPUTE(T, inputs, expression, false))   \
    }
#define UNLESS(condition) (uint32_t) !(condition), 0
#define EVERYWHERE 0, 0

/* values */
#if HAS_GRADIENTS
#define VALUE_FLOATING KERNEL
#define VALUE_RANGED(name, ...) NEAR_KERNEL(NEAR_##name, name, __VA_ARGS__)
#define VALUE_POWER KERNEL
#define NEAR_exp EXP_RANGE
#define NEAR_exp2 EXP_RANGE
#define NEAR_rsqrt USUAL_RANGE
#define NEAR_log USUAL_RANGE
#define NEAR_log2 USUAL_RANGE
#define NEAR_log10 USUAL_RANGE
#define NEAR_gelu_erf GELU_RANGE
#define NEAR_lgamma UNLESS(!(x < 0))
#define NEAR_polygamma UNLESS(special_is_near(a, b))
#define VALUE_BITWISE(name, inputs, expression)
#define VALUE_SHIFT(name, inputs, expression)
#else
#define VALUE_FLOATING(name, inputs, expression)
#define VALUE_RANGED(name, inputs, expression)
#define VALUE_POWER(...) NEAR_KERNEL(UNLESS(is_small_power(a, b)), __VA_ARGS__)
#define VALUE_BITWISE KERNEL
#define VALUE_SHIFT KERNEL
#endif
#define VALUE_DIVISION(...) NEAR_KERNEL(UNLESS(IS_NEAR(a, b)), __VA_ARGS__)
#define VALUE_NUMERIC KERNEL
#define VALUE_COUNTING KERNEL
#define VALUE_SIGNED KERNEL
#define VALUE_BOOLEAN(name, inputs, expression) KERNEL_TO(uint8_t, name, inputs, (expression) != 0)
#define VALUE_SELECT KERNEL
#define INPUTS_1(DO) DO(x, 0)
#define INPUTS_2(DO) DO(a, 0) DO(b, 1)
#define INPUTS_3(DO) DO(a, 0) DO(b, 1) DO(c, 2)
#define UNARY(name, kind, value, dx, ...) VALUE_##kind(name, INPUTS_1, value)
#define BINARY(name, kind, value, da, db, ...) VALUE_##kind(name, INPUTS_2, value)
#define TERNARY(name, kind, value, da, db, dc, ...) VALUE_##kind(name, INPUTS_3, value)
#include "kernels/ops.def"
#undef UNARY
#undef BINARY
#undef TERNARY
#undef INPUTS_1
#undef INPUTS_2
#undef INPUTS_3

/* gradients: in[0] is g, in[1] is y, the arguments follow */
#if HAS_GRADIENTS
#define INPUTS_1(DO) DO(g, 0) DO(y, 1) DO(x, 2)
#define INPUTS_2(DO) DO(g, 0) DO(y, 1) DO(a, 2) DO(b, 3)
#define INPUTS_3(DO) DO(g, 0) DO(y, 1) DO(a, 2) DO(b, 3) DO(c, 4)
#define UNARY(name, kind, value, dx, ...) KERNEL(name##_dx, INPUTS_1, dx)
#define BINARY(name, kind, value, da, db, ...)                                                     \
    KERNEL(name##_da, INPUTS_2, da)                                                                \
    KERNEL(name##_db, INPUTS_2, db)
#define TERNARY(name, kind, value, da, db, dc, ...)                                                \
    KERNEL(name##_da, INPUTS_3, da)                                                                \
    KERNEL(name##_db, INPUTS_3, db)                                                                \
    KERNEL(name##_dc, INPUTS_3, dc)
#include "kernels/ops.def"
#undef UNARY
#undef BINARY
#undef TERNARY
#undef INPUTS_1
#undef INPUTS_2
#undef INPUTS_3
#endif

/* the table of this type's kernels, in the order of the rows */
#if HAS_GRADIENTS
#define LISTED_FLOATING(name) NAME(name)
#define LISTED_RANGED(name) NAME(name)
#define LISTED_BITWISE(name) NULL
#define LISTED_SHIFT(name) NULL
#define WITH_GRADIENTS(...) .gradient = {__VA_ARGS__}
#else
#define LISTED_FLOATING(name) NULL
#define LISTED_RANGED(name) NULL
#define LISTED_BITWISE(name) NAME(name)
#define LISTED_SHIFT(name) NAME(name)
#define WITH_GRADIENTS(...) .gradient = {NULL}
#endif
#define LISTED_NUMERIC(name) NAME(name)
#define LISTED_COUNTING(name) NAME(name)
#define LISTED_SIGNED(name) NAME(name)
#define LISTED_DIVISION(name) NAME(name)
#define LISTED_POWER(name) NAME(name)
#define LISTED_BOOLEAN(name) NAME(name)
#define LISTED_SELECT(name) NAME(name)
#define UNARY(name, kind, value, dx, ...) {LISTED_##kind(name), WITH_GRADIENTS(NAME(name##_dx))},
#define BINARY(name, kind, value, da, db, ...)                                                     \
    {LISTED_##kind(name), WITH_GRADIENTS(NAME(name##_da), NAME(name##_db))},
#define TERNARY(name, kind, value, da, db, dc, ...)                                                \
    {LISTED_##kind(name), WITH_GRADIENTS(NAME(name##_da), NAME(name##_db), NAME(name##_dc))},
static const Kernels NAME(kernels)[] = {
#include "kernels/ops.def"
};
#undef UNARY
#undef BINARY
#undef TERNARY

#undef WITH_GRADIENTS
#undef LISTED_FLOATING
#undef LISTED_RANGED
#undef LISTED_BITWISE
#undef LISTED_SHIFT
#undef LISTED_NUMERIC
#undef LISTED_COUNTING
#undef LISTED_SIGNED
#undef LISTED_DIVISION
#undef LISTED_POWER
#undef LISTED_BOOLEAN
#undef LISTED_SELECT
#undef VALUE_FLOATING
#undef VALUE_RANGED
#undef VALUE_BITWISE
#undef VALUE_SHIFT
#undef VALUE_NUMERIC
#undef VALUE_COUNTING
#undef VALUE_SIGNED
#undef VALUE_DIVISION
#undef VALUE_POWER
#undef VALUE_BOOLEAN
#undef VALUE_SELECT
#undef POINTER
#undef ELEMENT
#undef KERNEL
#undef KERNEL_TO
#undef COMPUTE
#undef NEAR_KERNEL
#undef MEASURED_KERNEL
#undef FEW
#undef FETCH
#undef STRETCHES
#undef UNLESS
#undef EVERYWHERE
#undef NEAR_exp
#undef NEAR_exp2
#undef NEAR_log
#undef NEAR_log2
#undef NEAR_log10
#undef NEAR_lgamma
#undef NEAR_polygamma
#undef eq
#undef ne
#undef lt
#undef le
#undef gt
#undef ge
#undef where
#undef maximum
#undef minimum
#undef distance
#undef sign
#undef real
#undef clamp
#undef within
#undef nonzero
#undef square
#undef softplus
#undef tanh_softplus
