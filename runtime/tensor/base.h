/*
 * base.h - the ground everything stands on
 *
 * Sizes come from scripts and files, so they are checked before they are multiplied. Functions that
 * can refuse return a Reason: NULL when all is well, else a static sentence that the binding layer
 * completes with the function, the argument and the shapes.
 */
#ifndef BASE_H
#define BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERSION "wrun 0.1.0"

typedef const char *Reason;

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * Compiles a function for each vector unit; the loader picks the best one the machine has (before
 * ThreadSanitizer is ready for it, so not under that).
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTORISED
#endif

/* A part of VECTORISED functions: a call of it would leave their vector unit. */
#if defined(__GNUC__)
#define INLINED static inline __attribute__((always_inline))
#else
#define INLINED static inline
#endif

enum {
    CACHE_LINE = 64, /* bytes */
    FETCHED = 256,   /* elements that are computed while the next are fetched */
};

/* Asks for FETCHED elements, the first of which lies `offset` after that at `memory`, since they will
 * be needed soon. They need not be anybody's: so the address is a number. */
INLINED void fetch_ahead(const void *memory, int64_t offset, size_t size)
{
    uintptr_t first = (uintptr_t)memory + (uintptr_t)offset * size;
    for (size_t i = 0; i < FETCHED * size; i += CACHE_LINE)
        __builtin_prefetch((const void *)(first + i));
}

/* product = a * b for a, b >= 0; false when it does not fit. */
static inline bool size_multiply(int64_t a, int64_t b, int64_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

static inline int64_t size_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t size_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* how many pieces of `piece` cover `total` */
static inline int64_t size_pieces(int64_t total, int64_t piece)
{
    return (total + piece - 1) / piece;
}

#endif
