/*
 * vector_math.c - functions of vectors, with the same bits in each lane; see vector_math.h
 *
 * Each has four forms, under the names that the Vector ABI gives them: of one number, and of
 * vectors of 128, 256 and 512 bits. The last two find their code when they are first called. The
 * first two are lanes of the third, but on a processor that has no such vectors.
 */
#define VECTOR_MATH_C
#include "kernels/vector_math.h"

#if VECTOR_MATH

#include <dlfcn.h>
#include <immintrin.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "kernels/portable.h"

#define V3 __attribute__((target("arch=x86-64-v3")))
#define V4 __attribute__((target("arch=x86-64-v4")))

typedef __m128 float_x4;
typedef __m256 float_x8;
typedef __m512 float_x16;
typedef __m128d double_x2;
typedef __m256d double_x4;
typedef __m512d double_x8;

typedef enum { LIBMVEC, HALVES, U10, U35 } Source;

/* which function: "exp" of 1 argument of type 'f', of float, or 'd' */
typedef struct {
    const char *name;
    int arity;
    char type;
    Source source;
} Function;

/* its code for vectors of 256 bits, or 512; `halves` is that which calls the former twice */
static void *find_code(const Function *f, bool is_wide, void *halves)
{
    char symbol[64];
    void *library = portable_sleef();
    int lanes = (f->type == 'f' ? 8 : 4) * (is_wide ? 2 : 1);
    if (library && f->source == HALVES && is_wide)
        return halves;
    if (library && f->source >= U10) {
        snprintf(symbol, sizeof symbol, "Sleef_finz_%s%c%d_%s%s", f->name, f->type, lanes,
                 f->source == U10 ? "u10" : "u35", is_wide ? "avx512f" : "avx2");
    } else {
        library = dlopen("libmvec.so.1", RTLD_LAZY | RTLD_LOCAL);
        snprintf(symbol, sizeof symbol, "_ZGV%cN%d%s_%s%s", is_wide ? 'e' : 'd', lanes,
                 f->arity == 1 ? "v" : "vv", f->name, f->type == 'f' ? "f" : "");
    }
    return dlsym(library, symbol);
}

/* the same value in all lanes, and the first */
#define FILL_float(x) _mm256_set1_ps(x)
#define FILL_double(x) _mm256_set1_pd(x)
#define FIRST_float(x) _mm256_cvtss_f32(x)
#define FIRST_double(x) _mm256_cvtsd_f64(x)
/* both halves, and the lower */
#define TWICE_float(x) _mm256_set_m128(x, x)
#define TWICE_double(x) _mm256_set_m128d(x, x)
#define HALF_float(x) _mm256_castps256_ps128(x)
#define HALF_double(x) _mm256_castpd256_pd128(x)
/* the same of 512 bits, and the upper half */
#define LOWER_float(x) _mm512_castps512_ps256(x)
#define LOWER_double(x) _mm512_castpd512_pd256(x)
#define UPPER_float(x) _mm512_extractf32x8_ps(x, 1)
#define UPPER_double(x) _mm512_extractf64x4_pd(x, 1)
#define JOIN_float(low, high) _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1)
#define JOIN_double(low, high) _mm512_insertf64x4(_mm512_castpd256_pd512(low), high, 1)
#define SAME(x) x

#define PARAMETERS_1(type) type x
#define PARAMETERS_2(type) type x, type y
#define ARGUMENTS_1(DO) DO(x)
#define ARGUMENTS_2(DO) DO(x), DO(y)
#define MANGLED_1(letter, lanes, name) _ZGV##letter##N##lanes##v_wrun_##name
#define MANGLED_2(letter, lanes, name) _ZGV##letter##N##lanes##vv_wrun_##name
#define LIBRARY_1(lanes, name) _ZGVbN##lanes##v_##name
#define LIBRARY_2(lanes, name) _ZGVbN##lanes##vv_##name

/* FORM(...) is a function that calls the code it has found */
#define FORM(unit, symbol, vector, arity, function, is_wide, halves)                               \
    unit vector symbol(PARAMETERS_##arity(vector));                                                \
    unit vector symbol(PARAMETERS_##arity(vector))                                                 \
    {                                                                                              \
        static vector (*_Atomic found)(PARAMETERS_##arity(vector));                                \
        vector (*code)(PARAMETERS_##arity(vector)) =                                               \
            atomic_load_explicit(&found, memory_order_relaxed);                                    \
        if (__builtin_expect(!code, 0)) {                                                          \
            void *address = find_code(function, is_wide, halves);                                  \
            memcpy(&code, &address, sizeof code);                                                  \
            atomic_store_explicit(&found, code, memory_order_relaxed);                             \
        }                                                                                          \
        return code(ARGUMENTS_##arity(SAME));                                                      \
    }

#define FUNCTION(arity, called, name, T, source, two, four, eight)                                 \
    static const Function function_##name = {called, arity, #T[0], source};                        \
    FORM(V3, MANGLED_##arity(d, four, name), T##_x##four, arity, &function_##name, false, NULL)    \
    V4 static T##_x##eight halves_##name(PARAMETERS_##arity(T##_x##eight))                         \
    {                                                                                              \
        return JOIN_##T(MANGLED_##arity(d, four, name)(ARGUMENTS_##arity(LOWER_##T)),              \
                        MANGLED_##arity(d, four, name)(ARGUMENTS_##arity(UPPER_##T)));             \
    }                                                                                              \
    FORM(V4, MANGLED_##arity(e, eight, name), T##_x##eight, arity, &function_##name, true,         \
         (void *)halves_##name)                                                                    \
    V3 __attribute__((noinline)) static T lane_##name(PARAMETERS_##arity(T))                       \
    {                                                                                              \
        return FIRST_##T(MANGLED_##arity(d, four, name)(ARGUMENTS_##arity(FILL_##T)));             \
    }                                                                                              \
    T wrun_##name(PARAMETERS_##arity(T));                                                          \
    T wrun_##name(PARAMETERS_##arity(T))                                                           \
    {                                                                                              \
        return __builtin_cpu_supports("x86-64-v3") ? lane_##name(ARGUMENTS_##arity(SAME))          \
                                                   : name(ARGUMENTS_##arity(SAME));                \
    }                                                                                              \
    V3 __attribute__((noinline)) static T##_x##two half_##name(PARAMETERS_##arity(T##_x##two))     \
    {                                                                                              \
        return HALF_##T(MANGLED_##arity(d, four, name)(ARGUMENTS_##arity(TWICE_##T)));             \
    }                                                                                              \
    extern T##_x##two LIBRARY_##arity(two, name)(PARAMETERS_##arity(T##_x##two));                  \
    T##_x##two MANGLED_##arity(b, two, name)(PARAMETERS_##arity(T##_x##two));                      \
    T##_x##two MANGLED_##arity(b, two, name)(PARAMETERS_##arity(T##_x##two))                       \
    {                                                                                              \
        return __builtin_cpu_supports("x86-64-v3")                                                 \
                   ? half_##name(ARGUMENTS_##arity(SAME))                                          \
                   : LIBRARY_##arity(two, name)(ARGUMENTS_##arity(SAME));                          \
    }

#define FROM_LIBMVEC FUNCTION
#define FROM_HALVES FUNCTION
#define FROM_U10 FUNCTION
#define FROM_U35 FUNCTION
#define FROM_OWN(...)
#define BOTH(arity, name, in_float, in_double)                                                     \
    FROM_##in_float(arity, #name, name##f, float, in_float, 4, 8, 16)                              \
        FROM_##in_double(arity, #name, name, double, in_double, 2, 4, 8)
#define UNARY(...) BOTH(1, __VA_ARGS__)
#define BINARY(...) BOTH(2, __VA_ARGS__)
VECTOR_FUNCTIONS(UNARY, BINARY)

#endif
