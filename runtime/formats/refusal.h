/*
 * refusal.h - a Reason with names and numbers in it
 */
#ifndef REFUSAL_H
#define REFUSAL_H

#include "tensor/base.h"

typedef struct {
    char text[320];
} Refusal;

/* A Reason that lasts as long as the refusal does and is not used again; cut where it is long. */
__attribute__((format(__printf__, 2, 3))) Reason refuse(Refusal *refusal, const char *format, ...);

#endif
