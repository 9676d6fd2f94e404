/*
 * philox.h - Philox4x32-10, one counter or many at once
 *
 * The numbers of Random123's philox4x32 [Salmon2011], with a key and a counter of 64 bits each.
 */
#ifndef PHILOX_H
#define PHILOX_H

#include "tensor/base.h"

enum { PHILOX_LANES = 16, PHILOX_WORDS = 4 * PHILOX_LANES };

/* the four words of one counter */
void philox_block(uint64_t key, uint64_t counter, uint32_t words[4]);

/* those of PHILOX_LANES counters: word w of counter `first + l` is words[w * PHILOX_LANES + l] */
void philox_lanes(uint64_t key, uint64_t first, uint32_t words[PHILOX_WORDS]);

#endif
