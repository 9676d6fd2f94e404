/*
 * philox.c - Philox4x32-10, one counter or many at once; see philox.h
 *
 * Compilers do not find the instruction that multiplies 32-bit numbers to 64 bits in eight lanes,
 * so it is named for the vector units that have it; elsewhere Random123's own code runs, counter by
 * counter.
 */
#include <Random123/philox.h>
#include <string.h>

#include "kernels/philox.h"

void philox_block(uint64_t key, uint64_t counter, uint32_t words[4])
{
    philox4x32_key_t k = {{(uint32_t)key, (uint32_t)(key >> 32)}};
    philox4x32_ctr_t c = {{(uint32_t)counter, (uint32_t)(counter >> 32), 0, 0}};
    c = philox4x32(c, k);
    memcpy(words, c.v, sizeof c.v);
}

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#define TARGET "avx512f"
#define BYTES 64
#define NAME(x) x##_512
#define MULTIPLY(a, b) (Wide_512) _mm512_mul_epu32((__m512i)(a), (__m512i)(b))
#include "kernels/philox_wide.h"
#undef TARGET
#undef BYTES
#undef NAME
#undef MULTIPLY

#define TARGET "avx2"
#define BYTES 32
#define NAME(x) x##_256
#define MULTIPLY(a, b) (Wide_256) _mm256_mul_epu32((__m256i)(a), (__m256i)(b))
#include "kernels/philox_wide.h"

static bool lanes_wide(uint64_t key, uint64_t first, uint32_t *words)
{
    if (__builtin_cpu_supports("avx512f"))
        lanes_512(key, first, words);
    else if (__builtin_cpu_supports("avx2"))
        lanes_256(key, first, words);
    else
        return false;
    return true;
}
#else
static bool lanes_wide(uint64_t key, uint64_t first, uint32_t *words)
{
    (void)key, (void)first, (void)words;
    return false;
}
#endif

void philox_lanes(uint64_t key, uint64_t first, uint32_t words[PHILOX_WORDS])
{
    if (lanes_wide(key, first, words))
        return;
    uint32_t block[4];
    for (int l = 0; l < PHILOX_LANES; l++) {
        philox_block(key, first + (uint64_t)l, block);
        for (int w = 0; w < 4; w++)
            words[w * PHILOX_LANES + l] = block[w];
    }
}
