/*
 * interrupt.c - the wish that long work end; see interrupt.h
 *
 * The one flag of a process, since a signal handler is given no context.
 */
#include "tensor/interrupt.h"

atomic_bool interrupt_flag;
