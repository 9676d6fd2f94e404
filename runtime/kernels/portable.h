/*
 * portable.h - when the bits of results are the same on every x86-64-v3 processor (AVX2 and FMA)
 *
 * Addition and multiplication, fused or not, are IEEE's on each of them, and the compiler neither
 * contracts (-std=c11) nor reorders. What could differ, and where it is kept from it:
 *
 *   sums                       each kernel names the lanes of a sum, whatever the width of a vector
 *   exp, sin, ...              special.h computes them in such arithmetic; or vector_math.c has their
 *                              lanes from where they have the same bits at any width, and never from
 *                              an approximate reciprocal
 *   products                   product.c names the order of each element's sum, fused
 *   factorizations             openblas.c has OpenBLAS take its kernels for Haswell, which all these
 *                              processors can run
 */
#ifndef PORTABLE_H
#define PORTABLE_H

#include "tensor/base.h"

#define PORTABLE_CORE "Haswell" /* what OPENBLAS_CORETYPE calls them */

/* Has OpenBLAS do products and factorizations with its kernels for this processor: for the whole
 * process, and before the first. */
void portable_forgo(void);

/* Are products portable, and so wrun's own? On arm64 too, in the same bits. */
bool portable_products(void);

/* NULL when all results are portable; else why not */
Reason portable_reason(void);

/* the library SLEEF, whose functions have the same bits at each width; NULL where it cannot be had */
void *portable_sleef(void);

#endif
