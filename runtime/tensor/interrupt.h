/*
 * interrupt.h - the wish that long work end
 *
 * A signal handler wishes it, the command clears it when the error is raised. Kernels look between
 * pieces of work, and return at once: their results are then worth nothing, and the binding raises.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

extern atomic_bool interrupt_flag;

static inline bool interrupt_wanted(void)
{
    return atomic_load_explicit(&interrupt_flag, memory_order_relaxed);
}

/* Is step i of n to be taken? Looks for an interrupt at one in 4096. */
static inline bool interrupt_allows(int64_t i, int64_t n)
{
    return i < n && ((i & 4095) != 0 || !interrupt_wanted());
}

static inline void interrupt_set(bool wanted)
{
    atomic_store_explicit(&interrupt_flag, wanted, memory_order_relaxed);
}

#endif
