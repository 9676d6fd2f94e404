/*
 * philox_wide.h - philox_lanes for one vector unit; included by philox.c for each
 *
 * Before the include: NAME(x) pastes a suffix, TARGET is the unit, BYTES its width, MULTIPLY(a, b)
 * its product of the low halves of 64-bit lanes. Only those halves matter: what lies above them is
 * never read. There is no guard: it is meant to be read several times.
 */

typedef uint64_t NAME(Wide) __attribute__((vector_size(BYTES)));
typedef uint32_t NAME(Half) __attribute__((vector_size(BYTES / 2), aligned(4)));

__attribute__((target(TARGET))) static void NAME(lanes)(uint64_t key, uint64_t first,
                                                        uint32_t *words)
{
    enum { N = PHILOX_LANES, WIDTH = BYTES / 8 };
    const NAME(Wide) zero = {0}, m0 = zero + PHILOX_M4x32_0, m1 = zero + PHILOX_M4x32_1;
    for (int l = 0; l < N; l += WIDTH) {
        NAME(Wide) c0 = zero, c1, c2 = zero, c3 = zero;
        for (int i = 0; i < WIDTH; i++)
            c0[i] = first + (uint64_t)(l + i);
        c1 = c0 >> 32;
        uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
        for (int round = 0; round < 10; round++) {
            NAME(Wide) p0 = MULTIPLY(c0, m0), p1 = MULTIPLY(c2, m1);
            c0 = (p1 >> 32) ^ c1 ^ k0;
            c1 = p1;
            c2 = (p0 >> 32) ^ c3 ^ k1;
            c3 = p0;
            k0 += PHILOX_W32_0;
            k1 += PHILOX_W32_1;
        }
        *(NAME(Half) *)(words + l) = __builtin_convertvector(c0, NAME(Half));
        *(NAME(Half) *)(words + N + l) = __builtin_convertvector(c1, NAME(Half));
        *(NAME(Half) *)(words + 2 * N + l) = __builtin_convertvector(c2, NAME(Half));
        *(NAME(Half) *)(words + 3 * N + l) = __builtin_convertvector(c3, NAME(Half));
    }
}
