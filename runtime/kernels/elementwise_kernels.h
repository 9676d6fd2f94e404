/*
 * elementwise_kernels.h - the kernels of ops.def for one compute type; see elementwise.c
 *
 * Before the include: T is the type, NAME(x) pastes the type's suffix, HAS_GRADIENTS says whether
 * derivatives are compiled, and the functions that the rows call are defined for T. There is no
 * guard: it is meant to be read several times.
 *
 * A kernel takes n elements, a multiple of LANES, from contiguous blocks. Vector code without a
 * scalar remainder computes every element with the same instructions, wherever it stands.
 */
#define eq(a, b) ((T)((a) == (b)))
#define ne(a, b) ((T)((a) != (b)))
#define lt(a, b) ((T)((a) < (b)))
#define le(a, b) ((T)((a) <= (b)))
#define gt(a, b) ((T)((a) > (b)))
#define ge(a, b) ((T)((a) >= (b)))
#define where(a, b, c) ((T)((a) != 0 ? (b) : (c)))
#define maximum NAME(larger)
#define minimum NAME(smaller)
#define within(x, bound) minimum(maximum(x, -(bound)), bound)
#define nonzero(x) where(eq(x, 0), 1, x)
#define cosine(a, b, h) (within(a, LARGEST) / within(nonzero(h), LARGEST))
#define over_squares(x, a, b) ((x) / nonzero(hypot(a, b)) / nonzero(hypot(a, b)))
#define real(x) ((T)(x))
#define square(x) ((x) * (x))
#define sigmoid(x) (1 / (1 + exp(-(x))))
#define softplus(x) (maximum(x, 0) + log1p(exp(-abs(x))))
#define sign(x) ((T)(((x) > 0) - ((x) < 0)))

#define KERNEL(name, declarations, expression)                                                     \
    VECTORISED static void NAME(name)(int64_t n, void *out, const void *const *in)                 \
    {                                                                                              \
        if (n % LANES != 0)                                                                        \
            __builtin_unreachable();                                                               \
        T *result = out;                                                                           \
        _Pragma("GCC ivdep") for (int64_t i = 0; i < n; i++)                                       \
        {                                                                                          \
            declarations;                                                                          \
            const bool is_near = false;                                                            \
            (void)is_near;                                                                         \
            result[i] = (T)(expression);                                                           \
        }                                                                                          \
    }
/* the same with one loop for blocks of near quotients alone, and one for the rest */
#define DIVISION_KERNEL(name, declarations, expression)                                            \
    VECTORISED static void NAME(name)(int64_t n, void *out, const void *const *in)                 \
    {                                                                                              \
        if (n % LANES != 0)                                                                        \
            __builtin_unreachable();                                                               \
        T *result = out;                                                                           \
        int far = 0;                                                                               \
        for (int64_t i = 0; i < n; i++) {                                                          \
            declarations;                                                                          \
            far |= !(abs(a / b) < NEAR);                                                           \
        }                                                                                          \
        _Pragma("GCC ivdep") for (int64_t i = 0; !far && i < n; i++)                               \
        {                                                                                          \
            declarations;                                                                          \
            const bool is_near = true;                                                             \
            result[i] = (T)(expression);                                                           \
        }                                                                                          \
        for (int64_t i = 0; far && i < n; i++) {                                                   \
            declarations;                                                                          \
            const bool is_near = false;                                                            \
            result[i] = (T)(expression);                                                           \
        }                                                                                          \
    }
#define INPUT(variable, k)                                                                         \
    const T variable = ((const T *)in[k])[i];                                                      \
    (void)variable

/* values */
#if HAS_GRADIENTS
#define VALUE_FLOATING KERNEL
#define VALUE_DIVISION DIVISION_KERNEL
#define VALUE_BITWISE(name, declarations, expression)
#define VALUE_SHIFT(name, declarations, expression)
#else
#define VALUE_DIVISION KERNEL
#define VALUE_FLOATING(name, declarations, expression)
#define VALUE_BITWISE KERNEL
#define VALUE_SHIFT KERNEL
#endif
#define VALUE_NUMERIC KERNEL
#define VALUE_COUNTING KERNEL
#define VALUE_SIGNED KERNEL
#define VALUE_POWER KERNEL
#define VALUE_BOOLEAN KERNEL
#define VALUE_SELECT KERNEL
#define UNARY(name, kind, value, dx, ...) VALUE_##kind(name, INPUT(x, 0), value)
#define BINARY(name, kind, value, da, db, ...) VALUE_##kind(name, INPUT(a, 0); INPUT(b, 1), value)
#define TERNARY(name, kind, value, da, db, dc, ...)                                                \
    VALUE_##kind(name, INPUT(a, 0); INPUT(b, 1); INPUT(c, 2), value)
#include "kernels/ops.def"
#undef UNARY
#undef BINARY
#undef TERNARY

/* gradients: in[0] is g, in[1] is y, the arguments follow */
#if HAS_GRADIENTS
#define GRADIENT(name, arguments, expression)                                                      \
    KERNEL(name, INPUT(g, 0); INPUT(y, 1); arguments, expression)
#define UNARY(name, kind, value, dx, ...) GRADIENT(name##_dx, INPUT(x, 2), dx)
#define BINARY(name, kind, value, da, db, ...)                                                     \
    GRADIENT(name##_da, INPUT(a, 2); INPUT(b, 3), da)                                              \
    GRADIENT(name##_db, INPUT(a, 2); INPUT(b, 3), db)
#define TERNARY(name, kind, value, da, db, dc, ...)                                                \
    GRADIENT(name##_da, INPUT(a, 2); INPUT(b, 3); INPUT(c, 4), da)                                 \
    GRADIENT(name##_db, INPUT(a, 2); INPUT(b, 3); INPUT(c, 4), db)                                 \
    GRADIENT(name##_dc, INPUT(a, 2); INPUT(b, 3); INPUT(c, 4), dc)
#include "kernels/ops.def"
#undef UNARY
#undef BINARY
#undef TERNARY
#undef GRADIENT
#endif

/* the table of this type's kernels, in the order of the rows */
#if HAS_GRADIENTS
#define LISTED_FLOATING(name) NAME(name)
#define LISTED_BITWISE(name) NULL
#define LISTED_SHIFT(name) NULL
#define WITH_GRADIENTS(...) .gradient = {__VA_ARGS__}
#else
#define LISTED_FLOATING(name) NULL
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
#undef VALUE_BITWISE
#undef VALUE_SHIFT
#undef VALUE_NUMERIC
#undef VALUE_COUNTING
#undef VALUE_SIGNED
#undef VALUE_DIVISION
#undef VALUE_POWER
#undef VALUE_BOOLEAN
#undef VALUE_SELECT
#undef INPUT
#undef KERNEL
#undef DIVISION_KERNEL
#undef eq
#undef ne
#undef lt
#undef le
#undef gt
#undef ge
#undef where
#undef maximum
#undef minimum
#undef sign
#undef real
#undef within
#undef nonzero
#undef square
#undef sigmoid
#undef softplus
