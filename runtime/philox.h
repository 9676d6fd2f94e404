/*
 * philox.h - Philox4x32-10 for many counters at once (layer 0)
 *
 * The same numbers as Random123's philox4x32 [Salmon2011], computed lane by lane so that the
 * compiler vectorises across counters: word w of counter `first + l` is words[w * PHILOX_LANES +
 * l].
 */
#ifndef PHILOX_H
#define PHILOX_H

#include <Random123/philox.h>

#include "base.h"

enum { PHILOX_LANES = 8, PHILOX_WORDS = 4 * PHILOX_LANES };

static inline void philox_lanes(uint64_t key, uint64_t first, uint32_t words[PHILOX_WORDS])
{
    enum { N = PHILOX_LANES };
    uint32_t *restrict c0 = words, *restrict c1 = words + N, *restrict c2 = words + 2 * N,
                       *restrict c3 = words + 3 * N;
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int l = 0; l < N; l++) {
        uint64_t counter = first + (uint64_t)l;
        c0[l] = (uint32_t)counter;
        c1[l] = (uint32_t)(counter >> 32);
        c2[l] = c3[l] = 0;
    }
    for (int round = 0; round < 10; round++) {
        for (int l = 0; l < N; l++) {
            uint64_t p0 = (uint64_t)PHILOX_M4x32_0 * c0[l], p1 = (uint64_t)PHILOX_M4x32_1 * c2[l];
            c0[l] = (uint32_t)(p1 >> 32) ^ c1[l] ^ k0;
            c1[l] = (uint32_t)p1;
            c2[l] = (uint32_t)(p0 >> 32) ^ c3[l] ^ k1;
            c3[l] = (uint32_t)p0;
        }
        k0 += PHILOX_W32_0;
        k1 += PHILOX_W32_1;
    }
}

#endif
