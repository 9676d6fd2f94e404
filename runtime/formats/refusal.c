/*
 * refusal.c - a Reason with names and numbers in it; see refusal.h
 */
#include <stdarg.h>
#include <stdio.h>

#include "formats/refusal.h"

Reason refuse(Refusal *refusal, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(refusal->text, sizeof(refusal->text), format, arguments);
    va_end(arguments);
    return refusal->text;
}
